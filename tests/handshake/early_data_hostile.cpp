// Early data with servers that accept what they must not, and with failures on the way (RFC 9846, 4.2.10 and 6).
#include "early_data.hpp"

using namespace test;

// ---- servers that accept what they must not ----

namespace {

/// The server says that it accepts early data, whatever else it does.
Outcome accept_with(Early& early_client, std::optional<std::string_view> why = {}, bool pass_over = false) {
  Talk talk = early_client.talk();
  REQUIRE(offers(talk.server.hello(), ExtensionType::early_data));
  talk.server.options().pass_over_unreadable = pass_over;
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::early_data, {});
  talk.handshake();
  const Outcome outcome = outcome_of(talk);
  if (why)
    CHECK((talk.client.failure() && talk.client.failure()->detail() == *why));
  // Whatever the server did with it: the program decides.
  CHECK(talk.client.info().early_data != EarlyDataOutcome::accepted);
  CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
  return outcome;
}
const Outcome not_acceptable = refused(ErrorCode::early_data_not_acceptable, Alert::illegal_parameter);

} // namespace

TEST_CASE("early data is not acceptable with another suite", "[early][hostile]") {
  Early early_client({}, {.suite = aes128});
  early_client.server.suite = chacha; // of the same hash: the key itself is good
  CHECK(accept_with(early_client) == not_acceptable);
  Early same({}, {.suite = aes128});
  Talk talk = same.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("early data is not acceptable with another protocol", "[early][hostile]") {
  const auto both = [](auto& builder) { builder.alpn({"h2", "http/1.1"}); };
  Early other({.configure = both}, {.alpn = "h2"});
  other.server.alpn = "http/1.1";
  CHECK(accept_with(other) == not_acceptable);
  Early none({.configure = both}, {.alpn = "h2"});
  none.server.alpn.reset();
  CHECK(accept_with(none) == not_acceptable);
  Early unexpected({.configure = both});
  unexpected.server.alpn = "h2";
  CHECK(accept_with(unexpected) == not_acceptable);
  // Without early data a session may go on with another protocol.
  Early rejected({.configure = both}, {.alpn = "h2"});
  rejected.server.alpn = "http/1.1";
  rejected.server.accept_early_data = false;
  Talk talk = rejected.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().application_protocol == "http/1.1");
  check_rejected(talk);
}

TEST_CASE("early data is not acceptable with another key", "[early][hostile]") {
  const ByteVector key(32, 1);
  Early early_client({.configure = [&](auto& builder) {
    builder.external_psks({value_of(tlsconnect::ExternalPsk::create(as_bytes("key"), key))});
  }});
  early_client.server.psks.push_back({bytes_of("key"), key, aes128, PskOrigin::external});
  early_client.server.psk_number = 1;
  CHECK(accept_with(early_client, "another key, or none, was selected", true) == not_acceptable);
}

TEST_CASE("early data is not acceptable without a key", "[early][hostile]") {
  Early early_client;
  early_client.server.decline_psks = true;
  CHECK(accept_with(early_client, "another key, or none, was selected") == not_acceptable);
}

TEST_CASE("early data is not acceptable where none was offered", "[early][hostile]") {
  const Outcome unsolicited = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
  CHECK(handshake_with([](Plan& plan) { plan["EncryptedExtensions"].with_extension(ExtensionType::early_data, {}); }) ==
        unsolicited);
  // Resumed, but without early data.
  Early silent;
  Talk resumed = silent.talk("");
  resumed.plan["EncryptedExtensions"].with_extension(ExtensionType::early_data, {});
  resumed.handshake();
  CHECK(outcome_of(resumed) == unsolicited);
  // The retry has put an end to it.
  Early retried({.configure = two_groups});
  Talk talk = retried.talk();
  talk.retry(NamedGroup::secp256r1);
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::early_data, {});
  talk.handshake();
  CHECK(outcome_of(talk) == unsolicited);
  CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
}

TEST_CASE("the extension early_data says all there is by being there", "[early][hostile]") {
  Early early_client;
  Talk talk = early_client.talk();
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::early_data, {0});
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

TEST_CASE("early data is accepted in EncryptedExtensions only", "[early][hostile]") {
  Early early_client;
  Talk talk = early_client.talk();
  talk.plan["ServerHello"].with_extension(ExtensionType::early_data, {});
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::extension_misplaced, Alert::illegal_parameter));
  CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
}

TEST_CASE("the server sends no EndOfEarlyData", "[early][hostile]") {
  Early early_client;
  Talk talk = early_client.talk();
  talk.plan.before("Finished", message_step("EndOfEarlyData", HandshakeType::end_of_early_data, ByteVector{}));
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
}

// ---- failures on the way ----

