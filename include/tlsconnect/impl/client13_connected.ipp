// The TLS 1.3 machine after the handshake: tickets, new keys, late requests for a certificate, exporters.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/client13.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<> Client13::on(Connected state, const HandshakeMessage& message) {
  if (++messages_ > limits::post_handshake_messages)
    return fail(ErrorCode::too_many_messages, name_of(message.type));
  Result<> result;
  switch (message.type) {
  case HandshakeType::key_update:
    result = on_key_update(state, message);
    break;
  case HandshakeType::certificate_request:
    result = on_certificate_request(state, message);
    break;
  default:
    result = on_new_session_ticket(state, message);
    break;
  }
  if (result)
    state_.emplace<Connected>(std::move(state));
  return result;
}

// ---- NewSessionTicket (RFC 9846, 4.6.1) ----

TLSCONNECT_DECL Result<> Client13::on_new_session_ticket(const Connected& state, const HandshakeMessage& message) {
  const Result<NewSessionTicket> ticket = decode<NewSessionTicket>(message.body);
  if (!ticket)
    return std::unexpected(ticket.error());
  const Result<ExtensionSet> extensions =
      ExtensionSet::parse(ticket->extensions, ExtensionContext::new_session_ticket, {}, NewSessionTicket::name);
  if (!extensions)
    return std::unexpected(extensions.error());
  EarlyDataLimit early_data;
  if (const auto body = extensions->find(ExtensionType::early_data)) {
    const Result<EarlyDataLimit> limit = decode<EarlyDataLimit>(*body);
    if (!limit)
      return std::unexpected(limit.error());
    early_data = *limit;
  }
  // RFC 9846, 4.6.1: a lifetime of zero means that the ticket is to be dropped; a client that does not resume drops all.
  if (!state.resumption || ticket->ticket_lifetime == 0 || ticket->ticket.size() > limits::ticket)
    return {};

  const ConnectionInfo& info = context_->info;
  const ClientConfig& config = *context_->config;
  Session session;
  session.version = ProtocolVersion::tls1_3;
  session.cipher_suite = state.suite.suite;
  session.secret = SessionSecret(hash_length(state.suite.hash));
  if (Result<> derived =
          ticket_psk(state.suite.hash, state.resumption->secret, ticket->ticket_nonce, session.secret.bytes());
      !derived)
    return derived;
  session.ticket = to_vector(ticket->ticket);
  session.lifetime = std::min(ticket->ticket_lifetime, limits::ticket_lifetime);
  session.age_add = ticket->ticket_age_add;
  // RFC 9846, 8.3: servers compare the age with their own, and some refuse early data with a ticket that is older to the
  // client than to them, be it by the part of a millisecond that rounding adds.
  session.received_at = config.clock().now_rounded_up();
  session.usable_until = info.psk == PskUse::external
                             ? session.received_at + std::int64_t{limits::ticket_lifetime} * 1000
                             : state.resumption->usable_until;
  session.max_early_data = early_data.max_early_data_size;
  session.server_name = context_->name.text();
  session.trust_identity = to_vector(config.trust_identity());
  session.application_protocol = info.application_protocol;
  session.group = info.group;
  session.signature_scheme = info.signature_scheme;
  session.raw_public_key = info.raw_public_key;
  session.peer_chain = chain_for_session(info);
  config.session_store()->put(session_key(context_->name, config.trust_identity()), std::move(session));
  return {};
}

// ---- KeyUpdate (RFC 9846, 4.6.3) ----

TLSCONNECT_DECL Result<> Client13::on_key_update(Connected& state, const HandshakeMessage& message) {
  static constexpr std::string_view where = KeyUpdate::name;
  const Result<KeyUpdate> update = decode<KeyUpdate>(message.body);
  if (!update)
    return std::unexpected(update.error());
  if (++key_updates_ > limits::key_updates)
    return fail(ErrorCode::too_many_key_updates, where);
  // RFC 9846, 5.1: the key changes behind this message.
  Result<Proof<RecordAligned>> aligned = context_->records.aligned(where);
  if (!aligned)
    return std::unexpected(std::move(aligned.error()));

  Result<TrafficSecret> next = next_generation(state.suite.hash, state.server_secret);
  if (!next)
    return std::unexpected(std::move(next.error()));
  state.server_secret = std::move(*next);
  Result<ReadProtection> reading = read_protection(state.suite, state.server_secret);
  if (!reading)
    return std::unexpected(std::move(reading.error()));
  context_->records.set_read_protection(std::move(*aligned), std::move(*reading));
  key_update_requested_ = false;

  // RFC 9846, 4.6.3: a request is answered before the next application data; however many come until then, once.
  if (update->request_update == KeyUpdateRequest::update_requested)
    key_update_owed_ = true;
  return {};
}

