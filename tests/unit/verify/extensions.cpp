// The decoders of extensions alone: what each takes, and what is not exactly that.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include <tlsconnect/verify/certificate_extensions.hpp>

#include "support.hpp"

using test::Blob;
using test::contains;
using test::der;
using test::der_extension;
using test::der_oid;
using test::der_text;
using tlsconnect::CertificateExtensions;
using tlsconnect::ErrorCode;
using tlsconnect::KeyUsage;
using tlsconnect::NameForm;
using tlsconnect::Result;

namespace {

const std::string subject_key_id = "2.5.29.14";
const std::string key_usage = "2.5.29.15";
const std::string subject_alt_name = "2.5.29.17";
const std::string basic_constraints = "2.5.29.19";
const std::string name_constraints = "2.5.29.30";
const std::string authority_key_id = "2.5.29.35";
const std::string extended_key_usage = "2.5.29.37";
const std::string tls_feature = "1.3.6.1.5.5.7.1.24";

// What is decoded are views of these bytes, which therefore stay.
Result<CertificateExtensions> decode(Blob list) {
  static std::vector<Blob> kept;
  kept.push_back(std::move(list));
  return CertificateExtensions::decode(kept.back());
}
CertificateExtensions good(const std::string& oid, const Blob& value) {
  auto extensions = decode(der_extension(oid, false, value));
  if (!extensions)
    FAIL(extensions.error().detail());
  return *extensions;
}
/// Whether the value is refused, and the text says which extension it was and what for.
bool bad(const std::string& oid, const Blob& value, std::string_view part) {
  const auto extensions = decode(der_extension(oid, false, value));
  if (extensions)
    return false;
  CAPTURE(extensions.error().detail());
  CHECK(extensions.error().code() == ErrorCode::certificate_malformed);
  CHECK(contains(extensions.error().detail(), part));
  CHECK(contains(extensions.error().detail(), "(RFC "));
  return true;
}

const Blob yes = {0x01, 0x01, 0xFF};
const Blob no = {0x01, 0x01, 0x00};

Blob number(std::uint8_t value) { return der(0x02, Blob{value}); }
Blob dns(std::string_view name) { return der_text(0x82, name); }

} // namespace

