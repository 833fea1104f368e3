// Reader and Writer: what they take, what they refuse, and that the first problem stays.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <limits>
#include <optional>
#include <vector>

#include <tlsconnect/wire/codec.hpp>

using namespace tlsconnect;

namespace {

std::optional<ErrorCode> problem(const Result<>& result) {
  return result ? std::nullopt : std::optional(result.error().code());
}

} // namespace

TEST_CASE("numbers are big-endian and as wide as their type", "[cursor]") {
  ByteVector out;
  Writer writer(out);
  writer.number(std::uint8_t{0x01});
  writer.number(std::uint16_t{0x0203});
  writer.number24(std::uint32_t{0x040506});
  writer.number(std::uint32_t{0x0708090A});
  writer.number(std::uint64_t{0x0B0C0D0E0F101112});
  writer.number(CipherSuite::aes_256_gcm_sha384);
  REQUIRE(writer.finish("test"));
  CHECK(out == ByteVector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0x13, 0x02});

  Reader reader(out);
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  std::uint64_t e = 0;
  CipherSuite suite{};
  reader.number(a);
  reader.number(b);
  reader.number24(c);
  reader.number(d);
  reader.number(e);
  reader.number(suite);
  REQUIRE(reader.finish("test"));
  CHECK(a == 1);
  CHECK(b == 0x0203);
  CHECK(c == 0x040506);
  CHECK(d == 0x0708090A);
  CHECK(e == 0x0B0C0D0E0F101112);
  CHECK(suite == CipherSuite::aes_256_gcm_sha384);
}

TEST_CASE("code points without a name survive", "[cursor]") {
  const ByteVector in{0xFA, 0xFA};
  Reader reader(in);
  CipherSuite suite{};
  reader.number(suite);
  REQUIRE(reader.finish("test"));
  CHECK(static_cast<unsigned>(suite) == 0xFAFA);
  ByteVector out;
  Writer writer(out);
  writer.number(suite);
  CHECK(out == in);
}

TEST_CASE("a Reader never reads past the end", "[cursor]") {
  for (std::size_t size = 0; size < 4; ++size) {
    const ByteVector in(size, 0xFF);
    Reader reader(in);
    std::uint32_t value = 7;
    reader.number(value);
    CHECK(problem(reader.finish("test")) == ErrorCode::message_truncated);
    CHECK(value == 7);
  }
  const ByteVector in{1, 2, 3};
  Reader reader(in);
  std::array<std::uint8_t, 4> fixed{9, 9, 9, 9};
  reader.fixed(fixed);
  CHECK(problem(reader.finish("test")) == ErrorCode::message_truncated);
  CHECK(fixed == std::array<std::uint8_t, 4>{9, 9, 9, 9});
}

TEST_CASE("the first problem stays, and nothing is read after it", "[cursor]") {
  const ByteVector in{2, 1, 1, 5, 5};
  Reader reader(in);
  BytesView field;
  reader.opaque8(field, 3, 4); // says 2
  CHECK(reader.failed());
  std::uint8_t value = 0;
  reader.number(value);
  CHECK(value == 0);
  field = in;
  reader.opaque8(field, 0, 255);
  CHECK(field.data() == in.data());
  reader.refuse(ErrorCode::key_update_invalid);
  const Result<> done = reader.finish("test");
  REQUIRE(!done);
  CHECK(done.error().code() == ErrorCode::field_out_of_range);
  CHECK(done.error().where() == "test");
}

