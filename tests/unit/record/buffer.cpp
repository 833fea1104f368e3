// The memory of the record layer: what must stay put stays put.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <tlsconnect/record/buffer.hpp>

#include "deterministic.hpp"

using namespace tlsconnect;

namespace {

/// Puts bytes in that count on from `next`.
void put(Buffer& buffer, std::size_t count, std::uint8_t& next) {
  const Bytes space = buffer.space(count);
  REQUIRE(space.size() >= count);
  for (std::size_t i = 0; i < count; ++i)
    space[i] = next++;
  buffer.commit(count);
}
void put(OutputQueue& queue, std::size_t count, std::uint8_t& next) {
  const Bytes space = queue.append(count);
  REQUIRE(space.size() == count);
  for (std::uint8_t& byte : space)
    byte = next++;
}
bool counts_from(BytesView bytes, std::uint8_t first) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return byte == first++; });
}

} // namespace

TEST_CASE("a buffer gives out what was put in, in order", "[buffer]") {
  test::FixedRng rng(7);
  const auto draw = [&](std::size_t below) {
    std::uint8_t bytes[2];
    REQUIRE(rng.fill(bytes));
    return static_cast<std::size_t>(bytes[0] << 8 | bytes[1]) % below;
  };
  Buffer buffer;
  std::uint8_t in = 0;
  std::uint8_t out = 0;
  for (int round = 0; round < 5'000; ++round) {
    put(buffer, draw(700), in);
    const std::size_t count = draw(buffer.size() + 1);
    REQUIRE(counts_from(buffer.content().first(count), out));
    buffer.consume(count);
    out = static_cast<std::uint8_t>(out + count);
    if (draw(50) == 0)
      buffer.release();
    REQUIRE(static_cast<std::uint8_t>(out + buffer.size()) == in);
  }
  REQUIRE(counts_from(buffer.content(), out));
}

TEST_CASE("consuming moves nothing", "[buffer]") {
  Buffer buffer;
  std::uint8_t next = 0;
  put(buffer, 100, next);
  const std::uint8_t* place = buffer.content().data();
  buffer.consume(40);
  CHECK(buffer.content().data() == place + 40);
  buffer.consume(60);
  CHECK(buffer.empty());
}

