// AEADs, on Botan's streaming modes: they take the text where it stands, so nothing is copied.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <botan/aead.h>
#include <botan/exceptn.h>
#include <botan/secmem.h>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/aead.hpp>
#include <tlsconnect/crypto/botan.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

[[nodiscard]] constexpr std::string_view botan_name(AeadAlgorithm algorithm) noexcept {
  switch (algorithm) {
  case AeadAlgorithm::aes_128_gcm:
    return "AES-128/GCM(16)";
  case AeadAlgorithm::aes_256_gcm:
    return "AES-256/GCM(16)";
  case AeadAlgorithm::chacha20_poly1305:
    return "ChaCha20Poly1305";
  }
  return {};
}

/// One direction of an AEAD with its key; what both directions share.
struct AeadMode {
  std::unique_ptr<Botan::AEAD_Mode> mode;
  Botan::secure_vector<std::uint8_t> tag; // holds nothing but the tag, and never grows

  /// Makes ready for a text; throws what Botan throws.
  void start(BytesView nonce, BytesView associated_data) {
    mode->set_associated_data(associated_data);
    mode->start(nonce);
  }
  void process(Bytes text) {
    if (!text.empty())
      mode->process(text);
  }
  /// After a failure: nothing of the text that failed stays behind, and the next one can start.
  void reset() noexcept {
    try {
      mode->reset();
    } catch (...) {
      // The mode still refuses to start a text then, and says so.
    }
  }
};

/// Throws what Botan throws.
[[nodiscard]] inline Result<AeadMode> create_aead_mode(AeadAlgorithm algorithm, BytesView key,
                                                       Botan::Cipher_Dir direction) {
  AeadMode made{Botan::AEAD_Mode::create_or_throw(botan_name(algorithm), direction), {}};
  // All of the text must go through process(), byte for byte in place, and leave nothing but the tag to finish().
  if (made.mode->update_granularity() != 1 || made.mode->requires_entire_message() ||
      made.mode->tag_size() != aead_tag_length || !made.mode->valid_nonce_length(aead_nonce_length))
    return fail(ErrorCode::crypto_failed, "AEAD", "Botan's mode cannot work in place");
  made.mode->set_key(key); // refuses a key of any other length than the algorithm's
  made.tag.reserve(aead_tag_length);
  if (algorithm == AeadAlgorithm::chacha20_poly1305) {
    // Botan takes the memory for the associated data and for the powers of Poly1305's key when it first needs them,
    // the latter only for a text of some hundred bytes. One text that nobody sees makes it do so now.
    std::array<std::uint8_t, 512> text{};
    const std::array<std::uint8_t, aead_nonce_length> nonce{};
    made.start(nonce, std::span(text).first(16));
    made.process(text);
    wipe(text);
    made.mode->reset();
  }
  return made;
}

} // namespace detail

struct AeadSealer::Impl : detail::AeadMode {};

TLSCONNECT_DECL AeadSealer::AeadSealer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TLSCONNECT_DECL AeadSealer::AeadSealer(AeadSealer&&) noexcept = default;
TLSCONNECT_DECL AeadSealer& AeadSealer::operator=(AeadSealer&&) noexcept = default;
TLSCONNECT_DECL AeadSealer::~AeadSealer() = default;

TLSCONNECT_DECL Result<AeadSealer> AeadSealer::create(AeadAlgorithm algorithm, BytesView key) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "AEAD", [&]() -> Result<AeadSealer> {
    auto mode = detail::create_aead_mode(algorithm, key, Botan::Cipher_Dir::Encryption);
    if (!mode)
      return std::unexpected(std::move(mode).error());
    return AeadSealer(std::make_unique<Impl>(Impl{std::move(*mode)}));
  });
}

TLSCONNECT_DECL Result<> AeadSealer::seal(BytesView nonce, BytesView associated_data, Bytes text, Bytes tag) noexcept {
  Result<> result = detail::botan_guard(ErrorCode::crypto_failed, "AEAD", [&]() -> Result<> {
    if (nonce.size() != aead_nonce_length || tag.size() != aead_tag_length)
      return fail(ErrorCode::crypto_failed, "AEAD", "the nonce or the tag has the wrong length");
    impl_->start(nonce, associated_data);
    impl_->process(text);
    impl_->tag.clear();
    impl_->mode->finish(impl_->tag);
    copy_bytes(impl_->tag, tag);
    return {};
  });
  if (!result) {
    // Plain text that was not sealed must not leave by mistake.
    wipe(text);
    impl_->reset();
  }
  return result;
}

struct AeadOpener::Impl : detail::AeadMode {};

TLSCONNECT_DECL AeadOpener::AeadOpener(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TLSCONNECT_DECL AeadOpener::AeadOpener(AeadOpener&&) noexcept = default;
TLSCONNECT_DECL AeadOpener& AeadOpener::operator=(AeadOpener&&) noexcept = default;
TLSCONNECT_DECL AeadOpener::~AeadOpener() = default;

TLSCONNECT_DECL Result<AeadOpener> AeadOpener::create(AeadAlgorithm algorithm, BytesView key) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "AEAD", [&]() -> Result<AeadOpener> {
    auto mode = detail::create_aead_mode(algorithm, key, Botan::Cipher_Dir::Decryption);
    if (!mode)
      return std::unexpected(std::move(mode).error());
    return AeadOpener(std::make_unique<Impl>(Impl{std::move(*mode)}));
  });
}

TLSCONNECT_DECL Result<> AeadOpener::open(BytesView nonce, BytesView associated_data, Bytes text,
                                          BytesView tag) noexcept {
  Result<> result = detail::botan_guard(ErrorCode::crypto_failed, "AEAD", [&]() -> Result<> {
    if (nonce.size() != aead_nonce_length || tag.size() != aead_tag_length)
      return fail(ErrorCode::crypto_failed, "AEAD", "the nonce or the tag has the wrong length");
    impl_->start(nonce, associated_data);
    impl_->process(text);
    impl_->tag.assign(tag.begin(), tag.end());
    try {
      // Compares the tags in constant time.
      impl_->mode->finish(impl_->tag);
    } catch (const Botan::Invalid_Authentication_Tag&) {
      return fail(ErrorCode::bad_record_mac);
    }
    return {};
  });
  if (!result) {
    // RFC 5116, 2.2: of a text that is not authentic nothing may be released. It was decrypted in place, so it goes.
    wipe(text);
    impl_->reset();
  }
  return result;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
