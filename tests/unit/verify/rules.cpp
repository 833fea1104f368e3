// The rules of a path: for each, chains that differ in that one thing, and are refused for that one reason.
#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <vector>

#include "chains.hpp"

using test::accepts;
using test::Blob;
using test::CertOptions;
using test::contains;
using test::day;
using test::der;
using test::der_extension;
using test::der_oid;
using test::der_text;
using test::Identity;
using test::KeyType;
using test::now;
using test::refuses;
using test::Three;
using tlsconnect::ErrorCode;
using tlsconnect::PathPolicy;
using tlsconnect::PathRule;
using tlsconnect::SignatureScheme;

namespace {

constexpr ErrorCode malformed = ErrorCode::certificate_malformed;
constexpr ErrorCode usage = ErrorCode::certificate_usage_forbidden;
constexpr ErrorCode violated = ErrorCode::certificate_constraint_violated;
constexpr ErrorCode weak_algorithm = ErrorCode::certificate_algorithm_weak;
constexpr ErrorCode weak_key = ErrorCode::certificate_key_too_weak;
constexpr ErrorCode unsupported = ErrorCode::certificate_key_unsupported;

const Blob null = {0x05, 0x00};
const Blob ca_true = {0x30, 0x03, 0x01, 0x01, 0xFF};
const std::vector<std::string> client_only = {"PKIX.ClientAuth"};
const std::vector<std::string> both = {"PKIX.ClientAuth", "PKIX.ServerAuth"};

Blob algorithm(const std::string& oid, const Blob& parameters = {}) { return der(0x30, {der_oid(oid), parameters}); }

} // namespace

TEST_CASE("every rule has a name and a section", "[rules]") {
  std::set<std::string_view> names;
  for (unsigned i = 0; i <= static_cast<unsigned>(PathRule::status_known); ++i) {
    const auto& description = describe(static_cast<PathRule>(i));
    CHECK(static_cast<unsigned>(description.rule) == i);
    CHECK(description.section.starts_with("RFC "));
    names.insert(description.name);
  }
  CHECK(names.size() == static_cast<std::size_t>(PathRule::status_known) + 1);
  CHECK(describe(static_cast<PathRule>(200)).rule == PathRule::status_known);
}

TEST_CASE("validity, in every place and to the second", "[rules]") {
  const auto from = CertOptions{.not_before = now};
  const auto to = CertOptions{.not_after = now};
  CertOptions ca_from = from;
  CertOptions ca_to = to;
  ca_from.ca = ca_to.ca = true;
  const CertOptions ca{.ca = true};
  accepts(Three{.authority = ca, .leaf = from}.judge(now));
  accepts(Three{.authority = ca, .leaf = to}.judge(now));
  refuses(Three{.authority = ca, .leaf = from}.judge(now - 1), PathRule::validity, ErrorCode::certificate_not_yet_valid,
          0, "2026-05-31T23:59:59Z");
  refuses(Three{.authority = ca, .leaf = to}.judge(now + 1), PathRule::validity, ErrorCode::certificate_expired, 0,
          "2026-06-01T00:00:01Z");
  accepts(Three{.authority = ca_from}.judge(now));
  accepts(Three{.authority = ca_to}.judge(now));
  refuses(Three{.authority = ca_from}.judge(now - 1), PathRule::validity, ErrorCode::certificate_not_yet_valid, 1);
  refuses(Three{.authority = ca_to}.judge(now + 1), PathRule::validity, ErrorCode::certificate_expired, 1);
  accepts(Three{.root = from, .authority = ca}.judge(now));
  accepts(Three{.root = to, .authority = ca}.judge(now));
  refuses(Three{.root = from, .authority = ca}.judge(now - 1), PathRule::validity, ErrorCode::certificate_not_yet_valid,
          2, "the trust anchor (CN=Root)");
  refuses(Three{.root = to, .authority = ca}.judge(now + 1), PathRule::validity, ErrorCode::certificate_expired, 2,
          "the trust anchor (CN=Root)");
}

TEST_CASE("versions", "[rules]") {
  const CertOptions ca{.ca = true};
  accepts(Three{.authority = ca}.judge());
  refuses(Three{.authority = ca, .leaf = {.version1 = true}}.judge(), PathRule::version, usage, 0, "version 1");
  refuses(Three{.authority = {.version1 = true}}.judge(), PathRule::authority, usage, 1, "version 1");
  refuses(Three{.root = {.version1 = true}, .authority = ca}.judge(), PathRule::authority, usage, 2, "version 1");
  // Extensions in a version that has none.
  for (const unsigned version : {1U, 2U}) {
    const auto leaf = Three{.authority = ca, .leaf = {.version = version}}.judge();
    REQUIRE_FALSE(leaf.has_value());
    REQUIRE(leaf.error().findings.size() == 2);
    CHECK(leaf.error().findings[0].rule == PathRule::well_formed);
    CHECK(contains(leaf.error().reason, "need version 3"));
    CHECK(leaf.error().findings[1].rule == PathRule::version);
    const auto issuer = Three{.authority = {.ca = true, .version = version}}.judge();
    REQUIRE_FALSE(issuer.has_value());
    CHECK(issuer.error().findings.size() == 2);
    CHECK(issuer.error().code == malformed);
    CHECK(issuer.error().position == 1);
  }
}

