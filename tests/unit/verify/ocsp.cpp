// OCSP responses: the decoder byte by byte, and every rule by responses that differ in that one thing.
#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/verify/ocsp.hpp>

#include "der_tree.hpp"
#include "status_issuer.hpp"
#include "statuses.hpp"
#include "support.hpp"

using test::authority;
using test::Blob;
using test::contains;
using test::day;
using test::der;
using test::der_extension;
using test::der_oid;
using test::der_time;
using test::good;
using test::Identity;
using test::KeyType;
using test::leaf;
using test::now;
using test::OcspOptions;
using test::OcspStatus;
using test::revoked;
using test::root;
using test::unknown;
using tlsconnect::OcspResponse;
using tlsconnect::PathPolicy;
using tlsconnect::RevocationFinding;
using tlsconnect::RevocationState;
using tlsconnect::StatusClock;

namespace {

constexpr std::uint32_t skew = 300;
constexpr std::uint32_t max_age = 86'400;
const std::vector<std::string> ocsp_signing = {"PKIX.OCSPSigning"};

RevocationFinding judge_bytes(const Blob& response, std::int64_t time = now, const PathPolicy& policy = {},
                              std::size_t checks = tlsconnect::limits::status_signature_checks) {
  return tlsconnect::check_ocsp_response(response, test::certificate(leaf()), test::certificate(authority()),
                                         StatusClock{time, skew, max_age}, policy, checks);
}
RevocationFinding judge(const OcspOptions& options, std::int64_t time = now) {
  return judge_bytes(test::ocsp_response(leaf(), authority(), options), time);
}

OcspOptions about(OcspStatus status) { return {.statuses = {std::move(status)}}; }

/// A responder with a certificate of the authority's, as it is told to be; its response, with the certificate.
OcspOptions delegated(test::CertOptions options, const Identity& by = authority()) {
  options.common_name = "Responder";
  if (!options.extended_key_usage)
    options.extended_key_usage = ocsp_signing;
  const Identity responder = by.issue(options);
  return {.responder = responder, .certificates = {responder.der()}};
}

const Blob unknown_extension = der_extension("1.2.3.4", false, {0x05, 0x00});
const Blob critical_extension = der_extension("1.2.3.4", true, {0x05, 0x00});

} // namespace

TEST_CASE("ocsp: a good response, and what it says", "[ocsp]") {
  const RevocationFinding finding = judge(OcspOptions{});
  good(finding);
  CHECK(finding.valid_until == now + day);
  CHECK(finding.reason == "good since 2026-05-31T00:00:00Z");
  // Certificates that nobody needs are passed over, and so is the issuer's own.
  good(judge({.certificates = {authority().der(), root().der(), leaf().der()}}));
  good(judge({.by_name = true}));
}

TEST_CASE("ocsp: revoked", "[ocsp]") {
  revoked(judge(about({.state = "revoked"})), "revoked at 2026-05-31T00:00:00Z");
  revoked(judge(about({.state = "revoked", .reason = 1})), "keyCompromise");
  revoked(judge(about({.state = "revoked", .reason = 10})), "aACompromise");
  // However old that is, or however new.
  revoked(judge(about({.state = "revoked", .this_update = now - 90 * day, .next_update = now - 80 * day})));
  revoked(judge(about({.state = "revoked", .this_update = now + day, .next_update = now + 2 * day})));
  // But only when the issuer says so.
  unknown(judge({.statuses = {{.state = "revoked"}}, .break_signature = true}), "signature");
  unknown(judge(about({.state = "revoked", .extensions = critical_extension})), "critical");
  // Reasons that are none: no such number, and two in one.
  for (const std::uint8_t reason : {std::uint8_t{7}, std::uint8_t{11}, std::uint8_t{0xFF}})
    unknown(judge(about({.state = "revoked", .reason = reason})), "certStatus");
}

TEST_CASE("ocsp: a responder that does not know", "[ocsp]") {
  unknown(judge(about({.state = "unknown"})), "does not know the certificate");
}

