// Private keys: every kind in every form, what is none, and signatures that Botan and PublicKey verify.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <botan/base64.h>
#include <botan/bigint.h>
#include <botan/cipher_mode.h>
#include <botan/der_enc.h>
#include <botan/numthry.h>
#include <botan/pk_keys.h>
#include <botan/pubkey.h>
#include <botan/pwdhash.h>
#include <botan/rsa.h>
#include <botan/system_rng.h>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/private_key.hpp>

#include "deterministic.hpp"
#include "openssl_keys.hpp"
#include "signature_padding.hpp"
#include "test_bytes.hpp"
#include "test_pki.hpp"

using test::Blob;
using test::KeyType;
using tlsconnect::as_bytes;
using tlsconnect::ErrorCode;
using tlsconnect::PrivateKey;
using tlsconnect::SignatureScheme;
using Schemes = std::vector<SignatureScheme>;

namespace {

struct Kind {
  KeyType type;
  const char* description;
  Schemes schemes;
};

const std::vector<Kind>& kinds() {
  using enum SignatureScheme;
  static const std::vector<Kind> rows = [] {
    std::vector<Kind> all = {
        // What goes with the curve comes first; the other hashes are for TLS 1.2.
        {KeyType::p256, "EC secp256r1", {ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512}},
        {KeyType::p384, "EC secp384r1", {ecdsa_secp384r1_sha384, ecdsa_secp256r1_sha256, ecdsa_secp521r1_sha512}},
        {KeyType::p521, "EC secp521r1", {ecdsa_secp521r1_sha512, ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384}},
        {KeyType::rsa2048,
         "RSA 2048",
         {rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, rsa_pkcs1_sha256, rsa_pkcs1_sha384,
          rsa_pkcs1_sha512}},
        {KeyType::rsa_pss2048, "RSA-PSS 2048", {rsa_pss_pss_sha256, rsa_pss_pss_sha384, rsa_pss_pss_sha512}},
        {KeyType::rsa_pss2048_sha256, "RSA-PSS 2048", {rsa_pss_pss_sha256}},
        {KeyType::ed25519, "Ed25519", {ed25519}},
        {KeyType::ed448, "Ed448", {ed448}},
        {KeyType::mldsa44, "ML-DSA-44", {mldsa44}},
        {KeyType::mldsa65, "ML-DSA-65", {mldsa65}},
        {KeyType::mldsa87, "ML-DSA-87", {mldsa87}},
    };
    std::erase_if(all, [](const Kind& kind) { return !test::is_available(kind.type); });
    return all;
  }();
  return rows;
}

/// How a key is encrypted; by hand, because Botan does it only with its own choice of what stands inside.
struct Encryption {
  std::string cipher = "AES-256/CBC";
  std::string mac = "HMAC(SHA-256)"; ///< "": scrypt
  std::size_t iterations = 10;       ///< what is stated
  std::optional<std::size_t> key_length = {};
  std::array<std::size_t, 3> scrypt = {16, 8, 1};
  std::string pbes2 = "1.2.840.113549.1.5.13";
  std::string function = {}; ///< instead of the right one
  Blob trailing = {};        ///< behind the key, inside of the encryption
  // Behind the parameters of each part.
  Blob behind_function = {};
  Blob behind_iv = {};
  Blob behind_method = {};
};

Blob encrypted(const Blob& pkcs8, std::string_view password, const Encryption& how) {
  const Blob salt(16, 0x5A);
  const Blob iv(16, 0xA5);
  const std::size_t length = how.cipher == "AES-128/CBC" ? 16 : how.cipher == "AES-192/CBC" ? 24 : 32;
  Botan::secure_vector<std::uint8_t> key(length);
  Blob parameters;
  Botan::DER_Encoder to(parameters);
  to.start_sequence().encode(salt, Botan::ASN1_Type::OctetString);
  if (how.mac.empty()) {
    if (how.scrypt == Encryption().scrypt)
      Botan::PasswordHashFamily::create_or_throw("Scrypt")
          ->from_params(how.scrypt[0], how.scrypt[1], how.scrypt[2])
          ->hash(key, password, salt);
    to.encode(how.scrypt[0]).encode(how.scrypt[1]).encode(how.scrypt[2]);
  } else {
    if (how.iterations > 0 && how.iterations < 1000)
      Botan::PasswordHashFamily::create_or_throw("PBKDF2(" + how.mac + ")")
          ->from_params(how.iterations)
          ->hash(key, password, salt);
    to.encode(how.iterations);
  }
  if (how.key_length)
    to.encode(*how.key_length);
  if (!how.mac.empty() && how.mac != "HMAC(SHA-1)")
    to.encode(Botan::AlgorithmIdentifier(how.mac, Botan::AlgorithmIdentifier::USE_NULL_PARAM));
  to.raw_bytes(how.behind_function).end_cons();

  Botan::secure_vector<std::uint8_t> text(pkcs8.begin(), pkcs8.end());
  text.insert(text.end(), how.trailing.begin(), how.trailing.end());
  const auto cipher = Botan::Cipher_Mode::create_or_throw(how.cipher, Botan::Cipher_Dir::Encryption);
  cipher->set_key(key);
  cipher->start(iv);
  cipher->finish(text);

  const std::string function = !how.function.empty() ? how.function
                               : how.mac.empty()     ? "1.3.6.1.4.1.11591.4.11"
                                                     : "1.2.840.113549.1.5.12";
  Blob iv_der;
  Botan::DER_Encoder(iv_der).encode(iv, Botan::ASN1_Type::OctetString).raw_bytes(how.behind_iv);
  Blob method;
  Botan::DER_Encoder(method)
      .start_sequence()
      .encode(Botan::AlgorithmIdentifier(Botan::OID(function), parameters))
      .encode(Botan::AlgorithmIdentifier(how.cipher, iv_der))
      .end_cons()
      .raw_bytes(how.behind_method);
  Blob out;
  Botan::DER_Encoder(out)
      .start_sequence()
      .encode(Botan::AlgorithmIdentifier(Botan::OID(how.pbes2), method))
      .encode(Blob(text.begin(), text.end()), Botan::ASN1_Type::OctetString)
      .end_cons();
  return out;
}

Blob pkcs8(const Botan::AlgorithmIdentifier& algorithm, const Blob& bits, std::size_t version = 0,
           const Blob& behind = {}) {
  Blob out;
  Botan::DER_Encoder(out)
      .start_sequence()
      .encode(version)
      .encode(algorithm)
      .encode(bits, Botan::ASN1_Type::OctetString)
      .raw_bytes(behind)
      .end_cons();
  return out;
}

Blob private_bits(const test::Key& key) {
  const auto bits = key.botan()->private_key_bits();
  return {bits.begin(), bits.end()};
}

Blob message() { return Blob(200, 0x4D); }

bool is_ec(KeyType type) { return type == KeyType::p256 || type == KeyType::p384 || type == KeyType::p521; }

bool botan_verifies(const test::Key& key, SignatureScheme scheme, const Blob& text, const Blob& signature) {
  Botan::PK_Verifier verifier(*key.botan(), test::botan_padding(scheme),
                              is_ec(key.type()) ? Botan::Signature_Format::DerSequence
                                                : Botan::Signature_Format::Standard);
  return verifier.verify_message(text, signature);
}

Schemes schemes_of(const PrivateKey& key) { return {key.schemes().begin(), key.schemes().end()}; }

void check_is(const PrivateKey& key, const Kind& kind) {
  CHECK(tlsconnect::equal(key.public_key().spki(), test::Key::cached(kind.type).public_der()));
  CHECK(key.public_key().description() == kind.description);
  CHECK(schemes_of(key) == kind.schemes);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Fails with the one code there is for it, and says `detail`.
void check_unreadable(const tlsconnect::Result<PrivateKey>& result, std::string_view detail) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == ErrorCode::private_key_unreadable);
  CAPTURE(result.error().detail());
  CHECK(contains(result.error().detail(), detail));
}

