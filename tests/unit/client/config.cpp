// ClientConfig: its defaults, what it derives, and what it refuses.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/client/config.hpp>

#include "test_pki.hpp"

namespace tls = tlsconnect;
using Group = tls::NamedGroup;
using Groups = std::vector<tls::NamedGroup>;
using Versions = std::vector<tls::ProtocolVersion>;

namespace {

tls::ClientConfig::Builder trusting() {
  return tls::ClientConfig::builder().verifier(std::make_shared<tls::DangerousNoVerification>());
}

tls::ConfigPtr good(const tls::ClientConfig::Builder& builder) {
  auto config = builder.build();
  INFO((config ? std::string() : config.error().message()));
  REQUIRE(config);
  return *config;
}

void refused(const tls::ClientConfig::Builder& builder, tls::ErrorCode code, const std::string& word) {
  const auto config = builder.build();
  REQUIRE_FALSE(config);
  CHECK(config.error().code() == code);
  INFO(config.error().message());
  CHECK(config.error().message().find(word) != std::string::npos);
  // Nothing was sent, so there is nobody to tell.
  CHECK_FALSE(config.error().alert_sent());
}

template <class T>
std::vector<T> list(std::span<const T> values) {
  return {values.begin(), values.end()};
}

} // namespace

TEST_CASE("a configuration without trust is refused") {
  refused(tls::ClientConfig::builder(), tls::ErrorCode::no_trust_anchors, "trust anchor");
  refused(tls::ClientConfig::builder().trust(tls::TrustAnchors()), tls::ErrorCode::no_trust_anchors, "trust anchor");
  refused(trusting().verifier(nullptr), tls::ErrorCode::no_trust_anchors, "trust anchor");

  const auto root = test::self_signed({.common_name = "Root", .ca = true});
  auto anchors = tls::TrustAnchors::from_pem(root.pem());
  REQUIRE(anchors);
  CHECK(tls::ClientConfig::builder().trust(*anchors).build());
}

TEST_CASE("a system store that cannot be loaded is an error of the configuration") {
  // This process is the test's own; its environment says nothing of folders then.
  REQUIRE(::unsetenv("SSL_CERT_DIR") == 0);
  REQUIRE(::setenv("SSL_CERT_FILE", "/nonexistent/bundle.pem", 1) == 0);
  refused(tls::ClientConfig::builder().trust_system(), tls::ErrorCode::trust_anchor_unreadable, "bundle.pem");
  REQUIRE(::unsetenv("SSL_CERT_FILE") == 0);
}

TEST_CASE("the last word on trust counts") {
  const auto root = test::self_signed({.common_name = "Root", .ca = true});
  const auto anchors = tls::TrustAnchors::from_pem(root.pem());
  REQUIRE(anchors);
  const auto verifier = std::make_shared<tls::DangerousNoVerification>();
  CHECK(good(tls::ClientConfig::builder().trust(*anchors).verifier(verifier))->verifier() == verifier.get());
  CHECK(good(tls::ClientConfig::builder().verifier(verifier).trust(*anchors))->verifier() != verifier.get());
}

TEST_CASE("the defaults: a hybrid and an elliptic curve with shares, nothing weak") {
  const auto config = good(trusting());
  CHECK(list(config->groups()) ==
        Groups{Group::x25519_mlkem768, Group::x25519, Group::secp256r1, Group::secp384r1, Group::secp521r1});
  CHECK(list(config->key_shares()) == Groups{Group::x25519_mlkem768, Group::x25519});
  CHECK(config->require_extended_main_secret());
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  CHECK(list(config->versions()) == Versions{tls::ProtocolVersion::tls1_3, tls::ProtocolVersion::tls1_2});
  // Three of TLS 1.3, and those of TLS 1.2 with ECDHE and certificates.
  CHECK(config->cipher_suites().size() == 9);
  CHECK(list(config->certificate_signature_schemes()) == list(config->signature_schemes()));
#endif
  CHECK(config->compatibility_mode());
  CHECK(config->alpn().empty());
  // RFC 9846, 4.2.3: without TLS 1.2, PKCS#1 v1.5 is for certificates only.
  const auto newest = good(trusting().versions({tls::ProtocolVersion::tls1_3}));
  for (const tls::SignatureScheme scheme : newest->signature_schemes())
    CHECK((scheme != tls::SignatureScheme::rsa_pkcs1_sha256 && scheme != tls::SignatureScheme::rsa_pkcs1_sha384 &&
           scheme != tls::SignatureScheme::rsa_pkcs1_sha512));
  CHECK(newest->certificate_signature_schemes().size() == newest->signature_schemes().size() + 3);
}

