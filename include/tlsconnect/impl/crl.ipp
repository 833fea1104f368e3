// Lists of revoked certificates: the decoder, and what a list says of a certificate.
#pragma once

#include <algorithm>
#include <array>
#include <expected>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/certificate_fields.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/impl/certificate_extensions.ipp>
#include <tlsconnect/impl/ocsp.ipp>
#include <tlsconnect/impl/trust_anchors.ipp>
#include <tlsconnect/verify/certificate_extensions.hpp>
#include <tlsconnect/verify/crl.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// Which certificates a list covers (RFC 5280, 5.2.5); without the extension, all of its issuer's.
struct CrlScope {
  BytesView names; ///< GeneralNames of the distribution point; empty: of every one
  bool users_only = false;
  bool authorities_only = false;
};

/// One entry, found again.
struct CrlEntry {
  std::int64_t revoked_at = 0;
  std::optional<std::uint8_t> reason;
};

} // namespace detail

struct Crl::Impl {
  ByteVector der;
  Digest digest; ///< SHA-256 of it
  BytesView tbs; ///< views of `der`, here and below
  BytesView signature_algorithm;
  BytesView signature;
  std::string issuer; ///< in a form that can be compared
  BytesView authority_key_id;
  detail::CrlScope scope;
  std::int64_t this_update = 0;
  std::int64_t next_update = 0;
  /// Where in `der` each entry begins, in the order of serial numbers.
  std::vector<std::uint32_t> entries;

  /// Whether a key made the signature, for the keys that were tried: a list can be long, and it is the same for every
  /// connection.
  struct Tried {
    Digest spki;
    bool valid;
  };
  mutable std::mutex mutex;
  mutable std::vector<Tried> tried;
  static constexpr std::size_t tried_max = 4; ///< an issuer has one key, and a new one now and then
};