TEST_CASE("a buffer uses its memory again", "[buffer]") {
  Buffer buffer;
  std::uint8_t next = 0;
  put(buffer, 1'000, next);
  const std::uint8_t* place = buffer.content().data();
  for (int i = 0; i < 100; ++i) {
    buffer.consume(buffer.size());
    put(buffer, 1'000, next);
    CHECK(buffer.content().data() == place);
  }
  buffer.release(); // holds something, so nothing happens
  CHECK(buffer.content().data() == place);
  CHECK(buffer.size() == 1'000);
  buffer.consume(1'000);
  buffer.release();
  CHECK(buffer.content().data() == nullptr);
}

TEST_CASE("more than there is room for does not become content", "[buffer]") {
  Buffer buffer;
  buffer.commit(1);
  CHECK(buffer.empty());
  std::uint8_t next = 0;
  put(buffer, 10, next);
  for (const std::size_t beyond : {std::size_t{1}, std::size_t{1'000'000}, ~std::size_t{0} / 2}) {
    const Bytes room = buffer.space(20);
    for (std::uint8_t& byte : room)
      byte = next++;
    const std::size_t held = buffer.size() + room.size();
    buffer.commit(room.size() + beyond);
    REQUIRE(buffer.size() == held);
    CHECK(counts_from(buffer.content(), 0));
  }
}

TEST_CASE("a buffer that was moved is empty", "[buffer]") {
  Buffer first;
  std::uint8_t next = 0;
  put(first, 10, next);
  Buffer second(std::move(first));
  CHECK(first.empty());
  CHECK(counts_from(second.content(), 0));
  put(first, 5, next);
  CHECK(first.size() == 5);
  first = std::move(second);
  CHECK(counts_from(first.content(), 0));
  CHECK(first.size() == 10);
  CHECK(second.empty());
}

TEST_CASE("what front() showed stays put while more is appended", "[output]") {
  OutputQueue queue;
  std::uint8_t next = 0;
  put(queue, 10, next);
  const BytesView shown = queue.front();
  REQUIRE(shown.size() == 10);
  // Enough to make any single buffer grow many times.
  for (std::size_t i = 0; i < 200; ++i) {
    put(queue, 1'000, next);
    REQUIRE(queue.front().data() == shown.data());
    REQUIRE(queue.front().size() == shown.size());
    REQUIRE(counts_from(shown, 0));
  }
  CHECK(queue.size() == 10 + 200'000);
  // Part of it leaves; the rest of what was shown is still the front.
  queue.sent(4);
  CHECK(queue.front().data() == shown.data() + 4);
  CHECK(queue.front().size() == 6);
  put(queue, 5, next);
  CHECK(queue.front().size() == 6);
  queue.sent(6);
  // Then all that waited, in one piece.
  CHECK(queue.front().size() == 200'005);
  CHECK(counts_from(queue.front(), 10));
  queue.sent(200'005);
  CHECK(queue.empty());
  CHECK(queue.size() == 0);
}

TEST_CASE("as long as nothing was shown, everything is one piece", "[output]") {
  OutputQueue queue;
  std::uint8_t next = 0;
  for (int i = 0; i < 100; ++i)
    put(queue, 777, next);
  CHECK(queue.front().size() == 77'700);
  CHECK(counts_from(queue.front(), 0));
  queue.sent(77'700);
  // An empty front that was looked at holds nobody to anything.
  CHECK(queue.front().empty());
  put(queue, 5, next);
  put(queue, 6, next);
  CHECK(queue.front().size() == 11);
}

TEST_CASE("after sent() the front may grow again", "[output]") {
  OutputQueue queue;
  std::uint8_t next = 0;
  put(queue, 10, next);
  (void)queue.front();
  queue.sent(3);
  put(queue, 10, next);
  CHECK(queue.front().size() == 17);
  CHECK(counts_from(queue.front(), 3));
}

TEST_CASE("reserved room does not move what is appended into it", "[output]") {
  OutputQueue queue;
  queue.reserve(1'000);
  std::uint8_t next = 0;
  const Bytes first = queue.append(10);
  for (int i = 0; i < 9; ++i)
    put(queue, 110, next);
  CHECK(queue.front().data() == first.data());
  CHECK(queue.front().size() == 1'000);
}

TEST_CASE("more than there is cannot be sent", "[output]") {
  OutputQueue queue;
  std::uint8_t next = 0;
  put(queue, 10, next);
  (void)queue.front();
  put(queue, 10, next);
  queue.sent(1'000'000);
  CHECK(queue.front().size() == 10);
  CHECK(counts_from(queue.front(), 10));
  queue.sent(10);
  queue.sent(10);
  CHECK(queue.empty());
  queue.release();
  CHECK(queue.front().empty());
}

TEST_CASE("the queue is a queue, whatever the order of calls", "[output]") {
  test::FixedRng rng(11);
  const auto draw = [&](std::size_t below) {
    std::uint8_t bytes[2];
    REQUIRE(rng.fill(bytes));
    return static_cast<std::size_t>(bytes[0] << 8 | bytes[1]) % below;
  };
  OutputQueue queue;
  std::uint8_t in = 0;
  std::uint8_t out = 0;
  std::size_t held = 0;
  for (int round = 0; round < 5'000; ++round) {
    const std::size_t count = draw(300);
    put(queue, count, in);
    held += count;
    if (draw(3) == 0) {
      const BytesView front = queue.front();
      REQUIRE(front.empty() == (held == 0));
      const std::size_t sent = draw(front.size() + 1);
      REQUIRE(counts_from(front, out));
      queue.sent(sent);
      held -= sent;
      out = static_cast<std::uint8_t>(out + sent);
    }
    if (draw(20) == 0)
      queue.release();
    REQUIRE(queue.size() == held);
  }
}
