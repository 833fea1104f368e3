// Certificates with Botan: parsing, what they say, and signatures made with their keys. Paths stand in x509_path.ipp.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <botan/asn1_obj.h>
#include <botan/asn1_time.h>
#include <botan/base64.h>
#include <botan/ber_dec.h>
#include <botan/ec_group.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/pkix_types.h>
#include <botan/pss_params.h>
#include <botan/pubkey.h>
#include <botan/rsa.h>
#include <botan/x509_ext.h>
#include <botan/x509cert.h>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct Certificate::Impl {
  ByteVector der;
  std::vector<std::string> dns_names;
  std::vector<AddressBytes> ip_addresses;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  bool self_issued = false;
  std::optional<Botan::X509_Certificate> parsed; // empty in a compact certificate
};

namespace detail {

/// Reads what is_single_der_sequence() has seen. Botan's constructor would first search the bytes for a PEM header, which
/// takes time, and would believe one that stands in a text field. Throws.
inline Botan::X509_Certificate decode_certificate(BytesView der) {
  Botan::BER_Decoder decoder(der, Botan::BER_Decoder::Limits::DER());
  Botan::X509_Certificate certificate;
  certificate.decode_from(decoder);
  decoder.verify_end();
  return certificate;
}

/// Botan's view of a certificate; copies share their contents. Throws.
inline Botan::X509_Certificate botan_certificate(const Certificate& certificate) {
  const Certificate::Impl& impl = certificate.impl();
  return impl.parsed ? *impl.parsed : decode_certificate(impl.der);
}

// ---- reading ----

/// Whether the bytes are one DER SEQUENCE and nothing behind it. Botan itself would also take PEM here.
inline bool is_single_der_sequence(BytesView der) noexcept {
  if (der.size() < 2 || der[0] != 0x30)
    return false;
  std::size_t length = der[1];
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || der.size() < 2 + count || der[2] == 0)
      return false;
    length = 0;
    for (std::size_t i = 0; i < count; ++i)
      length = (length << 8) | der[2 + i];
    if (length < 0x80)
      return false;
    header += count;
  }
  return der.size() - header == length;
}

