// Path validation: for each rule a chain that keeps it and one that differs in that alone.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include <botan/bigint.h>
#include <botan/rsa.h>

#include "support.hpp"

using test::Blob;
using test::CertOptions;
using test::contains;
using test::day;
using test::Identity;
using test::KeyType;
using test::now;
using tlsconnect::ErrorCode;

namespace {

using Outcome = std::expected<std::vector<tlsconnect::Certificate>, tlsconnect::PathFailure>;

Outcome validate(const std::vector<Blob>& chain, const std::vector<Identity>& anchors, std::int64_t time = now) {
  return tlsconnect::validate_server_path(test::certificates(chain), test::anchors(anchors), time);
}

// Checks the whole of a failure.
void check_failure(const Outcome& outcome, ErrorCode code, std::size_t position, std::string_view reason = {}) {
  REQUIRE_FALSE(outcome.has_value());
  CAPTURE(outcome.error().reason, tlsconnect::describe(outcome.error().code).name);
  CHECK(outcome.error().code == code);
  CHECK(outcome.error().position == position);
  CHECK_FALSE(outcome.error().reason.empty());
  CHECK(contains(outcome.error().reason, reason));
}

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}
const Identity& authority() {
  static const Identity identity = root().issue({.common_name = "Authority", .ca = true});
  return identity;
}

} // namespace

TEST_CASE("a plain chain, and the path that is found", "[path]") {
  const auto leaf = authority().issue({.common_name = "leaf"});
  const auto path = validate(leaf.chain_der(), {root()});
  REQUIRE(path.has_value());
  REQUIRE(path->size() == 3);
  CHECK(path->at(0).subject() == "CN=leaf");
  CHECK(path->at(1).subject() == "CN=Authority");
  CHECK(path->at(2).subject() == "CN=Root");
  // Directly under the root, and with the root sent along.
  CHECK(validate(root().issue({}).chain_der(), {root()}).has_value());
  CHECK(validate(leaf.chain_der(true), {root()}).value().size() == 3);
  // Compact certificates do as well.
  std::vector<tlsconnect::Certificate> compact;
  for (const auto& certificate : test::certificates(leaf.chain_der()))
    compact.push_back(certificate.compact());
  CHECK(tlsconnect::validate_server_path(compact, test::anchors({root()}), now).has_value());
}

TEST_CASE("an empty chain is refused", "[path]") {
  const auto outcome = tlsconnect::validate_server_path({}, test::anchors({root()}), now);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == ErrorCode::certificate_list_empty);
}

TEST_CASE("every kind of key in every place", "[path]") {
  for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::p521, KeyType::rsa2048, KeyType::rsa3072,
                             KeyType::rsa_pss2048, KeyType::rsa_pss2048_sha256, KeyType::ed25519, KeyType::ed448,
                             KeyType::mldsa44, KeyType::mldsa65, KeyType::mldsa87}) {
    CAPTURE(static_cast<int>(type));
    if (!test::is_available(type))
      continue;
    const auto top = test::self_signed({.common_name = "Top", .key_type = type, .ca = true});
    const auto middle = top.issue({.common_name = "Middle", .key_type = type, .ca = true});
    const auto leaf = middle.issue({.key_type = type});
    const auto path = validate(leaf.chain_der(), {top});
    if (!path)
      FAIL_CHECK(path.error().reason);
  }
}

TEST_CASE("dates, to the second", "[path]") {
  const auto leaf = authority().issue({.not_before = now, .not_after = now + day});
  CHECK(validate(leaf.chain_der(), {root()}, now).has_value());
  CHECK(validate(leaf.chain_der(), {root()}, now + day).has_value());
  check_failure(validate(leaf.chain_der(), {root()}, now - 1), ErrorCode::certificate_not_yet_valid, 0,
                "2026-06-01T00:00:00Z");
  check_failure(validate(leaf.chain_der(), {root()}, now + day + 1), ErrorCode::certificate_expired, 0,
                "2026-06-02T00:00:00Z");
  check_failure(validate(leaf.chain_der(), {root()}, now + day + 1), ErrorCode::certificate_expired, 0,
                "2026-06-02T00:00:01Z");

  const auto old = root().issue({.common_name = "Old", .not_after = now - 1, .ca = true});
  check_failure(validate(old.issue({}).chain_der(), {root()}), ErrorCode::certificate_expired, 1);
  // An anchor's dates count too; it is not in the chain.
  const auto old_root = test::self_signed({.common_name = "Old Root", .not_after = now - 1, .ca = true});
  check_failure(validate(old_root.issue({}).chain_der(), {old_root}), ErrorCode::certificate_expired, 1, "Old Root");
}

