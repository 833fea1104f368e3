// Key exchange against RFC 7748, RFC 8448 and RFC 5903, and against Botan in the role of the server.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <botan/ec_apoint.h>
#include <botan/ec_group.h>
#include <botan/ec_scalar.h>
#include <botan/ecdh.h>
#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/system_rng.h>
#include <botan/x25519.h>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/random.hpp>

#include "test_bytes.hpp"

using namespace tlsconnect;
using test::hex;

namespace {

/// What a group is made of, told apart from the library's own table.
struct Group {
  NamedGroup group;
  std::string curve; // Botan's name, or empty
  NamedGroup component;
  int kem = 0; // 512, 768, 1024 or none
  bool kem_first = false;
  GroupLengths lengths;
  std::vector<std::size_t> draws;

  [[nodiscard]] bool is_hybrid() const { return !curve.empty() && kem != 0; }
  [[nodiscard]] Botan::ML_KEM_Mode mode() const {
    switch (kem) {
    case 512:
      return Botan::ML_KEM_Mode::ML_KEM_512;
    case 768:
      return Botan::ML_KEM_Mode::ML_KEM_768;
    default:
      REQUIRE(kem == 1024);
      return Botan::ML_KEM_Mode::ML_KEM_1024;
    }
  }
  /// Of an encapsulation key (FIPS 203, table 3).
  [[nodiscard]] std::size_t key_length() const { return kem == 512 ? 800u : kem == 768 ? 1184u : 1568u; }
};

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {NamedGroup::x25519, "x25519", NamedGroup::x25519, 0, false, {32, 32, 32}, {32}},
      {NamedGroup::secp256r1, "secp256r1", NamedGroup::secp256r1, 0, false, {65, 65, 32}, {32}},
      {NamedGroup::secp384r1, "secp384r1", NamedGroup::secp384r1, 0, false, {97, 97, 48}, {48}},
      {NamedGroup::secp521r1, "secp521r1", NamedGroup::secp521r1, 0, false, {133, 133, 66}, {66}},
      {NamedGroup::x25519_mlkem768, "x25519", NamedGroup::x25519, 768, true, {1216, 1120, 64}, {64, 32}},
      {NamedGroup::secp256r1_mlkem768, "secp256r1", NamedGroup::secp256r1, 768, false, {1249, 1153, 64}, {32, 64}},
      {NamedGroup::secp384r1_mlkem1024, "secp384r1", NamedGroup::secp384r1, 1024, false, {1665, 1665, 80}, {48, 64}},
      {NamedGroup::mlkem512, "", NamedGroup{}, 512, true, {800, 768, 32}, {64}},
      {NamedGroup::mlkem768, "", NamedGroup{}, 768, true, {1184, 1088, 32}, {64}},
      {NamedGroup::mlkem1024, "", NamedGroup{}, 1024, true, {1568, 1568, 32}, {64}},
  };
  return all;
}

/// A server's answer and what it holds to be the secret.
struct Answer {
  ByteVector share;
  ByteVector secret;
};

template <class Container>
ByteVector bytes_of(const Container& from) {
  return {from.begin(), from.end()};
}

Answer answer_on_curve(const std::string& curve, BytesView client_share) {
  auto& rng = Botan::system_rng();
  const auto finish = [&](const auto& key) {
    Botan::PK_Key_Agreement agreement(key, rng, "Raw");
    return Answer{key.public_value(), bytes_of(agreement.derive_key(0, client_share).bits_of())};
  };
  if (curve == "x25519")
    return finish(Botan::X25519_PrivateKey(rng));
  return finish(Botan::ECDH_PrivateKey(rng, Botan::EC_Group::from_name(curve)));
}

Answer answer_with_kem(const Group& group, BytesView client_share) {
  const Botan::ML_KEM_PublicKey key(client_share, group.mode());
  Botan::PK_KEM_Encryptor encryptor(key, "Raw");
  const auto encapsulation = encryptor.encrypt(Botan::system_rng());
  return {encapsulation.encapsulated_shared_key(), bytes_of(encapsulation.shared_key())};
}

