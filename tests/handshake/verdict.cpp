// Servers that are judged by the caller: the connection halts until the verdict is in.
#include <memory>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::Interest;
using tlsconnect::VerifiedChain;

namespace {

const ByteVector staple = {0x30, 3, 10, 1, 0};
const ByteVector timestamps = {0, 4, 0, 2, 7, 7};

TalkOptions judged_options() {
  return {.configure = [](auto& builder) {
    builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>())
        .status_request(true)
        .signed_certificate_timestamps(true);
  }};
}

/// Halted for a verdict.
void check_waits(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::verdict);
  CHECK(talk.client.receive_buffer().empty());
  CHECK(talk.client.pending_output().empty());
  CHECK(!talk.client.handshake_complete());
  CHECK(!talk.client.failure());
  CHECK(!talk.client.signature_request());
  const auto signature = talk.client.give_signature(ByteVector{1});
  CHECK((!signature && signature.error().code() == ErrorCode::nothing_awaited));
  CHECK(talk.client.awaited() == Interest::verdict);
}

void check_nothing_awaited(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::none);
  CHECK(!talk.client.verdict_request());
  const auto verdict = talk.client.give_verdict(VerifiedChain{});
  CHECK((!verdict && verdict.error().code() == ErrorCode::nothing_awaited));
  CHECK(!talk.client.failure());
}

/// All that the server says, or only what goes up to its certificate.
void run_until_halt(Talk& talk, bool all = true) {
  if (all) {
    talk.server.run(talk.plan);
  } else {
    Plan part = talk.plan;
    part.drop("CertificateVerify").drop("Finished").drop("application keys");
    talk.server.run(part);
  }
  talk.to_client();
  talk.to_server();
}

} // namespace

TEST_CASE("a verdict later: accepted", "[verdict]") {
  Talk talk(judged_options());
  check_nothing_awaited(talk);
  talk.plan["Certificate"].edit_certificate([](CertificateDraft& draft) {
    draft.entries.push_back({server_root().der(), {}});
    draft.entries[0].extensions = {{ExtensionType::status_request, {1, 0, 0, 5, 0x30, 3, 10, 1, 0}},
                                   {ExtensionType::signed_certificate_timestamp, timestamps}};
  });
  run_until_halt(talk);
  check_waits(talk);
  const auto request = talk.client.verdict_request();
  REQUIRE(request);
  REQUIRE(request->presented.chain.size() == 2);
  CHECK(tlsconnect::to_vector(request->presented.chain[0].der()) == server_identity().der());
  CHECK(tlsconnect::to_vector(request->presented.chain[1].der()) == server_root().der());
  REQUIRE(request->presented.status.size() == 2);
  CHECK(tlsconnect::to_vector(request->presented.status[0].ocsp_response) == staple);
  CHECK(tlsconnect::to_vector(request->presented.status[0].sct_list) == timestamps);
  CHECK(request->presented.status[1].ocsp_response.empty());
  CHECK(request->presented.status[1].sct_list.empty());
  REQUIRE(request->public_key);
  CHECK(tlsconnect::to_vector(request->public_key->spki()) == server_identity().key().public_der());
  CHECK(talk.client.info().verification.empty());
  CHECK(!talk.client.encrypt_all(tlsconnect::as_bytes("x")));
  check_waits(talk);

  REQUIRE(talk.client.give_verdict(VerifiedChain{{}, "a person looked at it"}));
  CHECK(talk.client.info().verification == "a person looked at it");
  CHECK(talk.client.handshake_complete());
  CHECK(outcome_of(talk) == connected());
  check_nothing_awaited(talk);
  talk.server.send_data("welcome");
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "welcome");
}

