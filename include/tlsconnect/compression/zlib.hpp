// Certificates in zlib's format (RFC 8879; RFC 1950), with zlib. For who includes it and links with zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <zlib.h>

#include <tlsconnect/client/certificate_decompressor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

class ZlibDecompressor final : public CertificateDecompressor {
public:
  [[nodiscard]] CertificateCompressionAlgorithm algorithm() const noexcept override {
    return CertificateCompressionAlgorithm::zlib;
  }
  [[nodiscard]] bool decompress(BytesView compressed, Bytes out) const noexcept override {
    // RFC 8879, 4: both lengths are numbers of three bytes, which zlib's own type can always hold.
    constexpr std::size_t longest = 0xFF'FFFF;
    if (compressed.size() > longest || out.size() > longest)
      return false;
    // Given no room at all, zlib would put a first byte elsewhere and not tell.
    std::uint8_t spare = 0;
    const Bytes room = out.empty() ? Bytes(&spare, 1) : out;
    auto written = static_cast<uLongf>(room.size());
    auto read = static_cast<uLong>(compressed.size());
    // It succeeds at the end of the stream only, with its checksum verified, and then tells where in the input that
    // end was.
    return ::uncompress2(room.data(), &written, compressed.data(), &read) == Z_OK && written == out.size() &&
           read == compressed.size();
  }
};

} // namespace detail

/// Decompresses certificates in zlib's format. Takes about 40 KB of memory while it runs.
[[nodiscard]] inline std::shared_ptr<const CertificateDecompressor> zlib_decompressor() {
  return std::make_shared<detail::ZlibDecompressor>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