TEST_CASE("ML-DSA is of TLS 1.3, and of a Botan that has it") {
  using tls::ErrorCode;
  using enum tls::SignatureScheme;
  using enum tls::ProtocolVersion;
  using Schemes = std::vector<tls::SignatureScheme>;
  const auto count = [](std::span<const tls::SignatureScheme> schemes) {
    return std::count_if(schemes.begin(), schemes.end(), tls::is_ml_dsa);
  };
  const auto newest = good(trusting().versions({tls1_3}));
  if (!tls::is_available(mldsa44)) {
    // What a policy lists is left out, what the program lists is missed.
    CHECK(count(newest->signature_schemes()) == 0);
    CHECK(count(newest->certificate_signature_schemes()) == 0);
    for (const tls::SignatureScheme scheme : {mldsa44, mldsa65, mldsa87}) {
      refused(trusting().signature_schemes({ed25519, scheme}), ErrorCode::configuration_invalid, "without the module");
      refused(trusting().certificate_signature_schemes({ed25519, scheme}), ErrorCode::configuration_invalid,
              "without the module");
    }
    return;
  }
  CHECK(count(newest->signature_schemes()) == 3);
  CHECK(count(newest->certificate_signature_schemes()) == 3);
  CHECK(list(good(trusting().versions({tls1_3}).signature_schemes({mldsa87}))->signature_schemes()) ==
        Schemes{mldsa87});
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  CHECK(count(good(trusting())->signature_schemes()) == 3);
  CHECK(list(good(trusting().signature_schemes({mldsa65}))->versions()) == Versions{tls1_3});
  // draft-ietf-tls-mldsa, "TLS 1.2": it does not stand in what is offered for that version alone.
  const auto older = good(trusting().versions({tls1_2}));
  CHECK(count(older->signature_schemes()) == 0);
  CHECK(count(older->certificate_signature_schemes()) == 0);
  CHECK(!older->signature_schemes().empty());
  refused(trusting().versions({tls1_2}).signature_schemes({ed25519, mldsa65}), ErrorCode::configuration_invalid,
          "mldsa65 cannot sign a handshake of TLS 1.2");
  refused(trusting().versions({tls1_2}).certificate_signature_schemes({ed25519, mldsa65}),
          ErrorCode::configuration_invalid, "mldsa65 is not accepted in certificates of TLS 1.2");
#endif
}

TEST_CASE("three policies for hybrids") {
  CHECK(list(good(trusting().hybrid(tls::HybridPolicy::offer_only))->key_shares()) == Groups{Group::x25519});
  CHECK(list(good(trusting().hybrid(tls::HybridPolicy::offer_only))->groups()).front() == Group::x25519_mlkem768);
  const auto off = good(trusting().hybrid(tls::HybridPolicy::off));
  CHECK(list(off->groups()) == Groups{Group::x25519, Group::secp256r1, Group::secp384r1, Group::secp521r1});
  CHECK(list(off->key_shares()) == Groups{Group::x25519});

  // The first hybrid and the first curve of the caller's own list.
  const Groups own{Group::secp384r1, Group::secp384r1_mlkem1024, Group::secp256r1_mlkem768, Group::secp256r1};
  CHECK(list(good(trusting().groups(own))->key_shares()) == Groups{Group::secp384r1, Group::secp384r1_mlkem1024});
}

