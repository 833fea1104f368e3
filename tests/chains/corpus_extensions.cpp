// Extensions: those that nobody knows, those that are not what their definitions say, and the list of them.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

const Blob null = {0x05, 0x00};
const Blob yes = {0x01, 0x01, 0xFF};
const Blob no = {0x01, 0x01, 0x00};

Blob number(std::uint8_t value) { return {0x02, 0x01, value}; }

/// An extension at a position, in place of the usual one of that kind.
Plan with(std::size_t position, const char* oid, bool is_critical, const Blob& value) {
  Plan p = plan();
  CertOptions& options = p.at(position);
  const std::string id = oid;
  if (id == subject_key_id || id == authority_key_id)
    p.root.key_ids = p.authority().key_ids = p.leaf.key_ids = false;
  if (id == key_usage_id)
    options.key_usage = 0;
  if (id == extended_key_usage_id)
    options.extended_key_usage = std::vector<std::string>();
  if (id == alt_name_id)
    options.dns.clear();
  if (id == basic_constraints_id && position > 0) {
    options.ca = false;
    options.key_usage = test::key_cert_sign;
    options.extended_key_usage = std::vector<std::string>();
  }
  add_extension(options, oid, is_critical, value);
  return p;
}

void add_critical(Area& area) {
  static constexpr const char* places[] = {"the server's certificate", "the authority's", "the root"};
  for (std::size_t position = 0; position < 3; ++position)
    area.pair(std::string("an unknown extension is not critical, in ") + places[position],
              with(position, "1.3.6.1.4.1.55555.1", false, null), with(position, "1.3.6.1.4.1.55555.1", true, null),
              critical(position));
  struct Row {
    const char* what;
    std::size_t position;
    const char* oid;
    Blob value;
  };
  const Blob policies = der(0x30, der(0x30, der_oid("2.23.140.1.2.1")));
  const Blob mapping = der(0x30, der(0x30, {der_oid("1.2.3.4"), der_oid("1.2.3.5")}));
  const Blob points = der(0x30, der(0x30, der(0xA0, der(0xA0, der_text(0x86, "http://ca.example/a.crl")))));
  const Blob access = der(0x30, der(0x30, {der_oid("1.3.6.1.5.5.7.48.1"), der_text(0x86, "http://ocsp.example")}));
  const Row rows[] = {
      {"certificatePolicies", 0, "2.5.29.32", policies},
      {"certificatePolicies of the authority", 1, "2.5.29.32", policies},
      {"policyMappings", 1, "2.5.29.33", mapping},
      {"policyConstraints", 1, "2.5.29.36", der(0x30, {0x80, 0x01, 0x05})},
      {"inhibitAnyPolicy", 1, "2.5.29.54", number(5)},
      {"cRLDistributionPoints", 0, "2.5.29.31", points},
      {"freshestCRL", 0, "2.5.29.46", points},
      {"issuerAltName", 0, "2.5.29.18", der(0x30, dns("ca.example"))},
      {"authorityInfoAccess", 0, "1.3.6.1.5.5.7.1.1", access},
      {"privateKeyUsagePeriod", 0, "2.5.29.16", der(0x30, der_text(0x81, "20270101000000Z"))},
      {"Netscape's certificate type", 0, "2.16.840.1.113730.1.1", {0x03, 0x02, 0x06, 0x40}},
      {"timestamps of transparency logs", 0, "1.3.6.1.4.1.11129.2.4.2", der(0x04, {0x00, 0x00})},
      {"the poison of a precertificate", 0, "1.3.6.1.4.1.11129.2.4.3", null},
  };
  for (const Row& row : rows)
    area.pair(std::string("is not critical: ") + row.what, with(row.position, row.oid, false, row.value),
              with(row.position, row.oid, true, row.value), critical(row.position));
  // What is processed may be critical, whatever its definition says of that.
  const Row processed[] = {
      {"subjectKeyIdentifier", 0, subject_key_id, der(0x04, {1})},
      {"authorityKeyIdentifier", 0, authority_key_id, der(0x30, {})},
      {"the TLS feature", 0, tls_feature_id, der(0x30, number(17))},
      {"subjectAltName", 0, alt_name_id, der(0x30, dns("a.example"))},
  };
  for (const Row& row : processed)
    area.pair(std::string("may be critical: ") + row.what, with(row.position, row.oid, true, row.value),
              with(row.position, "1.3.6.1.4.1.55555.1", true, row.value), critical(row.position));
  area.pair("no stapled status is asked for", with(0, tls_feature_id, false, der(0x30, number(17))),
            with(0, tls_feature_id, false, der(0x30, number(5))), status_missing(0));
}

struct Malformed {
  const char* what;
  std::size_t position;
  const char* oid;
  Blob good;
  Blob bad;
};

