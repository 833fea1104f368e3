// Record protection: one key, one direction, one sequence of nonces (RFC 9846, 5.2 to 5.5; TLS 1.2: RFC 5246, 6.2.3.3).
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/aead.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct TrafficIvTag;
/// The 12 bytes that are combined with the sequence number to make nonces; the salt of 4 bytes for AES-GCM in TLS 1.2.
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

namespace detail {

/// The numbers of TLS 1.2's records, and what is made of them.
class RecordNumbers12 {
public:
  RecordNumbers12(AeadAlgorithm algorithm, TrafficIv iv) noexcept : iv_(std::move(iv)), algorithm_(algorithm) {}

  [[nodiscard]] std::size_t explicit_length() const noexcept { return explicit_nonce_length12(algorithm_); }
  /// Goes on to the next record, whose nonce and additional data these are. `carried` is the part of the nonce that the
  /// record carries. False at the end: no number may come twice (RFC 5246, 6.1).
  [[nodiscard]] bool next(BytesView carried, ContentType type, std::size_t plaintext_length) noexcept {
    if (number_ == ~std::uint64_t{0} || iv_.size() != fixed_iv_length12(algorithm_) ||
        carried.size() != explicit_length())
      return false;
    for (std::size_t i = 0; i < 8; ++i)
      additional_data_[i] = static_cast<std::uint8_t>(number_ >> (56 - 8 * i));
    // RFC 5246, 6.2.3.3: the number, the type, the version, and the length of what is protected.
    additional_data_[8] = static_cast<std::uint8_t>(type);
    additional_data_[9] = 3;
    additional_data_[10] = 3;
    additional_data_[11] = static_cast<std::uint8_t>(plaintext_length >> 8);
    additional_data_[12] = static_cast<std::uint8_t>(plaintext_length);
    copy_bytes(iv_.view(), nonce_);
    if (carried.empty()) {
      // RFC 7905, 2: the number, padded on the left, exclusive-or the IV.
      for (std::size_t i = 0; i < 8; ++i)
        nonce_[4 + i] = static_cast<std::uint8_t>(nonce_[4 + i] ^ additional_data_[i]);
    } else {
      // RFC 5288, 3: the salt, and what the record carries.
      copy_bytes(carried, Bytes(nonce_).subspan(iv_.size()));
    }
    ++number_;
    return true;
  }
  [[nodiscard]] BytesView nonce() const noexcept { return nonce_; }
  [[nodiscard]] BytesView additional_data() const noexcept { return additional_data_; }
  /// What this side's next record carries: its number, which never comes twice (RFC 5288, 3).
  [[nodiscard]] std::array<std::uint8_t, 8> carried_next() const noexcept {
    std::array<std::uint8_t, 8> carried{};
    for (std::size_t i = 0; i < 8; ++i)
      carried[i] = static_cast<std::uint8_t>(number_ >> (56 - 8 * i));
    return carried;
  }

private:
  TrafficIv iv_; // all of the nonce, or the salt in front of what each record carries
  std::uint64_t number_ = 0;
  std::array<std::uint8_t, aead_nonce_length> nonce_{};
  std::array<std::uint8_t, 13> additional_data_{};
  AeadAlgorithm algorithm_;
};

} // namespace detail

/// Seals the records of one key of TLS 1.2.
class WriteProtection12 {
public:
  WriteProtection12(AeadAlgorithm algorithm, AeadSealer sealer, TrafficIv iv) noexcept
      : sealer_(std::move(sealer)), numbers_(algorithm, std::move(iv)) {}

  /// By how much a record's fragment is longer than its content.
  [[nodiscard]] std::size_t overhead() const noexcept { return numbers_.explicit_length() + aead_tag_length; }
  /// `fragment` has room for the part of the nonce that it carries, holds the content behind it, and has room for the
  /// tag.
  [[nodiscard]] Result<> seal(ContentType type, Bytes fragment) noexcept {
    const std::size_t carried = numbers_.explicit_length();
    const Bytes text = fragment.subspan(carried, fragment.size() - overhead());
    const auto number = numbers_.carried_next();
    copy_bytes(BytesView(number).first(carried), fragment);
    if (!numbers_.next(fragment.first(carried), type, text.size()))
      return fail(ErrorCode::key_limit_reached, "record");
    return sealer_.seal(numbers_.nonce(), numbers_.additional_data(), text, fragment.last(aead_tag_length));
  }

private:
  AeadSealer sealer_;
  detail::RecordNumbers12 numbers_;
};

/// Opens the records of one key of TLS 1.2.
class ReadProtection12 {
public:
  ReadProtection12(AeadAlgorithm algorithm, AeadOpener opener, TrafficIv iv) noexcept
      : opener_(std::move(opener)), numbers_(algorithm, std::move(iv)) {}

  /// The content of a record's fragment, which is where it was.
  [[nodiscard]] Result<Bytes> open(ContentType type, Bytes fragment) noexcept {
    const std::size_t carried = numbers_.explicit_length();
    // RFC 5246, 6.2.3.3: what is shorter than the nonce and the tag cannot be authentic.
    if (fragment.size() < carried + aead_tag_length)
      return fail(ErrorCode::bad_record_mac, "record");
    const Bytes text = fragment.subspan(carried, fragment.size() - carried - aead_tag_length);
    if (!numbers_.next(fragment.first(carried), type, text.size()))
      return fail(ErrorCode::key_limit_reached, "record");
    if (Result<> opened =
            opener_.open(numbers_.nonce(), numbers_.additional_data(), text, fragment.last(aead_tag_length));
        !opened)
      return std::unexpected(std::move(opened.error()).at("record"));
    return text;
  }

private:
  AeadOpener opener_;
  detail::RecordNumbers12 numbers_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
