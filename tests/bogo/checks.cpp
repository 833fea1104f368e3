#include "checks.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "identity.hpp"

namespace bogo {

using tlsconnect::ConnectionInfo;
using tlsconnect::EarlyDataOutcome;
using tlsconnect::PskUse;

namespace {

constexpr auto tls13 = tlsconnect::ProtocolVersion::tls1_3;

std::string hex(std::uint16_t number) {
  std::array<char, 8> text{};
  (void)std::snprintf(text.data(), text.size(), "0x%04x", static_cast<unsigned>(number));
  return text.data();
}

/// For flags that name a number of a registry; 0 expects nothing.
template <class Code>
Outcome expect_code(std::string_view what, std::uint16_t expected, Code found) {
  const auto number = static_cast<std::uint16_t>(found);
  if (expected == 0 || expected == number)
    return {};
  return std::unexpected(std::string(what) + " is " + hex(number) + ", expected was " + hex(expected));
}

Outcome expect(std::string_view what, bool expected, bool found) {
  if (expected == found)
    return {};
  return std::unexpected(std::string(what) + (found ? ": unexpectedly yes" : ": unexpectedly no"));
}

/// The certificates of a PEM file in DER.
Made<std::vector<Octets>> certificates_of(const std::string& path) {
  const auto text = read_file(path);
  if (!text)
    return std::unexpected(text.error());
  std::vector<Octets> chain;
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  for (std::size_t at = text->find(begin); at != std::string::npos; at = text->find(begin, at)) {
    at += begin.size();
    std::string body;
    for (const char letter : text->substr(at, text->find(end, at) - at))
      if (letter != '\n' && letter != '\r')
        body += letter;
    std::optional<Octets> der = decode_base64(body);
    if (!der)
      return std::unexpected("not a PEM file: " + path);
    chain.push_back(std::move(*der));
  }
  return chain;
}

Outcome check_server(const ConnectionOptions& options, const Connected& connected) {
  const ConnectionInfo& info = connected.info;
  if (!options.expect_peer_cert_file.empty()) {
    const auto expected = certificates_of(options.expect_peer_cert_file);
    if (!expected)
      return std::unexpected(expected.error());
    if (Outcome same = expect("the server's certificates are those of the file", true, *expected == info.peer_chain);
        !same)
      return same;
  }
  const bool certificates = !info.raw_public_key && !info.peer_chain.empty();
  const bool none_expected =
      options.expect_no_peer_cert || info.psk == PskUse::external || !options.expect_peer_rpk_sha256.empty();
  if (Outcome shown = expect("the server showed certificates", !none_expected, certificates); !shown)
    return shown;
  if (options.expect_peer_certificate_type)
    if (Outcome type = expect("the server showed a raw public key", *options.expect_peer_certificate_type == 2,
                              info.raw_public_key);
        !type)
      return type;
  // A resumed session rests on the verdict on the first connection, unless the configuration says otherwise.
  const bool to_verify = info.psk == PskUse::none || (info.resumed() && options.reverify_on_resume);
  if (Outcome asked = expect("the verifier was asked", to_verify, connected.notes.verified); !asked)
    return asked;

  const tlsconnect::PeerStatus status = info.peer_status.empty() ? tlsconnect::PeerStatus() : info.peer_status.front();
  if (!options.expect_ocsp_response.empty())
    if (Outcome same = expect("the OCSP response is the expected one", true,
                              std::ranges::equal(status.ocsp_response, options.expect_ocsp_response));
        !same)
      return same;
  if (!options.expect_signed_cert_timestamps.empty())
    return expect("the timestamps are the expected ones", true,
                  std::ranges::equal(status.sct_list, options.expect_signed_cert_timestamps));
  return {};
}

/// BoringSSL's name for why early data was accepted or not, as far as it follows from what the library tells.
std::string_view early_data_reason(const ConnectionOptions& options, const Connected& connected) {
  switch (connected.info.early_data) {
  case EarlyDataOutcome::accepted:
    return "accept";
  case EarlyDataOutcome::rejected:
    if (connected.info.hello_retry_request)
      return "hello_retry_request";
    return connected.info.resumed() ? "peer_declined" : "session_not_resumed";
  case EarlyDataOutcome::not_sent:
    break;
  }
  if (!options.enable_early_data)
    return "disabled";
  if (connected.info.version != tls13)
    return "protocol_version";
  if (!connected.resuming)
    return "no_session_offered";
  return connected.sessions.offered_for_early_data() ? "alpn_mismatch" : "unsupported_for_session";
}

Outcome check_early_data(const ConnectionOptions& options, const Connected& connected) {
  const EarlyDataOutcome outcome = connected.info.early_data;
  if (connected.resuming && options.expect_accept_early_data && outcome != EarlyDataOutcome::accepted)
    return std::unexpected("early data was not accepted");
  if (connected.resuming && options.expect_reject_early_data && outcome != EarlyDataOutcome::rejected)
    return std::unexpected("early data was not rejected");
  if (connected.resuming && options.expect_no_offer_early_data && outcome != EarlyDataOutcome::not_sent)
    return std::unexpected("early data was offered");
  const std::string_view reason = early_data_reason(options, connected);
  if (!options.expect_early_data_reason.empty() && options.expect_early_data_reason != reason)
    return std::unexpected("the reason for early data is \"" + std::string(reason) + "\", expected was \"" +
                           options.expect_early_data_reason + "\"");
  return {};
}

Outcome check_client(const ConnectionOptions& options, const Connected& connected) {
  if (!options.expect_peer_verify_preferences.empty())
    if (Outcome same = expect("the schemes in the request are the expected ones", true,
                              options.expect_peer_verify_preferences == connected.notes.requested_schemes);
        !same)
      return same;
  if (options.expect_client_ca_list)
    if (Outcome same = expect("the authorities in the request are the expected ones", true,
                              *options.expect_client_ca_list == connected.notes.requested_authorities);
        !same)
      return same;
  if (!options.expect_certificate_types.empty())
    if (Outcome same = expect("the types in the request are the expected ones", true,
                              options.expect_certificate_types == connected.notes.requested_types);
        !same)
      return same;
  if (!options.expect_selected_credential)
    return {};
  int selected = connected.notes.selected_credential;
  if (connected.info.external_psk)
    selected = connected.notes.psk_credentials.at(*connected.info.external_psk);
  if (selected != *options.expect_selected_credential)
    return std::unexpected("credential " + std::to_string(selected) + " was used, expected was " +
                           std::to_string(*options.expect_selected_credential));
  return {};
}

} // namespace

Outcome check_handshake(const ConnectionOptions& options, const Connected& connected) {
  const ConnectionInfo& info = connected.info;
  for (const Outcome& outcome : {
           expect_code("the version", options.expect_version, info.version),
           expect_code("the cipher suite", options.expect_cipher, info.cipher_suite),
           expect_code("the cipher suite", options.expect_cipher_aes, info.cipher_suite),
           expect_code("the group", options.expect_curve_id, info.group),
           expect_code("the signature scheme", options.expect_peer_signature_algorithm, info.signature_scheme),
           options.expect_hrr || options.expect_no_hrr
               ? expect("a retry was asked for", options.expect_hrr, info.hello_retry_request)
               : Outcome(),
           expect("the application protocol is \"" + options.expect_alpn + "\"", true,
                  info.application_protocol == options.expect_alpn),
           // TLS 1.3 gives what these two ask for by its construction.
           options.expect_extended_main_secret
               ? expect("extended main secret", true, info.extended_main_secret || info.version == tls13)
               : Outcome(),
           options.expect_secure_renegotiation
               ? expect("secure renegotiation", true, info.secure_renegotiation || info.version == tls13)
               : Outcome(),
           expect("a session was resumed", connected.resuming && !options.expect_session_miss, info.resumed()),
           check_early_data(options, connected),
           check_server(options, connected),
           check_client(options, connected),
       })
    if (!outcome)
      return outcome;
  return {};
}

Outcome check_end(const ConnectionOptions& options, const tlsconnect::ConnectionInfo& info,
                  const ShimSessions& sessions) {
  if (!sessions.trouble().empty())
    return std::unexpected(sessions.trouble());
  if (options.expect_total_renegotiations != 0)
    return std::unexpected("nothing was renegotiated");
  // A shim that shuts down at once has not waited for one.
  if (options.shim_shuts_down)
    return {};
  // TLS 1.3 has new tickets after every handshake. In TLS 1.2, a resumed session brings one when the server renews it.
  const bool renewed = info.version == tls13 || !info.resumed() || options.expect_ticket_renewal;
  const bool expected = renewed && !options.expect_no_session && !options.no_ticket;
  if (Outcome came = expect("a session came", expected, sessions.received()); !came)
    return came;
  if (expected)
    return expect("the session permits early data", options.expect_ticket_supports_early_data,
                  sessions.received_for_early_data());
  return {};
}

} // namespace bogo
