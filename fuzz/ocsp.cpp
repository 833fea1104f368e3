// OCSP responses: the decoder on anything, and the judgement on a good response of which some bytes were changed. The first
// byte of the input chooses; then changes follow, each as a place (two bytes) and a value.
#include <cstdint>
#include <cstdlib>

#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/ocsp.hpp>

#include "status_issuer.hpp"
#include "test_pki.hpp"

namespace tls = tlsconnect;

namespace {

struct Known {
  test::Identity authority = test::self_signed({.common_name = "Authority", .ca = true});
  test::Identity leaf = authority.issue({.common_name = "leaf"});
  tls::Certificate issuer = tls::Certificate::from_der(authority.der()).value();
  tls::Certificate subject = tls::Certificate::from_der(leaf.der()).value();
  test::Blob response = test::ocsp_response(leaf, authority);

  [[nodiscard]] tls::RevocationState judge(tls::BytesView der) const {
    std::size_t checks = 2;
    return tls::check_ocsp_response(der, subject, issuer, {test::now, 300, 86'400}, {}, checks).state;
  }
};

void inside(tls::BytesView part, tls::BytesView whole) {
  if (!part.empty() && (part.data() < whole.data() || part.data() + part.size() > whole.data() + whole.size()))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Known known;
  if (size == 0)
    return 0;
  tls::BytesView rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    if (const auto decoded = tls::OcspResponse::decode(rest)) {
      for (const tls::BytesView part : {decoded->tbs, decoded->signature_algorithm, decoded->signature,
                                        decoded->responder_name, decoded->responder_key_hash})
        inside(part, rest);
      for (const tls::BytesView part : decoded->certificates)
        inside(part, rest);
      if (decoded->responses.empty() || decoded->responder_name.empty() == decoded->responder_key_hash.empty())
        std::abort();
    }
    // Nobody but the authority can say anything that counts, and the target does not have its key.
    if (!tls::equal(rest, known.response) && known.judge(rest) != tls::RevocationState::unknown)
      std::abort();
    return 0;
  }
  test::Blob changed = known.response;
  for (; rest.size() >= 3; rest = rest.subspan(3))
    changed[(rest[0] * 256U + rest[1]) % changed.size()] = rest[2];
  if ((known.judge(changed) == tls::RevocationState::good) != (changed == known.response))
    std::abort();
  return 0;
}
