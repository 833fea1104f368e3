// Lists of revoked certificates: the decoder on anything, and the judgement on a good list of which some bytes were changed.
// The first byte of the input chooses; then changes follow, each as a place (two bytes) and a value.
#include <cstdint>
#include <cstdlib>

#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/crl.hpp>

#include "status_issuer.hpp"
#include "test_pki.hpp"

namespace tls = tlsconnect;

namespace {

struct Known {
  test::Identity authority = test::self_signed({.common_name = "Authority", .ca = true});
  test::Identity leaf = authority.issue({.common_name = "leaf"});
  tls::Certificate issuer = tls::Certificate::from_der(authority.der()).value();
  tls::Certificate subject = tls::Certificate::from_der(leaf.der()).value();
  test::Blob list = test::crl(authority, {.entries = {{.serial = {0x11}, .reason = 4}, {.serial = {0x12}}}});

  [[nodiscard]] tls::RevocationState judge(const tls::CrlSet& set) const {
    std::size_t checks = 1;
    return tls::check_crls(set, subject, issuer, {test::now, 300, 0}, {}, checks).state;
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Known known;
  if (size == 0)
    return 0;
  tls::BytesView rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    (void)tls::CrlSet::from_pem(tls::as_text(rest));
    const auto set = tls::CrlSet::from_der(rest);
    // Each entry has six bytes at least.
    if (set && set->lists()[0].size() > rest.size() / 6)
      std::abort();
    // Nobody but the authority can say anything that counts, and the target does not have its key.
    if (set && !tls::equal(rest, known.list) && known.judge(*set) != tls::RevocationState::unknown)
      std::abort();
    return 0;
  }
  test::Blob changed = known.list;
  for (; rest.size() >= 3; rest = rest.subspan(3))
    changed[(rest[0] * 256U + rest[1]) % changed.size()] = rest[2];
  const auto set = tls::CrlSet::from_der(changed);
  if ((set && known.judge(*set) == tls::RevocationState::good) != (changed == known.list))
    std::abort();
  return 0;
}
