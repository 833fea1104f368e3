// Certificates in brotli's format (RFC 8879; RFC 7932), with libbrotlidec. For who includes it and links with that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <brotli/decode.h>

#include <tlsconnect/client/certificate_decompressor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

class BrotliDecompressor final : public CertificateDecompressor {
public:
  [[nodiscard]] CertificateCompressionAlgorithm algorithm() const noexcept override {
    return CertificateCompressionAlgorithm::brotli;
  }
  [[nodiscard]] bool decompress(BytesView compressed, Bytes out) const noexcept override {
    struct Destroy {
      void operator()(BrotliDecoderState* state) const noexcept { ::BrotliDecoderDestroyInstance(state); }
    };
    const std::unique_ptr<BrotliDecoderState, Destroy> state(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state)
      return false;
    // Not BrotliDecoderDecompress: that passes over what follows the end of the stream.
    std::size_t unread = compressed.size();
    const std::uint8_t* from = compressed.data();
    std::size_t room = out.size();
    std::uint8_t* to = out.data();
    return ::BrotliDecoderDecompressStream(state.get(), &unread, &from, &room, &to, nullptr) ==
               BROTLI_DECODER_RESULT_SUCCESS &&
           unread == 0 && room == 0;
  }
};

} // namespace detail

/// Decompresses certificates in brotli's format. Takes as much memory while it runs as the stream's window asks for,
/// which the format limits to 16 MiB (longer windows are an extension that is not switched on).
[[nodiscard]] inline std::shared_ptr<const CertificateDecompressor> brotli_decompressor() {
  return std::make_shared<detail::BrotliDecompressor>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
