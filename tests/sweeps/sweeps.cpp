// Sweeps: a conversation ends in the same way however its bytes are cut and however often the transport says no; and
// wherever the transport fails or ends, it ends cleanly with all that had been received.
#include <algorithm>
#include <memory>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "conversation.hpp"

using sweeps::Outcome;
using sweeps::Recording;
using test::Act;
using test::Call;
using test::Line;
using tc_kind = tlsconnect::Halt::Kind;

namespace {

namespace tc = tlsconnect;

bool prefix_of(const tc::ByteVector& part, const tc::ByteVector& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// What the server accepted and what the client got back are together what was given, in that order, whatever happened.
bool keeps_early_data(const Outcome& outcome, const Recording& recording) {
  const std::size_t accepted = outcome.info.early_data_accepted;
  return accepted + outcome.given_back.size() == recording.plot().early_data &&
         outcome.given_back == sweeps::Plot::data(outcome.given_back.size(), accepted);
}

/// Calls that pass at most this much make enough of them to put something between.
constexpr std::size_t bite = 700;

std::size_t calls_of(const Recording& recording) {
  std::size_t calls = 0;
  (void)recording.replay([&](const Call&, const Line&) {
    ++calls;
    return Act::go(bite);
  });
  return calls;
}

/// The last word of `progress` at this number of bytes.
std::size_t plaintext_at(const Outcome& byte_by_byte, std::size_t delivered) {
  std::size_t size = 0;
  for (const auto& [bytes, plaintext] : byte_by_byte.progress)
    if (bytes <= delivered)
      size = plaintext;
  return size;
}

Outcome byte_by_byte(const Recording& recording) {
  return recording.replay([](const Call& call, const Line&) { return call.is_read() ? Act::go(1) : Act::go(); });
}

class Dice {
public:
  explicit Dice(std::uint32_t seed) : state_(seed * 2'654'435'761u + 12'345) {}
  std::uint32_t below(std::uint32_t limit) {
    state_ = state_ * 1'664'525u + 1'013'904'223u;
    return (state_ >> 8) % limit;
  }

private:
  std::uint32_t state_;
};

} // namespace

TEST_CASE("the conversations go as they were meant to, live and replayed", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const Outcome& original = recording.original();
    const sweeps::Plot& plot = recording.plot();
    CHECK(original.error == plot.error);
    CHECK((!plot.meant || plot.meant(original)));
    CHECK(keeps_early_data(original, recording));
    if (!plot.error) {
      CHECK(original.finished);
      std::size_t wanted = 0;
      for (const sweeps::Step& step : plot.steps)
        if (step.what == sweeps::Step::What::read)
          wanted += step.size;
      CHECK(original.received.size() >= wanted);
      CHECK(original.delivered == recording.server_bytes());
    }
    CHECK(recording.replay().same_as(original));
  }
}

TEST_CASE("one byte at a time", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    CHECK(byte_by_byte(recording).same_as(recording.original()));
    CHECK(recording.replay([](const Call& call, const Line&) { return call.is_write() ? Act::go(1) : Act::go(); })
              .same_as(recording.original()));
    CHECK(recording.replay([](const Call&, const Line&) { return Act::go(1); }).same_as(recording.original()));
  }
}

TEST_CASE("would_block at every call, one by one", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const std::size_t calls = calls_of(recording);
    REQUIRE(calls >= 3);
    for (std::size_t k = 0; k < calls; ++k) {
      const Outcome outcome = recording.replay(
          [k](const Call& call, const Line&) { return call.index == k ? Act::block(call) : Act::go(bite); });
      if (!outcome.same_as(recording.original()))
        FAIL("call " << k << " of " << calls);
    }
  }
}

TEST_CASE("would_block at every other call of each direction", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}, ~std::size_t{0}}) {
      for (const std::size_t parity : {0u, 1u}) {
        CAPTURE(size, parity);
        std::size_t reads = 0;
        std::size_t writes = 0;
        const Outcome outcome = recording.replay([&](const Call& call, const Line&) {
          return (call.is_read() ? reads : writes)++ % 2 == parity ? Act::block(call) : Act::go(size);
        });
        CHECK(outcome.same_as(recording.original()));
      }
    }
  }
}

TEST_CASE("any chunks and any pauses", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      Dice dice(seed);
      const std::uint32_t most = seed % 3 == 0 ? 20 : seed % 3 == 1 ? 600 : 20'000;
      const Outcome outcome = recording.replay([&](const Call& call, const Line&) {
        return dice.below(4) == 0 ? Act::block(call) : Act::go(1 + dice.below(most));
      });
      if (!outcome.same_as(recording.original()))
        FAIL("seed " << seed);
    }
  }
}

