// The server's Certificate message, plain or compressed, with certificates or with a raw public key (RFC 9846, 4.4.2).
#pragma once

#include <vector>

#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/handshake13.hpp>
#include <tlsconnect/record/handshake_joiner.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the server showed, or what the session that is resumed rests on: a chain, or a bare key.
struct ServerCertificate {
  std::vector<Certificate> chain;     ///< empty for a raw public key
  std::vector<PublicKey> public_key;  ///< one: the key that the server must sign with
  std::vector<PresentedStatus> status; ///< views of ConnectionInfo::peer_status; empty when nothing came
};

/// Reads a Certificate or CompressedCertificate message. What it holds is kept in ConnectionInfo whatever comes of it.
[[nodiscard]] Result<ServerCertificate> read_server_certificate(HandshakeContext& context,
                                                                const Handshake13& handshake,
                                                                const HandshakeMessage& message);
/// Parses again what a session was established with.
[[nodiscard]] Result<ServerCertificate> certificate_of_session(HandshakeContext& context, const Session& session);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/server_certificate.ipp>
#endif