Answer answer(const Group& group, BytesView client_share) {
  if (group.kem == 0)
    return answer_on_curve(group.curve, client_share);
  if (!group.is_hybrid())
    return answer_with_kem(group, client_share);
  const std::size_t key_length = group.key_length();
  const std::size_t curve_length = client_share.size() - key_length;
  const Answer kem =
      answer_with_kem(group, group.kem_first ? client_share.first(key_length) : client_share.last(key_length));
  const Answer curve = answer_on_curve(group.curve, group.kem_first ? client_share.last(curve_length)
                                                                    : client_share.first(curve_length));
  if (group.kem_first)
    return {test::joined(kem.share, curve.share), test::joined(kem.secret, curve.secret)};
  return {test::joined(curve.share, kem.share), test::joined(curve.secret, kem.secret)};
}

KeyExchange keys_for(NamedGroup group, Rng& rng) {
  auto keys = KeyExchange::create(group, rng);
  REQUIRE(keys);
  REQUIRE(keys->group() == group);
  return std::move(*keys);
}
KeyExchange keys_for(NamedGroup group) { return keys_for(group, *system_rng()); }

void check_code(const Result<SharedSecret>& result, ErrorCode code) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == code);
}

/// The secret of a key exchange whose private bytes are given.
ByteVector secret_with(NamedGroup group, const ByteVector& private_bytes, BytesView server_share) {
  test::ScriptedRng rng(private_bytes);
  auto secret = keys_for(group, rng).agree(group, server_share);
  REQUIRE(secret);
  return test::copied(secret->view());
}

/// Bytes that are a valid private key for each group: the top byte is small, nothing is zero.
ByteVector plain_script(const Group& group) {
  ByteVector script;
  for (const std::size_t draw : group.draws)
    for (std::size_t i = 0; i < draw; ++i)
      script.push_back(static_cast<std::uint8_t>(i + 1));
  return script;
}

} // namespace

TEST_CASE("groups have the lengths of RFC 9846, 4.2.8, RFC 10024 and draft-ietf-tls-mlkem", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    const auto lengths = lengths_of(group.group);
    REQUIRE(lengths);
    CHECK(lengths->client_share == group.lengths.client_share);
    CHECK(lengths->server_share == group.lengths.server_share);
    CHECK(lengths->shared_secret == group.lengths.shared_secret);
    CHECK(lengths->shared_secret <= SharedSecret::capacity);
    CHECK(is_post_quantum(group.group) == (group.kem != 0));
  }
  CHECK_FALSE(is_post_quantum(NamedGroup::x448));
  CHECK_FALSE(is_post_quantum(NamedGroup{0x0203}));
  // draft-ietf-tls-mlkem
  CHECK(static_cast<unsigned>(NamedGroup::mlkem512) == 0x0200);
  CHECK(static_cast<unsigned>(NamedGroup::mlkem768) == 0x0201);
  CHECK(static_cast<unsigned>(NamedGroup::mlkem1024) == 0x0202);
  CHECK(name_of(NamedGroup::mlkem512) == "MLKEM512");
  CHECK(name_of(NamedGroup::mlkem768) == "MLKEM768");
  CHECK(name_of(NamedGroup::mlkem1024) == "MLKEM1024");
  CHECK_FALSE(lengths_of(NamedGroup::x448));
  CHECK_FALSE(lengths_of(NamedGroup{0x0A0A}));
}

TEST_CASE("a group that is not implemented has no keys", "[crypto][key_exchange]") {
  test::ScriptedRng rng(test::repeated(200, 1));
  for (const NamedGroup group : {NamedGroup::x448, NamedGroup{0x0A0A}, NamedGroup{0}}) {
    const auto keys = KeyExchange::create(group, rng);
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code() == ErrorCode::configuration_invalid);
  }
  CHECK(rng.draws().empty());
}

TEST_CASE("each group agrees with Botan as the server", "[crypto][key_exchange]") {
  for (const Group& group : groups())
    for (int round = 0; round < 4; ++round) {
      KeyExchange keys = keys_for(group.group);
      CHECK(keys.client_share().size() == group.lengths.client_share);
      const Answer server = answer(group, keys.client_share());
      REQUIRE(server.share.size() == group.lengths.server_share);
      auto secret = std::move(keys).agree(group.group, server.share);
      REQUIRE(secret);
      CHECK(secret->view().size() == group.lengths.shared_secret);
      CHECK(equal(secret->view(), server.secret));
    }
}

