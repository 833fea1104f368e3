#pragma once

#include <array>
#include <utility>

#include <tlsconnect/handshake/transcript.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<> Transcript::add(BytesView message) {
  if (!hash_ || keep_)
    kept_.insert(kept_.end(), message.begin(), message.end());
  return hash_ ? hash_->update(message) : Result<>();
}

TLSCONNECT_DECL Result<> Transcript::start(HashAlgorithm algorithm, bool keep) {
  if (hash_)
    return {};
  Result<Hash> hash = Hash::create(algorithm);
  if (!hash)
    return std::unexpected(std::move(hash.error()));
  hash_.emplace(std::move(*hash));
  keep_ = keep;
  if (keep_)
    return hash_->update(kept_);
  const ByteVector kept = std::exchange(kept_, {});
  return hash_->update(kept);
}

TLSCONNECT_DECL void Transcript::forget_messages() noexcept {
  if (std::exchange(keep_, false))
    kept_ = ByteVector();
}

TLSCONNECT_DECL Result<> Transcript::fold_first_hello() {
  Result<Digest> digest = current();
  if (!digest)
    return std::unexpected(std::move(digest.error()));
  Result<Hash> hash = Hash::create(hash_->algorithm());
  if (!hash)
    return std::unexpected(std::move(hash.error()));
  hash_.emplace(std::move(*hash));
  const std::array<std::uint8_t, 4> header{static_cast<std::uint8_t>(HandshakeType::message_hash), 0, 0,
                                           static_cast<std::uint8_t>(digest->size())};
  if (Result<> added = hash_->update(header); !added)
    return added;
  return hash_->update(digest->view());
}

TLSCONNECT_DECL Result<Digest> Transcript::current() const {
  if (!hash_)
    return fail(ErrorCode::crypto_failed, "transcript", "the hash is not known yet");
  return hash_->current();
}

TLSCONNECT_DECL Result<Digest> Transcript::with(HashAlgorithm algorithm, BytesView more) const {
  Result<Hash> hash = hash_ ? hash_->clone() : Hash::create(algorithm);
  if (!hash)
    return std::unexpected(std::move(hash.error()));
  if (hash->algorithm() != algorithm)
    return fail(ErrorCode::crypto_failed, "transcript", "another hash is in use");
  if (!hash_)
    if (Result<> added = hash->update(kept_); !added)
      return std::unexpected(std::move(added.error()));
  if (Result<> added = hash->update(more); !added)
    return std::unexpected(std::move(added.error()));
  return hash->current();
}

TLSCONNECT_DECL Result<Transcript> Transcript::clone() const {
  Transcript copy;
  copy.kept_ = kept_;
  copy.keep_ = keep_;
  if (hash_) {
    Result<Hash> hash = hash_->clone();
    if (!hash)
      return std::unexpected(std::move(hash.error()));
    copy.hash_.emplace(std::move(*hash));
  }
  return copy;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
