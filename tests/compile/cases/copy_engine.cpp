// Two engines with the same keys would seal two records with the same nonce.
// expect: deleted
#include <utility>

#include <tlsconnect/engine.hpp>

void use(tlsconnect::ClientEngine& engine) {
#if defined(WRONG)
  tlsconnect::ClientEngine copy(engine);
#else
  tlsconnect::ClientEngine copy(std::move(engine));
#endif
  (void)copy.failure();
}
