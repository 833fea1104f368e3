// After the handshake: tickets, KeyUpdate, messages that may not come, and the end (RFC 9846, 4.6 and 6.1).
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

constexpr std::uint8_t not_requested = 0;
constexpr std::uint8_t requested = 1;

void say(Talk& talk, std::string_view text) {
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes(text)));
  talk.to_server();
}

/// The records that the client sent after its Finished.
std::vector<std::pair<ContentType, unsigned>> records_since(const Talk& talk, std::size_t before) {
  std::vector<std::pair<ContentType, unsigned>> found;
  for (std::size_t i = before; i < talk.server.records().size(); ++i)
    found.emplace_back(talk.server.records()[i].type, talk.server.records()[i].key);
  return found;
}

} // namespace

// ---- tickets ----

TEST_CASE("tickets are taken and ignored", "[tickets]") {
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send_ticket();
          talk.server.send_data("a");
          talk.server.send_ticket();
          talk.server.send_ticket();
          talk.server.send_data("b");
          talk.exchange();
          CHECK(tlsconnect::as_text(talk.received) == "ab");
        }) == connected());
  // Several in one record; one in several.
  CHECK(after_handshake([](Talk& talk) {
          ByteVector both = framed(HandshakeType::new_session_ticket, talk.server.draft_ticket());
          both.insert(both.end(), both.begin(), both.end());
          talk.server.send_record(ContentType::handshake, both);
          talk.server.send(HandshakeType::new_session_ticket, talk.server.draft_ticket(), 1);
        }) == connected());
}

TEST_CASE("tickets do not come without end", "[tickets]") {
  const auto flood = [](unsigned count) {
    return after_handshake([=](Talk& talk) {
      for (int round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < count; ++i)
          talk.server.send_ticket();
        talk.server.send_data("x"); // which starts the count again
      }
    });
  };
  CHECK(flood(tlsconnect::limits::post_handshake_messages) == connected());
  CHECK(flood(tlsconnect::limits::post_handshake_messages + 1) ==
        refused_later(ErrorCode::too_many_messages, Alert::unexpected_message));
  // Data without content does not count as data.
  CHECK(after_handshake([](Talk& talk) {
          for (unsigned i = 0; i <= tlsconnect::limits::post_handshake_messages; ++i) {
            talk.server.send_ticket();
            if (i % 8 == 0)
              talk.server.send_data("");
          }
        }) == refused_later(ErrorCode::too_many_messages, Alert::unexpected_message));
}

// ---- KeyUpdate ----

