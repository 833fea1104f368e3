// The server asks who the client is, and the answer: CertificateRequest, Certificate, CertificateVerify (RFC 9846, 4.3.2,
// 4.4.2 and 4.4.3).
#pragma once

#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/handshake13.hpp>
#include <tlsconnect/handshake/proofs.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Reads a CertificateRequest and chooses the credential to answer it with.
[[nodiscard]] Result<ClientAuthentication> read_certificate_request(const HandshakeContext& context,
                                                                    const OfferedExtensions& offered,
                                                                    bool raw_public_key, bool after_handshake,
                                                                    const HandshakeMessage& message);
/// The same for TLS 1.2 (RFC 5246, 7.4.4).
[[nodiscard]] Result<ClientAuthentication>
read_certificate_request12(const HandshakeContext& context, bool raw_public_key, const HandshakeMessage& message);
/// Adds the client's Certificate to the flight: the chosen credential's, or an empty one.
[[nodiscard]] Result<> add_client_certificate(HandshakeContext& context, Flight& flight,
                                              const ClientAuthentication& authentication);
/// The same for TLS 1.2 (RFC 5246, 7.4.6).
[[nodiscard]] Result<> add_client_certificate12(HandshakeContext& context, Flight& flight,
                                                const ClientAuthentication& authentication);
/// The flight with the chosen credential's Certificate was sent.
void note_client_certificate(ConnectionInfo& info, const CredentialChoice& choice) noexcept;
/// What the client's CertificateVerify signs, behind everything that the transcript holds.
[[nodiscard]] Result<SignedContent> client_signed_content(const Transcript& transcript);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/client_authentication.ipp>
#endif
