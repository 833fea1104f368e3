// What loading a trust store of 150 roots costs a program, until it can verify a server: with tlsconnect, Botan, OpenSSL
// and GnuTLS, from the same file. The roots are made here, so that every machine has the same.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <botan/certstor_flatfile.h>

#if defined(BENCH_HAS_OPENSSL)
#include <openssl/x509_vfy.h>
#endif
#if defined(BENCH_HAS_GNUTLS)
#include <gnutls/x509.h>
#endif

#include <tlsconnect/verify/path_verifier.hpp>

#include "clients.hpp"
#include "support.hpp"
#include "test_pki.hpp"

namespace bench {

namespace {

namespace tls = tlsconnect;

constexpr std::size_t roots = 150;

/// A file that goes away again.
class RootFile {
public:
  RootFile() {
    const int descriptor = mkstemp(path_.data());
    require(descriptor >= 0, "no temporary file");
    std::FILE* const file = fdopen(descriptor, "wb");
    require(file != nullptr, "no temporary file");
    // As in the stores of systems: three of five with RSA.
    for (std::size_t i = 0; i < roots; ++i) {
      const test::KeyType type = i % 5 < 3 ? test::KeyType::rsa2048 : test::KeyType::p384;
      const test::Identity root = test::self_signed({.common_name = "Root " + std::to_string(i),
                                                     .organization = "Authority " + std::to_string(i / 3),
                                                     .key = test::Key::cached(type),
                                                     .ca = true});
      last_ = std::make_unique<test::Identity>(root);
      require(std::fputs(root.pem().c_str(), file) >= 0, "the temporary file cannot be written");
    }
    require(std::fclose(file) == 0, "the temporary file cannot be written");
  }
  RootFile(const RootFile&) = delete;
  RootFile& operator=(const RootFile&) = delete;
  ~RootFile() { (void)unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const test::Identity& last() const { return *last_; }

private:
  std::string path_ = "/tmp/tlsconnect-bench-XXXXXX";
  std::unique_ptr<test::Identity> last_;
};

std::shared_ptr<const tls::PathVerifier> load(const std::string& path) {
  const tls::TrustAnchors anchors = tls::TrustAnchors::from_file(path).value();
  require(anchors.size() == roots && anchors.skipped().empty(), "roots are missing");
  return tls::PathVerifier::create(anchors).value();
}

void load_with_botan(const std::string& path) {
  const Botan::Flatfile_Certificate_Store store(path, true);
  require(store.all_subjects().size() == roots, "Botan: roots are missing");
}

#if defined(BENCH_HAS_OPENSSL)
void load_with_openssl(const std::string& path) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  require(store && X509_STORE_load_file(store.get(), path.c_str()) == 1, "OpenSSL: the roots cannot be loaded");
}
#endif

#if defined(BENCH_HAS_GNUTLS)
void load_with_gnutls(const std::string& path) {
  gnutls_x509_trust_list_t list = nullptr;
  require(gnutls_x509_trust_list_init(&list, 0) == GNUTLS_E_SUCCESS, "GnuTLS: no list");
  const int count = gnutls_x509_trust_list_add_trust_file(list, path.c_str(), nullptr, GNUTLS_X509_FMT_PEM, 0, 0);
  gnutls_x509_trust_list_deinit(list, 1);
  require(count == static_cast<int>(roots), "GnuTLS: roots are missing");
}
#endif

} // namespace

bool run_trust(const Options& options) {
  heading("Loading 150 roots from a PEM file");
  const RootFile file;
  const auto chain = [&] {
    std::vector<tls::Certificate> certificates;
    for (const auto& der : file.last().issue({.dns = {"bench.example"}}).chain_der())
      certificates.push_back(tls::Certificate::from_der(der).value());
    return certificates;
  }();
  const tls::ServerName name = tls::ServerName::parse("bench.example").value();

  struct Row {
    std::string name;
    std::function<void()> run;
    std::size_t measure = 0;
  };
  std::vector<Row> rows;
  rows.push_back({"tlsconnect", [&] { (void)load(file.path()); }});
  rows.push_back({"tlsconnect, and the first chain", [&] {
                    require(load(file.path())->verify({.chain = chain}, name, test::now).has_value(), "not verified");
                  }});
  rows.push_back({botan_library().name, [&] { load_with_botan(file.path()); }});
#if defined(BENCH_HAS_OPENSSL)
  rows.push_back({openssl_library().name, [&] { load_with_openssl(file.path()); }});
#endif
#if defined(BENCH_HAS_GNUTLS)
  rows.push_back({gnutls_library().name, [&] { load_with_gnutls(file.path()); }});
#endif
  Rounds rounds;
  for (Row& row : rows)
    row.measure = rounds.add([&row] { return cpu_time(row.run); });
  rounds.run(options.rounds(100));

  for (const Row& row : rows) {
    std::printf("  %-34s %8.2f ms", row.name.c_str(), rounds.time(row.measure) / 1e6);
    if (row.measure > 1)
      std::printf("   tlsconnect / this: %s", against(rounds.ratio(0, row.measure), Aim::at_most, 1.0).c_str());
    std::puts("");
  }
  std::fputs(missing_libraries().c_str(), stdout);
  return true;
}

} // namespace bench
