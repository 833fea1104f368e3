// The TLS 1.2 machine from the client's flight on: keys, both Finished messages, sessions, and the connection.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/handshake/client12.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

// ---- the client's flight (RFC 5246, 7.4.6 to 7.4.9) ----

TLSCONNECT_DECL Result<> Client12::begin_flight(CompletionPtr completion) {
  static constexpr std::string_view where = ClientKeyExchangeEcdhe::name;
  Handshake12& handshake = *completion->handshake;
  const ClientConfig& config = *context_->config;
  // RFC 5246, 7.4.6: a request is answered even by a client that has no certificate.
  if (handshake.client_authentication)
    if (Result<> added = add_client_certificate12(*context_, completion->flight, *handshake.client_authentication);
        !added)
      return added;
  const Result<PremasterSecret> premaster = add_key_exchange(handshake, completion->flight);
  if (!premaster)
    return std::unexpected(Error(premaster.error()).at(where));

  // RFC 7627, 3: the session hash covers everything up to here.
  const Result<Digest> session_hash = transcript_->current();
  if (!session_hash)
    return std::unexpected(session_hash.error());
  Result<MainSecret12> main = handshake.extended_main_secret
                                  ? MainSecret12::extended(handshake.suite.hash, *premaster, *session_hash)
                                  : MainSecret12::from_randoms(handshake.suite.hash, *premaster, handshake.randoms);
  if (!main)
    return std::unexpected(std::move(main.error()));
  context_->log_secret(key_log_labels::client_random, handshake.randoms.client, main->view());
  handshake.main.emplace(std::move(*main));

  // RFC 5246, 7.4.8: nothing is signed for an empty Certificate.
  if (!handshake.client_authentication || !handshake.client_authentication->choice)
    return complete_flight(std::move(completion), std::nullopt);
  const CredentialChoice choice = *handshake.client_authentication->choice;
  const Signer& signer = config.credentials()[choice.index].signer();
  if (signer.signs_later()) {
    completion->awaited.emplace(SignatureAwaited{choice, to_vector(transcript_->messages())});
    state_.emplace<AwaitSignature>(std::move(completion));
    return {};
  }
  const Result<ByteVector> signature = signer.sign(choice.scheme, transcript_->messages(), config.rng());
  if (!signature)
    return std::unexpected(Error(signature.error()).at(CertificateVerify::name));
  return complete_flight(std::move(completion), CertificateVerify{choice.scheme, *signature});
}

TLSCONNECT_DECL Result<PremasterSecret> Client12::add_key_exchange(Handshake12& handshake, Flight& flight) {
  const ClientConfig& config = *context_->config;
  const ExternalPsk* psk = handshake.external_psk ? &config.external_psks()[*handshake.external_psk] : nullptr;
  if (!handshake.suite.ephemeral) {
    if (Result<> added = flight.add(ClientKeyExchangePsk{psk->identity()}); !added)
      return std::unexpected(std::move(added.error()));
    return psk_premaster_secret(psk->key(), {});
  }
  Result<KeyExchange> key = KeyExchange::create(handshake.group, config.rng());
  if (!key)
    return std::unexpected(std::move(key.error()));
  Result<> added = psk ? flight.add(ClientKeyExchangeEcdhePsk{psk->identity(), key->client_share()})
                       : flight.add(ClientKeyExchangeEcdhe{key->client_share()});
  if (!added)
    return std::unexpected(std::move(added.error()));
  // RFC 8422, 5.11: the point is checked, and a result of zeros refused.
  const Result<SharedSecret> shared = std::move(*key).agree(handshake.group, handshake.server_point);
  if (!shared)
    return std::unexpected(Error(shared.error()).at("ServerKeyExchange"));
  return psk ? psk_premaster_secret(psk->key(), shared->view()) : PremasterSecret(shared->view());
}

TLSCONNECT_DECL Result<> Client12::complete_flight(CompletionPtr completion,
                                                   std::optional<CertificateVerify> signature) {
  Handshake12& handshake = *completion->handshake;
  if (signature)
    if (Result<> added = completion->flight.add(*signature); !added)
      return added;
  transcript_->forget_messages();
  if (Result<> sent = completion->flight.send(); !sent)
    return sent;
  if (signature)
    note_client_certificate(context_->info, *handshake.client_authentication->choice);
  Result<RecordKeys12> keys = handshake.main->record_keys(handshake.suite, handshake.randoms);
  if (!keys)
    return std::unexpected(std::move(keys.error()));
  // RFC 5246, 7.4.9: the client finishes first, and sends nothing else before the server's Finished was verified.
  const Result<VerifyData12> finished = send_finished(handshake, std::move(keys->writing));
  if (!finished)
    return std::unexpected(finished.error());
  handshake.first_finished = *finished;
  return expect_server_finished(std::move(completion->handshake), std::move(completion->identity),
                                std::make_unique<WaitingKeys>(WaitingKeys{std::move(keys->reading), std::nullopt}));
}