TEST_CASE("serial numbers", "[rules]") {
  const CertOptions ca{.ca = true};
  const auto leaf = [&](Blob bytes) {
    return Three{.authority = ca, .leaf = {.serial_bytes = std::move(bytes)}}.judge();
  };
  const auto issuer = [](Blob bytes) {
    return Three{.authority = {.ca = true, .serial_bytes = std::move(bytes)}}.judge();
  };
  accepts(leaf({0x01}));
  accepts(leaf({0x00, 0x80}));
  accepts(leaf(Blob(20, 0x7F)));
  refuses(leaf({0x00}), PathRule::serial_number, malformed, 0, "zero");
  refuses(leaf({0x80}), PathRule::serial_number, malformed, 0, "negative");
  refuses(leaf({0xFF, 0x01}), PathRule::serial_number, malformed, 0, "negative");
  refuses(leaf(Blob(21, 0x7F)), PathRule::serial_number, malformed, 0, "21 bytes");
  accepts(issuer({0x01}));
  refuses(issuer({0x00}), PathRule::serial_number, malformed, 1, "zero");
  refuses(issuer(Blob(21, 0x01)), PathRule::serial_number, malformed, 1, "21 bytes");
  // An anchor is an input, however it is numbered.
  accepts(Three{.root = {.serial_bytes = Blob{0x00}}, .authority = ca}.judge());
  accepts(Three{.root = {.serial_bytes = Blob(21, 0x01)}, .authority = ca}.judge());
  // Not an INTEGER in DER: no certificate at all.
  for (const Blob& bytes : {Blob{}, Blob{0x00, 0x01}, Blob{0xFF, 0x80}})
    CHECK_FALSE(tlsconnect::Certificate::from_der(test::self_signed({.serial_bytes = bytes}).der()).has_value());
}

TEST_CASE("names of issuers", "[rules]") {
  const auto anchor = test::self_signed({.common_name = "Root", .ca = true});
  const auto named = anchor.issue({.common_name = "CA", .ca = true});
  accepts(test::judge(named.issue({}).chain_der(), {anchor}));
  const auto nameless = anchor.issue({.ca = true, .subject_name = test::der_name({})});
  refuses(test::judge(nameless.issue({}).chain_der(), {anchor}), PathRule::well_formed, malformed, 0, "empty");
  // A server's own name may be empty.
  accepts(test::judge(named.issue({.subject_name = test::der_name({})}).chain_der(), {anchor}));
}

TEST_CASE("names are equal or not, however they are written", "[rules]") {
  const auto outcome = [](const Blob& subject, const Blob& issuer) {
    const auto anchor = test::self_signed({.ca = true, .key_ids = false, .subject_name = subject});
    return test::judge({anchor.issue({.key_ids = false, .issuer_name = issuer}).der()}, {anchor});
  };
  const Blob plain = test::der_name({"My CA"});
  accepts(outcome(plain, plain));
  accepts(outcome(plain, test::der_name({"My CA"}, 19)));                            // PrintableString
  accepts(outcome(plain, test::der_name({"MY  ca "}, 19)));                          // case and spaces
  accepts(outcome(plain, test::der_name({std::string("\0M\0y\0 \0C\0A", 10)}, 30))); // BMPString
  for (const Blob& other : {test::der_name({"MyCA"}), test::der_name({"My CA", "My CA"}), test::der_name({"My C"}),
                            test::der_name({"My CA."}), test::der_name({})})
    CHECK(outcome(plain, other).error().code == ErrorCode::certificate_unknown_issuer);
}