TEST_CASE("KeyUpdate that requests nothing changes the server's key only", "[key_update]") {
  Talk talk;
  talk.handshake();
  const std::size_t before = talk.server.records().size();
  for (int i = 0; i < 3; ++i) {
    talk.server.send_key_update(not_requested);
    talk.server.send_data("new key");
    talk.exchange();
    say(talk, "old key");
  }
  CHECK(talk.received.size() == 3 * 7);
  CHECK(records_since(talk, before) ==
        std::vector<std::pair<ContentType, unsigned>>(3, {ContentType::application_data, 2U}));
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("KeyUpdate that requests one is answered under the old key", "[key_update]") {
  for (const CipherSuite suite :
       {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
    Talk talk({.server = {.suite = suite}});
    talk.handshake();
    const std::size_t before = talk.server.records().size();
    const std::size_t messages = talk.server.messages().size();
    say(talk, "1");
    talk.server.send_key_update(requested);
    talk.exchange();
    say(talk, "2");
    talk.server.send_data("from the server");
    talk.exchange();
    CHECK(records_since(talk, before) ==
          std::vector<std::pair<ContentType, unsigned>>{
              {ContentType::application_data, 2U}, {ContentType::handshake, 2U}, {ContentType::application_data, 3U}});
    REQUIRE(talk.server.messages().size() == messages + 1);
    CHECK(talk.server.messages().back().type == HandshakeType::key_update);
    // RFC 9846, 4.6.3: the answer requests nothing, or the two would never stop.
    CHECK(talk.server.messages().back().body == ByteVector{not_requested});
    CHECK(tlsconnect::as_text(talk.server.received()) == "12");
    CHECK(tlsconnect::as_text(talk.received) == "from the server");
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("KeyUpdate: one answer for all requests that came while this side was silent", "[key_update]") {
  Talk talk;
  talk.handshake();
  const std::size_t before = talk.server.records().size();
  for (int i = 0; i < 5; ++i) {
    talk.server.send_key_update(requested);
    talk.exchange();
  }
  // RFC 9846, 4.6.3: due before the next application data, and not sooner.
  CHECK(talk.server.records().size() == before);
  say(talk, "x");
  say(talk, "y");
  CHECK(records_since(talk, before) ==
        std::vector<std::pair<ContentType, unsigned>>{
            {ContentType::handshake, 2U}, {ContentType::application_data, 3U}, {ContentType::application_data, 3U}});
  // The next request gets an answer of its own.
  talk.server.send_key_update(requested);
  talk.exchange();
  say(talk, "z");
  CHECK(talk.server.records().back().key == 4);
  talk.server.send_data("y");
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "y");
  CHECK(tlsconnect::as_text(talk.server.received()) == "xyz");
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("KeyUpdate: data that is sealed while the answer waits is under the new key", "[key_update]") {
  Talk talk;
  talk.handshake();
  const std::size_t before = talk.server.records().size();
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("before")));
  talk.server.send_key_update(requested);
  talk.to_client();
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("after")));
  talk.exchange();
  CHECK(records_since(talk, before) ==
        std::vector<std::pair<ContentType, unsigned>>{
            {ContentType::application_data, 2U}, {ContentType::handshake, 2U}, {ContentType::application_data, 3U}});
  CHECK(tlsconnect::as_text(talk.server.received()) == "beforeafter");
}

TEST_CASE("KeyUpdate has one of two values", "[key_update]") {
  for (unsigned value = 2; value < 256; ++value)
    CHECK(after_handshake([=](Talk& talk) {
            talk.server.send(HandshakeType::key_update, ByteVector{static_cast<std::uint8_t>(value)});
          }) == refused_later(ErrorCode::key_update_invalid, Alert::illegal_parameter));
}

TEST_CASE("KeyUpdate does not come without end", "[key_update]") {
  for (const std::uint8_t request : {not_requested, requested}) {
    const auto flood = [=](unsigned count) {
      return after_handshake([=](Talk& talk) {
        for (int round = 0; round < 2; ++round) {
          for (unsigned i = 0; i < count; ++i)
            talk.server.send_key_update(request);
          talk.server.send_data("x"); // which starts the count again
        }
      });
    };
    CHECK(flood(tlsconnect::limits::key_updates) == connected());
    CHECK(flood(tlsconnect::limits::key_updates + 1) ==
          refused_later(ErrorCode::too_many_key_updates, Alert::unexpected_message));
  }
}

TEST_CASE("KeyUpdate ends its record", "[key_update][aligned]") {
  const Outcome wrong = refused_later(ErrorCode::key_change_not_aligned, Alert::unexpected_message);
  for (const ByteVector& behind : {framed(HandshakeType::key_update, ByteVector{0}), ByteVector{4}, ByteVector{24, 0}})
    CHECK(after_handshake([&](Talk& talk) {
            ByteVector record = framed(HandshakeType::key_update, ByteVector{0});
            record.insert(record.end(), behind.begin(), behind.end());
            talk.server.send_record(ContentType::handshake, record);
          }) == wrong);
  // In front of it there may be something.
  CHECK(after_handshake([](Talk& talk) {
          ByteVector record = framed(HandshakeType::new_session_ticket, talk.server.draft_ticket());
          const ByteVector update = framed(HandshakeType::key_update, ByteVector{0});
          record.insert(record.end(), update.begin(), update.end());
          talk.server.send_record(ContentType::handshake, record);
          talk.server.advance_write_key();
          talk.server.send_data("x");
          talk.exchange();
          CHECK(talk.received.size() == 1);
        }) == connected());
}

