// A configuration comes from a builder, which checks it.
// expect: private
#include <tlsconnect/client/config.hpp>

void use() {
#if defined(WRONG)
  tlsconnect::ClientConfig config;
#else
  auto config = tlsconnect::ClientConfig::builder();
#endif
  (void)config;
}
