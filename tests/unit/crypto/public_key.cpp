// Public keys by themselves, and what else certificates tell: names, extensions, the hash of their signature. How
// signatures are verified stands in tests/unit/verify/signature.cpp.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <botan/asn1_obj.h>
#include <botan/der_enc.h>
#include <botan/ec_point_format.h>
#include <botan/ecdsa.h>
#include <botan/pk_keys.h>
#include <botan/pkix_types.h>
#include <botan/pss_params.h>

#include <tlsconnect/crypto/x509.hpp>

#include "test_bytes.hpp"
#include "test_pki.hpp"

using test::Blob;
using test::KeyType;
using tlsconnect::Certificate;
using tlsconnect::ErrorCode;
using tlsconnect::HashAlgorithm;
using tlsconnect::PublicKey;
using tlsconnect::SignatureScheme;

namespace {

PublicKey public_key(KeyType type, unsigned index = 0) {
  return PublicKey::from_spki(test::Key::cached(type, index).public_der()).value();
}

Certificate certificate(const test::Identity& identity) { return Certificate::from_der(identity.der()).value(); }

/// A certificate with another signature algorithm in both places where it stands; its signature is wrong then.
Certificate signed_with(const Botan::AlgorithmIdentifier& algorithm) {
  const Botan::AlgorithmIdentifier before("ECDSA/SHA-256", Botan::AlgorithmIdentifier::USE_EMPTY_PARAM);
  Blob from;
  Botan::DER_Encoder(from).encode(before);
  Blob to;
  Botan::DER_Encoder(to).encode(algorithm);
  // SEQUENCE { tbs, algorithm, signature }, taken apart and put together again around the longer identifier.
  const Blob der = test::self_signed({.key = test::Key::cached(KeyType::p256)}).der();
  const std::size_t tbs_at = 4;
  const std::size_t tbs_length = static_cast<std::size_t>(der[6] * 256 + der[7]);
  Blob tbs(der.begin() + tbs_at + 4, der.begin() + static_cast<std::ptrdiff_t>(tbs_at + 4 + tbs_length));
  const auto inside = std::search(tbs.begin(), tbs.end(), from.begin(), from.end());
  REQUIRE(inside != tbs.end());
  const auto place = tbs.erase(inside, inside + static_cast<std::ptrdiff_t>(from.size()));
  tbs.insert(place, to.begin(), to.end());
  Blob out;
  Botan::DER_Encoder(out)
      .start_sequence()
      .start_sequence()
      .raw_bytes(tbs)
      .end_cons()
      .raw_bytes(to)
      .encode(Blob(64, 1), Botan::ASN1_Type::BitString)
      .end_cons();
  return Certificate::from_der(out).value();
}

ErrorCode code_of(const auto& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code();
}

} // namespace

TEST_CASE("a public key is exactly one SubjectPublicKeyInfo", "[public-key]") {
  for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::p521, KeyType::rsa2048, KeyType::rsa_pss2048,
                             KeyType::rsa_pss2048_sha256, KeyType::ed25519, KeyType::ed448}) {
    const Blob der = test::Key::cached(type).public_der();
    const auto key = PublicKey::from_spki(der).value();
    CHECK(tlsconnect::equal(key.spki(), der));
    for (std::size_t length = 0; length < der.size(); ++length)
      CHECK(code_of(PublicKey::from_spki(tlsconnect::BytesView(der).first(length))) ==
            ErrorCode::certificate_malformed);
    Blob longer = der;
    longer.push_back(0);
    CHECK(code_of(PublicKey::from_spki(longer)) == ErrorCode::certificate_malformed);
  }
  const auto spki = [](const Blob& algorithm, const Blob& bits) {
    Blob out;
    Botan::DER_Encoder(out).start_sequence().raw_bytes(algorithm).raw_bytes(bits).end_cons();
    return PublicKey::from_spki(out);
  };
  const Blob ed25519 = {0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70};
  Blob bits = test::repeated(35, 9);
  std::copy_n(Blob{0x03, 33, 0x00}.begin(), 3, bits.begin());
  REQUIRE(spki(ed25519, bits).has_value());
  Blob odd = bits;
  odd[2] = 1; // bits that do not count
  CHECK(code_of(spki(ed25519, odd)) == ErrorCode::certificate_malformed);
  odd[0] = 0x04; // an OCTET STRING
  odd[2] = 0;
  CHECK(code_of(spki(ed25519, odd)) == ErrorCode::certificate_malformed);
  CHECK(code_of(spki(ed25519, {0x03, 0x00})) == ErrorCode::certificate_malformed);
  CHECK(code_of(spki(ed25519, test::joined(bits, Blob{0x05, 0x00}))) == ErrorCode::certificate_malformed);
  CHECK(code_of(spki({0x05, 0x00}, bits)) == ErrorCode::certificate_malformed);
  CHECK(code_of(spki({0x30, 0x03, 0x0C, 0x01, 0x41}, bits)) == ErrorCode::certificate_malformed);
}

