// Where randomness and time come from; both can be replaced, so that a connection can be replayed byte for byte.
#pragma once

#include <cstdint>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A source of random bytes. Connections that share a configuration share it, so `fill` must be safe to call
/// from several threads at once. The default is the operating system's.
class Rng {
public:
  Rng() = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  virtual ~Rng() = default;
  /// Fills all of `out`; false when it cannot (the connection then fails with `random_source_failed`).
  [[nodiscard]] virtual bool fill(Bytes out) noexcept = 0;
};

/// A source of wall-clock time, shared like `Rng`. The default is the operating system's.
class Clock {
public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01T00:00:00Z.
  [[nodiscard]] virtual std::int64_t now() const noexcept = 0;
  /// The same, rounded up: for when something came, so that it never seems to be older than it is. A clock that knows more
  /// than milliseconds says so here; the default is now().
  [[nodiscard]] virtual std::int64_t now_rounded_up() const noexcept { return now(); }
  /// Microseconds since some moment, never going back: for durations. The default counts by now().
  [[nodiscard]] virtual std::int64_t microseconds() const noexcept { return now() * 1000; }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
