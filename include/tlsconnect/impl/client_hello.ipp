// The extensions of the ClientHello, one function each, and the message around them.
#pragma once

#include <algorithm>
#include <utility>

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
      for (const ExtensionType type : usual_order)
        add(type, std::nullopt);
    }
    if (problem_)
      return std::unexpected(std::move(*problem_));
    return std::move(block_);
  }

private:
  static constexpr auto usual_order = std::to_array<ExtensionType>({
      ExtensionType::server_name,
      ExtensionType::supported_versions,
      ExtensionType::supported_groups,
      ExtensionType::signature_algorithms,
      ExtensionType::signature_algorithms_cert,
      ExtensionType::application_layer_protocol_negotiation,
      ExtensionType::cookie,
      ExtensionType::key_share,
  });

  void add(ExtensionType type, const std::optional<ByteVector>& body) {
    ByteVector written;
    if (body)
      written = *body;
    else if (!write_body(type, written))
      return;
    Writer writer(block_);
    writer.number(type);
    writer.opaque16(written, 0, 0xFFFF);
    note(writer.finish("ClientHello"));
    if (!hello_->extensions.push_back(type))
      note(fail(ErrorCode::too_many_extensions, "ClientHello"));
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
      static constexpr ProtocolVersion versions[] = {ProtocolVersion::tls1_3};
      note(encode(OfferedVersions{CodeList<ProtocolVersion>(versions)}, body));
      return true;
    }
    case ExtensionType::supported_groups:
      note(encode(NamedGroupList{CodeList<NamedGroup>(config_->groups())}, body));
      return true;
    case ExtensionType::signature_algorithms:
      note(encode(SignatureSchemeList{CodeList<SignatureScheme>(config_->signature_schemes())}, body));
      return true;
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
    case ExtensionType::key_share: {
      OfferedKeyShares shares;
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

  void note(Result<> result) {
    if (!result && !problem_)
      problem_ = std::move(result.error());
  }

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
  ClientHello message;
  message.random = hello.random;
  message.legacy_session_id = hello.session_id.view();
  message.cipher_suites = CodeList<CipherSuite>(context.config->cipher_suites());
  message.legacy_compression_methods = null_compression;
  message.extensions = *extensions;
  Flight flight(context, transcript);
  if (Result<> added = flight.add(message); !added)
    return added;
  return flight.send();
}

} // namespace detail

TLSCONNECT_DECL Result<OfferedHello> send_client_hello(HandshakeContext& context, Transcript& transcript) {
  const ClientConfig& config = *context.config;
  OfferedHello hello;
  if (!config.rng().fill(hello.random))
    return fail(ErrorCode::random_source_failed, "ClientHello");
  if (config.compatibility_mode()) {
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
  if (Result<> queued = detail::queue_client_hello(context, transcript, hello, nullptr); !queued)
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
  if (context.config->compatibility_mode())
    context.records.send_change_cipher_spec();
  if (Result<> queued = detail::queue_client_hello(context, transcript, hello, &retry); !queued)
    return std::unexpected(std::move(queued.error()));
  return hello;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
