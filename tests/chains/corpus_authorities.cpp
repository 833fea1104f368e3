// Who may issue, how many authorities below, and what for: basicConstraints, keyUsage, extendedKeyUsage.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

const Blob ca_true = {0x30, 0x03, 0x01, 0x01, 0xFF};
const Blob empty_sequence = {0x30, 0x00};

/// Everything of an authority but basicConstraints.
void unmake_authority(CertOptions& options) {
  options.ca = false;
  options.key_usage = test::key_cert_sign;
  options.extended_key_usage = std::vector<std::string>();
}
/// One extension alone.
void say(CertOptions& options, const char* oid, bool critical, const Blob& value) {
  options.only_these_extensions = true;
  add_extension(options, oid, critical, value);
}

void add_basic_constraints(Area& area) {
  area.pair(
      "the authority's certificate says that it is one", plan(2), [](Plan& p) { unmake_authority(p.at(1)); },
      no_authority(1));
  area.pair("the upper authority's says it, too", plan(2), [](Plan& p) { unmake_authority(p.at(2)); }, no_authority(2));
  area.pair("the root's says it", plan(2), [](Plan& p) { unmake_authority(p.at(3)); }, no_authority(3));
  area.pair(
      "without keyUsage, the authority's says it",
      [](Plan& p) { say(p.authority(), basic_constraints_id, true, ca_true); },
      [](Plan& p) { say(p.authority(), "1.2.3.4", false, ca_true); }, no_authority(1));
  area.pair(
      "cA is true", [](Plan& p) { say(p.authority(), basic_constraints_id, true, ca_true); },
      [](Plan& p) { say(p.authority(), basic_constraints_id, true, empty_sequence); }, no_authority(1));
  area.pair(
      "basicConstraints need not be critical",
      [](Plan& p) { say(p.authority(), basic_constraints_id, false, ca_true); },
      [](Plan& p) { say(p.authority(), basic_constraints_id, false, empty_sequence); }, no_authority(1));
  area.pair(
      "another server's certificate is no authority's", plan(), [](Plan& p) { p.authority() = server(3); },
      no_authority(1).and_more());

  // The server's own.
  area.pair(
      "the server's is no authority's",
      [](Plan& p) { add_extension(p.leaf, basic_constraints_id, true, empty_sequence); },
      [](Plan& p) { add_extension(p.leaf, basic_constraints_id, true, ca_true); }, is_authority(0));
  const auto pinned = [](bool ca) {
    CertOptions options = server();
    options.ca = ca;
    options.key_usage = test::digital_signature;
    options.extended_key_usage = {"PKIX.ServerAuth"};
    const Blob own = test::self_signed(options).der();
    return Question{{own}, {own}};
  };
  area.pair("nor is one that is an anchor", pinned(false), pinned(true), is_authority(0));
}

/// `count` authorities below one with a limit; `renewed` more are self-issued: the same name, another key.
Plan limited(std::size_t position_of_limit, std::size_t limit, std::size_t count, std::size_t renewed = 0) {
  Plan all = plan(0);
  unsigned number = 3;
  if (position_of_limit > 0)
    all.authorities.push_back(authority("Limited", number++));
  (position_of_limit > 0 ? all.authorities.back() : all.root).path_length = limit;
  const std::string name = position_of_limit > 0 ? "Limited" : "Root";
  for (std::size_t i = 0; i < renewed; ++i)
    all.authorities.push_back(authority(name, number++));
  for (std::size_t i = 0; i < count; ++i)
    all.authorities.push_back(authority("Below " + std::to_string(i), number++));
  return all;
}

void add_path_lengths(Area& area) {
  for (std::size_t limit = 0; limit < 4; ++limit) {
    const std::string text = "pathLenConstraint " + std::to_string(limit);
    area.pair(text, limited(1, limit, limit), limited(1, limit, limit + 1), too_long(1));
    area.pair(text + " of the root", limited(0, limit, limit), limited(0, limit, limit + 1), too_long(1));
    area.pair(text + ", and a self-issued certificate, which does not count", limited(1, limit, limit, 1),
              limited(1, limit, limit + 1, 1), too_long(1));
  }
  area.pair("two self-issued certificates do not count", limited(1, 0, 0, 2), limited(1, 0, 1, 2), too_long(1));
  area.pair("the lower limit", plan(3), [](Plan& p) { p.authorities[1].path_length = 0; }, too_long(1));
  area.pair(
      "the upper limit, below which there is a larger one",
      [](Plan& p) {
        p = plan(2);
        p.root.path_length = 2;
        p.authorities[0].path_length = 9;
      },
      [](Plan& p) {
        p = plan(2);
        p.root.path_length = 1;
        p.authorities[0].path_length = 9;
      },
      too_long(1));
  area.pair(
      "a large limit",
      [](Plan& p) {
        say(p.authority(), basic_constraints_id, true,
            {0x30, 0x0A, 0x01, 0x01, 0xFF, 0x02, 0x05, 0x01, 0x00, 0x00, 0x00, 0x00});
      },
      [](Plan& p) {
        say(p.authority(), basic_constraints_id, true,
            {0x30, 0x0A, 0x01, 0x01, 0xFF, 0x02, 0x05, 0x81, 0x00, 0x00, 0x00, 0x00});
      },
      malformed(1));
}

