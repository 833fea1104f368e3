// Randomness and time that a test decides, so that a connection runs the same way every time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/source.hpp>

namespace test {

/// A stream of bytes that depends on nothing but the seed and on how it was drawn before. Not for secrets.
class FixedRng final : public tlsconnect::Rng {
public:
  explicit FixedRng(std::uint64_t seed = 1) noexcept : state_(seed) {}

  bool fill(tlsconnect::Bytes out) noexcept override {
    for (std::size_t i = 0; i < out.size(); i += 8) {
      std::uint64_t word = next();
      for (std::size_t k = i; k < std::min(i + 8, out.size()); ++k, word >>= 8)
        out[k] = static_cast<std::uint8_t>(word);
    }
    drawn_ += out.size();
    return true;
  }
  /// How many bytes were drawn so far.
  [[nodiscard]] std::size_t drawn() const noexcept { return drawn_; }

private:
  /// SplitMix64: a counter, stirred. The counter is atomic because connections may share a source.
  std::uint64_t next() noexcept {
    constexpr std::uint64_t step = 0x9E3779B97F4A7C15;
    std::uint64_t z = state_.fetch_add(step, std::memory_order_relaxed) + step;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::atomic<std::uint64_t> state_;
  std::atomic<std::size_t> drawn_ = 0;
};

/// Gives out the bytes of a script, in order, and fails when there are not enough left. For one connection.
class ScriptRng final : public tlsconnect::Rng {
public:
  explicit ScriptRng(tlsconnect::ByteVector script = {}) : script_(std::move(script)) {}

  /// More bytes, behind those that are there.
  void append(tlsconnect::BytesView bytes) { script_.insert(script_.end(), bytes.begin(), bytes.end()); }
  bool fill(tlsconnect::Bytes out) noexcept override {
    if (out.size() > left())
      return false;
    tlsconnect::copy_bytes(tlsconnect::BytesView(script_).subspan(used_, out.size()), out);
    used_ += out.size();
    return true;
  }
  [[nodiscard]] std::size_t left() const noexcept { return script_.size() - used_; }

private:
  tlsconnect::ByteVector script_;
  std::size_t used_ = 0;
};

/// A clock that stands still until it is set.
class FixedClock final : public tlsconnect::Clock {
public:
  explicit FixedClock(std::int64_t milliseconds) noexcept : now_(milliseconds) {}
  /// From seconds since 1970, such as test::now.
  [[nodiscard]] static std::int64_t from_seconds(std::int64_t seconds) noexcept { return seconds * 1'000; }

  std::int64_t now() const noexcept override { return now_.load(std::memory_order_relaxed); }
  void set(std::int64_t milliseconds) noexcept { now_.store(milliseconds, std::memory_order_relaxed); }
  void advance(std::int64_t milliseconds) noexcept { now_.fetch_add(milliseconds, std::memory_order_relaxed); }

private:
  std::atomic<std::int64_t> now_;
};

} // namespace test
