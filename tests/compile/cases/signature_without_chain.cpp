// A signature is looked at only under a chain that was accepted.
// expect: no matching|too few arguments|no known conversion|could not convert
#include <tlsconnect/handshake/proofs.hpp>

void use(const tlsconnect::ClientConfig& config, const tlsconnect::Proof<tlsconnect::ServerChain>& chain,
         const tlsconnect::PublicKey& key, const tlsconnect::CertificateVerify& message,
         const tlsconnect::Digest& digest) {
#if defined(WRONG)
  (void)chain;
  (void)tlsconnect::ServerSignature::verify(config, key, message, digest);
#else
  (void)tlsconnect::ServerSignature::verify(config, chain, key, message, digest);
#endif
}
