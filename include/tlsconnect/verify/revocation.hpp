// Whether the certificates of a path were revoked, and what is done when nobody says.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/crl.hpp>
#include <tlsconnect/verify/path_rules.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// For which certificates of a path it must be known that they were not revoked.
enum class StatusRequired : std::uint8_t {
  none,   ///< for none but those that demand it themselves (RFC 7633); the default, as on the web
  server, ///< for the server's own
  chain,  ///< for all of them, but for the trust anchor
};

/// What a configuration makes of revocation.
///
/// What there is to know is always used, for every certificate of the path but the trust anchor: the OCSP responses that
/// the server staples, and the lists given here. Nothing is ever fetched. A certificate that its issuer has revoked is
/// refused with `certificate_revoked`, whatever the policy is, and however old that news is. What remains is to say what
/// happens when nobody says anything that counts; a response that cannot be read, has expired, is for another certificate
/// or is signed by the wrong key counts as none.
struct RevocationPolicy {
  /// Who is refused, with `certificate_status_missing` or `certificate_status_invalid`, when nobody says.
  StatusRequired required = StatusRequired::none;
  /// Whether a certificate that says that its server must staple (the TLS feature status_request, RFC 7633) is refused when
  /// the server does not staple a good status, even if a list says the same. The same of an issuer's certificate counts for
  /// the server's (RFC 7633, 4.2.2). Such servers staple for who asks: see ClientConfig::Builder::status_request.
  bool must_staple = true;
  /// Lists of revoked certificates; see CrlSet.
  CrlSet crls = {};
  /// By how many seconds the clocks of this machine and of who signs a status may differ.
  std::uint32_t clock_skew = 300;
  /// How many seconds an OCSP response counts that does not say when there will be a newer one (RFC 6960, 4.2.2.1).
  std::uint32_t max_age = 86'400;
};

/// What came of it.
struct RevocationVerdict {
  /// Who was revoked, and who should have a status and has none; ordered by cause. Accepted when there is nothing.
  std::vector<PathFinding> findings;
  /// By what it is known that the server's own certificate was not revoked.
  StatusEvidence server = StatusEvidence::none;
  /// Until when the statuses that were found count, in seconds since 1970.
  std::int64_t valid_until = std::numeric_limits<std::int64_t>::max();
  /// What is known of the server's own certificate, for a person.
  std::string explanation;
  /// What transparency logs signed of the server's certificate, in a staple that says that it is good
  /// (SignedCertificateTimestampList: RFC 6962, 3.3); a view of the staple.
  BytesView timestamps;
};

/// Judges a path that was verified: from the server's certificate to the trust anchor, each the issuer of the one before.
/// A server's certificate that is an anchor itself is trusted as it is. Costs at most
/// `limits::status_signature_checks` signatures. Throws std::bad_alloc.
[[nodiscard]] RevocationVerdict check_revocation(std::span<const Certificate> path,
                                                 const PresentedCertificate& presented, std::int64_t unix_time,
                                                 const RevocationPolicy& policy, const PathPolicy& path_policy);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/revocation.ipp>
#endif
