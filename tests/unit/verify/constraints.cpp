// Name constraints: the comparisons alone, and in chains.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/verify/name_constraints.hpp>

#include "chains.hpp"

using test::accepts;
using test::Blob;
using test::CertOptions;
using test::constraints;
using test::contains;
using test::der;
using test::der_oid;
using test::der_text;
using test::refuses;
using test::Three;
using tlsconnect::address_within;
using tlsconnect::dns_name_touches;
using tlsconnect::dns_name_within;
using tlsconnect::ErrorCode;
using tlsconnect::PathRule;

namespace {

constexpr ErrorCode violated = ErrorCode::certificate_constraint_violated;

Blob dns(std::string_view name) { return der_text(0x82, name); }
Blob address(const Blob& bytes) { return der(0x87, bytes); }
Blob directory(const std::vector<std::string>& names) { return der(0xA4, test::der_name(names)); }

/// A chain whose authority has such constraints, and a server's certificate with such names.
test::Outcome chain(const Blob& value, const std::vector<Blob>& names, CertOptions leaf = {}, bool critical = true) {
  Blob all;
  for (const Blob& name : names)
    all.insert(all.end(), name.begin(), name.end());
  if (!names.empty())
    leaf.extensions.push_back({"2.5.29.17", false, der(0x30, all)});
  return Three{.authority = {.ca = true, .extensions = {{"2.5.29.30", critical, value}}}, .leaf = std::move(leaf)}
      .judge();
}
/// A pair: the constraint lets one name pass, and not the other.
void pair(const Blob& value, const Blob& good, const Blob& bad, std::string_view part = "nameConstraints") {
  accepts(chain(value, {good}));
  refuses(chain(value, {bad}), PathRule::name_constraints, violated, 0, part);
  // One bad name among good ones is enough, and criticality does not matter.
  refuses(chain(value, {good, bad, good}), PathRule::name_constraints, violated, 0, part);
  refuses(chain(value, {bad}, {}, false), PathRule::name_constraints, violated, 0, part);
}

} // namespace

TEST_CASE("DNS names within a constraint", "[constraints]") {
  CHECK(dns_name_within("example.com", "example.com"));
  CHECK(dns_name_within("a.example.com", "example.com"));
  CHECK(dns_name_within("a.b.example.com", "example.com"));
  CHECK(dns_name_within("A.EXAMPLE.com", "example.COM"));
  CHECK(dns_name_within("a.example.com", ".example.com"));
  CHECK(dns_name_within("anything", ""));
  CHECK(dns_name_within("*.example.com", "example.com"));
  CHECK_FALSE(dns_name_within("example.com", ".example.com"));
  CHECK_FALSE(dns_name_within("badexample.com", "example.com"));
  CHECK_FALSE(dns_name_within("com", "example.com"));
  CHECK_FALSE(dns_name_within("example.com.org", "example.com"));
  CHECK_FALSE(dns_name_within("example.org", "example.com"));
  CHECK_FALSE(dns_name_within("*.example.com", "a.example.com"));
  CHECK_FALSE(dns_name_within(".example.com", ".example.com"));
  CHECK_FALSE(dns_name_within("a?.example.com", "a_.example.com")); // only letters have case
}

TEST_CASE("DNS names that touch a constraint", "[constraints]") {
  CHECK(dns_name_touches("a.example.com", "example.com"));
  CHECK(dns_name_touches("*.example.com", "example.com"));
  CHECK(dns_name_touches("*.example.com", ".example.com"));
  CHECK(dns_name_touches("*.example.com", "a.example.com"));
  CHECK(dns_name_touches("*.EXAMPLE.com", "a.example.COM"));
  CHECK_FALSE(dns_name_touches("*.example.com", "b.a.example.com")); // "*" is one label
  CHECK_FALSE(dns_name_touches("*.example.com", ".a.example.com"));
  CHECK_FALSE(dns_name_touches("*.example.com", "a.example.org"));
  CHECK_FALSE(dns_name_touches("example.com", "a.example.com"));
  CHECK_FALSE(dns_name_touches("*.com", "com.example"));
  CHECK_FALSE(dns_name_touches("*.example", "example.com"));
  CHECK_FALSE(dns_name_touches("b.example.com", "a.example.com"));
  CHECK_FALSE(dns_name_touches("example.com", "a.")); // without a wildcard nothing is left to be compared
}

