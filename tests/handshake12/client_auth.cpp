// Client certificates in TLS 1.2 (RFC 5246, 7.4.4, 7.4.6 and 7.4.8), and what the caller supplies later.
#include <memory>
#include <string>
#include <vector>

#include "../handshake/credentials.hpp"
#include "support.hpp"

using namespace test;
using tlsconnect::Interest;

namespace {

TalkOptions12 asking(std::vector<Credential> credentials) {
  return {.server = {.request_certificate = true},
          .configure = [credentials](auto& builder) { builder.credentials(credentials); }};
}
/// The whole handshake with that request.
void shake(Talk12& talk, const RequestDraft12& request) {
  talk.plan["CertificateRequest"].replace(request.body());
  talk.handshake();
}

struct Answer12 {
  std::vector<HandshakeType> types;
  std::vector<ByteVector> chain;
  std::optional<SignatureScheme> scheme;
  ByteVector signature;
  ByteVector signed_messages;

  explicit Answer12(const ScriptedServer12& server) {
    for (const SeenMessage& message : server.messages()) {
      types.push_back(message.type);
      if (message.type == HandshakeType::certificate)
        chain = CertificateDraft12::of(message.body).chain;
      if (message.type == HandshakeType::certificate_verify) {
        const auto verify = value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(message.body));
        scheme = verify.algorithm;
        signature = tlsconnect::to_vector(verify.signature);
        signed_messages = message.before;
      }
    }
  }
  /// By Botan, and with the words of the standard.
  [[nodiscard]] bool holds(const Key& key) const {
    const bool ecdsa = key.type() == KeyType::p256 || key.type() == KeyType::p384 || key.type() == KeyType::p521;
    const auto public_key = Botan::X509::load_key(Key::cached(key.type(), 1).botan()->subject_public_key());
    Botan::PK_Verifier verifier(*public_key, botan_padding(scheme.value()),
                                ecdsa ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard);
    return verifier.verify_message(signed_messages, signature);
  }
};
const std::vector<HandshakeType> signed_answer = {HandshakeType::certificate, HandshakeType::client_key_exchange,
                                                  HandshakeType::certificate_verify, HandshakeType::finished};
const std::vector<HandshakeType> empty_answer = {HandshakeType::certificate, HandshakeType::client_key_exchange,
                                                 HandshakeType::finished};
const std::vector<HandshakeType> no_answer = {HandshakeType::client_key_exchange, HandshakeType::finished};

} // namespace

TEST_CASE("TLS 1.2: the client shows its certificate and signs all messages", "[client_auth12]") {
  using enum SignatureScheme;
  for (const auto& [key, scheme] :
       std::vector<std::pair<KeyType, SignatureScheme>>{{KeyType::p256, ecdsa_secp256r1_sha256},
                                                        {KeyType::p384, ecdsa_secp384r1_sha384},
                                                        // A hash goes with any curve (RFC 5246, 7.4.1.4.1).
                                                        {KeyType::p256, ecdsa_secp384r1_sha384},
                                                        {KeyType::p384, ecdsa_secp256r1_sha256},
                                                        {KeyType::p521, ecdsa_secp256r1_sha256},
                                                        {KeyType::p256, ecdsa_secp521r1_sha512},
                                                        {KeyType::ed25519, ed25519},
                                                        {KeyType::rsa2048, rsa_pss_rsae_sha256},
                                                        {KeyType::rsa2048, rsa_pss_rsae_sha512}})
    for (const bool extended : {true, false}) {
      CAPTURE(name_of(scheme), extended);
      TalkOptions12 options = asking({credential_of(client_identity(key))});
      options.server.extended_main_secret = extended;
      options.configure = [configure = options.configure](auto& builder) {
        configure(builder);
        builder.require_extended_main_secret(false);
      };
      Talk12 talk(options);
      shake(talk, {.schemes = {scheme}});
      CHECK(outcome_of(talk) == connected());
      const Answer12 answer(talk.server);
      CHECK(answer.types == signed_answer);
      CHECK(answer.chain == client_identity(key).chain_der());
      CHECK(answer.scheme == scheme);
      CHECK(answer.holds(client_identity(key).key()));
      CHECK(talk.client.info().certificate_requested);
      CHECK(talk.client.info().client_certificate_sent);
      check_data_both_ways(talk);
    }
}

