// ML-DSA: known answers, the forms of its keys (RFC 9881), and a Botan that does not have it.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/private_key.hpp>
#include <tlsconnect/crypto/x509.hpp>

#include "deterministic.hpp"
#include "test_bytes.hpp"
#include "test_pki.hpp"

using test::Blob;
using test::KeyType;
using tlsconnect::BytesView;
using tlsconnect::ErrorCode;
using tlsconnect::PrivateKey;
using tlsconnect::PublicKey;
using tlsconnect::SignatureScheme;

namespace {

struct Known {
  KeyType type;
  SignatureScheme scheme;
  const char* name;
  unsigned last_of_oid;
  std::size_t public_length;
  std::size_t expanded_length;
  std::size_t signature_length;
  std::string_view public_hash;    ///< SHA-256 of the public key
  std::string_view signature_hash; ///< of the signature
  std::string_view other_hash;     ///< of the one that is made under another context string
};

// The seed is 00 01 … 1f, as in the examples of RFC 9881, appendix C: the first hash is that of the public keys there. The
// signatures are another implementation's, in FIPS 204's deterministic variant. Lengths: FIPS 204, tables 1 and 2.
constexpr Known known_answers[] = {
    {KeyType::mldsa44, SignatureScheme::mldsa44, "ML-DSA-44", 17, 1312, 2560, 2420,
     "9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46",
     "829b255742997d9a3fccb434945a6fe87554d9924f2d0106dacd982bc53643c7",
     "acf4528fb0a09415b75b85ee573fa3c6e6a0eee51aa0d4a5392b6638b94bb6e9"},
    {KeyType::mldsa65, SignatureScheme::mldsa65, "ML-DSA-65", 18, 1952, 4032, 3309,
     "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9",
     "3a0e5ee6261233c2c1a0c6324b57b1b58cee53f675e134eaf2e655a672813f9b",
     "2a928a343ebbf24d9f138092ac83ec66d644a5231a1eec63caef681a6de4d2aa"},
    {KeyType::mldsa87, SignatureScheme::mldsa87, "ML-DSA-87", 19, 2592, 4896, 4627,
     "91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd",
     "f0d5f94ba6155b9b02012b399e810733fbccaac769bbfe1ab58fedbad0ecb2e2",
     "f3ebaf54dbae88af1cc2fe321443c853fa5bb3d68529f79f08f3c13d1c0fe5dd"},
};

/// With it, a hedged signature is the deterministic one (FIPS 204, algorithm 2: rnd is 32 bytes of zero).
class ZeroRng final : public tlsconnect::Rng {
public:
  bool fill(tlsconnect::Bytes out) noexcept override {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return true;
  }
};

Blob message() {
  const BytesView text = tlsconnect::as_bytes("TLS 1.3 with ML-DSA");
  return {text.begin(), text.end()};
}

Blob algorithm(const Known& known, const Blob& parameters = {}) {
  return test::der(0x30, {test::der_oid("2.16.840.1.101.3.4.3." + std::to_string(known.last_of_oid)), parameters});
}

/// OneAsymmetricKey around what stands in its OCTET STRING.
Blob key_file(const Known& known, const Blob& contents) {
  return test::der(0x30, {Blob{0x02, 0x01, 0x00}, algorithm(known), test::der(0x04, contents)});
}

Blob spki(const Known& known, const Blob& bits, const Blob& parameters = {}) {
  return test::der(0x30, {algorithm(known, parameters), test::der(0x03, {Blob{0x00}, bits})});
}

Blob seed() { return test::counted(0, 31); }

PrivateKey key_of(const Known& known) { return PrivateKey::from_der(key_file(known, test::der(0x80, seed()))).value(); }

/// The bytes of the key alone, behind which there is nothing.
Blob public_bits(const PrivateKey& key, const Known& known) {
  const BytesView whole = key.public_key().spki();
  return tlsconnect::to_vector(whole.last(known.public_length));
}

void check_unreadable(const tlsconnect::Result<PrivateKey>& result, std::string_view detail) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == ErrorCode::private_key_unreadable);
  CAPTURE(result.error().detail());
  CHECK(result.error().detail().find(detail) != std::string_view::npos);
}

