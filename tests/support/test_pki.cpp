// Certificates are encoded field by field: tests need some that no certificate authority would issue.
#include "test_pki.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>

#include <botan/asn1_obj.h>
#include <botan/asn1_time.h>
#include <botan/bigint.h>
#include <botan/der_enc.h>
#include <botan/ec_group.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/hash.h>
#if defined(BOTAN_HAS_ML_DSA)
#include <botan/ml_dsa.h>
#endif
#include <botan/pem.h>
#include <botan/pkcs8.h>
#include <botan/pkix_types.h>
#include <botan/pss_params.h>
#include <botan/pubkey.h>
#include <botan/rsa.h>
#include <botan/system_rng.h>
#include <botan/x509_obj.h>

namespace test {

namespace {

using Botan::AlgorithmIdentifier;
using Botan::ASN1_Class;
using Botan::ASN1_Type;
using Botan::DER_Encoder;
using Botan::OID;

Botan::RandomNumberGenerator& rng() { return Botan::system_rng(); }

bool is_pss(KeyType type) { return type == KeyType::rsa_pss2048 || type == KeyType::rsa_pss2048_sha256; }

bool is_rsa(KeyType type) {
  return type == KeyType::rsa1024 || type == KeyType::rsa2048 || type == KeyType::rsa3072 || is_pss(type);
}

bool is_ml_dsa(KeyType type) {
  return type == KeyType::mldsa44 || type == KeyType::mldsa65 || type == KeyType::mldsa87;
}

std::shared_ptr<Botan::Private_Key> make_ml_dsa_key([[maybe_unused]] const char* parameters) {
#if defined(BOTAN_HAS_ML_DSA)
  return std::make_shared<Botan::ML_DSA_PrivateKey>(rng(), Botan::ML_DSA_Mode(parameters));
#else
  throw std::logic_error("this program's Botan was built without ML-DSA");
#endif
}

std::shared_ptr<Botan::Private_Key> make_key(KeyType type) {
  const auto ec = [](const char* curve) {
    return std::make_shared<Botan::ECDSA_PrivateKey>(rng(), Botan::EC_Group::from_name(curve));
  };
  switch (type) {
  case KeyType::p256:
    return ec("secp256r1");
  case KeyType::p384:
    return ec("secp384r1");
  case KeyType::p521:
    return ec("secp521r1");
  case KeyType::rsa1024:
    return std::make_shared<Botan::RSA_PrivateKey>(rng(), 1024);
  case KeyType::rsa2048:
  case KeyType::rsa_pss2048:
  case KeyType::rsa_pss2048_sha256:
    return std::make_shared<Botan::RSA_PrivateKey>(rng(), 2048);
  case KeyType::rsa3072:
    return std::make_shared<Botan::RSA_PrivateKey>(rng(), 3072);
  case KeyType::ed25519:
    return std::make_shared<Botan::Ed25519_PrivateKey>(rng());
  case KeyType::ed448:
    return std::make_shared<Botan::Ed448_PrivateKey>(rng());
  case KeyType::mldsa44:
    return make_ml_dsa_key("ML-DSA-4x4");
  case KeyType::mldsa65:
    return make_ml_dsa_key("ML-DSA-6x5");
  case KeyType::mldsa87:
    return make_ml_dsa_key("ML-DSA-8x7");
  }
  throw std::logic_error("unknown key type");
}

// Botan writes RSA keys as rsaEncryption; the other object identifier has to be put around them by hand.
AlgorithmIdentifier pss_identifier(KeyType type) {
  const OID oid("1.2.840.113549.1.1.10");
  if (type == KeyType::rsa_pss2048_sha256)
    return {oid, Botan::PSS_Params("SHA-256", 32).serialize()};
  return {oid, Blob()};
}

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> counter{0x1000};
  return counter.fetch_add(1);
}

Botan::ASN1_Time asn1_time(std::int64_t seconds) {
  if (seconds < 0)
    throw std::logic_error("test certificates begin in 1970");
  return Botan::ASN1_Time::from_seconds_since_epoch(static_cast<std::uint64_t>(seconds));
}

Blob key_id(const Key& key) {
  auto digest = Botan::HashFunction::create_or_throw("SHA-256")->process<std::vector<std::uint8_t>>(key.public_der());
  digest.resize(20);
  return digest;
}

void add_extension(DER_Encoder& to, const OID& oid, bool critical, const Blob& value) {
  to.start_sequence().encode(oid);
  if (critical)
    to.encode(true);
  to.encode(value, ASN1_Type::OctetString).end_cons();
}

Blob address_bytes(const std::string& text) {
  Blob bytes(16);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    bytes.resize(4);
    return bytes;
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1)
    return bytes;
  throw std::logic_error("not an IP address: " + text);
}

