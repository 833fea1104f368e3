// What a ServerHello must be (RFC 9846, 4.1.3 and 4.1.4).
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/handshake/negotiate.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

template <class T>
[[nodiscard]] bool listed(std::span<const T> list, T wanted) noexcept {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

/// The body of one extension, before the block as a whole is checked: the version decides how that is done.
TLSCONNECT_DECL Result<std::optional<BytesView>> peek_extension(BytesView block, ExtensionType wanted,
                                                                std::string_view where) noexcept {
  Reader reader(block);
  while (!reader.empty() && !reader.failed()) {
    ExtensionType type{};
    BytesView body;
    reader.number(type);
    reader.opaque16(body, 0, 0xFFFF);
    if (!reader.failed() && type == wanted)
      return body;
  }
  if (Result<> done = reader.finish(where); !done)
    return std::unexpected(std::move(done.error()));
  return std::nullopt;
}

/// A ServerHello that does not select TLS 1.3: TLS 1.2, when that was offered, or the end.
TLSCONNECT_DECL Result<ProtocolVersion> older_version(const ClientConfig& config, const ServerHello& message) noexcept {
  const bool tls12 = message.legacy_version == 0x0303 && config.offers(ProtocolVersion::tls1_2);
  // RFC 9846, 4.1.3: a server that knows TLS 1.3 and negotiates less marks its random; that it did so although we
  // offered TLS 1.3 means that somebody changed the ClientHello on its way. The mark for what is older than TLS 1.2 is
  // wrong for every client that offers TLS 1.2.
  const BytesView tail = BytesView(message.random).last(downgrade_to_tls12.size());
  const bool from_tls13 = equal(tail, downgrade_to_tls12) || equal(tail, downgrade_to_tls12_by_jdk11);
  if ((from_tls13 && (config.offers(ProtocolVersion::tls1_3) || !tls12)) || equal(tail, downgrade_to_tls11))
    return fail(ErrorCode::downgrade_detected, "ServerHello");
  if (tls12)
    return ProtocolVersion::tls1_2;
  return fail(ErrorCode::version_unsupported, "ServerHello",
              "the server selected " + std::string(name_of(static_cast<ProtocolVersion>(message.legacy_version))));
}

/// RFC 9846, 4.1.3 and 4.2.1: the version that a ServerHello or HelloRetryRequest selects.
TLSCONNECT_DECL Result<ProtocolVersion> selected_version(const ClientConfig& config, const ServerHello& message,
                                                         std::string_view where) noexcept {
  std::optional<BytesView> selected;
  // A client that did not offer TLS 1.3 did not send supported_versions: an answer to it is refused as unsolicited.
  if (message.extensions && config.offers(ProtocolVersion::tls1_3)) {
    Result<std::optional<BytesView>> found =
        peek_extension(*message.extensions, ExtensionType::supported_versions, where);
    if (!found)
      return std::unexpected(std::move(found.error()));
    selected = *found;
  }
  if (!selected)
    return older_version(config, message);
  Result<SelectedVersion> version = decode<SelectedVersion>(*selected);
  if (!version)
    return std::unexpected(std::move(version.error()));
  // RFC 9846, 4.2.1: only what was offered, and never a version before TLS 1.3.
  if (version->version != ProtocolVersion::tls1_3)
    return fail(ErrorCode::version_not_offered, where, std::string(name_of(version->version)));
  // RFC 9846, 4.1.3: TLS 1.3 hides behind the number of TLS 1.2.
  if (message.legacy_version != 0x0303)
    return fail(ErrorCode::legacy_version_wrong, where);
  return ProtocolVersion::tls1_3;
}

/// What ServerHello and HelloRetryRequest of TLS 1.3 have in common.
TLSCONNECT_DECL Result<SuiteParameters> check_common(const ClientConfig& config, const OfferedHello& hello,
                                                     const ServerHello& message, std::string_view where) noexcept {
  // RFC 9846, 4.1.3: the session id comes back as it was sent.
  if (!equal(message.legacy_session_id_echo, hello.session_id.view()))
    return fail(ErrorCode::session_id_not_echoed, where);
  // RFC 9846, 4.1.3: only a suite that was offered.
  const std::optional<SuiteParameters> suite = parameters_of(message.cipher_suite);
  if (!suite || !listed(config.cipher_suites(), message.cipher_suite))
    return fail(ErrorCode::cipher_suite_not_offered, where,
                "suite " + std::to_string(static_cast<unsigned>(message.cipher_suite)));
  // RFC 9846, 4.1.3: a byte that must be zero; one that is not makes another message of it.
  if (message.legacy_compression_method != 0)
    return std::unexpected(Error(ErrorCode::compression_not_null, where).with_alert(AlertDescription::decode_error));
  return *suite;
}

} // namespace detail

