// A public-key infrastructure for tests: keys and certificates that are minted while the test runs.
//
//   auto root = test::self_signed({.common_name = "Root", .ca = true});
//   auto ca   = root.issue({.common_name = "Issuing CA", .ca = true, .path_length = 0});
//   auto leaf = ca.issue({.common_name = "demo", .dns = {"demo.tlsconnect.test"}, .ip = {"127.0.0.1"}});
//   leaf.chain_der();   // what a server sends: the leaf and the CA, without the root
//   leaf.key_pem();     // the leaf's key, PKCS #8
//   root.pem();         // what a client trusts
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace Botan {
class Private_Key;
}

namespace test {

using Blob = std::vector<std::uint8_t>;

/// The time at which certificates are valid when a test does not say otherwise: 2026-06-01T00:00:00Z.
inline constexpr std::int64_t now = 1'780'272'000;
inline constexpr std::int64_t day = 86'400;

enum class KeyType : std::uint8_t {
  p256,
  p384,
  p521,
  rsa1024,
  rsa2048,
  rsa3072,
  rsa_pss2048,        ///< id-RSASSA-PSS without parameters
  rsa_pss2048_sha256, ///< id-RSASSA-PSS, parameters: SHA-256, MGF1 with SHA-256, 32 bytes of salt
  ed25519,
  ed448,
  mldsa44, ///< see is_available
  mldsa65,
  mldsa87,
};

/// Whether this program's Botan has keys of the type: it may have been built without ML-DSA.
[[nodiscard]] bool is_available(KeyType type);

/// A private key; cheap to copy.
class Key {
public:
  /// The key number `index` of its type, made on first use and kept for the life of the process (RSA keys are slow).
  [[nodiscard]] static Key cached(KeyType type, unsigned index = 0);
  /// A new key.
  [[nodiscard]] static Key fresh(KeyType type);

  [[nodiscard]] KeyType type() const noexcept { return type_; }
  /// PKCS #8 PrivateKeyInfo, not encrypted.
  [[nodiscard]] Blob pkcs8_der() const;
  [[nodiscard]] std::string pkcs8_pem() const;
  /// SubjectPublicKeyInfo.
  [[nodiscard]] Blob public_der() const;
  /// For signing with Botan. Keys of id-RSASSA-PSS are plain RSA keys here.
  [[nodiscard]] std::shared_ptr<Botan::Private_Key> botan() const noexcept { return key_; }
  /// Signs with Botan's name of a padding ("SHA-256", "PSS(SHA-256,MGF1,32)", "Pure"), which ML-DSA does not have; ECDSA
  /// signatures are DER.
  [[nodiscard]] Blob sign(std::string_view padding, const Blob& message) const;

private:
  Key(KeyType type, std::shared_ptr<Botan::Private_Key> key) : type_(type), key_(std::move(key)) {}
  KeyType type_;
  std::shared_ptr<Botan::Private_Key> key_;
};

/// Bits of keyUsage (RFC 5280, 4.2.1.3).
enum : std::uint32_t {
  digital_signature = 1U << 15,
  key_encipherment = 1U << 13,
  key_agreement = 1U << 11,
  key_cert_sign = 1U << 10,
  crl_sign = 1U << 9,
};

struct RawExtension {
  std::string oid; ///< dotted, or a name that Botan knows
  bool critical = false;
  Blob value; ///< DER, without the OCTET STRING around it
};

/// What a certificate says. Everything has a default that makes a valid certificate.
struct CertOptions {
  std::string common_name = "test";
  std::string organization = {};
  KeyType key_type = KeyType::p256;
  /// Instead of a key of `key_type`: this one.
  std::optional<Key> key = {};
  /// Instead of the key's own SubjectPublicKeyInfo: this one, however odd. The key still signs.
  std::optional<Blob> public_key = {};
  std::vector<std::string> dns = {};
  std::vector<std::string> ip = {}; ///< "127.0.0.1", "::1"
  std::int64_t not_before = now - 30 * day;
  std::int64_t not_after = now + 60 * day;
  std::string not_after_text = {}; ///< instead of it, for what seconds since 1970 do not reach: "29991231235959Z"
  bool ca = false;
  std::optional<std::size_t> path_length = {};
  /// Default: keyCertSign and cRLSign for a CA, digitalSignature otherwise. 0: no such extension.
  std::optional<std::uint32_t> key_usage = {};
  /// Dotted, or Botan's names ("PKIX.ServerAuth"). Default: serverAuth, and none for a CA. Empty: no such extension.
  std::optional<std::vector<std::string>> extended_key_usage = {};
  std::vector<std::string> permitted_dns = {}; ///< name constraints
  std::vector<std::string> excluded_dns = {};
  std::string hash = {};                     ///< for the signature; default SHA-256, or as the key needs
  std::string padding = {};                  ///< for the signature of an RSA issuer: "PSS", "PKCS1v15"
  std::optional<std::uint64_t> serial = {};  ///< default: a counter
  bool key_ids = true;                       ///< subjectKeyIdentifier and authorityKeyIdentifier
  bool version1 = false;                     ///< no extensions at all
  bool break_signature = false;              ///< one bit of the signature is flipped
  std::vector<RawExtension> extensions = {}; ///< further ones, as they are

