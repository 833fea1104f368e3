// What became known about a connection: what was negotiated, by whom, and how the handshake went.
#pragma once

#include <cstdint>
#include <optional>
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
  std::uint32_t at = 0;   ///< when, in microseconds since the ClientHello
};

/// What the connection's keys rest on besides the key exchange.
enum class PskUse : std::uint8_t {
  none,       ///< on the server's certificate or raw public key
  resumption, ///< on a session, and with it on what that rested on
  external,   ///< on a key that both sides were given
};

/// What became of early data (RFC 9846, 4.2.10).
enum class EarlyDataOutcome : std::uint8_t {
  not_sent, ///< there was none, or no session that permits any
  accepted, ///< the server took what was sent
  rejected, ///< the server took none of it; Stream::take_unaccepted_early_data gives it back
};

/// By what it is known that a certificate was not revoked.
enum class StatusEvidence : std::uint8_t {
  none,   ///< it is not known
  staple, ///< by an OCSP response that the server sent along (RFC 6066, 8)
  crl,    ///< by a list of revoked certificates that the caller supplied (RFC 5280, 5)
};

/// What the server sent along with one of its certificates; empty where it sent nothing.
struct PeerStatus {
  ByteVector ocsp_response; ///< DER of an OCSPResponse (RFC 6066, 8)
  ByteVector sct_list;      ///< a SignedCertificateTimestampList (RFC 6962, 3.3)
};

/// Facts about a connection. Those of the handshake are final once it is complete.
struct ConnectionInfo {
  ProtocolVersion version = ProtocolVersion::tls1_3;
  CipherSuite cipher_suite = CipherSuite::aes_128_gcm_sha256;
  NamedGroup group = NamedGroup::x25519; ///< without a meaning for the suites of TLS 1.2 that have no key exchange
  /// The scheme of the server's signature over the handshake; when resumed, over that which the session comes from.
  SignatureScheme signature_scheme = SignatureScheme::ecdsa_secp256r1_sha256;
  /// TLS 1.2: the main secret is bound to the whole handshake (RFC 7627). TLS 1.3 always has that.
  bool extended_main_secret = false;
  /// TLS 1.2: the server knows RFC 5746. (This client renegotiates with none.)
  bool secure_renegotiation = false;
  /// The server asked for a second ClientHello (RFC 9846, 4.1.4).
  bool hello_retry_request = false;
  /// The server asked for a client certificate (RFC 9846, 4.3.2).
  bool certificate_requested = false;
  /// A client certificate, or a client's raw public key, was sent.
  bool client_certificate_sent = false;
  /// Which of ClientConfig::credentials() that was.
  std::optional<std::uint16_t> credential;
  /// Whether the connection rests on a pre-shared key.
  PskUse psk = PskUse::none;
  /// Which of ClientConfig::external_psks() the server chose, for PskUse::external.
  std::optional<std::uint16_t> external_psk;
  EarlyDataOutcome early_data = EarlyDataOutcome::not_sent;
  /// How many bytes of early data the server accepted.
  std::uint32_t early_data_accepted = 0;
  /// The algorithm with which the server compressed its certificates (RFC 8879); 0 when it did not.
  std::uint16_t certificate_compression = 0;
  /// From the ClientHello to the end of the handshake, in microseconds; 0 while it lasts.
  std::uint64_t handshake_duration = 0;
  /// The application protocol that the server chose; empty when it chose none (RFC 7301).
  std::string application_protocol;
  /// The server's certificates in DER as it sent them, its own first. `Certificate::from_der` opens one. When resumed:
  /// those of the connection that the session comes from. With a raw public key (RFC 7250): its SubjectPublicKeyInfo.
  std::vector<ByteVector> peer_chain;
  /// What came with those certificates: one entry for each, or none at all when nothing came.
  std::vector<PeerStatus> peer_status;
  /// The server showed a raw public key instead of certificates.
  bool raw_public_key = false;
  /// Why that chain was accepted, in one sentence.
  std::string verification;
  /// By what it is known that the server's own certificate was not revoked. Of a resumed connection: `none`, unless it was
  /// judged again.
  StatusEvidence server_status = StatusEvidence::none;
  /// The handshake's messages in the order in which they passed, the first 16.
  InplaceVector<TracedMessage, 16> messages;
  /// Records and bytes on the transport, headers included.
  std::uint64_t records_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;

  [[nodiscard]] bool resumed() const noexcept { return psk == PskUse::resumption; }
  /// Whether reading this connection later would take breaking ML-KEM too (RFC 10024).
  [[nodiscard]] bool post_quantum() const noexcept { return is_post_quantum(group); }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
