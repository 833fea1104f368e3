// Authenticated encryption in place, for one direction and one key.
#pragma once

#include <memory>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Seals. Works in the caller's memory, copies nothing, and does not touch the heap after it was created.
class AeadSealer {
public:
  [[nodiscard]] static Result<AeadSealer> create(AeadAlgorithm algorithm, BytesView key) noexcept;
  AeadSealer(AeadSealer&&) noexcept;
  AeadSealer& operator=(AeadSealer&&) noexcept;
  ~AeadSealer();

  /// Encrypts `text` in place and writes its tag (16 bytes) to `tag`. `nonce` has 12 bytes and is used once.
  [[nodiscard]] Result<> seal(BytesView nonce, BytesView associated_data, Bytes text, Bytes tag) noexcept;

private:
  struct Impl;
  explicit AeadSealer(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// Opens; likewise.
class AeadOpener {
public:
  [[nodiscard]] static Result<AeadOpener> create(AeadAlgorithm algorithm, BytesView key) noexcept;
  AeadOpener(AeadOpener&&) noexcept;
  AeadOpener& operator=(AeadOpener&&) noexcept;
  ~AeadOpener();

  /// Decrypts `text` in place. `bad_record_mac` when the tag is not right; `text` is then wiped.
  [[nodiscard]] Result<> open(BytesView nonce, BytesView associated_data, Bytes text, BytesView tag) noexcept;

private:
  struct Impl;
  explicit AeadOpener(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/aead.ipp>
#endif
