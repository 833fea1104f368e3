// Public keys of peers and of this client, and the signatures made with them. Botan does the work behind this wall.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Whether handshakes of TLS 1.3 are signed with the scheme, and this library can do it (for ML-DSA, see is_available).
/// RSASSA-PKCS1-v1_5 and SHA-1 are for certificates and for older versions (RFC 9846, 4.2.3).
[[nodiscard]] constexpr bool signs_tls13(SignatureScheme scheme) noexcept {
  switch (scheme) {
  case SignatureScheme::ecdsa_secp256r1_sha256:
  case SignatureScheme::ecdsa_secp384r1_sha384:
  case SignatureScheme::ecdsa_secp521r1_sha512:
  case SignatureScheme::rsa_pss_rsae_sha256:
  case SignatureScheme::rsa_pss_rsae_sha384:
  case SignatureScheme::rsa_pss_rsae_sha512:
  case SignatureScheme::ed25519:
  case SignatureScheme::ed448:
  case SignatureScheme::rsa_pss_pss_sha256:
  case SignatureScheme::rsa_pss_pss_sha384:
  case SignatureScheme::rsa_pss_pss_sha512:
  case SignatureScheme::mldsa44:
  case SignatureScheme::mldsa65:
  case SignatureScheme::mldsa87:
    return true;
  default:
    return false;
  }
}

/// Whether handshakes of TLS 1.2 are signed with the scheme, and this library can do it: also RSASSA-PKCS1-v1_5, but
/// nothing with SHA-1 or MD5, whose collisions let others sign (SLOTH), and not ML-DSA, which is for TLS 1.3 alone
/// (draft-ietf-tls-mldsa, "TLS 1.2").
[[nodiscard]] constexpr bool signs_tls12(SignatureScheme scheme) noexcept {
  return (signs_tls13(scheme) && !is_ml_dsa(scheme)) || scheme == SignatureScheme::rsa_pkcs1_sha256 ||
         scheme == SignatureScheme::rsa_pkcs1_sha384 || scheme == SignatureScheme::rsa_pkcs1_sha512;
}

/// Whether this program's Botan has what the scheme takes. It may have been built without ML-DSA (its module ml_dsa):
/// then signatures of mldsa44, mldsa65 and mldsa87 can be neither made nor verified. All else is always there.
[[nodiscard]] bool is_available(SignatureScheme scheme) noexcept;

/// A public key as certificates hold it; immutable, cheap to copy (shared), safe to read from several threads.
class PublicKey {
public:
  /// Shorter keys are weak (RFC 9846, C.2 and RFC 9325, 4.2).
  static constexpr std::size_t shortest_rsa_key = 2048;

  /// `certificate_malformed` when the bytes are not exactly one SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7).
  /// Whether TLS can do anything with the key is not looked at.
  [[nodiscard]] static Result<PublicKey> from_spki(BytesView der) noexcept;

  /// The bytes it was made of.
  [[nodiscard]] BytesView spki() const noexcept;
  /// For a person: "EC secp256r1", "RSA 2048", "Ed25519", "ML-DSA-65".
  [[nodiscard]] std::string description() const;

  /// Whether signatures of the scheme are made with keys of this kind (RFC 9846, 4.2.3: the curve too, and rsae or pss
  /// by the key's OID and parameters). That takes in the RSASSA-PKCS1-v1_5 of TLS 1.2, with SHA-256 and longer.
  [[nodiscard]] bool fits(SignatureScheme scheme) const noexcept;
  /// The same for TLS 1.2, in which ECDSA is not bound to one curve for a hash (RFC 9846, 4.2.3), and which has no ML-DSA.
  [[nodiscard]] bool fits_tls12(SignatureScheme scheme) const noexcept;
  /// With which cipher suites of TLS 1.2 a server can show that it holds the key; nothing for a key of no use.
  [[nodiscard]] std::optional<Authentication12> authentication12() const noexcept;
  /// The curve of an ECDSA key; nothing for any other.
  [[nodiscard]] std::optional<NamedGroup> curve() const noexcept;
  /// Whether the other is the same key, however both are encoded: a point may be compressed, and parameters of
  /// RSASSA-PSS may be there or not.
  [[nodiscard]] bool same_key(const PublicKey& other) const noexcept;

  /// Verifies a TLS 1.3 signature. `signature_scheme_not_for_key` when the scheme does not fit the key,
  /// `signature_invalid` when the signature is wrong, `certificate_key_too_weak` for an RSA key of fewer than
  /// `rsa_bits_min` bits, `certificate_key_unsupported` when the key cannot be used at all.
  [[nodiscard]] Result<> verify(SignatureScheme scheme, BytesView message, BytesView signature,
                                std::size_t rsa_bits_min = shortest_rsa_key) const noexcept;
  /// The same for a signature of TLS 1.2.
  [[nodiscard]] Result<> verify_tls12(SignatureScheme scheme, BytesView message, BytesView signature,
                                      std::size_t rsa_bits_min = shortest_rsa_key) const noexcept;

  struct Impl;

private:
  [[nodiscard]] Result<> verify_with(bool tls12, SignatureScheme scheme, BytesView message, BytesView signature,
                                     std::size_t rsa_bits_min) const noexcept;
  explicit PublicKey(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/public_key.ipp>
#endif
