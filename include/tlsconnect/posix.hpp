// TCP over POSIX sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/transport.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Owns a connected stream socket; closes it when it goes. Never raises SIGPIPE.
class PosixSocket {
public:
  enum class Mode : std::uint8_t { blocking, non_blocking };

  /// Resolves `host` and connects to `port` within `timeout_ms` milliseconds in all (0: no limit), trying each
  /// address in turn; IPv6 and IPv4 alike. Blocks meanwhile, whatever `mode` the socket then has. (Resolving uses
  /// getaddrinfo, which cannot be interrupted: its own time limits add to the deadline.) Failures:
  /// `name_not_resolved`, `connect_refused` (with the last address and the system's error), `timed_out`.
  [[nodiscard]] static Result<PosixSocket> dial(const std::string& host, std::uint16_t port, Mode mode = Mode::blocking,
                                                int timeout_ms = 10'000) noexcept;
  /// Takes over a connected socket, and leaves its blocking mode as it is.
  [[nodiscard]] static PosixSocket adopt(int descriptor) noexcept;

  PosixSocket(PosixSocket&& other) noexcept;
  PosixSocket& operator=(PosixSocket&& other) noexcept;
  PosixSocket(const PosixSocket&) = delete;
  PosixSocket& operator=(const PosixSocket&) = delete;
  ~PosixSocket();

  [[nodiscard]] IoResult<std::size_t> read_some(Bytes space) noexcept;
  [[nodiscard]] IoResult<std::size_t> write_some(BytesView bytes) noexcept;
  /// Switches Nagle's algorithm off (true) or on; TCP_NODELAY.
  [[nodiscard]] IoResult<void> set_nodelay(bool on) noexcept;
  /// Switches between blocking and non-blocking.
  [[nodiscard]] IoResult<void> set_mode(Mode mode) noexcept;
  /// Ends the sending direction (a TCP FIN). Reading goes on.
  [[nodiscard]] IoResult<void> shutdown_write() noexcept;
  /// Closes now; doing so again does nothing.
  void close() noexcept;

  /// For poll and the like; -1 when closed. Stays owned by this object.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// Gives the descriptor away; this object is closed then.
  [[nodiscard]] int release() noexcept;

private:
  explicit PosixSocket(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/posix.ipp>
#endif
