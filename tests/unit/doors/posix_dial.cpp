// PosixSocket::dial: names, addresses and deadlines, against real sockets on the loopback interface.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/posix.hpp>

#include "posix_sockets.hpp"

#if defined(TLSCONNECT_SEPARATE_COMPILATION)
namespace tlsconnect::inline TLSCONNECT_ABI::detail {
// Not public: one of the tests needs a list of addresses that no resolver gives.
Result<int> posix_connect_any(const addrinfo* list, const std::string& target, int timeout_ms);
} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
#endif

namespace tc = tlsconnect;
using namespace test;
using tc::PosixSocket;

namespace {

/// A listener that answers nobody any more: its queue is full, so the system drops every further connection request.
class Blackhole {
public:
  Blackhole() : listener_(0) {
    for (int i = 0; i < 64; ++i) {
      RawSocket filler(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      REQUIRE(filler.get() >= 0);
      const sockaddr_in address = loopback(listener_.port());
      (void)::connect(filler.get(), generic(address), sizeof address);
      pollfd entry{filler.get(), POLLOUT, 0};
      const bool taken = ::poll(&entry, 1, 200) > 0;
      fillers_.push_back(std::move(filler));
      if (!taken)
        return;
    }
    FAIL("the listener's queue never filled up");
  }
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

private:
  Listener listener_;
  std::vector<RawSocket> fillers_;
};

std::uint16_t refusing_port() {
  Listener listener;
  const std::uint16_t port = listener.port();
  listener.close();
  return port;
}

std::int64_t milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

TEST_CASE("a refused port: host, port, address and the system's words", "[posix][dial]") {
  const std::uint16_t port = refusing_port();
  auto socket = PosixSocket::dial("127.0.0.1", port);
  REQUIRE(!socket);
  CHECK(socket.error().code() == tc::ErrorCode::connect_refused);
  CHECK(socket.error().os_error() == ECONNREFUSED);
  CHECK(socket.error().where() == "dial");
  const std::string_view detail = socket.error().detail();
  CHECK(contains(detail, "127.0.0.1 port " + std::to_string(port)));
  CHECK(contains(detail, "127.0.0.1:" + std::to_string(port)));
  CHECK(contains(detail, std::strerror(ECONNREFUSED)));
}

TEST_CASE("names that cannot be resolved", "[posix][dial]") {
  // ".invalid" never exists (RFC 6761, 6.4).
  auto unknown = PosixSocket::dial("no-such-host.invalid", 443);
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == tc::ErrorCode::name_not_resolved);
  CHECK(contains(unknown.error().detail(), "no-such-host.invalid"));

  Listener listener;
  auto empty = PosixSocket::dial("", listener.port());
  REQUIRE(!empty);
  CHECK(empty.error().code() == tc::ErrorCode::name_not_resolved);
  CHECK(empty.error().detail() == "the name is empty");
  auto zero = PosixSocket::dial(std::string("127.0.0.1\0.example.com", 22), listener.port());
  REQUIRE(!zero);
  CHECK(zero.error().code() == tc::ErrorCode::name_not_resolved);
}

TEST_CASE("dial gives up at its deadline, also when signals arrive", "[posix][dial]") {
  const Blackhole blackhole;
  const auto start = std::chrono::steady_clock::now();
  const Interruptions signals;
  auto socket = PosixSocket::dial("127.0.0.1", blackhole.port(), PosixSocket::Mode::blocking, 300);
  const std::int64_t took = milliseconds_since(start);
  REQUIRE(!socket);
  CHECK(socket.error().code() == tc::ErrorCode::timed_out);
  CHECK(socket.error().os_error() == ETIMEDOUT);
  CHECK(contains(socket.error().detail(), "127.0.0.1 port " + std::to_string(blackhole.port())));
  CHECK(took >= 290);
  CHECK(took < 5'000);
}

TEST_CASE("a deadline that has passed is one, and no deadline is none", "[posix][dial]") {
  const Listener listener;
  auto late = PosixSocket::dial("127.0.0.1", listener.port(), PosixSocket::Mode::blocking, -1);
  REQUIRE(!late);
  CHECK(late.error().code() == tc::ErrorCode::timed_out);
  CHECK(PosixSocket::dial("127.0.0.1", listener.port(), PosixSocket::Mode::blocking, 0).has_value());
}

TEST_CASE("every address gets its try and its share of the time", "[posix][dial]") {
  // The list that a resolver could have given: one address refuses, one swallows everything, one answers.
  const Blackhole blackhole;
  const Listener listener;
  sockaddr_in refuses = loopback(refusing_port());
  sockaddr_in swallows = loopback(blackhole.port());
  sockaddr_in answers = loopback(listener.port());
  std::array<addrinfo, 3> list{};
  const std::array<sockaddr_in*, 3> order{&refuses, &swallows, &answers};
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].ai_family = AF_INET;
    list[i].ai_socktype = SOCK_STREAM;
    list[i].ai_addr = reinterpret_cast<sockaddr*>(order[i]);
    list[i].ai_addrlen = sizeof(sockaddr_in);
    list[i].ai_next = i + 1 < list.size() ? &list[i + 1] : nullptr;
  }
  const auto start = std::chrono::steady_clock::now();
  auto connected_to = tc::detail::posix_connect_any(&list[0], "example.com port 443", 4'000);
  const std::int64_t took = milliseconds_since(start);
  REQUIRE(connected_to.has_value());
  const PosixSocket socket = PosixSocket::adopt(*connected_to);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  REQUIRE(::getpeername(socket.descriptor(), reinterpret_cast<sockaddr*>(&peer), &size) == 0);
  CHECK(ntohs(peer.sin_port) == listener.port());
  // The swallowing one held it up for its share, half of what was left, and no longer.
  CHECK(took >= 1'900);
  CHECK(took < 3'900);

  // Without the one that answers: the last address is the one that is named.
  list[1].ai_next = nullptr;
  auto nothing = tc::detail::posix_connect_any(&list[0], "example.com port 443", 300);
  REQUIRE(!nothing);
  CHECK(nothing.error().code() == tc::ErrorCode::timed_out);
  CHECK(contains(nothing.error().detail(), "example.com port 443 (2 of 2 addresses tried)"));
  CHECK(contains(nothing.error().detail(), "127.0.0.1:" + std::to_string(blackhole.port())));
}

TEST_CASE("IPv6 is dialled too", "[posix][dial]") {
  const RawSocket listener(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (listener.get() < 0 || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    SKIP("this machine has no IPv6 loopback");
  REQUIRE(::listen(listener.get(), 4) == 0);
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::uint16_t port = ntohs(address.sin6_port);
  CHECK(PosixSocket::dial("::1", port).has_value());

  auto refused = PosixSocket::dial("::1", 1);
  REQUIRE(!refused);
  CHECK(contains(refused.error().detail(), "[::1]:1:"));
}
