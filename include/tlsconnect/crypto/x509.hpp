// Certificates, parsed, and the validation of paths. Botan does the work behind this wall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// An IPv4 (4 bytes) or IPv6 (16 bytes) address of a subjectAltName.
using AddressBytes = ByteVector;

/// One X.509 certificate; immutable, cheap to copy (shared), safe to read from several threads.
class Certificate {
public:
  /// `certificate_malformed` when the bytes are not exactly one DER certificate.
  [[nodiscard]] static Result<Certificate> from_der(BytesView der) noexcept;
  /// Every certificate of a PEM text, in order; other blocks are passed over. An error when one is damaged.
  /// A text without any gives an empty vector.
  [[nodiscard]] static Result<std::vector<Certificate>> from_pem(std::string_view pem) noexcept;

  /// The same certificate in a fraction of the memory, for keeping: what is not asked for often is parsed again when
  /// it is asked for.
  [[nodiscard]] Certificate compact() const noexcept;

  [[nodiscard]] BytesView der() const noexcept;
  /// Distinguished names for a person: "CN=…, O=…".
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string issuer() const;
  /// Hexadecimal, without leading zeros.
  [[nodiscard]] std::string serial() const;
  /// Seconds since 1970-01-01T00:00:00Z.
  [[nodiscard]] std::int64_t not_before() const noexcept;
  [[nodiscard]] std::int64_t not_after() const noexcept;
  /// dNSName and iPAddress entries of the subjectAltName, as they stand there; never the common name.
  [[nodiscard]] std::span<const std::string> dns_names() const noexcept;
  [[nodiscard]] std::span<const AddressBytes> ip_addresses() const noexcept;
  /// For a person: "EC secp256r1", "RSA 2048", "Ed25519".
  [[nodiscard]] std::string key_description() const;
  /// For a person: the algorithm with which the issuer signed this certificate.
  [[nodiscard]] std::string signature_description() const;
  [[nodiscard]] bool self_issued() const noexcept;

  /// The distinguished names as they stand there, in DER (RFC 5280, 4.1.2.4).
  [[nodiscard]] ByteVector subject_der() const;
  [[nodiscard]] ByteVector issuer_der() const;
  /// The DER value of an extension, given its OID with dots ("2.5.29.15"); none when it is not there.
  [[nodiscard]] std::optional<ByteVector> extension(std::string_view oid) const;
  /// The key that the certificate is for.
  [[nodiscard]] Result<PublicKey> public_key() const noexcept;
  /// The hash for the channel binding tls-server-end-point (RFC 5929, 4.1): that of the algorithm this certificate is
  /// signed with, SHA-256 instead of MD5 and SHA-1. `export_not_available` where the RFC defines none: Ed25519 and
  /// Ed448, RSASSA-PSS with two hashes, and hashes that this library does not have.
  [[nodiscard]] Result<HashAlgorithm> signature_hash() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  explicit Certificate(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// Trusted certificates, indexed for path building; immutable, shared.
class AnchorStore {
public:
  [[nodiscard]] static Result<AnchorStore> create(std::span<const Certificate> anchors) noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  explicit AnchorStore(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// What is wrong with a chain, and with which certificate of it.
struct PathFailure {
  ErrorCode code;
  std::size_t position; ///< in the presented chain; 0 is the server's own; the chain's size for a trust anchor
  std::string reason;   ///< for a person
};

/// Validates `chain` (the server's certificate first, the others in any order) for a TLS server at `unix_time`
/// (seconds) with Botan's path validation (RFC 5280): signatures, dates, basic constraints, extended key usage, key
/// strength. Names are not looked at. On success: the path found, from the server's certificate to the anchor.
[[nodiscard]] std::expected<std::vector<Certificate>, PathFailure>
validate_server_path(std::span<const Certificate> chain, const AnchorStore& anchors, std::int64_t unix_time) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/x509.ipp>
#include <tlsconnect/impl/x509_path.ipp>
#endif
