// Making the ClientHello (RFC 9846, 4.1.2), the first and, after a HelloRetryRequest, the second.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/grease.hpp>
#include <tlsconnect/handshake/pre_shared_key.hpp>
#include <tlsconnect/wire/hello.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What a ClientHello said that matters later, and the private keys to its shares.
struct OfferedHello {
  Random random{};
  InplaceVector<std::uint8_t, 32> session_id;
  OfferedExtensions extensions;
  InplaceVector<NamedGroup, 8> shared_groups; ///< the groups that shares were sent for
  std::vector<KeyExchange> keys;              ///< one of them may serve a hybrid and its elliptic curve
  std::vector<OfferedPsk> psks;
  std::optional<Session> session12; ///< one of TLS 1.2, by its session id or its ticket
  bool early_data = false;          ///< early data follows, under the first of `psks`
  HelloChoices choices;

  /// The keys whose share was sent for the group; null when none was.
  [[nodiscard]] KeyExchange* key_for(NamedGroup group) noexcept;
};

/// What a HelloRetryRequest asked for.
struct Retry {
  CipherSuite cipher_suite{};
  std::optional<NamedGroup> group;
  std::optional<ByteVector> cookie;
};

/// Draws randomness (the random, the session id in compatibility mode and with a ticket of TLS 1.2, the key shares in order, then 64 bytes for GREASE
/// and the order of the extensions, unless both are off) and queues the ClientHello. The early data of the context is
/// offered if there is a session that permits it.
[[nodiscard]] Result<OfferedHello> send_client_hello(HandshakeContext& context, Transcript& transcript);
/// Changes what the retry asks for and nothing else (RFC 9846, 4.1.2), and queues the ClientHello again.
[[nodiscard]] Result<OfferedHello> send_second_client_hello(HandshakeContext& context, Transcript& transcript,
                                                            OfferedHello first, const Retry& retry);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/client_hello.ipp>
#endif
