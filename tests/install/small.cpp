// Some bodies of the library, Botan's headers and its code: enough to see that a project was given all that it needs.
#include <cstdio>

#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/crypto/hash.hpp>

int main() {
#if !defined(TLSCONNECT_SEPARATE_COMPILATION) && defined(BOTAN_VERSION_MAJOR)
  std::puts("mode: header-only");
#endif
  if (!tlsconnect::ServerName::parse("example.com"))
    return 1;
  // FIPS 180-2, B.1.
  const auto digest = tlsconnect::hash_of(tlsconnect::HashAlgorithm::sha256, tlsconnect::as_bytes("abc"));
  return digest && (*digest)[0] == 0xba && (*digest)[31] == 0xad ? 0 : 2;
}
