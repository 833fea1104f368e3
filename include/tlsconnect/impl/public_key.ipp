// Public keys with Botan: what they are, and signatures verified with them.
#pragma once

#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <botan/asn1_obj.h>
#include <botan/ber_dec.h>
#include <botan/bigint.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/pss_params.h>
#include <botan/pubkey.h>
#include <botan/rsa.h>

#if defined(BOTAN_HAS_ML_DSA)
#include <botan/ml_dsa.h>
#endif

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/public_key.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// What TLS 1.3 tells apart about keys (RFC 9846, 4.2.3 and draft-ietf-tls-mldsa).
enum class KeyKind : std::uint8_t {
  unknown,
  p256,
  p384,
  p521,
  rsa,
  rsa_pss,
  ed25519,
  ed448,
  mldsa44,
  mldsa65,
  mldsa87
};

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
  case KeyKind::mldsa44:
    return "ML-DSA-44";
  case KeyKind::mldsa65:
    return "ML-DSA-65";
  case KeyKind::mldsa87:
    return "ML-DSA-87";
  }
  return "unknown";
}

/// The length of an ML-DSA public key in bytes (FIPS 204, table 2); 0 for other kinds.
inline std::size_t mldsa_key_length(KeyKind kind) noexcept {
  switch (kind) {
  case KeyKind::mldsa44:
    return 1312;
  case KeyKind::mldsa65:
    return 1952;
  case KeyKind::mldsa87:
    return 2592;
  default:
    return 0;
  }
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
  // RFC 9881, 2: id-ml-dsa-44, id-ml-dsa-65, id-ml-dsa-87, without parameters.
  if (oid == Botan::OID({2, 16, 840, 1, 101, 3, 4, 3, 17}) && parameters.empty())
    return KeyKind::mldsa44;
  if (oid == Botan::OID({2, 16, 840, 1, 101, 3, 4, 3, 18}) && parameters.empty())
    return KeyKind::mldsa65;
  if (oid == Botan::OID({2, 16, 840, 1, 101, 3, 4, 3, 19}) && parameters.empty())
    return KeyKind::mldsa87;
  return KeyKind::unknown;
}

/// RSA keys outside of these are refused: longer ones and larger exponents would let a server make this client
/// calculate for as long as it likes.
inline constexpr std::size_t rsa_bits_max = 8192;
inline constexpr std::size_t rsa_exponent_bits_max = 33;

/// An ML-DSA key (RFC 9881, 4: its bytes are those of FIPS 204, without anything around them). Throws.
inline Result<std::unique_ptr<Botan::Public_Key>>
load_mldsa_key(KeyKind kind, [[maybe_unused]] const Botan::AlgorithmIdentifier& algorithm, BytesView bits) {
  // Botan takes no bytes at all for a key.
  if (bits.size() != mldsa_key_length(kind))
    return fail(ErrorCode::certificate_key_unsupported, {},
                std::string(name_of(kind)) + " with a key of " + std::to_string(bits.size()) + " bytes instead of " +
                    std::to_string(mldsa_key_length(kind)));
#if defined(BOTAN_HAS_ML_DSA)
  return std::make_unique<Botan::ML_DSA_PublicKey>(algorithm, bits);
#else
  return fail(ErrorCode::certificate_key_unsupported, {},
              std::string(name_of(kind)) + ", which this program's Botan was built without");
#endif
}