TEST_CASE("keys of every certificate", "[rules]") {
  const CertOptions ca{.ca = true};
  const auto with = [](KeyType type, bool authority) { return CertOptions{.key_type = type, .ca = authority}; };
  for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::p521, KeyType::rsa2048, KeyType::rsa3072,
                             KeyType::rsa_pss2048, KeyType::rsa_pss2048_sha256, KeyType::ed25519, KeyType::ed448,
                             KeyType::mldsa44, KeyType::mldsa65, KeyType::mldsa87}) {
    CAPTURE(static_cast<int>(type));
    if (!test::is_available(type))
      continue;
    accepts(Three{.authority = ca, .leaf = with(type, false)}.judge());
    accepts(Three{.authority = with(type, true)}.judge());
    accepts(Three{.root = with(type, true), .authority = ca}.judge());
  }
  refuses(Three{.authority = ca, .leaf = with(KeyType::rsa1024, false)}.judge(), PathRule::key, weak_key, 0, "2048");
  refuses(Three{.authority = with(KeyType::rsa1024, true)}.judge(), PathRule::key, weak_key, 1, "2048");
  refuses(Three{.root = with(KeyType::rsa1024, true), .authority = ca}.judge(), PathRule::key, weak_key, 2, "2048");

  // Keys of kinds that TLS does not use: another curve, parameters instead of a named curve, DSA.
  const Blob point = der(0x03, {Blob{0x00}, Blob(65, 0x04)});
  const Blob k256 = der(0x30, {der(0x30, {der_oid("1.2.840.10045.2.1"), der_oid("1.3.132.0.10")}), point});
  const Blob explicit_curve =
      der(0x30, {der(0x30, {der_oid("1.2.840.10045.2.1"), der(0x30, Blob{0x02, 0x01, 0x01})}), point});
  const Blob implicit_curve = der(0x30, {der(0x30, {der_oid("1.2.840.10045.2.1"), null}), point});
  const Blob dsa = der(0x30, {der(0x30, der_oid("1.2.840.10040.4.1")), der(0x03, {0x00, 0x02, 0x01, 0x05})});
  for (const Blob& odd : {k256, explicit_curve, implicit_curve, dsa}) {
    refuses(Three{.authority = ca, .leaf = {.public_key = odd}}.judge(), PathRule::key, unsupported, 0, "its key is");
    refuses(Three{.authority = {.public_key = odd, .ca = true}}.judge(), PathRule::key, unsupported, 1, "its key is");
    refuses(Three{.root = {.public_key = odd}, .authority = ca}.judge(), PathRule::key, unsupported, 2, "its key is");
  }
}

TEST_CASE("a policy reaches every certificate", "[rules]") {
  const CertOptions ca{.ca = true};
  const CertOptions rsa2048{.key_type = KeyType::rsa2048, .ca = true};
  const CertOptions rsa3072{.key_type = KeyType::rsa3072, .ca = true};
  const PathPolicy longer{.rsa_bits_min = 3072};
  accepts(Three{.root = rsa3072, .authority = rsa3072, .leaf = {.key_type = KeyType::rsa3072}}.judge(now, longer));
  refuses(Three{.authority = ca, .leaf = {.key_type = KeyType::rsa2048}}.judge(now, longer), PathRule::key, weak_key, 0,
          "3072");
  refuses(Three{.authority = rsa2048}.judge(now, longer), PathRule::key, weak_key, 1, "3072");
  refuses(Three{.root = rsa2048, .authority = ca}.judge(now, longer), PathRule::key, weak_key, 2, "3072");
  refuses(Three{.root = {.key_type = KeyType::rsa_pss2048}, .authority = ca}.judge(now, longer), PathRule::key,
          weak_key, 2, "3072");
  // But it cannot make 2048 less.
  refuses(Three{.authority = ca, .leaf = {.key_type = KeyType::rsa1024}}.judge(now, {.rsa_bits_min = 512}),
          PathRule::key, weak_key, 0, "2048");

  const PathPolicy p256{.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256}};
  const PathPolicy p384{.signature_schemes = {SignatureScheme::ecdsa_secp384r1_sha384}};
  const PathPolicy either{
      .signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_secp384r1_sha384}};
  accepts(Three{.authority = ca}.judge(now, p256));
  const auto other = Three{.authority = ca}.judge(now, p384);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().findings.size() == 2); // both signatures
  CHECK(other.error().code == weak_algorithm);
  // Of ECDSA, the hash and the curve count each for itself.
  const Three mixed{.authority = ca, .leaf = {.hash = "SHA-384"}};
  accepts(mixed.judge(now, either));
  refuses(mixed.judge(now, p256), PathRule::signature_algorithm, weak_algorithm, 0, "configuration");
  const Three upper{.root = {.key_type = KeyType::p384}, .authority = {.ca = true, .hash = "SHA-256"}};
  accepts(upper.judge(now, either));
  refuses(upper.judge(now, p256), PathRule::signature_algorithm, weak_algorithm, 1, "configuration");
  // What the anchor is signed with is of no account.
  accepts(Three{.root = {.hash = "SHA-512"}, .authority = ca}.judge(now, p256));

  const auto by = [&](KeyType type, std::string padding, std::vector<SignatureScheme> schemes) {
    return Three{.authority = {.key_type = type, .ca = true}, .leaf = {.padding = std::move(padding)}}.judge(
        now, {.signature_schemes = std::move(schemes)});
  };
  constexpr auto ecdsa = SignatureScheme::ecdsa_secp256r1_sha256;
  accepts(by(KeyType::rsa2048, "", {ecdsa, SignatureScheme::rsa_pkcs1_sha256}));
  accepts(by(KeyType::rsa2048, "PSS", {ecdsa, SignatureScheme::rsa_pss_rsae_sha256}));
  accepts(by(KeyType::rsa_pss2048, "", {ecdsa, SignatureScheme::rsa_pss_pss_sha256}));
  accepts(by(KeyType::ed25519, "", {ecdsa, SignatureScheme::ed25519}));
  accepts(by(KeyType::ed448, "", {ecdsa, SignatureScheme::ed448}));
  refuses(by(KeyType::rsa2048, "", {ecdsa, SignatureScheme::rsa_pss_rsae_sha256}), PathRule::signature_algorithm,
          weak_algorithm, 0);
  refuses(by(KeyType::rsa2048, "PSS", {ecdsa, SignatureScheme::rsa_pkcs1_sha256}), PathRule::signature_algorithm,
          weak_algorithm, 0);
  refuses(by(KeyType::rsa_pss2048, "", {ecdsa, SignatureScheme::rsa_pss_rsae_sha256}), PathRule::signature_algorithm,
          weak_algorithm, 0);
  refuses(by(KeyType::ed25519, "", {ecdsa, SignatureScheme::ed448}), PathRule::signature_algorithm, weak_algorithm, 0);
  // draft-ietf-tls-mldsa: each level is a scheme of its own.
  const std::vector<std::pair<KeyType, SignatureScheme>> levels = {{KeyType::mldsa44, SignatureScheme::mldsa44},
                                                                   {KeyType::mldsa65, SignatureScheme::mldsa65},
                                                                   {KeyType::mldsa87, SignatureScheme::mldsa87}};
  for (const auto& [type, scheme] : levels) {
    if (!test::is_available(type))
      continue;
    accepts(by(type, "", {ecdsa, scheme}));
    for (const auto& [another, another_scheme] : levels)
      if (another != type)
        refuses(by(type, "", {ecdsa, another_scheme}), PathRule::signature_algorithm, weak_algorithm, 0,
                "configuration");
  }
}

