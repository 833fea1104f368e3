// The protocol without I/O: bytes in, bytes out. Connector and Stream drive it over a transport; a program with its
// own event loop, or with completion-based I/O, can drive it itself.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/halt.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/replay_safe.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/client/verifier.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the caller is to judge when a connection halts with Interest::verdict. Views that live until the verdict.
struct VerdictRequest {
  PresentedCertificate presented;        ///< its chain is empty when the server showed a raw public key
  const PublicKey* public_key = nullptr; ///< the server's key, of its certificate or alone
};

/// What the caller is to sign when a connection halts with Interest::signature. Views that live until the signature.
struct SignatureRequest {
  std::size_t credential; ///< which of ClientConfig::credentials() was chosen
  SignatureScheme scheme; ///< what to sign it with
  BytesView content;      ///< the whole of what is signed, not its hash (RFC 9846, 4.4.3; RFC 5246, 7.4.8)
};

/// One client connection. It has four ports, two to the network and two to the application; each is a buffer and a
/// call that says how much of it was used:
///
///     network  --> receive_buffer() / received(n)      plaintext() / consume(n)  --> application
///     network  <-- pending_output() / sent(n)          encrypt(bytes)            <-- application
///
/// The ClientHello waits in pending_output() from the start. An error is final: it stays in failure(), and every later
/// call returns it; the alert that tells the server waits in pending_output(). Not safe to use from two threads at
/// once; different engines are independent.
class ClientEngine {
public:
  /// A connection to this server under this configuration (which must not be null). Failures show in failure().
  /// `early_data` goes out behind the ClientHello if there is a session that permits it, as much of it as that permits;
  /// see take_unaccepted_early_data().
  ClientEngine(ConfigPtr config, ServerName name, ReplaySafe early_data = {}) noexcept;
  ClientEngine(ClientEngine&&) noexcept;
  ClientEngine& operator=(ClientEngine&&) noexcept;
  ~ClientEngine();

  /// Where the next bytes from the network go; valid until the next call of received(), consume() or
  /// release_buffers(). Empty while plaintext() is not: take that first. Also empty after a failure or the end.
  [[nodiscard]] Bytes receive_buffer() noexcept;
  /// n bytes were put at the front of receive_buffer().
  Result<> received(std::size_t n) noexcept;
  /// The network will bring no more bytes. Without a close_notify before it, the connection is truncated().
  void received_end() noexcept;

  /// What must go to the network, in order. The span stays where it is, with what it holds, until sent(n), whatever
  /// else is called meanwhile.
  [[nodiscard]] BytesView pending_output() noexcept;
  /// The first n bytes of pending_output() are on their way.
  void sent(std::size_t n) noexcept;

  /// Application data that was received and decrypted; valid until consume(). More may follow once it is consumed.
  [[nodiscard]] BytesView plaintext() const noexcept;
  /// The application has taken the first n bytes of plaintext(). Goes on with what else was received.
  void consume(std::size_t n) noexcept;

  /// Takes application data, seals it and appends it to pending_output(). Returns how many bytes were taken: fewer
  /// than all, or none, while too much waits in pending_output(). What was taken is never asked for again.
  /// `not_connected` before the handshake is complete, `write_side_closed` after close_notify(): neither is final.
  [[nodiscard]] Result<std::size_t> encrypt(BytesView application_data) noexcept;
  /// The same, but takes all of it however much waits. For a bounded first message, not for bulk data.
  [[nodiscard]] Result<> encrypt_all(BytesView application_data) noexcept;
  /// Ends the sending direction (RFC 9846, 6.1); the alert waits in pending_output(). Receiving goes on. Again: nothing.
  Result<> close_notify() noexcept;

  /// Ends the connection at once with this alert (RFC 9846, 6.2), which waits in pending_output(): `user_canceled` because
  /// nobody wants it any more, another one because of something that the program has found in the data. From then on the
  /// connection has failed, with `aborted`. When it had failed before, nothing changes.
  void abort(AlertDescription alert) noexcept;

  /// The server was verified, its Finished too; application data may flow.
  [[nodiscard]] bool handshake_complete() const noexcept;
  /// The peer has ended its direction with close_notify, and all that it sent before was consumed.
  [[nodiscard]] bool peer_closed() const noexcept;
  /// The network ended without close_notify, and all that came before was consumed.
  [[nodiscard]] bool truncated() const noexcept;
  /// Why the connection failed; null when it did not. Data that came before the failure is still in plaintext().
  [[nodiscard]] const Error* failure() const noexcept;