TEST_CASE("ocsp: several responses in one", "[ocsp]") {
  const OcspStatus other{.state = "revoked", .serial = Blob{0x11}};
  const OcspStatus fine{};
  const OcspStatus bad{.state = "revoked"};
  const OcspStatus old{.this_update = now - 9 * day, .next_update = now - 8 * day};
  good(judge({.statuses = {other, fine}}));
  good(judge({.statuses = {fine, other}}));
  good(judge({.statuses = {old, fine}}));
  good(judge({.statuses = {fine, old}}));
  CHECK(judge({.statuses = {fine, {.next_update = now + 5 * day}}}).valid_until == now + day);
  revoked(judge({.statuses = {fine, bad}}));
  revoked(judge({.statuses = {bad, fine}}));
  good(judge({.statuses = {{.hash = "SHA-256"}, {.state = "unknown"}}}));
  unknown(judge({.statuses = {other, {.state = "revoked", .serial = Blob{0x12}}}}), "another certificate");
  good(judge({.statuses = std::vector<OcspStatus>(tlsconnect::limits::ocsp_single_responses, fine)}));
  unknown(judge({.statuses = std::vector<OcspStatus>(tlsconnect::limits::ocsp_single_responses + 1, fine)}),
          "more than 32");
}

TEST_CASE("ocsp: which certificate it is about", "[ocsp]") {
  for (const char* hash : {"SHA-1", "SHA-256", "SHA-384", "SHA-512"})
    good(judge(about({.hash = hash})));
  for (const char* hash : {"SHA-1", "SHA-256"})
    for (const char* oid : {"1.2.840.113549.2.5", "2.16.840.1.101.3.4.3.1", "2.16.840.1.101.3.4.2.0",
                            "2.16.840.1.101.3.4.2.4", "2.16.840.1.101.3.4.2.1.1"})
      unknown(judge(about({.hash = hash, .hash_oid = oid})), "another certificate");
  good(judge(about({.hash_parameters = Blob{}})));
  unknown(judge(about({.hash_parameters = Blob{0x04, 0x00}})), "which certificate");
  unknown(judge(about({.hash_parameters = Blob{0x05, 0x00, 0x05, 0x00}})), "which certificate");
  unknown(judge(about({.serial = Blob{0x7F}})), "another certificate");
  // The same serial number of an issuer with another name, or another key.
  const auto namesake = root().issue({.common_name = "Authority", .ca = true});
  const auto other_name = root().issue({.common_name = "Other", .key = authority().key(), .ca = true});
  unknown(judge(about({.issuer_name = other_name})), "another certificate");
  unknown(judge(about({.issuer_key = namesake})), "another certificate");
  unknown(judge(about({.hash = "SHA-256", .issuer_name = other_name})), "another certificate");
  unknown(judge(about({.hash = "SHA-256", .issuer_key = namesake})), "another certificate");
  good(judge(about({.issuer_name = namesake, .issuer_key = other_name})));
}

