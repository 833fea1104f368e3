// Nonces, and what one key seals and another opens (RFC 9846, 5.2 and 5.3; TLS 1.2: RFC 5288, 3 and RFC 7905, 2).
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

// ---- TLS 1.2 ----

namespace {

struct Pair12 {
  WriteProtection12 write;
  ReadProtection12 read;
};
Pair12 make12(AeadAlgorithm algorithm) {
  const ByteVector key(key_length(algorithm), 0x42);
  const auto iv = [&] { return counting_iv(fixed_iv_length12(algorithm)); };
  return {WriteProtection12(algorithm, std::move(AeadSealer::create(algorithm, key).value()), iv()),
          ReadProtection12(algorithm, std::move(AeadOpener::create(algorithm, key).value()), iv())};
}

ByteVector sealed(WriteProtection12& write, ContentType type, BytesView content) {
  ByteVector fragment(content.size() + write.overhead());
  copy_bytes(content, Bytes(fragment).subspan(write.overhead() - aead_tag_length));
  REQUIRE(write.seal(type, fragment));
  return fragment;
}

constexpr AeadAlgorithm every_aead[] = {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                        AeadAlgorithm::chacha20_poly1305};

} // namespace

TEST_CASE("TLS 1.2: records open in order, with their type, and no others", "[protection]") {
  for (const AeadAlgorithm algorithm : every_aead) {
    const ByteVector content(100, 0x17);
    Pair12 pair = make12(algorithm);
    for (int round = 0; round < 300; ++round) {
      ByteVector fragment = sealed(pair.write, ContentType::handshake, content);
      const Result<Bytes> text = pair.read.open(ContentType::handshake, fragment);
      REQUIRE(text);
      CHECK(equal(*text, content));
    }
    CHECK(pair.write.overhead() == (algorithm == AeadAlgorithm::chacha20_poly1305 ? 16 : 24));

    // Another type, another place, another length, another byte.
    {
      Pair12 fresh = make12(algorithm);
      ByteVector fragment = sealed(fresh.write, ContentType::handshake, content);
      CHECK(fresh.read.open(ContentType::application_data, fragment).error().code() == ErrorCode::bad_record_mac);
    }
    {
      Pair12 fresh = make12(algorithm);
      (void)sealed(fresh.write, ContentType::handshake, content);
      ByteVector second = sealed(fresh.write, ContentType::handshake, content);
      CHECK(fresh.read.open(ContentType::handshake, second).error().code() == ErrorCode::bad_record_mac);
    }
    for (std::size_t size = 0; size < content.size() + make12(algorithm).write.overhead(); ++size) {
      Pair12 fresh = make12(algorithm);
      ByteVector fragment = sealed(fresh.write, ContentType::handshake, content);
      fragment.resize(size);
      CHECK(fresh.read.open(ContentType::handshake, fragment).error().code() == ErrorCode::bad_record_mac);
    }
    for (std::size_t at = 0; at < content.size() + make12(algorithm).write.overhead(); ++at) {
      Pair12 fresh = make12(algorithm);
      ByteVector fragment = sealed(fresh.write, ContentType::handshake, content);
      fragment[at] ^= 1;
      CHECK(fresh.read.open(ContentType::handshake, fragment).error().code() == ErrorCode::bad_record_mac);
    }
  }
}

TEST_CASE("TLS 1.2: what the nonce and the additional data are made of", "[protection]") {
  // RFC 5288, 3: the salt, and eight bytes that the record carries: here its number.
  detail::RecordNumbers12 gcm(AeadAlgorithm::aes_128_gcm, counting_iv(4));
  const std::array<std::uint8_t, 8> carried{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(gcm.carried_next() == std::array<std::uint8_t, 8>{});
  REQUIRE(gcm.next(carried, ContentType::alert, 0x1234));
  CHECK(equal(gcm.nonce(), ByteVector{0xA0, 0xA1, 0xA2, 0xA3, 1, 2, 3, 4, 5, 6, 7, 8}));
  // RFC 5246, 6.2.3.3
  CHECK(equal(gcm.additional_data(), ByteVector{0, 0, 0, 0, 0, 0, 0, 0, 21, 3, 3, 0x12, 0x34}));
  CHECK(gcm.carried_next() == std::array<std::uint8_t, 8>{0, 0, 0, 0, 0, 0, 0, 1});
  REQUIRE(gcm.next(carried, ContentType::alert, 1));
  CHECK(equal(gcm.additional_data(), ByteVector{0, 0, 0, 0, 0, 0, 0, 1, 21, 3, 3, 0, 1}));
  CHECK_FALSE(gcm.next({}, ContentType::alert, 1));

  // RFC 7905, 2: nothing is carried; the number goes over the IV.
  detail::RecordNumbers12 chacha(AeadAlgorithm::chacha20_poly1305, counting_iv());
  REQUIRE(chacha.next({}, ContentType::handshake, 0));
  CHECK(equal(chacha.nonce(), counting_iv().view()));
  REQUIRE(chacha.next({}, ContentType::handshake, 0));
  ByteVector expected = to_vector(counting_iv().view());
  expected.back() ^= 1;
  CHECK(equal(chacha.nonce(), expected));
  CHECK_FALSE(chacha.next(carried, ContentType::handshake, 0));
  // An IV of the wrong length is none.
  detail::RecordNumbers12 wrong(AeadAlgorithm::aes_128_gcm, counting_iv());
  CHECK_FALSE(wrong.next(carried, ContentType::handshake, 0));
}

TEST_CASE("TLS 1.2: what a record carries need not be its number", "[protection]") {
  // RFC 5288, 3: the sender chooses it. Only the number in the additional data counts.
  const ByteVector key(16, 0x42);
  const ByteVector content{1, 2, 3};
  ByteVector fragment(8 + content.size() + aead_tag_length, 0x99);
  copy_bytes(content, Bytes(fragment).subspan(8));
  const ByteVector nonce = {0xA0, 0xA1, 0xA2, 0xA3, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99};
  const ByteVector additional = {0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3, 0, 3};
  auto sealer = AeadSealer::create(AeadAlgorithm::aes_128_gcm, key);
  REQUIRE(sealer);
  REQUIRE(sealer->seal(nonce, additional, Bytes(fragment).subspan(8, 3), Bytes(fragment).last(aead_tag_length)));
  const Result<Bytes> text = make12(AeadAlgorithm::aes_128_gcm).read.open(ContentType::application_data, fragment);
  REQUIRE(text);
  CHECK(equal(*text, content));
}