/// The key that a SubjectPublicKeyInfo holds, when it is one that TLS 1.3 signatures are made with.
inline Result<std::unique_ptr<Botan::Public_Key>> load_tls_key(KeyKind kind,
                                                               const Botan::AlgorithmIdentifier& algorithm,
                                                               BytesView bits,
                                                               std::size_t rsa_bits_min = PublicKey::shortest_rsa_key) {
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
    case KeyKind::mldsa44:
    case KeyKind::mldsa65:
    case KeyKind::mldsa87:
      return load_mldsa_key(kind, algorithm, bits);
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

/// How signatures of a scheme are made, and with which kind of key.
struct SchemeRule {
  SignatureScheme scheme;
  KeyKind kind;
  const char* padding; ///< Botan's name
  const char* hash;    ///< empty where the scheme does not name one
  std::size_t hash_length;
};

// RFC 9846, 4.2.3: ECDSA is bound to one curve and one hash, the salt of RSASSA-PSS is as long as the hash, its mask
// is made with the same hash, and rsae or pss follows the key's object identifier. In the order in which a key with
// several schemes prefers them.
inline constexpr auto scheme_rules = std::to_array<SchemeRule>({
    {SignatureScheme::ecdsa_secp256r1_sha256, KeyKind::p256, "SHA-256", "SHA-256", 32},
    {SignatureScheme::ecdsa_secp384r1_sha384, KeyKind::p384, "SHA-384", "SHA-384", 48},
    {SignatureScheme::ecdsa_secp521r1_sha512, KeyKind::p521, "SHA-512", "SHA-512", 64},
    {SignatureScheme::rsa_pss_rsae_sha256, KeyKind::rsa, "PSS(SHA-256,MGF1,32)", "SHA-256", 32},
    {SignatureScheme::rsa_pss_rsae_sha384, KeyKind::rsa, "PSS(SHA-384,MGF1,48)", "SHA-384", 48},
    {SignatureScheme::rsa_pss_rsae_sha512, KeyKind::rsa, "PSS(SHA-512,MGF1,64)", "SHA-512", 64},
    {SignatureScheme::rsa_pss_pss_sha256, KeyKind::rsa_pss, "PSS(SHA-256,MGF1,32)", "SHA-256", 32},
    {SignatureScheme::rsa_pss_pss_sha384, KeyKind::rsa_pss, "PSS(SHA-384,MGF1,48)", "SHA-384", 48},
    {SignatureScheme::rsa_pss_pss_sha512, KeyKind::rsa_pss, "PSS(SHA-512,MGF1,64)", "SHA-512", 64},
    {SignatureScheme::ed25519, KeyKind::ed25519, "Pure", "", 0},
    {SignatureScheme::ed448, KeyKind::ed448, "Pure", "", 0},
    // draft-ietf-tls-mldsa: the message itself is signed (not HashML-DSA), under an empty context string, which is the
    // only one that Botan has; signatures are hedged (FIPS 204, 3.4), which is what Botan does unless told otherwise.
    {SignatureScheme::mldsa44, KeyKind::mldsa44, "", "", 0},
    {SignatureScheme::mldsa65, KeyKind::mldsa65, "", "", 0},
    {SignatureScheme::mldsa87, KeyKind::mldsa87, "", "", 0},
    // TLS 1.2 only (RFC 9846, 4.2.3).
    {SignatureScheme::rsa_pkcs1_sha256, KeyKind::rsa, "PKCS1v15(SHA-256)", "SHA-256", 32},
    {SignatureScheme::rsa_pkcs1_sha384, KeyKind::rsa, "PKCS1v15(SHA-384)", "SHA-384", 48},
    {SignatureScheme::rsa_pkcs1_sha512, KeyKind::rsa, "PKCS1v15(SHA-512)", "SHA-512", 64},
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
           parameters.salt_length() == rule.hash_length && parameters.trailer_field() == 1;
  } catch (const Botan::Exception&) {
    return false; // what cannot be read allows nothing
  }
}

inline bool is_ec(KeyKind kind) noexcept {
  return kind == KeyKind::p256 || kind == KeyKind::p384 || kind == KeyKind::p521;
}
/// RFC 9846, 4.2.3: an ECDSA signature is the DER SEQUENCE of its two numbers.
inline Botan::Signature_Format signature_format(KeyKind kind) noexcept {
  return is_ec(kind) ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard;
}

/// For a person. Throws.
inline std::string describe_key(const Botan::AlgorithmIdentifier& algorithm, BytesView bits) {
  const KeyKind kind = kind_of_key(algorithm);
  std::string text(name_of(kind));
  if (kind == KeyKind::unknown)
    text = algorithm.oid().to_formatted_string();
  if (kind == KeyKind::rsa || kind == KeyKind::rsa_pss) {
    try {
      const Botan::RSA_PublicKey key(algorithm, bits);
      text.append(" ").append(std::to_string(key.get_n().bits()));
    } catch (const Botan::Exception&) {
      text.append(" (unreadable)");
    }
  }
  return text;
}

} // namespace detail

TLSCONNECT_DECL bool is_available([[maybe_unused]] SignatureScheme scheme) noexcept {
#if defined(BOTAN_HAS_ML_DSA)
  return true;
#else
  return !is_ml_dsa(scheme);
#endif
}

struct PublicKey::Impl {
  ByteVector spki;
  Botan::AlgorithmIdentifier algorithm;
  ByteVector bits;
  detail::KeyKind kind = detail::KeyKind::unknown;
};