TEST_CASE("basicConstraints", "[extensions]") {
  CHECK_FALSE(good(basic_constraints, der(0x30, {})).basic_constraints->ca);
  CHECK(good(basic_constraints, der(0x30, yes)).basic_constraints->ca);
  CHECK_FALSE(good(basic_constraints, der(0x30, yes)).basic_constraints->path_length.has_value());
  CHECK(good(basic_constraints, der(0x30, {yes, number(0)})).basic_constraints->path_length == 0U);
  CHECK(good(basic_constraints, der(0x30, {yes, number(3)})).basic_constraints->path_length == 3U);
  CHECK(good(basic_constraints, der(0x30, {yes, der(0x02, {0x01, 0x00})})).basic_constraints->path_length == 256U);
  CHECK(good(basic_constraints, der(0x30, {yes, der(0x02, Blob(9, 0x7F))})).basic_constraints->path_length ==
        0xFFFF'FFFFU);

  CHECK(bad(basic_constraints, {}, "basicConstraints"));
  CHECK(bad(basic_constraints, {0x05, 0x00}, "SEQUENCE"));
  CHECK(bad(basic_constraints, der(0x31, yes), "SEQUENCE"));
  CHECK(bad(basic_constraints, der(0x30, Blob{0x01, 0x05, 0xFF}), "cA"));
  Blob trailing = der(0x30, yes);
  trailing.push_back(0);
  CHECK(bad(basic_constraints, trailing, "SEQUENCE"));
  CHECK(bad(basic_constraints, der(0x30, no), "cA"));                     // the default, spelled out
  CHECK(bad(basic_constraints, der(0x30, Blob{0x01, 0x01, 0x01}), "cA")); // true in BER
  CHECK(bad(basic_constraints, der(0x30, Blob{0x01, 0x02, 0xFF, 0xFF}), "cA"));
  CHECK(bad(basic_constraints, der(0x30, Blob{0x01, 0x00}), "cA"));
  CHECK(bad(basic_constraints, der(0x30, number(0)), "without cA"));
  CHECK(bad(basic_constraints, der(0x30, {yes, number(0x80)}), "pathLen"));            // negative
  CHECK(bad(basic_constraints, der(0x30, {yes, der(0x02, {0x00, 0x01})}), "pathLen")); // too long
  CHECK(bad(basic_constraints, der(0x30, {yes, der(0x02, Blob{})}), "pathLen"));       // empty
  CHECK(bad(basic_constraints, der(0x30, {yes, der(0x04, Blob{0x01})}), "pathLen"));   // of another type
  CHECK(bad(basic_constraints, der(0x30, {yes, number(0), number(0)}), "behind it"));
}

TEST_CASE("keyUsage", "[extensions]") {
  const auto bits = [](const Blob& contents) { return der(0x03, contents); };
  CHECK(good(key_usage, bits({7, 0x80})).key_usage == static_cast<std::uint16_t>(KeyUsage::digital_signature));
  const auto both = good(key_usage, bits({1, 0x06})).key_usage.value();
  CHECK(has(both, KeyUsage::key_cert_sign));
  CHECK(has(both, KeyUsage::crl_sign));
  CHECK_FALSE(has(both, KeyUsage::digital_signature));
  CHECK(has(good(key_usage, bits({7, 0x00, 0x80})).key_usage.value(), KeyUsage::decipher_only));
  CHECK(has(good(key_usage, bits({0, 0x01})).key_usage.value(), KeyUsage::encipher_only));

  CHECK(bad(key_usage, {}, "keyUsage"));
  CHECK(bad(key_usage, der(0x04, {7, 0x80}), "BIT STRING"));
  CHECK(bad(key_usage, bits({}), "BIT STRING"));
  CHECK(bad(key_usage, bits({0}), "no bit"));
  CHECK(bad(key_usage, bits({8, 0x80}), "BIT STRING"));
  CHECK(bad(key_usage, bits({7, 0x00}), "no bit"));
  CHECK(bad(key_usage, bits({0, 0x00, 0x00}), "no bit"));
  CHECK(good(key_usage, bits({0, 0x80})).key_usage == 0x8000U); // zeros at the end, as in some roots
  CHECK(bad(key_usage, bits({7, 0xC0}), "unused bits"));        // bits that are not there
  CHECK(bad(key_usage, bits({7, 0x80, 0x80, 0x80}), "nobody defined"));
  CHECK(bad(key_usage, {0x03, 0x02, 0x07, 0x80, 0x00}, "BIT STRING"));
}

TEST_CASE("extendedKeyUsage", "[extensions]") {
  const Blob server = der_oid("1.3.6.1.5.5.7.3.1");
  const Blob client = der_oid("1.3.6.1.5.5.7.3.2");
  const Blob any = der_oid("2.5.29.37.0");
  CHECK(good(extended_key_usage, der(0x30, server)).extended_key_usage->server_auth);
  CHECK(good(extended_key_usage, der(0x30, {client, server})).extended_key_usage->server_auth);
  CHECK(good(extended_key_usage, der(0x30, {server, client})).extended_key_usage->server_auth);
  CHECK_FALSE(good(extended_key_usage, der(0x30, client)).extended_key_usage->server_auth);
  CHECK(good(extended_key_usage, der(0x30, {any, client})).extended_key_usage->any);
  CHECK_FALSE(good(extended_key_usage, der(0x30, any)).extended_key_usage->server_auth);
  const Blob ocsp = der_oid("1.3.6.1.5.5.7.3.9");
  CHECK(good(extended_key_usage, der(0x30, {ocsp, server})).extended_key_usage->ocsp_signing);
  CHECK(good(extended_key_usage, der(0x30, {server, ocsp})).extended_key_usage->ocsp_signing);
  CHECK_FALSE(good(extended_key_usage, der(0x30, {server, any})).extended_key_usage->ocsp_signing);

  CHECK(bad(extended_key_usage, {}, "extendedKeyUsage"));
  CHECK(bad(extended_key_usage, der(0x30, {}), "something in it"));
  CHECK(bad(extended_key_usage, server, "SEQUENCE"));
  CHECK(bad(extended_key_usage, der(0x30, {server, number(1)}), "object identifiers"));
  CHECK(bad(extended_key_usage, der(0x30, {server, der(0x06, Blob{})}), "object identifiers"));
  CHECK(bad(extended_key_usage, der(0x30, {server, Blob{0x06, 0x05, 0x55}}), "object identifiers"));
}

TEST_CASE("subjectAltName", "[extensions]") {
  const Blob v4 = der(0x87, {192, 0, 2, 1});
  const Blob directory = der(0xA4, test::der_name({"a"}));
  const Blob other = der(0xA0, {der_oid("1.2.3.4"), der(0xA0, der_text(12, "x"))});
  const auto all =
      good(subject_alt_name, der(0x30, {dns("a.example"), v4, directory, der_text(0x81, "a@example"),
                                        der_text(0x86, "https://a.example"), other, der(0x88, Blob{0x2A})}))
          .subject_alt_names;
  REQUIRE(all.size() == 7);
  CHECK(all[0].form == NameForm::dns);
  CHECK(tlsconnect::as_text(all[0].value) == "a.example");
  CHECK(all[1].form == NameForm::address);
  CHECK(all[2].form == NameForm::directory);
  CHECK(all[2].directory == tlsconnect::comparable_name(test::der_name({"A"})).value());
  CHECK(all[3].form == NameForm::email);
  CHECK(all[6].form == NameForm::registered_id);
  for (const char* name : {"*.a.example", "a_b.example", "localhost", "A.EXAMPLE", "xn--bcher-kva.example", "1.2.3.4"})
    CHECK(good(subject_alt_name, der(0x30, dns(name))).subject_alt_names.size() == 1);
  CHECK(good(subject_alt_name, der(0x30, der(0x87, Blob(16, 1)))).subject_alt_names.size() == 1);
  CHECK(good(subject_alt_name, der(0x30, dns(std::string(63, 'a') + ".example"))).subject_alt_names.size() == 1);

  CHECK(bad(subject_alt_name, {}, "subjectAltName"));
  CHECK(bad(subject_alt_name, der(0x30, {}), "something in it"));
  CHECK(bad(subject_alt_name, dns("a.example"), "SEQUENCE"));
  CHECK(bad(subject_alt_name, der(0x30, {dns("a.example"), Blob{0x82, 0x05, 'a'}}), "not DER"));
  for (const std::string& name : {std::string(), std::string("a..example"), std::string(".example"),
                                  std::string("a.example."), std::string("a b.example"), std::string("a\0.example", 10),
                                  std::string("b\xC3\xBC"), std::string(64, 'a') + ".example", std::string("a/b")})
    CHECK(bad(subject_alt_name, der(0x30, dns(name)), "dNSName"));
  std::string endless = "a";
  while (endless.size() < 254)
    endless += ".a";
  CHECK(bad(subject_alt_name, der(0x30, dns(endless)), "dNSName"));
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{5}, std::size_t{8}, std::size_t{32}})
    CHECK(bad(subject_alt_name, der(0x30, der(0x87, Blob(size, 1))), "iPAddress"));
  CHECK(bad(subject_alt_name, der(0x30, der(0x89, Blob{1})), "unknown form")); // [9]
  CHECK(bad(subject_alt_name, der(0x30, der(0xA2, Blob{1})), "unknown form")); // constructed
  CHECK(bad(subject_alt_name, der(0x30, der(0x80, Blob{1})), "unknown form")); // not constructed
  CHECK(bad(subject_alt_name, der(0x30, der(0x85, Blob{1})), "unknown form"));
  for (const std::uint8_t tag : {std::uint8_t{0x16}, std::uint8_t{0x02}, std::uint8_t{0x42}, std::uint8_t{0xC2}})
    CHECK(bad(subject_alt_name, der(0x30, der_text(tag, "a.example")), "unknown form"));
  CHECK(bad(subject_alt_name, der(0x30, der(0xA4, Blob{0x30})), "directoryName"));
  CHECK(bad(subject_alt_name, der(0x30, der(0xA4, {test::der_name({"a"}), test::der_name({"a"})})), "directoryName"));
  CHECK(bad(subject_alt_name, der(0x30, der(0xA4, der(0x30, number(1)))), "directoryName"));
}

