// The extensions of the ClientHello, one function each, and the message around them.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/client_hello.hpp>
#include <tlsconnect/impl/config_access.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL KeyExchange* OfferedHello::key_for(NamedGroup group) noexcept {
  if (!shared_groups.contains(group))
    return nullptr;
  for (KeyExchange& key : keys)
    if (key.group() == group)
      return &key;
  for (KeyExchange& key : keys)
    if (key.component_group() == group)
      return &key;
  return nullptr;
}

namespace detail {

/// A recorded hello brings its own oddities.
TLSCONNECT_DECL bool uses_grease(const ClientConfig& config) noexcept {
  return config.grease() && ConfigAccess::hello_template(config).extensions.empty();
}

/// Writes the block of extensions of one ClientHello.
class HelloExtensions {
public:
  HelloExtensions(const HandshakeContext& context, OfferedHello& hello, const Retry* retry)
      : context_(&context), config_(context.config.get()), hello_(&hello), retry_(retry) {}

  /// The block's contents. Fails only where a configuration does not fit its field.
  Result<ByteVector> write() {
    const HelloTemplate& fixed = ConfigAccess::hello_template(*config_);
    if (!fixed.extensions.empty()) {
      for (const HelloTemplate::Item& item : fixed.extensions)
        if (retry_ || !item.only_after_retry)
          add(item.type, item.body);
      if (retry_ && retry_->cookie && !hello_->extensions.contains(ExtensionType::cookie))
        add(ExtensionType::cookie, std::nullopt);
    } else {
      write_usual();
    }
    if (problem_)
      return std::unexpected(std::move(*problem_));
    return std::move(block_);
  }

private:
  void write_usual() {
    auto order = std::to_array<ExtensionType>({
        ExtensionType::server_name,
        ExtensionType::supported_versions,
        ExtensionType::supported_groups,
        ExtensionType::signature_algorithms,
        ExtensionType::signature_algorithms_cert,
        ExtensionType::application_layer_protocol_negotiation,
        ExtensionType::status_request,
        ExtensionType::signed_certificate_timestamp,
        ExtensionType::compress_certificate,
        ExtensionType::server_certificate_type,
        ExtensionType::client_certificate_type,
        ExtensionType::record_size_limit,
        ExtensionType::extended_main_secret,
        ExtensionType::renegotiation_info,
        ExtensionType::ec_point_formats,
        ExtensionType::session_ticket,
        ExtensionType::post_handshake_auth,
        ExtensionType::psk_key_exchange_modes,
        ExtensionType::early_data,
        ExtensionType::cookie,
        ExtensionType::key_share,
    });
    if (config_->permute_extensions())
      hello_->choices.shuffle(order);
    // RFC 8701, 3.1: two extensions that mean nothing, one of them empty.
    if (uses_grease(*config_))
      append(hello_->choices.first_extension(), {});
    for (const ExtensionType type : order)
      add(type, std::nullopt);
    if (uses_grease(*config_))
      append(hello_->choices.last_extension(), BytesView(&zero_byte, 1));
    // RFC 9846, 4.2.11: always the last.
    add(ExtensionType::pre_shared_key, std::nullopt);
  }

  void add(ExtensionType type, const std::optional<ByteVector>& body) {
    ByteVector written;
    if (body)
      written = *body;
    else if (!write_body(type, written))
      return;
    append(type, written);
    if (!hello_->extensions.push_back(type))
      note(fail(ErrorCode::too_many_extensions, "ClientHello"));
  }
  /// Writes one that no answer may come to.
  void append(ExtensionType type, BytesView body) {
    Writer writer(block_);
    writer.number(type);
    writer.opaque16(body, 0, 0xFFFF);
    note(writer.finish("ClientHello"));
  }

  /// The values, with one that means nothing in front (RFC 8701, 3.1).
  template <class E>
  std::vector<E> greased(E grease, std::span<const E> values) const {
    std::vector<E> all;
    all.reserve(values.size() + 1);
    if (uses_grease(*config_))
      all.push_back(grease);
    all.insert(all.end(), values.begin(), values.end());
    return all;
  }

