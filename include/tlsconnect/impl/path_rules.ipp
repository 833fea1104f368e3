// The rules, each above its check.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/verify/name_constraints.hpp>
#include <tlsconnect/verify/path_rules.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL const PathRuleDescription& describe(PathRule rule) noexcept {
  static constexpr auto rules = std::to_array<PathRuleDescription>({
      {PathRule::trusted_issuer, "trusted_issuer", "RFC 5280, 6.1"},
      {PathRule::search_limit, "search_limit", "RFC 4158, 2"},
      {PathRule::well_formed, "well_formed", "RFC 5280, 4.1"},
      {PathRule::signature, "signature", "RFC 5280, 6.1.3 (a)(1)"},
      {PathRule::signature_algorithm, "signature_algorithm", "RFC 9846, 4.4.2.4"},
      {PathRule::key, "key", "RFC 9846, C.2"},
      {PathRule::version, "version", "RFC 9846, 4.4.2.2"},
      {PathRule::authority, "authority", "RFC 5280, 6.1.4 (k)"},
      {PathRule::not_authority, "not_authority", "RFC 5280, 4.2.1.9"},
      {PathRule::key_usage, "key_usage", "RFC 5280, 4.2.1.3"},
      {PathRule::extended_key_usage, "extended_key_usage", "RFC 5280, 4.2.1.12"},
      {PathRule::path_length, "path_length", "RFC 5280, 4.2.1.9"},
      {PathRule::name_constraints, "name_constraints", "RFC 5280, 4.2.1.10"},
      {PathRule::critical_extension, "critical_extension", "RFC 5280, 4.2"},
      {PathRule::serial_number, "serial_number", "RFC 5280, 4.1.2.2"},
      {PathRule::validity, "validity", "RFC 5280, 4.1.2.5"},
      {PathRule::not_revoked, "not_revoked", "RFC 5280, 6.3"},
      {PathRule::status_known, "status_known", "RFC 7633, 4.2"},
  });
  return rules[std::min(static_cast<std::size_t>(rule), rules.size() - 1)];
}

namespace detail {

/// Memory that ran out says nothing about a certificate.
inline void throw_if_memory_ran_out(const Error& error) {
  if (error.code() == ErrorCode::out_of_memory)
    throw std::bad_alloc();
}

} // namespace detail

TLSCONNECT_DECL DecodedCertificate::DecodedCertificate(Certificate from)
    : certificate(std::move(from)), fields(certificate.fields()),
      signature_algorithm(certificate.signature_algorithm()) {
  for (const auto& [to, name] : {std::pair{&subject, fields.subject}, std::pair{&issuer, fields.issuer}}) {
    Result<std::string> comparable = comparable_name(name);
    if (comparable) {
      *to = std::move(*comparable);
      continue;
    }
    detail::throw_if_memory_ran_out(comparable.error());
    problem =
        Error(ErrorCode::certificate_malformed, {}, "its subject or its issuer cannot be read (RFC 5280, 4.1.2.4)");
  }
  Result<CertificateExtensions> decoded = CertificateExtensions::decode(fields.extensions);
  if (decoded) {
    extensions = std::move(*decoded);
  } else {
    detail::throw_if_memory_ran_out(decoded.error());
    problem = std::move(decoded).error();
  }
  if (!signature_algorithm)
    detail::throw_if_memory_ran_out(signature_algorithm.error());
}

TLSCONNECT_DECL void DecodedCertificate::load_key() {
  Result<IssuerKey> loaded = IssuerKey::load(certificate, PublicKey::shortest_rsa_key);
  if (loaded)
    key = std::move(*loaded);
  else
    detail::throw_if_memory_ran_out(loaded.error());
}

TLSCONNECT_DECL PathCertificate::PathCertificate(Certificate certificate, std::size_t position, bool anchor)
    : PathCertificate(std::make_shared<const DecodedCertificate>(std::move(certificate)), position, anchor) {}

