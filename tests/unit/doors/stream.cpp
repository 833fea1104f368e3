// Stream: what its declaration promises, sentence by sentence, over a transport that does what the test tells it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <catch2/generators/catch_generators.hpp>

#include "door.hpp"

using test::Act;
using test::Call;
using test::Conversation;
using test::Line;
using test::pattern;
using test::read_out;
using test::Stream;
using tc::ErrorCode;
using tc::Interest;

static_assert(tc::Transport<Stream>);
static_assert(std::is_nothrow_move_constructible_v<Stream>);
static_assert(!std::is_copy_constructible_v<Stream>);
static_assert(!std::is_default_constructible_v<Stream>);
// Only Connector makes one.
static_assert(!std::is_constructible_v<Stream, tc::ClientEngine, test::ScriptedTransport>);
static_assert(!tc::HasNodelay<Stream>);
static_assert(tc::HasNodelay<tc::Stream<test::NodelayTransport>>);
static_assert(tc::HasNodelay<tc::Stream<tc::Stream<test::NodelayTransport>>>);

namespace {

/// From now on writes would block; reads work.
void block_writes(Line& line) {
  line.rule = [](const Call& call) { return call.is_write() ? Act::block(call) : Act::go(); };
}
void fail_writes(Line& line, int os_error) {
  line.rule = [os_error](const Call& call) { return call.is_write() ? Act::fail(os_error) : Act::go(); };
}

} // namespace

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
  // A requested KeyUpdate is answered, by reading alone, and both directions go on.
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
  CHECK(stream.has_pending());
  CHECK_BLOCKS(stream.read_some(space), Interest::read_write);
  CHECK_BLOCKS(stream.write_some(tc::as_bytes("x")), Interest::write);
  talk.line.rule = nullptr;
  CHECK(stream.write_some(tc::as_bytes("y")).value() == 1);
  CHECK(talk.server_heard() == "y");
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