  /// False for an extension that this hello does without.
  bool write_body(ExtensionType type, ByteVector& body) {
    switch (type) {
    case ExtensionType::server_name: {
      // RFC 6066, 3: addresses are not permitted.
      if (!context_->name.is_dns())
        return false;
      ServerNameList list;
      (void)list.names.push_back({0, as_bytes(context_->name.text())});
      note(encode(list, body));
      return true;
    }
    case ExtensionType::supported_versions: {
      // RFC 9846, 4.2.1: it is what offers TLS 1.3; TLS 1.2 by itself stands in legacy_version.
      if (!tls13())
        return false;
      const auto all = greased(hello_->choices.version(), config_->versions());
      note(encode(OfferedVersions{CodeList<ProtocolVersion>(all)}, body));
      return true;
    }
    case ExtensionType::supported_groups: {
      const auto all = greased(hello_->choices.group(), config_->groups());
      note(encode(NamedGroupList{CodeList<NamedGroup>(all)}, body));
      return true;
    }
    case ExtensionType::signature_algorithms: {
      const auto all = greased(hello_->choices.signature_scheme(), config_->signature_schemes());
      note(encode(SignatureSchemeList{CodeList<SignatureScheme>(all)}, body));
      return true;
    }
    case ExtensionType::signature_algorithms_cert:
      note(encode(SignatureSchemeList{CodeList<SignatureScheme>(config_->certificate_signature_schemes())}, body));
      return true;
    case ExtensionType::application_layer_protocol_negotiation: {
      if (config_->alpn().empty())
        return false;
      ProtocolNames offered;
      for (const std::string& protocol : config_->alpn())
        (void)offered.names.push_back({as_bytes(protocol)});
      note(encode(offered, body));
      return true;
    }
    case ExtensionType::cookie:
      // RFC 9846, 4.2.2: the cookie of a HelloRetryRequest is returned as it came.
      if (!retry_ || !retry_->cookie)
        return false;
      note(encode(Cookie{*retry_->cookie}, body));
      return true;
    case ExtensionType::status_request:
      if (!config_->status_request())
        return false;
      note(encode(CertificateStatusRequest{}, body));
      return true;
    case ExtensionType::signed_certificate_timestamp:
      // RFC 6962, 3.3.1: the request is empty.
      return config_->signed_certificate_timestamps();
    case ExtensionType::compress_certificate: {
      // RFC 8879, 4: for TLS 1.3 only.
      std::vector<std::uint16_t> algorithms;
      for (const auto& decompressor : config_->certificate_decompressors())
        algorithms.push_back(static_cast<std::uint16_t>(decompressor->algorithm()));
      if (algorithms.empty() || !tls13())
        return false;
      note(encode(CompressionAlgorithms{CodeList<std::uint16_t>(algorithms)}, body));
      return true;
    }
    case ExtensionType::server_certificate_type: {
      if (!config_->raw_public_keys())
        return false;
      std::vector<CertificateType> types = {CertificateType::raw_public_key};
      if (config_->verifier())
        types.insert(config_->prefers_raw_public_keys() ? types.end() : types.begin(), CertificateType::x509);
      return write_types(types, body);
    }
    case ExtensionType::client_certificate_type:
      return write_types(config_->client_certificate_types(), body);
    case ExtensionType::record_size_limit:
      if (config_->record_size_limit() == 0)
        return false;
      // RFC 8449, 4: the limit of TLS 1.2 is 2^14, as the type is not counted.
      note(encode(
          RecordSizeLimit{tls13() ? config_->record_size_limit()
                                  : std::min<std::uint16_t>(config_->record_size_limit(), limits::record_plaintext)},
          body));
      return true;
    case ExtensionType::extended_main_secret:
      // RFC 7627, 5.1: the extension is empty.
      return tls12();
    case ExtensionType::renegotiation_info:
      // RFC 5746, 3.4: empty in a first handshake, and this client has no other.
      if (!tls12())
        return false;
      note(encode(RenegotiationInfo{}, body));
      return true;
    case ExtensionType::ec_point_formats: {
      // RFC 8422, 5.1.2: uncompressed points, and no others.
      if (!tls12())
        return false;
      static constexpr std::uint8_t formats[] = {PointFormats::uncompressed};
      note(encode(PointFormats{formats}, body));
      return true;
    }
    case ExtensionType::session_ticket:
      // RFC 5077, 3.2: the ticket, or nothing to ask for one.
      if (!tls12() || !config_->session_store())
        return false;
      if (hello_->session12)
        body = hello_->session12->ticket;
      return true;
    case ExtensionType::post_handshake_auth:
      // RFC 9846, 4.2.6: the extension is empty.
      return config_->post_handshake_auth() && tls13();
    case ExtensionType::psk_key_exchange_modes: {
      // RFC 9846, 4.2.9: without it a server gives no tickets, and accepts no key. Only with a key exchange. It stays
      // in a second hello that has no key left (4.1.2).
      if (!tls13() || (!config_->session_store() && config_->external_psks().empty()))
        return false;
      static constexpr std::uint8_t modes[] = {PskKeyExchangeModes::psk_dhe_ke};
      note(encode(PskKeyExchangeModes{modes}, body));
      return true;
    }
    case ExtensionType::early_data:
      // RFC 9846, 4.1.2: not in a second hello, as a retry puts an end to it.
      return hello_->early_data;
    case ExtensionType::pre_shared_key:
      if (hello_->psks.empty())
        return false;
      note(write_offered_psks(hello_->psks, body));
      return true;
    case ExtensionType::key_share: {
      if (!tls13())
        return false;
      OfferedKeyShares shares;
      // RFC 8701, 3.1: one byte for the group that means nothing, where there are shares at all. A retry's share stands
      // alone (RFC 9846, 4.1.2).
      if (uses_grease(*config_) && !hello_->shared_groups.empty() && !(retry_ && retry_->group))
        (void)shares.client_shares.push_back({hello_->choices.group(), BytesView(&zero_byte, 1)});
      for (const NamedGroup group : hello_->shared_groups)
        if (const KeyExchange* key = hello_->key_for(group))
          (void)shares.client_shares.push_back(
              {group, key->group() == group ? key->client_share() : key->component_share()});
      note(encode(shares, body));
      return true;
    }
    default:
      return false;
    }
  }

