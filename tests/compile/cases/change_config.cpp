// A configuration that was built stays as it was checked.
// expect: discards qualifiers|drops 'const' qualifier
#include <tlsconnect/client/config.hpp>

void use(const tlsconnect::ConfigPtr& config) {
#if defined(WRONG)
  tlsconnect::ClientConfig& changeable = *config;
#else
  const tlsconnect::ClientConfig& changeable = *config;
#endif
  (void)changeable.alpn();
}
