// Client certificates later: signatures that fail or that take their time, and requests after the handshake
// (RFC 9846, 4.6.2).
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::Interest;

// ---- signing that fails, or that takes its time ----

namespace {

/// A token that was pulled out.
class BrokenSigner final : public tlsconnect::Signer {
public:
  explicit BrokenSigner(std::optional<Alert> alert = std::nullopt) : alert_(alert) {}
  std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  tlsconnect::Result<ByteVector> sign(SignatureScheme, BytesView, tlsconnect::Rng&) const noexcept override {
    tlsconnect::Error error(ErrorCode::signing_failed, {}, "the token is gone");
    if (alert_)
      error = std::move(error).with_alert(*alert_);
    return std::unexpected(std::move(error));
  }

private:
  std::vector<SignatureScheme> schemes_ = {SignatureScheme::ecdsa_secp256r1_sha256};
  std::optional<Alert> alert_;
};

Credential broken_credential(std::optional<Alert> alert = std::nullopt) {
  return value_of(
      Credential::create(certificates_of(client_identity(KeyType::p256)), std::make_shared<BrokenSigner>(alert)));
}

const Identity& later_identity() { return client_identity(KeyType::p256); }
Credential later_credential() {
  return later_credential_of(later_identity(), {SignatureScheme::ecdsa_secp256r1_sha256});
}
/// The signature that the connection waits for.
ByteVector made_signature(const Talk& talk) {
  const auto request = talk.client.signature_request();
  REQUIRE(request);
  return later_identity().key().sign("SHA-256", tlsconnect::to_vector(request->content));
}

/// Halted for a signature.
void check_waits(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::signature);
  CHECK(talk.client.receive_buffer().empty());
  CHECK(talk.client.pending_output().empty());
  CHECK(!talk.client.failure());
  CHECK(!talk.client.verdict_request());
  const auto verdict = talk.client.give_verdict(tlsconnect::VerifiedChain{});
  CHECK((!verdict && verdict.error().code() == ErrorCode::nothing_awaited));
  CHECK(talk.client.awaited() == Interest::signature);
}

void check_nothing_awaited(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::none);
  CHECK(!talk.client.signature_request());
  const auto again = talk.client.give_signature(ByteVector{1});
  CHECK((!again && again.error().code() == ErrorCode::nothing_awaited));
  CHECK(!talk.client.failure());
}

} // namespace

TEST_CASE("a signature that cannot be made ends the connection", "[client_auth][signing]") {
  CHECK(handshake_with([](Plan&) {}, asked_client({broken_credential()})) ==
        refused(ErrorCode::signing_failed, Alert::internal_error));
  CHECK(handshake_with([](Plan&) {}, asked_client({broken_credential(Alert::handshake_failure)})) ==
        refused(ErrorCode::signing_failed, Alert::handshake_failure));
  CHECK(after_handshake(
            [](Talk& talk) { talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body()); },
            {.configure = [](auto& builder) {
              builder.credentials({broken_credential()}).post_handshake_auth(true);
            }}) == refused_later(ErrorCode::signing_failed, Alert::internal_error));
}

TEST_CASE("a signature later: the handshake waits for it", "[client_auth][signing][later]") {
  for (const std::size_t chunk : {~std::size_t{0}, std::size_t{1}}) {
    TalkOptions options = asked_client({credential_of(client_identity(KeyType::ed25519)), later_credential()});
    Talk talk(options);
    talk.chunk = chunk;
    check_nothing_awaited(talk);
    shake(talk, {.schemes = {SignatureScheme::ecdsa_secp256r1_sha256}});
    check_waits(talk);
    CHECK(!talk.client.handshake_complete());
    CHECK(talk.server.messages().empty());
    CHECK(talk.client.info().certificate_requested);
    CHECK(!talk.client.info().client_certificate_sent); // not before it is signed for
    CHECK(!talk.client.info().credential);
    const auto early = talk.client.encrypt_all(tlsconnect::as_bytes("x"));
    CHECK((!early && early.error().code() == ErrorCode::not_connected));
    const auto request = talk.client.signature_request();
    REQUIRE(request);
    CHECK(request->credential == 1);
    CHECK(request->scheme == SignatureScheme::ecdsa_secp256r1_sha256);
    const ByteVector content = tlsconnect::to_vector(request->content);

    const ByteVector signature = made_signature(talk);
    REQUIRE(talk.client.give_signature(signature));
    CHECK(talk.client.handshake_complete());
    CHECK(outcome_of(talk) == connected());
    check_nothing_awaited(talk);
    const Answer answer(talk.server);
    CHECK(answer.types == shown);
    CHECK(answer.signature == signature);
    CHECK(content == client_content(answer.signed_hash));
    CHECK(signature_holds(later_identity().key(), *answer.scheme, content, answer.signature));
    CHECK(talk.client.info().credential == 1);
    talk.server.send_data("welcome");
    talk.exchange();
    CHECK(tlsconnect::as_text(talk.received) == "welcome");
  }
}