TLSCONNECT_DECL Result<> Negotiate::start() {
  Result<OfferedHello> hello = send_client_hello(*context_, *transcript_);
  if (!hello)
    return std::unexpected(std::move(hello.error()));
  state_.emplace<ExpectServerHello>(std::make_unique<OfferedHello>(std::move(*hello)));
  return {};
}

TLSCONNECT_DECL Result<> Negotiate::on(ExpectServerHello state, const HandshakeMessage& message) {
  Result<ServerHello> hello = decode<ServerHello>(message.body);
  if (!hello)
    return std::unexpected(std::move(hello.error()));
  // To a client that did not offer TLS 1.3 this random is one like any other.
  if (hello->is_hello_retry_request() && context_->config->offers(ProtocolVersion::tls1_3))
    return on_hello_retry_request(std::move(state.hello), *hello, message);
  return on_server_hello(std::move(state.hello), nullptr, *hello, message);
}

TLSCONNECT_DECL Result<> Negotiate::on(ExpectSecondServerHello state, const HandshakeMessage& message) {
  Result<ServerHello> hello = decode<ServerHello>(message.body);
  if (!hello)
    return std::unexpected(std::move(hello.error()));
  // RFC 9846, 4.1.4: at most one HelloRetryRequest in a handshake.
  if (hello->is_hello_retry_request())
    return fail(ErrorCode::second_retry_request, "HelloRetryRequest");
  return on_server_hello(std::move(state.hello), &state.retry, *hello, message);
}

