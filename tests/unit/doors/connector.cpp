// Connector: what its declaration promises, sentence by sentence.
#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>

#include <catch2/generators/catch_generators.hpp>

#include <tlsconnect/client/verifier.hpp>

#include "door.hpp"

using tc::ErrorCode;
using tc::Interest;
using test::Act;
using test::Call;
using test::Connector;
using test::Conversation;
using test::records_in;
using test::RecordSeen;
using test::Stream;

static_assert(!std::is_default_constructible_v<Connector>);
static_assert(!std::is_constructible_v<Connector, tc::ConfigPtr, test::ScriptedTransport>);
static_assert(!std::is_copy_constructible_v<Connector>);
static_assert(std::is_move_constructible_v<Connector>);

namespace {

/// Says no, whoever it is.
class RefuseAll final : public tc::CertificateVerifier {
public:
  tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate&, const tc::ServerName&,
                                       std::int64_t) const noexcept override {
    return tc::fail(ErrorCode::certificate_rejected, "RefuseAll", "as the test wants");
  }
};

tc::ConfigPtr built(tc::ClientConfig::Builder builder) {
  auto config = builder.build();
  REQUIRE(config.has_value());
  return std::move(*config);
}

tc::ConfigPtr refusing_config() { return built(test::live_config_builder().verifier(std::make_shared<RefuseAll>())); }

/// How many bytes of content two flights have: Finished in one record, data in another.
constexpr std::size_t sealed(std::size_t content) { return 5 + content + 1 + 16; }
constexpr std::size_t finished_record = sealed(4 + 32);

} // namespace

// ---- the handshake ----

TEST_CASE("nothing is sent before connect", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  CHECK(talk.line.log.empty());
  CHECK(connector.info().bytes_received == 0);
  CHECK(&connector.next_layer().line() == &talk.line);
}

TEST_CASE("over a transport that never blocks, connect returns when all is done", "[connector]") {
  const bool retry = GENERATE(false, true);
  const bool request = GENERATE(false, true);
  Conversation talk({.retry = retry, .request_certificate = request});
  Connector connector = talk.connector();
  tc::IoResult<Stream> stream = connector.connect();
  REQUIRE(stream.has_value());
  // The client's Finished has gone to the transport.
  CHECK(talk.server.handshake_complete());
  CHECK_FALSE(stream->has_pending());
  CHECK(stream->info().hello_retry_request == retry);
  CHECK(stream->info().certificate_requested == request);
  CHECK(talk.server.server_name() == "server.test");
  // One flight is one write: the hello, perhaps another one, and the last flight.
  CHECK(talk.line.writes() == (retry ? 3u : 2u));
}

TEST_CASE("every flight leaves in one write, its change_cipher_spec included", "[connector]") {
  Conversation talk({.retry = true});
  std::vector<tc::ByteVector> flights;
  const auto peer = talk.line.peer;
  talk.line.peer = [&](tc::BytesView bytes) {
    flights.push_back(tc::to_vector(bytes));
    return peer(bytes);
  };
  Connector connector = talk.connector();
  REQUIRE(connector.connect().has_value());
  REQUIRE(flights.size() == 3);
  CHECK(records_in(flights[0]).size() == 1);
  const auto second = records_in(flights[1]);
  REQUIRE(second.size() == 2);
  CHECK(second[0] == RecordSeen{20, 6});
  CHECK(second[1].type == 22);
  CHECK(records_in(flights[2]) == std::vector<RecordSeen>{{23, finished_record}});
}

