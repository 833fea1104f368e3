// Early data: what a caller allows to be sent twice.
#pragma once

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Bytes that do no harm when the server receives them more than once. Early data (RFC 9846, 2.3 and 8) goes out before
/// the server has said a word: whoever records it can send it again, to the same server or to another of the same name,
/// and it has no forward secrecy. A GET request that changes nothing is safe; an order is not. Only `replay_safe` makes
/// one, so that the promise stands in the program. A view: the bytes are copied when a connection is made from it.
class [[nodiscard]] ReplaySafe {
public:
  ReplaySafe() = default;
  [[nodiscard]] BytesView bytes() const noexcept { return bytes_; }

private:
  friend ReplaySafe replay_safe(BytesView bytes) noexcept;
  explicit ReplaySafe(BytesView bytes) noexcept : bytes_(bytes) {}
  BytesView bytes_;
};

/// The caller's promise that these bytes may arrive more than once.
[[nodiscard]] inline ReplaySafe replay_safe(BytesView bytes) noexcept { return ReplaySafe(bytes); }

} // namespace tlsconnect::inline TLSCONNECT_ABI
