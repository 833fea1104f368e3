// Record protection (RFC 9846, 5.2 to 5.5): one key, one direction, one sequence of nonces.
#pragma once

#include <cstdint>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/aead.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct TrafficIvTag;
/// The 12 bytes that are combined with the sequence number to make nonces.
using TrafficIv = Secret<TrafficIvTag, aead_nonce_length>;

namespace detail {

/// RFC 9846, 5.3: the sequence number, big-endian, padded on the left, exclusive-or the IV.
class NonceSequence {
public:
  explicit NonceSequence(TrafficIv iv) noexcept : iv_(std::move(iv)) {}
  /// The next nonce; nothing after 2^64 - 1 of them, since none may come twice.
  [[nodiscard]] bool next(std::uint8_t (&nonce)[aead_nonce_length]) noexcept {
    if (number_ == ~std::uint64_t{0} || iv_.size() != aead_nonce_length)
      return false;
    copy_bytes(iv_.view(), nonce);
    for (std::size_t i = 0; i < 8; ++i)
      nonce[aead_nonce_length - 1 - i] =
          static_cast<std::uint8_t>(nonce[aead_nonce_length - 1 - i] ^ static_cast<std::uint8_t>(number_ >> (8 * i)));
    ++number_;
    return true;
  }
  [[nodiscard]] std::uint64_t used() const noexcept { return number_; }

private:
  TrafficIv iv_;
  std::uint64_t number_ = 0;
};

} // namespace detail

/// Seals the records of one key.
class WriteProtection {
public:
  WriteProtection(AeadAlgorithm algorithm, AeadSealer sealer, TrafficIv iv) noexcept
      : sealer_(std::move(sealer)), nonces_(std::move(iv)), algorithm_(algorithm) {}

  [[nodiscard]] Result<> seal(BytesView header, Bytes inner_plaintext, Bytes tag) noexcept {
    std::uint8_t nonce[aead_nonce_length];
    if (!nonces_.next(nonce))
      return fail(ErrorCode::key_limit_reached, "record");
    return sealer_.seal(nonce, header, inner_plaintext, tag);
  }
  /// RFC 9846, 5.5: how many records a key may seal. True: send a KeyUpdate before the next one.
  [[nodiscard]] bool wants_key_update() const noexcept {
    return nonces_.used() >= (algorithm_ == AeadAlgorithm::chacha20_poly1305 ? limits::records_per_key_chacha20
                                                                            : limits::records_per_key_aes_gcm);
  }

private:
  AeadSealer sealer_;
  detail::NonceSequence nonces_;
  AeadAlgorithm algorithm_;
};

/// Opens the records of one key.
class ReadProtection {
public:
  ReadProtection(AeadOpener opener, TrafficIv iv) noexcept : opener_(std::move(opener)), nonces_(std::move(iv)) {}

  [[nodiscard]] Result<> open(BytesView header, Bytes ciphertext, BytesView tag) noexcept {
    std::uint8_t nonce[aead_nonce_length];
    if (!nonces_.next(nonce))
      return fail(ErrorCode::key_limit_reached, "record");
    return opener_.open(nonce, header, ciphertext, tag);
  }

private:
  AeadOpener opener_;
  detail::NonceSequence nonces_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