TLSCONNECT_DECL Result<VerifyData12> Client12::send_finished(const Handshake12& handshake, WriteProtection12 writing) {
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  Result<VerifyData12> verify_data = handshake.main->client_finished(*digest);
  if (!verify_data)
    return verify_data;
  // RFC 5246, 7.1: behind it, everything goes under the new keys. Nothing at all goes behind close_notify (7.2.1).
  if (!context_->write_closed)
    context_->records.change_cipher_spec(std::move(writing));
  Flight flight(*context_, *transcript_);
  if (Result<> added = flight.add(Finished{*verify_data}); !added)
    return std::unexpected(std::move(added.error()));
  if (Result<> sent = flight.send(); !sent)
    return std::unexpected(std::move(sent.error()));
  return verify_data;
}

// ---- resumption (RFC 5246, 7.3, figure 2; RFC 5077, 3.1) ----

TLSCONNECT_DECL Result<> Client12::resume(Handshake12Ptr handshake) {
  const Session& session = *handshake->session;
  Result<MainSecret12> main = MainSecret12::of_session(handshake->suite.hash, session.secret.view());
  if (!main)
    return std::unexpected(std::move(main.error()));
  context_->log_secret(key_log_labels::client_random, handshake->randoms.client, main->view());
  handshake->main.emplace(std::move(*main));
  handshake->identity_usable_until = session.usable_until;
  ConnectionInfo& info = context_->info;
  info.psk = PskUse::resumption;
  info.group = session.group;
  info.signature_scheme = session.signature_scheme;
  info.verification = "resumed: the server holds the key of a session in which it was verified";
  Result<ServerCertificate> server = certificate_of_session(*context_, session);
  if (!server)
    return std::unexpected(std::move(server.error()));
  if (context_->config->verify_again_on_resumption() && !server->public_key.empty())
    return judge(std::move(handshake), std::move(*server), {});
  Proof<ServerIdentity> identity = ServerIdentity::by_session(std::move(*handshake->resumed));
  return expect_server_finished(std::move(handshake), std::move(identity), nullptr);
}

// ---- the server's turn: NewSessionTicket (RFC 5077, 3.3), ChangeCipherSpec, Finished ----

TLSCONNECT_DECL Result<> Client12::expect_server_finished(Handshake12Ptr handshake, Proof<ServerIdentity> identity,
                                                          std::unique_ptr<WaitingKeys> keys) {
  if (!keys) {
    Result<RecordKeys12> both = handshake->main->record_keys(handshake->suite, handshake->randoms);
    if (!both)
      return std::unexpected(std::move(both.error()));
    keys = std::make_unique<WaitingKeys>(WaitingKeys{std::move(both->reading), std::move(both->writing)});
  }
  if (handshake->ticket_expected) {
    state_.emplace<ExpectNewSessionTicket>(std::move(handshake), std::move(identity), std::move(keys));
    return {};
  }
  context_->records.expect_change_cipher_spec(std::move(keys->reading));
  auto writing = keys->writing ? std::make_unique<WriteProtection12>(std::move(*keys->writing)) : nullptr;
  state_.emplace<ExpectFinished>(std::move(handshake), std::move(identity), std::move(writing));
  return {};
}

TLSCONNECT_DECL Result<> Client12::on(ExpectNewSessionTicket state, const HandshakeMessage& message) {
  const Result<NewSessionTicket12> ticket = decode<NewSessionTicket12>(message.body);
  if (!ticket)
    return std::unexpected(ticket.error());
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  // RFC 5077, 3.3: an empty ticket is none.
  if (ticket->ticket.size() <= limits::ticket) {
    state.handshake->ticket = to_vector(ticket->ticket);
    state.handshake->ticket_lifetime_hint = ticket->ticket_lifetime_hint;
  }
  state.handshake->ticket_expected = false;
  return expect_server_finished(std::move(state.handshake), std::move(state.identity), std::move(state.keys));
}

