// Reader and Writer: the two archives that walk a message's wire() declaration. Both are sticky: after the first
// problem they do nothing more, and finish() reports it.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/inplace_vector.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A number of the wire: an unsigned integer, or a registry's open enum; big-endian, as wide as its type.
template <class T>
concept WireNumber =
    std::unsigned_integral<T> || (std::is_enum_v<T> && std::unsigned_integral<std::underlying_type_t<T>>);

/// A list of 16-bit code points. Written from a span of values; read as a view of the message, without a copy.
template <WireNumber E>
  requires(sizeof(E) == 2)
class CodeList {
public:
  CodeList() = default;
  explicit CodeList(std::span<const E> values) noexcept : values_(values) {}
  /// `encoded` has an even number of bytes.
  [[nodiscard]] static CodeList of_encoded(BytesView encoded) noexcept {
    CodeList list;
    list.encoded_ = encoded;
    return list;
  }

  [[nodiscard]] std::size_t size() const noexcept { return encoded_.empty() ? values_.size() : encoded_.size() / 2; }
  [[nodiscard]] E operator[](std::size_t index) const noexcept {
    if (encoded_.empty())
      return values_[index];
    return static_cast<E>((encoded_[2 * index] << 8) | encoded_[2 * index + 1]);
  }
  [[nodiscard]] bool contains(E wanted) const noexcept {
    for (std::size_t i = 0; i < size(); ++i)
      if ((*this)[i] == wanted)
        return true;
    return false;
  }

private:
  std::span<const E> values_;
  BytesView encoded_;
};

/// Reads a message. What it yields are views into the message.
class Reader {
public:
  static constexpr bool reading = true;

  explicit Reader(BytesView in) noexcept : left_(in) {}

  template <WireNumber T>
  void number(T& value) noexcept {
    std::uint64_t wide = 0;
    if (big_endian(sizeof(T), wide))
      value = static_cast<T>(wide);
  }
  void number24(std::uint32_t& value) noexcept {
    std::uint64_t wide = 0;
    if (big_endian(3, wide))
      value = static_cast<std::uint32_t>(wide);
  }
  template <std::size_t N>
  void fixed(std::array<std::uint8_t, N>& value) noexcept {
    const BytesView bytes = take(N);
    if (bytes.size() == N)
      copy_bytes(bytes, value);
  }
  /// opaque field<min..max> with a length of 1, 2 or 3 bytes.
  void opaque8(BytesView& value, std::size_t min, std::size_t max) noexcept { opaque(1, value, min, max); }
  void opaque16(BytesView& value, std::size_t min, std::size_t max) noexcept { opaque(2, value, min, max); }
  void opaque24(BytesView& value, std::size_t min, std::size_t max) noexcept { opaque(3, value, min, max); }
  /// A field that older versions leave out: absent when the message ends before it.
  void optional16(std::optional<BytesView>& value) noexcept {
    value.reset();
    if (failed() || left_.empty())
      return;
    BytesView bytes;
    opaque16(bytes, 0, 0xFFFF);
    value = bytes;
  }
  /// All that is left.
  void rest(BytesView& value) noexcept { value = take(left_.size()); }

  /// A list of code points with a length of 1 or 2 bytes; at least `min_count` of them.
  template <class E>
  void codes8(CodeList<E>& list, std::size_t min_count) noexcept {
    codes(1, list, min_count);
  }
  template <class E>
  void codes16(CodeList<E>& list, std::size_t min_count) noexcept {
    codes(2, list, min_count);
  }
  /// A list of structures, each walked by `element(archive, item)`. `too_many` is the error for more than N.
  template <class T, std::size_t N, class Element>
  void list16(InplaceVector<T, N>& items, ErrorCode too_many, Element&& element) noexcept {
    list(2, items, too_many, element);
  }
  template <class T, std::size_t N, class Element>
  void list24(InplaceVector<T, N>& items, ErrorCode too_many, Element&& element) noexcept {
    list(3, items, too_many, element);
  }

