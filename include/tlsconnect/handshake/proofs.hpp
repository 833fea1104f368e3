// The checks that a TLS 1.3 connection rests on, and the proofs that only they can make (RFC 9846, 4.4).
#pragma once

#include <span>
#include <string_view>

#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The configured verifier accepted the server's chain for the server's name.
struct ServerChain {
  struct Accepted {
    Proof<ServerChain> proof;
    VerifiedChain how;
  };
  [[nodiscard]] static Result<Accepted> verify(const ClientConfig& config, const ServerName& name,
                                               std::span<const Certificate> chain) noexcept;
};

/// The server signed this handshake with the key in its certificate (RFC 9846, 4.4.3).
struct ServerSignature {
  [[nodiscard]] static Result<Proof<ServerSignature>> verify(const ClientConfig& config, const Proof<ServerChain>& chain,
                                                             const Certificate& certificate,
                                                             const CertificateVerify& message,
                                                             const Digest& transcript) noexcept;
};

/// Both sides saw the same handshake and hold the same secrets (RFC 9846, 4.4.4).
struct ServerFinished {
  [[nodiscard]] static Result<Proof<ServerFinished>> verify(HashAlgorithm hash, const TrafficSecret& server_secret,
                                                            const Finished& message,
                                                            const Digest& transcript) noexcept;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/proofs.ipp>
#endif
