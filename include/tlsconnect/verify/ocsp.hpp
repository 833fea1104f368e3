// OCSP responses (RFC 6960), as servers staple them to their certificates (RFC 6066, 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/path_rules.hpp>
#include <tlsconnect/verify/revocation_status.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Which certificate a response is about (RFC 6960, 4.1.1); views of the response.
struct OcspCertificateId {
  BytesView hash_algorithm;   ///< the contents of its OBJECT IDENTIFIER
  BytesView issuer_name_hash; ///< of the issuer's Name, as it stands in the certificate
  BytesView issuer_key_hash;  ///< of the issuer's key, as subjectPublicKey holds it
  BytesView serial;           ///< the contents of the INTEGER
};

/// What a response says about one certificate (RFC 6960, 4.2.1); times in seconds since 1970.
struct OcspSingleResponse {
  OcspCertificateId id;
  RevocationState state = RevocationState::unknown;
  std::int64_t revoked_at = 0;             ///< when it was revoked
  std::optional<std::uint8_t> reason;      ///< why: a CRLReason, where that is said
  std::int64_t this_update = 0;            ///< the state is known to be right at this time
  std::optional<std::int64_t> next_update; ///< a newer one will be there by then
  bool unknown_critical = false;           ///< it has a critical extension, which is never known here
  BytesView timestamps;                    ///< SignedCertificateTimestampList (RFC 6962, 3.3); empty when there is none
};

/// A response taken apart; views of its bytes. Nothing is verified.
struct OcspResponse {
  BytesView tbs;                 ///< what is signed: ResponseData
  BytesView signature_algorithm; ///< AlgorithmIdentifier
  BytesView signature;           ///< without the count of unused bits
  BytesView responder_name;      ///< Name of who signed it; empty when it is named by its key
  BytesView responder_key_hash;  ///< SHA-1 of the key of who signed it; empty when it is named by its name
  std::int64_t produced_at = 0;  ///< when it was signed, in seconds since 1970
  std::vector<OcspSingleResponse> responses;
  bool unknown_critical = false;       ///< it has a critical extension, and none is known here
  std::vector<BytesView> certificates; ///< of the responder, in DER as they stand there

  /// `certificate_status_invalid` for what is not exactly one successful OCSPResponse with a BasicOCSPResponse in DER, and
  /// for one that is larger than `limits` allow. The detail says what is wrong, as a predicate.
  [[nodiscard]] static Result<OcspResponse> decode(BytesView der) noexcept;
};

/// What a response says of `certificate`, whose issuer on the verified path is `issuer`: `good` and `revoked` only when the
/// issuer, or a responder that it has authorised, signed that (RFC 6960, 3.2 and 4.2.2.2). A revocation counts however old
/// the response is.
///
/// The policy holds for the responder's key and signatures as it does for certificates. A responder's own certificate is
/// not asked whether it was revoked: the one who could say so is this responder (RFC 6960, 4.2.2.2.1); such certificates
/// live shortly instead. Each signature that is checked takes one off `signature_checks`; without any left, the state is
/// unknown. Throws std::bad_alloc.
[[nodiscard]] RevocationFinding check_ocsp_response(BytesView response, const Certificate& certificate,
                                                    const Certificate& issuer, const StatusClock& clock,
                                                    const PathPolicy& policy, std::size_t& signature_checks);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/ocsp.ipp>
#endif
