// Credentials: what is none, what options change, and which one a server's request gets.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <tlsconnect/client/credentials.hpp>

#include "deterministic.hpp"
#include "test_pki.hpp"

using test::Blob;
using test::KeyType;
using tlsconnect::Certificate;
using tlsconnect::CertificateAuthorities;
using tlsconnect::CertificateRequestFacts;
using tlsconnect::Credential;
using tlsconnect::ErrorCode;
using tlsconnect::OidFilters;
using tlsconnect::PrivateKey;
using tlsconnect::select_credential;
using tlsconnect::SignatureScheme;
using tlsconnect::Signer;
using tlsconnect::SignLater;
using Schemes = std::vector<SignatureScheme>;
using enum tlsconnect::SignatureScheme;

namespace {

std::vector<Certificate> chain_of(const test::Identity& identity, bool with_root = false) {
  std::vector<Certificate> chain;
  for (const Blob& der : identity.chain_der(with_root))
    chain.push_back(Certificate::from_der(der).value());
  return chain;
}

PrivateKey private_key(const test::Key& key) { return PrivateKey::from_der(key.pkcs8_der()).value(); }
PrivateKey private_key(KeyType type) { return private_key(test::Key::cached(type)); }

Credential credential(const test::Identity& identity) {
  return Credential::create(chain_of(identity), private_key(identity.key())).value();
}

/// A self-signed certificate for a cached key of this type.
test::Identity identity(KeyType type) { return test::self_signed({.key = test::Key::cached(type)}); }
Credential credential(KeyType type) { return credential(identity(type)); }

Schemes schemes_of(const Credential& credential) { return {credential.schemes().begin(), credential.schemes().end()}; }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void check_refused(const tlsconnect::Result<Credential>& result, std::string_view detail,
                   ErrorCode code = ErrorCode::credential_invalid) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == code);
  CAPTURE(result.error().detail());
  CHECK(contains(result.error().detail(), detail));
}

/// Signs with a key, and says that it can do what it is told to say.
class CountingSigner final : public Signer {
public:
  CountingSigner(PrivateKey key, Schemes schemes) : key_(std::move(key)), schemes_(std::move(schemes)) {}
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  [[nodiscard]] tlsconnect::Result<tlsconnect::ByteVector> sign(SignatureScheme scheme, tlsconnect::BytesView content,
                                                                tlsconnect::Rng& rng) const noexcept override {
    ++calls;
    return key_.sign(scheme, content, rng);
  }
  mutable int calls = 0;

private:
  PrivateKey key_;
  Schemes schemes_;
};

/// A file that is gone at the end of the test.
class TemporaryFile {
public:
  explicit TemporaryFile(std::string_view contents) {
    std::string path = "/tmp/tlsconnect_credentials_XXXXXX";
    const int descriptor = ::mkstemp(path.data());
    REQUIRE(descriptor >= 0);
    REQUIRE(::write(descriptor, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size()));
    REQUIRE(::close(descriptor) == 0);
    path_ = path;
  }
  explicit TemporaryFile(const Blob& contents) : TemporaryFile(tlsconnect::as_text(contents)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { (void)std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

std::optional<std::size_t> index_of(const std::vector<Credential>& credentials,
                                    const CertificateRequestFacts& request) {
  const auto choice = select_credential(credentials, request);
  return choice ? std::optional(choice->index) : std::nullopt;
}

const Schemes& all_schemes() {
  static const Schemes schemes = {ecdsa_secp256r1_sha256,
                                  ecdsa_secp384r1_sha384,
                                  ecdsa_secp521r1_sha512,
                                  rsa_pss_rsae_sha256,
                                  rsa_pss_rsae_sha384,
                                  rsa_pss_rsae_sha512,
                                  rsa_pss_pss_sha256,
                                  rsa_pss_pss_sha384,
                                  rsa_pss_pss_sha512,
                                  ed25519,
                                  ed448,
                                  rsa_pkcs1_sha256,
                                  rsa_pkcs1_sha384,
                                  rsa_pkcs1_sha512};
  return schemes;
}

constexpr std::optional<std::size_t> nobody = std::nullopt;

} // namespace

TEST_CASE("a credential of every kind of key", "[credentials]") {
  test::FixedRng rng;
  for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::p521, KeyType::rsa2048, KeyType::rsa_pss2048,
                             KeyType::rsa_pss2048_sha256, KeyType::ed25519, KeyType::ed448, KeyType::mldsa44,
                             KeyType::mldsa65, KeyType::mldsa87}) {
    if (!test::is_available(type))
      continue;
    const test::Identity who = identity(type);
    const Credential one = credential(who);
    const PrivateKey key = private_key(who.key());
    CAPTURE(key.public_key().description());
    REQUIRE(one.chain().size() == 1);
    CHECK(tlsconnect::equal(one.chain()[0].der(), who.der()));
    CHECK(tlsconnect::equal(one.public_key().spki(), who.key().public_der()));
    CHECK(schemes_of(one) == Schemes(key.schemes().begin(), key.schemes().end()));
    CHECK_FALSE(one.is_raw_public_key());
    CHECK_FALSE(one.requires_issuer());
    CHECK(one.ocsp_response().empty());
    CHECK(one.sct_list().empty());
    CHECK_FALSE(one.signer().signs_later());
    const Blob content(130, 0x20);
    const auto signature = one.signer().sign(one.schemes().front(), content, rng);
    REQUIRE(signature.has_value());
    CHECK(one.public_key().verify(one.schemes().front(), content, *signature).has_value());
  }
}

