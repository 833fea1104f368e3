// Botan's TLS server behind a TCP socket: a thread that accepts connections and runs a script with each of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "botan_server.hpp"
#include "support.hpp"

namespace interop {

/// The server's side of one connection; every call blocks until it is done. Used by the server's thread only.
class BotanPeer {
public:
  BotanPeer(int descriptor, const std::shared_ptr<const test::BotanServerContext>& context)
      : descriptor_(descriptor), tls_(context), buffer_(65'536) {}
  BotanPeer(const BotanPeer&) = delete;
  BotanPeer& operator=(const BotanPeer&) = delete;
  ~BotanPeer() { hang_up(); }

  [[nodiscard]] test::BotanServer& tls() { return tls_; }

  /// Goes on until the handshake is complete, or cannot be.
  bool handshake() {
    while (!tls_.handshake_complete() && pump()) {
    }
    return tls_.handshake_complete();
  }
  /// The next data of the client; empty when there will be none.
  std::string read() {
    for (;;) {
      const std::vector<std::uint8_t> data = tls_.take_received();
      if (!data.empty())
        return {data.begin(), data.end()};
      if (tls_.peer_closed() || !pump())
        return {};
    }
  }
  /// Reads until the client has sent that many bytes, or will send no more; all of it.
  std::string read(std::size_t size) {
    std::string text;
    while (text.size() < size) {
      const std::string piece = read();
      if (piece.empty())
        break;
      text += piece;
    }
    return text;
  }
  bool send(std::string_view text) { return tls_.send(text) && flush(); }
  /// Sends close_notify; the socket stays open.
  bool close_notify() { return tls_.close() && flush(); }
  /// Sends what the TLS server has to say.
  bool flush() {
    const std::vector<std::uint8_t> bytes = tls_.take_output();
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t count = ::send(descriptor_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (count <= 0)
        return false;
      done += static_cast<std::size_t>(count);
    }
    return true;
  }
  /// Ends the connection without a word of TLS.
  void hang_up() {
    if (descriptor_ >= 0)
      (void)::close(std::exchange(descriptor_, -1));
  }
  /// The same with a TCP reset.
  void reset() {
    const linger now{1, 0};
    (void)::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hang_up();
  }

private:
  /// Reads once from the socket; false when there is nothing more to expect.
  bool pump() {
    pollfd entry{descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, 30'000) != 1)
      return false;
    const ssize_t count = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    if (count <= 0)
      return false;
    const bool good = tls_.feed({buffer_.data(), static_cast<std::size_t>(count)});
    return flush() && good && !tls_.alert_received();
  }

  int descriptor_;
  test::BotanServer tls_;
  std::vector<std::uint8_t> buffer_;
};

/// What the server does with a connection. Runs in the server's thread, so it makes no assertions: it leaves what is
/// to be checked in variables, which may be looked at after join().
using BotanScript = std::function<void(BotanPeer& peer)>;

class BotanTcpServer {
public:
  BotanTcpServer(const test::BotanServerOptions& options, BotanScript script, int connections = 1)
      : context_(std::make_shared<test::BotanServerContext>(options)), script_(std::move(script)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, connections] {
      for (int i = 0; i < connections; ++i)
        serve();
    });
  }
  BotanTcpServer(const BotanTcpServer&) = delete;
  BotanTcpServer& operator=(const BotanTcpServer&) = delete;
  ~BotanTcpServer() {
    join();
    (void)::close(listener_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Waits until the script has run for every connection.
  void join() {
    if (thread_.joinable())
      thread_.join();
  }

private:
  void serve() {
    pollfd entry{listener_, POLLIN, 0};
    if (::poll(&entry, 1, 30'000) != 1)
      return;
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0)
      return;
    const int on = 1;
    (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    BotanPeer peer(descriptor, context_);
    script_(peer);
  }

  std::shared_ptr<const test::BotanServerContext> context_;
  BotanScript script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A server of the right name.
inline test::BotanServerOptions botan_options(test::KeyType type = test::KeyType::p256) {
  const test::Identity identity = leaf(type);
  test::BotanServerOptions options;
  options.chain = identity.chain_der();
  options.key = identity.key_der();
  return options;
}

} // namespace interop
