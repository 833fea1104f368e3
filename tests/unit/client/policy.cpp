// Policies: what they hold, that the defaults are one of them, and that nothing gets past their comparison.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/policy.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tls = tlsconnect;
using tls::CipherSuite;
using tls::NamedGroup;
using tls::Policy;
using tls::ProtocolVersion;
using tls::SignatureScheme;

namespace {

std::vector<Policy> all_policies() {
  namespace policies = tls::policies;
  return {policies::modern_202611(), policies::fips_202205(),  policies::wpa3_enterprise_202304(),
          policies::cnsa1_202603(),  policies::cnsa2_202603(), policies::cnsa2_202611()};
}

template <class T>
std::vector<T> list(std::span<const T> values) {
  return {values.begin(), values.end()};
}

/// What a configuration makes of a policy's list: less what this program's Botan does not have.
std::vector<SignatureScheme> available(std::span<const SignatureScheme> schemes) {
  std::vector<SignatureScheme> left = list(schemes);
  std::erase_if(left, [](SignatureScheme scheme) { return !tls::is_available(scheme); });
  return left;
}

using Versions = std::vector<ProtocolVersion>;
using Suites = std::vector<CipherSuite>;
using Groups = std::vector<NamedGroup>;
using Schemes = std::vector<SignatureScheme>;

const Versions tls13{ProtocolVersion::tls1_3};
const Versions tls13_and_tls12{ProtocolVersion::tls1_3, ProtocolVersion::tls1_2};

void refused(const Policy& policy, const Policy& chosen, const std::string& word) {
  const auto found = tls::widens(policy, chosen);
  REQUIRE(found);
  INFO(*found);
  CHECK(found->find(word) != std::string::npos);
  CHECK(found->find(policy.name) != std::string::npos);
}

} // namespace

TEST_CASE("each policy has what its standard allows, in order") {
  const Policy& fips = tls::policies::fips_202205();
  CHECK(fips.name == "fips-202205");
  CHECK(list(fips.versions) == tls13_and_tls12);
  CHECK(list(fips.cipher_suites) ==
        Suites{CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
               CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256, CipherSuite::ecdhe_rsa_aes_128_gcm_sha256,
               CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384, CipherSuite::ecdhe_rsa_aes_256_gcm_sha384});
  CHECK(list(fips.groups) == Groups{NamedGroup::secp256r1, NamedGroup::secp384r1});
  // PKCS#1 v1.5 signs certificates, and handshakes of TLS 1.2.
  CHECK(list(fips.signature_schemes) == list(fips.certificate_signature_schemes));
  CHECK(list(fips.certificate_signature_schemes) ==
        Schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_secp384r1_sha384,
                SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pss_rsae_sha384,
                SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pkcs1_sha256,
                SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512});
  CHECK(fips.rsa_bits_min == 2048);

  const Policy& wpa3 = tls::policies::wpa3_enterprise_202304();
  CHECK(wpa3.name == "wpa3-enterprise-202304");
  CHECK(list(wpa3.versions) == tls13_and_tls12);
  const Suites aes_256{CipherSuite::aes_256_gcm_sha384, CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384,
                       CipherSuite::ecdhe_rsa_aes_256_gcm_sha384};
  CHECK(list(wpa3.cipher_suites) == aes_256);
  CHECK(list(wpa3.groups) == Groups{NamedGroup::secp384r1});
  CHECK(list(wpa3.signature_schemes) == list(wpa3.certificate_signature_schemes));
  CHECK(list(wpa3.certificate_signature_schemes) ==
        Schemes{SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384,
                SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pkcs1_sha384,
                SignatureScheme::rsa_pkcs1_sha512});
  CHECK(wpa3.rsa_bits_min == 3072);

  const Schemes cnsa_handshake{SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384};
  const Schemes cnsa_certificates{SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384,
                                  SignatureScheme::rsa_pkcs1_sha384};
  const Policy& cnsa1 = tls::policies::cnsa1_202603();
  CHECK(cnsa1.name == "cnsa1-202603");
  CHECK(list(cnsa1.versions) == tls13_and_tls12);
  CHECK(list(cnsa1.cipher_suites) == aes_256);
  CHECK(list(cnsa1.groups) == Groups{NamedGroup::mlkem1024, NamedGroup::secp384r1});
  CHECK(list(cnsa1.signature_schemes) == cnsa_certificates);
  CHECK(list(cnsa1.certificate_signature_schemes) == cnsa_certificates);
  CHECK(cnsa1.rsa_bits_min == 3072);

  const Policy& cnsa2 = tls::policies::cnsa2_202603();
  CHECK(cnsa2.name == "cnsa2-202603");
  CHECK(list(cnsa2.versions) == tls13);
  CHECK(list(cnsa2.cipher_suites) == Suites{CipherSuite::aes_256_gcm_sha384});
  CHECK(list(cnsa2.groups) == Groups{NamedGroup::mlkem1024});
  CHECK(list(cnsa2.signature_schemes) == cnsa_handshake);
  CHECK(list(cnsa2.certificate_signature_schemes) == cnsa_certificates);
  CHECK(cnsa2.rsa_bits_min == 3072);

  // draft-becker-cnsa2-tls-profile: one of each.
  const Policy& cnsa2_in_full = tls::policies::cnsa2_202611();
  CHECK(cnsa2_in_full.name == "cnsa2-202611");
  CHECK(list(cnsa2_in_full.versions) == tls13);
  CHECK(list(cnsa2_in_full.cipher_suites) == Suites{CipherSuite::aes_256_gcm_sha384});
  CHECK(list(cnsa2_in_full.groups) == Groups{NamedGroup::mlkem1024});
  CHECK(list(cnsa2_in_full.signature_schemes) == Schemes{SignatureScheme::mldsa87});
  CHECK(list(cnsa2_in_full.certificate_signature_schemes) == Schemes{SignatureScheme::mldsa87});
}

