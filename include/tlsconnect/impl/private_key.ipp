// Private keys with Botan: reading the forms in which they are kept, and signing.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <botan/asn1_obj.h>
#include <botan/base64.h>
#include <botan/ber_dec.h>
#include <botan/bigint.h>
#include <botan/cipher_mode.h>
#include <botan/der_enc.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/exceptn.h>
#include <botan/pubkey.h>
#include <botan/pwdhash.h>
#include <botan/rng.h>
#include <botan/rsa.h>
#include <botan/system_rng.h>
#if defined(BOTAN_HAS_ML_DSA)
#include <botan/xof.h>
#endif

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/inplace_vector.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/private_key.hpp>
#include <tlsconnect/impl/public_key.ipp>

#if !defined(BOTAN_HAS_BASE64_CODEC) || !defined(BOTAN_HAS_MODE_CBC) || !defined(BOTAN_HAS_PBKDF2)
#error "tlsconnect needs a Botan that was built with the modules base64, cbc and pbkdf2"
#endif

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A source of randomness in the form in which Botan takes it.
class BotanRng final : public Botan::RandomNumberGenerator {
public:
  explicit BotanRng(Rng& source) noexcept : source_(source) {}

  /// Whether the source failed; Botan's function has then thrown.
  [[nodiscard]] bool failed() const noexcept { return failed_; }

  [[nodiscard]] bool accepts_input() const override { return false; }
  [[nodiscard]] bool is_seeded() const override { return true; }
  [[nodiscard]] std::string name() const override { return "tlsconnect"; }
  void clear() override {}

private:
  void fill_bytes_with_input(std::span<std::uint8_t> output, std::span<const std::uint8_t>) override {
    if (source_.fill(output))
      return;
    failed_ = true;
    throw Botan::PRNG_Unseeded(name());
  }

  Rng& source_;
  bool failed_ = false;
};

// ---- reading ----

using SecretBytes = Botan::secure_vector<std::uint8_t>;

[[nodiscard]] inline std::unexpected<Error> key_unreadable(std::string reason) {
  return fail(ErrorCode::private_key_unreadable, {}, std::move(reason));
}

/// In which of its forms a private key stands in DER.
enum class KeyForm : std::uint8_t { pkcs8, encrypted_pkcs8, ec, rsa };

/// All of them are a SEQUENCE; what follows tells them apart.
inline std::optional<KeyForm> form_of_key(BytesView der) noexcept {
  const auto outer = only_der(der, der_sequence);
  if (!outer)
    return std::nullopt;
  BytesView rest = outer->contents;
  const auto first = next_der(rest);
  if (!first)
    return std::nullopt;
  if (first->tag == der_sequence)
    return KeyForm::encrypted_pkcs8;
  const auto second = next_der(rest);
  if (first->tag != der_integer || !second)
    return std::nullopt;
  switch (second->tag) {
  case der_sequence:
    return KeyForm::pkcs8;
  case der_octet_string:
    return KeyForm::ec;
  case der_integer:
    return KeyForm::rsa;
  default:
    return std::nullopt;
  }
}

inline Botan::OID rsa_oid() { return Botan::OID({1, 2, 840, 113549, 1, 1, 1}); }
inline Botan::OID ec_oid() { return Botan::OID({1, 2, 840, 10045, 2, 1}); }

/// An algorithm with its key, which PKCS #8 keeps apart.
struct KeyParts {
  Botan::AlgorithmIdentifier algorithm;
  SecretBytes bits;
};

/// PrivateKeyInfo or OneAsymmetricKey (RFC 5958, 2). Throws.
inline KeyParts split_pkcs8(BytesView der) {
  KeyParts parts;
  std::size_t version = 0;
  Botan::BER_Decoder decoder(der, Botan::BER_Decoder::Limits::DER());
  // Attributes and the public key may follow; the public key is calculated.
  decoder.start_sequence()
      .decode(version)
      .decode(parts.algorithm)
      .decode(parts.bits, Botan::ASN1_Type::OctetString)
      .discard_remaining()
      .end_cons();
  decoder.verify_end();
  if (version > 1)
    throw Botan::Decoding_Error("PKCS #8 of an unknown version");
  return parts;
}

/// The work that the parameters in a key file may ask for: about a minute, and a gigabyte of memory.
inline constexpr std::size_t pbkdf2_iterations_max = 100'000'000;
inline constexpr std::size_t scrypt_cost_max = std::size_t{1} << 20;