/// Seconds since 1970 of a time in a certificate. Botan's own conversion ends with its clock, in the year 2262.
inline std::int64_t unix_time_of(const Botan::ASN1_Time& time) {
  const std::string text = time.to_string(); // [YY]YYMMDDhhmmssZ
  const bool two_digits = text.size() == 13;
  if (!two_digits && text.size() != 15)
    throw Botan::Decoding_Error("a time of unknown form");
  const auto field = [&text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::size_t month_at = two_digits ? 2 : 4;
  // RFC 5280, 4.1.2.5.1: two digits from 50 on are the twentieth century.
  const int year = two_digits ? field(0) + (field(0) >= 50 ? 1900 : 2000) : field(0) * 100 + field(2);
  const std::int64_t days =
      days_since_epoch(year, static_cast<unsigned>(field(month_at)), static_cast<unsigned>(field(month_at + 2)));
  return days * 86'400 + field(month_at + 4) * 3600 + field(month_at + 6) * 60 + field(month_at + 8);
}

inline Botan::OID subject_alt_name_oid() { return Botan::OID({2, 5, 29, 17}); }

/// The names of the subjectAltName, byte for byte and in order; none when it cannot be read. Botan reads it as well,
/// for name constraints, and is stricter: what it cannot read, no path may contain, so the names here are then for
/// messages only.
inline void read_alt_names(const Botan::X509_Certificate& certificate, Certificate::Impl& impl) {
  const Botan::OID subject_alt_name({2, 5, 29, 17});
  const Botan::Extensions& extensions = certificate.v3_extensions();
  if (!extensions.extension_set(subject_alt_name))
    return;
  try {
    const std::vector<std::uint8_t> bits = extensions.get_extension_bits(subject_alt_name);
    Botan::BER_Decoder decoder(bits, Botan::BER_Decoder::Limits::DER());
    Botan::BER_Decoder names = decoder.start_sequence();
    while (names.more_items()) {
      const Botan::BER_Object name = names.get_next_object();
      const BytesView value(name.bits(), name.length());
      // GeneralName: dNSName [2] IA5String, iPAddress [7] OCTET STRING (RFC 5280, 4.2.1.6)
      if (name.is_a(2, Botan::ASN1_Class::ContextSpecific))
        impl.dns_names.emplace_back(as_text(value));
      else if (name.is_a(7, Botan::ASN1_Class::ContextSpecific))
        impl.ip_addresses.push_back(to_vector(value));
    }
  } catch (const Botan::Exception&) {
    impl.dns_names.clear();
    impl.ip_addresses.clear();
  }
}

/// "CN=…, O=…": the usual short names where there is one. Throws.
inline std::string describe_name(const std::vector<std::uint8_t>& raw) {
  struct ShortName {
    std::string_view oid;
    std::string_view text;
  };
  static constexpr auto short_names = std::to_array<ShortName>({
      {"2.5.4.3", "CN"},
      {"2.5.4.5", "serialNumber"},
      {"2.5.4.6", "C"},
      {"2.5.4.7", "L"},
      {"2.5.4.8", "ST"},
      {"2.5.4.10", "O"},
      {"2.5.4.11", "OU"},
      {"0.9.2342.19200300.100.1.25", "DC"},
      {"1.2.840.113549.1.9.1", "emailAddress"},
  });
  std::string text;
  Botan::BER_Decoder decoder(raw, Botan::BER_Decoder::Limits::DER());
  Botan::BER_Decoder name = decoder.start_sequence();
  while (name.more_items()) {
    Botan::BER_Decoder relative = name.start_set();
    while (relative.more_items()) {
      Botan::OID oid;
      Botan::ASN1_String value;
      relative.start_sequence().decode(oid).decode(value).end_cons();
      const std::string dotted = oid.to_string();
      std::string_view label = dotted;
      for (const ShortName& known : short_names)
        if (known.oid == dotted)
          label = known.text;
      if (!text.empty())
        text.append(", ");
      text.append(label).append("=").append(printable(value.value()));
    }
  }
  return text.empty() ? std::string("(empty name)") : text;
}

/// Parses one certificate. Throws Botan's exceptions.
inline Certificate::Impl parse_certificate(BytesView der) {
  if (!is_single_der_sequence(der))
    throw Botan::Decoding_Error("not exactly one DER structure");
  Certificate::Impl impl;
  impl.der = to_vector(der);
  impl.parsed.emplace(decode_certificate(impl.der));
  const Botan::X509_Certificate& certificate = *impl.parsed;
  impl.not_before = unix_time_of(certificate.not_before());
  impl.not_after = unix_time_of(certificate.not_after());
  impl.self_issued = certificate.raw_subject_dn() == certificate.raw_issuer_dn();
  read_alt_names(certificate, impl);
  return impl;
}

// ---- keys ----

/// What TLS 1.3 tells apart about keys (RFC 9846, 4.2.3).
enum class KeyKind : std::uint8_t { unknown, p256, p384, p521, rsa, rsa_pss, ed25519, ed448 };

inline std::string_view name_of(KeyKind kind) noexcept {
  switch (kind) {
  case KeyKind::unknown:
    break;
  case KeyKind::p256:
    return "EC secp256r1";
  case KeyKind::p384:
    return "EC secp384r1";
  case KeyKind::p521:
    return "EC secp521r1";
  case KeyKind::rsa:
    return "RSA";
  case KeyKind::rsa_pss:
    return "RSA-PSS";
  case KeyKind::ed25519:
    return "Ed25519";
  case KeyKind::ed448:
    return "Ed448";
  }
  return "unknown";
}

inline KeyKind kind_of_key(const Botan::AlgorithmIdentifier& algorithm) {
  // Object identifiers as they stand in DER: comparing them needs neither names nor an allocation.
  static constexpr std::array<std::uint8_t, 10> curve_p256 = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                                              0xCE, 0x3D, 0x03, 0x01, 0x07};
  static constexpr std::array<std::uint8_t, 7> curve_p384 = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
  static constexpr std::array<std::uint8_t, 7> curve_p521 = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23};
  const Botan::OID& oid = algorithm.oid();
  const BytesView parameters = algorithm.parameters();
  if (oid == Botan::OID({1, 2, 840, 10045, 2, 1})) { // id-ecPublicKey
    if (equal(parameters, curve_p256))
      return KeyKind::p256;
    if (equal(parameters, curve_p384))
      return KeyKind::p384;
    if (equal(parameters, curve_p521))
      return KeyKind::p521;
    return KeyKind::unknown;
  }
  // RFC 3279, 2.3.1: the parameters of rsaEncryption are NULL.
  if (oid == Botan::OID({1, 2, 840, 113549, 1, 1, 1}) && algorithm.parameters_are_null())
    return KeyKind::rsa;
  if (oid == Botan::OID({1, 2, 840, 113549, 1, 1, 10})) // id-RSASSA-PSS
    return KeyKind::rsa_pss;
  // RFC 8410, 3: no parameters.
  if (oid == Botan::OID({1, 3, 101, 112}) && parameters.empty())
    return KeyKind::ed25519;
  if (oid == Botan::OID({1, 3, 101, 113}) && parameters.empty())
    return KeyKind::ed448;
  return KeyKind::unknown;
}

