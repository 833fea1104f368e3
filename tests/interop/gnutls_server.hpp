// gnutls-serv as a peer.
#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "child_process.hpp"
#include "support.hpp"

namespace interop {

struct GnutlsOptions {
  std::optional<test::Identity> identity = {};
  bool send_chain = true;
  /// Appended to a priority string that allows TLS 1.3 only.
  std::string priority = {};
  /// Instead of "no client certificate, please".
  std::vector<std::string> client_certificate = {"--disable-client-cert"};
  std::vector<std::string> more = {"--echo"};
};

/// What the server supports, in its own words; skips the test case when it is not installed.
inline const std::string& gnutls_features() {
  static const std::string features = [] {
    try {
      test::ChildProcess list({"gnutls-serv", "--list"});
      list.close_stdin();
      return list.wait_for_text("PK-signatures") ? list.output() : std::string();
    } catch (const std::runtime_error&) {
      return std::string();
    }
  }();
  if (features.empty())
    SKIP("the program gnutls-serv is not installed");
  return features;
}

/// One running server. It serves one connection after the other, and echoes.
class GnutlsServer {
public:
  explicit GnutlsServer(const GnutlsOptions& options = {}) {
    (void)gnutls_features();
    const char* preload = std::getenv("TLSCONNECT_ONLY_LOOPBACK");
    if (preload == nullptr)
      FAIL("TLSCONNECT_ONLY_LOOPBACK must name the library that keeps the server on the loopback interface; `meson "
           "test` does that");
    const test::Identity identity = options.identity ? *options.identity : leaf();
    port_ = test::unused_port();
    std::vector<std::string> arguments{
        "gnutls-serv",
        "--port",
        std::to_string(port_),
        "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.3" + options.priority,
        "--x509certfile",
        folder_.write("chain.pem", options.send_chain ? identity.chain_pem() : identity.pem()),
        "--x509keyfile",
        folder_.write("key.pem", identity.key_pem())};
    arguments.insert(arguments.end(), options.client_certificate.begin(), options.client_certificate.end());
    arguments.insert(arguments.end(), options.more.begin(), options.more.end());
    process_ = std::make_unique<test::ChildProcess>(
        arguments,
        std::vector<std::string>{"LD_PRELOAD=" + std::string(preload), "GNUTLS_SYSTEM_PRIORITY_FILE=/dev/null"});
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] test::ChildProcess& process() { return *process_; }
  /// Ends the server; everything it has said.
  std::string last_words() {
    process_->terminate();
    return process_->output();
  }

private:
  TempFolder folder_;
  std::unique_ptr<test::ChildProcess> process_;
  std::uint16_t port_ = 0;
};

/// Data both ways.
inline void echo(TcpStream& stream) {
  send(stream, "echo this\n");
  CHECK(receive_until(stream, "\n") == "echo this\n");
}

/// A handshake and an echo.
inline tc::ConnectionInfo visit(const GnutlsServer& server, const tc::ClientConfig::Builder& builder,
                                std::string_view name = host) {
  TcpStream stream = connected(server.port(), builder, name);
  echo(stream);
  REQUIRE(stream.shutdown().has_value());
  CHECK(drain(stream).is_closed());
  return stream.info();
}

} // namespace interop
