// AEADs against the vectors of the GCM specification and of RFC 8439; damage to every byte; what failures leave behind.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include <tlsconnect/crypto/aead.hpp>

#include "test_bytes.hpp"

using namespace tlsconnect;
using test::hex;

namespace {

struct Vector {
  AeadAlgorithm algorithm;
  ByteVector key;
  ByteVector nonce;
  ByteVector associated_data;
  ByteVector plain;
  ByteVector cipher;
  ByteVector tag;
};

std::vector<Vector> vectors() {
  const ByteVector gcm_plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                   "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const ByteVector gcm_data = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const ByteVector gcm_nonce = hex("cafebabefacedbaddecaf888");
  return {
      // GCM specification, test cases 1 and 4.
      {AeadAlgorithm::aes_128_gcm,
       test::repeated(16, 0),
       test::repeated(12, 0),
       {},
       {},
       {},
       hex("58e2fccefa7e3061367f1d57a4e7455a")},
      {AeadAlgorithm::aes_128_gcm, hex("feffe9928665731c6d6a8f9467308308"), gcm_nonce, gcm_data, gcm_plain,
       hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
           "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"),
       hex("5bc94fbc3221a5db94fae95ae7121a47")},
      // Test case 16.
      {AeadAlgorithm::aes_256_gcm, hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"), gcm_nonce,
       gcm_data, gcm_plain,
       hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
           "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"),
       hex("76fc6ece0f4e1768cddf8853bb2d551b")},
      // RFC 8439, 2.8.2.
      {AeadAlgorithm::chacha20_poly1305, test::counted(0x80, 0x9f), hex("070000004041424344454647"),
       hex("50515253c0c1c2c3c4c5c6c7"),
       to_vector(as_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
                          "future, sunscreen would be it.")),
       hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
           "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
           "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
           "3ff4def08e4b7a9de576d26586cec64b6116"),
       hex("1ae10b594f09e26a7e902ecbd0600691")},
  };
}

constexpr AeadAlgorithm algorithms[] = {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                        AeadAlgorithm::chacha20_poly1305};

AeadSealer sealer_for(AeadAlgorithm algorithm, BytesView key) {
  auto sealer = AeadSealer::create(algorithm, key);
  REQUIRE(sealer);
  return std::move(*sealer);
}
AeadOpener opener_for(AeadAlgorithm algorithm, BytesView key) {
  auto opener = AeadOpener::create(algorithm, key);
  REQUIRE(opener);
  return std::move(*opener);
}

void check_code(const Result<>& result, ErrorCode code) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == code);
}

/// Tries to open; the text must be wiped, and the opener must still open what is right.
void check_rejected(AeadOpener& opener, const Vector& good, BytesView nonce, BytesView associated_data,
                    BytesView cipher, BytesView tag) {
  ByteVector text = test::copied(cipher);
  check_code(opener.open(nonce, associated_data, text, tag), ErrorCode::bad_record_mac);
  CHECK(test::all_zero(text));
  text = good.cipher;
  CHECK(opener.open(good.nonce, good.associated_data, text, good.tag));
  CHECK(text == good.plain);
}

} // namespace

TEST_CASE("AEADs have the values of their specifications", "[crypto][aead]") {
  for (const Vector& vector : vectors()) {
    AeadSealer sealer = sealer_for(vector.algorithm, vector.key);
    AeadOpener opener = opener_for(vector.algorithm, vector.key);
    // Twice, because the second text meets what the first has left behind.
    for (int round = 0; round < 2; ++round) {
      ByteVector text = vector.plain;
      ByteVector tag(aead_tag_length, 0xEE);
      REQUIRE(sealer.seal(vector.nonce, vector.associated_data, text, tag));
      CHECK(text == vector.cipher);
      CHECK(tag == vector.tag);
      REQUIRE(opener.open(vector.nonce, vector.associated_data, text, tag));
      CHECK(text == vector.plain);
    }
  }
}

