// Raw public keys: recognised, or not.
#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include <tlsconnect/client/raw_public_key.hpp>
#include <tlsconnect/crypto/hash.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL RawPublicKeyVerifier::RawPublicKeyVerifier() noexcept : object_identity_(detail::random_identity()) {}
TLSCONNECT_DECL TrustIdentity RawPublicKeyVerifier::trust_identity() const {
  return detail::identity_of(object_identity_);
}

TLSCONNECT_DECL Result<std::shared_ptr<const PinnedPublicKeys>>
PinnedPublicKeys::create(std::vector<PublicKey> keys) noexcept {
  if (keys.empty())
    return fail(ErrorCode::no_trust_anchors, "PinnedPublicKeys");
  try {
    // The order must not matter to the identity.
    std::sort(keys.begin(), keys.end(), [](const PublicKey& a, const PublicKey& b) {
      return std::lexicographical_compare(a.spki().begin(), a.spki().end(), b.spki().begin(), b.spki().end());
    });
    return std::shared_ptr<const PinnedPublicKeys>(new PinnedPublicKeys(std::move(keys)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "PinnedPublicKeys");
  }
}

TLSCONNECT_DECL Result<std::string> PinnedPublicKeys::verify(const PublicKey& key, const ServerName&) const noexcept {
  try {
    for (const PublicKey& pinned : keys_)
      if (equal(pinned.spki(), key.spki()))
        return "the server's raw public key (" + key.description() + ") is one of those that were given";
    return fail(ErrorCode::certificate_rejected, {},
                "the server's raw public key (" + key.description() + ") is none of those that were given");
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL TrustIdentity PinnedPublicKeys::trust_identity() const {
  ByteVector all;
  for (const PublicKey& key : keys_)
    all.insert(all.end(), key.spki().begin(), key.spki().end());
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, all);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