Blob der_of(std::string_view pem) {
  const auto block = tlsconnect::detail::next_pem_block(pem);
  const auto der = Botan::base64_decode(block.value().body);
  return {der.begin(), der.end()};
}

/// A key whose modulus has exactly so many bits, which Botan does not make by itself.
Botan::RSA_PrivateKey rsa_key(std::size_t bits) {
  auto& rng = Botan::system_rng();
  const Botan::BigInt e = Botan::BigInt::from_u64(65537);
  for (;;) {
    const Botan::BigInt p = Botan::random_prime(rng, (bits + 1) / 2, e);
    const Botan::BigInt q = Botan::random_prime(rng, bits / 2, e);
    if (p != q && (p * q).bits() == bits)
      return {p, q, e};
  }
}

class BrokenRng final : public tlsconnect::Rng {
public:
  bool fill(tlsconnect::Bytes) noexcept override { return false; }
};

} // namespace

TEST_CASE("every kind of key is read in every form", "[private-key]") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.description);
    const test::Key key = test::Key::cached(kind.type);
    check_is(PrivateKey::from_der(key.pkcs8_der()).value(), kind);
    check_is(PrivateKey::from_pem(key.pkcs8_pem()).value(), kind);
    // A password for a key that needs none does no harm.
    check_is(PrivateKey::from_der(key.pkcs8_der(), "unused").value(), kind);
    for (const Encryption& how : std::initializer_list<Encryption>{
             {},
             {.cipher = "AES-128/CBC", .mac = "HMAC(SHA-1)"},
             {.cipher = "AES-192/CBC", .mac = "HMAC(SHA-384)"},
             {.mac = "HMAC(SHA-512)", .key_length = 32},
             {.mac = ""},
             {.cipher = "AES-128/CBC", .mac = "", .key_length = 16},
         }) {
      const Blob der = encrypted(key.pkcs8_der(), "open sesame", how);
      check_is(PrivateKey::from_der(der, "open sesame").value(), kind);
      check_is(PrivateKey::from_pem(test::pem_block("ENCRYPTED PRIVATE KEY", der), "open sesame").value(), kind);
    }
    const Blob bits = private_bits(key);
    if (is_ec(kind.type)) {
      // RFC 5915, 3: what stands inside of PKCS #8 may leave out the curve, what stands alone may not; the public key
      // may be left out everywhere.
      check_unreadable(PrivateKey::from_der(bits), "does not state its curve");
      const auto scalar = key.botan()->raw_private_key_bits();
      Blob alone;
      Botan::DER_Encoder(alone)
          .start_sequence()
          .encode(std::size_t{1})
          .encode(Blob(scalar.begin(), scalar.end()), Botan::ASN1_Type::OctetString)
          .start_explicit_context_specific(0)
          .raw_bytes(key.botan()->algorithm_identifier().parameters())
          .end_cons()
          .end_cons();
      check_is(PrivateKey::from_der(alone).value(), kind);
      check_is(PrivateKey::from_pem(test::pem_block("EC PRIVATE KEY", alone)).value(), kind);
    }
    if (kind.type == KeyType::rsa2048) {
      check_is(PrivateKey::from_der(bits).value(), kind);
      check_is(PrivateKey::from_pem(test::pem_block("RSA PRIVATE KEY", bits)).value(), kind);
    }
  }
}