TLSCONNECT_DECL PublicKey::PublicKey(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<PublicKey> PublicKey::from_spki(BytesView der) noexcept {
  return detail::botan_guard(ErrorCode::certificate_malformed, {}, [der]() -> Result<PublicKey> {
    const auto malformed = [] {
      return fail(ErrorCode::certificate_malformed, {}, "not exactly one SubjectPublicKeyInfo");
    };
    // RFC 5280, 4.1: SEQUENCE { AlgorithmIdentifier, BIT STRING }, and a key has a whole number of bytes.
    const auto outer = detail::only_der(der, detail::der_sequence);
    if (!outer)
      return malformed();
    BytesView rest = outer->contents;
    const auto algorithm = detail::next_der(rest);
    const auto bits = detail::only_der(rest, detail::der_bit_string);
    if (!algorithm || !bits || bits->contents.empty() || bits->contents[0] != 0)
      return malformed();
    Impl impl;
    Botan::BER_Decoder decoder(algorithm->whole, Botan::BER_Decoder::Limits::DER());
    decoder.decode(impl.algorithm);
    impl.spki = to_vector(der);
    impl.bits = to_vector(bits->contents.subspan(1));
    impl.kind = detail::kind_of_key(impl.algorithm);
    return PublicKey(std::make_shared<const Impl>(std::move(impl)));
  });
}

TLSCONNECT_DECL BytesView PublicKey::spki() const noexcept { return impl_->spki; }

TLSCONNECT_DECL std::string PublicKey::description() const {
  return detail::describe_key(impl_->algorithm, impl_->bits);
}

TLSCONNECT_DECL bool PublicKey::fits(SignatureScheme scheme) const noexcept {
  const detail::SchemeRule* rule = detail::rule_of(scheme);
  if (rule == nullptr || rule->kind != impl_->kind)
    return false;
  try {
    return impl_->kind != detail::KeyKind::rsa_pss || detail::pss_parameters_allow(impl_->algorithm, *rule);
  } catch (...) {
    return false; // there was no memory to find out
  }
}

TLSCONNECT_DECL bool PublicKey::fits_tls12(SignatureScheme scheme) const noexcept {
  const detail::SchemeRule* rule = detail::rule_of(scheme);
  if (rule != nullptr && detail::is_ec(rule->kind) && detail::is_ec(impl_->kind))
    return true;
  return fits(scheme) && !is_ml_dsa(scheme);
}

TLSCONNECT_DECL std::optional<Authentication12> PublicKey::authentication12() const noexcept {
  switch (impl_->kind) {
  case detail::KeyKind::rsa:
  case detail::KeyKind::rsa_pss:
    return Authentication12::rsa;
  case detail::KeyKind::p256:
  case detail::KeyKind::p384:
  case detail::KeyKind::p521:
  case detail::KeyKind::ed25519:
  case detail::KeyKind::ed448:
    return Authentication12::ecdsa;
  // draft-ietf-tls-mldsa, "TLS 1.2": not for that version.
  case detail::KeyKind::mldsa44:
  case detail::KeyKind::mldsa65:
  case detail::KeyKind::mldsa87:
  case detail::KeyKind::unknown:
    break;
  }
  return std::nullopt;
}

TLSCONNECT_DECL std::optional<NamedGroup> PublicKey::curve() const noexcept {
  switch (impl_->kind) {
  case detail::KeyKind::p256:
    return NamedGroup::secp256r1;
  case detail::KeyKind::p384:
    return NamedGroup::secp384r1;
  case detail::KeyKind::p521:
    return NamedGroup::secp521r1;
  default:
    return std::nullopt;
  }
}

TLSCONNECT_DECL bool PublicKey::same_key(const PublicKey& other) const noexcept {
  if (equal(spki(), other.spki()))
    return true;
  if (impl_->kind != other.impl_->kind)
    return false;
  try {
    const auto one = detail::load_tls_key(impl_->kind, impl_->algorithm, impl_->bits, 0);
    const auto another = detail::load_tls_key(other.impl_->kind, other.impl_->algorithm, other.impl_->bits, 0);
    return one && another && (*one)->public_key_bits() == (*another)->public_key_bits();
  } catch (...) {
    return false; // a key that cannot be used is the same as no other
  }
}

TLSCONNECT_DECL Result<> PublicKey::verify(SignatureScheme scheme, BytesView message, BytesView signature,
                                           std::size_t rsa_bits_min) const noexcept {
  return verify_with(false, scheme, message, signature, rsa_bits_min);
}
TLSCONNECT_DECL Result<> PublicKey::verify_tls12(SignatureScheme scheme, BytesView message, BytesView signature,
                                                 std::size_t rsa_bits_min) const noexcept {
  return verify_with(true, scheme, message, signature, rsa_bits_min);
}

TLSCONNECT_DECL Result<> PublicKey::verify_with(bool tls12, SignatureScheme scheme, BytesView message,
                                                BytesView signature, std::size_t rsa_bits_min) const noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, {}, [&]() -> Result<> {
    const detail::KeyKind kind = impl_->kind;
    auto key = detail::load_tls_key(kind, impl_->algorithm, impl_->bits, rsa_bits_min);
    if (!key)
      return std::unexpected<Error>(std::move(key).error());

    const auto described = [&] { return std::string(name_of(scheme)) + " with a key of type " + description(); };
    // RFC 9846, 4.4.3: the scheme must fit the key. TLS 1.3 signs with neither RSASSA-PKCS1-v1_5 nor SHA-1. RFC 9846,
    // 4.2.3: TLS 1.2 leaves the curve of ECDSA open, and has RSASSA-PKCS1-v1_5.
    const detail::SchemeRule* rule = detail::rule_of(scheme);
    const bool same_kind =
        rule != nullptr && (rule->kind == kind || (tls12 && detail::is_ec(rule->kind) && detail::is_ec(kind)));
    if (!same_kind || !(tls12 ? signs_tls12(scheme) : signs_tls13(scheme)))
      return fail(ErrorCode::signature_scheme_not_for_key, {}, described());
    if (kind == detail::KeyKind::rsa_pss && !detail::pss_parameters_allow(impl_->algorithm, *rule))
      return fail(ErrorCode::signature_scheme_not_for_key, {},
                  described() + " whose parameters ask for something else");

    Botan::PK_Verifier verifier(**key, rule->padding, detail::signature_format(kind));
    if (!verifier.verify_message(message, signature))
      return fail(ErrorCode::signature_invalid, {}, described());
    return {};
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