void add_key_usages(Area& area) {
  struct Row {
    const char* what;
    std::size_t position;
    std::uint32_t good; // 0: no such extension
    std::uint32_t bad;
  };
  using namespace test; // the bits
  static constexpr Row rows[] = {
      {"the authority may sign certificates", 1, key_cert_sign, crl_sign},
      {"the authority may sign certificates, besides others", 1, key_cert_sign | digital_signature, digital_signature},
      {"an authority without keyUsage", 1, 0, key_agreement},
      {"the upper authority may sign certificates", 2, key_cert_sign, crl_sign},
      {"the root may sign certificates", 3, key_cert_sign, crl_sign},
      {"a root without keyUsage", 3, 0, digital_signature},
      {"the server may sign", 0, digital_signature, key_encipherment},
      {"the server may sign and encipher", 0, digital_signature | key_encipherment, key_encipherment | key_agreement},
      {"the server may sign and agree", 0, digital_signature | key_agreement, key_agreement},
      {"a server without keyUsage", 0, 0, crl_sign},
      {"the server may not sign certificates", 0, digital_signature, digital_signature | key_cert_sign},
  };
  for (const Row& row : rows) {
    Plan good = plan(2);
    good.at(row.position).key_usage = row.good;
    Plan bad = plan(2);
    bad.at(row.position).key_usage = row.bad;
    area.pair(row.what, good, bad, corpus::key_usage(row.position));
  }
  // Bits that test_pki.hpp has no names for.
  struct Spelled {
    const char* what;
    bool critical;
    Blob good;
    Blob bad;
  };
  const Spelled spelled[] = {
      {"keyUsage need not be critical", false, {0x03, 0x02, 0x07, 0x80}, {0x03, 0x02, 0x05, 0x20}},
      {"non-repudiation is no use for TLS", true, {0x03, 0x02, 0x06, 0xC0}, {0x03, 0x02, 0x06, 0x40}},
      {"the ninth bit is no use for TLS", true, {0x03, 0x03, 0x07, 0x80, 0x80}, {0x03, 0x03, 0x07, 0x00, 0x80}},
  };
  for (const Spelled& row : spelled) {
    Plan good = plan();
    good.leaf.key_usage = 0;
    Plan bad = good;
    add_extension(good.leaf, key_usage_id, row.critical, row.good);
    add_extension(bad.leaf, key_usage_id, row.critical, row.bad);
    area.pair(row.what, good, bad, corpus::key_usage(0));
  }
}

void add_purposes(Area& area) {
  struct Row {
    const char* what;
    std::size_t position;
    std::vector<std::string> good; // empty: no such extension
    std::vector<std::string> bad;
  };
  const Row rows[] = {
      {"the server's is for servers", 0, {"PKIX.ServerAuth"}, {"PKIX.ClientAuth"}},
      {"the server's is for servers and clients", 0, {"PKIX.ClientAuth", "PKIX.ServerAuth"}, {"PKIX.EmailProtection"}},
      {"the server's is for anything", 0, {}, {"PKIX.CodeSigning"}},
      {"the server's says so itself", 0, {"PKIX.ServerAuth", "2.5.29.37.0"}, {"2.5.29.37.0"}},
      {"a purpose of Netscape's is none", 0, {"PKIX.ServerAuth"}, {"2.16.840.1.113730.4.1"}},
      {"a purpose of Microsoft's is none", 0, {"PKIX.ServerAuth"}, {"1.3.6.1.4.1.311.10.3.3"}},
      {"one that signs OCSP responses is no server", 0, {"PKIX.ServerAuth"}, {"PKIX.OCSPSigning"}},
      {"the authority's is for servers", 1, {"PKIX.ServerAuth"}, {"PKIX.ClientAuth"}},
      {"the authority's is for servers and clients", 1, {"PKIX.ClientAuth", "PKIX.ServerAuth"}, {"PKIX.CodeSigning"}},
      {"the authority's is for anything", 1, {"2.5.29.37.0"}, {"PKIX.EmailProtection"}},
      {"the authority's does not say what for", 1, {}, {"PKIX.OCSPSigning"}},
      {"the upper authority's is for servers", 2, {"PKIX.ServerAuth"}, {"PKIX.ClientAuth"}},
      {"the upper authority's is for anything", 2, {"2.5.29.37.0"}, {"PKIX.TimeStamping"}},
      {"the root's is for servers", 3, {"PKIX.ServerAuth"}, {"PKIX.ClientAuth"}},
      {"the root's does not say what for", 3, {}, {"PKIX.EmailProtection"}},
  };
  for (const Row& row : rows) {
    Plan good = plan(2);
    good.at(row.position).extended_key_usage = row.good;
    Plan bad = plan(2);
    bad.at(row.position).extended_key_usage = row.bad;
    area.pair(row.what, good, bad, purpose(row.position));
  }
  area.pair(
      "a critical extendedKeyUsage",
      [](Plan& p) {
        p.leaf.extended_key_usage = std::vector<std::string>();
        add_extension(p.leaf, extended_key_usage_id, true, der(0x30, der_oid("1.3.6.1.5.5.7.3.1")));
      },
      [](Plan& p) {
        p.leaf.extended_key_usage = std::vector<std::string>();
        add_extension(p.leaf, extended_key_usage_id, true, der(0x30, der_oid("1.3.6.1.5.5.7.3.2")));
      },
      purpose(0));
}

} // namespace

void add_authorities(std::vector<Pair>& to) {
  Area area(to, "authorities");
  add_basic_constraints(area);
  add_path_lengths(area);
  add_key_usages(area);
  add_purposes(area);
}

} // namespace corpus
