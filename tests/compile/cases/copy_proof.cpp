// A proof is for one connection.
// expect: deleted
#include <utility>

#include <tlsconnect/handshake/proofs.hpp>

using Finished = tlsconnect::Proof<tlsconnect::ServerFinished>;

void use(Finished& earned) {
#if defined(WRONG)
  Finished proof(earned);
#else
  Finished proof(std::move(earned));
#endif
  (void)proof;
}
