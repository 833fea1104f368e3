// Pinned keys: as text, by name, on top of a path and instead of one.
#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/client/config.hpp>

#include "support.hpp"

using test::contains;
using test::day;
using test::Identity;
using test::Key;
using test::KeyType;
using test::now;
using tlsconnect::ErrorCode;
using tlsconnect::KeyPin;
using tlsconnect::KeyPins;
using tlsconnect::PinnedPublicKeys;
using tlsconnect::PinningVerifier;
using tlsconnect::PinUse;
using tlsconnect::PublicKey;
using tlsconnect::Result;
using tlsconnect::TrustAnchors;
using tlsconnect::VerifiedChain;

namespace {

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}
const Identity& authority() {
  static const Identity identity = root().issue({.common_name = "Authority", .ca = true});
  return identity;
}
const Identity& leaf() {
  static const Identity identity = authority().issue({.common_name = "leaf", .dns = {"a.example", "b.a.example"}});
  return identity;
}
const Identity& stranger() {
  static const Identity identity = test::self_signed({.common_name = "Stranger", .ca = true});
  return identity;
}

KeyPin pin(const Identity& identity) { return KeyPin::of(test::certificate(identity)).value(); }
KeyPins pins(const std::vector<KeyPin>& list, PinUse use, std::string_view name = "a.example",
             bool subdomains = false) {
  KeyPins all;
  REQUIRE(all.add(test::name(name), list, use, subdomains));
  return all;
}
std::shared_ptr<const tlsconnect::CertificateVerifier> paths() {
  return tlsconnect::PathVerifier::create(TrustAnchors::from_pem(root().pem()).value()).value();
}
Result<VerifiedChain> verify(const KeyPins& all, const Identity& presented, std::string_view name = "a.example",
                             std::shared_ptr<const tlsconnect::CertificateVerifier> next = paths()) {
  const auto chain = test::certificates(presented.chain_der());
  return PinningVerifier::create(all, std::move(next)).value()->verify({chain}, test::name(name), now);
}
std::string not_pinned(const Result<VerifiedChain>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code() == ErrorCode::certificate_key_not_pinned);
  CHECK(outcome.error().alert_sent() == tlsconnect::AlertDescription::bad_certificate);
  return std::string(outcome.error().detail());
}
ErrorCode code(const Result<VerifiedChain>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code();
}

} // namespace

TEST_CASE("a pin as text", "[pins]") {
  // The SHA-256 of nothing.
  const std::string text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  for (const std::string& form : {text, "sha256/" + text, "sha256//" + text}) {
    const auto parsed = KeyPin::parse(form);
    REQUIRE(parsed.has_value());
    CHECK(parsed->hash()[0] == 0xE3);
    CHECK(parsed->hash()[31] == 0x55);
    CHECK(parsed->text() == text);
  }
  CHECK(KeyPin::parse(text)->hash() == KeyPin(KeyPin::parse(text)->hash()).hash());
  for (const std::string& bad : {std::string(), std::string("sha256/"), text.substr(4), "AAAA" + text, "sha1/" + text,
                                 "sha256/sha256/" + text, text.substr(0, 43), std::string("?") + text.substr(1)}) {
    CAPTURE(bad);
    const auto refused = KeyPin::parse(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == ErrorCode::configuration_invalid);
  }
}

TEST_CASE("a key has the pin of its certificate", "[pins]") {
  const auto key = PublicKey::from_spki(leaf().key().public_der()).value();
  CHECK(KeyPin::of(key).value() == pin(leaf()));
  CHECK(pin(leaf()) != pin(root()));
  // The pin is the key's, not the certificate's.
  CHECK(pin(authority().issue({.common_name = "other", .key = leaf().key()})) == pin(leaf()));
}

