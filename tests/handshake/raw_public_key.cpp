// No certificates, but bare public keys (RFC 7250): the server's, and the client's.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::Interest;
using tlsconnect::PublicKey;

namespace {

using Configure = std::function<void(tlsconnect::ClientConfig::Builder&)>;
TalkOptions client_with(Configure configure) { return {.configure = std::move(configure)}; }

const RawExt* offered(const Talk& talk, ExtensionType type) {
  return find_extension(talk.server.hello().extensions, type);
}

} // namespace

namespace {

constexpr std::uint8_t x509 = 0;
constexpr std::uint8_t raw = 2;

PublicKey public_key_of(const Key& key) { return value_of(PublicKey::from_spki(key.public_der())); }
std::shared_ptr<const tlsconnect::RawPublicKeyVerifier> pins(std::vector<PublicKey> keys) {
  return value_of(tlsconnect::PinnedPublicKeys::create(std::move(keys)));
}
const Key& server_key() { return server_identity().key(); }

/// Certificates are judged too, or are not even accepted.
TalkOptions raw_client(std::shared_ptr<const tlsconnect::RawPublicKeyVerifier> verifier, bool certificates_too) {
  return client_with([=](auto& builder) {
    builder.raw_public_keys(verifier);
    if (!certificates_too)
      builder.verifier(nullptr);
  });
}
TalkOptions raw_client(bool certificates_too = false) {
  return raw_client(pins({public_key_of(server_key())}), certificates_too);
}

/// The server shows its key instead of its certificates.
void show_key(Plan& plan, const Blob& spki) {
  plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, {raw});
  plan["Certificate"].edit_certificate([spki](CertificateDraft& draft) { draft.entries = {{spki, {}}}; });
}

} // namespace

TEST_CASE("raw public keys: what is offered", "[raw_public_key]") {
  const auto types = [](TalkOptions options) {
    const Talk talk(std::move(options));
    CHECK(offered(talk, ExtensionType::client_certificate_type) == nullptr);
    const RawExt* extension = offered(talk, ExtensionType::server_certificate_type);
    return extension ? extension->body : ByteVector{};
  };
  CHECK(types({}).empty());
  CHECK(types(raw_client(false)) == ByteVector{1, raw});
  CHECK(types(raw_client(true)) == ByteVector{2, raw, x509});
  CHECK(types(client_with([](auto& builder) {
          builder.raw_public_keys(pins({public_key_of(server_key())}), false);
        })) == ByteVector{2, x509, raw});
}

TEST_CASE("raw public keys: taken", "[raw_public_key]") {
  for (const KeyType type : {KeyType::p256, KeyType::rsa2048, KeyType::ed25519})
    for (const bool certificates_too : {false, true}) {
      const Key& key = server_identity(type).key();
      TalkOptions options =
          raw_client(pins({public_key_of(client_identity(KeyType::p384).key()), public_key_of(key)}), certificates_too);
      options.server.identity = server_identity(type);
      Talk talk(options);
      show_key(talk.plan, key.public_der());
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      const auto& info = talk.client.info();
      CHECK(info.raw_public_key);
      CHECK(info.peer_chain == std::vector<ByteVector>{key.public_der()});
      CHECK(info.peer_status.empty());
      CHECK(info.verification.find("raw public key") != std::string::npos);
      talk.server.send_data("x");
      talk.exchange();
      CHECK(talk.received.size() == 1);
    }
}