TEST_CASE("over one that blocks, connect can be called again after each would_block", "[connector]") {
  Conversation talk({.retry = GENERATE(false, true)});
  // Every second read and every second write would block, and the others pass little.
  std::size_t reads = 0;
  std::size_t writes = 0;
  talk.line.rule = [&](const Call& call) {
    return (call.is_read() ? reads : writes)++ % 2 == 0 ? Act::block(call) : Act::go(100);
  };
  Connector connector = talk.connector();
  std::size_t blocks = 0;
  for (;;) {
    const std::size_t before = talk.line.log.size();
    tc::IoResult<Stream> stream = connector.connect();
    if (stream) {
      CHECK(talk.server.handshake_complete());
      break;
    }
    REQUIRE(stream.error().is_would_block());
    CHECK(talk.line.blocked_since(before));
    REQUIRE(++blocks < 1'000);
  }
  CHECK(blocks > 10);
}

TEST_CASE("connect names what it waits for", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  talk.line.rule = [](const Call& call) { return Act::block(call); };
  CHECK_BLOCKS(connector.connect(), Interest::read_write); // the server may speak even while we cannot
  talk.line.rule = [](const Call& call) { return call.is_read() ? Act::block(call) : Act::go(); };
  CHECK_BLOCKS(connector.connect(), Interest::read);
  // Now only the last flight is left.
  talk.line.rule = [](const Call& call) { return call.is_write() ? Act::block(call) : Act::go(); };
  CHECK_BLOCKS(connector.connect(), Interest::write);
  CHECK_BLOCKS(connector.connect(), Interest::write);
  CHECK_FALSE(talk.server.handshake_complete());
  talk.line.rule = nullptr;
  CHECK(connector.connect().has_value());
  CHECK(talk.server.handshake_complete());
}

TEST_CASE("a transport's own interest is passed on unchanged", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  const Interest odd = GENERATE(Interest::write, Interest::read_write, Interest::none, Interest::verdict);
  talk.line.rule = [&](const Call& call) { return call.is_read() ? Act::stop(tc::Halt::would_block(odd)) : Act::go(); };
  CHECK_BLOCKS(connector.connect(), odd);
  talk.line.rule = [&](const Call& call) {
    return call.is_write() ? Act::stop(tc::Halt::would_block(odd)) : Act::go();
  };
  CHECK_BLOCKS(connector.connect(), odd);
}

TEST_CASE("names and addresses reach the server and its certificate", "[connector]") {
  for (const std::string_view name : {"server.test", "SERVER.test.", "192.0.2.1", "2001:db8::1", "[2001:db8:0::1]"}) {
    CAPTURE(name);
    Conversation talk;
    Connector connector = talk.connector(test::live_config(), name);
    REQUIRE(connector.connect().has_value());
    // RFC 6066, 3: an address is not sent as a name.
    const bool dns = name.find("test") != std::string_view::npos;
    CHECK(talk.server.server_name() == (dns ? "server.test" : ""));
  }
  for (const std::string_view name : {"other.test", "192.0.2.2", "2001:db8::2"}) {
    CAPTURE(name);
    Conversation talk;
    Connector connector = talk.connector(test::live_config(), name);
    CHECK_FAILS(connector.connect(), ErrorCode::certificate_name_mismatch);
    CHECK(talk.server.alert_received() == 42);
  }
}

// ---- how it ends badly ----

TEST_CASE("a failed handshake stays failed, and info tells what was known", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector(refusing_config());
  for (int i = 0; i < 3; ++i) {
    const tc::IoResult<Stream> stream = connector.connect();
    REQUIRE_FALSE(stream.has_value());
    CHECK(test::code_of(stream.error()) == ErrorCode::certificate_rejected);
    CHECK(stream.error().error()->detail() == "as the test wants");
  }
  CHECK_FAILS(connector.connect(tc::as_bytes("data")), ErrorCode::certificate_rejected);
  CHECK(talk.server.alert_received() == 46);
  CHECK_FALSE(talk.server.handshake_complete());
  CHECK(talk.server_heard().empty());
  CHECK(connector.info().peer_chain.size() == 1);
  CHECK(connector.info().messages.size() >= 4);
}

TEST_CASE("the alert of a failed handshake leaves with a later call when it cannot leave at once", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector(refusing_config());
  talk.line.rule = [](const Call& call) { return call.is_write() && call.index > 0 ? Act::block(call) : Act::go(); };
  CHECK_FAILS(connector.connect(), ErrorCode::certificate_rejected);
  CHECK_FAILS(connector.connect(), ErrorCode::certificate_rejected);
  CHECK_FALSE(talk.server.alert_received());
  talk.line.rule = nullptr;
  CHECK_FAILS(connector.connect(), ErrorCode::certificate_rejected);
  CHECK(talk.server.alert_received() == 46);
}

TEST_CASE("a failure right behind the handshake is no connection, and its alert leaves when it can", "[connector]") {
  Conversation talk;
  // The server's flight and, in the same read, something that no record can be.
  const auto peer = talk.line.peer;
  talk.line.peer = [&](tc::BytesView bytes) {
    tc::ByteVector out = peer(bytes);
    if (!talk.server.handshake_complete() && !out.empty())
      out.insert(out.end(), {0x99, 0x99, 0x99, 0x99, 0x99});
    return out;
  };
  Connector connector = talk.connector();
  talk.line.rule = [](const Call& call) { return call.is_write() && call.index > 0 ? Act::block(call) : Act::go(); };
  CHECK_FAILS(connector.connect(), ErrorCode::record_type_unexpected);
  CHECK_FALSE(talk.server.alert_received());
  talk.line.rule = nullptr;
  CHECK_FAILS(connector.connect(), ErrorCode::record_type_unexpected);
  CHECK(talk.server.alert_received() == 10);
}

TEST_CASE("a server that ends the handshake is closed, one that hangs up is truncated", "[connector]") {
  Conversation talk;
  SECTION("close_notify") {
    constexpr std::uint8_t close_notify[] = {21, 3, 3, 0, 2, 1, 0};
    talk.line.peer = nullptr;
    talk.line.give(close_notify);
    Connector connector = talk.connector();
    CHECK_CLOSED(connector.connect());
    CHECK_CLOSED(connector.connect());
    CHECK_CLOSED(connector.connect(tc::as_bytes("data")));
  }
  SECTION("end of the transport") {
    const std::size_t bytes = GENERATE(0u, 3u, 100u, 400u);
    const auto peer = talk.line.peer;
    talk.line.peer = [&](tc::BytesView in) {
      tc::ByteVector out = peer(in);
      out.resize(std::min(out.size(), bytes));
      return out;
    };
    talk.line.inbound_ends = true;
    Connector connector = talk.connector();
    CHECK_TRUNCATED(connector.connect());
    CHECK_TRUNCATED(connector.connect());
    CHECK_TRUNCATED(connector.connect(tc::as_bytes("data")));
    CHECK_FALSE(talk.server.handshake_complete());
  }
}

TEST_CASE("a failure of the transport stays too: the transport is not tried again", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  const bool reading = GENERATE(false, true);
  talk.line.rule = [&](const Call& call) { return call.is_read() == reading ? Act::fail(5) : Act::go(); };
  if (reading) {
    CHECK_FAILS(connector.connect(), ErrorCode::transport_failed);
  } else {
    // The server has not heard anything, so there is nothing to read.
    CHECK_FAILS(connector.connect(tc::as_bytes("data")), ErrorCode::transport_failed);
  }
  talk.line.rule = nullptr;
  const std::size_t before = talk.line.log.size();
  const tc::IoResult<Stream> again = connector.connect();
  REQUIRE_FALSE(again.has_value());
  CHECK(test::code_of(again.error()) == ErrorCode::transport_failed);
  CHECK(again.error().error()->os_error() == 5);
  CHECK(talk.line.log.size() == before);
}

TEST_CASE("a server's alert is the error", "[connector]") {
  Conversation talk;
  constexpr std::uint8_t handshake_failure[] = {21, 3, 3, 0, 2, 2, 40};
  talk.line.peer = nullptr;
  talk.line.give(handshake_failure);
  Connector connector = talk.connector();
  const tc::IoResult<Stream> stream = connector.connect();
  REQUIRE_FALSE(stream.has_value());
  CHECK(test::code_of(stream.error()) == ErrorCode::alert_received);
  CHECK(stream.error().error()->alert_received() == tc::AlertDescription::handshake_failure);
  CHECK(talk.line.writes() == 1); // an alert is not answered
}

TEST_CASE("without a configuration there is no connection, and nothing is sent", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector(nullptr);
  CHECK_FAILS(connector.connect(), ErrorCode::configuration_invalid);
  CHECK_FAILS(connector.connect(tc::as_bytes("x")), ErrorCode::configuration_invalid);
  CHECK(talk.line.log.empty());
  CHECK(connector.info().messages.empty());
}

// ---- giving the transport away ----

TEST_CASE("a connector makes one stream", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  tc::IoResult<Stream> stream = connector.connect();
  REQUIRE(stream.has_value());
  const std::size_t before = talk.line.log.size();
  CHECK_FAILS(connector.connect(), ErrorCode::already_connected);
  CHECK_FAILS(connector.connect(tc::as_bytes("x")), ErrorCode::already_connected);
  CHECK(talk.line.log.size() == before);
  // The stream does not notice.
  CHECK(stream->write_some(tc::as_bytes("ok")).value() == 2);
  CHECK(talk.server_heard() == "ok");
}

TEST_CASE("a connector can be moved during the handshake; what is left behind is not connected", "[connector]") {
  Conversation talk;
  talk.line.rule = [](const Call& call) { return call.is_read() ? Act::block(call) : Act::go(); };
  Connector first = talk.connector();
  CHECK_BLOCKS(first.connect(), Interest::read);
  Connector second = std::move(first);
  const std::size_t before = talk.line.log.size();
  CHECK_FAILS(first.connect(), ErrorCode::not_connected);
  CHECK_FAILS(first.connect(tc::as_bytes("x")), ErrorCode::not_connected);
  CHECK(talk.line.log.size() == before);
  talk.line.rule = nullptr;
  CHECK(second.connect().has_value());
}

// ---- the first data ----

TEST_CASE("the first data leaves in one write with the client's Finished", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  tc::IoResult<Stream> stream = connector.connect(tc::as_bytes("GET / HTTP/1.0"));
  REQUIRE(stream.has_value());
  REQUIRE(talk.line.writes() == 2);
  const std::size_t second = talk.line.log.back().passed;
  CHECK(talk.line.log.back().call.is_write());
  const tc::BytesView flight = tc::BytesView(talk.line.outbound).last(second);
  CHECK(records_in(flight) == std::vector<RecordSeen>{{20, 6}, {23, finished_record}, {23, sealed(14)}});
  CHECK(talk.server_heard() == "GET / HTTP/1.0");
}

TEST_CASE("first data of any length is owned by the stream as a whole", "[connector]") {
  const std::size_t size = GENERATE(0u, 1u, 16'384u, 16'385u, 200'000u);
  Conversation talk;
  Connector connector = talk.connector();
  const tc::ByteVector data = test::pattern(size);
  SECTION("the transport takes it all") {
    tc::IoResult<Stream> stream = connector.connect(data);
    REQUIRE(stream.has_value());
    CHECK(talk.line.writes() == 2); // still one write
    CHECK_FALSE(stream->has_pending());
  }
  SECTION("the transport takes a part") {
    std::size_t writes = 0;
    talk.line.rule = [&](const Call& call) {
      return call.is_read() ? Act::go() : (++writes == 1 ? Act::go() : writes == 2 ? Act::go(50) : Act::block(call));
    };
    tc::IoResult<Stream> stream = connector.connect(data);
    REQUIRE(stream.has_value());
    CHECK(stream->has_pending());
    talk.line.rule = nullptr;
    REQUIRE(stream->flush().has_value());
  }
  CHECK(tc::equal(talk.server.take_received(), data));
}

TEST_CASE("any outcome but a stream has taken nothing of the first data", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  talk.line.rule = [](const Call& call) { return call.is_read() ? Act::block(call) : Act::go(); };
  CHECK_BLOCKS(connector.connect(tc::as_bytes("changed my mind")), Interest::read);
  CHECK_BLOCKS(connector.connect(tc::as_bytes("and again")), Interest::read);
  talk.line.rule = nullptr;
  SECTION("other data") {
    const tc::IoResult<Stream> stream = connector.connect(tc::as_bytes("the right words"));
    REQUIRE(stream.has_value());
    CHECK(talk.server_heard() == "the right words");
  }
  SECTION("no data") {
    const tc::IoResult<Stream> stream = connector.connect();
    REQUIRE(stream.has_value());
    CHECK(talk.server_heard().empty());
  }
}

TEST_CASE("first data that the transport refuses is not queued again", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector();
  talk.line.rule = [](const Call& call) { return call.is_write() && call.index > 0 ? Act::fail(32) : Act::go(); };
  CHECK_FAILS(connector.connect(tc::as_bytes("once")), ErrorCode::transport_failed);
  talk.line.rule = nullptr; // whatever the transport would do now
  CHECK_FAILS(connector.connect(tc::as_bytes("once")), ErrorCode::transport_failed);
  CHECK(talk.server_heard().empty());
}

TEST_CASE("the first data never goes to a server that was not verified", "[connector]") {
  Conversation talk;
  Connector connector = talk.connector(refusing_config());
  CHECK_FAILS(connector.connect(tc::as_bytes("secret")), ErrorCode::certificate_rejected);
  CHECK_FAILS(connector.connect(tc::as_bytes("secret")), ErrorCode::certificate_rejected);
  CHECK(talk.server_heard().empty());
  // The hello, a change_cipher_spec and the alert; no data.
  const auto records = records_in(talk.line.outbound);
  REQUIRE(records.size() == 3);
  CHECK(records[2] == RecordSeen{23, sealed(2)});
}

// ---- Nagle's algorithm ----

TEST_CASE("set_nodelay is asked for right before the last flight, and only without first data", "[connector]") {
  Conversation talk({.retry = GENERATE(false, true)});
  tc::Connector connector(test::live_config(), test::live_name(), test::NodelayTransport(talk.line));
  connector.next_layer().refuse = GENERATE(false, true); // ignored: it costs latency only
  SECTION("plain") {
    REQUIRE(connector.connect().has_value());
    REQUIRE(talk.line.log.size() >= 2);
    CHECK(std::count_if(talk.line.log.begin(), talk.line.log.end(),
                        [](const auto& entry) { return !entry.call.is_read() && !entry.call.is_write(); }) == 1);
    CHECK(talk.line.log[talk.line.log.size() - 2].call.what == Call::What::nodelay_on);
    CHECK(talk.line.log.back().call.is_write());
  }
  SECTION("with first data") {
    REQUIRE(connector.connect(tc::as_bytes("x")).has_value());
    CHECK(std::none_of(talk.line.log.begin(), talk.line.log.end(),
                       [](const auto& entry) { return !entry.call.is_read() && !entry.call.is_write(); }));
  }
}

TEST_CASE("set_nodelay is not asked for while the handshake goes on or when it fails", "[connector]") {
  Conversation talk;
  tc::Connector connector(refusing_config(), test::live_name(), test::NodelayTransport(talk.line));
  CHECK_FAILS(connector.connect(), ErrorCode::certificate_rejected);
  CHECK(std::none_of(talk.line.log.begin(), talk.line.log.end(),
                     [](const auto& entry) { return !entry.call.is_read() && !entry.call.is_write(); }));
}