TEST_CASE("the key of a certificate", "[public-key]") {
  const auto identity = test::self_signed({.key = test::Key::cached(KeyType::p384)});
  for (const Certificate& one : {certificate(identity), certificate(identity).compact()}) {
    const auto key = one.public_key().value();
    CHECK(tlsconnect::equal(key.spki(), identity.key().public_der()));
    CHECK(key.description() == one.key_description());
  }
}

TEST_CASE("keys without parameters have none", "[public-key]") {
  // RFC 8410, 3; RFC 9881, 2.
  for (const KeyType type : {KeyType::ed25519, KeyType::ed448, KeyType::mldsa44, KeyType::mldsa65, KeyType::mldsa87}) {
    if (!test::is_available(type))
      continue;
    const auto key = test::Key::cached(type).botan();
    const auto spki = [&](Botan::AlgorithmIdentifier::Encoding_Option parameters) {
      Blob der;
      Botan::DER_Encoder(der)
          .start_sequence()
          .encode(Botan::AlgorithmIdentifier(key->algorithm_identifier().oid(), parameters))
          .encode(key->public_key_bits(), Botan::ASN1_Type::BitString)
          .end_cons();
      return PublicKey::from_spki(der).value();
    };
    const std::string name = spki(Botan::AlgorithmIdentifier::USE_EMPTY_PARAM).description();
    CAPTURE(name);
    const auto odd = spki(Botan::AlgorithmIdentifier::USE_NULL_PARAM);
    CHECK(odd.description() == key->algorithm_identifier().oid().to_formatted_string());
    const auto ed25519 = odd.verify(SignatureScheme::ed25519, {}, {});
    CHECK(code_of(ed25519) == ErrorCode::certificate_key_unsupported);
  }
}

TEST_CASE("a key is the same however it is encoded", "[public-key]") {
  const auto key = public_key(KeyType::p256);
  CHECK(key.same_key(public_key(KeyType::p256)));
  CHECK_FALSE(key.same_key(public_key(KeyType::p256, 1)));
  CHECK_FALSE(key.same_key(public_key(KeyType::p384)));

  Botan::ECDSA_PublicKey compressed(
      dynamic_cast<const Botan::ECDSA_PublicKey&>(*test::Key::cached(KeyType::p256).botan()));
  compressed.set_point_encoding(Botan::EC_Point_Format::Compressed);
  const auto other = PublicKey::from_spki(compressed.subject_public_key()).value();
  REQUIRE_FALSE(tlsconnect::equal(other.spki(), key.spki()));
  CHECK(key.same_key(other));
  CHECK(other.same_key(key));

  // Parameters of RSASSA-PSS narrow what a key is used for, and leave it the same key. That of rsaEncryption is for
  // other schemes.
  CHECK(public_key(KeyType::rsa_pss2048).same_key(public_key(KeyType::rsa_pss2048_sha256)));
  CHECK_FALSE(public_key(KeyType::rsa2048).same_key(public_key(KeyType::rsa_pss2048)));
  CHECK_FALSE(public_key(KeyType::rsa_pss2048).same_key(public_key(KeyType::rsa_pss2048, 1)));

  // Of kinds that are not known only the bytes can be compared.
  Blob x25519 = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x03, 0x21, 0x00};
  x25519.resize(44, 9);
  const auto unknown = PublicKey::from_spki(x25519).value();
  x25519.back() = 8;
  CHECK(unknown.same_key(unknown));
  CHECK_FALSE(unknown.same_key(PublicKey::from_spki(x25519).value()));
  // One of the two is a point that is not on the curve.
  Blob off = test::Key::cached(KeyType::p256).public_der();
  off.back() ^= 1;
  CHECK_FALSE(public_key(KeyType::p256).same_key(PublicKey::from_spki(off).value()));
  CHECK_FALSE(PublicKey::from_spki(off).value().same_key(public_key(KeyType::p256)));
}

