// Signatures: algorithms, their parameters, and who made them.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

const Blob null = {0x05, 0x00};
constexpr const char* rsa_sha256 = "1.2.840.113549.1.1.11";
constexpr const char* ecdsa_sha256 = "1.2.840.10045.4.3.2";

Blob algorithm(const char* oid, const Blob& parameters = {}) { return der(0x30, {der_oid(oid), parameters}); }

/// The authority has such a key.
Plan below(KeyType type) {
  Plan p = plan();
  p.authority().key = Key::cached(type);
  return p;
}
Plan hashed(KeyType type, const char* hash, const char* padding = "") {
  Plan p = below(type);
  p.leaf.hash = hash;
  p.leaf.padding = padding;
  return p;
}
Plan named(KeyType type, const Blob& identifier) {
  Plan p = below(type);
  p.leaf.algorithm = identifier;
  return p;
}

void add_places(Area& area) {
  area.pair(
      "the server's certificate is signed", plan(), [](Plan& p) { p.leaf.break_signature = true; }, bad_signature(0));
  area.pair(
      "the authority's certificate is signed", plan(), [](Plan& p) { p.authority().break_signature = true; },
      bad_signature(1));
  area.pair(
      "the upper authority's certificate is signed", plan(2), [](Plan& p) { p.authorities[0].break_signature = true; },
      bad_signature(2));
  area.pair(
      "nothing depends on how the root signed itself", [](Plan& p) { p.root.break_signature = true; },
      [](Plan& p) {
        p.root.break_signature = true;
        p.authority().break_signature = true;
      },
      bad_signature(1));
  // One bit of what was signed.
  Question tampered = plan().question();
  const std::string text = "Server";
  for (std::size_t i = 0; i + text.size() < tampered.chain[0].size(); ++i)
    if (std::string(tampered.chain[0].begin() + static_cast<std::ptrdiff_t>(i),
                    tampered.chain[0].begin() + static_cast<std::ptrdiff_t>(i + text.size())) == text) {
      tampered.chain[0][i] ^= 1;
      break;
    }
  area.pair("what was signed is what stands there", plan().question(), tampered, bad_signature(0));
  Question foreign = plan().question();
  Plan other = plan();
  other.authority().key = Key::cached(KeyType::p256, 60);
  other.root.key_ids = other.authority().key_ids = other.leaf.key_ids = false;
  Plan own = other;
  own.authority().key = Key::cached(KeyType::p256, 61);
  foreign = own.question();
  foreign.chain[0] = other.question().chain[0];
  area.pair("the issuer's key signed, not another one's", other.question(), foreign, bad_signature(0));
}

void add_hashes(Area& area) {
  struct Row {
    const char* what;
    KeyType type;
    const char* padding;
  };
  static constexpr Row rows[] = {
      {"ECDSA", KeyType::p256, ""},
      {"ECDSA of P-384", KeyType::p384, ""},
      {"ECDSA of P-521", KeyType::p521, ""},
      {"RSASSA-PKCS1-v1_5", KeyType::rsa2048, ""},
      {"RSASSA-PSS", KeyType::rsa2048, "PSS"},
      {"RSASSA-PSS of a key for nothing else", KeyType::rsa_pss2048, "PSS"},
  };
  for (const Row& row : rows)
    for (const char* hash : {"SHA-256", "SHA-384", "SHA-512"})
      area.pair(std::string(row.what) + " with " + hash + ", not with SHA-1", hashed(row.type, hash, row.padding),
                hashed(row.type, "SHA-1", row.padding), weak_algorithm(0));
  area.pair(
      "the authority's certificate is not signed with SHA-1", plan(), [](Plan& p) { p.authority().hash = "SHA-1"; },
      weak_algorithm(1));
  area.pair(
      "the upper authority's certificate is not signed with SHA-1", plan(2),
      [](Plan& p) { p.authorities[0].hash = "SHA-1"; }, weak_algorithm(2));
  area.pair(
      "the root may be", [](Plan& p) { p.root.hash = "SHA-1"; },
      [](Plan& p) { p.root.hash = p.authority().hash = "SHA-1"; }, weak_algorithm(1));
}

