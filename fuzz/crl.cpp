// Lists of revoked certificates: the decoder on anything, and the judgement on a good list of which some bytes were changed.
// The first byte of the input chooses; then what is decoded follows, or changes.
#include <cstdint>

#include <tlsconnect/verify/crl.hpp>

#include "minted.hpp"
#include "status_issuer.hpp"

namespace tls = tlsconnect;
using fuzz::require;

namespace {

struct Known : fuzz::Minted {
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
  const tls::BytesView rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    (void)tls::CrlSet::from_pem(tls::as_text(rest));
    const auto set = tls::CrlSet::from_der(rest);
    // Each entry has six bytes at least.
    require(!set || set->lists()[0].size() <= rest.size() / 6);
    // Nobody but the authority can say anything that counts.
    require(!set || tls::equal(rest, known.list) || known.judge(*set) == tls::RevocationState::unknown);
    return 0;
  }
  const test::Blob list = fuzz::changed(known.list, rest);
  const auto set = tls::CrlSet::from_der(list);
  require((set && known.judge(*set) == tls::RevocationState::good) == (list == known.list));
  return 0;
}