TLSCONNECT_DECL Result<> Client13::update_write_key(Connected& state, KeyUpdateRequest request) {
  // RFC 9846, 4.6.3: not while the answer to an earlier request is still to come.
  if (key_update_requested_)
    request = KeyUpdateRequest::update_not_requested;
  ByteVector message;
  if (Result<> encoded = encode_handshake(KeyUpdate{request}, message); !encoded)
    return encoded;
  if (Result<> sent = context_->records.send_handshake(message); !sent)
    return sent;
  key_update_owed_ = false;
  key_update_requested_ = key_update_requested_ || request == KeyUpdateRequest::update_requested;
  ++epoch_;
  Result<TrafficSecret> next = next_generation(state.suite.hash, state.client_secret);
  if (!next)
    return std::unexpected(std::move(next.error()));
  state.client_secret = std::move(*next);
  Result<WriteProtection> writing = write_protection(state.suite, state.client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  context_->records.set_write_protection(std::move(*writing), false);
  return {};
}

TLSCONNECT_DECL Result<> Client13::update_keys(KeyUpdateRequest request) {
  Connected* state = std::get_if<Connected>(&state_);
  if (!state)
    return fail(ErrorCode::not_connected, "update_keys");
  // RFC 9846, 4.6.3: the number of the epoch has 48 bits.
  if (epoch_ >= limits::key_epochs)
    return fail(ErrorCode::key_limit_reached, "update_keys");
  return update_write_key(*state, request);
}

TLSCONNECT_DECL Result<> Client13::before_application_data() {
  // RFC 9846, 5.5: a key is replaced before it has sealed too many records. RFC 9846, 4.6.3: and when the peer asks, but
  // not beyond the last epoch.
  Connected* state = std::get_if<Connected>(&state_);
  if (state && (key_update_owed_ || context_->records.wants_key_update()) && epoch_ < limits::key_epochs)
    return update_write_key(*state, KeyUpdateRequest::update_not_requested);
  return {};
}

TLSCONNECT_DECL void Client13::application_data_received() noexcept {
  key_updates_ = 0;
  messages_ = 0;
}

// ---- CertificateRequest after the handshake (RFC 9846, 4.6.2) ----

TLSCONNECT_DECL Result<> Client13::on_certificate_request(Connected& state, const HandshakeMessage& message) {
  // RFC 9846, 4.6.2: only for a client that has said post_handshake_auth.
  if (!state.authentication)
    return fail(ErrorCode::unexpected_message, Connected::name, std::string(name_of(message.type)));
  PostHandshakeAuthentication& authentication = *state.authentication;
  Result<ClientAuthentication> request =
      read_certificate_request(*context_, authentication.offered, authentication.raw_public_key, true, message);
  if (!request)
    return std::unexpected(std::move(request.error()));
  context_->info.certificate_requested = true;
  // RFC 9846, 6.1: nothing is sent after close_notify.
  if (context_->write_closed)
    return {};
  // RFC 9846, 4.4: what is signed and finished is the handshake with this request behind it.
  Result<Transcript> transcript = authentication.handshake.clone();
  if (!transcript)
    return std::unexpected(std::move(transcript.error()));
  auto pending = std::make_unique<PostHandshakeAuthentication::Pending>(
      PostHandshakeAuthentication::Pending{std::move(*transcript), std::move(*request), std::nullopt, std::nullopt});
  if (Result<> added = pending->transcript.add(message.bytes); !added)
    return added;
  pending->flight.emplace(*context_, pending->transcript);
  if (Result<> added = add_client_certificate(*context_, *pending->flight, pending->authentication); !added)
    return added;
  const std::optional<CredentialChoice> choice = pending->authentication.choice;
  authentication.pending = std::move(pending);
  if (!choice)
    return answer_certificate_request(state, std::nullopt);

  const Result<SignedContent> content = client_signed_content(authentication.pending->transcript);
  if (!content)
    return std::unexpected(content.error());
  const Signer& signer = context_->config->credentials()[choice->index].signer();
  authentication.pending->awaited.emplace(SignatureAwaited{*choice, *content});
  if (signer.signs_later())
    return {};
  const Result<ByteVector> signature = signer.sign(choice->scheme, content->view(), context_->config->rng());
  if (!signature)
    return std::unexpected(Error(signature.error()).at(CertificateVerify::name));
  return answer_certificate_request(state, CertificateVerify{choice->scheme, *signature});
}

TLSCONNECT_DECL Result<> Client13::answer_certificate_request(Connected& state,
                                                              std::optional<CertificateVerify> signature) {
  const auto pending = std::exchange(state.authentication->pending, nullptr);
  // RFC 9846, 6.1: nothing is sent after close_notify.
  if (context_->write_closed)
    return {};
  if (signature)
    if (Result<> added = pending->flight->add(*signature); !added)
      return added;
  const Result<Digest> digest = pending->transcript.current();
  if (!digest)
    return std::unexpected(digest.error());
  // RFC 9846, 4.4: the base key of this Finished is the current traffic secret.
  const Result<Digest> verify_data = finished_verify_data(state.suite.hash, state.client_secret, *digest);
  if (!verify_data)
    return std::unexpected(verify_data.error());
  if (Result<> added = pending->flight->add(Finished{verify_data->view()}); !added)
    return added;
  if (Result<> sent = pending->flight->send(); !sent)
    return sent;
  if (signature)
    note_client_certificate(context_->info, *pending->authentication.choice);
  return {};
}

// ---- exporters (RFC 9846, 7.5) ----

TLSCONNECT_DECL Result<> Client13::export_keying_material(std::string_view label, BytesView context,
                                                          Bytes out) const noexcept {
  const Connected* state = std::get_if<Connected>(&state_);
  if (!state)
    return fail(ErrorCode::export_not_available, "exporter", "the handshake is not complete");
  return tlsconnect::export_keying_material(state->suite.hash, state->exporter, label, context, out);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
