// What the verdict on a server's chain costs, beyond the signature checks that it cannot do without, and compared with
// other libraries' verifiers: a server's certificate and an intermediate one, under a root that is known; with the name, the
// time and the usage.
#include <array>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <botan/certstor.h>
#include <botan/pubkey.h>
#include <botan/version.h>
#include <botan/x509_key.h>
#include <botan/x509cert.h>
#include <botan/x509path.h>

#if defined(BENCH_HAS_OPENSSL)
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#endif
#if defined(BENCH_HAS_GNUTLS)
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#endif

#include <tlsconnect/verify/path_verifier.hpp>

#include "clients.hpp"
#include "support.hpp"
#include "test_pki.hpp"

namespace bench {

namespace {

namespace tls = tlsconnect;
using Der = std::vector<std::uint8_t>;

constexpr const char* server_name = "bench.tlsconnect.test";

/// A usual chain.
struct Chain {
  std::vector<Der> sent; ///< the server's certificate and the intermediate one
  Der root;
  std::string root_pem;
  std::int64_t now;
};

Chain make_chain(test::KeyType authorities, test::KeyType server) {
  const auto now = static_cast<std::int64_t>(std::time(nullptr)); // the other libraries look at the system's clock
  test::CertOptions options{.common_name = "Benchmark Root", .organization = "tlsconnect", .key_type = authorities};
  options.not_before = now - test::day;
  options.not_after = now + 30 * test::day;
  options.ca = true;
  const test::Identity root = test::self_signed(options);
  options.common_name = "Benchmark Issuing Authority";
  const test::Identity issuer = root.issue(options);
  options.common_name = server_name;
  options.organization = {};
  options.key_type = server;
  options.ca = false;
  options.dns = {server_name, "www.bench.tlsconnect.test"};
  return {issuer.issue(options).chain_der(), root.der(), root.pem(), now};
}

// ---- the signatures alone ----

/// The two signature checks by Botan's public interface, each with its key from its bytes. Nothing else is counted: where
/// the bytes stand is known beforehand.
class Signatures {
public:
  Signatures(const Chain& chain, bool ecdsa)
      : format_(ecdsa ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard) {
    std::vector<Botan::X509_Certificate> certificates;
    for (const Der& der : chain.sent)
      certificates.emplace_back(der);
    certificates.emplace_back(chain.root);
    for (std::size_t i = 0; i + 1 < certificates.size(); ++i) {
      const std::string algorithm = certificates[i].signature_algorithm().oid().to_formatted_string();
      const std::string hash = algorithm.substr(algorithm.find("SHA-"), 7);
      signed_.push_back({certificates[i].tbs_data(), certificates[i].signature(),
                         certificates[i + 1].subject_public_key_info(), ecdsa ? hash : "PKCS1v15(" + hash + ")"});
    }
  }
  void check() const {
    for (const Signed& one : signed_) {
      const auto key = Botan::X509::load_key(one.key);
      Botan::PK_Verifier verifier(*key, one.padding, format_);
      require(verifier.verify_message(one.message, one.signature), "a signature is wrong");
    }
  }

private:
  struct Signed {
    Der message;
    Der signature;
    Der key;
    std::string padding;
  };
  Botan::Signature_Format format_;
  std::vector<Signed> signed_;
};

// ---- verifiers ----

/// A library's verifier, which knows the root. What it is given each time is the certificates' bytes.
class Verifier {
public:
  Verifier() = default;
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;
  virtual ~Verifier() = default;
  virtual void verify(const std::vector<Der>& sent) = 0;
};

class Tlsconnect final : public Verifier {
public:
  Tlsconnect(const Chain& chain, std::shared_ptr<tls::VerifiedChainCache> cache)
      : verifier_(
            tls::PathVerifier::create(tls::TrustAnchors::from_pem(chain.root_pem).value(), {}, {}, std::move(cache))
                .value()),
        now_(chain.now) {}
  [[nodiscard]] static std::vector<tls::Certificate> parse(const std::vector<Der>& sent) {
    std::vector<tls::Certificate> certificates;
    for (const Der& der : sent)
      certificates.push_back(tls::Certificate::from_der(der).value());
    return certificates;
  }
  void judge(const std::vector<tls::Certificate>& certificates) const {
    require(verifier_->verify({.chain = certificates}, name_, now_).has_value(), "tlsconnect refuses the chain");
  }
  void verify(const std::vector<Der>& sent) override { judge(parse(sent)); }

private:
  std::shared_ptr<const tls::PathVerifier> verifier_;
  tls::ServerName name_ = tls::ServerName::parse(server_name).value();
  std::int64_t now_;
};

class BotanVerifier final : public Verifier {
public:
  explicit BotanVerifier(const Chain& chain) { store_.add_certificate(Botan::X509_Certificate(chain.root)); }
  void verify(const std::vector<Der>& sent) override {
    std::vector<Botan::X509_Certificate> certificates;
    for (const Der& der : sent)
      certificates.emplace_back(der);
    const auto result = Botan::x509_path_validate(certificates, Botan::Path_Validation_Restrictions(), store_,
                                                  server_name, Botan::Usage_Type::TLS_SERVER_AUTH);
    require(result.successful_validation(), "Botan refuses the chain");
  }

private:
  Botan::Certificate_Store_In_Memory store_;
};

#if defined(BENCH_HAS_OPENSSL)
struct FreeOpenssl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using X509Ptr = std::unique_ptr<X509, FreeOpenssl>;

class OpensslVerifier final : public Verifier {
public:
  explicit OpensslVerifier(const Chain& chain) : store_(X509_STORE_new()) {
    require(store_ && X509_STORE_add_cert(store_.get(), parse(chain.root).get()) == 1, "OpenSSL: no store");
  }
  void verify(const std::vector<Der>& sent) override {
    std::vector<X509Ptr> certificates;
    const std::unique_ptr<STACK_OF(X509), FreeOpenssl> others(sk_X509_new_null());
    for (const Der& der : sent) {
      certificates.push_back(parse(der));
      require(certificates.size() == 1 || sk_X509_push(others.get(), certificates.back().get()) > 0, "no memory");
    }
    const std::unique_ptr<X509_STORE_CTX, FreeOpenssl> context(X509_STORE_CTX_new());
    require(context && X509_STORE_CTX_init(context.get(), store_.get(), certificates[0].get(), others.get()) == 1 &&
                X509_STORE_CTX_set_default(context.get(), "ssl_server") == 1 &&
                X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context.get()), server_name, 0) == 1,
            "OpenSSL: no verification");
    require(X509_verify_cert(context.get()) == 1, "OpenSSL refuses the chain");
  }

private:
  static X509Ptr parse(const Der& der) {
    const unsigned char* at = der.data();
    X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    require(certificate != nullptr, "OpenSSL cannot read a certificate");
    return certificate;
  }
  std::unique_ptr<X509_STORE, FreeOpenssl> store_;
};
#endif

