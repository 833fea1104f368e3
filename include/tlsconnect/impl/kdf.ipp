// HMAC and HKDF. A handshake derives some 25 secrets, so this is written straight over one hash object: Botan's own
// HMAC and KDF objects would be looked up by name and allocated anew for each of them.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string_view>

#include <botan/hash.h>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/impl/hash.ipp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Bytes on the stack that are wiped when they go, whichever way that is.
template <std::size_t N>
struct WipedBytes {
  WipedBytes() = default;
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() { wipe(bytes); }
  std::array<std::uint8_t, N> bytes{};
};

/// HMAC with one key, for any number of messages one after the other (RFC 2104). Throws what Botan throws.
class Hmac {
public:
  Hmac(HashAlgorithm algorithm, BytesView key)
      : function_(Botan::HashFunction::create_or_throw(botan_name(algorithm))),
        block_length_(algorithm == HashAlgorithm::sha256 ? 64 : 128), length_(hash_length(algorithm)) {
    // RFC 2104, 2: a key longer than a block is replaced by its hash; a shorter one is filled up with zeros.
    if (key.size() > block_length_) {
      function_->update(key);
      function_->final(std::span(key_.bytes).first(length_));
    } else {
      copy_bytes(key, key_.bytes);
    }
    begin();
  }

  void update(BytesView data) {
    if (!data.empty())
      function_->update(data);
  }
  /// Writes the code, hash_length() bytes, and makes ready for the next message if there is one.
  void finish(Bytes out, bool another) {
    const Bytes code = out.first(length_);
    function_->final(code); // the inner hash; `out` holds it until the outer one replaces it
    feed_padded_key(0x5C);
    function_->update(code);
    function_->final(code);
    if (another)
      begin();
  }

private:
  void begin() { feed_padded_key(0x36); }
  void feed_padded_key(std::uint8_t pad) {
    WipedBytes<128> block;
    for (std::size_t i = 0; i < block_length_; ++i)
      block.bytes[i] = static_cast<std::uint8_t>(key_.bytes[i] ^ pad);
    function_->update(block.bytes.data(), block_length_);
  }

  std::unique_ptr<Botan::HashFunction> function_; // Botan wipes what it holds
  WipedBytes<128> key_;
  std::size_t block_length_;
  std::size_t length_;
};

} // namespace detail

TLSCONNECT_DECL Result<> hmac(HashAlgorithm hash, BytesView key, BytesView data, Bytes out) noexcept {
  if (out.size() != hash_length(hash))
    return fail(ErrorCode::crypto_failed, "HMAC", "the output must be as long as the hash");
  return detail::botan_guard(ErrorCode::crypto_failed, "HMAC", [&]() -> Result<> {
    detail::Hmac mac(hash, key);
    mac.update(data);
    mac.finish(out, false);
    return {};
  });
}

TLSCONNECT_DECL Result<> hkdf_extract(HashAlgorithm hash, BytesView salt, BytesView input_key_material,
                                      Bytes out) noexcept {
  // RFC 5869, 2.2: the salt is HMAC's key. One that is absent stands for a hash's length of zeros, which is what
  // HMAC makes of an empty key as well.
  return hmac(hash, salt, input_key_material, out);
}

TLSCONNECT_DECL Result<> hkdf_expand(HashAlgorithm hash, BytesView pseudo_random_key, BytesView info,
                                     Bytes out) noexcept {
  // RFC 5869, 2.3: at most 255 blocks, because the counter behind each is one byte.
  const std::size_t length = hash_length(hash);
  if (out.size() > 255 * length)
    return fail(ErrorCode::crypto_failed, "HKDF-Expand", "more than 255 blocks were asked for");
  if (out.empty())
    return {};
  return detail::botan_guard(ErrorCode::crypto_failed, "HKDF-Expand", [&]() -> Result<> {
    detail::Hmac mac(hash, pseudo_random_key);
    BytesView previous;
    for (std::uint8_t counter = 1; !out.empty(); ++counter) {
      mac.update(previous);
      mac.update(info);
      mac.update({&counter, 1});
      if (out.size() < length) {
        detail::WipedBytes<64> block;
        mac.finish(block.bytes, false);
        copy_bytes(std::span(block.bytes).first(out.size()), out);
        return {};
      }
      mac.finish(out, out.size() > length);
      previous = out.first(length);
      out = out.subspan(length);
    }
    return {};
  });
}

TLSCONNECT_DECL Result<> hkdf_expand_label(HashAlgorithm hash, BytesView secret, std::string_view label,
                                           BytesView context, Bytes out) noexcept {
  // RFC 9846, 7.1: struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel, in which the
  // label begins with "tls13 ". It holds no secret: the context is a transcript hash or empty.
  constexpr std::string_view prefix = "tls13 ";
  if (label.size() > 255 - prefix.size() || context.size() > 255)
    return fail(ErrorCode::crypto_failed, "HKDF-Expand-Label", "the label or the context has a wrong length");
  std::array<std::uint8_t, 2 + 1 + 255 + 1 + 255> info;
  std::size_t size = 0;
  const auto put_byte = [&](std::size_t value) { info[size++] = static_cast<std::uint8_t>(value); };
  const auto put = [&](BytesView bytes) {
    copy_bytes(bytes, std::span(info).subspan(size));
    size += bytes.size();
  };
  put_byte(out.size() >> 8); // 255 blocks, the most that HKDF-Expand gives, fit in two bytes
  put_byte(out.size() & 0xFF);
  put_byte(prefix.size() + label.size());
  put(as_bytes(prefix));
  put(as_bytes(label));
  put_byte(context.size());
  put(context);
  return hkdf_expand(hash, secret, std::span(info).first(size), out);
}

TLSCONNECT_DECL Result<> prf_tls12(HashAlgorithm hash, BytesView secret, std::string_view label, BytesView seed,
                                   BytesView more_seed, Bytes out) noexcept {
  if (out.empty())
    return {};
  const std::size_t length = hash_length(hash);
  return detail::botan_guard(ErrorCode::crypto_failed, "PRF", [&]() -> Result<> {
    detail::Hmac mac(hash, secret);
    const auto feed_seed = [&] {
      mac.update(as_bytes(label));
      mac.update(seed);
      mac.update(more_seed);
    };
    // RFC 5246, 5: A(0) is the seed, A(i) = HMAC(secret, A(i-1)), and block i of the output HMAC(secret, A(i) + seed).
    detail::WipedBytes<64> chain;
    const Bytes a = std::span(chain.bytes).first(length);
    feed_seed();
    mac.finish(a, true);
    for (;;) {
      mac.update(a);
      feed_seed();
      detail::WipedBytes<64> block;
      mac.finish(block.bytes, out.size() > length);
      const std::size_t count = std::min(out.size(), length);
      copy_bytes(std::span(block.bytes).first(count), out);
      out = out.subspan(count);
      if (out.empty())
        return {};
      mac.update(a);
      mac.finish(a, true);
    }
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
