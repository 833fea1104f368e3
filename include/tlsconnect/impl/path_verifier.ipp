// The default verifier, and the sentences it says.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/impl/crl.ipp>
#include <tlsconnect/impl/name_constraints.ipp>
#include <tlsconnect/verify/name_constraints.hpp>
#include <tlsconnect/verify/name_match.hpp>
#include <tlsconnect/verify/path_verifier.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// The names in a certificate, the first of them at least.
inline std::string describe_names(const Certificate& certificate) {
  const std::size_t total = certificate.dns_names().size() + certificate.ip_addresses().size();
  if (total == 0)
    return "has no dNSName and no iPAddress in a subjectAltName (a common name does not count)";
  std::string text = "is for ";
  std::size_t shown = 0;
  const auto add = [&](const std::string& name) {
    if (shown == limits::names_in_message)
      return;
    text.append(shown++ == 0 ? "" : ", ").append(name);
  };
  for (const std::string& name : certificate.dns_names())
    add(printable(name));
  for (const AddressBytes& address : certificate.ip_addresses())
    add(describe_address(address));
  if (total > shown)
    text.append(" and ").append(std::to_string(total - shown)).append(" more");
  return text;
}

inline std::string describe_certificate(std::span<const Certificate> chain, std::size_t position) {
  const Certificate& certificate = chain[position];
  return "certificate " + std::to_string(position + 1) + " of " + std::to_string(chain.size()) + " (" +
         certificate.subject() + "; issuer " + certificate.issuer() + "; serial " +
         printable(certificate.serial(), 64) + ")";
}

inline std::string describe_mismatch(const Certificate& certificate, const ServerName& name) {
  return "the name asked for is " + name.text() + ", but the certificate " + describe_names(certificate);
}

/// Which name of the certificate covers the server.
inline std::string describe_match(const Certificate& certificate, const ServerName& name) {
  if (!name.is_dns())
    return name.text() + " is covered by iPAddress " + describe_address(name.address());
  for (const std::string& presented : certificate.dns_names())
    if (dns_name_matches(presented, name.text()))
      return name.text() + " is covered by dNSName " + presented;
  return {};
}

/// All reasons, the first of which is the error, each with the certificate that it is about.
inline std::string describe_failure(std::span<const Certificate> chain, const PathFailure& failure) {
  std::string text;
  std::size_t shown = 0;
  for (const PathFinding& finding : failure.findings) {
    if (shown == limits::findings_in_message) {
      text.append("; and ").append(std::to_string(failure.findings.size() - shown)).append(" more reasons");
      break;
    }
    text.append(shown == 0 ? "" : "; besides, ");
    // Several reasons of one certificate name it once.
    if (finding.position < chain.size())
      text += shown > 0 && finding.position == failure.findings[shown - 1].position
                  ? "of the same certificate: "
                  : describe_certificate(chain, finding.position) + ": ";
    text += finding.reason;
    ++shown;
  }
  return text;
}

/// Which logs have the certificate: the explanation's part about it, or why they are not enough.
inline Result<std::string> verify_transparency(const PresentedCertificate& presented,
                                               const std::vector<Certificate>& path, BytesView in_status,
                                               const TransparencyPolicy& policy, std::int64_t unix_time) {
  if (policy.logs.empty())
    return std::string();
  const BytesView list = presented.status.empty() ? BytesView() : presented.status[0].sct_list;
  Result<TransparencyFindings> findings =
      inspect_timestamps(presented.chain[0], path.size() > 1 ? &path[1] : nullptr,
                         {.tls_extension = list, .ocsp_response = in_status}, policy.logs, unix_time);
  if (!findings)
    return std::unexpected(std::move(findings).error());
  if (Result<> enough = check_transparency(*findings, policy); !enough)
    return fail(enough.error().code(), {},
                describe_certificate(presented.chain, 0) + ": " + std::string(enough.error().detail()));
  return describe_logs(*findings);
}

inline Result<VerifiedChain> judge_server(const PresentedCertificate& presented, const AnchorStore& anchors,
                                          const PathPolicy& policy, const RevocationPolicy& revocation,
                                          const ServerName& name, std::int64_t unix_time, VerifiedChainCache* cache) {
  const std::span<const Certificate> chain = presented.chain;
  if (chain.empty())
    return fail(ErrorCode::certificate_list_empty);
  const bool name_fits = certificate_matches(chain[0], name);
  // Of another server's chain nobody can find out, by the time that its refusal takes, whether it is remembered.
  PathMemory memory{.cache = name_fits ? cache : nullptr};
  PathCost cost;
  auto path = validate_server_path(chain, anchors, unix_time, policy, &cost, &memory);
  if (!path) {
    // The path decides what the error is: without one, anybody can have written the names.
    std::string text = describe_failure(chain, path.error());
    if (!name_fits)
      text += "; besides, " + describe_mismatch(chain[0], name);
    else
      text += "; the name asked for is " + name.text();
    return fail(path.error().code, {}, std::move(text));
  }
  // RFC 9525, 6; RFC 9846, 4.4.2.4.
  if (!name_fits)
    return fail(ErrorCode::certificate_name_mismatch, {},
                describe_certificate(chain, 0) + ": " + describe_mismatch(chain[0], name));

  // Whose statement about a revocation counts is known only now that the path stands.
  RevocationVerdict status = check_revocation(*path, presented, unix_time, revocation, policy);
  if (!status.findings.empty()) {
    const PathFinding first = status.findings.front();
    return fail(first.code, {},
                describe_failure(chain, {first.code, first.position, first.reason, std::move(status.findings)}) +
                    "; the name asked for is " + name.text());
  }
  const Result<std::string> logged =
      verify_transparency(presented, *path, status.timestamps, policy.transparency, unix_time);
  if (!logged)
    return std::unexpected(logged.error());

  // Nobody but servers that were accepted puts anything into the cache.
  if (memory.cache != nullptr)
    memory.cache->remember(memory.facts);

  VerifiedChain verified;
  verified.server_status = status.server;
  verified.valid_until = status.valid_until;
  std::int64_t valid_until = std::numeric_limits<std::int64_t>::max();
  for (const Certificate& certificate : *path)
    valid_until = std::min(valid_until, certificate.not_after());
  verified.explanation = describe_match(chain[0], name) + "; path of " + std::to_string(path->size()) +
                         " to the trust anchor " + path->back().subject() +
                         (cost.remembered > 0 ? ", signatures verified before" : "") + "; valid until " +
                         iso8601(valid_until) + "; " + status.explanation + (logged->empty() ? "" : "; " + *logged);
  verified.path = std::move(*path);
  return verified;
}

