// Stream: what its declaration promises, sentence by sentence, over a transport that does what the test tells it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <catch2/generators/catch_generators.hpp>

#include "door.hpp"

using tc::ErrorCode;
using tc::Interest;
using test::Act;
using test::block_writes;
using test::Call;
using test::Conversation;
using test::fail_writes;
using test::pattern;
using test::read_out;
using test::Stream;

static_assert(tc::Transport<Stream>);
static_assert(std::is_nothrow_move_constructible_v<Stream>);
static_assert(!std::is_copy_constructible_v<Stream>);
static_assert(!std::is_default_constructible_v<Stream>);
// Only Connector makes one.
static_assert(!std::is_constructible_v<Stream, tc::ClientEngine, test::ScriptedTransport>);
static_assert(!tc::HasNodelay<Stream>);
static_assert(tc::HasNodelay<tc::Stream<test::NodelayTransport>>);
static_assert(tc::HasNodelay<tc::Stream<tc::Stream<test::NodelayTransport>>>);

// ---- read_some ----

TEST_CASE("read_some gives at most what fits, and all of it in order", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  talk.server_says("one");
  talk.server_says("two");
  std::array<std::uint8_t, 2> space{};
  CHECK(stream.read_some(space).value() == 2);
  CHECK(stream.has_buffered());
  CHECK(stream.read_some(space).value() == 1);
  test::ReadOut rest = read_out(stream, 2);
  CHECK(tc::as_text(tc::BytesView(space).first(1)) == "e");
  CHECK(rest.text == "two");
  CHECK(rest.halt.is_would_block());
  CHECK(rest.halt.interest() == Interest::read);
  CHECK_FALSE(stream.has_buffered());
}

TEST_CASE("read_some with no space reads nothing and loses nothing", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  CHECK(stream.read_some({}).value() == 0);
  talk.server_says("data");
  const std::size_t before = talk.line.log.size();
  CHECK(stream.read_some({}).value() == 0);
  CHECK(talk.line.log.size() == before); // the transport has no part in it
  std::array<std::uint8_t, 1> space{};
  REQUIRE(stream.read_some(space).value() == 1);
  REQUIRE(stream.has_buffered());
  CHECK(stream.read_some({}).value() == 0);
  CHECK(read_out(stream).text == "ata");
}

TEST_CASE("what was received is given out without touching the transport", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  for (int i = 0; i < 3; ++i)
    REQUIRE(talk.server.send("record " + std::to_string(i) + "; "));
  talk.push();
  std::array<std::uint8_t, 1> first{};
  REQUIRE(stream.read_some(first).value() == 1);
  // All three records came with one read; from here on the transport would say no.
  talk.line.rule = [](const Call& call) { return Act::block(call); };
  const std::size_t before = talk.line.log.size();
  std::string text(tc::as_text(first));
  std::array<std::uint8_t, 100> space{};
  while (stream.has_buffered()) {
    const std::size_t count = stream.read_some(space).value();
    text.append(tc::as_text(tc::BytesView(space).first(count)));
  }
  CHECK(text == "record 0; record 1; record 2; ");
  CHECK(talk.line.log.size() == before);
  CHECK_BLOCKS(stream.read_some(space), Interest::read);
}

TEST_CASE("a blocked write does not keep read_some from reading, and both interests are named", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("stuck")).value() == 5);
  REQUIRE(stream.has_pending());

  talk.server_says("still here");
  std::array<std::uint8_t, 32> space{};
  CHECK(stream.read_some(space).value() == 10);
  CHECK_BLOCKS(stream.read_some(space), Interest::read_write);

  // When the way is free again, reading alone sends what waited.
  talk.line.rule = nullptr;
  CHECK_BLOCKS(stream.read_some(space), Interest::read);
  CHECK_FALSE(stream.has_pending());
  CHECK(talk.server_heard() == "stuck");
}

TEST_CASE("a failed write does not keep read_some from reading what is there", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("lost")).value() == 4);
  fail_writes(talk.line, 32);
  talk.server_says("last ");
  talk.server_says("words");
  std::array<std::uint8_t, 32> space{};
  CHECK(stream.read_some(space).value() == 5);
  CHECK(stream.read_some(space).value() == 5);
  // Nothing to read is left: now the failure is all that there is to say.
  auto nothing = stream.read_some(space);
  REQUIRE_FALSE(nothing.has_value());
  CHECK(test::code_of(nothing.error()) == ErrorCode::transport_failed);
  CHECK(nothing.error().error()->os_error() == 32);
  // And what still comes is still read.
  talk.server_says("more");
  CHECK(stream.read_some(space).value() == 4);
}

