// The verifier that does not verify.
#pragma once

#include <new>
#include <string>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/random.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

TLSCONNECT_DECL std::array<std::uint8_t, 16> random_identity() noexcept {
  std::array<std::uint8_t, 16> identity{};
  try {
    if (!system_rng()->fill(identity))
      identity = {};
  } catch (const std::bad_alloc&) {
    identity = {};
  }
  return identity;
}
TLSCONNECT_DECL TrustIdentity identity_of(const std::array<std::uint8_t, 16>& random) {
  // Without randomness, objects could be mistaken for each other.
  if (random == std::array<std::uint8_t, 16>{})
    return {};
  return TrustIdentity(random.begin(), random.end());
}

} // namespace detail

TLSCONNECT_DECL CertificateVerifier::CertificateVerifier() noexcept : object_identity_(detail::random_identity()) {}
TLSCONNECT_DECL TrustIdentity CertificateVerifier::trust_identity() const {
  return detail::identity_of(object_identity_);
}

TLSCONNECT_DECL Result<VerifiedChain> VerdictByCaller::verify(const PresentedCertificate&, const ServerName&,
                                                              std::int64_t) const noexcept {
  return fail(ErrorCode::certificate_rejected, "Certificate", "the caller has not decided");
}

TLSCONNECT_DECL TrustIdentity DangerousNoVerification::trust_identity() const {
  return to_vector(as_bytes("dangerous: no verification"));
}

TLSCONNECT_DECL Result<VerifiedChain>
DangerousNoVerification::verify(const PresentedCertificate&, const ServerName& name, std::int64_t) const noexcept {
  try {
    VerifiedChain accepted;
    accepted.explanation = "accepted without any verification, for whoever answered as " + name.text();
    return accepted;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