/// The same for the same set, in whatever order it was loaded, and the same policies.
inline TrustIdentity identity_of_anchors(std::span<const ByteVector> anchors, const PathPolicy& policy,
                                         const RevocationPolicy& revocation) {
  std::vector<Digest> digests;
  digests.reserve(anchors.size());
  for (const ByteVector& anchor : anchors) {
    const Result<Digest> digest = hash_of(HashAlgorithm::sha256, anchor);
    if (!digest)
      return {};
    digests.push_back(*digest);
  }
  std::sort(digests.begin(), digests.end(), [](const Digest& a, const Digest& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  });
  ByteVector all;
  for (const Digest& digest : digests)
    all.insert(all.end(), digest.begin(), digest.end());
  // The digests before have a fixed length, and the policies with their numbers stand at the end, so no two sets can be
  // taken for each other.
  for (const Crl& crl : revocation.crls.lists())
    all.insert(all.end(), crl.impl().digest.begin(), crl.impl().digest.end());
  const auto append = [&all](std::uint64_t number) {
    for (unsigned shift = 64; shift > 0; shift -= 8)
      all.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
  };
  for (const SignatureScheme scheme : policy.signature_schemes)
    append(static_cast<std::uint64_t>(scheme));
  append(policy.signature_schemes.size());
  append(policy.rsa_bits_min);
  append_identity(all, policy.transparency);
  append(revocation.crls.size());
  append(static_cast<std::uint64_t>(revocation.required));
  append(revocation.must_staple ? 1 : 0);
  append(revocation.clock_skew);
  append(revocation.max_age);
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, all);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace detail

TLSCONNECT_DECL Result<std::shared_ptr<const PathVerifier>>
PathVerifier::create(const TrustAnchors& anchors, PathPolicy policy, RevocationPolicy revocation,
                     std::shared_ptr<VerifiedChainCache> cache) noexcept {
  if (anchors.empty())
    return fail(ErrorCode::no_trust_anchors);
  // What can never be met is a mistake.
  const TransparencyPolicy& transparency = policy.transparency;
  try {
    if (transparency.timestamps > transparency.logs.size() || transparency.operators > transparency.logs.operators())
      return fail(ErrorCode::configuration_invalid, "PathVerifier",
                  "timestamps of " + std::to_string(transparency.timestamps) + " transparency logs, of " +
                      std::to_string(transparency.operators) + " operators, are required; only " +
                      std::to_string(transparency.logs.size()) + " logs, of " +
                      std::to_string(transparency.logs.operators()) + " operators, are known");
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
  auto store = AnchorStore::create(std::span<const ByteVector>(anchors.encoded()));
  if (!store)
    return std::unexpected<Error>(std::move(store).error());
  try {
    TrustIdentity identity = detail::identity_of_anchors(anchors.encoded(), policy, revocation);
    return std::shared_ptr<const PathVerifier>(new PathVerifier(
        std::move(*store), std::move(policy), std::move(revocation), std::move(identity), std::move(cache)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL Result<VerifiedChain> PathVerifier::verify(const PresentedCertificate& presented,
                                                           const ServerName& name,
                                                           std::int64_t unix_time) const noexcept {
  try {
    return detail::judge_server(presented, anchors_, policy_, revocation_, name, unix_time, cache_.get());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    // Only the sentences can get here (validate_server_path does not throw), and no sentence is worth an acceptance.
    return fail(ErrorCode::certificate_rejected);
  }
}

TLSCONNECT_DECL Result<VerifiedChain> verify_chain(std::span<const Certificate> chain, const ServerName& name,
                                                   std::int64_t unix_time, const TrustAnchors& anchors,
                                                   const PathPolicy& policy,
                                                   const RevocationPolicy& revocation) noexcept {
  try {
    const Result<std::shared_ptr<const PathVerifier>> verifier =
        PathVerifier::create(anchors, policy, revocation, nullptr);
    if (!verifier)
      return std::unexpected(verifier.error());
    return (*verifier)->verify({.chain = chain}, name, unix_time);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
