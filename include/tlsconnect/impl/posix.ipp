// TCP over POSIX sockets: system calls, and what their errors mean.
#pragma once

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <tlsconnect/posix.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

// strerror_r comes in two shapes, told apart by what it returns: the GNU one returns the text, which need not stand in
// the buffer; the POSIX one returns 0 when it filled the buffer.
inline const char* posix_text(const char* text, const char*) noexcept { return text; }
inline const char* posix_text(int failed, const char* buffer) noexcept {
  return failed == 0 ? buffer : "unknown error";
}

/// The system's words for an error number.
TLSCONNECT_DECL std::string posix_error_text(int os_error) {
  char buffer[256] = {};
  return posix_text(::strerror_r(os_error, buffer, sizeof buffer), buffer);
}

/// A failure with the system's words; without them when there is no memory for them.
TLSCONNECT_DECL Halt posix_failure(int os_error, std::string_view where) noexcept {
  try {
    return Halt::failed(
        Error::from_transport(ErrorCode::transport_failed, os_error, where, posix_error_text(os_error)));
  } catch (...) {
    return Halt::failed(Error::from_transport(ErrorCode::transport_failed, os_error, where));
  }
}

TLSCONNECT_DECL Halt posix_not_open(std::string_view where) noexcept {
  return Halt::failed(Error(ErrorCode::not_connected, where));
}

inline bool posix_would_block(int os_error) noexcept {
#if EAGAIN != EWOULDBLOCK
  if (os_error == EWOULDBLOCK)
    return true;
#endif
  return os_error == EAGAIN;
}

// No system takes more than this at once, and some refuse to be asked.
inline constexpr std::size_t posix_largest_transfer = std::size_t{1} << 30;

#if defined(MSG_NOSIGNAL)
inline constexpr int posix_send_flags = MSG_NOSIGNAL;
#else
inline constexpr int posix_send_flags = 0;
#endif

/// Where send() has no flag against SIGPIPE, the socket has an option.
TLSCONNECT_DECL void posix_no_sigpipe([[maybe_unused]] int descriptor) noexcept {
#if defined(SO_NOSIGPIPE)
  const int on = 1;
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

/// Adds or removes O_NONBLOCK; errno when that fails, else 0.
TLSCONNECT_DECL int posix_set_non_blocking(int descriptor, bool on) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0)
    return errno;
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && ::fcntl(descriptor, F_SETFL, wanted) < 0)
    return errno;
  return 0;
}

/// Owns a descriptor until it is released.
class PosixDescriptor {
public:
  explicit PosixDescriptor(int value) noexcept : value_(value) {}
  PosixDescriptor(const PosixDescriptor&) = delete;
  PosixDescriptor& operator=(const PosixDescriptor&) = delete;
  ~PosixDescriptor() {
    if (value_ >= 0)
      (void)::close(value_);
  }
  [[nodiscard]] int value() const noexcept { return value_; }
  [[nodiscard]] int release() noexcept { return std::exchange(value_, -1); }

private:
  int value_;
};

/// Milliseconds of a clock that nobody sets.
TLSCONNECT_DECL std::int64_t posix_monotonic_ms() noexcept {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000 + static_cast<std::int64_t>(now.tv_nsec) / 1'000'000;
}

inline constexpr std::int64_t posix_no_deadline = -1;

/// Waits until a connection attempt has ended or the deadline passes; the attempt's errno, 0 for success.
TLSCONNECT_DECL int posix_finish_connect(int descriptor, std::int64_t deadline) noexcept {
  for (;;) {
    int wait = -1;
    if (deadline != posix_no_deadline) {
      const std::int64_t left = deadline - posix_monotonic_ms();
      if (left <= 0)
        return ETIMEDOUT;
      wait = static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
    }
    pollfd entry{descriptor, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, wait);
    if (ready < 0 && errno != EINTR)
      return errno;
    if (ready <= 0)
      continue; // a signal, or the end of the wait: the clock decides
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0)
      return errno;
    return outcome;
  }
}

/// A connected, still non-blocking socket in `out`, or errno.
TLSCONNECT_DECL int posix_connect_one(const addrinfo& address, std::int64_t deadline, int& out) noexcept {
  int type = address.ai_socktype;
#if defined(SOCK_CLOEXEC)
  // In the same call, so that a program that another thread starts meanwhile cannot inherit the socket.
  type |= SOCK_CLOEXEC;
#endif
  PosixDescriptor socket(::socket(address.ai_family, type, address.ai_protocol));
  if (socket.value() < 0)
    return errno;
#if !defined(SOCK_CLOEXEC)
  if (::fcntl(socket.value(), F_SETFD, FD_CLOEXEC) < 0)
    return errno;
#endif
  posix_no_sigpipe(socket.value());
  if (const int failed = posix_set_non_blocking(socket.value(), true))
    return failed;
  if (::connect(socket.value(), address.ai_addr, address.ai_addrlen) < 0) {
    // A signal does not end the attempt; it goes on like one in progress.
    if (errno != EINPROGRESS && errno != EINTR)
      return errno;
    if (const int failed = posix_finish_connect(socket.value(), deadline))
      return failed;
  }
  out = socket.release();
  return 0;
}

