// The table of texts that are server names, and of those that are not.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include <tlsconnect/client/server_name.hpp>

using tlsconnect::ErrorCode;
using tlsconnect::ServerName;
using Kind = tlsconnect::ServerName::Kind;

TEST_CASE("server names that are accepted, in their canonical form", "[server_name]") {
  struct Row {
    std::string text;
    Kind kind;
    std::string canonical;
  };
  const std::string label63(63, 'a');
  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b'); // 253
  const std::vector<Row> rows = {
      {"example.com", Kind::dns, "example.com"},
      {"Example.COM", Kind::dns, "example.com"},
      {"example.com.", Kind::dns, "example.com"},
      {"localhost", Kind::dns, "localhost"},
      {"xn--bcher-kva.example", Kind::dns, "xn--bcher-kva.example"},
      {"a_b.example-1.com", Kind::dns, "a_b.example-1.com"},
      {"_srv.example", Kind::dns, "_srv.example"},
      {"1.2.3.4a", Kind::dns, "1.2.3.4a"},
      {"1.example", Kind::dns, "1.example"},
      {"cafe", Kind::dns, "cafe"},
      {"web1", Kind::dns, "web1"},
      {label63 + ".com", Kind::dns, label63 + ".com"},
      {longest, Kind::dns, longest},
      {longest + ".", Kind::dns, longest},
      {"192.0.2.1", Kind::ipv4, "192.0.2.1"},
      {"0.0.0.0", Kind::ipv4, "0.0.0.0"},
      {"255.255.255.255", Kind::ipv4, "255.255.255.255"},
      {"2001:db8::1", Kind::ipv6, "2001:db8::1"},
      {"[2001:db8::1]", Kind::ipv6, "2001:db8::1"},
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", Kind::ipv6, "2001:db8::1"},
      {"::", Kind::ipv6, "::"},
      {"::1", Kind::ipv6, "::1"},
      {"1::", Kind::ipv6, "1::"},
      {"1:2:3:4:5:6:7:8", Kind::ipv6, "1:2:3:4:5:6:7:8"},
      {"1:0:0:4:0:0:0:8", Kind::ipv6, "1:0:0:4::8"},
      {"1:0:3:4:5:6:7:8", Kind::ipv6, "1:0:3:4:5:6:7:8"}, // one zero group is not shortened
      {"0:0:1:1:1:1:0:0", Kind::ipv6, "::1:1:1:1:0:0"},   // of two runs the first
      {"1:2:3:4:5:6:7::", Kind::ipv6, "1:2:3:4:5:6:7:0"},
      {"::ffff:192.0.2.1", Kind::ipv6, "::ffff:c000:201"},
      {"1:2:3:4:5:6:192.0.2.1", Kind::ipv6, "1:2:3:4:5:6:c000:201"},
      {"abcd:ef01:2345:6789:abcd:ef01:2345:6789", Kind::ipv6, "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto name = ServerName::parse(row.text);
    REQUIRE(name.has_value());
    CHECK(name->kind() == row.kind);
    CHECK(name->text() == row.canonical);
    CHECK(name->is_dns() == (row.kind == Kind::dns));
    CHECK(name->address().size() == (row.kind == Kind::dns ? 0U : row.kind == Kind::ipv4 ? 4U : 16U));
    // The canonical text means the same.
    const auto again = ServerName::parse(name->text());
    REQUIRE(again.has_value());
    CHECK(again->text() == name->text());
    CHECK(tlsconnect::equal(again->address(), name->address()));
  }
}

TEST_CASE("the bytes of an address", "[server_name]") {
  const auto ipv4 = ServerName::parse("192.0.2.255");
  REQUIRE(ipv4.has_value());
  const std::vector<std::uint8_t> bytes4 = {192, 0, 2, 255};
  CHECK(tlsconnect::equal(ipv4->address(), bytes4));

  const auto ipv6 = ServerName::parse("2001:db8::a:192.0.2.1");
  REQUIRE(ipv6.has_value());
  const std::vector<std::uint8_t> bytes6 = {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0x0A, 192, 0, 2, 1};
  CHECK(tlsconnect::equal(ipv6->address(), bytes6));
}

TEST_CASE("texts that are no server names", "[server_name]") {
  const std::string label64(64, 'a');
  const std::string label63(63, 'a');
  const std::string too_long = label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b'); // 254
  const std::vector<std::string> rows = {
      "",
      ".",
      "..",
      ".example.com",
      "example..com",
      "example.com..",
      "exam ple.com",
      "example.com ",
      "example.com:443",
      "https://example.com",
      "example.com/",
      "user@example.com",
      "*.example.com",
      "b\xC3\xBC"
      "cher.example",
      std::string("example.com\0.evil", 17),
      label64 + ".com",
      too_long,
      std::string(100'000, 'a'),
      "1.2.3",
      "256.1.1.1",
      "1.1.1.256",
      "1.2.3.4.5",
      "01.2.3.4",
      "1.2.3.04",
      "1.2.3.",
      "1.2.3.4.",
      "example.1",
      "12345",
      "1:::2",
      ":1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7g8",
      "1:2:3:4:5:6:7:8:",
      "2::1]",
      "[192.0.2.1]",
      "[example.com]",
      "[::1",
      "::1]",
      "[]",
      "[::1]:443",
      "fe80::1%eth0",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:192.0.2.1",
      "192.0.2.1::",
      "::192.0.2.1:1",
      "::256.0.2.1",
      "12345::",
      "::g",
      "1:",
      ":1",
  };
  for (const std::string& row : rows) {
    CAPTURE(row.substr(0, 80));
    const auto name = ServerName::parse(row);
    REQUIRE_FALSE(name.has_value());
    CHECK(name.error().code() == ErrorCode::server_name_invalid);
    CHECK_FALSE(name.error().detail().empty());
    CHECK(name.error().detail().size() < 500);
  }
}

TEST_CASE("the reason stands in the error", "[server_name]") {
  const auto reason = [](const char* text) { return std::string(ServerName::parse(text).error().detail()); };
  CHECK(reason("1.2.3").find("not an IPv4 address") != std::string::npos);
  CHECK(reason("b\xC3\xBC.example").find("A-label") != std::string::npos);
  CHECK(reason("example.com:443").find("no port") != std::string::npos);
  CHECK(reason("a..b").find("empty label") != std::string::npos);
  CHECK(reason("a.b..").find("empty label") != std::string::npos);
  CHECK(reason("").find("it is empty") != std::string::npos);
  CHECK(reason("[192.0.2.1]").find("not an IPv6 address") != std::string::npos);
}
