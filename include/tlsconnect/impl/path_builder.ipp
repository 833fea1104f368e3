// The search for a path, and the explanation when there is none.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/verify/path_builder.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A number that is the same for names that are the same (comparable_name), cheap, and for nothing but finding
/// candidates: of each attribute it takes the ASCII letters and digits, whatever their case, what is between them and the
/// kind of string. Attributes add up, because those of one relative name have no order.
inline std::uint64_t hash_of_name(BytesView name) noexcept {
  std::uint64_t sum = 0;
  const auto outer = only_der(name, der_sequence);
  BytesView relative_names = outer ? outer->contents : BytesView();
  while (const auto relative_name = next_der(relative_names)) {
    BytesView attributes = relative_name->contents;
    while (const auto attribute = next_der(attributes)) {
      BytesView parts = attribute->contents;
      const auto type = next_der(parts);
      const auto value = next_der(parts);
      if (!type || !value)
        continue;
      // X.690, 8.23: BMPString has two bytes a character, UniversalString four.
      const std::size_t width = value->tag == 0x1E ? 2 : value->tag == 0x1C ? 4 : 1;
      std::uint64_t hash = 0xCBF2'9CE4'8422'2325; // FNV-1a
      for (BytesView rest = value->contents; rest.size() >= width; rest = rest.subspan(width)) {
        const bool ascii = std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(width - 1),
                                       [](std::uint8_t byte) { return byte == 0; });
        const unsigned c = rest[width - 1];
        const unsigned lower = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
        if (ascii && ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')))
          hash = (hash ^ lower) * 0x100'0000'01B3;
      }
      sum += hash;
    }
  }
  return sum;
}

/// Anchors whose names have the same hash: nearly always, of the same name.
class AnchorBucket {
public:
  /// All of one name.
  struct Namesakes {
    std::string subject;
    std::vector<std::shared_ptr<const DecodedCertificate>> certificates;
  };
  struct Read {
    std::vector<Namesakes> names;
    std::string problem; ///< why one of them could not be read; empty when all could
  };

  AnchorBucket() = default;
  AnchorBucket(const AnchorBucket&) = delete;
  AnchorBucket& operator=(const AnchorBucket&) = delete;
  ~AnchorBucket() { delete read_.load(std::memory_order_relaxed); }

  /// False when it is there already.
  bool add(BytesView der) {
    if (std::any_of(encoded_.begin(), encoded_.end(), [der](const ByteVector& known) { return equal(known, der); }))
      return false;
    encoded_.push_back(to_vector(der));
    return true;
  }
  /// Reads them, the first time. Connections share this: two that come at once both read, and one of the results is kept.
  const Read& read() const {
    if (const Read* known = read_.load(std::memory_order_acquire))
      return *known;
    auto made = std::make_unique<Read>();
    for (const ByteVector& der : encoded_) {
      const Result<Certificate> certificate = Certificate::from_der(der);
      const Result<std::string> subject =
          certificate ? comparable_name(certificate->fields().subject) : std::unexpected(certificate.error());
      if (!subject) {
        if (subject.error().code() == ErrorCode::out_of_memory)
          throw std::bad_alloc();
        made->problem = std::string(subject.error().detail());
        continue;
      }
      auto place = std::find_if(made->names.begin(), made->names.end(),
                                [&](const Namesakes& one) { return one.subject == *subject; });
      if (place == made->names.end())
        place = made->names.insert(place, Namesakes{*subject, {}});
      auto decoded = std::make_shared<DecodedCertificate>(*certificate);
      decoded->load_key();
      place->certificates.push_back(std::move(decoded));
    }
    const Read* expected = nullptr;
    if (read_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel, std::memory_order_acquire))
      return *made.release();
    return *expected;
  }

private:
  std::vector<ByteVector> encoded_;
  mutable std::atomic<const Read*> read_{nullptr};
};

} // namespace detail

struct AnchorStore::Impl {
  std::unordered_map<std::uint64_t, detail::AnchorBucket> buckets; // by hash_of_name
  std::size_t size = 0;