namespace detail {

inline std::unexpected<Error> crl_unreadable(std::string_view what, std::string_view section = "RFC 5280, 5.1") {
  return fail(ErrorCode::crl_unreadable, {}, "the list " + std::string(what) + " (" + std::string(section) + ")");
}

/// The order of serial numbers in the index: by length, then by bytes. Which order it is does not matter.
inline bool serial_before(BytesView a, BytesView b) noexcept {
  if (a.size() != b.size())
    return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

/// The serial number of an entry that was read before.
inline BytesView serial_at(const ByteVector& der, std::uint32_t offset) noexcept {
  BytesView rest = BytesView(der).subspan(offset);
  const auto entry = next_der(rest);
  BytesView inner = entry ? entry->contents : BytesView();
  const auto serial = next_der(inner);
  return serial ? serial->contents : BytesView();
}

/// RFC 5280, 5.1.2.6: revokedCertificates ::= SEQUENCE OF SEQUENCE { userCertificate INTEGER, revocationDate Time,
/// crlEntryExtensions OPTIONAL }. The error is a predicate.
inline std::expected<CrlEntry, std::string_view> read_crl_entry(const DerItem& item) noexcept {
  const auto wrong = [](std::string_view what) { return std::unexpected(what); };
  BytesView rest = item.contents;
  const auto serial = next_der(rest);
  const auto date = next_der(rest);
  const auto seconds = date ? der_time(*date) : std::nullopt;
  if (item.tag != der_sequence || !serial || serial->tag != der_integer || !is_der_integer(serial->contents) ||
      !seconds)
    return wrong("has an entry without a serial number or a date");
  CrlEntry entry{*seconds, std::nullopt};
  if (rest.empty())
    return entry;
  const auto outer = only_der(rest, der_sequence);
  if (!outer || outer->contents.empty())
    return wrong("has an entry with something behind it that is no list of extensions");
  BytesView list = outer->contents;
  while (!list.empty()) {
    const auto extension = next_extension(list);
    if (!extension)
      return wrong(extension.error());
    if (is_id_ce(extension->id, 21)) {
      // RFC 5280, 5.3.1: removeFromCRL is for delta CRLs, and 7 is not used.
      const auto reason = only_der(extension->value, der_enumerated);
      if (!reason || reason->contents.size() != 1 || revocation_reason(reason->contents[0]).empty() ||
          reason->contents[0] == 8 || entry.reason)
        return wrong("has an entry whose reasonCode is none");
      entry.reason = reason->contents[0];
    } else if (is_id_ce(extension->id, 29)) {
      // RFC 5280, 5.3.3: certificateIssuer says that this and the following entries are of another issuer.
      return wrong("is an indirect one: an entry is of another issuer");
    } else if (extension->critical && !is_id_ce(extension->id, 24)) { // 24: invalidityDate
      // RFC 5280, 5.3: a list with a critical entry extension that is not known must not be used.
      return wrong("has an entry with a critical extension that is not known");
    }
  }
  return entry;
}

/// RFC 5280, 5.2.5: IssuingDistributionPoint. The error is a predicate.
inline std::expected<CrlScope, std::string_view> read_crl_scope(BytesView value) noexcept {
  const auto wrong = [](std::string_view what) { return std::unexpected(what); };
  const auto outer = only_der(value, der_sequence);
  // RFC 5280, 5.2.5: whoever puts the extension into a list says something with it; an empty SEQUENCE is not allowed.
  if (!outer || outer->contents.empty())
    return wrong("has an issuingDistributionPoint that is not one SEQUENCE with something in it");
  CrlScope scope;
  BytesView rest = outer->contents;
  if (rest[0] == 0xA0) {
    // DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] }
    const auto point = next_der(rest);
    const auto names = point ? only_der(point->contents, 0xA0) : std::nullopt;
    if (!names || names->contents.empty())
      return wrong("has an issuingDistributionPoint whose name is not a full one");
    scope.names = names->contents;
  }
  bool indirect = false;
  bool attributes_only = false;
  for (const auto& [tag, flag] : {std::pair{std::uint8_t{0x81}, &scope.users_only},
                                  {std::uint8_t{0x82}, &scope.authorities_only},
                                  {std::uint8_t{0x83}, static_cast<bool*>(nullptr)},
                                  {std::uint8_t{0x84}, &indirect},
                                  {std::uint8_t{0x85}, &attributes_only}}) {
    if (rest.empty() || rest[0] != tag)
      continue;
    if (flag == nullptr)
      return wrong("covers some reasons of revocation only (onlySomeReasons)");
    const auto value_of = next_der(rest);
    if (!value_of || value_of->contents.size() != 1 || value_of->contents[0] != 0xFF)
      return wrong("has an issuingDistributionPoint with a BOOLEAN that is not TRUE in DER");
    *flag = true;
  }
  if (!rest.empty())
    return wrong("has an issuingDistributionPoint with something in it that nobody defined");
  if (indirect)
    return wrong("is an indirect one (indirectCRL)");
  if (attributes_only)
    return wrong("is for attribute certificates (onlyContainsAttributeCerts)");
  // At most one of them may be TRUE.
  if (scope.users_only && scope.authorities_only)
    return wrong("is for users' certificates only, and for authorities' only");
  return scope;
}

/// RFC 5280, 5.2: crlExtensions.
inline Result<> read_crl_extensions(BytesView list, Crl::Impl& to) {
  std::vector<BytesView> seen;
  while (!list.empty()) {
    const auto extension = next_extension(list);
    if (!extension)
      return crl_unreadable(extension.error(), "RFC 5280, 5.2");
    const BytesView id = extension->id;
    for (const BytesView other : seen)
      if (equal(other, id))
        return crl_unreadable("has the extension " + dotted(id) + " twice", "RFC 5280, 4.2");
    seen.push_back(id);
    if (seen.size() > limits::certificate_extensions)
      return crl_unreadable("has more than " + std::to_string(limits::certificate_extensions) + " extensions",
                            "RFC 5280, 5.2");
    if (is_id_ce(id, 35)) {
      Result<BytesView> key_id = decode_authority_key_id(extension->value);
      if (!key_id)
        return crl_unreadable("has an authorityKeyIdentifier that cannot be read", "RFC 5280, 5.2.1");
      to.authority_key_id = *key_id;
    } else if (is_id_ce(id, 28)) {
      const auto scope = read_crl_scope(extension->value);
      if (!scope)
        return crl_unreadable(scope.error(), "RFC 5280, 5.2.5");
      to.scope = *scope;
    } else if (is_id_ce(id, 27)) {
      return crl_unreadable("is a delta CRL, which is nothing without the list that it changes", "RFC 5280, 5.2.4");
    } else if (extension->critical && !is_id_ce(id, 20)) { // 20: cRLNumber
      // RFC 5280, 5.2: a list with a critical extension that is not understood must not be used to say anything.
      return crl_unreadable("has a critical extension that is not known: " + dotted(id), "RFC 5280, 5.2");
    }
  }
  return {};
}

/// The entries, and where each of them begins.
inline Result<> read_crl_entries(BytesView list, Crl::Impl& to) {
  while (!list.empty()) {
    const auto offset = static_cast<std::size_t>(list.data() - to.der.data());
    const auto item = next_der(list);
    const auto entry = item ? read_crl_entry(*item) : std::unexpected(std::string_view("has an entry that is not DER"));
    if (!entry)
      return crl_unreadable(entry.error(), "RFC 5280, 5.1.2.6 and 5.3");
    to.entries.push_back(static_cast<std::uint32_t>(offset));
  }
  std::sort(to.entries.begin(), to.entries.end(), [&to](std::uint32_t a, std::uint32_t b) {
    return serial_before(serial_at(to.der, a), serial_at(to.der, b));
  });
  return {};
}

/// RFC 5280, 5.1: TBSCertList ::= SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates
/// OPTIONAL, crlExtensions [0] EXPLICIT OPTIONAL }
inline Result<> read_crl_fields(BytesView rest, Crl::Impl& to) {
  const auto version = next_der(rest);
  // RFC 5280, 5.1.2.1: version 2. In one of version 1, whose first field is another, nothing says who may use it for what.
  if (!version || version->tag != der_integer || version->contents.size() != 1 || version->contents[0] != 1)
    return crl_unreadable("is not of version 2", "RFC 5280, 5.1.2.1");
  const auto algorithm = next_der(rest);
  // RFC 5280, 5.1.1.2: only one of the two is signed, so they must be the same.
  if (!algorithm || !equal(algorithm->whole, to.signature_algorithm))
    return crl_unreadable("has two signature algorithms, the signed one and the one outside, that differ",
                          "RFC 5280, 5.1.1.2");
  const auto issuer = next_der(rest);
  Result<std::string> name = issuer ? comparable_name(issuer->whole) : fail(ErrorCode::crl_unreadable);
  if (!name || name->empty())
    return crl_unreadable("has no issuer, or a name that cannot be read", "RFC 5280, 5.1.2.3");
  to.issuer = std::move(*name);
  const auto since = next_der(rest);
  const auto until = next_der(rest);
  const auto this_update = since ? der_time(*since) : std::nullopt;
  const auto next_update = until ? der_time(*until) : std::nullopt;
  // RFC 5280, 5.1.2.5: optional in the syntax, nextUpdate is demanded of every issuer.
  if (!this_update || !next_update)
    return crl_unreadable("has no thisUpdate or no nextUpdate", "RFC 5280, 5.1.2.4 and 5.1.2.5");
  to.this_update = *this_update;
  to.next_update = *next_update;
  if (!rest.empty() && rest[0] == der_sequence) {
    const auto list = next_der(rest);
    // RFC 5280, 5.1.2.6: where nobody is revoked, revokedCertificates is left out rather than empty.
    if (!list || list->contents.empty())
      return crl_unreadable("has an empty list of revoked certificates", "RFC 5280, 5.1.2.6");
    if (Result<> read = read_crl_entries(list->contents, to); !read)
      return read;
  }
  if (rest.empty())
    return {};
  const auto explicit_tag = only_der(rest, 0xA0);
  const auto extensions = explicit_tag ? only_der(explicit_tag->contents, der_sequence) : std::nullopt;
  if (!extensions || extensions->contents.empty())
    return crl_unreadable("has extensions that are no list, or something behind them", "RFC 5280, 5.1.2.7");
  return read_crl_extensions(extensions->contents, to);
}

/// RFC 5280, 5.1: CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
inline Result<> read_crl(Crl::Impl& to) {
  const auto outer = only_der(to.der, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  const auto tbs = next_der(rest);
  const auto algorithm = next_der(rest);
  const auto signature = only_der(rest, der_bit_string);
  if (!tbs || tbs->tag != der_sequence || !algorithm || algorithm->tag != der_sequence || !signature ||
      signature->contents.empty() || signature->contents[0] != 0)
    return crl_unreadable("is not exactly one DER SEQUENCE of tbsCertList, signatureAlgorithm and signatureValue");
  to.tbs = tbs->whole;
  to.signature_algorithm = algorithm->whole;
  to.signature = signature->contents.subspan(1);
  return read_crl_fields(tbs->contents, to);
}

/// Calls `load`, and turns memory that ran out into an Error.
template <class Load>
[[nodiscard]] auto guard_crl(Load&& load) noexcept -> decltype(load()) {
  try {
    return load();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    return fail(ErrorCode::crl_unreadable);
  }
}

// ---- judging ----

/// Whether a list has an entry of the certificate.
inline std::optional<CrlEntry> find_crl_entry(const Crl::Impl& crl, BytesView serial) noexcept {
  const auto place =
      std::lower_bound(crl.entries.begin(), crl.entries.end(), serial, [&crl](std::uint32_t entry, BytesView wanted) {
        return serial_before(serial_at(crl.der, entry), wanted);
      });
  if (place == crl.entries.end() || !equal(serial_at(crl.der, *place), serial))
    return std::nullopt;
  BytesView rest = BytesView(crl.der).subspan(*place);
  const auto entry = read_crl_entry(*next_der(rest));
  return entry ? std::optional(*entry) : std::nullopt; // it could be read when the list was
}

/// RFC 5280, 6.3.3 (b)(2)(i): whether one of the certificate's distribution points (4.2.1.13) has one of these names. One
/// for some reasons only, or with a CRL of another issuer, does not count.
inline bool names_distribution_point(const Certificate& certificate, BytesView names) {
  BytesView list = certificate.fields().extensions;
  while (!list.empty()) {
    const auto extension = next_extension(list);
    if (!extension)
      return false;
    if (!is_id_ce(extension->id, 31))
      continue;
    const auto outer = only_der(extension->value, der_sequence);
    BytesView points = outer ? outer->contents : BytesView();
    while (const auto point = next_der(points)) {
      BytesView fields = point->contents;
      const auto name = next_der(fields);
      if (!name || name->tag != 0xA0 || !fields.empty())
        continue;
      const auto full = only_der(name->contents, 0xA0);
      BytesView theirs = full ? full->contents : BytesView();
      while (const auto one = next_der(theirs)) {
        BytesView ours = names;
        while (const auto other = next_der(ours))
          if (equal(one->whole, other->whole))
            return true;
      }
    }
  }
  return false;
}

/// Why a list would not contain the certificate if it were revoked; nothing when it would.
inline std::optional<std::string> out_of_scope(const CrlScope& scope, const Certificate& certificate) {
  const Result<CertificateExtensions> extensions = CertificateExtensions::decode(certificate.fields().extensions);
  const bool authority = extensions && extensions->basic_constraints && extensions->basic_constraints->ca;
  // RFC 5280, 6.3.3 (b)(2)(ii) and (iii).
  if (scope.users_only && authority)
    return std::string("is for the certificates of users only (RFC 5280, 5.2.5)");
  if (scope.authorities_only && !authority)
    return std::string("is for the certificates of authorities only (RFC 5280, 5.2.5)");
  if (!scope.names.empty() && !names_distribution_point(certificate, scope.names))
    return std::string("is of a distribution point that the certificate does not name (RFC 5280, 6.3.3 (b)(2)(i))");
  return std::nullopt;
}

/// Why the list is none of this issuer's, whose name it has; nothing when it is.
inline std::optional<std::string> crl_not_signed(const Crl::Impl& crl, const Certificate& issuer,
                                                 const StatusSignature& signatures) {
  const Result<CertificateExtensions> extensions = CertificateExtensions::decode(issuer.fields().extensions);
  // RFC 5280, 6.3.3 (f): the key may sign lists.
  if (!extensions || (extensions->key_usage && !has(*extensions->key_usage, KeyUsage::crl_sign)))
    return std::string("is of an issuer whose keyUsage does not contain cRLSign (RFC 5280, 6.3.3 (f))");
  // RFC 5280, 5.2.1: which of the issuer's keys it is.
  if (!crl.authority_key_id.empty() && !extensions->subject_key_id.empty() &&
      !equal(crl.authority_key_id, extensions->subject_key_id))
    return std::string("was signed with another key of the issuer, by its authorityKeyIdentifier (RFC 5280, 5.2.1)");
  const Result<IssuerKey> key = signatures.load(issuer);
  if (auto reason = signatures.unwanted(key, crl.signature_algorithm))
    return reason;
  const Result<Digest> spki = hash_of(HashAlgorithm::sha256, issuer.fields().spki);
  if (!spki)
    return std::string("cannot be checked");
  {
    const std::lock_guard lock(crl.mutex);
    for (const Crl::Impl::Tried& known : crl.tried)
      if (known.spki == *spki)
        return known.valid ? std::nullopt : std::optional<std::string>("has a signature that this key did not make");
  }
  const std::size_t before = signatures.left();
  auto reason = signatures.refused(key, crl.signature_algorithm, crl.tbs, crl.signature);
  if (signatures.left() != before) {
    const std::lock_guard lock(crl.mutex);
    if (crl.tried.size() < Crl::Impl::tried_max)
      crl.tried.push_back({*spki, !reason});
  }
  return reason;
}

/// What one list says.
inline RevocationFinding check_crl(const Crl::Impl& crl, const Certificate& certificate, const Certificate& issuer,
                                   const StatusClock& clock, const StatusSignature& signatures) {
  RevocationFinding finding;
  if (auto reason = crl_not_signed(crl, issuer, signatures)) {
    finding.reason = std::move(*reason);
    return finding;
  }
  if (const auto entry = find_crl_entry(crl, certificate.fields().serial)) {
    finding.state = RevocationState::revoked;
    finding.reason = "revoked at " + iso8601(entry->revoked_at);
    if (entry->reason)
      finding.reason.append(", ").append(revocation_reason(*entry->reason));
    return finding;
  }
  std::optional<std::string> reason = out_of_scope(crl.scope, certificate);
  if (!reason && (reason = not_fresh(crl.this_update, crl.next_update, clock, finding.valid_until)))
    reason->append(" (RFC 5280, 6.3.3 (a)(1)(i))");
  if (reason) {
    finding.reason = std::move(*reason);
    return finding;
  }
  finding.state = RevocationState::good;
  finding.reason = "not among the revoked at " + iso8601(crl.this_update);
  return finding;
}

} // namespace detail

TLSCONNECT_DECL Crl::Crl(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<Crl> Crl::from_der(BytesView der) noexcept {
  return detail::guard_crl([der]() -> Result<Crl> {
    if (der.size() > limits::crl)
      return detail::crl_unreadable("has more than " + std::to_string(limits::crl) + " bytes");
    auto impl = std::make_shared<Impl>();
    impl->der = to_vector(der);
    if (Result<> read = detail::read_crl(*impl); !read)
      return std::unexpected<Error>(std::move(read).error());
    const Result<Digest> digest = hash_of(HashAlgorithm::sha256, impl->der);
    if (!digest)
      return std::unexpected<Error>(digest.error());
    impl->digest = *digest;
    return Crl(std::move(impl));
  });
}

TLSCONNECT_DECL BytesView Crl::der() const noexcept { return impl_->der; }
TLSCONNECT_DECL std::size_t Crl::size() const noexcept { return impl_->entries.size(); }
TLSCONNECT_DECL std::int64_t Crl::this_update() const noexcept { return impl_->this_update; }
TLSCONNECT_DECL std::int64_t Crl::next_update() const noexcept { return impl_->next_update; }

TLSCONNECT_DECL void CrlSet::add(Crl crl) {
  for (const Crl& known : lists_)
    if (known.impl().digest == crl.impl().digest)
      return;
  lists_.push_back(std::move(crl));
}

TLSCONNECT_DECL void CrlSet::add(const CrlSet& other) {
  // Of itself, it has them all.
  for (const Crl& crl : other.lists_)
    add(crl);
}

TLSCONNECT_DECL Result<CrlSet> CrlSet::from_der(BytesView der) noexcept {
  return detail::guard_crl([der]() -> Result<CrlSet> {
    Result<Crl> crl = Crl::from_der(der);
    if (!crl)
      return std::unexpected<Error>(std::move(crl).error());
    CrlSet set;
    set.add(std::move(*crl));
    return set;
  });
}

TLSCONNECT_DECL Result<CrlSet> CrlSet::from_pem(std::string_view pem) noexcept {
  return detail::guard_crl([pem]() mutable -> Result<CrlSet> {
    CrlSet set;
    std::size_t number = 0;
    while (const auto block = detail::next_pem_block(pem)) {
      if (block->label != "X509 CRL")
        continue;
      const std::string place = "number " + std::to_string(++number) + " of the PEM text: ";
      const std::optional<ByteVector> der = block->complete ? detail::decode_base64(block->body) : std::nullopt;
      if (!der)
        return fail(ErrorCode::crl_unreadable, {},
                    place + "its END line is missing, or what stands in it is not Base64");
      Result<Crl> crl = Crl::from_der(*der);
      if (!crl)
        return fail(crl.error().code(), {}, place + std::string(crl.error().detail()));
      set.add(std::move(*crl));
    }
    if (set.empty())
      return fail(ErrorCode::crl_unreadable, {}, "there is no block \"X509 CRL\" in the PEM text");
    return set;
  });
}

TLSCONNECT_DECL Result<CrlSet> CrlSet::from_file(const std::string& path) noexcept {
  return detail::guard_crl([&path]() -> Result<CrlSet> {
    const auto text = detail::read_trust_file(path);
    if (!text)
      return fail(ErrorCode::crl_unreadable, {}, path + ": " + text.error());
    // The same as for certificates: the first byte of DER alone is the digit zero.
    const bool der = text->size() > 1 && (*text)[0] == '\x30' && (static_cast<unsigned char>((*text)[1]) & 0x80U) != 0;
    Result<CrlSet> set = der ? from_der(as_bytes(*text)) : from_pem(*text);
    if (!set)
      return fail(set.error().code(), {}, path + ": " + std::string(set.error().detail()));
    return set;
  });
}

TLSCONNECT_DECL RevocationFinding check_crls(const CrlSet& crls, const Certificate& certificate,
                                             const Certificate& issuer, const StatusClock& clock,
                                             const PathPolicy& policy, std::size_t& signature_checks) {
  RevocationFinding best;
  if (crls.empty())
    return best;
  const Result<std::string> name = comparable_name(certificate.fields().issuer);
  const detail::StatusSignature signatures(policy, signature_checks);
  for (const Crl& crl : crls.lists()) {
    if (!name || crl.impl().issuer != *name)
      continue;
    RevocationFinding finding = detail::check_crl(crl.impl(), certificate, issuer, clock, signatures);
    if (finding.state == RevocationState::revoked)
      return finding;
    // The good one that is good for the longest.
    if (best.reason.empty() || (finding.state == RevocationState::good &&
                                (best.state != RevocationState::good || finding.valid_until > best.valid_until)))
      best = std::move(finding);
  }
  return best;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