TEST_CASE("a change in any byte of anything is noticed, and the text is wiped", "[crypto][aead]") {
  for (const Vector& vector : vectors()) {
    AeadOpener opener = opener_for(vector.algorithm, vector.key);
    const auto each_change = [](const ByteVector& bytes, auto check) {
      for (std::size_t i = 0; i < bytes.size(); ++i)
        for (const unsigned bit : {0x01u, 0x80u}) {
          ByteVector changed = bytes;
          changed[i] = static_cast<std::uint8_t>(changed[i] ^ bit);
          check(changed);
        }
    };
    each_change(vector.cipher, [&](const ByteVector& changed) {
      check_rejected(opener, vector, vector.nonce, vector.associated_data, changed, vector.tag);
    });
    each_change(vector.tag, [&](const ByteVector& changed) {
      check_rejected(opener, vector, vector.nonce, vector.associated_data, vector.cipher, changed);
    });
    each_change(vector.nonce, [&](const ByteVector& changed) {
      check_rejected(opener, vector, changed, vector.associated_data, vector.cipher, vector.tag);
    });
    each_change(vector.associated_data, [&](const ByteVector& changed) {
      check_rejected(opener, vector, vector.nonce, changed, vector.cipher, vector.tag);
    });
    each_change(vector.key, [&](const ByteVector& changed) {
      AeadOpener other = opener_for(vector.algorithm, changed);
      ByteVector text = vector.cipher;
      check_code(other.open(vector.nonce, vector.associated_data, text, vector.tag), ErrorCode::bad_record_mac);
      CHECK(test::all_zero(text));
    });
    // Shorter texts and shorter associated data.
    for (std::size_t length = 0; length < vector.cipher.size(); ++length)
      check_rejected(opener, vector, vector.nonce, vector.associated_data, BytesView(vector.cipher).first(length),
                     vector.tag);
    for (std::size_t length = 0; length < vector.associated_data.size(); ++length)
      check_rejected(opener, vector, vector.nonce, BytesView(vector.associated_data).first(length), vector.cipher,
                     vector.tag);
  }
}

TEST_CASE("texts of every length come back, in any order of lengths", "[crypto][aead]") {
  for (const AeadAlgorithm algorithm : algorithms) {
    const ByteVector key = test::repeated(key_length(algorithm), 0x33);
    AeadSealer sealer = sealer_for(algorithm, key);
    AeadOpener opener = opener_for(algorithm, key);
    std::array<std::uint8_t, aead_nonce_length> nonce{};
    for (std::size_t step = 0; step < 700; ++step) {
      // Long and short ones take turns, up to and over a record's 2^14 bytes.
      const std::size_t length = step % 7 == 6 ? 16'385 - step : step;
      nonce[11] = static_cast<std::uint8_t>(step);
      nonce[10] = static_cast<std::uint8_t>(step >> 8);
      const std::array<std::uint8_t, 5> header = {23, 3, 3, static_cast<std::uint8_t>((length + 16) >> 8),
                                                  static_cast<std::uint8_t>(length + 16)};
      ByteVector plain(length);
      for (std::size_t i = 0; i < length; ++i)
        plain[i] = static_cast<std::uint8_t>(i * 7 + step);
      ByteVector text = plain;
      std::array<std::uint8_t, aead_tag_length> tag{};
      REQUIRE(sealer.seal(nonce, header, text, tag));
      if (length >= 16)
        REQUIRE(text != plain);
      REQUIRE(opener.open(nonce, header, text, tag));
      REQUIRE(text == plain);
    }
  }
}

TEST_CASE("sealing writes to the text and the tag and to nothing beside them", "[crypto][aead]") {
  for (const AeadAlgorithm algorithm : algorithms) {
    const ByteVector key = test::repeated(key_length(algorithm), 0x33);
    AeadSealer sealer = sealer_for(algorithm, key);
    AeadOpener opener = opener_for(algorithm, key);
    const ByteVector nonce = test::repeated(12, 1);
    for (const std::size_t length : {0u, 1u, 15u, 16u, 17u, 1000u}) {
      // As a record stands in memory: header, text, tag, with guards around.
      ByteVector record(8 + 5 + length + 16 + 8, 0xEE);
      const Bytes header = std::span(record).subspan(8, 5);
      const Bytes text = std::span(record).subspan(13, length);
      const Bytes tag = std::span(record).subspan(13 + length, 16);
      REQUIRE(sealer.seal(nonce, header, text, tag));
      CHECK(std::all_of(record.begin(), record.begin() + 13, [](auto byte) { return byte == 0xEE; }));
      CHECK(std::all_of(record.end() - 8, record.end(), [](auto byte) { return byte == 0xEE; }));
      const ByteVector sealed_tag = test::copied(tag);
      REQUIRE(opener.open(nonce, header, text, tag));
      CHECK(test::copied(tag) == sealed_tag);
      CHECK(std::all_of(text.begin(), text.end(), [](auto byte) { return byte == 0xEE; }));
      CHECK(std::all_of(record.begin(), record.begin() + 13, [](auto byte) { return byte == 0xEE; }));
      CHECK(std::all_of(record.end() - 8, record.end(), [](auto byte) { return byte == 0xEE; }));
    }
  }
}