TEST_CASE("which schemes a key is for", "[public-key]") {
  using enum SignatureScheme;
  const auto fitting = [](KeyType type) {
    std::vector<SignatureScheme> schemes;
    for (unsigned code = 0; code <= 0xFFFF; ++code)
      if (public_key(type).fits(static_cast<SignatureScheme>(code)))
        schemes.push_back(static_cast<SignatureScheme>(code));
    return schemes;
  };
  using Schemes = std::vector<SignatureScheme>;
  CHECK(fitting(KeyType::p256) == Schemes{ecdsa_secp256r1_sha256});
  CHECK(fitting(KeyType::p521) == Schemes{ecdsa_secp521r1_sha512});
  CHECK(fitting(KeyType::ed25519) == Schemes{ed25519});
  const auto rsa = public_key(KeyType::rsa2048);
  for (const SignatureScheme scheme : {rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, rsa_pss_rsae_sha256,
                                       rsa_pss_rsae_sha384, rsa_pss_rsae_sha512})
    CHECK(rsa.fits(scheme));
  for (const SignatureScheme scheme : {rsa_pkcs1_sha1, rsa_pss_pss_sha256, ecdsa_secp256r1_sha256})
    CHECK_FALSE(rsa.fits(scheme));
  const auto pss = public_key(KeyType::rsa_pss2048_sha256);
  CHECK(pss.fits(rsa_pss_pss_sha256));
  for (const SignatureScheme scheme : {rsa_pss_pss_sha384, rsa_pss_pss_sha512, rsa_pss_rsae_sha256, rsa_pkcs1_sha256})
    CHECK_FALSE(pss.fits(scheme));
}

TEST_CASE("kinds of keys that only look like others", "[public-key]") {
  using test::der;
  using test::der_oid;
  const Blob bits = der(0x03, Blob{0x00, 0x04});
  const auto read = [&](const Blob& algorithm) { return PublicKey::from_spki(der(0x30, {algorithm, bits})).value(); };
  const Blob null = {0x05, 0x00};
  // RFC 3279, 2.3.1: NULL is not left out.
  const Blob rsa = der_oid("1.2.840.113549.1.1.1");
  CHECK(read(der(0x30, {rsa, null})).fits(SignatureScheme::rsa_pss_rsae_sha256));
  CHECK_FALSE(read(der(0x30, rsa)).fits(SignatureScheme::rsa_pss_rsae_sha256));
  // secp256k1.
  CHECK_FALSE(read(der(0x30, {der_oid("1.2.840.10045.2.1"), der_oid("1.3.132.0.10")})).curve().has_value());
  CHECK_FALSE(public_key(KeyType::p256).fits_tls12(SignatureScheme::rsa_pkcs1_sha256));
  // Without an algorithm.
  CHECK_FALSE(PublicKey::from_spki(der(0x30, Blob{})).has_value());
  CHECK_FALSE(PublicKey::from_spki(der(0x30, bits)).has_value());
}

TEST_CASE("a key of id-RSASSA-PSS signs with its own parameters only", "[public-key]") {
  // RFC 4055, 1.2 and 3.1.
  struct Parameters {
    const char* hash = "SHA-256";
    const char* mask = "1.2.840.113549.1.1.8";
    const char* mask_hash = "SHA-256";
    std::size_t salt = 32;
    std::size_t trailer = 1;
  };
  const auto key = test::Key::cached(KeyType::rsa2048).botan();
  const auto fits = [&](const Parameters& with) {
    const auto hash = [](const char* name) {
      return Botan::AlgorithmIdentifier(name, Botan::AlgorithmIdentifier::USE_NULL_PARAM);
    };
    Blob parameters;
    Botan::DER_Encoder(parameters)
        .start_sequence()
        .start_context_specific(0)
        .encode(hash(with.hash))
        .end_cons()
        .start_context_specific(1)
        .encode(Botan::AlgorithmIdentifier(Botan::OID(with.mask), hash(with.mask_hash).BER_encode()))
        .end_cons()
        .start_context_specific(2)
        .encode(with.salt)
        .end_cons()
        .start_context_specific(3)
        .encode(with.trailer)
        .end_cons()
        .end_cons();
    Blob spki;
    Botan::DER_Encoder(spki)
        .start_sequence()
        .encode(Botan::AlgorithmIdentifier(Botan::OID("1.2.840.113549.1.1.10"), parameters))
        .encode(key->public_key_bits(), Botan::ASN1_Type::BitString)
        .end_cons();
    return PublicKey::from_spki(spki).value().fits(SignatureScheme::rsa_pss_pss_sha256);
  };
  CHECK(fits({}));
  CHECK_FALSE(fits({.hash = "SHA-384"}));
  CHECK_FALSE(fits({.mask = "1.2.840.113549.1.1.99"}));
  CHECK_FALSE(fits({.mask_hash = "SHA-384"}));
  CHECK_FALSE(fits({.salt = 20}));
  CHECK_FALSE(fits({.trailer = 2}));
}