TEST_CASE("signature algorithms", "[rules]") {
  const CertOptions ca{.ca = true};
  const CertOptions rsa{.key_type = KeyType::rsa2048, .ca = true};
  for (const char* hash : {"SHA-256", "SHA-384", "SHA-512"}) {
    CAPTURE(hash);
    accepts(Three{.authority = ca, .leaf = {.hash = hash}}.judge());
    accepts(Three{.authority = rsa, .leaf = {.hash = hash}}.judge());
    accepts(Three{.authority = rsa, .leaf = {.hash = hash, .padding = "PSS"}}.judge());
    accepts(Three{.authority = {.key_type = KeyType::p521, .ca = true}, .leaf = {.hash = hash}}.judge());
  }
  refuses(Three{.authority = ca, .leaf = {.hash = "SHA-1"}}.judge(), PathRule::signature_algorithm, weak_algorithm, 0,
          "SHA-1");
  refuses(Three{.authority = {.ca = true, .hash = "SHA-1"}}.judge(), PathRule::signature_algorithm, weak_algorithm, 1);
  refuses(Three{.authority = rsa, .leaf = {.hash = "SHA-1"}}.judge(), PathRule::signature_algorithm, weak_algorithm, 0);
  refuses(Three{.authority = rsa, .leaf = {.hash = "SHA-1", .padding = "PSS"}}.judge(), PathRule::signature_algorithm,
          weak_algorithm, 0, "PSS");
  accepts(Three{.root = {.hash = "SHA-1"}, .authority = ca}.judge());
  // Botan signs with none of these.
  for (const char* oid : {"1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.3.14.3.2.3",
                          "1.3.14.3.2.29", "1.2.840.10040.4.3", "1.3.14.3.2.27"})
    refuses(Three{.authority = rsa, .leaf = {.algorithm = algorithm(oid, null)}}.judge(), PathRule::signature_algorithm,
            weak_algorithm, 0, "no longer safe");
  for (const char* oid : {"1.2.3.4", "1.2.840.113549.1.1.14", "2.16.840.1.101.3.4.3.2"})
    refuses(Three{.authority = rsa, .leaf = {.algorithm = algorithm(oid, null)}}.judge(), PathRule::signature_algorithm,
            unsupported, 0, "does not know");
  // Parameters (RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3).
  accepts(Three{.authority = rsa, .leaf = {.algorithm = algorithm("1.2.840.113549.1.1.11", null)}}.judge());
  accepts(Three{.authority = rsa, .leaf = {.algorithm = algorithm("1.2.840.113549.1.1.11")}}.judge());
  refuses(
      Three{.authority = rsa, .leaf = {.algorithm = algorithm("1.2.840.113549.1.1.11", {0x02, 0x01, 0x00})}}.judge(),
      PathRule::signature_algorithm, unsupported, 0, "parameters");
  refuses(Three{.authority = ca, .leaf = {.algorithm = algorithm("1.2.840.10045.4.3.2", null)}}.judge(),
          PathRule::signature_algorithm, unsupported, 0, "parameters");
  refuses(Three{.authority = {.key_type = KeyType::ed25519, .ca = true},
                .leaf = {.algorithm = algorithm("1.3.101.112", null)}}
              .judge(),
          PathRule::signature_algorithm, unsupported, 0, "parameters");
  // RSASSA-PSS with other parameters than TLS has, and with those of SHA-1 by default.
  const auto pss = [](const Blob& parameters) { return algorithm("1.2.840.113549.1.1.10", parameters); };
  const Blob sha256 = der(0x30, {der_oid("2.16.840.1.101.3.4.2.1"), null});
  const Blob sha384 = der(0x30, {der_oid("2.16.840.1.101.3.4.2.2"), null});
  const Blob mgf256 = der(0xA1, der(0x30, {der_oid("1.2.840.113549.1.1.8"), sha256}));
  const Blob mgf384 = der(0xA1, der(0x30, {der_oid("1.2.840.113549.1.1.8"), sha384}));
  const Blob salt32 = der(0xA2, {0x02, 0x01, 0x20});
  const Blob salt20 = der(0xA2, {0x02, 0x01, 0x14});
  const auto signed_pss = [&](const Blob& parameters) {
    return Three{.authority = rsa, .leaf = {.padding = "PSS", .algorithm = pss(parameters)}}.judge();
  };
  accepts(signed_pss(der(0x30, {der(0xA0, sha256), mgf256, salt32})));
  refuses(signed_pss(der(0x30, {})), PathRule::signature_algorithm, weak_algorithm, 0, "SHA-1");
  refuses(signed_pss(der(0x30, {der(0xA0, sha256), mgf384, salt32})), PathRule::signature_algorithm, unsupported, 0);
  refuses(signed_pss(der(0x30, {der(0xA0, sha256), mgf256, salt20})), PathRule::signature_algorithm, unsupported, 0);
  // RFC 4055, 3.1: another mask function, another trailer field, a salt of another length than the hash.
  const Blob other_mask = der(0xA1, der(0x30, {der_oid("1.2.840.113549.1.1.99"), sha256}));
  const Blob trailer2 = der(0xA3, {0x02, 0x01, 0x02});
  for (const Blob& parameters :
       {der(0x30, {der(0xA0, sha256), other_mask, salt32}), der(0x30, {der(0xA0, sha256), mgf256, salt32, trailer2}),
        der(0x30, {der(0xA0, sha384), mgf384, salt32})})
    refuses(signed_pss(parameters), PathRule::signature_algorithm, unsupported, 0, "parameters");
  const Blob md5 = der(0x30, {der_oid("1.2.840.113549.2.5"), null});
  refuses(signed_pss(der(0x30, {der(0xA0, md5), mgf256, salt32})), PathRule::signature_algorithm, weak_algorithm, 0,
          "MD5");
  // The algorithm belongs to another kind of key than the issuer's.
  refuses(Three{.authority = ca, .leaf = {.algorithm = algorithm("1.2.840.113549.1.1.11", null)}}.judge(),
          PathRule::signature, ErrorCode::certificate_signature_invalid, 0);
  refuses(Three{.authority = rsa, .leaf = {.algorithm = algorithm("1.2.840.10045.4.3.2")}}.judge(), PathRule::signature,
          ErrorCode::certificate_signature_invalid, 0);
  // Then there is nothing to say about what the configuration allows.
  refuses(Three{.authority = rsa, .leaf = {.algorithm = algorithm("1.2.840.10045.4.3.2")}}.judge(
              now, {.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256}}),
          PathRule::signature, ErrorCode::certificate_signature_invalid, 0);
  // RFC 4055, 1.2: a key of id-RSASSA-PSS makes no other signatures, and none but with its parameters.
  const auto pss_key = [](KeyType type, CertOptions leaf) {
    return Three{.authority = {.key_type = type, .ca = true}, .leaf = std::move(leaf)}.judge();
  };
  accepts(pss_key(KeyType::rsa_pss2048, {.hash = "SHA-384"}));
  accepts(pss_key(KeyType::rsa_pss2048_sha256, {.hash = "SHA-256"}));
  refuses(pss_key(KeyType::rsa_pss2048_sha256, {.hash = "SHA-384"}), PathRule::signature,
          ErrorCode::certificate_signature_invalid, 0);
  refuses(pss_key(KeyType::rsa_pss2048, {.padding = "PKCS1v15"}), PathRule::signature,
          ErrorCode::certificate_signature_invalid, 0);
}

