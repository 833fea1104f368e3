// Record layers with keys, without a handshake.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <tlsconnect/record/record_layer.hpp>

namespace bench {

namespace tls = tlsconnect;

struct Suite {
  std::string_view name;
  std::string_view botan_name;
  tls::AeadAlgorithm algorithm;
};
inline constexpr std::array<Suite, 3> suites{{
    {"AES-128-GCM", "AES-128/GCM", tls::AeadAlgorithm::aes_128_gcm},
    {"AES-256-GCM", "AES-256/GCM", tls::AeadAlgorithm::aes_256_gcm},
    {"ChaCha20-Poly1305", "ChaCha20Poly1305", tls::AeadAlgorithm::chacha20_poly1305},
}};

/// The same for all: what they protect is no secret.
inline constexpr std::array<std::uint8_t, 32> key_bytes{0x42, 0x17, 3};
inline constexpr std::array<std::uint8_t, tls::aead_nonce_length> iv_bytes{1, 2, 3, 4};

template <class T>
[[nodiscard]] T valid(tls::Result<T> result) {
  if (!result)
    throw std::runtime_error(result.error().message());
  return std::move(*result);
}
inline void valid(const tls::Result<>& result) {
  if (!result)
    throw std::runtime_error(result.error().message());
}

[[nodiscard]] inline tls::BytesView key_of(const Suite& suite) {
  return tls::BytesView(key_bytes).first(tls::key_length(suite.algorithm));
}

/// A record layer that seals application data.
[[nodiscard]] inline tls::RecordLayer sealing_layer(const Suite& suite) {
  tls::RecordLayer layer;
  layer.set_write_protection(tls::WriteProtection(suite.algorithm,
                                                  valid(tls::AeadSealer::create(suite.algorithm, key_of(suite))),
                                                  tls::TrafficIv(tls::BytesView(iv_bytes))),
                             false);
  return layer;
}

/// A record layer that opens what a new sealing_layer() has sealed.
[[nodiscard]] inline tls::RecordLayer opening_layer(const Suite& suite) {
  tls::RecordLayer layer;
  layer.set_read_protection(valid(layer.aligned("bench")),
                            tls::ReadProtection(valid(tls::AeadOpener::create(suite.algorithm, key_of(suite))),
                                                tls::TrafficIv(tls::BytesView(iv_bytes))));
  layer.handshake_is_over();
  return layer;
}

/// `size` bytes of application data in records of `record` bytes each, sealed.
[[nodiscard]] inline tls::ByteVector sealed_stream(const Suite& suite, std::size_t size, std::size_t record) {
  tls::RecordLayer layer = sealing_layer(suite);
  const tls::ByteVector data(record, 0x61);
  tls::ByteVector stream;
  stream.reserve(size + (size / record + 1) * (tls::RecordHeader::size + 1 + tls::aead_tag_length));
  while (size > 0) {
    const std::size_t count = std::min(size, record);
    valid(layer.send_application_data(tls::BytesView(data).first(count)));
    const tls::BytesView out = layer.output().front();
    stream.insert(stream.end(), out.begin(), out.end());
    layer.output().sent(out.size());
    size -= count;
  }
  return stream;
}

/// Takes what records hold out of the layer. The number of bytes, and as `sum` something that depends on them.
inline std::size_t take_data(tls::RecordLayer& layer, unsigned& sum) {
  std::size_t count = 0;
  for (;;) {
    const tls::Incoming incoming = valid(layer.next());
    if (incoming.kind != tls::Incoming::Kind::application_data)
      return count;
    sum += incoming.application_data.front() + incoming.application_data.back();
    count += incoming.application_data.size();
  }
}

/// Gives a stream to the layer, at most `piece` bytes at a time, as recv() would. The number of bytes it held.
inline std::size_t open_stream(tls::RecordLayer& layer, tls::BytesView stream, std::size_t piece, unsigned& sum) {
  std::size_t opened = 0;
  while (!stream.empty()) {
    const tls::Bytes space = layer.receive_buffer();
    const std::size_t count = std::min({space.size(), stream.size(), piece});
    tls::copy_bytes(stream.first(count), space);
    stream = stream.subspan(count);
    layer.received(count);
    opened += take_data(layer, sum);
  }
  return opened;
}

} // namespace bench
