// Certificates in Zstandard's format (RFC 8879; RFC 8878), with libzstd. For who includes it and links with that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <zstd.h>

#include <tlsconnect/client/certificate_decompressor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

class ZstdDecompressor final : public CertificateDecompressor {
public:
  [[nodiscard]] CertificateCompressionAlgorithm algorithm() const noexcept override {
    return CertificateCompressionAlgorithm::zstd;
  }
  [[nodiscard]] bool decompress(BytesView compressed, Bytes out) const noexcept override {
    // RFC 8878, 3.1.1: how a frame begins. The library knows other beginnings too: frames that are skipped, and, as many
    // systems build it, the formats from before the standard, whose decoders nobody should reach from a network.
    constexpr std::array<std::uint8_t, 4> magic{0x28, 0xB5, 0x2F, 0xFD};
    if (compressed.size() < magic.size() || !equal(compressed.first(magic.size()), magic))
      return false;
    // It would go on with a further frame; a certificate is one. An error is a number that no input is as long as.
    if (::ZSTD_findFrameCompressedSize(compressed.data(), compressed.size()) != compressed.size())
      return false;
    const std::size_t written = ::ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size());
    return ::ZSTD_isError(written) == 0 && written == out.size();
  }
};

} // namespace detail

/// Decompresses certificates in Zstandard's format. Takes about 160 KB of memory while it runs, whatever window the
/// frame asks for.
[[nodiscard]] inline std::shared_ptr<const CertificateDecompressor> zstd_decompressor() {
  return std::make_shared<detail::ZstdDecompressor>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