  /// For what only the message's own declaration can know to be wrong.
  void refuse(ErrorCode code) noexcept {
    if (!failed_)
      problem_ = code;
    failed_ = true;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
  /// The only way out: the first problem, or trailing bytes, or success.
  [[nodiscard]] Result<> finish(std::string_view where) const noexcept {
    if (failed_)
      return fail(problem_, where);
    if (!left_.empty())
      return fail(ErrorCode::message_trailing_bytes, where);
    return {};
  }

private:
  BytesView take(std::size_t count) noexcept {
    if (failed())
      return {};
    if (count > left_.size()) {
      refuse(ErrorCode::message_truncated);
      return {};
    }
    const BytesView bytes = left_.first(count);
    left_ = left_.subspan(count);
    return bytes;
  }
  bool big_endian(std::size_t width, std::uint64_t& value) noexcept {
    const BytesView bytes = take(width);
    if (bytes.size() != width)
      return false;
    for (const std::uint8_t byte : bytes)
      value = (value << 8) | byte;
    return true;
  }
  void opaque(std::size_t width, BytesView& value, std::size_t min, std::size_t max) noexcept {
    std::uint64_t length = 0;
    if (!big_endian(width, length))
      return;
    if (length < min || length > max)
      return refuse(ErrorCode::field_out_of_range);
    value = take(static_cast<std::size_t>(length));
  }
  template <class E>
  void codes(std::size_t width, CodeList<E>& list, std::size_t min_count) noexcept {
    BytesView bytes;
    opaque(width, bytes, 2 * min_count, 0xFFFF);
    if (bytes.size() % 2 != 0)
      refuse(ErrorCode::field_out_of_range);
    if (!failed())
      list = CodeList<E>::of_encoded(bytes);
  }
  template <class T, std::size_t N, class Element>
  void list(std::size_t width, InplaceVector<T, N>& items, ErrorCode too_many, Element& element) noexcept {
    BytesView bytes;
    opaque(width, bytes, 0, 0xFF'FFFF);
    Reader inner(bytes);
    while (!inner.empty() && !inner.failed()) {
      T item{};
      element(inner, item);
      if (!inner.failed() && !items.push_back(item))
        inner.refuse(too_many);
    }
    if (inner.failed_)
      refuse(inner.problem_);
  }

  BytesView left_;
  ErrorCode problem_{}; // the first, when failed_
  bool failed_ = false;
};

/// Writes a message at the end of a vector. A field that does not fit its length is reported by finish(). May throw
/// std::bad_alloc, which the engine turns into an error.
class Writer {
public:
  static constexpr bool reading = false;

  explicit Writer(ByteVector& out) noexcept : out_(&out) {}

  template <WireNumber T>
  void number(const T& value) {
    big_endian(sizeof(T), static_cast<std::uint64_t>(value));
  }
  void number24(const std::uint32_t& value) { big_endian(3, value); }
  template <std::size_t N>
  void fixed(const std::array<std::uint8_t, N>& value) {
    raw(value);
  }
  void opaque8(const BytesView& value, std::size_t min, std::size_t max) { opaque(1, value, min, max); }
  void opaque16(const BytesView& value, std::size_t min, std::size_t max) { opaque(2, value, min, max); }
  void opaque24(const BytesView& value, std::size_t min, std::size_t max) { opaque(3, value, min, max); }
  void optional16(const std::optional<BytesView>& value) {
    if (value)
      opaque16(*value, 0, 0xFFFF);
  }
  void rest(const BytesView& value) { raw(value); }
  template <class E>
  void codes8(const CodeList<E>& list, std::size_t min_count) {
    codes(1, list, min_count);
  }
  template <class E>
  void codes16(const CodeList<E>& list, std::size_t min_count) {
    codes(2, list, min_count);
  }
  template <class T, std::size_t N, class Element>
  void list16(const InplaceVector<T, N>& items, ErrorCode, Element&& element) {
    prefixed(2, [&] {
      for (const T& item : items)
        element(*this, item);
    });
  }
  template <class T, std::size_t N, class Element>
  void list24(const InplaceVector<T, N>& items, ErrorCode, Element&& element) {
    prefixed(3, [&] {
      for (const T& item : items)
        element(*this, item);
    });
  }

  /// What `body` writes, behind its length in `width` bytes.
  template <class Body>
  void prefixed(std::size_t width, Body&& body) {
    const std::size_t start = out_->size();
    big_endian(width, 0);
    body();
    std::uint64_t length = out_->size() - start - width;
    if (length >> (8 * width))
      refuse(ErrorCode::field_out_of_range);
    for (std::size_t i = width; i > 0; --i, length >>= 8)
      (*out_)[start + i - 1] = static_cast<std::uint8_t>(length);
  }
  void raw(BytesView bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }
  void refuse(ErrorCode code) noexcept {
    if (!failed_)
      problem_ = code;
    failed_ = true;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] Result<> finish(std::string_view where) const noexcept {
    if (failed_)
      return fail(problem_, where);
    return {};
  }

private:
  void big_endian(std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i > 0; --i)
      out_->push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
  void opaque(std::size_t width, BytesView value, std::size_t min, std::size_t max) {
    if (value.size() < min || value.size() > max)
      refuse(ErrorCode::field_out_of_range);
    prefixed(width, [&] { raw(value); });
  }
  template <class E>
  void codes(std::size_t width, const CodeList<E>& list, std::size_t min_count) {
    if (list.size() < min_count)
      refuse(ErrorCode::field_out_of_range);
    prefixed(width, [&] {
      for (std::size_t i = 0; i < list.size(); ++i)
        number(list[i]);
    });
  }

  ByteVector* out_;
  ErrorCode problem_{}; // the first, when failed_
  bool failed_ = false;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
