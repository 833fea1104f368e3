#pragma once

#include <array>

#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

template <class Tag>
Result<HashSecret<Tag>> derive_secret(HashAlgorithm hash, BytesView secret, std::string_view label,
                                      BytesView transcript) noexcept {
  HashSecret<Tag> derived(hash_length(hash));
  if (Result<> done = hkdf_expand_label(hash, secret, label, transcript, derived.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return derived;
}

TLSCONNECT_DECL Result<ScheduleSecret> next_level(HashAlgorithm hash, const ScheduleSecret& secret,
                                                  BytesView input) noexcept {
  Result<Digest> empty = hash_of(hash, {});
  if (!empty)
    return std::unexpected(std::move(empty.error()));
  Result<ScheduleSecret> salt = derive_secret<ScheduleSecretTag>(hash, secret.view(), "derived", empty->view());
  if (!salt)
    return salt;
  ScheduleSecret next(hash_length(hash));
  if (Result<> done = hkdf_extract(hash, salt->view(), input, next.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return next;
}

/// As many zeros as the hash is long: what stands for an input that there is not.
inline constexpr std::array<std::uint8_t, 64> zeros{};

/// HMAC with the key that follows from a secret and the label "finished" (RFC 9846, 4.4.4).
TLSCONNECT_DECL Result<Digest> finished_mac(HashAlgorithm hash, BytesView secret, const Digest& transcript) noexcept {
  struct FinishedKeyTag;
  HashSecret<FinishedKeyTag> key(hash_length(hash));
  if (Result<> done = hkdf_expand_label(hash, secret, "finished", {}, key.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  std::array<std::uint8_t, 64> mac{};
  const Bytes out = Bytes(mac).first(hash_length(hash));
  if (Result<> done = hmac(hash, key.view(), transcript.view(), out); !done)
    return std::unexpected(std::move(done.error()));
  Digest verify_data;
  (void)verify_data.assign(out);
  return verify_data;
}

} // namespace detail

TLSCONNECT_DECL Result<EarlySecret> EarlySecret::without_psk(HashAlgorithm hash) noexcept {
  return from_psk(hash, BytesView(detail::zeros).first(hash_length(hash)));
}

TLSCONNECT_DECL Result<EarlySecret> EarlySecret::from_psk(HashAlgorithm hash, BytesView psk) noexcept {
  detail::ScheduleSecret secret(hash_length(hash));
  if (Result<> done = hkdf_extract(hash, {}, psk, secret.bytes()); !done)
    return std::unexpected(std::move(done.error()));
  return EarlySecret(hash, std::move(secret));
}

TLSCONNECT_DECL Result<Digest> EarlySecret::binder(PskOrigin origin, const Digest& truncated_hello) const noexcept {
  const std::string_view label = origin == PskOrigin::resumption ? "res binder"
                                 : origin == PskOrigin::external ? "ext binder"
                                                                 : "imp binder";
  struct BinderKeyTag;
  Result<Digest> empty = hash_of(hash_, {});
  if (!empty)
    return empty;
  const Result<HashSecret<BinderKeyTag>> key =
      detail::derive_secret<BinderKeyTag>(hash_, secret_.view(), label, empty->view());
  if (!key)
    return std::unexpected(key.error());
  return detail::finished_mac(hash_, key->view(), truncated_hello);
}

TLSCONNECT_DECL Result<TrafficSecret>
EarlySecret::client_early_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_.view(), "c e traffic", transcript.view());
}
TLSCONNECT_DECL Result<ExporterSecret> EarlySecret::early_exporter_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<ExporterSecretTag>(hash_, secret_.view(), "e exp master", transcript.view());
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
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_.view(), "c hs traffic", transcript.view());
}
TLSCONNECT_DECL Result<TrafficSecret>
HandshakeSecret::server_handshake_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_.view(), "s hs traffic", transcript.view());
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
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_.view(), "c ap traffic", transcript.view());
}
TLSCONNECT_DECL Result<TrafficSecret>
MainSecret::server_application_traffic_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<TrafficSecretTag>(hash_, secret_.view(), "s ap traffic", transcript.view());
}
TLSCONNECT_DECL Result<ExporterSecret> MainSecret::exporter_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<ExporterSecretTag>(hash_, secret_.view(), "exp master", transcript.view());
}
TLSCONNECT_DECL Result<ResumptionSecret> MainSecret::resumption_secret(const Digest& transcript) const noexcept {
  return detail::derive_secret<ResumptionSecretTag>(hash_, secret_.view(), "res master", transcript.view());
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
  return detail::finished_mac(hash, secret.view(), transcript);
}

TLSCONNECT_DECL Result<> ticket_psk(HashAlgorithm hash, const ResumptionSecret& secret, BytesView ticket_nonce,
                                    Bytes psk) noexcept {
  return hkdf_expand_label(hash, secret.view(), "resumption", ticket_nonce, psk);
}

TLSCONNECT_DECL Result<> export_keying_material(HashAlgorithm hash, const ExporterSecret& secret,
                                                std::string_view label, BytesView context, Bytes out) noexcept {
  // RFC 9846, 7.1: a label has at most 249 bytes behind its "tls13 "; RFC 5869, 2.3: 255 blocks at most.
  if (label.size() > 249 || out.empty() || out.size() > 255 * hash_length(hash))
    return fail(ErrorCode::export_not_available, "exporter", "the label or the length is out of range");
  Result<Digest> empty = hash_of(hash, {});
  if (!empty)
    return std::unexpected(std::move(empty.error()));
  struct LabelSecretTag;
  const Result<HashSecret<LabelSecretTag>> derived =
      detail::derive_secret<LabelSecretTag>(hash, secret.view(), label, empty->view());
  if (!derived)
    return std::unexpected(derived.error());
  const Result<Digest> context_hash = hash_of(hash, context);
  if (!context_hash)
    return std::unexpected(context_hash.error());
  return hkdf_expand_label(hash, derived->view(), "exporter", context_hash->view(), out);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