#if defined(BENCH_HAS_GNUTLS)
class GnutlsVerifier final : public Verifier {
public:
  explicit GnutlsVerifier(const Chain& chain) {
    require(gnutls_x509_trust_list_init(&list_, 0) == GNUTLS_E_SUCCESS, "GnuTLS: no list");
    gnutls_x509_crt_t root = parse(chain.root);
    require(gnutls_x509_trust_list_add_cas(list_, &root, 1, 0) == 1, "GnuTLS: no root"); // which it keeps
  }
  GnutlsVerifier(const GnutlsVerifier&) = delete;
  GnutlsVerifier& operator=(const GnutlsVerifier&) = delete;
  ~GnutlsVerifier() override { gnutls_x509_trust_list_deinit(list_, 1); }
  void verify(const std::vector<Der>& sent) override {
    std::vector<gnutls_x509_crt_t> certificates;
    for (const Der& der : sent)
      certificates.push_back(parse(der));
    std::string host = server_name;
    std::string usage = GNUTLS_KP_TLS_WWW_SERVER;
    std::array<gnutls_typed_vdata_st, 2> data{
        {{GNUTLS_DT_DNS_HOSTNAME, reinterpret_cast<unsigned char*>(host.data()), 0},
         {GNUTLS_DT_KEY_PURPOSE_OID, reinterpret_cast<unsigned char*>(usage.data()), 0}}};
    unsigned status = ~0U;
    const int result =
        gnutls_x509_trust_list_verify_crt2(list_, certificates.data(), static_cast<unsigned>(certificates.size()),
                                           data.data(), static_cast<unsigned>(data.size()), 0, &status, nullptr);
    for (gnutls_x509_crt_t certificate : certificates)
      gnutls_x509_crt_deinit(certificate);
    require(result == GNUTLS_E_SUCCESS && status == 0, "GnuTLS refuses the chain");
  }

private:
  static gnutls_x509_crt_t parse(const Der& der) {
    gnutls_x509_crt_t certificate = nullptr;
    const gnutls_datum_t datum{const_cast<unsigned char*>(der.data()), static_cast<unsigned>(der.size())};
    require(gnutls_x509_crt_init(&certificate) == GNUTLS_E_SUCCESS &&
                gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS,
            "GnuTLS cannot read a certificate");
    return certificate;
  }
  gnutls_x509_trust_list_t list_ = nullptr;
};
#endif

