// Stream: how it ends, in good order or not, and what remains of it.
#include <array>
#include <cstdint>
#include <utility>

#include <catch2/generators/catch_generators.hpp>

#include "door.hpp"

using tc::ErrorCode;
using tc::Interest;
using test::block_writes;
using test::Call;
using test::Conversation;
using test::read_out;
using test::Stream;

// ---- shutdown ----

TEST_CASE("shutdown ends one direction and waits for nobody", "[stream]") {
  Conversation talk(test::LiveOptions{.answer_close = false});
  Stream stream = talk.connected();
  const std::size_t reads = talk.line.reads();
  REQUIRE(stream.shutdown().has_value());
  CHECK(talk.line.reads() == reads);
  CHECK(talk.server.peer_closed());

  // Writing is over, but that breaks nothing.
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::write_side_closed);
  tc::BytesView view = tc::as_bytes("xyz");
  CHECK_FAILS(stream.write_all(view), ErrorCode::write_side_closed);
  CHECK(view.size() == 3);
  CHECK(stream.flush().has_value());

  // Again: nothing more is sent.
  const std::size_t writes = talk.line.writes();
  CHECK(stream.shutdown().has_value());
  CHECK(talk.line.writes() == writes);

  // Reading goes on until the server closes too.
  talk.server_says("one more thing");
  CHECK(read_out(stream).text == "one more thing");
  REQUIRE(talk.server.close());
  talk.push();
  std::array<std::uint8_t, 8> space{};
  CHECK_CLOSED(stream.read_some(space));
}

TEST_CASE("a shutdown that blocks is completed by flush, by shutdown or by reading", "[stream]") {
  Conversation talk(test::LiveOptions{.answer_close = false});
  Stream stream = talk.connected();
  block_writes(talk.line);
  CHECK_BLOCKS(stream.shutdown(), Interest::write);
  CHECK_BLOCKS(stream.shutdown(), Interest::write);
  CHECK(stream.has_pending());
  CHECK_FALSE(talk.server.peer_closed());
  talk.line.rule = nullptr;
  SECTION("flush") { CHECK(stream.flush().has_value()); }
  SECTION("shutdown") { CHECK(stream.shutdown().has_value()); }
  SECTION("reading") {
    std::array<std::uint8_t, 8> space{};
    CHECK_BLOCKS(stream.read_some(space), Interest::read);
  }
  CHECK(talk.server.peer_closed());
  CHECK_FALSE(stream.has_pending());
  // One close_notify, not three: header, alert, content type and tag.
  CHECK(test::records_in(talk.line.outbound).back() == test::RecordSeen{23, 5 + 2 + 1 + 16});
  CHECK(talk.server.failure().empty());
}

TEST_CASE("shutdown follows what was written before it", "[stream]") {
  Conversation talk(test::LiveOptions{.answer_close = false});
  Stream stream = talk.connected();
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("the end")).value() == 7);
  CHECK_BLOCKS(stream.shutdown(), Interest::write);
  talk.line.rule = nullptr;
  CHECK(stream.shutdown().has_value());
  CHECK(talk.server_heard() == "the end");
  CHECK(talk.server.peer_closed());
}

TEST_CASE("after the server closed its direction, this one still works", "[stream]") {
  // Botan's server receives no data after it has closed, so the records are looked at from outside.
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.close());
  talk.push();
  std::array<std::uint8_t, 8> space{};
  CHECK_CLOSED(stream.read_some(space));
  const std::size_t sent = talk.line.outbound.size();
  CHECK(stream.write_some(tc::as_bytes("more")).value() == 4);
  CHECK(stream.shutdown().has_value());
  const auto records = test::records_in(tc::BytesView(talk.line.outbound).subspan(sent));
  CHECK(records == std::vector<test::RecordSeen>{{23, 5 + 4 + 1 + 16}, {23, 5 + 2 + 1 + 16}});
  CHECK_CLOSED(stream.read_some(space));
}

TEST_CASE("shutdown does not close the transport", "[stream]") {
  auto [left, right] = tc::MemoryPipe::create();
  test::LiveServer server(test::LiveOptions{.answer_close = false});
  tc::Connector connector(test::live_config(), test::live_name(), std::move(left));
  tc::ByteVector space(20'000);
  const auto serve = [&] {
    while (right.readable() > 0)
      (void)server.feed(tc::BytesView(space).first(right.read_some(space).value()));
    if (const tc::ByteVector out = server.take_output(); !out.empty())
      REQUIRE(right.write_some(out).value() == out.size());
  };
  auto stream = connector.connect();
  for (int i = 0; i < 4 && !stream; ++i) {
    REQUIRE(stream.error().is_would_block());
    serve();
    stream = connector.connect();
  }
  REQUIRE(stream.has_value());
  REQUIRE(stream->shutdown().has_value());
  serve();
  CHECK(server.peer_closed());
  CHECK_BLOCKS(right.read_some(space), Interest::read); // not closed
  CHECK(stream->next_layer().writable() > 0);
}

// ---- failures ----

TEST_CASE("a fatal alert is an error that stays", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.send("before"));
  (void)talk.server.send_alert(80, true); // internal_error
  talk.push();
  test::ReadOut out = read_out(stream);
  CHECK(out.text == "before");
  REQUIRE(out.halt.is_failed());
  CHECK(out.halt.error()->code() == ErrorCode::alert_received);
  CHECK(out.halt.error()->alert_received() == tc::AlertDescription::internal_error);
  std::array<std::uint8_t, 8> space{};
  CHECK_FAILS(stream.read_some(space), ErrorCode::alert_received);
  CHECK_FAILS(stream.read_some({}), ErrorCode::alert_received);
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::alert_received);
  CHECK_FAILS(stream.flush(), ErrorCode::alert_received);
  CHECK_FAILS(stream.shutdown(), ErrorCode::alert_received);
}