void add_all(Area& area, const std::vector<Malformed>& rows) {
  for (const Malformed& row : rows)
    area.pair(row.what, with(row.position, row.oid, false, row.good), with(row.position, row.oid, false, row.bad),
              malformed(row.position));
}

void add_malformed_usages(Area& area) {
  const Blob ca = der(0x30, yes);
  const Blob sign = {0x03, 0x02, 0x07, 0x80};
  const Blob server_auth = der_oid("1.3.6.1.5.5.7.3.1");
  const Blob purposes = der(0x30, server_auth);
  add_all(area, {
                    {"basicConstraints is one SEQUENCE", 1, basic_constraints_id, ca, yes},
                    {"basicConstraints: nothing behind it", 1, basic_constraints_id, ca, join({ca, null})},
                    {"cA is 0xFF", 1, basic_constraints_id, ca, der(0x30, Blob{0x01, 0x01, 0x01})},
                    {"cA FALSE is left out", 0, basic_constraints_id, der(0x30, {}), der(0x30, no)},
                    {"cA is one byte", 1, basic_constraints_id, ca, der(0x30, Blob{0x01, 0x02, 0xFF, 0xFF})},
                    {"pathLenConstraint goes with cA", 0, basic_constraints_id, der(0x30, {}), der(0x30, number(0))},
                    {"pathLenConstraint is not negative", 1, basic_constraints_id, der(0x30, {yes, number(1)}),
                     der(0x30, {yes, number(0xFF)})},
                    {"pathLenConstraint is in the shortest form", 1, basic_constraints_id, der(0x30, {yes, number(1)}),
                     der(0x30, {yes, der(0x02, {0x00, 0x01})})},
                    {"pathLenConstraint has bytes", 1, basic_constraints_id, der(0x30, {yes, number(1)}),
                     der(0x30, {yes, der(0x02, Blob{})})},
                    {"pathLenConstraint is an INTEGER", 1, basic_constraints_id, der(0x30, {yes, number(1)}),
                     der(0x30, {yes, der(0x04, Blob{0x01})})},
                    {"pathLenConstraint is the last", 1, basic_constraints_id, der(0x30, {yes, number(1)}),
                     der(0x30, {yes, number(1), number(1)})},
                    {"keyUsage is a BIT STRING", 0, key_usage_id, sign, der(0x04, {0x07, 0x80})},
                    {"keyUsage: nothing behind it", 0, key_usage_id, sign, join({sign, null})},
                    {"keyUsage is not empty", 0, key_usage_id, sign, {0x03, 0x00}},
                    {"keyUsage has bytes", 0, key_usage_id, sign, {0x03, 0x01, 0x00}},
                    {"keyUsage has at most seven unused bits", 0, key_usage_id, sign, {0x03, 0x02, 0x08, 0x80}},
                    {"unused bits of keyUsage are zero", 0, key_usage_id, sign, {0x03, 0x02, 0x07, 0xC0}},
                    {"keyUsage has a bit", 0, key_usage_id, sign, {0x03, 0x02, 0x07, 0x00}},
                    {"keyUsage has nine bits",
                     0,
                     key_usage_id,
                     {0x03, 0x03, 0x07, 0x80, 0x80},
                     {0x03, 0x04, 0x07, 0x80, 0x80, 0x80}},
                    {"keyUsage of the authority", 1, key_usage_id, {0x03, 0x02, 0x02, 0x04}, {0x03, 0x02, 0x02, 0x07}},
                    {"extendedKeyUsage is a SEQUENCE", 0, extended_key_usage_id, purposes, server_auth},
                    {"extendedKeyUsage: nothing behind it", 0, extended_key_usage_id, purposes, join({purposes, null})},
                    {"extendedKeyUsage is not empty", 0, extended_key_usage_id, purposes, der(0x30, {})},
                    {"extendedKeyUsage has nothing but object identifiers", 0, extended_key_usage_id, purposes,
                     der(0x30, {server_auth, number(1)})},
                    {"object identifiers in extendedKeyUsage are not empty", 0, extended_key_usage_id, purposes,
                     der(0x30, {server_auth, der(0x06, Blob{})})},
                    {"extendedKeyUsage of the authority", 1, extended_key_usage_id, purposes, der(0x30, {})},
                });
}

