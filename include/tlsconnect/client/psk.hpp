// External pre-shared keys: secrets that client and server have from elsewhere (RFC 9846, 2.2; RFC 9257; RFC 9258).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What a key is imported from (RFC 9258, 4 and 5). Client and server must agree on all of it.
struct PskImport {
  BytesView external_identity; ///< the key's name outside of TLS, 1 to 65535 bytes
  BytesView context;           ///< what the key was agreed for: roles, names, a channel binding; may be empty
  BytesView key;               ///< the key itself, 16 bytes or more
  HashAlgorithm hash = HashAlgorithm::sha256; ///< the hash that belongs to the key; SHA-256 where none does
};

/// A pre-shared key with its name. A value: copies share one key, which nobody can change and which is wiped with the
/// last of them. The key must be random; a password will not do, since an observer of one handshake can try all
/// passwords (RFC 9846, 2.2). The identity is sent in the clear.
class ExternalPsk {
public:
  /// RFC 9257, 6: a key must hold at least 128 bits of entropy.
  static constexpr std::size_t shortest_key = 16;
  /// More than this brings nothing; pass a hash of a longer secret.
  static constexpr std::size_t longest_key = 255;

  /// A key that is used as it is. Identities have 1 to 65535 bytes, keys `shortest_key` to `longest_key`. `hash` is
  /// SHA-256 or SHA-384: the key can be used with the cipher suites of that hash alone (RFC 9846, 4.2.11). Anything
  /// else is `credential_invalid`, with the reason.
  [[nodiscard]] static Result<ExternalPsk> create(BytesView identity, BytesView key,
                                                  HashAlgorithm hash = HashAlgorithm::sha256) noexcept;

  /// The keys for TLS 1.3 that follow from one external key (RFC 9258), one for each of `targets`, the hashes of the
  /// cipher suites that they are for: SHA-256 or SHA-384, each at most once. To be preferred to `create` where the
  /// server can do it: a key that is imported cannot be turned against its other uses. A key that is imported must
  /// never be used as it is as well. Anything that cannot be imported is `credential_invalid`, with the reason.
  [[nodiscard]] static Result<std::vector<ExternalPsk>> import_from(const PskImport& source,
                                                                    std::span<const HashAlgorithm> targets) noexcept;
  /// For the hashes of all cipher suites of TLS 1.3.
  [[nodiscard]] static Result<std::vector<ExternalPsk>> import_from(const PskImport& source) noexcept;

  /// What stands for the key in the ClientHello; an ImportedIdentity where the key is imported.
  [[nodiscard]] BytesView identity() const noexcept;
  /// The secret key.
  [[nodiscard]] BytesView key() const noexcept;
  /// The hash of the cipher suites that the key can be used with.
  [[nodiscard]] HashAlgorithm hash() const noexcept;
  /// Whether RFC 9258 was applied: binders are then made with "imp binder", otherwise with "ext binder".
  [[nodiscard]] bool imported() const noexcept;

private:
  struct State;
  explicit ExternalPsk(std::shared_ptr<const State> state) noexcept;
  [[nodiscard]] static Result<std::vector<ExternalPsk>> import_or_throw(const PskImport& source,
                                                                        std::span<const HashAlgorithm> targets);

  std::shared_ptr<const State> state_; // never null, but in what was moved from
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/psk.ipp>
#endif
