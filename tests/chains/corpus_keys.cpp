// The keys of every certificate in a path: kinds, lengths, encodings.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

const Blob null = {0x05, 0x00};
constexpr const char* ec_key = "1.2.840.10045.2.1";
constexpr const char* rsa_key = "1.2.840.113549.1.1.1";
constexpr const char* pss_key = "1.2.840.113549.1.1.10";
constexpr const char* p256_curve = "1.2.840.10045.3.1.7";

Blob hex(const std::string& digits) {
  Blob bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}
/// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
Blob key_info(const Blob& algorithm, const Blob& bits) { return der(0x30, {algorithm, der(0x03, {Blob{0x00}, bits})}); }
Blob algorithm(const char* oid, const Blob& parameters = {}) { return der(0x30, {der_oid(oid), parameters}); }
/// A positive INTEGER; its first byte is below 0x80.
Blob integer(const Blob& bytes) { return der(0x02, bytes); }

/// RSA with a modulus of so many bits, which nobody needs to know the factors of.
Blob rsa(std::size_t bits, const Blob& exponent = {0x01, 0x00, 0x01}, const Blob& info = algorithm(rsa_key, null)) {
  Blob modulus((bits + 7) / 8, 0x5B);
  modulus[0] = static_cast<std::uint8_t>(1U << ((bits - 1) % 8));
  if (modulus[0] == 0x80)
    modulus.insert(modulus.begin(), 0x00);
  return key_info(info, der(0x30, {integer(modulus), integer(exponent)}));
}

/// The generator of a curve is a point as good as any.
Blob p256_point() {
  return hex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
             "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");
}
Blob p256() { return key_info(algorithm(ec_key, der_oid(p256_curve)), p256_point()); }
Blob k256() {
  return key_info(algorithm(ec_key, der_oid("1.3.132.0.10")),
                  hex("0479BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"
                      "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"));
}
Blob p224() {
  return key_info(algorithm(ec_key, der_oid("1.3.132.0.33")),
                  hex("04B70E0CBD6BB4BF7F321390B94A03C1D356C21122343280D6115C1D21"
                      "BD376388B5F723FB4C22DFE6CD4375A05A07476444D5819985007E34"));
}
/// P-256 again, with all of its parameters instead of its name (SEC 1, C.2).
Blob p256_spelled_out() {
  const Blob prime = hex("00FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF");
  const Blob a = hex("FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC");
  const Blob b = hex("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B");
  const Blob order = hex("00FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  const Blob parameters = der(0x30, {Blob{0x02, 0x01, 0x01}, der(0x30, {der_oid("1.2.840.10045.1.1"), integer(prime)}),
                                     der(0x30, {der(0x04, a), der(0x04, b)}), der(0x04, p256_point()), integer(order),
                                     Blob{0x02, 0x01, 0x01}});
  return key_info(algorithm(ec_key, parameters), p256_point());
}
Blob dsa() {
  Blob prime(256, 0x5B);
  prime.insert(prime.begin(), 0x00);
  prime[1] = 0x80;
  Blob order(32, 0x5B);
  order.insert(order.begin(), 0x00);
  order[1] = 0x80;
  return key_info(algorithm("1.2.840.10040.4.1", der(0x30, {integer(prime), integer(order), Blob{0x02, 0x01, 0x04}})),
                  integer(Blob(255, 0x11)));
}

void add_issuers(Area& area) {
  // Each kind of key signs, is signed, and is trusted.
  struct Kind {
    const char* name;
    KeyType type;
  };
  static constexpr Kind kinds[] = {
      {"P-384", KeyType::p384},
      {"P-521", KeyType::p521},
      {"RSA 2048", KeyType::rsa2048},
      {"RSA-PSS", KeyType::rsa_pss2048},
      {"RSA-PSS for SHA-256", KeyType::rsa_pss2048_sha256},
      {"Ed25519", KeyType::ed25519},
      {"Ed448", KeyType::ed448},
  };
  for (const Kind& kind : kinds)
    for (const std::size_t position : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      Plan good = plan();
      good.at(position).key = Key::cached(kind.type);
      Plan bad = good;
      // What the key signed, or who signed the key.
      const std::size_t forged = position == 0 ? 0 : position - 1;
      bad.at(forged).break_signature = true;
      area.pair(std::string(kind.name) + " at " + std::to_string(position), good, bad, bad_signature(forged));
    }
  for (const std::size_t position : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    Plan good = plan();
    good.at(position).key = Key::cached(KeyType::rsa2048);
    Plan bad = plan();
    bad.at(position).key = Key::cached(KeyType::rsa1024);
    area.pair("RSA with 2048 bits, not 1024, at " + std::to_string(position), good, bad, weak_key(position));
  }
}