TEST_CASE("raw public keys: one that nobody knows", "[raw_public_key]") {
  CHECK(handshake_with([](Plan& plan) { show_key(plan, server_key().public_der()); },
                       raw_client(pins({public_key_of(client_identity(KeyType::p256).key())}), false)) ==
        refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
  // Known, but the server does not hold it.
  const Key& known = client_identity(KeyType::p256).key();
  CHECK(handshake_with([&](Plan& plan) { show_key(plan, known.public_der()); },
                       raw_client(pins({public_key_of(known)}), false)) ==
        refused(ErrorCode::signature_invalid, Alert::decrypt_error));
  // Known, and held, and too short for anything.
  const Key weak = Key::cached(KeyType::rsa1024);
  TalkOptions options = raw_client(pins({public_key_of(weak)}), false);
  options.server.identity = self_signed({.key = weak});
  CHECK(handshake_with([&](Plan& plan) { show_key(plan, weak.public_der()); }, options).error ==
        ErrorCode::certificate_key_too_weak);
}

TEST_CASE("raw public keys: a type that was not offered", "[raw_public_key]") {
  const auto selecting = [](ByteVector body, TalkOptions options) {
    return handshake_with(
        [&](Plan& plan) {
          plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, std::move(body));
        },
        std::move(options));
  };
  const Outcome wrong = refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate);
  CHECK(selecting({x509}, raw_client(false)) == wrong);
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}, std::uint8_t{255}})
    for (const bool certificates_too : {false, true})
      CHECK(selecting({type}, raw_client(certificates_too)) == wrong);
  CHECK(selecting({x509}, raw_client(true)) == connected());
  CHECK(selecting({}, raw_client(true)) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(selecting({raw, x509}, raw_client(true)) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  const Outcome unsolicited = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
  CHECK(selecting({raw}, {}) == unsolicited);
  CHECK(selecting({x509}, {}) == unsolicited);
}

TEST_CASE("raw public keys: certificates where only keys are accepted", "[raw_public_key]") {
  // The server knows nothing of raw public keys, and answers with certificates.
  Talk talk(raw_client(false));
  talk.handshake();
  CHECK(outcome_of(talk).error.has_value());
  CHECK(!talk.client.handshake_complete());
  CHECK(talk.server.alerts().size() == 1);
  CHECK(talk.client.failure()->group() == tlsconnect::ErrorGroup::certificate);
  // Where both are accepted, that is as good.
  CHECK(handshake_with([](Plan&) {}, raw_client(true)) == connected());
}

TEST_CASE("raw public keys: one, and nothing but one", "[raw_public_key]") {
  const Blob spki = server_key().public_der();
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["Certificate"].edit_certificate(
                  [&](CertificateDraft& draft) { draft.entries.push_back({spki, {}}); });
            },
            raw_client(false)) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["Certificate"].edit_certificate([](CertificateDraft& draft) { draft.entries.clear(); });
            },
            raw_client(false)) == refused(ErrorCode::certificate_list_empty, Alert::decode_error));
  const Outcome malformed = refused(ErrorCode::certificate_malformed, Alert::decode_error);
  Blob longer = spki;
  longer.push_back(0);
  for (const Blob& other : {server_identity().der(), Blob{0x30, 0}, longer, Blob(spki.begin(), spki.end() - 1)})
    for (const bool certificates_too : {false, true})
      CHECK(handshake_with([&](Plan& plan) { show_key(plan, other); }, raw_client(certificates_too)) == malformed);
  // And a key where a certificate was selected.
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["EncryptedExtensions"].without_extension(ExtensionType::server_certificate_type);
            },
            raw_client(true)) == malformed);
}

TEST_CASE("raw public keys: judged by the caller", "[raw_public_key][verdict]") {
  class Later final : public tlsconnect::RawPublicKeyVerifier {
  public:
    tlsconnect::Result<std::string> verify(const PublicKey&, const tlsconnect::ServerName&) const noexcept override {
      return tlsconnect::fail(ErrorCode::certificate_rejected);
    }
    bool decides_later() const noexcept override { return true; }
  };
  for (const bool accept : {true, false}) {
    Talk talk(raw_client(std::make_shared<Later>(), true));
    show_key(talk.plan, server_key().public_der());
    talk.handshake();
    REQUIRE(talk.client.awaited() == Interest::verdict);
    const auto request = talk.client.verdict_request();
    REQUIRE(request);
    CHECK(request->presented.chain.empty());
    CHECK(request->presented.status.empty());
    REQUIRE(request->public_key);
    CHECK(tlsconnect::to_vector(request->public_key->spki()) == server_key().public_der());
    if (accept) {
      REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{{}, "seen before"}));
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().verification == "seen before");
    } else {
      CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_rejected)));
      CHECK(outcome_of(talk) == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
    }
  }
  // The other verifier judges what it is there for.
  CHECK(handshake_with([](Plan&) {}, raw_client(std::make_shared<Later>(), true)) == connected());
}

// ---- the client's raw public key ----

namespace {

/// With these credentials, and a server that selects this type, or none.
struct RawKeyTalk : Talk {
  RawKeyTalk(const std::vector<Credential>& credentials, const std::optional<ByteVector>& selected)
      : Talk(asked_client(credentials)) {
    plan["CertificateRequest"].replace(Asked{}.body());
    if (selected)
      plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, *selected);
  }
};

} // namespace

TEST_CASE("the client's raw public key", "[raw_public_key][client_auth]") {
  const Identity& identity = client_identity(KeyType::p256);
  const Credential key = value_of(Credential::raw_public_key(private_key_of(identity.key())));
  const Credential certificate = credential_of(client_identity(KeyType::ed25519));
  const auto types = [](const std::vector<Credential>& credentials) {
    const Talk talk(asked_client(credentials));
    CHECK(offered(talk, ExtensionType::server_certificate_type) == nullptr);
    const RawExt* extension = offered(talk, ExtensionType::client_certificate_type);
    return extension ? extension->body : ByteVector{};
  };
  CHECK(types({}).empty());
  CHECK(types({certificate}).empty());
  CHECK(types({key}) == ByteVector{1, raw});
  CHECK(types({key, certificate}) == ByteVector{2, raw, x509});
  CHECK(types({certificate, key}) == ByteVector{2, x509, raw});
  CHECK(types({certificate, key, certificate, key}) == ByteVector{2, x509, raw});

  for (const std::vector<Credential>& credentials :
       {std::vector{key}, std::vector{key, certificate}, std::vector{certificate, key}}) {
    RawKeyTalk talk(credentials, ByteVector{raw});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    REQUIRE(talk.server.messages().size() == 3);
    const auto draft = CertificateDraft::of(talk.server.messages()[0].body);
    REQUIRE(draft.entries.size() == 1);
    CHECK(draft.entries[0].der == identity.key().public_der());
    CHECK(draft.entries[0].extensions.empty());
    const auto verify = value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(talk.server.messages()[1].body));
    CHECK(signature_holds(identity.key(), verify.algorithm, client_content(talk.server.messages()[1].before),
                          verify.signature));
    CHECK(talk.client.info().client_certificate_sent);
    CHECK(credentials.at(talk.client.info().credential.value()).is_raw_public_key());
    // It says nothing of the server's own.
    CHECK(!talk.client.info().raw_public_key);
  }
}