TEST_CASE("nameConstraints", "[extensions]") {
  const auto subtrees = [](std::uint8_t tag, std::initializer_list<Blob> bases) {
    Blob all;
    for (const Blob& base : bases) {
      const Blob one = der(0x30, base);
      all.insert(all.end(), one.begin(), one.end());
    }
    return der(tag, all);
  };
  const Blob network = der(0x87, {10, 0, 0, 0, 255, 0, 0, 0});
  const auto both = good(name_constraints,
                         der(0x30, {subtrees(0xA0, {dns("example"), network}), subtrees(0xA1, {dns(".b.example")})}))
                        .name_constraints.value();
  CHECK(both.permitted.size() == 2);
  CHECK(both.excluded.size() == 1);
  CHECK(good(name_constraints, der(0x30, subtrees(0xA1, {dns("")}))).name_constraints->excluded.size() == 1);
  CHECK(good(name_constraints, der(0x30, subtrees(0xA0, {dns("a")}))).name_constraints->excluded.empty());
  Blob wide(32, 0);
  wide[16] = 0xFE;
  CHECK(good(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, wide)}))).name_constraints->permitted.size() == 1);
  CHECK(good(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, Blob(8, 0))}))).name_constraints.has_value());
  CHECK(good(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, Blob(8, 255))}))).name_constraints.has_value());

  CHECK(bad(name_constraints, {}, "nameConstraints"));
  CHECK(bad(name_constraints, der(0x30, {}), "something in it"));
  CHECK(bad(name_constraints, der(0x30, der(0xA0, Blob{})), "empty list"));
  CHECK(bad(name_constraints, der(0x30, Blob{0xA0, 0x05, 0x00}), "empty list"));
  CHECK(bad(name_constraints, der(0x30, {subtrees(0xA1, {dns("a")}), subtrees(0xA0, {dns("a")})}), "besides"));
  CHECK(bad(name_constraints, der(0x30, {subtrees(0xA0, {dns("a")}), subtrees(0xA0, {dns("a")})}), "besides"));
  CHECK(bad(name_constraints, der(0x30, {subtrees(0xA0, {dns("a")}), number(1)}), "besides"));
  CHECK(bad(name_constraints, der(0x30, der(0xA0, dns("a"))), "no subtree"));
  CHECK(bad(name_constraints, der(0x30, der(0xA0, der(0x30, Blob{}))), "no subtree"));
  CHECK(bad(name_constraints, der(0x30, der(0xA0, der(0x31, dns("a")))), "no subtree"));
  CHECK(bad(name_constraints, der(0x30, der(0xA0, Blob{0x30, 0x05, 0x82})), "no subtree"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {Blob{0x82, 0x01, 'a', 0x80, 0x01, 0x00}})), "minimum"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {Blob{0x82, 0x01, 'a', 0x81, 0x01, 0x05}})), "minimum"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x89, Blob{1})})), "unknown form"));
  for (const char* name : {".", "a..b", "*.example", "a b", "example."})
    CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {dns(name)})), "dNSName"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, {10, 0, 0, 1})})), "4 bytes"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, Blob(16, 1))})), "16 bytes"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, {10, 0, 0, 0, 255, 0, 255, 0})})), "holes"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, {10, 0, 0, 0, 0xFD, 0, 0, 0})})), "holes"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0x87, {10, 0, 0, 0, 0, 0, 0, 1})})), "holes"));
  CHECK(bad(name_constraints, der(0x30, subtrees(0xA0, {der(0xA4, Blob{0x31, 0x00})})), "directoryName"));
}