void add_server_keys(Area& area) {
  const auto own = [](const Blob& key) {
    Plan p = plan();
    p.leaf.public_key = key;
    return p;
  };
  const auto pair = [&](const char* what, const Blob& good, const Blob& bad, Verdict verdict = odd_key(0)) {
    area.pair(what, own(good), own(bad), std::move(verdict));
  };
  pair("an RSA key has 2048 bits", rsa(2048), rsa(2047), weak_key(0));
  pair("an RSA key of 3072 bits", rsa(3072), rsa(1536), weak_key(0));
  pair("an RSA key of 4096 bits", rsa(4096), rsa(1024), weak_key(0));
  pair("an RSA key has at most 8192 bits", rsa(8192), rsa(8193));
  pair("an RSA exponent has at most 33 bits", rsa(2048, {0x01, 0x00, 0x00, 0x00, 0x01}),
       rsa(2048, {0x03, 0x00, 0x00, 0x00, 0x01}));
  pair("an RSA exponent of 3", rsa(2048, {0x03}), rsa(2048, {0x01}));
  pair("an RSA exponent is odd", rsa(2048, {0x05}), rsa(2048, {0x04}));
  pair("RSA has NULL for parameters", rsa(2048), rsa(2048, {0x01, 0x00, 0x01}, algorithm(rsa_key)));
  pair("RSA-PSS has 2048 bits, too", rsa(2048, {0x01, 0x00, 0x01}, algorithm(pss_key)),
       rsa(2040, {0x01, 0x00, 0x01}, algorithm(pss_key)), weak_key(0));
  pair("an RSA key is a SEQUENCE of two numbers", rsa(2048), key_info(algorithm(rsa_key, null), der(0x30, {})));

  pair("P-256, not secp256k1", p256(), k256());
  pair("P-256, not P-224", p256(), p224());
  pair("a curve by its name, not by its parameters", p256(), p256_spelled_out());
  pair("a curve by its name, not by the issuer's", p256(), key_info(algorithm(ec_key, null), p256_point()));
  pair("a curve that is named at all", p256(), key_info(algorithm(ec_key), p256_point()));
  Blob beside = p256();
  beside.back() ^= 1;
  pair("a point on its curve", p256(), beside);
  const Blob named = algorithm(ec_key, der_oid(p256_curve));
  pair("a point that is not infinity", p256(), key_info(named, {0x00}));
  pair("a point of the length of its curve", p256(), key_info(named, join({p256_point(), {0x00}})));
  pair("a point of a known form", p256(), key_info(named, join({Blob{0x05}, Blob(64, 0x11)})));

  const Blob ed25519 = Key::cached(KeyType::ed25519).public_der();
  pair("Ed25519, not X25519", ed25519, key_info(algorithm("1.3.101.110"), Blob(32, 9)));
  pair("Ed25519 has 32 bytes", ed25519, key_info(algorithm("1.3.101.112"), Blob(31, 9)));
  pair("Ed25519 has no parameters", ed25519,
       key_info(algorithm("1.3.101.112", null), Blob(ed25519.end() - 32, ed25519.end())));
  pair("RSA, not DSA", rsa(2048), dsa());
  pair("a key of a known kind", p256(), key_info(algorithm("1.2.3.4"), p256_point()));
  pair("all bits of a key are used", p256(), der(0x30, {named, der(0x03, {Blob{0x01}, p256_point()})}), unreadable(0));
}

void add_other_keys(Area& area) {
  // The same for those who issue.
  struct Row {
    const char* what;
    Blob bad;
    Verdict (*verdict)(std::size_t);
  };
  Blob beside = p256();
  beside.back() ^= 1;
  const Row rows[] = {
      {"P-256, not secp256k1", k256(), odd_key},
      {"a curve by its name, not by its parameters", p256_spelled_out(), odd_key},
      {"a point on its curve", beside, odd_key},
      {"RSA, not DSA", dsa(), odd_key},
      {"an RSA key has 2048 bits", rsa(2047), weak_key},
      {"an RSA key has at most 8192 bits", rsa(8193), odd_key},
  };
  for (const Row& row : rows)
    for (const std::size_t position : {std::size_t{1}, std::size_t{2}}) {
      Plan bad = plan();
      bad.at(position).public_key = row.bad;
      area.pair(row.what + std::string(position == 1 ? ", of the authority" : ", of the root"), plan(), bad,
                row.verdict(position));
    }
}

} // namespace

void add_keys(std::vector<Pair>& to) {
  Area area(to, "keys");
  add_issuers(area);
  add_server_keys(area);
  add_other_keys(area);
}

} // namespace corpus
