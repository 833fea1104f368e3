// A vector whose elements stand inside it: no heap, a fixed capacity.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// At most N values of a small copyable type. Appending to a full one is refused, never undefined.
template <class T, std::size_t N>
class InplaceVector {
public:
  constexpr InplaceVector() = default;
  /// The first N of the values.
  constexpr InplaceVector(std::initializer_list<T> values) {
    for (const T& value : values)
      (void)push_back(value);
  }

  /// False, and no change, when N values are in already.
  [[nodiscard]] constexpr bool push_back(const T& value) {
    if (size_ == N)
      return false;
    values_[size_++] = value;
    return true;
  }
  /// False, and no change, when they do not all fit.
  [[nodiscard]] constexpr bool assign(std::span<const T> values) {
    if (values.size() > N)
      return false;
    size_ = 0;
    for (const T& value : values)
      values_[size_++] = value;
    return true;
  }
  constexpr void clear() noexcept { size_ = 0; }

  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }
  [[nodiscard]] constexpr const T* data() const noexcept { return values_.data(); }
  [[nodiscard]] constexpr const T* begin() const noexcept { return values_.data(); }
  [[nodiscard]] constexpr const T* end() const noexcept { return values_.data() + size_; }
  [[nodiscard]] constexpr const T& operator[](std::size_t index) const noexcept { return values_[index]; }
  [[nodiscard]] constexpr std::span<const T> view() const noexcept { return {values_.data(), size_}; }
  [[nodiscard]] constexpr bool contains(const T& wanted) const noexcept {
    for (const T& value : view())
      if (value == wanted)
        return true;
    return false;
  }

  friend constexpr bool operator==(const InplaceVector& a, const InplaceVector& b) noexcept {
    if (a.size_ != b.size_)
      return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.values_[i] == b.values_[i]))
        return false;
    return true;
  }

private:
  std::array<T, N> values_{};
  std::size_t size_ = 0;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