TEST_CASE("key identifiers", "[extensions]") {
  CHECK(tlsconnect::equal(good(subject_key_id, der(0x04, {1, 2, 3})).subject_key_id, Blob{1, 2, 3}));
  CHECK(bad(subject_key_id, {}, "subjectKeyIdentifier"));
  CHECK(bad(subject_key_id, der(0x04, Blob{}), "OCTET STRING"));
  CHECK(bad(subject_key_id, der(0x03, {0, 1}), "OCTET STRING"));
  CHECK(bad(subject_key_id, {0x04, 0x01, 0x05, 0x00}, "OCTET STRING"));

  const Blob id = der(0x80, {1, 2, 3});
  const Blob issuer = der(0xA1, der(0xA4, test::der_name({"a"})));
  const Blob serial = der(0x82, {5});
  CHECK(tlsconnect::equal(good(authority_key_id, der(0x30, id)).authority_key_id, Blob{1, 2, 3}));
  CHECK(tlsconnect::equal(good(authority_key_id, der(0x30, {id, issuer, serial})).authority_key_id, Blob{1, 2, 3}));
  CHECK(good(authority_key_id, der(0x30, {issuer, serial})).authority_key_id.empty());
  CHECK(good(authority_key_id, der(0x30, {})).authority_key_id.empty());
  CHECK(bad(authority_key_id, {}, "authorityKeyIdentifier"));
  CHECK(bad(authority_key_id, id, "SEQUENCE"));
  CHECK(bad(authority_key_id, der(0x30, der(0x80, Blob{})), "empty field"));
  CHECK(bad(authority_key_id, der(0x30, Blob{0x80, 0x09, 0x00}), "empty field"));
  CHECK(bad(authority_key_id, der(0x30, {serial, id}), "besides"));
  CHECK(bad(authority_key_id, der(0x30, {id, id}), "besides"));
}