TEST_CASE("the client's certificate types: what the configuration says", "[raw_public_key][client_auth]") {
  using Types = std::vector<tlsconnect::CertificateType>;
  constexpr auto of_x509 = tlsconnect::CertificateType::x509;
  constexpr auto of_key = tlsconnect::CertificateType::raw_public_key;
  const auto offer = [](const Types& types, std::vector<Credential> credentials) {
    return TalkOptions{.server = {.request_certificate = true}, .configure = [=](auto& builder) {
                         builder.credentials(credentials).client_certificate_types(types);
                       }};
  };
  const auto offered_types = [&](const Types& types, std::vector<Credential> credentials) {
    Talk talk(offer(types, std::move(credentials)));
    const RawExt* found = find_extension(talk.server.hello().extensions, ExtensionType::client_certificate_type);
    return found ? found->body : ByteVector();
  };
  const Credential certificate = credential_of(client_identity(KeyType::p256));
  const Credential key = value_of(Credential::raw_public_key(private_key_of(Key::cached(KeyType::p256, 1))));
  // Without a word: those of the credentials, in their order.
  CHECK(offered_types({}, {}).empty());
  CHECK(offered_types({}, {certificate}).empty());
  CHECK(offered_types({}, {certificate, key, certificate}) == ByteVector{2, 0, 2});
  CHECK(offered_types({}, {key, certificate}) == ByteVector{2, 2, 0});
  // Otherwise what is said, with credentials or without.
  CHECK(offered_types({of_x509, of_key}, {key}) == ByteVector{2, 0, 2});
  CHECK(offered_types({of_key}, {}) == ByteVector{1, 2});
  CHECK(offered_types({of_key}, {certificate}) == ByteVector{1, 2});
  CHECK(offered_types({of_x509}, {certificate, key}).empty());

  // A type that there is no credential for is answered with none.
  Talk none(offer({of_key}, {certificate}));
  none.plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, {2});
  none.handshake();
  CHECK(outcome_of(none) == connected());
  CHECK(Answer(none.server).types == nothing_shown);
  // One that was not on offer may not be chosen, whatever credentials there are.
  Talk wrong(offer({of_key}, {certificate, key}));
  wrong.plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, {0});
  wrong.handshake();
  CHECK(outcome_of(wrong) == refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate));

  tlsconnect::ClientConfig::Builder twice = tlsconnect::ClientConfig::builder();
  twice.verifier(std::make_shared<tlsconnect::DangerousNoVerification>()).client_certificate_types({of_key, of_key});
  CHECK(!twice.build());
}

TEST_CASE("the client's raw public key: the server wants a certificate", "[raw_public_key][client_auth]") {
  const Credential key = value_of(Credential::raw_public_key(private_key_of(client_identity(KeyType::p256).key())));
  const Credential certificate = credential_of(client_identity(KeyType::ed25519));
  for (const std::optional<ByteVector>& selected : {std::optional<ByteVector>(), std::optional(ByteVector{x509})}) {
    RawKeyTalk talk({key, certificate}, selected);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().credential == 1);
  }
  // RFC 7250, 4.2: a server that says nothing expects X.509, which this client does not have.
  RawKeyTalk talk({key}, {});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(!talk.client.info().credential);
  CHECK(!talk.client.info().client_certificate_sent);
  const Outcome wrong = refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate);
  const auto selecting = [](const std::vector<Credential>& credentials, ByteVector body) {
    RawKeyTalk other(credentials, std::move(body));
    other.handshake();
    return outcome_of(other);
  };
  CHECK(selecting({key}, {x509}) == wrong);
  CHECK(selecting({key, certificate}, {1}) == wrong);
  CHECK(selecting({key, certificate}, {}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(selecting({certificate}, {raw}) == refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
}

TEST_CASE("the client's raw public key: after the handshake too", "[raw_public_key][client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  Talk talk({.configure = [&](auto& builder) {
    builder.credentials({value_of(Credential::raw_public_key(private_key_of(identity.key())))})
        .post_handshake_auth(true);
  }});
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, {raw});
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  talk.server.send(HandshakeType::certificate_request, Asked{.context = {5}}.body());
  talk.exchange();
  REQUIRE(talk.server.messages().size() == 4);
  const auto draft = CertificateDraft::of(talk.server.messages()[1].body);
  CHECK(draft.context == ByteVector{5});
  REQUIRE(draft.entries.size() == 1);
  CHECK(draft.entries[0].der == identity.key().public_der());
}