TEST_CASE("post-quantum can be required") {
  const auto config = good(trusting().require_post_quantum(true));
  CHECK(list(config->groups()) == Groups{Group::x25519_mlkem768});
  CHECK(list(config->key_shares()) == Groups{Group::x25519_mlkem768});
  const auto asked_for = good(trusting().require_post_quantum(true).hybrid(tls::HybridPolicy::offer_only));
  CHECK(list(asked_for->groups()) == Groups{Group::x25519_mlkem768});
  CHECK(asked_for->key_shares().empty());
  refused(trusting().require_post_quantum(true).hybrid(tls::HybridPolicy::off), tls::ErrorCode::configuration_invalid,
          "post-quantum");
  refused(trusting().require_post_quantum(true).groups({Group::x25519}), tls::ErrorCode::configuration_invalid,
          "no group");
}

TEST_CASE("key shares are a part of the groups, in their order") {
  CHECK(list(good(trusting().key_shares({Group::secp256r1}))->key_shares()) == Groups{Group::secp256r1});
  CHECK(good(trusting().key_shares({}))->key_shares().empty());
  refused(trusting().key_shares({Group::secp256r1, Group::x25519}), tls::ErrorCode::configuration_invalid, "order");
  refused(trusting().key_shares({Group::secp256r1_mlkem768}), tls::ErrorCode::configuration_invalid,
          "SecP256r1MLKEM768");
  refused(trusting().key_shares({Group::x25519, Group::x25519}), tls::ErrorCode::configuration_invalid, "twice");
}

TEST_CASE("lists are neither empty, nor repetitive, nor too long, nor unknown") {
  using tls::ErrorCode;
  refused(trusting().groups({}), ErrorCode::configuration_invalid, "no group");
  refused(trusting().groups({Group::x25519, Group::x25519}), ErrorCode::configuration_invalid, "twice");
  refused(trusting().groups({Group::x448}), ErrorCode::configuration_invalid, "not known");
  refused(trusting().cipher_suites({}), ErrorCode::configuration_invalid, "no cipher suite");
  refused(trusting().cipher_suites({static_cast<tls::CipherSuite>(0x1304)}), ErrorCode::configuration_invalid,
          "cipher suite");
  refused(trusting().signature_schemes({}), ErrorCode::configuration_invalid, "no signature scheme");
  refused(trusting()
              .versions({tls::ProtocolVersion::tls1_3})
              .signature_schemes({tls::SignatureScheme::ed25519, tls::SignatureScheme::rsa_pkcs1_sha256}),
          ErrorCode::configuration_invalid, "rsa_pkcs1_sha256");
  refused(trusting().signature_schemes({tls::SignatureScheme::ed25519, tls::SignatureScheme::rsa_pkcs1_sha1}),
          ErrorCode::configuration_invalid, "rsa_pkcs1_sha1");
  refused(trusting().certificate_signature_schemes({}), ErrorCode::configuration_invalid, "no certificate");
  refused(trusting().certificate_signature_schemes({tls::SignatureScheme::rsa_pkcs1_sha1}),
          ErrorCode::configuration_invalid, "rsa_pkcs1_sha1");
  refused(trusting().alpn({""}), ErrorCode::configuration_invalid, "application protocol");
  refused(trusting().alpn({std::string(256, 'x')}), ErrorCode::configuration_invalid, "application protocol");
  refused(trusting().alpn({"h2", "h2"}), ErrorCode::configuration_invalid, "twice");
  std::vector<std::string> many;
  for (int i = 0; i < 33; ++i)
    many.push_back("protocol-" + std::to_string(i));
  refused(trusting().alpn(many), ErrorCode::configuration_invalid, "at most 32");
  many.pop_back();
  CHECK(good(trusting().alpn(many))->alpn().size() == 32);
  CHECK(good(trusting().alpn({std::string(255, 'x')}))->alpn().size() == 1);
}

