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

TLSCONNECT_DECL Result<std::shared_ptr<const PinnedPublicKeys>> PinnedPublicKeys::create(KeyPins pins) noexcept {
  if (!pins.has(PinUse::alone))
    return fail(ErrorCode::no_trust_anchors, "PinnedPublicKeys");
  try {
    return std::shared_ptr<const PinnedPublicKeys>(new PinnedPublicKeys(std::move(pins)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "PinnedPublicKeys");
  }
}

TLSCONNECT_DECL Result<std::string> PinnedPublicKeys::verify(const PublicKey& key,
                                                             const ServerName& name) const noexcept {
  try {
    if (!pins_.empty()) {
      const Result<KeyPin> pin = KeyPin::of(key);
      if (!pin)
        return std::unexpected(pin.error());
      const KeyPins::Entry* entry = pins_.find(name);
      const bool alone = entry != nullptr && entry->use == PinUse::alone;
      if (alone && std::find(entry->pins.begin(), entry->pins.end(), *pin) != entry->pins.end())
        return "the server's raw public key (" + key.description() + ") is pinned for " + entry->name.text() +
               " (sha256/" + pin->text() + ")";
      return fail(ErrorCode::certificate_key_not_pinned, {},
                  name.text() +
                      (alone ? " must show the key " + detail::describe_pins(*entry)
                             : std::string(" has no key that is pinned alone")) +
                      "; its raw public key (" + key.description() + ") is sha256/" + pin->text());
    }
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
  detail::append_identity(all, pins_);
  for (const PublicKey& key : keys_)
    all.insert(all.end(), key.spki().begin(), key.spki().end());
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, all);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
