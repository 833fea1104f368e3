// The error catalogue, and how an error becomes a sentence.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include <tlsconnect/base/error.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline constexpr auto error_catalogue = std::to_array<ErrorDescription>({
    {ErrorCode::message_truncated, "message_truncated", ErrorGroup::decode, AlertDescription::decode_error,
     "RFC 9846, 6.2", "a message ends before all of its fields have come"},
    {ErrorCode::message_trailing_bytes, "message_trailing_bytes", ErrorGroup::decode, AlertDescription::decode_error,
     "RFC 9846, 6.2", "a message has bytes after its last field"},
    {ErrorCode::field_out_of_range, "field_out_of_range", ErrorGroup::decode, AlertDescription::decode_error,
     "RFC 9846, 6.2", "a field has a length or a value that its definition does not allow"},
    {ErrorCode::message_too_large, "message_too_large", ErrorGroup::decode, AlertDescription::illegal_parameter,
     "RFC 9846, 4", "a message, a list or a chain is larger than this client accepts"},
    {ErrorCode::alert_malformed, "alert_malformed", ErrorGroup::decode, AlertDescription::decode_error, "RFC 9846, 6",
     "an alert is not exactly two bytes, or a warning where there are none"},
    {ErrorCode::alert_level_unknown, "alert_level_unknown", ErrorGroup::decode, AlertDescription::illegal_parameter,
     "RFC 9846, 6", "an alert is neither a warning nor fatal"},
    {ErrorCode::certificate_list_empty, "certificate_list_empty", ErrorGroup::decode, AlertDescription::decode_error,
     "RFC 9846, 4.4.2.4", "the server sent no certificate"},
    {ErrorCode::not_tls, "not_tls", ErrorGroup::misbehaved, AlertDescription::unexpected_message, "RFC 9846, 5.1",
     "what the server sent is not TLS"},
    {ErrorCode::record_overflow, "record_overflow", ErrorGroup::misbehaved, AlertDescription::record_overflow,
     "RFC 9846, 5.1", "a record is longer than the protocol allows"},
    {ErrorCode::record_version_wrong, "record_version_wrong", ErrorGroup::misbehaved,
     AlertDescription::protocol_version, "RFC 9846, 5.2", "a record says another version than the one that was agreed"},
    {ErrorCode::bad_record_mac, "bad_record_mac", ErrorGroup::misbehaved, AlertDescription::bad_record_mac,
     "RFC 9846, 5.2", "a record could not be decrypted: it was damaged, forged or sealed with another key"},
    {ErrorCode::record_type_unexpected, "record_type_unexpected", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5", "a record of this type may not come now"},
    {ErrorCode::record_empty, "record_empty", ErrorGroup::misbehaved, AlertDescription::unexpected_message,
     "RFC 9846, 5.1", "a handshake or alert record carries nothing"},
    {ErrorCode::record_without_type, "record_without_type", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5.4", "a protected record holds nothing but padding"},
    {ErrorCode::handshake_interleaved, "handshake_interleaved", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5.1",
     "another record came between two parts of one handshake message"},
    {ErrorCode::key_change_not_aligned, "key_change_not_aligned", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5.1", "a message that changes the keys does not end its record"},
    {ErrorCode::change_cipher_spec_unexpected, "change_cipher_spec_unexpected", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5",
     "a change_cipher_spec record came when none may, or was not the single byte 1"},
    {ErrorCode::too_many_empty_records, "too_many_empty_records", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5.4", "too many records without content came in a row"},
    {ErrorCode::too_many_warning_alerts, "too_many_warning_alerts", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 6", "too many warning alerts came in a row"},
    {ErrorCode::too_many_key_updates, "too_many_key_updates", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 4.6.3",
     "too many KeyUpdate messages came without data between them"},
    {ErrorCode::too_many_change_cipher_specs, "too_many_change_cipher_specs", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 5", "too many change_cipher_spec records came"},
    {ErrorCode::too_many_messages, "too_many_messages", ErrorGroup::misbehaved, AlertDescription::unexpected_message,
     "RFC 9846, 4.6", "too many messages came after the handshake without data between them"},
    {ErrorCode::unexpected_message, "unexpected_message", ErrorGroup::misbehaved, AlertDescription::unexpected_message,
     "RFC 9846, 4", "this message may not come now"},
    {ErrorCode::extension_duplicate, "extension_duplicate", ErrorGroup::misbehaved, AlertDescription::decode_error,
     "RFC 9846, 4.2", "an extension stands twice in one block"},
    {ErrorCode::extension_misplaced, "extension_misplaced", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2", "an extension stands in a message that it may not stand in"},
    {ErrorCode::extension_unsolicited, "extension_unsolicited", ErrorGroup::misbehaved,
     AlertDescription::unsupported_extension, "RFC 9846, 4.2", "the server answered an extension that was not offered"},
    {ErrorCode::extension_missing, "extension_missing", ErrorGroup::misbehaved, AlertDescription::missing_extension,
     "RFC 9846, 9.2", "an extension that this message must have is not there"},
    {ErrorCode::too_many_extensions, "too_many_extensions", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2", "a block has more extensions than this client accepts"},
    {ErrorCode::legacy_version_wrong, "legacy_version_wrong", ErrorGroup::misbehaved,
     AlertDescription::protocol_version, "RFC 9846, 4.1.3", "the legacy version of a ServerHello is not 0x0303"},
    {ErrorCode::session_id_not_echoed, "session_id_not_echoed", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.1.3",
     "the ServerHello does not repeat the session id of the ClientHello"},
    {ErrorCode::compression_not_null, "compression_not_null", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.1.3", "the ServerHello selects a compression method"},
    {ErrorCode::cipher_suite_not_offered, "cipher_suite_not_offered", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.1.3", "the server selected a cipher suite that was not offered"},
    {ErrorCode::cipher_suite_changed, "cipher_suite_changed", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.1.4",
     "the ServerHello selects another cipher suite than the HelloRetryRequest before it"},
    {ErrorCode::version_not_offered, "version_not_offered", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2.1", "the server selected a version that was not offered"},
    {ErrorCode::version_changed, "version_changed", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.1.4", "the ServerHello selects another version than the HelloRetryRequest before it"},
    {ErrorCode::downgrade_detected, "downgrade_detected", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.1.3", "the server's random carries the sign of a forced downgrade"},
    {ErrorCode::second_retry_request, "second_retry_request", ErrorGroup::misbehaved,
     AlertDescription::unexpected_message, "RFC 9846, 4.1.4", "the server asked for a retry twice"},
    {ErrorCode::retry_without_change, "retry_without_change", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.1.4", "a HelloRetryRequest would not change the ClientHello"},
    {ErrorCode::group_not_offered, "group_not_offered", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2.8", "the server selected a group that was not offered"},
    {ErrorCode::group_already_shared, "group_already_shared", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.2.8",
     "a HelloRetryRequest asks for a share that it had already been sent"},
    {ErrorCode::group_not_the_retried, "group_not_the_retried", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.2.8",
     "the ServerHello uses another group than the HelloRetryRequest asked for"},
    {ErrorCode::key_share_invalid, "key_share_invalid", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2.8", "the server's key share is not a valid one for its group"},
    {ErrorCode::alpn_not_offered, "alpn_not_offered", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 7301, 3.2", "the server selected an application protocol that was not offered"},
    {ErrorCode::server_name_not_empty, "server_name_not_empty", ErrorGroup::misbehaved, AlertDescription::decode_error,
     "RFC 6066, 3", "the server's answer to server_name is not empty"},
    {ErrorCode::signature_scheme_not_offered, "signature_scheme_not_offered", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.4.3", "the server signed with a scheme that was not offered"},
    {ErrorCode::signature_scheme_not_for_key, "signature_scheme_not_for_key", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.4.3",
     "the signature scheme does not fit the key in the server's certificate"},
    {ErrorCode::signature_invalid, "signature_invalid", ErrorGroup::misbehaved, AlertDescription::decrypt_error,
     "RFC 9846, 4.4.3",
     "the server's signature over the handshake is wrong: it does not hold the certificate's private key"},
    {ErrorCode::finished_invalid, "finished_invalid", ErrorGroup::misbehaved, AlertDescription::decrypt_error,
     "RFC 9846, 4.4.4", "the server's Finished is wrong: the two sides did not see the same handshake"},
    {ErrorCode::certificate_request_context_not_empty, "certificate_request_context_not_empty", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.3.2",
     "the request context of a handshake message must be empty"},
    {ErrorCode::key_update_invalid, "key_update_invalid", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.6.3", "a KeyUpdate has another value than 0 or 1"},
    {ErrorCode::psk_not_offered, "psk_not_offered", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2.11", "the server selected a pre-shared key that was not offered"},
    {ErrorCode::psk_hash_mismatch, "psk_hash_mismatch", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 9846, 4.2.11", "the server selected a pre-shared key and a cipher suite whose hashes differ"},
    {ErrorCode::psk_key_exchange_missing, "psk_key_exchange_missing", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.2.11",
     "the server accepted a pre-shared key without the key exchange that was asked for"},
    {ErrorCode::early_data_not_acceptable, "early_data_not_acceptable", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 9846, 4.2.10",
     "the server accepted early data under other terms than those it was sent under"},
    {ErrorCode::certificate_type_not_offered, "certificate_type_not_offered", ErrorGroup::misbehaved,
     AlertDescription::unsupported_certificate, "RFC 7250, 4.2",
     "the server selected a certificate type that was not offered"},
    {ErrorCode::certificate_compression_not_offered, "certificate_compression_not_offered", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 8879, 4", "a certificate is compressed in a way that was not offered"},
    {ErrorCode::certificate_decompression_failed, "certificate_decompression_failed", ErrorGroup::misbehaved,
     AlertDescription::bad_certificate, "RFC 8879, 4",
     "a compressed certificate cannot be decompressed to the length it states"},
    {ErrorCode::record_size_limit_invalid, "record_size_limit_invalid", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 8449, 4",
     "the server asked for smaller records than the protocol allows"},
    {ErrorCode::change_cipher_spec_invalid, "change_cipher_spec_invalid", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 5246, 7.1", "a change_cipher_spec is not the single byte 1"},
    {ErrorCode::early_data_downgraded, "early_data_downgraded", ErrorGroup::misbehaved,
     AlertDescription::protocol_version, "RFC 9846, D.3",
     "the server negotiated an older version than the one that early data was sent with"},
    {ErrorCode::session_not_offered, "session_not_offered", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 5246, 7.4.1.3", "the server resumes a session that was not offered"},
    {ErrorCode::session_suite_changed, "session_suite_changed", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 5246, 7.4.1.3",
     "the server resumes a session with another cipher suite than it was established with"},
    {ErrorCode::session_extended_main_secret_changed, "session_extended_main_secret_changed", ErrorGroup::misbehaved,
     AlertDescription::handshake_failure, "RFC 7627, 5.3",
     "the server resumes a session with the extended main secret though it has none, or without it though it has one"},
    {ErrorCode::renegotiation_info_wrong, "renegotiation_info_wrong", ErrorGroup::misbehaved,
     AlertDescription::handshake_failure, "RFC 5746, 3.4",
     "the server takes this connection for the renegotiation of another one"},
    {ErrorCode::renegotiation_refused, "renegotiation_refused", ErrorGroup::misbehaved,
     AlertDescription::no_renegotiation, "RFC 5246, 7.4.1.1",
     "the server asks for a renegotiation, and this client does not renegotiate"},
    {ErrorCode::point_formats_wrong, "point_formats_wrong", ErrorGroup::misbehaved, AlertDescription::illegal_parameter,
     "RFC 8422, 5.1.2", "the server does not know uncompressed points"},
    {ErrorCode::certificate_key_not_for_suite, "certificate_key_not_for_suite", ErrorGroup::misbehaved,
     AlertDescription::illegal_parameter, "RFC 5246, 7.4.2",
     "the server's key is not of the kind that the cipher suite names"},
    {ErrorCode::version_unsupported, "version_unsupported", ErrorGroup::incompatible,
     AlertDescription::protocol_version, "RFC 9846, 4.2.1",
     "the server speaks no version of TLS that this client is configured to use"},
    {ErrorCode::extended_main_secret_missing, "extended_main_secret_missing", ErrorGroup::incompatible,
     AlertDescription::handshake_failure, "RFC 7627, 5.2",
     "the server does not know the extended main secret, which this client requires"},
    {ErrorCode::no_credential_fits, "no_credential_fits", ErrorGroup::incompatible, AlertDescription::handshake_failure,
     "RFC 9846, 4.3.2", "the server asks for a certificate, and none of the client's credentials is what it asks for"},
    {ErrorCode::certificate_malformed, "certificate_malformed", ErrorGroup::certificate, AlertDescription::decode_error,
     "RFC 9846, 4.4.2", "a certificate could not be read"},
    {ErrorCode::certificate_chain_too_long, "certificate_chain_too_long", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 9846, 4.4.2",
     "the server sent more certificates than this client accepts"},
    {ErrorCode::certificate_expired, "certificate_expired", ErrorGroup::certificate,
     AlertDescription::certificate_expired, "RFC 5280, 6.1.3", "a certificate has expired"},
    {ErrorCode::certificate_not_yet_valid, "certificate_not_yet_valid", ErrorGroup::certificate,
     AlertDescription::certificate_expired, "RFC 5280, 6.1.3", "a certificate is not valid yet"},
    {ErrorCode::certificate_unknown_issuer, "certificate_unknown_issuer", ErrorGroup::certificate,
     AlertDescription::unknown_ca, "RFC 5280, 6.1", "the chain does not lead to a trusted issuer"},
    {ErrorCode::certificate_self_signed, "certificate_self_signed", ErrorGroup::certificate,
     AlertDescription::unknown_ca, "RFC 5280, 6.1", "the server's certificate is signed by itself and is not trusted"},
    {ErrorCode::certificate_name_mismatch, "certificate_name_mismatch", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 9525, 6", "the certificate is not for this server"},
    {ErrorCode::certificate_signature_invalid, "certificate_signature_invalid", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 5280, 6.1.3", "the signature of a certificate is wrong"},
    {ErrorCode::certificate_usage_forbidden, "certificate_usage_forbidden", ErrorGroup::certificate,
     AlertDescription::unsupported_certificate, "RFC 5280, 4.2.1", "a certificate may not be used for this purpose"},
    {ErrorCode::certificate_constraint_violated, "certificate_constraint_violated", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 5280, 4.2.1", "the chain breaks a constraint that one of its issuers set"},
    {ErrorCode::certificate_key_too_weak, "certificate_key_too_weak", ErrorGroup::certificate,
     AlertDescription::unsupported_certificate, "RFC 9846, C.2", "a certificate's key is too short"},
    {ErrorCode::certificate_key_unsupported, "certificate_key_unsupported", ErrorGroup::certificate,
     AlertDescription::unsupported_certificate, "RFC 9846, 4.4.2.4",
     "a certificate's key is of a kind that this client does not use"},
    {ErrorCode::certificate_algorithm_weak, "certificate_algorithm_weak", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 9846, 4.4.2.4",
     "a certificate is signed with an algorithm that is no longer safe"},
    {ErrorCode::certificate_revoked, "certificate_revoked", ErrorGroup::certificate,
     AlertDescription::certificate_revoked, "RFC 5280, 6.3", "a certificate has been revoked by its issuer"},
    {ErrorCode::certificate_status_invalid, "certificate_status_invalid", ErrorGroup::certificate,
     AlertDescription::bad_certificate_status_response, "RFC 6066, 8",
     "the status that the server sent of its certificate is not acceptable"},
    {ErrorCode::certificate_status_missing, "certificate_status_missing", ErrorGroup::certificate,
     AlertDescription::bad_certificate_status_response, "RFC 7633, 4",
     "nobody says whether a certificate was revoked, and somebody must"},
    {ErrorCode::certificate_not_logged, "certificate_not_logged", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 6962, 5.2",
     "the server's certificate has not been logged by as many transparency logs as are required"},
    {ErrorCode::certificate_key_not_pinned, "certificate_key_not_pinned", ErrorGroup::certificate,
     AlertDescription::bad_certificate, "RFC 7469, 2.6", "none of the keys that are pinned for this server was shown"},
    {ErrorCode::certificate_rejected, "certificate_rejected", ErrorGroup::certificate,
     AlertDescription::certificate_unknown, "RFC 9846, 4.4.2.4", "the certificate chain was rejected"},
    {ErrorCode::alert_received, "alert_received", ErrorGroup::alert, std::nullopt, "RFC 9846, 6.2",
     "the server ended the connection with an alert"},
    {ErrorCode::transport_failed, "transport_failed", ErrorGroup::transport, std::nullopt, "", "the transport failed"},
    {ErrorCode::name_not_resolved, "name_not_resolved", ErrorGroup::transport, std::nullopt, "",
     "the host name could not be resolved"},
    {ErrorCode::connect_refused, "connect_refused", ErrorGroup::transport, std::nullopt, "",
     "no connection to the server could be made"},
    {ErrorCode::timed_out, "timed_out", ErrorGroup::transport, std::nullopt, "", "the deadline has passed"},
    {ErrorCode::no_trust_anchors, "no_trust_anchors", ErrorGroup::misuse, std::nullopt, "",
     "no trust anchor is configured, so no server could ever be verified"},
    {ErrorCode::trust_anchor_unreadable, "trust_anchor_unreadable", ErrorGroup::misuse, std::nullopt, "",
     "trust anchors could not be read"},
    {ErrorCode::crl_unreadable, "crl_unreadable", ErrorGroup::misuse, std::nullopt, "RFC 5280, 5",
     "a list of revoked certificates cannot be read or used"},
    {ErrorCode::server_name_invalid, "server_name_invalid", ErrorGroup::misuse, std::nullopt, "",
     "the server name is neither a DNS name nor an IP address"},
    {ErrorCode::configuration_invalid, "configuration_invalid", ErrorGroup::misuse, std::nullopt, "",
     "the configuration contradicts itself"},
    {ErrorCode::not_connected, "not_connected", ErrorGroup::misuse, std::nullopt, "",
     "this needs an established connection"},
    {ErrorCode::already_connected, "already_connected", ErrorGroup::misuse, std::nullopt, "",
     "this connector has already given its connection away"},
    {ErrorCode::write_side_closed, "write_side_closed", ErrorGroup::misuse, std::nullopt, "",
     "nothing can be sent after close_notify"},
    {ErrorCode::aborted, "aborted", ErrorGroup::misuse, std::nullopt, "RFC 9846, 6.2",
     "this program has ended the connection"},
    {ErrorCode::transport_contract_broken, "transport_contract_broken", ErrorGroup::misuse, std::nullopt, "",
     "the transport reported more bytes than it was given, or no progress"},
    {ErrorCode::private_key_unreadable, "private_key_unreadable", ErrorGroup::misuse, std::nullopt, "",
     "a private key cannot be read"},
    {ErrorCode::credential_invalid, "credential_invalid", ErrorGroup::misuse, std::nullopt, "",
     "what was given cannot be used as a credential"},
    {ErrorCode::session_unreadable, "session_unreadable", ErrorGroup::misuse, std::nullopt, "",
     "what should be a serialised session is damaged or of another version"},
    {ErrorCode::nothing_awaited, "nothing_awaited", ErrorGroup::misuse, std::nullopt, "",
     "the connection waits for no such decision"},
    {ErrorCode::export_not_available, "export_not_available", ErrorGroup::misuse, std::nullopt, "RFC 9846, 7.5",
     "keying material cannot be exported now, or not with these parameters"},
    {ErrorCode::key_update_not_possible, "key_update_not_possible", ErrorGroup::misuse, std::nullopt, "RFC 9846, 4.6.3",
     "keys cannot be updated now"},
    {ErrorCode::random_source_failed, "random_source_failed", ErrorGroup::internal, AlertDescription::internal_error,
     "", "the random source failed"},
    {ErrorCode::out_of_memory, "out_of_memory", ErrorGroup::internal, AlertDescription::internal_error, "",
     "memory ran out"},
    {ErrorCode::crypto_failed, "crypto_failed", ErrorGroup::internal, AlertDescription::internal_error, "",
     "a cryptographic operation failed"},
    {ErrorCode::key_limit_reached, "key_limit_reached", ErrorGroup::internal, AlertDescription::internal_error,
     "RFC 9846, 5.5", "a key has sealed as many records as it safely can"},
    {ErrorCode::signing_failed, "signing_failed", ErrorGroup::internal, AlertDescription::internal_error,
     "RFC 9846, 4.4.3", "the client's signature could not be made"},
});

// describe() indexes by code.
consteval bool error_catalogue_in_order() {
  for (std::size_t i = 0; i < error_catalogue.size(); ++i)
    if (static_cast<std::size_t>(error_catalogue[i].code) != i)
      return false;
  return static_cast<std::size_t>(ErrorCode::signing_failed) + 1 == error_catalogue.size();
}
static_assert(error_catalogue_in_order(), "one row for each ErrorCode, in the same order");

} // namespace detail

TLSCONNECT_DECL const ErrorDescription& describe(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return detail::error_catalogue[index < detail::error_catalogue.size()
                                     ? index
                                     : static_cast<std::size_t>(ErrorCode::crypto_failed)];
}

TLSCONNECT_DECL std::optional<AlertDescription> alert_for(ErrorCode code) noexcept { return describe(code).alert; }

TLSCONNECT_DECL std::string_view name_of(ErrorGroup group) noexcept {
  switch (group) {
  case ErrorGroup::decode:
    return "decode";
  case ErrorGroup::misbehaved:
    return "peer misbehaved";
  case ErrorGroup::incompatible:
    return "incompatible";
  case ErrorGroup::certificate:
    return "certificate";
  case ErrorGroup::alert:
    return "alert received";
  case ErrorGroup::transport:
    return "transport";
  case ErrorGroup::misuse:
    return "misuse";
  case ErrorGroup::internal:
    return "internal";
  }
  return "unknown";
}

TLSCONNECT_DECL Error::Error(ErrorCode code, std::string_view where, std::string detail) noexcept
    : code_(code), where_(where) {
  if (detail.empty())
    return;
  try {
    detail_ = std::make_shared<const std::string>(std::move(detail));
  } catch (const std::bad_alloc&) {
    // The error itself matters more than its prose.
    detail_ = nullptr;
  }
}

TLSCONNECT_DECL Error Error::from_alert(AlertDescription alert, std::string_view where) noexcept {
  Error error(ErrorCode::alert_received, where);
  error.alert_ = alert;
  return error;
}

TLSCONNECT_DECL Error Error::from_transport(ErrorCode code, int os_error, std::string_view where,
                                            std::string detail) noexcept {
  Error error(code, where, std::move(detail));
  error.os_error_ = os_error;
  return error;
}

TLSCONNECT_DECL std::string_view Error::detail() const noexcept {
  return detail_ ? std::string_view(*detail_) : std::string_view();
}

TLSCONNECT_DECL std::string Error::message() const {
  const ErrorDescription& row = describe(code_);
  std::string text;
  if (!where_.empty())
    text.append(where_).append(": ");
  text.append(row.text);
  if (alert_) {
    text.append(" (").append(name_of(*alert_)).append(", ");
    text.append(std::to_string(static_cast<unsigned>(*alert_))).append(")");
  }
  if (detail_)
    text.append(": ").append(*detail_);
  if (os_error_ != 0)
    text.append(" [error ").append(std::to_string(os_error_)).append("]");
  const std::optional<AlertDescription> alert = alert_sent();
  if (alert || !row.section.empty()) {
    text.append(" [");
    if (alert)
      text.append("alert ").append(name_of(*alert));
    if (alert && !row.section.empty())
      text.append("; ");
    text.append(row.section).append("]");
  }
  return text;
}

TLSCONNECT_DECL Error Error::with_alert(AlertDescription alert) && noexcept {
  chosen_alert_ = alert;
  return std::move(*this);
}

TLSCONNECT_DECL Error Error::at(std::string_view where) && noexcept {
  if (where_.empty())
    where_ = where;
  return std::move(*this);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
