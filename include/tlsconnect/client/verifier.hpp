// The door through which a server's certificate is judged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the server presented.
struct PresentedCertificate {
  std::span<const Certificate> chain; ///< as sent, the server's own first; never empty
};

/// Why a chain was accepted.
struct VerifiedChain {
  /// From the server's certificate to the trust anchor; empty when a verifier does not build a path.
  std::vector<Certificate> path;
  /// One sentence for a person: by what rule and which anchor it was accepted.
  std::string explanation;
};

/// Judges a server's certificate chain. Connections share it, so it must be safe in several threads.
class CertificateVerifier {
public:
  CertificateVerifier() = default;
  CertificateVerifier(const CertificateVerifier&) = delete;
  CertificateVerifier& operator=(const CertificateVerifier&) = delete;
  virtual ~CertificateVerifier() = default;

  /// Accepts the chain for this server at this time (seconds since 1970), or says why not: an error of the group
  /// `certificate`, whose alert goes to the server. The proof that the server holds the key is checked elsewhere,
  /// and always.
  [[nodiscard]] virtual Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                                     std::int64_t unix_time) const noexcept = 0;
};

/// Accepts every certificate of every server. A connection that uses it can be read and changed by anybody on the
/// way; it exists for tests and for finding out what a server sends.
class DangerousNoVerification final : public CertificateVerifier {
public:
  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/verifier.ipp>
#endif