  [[nodiscard]] bool tls13() const noexcept { return config_->offers(ProtocolVersion::tls1_3); }
  [[nodiscard]] bool tls12() const noexcept { return config_->offers(ProtocolVersion::tls1_2); }

  /// RFC 7250, 4.1: certificates alone need no extension.
  bool write_types(std::span<const CertificateType> types, ByteVector& body) {
    if (std::find(types.begin(), types.end(), CertificateType::raw_public_key) == types.end())
      return false;
    ByteVector codes;
    for (const CertificateType one : types)
      codes.push_back(static_cast<std::uint8_t>(one));
    note(encode(OfferedCertificateTypes{codes}, body));
    return true;
  }

  void note(Result<> result) {
    if (!result && !problem_)
      problem_ = std::move(result.error());
  }

  static constexpr std::uint8_t zero_byte = 0;

  const HandshakeContext* context_;
  const ClientConfig* config_;
  OfferedHello* hello_;
  const Retry* retry_;
  ByteVector block_;
  std::optional<Error> problem_;
};

TLSCONNECT_DECL Result<> queue_client_hello(HandshakeContext& context, Transcript& transcript, OfferedHello& hello,
                                            const Retry* retry) {
  hello.extensions.clear();
  Result<ByteVector> extensions = HelloExtensions(context, hello, retry).write();
  if (!extensions)
    return std::unexpected(std::move(extensions.error()));
  static constexpr std::uint8_t null_compression[] = {0};
  std::vector<CipherSuite> suites(context.config->cipher_suites().begin(), context.config->cipher_suites().end());
  if (uses_grease(*context.config))
    suites.insert(suites.begin(), hello.choices.cipher_suite());
  ClientHello message;
  message.random = hello.random;
  message.legacy_session_id = hello.session_id.view();
  message.cipher_suites = CodeList<CipherSuite>(suites);
  message.legacy_compression_methods = null_compression;
  message.extensions = *extensions;
  ByteVector bytes;
  if (Result<> encoded = encode_handshake(message, bytes); !encoded)
    return encoded;
  if (!hello.psks.empty())
    if (Result<> filled = fill_binders(hello.psks, transcript, bytes); !filled)
      return filled;
  context.trace(ClientHello::type, true, bytes.size());
  if (Result<> added = transcript.add(bytes); !added)
    return added;
  return context.send_handshake(bytes);
}

/// Whether the early data that waits may be sent under a session (RFC 9846, 4.2.10): it permits some, and its suite and
/// protocol are on offer again.
TLSCONNECT_DECL bool permits_early_data(const HandshakeContext& context, const Session& session) noexcept {
  const auto suites = context.config->cipher_suites();
  return context.early_data_wanted && session.max_early_data > 0 &&
         std::find(suites.begin(), suites.end(), session.cipher_suite) != suites.end();
}

/// Sends early data behind the ClientHello.
TLSCONNECT_DECL Result<> queue_early_data(HandshakeContext& context, const Transcript& transcript,
                                          const OfferedHello& hello) {
  const OfferedPsk& psk = hello.psks.front();
  const SuiteParameters suite = *parameters_of(psk.session->cipher_suite);
  const Result<Digest> digest = transcript.with(suite.hash, {});
  if (!digest)
    return std::unexpected(digest.error());
  const Result<TrafficSecret> secret = psk.early_secret.client_early_traffic_secret(*digest);
  if (!secret)
    return std::unexpected(secret.error());
  context.log_secret(key_log_labels::client_early_traffic, hello.random, secret->view());
  Result<WriteProtection> writing = write_protection(suite, *secret);
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  context.records.set_write_protection(std::move(*writing), context.config->compatibility_mode());
  context.early_data_limit = psk.session->max_early_data;
  context.early_data_open = true;
  return context.send_early_data();
}

/// RFC 9846, 7.5: what can be exported before the handshake is complete rests on the first key of the offer.
TLSCONNECT_DECL Result<> make_early_exporter(HandshakeContext& context, const Transcript& transcript,
                                             const OfferedHello& hello) {
  const EarlySecret& early = hello.psks.front().early_secret;
  const Result<Digest> digest = transcript.with(early.hash(), {});
  if (!digest)
    return std::unexpected(digest.error());
  Result<ExporterSecret> secret = early.early_exporter_secret(*digest);
  if (!secret)
    return std::unexpected(std::move(secret.error()));
  context.log_secret(key_log_labels::early_exporter, hello.random, secret->view());
  context.early_exporter = std::make_unique<EarlyExporter>(early.hash(), std::move(*secret));
  return {};
}

} // namespace detail

