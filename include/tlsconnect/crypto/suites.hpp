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

/// The parameters of a suite that this library implements; nothing for any other code point (RFC 9846, B.4).
[[nodiscard]] constexpr std::optional<SuiteParameters> parameters_of(CipherSuite suite) noexcept {
  switch (suite) {
  case CipherSuite::aes_128_gcm_sha256:
    return SuiteParameters{suite, HashAlgorithm::sha256, AeadAlgorithm::aes_128_gcm};
  case CipherSuite::aes_256_gcm_sha384:
    return SuiteParameters{suite, HashAlgorithm::sha384, AeadAlgorithm::aes_256_gcm};
  case CipherSuite::chacha20_poly1305_sha256:
    return SuiteParameters{suite, HashAlgorithm::sha256, AeadAlgorithm::chacha20_poly1305};
  }
  return std::nullopt;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