TEST_CASE("times that no certificate reaches", "[path]") {
  const auto leaf = authority().issue({});
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  check_failure(validate(leaf.chain_der(), {root()}, -1), ErrorCode::certificate_not_yet_valid, 0);
  check_failure(validate(leaf.chain_der(), {root()}, least / 1'000'000), ErrorCode::certificate_not_yet_valid, 0);
  check_failure(validate(leaf.chain_der(), {root()}, most / 1'000'000), ErrorCode::certificate_expired, 0);
}

TEST_CASE("an unknown root", "[path]") {
  const auto stranger = test::self_signed({.common_name = "Stranger", .ca = true});
  const auto leaf = authority().issue({});
  check_failure(validate(leaf.chain_der(), {stranger}), ErrorCode::certificate_unknown_issuer, 1, "CN=Root");
  check_failure(validate(leaf.chain_der(true), {stranger}), ErrorCode::certificate_unknown_issuer, 2, "self-signed");
  // Trusting nobody, and trusting many.
  check_failure(validate(leaf.chain_der(), {}), ErrorCode::certificate_unknown_issuer, 1);
  CHECK(validate(leaf.chain_der(), {stranger, root()}).has_value());
}

TEST_CASE("a root of the right name and another key", "[path]") {
  const auto impostor = test::self_signed({.common_name = "Root", .ca = true});
  check_failure(validate(authority().issue({}).chain_der(), {impostor}), ErrorCode::certificate_unknown_issuer, 1,
                "another key");
  // Without key identifiers it takes the signature to tell them apart.
  const auto plain = test::self_signed({.common_name = "Plain", .ca = true, .key_ids = false});
  const auto plain_impostor = test::self_signed({.common_name = "Plain", .ca = true, .key_ids = false});
  const auto leaf = plain.issue({.key_ids = false});
  CHECK(validate(leaf.chain_der(), {plain}).has_value());
  check_failure(validate(leaf.chain_der(), {plain_impostor}), ErrorCode::certificate_signature_invalid, 0);
  CHECK(validate(leaf.chain_der(), {plain_impostor, plain}).has_value());
}

TEST_CASE("a server's self-signed certificate", "[path]") {
  const auto own = test::self_signed({.common_name = "own"});
  check_failure(validate(own.chain_der(), {root()}), ErrorCode::certificate_self_signed, 0);
  // Who makes it an anchor has said that this server is trusted, and the rest of the rules stay.
  const auto path = validate(own.chain_der(), {own});
  REQUIRE(path.has_value());
  CHECK(path->size() == 1);
  check_failure(validate(own.chain_der(), {own}, now + 365 * day), ErrorCode::certificate_expired, 0);
  const auto for_clients = test::self_signed({.extended_key_usage = {{"PKIX.ClientAuth"}}});
  check_failure(validate(for_clients.chain_der(), {for_clients}), ErrorCode::certificate_usage_forbidden, 0);
}

TEST_CASE("anchors that are not self-signed", "[path]") {
  const auto leaf = authority().issue({.common_name = "leaf"});
  const auto path = validate(leaf.chain_der(), {authority()});
  REQUIRE(path.has_value());
  CHECK(path->size() == 2);
  const auto pinned = validate(leaf.chain_der(), {leaf});
  REQUIRE(pinned.has_value());
  CHECK(pinned->size() == 1);
  // A certificate with the name and key of the anchor, but another one, is none.
  const auto sibling = authority().issue({.common_name = "leaf", .key = leaf.key()});
  check_failure(validate(sibling.chain_der(), {leaf}), ErrorCode::certificate_unknown_issuer, 1);
}

TEST_CASE("a missing intermediate certificate", "[path]") {
  const auto leaf = authority().issue({});
  check_failure(validate({leaf.der()}, {root()}), ErrorCode::certificate_unknown_issuer, 0,
                "may not have sent its intermediate certificate");
  check_failure(validate({leaf.der()}, {root()}), ErrorCode::certificate_unknown_issuer, 0, "CN=Authority");
  const auto expired = authority().issue({.not_after = now - 1});
  const auto both = validate({expired.der()}, {root()});
  check_failure(both, ErrorCode::certificate_unknown_issuer, 0);
  REQUIRE(both.error().findings.size() == 2);
  CHECK(both.error().findings[1].code == ErrorCode::certificate_expired);
}