/// The key of PBES2 from a password (RFC 8018, 5.2 and RFC 7914, 7). Throws.
inline Result<SecretBytes> password_key(const Botan::AlgorithmIdentifier& function, std::string_view password,
                                        std::size_t length) {
  const std::string oid = function.oid().to_string();
  Botan::BER_Decoder decoder(function.parameters(), Botan::BER_Decoder::Limits::DER());
  Botan::BER_Decoder parameters = decoder.start_sequence();
  std::vector<std::uint8_t> salt;
  parameters.decode(salt, Botan::ASN1_Type::OctetString);
  std::unique_ptr<Botan::PasswordHash> hash;
  std::size_t stated_length = length;
  if (oid == "1.2.840.113549.1.5.12") { // id-PBKDF2
    std::size_t iterations = 0;
    parameters.decode(iterations);
    parameters.decode_optional(stated_length, Botan::ASN1_Type::Integer, Botan::ASN1_Class::Universal, length);
    std::string mac = "HMAC(SHA-1)"; // RFC 8018, A.2: the default
    if (parameters.more_items()) {
      Botan::AlgorithmIdentifier pseudorandom;
      parameters.decode(pseudorandom);
      mac = pseudorandom.oid().to_formatted_string();
    }
    if (iterations == 0 || iterations > pbkdf2_iterations_max)
      return key_unreadable("the key is encrypted with " + std::to_string(iterations) + " iterations of PBKDF2");
    if (const auto family = Botan::PasswordHashFamily::create("PBKDF2(" + mac + ")"))
      hash = family->from_params(iterations);
  } else if (oid == "1.3.6.1.4.1.11591.4.11") { // id-scrypt
    std::size_t cost = 0;
    std::size_t block = 0;
    std::size_t parallel = 0;
    parameters.decode(cost).decode(block).decode(parallel);
    parameters.decode_optional(stated_length, Botan::ASN1_Type::Integer, Botan::ASN1_Class::Universal, length);
    if (cost < 2 || cost > scrypt_cost_max || (cost & (cost - 1)) != 0 || block == 0 || block > 8 || parallel == 0 ||
        parallel > 16)
      return key_unreadable("the key is encrypted with parameters of scrypt out of the usual range");
    if (const auto family = Botan::PasswordHashFamily::create("Scrypt"))
      hash = family->from_params(cost, block, parallel);
  }
  if (!hash)
    return key_unreadable("the key is encrypted with a password function that is not supported: " +
                          function.oid().to_formatted_string());
  parameters.end_cons();
  if (stated_length != length)
    return key_unreadable("the key is encrypted in a damaged way: the length of the cipher's key is wrong");
  SecretBytes key(length);
  hash->hash(key, password, salt);
  return key;
}

/// EncryptedPrivateKeyInfo (RFC 5958, 3) with PBES2 (RFC 8018, 6.2). Botan's own function tells nothing of the
/// algorithm that stands inside, which makes the difference between RSA and RSASSA-PSS. Throws.
inline Result<KeyParts> decrypt_pkcs8(BytesView der, std::string_view password) {
  Botan::AlgorithmIdentifier method;
  SecretBytes text;
  Botan::BER_Decoder decoder(der, Botan::BER_Decoder::Limits::DER());
  decoder.start_sequence().decode(method).decode(text, Botan::ASN1_Type::OctetString).end_cons();
  if (method.oid().to_string() != "1.2.840.113549.1.5.13") // id-PBES2
    return key_unreadable("the key is encrypted in an outdated way (" + method.oid().to_formatted_string() +
                          "); \"openssl pkcs8 -topk8\" brings it into today's form");
  if (password.empty())
    return key_unreadable("the key is encrypted, and the password is missing");

  Botan::AlgorithmIdentifier function;
  Botan::AlgorithmIdentifier encryption;
  std::vector<std::uint8_t> iv;
  Botan::BER_Decoder inner(method.parameters(), Botan::BER_Decoder::Limits::DER());
  inner.start_sequence().decode(function).decode(encryption).end_cons();
  inner.verify_end();

  const std::string name = encryption.oid().to_formatted_string();
  const std::size_t length = name == "AES-128/CBC" ? 16 : name == "AES-192/CBC" ? 24 : name == "AES-256/CBC" ? 32 : 0;
  if (length == 0)
    return key_unreadable("the key is encrypted with a cipher that is not supported: " + name +
                          "; \"openssl pkcs8 -topk8\" brings it into today's form");
  Botan::BER_Decoder iv_decoder(encryption.parameters(), Botan::BER_Decoder::Limits::DER());
  iv_decoder.decode(iv, Botan::ASN1_Type::OctetString);
  iv_decoder.verify_end();

  auto key = password_key(function, password, length);
  if (!key)
    return std::unexpected(std::move(key).error());
  const auto cipher = Botan::Cipher_Mode::create_or_throw(name, Botan::Cipher_Dir::Decryption);
  cipher->set_key(*key);
  cipher->start(iv);
  try {
    cipher->finish(text);
    return split_pkcs8(text);
  } catch (const Botan::Exception&) {
    // Nothing in the format tells a wrong password from a damaged file.
    return key_unreadable("the password is wrong, or the key is damaged");
  }
}

