// The decoders of extensions: each takes exactly the DER that its definition allows.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/certificate_fields.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL std::string_view name_of(NameForm form) noexcept {
  static constexpr auto names =
      std::to_array<std::string_view>({"otherName", "rfc822Name", "dNSName", "x400Address", "directoryName",
                                       "ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID"});
  const auto index = static_cast<std::size_t>(form);
  return index < names.size() ? names[index] : std::string_view("unknown");
}

namespace detail {

inline std::unexpected<Error> malformed(std::string_view extension, std::string_view section, std::string_view what) {
  return fail(ErrorCode::certificate_malformed, {},
              "its " + std::string(extension) + " " + std::string(what) + " (RFC " + std::string(section) + ")");
}

TLSCONNECT_DECL std::string dotted(BytesView oid) {
  std::string text;
  std::uint64_t arc = 0;
  for (const std::uint8_t octet : oid) {
    if (arc > (std::numeric_limits<std::uint64_t>::max() >> 7))
      return "?";
    arc = (arc << 7) | (octet & 0x7FU);
    if ((octet & 0x80U) != 0)
      continue;
    if (text.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(arc / 40, 2);
      text = std::to_string(first) + "." + std::to_string(arc - first * 40);
    } else {
      text.append(".").append(std::to_string(arc));
    }
    arc = 0;
  }
  return text.empty() || (oid.back() & 0x80U) != 0 ? std::string("?") : text;
}

/// RFC 5280, 4.2.1.9: SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
inline Result<BasicConstraints> decode_basic_constraints(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("basicConstraints", "5280, 4.2.1.9", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer)
    return wrong("is not one SEQUENCE");
  BasicConstraints constraints;
  BytesView rest = outer->contents;
  if (!rest.empty() && rest[0] == der_boolean) {
    // X.690, 11.1 and 11.5: TRUE is 0xFF, and a default is left out.
    const auto ca = next_der(rest);
    if (!ca || ca->contents.size() != 1 || ca->contents[0] != 0xFF)
      return wrong("has a cA that is not TRUE in DER");
    constraints.ca = true;
  }
  if (!rest.empty()) {
    const auto length = only_der(rest, der_integer);
    if (!length || !is_der_integer(length->contents) || (length->contents[0] & 0x80U) != 0)
      return wrong("has a pathLenConstraint that is no number, or something behind it");
    // RFC 5280, 4.2.1.9: how many authorities may follow says only who is an authority itself.
    if (!constraints.ca)
      return wrong("has a pathLenConstraint without cA");
    std::uint64_t number = 0;
    for (const std::uint8_t byte : length->contents)
      number = std::min<std::uint64_t>((number << 8) | byte, std::numeric_limits<std::uint32_t>::max());
    constraints.path_length = static_cast<std::uint32_t>(number);
  }
  return constraints;
}

/// RFC 5280, 4.2.1.3: BIT STRING with named bits
inline Result<std::uint16_t> decode_key_usage(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("keyUsage", "5280, 4.2.1.3", what); };
  const auto bits = only_der(value, der_bit_string);
  if (!bits || bits->contents.empty() || bits->contents[0] > 7)
    return wrong("is not one BIT STRING");
  const BytesView bytes = bits->contents.subspan(1);
  // RFC 5280, 4.2.1.3: where the extension is there, it allows something.
  if (bytes.empty())
    return wrong("has no bit");
  if (bytes.size() > 2)
    return wrong("has bits that nobody defined");
  // X.690, 11.2.1: unused bits are zero. By 11.2.2, no zero bit may stand at the end either; but two roots that all
  // systems trust have some there, and nothing can be misread for it.
  if ((bytes.back() & ((1U << bits->contents[0]) - 1U)) != 0)
    return wrong("has unused bits that are set (X.690, 11.2.1)");
  if (std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; }))
    return wrong("has no bit");
  return static_cast<std::uint16_t>((bytes[0] << 8) | (bytes.size() > 1 ? bytes[1] : 0));
}