TEST_CASE("keys as OpenSSL writes them", "[private-key]") {
  namespace openssl = test::openssl;
  const Blob p256 = test::hex(openssl::p256_public);
  for (const std::string_view pem :
       {openssl::p256, openssl::p256_sec1, openssl::p256_sha512, openssl::p256_sha1, openssl::p256_scrypt}) {
    CAPTURE(pem);
    CHECK(tlsconnect::equal(PrivateKey::from_pem(pem, openssl::password).value().public_key().spki(), p256));
    CHECK(tlsconnect::equal(PrivateKey::from_der(der_of(pem), openssl::password).value().public_key().spki(), p256));
  }
  for (const std::string_view pem : {openssl::pss, openssl::pss_encrypted}) {
    const auto key = PrivateKey::from_pem(pem, openssl::password).value();
    CHECK(tlsconnect::equal(key.public_key().spki(), test::hex(openssl::pss_public)));
    CHECK(schemes_of(key) == Schemes{SignatureScheme::rsa_pss_pss_sha384});
  }
  for (const std::string_view pem : {openssl::rsa1024, openssl::rsa1024_pkcs1})
    CHECK(tlsconnect::equal(PrivateKey::from_pem(pem).value().public_key().spki(), test::hex(openssl::rsa1024_public)));
  CHECK(PrivateKey::from_pem(openssl::ed25519).value().public_key().description() == "Ed25519");

  check_unreadable(PrivateKey::from_pem(openssl::p256_triple_des, openssl::password), "TripleDES");
  check_unreadable(PrivateKey::from_pem(openssl::p256_pbes1, openssl::password), "outdated");
  check_unreadable(PrivateKey::from_pem(openssl::p256_proc_type, openssl::password), "Proc-Type");
  check_unreadable(PrivateKey::from_pem(openssl::x25519), "does not sign");
  check_unreadable(PrivateKey::from_pem(openssl::secp256k1), "does not sign");
}