TEST_CASE("the key must be that of the first certificate", "[credentials]") {
  const auto root = test::self_signed({.common_name = "Root", .ca = true});
  const auto ca = root.issue({.common_name = "CA", .ca = true});
  const auto leaf = ca.issue({.common_name = "leaf"});
  REQUIRE(Credential::create(chain_of(leaf), private_key(leaf.key())).has_value());
  check_refused(Credential::create({}, private_key(leaf.key())), "the chain is empty");
  check_refused(Credential::create(chain_of(leaf), private_key(KeyType::p384)), "does not belong to the certificate");
  check_refused(Credential::create(chain_of(leaf), private_key(ca.key())), "certificate 2 of the chain");
  check_refused(Credential::create({}, std::make_shared<SignLater>(all_schemes())), "the chain is empty");
  check_refused(Credential::create(chain_of(leaf), std::shared_ptr<const Signer>()), "no signer");
}

TEST_CASE("a certificate with parameters of RSASSA-PSS narrows what its key signs with", "[credentials]") {
  const auto narrow = identity(KeyType::rsa_pss2048_sha256);
  CHECK(schemes_of(Credential::create(chain_of(narrow), private_key(KeyType::rsa_pss2048)).value()) ==
        Schemes{rsa_pss_pss_sha256});
  const auto wide = identity(KeyType::rsa_pss2048);
  CHECK(schemes_of(Credential::create(chain_of(wide), private_key(KeyType::rsa_pss2048_sha256)).value()) ==
        Schemes{rsa_pss_pss_sha256});
  // rsaEncryption is another algorithm, even with the same numbers.
  check_refused(Credential::create(chain_of(wide), private_key(KeyType::rsa2048)), "does not belong");
}

TEST_CASE("a certificate that may not sign is no credential", "[credentials]") {
  const auto with_usage = [](std::uint32_t usage) {
    const auto who = test::self_signed({.key = test::Key::cached(KeyType::p256), .key_usage = usage});
    return Credential::create(chain_of(who), private_key(who.key()));
  };
  CHECK(with_usage(0).has_value()); // no such extension
  CHECK(with_usage(test::digital_signature).has_value());
  CHECK(with_usage(test::digital_signature | test::key_encipherment).has_value());
  check_refused(with_usage(test::key_encipherment), "digitalSignature");
  check_refused(with_usage(test::key_agreement), "digitalSignature");
}

