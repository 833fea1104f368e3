// The handlers of the TLS 1.3 machine, up to the end of the handshake.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/client13.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Client13::Client13(HandshakeContext& context, Transcript& transcript, Handshake13Ptr handshake) noexcept
    : context_(&context), transcript_(&transcript),
      state_(std::in_place_type<ExpectEncryptedExtensions>, std::move(handshake)) {}

// ---- EncryptedExtensions (RFC 9846, 4.3.1) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectEncryptedExtensions state, const HandshakeMessage& message) {
  static constexpr std::string_view where = EncryptedExtensions::name;
  Handshake13& handshake = *state.handshake;
  const Result<EncryptedExtensions> decoded = decode<EncryptedExtensions>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<ExtensionSet> extensions =
      ExtensionSet::parse(decoded->extensions, ExtensionContext::encrypted_extensions, handshake.offered, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  // RFC 6066, 3: the server acknowledges server_name with an empty body.
  if (const auto body = extensions->find(ExtensionType::server_name); body && !body->empty())
    return fail(ErrorCode::server_name_not_empty, where);
  // RFC 9846, 4.2.7: what the server would like to be offered next time; nothing follows from it, but it must be read.
  if (const auto body = extensions->find(ExtensionType::supported_groups))
    if (const Result<NamedGroupList> groups = decode<NamedGroupList>(*body); !groups)
      return std::unexpected(groups.error());
  if (const auto body = extensions->find(ExtensionType::application_layer_protocol_negotiation))
    if (Result<> read = read_alpn(*context_, *body, where); !read)
      return read;
  // RFC 8449, 4: each side says what it is willing to receive, once both have said so.
  if (const auto body = extensions->find(ExtensionType::record_size_limit)) {
    const Result<RecordSizeLimit> limit = decode<RecordSizeLimit>(*body);
    if (!limit)
      return std::unexpected(limit.error());
    context_->records.set_send_limit(limit->limit);
    context_->records.set_receive_limit(context_->config->record_size_limit());
  }
  const Result<CertificateTypes> types = selected_certificate_types(*context_->config, *extensions, where);
  if (!types)
    return std::unexpected(types.error());
  handshake.server_raw_public_key = types->server_raw_public_key;
  handshake.client_raw_public_key = types->client_raw_public_key;
  if (Result<> settled = settle_early_data(handshake, *extensions); !settled)
    return settled;

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  if (handshake.psk)
    return resume(std::move(state.handshake));
  state_.emplace<ExpectCertificateOrRequest>(std::move(state.handshake));
  return {};
}

