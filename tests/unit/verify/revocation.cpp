// Revocation in the default verifier: what staples and lists say together, what the policy makes of it, and what a person
// is told.
#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/verify/path_verifier.hpp>

#include "status_issuer.hpp"
#include "support.hpp"

using test::Blob;
using test::contains;
using test::day;
using test::Identity;
using test::now;
using tlsconnect::AlertDescription;
using tlsconnect::ClientConfig;
using tlsconnect::CrlSet;
using tlsconnect::ErrorCode;
using tlsconnect::PathVerifier;
using tlsconnect::PresentedStatus;
using tlsconnect::Result;
using tlsconnect::RevocationPolicy;
using tlsconnect::StatusEvidence;
using tlsconnect::StatusRequired;
using tlsconnect::TrustAnchors;
using tlsconnect::VerifiedChain;

namespace {

/// The TLS feature status_request, and status_request_v2.
const test::RawExtension staple_feature{"1.3.6.1.5.5.7.1.24", false, {0x30, 0x03, 0x02, 0x01, 0x05}};
const test::RawExtension other_feature{"1.3.6.1.5.5.7.1.24", false, {0x30, 0x03, 0x02, 0x01, 0x11}};

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}
const Identity& authority() {
  static const Identity identity = root().issue({.common_name = "Authority", .ca = true});
  return identity;
}
const Identity& leaf() {
  static const Identity identity = authority().issue({.common_name = "leaf", .dns = {"a.example"}, .serial = 0x1234});
  return identity;
}
const Identity& stapling_leaf() {
  static const Identity identity =
      authority().issue({.common_name = "stapling", .dns = {"a.example"}, .extensions = {staple_feature}});
  return identity;
}

/// What is stapled, certificate by certificate.
using Staples = std::vector<Blob>;

Result<VerifiedChain> verify(const Identity& server, const Staples& staples, const RevocationPolicy& policy = {},
                             std::vector<Blob> chain = {}) {
  const auto verifier = PathVerifier::create(TrustAnchors::from_pem(root().pem()).value(), {}, policy).value();
  if (chain.empty())
    chain = server.chain_der();
  const auto certificates = test::certificates(chain);
  std::vector<PresentedStatus> status(staples.empty() ? 0 : certificates.size());
  for (std::size_t i = 0; i < staples.size(); ++i)
    status.at(i).ocsp_response = staples[i];
  return verifier->verify({certificates, status}, test::name("a.example"), now);
}

Blob good(const Identity& identity = leaf(), const Identity& issuer = authority()) {
  return test::ocsp_response(identity, issuer);
}
Blob revoked(const Identity& identity = leaf(), const Identity& issuer = authority()) {
  return test::ocsp_response(identity, issuer, {.statuses = {{.state = "revoked", .reason = 1}}});
}
Blob expired(const Identity& identity = leaf()) {
  return test::ocsp_response(identity, authority(),
                             {.statuses = {{.this_update = now - 9 * day, .next_update = now - 8 * day}}});
}
CrlSet list(const Identity& issuer = authority(), const std::vector<Identity>& entries = {}) {
  test::CrlOptions options;
  for (const Identity& one : entries)
    options.entries.push_back({.serial = test::serial_of(one), .reason = 4});
  return CrlSet::from_der(test::crl(issuer, options)).value();
}

void accepts(const Result<VerifiedChain>& result, StatusEvidence evidence, std::string_view part = {}) {
  if (!result) {
    FAIL_CHECK(result.error().message());
    return;
  }
  CAPTURE(result->explanation);
  CHECK(result->server_status == evidence);
  CHECK(contains(result->explanation, part));
}
void refuses(const Result<VerifiedChain>& result, ErrorCode code, AlertDescription alert,
             const std::vector<std::string_view>& parts = {}) {
  REQUIRE_FALSE(result.has_value());
  CAPTURE(result.error().message());
  CHECK(result.error().code() == code);
  CHECK(result.error().alert_sent() == alert);
  for (const std::string_view part : parts) {
    CAPTURE(part);
    CHECK(contains(result.error().message(), part));
  }
}
void refuses_revoked(const Result<VerifiedChain>& result, const std::vector<std::string_view>& parts = {}) {
  refuses(result, ErrorCode::certificate_revoked, AlertDescription::certificate_revoked, parts);
}
void refuses_invalid(const Result<VerifiedChain>& result, const std::vector<std::string_view>& parts = {}) {
  refuses(result, ErrorCode::certificate_status_invalid, AlertDescription::bad_certificate_status_response, parts);
}
void refuses_missing(const Result<VerifiedChain>& result, const std::vector<std::string_view>& parts = {}) {
  refuses(result, ErrorCode::certificate_status_missing, AlertDescription::bad_certificate_status_response, parts);
}

} // namespace

