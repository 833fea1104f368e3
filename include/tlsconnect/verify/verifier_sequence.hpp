// Several verifiers, one after another.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <tlsconnect/client/verifier.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Asks verifiers in turn; every one of them must accept. So a check of the caller's own comes before the default
/// verifier, and decides what never gets there, or after it, and sees in PresentedCertificate::verified what path was
/// found:
///
///   auto both = VerifierSequence::create({PathVerifier::create(anchors).value(), std::make_shared<const OwnRules>()});
///   auto config = ClientConfig::builder().verifier(both.value()).build();
///
/// The first refusal is the outcome. What is accepted has the last path that one of them built, all explanations, the
/// last evidence that there is of the server's status, and the shortest validity.
class VerifierSequence final : public CertificateVerifier {
public:
  /// `configuration_invalid` for an empty list, a null, and a verifier that decides later: nobody would ask those after
  /// it.
  [[nodiscard]] static Result<std::shared_ptr<const VerifierSequence>>
  create(std::vector<std::shared_ptr<const CertificateVerifier>> verifiers) noexcept;

  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
  /// Whether one of them does.
  [[nodiscard]] bool wants_status() const noexcept override;
  /// The hash of all of their identities, in order; empty when one of them has none.
  [[nodiscard]] TrustIdentity trust_identity() const override;

private:
  explicit VerifierSequence(std::vector<std::shared_ptr<const CertificateVerifier>> verifiers) noexcept
      : verifiers_(std::move(verifiers)) {}
  std::vector<std::shared_ptr<const CertificateVerifier>> verifiers_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/verifier_sequence.ipp>
#endif