TEST_CASE("TLS 1.2: the client shows a raw public key where that was agreed", "[client_auth12]") {
  const Key& key = Key::cached(KeyType::p256, 1);
  for (const bool agreed : {true, false}) {
    TalkOptions12 options = asking({value_of(Credential::raw_public_key(private_key_of(key)))});
    Talk12 talk(options);
    if (agreed)
      talk.plan["ServerHello"].with_extension(ExtensionType::client_certificate_type, {2});
    shake(talk, {});
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().client_certificate_sent == agreed);
    std::vector<ByteVector> certificates;
    for (const SeenMessage& message : talk.server.messages())
      if (message.type == HandshakeType::certificate)
        certificates.push_back(message.body);
    // RFC 7250, 3: the key alone, and its length; without the agreement, an empty list.
    ByteVector body{0, 0, 0};
    if (agreed) {
      body.back() = static_cast<std::uint8_t>(key.public_der().size());
      append(body, key.public_der());
    }
    CHECK(certificates == std::vector<ByteVector>{body});
  }
}

TEST_CASE("TLS 1.2: a client without a certificate that fits says so", "[client_auth12]") {
  const auto answer_to = [](const RequestDraft12& request, std::vector<Credential> credentials) {
    Talk12 talk(asking(std::move(credentials)));
    shake(talk, request);
    CHECK(outcome_of(talk) == connected());
    const Answer12 answer(talk.server);
    CHECK(answer.chain.empty() == !talk.client.info().client_certificate_sent);
    return answer.types;
  };
  const Credential p256 = credential_of(client_identity(KeyType::p256));
  const Credential rsa = credential_of(client_identity(KeyType::rsa2048));
  CHECK(answer_to({}, {}) == empty_answer);
  CHECK(answer_to({}, {p256}) == signed_answer);
  // SLOTH: never with MD5 or SHA-1.
  CHECK(answer_to({.schemes = {SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha1,
                               static_cast<SignatureScheme>(0x0101)}},
                  {p256, rsa}) == empty_answer);
  CHECK(answer_to({.schemes = {SignatureScheme::ed25519}}, {p256, rsa}) == empty_answer);
  // The kinds of keys that the server takes (RFC 8422, 5.5).
  CHECK(answer_to({.types = {1}}, {p256}) == empty_answer);
  CHECK(answer_to({.types = {64}}, {rsa}) == empty_answer);
  CHECK(answer_to({.types = {64}}, {rsa, p256}) == signed_answer);
  CHECK(answer_to({.types = {3, 4, 255}}, {rsa, p256}) == empty_answer);
  // The authorities that it names are a wish, unless the caller says that they are more.
  CHECK(answer_to({.authorities = {{0x30, 0}}}, {p256}) == signed_answer);
  CHECK(answer_to({.authorities = {{0x30, 0}}}, {p256.with_required_issuer(true)}) == empty_answer);
  const ByteVector issuer = value_of(tlsconnect::Certificate::from_der(client_ca().der())).subject_der();
  CHECK(answer_to({.authorities = {{0x30, 0}, issuer}}, {p256.with_required_issuer(true)}) == signed_answer);
  // Not asked, nothing shown.
  Talk12 talk({.configure = [&](auto& builder) { builder.credentials({p256}); }});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(Answer12(talk.server).types == no_answer);
}

TEST_CASE("TLS 1.2: the caller chooses among the credentials", "[client_auth12]") {
  struct Chooser final : tlsconnect::CredentialSelector {
    using Choice = tlsconnect::Result<std::optional<tlsconnect::CredentialChoice>>;
    explicit Chooser(Choice made) : choice(std::move(made)) {}
    Choice select(std::span<const Credential> credentials,
                  const tlsconnect::CertificateRequestFacts& request) const noexcept override {
      asked = credentials.size() == 2 && request.certificate_types &&
              tlsconnect::equal(*request.certificate_types, ByteVector{1, 64});
      return choice;
    }
    Choice choice;
    mutable bool asked = false;
  };
  using enum SignatureScheme;
  const auto with = [](Chooser::Choice choice) {
    const auto chooser = std::make_shared<Chooser>(std::move(choice));
    TalkOptions12 options =
        asking({credential_of(client_identity(KeyType::p256)), credential_of(client_identity(KeyType::rsa2048))});
    options.configure = [configure = options.configure, chooser](auto& builder) {
      configure(builder);
      builder.credential_selector(chooser);
    };
    Talk12 talk(options);
    talk.handshake();
    CHECK(chooser->asked);
    return std::pair(outcome_of(talk), Answer12(talk.server));
  };
  // Not even the first that would do.
  const auto [none, nothing] = with(std::nullopt);
  CHECK(none == connected());
  CHECK(nothing.types == empty_answer);
  const auto [other, rsa] = with(tlsconnect::CredentialChoice{1, rsa_pss_rsae_sha256});
  CHECK(other == connected());
  CHECK(rsa.chain == client_identity(KeyType::rsa2048).chain_der());
  CHECK(rsa.holds(client_identity(KeyType::rsa2048).key()));
  // The choice is held to what was asked.
  const Outcome unfit = refused(ErrorCode::no_credential_fits, Alert::handshake_failure);
  CHECK(with(tlsconnect::CredentialChoice{2, rsa_pss_rsae_sha256}).first == unfit);
  CHECK(with(tlsconnect::CredentialChoice{0, rsa_pss_rsae_sha256}).first == unfit);
  CHECK(with(tlsconnect::CredentialChoice{1, rsa_pss_rsae_sha512}).first == unfit);
  CHECK(with(tlsconnect::CredentialChoice{0, ecdsa_sha1}).first == unfit);
  CHECK(with(tlsconnect::fail(ErrorCode::signing_failed, "test")).first.error == ErrorCode::signing_failed);
}

