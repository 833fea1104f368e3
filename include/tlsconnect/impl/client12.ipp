// The handlers of the TLS 1.2 machine for what the server sends in its first flight.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/client12.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<> Client12::start(Handshake12Ptr handshake) {
  if (handshake->resumed)
    return resume(std::move(handshake));
  if (handshake->suite.authentication != Authentication12::psk) {
    state_.emplace<ExpectCertificate>(std::move(handshake));
    return {};
  }
  // RFC 4279, 2 and RFC 5489, 2: with a pre-shared key there is no certificate.
  Result<ExternalPskAgreed::Choice> choice = ExternalPskAgreed::choose(*context_->config, handshake->suite);
  if (!choice)
    return std::unexpected(std::move(choice.error()));
  handshake->external_psk = choice->index;
  context_->info.psk = PskUse::external;
  context_->info.external_psk = choice->index;
  context_->info.verification = "the server holds the external pre-shared key";
  handshake->identity_usable_until = context_->config->clock().now() + std::int64_t{limits::ticket_lifetime} * 1000;
  if (handshake->suite.ephemeral)
    state_.emplace<ExpectServerKeyExchange>(std::move(handshake), std::nullopt);
  else
    state_.emplace<ExpectHintOrDone>(std::move(handshake), ServerIdentity::by_external_psk(std::move(choice->proof)));
  return {};
}

// ---- Certificate (RFC 5246, 7.4.2) ----

namespace detail {

/// RFC 5246, 7.4.2 and RFC 8422, 5.3: the server's key must be one that the suite can be used with, on a curve that was
/// offered. ML-DSA goes with none (draft-ietf-tls-mldsa, "TLS 1.2").
TLSCONNECT_DECL Result<> check_server_key12(const ClientConfig& config, const SuiteParameters12& suite,
                                            const PublicKey& key) {
  static constexpr std::string_view where = CertificateMessage12::name;
  const std::optional<Authentication12> kind = key.authentication12();
  const bool ml_dsa =
      key.fits(SignatureScheme::mldsa44) || key.fits(SignatureScheme::mldsa65) || key.fits(SignatureScheme::mldsa87);
  if (!kind && !ml_dsa)
    return fail(ErrorCode::certificate_key_unsupported, where, key.description());
  if (kind != suite.authentication)
    return fail(ErrorCode::certificate_key_not_for_suite, where,
                key.description() + " with " + std::string(name_of(suite.suite)));
  const std::optional<NamedGroup> curve = key.curve();
  const std::span<const NamedGroup> groups = config.groups();
  if (curve && std::find(groups.begin(), groups.end(), *curve) == groups.end())
    return fail(ErrorCode::group_not_offered, where, "a key on " + std::string(name_of(*curve)));
  return {};
}

/// What came with the first certificate, in the form that the verifier sees.
TLSCONNECT_DECL void show_status(const ConnectionInfo& info, ServerCertificate& server) {
  server.status.clear();
  for (const PeerStatus& status : info.peer_status)
    server.status.push_back({status.ocsp_response, status.sct_list});
}

/// What the server shows: its certificates, or a key alone (RFC 7250, 3).
TLSCONNECT_DECL Result<std::vector<ByteVector>> read_certificate12(bool raw_public_key, BytesView body) {
  std::vector<ByteVector> shown;
  if (raw_public_key) {
    const Result<RawPublicKeyMessage12> decoded = decode<RawPublicKeyMessage12>(body);
    if (!decoded)
      return std::unexpected(decoded.error());
    shown.push_back(to_vector(decoded->spki));
    return shown;
  }
  const Result<CertificateMessage12> decoded = decode<CertificateMessage12>(body);
  if (!decoded)
    return std::unexpected(decoded.error());
  // RFC 5246, 7.4.2: a server always has a certificate.
  if (decoded->certificate_list.empty())
    return fail(ErrorCode::certificate_list_empty, CertificateMessage12::name);
  for (const CertificateMessage12::Entry& entry : decoded->certificate_list)
    shown.push_back(to_vector(entry.cert_data));
  return shown;
}

} // namespace detail

