// The server's name: whom the connection must reach.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A DNS name or an IP address, checked once. The same value goes into server_name (DNS names only: RFC 6066, 3)
/// and is compared with the certificate (RFC 9525), so the two cannot disagree.
class ServerName {
public:
  enum class Kind : std::uint8_t { dns, ipv4, ipv6 };

  /// Takes "example.com", "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". A DNS name is lowercased and loses one
  /// trailing dot; it must be in A-label form (ASCII letters, digits, hyphens and underscores; labels of 1 to 63
  /// bytes; 253 bytes in all; the last label not all digits). Anything else is `server_name_invalid`, with the
  /// reason.
  [[nodiscard]] static Result<ServerName> parse(std::string_view text) noexcept;

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_dns() const noexcept { return kind_ == Kind::dns; }
  /// The canonical text: lowercase, without trailing dot and brackets.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// 4 or 16 bytes of an address; empty for a DNS name.
  [[nodiscard]] BytesView address() const noexcept { return {address_, address_size_}; }

private:
  ServerName() = default;
  std::string text_;
  std::uint8_t address_[16] = {};
  std::uint8_t address_size_ = 0;
  Kind kind_ = Kind::dns;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/server_name.ipp>
#endif
