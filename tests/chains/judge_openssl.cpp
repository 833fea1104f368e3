// What OpenSSL says of a chain.
#include "judges.hpp"

#include <memory>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace corpus {

namespace {

struct Free {
  void operator()(X509* one) const { X509_free(one); }
  void operator()(X509_STORE* one) const { X509_STORE_free(one); }
  void operator()(X509_STORE_CTX* one) const { X509_STORE_CTX_free(one); }
  void operator()(STACK_OF(X509) * one) const { sk_X509_pop_free(one, X509_free); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// A certificate as libssl reads it from a handshake message: nothing may follow.
Owned<X509> read(const Blob& der) {
  const unsigned char* at = der.data();
  Owned<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size())
    certificate.reset();
  return certificate;
}

} // namespace

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

Answer ask_openssl(const Question& question) {
  ERR_clear_error();
  const Owned<X509_STORE> store(X509_STORE_new());
  for (const Blob& der : question.anchors) {
    const Owned<X509> anchor = read(der);
    if (!anchor || X509_STORE_add_cert(store.get(), anchor.get()) != 1)
      return {false, "an anchor cannot be read"};
  }
  const Owned<STACK_OF(X509)> chain(sk_X509_new_null());
  for (const Blob& der : question.chain) {
    Owned<X509> certificate = read(der);
    if (!certificate)
      return {false, "a certificate cannot be read"};
    sk_X509_push(chain.get(), certificate.release());
  }
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), sk_X509_value(chain.get(), 0), chain.get()) != 1)
    return {false, "no context"};
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(question.time));
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, question.server.c_str()) != 1) {
    ERR_clear_error();
    if (X509_VERIFY_PARAM_set1_host(parameters, question.server.c_str(), question.server.size()) != 1)
      return {false, "the name cannot be set"};
  }
  const bool accepted = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  return {accepted, std::string(X509_verify_cert_error_string(error)) + " at " +
                        std::to_string(X509_STORE_CTX_get_error_depth(context.get()))};
}

} // namespace corpus
