// Why a call on a transport or a stream did not do what it was asked: the typed WANT_READ and WANT_WRITE.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include <tlsconnect/base/error.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What could let a connection that would block go on; a set.
enum class Interest : std::uint8_t {
  none = 0,
  read = 1,      ///< the transport has something to read
  write = 2,     ///< the transport takes bytes again
  verdict = 4,   ///< the caller has decided on the server's certificate
  signature = 8, ///< the caller has the signature that was asked for
  read_write = 3,
};
[[nodiscard]] constexpr Interest operator|(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr Interest operator&(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}
constexpr Interest& operator|=(Interest& a, Interest b) noexcept { return a = a | b; }
/// Whether all of `wanted` is in the set.
[[nodiscard]] constexpr bool includes(Interest set, Interest wanted) noexcept { return (set & wanted) == wanted; }

/// Why a call stopped: one of four kinds, and there will never be a fifth.
class [[nodiscard]] Halt {
public:
  enum class Kind : std::uint8_t {
    would_block, ///< not an error: wait for `interest()`, then make this call, or any other
    closed,      ///< the peer closed its direction, and proved it (close_notify)
    truncated,   ///< the transport ended without that proof: what came so far may be cut short
    failed,      ///< `error()` says why; the connection will never work again
  };

  /// The caller should wait until one of these is possible.
  [[nodiscard]] static Halt would_block(Interest interest) noexcept {
    Halt halt(Kind::would_block);
    halt.interest_ = interest;
    return halt;
  }
  /// From a transport: its stream ended in the way it ends properly.
  [[nodiscard]] static Halt closed() noexcept { return Halt(Kind::closed); }
  [[nodiscard]] static Halt truncated() noexcept { return Halt(Kind::truncated); }
  [[nodiscard]] static Halt failed(Error error) noexcept {
    Halt halt(Kind::failed);
    halt.error_ = std::move(error);
    return halt;
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_would_block() const noexcept { return kind_ == Kind::would_block; }
  [[nodiscard]] bool is_closed() const noexcept { return kind_ == Kind::closed; }
  [[nodiscard]] bool is_truncated() const noexcept { return kind_ == Kind::truncated; }
  [[nodiscard]] bool is_failed() const noexcept { return kind_ == Kind::failed; }
  /// What to wait for; `none` unless `is_would_block()`.
  [[nodiscard]] Interest interest() const noexcept { return interest_; }
  /// The error; null unless `is_failed()`. Lives as long as this object.
  [[nodiscard]] const Error* error() const noexcept { return error_ ? &*error_ : nullptr; }
  /// One sentence for a person.
  [[nodiscard]] std::string message() const;

private:
  explicit Halt(Kind kind) noexcept : kind_(kind) {}

  Kind kind_;
  Interest interest_ = Interest::none;
  std::optional<Error> error_;
};

/// The outcome of everything that touches a transport.
template <class T = void>
using IoResult = std::expected<T, Halt>;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/halt.ipp>
#endif
