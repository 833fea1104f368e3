// The handlers of the TLS 1.3 machine.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/client13.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Client13::Client13(HandshakeContext& context, Transcript& transcript, Negotiated13 negotiated) noexcept
    : context_(&context), transcript_(&transcript),
      state_(std::in_place_type<ExpectEncryptedExtensions>,
             Common{negotiated.suite, negotiated.offered, std::move(negotiated.secret),
                    std::move(negotiated.server_secret), std::move(negotiated.client_secret)}) {}

// ---- EncryptedExtensions (RFC 9846, 4.3.1) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectEncryptedExtensions state, const HandshakeMessage& message) {
  static constexpr std::string_view where = EncryptedExtensions::name;
  const Result<EncryptedExtensions> decoded = decode<EncryptedExtensions>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<ExtensionSet> extensions = ExtensionSet::parse(
      decoded->extensions, ExtensionContext::encrypted_extensions, state.common.offered, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  // RFC 6066, 3: the server acknowledges server_name with an empty body.
  if (const auto body = extensions->find(ExtensionType::server_name); body && !body->empty())
    return fail(ErrorCode::server_name_not_empty, where);
  // RFC 9846, 4.2.7: what the server would like to be offered next time; nothing follows from it, but it must be read.
  if (const auto body = extensions->find(ExtensionType::supported_groups))
    if (const Result<NamedGroupList> groups = decode<NamedGroupList>(*body); !groups)
      return std::unexpected(groups.error());
  if (const auto body = extensions->find(ExtensionType::application_layer_protocol_negotiation)) {
    const Result<ProtocolNames> selected = decode<ProtocolNames>(*body);
    if (!selected)
      return std::unexpected(selected.error());
    // RFC 7301, 3.1: the answer holds exactly one name.
    if (selected->names.size() != 1)
      return fail(ErrorCode::field_out_of_range, where, "application_layer_protocol_negotiation");
    // RFC 7301, 3.2: and it is one that was offered.
    const std::string_view name = as_text(selected->names[0].text);
    const std::span<const std::string> offered = context_->config->alpn();
    if (std::find(offered.begin(), offered.end(), name) == offered.end())
      return fail(ErrorCode::alpn_not_offered, where);
    context_->info.application_protocol.assign(name);
  }

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  state_.emplace<ExpectCertificateOrRequest>(std::move(state.common));
  return {};
}

// ---- CertificateRequest (RFC 9846, 4.3.2) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectCertificateOrRequest state, const HandshakeMessage& message) {
  if (message.type == HandshakeType::certificate)
    return on_certificate(std::move(state.common), message);

  static constexpr std::string_view where = CertificateRequest::name;
  const Result<CertificateRequest> request = decode<CertificateRequest>(message.body);
  if (!request)
    return std::unexpected(request.error());
  // RFC 9846, 4.3.2: the context is empty unless the request comes after the handshake.
  if (!request->certificate_request_context.empty())
    return fail(ErrorCode::certificate_request_context_not_empty, where);
  const Result<ExtensionSet> extensions = ExtensionSet::parse(
      request->extensions, ExtensionContext::certificate_request, state.common.offered, where);
  if (!extensions)
    return std::unexpected(extensions.error());
  // RFC 9846, 4.3.2: signature_algorithms must be there.
  const auto body = extensions->find(ExtensionType::signature_algorithms);
  if (!body)
    return fail(ErrorCode::extension_missing, where, "signature_algorithms");
  if (const Result<SignatureSchemeList> schemes = decode<SignatureSchemeList>(*body); !schemes)
    return std::unexpected(schemes.error());

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  context_->info.certificate_requested = true;
  state.common.certificate_requested = true;
  state_.emplace<ExpectCertificate>(std::move(state.common));
  return {};
}

// ---- Certificate (RFC 9846, 4.4.2) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectCertificate state, const HandshakeMessage& message) {
  return on_certificate(std::move(state.common), message);
}