TEST_CASE("the defaults are a policy") {
  const auto config = tls::ClientConfig::builder().verifier(std::make_shared<tls::DangerousNoVerification>()).build();
  REQUIRE(config);
  const Policy& modern = tls::policies::modern_202611();
  CHECK(modern.name == "modern-202611");
  CHECK(list(modern.versions) == tls13_and_tls12);
  const Suites suites = list((*config)->cipher_suites());
  CHECK(std::equal(suites.begin(), suites.end(), modern.cipher_suites.begin()));
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  CHECK(list(modern.versions) == list((*config)->versions()));
  // The three with a pre-shared key wait for one.
  REQUIRE(modern.cipher_suites.size() == suites.size() + 3);
  CHECK(available(modern.signature_schemes) == list((*config)->signature_schemes()));
#endif
  // The longest signatures come last.
  const Schemes last = list(modern.signature_schemes.last(3));
  CHECK(last == Schemes{SignatureScheme::mldsa44, SignatureScheme::mldsa65, SignatureScheme::mldsa87});
  CHECK(list(modern.groups) == list((*config)->groups()));
  CHECK(available(modern.certificate_signature_schemes) == list((*config)->certificate_signature_schemes()));
  CHECK(modern.rsa_bits_min == tls::PublicKey::shortest_rsa_key);
  // Known, but not offered by default.
  for (const NamedGroup group : {NamedGroup::mlkem512, NamedGroup::mlkem768, NamedGroup::mlkem1024}) {
    CHECK(tls::lengths_of(group));
    CHECK(std::find(modern.groups.begin(), modern.groups.end(), group) == modern.groups.end());
  }
}

TEST_CASE("a configuration can be made of each policy") {
  for (const Policy& policy : all_policies()) {
    INFO(policy.name);
    std::vector<tls::CipherSuite> suites = list(policy.cipher_suites);
    std::vector<tls::SignatureScheme> schemes = available(policy.signature_schemes);
    if (schemes.empty())
      continue;
#if defined(TLSCONNECT_WITHOUT_TLS12)
    std::erase_if(suites, [](tls::CipherSuite suite) { return !tls::parameters_of(suite); });
    std::erase_if(schemes, [](tls::SignatureScheme scheme) { return name_of(scheme).starts_with("rsa_pkcs1"); });
#endif
    const auto config = tls::ClientConfig::builder()
                            .verifier(std::make_shared<tls::DangerousNoVerification>())
                            .cipher_suites(suites)
                            .groups(list(policy.groups))
                            .signature_schemes(schemes)
                            .certificate_signature_schemes(available(policy.certificate_signature_schemes))
                            .build();
    REQUIRE(config);
    CHECK((*config)->groups().size() == policy.groups.size());
    CHECK(!(*config)->key_shares().empty());
  }
}

