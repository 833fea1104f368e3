// The contract of the doors where it concerns all of them: what would_block means, in any order of calls and outcomes;
// transports of every kind; TLS in TLS.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "door.hpp"

using tc::ErrorCode;
using tc::Interest;
using test::Act;
using test::Call;
using test::Connector;
using test::Conversation;
using test::Line;
using test::LiveServer;
using test::pattern;
using test::read_out;
using test::Stream;

namespace {

/// Numbers that look random and are the same each time.
class Dice {
public:
  explicit Dice(std::uint32_t seed) : state_(seed * 2'654'435'761u + 1) {}
  std::uint32_t below(std::uint32_t limit) {
    state_ = state_ * 1'664'525u + 1'013'904'223u;
    return (state_ >> 8) % limit;
  }

private:
  std::uint32_t state_;
};

/// Carries what is there from a pipe to a server and back, as far as the pipe has room.
struct PipeServer {
  tc::MemoryPipe pipe;
  LiveServer server;
  tc::ByteVector waiting = {};

  void serve() {
    tc::ByteVector space(1'024);
    for (;;) {
      const tc::ByteVector out = server.take_output();
      waiting.insert(waiting.end(), out.begin(), out.end());
      std::size_t moved = 0;
      if (!waiting.empty())
        if (const auto count = pipe.write_some(waiting)) {
          waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(*count));
          moved += *count;
        }
      if (const auto count = pipe.read_some(space)) {
        (void)server.feed(tc::BytesView(space).first(*count));
        moved += *count;
      }
      if (moved == 0)
        return;
    }
  }
};

} // namespace

// ---- would_block, in any order ----

TEST_CASE("any call may follow any outcome, and would_block always comes from the transport", "[contract]") {
  const std::uint32_t seed = GENERATE(range(1u, 25u));
  CAPTURE(seed);
  Dice dice(seed);
  Conversation talk(test::LiveOptions{.answer_close = false});
  Stream stream = talk.connected();
  // The transport passes anything from one byte to all of it, or would block, as the dice fall.
  talk.line.rule = [&](const Call& call) {
    const std::uint32_t number = dice.below(6);
    return number < 2 ? Act::block(call) : number == 2 ? Act::go(1) : number == 3 ? Act::go(40) : Act::go();
  };

  const tc::ByteVector ours = pattern(60'000, seed);
  const tc::ByteVector theirs = pattern(60'000, seed + 1'000);
  std::size_t owned = 0; // by the stream
  std::size_t said = 0;  // by the server
  tc::ByteVector got;    // by us
  tc::ByteVector heard;  // by the server
  tc::ByteVector space(20'000);

  for (int step = 0; step < 400; ++step) {
    const std::size_t log = talk.line.log.size();
    const bool had_data = stream.has_buffered();
    std::optional<tc::Halt> halt;
    bool reading = false;
    switch (dice.below(7)) {
    case 0:
    case 1: {
      reading = true;
      const std::size_t room = 1 + dice.below(20'000);
      auto count = stream.read_some(tc::Bytes(space).first(room));
      if (count) {
        REQUIRE(*count >= 1);
        REQUIRE(*count <= room);
        got.insert(got.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(*count));
      } else {
        halt = std::move(count.error());
      }
      break;
    }
    case 2:
    case 3: {
      const std::size_t size = std::min<std::size_t>(1 + dice.below(5'000), ours.size() - owned);
      // A buffer of its own each time: nothing may depend on repeating a call.
      tc::ByteVector mine = tc::to_vector(tc::BytesView(ours).subspan(owned, size));
      auto count = stream.write_some(mine);
      std::fill(mine.begin(), mine.end(), std::uint8_t{0xEE});
      if (count) {
        REQUIRE(*count <= size);
        REQUIRE((*count >= 1 || size == 0));
        owned += *count;
      } else {
        halt = std::move(count.error());
      }
      break;
    }
    case 4:
      if (auto flushed = stream.flush(); !flushed)
        halt = std::move(flushed.error());
      break;
    case 5:
      stream.release_buffers();
      break;
    case 6:
      // The server speaks, with what must not surface between its words.
      if (dice.below(4) == 0)
        (void)talk.server.send_tickets(1);
      if (dice.below(4) == 0)
        REQUIRE(talk.server.update_keys(dice.below(2) == 0));
      if (const std::size_t size = std::min<std::size_t>(dice.below(3'000), theirs.size() - said); size > 0) {
        REQUIRE(talk.server.send(tc::BytesView(theirs).subspan(said, size)));
        said += size;
      }
      talk.push();
      break;
    }
    if (halt) {
      REQUIRE(halt->is_would_block());
      CHECK(talk.line.blocked_since(log));
      if (reading) {
        CHECK_FALSE(had_data);
        CHECK_FALSE(stream.has_buffered());
        CHECK(includes(halt->interest(), Interest::read));
        CHECK(includes(halt->interest(), Interest::write) == stream.has_pending());
      } else {
        CHECK(halt->interest() == Interest::write);
        CHECK(stream.has_pending());
      }
    }
    const tc::ByteVector more = talk.server.take_received();
    heard.insert(heard.end(), more.begin(), more.end());
  }

  // In the end nothing is missing on either side.
  talk.line.rule = nullptr;
  REQUIRE(stream.shutdown().has_value());
  REQUIRE(talk.server.close());
  talk.push();
  test::ReadOut rest = read_out(stream);
  CHECK(rest.halt.is_closed());
  const tc::BytesView tail = tc::as_bytes(rest.text);
  got.insert(got.end(), tail.begin(), tail.end());
  CHECK(tc::equal(got, tc::BytesView(theirs).first(said)));
  const tc::ByteVector more = talk.server.take_received();
  heard.insert(heard.end(), more.begin(), more.end());
  CHECK(tc::equal(heard, tc::BytesView(ours).first(owned)));
  CHECK(talk.server.failure().empty());
}

TEST_CASE("would_block is not said while a whole record is there", "[contract]") {
  Conversation talk;
  Stream stream = talk.connected();
  // Three records and a piece of the fourth come with one read; every further read would block.
  for (const char* text : {"1", "22", "333"})
    REQUIRE(talk.server.send(text));
  tc::ByteVector bytes = talk.server.take_output();
  REQUIRE(talk.server.send("4444"));
  const tc::ByteVector fourth = talk.server.take_output();
  bytes.insert(bytes.end(), fourth.begin(), fourth.end() - 1);
  talk.line.give(bytes);
  bool first = true;
  talk.line.rule = [&](const Call& call) { return std::exchange(first, false) ? Act::go() : Act::block(call); };
  test::ReadOut out = read_out(stream);
  CHECK(out.text == "122333");
  CHECK(out.halt.is_would_block());
  CHECK(talk.line.reads() >= 2);
  talk.line.rule = nullptr;
  talk.line.give(tc::BytesView(fourth).last(1));
  CHECK(read_out(stream).text == "4444");
}

TEST_CASE("records that say nothing do not end a call of a transport that does not block", "[contract]") {
  // A blocking transport: a call returns when it has something to say.
  Conversation talk;
  Stream stream = talk.connected();
  int waits = 0;
  std::array<std::uint8_t, 16> space{};
  talk.line.rule = [&](const Call& call) {
    if (call.is_read() && talk.line.unread() == 0) {
      ++waits;
      if (waits < 4) {
        REQUIRE(talk.server.send_tickets(1) == 1);
        REQUIRE(talk.server.update_keys(true));
      } else {
        REQUIRE(talk.server.send("at last"));
      }
      talk.push();
    }
    return Act::go();
  };
  CHECK(stream.read_some(space).value() == 7);
  CHECK(waits == 4);
}

// ---- who speaks first ----

TEST_CASE("a server that speaks first is heard, even when its words come with the handshake's end", "[contract]") {
  Conversation talk;
  const auto peer = talk.line.peer;
  talk.line.peer = [&](tc::BytesView bytes) {
    tc::ByteVector out = peer(bytes);
    // The greeting leaves as soon as the server may send.
    if (talk.server.handshake_complete()) {
      REQUIRE(talk.server.send("220 ready"));
      const tc::ByteVector more = talk.server.take_output();
      out.insert(out.end(), more.begin(), more.end());
      talk.line.peer = peer;
    }
    return out;
  };
  Connector connector = talk.connector();
  tc::IoResult<Stream> stream = connector.connect();
  REQUIRE(stream.has_value());
  CHECK(read_out(*stream).text == "220 ready");
}

// ---- transports ----

TEST_CASE("a pipe that holds one byte is enough", "[contract]") {
  const std::size_t capacity = GENERATE(1u, 2u, 3u, 17u, 1'000u);
  CAPTURE(capacity);
  auto [near, far] = tc::MemoryPipe::create(capacity);
  PipeServer remote{std::move(far), LiveServer(test::LiveOptions{.retry = true})};
  tc::Connector connector(test::live_config(), test::live_name(), std::move(near));
  std::optional<tc::Stream<tc::MemoryPipe>> stream;
  for (int i = 0; !stream; ++i) {
    REQUIRE(i < 20'000);
    if (auto connected = connector.connect())
      stream = std::move(*connected);
    else
      REQUIRE(connected.error().is_would_block());
    remote.serve();
  }
  const tc::ByteVector data = pattern(3'000);
  tc::BytesView rest = data;
  for (int i = 0;; ++i) {
    REQUIRE(i < 20'000);
    const auto done = stream->write_all(rest);
    remote.serve();
    if (done)
      break;
    REQUIRE(done.error().is_would_block());
  }
  remote.serve();
  CHECK(tc::equal(remote.server.take_received(), data));

  REQUIRE(remote.server.send(tc::BytesView(data)));
  tc::ByteVector got;
  tc::ByteVector space(100);
  for (int i = 0; got.size() < data.size(); ++i) {
    REQUIRE(i < 20'000);
    remote.serve();
    if (const auto count = stream->read_some(space))
      got.insert(got.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(*count));
    else
      REQUIRE(count.error().is_would_block());
  }
  CHECK(tc::equal(got, data));
}

TEST_CASE("a transport that stays with its owner is a transport too", "[contract]") {
  Conversation talk;
  test::NodelayTransport own(talk.line);
  tc::Connector connector(test::live_config(), test::live_name(), tc::TransportRef(own));
  auto stream = connector.connect();
  REQUIRE(stream.has_value());
  CHECK(&stream->next_layer().get() == &own);
  REQUIRE(stream->write_all(tc::as_bytes("hello")).has_value());
  CHECK(talk.server_heard() == "hello");
  CHECK(std::any_of(talk.line.log.begin(), talk.line.log.end(),
                    [](const auto& entry) { return entry.call.what == Call::What::nodelay_on; }));
}

TEST_CASE("a transport is never called with nothing, nor after it has ended", "[contract]") {
  // Line itself throws when it is offered nothing; here is the second half.
  Conversation talk;
  Stream stream = talk.connected();
  REQUIRE(talk.server.send("x"));
  REQUIRE(talk.server.close());
  talk.push();
  talk.line.inbound_ends = true;
  CHECK(read_out(stream).halt.is_closed());
  const std::size_t reads = talk.line.reads();
  CHECK(read_out(stream).halt.is_closed());
  CHECK(stream.write_some({}).has_value());
  CHECK(talk.line.reads() == reads);
}

// ---- TLS in TLS ----

namespace {

/// Two servers, one inside the connection to the other.
struct Nested {
  LiveServer outer;
  LiveServer inner;
  Line line;

  Nested() {
    line.peer = [this](tc::BytesView bytes) {
      (void)outer.feed(bytes);
      relay();
      return outer.take_output();
    };
  }
  /// What the outer server decrypted goes to the inner one, whose answers go back.
  void relay() {
    const tc::ByteVector in = outer.take_received();
    if (!in.empty())
      (void)inner.feed(in);
    const tc::ByteVector out = inner.take_output();
    if (!out.empty())
      (void)outer.send(tc::BytesView(out));
  }
  void push() {
    relay();
    line.give(outer.take_output());
  }

  using Outer = tc::Stream<test::NodelayTransport>;
  using Inner = tc::Stream<Outer>;

  [[nodiscard]] Inner connected() {
    tc::Connector first(test::live_config(), test::live_name(), test::NodelayTransport(line));
    tc::IoResult<Outer> tunnel = first.connect();
    for (int i = 0; !tunnel; ++i) {
      REQUIRE(i < 5'000);
      REQUIRE(tunnel.error().is_would_block());
      tunnel = first.connect();
    }
    tc::Connector second(test::live_config(), test::live_name("192.0.2.1"), std::move(*tunnel));
    tc::IoResult<Inner> stream = second.connect();
    for (int i = 0; !stream; ++i) {
      REQUIRE(i < 5'000);
      REQUIRE(stream.error().is_would_block());
      stream = second.connect();
    }
    return std::move(*stream);
  }
};

} // namespace

TEST_CASE("TLS runs in TLS", "[contract]") {
  Nested nested;
  SECTION("over a transport that never blocks") {}
  SECTION("over one that does") {
    nested.line.rule = [reads = std::size_t{0}, writes = std::size_t{0}](const Call& call) mutable {
      return (call.is_read() ? reads : writes)++ % 2 == 0 ? Act::block(call) : Act::go(333);
    };
  }
  Nested::Inner stream = nested.connected();
  const tc::ByteVector data = pattern(30'000);
  tc::BytesView rest = data;
  for (int i = 0;; ++i) {
    REQUIRE(i < 5'000);
    const auto done = stream.write_all(rest);
    if (done)
      break;
    REQUIRE(done.error().is_would_block());
  }
  // What the inner stream has handed to the outer one is the outer one's to send.
  for (int i = 0; stream.next_layer().has_pending(); ++i) {
    REQUIRE(i < 5'000);
    (void)stream.next_layer().flush();
  }
  CHECK(tc::equal(nested.inner.take_received(), data));

  REQUIRE(nested.inner.send(tc::BytesView(data)));
  REQUIRE(nested.inner.update_keys(true));
  REQUIRE(nested.inner.send("."));
  nested.push();
  tc::ByteVector got;
  tc::ByteVector space(1'000);
  for (int i = 0; got.size() < data.size() + 1; ++i) {
    REQUIRE(i < 5'000);
    if (const auto count = stream.read_some(space))
      got.insert(got.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(*count));
    else
      REQUIRE(count.error().is_would_block());
  }
  CHECK(tc::equal(tc::BytesView(got).first(data.size()), data));
  CHECK(nested.inner.failure().empty());
  CHECK(nested.outer.failure().empty());
}

TEST_CASE("in TLS in TLS, an end of the outer connection is no end of the inner one", "[contract]") {
  Nested nested;
  Nested::Inner stream = nested.connected();
  REQUIRE(nested.inner.send("last"));
  std::array<std::uint8_t, 16> space{};
  SECTION("the outer server closes in good order: truncated for the inner stream") {
    nested.relay();
    REQUIRE(nested.outer.close());
    nested.push();
    CHECK(stream.read_some(space).value() == 4);
    CHECK_TRUNCATED(stream.read_some(space));
  }
  SECTION("the inner server closes: closed, and the outer connection still stands") {
    REQUIRE(nested.inner.close());
    nested.push();
    CHECK(stream.read_some(space).value() == 4);
    CHECK_CLOSED(stream.read_some(space));
    CHECK_BLOCKS(stream.next_layer().read_some(space), Interest::read);
  }
  SECTION("the outer transport breaks off") {
    nested.push();
    nested.line.inbound_ends = true;
    CHECK(stream.read_some(space).value() == 4);
    CHECK_TRUNCATED(stream.read_some(space));
  }
  SECTION("the outer stream fails: the inner one passes the error on") {
    (void)nested.outer.send_alert(80, true);
    nested.line.give(nested.outer.take_output());
    const auto result = stream.read_some(space);
    REQUIRE_FALSE(result.has_value());
    CHECK(test::code_of(result.error()) == ErrorCode::alert_received);
  }
}

TEST_CASE("in TLS in TLS, interests and set_nodelay pass through", "[contract]") {
  Nested nested;
  Nested::Inner stream = nested.connected();
  std::array<std::uint8_t, 16> space{};
  // The outer stream has something that it cannot send: who waits for the inner one must wait for both.
  nested.line.rule = [](const Call& call) { return Act::block(call); };
  REQUIRE(stream.write_some(tc::as_bytes("x")).value() == 1);
  CHECK_FALSE(stream.has_pending());
  CHECK(stream.next_layer().has_pending());
  CHECK_BLOCKS(stream.read_some(space), Interest::read_write);
  nested.line.log.clear();
  CHECK(stream.set_nodelay(false).has_value());
  REQUIRE(nested.line.log.size() == 1);
  CHECK(nested.line.log[0].call.what == Call::What::nodelay_off);
}