TEST_CASE("a key of another length is refused", "[crypto][aead]") {
  for (const AeadAlgorithm algorithm : algorithms)
    for (const std::size_t length : {0u, 15u, 16u, 17u, 24u, 31u, 32u, 33u}) {
      const ByteVector key = test::repeated(length, 1);
      const auto sealer = AeadSealer::create(algorithm, key);
      const auto opener = AeadOpener::create(algorithm, key);
      CHECK(sealer.has_value() == (length == key_length(algorithm)));
      CHECK(opener.has_value() == (length == key_length(algorithm)));
      if (!sealer)
        CHECK(sealer.error().code() == ErrorCode::crypto_failed);
      if (!opener)
        CHECK(opener.error().code() == ErrorCode::crypto_failed);
    }
}

TEST_CASE("a nonce or a tag of another length is refused, the text is wiped, and the key still works",
          "[crypto][aead]") {
  for (const AeadAlgorithm algorithm : algorithms) {
    const ByteVector key = test::repeated(key_length(algorithm), 1);
    AeadSealer sealer = sealer_for(algorithm, key);
    AeadOpener opener = opener_for(algorithm, key);
    ByteVector long_tag(32, 0xEE);
    // 8 and 24 bytes would be other variants of ChaCha20 to Botan; GCM takes any nonce.
    for (const std::size_t length : {0u, 8u, 11u, 13u, 16u, 24u}) {
      ByteVector text = test::repeated(20, 7);
      check_code(sealer.seal(test::repeated(length, 1), {}, text, std::span(long_tag).first(16)),
                 ErrorCode::crypto_failed);
      CHECK(test::all_zero(text));
      text = test::repeated(20, 7);
      check_code(opener.open(test::repeated(length, 1), {}, text, std::span(long_tag).first(16)),
                 ErrorCode::crypto_failed);
      CHECK(test::all_zero(text));
    }
    for (const std::size_t length : {0u, 4u, 12u, 15u, 17u, 32u}) {
      ByteVector text = test::repeated(20, 7);
      check_code(sealer.seal(test::repeated(12, 1), {}, text, std::span(long_tag).first(length)),
                 ErrorCode::crypto_failed);
      CHECK(test::all_zero(text));
      text = test::repeated(20, 7);
      check_code(opener.open(test::repeated(12, 1), {}, text, std::span(long_tag).first(length)),
                 ErrorCode::crypto_failed);
      CHECK(test::all_zero(text));
    }
    CHECK(long_tag == ByteVector(32, 0xEE));
    ByteVector text = test::repeated(20, 7);
    ByteVector tag(16);
    REQUIRE(sealer.seal(test::repeated(12, 1), {}, text, tag));
    REQUIRE(opener.open(test::repeated(12, 1), {}, text, tag));
    CHECK(text == test::repeated(20, 7));
  }
}

TEST_CASE("sealers and openers work on after they were moved", "[crypto][aead]") {
  const Vector vector = vectors()[1];
  AeadSealer first = sealer_for(vector.algorithm, vector.key);
  AeadSealer second = std::move(first);
  AeadOpener opener_one = opener_for(vector.algorithm, vector.key);
  AeadOpener opener_two = opener_for(vector.algorithm, test::repeated(16, 9));
  opener_two = std::move(opener_one);
  ByteVector text = vector.plain;
  ByteVector tag(16);
  REQUIRE(second.seal(vector.nonce, vector.associated_data, text, tag));
  CHECK(tag == vector.tag);
  CHECK(opener_two.open(vector.nonce, vector.associated_data, text, tag));
}
