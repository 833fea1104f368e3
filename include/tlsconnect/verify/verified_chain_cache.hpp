// Signatures of certificates that were verified before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/limits.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// That a key made the signature of a certificate, as a number: the SHA-256 of the whole certificate and of the key. It
/// says nothing else, and so it stays true: of no name, no date, no anchor, no policy and no status.
using SignatureFact = std::array<std::uint8_t, 32>;

/// Remembers which signatures of certificates are right, so that a chain that was verified before is verified without
/// them. Everything else about it is judged each time: dates, names, constraints, usages, algorithms and lengths of keys,
/// which anchors are trusted, revocation, timestamps, pins. What is remembered cannot grow old; it is the same question
/// with the same answer. So verifiers with different anchors and policies may share one.
///
/// PathVerifier makes use of it: of chains that it accepted for the name that was asked for, and only of these; so a
/// server can neither fill the cache with what nobody trusts, nor find out by the time that a refusal takes who else was
/// visited. It can find out whether an authority's certificate is remembered from elsewhere; programs that must keep
/// visits apart from each other give each its own cache, as they do with session stores.
///
/// Takes some 100 bytes an entry. Of use are one to three entries a server; authorities' are shared by theirs. May be
/// used from several threads.
class VerifiedChainCache {
public:
  /// For so many signatures: when there are more, one that was not of use lately makes room. 0: remembers nothing. Null
  /// when there is no memory, which is as good as none.
  [[nodiscard]] static std::shared_ptr<VerifiedChainCache>
  create(std::size_t capacity = limits::remembered_signatures) noexcept;
  VerifiedChainCache(const VerifiedChainCache&) = delete;
  VerifiedChainCache& operator=(const VerifiedChainCache&) = delete;
  ~VerifiedChainCache();

  [[nodiscard]] std::size_t capacity() const noexcept;
  /// How many signatures it knows.
  [[nodiscard]] std::size_t size() const noexcept;
  /// How many checks of signatures it has saved so far.
  [[nodiscard]] std::uint64_t hits() const noexcept;
  /// Forgets all of them.
  void clear() noexcept;

  // For verifiers.

  /// The fact, if it is one, that the key `issuer_spki` (SubjectPublicKeyInfo in DER) made the signature of the
  /// certificate `der`; none when the hash cannot be calculated.
  [[nodiscard]] static std::optional<SignatureFact> fact_of(BytesView der, BytesView issuer_spki) noexcept;
  [[nodiscard]] bool knows(const SignatureFact& fact) noexcept;
  /// Remembers what was verified, or known and of use once more. Without memory, it is not remembered.
  void remember(std::span<const SignatureFact> facts) noexcept;

private:
  struct Impl;
  explicit VerifiedChainCache(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/verified_chain_cache.ipp>
#endif
