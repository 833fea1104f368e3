// Private keys that this program holds. Botan does the work behind this wall.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/source.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A private key to sign with: ECDSA on secp256r1, secp384r1 or secp521r1, RSA, RSASSA-PSS, Ed25519, Ed448 or ML-DSA
/// (where is_available says so).
/// Immutable, cheap to copy (shared), safe to use from several threads; the key is wiped when the last copy goes.
class PrivateKey {
public:
  /// The first private key of a PEM text; other blocks, such as certificates, are passed over. Labels: PRIVATE KEY,
  /// ENCRYPTED PRIVATE KEY, EC PRIVATE KEY, RSA PRIVATE KEY. `password` is used when the key is encrypted, and ignored
  /// when it is not. `private_key_unreadable` says what is wrong.
  [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view pem, std::string_view password = {}) noexcept;
  /// One private key in DER: PKCS #8 (RFC 5958), encrypted (PBES2 of RFC 8018 with AES in CBC mode, by PBKDF2 or
  /// scrypt) or not, or the older forms ECPrivateKey (RFC 5915) and RSAPrivateKey (RFC 8017). Of an ML-DSA key the seed
  /// must be there, alone or beside the expanded key (RFC 9881, 6).
  [[nodiscard]] static Result<PrivateKey> from_der(BytesView der, std::string_view password = {}) noexcept;

  [[nodiscard]] const PublicKey& public_key() const noexcept;
  /// What it can sign with, the preferred scheme first; last what only TLS 1.2 signs with (RFC 9846, 4.2.3): for an RSA
  /// key RSASSA-PKCS1-v1_5, for an ECDSA key the schemes that name another curve, of which TLS 1.2 takes the hash alone.
  /// Schemes for which an RSA key is too short are not among them.
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept;

  /// Signs `message`. All randomness is drawn from `rng`: the same key, message and randomness make the same signature.
  /// ECDSA nonces are made from the key and the message (RFC 6979), and randomness only blinds the calculation; ML-DSA
  /// mixes both (FIPS 204, 3.4): a bad source does not betray the key. `signing_failed` when the scheme is none of
  /// schemes() or the calculation fails, `random_source_failed` when `rng` does.
  [[nodiscard]] Result<ByteVector> sign(SignatureScheme scheme, BytesView message, Rng& rng) const noexcept;

  struct Impl;

private:
  explicit PrivateKey(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/private_key.ipp>
#endif