void measure(const Chain& chain, bool ecdsa, const char* kind, const Options& options) {
  const Signatures signatures(chain, ecdsa);
  Tlsconnect each_time(chain, nullptr);
  Tlsconnect remembering(chain, tls::VerifiedChainCache::create());
  const std::vector<tls::Certificate> parsed = Tlsconnect::parse(chain.sent);

  struct Other {
    std::string name;
    std::unique_ptr<Verifier> verifier;
    std::size_t measure = 0;
  };
  std::vector<Other> others;
  others.push_back({"Botan " + Botan::short_version_string(), std::make_unique<BotanVerifier>(chain)});
#if defined(BENCH_HAS_OPENSSL)
  others.push_back({openssl_library().name, std::make_unique<OpensslVerifier>(chain)});
#endif
#if defined(BENCH_HAS_GNUTLS)
  others.push_back({gnutls_library().name, std::make_unique<GnutlsVerifier>(chain)});
#endif

  Rounds rounds;
  const std::size_t bare = rounds.add([&] { return cpu_time([&] { signatures.check(); }); });
  const std::size_t parsing = rounds.add([&] { return cpu_time([&] { (void)Tlsconnect::parse(chain.sent); }); });
  const std::size_t ours = rounds.add([&] { return cpu_time([&] { each_time.judge(parsed); }); });
  const std::size_t again = rounds.add([&] { return cpu_time([&] { remembering.judge(parsed); }); });
  const std::size_t ours_whole = rounds.add([&] { return cpu_time([&] { each_time.verify(chain.sent); }); });
  const std::size_t again_whole = rounds.add([&] { return cpu_time([&] { remembering.verify(chain.sent); }); });
  for (Other& other : others)
    other.measure = rounds.add([&] { return cpu_time([&] { other.verifier->verify(chain.sent); }); });
  rounds.run(options.rounds(400));

  heading(std::string("Verdict on a chain of two under a known root: ") + kind);
  const auto row = [&](const char* what, std::size_t which) {
    std::printf("  %-44s %7.1f us", what, rounds.time(which) / 1e3);
  };
  row("two signature checks, with their keys", bare);
  std::puts("");
  row("the certificates read", parsing);
  std::puts("\nthe certificates have been read");
  row("tlsconnect", ours);
  std::printf("  / signature checks: %s\n", against(rounds.ratio(ours, bare), Aim::at_most, 1.15).c_str());
  row("tlsconnect, verified before", again);
  std::printf("  / signature checks: %.2f\n", rounds.ratio(again, bare));
  std::puts("from their bytes");
  row("tlsconnect", ours_whole);
  std::puts("");
  row("tlsconnect, verified before", again_whole);
  std::puts("");
  for (const Other& other : others) {
    row(other.name.c_str(), other.measure);
    std::printf("  tlsconnect / this: %s; verified before: %.2f\n",
                against(rounds.ratio(ours_whole, other.measure), Aim::below, 1).c_str(),
                rounds.ratio(again_whole, other.measure));
  }
}

} // namespace

bool run_verify(const Options& options) {
  using test::KeyType;
  measure(make_chain(KeyType::p256, KeyType::p256), true, "ECDSA, P-256", options);
  measure(make_chain(KeyType::p384, KeyType::p256), true, "ECDSA, authorities P-384, server P-256", options);
  measure(make_chain(KeyType::rsa2048, KeyType::rsa2048), false, "RSA, 2048 bits", options);
  std::fputs(missing_libraries().c_str(), stdout);
  return true;
}

} // namespace bench