TEST_CASE("TLS feature", "[extensions]") {
  CHECK(good(tls_feature, der(0x30, number(5))).must_staple);
  CHECK(good(tls_feature, der(0x30, {number(5), number(17)})).must_staple);
  CHECK_FALSE(good(tls_feature, der(0x30, number(17))).must_staple);
  CHECK_FALSE(good(tls_feature, der(0x30, der(0x02, {0x05, 0x00}))).must_staple);
  CHECK_FALSE(decode({}).value().must_staple);
  CHECK(bad(tls_feature, {}, "TLS feature"));
  CHECK(bad(tls_feature, der(0x30, {}), "something in it"));
  CHECK(bad(tls_feature, number(5), "SEQUENCE"));
  CHECK(bad(tls_feature, der(0x30, {number(5), der(0x04, Blob{5})}), "numbers"));
  CHECK(bad(tls_feature, der(0x30, der(0x02, {0x00, 0x05})), "numbers"));
  CHECK(bad(tls_feature, der(0x30, Blob{0x02, 0x05, 0x05}), "numbers"));
}

TEST_CASE("where the issuer's certificate is", "[extensions]") {
  const std::string access = "1.3.6.1.5.5.7.1.1";
  const Blob ocsp = der(0x30, {der_oid("1.3.6.1.5.5.7.48.1"), der_text(0x86, "http://ocsp.example")});
  const Blob issuers = der(0x30, {der_oid("1.3.6.1.5.5.7.48.2"), der_text(0x86, "http://ca.example/ca.der")});
  const Blob elsewhere = der(0x30, {der_oid("1.3.6.1.5.5.7.48.2"), der(0xA4, test::der_name({"a"}))});
  CHECK(good(access, der(0x30, {ocsp, issuers})).issuer_address == "http://ca.example/ca.der");
  CHECK(good(access, der(0x30, {elsewhere, issuers})).issuer_address == "http://ca.example/ca.der");
  const Blob nowhere = der(0x30, der_oid("1.3.6.1.5.5.7.48.2"));
  CHECK(good(access, der(0x30, {der(0x30, {}), nowhere, issuers})).issuer_address == "http://ca.example/ca.der");
  CHECK(good(access, der(0x30, ocsp)).issuer_address.empty());
  CHECK(good("1.3.6.1.5.5.7.1.2", der(0x30, issuers)).issuer_address.empty()); // another extension
  CHECK(good(access, {0x05, 0x00}).issuer_address.empty());                    // it only serves explanations
}