  // What no authority would write.
  bool only_these_extensions = false;       ///< `extensions` and nothing else
  std::optional<Blob> extension_list = {};  ///< instead of all extensions: what the outer SEQUENCE contains
  unsigned version = 3;                     ///< the number alone; extensions are written all the same
  std::optional<Blob> serial_bytes = {};    ///< the contents of the INTEGER
  std::optional<Blob> validity = {};        ///< what the SEQUENCE of the two times contains
  std::optional<Blob> subject_name = {};    ///< Name in DER
  std::optional<Blob> issuer_name = {};     ///< likewise, whoever issues it
  std::optional<Blob> own_key_id = {};      ///< subjectKeyIdentifier, without what is around it
  std::optional<Blob> issuer_key_id = {};   ///< likewise, of authorityKeyIdentifier
  std::optional<Blob> algorithm = {};       ///< AlgorithmIdentifier, whatever the signature is
  std::optional<Blob> outer_algorithm = {}; ///< the one that is not signed
};

/// SHAKE256 (FIPS 202).
[[nodiscard]] Blob shake256(const Blob& input, std::size_t length);

/// DER by hand: a tag, and the contents one after another.
[[nodiscard]] Blob der(std::uint8_t tag, std::initializer_list<Blob> contents);
[[nodiscard]] inline Blob der(std::uint8_t tag, const Blob& contents) { return der(tag, {contents}); }
[[nodiscard]] Blob der_text(std::uint8_t tag, std::string_view text);
/// OBJECT IDENTIFIER, from dots.
[[nodiscard]] Blob der_oid(const std::string& dotted);
/// An Extension.
[[nodiscard]] Blob der_extension(const std::string& oid, bool critical, const Blob& value);
/// A Name with these common names, one after another, as strings of this type (12 is UTF8String).
[[nodiscard]] Blob der_name(const std::vector<std::string>& common_names, std::uint8_t string_type = 12);

/// The value of a nameConstraints extension (RFC 5280, 4.2.1.10) with these bases, GeneralNames each.
[[nodiscard]] Blob constraints(const std::vector<Blob>& permitted, const std::vector<Blob>& excluded);

/// A certificate with its key and what is above it; cheap to copy.
class Identity {
public:
  /// A certificate under this one.
  [[nodiscard]] Identity issue(const CertOptions& options) const;
  /// The name and the key of this certificate in a certificate of another issuer (cross-signing).
  [[nodiscard]] Identity cross_signed_by(const Identity& issuer, CertOptions options) const;

  [[nodiscard]] const Key& key() const noexcept;
  [[nodiscard]] const Blob& der() const noexcept;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] Blob key_der() const { return key().pkcs8_der(); }
  [[nodiscard]] std::string key_pem() const { return key().pkcs8_pem(); }
  /// This certificate, then its issuers; the self-signed root is left out unless asked for (or unless this is it).
  [[nodiscard]] std::vector<Blob> chain_der(bool with_root = false) const;
  [[nodiscard]] std::string chain_pem(bool with_root = false) const;

private:
  friend Identity self_signed(const CertOptions& options);
  struct Impl;
  explicit Identity(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  static Identity mint(const CertOptions& options, const std::shared_ptr<const Impl>& issuer);
  std::shared_ptr<const Impl> impl_;
};

/// A certificate that signs itself: a root with `.ca = true`, a server's own otherwise.
[[nodiscard]] Identity self_signed(const CertOptions& options);

/// "-----BEGIN label-----" and so on.
[[nodiscard]] std::string pem_block(std::string_view label, const Blob& der);

} // namespace test
