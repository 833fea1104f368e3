// The runner's own ways of compressing a certificate, under numbers for private use.
#pragma once

#include <memory>
#include <vector>

#include <tlsconnect/client/certificate_decompressor.hpp>

#include "options.hpp"

namespace bogo {

/// Those that the flags ask for.
[[nodiscard]] std::vector<std::shared_ptr<const tlsconnect::CertificateDecompressor>>
make_decompressors(const ConnectionOptions& options);

} // namespace bogo
