// Path validation with Botan: what it is given, and what its verdict means for a person.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <botan/certstor.h>
#include <botan/x509path.h>

#include <tlsconnect/impl/x509.ipp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A distinguished name in a form in which equal names are equal texts (RFC 5280, 7.1: case and runs of spaces do not
/// count). Throws.
inline std::string comparable_name(const std::vector<std::uint8_t>& raw) {
  std::string text;
  Botan::BER_Decoder decoder(raw, Botan::BER_Decoder::Limits::DER());
  Botan::BER_Decoder name = decoder.start_sequence();
  while (name.more_items()) {
    Botan::BER_Decoder relative = name.start_set();
    while (relative.more_items()) {
      Botan::OID oid;
      Botan::ASN1_String value;
      relative.start_sequence().decode(oid).decode(value).end_cons();
      text.append(oid.to_string()).append(1, '\0');
      bool space = true; // leading ones are dropped
      for (const char c : value.value()) {
        if (c == ' ' && space)
          continue;
        space = c == ' ';
        text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      if (text.ends_with(' '))
        text.pop_back();
      text.append(1, '\0');
    }
    text.append(1, '\1');
  }
  return text;
}

/// The trust anchors as Botan asks for them. Its own store compares every name with every other; a system has some
/// hundred and fifty anchors, and each handshake asks several times.
class AnchorIndex final : public Botan::Certificate_Store {
public:
  /// False when it was there already.
  bool add(const Certificate& certificate) {
    Botan::X509_Certificate parsed = botan_certificate(certificate);
    if (!by_tag_.try_emplace(parsed.tag(), certificate).second)
      return false;
    by_name_[comparable_name(parsed.raw_subject_dn())].push_back(std::move(parsed));
    return true;
  }
  std::size_t size() const noexcept { return by_tag_.size(); }

  const Certificate* find(const Botan::X509_Certificate& certificate) const {
    const auto found = by_tag_.find(certificate.tag());
    return found == by_tag_.end() ? nullptr : &found->second;
  }
  /// Those with this subject, whatever their key.
  const std::vector<Botan::X509_Certificate>* named(const std::vector<std::uint8_t>& raw_name) const {
    const auto found = by_name_.find(comparable_name(raw_name));
    return found == by_name_.end() ? nullptr : &found->second;
  }

  std::vector<Botan::X509_Certificate> find_all_certs(const Botan::X509_DN& subject,
                                                      const std::vector<std::uint8_t>& key_id) const override {
    std::vector<Botan::X509_Certificate> matching;
    if (const auto* all = named(subject.DER_encode()))
      for (const Botan::X509_Certificate& certificate : *all) {
        // A key identifier only chooses between certificates that both have one (RFC 5280, 4.2.1.1).
        const std::vector<std::uint8_t>& own = certificate.subject_key_id();
        if (key_id.empty() || own.empty() || own == key_id)
          matching.push_back(certificate);
      }
    return matching;
  }
  bool contains(const Botan::X509_Certificate& certificate) const override { return find(certificate) != nullptr; }

  // Path validation asks for none of these.
  std::optional<Botan::X509_Certificate> find_cert_by_pubkey_sha1(const std::vector<std::uint8_t>&) const override {
    return std::nullopt;
  }
  std::optional<Botan::X509_Certificate>
  find_cert_by_raw_subject_dn_sha256(const std::vector<std::uint8_t>&) const override {
    return std::nullopt;
  }
  std::optional<Botan::X509_Certificate>
  find_cert_by_issuer_dn_and_serial_number(const Botan::X509_DN&, std::span<const std::uint8_t>) const override {
    return std::nullopt;
  }
  std::vector<Botan::X509_DN> all_subjects() const override { return {}; }

private:
  std::unordered_map<Botan::X509_Certificate::Tag, Certificate, Botan::X509_Certificate::TagHash> by_tag_;
  std::unordered_map<std::string, std::vector<Botan::X509_Certificate>> by_name_;
};

} // namespace detail