/// RFC 5280, 4.2.1.12: SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER
inline Result<ExtendedKeyUsage> decode_extended_key_usage(BytesView value) {
  static constexpr std::array<std::uint8_t, 8> server_auth = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
  static constexpr std::array<std::uint8_t, 8> ocsp_signing = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};
  static constexpr std::array<std::uint8_t, 4> any = {0x55, 0x1D, 0x25, 0x00};
  const auto wrong = [](std::string_view what) { return malformed("extendedKeyUsage", "5280, 4.2.1.12", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer || outer->contents.empty())
    return wrong("is not one SEQUENCE with something in it");
  ExtendedKeyUsage usage;
  BytesView rest = outer->contents;
  while (!rest.empty()) {
    const auto purpose = next_der(rest);
    if (!purpose || purpose->tag != der_oid || purpose->contents.empty())
      return wrong("contains something else than object identifiers");
    usage.server_auth = usage.server_auth || equal(purpose->contents, server_auth);
    usage.ocsp_signing = usage.ocsp_signing || equal(purpose->contents, ocsp_signing);
    usage.any = usage.any || equal(purpose->contents, any);
  }
  return usage;
}

/// RFC 5280, 4.2.1.6: a domain name in "preferred name syntax"; underscores are around, and a "*" is for name matching
/// to judge. A constraint may begin with a dot, or be empty.
inline bool is_dns_name(BytesView value, bool constraint) noexcept {
  if (constraint && value.empty())
    return true;
  if (constraint && value.front() == '.')
    value = value.subspan(1);
  if (value.size() > 253)
    return false;
  std::size_t label = 0; // an empty name ends with an empty label
  for (const std::uint8_t c : value) {
    if (c == '.') {
      if (label == 0)
        return false;
      label = 0;
      continue;
    }
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '_' || (c == '*' && !constraint);
    if (!fine || ++label > 63)
      return false;
  }
  return label != 0;
}

/// RFC 5280, 4.2.1.10: a mask "in the style of RFC 4632": ones, then zeros.
inline bool is_contiguous_mask(BytesView mask) noexcept {
  bool ended = false;
  for (const std::uint8_t byte : mask)
    for (unsigned bit = 0x80; bit != 0; bit >>= 1) {
      const bool one = (byte & bit) != 0;
      if (one && ended)
        return false;
      ended = !one;
    }
  return true;
}

/// One GeneralName (RFC 5280, 4.2.1.6); a subtree's base when it is a constraint (4.2.1.10). The error is a predicate.
inline std::expected<GeneralName, std::string> read_general_name(const DerItem& item, bool constraint) {
  // The tags are implicit, but for directoryName, which is a CHOICE. otherName, x400Address and ediPartyName are
  // constructed.
  const unsigned number = item.tag & 0x1FU;
  const bool constructed = number == 0 || (number >= 3 && number <= 5);
  if ((item.tag & 0xC0U) != 0x80 || number > 8 || ((item.tag & 0x20U) != 0) != constructed)
    return std::unexpected(std::string("has a name of an unknown form"));
  GeneralName name{static_cast<NameForm>(number), item.contents, {}};
  switch (name.form) {
  case NameForm::dns:
    if (!is_dns_name(name.value, constraint))
      return std::unexpected("has a dNSName that is none: \"" + printable(as_text(name.value), 64) + "\"");
    break;
  case NameForm::address: {
    const std::size_t size = name.value.size();
    if (constraint ? size != 8 && size != 32 : size != 4 && size != 16)
      return std::unexpected("has an iPAddress of " + std::to_string(size) + " bytes");
    if (constraint && !is_contiguous_mask(name.value.subspan(size / 2)))
      return std::unexpected(std::string("has an iPAddress whose mask has holes"));
    break;
  }
  case NameForm::directory: {
    const auto distinguished = only_der(name.value, der_sequence);
    Result<std::string> comparable = comparable_name(name.value);
    if (!distinguished || !comparable)
      return std::unexpected(std::string("has a directoryName that cannot be read"));
    name.directory = std::move(*comparable);
    break;
  }
  default:
    break;
  }
  return name;
}

/// RFC 5280, 4.2.1.6: SEQUENCE SIZE (1..MAX) OF GeneralName
inline Result<std::vector<GeneralName>> decode_subject_alt_names(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("subjectAltName", "5280, 4.2.1.6", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer || outer->contents.empty())
    return wrong("is not one SEQUENCE with something in it");
  std::vector<GeneralName> names;
  BytesView rest = outer->contents;
  while (!rest.empty()) {
    const auto item = next_der(rest);
    if (!item)
      return wrong("has something in it that is not DER");
    auto name = read_general_name(*item, false);
    if (!name)
      return wrong(name.error());
    names.push_back(std::move(*name));
  }
  return names;
}