/// RSA keys outside of these are refused: longer ones and larger exponents would let a server make this client
/// calculate for as long as it likes.
inline constexpr std::size_t rsa_bits_max = 8192;
inline constexpr std::size_t rsa_exponent_bits_max = 33;

/// A certificate's key, when it is one that TLS 1.3 signatures are made with.
inline Result<std::unique_ptr<Botan::Public_Key>>
load_tls_key(KeyKind kind, const Botan::X509_Certificate& certificate,
             std::size_t rsa_bits_min = Certificate::shortest_rsa_key) {
  const Botan::AlgorithmIdentifier& algorithm = certificate.subject_public_key_algo();
  const std::vector<std::uint8_t>& bits = certificate.subject_public_key_bitstring();
  constexpr ErrorCode unsupported = ErrorCode::certificate_key_unsupported;
  try {
    switch (kind) {
    case KeyKind::unknown:
      break;
    case KeyKind::p256:
    case KeyKind::p384:
    case KeyKind::p521:
      return std::make_unique<Botan::ECDSA_PublicKey>(algorithm, bits);
    case KeyKind::ed25519:
      return std::make_unique<Botan::Ed25519_PublicKey>(algorithm, bits);
    case KeyKind::ed448:
      return std::make_unique<Botan::Ed448_PublicKey>(algorithm, bits);
    case KeyKind::rsa:
    case KeyKind::rsa_pss: {
      auto key = std::make_unique<Botan::RSA_PublicKey>(algorithm, bits);
      const std::size_t size = key->get_n().bits();
      if (size < rsa_bits_min)
        return fail(ErrorCode::certificate_key_too_weak, {},
                    "RSA with " + std::to_string(size) + " bits; at least " + std::to_string(rsa_bits_min) +
                        " are needed");
      if (size > rsa_bits_max || key->get_e().bits() > rsa_exponent_bits_max)
        return fail(unsupported, {},
                    "RSA with " + std::to_string(size) + " bits and an exponent of " +
                        std::to_string(key->get_e().bits()) + " bits; at most " + std::to_string(rsa_bits_max) +
                        " and " + std::to_string(rsa_exponent_bits_max) + " are accepted");
      return key;
    }
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (const std::exception& exception) {
    return fail(unsupported, {}, std::string(name_of(kind)) + " that cannot be read: " + exception.what());
  }
  return fail(unsupported, {},
              "an algorithm or a curve that TLS 1.3 does not sign with: " + algorithm.oid().to_formatted_string());
}

// ---- signatures ----

/// How a scheme of TLS 1.3 is verified, and with which kind of key.
struct SchemeRule {
  SignatureScheme scheme;
  KeyKind kind;
  const char* padding; ///< Botan's name
  const char* hash;    ///< of RSASSA-PSS
  std::size_t salt;
};

// RFC 9846, 4.2.3: ECDSA is bound to one curve and one hash, the salt of RSASSA-PSS is as long as the hash, its mask
// is made with the same hash, and rsae or pss follows the key's object identifier.
inline constexpr auto scheme_rules = std::to_array<SchemeRule>({
    {SignatureScheme::ecdsa_secp256r1_sha256, KeyKind::p256, "SHA-256", nullptr, 0},
    {SignatureScheme::ecdsa_secp384r1_sha384, KeyKind::p384, "SHA-384", nullptr, 0},
    {SignatureScheme::ecdsa_secp521r1_sha512, KeyKind::p521, "SHA-512", nullptr, 0},
    {SignatureScheme::rsa_pss_rsae_sha256, KeyKind::rsa, "PSS(SHA-256,MGF1,32)", "SHA-256", 32},
    {SignatureScheme::rsa_pss_rsae_sha384, KeyKind::rsa, "PSS(SHA-384,MGF1,48)", "SHA-384", 48},
    {SignatureScheme::rsa_pss_rsae_sha512, KeyKind::rsa, "PSS(SHA-512,MGF1,64)", "SHA-512", 64},
    {SignatureScheme::rsa_pss_pss_sha256, KeyKind::rsa_pss, "PSS(SHA-256,MGF1,32)", "SHA-256", 32},
    {SignatureScheme::rsa_pss_pss_sha384, KeyKind::rsa_pss, "PSS(SHA-384,MGF1,48)", "SHA-384", 48},
    {SignatureScheme::rsa_pss_pss_sha512, KeyKind::rsa_pss, "PSS(SHA-512,MGF1,64)", "SHA-512", 64},
    {SignatureScheme::ed25519, KeyKind::ed25519, "Pure", nullptr, 0},
    {SignatureScheme::ed448, KeyKind::ed448, "Pure", nullptr, 0},
});

inline const SchemeRule* rule_of(SignatureScheme scheme) noexcept {
  for (const SchemeRule& rule : scheme_rules)
    if (rule.scheme == scheme)
      return &rule;
  return nullptr;
}

/// RFC 9846, 4.2.3: parameters in an id-RSASSA-PSS key must be those of the signature. Without any, the key fits every
/// scheme (RFC 4055, 1.2).
inline bool pss_parameters_allow(const Botan::AlgorithmIdentifier& key, const SchemeRule& rule) {
  if (key.parameters_are_empty())
    return true;
  try {
    const Botan::PSS_Params parameters(key.parameters());
    return parameters.hash_function() == rule.hash && parameters.mgf_function() == "MGF1" &&
           parameters.mgf_hash_algid().oid().to_formatted_string() == rule.hash &&
           parameters.salt_length() == rule.salt && parameters.trailer_field() == 1;
  } catch (const Botan::Exception&) {
    return false; // what cannot be read allows nothing
  }
}

inline Result<> verify_with_key(const Botan::X509_Certificate& certificate, SignatureScheme scheme, BytesView message,
                                BytesView signature, std::size_t rsa_bits_min) {
  const Botan::AlgorithmIdentifier& algorithm = certificate.subject_public_key_algo();
  const KeyKind kind = kind_of_key(algorithm);
  auto key = load_tls_key(kind, certificate, rsa_bits_min);
  if (!key)
    return std::unexpected<Error>(std::move(key).error());

  // RFC 9846, 4.4.3: the scheme must fit the key. RSASSA-PKCS1-v1_5 and SHA-1 have no rule: TLS 1.3 does not sign with
  // them.
  const SchemeRule* rule = rule_of(scheme);
  if (rule == nullptr || rule->kind != kind)
    return fail(ErrorCode::signature_scheme_not_for_key, {},
                std::string(name_of(scheme)) + " with a key of type " + std::string(name_of(kind)));
  if (kind == KeyKind::rsa_pss && !pss_parameters_allow(algorithm, *rule))
    return fail(ErrorCode::signature_scheme_not_for_key, {},
                std::string(name_of(scheme)) + " with an RSA-PSS key whose parameters ask for something else");

  const bool ecdsa = kind == KeyKind::p256 || kind == KeyKind::p384 || kind == KeyKind::p521;
  Botan::PK_Verifier verifier(**key, rule->padding,
                              ecdsa ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard);
  if (!verifier.verify_message(message, signature))
    return fail(ErrorCode::signature_invalid, {},
                std::string(name_of(scheme)) + " with a key of type " + std::string(name_of(kind)));
  return {};
}

/// For a person. Throws.
inline std::string describe_key(const Botan::X509_Certificate& certificate) {
  const Botan::AlgorithmIdentifier& algorithm = certificate.subject_public_key_algo();
  const KeyKind kind = kind_of_key(algorithm);
  std::string text(name_of(kind));
  if (kind == KeyKind::unknown)
    text = algorithm.oid().to_formatted_string();
  if (kind == KeyKind::rsa || kind == KeyKind::rsa_pss) {
    try {
      const Botan::RSA_PublicKey key(algorithm, certificate.subject_public_key_bitstring());
      text.append(" ").append(std::to_string(key.get_n().bits()));
    } catch (const Botan::Exception&) {
      text.append(" (unreadable)");
    }
  }
  return text;
}

} // namespace detail

TLSCONNECT_DECL Certificate::Certificate(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<Certificate> Certificate::from_der(BytesView der) noexcept {
  return detail::botan_guard(ErrorCode::certificate_malformed, {}, [der]() -> Result<Certificate> {
    return Certificate(std::make_shared<const Impl>(detail::parse_certificate(der)));
  });
}

TLSCONNECT_DECL Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem) noexcept {
  std::size_t number = 0;
  return detail::botan_guard(ErrorCode::certificate_malformed, {}, [&]() -> Result<std::vector<Certificate>> {
    std::vector<Certificate> certificates;
    while (const auto block = detail::next_pem_block(pem)) {
      // RFC 7468, 5.1: CERTIFICATE; the older label is still around.
      if (block->label != "CERTIFICATE" && block->label != "X509 CERTIFICATE")
        continue;
      ++number;
      const std::string place = "certificate " + std::to_string(number) + " of the PEM text: ";
      if (!block->complete)
        return fail(ErrorCode::certificate_malformed, {}, place + "its END line is missing");
      Botan::secure_vector<std::uint8_t> der;
      try {
        der = Botan::base64_decode(block->body);
      } catch (const Botan::Exception&) {
        return fail(ErrorCode::certificate_malformed, {}, place + "what stands in it is not Base64");
      }
      auto certificate = from_der(der);
      if (!certificate)
        return fail(certificate.error().code(), {}, place + std::string(certificate.error().detail()));
      certificates.push_back(std::move(*certificate));
    }
    return certificates;
  });
}

TLSCONNECT_DECL Certificate Certificate::compact() const noexcept {
  if (!impl_->parsed)
    return *this;
  try {
    auto small = std::make_shared<Impl>();
    small->der = impl_->der;
    small->dns_names = impl_->dns_names;
    small->ip_addresses = impl_->ip_addresses;
    small->not_before = impl_->not_before;
    small->not_after = impl_->not_after;
    small->self_issued = impl_->self_issued;
    return Certificate(std::move(small));
  } catch (const std::bad_alloc&) {
    return *this; // as good, only larger
  }
}

TLSCONNECT_DECL BytesView Certificate::der() const noexcept { return impl_->der; }

TLSCONNECT_DECL std::string Certificate::subject() const {
  return detail::describe_name(detail::botan_certificate(*this).raw_subject_dn());
}

TLSCONNECT_DECL std::string Certificate::issuer() const {
  return detail::describe_name(detail::botan_certificate(*this).raw_issuer_dn());
}

TLSCONNECT_DECL std::string Certificate::serial() const {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  const Botan::X509_Certificate certificate = detail::botan_certificate(*this);
  for (const std::uint8_t byte : certificate.serial_number()) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  const std::size_t first = text.find_first_not_of('0');
  return first == std::string::npos ? std::string("0") : text.substr(first);
}

TLSCONNECT_DECL std::int64_t Certificate::not_before() const noexcept { return impl_->not_before; }

TLSCONNECT_DECL std::int64_t Certificate::not_after() const noexcept { return impl_->not_after; }

TLSCONNECT_DECL std::span<const std::string> Certificate::dns_names() const noexcept { return impl_->dns_names; }

TLSCONNECT_DECL std::span<const AddressBytes> Certificate::ip_addresses() const noexcept { return impl_->ip_addresses; }

TLSCONNECT_DECL std::string Certificate::key_description() const {
  return detail::describe_key(detail::botan_certificate(*this));
}

TLSCONNECT_DECL std::string Certificate::signature_description() const {
  return detail::botan_certificate(*this).signature_algorithm().oid().to_formatted_string();
}

TLSCONNECT_DECL bool Certificate::self_issued() const noexcept { return impl_->self_issued; }

TLSCONNECT_DECL Result<> Certificate::verify_signature(SignatureScheme scheme, BytesView message,
                                                       BytesView signature, std::size_t rsa_bits_min) const noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, {}, [&]() -> Result<> {
    return detail::verify_with_key(detail::botan_certificate(*this), scheme, message, signature, rsa_bits_min);
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