TLSCONNECT_DECL Result<> Client12::on(ExpectFinished state, const HandshakeMessage& message) {
  static constexpr std::string_view where = Finished::name;
  Handshake12& handshake = *state.handshake;
  const Result<Proof<CipherSpecChanged>> changed = CipherSpecChanged::check(context_->records, where);
  if (!changed)
    return std::unexpected(changed.error());
  const Result<Finished> decoded = decode<Finished>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  Result<Proof<ServerFinished>> finished = ServerFinished::verify12(*handshake.main, *decoded, *digest, *changed);
  if (!finished)
    return std::unexpected(std::move(finished.error()));
  // RFC 5246, 7.3: the server's turn is over.
  if (Result<Proof<RecordAligned>> aligned = context_->records.aligned(where); !aligned)
    return std::unexpected(std::move(aligned.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  if (state.writing) {
    // RFC 5246, 7.3, figure 2: in a resumed session the server finishes first.
    copy_bytes(decoded->verify_data, handshake.first_finished);
    if (Result<VerifyData12> sent = send_finished(handshake, std::move(*state.writing)); !sent)
      return std::unexpected(std::move(sent.error()));
  }
  context_->records.handshake_is_over();
  keep_session(handshake);
  state_.emplace<Connected>(std::move(*handshake.main), handshake.randoms, handshake.first_finished,
                            std::move(state.identity), std::move(*finished));
  return {};
}

TLSCONNECT_DECL void Client12::keep_session(Handshake12& handshake) const {
  const ClientConfig& config = *context_->config;
  SessionStore* store = config.session_store();
  if (!store || config.trust_identity().empty())
    return;
  const std::string key = session_key(context_->name, config.trust_identity());
  if (handshake.ticket.empty() && handshake.session) {
    // Without a new ticket, the old one stays good (RFC 5077, 3.3), as does a session id.
    store->put(key, std::move(*handshake.session));
    return;
  }
  if (handshake.ticket.empty() && handshake.session_id.empty())
    return;
  const ConnectionInfo& info = context_->info;
  Session session;
  session.version = ProtocolVersion::tls1_2;
  session.cipher_suite = handshake.suite.suite;
  session.secret = SessionSecret(handshake.main->view());
  session.ticket = std::move(handshake.ticket);
  // RFC 5077, 3.4: with a ticket, the session id means nothing.
  if (session.ticket.empty())
    session.session_id = std::move(handshake.session_id);
  session.lifetime = handshake.ticket_lifetime_hint == 0
                         ? limits::session12_lifetime
                         : std::min(handshake.ticket_lifetime_hint, limits::ticket_lifetime);
  session.received_at = config.clock().now();
  session.usable_until = handshake.identity_usable_until;
  session.server_name = context_->name.text();
  session.trust_identity = to_vector(config.trust_identity());
  session.application_protocol = info.application_protocol;
  session.group = info.group;
  session.signature_scheme = info.signature_scheme;
  session.extended_main_secret = handshake.extended_main_secret;
  session.raw_public_key = info.raw_public_key;
  session.peer_chain = chain_for_session(info);
  store->put(key, std::move(session));
}

// ---- the connection ----

TLSCONNECT_DECL Result<> Client12::on(Connected, const HandshakeMessage& message) {
  if (const Result<HelloRequest> decoded = decode<HelloRequest>(message.body); !decoded)
    return std::unexpected(decoded.error());
  // RFC 5246, 7.4.1.1 and RFC 9325, 3.5: a client need not renegotiate, and this one never does. A server that insists
  // would not go on without it, so the connection ends with the alert that says why, rather than hang.
  return fail(ErrorCode::renegotiation_refused, HelloRequest::name);
}

TLSCONNECT_DECL Result<> Client12::export_keying_material(std::string_view label, std::optional<BytesView> context,
                                                          Bytes out) const {
  const Connected* state = std::get_if<Connected>(&state_);
  if (!state)
    return fail(ErrorCode::export_not_available, "exporter", "the handshake is not complete");
  // RFC 7627, 1: without it, two connections can have the same main secret.
  if (!context_->info.extended_main_secret)
    return fail(ErrorCode::export_not_available, "exporter", "the server does not know the extended main secret");
  return state->main.export_keying_material(state->randoms, label, context, out);
}

TLSCONNECT_DECL std::optional<VerifyData12> Client12::tls_unique() const noexcept {
  const Connected* state = std::get_if<Connected>(&state_);
  if (!state || !context_->info.extended_main_secret)
    return std::nullopt;
  return state->first_finished;
}

// ---- what only the caller can supply ----

TLSCONNECT_DECL Interest Client12::awaited() const noexcept {
  if (std::holds_alternative<AwaitVerdict>(state_))
    return Interest::verdict;
  return std::holds_alternative<AwaitSignature>(state_) ? Interest::signature : Interest::none;
}

TLSCONNECT_DECL const ServerCertificate* Client12::awaiting_verdict() const noexcept {
  const AwaitVerdict* state = std::get_if<AwaitVerdict>(&state_);
  return state ? state->server.get() : nullptr;
}

TLSCONNECT_DECL const Client12::SignatureAwaited* Client12::awaiting_signature() const noexcept {
  const AwaitSignature* state = std::get_if<AwaitSignature>(&state_);
  return state ? &*state->completion->awaited : nullptr;
}

TLSCONNECT_DECL Result<> Client12::give_signature(Result<ByteVector> signature) {
  AwaitSignature* waiting = std::get_if<AwaitSignature>(&state_);
  if (!waiting)
    return fail(ErrorCode::nothing_awaited, "give_signature");
  if (!signature)
    return std::unexpected(std::move(signature.error()).at(CertificateVerify::name));
  AwaitSignature state = std::move(*waiting);
  const SignatureScheme scheme = state.completion->awaited->choice.scheme;
  return complete_flight(std::move(state.completion), CertificateVerify{scheme, *signature});
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
