// The system's random source and clock.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <tlsconnect/crypto/random.hpp>

#include "test_bytes.hpp"

using namespace tlsconnect;

TEST_CASE("the system's random source fills all it is given, and never twice the same", "[crypto][random]") {
  const auto rng = system_rng();
  REQUIRE(rng);
  std::set<ByteVector> seen;
  for (int i = 0; i < 100; ++i) {
    ByteVector bytes(32);
    REQUIRE(rng->fill(bytes));
    CHECK(seen.insert(bytes).second);
  }
  // Every byte of a longer draw is reached: in 64 draws none stays at one value.
  std::vector<std::set<std::uint8_t>> values(1000);
  for (int i = 0; i < 64; ++i) {
    ByteVector bytes(values.size());
    REQUIRE(rng->fill(bytes));
    for (std::size_t at = 0; at < bytes.size(); ++at)
      values[at].insert(bytes[at]);
  }
  for (const auto& of_one : values)
    CHECK(of_one.size() > 1);
  CHECK(rng->fill({}));
}

TEST_CASE("the system's random source can be shared by threads", "[crypto][random]") {
  const auto rng = system_rng();
  std::array<std::vector<ByteVector>, 4> drawn;
  std::array<bool, 4> good{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < drawn.size(); ++t)
      threads.emplace_back([&, t] {
        good[t] = true;
        for (int i = 0; i < 200; ++i) {
          ByteVector bytes(16);
          good[t] = rng->fill(bytes) && good[t];
          drawn[t].push_back(bytes);
        }
      });
  }
  std::set<ByteVector> seen;
  for (std::size_t t = 0; t < drawn.size(); ++t) {
    CHECK(good[t]);
    seen.insert(drawn[t].begin(), drawn[t].end());
  }
  CHECK(seen.size() == 800);
}

TEST_CASE("the system's clock counts milliseconds since 1970", "[crypto][random]") {
  using namespace std::chrono;
  const auto clock = tlsconnect::system_clock();
  REQUIRE(clock);
  const auto reference = [] {
    return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  const auto before = reference();
  const auto now = clock->now();
  const auto after = reference();
  CHECK(before <= now);
  CHECK(now <= after);
}