TEST_CASE("KeyUpdate: the old key is gone at once, and the new one not there before", "[key_update]") {
  const Outcome wrong = refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send(HandshakeType::key_update, ByteVector{0});
          talk.server.send_data("under the old key");
        }) == wrong);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.advance_write_key();
          talk.server.send_data("under the new key");
        }) == wrong);
}

TEST_CASE("KeyUpdate is not answered after close_notify", "[key_update][close]") {
  Talk talk;
  talk.handshake();
  REQUIRE(talk.client.close_notify());
  talk.to_server();
  const std::size_t before = talk.server.records().size();
  talk.server.send_key_update(requested);
  talk.server.send_data("still talking");
  talk.exchange();
  CHECK(talk.server.records().size() == before);
  CHECK(tlsconnect::as_text(talk.received) == "still talking");
  CHECK(!talk.client.failure());
}

// ---- messages that may not come ----

TEST_CASE("after the handshake only tickets and KeyUpdate", "[connected]") {
  for (unsigned type = 0; type < 256; ++type) {
    const auto handshake_type = static_cast<HandshakeType>(type);
    if (handshake_type == HandshakeType::new_session_ticket || handshake_type == HandshakeType::key_update)
      continue;
    CAPTURE(type);
    CHECK(after_handshake([&](Talk& talk) { talk.server.send(handshake_type, ByteVector{0, 0}); }) ==
          refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
  }
}

TEST_CASE("a request for a certificate after the handshake was not invited", "[connected]") {
  // RFC 9846, 4.6.2: a client that did not send post_handshake_auth answers with unexpected_message.
  CHECK(after_handshake([](Talk& talk) {
          CHECK(find_extension(talk.server.hello().extensions, ExtensionType::post_handshake_auth) == nullptr);
          ByteVector request = talk.server.draft_certificate_request();
          request[0] = 1;
          request.insert(request.begin() + 1, 7);
          talk.server.send(HandshakeType::certificate_request, request);
        }) == refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("what came before a failure can still be read", "[connected]") {
  Talk talk;
  talk.handshake();
  talk.server.send_data("good");
  talk.server.send_raw(ByteVector{99, 3, 3, 0, 1, 0});
  const ByteVector bytes = talk.server.take_output();
  const Bytes room = talk.client.receive_buffer();
  REQUIRE(room.size() >= bytes.size());
  tlsconnect::copy_bytes(bytes, room);
  REQUIRE(talk.client.received(bytes.size()));
  CHECK(!talk.client.failure());
  CHECK(tlsconnect::as_text(talk.client.plaintext()) == "good");
  CHECK(talk.client.receive_buffer().empty()); // it would overwrite what waits here
  talk.client.consume(2);
  CHECK(!talk.client.failure());
  CHECK(tlsconnect::as_text(talk.client.plaintext()) == "od");
  talk.client.consume(2);
  CHECK(outcome_of(talk) == refused_later(ErrorCode::record_type_unexpected, Alert::unexpected_message));
}

// ---- the end ----

TEST_CASE("close_notify ends one direction", "[close]") {
  Talk talk;
  talk.handshake();
  talk.server.send_data("last words");
  talk.server.send_alert(Alert::close_notify, 1);
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "last words");
  CHECK(talk.client.peer_closed());
  CHECK(!talk.client.failure());
  // RFC 9846, 6.1: this side may go on.
  CHECK(talk.server.alerts().empty());
  say(talk, "still here");
  CHECK(tlsconnect::as_text(talk.server.received()) == "still here");
  REQUIRE(talk.client.close_notify());
  REQUIRE(talk.client.close_notify());
  talk.to_server();
  REQUIRE(talk.server.alerts().size() == 1);
  CHECK(talk.server.alerts()[0].description == Alert::close_notify);
  CHECK(talk.server.alerts()[0].level == 1);
  CHECK(talk.server.alerts()[0].sealed);
  const auto refused_data = talk.client.encrypt_all(tlsconnect::as_bytes("x"));
  CHECK((!refused_data && refused_data.error().code() == ErrorCode::write_side_closed));
  CHECK(!talk.client.failure());
}

TEST_CASE("what comes after close_notify is ignored", "[close]") {
  for (const bool together : {true, false}) {
    Talk talk;
    talk.handshake();
    talk.server.send_alert(Alert::close_notify, 1);
    if (!together)
      talk.exchange();
    talk.server.send_data("too late");
    talk.server.send_clear(ContentType::application_data, ByteVector(40, 9));
    talk.server.send_raw(tlsconnect::as_bytes("garbage"));
    talk.exchange();
    CHECK(talk.client.peer_closed());
    CHECK(talk.received.empty());
    CHECK(!talk.client.failure());
    CHECK(talk.server.alerts().empty());
    CHECK(talk.client.receive_buffer().empty());
    talk.client.received_end();
    CHECK(!talk.client.truncated());
  }
}

TEST_CASE("after close_notify a failure is not told to the server", "[close]") {
  // RFC 9846, 6.1: nothing is sent after close_notify, an alert neither.
  Talk talk;
  talk.handshake();
  REQUIRE(talk.client.close_notify());
  talk.server.send_raw(ByteVector{99, 3, 3, 0, 1, 0});
  talk.exchange();
  REQUIRE(talk.client.failure());
  CHECK(talk.client.failure()->code() == ErrorCode::record_type_unexpected);
  REQUIRE(talk.server.alerts().size() == 1);
  CHECK(talk.server.alerts()[0].description == Alert::close_notify);
}

TEST_CASE("an end without close_notify is a truncation", "[close]") {
  Talk talk;
  talk.handshake();
  talk.server.send_data("half a sen");
  ByteVector bytes = talk.server.take_output();
  talk.deliver(bytes);
  talk.client.received_end();
  CHECK(talk.client.truncated());
  CHECK(!talk.client.peer_closed());
  CHECK(talk.client.receive_buffer().empty());
  Talk cut;
  cut.handshake();
  cut.server.send_alert(Alert::close_notify, 1);
  bytes = cut.server.take_output();
  bytes.pop_back();
  cut.deliver(bytes);
  cut.client.received_end();
  CHECK(cut.client.truncated());
}

TEST_CASE("close_notify during the handshake ends it without a complaint", "[close]") {
  const auto closed_after = [](const char* step) {
    Talk talk;
    Plan& plan = talk.plan;
    const auto close = [] {
      return action_step("close", [](ScriptedServer& server) { server.send_alert(Alert::close_notify, 1); });
    };
    if (step)
      plan.after(step, close());
    else
      plan.before("ServerHello", close());
    talk.handshake();
    CHECK(talk.client.peer_closed());
    CHECK(!talk.client.handshake_complete());
    CHECK(!talk.client.failure());
    CHECK(talk.server.alerts().empty());
    const auto data = talk.client.encrypt_all(tlsconnect::as_bytes("x"));
    CHECK((!data && data.error().code() == ErrorCode::not_connected));
  };
  closed_after(nullptr);
  for (const char* step : {"handshake keys", "EncryptedExtensions", "Certificate", "CertificateVerify"})
    closed_after(step);
}

// ---- alerts ----

TEST_CASE("every alert but two ends the connection, whatever its level says", "[alerts]") {
  for (unsigned value = 1; value < 256; ++value) {
    const auto alert = static_cast<Alert>(value);
    if (alert == Alert::user_canceled)
      continue;
    CAPTURE(value);
    for (const std::uint8_t level : {std::uint8_t{1}, std::uint8_t{2}}) {
      Talk talk;
      if (value % 2 == 0)
        talk.handshake();
      talk.server.send_alert(alert, level);
      talk.server.send_alert(alert, level);
      talk.exchange();
      // TLS 1.3 has no warnings: once it is agreed, one is not an alert that anybody may send.
      if (value % 2 == 0 && level == 1) {
        CHECK(outcome_of(talk) == refused_later(ErrorCode::alert_malformed, Alert::decode_error));
        CHECK(talk.client.failure()->message().find(name_of(alert)) != std::string::npos);
        continue;
      }
      // Nothing is sent in answer to an alert.
      CHECK(outcome_of(talk) == Outcome{ErrorCode::alert_received, std::nullopt, 0, value % 2 == 0});
      CHECK(talk.client.failure()->alert_received() == alert);
      CHECK(talk.client.failure()->alert_sent() == std::nullopt);
    }
  }
}

TEST_CASE("an alert has one of two levels", "[alerts]") {
  for (const std::uint8_t level : {std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{42}, std::uint8_t{255}})
    for (const Alert alert : {Alert::close_notify, Alert::user_canceled, Alert::handshake_failure}) {
      Talk talk;
      talk.server.send_alert(alert, level);
      CHECK(outcome_of(talk) == refused(ErrorCode::alert_level_unknown, Alert::illegal_parameter));
      CHECK(after_handshake([&](Talk& later) { later.server.send_alert(alert, level); }) ==
            refused_later(ErrorCode::alert_level_unknown, Alert::illegal_parameter));
    }
}

TEST_CASE("an alert in the middle of the handshake", "[alerts]") {
  for (const char* step : {"handshake keys", "EncryptedExtensions", "Certificate", "CertificateVerify"}) {
    CHECK(handshake_with([&](Plan& plan) {
            plan.after(step, action_step("alert",
                                         [](ScriptedServer& server) { server.send_alert(Alert::handshake_failure); }));
          }) == ended(ErrorCode::alert_received));
  }
}

TEST_CASE("an alert is two bytes", "[alerts]") {
  const Outcome malformed = refused(ErrorCode::alert_malformed, Alert::decode_error);
  for (const ByteVector& content : {ByteVector{2}, ByteVector{2, 40, 0}, ByteVector{1, 0, 1, 0}}) {
    Talk talk;
    talk.server.send_clear(ContentType::alert, content);
    CHECK(outcome_of(talk) == malformed);
    CHECK(after_handshake([&](Talk& later) { later.server.send_record(ContentType::alert, content); }) ==
          refused_later(ErrorCode::alert_malformed, Alert::decode_error));
  }
}

TEST_CASE("user_canceled is waited out", "[alerts]") {
  for (const std::uint8_t level : {std::uint8_t{1}, std::uint8_t{2}}) {
    Talk talk;
    talk.server.send_alert(Alert::user_canceled, level);
    talk.exchange();
    CHECK(!talk.client.failure());
    talk.server.send_alert(Alert::close_notify, 1);
    talk.exchange();
    CHECK(talk.client.peer_closed());
    CHECK(!talk.client.failure());
  }
  const auto count = [](unsigned alerts) {
    return after_handshake([=](Talk& talk) {
      for (int round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < alerts; ++i)
          talk.server.send_alert(Alert::user_canceled, 1);
        talk.server.send_data("x"); // which starts the count again
      }
    });
  };
  CHECK(count(tlsconnect::limits::warning_alerts) == connected());
  CHECK(count(tlsconnect::limits::warning_alerts + 1) ==
        refused_later(ErrorCode::too_many_warning_alerts, Alert::unexpected_message));
}

TEST_CASE("the client's alert is sealed as soon as it has keys", "[alerts]") {
  Talk clear;
  clear.plan["ServerHello"].edit_hello([](HelloDraft& hello) { hello.compression = 1; });
  clear.handshake();
  REQUIRE(clear.server.alerts().size() == 1);
  CHECK(!clear.server.alerts()[0].sealed);
  for (const char* step : {"EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"}) {
    Talk talk;
    talk.plan[step].replace({});
    talk.handshake();
    REQUIRE(talk.server.alerts().size() == 1);
    CHECK(talk.server.alerts()[0].sealed);
    CHECK(talk.server.alerts()[0].level == 2);
  }
}

TEST_CASE("nothing of the handshake follows a close_notify", "[close]") {
  Talk talk;
  REQUIRE(talk.client.close_notify());
  const std::size_t before = talk.server.records().size();
  talk.to_server();
  CHECK(talk.server.records().size() == before + 1); // the alert
  talk.server.run(talk.plan);
  talk.to_client();
  talk.to_server();
  // RFC 9846, 6.1: neither Finished nor anything else.
  CHECK(talk.server.records().size() == before + 1);
  CHECK(talk.server.messages().empty());
}