/// "192.0.2.1:443" or "[2001:db8::1]:443".
TLSCONNECT_DECL std::string posix_address_text(const addrinfo& address) {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  if (::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "an address that cannot be shown";
  const bool brackets = address.ai_family == AF_INET6;
  return std::string(brackets ? "[" : "") + host + (brackets ? "]:" : ":") + port;
}

/// Tries each address of the list until one connects. `target` is what the caller asked for, for the message.
TLSCONNECT_DECL Result<int> posix_connect_any(const addrinfo* list, const std::string& target, int timeout_ms) {
  const std::int64_t start = posix_monotonic_ms();
  const std::int64_t deadline = timeout_ms == 0 ? posix_no_deadline : start + timeout_ms;
  std::size_t total = 0;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next)
    ++total;

  int last_error = 0;
  const addrinfo* last = nullptr;
  std::size_t tried = 0;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    std::int64_t until = deadline;
    if (deadline != posix_no_deadline) {
      // An address that swallows every packet must not use up the time of those behind it, so each gets an even part
      // of what is left; though not less than two seconds while there are as many.
      const std::int64_t now = posix_monotonic_ms();
      const std::int64_t left = deadline - now;
      if (left <= 0 && last) {
        last_error = ETIMEDOUT;
        break;
      }
      const std::int64_t part = left / static_cast<std::int64_t>(total - tried);
      until = now + std::min(left, std::max<std::int64_t>(part, 2'000));
    }
    ++tried;
    last = entry;
    int connected = -1;
    last_error = posix_connect_one(*entry, until, connected);
    if (last_error == 0)
      return connected;
  }

  std::string detail = target;
  if (!last)
    return fail(ErrorCode::name_not_resolved, "dial", detail + " has no address");
  if (total > 1)
    detail += " (" + std::to_string(tried) + " of " + std::to_string(total) + " addresses tried), the last one";
  detail += " at " + posix_address_text(*last) + ": " + posix_error_text(last_error);
  const ErrorCode code = last_error == ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::connect_refused;
  return std::unexpected(Error::from_transport(code, last_error, "dial", std::move(detail)));
}

/// Owns what getaddrinfo returned.
class PosixAddressList {
public:
  PosixAddressList() = default;
  PosixAddressList(const PosixAddressList&) = delete;
  PosixAddressList& operator=(const PosixAddressList&) = delete;
  ~PosixAddressList() {
    if (list_)
      ::freeaddrinfo(list_);
  }
  [[nodiscard]] addrinfo** out() noexcept { return &list_; }
  [[nodiscard]] const addrinfo* first() const noexcept { return list_; }

private:
  addrinfo* list_ = nullptr;
};

TLSCONNECT_DECL Result<int> posix_dial(const std::string& host, std::uint16_t port, int timeout_ms) {
  const std::string target = host + " port " + std::to_string(port);
  // A caller who computes what is left of its own deadline may arrive here with less than nothing.
  if (timeout_ms < 0)
    return fail(ErrorCode::timed_out, "dial", target);
  // The resolver takes a C string: it would look up the part in front of a zero byte. What it makes of an empty name
  // differs between systems; some take it for this host.
  if (host.empty() || host.find('\0') != std::string::npos)
    return fail(ErrorCode::name_not_resolved, "dial", host.empty() ? "the name is empty" : "the name has a zero byte");

  const std::int64_t start = posix_monotonic_ms();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  PosixAddressList addresses;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, addresses.out());
  if (failed != 0) {
    const int os_error = failed == EAI_SYSTEM ? errno : 0;
    std::string why = os_error != 0 ? posix_error_text(os_error) : std::string(::gai_strerror(failed));
    return std::unexpected(
        Error::from_transport(ErrorCode::name_not_resolved, os_error, "dial", host + ": " + std::move(why)));
  }
  int left = 0;
  if (timeout_ms > 0) {
    // What resolving took counts, but a name that has just been found out is worth one short try.
    const std::int64_t spent = posix_monotonic_ms() - start;
    left = static_cast<int>(std::max<std::int64_t>(timeout_ms - spent, 1));
  }
  return posix_connect_any(addresses.first(), target, left);
}

} // namespace detail

