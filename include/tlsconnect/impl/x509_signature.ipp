// Who signed a certificate, with Botan: names that can be compared, keys of issuers, and what they signed.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <botan/pubkey.h>

#include <tlsconnect/impl/x509.ipp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A text that says where it ends, so that no value can pass for two.
inline void append_counted(std::string& to, std::string_view part) {
  for (unsigned shift = 32; shift > 0; shift -= 8)
    to += static_cast<char>(static_cast<unsigned char>(part.size() >> (shift - 8)));
  to.append(part);
}

/// An attribute's value as names are compared.
inline std::string folded_value(std::string_view value) {
  std::string folded;
  folded.reserve(value.size());
  bool space = true; // leading ones are dropped
  for (const char c : value) {
    if (c == ' ' && space)
      continue;
    space = c == ' ';
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (folded.ends_with(' '))
    folded.pop_back();
  return folded;
}

/// An AttributeTypeAndValue: what names are compared by.
inline std::string comparable_attribute(std::string_view oid, std::string_view value) {
  std::string attribute;
  append_counted(attribute, oid);
  append_counted(attribute, folded_value(value));
  return attribute;
}

/// The attributes of one relative name.
inline void append_relative_name(std::string& to, std::vector<std::string>& attributes) {
  // A SET has no order; that of DER depends on how the values are encoded.
  std::sort(attributes.begin(), attributes.end());
  std::string all;
  for (const std::string& attribute : attributes)
    all += attribute;
  append_counted(to, all);
}

/// The usual attributes are 2.5.4.x, in a string of ASCII; nothing for any other, which Botan can read. It takes some
/// microseconds for a name, and a path has many.
inline std::optional<std::string> usual_attribute(BytesView attribute) {
  const auto type = next_der(attribute);
  const auto value = next_der(attribute);
  if (!type || !value || !attribute.empty())
    return std::nullopt;
  const BytesView oid = type->contents;
  if (type->tag != der_oid || oid.size() != 3 || oid[0] != 0x55 || oid[1] != 0x04 || oid[2] >= 0x80)
    return std::nullopt;
  // UTF8String and IA5String may hold any ASCII, PrintableString a part of it (X.680, 41.4).
  const bool printable = value->tag == 0x13;
  if (value->tag != 0x0C && value->tag != 0x16 && !printable)
    return std::nullopt;
  const auto usual = [printable](std::uint8_t byte) {
    const char c = static_cast<char>(byte);
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || (printable ? std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos
                                         : byte >= 0x20 && byte < 0x7F);
  };
  if (!std::all_of(value->contents.begin(), value->contents.end(), usual))
    return std::nullopt;
  return comparable_attribute("2.5.4." + std::to_string(oid[2]), as_text(value->contents));
}

/// The same text as comparable_name_or_throw; nothing for a name that has anything unusual about it.
inline std::optional<std::string> comparable_usual_name(BytesView raw) {
  const auto outer = only_der(raw, der_sequence);
  if (!outer)
    return std::nullopt;
  std::string text;
  std::vector<std::string> attributes;
  for (BytesView rest = outer->contents; !rest.empty();) {
    const auto relative = next_der(rest);
    if (!relative || relative->tag != 0x31 || relative->contents.empty())
      return std::nullopt;
    attributes.clear();
    for (BytesView set = relative->contents; !set.empty();) {
      const auto item = next_der(set);
      auto attribute = item && item->tag == der_sequence ? usual_attribute(item->contents) : std::nullopt;
      if (!attribute)
        return std::nullopt;
      attributes.push_back(std::move(*attribute));
    }
    append_relative_name(text, attributes);
  }
  return text;
}

/// Throws.
inline std::string comparable_name_or_throw(BytesView raw) {
  std::string text;
  Botan::BER_Decoder decoder(raw, Botan::BER_Decoder::Limits::DER());
  Botan::BER_Decoder name = decoder.start_sequence();
  while (name.more_items()) {
    std::vector<std::string> attributes;
    Botan::BER_Decoder relative = name.start_set();
    while (relative.more_items()) {
      Botan::OID oid;
      Botan::ASN1_String value;
      relative.start_sequence().decode(oid).decode(value).end_cons();
      attributes.push_back(comparable_attribute(oid.to_string(), value.value()));
    }
    // RFC 5280, 4.1.2.4: SET SIZE (1..MAX)
    if (attributes.empty())
      throw Botan::Decoding_Error("a relative name without attributes");
    append_relative_name(text, attributes);
  }
  name.verify_end();
  decoder.verify_end();
  return text;
}

/// Algorithms that are known, and no longer safe: MD2, MD4, MD5 and SHA-1, whatever the key.
inline bool is_weak_signature(std::string_view oid) noexcept {
  static constexpr auto weak = std::to_array<std::string_view>({
      "1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", // RSA
      "1.3.14.3.2.3", "1.3.14.3.2.29",      // RSA, older names
      "1.2.840.10045.4.1",                  // ECDSA
      "1.2.840.10040.4.3", "1.3.14.3.2.27", // DSA
  });
  return std::find(weak.begin(), weak.end(), oid) != weak.end();
}

struct KnownSignature {
  std::string_view oid;
  SignatureAlgorithm algorithm;
  bool null_allowed; // as parameters; nothing else ever is
};
// RFC 4055, 5 (NULL, and its absence must be accepted); RFC 5758, 3.2, RFC 8410, 3 and RFC 9881, 2 (no parameters).
inline constexpr auto known_signatures = std::to_array<KnownSignature>({
    {"1.2.840.10045.4.3.2", {SignatureFamily::ecdsa, HashAlgorithm::sha256}, false},
    {"1.2.840.10045.4.3.3", {SignatureFamily::ecdsa, HashAlgorithm::sha384}, false},
    {"1.2.840.10045.4.3.4", {SignatureFamily::ecdsa, HashAlgorithm::sha512}, false},
    {"1.2.840.113549.1.1.11", {SignatureFamily::rsa_pkcs1, HashAlgorithm::sha256}, true},
    {"1.2.840.113549.1.1.12", {SignatureFamily::rsa_pkcs1, HashAlgorithm::sha384}, true},
    {"1.2.840.113549.1.1.13", {SignatureFamily::rsa_pkcs1, HashAlgorithm::sha512}, true},
    {"1.3.101.112", {SignatureFamily::ed25519, HashAlgorithm::sha512}, false},
    {"1.3.101.113", {SignatureFamily::ed448, HashAlgorithm::sha512}, false},
    {"2.16.840.1.101.3.4.3.17", {SignatureFamily::mldsa44, HashAlgorithm::sha512}, false},
    {"2.16.840.1.101.3.4.3.18", {SignatureFamily::mldsa65, HashAlgorithm::sha512}, false},
    {"2.16.840.1.101.3.4.3.19", {SignatureFamily::mldsa87, HashAlgorithm::sha512}, false},
});

/// RFC 4055, 3.1, as far as RFC 9846, 4.2.3 uses it: one hash for all, a salt of its length. Throws.
inline Result<SignatureAlgorithm> pss_algorithm(const Botan::AlgorithmIdentifier& algorithm) {
  const Botan::PSS_Params parameters(algorithm.parameters());
  const std::string hash = parameters.hash_function();
  // The default is SHA-1.
  if (hash == "SHA-1" || hash == "MD5")
    return fail(ErrorCode::certificate_algorithm_weak, {}, "RSASSA-PSS with " + hash);
  struct Row {
    std::string_view name;
    HashAlgorithm hash;
    std::size_t length;
  };
  static constexpr auto rows = std::to_array<Row>({{"SHA-256", HashAlgorithm::sha256, 32},
                                                   {"SHA-384", HashAlgorithm::sha384, 48},
                                                   {"SHA-512", HashAlgorithm::sha512, 64}});
  for (const Row& row : rows)
    if (hash == row.name && parameters.mgf_function() == "MGF1" &&
        parameters.mgf_hash_algid().oid().to_formatted_string() == hash && parameters.salt_length() == row.length &&
        parameters.trailer_field() == 1)
      return SignatureAlgorithm{SignatureFamily::rsa_pss, row.hash};
  return fail(ErrorCode::certificate_key_unsupported, {},
              "RSASSA-PSS with " + hash + " and parameters that TLS does not use (RFC 9846, 4.2.3)");
}

/// The schemes of TLS for keys of a kind: what `among` compares with.
inline std::optional<SignatureScheme> ecdsa_scheme(KeyKind kind) noexcept {
  switch (kind) {
  case KeyKind::p256:
    return SignatureScheme::ecdsa_secp256r1_sha256;
  case KeyKind::p384:
    return SignatureScheme::ecdsa_secp384r1_sha384;
  case KeyKind::p521:
    return SignatureScheme::ecdsa_secp521r1_sha512;
  default:
    return std::nullopt;
  }
}

/// By SHA-256, SHA-384, SHA-512.
template <class T>
inline T by_hash(HashAlgorithm hash, T sha256, T sha384, T sha512) noexcept {
  return hash == HashAlgorithm::sha256 ? sha256 : hash == HashAlgorithm::sha384 ? sha384 : sha512;
}

inline std::optional<SignatureScheme> scheme_of(SignatureAlgorithm algorithm, KeyKind kind) noexcept {
  using S = SignatureScheme;
  switch (algorithm.family) {
  case SignatureFamily::rsa_pkcs1:
    if (kind == KeyKind::rsa)
      return by_hash(algorithm.hash, S::rsa_pkcs1_sha256, S::rsa_pkcs1_sha384, S::rsa_pkcs1_sha512);
    break;
  case SignatureFamily::rsa_pss:
    if (kind == KeyKind::rsa)
      return by_hash(algorithm.hash, S::rsa_pss_rsae_sha256, S::rsa_pss_rsae_sha384, S::rsa_pss_rsae_sha512);
    if (kind == KeyKind::rsa_pss)
      return by_hash(algorithm.hash, S::rsa_pss_pss_sha256, S::rsa_pss_pss_sha384, S::rsa_pss_pss_sha512);
    break;
  case SignatureFamily::ecdsa:
    if (is_ec(kind)) // of the hash; the curve is another matter
      return by_hash(algorithm.hash, S::ecdsa_secp256r1_sha256, S::ecdsa_secp384r1_sha384, S::ecdsa_secp521r1_sha512);
    break;
  case SignatureFamily::ed25519:
    if (kind == KeyKind::ed25519)
      return S::ed25519;
    break;
  case SignatureFamily::ed448:
    if (kind == KeyKind::ed448)
      return S::ed448;
    break;
  case SignatureFamily::mldsa44:
    if (kind == KeyKind::mldsa44)
      return S::mldsa44;
    break;
  case SignatureFamily::mldsa65:
    if (kind == KeyKind::mldsa65)
      return S::mldsa65;
    break;
  case SignatureFamily::mldsa87:
    if (kind == KeyKind::mldsa87)
      return S::mldsa87;
    break;
  }
  return std::nullopt;
}

/// An AlgorithmIdentifier. Throws.
inline Botan::AlgorithmIdentifier read_algorithm(BytesView der) {
  Botan::AlgorithmIdentifier algorithm;
  Botan::BER_Decoder decoder(der, Botan::BER_Decoder::Limits::DER());
  decoder.decode(algorithm).verify_end();
  return algorithm;
}

} // namespace detail

