// Stapled OCSP responses in the handshake of TLS 1.3, from the server's message to the alert that answers it, and what
// becomes of sessions.
#include <string>
#include <utility>

#include "sessions.hpp"
#include "stapled.hpp"

using namespace test;
using tlsconnect::RevocationPolicy;
using tlsconnect::StatusEvidence;
using tlsconnect::StatusRequired;
using tlsconnect::limits::ticket_lifetime;

namespace {

void staple(Talk& talk, const Blob& response) {
  talk.plan["Certificate"].with_extension(ExtensionType::status_request,
                                          encoded(tlsconnect::CertificateStatus{1, response}));
}

/// How a handshake went.
struct Judged {
  Outcome outcome;
  tlsconnect::ConnectionInfo info;
  std::string message; ///< of the error
};
/// A client with this policy, and a server that staples this.
Judged judged(const Identity& identity, const Blob& response, RevocationPolicy policy = {}) {
  Talk talk({.server = {.identity = identity},
             .configure = [&](auto& builder) { builder.revocation(policy); },
             .quick = false});
  if (!response.empty())
    staple(talk, response);
  talk.handshake();
  const Outcome outcome = outcome_of(talk);
  return {outcome, talk.client.info(), outcome.error ? talk.client.failure()->message() : std::string()};
}
Outcome outcome_with(const Identity& identity, const Blob& response, RevocationPolicy policy = {}) {
  return judged(identity, response, std::move(policy)).outcome;
}

} // namespace

TEST_CASE("a stapled response decides", "[status]") {
  const Identity& server = server_identity();
  const Judged good = judged(server, staple_for(server));
  CHECK(good.outcome == connected());
  CHECK(good.info.server_status == StatusEvidence::staple);
  CHECK(good.info.verification.find("not revoked by the OCSP response") != std::string::npos);

  const Judged revoked = judged(server, staple_for(server, {.state = "revoked", .reason = 1}));
  CHECK(revoked.outcome == revoked_by_staple);
  CHECK(revoked.message.find("keyCompromise") != std::string::npos);
  CHECK(revoked.info.server_status == StatusEvidence::none);

  const Judged nothing = judged(server, {});
  CHECK(nothing.outcome == connected());
  CHECK(nothing.info.server_status == StatusEvidence::none);
  CHECK(offers(Talk({.quick = false}).server.hello(), ExtensionType::status_request));

  CHECK(outcome_with(server, {0x30, 0x03, 0x0A, 0x01, 0x03}) == connected());
  CHECK(outcome_with(server, {0x30, 0x03, 0x0A, 0x01, 0x03}, {.required = StatusRequired::server}) == bad_status);
  CHECK(outcome_with(server, {}, {.required = StatusRequired::server}) == no_status);
  CHECK(outcome_with(server, staple_for(server), {.required = StatusRequired::server}) == connected());
}

TEST_CASE("a server that must staple", "[status]") {
  CHECK(outcome_with(must_staple(), staple_for(must_staple())) == connected());
  CHECK(outcome_with(must_staple(), {}) == no_status);
  CHECK(outcome_with(must_staple(), staple_for(server_identity())) == bad_status);
  CHECK(outcome_with(must_staple(), {}, {.must_staple = false}) == connected());
  // Who does not ask gets nothing, and must have said that this is all right.
  Talk silent({.server = {.identity = must_staple()},
               .configure = [](auto& builder) { builder.status_request(false); },
               .quick = false});
  CHECK(!offers(silent.server.hello(), ExtensionType::status_request));
  silent.handshake();
  CHECK(outcome_of(silent) == no_status);
}

TEST_CASE("a list that the caller supplies", "[status]") {
  const Identity& server = server_identity();
  const auto list = [](std::vector<CrlEntry> entries) {
    return value_of(tlsconnect::CrlSet::from_der(crl(server_root(), {.entries = std::move(entries)})));
  };
  const Judged listed = judged(server, {}, {.crls = list({})});
  CHECK(listed.outcome == connected());
  CHECK(listed.info.server_status == StatusEvidence::crl);
  CHECK(outcome_with(server, {}, {.crls = list({{.serial = serial_of(server)}})}) == revoked_by_staple);
}

TEST_CASE("connections of one configuration remember a chain, and hear of its revocation all the same", "[status]") {
  const auto cache = tlsconnect::VerifiedChainCache::create();
  const auto config = make_config(
      TalkOptions{.configure = [&](auto& builder) { builder.verified_chain_cache(cache); }, .quick = false});
  for (const bool again : {false, true}) {
    CAPTURE(again);
    Talk talk({.config = config});
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(cache->hits() == (again ? cache->size() : 0));
    CHECK((talk.client.info().verification.find("signatures verified before") != std::string::npos) == again);
  }
  REQUIRE(cache->size() > 0);
  Talk revoked({.config = config});
  staple(revoked, staple_for(server_identity(), {.state = "revoked"}));
  revoked.handshake();
  CHECK(outcome_of(revoked) == revoked_by_staple);
}

TEST_CASE("a session ends with the status that it rests on", "[status]") {
  const Identity& server = server_identity();
  for (const bool stapled : {false, true}) {
    CAPTURE(stapled);
    Client client{.quick = false};
    Talk first = client.talk();
    if (stapled)
      staple(first, staple_for(server));
    first.handshake();
    CHECK(outcome_of(first) == connected());
    const KnownPsk psk = first.server.issue_ticket({.lifetime = ticket_lifetime});
    first.exchange();
    REQUIRE(client.store->kept.size() == 1);
    CHECK(client.store->kept[0].second.usable_until ==
          FixedClock::from_seconds(stapled ? now + day : now + std::int64_t{ticket_lifetime}));
    // Resumed, nobody says anything new.
    Talk again = client.talk({.psks = {psk}});
    again.handshake();
    CHECK(outcome_of(again) == connected());
    CHECK(again.client.info().resumed());
    CHECK(again.client.info().server_status == StatusEvidence::none);
  }
}

TEST_CASE("a session that is judged again is judged by the status that it kept", "[status]") {
  Client client{.configure = [](auto& builder) { builder.verify_again_on_resumption(true); }, .quick = false};
  Talk first = client.talk({.identity = must_staple()});
  staple(first, staple_for(must_staple()));
  first.handshake();
  CHECK(outcome_of(first) == connected());
  const KnownPsk psk = first.server.issue_ticket({.lifetime = ticket_lifetime});
  first.exchange();
  client.clock->advance(day * 1'000 - 1);
  Talk again = client.talk({.identity = must_staple(), .psks = {psk}});
  again.handshake();
  CHECK(outcome_of(again) == connected());
  CHECK(again.client.info().resumed());
  CHECK(again.client.info().server_status == StatusEvidence::staple);
}
