// Handshake messages out of records, however they are cut.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/record/handshake_joiner.hpp>

using namespace tlsconnect;

namespace {

ByteVector message(HandshakeType type, std::size_t size, std::uint8_t fill) {
  ByteVector bytes{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(size >> 16),
                   static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  bytes.insert(bytes.end(), size, fill);
  return bytes;
}

/// Takes out all that is there.
Result<> drain(HandshakeJoiner& joiner, std::vector<ByteVector>& out) {
  for (;;) {
    Result<std::optional<HandshakeMessage>> next = joiner.next();
    if (!next)
      return std::unexpected(next.error());
    if (!*next)
      return {};
    const HandshakeMessage& found = **next;
    CHECK(static_cast<std::uint8_t>(found.type) == found.bytes[0]);
    CHECK(equal(found.body, found.bytes.subspan(4)));
    out.push_back(to_vector(found.bytes));
  }
}

} // namespace

TEST_CASE("three messages, cut at every two places", "[joiner]") {
  const std::vector<ByteVector> messages = {message(HandshakeType::encrypted_extensions, 2, 1),
                                            message(HandshakeType::finished, 0, 0),
                                            message(HandshakeType::certificate, 20, 3)};
  ByteVector all;
  std::vector<std::size_t> ends;
  for (const ByteVector& bytes : messages) {
    all.insert(all.end(), bytes.begin(), bytes.end());
    ends.push_back(all.size());
  }
  for (std::size_t a = 1; a <= all.size(); ++a)
    for (std::size_t b = a; b <= all.size(); ++b) {
      HandshakeJoiner joiner;
      std::vector<ByteVector> found;
      std::size_t fed = 0;
      for (const std::size_t end : {a, b, all.size()}) {
        // A copy that is gone before the next piece comes: the joiner must have taken what it needs.
        const ByteVector piece(all.begin() + static_cast<std::ptrdiff_t>(fed),
                               all.begin() + static_cast<std::ptrdiff_t>(end));
        fed = end;
        if (piece.empty())
          continue;
        joiner.feed(piece);
        CHECK(joiner.in_message());
        REQUIRE(drain(joiner, found));
        const bool at_an_end = std::find(ends.begin(), ends.end(), fed) != ends.end();
        CHECK(joiner.in_message() == !at_an_end);
        CHECK(RecordAligned::check(joiner, "test").has_value() == at_an_end);
      }
      CHECK(found == messages);
    }
}

TEST_CASE("byte by byte", "[joiner]") {
  const ByteVector bytes = message(HandshakeType::certificate, 70'000, 9);
  HandshakeJoiner joiner;
  std::vector<ByteVector> found;
  for (const std::uint8_t& byte : bytes) {
    joiner.feed(BytesView(&byte, 1));
    REQUIRE(drain(joiner, found));
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0] == bytes);
  CHECK(!joiner.in_message());
}

TEST_CASE("a message inside one record is not copied", "[joiner]") {
  ByteVector record = message(HandshakeType::finished, 32, 1);
  const ByteVector second = message(HandshakeType::key_update, 1, 0);
  record.insert(record.end(), second.begin(), second.end());
  HandshakeJoiner joiner;
  joiner.feed(record);
  const auto first = joiner.next();
  REQUIRE((first && *first));
  CHECK((*first)->bytes.data() == record.data());
  // While something of the record is left, the keys must not change.
  const auto aligned = RecordAligned::check(joiner, "Finished");
  REQUIRE(!aligned);
  CHECK(aligned.error().code() == ErrorCode::key_change_not_aligned);
  CHECK(aligned.error().where() == "Finished");
  const auto next = joiner.next();
  REQUIRE((next && *next));
  CHECK((*next)->bytes.data() == record.data() + 36);
  CHECK(RecordAligned::check(joiner, "KeyUpdate"));
}

TEST_CASE("a message that was joined ends the record when nothing is left of it", "[joiner]") {
  const ByteVector bytes = message(HandshakeType::finished, 10, 1);
  for (const bool more : {false, true}) {
    HandshakeJoiner joiner;
    std::vector<ByteVector> none;
    joiner.feed(BytesView(bytes).first(6));
    REQUIRE(drain(joiner, none));
    ByteVector rest(bytes.begin() + 6, bytes.end());
    if (more)
      rest.push_back(4);
    joiner.feed(rest);
    const auto next = joiner.next();
    REQUIRE((next && *next));
    CHECK(equal((*next)->bytes, bytes));
    CHECK(RecordAligned::check(joiner, "test").has_value() == !more);
  }
}

TEST_CASE("limits hold before the message arrives", "[joiner]") {
  const auto announced = [](HandshakeType type, std::size_t size) {
    HandshakeJoiner joiner;
    const ByteVector header{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(size >> 16),
                            static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    joiner.feed(header);
    const auto next = joiner.next();
    return next ? std::nullopt : std::optional(next.error().code());
  };
  constexpr std::size_t other = limits::handshake_message_not_certificate - 4;
  constexpr std::size_t certificate = limits::handshake_message - 4;
  CHECK(announced(HandshakeType::finished, other) == std::nullopt);
  CHECK(announced(HandshakeType::finished, other + 1) == ErrorCode::message_too_large);
  CHECK(announced(HandshakeType::certificate, other + 1) == std::nullopt);
  CHECK(announced(HandshakeType::certificate, certificate) == std::nullopt);
  CHECK(announced(HandshakeType::certificate, certificate + 1) == ErrorCode::message_too_large);
  CHECK(announced(HandshakeType::certificate, 0xFF'FFFF) == ErrorCode::message_too_large);
}

TEST_CASE("memory is given back only when nothing is in it", "[joiner]") {
  const ByteVector bytes = message(HandshakeType::finished, 10, 1);
  HandshakeJoiner joiner;
  std::vector<ByteVector> found;
  joiner.feed(BytesView(bytes).first(5));
  REQUIRE(drain(joiner, found));
  joiner.release();
  CHECK(joiner.in_message());
  joiner.feed(BytesView(bytes).subspan(5));
  REQUIRE(drain(joiner, found));
  CHECK(found == std::vector<ByteVector>{bytes});
  joiner.release();
  CHECK(!joiner.in_message());
  joiner.feed(bytes);
  REQUIRE(drain(joiner, found));
  CHECK(found == std::vector<ByteVector>{bytes, bytes});
}

TEST_CASE("a joined message that was given out is no longer in use", "[joiner]") {
  const ByteVector bytes = message(HandshakeType::finished, 10, 1);
  HandshakeJoiner joiner;
  std::vector<ByteVector> found;
  joiner.feed(BytesView(bytes).first(5));
  REQUIRE(drain(joiner, found));
  joiner.feed(BytesView(bytes).subspan(5));
  const auto next = joiner.next();
  REQUIRE((next && *next));
  joiner.release();
  CHECK(!joiner.in_message());
  joiner.feed(bytes);
  REQUIRE(drain(joiner, found));
  CHECK(found == std::vector<ByteVector>{bytes});
}
