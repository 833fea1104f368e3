// TLS 1.3 signatures: every scheme against every kind of key, and damaged signatures.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include <botan/bigint.h>
#include <botan/rsa.h>
#include <botan/system_rng.h>

#include "support.hpp"

using test::Blob;
using test::KeyType;
using tlsconnect::ErrorCode;
using tlsconnect::SignatureScheme;

namespace {

struct Scheme {
  SignatureScheme scheme;
  const char* padding;
  std::vector<KeyType> keys; // that it fits
};

const std::vector<Scheme>& schemes() {
  static const std::vector<Scheme> rows = {
      {SignatureScheme::ecdsa_secp256r1_sha256, "SHA-256", {KeyType::p256}},
      {SignatureScheme::ecdsa_secp384r1_sha384, "SHA-384", {KeyType::p384}},
      {SignatureScheme::ecdsa_secp521r1_sha512, "SHA-512", {KeyType::p521}},
      {SignatureScheme::rsa_pss_rsae_sha256, "PSS(SHA-256,MGF1,32)", {KeyType::rsa2048, KeyType::rsa3072}},
      {SignatureScheme::rsa_pss_rsae_sha384, "PSS(SHA-384,MGF1,48)", {KeyType::rsa2048, KeyType::rsa3072}},
      {SignatureScheme::rsa_pss_rsae_sha512, "PSS(SHA-512,MGF1,64)", {KeyType::rsa2048, KeyType::rsa3072}},
      {SignatureScheme::rsa_pss_pss_sha256,
       "PSS(SHA-256,MGF1,32)",
       {KeyType::rsa_pss2048, KeyType::rsa_pss2048_sha256}},
      {SignatureScheme::rsa_pss_pss_sha384, "PSS(SHA-384,MGF1,48)", {KeyType::rsa_pss2048}},
      {SignatureScheme::rsa_pss_pss_sha512, "PSS(SHA-512,MGF1,64)", {KeyType::rsa_pss2048}},
      {SignatureScheme::ed25519, "Pure", {KeyType::ed25519}},
      {SignatureScheme::ed448, "Pure", {KeyType::ed448}},
      {SignatureScheme::mldsa44, "", {KeyType::mldsa44}},
      {SignatureScheme::mldsa65, "", {KeyType::mldsa65}},
      {SignatureScheme::mldsa87, "", {KeyType::mldsa87}},
      {SignatureScheme::rsa_pkcs1_sha256, "PKCS1v15(SHA-256)", {}},
      {SignatureScheme::rsa_pkcs1_sha384, "PKCS1v15(SHA-384)", {}},
      {SignatureScheme::rsa_pkcs1_sha512, "PKCS1v15(SHA-512)", {}},
      {SignatureScheme::rsa_pkcs1_sha1, "PKCS1v15(SHA-1)", {}},
      {SignatureScheme::ecdsa_sha1, "SHA-1", {}},
      {static_cast<SignatureScheme>(0x0A0A), "SHA-256", {}},
  };
  return rows;
}

const std::vector<KeyType>& key_types() {
  static const std::vector<KeyType> types = [] {
    std::vector<KeyType> all = {
        KeyType::p256,
        KeyType::p384,
        KeyType::p521,
        KeyType::rsa2048,
        KeyType::rsa3072,
        KeyType::rsa_pss2048,
        KeyType::rsa_pss2048_sha256,
        KeyType::ed25519,
        KeyType::ed448,
        KeyType::mldsa44,
        KeyType::mldsa65,
        KeyType::mldsa87,
    };
    std::erase_if(all, [](KeyType type) { return !test::is_available(type); });
    return all;
  }();
  return types;
}

bool is_rsa(KeyType type) {
  return type == KeyType::rsa2048 || type == KeyType::rsa3072 || type == KeyType::rsa_pss2048 ||
         type == KeyType::rsa_pss2048_sha256 || type == KeyType::rsa1024;
}

bool is_ec(KeyType type) { return type == KeyType::p256 || type == KeyType::p384 || type == KeyType::p521; }

const Blob& message() {
  static const Blob bytes(130, 0x42);
  return bytes;
}

// A signature that would be right if the scheme fitted the key, or as near to that as there is one.
Blob sign_for(KeyType type, const Scheme& scheme) {
  const test::Key key = test::Key::cached(type);
  const std::string padding = scheme.padding;
  const bool rsa_padding = padding.starts_with("PSS") || padding.starts_with("PKCS1");
  if (is_rsa(type))
    return key.sign(rsa_padding ? padding : "PSS(SHA-256,MGF1,32)", message());
  if (is_ec(type))
    return key.sign(padding.starts_with("SHA-") ? padding : "SHA-256", message());
  return key.sign(type == KeyType::ed25519 || type == KeyType::ed448 ? "Pure" : "", message());
}

tlsconnect::PublicKey public_key_of(const test::Identity& identity) {
  return test::certificate(identity).public_key().value();
}

tlsconnect::PublicKey public_key_for(KeyType type) {
  return public_key_of(test::self_signed({.key = test::Key::cached(type)}));
}

ErrorCode code_of(const tlsconnect::Result<>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code();
}

} // namespace

