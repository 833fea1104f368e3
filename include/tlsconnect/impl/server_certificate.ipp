// Reading what the server shows of itself.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/handshake/server_certificate.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// RFC 8879, 4: the Certificate message that a CompressedCertificate stands for.
TLSCONNECT_DECL Result<ByteVector> decompress_certificate(HandshakeContext& context, BytesView body) {
  static constexpr std::string_view where = CompressedCertificate::name;
  const Result<CompressedCertificate> compressed = decode<CompressedCertificate>(body);
  if (!compressed)
    return std::unexpected(compressed.error());
  const CertificateDecompressor* decompressor = nullptr;
  for (const auto& one : context.config->certificate_decompressors())
    if (static_cast<std::uint16_t>(one->algorithm()) == compressed->algorithm)
      decompressor = one.get();
  // RFC 8879, 4: only what was offered.
  if (!decompressor)
    return fail(ErrorCode::certificate_compression_not_offered, where,
                "algorithm " + std::to_string(compressed->algorithm));
  // RFC 8879, 5: the length is checked before anything is decompressed, and it bounds what may come out.
  if (compressed->uncompressed_length > limits::decompressed_certificate)
    return fail(ErrorCode::certificate_decompression_failed, where,
                std::to_string(compressed->uncompressed_length) + " bytes are more than this client accepts");
  ByteVector message(compressed->uncompressed_length);
  if (!decompressor->decompress(compressed->compressed_certificate_message, message))
    return fail(ErrorCode::certificate_decompression_failed, where);
  context.info.certificate_compression = compressed->algorithm;
  return message;
}

/// What came with one certificate, copied.
TLSCONNECT_DECL Result<PeerStatus> read_status(const ExtensionSet& extensions) {
  PeerStatus status;
  if (const auto body = extensions.find(ExtensionType::status_request)) {
    const Result<CertificateStatus> decoded = decode<CertificateStatus>(*body);
    if (!decoded)
      return std::unexpected(decoded.error());
    status.ocsp_response = to_vector(decoded->ocsp_response);
  }
  if (const auto body = extensions.find(ExtensionType::signed_certificate_timestamp)) {
    if (const Result<SignedCertificateTimestampList> list = decode<SignedCertificateTimestampList>(*body); !list)
      return std::unexpected(list.error());
    status.sct_list = to_vector(*body);
  }
  return status;
}

} // namespace detail

TLSCONNECT_DECL Result<ServerCertificate> open_peer_chain(const ConnectionInfo& info) {
  ServerCertificate server;
  if (info.raw_public_key) {
    // RFC 7250, 3: the certificate's place holds a SubjectPublicKeyInfo.
    Result<PublicKey> key = PublicKey::from_spki(info.peer_chain.front());
    if (!key)
      return std::unexpected(std::move(key.error()).at(CertificateMessage::name));
    server.public_key.push_back(std::move(*key));
    return server;
  }
  server.chain.reserve(info.peer_chain.size());
  for (const ByteVector& der : info.peer_chain) {
    Result<Certificate> certificate = Certificate::from_der(der);
    if (!certificate)
      return std::unexpected(std::move(certificate.error()).at(CertificateMessage::name));
    server.chain.push_back(std::move(*certificate));
  }
  Result<PublicKey> key = server.chain.front().public_key();
  if (!key)
    return std::unexpected(std::move(key.error()).at(CertificateMessage::name));
  server.public_key.push_back(std::move(*key));
  for (const PeerStatus& status : info.peer_status)
    server.status.push_back({status.ocsp_response, status.sct_list});
  return server;
}

TLSCONNECT_DECL Result<ServerCertificate>
read_server_certificate(HandshakeContext& context, const Handshake13& handshake, const HandshakeMessage& message) {
  static constexpr std::string_view where = CertificateMessage::name;
  ByteVector decompressed;
  BytesView body = message.body;
  if (message.type == HandshakeType::compressed_certificate) {
    // RFC 8879, 4: only where compress_certificate was offered.
    if (!handshake.offered.contains(ExtensionType::compress_certificate))
      return fail(ErrorCode::unexpected_message, where, std::string(name_of(message.type)));
    Result<ByteVector> plain = detail::decompress_certificate(context, message.body);
    if (!plain)
      return std::unexpected(std::move(plain.error()));
    decompressed = std::move(*plain);
    body = decompressed;
  }
  const Result<CertificateMessage> decoded = decode<CertificateMessage>(body);
  if (!decoded)
    return std::unexpected(decoded.error());
  // RFC 9846, 4.4.2: a server answers no request, so there is no context.
  if (!decoded->certificate_request_context.empty())
    return fail(ErrorCode::certificate_request_context_not_empty, where);
  // RFC 9846, 4.4.2.4: a server always has a certificate.
  if (decoded->certificate_list.empty())
    return fail(ErrorCode::certificate_list_empty, where);
  // RFC 9846, 4.4.2: a raw public key stands alone.
  if (handshake.server_raw_public_key && decoded->certificate_list.size() != 1)
    return fail(ErrorCode::field_out_of_range, where, "more than one raw public key");

  std::vector<ByteVector> kept;
  std::vector<PeerStatus> statuses;
  bool any_status = false;
  kept.reserve(decoded->certificate_list.size());
  for (const CertificateEntry& entry : decoded->certificate_list) {
    // RFC 9846, 4.4.2: an entry's extensions answer the ClientHello's.
    const Result<ExtensionSet> extensions =
        ExtensionSet::parse(entry.extensions, ExtensionContext::certificate, handshake.offered, where);
    if (!extensions)
      return std::unexpected(extensions.error());
    Result<PeerStatus> status = detail::read_status(*extensions);
    if (!status)
      return std::unexpected(std::move(status.error()));
    any_status = any_status || !status->ocsp_response.empty() || !status->sct_list.empty();
    kept.push_back(to_vector(entry.cert_data));
    statuses.push_back(std::move(*status));
  }
  context.info.peer_chain = std::move(kept);
  if (any_status)
    context.info.peer_status = std::move(statuses);
  context.info.raw_public_key = handshake.server_raw_public_key;
  return open_peer_chain(context.info);
}

