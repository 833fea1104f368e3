// ClientEngine by itself, without any transport: its four ports and its questions.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <catch2/generators/catch_generators.hpp>

#include <tlsconnect/engine.hpp>

#include "door.hpp"
#include "scripted_server.hpp"

using tc::ErrorCode;
using test::LiveServer;
using test::pattern;

static_assert(!std::is_default_constructible_v<tc::ClientEngine>);
static_assert(!std::is_copy_constructible_v<tc::ClientEngine>);
static_assert(std::is_nothrow_move_constructible_v<tc::ClientEngine>);
static_assert(std::is_nothrow_move_assignable_v<tc::ClientEngine>);

namespace {

/// An engine and a server, and bytes carried by hand.
struct Hands {
  LiveServer server;
  tc::ClientEngine engine{test::live_config(), test::live_name()};
  tc::ByteVector received; // application data

  explicit Hands(test::LiveOptions options = {}) : server(options) {}

  void to_server() {
    for (tc::BytesView out = engine.pending_output(); !out.empty(); out = engine.pending_output()) {
      (void)server.feed(out);
      engine.sent(out.size());
    }
  }
  void take_plaintext() {
    for (tc::BytesView plain = engine.plaintext(); !plain.empty(); plain = engine.plaintext()) {
      received.insert(received.end(), plain.begin(), plain.end());
      engine.consume(plain.size());
    }
  }
  /// False when the engine takes no more.
  bool to_client(tc::BytesView bytes, std::size_t step = ~std::size_t{0}) {
    while (!bytes.empty()) {
      const tc::Bytes space = engine.receive_buffer();
      if (space.empty())
        return false;
      const std::size_t count = std::min({bytes.size(), space.size(), step});
      tc::copy_bytes(bytes.first(count), space);
      bytes = bytes.subspan(count);
      if (!engine.received(count))
        return false;
      take_plaintext();
    }
    return true;
  }
  void connect() {
    to_server();
    (void)to_client(server.take_output());
    to_server();
    (void)to_client(server.take_output());
    to_server();
    REQUIRE(engine.handshake_complete());
    REQUIRE(server.handshake_complete());
  }
};

std::string text_of(const tc::ByteVector& bytes) { return std::string(tc::as_text(bytes)); }

} // namespace

TEST_CASE("the ClientHello waits from the start", "[engine]") {
  tc::ClientEngine engine(test::live_config(), test::live_name());
  const tc::BytesView hello = engine.pending_output();
  REQUIRE(hello.size() > 100);
  CHECK(hello[0] == 22);
  CHECK(hello[5] == 1);
  CHECK(test::records_in(hello).size() == 1);
  CHECK_FALSE(engine.handshake_complete());
  CHECK_FALSE(engine.peer_closed());
  CHECK_FALSE(engine.truncated());
  CHECK(engine.failure() == nullptr);
  CHECK(engine.plaintext().empty());
}

TEST_CASE("an engine needs no transport", "[engine]") {
  Hands hands({.retry = GENERATE(false, true), .request_certificate = GENERATE(false, true)});
  hands.connect();
  REQUIRE(hands.engine.encrypt(tc::as_bytes("question")).value() == 8);
  hands.to_server();
  CHECK(text_of(hands.server.take_received()) == "question");
  REQUIRE(hands.server.send("answer"));
  CHECK(hands.to_client(hands.server.take_output()));
  CHECK(text_of(hands.received) == "answer");
  CHECK(hands.engine.info().bytes_sent > 0);
  CHECK(hands.engine.info().bytes_received > 0);
}

TEST_CASE("an engine without a configuration has failed and has nothing to send", "[engine]") {
  tc::ClientEngine engine(nullptr, test::live_name());
  REQUIRE(engine.failure() != nullptr);
  CHECK(engine.failure()->code() == ErrorCode::configuration_invalid);
  CHECK(engine.pending_output().empty());
  CHECK(engine.receive_buffer().empty());
  CHECK(engine.received(0).error().code() == ErrorCode::configuration_invalid);
  CHECK(engine.encrypt(tc::as_bytes("x")).error().code() == ErrorCode::configuration_invalid);
  CHECK(engine.encrypt_all(tc::as_bytes("x")).error().code() == ErrorCode::configuration_invalid);
  CHECK(engine.close_notify().error().code() == ErrorCode::configuration_invalid);
}