Blob general_names(const CertOptions& options) {
  Blob out;
  DER_Encoder names(out);
  names.start_sequence();
  for (const std::string& name : options.dns)
    names.add_object(ASN1_Type(2), ASN1_Class::ContextSpecific, name);
  for (const std::string& text : options.ip)
    names.add_object(ASN1_Type(7), ASN1_Class::ContextSpecific, address_bytes(text));
  names.end_cons();
  return out;
}

Blob name_constraints(const CertOptions& options) {
  Blob out;
  DER_Encoder to(out);
  to.start_sequence();
  const auto subtrees = [&to](std::uint32_t tag, const std::vector<std::string>& names) {
    if (names.empty())
      return;
    to.start_context_specific(tag);
    for (const std::string& name : names)
      to.start_sequence().add_object(ASN1_Type(2), ASN1_Class::ContextSpecific, name).end_cons();
    to.end_cons();
  };
  subtrees(0, options.permitted_dns);
  subtrees(1, options.excluded_dns);
  to.end_cons();
  return out;
}

// RFC 5280, 4.2.1.3: a BIT STRING without trailing zero bits.
Blob key_usage_bits(std::uint32_t bits) {
  std::uint8_t unused = 0;
  while (unused < 7 && (bits & (1U << (8 + unused))) == 0)
    ++unused;
  return {0x03, 0x02, unused, static_cast<std::uint8_t>(bits >> 8)};
}

Blob distinguished_name(const CertOptions& options) {
  Botan::X509_DN name;
  name.add_attribute("X520.CommonName", options.common_name);
  if (!options.organization.empty())
    name.add_attribute("X520.Organization", options.organization);
  return name.DER_encode();
}

Key choose_key(const CertOptions& options) {
  if (options.key)
    return *options.key;
  if (is_rsa(options.key_type))
    return Key::cached(options.key_type, options.ca ? 1 : 0);
  return Key::fresh(options.key_type);
}

std::unique_ptr<Botan::PK_Signer> signer_for(const Key& key, const CertOptions& options) {
  switch (key.type()) {
  case KeyType::ed25519:
  case KeyType::ed448:
    return Botan::X509_Object::choose_sig_format(*key.botan(), rng(), "", "Pure");
  case KeyType::mldsa44:
  case KeyType::mldsa65:
  case KeyType::mldsa87:
    return Botan::X509_Object::choose_sig_format(*key.botan(), rng(), "", "");
  default:
    break;
  }
  std::string hash = options.hash;
  if (hash.empty())
    hash = key.type() == KeyType::p384 ? "SHA-384" : key.type() == KeyType::p521 ? "SHA-512" : "SHA-256";
  std::string padding = options.padding;
  if (padding.empty() && is_pss(key.type()))
    padding = "PSS";
  return Botan::X509_Object::choose_sig_format(*key.botan(), rng(), hash, padding);
}

void add_usual_extensions(DER_Encoder& to, const CertOptions& options, const Key& key, const Key& signing_key) {
  if (options.ca) {
    Blob value;
    DER_Encoder constraints(value);
    constraints.start_sequence().encode(true);
    if (options.path_length)
      constraints.encode(*options.path_length);
    constraints.end_cons();
    add_extension(to, OID({2, 5, 29, 19}), true, value);
  }
  const std::uint32_t usage = options.key_usage.value_or(options.ca ? std::uint32_t{key_cert_sign | crl_sign}
                                                                    : std::uint32_t{digital_signature});
  if (usage != 0)
    add_extension(to, OID({2, 5, 29, 15}), true, key_usage_bits(usage));
  const auto purposes = options.extended_key_usage.value_or(options.ca ? std::vector<std::string>()
                                                                       : std::vector<std::string>{"PKIX.ServerAuth"});
  if (!purposes.empty()) {
    Blob value;
    DER_Encoder list(value);
    list.start_sequence();
    for (const std::string& purpose : purposes)
      list.encode(OID::from_string(purpose));
    list.end_cons();
    add_extension(to, OID({2, 5, 29, 37}), false, value);
  }
  if (!options.dns.empty() || !options.ip.empty())
    add_extension(to, OID({2, 5, 29, 17}), false, general_names(options));
  if (!options.permitted_dns.empty() || !options.excluded_dns.empty())
    add_extension(to, OID({2, 5, 29, 30}), true, name_constraints(options));
  if (options.key_ids) {
    Blob own;
    DER_Encoder(own).encode(options.own_key_id.value_or(key_id(key)), ASN1_Type::OctetString);
    add_extension(to, OID({2, 5, 29, 14}), false, own);
    Blob above;
    DER_Encoder(above)
        .start_sequence()
        .add_object(ASN1_Type(0), ASN1_Class::ContextSpecific, options.issuer_key_id.value_or(key_id(signing_key)))
        .end_cons();
    add_extension(to, OID({2, 5, 29, 35}), false, above);
  }
}

} // namespace

