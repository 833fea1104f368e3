// Botan's server behind a wall: the tests of the doors talk to it without compiling its headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/server_name.hpp>

namespace test {

struct LiveOptions {
  bool retry = false;               ///< answers the first ClientHello with a HelloRetryRequest
  bool request_certificate = false; ///< asks for a client certificate, and does without
  bool answer_close = true;         ///< answers close_notify with one
  bool tls12 = false;               ///< speaks TLS 1.2 and nothing newer
};

/// One connection, between two buffers. Its certificate is for "server.test", 192.0.2.1 and 2001:db8::1.
class LiveServer {
public:
  explicit LiveServer(LiveOptions options = {});
  LiveServer(LiveServer&&) noexcept;
  LiveServer& operator=(LiveServer&&) noexcept;
  ~LiveServer();

  bool feed(tlsconnect::BytesView bytes);
  [[nodiscard]] tlsconnect::ByteVector take_output();
  [[nodiscard]] tlsconnect::ByteVector take_received();
  bool send(std::string_view text);
  bool send(tlsconnect::BytesView bytes);
  bool close();
  bool update_keys(bool request_peer_update);
  bool send_alert(std::uint8_t code, bool fatal);
  std::size_t send_tickets(std::size_t count);
  [[nodiscard]] bool handshake_complete() const;
  [[nodiscard]] bool peer_closed() const;
  [[nodiscard]] std::optional<std::uint8_t> alert_received() const;
  [[nodiscard]] const std::string& failure() const;
  [[nodiscard]] const std::string& server_name() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A configuration for it: trusts its root, has a clock that stands still, and offers elliptic curves only.
[[nodiscard]] tlsconnect::ClientConfig::Builder live_config_builder();
/// The same, built once. Its randomness is the system's.
[[nodiscard]] tlsconnect::ConfigPtr live_config();
[[nodiscard]] tlsconnect::ServerName live_name(std::string_view text = "server.test");

} // namespace test