ErrorCode code_of(const auto& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code();
}

tlsconnect::ByteVector sha256(BytesView bytes) {
  const auto digest = tlsconnect::hash_of(tlsconnect::HashAlgorithm::sha256, bytes).value();
  return tlsconnect::to_vector(digest.view());
}

} // namespace

TEST_CASE("ML-DSA: whether it is there is known, and all else always is", "[ml-dsa]") {
  for (const Known& known : known_answers) {
    CHECK(tlsconnect::is_available(known.scheme) == test::is_available(known.type));
    CHECK(tlsconnect::is_ml_dsa(known.scheme));
    CHECK(name_of(known.scheme) == std::string("mldsa") + (known.name + 7));
    // draft-ietf-tls-mldsa: of TLS 1.3, and not of TLS 1.2.
    CHECK(tlsconnect::signs_tls13(known.scheme));
    CHECK_FALSE(tlsconnect::signs_tls12(known.scheme));
  }
  CHECK(static_cast<unsigned>(SignatureScheme::mldsa44) == 0x0904);
  CHECK(static_cast<unsigned>(SignatureScheme::mldsa65) == 0x0905);
  CHECK(static_cast<unsigned>(SignatureScheme::mldsa87) == 0x0906);
  for (const SignatureScheme scheme :
       {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed448, SignatureScheme::rsa_pkcs1_sha256}) {
    CHECK(tlsconnect::is_available(scheme));
    CHECK_FALSE(tlsconnect::is_ml_dsa(scheme));
    CHECK(tlsconnect::signs_tls12(scheme));
  }
}

