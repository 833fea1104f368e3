// Name constraints (RFC 5280, 4.2.1.10): each with a name that it lets pass, and one that it does not.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

/// A certificate for a.example or 192.0.2.1, besides others, below an authority with constraints.
Plan chain(const Blob& value, const std::vector<Blob>& names, std::size_t position = 1, bool is_critical = true) {
  Plan p = plan(2);
  add_extension(p.at(position), name_constraints_id, is_critical, value);
  std::vector<Blob> all = {dns("a.example")};
  all.insert(all.end(), names.begin(), names.end());
  set_alt_names(p.leaf, all);
  return p;
}
/// The name asked for is one of those that are permitted.
Plan only(const Blob& value, const std::vector<Blob>& names, const char* server) {
  Plan p = chain(value, {});
  p.leaf.extensions.clear();
  set_alt_names(p.leaf, names);
  p.server = server;
  return p;
}

struct Row {
  const char* what;
  Blob value;
  Blob good;
  Blob bad;
};

void add_dns(Area& area) {
  const Blob a = dns("a.example"); // of every certificate
  const Blob com = dns("example.com");
  const Row rows[] = {
      {"a name in the permitted domain", constraints({a, com}, {}), dns("b.example.com"), dns("b.example.org")},
      {"the permitted domain itself", constraints({a, com}, {}), com, dns("badexample.com")},
      {"far below the permitted domain", constraints({a, com}, {}), dns("d.c.b.example.com"), dns("example.com.org")},
      {"in capitals", constraints({a, com}, {}), dns("B.EXAMPLE.COM"), dns("B.EXAMPLE.NET")},
      {"a constraint in capitals", constraints({a, dns("EXAMPLE.com")}, {}), com, dns("example.net")},
      {"a constraint with a dot in front", constraints({a, dns(".example.com")}, {}), dns("b.example.com"), com},
      {"one of several permitted domains", constraints({a, com, dns("b.example")}, {}), dns("b.example"),
       dns("c.example")},
      {"a name that is not in the excluded domain", constraints({}, {com}), dns("example.org"), dns("b.example.com")},
      {"not the excluded domain itself", constraints({}, {com}), dns("badexample.com"), com},
      {"an excluded domain with a dot in front", constraints({}, {dns(".example.com")}), com, dns("b.example.com")},
      {"none of several excluded domains", constraints({}, {com, dns("b.example")}), dns("c.example"),
       dns("b.example")},
      {"permitted, and not excluded", constraints({a, com}, {dns("evil.example.com")}), dns("good.example.com"),
       dns("evil.example.com")},
      {"a wildcard in the permitted domain", constraints({a, com}, {}), dns("*.example.com"), dns("*.com")},
      {"a wildcard wider than the permitted domain", constraints({a, dns("b.example.com")}, {}), dns("*.b.example.com"),
       dns("*.example.com")},
      {"a wildcard below the excluded domain", constraints({}, {com}), dns("*.example.org"), dns("*.b.example.com")},
      {"a wildcard that covers the excluded name", constraints({}, {dns("evil.example.com")}),
       dns("*.good.example.com"), dns("*.example.com")},
      {"a wildcard of one label does not reach further", constraints({}, {dns("very.evil.example.com")}),
       dns("*.example.com"), dns("*.evil.example.com")},
  };
  for (const Row& row : rows)
    area.pair(row.what, chain(row.value, {row.good}), chain(row.value, {row.bad}), constrained(0));
  area.pair("an authority that may issue for no DNS name",
            only(constraints({}, {dns("")}), {address({192, 0, 2, 1})}, "192.0.2.1"),
            only(constraints({}, {dns("")}), {dns("a.example")}, "a.example"), constrained(0));
  area.pair("one that may issue for all DNS names", only(constraints({dns("")}, {}), {dns("a.example")}, "a.example"),
            only(constraints({dns("example.com")}, {}), {dns("a.example")}, "a.example"), constrained(0));
  area.pair("constraints that are not critical are kept all the same", chain(constraints({a}, {}), {}, 1, false),
            chain(constraints({a}, {}), {dns("b.example")}, 1, false), constrained(0));
}