TEST_CASE("the alert of a failure is sent at once when the transport takes it, or with a later call", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.send("good"));
  REQUIRE(talk.server.send("bad"));
  tc::ByteVector bytes = talk.server.take_output();
  bytes.back() ^= 1;
  talk.line.give(bytes);
  std::array<std::uint8_t, 64> space{};
  const bool blocked = GENERATE(false, true);
  if (blocked)
    block_writes(talk.line);
  // The good data comes first.
  CHECK(stream.read_some(space).value() == 4);
  CHECK_FAILS(stream.read_some(space), ErrorCode::bad_record_mac);
  if (blocked) {
    CHECK_FALSE(talk.server.alert_received());
    CHECK_FAILS(stream.read_some(space), ErrorCode::bad_record_mac);
    talk.line.rule = nullptr;
    SECTION("reading") { CHECK_FAILS(stream.read_some(space), ErrorCode::bad_record_mac); }
    SECTION("writing") { CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::bad_record_mac); }
    SECTION("flush") { CHECK_FAILS(stream.flush(), ErrorCode::bad_record_mac); }
  }
  CHECK(talk.server.alert_received() == 20);
  CHECK_FALSE(stream.has_pending());
}

// ---- the rest ----

TEST_CASE("has_pending tells whether bytes wait", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  CHECK_FALSE(stream.has_pending());
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("x")).value() == 1);
  CHECK(stream.has_pending());
  talk.line.rule = nullptr;
  REQUIRE(stream.flush().has_value());
  CHECK_FALSE(stream.has_pending());
}

TEST_CASE("release_buffers never loses anything", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  // Half a record has arrived, something was read of another one, and something waits to be sent.
  REQUIRE(talk.server.send("complete"));
  tc::ByteVector bytes = talk.server.take_output();
  REQUIRE(talk.server.send("broken off"));
  const tc::ByteVector second = talk.server.take_output();
  bytes.insert(bytes.end(), second.begin(), second.begin() + 9);
  talk.line.give(bytes);
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("waits")).value() == 5);
  std::array<std::uint8_t, 3> space{};
  REQUIRE(stream.read_some(space).value() == 3);
  stream.release_buffers();
  CHECK(stream.has_buffered());
  CHECK(stream.has_pending());
  std::string text(tc::as_text(space));
  text += read_out(stream).text;
  stream.release_buffers();
  talk.line.give(tc::BytesView(second).subspan(9));
  talk.line.rule = nullptr;
  text += read_out(stream).text;
  CHECK(text == "completebroken off");
  CHECK(talk.server_heard() == "waits");
}

TEST_CASE("a stream that was moved away touches nothing and says so", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  talk.server_says("for the new owner");
  std::array<std::uint8_t, 3> space{};
  REQUIRE(stream.read_some(space).value() == 3);
  Stream owner = std::move(stream);
  const std::size_t before = talk.line.log.size();
  CHECK_FAILS(stream.read_some(space), ErrorCode::not_connected);
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::not_connected);
  CHECK_FAILS(stream.flush(), ErrorCode::not_connected);
  CHECK_FAILS(stream.shutdown(), ErrorCode::not_connected);
  CHECK_FALSE(stream.has_buffered());
  CHECK_FALSE(stream.has_pending());
  CHECK(stream.info().peer_chain.empty());
  stream.release_buffers();
  CHECK(talk.line.log.size() == before);

  CHECK(read_out(owner).text == " the new owner");
  stream = std::move(owner); // and back again
  REQUIRE(stream.write_some(tc::as_bytes("here")).value() == 4);
  CHECK(talk.server_heard() == "here");
}

TEST_CASE("a stream shows its transport and passes set_nodelay on to it", "[stream]") {
  Conversation talk;
  tc::Connector connector(test::live_config(), test::live_name(), test::NodelayTransport(talk.line));
  auto stream = connector.connect();
  REQUIRE(stream.has_value());
  CHECK(&stream->next_layer().line() == &talk.line);
  talk.line.log.clear();
  CHECK(stream->set_nodelay(false).has_value());
  CHECK(stream->set_nodelay(true).has_value());
  REQUIRE(talk.line.log.size() == 2);
  CHECK(talk.line.log[0].call.what == Call::What::nodelay_off);
  CHECK(talk.line.log[1].call.what == Call::What::nodelay_on);
  stream->next_layer().refuse = true;
  CHECK_FAILS(stream->set_nodelay(true), ErrorCode::transport_failed);
}