TEST_CASE("revocation: a staple that says that all is well", "[revocation]") {
  accepts(verify(leaf(), {good()}), StatusEvidence::staple,
          "; not revoked by the OCSP response that the server stapled, good since 2026-05-31T00:00:00Z, until "
          "2026-06-02T00:00:00Z");
  accepts(verify(leaf(), {}), StatusEvidence::none, "; whether it was revoked is not known");
  accepts(verify(leaf(), {Blob{}}), StatusEvidence::none, "; whether it was revoked is not known");
}

TEST_CASE("revocation: who was revoked is refused, whatever the policy", "[revocation]") {
  for (const auto required : {StatusRequired::none, StatusRequired::server, StatusRequired::chain})
    for (const bool must_staple : {false, true}) {
      refuses_revoked(verify(leaf(), {revoked()}, {.required = required, .must_staple = must_staple}),
                      {"certificate 1 of 2", "CN=leaf", "CN=Authority", "1234", "revoked at 2026-05-31T00:00:00Z",
                       "keyCompromise", "stapled", "RFC 6960", "asked for is a.example"});
      refuses_revoked(
          verify(leaf(), {}, {.required = required, .must_staple = must_staple, .crls = list(authority(), {leaf()})}),
          {"certificate 1 of 2", "superseded", "list that was supplied", "RFC 5280, 6.3"});
    }
  // Whoever says it, against whoever says otherwise.
  refuses_revoked(verify(leaf(), {revoked()}, {.crls = list()}));
  refuses_revoked(verify(leaf(), {good()}, {.crls = list(authority(), {leaf()})}));
  refuses_revoked(verify(stapling_leaf(), {revoked(stapling_leaf())}));
}

TEST_CASE("revocation: the issuers in between", "[revocation]") {
  refuses_revoked(verify(leaf(), {good(), revoked(authority(), root())}), {"certificate 2 of 2", "CN=Root"});
  refuses_revoked(verify(leaf(), {}, {.crls = list(root(), {authority()})}), {"certificate 2 of 2"});
  accepts(verify(leaf(), {good(), good(authority(), root())}), StatusEvidence::staple);
  // The response about one certificate is nothing to another.
  accepts(verify(leaf(), {good(authority(), root()), revoked()}), StatusEvidence::none, "another certificate");
  // A list of the issuer's issuer does not speak of the server's certificate.
  accepts(verify(leaf(), {}, {.crls = list(root(), {leaf()})}), StatusEvidence::none);
  // The anchor is not asked for, and cannot be revoked.
  accepts(verify(leaf(), {}, {.crls = list(root(), {root()})}), StatusEvidence::none);
  // What the server sends in another order keeps what came with it.
  auto chain = leaf().chain_der();
  chain.insert(chain.begin() + 1, root().der());
  refuses_revoked(verify(leaf(), {good(), {}, revoked(authority(), root())}, {}, chain), {"certificate 3 of 3"});
  accepts(verify(leaf(), {good(), revoked(authority(), root()), {}}, {}, chain), StatusEvidence::staple);
}

TEST_CASE("revocation: a staple that does not count is none", "[revocation]") {
  accepts(verify(leaf(), {expired()}), StatusEvidence::none,
          "not known: the OCSP response that the server stapled is too");
  accepts(verify(leaf(), {Blob{0x30, 0x03, 0x0A, 0x01, 0x03}}), StatusEvidence::none, "tryLater");
  accepts(verify(leaf(), {Blob(100, 0x41)}), StatusEvidence::none, "not exactly one");
  accepts(verify(leaf(), {expired()}, {.crls = list()}), StatusEvidence::crl, "not among the revoked");
  accepts(verify(leaf(), {good()}, {.crls = list()}), StatusEvidence::staple);
  const auto old = tlsconnect::CrlSet::from_der(
      test::crl(authority(), {.this_update = now - 9 * day, .next_update = now - 8 * day}));
  accepts(verify(leaf(), {}, {.crls = old.value()}), StatusEvidence::none, "not known: the issuer's list");
}