TLSCONNECT_DECL Result<OfferedHello> send_client_hello(HandshakeContext& context, Transcript& transcript) {
  const ClientConfig& config = *context.config;
  OfferedHello hello;
  if (!config.rng().fill(hello.random))
    return fail(ErrorCode::random_source_failed, "ClientHello");
  const bool tls13 = config.offers(ProtocolVersion::tls1_3);
  std::optional<Session> session = session_to_offer(context);
  if (session && session->version == ProtocolVersion::tls1_2)
    hello.session12 = std::exchange(session, std::nullopt);
  if (hello.session12 && hello.session12->ticket.empty()) {
    // RFC 5246, 7.4.1.2: the server's name for the session.
    (void)hello.session_id.assign(hello.session12->session_id);
  } else if (hello.session12 || (tls13 && config.compatibility_mode())) {
    // RFC 5077, 3.4: a server that takes a ticket shows it by returning the session id that came with it.
    std::array<std::uint8_t, 32> session_id{};
    if (!config.rng().fill(session_id))
      return fail(ErrorCode::random_source_failed, "ClientHello");
    (void)hello.session_id.assign(session_id);
  }
  for (const NamedGroup group : config.key_shares()) {
    if (!hello.shared_groups.push_back(group))
      return fail(ErrorCode::configuration_invalid, "key_share", "too many groups");
    // The elliptic curve of a hybrid was drawn with it.
    if (hello.key_for(group))
      continue;
    Result<KeyExchange> key = KeyExchange::create(group, config.rng());
    if (!key)
      return std::unexpected(std::move(key.error()));
    hello.keys.push_back(std::move(*key));
  }
  if ((config.grease() || config.permute_extensions()) &&
      detail::ConfigAccess::hello_template(config).extensions.empty() && !config.rng().fill(hello.choices.drawn))
    return fail(ErrorCode::random_source_failed, "ClientHello");
  if (tls13) {
    Result<std::vector<OfferedPsk>> psks = psks_to_offer(context, std::move(session));
    if (!psks)
      return std::unexpected(std::move(psks.error()));
    hello.psks = std::move(*psks);
  }
  hello.early_data = !hello.psks.empty() && hello.psks.front().session &&
                     detail::permits_early_data(context, *hello.psks.front().session);

  if (Result<> queued = detail::queue_client_hello(context, transcript, hello, nullptr); !queued)
    return std::unexpected(std::move(queued.error()));
  if (!hello.psks.empty())
    if (Result<> made = detail::make_early_exporter(context, transcript, hello); !made)
      return std::unexpected(std::move(made.error()));
  if (hello.early_data)
    if (Result<> queued = detail::queue_early_data(context, transcript, hello); !queued)
      return std::unexpected(std::move(queued.error()));
  return hello;
}

TLSCONNECT_DECL Result<OfferedHello> send_second_client_hello(HandshakeContext& context, Transcript& transcript,
                                                              OfferedHello first, const Retry& retry) {
  OfferedHello hello = std::move(first);
  if (retry.group) {
    // RFC 9846, 4.1.2: the share that was asked for takes the place of all others.
    hello.keys.clear();
    hello.shared_groups = {*retry.group};
    Result<KeyExchange> key = KeyExchange::create(*retry.group, context.config->rng());
    if (!key)
      return std::unexpected(std::move(key.error()));
    hello.keys.push_back(std::move(*key));
  }
  // RFC 9846, 4.1.2: keys that do not go with the suite that the server has chosen are left out, and the ages of tickets
  // are made anew.
  const std::optional<SuiteParameters> suite = parameters_of(retry.cipher_suite);
  std::erase_if(hello.psks, [&](const OfferedPsk& psk) { return psk.early_secret.hash() != suite->hash; });
  for (OfferedPsk& psk : hello.psks)
    if (psk.session)
      psk.obfuscated_ticket_age = psk.session->obfuscated_age(context.config->clock().now());
  // What could be exported early rested on the first hello, which the server has put aside.
  context.early_exporter.reset();
  if (context.config->compatibility_mode())
    context.records.send_change_cipher_spec();
  if (Result<> queued = detail::queue_client_hello(context, transcript, hello, &retry); !queued)
    return std::unexpected(std::move(queued.error()));
  return hello;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