TEST_CASE("a failed write does not hide the end of the stream", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("lost")).value() == 4);
  fail_writes(talk.line, 32);
  std::array<std::uint8_t, 32> space{};
  SECTION("in good order") {
    REQUIRE(talk.server.close());
    talk.push();
    CHECK_CLOSED(stream.read_some(space));
  }
  SECTION("without a close_notify") {
    talk.line.inbound_ends = true;
    CHECK_TRUNCATED(stream.read_some(space));
  }
}

TEST_CASE("closed comes only after the server's close_notify, and after all data before it", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.send("bye"));
  REQUIRE(talk.server.close());
  talk.push();
  std::array<std::uint8_t, 2> space{};
  CHECK(stream.read_some(space).value() == 2);
  CHECK(stream.read_some(space).value() == 1);
  const std::size_t before = talk.line.log.size();
  CHECK_CLOSED(stream.read_some(space));
  CHECK_CLOSED(stream.read_some(space));
  CHECK_CLOSED(stream.read_some({}));
  CHECK(talk.line.log.size() == before); // nothing is read after the end
}

TEST_CASE("the end of the transport without close_notify is truncated, never closed", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.send("a whole record"));
  tc::ByteVector bytes = talk.server.take_output();
  REQUIRE(talk.server.send("half a record"));
  const tc::ByteVector half = talk.server.take_output();
  std::array<std::uint8_t, 64> space{};

  const auto end_of = [&](tc::Halt halt) {
    return [halt](const Call& call) { return call.is_read() ? Act::stop(halt) : Act::go(); };
  };
  SECTION("at a record's end") {
    talk.line.give(bytes);
    CHECK(stream.read_some(space).value() == 14);
    talk.line.inbound_ends = true;
  }
  SECTION("within a record") {
    talk.line.give(bytes);
    talk.line.give(tc::BytesView(half).first(half.size() - 1));
    CHECK(stream.read_some(space).value() == 14);
    talk.line.inbound_ends = true;
  }
  SECTION("the transport itself says truncated") { talk.line.rule = end_of(tc::Halt::truncated()); }
  SECTION("the transport returns 0") {
    talk.line.rule = [](const Call& call) { return call.is_read() ? Act::lie(0) : Act::go(); };
  }
  CHECK_TRUNCATED(stream.read_some(space));
  const std::size_t reads = talk.line.reads();
  CHECK_TRUNCATED(stream.read_some(space)); // and it stays so
  CHECK(talk.line.reads() == reads);
  // The other direction is not concerned.
  talk.line.rule = nullptr;
  CHECK(stream.write_some(tc::as_bytes("still")).value() == 5);
  CHECK(talk.server_heard() == "still");
}

TEST_CASE("a read failure of the transport is passed on as it is", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  talk.line.rule = [](const Call& call) { return call.is_read() ? Act::fail(104) : Act::go(); };
  std::array<std::uint8_t, 8> space{};
  const auto result = stream.read_some(space);
  REQUIRE_FALSE(result.has_value());
  CHECK(test::code_of(result.error()) == ErrorCode::transport_failed);
  CHECK(result.error().error()->os_error() == 104);
}

TEST_CASE("a transport that claims to have read more than there was room for is caught", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  talk.line.rule = [](const Call& call) { return call.is_read() ? Act::lie(call.offered + 1) : Act::go(); };
  std::array<std::uint8_t, 8> space{};
  CHECK_FAILS(stream.read_some(space), ErrorCode::transport_contract_broken);
}

// ---- peek ----

TEST_CASE("peek shows what read_some gives next, and takes nothing", "[stream][peek]") {
  Conversation talk;
  Stream stream = talk.connected();
  CHECK_BLOCKS(stream.peek(), Interest::read);
  talk.server_says("one");
  talk.server_says("two");
  CHECK(tc::as_text(stream.peek().value()) == "one");
  CHECK(tc::as_text(stream.peek().value()) == "one");
  std::array<std::uint8_t, 2> space{};
  REQUIRE(stream.read_some(space).value() == 2);
  CHECK(tc::as_text(stream.peek().value()) == "e");
  REQUIRE(stream.read_some(space).value() == 1);
  CHECK(tc::as_text(stream.peek().value()) == "two");
  REQUIRE(talk.server.close());
  talk.push();
  CHECK(tc::as_text(stream.peek().value()) == "two");
  CHECK(read_out(stream).text == "two");
  const auto end = stream.peek();
  CHECK((!end && end.error().is_closed()));
}

