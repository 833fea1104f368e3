// DER (X.690), as far as it is taken apart by hand: tags and lengths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

/// One DER value.
struct DerItem {
  std::uint8_t tag;   ///< the identifier: class, form and number in one byte
  BytesView contents; ///< what the length covers
  BytesView whole;    ///< with tag and length
};

inline constexpr std::uint8_t der_boolean = 0x01;
inline constexpr std::uint8_t der_integer = 0x02;
inline constexpr std::uint8_t der_bit_string = 0x03;
inline constexpr std::uint8_t der_octet_string = 0x04;
inline constexpr std::uint8_t der_oid = 0x06;
inline constexpr std::uint8_t der_sequence = 0x30;
inline constexpr std::uint8_t der_context_0 = 0x80; ///< [0] IMPLICIT, primitive

/// The value at the front of `rest`, which then begins behind it; none, and no change, when its tag has a number above
/// 30, its length is not in the shortest form or not definite, or bytes are missing.
[[nodiscard]] inline std::optional<DerItem> next_der(BytesView& rest) noexcept {
  if (rest.size() < 2 || (rest[0] & 0x1FU) == 0x1F)
    return std::nullopt;
  std::size_t length = rest[1];
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7FU;
    if (count == 0 || count > 4 || rest.size() < 2 + count || rest[2] == 0)
      return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i)
      length = (length << 8) | rest[2 + i];
    if (length < 0x80)
      return std::nullopt;
    header += count;
  }
  if (rest.size() - header < length)
    return std::nullopt;
  const DerItem item{rest[0], rest.subspan(header, length), rest.first(header + length)};
  rest = rest.subspan(header + length);
  return item;
}

/// The only value of `der`: with this tag, and nothing behind it.
[[nodiscard]] inline std::optional<DerItem> only_der(BytesView der, std::uint8_t tag) noexcept {
  const std::optional<DerItem> item = next_der(der);
  return item && item->tag == tag && der.empty() ? item : std::nullopt;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