TEST_CASE("a signature later: what has come meanwhile is read when it is there", "[client_auth][signing][later]") {
  Talk talk(asked_client({later_credential()}));
  talk.plan["CertificateRequest"].replace(Asked{}.body());
  talk.server.run(talk.plan);
  // RFC 9846, 4.4.4: the server may speak before it has the client's Finished.
  talk.server.send_data("before you ");
  talk.server.send_data("have finished");
  talk.deliver(talk.server.take_output());
  check_waits(talk);
  CHECK(talk.received.empty());
  REQUIRE(talk.client.received(0)); // and nothing comes of calling
  check_waits(talk);
  REQUIRE(talk.client.give_signature(made_signature(talk)));
  talk.deliver({});
  CHECK(tlsconnect::as_text(talk.received) == "before you have finished");
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("a signature later: or none", "[client_auth][signing][later]") {
  for (const std::optional<Alert> alert : {std::optional<Alert>(), std::optional(Alert::access_denied)}) {
    Talk talk(asked_client({later_credential()}));
    shake(talk, {});
    check_waits(talk);
    tlsconnect::Error error(ErrorCode::signing_failed, {}, "the user said no");
    if (alert)
      error = std::move(error).with_alert(*alert);
    const auto given = talk.client.give_signature(std::unexpected(error));
    CHECK((!given && given.error().code() == ErrorCode::signing_failed));
    CHECK(talk.client.awaited() == Interest::none);
    CHECK(!talk.client.info().client_certificate_sent);
    CHECK(!talk.client.signature_request());
    CHECK(outcome_of(talk) == refused(ErrorCode::signing_failed, alert.value_or(Alert::internal_error)));
    const auto again = talk.client.give_signature(ByteVector{1});
    CHECK((!again && again.error().code() == ErrorCode::signing_failed));
  }
}

// ---- after the handshake (RFC 9846, 4.6.2) ----

namespace {

TalkOptions late_client(std::vector<Credential> credentials, CipherSuite suite = CipherSuite::aes_128_gcm_sha256) {
  return {.server = {.suite = suite},
          .configure = [credentials](auto& builder) { builder.credentials(credentials).post_handshake_auth(true); }};
}

/// What the client says from message `from` on answers this request, with this identity or with none.
void check_late_answer(Talk& talk, const Asked& asked, std::size_t from, const Identity* identity) {
  const Answer answer(talk.server, from);
  REQUIRE(answer.types == (identity ? shown : nothing_shown));
  // RFC 9846, 4.4.2: the context comes back.
  CHECK(answer.certificate->context == asked.context);
  CHECK(ders_of(*answer.certificate) == (identity ? identity->chain_der() : std::vector<Blob>()));
  // RFC 9846, 4.4: the handshake, the request, and what of the answer stands in front.
  ByteVector behind = framed(HandshakeType::certificate_request, asked.body());
  append(behind, framed(HandshakeType::certificate, answer.certificate_body));
  if (identity) {
    const ByteVector content = client_content(talk.server.transcript_with(behind).view());
    CHECK(signature_holds(identity->key(), *answer.scheme, content, answer.signature));
    append(behind, framed(HandshakeType::certificate_verify, answer.verify_body));
  }
  const auto suite = tlsconnect::parameters_of(talk.server.suite());
  const auto expected = value_of(tlsconnect::finished_verify_data(suite->hash, talk.server.client_application_secret(),
                                                                  talk.server.transcript_with(behind)));
  CHECK(answer.finished == tlsconnect::to_vector(expected.view()));
}

} // namespace

TEST_CASE("after the handshake: the client says whether it may be asked", "[client_auth][late]") {
  const auto said = [](bool on) {
    const Talk talk({.configure = [on](auto& builder) { builder.post_handshake_auth(on); }});
    const RawExt* extension = find_extension(talk.server.hello().extensions, ExtensionType::post_handshake_auth);
    CHECK((!extension || extension->body.empty()));
    return extension != nullptr;
  };
  CHECK(said(true));
  CHECK(!said(false));
  CHECK(after_handshake(
            [](Talk& talk) { talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body()); },
            {.configure = [](auto& builder) {
              builder.credentials({credential_of(client_identity(KeyType::p256))});
            }}) == refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("after the handshake: one request after the other, with data between", "[client_auth][late]") {
  for (const CipherSuite suite : {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384}) {
    const Identity& first = client_identity(KeyType::p256);
    const Identity& second = client_identity(KeyType::ed25519);
    Talk talk(late_client({credential_of(first), credential_of(second)}, suite));
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(!talk.client.info().certificate_requested);
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("1")));
    const auto ask = [&](const Asked& asked, const Identity* identity) {
      const std::size_t from = talk.server.messages().size();
      talk.server.send_data("before");
      talk.server.send(HandshakeType::certificate_request, asked.body());
      talk.server.send_data("behind");
      talk.exchange();
      check_late_answer(talk, asked, from, identity);
      REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("2")));
      talk.exchange();
      CHECK(talk.client.info().certificate_requested);
    };
    ask({.context = {1}}, &first);
    CHECK(talk.client.info().credential == 0);
    ask({.schemes = {SignatureScheme::ed25519}, .context = ByteVector(255, 7)}, &second);
    CHECK(talk.client.info().credential == 1);
    ask({.schemes = {SignatureScheme::ed448}, .context = {3}}, nullptr);
    // The Finished of the next rests on the key of its time.
    REQUIRE(talk.client.update_keys(false));
    talk.exchange();
    ask({.context = {4}}, &first);
    talk.server.send_key_update(0);
    ask({.context = {5}}, &first);
    CHECK(tlsconnect::as_text(talk.received) == "beforebehindbeforebehindbeforebehindbeforebehindbeforebehind");
    CHECK(tlsconnect::as_text(talk.server.received()) == "122222");
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("after the handshake: a client that showed itself during the handshake", "[client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  TalkOptions options = late_client({credential_of(identity)});
  options.server.request_certificate = true;
  Talk talk(options);
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(Answer(talk.server).types == shown);
  const std::size_t from = talk.server.messages().size();
  const Asked asked{.context = {9, 9}};
  talk.server.send(HandshakeType::certificate_request, asked.body());
  talk.exchange();
  check_late_answer(talk, asked, from, &identity);
}