TEST_CASE("TLS 1.3 keeps its own rules of signing where TLS 1.2 is offered, too", "[client_auth12]") {
  using enum SignatureScheme;
  // RFC 9846, 4.2.3: PKCS#1 v1.5 signs no handshake, and a hash goes with a curve.
  for (const auto& [key, scheme] : std::vector<std::pair<KeyType, SignatureScheme>>{
           {KeyType::rsa2048, rsa_pkcs1_sha256}, {KeyType::p256, ecdsa_secp384r1_sha384}}) {
    Talk talk({.server = {.identity = server_identity(key), .scheme = scheme}, .configure = both_versions});
    talk.handshake();
    CHECK(!outcome_of(talk).complete);
    CHECK(outcome_of(talk).alert == Alert::illegal_parameter);
  }
  // Nor does the client, when a server of TLS 1.3 lists it; not even when the caller chooses it.
  struct Chooser final : tlsconnect::CredentialSelector {
    explicit Chooser(SignatureScheme chosen) : scheme(chosen) {}
    tlsconnect::Result<std::optional<tlsconnect::CredentialChoice>>
    select(std::span<const Credential>, const tlsconnect::CertificateRequestFacts&) const noexcept override {
      return tlsconnect::CredentialChoice{0, scheme};
    }
    SignatureScheme scheme;
  };
  for (const auto& [key, scheme] : std::vector<std::pair<KeyType, SignatureScheme>>{
           {KeyType::rsa2048, rsa_pkcs1_sha256}, {KeyType::p256, ecdsa_secp384r1_sha384}})
    for (const bool chosen : {false, true}) {
      const KeyType type = key;
      const auto chooser = chosen ? std::make_shared<Chooser>(scheme) : nullptr;
      Talk talk({.server = {.request_certificate = true}, .configure = [type, chooser](auto& builder) {
                   both_versions(builder);
                   builder.credentials({credential_of(client_identity(type))}).credential_selector(chooser);
                 }});
      talk.plan["CertificateRequest"].replace(Asked{.schemes = {scheme}}.body());
      talk.handshake();
      CHECK(outcome_of(talk) ==
            (chosen ? refused(ErrorCode::no_credential_fits, Alert::handshake_failure) : connected()));
      CHECK(!talk.client.info().client_certificate_sent);
    }
}