TEST_CASE("opaque fields keep to their bounds", "[cursor]") {
  struct Row {
    ByteVector in;
    std::size_t min;
    std::size_t max;
    std::optional<ErrorCode> expected;
  };
  const std::vector<Row> rows = {
      {{0}, 0, 255, std::nullopt},
      {{0}, 1, 255, ErrorCode::field_out_of_range},
      {{1, 7}, 1, 1, std::nullopt},
      {{2, 7, 7}, 1, 1, ErrorCode::field_out_of_range},
      {{2, 7}, 0, 255, ErrorCode::message_truncated},
      {{}, 0, 255, ErrorCode::message_truncated},
      {{1, 7, 7}, 0, 255, ErrorCode::message_trailing_bytes},
  };
  for (const Row& row : rows) {
    Reader reader(row.in);
    BytesView field;
    reader.opaque8(field, row.min, row.max);
    CHECK(problem(reader.finish("test")) == row.expected);
  }
  // The widths.
  const ByteVector wide{0, 0, 2, 8, 9};
  Reader reader24(wide);
  BytesView field;
  reader24.opaque24(field, 0, 0xFF'FFFF);
  REQUIRE(reader24.finish("test"));
  CHECK(equal(field, ByteVector{8, 9}));
  Reader reader16(BytesView(wide).subspan(1));
  reader16.opaque16(field, 0, 0xFFFF);
  REQUIRE(reader16.finish("test"));
  CHECK(equal(field, ByteVector{8, 9}));
  // What is read is a view of the message, not a copy.
  CHECK(field.data() == wide.data() + 3);
}

TEST_CASE("an optional field is absent only when nothing at all is left", "[cursor]") {
  std::optional<BytesView> field;
  Reader absent(BytesView{});
  absent.optional16(field);
  CHECK(absent.finish("test"));
  CHECK(!field);
  const ByteVector none{0, 0};
  Reader empty(none);
  empty.optional16(field);
  CHECK(empty.finish("test"));
  REQUIRE(field);
  CHECK(field->empty());
  const ByteVector half{0};
  Reader broken(half);
  broken.optional16(field);
  CHECK(problem(broken.finish("test")) == ErrorCode::message_truncated);
  // After a problem nothing is read, whatever stands there.
  Reader refused(none);
  refused.refuse(ErrorCode::key_update_invalid);
  field = BytesView(half);
  refused.optional16(field);
  CHECK(!field);
  CHECK(problem(refused.finish("test")) == ErrorCode::key_update_invalid);
}

TEST_CASE("lists of code points", "[cursor]") {
  const auto read = [](const ByteVector& in, std::size_t min_count) {
    Reader reader(in);
    CodeList<NamedGroup> list;
    reader.codes16(list, min_count);
    return problem(reader.finish("test"));
  };
  CHECK(read({0, 2, 0, 29}, 1) == std::nullopt);
  CHECK(read({0, 0}, 0) == std::nullopt);
  CHECK(read({0, 0}, 1) == ErrorCode::field_out_of_range);
  CHECK(read({0, 3, 0, 29, 0}, 1) == ErrorCode::field_out_of_range);
  CHECK(read({0, 1, 0}, 0) == ErrorCode::field_out_of_range);
  CHECK(read({0, 4, 0, 29}, 1) == ErrorCode::message_truncated);

  const ByteVector in{0, 4, 0, 29, 0, 23};
  Reader reader(in);
  CodeList<NamedGroup> list;
  reader.codes16(list, 1);
  REQUIRE(list.size() == 2);
  CHECK(list[0] == NamedGroup::x25519);
  CHECK(list[1] == NamedGroup::secp256r1);
  CHECK(list.contains(NamedGroup::secp256r1));
  CHECK(!list.contains(NamedGroup::secp384r1));
  // From values, the same bytes.
  const std::vector<NamedGroup> values{NamedGroup::x25519, NamedGroup::secp256r1};
  for (const CodeList<NamedGroup>& source : {list, CodeList<NamedGroup>(values)}) {
    ByteVector out;
    Writer writer(out);
    writer.codes16(source, 1);
    REQUIRE(writer.finish("test"));
    CHECK(out == in);
  }
}

TEST_CASE("lists of structures", "[cursor]") {
  struct Item {
    std::uint8_t kind = 0;
    BytesView body;
  };
  const auto element = [](auto& archive, auto& item) {
    archive.number(item.kind);
    archive.opaque8(item.body, 1, 0xFF);
  };
  const auto read = [&](const ByteVector& in, InplaceVector<Item, 2>& items) {
    Reader reader(in);
    reader.list16(items, ErrorCode::message_too_large, element);
    return problem(reader.finish("test"));
  };
  const auto outcome = [&](const ByteVector& in) {
    InplaceVector<Item, 2> items;
    return read(in, items);
  };
  InplaceVector<Item, 2> items;
  const ByteVector two{0, 7, 1, 1, 10, 2, 2, 20, 21};
  CHECK(read(two, items) == std::nullopt);
  REQUIRE(items.size() == 2);
  CHECK(items[1].kind == 2);
  CHECK(equal(items[1].body, ByteVector{20, 21}));
  ByteVector out;
  Writer writer(out);
  writer.list16(items, ErrorCode::message_too_large, element);
  REQUIRE(writer.finish("test"));
  CHECK(out == two);

  CHECK(outcome({0, 0}) == std::nullopt);
  CHECK(outcome({0, 9, 1, 1, 0, 1, 1, 0, 1, 1, 0}) == ErrorCode::message_too_large);
  // An element does not reach over the end of its list, even if the message goes on.
  CHECK(outcome({0, 3, 1, 2, 0, 0}) == ErrorCode::message_truncated);
  CHECK(outcome({0, 1, 1}) == ErrorCode::message_truncated);
  CHECK(outcome({0, 2, 1, 0}) == ErrorCode::field_out_of_range);
}

TEST_CASE("a Writer reports what does not fit", "[cursor]") {
  const auto write = [](auto&& what) {
    ByteVector out;
    Writer writer(out);
    what(writer);
    return problem(writer.finish("test"));
  };
  const ByteVector long_field(256, 0);
  CHECK(write([&](Writer& w) { w.opaque8(BytesView(long_field).first(255), 0, 255); }) == std::nullopt);
  CHECK(write([&](Writer& w) { w.opaque8(long_field, 0, 255); }) == ErrorCode::field_out_of_range);
  // A bound of the declaration that is tighter than the length's own.
  CHECK(write([&](Writer& w) { w.opaque8(BytesView(long_field).first(32), 0, 32); }) == std::nullopt);
  CHECK(write([&](Writer& w) { w.opaque8(BytesView(long_field).first(33), 0, 32); }) == ErrorCode::field_out_of_range);
  // Even where the declaration forgot the bound, a length is never cut off.
  CHECK(write([&](Writer& w) { w.opaque8(long_field, 0, 1'000); }) == ErrorCode::field_out_of_range);
  CHECK(write([&](Writer& w) { w.opaque8(BytesView{}, 1, 255); }) == ErrorCode::field_out_of_range);
  CHECK(write([](Writer& w) { w.codes16(CodeList<NamedGroup>(), 1); }) == ErrorCode::field_out_of_range);
  const std::vector<NamedGroup> many(128, NamedGroup::x25519);
  CHECK(write([&](Writer& w) { w.codes8(CodeList<NamedGroup>(many), 1); }) == ErrorCode::field_out_of_range);
  CHECK(write([](Writer& w) {
          w.refuse(ErrorCode::key_update_invalid);
          w.refuse(ErrorCode::message_too_large);
        }) == ErrorCode::key_update_invalid);
}

TEST_CASE("a Writer appends and patches its lengths where they belong", "[cursor]") {
  ByteVector out{0xEE};
  Writer writer(out);
  writer.prefixed(3, [&] {
    writer.number(std::uint8_t{1});
    writer.prefixed(2, [&] { writer.raw(ByteVector{7, 8, 9}); });
  });
  REQUIRE(writer.finish("test"));
  CHECK(out == ByteVector{0xEE, 0, 0, 6, 1, 0, 3, 7, 8, 9});
}
