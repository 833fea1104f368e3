// The lists of the policies, and the comparison of two.
#pragma once

#include <algorithm>

#include <tlsconnect/client/policy.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail::policy_lists {

// Whoever adds a suite, a group or a scheme to the registry looks through all of these: the policies with a standard's
// name take what that standard takes. In TLS 1.2 those are the ECDHE suites with AES-GCM (all four for FIPS, the two
// with AES-256 for WPA3 and CNSA 1.0).

inline constexpr ProtocolVersion tls13_only[] = {ProtocolVersion::tls1_3};
inline constexpr ProtocolVersion tls13_and_tls12[] = {ProtocolVersion::tls1_3, ProtocolVersion::tls1_2};

inline constexpr CipherSuite modern_suites[] = {
    CipherSuite::aes_128_gcm_sha256,
    CipherSuite::aes_256_gcm_sha384,
    CipherSuite::chacha20_poly1305_sha256,
    CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256,
    CipherSuite::ecdhe_rsa_aes_128_gcm_sha256,
    CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384,
    CipherSuite::ecdhe_rsa_aes_256_gcm_sha384,
    CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256,
    CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256,
    // Offered by those who have a pre-shared key, and only by them.
    CipherSuite::ecdhe_psk_aes_128_gcm_sha256,
    CipherSuite::ecdhe_psk_aes_256_gcm_sha384,
    CipherSuite::ecdhe_psk_chacha20_poly1305_sha256,
};
inline constexpr NamedGroup modern_groups[] = {
    NamedGroup::x25519_mlkem768, NamedGroup::x25519,    NamedGroup::secp256r1,
    NamedGroup::secp384r1,       NamedGroup::secp521r1,
};
inline constexpr SignatureScheme modern_schemes[] = {
    SignatureScheme::ecdsa_secp256r1_sha256,
    SignatureScheme::ed25519,
    SignatureScheme::ecdsa_secp384r1_sha384,
    SignatureScheme::ecdsa_secp521r1_sha512,
    SignatureScheme::ed448,
    SignatureScheme::rsa_pss_rsae_sha256,
    SignatureScheme::rsa_pss_rsae_sha384,
    SignatureScheme::rsa_pss_rsae_sha512,
    SignatureScheme::rsa_pss_pss_sha256,
    SignatureScheme::rsa_pss_pss_sha384,
    SignatureScheme::rsa_pss_pss_sha512,
    SignatureScheme::rsa_pkcs1_sha256,
    SignatureScheme::rsa_pkcs1_sha384,
    SignatureScheme::rsa_pkcs1_sha512,
    SignatureScheme::mldsa44,
    SignatureScheme::mldsa65,
    SignatureScheme::mldsa87,
};

inline constexpr CipherSuite fips_suites[] = {
    CipherSuite::aes_128_gcm_sha256,
    CipherSuite::aes_256_gcm_sha384,
    CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256,
    CipherSuite::ecdhe_rsa_aes_128_gcm_sha256,
    CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384,
    CipherSuite::ecdhe_rsa_aes_256_gcm_sha384,
};
inline constexpr NamedGroup fips_groups[] = {NamedGroup::secp256r1, NamedGroup::secp384r1};
inline constexpr SignatureScheme fips_schemes[] = {
    SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_secp384r1_sha384,
    SignatureScheme::rsa_pss_rsae_sha256,    SignatureScheme::rsa_pss_rsae_sha384,
    SignatureScheme::rsa_pss_rsae_sha512,    SignatureScheme::rsa_pkcs1_sha256,
    SignatureScheme::rsa_pkcs1_sha384,       SignatureScheme::rsa_pkcs1_sha512,
};

inline constexpr CipherSuite aes_256_suites[] = {
    CipherSuite::aes_256_gcm_sha384,
    CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384,
    CipherSuite::ecdhe_rsa_aes_256_gcm_sha384,
};
inline constexpr CipherSuite cnsa2_suites[] = {
    CipherSuite::aes_256_gcm_sha384,
};
inline constexpr NamedGroup wpa3_groups[] = {NamedGroup::secp384r1};
inline constexpr SignatureScheme wpa3_schemes[] = {
    SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384, SignatureScheme::rsa_pss_rsae_sha512,
    SignatureScheme::rsa_pkcs1_sha384,       SignatureScheme::rsa_pkcs1_sha512,
};

inline constexpr NamedGroup cnsa1_groups[] = {NamedGroup::mlkem1024, NamedGroup::secp384r1};
inline constexpr NamedGroup cnsa2_groups[] = {NamedGroup::mlkem1024};
inline constexpr SignatureScheme cnsa_schemes[] = {
    SignatureScheme::ecdsa_secp384r1_sha384,
    SignatureScheme::rsa_pss_rsae_sha384,
    SignatureScheme::rsa_pkcs1_sha384,
};
inline constexpr SignatureScheme cnsa2_schemes[] = {SignatureScheme::mldsa87};
/// How many at its end are for certificates only where there is no TLS 1.2.
inline constexpr std::size_t cnsa_certificates_only = 1;

