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
  /// There is early data, or there will be.
  [[nodiscard]] bool promised() const noexcept { return later_ || !bytes_.empty(); }

private:
  friend ReplaySafe replay_safe(BytesView bytes) noexcept;
  friend ReplaySafe replay_safe_later() noexcept;
  explicit ReplaySafe(BytesView bytes, bool later = false) noexcept : bytes_(bytes), later_(later) {}
  BytesView bytes_;
  bool later_ = false;
};

/// The caller's promise that these bytes may arrive more than once.
[[nodiscard]] inline ReplaySafe replay_safe(BytesView bytes) noexcept { return ReplaySafe(bytes); }

/// No bytes yet, but early data is offered to the server, and the caller will add some (Connector::add_early_data).
[[nodiscard]] inline ReplaySafe replay_safe_later() noexcept { return ReplaySafe({}, true); }

} // namespace tlsconnect::inline TLSCONNECT_ABI