TLSCONNECT_DECL Result<std::string> comparable_name(BytesView name) noexcept {
  return detail::botan_guard(ErrorCode::certificate_malformed, {}, [name]() -> Result<std::string> {
    if (std::optional<std::string> usual = detail::comparable_usual_name(name))
      return std::move(*usual);
    return detail::comparable_name_or_throw(name);
  });
}

TLSCONNECT_DECL Result<SignatureAlgorithm> read_signature_algorithm(BytesView der) noexcept {
  return detail::botan_guard(ErrorCode::certificate_key_unsupported, {}, [der]() -> Result<SignatureAlgorithm> {
    const Botan::AlgorithmIdentifier algorithm = detail::read_algorithm(der);
    const std::string oid = algorithm.oid().to_string();
    if (oid == "1.2.840.113549.1.1.10") // id-RSASSA-PSS
      return detail::pss_algorithm(algorithm);
    if (detail::is_weak_signature(oid))
      return fail(ErrorCode::certificate_algorithm_weak, {}, algorithm.oid().to_formatted_string());
    for (const detail::KnownSignature& known : detail::known_signatures)
      if (known.oid == oid) {
        if (algorithm.parameters_are_empty() || (known.null_allowed && algorithm.parameters_are_null()))
          return known.algorithm;
        return fail(ErrorCode::certificate_key_unsupported, {},
                    algorithm.oid().to_formatted_string() + " with parameters, of which it has none");
      }
    return fail(ErrorCode::certificate_key_unsupported, {}, algorithm.oid().to_formatted_string());
  });
}

