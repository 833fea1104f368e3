// The door through which a server's certificate is judged.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the server sent along with one certificate; views that live as long as the call, empty where it sent nothing.
struct PresentedStatus {
  BytesView ocsp_response; ///< DER of an OCSPResponse (RFC 6066, 8)
  BytesView sct_list;      ///< a SignedCertificateTimestampList (RFC 6962, 3.3)
};

struct VerifiedChain;

/// What the server presented.
struct PresentedCertificate {
  std::span<const Certificate> chain;           ///< as sent, the server's own first; never empty
  std::span<const PresentedStatus> status = {}; ///< one for each certificate of the chain, or none at all
  /// Of several verifiers in turn (VerifierSequence): what those before this one have found; null for the first.
  const VerifiedChain* verified = nullptr;
};

/// Why a chain was accepted.
struct VerifiedChain {
  /// From the server's certificate to the trust anchor; empty when a verifier does not build a path.
  std::vector<Certificate> path;
  /// One sentence for a person: by what rule and which anchor it was accepted.
  std::string explanation;
  /// By what it is known that the server's own certificate was not revoked.
  StatusEvidence server_status = StatusEvidence::none;
  /// Until when sessions may rest on this, in seconds since 1970, if that is sooner than the certificates expire.
  std::int64_t valid_until = std::numeric_limits<std::int64_t>::max();
};

/// Names the rules by which a server is judged, so that a session is only resumed under the rules that it was
/// established under: sessions of one identity never serve another. At most 64 bytes; empty: never resume.
using TrustIdentity = ByteVector;

namespace detail {
/// Sixteen bytes that no other object has; zeros when there is no randomness.
[[nodiscard]] std::array<std::uint8_t, 16> random_identity() noexcept;
[[nodiscard]] TrustIdentity identity_of(const std::array<std::uint8_t, 16>& random);
} // namespace detail

/// Judges a server's certificate chain. Connections share it, so it must be safe in several threads.
class CertificateVerifier {
public:
  CertificateVerifier() noexcept;
  CertificateVerifier(const CertificateVerifier&) = delete;
  CertificateVerifier& operator=(const CertificateVerifier&) = delete;
  virtual ~CertificateVerifier() = default;

  /// Accepts the chain for this server at this time (seconds since 1970), or says why not: an error of the group
  /// `certificate`, whose alert goes to the server. The proof that the server holds the key is checked elsewhere,
  /// and always.
  [[nodiscard]] virtual Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                                     std::int64_t unix_time) const noexcept = 0;
  /// True: verify() is not called. The connection halts with Interest::verdict instead, until the caller gives the
  /// verdict; see Connector::give_verdict.
  [[nodiscard]] virtual bool decides_later() const noexcept { return false; }
  /// Whether it makes use of stapled statuses, so that a configuration that does not say otherwise asks for them.
  [[nodiscard]] virtual bool wants_status() const noexcept { return false; }
  /// Two verifiers that judge alike may share an identity, across processes too. The default is different for every
  /// object.
  [[nodiscard]] virtual TrustIdentity trust_identity() const;

private:
  std::array<std::uint8_t, 16> object_identity_{};
};

/// Leaves every decision to the caller: the connection halts with Interest::verdict and waits.
class VerdictByCaller final : public CertificateVerifier {
public:
  /// Refuses: it is not for this call to decide.
  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
  [[nodiscard]] bool decides_later() const noexcept override { return true; }
};

/// Accepts every certificate of every server. A connection that uses it can be read and changed by anybody on the
/// way; it exists for tests and for finding out what a server sends.
class DangerousNoVerification final : public CertificateVerifier {
public:
  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
  [[nodiscard]] TrustIdentity trust_identity() const override;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/verifier.ipp>
#endif
