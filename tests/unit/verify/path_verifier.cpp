// The default verifier: path and name together, and what its errors tell a person.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include <tlsconnect/client/config.hpp>

#include "support.hpp"

using test::Blob;
using test::contains;
using test::day;
using test::Identity;
using test::now;
using tlsconnect::ErrorCode;
using tlsconnect::PathVerifier;
using tlsconnect::Result;
using tlsconnect::TrustAnchors;
using tlsconnect::VerifiedChain;

namespace {

Result<VerifiedChain> verify(const Identity& leaf, const Identity& anchor, std::string_view name,
                             std::int64_t time = now) {
  const auto verifier = PathVerifier::create(TrustAnchors::from_pem(anchor.pem()).value()).value();
  const auto chain = test::certificates(leaf.chain_der());
  return verifier->verify({chain}, test::name(name), time);
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

TEST_CASE("no anchors, no verifier", "[path_verifier]") {
  const auto verifier = PathVerifier::create(TrustAnchors());
  REQUIRE_FALSE(verifier.has_value());
  CHECK(verifier.error().code() == ErrorCode::no_trust_anchors);
}

TEST_CASE("an accepted chain explains itself", "[path_verifier]") {
  const auto leaf = authority().issue({
      .common_name = "leaf",
      .dns = {"other.example", "*.tlsconnect.test"},
      .ip = {"192.0.2.1"},
      .not_after = now + day,
  });
  const auto verified = verify(leaf, root(), "demo.tlsconnect.test");
  REQUIRE(verified.has_value());
  CHECK(verified->path.size() == 3);
  CHECK(verified->explanation ==
        "demo.tlsconnect.test is covered by dNSName *.tlsconnect.test; path of 3 to the trust "
        "anchor CN=Root; valid until 2026-06-02T00:00:00Z; whether it was revoked is not known");
  const auto by_address = verify(leaf, root(), "192.0.2.1");
  REQUIRE(by_address.has_value());
  CHECK(contains(by_address->explanation, "iPAddress 192.0.2.1"));
}

TEST_CASE("the wrong name", "[path_verifier]") {
  const auto leaf = authority().issue({.common_name = "wanted.example",
                                       .dns = {"a.example", "*.b.example"},
                                       .ip = {"192.0.2.1", "2001:db8::1"},
                                       .serial = 0x1234});
  CHECK(verify(leaf, root(), "a.example").has_value());
  const auto refused = verify(leaf, root(), "wanted.example");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::certificate_name_mismatch);
  const std::string text = refused.error().message();
  CAPTURE(text);
  for (const char* part :
       {"certificate 1 of 2", "CN=wanted.example", "CN=Authority", "1234", "asked for is wanted.example", "a.example",
        "*.b.example", "192.0.2.1", "2001:0db8:0000:0000:0000:0000:0000:0001"})
    CHECK(contains(text, part));
  CHECK(verify(leaf, root(), "192.0.2.1").has_value());
  CHECK_FALSE(verify(leaf, root(), "192.0.2.2").has_value());
}

TEST_CASE("a certificate with a common name only", "[path_verifier]") {
  const auto refused = verify(authority().issue({.common_name = "demo.example"}), root(), "demo.example");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::certificate_name_mismatch);
  CHECK(contains(refused.error().detail(), "common name does not count"));
}

TEST_CASE("many names are not all listed", "[path_verifier]") {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i)
    names.push_back("host" + std::to_string(i) + ".example");
  const auto refused = verify(authority().issue({.dns = names}), root(), "demo.example");
  REQUIRE_FALSE(refused.has_value());
  CHECK(contains(refused.error().detail(), "host15.example"));
  CHECK_FALSE(contains(refused.error().detail(), "host16.example"));
  CHECK(contains(refused.error().detail(), "84 more"));
}

TEST_CASE("the path decides, the name is mentioned", "[path_verifier]") {
  const auto expired = authority().issue({.common_name = "leaf", .dns = {"a.example"}, .not_after = now - day});
  const auto only_expired = verify(expired, root(), "a.example");
  REQUIRE_FALSE(only_expired.has_value());
  CHECK(only_expired.error().code() == ErrorCode::certificate_expired);
  CHECK(contains(only_expired.error().detail(), "certificate 1 of 2 (CN=leaf; issuer CN=Authority; serial "));
  CHECK(contains(only_expired.error().detail(), "2026-05-31T00:00:00Z"));
  CHECK(contains(only_expired.error().detail(), "2026-06-01T00:00:00Z"));
  CHECK(contains(only_expired.error().detail(), "a.example"));
  CHECK_FALSE(contains(only_expired.error().detail(), "besides"));

  const auto both = verify(expired, root(), "b.example");
  REQUIRE_FALSE(both.has_value());
  CHECK(both.error().code() == ErrorCode::certificate_expired);
  CHECK(contains(both.error().detail(),
                 "besides, the name asked for is b.example, but the certificate is for a.example"));
}

TEST_CASE("failures elsewhere in the chain and above it", "[path_verifier]") {
  const auto old = root().issue({.common_name = "Old", .not_after = now - day, .ca = true});
  const auto middle = verify(old.issue({.dns = {"a.example"}}), root(), "a.example");
  REQUIRE_FALSE(middle.has_value());
  CHECK(contains(middle.error().detail(), "certificate 2 of 2 (CN=Old"));

  const auto old_root = test::self_signed({.common_name = "Old Root", .not_after = now - day, .ca = true});
  const auto above = verify(old_root.issue({.dns = {"a.example"}}), old_root, "a.example");
  REQUIRE_FALSE(above.has_value());
  CHECK(above.error().code() == ErrorCode::certificate_expired);
  CHECK(contains(above.error().detail(), "the trust anchor (CN=Old Root)"));

  const auto stranger = test::self_signed({.common_name = "Stranger", .ca = true});
  const auto unknown = verify(stranger.issue({.dns = {"a.example"}}), root(), "a.example");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code() == ErrorCode::certificate_unknown_issuer);
  CHECK(contains(unknown.error().detail(), "CN=Stranger"));
}

