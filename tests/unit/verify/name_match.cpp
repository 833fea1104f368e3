// RFC 9525 as a table.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/verify/name_match.hpp>

#include "support.hpp"

using tlsconnect::certificate_matches;
using tlsconnect::dns_name_matches;

TEST_CASE("dNSName against a wanted name", "[name_match]") {
  struct Row {
    std::string presented;
    std::string wanted;
    bool match;
  };
  // 253 bytes.
  const std::string long_name =
      std::string(61, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(63, 'd');
  const std::vector<Row> rows = {
      {"example.com", "example.com", true},
      {"EXAMPLE.com", "example.com", true},
      {"example.com", "example.org", false},
      {"example.com", "www.example.com", false},
      {"www.example.com", "example.com", false},
      {"xample.com", "example.com", false},
      {"localhost", "localhost", true},
      {"a_b.example.com", "a_b.example.com", true},
      // wildcards: the whole left-most label, exactly one
      {"*.example.com", "www.example.com", true},
      {"*.EXAMPLE.com", "www.example.com", true},
      {"*.example.com", "example.com", false},
      {"*.example.com", "a.b.example.com", false},
      {"*.b.example.com", "a.b.example.com", true},
      {"*.example.com", ".example.com", false},
      {"*.example.com", "xn--bcher-kva.example.com", true},
      {"*.com", "example.com", false},
      {"*.", "example.com", false},
      {"*", "localhost", false},
      {"*", "example.com", false},
      {"*.*.example.com", "a.b.example.com", false},
      {"a.*.example.com", "a.b.example.com", false},
      {"w*.example.com", "www.example.com", false},
      {"*w.example.com", "www.example.com", false},
      {"w*w.example.com", "www.example.com", false},
      {"xn--*.example.com", "xn--bcher-kva.example.com", false},
      {"**.example.com", "www.example.com", false},
      {"example.*", "example.com", false},
      {"*.example.com", "*.example.com", false},
      {"*.2.3.4", "1.2.3.4", true}, // a text; ServerName never makes a DNS name of it
      // malformed names match nothing, not even themselves
      {"", "", false},
      {"", "example.com", false},
      {"example.com.", "example.com", false},
      {"example.com.", "example.com.", false},
      {"*.example.com.", "www.example.com", false},
      {".example.com", "www.example.com", false},
      {"example..com", "example..com", false},
      {"*..com", "www..com", false},
      {"exam ple.com", "exam ple.com", false},
      {std::string("example.com\0", 12), "example.com", false},
      {std::string("example.com\0.evil.org", 21), "example.com", false},
      {std::string("*.example.com\0", 14), "www.example.com", false},
      {"b\xC3\xBC"
       "cher.example",
       "b\xC3\xBC"
       "cher.example",
       false},
      {std::string(64, 'a') + ".com", std::string(64, 'a') + ".com", false},
      {long_name, long_name, true},
      {"a" + long_name, "a" + long_name, false},
      // '@' and '`' differ from letters by the case bit only
      {"@.example", "`.example", false},
      {"[.example", "{.example", false},
      {"a?.example", "a_.example", false}, // and so far are '?' and '_' apart, which is not case
  };
  for (const Row& row : rows) {
    CAPTURE(row.presented, row.wanted);
    CHECK(dns_name_matches(row.presented, row.wanted) == row.match);
  }
}

TEST_CASE("a certificate covers names by dNSName and addresses by iPAddress", "[name_match]") {
  const auto certificate = test::certificate(test::self_signed({
      .common_name = "common.example",
      .dns = {"a.example", "*.b.example", "192.0.2.7", "2001:db8::7"},
      .ip = {"192.0.2.1", "2001:db8::1"},
  }));
  CHECK(certificate_matches(certificate, test::name("a.example")));
  CHECK(certificate_matches(certificate, test::name("A.example.")));
  CHECK(certificate_matches(certificate, test::name("x.b.example")));
  CHECK_FALSE(certificate_matches(certificate, test::name("b.example")));
  CHECK(certificate_matches(certificate, test::name("192.0.2.1")));
  CHECK(certificate_matches(certificate, test::name("[2001:DB8::1]")));
  CHECK_FALSE(certificate_matches(certificate, test::name("192.0.2.2")));
  CHECK_FALSE(certificate_matches(certificate, test::name("2001:db8::2")));
}

TEST_CASE("a dNSName that spells an address is no address", "[name_match]") {
  const auto certificate = test::certificate(test::self_signed({.dns = {"192.0.2.7", "a.example"}}));
  REQUIRE(certificate.dns_names().size() == 2);
  CHECK(certificate_matches(certificate, test::name("a.example")));
  CHECK_FALSE(certificate_matches(certificate, test::name("192.0.2.7")));
}

TEST_CASE("an IPv4 address does not match its IPv4-mapped IPv6 form", "[name_match]") {
  const auto four = test::certificate(test::self_signed({.ip = {"192.0.2.1"}}));
  const auto six = test::certificate(test::self_signed({.ip = {"::ffff:192.0.2.1"}}));
  CHECK(certificate_matches(four, test::name("192.0.2.1")));
  CHECK_FALSE(certificate_matches(four, test::name("::ffff:192.0.2.1")));
  CHECK(certificate_matches(six, test::name("::ffff:192.0.2.1")));
  CHECK_FALSE(certificate_matches(six, test::name("192.0.2.1")));
}

TEST_CASE("the common name is never looked at", "[name_match]") {
  const auto only_common = test::certificate(test::self_signed({.common_name = "a.example"}));
  CHECK_FALSE(certificate_matches(only_common, test::name("a.example")));
  const auto with_name = test::certificate(test::self_signed({.common_name = "a.example", .dns = {"a.example"}}));
  CHECK(certificate_matches(with_name, test::name("a.example")));
}