TEST_CASE("the password must be right, and there", "[private-key]") {
  for (const std::string_view pem :
       {test::openssl::p256_sha512, test::openssl::p256_scrypt, test::openssl::pss_encrypted}) {
    check_unreadable(PrivateKey::from_pem(pem), "the password is missing");
    check_unreadable(PrivateKey::from_pem(pem, "Swordfish"), "the password is wrong");
    check_unreadable(PrivateKey::from_pem(pem, "swordfish "), "the password is wrong");
  }
  // A wrong password makes padding that looks right once in 256 times.
  const Blob der = encrypted(test::Key::cached(KeyType::p256).pkcs8_der(), "right", {});
  for (int i = 0; i < 2000; ++i)
    check_unreadable(PrivateKey::from_der(der, "wrong" + std::to_string(i)), "the password is wrong");
}

TEST_CASE("encryption with parameters that make no sense", "[private-key]") {
  const Blob key = test::Key::cached(KeyType::p256).pkcs8_der();
  const auto read = [&](const Encryption& how) { return PrivateKey::from_der(encrypted(key, "right", how), "right"); };
  REQUIRE(read({}).has_value());
  check_unreadable(read({.iterations = 0}), "0 iterations");
  check_unreadable(read({.iterations = 100'000'001}), "100000001 iterations");
  check_unreadable(read({.key_length = 16}), "the length of the cipher's key is wrong");
  check_unreadable(read({.mac = "", .key_length = 16}), "the length of the cipher's key is wrong");
  for (const std::array<std::size_t, 3>& scrypt :
       std::initializer_list<std::array<std::size_t, 3>>{{0, 8, 1},
                                                         {1, 8, 1},
                                                         {24, 8, 1},
                                                         {std::size_t{1} << 21, 8, 1},
                                                         {16, 0, 1},
                                                         {16, 9, 1},
                                                         {16, 8, 0},
                                                         {16, 8, 17}})
    check_unreadable(read({.mac = "", .scrypt = scrypt}), "scrypt out of the usual");
  check_unreadable(read({.function = "1.2.3.4"}), "password function");
  check_unreadable(read({.pbes2 = "1.2.840.113549.1.12.1.3"}), "outdated");
  check_unreadable(read({.trailing = {0x05, 0x00}}), "the key is damaged");
  check_unreadable(read({.behind_function = {0x05, 0x00}}), "");
  check_unreadable(read({.behind_iv = {0x05, 0x00}}), "");
  check_unreadable(read({.behind_method = {0x05, 0x00}}), "");
}

