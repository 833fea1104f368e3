// ExternalPsk: what is accepted, and RFC 9258. No test vectors were published with it, so what is imported is held
// against values that were computed elsewhere, and against a second computation on Botan's HMAC.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <botan/hash.h>
#include <botan/mac.h>

#include <tlsconnect/client/psk.hpp>

namespace tls = tlsconnect;
using tls::BytesView;
using tls::ByteVector;
using tls::ExternalPsk;
using tls::HashAlgorithm;

namespace {

constexpr std::array every_hash{HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512};

ByteVector counted(std::size_t count, unsigned first) {
  ByteVector bytes(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

std::string hex(BytesView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15U];
  }
  return text;
}

void check_invalid(const tls::Error& error, std::string_view reason) {
  CHECK(error.code() == tls::ErrorCode::credential_invalid);
  CHECK_FALSE(error.alert_sent());
  INFO(error.message());
  CHECK(error.detail().find(reason) != std::string_view::npos);
}

// The same with other means: HKDF (RFC 5869) and HKDF-Expand-Label (RFC 9846, 7.1) for outputs of up to three blocks.

const char* name_for_botan(HashAlgorithm hash) {
  return hash == HashAlgorithm::sha256 ? "SHA-256" : hash == HashAlgorithm::sha384 ? "SHA-384" : "SHA-512";
}

ByteVector mac_of(HashAlgorithm hash, BytesView key, BytesView data) {
  const auto mac = Botan::MessageAuthenticationCode::create_or_throw(std::string("HMAC(") + name_for_botan(hash) + ")");
  mac->set_key(key);
  mac->update(data);
  const auto value = mac->final();
  return {value.begin(), value.end()};
}

void append(ByteVector& to, BytesView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append_opaque16(ByteVector& to, BytesView bytes) {
  to.push_back(static_cast<std::uint8_t>(bytes.size() >> 8));
  to.push_back(static_cast<std::uint8_t>(bytes.size() & 0xFF));
  append(to, bytes);
}

ByteVector expected_identity(const tls::PskImport& source, unsigned kdf) {
  ByteVector identity;
  append_opaque16(identity, source.external_identity);
  append_opaque16(identity, source.context);
  append(identity, ByteVector{0x03, 0x04, 0x00, static_cast<std::uint8_t>(kdf)});
  return identity;
}

ByteVector expected_key(const tls::PskImport& source, BytesView identity, std::size_t length) {
  const ByteVector no_salt(tls::hash_length(source.hash), 0);
  const ByteVector extracted = mac_of(source.hash, no_salt, source.key);
  const auto function = Botan::HashFunction::create_or_throw(name_for_botan(source.hash));
  function->update(identity);
  const auto identity_hash = function->final();

  constexpr std::string_view label = "tls13 derived psk";
  ByteVector info{0, static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(label.size())};
  append(info, tls::as_bytes(label));
  info.push_back(static_cast<std::uint8_t>(identity_hash.size()));
  append(info, identity_hash);

  ByteVector key;
  ByteVector block;
  for (std::uint8_t counter = 1; key.size() < length; ++counter) {
    append(block, info);
    block.push_back(counter);
    block = mac_of(source.hash, extracted, block);
    append(key, block);
  }
  key.resize(length);
  return key;
}

std::vector<ExternalPsk> imported(const tls::PskImport& source) {
  auto keys = ExternalPsk::import_from(source);
  INFO((keys ? std::string() : keys.error().message()));
  REQUIRE(keys);
  return *keys;
}

} // namespace

TEST_CASE("a pre-shared key is kept as it is given", "[psk]") {
  for (HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384}) {
    ByteVector identity = counted(9, 'a');
    ByteVector secret = counted(32, 1);
    const auto psk = ExternalPsk::create(identity, secret, hash);
    REQUIRE(psk);
    std::fill(identity.begin(), identity.end(), std::uint8_t{0}); // it has copies of its own
    std::fill(secret.begin(), secret.end(), std::uint8_t{0});
    CHECK(tls::equal(psk->identity(), counted(9, 'a')));
    CHECK(tls::equal(psk->key(), counted(32, 1)));
    CHECK(psk->hash() == hash);
    CHECK_FALSE(psk->imported());
  }
  // RFC 9846, 4.2.11: SHA-256 where no hash was agreed.
  const auto psk = ExternalPsk::create(counted(1, 1), counted(16, 1));
  REQUIRE(psk);
  CHECK(psk->hash() == HashAlgorithm::sha256);
}

