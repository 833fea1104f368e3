// Lists of revoked certificates that the caller supplies (RFC 5280, 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/path_rules.hpp>
#include <tlsconnect/verify/revocation_status.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// One list of revoked certificates; immutable, cheap to copy (shared), safe to read from several threads. Its signature is
/// checked when its issuer is known: once, in the first connection that meets that issuer.
class Crl {
public:
  /// `crl_unreadable` when the bytes are not exactly one CRL in DER, of version 2 and with a nextUpdate, as RFC 5280, 5
  /// asks; when it has a critical extension that is not known; and when it is of a kind that this library cannot use: a
  /// delta CRL, an indirect one, one for some reasons of revocation only, or for attribute certificates.
  [[nodiscard]] static Result<Crl> from_der(BytesView der) noexcept;

  [[nodiscard]] BytesView der() const noexcept;
  /// How many certificates it revokes.
  [[nodiscard]] std::size_t size() const noexcept;
  /// When it was issued, and when the next one will be, in seconds since 1970.
  [[nodiscard]] std::int64_t this_update() const noexcept;
  [[nodiscard]] std::int64_t next_update() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  explicit Crl(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// Some of them. A value: build it, add to it, give it to a RevocationPolicy; copies share the lists. Nothing is ever
/// fetched; a program that renews its lists builds a new configuration with them. Every loading function fails with
/// `crl_unreadable` when there is no list, or one that cannot be used: a list that is left out would revoke nothing.
class CrlSet {
public:
  CrlSet() = default;

  /// Every list ("X509 CRL", RFC 7468, 8) of a PEM text.
  [[nodiscard]] static Result<CrlSet> from_pem(std::string_view pem) noexcept;
  /// One list in DER.
  [[nodiscard]] static Result<CrlSet> from_der(BytesView der) noexcept;
  /// A file in PEM (any number of lists) or DER (one), of at most 16 MiB.
  [[nodiscard]] static Result<CrlSet> from_file(const std::string& path) noexcept;

  /// Adds one list; nothing happens when it is there already.
  void add(Crl crl);
  /// Adds all of another set.
  void add(const CrlSet& other);

  [[nodiscard]] std::size_t size() const noexcept { return lists_.size(); }
  [[nodiscard]] bool empty() const noexcept { return lists_.empty(); }
  [[nodiscard]] const std::vector<Crl>& lists() const noexcept { return lists_; }

private:
  std::vector<Crl> lists_;
};

/// What the lists say of `certificate`, whose issuer on the verified path is `issuer`. Only lists count that this issuer
/// signed with the key of that certificate (RFC 5280, 6.3.3). A revocation counts however old the list is; `good` takes
/// one that is fresh and that the certificate would stand in: by its issuingDistributionPoint, if it has one. Nothing is
/// said when there is no list of that issuer.
///
/// Each signature that is checked takes one off `signature_checks`; without any left, the state is unknown. Throws
/// std::bad_alloc.
[[nodiscard]] RevocationFinding check_crls(const CrlSet& crls, const Certificate& certificate,
                                           const Certificate& issuer, const StatusClock& clock,
                                           const PathPolicy& policy, std::size_t& signature_checks);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/crl.ipp>
#endif