// ---- pending_output ----

TEST_CASE("pending_output stays where it is, with what it holds, until sent", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.engine.encrypt(tc::as_bytes("first")).value() == 5);
  const tc::BytesView shown = hands.engine.pending_output();
  const tc::ByteVector copy = tc::to_vector(shown);

  // Whatever else is called meanwhile.
  const tc::ByteVector much = pattern(20'000);
  REQUIRE(hands.engine.encrypt(much).value() > 0);
  REQUIRE(hands.engine.encrypt_all(much).has_value());
  REQUIRE(hands.server.update_keys(true)); // makes the engine queue an answer
  REQUIRE(hands.server.send(tc::BytesView(much)));
  CHECK(hands.to_client(hands.server.take_output(), 777));
  hands.engine.release_buffers();
  REQUIRE(hands.engine.close_notify().has_value());
  const tc::BytesView again = hands.engine.pending_output();
  CHECK(again.data() == shown.data());
  CHECK(again.size() == shown.size());
  CHECK(tc::equal(shown, copy));

  // After a part was sent, the rest is next, and still in its place.
  hands.engine.sent(3);
  CHECK(hands.engine.pending_output().data() == shown.data() + 3);
  CHECK(tc::equal(hands.engine.pending_output(), tc::BytesView(copy).subspan(3)));
  (void)hands.server.feed(tc::BytesView(copy).first(3));
  hands.to_server();
  const tc::ByteVector heard = hands.server.take_received();
  CHECK(heard.size() > 20'000);
  CHECK(tc::as_text(tc::BytesView(heard).first(5)) == "first");
  CHECK(hands.server.peer_closed());
  CHECK(hands.server.failure().empty());
}

TEST_CASE("pending_output stays put when the connection fails, and the alert comes behind it", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.engine.encrypt(tc::as_bytes("on its way")).value() == 10);
  const tc::BytesView shown = hands.engine.pending_output();
  const tc::ByteVector copy = tc::to_vector(shown);
  REQUIRE(hands.server.send("x"));
  tc::ByteVector bad = hands.server.take_output();
  bad.back() ^= 1;
  CHECK_FALSE(hands.to_client(bad));
  REQUIRE(hands.engine.failure() != nullptr);
  CHECK(hands.engine.pending_output().data() == shown.data());
  CHECK(tc::equal(shown, copy));
  hands.to_server();
  CHECK(text_of(hands.server.take_received()) == "on its way");
  CHECK(hands.server.alert_received() == 20);
}

TEST_CASE("sent takes no more than there is", "[engine]") {
  Hands hands;
  hands.connect();
  hands.engine.sent(10);
  CHECK(hands.engine.pending_output().empty());
  REQUIRE(hands.engine.encrypt(tc::as_bytes("x")).value() == 1);
  const std::size_t size = hands.engine.pending_output().size();
  hands.engine.sent(size + 100);
  CHECK(hands.engine.pending_output().empty());
  REQUIRE(hands.engine.encrypt(tc::as_bytes("y")).value() == 1);
  CHECK(hands.engine.pending_output().size() == size);
}

// ---- receiving ----

