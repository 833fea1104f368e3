// DER by hand: what has one encoding is taken in that one, and in no other.
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/der.hpp>

using tlsconnect::BytesView;
using tlsconnect::ByteVector;
using tlsconnect::detail::DerItem;
using tlsconnect::detail::next_der;
using tlsconnect::detail::only_der;

namespace {

/// The value at the front of these bytes, how long its contents are, and how many bytes are left.
struct Taken {
  std::uint8_t tag;
  std::size_t contents;
  std::size_t left;
  friend bool operator==(const Taken&, const Taken&) = default;
};
std::optional<Taken> take(ByteVector bytes, std::size_t further = 0) {
  bytes.resize(bytes.size() + further, 0x55);
  BytesView rest = bytes;
  const auto item = next_der(rest);
  if (!item) {
    CHECK(rest.size() == bytes.size()); // nothing was taken
    return std::nullopt;
  }
  CHECK(item->whole.size() + rest.size() == bytes.size());
  CHECK(item->whole.data() == bytes.data());
  CHECK(item->contents.data() + item->contents.size() == rest.data());
  return Taken{item->tag, item->contents.size(), rest.size()};
}

std::optional<std::int64_t> time_of(std::string_view text, std::uint8_t tag) {
  const BytesView contents = tlsconnect::as_bytes(text);
  return tlsconnect::detail::der_time(DerItem{tag, contents, contents});
}
std::optional<std::int64_t> utc(std::string_view text) { return time_of(text, tlsconnect::detail::der_utc_time); }
std::optional<std::int64_t> generalized(std::string_view text) {
  return time_of(text, tlsconnect::detail::der_generalized_time);
}

} // namespace

TEST_CASE("a DER value: tag, length, contents", "[der]") {
  CHECK(take({0x05, 0x00}) == Taken{0x05, 0, 0});
  CHECK(take({0x04, 0x03}, 3) == Taken{0x04, 3, 0});
  CHECK(take({0x04, 0x03}, 5) == Taken{0x04, 3, 2});
  CHECK(take({0x04, 0x7F}, 127) == Taken{0x04, 127, 0});
  CHECK(take({0x30, 0x81, 0x80}, 128) == Taken{0x30, 128, 0});
  CHECK(take({0x30, 0x81, 0xFF}, 256) == Taken{0x30, 255, 1});
  CHECK(take({0x30, 0x82, 0x01, 0x00}, 256) == Taken{0x30, 256, 0});
  CHECK(take({0x30, 0x83, 0x01, 0x00, 0x00}, 65'536) == Taken{0x30, 65'536, 0});
  CHECK(take({0x30, 0x84, 0x01, 0x00, 0x00, 0x00}, 16'777'216) == Taken{0x30, 16'777'216, 0});

  CHECK_FALSE(take({}));
  CHECK_FALSE(take({0x05}));
  CHECK_FALSE(take({0x04, 0x01}));
  CHECK_FALSE(take({0x04, 0x03}, 2));
  CHECK_FALSE(take({0x30, 0x81}));
  CHECK_FALSE(take({0x30, 0x81, 0x80}, 127));
  CHECK_FALSE(take({0x30, 0x82, 0x01}));
}

TEST_CASE("a length has one form (X.690, 10.1)", "[der]") {
  CHECK_FALSE(take({0x04, 0x81, 0x03}, 3));
  CHECK_FALSE(take({0x04, 0x81, 0x7F}, 127));
  CHECK_FALSE(take({0x04, 0x82, 0x00, 0x80}, 128));
  CHECK_FALSE(take({0x04, 0x84, 0x00, 0x00, 0x01, 0x00}, 256));
  // Indefinite, and more bytes than any certificate needs.
  CHECK_FALSE(take({0x30, 0x80}));
  CHECK_FALSE(take({0x30, 0x80, 0x00, 0x00}));
  CHECK_FALSE(take({0x30, 0x80, 0x01, 0x00}, 256));
  CHECK_FALSE(take({0x30, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00}, 10));
  CHECK_FALSE(take({0x30, 0x89, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x80}, 128)); // more than a size_t holds
  CHECK_FALSE(take({0x30, 0xFF}, 200));
}

TEST_CASE("a tag is one byte", "[der]") {
  CHECK(take({0x1E, 0x00}));
  CHECK(take({0xBE, 0x00}));
  CHECK_FALSE(take({0x1F, 0x00}));
  CHECK_FALSE(take({0x1F, 0x81, 0x00}, 1)); // a number above 30 follows
  CHECK_FALSE(take({0xBF, 0x00}));
}

TEST_CASE("exactly one value, of one kind", "[der]") {
  const auto only = [](const ByteVector& bytes) {
    return only_der(bytes, tlsconnect::detail::der_octet_string).has_value();
  };
  CHECK(only({0x04, 0x01, 0x00}));
  CHECK_FALSE(only({0x05, 0x00}));
  CHECK_FALSE(only({0x04, 0x01, 0x00, 0x00}));
  CHECK_FALSE(only({0x04, 0x01}));
  CHECK_FALSE(only({}));
}

TEST_CASE("times (RFC 5280, 4.1.2.5)", "[der]") {
  CHECK(utc("700101000000Z") == 0);
  CHECK(utc("491231235959Z") == 2'524'607'999);
  CHECK(utc("500101000000Z") == -631'152'000); // of the twentieth century from here on
  CHECK(generalized("20500101000000Z") == 2'524'608'000);
  CHECK(generalized("00010101000000Z") == -62'135'596'800);
  CHECK(generalized("20240229123456Z") == 1'709'210'096);
  CHECK(generalized("20241231235959Z") == 1'735'689'599);

  // The length of the other form, and other types.
  CHECK_FALSE(utc("20240229123456Z"));
  CHECK_FALSE(generalized("240229123456Z"));
  CHECK_FALSE(time_of("20240229123456Z", tlsconnect::detail::der_octet_string));
  CHECK_FALSE(time_of("240229123456Z", 0x19));
  CHECK_FALSE(generalized(""));
  // Without seconds, with fractions of them, not in UTC.
  CHECK_FALSE(utc("2402291234Z"));
  CHECK_FALSE(generalized("202402291234Z"));
  CHECK_FALSE(generalized("20240229123456.5Z"));
  CHECK_FALSE(generalized("20240229123456+"));
  CHECK_FALSE(generalized("202402291234560"));
  CHECK_FALSE(utc("2402291234560"));
  // Digits, each of them.
  const std::string good = "20240229123456Z";
  for (std::size_t i = 0; i + 1 < good.size(); ++i)
    for (const char c : {'/', ':', '-', ' '}) {
      std::string text = good;
      text[i] = c;
      CAPTURE(text);
      CHECK_FALSE(generalized(text));
    }
}

TEST_CASE("dates that the calendar has", "[der]") {
  for (const char* text :
       {"20240101000000Z", "20240131235959Z", "20240630000000Z", "20241201000000Z", "20000229000000Z"})
    CHECK(generalized(text));
  for (const char* text : {"20240001000000Z", "20241301000000Z", "20240100000000Z", "20240132000000Z",
                           "20240631000000Z", "20230229000000Z", "21000229000000Z", "20241232000000Z",
                           "20240101240000Z", "20240101006000Z", "20240101000060Z"}) {
    CAPTURE(text);
    CHECK_FALSE(generalized(text));
  }
}