TEST_CASE("the algorithm inside and outside of what is signed", "[rules]") {
  const Blob sha256 = algorithm("1.2.840.10045.4.3.2");
  CHECK(tlsconnect::Certificate::from_der(test::self_signed({.outer_algorithm = sha256}).der()).has_value());
  const auto other =
      tlsconnect::Certificate::from_der(test::self_signed({.outer_algorithm = algorithm("1.2.840.10045.4.3.3")}).der());
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code() == malformed);
  CHECK(contains(other.error().detail(), "4.1.1.2"));
}

TEST_CASE("signatures in every place but the anchor's", "[rules]") {
  const CertOptions ca{.ca = true};
  constexpr ErrorCode invalid = ErrorCode::certificate_signature_invalid;
  refuses(Three{.authority = ca, .leaf = {.break_signature = true}}.judge(), PathRule::signature, invalid, 0,
          "CN=Authority");
  refuses(Three{.authority = {.ca = true, .break_signature = true}}.judge(), PathRule::signature, invalid, 1,
          "CN=Root");
  accepts(Three{.root = {.break_signature = true}, .authority = ca}.judge());
}

TEST_CASE("who may issue, and who may not", "[rules]") {
  const auto issuer = [](CertOptions options) { return Three{.authority = std::move(options)}.judge(); };
  accepts(issuer({.ca = true}));
  accepts(issuer({.ca = true, .key_usage = 0}));
  accepts(issuer({.ca = true, .key_usage = test::key_cert_sign | test::digital_signature}));
  refuses(issuer({.ca = false, .key_usage = test::key_cert_sign}), PathRule::authority, usage, 1,
          "basicConstraints with cA is missing");
  refuses(issuer({.ca = true, .key_usage = test::crl_sign}), PathRule::key_usage, usage, 1, "keyCertSign");
  refuses(issuer({.ca = true, .extended_key_usage = client_only}), PathRule::extended_key_usage, usage, 1);
  accepts(issuer({.ca = true, .extended_key_usage = both}));
  accepts(issuer({.ca = true, .extended_key_usage = {{"2.5.29.37.0"}}}));
  // cA FALSE, said and not said.
  accepts(issuer({.extensions = {{"2.5.29.19", true, ca_true}}, .only_these_extensions = true}));
  refuses(issuer({.extensions = {{"2.5.29.19", true, {0x30, 0x00}}}, .only_these_extensions = true}),
          PathRule::authority, usage, 1);
  refuses(issuer({.extensions = {{"1.2.3.4", false, null}}, .only_these_extensions = true}), PathRule::authority, usage,
          1);
  // The same for anchors.
  const auto anchor = [](CertOptions options) {
    return Three{.root = std::move(options), .authority = {.ca = true}}.judge();
  };
  accepts(anchor({.key_usage = 0}));
  refuses(anchor({.key_usage = test::crl_sign}), PathRule::key_usage, usage, 2, "Root");
  refuses(anchor({.extended_key_usage = client_only}), PathRule::extended_key_usage, usage, 2, "Root");
  const auto pinned = test::self_signed({.common_name = "server", .key_usage = 0});
  refuses(test::judge({pinned.issue({}).der()}, {pinned}), PathRule::authority, usage, 1, "server");
}

