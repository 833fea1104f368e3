// Values without meaning in the ClientHello (RFC 8701), and its extensions in random order.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;

namespace {

bool meaningless(std::uint16_t value) { return (value & 0x0F0F) == 0x0A0A && (value >> 8) == (value & 0xFF); }
template <class E>
bool meaningless(E value) {
  return meaningless(static_cast<std::uint16_t>(value));
}

TalkOptions greasing(bool grease, bool permute = true, std::uint64_t seed = 1) {
  return {.configure =
              [=](auto& builder) {
                builder.grease(grease).permute_extensions(permute).groups(
                    {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1});
              },
          .seed = seed};
}

std::vector<std::uint16_t> numbers_in(BytesView bytes) {
  std::vector<std::uint16_t> numbers;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    numbers.push_back(static_cast<std::uint16_t>((bytes[i] << 8) | bytes[i + 1]));
  return numbers;
}

/// All that a ClientHello offers, place by place.
struct Offer {
  std::vector<std::uint16_t> suites;
  std::vector<std::uint16_t> versions;
  std::vector<std::uint16_t> groups;
  std::vector<std::uint16_t> schemes;
  std::vector<std::uint16_t> shares;
  std::vector<std::uint16_t> extensions;
  std::map<std::uint16_t, ByteVector> bodies;

  explicit Offer(const SeenHello& hello) {
    for (std::size_t i = 0; i < hello.fields.cipher_suites.size(); ++i)
      suites.push_back(static_cast<std::uint16_t>(hello.fields.cipher_suites[i]));
    for (const auto& [group, share] : hello.shares)
      shares.push_back(static_cast<std::uint16_t>(group));
    for (const RawExt& extension : hello.extensions) {
      extensions.push_back(static_cast<std::uint16_t>(extension.type));
      bodies[static_cast<std::uint16_t>(extension.type)] = extension.body;
    }
    const auto body = [&](ExtensionType type) { return BytesView(bodies.at(static_cast<std::uint16_t>(type))); };
    versions = numbers_in(body(ExtensionType::supported_versions).subspan(1));
    groups = numbers_in(body(ExtensionType::supported_groups).subspan(2));
    schemes = numbers_in(body(ExtensionType::signature_algorithms).subspan(2));
  }
};

std::size_t meaningless_in(const std::vector<std::uint16_t>& values) {
  return static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [](std::uint16_t value) { return meaningless(value); }));
}

/// The hello without the extensions of these types.
ExtensionList without(const SeenHello& hello, const std::vector<ExtensionType>& types) {
  ExtensionList rest = hello.extensions;
  for (const ExtensionType type : types)
    drop_extension(rest, type);
  return rest;
}
bool same(const ExtensionList& a, const ExtensionList& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const RawExt& x, const RawExt& y) { return x.type == y.type && x.body == y.body; });
}

} // namespace

TEST_CASE("GREASE: in all of its places, one in each", "[grease]") {
  std::set<std::uint16_t> seen;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Talk talk(greasing(true, true, seed));
    const Offer offer(talk.server.hello());
    CHECK(meaningless_in(offer.suites) == 1);
    CHECK(meaningless(offer.suites.front()));
    CHECK(meaningless_in(offer.versions) == 1);
    CHECK(meaningless_in(offer.groups) == 1);
    CHECK(meaningless_in(offer.schemes) == 1);
    // RFC 8701, 3.1: the share is one for the group of the list, with one byte.
    REQUIRE(meaningless_in(offer.shares) == 1);
    REQUIRE(meaningless(offer.shares.front()));
    CHECK(offer.shares.front() == offer.groups.front());
    CHECK(talk.server.hello().shares.front().second == ByteVector{0});
    // Two extensions: the first of all, which is empty, and the last, with one byte.
    REQUIRE(meaningless_in(offer.extensions) == 2);
    REQUIRE(meaningless(offer.extensions.front()));
    REQUIRE(meaningless(offer.extensions.back()));
    CHECK(offer.extensions.front() != offer.extensions.back());
    CHECK(offer.bodies.at(offer.extensions.front()).empty());
    CHECK(offer.bodies.at(offer.extensions.back()) == ByteVector{0});
    seen.insert({offer.suites.front(), offer.versions.front(), offer.groups.front(), offer.extensions.front(),
                 offer.extensions.back()});
  }
  // Sooner or later all sixteen.
  CHECK(seen.size() == 16);
}

TEST_CASE("GREASE: nowhere when it is off", "[grease]") {
  for (const bool permute : {false, true}) {
    const Talk talk(greasing(false, permute));
    const Offer offer(talk.server.hello());
    for (const auto* values :
         {&offer.suites, &offer.versions, &offer.groups, &offer.schemes, &offer.shares, &offer.extensions})
      CHECK(meaningless_in(*values) == 0);
  }
}