TEST_CASE("a hybrid's curve can be answered alone", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    KeyExchange keys = keys_for(group.group);
    if (!group.is_hybrid()) {
      CHECK_FALSE(keys.component_group());
      CHECK(keys.component_share().empty());
      continue;
    }
    REQUIRE(keys.component_group() == group.component);
    const auto lengths = lengths_of(group.component);
    REQUIRE(lengths);
    REQUIRE(keys.component_share().size() == lengths->client_share);
    // It is the very part of the hybrid's share, so that both can be offered with one key pair.
    const BytesView whole = keys.client_share();
    CHECK(keys.component_share().data() == (group.kem_first ? whole.last(lengths->client_share).data() : whole.data()));

    const Answer server = answer_on_curve(group.curve, keys.component_share());
    auto secret = std::move(keys).agree(group.component, server.share);
    REQUIRE(secret);
    CHECK(equal(secret->view(), server.secret));
  }
}

TEST_CASE("only a group whose share was made can be agreed on", "[crypto][key_exchange]") {
  for (const Group& group : groups())
    for (const Group& other : groups()) {
      if (other.group == group.group || (group.is_hybrid() && other.group == group.component))
        continue;
      const ByteVector share(other.lengths.server_share, 4);
      check_code(keys_for(group.group).agree(other.group, share), ErrorCode::group_not_offered);
    }
  // ML-KEM has no component, not even the group that has no name.
  for (const Group& group : groups())
    check_code(keys_for(group.group).agree(NamedGroup{}, {}), ErrorCode::group_not_offered);
}

TEST_CASE("keys agree once", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    KeyExchange keys = keys_for(group.group);
    const Answer server = answer(group, keys.client_share());
    REQUIRE(std::move(keys).agree(group.group, server.share));
    check_code(std::move(keys).agree(group.group, server.share), ErrorCode::crypto_failed);
    CHECK(keys.client_share().empty());
    CHECK(keys.component_share().empty());
    CHECK_FALSE(keys.component_group());
    CHECK(keys.group() == NamedGroup{});

    // A failure takes them too.
    KeyExchange others = keys_for(group.group);
    const Answer good = answer(group, others.client_share());
    check_code(std::move(others).agree(group.group, BytesView(good.share).first(3)), ErrorCode::key_share_invalid);
    check_code(std::move(others).agree(group.group, good.share), ErrorCode::crypto_failed);
  }
}

TEST_CASE("keys survive a move", "[crypto][key_exchange]") {
  KeyExchange first = keys_for(NamedGroup::x25519_mlkem768);
  const ByteVector share = test::copied(first.client_share());
  KeyExchange second = std::move(first);
  KeyExchange third = keys_for(NamedGroup::x25519);
  third = std::move(second);
  CHECK(third.group() == NamedGroup::x25519_mlkem768);
  CHECK(equal(third.client_share(), share));
  const Answer server = answer(groups()[4], share);
  auto secret = std::move(third).agree(NamedGroup::x25519_mlkem768, server.share);
  REQUIRE(secret);
  CHECK(equal(secret->view(), server.secret));
}

TEST_CASE("a share of another length is refused", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    const KeyExchange prototype = keys_for(group.group);
    const Answer server = answer(group, prototype.client_share());
    const ByteVector longer = test::joined(server.share, test::repeated(1, 0));
    const auto agree_on = [&](NamedGroup chosen, BytesView share) {
      return keys_for(group.group).agree(chosen, share);
    };
    check_code(agree_on(group.group, {}), ErrorCode::key_share_invalid);
    check_code(agree_on(group.group, BytesView(server.share).first(server.share.size() - 1)),
               ErrorCode::key_share_invalid);
    check_code(agree_on(group.group, longer), ErrorCode::key_share_invalid);
    if (group.lengths.client_share != group.lengths.server_share)
      check_code(agree_on(group.group, prototype.client_share()), ErrorCode::key_share_invalid);
    if (group.is_hybrid()) {
      // The hybrid's share for the curve alone and the other way round.
      const Answer curve = answer_on_curve(group.curve, prototype.component_share());
      check_code(agree_on(group.component, server.share), ErrorCode::key_share_invalid);
      check_code(agree_on(group.group, curve.share), ErrorCode::key_share_invalid);
      check_code(agree_on(group.component, BytesView(curve.share).first(curve.share.size() - 1)),
                 ErrorCode::key_share_invalid);
    }
  }
}

