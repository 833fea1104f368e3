// Handshakes with Botan's TLS server in memory: every combination of what can be negotiated.
#include <tlsconnect/memory_pipe.hpp>

#include "botan_server.hpp"
#include "support.hpp"

using namespace interop;

namespace {

constexpr NamedGroup all_groups[] = {
    NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768, NamedGroup::secp384r1_mlkem1024,
    NamedGroup::x25519,          NamedGroup::secp256r1,          NamedGroup::secp384r1,
    NamedGroup::secp521r1};
constexpr CipherSuite all_suites[] = {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                      CipherSuite::chacha20_poly1305_sha256};

using MemoryConnector = tc::Connector<tc::MemoryPipe>;
using MemoryStream = tc::Stream<tc::MemoryPipe>;

/// The server and its end of the pipe.
struct Far {
  test::BotanServer tls;
  tc::MemoryPipe end;

  /// Moves what can be moved.
  void turn() {
    std::uint8_t buffer[4'096];
    for (;;) {
      auto count = end.read_some(buffer);
      if (!count)
        break;
      (void)tls.feed({buffer, *count});
    }
    const std::vector<std::uint8_t> output = tls.take_output();
    for (tc::BytesView rest = output; !rest.empty();) {
      auto count = end.write_some(rest);
      REQUIRE(count.has_value()); // what tests send fits into the pipe
      rest = rest.subspan(*count);
    }
  }
};

struct Meeting {
  Far far;
  tc::IoResult<MemoryStream> stream;
  tc::ConnectionInfo info;
};

/// Lets both sides talk until the client has an outcome.
Meeting meet(const test::BotanServerOptions& options, const tc::ClientConfig::Builder& builder,
             std::string_view name = host) {
  auto [near_end, far_end] = tc::MemoryPipe::create(1'000'000);
  Far far{test::BotanServer(options), std::move(far_end)};
  MemoryConnector connecting(built(builder), server_name(name), std::move(near_end));
  for (int turns = 0; turns < 20; ++turns) {
    auto stream = connecting.connect();
    far.turn();
    if (stream || !stream.error().is_would_block()) {
      tc::ConnectionInfo info = stream ? stream->info() : connecting.info();
      return {std::move(far), std::move(stream), std::move(info)};
    }
  }
  FAIL("the handshake does not come to an end");
  std::abort();
}

/// A handshake that must succeed, and data both ways.
Meeting talk(const test::BotanServerOptions& options, const tc::ClientConfig::Builder& builder) {
  Meeting meeting = meet(options, builder);
  if (!meeting.stream)
    FAIL(meeting.stream.error().message() << "; the server: " << meeting.far.tls.failure());
  REQUIRE(meeting.far.tls.handshake_complete());
  REQUIRE(meeting.stream->write_all(tc::as_bytes("from the client")).has_value());
  meeting.far.turn();
  CHECK(tc::as_text(meeting.far.tls.take_received()) == "from the client");
  REQUIRE(meeting.far.tls.send("from the server"));
  meeting.far.turn();
  std::uint8_t buffer[100];
  auto count = meeting.stream->read_some(buffer);
  REQUIRE(count.has_value());
  CHECK(tc::as_text({buffer, *count}) == "from the server");
  return meeting;
}

test::BotanServerOptions server_options(test::KeyType type = test::KeyType::p256) {
  const test::Identity identity = leaf(type);
  test::BotanServerOptions options;
  options.chain = identity.chain_der();
  options.key = identity.key_der();
  return options;
}

std::uint16_t code(NamedGroup group) { return static_cast<std::uint16_t>(group); }
std::uint16_t code(CipherSuite suite) { return static_cast<std::uint16_t>(suite); }

} // namespace

TEST_CASE("botan: every suite with every group, with a share and after HelloRetryRequest") {
  test::BotanServerOptions options = server_options();
  for (const CipherSuite suite : all_suites)
    for (const NamedGroup group : all_groups)
      for (const bool retry : {false, true}) {
        INFO(name_of(suite) << ", " << name_of(group) << ", retry: " << retry);
        options.groups = {code(group)};
        const NamedGroup other = group == NamedGroup::x25519 ? NamedGroup::secp256r1 : NamedGroup::x25519;
        const Meeting meeting = talk(options, client()
                                                  .cipher_suites({suite})
                                                  .groups({std::begin(all_groups), std::end(all_groups)})
                                                  .key_shares({retry ? other : group}));
        CHECK(meeting.info.cipher_suite == suite);
        CHECK(meeting.far.tls.cipher_suite() == code(suite));
        CHECK(meeting.info.group == group);
        CHECK(meeting.far.tls.group() == code(group));
        CHECK(meeting.info.hello_retry_request == retry);
        CHECK(meeting.far.tls.hello_retry_request() == retry);
        CHECK(meeting.far.tls.server_name() == host);
      }
}

TEST_CASE("botan: the defaults agree on a hybrid, and fall back to the share beside it") {
  test::BotanServerOptions options = server_options();
  const Meeting first = talk(options, client());
  CHECK(first.info.group == NamedGroup::x25519_mlkem768);
  CHECK(first.info.post_quantum());
  CHECK_FALSE(first.info.hello_retry_request);

  options.groups = {code(NamedGroup::x25519)};
  const Meeting second = talk(options, client());
  CHECK(second.info.group == NamedGroup::x25519);
  CHECK_FALSE(second.info.hello_retry_request);

  // The server prefers another group over saving a round trip.
  options.groups = {code(NamedGroup::secp384r1), code(NamedGroup::x25519)};
  options.insist_on_first_group = true;
  const Meeting third = talk(options, client());
  CHECK(third.info.group == NamedGroup::secp384r1);
  CHECK(third.info.hello_retry_request);

  // Only hybrids will do.
  options.insist_on_first_group = false;
  const Meeting fourth = meet(options, client().require_post_quantum(true));
  REQUIRE_FALSE(fourth.stream.has_value());
  REQUIRE(fourth.stream.error().is_failed());
  CHECK(fourth.stream.error().error()->code() == ErrorCode::alert_received);
}

TEST_CASE("botan: every signature scheme that it has") {
  for (const SignatureCase& item : every_signature) {
    // Its TLS signs with keys of plain RSA and of elliptic curves, EdDSA aside.
    if (item.key != test::KeyType::p256 && item.key != test::KeyType::p384 && item.key != test::KeyType::p521 &&
        item.key != test::KeyType::rsa2048)
      continue;
    INFO(name_of(item.scheme));
    const test::BotanServerOptions options = server_options(item.key);
    CHECK(talk(options, client().signature_schemes({item.scheme})).info.signature_scheme == item.scheme);
    (void)talk(options, client());
  }
}

TEST_CASE("botan: change_cipher_spec with and without being asked") {
  test::BotanServerOptions options = server_options();
  for (const bool server : {false, true})
    for (const bool ours : {false, true})
      for (const bool retry : {false, true}) {
        INFO(server << ours << retry);
        options.always_change_cipher_spec = server;
        options.groups = {code(retry ? NamedGroup::secp384r1 : NamedGroup::x25519)};
        CHECK(talk(options, client().compatibility_mode(ours)).info.hello_retry_request == retry);
      }
}

TEST_CASE("botan: a server that speaks TLS 1.2 only") {
  test::BotanServerOptions options = server_options();
  options.tls12 = true;
  options.tls13 = false;
  const Meeting meeting = meet(options, client().versions({tc::ProtocolVersion::tls1_3}));
  REQUIRE_FALSE(meeting.stream.has_value());
  REQUIRE(meeting.stream.error().is_failed());
  const tc::Error& error = *meeting.stream.error().error();
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK((error.alert_received() == AlertDescription::protocol_version ||
         error.alert_received() == AlertDescription::handshake_failure));
  // A client of both versions speaks the older one with it.
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  CHECK(talk(options, client()).info.version == tc::ProtocolVersion::tls1_2);
#endif
  // One that could do both speaks TLS 1.3.
  options.tls13 = true;
  (void)talk(options, client());
}

TEST_CASE("botan: a pipe of one byte") {
  // Everything arrives in the smallest pieces.
  auto [near_end, far_end] = tc::MemoryPipe::create(1);
  test::BotanServerOptions options = server_options();
  test::BotanServer server(options);
  MemoryConnector connecting(built(client()), server_name(), std::move(near_end));
  std::optional<MemoryStream> stream;
  std::vector<std::uint8_t> output;
  std::size_t sent = 0;
  for (int turns = 0; turns < 100'000 && !stream; ++turns) {
    auto result = connecting.connect();
    if (result)
      stream.emplace(std::move(*result));
    else
      REQUIRE(result.error().is_would_block());
    std::uint8_t byte[1];
    if (auto count = far_end.read_some(byte))
      (void)server.feed({byte, *count});
    if (sent == output.size()) {
      output = server.take_output();
      sent = 0;
    }
    if (sent < output.size())
      if (auto count = far_end.write_some(tc::BytesView(output).subspan(sent)))
        sent += *count;
  }
  REQUIRE(stream.has_value());
  CHECK(stream->info().group == NamedGroup::x25519_mlkem768);
}
