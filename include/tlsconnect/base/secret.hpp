// Secrets: in place, never copied, wiped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Overwrites memory with zeros in a way that the optimiser may not leave out.
inline void wipe(void* data, std::size_t size) noexcept {
  if (size == 0)
    return;
  std::memset(data, 0, size);
  // The compiler must assume that the assembly reads the memory, so the store above is not dead.
  __asm__ __volatile__("" : : "r"(data) : "memory");
}
inline void wipe(Bytes bytes) noexcept { wipe(bytes.data(), bytes.size()); }

/// Whether two views hold the same bytes, in a time that depends on their lengths alone.
[[nodiscard]] inline bool equal_constant_time(BytesView a, BytesView b) noexcept {
  if (a.size() != b.size())
    return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    // Keeps the loop from being turned into one that stops early.
    __asm__ __volatile__("" : "+r"(difference));
  }
  return difference == 0;
}

/// At most `Capacity` secret bytes (the longest hash output in use is 48). `Tag` names what the secret is, so that one
/// cannot be passed for another. Moving wipes the source; destruction wipes; copying does not compile.
template <class Tag, std::size_t Capacity = 64>
class Secret {
public:
  static constexpr std::size_t capacity = Capacity;

  Secret() = default;
  /// A secret of `size` zero bytes, to be written through `bytes()`. More than `capacity` gives an empty one.
  explicit Secret(std::size_t size) noexcept : size_(size <= capacity ? static_cast<Size>(size) : Size{0}) {}
  /// Takes a copy of the bytes. More than `capacity` gives an empty secret.
  explicit Secret(BytesView bytes) noexcept : Secret(bytes.size()) {
    if (size_ == bytes.size())
      copy_bytes(bytes, this->bytes());
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : size_(other.size_) {
    copy_bytes(other.view(), bytes());
    other.clear();
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      clear();
      size_ = other.size_;
      copy_bytes(other.view(), bytes());
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  [[nodiscard]] BytesView view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] Bytes bytes() noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  void clear() noexcept {
    wipe(bytes_.data(), bytes_.size());
    size_ = 0;
  }

private:
  using Size = std::conditional_t<(Capacity < 256), std::uint8_t, std::uint16_t>;
  std::array<std::uint8_t, capacity> bytes_{};
  Size size_ = 0;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
