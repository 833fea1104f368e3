// Base64 (RFC 4648, 4) of what is public: certificates, lists, pins. Private keys go through Botan's, which takes the same
// time whatever it reads; for a store of 150 certificates that time would be most of the loading, and it takes texts that
// stand for nothing ("=Zg=").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each character; 64 for white space, 65 for what is neither.
inline constexpr std::array<std::uint8_t, 256> base64_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(65);
  for (const char c : {' ', '\t', '\r', '\n', '\v', '\f'})
    values[static_cast<unsigned char>(c)] = 64;
  for (std::size_t i = 0; i < base64_digits.size(); ++i)
    values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

/// The bytes; none when there is anything else in the text than whole groups of four, the last of them padded, and white
/// space, or when bits that stand for nothing are set (RFC 4648, 3.5).
[[nodiscard]] inline std::optional<ByteVector> decode_base64(std::string_view text) {
  ByteVector out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  for (const char c : text) {
    const std::uint8_t value = base64_values[static_cast<unsigned char>(c)];
    if (value == 64)
      continue;
    if (c == '=' ? ++padding > 2 || digits < 2 : value == 65 || padding != 0)
      return std::nullopt;
    group = (group << 6) | (c == '=' ? 0U : value);
    if (++digits < 4)
      continue;
    for (unsigned i = 0; i < 3 - padding; ++i)
      out.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * i)));
    if (padding != 0 && (group & (padding == 1 ? 0xFFU : 0xFFFFU)) != 0)
      return std::nullopt;
    group = 0;
    digits = 0;
  }
  if (digits != 0)
    return std::nullopt;
  return out;
}

[[nodiscard]] inline std::string encode_base64(BytesView bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? base64_digits[(group >> (18 - 6 * k)) & 63U] : '=';
  }
  return text;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