struct AnchorStore::Impl {
  detail::AnchorIndex index;
};

TLSCONNECT_DECL AnchorStore::AnchorStore(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<AnchorStore> AnchorStore::create(std::span<const Certificate> anchors) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, {}, [anchors]() -> Result<AnchorStore> {
    auto impl = std::make_shared<Impl>();
    for (const Certificate& anchor : anchors)
      (void)impl->index.add(anchor);
    return AnchorStore(std::move(impl));
  });
}

TLSCONNECT_DECL std::size_t AnchorStore::size() const noexcept { return impl_->index.size(); }

namespace detail {

/// RFC 5280, 4.2.1.12: with an extendedKeyUsage, the certificate is good for what stands in it and nothing else.
inline bool purpose_allows_servers(const Botan::X509_Certificate& certificate, bool any_counts) {
  const std::vector<Botan::OID>& purposes = certificate.extended_key_usage();
  if (purposes.empty())
    return true;
  const Botan::OID server_auth({1, 3, 6, 1, 5, 5, 7, 3, 1});
  const Botan::OID any({2, 5, 29, 37, 0});
  return std::any_of(purposes.begin(), purposes.end(), [&](const Botan::OID& purpose) {
    return purpose == server_auth || (any_counts && purpose == any);
  });
}

/// One validation: the chain as Botan sees it, and everything that an explanation needs.
struct PathCheck {
  /// An issuer that the server sent and that no path may use.
  struct SetAside {
    std::size_t position;
    ErrorCode code;
    std::string reason;
  };

  std::span<const Certificate> chain;
  const AnchorIndex& anchors;
  std::int64_t unix_time;
  std::vector<Botan::X509_Certificate> parsed; // the chain, same order
  std::vector<SetAside> set_aside;

  std::size_t position_of(const Botan::X509_Certificate& certificate) const {
    for (std::size_t i = 0; i < parsed.size(); ++i)
      if (parsed[i].tag() == certificate.tag())
        return i;
    return chain.size();
  }

  /// The server's certificate and the issuers that may be used: none whose key would cost too much to try or whose
  /// purpose is another. They are left out beforehand because a path without them may exist.
  std::vector<Botan::X509_Certificate> candidates() {
    std::vector<Botan::X509_Certificate> usable{parsed[0]};
    for (std::size_t i = 1; i < parsed.size(); ++i) {
      const Botan::X509_Certificate& certificate = parsed[i];
      if (anchors.find(certificate) == nullptr) {
        if (const KeyKind kind = kind_of_key(certificate.subject_public_key_algo());
            kind == KeyKind::rsa || kind == KeyKind::rsa_pss) {
          if (const auto key = load_tls_key(kind, certificate); !key) {
            set_aside.push_back({i, key.error().code(), "its key is " + std::string(key.error().detail())});
            continue;
          }
        }
        // RFC 5280 leaves open what the extension means for an issuer; every browser takes it as a limit on what it
        // may issue for.
        if (!purpose_allows_servers(certificate, true)) {
          set_aside.push_back({i, ErrorCode::certificate_usage_forbidden,
                               "its extendedKeyUsage does not let it issue for servers (serverAuth is missing)"});
          continue;
        }
      }
      usable.push_back(certificate);
    }
    return usable;
  }

  std::string dates_of(const Certificate& certificate) const {
    return "valid from " + iso8601(certificate.not_before()) + " to " + iso8601(certificate.not_after()) +
           ", the time used is " + iso8601(unix_time);
  }