TEST_CASE("lists of extensions", "[extensions]") {
  CHECK(decode({}).has_value());
  const Blob usage = der_extension(key_usage, true, {0x03, 0x02, 0x07, 0x80});
  const Blob unknown = der_extension("1.2.3.4.5", false, {0xFF});
  const Blob critical = der_extension("1.2.3.4.6", true, {0xFF});
  const auto join = [](std::initializer_list<Blob> parts) {
    Blob all;
    for (const Blob& part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  CHECK(decode(join({usage, unknown})).value().unknown_critical.empty());
  CHECK(decode(join({usage, critical, der_extension("1.2.3", true, {})})).value().unknown_critical == "1.2.3.4.6");
  CHECK(decode(der_extension("2.999.4711", true, {})).value().unknown_critical == "2.999.4711");

  const auto refused = [](const Blob& list, std::string_view part) {
    const auto extensions = decode(list);
    return !extensions && extensions.error().code() == ErrorCode::certificate_malformed &&
           contains(extensions.error().detail(), part);
  };
  CHECK(refused(join({usage, unknown, usage}), "2.5.29.15 twice"));
  CHECK(refused(join({unknown, unknown}), "1.2.3.4.5 twice"));
  CHECK(refused({0x30}, "no extension"));
  CHECK(refused(join({usage, Blob{0x05, 0x00}}), "no extension"));
  const Blob oid = der_oid("1.2.3.4");
  const Blob value = der(0x04, Blob{0x05, 0x00});
  CHECK(decode(der(0x30, {oid, yes, value})).has_value());
  CHECK(refused(der(0x30, {oid, no, value}), "critical"));
  CHECK(refused(der(0x30, {oid, Blob{0x01, 0x01, 0x01}, value}), "critical"));
  CHECK(refused(der(0x30, {oid, Blob{0x01, 0x00}, value}), "critical"));
  CHECK(refused(der(0x30, {oid, Blob{0x01, 0x05, 0xFF}}), "critical"));
  CHECK(refused(der(0x30, {yes, value}), "object identifier"));
  CHECK(refused(der(0x30, {der(0x06, Blob{}), value}), "object identifier"));
  CHECK(refused(der(0x30, {}), "object identifier"));
  CHECK(refused(der(0x30, oid), "without a value"));
  CHECK(refused(der(0x30, {oid, number(1)}), "without a value"));
  CHECK(refused(der(0x30, {oid, value, value}), "behind it"));

  Blob many;
  for (int i = 0; i < 65; ++i) {
    CHECK(decode(many).has_value());
    const Blob one = der_extension("1.2.3." + std::to_string(i), false, {});
    many.insert(many.end(), one.begin(), one.end());
  }
  CHECK(refused(many, "more than 64"));
}

TEST_CASE("names of forms, and odd object identifiers", "[extensions]") {
  CHECK(name_of(NameForm::dns) == "dNSName");
  CHECK(name_of(NameForm::registered_id) == "registeredID");
  CHECK(name_of(static_cast<NameForm>(9)) == "unknown");
  using tlsconnect::detail::dotted;
  CHECK(dotted(Blob{0x2A, 0x86, 0x48}) == "1.2.840");
  CHECK(dotted(Blob{0x55, 0x1D, 0x0F}) == "2.5.29.15");
  CHECK(dotted(Blob{}) == "?");
  CHECK(dotted(Blob{0x2A, 0x86}) == "?"); // cut off
  Blob large(20, 0xFF);
  large.back() = 0x7F;
  CHECK(dotted(large) == "?"); // larger than any that is in use
}
