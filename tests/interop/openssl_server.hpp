// `openssl s_server` as a peer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "support.hpp"

namespace interop {

struct OpensslOptions {
  /// Who the server is; by default of the right name and with an ECDSA key.
  std::optional<test::Identity> identity = {};
  /// Whether it sends what is above its certificate.
  bool send_chain = true;
  /// No words of its own: stdin goes to the client, the client's data to stdout.
  bool raw = false;
  /// Further options of s_server.
  std::vector<std::string> more = {};
  /// Gets what the server writes to stdout: with `raw`, what the client sends.
  test::OutputSink sink = {};
  /// Do not let the server choose its port: `sink` would get the announcement. So it is with `raw`.
  bool choose_port = false;
};

/// Skips the test case when the program is not installed.
inline void need_openssl() {
  static const bool there = test::ChildProcess::runs({"openssl", "version"});
  if (!there)
    SKIP("the program openssl is not installed");
}

/// One running server. It serves one connection after the other.
class OpensslServer {
public:
  explicit OpensslServer(const OpensslOptions& options = {}) {
    need_openssl();
    const test::Identity identity = options.identity ? *options.identity : leaf();
    const std::vector<test::Blob> chain = identity.chain_der();
    if (options.raw || options.choose_port)
      port_ = test::unused_port();
    std::vector<std::string> arguments{"openssl", "s_server",
                                       "-accept", "127.0.0.1:" + std::to_string(port_),
                                       "-cert",   folder_.write("leaf.pem", identity.pem()),
                                       "-key",    folder_.write("key.pem", identity.key_pem())};
    if (options.send_chain && chain.size() > 1) {
      std::string above;
      for (std::size_t i = 1; i < chain.size(); ++i)
        above += test::pem_block("CERTIFICATE", chain[i]);
      arguments.insert(arguments.end(), {"-cert_chain", folder_.write("chain.pem", above)});
    }
    if (options.raw)
      arguments.emplace_back("-quiet");
    arguments.insert(arguments.end(), options.more.begin(), options.more.end());
    // Without the system's configuration file: it may forbid what is tested.
    process_ = std::make_unique<test::ChildProcess>(arguments, std::vector<std::string>{"OPENSSL_CONF=/dev/null"},
                                                    options.sink);
    if (options.raw || options.choose_port)
      return;
    // "ACCEPT 127.0.0.1:40123": it has chosen a port by itself.
    static constexpr std::string_view announcement = "ACCEPT 127.0.0.1:";
    usable_ = process_->wait_for_text(announcement) && process_->wait_for_text("\n", output().find(announcement));
    if (usable_)
      port_ = static_cast<std::uint16_t>(std::stoi(output().substr(output().find(announcement) + announcement.size())));
  }

  /// False when it refused its options, for instance because its release does not know a group.
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] test::ChildProcess& process() { return *process_; }
  [[nodiscard]] std::string output() const { return process_->output(); }
  /// Waits for words of the server; shows what it said instead when they do not come.
  void expect(std::string_view words) const {
    const bool said = process_->wait_for_text(words);
    INFO("the server's output: " << output());
    INFO("should contain: " << words);
    CHECK(said);
  }

private:
  TempFolder folder_;
  std::unique_ptr<test::ChildProcess> process_;
  std::uint16_t port_ = 0;
  bool usable_ = true;
};

/// The page that `s_server -www` answers with: how the server sees the connection.
inline std::string status_page(TcpStream& stream) {
  send(stream, "GET / HTTP/1.0\r\n\r\n");
  std::string page;
  const tc::Halt end = drain(stream, &page);
  INFO("the page: " << page);
  CHECK(end.is_closed());
  CHECK(contains(page, "</HTML>") + contains(page, "</html>") == 1);
  return page;
}

} // namespace interop