TEST_CASE("pins are found by name", "[pins]") {
  const std::vector<KeyPin> some{pin(leaf())};
  KeyPins all;
  CHECK(all.empty());
  REQUIRE(all.add(test::name("example.com"), some, PinUse::on_top, true));
  REQUIRE(all.add(test::name("deep.example.com"), some, PinUse::alone, true));
  REQUIRE(all.add(test::name("one.deep.example.com"), some, PinUse::on_top));
  REQUIRE(all.add(test::name("deep.example.net"), some, PinUse::alone, true));
  REQUIRE(all.add(test::name("example.net"), some, PinUse::on_top, true));
  REQUIRE(all.add(test::name("other.org"), some, PinUse::on_top));
  REQUIRE(all.add(test::name("2001:db8::1"), some, PinUse::on_top));
  const auto found = [&](std::string_view name) {
    const auto* entry = all.find(test::name(name));
    return entry == nullptr ? std::string("none") : entry->name.text();
  };
  CHECK(found("example.com") == "example.com");
  CHECK(found("EXAMPLE.com.") == "example.com");
  CHECK(found("www.example.com") == "example.com");
  CHECK(found("a.b.example.com") == "example.com");
  CHECK(found("badexample.com") == "none");
  CHECK(found("com") == "none");
  CHECK(found("x.deep.example.com") == "deep.example.com");
  CHECK(found("one.deep.example.com") == "one.deep.example.com");
  CHECK(found("x.one.deep.example.com") == "deep.example.com"); // it has no subdomains itself
  CHECK(found("x.deep.example.net") == "deep.example.net");     // whatever was added last
  CHECK(found("other.org") == "other.org");
  CHECK(found("www.other.org") == "none");
  CHECK(found("2001:0db8:0:0:0:0:0:1") != "none");
  CHECK(found("2001:db8::2") == "none");
  CHECK(found("192.0.2.1") == "none");

  const auto refused = [&](const Result<>& added) {
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().code() == ErrorCode::configuration_invalid);
    return std::string(added.error().detail());
  };
  CHECK(refused(all.add(test::name("new.org"), {}, PinUse::on_top)) == "no pin is given for new.org");
  CHECK(refused(all.add(test::name("Other.org"), some, PinUse::alone)) == "there are pins already for other.org");
  CHECK(refused(all.add(test::name("192.0.2.1"), some, PinUse::alone, true)) == "there are no names below 192.0.2.1");
  CHECK(all.entries().size() == 7);
}

TEST_CASE("pins on top: any key of the path, and the path all the same", "[pins]") {
  for (const Identity* pinned : {&leaf(), &authority(), &root()}) {
    const auto verified = verify(pins({pin(stranger()), pin(*pinned)}, PinUse::on_top), leaf());
    REQUIRE(verified.has_value());
    CHECK(verified->path.size() == 3);
    CHECK(contains(verified->explanation, "a.example is covered by dNSName a.example; path of 3"));
    CHECK(contains(verified->explanation, "is pinned for a.example (sha256/" + pin(*pinned).text() + ")"));
  }
  const std::string text = not_pinned(verify(pins({pin(stranger())}, PinUse::on_top), leaf()));
  CHECK(contains(text, "a.example must show a path with the key sha256/" + pin(stranger()).text() +
                           "; its keys are CN=leaf sha256/" + pin(leaf()).text() + ", CN=Authority sha256/"));
  CHECK(contains(text, "RFC 7469, 2.6"));
  // A pin replaces nothing.
  const Identity expired = authority().issue({.key = leaf().key(), .dns = {"a.example"}, .not_after = now - day});
  CHECK(code(verify(pins({pin(leaf())}, PinUse::on_top), expired)) == ErrorCode::certificate_expired);
  CHECK(code(verify(pins({pin(leaf())}, PinUse::on_top, "c.example"), leaf(), "c.example")) ==
        ErrorCode::certificate_name_mismatch);
  // What was sent, but is no part of the path, shows nothing.
  auto chain = test::certificates(leaf().chain_der());
  chain.push_back(test::certificate(stranger()));
  const auto with = PinningVerifier::create(pins({pin(stranger())}, PinUse::on_top), paths()).value();
  not_pinned(with->verify({chain}, test::name("a.example"), now));
}

TEST_CASE("pins alone: the server's key, and nothing else", "[pins]") {
  const Identity own = test::self_signed({.common_name = "own", .not_after = now - day});
  const auto verified = verify(pins({pin(stranger()), pin(own)}, PinUse::alone), own);
  REQUIRE(verified.has_value());
  CHECK(verified->path.size() == 1);
  CHECK(contains(verified->explanation, "the key of CN=own is pinned for a.example"));
  CHECK(contains(verified->explanation, "nothing else about it was looked at"));
  // An authority's key is not the server's.
  CHECK(contains(not_pinned(verify(pins({pin(authority()), pin(root())}, PinUse::alone), leaf())),
                 "a.example must show the key sha256/"));
  // Nor does a good path help.
  not_pinned(verify(pins({pin(own)}, PinUse::alone), leaf()));
}

