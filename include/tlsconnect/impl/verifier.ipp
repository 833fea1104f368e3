// The verifier that does not verify.
#pragma once

#include <new>
#include <string>

#include <tlsconnect/client/verifier.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<VerifiedChain>
DangerousNoVerification::verify(const PresentedCertificate&, const ServerName& name, std::int64_t) const noexcept {
  try {
    VerifiedChain accepted;
    accepted.explanation = "accepted without any verification, for whoever answered as " + name.text();
    return accepted;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