TEST_CASE("a point must be uncompressed and on the curve", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    if (group.curve.empty() || group.curve == "x25519")
      continue;
    const KeyExchange prototype = keys_for(group.group);
    const Answer server = answer(group, prototype.client_share());
    const std::size_t point_length = group.kem == 0 ? server.share.size() : prototype.component_share().size();
    const std::size_t field = (point_length - 1) / 2;
    const auto check_refused = [&](const ByteVector& share) {
      check_code(keys_for(group.group).agree(group.group, share), ErrorCode::key_share_invalid);
    };
    const auto changed = [&](std::size_t at, unsigned value) {
      ByteVector share = server.share;
      share[at] = static_cast<std::uint8_t>(value);
      return share;
    };

    // RFC 9846, 4.2.8.2: no other form, 6 and 7 (the hybrid forms of SEC 1) among them.
    for (const unsigned form : {0u, 1u, 2u, 3u, 5u, 6u, 7u, 0x84u})
      check_refused(changed(0, form));
    // The same point with the form that tells the parity of y truthfully.
    check_refused(changed(0, 6 + (server.share[point_length - 1] & 1u)));
    // Not on the curve.
    for (const std::size_t at : {std::size_t{2}, field, field + 2, 2 * field})
      check_refused(changed(at, server.share[at] ^ 1u));
    // (0, 0), and coordinates that are no field elements.
    ByteVector share = server.share;
    std::fill_n(share.begin() + 1, 2 * field, std::uint8_t{0});
    check_refused(share);
    std::fill_n(share.begin() + 1, 2 * field, std::uint8_t{0xFF});
    check_refused(share);
    // The server's own share would have been taken.
    CHECK(keys_for(group.group).agree(group.group, server.share));

    if (group.kem == 0) {
      // A compressed point, short as it is and filled up to the length that is wanted; and infinity.
      ByteVector compressed(server.share.begin(), server.share.begin() + 1 + static_cast<std::ptrdiff_t>(field));
      compressed[0] = static_cast<std::uint8_t>(2 + (server.share.back() & 1));
      check_refused(compressed);
      compressed.resize(point_length);
      check_refused(compressed);
      check_refused(test::repeated(1, 0));
      check_refused(test::repeated(point_length, 0));
    }
  }
}

TEST_CASE("an X25519 share of small order is refused", "[crypto][key_exchange]") {
  const std::string_view points[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      // The topmost bit does not count (RFC 7748, 5).
      "0000000000000000000000000000000000000000000000000000000000000080",
  };
  for (const std::string_view point : points) {
    check_code(keys_for(NamedGroup::x25519).agree(NamedGroup::x25519, hex(point)), ErrorCode::key_share_invalid);
    check_code(keys_for(NamedGroup::x25519_mlkem768).agree(NamedGroup::x25519, hex(point)),
               ErrorCode::key_share_invalid);
    KeyExchange hybrid = keys_for(NamedGroup::x25519_mlkem768);
    ByteVector share = answer(groups()[4], hybrid.client_share()).share;
    const ByteVector small = hex(point);
    std::copy(small.begin(), small.end(), share.end() - 32);
    check_code(std::move(hybrid).agree(NamedGroup::x25519_mlkem768, share), ErrorCode::key_share_invalid);
  }
}