  /// Why no path could be built: follows the issuers from the server's certificate as far as they go.
  PathFailure explain_missing_path() const {
    std::size_t at = 0;
    std::vector<bool> seen(parsed.size());
    for (;;) {
      seen[at] = true;
      const Botan::X509_Certificate& here = parsed[at];
      if (here.is_self_signed()) {
        if (at == 0)
          return {ErrorCode::certificate_self_signed, 0,
                  "it is signed by its own key and is not one of the " + std::to_string(anchors.size()) +
                      " trust anchors"};
        return {ErrorCode::certificate_unknown_issuer, at,
                "it is self-signed and ends the chain, but is not one of the " + std::to_string(anchors.size()) +
                    " trust anchors"};
      }
      std::size_t next = parsed.size();
      for (std::size_t i = 1; i < parsed.size() && next == parsed.size(); ++i)
        if (!seen[i] && parsed[i].subject_dn() == here.issuer_dn() && keys_may_match(here, parsed[i]))
          next = i;
      if (next == parsed.size())
        break;
      for (const SetAside& refused : set_aside)
        if (refused.position == next)
          return {refused.code, next, refused.reason};
      at = next;
    }
    std::string reason = "its issuer (" + chain[at].issuer() + ") is ";
    const auto* namesakes = anchors.named(parsed[at].raw_issuer_dn());
    if (namesakes != nullptr)
      reason += "known by name only: the trust anchor of that name has another key";
    else
      reason += "neither among the " + std::to_string(anchors.size()) +
                " trust anchors nor among the certificates that the server sent; the server may not have sent its "
                "intermediate certificate";
    if (unix_time < chain[at].not_before() || unix_time > chain[at].not_after())
      reason += "; besides, it is " + dates_of(chain[at]);
    return {ErrorCode::certificate_unknown_issuer, at, std::move(reason)};
  }

  static bool keys_may_match(const Botan::X509_Certificate& subject, const Botan::X509_Certificate& issuer) {
    return subject.authority_key_id().empty() || issuer.subject_key_id().empty() ||
           subject.authority_key_id() == issuer.subject_key_id();
  }

  /// Why a path failed that could be built.
  PathFailure explain_status(const std::vector<Botan::X509_Certificate>& path, std::size_t at,
                             Botan::Certificate_Status_Code status) const {
    using Code = Botan::Certificate_Status_Code;
    const std::size_t above = std::min(at + 1, path.size() - 1);
    const auto failure = [&](ErrorCode code, std::size_t which, std::string reason) {
      const std::size_t position = position_of(path[which]);
      // The caller can describe what the server sent; an anchor has to be named here.
      if (position == chain.size())
        if (const Certificate* anchor = anchors.find(path[which]))
          reason = "the trust anchor (" + anchor->subject() + "): " + reason;
      return PathFailure{code, position, std::move(reason)};
    };
    const auto dates = [&] {
      const std::size_t position = position_of(path[at]);
      const Certificate* anchor = anchors.find(path[at]);
      return dates_of(position < chain.size() || anchor == nullptr ? chain[std::min(position, chain.size() - 1)]
                                                                   : *anchor);
    };
    const std::string algorithm = path[at].signature_algorithm().oid().to_formatted_string();

    switch (status) {
    case Code::CERT_HAS_EXPIRED:
      return failure(ErrorCode::certificate_expired, at, "expired: " + dates());
    case Code::CERT_NOT_YET_VALID:
      return failure(ErrorCode::certificate_not_yet_valid, at, "not valid yet: " + dates());
    case Code::SIGNATURE_METHOD_TOO_WEAK:
      return failure(ErrorCode::certificate_key_too_weak, above,
                     "its key (" + describe_key(path[above]) + ") is too weak to trust what it signs");
    case Code::UNTRUSTED_HASH:
      return failure(ErrorCode::certificate_algorithm_weak, at, "it is signed with " + algorithm);
    case Code::SIGNATURE_ERROR:
    case Code::SIGNATURE_ALGO_BAD_PARAMS:
      return failure(ErrorCode::certificate_signature_invalid, at,
                     "its signature (" + algorithm + ") was not made by the key of " +
                         describe_name(path[above].raw_subject_dn()));
    case Code::SIGNATURE_ALGO_UNKNOWN:
      if (algorithm.find("SHA-1") != std::string::npos || algorithm.find("MD") != std::string::npos)
        return failure(ErrorCode::certificate_algorithm_weak, at, "it is signed with " + algorithm);
      return failure(ErrorCode::certificate_key_unsupported, at,
                     "it is signed with an algorithm that this client does not know: " + algorithm);
    case Code::CERT_PUBKEY_INVALID:
      return failure(ErrorCode::certificate_key_unsupported, above,
                     "its key (" + describe_key(path[above]) + ") cannot be used");
    case Code::INVALID_USAGE:
      return failure(ErrorCode::certificate_usage_forbidden, at, explain_usage(path[at]));
    case Code::CA_CERT_NOT_FOR_CERT_ISSUER:
      return failure(ErrorCode::certificate_usage_forbidden, above,
                     "it is not a certificate authority's, but issued " + describe_name(path[at].raw_subject_dn()) +
                         " (basicConstraints, keyUsage or extendedKeyUsage forbid that)");
    case Code::CERT_CHAIN_TOO_LONG:
      return failure(ErrorCode::certificate_constraint_violated, at,
                     "an issuer above it does not allow this many issuers below (pathLenConstraint)");
    case Code::NAME_CONSTRAINT_ERROR:
      return failure(ErrorCode::certificate_constraint_violated, at,
                     "it has a name that an issuer above it may not issue for (nameConstraints)");
    case Code::UNKNOWN_CRITICAL_EXTENSION:
      return failure(ErrorCode::certificate_constraint_violated, at,
                     "it has a critical extension that this client does not know");
    case Code::POLICY_ERROR:
    case Code::IPADDR_BLOCKS_ERROR:
    case Code::AS_BLOCKS_ERROR:
      return failure(ErrorCode::certificate_constraint_violated, at, text_of(status));
    case Code::EXTENSION_ENCODING_ERROR:
      return failure(
          ErrorCode::certificate_malformed, at,
          "an extension in it cannot be read (often a dNSName with other characters than letters, digits and "
          "hyphens, or an extension that is empty)");
    case Code::DUPLICATE_CERT_EXTENSION:
    case Code::EXT_IN_V1_V2_CERT:
    case Code::DUPLICATE_CERT_POLICY:
    case Code::V2_IDENTIFIERS_IN_V1_CERT:
      return failure(ErrorCode::certificate_malformed, at, text_of(status));
    case Code::CERT_IS_REVOKED:
      return failure(ErrorCode::certificate_revoked, at, text_of(status));
    default:
      return failure(ErrorCode::certificate_rejected, at, text_of(status));
    }
  }