TEST_CASE("a key that lives elsewhere", "[credentials]") {
  const auto who = identity(KeyType::rsa2048);
  const auto signer = std::make_shared<CountingSigner>(
      private_key(who.key()), Schemes{rsa_pss_pss_sha256, rsa_pss_rsae_sha384, ed25519, rsa_pss_rsae_sha256});
  const Credential one = Credential::create(chain_of(who), signer).value();
  // In the signer's order, without what does not go with the certificate.
  CHECK(schemes_of(one) == Schemes{rsa_pss_rsae_sha384, rsa_pss_rsae_sha256});
  CHECK(&one.signer() == signer.get());
  test::FixedRng rng;
  CHECK(one.signer().sign(rsa_pss_rsae_sha384, Blob(3, 3), rng).has_value());
  CHECK(signer->calls == 1);
  // RFC 9846, 4.2.3: in TLS 1.2 ECDSA with any hash goes with any curve; the curve's own goes first.
  const Schemes any_curve = {ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ed25519};
  CHECK(schemes_of(
            Credential::create(chain_of(identity(KeyType::p384)), std::make_shared<SignLater>(any_curve)).value()) ==
        Schemes{ecdsa_secp384r1_sha384, ecdsa_secp256r1_sha256});
  check_refused(Credential::create(chain_of(who), std::make_shared<SignLater>(Schemes{ed25519})), "no scheme");
  check_refused(Credential::create(chain_of(who), std::make_shared<SignLater>(Schemes{})), "no scheme");

  const SignLater later({rsa_pss_rsae_sha256});
  CHECK(later.signs_later());
  CHECK(later.schemes().size() == 1);
  const auto signature = later.sign(rsa_pss_rsae_sha256, Blob(3, 3), rng);
  REQUIRE_FALSE(signature.has_value());
  CHECK(signature.error().code() == ErrorCode::signing_failed);
}

TEST_CASE("raw public keys", "[credentials]") {
  const PrivateKey key = private_key(KeyType::ed25519);
  const Credential one = Credential::raw_public_key(key).value();
  CHECK(one.is_raw_public_key());
  CHECK(one.chain().empty());
  CHECK(tlsconnect::equal(one.public_key().spki(), key.public_key().spki()));
  CHECK(schemes_of(one) == Schemes{ed25519});
  test::FixedRng rng;
  CHECK(key.public_key().verify(ed25519, Blob(3, 3), one.signer().sign(ed25519, Blob(3, 3), rng).value()));

  const auto later = std::make_shared<SignLater>(Schemes{ed448, ed25519});
  CHECK(schemes_of(Credential::raw_public_key(key.public_key(), later).value()) == Schemes{ed25519});
  check_refused(Credential::raw_public_key(key.public_key(), std::make_shared<SignLater>(Schemes{ed448})), "no scheme");
  check_refused(Credential::raw_public_key(key.public_key(), nullptr), "no signer");
}

TEST_CASE("options make another credential and leave the first as it was", "[credentials]") {
  const Credential plain = credential(KeyType::rsa2048);
  const Credential changed = plain.with_ocsp_response({1, 2}).with_sct_list({3}).with_required_issuer(true);
  CHECK(tlsconnect::equal(changed.ocsp_response(), Blob{1, 2}));
  CHECK(tlsconnect::equal(changed.sct_list(), Blob{3}));
  CHECK(changed.requires_issuer());
  CHECK(tlsconnect::equal(changed.public_key().spki(), plain.public_key().spki()));
  CHECK(changed.chain().size() == 1);
  CHECK(schemes_of(changed) == schemes_of(plain));
  CHECK_FALSE(changed.with_required_issuer(false).requires_issuer());
  CHECK(plain.ocsp_response().empty());
  CHECK(plain.sct_list().empty());
  CHECK_FALSE(plain.requires_issuer());

  const Credential ordered =
      plain.with_signature_schemes(Schemes{rsa_pss_rsae_sha512, ed25519, rsa_pss_rsae_sha256}).value();
  CHECK(schemes_of(ordered) == Schemes{rsa_pss_rsae_sha512, rsa_pss_rsae_sha256});
  // What is out stays out.
  CHECK(schemes_of(ordered.with_signature_schemes(all_schemes()).value()) ==
        Schemes{rsa_pss_rsae_sha256, rsa_pss_rsae_sha512});
  check_refused(ordered.with_signature_schemes(Schemes{rsa_pss_rsae_sha384}), "none of the signature schemes");
  check_refused(plain.with_signature_schemes({}), "none of the signature schemes");
}

