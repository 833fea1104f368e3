// The default verifier: a chain to a trust anchor, the server's name, and whether anybody was revoked.
#pragma once

#include <memory>

#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/verify/path_builder.hpp>
#include <tlsconnect/verify/revocation.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>
#include <tlsconnect/verify/verified_chain_cache.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Accepts a chain that leads to one of its anchors (RFC 5280) and whose first certificate is for the server
/// (RFC 9525), none of which was revoked, as far as RevocationPolicy says that this must be known. Its errors tell the
/// certificate's position, subject, issuer and serial, what was wrong with it, which name was asked for and which were
/// there.
class PathVerifier final : public CertificateVerifier {
public:
  /// `no_trust_anchors` for an empty set. What the policy says holds for every certificate of a path. Signatures that the
  /// cache knows are not checked again; by default each verifier has one of its own. Null: all are checked each time.
  [[nodiscard]] static Result<std::shared_ptr<const PathVerifier>>
  create(const TrustAnchors& anchors, PathPolicy policy = {}, RevocationPolicy revocation = {},
         std::shared_ptr<VerifiedChainCache> cache = VerifiedChainCache::create()) noexcept;

  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
  [[nodiscard]] bool wants_status() const noexcept override { return true; }
  /// The hash of the anchors and the policies. What was verified before has no part in it, as it changes no verdict.
  [[nodiscard]] TrustIdentity trust_identity() const override { return identity_; }

private:
  PathVerifier(AnchorStore anchors, PathPolicy policy, RevocationPolicy revocation, TrustIdentity identity,
               std::shared_ptr<VerifiedChainCache> cache) noexcept
      : anchors_(static_cast<AnchorStore&&>(anchors)), policy_(static_cast<PathPolicy&&>(policy)),
        revocation_(static_cast<RevocationPolicy&&>(revocation)), identity_(static_cast<TrustIdentity&&>(identity)),
        cache_(static_cast<std::shared_ptr<VerifiedChainCache>&&>(cache)) {}
  AnchorStore anchors_;
  PathPolicy policy_;
  RevocationPolicy revocation_;
  TrustIdentity identity_;
  std::shared_ptr<VerifiedChainCache> cache_;
};

/// Judges a chain without a connection, as a configuration that trusts these anchors would: for tools and for tests. For
/// more than one chain, make a PathVerifier once.
///
///   auto chain = Certificate::from_pem(text).value();
///   auto name = ServerName::parse("example.com").value();
///   auto verified = verify_chain(chain, name, std::time(nullptr), TrustAnchors::system().value());
///   std::puts(verified ? verified->explanation.c_str() : verified.error().message().c_str());
///
/// `chain` is what a server would send, its own certificate first; `unix_time` in seconds. Any verifier can be asked in
/// the same way: verifier->verify({chain}, name, unix_time).
[[nodiscard]] Result<VerifiedChain> verify_chain(std::span<const Certificate> chain, const ServerName& name,
                                                 std::int64_t unix_time, const TrustAnchors& anchors,
                                                 const PathPolicy& policy = {},
                                                 const RevocationPolicy& revocation = {}) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/path_verifier.ipp>
#endif
