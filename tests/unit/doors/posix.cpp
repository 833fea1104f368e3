// PosixSocket against real sockets on the loopback interface.
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/posix.hpp>

#include "posix_sockets.hpp"

namespace tc = tlsconnect;
using namespace test;
using tc::PosixSocket;

static_assert(tc::Transport<PosixSocket>);
static_assert(tc::HasNodelay<PosixSocket>);
static_assert(!std::is_copy_constructible_v<PosixSocket>);

namespace {

struct Pair {
  PosixSocket client;
  RawSocket server;
};

Pair connected(PosixSocket::Mode mode = PosixSocket::Mode::blocking) {
  Listener listener;
  auto client = PosixSocket::dial("127.0.0.1", listener.port(), mode);
  REQUIRE(client.has_value());
  return {std::move(*client), listener.accept()};
}

/// The server's side disappears with a TCP reset.
void reset(RawSocket& server) {
  const linger now{1, 0};
  REQUIRE(::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
  server.close();
}

bool wait_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 5'000) > 0;
}

/// Catches a SIGPIPE of this thread: blocked, so that a test turns red and the process does not die.
class SigpipeWatch {
public:
  SigpipeWatch() {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    REQUIRE(::sigaction(SIGPIPE, &action, &action_before_) == 0);
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGPIPE);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, &set_, &mask_before_) == 0);
  }
  SigpipeWatch(const SigpipeWatch&) = delete;
  SigpipeWatch& operator=(const SigpipeWatch&) = delete;
  ~SigpipeWatch() {
    (void)raised();
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    ::sigaction(SIGPIPE, &action_before_, nullptr);
  }
  [[nodiscard]] bool raised() {
    const timespec at_once{};
    return ::sigtimedwait(&set_, nullptr, &at_once) == SIGPIPE;
  }

private:
  sigset_t set_{};
  sigset_t mask_before_{};
  struct sigaction action_before_{};
};

} // namespace

TEST_CASE("dial connects, and bytes go both ways", "[posix]") {
  Pair pair = connected();
  REQUIRE(pair.client.write_some(tc::as_bytes("hello")).value() == 5);
  std::array<std::uint8_t, 16> space{};
  REQUIRE(::recv(pair.server.get(), space.data(), space.size(), 0) == 5);
  REQUIRE(std::memcmp(space.data(), "hello", 5) == 0);
  REQUIRE(::send(pair.server.get(), "world!", 6, 0) == 6);
  REQUIRE(pair.client.read_some(space).value() == 6);
  CHECK(std::memcmp(space.data(), "world!", 6) == 0);
}

