// Sessions: what a server gave this client so that the next handshake can be a shorter one, and where it is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct SessionSecretTag;
/// TLS 1.3: the pre-shared key that goes with a ticket (RFC 9846, 4.6.1). TLS 1.2: the main secret.
using SessionSecret = Secret<SessionSecretTag, 48>;

/// One certificate of the chain that a session rests on.
struct SessionCertificate {
  ByteVector der;           ///< DER, or a SubjectPublicKeyInfo where `raw_public_key` is set
  ByteVector ocsp_response; ///< what the server stapled to it (RFC 6066, 8), or empty
  ByteVector sct_list;      ///< the SignedCertificateTimestampList that came with it (RFC 6962, 3.3), or empty
};

/// A ticket of TLS 1.3 (or a session of TLS 1.2), with all that resuming it takes and all that it rests on. Made by the
/// library, kept by a SessionStore, used at most once; one of TLS 1.2 goes back into the store when it was resumed and
/// the server gave no other. Its secret is wiped when it goes; it can be moved, not copied.
struct Session {
  /// How far the clock may stand behind `received_at` before the session counts as expired, in milliseconds.
  static constexpr std::uint64_t clock_tolerance = 60'000;
  /// More than this is never a serialised session, in bytes.
  static constexpr std::size_t longest_serialised = std::size_t{256} * 1'024;

  ProtocolVersion version = ProtocolVersion::tls1_3;
  CipherSuite cipher_suite = CipherSuite::aes_128_gcm_sha256;
  SessionSecret secret;
  ByteVector ticket;
  ByteVector session_id;        ///< TLS 1.2 only; at most 32 bytes
  std::uint32_t lifetime = 0;   ///< in seconds, as the server said, but at most limits::ticket_lifetime
  std::uint32_t age_add = 0;    ///< ticket_age_add
  std::int64_t received_at = 0; ///< when the ticket came, in milliseconds since 1970
  /// When what is known of the server's identity gets too old, in milliseconds since 1970: some time after the
  /// handshake in which the server last showed a certificate, and not after its chain expires. A session that comes
  /// from a resumed handshake inherits it, so that one ticket after the other cannot put it off (RFC 9846, 4.6.1).
  std::int64_t usable_until = 0;
  std::uint32_t max_early_data = 0; ///< bytes of early data that the server takes; 0: none
  std::string server_name;          ///< ServerName::text() of the server
  ByteVector trust_identity;        ///< says what verification rested on; at most 64 bytes
  std::string application_protocol; ///< what ALPN chose, or empty; at most 255 bytes
  NamedGroup group = NamedGroup::x25519;
  SignatureScheme signature_scheme = SignatureScheme::ecdsa_secp256r1_sha256;
  bool extended_main_secret = false; ///< TLS 1.2: RFC 7627 was in use
  bool raw_public_key = false;       ///< the server showed a bare key (RFC 7250): `peer_chain` holds it alone
  /// The server's certificates, its own first; empty when an external pre-shared key stood for them.
  std::vector<SessionCertificate> peer_chain;

  /// Whether it is not to be used any more: `lifetime` seconds after it came, or seven days if that is sooner (RFC 9846,
  /// 4.6.1); from `usable_until` on; and when the clock stands so far before `received_at` that its age is unknown.
  [[nodiscard]] bool expired(std::int64_t now_ms) const noexcept;
  /// obfuscated_ticket_age (RFC 9846, 4.2.11.1): the milliseconds since it came plus `age_add`, modulo 2^32.
  [[nodiscard]] std::uint32_t obfuscated_age(std::int64_t now_ms) const noexcept;

  /// The session in bytes, for a store that outlives the program. They contain the secret in the clear: whoever reads
  /// them can pass for either side where this session is resumed, and read early data; whoever can change them can
  /// pass for the server. Keep them as you would a private key, and wipe the buffer (`wipe`). `session_unreadable` when
  /// the session contradicts itself, so that `parse` would refuse it.
  ///
  /// The format: "TLSCSESS", a 16-bit version (1), the fields, and a SHA-256 of all that, which shows damage and
  /// nothing else.
  [[nodiscard]] Result<ByteVector> serialise() const noexcept;
  /// The session that `serialised` holds; anything else is `session_unreadable`, with the reason.
  [[nodiscard]] static Result<Session> parse(BytesView serialised) noexcept;
};

/// Under what the library keeps sessions: the server's name, and behind a "+" in hexadecimal what verification rests
/// on, so that no connection resumes what a less strict one, or one to another server, began. Printable, of the
/// characters 0-9 a-z . : - _ + only. May throw std::bad_alloc.
[[nodiscard]] std::string session_key(const ServerName& name, BytesView trust_identity);

/// Where sessions wait for the next connection. Connections share it: its functions may be called from several threads
/// at once, and they must be quick, because a handshake waits for them.
class SessionStore {
public:
  SessionStore() = default;
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;
  virtual ~SessionStore() = default;

  /// Keeps a session, beside those that are there already. A store may drop any session at any time.
  virtual void put(std::string_view key, Session session) noexcept = 0;
  /// Gives out a session and forgets it, because a ticket that is sent twice lets an observer see that both connections
  /// come from the same client (RFC 9846, C.4). The caller checks whether it is expired.
  [[nodiscard]] virtual std::optional<Session> take(std::string_view key) noexcept = 0;
  /// Forgets all sessions of this key.
  virtual void erase(std::string_view key) noexcept = 0;
};

/// Keeps sessions in memory: a few for each server, the newest given out first, for the servers that were used last.
class MemorySessionStore final : public SessionStore {
public:
  /// Either number may be 0: then nothing is kept. May throw std::bad_alloc.
  explicit MemorySessionStore(std::size_t servers = 256, std::size_t sessions_per_server = 4);
  ~MemorySessionStore() override;

  /// The oldest session of the server, and the server that was not used for longest, give way. When memory runs out,
  /// the session is dropped.
  void put(std::string_view key, Session session) noexcept override;
  [[nodiscard]] std::optional<Session> take(std::string_view key) noexcept override;
  void erase(std::string_view key) noexcept override;

  /// Forgets everything.
  void clear() noexcept;
  /// How many sessions it holds.
  [[nodiscard]] std::size_t size() const noexcept;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/session.ipp>
#endif
