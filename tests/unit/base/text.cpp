// Dates, names from elsewhere, and PEM blocks.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

#include <tlsconnect/base/text.hpp>

using namespace tlsconnect::detail;

TEST_CASE("dates", "[text]") {
  CHECK(iso8601(0) == "1970-01-01T00:00:00Z");
  CHECK(iso8601(-1) == "1969-12-31T23:59:59Z");
  CHECK(iso8601(951'782'400) == "2000-02-29T00:00:00Z");
  CHECK(iso8601(951'868'800) == "2000-03-01T00:00:00Z");
  CHECK(iso8601(1'780'272'000) == "2026-06-01T00:00:00Z");
  CHECK(iso8601(4'102'444'799) == "2099-12-31T23:59:59Z");
  CHECK(iso8601(4'107'542'399) == "2100-02-28T23:59:59Z");
  CHECK(iso8601(4'107'542'400) == "2100-03-01T00:00:00Z"); // no leap year
  CHECK(iso8601(253'402'300'799) == "9999-12-31T23:59:59Z");
  CHECK(iso8601(-11'644'473'600) == "1601-01-01T00:00:00Z");
  static_assert(days_since_epoch(1970, 1, 1) == 0);
  static_assert(days_since_epoch(2000, 3, 1) - days_since_epoch(2000, 2, 28) == 2);
  static_assert(days_since_epoch(1900, 3, 1) - days_since_epoch(1900, 2, 28) == 1);
}

TEST_CASE("what somebody else wrote cannot play with the terminal", "[text]") {
  CHECK(printable("plain, with spaces") == "plain, with spaces");
  CHECK(printable("a\nb\x1b[31m") == "a\\x0ab\\x1b[31m");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("back\\slash") == "back\\x5cslash");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x92") == "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x92");
  CHECK(printable("\xc2\x85") == "\\xc2\\x85");                   // a control character of two bytes
  CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");          // right-to-left override
  CHECK(printable("\xef\xbb\xbf") == "\\xef\\xbb\\xbf");          // byte order mark
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");                   // overlong
  CHECK(printable("\xe0\x80\x80") == "\\xe0\\x80\\x80");          // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // behind the last code point
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");                   // cut short
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("PEM blocks, and what lies between them", "[text]") {
  std::string_view rest = "text before\n-----BEGIN A-----\nAAAA\n-----END A-----\nbetween\n"
                          "-----BEGIN B C-----\nBBBB\n-----END B C-----\n";
  auto block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(block->label == "A");
  CHECK(block->body == "\nAAAA\n");
  CHECK(block->whole == "-----BEGIN A-----\nAAAA\n-----END A-----");
  CHECK(block->complete);
  block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(block->label == "B C");
  CHECK(block->complete);
  CHECK(!next_pem_block(rest));
}

TEST_CASE("damaged PEM blocks do not swallow the good ones", "[text]") {
  std::string_view rest = "-----BEGIN A-----\nAAAA\n-----BEGIN B-----\nBBBB\n-----END B-----\n";
  auto block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(block->label == "A");
  CHECK(!block->complete);
  block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(block->label == "B");
  CHECK(block->complete);

  rest = "-----BEGIN A-----\nAAAA\n-----END X-----\n";
  block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(!block->complete);
  rest = "-----BEGIN A-----\nAAAA";
  block = next_pem_block(rest);
  REQUIRE(block);
  CHECK(!block->complete);
  CHECK(rest.empty());
  rest = "-----BEGIN ";
  CHECK(!next_pem_block(rest));
}
