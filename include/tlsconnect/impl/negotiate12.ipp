// What a ServerHello of TLS 1.2 must be (RFC 5246, 7.4.1.3).
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/handshake/negotiate.hpp>
#include <tlsconnect/handshake/server_certificate.hpp>
#include <tlsconnect/impl/negotiate.ipp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Whether an extension that says all there is by being there is there.
TLSCONNECT_DECL Result<bool> has_empty_extension(const ExtensionSet& extensions, ExtensionType type,
                                                 std::string_view where) noexcept {
  const std::optional<BytesView> body = extensions.find(type);
  if (!body)
    return false;
  if (Result<EmptyBody> empty = decode<EmptyBody>(*body); !empty)
    return std::unexpected(std::move(empty.error()).at(where));
  return true;
}

/// The extensions of a ServerHello of TLS 1.2, as far as they decide nothing but themselves.
TLSCONNECT_DECL Result<> read_extensions12(HandshakeContext& context, const ExtensionSet& extensions,
                                           Handshake12& handshake) {
  static constexpr std::string_view where = ServerHello::name;
  // RFC 5746, 3.4: in a first handshake nothing is renegotiated. A server without the extension is not refused for that:
  // this client never renegotiates, so that there is nothing to bind (4.1 leaves the choice).
  if (const auto body = extensions.find(ExtensionType::renegotiation_info)) {
    const Result<RenegotiationInfo> info = decode<RenegotiationInfo>(*body);
    if (!info)
      return std::unexpected(info.error());
    if (!info->renegotiated_connection.empty())
      return fail(ErrorCode::renegotiation_info_wrong, where);
    context.info.secure_renegotiation = true;
  }
  // RFC 8422, 5.1.2: a list that is there has the uncompressed format.
  if (const auto body = extensions.find(ExtensionType::ec_point_formats)) {
    const Result<PointFormats> list = decode<PointFormats>(*body);
    if (!list)
      return std::unexpected(list.error());
    if (std::find(list->formats.begin(), list->formats.end(), PointFormats::uncompressed) == list->formats.end())
      return fail(ErrorCode::point_formats_wrong, where);
  }
  // RFC 6066, 3: the server acknowledges server_name with an empty body.
  if (const auto body = extensions.find(ExtensionType::server_name); body && !body->empty())
    return fail(ErrorCode::server_name_not_empty, where);
  if (const auto body = extensions.find(ExtensionType::application_layer_protocol_negotiation))
    if (Result<> read = read_alpn(context, *body, where); !read)
      return read;
  // RFC 6962, 3.3.1
  if (const auto body = extensions.find(ExtensionType::signed_certificate_timestamp)) {
    if (const Result<SignedCertificateTimestampList> list = decode<SignedCertificateTimestampList>(*body); !list)
      return std::unexpected(list.error());
    handshake.sct_list = to_vector(*body);
  }
  const Result<CertificateTypes> types = selected_certificate_types(*context.config, extensions, where);
  if (!types)
    return std::unexpected(types.error());
  handshake.server_raw_public_key = types->server_raw_public_key;
  handshake.client_raw_public_key = types->client_raw_public_key;
  // RFC 8449, 4: each side says what it is willing to receive, once both have said so.
  if (const auto body = extensions.find(ExtensionType::record_size_limit)) {
    const Result<RecordSizeLimit> limit = decode<RecordSizeLimit>(*body);
    if (!limit)
      return std::unexpected(limit.error());
    context.records.set_send_limit(limit->limit);
    context.records.set_receive_limit(context.config->record_size_limit());
  }
  return {};
}

} // namespace detail