TEST_CASE("receive_buffer is empty while plaintext waits, and after the end", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.server.send("ab"));
  REQUIRE(hands.server.send("cd"));
  const tc::ByteVector bytes = hands.server.take_output();
  const tc::Bytes space = hands.engine.receive_buffer();
  REQUIRE(space.size() >= bytes.size());
  tc::copy_bytes(bytes, space);
  REQUIRE(hands.engine.received(bytes.size()).has_value());

  CHECK(tc::as_text(hands.engine.plaintext()) == "ab");
  CHECK(hands.engine.receive_buffer().empty());
  hands.engine.release_buffers(); // takes nothing away
  hands.engine.consume(1);
  CHECK(tc::as_text(hands.engine.plaintext()) == "b");
  CHECK(hands.engine.receive_buffer().empty());
  // More follows once it is consumed, and consuming too much takes none of it.
  hands.engine.consume(100);
  CHECK(tc::as_text(hands.engine.plaintext()) == "cd");
  hands.engine.consume(2);
  CHECK(hands.engine.plaintext().empty());
  hands.engine.consume(2);
  CHECK_FALSE(hands.engine.receive_buffer().empty());

  SECTION("the server closes") {
    REQUIRE(hands.server.close());
    (void)hands.to_client(hands.server.take_output());
    CHECK(hands.engine.peer_closed());
  }
  SECTION("the network ends") {
    hands.engine.received_end();
    CHECK(hands.engine.truncated());
  }
  SECTION("the connection fails") {
    const std::uint8_t junk[] = {1, 2, 3, 4, 5};
    CHECK_FALSE(hands.to_client(junk));
    CHECK(hands.engine.failure() != nullptr);
  }
  CHECK(hands.engine.receive_buffer().empty());
}

TEST_CASE("bytes may come in any pieces", "[engine]") {
  const std::size_t step = GENERATE(1u, 2u, 3u, 5u, 6u, 16u, 100u, 4'096u);
  Hands hands;
  hands.to_server();
  REQUIRE(hands.to_client(hands.server.take_output(), step));
  hands.to_server();
  REQUIRE(hands.engine.handshake_complete());
  const tc::ByteVector data = pattern(50'000);
  REQUIRE(hands.server.send(tc::BytesView(data)));
  REQUIRE(hands.server.close());
  CHECK(hands.to_client(hands.server.take_output(), step));
  CHECK(tc::equal(hands.received, data));
  CHECK(hands.engine.peer_closed());
}

TEST_CASE("received with nothing changes nothing", "[engine]") {
  Hands hands;
  CHECK(hands.engine.received(0).has_value());
  hands.connect();
  CHECK(hands.engine.received(0).has_value());
  CHECK(hands.engine.failure() == nullptr);
}

TEST_CASE("received takes no more than receive_buffer had room for", "[engine]") {
  tc::ClientEngine engine(test::live_config(), test::live_name());
  CHECK(engine.received(100).has_value()); // nobody asked where to put them
  // The longest record there may be: less than all of it fits at first, whatever the caller says.
  constexpr std::size_t whole = 5 + 16'384;
  constexpr std::uint8_t header[] = {22, 3, 3, 0x40, 0x00};
  const tc::Bytes room = engine.receive_buffer();
  std::size_t held = room.size();
  REQUIRE(held < whole);
  std::fill(room.begin(), room.end(), std::uint8_t{0});
  tc::copy_bytes(header, room);
  REQUIRE(engine.received(~std::size_t{0} / 2).has_value());
  // What is missing is still asked for; the record is looked at with its last byte.
  while (held < whole) {
    REQUIRE(engine.failure() == nullptr);
    const tc::Bytes more = engine.receive_buffer();
    REQUIRE_FALSE(more.empty());
    const std::size_t count = std::min(more.size(), whole - held);
    std::fill_n(more.begin(), count, std::uint8_t{0});
    (void)engine.received(count);
    held += count;
  }
  REQUIRE(engine.failure() != nullptr);
  CHECK(engine.failure()->code() == ErrorCode::unexpected_message);
}

TEST_CASE("peer_closed and truncated wait until everything before them was consumed", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.server.send("last"));
  const bool clean = GENERATE(true, false);
  if (clean)
    REQUIRE(hands.server.close());
  const tc::ByteVector bytes = hands.server.take_output();
  const tc::Bytes space = hands.engine.receive_buffer();
  tc::copy_bytes(bytes, space);
  REQUIRE(hands.engine.received(bytes.size()).has_value());
  hands.engine.received_end();
  CHECK_FALSE(hands.engine.peer_closed());
  CHECK_FALSE(hands.engine.truncated());
  hands.engine.consume(3);
  CHECK_FALSE(hands.engine.peer_closed());
  CHECK_FALSE(hands.engine.truncated());
  hands.engine.consume(1);
  CHECK(hands.engine.peer_closed() == clean);
  CHECK(hands.engine.truncated() == !clean);
  CHECK(hands.engine.failure() == nullptr);
}

TEST_CASE("what comes after close_notify does not count", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.server.close());
  tc::ByteVector bytes = hands.server.take_output();
  bytes.insert(bytes.end(), {0x99, 0x99, 0x99, 0x99, 0x99}); // no record begins like that
  (void)hands.to_client(bytes);
  CHECK(hands.engine.peer_closed());
  CHECK(hands.engine.failure() == nullptr);
  hands.engine.received_end();
  CHECK_FALSE(hands.engine.truncated());
}