TEST_CASE("what a hostile certificate says cannot deceive a terminal", "[path_verifier]") {
  const auto refused =
      verify(test::self_signed({.common_name = "x\x1b[2Ky\r\nz", .dns = {"bad\x1b[2K.example"}}), root(), "a.example");
  REQUIRE_FALSE(refused.has_value());
  for (const char c : refused.error().message())
    CHECK(static_cast<unsigned char>(c) >= 0x20);
}

TEST_CASE("an empty chain", "[path_verifier]") {
  const auto verifier = PathVerifier::create(TrustAnchors::from_pem(root().pem()).value()).value();
  const auto refused = verifier->verify({}, test::name("a.example"), now);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::certificate_list_empty);
}

TEST_CASE("the dangerous one accepts what the default refuses, and says so", "[path_verifier]") {
  const auto own = test::self_signed({});
  CHECK_FALSE(verify(own, root(), "a.example").has_value());
  const tlsconnect::DangerousNoVerification dangerous;
  const auto chain = test::certificates(own.chain_der());
  const auto accepted = dangerous.verify({chain}, test::name("a.example"), now);
  REQUIRE(accepted.has_value());
  CHECK(accepted->path.empty());
  CHECK(contains(accepted->explanation, "without any verification"));
}

TEST_CASE("every reason is told, with the certificate that it is about", "[path_verifier]") {
  const auto weak =
      root().issue({.common_name = "Weak", .key_type = test::KeyType::rsa1024, .not_after = now - day, .ca = true});
  const auto refused =
      verify(weak.issue({.common_name = "leaf", .dns = {"a.example"}, .not_after = now - day}), root(), "a.example");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::certificate_key_too_weak);
  const std::string text(refused.error().detail());
  CAPTURE(text);
  CHECK(text.starts_with("certificate 2 of 2 (CN=Weak; issuer CN=Root; serial "));
  CHECK(contains(text,
                 "its key is RSA with 1024 bits; at least 2048 are needed (RFC 9846, C.2); besides, certificate 1 of "
                 "2 (CN=leaf; issuer CN=Weak; serial "));
  CHECK(contains(text, "expired"));
  CHECK(contains(text, "RFC 5280, 4.1.2.5"));
  // One certificate that breaks several rules is described once.
  const auto both = verify(
      root().issue(
          {.common_name = "leaf", .key_type = test::KeyType::rsa1024, .dns = {"a.example"}, .not_after = now - day}),
      root(), "a.example");
  CHECK(contains(both.error().detail(), "besides, of the same certificate: expired"));
}

TEST_CASE("so many reasons that not all are listed", "[path_verifier]") {
  Identity last = root();
  for (int i = 0; i < 6; ++i)
    last = last.issue({.common_name = "Step " + std::to_string(i),
                       .key_type = test::KeyType::rsa1024,
                       .not_after = now - day,
                       .ca = true});
  const auto refused = verify(last.issue({.dns = {"a.example"}}), root(), "a.example");
  REQUIRE_FALSE(refused.has_value());
  CHECK(contains(refused.error().detail(), "and 4 more reasons"));
}

TEST_CASE("a policy reaches every certificate, and is a part of the identity", "[path_verifier]") {
  const auto anchors = TrustAnchors::from_pem(root().pem()).value();
  const auto chain =
      test::certificates(authority().issue({.key_type = test::KeyType::rsa2048, .dns = {"a.example"}}).chain_der());
  const auto usual = PathVerifier::create(anchors).value();
  const auto longer = PathVerifier::create(anchors, {.rsa_bits_min = 3072}).value();
  const auto other =
      PathVerifier::create(anchors, {.signature_schemes = {tlsconnect::SignatureScheme::ed25519}}).value();
  CHECK(usual->verify({chain}, test::name("a.example"), now).has_value());
  CHECK(longer->verify({chain}, test::name("a.example"), now).error().code() == ErrorCode::certificate_key_too_weak);
  CHECK(other->verify({chain}, test::name("a.example"), now).error().code() == ErrorCode::certificate_algorithm_weak);
  CHECK(usual->trust_identity() == PathVerifier::create(anchors).value()->trust_identity());
  CHECK(usual->trust_identity() != longer->trust_identity());
  CHECK(usual->trust_identity() != other->trust_identity());
  CHECK(longer->trust_identity() != other->trust_identity());

  // A configuration hands on what its policy says.
  const auto config = [&](const tlsconnect::Policy& policy) {
    return tlsconnect::ClientConfig::builder(policy).trust(anchors).build().value();
  };
  const auto of_p256 = test::certificates(authority().issue({.dns = {"a.example"}}).chain_der());
  CHECK(config(tlsconnect::policies::modern_202611())->verifier()->verify({of_p256}, test::name("a.example"), now));
  const auto narrow = config(tlsconnect::policies::cnsa1_202603());
  CHECK(narrow->verifier()->verify({of_p256}, test::name("a.example"), now).error().code() ==
        ErrorCode::certificate_algorithm_weak);
  const auto rsa = narrow->verifier()->verify({chain}, test::name("a.example"), now);
  REQUIRE_FALSE(rsa.has_value());
  CHECK(contains(rsa.error().detail(), "3072"));
}