TEST_CASE("copies of a pre-shared key share it and outlive each other", "[psk]") {
  static_assert(std::is_copy_constructible_v<ExternalPsk> && std::is_copy_assignable_v<ExternalPsk>);
  static_assert(std::is_nothrow_move_constructible_v<ExternalPsk>);
  auto first = std::make_unique<ExternalPsk>(ExternalPsk::create(counted(3, 1), counted(16, 1)).value());
  const ExternalPsk second = *first;
  CHECK(second.key().data() == first->key().data());
  first.reset();
  CHECK(tls::equal(second.key(), counted(16, 1)));
  CHECK(tls::equal(second.identity(), counted(3, 1)));
}

TEST_CASE("an identity of a pre-shared key has 1 to 65535 bytes", "[psk]") {
  const ByteVector secret = counted(16, 1);
  CHECK(ExternalPsk::create(ByteVector(1), secret));
  const auto longest = ExternalPsk::create(ByteVector(65'535, 7), secret);
  REQUIRE(longest);
  CHECK(longest->identity().size() == 65'535);
  for (std::size_t size : {std::size_t{0}, std::size_t{65'536}}) {
    const auto psk = ExternalPsk::create(ByteVector(size), secret);
    REQUIRE_FALSE(psk);
    check_invalid(psk.error(), "identity");
  }
}

TEST_CASE("a pre-shared key has 16 to 255 bytes", "[psk]") {
  for (std::size_t size : {std::size_t{16}, std::size_t{17}, std::size_t{48}, std::size_t{254}, std::size_t{255}}) {
    const auto psk = ExternalPsk::create(counted(1, 1), counted(size, 3));
    REQUIRE(psk);
    CHECK(tls::equal(psk->key(), counted(size, 3)));
  }
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{256}, std::size_t{272}}) {
    const auto psk = ExternalPsk::create(counted(1, 1), ByteVector(size));
    REQUIRE_FALSE(psk);
    check_invalid(psk.error(), "16 to 255");
  }
}

TEST_CASE("a pre-shared key for a hash of no cipher suite is refused", "[psk]") {
  const auto psk = ExternalPsk::create(counted(1, 1), counted(16, 1), HashAlgorithm::sha512);
  REQUIRE_FALSE(psk);
  check_invalid(psk.error(), "hash");
}

TEST_CASE("imported keys are those that were computed elsewhere", "[psk]") {
  struct Expected {
    HashAlgorithm hash;
    std::string_view for_sha256;
    std::string_view for_sha384;
  };
  const ByteVector secret = counted(32, 0x40);
  for (const Expected& expected :
       {Expected{HashAlgorithm::sha256, "8f913876e360d5b2760aa5ec1c14811f2c058b0ebadfadb3db4af66ca0741c37",
                 "008e6f22afe337b0b302c65a5ea5d933187f785af1d415963d85f2ab73e496dd4f44a148989cc85ccf811f8713a3260d"},
        Expected{HashAlgorithm::sha384, "3b5ad174e5996b440149cb97ac1303abe06ccab0568a91842d5d2ab545f09137",
                 "62ded579724203c41154c02bc5844cac621bead9b7dc440b45d9dc2495bbf462d8ee5dc1f556dce8b4c80a8452b84a60"},
        Expected{HashAlgorithm::sha512, "92eb37f404159afb957b13f32e5da18678f060eb0a6ee39a9190b53e906d3a91",
                 "8f84b7a27f8f2d9a7babb96dd1c9bd188814a5689c8ab9aea23fb56f21f36f9221dece9f134c0f6d341e2bb9b65c10a3"}}) {
    const auto keys = imported({.external_identity = tls::as_bytes("client one"),
                                .context = tls::as_bytes("server two"),
                                .key = secret,
                                .hash = expected.hash});
    REQUIRE(keys.size() == 2);
    CHECK(keys[0].imported());
    CHECK(keys[0].hash() == HashAlgorithm::sha256);
    CHECK(hex(keys[0].identity()) == "000a636c69656e74206f6e65000a7365727665722074776f03040001");
    CHECK(hex(keys[0].key()) == expected.for_sha256);
    CHECK(keys[1].imported());
    CHECK(keys[1].hash() == HashAlgorithm::sha384);
    CHECK(hex(keys[1].identity()) == "000a636c69656e74206f6e65000a7365727665722074776f03040002");
    CHECK(hex(keys[1].key()) == expected.for_sha384);
  }
  const auto keys = imported({.external_identity = tls::as_bytes("x"), .context = {}, .key = ByteVector(16)});
  CHECK(hex(keys[0].identity()) == "000178000003040001");
  CHECK(hex(keys[0].key()) == "7a848ec5a0e386a23039f6858bc4e83c4b669ad5d0d19dbb666ee7c07aeb165e");
}

TEST_CASE("imported keys are those of a second computation", "[psk]") {
  for (HashAlgorithm hash : every_hash)
    for (std::size_t identity_size : {std::size_t{1}, std::size_t{255}, std::size_t{256}, std::size_t{40'000}})
      for (std::size_t context_size : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{25'000}})
        for (std::size_t key_size : {std::size_t{16}, std::size_t{64}, std::size_t{200}, std::size_t{5'000}}) {
          const ByteVector identity = counted(identity_size, 1);
          const ByteVector context = counted(context_size, 2);
          const ByteVector secret = counted(key_size, 3);
          const tls::PskImport source{.external_identity = identity, .context = context, .key = secret, .hash = hash};
          const auto keys = imported(source);
          REQUIRE(keys.size() == 2);
          for (unsigned i = 0; i < 2; ++i) {
            const ByteVector name = expected_identity(source, i + 1);
            const bool same = tls::equal(keys[i].identity(), name) &&
                              tls::equal(keys[i].key(), expected_key(source, name, i == 0 ? 32 : 48));
            CHECK(same);
          }
        }
}

TEST_CASE("a key is imported for the hashes that are asked for, in their order", "[psk]") {
  const ByteVector secret = counted(16, 1);
  const tls::PskImport source{.external_identity = tls::as_bytes("name"), .context = {}, .key = secret};
  const auto both = imported(source);

  const std::array only_sha384{HashAlgorithm::sha384};
  const auto one = ExternalPsk::import_from(source, only_sha384);
  REQUIRE(one);
  REQUIRE(one->size() == 1);
  CHECK((*one)[0].hash() == HashAlgorithm::sha384);
  CHECK(tls::equal((*one)[0].key(), both[1].key()));
  CHECK(tls::equal((*one)[0].identity(), both[1].identity()));

  const std::array reversed{HashAlgorithm::sha384, HashAlgorithm::sha256};
  const auto two = ExternalPsk::import_from(source, reversed);
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK(tls::equal((*two)[0].key(), both[1].key()));
  CHECK(tls::equal((*two)[1].key(), both[0].key()));

  const auto refused = [&](std::span<const HashAlgorithm> targets, std::string_view reason) {
    const auto keys = ExternalPsk::import_from(source, targets);
    REQUIRE_FALSE(keys);
    check_invalid(keys.error(), reason);
  };
  refused({}, "no hash");
  refused(std::array{HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha256}, "twice");
  refused(std::array{HashAlgorithm::sha256, HashAlgorithm::sha512}, "no cipher suite");
}

TEST_CASE("everything that a key is imported from changes it", "[psk]") {
  const ByteVector secret = counted(16, 1);
  const ByteVector other_secret = counted(16, 2);
  const tls::PskImport source{.external_identity = tls::as_bytes("ab"), .context = tls::as_bytes("c"), .key = secret};
  std::vector<tls::PskImport> all(5, source);
  all[1].external_identity = tls::as_bytes("a");
  all[1].context = tls::as_bytes("bc");
  all[2].context = {};
  all[3].key = other_secret;
  all[4].hash = HashAlgorithm::sha384;
  std::vector<std::string> keys;
  for (const tls::PskImport& each : all)
    for (const ExternalPsk& psk : imported(each))
      keys.push_back(hex(psk.key().first(32)));
  std::sort(keys.begin(), keys.end());
  CHECK(keys.size() == 10);
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}

TEST_CASE("what cannot be imported is refused", "[psk]") {
  const ByteVector identity = counted(5, 1);
  const ByteVector secret = counted(16, 1);
  const auto refused = [](const tls::PskImport& source, std::string_view reason) {
    const auto keys = ExternalPsk::import_from(source);
    REQUIRE_FALSE(keys);
    check_invalid(keys.error(), reason);
  };
  refused({.external_identity = {}, .context = {}, .key = secret}, "an identity has");
  refused({.external_identity = ByteVector(65'536), .context = {}, .key = secret}, "an identity has");
  refused({.external_identity = identity, .context = ByteVector(65'536), .key = secret}, "context has at most");
  refused({.external_identity = identity, .context = {}, .key = {}}, "at least 16");
  refused({.external_identity = identity, .context = {}, .key = BytesView(secret).first(15)}, "at least 16");

  // RFC 9258, 5.1: the ImportedIdentity must fit in the identity field: 65535 bytes, 8 of which are its own.
  refused({.external_identity = identity, .context = ByteVector(65'535 - 8 - 5 + 1), .key = secret}, "together");
  refused({.external_identity = ByteVector(65'535), .context = {}, .key = secret}, "together");
  const auto longest = imported({.external_identity = identity, .context = ByteVector(65'535 - 8 - 5), .key = secret});
  CHECK(longest[0].identity().size() == 65'535);
}
