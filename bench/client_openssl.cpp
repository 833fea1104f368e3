// OpenSSL's client, on a BIO of its own that is two buffers.
#include <climits>
#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "clients.hpp"
#include "support.hpp"

namespace bench {

namespace {

// ---- the BIO ----

int read_bio(BIO* bio, char* to, int count) {
  auto* const wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t got = wire->take(to, static_cast<std::size_t>(count));
  if (got > 0)
    return static_cast<int>(got);
  BIO_set_retry_read(bio);
  return -1;
}

int write_bio(BIO* bio, const char* from, int count) {
  auto* const wire = static_cast<Wire*>(BIO_get_data(bio));
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(from);
  wire->out.insert(wire->out.end(), bytes, bytes + count);
  return count;
}

long control_bio(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct FreeMethod {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeConnection {
  void operator()(SSL* connection) const { SSL_free(connection); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::string last_error() {
  char text[256] = "OpenSSL failed";
  if (const unsigned long error = ERR_get_error(); error != 0)
    ERR_error_string_n(error, text, sizeof text);
  return text;
}
void require(bool good) {
  if (!good)
    throw std::runtime_error(last_error());
}

struct Shared {
  std::unique_ptr<BIO_METHOD, FreeMethod> method;
  std::unique_ptr<SSL_CTX, FreeContext> context;
  std::string name;
};

// ---- the client ----

class OpensslClient final : public Client {
public:
  explicit OpensslClient(const Shared& shared) : shared_(&shared) {}

  bool start() override {
    connection_.reset(SSL_new(shared_->context.get()));
    BIO* const bio = BIO_new(shared_->method.get());
    if (!connection_ || bio == nullptr)
      return false;
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(connection_.get(), bio, bio);
    // NOLINTNEXTLINE: the macro casts away const
    if (SSL_set_tlsext_host_name(connection_.get(), shared_->name.c_str()) != 1 ||
        SSL_set1_host(connection_.get(), shared_->name.c_str()) != 1)
      return false;
    return step();
  }
  bool receive(View bytes) override {
    wire_.put(bytes);
    return step();
  }
  bool complete() const override { return complete_; }
  View output() override { return wire_.out; }
  void sent() override { wire_.out.clear(); }
  void rest() override { wire_.release(); }
  std::size_t benchmark_bytes() override { return block_size(this); }
  std::string problem() const override { return last_error(); }

private:
  bool step() {
    if (complete_)
      return true;
    const int result = SSL_connect(connection_.get());
    complete_ = result == 1;
    return complete_ || SSL_get_error(connection_.get(), result) == SSL_ERROR_WANT_READ;
  }

  const Shared* shared_;
  Wire wire_;
  std::unique_ptr<SSL, FreeConnection> connection_;
  bool complete_ = false;
};

class OpensslLibrary final : public Library {
public:
  explicit OpensslLibrary(Shared shared) : shared_(std::move(shared)) {}
  std::unique_ptr<Client> connect() override { return std::make_unique<OpensslClient>(shared_); }

private:
  Shared shared_;
};

const char* name_of_group(std::uint16_t group) {
  switch (group) {
  case secp256r1:
    return "P-256";
  case x25519:
    return "X25519";
  case x25519_mlkem768:
    return "X25519MLKEM768"; // since 3.5
  default:
    return "";
  }
}

const char* name_of_suite(std::uint16_t suite) {
  switch (suite) {
  case 0x1301:
    return "TLS_AES_128_GCM_SHA256";
  case 0x1302:
    return "TLS_AES_256_GCM_SHA384";
  default:
    return "TLS_CHACHA20_POLY1305_SHA256";
  }
}

std::unique_ptr<Library> make(const ClientSetup& setup) {
  Shared shared;
  shared.name = setup.server_name;
  shared.method.reset(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "two buffers"));
  require(shared.method && BIO_meth_set_read(shared.method.get(), read_bio) == 1 &&
          BIO_meth_set_write(shared.method.get(), write_bio) == 1 &&
          BIO_meth_set_ctrl(shared.method.get(), control_bio) == 1);

  shared.context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = shared.context.get();
  require(context != nullptr && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (setup.idle)
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  const unsigned char* der = setup.root_der.data();
  const std::unique_ptr<X509, FreeCertificate> root(d2i_X509(nullptr, &der, static_cast<long>(setup.root_der.size())));
  require(root && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) == 1);
  require(SSL_CTX_set_ciphersuites(context, name_of_suite(setup.suite)) == 1);
  if (SSL_CTX_set1_groups_list(context, name_of_group(setup.group)) != 1) {
    ERR_clear_error();
    return nullptr; // a release that does not know the group
  }
  return std::make_unique<OpensslLibrary>(std::move(shared));
}

} // namespace

LibraryEntry openssl_library() { return {std::string("OpenSSL ") + OpenSSL_version(OPENSSL_VERSION_STRING), make}; }

} // namespace bench
