// The door through which compressed certificates are decompressed (RFC 8879).
#pragma once

#include <cstdint>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// RFC 8879, 7.3
enum class CertificateCompressionAlgorithm : std::uint16_t {
  zlib = 1,
  brotli = 2,
  zstd = 3,
};

/// The registry's name, or "unknown".
[[nodiscard]] constexpr std::string_view name_of(CertificateCompressionAlgorithm algorithm) noexcept {
  switch (algorithm) {
  case CertificateCompressionAlgorithm::zlib:
    return "zlib";
  case CertificateCompressionAlgorithm::brotli:
    return "brotli";
  case CertificateCompressionAlgorithm::zstd:
    return "zstd";
  }
  return "unknown";
}

/// Decompresses certificates that came in one way of compressing them. Connections share it, so it must be safe in
/// several threads.
class CertificateDecompressor {
public:
  CertificateDecompressor() = default;
  CertificateDecompressor(const CertificateDecompressor&) = delete;
  CertificateDecompressor& operator=(const CertificateDecompressor&) = delete;
  virtual ~CertificateDecompressor() = default;

  /// What it decompresses; the same at each call.
  [[nodiscard]] virtual CertificateCompressionAlgorithm algorithm() const noexcept = 0;
  /// Decompresses all of `compressed` into `out`, whose size is the uncompressed length that the server stated and the
  /// caller found acceptable (RFC 8879, 4). True only if that gives exactly as many bytes, and the input ends where the
  /// compressed data do. `compressed` comes from anybody: nothing may be written beyond `out`, however much there is
  /// to decompress. What `out` holds after a failure is of no account.
  [[nodiscard]] virtual bool decompress(BytesView compressed, Bytes out) const noexcept = 0;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
