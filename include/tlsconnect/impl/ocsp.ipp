// OCSP responses: the decoder, which takes nothing but DER, and who may speak for an issuer.
#pragma once

#include <algorithm>
#include <array>
#include <expected>
#include <new>
#include <string>
#include <utility>

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/certificate_fields.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>
#include <tlsconnect/verify/ocsp.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline std::unexpected<Error> status_malformed(std::string_view what, std::string_view section = "RFC 6960, 4.2.1") {
  return fail(ErrorCode::certificate_status_invalid, {}, std::string(what) + " (" + std::string(section) + ")");
}

/// OCSPResponseStatus (RFC 6960, 4.2.1): everything but success is an excuse.
inline std::string_view ocsp_excuse(std::uint8_t status) noexcept {
  switch (status) {
  case 1:
    return "says \"malformedRequest\" and nothing else";
  case 2:
    return "says \"internalError\" and nothing else";
  case 3:
    return "says \"tryLater\" and nothing else";
  case 5:
    return "says \"sigRequired\" and nothing else";
  case 6:
    return "says \"unauthorized\" and nothing else";
  default:
    return "has a responseStatus that nobody defined";
  }
}

/// What the extensions of a response say.
struct StatusExtensions {
  bool critical = false; ///< of any of them
  BytesView timestamps;
};

/// RFC 6960, 4.4: Extensions, of which none changes anything for a stapled response; so a critical one must be obeyed by
/// somebody who knows it. Nothing when they cannot be read.
inline std::optional<StatusExtensions> read_status_extensions(BytesView der) noexcept {
  /// 1.3.6.1.4.1.11129.2.4.5
  static constexpr std::array<std::uint8_t, 10> timestamps = {0x2B, 0x06, 0x01, 0x04, 0x01,
                                                              0xD6, 0x79, 0x02, 0x04, 0x05};
  const auto list = only_der(der, der_sequence);
  if (!list || list->contents.empty())
    return std::nullopt;
  StatusExtensions read;
  BytesView rest = list->contents;
  while (!rest.empty()) {
    const auto extension = next_extension(rest);
    if (!extension)
      return std::nullopt;
    read.critical = read.critical || extension->critical;
    if (!equal(extension->id, timestamps))
      continue;
    // RFC 6962, 3.3: the value is an OCTET STRING that contains the list. RFC 5280, 4.2: no extension comes twice.
    const auto found = only_der(extension->value, der_octet_string);
    if (!found || found->contents.empty() || !read.timestamps.empty())
      return std::nullopt;
    read.timestamps = found->contents;
  }
  return read;
}

/// RFC 6960, 4.1.1: CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }
inline std::optional<OcspCertificateId> read_ocsp_id(const DerItem& der) noexcept {
  BytesView rest = der.contents;
  const auto algorithm = next_der(rest);
  const auto name = next_der(rest);
  const auto key = next_der(rest);
  const auto serial = only_der(rest, der_integer);
  if (der.tag != der_sequence || !algorithm || algorithm->tag != der_sequence || !name ||
      name->tag != der_octet_string || !key || key->tag != der_octet_string || !serial ||
      !is_der_integer(serial->contents))
    return std::nullopt;
  BytesView inner = algorithm->contents;
  const auto oid = next_der(inner);
  // RFC 5754, 2: the parameters of hashes are absent, or NULL.
  static constexpr std::array<std::uint8_t, 2> null = {der_null, 0};
  if (!oid || oid->tag != der_oid || oid->contents.empty() || (!inner.empty() && !equal(inner, null)))
    return std::nullopt;
  return OcspCertificateId{oid->contents, name->contents, key->contents, serial->contents};
}