TEST_CASE("X25519 has the values of RFC 7748", "[crypto][key_exchange]") {
  CHECK(secret_with(NamedGroup::x25519, hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                    hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")) ==
        hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
  // This one's topmost bit is set.
  CHECK(secret_with(NamedGroup::x25519, hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                    hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")) ==
        hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));

  const ByteVector alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const ByteVector bob = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  test::ScriptedRng rng(alice);
  const KeyExchange keys = keys_for(NamedGroup::x25519, rng);
  CHECK(test::copied(keys.client_share()) == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  CHECK(secret_with(NamedGroup::x25519, alice, bob) ==
        hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

TEST_CASE("X25519 has the values of RFC 8448, 3", "[crypto][key_exchange]") {
  const ByteVector client = hex("49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005");
  test::ScriptedRng rng(client);
  const KeyExchange keys = keys_for(NamedGroup::x25519, rng);
  CHECK(test::copied(keys.client_share()) == hex("99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c"));
  CHECK(secret_with(NamedGroup::x25519, client,
                    hex("c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f")) ==
        hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"));
}

TEST_CASE("secp256r1 has the values of RFC 5903, 8.1", "[crypto][key_exchange]") {
  const ByteVector client = hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
  test::ScriptedRng rng(client);
  const KeyExchange keys = keys_for(NamedGroup::secp256r1, rng);
  CHECK(test::copied(keys.client_share()) == hex("04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
                                                 "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"));
  CHECK(secret_with(NamedGroup::secp256r1, client,
                    hex("04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
                        "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab")) ==
        hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"));
}

TEST_CASE("keys come from the random source alone, in the documented order", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    const ByteVector script = plain_script(group);
    test::ScriptedRng first(script);
    test::ScriptedRng second(script);
    KeyExchange keys = keys_for(group.group, first);
    KeyExchange same = keys_for(group.group, second);
    CHECK(first.draws() == group.draws);
    CHECK(equal(keys.client_share(), same.client_share()));

    // Each part is what Botan makes of its bytes, and stands where it should.
    ByteVector expected;
    std::size_t position = 0;
    for (const std::size_t draw : group.draws) {
      const BytesView bytes = BytesView(script).subspan(position, draw);
      position += draw;
      if (draw == 64) {
        expected = test::joined(expected, Botan::ML_KEM_PrivateKey(bytes, group.mode()).raw_public_key_bits());
      } else if (group.curve == "x25519") {
        expected = test::joined(expected, Botan::X25519_PrivateKey(bytes).raw_public_key_bits());
      } else {
        ByteVector scalar = test::copied(bytes);
        if (group.curve == "secp521r1")
          scalar[0] &= 1; // the order has 521 bits
        const auto curve = Botan::EC_Group::from_name(group.curve);
        const auto value = Botan::EC_Scalar::deserialize(curve, scalar);
        REQUIRE(value);
        expected =
            test::joined(expected, Botan::EC_AffinePoint::g_mul(*value, Botan::system_rng()).serialize_uncompressed());
      }
    }
    CHECK(test::copied(keys.client_share()) == expected);

    const Answer server = answer(group, keys.client_share());
    auto secret = std::move(keys).agree(group.group, server.share);
    auto same_secret = std::move(same).agree(group.group, server.share);
    REQUIRE(secret);
    REQUIRE(same_secret);
    CHECK(equal(secret->view(), same_secret->view()));
    CHECK(equal(secret->view(), server.secret));
    // Nothing more was drawn to agree.
    CHECK(first.draws() == group.draws);

    KeyExchange other = keys_for(group.group);
    CHECK_FALSE(equal(other.client_share(), expected));
  }
}

TEST_CASE("a draw that is no valid scalar is drawn again", "[crypto][key_exchange]") {
  const struct {
    NamedGroup group;
    std::size_t length;
    ByteVector order;
  } curves[] = {
      {NamedGroup::secp256r1, 32, hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")},
      {NamedGroup::secp384r1, 48,
       hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973")},
      {NamedGroup::secp521r1, 66,
       hex("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
           "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409")},
  };
  for (const auto& [group, length, order] : curves) {
    ByteVector below = order;
    --below.back();
    ByteVector script = test::repeated(length, 0);               // zero
    script = test::joined(script, test::repeated(length, 0xFF)); // too large
    script = test::joined(script, order);                        // just too large
    script = test::joined(script, below);                        // the largest there is
    test::ScriptedRng rng(script);
    test::ScriptedRng at_once(below);
    const KeyExchange keys = keys_for(group, rng);
    CHECK(rng.draws() == std::vector<std::size_t>(4, length));
    const KeyExchange expected = keys_for(group, at_once);
    CHECK(equal(keys.client_share(), expected.client_share()));
    // The private key is -1, so the share is the base point, y negated: x is the generator's.
    const auto curve = Botan::EC_Group::from_name(group == NamedGroup::secp256r1   ? "secp256r1"
                                                  : group == NamedGroup::secp384r1 ? "secp384r1"
                                                                                   : "secp521r1");
    const auto generator = Botan::EC_AffinePoint::generator(curve).x_bytes<ByteVector>();
    CHECK(equal(keys.client_share().subspan(1, generator.size()), generator));

    // A source that never gives a valid one is broken, and is not asked for ever.
    for (const unsigned value : {0x00u, 0xFFu}) {
      test::ScriptedRng broken(test::repeated(length * 1000, value));
      const auto none = KeyExchange::create(group, broken);
      REQUIRE_FALSE(none);
      CHECK(none.error().code() == ErrorCode::random_source_failed);
      CHECK(broken.draws().size() < 100);
    }
  }
}

TEST_CASE("a random source that fails is reported, at each draw", "[crypto][key_exchange]") {
  for (const Group& group : groups()) {
    const ByteVector script = plain_script(group);
    std::size_t enough = 0;
    for (std::size_t failing = 0; failing < group.draws.size(); ++failing) {
      test::ScriptedRng rng(test::copied(BytesView(script).first(enough)));
      const auto keys = KeyExchange::create(group.group, rng);
      REQUIRE_FALSE(keys);
      CHECK(keys.error().code() == ErrorCode::random_source_failed);
      CHECK(rng.draws().size() == failing + 1);
      enough += group.draws[failing];
    }
  }
}

TEST_CASE("a wrong ciphertext gives another secret, not an error", "[crypto][key_exchange]") {
  // FIPS 203: implicit rejection. The handshake then fails at Finished.
  for (const Group& group : groups()) {
    if (group.kem == 0)
      continue;
    KeyExchange keys = keys_for(group.group);
    Answer server = answer(group, keys.client_share());
    const std::size_t at = group.kem_first ? 5 : server.share.size() - 5;
    server.share[at] ^= 1;
    auto secret = std::move(keys).agree(group.group, server.share);
    REQUIRE(secret);
    CHECK_FALSE(equal(secret->view(), server.secret));
    // The curve's part is untouched.
    const std::size_t curve = server.secret.size() - 32;
    if (group.kem_first)
      CHECK(equal(secret->view().last(curve), BytesView(server.secret).last(curve)));
    else
      CHECK(equal(secret->view().first(curve), BytesView(server.secret).first(curve)));
  }
}

TEST_CASE("a shared secret keeps to its capacity and leaves nothing behind when moved", "[crypto][key_exchange]") {
  SharedSecret secret;
  CHECK(secret.view().empty());
  REQUIRE(secret.append(test::repeated(48, 1)));
  REQUIRE(secret.append(test::repeated(32, 2)));
  CHECK_FALSE(secret.append(test::repeated(17, 3)));
  const ByteVector both = test::joined(test::repeated(48, 1), test::repeated(32, 2));
  CHECK(test::copied(secret.view()) == both);
  REQUIRE(secret.append(test::repeated(16, 3)));
  CHECK_FALSE(secret.append(test::repeated(1, 4)));
  REQUIRE(secret.append({}));
  const ByteVector full = test::copied(secret.view());
  REQUIRE(full.size() == SharedSecret::capacity);

  const std::uint8_t* const where = secret.view().data();
  SharedSecret moved = std::move(secret);
  CHECK(test::copied(moved.view()) == full);
  CHECK(secret.view().empty());
  CHECK(test::all_zero({where, SharedSecret::capacity}));

  SharedSecret assigned;
  REQUIRE(assigned.append(test::repeated(96, 9)));
  const std::uint8_t* const moved_from = moved.view().data();
  assigned = std::move(moved);
  CHECK(test::copied(assigned.view()) == full);
  CHECK(moved.view().empty());
  CHECK(test::all_zero({moved_from, SharedSecret::capacity}));

  SharedSecret little;
  REQUIRE(little.append(test::repeated(4, 5)));
  assigned = std::move(little);
  CHECK(test::copied(assigned.view()) == test::repeated(4, 5));
  CHECK(test::all_zero({assigned.view().data() + 4, SharedSecret::capacity - 4}));

  alignas(SharedSecret) std::array<std::uint8_t, sizeof(SharedSecret)> memory{};
  auto* const placed = new (memory.data()) SharedSecret;
  REQUIRE(placed->append(test::repeated(96, 0xAB)));
  REQUIRE(placed->view().data() == memory.data());
  CHECK_FALSE(test::all_zero(std::span(memory).first(SharedSecret::capacity)));
  placed->~SharedSecret();
  CHECK(test::all_zero(std::span(memory).first(SharedSecret::capacity)));
}
