// Running hashes.
#pragma once

#include <memory>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/inplace_vector.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A hash value: 32, 48 or 64 bytes. Not a secret.
using Digest = InplaceVector<std::uint8_t, 64>;

/// A hash that is fed piece by piece; its value so far can be read at any time.
class Hash {
public:
  [[nodiscard]] static Result<Hash> create(HashAlgorithm algorithm) noexcept;
  Hash(Hash&&) noexcept;
  Hash& operator=(Hash&&) noexcept;
  ~Hash();

  [[nodiscard]] HashAlgorithm algorithm() const noexcept;
  [[nodiscard]] Result<> update(BytesView data) noexcept;
  /// The hash of all that was fed so far; feeding can go on afterwards.
  [[nodiscard]] Result<Digest> current() const noexcept;
  /// Another hash in the same state.
  [[nodiscard]] Result<Hash> clone() const noexcept;

private:
  struct Impl;
  explicit Hash(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// The hash of one piece of data.
[[nodiscard]] Result<Digest> hash_of(HashAlgorithm algorithm, BytesView data) noexcept;
/// The SHA-1 of one piece of data, 20 bytes: the name by which OCSP calls issuers and keys (RFC 6960, 4.1.1 and 4.2.1).
/// Nothing may rest on it but that.
[[nodiscard]] Result<Digest> sha1_name_of(BytesView data) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/hash.ipp>
#endif
