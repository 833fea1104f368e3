// RFC 9525: which names a certificate covers.
#pragma once

#include <algorithm>
#include <string_view>

#include <tlsconnect/verify/name_match.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Labels of 1 to 63 letters, digits, hyphens and underscores, 253 bytes in all, no dot at the end: the only names
/// that can match. What does not look like that (embedded zero bytes, empty labels, other scripts) never does.
inline bool is_plain_dns_name(std::string_view name) noexcept {
  if (name.size() > 253)
    return false;
  std::size_t label = 0; // an empty name ends with an empty label
  for (const char c : name) {
    if (c == '.') {
      if (label == 0)
        return false;
      label = 0;
      continue;
    }
    const char lower = ascii_lower(c);
    if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
      return false;
    if (++label > 63)
      return false;
  }
  return label != 0;
}

} // namespace detail

TLSCONNECT_DECL bool dns_name_matches(std::string_view presented, std::string_view wanted) noexcept {
  if (!detail::is_plain_dns_name(wanted))
    return false;
  // RFC 9525, 6.3: a wildcard is the whole left-most label and nothing else; a "*" anywhere else equals
  // nothing. It stands for exactly one label.
  if (presented.starts_with("*.")) {
    presented.remove_prefix(2);
    // "*.com" would cover every domain below it: two more labels are needed.
    if (presented.find('.') == std::string_view::npos)
      return false;
    const std::size_t dot = wanted.find('.');
    if (dot == std::string_view::npos)
      return false;
    wanted.remove_prefix(dot + 1);
  }
  // RFC 9525, 6.3 and RFC 4343: ASCII letters compare without case. What is wanted is well-formed, so what equals it is.
  return std::equal(presented.begin(), presented.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return detail::ascii_lower(a) == detail::ascii_lower(b); });
}

TLSCONNECT_DECL bool certificate_matches(const Certificate& certificate, const ServerName& name) noexcept {
  // RFC 9525, 6.1: names are compared with dNSName, addresses with iPAddress, and never across. A common name is no
  // name of a server (RFC 9525, 2), so nothing here looks at it.
  if (name.is_dns()) {
    for (const std::string& presented : certificate.dns_names())
      if (dns_name_matches(presented, name.text()))
        return true;
    return false;
  }
  // RFC 9525, 6.2 and 6.5: byte for byte; the length tells IPv4 from IPv6.
  for (const AddressBytes& presented : certificate.ip_addresses())
    if (equal(presented, name.address()))
      return true;
  return false;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