TLSCONNECT_DECL Result<> Negotiate::on_server_hello12(OfferedHelloPtr hello, const ServerHello& message,
                                                      const HandshakeMessage& raw) {
  static constexpr std::string_view where = ServerHello::name;
  const ClientConfig& config = *context_->config;
  // RFC 9846, D.3: early data was meant for TLS 1.3. This server has not read it and cannot tell where it ends.
  if (std::exchange(hello->early_data, false)) {
    context_->early_data_refused();
    context_->records.clear_write_protection();
    return fail(ErrorCode::early_data_downgraded, where);
  }
  if (Result<> begun = context_->records.begin_tls12(); !begun)
    return begun;
  // RFC 5246, 7.4.1.3: only a suite that was offered, and one of this version.
  const std::optional<SuiteParameters12> suite = parameters12_of(message.cipher_suite);
  if (!suite || !detail::listed(config.cipher_suites(), message.cipher_suite))
    return fail(ErrorCode::cipher_suite_not_offered, where,
                "suite " + std::to_string(static_cast<unsigned>(message.cipher_suite)));
  // RFC 5246, 7.4.1.3: only null compression was offered (CRIME).
  if (message.legacy_compression_method != 0)
    return fail(ErrorCode::compression_not_null, where);
  const Result<ExtensionSet> extensions = ExtensionSet::parse(
      message.extensions.value_or(BytesView()), ExtensionContext::server_hello12, hello->extensions, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  auto handshake = std::make_unique<Handshake12>();
  handshake->suite = *suite;
  handshake->randoms = {hello->random, message.random};
  if (Result<> read = detail::read_extensions12(*context_, *extensions, *handshake); !read)
    return read;
  const Result<bool> extended = detail::has_empty_extension(*extensions, ExtensionType::extended_main_secret, where);
  if (!extended)
    return std::unexpected(extended.error());
  handshake->extended_main_secret = *extended;
  const Result<bool> ticket = detail::has_empty_extension(*extensions, ExtensionType::session_ticket, where);
  if (!ticket)
    return std::unexpected(ticket.error());
  handshake->ticket_expected = *ticket;
  const Result<bool> status = detail::has_empty_extension(*extensions, ExtensionType::status_request, where);
  if (!status)
    return std::unexpected(status.error());
  // What is stapled goes with certificates.
  handshake->status_expected = *status && !handshake->server_raw_public_key;

  // RFC 5246, 7.4.1.3 and RFC 5077, 3.4: the session id that was sent means that the session is resumed.
  const bool same_id =
      !message.legacy_session_id_echo.empty() && equal(message.legacy_session_id_echo, hello->session_id.view());
  if (same_id && hello->session12) {
    Result<Proof<SessionResumed>> resumed =
        SessionResumed::check(*hello->session12, message.cipher_suite, handshake->extended_main_secret);
    if (!resumed)
      return std::unexpected(std::move(resumed.error()));
    handshake->resumed.emplace(std::move(*resumed));
    handshake->session = std::move(hello->session12);
  } else if (same_id) {
    // RFC 9846, 4.1.3: what TLS 1.3 puts there for the sake of middleboxes names no session.
    return fail(ErrorCode::session_not_offered, where);
  } else {
    // RFC 7627, 5.2: without it, the keys are not bound to this handshake (triple handshake).
    if (!handshake->extended_main_secret && config.require_extended_main_secret())
      return fail(ErrorCode::extended_main_secret_missing, where);
    handshake->session_id = to_vector(message.legacy_session_id_echo);
  }

  // The messages are kept where a certificate of the client may have to be signed for.
  const bool certificates = suite->authentication != Authentication12::psk;
  if (Result<> started =
          transcript_->start(suite->hash, !handshake->resumed && certificates && !config.credentials().empty());
      !started)
    return started;
  if (Result<> added = transcript_->add(raw.bytes); !added)
    return added;
  ConnectionInfo& info = context_->info;
  info.version = ProtocolVersion::tls1_2;
  info.cipher_suite = message.cipher_suite;
  info.extended_main_secret = handshake->extended_main_secret;
  state_.emplace<Negotiated12>(std::move(handshake));
  return {};
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
