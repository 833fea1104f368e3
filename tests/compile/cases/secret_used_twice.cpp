// Each secret of the key schedule is consumed by the step to the next.
// expect: discards qualifiers|has rvalue ref-qualifier
#include <utility>

#include <tlsconnect/handshake/key_schedule13.hpp>

void use(tlsconnect::HandshakeSecret& secret) {
#if defined(WRONG)
  (void)secret.to_main_secret();
#else
  (void)std::move(secret).to_main_secret();
#endif
}