TEST_CASE("peek ends as read_some does", "[stream][peek]") {
  Conversation cut;
  Stream stream = cut.connected();
  cut.line.inbound_ends = true;
  const auto end = stream.peek();
  CHECK((!end && end.error().is_truncated()));
  Conversation broken;
  Stream other = broken.connected();
  tc::ByteVector forged(25, 0);
  forged[0] = 23;
  forged[1] = forged[2] = 3;
  forged[4] = 20;
  broken.line.give(forged);
  CHECK_FAILS(other.peek(), ErrorCode::bad_record_mac);
}

// ---- abort ----

TEST_CASE("abort tells the server, and is the end", "[stream][abort]") {
  Conversation talk;
  Stream stream = talk.connected();
  talk.server_says("unread");
  CHECK(stream.abort(tc::AlertDescription::decode_error));
  CHECK(talk.server.alert_received() == 50);
  const std::uint64_t sent = stream.info().records_sent;
  std::array<std::uint8_t, 10> space{};
  CHECK_FAILS(stream.read_some(space), ErrorCode::aborted);
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::aborted);
  CHECK_FAILS(stream.shutdown(), ErrorCode::aborted);
  // Once is enough.
  CHECK(stream.abort(tc::AlertDescription::internal_error));
  CHECK(stream.info().records_sent == sent);
}

TEST_CASE("abort waits for the transport", "[stream][abort]") {
  Conversation talk;
  Stream stream = talk.connected();
  block_writes(talk.line);
  CHECK_BLOCKS(stream.abort(tc::AlertDescription::user_canceled), Interest::write);
  CHECK_BLOCKS(stream.abort(tc::AlertDescription::user_canceled), Interest::write);
  CHECK(!talk.server.alert_received());
  talk.line.rule = nullptr;
  const std::uint64_t sent = stream.info().records_sent;
  CHECK(stream.abort(tc::AlertDescription::user_canceled));
  CHECK(stream.info().records_sent == sent);
  // RFC 9846, 6.1: user_canceled, which is a warning, is followed by close_notify.
  CHECK(!talk.server.alert_received());
  CHECK(talk.server.peer_closed());
}

TEST_CASE("abort says nothing after close_notify", "[stream][abort]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(stream.shutdown());
  const std::uint64_t sent = stream.info().records_sent;
  CHECK(stream.abort(tc::AlertDescription::user_canceled));
  CHECK(stream.info().records_sent == sent);
}

TEST_CASE("a handshake can be given up", "[connector][abort]") {
  Conversation talk;
  talk.line.peer = [](tc::BytesView) { return tc::ByteVector(); };
  test::Connector connector = talk.connector();
  CHECK_BLOCKS(connector.connect(), Interest::read);
  const std::size_t before = talk.line.outbound.size();
  CHECK(connector.abort(tc::AlertDescription::user_canceled));
  CHECK(tc::ByteVector(talk.line.outbound.begin() + static_cast<std::ptrdiff_t>(before), talk.line.outbound.end()) ==
        tc::ByteVector{21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0});
  CHECK_FAILS(connector.connect(), ErrorCode::aborted);
}

// ---- update_keys ----

TEST_CASE("update_keys that would block is repeated without another update", "[stream][key_update]") {
  Conversation talk;
  Stream stream = talk.connected();
  const std::uint64_t before = stream.info().records_sent;
  const auto updates = [&] { return stream.info().records_sent - before; };
  block_writes(talk.line);
  for (int i = 0; i < 3; ++i)
    CHECK_BLOCKS(stream.update_keys(), Interest::write);
  CHECK(updates() == 1);
  talk.line.rule = nullptr;
  CHECK(stream.update_keys());
  CHECK(updates() == 1);
  // Once it has left, the next call is about the next key.
  CHECK(stream.update_keys());
  CHECK(updates() == 2);

  // What waits behind it does not matter, nor who lets it go.
  block_writes(talk.line);
  CHECK_BLOCKS(stream.update_keys(), Interest::write);
  talk.line.rule = [first = true](const Call& call) mutable {
    if (call.is_write() && !std::exchange(first, false))
      return Act::block(call);
    return call.is_write() ? Act::go(1) : Act::go();
  };
  CHECK_BLOCKS(stream.flush(), Interest::write); // one byte of it
  CHECK_BLOCKS(stream.update_keys(), Interest::write);
  CHECK_BLOCKS(stream.write_some(tc::as_bytes("data")), Interest::write);
  talk.line.rule = nullptr;
  REQUIRE(stream.flush());
  CHECK(updates() == 3);

  // Asking the peer as well is more than was asked for.
  block_writes(talk.line);
  CHECK_BLOCKS(stream.update_keys(false), Interest::write);
  CHECK_BLOCKS(stream.update_keys(true), Interest::write);
  CHECK_BLOCKS(stream.update_keys(false), Interest::write);
  CHECK_BLOCKS(stream.update_keys(true), Interest::write);
  talk.line.rule = nullptr;
  REQUIRE(stream.flush());
  CHECK(updates() == 5);
  talk.server_says("still");
  CHECK(read_out(stream).text == "still");
}

