// The one place that says what Botan must offer, and the wall at which its exceptions stop. Only the bodies of this
// floor include it.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include <botan/build.h>
#include <botan/version.h>

#include <tlsconnect/base/error.hpp>

// Releases before 3.12 have known defects in the validation of certificates, which a TLS client cannot do without.
static_assert(BOTAN_VERSION_CODE >= BOTAN_VERSION_CODE_FOR(3, 12, 0),
              "tlsconnect needs Botan 3.12 or newer: earlier releases validate certificates with known defects");

#if !defined(BOTAN_HAS_SYSTEM_RNG)
#error "tlsconnect needs a Botan that was built with the module system_rng"
#endif
#if !defined(BOTAN_HAS_SHA_256) || !defined(BOTAN_HAS_SHA_384) || !defined(BOTAN_HAS_SHA_512)
#error "tlsconnect needs a Botan that was built with the modules sha2_32 and sha2_64"
#endif
#if !defined(BOTAN_HAS_SHA1)
#error "tlsconnect needs a Botan that was built with the module sha1: OCSP names issuers by it"
#endif
#if !defined(BOTAN_HAS_AES) || !defined(BOTAN_HAS_AEAD_GCM)
#error "tlsconnect needs a Botan that was built with the modules aes and gcm"
#endif
#if !defined(BOTAN_HAS_AEAD_CHACHA20_POLY1305)
#error "tlsconnect needs a Botan that was built with the module chacha20poly1305"
#endif
#if !defined(BOTAN_HAS_X25519) || !defined(BOTAN_HAS_ECDH) || !defined(BOTAN_HAS_ECC_GROUP)
#error "tlsconnect needs a Botan that was built with the modules x25519 and ecdh"
#endif
#if !defined(BOTAN_HAS_ML_KEM)
#error "tlsconnect needs a Botan that was built with the module ml_kem"
#endif
#if !defined(BOTAN_HAS_RSA) || !defined(BOTAN_HAS_PSS) || !defined(BOTAN_HAS_PKCSV15_SIGNATURE_PADDING)
#error "tlsconnect needs a Botan that was built with the modules rsa, emsa_pssr and emsa_pkcs1"
#endif
#if !defined(BOTAN_HAS_ECDSA) || !defined(BOTAN_HAS_ED25519) || !defined(BOTAN_HAS_ED448)
#error "tlsconnect needs a Botan that was built with the modules ecdsa, ed25519 and ed448"
#endif
// The module ml_dsa may be missing: is_available() says whether it is there.
#if !defined(BOTAN_HAS_X509_CERTIFICATES)
#error "tlsconnect needs a Botan that was built with the module x509"
#endif

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

/// Calls `body`, which returns a Result, and turns every exception into an Error: memory that ran out into
/// `out_of_memory`, anything else into `code`, with what the exception says as its detail.
template <class Body>
[[nodiscard]] auto botan_guard(ErrorCode code, std::string_view where, Body&& body) noexcept
    -> std::invoke_result_t<Body&> {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  } catch (const std::exception& exception) {
    try {
      return fail(code, where, exception.what());
    } catch (...) {
      // There was no memory for the text; the error goes without it.
      return fail(code, where);
    }
  } catch (...) {
    return fail(code, where);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