TLSCONNECT_DECL Result<> Client12::on(ExpectCertificate state, const HandshakeMessage& message) {
  ConnectionInfo& info = context_->info;
  info.raw_public_key = state.handshake->server_raw_public_key;
  Result<std::vector<ByteVector>> shown = detail::read_certificate12(info.raw_public_key, message.body);
  if (!shown)
    return std::unexpected(std::move(shown.error()));
  info.peer_chain = std::move(*shown);
  if (!state.handshake->sct_list.empty()) {
    // RFC 6962, 3.3.1: the timestamps of the ServerHello are for the server's own certificate.
    info.peer_status.resize(info.peer_chain.size());
    info.peer_status.front().sct_list = state.handshake->sct_list;
  }
  Result<ServerCertificate> server = open_peer_chain(info);
  if (!server)
    return std::unexpected(std::move(server.error()));
  if (Result<> fits = detail::check_server_key12(*context_->config, state.handshake->suite, server->public_key.front());
      !fits)
    return fits;
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  if (!state.handshake->status_expected)
    return judge(std::move(state.handshake), std::move(*server), {});
  state_.emplace<ExpectCertificateStatus>(std::move(state.handshake), std::move(*server));
  return {};
}

TLSCONNECT_DECL Result<> Client12::on(ExpectCertificateStatus state, const HandshakeMessage& message) {
  // RFC 6066, 8: it may stay out.
  if (message.type == HandshakeType::server_key_exchange)
    return judge(std::move(state.handshake), std::move(*state.server), message.bytes);
  const Result<CertificateStatusMessage> decoded = decode<CertificateStatusMessage>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  ConnectionInfo& info = context_->info;
  info.peer_status.resize(info.peer_chain.size());
  info.peer_status.front().ocsp_response = to_vector(decoded->status.ocsp_response);
  detail::show_status(info, *state.server);
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  return judge(std::move(state.handshake), std::move(*state.server), {});
}

TLSCONNECT_DECL Result<> Client12::judge(Handshake12Ptr handshake, ServerCertificate server, BytesView key_exchange) {
  if (ServerChain::decided_later(*context_->config, server)) {
    state_.emplace<AwaitVerdict>(std::move(handshake), std::move(server), key_exchange);
    return {};
  }
  Result<ServerChain::Accepted> accepted = ServerChain::verify(*context_->config, context_->name, server);
  if (!accepted)
    return std::unexpected(std::move(accepted.error()));
  return judged(std::move(handshake), std::move(server), std::move(*accepted), key_exchange);
}

TLSCONNECT_DECL Result<> Client12::judged(Handshake12Ptr handshake, ServerCertificate server,
                                          ServerChain::Accepted accepted, BytesView key_exchange) {
  ConnectionInfo& info = context_->info;
  info.server_status = accepted.how.server_status;
  if (handshake->resumed) {
    info.verification = "resumed; " + accepted.how.explanation;
    Proof<ServerIdentity> identity = ServerIdentity::by_session(std::move(*handshake->resumed));
    return expect_server_finished(std::move(handshake), std::move(identity), nullptr);
  }
  info.verification = std::move(accepted.how.explanation);
  handshake->identity_usable_until = usable_until(*context_->config, server, accepted.how);
  ExpectServerKeyExchange next(std::move(handshake),
                               AcceptedKey{std::move(server.public_key.front()), std::move(accepted.proof)});
  if (!key_exchange.empty())
    return on_key_exchange(std::move(next), key_exchange);
  state_.emplace<ExpectServerKeyExchange>(std::move(next));
  return {};
}

TLSCONNECT_DECL Result<> Client12::give_verdict(Result<VerifiedChain> verdict) {
  AwaitVerdict* waiting = std::get_if<AwaitVerdict>(&state_);
  if (!waiting)
    return fail(ErrorCode::nothing_awaited, "give_verdict");
  AwaitVerdict state = std::move(*waiting);
  Result<ServerChain::Accepted> accepted = ServerChain::by_verdict(std::move(verdict));
  if (!accepted)
    return std::unexpected(std::move(accepted.error()));
  return judged(std::move(state.handshake), std::move(*state.server), std::move(*accepted), state.key_exchange);
}

// ---- ServerKeyExchange (RFC 5246, 7.4.3; RFC 8422, 5.4; RFC 4279, 2; RFC 5489, 2) ----

TLSCONNECT_DECL Result<> Client12::on(ExpectServerKeyExchange state, const HandshakeMessage& message) {
  return on_key_exchange(std::move(state), message.bytes);
}

TLSCONNECT_DECL Result<> Client12::check_group(NamedGroup group) const noexcept {
  // RFC 8422, 5.4: only a curve that was offered; the groups of post-quantum exchanges are for TLS 1.3 (RFC 10024).
  const std::span<const NamedGroup> groups = context_->config->groups();
  if (std::find(groups.begin(), groups.end(), group) == groups.end() || is_post_quantum(group))
    return fail(ErrorCode::group_not_offered, ServerKeyExchangeEcdhe::name, std::string(name_of(group)));
  return {};
}

