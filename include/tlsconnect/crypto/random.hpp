// The operating system's random source and clock.
#pragma once

#include <memory>

#include <tlsconnect/base/source.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The operating system's random source (getrandom and the like); safe in several threads and after fork.
[[nodiscard]] std::shared_ptr<Rng> system_rng();
/// The operating system's clock.
[[nodiscard]] std::shared_ptr<const Clock> system_clock();

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/random.ipp>
#endif
