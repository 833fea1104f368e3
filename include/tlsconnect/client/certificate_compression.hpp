// In which ways servers may compress their certificates, unless the caller says otherwise (RFC 8879).
#pragma once

#include <memory>
#include <vector>

#include <tlsconnect/client/certificate_decompressor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the library was built with, the one that compresses certificates best first: brotli, zstd, zlib. Empty when it
/// was built without any. Header-only, what counts are the macros TLSCONNECT_WITH_BROTLI, TLSCONNECT_WITH_ZSTD and
/// TLSCONNECT_WITH_ZLIB, which Meson and the installed pkg-config file define to 1 for the libraries that were found;
/// all files of a program must agree on them.
[[nodiscard]] std::vector<std::shared_ptr<const CertificateDecompressor>> default_certificate_decompressors();

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/certificate_compression.ipp>
#endif