TEST_CASE("ocsp: dates, to the second", "[ocsp]") {
  const OcspOptions options{.statuses = {{.this_update = now, .next_update = now + 1'000}}, .produced_at = now};
  good(judge(options, now));
  good(judge(options, now - skew));
  unknown(judge(options, now - skew - 1), "not valid yet: of 2026-06-01T00:00:00Z, the time used is 2026-05-31");
  good(judge(options, now + 1'000 + skew));
  unknown(judge(options, now + 1'001 + skew), "too old: of 2026-06-01T00:00:00Z, valid until 2026-06-01T00:16:40Z");
  // Without nextUpdate.
  const OcspOptions open{.statuses = {{.this_update = now, .next_update = std::nullopt}}, .produced_at = now};
  good(judge(open, now));
  CHECK(judge(open, now).valid_until == now + max_age);
  good(judge(open, now + max_age + skew));
  unknown(judge(open, now + max_age + skew + 1), "without nextUpdate");
  // Signed in the future.
  good(judge({.produced_at = now + skew}));
  unknown(judge({.produced_at = now + skew + 1}), "was signed at 2026-06-01T00:05:01Z");
  unknown(judge(about({.this_update = now + 10, .next_update = now + 9})), "ends before it begins");
  good(judge(about({.this_update = now + 10, .next_update = now + 10})));
  // No clock makes it overflow.
  for (const std::int64_t time : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
    CHECK(judge(OcspOptions{}, time).state == RevocationState::unknown);
}

TEST_CASE("ocsp: extensions", "[ocsp]") {
  good(judge({.extensions = unknown_extension}));
  unknown(judge({.extensions = critical_extension}), "critical extension");
  good(judge(about({.extensions = unknown_extension})));
  unknown(judge(about({.extensions = critical_extension})), "critical extension");
  Blob before = critical_extension;
  before.insert(before.end(), unknown_extension.begin(), unknown_extension.end());
  unknown(judge(about({.extensions = before})), "critical extension");
  // One that is about somebody else does not matter.
  good(judge({.statuses = {{}, {.serial = Blob{0x11}, .extensions = critical_extension}}}));
}

TEST_CASE("ocsp: timestamps of transparency logs", "[ocsp]") {
  const auto extension = [](const Blob& value, bool critical = false) {
    return der_extension("1.3.6.1.4.1.11129.2.4.5", critical, value);
  };
  const auto timestamps = [](const RevocationFinding& finding) {
    good(finding);
    return tlsconnect::to_vector(finding.timestamps);
  };
  const auto with = [](const Blob& extensions) {
    return test::ocsp_response(leaf(), authority(), about({.extensions = extensions}));
  };
  const Blob list = {0x00, 0x01, 0x02};
  const Blob both = [&] {
    Blob all = unknown_extension;
    const Blob one = extension(der(0x04, list));
    all.insert(all.end(), one.begin(), one.end());
    return all;
  }();
  const Blob found = with(both);
  CHECK(timestamps(judge_bytes(found)) == list);
  CHECK(timestamps(judge(OcspOptions{})).empty());
  CHECK(timestamps(judge({.extensions = both})).empty()); // they belong to the one certificate
  unknown(judge_bytes(with(extension(der(0x04, list), true))), "critical extension");
  // Exactly one OCTET STRING, with something in it, and no second one.
  Blob behind = der(0x04, list);
  behind.push_back(0);
  for (const Blob& value : {list, behind, der(0x30, list), der(0x04, Blob{}), Blob{}})
    unknown(judge_bytes(with(extension(value))), "singleExtensions");
  Blob twice = both;
  const Blob again = extension(der(0x04, list));
  twice.insert(twice.end(), again.begin(), again.end());
  unknown(judge_bytes(with(twice)), "singleExtensions");
  const auto revoked_one = judge(about({.state = "revoked", .extensions = both}));
  revoked(revoked_one);
  CHECK(revoked_one.timestamps.empty());
}

TEST_CASE("ocsp: signed by the issuer", "[ocsp]") {
  unknown(judge({.break_signature = true}), "signature that this key did not make");
  // Named after the issuer, signed by somebody else.
  const auto namesake = test::self_signed({.common_name = "Authority", .ca = true});
  unknown(judge({.responder = namesake, .by_name = true}), "signature that this key did not make");
  unknown(judge({.responder = namesake, .by_name = true, .certificates = {namesake.der()}}), "OCSPSigning is missing");
  unknown(judge({.responder = namesake}), "neither the issuer nor");
  unknown(judge({.responder = root()}), "neither the issuer nor");
  unknown(judge({.certificates = {authority().der()}, .break_signature = true}),
          "signature that this key did not make");
  // Signed by the issuer, but not in its name.
  const Blob nobody = der(0xA2, der(0x04, Blob(20, 1)));
  const Blob somebody = der(0xA1, test::der_name({"Somebody"}));
  unknown(judge({.responder_id = nobody}), "neither the issuer nor");
  unknown(judge({.responder_id = somebody}), "neither the issuer nor");
  // And by a responder.
  for (const Blob& id : {nobody, somebody}) {
    OcspOptions options = delegated({});
    options.responder_id = id;
    unknown(judge(options), "neither the issuer nor");
  }
  unknown(judge({.responder = root(), .certificates = {root().der()}}), "was issued by CN=Root");
  // SHA-1 names, and does not sign.
  unknown(judge({.padding = "SHA-1", .algorithm = "1.2.840.10045.4.1"}), "no longer safe");
  good(judge({.padding = "SHA-384", .algorithm = "1.2.840.10045.4.3.3"}));
  unknown(judge({.padding = "SHA-384"}), "signature that this key did not make");
  unknown(judge({.algorithm = "1.2.840.113549.1.1.11"}), "does not go with the key");
  unknown(judge({.algorithm = "1.2.3.4"}), "which is not known");
}

TEST_CASE("ocsp: the configuration's rules for keys and signatures", "[ocsp]") {
  using enum tlsconnect::SignatureScheme;
  const Blob response = test::ocsp_response(leaf(), authority());
  good(judge_bytes(response, now, {.signature_schemes = {ecdsa_secp256r1_sha256}}));
  unknown(judge_bytes(response, now, {.signature_schemes = {ecdsa_secp384r1_sha384}}), "does not allow");

  const auto rsa = root().issue({.common_name = "RSA", .key_type = KeyType::rsa2048, .ca = true});
  const auto below = rsa.issue({});
  const auto at = [&](std::size_t bits) {
    std::size_t checks = 9;
    const Blob by_rsa =
        test::ocsp_response(below, rsa, {.padding = "PKCS1v15(SHA-256)", .algorithm = "1.2.840.113549.1.1.11"});
    return tlsconnect::check_ocsp_response(by_rsa, test::certificate(below), test::certificate(rsa), {now, 0, 0},
                                           {.rsa_bits_min = bits}, checks);
  };
  good(at(2048));
  good(at(0));
  unknown(at(3072), "at least 3072");
}

TEST_CASE("ocsp: signed by a responder that the issuer authorised", "[ocsp]") {
  good(judge(delegated({})));
  OcspOptions by_name = delegated({});
  by_name.by_name = true;
  good(judge(by_name));
  revoked([] {
    OcspOptions options = delegated({});
    options.statuses = {{.state = "revoked"}};
    return judge(options);
  }());

  // Its certificate is not there, or after others.
  OcspOptions absent = delegated({});
  const Blob certificate = absent.certificates[0];
  absent.certificates.clear();
  unknown(judge(absent), "neither the issuer nor");
  absent.certificates = {leaf().der(), authority().der(), certificate};
  good(judge(absent));
  absent.certificates = {Blob{0x30, 0x00}, certificate};
  good(judge(absent));
  absent.certificates = std::vector<Blob>(tlsconnect::limits::ocsp_certificates, certificate);
  good(judge(absent));
  absent.certificates.push_back(certificate);
  unknown(judge(absent), "more than 8 certs");
  absent.certificates = {certificate};
  absent.break_signature = true;
  unknown(judge(absent), "signature that this key did not make");

  // Issued by somebody else: the authority's issuer, a namesake, a namesake's key under the authority's name.
  unknown(judge(delegated({}, root())), "was issued by CN=Root, not by the issuer itself");
  const auto namesake = root().issue({.common_name = "Authority", .ca = true});
  unknown(judge(delegated({}, namesake)), "signature that this key did not make");
  unknown(judge(delegated({.break_signature = true})), "signature that this key did not make");
  // One below the authority, with its own authority between.
  unknown(judge(delegated({}, authority().issue({.common_name = "Sub", .ca = true}))), "was issued by CN=Sub");

  // What it may do.
  unknown(judge(delegated({.extended_key_usage = std::vector<std::string>{"PKIX.ServerAuth"}})),
          "OCSPSigning is missing");
  unknown(judge(delegated({.extended_key_usage = std::vector<std::string>{}})), "OCSPSigning is missing");
  unknown(judge(delegated({.extended_key_usage = std::vector<std::string>{"2.5.29.37.0"}})), "OCSPSigning is missing");
  good(judge(delegated({.extended_key_usage = std::vector<std::string>{"PKIX.ServerAuth", "PKIX.OCSPSigning"}})));
  good(judge(delegated({.key_usage = test::digital_signature})));
  good(judge(delegated({.key_usage = std::uint32_t{1U << 14}})));
  good(judge(delegated({.key_usage = std::uint32_t{0}})));
  unknown(judge(delegated({.key_usage = std::uint32_t{test::key_cert_sign | test::crl_sign}})), "keyUsage");
  // nocheck is welcome, and changes nothing.
  good(judge(delegated({.extensions = {{"1.3.6.1.5.5.7.48.1.5", false, {0x05, 0x00}}}})));
  unknown(judge(delegated({.extensions = {{"1.2.3.4", true, {0x05, 0x00}}}})), "critical extension");
  unknown(judge(delegated({.version1 = true})), "not of X.509 version 3");
  unknown(judge(delegated({.extensions = {{"2.5.29.19", true, {0x01}}}})), "malformed");

  // When it may.
  good(judge(delegated({.not_before = now, .not_after = now})));
  unknown(judge(delegated({.not_before = now + 1})), "is valid from 2026-06-01T00:00:01Z");
  unknown(judge(delegated({.not_after = now - 1})), "to 2026-05-31T23:59:59Z");

  // With what.
  unknown(judge(delegated({.hash = "SHA-1"})), "no longer safe");
  OcspOptions weak = delegated({.key_type = KeyType::rsa1024});
  weak.padding = "PKCS1v15(SHA-256)";
  weak.algorithm = "1.2.840.113549.1.1.11";
  unknown(judge(weak), "1024 bits");
  OcspOptions strong = delegated({.key_type = KeyType::rsa2048});
  strong.padding = "PKCS1v15(SHA-256)";
  strong.algorithm = "1.2.840.113549.1.1.11";
  good(judge(strong));
}

TEST_CASE("ocsp: a responder with several certificates", "[ocsp]") {
  OcspOptions options = delegated({});
  const auto useless = authority().issue({.common_name = "Responder", .key = options.responder->key()});
  options.certificates.insert(options.certificates.begin(), useless.der());
  good(judge(options));
  options.certificates = {useless.der()};
  unknown(judge(options), "OCSPSigning is missing");
  // A name that cannot be read is nobody's.
  options.responder_id = der(0xA1, der(0x30, Blob{0x05, 0x00}));
  unknown(judge(options), "neither the issuer");
}

TEST_CASE("ocsp: signatures are counted", "[ocsp]") {
  const auto cost = [](const OcspOptions& options, std::size_t allowed) {
    std::size_t left = allowed;
    const RevocationFinding finding =
        tlsconnect::check_ocsp_response(test::ocsp_response(leaf(), authority(), options), test::certificate(leaf()),
                                        test::certificate(authority()), {now, skew, max_age}, {}, left);
    return std::pair{finding.state, allowed - left};
  };
  using enum RevocationState;
  CHECK(cost({}, 5) == std::pair{good, std::size_t{1}});
  CHECK(cost({}, 1) == std::pair{good, std::size_t{1}});
  CHECK(cost({}, 0) == std::pair{unknown, std::size_t{0}});
  CHECK(cost(delegated({}), 2) == std::pair{good, std::size_t{2}});
  CHECK(cost(delegated({}), 1) == std::pair{unknown, std::size_t{1}});
  // What is of no use costs none.
  CHECK(cost(about({.serial = Blob{0x11}}), 5).second == 0);
  CHECK(cost(about({.this_update = now + day}), 5).second == 0);
  CHECK(cost(about({.state = "unknown"}), 5).second == 0);
  // Namesakes of the responder.
  const auto impostor = test::self_signed({.common_name = "Authority"});
  CHECK(cost({.responder = impostor, .by_name = true, .certificates = std::vector<Blob>(8, impostor.der())}, 9) ==
        std::pair{unknown, std::size_t{1}});
  const Blob text = test::ocsp_response(leaf(), authority());
  ::unknown(judge_bytes(text, now, {}, 0), "beyond which none is checked");
}

TEST_CASE("ocsp: excuses, and other types", "[ocsp]") {
  const auto status = [](std::uint8_t number) { return der(0x30, der(0x0A, Blob{number})); };
  unknown(judge_bytes(status(1)), "malformedRequest");
  unknown(judge_bytes(status(2)), "internalError");
  unknown(judge_bytes(status(3)), "tryLater");
  unknown(judge_bytes(status(5)), "sigRequired");
  unknown(judge_bytes(status(6)), "unauthorized");
  unknown(judge_bytes(status(4)), "nobody defined");
  unknown(judge_bytes(status(7)), "nobody defined");
  unknown(judge_bytes(status(0)), "no response in it");
  for (const Blob& number : {Blob{}, Blob{0, 0}})
    unknown(judge_bytes(der(0x30, {der(0x0A, number), der(0xA0, der(0x30, Blob{}))})), "not exactly one");
  const Blob whole = test::ocsp_response(leaf(), authority());
  // An excuse with a response is one.
  Blob excuse = whole;
  for (std::size_t i = 0; i + 2 < excuse.size(); ++i)
    if (excuse[i] == 0x0A && excuse[i + 1] == 1) {
      excuse[i + 2] = 3;
      break;
    }
  unknown(judge_bytes(excuse), "tryLater");
  unknown(judge_bytes(test::ocsp_envelope({}, 0, "1.3.6.1.5.5.7.48.1.2")), "1.3.6.1.5.5.7.48.1.2");
  unknown(judge_bytes(test::ocsp_envelope({})), "not a SEQUENCE");
  unknown(judge_bytes(Blob{}), "not exactly one");
  unknown(judge_bytes(Blob(tlsconnect::limits::ocsp_response + 1, 0x30)), "more than 65536 bytes");
}

TEST_CASE("ocsp: what is not exactly the definition is not read", "[ocsp]") {
  const Blob null = {0x05, 0x00};
  const auto odd = [](OcspStatus status, std::string_view part) {
    CHECK_FALSE(OcspResponse::decode(test::ocsp_response(leaf(), authority(), about(status))).has_value());
    unknown(judge(about(std::move(status))), part);
  };
  odd({.id = Blob{0x05, 0x00}}, "which certificate");
  odd({.id = der(0x30, Blob{})}, "which certificate");
  odd({.id = der(0x30,
                 {der(0x30, der(0x06, Blob{})), der(0x04, Blob(20, 1)), der(0x04, Blob(20, 1)), der(0x02, Blob{1})})},
      "which certificate");
  odd({.serial = Blob{}}, "which certificate");
  odd({.serial = Blob{0x00, 0x01}}, "which certificate");
  odd({.cert_status = Blob{0x80, 0x01, 0x00}}, "certStatus");
  odd({.cert_status = Blob{0x82, 0x01, 0x00}}, "certStatus");
  odd({.cert_status = Blob{0xA0, 0x00}}, "certStatus");
  odd({.cert_status = Blob{0x83, 0x00}}, "certStatus");
  odd({.cert_status = Blob{0x05, 0x00}}, "certStatus");
  odd({.cert_status = der(0xA1, Blob{})}, "certStatus");
  odd({.cert_status = der(0xA1, {der_time(now, 0x17)})}, "certStatus");
  odd({.cert_status = der(0xA1, {der_time(now), null})}, "certStatus");
  odd({.cert_status = der(0xA1, {der_time(now), der(0xA0, der(0x0A, Blob{1})), null})}, "certStatus");
  odd({.cert_status = der(0xA1, {der_time(now), der(0xA0, der(0x02, Blob{1}))})}, "certStatus");
  odd({.cert_status = der(0xA1, {der_time(now), der(0xA0, der(0x0A, Blob{0, 1}))})}, "certStatus");
  odd({.this_update_der = der_time(now - day, 0x17)}, "thisUpdate");
  odd({.this_update_der = null}, "thisUpdate");
  odd({.next_update_der = der(0xA0, der_time(now, 0x17))}, "nextUpdate");
  odd({.next_update_der = der(0xA0, Blob{})}, "nextUpdate");
  odd({.next_update_der = der(0xA0, {der_time(now + day), null})}, "nextUpdate");
  odd({.next_update_der = der_time(now + day)}, "singleExtensions");
  odd({.extensions_der = der(0xA1, Blob{})}, "singleExtensions");
  odd({.extensions_der = der(0xA1, der(0x30, Blob{}))}, "singleExtensions");
  odd({.extensions_der = der(0xA1, {der(0x30, unknown_extension), null})}, "singleExtensions");
  odd({.extensions_der = der(0xA1, der(0x30, null))}, "singleExtensions");
  odd({.behind = null}, "something behind");

  const auto wrong = [](OcspOptions options, std::string_view part) {
    CHECK_FALSE(OcspResponse::decode(test::ocsp_response(leaf(), authority(), options)).has_value());
    unknown(judge(options), part);
  };
  // The version, which DER leaves out, and others.
  for (const std::uint8_t version : {std::uint8_t{0}, std::uint8_t{1}})
    wrong({.version = der(0xA0, der(0x02, Blob{version}))}, "responder's name or key");
  wrong({.responder_id = null}, "responder's name or key");
  wrong({.responder_id = der(0xA1, null)}, "no name");
  wrong({.responder_id = der(0xA1, {test::der_name({"a"}), null})}, "no name");
  wrong({.responder_id = der(0xA2, der(0x04, Blob(19, 1)))}, "no SHA-1");
  wrong({.responder_id = der(0xA2, der(0x04, Blob(32, 1)))}, "no SHA-1");
  wrong({.responder_id = der(0xA2, der(0x03, Blob(20, 1)))}, "no SHA-1");
  wrong({.produced_at_der = der_time(now, 0x17)}, "producedAt");
  wrong({.responses = null}, "no list");
  wrong({.responses = der(0x30, Blob{})}, "no list");
  wrong({.responses = der(0x30, null)}, "which certificate");
  wrong({.responses = der(0x30, Blob{0x30})}, "not DER");
  wrong({.extensions_der = der(0xA1, Blob{})}, "responseExtensions");
  wrong({.extensions_der = der(0xA1, der(0x30, Blob{}))}, "responseExtensions");
  wrong({.behind_data = null}, "something behind");
  wrong({.signature_der = null}, "signature");
  wrong({.signature_der = Blob{0x03, 0x00}}, "signature");
  wrong({.signature_der = Blob{0x03, 0x02, 0x01, 0x80}}, "signature");
  wrong({.certificates_der = der(0xA0, null)}, "certs");
  wrong({.certificates_der = der(0xA0, {der(0x30, Blob{}), null})}, "certs");
  wrong({.certificates_der = der(0xA0, der(0x30, Blob{0x30}))}, "certs");
  wrong({.behind = null}, "something behind");
  // An empty list of certificates is one.
  good(judge({.certificates_der = der(0xA0, der(0x30, Blob{}))}));
}

TEST_CASE("ocsp: every field of another type, left out, twice, or with something behind it", "[ocsp]") {
  const auto taken = [](OcspStatus status) {
    status.extensions = unknown_extension;
    const Blob whole = test::ocsp_response(
        leaf(), authority(),
        {.statuses = {std::move(status)}, .certificates = {leaf().der()}, .extensions = unknown_extension});
    const auto tree = test::der_tree(whole, [](const std::string& place, std::uint8_t tag) {
      return place == "1.0.1" || ((tag & 0x20U) != 0 && place != "1.0.1.0.3.0.0");
    });
    REQUIRE(test::der_bytes(tree) == whole);
    return test::changes_taken(tree, [](const Blob& bytes) { return OcspResponse::decode(bytes).has_value(); });
  };
  const std::set<std::string> usual = {
      "twice 1.0.1.0.0.2.0",         // a second response
      "without 1.0.1.0.0.2.0.0.0.1", // parameters of the hash
      "without 1.0.1.0.0.2.0.3",     // nextUpdate
      "until 1.0.1.0.0.2.0.3",       // and singleExtensions
      "without 1.0.1.0.0.2.0.4",     // singleExtensions
      "twice 1.0.1.0.0.2.0.4.0.0",   // an extension
      "without 1.0.1.0.0.3",         // responseExtensions
      "twice 1.0.1.0.0.3.0.0",       // an extension
      "without 1.0.1.0.3",           // certs
      "without 1.0.1.0.3.0.0",       // a certificate
      "twice 1.0.1.0.3.0.0",         // likewise
      "tag 1.0.1.0.3.0.0",           // likewise: it is read later, or not at all
      "behind 1.0.1.0.3.0",          // likewise
      // The algorithm is read later.
      "behind 1.0.1.0.1",
      "tag 1.0.1.0.1.0",
      "without 1.0.1.0.1.0",
      "twice 1.0.1.0.1.0",
  };
  CHECK(taken({}) == usual);
  std::set<std::string> revocation = usual;
  revocation.insert("without 1.0.1.0.0.2.0.1.1"); // the reason
  CHECK(taken({.state = "revoked", .reason = 1}) == revocation);
}

TEST_CASE("ocsp: times that are none", "[ocsp]") {
  const auto time = [](std::string_view text) {
    const Blob whole = test::der_text(0x18, text);
    return tlsconnect::detail::der_time(*tlsconnect::detail::only_der(whole, 0x18));
  };
  CHECK(time("20260601000000Z") == now);
  CHECK(time("19700101000000Z") == 0);
  CHECK(time("20240229235959Z").has_value());
  CHECK(time("99991231235959Z") == 253'402'300'799);
  for (const char* text :
       {"20230229000000Z", "20261301000000Z", "20260001000000Z", "20260100000000Z", "20260431000000Z",
        "20260101240000Z", "20260101006000Z", "20260101000060Z", "20260101000000", "202601010000Z", "20260101000000z",
        "20260101000000.5Z", "20260101000000+0000", "2026 101000000Z", "", "Z"})
    CHECK_FALSE(time(text).has_value());
  const auto utc = [](std::string_view text) {
    const Blob whole = test::der_text(0x17, text);
    return tlsconnect::detail::der_time(*tlsconnect::detail::only_der(whole, 0x17));
  };
  CHECK(utc("260601000000Z") == now);
  CHECK(utc("500101000000Z") == -631'152'000);
  CHECK(utc("491231235959Z") == 2'524'607'999);
  CHECK_FALSE(utc("2606010000Z").has_value());
  CHECK_FALSE(utc("20260601000000Z").has_value());
}

TEST_CASE("ocsp: cut anywhere, with anything behind it, and with any byte changed", "[ocsp]") {
  OcspOptions options = delegated({});
  options.extensions = unknown_extension;
  options.statuses[0].extensions = unknown_extension;
  const Blob whole = test::ocsp_response(leaf(), authority(), options);
  good(judge_bytes(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    if (OcspResponse::decode(std::span(whole).first(size)))
      FAIL_CHECK("cut after " << size << " bytes");
  Blob longer = whole;
  longer.push_back(0);
  CHECK_FALSE(OcspResponse::decode(longer).has_value());
  // A changed byte is noticed, by the decoder or by the signature; the last certificate's tail is nobody's.
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    Blob changed = whole;
    changed[i] ^= 0x20;
    if (judge_bytes(changed).state == RevocationState::good)
      FAIL_CHECK("changed at " << i);
  }
}
