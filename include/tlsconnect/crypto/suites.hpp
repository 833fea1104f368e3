// What a cipher suite stands for: its hash and its AEAD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

enum class HashAlgorithm : std::uint8_t { sha256, sha384, sha512 };
enum class AeadAlgorithm : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

/// Length of a hash's output in bytes.
[[nodiscard]] constexpr std::size_t hash_length(HashAlgorithm hash) noexcept {
  switch (hash) {
  case HashAlgorithm::sha256:
    return 32;
  case HashAlgorithm::sha384:
    return 48;
  case HashAlgorithm::sha512:
    return 64;
  }
  return 0;
}
/// Length of an AEAD's key in bytes.
[[nodiscard]] constexpr std::size_t key_length(AeadAlgorithm aead) noexcept {
  return aead == AeadAlgorithm::aes_128_gcm ? 16 : 32;
}
/// Lengths of the nonce and of the tag, the same for each AEAD in use, in bytes.
inline constexpr std::size_t aead_nonce_length = 12;
inline constexpr std::size_t aead_tag_length = 16;

struct SuiteParameters {
  CipherSuite suite;
  HashAlgorithm hash;
  AeadAlgorithm aead;
};

/// The parameters of a suite of TLS 1.3 that this library implements; nothing for any other code point (RFC 9846, B.4).
[[nodiscard]] constexpr std::optional<SuiteParameters> parameters_of(CipherSuite suite) noexcept {
  switch (suite) {
  case CipherSuite::aes_128_gcm_sha256:
    return SuiteParameters{suite, HashAlgorithm::sha256, AeadAlgorithm::aes_128_gcm};
  case CipherSuite::aes_256_gcm_sha384:
    return SuiteParameters{suite, HashAlgorithm::sha384, AeadAlgorithm::aes_256_gcm};
  case CipherSuite::chacha20_poly1305_sha256:
    return SuiteParameters{suite, HashAlgorithm::sha256, AeadAlgorithm::chacha20_poly1305};
  default:
    return std::nullopt;
  }
}

/// What a server of TLS 1.2 shows who it is with; EdDSA counts as ECDSA (RFC 8422, 5.1.1).
enum class Authentication12 : std::uint8_t { ecdsa, rsa, psk };

/// A suite of TLS 1.2 says more: also how keys are exchanged, and with what the server signs.
struct SuiteParameters12 {
  CipherSuite suite;
  bool ephemeral; ///< ECDHE; otherwise the pre-shared key alone
  Authentication12 authentication;
  HashAlgorithm hash; ///< of the PRF and of Finished (RFC 5246, 5)
  AeadAlgorithm aead;
};

/// The parameters of a suite of TLS 1.2 that this library implements; nothing for any other code point, those of TLS 1.3
/// among them.
[[nodiscard]] constexpr std::optional<SuiteParameters12> parameters12_of(CipherSuite suite) noexcept {
  using enum Authentication12;
  using enum HashAlgorithm;
  using enum AeadAlgorithm;
  switch (suite) {
  case CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256:
    return SuiteParameters12{suite, true, ecdsa, sha256, aes_128_gcm};
  case CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384:
    return SuiteParameters12{suite, true, ecdsa, sha384, aes_256_gcm};
  case CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256:
    return SuiteParameters12{suite, true, ecdsa, sha256, chacha20_poly1305};
  case CipherSuite::ecdhe_rsa_aes_128_gcm_sha256:
    return SuiteParameters12{suite, true, rsa, sha256, aes_128_gcm};
  case CipherSuite::ecdhe_rsa_aes_256_gcm_sha384:
    return SuiteParameters12{suite, true, rsa, sha384, aes_256_gcm};
  case CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256:
    return SuiteParameters12{suite, true, rsa, sha256, chacha20_poly1305};
  case CipherSuite::ecdhe_psk_aes_128_gcm_sha256:
    return SuiteParameters12{suite, true, psk, sha256, aes_128_gcm};
  case CipherSuite::ecdhe_psk_aes_256_gcm_sha384:
    return SuiteParameters12{suite, true, psk, sha384, aes_256_gcm};
  case CipherSuite::ecdhe_psk_chacha20_poly1305_sha256:
    return SuiteParameters12{suite, true, psk, sha256, chacha20_poly1305};
  case CipherSuite::psk_aes_128_gcm_sha256:
    return SuiteParameters12{suite, false, psk, sha256, aes_128_gcm};
  case CipherSuite::psk_aes_256_gcm_sha384:
    return SuiteParameters12{suite, false, psk, sha384, aes_256_gcm};
  case CipherSuite::psk_chacha20_poly1305_sha256:
    return SuiteParameters12{suite, false, psk, sha256, chacha20_poly1305};
  default:
    return std::nullopt;
  }
}
/// Length of the part of the nonce that the handshake gives, and of the part that each record carries (RFC 5288, 3;
/// RFC 7905, 2), in bytes.
[[nodiscard]] constexpr std::size_t fixed_iv_length12(AeadAlgorithm aead) noexcept {
  return aead == AeadAlgorithm::chacha20_poly1305 ? 12 : 4;
}
[[nodiscard]] constexpr std::size_t explicit_nonce_length12(AeadAlgorithm aead) noexcept {
  return aead == AeadAlgorithm::chacha20_poly1305 ? 0 : 8;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