TEST_CASE("of many pins, the first are told", "[pins]") {
  std::vector<KeyPin> many;
  for (unsigned i = 0; i < 8; ++i)
    many.push_back(
        KeyPin::of(PublicKey::from_spki(test::Key::cached(KeyType::p256, 50 + i).public_der()).value()).value());
  const auto verify = [&] {
    const auto verifier = PinningVerifier::create(pins(many, PinUse::alone), nullptr).value();
    const auto chain = test::certificates(leaf().chain_der());
    return std::string(verifier->verify({chain}, test::name("a.example"), now).error().detail());
  };
  CHECK_FALSE(contains(verify(), " more;"));
  many.push_back(pin(stranger()));
  CHECK(contains(verify(), " or 1 more;"));
}

TEST_CASE("servers without pins", "[pins]") {
  const KeyPins of_another = pins({pin(stranger())}, PinUse::alone, "other.example");
  CHECK(verify(of_another, leaf()).has_value());
  CHECK(code(verify(of_another, stranger())) == ErrorCode::certificate_self_signed);
  CHECK(contains(not_pinned(verify(of_another, leaf(), "a.example", nullptr)),
                 "no key is pinned for a.example, and nothing else is trusted"));
  CHECK(verify(of_another, stranger(), "other.example", nullptr).has_value());
  // Names below.
  CHECK(verify(pins({pin(stranger())}, PinUse::on_top), leaf(), "b.a.example").has_value());
  not_pinned(verify(pins({pin(stranger())}, PinUse::on_top, "a.example", true), leaf(), "b.a.example"));
}

TEST_CASE("a verifier that builds no path", "[pins]") {
  const auto any = std::make_shared<const tlsconnect::DangerousNoVerification>();
  CHECK(verify(pins({pin(leaf())}, PinUse::on_top), leaf(), "a.example", any).has_value());
  not_pinned(verify(pins({pin(authority())}, PinUse::on_top), leaf(), "a.example", any));
}

TEST_CASE("a pinning verifier that could not do its work", "[pins]") {
  const auto created = [](const KeyPins& all, std::shared_ptr<const tlsconnect::CertificateVerifier> next) {
    const auto outcome = PinningVerifier::create(all, std::move(next));
    return outcome ? std::string("created") : std::string(describe(outcome.error().code()).name);
  };
  CHECK(created(pins({pin(leaf())}, PinUse::on_top), paths()) == "created");
  CHECK(created(pins({pin(leaf())}, PinUse::alone), nullptr) == "created");
  CHECK(created(pins({pin(leaf())}, PinUse::on_top), nullptr) == "no_trust_anchors");
  CHECK(created({}, paths()) == "configuration_invalid");
  CHECK(created(pins({pin(leaf())}, PinUse::on_top), std::make_shared<const tlsconnect::VerdictByCaller>()) ==
        "configuration_invalid");
  const auto verifier = PinningVerifier::create(pins({pin(leaf())}, PinUse::alone), nullptr).value();
  CHECK(code(verifier->verify({}, test::name("a.example"), now)) == ErrorCode::certificate_list_empty);
}

TEST_CASE("pins are a part of the identity", "[pins]") {
  const auto identity = [](const KeyPins& all, std::shared_ptr<const tlsconnect::CertificateVerifier> next = paths()) {
    return PinningVerifier::create(all, std::move(next)).value()->trust_identity();
  };
  const auto base = identity(pins({pin(leaf())}, PinUse::on_top));
  CHECK(base == identity(pins({pin(leaf())}, PinUse::on_top)));
  CHECK_FALSE(base.empty());
  CHECK(base != identity(pins({pin(root())}, PinUse::on_top)));
  CHECK(base != identity(pins({pin(leaf()), pin(root())}, PinUse::on_top)));
  CHECK(base != identity(pins({pin(leaf())}, PinUse::alone)));
  CHECK(base != identity(pins({pin(leaf())}, PinUse::on_top, "b.example")));
  CHECK(base != identity(pins({pin(leaf())}, PinUse::on_top, "a.example", true)));
  CHECK(base !=
        identity(pins({pin(leaf())}, PinUse::on_top), std::make_shared<const tlsconnect::DangerousNoVerification>()));
  CHECK(base != paths()->trust_identity());
  const auto alone = identity(pins({pin(leaf())}, PinUse::alone), nullptr);
  CHECK(alone == identity(pins({pin(leaf())}, PinUse::alone), nullptr));
  CHECK_FALSE(alone.empty());
  CHECK(alone != identity(pins({pin(root())}, PinUse::alone), nullptr));
  // One that does not want to be resumed.
  class Secretive final : public tlsconnect::CertificateVerifier {
  public:
    Result<VerifiedChain> verify(const tlsconnect::PresentedCertificate&, const tlsconnect::ServerName&,
                                 std::int64_t) const noexcept override {
      return VerifiedChain{};
    }
    tlsconnect::TrustIdentity trust_identity() const override { return {}; }
  };
  CHECK(identity(pins({pin(leaf())}, PinUse::on_top), std::make_shared<const Secretive>()).empty());
}

