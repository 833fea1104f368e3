// Base64.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

#include <tlsconnect/base/base64.hpp>

using tlsconnect::as_bytes;
using tlsconnect::as_text;
using tlsconnect::detail::decode_base64;
using tlsconnect::detail::encode_base64;

TEST_CASE("the examples of RFC 4648, 10", "[base64]") {
  struct Row {
    std::string_view plain;
    std::string_view encoded;
  };
  for (const Row& row : {Row{"", ""}, Row{"f", "Zg=="}, Row{"fo", "Zm8="}, Row{"foo", "Zm9v"}, Row{"foob", "Zm9vYg=="},
                         Row{"fooba", "Zm9vYmE="}, Row{"foobar", "Zm9vYmFy"}}) {
    CHECK(encode_base64(as_bytes(row.plain)) == row.encoded);
    const auto decoded = decode_base64(row.encoded);
    REQUIRE(decoded);
    CHECK(as_text(*decoded) == row.plain);
  }
}

TEST_CASE("every byte survives", "[base64]") {
  tlsconnect::ByteVector all;
  for (unsigned i = 0; i < 256; ++i)
    all.push_back(static_cast<std::uint8_t>(i));
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const tlsconnect::BytesView part = tlsconnect::BytesView(all).first(size);
    const auto decoded = decode_base64(encode_base64(part));
    REQUIRE(decoded);
    CHECK(tlsconnect::equal(*decoded, part));
  }
}

TEST_CASE("white space is passed over, anything else is not", "[base64]") {
  CHECK(as_text(decode_base64(" Zm9v\r\n\tYm\nFy \n").value()) == "foobar");
  CHECK(as_text(decode_base64("Z g = =").value()) == "f");
  for (const std::string_view bad : {"Zg", "Zg=", "Zg===", "Z===", "====", "=Zg=", "Zm=v", "Zm9v=", "Zm9vYg==Zm9v",
                                     "Zm-v", "Zm_v", "Zm9v!", "Zm9\x80",
                                     // bits that stand for nothing
                                     "Zh==", "Zm9=", "Zk=="}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_base64(bad));
  }
}