TEST_CASE("the first private key of a PEM text is taken", "[private-key]") {
  const test::Key first = test::Key::cached(KeyType::p256);
  const test::Key second = test::Key::cached(KeyType::ed25519);
  const std::string certificate = test::self_signed({.key = first}).pem();
  const std::string parameters = test::pem_block("EC PARAMETERS", {0x06, 0x01, 0x00});
  const auto key = PrivateKey::from_pem("text\n" + parameters + certificate + first.pkcs8_pem() + second.pkcs8_pem());
  CHECK(tlsconnect::equal(key.value().public_key().spki(), first.public_der()));
  check_unreadable(PrivateKey::from_pem(certificate), "there is no private key");
  check_unreadable(PrivateKey::from_pem(""), "there is no private key");
}

TEST_CASE("what is damaged is no key", "[private-key]") {
  const test::Key key = test::Key::cached(KeyType::p256);
  std::string pem = key.pkcs8_pem();
  check_unreadable(PrivateKey::from_pem(pem.substr(0, pem.size() - 30)), "END line");
  std::string foreign = pem;
  foreign[foreign.find('\n') + 3] = '*';
  check_unreadable(PrivateKey::from_pem(foreign), "not Base64");
  // The label must be true.
  check_unreadable(PrivateKey::from_pem(test::pem_block("ENCRYPTED PRIVATE KEY", key.pkcs8_der()), "x"),
                   "no ENCRYPTED");
  check_unreadable(PrivateKey::from_pem(test::pem_block("EC PRIVATE KEY", key.pkcs8_der())), "no EC PRIVATE KEY");
  check_unreadable(PrivateKey::from_pem(test::pem_block("RSA PRIVATE KEY", key.pkcs8_der())), "no RSA PRIVATE KEY");
  check_unreadable(PrivateKey::from_pem(test::pem_block("PRIVATE KEY", private_bits(key))), "no PRIVATE KEY");

  const Blob der = key.pkcs8_der();
  for (std::size_t length = 0; length < der.size(); ++length)
    CHECK_FALSE(PrivateKey::from_der(Blob(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(length))).has_value());
  Blob longer = der;
  longer.push_back(0);
  check_unreadable(PrivateKey::from_der(longer), "not exactly one");
  check_unreadable(PrivateKey::from_der(as_bytes(pem)), "not exactly one");
  check_unreadable(PrivateKey::from_der(Blob{0x30, 0x04, 0x02, 0x01, 0x00, 0x05}), "not exactly one");
  check_unreadable(PrivateKey::from_der(Blob{0x30, 0x05, 0x02, 0x01, 0x00, 0x05, 0x00}), "not exactly one");
}

TEST_CASE("versions and attributes of PKCS #8", "[private-key]") {
  const test::Key key = test::Key::cached(KeyType::ed25519);
  const auto algorithm = key.botan()->algorithm_identifier();
  const Blob bits = private_bits(key);
  REQUIRE(PrivateKey::from_der(pkcs8(algorithm, bits)).has_value());
  // RFC 5958, 2: version 1 has the public key behind the private one; attributes may stand in both.
  const Blob attributes = {0xA0, 0x00};
  Blob public_part = {0x81, 33, 0x00};
  const Blob raw = key.botan()->raw_public_key_bits();
  public_part.insert(public_part.end(), raw.begin(), raw.end());
  CHECK(PrivateKey::from_der(pkcs8(algorithm, bits, 0, attributes)).has_value());
  CHECK(PrivateKey::from_der(pkcs8(algorithm, bits, 1, public_part)).has_value());
  check_unreadable(PrivateKey::from_der(pkcs8(algorithm, bits, 2)), "unknown version");
}

