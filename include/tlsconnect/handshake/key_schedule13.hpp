// The key schedule of TLS 1.3 (RFC 9846, 7.1): one type for each of its secrets, each of which only yields the next.
#pragma once

#include <string_view>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/record/protection.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct TrafficSecretTag;
struct ScheduleSecretTag;
struct ExporterSecretTag;
struct ResumptionSecretTag;
/// A secret of the schedule is as long as the hash of the suite, at most SHA-384's 48 bytes.
template <class Tag>
using HashSecret = Secret<Tag, 48>;
/// A secret from which the keys of one direction come.
using TrafficSecret = HashSecret<TrafficSecretTag>;
/// The secret from which keying material is exported (RFC 9846, 7.5).
using ExporterSecret = HashSecret<ExporterSecretTag>;
/// The secret from which the pre-shared keys of tickets come (RFC 9846, 4.6.1).
using ResumptionSecret = HashSecret<ResumptionSecretTag>;

/// Where a pre-shared key comes from; it decides what its binder is made with (RFC 9846, 7.1; RFC 9258, 5).
enum class PskOrigin : std::uint8_t { resumption, external, imported };

namespace detail {
using ScheduleSecret = HashSecret<ScheduleSecretTag>;
/// Derive-Secret(Secret, Label, Messages) (RFC 9846, 7.1); the messages come as their hash.
template <class Tag>
[[nodiscard]] Result<HashSecret<Tag>> derive_secret(HashAlgorithm hash, BytesView secret, std::string_view label,
                                                    BytesView transcript) noexcept;
/// HKDF-Extract(Derive-Secret(Secret, "derived", ""), input): the step from one level to the next.
[[nodiscard]] Result<ScheduleSecret> next_level(HashAlgorithm hash, const ScheduleSecret& secret,
                                                BytesView input) noexcept;
} // namespace detail

class HandshakeSecret;
class MainSecret;

///          0
///          |
/// PSK ->  HKDF-Extract = Early Secret
class EarlySecret {
public:
  /// Without a pre-shared key, zeros stand for it.
  [[nodiscard]] static Result<EarlySecret> without_psk(HashAlgorithm hash) noexcept;
  [[nodiscard]] static Result<EarlySecret> from_psk(HashAlgorithm hash, BytesView psk) noexcept;

  [[nodiscard]] HashAlgorithm hash() const noexcept { return hash_; }
  /// A binder (RFC 9846, 4.2.11.2): `truncated_hello` is the transcript up to where the binders begin.
  [[nodiscard]] Result<Digest> binder(PskOrigin origin, const Digest& truncated_hello) const noexcept;
  /// Both take the transcript ClientHello.
  [[nodiscard]] Result<TrafficSecret> client_early_traffic_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<ExporterSecret> early_exporter_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<HandshakeSecret> with_shared_secret(BytesView shared_secret) && noexcept;

private:
  EarlySecret(HashAlgorithm hash, detail::ScheduleSecret secret) noexcept : hash_(hash), secret_(std::move(secret)) {}
  HashAlgorithm hash_;
  detail::ScheduleSecret secret_;
};

/// (EC)DHE -> HKDF-Extract = Handshake Secret
class HandshakeSecret {
public:
  /// Both take the transcript ClientHello...ServerHello.
  [[nodiscard]] Result<TrafficSecret> client_handshake_traffic_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<TrafficSecret> server_handshake_traffic_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<MainSecret> to_main_secret() && noexcept;

private:
  friend class EarlySecret;
  HandshakeSecret(HashAlgorithm hash, detail::ScheduleSecret secret) noexcept
      : hash_(hash), secret_(std::move(secret)) {}
  HashAlgorithm hash_;
  detail::ScheduleSecret secret_;
};

/// 0 -> HKDF-Extract = Main Secret
class MainSecret {
public:
  /// Both take the transcript ClientHello...server Finished.
  [[nodiscard]] Result<TrafficSecret> client_application_traffic_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<TrafficSecret> server_application_traffic_secret(const Digest& transcript) const noexcept;
  [[nodiscard]] Result<ExporterSecret> exporter_secret(const Digest& transcript) const noexcept;
  /// Takes the transcript ClientHello...client Finished.
  [[nodiscard]] Result<ResumptionSecret> resumption_secret(const Digest& transcript) const noexcept;

private:
  friend class HandshakeSecret;
  MainSecret(HashAlgorithm hash, detail::ScheduleSecret secret) noexcept : hash_(hash), secret_(std::move(secret)) {}
  HashAlgorithm hash_;
  detail::ScheduleSecret secret_;
};

/// The record keys of one direction (RFC 9846, 7.3).
[[nodiscard]] Result<WriteProtection> write_protection(const SuiteParameters& suite,
                                                       const TrafficSecret& secret) noexcept;
[[nodiscard]] Result<ReadProtection> read_protection(const SuiteParameters& suite,
                                                     const TrafficSecret& secret) noexcept;
/// The secret after a KeyUpdate (RFC 9846, 7.2).
[[nodiscard]] Result<TrafficSecret> next_generation(HashAlgorithm hash, const TrafficSecret& secret) noexcept;
/// verify_data of a Finished (RFC 9846, 4.4.4): HMAC(finished_key, transcript).
[[nodiscard]] Result<Digest> finished_verify_data(HashAlgorithm hash, const TrafficSecret& secret,
                                                  const Digest& transcript) noexcept;
/// The pre-shared key that goes with a ticket (RFC 9846, 4.6.1), as long as the hash.
[[nodiscard]] Result<> ticket_psk(HashAlgorithm hash, const ResumptionSecret& secret, BytesView ticket_nonce,
                                  Bytes psk) noexcept;
/// TLS-Exporter (RFC 9846, 7.5). `label` has at most 249 bytes, `out` at most 255 times the hash's length.
[[nodiscard]] Result<> export_keying_material(HashAlgorithm hash, const ExporterSecret& secret, std::string_view label,
                                              BytesView context, Bytes out) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_schedule13.ipp>
#endif
