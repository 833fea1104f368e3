// Telling DNS names and IP addresses apart, strictly.
#pragma once

#include <array>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <tlsconnect/client/server_name.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Four decimal numbers of at most 255 without leading zeros (which some read as octal).
inline std::optional<std::array<std::uint8_t, 4>> parse_ipv4(std::string_view text) noexcept {
  std::array<std::uint8_t, 4> address{};
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (i > 0) {
      if (!text.starts_with('.'))
        return std::nullopt;
      text.remove_prefix(1);
    }
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9')
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[0] == '0'))
      return std::nullopt;
    address[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
  }
  if (!text.empty())
    return std::nullopt;
  return address;
}

/// RFC 4291, 2.2: groups of up to four hexadecimal digits, one "::" for zeros, the last four bytes perhaps as IPv4.
inline std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text) noexcept {
  std::array<std::uint8_t, 16> address{};
  std::size_t size = 0;           // bytes read so far
  std::optional<std::size_t> gap; // where "::" stands, in bytes
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (size == address.size())
      return std::nullopt;
    std::size_t digits = 0;
    unsigned value = 0;
    for (; digits < text.size() && digits < 4; ++digits) {
      const char c = text[digits];
      unsigned digit = 0;
      if (c >= '0' && c <= '9')
        digit = static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f')
        digit = static_cast<unsigned>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'F')
        digit = static_cast<unsigned>(c - 'A') + 10;
      else
        break;
      value = value * 16 + digit;
    }
    if (digits == 0)
      return std::nullopt;
    if (digits < text.size() && text[digits] == '.') {
      const auto tail = parse_ipv4(text);
      if (!tail || size + 4 > address.size())
        return std::nullopt;
      for (const std::uint8_t byte : *tail)
        address[size++] = byte;
      text = {};
      break;
    }
    address[size++] = static_cast<std::uint8_t>(value >> 8);
    address[size++] = static_cast<std::uint8_t>(value & 0xFF);
    text.remove_prefix(digits);
    if (text.empty())
      break;
    if (!text.starts_with(':'))
      return std::nullopt;
    text.remove_prefix(1);
    if (text.empty())
      return std::nullopt; // a single colon at the end
    if (text.starts_with(':')) {
      if (gap)
        return std::nullopt;
      gap = size;
      text.remove_prefix(1);
    }
  }
  if (gap.has_value() == (size == address.size()))
    return std::nullopt; // all groups and a "::" as well, or neither
  if (gap) {
    std::array<std::uint8_t, 16> spread{};
    for (std::size_t i = 0; i < *gap; ++i)
      spread[i] = address[i];
    for (std::size_t i = *gap; i < size; ++i)
      spread[spread.size() - size + i] = address[i];
    return spread;
  }
  return address;
}

/// RFC 5952: lowercase, no leading zeros, the longest run of at least two zero groups as "::".
inline std::string format_ipv6(const std::uint8_t (&address)[16]) {
  std::size_t run_start = 8;
  std::size_t run_length = 1;
  const auto group = [&address](std::size_t i) {
    return static_cast<unsigned>(address[2 * i] << 8 | address[2 * i + 1]);
  };
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && group(i + length) == 0)
      ++length;
    if (length > run_length) {
      run_start = i;
      run_length = length;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':'))
      text += ':';
    constexpr std::string_view digits = "0123456789abcdef";
    bool leading = true;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = group(i) >> shift & 0xFU;
      leading = leading && digit == 0 && shift != 0;
      if (!leading)
        text += digits[digit];
    }
  }
  return text;
}

/// Why a lowercase text without trailing dot is not a DNS name; null when it is one.
inline const char* dns_name_fault(std::string_view name) noexcept {
  if (name.empty())
    return "it is empty";
  if (name.size() > 253)
    return "it is longer than 253 bytes";
  bool digits_only = true; // of the label that is being looked at; of the last one in the end
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0)
        return "it has an empty label";
      label = 0;
      digits_only = true;
      continue;
    }
    const bool digit = c >= '0' && c <= '9';
    if ((static_cast<unsigned char>(c) & 0x80U) != 0)
      return "it has characters outside of ASCII: give its A-label form (xn--...)";
    if (!digit && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
      return "a DNS name has letters, digits, hyphens and underscores";
    digits_only = digits_only && digit;
    if (++label > 63)
      return "it has a label longer than 63 bytes";
  }
  if (label == 0)
    return "it has an empty label";
  // RFC 1123, 2.1: what ends in a number is an IPv4 address, and this one was none.
  return digits_only ? "its last label has digits only, but it is not an IPv4 address" : nullptr;
}

} // namespace detail

TLSCONNECT_DECL Result<ServerName> ServerName::parse(std::string_view text) noexcept {
  try {
    const auto refuse = [text](const char* why) {
      std::string shown;
      for (const char c : text.substr(0, 260))
        shown += c > ' ' && c < '\x7f' ? c : '?';
      return fail(ErrorCode::server_name_invalid, {}, "\"" + shown + "\": " + why);
    };
    ServerName name;
    if (const auto ipv4 = detail::parse_ipv4(text)) {
      name.kind_ = Kind::ipv4;
      name.address_size_ = 4;
      copy_bytes(*ipv4, name.address_);
      name.text_ = text;
      return name;
    }
    if (text.find(':') != std::string_view::npos || text.starts_with('[')) {
      std::string_view inner = text;
      if (inner.starts_with('[') && inner.ends_with(']'))
        inner = inner.substr(1, inner.size() - 2);
      const auto ipv6 = detail::parse_ipv6(inner);
      if (!ipv6)
        return refuse("it is not an IPv6 address, and a server name has no port, no zone and no scheme");
      name.kind_ = Kind::ipv6;
      name.address_size_ = 16;
      copy_bytes(*ipv6, name.address_);
      name.text_ = detail::format_ipv6(name.address_);
      return name;
    }
    std::string_view dns = text;
    if (dns.ends_with('.'))
      dns.remove_suffix(1);
    for (const char c : dns.substr(0, 254))
      name.text_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (const char* fault = detail::dns_name_fault(name.text_))
      return refuse(fault);
    return name;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