TEST_CASE("from PEM", "[credentials]") {
  const auto root = test::self_signed({.common_name = "Root", .ca = true});
  const auto leaf = root.issue({.common_name = "CA", .ca = true}).issue({.common_name = "leaf"});
  const auto check = [&](const tlsconnect::Result<Credential>& made, std::size_t length) {
    REQUIRE(made.has_value());
    REQUIRE(made->chain().size() == length);
    CHECK(tlsconnect::equal(made->chain()[0].der(), leaf.der()));
  };
  check(Credential::from_pem(leaf.chain_pem(), leaf.key_pem()), 2);
  check(Credential::from_pem(leaf.chain_pem(true), leaf.key_pem()), 3);
  const std::string both = leaf.key_pem() + leaf.chain_pem();
  check(Credential::from_pem(both, both), 2);

  check_refused(Credential::from_pem("", leaf.key_pem()), "no certificate");
  check_refused(Credential::from_pem(leaf.key_pem(), leaf.key_pem()), "no certificate");
  check_refused(Credential::from_pem(test::pem_block("CERTIFICATE", {0x30, 0x00}), leaf.key_pem()), "certificate 1");
  check_refused(Credential::from_pem(leaf.chain_pem(), leaf.chain_pem()), "no private key",
                ErrorCode::private_key_unreadable);
  check_refused(Credential::from_pem(leaf.chain_pem(), root.key_pem()), "does not belong");
}

TEST_CASE("from files", "[credentials]") {
  const auto leaf = test::self_signed({.common_name = "Root", .ca = true}).issue({.common_name = "leaf"});
  const TemporaryFile chain(leaf.chain_pem());
  const TemporaryFile key(leaf.key_pem());
  const TemporaryFile both(leaf.chain_pem() + leaf.key_pem());
  const TemporaryFile certificate_der(leaf.der());
  const TemporaryFile key_der(leaf.key_der());
  const TemporaryFile rubbish("rubbish");
  const TemporaryFile large(std::string(1024 * 1024 + 1, ' '));
  CHECK(Credential::from_files(chain.path(), key.path()).has_value());
  CHECK(Credential::from_files(both.path(), both.path()).has_value());
  CHECK(Credential::from_files(certificate_der.path(), key_der.path()).has_value());
  CHECK(Credential::from_files(chain.path(), key_der.path()).has_value());

  constexpr ErrorCode unreadable = ErrorCode::private_key_unreadable;
  check_refused(Credential::from_files("/nonexistent/chain.pem", key.path()), "/nonexistent/chain.pem: No such file");
  check_refused(Credential::from_files(chain.path(), "/nonexistent/key.pem"), "/nonexistent/key.pem: No such file",
                unreadable);
  check_refused(Credential::from_files("/tmp", key.path()), "/tmp: Is a directory");
  check_refused(Credential::from_files(chain.path(), "/tmp"), "/tmp: Is a directory", unreadable);
  check_refused(Credential::from_files(large.path(), key.path()), large.path() + ": larger than 1 MiB");
  check_refused(Credential::from_files(chain.path(), large.path()), "larger than 1 MiB", unreadable);
  check_refused(Credential::from_files(rubbish.path(), key.path()), rubbish.path());
  check_refused(Credential::from_files(chain.path(), rubbish.path()), rubbish.path(), unreadable);
  check_refused(Credential::from_files(key.path(), key.path()), key.path() + ": there is no certificate");
  check_refused(Credential::from_files(chain.path(), chain.path()), chain.path() + ": there is no private key",
                unreadable);
}

TEST_CASE("a credential is chosen by its schemes", "[credentials]") {
  const std::vector<Credential> all = {credential(KeyType::ed25519), credential(KeyType::rsa2048),
                                       credential(KeyType::p256)};
  const auto choose = [&](const Schemes& schemes) { return select_credential(all, {.schemes = schemes}); };
  // The caller's order decides, not the server's.
  CHECK(choose(all_schemes()).value().index == 0);
  CHECK(choose({ecdsa_secp256r1_sha256, rsa_pss_rsae_sha512, rsa_pss_rsae_sha256}).value().index == 1);
  CHECK(choose({ecdsa_secp256r1_sha256, rsa_pss_rsae_sha512, rsa_pss_rsae_sha256}).value().scheme ==
        rsa_pss_rsae_sha256);
  CHECK(choose({ecdsa_secp256r1_sha256, rsa_pss_rsae_sha512}).value().scheme == rsa_pss_rsae_sha512);
  CHECK(choose({ecdsa_secp256r1_sha256}).value().index == 2);
  CHECK(choose({ecdsa_secp256r1_sha256}).value().scheme == ecdsa_secp256r1_sha256);
  CHECK_FALSE(choose({ecdsa_secp384r1_sha384, rsa_pss_pss_sha256, ed448}).has_value());
  CHECK_FALSE(choose({}).has_value());
  CHECK_FALSE(select_credential({}, {.schemes = all_schemes()}).has_value());
}

