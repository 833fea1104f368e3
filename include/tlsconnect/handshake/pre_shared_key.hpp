// Pre-shared keys in the ClientHello and ServerHello: sessions that are resumed, and external keys (RFC 9846, 4.2.11).
#pragma once

#include <optional>
#include <vector>

#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// One key of the offer.
struct OfferedPsk {
  PskOrigin origin;
  EarlySecret early_secret;
  ByteVector identity;
  std::uint32_t obfuscated_ticket_age = 0;
  std::optional<Session> session;   ///< for origin resumption
  std::uint16_t external_index = 0; ///< for the others: which of ClientConfig::external_psks()
};

/// A session for this server, of a version on offer, if the store has one that is still good. It leaves the store, as a
/// ticket is offered at most once (RFC 9846, C.4).
[[nodiscard]] std::optional<Session> session_to_offer(const HandshakeContext& context);
/// The keys to offer: the session, which is one of TLS 1.3, if there is one, then the external keys.
[[nodiscard]] Result<std::vector<OfferedPsk>> psks_to_offer(const HandshakeContext& context,
                                                            std::optional<Session> session);

/// Writes the body of the extension, with binders of zeros in their place.
[[nodiscard]] Result<> write_offered_psks(const std::vector<OfferedPsk>& psks, ByteVector& body);
/// Replaces the zeros at the end of a ClientHello with the binders (RFC 9846, 4.2.11.2).
[[nodiscard]] Result<> fill_binders(const std::vector<OfferedPsk>& psks, const Transcript& before, Bytes client_hello);

/// The server chose a key that was offered, with a suite of its hash: it holds the key if its Finished is right.
struct PskAccepted {
  [[nodiscard]] static Result<Proof<PskAccepted>> check(const std::vector<OfferedPsk>& offered, std::size_t selected,
                                                        HashAlgorithm suite_hash) noexcept;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/pre_shared_key.ipp>
#endif
