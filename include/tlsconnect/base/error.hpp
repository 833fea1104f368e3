// What went wrong, for a program (code, group, alert) and for a person (message()).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tlsconnect/base/alert.hpp>
#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Whose fault an error is.
enum class ErrorGroup : std::uint8_t {
  decode,       ///< bytes that are not a well-formed message
  misbehaved,   ///< well-formed, but forbidden by the protocol
  incompatible, ///< allowed, but nothing that both sides can agree on
  certificate,  ///< the server could not show that it is who it should be
  alert,        ///< the peer ended the connection with a fatal alert
  transport,    ///< the transport below failed
  misuse,       ///< the calling program broke a rule of this library; never caused by data from the peer
  internal,     ///< randomness, memory or a cryptographic primitive failed
};

/// Every way to fail. `describe(code)` gives its group, its alert and a sentence.
enum class ErrorCode : std::uint8_t {
  // decode
  message_truncated,
  message_trailing_bytes,
  field_out_of_range,
  message_too_large,
  alert_malformed,
  alert_level_unknown,
  certificate_list_empty,
  // misbehaved: records
  not_tls,
  record_overflow,
  record_version_wrong,
  bad_record_mac,
  record_type_unexpected,
  record_empty,
  record_without_type,
  handshake_interleaved,
  key_change_not_aligned,
  change_cipher_spec_unexpected,
  too_many_empty_records,
  too_many_warning_alerts,
  too_many_key_updates,
  too_many_change_cipher_specs,
  too_many_messages,
  // misbehaved: messages
  unexpected_message,
  extension_duplicate,
  extension_misplaced,
  extension_unsolicited,
  extension_missing,
  too_many_extensions,
  legacy_version_wrong,
  session_id_not_echoed,
  compression_not_null,
  cipher_suite_not_offered,
  cipher_suite_changed,
  version_not_offered,
  version_changed,
  downgrade_detected,
  second_retry_request,
  retry_without_change,
  group_not_offered,
  group_already_shared,
  group_not_the_retried,
  key_share_invalid,
  alpn_not_offered,
  server_name_not_empty,
  signature_scheme_not_offered,
  signature_scheme_not_for_key,
  signature_invalid,
  finished_invalid,
  certificate_request_context_not_empty,
  key_update_invalid,
  psk_not_offered,
  psk_hash_mismatch,
  psk_key_exchange_missing,
  early_data_not_acceptable,
  certificate_type_not_offered,
  certificate_compression_not_offered,
  certificate_decompression_failed,
  record_size_limit_invalid,
  // misbehaved: TLS 1.2
  change_cipher_spec_invalid,
  early_data_downgraded,
  session_not_offered,
  session_suite_changed,
  session_extended_main_secret_changed,
  renegotiation_info_wrong,
  renegotiation_refused,
  point_formats_wrong,
  certificate_key_not_for_suite,
  // incompatible
  version_unsupported,
  extended_main_secret_missing,
  no_credential_fits,
  // certificate
  certificate_malformed,
  certificate_chain_too_long,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_unknown_issuer,
  certificate_self_signed,
  certificate_name_mismatch,
  certificate_signature_invalid,
  certificate_usage_forbidden,
  certificate_constraint_violated,
  certificate_key_too_weak,
  certificate_key_unsupported,
  certificate_algorithm_weak,
  certificate_revoked,
  certificate_status_invalid,
  certificate_status_missing,
  certificate_not_logged,
  certificate_key_not_pinned,
  certificate_rejected,
  // alert
  alert_received,
  // transport
  transport_failed,
  name_not_resolved,
  connect_refused,
  timed_out,
  // misuse
  no_trust_anchors,
  trust_anchor_unreadable,
  crl_unreadable,
  server_name_invalid,
  configuration_invalid,
  not_connected,
  already_connected,
  write_side_closed,
  aborted,
  transport_contract_broken,
  private_key_unreadable,
  credential_invalid,
  session_unreadable,
  nothing_awaited,
  export_not_available,
  key_update_not_possible,
  // internal
  random_source_failed,
  out_of_memory,
  crypto_failed,
  key_limit_reached,
  signing_failed,
};

/// One row of the error catalogue.
struct ErrorDescription {
  ErrorCode code;
  std::string_view name;                 ///< the enumerator's name
  ErrorGroup group;                      ///
  std::optional<AlertDescription> alert; ///< the alert it is answered with; none where nothing can be sent
  std::string_view section;              ///< the standard's section that calls for it, or empty
  std::string_view text;                 ///< a sentence without a full stop
};

/// The row of a code; total.
[[nodiscard]] const ErrorDescription& describe(ErrorCode code) noexcept;
/// The alert that a code is answered with; total. None: there is nobody, or no need, to tell.
[[nodiscard]] std::optional<AlertDescription> alert_for(ErrorCode code) noexcept;
/// A group's name.
[[nodiscard]] std::string_view name_of(ErrorGroup group) noexcept;

/// An error: what, where, and what a person needs to act on it. Cheap to copy; owned by whoever holds it.
class [[nodiscard]] Error {
public:
  /// `where` must live for ever (a literal): the message, stage or call in which it happened.
  /// `detail` is for a person: names, numbers, what was found and what would have been right.
  explicit Error(ErrorCode code, std::string_view where = {}, std::string detail = {}) noexcept;
  /// The peer's fatal alert.
  [[nodiscard]] static Error from_alert(AlertDescription alert, std::string_view where = {}) noexcept;
  /// A failure of the transport; `os_error` is errno or the like, 0 when there is none.
  [[nodiscard]] static Error from_transport(ErrorCode code, int os_error, std::string_view where = {},
                                            std::string detail = {}) noexcept;

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] ErrorGroup group() const noexcept { return describe(code_).group; }
  /// The alert that this error makes the connection send, if any.
  [[nodiscard]] std::optional<AlertDescription> alert_sent() const noexcept {
    return chosen_alert_ ? chosen_alert_ : alert_for(code_);
  }
  /// The alert that the peer sent, if this error is one.
  [[nodiscard]] std::optional<AlertDescription> alert_received() const noexcept { return alert_; }
  /// The operating system's error number, 0 when there is none.
  [[nodiscard]] int os_error() const noexcept { return os_error_; }
  [[nodiscard]] std::string_view where() const noexcept { return where_; }
  [[nodiscard]] std::string_view detail() const noexcept;
  /// One sentence with all of it.
  [[nodiscard]] std::string message() const;

  /// The same error, answered with this alert: for verifiers that want to tell the server more, or less.
  [[nodiscard]] Error with_alert(AlertDescription alert) && noexcept;
  /// The same error, with a place if it had none yet.
  [[nodiscard]] Error at(std::string_view where) && noexcept;

private:
  ErrorCode code_;
  std::optional<AlertDescription> alert_; // that was received
  std::optional<AlertDescription> chosen_alert_;
  int os_error_ = 0;
  std::string_view where_;
  std::shared_ptr<const std::string> detail_; // null where there is none; shared because errors are repeated
};

/// The outcome of everything that touches no transport: it succeeds or fails, it never has to wait.
template <class T = void>
using Result = std::expected<T, Error>;

/// Shorthand for returning a failure.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string_view where = {},
                                                 std::string detail = {}) noexcept {
  return std::unexpected<Error>(Error(code, where, static_cast<std::string&&>(detail)));
}

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/error.ipp>
#endif