TEST_CASE("TLS 1.2: a client may insist on showing a certificate", "[client_auth12]") {
  TalkOptions12 options = asking({credential_of(client_identity(KeyType::p256))});
  options.configure = [configure = options.configure](auto& builder) {
    configure(builder);
    builder.credential_required(true);
  };
  Talk12 talk(options);
  shake(talk, {.schemes = {SignatureScheme::ed25519}});
  CHECK(outcome_of(talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
}

TEST_CASE("TLS 1.2: a signature may come later", "[client_auth12]") {
  for (const bool ticket : {false, true}) {
    TalkOptions12 options =
        asking({later_credential_of(client_identity(KeyType::p256), {SignatureScheme::ecdsa_secp256r1_sha256})});
    if (ticket)
      options.server.ticket = ByteVector(30, 1);
    Talk12 talk(options);
    talk.handshake();
    REQUIRE(talk.client.awaited() == Interest::signature);
    CHECK(talk.client.receive_buffer().empty());
    CHECK(talk.server.messages().empty()); // one flight is one write
    const auto request = talk.client.signature_request();
    REQUIRE(request);
    CHECK(request->scheme == SignatureScheme::ecdsa_secp256r1_sha256);
    const ByteVector content = tlsconnect::to_vector(request->content);
    CHECK(!talk.client.give_verdict(tlsconnect::VerifiedChain{}));
    REQUIRE(talk.client.give_signature(client_identity(KeyType::p256).key().sign("SHA-256", content)));
    CHECK(!talk.client.give_signature(ByteVector{}));
    talk.exchange();
    CHECK(outcome_of(talk) == connected());
    const Answer12 answer(talk.server);
    CHECK(answer.types == signed_answer);
    CHECK(answer.signed_messages == content);
    CHECK(answer.holds(client_identity(KeyType::p256).key()));
    check_data_both_ways(talk);
  }
}

TEST_CASE("TLS 1.2: the signature that comes later may be a refusal", "[client_auth12]") {
  Talk12 talk(asking({later_credential_of(client_identity(KeyType::p256), {SignatureScheme::ecdsa_secp256r1_sha256})}));
  talk.handshake();
  REQUIRE(talk.client.awaited() == Interest::signature);
  CHECK(!talk.client.give_signature(tlsconnect::fail(ErrorCode::signing_failed, "test")));
  talk.exchange();
  CHECK(outcome_of(talk).error == ErrorCode::signing_failed);
  CHECK(talk.server.messages().empty());
}

TEST_CASE("TLS 1.2: a verdict may come later", "[client_auth12]") {
  const auto judged_later = [](auto& builder) {
    builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>()).status_request(true);
  };
  // With the status that was announced, without it, and without the announcement.
  for (const int way : {0, 1, 2})
    for (const bool joined : {false, true}) {
      CAPTURE(way, joined);
      TalkOptions12 options = {.configure = judged_later};
      if (way < 2)
        options.server.ocsp_response = ByteVector(20, 5);
      Talk12 talk(options);
      if (way == 1)
        talk.plan.drop("CertificateStatus");
      for (const char* name : {"Certificate", "ServerKeyExchange"})
        talk.plan[name].joined = joined;
      talk.handshake();
      REQUIRE(talk.client.awaited() == Interest::verdict);
      const auto request = talk.client.verdict_request();
      REQUIRE(request);
      REQUIRE(request->presented.chain.size() == 1);
      CHECK(tlsconnect::equal(request->presented.chain[0].der(), server_identity().der()));
      REQUIRE(request->presented.status.size() == (way == 0 ? 1 : 0));
      if (way == 0)
        CHECK(tlsconnect::equal(request->presented.status[0].ocsp_response, ByteVector(20, 5)));
      CHECK(talk.server.messages().empty());
      REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{{}, "the caller says so"}));
      CHECK(talk.client.info().verification == "the caller says so");
    }
}

TEST_CASE("TLS 1.2: after the verdict the handshake goes on", "[client_auth12]") {
  for (const bool held_back : {false, true}) {
    TalkOptions12 options = {.configure = [](auto& builder) {
      builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>()).status_request(true);
    }};
    if (held_back)
      options.server.ocsp_response = ByteVector(20, 5);
    Talk12 talk(options);
    if (held_back)
      talk.plan.drop("CertificateStatus");
    talk.server.run(talk.plan);
    ByteVector flight = talk.server.take_output();
    // Everything is there at once; what comes behind the certificate waits.
    tlsconnect::BytesView rest = flight;
    while (!rest.empty() && talk.client.awaited() == Interest::none) {
      const auto room = talk.client.receive_buffer();
      REQUIRE(!room.empty());
      tlsconnect::copy_bytes(rest.first(1), room);
      REQUIRE(talk.client.received(1));
      rest = rest.subspan(1);
    }
    REQUIRE(talk.client.awaited() == Interest::verdict);
    REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{}));
    talk.deliver(rest);
    talk.exchange();
    CHECK(outcome_of(talk) == connected());
    check_data_both_ways(talk);
  }
}

TEST_CASE("TLS 1.2: a key exchange that was held back is still checked", "[client_auth12]") {
  Talk12 talk({.server = {.ocsp_response = ByteVector(20, 5)}, .configure = [](auto& builder) {
                 builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>()).status_request(true);
               }});
  talk.plan.drop("CertificateStatus");
  talk.plan["ServerKeyExchange"].edit([](ByteVector& body) { body.back() ^= 1U; });
  talk.handshake();
  REQUIRE(talk.client.awaited() == Interest::verdict);
  CHECK(!talk.client.give_verdict(tlsconnect::VerifiedChain{}));
  CHECK(outcome_of(talk) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
}

TEST_CASE("TLS 1.2: the verdict may be no", "[client_auth12]") {
  Talk12 talk({.configure = [](auto& builder) { builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>()); }});
  talk.handshake();
  REQUIRE(talk.client.awaited() == Interest::verdict);
  CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_revoked, "test")));
  CHECK(outcome_of(talk) == refused(ErrorCode::certificate_revoked, Alert::certificate_revoked));
}

TEST_CASE("TLS 1.2: a client that has closed sends no flight", "[client_auth12]") {
  Talk12 talk;
  REQUIRE(talk.client.close_notify());
  talk.server.run(talk.plan);
  talk.exchange();
  CHECK(talk.server.messages().empty());
  REQUIRE(talk.server.alerts().size() == 1);
  CHECK(talk.server.alerts()[0].description == Alert::close_notify);
}