void add_malformed_identifiers(Area& area) {
  const Blob id = der(0x80, {1, 2, 3});
  const Blob issuer = der(0xA1, directory({"Root"}));
  const Blob serial = der(0x82, {3}); // the authority's
  add_all(area,
          {
              {"subjectKeyIdentifier is an OCTET STRING", 0, subject_key_id, der(0x04, {1}), der(0x03, {0, 1})},
              {"subjectKeyIdentifier is not empty", 0, subject_key_id, der(0x04, {1}), der(0x04, Blob{})},
              {"subjectKeyIdentifier: nothing behind it", 0, subject_key_id, der(0x04, {1}), {0x04, 0x01, 0x01, 0x00}},
              {"subjectKeyIdentifier of the authority", 1, subject_key_id, der(0x04, {1}), der(0x04, Blob{})},
              {"subjectKeyIdentifier of the root", 2, subject_key_id, der(0x04, {1}), der(0x04, Blob{})},
              {"authorityKeyIdentifier is a SEQUENCE", 0, authority_key_id, der(0x30, id), id},
              {"authorityKeyIdentifier is whole", 0, authority_key_id, der(0x30, {}), {0x30, 0x01}},
              {"keyIdentifier is not empty", 0, authority_key_id, der(0x30, id), der(0x30, der(0x80, Blob{}))},
              {"authorityKeyIdentifier, its fields in order", 0, authority_key_id, der(0x30, {id, issuer, serial}),
               der(0x30, {issuer, serial, id})},
              {"authorityKeyIdentifier, each field once", 0, authority_key_id, der(0x30, id), der(0x30, {id, id})},
              {"authorityKeyIdentifier of the authority", 1, authority_key_id, der(0x30, {}), {0x30, 0x01}},
              {"the TLS feature is a SEQUENCE", 0, tls_feature_id, der(0x30, number(17)), number(17)},
              {"the TLS feature is not empty", 0, tls_feature_id, der(0x30, number(17)), der(0x30, {})},
              {"the TLS feature has nothing but numbers", 0, tls_feature_id, der(0x30, number(17)),
               der(0x30, {number(17), der(0x04, Blob{5})})},
              {"numbers in the TLS feature are in the shortest form", 0, tls_feature_id, der(0x30, number(17)),
               der(0x30, der(0x02, {0x00, 0x11}))},
              {"the TLS feature of the authority", 1, tls_feature_id, der(0x30, number(17)), der(0x30, {})},
          });
}

void add_malformed_names(Area& area) {
  const Blob a = dns("a.example");
  const auto names = [](const std::vector<Blob>& list) { return der(0x30, join(list)); };
  const auto subtrees = [](std::uint8_t tag, const Blob& base) { return der(0x30, der(tag, der(0x30, base))); };
  const Blob fine = subtrees(0xA0, a);
  add_all(
      area,
      {
          {"subjectAltName is a SEQUENCE", 0, alt_name_id, names({a}), a},
          {"subjectAltName: nothing behind it", 0, alt_name_id, names({a}), join({names({a}), null})},
          {"subjectAltName of the authority is not empty", 1, alt_name_id, names({a}), names({})},
          {"names are in DER", 0, alt_name_id, names({a, dns("bcd")}), names({a, {0x82, 0x05, 'b', 'c', 'd'}})},
          {"an address has 4 bytes", 0, alt_name_id, names({a, address({1, 2, 3, 4})}), names({a, address({1, 2, 3})})},
          {"an address has 16 bytes", 0, alt_name_id, names({a, address(Blob(16, 1))}),
           names({a, address(Blob(17, 1))})},
          {"a name of a known form", 0, alt_name_id, names({a, der(0x88, Blob{0x2A})}),
           names({a, der(0x89, Blob{0x2A})})},
          {"a dNSName is primitive", 0, alt_name_id, names({a, dns("b")}), names({a, der(0xA2, der_text(0x16, "b"))})},
          {"an otherName is constructed", 0, alt_name_id,
           names({a, der(0xA0, {der_oid("1.2.3.4"), der(0xA0, der_text(12, "x"))})}),
           names({a, der(0x80, Blob{0x01})})},
          {"names have tags of their own", 0, alt_name_id, names({a, dns("b")}), names({a, der_text(0x16, "b")})},
          {"a directoryName can be read", 0, alt_name_id, names({a, directory({"b"})}),
           names({a, der(0xA4, number(1))})},
          {"nameConstraints is a SEQUENCE", 1, name_constraints_id, fine, der(0xA0, der(0x30, a))},
          {"nameConstraints is not empty", 1, name_constraints_id, fine, der(0x30, {})},
          {"nameConstraints: a list is not empty", 1, name_constraints_id, fine, der(0x30, der(0xA0, Blob{}))},
          {"nameConstraints: permitted before excluded", 1, name_constraints_id, constraints({a}, {dns("b")}),
           der(0x30, {der(0xA1, der(0x30, dns("b"))), der(0xA0, der(0x30, a))})},
          {"nameConstraints: subtrees are SEQUENCEs", 1, name_constraints_id, fine, der(0x30, der(0xA0, a))},
          {"nameConstraints: a subtree has a base", 1, name_constraints_id, fine,
           der(0x30, der(0xA0, der(0x30, Blob{})))},
          {"nameConstraints: a subtree has no minimum", 1, name_constraints_id, fine,
           subtrees(0xA0, join({a, {0x80, 0x01, 0x01}}))},
          {"nameConstraints: a minimum of zero is left out", 1, name_constraints_id, fine,
           subtrees(0xA0, join({a, {0x80, 0x01, 0x00}}))},
          {"nameConstraints: a subtree has no maximum", 1, name_constraints_id, fine,
           subtrees(0xA0, join({a, {0x81, 0x01, 0x05}}))},
          {"nameConstraints: a base of a known form", 1, name_constraints_id, fine, subtrees(0xA1, der(0x89, Blob{1}))},
          {"nameConstraints: a base has no wildcard", 1, name_constraints_id, fine, subtrees(0xA0, dns("*.example"))},
          {"nameConstraints: a base has no dot at the end", 1, name_constraints_id, fine,
           subtrees(0xA0, dns("example."))},
          {"nameConstraints: a network has a mask", 1, name_constraints_id,
           subtrees(0xA1, address({10, 0, 0, 0, 255, 0, 0, 0})), subtrees(0xA1, address({10, 0, 0, 0}))},
          {"nameConstraints: a mask without holes", 1, name_constraints_id,
           subtrees(0xA1, address({10, 0, 0, 0, 255, 255, 0, 0})),
           subtrees(0xA1, address({10, 0, 0, 0, 255, 0, 255, 0}))},
          {"nameConstraints of the root", 2, name_constraints_id, fine, der(0x30, {})},
      });
}