/// The parts of an ECPrivateKey, in which the curve may stand behind the key (RFC 5915, 3). Throws.
inline Result<KeyParts> split_ec(BytesView der) {
  const auto outer = only_der(der, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  constexpr std::uint8_t parameters = 0xA0; // [0]
  while (const auto item = next_der(rest))
    if (item->tag == parameters)
      return KeyParts{{ec_oid(), to_vector(item->contents)}, {der.begin(), der.end()}};
  return key_unreadable("an EC PRIVATE KEY that does not state its curve");
}

/// The parts of a key, out of whichever form. Throws.
inline Result<KeyParts> split_key(KeyForm form, BytesView der, std::string_view password) {
  switch (form) {
  case KeyForm::pkcs8:
    return split_pkcs8(der);
  case KeyForm::encrypted_pkcs8:
    return decrypt_pkcs8(der, password);
  case KeyForm::ec:
    return split_ec(der);
  case KeyForm::rsa:
    break;
  }
  return KeyParts{{rsa_oid(), Botan::AlgorithmIdentifier::USE_NULL_PARAM}, {der.begin(), der.end()}};
}

inline constexpr std::size_t mldsa_seed_length = 32;

/// The length of what an ML-DSA seed is expanded to, in bytes (FIPS 204, table 2).
inline std::size_t mldsa_expanded_length(KeyKind kind) noexcept {
  return kind == KeyKind::mldsa44 ? 2560 : kind == KeyKind::mldsa65 ? 4032 : 4896;
}

struct MldsaParts {
  BytesView seed;
  BytesView expanded; ///< empty when it is not there
};

/// An ML-DSA private key is a seed, what FIPS 204 expands it to, or both (RFC 9881, 6). Botan takes the seed.
inline Result<MldsaParts> split_mldsa(KeyKind kind, BytesView bits) {
  // That is how Botan itself writes it: nothing around it. No other form is as short.
  if (bits.size() == mldsa_seed_length)
    return MldsaParts{bits, {}};
  if (const auto seed = only_der(bits, der_context_0); seed && seed->contents.size() == mldsa_seed_length)
    return MldsaParts{seed->contents, {}};
  if (only_der(bits, der_octet_string))
    return key_unreadable(std::string(name_of(kind)) +
                          " without its seed, in the expanded form alone (RFC 9881, 6), which is not supported");
  if (const auto both = only_der(bits, der_sequence)) {
    BytesView rest = both->contents;
    const auto seed = next_der(rest);
    const auto expanded = only_der(rest, der_octet_string);
    if (seed && seed->tag == der_octet_string && seed->contents.size() == mldsa_seed_length && expanded &&
        expanded->contents.size() == mldsa_expanded_length(kind))
      return MldsaParts{seed->contents, expanded->contents};
  }
  return key_unreadable("what should be a key of type " + std::string(name_of(kind)) + " is none (RFC 9881, 6)");
}

/// Throws.
inline Result<std::unique_ptr<Botan::Private_Key>> load_mldsa_private_key(KeyKind kind, const KeyParts& parts) {
  const Result<MldsaParts> halves = split_mldsa(kind, parts.bits);
  if (!halves)
    return std::unexpected(halves.error());
#if defined(BOTAN_HAS_ML_DSA)
  auto key = std::make_unique<Botan::ML_DSA_PrivateKey>(parts.algorithm, halves->seed);
  // RFC 9881, 8.2: a seed and an expanded key that do not go together are refused. The expanded one begins with what also
  // begins the public key (32 bytes), 32 bytes for signing, and a hash of the whole public key (FIPS 204, algorithm 24);
  // so it is of the same pair. Nothing else of it is used.
  if (!halves->expanded.empty()) {
    const std::vector<std::uint8_t> public_bits = key->public_key_bits();
    std::array<std::uint8_t, 64> hash;
    const auto shake = Botan::XOF::create_or_throw("SHAKE-256");
    shake->update(public_bits);
    shake->output(hash);
    if (!equal(halves->expanded.first(32), BytesView(public_bits).first(32)) ||
        !equal(halves->expanded.subspan(64, 64), hash))
      return key_unreadable("its seed and its expanded key do not belong together");
  }
  return key;
#else
  return key_unreadable(std::string(name_of(kind)) + ", which this program's Botan was built without");
#endif
}

/// Botan's key; null for an algorithm that TLS does not sign with. Throws.
inline Result<std::unique_ptr<Botan::Private_Key>> load_private_key(const KeyParts& parts) {
  const Botan::OID& oid = parts.algorithm.oid();
  if (const KeyKind kind = kind_of_key(parts.algorithm); mldsa_key_length(kind) != 0)
    return load_mldsa_private_key(kind, parts);
  if (oid == ec_oid())
    return std::make_unique<Botan::ECDSA_PrivateKey>(parts.algorithm, parts.bits);
  if (oid == rsa_oid() || oid == Botan::OID({1, 2, 840, 113549, 1, 1, 10})) // id-RSASSA-PSS
    return std::make_unique<Botan::RSA_PrivateKey>(parts.algorithm, parts.bits);
  if (oid == Botan::OID({1, 3, 101, 112}))
    return std::make_unique<Botan::Ed25519_PrivateKey>(parts.algorithm, parts.bits);
  if (oid == Botan::OID({1, 3, 101, 113}))
    return std::make_unique<Botan::Ed448_PrivateKey>(parts.algorithm, parts.bits);
  return nullptr;
}

/// The SubjectPublicKeyInfo that goes with a private key. Botan takes every RSA key for one of rsaEncryption, so the
/// identifier of RSASSA-PSS, with its parameters, is put around the key here. Throws.
inline ByteVector spki_of(const Botan::Private_Key& key, const Botan::AlgorithmIdentifier& algorithm) {
  if (kind_of_key(algorithm) != KeyKind::rsa_pss)
    return key.subject_public_key();
  ByteVector spki;
  Botan::DER_Encoder(spki)
      .start_sequence()
      .encode(algorithm)
      .encode(key.public_key_bits(), Botan::ASN1_Type::BitString)
      .end_cons();
  return spki;
}

/// How many bits an RSA modulus needs for a scheme: RSASSA-PSS takes two hashes, two bytes and nearly a bit (RFC 8017,
/// 9.1.1), RSASSA-PKCS1-v1_5 a hash, its name of 19 bytes and 11 bytes of padding (9.2).
constexpr std::size_t rsa_bits_needed(const SchemeRule& rule) noexcept {
  return signs_tls13(rule.scheme) ? 8 * (2 * rule.hash_length + 1) + 2 : 8 * (rule.hash_length + 19 + 11 - 1) + 1;
}

inline constexpr std::size_t schemes_of_a_key_max = 6;

} // namespace detail

