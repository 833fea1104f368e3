// The checks that a connection rests on, and the proofs that only they can make (RFC 9846, 4.4).
#pragma once

#include <span>
#include <string_view>

#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/handshake/handshake12.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/pre_shared_key.hpp>
#include <tlsconnect/handshake/server_certificate.hpp>
#include <tlsconnect/record/record_layer.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What a CertificateVerify signs (RFC 9846, 4.4.3): 64 spaces, a context string of 33 bytes, a zero byte and the
/// transcript's hash.
using SignedContent = InplaceVector<std::uint8_t, 64 + 33 + 1 + 64>;
[[nodiscard]] SignedContent signed_content(std::string_view context, const Digest& transcript) noexcept;

/// The configured verifier, or the caller in its place, accepted what the server showed for the server's name.
struct ServerChain {
  struct Accepted {
    Proof<ServerChain> proof;
    VerifiedChain how;
  };
  /// Whether the caller decides, at a time of its own.
  [[nodiscard]] static bool decided_later(const ClientConfig& config, const ServerCertificate& server) noexcept;
  [[nodiscard]] static Result<Accepted> verify(const ClientConfig& config, const ServerName& name,
                                               const ServerCertificate& server) noexcept;
  /// The caller's verdict, where decided_later().
  [[nodiscard]] static Result<Accepted> by_verdict(Result<VerifiedChain> verdict) noexcept;
};

/// The server signed this handshake with the key that it showed (RFC 9846, 4.4.3).
struct ServerSignature {
  [[nodiscard]] static Result<Proof<ServerSignature>> verify(const ClientConfig& config,
                                                             const Proof<ServerChain>& chain, const PublicKey& key,
                                                             const CertificateVerify& message,
                                                             const Digest& transcript) noexcept;
  /// TLS 1.2: the server signed its part of the key exchange with the key that it showed (RFC 8422, 5.4). `parameters` are
  /// the bytes of ServerECDHParams.
  [[nodiscard]] static Result<Proof<ServerSignature>> verify12(const ClientConfig& config,
                                                               const Proof<ServerChain>& chain, const PublicKey& key,
                                                               const HelloRandoms& randoms, BytesView parameters,
                                                               SignatureScheme scheme, BytesView signature);
};

/// The server is who it should be, if its Finished is right: by what it showed and signed with, or because it holds a
/// pre-shared key.
struct ServerIdentity {
  [[nodiscard]] static Proof<ServerIdentity> by_certificate(Proof<ServerChain>, Proof<ServerSignature>) noexcept;
  [[nodiscard]] static Proof<ServerIdentity> by_psk(Proof<PskAccepted>) noexcept;
  [[nodiscard]] static Proof<ServerIdentity> by_session(Proof<SessionResumed>) noexcept;
  [[nodiscard]] static Proof<ServerIdentity> by_external_psk(Proof<ExternalPskAgreed>) noexcept;
};

/// Both sides saw the same handshake and hold the same secrets (RFC 9846, 4.4.4).
struct ServerFinished {
  [[nodiscard]] static Result<Proof<ServerFinished>> verify(HashAlgorithm hash, const TrafficSecret& server_secret,
                                                            const Finished& message, const Digest& transcript) noexcept;
  /// TLS 1.2 (RFC 5246, 7.4.9): behind the server's change_cipher_spec, under the keys of this handshake.
  [[nodiscard]] static Result<Proof<ServerFinished>> verify12(const MainSecret12& main, const Finished& message,
                                                              const Digest& transcript,
                                                              const Proof<CipherSpecChanged>& changed) noexcept;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/proofs.ipp>
#endif