TLSCONNECT_DECL PathCertificate::PathCertificate(std::shared_ptr<const DecodedCertificate> decoded,
                                                 std::size_t position, bool anchor) noexcept
    : decoded_(std::move(decoded)), position_(position), anchor_(anchor) {}

TLSCONNECT_DECL const Result<IssuerKey>& PathCertificate::key(const PathPolicy& policy) {
  if (!key_) {
    const std::size_t rsa_bits_min = std::max(policy.rsa_bits_min, PublicKey::shortest_rsa_key);
    if (decoded_->key && decoded_->key->long_enough(rsa_bits_min))
      key_ = *decoded_->key;
    else
      key_ = IssuerKey::load(certificate(), rsa_bits_min);
  }
  return *key_;
}

TLSCONNECT_DECL void order_by_cause(std::vector<PathFinding>& findings) {
  detail::sort_stably(findings, [](const PathFinding& a, const PathFinding& b) { return a.rule < b.rule; });
}

namespace detail {

/// Collects what is wrong with one certificate.
struct Findings {
  std::vector<PathFinding>& all;
  const PathCertificate& certificate;

  void add(PathRule rule, ErrorCode code, std::string reason, std::string_view section = {}) const {
    reason.append(" (").append(section.empty() ? describe(rule).section : section).append(")");
    add_with_section(rule, code, std::move(reason));
  }
  void add_with_section(PathRule rule, ErrorCode code, std::string reason) const {
    // The caller can describe what the server sent; an anchor that it did not send has to be named here.
    if (certificate.anchor())
      reason = "the trust anchor (" + certificate.certificate().subject() + "): " + reason;
    all.push_back({rule, code, certificate.position(), std::move(reason)});
  }
};

/// Whether there is an e-mail address (1.2.840.113549.1.9.1) among the attributes of a Name.
inline bool name_has_email(BytesView name) noexcept {
  static constexpr std::array<std::uint8_t, 11> attribute = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                             0xF7, 0x0D, 0x01, 0x09, 0x01};
  return std::search(name.begin(), name.end(), attribute.begin(), attribute.end()) != name.end();
}

inline std::string describe_dates(const Certificate& certificate, std::int64_t unix_time) {
  return "valid from " + iso8601(certificate.not_before()) + " to " + iso8601(certificate.not_after()) +
         ", the time used is " + iso8601(unix_time);
}

/// Critical extensions that people meet, by name.
inline std::string describe_extension(const std::string& oid) {
  struct Row {
    std::string_view oid;
    std::string_view text;
  };
  static constexpr auto rows = std::to_array<Row>({
      {"1.3.6.1.4.1.11129.2.4.3", ", the poison of a precertificate, which is no certificate (RFC 6962, 3.1)"},
      {"2.5.29.31", ", cRLDistributionPoints"},
      {"2.5.29.32", ", certificatePolicies"},
      {"2.5.29.33", ", policyMappings"},
      {"2.5.29.36", ", policyConstraints"},
      {"2.5.29.54", ", inhibitAnyPolicy"},
  });
  for (const Row& row : rows)
    if (row.oid == oid)
      return oid + std::string(row.text);
  return oid;
}

