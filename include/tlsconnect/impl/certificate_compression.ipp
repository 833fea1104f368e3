// The decompressors of the libraries that the build found.
#pragma once

#include <tlsconnect/client/certificate_compression.hpp>
#if defined(TLSCONNECT_WITH_BROTLI)
#include <tlsconnect/compression/brotli.hpp>
#endif
#if defined(TLSCONNECT_WITH_ZLIB)
#include <tlsconnect/compression/zlib.hpp>
#endif
#if defined(TLSCONNECT_WITH_ZSTD)
#include <tlsconnect/compression/zstd.hpp>
#endif

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL std::vector<std::shared_ptr<const CertificateDecompressor>> default_certificate_decompressors() {
  std::vector<std::shared_ptr<const CertificateDecompressor>> found;
#if defined(TLSCONNECT_WITH_BROTLI)
  found.push_back(brotli_decompressor());
#endif
#if defined(TLSCONNECT_WITH_ZSTD)
  found.push_back(zstd_decompressor());
#endif
#if defined(TLSCONNECT_WITH_ZLIB)
  found.push_back(zlib_decompressor());
#endif
  return found;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
