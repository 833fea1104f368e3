// Staples and lists together, and what the policy makes of them.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>
#include <tlsconnect/verify/ocsp.hpp>
#include <tlsconnect/verify/revocation.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Where a certificate of the path stands in what the server sent; behind the end when it does not.
inline std::size_t presented_position(const PresentedCertificate& presented, const Certificate& certificate) {
  const auto place = std::find_if(presented.chain.begin(), presented.chain.end(),
                                  [&](const Certificate& one) { return equal(one.der(), certificate.der()); });
  return static_cast<std::size_t>(place - presented.chain.begin());
}

/// What both sources say of one certificate.
struct CertificateStatusFound {
  bool stapled = false;
  RevocationFinding staple;
  RevocationFinding lists;

  [[nodiscard]] bool revoked() const noexcept {
    return staple.state == RevocationState::revoked || lists.state == RevocationState::revoked;
  }
  [[nodiscard]] bool good() const noexcept {
    return !revoked() && (staple.state == RevocationState::good || lists.state == RevocationState::good);
  }
  [[nodiscard]] std::string describe_staple() const {
    return stapled ? "the OCSP response that the server stapled " + staple.reason
                   : std::string("the server stapled no OCSP response");
  }
  [[nodiscard]] std::string describe_lists() const {
    return lists.reason.empty() ? std::string("no list of its issuer was supplied")
                                : "the issuer's list of revoked certificates " + lists.reason;
  }
  [[nodiscard]] std::string explain() const {
    if (staple.state == RevocationState::good)
      return "not revoked by the OCSP response that the server stapled, " + staple.reason + ", until " +
             iso8601(staple.valid_until);
    if (lists.state == RevocationState::good)
      return lists.reason + " by the list that was supplied, until " + iso8601(lists.valid_until);
    if (!stapled && lists.reason.empty())
      return "whether it was revoked is not known";
    return "whether it was revoked is not known: " + (stapled ? describe_staple() : describe_lists());
  }
};

/// RFC 7633, 4.2.1 and 4.2.2: whether the server must staple the status of its certificate. What an authority's certificate
/// says holds for all that it issued.
inline bool must_staple(std::span<const Certificate> path) {
  return std::any_of(path.begin(), path.end(), [](const Certificate& certificate) {
    const Result<CertificateExtensions> extensions = CertificateExtensions::decode(certificate.fields().extensions);
    return extensions && extensions->must_staple;
  });
}

} // namespace detail

TLSCONNECT_DECL RevocationVerdict check_revocation(std::span<const Certificate> path,
                                                   const PresentedCertificate& presented, std::int64_t unix_time,
                                                   const RevocationPolicy& policy, const PathPolicy& path_policy) {
  RevocationVerdict verdict;
  // RFC 5280, 6.1: an anchor is an input, and nobody above it could revoke it.
  if (path.size() < 2) {
    verdict.explanation = "trusted itself, so not asked whether it was revoked";
    return verdict;
  }
  const StatusClock clock{unix_time, policy.clock_skew, policy.max_age};
  std::size_t signature_checks = limits::status_signature_checks;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    detail::CertificateStatusFound found;
    const std::size_t position = detail::presented_position(presented, path[i]);
    if (position < presented.status.size() && !presented.status[position].ocsp_response.empty()) {
      found.stapled = true;
      found.staple = check_ocsp_response(presented.status[position].ocsp_response, path[i], path[i + 1], clock,
                                         path_policy, signature_checks);
    }
    found.lists = check_crls(policy.crls, path[i], path[i + 1], clock, path_policy, signature_checks);
    const auto refuse = [&](PathRule rule, ErrorCode code, std::string reason) {
      verdict.findings.push_back({rule, code, position, std::move(reason)});
    };
    // RFC 5280, 6.3 and RFC 6960, 2.2.
    if (found.revoked()) {
      const bool by_staple = found.staple.state == RevocationState::revoked;
      refuse(PathRule::not_revoked, ErrorCode::certificate_revoked,
             "it was " + (by_staple ? found.staple : found.lists).reason + ", says the " +
                 (by_staple ? "OCSP response that the server stapled (RFC 6960, 2.2)"
                            : "list that was supplied (RFC 5280, 6.3)"));
      continue;
    }
    const ErrorCode unknown =
        found.stapled ? ErrorCode::certificate_status_invalid : ErrorCode::certificate_status_missing;
    // RFC 7633, 4.2.1: without the staple that its issuer demands, somebody may be using a stolen key.
    if (i == 0 && policy.must_staple && found.staple.state != RevocationState::good && detail::must_staple(path))
      refuse(PathRule::status_known, unknown,
             "its server must staple a good status (TLS feature, RFC 7633, 4.2), but " + found.describe_staple());
    else if (!found.good() && policy.required != StatusRequired::none &&
             (i == 0 || policy.required == StatusRequired::chain))
      refuse(PathRule::status_known, unknown,
             "the configuration demands to know that it was not revoked, but " + found.describe_staple() + ", and " +
                 found.describe_lists());
    for (const RevocationFinding* one : {&found.staple, &found.lists})
      if (one->state == RevocationState::good)
        verdict.valid_until = std::min(verdict.valid_until, one->valid_until);
    if (i == 0) {
      verdict.server = found.staple.state == RevocationState::good  ? StatusEvidence::staple
                       : found.lists.state == RevocationState::good ? StatusEvidence::crl
                                                                    : StatusEvidence::none;
      verdict.explanation = found.explain();
      verdict.timestamps = found.staple.timestamps;
    }
  }
  order_by_cause(verdict.findings);
  return verdict;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
