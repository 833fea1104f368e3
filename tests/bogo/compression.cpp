#include "compression.hpp"

#include <algorithm>
#include <array>

namespace bogo {

using tlsconnect::Bytes;
using tlsconnect::BytesView;
using tlsconnect::CertificateCompressionAlgorithm;
using tlsconnect::CertificateDecompressor;

namespace {

/// Leaves out the first two bytes, which are zero in every Certificate message of a server.
constexpr auto shrinking = static_cast<CertificateCompressionAlgorithm>(0xff01);
/// Puts four bytes in front: 1, 2, 3, 4.
constexpr auto expanding = static_cast<CertificateCompressionAlgorithm>(0xff02);
/// Puts a byte in front that means nothing.
constexpr auto random_byte = static_cast<CertificateCompressionAlgorithm>(0xff03);

class Mock final : public CertificateDecompressor {
public:
  explicit Mock(CertificateCompressionAlgorithm algorithm) : algorithm_(algorithm) {}

  [[nodiscard]] CertificateCompressionAlgorithm algorithm() const noexcept override { return algorithm_; }

  [[nodiscard]] bool decompress(BytesView compressed, Bytes out) const noexcept override {
    static constexpr std::array<std::uint8_t, 4> front = {1, 2, 3, 4};
    if (algorithm_ == shrinking) {
      if (out.size() < 2)
        return false;
      out[0] = out[1] = 0;
      return copy(compressed, out.subspan(2));
    }
    if (algorithm_ == expanding)
      return compressed.size() >= front.size() && std::equal(front.begin(), front.end(), compressed.begin()) &&
             copy(compressed.subspan(front.size()), out);
    return !compressed.empty() && copy(compressed.subspan(1), out);
  }

private:
  static bool copy(BytesView from, Bytes to) noexcept {
    if (from.size() != to.size())
      return false;
    std::copy(from.begin(), from.end(), to.begin());
    return true;
  }

  CertificateCompressionAlgorithm algorithm_;
};

} // namespace

std::vector<std::shared_ptr<const CertificateDecompressor>> make_decompressors(const ConnectionOptions& options) {
  std::vector<std::shared_ptr<const CertificateDecompressor>> decompressors;
  for (const CertificateCompressionAlgorithm algorithm : {expanding, shrinking, random_byte})
    if (options.install_cert_compression_algs ||
        options.install_one_cert_compression_alg == static_cast<std::uint16_t>(algorithm))
      decompressors.push_back(std::make_shared<Mock>(algorithm));
  return decompressors;
}

} // namespace bogo
