// That a check was made can be shown only by making it.
// expect: private
#include <utility>

#include <tlsconnect/handshake/proofs.hpp>

using Finished = tlsconnect::Proof<tlsconnect::ServerFinished>;

void use(Finished earned) {
#if defined(WRONG)
  Finished proof;
#else
  Finished proof(std::move(earned));
#endif
  (void)proof;
}