void add_lists(Area& area) {
  // Twice the same, whatever it is.
  struct Row {
    const char* what;
    std::size_t position;
    const char* oid;
    Blob value;
  };
  const Row rows[] = {
      {"subjectAltName", 0, alt_name_id, der(0x30, dns("a.example"))},
      {"keyUsage", 0, key_usage_id, {0x03, 0x02, 0x07, 0x80}},
      {"extendedKeyUsage", 0, extended_key_usage_id, der(0x30, der_oid("1.3.6.1.5.5.7.3.1"))},
      {"basicConstraints", 1, basic_constraints_id, der(0x30, yes)},
      {"nameConstraints", 1, name_constraints_id, constraints({dns("a.example")}, {})},
      {"subjectKeyIdentifier", 0, subject_key_id, der(0x04, {1})},
      {"authorityKeyIdentifier", 0, authority_key_id, der(0x30, {})},
      {"the TLS feature", 0, tls_feature_id, der(0x30, number(17))},
      {"an unknown extension", 0, "1.3.6.1.4.1.55555.1", null},
  };
  for (const Row& row : rows) {
    const Plan good = with(row.position, row.oid, false, row.value);
    Plan bad = good;
    add_extension(bad.at(row.position), row.oid, false, row.value);
    area.pair(std::string("once: ") + row.what, good, bad, unreadable(row.position));
  }
  const auto many = [](std::size_t count) {
    Plan p = plan();
    for (std::size_t i = 0; i < count; ++i)
      add_extension(p.leaf, ("1.3.6.1.4.1.55555." + std::to_string(i)).c_str(), false, null);
    return p;
  };
  area.pair("at most 64 extensions", many(64 - 5), many(65 - 5), malformed(0));
  // One that is spelled in another way.
  const Blob oid = der_oid("1.3.6.1.4.1.55555.1");
  const Blob names = test::der_extension(alt_name_id, false, der(0x30, dns("a.example")));
  const Blob value = der(0x04, null);
  struct Spelling {
    const char* what;
    Blob bad;
    Verdict verdict;
  };
  const Spelling spellings[] = {
      {"critical FALSE is left out", der(0x30, {oid, no, value}), malformed(0)},
      {"critical is 0xFF", der(0x30, {oid, Blob{0x01, 0x01, 0x01}, value}), unreadable(0)},
      {"an extension has a value", der(0x30, oid), unreadable(0)},
      {"the value is an OCTET STRING", der(0x30, {oid, null}), unreadable(0)},
      {"the value is the last", der(0x30, {oid, value, value}), unreadable(0)},
      {"an extension has an object identifier", der(0x30, value), unreadable(0)},
      {"an extension is a SEQUENCE", oid, unreadable(0)},
  };
  Plan good = plan();
  good.leaf.extension_list = join({names, der(0x30, {oid, value})});
  for (const Spelling& one : spellings) {
    Plan bad = plan();
    bad.leaf.extension_list = join({names, one.bad});
    area.pair(one.what, good, bad, one.verdict);
  }
}

} // namespace

void add_extensions(std::vector<Pair>& to) {
  Area area(to, "extensions");
  add_critical(area);
  add_malformed_usages(area);
  add_malformed_identifiers(area);
  add_malformed_names(area);
  add_lists(area);
}

} // namespace corpus