TEST_CASE("TLS 1.3 is not signed with RSASSA-PKCS1-v1_5", "[credentials]") {
  const std::vector<Credential> all = {
      credential(KeyType::rsa2048).with_signature_schemes(Schemes{rsa_pkcs1_sha256, rsa_pss_rsae_sha384}).value()};
  const Schemes old = {rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, rsa_pkcs1_sha1};
  CHECK_FALSE(select_credential(all, {.schemes = old}).has_value());
  const Schemes both = {rsa_pkcs1_sha256, rsa_pss_rsae_sha384};
  CHECK(select_credential(all, {.schemes = both}).value().scheme == rsa_pss_rsae_sha384);
}

TEST_CASE("TLS 1.3 binds ECDSA with a hash to one curve, TLS 1.2 does not", "[credentials]") {
  const std::vector<Credential> all = {credential(KeyType::p256)};
  const Blob ecdsa_sign = {64};
  for (const SignatureScheme scheme : {ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512}) {
    const Schemes asked = {ed25519, scheme};
    CAPTURE(name_of(scheme));
    CHECK(select_credential(all, {.schemes = asked}).has_value() == (scheme == ecdsa_secp256r1_sha256));
    CHECK(select_credential(all, {.schemes = asked, .certificate_types = ecdsa_sign}).value().scheme == scheme);
  }
  // Where the server leaves the choice, the curve's own hash.
  const Schemes both = {ecdsa_secp521r1_sha512, ecdsa_secp256r1_sha256};
  CHECK(select_credential(all, {.schemes = both, .certificate_types = ecdsa_sign}).value().scheme ==
        ecdsa_secp256r1_sha256);
}

TEST_CASE("TLS 1.2 is not signed with ML-DSA", "[credentials]") {
  if (!test::is_available(KeyType::mldsa65))
    SKIP("this program's Botan has no ML-DSA");
  const std::vector<Credential> all = {credential(KeyType::mldsa65), credential(KeyType::p256)};
  const Schemes both = {mldsa65, ecdsa_secp256r1_sha256};
  CHECK(select_credential(all, {.schemes = both}).value().scheme == mldsa65);
  // RFC 5246, 7.4.4: no type of certificate is one of ML-DSA.
  tlsconnect::ByteVector types;
  for (unsigned type = 0; type < 256; ++type)
    types.push_back(static_cast<std::uint8_t>(type));
  CHECK(select_credential(all, {.schemes = both, .certificate_types = types}).value().index == 1);
  CHECK_FALSE(select_credential(std::span(all).first(1), {.schemes = both, .certificate_types = types}).has_value());
}

TEST_CASE("the credential's order of schemes is followed", "[credentials]") {
  const std::vector<Credential> all = {
      credential(KeyType::rsa2048).with_signature_schemes(Schemes{rsa_pss_rsae_sha512, rsa_pss_rsae_sha256}).value()};
  CHECK(select_credential(all, {.schemes = all_schemes()}).value().scheme == rsa_pss_rsae_sha512);
}