TEST_CASE("wrong order, duplicates and unrelated certificates do not matter", "[path]") {
  const auto middle = root().issue({.common_name = "Middle", .ca = true});
  const auto low = middle.issue({.common_name = "Low", .ca = true});
  const auto leaf = low.issue({});
  const auto unrelated = test::self_signed({.common_name = "Unrelated", .ca = true});
  const std::vector<Blob> mixed = {leaf.der(),      unrelated.der(), root().der(), middle.der(), low.der(),
                                   unrelated.der(), middle.der(),    leaf.der(),   low.der()};
  const auto path = validate(mixed, {root()});
  REQUIRE(path.has_value());
  CHECK(path->size() == 4);
  // But the first is the server's.
  check_failure(validate({low.der(), leaf.der(), middle.der()}, {root()}), ErrorCode::certificate_usage_forbidden, 0);
}

TEST_CASE("cross-signed authorities", "[path]") {
  const auto old_root = test::self_signed({.common_name = "Old Root", .not_after = now - 1, .ca = true});
  const auto new_root = test::self_signed({.common_name = "New Root", .ca = true});
  const auto ca = old_root.issue({.common_name = "CA", .ca = true});
  const auto crossed = ca.cross_signed_by(new_root, {.ca = true});
  const auto leaf = ca.issue({});
  const std::vector<Blob> chain = {leaf.der(), ca.der(), crossed.der()};
  CHECK(validate(chain, {new_root}).has_value());
  CHECK(validate(chain, {old_root, new_root}).has_value()); // the expired way is a dead end, not the end
  CHECK(validate({leaf.der(), crossed.der(), ca.der()}, {old_root, new_root}).has_value());
  check_failure(validate(chain, {old_root}), ErrorCode::certificate_expired, 3, "Old Root");
}

TEST_CASE("loops and floods end", "[path]") {
  // Two authorities that certify each other, and no way out.
  const auto a = test::self_signed({.common_name = "A", .ca = true});
  const auto b = test::self_signed({.common_name = "B", .ca = true});
  const auto a_by_b = a.cross_signed_by(b, {.ca = true});
  const auto b_by_a = b.cross_signed_by(a, {.ca = true});
  const auto leaf = a.issue({});
  check_failure(validate({leaf.der(), a_by_b.der(), b_by_a.der()}, {root()}), ErrorCode::certificate_unknown_issuer, 2);

  // Fifteen certificates of one name and no key identifiers: each may have issued each.
  const auto began = std::chrono::steady_clock::now();
  CertOptions same{.common_name = "Same", .ca = true, .key_ids = false};
  const auto trusted = test::self_signed({.common_name = "Trusted", .ca = true, .key_ids = false});
  std::vector<Blob> flood = {test::self_signed(same).issue({.key_ids = false}).der()};
  // Not self-issued, so that they do not count as self-signed: X under Y and Y under X.
  const auto x = test::self_signed({.common_name = "Same", .ca = true, .key_ids = false});
  const auto y = test::self_signed({.common_name = "Other", .ca = true, .key_ids = false});
  for (int i = 0; i < 7; ++i) {
    flood.push_back(y.issue({.common_name = "Same", .ca = true, .key_ids = false}).der());
    flood.push_back(x.issue({.common_name = "Other", .ca = true, .key_ids = false}).der());
  }
  flood.push_back(trusted.issue({.common_name = "Other", .ca = true, .key_ids = false}).der());
  const auto outcome = validate(flood, {trusted});
  const auto took = std::chrono::steady_clock::now() - began;
  REQUIRE_FALSE(outcome.has_value());
  CHECK(took < std::chrono::seconds(20));
}

TEST_CASE("signatures in the chain", "[path]") {
  CHECK(validate(authority().issue({}).chain_der(), {root()}).has_value());
  check_failure(validate(authority().issue({.break_signature = true}).chain_der(), {root()}),
                ErrorCode::certificate_signature_invalid, 0, "CN=Authority");
  const auto forged = root().issue({.common_name = "Forged", .ca = true, .break_signature = true});
  check_failure(validate(forged.issue({}).chain_der(), {root()}), ErrorCode::certificate_signature_invalid, 1);
  // One bit of the signed part.
  const auto leaf = authority().issue({.common_name = "tampered"});
  auto chain = leaf.chain_der();
  const std::string text = "tampered";
  const auto at = std::search(chain[0].begin(), chain[0].end(), text.begin(), text.end());
  REQUIRE(at != chain[0].end());
  *at ^= 1;
  check_failure(validate(chain, {root()}), ErrorCode::certificate_signature_invalid, 0);
}

