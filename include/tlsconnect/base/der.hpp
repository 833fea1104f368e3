// DER (X.690), as far as it is taken apart by hand: tags, lengths and times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/config.hpp>
#include <tlsconnect/base/text.hpp>

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
inline constexpr std::uint8_t der_null = 0x05;
inline constexpr std::uint8_t der_oid = 0x06;
inline constexpr std::uint8_t der_enumerated = 0x0A;
inline constexpr std::uint8_t der_utc_time = 0x17;
inline constexpr std::uint8_t der_generalized_time = 0x18;
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

/// Seconds since 1970 of a UTCTime or a GeneralizedTime in the forms that RFC 5280, 4.1.2.5 leaves of them: with seconds,
/// without fractions of them, in UTC. None for anything else, and for dates that the calendar does not have.
[[nodiscard]] inline std::optional<std::int64_t> der_time(const DerItem& item) noexcept {
  const bool two_digits = item.tag == der_utc_time;
  const BytesView text = item.contents;
  if ((!two_digits && item.tag != der_generalized_time) || text.size() != (two_digits ? 13U : 15U) ||
      text.back() != 'Z')
    return std::nullopt;
  for (const std::uint8_t c : text.first(text.size() - 1))
    if (c < '0' || c > '9')
      return std::nullopt;
  const auto field = [text](std::size_t at) { return (text[at] - '0') * 10U + (text[at + 1] - '0'); };
  const std::size_t at = two_digits ? 2 : 4;
  // RFC 5280, 4.1.2.5.1: two digits from 50 on are the twentieth century.
  const unsigned year = two_digits ? field(0) + (field(0) >= 50 ? 1900U : 2000U) : field(0) * 100U + field(2);
  const unsigned month = field(at);
  const unsigned day = field(at + 2);
  if (month < 1 || month > 12 || day < 1 || field(at + 4) > 23 || field(at + 6) > 59 || field(at + 8) > 59)
    return std::nullopt;
  const std::int64_t days = days_since_epoch(year, month, day);
  const std::int64_t next_month = month == 12 ? days_since_epoch(year + 1, 1, 1) : days_since_epoch(year, month + 1, 1);
  if (days >= next_month)
    return std::nullopt;
  return days * 86'400 + field(at + 4) * 3600 + field(at + 6) * 60 + field(at + 8);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