/// RFC 5280, 4.2.1.10: SEQUENCE { permittedSubtrees [0], excludedSubtrees [1] }, each SEQUENCE SIZE (1..MAX) OF
/// GeneralSubtree { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
inline Result<NameConstraints> decode_name_constraints(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("nameConstraints", "5280, 4.2.1.10", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer || outer->contents.empty())
    return wrong("is not one SEQUENCE with something in it");
  NameConstraints constraints;
  BytesView rest = outer->contents;
  for (const std::uint8_t tag : {std::uint8_t{0xA0}, std::uint8_t{0xA1}}) {
    if (rest.empty() || rest[0] != tag)
      continue;
    const auto list = next_der(rest);
    if (!list || list->contents.empty())
      return wrong("has an empty list of subtrees");
    BytesView subtrees = list->contents;
    while (!subtrees.empty()) {
      const auto subtree = next_der(subtrees);
      if (!subtree || subtree->tag != der_sequence)
        return wrong("has something in it that is no subtree");
      BytesView inner = subtree->contents;
      const auto base = next_der(inner);
      if (!base)
        return wrong("has something in it that is no subtree");
      // RFC 5280, 4.2.1.10: minimum is always zero, which is the default and so left out of DER; maximum is never there.
      if (!inner.empty())
        return wrong("has a subtree with minimum or maximum");
      auto name = read_general_name(*base, true);
      if (!name)
        return wrong(name.error());
      (tag == 0xA0 ? constraints.permitted : constraints.excluded).push_back(std::move(*name));
    }
  }
  if (!rest.empty())
    return wrong("has something in it besides permitted and excluded subtrees");
  return constraints;
}

/// RFC 5280, 4.2.1.2: OCTET STRING
inline Result<BytesView> decode_subject_key_id(BytesView value) {
  const auto id = only_der(value, der_octet_string);
  if (!id || id->contents.empty())
    return malformed("subjectKeyIdentifier", "5280, 4.2.1.2", "is not one OCTET STRING with something in it");
  return id->contents;
}

/// RFC 5280, 4.2.1.1: SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }, all
/// optional. Issuer and serial number are no help in finding a certificate that was issued again, and are passed over.
inline Result<BytesView> decode_authority_key_id(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("authorityKeyIdentifier", "5280, 4.2.1.1", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer)
    return wrong("is not one SEQUENCE");
  BytesView id;
  BytesView rest = outer->contents;
  for (const std::uint8_t tag : {std::uint8_t{0x80}, std::uint8_t{0xA1}, std::uint8_t{0x82}}) {
    if (rest.empty() || rest[0] != tag)
      continue;
    const auto field = next_der(rest);
    if (!field || field->contents.empty())
      return wrong("has an empty field");
    if (tag == 0x80)
      id = field->contents;
  }
  if (!rest.empty())
    return wrong("has something in it besides its three fields");
  return id;
}

/// RFC 7633, 4.1: SEQUENCE OF INTEGER, the numbers of TLS extensions; true when status_request is among them.
inline Result<bool> decode_tls_feature(BytesView value) {
  const auto wrong = [](std::string_view what) { return malformed("TLS feature", "7633, 4.1", what); };
  const auto outer = only_der(value, der_sequence);
  if (!outer || outer->contents.empty())
    return wrong("is not one SEQUENCE with something in it");
  bool must_staple = false;
  BytesView rest = outer->contents;
  while (!rest.empty()) {
    const auto feature = next_der(rest);
    if (!feature || feature->tag != der_integer || !is_der_integer(feature->contents))
      return wrong("contains something else than numbers");
    must_staple = must_staple || (feature->contents.size() == 1 && feature->contents[0] == 5);
  }
  return must_staple;
}

/// RFC 5280, 4.2.2.1: the first address of the issuer's certificate. It only serves an explanation, so whatever cannot
/// be read is passed over.
inline std::string_view find_issuer_address(BytesView value) noexcept {
  static constexpr std::array<std::uint8_t, 8> ca_issuers = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02};
  const auto outer = only_der(value, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  while (const auto description = next_der(rest)) {
    BytesView inner = description->contents;
    const auto method = next_der(inner);
    const auto location = next_der(inner);
    if (method && location && equal(method->contents, ca_issuers) && location->tag == 0x86)
      return as_text(location->contents);
  }
  return {};
}

