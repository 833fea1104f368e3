// OCSP responses: the decoder on anything, and the judgement on a good response of which some bytes were changed. The first
// byte of the input chooses; then what is decoded follows, or changes.
#include <cstdint>

#include <tlsconnect/verify/ocsp.hpp>

#include "minted.hpp"
#include "status_issuer.hpp"

namespace tls = tlsconnect;
using fuzz::require;

namespace {

struct Known : fuzz::Minted {
  test::Blob response = test::ocsp_response(leaf, authority);

  [[nodiscard]] tls::RevocationState judge(tls::BytesView der) const {
    std::size_t checks = 2;
    return tls::check_ocsp_response(der, subject, issuer, {test::now, 300, 86'400}, {}, checks).state;
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Known known;
  if (size == 0)
    return 0;
  const tls::BytesView rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    if (const auto decoded = tls::OcspResponse::decode(rest)) {
      for (const tls::BytesView part : {decoded->tbs, decoded->signature_algorithm, decoded->signature,
                                        decoded->responder_name, decoded->responder_key_hash})
        fuzz::inside(part, rest);
      for (const tls::BytesView part : decoded->certificates)
        fuzz::inside(part, rest);
      require(!decoded->responses.empty() && decoded->responder_name.empty() != decoded->responder_key_hash.empty());
    }
    // Nobody but the authority can say anything that counts.
    require(tls::equal(rest, known.response) || known.judge(rest) == tls::RevocationState::unknown);
    return 0;
  }
  const test::Blob response = fuzz::changed(known.response, rest);
  require((known.judge(response) == tls::RevocationState::good) == (response == known.response));
  return 0;
}