struct PrivateKey::Impl {
  PublicKey public_key;
  detail::KeyKind kind;
  std::unique_ptr<const Botan::Private_Key> key;
  InplaceVector<SignatureScheme, detail::schemes_of_a_key_max> schemes;

  /// Reads, checks and prepares a key. Throws.
  [[nodiscard]] static Result<PrivateKey> load(detail::KeyForm form, BytesView der, std::string_view password) {
    const auto parts = detail::split_key(form, der, password);
    if (!parts)
      return std::unexpected(parts.error());
    Result<std::unique_ptr<Botan::Private_Key>> loaded = detail::load_private_key(*parts);
    if (!loaded)
      return std::unexpected(std::move(loaded).error());
    std::unique_ptr<Botan::Private_Key> key = std::move(*loaded);
    // The check also sees to it that everything is calculated that Botan calculates on first use: threads may then
    // share the key.
    if (key && !key->check_key(Botan::system_rng(), false))
      return detail::key_unreadable("its private and its public part do not belong together");
    std::optional<PublicKey> public_key;
    if (key) {
      auto made = PublicKey::from_spki(detail::spki_of(*key, parts->algorithm));
      if (!made)
        return std::unexpected(std::move(made).error());
      public_key = std::move(*made);
    }

    InplaceVector<SignatureScheme, detail::schemes_of_a_key_max> usable;
    const detail::KeyKind kind = detail::kind_of_key(parts->algorithm);
    const bool rsa = kind == detail::KeyKind::rsa || kind == detail::KeyKind::rsa_pss;
    // RFC 9846, 4.2.3: TLS 1.2 leaves open which hash goes with a curve; the one of TLS 1.3 comes first.
    for (const bool other_curves : {false, true})
      for (const detail::SchemeRule& rule : detail::scheme_rules) {
        if (!public_key)
          continue;
        const bool fits = public_key->fits(rule.scheme);
        if (other_curves ? fits || !public_key->fits_tls12(rule.scheme) : !fits)
          continue;
        if (rsa && key->key_length() < detail::rsa_bits_needed(rule))
          continue;
        (void)usable.push_back(rule.scheme);
      }
    if (usable.empty())
      return detail::key_unreadable(
          "TLS does not sign with keys of this algorithm or curve: " +
          (public_key ? public_key->description() : parts->algorithm.oid().to_formatted_string()));
    return PrivateKey(std::make_shared<const Impl>(Impl{std::move(*public_key), kind, std::move(key), usable}));
  }
};

