// Stapled OCSP responses in the handshake of TLS 1.2 (RFC 6066, 8): the CertificateStatus message, and the alert that
// answers it.
#include "../handshake/stapled.hpp"
#include "support.hpp"

using namespace test;
using tlsconnect::RevocationPolicy;
using tlsconnect::StatusEvidence;
using tlsconnect::StatusRequired;

namespace {

/// How a handshake went.
struct Judged {
  Outcome outcome;
  tlsconnect::ConnectionInfo info;
  std::string message; ///< of the error
};
/// A client with this policy, and a server that staples this.
Judged judged(const Identity& identity, const std::optional<Blob>& response, RevocationPolicy policy = {}) {
  Talk12 talk({.server = {.identity = identity, .ocsp_response = response},
               .configure = [&](auto& builder) { builder.revocation(policy); },
               .quick = false});
  talk.handshake();
  const Outcome outcome = outcome_of(talk);
  return {outcome, talk.client.info(), outcome.error ? talk.client.failure()->message() : std::string()};
}
Outcome outcome_with(const Identity& identity, const std::optional<Blob>& response, RevocationPolicy policy = {}) {
  return judged(identity, response, std::move(policy)).outcome;
}

} // namespace

TEST_CASE("TLS 1.2: a stapled response decides", "[status12]") {
  const Identity& server = server_identity();
  const Judged good = judged(server, staple_for(server));
  CHECK(good.outcome == connected());
  CHECK(good.info.server_status == StatusEvidence::staple);
  CHECK(good.info.verification.find("not revoked by the OCSP response") != std::string::npos);

  CHECK(outcome_with(server, staple_for(server, {.state = "revoked"})) == revoked_by_staple);
  const Judged nothing = judged(server, std::nullopt);
  CHECK(nothing.outcome == connected());
  CHECK(nothing.info.server_status == StatusEvidence::none);

  CHECK(outcome_with(server, Blob{0x30, 0x03, 0x0A, 0x01, 0x03}) == connected());
  CHECK(outcome_with(server, Blob{0x30, 0x03, 0x0A, 0x01, 0x03}, {.required = StatusRequired::server}) == bad_status);
  CHECK(outcome_with(server, std::nullopt, {.required = StatusRequired::server}) == no_status);
  CHECK(outcome_with(server, staple_for(server), {.required = StatusRequired::server}) == connected());
}

TEST_CASE("TLS 1.2: a server that must staple", "[status12]") {
  CHECK(outcome_with(must_staple(), staple_for(must_staple())) == connected());
  CHECK(outcome_with(must_staple(), std::nullopt) == no_status);
  CHECK(outcome_with(must_staple(), staple_for(server_identity())) == bad_status);
  CHECK(outcome_with(must_staple(), std::nullopt, {.must_staple = false}) == connected());
  // It announces a status, and goes without (RFC 6066, 8).
  Talk12 announced({.server = {.identity = must_staple(), .ocsp_response = staple_for(must_staple())}, .quick = false});
  announced.plan.drop("CertificateStatus");
  announced.handshake();
  CHECK(outcome_of(announced) == no_status);
}

TEST_CASE("TLS 1.2: a list that the caller supplies", "[status12]") {
  const Identity& server = server_identity();
  const auto list = [](std::vector<CrlEntry> entries) {
    return value_of(tlsconnect::CrlSet::from_der(crl(server_root(), {.entries = std::move(entries)})));
  };
  const Judged listed = judged(server, std::nullopt, {.crls = list({})});
  CHECK(listed.outcome == connected());
  CHECK(listed.info.server_status == StatusEvidence::crl);
  CHECK(outcome_with(server, std::nullopt, {.crls = list({{.serial = serial_of(server)}})}) == revoked_by_staple);
}
