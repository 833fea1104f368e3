// The parts of an https URL that a client needs.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace example {

struct Endpoint {
  std::string host; ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

/// "host", "host:port", "[2001:db8::1]:port".
inline std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  Endpoint out{{}, default_port};
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    out.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (!rest.empty()) {
    const char* last = rest.data() + rest.size();
    const auto [end, error] = std::from_chars(rest.data() + 1, last, out.port);
    if (rest.front() != ':' || error != std::errc() || end != last || out.port == 0)
      return std::nullopt;
  }
  if (out.host.empty())
    return std::nullopt;
  return out;
}

struct Url {
  std::string host;
  std::uint16_t port = 443;
  std::string target;    ///< path and query: what follows GET
  std::string authority; ///< for the Host header
};

/// Takes "https://host[:port][/path][?query]"; no user name, and nothing that could end a line of the request.
inline std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme))
    return std::nullopt;
  for (const char letter : text)
    if (static_cast<unsigned char>(letter) <= 0x20U || static_cast<unsigned char>(letter) >= 0x7FU)
      return std::nullopt;
  text.remove_prefix(scheme.size());
  text = text.substr(0, text.find('#'));
  const std::size_t end = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return std::nullopt;
  const auto endpoint = parse_endpoint(authority, 443);
  if (!endpoint)
    return std::nullopt;
  Url url{endpoint->host, endpoint->port, {}, std::string(authority)};
  const std::string_view target = end == std::string_view::npos ? std::string_view() : text.substr(end);
  if (!target.starts_with('/'))
    url.target = "/";
  url.target.append(target);
  return url;
}

/// Where to connect for it: to that "host:port", or to where the URL says.
inline std::optional<Endpoint> parse_target(const std::string& instead, const Url& url) {
  return instead.empty() ? std::optional(Endpoint{url.host, url.port}) : parse_endpoint(instead, url.port);
}

/// The request for it, on a connection that carries nothing else.
inline std::string get_request(const Url& url) {
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
         "\r\nUser-Agent: tlsconnect-example\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

} // namespace example
