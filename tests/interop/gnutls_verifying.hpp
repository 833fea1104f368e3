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

} // namespace interop