TEST_CASE("the names of a certificate in DER", "[public-key]") {
  const auto root = test::self_signed({.common_name = "Root", .organization = "Org", .ca = true});
  const auto leaf = root.issue({.common_name = "leaf"});
  const auto name = [](std::string_view text) {
    Botan::X509_DN dn;
    dn.add_attribute("X520.CommonName", std::string(text));
    if (text == "Root")
      dn.add_attribute("X520.Organization", "Org");
    return dn.DER_encode();
  };
  for (const Certificate& one : {certificate(leaf), certificate(leaf).compact()}) {
    CHECK(one.issuer_der() == name("Root"));
    CHECK(one.subject_der() == name("leaf"));
  }
  CHECK(certificate(root).issuer_der() == certificate(root).subject_der());
}

TEST_CASE("an extension as it stands there", "[public-key]") {
  const auto identity = test::self_signed({
      .key_usage = test::digital_signature,
      .extensions = {{.oid = "1.2.3.4.5", .critical = false, .value = {0x04, 0x01, 0x77}}},
  });
  const auto one = certificate(identity).compact();
  CHECK(one.extension("2.5.29.15") == Blob{0x03, 0x02, 0x07, 0x80});
  CHECK(one.extension("1.2.3.4.5") == Blob{0x04, 0x01, 0x77});
  CHECK_FALSE(one.extension("1.2.3.4").has_value());
  CHECK_FALSE(one.extension("2.5.29.19").has_value());
  CHECK_FALSE(one.extension("").has_value());
  CHECK_FALSE(one.extension("no object identifier").has_value());
}

TEST_CASE("the hash of tls-server-end-point", "[public-key]") {
  // RFC 5929, 4.1.
  const auto hash = [](KeyType type, const std::string& name, const std::string& padding = {}) {
    return certificate(test::self_signed({.key = test::Key::cached(type), .hash = name, .padding = padding}))
        .signature_hash();
  };
  CHECK(hash(KeyType::p256, "SHA-256").value() == HashAlgorithm::sha256);
  CHECK(hash(KeyType::p256, "SHA-384").value() == HashAlgorithm::sha384);
  CHECK(hash(KeyType::p256, "SHA-512").value() == HashAlgorithm::sha512);
  CHECK(hash(KeyType::p256, "SHA-1").value() == HashAlgorithm::sha256);
  for (const char* padding : {"PKCS1v15", "PSS"}) {
    CAPTURE(padding);
    CHECK(hash(KeyType::rsa2048, "SHA-256", padding).value() == HashAlgorithm::sha256);
    CHECK(hash(KeyType::rsa2048, "SHA-384", padding).value() == HashAlgorithm::sha384);
    CHECK(hash(KeyType::rsa2048, "SHA-512", padding).value() == HashAlgorithm::sha512);
    CHECK(hash(KeyType::rsa2048, "SHA-1", padding).value() == HashAlgorithm::sha256);
  }
  // SHA-224 is not replaced, and this library does not have it.
  CHECK(code_of(hash(KeyType::p256, "SHA-224")) == ErrorCode::export_not_available);
  // Nothing is defined where the algorithm has no hash of its own.
  CHECK(code_of(hash(KeyType::ed25519, "")) == ErrorCode::export_not_available);
  CHECK(code_of(hash(KeyType::ed448, "")) == ErrorCode::export_not_available);

  const auto with_null = [](const char* oid) {
    return signed_with({Botan::OID(oid), Botan::AlgorithmIdentifier::USE_NULL_PARAM}).signature_hash();
  };
  CHECK(with_null("1.2.840.113549.1.1.4").value() == HashAlgorithm::sha256); // MD5
  CHECK(with_null("1.2.840.113549.1.1.12").value() == HashAlgorithm::sha384);
  CHECK(code_of(with_null("1.2.840.113549.1.1.2")) == ErrorCode::export_not_available); // MD2

  CHECK(code_of(signed_with({Botan::OID("1.2.840.113549.1.1.10"), Botan::PSS_Params("SHA-224", 28).serialize()})
                    .signature_hash()) == ErrorCode::export_not_available);

  // Two different hashes in one algorithm: nothing is defined either.
  const auto pss = [](const Botan::AlgorithmIdentifier& mask) {
    Blob parameters;
    Botan::DER_Encoder(parameters)
        .start_sequence()
        .start_context_specific(0)
        .encode(Botan::AlgorithmIdentifier("SHA-384", Botan::AlgorithmIdentifier::USE_NULL_PARAM))
        .end_cons()
        .start_context_specific(1)
        .encode(Botan::AlgorithmIdentifier("MGF1", mask.BER_encode()))
        .end_cons()
        .start_context_specific(2)
        .encode(std::size_t{48})
        .end_cons()
        .end_cons();
    return signed_with({Botan::OID("1.2.840.113549.1.1.10"), parameters}).signature_hash();
  };
  CHECK(pss({"SHA-384", Botan::AlgorithmIdentifier::USE_NULL_PARAM}).value() == HashAlgorithm::sha384);
  CHECK(code_of(pss({"SHA-256", Botan::AlgorithmIdentifier::USE_NULL_PARAM})) == ErrorCode::export_not_available);
}