/// Rules that are the same for every certificate, wherever it stands in a path.
inline void check_anywhere(PathCertificate& certificate, std::int64_t unix_time, const PathPolicy& policy,
                           std::vector<PathFinding>& all) {
  const Findings found{all, certificate};
  const CertificateFields& fields = certificate.fields();

  // RFC 5280, 4.1 and 4.2: what is not what its definition says, nobody else need read in the same way.
  if (certificate.problem())
    found.add_with_section(PathRule::well_formed, certificate.problem()->code(),
                           std::string(certificate.problem()->detail()));
  // RFC 5280, 4.1.2.9: extensions belong to version 3.
  if (fields.version != 3 && !fields.extensions.empty())
    found.add(PathRule::well_formed, ErrorCode::certificate_malformed,
              "it is of X.509 version " + std::to_string(fields.version) + " and has extensions, which need version 3",
              "RFC 5280, 4.1.2.9");

  // How an anchor came to be is not for a path to judge (RFC 5280, 6.1: the anchor is an input). But its name, key and
  // constraints are used.
  if (!certificate.anchor()) {
    // RFC 5280, 4.1.2.4: an issuer has a name.
    if (certificate.issuer().empty())
      found.add(PathRule::well_formed, ErrorCode::certificate_malformed, "the name of its issuer is empty",
                "RFC 5280, 4.1.2.4");
    // RFC 5280, 4.1.2.2: a positive INTEGER of at most 20 octets.
    const bool negative = (fields.serial[0] & 0x80U) != 0;
    const bool zero = fields.serial.size() == 1 && fields.serial[0] == 0;
    if (negative || zero || fields.serial.size() > 20)
      found.add(PathRule::serial_number, ErrorCode::certificate_malformed,
                "its serial number is " +
                    (negative ? "negative"
                     : zero   ? "zero"
                              : std::to_string(fields.serial.size()) + " bytes long") +
                    std::string("; it must be positive, with at most 20 bytes"));
  }

  // RFC 5280, 4.1.2.5 and 6.1.3 (a)(2): both ends are within.
  if (unix_time > certificate.certificate().not_after())
    found.add(PathRule::validity, ErrorCode::certificate_expired,
              "expired: " + describe_dates(certificate.certificate(), unix_time));
  else if (unix_time < certificate.certificate().not_before())
    found.add(PathRule::validity, ErrorCode::certificate_not_yet_valid,
              "not valid yet: " + describe_dates(certificate.certificate(), unix_time));

  // RFC 9846, C.2 and RFC 9325, 4.2: no weak keys, of whatever certificate. RFC 5480, 2.1.1: named curves only.
  if (const Result<IssuerKey>& key = certificate.key(policy); !key)
    found.add(PathRule::key, key.error().code(), "its key is " + std::string(key.error().detail()));

  // RFC 5280, 4.2: what is critical must be understood, or the certificate is not to be used. Policies are among what is not
  // understood: nothing here works out which of them a path is good for, and an issuer that marks them critical asks for
  // just that.
  if (!certificate.extensions().unknown_critical.empty())
    found.add(PathRule::critical_extension, ErrorCode::certificate_constraint_violated,
              "it has a critical extension that this client does not know: " +
                  describe_extension(certificate.extensions().unknown_critical));
}

/// What RFC 9846 and RFC 5280 ask of a server's own certificate.
inline void check_leaf(const PathCertificate& leaf, std::vector<PathFinding>& all) {
  const Findings found{all, leaf};
  const CertificateExtensions& extensions = leaf.extensions();
  // RFC 9846, 4.4.2.2: X.509v3.
  if (leaf.fields().version != 3)
    found.add(PathRule::version, ErrorCode::certificate_usage_forbidden,
              "it is of X.509 version " + std::to_string(leaf.fields().version) + "; TLS 1.3 needs version 3");
  const bool ca = extensions.basic_constraints && extensions.basic_constraints->ca;
  // RFC 5280, 4.2.1.9: cA says that the key signs certificates. A key that speaks for a server as well lies open to
  // whoever breaks into the server, who could then issue for everybody.
  if (ca)
    found.add(PathRule::not_authority, ErrorCode::certificate_usage_forbidden,
              std::string("it is a certificate authority's (basicConstraints has cA), not a server's") +
                  (leaf.self_issued() ? "; tools that make self-signed certificates set cA unless they are told not to"
                                      : ""));
  if (extensions.key_usage) {
    // RFC 9846, 4.4.2.2: where keyUsage is there, it allows digitalSignature. Keys that may only encipher belong to the key
    // exchange of older versions.
    if (!has(*extensions.key_usage, KeyUsage::digital_signature))
      found.add(PathRule::key_usage, ErrorCode::certificate_usage_forbidden,
                "its keyUsage does not contain digitalSignature", "RFC 9846, 4.4.2.2");
    // RFC 5280, 4.2.1.9: keyCertSign goes with cA, and not without it.
    if (has(*extensions.key_usage, KeyUsage::key_cert_sign) && !ca)
      found.add(PathRule::key_usage, ErrorCode::certificate_usage_forbidden,
                "its keyUsage has keyCertSign, but it is not a certificate authority's", "RFC 5280, 4.2.1.9");
  }
  // RFC 5280, 4.2.1.12: with an extendedKeyUsage, the certificate is good for what stands in it and nothing else. Of a
  // server's own, anyExtendedKeyUsage is not enough.
  if (extensions.extended_key_usage && !extensions.extended_key_usage->server_auth)
    found.add(PathRule::extended_key_usage, ErrorCode::certificate_usage_forbidden,
              "its extendedKeyUsage does not contain serverAuth");
  // RFC 5280, 4.2.1.10: nameConstraints are for those below, and below a server there is nobody.
  if (extensions.name_constraints && !ca)
    found.add(PathRule::name_constraints, ErrorCode::certificate_constraint_violated,
              "it has nameConstraints, which only an authority's certificate may have");
}