TEST_CASE("ML-DSA: a Botan without it says so, key by key", "[ml-dsa]") {
  if (tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has ML-DSA");
  for (const Known& known : known_answers) {
    check_unreadable(PrivateKey::from_der(key_file(known, test::der(0x80, seed()))), "built without");
    const auto key = PublicKey::from_spki(spki(known, Blob(known.public_length, 7))).value();
    CHECK(key.description() == known.name);
    CHECK(key.fits(known.scheme)); // somebody else may sign with it
    const auto verdict = key.verify(known.scheme, message(), Blob(known.signature_length, 1));
    CHECK(code_of(verdict) == ErrorCode::certificate_key_unsupported);
    CHECK(verdict.error().detail().find("built without") != std::string_view::npos);
  }
}

TEST_CASE("ML-DSA: known answers", "[ml-dsa]") {
  if (!tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  for (const Known& known : known_answers) {
    CAPTURE(known.name);
    const PrivateKey key = key_of(known);
    CHECK(key.public_key().description() == known.name);
    REQUIRE(key.schemes().size() == 1);
    CHECK(key.schemes()[0] == known.scheme);
    const Blob bits = public_bits(key, known);
    CHECK(tlsconnect::equal(key.public_key().spki(), spki(known, bits)));
    CHECK(sha256(bits) == test::hex(known.public_hash));

    ZeroRng zeros;
    const Blob signature = key.sign(known.scheme, message(), zeros).value();
    CHECK(signature.size() == known.signature_length);
    // draft-ietf-tls-mldsa: the context string is empty.
    CHECK(sha256(signature) == test::hex(known.signature_hash));
    CHECK(sha256(signature) != test::hex(known.other_hash));
    CHECK(key.public_key().verify(known.scheme, message(), signature).has_value());
    // Hedged: with other randomness another signature, as good.
    test::FixedRng rng;
    const Blob hedged = key.sign(known.scheme, message(), rng).value();
    CHECK(rng.drawn() == 32);
    CHECK(hedged != signature);
    CHECK(key.public_key().verify(known.scheme, message(), hedged).has_value());
  }
}

TEST_CASE("ML-DSA: no level passes for another, nor any for TLS 1.2", "[ml-dsa]") {
  if (!tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  test::FixedRng rng;
  for (const Known& known : known_answers) {
    const PrivateKey key = key_of(known);
    const Blob signature = key.sign(known.scheme, message(), rng).value();
    for (const Known& other : known_answers) {
      CAPTURE(known.name, other.name);
      const bool same = known.type == other.type;
      CHECK(key.public_key().fits(other.scheme) == same);
      CHECK(key.sign(other.scheme, message(), rng).has_value() == same);
      CHECK(key.public_key().verify(other.scheme, message(), signature).has_value() == same);
      if (!same)
        CHECK(code_of(key.public_key().verify(other.scheme, message(), signature)) ==
              ErrorCode::signature_scheme_not_for_key);
      CHECK_FALSE(key.public_key().fits_tls12(other.scheme));
      CHECK(code_of(key.public_key().verify_tls12(other.scheme, message(), signature)) ==
            ErrorCode::signature_scheme_not_for_key);
      CHECK(key.public_key().same_key(key_of(other).public_key()) == same);
    }
    CHECK_FALSE(key.public_key().authentication12().has_value());
    CHECK_FALSE(key.public_key().curve().has_value());
  }
}

TEST_CASE("ML-DSA: public keys have their one length, and no parameters", "[ml-dsa]") {
  if (!tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  ZeroRng zeros;
  for (const Known& known : known_answers) {
    CAPTURE(known.name);
    const PrivateKey key = key_of(known);
    const Blob bits = public_bits(key, known);
    const Blob signature = key.sign(known.scheme, message(), zeros).value();
    const auto verdict = [&](const Blob& der) {
      return PublicKey::from_spki(der).value().verify(known.scheme, message(), signature);
    };
    CHECK(verdict(spki(known, bits)).has_value());
    Blob longer = bits;
    longer.push_back(0);
    const Blob shorter(bits.begin(), bits.end() - 1);
    // RFC 9881, 4: the bytes stand there without an OCTET STRING around them.
    for (const Blob& wrong : {longer, shorter, Blob(), test::der(0x04, bits)}) {
      const auto refused = verdict(spki(known, wrong));
      CHECK(code_of(refused) == ErrorCode::certificate_key_unsupported);
      CHECK(refused.error().detail().find("bytes instead of") != std::string_view::npos);
    }
    // RFC 9881, 2: absent means absent, not NULL.
    const auto with_null = PublicKey::from_spki(spki(known, bits, Blob{0x05, 0x00})).value();
    CHECK_FALSE(with_null.fits(known.scheme));
    CHECK(code_of(with_null.verify(known.scheme, message(), signature)) == ErrorCode::certificate_key_unsupported);
  }
}

TEST_CASE("ML-DSA: private keys with a seed, in each form", "[ml-dsa]") {
  if (!tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  for (const Known& known : known_answers) {
    CAPTURE(known.name);
    const PrivateKey key = key_of(known);
    const auto is_the_key = [&](const tlsconnect::Result<PrivateKey>& read) {
      return read && tlsconnect::equal(read->public_key().spki(), key.public_key().spki());
    };
    CHECK(is_the_key(PrivateKey::from_pem(test::pem_block("PRIVATE KEY", key_file(known, test::der(0x80, seed()))))));
    CHECK(is_the_key(PrivateKey::from_der(key_file(known, seed())))); // Botan's own

    // RFC 9881, 6: both. FIPS 204, algorithm 24: rho, which begins the public key too; K; the hash of the public key.
    const Blob bits = public_bits(key, known);
    Blob expanded(known.expanded_length, 0x11);
    std::copy_n(bits.begin(), 32, expanded.begin());
    const auto both = [&](const Blob& first, const Blob& second) {
      return PrivateKey::from_der(key_file(known, test::der(0x30, {test::der(0x04, first), test::der(0x04, second)})));
    };
    check_unreadable(both(seed(), expanded), "do not belong together");
    const Blob hash = test::shake256(bits, 64);
    std::copy(hash.begin(), hash.end(), expanded.begin() + 64);
    CHECK(is_the_key(both(seed(), expanded)));
    for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{64}, std::size_t{127}}) {
      Blob damaged = expanded;
      damaged[at] ^= 1;
      check_unreadable(both(seed(), damaged), "do not belong together");
    }
    check_unreadable(both(test::counted(1, 32), expanded), "do not belong together");
    check_unreadable(both(test::counted(0, 30), expanded), "is none");
    expanded.push_back(0);
    check_unreadable(both(seed(), expanded), "is none");
  }
}

TEST_CASE("ML-DSA: private keys that are none, and those without a seed", "[ml-dsa]") {
  for (const Known& known : known_answers) {
    CAPTURE(known.name);
    const auto read = [&](const Blob& contents) { return PrivateKey::from_der(key_file(known, contents)); };
    check_unreadable(read(test::der(0x04, Blob(known.expanded_length, 0x11))), "without its seed");
    check_unreadable(read(Blob(known.expanded_length, 0x11)), "is none");
    check_unreadable(read({}), "is none");
    check_unreadable(read(test::der(0x80, test::counted(0, 30))), "is none");
    check_unreadable(read(test::der(0x80, test::counted(0, 32))), "is none");
    check_unreadable(read(test::joined(test::der(0x80, seed()), Blob{0x00})), "is none");
    check_unreadable(read(test::der(0x81, seed())), "is none");
    check_unreadable(read(test::der(0xA0, test::der(0x04, seed()))), "is none");
    check_unreadable(read(test::der(0x30, test::der(0x04, seed()))), "is none");
    check_unreadable(read(test::der(0x30, {test::der(0x80, seed()), test::der(0x04, Blob(known.expanded_length))})),
                     "is none");
  }
}

TEST_CASE("ML-DSA: certificates", "[ml-dsa]") {
  if (!tlsconnect::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  using tlsconnect::Certificate;
  for (const Known& known : known_answers) {
    CAPTURE(known.name);
    const auto signer = test::self_signed({.common_name = "Signer", .key = test::Key::cached(known.type), .ca = true});
    const auto certificate = Certificate::from_der(signer.der()).value();
    CHECK(certificate.key_description() == known.name);
    CHECK(certificate.signature_algorithm().has_value());
    // RFC 5929 defines nothing for an algorithm without a hash of its own.
    CHECK(code_of(certificate.signature_hash()) == ErrorCode::export_not_available);
    const auto key = tlsconnect::IssuerKey::load(certificate, 2048).value();
    CHECK(key.verify(certificate).has_value());
    const auto broken = test::self_signed(
        {.common_name = "Signer", .key = test::Key::cached(known.type), .ca = true, .break_signature = true});
    CHECK(code_of(key.verify(Certificate::from_der(broken.der()).value())) == ErrorCode::certificate_signature_invalid);
    // RFC 9881, 2: NULL is not what absent parameters are.
    const auto with_null = test::self_signed({.common_name = "Signer",
                                              .key = test::Key::cached(known.type),
                                              .ca = true,
                                              .algorithm = algorithm(known, Blob{0x05, 0x00})});
    CHECK(code_of(Certificate::from_der(with_null.der()).value().signature_algorithm()) ==
          ErrorCode::certificate_key_unsupported);
    for (const Known& other : known_answers) {
      const tlsconnect::SignatureScheme only[] = {other.scheme};
      CHECK(key.among(*certificate.signature_algorithm(), only) == (other.type == known.type));
      const auto claimed = test::self_signed(
          {.common_name = "Signer", .key = test::Key::cached(known.type), .ca = true, .algorithm = algorithm(other)});
      const auto read = Certificate::from_der(claimed.der()).value();
      CHECK(key.fits(*read.signature_algorithm()) == (other.type == known.type));
      CHECK(key.verify(read).has_value() == (other.type == known.type));
    }
  }
}
