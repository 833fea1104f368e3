// Which libraries this program was built with.
#include "clients.hpp"

#include <algorithm>
#include <cstring>

namespace bench {

std::size_t Wire::take(void* to, std::size_t count) {
  count = std::min(count, in.size() - taken);
  if (count > 0)
    std::memcpy(to, in.data() + taken, count);
  taken += count;
  return count;
}

std::vector<LibraryEntry> libraries() {
  return {
      tlsconnect_library(),
      botan_library(),
#if defined(BENCH_HAS_OPENSSL)
      openssl_library(),
#endif
#if defined(BENCH_HAS_GNUTLS)
      gnutls_library(),
#endif
  };
}

std::string missing_libraries() {
  std::string text;
#if !defined(BENCH_HAS_OPENSSL)
  text += "OpenSSL is not compared: its development files were not there when this was built.\n";
#endif
#if !defined(BENCH_HAS_GNUTLS)
  text += "GnuTLS is not compared: its development files were not there when this was built.\n";
#endif
  return text;
}

} // namespace bench