TEST_CASE("addresses in networks", "[constraints]") {
  const Blob ten = {10, 0, 0, 0, 255, 0, 0, 0};
  CHECK(address_within(Blob{10, 1, 2, 3}, ten));
  CHECK_FALSE(address_within(Blob{11, 1, 2, 3}, ten));
  CHECK(address_within(Blob{10, 1, 2, 3}, Blob(8, 0)));
  CHECK(address_within(Blob{192, 0, 2, 1}, Blob{192, 0, 2, 1, 255, 255, 255, 255}));
  CHECK_FALSE(address_within(Blob{192, 0, 2, 2}, Blob{192, 0, 2, 1, 255, 255, 255, 255}));
  CHECK(address_within(Blob{192, 0, 2, 7}, Blob{192, 0, 2, 0, 255, 255, 255, 0xF8}));
  CHECK_FALSE(address_within(Blob{192, 0, 2, 8}, Blob{192, 0, 2, 0, 255, 255, 255, 0xF8}));
  CHECK_FALSE(address_within(Blob(16, 0), Blob(8, 0))); // the other family
  CHECK_FALSE(address_within(Blob(4, 0), Blob(32, 0)));
  CHECK(address_within(Blob(16, 0), Blob(32, 0)));
}

TEST_CASE("constraints on DNS names", "[constraints]") {
  pair(constraints({dns("example.com")}, {}), dns("a.example.com"), dns("a.example.org"), "not permitted");
  pair(constraints({dns("example.com")}, {}), dns("example.com"), dns("badexample.com"), "badexample.com");
  pair(constraints({dns(".example.com")}, {}), dns("a.example.com"), dns("example.com"));
  pair(constraints({dns("a.example"), dns("b.example")}, {}), dns("b.example"), dns("c.example"));
  pair(constraints({}, {dns("example.com")}), dns("example.org"), dns("a.example.com"), "excluded");
  pair(constraints({}, {dns("a.example"), dns("b.example")}), dns("c.example"), dns("b.example"));
  pair(constraints({dns("example.com")}, {dns("evil.example.com")}), dns("a.example.com"), dns("evil.example.com"),
       "excluded");
  // Wildcards.
  pair(constraints({dns("example.com")}, {}), dns("*.example.com"), dns("*.com"));
  pair(constraints({dns("a.example.com")}, {}), dns("*.a.example.com"), dns("*.example.com"));
  pair(constraints({}, {dns("evil.example.com")}), dns("*.good.example.com"), dns("*.example.com"));
  // No DNS names at all, from an authority that may not issue for any.
  refuses(chain(constraints({}, {dns("")}), {dns("a.example")}), PathRule::name_constraints, violated, 0);
  accepts(chain(constraints({}, {dns("")}), {address({192, 0, 2, 1})}));
  accepts(chain(constraints({dns("example.com")}, {}), {}));
}

TEST_CASE("constraints on addresses", "[constraints]") {
  pair(constraints({address({10, 0, 0, 0, 255, 0, 0, 0})}, {}), address({10, 1, 1, 1}), address({11, 1, 1, 1}),
       "iPAddress 11.1.1.1");
  pair(constraints({}, {address({10, 0, 0, 0, 255, 0, 0, 0})}), address({11, 1, 1, 1}), address({10, 1, 1, 1}));
  Blob network(32, 0);
  network[0] = 0x20;
  network[1] = 0x01;
  network[16] = network[17] = 0xFF;
  Blob inside(16, 7);
  inside[0] = 0x20;
  inside[1] = 0x01;
  pair(constraints({address(network)}, {}), address(inside), address(Blob(16, 7)), "iPAddress 0707");
  pair(constraints({}, {address(network)}), address(Blob(16, 7)), address(inside));
  // Both families are one form (RFC 5280, 4.2.1.10): who may issue for networks of one only has none of the other.
  refuses(chain(constraints({address(network)}, {}), {address({192, 0, 2, 1})}), PathRule::name_constraints, violated,
          0);
  accepts(chain(constraints({}, {address(network)}), {address({192, 0, 2, 1})}));
  accepts(chain(constraints({address({10, 0, 0, 0, 255, 0, 0, 0})}, {}), {dns("a.example")}));
  refuses(chain(constraints({address({0, 0, 0, 0, 255, 255, 255, 255})}, {}), {address({192, 0, 2, 1})}),
          PathRule::name_constraints, violated, 0);
}