TEST_CASE("what is pending leaves while the caller is awaited", "[sweep]") {
  // The client of every sweep looks whether output stays behind when it is asked for something (see check_output). Here
  // output is pending then, and cannot leave at once.
  std::size_t held_back = 0;
  for (const Recording& recording : sweeps::recordings()) {
    if (recording.original().supplied == 0)
      continue;
    INFO(recording.plot().name);
    for (std::size_t free = 1; free < 20; ++free) {
      std::size_t writes = 0;
      const Outcome outcome = recording.replay([&](const Call& call, const Line&) {
        return call.is_write() && writes++ % 20 >= free ? Act::block(call)
                                                        : Act::go(call.is_write() ? 500 : ~std::size_t{0});
      });
      CHECK(outcome.same_as(recording.original()));
      held_back += outcome.held_back;
    }
  }
  CHECK(held_back > 0);
}

TEST_CASE("reading fails at every call", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const Outcome& original = recording.original();
    std::size_t k = 0;
    for (bool reached = true; reached; ++k) {
      reached = false;
      std::size_t reads = 0;
      const Outcome outcome = recording.replay([&](const Call& call, const Line&) {
        if (!call.is_read() || reads++ < k)
          return Act::go(bite);
        reached = true;
        return Act::fail(104);
      });
      CAPTURE(k);
      if (reached)
        REQUIRE(outcome.failed_with_transport(104));
      else
        REQUIRE(outcome.same_as(original));
      REQUIRE(prefix_of(outcome.received, original.received));
      REQUIRE(prefix_of(outcome.sent, original.sent));
      REQUIRE(keeps_early_data(outcome, recording));
    }
    CHECK(k >= 2);
  }
}

TEST_CASE("writing fails at every call", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const Outcome& original = recording.original();
    std::size_t k = 0;
    for (bool reached = true; reached; ++k) {
      reached = false;
      std::size_t writes = 0;
      const Outcome outcome = recording.replay([&](const Call& call, const Line&) {
        if (!call.is_write() || writes++ < k)
          return Act::go(bite);
        reached = true;
        return Act::fail(32);
      });
      CAPTURE(k);
      if (!reached)
        REQUIRE(outcome.same_as(original));
      else if (!outcome.failed_with_transport(32)) {
        // It may only have been the alert of another failure: that one counts.
        REQUIRE(original.halt == tc_kind::failed);
        REQUIRE(outcome.halt == original.halt);
        REQUIRE(outcome.error == original.error);
        REQUIRE(outcome.received == original.received);
      }
      REQUIRE(prefix_of(outcome.received, original.received));
      REQUIRE(prefix_of(outcome.sent, original.sent));
      REQUIRE(keeps_early_data(outcome, recording));
    }
    CHECK(k >= 2);
  }
}

TEST_CASE("the transport ends after every byte", "[sweep]") {
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const Outcome& original = recording.original();
    const Outcome steps = byte_by_byte(recording);
    // Every byte where there are few; where there are many, every byte up to the first 1500, each within 6 bytes of a
    // record's end, and every 53rd of the others.
    std::set<std::size_t> places;
    const std::size_t total = recording.server_bytes();
    const bool all = total <= 4'000;
    for (std::size_t n = 0; n <= total; n += all || n < 1'500 ? 1 : 53)
      places.insert(n);
    for (const std::size_t end : recording.record_ends())
      for (std::size_t n = end - std::min<std::size_t>(end, 6); n <= std::min(end + 6, total); ++n)
        places.insert(n);

    for (const std::size_t n : places) {
      const Outcome outcome = recording.replay([n](const Call& call, const Line& line) {
        if (!call.is_read())
          return Act::go();
        return line.inbound_read >= n ? Act::stop(tc::Halt::closed()) : Act::go(n - line.inbound_read);
      });
      CAPTURE(n, total);
      if (n >= steps.delivered) {
        REQUIRE(outcome.same_as(original));
        continue;
      }
      // Never closed, never a clean end: and all that was whole before the end has been delivered.
      REQUIRE(outcome.halt == tc_kind::truncated);
      REQUIRE_FALSE(outcome.finished);
      REQUIRE(outcome.received.size() == plaintext_at(steps, n));
      REQUIRE(prefix_of(outcome.received, original.received));
      REQUIRE(prefix_of(outcome.sent, original.sent));
      REQUIRE(keeps_early_data(outcome, recording));
    }
  }
}

TEST_CASE("data is delivered with the last byte of its record, not later", "[sweep]") {
  // What the sweep above measures by: with single bytes, data comes exactly when a record is whole.
  for (const Recording& recording : sweeps::recordings()) {
    INFO(recording.plot().name);
    const std::vector<std::size_t>& ends = recording.record_ends();
    for (const auto& [delivered, plaintext] : byte_by_byte(recording).progress)
      CHECK(std::find(ends.begin(), ends.end(), delivered) != ends.end());
  }
}
