// What is known of one certificate's revocation, and by which clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Whether a certificate has been revoked, as far as one source knows (RFC 6960, 2.2).
enum class RevocationState : std::uint8_t {
  good,    ///< its issuer says that it was not
  revoked, ///< its issuer says that it was
  unknown, ///< nobody says anything that counts
};

/// What an OCSP response, or the lists of revoked certificates, say about one certificate.
struct RevocationFinding {
  RevocationState state = RevocationState::unknown;
  /// Of `good`: until when it may be believed, in seconds since 1970.
  std::int64_t valid_until = 0;
  /// For a person: what is said of the certificate, or why that does not count. Empty when nothing was there to say anything.
  std::string reason;
  /// Of a response that says `good`: timestamps of transparency logs in it (SignedCertificateTimestampList: RFC 6962, 3.3),
  /// a view of the response; empty when there are none.
  BytesView timestamps = {};
};

/// How old a status may be, in seconds; `unix_time` since 1970.
struct StatusClock {
  std::int64_t unix_time = 0;
  std::uint32_t skew = 0;    ///< by how much clocks may differ
  std::uint32_t max_age = 0; ///< of a status that does not say when there will be a newer one
};

/// The name of a CRLReason (RFC 5280, 5.3.1); empty for a number that is none.
[[nodiscard]] constexpr std::string_view revocation_reason(std::uint8_t number) noexcept {
  constexpr std::string_view names[] = {
      "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
      "superseded",    "cessationOfOperation", "certificateHold", "",
      "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
  return number < sizeof names / sizeof names[0] ? names[number] : std::string_view();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
