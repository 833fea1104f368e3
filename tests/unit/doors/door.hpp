// What the tests of the doors share: a client on a scripted transport, and a live server at its other end.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>
#include <tlsconnect/stream.hpp>

#include "live_server.hpp"
#include "scripted_transport.hpp"

namespace tc = tlsconnect;

namespace test {

using Connector = tc::Connector<ScriptedTransport>;
using Stream = tc::Stream<ScriptedTransport>;

/// The server answers within the client's write, so reading blocks only when there is really nothing to come.
struct Conversation {
  LiveServer server;
  Line line;

  explicit Conversation(LiveOptions options = {}) : server(options) {
    line.peer = [this](tc::BytesView bytes) {
      (void)server.feed(bytes);
      return server.take_output();
    };
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// What the server says by itself reaches the client.
  void push() { line.give(server.take_output()); }
  void server_says(std::string_view text) {
    REQUIRE(server.send(text));
    push();
  }
  [[nodiscard]] std::string server_heard() { return std::string(tc::as_text(server.take_received())); }

  [[nodiscard]] Connector connector(tc::ConfigPtr config = live_config(), std::string_view name = "server.test") {
    return Connector(std::move(config), live_name(name), ScriptedTransport(line));
  }
  [[nodiscard]] Stream connected() {
    Connector connector_ = connector();
    tc::IoResult<Stream> stream = connector_.connect();
    if (!stream)
      FAIL(stream.error().message());
    return std::move(*stream);
  }
};

/// From now on writes would block; reads work.
inline void block_writes(Line& line) {
  line.rule = [](const Call& call) { return call.is_write() ? Act::block(call) : Act::go(); };
}
inline void fail_writes(Line& line, int os_error) {
  line.rule = [os_error](const Call& call) { return call.is_write() ? Act::fail(os_error) : Act::go(); };
}

/// Everything that can be read now, and why it ended there.
struct ReadOut {
  std::string text;
  tc::Halt halt = tc::Halt::truncated();
};
template <class S>
[[nodiscard]] ReadOut read_out(S& stream, std::size_t space = 1'000) {
  ReadOut out;
  tc::ByteVector bytes(space);
  for (;;) {
    tc::IoResult<std::size_t> count = stream.read_some(bytes);
    if (!count) {
      out.halt = std::move(count.error());
      return out;
    }
    REQUIRE(*count >= 1);
    REQUIRE(*count <= bytes.size());
    out.text.append(tc::as_text(tc::BytesView(bytes).first(*count)));
  }
}

/// Bytes that differ from place to place.
[[nodiscard]] inline tc::ByteVector pattern(std::size_t size, unsigned seed = 0) {
  tc::ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>((i + seed) * 31 + i / 251);
  return bytes;
}

/// The types and lengths of the records in some bytes; what is left over counts as one of type 0.
struct RecordSeen {
  unsigned type = 0;
  std::size_t size = 0;
  friend bool operator==(const RecordSeen&, const RecordSeen&) = default;
};
[[nodiscard]] inline std::vector<RecordSeen> records_in(tc::BytesView bytes) {
  std::vector<RecordSeen> records;
  while (bytes.size() >= 5) {
    const std::size_t size = 5 + (std::size_t{bytes[3]} << 8 | bytes[4]);
    if (size > bytes.size())
      break;
    records.push_back({bytes[0], size});
    bytes = bytes.subspan(size);
  }
  if (!bytes.empty())
    records.push_back({0, bytes.size()});
  return records;
}

[[nodiscard]] inline tc::ErrorCode code_of(const tc::Halt& halt) {
  REQUIRE(halt.is_failed());
  return halt.error()->code();
}

} // namespace test

// A call ended without a value, and why.
#define CHECK_BLOCKS(result, wanted)                                                                                   \
  do {                                                                                                                 \
    const auto checked_ = (result);                                                                                    \
    REQUIRE_FALSE(checked_.has_value());                                                                               \
    REQUIRE(checked_.error().is_would_block());                                                                        \
    CHECK(checked_.error().interest() == (wanted));                                                                    \
  } while (false)
#define CHECK_FAILS(result, wanted)                                                                                    \
  do {                                                                                                                 \
    const auto checked_ = (result);                                                                                    \
    REQUIRE_FALSE(checked_.has_value());                                                                               \
    REQUIRE(checked_.error().is_failed());                                                                             \
    CHECK(checked_.error().error()->code() == (wanted));                                                               \
  } while (false)
#define CHECK_CLOSED(result)                                                                                           \
  do {                                                                                                                 \
    const auto checked_ = (result);                                                                                    \
    REQUIRE_FALSE(checked_.has_value());                                                                               \
    CHECK(checked_.error().is_closed());                                                                               \
  } while (false)
#define CHECK_TRUNCATED(result)                                                                                        \
  do {                                                                                                                 \
    const auto checked_ = (result);                                                                                    \
    REQUIRE_FALSE(checked_.has_value());                                                                               \
    CHECK(checked_.error().is_truncated());                                                                            \
  } while (false)