TEST_CASE("constraints on directory names", "[constraints]") {
  const auto named = [](const Blob& value, std::vector<std::string> subject) {
    return chain(value, {}, {.subject_name = test::der_name(subject)});
  };
  const Blob only_a = constraints({directory({"A"})}, {});
  accepts(named(only_a, {"A"}));
  accepts(named(only_a, {"a", "B"}));
  refuses(named(only_a, {"B"}), PathRule::name_constraints, violated, 0, "subject");
  refuses(named(only_a, {"AB"}), PathRule::name_constraints, violated, 0);
  refuses(named(only_a, {"B", "A"}), PathRule::name_constraints, violated, 0);
  const Blob not_a = constraints({}, {directory({"A", "B"})});
  accepts(named(not_a, {"A"}));
  accepts(named(not_a, {"A", "C"}));
  refuses(named(not_a, {"A", "B"}), PathRule::name_constraints, violated, 0);
  refuses(named(not_a, {"A", "b", "C"}), PathRule::name_constraints, violated, 0);
  // An empty subject is no name; one in subjectAltName is.
  accepts(named(constraints({directory({"A"})}, {}), {}));
  pair(constraints({directory({"A"}), directory({"test"})}, {}), directory({"A", "x"}), directory({"B", "x"}),
       "directoryName");
  // A value that looks like two does not pass for them.
  refuses(named(constraints({directory({"A", "B"})}, {}), {std::string("A\0\1B", 4)}), PathRule::name_constraints,
          violated, 0);
}

TEST_CASE("forms that are not processed", "[constraints]") {
  const Blob email = der_text(0x81, "a@example.com");
  const Blob uri = der_text(0x86, "https://a.example");
  for (const bool permitted : {true, false}) {
    CAPTURE(permitted);
    const auto value = [&](const Blob& base) { return permitted ? constraints({base}, {}) : constraints({}, {base}); };
    accepts(chain(value(der_text(0x81, "example.com")), {dns("a.example")}));
    refuses(chain(value(der_text(0x81, "example.com")), {email}), PathRule::name_constraints, violated, 0,
            "rfc822Name");
    accepts(chain(value(der_text(0x81, "example.com")), {uri}));
    refuses(chain(value(der_text(0x86, "example.com")), {uri}), PathRule::name_constraints, violated, 0,
            "uniformResourceIdentifier");
    // Where older certificates have their e-mail address.
    const auto subject = [](const char* oid) {
      return CertOptions{.subject_name =
                             der(0x30, der(0x31, der(0x30, {der_oid(oid), der_text(22, "a@example.com")})))};
    };
    accepts(chain(value(der_text(0x81, "example.com")), {}, subject("2.5.4.3")));
    refuses(chain(value(der_text(0x81, "example.com")), {}, subject("1.2.840.113549.1.9.1")),
            PathRule::name_constraints, violated, 0, "e-mail");
    accepts(chain(value(dns("example.com")), {}, subject("1.2.840.113549.1.9.1")));
  }
}

