// What became known about a connection: what was negotiated, by whom, and how the handshake went.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/inplace_vector.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// One handshake message as it passed.
struct TracedMessage {
  HandshakeType type = HandshakeType::hello_request;
  bool sent = false;      ///< by this client; otherwise received
  std::uint32_t size = 0; ///< with its header, in bytes
};

/// Facts about a connection. Those of the handshake are final once it is complete.
struct ConnectionInfo {
  ProtocolVersion version = ProtocolVersion::tls1_3;
  CipherSuite cipher_suite = CipherSuite::aes_128_gcm_sha256;
  NamedGroup group = NamedGroup::x25519;
  /// The scheme of the server's signature over the handshake.
  SignatureScheme signature_scheme = SignatureScheme::ecdsa_secp256r1_sha256;
  /// The server asked for a second ClientHello (RFC 9846, 4.1.4).
  bool hello_retry_request = false;
  /// The server asked for a client certificate (RFC 9846, 4.3.2).
  bool certificate_requested = false;
  /// The application protocol that the server chose; empty when it chose none (RFC 7301).
  std::string application_protocol;
  /// The server's certificates in DER as it sent them, its own first. `Certificate::from_der` opens one.
  std::vector<ByteVector> peer_chain;
  /// Why that chain was accepted, in one sentence.
  std::string verification;
  /// The handshake's messages in the order in which they passed, the first 16.
  InplaceVector<TracedMessage, 16> messages;
  /// Records and bytes on the transport, headers included.
  std::uint64_t records_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;

  /// Whether reading this connection later would take breaking ML-KEM too (RFC 10024).
  [[nodiscard]] bool post_quantum() const noexcept { return is_post_quantum(group); }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