TEST_CASE("both parts of a key must belong together", "[private-key]") {
  const auto parts = [](KeyType type, const Blob& private_part, const Blob& public_part) {
    Blob bits;
    Botan::DER_Encoder(bits)
        .start_sequence()
        .encode(std::size_t{1})
        .encode(private_part, Botan::ASN1_Type::OctetString)
        .start_explicit_context_specific(1)
        .encode(public_part, Botan::ASN1_Type::BitString)
        .end_cons()
        .end_cons();
    return pkcs8(test::Key::cached(type).botan()->algorithm_identifier(), bits);
  };
  const auto one = test::Key::cached(KeyType::p256, 0).botan();
  const auto other = test::Key::cached(KeyType::p256, 1).botan();
  const auto secret = one->raw_private_key_bits();
  const Blob scalar(secret.begin(), secret.end());
  CHECK(PrivateKey::from_der(parts(KeyType::p256, scalar, one->raw_public_key_bits())).has_value());
  check_unreadable(PrivateKey::from_der(parts(KeyType::p256, scalar, other->raw_public_key_bits())),
                   "do not belong together");

  // RSA: the last number of the key, the coefficient, is that of another.
  const test::Key rsa = test::Key::cached(KeyType::rsa2048);
  Blob bits = private_bits(rsa);
  bits.back() ^= 2;
  check_unreadable(PrivateKey::from_der(pkcs8(rsa.botan()->algorithm_identifier(), bits)), "do not belong together");
}

TEST_CASE("an RSA key is used only with schemes that it is long enough for", "[private-key]") {
  using enum SignatureScheme;
  // RFC 8017, 9.1.1: two SHA-512 values and two bytes are 130 bytes, two more than the key has.
  const auto key = PrivateKey::from_pem(test::openssl::rsa1024).value();
  CHECK(schemes_of(key) ==
        Schemes{rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512});
  test::FixedRng rng;
  CHECK(key.sign(rsa_pss_rsae_sha384, message(), rng).has_value());
  const auto refused = key.sign(rsa_pss_rsae_sha512, message(), rng);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::signing_failed);
}

TEST_CASE("the bits that an RSA scheme needs are counted right", "[private-key]") {
  using enum SignatureScheme;
  struct Bound {
    SignatureScheme scheme;
    std::size_t bits; // RFC 8017, 9.1.1 and 9.2; the modulus of RSASSA-PSS has one bit more than what it encodes
  };
  for (const Bound& bound : {Bound{rsa_pss_rsae_sha256, 8 * 65 + 2}, Bound{rsa_pss_rsae_sha384, 8 * 97 + 2},
                             Bound{rsa_pss_rsae_sha512, 8 * 129 + 2}, Bound{rsa_pkcs1_sha256, 8 * 61 + 1},
                             Bound{rsa_pkcs1_sha384, 8 * 77 + 1}, Bound{rsa_pkcs1_sha512, 8 * 93 + 1}}) {
    for (const std::size_t bits : {bound.bits - 1, bound.bits}) {
      CAPTURE(name_of(bound.scheme), bits);
      const Botan::RSA_PrivateKey stored = rsa_key(bits);
      const auto key = PrivateKey::from_der(stored.private_key_info());
      // Too short for every scheme, a key is not taken at all.
      CHECK(key.has_value() == (bits >= 8 * 61 + 1));
      const auto schemes = key ? schemes_of(*key) : Schemes();
      const bool enough = std::find(schemes.begin(), schemes.end(), bound.scheme) != schemes.end();
      CHECK(enough == (bits == bound.bits));
      const auto sign = [&] {
        Botan::PK_Signer signer(stored, Botan::system_rng(), test::botan_padding(bound.scheme));
        return signer.sign_message(message(), Botan::system_rng());
      };
      // Botan does not find room for the signature in a shorter key either.
      if (!enough) {
        CHECK_THROWS(sign());
        continue;
      }
      test::FixedRng rng;
      Botan::PK_Verifier verifier(stored, test::botan_padding(bound.scheme));
      CHECK(verifier.verify_message(message(), key->sign(bound.scheme, message(), rng).value()));
    }
  }
}