TEST_CASE("the server's own certificate", "[rules]") {
  const auto leaf = [](CertOptions options) {
    return Three{.authority = {.ca = true}, .leaf = std::move(options)}.judge();
  };
  accepts(leaf({}));
  accepts(leaf({.extensions = {{"2.5.29.19", true, {0x30, 0x00}}}, .only_these_extensions = true}));
  // An authority, with all that a server's certificate needs.
  CertOptions ca{.ca = true,
                 .key_usage = test::digital_signature | test::key_cert_sign,
                 .extended_key_usage = {{"PKIX.ServerAuth"}}};
  refuses(leaf(ca), PathRule::not_authority, usage, 0, "not a server's (RFC");
  ca.permitted_dns = {"example"};
  refuses(leaf(ca), PathRule::not_authority, usage, 0);
  // Trusting it does not make it a server's.
  const auto pinned = test::self_signed(ca);
  refuses(test::judge({pinned.der()}, {pinned}), PathRule::not_authority, usage, 0, "tools that make self-signed");
  const auto own = test::self_signed({});
  accepts(test::judge({own.der()}, {own}));
  // keyUsage
  accepts(leaf({.key_usage = 0}));
  accepts(leaf({.key_usage = test::digital_signature | test::key_agreement}));
  refuses(leaf({.key_usage = test::key_encipherment}), PathRule::key_usage, usage, 0, "digitalSignature");
  refuses(leaf({.key_usage = test::key_agreement}), PathRule::key_usage, usage, 0, "digitalSignature");
  refuses(leaf({.key_usage = test::digital_signature | test::key_cert_sign}), PathRule::key_usage, usage, 0,
          "keyCertSign");
  // extendedKeyUsage
  accepts(leaf({.extended_key_usage = both}));
  accepts(leaf({.extended_key_usage = {std::vector<std::string>()}}));
  refuses(leaf({.extended_key_usage = client_only}), PathRule::extended_key_usage, usage, 0, "serverAuth");
  refuses(leaf({.extended_key_usage = {{"2.5.29.37.0"}}}), PathRule::extended_key_usage, usage, 0, "serverAuth");
  // nameConstraints
  refuses(leaf({.permitted_dns = {"example"}}), PathRule::name_constraints, violated, 0, "only an authority");
}