TEST_CASE("raw public keys by pins", "[pins]") {
  const auto key = PublicKey::from_spki(leaf().key().public_der()).value();
  const auto other = PublicKey::from_spki(stranger().key().public_der()).value();
  const auto verifier = PinnedPublicKeys::create(pins({pin(leaf())}, PinUse::alone)).value();
  const auto good = verifier->verify(key, test::name("a.example"));
  REQUIRE(good.has_value());
  CHECK(contains(*good, "is pinned for a.example (sha256/" + pin(leaf()).text() + ")"));
  const auto refused = [](const Result<std::string>& outcome) {
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code() == ErrorCode::certificate_key_not_pinned);
    return std::string(outcome.error().detail());
  };
  CHECK(contains(refused(verifier->verify(other, test::name("a.example"))), "a.example must show the key sha256/"));
  CHECK(contains(refused(verifier->verify(key, test::name("b.example"))), "b.example has no key that is pinned alone"));
  // There is no path that a pin could be on top of.
  KeyPins both = pins({pin(leaf())}, PinUse::on_top);
  REQUIRE_FALSE(PinnedPublicKeys::create(both).has_value());
  CHECK(PinnedPublicKeys::create(both).error().code() == ErrorCode::no_trust_anchors);
  REQUIRE(both.add(test::name("b.example"), {pin(stranger())}, PinUse::alone));
  const auto mixed = PinnedPublicKeys::create(both).value();
  CHECK(contains(refused(mixed->verify(key, test::name("a.example"))), "has no key that is pinned alone"));
  CHECK(mixed->verify(other, test::name("b.example")).has_value());
  CHECK(mixed->trust_identity() != verifier->trust_identity());
  CHECK(verifier->trust_identity() ==
        PinnedPublicKeys::create(pins({pin(leaf())}, PinUse::alone)).value()->trust_identity());
}

TEST_CASE("raw public keys, one of a list", "[pins]") {
  const auto key = PublicKey::from_spki(leaf().key().public_der()).value();
  const auto other = PublicKey::from_spki(root().key().public_der()).value();
  const auto third = PublicKey::from_spki(stranger().key().public_der()).value();
  const auto verifier = PinnedPublicKeys::create({key, other}).value();
  CHECK(verifier->verify(key, test::name("a.example")).has_value());
  CHECK(verifier->verify(other, test::name("b.example")).has_value());
  const auto outcome = verifier->verify(third, test::name("a.example"));
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code() == ErrorCode::certificate_rejected);
  CHECK(PinnedPublicKeys::create(std::vector<PublicKey>()).error().code() == ErrorCode::no_trust_anchors);
  CHECK(verifier->trust_identity() == PinnedPublicKeys::create({other, key}).value()->trust_identity());
  CHECK(verifier->trust_identity() != PinnedPublicKeys::create({key}).value()->trust_identity());
}

TEST_CASE("a configuration with pins", "[pins]") {
  const auto anchors = TrustAnchors::from_pem(root().pem()).value();
  const auto chain = test::certificates(leaf().chain_der());
  const auto judge = [&](const tlsconnect::ConfigPtr& config) {
    return config->verifier()->verify({chain}, test::name("a.example"), now);
  };
  const auto builder = [] { return tlsconnect::ClientConfig::builder(); };
  CHECK(judge(builder().trust(anchors).pins(pins({pin(leaf())}, PinUse::on_top)).build().value()).has_value());
  not_pinned(judge(builder().trust(anchors).pins(pins({pin(stranger())}, PinUse::on_top)).build().value()));
  CHECK(judge(builder().pins(pins({pin(leaf())}, PinUse::alone)).build().value()).has_value());
  CHECK(judge(builder()
                  .verifier(std::make_shared<const tlsconnect::DangerousNoVerification>())
                  .pins(pins({pin(leaf())}, PinUse::on_top))
                  .build()
                  .value())
            .has_value());
  // Pins on top are no trust.
  const auto forgotten = builder().pins(pins({pin(leaf())}, PinUse::on_top)).build();
  REQUIRE_FALSE(forgotten.has_value());
  CHECK(forgotten.error().code() == ErrorCode::no_trust_anchors);
}