TEST_CASE("a scheme verifies with the keys it is for and no other", "[signature]") {
  for (const KeyType type : key_types()) {
    const auto public_key = public_key_for(type);
    for (const Scheme& scheme : schemes()) {
      CAPTURE(static_cast<int>(type), static_cast<int>(scheme.scheme), public_key.description());
      const Blob signature = sign_for(type, scheme);
      const bool fits = std::find(scheme.keys.begin(), scheme.keys.end(), type) != scheme.keys.end();
      const auto result = public_key.verify(scheme.scheme, message(), signature);
      if (!fits) {
        CHECK(code_of(result) == ErrorCode::signature_scheme_not_for_key);
        continue;
      }
      CHECK(result.has_value());

      Blob other = message();
      other.back() ^= 1;
      CHECK(code_of(public_key.verify(scheme.scheme, other, signature)) == ErrorCode::signature_invalid);
      for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
        Blob damaged = signature;
        damaged[at] ^= 1;
        CHECK(code_of(public_key.verify(scheme.scheme, message(), damaged)) == ErrorCode::signature_invalid);
      }
      Blob longer = signature;
      longer.push_back(0);
      CHECK(code_of(public_key.verify(scheme.scheme, message(), longer)) == ErrorCode::signature_invalid);
      Blob shorter = signature;
      shorter.pop_back();
      CHECK(code_of(public_key.verify(scheme.scheme, message(), shorter)) == ErrorCode::signature_invalid);
      CHECK(code_of(public_key.verify(scheme.scheme, message(), Blob())) == ErrorCode::signature_invalid);
    }
  }
}

TEST_CASE("which algorithms an issuer's key signs with", "[signature]") {
  using tlsconnect::HashAlgorithm;
  using Family = tlsconnect::SignatureFamily;
  // What a kind of key is made for; RSA keys and those of id-RSASSA-PSS overlap.
  const auto made_for = [](KeyType type) -> std::vector<Family> {
    switch (type) {
    case KeyType::ed25519:
      return {Family::ed25519};
    case KeyType::ed448:
      return {Family::ed448};
    case KeyType::mldsa44:
      return {Family::mldsa44};
    case KeyType::mldsa65:
      return {Family::mldsa65};
    case KeyType::mldsa87:
      return {Family::mldsa87};
    case KeyType::rsa_pss2048:
    case KeyType::rsa_pss2048_sha256:
      return {Family::rsa_pss};
    default:
      return is_ec(type) ? std::vector{Family::ecdsa} : std::vector{Family::rsa_pkcs1, Family::rsa_pss};
    }
  };
  std::vector<SignatureScheme> all;
  for (const Scheme& row : schemes())
    all.push_back(row.scheme);
  for (const KeyType type : key_types()) {
    const auto identity = test::self_signed({.key = test::Key::cached(type)});
    const auto key = tlsconnect::IssuerKey::load(test::certificate(identity), 2048).value();
    const std::vector<Family> families = made_for(type);
    for (const Family family : {Family::rsa_pkcs1, Family::rsa_pss, Family::ecdsa, Family::ed25519, Family::ed448,
                                Family::mldsa44, Family::mldsa65, Family::mldsa87})
      for (const HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
        CAPTURE(static_cast<int>(type), static_cast<int>(family), static_cast<int>(hash));
        const bool made_for_it = std::find(families.begin(), families.end(), family) != families.end();
        const bool fits = made_for_it && (type != KeyType::rsa_pss2048_sha256 || hash == HashAlgorithm::sha256);
        CHECK(key.fits({family, hash}) == fits);
        CHECK(key.among({family, hash}, all) == made_for_it);
        CHECK_FALSE(key.among({family, hash}, {}));
        if (!fits)
          CHECK(code_of(key.verify({family, hash}, message(), Blob(64, 1))) ==
                ErrorCode::certificate_signature_invalid);
      }
    // One that nobody knows.
    const Blob odd = test::der(0x30, test::der_oid("1.2.3"));
    CHECK(code_of(key.verify(test::certificate(test::self_signed({.algorithm = odd})))) ==
          ErrorCode::certificate_key_unsupported);
  }
}

