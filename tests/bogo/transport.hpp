// The way to the runner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <tlsconnect/posix.hpp>

#include "options.hpp"

namespace bogo {

/// A connection to the runner. Two ways of working: like any blocking socket; or, for -async, one byte at a time and
/// with "would block" before every byte, so that the library is suspended wherever it can be.
class RunnerSocket {
public:
  /// Connects and says who calls.
  [[nodiscard]] static std::expected<RunnerSocket, Complaint> dial(const ConnectionOptions& options);

  [[nodiscard]] tlsconnect::IoResult<std::size_t> read_some(tlsconnect::Bytes space);
  [[nodiscard]] tlsconnect::IoResult<std::size_t> write_some(tlsconnect::BytesView bytes);
  [[nodiscard]] tlsconnect::IoResult<void> set_nodelay(bool on) { return socket_.set_nodelay(on); }

  /// Waits until what a call could not do is possible.
  void wait(tlsconnect::Interest interest);
  /// From now on, so many bytes can be written, and then none before let_writes_go().
  void hold_writes(std::size_t after) { held_ = after; }
  void let_writes_go() { held_.reset(); }
  /// From now on like any blocking socket.
  void stop_trickling();
  /// Ends the sending direction and reads until the runner has ended its own. Closing while unread data waits would
  /// reset the connection, and what was sent last, an alert perhaps, would be lost.
  void finish();

private:
  RunnerSocket(tlsconnect::PosixSocket socket, bool trickle) : socket_(std::move(socket)), trickle_(trickle) {}

  tlsconnect::PosixSocket socket_;
  bool trickle_;
  bool may_read_ = false;
  bool may_write_ = false;
  std::optional<std::size_t> held_;
};

} // namespace bogo
