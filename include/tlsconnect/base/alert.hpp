// Alerts: what one side tells the other before it closes (RFC 9846, 6).
#pragma once

#include <cstdint>
#include <string_view>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The alert registry; an open enum: a value that is not named here still travels.
enum class AlertDescription : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  handshake_failure = 40,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  inappropriate_fallback = 86,
  user_canceled = 90,
  no_renegotiation = 100,
  missing_extension = 109,
  unsupported_extension = 110,
  unrecognized_name = 112,
  bad_certificate_status_response = 113,
  unknown_psk_identity = 115,
  certificate_required = 116,
  general_error = 117,
  no_application_protocol = 120,
  ech_required = 121,
};

/// The registry's name of an alert, or "unknown alert".
[[nodiscard]] constexpr std::string_view name_of(AlertDescription alert) noexcept {
  switch (alert) {
  case AlertDescription::close_notify:
    return "close_notify";
  case AlertDescription::unexpected_message:
    return "unexpected_message";
  case AlertDescription::bad_record_mac:
    return "bad_record_mac";
  case AlertDescription::record_overflow:
    return "record_overflow";
  case AlertDescription::handshake_failure:
    return "handshake_failure";
  case AlertDescription::bad_certificate:
    return "bad_certificate";
  case AlertDescription::unsupported_certificate:
    return "unsupported_certificate";
  case AlertDescription::certificate_revoked:
    return "certificate_revoked";
  case AlertDescription::certificate_expired:
    return "certificate_expired";
  case AlertDescription::certificate_unknown:
    return "certificate_unknown";
  case AlertDescription::illegal_parameter:
    return "illegal_parameter";
  case AlertDescription::unknown_ca:
    return "unknown_ca";
  case AlertDescription::access_denied:
    return "access_denied";
  case AlertDescription::decode_error:
    return "decode_error";
  case AlertDescription::decrypt_error:
    return "decrypt_error";
  case AlertDescription::protocol_version:
    return "protocol_version";
  case AlertDescription::insufficient_security:
    return "insufficient_security";
  case AlertDescription::internal_error:
    return "internal_error";
  case AlertDescription::inappropriate_fallback:
    return "inappropriate_fallback";
  case AlertDescription::user_canceled:
    return "user_canceled";
  case AlertDescription::no_renegotiation:
    return "no_renegotiation";
  case AlertDescription::missing_extension:
    return "missing_extension";
  case AlertDescription::unsupported_extension:
    return "unsupported_extension";
  case AlertDescription::unrecognized_name:
    return "unrecognized_name";
  case AlertDescription::bad_certificate_status_response:
    return "bad_certificate_status_response";
  case AlertDescription::unknown_psk_identity:
    return "unknown_psk_identity";
  case AlertDescription::certificate_required:
    return "certificate_required";
  case AlertDescription::general_error:
    return "general_error";
  case AlertDescription::no_application_protocol:
    return "no_application_protocol";
  case AlertDescription::ech_required:
    return "ech_required";
  }
  return "unknown alert";
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
