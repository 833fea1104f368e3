// The code points of the TLS registries. Open enums: a value without a name here still travels.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// RFC 9846, 5.1
enum class ContentType : std::uint8_t {
  invalid = 0,
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

/// RFC 9846, 4, and those that only TLS 1.2 has (RFC 5246, 7.4; RFC 6066, 8; RFC 5077, 3.3).
enum class HandshakeType : std::uint8_t {
  hello_request = 0,
  client_hello = 1,
  server_hello = 2,
  new_session_ticket = 4,
  end_of_early_data = 5,
  encrypted_extensions = 8,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_verify = 15,
  client_key_exchange = 16,
  finished = 20,
  certificate_status = 22,
  key_update = 24,
  compressed_certificate = 25,
  message_hash = 254,
};

enum class ProtocolVersion : std::uint16_t {
  tls1_0 = 0x0301,
  tls1_1 = 0x0302,
  tls1_2 = 0x0303,
  tls1_3 = 0x0304,
};

/// TLS 1.3 (RFC 9846, B.4), and those of TLS 1.2 that have an AEAD, all but the last three with forward secrecy: RFC 5289,
/// RFC 7905, RFC 8442, RFC 5487.
enum class CipherSuite : std::uint16_t {
  aes_128_gcm_sha256 = 0x1301,
  aes_256_gcm_sha384 = 0x1302,
  chacha20_poly1305_sha256 = 0x1303,
  ecdhe_ecdsa_aes_128_gcm_sha256 = 0xC02B,
  ecdhe_ecdsa_aes_256_gcm_sha384 = 0xC02C,
  ecdhe_rsa_aes_128_gcm_sha256 = 0xC02F,
  ecdhe_rsa_aes_256_gcm_sha384 = 0xC030,
  ecdhe_rsa_chacha20_poly1305_sha256 = 0xCCA8,
  ecdhe_ecdsa_chacha20_poly1305_sha256 = 0xCCA9,
  ecdhe_psk_chacha20_poly1305_sha256 = 0xCCAC,
  ecdhe_psk_aes_128_gcm_sha256 = 0xD001,
  ecdhe_psk_aes_256_gcm_sha384 = 0xD002,
  psk_aes_128_gcm_sha256 = 0x00A8,
  psk_aes_256_gcm_sha384 = 0x00A9,
  psk_chacha20_poly1305_sha256 = 0xCCAB,
};

/// RFC 9846, 4.2.7; the hybrids: RFC 10024; ML-KEM by itself: draft-ietf-tls-mlkem
enum class NamedGroup : std::uint16_t {
  secp256r1 = 0x0017,
  secp384r1 = 0x0018,
  secp521r1 = 0x0019,
  x25519 = 0x001D,
  x448 = 0x001E,
  mlkem512 = 0x0200,
  mlkem768 = 0x0201,
  mlkem1024 = 0x0202,
  secp256r1_mlkem768 = 0x11EB,
  x25519_mlkem768 = 0x11EC,
  secp384r1_mlkem1024 = 0x11ED,
};

/// RFC 9846, 4.2.3; ML-DSA: draft-ietf-tls-mldsa
enum class SignatureScheme : std::uint16_t {
  rsa_pkcs1_sha1 = 0x0201,
  ecdsa_sha1 = 0x0203,
  rsa_pkcs1_sha256 = 0x0401,
  ecdsa_secp256r1_sha256 = 0x0403,
  rsa_pkcs1_sha384 = 0x0501,
  ecdsa_secp384r1_sha384 = 0x0503,
  rsa_pkcs1_sha512 = 0x0601,
  ecdsa_secp521r1_sha512 = 0x0603,
  rsa_pss_rsae_sha256 = 0x0804,
  rsa_pss_rsae_sha384 = 0x0805,
  rsa_pss_rsae_sha512 = 0x0806,
  ed25519 = 0x0807,
  ed448 = 0x0808,
  rsa_pss_pss_sha256 = 0x0809,
  rsa_pss_pss_sha384 = 0x080A,
  rsa_pss_pss_sha512 = 0x080B,
  mldsa44 = 0x0904,
  mldsa65 = 0x0905,
  mldsa87 = 0x0906,
};

/// RFC 9846, 4.2
enum class ExtensionType : std::uint16_t {
  server_name = 0,
  max_fragment_length = 1,
  status_request = 5,
  supported_groups = 10,
  ec_point_formats = 11,
  signature_algorithms = 13,
  use_srtp = 14,
  heartbeat = 15,
  application_layer_protocol_negotiation = 16,
  signed_certificate_timestamp = 18,
  client_certificate_type = 19,
  server_certificate_type = 20,
  padding = 21,
  extended_main_secret = 23,
  compress_certificate = 27,
  record_size_limit = 28,
  session_ticket = 35,
  pre_shared_key = 41,
  early_data = 42,
  supported_versions = 43,
  cookie = 44,
  psk_key_exchange_modes = 45,
  certificate_authorities = 47,
  oid_filters = 48,
  post_handshake_auth = 49,
  signature_algorithms_cert = 50,
  key_share = 51,
  encrypted_client_hello = 0xFE0D,
  renegotiation_info = 0xFF01,
};

/// The registry's name, or "unknown".
[[nodiscard]] constexpr std::string_view name_of(HandshakeType type) noexcept {
  switch (type) {
  case HandshakeType::hello_request:
    return "hello_request";
  case HandshakeType::client_hello:
    return "client_hello";
  case HandshakeType::server_hello:
    return "server_hello";
  case HandshakeType::new_session_ticket:
    return "new_session_ticket";
  case HandshakeType::end_of_early_data:
    return "end_of_early_data";
  case HandshakeType::encrypted_extensions:
    return "encrypted_extensions";
  case HandshakeType::certificate:
    return "certificate";
  case HandshakeType::server_key_exchange:
    return "server_key_exchange";
  case HandshakeType::certificate_request:
    return "certificate_request";
  case HandshakeType::server_hello_done:
    return "server_hello_done";
  case HandshakeType::certificate_verify:
    return "certificate_verify";
  case HandshakeType::client_key_exchange:
    return "client_key_exchange";
  case HandshakeType::finished:
    return "finished";
  case HandshakeType::certificate_status:
    return "certificate_status";
  case HandshakeType::key_update:
    return "key_update";
  case HandshakeType::compressed_certificate:
    return "compressed_certificate";
  case HandshakeType::message_hash:
    return "message_hash";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view name_of(ProtocolVersion version) noexcept {
  switch (version) {
  case ProtocolVersion::tls1_0:
    return "TLS 1.0";
  case ProtocolVersion::tls1_1:
    return "TLS 1.1";
  case ProtocolVersion::tls1_2:
    return "TLS 1.2";
  case ProtocolVersion::tls1_3:
    return "TLS 1.3";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view name_of(CipherSuite suite) noexcept {
  switch (suite) {
  case CipherSuite::aes_128_gcm_sha256:
    return "TLS_AES_128_GCM_SHA256";
  case CipherSuite::aes_256_gcm_sha384:
    return "TLS_AES_256_GCM_SHA384";
  case CipherSuite::chacha20_poly1305_sha256:
    return "TLS_CHACHA20_POLY1305_SHA256";
  case CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256:
    return "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
  case CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384:
    return "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
  case CipherSuite::ecdhe_rsa_aes_128_gcm_sha256:
    return "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
  case CipherSuite::ecdhe_rsa_aes_256_gcm_sha384:
    return "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
  case CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256:
    return "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
  case CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256:
    return "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
  case CipherSuite::ecdhe_psk_chacha20_poly1305_sha256:
    return "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256";
  case CipherSuite::ecdhe_psk_aes_128_gcm_sha256:
    return "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256";
  case CipherSuite::ecdhe_psk_aes_256_gcm_sha384:
    return "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384";
  case CipherSuite::psk_aes_128_gcm_sha256:
    return "TLS_PSK_WITH_AES_128_GCM_SHA256";
  case CipherSuite::psk_aes_256_gcm_sha384:
    return "TLS_PSK_WITH_AES_256_GCM_SHA384";
  case CipherSuite::psk_chacha20_poly1305_sha256:
    return "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view name_of(NamedGroup group) noexcept {
  switch (group) {
  case NamedGroup::secp256r1:
    return "secp256r1";
  case NamedGroup::secp384r1:
    return "secp384r1";
  case NamedGroup::secp521r1:
    return "secp521r1";
  case NamedGroup::x25519:
    return "x25519";
  case NamedGroup::x448:
    return "x448";
  case NamedGroup::mlkem512:
    return "MLKEM512";
  case NamedGroup::mlkem768:
    return "MLKEM768";
  case NamedGroup::mlkem1024:
    return "MLKEM1024";
  case NamedGroup::secp256r1_mlkem768:
    return "SecP256r1MLKEM768";
  case NamedGroup::x25519_mlkem768:
    return "X25519MLKEM768";
  case NamedGroup::secp384r1_mlkem1024:
    return "SecP384r1MLKEM1024";
  }
  return "unknown";
}

/// Whether a quantum computer would have to break ML-KEM to learn the group's secrets: the hybrids (RFC 10024), which
/// have an elliptic curve beside it, and ML-KEM by itself (draft-ietf-tls-mlkem).
[[nodiscard]] constexpr bool is_post_quantum(NamedGroup group) noexcept {
  switch (group) {
  case NamedGroup::mlkem512:
  case NamedGroup::mlkem768:
  case NamedGroup::mlkem1024:
  case NamedGroup::secp256r1_mlkem768:
  case NamedGroup::x25519_mlkem768:
  case NamedGroup::secp384r1_mlkem1024:
    return true;
  default:
    return false;
  }
}

[[nodiscard]] constexpr std::string_view name_of(SignatureScheme scheme) noexcept {
  switch (scheme) {
  case SignatureScheme::rsa_pkcs1_sha1:
    return "rsa_pkcs1_sha1";
  case SignatureScheme::ecdsa_sha1:
    return "ecdsa_sha1";
  case SignatureScheme::rsa_pkcs1_sha256:
    return "rsa_pkcs1_sha256";
  case SignatureScheme::ecdsa_secp256r1_sha256:
    return "ecdsa_secp256r1_sha256";
  case SignatureScheme::rsa_pkcs1_sha384:
    return "rsa_pkcs1_sha384";
  case SignatureScheme::ecdsa_secp384r1_sha384:
    return "ecdsa_secp384r1_sha384";
  case SignatureScheme::rsa_pkcs1_sha512:
    return "rsa_pkcs1_sha512";
  case SignatureScheme::ecdsa_secp521r1_sha512:
    return "ecdsa_secp521r1_sha512";
  case SignatureScheme::rsa_pss_rsae_sha256:
    return "rsa_pss_rsae_sha256";
  case SignatureScheme::rsa_pss_rsae_sha384:
    return "rsa_pss_rsae_sha384";
  case SignatureScheme::rsa_pss_rsae_sha512:
    return "rsa_pss_rsae_sha512";
  case SignatureScheme::ed25519:
    return "ed25519";
  case SignatureScheme::ed448:
    return "ed448";
  case SignatureScheme::rsa_pss_pss_sha256:
    return "rsa_pss_pss_sha256";
  case SignatureScheme::rsa_pss_pss_sha384:
    return "rsa_pss_pss_sha384";
  case SignatureScheme::rsa_pss_pss_sha512:
    return "rsa_pss_pss_sha512";
  case SignatureScheme::mldsa44:
    return "mldsa44";
  case SignatureScheme::mldsa65:
    return "mldsa65";
  case SignatureScheme::mldsa87:
    return "mldsa87";
  }
  return "unknown";
}

/// Whether signatures of the scheme are made with ML-DSA (FIPS 204), which withstands a quantum computer.
[[nodiscard]] constexpr bool is_ml_dsa(SignatureScheme scheme) noexcept {
  return scheme == SignatureScheme::mldsa44 || scheme == SignatureScheme::mldsa65 || scheme == SignatureScheme::mldsa87;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