/// Without the last `few`.
template <std::size_t Size>
[[nodiscard]] constexpr std::span<const SignatureScheme> all_but(const SignatureScheme (&schemes)[Size],
                                                                 std::size_t few) noexcept {
  return std::span<const SignatureScheme>(schemes).first(Size - few);
}

inline constexpr Policy modern_202611{
    .name = "modern-202611",
    .versions = tls13_and_tls12,
    .cipher_suites = modern_suites,
    .groups = modern_groups,
    .signature_schemes = modern_schemes,
    .certificate_signature_schemes = modern_schemes,
    .rsa_bits_min = 2048,
};
inline constexpr Policy fips_202205{
    .name = "fips-202205",
    .versions = tls13_and_tls12,
    .cipher_suites = fips_suites,
    .groups = fips_groups,
    .signature_schemes = fips_schemes,
    .certificate_signature_schemes = fips_schemes,
    .rsa_bits_min = 2048,
};
// BoringSSL leaves the length of RSA keys to the caller in these; the standards ask for 3072 bits.
inline constexpr Policy wpa3_enterprise_202304{
    .name = "wpa3-enterprise-202304",
    .versions = tls13_and_tls12,
    .cipher_suites = aes_256_suites,
    .groups = wpa3_groups,
    .signature_schemes = wpa3_schemes,
    .certificate_signature_schemes = wpa3_schemes,
    .rsa_bits_min = 3072,
};
inline constexpr Policy cnsa1_202603{
    .name = "cnsa1-202603",
    .versions = tls13_and_tls12,
    .cipher_suites = aes_256_suites,
    .groups = cnsa1_groups,
    .signature_schemes = cnsa_schemes,
    .certificate_signature_schemes = cnsa_schemes,
    .rsa_bits_min = 3072,
};
inline constexpr Policy cnsa2_202603{
    .name = "cnsa2-202603",
    .versions = tls13_only,
    .cipher_suites = cnsa2_suites,
    .groups = cnsa2_groups,
    .signature_schemes = all_but(cnsa_schemes, cnsa_certificates_only),
    .certificate_signature_schemes = cnsa_schemes,
    .rsa_bits_min = 3072,
};

inline constexpr Policy cnsa2_202611{
    .name = "cnsa2-202611",
    .versions = tls13_only,
    .cipher_suites = cnsa2_suites,
    .groups = cnsa2_groups,
    .signature_schemes = cnsa2_schemes,
    .certificate_signature_schemes = cnsa2_schemes,
    .rsa_bits_min = 3072,
};

/// The first value of `chosen` that is not in `allowed`, with what it is.
template <class T>
[[nodiscard]] std::optional<std::string> first_not_allowed(std::span<const T> allowed, std::span<const T> chosen,
                                                           const char* what) {
  for (const T value : chosen)
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      const std::string_view name = name_of(value);
      return std::string(what) + " " +
             (name == "unknown" ? std::to_string(static_cast<unsigned>(value)) : std::string(name));
    }
  return std::nullopt;
}

} // namespace detail::policy_lists

TLSCONNECT_DECL std::optional<std::string> widens(const Policy& policy, const Policy& chosen) {
  using detail::policy_lists::first_not_allowed;
  auto found = first_not_allowed(policy.versions, chosen.versions, "the version");
  if (!found)
    found = first_not_allowed(policy.cipher_suites, chosen.cipher_suites, "the cipher suite");
  if (!found)
    found = first_not_allowed(policy.groups, chosen.groups, "the group");
  if (!found)
    found = first_not_allowed(policy.signature_schemes, chosen.signature_schemes, "the signature scheme");
  if (!found)
    found = first_not_allowed(policy.certificate_signature_schemes, chosen.certificate_signature_schemes,
                              "the certificate signature scheme");
  if (!found && chosen.rsa_bits_min < policy.rsa_bits_min)
    found = "an RSA key of " + std::to_string(chosen.rsa_bits_min) + " bits";
  if (found)
    found->append(" is not allowed by the policy ").append(policy.name);
  return found;
}

namespace policies {

TLSCONNECT_DECL const Policy& modern_202611() noexcept { return detail::policy_lists::modern_202611; }
TLSCONNECT_DECL const Policy& fips_202205() noexcept { return detail::policy_lists::fips_202205; }
TLSCONNECT_DECL const Policy& wpa3_enterprise_202304() noexcept { return detail::policy_lists::wpa3_enterprise_202304; }
TLSCONNECT_DECL const Policy& cnsa1_202603() noexcept { return detail::policy_lists::cnsa1_202603; }
TLSCONNECT_DECL const Policy& cnsa2_202603() noexcept { return detail::policy_lists::cnsa2_202603; }
TLSCONNECT_DECL const Policy& cnsa2_202611() noexcept { return detail::policy_lists::cnsa2_202611; }

} // namespace policies

} // namespace tlsconnect::inline TLSCONNECT_ABI
