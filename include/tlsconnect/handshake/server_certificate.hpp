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
  std::vector<Certificate> chain;      ///< empty for a raw public key
  std::vector<PublicKey> public_key;   ///< one: the key that the server must sign with
  std::vector<PresentedStatus> status; ///< views of ConnectionInfo::peer_status; empty when nothing came
};

/// Reads a Certificate or CompressedCertificate message. What it holds is kept in ConnectionInfo whatever comes of it.
[[nodiscard]] Result<ServerCertificate> read_server_certificate(HandshakeContext& context, const Handshake13& handshake,
                                                                const HandshakeMessage& message);
/// Opens the certificates, or the key, that stand in ConnectionInfo.
[[nodiscard]] Result<ServerCertificate> open_peer_chain(const ConnectionInfo& info);
/// Until when a session may rest on what the server showed, in milliseconds since 1970: while the chain is good, as long as
/// its verdict says, and a week at most.
[[nodiscard]] std::int64_t usable_until(const ClientConfig& config, const ServerCertificate& server,
                                        const VerifiedChain& verified) noexcept;
/// Parses again what a session was established with.
[[nodiscard]] Result<ServerCertificate> certificate_of_session(HandshakeContext& context, const Session& session);

/// What the server showed, as a session keeps it.
[[nodiscard]] std::vector<SessionCertificate> chain_for_session(const ConnectionInfo& info);
/// What each side shows: certificates, or a raw public key.
struct CertificateTypes {
  bool server_raw_public_key = false;
  bool client_raw_public_key = false;
};
/// RFC 7250, 4.2: the types that the server selected, which must be among those that were offered.
[[nodiscard]] Result<CertificateTypes>
selected_certificate_types(const ClientConfig& config, const ExtensionSet& extensions, std::string_view where) noexcept;
/// RFC 7301: the application protocol that the server chose, which must be one that was offered.
[[nodiscard]] Result<> read_alpn(HandshakeContext& context, BytesView body, std::string_view where);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/server_certificate.ipp>
#endif
