// Views of bytes, and the few helpers that everything else shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Bytes that may be written to; not owned.
using Bytes = std::span<std::uint8_t>;
/// Bytes that may only be read; not owned.
using BytesView = std::span<const std::uint8_t>;
/// Bytes that are owned, of any number.
using ByteVector = std::vector<std::uint8_t>;

/// The bytes of a text, without a terminating zero.
[[nodiscard]] inline BytesView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Bytes seen as text; whatever they contain.
[[nodiscard]] inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether two views hold the same bytes. Not for secrets: it stops at the first difference.
[[nodiscard]] inline bool equal(BytesView a, BytesView b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// Copies `from` to the front of `to`, which must be at least as long.
inline void copy_bytes(BytesView from, Bytes to) noexcept {
  // first() is where a library with assertions sees that it is. It also keeps GCC 14 from following a size that no
  // span has, and warning about it.
  if (!from.empty())
    std::memcpy(to.first(from.size()).data(), from.data(), from.size());
}

/// Owned copy of a view.
[[nodiscard]] inline ByteVector to_vector(BytesView bytes) { return {bytes.begin(), bytes.end()}; }

} // namespace tlsconnect::inline TLSCONNECT_ABI