TLSCONNECT_DECL std::int64_t usable_until(const ClientConfig& config, const ServerCertificate& server,
                                          const VerifiedChain& verified) noexcept {
  std::int64_t until = config.clock().now() + std::int64_t{limits::ticket_lifetime} * 1000;
  if (verified.valid_until < until / 1000)
    until = std::max<std::int64_t>(verified.valid_until, 0) * 1000;
  for (const Certificate& certificate : verified.path.empty() ? server.chain : verified.path)
    until = std::min(until, certificate.not_after() * 1000);
  return until;
}

TLSCONNECT_DECL Result<ServerCertificate> certificate_of_session(HandshakeContext& context, const Session& session) {
  ConnectionInfo& info = context.info;
  info.raw_public_key = session.raw_public_key;
  info.peer_chain.clear();
  info.peer_status.clear();
  bool any_status = false;
  for (const SessionCertificate& certificate : session.peer_chain) {
    info.peer_chain.push_back(certificate.der);
    info.peer_status.push_back({certificate.ocsp_response, certificate.sct_list});
    any_status = any_status || !certificate.ocsp_response.empty() || !certificate.sct_list.empty();
  }
  if (!any_status)
    info.peer_status = std::vector<PeerStatus>();
  if (info.peer_chain.empty())
    return ServerCertificate{};
  return open_peer_chain(info);
}

TLSCONNECT_DECL std::vector<SessionCertificate> chain_for_session(const ConnectionInfo& info) {
  std::vector<SessionCertificate> chain;
  chain.reserve(info.peer_chain.size());
  for (std::size_t i = 0; i < info.peer_chain.size(); ++i) {
    SessionCertificate certificate{info.peer_chain[i], {}, {}};
    if (i < info.peer_status.size()) {
      certificate.ocsp_response = info.peer_status[i].ocsp_response;
      certificate.sct_list = info.peer_status[i].sct_list;
    }
    chain.push_back(std::move(certificate));
  }
  return chain;
}

namespace detail {

TLSCONNECT_DECL Result<bool> selects_raw_public_key(const ExtensionSet& extensions, ExtensionType which,
                                                    bool x509_offered, std::string_view where) noexcept {
  const auto body = extensions.find(which);
  if (!body)
    return false;
  const Result<SelectedCertificateType> selected = decode<SelectedCertificateType>(*body);
  if (!selected)
    return std::unexpected(selected.error());
  if (selected->type == CertificateType::raw_public_key)
    return true;
  if (selected->type == CertificateType::x509 && x509_offered)
    return false;
  return fail(ErrorCode::certificate_type_not_offered, where,
              "type " + std::to_string(static_cast<unsigned>(selected->type)));
}

} // namespace detail

TLSCONNECT_DECL Result<CertificateTypes> selected_certificate_types(const ClientConfig& config,
                                                                    const ExtensionSet& extensions,
                                                                    std::string_view where) noexcept {
  const Result<bool> server = detail::selects_raw_public_key(extensions, ExtensionType::server_certificate_type,
                                                             config.verifier() != nullptr, where);
  if (!server)
    return std::unexpected(server.error());
  const auto types = config.client_certificate_types();
  const Result<bool> client = detail::selects_raw_public_key(
      extensions, ExtensionType::client_certificate_type,
      std::find(types.begin(), types.end(), CertificateType::x509) != types.end(), where);
  if (!client)
    return std::unexpected(client.error());
  return CertificateTypes{*server, *client};
}

TLSCONNECT_DECL Result<> read_alpn(HandshakeContext& context, BytesView body, std::string_view where) {
  const Result<ProtocolNames> selected = decode<ProtocolNames>(body);
  if (!selected)
    return std::unexpected(selected.error());
  // RFC 7301, 3.1: the answer holds exactly one name.
  if (selected->names.size() != 1)
    return fail(ErrorCode::field_out_of_range, where, "application_layer_protocol_negotiation");
  // RFC 7301, 3.2: and it is one that was offered.
  const std::string_view name = as_text(selected->names[0].text);
  const std::span<const std::string> offered = context.config->alpn();
  if (std::find(offered.begin(), offered.end(), name) == offered.end())
    return fail(ErrorCode::alpn_not_offered, where);
  context.info.application_protocol.assign(name);
  return {};
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
