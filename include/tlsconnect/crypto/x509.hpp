// Certificates, parsed, and the signatures on them. Botan does the work behind this wall.
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
#include <tlsconnect/crypto/certificate_fields.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// An IPv4 (4 bytes) or IPv6 (16 bytes) address of a subjectAltName.
using AddressBytes = ByteVector;

/// How certificates are signed, as far as this library verifies it.
enum class SignatureFamily : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519, ed448, mldsa44, mldsa65, mldsa87 };
struct SignatureAlgorithm {
  SignatureFamily family;
  HashAlgorithm hash; ///< of no account for Ed25519, Ed448 and ML-DSA
};

/// A distinguished name (in DER) as a text that is equal for equal names (RFC 5280, 7.1: case and runs of spaces do not
/// count, nor does the kind of string), and begins with the text of another whose relative names it begins with.
[[nodiscard]] Result<std::string> comparable_name(BytesView name) noexcept;

/// The algorithm of a signature over a certificate, a list of revoked ones or an OCSP response, from its
/// AlgorithmIdentifier. `certificate_algorithm_weak` for MD5, SHA-1 and the like, `certificate_key_unsupported` for what is
/// not known.
[[nodiscard]] Result<SignatureAlgorithm> read_signature_algorithm(BytesView der) noexcept;

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
  /// For a person: "EC secp256r1", "RSA 2048", "Ed25519", "ML-DSA-65".
  [[nodiscard]] std::string key_description() const;
  /// For a person: the algorithm with which the issuer signed this certificate.
  [[nodiscard]] std::string signature_description() const;
  [[nodiscard]] bool self_issued() const noexcept;

  /// All fields as they stand there.
  [[nodiscard]] CertificateFields fields() const noexcept;
  /// The algorithm with which the issuer signed this certificate. `certificate_algorithm_weak` for MD5, SHA-1 and the
  /// like, `certificate_key_unsupported` for what is not known.
  [[nodiscard]] Result<SignatureAlgorithm> signature_algorithm() const noexcept;
  /// The distinguished names as they stand there, in DER (RFC 5280, 4.1.2.4).
  [[nodiscard]] ByteVector subject_der() const;
  [[nodiscard]] ByteVector issuer_der() const;
  /// The DER value of an extension, given its OID with dots ("2.5.29.15"); none when it is not there.
  [[nodiscard]] std::optional<ByteVector> extension(std::string_view oid) const;
  /// The key that the certificate is for.
  [[nodiscard]] Result<PublicKey> public_key() const noexcept;
  /// The hash for the channel binding tls-server-end-point (RFC 5929, 4.1): that of the algorithm this certificate is
  /// signed with, SHA-256 instead of MD5 and SHA-1. `export_not_available` where the RFC defines none: Ed25519,
  /// Ed448 and ML-DSA, RSASSA-PSS with two hashes, and hashes that this library does not have.
  [[nodiscard]] Result<HashAlgorithm> signature_hash() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  explicit Certificate(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// The key of an issuer, loaded once for any number of signatures; cheap to copy (shared), safe to use from several threads
/// (Botan 3.11 and later have tests for that).
class IssuerKey {
public:
  /// The key of a certificate. `certificate_key_too_weak` or `certificate_key_unsupported` when it is none that this
  /// library uses: RSA from `rsa_bits_min` to 8192 bits, the curves P-256, P-384 and P-521, Ed25519, Ed448 and ML-DSA.
  [[nodiscard]] static Result<IssuerKey> load(const Certificate& certificate, std::size_t rsa_bits_min) noexcept;

  /// Whether it is no RSA key of fewer bits than this.
  [[nodiscard]] bool long_enough(std::size_t rsa_bits_min) const noexcept;
  /// Whether signatures of this kind are made with keys of this kind (RFC 4055, 1.2: a key of id-RSASSA-PSS makes no
  /// others, and only those that its parameters allow).
  [[nodiscard]] bool fits(SignatureAlgorithm algorithm) const noexcept;
  /// Whether the list has a scheme for it; of ECDSA, the hash and the curve may come from two schemes, because in
  /// certificates they are not bound to each other (RFC 5758, 3.2).
  [[nodiscard]] bool among(SignatureAlgorithm algorithm, std::span<const SignatureScheme> schemes) const noexcept;
  /// Whether this key made the signature of a certificate. `certificate_signature_invalid` when not, and when the kind of
  /// the signature does not fit the key.
  [[nodiscard]] Result<> verify(const Certificate& subject) const noexcept;
  /// The same for anything else that issuers sign.
  [[nodiscard]] Result<> verify(SignatureAlgorithm algorithm, BytesView message, BytesView signature) const noexcept;

  struct Impl;

private:
  explicit IssuerKey(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/x509.ipp>
#include <tlsconnect/impl/x509_signature.ipp>
#endif