TEST_CASE("whose constraints hold for whom", "[constraints]") {
  const Blob only_com = constraints({dns("example.com")}, {});
  const auto anchor = test::self_signed({.common_name = "Root", .ca = true});
  const auto constrained =
      anchor.issue({.common_name = "CA", .ca = true, .extensions = {{"2.5.29.30", true, only_com}}});
  const auto low = constrained.issue({.common_name = "Low", .ca = true});
  // Further down than the next certificate.
  accepts(test::judge(low.issue({.dns = {"a.example.com"}}).chain_der(), {anchor}));
  refuses(test::judge(low.issue({.dns = {"a.example.org"}}).chain_der(), {anchor}), PathRule::name_constraints,
          violated, 0, "CN=CA");
  // Authorities in between have names too, unless they are self-issued.
  const auto odd = constrained.issue({.common_name = "Odd", .dns = {"ca.example.org"}, .ca = true});
  refuses(test::judge(odd.issue({.dns = {"a.example.com"}}).chain_der(), {anchor}), PathRule::name_constraints,
          violated, 1);
  const auto again = constrained.issue({.common_name = "CA", .dns = {"ca.example.org"}, .ca = true});
  accepts(test::judge(again.issue({.dns = {"a.example.com"}}).chain_der(), {anchor}));
  refuses(test::judge(again.issue({.dns = {"a.example.org"}}).chain_der(), {anchor}), PathRule::name_constraints,
          violated, 0);
  // But not the server's, even if it has its issuer's name.
  refuses(test::judge(constrained.issue({.common_name = "CA", .dns = {"a.example.org"}}).chain_der(), {anchor}),
          PathRule::name_constraints, violated, 0);
  // The anchor's.
  const auto limited =
      test::self_signed({.common_name = "Root", .ca = true, .extensions = {{"2.5.29.30", true, only_com}}});
  accepts(test::judge(limited.issue({.dns = {"a.example.com"}}).chain_der(), {limited}));
  refuses(test::judge(limited.issue({.dns = {"a.example.org"}}).chain_der(), {limited}), PathRule::name_constraints,
          violated, 0, "CN=Root");
  // Two of them, both of which must be kept.
  const auto narrower = limited.issue(
      {.common_name = "CA", .ca = true, .extensions = {{"2.5.29.30", true, constraints({dns("a.example.com")}, {})}}});
  accepts(test::judge(narrower.issue({.dns = {"a.example.com"}}).chain_der(), {limited}));
  refuses(test::judge(narrower.issue({.dns = {"b.example.com"}}).chain_der(), {limited}), PathRule::name_constraints,
          violated, 0, "CN=CA");
  const auto wider =
      limited.issue({.common_name = "CA", .ca = true, .extensions = {{"2.5.29.30", true, constraints({dns("")}, {})}}});
  refuses(test::judge(wider.issue({.dns = {"b.example.org"}}).chain_der(), {limited}), PathRule::name_constraints,
          violated, 0, "CN=Root");
}

TEST_CASE("malformed constraints", "[constraints]") {
  const auto authority = [](const Blob& value) {
    return Three{.authority = {.ca = true, .extensions = {{"2.5.29.30", true, value}}}}.judge();
  };
  accepts(authority(constraints({dns("example.com")}, {})));
  for (const Blob& value : {Blob{0x30, 0x00}, constraints({dns("a b")}, {}), constraints({}, {address({10, 0, 0, 0})}),
                            constraints({address({10, 0, 0, 0, 255, 0, 255, 0})}, {}), Blob{0x30, 0x02, 0xA0, 0x00}})
    refuses(authority(value), PathRule::well_formed, ErrorCode::certificate_malformed, 1, "nameConstraints");
}

TEST_CASE("so many constraints that nobody could compare them", "[constraints]") {
  std::vector<Blob> bases;
  std::vector<Blob> names;
  for (int i = 0; i < 1'500; ++i)
    bases.push_back(dns("x" + std::to_string(i) + ".example"));
  for (int i = 0; i < 1'500; ++i)
    names.push_back(dns("y" + std::to_string(i) + ".example"));
  const Blob permitted = dns("example");
  const std::vector<Blob> few(names.begin(), names.begin() + 100);
  accepts(chain(constraints({permitted}, bases), few));
  refuses(chain(constraints({permitted}, bases), names), PathRule::name_constraints, violated, 0, "too many");
  refuses(chain(constraints(bases, {}), names), PathRule::name_constraints, violated, 0);

  std::vector<Blob> all = bases;
  all.push_back(permitted);
  refuses(chain(constraints(all, {}), names), PathRule::name_constraints, violated, 0, "too many");
  // The count is that of the whole search.
  Blob list;
  for (const Blob& name : names)
    list.insert(list.end(), name.begin(), name.end());
  const auto anchor = test::self_signed({.common_name = "Root", .ca = true});
  const auto authority = anchor.issue(
      {.common_name = "CA", .ca = true, .extensions = {{"2.5.29.30", true, constraints({permitted}, bases)}}});
  const auto leaf = authority.issue({.extensions = {{"2.5.29.17", false, der(0x30, list)}}});
  tlsconnect::PathCost cost;
  CHECK_FALSE(test::judge(leaf.chain_der(), {anchor}, test::now, {}, &cost).has_value());
  CHECK(cost.name_comparisons == tlsconnect::limits::name_constraint_comparisons);
}