TEST_CASE("signatures verify with Botan and with the public key", "[private-key]") {
  test::FixedRng rng;
  for (const Kind& kind : kinds()) {
    const test::Key stored = test::Key::cached(kind.type);
    const auto key = PrivateKey::from_der(stored.pkcs8_der()).value();
    for (const SignatureScheme scheme : kind.schemes) {
      CAPTURE(kind.description, name_of(scheme));
      const Blob signature = key.sign(scheme, message(), rng).value();
      CHECK(botan_verifies(stored, scheme, message(), signature));
      CHECK_FALSE(botan_verifies(stored, scheme, Blob(200, 0x4E), signature));
      const bool own_curve = !is_ec(kind.type) || scheme == kind.schemes.front();
      const bool tls13 = own_curve && tlsconnect::signs_tls13(scheme);
      CHECK(key.public_key().verify(scheme, message(), signature).has_value() == tls13);
      // draft-ietf-tls-mldsa: TLS 1.2 has all that TLS 1.3 has but ML-DSA.
      const bool tls12 = !contains(kind.description, "ML-DSA");
      CHECK(key.public_key().verify_tls12(scheme, message(), signature).has_value() == tls12);
      CHECK(key.public_key().fits(scheme) == own_curve);
      CHECK(key.public_key().fits_tls12(scheme) == tls12);
    }
    // Nothing else is signed with.
    for (unsigned code = 0; code < 0x0A00; ++code) {
      const auto scheme = static_cast<SignatureScheme>(code);
      if (std::find(kind.schemes.begin(), kind.schemes.end(), scheme) != kind.schemes.end())
        continue;
      CAPTURE(kind.description, code);
      const auto refused = key.sign(scheme, message(), rng);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code() == ErrorCode::signing_failed);
      CHECK_FALSE(key.public_key().fits(scheme));
      CHECK_FALSE(key.public_key().fits_tls12(scheme));
    }
  }
}

TEST_CASE("the same randomness makes the same signature", "[private-key]") {
  for (const Kind& kind : kinds()) {
    const auto key = PrivateKey::from_der(test::Key::cached(kind.type).pkcs8_der()).value();
    const SignatureScheme scheme = kind.schemes.front();
    const auto sign = [&](std::uint64_t seed) {
      test::FixedRng rng(seed);
      return key.sign(scheme, message(), rng).value();
    };
    CAPTURE(kind.description);
    CHECK(sign(1) == sign(1));
    // RSASSA-PSS has a random salt, and ML-DSA is hedged (FIPS 204, 3.4); the others are functions of the key and the
    // message (RFC 6979, RFC 8032).
    const bool salted = contains(kind.description, "RSA") || contains(kind.description, "ML-DSA");
    CHECK((sign(1) == sign(2)) == !salted);

    BrokenRng broken;
    const auto without = key.sign(scheme, message(), broken);
    const bool edwards = contains(kind.description, "Ed");
    CHECK(without.has_value() == edwards);
    if (!without)
      CHECK(without.error().code() == ErrorCode::random_source_failed);
  }
}

TEST_CASE("threads share a key", "[private-key]") {
  for (const KeyType type : {KeyType::rsa2048, KeyType::p256, KeyType::ed25519, KeyType::mldsa65}) {
    if (!test::is_available(type))
      continue;
    const test::Key stored = test::Key::cached(type);
    const auto key = PrivateKey::from_der(stored.pkcs8_der()).value();
    const SignatureScheme scheme = key.schemes().front();
    test::FixedRng rng;
    std::array<bool, 4> good{};
    {
      std::vector<std::jthread> threads;
      for (bool& result : good)
        threads.emplace_back([&key, &rng, &result, scheme] {
          bool all = true;
          for (int i = 0; i < 5; ++i) {
            const auto signature = key.sign(scheme, message(), rng);
            all = all && signature && key.public_key().verify(scheme, message(), *signature);
          }
          result = all;
        });
    }
    CHECK(std::all_of(good.begin(), good.end(), [](bool result) { return result; }));
  }
}