TEST_CASE("a verdict later: an acceptance that rests on a session's life", "[verdict]") {
  // A verifier that builds no path says so with an empty one; one that does names it.
  for (const bool with_path : {false, true}) {
    Talk talk(judged_options());
    run_until_halt(talk, false);
    VerifiedChain chain;
    chain.explanation = "accepted";
    if (with_path)
      chain.path = certificates_of(server_identity());
    REQUIRE(talk.client.give_verdict(chain));
    check_nothing_awaited(talk);
    CHECK(!talk.client.handshake_complete());
    CHECK(!talk.client.receive_buffer().empty());
    // What follows comes afterwards.
    Plan rest = talk.plan;
    rest.drop("ServerHello").drop("handshake keys").drop("EncryptedExtensions").drop("Certificate");
    talk.server.run(rest);
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("a verdict later: refused", "[verdict]") {
  const auto refuse = [](tlsconnect::Error error) {
    Talk talk(judged_options());
    run_until_halt(talk);
    const auto given = talk.client.give_verdict(std::unexpected(error));
    CHECK((!given && given.error().code() == error.code()));
    CHECK(talk.client.awaited() == Interest::none);
    CHECK(!talk.client.verdict_request());
    const Outcome outcome = outcome_of(talk);
    const auto again = talk.client.give_verdict(VerifiedChain{});
    CHECK((!again && again.error().code() == error.code()));
    return outcome;
  };
  CHECK(refuse(tlsconnect::Error(ErrorCode::certificate_rejected)) ==
        refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
  CHECK(refuse(tlsconnect::Error(ErrorCode::certificate_revoked)) ==
        refused(ErrorCode::certificate_revoked, Alert::certificate_revoked));
  CHECK(refuse(tlsconnect::Error(ErrorCode::certificate_rejected).with_alert(Alert::access_denied)) ==
        refused(ErrorCode::certificate_rejected, Alert::access_denied));
}

TEST_CASE("a verdict later is no proof of the key", "[verdict]") {
  for (const bool all : {false, true}) {
    Talk talk(judged_options());
    talk.plan["CertificateVerify"].edit([](ByteVector& body) { body.back() ^= 1; });
    if (all)
      run_until_halt(talk);
    else
      run_until_halt(talk, false);
    // The bytes may be there already: they are looked at when the verdict is in.
    const auto given = talk.client.give_verdict(VerifiedChain{});
    if (all) {
      CHECK((!given && given.error().code() == ErrorCode::signature_invalid));
    } else {
      CHECK(given);
      Plan rest = talk.plan;
      rest.drop("ServerHello").drop("handshake keys").drop("EncryptedExtensions").drop("Certificate");
      talk.server.run(rest);
    }
    CHECK(outcome_of(talk) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
  }
}

TEST_CASE("a verdict later: whatever the pieces", "[verdict]") {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    Talk talk(judged_options());
    talk.server.run(talk.plan);
    const ByteVector flight = talk.server.take_output();
    std::size_t place = 0;
    bool asked = false;
    while (place < flight.size()) {
      if (talk.client.awaited() == Interest::verdict) {
        check_waits(talk);
        CHECK(!asked);
        asked = true;
        REQUIRE(talk.client.give_verdict(VerifiedChain{}));
      }
      const Bytes room = talk.client.receive_buffer();
      REQUIRE(!room.empty());
      const std::size_t count = std::min({chunk, flight.size() - place, room.size()});
      tlsconnect::copy_bytes(BytesView(flight).subspan(place, count), room);
      REQUIRE(talk.client.received(count));
      place += count;
    }
    CHECK(asked);
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("a verdict later, then a signature later", "[verdict]") {
  const Identity& identity = client_identity(KeyType::p256);
  TalkOptions options = judged_options();
  options.server.request_certificate = true;
  options.configure = [&identity](auto& builder) {
    builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>())
        .credentials({later_credential_of(identity, {SignatureScheme::ecdsa_secp256r1_sha256})});
  };
  Talk talk(options);
  talk.plan["CertificateRequest"].replace(Asked{}.body());
  run_until_halt(talk);
  check_waits(talk);
  REQUIRE(talk.client.give_verdict(VerifiedChain{}));
  CHECK(talk.client.awaited() == Interest::signature);
  CHECK(talk.client.receive_buffer().empty());
  CHECK(!talk.client.verdict_request());
  CHECK(!talk.client.give_verdict(VerifiedChain{}));
  const auto request = talk.client.signature_request();
  REQUIRE(request);
  REQUIRE(talk.client.give_signature(identity.key().sign("SHA-256", tlsconnect::to_vector(request->content))));
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("a verdict that is not awaited is not in the way", "[verdict]") {
  Talk talk;
  check_nothing_awaited(talk);
  talk.handshake();
  check_nothing_awaited(talk);
  CHECK(outcome_of(talk) == connected());
  tlsconnect::ClientEngine other = std::move(talk.client);
  CHECK(talk.client.awaited() == Interest::none);
  CHECK(!talk.client.verdict_request());
  CHECK(talk.client.give_verdict(VerifiedChain{}).error().code() == ErrorCode::not_connected);
  CHECK(talk.client.give_signature(ByteVector{}).error().code() == ErrorCode::not_connected);
  CHECK(talk.client.update_keys(true).error().code() == ErrorCode::not_connected);
}
