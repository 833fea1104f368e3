// Evidence that a check was made: a value that only the check itself can make.
#pragma once

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Shows that `What` was checked. Empty; cannot be made, copied or forged outside `What`, whose static functions make
/// the check. A function that takes one cannot be reached without it.
template <class What>
class [[nodiscard]] Proof {
public:
  Proof(Proof&&) noexcept = default;
  Proof& operator=(Proof&&) noexcept = default;
  Proof(const Proof&) = delete;
  Proof& operator=(const Proof&) = delete;

private:
  friend What;
  Proof() = default;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