TEST_CASE("a dialled socket has the mode that was asked for and is not inherited", "[posix]") {
  const Pair blocking = connected(PosixSocket::Mode::blocking);
  CHECK((::fcntl(blocking.client.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK((::fcntl(blocking.client.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  const Pair other = connected(PosixSocket::Mode::non_blocking);
  CHECK((::fcntl(other.client.descriptor(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(other.client.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("set_mode switches, and adopt leaves the mode alone", "[posix]") {
  Pair pair = connected();
  REQUIRE(pair.client.set_mode(PosixSocket::Mode::non_blocking).has_value());
  std::array<std::uint8_t, 4> space{};
  auto read = pair.client.read_some(space);
  REQUIRE(!read);
  CHECK(read.error().is_would_block());
  CHECK(read.error().interest() == tc::Interest::read);

  PosixSocket adopted = PosixSocket::adopt(pair.client.release());
  CHECK((::fcntl(adopted.descriptor(), F_GETFL) & O_NONBLOCK) != 0);
  REQUIRE(adopted.set_mode(PosixSocket::Mode::blocking).has_value());
  CHECK((::fcntl(adopted.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
  PosixSocket again = PosixSocket::adopt(adopted.release());
  CHECK((::fcntl(again.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a full send queue would block on write, and takes bytes again once it was emptied", "[posix]") {
  Pair pair = connected(PosixSocket::Mode::non_blocking);
  const tc::ByteVector block(65'536, 0x5A);
  std::size_t written = 0;
  for (;;) {
    auto count = pair.client.write_some(block);
    if (!count) {
      REQUIRE(count.error().is_would_block());
      CHECK(count.error().interest() == tc::Interest::write);
      break;
    }
    written += *count;
    REQUIRE(written < std::size_t{1} << 30);
  }
  std::size_t drained = 0;
  tc::ByteVector space(65'536);
  while (drained < written) {
    const ssize_t count = ::recv(pair.server.get(), space.data(), space.size(), 0);
    REQUIRE(count > 0);
    drained += static_cast<std::size_t>(count);
  }
  CHECK(pair.client.write_some(block).has_value());
}

TEST_CASE("nodelay really reaches the socket, both ways", "[posix]") {
  Pair pair = connected();
  const auto nodelay = [&] {
    int value = -1;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(pair.client.descriptor(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
    return value != 0;
  };
  CHECK(!nodelay());
  REQUIRE(pair.client.set_nodelay(true).has_value());
  CHECK(nodelay());
  REQUIRE(pair.client.set_nodelay(false).has_value());
  CHECK(!nodelay());
}

TEST_CASE("nodelay on something that is not TCP is refused with the system's reason", "[posix]") {
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  PosixSocket left = PosixSocket::adopt(ends[0]);
  PosixSocket right = PosixSocket::adopt(ends[1]);
  auto refused = left.set_nodelay(true);
  REQUIRE(!refused);
  REQUIRE(refused.error().is_failed());
  CHECK(refused.error().error()->code() == tc::ErrorCode::transport_failed);
  CHECK(refused.error().error()->os_error() != 0);
  // Everything else works over it.
  REQUIRE(left.write_some(tc::as_bytes("x")).value() == 1);
  std::array<std::uint8_t, 4> space{};
  CHECK(right.read_some(space).value() == 1);
}

TEST_CASE("the peer's FIN is closed, as often as one asks", "[posix]") {
  Pair pair = connected();
  REQUIRE(::send(pair.server.get(), "end", 3, 0) == 3);
  pair.server.close();
  std::array<std::uint8_t, 16> space{};
  REQUIRE(pair.client.read_some(space).value() == 3);
  for (int i = 0; i < 2; ++i) {
    auto end = pair.client.read_some(space);
    REQUIRE(!end);
    CHECK(end.error().is_closed());
  }
}

TEST_CASE("an empty buffer neither ends the stream nor blocks", "[posix]") {
  Pair pair = connected();
  auto read = pair.client.read_some({});
  REQUIRE(read.has_value());
  CHECK(*read == 0);
  auto written = pair.client.write_some({});
  REQUIRE(written.has_value());
  CHECK(*written == 0);
}

TEST_CASE("shutdown_write ends one direction only", "[posix]") {
  Pair pair = connected();
  REQUIRE(pair.client.shutdown_write().has_value());
  std::array<std::uint8_t, 16> space{};
  CHECK(::recv(pair.server.get(), space.data(), space.size(), 0) == 0);
  REQUIRE(::send(pair.server.get(), "still here", 10, 0) == 10);
  CHECK(pair.client.read_some(space).value() == 10);
}

TEST_CASE("a reset is a failure with the system's error, not an end", "[posix]") {
  Pair pair = connected();
  reset(pair.server);
  REQUIRE(wait_readable(pair.client.descriptor()));
  std::array<std::uint8_t, 16> space{};
  auto read = pair.client.read_some(space);
  REQUIRE(!read);
  REQUIRE(read.error().is_failed());
  const tc::Error* error = read.error().error();
  CHECK(error->code() == tc::ErrorCode::transport_failed);
  CHECK(error->os_error() == ECONNRESET);
  CHECK(error->where() == "read_some");
  CHECK(contains(error->detail(), std::strerror(ECONNRESET)));
}

TEST_CASE("writing to a peer that has gone fails and raises no SIGPIPE", "[posix]") {
  Pair pair = connected();
  SigpipeWatch watch;
  reset(pair.server);
  REQUIRE(wait_readable(pair.client.descriptor()));
  // The first write after a reset reports it; every one after that would raise SIGPIPE.
  int broken_pipes = 0;
  for (int i = 0; i < 3; ++i) {
    auto written = pair.client.write_some(tc::as_bytes("anybody there?"));
    REQUIRE(!written);
    REQUIRE(written.error().is_failed());
    const tc::Error* error = written.error().error();
    CHECK(error->code() == tc::ErrorCode::transport_failed);
    CHECK(error->where() == "write_some");
    if (error->os_error() == EPIPE)
      ++broken_pipes;
  }
  CHECK(broken_pipes >= 1);
  CHECK(!watch.raised());
}

TEST_CASE("the watch for SIGPIPE sees one", "[posix]") {
  // Otherwise the test above could not fail.
  SigpipeWatch watch;
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const RawSocket left(ends[0]);
  ::close(ends[1]);
  CHECK(::send(left.get(), "x", 1, 0) < 0);
  CHECK(watch.raised());
}

TEST_CASE("signals do not disturb a blocked read", "[posix]") {
  Pair pair = connected();
  const Interruptions signals;
  const std::jthread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    (void)::send(pair.server.get(), "late", 4, MSG_NOSIGNAL);
  });
  std::array<std::uint8_t, 16> space{};
  auto read = pair.client.read_some(space);
  REQUIRE(read.has_value());
  CHECK(*read == 4);
}

TEST_CASE("signals do not disturb a blocked write", "[posix]") {
  Pair pair = connected();
  const std::size_t total = std::size_t{32} << 20; // more than any socket buffer holds
  const Interruptions signals;
  std::jthread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    tc::ByteVector space(1 << 20);
    std::size_t left = total;
    while (left > 0) {
      const ssize_t count = ::recv(pair.server.get(), space.data(), space.size(), 0);
      if (count <= 0)
        return;
      left -= static_cast<std::size_t>(count);
    }
  });
  // One byte at a time blocks in a call that has taken nothing yet, which is what EINTR is reported for.
  const tc::ByteVector block(4'096, 1);
  std::size_t written = 0;
  bool failed = false;
  while (written < total && !failed) {
    const auto count = pair.client.write_some(tc::BytesView(block).first(std::min(block.size(), total - written)));
    failed = !count;
    written += count.value_or(0);
  }
  if (failed)
    pair.client.close();
  reader.join();
  CHECK(!failed);
  CHECK(written == total);
}

TEST_CASE("a socket moves with its descriptor, and closes exactly once", "[posix]") {
  Pair pair = connected();
  const int descriptor = pair.client.descriptor();
  REQUIRE(descriptor >= 0);
  PosixSocket moved = std::move(pair.client);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is the point
  CHECK(pair.client.descriptor() == -1);
  CHECK(moved.descriptor() == descriptor);
  REQUIRE(moved.write_some(tc::as_bytes("x")).value() == 1);
  std::array<std::uint8_t, 4> space{};
  REQUIRE(::recv(pair.server.get(), space.data(), space.size(), 0) == 1);

  // Assigning over an open socket closes that one.
  Pair other = connected();
  other.client = std::move(moved);
  CHECK(other.client.descriptor() == descriptor);
  CHECK(::recv(other.server.get(), space.data(), space.size(), 0) == 0);
  // Onto itself changes nothing.
  PosixSocket& same = other.client;
  other.client = std::move(same);
  CHECK(other.client.descriptor() == descriptor);
  CHECK(other.client.write_some(tc::as_bytes("y")).has_value());

  other.client.close();
  CHECK(other.client.descriptor() == -1);
  CHECK(::fcntl(descriptor, F_GETFD) == -1);
  CHECK(errno == EBADF);
  // The number may be given to somebody else now; closing again must not close theirs.
  const RawSocket somebody(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(somebody.get() >= 0);
  other.client.close();
  CHECK(::fcntl(somebody.get(), F_GETFD) != -1);
}

TEST_CASE("destruction closes; release gives away", "[posix]") {
  int kept = -1;
  RawSocket server;
  {
    Pair pair = connected();
    kept = pair.client.release();
    CHECK(pair.client.descriptor() == -1);
    server = std::move(pair.server);
  }
  CHECK(::fcntl(kept, F_GETFD) != -1);
  {
    const PosixSocket owner = PosixSocket::adopt(kept);
  }
  CHECK(::fcntl(kept, F_GETFD) == -1);
}

TEST_CASE("every call on a closed socket fails as misuse", "[posix]") {
  Pair pair = connected();
  pair.client.close();
  std::array<std::uint8_t, 4> space{};
  const auto not_connected = [](const auto& result) {
    return !result && result.error().is_failed() && result.error().error()->code() == tc::ErrorCode::not_connected;
  };
  CHECK(not_connected(pair.client.read_some(space)));
  CHECK(not_connected(pair.client.write_some(tc::as_bytes("x"))));
  CHECK(not_connected(pair.client.set_nodelay(true)));
  CHECK(not_connected(pair.client.set_mode(PosixSocket::Mode::blocking)));
  CHECK(not_connected(pair.client.shutdown_write()));
}
