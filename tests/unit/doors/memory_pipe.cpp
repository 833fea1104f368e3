// MemoryPipe: order, limits and ends.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/memory_pipe.hpp>

namespace tc = tlsconnect;

static_assert(tc::Transport<tc::MemoryPipe>);
static_assert(!tc::HasNodelay<tc::MemoryPipe>);
static_assert(tc::Transport<tc::TransportRef<tc::MemoryPipe>>);

namespace {

tc::ByteVector read_all_now(tc::MemoryPipe& pipe, std::size_t step = 64) {
  tc::ByteVector all;
  tc::ByteVector space(step);
  for (;;) {
    const auto count = pipe.read_some(space);
    if (!count)
      return all;
    REQUIRE(*count >= 1);
    REQUIRE(*count <= space.size());
    all.insert(all.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

} // namespace

TEST_CASE("what goes in at one end comes out at the other", "[memory_pipe]") {
  auto [left, right] = tc::MemoryPipe::create();
  REQUIRE(left.write_some(tc::as_bytes("there")).value() == 5);
  REQUIRE(right.write_some(tc::as_bytes("and back")).value() == 8);
  CHECK(right.readable() == 5);
  CHECK(left.readable() == 8);
  CHECK(tc::as_text(read_all_now(right)) == "there");
  CHECK(tc::as_text(read_all_now(left)) == "and back");
  CHECK(left.readable() == 0);
}

TEST_CASE("an empty pipe would block on read, a full one on write", "[memory_pipe]") {
  auto [left, right] = tc::MemoryPipe::create(4);
  std::array<std::uint8_t, 8> space{};

  auto read = right.read_some(space);
  REQUIRE(!read);
  CHECK(read.error().is_would_block());
  CHECK(read.error().interest() == tc::Interest::read);

  CHECK(left.writable() == 4);
  REQUIRE(left.write_some(tc::as_bytes("abcdef")).value() == 4);
  CHECK(left.writable() == 0);
  auto written = left.write_some(tc::as_bytes("ef"));
  REQUIRE(!written);
  CHECK(written.error().is_would_block());
  CHECK(written.error().interest() == tc::Interest::write);
  // The other direction has its own room.
  CHECK(right.write_some(tc::as_bytes("zz")).value() == 2);

  REQUIRE(right.read_some(tc::Bytes(space).first(1)).value() == 1);
  CHECK(left.writable() == 1);
  CHECK(left.write_some(tc::as_bytes("ef")).value() == 1);
  CHECK(tc::as_text(read_all_now(right)) == "bcde");
}

TEST_CASE("a pipe without capacity still carries a byte at a time", "[memory_pipe]") {
  auto [left, right] = tc::MemoryPipe::create(0);
  CHECK(left.write_some(tc::as_bytes("xy")).value() == 1);
  CHECK(tc::as_text(read_all_now(right)) == "x");
}

TEST_CASE("bytes stay in order however writes and reads are cut", "[memory_pipe]") {
  // Capacities and steps without a common divisor, so that both the writer and the reader run over the ring's end.
  for (const std::size_t capacity : {1u, 2u, 7u, 64u, 1'000u}) {
    for (const std::size_t write_step : {1u, 3u, 11u}) {
      for (const std::size_t read_step : {1u, 5u, 13u}) {
        CAPTURE(capacity, write_step, read_step);
        auto [left, right] = tc::MemoryPipe::create(capacity);
        tc::ByteVector sent(777);
        for (std::size_t i = 0; i < sent.size(); ++i)
          sent[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
        tc::ByteVector got;
        tc::ByteVector space(read_step);
        tc::BytesView rest = sent;
        while (got.size() < sent.size()) {
          if (!rest.empty())
            if (const auto count = left.write_some(rest.first(std::min(write_step, rest.size()))))
              rest = rest.subspan(*count);
          if (const auto count = right.read_some(space))
            got.insert(got.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(*count));
          REQUIRE(got.size() + right.readable() + rest.size() == sent.size());
        }
        REQUIRE(tc::equal(got, sent));
      }
    }
  }
}

TEST_CASE("closing one direction lets the other end read what is left, then the end", "[memory_pipe]") {
  auto [left, right] = tc::MemoryPipe::create();
  REQUIRE(left.write_some(tc::as_bytes("last words")).has_value());
  left.close_write();
  left.close_write();
  CHECK(left.writable() == 0);

  std::array<std::uint8_t, 4> space{};
  CHECK(right.read_some(space).value() == 4);
  CHECK(tc::as_text(read_all_now(right)) == " words");
  auto end = right.read_some(space);
  REQUIRE(!end);
  CHECK(end.error().is_closed());

  // The closer may not write, but still reads.
  auto written = left.write_some(tc::as_bytes("x"));
  REQUIRE(!written);
  REQUIRE(written.error().is_failed());
  CHECK(written.error().error()->code() == tc::ErrorCode::transport_failed);
  REQUIRE(right.write_some(tc::as_bytes("answer")).value() == 6);
  CHECK(tc::as_text(read_all_now(left)) == "answer");
  auto pause = left.read_some(space);
  REQUIRE(!pause);
  CHECK(pause.error().is_would_block());
}

TEST_CASE("when one end is gone, the other reads what is left and cannot write", "[memory_pipe]") {
  auto ends = tc::MemoryPipe::create();
  tc::MemoryPipe right = std::move(ends.second);
  {
    tc::MemoryPipe left = std::move(ends.first);
    REQUIRE(left.write_some(tc::as_bytes("bye")).value() == 3);
  }
  CHECK(right.writable() == 0);
  auto written = right.write_some(tc::as_bytes("x"));
  REQUIRE(!written);
  REQUIRE(written.error().is_failed());
  CHECK(written.error().error()->code() == tc::ErrorCode::transport_failed);
  CHECK(tc::as_text(read_all_now(right)) == "bye");
  std::array<std::uint8_t, 1> space{};
  auto end = right.read_some(space);
  REQUIRE(!end);
  CHECK(end.error().is_closed());
}

TEST_CASE("moving an end keeps the connection; moving over an end closes that one", "[memory_pipe]") {
  auto [a, b] = tc::MemoryPipe::create();
  auto [c, d] = tc::MemoryPipe::create();
  REQUIRE(a.write_some(tc::as_bytes("1")).value() == 1);
  tc::MemoryPipe moved = std::move(a);
  REQUIRE(moved.write_some(tc::as_bytes("2")).value() == 1);
  CHECK(tc::as_text(read_all_now(b)) == "12");

  std::array<std::uint8_t, 1> space{};
  c = std::move(moved);
  auto end = d.read_some(space);
  REQUIRE(!end);
  CHECK(end.error().is_closed());
  auto refused = d.write_some(tc::as_bytes("x"));
  REQUIRE(!refused);
  CHECK(refused.error().is_failed());
  REQUIRE(c.write_some(tc::as_bytes("3")).value() == 1);
  CHECK(tc::as_text(read_all_now(b)) == "3");

  // Onto itself, through a reference that hides it from the compiler.
  tc::MemoryPipe& same = c;
  c = std::move(same);
  CHECK(c.write_some(tc::as_bytes("4")).value() == 1);
  CHECK(tc::as_text(read_all_now(b)) == "4");
}

TEST_CASE("an end that was moved away fails instead of crashing", "[memory_pipe]") {
  auto [a, b] = tc::MemoryPipe::create();
  const tc::MemoryPipe kept = std::move(a);
  std::array<std::uint8_t, 1> space{};
  // NOLINTBEGIN(bugprone-use-after-move): that is the point
  auto read = a.read_some(space);
  REQUIRE(!read);
  REQUIRE(read.error().is_failed());
  CHECK(read.error().error()->code() == tc::ErrorCode::not_connected);
  auto written = a.write_some(tc::as_bytes("x"));
  REQUIRE(!written);
  CHECK(written.error().is_failed());
  CHECK(a.readable() == 0);
  CHECK(a.writable() == 0);
  a.close_write();
  // NOLINTEND(bugprone-use-after-move)
  CHECK(b.write_some(tc::as_bytes("x")).value() == 1);
}
