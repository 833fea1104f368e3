// Botan's names for signing under a scheme, written here by hand so that no test asks the library what is right.
#pragma once

#include <string>

#include <tlsconnect/wire/registry.hpp>

namespace test {

/// The name of a scheme's padding, or of its hash where there is no padding; empty for ML-DSA, which has neither, and for
/// a scheme that is not known.
inline std::string botan_padding(tlsconnect::SignatureScheme scheme) {
  using enum tlsconnect::SignatureScheme;
  switch (scheme) {
  case ecdsa_sha1:
    return "SHA-1";
  case ecdsa_secp256r1_sha256:
    return "SHA-256";
  case ecdsa_secp384r1_sha384:
    return "SHA-384";
  case ecdsa_secp521r1_sha512:
    return "SHA-512";
  case rsa_pkcs1_sha1:
    return "PKCS1v15(SHA-1)";
  case rsa_pkcs1_sha256:
    return "PKCS1v15(SHA-256)";
  case rsa_pkcs1_sha384:
    return "PKCS1v15(SHA-384)";
  case rsa_pkcs1_sha512:
    return "PKCS1v15(SHA-512)";
  case rsa_pss_rsae_sha256:
  case rsa_pss_pss_sha256:
    return "PSS(SHA-256,MGF1,32)";
  case rsa_pss_rsae_sha384:
  case rsa_pss_pss_sha384:
    return "PSS(SHA-384,MGF1,48)";
  case rsa_pss_rsae_sha512:
  case rsa_pss_pss_sha512:
    return "PSS(SHA-512,MGF1,64)";
  case ed25519:
  case ed448:
    return "Pure";
  case mldsa44:
  case mldsa65:
  case mldsa87:
    break;
  }
  return {};
}

} // namespace test