void add_addresses(Area& area) {
  Blob network(32, 0);
  network[0] = 0x20;
  network[1] = 0x01;
  network[16] = network[17] = 0xFF;
  Blob inside(16, 7);
  inside[0] = 0x20;
  inside[1] = 0x01;
  const Blob outside(16, 7);
  const Blob ten = address({10, 0, 0, 0, 255, 0, 0, 0});
  const Row rows[] = {
      {"an address in the permitted network", constraints({ten}, {}), address({10, 1, 1, 1}), address({11, 1, 1, 1})},
      {"an address outside of the excluded network", constraints({}, {ten}), address({11, 1, 1, 1}),
       address({10, 1, 1, 1})},
      {"a network of eight addresses", constraints({address({192, 0, 2, 0, 255, 255, 255, 0xF8})}, {}),
       address({192, 0, 2, 7}), address({192, 0, 2, 8})},
      {"a network of one address", constraints({address({192, 0, 2, 1, 255, 255, 255, 255})}, {}),
       address({192, 0, 2, 1}), address({192, 0, 2, 2})},
      {"all addresses of IPv4 are permitted, none of IPv6", constraints({address(Blob(8, 0))}, {}),
       address({192, 0, 2, 1}), address(outside)},
      {"an IPv6 address in the permitted network", constraints({address(network)}, {}), address(inside),
       address(outside)},
      {"an IPv6 address outside of the excluded network", constraints({}, {address(network)}), address(outside),
       address(inside)},
      {"networks of IPv6 alone are permitted", constraints({address(network)}, {}), address(inside),
       address({192, 0, 2, 1})},
      {"no network of IPv4 is excluded", constraints({}, {address(Blob(32, 0))}), address({192, 0, 2, 1}),
       address(inside)},
      {"no address at all is permitted", constraints({address({0, 0, 0, 0, 255, 255, 255, 255})}, {}), dns("b.example"),
       address({192, 0, 2, 1})},
  };
  for (const Row& row : rows)
    area.pair(row.what, chain(row.value, {row.good}), chain(row.value, {row.bad}), constrained(0));
}

void add_directory_names(Area& area) {
  const auto subject = [](const Blob& value, const std::vector<std::string>& name) {
    Plan p = chain(value, {});
    p.leaf.subject_name = test::der_name(name);
    return p;
  };
  const Blob only_a = constraints({directory({"A"})}, {});
  const Blob not_ab = constraints({}, {directory({"A", "B"})});
  struct Subjects {
    const char* what;
    Blob value;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  };
  const Subjects rows[] = {
      {"a subject that is permitted", only_a, {"A"}, {"B"}},
      {"a subject below the permitted one", only_a, {"A", "B"}, {"B", "A"}},
      {"a permitted subject in another case", only_a, {"a", "B"}, {"AB"}},
      {"a subject that is not excluded", not_ab, {"A", "C"}, {"A", "B"}},
      {"a subject above the excluded one", not_ab, {"A"}, {"A", "B", "C"}},
      {"an excluded subject in another case", not_ab, {"a", "c"}, {"a", "b"}},
      {"an empty subject is no name", only_a, {}, {"B"}},
      {"one value that looks like two",
       constraints({directory({"A", "B"})}, {}),
       {"A", "B"},
       {std::string("A\0\1B", 4)}},
  };
  for (const Subjects& row : rows)
    area.pair(row.what, subject(row.value, row.good), subject(row.value, row.bad), constrained(0));
  const Blob both = constraints({directory({"A"}), directory({"Server"})}, {});
  area.pair("a directory name besides the subject", chain(both, {directory({"A", "x"})}),
            chain(both, {directory({"B", "x"})}), constrained(0));
}