/// Who issued `below` must be allowed to.
inline void check_issuer(const PathCertificate& issuer, const PathCertificate& below, std::vector<PathFinding>& all) {
  const Findings found{all, issuer};
  const CertificateExtensions& extensions = issuer.extensions();
  if (issuer.problem())
    return; // nothing that could be judged
  // RFC 5280, 6.1.4 (k): version 3 with basicConstraints that have cA. Of version 1 nobody says that it is an authority's,
  // so a pinned server's certificate would pass for one.
  if (issuer.fields().version != 3)
    found.add(PathRule::authority, ErrorCode::certificate_usage_forbidden,
              "it is of X.509 version " + std::to_string(issuer.fields().version) +
                  ", which does not say that it is a certificate authority's, but issued " +
                  below.certificate().subject());
  else if (!extensions.basic_constraints || !extensions.basic_constraints->ca)
    found.add(PathRule::authority, ErrorCode::certificate_usage_forbidden,
              "it is not a certificate authority's (basicConstraints with cA is missing), but issued " +
                  below.certificate().subject());
  // RFC 5280, 6.1.4 (n).
  if (extensions.key_usage && !has(*extensions.key_usage, KeyUsage::key_cert_sign))
    found.add(PathRule::key_usage, ErrorCode::certificate_usage_forbidden,
              "its keyUsage does not contain keyCertSign, but it issued " + below.certificate().subject(),
              "RFC 5280, 6.1.4 (n)");
  // RFC 5280, 4.2.1.12 leaves open what the extension means for an issuer; every browser takes it as a limit on what it
  // may issue for.
  if (extensions.extended_key_usage && !extensions.extended_key_usage->server_auth &&
      !extensions.extended_key_usage->any)
    found.add(PathRule::extended_key_usage, ErrorCode::certificate_usage_forbidden,
              "its extendedKeyUsage does not let it issue for servers (serverAuth is missing)");
}

/// How the certificate is signed, as far as that can be said without trying.
inline void check_signature_algorithm(const PathCertificate& certificate, const Result<IssuerKey>* issuer_key,
                                      const PathPolicy& policy, std::vector<PathFinding>& all) {
  const Findings found{all, certificate};
  const Result<SignatureAlgorithm>& algorithm = certificate.signature_algorithm();
  // RFC 9846, 4.4.2.4: MD5 is refused, SHA-1 should be. What is not known is not believed.
  if (!algorithm) {
    if (algorithm.error().code() == ErrorCode::certificate_algorithm_weak)
      found.add(PathRule::signature_algorithm, ErrorCode::certificate_algorithm_weak,
                "it is signed with " + std::string(algorithm.error().detail()) + ", which is no longer safe");
    else
      found.add(PathRule::signature_algorithm, algorithm.error().code(),
                "it is signed with an algorithm that this client does not know: " +
                    std::string(algorithm.error().detail()));
    return;
  }
  if (issuer_key == nullptr || !*issuer_key)
    return;
  // RFC 9846, 4.2.3: signature_algorithms_cert is what was offered.
  if ((*issuer_key)->fits(*algorithm) && !policy.signature_schemes.empty() &&
      !(*issuer_key)->among(*algorithm, policy.signature_schemes))
    found.add(PathRule::signature_algorithm, ErrorCode::certificate_algorithm_weak,
              "it is signed with " + certificate.certificate().signature_description() +
                  " and a key of a kind that the configuration does not allow for that",
              "RFC 9846, 4.2.3");
}

