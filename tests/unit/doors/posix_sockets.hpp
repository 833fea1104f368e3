// Sockets of the test's own on the loopback interface, without help from the code under test.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

namespace test {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

class RawSocket {
public:
  explicit RawSocket(int descriptor = -1) : descriptor_(descriptor) {}
  RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawSocket& operator=(RawSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~RawSocket() { close(); }
  void close() {
    if (descriptor_ >= 0)
      ::close(std::exchange(descriptor_, -1));
  }
  [[nodiscard]] int get() const { return descriptor_; }

private:
  int descriptor_;
};

/// Listens on a free port of 127.0.0.1.
class Listener {
public:
  explicit Listener(int backlog = 16) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(socket_.get() >= 0);
    const sockaddr_in any = loopback(0);
    REQUIRE(::bind(socket_.get(), generic(any), sizeof any) == 0);
    REQUIRE(::listen(socket_.get(), backlog) == 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
    port_ = ntohs(bound.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] RawSocket accept() const {
    RawSocket peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(peer.get() >= 0);
    return peer;
  }
  void close() { socket_.close(); }

private:
  RawSocket socket_;
  std::uint16_t port_ = 0;
};

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Interrupts the calling thread's system calls with a signal every 20 ms until destroyed.
class Interruptions {
public:
  Interruptions() : target_(::pthread_self()) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigemptyset(&action.sa_mask);
    action.sa_flags = 0; // no SA_RESTART: the calls really return EINTR
    REQUIRE(::sigaction(SIGUSR1, &action, &before_) == 0);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        ::pthread_kill(target_, SIGUSR1);
      }
    });
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() {
    thread_.request_stop();
    thread_.join();
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

private:
  pthread_t target_;
  struct sigaction before_{};
  std::jthread thread_;
};

} // namespace test
