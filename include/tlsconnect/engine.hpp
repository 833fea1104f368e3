// The protocol without I/O: bytes in, bytes out. Connector and Stream drive it over a transport; a program with its
// own event loop, or with completion-based I/O, can drive it itself.
#pragma once

#include <cstddef>
#include <memory>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/halt.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/server_name.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

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
  ClientEngine(ConfigPtr config, ServerName name) noexcept;
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

  /// The server was verified, its Finished too; application data may flow.
  [[nodiscard]] bool handshake_complete() const noexcept;
  /// The peer has ended its direction with close_notify, and all that it sent before was consumed.
  [[nodiscard]] bool peer_closed() const noexcept;
  /// The network ended without close_notify, and all that came before was consumed.
  [[nodiscard]] bool truncated() const noexcept;
  /// Why the connection failed; null when it did not. Data that came before the failure is still in plaintext().
  [[nodiscard]] const Error* failure() const noexcept;

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