TEST_CASE("a policy of ML-DSA alone") {
  const auto config = tls::ClientConfig::builder(tls::policies::cnsa2_202611())
                          .verifier(std::make_shared<tls::DangerousNoVerification>())
                          .build();
  if (!tls::is_available(SignatureScheme::mldsa87)) {
    REQUIRE_FALSE(config);
    INFO(config.error().message());
    CHECK(config.error().code() == tls::ErrorCode::configuration_invalid);
    CHECK(config.error().detail().find("mldsa87 is not available") != std::string_view::npos);
    return;
  }
  REQUIRE(config);
  CHECK(list((*config)->versions()) == tls13);
  CHECK(list((*config)->signature_schemes()) == Schemes{SignatureScheme::mldsa87});
  CHECK(list((*config)->certificate_signature_schemes()) == Schemes{SignatureScheme::mldsa87});
  CHECK(list((*config)->key_shares()) == Groups{NamedGroup::mlkem1024});
  // It cannot be widened.
  CHECK_FALSE(tls::ClientConfig::builder(tls::policies::cnsa2_202611())
                  .verifier(std::make_shared<tls::DangerousNoVerification>())
                  .signature_schemes({SignatureScheme::mldsa87, SignatureScheme::mldsa65})
                  .build());
}

TEST_CASE("a policy allows itself and what is narrower") {
  for (const Policy& policy : all_policies()) {
    INFO(policy.name);
    CHECK_FALSE(tls::widens(policy, policy));
    Policy narrower = policy;
    narrower.name = "something else";
    narrower.versions = policy.versions.first(1);
    narrower.cipher_suites = policy.cipher_suites.last(1);
    narrower.groups = policy.groups.last(1);
    narrower.signature_schemes = policy.signature_schemes.last(1);
    narrower.certificate_signature_schemes = policy.certificate_signature_schemes.last(1);
    narrower.rsa_bits_min = 8192;
    CHECK_FALSE(tls::widens(policy, narrower));
    // Which suites there are at all is not for this comparison to say.
    CHECK_FALSE(tls::widens(policy, Policy{.name = "",
                                           .versions = {},
                                           .cipher_suites = {},
                                           .groups = {},
                                           .signature_schemes = {},
                                           .certificate_signature_schemes = {},
                                           .rsa_bits_min = policy.rsa_bits_min}));
  }
  // The same in another order.
  const Policy& fips = tls::policies::fips_202205();
  const Suites turned{CipherSuite::aes_256_gcm_sha384, CipherSuite::aes_128_gcm_sha256};
  Policy other = fips;
  other.cipher_suites = turned;
  CHECK_FALSE(tls::widens(fips, other));
}

TEST_CASE("each list of a policy is held to, and the sentence names what is too much") {
  const Policy& cnsa2 = tls::policies::cnsa2_202603();

  Policy chosen = cnsa2;
  chosen.versions = tls13_and_tls12;
  refused(cnsa2, chosen, "version TLS 1.2");

  chosen = cnsa2;
  const Suites suites{CipherSuite::aes_256_gcm_sha384, CipherSuite::aes_128_gcm_sha256,
                      CipherSuite::chacha20_poly1305_sha256};
  chosen.cipher_suites = suites;
  refused(cnsa2, chosen, "cipher suite TLS_AES_128_GCM_SHA256"); // the first of two

  chosen = cnsa2;
  const Groups groups{NamedGroup::mlkem1024, NamedGroup::secp384r1_mlkem1024};
  chosen.groups = groups;
  refused(cnsa2, chosen, "group SecP384r1MLKEM1024");
  const Groups unnamed{NamedGroup{0xABCD}};
  chosen.groups = unnamed;
  refused(cnsa2, chosen, "group 43981");

  chosen = cnsa2;
  chosen.signature_schemes = cnsa2.certificate_signature_schemes;
  refused(cnsa2, chosen, "the signature scheme rsa_pkcs1_sha384");

  chosen = cnsa2;
  const Schemes schemes{SignatureScheme::ed25519};
  chosen.certificate_signature_schemes = schemes;
  refused(cnsa2, chosen, "certificate signature scheme ed25519");

  chosen = cnsa2;
  chosen.rsa_bits_min = 3071;
  refused(cnsa2, chosen, "3071 bits");

  // Narrowing one thing does not pay for widening another.
  chosen = cnsa2;
  chosen.rsa_bits_min = 4096;
  chosen.groups = groups;
  refused(cnsa2, chosen, "SecP384r1MLKEM1024");
}

TEST_CASE("no policy of a standard allows what the defaults do") {
  for (const Policy& policy : all_policies())
    if (policy.name != tls::policies::modern_202611().name) {
      INFO(policy.name);
      CHECK(tls::widens(policy, tls::policies::modern_202611()));
      for (const CipherSuite suite : policy.cipher_suites) {
        const auto of_tls13 = tls::parameters_of(suite);
        const auto of_tls12 = tls::parameters12_of(suite);
        REQUIRE(of_tls13.has_value() != of_tls12.has_value());
        CHECK((of_tls13 ? of_tls13->aead : of_tls12->aead) != tls::AeadAlgorithm::chacha20_poly1305);
      }
      for (const NamedGroup group : policy.groups)
        CHECK(group != NamedGroup::x25519);
    }
}