// ---- sending ----

TEST_CASE("encrypt before the handshake is an answer, not the end", "[engine]") {
  Hands hands;
  CHECK(hands.engine.encrypt(tc::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(hands.engine.encrypt_all(tc::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(hands.engine.failure() == nullptr);
  hands.connect();
  CHECK(hands.engine.encrypt(tc::as_bytes("x")).value() == 1);
}

TEST_CASE("encrypt stops taking while too much waits; encrypt_all does not", "[engine]") {
  Hands hands;
  hands.connect();
  const tc::ByteVector data = pattern(1'000'000);
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    const std::size_t count = hands.engine.encrypt(tc::BytesView(data).subspan(taken)).value();
    taken += count;
    if (count == 0)
      break;
  }
  CHECK(taken >= 16'384);
  CHECK(taken <= 70'000);
  CHECK(hands.engine.encrypt(tc::as_bytes("x")).value() == 0);
  REQUIRE(hands.engine.encrypt_all(tc::BytesView(data).subspan(taken)).has_value());
  hands.to_server();
  // What was taken is never asked for again, and nothing was lost.
  CHECK(tc::equal(hands.server.take_received(), data));
  CHECK(hands.engine.encrypt(tc::as_bytes("x")).value() == 1);
}

TEST_CASE("encrypt takes nothing from nothing", "[engine]") {
  Hands hands;
  hands.connect();
  CHECK(hands.engine.encrypt({}).value() == 0);
  CHECK(hands.engine.encrypt_all({}).has_value());
  CHECK(hands.engine.pending_output().empty());
}

TEST_CASE("close_notify ends sending, once, and receiving goes on", "[engine]") {
  Hands hands({.answer_close = false});
  hands.connect();
  REQUIRE(hands.engine.close_notify().has_value());
  const std::size_t size = hands.engine.pending_output().size();
  CHECK(size == 5 + 2 + 1 + 16);
  REQUIRE(hands.engine.close_notify().has_value());
  CHECK(hands.engine.pending_output().size() == size);
  CHECK(hands.engine.encrypt(tc::as_bytes("x")).error().code() == ErrorCode::write_side_closed);
  CHECK(hands.engine.encrypt_all(tc::as_bytes("x")).error().code() == ErrorCode::write_side_closed);
  CHECK(hands.engine.failure() == nullptr);
  hands.to_server();
  CHECK(hands.server.peer_closed());
  REQUIRE(hands.server.send("still"));
  CHECK(hands.to_client(hands.server.take_output()));
  CHECK(text_of(hands.received) == "still");
  // A KeyUpdate that asks for one is not answered any more (RFC 9846, 6.1).
  REQUIRE(hands.server.update_keys(true));
  REQUIRE(hands.server.send("here"));
  CHECK(hands.to_client(hands.server.take_output()));
  CHECK(text_of(hands.received) == "stillhere");
  CHECK(hands.engine.pending_output().empty());
}

// ---- failures ----

TEST_CASE("an error is final, is told to the server, and leaves what came before it", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.server.send("good"));
  tc::ByteVector bytes = hands.server.take_output();
  REQUIRE(hands.server.send("bad"));
  tc::ByteVector bad = hands.server.take_output();
  bad.back() ^= 0x80;
  bytes.insert(bytes.end(), bad.begin(), bad.end());
  const tc::Bytes space = hands.engine.receive_buffer();
  tc::copy_bytes(bytes, space);
  REQUIRE(hands.engine.received(bytes.size()).has_value());
  CHECK(hands.engine.failure() == nullptr);
  CHECK(tc::as_text(hands.engine.plaintext()) == "good");
  hands.engine.consume(4);
  REQUIRE(hands.engine.failure() != nullptr);
  CHECK(hands.engine.failure()->code() == ErrorCode::bad_record_mac);

  for (int i = 0; i < 2; ++i) {
    CHECK(hands.engine.received(0).error().code() == ErrorCode::bad_record_mac);
    CHECK(hands.engine.encrypt(tc::as_bytes("x")).error().code() == ErrorCode::bad_record_mac);
    CHECK(hands.engine.encrypt_all(tc::as_bytes("x")).error().code() == ErrorCode::bad_record_mac);
    CHECK(hands.engine.close_notify().error().code() == ErrorCode::bad_record_mac);
    hands.engine.received_end();
    CHECK_FALSE(hands.engine.truncated()); // the failure came first
    CHECK(hands.engine.failure()->code() == ErrorCode::bad_record_mac);
  }
  CHECK(test::records_in(hands.engine.pending_output()) == std::vector<test::RecordSeen>{{23, 5 + 2 + 1 + 16}});
  hands.to_server();
  CHECK(hands.server.alert_received() == 20);
}

TEST_CASE("the server's own alert is not answered", "[engine]") {
  Hands hands;
  hands.connect();
  (void)hands.server.send_alert(80, true);
  CHECK_FALSE(hands.to_client(hands.server.take_output()));
  REQUIRE(hands.engine.failure() != nullptr);
  CHECK(hands.engine.failure()->alert_received() == tc::AlertDescription::internal_error);
  CHECK(hands.engine.pending_output().empty());
}

TEST_CASE("an engine that was moved away is empty and says so", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.engine.encrypt(tc::as_bytes("taken along")).value() == 11);
  const tc::BytesView shown = hands.engine.pending_output();
  tc::ClientEngine other = std::move(hands.engine);
  CHECK(other.pending_output().data() == shown.data()); // not even a move makes it move

  tc::ClientEngine& empty = hands.engine;
  REQUIRE(empty.failure() != nullptr);
  CHECK(empty.failure()->code() == ErrorCode::not_connected);
  CHECK(empty.pending_output().empty());
  CHECK(empty.plaintext().empty());
  CHECK(empty.receive_buffer().empty());
  CHECK(empty.received(0).error().code() == ErrorCode::not_connected);
  CHECK(empty.encrypt(tc::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(empty.encrypt_all(tc::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(empty.close_notify().error().code() == ErrorCode::not_connected);
  CHECK_FALSE(empty.handshake_complete());
  CHECK_FALSE(empty.peer_closed());
  CHECK_FALSE(empty.truncated());
  CHECK(empty.info().messages.empty());
  empty.sent(1);
  empty.consume(1);
  empty.received_end();
  empty.release_buffers();

  empty = std::move(other);
  hands.to_server();
  CHECK(text_of(hands.server.take_received()) == "taken along");
}

TEST_CASE("release_buffers keeps messages that are spread over records", "[engine]") {
  test::Talk talk;
  for (const char* name : {"EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"})
    talk.plan[name].fragment = 7;
  talk.server.run(talk.plan);
  const tc::ByteVector flight = talk.server.take_output();
  for (const std::uint8_t byte : flight) {
    talk.client.release_buffers();
    talk.deliver(tc::BytesView(&byte, 1));
  }
  talk.exchange();
  CHECK(talk.outcome().complete);
}

TEST_CASE("release_buffers keeps what is in use", "[engine]") {
  Hands hands;
  hands.connect();
  REQUIRE(hands.server.send("whole message"));
  const tc::ByteVector bytes = hands.server.take_output();
  // In the middle of a record, at every place.
  for (const std::uint8_t byte : bytes) {
    hands.engine.release_buffers();
    CHECK(hands.to_client(tc::BytesView(&byte, 1)));
    hands.engine.release_buffers();
  }
  CHECK(text_of(hands.received) == "whole message");
  REQUIRE(hands.engine.encrypt(tc::as_bytes("x")).value() == 1);
  hands.engine.release_buffers();
  hands.to_server();
  CHECK(text_of(hands.server.take_received()) == "x");
}