TEST_CASE("TLS 1.2: ECDSA is not bound to a curve for a hash, RSA may use PKCS#1 v1.5, and nothing SHA-1",
          "[public-key]") {
  struct Case {
    KeyType key;
    SignatureScheme scheme;
    const char* padding;
    bool tls13;
    bool tls12;
  };
  using enum SignatureScheme;
  const tlsconnect::ByteVector message = test::repeated(100, 0x31);
  for (const Case& item : {Case{KeyType::p256, ecdsa_secp256r1_sha256, "SHA-256", true, true},
                           Case{KeyType::p256, ecdsa_secp384r1_sha384, "SHA-384", false, true},
                           Case{KeyType::p384, ecdsa_secp256r1_sha256, "SHA-256", false, true},
                           Case{KeyType::p521, ecdsa_secp384r1_sha384, "SHA-384", false, true},
                           Case{KeyType::p256, ecdsa_sha1, "SHA-1", false, false},
                           Case{KeyType::rsa2048, rsa_pkcs1_sha256, "PKCS1v15(SHA-256)", false, true},
                           Case{KeyType::rsa2048, rsa_pkcs1_sha512, "PKCS1v15(SHA-512)", false, true},
                           Case{KeyType::rsa2048, rsa_pkcs1_sha1, "PKCS1v15(SHA-1)", false, false},
                           Case{KeyType::rsa2048, rsa_pss_rsae_sha384, "PSS(SHA-384,MGF1,48)", true, true},
                           Case{KeyType::rsa_pss2048, rsa_pkcs1_sha256, "PSS(SHA-256,MGF1,32)", false, false},
                           Case{KeyType::rsa_pss2048_sha256, rsa_pss_pss_sha384, "PSS(SHA-256,MGF1,32)", false, false},
                           Case{KeyType::ed25519, ed25519, "Pure", true, true},
                           Case{KeyType::ed25519, ecdsa_secp256r1_sha256, "Pure", false, false}}) {
    INFO(name_of(item.scheme) << " with " << public_key(item.key).description());
    const PublicKey key = public_key(item.key);
    const Blob signature = test::Key::cached(item.key).sign(item.padding, message);
    CHECK(key.verify(item.scheme, message, signature).has_value() == item.tls13);
    CHECK(key.verify_tls12(item.scheme, message, signature).has_value() == item.tls12);
    CHECK(key.fits_tls12(item.scheme) == item.tls12);
    if (!item.tls12)
      CHECK(code_of(key.verify_tls12(item.scheme, message, signature)) == ErrorCode::signature_scheme_not_for_key);
    else
      CHECK(code_of(key.verify_tls12(item.scheme, test::repeated(100, 0x32), signature)) ==
            ErrorCode::signature_invalid);
  }
}

TEST_CASE("TLS 1.2: with which suites a key goes, and on which curve it is", "[public-key]") {
  using tlsconnect::Authentication12;
  using tlsconnect::NamedGroup;
  struct Case {
    KeyType key;
    Authentication12 authentication;
    std::optional<NamedGroup> curve;
  };
  for (const Case& item : {Case{KeyType::p256, Authentication12::ecdsa, NamedGroup::secp256r1},
                           Case{KeyType::p384, Authentication12::ecdsa, NamedGroup::secp384r1},
                           Case{KeyType::p521, Authentication12::ecdsa, NamedGroup::secp521r1},
                           Case{KeyType::ed25519, Authentication12::ecdsa, std::nullopt},
                           Case{KeyType::ed448, Authentication12::ecdsa, std::nullopt},
                           Case{KeyType::rsa2048, Authentication12::rsa, std::nullopt},
                           Case{KeyType::rsa_pss2048, Authentication12::rsa, std::nullopt}}) {
    INFO(public_key(item.key).description());
    CHECK(public_key(item.key).authentication12() == item.authentication);
    CHECK(public_key(item.key).curve() == item.curve);
  }
}
