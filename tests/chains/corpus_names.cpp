// The server's name (RFC 9525): what the certificate says, and what was asked for.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

/// A certificate with such names, and no other.
Plan asked(const std::vector<Blob>& names, const std::string& server) {
  Plan p = plan();
  set_alt_names(p.leaf, names);
  p.server = server;
  return p;
}

struct Row {
  const char* what;
  const char* presented;
  const char* good; ///< asked for
  const char* bad;
};

void add_dns(Area& area) {
  static constexpr Row rows[] = {
      {"the name", "b.example", "b.example", "c.example"},
      {"not a name below it", "b.example", "b.example", "www.b.example"},
      {"not a name above it", "www.b.example", "www.b.example", "b.example"},
      {"not what it begins with", "b.example.org", "b.example.org", "b.example"},
      {"not what it ends with", "abc.example", "abc.example", "bc.example"},
      {"in capitals in the certificate", "B.EXAMPLE", "b.example", "c.example"},
      {"in capitals as asked", "b.example", "B.Example", "B.Examples"},
      {"with a dot at the end as asked", "b.example", "b.example.", "c.example."},
      {"an underscore", "_b.example", "_b.example", "-b.example"},
      {"an A-label", "xn--bcher-kva.example", "xn--bcher-kva.example", "bcher-kva.example"},
      {"a single label", "localhost", "localhost", "localhost.example"},
      {"digits", "1.2.3.example", "1.2.3.example", "1.2.4.example"},
      // Wildcards.
      {"a wildcard is one label", "*.b.example", "www.b.example", "b.example"},
      {"a wildcard is not two labels", "*.b.example", "x.b.example", "y.x.b.example"},
      {"a wildcard with capitals behind it", "*.B.EXAMPLE", "www.b.example", "www.c.example"},
      {"a wildcard is an A-label, too", "*.b.example", "xn--bcher-kva.b.example", "xn--bcher-kva.c.example"},
      {"a wildcard that stands for the longest label", "*.b.example",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b.example", "a.a.b.example"},
  };
  for (const Row& row : rows)
    area.pair(row.what, asked({dns(row.presented)}, row.good), asked({dns(row.presented)}, row.bad), other_name());

  // Wildcards that are none. The good one is asked for by a name of its own.
  struct Wildcard {
    const char* what;
    const char* good;
    const char* bad;
    const char* server;
  };
  static constexpr Wildcard wildcards[] = {
      {"a wildcard for a whole domain of the first level", "b.example", "*.example", "b.example"},
      {"a wildcard alone", "localhost", "*", "localhost"},
      {"a wildcard alone, for two labels", "b.example", "*", "b.example"},
      {"a wildcard at the end of a label", "*.b.example", "w*.b.example", "www.b.example"},
      {"a wildcard at the beginning of a label", "*.b.example", "*w.b.example", "www.b.example"},
      {"a wildcard inside of a label", "*.b.example", "w*w.b.example", "www.b.example"},
      {"a wildcard inside of an A-label", "*.b.example", "xn--*.b.example", "xn--bcher-kva.b.example"},
      {"two wildcards in a label", "*.b.example", "**.b.example", "www.b.example"},
      {"two wildcards in two labels", "*.x.b.example", "*.*.b.example", "www.x.b.example"},
      {"a wildcard in the second label", "*.x.b.example", "www.*.b.example", "www.x.b.example"},
      {"a wildcard in the last label", "b.example", "b.*", "b.example"},
  };
  for (const Wildcard& one : wildcards)
    area.pair(one.what, asked({dns(one.good)}, one.server), asked({dns(one.bad)}, one.server), other_name());
  area.pair("the last of several names", asked({dns("b.example"), dns("c.example"), dns("d.example")}, "d.example"),
            asked({dns("b.example"), dns("c.example"), dns("d.example")}, "e.example"), other_name());
}

void add_common_names(Area& area) {
  const auto named = [](const char* common_name, const std::vector<Blob>& names) {
    Plan p = plan();
    p.leaf.common_name = common_name;
    p.leaf.dns.clear();
    if (!names.empty())
      set_alt_names(p.leaf, names);
    return p;
  };
  area.pair("a common name alone is no name", named("a.example", {dns("a.example")}), named("a.example", {}),
            other_name());
  area.pair("a common name besides another name is none", named("a.example", {dns("b.example"), dns("a.example")}),
            named("a.example", {dns("b.example")}), other_name());
  area.pair("a common name besides an address is none", named("a.example", {address({192, 0, 2, 1}), dns("a.example")}),
            named("a.example", {address({192, 0, 2, 1})}), other_name());
  Plan by_address = named("192.0.2.1", {address({192, 0, 2, 1})});
  Plan by_common_name = named("192.0.2.1", {});
  by_address.server = by_common_name.server = "192.0.2.1";
  area.pair("a common name that is an address is none", by_address, by_common_name, other_name());
  area.pair(
      "no subject", named("a.example", {dns("a.example")}),
      [](Plan& p) {
        p.leaf.subject_name = test::der_name({});
        p.server = "b.example";
      },
      other_name());
}

void add_addresses(Area& area) {
  const Blob four = address({192, 0, 2, 1});
  Blob six(16, 0);
  six[0] = 0x20;
  six[1] = 0x01;
  six[2] = 0x0D;
  six[3] = 0xB8;
  six[15] = 1;
  Blob mapped(16, 0);
  mapped[10] = mapped[11] = 0xFF;
  mapped[12] = 192;
  mapped[14] = 2;
  mapped[15] = 1;
  const auto pair = [&](const char* what, const std::vector<Blob>& names, const char* good, const char* bad) {
    area.pair(what, asked(names, good), asked(names, bad), other_name());
  };
  pair("an IPv4 address", {four}, "192.0.2.1", "192.0.2.2");
  pair("an IPv6 address", {address(six)}, "2001:db8::1", "2001:db8::2");
  pair("an IPv6 address, written at length", {address(six)}, "2001:0DB8:0:0:0:0:0:1", "2001:0DB8:0:0:0:0:1:1");
  pair("one of both", {four, address(six)}, "2001:db8::1", "2001:db8::192.0.2.1");
  pair("an IPv4 address is not its IPv6 form", {four}, "192.0.2.1", "::ffff:192.0.2.1");
  pair("an IPv6 form is not its IPv4 address", {address(mapped)}, "::ffff:192.0.2.1", "192.0.2.1");
  const auto instead = [&](const char* what, const Blob& good, const Blob& bad, const char* server) {
    area.pair(what, asked({good}, server), asked({bad}, server), other_name());
  };
  instead("a dNSName that spells an address is none", four, dns("192.0.2.1"), "192.0.2.1");
  instead("a wildcard that spells an address is none", four, dns("*.0.2.1"), "192.0.2.1");
  instead("an address is no dNSName", dns("a.example"), address({'a', '.', 'e', 'x'}), "a.example");
  instead("a URI is no dNSName", dns("a.example"), uri("https://a.example/"), "a.example");
  instead("an e-mail address is no dNSName", dns("a.example"), email("a@a.example"), "a.example");
  instead("a directory name is no dNSName", dns("a.example"), directory({"a.example"}), "a.example");
  instead("a service's name is no dNSName", dns("a.example"),
          der(0xA0, {der_oid("1.3.6.1.5.5.7.8.7"), der(0xA0, der_text(0x16, "_https.a.example"))}), "a.example");
}

void add_malformed(Area& area) {
  struct Odd {
    const char* what;
    std::string bad;
  };
  const Odd rows[] = {
      {"a dNSName does not end with a dot", "a.example."},
      {"a dNSName does not begin with a dot", ".a.example"},
      {"a dNSName has no empty label", "a..example"},
      {"a dNSName is not empty", ""},
      {"a dNSName has no space", "a example"},
      {"a dNSName has no zero byte at its end", std::string("a.example\0", 10)},
      {"a dNSName has no zero byte in it", std::string("a.example\0.evil.example", 23)},
      {"a dNSName has no letters but those of ASCII", "b\xC3\xBC"
                                                      "cher.example"},
      {"a dNSName has no slash", "a.example/b"},
      {"a dNSName is no URI", "https://a.example"},
      {"a dNSName has no port", "a.example:443"},
      {"a dNSName has labels of at most 63 bytes", std::string(64, 'a') + ".example"},
      {"a dNSName has at most 253 bytes", std::string(62, 'a') + "." + std::string(62, 'a') + "." +
                                              std::string(62, 'a') + "." + std::string(62, 'a') + ".aaa"},
      {"a wildcard does not end with a dot", "*.b.example."},
  };
  for (const Odd& row : rows)
    area.pair(row.what, asked({dns("a.example")}, "a.example"), asked({dns("a.example"), dns(row.bad)}, "a.example"),
              malformed(0));
  // Nothing but a name that is none, asked for as it stands there.
  const auto alone = [&](const char* what, const std::string& name, const char* server) {
    area.pair(what, asked({dns(server)}, server), asked({dns(name)}, server), malformed(0));
  };
  alone("the name ends with a dot", "a.example.", "a.example");
  alone("the name begins with a dot", ".example", "a.example");
  alone("the name goes on after a zero byte", std::string("a.example\0.evil.example", 23), "a.example");
  alone("the name has a space behind it", "a.example ", "a.example");
}

} // namespace

void add_names(std::vector<Pair>& to) {
  Area area(to, "names");
  add_dns(area);
  add_common_names(area);
  add_addresses(area);
  add_malformed(area);
}

} // namespace corpus
