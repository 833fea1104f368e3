// The transcript: the hash of all handshake messages so far (RFC 9846, 4.1).
#pragma once

#include <optional>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/hash.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Keeps messages until the hash is known, and hashes from then on. May throw std::bad_alloc.
class Transcript {
public:
  /// A whole message with its header.
  [[nodiscard]] Result<> add(BytesView message);
  /// The cipher suite is known, and with it the hash. With `keep`, the messages are kept all the same: what a client signs
  /// in TLS 1.2 is the messages, and with which hash shows only then (RFC 5246, 7.4.8).
  [[nodiscard]] Result<> start(HashAlgorithm hash, bool keep = false);
  /// All messages, while they are kept.
  [[nodiscard]] BytesView messages() const noexcept { return kept_; }
  void forget_messages() noexcept;
  /// A HelloRetryRequest was received: the first ClientHello is replaced with a message that holds its hash
  /// (RFC 9846, 4.4.1). To be called after start() and before the HelloRetryRequest is added.
  [[nodiscard]] Result<> fold_first_hello();
  [[nodiscard]] Result<Digest> current() const;
  /// What current() would be with `hash` and after `more` was added: for a ClientHello that is not finished yet.
  [[nodiscard]] Result<Digest> with(HashAlgorithm hash, BytesView more) const;
  /// Another transcript that goes on from here.
  [[nodiscard]] Result<Transcript> clone() const;

private:
  std::optional<Hash> hash_;
  ByteVector kept_;
  bool keep_ = false; // although the hash is known
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/transcript.ipp>
#endif