TLSCONNECT_DECL Result<> Client13::on_certificate(Common common, const HandshakeMessage& message) {
  static constexpr std::string_view where = CertificateMessage::name;
  const Result<CertificateMessage> decoded = decode<CertificateMessage>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  // RFC 9846, 4.4.2: a server answers no request, so there is no context.
  if (!decoded->certificate_request_context.empty())
    return fail(ErrorCode::certificate_request_context_not_empty, where);
  // RFC 9846, 4.4.2.4: a server always has a certificate.
  if (decoded->certificate_list.empty())
    return fail(ErrorCode::certificate_list_empty, where);

  std::vector<Certificate> chain;
  std::vector<ByteVector> kept;
  chain.reserve(decoded->certificate_list.size());
  kept.reserve(decoded->certificate_list.size());
  for (const CertificateEntry& entry : decoded->certificate_list) {
    // RFC 9846, 4.4.2: an entry's extensions answer the ClientHello's.
    if (const Result<ExtensionSet> extensions =
            ExtensionSet::parse(entry.extensions, ExtensionContext::certificate, common.offered, where);
        !extensions)
      return std::unexpected(extensions.error());
    Result<Certificate> certificate = Certificate::from_der(entry.cert_data);
    if (!certificate)
      return std::unexpected(std::move(certificate.error()).at(where));
    chain.push_back(std::move(*certificate));
    kept.push_back(to_vector(entry.cert_data));
  }
  // Kept whatever the verdict is: after a refusal it shows what was refused.
  context_->info.peer_chain = std::move(kept);

  Result<ServerChain::Accepted> accepted = ServerChain::verify(*context_->config, context_->name, chain);
  if (!accepted)
    return std::unexpected(std::move(accepted.error()));
  context_->info.verification = std::move(accepted->how.explanation);

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  state_.emplace<ExpectCertificateVerify>(std::move(common), std::move(chain.front()), std::move(accepted->proof));
  return {};
}

// ---- CertificateVerify (RFC 9846, 4.4.3) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectCertificateVerify state, const HandshakeMessage& message) {
  const Result<CertificateVerify> decoded = decode<CertificateVerify>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  Result<Proof<ServerSignature>> signature =
      ServerSignature::verify(*context_->config, state.chain, state.certificate, *decoded, *digest);
  if (!signature)
    return std::unexpected(std::move(signature.error()));
  context_->info.signature_scheme = decoded->algorithm;

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  state_.emplace<ExpectFinished>(std::move(state.common), std::move(state.chain), std::move(*signature));
  return {};
}

// ---- Finished (RFC 9846, 4.4.4) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectFinished state, const HandshakeMessage& message) {
  static constexpr std::string_view where = Finished::name;
  const HashAlgorithm hash = state.common.suite.hash;
  const Result<Finished> decoded = decode<Finished>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<Digest> before = transcript_->current();
  if (!before)
    return std::unexpected(before.error());
  Result<Proof<ServerFinished>> finished =
      ServerFinished::verify(hash, state.common.server_secret, *decoded, *before);
  if (!finished)
    return std::unexpected(std::move(finished.error()));
  // RFC 9846, 5.1: the keys change behind this message.
  Result<Proof<RecordAligned>> aligned = context_->records.aligned(where);
  if (!aligned)
    return std::unexpected(std::move(aligned.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;

  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  Result<MainSecret> main = std::move(state.common.secret).to_main_secret();
  if (!main)
    return std::unexpected(std::move(main.error()));
  Result<TrafficSecret> server_secret = main->server_application_traffic_secret(*digest);
  if (!server_secret)
    return std::unexpected(std::move(server_secret.error()));
  Result<TrafficSecret> client_secret = main->client_application_traffic_secret(*digest);
  if (!client_secret)
    return std::unexpected(std::move(client_secret.error()));
  Result<ReadProtection> reading = read_protection(state.common.suite, *server_secret);
  if (!reading)
    return std::unexpected(std::move(reading.error()));
  Result<WriteProtection> writing = write_protection(state.common.suite, *client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));

  // The last flight goes under the handshake's key; everything after it under the new one.
  if (Result<> sent = finish_flight(state.common); !sent)
    return sent;
  context_->records.set_read_protection(std::move(*aligned), std::move(*reading));
  context_->records.set_write_protection(std::move(*writing), false);
  context_->records.handshake_is_over();
  state_.emplace<Connected>(state.common.suite, std::move(*server_secret), std::move(*client_secret),
                            std::move(state.chain), std::move(state.signature), std::move(*finished));
  return {};
}