TEST_CASE("revocation: the policy's clock", "[revocation]") {
  const Blob barely =
      test::ocsp_response(leaf(), authority(), {.statuses = {{.this_update = now - day, .next_update = now - 300}}});
  accepts(verify(leaf(), {barely}), StatusEvidence::staple);
  accepts(verify(leaf(), {barely}, {.clock_skew = 299}), StatusEvidence::none);
  const Blob open = test::ocsp_response(leaf(), authority(),
                                        {.statuses = {{.this_update = now - 86'400, .next_update = std::nullopt}}});
  accepts(verify(leaf(), {open}, {.clock_skew = 0}), StatusEvidence::staple);
  accepts(verify(leaf(), {open}, {.clock_skew = 0, .max_age = 86'399}), StatusEvidence::none);
}

TEST_CASE("revocation: a status that is required", "[revocation]") {
  const RevocationPolicy server{.required = StatusRequired::server};
  accepts(verify(leaf(), {good()}, server), StatusEvidence::staple);
  refuses_missing(verify(leaf(), {}, server),
                  {"certificate 1 of 2", "the configuration demands", "stapled no OCSP response", "no list"});
  refuses_missing(verify(leaf(), {Blob{}, good(authority(), root())}, server));
  refuses_invalid(verify(leaf(), {expired()}, server), {"too old"});
  accepts(verify(leaf(), {}, {.required = StatusRequired::server, .crls = list()}), StatusEvidence::crl);
  accepts(verify(leaf(), {expired()}, {.required = StatusRequired::server, .crls = list()}), StatusEvidence::crl);
  refuses_missing(verify(leaf(), {}, {.required = StatusRequired::server, .crls = list(root())}));

  const RevocationPolicy chain{.required = StatusRequired::chain};
  accepts(verify(leaf(), {good(), good(authority(), root())}, chain), StatusEvidence::staple);
  refuses_missing(verify(leaf(), {good()}, chain), {"certificate 2 of 2"});
  refuses_missing(verify(leaf(), {Blob{}, good(authority(), root())}, chain), {"certificate 1 of 2"});
  refuses_missing(verify(leaf(), {}, chain), {"certificate 1 of 2", "besides, certificate 2 of 2"});
  accepts(verify(leaf(), {good()}, {.required = StatusRequired::chain, .crls = list(root())}), StatusEvidence::staple);
  CrlSet both = list();
  both.add(list(root()));
  accepts(verify(leaf(), {}, {.required = StatusRequired::chain, .crls = both}), StatusEvidence::crl);
  // What is revoked comes before what is not known.
  refuses_revoked(verify(leaf(), {Blob{}, revoked(authority(), root())}, chain),
                  {"certificate 2 of 2", "besides, certificate 1 of 2"});
}

TEST_CASE("revocation: servers that must staple", "[revocation]") {
  accepts(verify(stapling_leaf(), {good(stapling_leaf())}), StatusEvidence::staple);
  refuses_missing(verify(stapling_leaf(), {}),
                  {"certificate 1 of 2", "CN=stapling", "must staple", "RFC 7633", "stapled no OCSP response"});
  refuses_invalid(verify(stapling_leaf(), {expired(stapling_leaf())}), {"too old"});
  refuses_invalid(verify(stapling_leaf(), {good(leaf())}), {"another certificate"});
  // A list is no staple.
  refuses_missing(verify(stapling_leaf(), {}, {.crls = list()}));
  // Unless the configuration lets that pass.
  accepts(verify(stapling_leaf(), {}, {.must_staple = false}), StatusEvidence::none);
  accepts(verify(stapling_leaf(), {}, {.must_staple = false, .crls = list()}), StatusEvidence::crl);
  refuses_missing(verify(stapling_leaf(), {}, {.required = StatusRequired::server, .must_staple = false}));
  // Another feature demands nothing of this.
  const auto other = authority().issue({.dns = {"a.example"}, .extensions = {other_feature}});
  accepts(verify(other, {}), StatusEvidence::none);
  // An authority's says it for all below; only the server's own status is meant.
  const auto strict = root().issue({.common_name = "Strict", .ca = true, .extensions = {staple_feature}});
  const auto below = strict.issue({.dns = {"a.example"}});
  refuses_missing(verify(below, {}), {"certificate 1 of 2", "must staple"});
  accepts(verify(below, {good(below, strict)}), StatusEvidence::staple);
  refuses_missing(verify(below, {Blob{}, good(strict, root())}));
}

TEST_CASE("revocation: a server's certificate that is trusted itself", "[revocation]") {
  const auto own = test::self_signed({.common_name = "own", .dns = {"a.example"}, .extensions = {staple_feature}});
  const auto verifier =
      PathVerifier::create(TrustAnchors::from_pem(own.pem()).value(), {}, {.required = StatusRequired::chain}).value();
  const auto chain = test::certificates({own.der()});
  accepts(verifier->verify({chain}, test::name("a.example"), now), StatusEvidence::none, "trusted itself");
}

TEST_CASE("revocation: the path and the name come first", "[revocation]") {
  const auto verifier = PathVerifier::create(TrustAnchors::from_pem(root().pem()).value()).value();
  const auto chain = test::certificates(leaf().chain_der());
  const Blob staple = revoked();
  const std::vector<PresentedStatus> status = {{staple, {}}, {}};
  CHECK(verifier->verify({chain, status}, test::name("b.example"), now).error().code() ==
        ErrorCode::certificate_name_mismatch);
  CHECK(verifier->verify({chain, status}, test::name("a.example"), now + 90 * day).error().code() ==
        ErrorCode::certificate_expired);
}

TEST_CASE("revocation: signatures of one chain are counted together", "[revocation]") {
  // Each certificate's staple costs two signatures; the last ones of a long path are not checked any more.
  const std::vector<std::string> signing = {"PKIX.OCSPSigning"};
  const auto staple = [&](const Identity& subject, const Identity& issuer, std::string state) {
    const Identity responder = issuer.issue({.common_name = "R", .extended_key_usage = signing});
    return test::ocsp_response(
        subject, issuer,
        {.statuses = {{.state = std::move(state)}}, .responder = responder, .certificates = {responder.der()}});
  };
  std::vector<Identity> path{root()};
  for (int i = 0; i < 8; ++i)
    path.push_back(path.back().issue({.common_name = "Level " + std::to_string(i), .dns = {}, .ca = true}));
  path.push_back(path.back().issue({.dns = {"a.example"}}));
  const auto staples = [&](std::size_t last_good) {
    Staples all;
    for (std::size_t i = path.size(); i-- > 1;)
      all.push_back(staple(path[i], path[i - 1], i > last_good ? "good" : "revoked"));
    return all;
  };
  REQUIRE(path.size() == 10);
  accepts(verify(path.back(), staples(1)), StatusEvidence::staple);
  refuses_revoked(verify(path.back(), staples(2)));
}

TEST_CASE("revocation: until when sessions may rest on it", "[revocation]") {
  CHECK(verify(leaf(), {})->valid_until == std::numeric_limits<std::int64_t>::max());
  CHECK(verify(leaf(), {expired()})->valid_until == std::numeric_limits<std::int64_t>::max());
  CHECK(verify(leaf(), {good()})->valid_until == now + day);
  const Blob shorter = test::ocsp_response(authority(), root(), {.statuses = {{.next_update = now + 100}}});
  CHECK(verify(leaf(), {good(), shorter})->valid_until == now + 100);
  const auto longer = CrlSet::from_der(test::crl(authority(), {.next_update = now + 2 * day})).value();
  CHECK(verify(leaf(), {}, {.crls = longer})->valid_until == now + 2 * day);
  CHECK(verify(leaf(), {good()}, {.crls = longer})->valid_until == now + day);
}

TEST_CASE("revocation: an identity of its own for every policy", "[revocation]") {
  const auto identity = [](const RevocationPolicy& policy) {
    return PathVerifier::create(TrustAnchors::from_pem(root().pem()).value(), {}, policy).value()->trust_identity();
  };
  const std::vector<RevocationPolicy> policies = {
      {},
      {.required = StatusRequired::server},
      {.required = StatusRequired::chain},
      {.must_staple = false},
      {.crls = list()},
      {.crls = list(root())},
      {.clock_skew = 299},
      {.max_age = 86'399},
  };
  for (std::size_t i = 0; i < policies.size(); ++i)
    for (std::size_t k = 0; k < policies.size(); ++k)
      CHECK((identity(policies[i]) == identity(policies[k])) == (i == k));
}

TEST_CASE("revocation: in a configuration", "[revocation]") {
  const auto anchors = TrustAnchors::from_pem(root().pem()).value();
  const auto builder = [&] { return ClientConfig::builder().trust(anchors); };
  // Whoever makes use of staples asks for them, unless told otherwise.
  CHECK(builder().build().value()->status_request());
  CHECK_FALSE(builder().status_request(false).build().value()->status_request());
  const auto own = std::make_shared<tlsconnect::DangerousNoVerification>();
  CHECK_FALSE(ClientConfig::builder().verifier(own).build().value()->status_request());
  CHECK(ClientConfig::builder().verifier(own).status_request(true).build().value()->status_request());

  const auto refused = [](ClientConfig::Builder made, std::string_view part) {
    const auto config = made.build();
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().code() == ErrorCode::configuration_invalid);
    CHECK(contains(config.error().detail(), part));
  };
  refused(ClientConfig::builder().verifier(own).revocation({}), "no trust anchors");
  refused(builder().revocation({.required = StatusRequired::server}).status_request(false), "no lists");
  CHECK(builder().revocation({.required = StatusRequired::server, .crls = list()}).status_request(false).build());

  // The policy reaches the verifier.
  const auto chain = test::certificates(leaf().chain_der());
  const auto judged = [&](const RevocationPolicy& policy) {
    return builder().revocation(policy).build().value()->verifier()->verify({chain}, test::name("a.example"), now);
  };
  CHECK(judged({}).has_value());
  refuses_missing(judged({.required = StatusRequired::server}));
  refuses_revoked(judged({.crls = list(authority(), {leaf()})}));
}