TEST_CASE("what is sent is of the type that was negotiated", "[credentials]") {
  const std::vector<Credential> all = {credential(KeyType::p256),
                                       Credential::raw_public_key(private_key(KeyType::p256)).value()};
  CHECK(index_of(all, {.schemes = all_schemes()}) == 0);
  CHECK(index_of(all, {.schemes = all_schemes(), .raw_public_key = true}) == 1);
  const std::vector<Credential> certificates = {all[0]};
  const std::vector<Credential> keys = {all[1]};
  CHECK(index_of(certificates, {.schemes = all_schemes(), .raw_public_key = true}) == nobody);
  CHECK(index_of(keys, {.schemes = all_schemes()}) == nobody);
  // Filters and authorities are about certificates.
  const Blob usage = {0x06, 0x03, 0x55, 0x1D, 0x0F};
  const std::vector<OidFilters::Filter> filters = {{usage, {}}};
  const Blob name = {0x30, 0x00};
  const std::vector<CertificateAuthorities::Authority> authorities = {{name}};
  CHECK(index_of(keys,
                 {.schemes = all_schemes(), .authorities = authorities, .filters = filters, .raw_public_key = true}) ==
        0);
}

TEST_CASE("authorities are a preference, unless the credential says otherwise", "[credentials]") {
  const auto root_a = test::self_signed({.common_name = "Root A", .ca = true});
  const auto ca_a = root_a.issue({.common_name = "CA A", .ca = true});
  const auto root_b = test::self_signed({.common_name = "Root B", .ca = true});
  const auto name_of = [](const test::Identity& who) { return Certificate::from_der(who.der()).value().subject_der(); };
  const Blob names[] = {name_of(root_a), name_of(ca_a), name_of(root_b), {0x30, 0x00}};
  const CertificateAuthorities::Authority of_root_a{names[0]};
  const CertificateAuthorities::Authority of_ca_a{names[1]};
  const CertificateAuthorities::Authority of_root_b{names[2]};
  const CertificateAuthorities::Authority unknown{names[3]};
  using List = std::vector<CertificateAuthorities::Authority>;
  const auto index = [](const std::vector<Credential>& credentials, const List& list) {
    return index_of(credentials, {.schemes = all_schemes(), .authorities = list});
  };

  const Credential under_a = credential(ca_a.issue({.common_name = "one"}));
  const Credential under_b = credential(root_b.issue({.common_name = "two"}));
  const std::vector<Credential> all = {under_a, under_b};
  CHECK(index(all, {}) == 0);
  CHECK(index(all, {of_root_b}) == 1);
  CHECK(index(all, {of_ca_a}) == 0);   // the leaf's issuer
  CHECK(index(all, {of_root_a}) == 0); // the issuer of what issued the leaf
  CHECK(index({under_b, under_a}, {of_root_a}) == 1);
  CHECK(index(all, {of_root_b, of_root_a}) == 0); // the caller's order, not the list's
  CHECK(index(all, {unknown}) == 0);

  const std::vector<Credential> strict = {under_a.with_required_issuer(true), under_b.with_required_issuer(true)};
  CHECK(index(strict, {of_root_b}) == 1);
  CHECK(index(strict, {of_root_a}) == 0);
  CHECK(index(strict, {unknown}) == nobody);
  CHECK(index(strict, {}) == nobody);
  CHECK(index({strict[0], under_b}, {unknown}) == 1);
  CHECK(index({strict[0], under_b}, {}) == 1);

  // The preference does not override what must be.
  const Schemes rsa_only = {rsa_pss_rsae_sha256};
  const List list = {of_root_b};
  const std::vector<Credential> mixed = {credential(KeyType::rsa2048), under_b};
  CHECK(index_of(mixed, {.schemes = rsa_only, .authorities = list}) == 0);
}

