// Which pre-shared keys are offered, and how the ClientHello is bound to them.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/handshake/pre_shared_key.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Whether a session may be offered to this server under this configuration now.
TLSCONNECT_DECL bool fits(const Session& session, const HandshakeContext& context, std::int64_t now) noexcept {
  const ClientConfig& config = *context.config;
  // RFC 9846, 4.6.1: only for the name that the server proved to have, and (ours) only under the trust that it was
  // judged by.
  if (session.server_name != context.name.text() || !equal(session.trust_identity, config.trust_identity()))
    return false;
  if (!config.offers(session.version) || session.expired(now))
    return false;
  const auto suites = config.cipher_suites();
  // RFC 5246, 7.4.1.2: the suite must be on offer again. RFC 7627, 5.2: without the extended main secret, only for those
  // who do without it. The application protocol is agreed anew with each connection (RFC 7301, 3.1).
  if (session.version == ProtocolVersion::tls1_2)
    return std::find(suites.begin(), suites.end(), session.cipher_suite) != suites.end() &&
           (session.extended_main_secret || !config.require_extended_main_secret());
  // A protocol that was spoken then and is not on offer now: the session belongs to another use of the server.
  const auto alpn = config.alpn();
  if (!session.application_protocol.empty() &&
      std::find(alpn.begin(), alpn.end(), session.application_protocol) == alpn.end())
    return false;
  // RFC 9846, 4.6.1: the hash must be that of a suite on offer.
  const std::optional<SuiteParameters> suite = parameters_of(session.cipher_suite);
  return suite && std::any_of(suites.begin(), suites.end(), [&](CipherSuite offered) {
           const std::optional<SuiteParameters> parameters = parameters_of(offered);
           return parameters && parameters->hash == suite->hash;
         });
}

} // namespace detail

TLSCONNECT_DECL std::optional<Session> session_to_offer(const HandshakeContext& context) {
  const ClientConfig& config = *context.config;
  SessionStore* store = config.session_store();
  if (!store || config.trust_identity().empty())
    return std::nullopt;
  const std::string key = session_key(context.name, config.trust_identity());
  const std::int64_t now = config.clock().now();
  // A store that never runs dry must not keep us here.
  for (unsigned attempt = 0; attempt < 16; ++attempt) {
    std::optional<Session> session = store->take(key);
    if (!session || detail::fits(*session, context, now))
      return session;
    // Those that do not fit are dropped on the way.
  }
  return std::nullopt;
}

TLSCONNECT_DECL Result<std::vector<OfferedPsk>> psks_to_offer(const HandshakeContext& context,
                                                              std::optional<Session> session) {
  std::vector<OfferedPsk> psks;
  if (session) {
    const HashAlgorithm hash = parameters_of(session->cipher_suite)->hash;
    Result<EarlySecret> early = EarlySecret::from_psk(hash, session->secret.view());
    if (!early)
      return std::unexpected(std::move(early.error()));
    const std::uint32_t age = session->obfuscated_age(context.config->clock().now());
    ByteVector ticket = session->ticket;
    psks.push_back({PskOrigin::resumption, std::move(*early), std::move(ticket), age, std::move(session), 0});
  }
  std::uint16_t index = 0;
  const auto suites = context.config->cipher_suites();
  for (const ExternalPsk& psk : context.config->external_psks()) {
    // RFC 9846, 4.2.11: its hash must be that of a suite on offer.
    if (std::none_of(suites.begin(), suites.end(), [&](CipherSuite suite) {
          const std::optional<SuiteParameters> parameters = parameters_of(suite);
          return parameters && parameters->hash == psk.hash();
        })) {
      ++index;
      continue;
    }
    Result<EarlySecret> early = EarlySecret::from_psk(psk.hash(), psk.key());
    if (!early)
      return std::unexpected(std::move(early.error()));
    psks.push_back({psk.imported() ? PskOrigin::imported : PskOrigin::external, std::move(*early),
                    to_vector(psk.identity()), 0, std::nullopt, index++});
  }
  return psks;
}

TLSCONNECT_DECL Result<> write_offered_psks(const std::vector<OfferedPsk>& psks, ByteVector& body) {
  static constexpr std::array<std::uint8_t, 64> zeros{};
  OfferedPsks offered;
  for (const OfferedPsk& psk : psks) {
    const std::size_t length = hash_length(psk.early_secret.hash());
    if (!offered.identities.push_back({psk.identity, psk.obfuscated_ticket_age}) ||
        !offered.binders.push_back({BytesView(zeros).first(length)}))
      return fail(ErrorCode::configuration_invalid, "pre_shared_key", "too many keys");
  }
  return encode(offered, body);
}

TLSCONNECT_DECL Result<> fill_binders(const std::vector<OfferedPsk>& psks, const Transcript& before,
                                      Bytes client_hello) {
  std::size_t length = 2;
  for (const OfferedPsk& psk : psks)
    length += 1 + hash_length(psk.early_secret.hash());
  const BytesView truncated = client_hello.first(client_hello.size() - length);
  Bytes binders = client_hello.last(length - 2);
  for (const OfferedPsk& psk : psks) {
    const Result<Digest> transcript = before.with(psk.early_secret.hash(), truncated);
    if (!transcript)
      return std::unexpected(transcript.error());
    const Result<Digest> binder = psk.early_secret.binder(psk.origin, *transcript);
    if (!binder)
      return std::unexpected(binder.error());
    copy_bytes(binder->view(), binders.subspan(1));
    binders = binders.subspan(1 + binder->size());
  }
  return {};
}

TLSCONNECT_DECL Result<Proof<PskAccepted>> PskAccepted::check(const std::vector<OfferedPsk>& offered,
                                                              std::size_t selected, HashAlgorithm suite_hash) noexcept {
  // RFC 9846, 4.2.11: within what was offered, and of the suite's hash.
  if (selected >= offered.size())
    return fail(ErrorCode::psk_not_offered, "ServerHello", "key number " + std::to_string(selected));
  if (offered[selected].early_secret.hash() != suite_hash)
    return fail(ErrorCode::psk_hash_mismatch, "ServerHello");
  return Proof<PskAccepted>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
