#pragma once

#include <array>

#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

template <class Tag>
Result<Secret<Tag>> derive_secret(HashAlgorithm hash, const ScheduleSecret& secret, std::string_view label,
                                  BytesView transcript) noexcept {
  Secret<Tag> derived(hash_length(hash));
  if (Result<> done = hkdf_expand_label(hash, secret.view(), label, transcript, derived.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return derived;
}

TLSCONNECT_DECL Result<ScheduleSecret> next_level(HashAlgorithm hash, const ScheduleSecret& secret,
                                                  BytesView input) noexcept {
  Result<Digest> empty = hash_of(hash, {});
  if (!empty)
    return std::unexpected(std::move(empty.error()));
  Result<ScheduleSecret> salt = derive_secret<ScheduleSecretTag>(hash, secret, "derived", empty->view());
  if (!salt)
    return salt;
  ScheduleSecret next(hash_length(hash));
  if (Result<> done = hkdf_extract(hash, salt->view(), input, next.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return next;
}

/// As many zeros as the hash is long: what stands for an input that there is not.
inline constexpr std::array<std::uint8_t, 64> zeros{};

} // namespace detail

TLSCONNECT_DECL Result<EarlySecret> EarlySecret::without_psk(HashAlgorithm hash) noexcept {
  detail::ScheduleSecret secret(hash_length(hash));
  const BytesView zeros = BytesView(detail::zeros).first(hash_length(hash));
  if (Result<> done = hkdf_extract(hash, {}, zeros, secret.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return EarlySecret(hash, std::move(secret));
}

TLSCONNECT_DECL Result<HandshakeSecret> EarlySecret::with_shared_secret(BytesView shared_secret) && noexcept {
  Result<detail::ScheduleSecret> next = detail::next_level(hash_, secret_, shared_secret);
  if (!next)
    return std::unexpected(std::move(next.error()));
  secret_.clear();
  return HandshakeSecret(hash_, std::move(*next));
}

TLSCONNECT_DECL Result<TrafficSecret>
HandshakeSecret::client_handshake_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_, "c hs traffic", transcript.view());
}
TLSCONNECT_DECL Result<TrafficSecret>
HandshakeSecret::server_handshake_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_, "s hs traffic", transcript.view());
}
TLSCONNECT_DECL Result<MainSecret> HandshakeSecret::to_main_secret() && noexcept {
  Result<detail::ScheduleSecret> next =
      detail::next_level(hash_, secret_, BytesView(detail::zeros).first(hash_length(hash_)));
  if (!next)
    return std::unexpected(std::move(next.error()));
  secret_.clear();
  return MainSecret(hash_, std::move(*next));
}

TLSCONNECT_DECL Result<TrafficSecret>
MainSecret::client_application_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_, "c ap traffic", transcript.view());
}
TLSCONNECT_DECL Result<TrafficSecret>
MainSecret::server_application_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_, "s ap traffic", transcript.view());
}

namespace detail {

struct TrafficKeyTag;
struct TrafficKeys {
  Secret<TrafficKeyTag> key;
  TrafficIv iv;
};
TLSCONNECT_DECL Result<TrafficKeys> traffic_keys(const SuiteParameters& suite, const TrafficSecret& secret) noexcept {
  TrafficKeys keys{Secret<TrafficKeyTag>(key_length(suite.aead)), TrafficIv(aead_nonce_length)};
  if (Result<> done = hkdf_expand_label(suite.hash, secret.view(), "key", {}, keys.key.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  if (Result<> done = hkdf_expand_label(suite.hash, secret.view(), "iv", {}, keys.iv.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return keys;
}

} // namespace detail

TLSCONNECT_DECL Result<WriteProtection> write_protection(const SuiteParameters& suite,
                                                         const TrafficSecret& secret) noexcept {
  Result<detail::TrafficKeys> keys = detail::traffic_keys(suite, secret);
  if (!keys)
    return std::unexpected(std::move(keys.error()));
  Result<AeadSealer> sealer = AeadSealer::create(suite.aead, keys->key.view());
  if (!sealer)
    return std::unexpected(std::move(sealer.error()));
  return WriteProtection(suite.aead, std::move(*sealer), std::move(keys->iv));
}

TLSCONNECT_DECL Result<ReadProtection> read_protection(const SuiteParameters& suite,
                                                       const TrafficSecret& secret) noexcept {
  Result<detail::TrafficKeys> keys = detail::traffic_keys(suite, secret);
  if (!keys)
    return std::unexpected(std::move(keys.error()));
  Result<AeadOpener> opener = AeadOpener::create(suite.aead, keys->key.view());
  if (!opener)
    return std::unexpected(std::move(opener.error()));
  return ReadProtection(std::move(*opener), std::move(keys->iv));
}

TLSCONNECT_DECL Result<TrafficSecret> next_generation(HashAlgorithm hash, const TrafficSecret& secret) noexcept {
  TrafficSecret next(hash_length(hash));
  if (Result<> done = hkdf_expand_label(hash, secret.view(), "traffic upd", {}, next.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return next;
}

TLSCONNECT_DECL Result<Digest> finished_verify_data(HashAlgorithm hash, const TrafficSecret& secret,
                                                    const Digest& transcript) noexcept {
  struct FinishedKeyTag;
  Secret<FinishedKeyTag> key(hash_length(hash));
  if (Result<> done = hkdf_expand_label(hash, secret.view(), "finished", {}, key.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  std::array<std::uint8_t, 64> mac{};
  const Bytes out = Bytes(mac).first(hash_length(hash));
  if (Result<> done = hmac(hash, key.view(), transcript.view(), out); !done)
    return std::unexpected(std::move(done.error()));
  Digest verify_data;
  (void)verify_data.assign(out);
  return verify_data;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
