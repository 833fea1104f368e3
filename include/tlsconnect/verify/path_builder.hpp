// From a server's certificate to a trust anchor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/path_rules.hpp>
#include <tlsconnect/verify/verified_chain_cache.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Trusted certificates, indexed for path building; immutable, shared. Each is read when a path first needs its name.
class AnchorStore {
public:
  /// The same certificate counts once.
  [[nodiscard]] static Result<AnchorStore> create(std::span<const Certificate> anchors) noexcept;
  /// From DER; whatever has not the shape of a certificate is left out.
  [[nodiscard]] static Result<AnchorStore> create(std::span<const ByteVector> anchors) noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  [[nodiscard]] static Result<AnchorStore> create_from(std::span<const BytesView> anchors) noexcept;
  explicit AnchorStore(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// What is wrong with a chain, and with which certificate of it.
struct PathFailure {
  ErrorCode code;
  std::size_t position = 0;               ///< in the presented chain; its size for a trust anchor
  std::string reason = {};                ///< for a person
  std::vector<PathFinding> findings = {}; ///< all reasons, ordered by cause; the first is the one above
};

/// What earlier paths left behind for a new one, and what it leaves in turn.
struct PathMemory {
  /// Asked before a signature is checked; null: nobody is.
  VerifiedChainCache* cache = nullptr;
  /// Of the path that was found, which signatures are right: for VerifiedChainCache::remember, once everything else about
  /// the chain is accepted, too. Empty without a cache.
  std::vector<SignatureFact> facts = {};
};

/// Finds a path from the server's certificate, the first of `chain`, over any of the others, in whatever order, to an
/// anchor, and checks it for a TLS server at `unix_time` (seconds): RFC 5280, every signature but the anchor's own, which
/// nothing depends on. Names are not looked at. On success: the path, from the server's certificate to the anchor;
/// otherwise what is wrong with the best that was found.
///
/// Every issuer that comes into question is tried, anchors first, but for what `limits` allows: no chain costs more than
/// `limits::path_signature_checks` signatures. `cost`, where given, tells what was spent; signatures that `memory` knows
/// cost nothing.
[[nodiscard]] std::expected<std::vector<Certificate>, PathFailure>
validate_server_path(std::span<const Certificate> chain, const AnchorStore& anchors, std::int64_t unix_time,
                     const PathPolicy& policy = {}, PathCost* cost = nullptr, PathMemory* memory = nullptr) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/path_builder.ipp>
#endif