  static std::string text_of(Botan::Certificate_Status_Code status) {
    const char* text = Botan::to_string(status);
    return text != nullptr ? text : "path validation status " + std::to_string(static_cast<unsigned>(status));
  }

  static std::string explain_usage(const Botan::X509_Certificate& certificate) {
    if (!purpose_allows_servers(certificate, false))
      return "its extendedKeyUsage does not contain serverAuth";
    if (certificate.has_constraints(Botan::Key_Constraints::KeyCertSign) && !certificate.is_CA_cert())
      return "its keyUsage has keyCertSign, but it is not a certificate authority's";
    return "its keyUsage does not contain digitalSignature";
  }

  /// What RFC 9846 asks of a server's own certificate beyond RFC 5280.
  std::optional<PathFailure> check_leaf() const {
    const Botan::X509_Certificate& leaf = parsed[0];
    // RFC 9846, 4.4.2.2: X.509v3.
    if (leaf.x509_version() != 3)
      return PathFailure{ErrorCode::certificate_usage_forbidden, 0,
                         "it is of X.509 version " + std::to_string(leaf.x509_version()) + "; TLS 1.3 needs version 3"};
    // RFC 9846, 4.4.2.2: the key must be usable for signing, so keyUsage, when there, must have digitalSignature.
    // Keys that may only encipher belong to the key exchange of older versions.
    if (!leaf.constraints().empty() && !leaf.constraints().includes(Botan::Key_Constraints::DigitalSignature))
      return PathFailure{ErrorCode::certificate_usage_forbidden, 0, "its keyUsage does not contain digitalSignature"};
    if (!purpose_allows_servers(leaf, false))
      return PathFailure{ErrorCode::certificate_usage_forbidden, 0, "its extendedKeyUsage does not contain serverAuth"};
    if (const auto key = load_tls_key(kind_of_key(leaf.subject_public_key_algo()), leaf); !key)
      return PathFailure{key.error().code(), 0, "its key is " + std::string(key.error().detail())};
    return std::nullopt;
  }