TEST_CASE("the certificate has what the server's filters ask for", "[credentials]") {
  const Blob key_usage_oid = {0x06, 0x03, 0x55, 0x1D, 0x0F};
  const Blob purposes_oid = {0x06, 0x03, 0x55, 0x1D, 0x25};
  const Blob unknown_oid = {0x06, 0x03, 0x55, 0x1D, 0x63};
  const Blob client_auth = {0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
  const Blob server_auth = {0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
  const Blob email = {0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04};
  const auto sequence = [](std::initializer_list<Blob> items) {
    Blob out = {0x30, 0x00};
    for (const Blob& item : items)
      out.insert(out.end(), item.begin(), item.end());
    out[1] = static_cast<std::uint8_t>(out.size() - 2);
    return out;
  };
  const auto made = [](std::uint32_t usage, std::vector<std::string> purposes) {
    return credential(test::self_signed(
        {.key = test::Key::cached(KeyType::p256), .key_usage = usage, .extended_key_usage = std::move(purposes)}));
  };
  const auto fits = [](const Credential& one, const Blob& oid, const Blob& values) {
    const std::vector<OidFilters::Filter> filters = {{oid, values}};
    const std::vector<Credential> all = {one};
    return index_of(all, {.schemes = all_schemes(), .filters = filters}).has_value();
  };
  // digitalSignature is bit 0, keyEncipherment bit 2, keyAgreement bit 4.
  const Credential usual = made(test::digital_signature | test::key_agreement, {"PKIX.ClientAuth", "PKIX.ServerAuth"});

  SECTION("key usage") {
    CHECK(fits(usual, key_usage_oid, {0x03, 0x02, 0x07, 0x80}));
    CHECK(fits(usual, key_usage_oid, {0x03, 0x02, 0x03, 0x88}));
    CHECK(fits(usual, key_usage_oid, {0x03, 0x02, 0x03, 0x08}));
    CHECK_FALSE(fits(usual, key_usage_oid, {0x03, 0x02, 0x05, 0x20}));
    CHECK_FALSE(fits(usual, key_usage_oid, {0x03, 0x02, 0x05, 0xA0}));
    CHECK_FALSE(fits(usual, key_usage_oid, {0x03, 0x03, 0x07, 0x80, 0x80})); // decipherOnly, in the second byte
    CHECK(fits(usual, key_usage_oid, {0x03, 0x01, 0x00}));                   // no bit
    CHECK(fits(usual, key_usage_oid, {}));                                   // only the extension
  }
  SECTION("extended key usage") {
    CHECK(fits(usual, purposes_oid, sequence({client_auth})));
    CHECK(fits(usual, purposes_oid, sequence({server_auth, client_auth})));
    CHECK_FALSE(fits(usual, purposes_oid, sequence({email})));
    CHECK_FALSE(fits(usual, purposes_oid, sequence({client_auth, email})));
    CHECK(fits(usual, purposes_oid, sequence({})));
    CHECK(fits(usual, purposes_oid, {}));
  }
  SECTION("an extension that the certificate does not have") {
    const Credential bare = made(0, {});
    CHECK_FALSE(fits(bare, key_usage_oid, {0x03, 0x02, 0x07, 0x80}));
    CHECK_FALSE(fits(bare, key_usage_oid, {}));
    CHECK_FALSE(fits(bare, purposes_oid, sequence({client_auth})));
    CHECK_FALSE(fits(bare, purposes_oid, {}));
  }
  SECTION("what is not known is skipped") {
    CHECK(fits(usual, unknown_oid, {0x05, 0x00}));
    CHECK(fits(usual, {0xFF}, {0xFF}));
    const std::vector<OidFilters::Filter> filters = {{unknown_oid, {}}, {key_usage_oid, {}}, {purposes_oid, {}}};
    const std::vector<Credential> all = {made(test::digital_signature, {}), usual};
    CHECK(index_of(all, {.schemes = all_schemes(), .filters = filters}) == 1);
  }
  SECTION("values that are not what they should be match nothing") {
    for (const Blob& values : std::initializer_list<Blob>{{0x03, 0x02, 0x07},             // cut off
                                                          {0x03, 0x00},                   // no count
                                                          {0x03, 0x02, 0x08, 0x80},       // a count above 7
                                                          {0x03, 0x01, 0x01},             // unused bits of nothing
                                                          {0x04, 0x02, 0x07, 0x80},       // an OCTET STRING
                                                          {0x03, 0x02, 0x07, 0x80, 0x00}, // something behind it
                                                          {0x03, 0x81, 0x02, 0x07, 0x80}})
      CHECK_FALSE(fits(usual, key_usage_oid, values));
    Blob cut = sequence({client_auth});
    cut.pop_back();
    CHECK_FALSE(fits(usual, purposes_oid, cut));
    Blob longer = sequence({client_auth});
    longer.push_back(0);
    CHECK_FALSE(fits(usual, purposes_oid, longer));
    CHECK_FALSE(fits(usual, purposes_oid, client_auth));
    CHECK_FALSE(fits(usual, purposes_oid, sequence({{0x05, 0x00}})));
    CHECK_FALSE(fits(usual, purposes_oid, sequence({client_auth, {0x06}})));
  }
}