  [[nodiscard]] const detail::AnchorBucket::Read* look_up(BytesView name) const {
    const auto found = buckets.find(detail::hash_of_name(name));
    return found == buckets.end() ? nullptr : &found->second.read();
  }
  /// All anchors of a name, given in DER and in the form in which equal names are equal texts; null when there are none.
  [[nodiscard]] const std::vector<std::shared_ptr<const DecodedCertificate>>*
  named(BytesView name, const std::string& comparable) const {
    if (const auto* const read = look_up(name))
      for (const auto& namesakes : read->names)
        if (namesakes.subject == comparable)
          return &namesakes.certificates;
    return nullptr;
  }
};

TLSCONNECT_DECL AnchorStore::AnchorStore(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<AnchorStore> AnchorStore::create(std::span<const Certificate> anchors) noexcept {
  try {
    std::vector<BytesView> views;
    for (const Certificate& anchor : anchors)
      views.push_back(anchor.der());
    return create_from(views);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL Result<AnchorStore> AnchorStore::create(std::span<const ByteVector> anchors) noexcept {
  try {
    return create_from(std::vector<BytesView>(anchors.begin(), anchors.end()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL Result<AnchorStore> AnchorStore::create_from(std::span<const BytesView> anchors) noexcept {
  try {
    auto impl = std::make_shared<Impl>();
    for (const BytesView anchor : anchors)
      if (const auto fields = detail::read_certificate_fields(anchor))
        impl->size += impl->buckets[detail::hash_of_name(fields->subject)].add(anchor) ? 1 : 0;
    return AnchorStore(std::move(impl));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL std::size_t AnchorStore::size() const noexcept { return impl_->size; }

namespace detail {

/// Whether a key identifier speaks for an issuer, against it, or not at all (RFC 5280, 4.2.1.1).
enum class KeyIdMatch : std::uint8_t { same, unknown, different };

inline KeyIdMatch match_key_ids(const PathCertificate& subject, const PathCertificate& issuer) noexcept {
  const BytesView wanted = subject.extensions().authority_key_id;
  const BytesView own = issuer.extensions().subject_key_id;
  if (wanted.empty() || own.empty())
    return KeyIdMatch::unknown;
  return equal(wanted, own) ? KeyIdMatch::same : KeyIdMatch::different;
}

/// One search: depth first, anchors first.
class PathSearch {
public:
  PathSearch(std::span<const Certificate> chain, const AnchorStore::Impl& anchors, std::int64_t unix_time,
             const PathPolicy& policy, PathCost& cost, PathMemory& memory)
      : chain_(chain), anchors_(anchors), unix_time_(unix_time), policy_(policy), cost_(cost), memory_(memory) {}

  std::expected<std::vector<Certificate>, PathFailure> run() {
    for (std::size_t i = 0; i < chain_.size(); ++i)
      if (find_presented(chain_[i]) == nullptr)
        presented_.push_back(&nodes_.emplace_back(chain_[i], i, false));
    PathCertificate* leaf = presented_.front();
    // Who makes a server's own certificate an anchor has said that this server is trusted.
    if (const auto* namesakes = anchors_.named(leaf->fields().subject, leaf->subject()))
      for (const auto& anchor : *namesakes)
        if (equal(anchor->certificate.der(), chain_[0].der()))
          leaf = node_of_anchor(anchor);
    path_.push_back(leaf);
    if (leaf->anchor() ? complete() : extend())
      return accepted();
    return std::unexpected(explain());
  }

private:
  /// Whether the second's key made the first's signature. The fact is there when somebody may remember it.
  struct TriedSignature {
    std::pair<const PathCertificate*, const PathCertificate*> pair;
    bool valid;
    std::optional<SignatureFact> fact;
  };
  /// A path that leads to an anchor, and breaks a rule.
  struct Refused {
    std::vector<PathCertificate*> path;
    std::vector<PathFinding> findings;
    bool signatures_tried;
  };
  /// Of so many, the best is chosen for the explanation.
  static constexpr std::size_t refused_kept = 4;

  PathCertificate* find_presented(const Certificate& certificate) const {
    for (PathCertificate* known : presented_)
      if (equal(known->certificate().der(), certificate.der()))
        return known;
    return nullptr;
  }

  /// An anchor that the server sent as well has the position that it has there.
  PathCertificate* node_of_anchor(const std::shared_ptr<const DecodedCertificate>& anchor) {
    for (PathCertificate* known : used_anchors_)
      if (known->certificate().der().data() == anchor->certificate.der().data())
        return known;
    const PathCertificate* sent = find_presented(anchor->certificate);
    used_anchors_.push_back(&nodes_.emplace_back(anchor, sent != nullptr ? sent->position() : chain_.size(), true));
    return used_anchors_.back();
  }

  /// Everything that may have issued a certificate, the likeliest first: anchors before others, then by key identifier. An
  /// identifier that differs does not exclude anybody (RFC 4158, 3.5.12: authorities are re-issued with other ones).
  const std::vector<PathCertificate*>& issuers_of(PathCertificate& subject) {
    const auto [place, added] = issuers_.try_emplace(&subject);
    std::vector<PathCertificate*>& issuers = place->second;
    if (!added)
      return issuers;
    if (const auto* namesakes = anchors_.named(subject.fields().issuer, subject.issuer()))
      for (const auto& anchor : *namesakes)
        issuers.push_back(node_of_anchor(anchor));
    for (PathCertificate* candidate : presented_) {
      const auto same = [candidate](const PathCertificate* anchor) {
        return equal(anchor->certificate().der(), candidate->certificate().der());
      };
      if (candidate->subject() == subject.issuer() && std::none_of(issuers.begin(), issuers.end(), same))
        issuers.push_back(candidate);
    }
    sort_stably(issuers, [&](const PathCertificate* a, const PathCertificate* b) {
      const KeyIdMatch of_a = match_key_ids(subject, *a);
      const KeyIdMatch of_b = match_key_ids(subject, *b);
      // One that the identifier speaks against comes last, even if it is an anchor.
      const bool against_a = of_a == KeyIdMatch::different;
      const bool against_b = of_b == KeyIdMatch::different;
      if (against_a != against_b)
        return against_b;
      return a->anchor() != b->anchor() ? a->anchor() : of_a < of_b;
    });
    return issuers;
  }

  /// RFC 4158, 5.2: the same name with the same key twice is a loop, whatever else the certificates say.
  bool loops(const PathCertificate& candidate) const {
    return std::any_of(path_.begin(), path_.end(), [&](const PathCertificate* known) {
      return known->subject() == candidate.subject() && equal(known->fields().spki, candidate.fields().spki);
    });
  }

  /// Whether the issuer's key made the subject's signature; none when it cannot be tried (any more). Each pair is tried
  /// once, here and in what is remembered: the whole certificate and the key are all that the answer depends on.
  std::optional<bool> signed_by(const PathCertificate& subject, PathCertificate& issuer) {
    const std::pair pair{&subject, static_cast<const PathCertificate*>(&issuer)};
    for (const TriedSignature& tried : signatures_)
      if (tried.pair == pair)
        return tried.valid;
    const Result<IssuerKey>& key = issuer.key(policy_);
    const Result<SignatureAlgorithm>& algorithm = subject.signature_algorithm();
    if (!key || !algorithm)
      return std::nullopt;
    std::optional<SignatureFact> fact;
    if (memory_.cache != nullptr)
      fact = VerifiedChainCache::fact_of(subject.certificate().der(), issuer.fields().spki);
    if (fact && memory_.cache->knows(*fact)) {
      ++cost_.remembered;
      signatures_.push_back({pair, true, fact});
      return true;
    }
    if (cost_.signature_checks >= limits::path_signature_checks) {
      exhausted_ = true;
      return std::nullopt;
    }
    ++cost_.signature_checks;
    const bool valid = key->verify(*algorithm, subject.fields().tbs, subject.fields().signature).has_value();
    signatures_.push_back({pair, valid, fact});
    return valid;
  }

  /// Tries every issuer of the last certificate; true when there is a path, which then stands in path_.
  bool extend() {
    PathCertificate& last = *path_.back();
    if (path_.size() >= limits::path_length)
      return false;
    for (PathCertificate* issuer : issuers_of(last)) {
      if (exhausted_ || cost_.candidates >= limits::path_candidates) {
        exhausted_ = true;
        return false;
      }
      ++cost_.candidates;
      if (loops(*issuer))
        continue;
      // Somebody whom the key identifier speaks against has to show that it is the issuer.
      if (match_key_ids(last, *issuer) == KeyIdMatch::different && !signed_by(last, *issuer).value_or(false))
        continue;
      path_.push_back(issuer);
      if (issuer->anchor() ? complete() : extend())
        return true;
      path_.pop_back();
    }
    return false;
  }

  /// The path leads to an anchor: does it keep the rules? Signatures come last, because they cost the most, and from the
  /// anchor down, because nobody but an authority can make the first one.
  bool complete() {
    std::vector<PathFinding> findings = check_path(path_, unix_time_, policy_, cost_);
    const bool kept = findings.empty();
    if (kept) {
      add_signature_findings(path_, findings);
      if (findings.empty())
        return true;
    }
    if (++cost_.refusals >= limits::path_refusals)
      exhausted_ = true;
    if (refused_.size() < refused_kept)
      refused_.push_back({path_, std::move(findings), kept});
    return false;
  }

  /// RFC 5280, 6.1.3 (a)(1).
  void add_signature_findings(const std::vector<PathCertificate*>& path, std::vector<PathFinding>& findings) {
    for (std::size_t i = path.size() - 1; i-- > 0;) {
      const std::optional<bool> valid = signed_by(*path[i], *path[i + 1]);
      if (valid.value_or(false))
        continue;
      if (valid)
        findings.push_back({PathRule::signature, ErrorCode::certificate_signature_invalid, path[i]->position(),
                            "its signature (" + path[i]->certificate().signature_description() +
                                ") was not made by the key of " + path[i + 1]->certificate().subject() + " (" +
                                path[i + 1]->certificate().key_description() + "; " +
                                std::string(describe(PathRule::signature).section) + ")"});
      else if (exhausted_)
        findings.push_back(search_limit());
      // Otherwise another rule has said why it could not be tried.
      return;
    }
  }

  PathFinding search_limit() const {
    return {PathRule::search_limit, ErrorCode::certificate_unknown_issuer, 0,
            "the certificates that the server sent can be combined in too many ways, and none of those that were tried "
            "(" +
                std::to_string(cost_.candidates) + " issuers, " + std::to_string(cost_.signature_checks) +
                " signatures) leads to a trust anchor"};
  }

  std::vector<Certificate> accepted() {
    std::vector<Certificate> path;
    path.reserve(path_.size());
    for (const PathCertificate* certificate : path_)
      path.push_back(certificate->certificate());
    // Of the signatures that were tried, those of the path; all of them are right.
    memory_.facts.clear();
    for (std::size_t i = 0; i + 1 < path_.size(); ++i)
      for (const TriedSignature& tried : signatures_)
        if (tried.fact && tried.pair.first == path_[i] && tried.pair.second == path_[i + 1])
          memory_.facts.push_back(*tried.fact);
    return path;
  }

  /// The best of what was found: signatures that are right before others, then the fewest reasons.
  PathFailure explain() {
    std::vector<PathFinding> best;
    bool best_signed = false;
    for (Refused& refused : refused_) {
      if (!refused.signatures_tried)
        add_signature_findings(refused.path, refused.findings);
      order_by_cause(refused.findings);
      const bool all_signed = std::none_of(refused.findings.begin(), refused.findings.end(),
                                           [](const PathFinding& one) { return one.rule == PathRule::signature; });
      if (!best.empty() && (all_signed != best_signed ? best_signed : refused.findings.size() >= best.size()))
        continue;
      best = refused.findings;
      best_signed = all_signed;
    }
    if (best.empty())
      best = explain_missing_path();
    PathFailure failure{best.front().code, best.front().position, best.front().reason, {}};
    failure.findings = std::move(best);
    return failure;
  }

  /// Why no path leads to an anchor: follows the issuers from the server's certificate as far as they go.
  std::vector<PathFinding> explain_missing_path() {
    std::vector<PathFinding> findings;
    std::vector<PathCertificate*> followed{presented_.front()};
    for (;;) {
      PathCertificate& here = *followed.back();
      if (self_signed(here))
        break;
      PathCertificate* next = nullptr;
      for (PathCertificate* issuer : issuers_of(here))
        if (next == nullptr && !issuer->anchor() && match_key_ids(here, *issuer) != KeyIdMatch::different &&
            std::find(followed.begin(), followed.end(), issuer) == followed.end())
          next = issuer;
      if (next == nullptr)
        break;
      followed.push_back(next);
    }
    if (exhausted_)
      findings.push_back(search_limit());
    else
      findings.push_back(explain_dead_end(followed));
    std::vector<PathFinding> besides;
    for (PathCertificate* certificate : followed)
      for (PathFinding& finding : check_certificate(*certificate, unix_time_, policy_))
        besides.push_back(std::move(finding));
    order_by_cause(besides);
    findings.insert(findings.end(), besides.begin(), besides.end());
    return findings;
  }

  /// Told by names and key identifiers alone; its own signature proves nothing.
  static bool self_signed(const PathCertificate& certificate) {
    return certificate.self_issued() && match_key_ids(certificate, certificate) != KeyIdMatch::different;
  }

  PathFinding explain_dead_end(const std::vector<PathCertificate*>& followed) {
    PathCertificate& end = *followed.back();
    const std::string section = " (" + std::string(describe(PathRule::trusted_issuer).section) + ")";
    const std::string count = std::to_string(anchors_.size) + " trust anchors";
    const auto unknown = [&](std::string reason) {
      return PathFinding{PathRule::trusted_issuer, ErrorCode::certificate_unknown_issuer, end.position(),
                         std::move(reason) + section};
    };
    if (followed.size() >= limits::path_length)
      return unknown("more than " + std::to_string(limits::path_length) +
                     " certificates from the server's on do not lead to a trust anchor; longer paths are not followed");
    if (self_signed(end)) {
      if (followed.size() == 1)
        return {PathRule::trusted_issuer, ErrorCode::certificate_self_signed, end.position(),
                "it is signed by its own key and is not one of the " + count + section};
      return unknown("it is self-signed and ends the chain, but is not one of the " + count);
    }
    const std::string issuer = "its issuer (" + end.certificate().issuer() + ") is ";
    if (anchors_.named(end.fields().issuer, end.issuer()) != nullptr)
      return unknown(issuer + "known by name only: the trust anchor of that name has another key");
    if (const auto* const read = anchors_.look_up(end.fields().issuer); read != nullptr && !read->problem.empty())
      return unknown(issuer + "a trust anchor that cannot be read: " + printable(read->problem));
    const bool sent = std::any_of(presented_.begin(), presented_.end(), [&](const PathCertificate* one) {
      return one != &end && one->subject() == end.issuer();
    });
    if (sent)
      return unknown(issuer + "not among the " + count +
                     ", and the certificates of that name that the server sent lead nowhere else");
    std::string reason = issuer + "neither among the " + count +
                         " nor among the certificates that the server sent; the server may not have sent its "
                         "intermediate certificate";
    if (const std::string_view address = end.extensions().issuer_address; !address.empty())
      reason.append(", which should be at ").append(printable(address));
    return unknown(std::move(reason));
  }

  std::span<const Certificate> chain_;
  const AnchorStore::Impl& anchors_;
  std::int64_t unix_time_;
  const PathPolicy& policy_;
  PathCost& cost_;
  PathMemory& memory_;
  std::deque<PathCertificate> nodes_; // never moved
  std::vector<PathCertificate*> presented_;
  std::vector<PathCertificate*> used_anchors_;
  std::unordered_map<const PathCertificate*, std::vector<PathCertificate*>> issuers_;
  std::vector<TriedSignature> signatures_;
  std::vector<PathCertificate*> path_;
  std::vector<Refused> refused_;
  bool exhausted_ = false;
};

} // namespace detail

TLSCONNECT_DECL std::expected<std::vector<Certificate>, PathFailure>
validate_server_path(std::span<const Certificate> chain, const AnchorStore& anchors, std::int64_t unix_time,
                     const PathPolicy& policy, PathCost* cost, PathMemory* memory) noexcept {
  if (chain.empty())
    return std::unexpected(PathFailure{ErrorCode::certificate_list_empty, 0, {}, {}});
  PathCost own_cost;
  PathMemory no_memory;
  try {
    return detail::PathSearch(chain, anchors.impl(), unix_time, policy, cost != nullptr ? *cost : own_cost,
                              memory != nullptr ? *memory : no_memory)
        .run();
  } catch (const std::bad_alloc&) {
    return std::unexpected(PathFailure{ErrorCode::out_of_memory, 0, {}, {}});
  } catch (...) {
    return std::unexpected(PathFailure{ErrorCode::certificate_rejected, 0, {}, {}});
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
