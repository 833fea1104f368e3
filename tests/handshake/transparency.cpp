// Timestamps of transparency logs that the client requires: in the handshake of TLS 1.3, and the alert when they are
// missing.
#include "sessions.hpp"
#include "stapled.hpp"
#include "transparency_log.hpp"

using namespace test;

namespace {

constexpr std::uint64_t yesterday = static_cast<std::uint64_t>(now - day) * 1000;
const Outcome not_logged = refused(ErrorCode::certificate_not_logged, Alert::bad_certificate);

/// A client that requires a timestamp of one log.
TalkOptions strict() {
  tlsconnect::TransparencyLogs logs;
  REQUIRE(Log().add_to(logs, {.name = "Oak", .operated_by = "Forest"}));
  return {.configure = [logs](auto& builder) { builder.transparency({.logs = logs, .timestamps = 1}); },
          .quick = false};
}
Blob timestamps(const Log& log = {}, const Identity& identity = server_identity()) {
  return timestamp_list({log.certificate(identity, yesterday)});
}
Outcome outcome_with(ExtensionType type, const Blob& body) {
  return handshake_with([&](auto& plan) { plan["Certificate"].with_extension(type, body); }, strict());
}

} // namespace

TEST_CASE("a server shows that its certificate was logged", "[transparency]") {
  constexpr ExtensionType extension = ExtensionType::signed_certificate_timestamp;
  Talk talk(strict());
  CHECK(offers(talk.server.hello(), extension));
  talk.plan["Certificate"].with_extension(extension, timestamps());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().verification.find("logged: in the handshake, Oak of Forest") != std::string::npos);

  CHECK(handshake_with([](auto&) {}, strict()) == not_logged);
  CHECK(outcome_with(extension, timestamps({.key = Key::cached(KeyType::p256, 101)})) == not_logged); // of another log
  CHECK(outcome_with(extension, timestamps({.break_signature = true})) == not_logged);
  CHECK(outcome_with(extension, timestamps({}, must_staple())) == not_logged); // of another certificate
}

TEST_CASE("a server shows it in the status that it staples", "[transparency]") {
  const auto staple = [](const Blob& list) {
    const Blob extension = der_extension("1.3.6.1.4.1.11129.2.4.5", false, der(0x04, list));
    return encoded(tlsconnect::CertificateStatus{1, staple_for(server_identity(), {.extensions = extension})});
  };
  CHECK(outcome_with(ExtensionType::status_request, staple(timestamps())) == connected());
  CHECK(outcome_with(ExtensionType::status_request, staple(timestamps({.break_signature = true}))) == not_logged);
}
