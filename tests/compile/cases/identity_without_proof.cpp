// The server's identity rests on what it showed and signed, or on a key that it holds.
// expect: no matching|too few arguments|no known conversion|could not convert|cannot convert
#include <utility>

#include <tlsconnect/handshake/proofs.hpp>

void use(tlsconnect::Proof<tlsconnect::ServerChain> chain, tlsconnect::Proof<tlsconnect::ServerSignature> signature) {
#if defined(WRONG)
  (void)signature;
  (void)tlsconnect::ServerIdentity::by_certificate(std::move(chain));
#else
  (void)tlsconnect::ServerIdentity::by_certificate(std::move(chain), std::move(signature));
#endif
}