  /// What the connection waits for that only the caller can supply: verdict, signature, or none. Meanwhile it takes
  /// nothing from the network: receive_buffer() is empty. What is pending should be sent.
  [[nodiscard]] Interest awaited() const noexcept;
  /// What to judge; nothing unless a verdict is awaited.
  [[nodiscard]] std::optional<VerdictRequest> verdict_request() const noexcept;
  /// The verdict on it: why it was accepted, or why not, which ends the connection with the error's alert.
  /// `nothing_awaited`, which changes nothing, when none is awaited.
  Result<> give_verdict(Result<VerifiedChain> verdict) noexcept;
  /// What to sign; nothing unless a signature is awaited.
  [[nodiscard]] std::optional<SignatureRequest> signature_request() const noexcept;
  /// The signature, or why there is none, which ends the connection. `nothing_awaited` likewise.
  Result<> give_signature(Result<ByteVector> signature) noexcept;

  /// More early data, behind what there was; it goes out at once, in records of its own, if what there was went out (or
  /// `replay_safe_later` was said at the start) and the session's limit and the server permit more. What does not go
  /// is unaccepted. Not final: `already_connected` once the handshake is complete; then it is ordinary data.
  Result<> add_early_data(ReplaySafe early_data) noexcept;
  /// Early data that the server has not accepted, and that the caller may send again, now as ordinary data: all of it
  /// when the server rejected it or when it was never sent, otherwise what went beyond the session's limit. To be called
  /// once the handshake is complete, or has failed; gives it once. Nothing is ever sent again by itself (RFC 9846,
  /// 4.2.10).
  [[nodiscard]] ByteVector take_unaccepted_early_data() noexcept;

  /// Changes this side's sending key (RFC 9846, 4.6.3), and with `request_peer` asks the peer to change its own. The
  /// message waits in pending_output(). A key is also changed by itself before it has sealed too much. Not final:
  /// `not_connected`, `write_side_closed`, and `key_update_not_possible` in TLS 1.2.
  Result<> update_keys(bool request_peer) noexcept;
  /// The message of the last update_keys() still waits in pending_output().
  [[nodiscard]] bool key_update_pending() const noexcept;

  /// Keying material for another protocol (RFC 9846, 7.5): `out.size()` bytes that depend on the connection, on `label`
  /// (at most 249 bytes, in TLS 1.2 any number; registered or beginning with "EXPERIMENTAL") and on `context`; the server
  /// can make the same. No context and an empty one are the same in TLS 1.3, and differ in TLS 1.2 (RFC 5705, 4).
  /// `export_not_available` before the handshake is complete, and in TLS 1.2 without the extended main secret.
  [[nodiscard]] Result<> export_keying_material(std::string_view label, std::optional<BytesView> context,
                                                Bytes out) const noexcept;
  /// The same from the pre-shared key of the ClientHello, to go with early data: without forward secrecy, and the server
  /// may not have agreed. Available from the start when a pre-shared key was offered, until the handshake is complete,
  /// and afterwards if early data was accepted.
  [[nodiscard]] Result<> export_early_keying_material(std::string_view label, BytesView context,
                                                      Bytes out) const noexcept;
  /// The channel binding tls-exporter (RFC 9266): 32 bytes.
  [[nodiscard]] Result<ByteVector> tls_exporter() const noexcept;
  /// The channel binding tls-unique (RFC 5929, 3): the first Finished of the handshake. `export_not_available` in TLS 1.3,
  /// which has none (RFC 9266), and in TLS 1.2 without the extended main secret, where it is not unique.
  [[nodiscard]] Result<ByteVector> tls_unique() const noexcept;
  /// The channel binding tls-server-end-point (RFC 5929, 4): the hash of the server's certificate.
  /// `export_not_available` where that is not defined: no certificate, or one signed without a hash.
  [[nodiscard]] Result<ByteVector> tls_server_end_point() const noexcept;

  [[nodiscard]] const ConnectionInfo& info() const noexcept;
  /// Gives back the memory of buffers that hold nothing now. Useful when a connection is expected to be idle;
  /// not while a read into receive_buffer() is under way.
  void release_buffers() noexcept;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/engine.ipp>
#endif
