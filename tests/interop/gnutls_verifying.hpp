// GnuTLS's server where it looks at client certificates.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "features.hpp"
#include "gnutls_server.hpp"

namespace interop {

/// A server that asks for client certificates and verifies them, and what it says of a certificate that it trusts.
struct Verifying {
  TempFolder folder;
  std::string roots = folder.write("roots.pem", ClientPki::instance().root.pem());
  static constexpr std::string_view trusted = "The certificate is trusted";

  [[nodiscard]] GnutlsOptions options(bool required, std::string priority = {}) const {
    return {.priority = std::move(priority),
            .client_certificate =
                required ? std::vector<std::string>{"--require-client-cert"} : std::vector<std::string>(),
            .more = {"--echo", "--verify-client-cert", "--x509cafile", roots}};
  }
};

/// Shows a server with that priority client certificates of every kind of key, signed at once and later, and lets `check`
/// look at what it came to each time. Returns what the server has said.
template <class Check>
std::string check_client_certificates(const std::string& priority, Check&& check) {
  const Verifying files;
  GnutlsServer server(files.options(true, priority));
  std::size_t shown = 0;
  for (const test::KeyType type : every_client_key) {
    INFO(name_of_key(type));
    const test::Identity identity = client_identity(type);
    const auto base = client().session_store(nullptr);
    const tc::ConnectionInfo info = visit(server, tc::ClientConfig::Builder(base).credentials({credential(identity)}));
    CHECK(info.client_certificate_sent);
    check(info);
    TcpStream later = connected_signing(
        connector(server.port(), tc::ClientConfig::Builder(base).credentials({credential_that_signs_later(identity)})),
        private_key(identity));
    CHECK(later.info().client_certificate_sent);
    check(later.info());
    echo(later);
    REQUIRE(later.shutdown().has_value());
    shown += 2;
  }
  const std::string said = server.last_words();
  INFO(said);
  CHECK(count_of(said, Verifying::trusted) == shown);
  return said;
}

} // namespace interop