void add_other_forms(Area& area) {
  // RFC 5280, 4.2.1.10: a form that is not processed is as good as violated where both sides have it.
  const Blob mail = email("example.com");
  const Blob site = uri("example.com");
  for (const bool permitted : {true, false}) {
    const auto value = [&](const Blob& base) { return permitted ? constraints({base}, {}) : constraints({}, {base}); };
    const std::string how = permitted ? "permitted" : "excluded";
    area.pair("no e-mail address, where some are " + how, chain(value(mail), {uri("https://b.example.com")}),
              chain(value(mail), {email(permitted ? "a@example.com" : "a@example.org")}), constrained(0));
    area.pair("no URI, where some are " + how, chain(value(site), {email("a@example.com")}),
              chain(value(site), {uri(permitted ? "https://example.com" : "https://example.org")}), constrained(0));
    const auto in_subject = [&](const char* oid) {
      Plan p = chain(value(mail), {});
      p.leaf.subject_name = der(0x30, der(0x31, der(0x30, {der_oid(oid), der_text(22, "a@b.example")})));
      return p;
    };
    area.pair("no e-mail address in the subject, where some are " + how, in_subject("2.5.4.3"),
              in_subject("1.2.840.113549.1.9.1"), constrained(0));
    const Blob id = der(0x88, Blob{0x2A, 0x03});
    area.pair("no registeredID, where some are " + how, chain(value(id), {dns("b.example")}), chain(value(id), {id}),
              constrained(0));
  }
}

void add_places(Area& area) {
  const Blob com = constraints({dns("example.com"), dns("a.example")}, {});
  static constexpr const char* places[] = {"", "the authority", "the upper authority", "the root"};
  for (const std::size_t position : {std::size_t{2}, std::size_t{3}}) {
    area.pair(std::string("permitted by ") + places[position], chain(com, {dns("b.example.com")}, position),
              chain(com, {dns("b.example.org")}, position), constrained(0));
    area.pair(std::string("not excluded by ") + places[position],
              chain(constraints({}, {dns("example.com")}), {dns("b.example.org")}, position),
              chain(constraints({}, {dns("example.com")}), {dns("b.example.com")}, position), constrained(0));
  }
  // Those of two issuers are kept both.
  const auto nested = [&](const Blob& lower, const char* name) {
    Plan p = chain(com, {dns(name)}, 2);
    add_extension(p.at(1), name_constraints_id, true, lower);
    return p;
  };
  const Blob narrow = constraints({dns("b.example.com"), dns("a.example")}, {});
  const Blob wide = constraints({dns("")}, {});
  area.pair("the lower authority permits less", nested(narrow, "b.example.com"), nested(narrow, "c.example.com"),
            constrained(0));
  area.pair("the lower authority permits more", nested(wide, "c.example.com"), nested(wide, "c.example.org"),
            constrained(0));
  // Authorities have names, too, unless they are self-issued.
  const auto named_authority = [&](const char* common_name, const char* name) {
    Plan p = chain(com, {}, 2);
    p.at(1).common_name = common_name;
    p.at(1).dns = {name};
    return p;
  };
  area.pair("the authority's own name", named_authority("Lower", "ca.example.com"),
            named_authority("Lower", "ca.example.org"), constrained(1));
  area.pair("the name of a self-issued certificate is not looked at", named_authority("Authority 1", "ca.example.org"),
            named_authority("Lower", "ca.example.org"), constrained(1));
  const auto self_issued_leaf = [&](const char* name) {
    Plan p = chain(com, {dns(name)});
    p.leaf.common_name = "Authority 2";
    return p;
  };
  area.pair("unless it is the server's", self_issued_leaf("b.example.com"), self_issued_leaf("b.example.org"),
            constrained(0));
  area.pair(
      "a server's certificate has no nameConstraints", plan(),
      [](Plan& p) { add_extension(p.leaf, name_constraints_id, true, constraints({dns("a.example")}, {})); },
      constrained(0));
  // More than anybody could compare.
  std::vector<Blob> bases;
  std::vector<Blob> names;
  for (int i = 0; i < 600; ++i)
    bases.push_back(dns("x" + std::to_string(i) + ".example"));
  for (int i = 0; i < 600; ++i)
    names.push_back(dns("y" + std::to_string(i) + ".example"));
  const std::vector<Blob> few(names.begin(), names.begin() + 100);
  const Blob excluded = constraints({}, bases);
  area.pair("not too many to be compared", chain(excluded, few), chain(excluded, names), constrained(0));
  bases.push_back(dns("example"));
  const Blob permitted = constraints(bases, {});
  area.pair("not too many that are permitted", chain(permitted, few), chain(permitted, names), constrained(0));
}

} // namespace

void add_constraints(std::vector<Pair>& to) {
  Area area(to, "name constraints");
  add_dns(area);
  add_addresses(area);
  add_directory_names(area);
  add_other_forms(area);
  add_places(area);
}

} // namespace corpus
