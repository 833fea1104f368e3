// Hashes, on Botan's HashFunction.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <botan/hash.h>

#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/hash.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

[[nodiscard]] constexpr std::string_view botan_name(HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
  case HashAlgorithm::sha256:
    return "SHA-256";
  case HashAlgorithm::sha384:
    return "SHA-384";
  case HashAlgorithm::sha512:
    return "SHA-512";
  }
  return {};
}

/// Ends `function` and takes its value; throws what Botan throws.
[[nodiscard]] inline Result<Digest> final_digest(Botan::HashFunction& function) {
  std::uint8_t value[Digest::capacity()];
  const std::size_t length = function.output_length();
  if (length > sizeof value)
    return fail(ErrorCode::crypto_failed, "hash", "the hash is longer than 64 bytes");
  function.final(value);
  Digest digest;
  (void)digest.assign({value, length}); // fits: checked above
  return digest;
}

} // namespace detail

struct Hash::Impl {
  HashAlgorithm algorithm;
  std::unique_ptr<Botan::HashFunction> function;
};

TLSCONNECT_DECL Hash::Hash(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TLSCONNECT_DECL Hash::Hash(Hash&&) noexcept = default;
TLSCONNECT_DECL Hash& Hash::operator=(Hash&&) noexcept = default;
TLSCONNECT_DECL Hash::~Hash() = default;

TLSCONNECT_DECL Result<Hash> Hash::create(HashAlgorithm algorithm) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<Hash> {
    return Hash(
        std::make_unique<Impl>(Impl{algorithm, Botan::HashFunction::create_or_throw(detail::botan_name(algorithm))}));
  });
}

TLSCONNECT_DECL HashAlgorithm Hash::algorithm() const noexcept { return impl_->algorithm; }

TLSCONNECT_DECL Result<> Hash::update(BytesView data) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<> {
    impl_->function->update(data);
    return {};
  });
}

TLSCONNECT_DECL Result<Digest> Hash::current() const noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<Digest> {
    // Reading Botan's hash resets it; a copy is read, so that feeding can go on.
    return detail::final_digest(*impl_->function->copy_state());
  });
}

TLSCONNECT_DECL Result<Hash> Hash::clone() const noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<Hash> {
    return Hash(std::make_unique<Impl>(Impl{impl_->algorithm, impl_->function->copy_state()}));
  });
}

TLSCONNECT_DECL Result<Digest> hash_of(HashAlgorithm algorithm, BytesView data) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<Digest> {
    const auto function = Botan::HashFunction::create_or_throw(detail::botan_name(algorithm));
    function->update(data);
    return detail::final_digest(*function);
  });
}

TLSCONNECT_DECL Result<Digest> sha1_name_of(BytesView data) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "hash", [&]() -> Result<Digest> {
    const auto function = Botan::HashFunction::create_or_throw("SHA-1");
    function->update(data);
    return detail::final_digest(*function);
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
