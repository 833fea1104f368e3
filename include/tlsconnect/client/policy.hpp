// What a standard, or a date, allows a connection to use.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What may be offered, and so what may be accepted: a server can choose only among what was offered. A configuration
/// that is built on a policy starts with its lists, and can make them shorter, but not longer. The name carries a date,
/// because what is behind a name never changes: when a standard does, there is a new policy.
///
/// All lists stand in the order of preference. They are views: of a policy of your own, what they view must live as
/// long as the policy is used.
struct Policy {
  std::string_view name;
  std::span<const ProtocolVersion> versions;
  std::span<const CipherSuite> cipher_suites;
  std::span<const NamedGroup> groups;
  /// What the server may sign the handshake with. (PKCS#1 v1.5 counts in TLS 1.2 only: RFC 9846, 4.2.3; ML-DSA in TLS 1.3
  /// only, and where is_available says so.)
  std::span<const SignatureScheme> signature_schemes;
  /// What certificates may be signed with.
  std::span<const SignatureScheme> certificate_signature_schemes;
  /// The shortest RSA key, in bits.
  std::size_t rsa_bits_min = 2048;
};

/// What is first found in `chosen` that `policy` does not allow, as a sentence for a person; nothing when there is no
/// such thing. (The name of `chosen` is of no account.)
[[nodiscard]] std::optional<std::string> widens(const Policy& policy, const Policy& chosen);

/// The lists of fips_202205, wpa3_enterprise_202304, cnsa1_202603 and cnsa2_202603 are those of the compliance policies
/// of BoringSSL with the same dates, as far as this library has what they name. A policy helps to comply with a standard;
/// it does not show that one does: above all, whether the cryptographic module underneath has been validated is outside
/// of it.
namespace policies {

/// What this library offers unless it is told otherwise, as of November 2026. ML-DSA comes last among the signatures: as
/// long as others are accepted beside it, a server that has both gains nothing with the longer one.
[[nodiscard]] const Policy& modern_202611() noexcept;

/// NIST SP 800-52, revision 2: AES-GCM, P-256 and P-384, ECDSA on those curves, and RSA.
[[nodiscard]] const Policy& fips_202205() noexcept;

/// WPA3-Enterprise with 192-bit security: AES-256-GCM, P-384, ECDSA on it, and RSA from 3072 bits on with SHA-384 or
/// SHA-512.
[[nodiscard]] const Policy& wpa3_enterprise_202304() noexcept;

/// CNSA 1.0 (RFC 9151): AES-256-GCM, P-384, ECDSA on it, and RSA from 3072 bits on, with SHA-384. ML-KEM-1024 is
/// allowed beside P-384 and preferred, as a step towards CNSA 2.0.
[[nodiscard]] const Policy& cnsa1_202603() noexcept;

/// CNSA 2.0 (draft-becker-cnsa2-tls-profile) in what protects the content, for as long as hardly any authority issues
/// certificates with ML-DSA: TLS 1.3, AES-256-GCM and ML-KEM-1024 alone. The server shows who it is with what CNSA 1.0
/// allows, so that this policy keeps recorded connections closed to a quantum computer, but would not stop one that
/// impersonates a server.
[[nodiscard]] const Policy& cnsa2_202603() noexcept;

/// CNSA 2.0 in full (draft-becker-cnsa2-tls-profile): TLS 1.3, AES-256-GCM, ML-KEM-1024, and ML-DSA-87 for the handshake
/// and for every certificate of the chain. No configuration can be made of it where ML-DSA is not available.
[[nodiscard]] const Policy& cnsa2_202611() noexcept;

} // namespace policies

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/policy.ipp>
#endif