TEST_CASE("the bits of an issuer's key are whole bytes", "[signature]") {
  // A point that ends in a zero bit, so that it would be the same without that bit.
  Blob point;
  for (unsigned index = 0; point.empty() || (point.back() & 1) != 0; ++index) {
    const Blob spki = test::Key::cached(KeyType::p256, index).public_der();
    point = tlsconnect::to_vector(*tlsconnect::detail::public_key_bits(spki));
  }
  const Blob algorithm = test::der(0x30, {test::der_oid("1.2.840.10045.2.1"), test::der_oid("1.2.840.10045.3.1.7")});
  const auto load = [&](std::uint8_t unused) {
    Blob bits{unused};
    bits.insert(bits.end(), point.begin(), point.end());
    const Blob spki = test::der(0x30, {algorithm, test::der(0x03, bits)});
    return tlsconnect::IssuerKey::load(test::certificate(test::self_signed({.public_key = spki})), 2048);
  };
  CHECK(load(0).has_value());
  REQUIRE_FALSE(load(1).has_value());
  CHECK(load(1).error().code() == ErrorCode::certificate_key_unsupported);
  CHECK(test::contains(load(1).error().detail(), "SubjectPublicKeyInfo"));
}

TEST_CASE("a signature of another key of the same kind is wrong", "[signature]") {
  const auto public_key = public_key_for(KeyType::p256);
  const Blob right = test::Key::cached(KeyType::p256, 0).sign("SHA-256", message());
  const Blob wrong = test::Key::cached(KeyType::p256, 1).sign("SHA-256", message());
  CHECK(public_key.verify(SignatureScheme::ecdsa_secp256r1_sha256, message(), right).has_value());
  CHECK(code_of(public_key.verify(SignatureScheme::ecdsa_secp256r1_sha256, message(), wrong)) ==
        ErrorCode::signature_invalid);
}

TEST_CASE("the salt of RSASSA-PSS is as long as the hash", "[signature]") {
  const auto public_key = public_key_for(KeyType::rsa2048);
  const test::Key key = test::Key::cached(KeyType::rsa2048);
  const auto verify = [&](const char* padding) {
    return public_key.verify(SignatureScheme::rsa_pss_rsae_sha256, message(), key.sign(padding, message()));
  };
  CHECK(verify("PSS(SHA-256,MGF1,32)").has_value());
  for (const char* padding : {"PSS(SHA-256,MGF1,31)", "PSS(SHA-256,MGF1,33)", "PSS(SHA-256,MGF1,20)",
                              "PSS(SHA-256,MGF1,64)", "PSS(SHA-384,MGF1,32)", "PKCS1v15(SHA-256)"}) {
    CAPTURE(padding);
    CHECK(code_of(verify(padding)) == ErrorCode::signature_invalid);
  }
}

TEST_CASE("ECDSA signatures are DER and nothing else", "[signature]") {
  const auto public_key = public_key_for(KeyType::p256);
  const test::Key key = test::Key::cached(KeyType::p256);
  // With r and s both of 32 bytes in DER the encodings below are easy to write; one signature in four is like that.
  // Signing is deterministic (RFC 6979), so it is the message that varies.
  Blob text(1);
  Blob signature = key.sign("SHA-256", text);
  while (signature.size() != 70 || signature[3] != 32) {
    text.push_back(0);
    signature = key.sign("SHA-256", text);
  }
  const auto verify = [&](const Blob& bytes) {
    return public_key.verify(SignatureScheme::ecdsa_secp256r1_sha256, text, bytes);
  };
  REQUIRE(verify(signature).has_value());
  const Blob r(signature.begin() + 4, signature.begin() + 36);
  const Blob s(signature.begin() + 38, signature.end());

  const auto joined = [](std::initializer_list<Blob> parts) {
    Blob out;
    for (const Blob& part : parts)
      out.insert(out.end(), part.begin(), part.end());
    return out;
  };
  // The same numbers in the same structure, each time with one liberty.
  CHECK(verify(joined({{0x30, 68, 0x02, 32}, r, {0x02, 32}, s})).has_value());
  CHECK_FALSE(verify(joined({{0x30, 0x81, 68, 0x02, 32}, r, {0x02, 32}, s})).has_value());      // long length
  CHECK_FALSE(verify(joined({{0x30, 69, 0x02, 33, 0x00}, r, {0x02, 32}, s})).has_value());      // zero in front
  CHECK_FALSE(verify(joined({{0x30, 0x80, 0x02, 32}, r, {0x02, 32}, s, {0, 0}})).has_value());  // indefinite
  CHECK_FALSE(verify(joined({{0x30, 68, 0x02, 32}, r, {0x02, 32}, s, {0}})).has_value());       // trailing
  CHECK_FALSE(verify(joined({{0x30, 70, 0x02, 32}, r, {0x02, 32}, s, {0x05, 0}})).has_value()); // a third field
  CHECK_FALSE(verify(joined({{0x31, 68, 0x02, 32}, r, {0x02, 32}, s})).has_value());            // SET
  CHECK_FALSE(verify(joined({r, s})).has_value());                                              // raw
  CHECK_FALSE(verify({0x30, 6, 0x02, 1, 0, 0x02, 1, 0}).has_value());                           // zero
}