/// RFC 6960, 4.2.1: CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }, implicit tags;
/// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }
inline bool read_ocsp_status(const DerItem& der, OcspSingleResponse& to) noexcept {
  if (der.tag == 0x80 || der.tag == 0x82) {
    to.state = der.tag == 0x80 ? RevocationState::good : RevocationState::unknown;
    return der.contents.empty();
  }
  if (der.tag != 0xA1)
    return false;
  to.state = RevocationState::revoked;
  BytesView rest = der.contents;
  const auto time = next_der(rest);
  const auto seconds = time && time->tag == der_generalized_time ? der_time(*time) : std::nullopt;
  if (!seconds)
    return false;
  to.revoked_at = *seconds;
  if (rest.empty())
    return true;
  const auto outer = only_der(rest, 0xA0);
  const auto reason = outer ? only_der(outer->contents, der_enumerated) : std::nullopt;
  if (!reason || reason->contents.size() != 1 || revocation_reason(reason->contents[0]).empty())
    return false;
  to.reason = reason->contents[0];
  return true;
}

/// RFC 6960, 4.2.1: SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT
/// GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }. The error is a predicate.
inline std::expected<OcspSingleResponse, std::string_view> read_single_response(const DerItem& der) noexcept {
  const auto wrong = [](std::string_view what) { return std::unexpected(what); };
  BytesView rest = der.contents;
  const auto id = next_der(rest);
  const auto named = id ? read_ocsp_id(*id) : std::nullopt;
  if (der.tag != der_sequence || !named)
    return wrong("does not say which certificate it is about");
  OcspSingleResponse single;
  single.id = *named;
  const auto status = next_der(rest);
  if (!status || !read_ocsp_status(*status, single))
    return wrong("has a certStatus that is none");
  const auto this_update = next_der(rest);
  const auto since = this_update && this_update->tag == der_generalized_time ? der_time(*this_update) : std::nullopt;
  if (!since)
    return wrong("has a thisUpdate that is no time");
  single.this_update = *since;
  if (!rest.empty() && rest[0] == 0xA0) {
    const auto outer = next_der(rest);
    const auto time = outer ? only_der(outer->contents, der_generalized_time) : std::nullopt;
    single.next_update = time ? der_time(*time) : std::nullopt;
    if (!single.next_update)
      return wrong("has a nextUpdate that is no time");
  }
  if (!rest.empty()) {
    const auto outer = only_der(rest, 0xA1);
    const auto extensions = outer ? read_status_extensions(outer->contents) : std::nullopt;
    if (!extensions)
      return wrong("has singleExtensions that cannot be read, or something behind them");
    single.unknown_critical = extensions->critical;
    single.timestamps = extensions->timestamps;
  }
  return single;
}

/// RFC 6960, 4.2.1: ResponseData ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, responderID, producedAt
/// GeneralizedTime, responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
inline Result<> read_response_data(BytesView rest, OcspResponse& to) {
  // There is no other version than the default, which DER leaves out; so a version here is either no DER or not known.
  const auto responder = next_der(rest);
  // ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT OCTET STRING }
  if (responder && responder->tag == 0xA1) {
    const auto name = only_der(responder->contents, der_sequence);
    if (!name)
      return status_malformed("names its responder by something that is no name");
    to.responder_name = name->whole;
  } else if (responder && responder->tag == 0xA2) {
    const auto hash = only_der(responder->contents, der_octet_string);
    if (!hash || hash->contents.size() != 20)
      return status_malformed("names its responder by something that is no SHA-1 of a key");
    to.responder_key_hash = hash->contents;
  } else {
    return status_malformed("does not begin with the responder's name or key");
  }
  const auto produced = next_der(rest);
  const auto seconds = produced && produced->tag == der_generalized_time ? der_time(*produced) : std::nullopt;
  if (!seconds)
    return status_malformed("has a producedAt that is no time");
  to.produced_at = *seconds;
  const auto list = next_der(rest);
  if (!list || list->tag != der_sequence || list->contents.empty())
    return status_malformed("has no list of responses");
  BytesView singles = list->contents;
  while (!singles.empty()) {
    const auto item = next_der(singles);
    if (!item)
      return status_malformed("has a list of responses that is not DER");
    const auto single = read_single_response(*item);
    if (!single)
      return status_malformed(single.error());
    if (to.responses.size() == limits::ocsp_single_responses)
      return status_malformed("speaks of more than " + std::to_string(limits::ocsp_single_responses) + " certificates");
    to.responses.push_back(*single);
  }
  if (!rest.empty()) {
    const auto outer = only_der(rest, 0xA1);
    const auto extensions = outer ? read_status_extensions(outer->contents) : std::nullopt;
    if (!extensions)
      return status_malformed("has responseExtensions that cannot be read, or something behind them");
    to.unknown_critical = extensions->critical;
  }
  return {};
}