TLSCONNECT_DECL Result<SignatureAlgorithm> Certificate::signature_algorithm() const noexcept {
  return read_signature_algorithm(fields().signature_algorithm);
}

struct IssuerKey::Impl {
  detail::KeyKind kind;
  std::size_t rsa_bits; // 0 for other keys
  Botan::AlgorithmIdentifier algorithm;
  std::unique_ptr<Botan::Public_Key> key;
};

TLSCONNECT_DECL IssuerKey::IssuerKey(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<IssuerKey> IssuerKey::load(const Certificate& certificate, std::size_t rsa_bits_min) noexcept {
  return detail::botan_guard(ErrorCode::certificate_key_unsupported, {}, [&]() -> Result<IssuerKey> {
    const auto unreadable = [] {
      return fail(ErrorCode::certificate_key_unsupported, {}, "not a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7)");
    };
    const auto outer = detail::only_der(certificate.fields().spki, detail::der_sequence);
    if (!outer)
      return unreadable();
    BytesView rest = outer->contents;
    const auto algorithm = detail::next_der(rest);
    const auto bits = detail::only_der(rest, detail::der_bit_string);
    if (!algorithm || !bits || bits->contents.empty() || bits->contents[0] != 0)
      return unreadable();
    Impl impl;
    impl.algorithm = detail::read_algorithm(algorithm->whole);
    impl.kind = detail::kind_of_key(impl.algorithm);
    auto key = detail::load_tls_key(impl.kind, impl.algorithm, bits->contents.subspan(1), rsa_bits_min);
    if (!key)
      return std::unexpected<Error>(std::move(key).error());
    impl.key = std::move(*key);
    const bool rsa = impl.kind == detail::KeyKind::rsa || impl.kind == detail::KeyKind::rsa_pss;
    impl.rsa_bits = rsa ? impl.key->key_length() : 0;
    return IssuerKey(std::make_shared<const Impl>(std::move(impl)));
  });
}

TLSCONNECT_DECL bool IssuerKey::long_enough(std::size_t rsa_bits_min) const noexcept {
  return impl_->rsa_bits == 0 || impl_->rsa_bits >= rsa_bits_min;
}

TLSCONNECT_DECL bool IssuerKey::fits(SignatureAlgorithm algorithm) const noexcept {
  const auto scheme = detail::scheme_of(algorithm, impl_->kind);
  if (!scheme)
    return false;
  if (impl_->kind != detail::KeyKind::rsa_pss)
    return true;
  try {
    return detail::pss_parameters_allow(impl_->algorithm, *detail::rule_of(*scheme));
  } catch (...) {
    return false; // there was no memory to find out
  }
}

TLSCONNECT_DECL bool IssuerKey::among(SignatureAlgorithm algorithm,
                                      std::span<const SignatureScheme> schemes) const noexcept {
  const auto listed = [schemes](std::optional<SignatureScheme> scheme) {
    return scheme && std::find(schemes.begin(), schemes.end(), *scheme) != schemes.end();
  };
  return listed(detail::scheme_of(algorithm, impl_->kind)) &&
         (algorithm.family != SignatureFamily::ecdsa || listed(detail::ecdsa_scheme(impl_->kind)));
}

TLSCONNECT_DECL Result<> IssuerKey::verify(const Certificate& subject) const noexcept {
  const Result<SignatureAlgorithm> algorithm = subject.signature_algorithm();
  if (!algorithm)
    return std::unexpected<Error>(algorithm.error());
  const CertificateFields fields = subject.fields();
  return verify(*algorithm, fields.tbs, fields.signature);
}

TLSCONNECT_DECL Result<> IssuerKey::verify(SignatureAlgorithm algorithm, BytesView message,
                                           BytesView signature) const noexcept {
  return detail::botan_guard(ErrorCode::certificate_signature_invalid, {}, [&]() -> Result<> {
    if (!fits(algorithm))
      return fail(ErrorCode::certificate_signature_invalid);
    // Of ECDSA only the hash has to be named; for the rest, the scheme's padding says all.
    const detail::SchemeRule* rule = detail::rule_of(*detail::scheme_of(algorithm, impl_->kind));
    Botan::PK_Verifier verifier(*impl_->key, rule->padding, detail::signature_format(impl_->kind));
    if (!verifier.verify_message(message, signature))
      return fail(ErrorCode::certificate_signature_invalid);
    return {};
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
