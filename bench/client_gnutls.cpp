// GnuTLS's client, with push and pull functions that are two buffers.
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "clients.hpp"
#include "support.hpp"

namespace bench {

namespace {

struct Shared {
  Shared() = default;
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    if (credentials != nullptr)
      gnutls_certificate_free_credentials(credentials);
    if (priority != nullptr)
      gnutls_priority_deinit(priority);
  }
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_priority_t priority = nullptr;
  std::string name;
};

class GnutlsClient final : public Client {
public:
  explicit GnutlsClient(const Shared& shared) : shared_(&shared) {}
  GnutlsClient(const GnutlsClient&) = delete;
  GnutlsClient& operator=(const GnutlsClient&) = delete;
  ~GnutlsClient() override {
    if (session_ != nullptr)
      gnutls_deinit(session_);
  }

  bool start() override {
    result_ = gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS);
    if (result_ == GNUTLS_E_SUCCESS)
      result_ = gnutls_priority_set(session_, shared_->priority);
    if (result_ == GNUTLS_E_SUCCESS)
      result_ = gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, shared_->credentials);
    if (result_ == GNUTLS_E_SUCCESS)
      result_ = gnutls_server_name_set(session_, GNUTLS_NAME_DNS, shared_->name.data(), shared_->name.size());
    if (result_ != GNUTLS_E_SUCCESS)
      return false;
    gnutls_session_set_verify_cert(session_, shared_->name.c_str(), 0);
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_push_function(session_, push);
    gnutls_transport_set_pull_function(session_, pull);
    gnutls_transport_set_pull_timeout_function(session_, pull_timeout);
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
  std::string problem() const override { return gnutls_strerror(result_); }

private:
  static ssize_t push(gnutls_transport_ptr_t self, const void* from, std::size_t count) {
    const auto* const bytes = static_cast<const std::uint8_t*>(from);
    std::vector<std::uint8_t>& out = static_cast<GnutlsClient*>(self)->wire_.out;
    out.insert(out.end(), bytes, bytes + count);
    return static_cast<ssize_t>(count);
  }
  static ssize_t pull(gnutls_transport_ptr_t self, void* to, std::size_t count) {
    auto* const client = static_cast<GnutlsClient*>(self);
    const std::size_t got = client->wire_.take(to, count);
    if (got > 0)
      return static_cast<ssize_t>(got);
    gnutls_transport_set_errno(client->session_, EAGAIN);
    return -1;
  }
  static int pull_timeout(gnutls_transport_ptr_t self, unsigned /*milliseconds*/) {
    const Wire& wire = static_cast<GnutlsClient*>(self)->wire_;
    return wire.taken < wire.in.size() ? 1 : 0;
  }
  bool step() {
    if (complete_)
      return true;
    result_ = gnutls_handshake(session_);
    complete_ = result_ == GNUTLS_E_SUCCESS;
    return complete_ || gnutls_error_is_fatal(result_) == 0;
  }

  const Shared* shared_;
  Wire wire_;
  gnutls_session_t session_ = nullptr;
  int result_ = GNUTLS_E_SUCCESS;
  bool complete_ = false;
};

class GnutlsLibrary final : public Library {
public:
  /// False when this release cannot do it.
  bool prepare(const ClientSetup& setup) {
    shared_.name = setup.server_name;
    const std::string cipher = setup.suite == 0x1301   ? "AES-128-GCM"
                               : setup.suite == 0x1302 ? "AES-256-GCM"
                                                       : "CHACHA20-POLY1305";
    const std::string group = setup.group == secp256r1 ? "SECP256R1"
                              : setup.group == x25519  ? "X25519"
                                                       : "X25519-MLKEM768"; // since 3.8.9, if built with it
    const std::string priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+" + cipher + ":-GROUP-ALL:+GROUP-" + group;
    if (gnutls_priority_init(&shared_.priority, priority.c_str(), nullptr) != GNUTLS_E_SUCCESS)
      return false;
    gnutls_datum_t pem{};
    // NOLINTNEXTLINE: GnuTLS reads it only
    pem.data = reinterpret_cast<unsigned char*>(const_cast<char*>(setup.root_pem.data()));
    pem.size = static_cast<unsigned>(setup.root_pem.size());
    if (gnutls_certificate_allocate_credentials(&shared_.credentials) != GNUTLS_E_SUCCESS ||
        gnutls_certificate_set_x509_trust_mem(shared_.credentials, &pem, GNUTLS_X509_FMT_PEM) != 1)
      throw std::runtime_error("GnuTLS does not take the root");
    return true;
  }
  std::unique_ptr<Client> connect() override { return std::make_unique<GnutlsClient>(shared_); }

private:
  Shared shared_;
};

std::unique_ptr<Library> make(const ClientSetup& setup) {
  auto library = std::make_unique<GnutlsLibrary>();
  if (!library->prepare(setup))
    return nullptr;
  return library;
}

} // namespace

LibraryEntry gnutls_library() { return {std::string("GnuTLS ") + gnutls_check_version(nullptr), make}; }

} // namespace bench