Blob shake256(const Blob& input, std::size_t length) {
  return Botan::HashFunction::create_or_throw("SHAKE-256(" + std::to_string(8 * length) + ")")
      ->process<std::vector<std::uint8_t>>(input);
}

Blob der(std::uint8_t tag, std::initializer_list<Blob> contents) {
  std::size_t size = 0;
  for (const Blob& part : contents)
    size += part.size();
  Blob out{tag};
  if (size >= 0x80) {
    const unsigned count = size < 0x100 ? 1 : size < 0x10000 ? 2 : 3;
    out.push_back(static_cast<std::uint8_t>(0x80 | count));
    for (unsigned i = count; i > 0; --i)
      out.push_back(static_cast<std::uint8_t>(size >> (8 * (i - 1))));
  } else {
    out.push_back(static_cast<std::uint8_t>(size));
  }
  for (const Blob& part : contents)
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

Blob der_text(std::uint8_t tag, std::string_view text) { return der(tag, Blob(text.begin(), text.end())); }

Blob der_oid(const std::string& dotted) {
  Blob out;
  DER_Encoder(out).encode(OID(dotted));
  return out;
}

Blob der_extension(const std::string& oid, bool critical, const Blob& value) {
  return der(0x30, {der_oid(oid), critical ? Blob{0x01, 0x01, 0xFF} : Blob{}, der(0x04, value)});
}

Blob der_name(const std::vector<std::string>& common_names, std::uint8_t string_type) {
  Blob all;
  for (const std::string& name : common_names) {
    const Blob one = der(0x31, der(0x30, {der_oid("2.5.4.3"), der_text(string_type, name)}));
    all.insert(all.end(), one.begin(), one.end());
  }
  return der(0x30, all);
}

Blob constraints(const std::vector<Blob>& permitted, const std::vector<Blob>& excluded) {
  const auto list = [](std::uint8_t tag, const std::vector<Blob>& bases) {
    Blob all;
    for (const Blob& base : bases) {
      const Blob one = der(0x30, base);
      all.insert(all.end(), one.begin(), one.end());
    }
    return bases.empty() ? Blob() : der(tag, all);
  };
  return der(0x30, {list(0xA0, permitted), list(0xA1, excluded)});
}

std::string pem_block(std::string_view label, const Blob& der) { return Botan::PEM_Code::encode(der, label); }

bool is_available([[maybe_unused]] KeyType type) {
#if defined(BOTAN_HAS_ML_DSA)
  return true;
#else
  return !is_ml_dsa(type);
#endif
}

Key Key::cached(KeyType type, unsigned index) {
  static std::mutex mutex;
  static std::map<std::pair<KeyType, unsigned>, std::shared_ptr<Botan::Private_Key>> keys;
  const std::lock_guard lock(mutex);
  // The three kinds of 2048 bits share their keys: only what stands around them differs.
  const KeyType same = is_pss(type) ? KeyType::rsa2048 : type;
  auto& slot = keys[{same, index}];
  if (!slot)
    slot = make_key(same);
  return {type, slot};
}

Key Key::fresh(KeyType type) { return {type, make_key(type)}; }

Blob Key::pkcs8_der() const {
  // RFC 9881, 6: the seed has the tag [0]. Botan writes it without any.
  if (is_ml_dsa(type_)) {
    const auto seed = key_->private_key_bits();
    const auto algorithm = key_->algorithm_identifier().BER_encode();
    return test::der(0x30, {Blob{0x02, 0x01, 0x00}, Blob(algorithm.begin(), algorithm.end()),
                            test::der(0x04, test::der(0x80, Blob(seed.begin(), seed.end())))});
  }
  if (!is_pss(type_)) {
    const auto der = Botan::PKCS8::BER_encode(*key_);
    return {der.begin(), der.end()};
  }
  Blob out;
  DER_Encoder(out)
      .start_sequence()
      .encode(std::size_t{0})
      .encode(pss_identifier(type_))
      .encode(key_->private_key_bits(), ASN1_Type::OctetString)
      .end_cons();
  return out;
}

std::string Key::pkcs8_pem() const { return pem_block("PRIVATE KEY", pkcs8_der()); }

Blob Key::public_der() const {
  if (!is_pss(type_))
    return key_->subject_public_key();
  Blob out;
  DER_Encoder(out)
      .start_sequence()
      .encode(pss_identifier(type_))
      .encode(key_->public_key_bits(), ASN1_Type::BitString)
      .end_cons();
  return out;
}

Blob Key::sign(std::string_view padding, const Blob& message) const {
  const bool ecdsa = type_ == KeyType::p256 || type_ == KeyType::p384 || type_ == KeyType::p521;
  Botan::PK_Signer signer(*key_, rng(), padding,
                          ecdsa ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard);
  return signer.sign_message(message, rng());
}

struct Identity::Impl {
  Key key;
  std::string common_name;
  std::string organization;
  Blob name;
  Blob der;
  std::shared_ptr<const Impl> issuer; // null: self-signed
};

Identity Identity::mint(const CertOptions& options, const std::shared_ptr<const Impl>& issuer) {
  const Key key = choose_key(options);
  const Key& signing_key = issuer ? issuer->key : key;
  const Blob subject = options.subject_name.value_or(distinguished_name(options));
  const Blob issuer_name = options.issuer_name.value_or(issuer ? issuer->name : subject);
  const auto signer = signer_for(signing_key, options);
  const Blob algorithm = options.algorithm.value_or(signer->algorithm_identifier().BER_encode());

  Blob tbs;
  DER_Encoder to(tbs);
  to.start_sequence();
  if (!options.version1 && options.version != 1)
    to.start_explicit(0).encode(std::size_t{options.version - 1}).end_explicit();
  if (options.serial_bytes)
    to.raw_bytes(test::der(0x02, *options.serial_bytes));
  else
    to.encode(Botan::BigInt::from_u64(options.serial ? *options.serial : next_serial()));
  to.raw_bytes(algorithm).raw_bytes(issuer_name).start_sequence();
  if (options.validity)
    to.raw_bytes(*options.validity);
  else
    to.encode(asn1_time(options.not_before))
        .encode(options.not_after_text.empty() ? asn1_time(options.not_after)
                                               : Botan::ASN1_Time(options.not_after_text, ASN1_Type::GeneralizedTime));
  to.end_cons().raw_bytes(subject).raw_bytes(options.public_key ? *options.public_key : key.public_der());

  if (options.extension_list) {
    to.start_explicit(3).start_sequence().raw_bytes(*options.extension_list).end_cons().end_explicit();
  } else if (!options.version1) {
    to.start_explicit(3).start_sequence();
    if (!options.only_these_extensions)
      add_usual_extensions(to, options, key, signing_key);
    for (const RawExtension& extension : options.extensions)
      add_extension(to, OID::from_string(extension.oid), extension.critical, extension.value);
    to.end_cons().end_explicit();
  }
  to.end_cons();

  const Blob signature = signer->sign_message(tbs, rng());
  Blob whole =
      test::der(0x30, {tbs, options.outer_algorithm.value_or(algorithm), test::der(0x03, {Blob{0x00}, signature})});
  if (options.break_signature)
    whole[whole.size() - 1] ^= 1;
  return Identity(std::make_shared<const Impl>(
      Impl{key, options.common_name, options.organization, subject, std::move(whole), issuer}));
}

Identity self_signed(const CertOptions& options) { return Identity::mint(options, nullptr); }

Identity Identity::issue(const CertOptions& options) const { return mint(options, impl_); }

Identity Identity::cross_signed_by(const Identity& issuer, CertOptions options) const {
  options.key = impl_->key;
  options.common_name = impl_->common_name;
  options.organization = impl_->organization;
  return mint(options, issuer.impl_);
}

const Key& Identity::key() const noexcept { return impl_->key; }

const Blob& Identity::der() const noexcept { return impl_->der; }

std::string Identity::pem() const { return pem_block("CERTIFICATE", der()); }

std::vector<Blob> Identity::chain_der(bool with_root) const {
  std::vector<Blob> chain{impl_->der};
  for (auto above = impl_->issuer; above; above = above->issuer)
    if (above->issuer || with_root)
      chain.push_back(above->der);
  return chain;
}

std::string Identity::chain_pem(bool with_root) const {
  std::string text;
  for (const Blob& der : chain_der(with_root))
    text += pem_block("CERTIFICATE", der);
  return text;
}

} // namespace test