TEST_CASE("an alert goes under the key of its phase", "[early][alerts]") {
  struct Row {
    const char* what;
    std::function<void(Early&)> prepare;
    std::function<void(Talk&)> act;
    Passed alert;
    std::string back; ///< what the program gets back
  };
  constexpr ContentType alert = ContentType::alert;
  const auto spoil = [](std::string_view step) {
    return [step](Talk& talk) {
      talk.plan[step].edit([](ByteVector& body) { body.push_back(0); });
      talk.handshake();
    };
  };
  const auto keep = [](Early&) {};
  const auto reject = [](Early& one) { one.server.accept_early_data = false; };
  const auto decline = [](Early& one) { one.server.decline_psks = true; };
  const Row rows[] = {
      {"a wrong ServerHello", keep, spoil("ServerHello"), early(alert), question},
      {"wrong EncryptedExtensions, while nobody knows", keep, spoil("EncryptedExtensions"), early(alert), question},
      {"a wrong Finished, accepted", keep, spoil("Finished"), early(alert), ""},
      {"a wrong Finished, rejected", reject, spoil("Finished"), under(1, alert), question},
      {"wrong EncryptedExtensions, declined", decline, spoil("EncryptedExtensions"), under(1, alert), question},
      {"a wrong Certificate, declined", decline, spoil("Certificate"), under(1, alert), question},
      // RFC 9846, 4.2.10: after a HelloRetryRequest the server passes over what is protected.
      {"a wrong HelloRetryRequest", keep,
       [](Talk& talk) {
         Plan retry = talk.server.retry_plan(NamedGroup::secp256r1);
         retry["HelloRetryRequest"].edit_hello([](HelloDraft& draft) { draft.compression = 1; });
         talk.retry(retry);
       },
       clear(alert), question},
      {"a wrong ServerHello after a retry", keep,
       [&](Talk& talk) {
         talk.retry(NamedGroup::secp256r1);
         spoil("ServerHello")(talk);
       },
       clear(alert), question},
      {"after the handshake", keep,
       [](Talk& talk) {
         talk.handshake();
         talk.server.send(HandshakeType::finished, ByteVector(32, 0));
         talk.exchange();
       },
       under(2, alert), ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Early early_client({.configure = two_groups});
    row.prepare(early_client);
    Talk talk = early_client.talk();
    row.act(talk);
    const Outcome outcome = outcome_of(talk);
    CHECK(outcome.error);
    CHECK(outcome.alerts == 1);
    CHECK(passed(talk.server).back() == row.alert);
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == row.back);
  }
}

TEST_CASE("early data comes back when the server gives up", "[early][alerts]") {
  SECTION("with an alert") {
    Early early_client;
    Talk talk = early_client.talk();
    talk.server.send_alert(Alert::handshake_failure);
    talk.exchange();
    CHECK(outcome_of(talk) == ended(ErrorCode::alert_received));
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
  }
  SECTION("with close_notify") {
    Early early_client;
    Talk talk = early_client.talk();
    talk.server.send_alert(Alert::close_notify, 1);
    talk.exchange();
    CHECK(talk.client.peer_closed());
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
  }
  SECTION("without a word") {
    Early early_client;
    Talk talk = early_client.talk();
    CHECK(talk.client.take_unaccepted_early_data().empty());
    talk.client.received_end();
    CHECK(talk.client.truncated());
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
  }
}

TEST_CASE("early data and a verdict that comes later", "[early][verify]") {
  struct Later final : tlsconnect::CertificateVerifier {
    bool later = false;
    tlsconnect::Result<tlsconnect::VerifiedChain> verify(const tlsconnect::PresentedCertificate&,
                                                         const tlsconnect::ServerName&,
                                                         std::int64_t) const noexcept override {
      return tlsconnect::VerifiedChain{};
    }
    bool decides_later() const noexcept override { return later; }
  };
  for (const bool accept : {true, false}) {
    const auto judge = std::make_shared<Later>();
    Early early_client({.configure = [=](auto& builder) { builder.verifier(judge).verify_again_on_resumption(true); }});
    judge->later = true;
    Talk talk = early_client.talk();
    talk.handshake();
    REQUIRE(talk.client.awaited() == tlsconnect::Interest::verdict);
    CHECK(talk.client.take_unaccepted_early_data().empty());
    if (accept) {
      REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{}));
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().early_data == EarlyDataOutcome::accepted);
    } else {
      CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_rejected, "caller")));
      CHECK(outcome_of(talk) == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
      CHECK(passed(talk.server).back() == early(ContentType::alert));
    }
  }
}

TEST_CASE("application data waits for the end of the handshake, early data or not", "[early]") {
  Early early_client;
  Talk talk = early_client.talk();
  const auto sent = talk.client.encrypt(as_bytes("more"));
  REQUIRE(!sent);
  CHECK(sent.error().code() == ErrorCode::not_connected);
  CHECK(!talk.client.update_keys(true));
  CHECK(talk.client.pending_output().empty());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  check_data_both_ways(talk);
}

TEST_CASE("early data is copied", "[early]") {
  Early early_client;
  early_client.server.accept_early_data = false;
  Talk talk = early_client.talk(); // whose string died with the call
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  check_rejected(talk);
}