TEST_CASE("path lengths", "[rules]") {
  const auto anchor = test::self_signed({.common_name = "Root", .ca = true});
  // Under an authority with a limit: so many others, then the server.
  const auto outcome = [&](std::optional<std::size_t> limit, std::size_t count, std::size_t of_the_same_name = 0) {
    CertOptions options{.common_name = "Limited", .ca = true, .path_length = limit};
    Identity last = anchor.issue(options);
    for (std::size_t i = 0; i < of_the_same_name; ++i)
      last = last.issue({.common_name = "Limited", .ca = true}); // self-issued: the same name, another key
    for (std::size_t i = 0; i < count; ++i)
      last = last.issue({.common_name = "Below " + std::to_string(i), .ca = true});
    return test::judge(last.issue({}).chain_der(), {anchor});
  };
  for (std::size_t limit = 0; limit < 4; ++limit) {
    CAPTURE(limit);
    accepts(outcome(limit, limit));
    refuses(outcome(limit, limit + 1), PathRule::path_length, violated, 1,
            "pathLenConstraint " + std::to_string(limit));
    refuses(outcome(limit, limit + 1, 1), PathRule::path_length, violated, 1);
    accepts(outcome(limit, limit, 1));
    accepts(outcome(limit, limit, 2));
  }
  accepts(outcome(std::nullopt, 5));
  // A limit further down, or in the anchor.
  accepts(Three{.root = {.path_length = 1}, .authority = {.ca = true}}.judge());
  refuses(Three{.root = {.path_length = 0}, .authority = {.ca = true}}.judge(), PathRule::path_length, violated, 1);
  accepts(Three{.root = {.path_length = 0}, .authority = {.common_name = "Root", .ca = true}}.judge());
}

TEST_CASE("critical extensions", "[rules]") {
  const CertOptions ca{.ca = true};
  const auto in = [&](int place, const std::string& oid, bool critical, const Blob& value) {
    Three three{.authority = ca};
    (place == 0 ? three.leaf : place == 1 ? three.authority : three.root).extensions = {{oid, critical, value}};
    return three.judge();
  };
  for (int place = 0; place < 3; ++place) {
    CAPTURE(place);
    const auto position = static_cast<std::size_t>(place);
    accepts(in(place, "1.3.6.1.4.1.55555.1", false, null));
    refuses(in(place, "1.3.6.1.4.1.55555.1", true, null), PathRule::critical_extension, violated, position,
            "1.3.6.1.4.1.55555.1");
  }
  // What is processed may be critical: must-staple is. What is not may not, however well known.
  accepts(in(0, "1.3.6.1.5.5.7.1.24", true, {0x30, 0x03, 0x02, 0x01, 0x05}));
  const Blob policies = der(0x30, der(0x30, der_oid("2.23.140.1.2.1")));
  accepts(in(0, "2.5.29.32", false, policies));
  refuses(in(0, "2.5.29.32", true, policies), PathRule::critical_extension, violated, 0, "certificatePolicies");
  refuses(in(1, "2.5.29.36", true, der(0x30, {0x80, 0x01, 0x00})), PathRule::critical_extension, violated, 1,
          "policyConstraints");
  refuses(in(1, "2.5.29.54", true, {0x02, 0x01, 0x00}), PathRule::critical_extension, violated, 1, "inhibitAnyPolicy");
  // A precertificate is none (RFC 6962, 3.1).
  refuses(in(0, "1.3.6.1.4.1.11129.2.4.3", true, null), PathRule::critical_extension, violated, 0, "precertificate");
  // Any of the others may be critical or not.
  for (const bool critical : {false, true}) {
    accepts(
        Three{.authority = {.extensions = {{"2.5.29.19", critical, ca_true}}, .only_these_extensions = true}}.judge());
    accepts(in(0, "2.5.29.17", critical, der(0x30, der_text(0x82, "a.example"))));
  }
}