TEST_CASE("external pre-shared keys leave room in the ClientHello") {
  const auto psk_of = [](std::size_t size, char letter) {
    const tls::ByteVector identity(size, static_cast<std::uint8_t>(letter));
    const tls::ByteVector key(32, 7);
    auto psk = tls::ExternalPsk::create(identity, key);
    REQUIRE(psk);
    return *psk;
  };
  // 2 bytes of length, 4 of age, 1 of the binder's length and 32 of its hash.
  constexpr std::size_t around = 2 + 4 + 1 + 32;
  constexpr std::size_t most = tls::limits::external_psks;
  CHECK(good(trusting().external_psks({psk_of(most - around, 'a')}))->external_psks().size() == 1);
  refused(trusting().external_psks({psk_of(most - around + 1, 'a')}), tls::ErrorCode::configuration_invalid,
          std::to_string(most + 1));
  CHECK(good(trusting().external_psks({psk_of(1'000, 'a'), psk_of(most - 2 * around - 1'000, 'b')})));
  refused(trusting().external_psks({psk_of(1'000, 'a'), psk_of(most - 2 * around - 999, 'b')}),
          tls::ErrorCode::configuration_invalid, "ClientHello");
}

TEST_CASE("what is stapled to a credential fits into its message") {
  const test::Identity client = test::self_signed({.common_name = "client"});
  const auto credential = tls::Credential::from_pem(client.pem(), client.key().pkcs8_pem());
  REQUIRE(credential);
  // An extension has four bytes in front of its body, and a status four more.
  CHECK(good(trusting().credentials({credential->with_ocsp_response(tls::ByteVector(65'527, 1))})));
  refused(trusting().credentials({*credential, credential->with_ocsp_response(tls::ByteVector(65'528, 1))}),
          tls::ErrorCode::configuration_invalid, "65536 bytes");
  CHECK(good(trusting().credentials({credential->with_sct_list(tls::ByteVector(65'531, 1))})));
  refused(trusting().credentials({credential->with_sct_list(tls::ByteVector(65'532, 1))}),
          tls::ErrorCode::configuration_invalid, "65536 bytes");
  refused(trusting().credentials(
              {credential->with_ocsp_response(tls::ByteVector(40'000, 1)).with_sct_list(tls::ByteVector(40'000, 1))}),
          tls::ErrorCode::configuration_invalid, "stapled");
}

TEST_CASE("a builder can be used again, and what it built does not change") {
  auto builder = trusting().alpn({"h2"});
  const auto first = good(builder);
  const auto second = good(builder.alpn({"http/1.1"}));
  CHECK(first->alpn()[0] == "h2");
  CHECK(second->alpn()[0] == "http/1.1");
}

#if defined(TLSCONNECT_WITHOUT_TLS12)
TEST_CASE("a library without TLS 1.2 offers TLS 1.3 alone") {
  CHECK(list(good(trusting())->versions()) == Versions{tls::ProtocolVersion::tls1_3});
  CHECK(good(trusting())->cipher_suites().size() == 3);
  refused(trusting().versions({tls::ProtocolVersion::tls1_2}), tls::ErrorCode::configuration_invalid, "TLS 1.2");
  refused(trusting().cipher_suites({tls::CipherSuite::ecdhe_rsa_aes_128_gcm_sha256}),
          tls::ErrorCode::configuration_invalid, "version");
}
#else
TEST_CASE("versions: what is offered is what was said, or what is left") {
  using tls::ErrorCode;
  using enum tls::ProtocolVersion;
  using Suite = tls::CipherSuite;
  const auto versions = [](const tls::ClientConfig::Builder& builder) { return list(good(builder)->versions()); };
  CHECK(versions(trusting()) == Versions{tls1_3, tls1_2});
  CHECK(versions(trusting().versions({tls1_2, tls1_3})) == Versions{tls1_3, tls1_2});
  CHECK(versions(trusting().versions({tls1_3})) == Versions{tls1_3});
  CHECK(versions(trusting().versions({tls1_2})) == Versions{tls1_2});
  refused(trusting().versions({}), ErrorCode::configuration_invalid, "no version");
  refused(trusting().versions({tls1_2, tls1_2}), ErrorCode::configuration_invalid, "twice");
  refused(trusting().versions({tls1_1}), ErrorCode::configuration_invalid, "TLS 1.1");
  refused(trusting().versions({tls1_3, tls1_1}), ErrorCode::configuration_invalid, "TLS 1.1");

  // A version that nothing is left for goes, unless it was asked for.
  CHECK(versions(trusting().cipher_suites({Suite::aes_128_gcm_sha256})) == Versions{tls1_3});
  CHECK(versions(trusting().cipher_suites({Suite::ecdhe_rsa_aes_128_gcm_sha256})) == Versions{tls1_2});
  CHECK(versions(trusting().groups({Group::x25519_mlkem768})) == Versions{tls1_3});
  CHECK(versions(trusting().require_post_quantum(true)) == Versions{tls1_3});
  CHECK(versions(trusting().signature_schemes({tls::SignatureScheme::rsa_pkcs1_sha256})) == Versions{tls1_2});
  refused(trusting().versions({tls1_2}).cipher_suites({Suite::aes_128_gcm_sha256}), ErrorCode::configuration_invalid,
          "TLS 1.2");
  refused(trusting().versions({tls1_3}).cipher_suites({Suite::ecdhe_rsa_aes_128_gcm_sha256}),
          ErrorCode::configuration_invalid, "TLS 1.3");
  refused(trusting().versions({tls1_2}).require_post_quantum(true), ErrorCode::configuration_invalid, "TLS 1.2");

  // Each with its own: no suite, group or scheme of the other.
  const auto older = good(trusting().versions({tls1_2}));
  CHECK(older->cipher_suites().size() == 6);
  CHECK(list(older->groups()) == Groups{Group::x25519, Group::secp256r1, Group::secp384r1, Group::secp521r1});
  CHECK(older->key_shares().empty());
  CHECK(good(trusting().versions({tls1_3}))->cipher_suites().size() == 3);
}

TEST_CASE("suites of TLS 1.2 with a pre-shared key need one") {
  using enum tls::ProtocolVersion;
  using Suite = tls::CipherSuite;
  const tls::ByteVector key(32, 7);
  const auto psk = [&](tls::HashAlgorithm hash) {
    auto made = tls::ExternalPsk::create(tls::as_bytes("client"), key, hash);
    REQUIRE(made);
    return std::move(*made);
  };
  const auto config = good(tls::ClientConfig::builder().external_psks({psk(tls::HashAlgorithm::sha384)}));
  CHECK(list(config->versions()) == Versions{tls1_3, tls1_2});
  // Those of its hash, and nothing that needs trust in certificates.
  std::vector<Suite> suites12;
  for (const Suite suite : config->cipher_suites())
    if (static_cast<std::uint16_t>(suite) >> 8 != 0x13)
      suites12.push_back(suite);
  CHECK(suites12 == std::vector<Suite>{Suite::ecdhe_psk_aes_256_gcm_sha384});
  // Without a key exchange there is no forward secrecy: that must be asked for.
  const auto plain = good(tls::ClientConfig::builder()
                              .external_psks({psk(tls::HashAlgorithm::sha256)})
                              .cipher_suites({Suite::psk_aes_128_gcm_sha256}));
  CHECK(list(plain->versions()) == Versions{tls1_2});
  refused(trusting().cipher_suites({Suite::psk_aes_128_gcm_sha256}), tls::ErrorCode::configuration_invalid, "version");
  // Keys that were imported are for TLS 1.3 (RFC 9258, 1).
  auto imported =
      tls::ExternalPsk::import_from({.external_identity = tls::as_bytes("client"), .context = {}, .key = key});
  REQUIRE(imported);
  CHECK(list(good(tls::ClientConfig::builder().external_psks(*imported))->versions()) == Versions{tls1_3});
}
#endif