TEST_CASE("SHA-1 is refused", "[path]") {
  check_failure(validate(authority().issue({.hash = "SHA-1"}).chain_der(), {root()}),
                ErrorCode::certificate_algorithm_weak, 0, "SHA-1");
  const auto rsa = test::self_signed({.common_name = "RSA", .key_type = KeyType::rsa2048, .ca = true});
  check_failure(validate(rsa.issue({.hash = "SHA-1"}).chain_der(), {rsa}), ErrorCode::certificate_algorithm_weak, 0);
  CHECK(validate(rsa.issue({.hash = "SHA-256"}).chain_der(), {rsa}).has_value());
  CHECK(validate(rsa.issue({.hash = "SHA-256", .padding = "PSS"}).chain_der(), {rsa}).has_value());
  // How an anchor signs itself proves nothing either way.
  const auto old = test::self_signed({.common_name = "old", .ca = true, .hash = "SHA-1"});
  CHECK(validate(old.issue({}).chain_der(), {old}).has_value());
}

TEST_CASE("RSA with 1024 bits is too weak in every place", "[path]") {
  check_failure(validate(authority().issue({.key_type = KeyType::rsa1024}).chain_der(), {root()}),
                ErrorCode::certificate_key_too_weak, 0, "1024");
  CHECK(validate(authority().issue({.key_type = KeyType::rsa2048}).chain_der(), {root()}).has_value());
  const auto weak = root().issue({.common_name = "Weak", .key_type = KeyType::rsa1024, .ca = true});
  check_failure(validate(weak.issue({}).chain_der(), {root()}), ErrorCode::certificate_key_too_weak, 1, "1024");
  const auto weak_root = test::self_signed({.common_name = "Weak Root", .key_type = KeyType::rsa1024, .ca = true});
  check_failure(validate(weak_root.issue({}).chain_der(), {weak_root}), ErrorCode::certificate_key_too_weak, 1,
                "Weak Root");
}

TEST_CASE("keys that cannot be used", "[path]") {
  Blob off_curve = test::Key::cached(KeyType::p256).public_der();
  off_curve.back() ^= 1;
  check_failure(validate(authority().issue({.public_key = off_curve}).chain_der(), {root()}),
                ErrorCode::certificate_key_unsupported, 0);
  const auto odd = root().issue({.common_name = "Odd", .public_key = off_curve, .ca = true});
  check_failure(validate(odd.issue({}).chain_der(), {root()}), ErrorCode::certificate_key_unsupported, 1);
}

