// The default sources of randomness and time.
#pragma once

#include <chrono>
#include <memory>

#include <botan/system_rng.h>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/random.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

class SystemRng final : public Rng {
public:
  bool fill(Bytes out) noexcept override {
    try {
      Botan::system_rng().randomize(out);
      return true;
    } catch (...) {
      // Half-written randomness must not be mistaken for the whole.
      wipe(out);
      return false;
    }
  }
};

class SystemClock final : public Clock {
public:
  std::int64_t now() const noexcept override {
    using namespace std::chrono;
    return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  std::int64_t now_rounded_up() const noexcept override {
    using namespace std::chrono;
    return ceil<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  std::int64_t microseconds() const noexcept override {
    using namespace std::chrono;
    return duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count();
  }
};

} // namespace detail

TLSCONNECT_DECL std::shared_ptr<Rng> system_rng() { return std::make_shared<detail::SystemRng>(); }

TLSCONNECT_DECL std::shared_ptr<const Clock> system_clock() { return std::make_shared<detail::SystemClock>(); }

} // namespace tlsconnect::inline TLSCONNECT_ABI