TEST_CASE("GREASE: on by default, and the connection does not mind", "[grease]") {
  Talk talk;
  const Offer offer(talk.server.hello());
  CHECK(meaningless_in(offer.suites) == 1);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("GREASE: a server that takes it at its word", "[grease]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const TalkOptions options = greasing(true, true, seed);
    const Talk look(options);
    const Offer offer(look.server.hello());
    const auto answering = [&](auto change) {
      return handshake_with([&](Plan& plan) { plan["ServerHello"].edit_hello(change); }, options);
    };
    CHECK(answering([&](HelloDraft& hello) { hello.suite = static_cast<CipherSuite>(offer.suites.front()); }) ==
          refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter));
    CHECK(answering([&](HelloDraft& hello) {
            set_extension(*hello.extensions, ExtensionType::supported_versions,
                          {static_cast<std::uint8_t>(offer.versions.front() >> 8),
                           static_cast<std::uint8_t>(offer.versions.front())});
          }) == refused(ErrorCode::version_not_offered, Alert::illegal_parameter));
    CHECK(answering([&](HelloDraft& hello) {
            set_extension(
                *hello.extensions, ExtensionType::key_share,
                encoded(tlsconnect::KeyShareEntry{static_cast<NamedGroup>(offer.groups.front()), ByteVector{0}}));
          }) == refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
    const Outcome unsolicited = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
    for (const std::uint16_t type : {offer.extensions.front(), offer.extensions.back()})
      for (const char* step : {"ServerHello", "EncryptedExtensions", "Certificate"})
        CHECK(handshake_with(
                  [&](Plan& plan) {
                    plan[step].with_extension(static_cast<ExtensionType>(type),
                                              type == offer.extensions.front() ? ByteVector{} : ByteVector{0});
                  },
                  options) == unsolicited);
    // A retry for the group.
    Talk retried(options);
    retried.retry(static_cast<NamedGroup>(offer.groups.front()));
    CHECK(outcome_of(retried) == refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
    // A signature with the scheme that is none.
    CHECK(handshake_with(
              [&](Plan& plan) {
                plan["CertificateVerify"].edit([&](ByteVector& body) {
                  body[0] = static_cast<std::uint8_t>(offer.schemes.front() >> 8);
                  body[1] = static_cast<std::uint8_t>(offer.schemes.front());
                });
              },
              options)
              .error == ErrorCode::signature_scheme_not_offered);
  }
}

TEST_CASE("GREASE: what a server asks for without meaning is passed over", "[grease]") {
  // RFC 8701, 4: servers may do it too, in CertificateRequest and NewSessionTicket.
  const Asked asked{.schemes = {static_cast<SignatureScheme>(0x2A2A), SignatureScheme::ecdsa_secp256r1_sha256},
                    .more = {{static_cast<ExtensionType>(0x3A3A), {1, 2}}}};
  Talk talk(asked_client({credential_of(client_identity(KeyType::p256))}));
  talk.plan["CertificateRequest"].replace(asked.body());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().credential == 0);
}

TEST_CASE("a second hello is the first but for what may change", "[grease][retry]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (const bool cookie_only : {false, true}) {
      CAPTURE(seed, cookie_only);
      Talk talk(greasing(true, true, seed));
      const std::optional<NamedGroup> group =
          cookie_only ? std::nullopt : std::optional<NamedGroup>(NamedGroup::secp384r1);
      talk.retry(group, ByteVector{1, 2, 3});
      REQUIRE(talk.server.hellos().size() == 2);
      const SeenHello& first = talk.server.hellos()[0];
      const SeenHello& second = talk.server.hellos()[1];
      // RFC 9846, 4.1.2: key_share and cookie; and nothing else here.
      CHECK(same(without(first, {ExtensionType::key_share}),
                 without(second, {ExtensionType::key_share, ExtensionType::cookie})));
      CHECK(first.fields.random == second.fields.random);
      CHECK(Offer(first).suites == Offer(second).suites);
      REQUIRE(find_extension(second.extensions, ExtensionType::cookie));
      CHECK(find_extension(second.extensions, ExtensionType::cookie)->body == ByteVector{0, 3, 1, 2, 3});
      if (cookie_only) {
        CHECK(find_extension(second.extensions, ExtensionType::key_share)->body ==
              find_extension(first.extensions, ExtensionType::key_share)->body);
      } else {
        REQUIRE(second.shares.size() == 1);
        CHECK(second.shares[0].first == NamedGroup::secp384r1);
      }
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
    }
}

// ---- the order ----

TEST_CASE("extensions stand in an order that randomness decides", "[permutation]") {
  const auto order = [](bool permute, std::uint64_t seed) {
    const Talk talk(greasing(false, permute, seed));
    return Offer(talk.server.hello()).extensions;
  };
  std::set<std::vector<std::uint16_t>> orders;
  std::map<std::uint16_t, std::set<std::size_t>> places;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto one = order(true, seed);
    // The same randomness, the same order; and always the same extensions.
    CHECK(order(true, seed) == one);
    auto sorted = one;
    auto fixed = order(false, seed);
    CHECK(fixed == order(false, 1));
    std::sort(sorted.begin(), sorted.end());
    std::sort(fixed.begin(), fixed.end());
    CHECK(sorted == fixed);
    orders.insert(one);
    for (std::size_t i = 0; i < one.size(); ++i)
      places[one[i]].insert(i);
  }
  CHECK(orders.size() > 190);
  // Each comes to stand everywhere.
  for (const auto& [type, where] : places) {
    CAPTURE(type);
    CHECK(where.size() == places.size());
  }
}

TEST_CASE("pre_shared_key is the last of all", "[permutation][psk]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    for (const bool grease : {false, true}) {
      TalkOptions options = greasing(grease, true, seed);
      const auto configure = options.configure;
      options.configure = [configure](auto& builder) {
        configure(builder);
        builder.external_psks(
            {value_of(tlsconnect::ExternalPsk::create(tlsconnect::as_bytes("me"), ByteVector(32, 7)))});
      };
      Talk talk(options);
      // RFC 9846, 4.2.11
      CHECK(talk.server.hello().extensions.back().type == ExtensionType::pre_shared_key);
      talk.retry(NamedGroup::secp384r1);
      CHECK(talk.server.hello().extensions.back().type == ExtensionType::pre_shared_key);
    }
}