void add_identifiers(Area& area) {
  const Plan rsa = below(KeyType::rsa2048);
  struct Name {
    const char* what;
    const char* oid;
    bool weak;
  };
  static constexpr Name names[] = {
      {"MD2", "1.2.840.113549.1.1.2", true},
      {"MD4", "1.2.840.113549.1.1.3", true},
      {"MD5", "1.2.840.113549.1.1.4", true},
      {"MD5, by an older name", "1.3.14.3.2.3", true},
      {"SHA-1, by an older name", "1.3.14.3.2.29", true},
      {"DSA with SHA-1", "1.2.840.10040.4.3", true},
      {"DSA with SHA-256", "2.16.840.1.101.3.4.3.2", false},
      {"SHA-224", "1.2.840.113549.1.1.14", false},
      {"something that nobody knows", "1.2.3.4", false},
  };
  for (const Name& name : names)
    area.pair(std::string("SHA-256, not ") + name.what, rsa, named(KeyType::rsa2048, algorithm(name.oid, null)),
              name.weak ? weak_algorithm(0) : odd_algorithm(0));

  // Parameters (RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3).
  area.pair("RSA: NULL or none", named(KeyType::rsa2048, algorithm(rsa_sha256)),
            named(KeyType::rsa2048, algorithm(rsa_sha256, {0x02, 0x01, 0x00})), odd_algorithm(0));
  area.pair("ECDSA: no parameters", plan(), named(KeyType::p256, algorithm(ecdsa_sha256, null)), odd_algorithm(0));
  area.pair("Ed25519: no parameters", below(KeyType::ed25519), named(KeyType::ed25519, algorithm("1.3.101.112", null)),
            odd_algorithm(0));
  area.pair("Ed448: no parameters", below(KeyType::ed448), named(KeyType::ed448, algorithm("1.3.101.113", null)),
            odd_algorithm(0));

  // RSASSA-PSS as TLS has it (RFC 9846, 4.2.3): one hash, a salt of its length.
  const Blob sha256 = der(0x30, {der_oid("2.16.840.1.101.3.4.2.1"), null});
  const Blob sha384 = der(0x30, {der_oid("2.16.840.1.101.3.4.2.2"), null});
  const Blob mgf256 = der(0xA1, der(0x30, {der_oid("1.2.840.113549.1.1.8"), sha256}));
  const Blob mgf384 = der(0xA1, der(0x30, {der_oid("1.2.840.113549.1.1.8"), sha384}));
  const auto pss = [](const std::vector<Blob>& parameters) {
    Plan p = named(KeyType::rsa2048, algorithm("1.2.840.113549.1.1.10", der(0x30, join(parameters))));
    p.leaf.padding = "PSS";
    return p;
  };
  const Blob hash = der(0xA0, sha256);
  const Blob salt = der(0xA2, {0x02, 0x01, 0x20});
  const Question right = pss({hash, mgf256, salt}).question(); // one, as its signatures are random
  const auto wrong = [&](const char* what, const std::vector<Blob>& parameters, Verdict verdict) {
    area.pair(what, right, pss(parameters).question(), std::move(verdict));
  };
  wrong("RSASSA-PSS says with which hash", {}, weak_algorithm(0));
  wrong("RSASSA-PSS has the same hash in its mask", {hash, mgf384, salt}, odd_algorithm(0));
  wrong("RSASSA-PSS has a salt of the length of the hash", {hash, mgf256, der(0xA2, {0x02, 0x01, 0x14})},
        odd_algorithm(0));
  wrong("RSASSA-PSS says how long the salt is", {hash, mgf256}, odd_algorithm(0));
  wrong("RSASSA-PSS has the usual trailer", {hash, mgf256, salt, der(0xA3, {0x02, 0x01, 0x02})}, odd_algorithm(0));
}

void add_kinds(Area& area) {
  area.pair("the algorithm fits the issuer's EC key", plan(), named(KeyType::p256, algorithm(rsa_sha256, null)),
            bad_signature(0));
  area.pair("the algorithm fits the issuer's RSA key", below(KeyType::rsa2048),
            named(KeyType::rsa2048, algorithm(ecdsa_sha256)), bad_signature(0));
  area.pair("the algorithm fits the issuer's Ed25519 key", below(KeyType::ed25519),
            named(KeyType::ed25519, algorithm("1.3.101.113")), bad_signature(0));
  area.pair("the hash is the one that was signed", hashed(KeyType::rsa2048, "SHA-256"),
            named(KeyType::rsa2048, algorithm("1.2.840.113549.1.1.12", null)), bad_signature(0));
  // RFC 4055, 1.2: a key of id-RSASSA-PSS makes no other signatures, and none but with its parameters.
  area.pair("a key for RSASSA-PSS signs with that", hashed(KeyType::rsa_pss2048, "SHA-256", "PSS"),
            hashed(KeyType::rsa_pss2048, "SHA-256", "PKCS1v15"), bad_signature(0));
  area.pair("a key for RSASSA-PSS with SHA-256 signs with that", hashed(KeyType::rsa_pss2048_sha256, "SHA-256", "PSS"),
            hashed(KeyType::rsa_pss2048_sha256, "SHA-384", "PSS"), bad_signature(0));
}

} // namespace

void add_signatures(std::vector<Pair>& to) {
  Area area(to, "signatures");
  add_places(area);
  add_hashes(area);
  add_identifiers(area);
  add_kinds(area);
}

} // namespace corpus