TLSCONNECT_DECL Result<> Client13::settle_early_data(Handshake13& handshake, const ExtensionSet& extensions) {
  static constexpr std::string_view where = EncryptedExtensions::name;
  if (const auto body = extensions.find(ExtensionType::early_data)) {
    if (const Result<EmptyBody> empty = decode<EmptyBody>(*body); !empty)
      return std::unexpected(Error(empty.error()).at(where));
    // RFC 9846, 4.2.10: under the first key of the offer, with its suite and its protocol, or not at all.
    if (!handshake.early_data_pending)
      return fail(ErrorCode::early_data_not_acceptable, where, "another key, or none, was selected");
    const Session& session = *handshake.psk->session;
    if (handshake.suite.suite != session.cipher_suite)
      return fail(ErrorCode::early_data_not_acceptable, where, "another cipher suite was selected");
    if (context_->info.application_protocol != session.application_protocol)
      return fail(ErrorCode::early_data_not_acceptable, where, "another application protocol was selected");
    handshake.early_data_accepted = true;
    context_->early_data_taken();
    return {};
  }
  if (!std::exchange(handshake.early_data_pending, false))
    return {};
  context_->early_data_refused();
  Result<WriteProtection> writing = write_protection(handshake.suite, handshake.client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  // RFC 9846, E.4: if nothing was sent early, the change_cipher_spec is still to come.
  context_->records.set_write_protection(std::move(*writing), context_->config->compatibility_mode());
  return {};
}

TLSCONNECT_DECL Result<> Client13::resume(Handshake13Ptr handshake) {
  if (handshake->psk->session) {
    const Session& session = *handshake->psk->session;
    context_->info.signature_scheme = session.signature_scheme;
    handshake->identity_usable_until = session.usable_until;
    context_->info.verification = "resumed: the server holds the key of a session in which it was verified";
    Result<ServerCertificate> server = certificate_of_session(*context_, session);
    if (!server)
      return std::unexpected(std::move(server.error()));
    if (context_->config->verify_again_on_resumption() && !server->public_key.empty())
      return judge(std::move(handshake), std::move(*server));
  } else {
    context_->info.verification = "the server holds the external pre-shared key";
  }
  expect_finished(std::move(handshake));
  return {};
}

TLSCONNECT_DECL void Client13::expect_finished(Handshake13Ptr handshake) {
  // RFC 9846, 4.4.2: with a pre-shared key the server shows no certificate.
  Proof<ServerIdentity> identity = ServerIdentity::by_psk(std::move(handshake->psk->proof));
  state_.emplace<ExpectFinished>(std::move(handshake), std::move(identity));
}

// ---- CertificateRequest (RFC 9846, 4.3.2) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectCertificateOrRequest state, const HandshakeMessage& message) {
  if (message.type != HandshakeType::certificate_request)
    return on_certificate(std::move(state.handshake), message);
  Result<ClientAuthentication> request = read_certificate_request(
      *context_, state.handshake->offered, state.handshake->client_raw_public_key, false, message);
  if (!request)
    return std::unexpected(std::move(request.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  context_->info.certificate_requested = true;
  state.handshake->client_authentication = std::move(*request);
  state_.emplace<ExpectCertificate>(std::move(state.handshake));
  return {};
}

// ---- Certificate (RFC 9846, 4.4.2) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectCertificate state, const HandshakeMessage& message) {
  return on_certificate(std::move(state.handshake), message);
}

TLSCONNECT_DECL Result<> Client13::on_certificate(Handshake13Ptr handshake, const HandshakeMessage& message) {
  Result<ServerCertificate> server = read_server_certificate(*context_, *handshake, message);
  if (!server)
    return std::unexpected(std::move(server.error()));
  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  return judge(std::move(handshake), std::move(*server));
}

TLSCONNECT_DECL Result<> Client13::judge(Handshake13Ptr handshake, ServerCertificate server) {
  if (ServerChain::decided_later(*context_->config, server)) {
    state_.emplace<AwaitVerdict>(std::move(handshake), std::move(server));
    return {};
  }
  Result<ServerChain::Accepted> accepted = ServerChain::verify(*context_->config, context_->name, server);
  if (!accepted)
    return std::unexpected(std::move(accepted.error()));
  return judged(std::move(handshake), std::move(server), std::move(*accepted));
}

TLSCONNECT_DECL Result<> Client13::judged(Handshake13Ptr handshake, ServerCertificate server,
                                          ServerChain::Accepted accepted) {
  context_->info.server_status = accepted.how.server_status;
  if (handshake->psk) {
    context_->info.verification = "resumed; " + accepted.how.explanation;
    expect_finished(std::move(handshake));
    return {};
  }
  context_->info.verification = std::move(accepted.how.explanation);
  handshake->identity_usable_until = usable_until(*context_->config, server, accepted.how);
  state_.emplace<ExpectCertificateVerify>(std::move(handshake), std::move(server.public_key.front()),
                                          std::move(accepted.proof));
  return {};
}

TLSCONNECT_DECL Result<> Client13::give_verdict(Result<VerifiedChain> verdict) {
  AwaitVerdict* waiting = std::get_if<AwaitVerdict>(&state_);
  if (!waiting)
    return fail(ErrorCode::nothing_awaited, "give_verdict");
  AwaitVerdict state = std::move(*waiting);
  Result<ServerChain::Accepted> accepted = ServerChain::by_verdict(std::move(verdict));
  if (!accepted)
    return std::unexpected(std::move(accepted.error()));
  return judged(std::move(state.handshake), std::move(*state.server), std::move(*accepted));
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
      ServerSignature::verify(*context_->config, state.chain, state.key, *decoded, *digest);
  if (!signature)
    return std::unexpected(std::move(signature.error()));
  context_->info.signature_scheme = decoded->algorithm;

  if (Result<> added = transcript_->add(message.bytes); !added)
    return added;
  state_.emplace<ExpectFinished>(std::move(state.handshake),
                                 ServerIdentity::by_certificate(std::move(state.chain), std::move(*signature)));
  return {};
}

// ---- Finished (RFC 9846, 4.4.4) ----

TLSCONNECT_DECL Result<> Client13::on(ExpectFinished state, const HandshakeMessage& message) {
  static constexpr std::string_view where = Finished::name;
  const SuiteParameters suite = state.handshake->suite;
  const Result<Finished> decoded = decode<Finished>(message.body);
  if (!decoded)
    return std::unexpected(decoded.error());
  const Result<Digest> before = transcript_->current();
  if (!before)
    return std::unexpected(before.error());
  Result<Proof<ServerFinished>> finished =
      ServerFinished::verify(suite.hash, state.handshake->server_secret, *decoded, *before);
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
  Result<MainSecret> main = std::move(state.handshake->secret).to_main_secret();
  if (!main)
    return std::unexpected(std::move(main.error()));
  Result<TrafficSecret> server_secret = main->server_application_traffic_secret(*digest);
  if (!server_secret)
    return std::unexpected(std::move(server_secret.error()));
  Result<TrafficSecret> client_secret = main->client_application_traffic_secret(*digest);
  if (!client_secret)
    return std::unexpected(std::move(client_secret.error()));
  Result<ExporterSecret> exporter = main->exporter_secret(*digest);
  if (!exporter)
    return std::unexpected(std::move(exporter.error()));
  const Random& client_random = state.handshake->client_random;
  context_->log_secret(key_log_labels::client_application_traffic, client_random, client_secret->view());
  context_->log_secret(key_log_labels::server_application_traffic, client_random, server_secret->view());
  context_->log_secret(key_log_labels::exporter, client_random, exporter->view());
  Result<ReadProtection> reading = read_protection(suite, *server_secret);
  if (!reading)
    return std::unexpected(std::move(reading.error()));
  return begin_last_flight(std::make_unique<Completion>(Completion{.handshake = std::move(state.handshake),
                                                                   .identity = std::move(state.identity),
                                                                   .finished = std::move(*finished),
                                                                   .aligned = std::move(*aligned),
                                                                   .main = std::move(*main),
                                                                   .server_secret = std::move(*server_secret),
                                                                   .client_secret = std::move(*client_secret),
                                                                   .exporter = std::move(*exporter),
                                                                   .reading = std::move(*reading),
                                                                   .flight = Flight(*context_, *transcript_)}));
}

TLSCONNECT_DECL Result<> Client13::begin_last_flight(CompletionPtr completion) {
  Handshake13& handshake = *completion->handshake;
  if (handshake.early_data_accepted) {
    // RFC 9846, 4.5: the last message under the early key.
    context_->early_data_open = false;
    Flight end(*context_, *transcript_);
    if (Result<> added = end.add(EndOfEarlyData{}); !added)
      return added;
    if (Result<> sent = end.send(); !sent)
      return sent;
    Result<WriteProtection> writing = write_protection(handshake.suite, handshake.client_secret);
    if (!writing)
      return std::unexpected(std::move(writing.error()));
    context_->records.set_write_protection(std::move(*writing), false);
  }
  if (!handshake.client_authentication)
    return complete(std::move(completion), std::nullopt);
  if (Result<> added = add_client_certificate(*context_, completion->flight, *handshake.client_authentication); !added)
    return added;
  const std::optional<CredentialChoice> choice = handshake.client_authentication->choice;
  // RFC 9846, 4.4.2: nothing is signed for an empty Certificate.
  if (!choice)
    return complete(std::move(completion), std::nullopt);

  const Result<SignedContent> content = client_signed_content(*transcript_);
  if (!content)
    return std::unexpected(content.error());
  const Signer& signer = context_->config->credentials()[choice->index].signer();
  if (signer.signs_later()) {
    completion->awaited.emplace(SignatureAwaited{*choice, *content});
    state_.emplace<AwaitSignature>(std::move(completion));
    return {};
  }
  const Result<ByteVector> signature = signer.sign(choice->scheme, content->view(), context_->config->rng());
  if (!signature)
    return std::unexpected(Error(signature.error()).at(CertificateVerify::name));
  return complete(std::move(completion), CertificateVerify{choice->scheme, *signature});
}

TLSCONNECT_DECL Result<> Client13::complete(CompletionPtr completion, std::optional<CertificateVerify> signature) {
  const SuiteParameters suite = completion->handshake->suite;
  Flight& flight = completion->flight;
  if (signature)
    if (Result<> added = flight.add(*signature); !added)
      return added;
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());
  const Result<Digest> verify_data = finished_verify_data(suite.hash, completion->handshake->client_secret, *digest);
  if (!verify_data)
    return std::unexpected(verify_data.error());
  if (Result<> added = flight.add(Finished{verify_data->view()}); !added)
    return added;
  Result<WriteProtection> writing = write_protection(suite, completion->client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  // The last flight goes under the handshake's key; everything after it under the new one.
  if (Result<> sent = flight.send(); !sent)
    return sent;
  if (signature)
    note_client_certificate(context_->info, *completion->handshake->client_authentication->choice);
  context_->records.set_read_protection(std::move(completion->aligned), std::move(completion->reading));
  context_->records.set_write_protection(std::move(*writing), false);
  context_->records.handshake_is_over();

  Connected connected(suite, std::move(completion->server_secret), std::move(completion->client_secret),
                      std::move(completion->exporter), std::move(completion->identity),
                      std::move(completion->finished));
  const ClientConfig& config = *context_->config;
  if (config.session_store() && !config.trust_identity().empty()) {
    const Result<Digest> whole = transcript_->current();
    if (!whole)
      return std::unexpected(whole.error());
    Result<ResumptionSecret> secret = completion->main.resumption_secret(*whole);
    if (!secret)
      return std::unexpected(std::move(secret.error()));
    connected.resumption =
        std::make_unique<Resumption>(Resumption{std::move(*secret), completion->handshake->identity_usable_until});
  }
  if (config.post_handshake_auth()) {
    Result<Transcript> whole = transcript_->clone();
    if (!whole)
      return std::unexpected(std::move(whole.error()));
    connected.authentication = std::make_unique<PostHandshakeAuthentication>(PostHandshakeAuthentication{
        std::move(*whole), completion->handshake->offered, completion->handshake->client_raw_public_key, nullptr});
  }
  state_.emplace<Connected>(std::move(connected));
  return {};
}

// ---- what only the caller can supply ----

TLSCONNECT_DECL Interest Client13::awaited() const noexcept {
  if (std::holds_alternative<AwaitVerdict>(state_))
    return Interest::verdict;
  return awaiting_signature() ? Interest::signature : Interest::none;
}

TLSCONNECT_DECL const ServerCertificate* Client13::awaiting_verdict() const noexcept {
  const AwaitVerdict* state = std::get_if<AwaitVerdict>(&state_);
  return state ? state->server.get() : nullptr;
}

TLSCONNECT_DECL const Client13::SignatureAwaited* Client13::awaiting_signature() const noexcept {
  if (const AwaitSignature* state = std::get_if<AwaitSignature>(&state_))
    return &*state->completion->awaited;
  if (const Connected* state = std::get_if<Connected>(&state_))
    if (state->authentication && state->authentication->pending)
      return &*state->authentication->pending->awaited;
  return nullptr;
}

TLSCONNECT_DECL Result<> Client13::give_signature(Result<ByteVector> signature) {
  const SignatureAwaited* waiting = awaiting_signature();
  if (!waiting)
    return fail(ErrorCode::nothing_awaited, "give_signature");
  if (!signature)
    return std::unexpected(std::move(signature.error()).at(CertificateVerify::name));
  const CertificateVerify verify{waiting->choice.scheme, *signature};
  if (Connected* connected = std::get_if<Connected>(&state_))
    return answer_certificate_request(*connected, verify);
  AwaitSignature state = std::move(std::get<AwaitSignature>(state_));
  return complete(std::move(state.completion), verify);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