TLSCONNECT_DECL Result<> Negotiate::on_hello_retry_request(OfferedHelloPtr hello, const ServerHello& message,
                                                           const HandshakeMessage& raw) {
  static constexpr std::string_view where = "HelloRetryRequest";
  const ClientConfig& config = *context_->config;
  // RFC 9846, 4.2.10: this refuses early data, whatever else it holds. The server passes over what is still protected,
  // so that an alert would not reach it under the early key.
  if (std::exchange(hello->early_data, false)) {
    context_->early_data_refused();
    context_->records.clear_write_protection();
  }
  const Result<ProtocolVersion> version = detail::selected_version(config, message, where);
  if (!version)
    return std::unexpected(version.error());
  // RFC 9846, 4.1.4: TLS 1.2 has no HelloRetryRequest.
  if (*version != ProtocolVersion::tls1_3)
    return fail(ErrorCode::version_unsupported, where, "it selects " + std::string(name_of(*version)));
  const Result<SuiteParameters> suite = detail::check_common(config, *hello, message, where);
  if (!suite)
    return std::unexpected(suite.error());
  const Result<ExtensionSet> extensions =
      ExtensionSet::parse(*message.extensions, ExtensionContext::hello_retry_request, hello->extensions, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  Retry retry;
  retry.cipher_suite = message.cipher_suite;
  if (const auto body = extensions->find(ExtensionType::key_share)) {
    const Result<RetryGroup> asked = decode<RetryGroup>(*body);
    if (!asked)
      return std::unexpected(asked.error());
    // RFC 9846, 4.2.8: the group must have been offered, and its share must not have been sent already.
    if (!detail::listed(config.groups(), asked->selected_group))
      return fail(ErrorCode::group_not_offered, where, std::string(name_of(asked->selected_group)));
    if (hello->shared_groups.contains(asked->selected_group))
      return fail(ErrorCode::group_already_shared, where, std::string(name_of(asked->selected_group)));
    retry.group = asked->selected_group;
  }
  if (const auto body = extensions->find(ExtensionType::cookie)) {
    const Result<Cookie> cookie = decode<Cookie>(*body);
    if (!cookie)
      return std::unexpected(cookie.error());
    retry.cookie = to_vector(cookie->cookie);
  }
  // RFC 9846, 4.1.4: a retry that changes nothing would go on for ever.
  if (!retry.group && !retry.cookie)
    return fail(ErrorCode::retry_without_change, where);
  // What the server says next, it says to the second hello.
  if (Result<Proof<RecordAligned>> aligned = context_->records.aligned(where); !aligned)
    return std::unexpected(std::move(aligned.error()));

  context_->info.hello_retry_request = true;
  if (Result<> started = transcript_->start(suite->hash); !started)
    return started;
  if (Result<> folded = transcript_->fold_first_hello(); !folded)
    return folded;
  if (Result<> added = transcript_->add(raw.bytes); !added)
    return added;
  Result<OfferedHello> second = send_second_client_hello(*context_, *transcript_, std::move(*hello), retry);
  if (!second)
    return std::unexpected(std::move(second.error()));
  *hello = std::move(*second);
  state_.emplace<ExpectSecondServerHello>(std::move(hello), std::move(retry));
  return {};
}

TLSCONNECT_DECL Result<> Negotiate::on_server_hello(OfferedHelloPtr hello, const Retry* retry,
                                                    const ServerHello& message, const HandshakeMessage& raw) {
  static constexpr std::string_view where = "ServerHello";
  const Result<ProtocolVersion> version = detail::selected_version(*context_->config, message, where);
  // RFC 9846, 4.1.4: the retry's version binds; another one now is not a failed negotiation.
  if (retry && version && *version != ProtocolVersion::tls1_3)
    return fail(ErrorCode::version_changed, where, std::string(name_of(*version)));
  if (!version) {
    const ErrorCode code = version.error().code();
    if (retry && (code == ErrorCode::version_unsupported || code == ErrorCode::version_not_offered))
      return fail(ErrorCode::version_changed, where, std::string(version.error().detail()));
    return std::unexpected(version.error());
  }
#if !defined(TLSCONNECT_WITHOUT_TLS12) // otherwise it is a version that is never offered
  if (*version == ProtocolVersion::tls1_2)
    return on_server_hello12(std::move(hello), message, raw);
#endif
  const Result<SuiteParameters> suite = detail::check_common(*context_->config, *hello, message, where);
  if (!suite)
    return std::unexpected(suite.error());
  // RFC 9846, 4.1.4: the retry's suite binds.
  if (retry && retry->cipher_suite != message.cipher_suite)
    return fail(ErrorCode::cipher_suite_changed, where, std::string(name_of(message.cipher_suite)));
  const Result<ExtensionSet> extensions =
      ExtensionSet::parse(*message.extensions, ExtensionContext::server_hello, hello->extensions, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  std::optional<AgreedPsk> psk;
  EarlySecret* early = nullptr;
  bool first_psk = false;
  std::uint16_t chosen_external = 0;
  if (const auto body = extensions->find(ExtensionType::pre_shared_key)) {
    const Result<SelectedIdentity> selected = decode<SelectedIdentity>(*body);
    if (!selected)
      return std::unexpected(selected.error());
    Result<Proof<PskAccepted>> accepted = PskAccepted::check(hello->psks, selected->selected_identity, suite->hash);
    if (!accepted)
      return std::unexpected(std::move(accepted.error()));
    OfferedPsk& chosen = hello->psks[selected->selected_identity];
    chosen_external = chosen.external_index;
    first_psk = selected->selected_identity == 0;
    early = &chosen.early_secret;
    psk.emplace(AgreedPsk{std::move(*accepted), std::move(chosen.session)});
  }

  const auto body = extensions->find(ExtensionType::key_share);
  // RFC 9846, 4.2.11: a key exchange was asked for with every pre-shared key.
  if (!body && psk)
    return fail(ErrorCode::psk_key_exchange_missing, where);
  // RFC 9846, 9.2: without a pre-shared key there must be a key share.
  if (!body)
    return fail(ErrorCode::extension_missing, where, "key_share");
  const Result<KeyShareEntry> share = decode<KeyShareEntry>(*body);
  if (!share)
    return std::unexpected(share.error());
  // RFC 9846, 4.2.8: the group that the retry asked for; otherwise one that a share was sent for.
  if (retry && retry->group && *retry->group != share->group)
    return fail(ErrorCode::group_not_the_retried, where, std::string(name_of(share->group)));
  KeyExchange* key = hello->key_for(share->group);
  if (!key)
    return fail(ErrorCode::group_not_offered, where, std::string(name_of(share->group)));
  // RFC 9846, 5.1: the keys change behind this message.
  Result<Proof<RecordAligned>> aligned = context_->records.aligned(where);
  if (!aligned)
    return std::unexpected(std::move(aligned.error()));

  Result<SharedSecret> shared_secret = std::move(*key).agree(share->group, share->key_exchange);
  if (!shared_secret)
    return std::unexpected(std::move(shared_secret.error()).at(where));

  if (Result<> started = transcript_->start(suite->hash); !started)
    return started;
  if (Result<> added = transcript_->add(raw.bytes); !added)
    return added;
  const Result<Digest> digest = transcript_->current();
  if (!digest)
    return std::unexpected(digest.error());

  Result<EarlySecret> without_psk = EarlySecret::without_psk(suite->hash);
  if (!without_psk)
    return std::unexpected(std::move(without_psk.error()));
  if (!early)
    early = &*without_psk;
  Result<HandshakeSecret> secret = std::move(*early).with_shared_secret(shared_secret->view());
  if (!secret)
    return std::unexpected(std::move(secret.error()));
  Result<TrafficSecret> server_secret = secret->server_handshake_traffic_secret(*digest);
  if (!server_secret)
    return std::unexpected(std::move(server_secret.error()));
  Result<TrafficSecret> client_secret = secret->client_handshake_traffic_secret(*digest);
  if (!client_secret)
    return std::unexpected(std::move(client_secret.error()));
  context_->log_secret(key_log_labels::client_handshake_traffic, hello->random, client_secret->view());
  context_->log_secret(key_log_labels::server_handshake_traffic, hello->random, server_secret->view());
  Result<ReadProtection> reading = read_protection(*suite, *server_secret);
  if (!reading)
    return std::unexpected(std::move(reading.error()));
  Result<WriteProtection> writing = write_protection(*suite, *client_secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  context_->records.set_read_protection(std::move(*aligned), std::move(*reading));
  // RFC 9846, 4.2.10: early data rests on the first key of the offer; EncryptedExtensions tells whether it is taken, and
  // until then this side stays with the early key, under which EndOfEarlyData will have to go.
  const bool early_data_pending = hello->early_data && psk && first_psk;
  if (!early_data_pending) {
    if (hello->early_data)
      context_->early_data_refused();
    context_->records.set_write_protection(std::move(*writing), context_->config->compatibility_mode());
  }

  ConnectionInfo& info = context_->info;
  info.version = ProtocolVersion::tls1_3;
  info.cipher_suite = message.cipher_suite;
  info.group = share->group;
  if (psk)
    info.psk = psk->session ? PskUse::resumption : PskUse::external;
  if (psk && !psk->session)
    info.external_psk = chosen_external;
  auto agreed = std::make_unique<Handshake13>(Handshake13{.suite = *suite,
                                                          .offered = hello->extensions,
                                                          .client_random = hello->random,
                                                          .secret = std::move(*secret),
                                                          .server_secret = std::move(*server_secret),
                                                          .client_secret = std::move(*client_secret),
                                                          .psk = std::move(psk),
                                                          .early_data_pending = early_data_pending,
                                                          .client_authentication = std::nullopt});
  state_.emplace<Negotiated13>(std::move(agreed));
  return {};
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