TEST_CASE("an issuer's RSA key that would take too long to try is not tried", "[path]") {
  const auto proper = test::Key::cached(KeyType::rsa2048);
  const auto& rsa = dynamic_cast<const Botan::RSA_PublicKey&>(*proper.botan());
  const Botan::RSA_PublicKey slow(rsa.get_n(), Botan::BigInt::from_u64(0x8000'0000'0000'0001ULL));
  const auto with_key = [&](const Blob& key) {
    const auto ca =
        root().issue({.common_name = "RSA", .key = proper, .public_key = key, .ca = true, .key_ids = false});
    return validate(ca.issue({.key_ids = false}).chain_der(), {root()});
  };
  CHECK(with_key(proper.public_der()).has_value());
  check_failure(with_key(slow.subject_public_key()), ErrorCode::certificate_key_unsupported, 1, "exponent");
}

TEST_CASE("extendedKeyUsage of the server's certificate", "[path]") {
  const auto outcome = [](std::vector<std::string> purposes) {
    return validate(authority().issue({.extended_key_usage = std::move(purposes)}).chain_der(), {root()});
  };
  CHECK(outcome({}).has_value());
  CHECK(outcome({"PKIX.ServerAuth"}).has_value());
  CHECK(outcome({"PKIX.ClientAuth", "PKIX.ServerAuth"}).has_value());
  check_failure(outcome({"PKIX.ClientAuth"}), ErrorCode::certificate_usage_forbidden, 0, "serverAuth");
  check_failure(outcome({"PKIX.CodeSigning"}), ErrorCode::certificate_usage_forbidden, 0, "serverAuth");
  check_failure(outcome({"2.5.29.37.0"}), ErrorCode::certificate_usage_forbidden, 0, "serverAuth");
}

TEST_CASE("extendedKeyUsage of an issuer", "[path]") {
  const auto outcome = [](std::vector<std::string> purposes) {
    const auto ca = root().issue({.common_name = "CA", .ca = true, .extended_key_usage = std::move(purposes)});
    return validate(ca.issue({}).chain_der(), {root()});
  };
  CHECK(outcome({}).has_value());
  CHECK(outcome({"PKIX.ServerAuth"}).has_value());
  CHECK(outcome({"2.5.29.37.0"}).has_value());
  check_failure(outcome({"PKIX.ClientAuth"}), ErrorCode::certificate_usage_forbidden, 1, "serverAuth");
}

TEST_CASE("keyUsage of the server's certificate", "[path]") {
  const auto outcome = [](std::uint32_t bits) {
    return validate(authority().issue({.key_usage = bits}).chain_der(), {root()});
  };
  CHECK(outcome(0).has_value()); // no such extension
  CHECK(outcome(test::digital_signature).has_value());
  CHECK(outcome(test::digital_signature | test::key_encipherment).has_value());
  check_failure(outcome(test::key_encipherment), ErrorCode::certificate_usage_forbidden, 0, "digitalSignature");
  check_failure(outcome(test::key_agreement), ErrorCode::certificate_usage_forbidden, 0, "digitalSignature");
  check_failure(outcome(test::digital_signature | test::key_cert_sign), ErrorCode::certificate_usage_forbidden, 0,
                "keyCertSign");
}

TEST_CASE("who may issue", "[path]") {
  const auto outcome = [](CertOptions options) {
    options.common_name = "Issuer";
    return validate(root().issue(options).issue({}).chain_der(), {root()});
  };
  CHECK(outcome({.ca = true}).has_value());
  CHECK(outcome({.ca = true, .key_usage = 0}).has_value());
  check_failure(outcome({.ca = false}), ErrorCode::certificate_usage_forbidden, 1, "not a certificate authority");
  check_failure(outcome({.ca = false, .key_usage = 0}), ErrorCode::certificate_usage_forbidden, 1);
  check_failure(outcome({.ca = true, .key_usage = test::digital_signature}), ErrorCode::certificate_usage_forbidden, 1);
  check_failure(outcome({.version1 = true}), ErrorCode::certificate_usage_forbidden, 1);
}

TEST_CASE("path length", "[path]") {
  const auto outcome = [](std::optional<std::size_t> length) {
    const auto top = test::self_signed({.common_name = "Top", .ca = true});
    const auto limited = top.issue({.common_name = "Limited", .ca = true, .path_length = length});
    const auto below = limited.issue({.common_name = "Below", .ca = true});
    return validate(below.issue({}).chain_der(), {top});
  };
  CHECK(outcome(std::nullopt).has_value());
  CHECK(outcome(1).has_value());
  check_failure(outcome(0), ErrorCode::certificate_constraint_violated, 1, "pathLen");
}

TEST_CASE("name constraints", "[path]") {
  const auto outcome = [](CertOptions authority_options, const char* dns) {
    authority_options.common_name = "Constrained";
    authority_options.ca = true;
    const auto ca = root().issue(authority_options);
    return validate(ca.issue({.dns = {dns}}).chain_der(), {root()});
  };
  CHECK(outcome({.permitted_dns = {"example.com"}}, "www.example.com").has_value());
  check_failure(outcome({.permitted_dns = {"example.com"}}, "www.example.org"),
                ErrorCode::certificate_constraint_violated, 0, "nameConstraints");
  CHECK(outcome({.excluded_dns = {"example.org"}}, "www.example.com").has_value());
  check_failure(outcome({.excluded_dns = {"example.org"}}, "www.example.org"),
                ErrorCode::certificate_constraint_violated, 0, "nameConstraints");
}

TEST_CASE("a server's certificate of version 1", "[path]") {
  check_failure(validate(root().issue({.version1 = true}).chain_der(), {root()}),
                ErrorCode::certificate_usage_forbidden, 0, "version");
}

TEST_CASE("extensions that nobody knows, and some that are broken", "[path]") {
  const Blob null = {0x05, 0x00};
  CHECK(validate(authority().issue({.extensions = {{"1.3.6.1.4.1.55555.1", false, null}}}).chain_der(), {root()})
            .has_value());
  check_failure(
      validate(authority().issue({.extensions = {{"1.3.6.1.4.1.55555.1", true, null}}}).chain_der(), {root()}),
      ErrorCode::certificate_constraint_violated, 0, "critical");
  // subjectAltName that is no SEQUENCE
  check_failure(validate(authority().issue({.extensions = {{"2.5.29.17", false, null}}}).chain_der(), {root()}),
                ErrorCode::certificate_malformed, 0);
  // A dNSName that is none: names that constraints cannot be applied to get nowhere.
  check_failure(
      validate(authority().issue({.dns = {"a.example", std::string("b\0.example", 10)}}).chain_der(), {root()}),
      ErrorCode::certificate_malformed, 0);
}
