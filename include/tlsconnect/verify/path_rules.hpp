// The rules that every certificate of a path must keep (RFC 5280, as the web uses it).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>
#include <tlsconnect/verify/transparency.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What a path can be refused for, ordered by cause: where several rules are broken, the first of them is the reason. A
/// certificate that nobody vouches for may say anything; one that has expired may be fine otherwise.
enum class PathRule : std::uint8_t {
  trusted_issuer,      ///< the path leads to a trust anchor
  search_limit,        ///< it can be found with reasonable effort
  well_formed,         ///< fields and extensions are what their definitions say
  signature,           ///< the issuer's key made the signature
  signature_algorithm, ///< with an algorithm that is safe and wanted
  key,                 ///< every key is of a known kind, and long enough
  version,             ///< X.509v3
  authority,           ///< who issues is a certificate authority
  not_authority,       ///< the server's certificate is not an authority's
  key_usage,           ///< keyUsage allows what the key is used for
  extended_key_usage,  ///< extendedKeyUsage allows servers
  path_length,         ///< no more authorities than pathLenConstraint allows
  name_constraints,    ///< no names but those that nameConstraints allow
  critical_extension,  ///< every critical extension is understood
  serial_number,       ///< positive, at most 20 bytes
  validity,            ///< today is between notBefore and notAfter
  not_revoked,         ///< no issuer has revoked it; judged once the path stands
  status_known,        ///< where that must be known, it is; likewise
};

/// A rule's name, and where it stands.
struct PathRuleDescription {
  PathRule rule;
  std::string_view name;
  std::string_view section;
};
[[nodiscard]] const PathRuleDescription& describe(PathRule rule) noexcept;

/// One rule broken by one certificate.
struct PathFinding {
  PathRule rule;
  ErrorCode code;
  std::size_t position; ///< in the presented chain; 0 is the server's own; the chain's size for a trust anchor
  std::string reason;   ///< for a person: what was found, what would have been right, and the rule's section
};

/// What a configuration demands beyond the rules.
struct PathPolicy {
  /// The shortest RSA key of any certificate, in bits; never less than 2048.
  std::size_t rsa_bits_min = PublicKey::shortest_rsa_key;
  /// What certificates may be signed with; empty: everything that is safe.
  std::vector<SignatureScheme> signature_schemes = {};
  /// In how many transparency logs the server's certificate must stand, and which logs count; by default, in none.
  TransparencyPolicy transparency = {};
};

/// What a search has done so far; see base/limits.hpp for how far it goes.
struct PathCost {
  std::size_t signature_checks = 0;
  std::size_t remembered = 0; ///< signatures that need not be checked, because they were before
  std::size_t candidates = 0; ///< issuers that were tried
  std::size_t refusals = 0;   ///< paths that lead to an anchor, and break a rule
  std::size_t name_comparisons = 0;
};

/// What a certificate says, whatever path it may stand in. Immutable, so that an anchor's is read once for all
/// connections.
struct DecodedCertificate {
  /// Reads everything but the key. Throws std::bad_alloc.
  explicit DecodedCertificate(Certificate from);
  /// Reads the key, too. Throws std::bad_alloc.
  void load_key();

  Certificate certificate;
  CertificateFields fields;
  /// Names in a form that can be compared.
  std::string subject;
  std::string issuer;
  CertificateExtensions extensions; ///< nothing in them when they are malformed
  std::optional<Error> problem;     ///< what is malformed about it
  Result<SignatureAlgorithm> signature_algorithm;
  std::optional<IssuerKey> key; ///< if it was read, and can be used at all
};

/// A certificate as the search sees it.
class PathCertificate {
public:
  PathCertificate(Certificate certificate, std::size_t position, bool anchor);
  PathCertificate(std::shared_ptr<const DecodedCertificate> decoded, std::size_t position, bool anchor) noexcept;

  [[nodiscard]] const Certificate& certificate() const noexcept { return decoded_->certificate; }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] bool anchor() const noexcept { return anchor_; }
  [[nodiscard]] const CertificateFields& fields() const noexcept { return decoded_->fields; }
  [[nodiscard]] const std::string& subject() const noexcept { return decoded_->subject; }
  [[nodiscard]] const std::string& issuer() const noexcept { return decoded_->issuer; }
  [[nodiscard]] bool self_issued() const noexcept { return subject() == issuer(); }
  [[nodiscard]] const CertificateExtensions& extensions() const noexcept { return decoded_->extensions; }
  [[nodiscard]] const std::optional<Error>& problem() const noexcept { return decoded_->problem; }
  /// As Certificate::signature_algorithm.
  [[nodiscard]] const Result<SignatureAlgorithm>& signature_algorithm() const noexcept {
    return decoded_->signature_algorithm;
  }
  /// Its key, loaded when it is first asked for.
  [[nodiscard]] const Result<IssuerKey>& key(const PathPolicy& policy);

private:
  std::shared_ptr<const DecodedCertificate> decoded_;
  std::size_t position_;
  bool anchor_;
  std::optional<Result<IssuerKey>> key_;
};

/// Everything that is wrong with a path, but for the signatures: from the server's certificate to the trust anchor, each
/// the issuer of the one before. Ordered by cause.
[[nodiscard]] std::vector<PathFinding> check_path(std::span<PathCertificate* const> path, std::int64_t unix_time,
                                                  const PathPolicy& policy, PathCost& cost);
/// The same for one certificate alone.
[[nodiscard]] std::vector<PathFinding> check_certificate(PathCertificate& certificate, std::int64_t unix_time,
                                                         const PathPolicy& policy);
/// Puts findings in the order of their causes.
void order_by_cause(std::vector<PathFinding>& findings);

namespace detail {

/// Sorts a few things, and keeps the order of equal ones. (std::stable_sort of some libraries calls what is deprecated.)
template <class T, class Less>
void sort_stably(std::vector<T>& list, Less less) {
  for (auto place = list.begin(); place != list.end(); ++place)
    std::rotate(std::upper_bound(list.begin(), place, *place, less), place, place + 1);
}

} // namespace detail

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/path_rules.ipp>
#endif