// ---- what never surfaces ----

TEST_CASE("tickets, KeyUpdate and warnings never surface", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  std::array<std::uint8_t, 64> space{};
  constexpr std::uint8_t user_canceled = 90;
  SECTION("alone they are nothing to read") {
    REQUIRE(talk.server.send_tickets(3) == 3);
    REQUIRE(talk.server.update_keys(false));
    REQUIRE(talk.server.update_keys(true));
    REQUIRE(talk.server.send_alert(user_canceled, false));
    talk.push();
    CHECK_BLOCKS(stream.read_some(space), Interest::read);
    CHECK_FALSE(stream.has_buffered());
  }
  SECTION("before data they are passed over in the same call") {
    REQUIRE(talk.server.send_tickets(2) == 2);
    REQUIRE(talk.server.update_keys(true));
    REQUIRE(talk.server.send_alert(user_canceled, false));
    REQUIRE(talk.server.send("data"));
    talk.push();
    CHECK(stream.read_some(space).value() == 4);
  }
  SECTION("even when each byte comes by itself") {
    REQUIRE(talk.server.send_tickets(1) == 1);
    REQUIRE(talk.server.update_keys(true));
    REQUIRE(talk.server.send("data"));
    talk.push();
    talk.line.rule = [](const Call& call) { return call.is_read() ? Act::go(1) : Act::go(); };
    CHECK(stream.read_some(space).value() == 4);
  }
  // A requested KeyUpdate is answered with the next data, and both directions go on.
  CHECK_BLOCKS(stream.read_some(space), Interest::read);
  CHECK_FALSE(stream.has_pending());
  REQUIRE(stream.write_some(tc::as_bytes("answer")).value() == 6);
  CHECK(talk.server_heard() == "answer");
  talk.server_says("on");
  CHECK(stream.read_some(space).value() == 2);
}

TEST_CASE("an answer to a KeyUpdate that cannot leave does not surface either", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.update_keys(true));
  REQUIRE(talk.server.send("data"));
  talk.push();
  block_writes(talk.line);
  std::array<std::uint8_t, 64> space{};
  CHECK(stream.read_some(space).value() == 4);
  // It is due before the next application data (RFC 9846, 4.6.3).
  CHECK_FALSE(stream.has_pending());
  CHECK_BLOCKS(stream.read_some(space), Interest::read);
  CHECK(stream.write_some(tc::as_bytes("x")).value() == 1);
  CHECK(stream.has_pending());
  CHECK_BLOCKS(stream.read_some(space), Interest::read_write);
  CHECK_BLOCKS(stream.write_some(tc::as_bytes("x")), Interest::write);
  talk.line.rule = nullptr;
  CHECK(stream.write_some(tc::as_bytes("y")).value() == 1);
  CHECK(talk.server_heard() == "xy");
  CHECK(talk.server.failure().empty());
}

// ---- write_some, write_all, flush ----

TEST_CASE("write_some owns what it has taken, whatever the transport does meanwhile", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  // The transport takes three bytes and then no more.
  std::size_t writes = 0;
  talk.line.rule = [&](const Call& call) {
    return call.is_read() ? Act::go() : (++writes == 1 ? Act::go(3) : Act::block(call));
  };
  tc::ByteVector mine = tc::to_vector(tc::as_bytes("first"));
  REQUIRE(stream.write_some(mine).value() == 5);
  std::fill(mine.begin(), mine.end(), std::uint8_t{0}); // no pointer into it is kept
  CHECK(stream.has_pending());
  // As long as the first are stuck, none of the others is taken.
  CHECK_BLOCKS(stream.write_some(tc::as_bytes("second")), Interest::write);
  CHECK_BLOCKS(stream.flush(), Interest::write);
  talk.line.rule = nullptr;
  // The next call may be any call, with any buffer.
  REQUIRE(stream.write_some(tc::as_bytes("third")).value() == 5);
  CHECK(talk.server_heard() == "firstthird");
}