/// RFC 6960, 4.2.1: BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING, certs [0]
/// EXPLICIT SEQUENCE OF Certificate OPTIONAL }
inline Result<OcspResponse> read_basic_response(BytesView der) {
  const auto outer = only_der(der, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  const auto data = next_der(rest);
  const auto algorithm = next_der(rest);
  const auto signature = next_der(rest);
  if (!data || data->tag != der_sequence || !algorithm || algorithm->tag != der_sequence || !signature ||
      signature->tag != der_bit_string || signature->contents.empty() || signature->contents[0] != 0)
    return status_malformed("is not a SEQUENCE of tbsResponseData, signatureAlgorithm and signature");
  OcspResponse response;
  response.tbs = data->whole;
  response.signature_algorithm = algorithm->whole;
  response.signature = signature->contents.subspan(1);
  if (Result<> read = read_response_data(data->contents, response); !read)
    return std::unexpected<Error>(std::move(read).error());
  if (!rest.empty()) {
    const auto explicit_tag = only_der(rest, 0xA0);
    const auto list = explicit_tag ? only_der(explicit_tag->contents, der_sequence) : std::nullopt;
    if (!list)
      return status_malformed("has certs that are no list, or something behind them");
    BytesView certificates = list->contents;
    while (!certificates.empty()) {
      const auto certificate = next_der(certificates);
      if (!certificate)
        return status_malformed("has certs that are not DER");
      if (response.certificates.size() == limits::ocsp_certificates)
        return status_malformed("has more than " + std::to_string(limits::ocsp_certificates) + " certs");
      response.certificates.push_back(certificate->whole);
    }
  }
  return response;
}

/// RFC 6960, 4.2.1: OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE {
/// responseType OBJECT IDENTIFIER, response OCTET STRING } OPTIONAL }
inline Result<OcspResponse> read_ocsp_response(BytesView der) {
  static constexpr std::array<std::uint8_t, 9> basic = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
  if (der.size() > limits::ocsp_response)
    return status_malformed("has more than " + std::to_string(limits::ocsp_response) + " bytes", "RFC 6066, 8");
  const auto outer = only_der(der, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  const auto status = next_der(rest);
  if (!status || status->tag != der_enumerated || status->contents.size() != 1)
    return status_malformed("is not exactly one OCSPResponse in DER");
  if (status->contents[0] != 0)
    return status_malformed(ocsp_excuse(status->contents[0]));
  const auto explicit_tag = only_der(rest, 0xA0);
  const auto bytes = explicit_tag ? only_der(explicit_tag->contents, der_sequence) : std::nullopt;
  BytesView inner = bytes ? bytes->contents : BytesView();
  const auto type = next_der(inner);
  const auto response = only_der(inner, der_octet_string);
  if (!type || type->tag != der_oid || !response)
    return status_malformed("has no response in it, or something behind it");
  if (!equal(type->contents, basic))
    return status_malformed("is of the type " + dotted(type->contents) + ", not a basic response");
  return read_basic_response(response->contents);
}

// ---- judging ----

/// The hash by which a CertID names its issuer; none for an algorithm that is not known.
inline std::optional<Digest> ocsp_hash(BytesView algorithm, BytesView data) {
  static constexpr std::array<std::uint8_t, 5> sha1 = {0x2B, 0x0E, 0x03, 0x02, 0x1A};
  static constexpr std::array<std::uint8_t, 8> sha2 = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
  Result<Digest> digest = fail(ErrorCode::crypto_failed);
  if (equal(algorithm, sha1))
    digest = sha1_name_of(data);
  else if (algorithm.size() == 9 && equal(algorithm.first(8), sha2) && algorithm[8] >= 1 && algorithm[8] <= 3)
    digest = hash_of(std::array{HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}[algorithm[8] - 1U],
                     data);
  return digest ? std::optional(*digest) : std::nullopt;
}

/// RFC 6960, 3.2 (1): the response is about this certificate, of this issuer. A serial number alone is no certificate's name.
inline bool is_about(const OcspCertificateId& id, const CertificateFields& certificate,
                     const CertificateFields& issuer) {
  if (!equal(id.serial, certificate.serial))
    return false;
  const auto key = public_key_bits(issuer.spki);
  const auto name_hash = ocsp_hash(id.hash_algorithm, certificate.issuer);
  const auto key_hash = key ? ocsp_hash(id.hash_algorithm, *key) : std::nullopt;
  return name_hash && equal(name_hash->view(), id.issuer_name_hash) && key_hash &&
         equal(key_hash->view(), id.issuer_key_hash);
}

/// Why a status is too old, or from the future; nothing when it is neither. Then, until when it may be believed.
inline std::optional<std::string> not_fresh(std::int64_t this_update, std::optional<std::int64_t> next_update,
                                            const StatusClock& clock, std::int64_t& valid_until) {
  const std::string used = ", the time used is " + iso8601(clock.unix_time);
  // RFC 6960, 4.2.2.1 and 3.2 (5); RFC 5280, 6.3.3 (a) (1)(i): both ends count, give or take what clocks differ by.
  if (this_update - clock.skew > clock.unix_time)
    return "is not valid yet: of " + iso8601(this_update) + used;
  // RFC 6960, 4.2.2.1: without nextUpdate, newer information is there all the time. So this one must not be old.
  valid_until = next_update ? *next_update : this_update + clock.max_age;
  if (next_update && *next_update < this_update)
    return "ends before it begins: from " + iso8601(this_update) + " to " + iso8601(*next_update);
  if (clock.unix_time > valid_until + clock.skew)
    return "is too old: of " + iso8601(this_update) +
           (next_update ? ", valid until " : ", which is without nextUpdate, so good until ") + iso8601(valid_until) +
           used;
  return std::nullopt;
}

/// The signatures on a status, under the limits and the policy of the path.
class StatusSignature {
public:
  StatusSignature(const PathPolicy& policy, std::size_t& checks) : policy_(policy), checks_(checks) {}

  /// Why the issuer's key did not make the signature, or whether it did cannot be said; nothing when it did.
  std::optional<std::string> refused(const Result<IssuerKey>& key, BytesView algorithm, BytesView message,
                                     BytesView signature) const {
    if (auto reason = unwanted(key, algorithm))
      return reason;
    if (checks_ == 0)
      return "comes after " + std::to_string(limits::status_signature_checks) +
             " other signatures on statuses, beyond which none is checked";
    --checks_;
    const Result<SignatureAlgorithm> known = read_signature_algorithm(algorithm);
    const Result<> verified = known ? key->verify(*known, message, signature) : std::unexpected(known.error());
    // That nobody could find out says nothing about the signature.
    if (!verified && verified.error().code() == ErrorCode::out_of_memory)
      throw std::bad_alloc();
    if (!verified)
      return "has a signature that this key did not make";
    return std::nullopt;
  }

  /// Why a signature of this key and this algorithm counts for nothing, whatever it is.
  std::optional<std::string> unwanted(const Result<IssuerKey>& key, BytesView algorithm) const {
    // RFC 9846, C.2; 4.4.2.4: no weak keys, no weak hashes, and nothing that the configuration leaves out.
    if (!key)
      return "is signed with a key that is " + std::string(key.error().detail());
    const Result<SignatureAlgorithm> known = read_signature_algorithm(algorithm);
    if (!known)
      return "is signed with " + std::string(known.error().detail()) +
             (known.error().code() == ErrorCode::certificate_algorithm_weak ? ", which is no longer safe"
                                                                            : ", which is not known");
    if (!key->fits(*known))
      return std::string("is signed with an algorithm that does not go with the key");
    if (!policy_.signature_schemes.empty() && !key->among(*known, policy_.signature_schemes))
      return std::string("is signed with an algorithm and a key that the configuration does not allow");
    return std::nullopt;
  }

  [[nodiscard]] std::size_t left() const noexcept { return checks_; }

  [[nodiscard]] Result<IssuerKey> load(const Certificate& certificate) const {
    return IssuerKey::load(certificate, std::max(policy_.rsa_bits_min, PublicKey::shortest_rsa_key));
  }

private:
  const PathPolicy& policy_;
  std::size_t& checks_;
};

/// RFC 6960, 4.2.1: whether a response names this certificate's subject, or its key, as who signed it.
inline bool is_responder(const OcspResponse& response, const CertificateFields& certificate) {
  if (!response.responder_key_hash.empty()) {
    const auto key = public_key_bits(certificate.spki);
    const Result<Digest> hash = key ? sha1_name_of(*key) : fail(ErrorCode::crypto_failed);
    return hash && equal(hash->view(), response.responder_key_hash);
  }
  const Result<std::string> named = comparable_name(response.responder_name);
  const Result<std::string> own = comparable_name(certificate.subject);
  return named && own && *named == *own;
}

/// Why a certificate does not make its holder a responder of this issuer; nothing when it does. RFC 6960, 4.2.2.2 asks for
/// no more than what stands here. Constraints on names would limit nothing: a responder speaks of what its issuer issued,
/// and the issuer could have said the same itself.
inline std::optional<std::string> not_authorised(const Certificate& responder, const Certificate& issuer,
                                                 const Result<IssuerKey>& issuer_key, const StatusClock& clock,
                                                 const StatusSignature& signatures) {
  const CertificateFields fields = responder.fields();
  const std::string who = "is signed by a responder (" + responder.subject() + ") whose certificate ";
  // RFC 6960, 4.2.2.2: nobody but the authority itself, with the key that it signed the certificate in question with, can
  // let a responder speak for it; not one above it, nor one below.
  const Result<std::string> named = comparable_name(fields.issuer);
  const Result<std::string> own = comparable_name(issuer.fields().subject);
  if (!named || !own || *named != *own)
    return who + "was issued by " + responder.issuer() + ", not by the issuer itself (RFC 6960, 4.2.2.2)";
  const Result<CertificateExtensions> extensions = CertificateExtensions::decode(fields.extensions);
  if (fields.version != 3 || !extensions)
    return who + "is malformed, or not of X.509 version 3 (RFC 5280, 4.1)";
  if (!extensions->unknown_critical.empty())
    return who + "has a critical extension that this client does not know: " + extensions->unknown_critical +
           " (RFC 5280, 4.2)";
  // RFC 6960, 4.2.2.2: id-kp-OCSPSigning is what the issuer delegates by; without it, every server that it issued a
  // certificate for could speak of the others. anyExtendedKeyUsage does not say it.
  if (!extensions->extended_key_usage || !extensions->extended_key_usage->ocsp_signing)
    return who + "does not let it sign responses: OCSPSigning is missing in extendedKeyUsage (RFC 6960, 4.2.2.2)";
  // RFC 5280, 4.2.1.12: consistent with OCSPSigning are digitalSignature and nonRepudiation.
  if (extensions->key_usage && !has(*extensions->key_usage, KeyUsage::digital_signature) &&
      !has(*extensions->key_usage, KeyUsage::non_repudiation))
    return who + "does not let it sign: keyUsage has neither digitalSignature nor nonRepudiation (RFC 5280, 4.2.1.12)";
  // RFC 5280, 6.1.3 (a)(2).
  if (clock.unix_time < responder.not_before() || clock.unix_time > responder.not_after())
    return who + "is valid from " + iso8601(responder.not_before()) + " to " + iso8601(responder.not_after()) +
           ", the time used is " + iso8601(clock.unix_time);
  // RFC 5280, 6.1.3 (a)(1).
  if (auto reason = signatures.refused(issuer_key, fields.signature_algorithm, fields.tbs, fields.signature))
    return who + *reason;
  return std::nullopt;
}

/// RFC 6960, 4.2.2.2: who signed is the issuer itself, or a responder that shows a certificate of the issuer's. Why it is
/// neither; nothing when it is.
inline std::optional<std::string> not_signed(const OcspResponse& response, const Certificate& issuer,
                                             const StatusClock& clock, const StatusSignature& signatures) {
  std::optional<std::string> why;
  const Result<IssuerKey> issuer_key = signatures.load(issuer);
  const auto signature_refused = [&](const Result<IssuerKey>& key) {
    return signatures.refused(key, response.signature_algorithm, response.tbs, response.signature);
  };
  if (is_responder(response, issuer.fields())) {
    why = signature_refused(issuer_key);
    if (!why)
      return why;
  }
  for (const BytesView der : response.certificates) {
    // The issuer's own certificate is often sent along; it was tried.
    if (equal(der, issuer.der()))
      continue;
    const Result<Certificate> responder = Certificate::from_der(der);
    if (!responder || !is_responder(response, responder->fields()))
      continue;
    why = not_authorised(*responder, issuer, issuer_key, clock, signatures);
    if (!why)
      why = signature_refused(signatures.load(*responder));
    if (!why)
      return why;
  }
  return why ? why
             : "is signed by somebody who is neither the issuer nor shows a certificate of the issuer's (RFC 6960, "
               "4.2.2.2)";
}

} // namespace detail

TLSCONNECT_DECL Result<OcspResponse> OcspResponse::decode(BytesView der) noexcept {
  try {
    return detail::read_ocsp_response(der);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL RevocationFinding check_ocsp_response(BytesView response, const Certificate& certificate,
                                                      const Certificate& issuer, const StatusClock& clock,
                                                      const PathPolicy& policy, std::size_t& signature_checks) {
  const auto unknown = [](std::string reason) {
    return RevocationFinding{RevocationState::unknown, 0, std::move(reason)};
  };
  const Result<OcspResponse> decoded = OcspResponse::decode(response);
  if (!decoded)
    return unknown(std::string(decoded.error().detail()));
  // RFC 5280, 4.2, of extensions of every kind: what is critical and not known is not for us.
  if (decoded->unknown_critical)
    return unknown("has a critical extension that this client does not know (RFC 6960, 4.4)");

  // Of several about the same certificate, one that says "revoked" is believed before one that says "good".
  const OcspSingleResponse* chosen = nullptr;
  RevocationFinding finding = unknown("is about another certificate (RFC 6960, 3.2)");
  const CertificateFields fields = certificate.fields();
  const CertificateFields issuer_fields = issuer.fields();
  for (const OcspSingleResponse& single : decoded->responses) {
    if (!detail::is_about(single.id, fields, issuer_fields) || (chosen && single.state != RevocationState::revoked))
      continue;
    if (single.unknown_critical) {
      finding.reason = "has a critical extension that this client does not know (RFC 6960, 4.4)";
    } else if (single.state == RevocationState::unknown) {
      finding.reason = "says that its responder does not know the certificate (RFC 6960, 2.2)";
    } else if (single.state == RevocationState::revoked) {
      chosen = &single;
    } else if (auto stale = detail::not_fresh(single.this_update, single.next_update, clock, finding.valid_until)) {
      finding.reason = std::move(*stale) + " (RFC 6960, 4.2.2.1)";
    } else if (decoded->produced_at - clock.skew > clock.unix_time) {
      finding.reason = "was signed at " + detail::iso8601(decoded->produced_at) + ", the time used is " +
                       detail::iso8601(clock.unix_time) + " (RFC 6960, 2.4)";
    } else {
      chosen = &single;
    }
  }
  if (!chosen)
    return unknown(std::move(finding.reason));
  if (auto reason = detail::not_signed(*decoded, issuer, clock, detail::StatusSignature(policy, signature_checks)))
    return unknown(std::move(*reason));

  finding.state = chosen->state;
  if (chosen->state == RevocationState::good) {
    finding.reason = "good since " + detail::iso8601(chosen->this_update);
    finding.timestamps = chosen->timestamps;
  } else {
    finding.reason = "revoked at " + detail::iso8601(chosen->revoked_at);
    if (chosen->reason)
      finding.reason.append(", ").append(revocation_reason(*chosen->reason));
  }
  return finding;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
