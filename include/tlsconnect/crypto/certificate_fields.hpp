// A certificate taken apart by hand: where its fields stand (RFC 5280, 4.1). Nothing is interpreted here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/der.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The fields of a certificate as they stand there: views of its DER, which live as long as the certificate.
struct CertificateFields {
  BytesView tbs;                 ///< what is signed
  unsigned version = 1;          ///< 1 to 3
  BytesView serial;              ///< the contents of the INTEGER
  BytesView signature_algorithm; ///< AlgorithmIdentifier
  BytesView issuer;              ///< Name
  BytesView validity;            ///< Validity
  BytesView subject;             ///< Name
  BytesView spki;                ///< SubjectPublicKeyInfo
  BytesView extensions;          ///< the contents of the list of extensions; empty when there is none
  BytesView signature;           ///< without the count of unused bits
};

namespace detail {

/// X.690, 8.3.2: the shortest form, so the first nine bits are not all alike.
[[nodiscard]] inline bool is_der_integer(BytesView contents) noexcept {
  if (contents.empty())
    return false;
  if (contents.size() == 1)
    return true;
  return !(contents[0] == 0x00 && contents[1] < 0x80) && !(contents[0] == 0xFF && contents[1] >= 0x80);
}

/// The contents of subjectPublicKey, without the count of unused bits, of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
[[nodiscard]] inline std::optional<BytesView> public_key_bits(BytesView spki) noexcept {
  const auto outer = only_der(spki, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  const auto algorithm = next_der(rest);
  const auto bits = only_der(rest, der_bit_string);
  if (!algorithm || !bits || bits->contents.empty() || bits->contents[0] != 0)
    return std::nullopt;
  return bits->contents.subspan(1);
}

/// The fields, or what is wrong.
[[nodiscard]] inline std::expected<CertificateFields, std::string_view>
read_certificate_fields(BytesView der) noexcept {
  const auto wrong = [](std::string_view what) { return std::unexpected(what); };
  CertificateFields fields;
  // RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  const auto outer = only_der(der, der_sequence);
  if (!outer)
    return wrong("not exactly one DER structure");
  BytesView rest = outer->contents;
  const auto tbs = next_der(rest);
  const auto algorithm = next_der(rest);
  const auto signature = only_der(rest, der_bit_string);
  if (!tbs || tbs->tag != der_sequence || !algorithm || algorithm->tag != der_sequence)
    return wrong("not a SEQUENCE of tbsCertificate, signatureAlgorithm and signatureValue (RFC 5280, 4.1)");
  if (!signature || signature->contents.empty() || signature->contents[0] != 0)
    return wrong("signatureValue is not the last field, or not a whole number of bytes (RFC 5280, 4.1)");
  fields.tbs = tbs->whole;
  fields.signature_algorithm = algorithm->whole;
  fields.signature = signature->contents.subspan(1);

  rest = tbs->contents;
  auto item = next_der(rest);
  if (item && item->tag == 0xA0) {
    // RFC 5280, 4.1.2.1: version 1 is the default, which DER leaves out.
    const auto version = only_der(item->contents, der_integer);
    if (!version || version->contents.size() != 1 || version->contents[0] < 1 || version->contents[0] > 2)
      return wrong("its version is neither 1 (by default), 2 nor 3 (RFC 5280, 4.1.2.1)");
    fields.version = version->contents[0] + 1U;
    item = next_der(rest);
  }
  if (!item || item->tag != der_integer || !is_der_integer(item->contents))
    return wrong("its serial number is not an INTEGER (RFC 5280, 4.1.2.2)");
  fields.serial = item->contents;
  item = next_der(rest);
  if (!item || item->tag != der_sequence)
    return wrong("it has no field \"signature\" (RFC 5280, 4.1.2.3)");
  // RFC 5280, 4.1.1.2: only one of the two is signed, so they must be the same.
  if (!equal(item->whole, fields.signature_algorithm))
    return wrong("its two signature algorithms, the signed one and the one outside, differ (RFC 5280, 4.1.1.2)");
  for (BytesView* field : {&fields.issuer, &fields.validity, &fields.subject, &fields.spki}) {
    item = next_der(rest);
    if (!item || item->tag != der_sequence)
      return wrong("issuer, validity, subject or subjectPublicKeyInfo is missing (RFC 5280, 4.1)");
    *field = item->whole;
  }
  // RFC 5280, 4.1.2.8: two identifiers that nobody uses.
  for (const std::uint8_t tag : {std::uint8_t{0x81}, std::uint8_t{0x82}})
    if (!rest.empty() && rest[0] == tag && !next_der(rest))
      return wrong("a unique identifier cannot be read (RFC 5280, 4.1.2.8)");
  if (!rest.empty()) {
    // RFC 5280, 4.1.2.9: one extension at least.
    const auto explicit_tag = only_der(rest, 0xA3);
    const auto list = explicit_tag ? only_der(explicit_tag->contents, der_sequence) : std::nullopt;
    if (!list || list->contents.empty())
      return wrong("its list of extensions is empty or cannot be read (RFC 5280, 4.1.2.9)");
    fields.extensions = list->contents;
  }
  return fields;
}

} // namespace detail

} // namespace tlsconnect::inline TLSCONNECT_ABI
