// ClientHello, ServerHello and HelloRetryRequest (RFC 9846, 4.1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

using Random = std::array<std::uint8_t, 32>;

/// A ServerHello with this random is a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 9846, 4.1.3).
inline constexpr Random hello_retry_request_random = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C,
                                                      0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB,
                                                      0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

/// The last eight bytes of a ServerHello's random when a server that speaks TLS 1.3 negotiates TLS 1.2, or an older
/// version (RFC 9846, 4.1.3).
inline constexpr std::array<std::uint8_t, 8> downgrade_to_tls12 = {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44, 0x01};
inline constexpr std::array<std::uint8_t, 8> downgrade_to_tls11 = {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44, 0x00};
/// What the servers of JDK 11 write there instead of the first of these.
inline constexpr std::array<std::uint8_t, 8> downgrade_to_tls12_by_jdk11 = {0xED, 0xBF, 0xB4, 0xA8,
                                                                            0xC2, 0x47, 0x10, 0xFF};

/// struct {
///   ProtocolVersion legacy_version = 0x0303;
///   Random random;
///   opaque legacy_session_id<0..32>;
///   CipherSuite cipher_suites<2..2^16-2>;
///   opaque legacy_compression_methods<1..2^8-1>;
///   Extension extensions<8..2^16-1>;
/// } ClientHello;
struct ClientHello {
  static constexpr std::string_view name = "ClientHello";
  static constexpr HandshakeType type = HandshakeType::client_hello;

  std::uint16_t legacy_version = 0x0303;
  Random random{};
  BytesView legacy_session_id;
  CodeList<CipherSuite> cipher_suites;
  BytesView legacy_compression_methods;
  BytesView extensions; ///< the block's contents, without its length

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.legacy_version);
    ar.fixed(self.random);
    ar.opaque8(self.legacy_session_id, 0, 32);
    ar.codes16(self.cipher_suites, 1);
    ar.opaque8(self.legacy_compression_methods, 1, 0xFF);
    ar.opaque16(self.extensions, 8, 0xFFFF);
  }
};

/// struct {
///   ProtocolVersion legacy_version = 0x0303;
///   Random random;
///   opaque legacy_session_id_echo<0..32>;
///   CipherSuite cipher_suite;
///   uint8 legacy_compression_method = 0;
///   Extension extensions<6..2^16-1>;     before TLS 1.3: may be absent
/// } ServerHello;
struct ServerHello {
  static constexpr std::string_view name = "ServerHello";
  static constexpr HandshakeType type = HandshakeType::server_hello;

  std::uint16_t legacy_version = 0x0303;
  Random random{};
  BytesView legacy_session_id_echo;
  CipherSuite cipher_suite{};
  std::uint8_t legacy_compression_method = 0;
  std::optional<BytesView> extensions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.legacy_version);
    ar.fixed(self.random);
    ar.opaque8(self.legacy_session_id_echo, 0, 32);
    ar.number(self.cipher_suite);
    ar.number(self.legacy_compression_method);
    ar.optional16(self.extensions);
  }

  [[nodiscard]] bool is_hello_retry_request() const noexcept { return random == hello_retry_request_random; }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