TLSCONNECT_DECL PrivateKey::PrivateKey(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<PrivateKey> PrivateKey::from_pem(std::string_view pem, std::string_view password) noexcept {
  return detail::botan_guard(ErrorCode::private_key_unreadable, {}, [&]() -> Result<PrivateKey> {
    while (const auto block = detail::next_pem_block(pem)) {
      std::optional<detail::KeyForm> form;
      if (block->label == "PRIVATE KEY") // RFC 7468, 10
        form = detail::KeyForm::pkcs8;
      else if (block->label == "ENCRYPTED PRIVATE KEY") // RFC 7468, 11
        form = detail::KeyForm::encrypted_pkcs8;
      else if (block->label == "EC PRIVATE KEY") // RFC 5915, 4
        form = detail::KeyForm::ec;
      else if (block->label == "RSA PRIVATE KEY")
        form = detail::KeyForm::rsa;
      else
        continue;
      if (!block->complete)
        return detail::key_unreadable("the END line of its PEM block is missing");
      if (block->body.find("Proc-Type:") != std::string_view::npos)
        return detail::key_unreadable("the key is encrypted in an outdated way (Proc-Type); \"openssl pkcs8 -topk8\" "
                                      "brings it into today's form");
      detail::SecretBytes der;
      try {
        der = Botan::base64_decode(block->body);
      } catch (const Botan::Exception&) {
        return detail::key_unreadable("what stands in its PEM block is not Base64");
      }
      if (detail::form_of_key(der) != form)
        return detail::key_unreadable("what stands in its PEM block is no " + std::string(block->label));
      return Impl::load(*form, der, password);
    }
    return detail::key_unreadable("there is no private key in the PEM text");
  });
}

TLSCONNECT_DECL Result<PrivateKey> PrivateKey::from_der(BytesView der, std::string_view password) noexcept {
  return detail::botan_guard(ErrorCode::private_key_unreadable, {}, [&]() -> Result<PrivateKey> {
    const auto form = detail::form_of_key(der);
    if (!form)
      return detail::key_unreadable("the bytes are not exactly one private key in DER");
    return Impl::load(*form, der, password);
  });
}

TLSCONNECT_DECL const PublicKey& PrivateKey::public_key() const noexcept { return impl_->public_key; }

TLSCONNECT_DECL std::span<const SignatureScheme> PrivateKey::schemes() const noexcept { return impl_->schemes.view(); }

TLSCONNECT_DECL Result<ByteVector> PrivateKey::sign(SignatureScheme scheme, BytesView message,
                                                    Rng& rng) const noexcept {
  detail::BotanRng source(rng);
  auto signature = detail::botan_guard(ErrorCode::signing_failed, {}, [&]() -> Result<ByteVector> {
    const detail::SchemeRule* rule = detail::rule_of(scheme);
    if (rule == nullptr || !impl_->schemes.contains(scheme))
      return fail(ErrorCode::signing_failed, {},
                  std::string(name_of(scheme)) + " with a key of type " + impl_->public_key.description());
    Botan::PK_Signer signer(*impl_->key, source, rule->padding, detail::signature_format(impl_->kind));
    return signer.sign_message(message, source);
  });
  if (!signature && source.failed())
    return fail(ErrorCode::random_source_failed);
  return signature;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