/// RFC 5280, 6.1.4 (l) and (m): at most pathLenConstraint authorities below, not counting those that are self-issued, nor
/// the server's certificate.
inline void check_path_length(std::span<PathCertificate* const> path, std::vector<PathFinding>& all) {
  for (std::size_t i = 1; i < path.size(); ++i) {
    const auto& constraints = path[i]->extensions().basic_constraints;
    if (!constraints || !constraints->path_length)
      continue;
    std::size_t below = 0;
    for (std::size_t k = i - 1; k > 0; --k) {
      if (path[k]->self_issued() || below++ < *constraints->path_length)
        continue;
      Findings{all, *path[k]}.add(PathRule::path_length, ErrorCode::certificate_constraint_violated,
                                  "an issuer above it (" + path[i]->certificate().subject() +
                                      ") does not allow this many issuers below (pathLenConstraint " +
                                      std::to_string(*constraints->path_length) + ")");
      break;
    }
  }
}

/// RFC 5280, 6.1.3 (b) and (c): every certificate below, but for self-issued ones that are not the last.
inline void check_name_constraints(std::span<PathCertificate* const> path, PathCost& cost,
                                   std::vector<PathFinding>& all) {
  for (std::size_t i = path.size(); i-- > 1;) {
    const auto& constraints = path[i]->extensions().name_constraints;
    if (!constraints)
      continue;
    for (std::size_t k = i; k-- > 0;) {
      if (k != 0 && path[k]->self_issued())
        continue;
      std::size_t left =
          limits::name_constraint_comparisons - std::min(cost.name_comparisons, limits::name_constraint_comparisons);
      const auto reason = constraint_violated(*constraints,
                                              {.subject = path[k]->subject(),
                                               .subject_has_email = name_has_email(path[k]->fields().subject),
                                               .alt_names = path[k]->extensions().subject_alt_names},
                                              left);
      cost.name_comparisons = limits::name_constraint_comparisons - left;
      if (reason)
        Findings{all, *path[k]}.add(PathRule::name_constraints, ErrorCode::certificate_constraint_violated,
                                    *reason + "; the issuer is " + path[i]->certificate().subject());
    }
  }
}

} // namespace detail

TLSCONNECT_DECL std::vector<PathFinding> check_certificate(PathCertificate& certificate, std::int64_t unix_time,
                                                           const PathPolicy& policy) {
  std::vector<PathFinding> all;
  detail::check_anywhere(certificate, unix_time, policy, all);
  if (!certificate.anchor())
    detail::check_signature_algorithm(certificate, nullptr, policy, all);
  order_by_cause(all);
  return all;
}

TLSCONNECT_DECL std::vector<PathFinding> check_path(std::span<PathCertificate* const> path, std::int64_t unix_time,
                                                    const PathPolicy& policy, PathCost& cost) {
  std::vector<PathFinding> all;
  for (std::size_t i = 0; i < path.size(); ++i) {
    detail::check_anywhere(*path[i], unix_time, policy, all);
    if (i == 0)
      detail::check_leaf(*path[i], all);
    else
      detail::check_issuer(*path[i], *path[i - 1], all);
    // Nobody asks who signed an anchor: it is trusted as it is.
    if (!path[i]->anchor())
      detail::check_signature_algorithm(*path[i], i + 1 < path.size() ? &path[i + 1]->key(policy) : nullptr, policy,
                                        all);
  }
  detail::check_path_length(path, all);
  detail::check_name_constraints(path, cost, all);
  order_by_cause(all);
  return all;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