TLSCONNECT_DECL Result<> Client12::on_key_exchange(ExpectServerKeyExchange state, BytesView bytes) {
  const BytesView body = bytes.subspan(HandshakeJoiner::header_size);
  Handshake12& handshake = *state.handshake;
  ConnectionInfo& info = context_->info;
  if (!state.server) {
    const Result<ServerKeyExchangeEcdhePsk> decoded = decode<ServerKeyExchangeEcdhePsk>(body);
    if (!decoded)
      return std::unexpected(decoded.error());
    if (Result<> offered = check_group(decoded->params.group); !offered)
      return offered;
    info.group = handshake.group = decoded->params.group;
    handshake.server_point = to_vector(decoded->params.point);
    if (Result<> added = transcript_->add(bytes); !added)
      return added;
    // The hint decides nothing: which key goes with this server was configured.
    Result<ExternalPskAgreed::Choice> choice = ExternalPskAgreed::choose(*context_->config, handshake.suite);
    if (!choice)
      return std::unexpected(std::move(choice.error()));
    state_.emplace<ExpectServerHelloDone>(std::move(state.handshake),
                                          ServerIdentity::by_external_psk(std::move(choice->proof)));
    return {};
  }

  const Result<ServerKeyExchangeEcdhe> decoded = decode<ServerKeyExchangeEcdhe>(body);
  if (!decoded)
    return std::unexpected(decoded.error());
  if (Result<> offered = check_group(decoded->params.group); !offered)
    return offered;
  Result<Proof<ServerSignature>> signature =
      ServerSignature::verify12(*context_->config, state.server->chain, state.server->key, handshake.randoms,
                                body.first(decoded->params.size()), decoded->algorithm, decoded->signature);
  if (!signature)
    return std::unexpected(std::move(signature.error()));
  info.group = handshake.group = decoded->params.group;
  info.signature_scheme = decoded->algorithm;
  handshake.server_point = to_vector(decoded->params.point);
  if (Result<> added = transcript_->add(bytes); !added)
    return added;
  state_.emplace<ExpectRequestOrDone>(
      std::move(state.handshake),
      ServerIdentity::by_certificate(std::move(state.server->chain), std::move(*signature)));
  return {};
}

TLSCONNECT_DECL Result<> Client12::on(ExpectHintOrDone state, const HandshakeMessage& message) {
  if (message.type == HandshakeType::server_hello_done)
    return on_hello_done(std::move(state.handshake), std::move(state.identity), message);
  if (const Result<ServerKeyExchangePsk> decoded = decode<ServerKeyExchangePsk>(message.body); !decoded)
    return std::unexpected(decoded.error());
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  state_.emplace<ExpectServerHelloDone>(std::move(state.handshake), std::move(state.identity));
  return {};
}

// ---- CertificateRequest (RFC 5246, 7.4.4) ----

TLSCONNECT_DECL Result<> Client12::on(ExpectRequestOrDone state, const HandshakeMessage& message) {
  if (message.type == HandshakeType::server_hello_done)
    return on_hello_done(std::move(state.handshake), std::move(state.identity), message);
  Result<ClientAuthentication> request =
      read_certificate_request12(*context_, state.handshake->client_raw_public_key, message);
  if (!request)
    return std::unexpected(std::move(request.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  context_->info.certificate_requested = true;
  state.handshake->client_authentication = std::move(*request);
  state_.emplace<ExpectServerHelloDone>(std::move(state.handshake), std::move(state.identity));
  return {};
}

// ---- ServerHelloDone (RFC 5246, 7.4.5) ----

TLSCONNECT_DECL Result<> Client12::on(ExpectServerHelloDone state, const HandshakeMessage& message) {
  return on_hello_done(std::move(state.handshake), std::move(state.identity), message);
}

TLSCONNECT_DECL Result<> Client12::on_hello_done(Handshake12Ptr handshake, Proof<ServerIdentity> identity,
                                                 const HandshakeMessage& message) {
  if (const Result<ServerHelloDone> decoded = decode<ServerHelloDone>(message.body); !decoded)
    return std::unexpected(decoded.error());
  // RFC 5246, 7.3: the server's turn is over; what it says next, it says to the client's flight.
  if (Result<Proof<RecordAligned>> aligned = context_->records.aligned(ServerHelloDone::name); !aligned)
    return std::unexpected(std::move(aligned.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  return begin_flight(std::make_unique<Completion>(Completion{
      .handshake = std::move(handshake), .identity = std::move(identity), .flight = Flight(*context_, *transcript_)}));
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
