// The keys of TLS 1.2: the main secret, what follows from it for records and Finished, and exporters (RFC 5246, 6.3, 7.4.9
// and 8.1; RFC 7627; RFC 5705).
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/record/protection.hpp>
#include <tlsconnect/wire/hello.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct PremasterSecretTag;
struct MainSecret12Tag;
/// The shared secret of the key exchange; with a pre-shared key, that and the key, each behind its length (RFC 4279, 2;
/// RFC 5489, 2).
using PremasterSecret = Secret<PremasterSecretTag, 2 + 255 + 2 + 255>;

/// `other` is the shared secret of ECDHE; empty where there is none, and zeros, as many as the key is long, stand for it.
/// Empty, which no secret is, when the key is longer than 255 bytes.
[[nodiscard]] PremasterSecret psk_premaster_secret(BytesView psk, BytesView other) noexcept;

/// verify_data of a Finished: 12 bytes (RFC 5246, 7.4.9).
using VerifyData12 = std::array<std::uint8_t, 12>;

/// The randoms of the two hellos.
struct HelloRandoms {
  Random client{};
  Random server{};
};

/// What both directions of the record layer are keyed with.
struct RecordKeys12 {
  ReadProtection12 reading;
  WriteProtection12 writing;
};

/// The main secret ("master secret" in RFC 5246): 48 bytes, from which everything else comes.
class MainSecret12 {
public:
  static constexpr std::size_t size = 48;

  /// RFC 7627, 4: bound to the handshake up to ClientKeyExchange by its hash.
  [[nodiscard]] static Result<MainSecret12> extended(HashAlgorithm hash, const PremasterSecret& premaster,
                                                     const Digest& session_hash) noexcept;
  /// RFC 5246, 8.1: bound to the randoms alone.
  [[nodiscard]] static Result<MainSecret12> from_randoms(HashAlgorithm hash, const PremasterSecret& premaster,
                                                         const HelloRandoms& randoms) noexcept;
  /// Of a session that is resumed; `secret` has 48 bytes.
  [[nodiscard]] static Result<MainSecret12> of_session(HashAlgorithm hash, BytesView secret) noexcept;

  [[nodiscard]] HashAlgorithm hash() const noexcept { return hash_; }
  [[nodiscard]] BytesView view() const noexcept { return secret_.view(); }

  /// RFC 5246, 6.3: the keys of the client's side of the connection.
  [[nodiscard]] Result<RecordKeys12> record_keys(const SuiteParameters12& suite,
                                                 const HelloRandoms& randoms) const noexcept;
  /// RFC 5246, 7.4.9; the transcript is that of all messages before the Finished.
  [[nodiscard]] Result<VerifyData12> client_finished(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<VerifyData12> server_finished(const Digest& transcript) const noexcept;
  /// RFC 5705, 4. No context and an empty one give different material. `export_not_available` for a label that TLS 1.2
  /// itself uses.
  [[nodiscard]] Result<> export_keying_material(const HelloRandoms& randoms, std::string_view label,
                                                std::optional<BytesView> context, Bytes out) const;

private:
  using Bytes48 = Secret<MainSecret12Tag, size>;
  MainSecret12(HashAlgorithm hash, Bytes48 secret) noexcept : hash_(hash), secret_(std::move(secret)) {}
  [[nodiscard]] Result<VerifyData12> finished(std::string_view label, const Digest& transcript) const noexcept;

  HashAlgorithm hash_;
  Bytes48 secret_;
};

/// The keys of either side, as they stand in the key block (RFC 5246, 6.3): what a test's server needs too.
struct KeyBlockTag;
struct KeyBlock12 {
  Secret<KeyBlockTag> client_key, server_key, client_iv, server_iv;
  [[nodiscard]] static Result<KeyBlock12> derive(const SuiteParameters12& suite, BytesView main_secret,
                                                 const HelloRandoms& randoms) noexcept;
};
[[nodiscard]] Result<WriteProtection12> write_protection12(AeadAlgorithm aead, BytesView key, BytesView iv) noexcept;
[[nodiscard]] Result<ReadProtection12> read_protection12(AeadAlgorithm aead, BytesView key, BytesView iv) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_schedule12.ipp>
#endif
