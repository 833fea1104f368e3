#pragma once

#include <algorithm>
#include <array>

#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/handshake/key_schedule12.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL PremasterSecret psk_premaster_secret(BytesView psk, BytesView other) noexcept {
  if (psk.empty() || psk.size() > 255 || other.size() > 255)
    return {};
  // RFC 4279, 2: where there is no key exchange, as many zeros as the key is long; RFC 5489, 2: its shared secret.
  const std::size_t other_size = other.empty() ? psk.size() : other.size();
  PremasterSecret secret(2 + other_size + 2 + psk.size());
  const Bytes out = secret.bytes();
  out[1] = static_cast<std::uint8_t>(other_size);
  copy_bytes(other, out.subspan(2));
  out[2 + other_size + 1] = static_cast<std::uint8_t>(psk.size());
  copy_bytes(psk, out.subspan(2 + other_size + 2));
  return secret;
}

TLSCONNECT_DECL Result<MainSecret12> MainSecret12::extended(HashAlgorithm hash, const PremasterSecret& premaster,
                                                            const Digest& session_hash) noexcept {
  Bytes48 secret(size);
  if (Result<> done =
          prf_tls12(hash, premaster.view(), "extended master secret", session_hash.view(), {}, secret.bytes());
      !done)
    return std::unexpected(std::move(done.error()));
  return MainSecret12(hash, std::move(secret));
}

TLSCONNECT_DECL Result<MainSecret12> MainSecret12::from_randoms(HashAlgorithm hash, const PremasterSecret& premaster,
                                                                const HelloRandoms& randoms) noexcept {
  Bytes48 secret(size);
  if (Result<> done =
          prf_tls12(hash, premaster.view(), "master secret", randoms.client, randoms.server, secret.bytes());
      !done)
    return std::unexpected(std::move(done.error()));
  return MainSecret12(hash, std::move(secret));
}

TLSCONNECT_DECL Result<MainSecret12> MainSecret12::of_session(HashAlgorithm hash, BytesView secret) noexcept {
  if (secret.size() != size)
    return fail(ErrorCode::crypto_failed, "main secret", "it does not have 48 bytes");
  return MainSecret12(hash, Bytes48(secret));
}

TLSCONNECT_DECL Result<VerifyData12> MainSecret12::finished(std::string_view label,
                                                            const Digest& transcript) const noexcept {
  VerifyData12 verify_data{};
  if (Result<> done = prf_tls12(hash_, secret_.view(), label, transcript.view(), {}, verify_data); !done)
    return std::unexpected(std::move(done.error()));
  return verify_data;
}
TLSCONNECT_DECL Result<VerifyData12> MainSecret12::client_finished(const Digest& transcript) const noexcept {
  return finished("client finished", transcript);
}
TLSCONNECT_DECL Result<VerifyData12> MainSecret12::server_finished(const Digest& transcript) const noexcept {
  return finished("server finished", transcript);
}

TLSCONNECT_DECL Result<> MainSecret12::export_keying_material(const HelloRandoms& randoms, std::string_view label,
                                                              std::optional<BytesView> context, Bytes out) const {
  // RFC 5705, 4: labels of TLS itself give its own secrets; RFC 7627, 4 adds one.
  static constexpr std::string_view own[] = {"client finished", "server finished", "master secret", "key expansion",
                                             "extended master secret"};
  if (out.empty() || std::find(std::begin(own), std::end(own), label) != std::end(own))
    return fail(ErrorCode::export_not_available, "exporter", "the label or the length is out of range");
  ByteVector seed;
  if (context) {
    // RFC 5705, 4: a context stands behind its length, so it has at most 65535 bytes.
    if (context->size() > 0xFFFF)
      return fail(ErrorCode::export_not_available, "exporter", "the context is longer than 65535 bytes");
    seed = to_vector(randoms.server);
    seed.push_back(static_cast<std::uint8_t>(context->size() >> 8));
    seed.push_back(static_cast<std::uint8_t>(context->size()));
    seed.insert(seed.end(), context->begin(), context->end());
  }
  return prf_tls12(hash_, secret_.view(), label, randoms.client, context ? BytesView(seed) : BytesView(randoms.server),
                   out);
}

TLSCONNECT_DECL Result<KeyBlock12> KeyBlock12::derive(const SuiteParameters12& suite, BytesView main_secret,
                                                      const HelloRandoms& randoms) noexcept {
  const std::size_t key = key_length(suite.aead);
  const std::size_t iv = fixed_iv_length12(suite.aead);
  // RFC 5246, 6.3: AEADs need no keys for a MAC. Two keys of 32 bytes and two IVs of 12 at most.
  Secret<KeyBlockTag, 2 * 32 + 2 * 12> block(2 * key + 2 * iv);
  if (Result<> done =
          prf_tls12(suite.hash, main_secret, "key expansion", randoms.server, randoms.client, block.bytes());
      !done)
    return std::unexpected(std::move(done.error()));
  const BytesView all = block.view();
  using Part = Secret<KeyBlockTag>;
  return KeyBlock12{Part(all.first(key)), Part(all.subspan(key, key)), Part(all.subspan(2 * key, iv)),
                    Part(all.subspan(2 * key + iv, iv))};
}

TLSCONNECT_DECL Result<WriteProtection12> write_protection12(AeadAlgorithm aead, BytesView key, BytesView iv) noexcept {
  Result<AeadSealer> sealer = AeadSealer::create(aead, key);
  if (!sealer)
    return std::unexpected(std::move(sealer.error()));
  return WriteProtection12(aead, std::move(*sealer), TrafficIv(iv));
}

TLSCONNECT_DECL Result<ReadProtection12> read_protection12(AeadAlgorithm aead, BytesView key, BytesView iv) noexcept {
  Result<AeadOpener> opener = AeadOpener::create(aead, key);
  if (!opener)
    return std::unexpected(std::move(opener.error()));
  return ReadProtection12(aead, std::move(*opener), TrafficIv(iv));
}

TLSCONNECT_DECL Result<RecordKeys12> MainSecret12::record_keys(const SuiteParameters12& suite,
                                                               const HelloRandoms& randoms) const noexcept {
  const Result<KeyBlock12> block = KeyBlock12::derive(suite, secret_.view(), randoms);
  if (!block)
    return std::unexpected(block.error());
  Result<ReadProtection12> reading = read_protection12(suite.aead, block->server_key.view(), block->server_iv.view());
  if (!reading)
    return std::unexpected(std::move(reading.error()));
  Result<WriteProtection12> writing = write_protection12(suite.aead, block->client_key.view(), block->client_iv.view());
  if (!writing)
    return std::unexpected(std::move(writing.error()));
  return RecordKeys12{std::move(*reading), std::move(*writing)};
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