  std::expected<std::vector<Certificate>, PathFailure> run() {
    for (const Certificate& certificate : chain)
      parsed.push_back(botan_certificate(certificate));

    // Anchors need not be self-signed: whoever trusts an intermediate authority, or one server, can say so. The time
    // is kept within what Botan's clock can express.
    const Botan::Path_Validation_Restrictions restrictions(
        /*require_rev=*/false, /*minimum_key_strength=*/110, /*ocsp_all_intermediates=*/false,
        /*max_ocsp_age=*/std::chrono::seconds::zero(), std::make_unique<Botan::Certificate_Store_In_Memory>(),
        /*ignore_trusted_root_time_range=*/false, /*require_self_signed_trust_anchors=*/false);
    const std::chrono::system_clock::time_point time{
        std::chrono::seconds(std::clamp<std::int64_t>(unix_time, 0, 9'000'000'000))};
    const Botan::Path_Validation_Result result = Botan::x509_path_validate(
        candidates(), restrictions, std::vector<Botan::Certificate_Store*>{const_cast<AnchorIndex*>(&anchors)}, "",
        Botan::Usage_Type::TLS_SERVER_AUTH, time);

    if (!result.successful_validation()) {
      const auto& statuses = result.all_statuses();
      std::size_t worst_at = 0;
      auto worst = Botan::Certificate_Status_Code::OK;
      for (std::size_t i = 0; i < statuses.size(); ++i)
        for (const Botan::Certificate_Status_Code status : statuses[i])
          if (status > worst) {
            worst = status;
            worst_at = i;
          }
      if (worst < Botan::Certificate_Status_Code::FIRST_ERROR_STATUS || result.cert_path().size() != statuses.size()) {
        if (result.result() == Botan::Certificate_Status_Code::EXCEEDED_SEARCH_LIMITS)
          return std::unexpected(
              PathFailure{ErrorCode::certificate_unknown_issuer, 0,
                          "the certificates that the server sent can be combined in too many ways, and "
                          "none of those that were tried leads to a trust anchor"});
        return std::unexpected(explain_missing_path());
      }
      return std::unexpected(explain_status(result.cert_path(), worst_at, worst));
    }
    if (auto failure = check_leaf())
      return std::unexpected(std::move(*failure));

    std::vector<Certificate> path;
    for (const Botan::X509_Certificate& certificate : result.cert_path()) {
      const std::size_t position = position_of(certificate);
      // An anchor that the server sent as well is kept once, in the store.
      if (const Certificate* anchor = anchors.find(certificate))
        path.push_back(*anchor);
      else
        path.push_back(chain[position]);
    }
    return path;
  }
};

} // namespace detail

TLSCONNECT_DECL std::expected<std::vector<Certificate>, PathFailure>
validate_server_path(std::span<const Certificate> chain, const AnchorStore& anchors, std::int64_t unix_time) noexcept {
  if (chain.empty())
    return std::unexpected(PathFailure{ErrorCode::certificate_list_empty, 0, {}});
  try {
    detail::PathCheck check{chain, anchors.impl().index, unix_time, {}, {}};
    return check.run();
  } catch (const std::bad_alloc&) {
    return std::unexpected(PathFailure{ErrorCode::out_of_memory, 0, {}});
  } catch (const std::exception& exception) {
    try {
      return std::unexpected(PathFailure{ErrorCode::certificate_rejected, 0, exception.what()});
    } catch (...) {
      return std::unexpected(PathFailure{ErrorCode::out_of_memory, 0, {}});
    }
  } catch (...) {
    return std::unexpected(PathFailure{ErrorCode::crypto_failed, 0, {}});
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
