// Botan's server, set up, and a configuration that trusts it.
#pragma once

#include <string_view>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/server_name.hpp>

#include "botan_server.hpp"

namespace test {

struct LiveOptions {
  bool retry = false;               ///< answers the first ClientHello with a HelloRetryRequest
  bool request_certificate = false; ///< asks for a client certificate, and does without
  bool answer_close = true;         ///< answers close_notify with one
  bool tls12 = false;               ///< speaks TLS 1.2 and nothing newer
};

/// One connection, between two buffers. Its certificate is for "server.test", 192.0.2.1 and 2001:db8::1.
class LiveServer : public BotanServer {
public:
  explicit LiveServer(LiveOptions options = {});
};

/// A configuration for it: trusts its root, has a clock that stands still, and offers elliptic curves only.
[[nodiscard]] tlsconnect::ClientConfig::Builder live_config_builder();
/// The same, built once. Its randomness is the system's.
[[nodiscard]] tlsconnect::ConfigPtr live_config();
[[nodiscard]] tlsconnect::ServerName live_name(std::string_view text = "server.test");

} // namespace test
