// Verifiers in turn.
#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/verifier_sequence.hpp>
#include <tlsconnect/wire/cursor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<std::shared_ptr<const VerifierSequence>>
VerifierSequence::create(std::vector<std::shared_ptr<const CertificateVerifier>> verifiers) noexcept {
  static constexpr std::string_view where = "VerifierSequence";
  try {
    if (verifiers.empty())
      return fail(ErrorCode::configuration_invalid, where, "nobody verifies");
    for (const auto& verifier : verifiers)
      if (!verifier || verifier->decides_later())
        return fail(ErrorCode::configuration_invalid, where, "a verifier is null, or decides later");
    return std::shared_ptr<const VerifierSequence>(new VerifierSequence(std::move(verifiers)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  }
}

TLSCONNECT_DECL Result<VerifiedChain> VerifierSequence::verify(const PresentedCertificate& presented,
                                                               const ServerName& name,
                                                               std::int64_t unix_time) const noexcept {
  try {
    PresentedCertificate shown = presented;
    VerifiedChain all;
    for (const auto& verifier : verifiers_) {
      Result<VerifiedChain> verified = verifier->verify(shown, name, unix_time);
      if (!verified)
        return verified;
      if (!verified->path.empty())
        all.path = std::move(verified->path);
      if (verified->server_status != StatusEvidence::none)
        all.server_status = verified->server_status;
      all.valid_until = std::min(all.valid_until, verified->valid_until);
      all.explanation.append(all.explanation.empty() ? "" : "; ").append(verified->explanation);
      shown.verified = &all;
    }
    return all;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL bool VerifierSequence::wants_status() const noexcept {
  return std::any_of(verifiers_.begin(), verifiers_.end(), [](const auto& one) { return one->wants_status(); });
}

TLSCONNECT_DECL TrustIdentity VerifierSequence::trust_identity() const {
  ByteVector all = to_vector(as_bytes("sequence"));
  for (const auto& verifier : verifiers_) {
    const TrustIdentity identity = verifier->trust_identity();
    if (identity.empty())
      return {};
    Writer(all).opaque16(identity, 1, 0xFFFF);
  }
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, all);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