TLSCONNECT_DECL Result<> Client13::finish_flight(const Common& common) {
  Flight flight(*context_, *transcript_);
  // RFC 9846, 4.4.2: a request is answered even by a client that has no certificate, with an empty list.
  if (common.certificate_requested)
    if (Result<> added = flight.add(CertificateMessage{}); !added)
      return added;
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  const Result<Digest> verify_data = finished_verify_data(common.suite.hash, common.client_secret, *digest);
  if (!verify_data)
    return std::unexpected(verify_data.error());
  if (Result<> added = flight.add(Finished{verify_data->view()}); !added)
    return added;
  return flight.send();
}

// ---- after the handshake (RFC 9846, 4.6) ----

TLSCONNECT_DECL Result<> Client13::on(Connected state, const HandshakeMessage& message) {
  if (++messages_ > limits::post_handshake_messages)
    return fail(ErrorCode::too_many_messages, name_of(message.type));
  Result<> result =
      message.type == HandshakeType::key_update ? on_key_update(state, message) : on_new_session_ticket(message);
  if (result)
    state_.emplace<Connected>(std::move(state));
  return result;
}

TLSCONNECT_DECL Result<> Client13::on_new_session_ticket(const HandshakeMessage& message) {
  const Result<NewSessionTicket> ticket = decode<NewSessionTicket>(message.body);
  if (!ticket)
    return std::unexpected(ticket.error());
  if (const Result<ExtensionSet> extensions =
          ExtensionSet::parse(ticket->extensions, ExtensionContext::new_session_ticket, {}, NewSessionTicket::name);
      !extensions)
    return std::unexpected(extensions.error());
  // RFC 9846, 4.6.1: a client that does not resume ignores tickets.
  return {};
}

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

  // RFC 9846, 4.6.3: a request is answered with a KeyUpdate of our own that requests nothing. While one is still
  // waiting to be sent, it answers for those that came since.
  if (update->request_update == KeyUpdateRequest::update_requested && !key_update_answer_queued_)
    return update_write_key(state);
  return {};
}

TLSCONNECT_DECL Result<> Client13::update_write_key(Connected& state) {
  // RFC 9846, 6.1: nothing is sent after close_notify.
  if (context_->write_closed)
    return {};
  ByteVector message;
  if (Result<> encoded = encode_handshake(KeyUpdate{KeyUpdateRequest::update_not_requested}, message); !encoded)
    return encoded;
  if (Result<> sent = context_->records.send_handshake(message); !sent)
    return sent;
  Result<TrafficSecret> next = next_generation(state.suite.hash, state.client_secret);
  if (!next)
    return std::unexpected(std::move(next.error()));
  state.client_secret = std::move(*next);
  Result<WriteProtection> writing = write_protection(state.suite, state.client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  context_->records.set_write_protection(std::move(*writing), false);
  key_update_answer_queued_ = true;
  return {};
}

TLSCONNECT_DECL Result<> Client13::before_application_data() {
  // RFC 9846, 5.5: a key is replaced before it has sealed too many records.
  Connected* state = std::get_if<Connected>(&state_);
  if (state && context_->records.wants_key_update())
    return update_write_key(*state);
  return {};
}

TLSCONNECT_DECL void Client13::application_data_received() noexcept {
  key_updates_ = 0;
  messages_ = 0;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
