// External pre-shared keys, as they are and imported.
#pragma once

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/client/psk.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// The registry "TLS KDF Identifiers" (RFC 9258, 10).
enum class KdfIdentifier : std::uint16_t { hkdf_sha256 = 1, hkdf_sha384 = 2 };

/// The key derivation of the cipher suites with a hash; none for a hash that no cipher suite of TLS 1.3 has.
[[nodiscard]] constexpr std::optional<KdfIdentifier> kdf_of(HashAlgorithm hash) noexcept {
  switch (hash) {
  case HashAlgorithm::sha256:
    return KdfIdentifier::hkdf_sha256;
  case HashAlgorithm::sha384:
    return KdfIdentifier::hkdf_sha384;
  case HashAlgorithm::sha512:
    break;
  }
  return std::nullopt;
}

/// struct {
///   opaque external_identity<1..2^16-1>;
///   opaque context<0..2^16-1>;
///   uint16 target_protocol;
///   uint16 target_kdf;
/// } ImportedIdentity; (RFC 9258, 5.1)
struct ImportedIdentity {
  static constexpr std::string_view name = "ImportedIdentity";

  BytesView external_identity;
  BytesView context;
  // RFC 9258, 5.1: keys are not imported for TLS 1.2 and older, so there is one protocol to import for.
  ProtocolVersion target_protocol = ProtocolVersion::tls1_3;
  KdfIdentifier target_kdf{};

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.external_identity, 1, 0xFFFF);
    ar.opaque16(self.context, 0, 0xFFFF);
    ar.number(self.target_protocol);
    ar.number(self.target_kdf);
  }
};

} // namespace detail

struct ExternalPsk::State {
  struct Tag;
  ByteVector identity;
  Secret<Tag, longest_key> key;
  HashAlgorithm hash = HashAlgorithm::sha256;
  bool imported = false;
};

TLSCONNECT_DECL ExternalPsk::ExternalPsk(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

TLSCONNECT_DECL Result<ExternalPsk> ExternalPsk::create(BytesView identity, BytesView key,
                                                        HashAlgorithm hash) noexcept {
  constexpr std::string_view where = "ExternalPsk::create";
  try {
    const auto invalid = [&](const char* why) { return fail(ErrorCode::credential_invalid, where, why); };
    // RFC 9846, 4.2.11: opaque identity<1..2^16-1>.
    if (identity.empty() || identity.size() > 0xFFFF)
      return invalid("an identity has 1 to 65535 bytes");
    // RFC 9257, 6: at least 128 bits of entropy, which no shorter key can hold.
    if (key.size() < shortest_key || key.size() > longest_key)
      return invalid("a pre-shared key has 16 to 255 bytes");
    // RFC 9846, 4.2.11: a key goes with the cipher suites of one hash. With SHA-512 there are none.
    if (!detail::kdf_of(hash))
      return invalid("no cipher suite has this hash");
    auto state = std::make_shared<State>();
    state->identity = to_vector(identity);
    state->key = decltype(state->key)(key);
    state->hash = hash;
    return ExternalPsk(std::move(state));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  }
}

TLSCONNECT_DECL Result<std::vector<ExternalPsk>> ExternalPsk::import_or_throw(const PskImport& source,
                                                                              std::span<const HashAlgorithm> targets) {
  constexpr std::string_view where = "ExternalPsk::import_from";
  const auto invalid = [&](const char* why) { return fail(ErrorCode::credential_invalid, where, why); };
  if (source.external_identity.empty() || source.external_identity.size() > 0xFFFF)
    return invalid("an identity has 1 to 65535 bytes");
  if (source.context.size() > 0xFFFF)
    return invalid("a context has at most 65535 bytes");
  // RFC 9257, 6: at least 128 bits of entropy, which no shorter key can hold.
  if (source.key.size() < shortest_key)
    return invalid("a pre-shared key that is imported has at least 16 bytes");
  if (targets.empty())
    return invalid("there is no hash to import the key for");

  // RFC 9258, 5.1: epskx = HKDF-Extract(0, epsk), with the hash that belongs to the external key, not the target's.
  struct ExtractedTag;
  Secret<ExtractedTag> extracted(hash_length(source.hash));
  if (Result<> done = hkdf_extract(source.hash, {}, source.key, extracted.bytes()); !done)
    return std::unexpected(std::move(done.error()));

  std::vector<ExternalPsk> keys;
  keys.reserve(targets.size());
  for (auto target = targets.begin(); target != targets.end(); ++target) {
    const std::optional<detail::KdfIdentifier> kdf = detail::kdf_of(*target);
    if (!kdf)
      return invalid("no cipher suite has the hash to import the key for");
    if (std::find(targets.begin(), target, *target) != target)
      return invalid("a hash to import the key for is listed twice");

    auto state = std::make_shared<State>();
    state->hash = *target;
    state->imported = true;
    const detail::ImportedIdentity identity{
        .external_identity = source.external_identity, .context = source.context, .target_kdf = *kdf};
    if (Result<> done = encode(identity, state->identity); !done)
      return std::unexpected(std::move(done.error()));
    // RFC 9258, 5.1: an ImportedIdentity that does not fit the field it is sent in must be refused.
    if (state->identity.size() > 0xFFFF)
      return invalid("the identity and the context together are longer than an identity may be");

    // RFC 9258, 5.1: ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L), where L is the length
    // of the target's output and the hash is still that of the external key.
    const Result<Digest> identity_hash = hash_of(source.hash, state->identity);
    if (!identity_hash)
      return std::unexpected(identity_hash.error());
    state->key = decltype(state->key)(hash_length(*target));
    if (Result<> done =
            hkdf_expand_label(source.hash, extracted.view(), "derived psk", identity_hash->view(), state->key.bytes());
        !done)
      return std::unexpected(std::move(done.error()));
    keys.push_back(ExternalPsk(std::move(state)));
  }
  return Result<std::vector<ExternalPsk>>(std::move(keys));
}

TLSCONNECT_DECL Result<std::vector<ExternalPsk>>
ExternalPsk::import_from(const PskImport& source, std::span<const HashAlgorithm> targets) noexcept {
  try {
    return import_or_throw(source, targets);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "ExternalPsk::import_from");
  }
}

TLSCONNECT_DECL Result<std::vector<ExternalPsk>> ExternalPsk::import_from(const PskImport& source) noexcept {
  constexpr std::array<HashAlgorithm, 2> targets{HashAlgorithm::sha256, HashAlgorithm::sha384};
  return import_from(source, targets);
}

TLSCONNECT_DECL BytesView ExternalPsk::identity() const noexcept { return state_->identity; }
TLSCONNECT_DECL BytesView ExternalPsk::key() const noexcept { return state_->key.view(); }
TLSCONNECT_DECL HashAlgorithm ExternalPsk::hash() const noexcept { return state_->hash; }
TLSCONNECT_DECL bool ExternalPsk::imported() const noexcept { return state_->imported; }

} // namespace tlsconnect::inline TLSCONNECT_ABI
