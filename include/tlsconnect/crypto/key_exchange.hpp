// Ephemeral key exchange: elliptic curves, ML-KEM, and hybrids of the two (RFC 9846, 4.2.8; RFC 10024;
// draft-ietf-tls-mlkem).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/source.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Lengths of what travels for a group, in bytes.
struct GroupLengths {
  std::size_t client_share; ///< what the client sends
  std::size_t server_share; ///< what the server answers
  std::size_t shared_secret;
};
/// Nothing for a group that this library does not implement.
[[nodiscard]] std::optional<GroupLengths> lengths_of(NamedGroup group) noexcept;

/// The shared secret of one exchange; wiped when it goes.
class SharedSecret {
public:
  /// The longest: 48 bytes of secp384r1 and 32 of ML-KEM, or 66 of secp521r1.
  static constexpr std::size_t capacity = 96;
  SharedSecret() = default;
  SharedSecret(const SharedSecret&) = delete;
  SharedSecret& operator=(const SharedSecret&) = delete;
  SharedSecret(SharedSecret&& other) noexcept;
  SharedSecret& operator=(SharedSecret&& other) noexcept;
  ~SharedSecret();
  /// Appends; false when it does not fit.
  [[nodiscard]] bool append(BytesView bytes) noexcept;
  [[nodiscard]] BytesView view() const noexcept { return {bytes_, size_}; }

private:
  std::uint8_t bytes_[capacity] = {};
  std::size_t size_ = 0;
};

/// The client's ephemeral keys for one ClientHello. A hybrid and its elliptic curve, offered together, share the
/// curve's key pair, which RFC 9954, 3.2 allows because the server uses only one of the two.
class KeyExchange {
public:
  /// Makes the key pair for a group. Draws from `rng`: for X25519 the 32 bytes of the private key; for a secp
  /// curve as many bytes as the curve's order has, with the bits above the order's length cleared (seven of
  /// secp521r1's), again while they are not a valid scalar, 16 times at most; for ML-KEM the seeds d and z, 32 bytes
  /// each in one draw of 64. A hybrid draws for its parts in the order in which they stand in the share.
  [[nodiscard]] static Result<KeyExchange> create(NamedGroup group, Rng& rng) noexcept;
  KeyExchange(KeyExchange&&) noexcept;
  KeyExchange& operator=(KeyExchange&&) noexcept;
  ~KeyExchange();

  [[nodiscard]] NamedGroup group() const noexcept;
  /// The client's share, `lengths_of(group()).client_share` bytes; lives as long as this object.
  [[nodiscard]] BytesView client_share() const noexcept;
  /// The part of a hybrid's share that is the elliptic curve's, and its group; nothing for a group that is no
  /// hybrid: a curve, or ML-KEM, by itself.
  [[nodiscard]] std::optional<NamedGroup> component_group() const noexcept;
  [[nodiscard]] BytesView component_share() const noexcept;

  /// The shared secret with the server's share for `group`, which is group() or component_group(). Can be called
  /// once: the keys are gone afterwards, whatever came of it. `group_not_offered` for any other group,
  /// `key_share_invalid` for a wrong length, a point that is not on the curve, or a result of zeros (RFC 9846, 7.4.2).
  [[nodiscard]] Result<SharedSecret> agree(NamedGroup group, BytesView server_share) && noexcept;

private:
  struct Impl;
  explicit KeyExchange(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_exchange.ipp>
#endif
