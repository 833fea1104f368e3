// Text for messages: dates, names that come from somebody else, and the blocks of PEM files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

/// Days between 1970-01-01 and a date of the Gregorian calendar.
[[nodiscard]] constexpr std::int64_t days_since_epoch(std::int64_t year, unsigned month, unsigned day) noexcept {
  // Years that begin in March have their leap day at the end, and 400 of them always last 146097 days.
  const std::int64_t shifted = month <= 2 ? year - 1 : year;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const std::int64_t year_of_era = shifted - era * 400;
  const std::int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468; // 1970-01-01 is that many days after 0000-03-01
}

/// Seconds since 1970 as "2026-11-22T15:44:19Z".
[[nodiscard]] inline std::string iso8601(std::int64_t unix_time) {
  std::int64_t days = unix_time / 86'400;
  std::int64_t second = unix_time % 86'400;
  if (second < 0) {
    second += 86'400;
    --days;
  }
  // From the average length of a year, then corrected: never more than a step or two off.
  std::int64_t year = 1970 + days * 400 / 146'097;
  while (days_since_epoch(year, 1, 1) > days)
    --year;
  while (days_since_epoch(year + 1, 1, 1) <= days)
    ++year;
  unsigned month = 12;
  while (days_since_epoch(year, month, 1) > days)
    --month;
  const std::int64_t day = days - days_since_epoch(year, month, 1) + 1;

  std::string text;
  const auto append = [&text](std::int64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    text.append(digits.size() < width ? width - digits.size() : 0, '0').append(digits);
  };
  append(year, 4);
  text += '-';
  append(month, 2);
  text += '-';
  append(day, 2);
  text += 'T';
  append(second / 3600, 2);
  text += ':';
  append(second / 60 % 60, 2);
  text += ':';
  append(second % 60, 2);
  text += 'Z';
  return text;
}

/// What somebody else wrote, made safe for a log or a terminal: control characters, text direction marks, backslashes
/// and bytes that are not UTF-8 become \xNN; at most `limit` bytes of the original are shown.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t limit = 256) {
  const auto unit = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  std::string out;
  std::size_t i = 0;
  while (i < text.size() && i < limit) {
    const unsigned lead = unit(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    bool shown = length != 0 && i + length <= text.size();
    std::uint32_t point = length == 1 ? lead : length == 0 ? 0 : lead & (0x7FU >> length);
    for (std::size_t k = 1; shown && k < length; ++k) {
      shown = (unit(i + k) & 0xC0U) == 0x80;
      point = (point << 6) | (unit(i + k) & 0x3FU);
    }
    if (shown) {
      const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
      const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0) || point == '\\';
      const bool invisible = (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
                             (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF;
      const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
      shown = !overlong && !control && !invisible && !surrogate && point <= 0x10FFFF;
    }
    if (shown) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("\\x").append(1, digits[lead >> 4]).append(1, digits[lead & 15U]);
      ++i;
    }
  }
  if (i < text.size())
    out.append("...");
  return out;
}

/// One block of a PEM text (RFC 7468).
struct PemBlock {
  std::string_view label;
  std::string_view body;  ///< what stands between the two lines
  std::string_view whole; ///< with both lines
  bool complete = false;  ///< whether the END line with the same label is there
};

/// The next block of `rest`, which then begins behind it; none when there is no further one.
[[nodiscard]] inline std::optional<PemBlock> next_pem_block(std::string_view& rest) noexcept {
  constexpr std::string_view begin = "-----BEGIN ";
  constexpr std::string_view dashes = "-----";
  for (;;) {
    const std::size_t start = rest.find(begin);
    if (start == std::string_view::npos)
      return std::nullopt;
    const std::string_view text = rest.substr(start);
    const std::size_t label_end = text.find(dashes, begin.size());
    if (label_end == std::string_view::npos)
      return std::nullopt;
    PemBlock block;
    block.label = text.substr(begin.size(), label_end - begin.size());
    const std::size_t body_start = label_end + dashes.size();
    if (block.label.find('\n') != std::string_view::npos) { // that line was no BEGIN line
      rest = text.substr(begin.size());
      continue;
    }
    // The body ends at the next dashes; if those are not this block's END line, the block is damaged and the search
    // goes on from there, so that one damaged block does not swallow the good one after it.
    const std::size_t end = text.find(dashes, body_start);
    if (end == std::string_view::npos) {
      block.body = text.substr(body_start);
      block.whole = text;
      rest = {};
      return block;
    }
    block.body = text.substr(body_start, end - body_start);
    std::string_view tail = text.substr(end);
    std::size_t consumed = end;
    if (tail.starts_with("-----END ")) {
      tail.remove_prefix(9);
      consumed += 9;
      if (tail.starts_with(block.label) && tail.substr(block.label.size()).starts_with(dashes)) {
        consumed += block.label.size() + dashes.size();
        block.complete = true;
      }
    }
    block.whole = text.substr(0, consumed);
    rest = text.substr(consumed);
    return block;
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
