// Other verifiers, asked the same. Each is there when its library is: CHAINS_HAS_OPENSSL, CHAINS_HAS_GNUTLS.
#pragma once

#include <string>

#include "corpus.hpp"

namespace corpus {

struct Answer {
  bool accepted = false;
  std::string text; ///< what the library says
};

/// libcrypto: X509_verify_cert for the purpose of a TLS server, security level 2 (112 bits; no SHA-1), any certificate of
/// the store an anchor, the name checked as SSL_set1_host would. Everything else as the library has it by default.
[[nodiscard]] std::string openssl_version();
[[nodiscard]] Answer ask_openssl(const Question& question);

/// gnutls_x509_trust_list_verify_crt2 for a TLS server, profile "medium" (112 bits). Everything else as the library has it
/// by default.
[[nodiscard]] std::string gnutls_version();
[[nodiscard]] Answer ask_gnutls(const Question& question);

} // namespace corpus
