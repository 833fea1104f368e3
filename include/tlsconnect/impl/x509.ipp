// Certificates with Botan: parsing, and what they say. Their signatures stand in x509_signature.ipp.
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
#include <botan/ber_dec.h>
#include <botan/pk_keys.h>
#include <botan/pkix_types.h>
#include <botan/pss_params.h>
#include <botan/x509_ext.h>
#include <botan/x509cert.h>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/impl/public_key.ipp>

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

/// Reads what is one DER SEQUENCE. Botan's constructor would first search the bytes for a PEM header, which
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

/// Seconds since 1970 of a time in a certificate. Botan's own conversion ends with its clock, in the year 2262.
inline std::int64_t unix_time_of(const Botan::ASN1_Time& time) {
  const std::string text = time.to_string(); // [YY]YYMMDDhhmmssZ
  const auto seconds = der_time({text.size() == 13 ? der_utc_time : der_generalized_time, as_bytes(text), {}});
  if (!seconds)
    throw Botan::Decoding_Error("a time of unknown form");
  return *seconds;
}

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
  // Everything is found by hand first, so that what is judged later is what stands there. Botan itself would also take
  // PEM here.
  if (const auto fields = read_certificate_fields(der); !fields)
    throw Botan::Decoding_Error(fields.error());
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

/// The key of a certificate, for a person. Throws.
inline std::string describe_key(const Botan::X509_Certificate& certificate) {
  return describe_key(certificate.subject_public_key_algo(), certificate.subject_public_key_bitstring());
}

// ---- signatures ----

/// A signature algorithm of certificates, and the hash that tls-server-end-point goes with (RFC 5929, 4.1): the
/// algorithm's own, except that SHA-256 stands in for MD5 and SHA-1.
struct CertificateHash {
  std::string_view oid;
  HashAlgorithm hash;
};
inline constexpr auto certificate_hashes = std::to_array<CertificateHash>({
    {"1.2.840.113549.1.1.4", HashAlgorithm::sha256},  // RSASSA-PKCS1-v1_5 with MD5
    {"1.2.840.113549.1.1.5", HashAlgorithm::sha256},  // with SHA-1
    {"1.2.840.113549.1.1.11", HashAlgorithm::sha256}, // with SHA-256
    {"1.2.840.113549.1.1.12", HashAlgorithm::sha384}, // with SHA-384
    {"1.2.840.113549.1.1.13", HashAlgorithm::sha512}, // with SHA-512
    {"1.2.840.10045.4.1", HashAlgorithm::sha256},     // ECDSA with SHA-1
    {"1.2.840.10045.4.3.2", HashAlgorithm::sha256},   // with SHA-256
    {"1.2.840.10045.4.3.3", HashAlgorithm::sha384},   // with SHA-384
    {"1.2.840.10045.4.3.4", HashAlgorithm::sha512},   // with SHA-512
});

/// The same for RSASSA-PSS, whose hash stands in its parameters. Throws.
inline std::optional<HashAlgorithm> hash_of_pss(const Botan::AlgorithmIdentifier& algorithm) {
  const Botan::PSS_Params parameters(algorithm.parameters());
  const std::string hash = parameters.hash_function();
  // RFC 5929, 4.1: nothing is defined for more than one hash.
  if (parameters.mgf_hash_algid().oid().to_formatted_string() != hash)
    return std::nullopt;
  if (hash == "SHA-1" || hash == "SHA-256")
    return HashAlgorithm::sha256;
  if (hash == "SHA-384")
    return HashAlgorithm::sha384;
  if (hash == "SHA-512")
    return HashAlgorithm::sha512;
  return std::nullopt;
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
      const std::optional<ByteVector> der = detail::decode_base64(block->body);
      if (!der)
        return fail(ErrorCode::certificate_malformed, {}, place + "what stands in it is not Base64");
      auto certificate = from_der(*der);
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

TLSCONNECT_DECL CertificateFields Certificate::fields() const noexcept {
  // from_der took no bytes of which this is not true.
  return *detail::read_certificate_fields(impl_->der);
}

TLSCONNECT_DECL ByteVector Certificate::subject_der() const { return to_vector(fields().subject); }

TLSCONNECT_DECL ByteVector Certificate::issuer_der() const { return to_vector(fields().issuer); }

TLSCONNECT_DECL std::optional<ByteVector> Certificate::extension(std::string_view oid) const {
  const Botan::X509_Certificate certificate = detail::botan_certificate(*this);
  try {
    return certificate.v3_extensions().get_extension_bits(Botan::OID(std::string(oid)));
  } catch (const Botan::Exception&) {
    return std::nullopt; // it is not there, or what was asked for is no OID
  }
}

TLSCONNECT_DECL Result<PublicKey> Certificate::public_key() const noexcept {
  return detail::botan_guard(ErrorCode::certificate_malformed, {}, [this] {
    return PublicKey::from_spki(detail::botan_certificate(*this).subject_public_key_info());
  });
}

TLSCONNECT_DECL Result<HashAlgorithm> Certificate::signature_hash() const noexcept {
  return detail::botan_guard(ErrorCode::export_not_available, {}, [this]() -> Result<HashAlgorithm> {
    const Botan::X509_Certificate certificate = detail::botan_certificate(*this);
    const Botan::AlgorithmIdentifier& algorithm = certificate.signature_algorithm();
    const std::string oid = algorithm.oid().to_string();
    if (oid == "1.2.840.113549.1.1.10") { // id-RSASSA-PSS
      if (const auto hash = detail::hash_of_pss(algorithm))
        return *hash;
    }
    for (const detail::CertificateHash& row : detail::certificate_hashes)
      if (row.oid == oid)
        return row.hash;
    return fail(ErrorCode::export_not_available, {},
                "tls-server-end-point is not defined for a certificate signed with " +
                    algorithm.oid().to_formatted_string());
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
