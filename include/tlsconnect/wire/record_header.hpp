// The five bytes in front of every record (RFC 9846, 5.1).
#pragma once

#include <array>
#include <cstdint>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// struct {
///   ContentType type;
///   ProtocolVersion legacy_record_version;
///   uint16 length;
/// }
struct RecordHeader {
  static constexpr std::size_t size = 5;

  ContentType type = ContentType::invalid;
  /// 0x0303, but 0x0301 for an initial ClientHello; ignored when received (RFC 9846, 5.1).
  std::uint16_t legacy_version = 0x0303;
  std::uint16_t length = 0;

  [[nodiscard]] static RecordHeader parse(std::span<const std::uint8_t, size> in) noexcept {
    return {static_cast<ContentType>(in[0]), static_cast<std::uint16_t>((in[1] << 8) | in[2]),
            static_cast<std::uint16_t>((in[3] << 8) | in[4])};
  }
  [[nodiscard]] std::array<std::uint8_t, size> bytes() const noexcept {
    return {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(legacy_version >> 8),
            static_cast<std::uint8_t>(legacy_version), static_cast<std::uint8_t>(length >> 8),
            static_cast<std::uint8_t>(length)};
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
