#include "transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>

namespace bogo {

using tlsconnect::Bytes;
using tlsconnect::BytesView;
using tlsconnect::Halt;
using tlsconnect::Interest;
using tlsconnect::IoResult;
using tlsconnect::PosixSocket;

std::expected<RunnerSocket, Complaint> RunnerSocket::dial(const ConnectionOptions& options) {
  auto socket = PosixSocket::dial(options.ipv6 ? "::1" : "127.0.0.1", options.port);
  if (!socket)
    return std::unexpected("cannot reach the runner: " + socket.error().message());
  // The transport is there for the runner's timing; TLS does not depend on it.
  (void)socket->set_nodelay(true);
  std::array<std::uint8_t, 8> id{};
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = static_cast<std::uint8_t>(options.shim_id >> (8 * i));
  for (BytesView rest = id; !rest.empty();) {
    const IoResult<std::size_t> written = socket->write_some(rest);
    if (!written)
      return std::unexpected("cannot write to the runner: " + written.error().message());
    rest = rest.subspan(*written);
  }
  if (options.async)
    if (const IoResult<void> set = socket->set_mode(PosixSocket::Mode::non_blocking); !set)
      return std::unexpected("cannot make the socket non-blocking: " + set.error().message());
  return RunnerSocket(std::move(*socket), options.async);
}

IoResult<std::size_t> RunnerSocket::read_some(Bytes space) {
  if (!trickle_)
    return socket_.read_some(space);
  if (!std::exchange(may_read_, false))
    return std::unexpected(Halt::would_block(Interest::read));
  return socket_.read_some(space.first(1));
}

IoResult<std::size_t> RunnerSocket::write_some(BytesView bytes) {
  if (held_) {
    if (*held_ == 0)
      return std::unexpected(Halt::would_block(Interest::write));
    bytes = bytes.first(std::min(bytes.size(), *held_));
    *held_ -= bytes.size();
    return socket_.write_some(bytes);
  }
  if (!trickle_)
    return socket_.write_some(bytes);
  if (!std::exchange(may_write_, false))
    return std::unexpected(Halt::would_block(Interest::write));
  return socket_.write_some(bytes.first(1));
}

void RunnerSocket::wait(Interest interest) {
  const auto wants = [interest](Interest one) { return includes(interest, one); };
  pollfd entry{};
  entry.fd = socket_.descriptor();
  if (wants(Interest::read))
    entry.events = POLLIN;
  if (wants(Interest::write) && !held_)
    entry.events = static_cast<short>(entry.events | POLLOUT);
  while (entry.events != 0 && ::poll(&entry, 1, -1) < 0 && errno == EINTR) {
  }
  may_read_ = may_read_ || (wants(Interest::read) && (entry.revents & ~POLLOUT) != 0);
  may_write_ = may_write_ || (wants(Interest::write) && (entry.revents & ~POLLIN) != 0);
}

void RunnerSocket::stop_trickling() {
  held_.reset();
  trickle_ = false;
  (void)socket_.set_mode(PosixSocket::Mode::blocking);
}

void RunnerSocket::finish() {
  stop_trickling();
  (void)socket_.shutdown_write();
  std::array<std::uint8_t, 4'096> ignored{};
  while (socket_.read_some(ignored)) {
  }
  socket_.close();
}

} // namespace bogo
