// Nonces, and what one key seals and another opens (RFC 9846, 5.2 and 5.3).
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <set>
#include <utility>

#include <tlsconnect/record/protection.hpp>

using namespace tlsconnect;

namespace {

TrafficIv counting_iv(std::size_t size = aead_nonce_length) {
  TrafficIv iv(size);
  std::uint8_t next = 0xA0;
  for (std::uint8_t& byte : iv.bytes())
    byte = next++;
  return iv;
}

struct Pair {
  WriteProtection write;
  ReadProtection read;
};
Pair make(AeadAlgorithm algorithm) {
  const ByteVector key(key_length(algorithm), 0x42);
  return {WriteProtection(algorithm, std::move(AeadSealer::create(algorithm, key).value()), counting_iv()),
          ReadProtection(std::move(AeadOpener::create(algorithm, key).value()), counting_iv())};
}

const ByteVector header{23, 3, 3, 0, 21};

} // namespace

TEST_CASE("nonces are the sequence number over the IV", "[protection]") {
  detail::NonceSequence nonces(counting_iv());
  std::set<ByteVector> seen;
  for (std::uint64_t number = 0; number < 70'000; ++number) {
    std::uint8_t nonce[aead_nonce_length];
    REQUIRE(nonces.next(nonce));
    ByteVector expected = to_vector(counting_iv().view());
    for (std::size_t i = 0; i < 8; ++i)
      expected[11 - i] = static_cast<std::uint8_t>(expected[11 - i] ^ static_cast<std::uint8_t>(number >> (8 * i)));
    REQUIRE(equal(nonce, expected));
    REQUIRE(seen.insert(expected).second);
    REQUIRE(nonces.used() == number + 1);
  }
}

TEST_CASE("without a whole IV there are no nonces", "[protection]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{11}}) {
    detail::NonceSequence nonces(counting_iv(size));
    std::uint8_t nonce[aead_nonce_length];
    CHECK(!nonces.next(nonce));
  }
}

TEST_CASE("what is sealed can be opened once, in order", "[protection]") {
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm, AeadAlgorithm::chacha20_poly1305}) {
    Pair keys = make(algorithm);
    const ByteVector plain{'h', 'e', 'l', 'l', 'o'};
    for (int i = 0; i < 5; ++i) {
      ByteVector text = plain;
      std::array<std::uint8_t, aead_tag_length> tag{};
      REQUIRE(keys.write.seal(header, text, tag));
      CHECK(text != plain);
      if (i == 4) {
        // Under another header it is not the same record.
        ByteVector other = header;
        other[4] = 22;
        const Result<> opened = keys.read.open(other, text, tag);
        REQUIRE(!opened);
        CHECK(opened.error().code() == ErrorCode::bad_record_mac);
        break;
      }
      const ByteVector sealed = text;
      REQUIRE(keys.read.open(header, text, tag));
      CHECK(text == plain);
      if (i == 3) {
        text = sealed;
        CHECK(!keys.read.open(header, text, tag)); // a replay
        break;
      }
    }
  }
}

TEST_CASE("AES-GCM asks for a new key in time", "[protection]") {
  // 2^24 seals are too many for a test; that nothing is asked for earlier, and the limit itself, are not.
  static_assert(limits::records_per_key_aes_gcm < (std::uint64_t{1} << 24) * 142 / 100); // 2^24.5 (RFC 9846, 5.5)
  Pair keys = make(AeadAlgorithm::aes_128_gcm);
  for (int i = 0; i < 100; ++i) {
    ByteVector text{1};
    std::array<std::uint8_t, aead_tag_length> tag{};
    REQUIRE(keys.write.seal(header, text, tag));
    CHECK(!keys.write.wants_key_update());
  }
}