TEST_CASE("malformed extensions, in every place", "[rules]") {
  const CertOptions ca{.ca = true};
  struct Row {
    const char* oid;
    Blob good;
    Blob bad;
    const char* name;
  };
  const std::vector<Row> rows = {
      {"2.5.29.17", der(0x30, der_text(0x82, "a.example")), null, "subjectAltName"},
      {"2.5.29.17", der(0x30, der(0x87, {192, 0, 2, 1})), der(0x30, der(0x87, {192, 0, 2})), "subjectAltName"},
      {"2.5.29.14", der(0x04, {1}), der(0x04, Blob{}), "subjectKeyIdentifier"},
      {"2.5.29.35", der(0x30, {}), {0x30, 0x01}, "authorityKeyIdentifier"},
      {"1.3.6.1.5.5.7.1.24", der(0x30, {0x02, 0x01, 0x05}), {0x30, 0x00}, "TLS feature"},
  };
  for (const Row& row : rows)
    for (int place = 0; place < 3; ++place) {
      CAPTURE(row.oid, place);
      const auto outcome = [&](const Blob& value) {
        Three three{
            .root = {.key_ids = false}, .authority = {.ca = true, .key_ids = false}, .leaf = {.key_ids = false}};
        (place == 0 ? three.leaf : place == 1 ? three.authority : three.root).extensions = {{row.oid, false, value}};
        return three.judge();
      };
      accepts(outcome(row.good));
      refuses(outcome(row.bad), PathRule::well_formed, malformed, static_cast<std::size_t>(place), row.name);
    }
  // Those that an authority has, in BER that is not DER.
  const auto authority = [](const Blob& constraints) {
    return Three{.authority = {.extensions = {{"2.5.29.19", true, constraints}}, .only_these_extensions = true}}
        .judge();
  };
  accepts(authority(ca_true));
  refuses(authority({0x30, 0x03, 0x01, 0x01, 0x01}), PathRule::well_formed, malformed, 1, "basicConstraints");
  refuses(authority({0x30, 0x06, 0x01, 0x01, 0x00, 0x02, 0x01, 0x00}), PathRule::well_formed, malformed, 1);
  // A whole list that is none, or has one twice: most of these no certificate at all.
  const auto list = [&](const Blob& contents) {
    const auto minted = test::self_signed({.extension_list = contents});
    return tlsconnect::Certificate::from_der(minted.der()).has_value();
  };
  const Blob one = der_extension("1.2.3.4", false, null);
  CHECK(list(one));
  CHECK_FALSE(list({}));
  Blob twice = one;
  twice.insert(twice.end(), one.begin(), one.end());
  CHECK_FALSE(list(twice));
  const Blob spelled = der(0x30, {der_oid("1.2.3.4"), Blob{0x01, 0x01, 0x00}, der(0x04, null)});
  if (list(spelled)) {
    const auto pinned = test::self_signed({.extension_list = spelled});
    refuses(test::judge({pinned.der()}, {pinned}), PathRule::well_formed, malformed, 0, "critical");
  }
}

TEST_CASE("nobody asks how an anchor was signed, not even of it alone", "[rules]") {
  const auto old = test::certificate(test::self_signed({.ca = true, .hash = "SHA-1"}));
  tlsconnect::PathCertificate anchor(old, 0, true);
  CHECK(check_certificate(anchor, now, {}).empty());
  tlsconnect::PathCertificate sent(old, 0, false);
  REQUIRE(check_certificate(sent, now, {}).size() == 1);
  CHECK(check_certificate(sent, now, {})[0].rule == PathRule::signature_algorithm);
}

TEST_CASE("all reasons are told, the deepest cause first", "[rules]") {
  const auto outcome = Three{.authority = {.not_after = now - day, .ca = true, .key_usage = test::crl_sign},
                             .leaf = {.key_type = KeyType::rsa1024, .not_after = now - day, .break_signature = true}}
                           .judge();
  REQUIRE_FALSE(outcome.has_value());
  const auto& findings = outcome.error().findings;
  REQUIRE(findings.size() == 5);
  CHECK(findings[0].rule == PathRule::signature);
  CHECK(findings[1].rule == PathRule::key);
  CHECK(findings[2].rule == PathRule::key_usage);
  CHECK(findings[3].rule == PathRule::validity);
  CHECK(findings[3].position == 0);
  CHECK(findings[4].rule == PathRule::validity);
  CHECK(findings[4].position == 1);
  CHECK(outcome.error().code == ErrorCode::certificate_signature_invalid);
}
