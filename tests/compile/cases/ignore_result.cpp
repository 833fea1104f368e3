// Whether a configuration could be built cannot be overlooked.
// expect: unused-result
#include <tlsconnect/client/config.hpp>

void use(const tlsconnect::ClientConfig::Builder& builder) {
#if defined(WRONG)
  builder.build();
#else
  (void)builder.build();
#endif
}