TEST_CASE("RSA keys below 2048 bits are too weak", "[signature]") {
  const auto weak = public_key_for(KeyType::rsa1024);
  const Blob signature = test::Key::cached(KeyType::rsa1024).sign("PSS(SHA-256,MGF1,32)", message());
  CHECK(code_of(weak.verify(SignatureScheme::rsa_pss_rsae_sha256, message(), signature)) ==
        ErrorCode::certificate_key_too_weak);
}

TEST_CASE("an RSA key with a huge exponent is refused, since it would take too long", "[signature]") {
  // n of a proper key, and an exponent of 8 bytes: a public key only, so the certificate is put together by hand.
  const auto proper = test::self_signed({.key = test::Key::cached(KeyType::rsa2048)});
  const auto& rsa = dynamic_cast<const Botan::RSA_PublicKey&>(*proper.key().botan());
  const Botan::RSA_PublicKey odd(rsa.get_n(), Botan::BigInt::from_u64(0x8000'0000'0000'0001ULL));
  const auto public_key = public_key_of(test::self_signed({
      .key = test::Key::cached(KeyType::p256),
      .public_key = odd.subject_public_key(),
  }));
  CHECK(code_of(public_key.verify(SignatureScheme::rsa_pss_rsae_sha256, message(), Blob(256, 1))) ==
        ErrorCode::certificate_key_unsupported);
}

TEST_CASE("an RSA key with a huge modulus is refused for the same reason", "[signature]") {
  const auto verify = [](std::size_t bits) {
    const Botan::RSA_PublicKey odd(Botan::BigInt::power_of_2(bits - 1) + 1, Botan::BigInt::from_u64(65'537));
    const auto key = tlsconnect::PublicKey::from_spki(odd.subject_public_key()).value();
    return code_of(key.verify(SignatureScheme::rsa_pss_rsae_sha256, message(), Blob(bits / 8, 1)));
  };
  CHECK(verify(8192) == ErrorCode::signature_invalid);
  CHECK(verify(8200) == ErrorCode::certificate_key_unsupported);
}

TEST_CASE("a key that TLS 1.3 does not sign with is unsupported", "[signature]") {
  // X25519 (RFC 8410): an algorithm for key exchange.
  const Blob x25519 = [] {
    Blob der = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x03, 0x21, 0x00};
    der.resize(44, 9);
    return der;
  }();
  const auto public_key =
      public_key_of(test::self_signed({.key = test::Key::cached(KeyType::p256), .public_key = x25519}));
  CHECK(code_of(public_key.verify(SignatureScheme::ed25519, message(), Blob(64, 1))) ==
        ErrorCode::certificate_key_unsupported);
}

TEST_CASE("a point that is not on its curve is unsupported", "[signature]") {
  Blob key = test::Key::cached(KeyType::p256).public_der();
  key.back() ^= 1;
  const auto public_key =
      public_key_of(test::self_signed({.key = test::Key::cached(KeyType::p256), .public_key = key}));
  const Blob signature = test::Key::cached(KeyType::p256).sign("SHA-256", message());
  CHECK(code_of(public_key.verify(SignatureScheme::ecdsa_secp256r1_sha256, message(), signature)) ==
        ErrorCode::certificate_key_unsupported);
}