TEST_CASE("write_some takes at least one byte, or says would_block because the transport did", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const tc::ByteVector much = pattern(300'000);
  block_writes(talk.line);
  const std::size_t taken = stream.write_some(much).value();
  CHECK(taken >= 1);
  CHECK(taken < much.size()); // what one side may hold back is bounded
  const std::size_t before = talk.line.log.size();
  CHECK_BLOCKS(stream.write_some(much), Interest::write);
  CHECK(talk.line.blocked_since(before));
  talk.line.rule = nullptr;
  CHECK(stream.write_some(tc::BytesView(much).subspan(taken)).value() >= 1);
}

TEST_CASE("write_some with nothing takes nothing, but flushes", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const std::size_t writes = talk.line.writes();
  CHECK(stream.write_some({}).value() == 0);
  CHECK(talk.line.writes() == writes); // no empty record
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("abc")).value() == 3);
  CHECK_BLOCKS(stream.write_some({}), Interest::write);
  talk.line.rule = nullptr;
  CHECK(stream.write_some({}).value() == 0);
  CHECK(talk.server_heard() == "abc");
}

TEST_CASE("a write failure of the transport is passed on as it is", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  fail_writes(talk.line, 32);
  const auto result = stream.write_some(tc::as_bytes("x"));
  REQUIRE_FALSE(result.has_value());
  CHECK(test::code_of(result.error()) == ErrorCode::transport_failed);
  CHECK(result.error().error()->os_error() == 32);
  CHECK_FAILS(stream.flush(), ErrorCode::transport_failed);
}

TEST_CASE("a transport that takes nothing, or more than it was given, is caught", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const bool nothing = GENERATE_COPY(false, true);
  talk.line.rule = [&](const Call& call) {
    return call.is_read() ? Act::go() : Act::lie(nothing ? 0 : call.offered + 1);
  };
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::transport_contract_broken);
  CHECK_FAILS(stream.flush(), ErrorCode::transport_contract_broken);
  // What it claimed to have taken was not forgotten.
  CHECK(stream.has_pending());
}

TEST_CASE("a transport that ends while it is written to has failed; nobody has closed", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const tc::Halt halt = GENERATE(tc::Halt::closed(), tc::Halt::truncated());
  talk.line.rule = [&](const Call& call) { return call.is_write() ? Act::stop(halt) : Act::go(); };
  CHECK_FAILS(stream.write_some(tc::as_bytes("x")), ErrorCode::transport_failed);
  CHECK_FAILS(stream.flush(), ErrorCode::transport_failed);
  CHECK_FAILS(stream.shutdown(), ErrorCode::transport_failed);
  // Above all, a reader must not take it for the server's close_notify.
  std::array<std::uint8_t, 8> space{};
  CHECK_FAILS(stream.read_some(space), ErrorCode::transport_failed);
}

TEST_CASE("write_all goes on where it stopped: nothing is lost or sent twice", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const tc::ByteVector all = pattern(150'000);
  tc::BytesView rest = all;
  // Small bites, and no after every second one.
  talk.line.rule = [](const Call& call) {
    return call.is_read() ? Act::go() : (call.index % 2 != 0 ? Act::block(call) : Act::go(7'001));
  };
  std::size_t calls = 0;
  tc::ByteVector heard;
  for (;;) {
    REQUIRE(++calls < 1'000);
    const std::size_t left = rest.size();
    const tc::IoResult<> done = stream.write_all(rest);
    CHECK(rest.size() <= left);
    const tc::ByteVector more = talk.server.take_received();
    heard.insert(heard.end(), more.begin(), more.end());
    if (done)
      break;
    REQUIRE(done.error().is_would_block());
    CHECK(done.error().interest() == Interest::write);
  }
  CHECK(calls > 10);
  CHECK(rest.empty());
  CHECK_FALSE(stream.has_pending()); // it flushes too
  CHECK(tc::equal(heard, all));
}

TEST_CASE("write_all takes a view that nobody keeps", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(stream.write_all(tc::as_bytes("in one go")).has_value());
  CHECK(talk.server_heard() == "in one go");
}

TEST_CASE("flush sends what waits and nothing else", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const std::size_t writes = talk.line.writes();
  CHECK(stream.flush().has_value());
  CHECK(talk.line.writes() == writes);
  block_writes(talk.line);
  REQUIRE(stream.write_some(tc::as_bytes("abc")).value() == 3);
  talk.line.rule = nullptr;
  CHECK(stream.flush().has_value());
  CHECK_FALSE(stream.has_pending());
  CHECK(talk.server_heard() == "abc");
}

TEST_CASE("one write_some is one write, however many records it makes", "[stream]") {
  Conversation talk;
  Stream stream = talk.connected();
  const std::size_t writes = talk.line.writes();
  const tc::ByteVector data = pattern(40'000);
  REQUIRE(stream.write_some(data).value() == data.size());
  CHECK(talk.line.writes() == writes + 1);
  CHECK(tc::equal(talk.server.take_received(), data));
}