/// Stores what one of these decoders returns, or says what is wrong.
template <class T, class U>
std::optional<Error> keep(U& to, Result<T>&& decoded) {
  if (!decoded)
    return std::move(decoded).error();
  to = std::move(*decoded);
  return std::nullopt;
}

TLSCONNECT_DECL std::expected<DerExtension, std::string_view> next_extension(BytesView& list) noexcept {
  // RFC 5280, 4.1: Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
  const auto extension = next_der(list);
  if (!extension || extension->tag != der_sequence)
    return std::unexpected(std::string_view("has something in it that is no extension"));
  BytesView rest = extension->contents;
  const auto id = next_der(rest);
  if (!id || id->tag != der_oid || id->contents.empty())
    return std::unexpected(std::string_view("has an extension without an object identifier"));
  DerExtension read{id->contents, false, {}};
  if (!rest.empty() && rest[0] == der_boolean) {
    // X.690, 11.1 and 11.5: TRUE is 0xFF, and a default is left out.
    const auto flag = next_der(rest);
    if (!flag || flag->contents.size() != 1 || flag->contents[0] != 0xFF)
      return std::unexpected(std::string_view("has a \"critical\" that is not TRUE in DER"));
    read.critical = true;
  }
  const auto value = only_der(rest, der_octet_string);
  if (!value)
    return std::unexpected(std::string_view("has an extension without a value, or with something behind it"));
  read.value = value->contents;
  return read;
}

inline Result<CertificateExtensions> decode_extensions(BytesView list) {
  CertificateExtensions extensions;
  std::vector<BytesView> seen;
  while (!list.empty()) {
    const auto wrong = [](std::string_view what) { return malformed("list of extensions", "5280, 4.2", what); };
    const auto extension = next_extension(list);
    if (!extension)
      return wrong(extension.error());
    const BytesView id = extension->id;
    // RFC 5280, 4.2: each extension at most once; of two, it could not be said which one counts.
    for (const BytesView other : seen)
      if (equal(other, id))
        return wrong("contains " + dotted(id) + " twice");
    seen.push_back(id);
    if (seen.size() > limits::certificate_extensions)
      return wrong("contains more than " + std::to_string(limits::certificate_extensions) + " of them");

    const BytesView der = extension->value;
    static constexpr std::array<std::uint8_t, 8> tls_feature = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18};
    static constexpr std::array<std::uint8_t, 8> authority_info = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
    std::optional<Error> problem;
    bool known = true;
    if (is_id_ce(id, 14))
      problem = keep(extensions.subject_key_id, decode_subject_key_id(der));
    else if (is_id_ce(id, 15))
      problem = keep(extensions.key_usage, decode_key_usage(der));
    else if (is_id_ce(id, 17))
      problem = keep(extensions.subject_alt_names, decode_subject_alt_names(der));
    else if (is_id_ce(id, 19))
      problem = keep(extensions.basic_constraints, decode_basic_constraints(der));
    else if (is_id_ce(id, 30))
      problem = keep(extensions.name_constraints, decode_name_constraints(der));
    else if (is_id_ce(id, 35))
      problem = keep(extensions.authority_key_id, decode_authority_key_id(der));
    else if (is_id_ce(id, 37))
      problem = keep(extensions.extended_key_usage, decode_extended_key_usage(der));
    else if (equal(id, tls_feature))
      problem = keep(extensions.must_staple, decode_tls_feature(der));
    else
      known = false;
    if (problem)
      return std::unexpected<Error>(std::move(*problem));
    if (equal(id, authority_info))
      extensions.issuer_address = find_issuer_address(der);
    if (extension->critical && !known && extensions.unknown_critical.empty())
      extensions.unknown_critical = dotted(id);
  }
  return extensions;
}

} // namespace detail

TLSCONNECT_DECL Result<CertificateExtensions> CertificateExtensions::decode(BytesView list) noexcept {
  try {
    return detail::decode_extensions(list);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    return fail(ErrorCode::certificate_malformed);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