TLSCONNECT_DECL Result<PosixSocket> PosixSocket::dial(const std::string& host, std::uint16_t port, Mode mode,
                                                      int timeout_ms) noexcept {
  try {
    Result<int> connected = detail::posix_dial(host, port, timeout_ms);
    if (!connected)
      return std::unexpected(std::move(connected.error()));
    PosixSocket socket(*connected);
    if (mode == Mode::blocking)
      if (const int failed = detail::posix_set_non_blocking(socket.descriptor_, false))
        return std::unexpected(Error::from_transport(ErrorCode::transport_failed, failed, "dial"));
    return socket;
  } catch (...) {
    // Only strings are made here, so this was std::bad_alloc.
    return fail(ErrorCode::out_of_memory, "dial");
  }
}

TLSCONNECT_DECL PosixSocket PosixSocket::adopt(int descriptor) noexcept {
  detail::posix_no_sigpipe(descriptor);
  return PosixSocket(descriptor);
}

TLSCONNECT_DECL PosixSocket::PosixSocket(PosixSocket&& other) noexcept : descriptor_(other.release()) {}

TLSCONNECT_DECL PosixSocket& PosixSocket::operator=(PosixSocket&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = other.release();
  }
  return *this;
}

TLSCONNECT_DECL PosixSocket::~PosixSocket() { close(); }

TLSCONNECT_DECL IoResult<std::size_t> PosixSocket::read_some(Bytes space) noexcept {
  if (descriptor_ < 0)
    return std::unexpected(detail::posix_not_open("read_some"));
  // recv would answer an empty buffer with 0, which is also how it says that the stream has ended.
  if (space.empty())
    return std::size_t{0};
  for (;;) {
    const ssize_t count = ::recv(descriptor_, space.data(), std::min(space.size(), detail::posix_largest_transfer), 0);
    if (count > 0)
      return static_cast<std::size_t>(count);
    if (count == 0)
      return std::unexpected(Halt::closed());
    if (errno == EINTR)
      continue;
    if (detail::posix_would_block(errno))
      return std::unexpected(Halt::would_block(Interest::read));
    return std::unexpected(detail::posix_failure(errno, "read_some"));
  }
}

TLSCONNECT_DECL IoResult<std::size_t> PosixSocket::write_some(BytesView bytes) noexcept {
  if (descriptor_ < 0)
    return std::unexpected(detail::posix_not_open("write_some"));
  if (bytes.empty())
    return std::size_t{0};
  for (;;) {
    const ssize_t count = ::send(descriptor_, bytes.data(), std::min(bytes.size(), detail::posix_largest_transfer),
                                 detail::posix_send_flags);
    if (count >= 0)
      return static_cast<std::size_t>(count);
    if (errno == EINTR)
      continue;
    if (detail::posix_would_block(errno))
      return std::unexpected(Halt::would_block(Interest::write));
    return std::unexpected(detail::posix_failure(errno, "write_some"));
  }
}

TLSCONNECT_DECL IoResult<void> PosixSocket::set_nodelay(bool on) noexcept {
  if (descriptor_ < 0)
    return std::unexpected(detail::posix_not_open("set_nodelay"));
  const int value = on ? 1 : 0;
  if (::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) < 0)
    return std::unexpected(detail::posix_failure(errno, "set_nodelay"));
  return {};
}

TLSCONNECT_DECL IoResult<void> PosixSocket::set_mode(Mode mode) noexcept {
  if (descriptor_ < 0)
    return std::unexpected(detail::posix_not_open("set_mode"));
  if (const int failed = detail::posix_set_non_blocking(descriptor_, mode == Mode::non_blocking))
    return std::unexpected(detail::posix_failure(failed, "set_mode"));
  return {};
}

TLSCONNECT_DECL IoResult<void> PosixSocket::shutdown_write() noexcept {
  if (descriptor_ < 0)
    return std::unexpected(detail::posix_not_open("shutdown_write"));
  if (::shutdown(descriptor_, SHUT_WR) < 0)
    return std::unexpected(detail::posix_failure(errno, "shutdown_write"));
  return {};
}

TLSCONNECT_DECL void PosixSocket::close() noexcept {
  // Not repeated after a signal: the descriptor is gone then, and its number may already be somebody else's.
  if (const int descriptor = release(); descriptor >= 0)
    (void)::close(descriptor);
}

TLSCONNECT_DECL int PosixSocket::release() noexcept { return std::exchange(descriptor_, -1); }

} // namespace tlsconnect::inline TLSCONNECT_ABI