TEST_CASE("after the handshake: two requests at once", "[client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  Talk talk(late_client({credential_of(identity)}));
  talk.handshake();
  const Asked one{.context = {1}};
  const Asked two{.context = {2}};
  const std::size_t from = talk.server.messages().size();
  ByteVector both = framed(HandshakeType::certificate_request, one.body());
  append(both, framed(HandshakeType::certificate_request, two.body()));
  talk.server.send_record(ContentType::handshake, both);
  talk.exchange();
  REQUIRE(talk.server.messages().size() == from + 6);
  CHECK(Answer(talk.server, from + 3).certificate->context == two.context);
  check_late_answer(talk, two, from + 3, &identity);
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("after the handshake: a signature later", "[client_auth][late][later]") {
  Talk talk(late_client({later_credential()}));
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  for (const bool new_key : {false, true, false}) {
    const Asked asked{.context = {static_cast<std::uint8_t>(new_key), 8}};
    const std::size_t from = talk.server.messages().size();
    talk.received.clear();
    talk.server.send_data("before");
    talk.server.send(HandshakeType::certificate_request, asked.body());
    talk.server.send_data("behind");
    talk.exchange();
    check_waits(talk);
    CHECK(talk.client.handshake_complete());
    CHECK(tlsconnect::as_text(talk.received) == "before");
    CHECK(talk.server.messages().size() == from);
    // This side may go on speaking.
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("wait")));
    std::size_t answer_from = from;
    if (new_key) {
      REQUIRE(talk.client.update_keys(false));
      ++answer_from;
    }
    talk.exchange();
    CHECK(talk.client.awaited() == Interest::signature);
    REQUIRE(talk.client.signature_request());
    CHECK(talk.client.signature_request()->credential == 0);
    REQUIRE(talk.client.give_signature(made_signature(talk)));
    talk.deliver({});
    talk.exchange();
    check_late_answer(talk, asked, answer_from, &later_identity());
    CHECK(tlsconnect::as_text(talk.received) == "beforebehind");
    check_nothing_awaited(talk);
  }
  CHECK(tlsconnect::as_text(talk.server.received()) == "waitwaitwait");
  CHECK(outcome_of(talk) == connected());
  // Or none at all.
  talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body());
  talk.exchange();
  CHECK(!talk.client.give_signature(tlsconnect::fail(ErrorCode::signing_failed)));
  CHECK(outcome_of(talk) == refused_later(ErrorCode::signing_failed, Alert::internal_error));
}

TEST_CASE("after the handshake: no answer after close_notify", "[client_auth][late][close]") {
  for (const bool later : {false, true}) {
    Talk talk(late_client({later ? later_credential() : credential_of(client_identity(KeyType::p256))}));
    talk.handshake();
    const std::size_t from = talk.server.messages().size();
    const auto ask = [&] {
      talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body());
      talk.server.send_data("still here");
    };
    if (later) {
      // Closed while the signature is being made.
      ask();
      talk.exchange();
      const ByteVector signature = made_signature(talk);
      REQUIRE(talk.client.close_notify());
      REQUIRE(talk.client.give_signature(signature));
      talk.deliver({});
    } else {
      REQUIRE(talk.client.close_notify());
      ask();
    }
    talk.exchange();
    CHECK(talk.server.messages().size() == from);
    CHECK(!talk.client.info().client_certificate_sent);
    CHECK(tlsconnect::as_text(talk.received) == "still here");
    CHECK(!talk.client.failure());
    REQUIRE(talk.server.alerts().size() == 1);
    CHECK(talk.server.alerts()[0].description == Alert::close_notify);
  }
  // Nobody is asked for a signature that could not be sent.
  Talk talk(late_client({later_credential()}));
  talk.handshake();
  REQUIRE(talk.client.close_notify());
  talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body());
  talk.exchange();
  check_nothing_awaited(talk);
}
