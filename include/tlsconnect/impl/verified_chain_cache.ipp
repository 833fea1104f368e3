// The memory for signatures: a ring with a second chance for what was of use, and a table of places in it.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/verified_chain_cache.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A few bytes of a hash are a hash.
struct HashOfFact {
  std::size_t operator()(const SignatureFact& fact) const noexcept {
    std::size_t value = 0;
    static_assert(sizeof value <= sizeof fact);
    std::memcpy(&value, fact.data(), sizeof value);
    return value;
  }
};

} // namespace detail

struct VerifiedChainCache::Impl {
  struct Entry {
    SignatureFact fact;
    bool used; // since the hand passed by
  };

  explicit Impl(std::size_t most) noexcept : capacity(most) {}

  /// Throws std::bad_alloc, and is then as it was before.
  void remember(const SignatureFact& fact) {
    if (const auto known = places.find(fact); known != places.end()) {
      ring[known->second].used = true;
      return;
    }
    if (ring.size() < capacity) {
      ring.push_back({fact, false});
      try {
        places.emplace(fact, ring.size() - 1);
      } catch (...) {
        ring.pop_back();
        throw;
      }
      return;
    }
    if (capacity == 0)
      return;
    // Whatever was of use since the hand came by last stays for another round.
    for (; ring[hand].used; hand = (hand + 1) % capacity)
      ring[hand].used = false;
    places.emplace(fact, hand);
    places.erase(ring[hand].fact);
    ring[hand].fact = fact;
    hand = (hand + 1) % capacity;
  }

  const std::size_t capacity;
  mutable std::mutex mutex; // for everything below
  std::vector<Entry> ring;
  std::size_t hand = 0;
  std::unordered_map<SignatureFact, std::size_t, detail::HashOfFact> places; // in the ring
  std::uint64_t hits = 0;
};

TLSCONNECT_DECL VerifiedChainCache::VerifiedChainCache(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TLSCONNECT_DECL VerifiedChainCache::~VerifiedChainCache() = default;

TLSCONNECT_DECL std::shared_ptr<VerifiedChainCache> VerifiedChainCache::create(std::size_t capacity) noexcept {
  try {
    return std::shared_ptr<VerifiedChainCache>(new VerifiedChainCache(std::make_unique<Impl>(capacity)));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

TLSCONNECT_DECL std::size_t VerifiedChainCache::capacity() const noexcept { return impl_->capacity; }

TLSCONNECT_DECL std::size_t VerifiedChainCache::size() const noexcept {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ring.size();
}

TLSCONNECT_DECL std::uint64_t VerifiedChainCache::hits() const noexcept {
  const std::lock_guard lock(impl_->mutex);
  return impl_->hits;
}

TLSCONNECT_DECL void VerifiedChainCache::clear() noexcept {
  const std::lock_guard lock(impl_->mutex);
  impl_->ring.clear();
  impl_->places.clear();
  impl_->hand = 0;
}

TLSCONNECT_DECL std::optional<SignatureFact> VerifiedChainCache::fact_of(BytesView der,
                                                                         BytesView issuer_spki) noexcept {
  // What is hashed begins with its purpose and says where the certificate ends, so no two pairs are hashed alike.
  static constexpr std::string_view purpose = "tlsconnect: a key made the signature of a certificate";
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(der.size()) >> (8 * i));
  Result<Hash> hash = Hash::create(HashAlgorithm::sha256);
  if (!hash)
    return std::nullopt;
  for (const BytesView part : {as_bytes(purpose), BytesView(length), der, issuer_spki})
    if (!hash->update(part))
      return std::nullopt;
  const Result<Digest> digest = hash->current();
  SignatureFact fact{};
  if (!digest || digest->size() != fact.size())
    return std::nullopt;
  std::copy(digest->begin(), digest->end(), fact.begin());
  return fact;
}

TLSCONNECT_DECL bool VerifiedChainCache::knows(const SignatureFact& fact) noexcept {
  const std::lock_guard lock(impl_->mutex);
  const bool known = impl_->places.contains(fact);
  impl_->hits += known ? 1 : 0;
  return known;
}

TLSCONNECT_DECL void VerifiedChainCache::remember(std::span<const SignatureFact> facts) noexcept {
  try {
    const std::lock_guard lock(impl_->mutex);
    for (const SignatureFact& fact : facts)
      impl_->remember(fact);
  } catch (const std::bad_alloc&) {
    // Then the signature is checked again.
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
