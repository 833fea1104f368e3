// RFC 8448, byte for byte: with the trace's randomness and keys, every record that this client sends is the trace's,
// and every record of the trace's server is understood.
//
// What this library does not offer by itself (session_ticket, ffdhe groups, padding and so on) stands in the
// ClientHello because the test puts it there, in the trace's order; the rest is the library's own.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/engine.hpp>
#include <tlsconnect/impl/config_access.hpp>
#include <tlsconnect/wire/cursor.hpp>
#include <tlsconnect/wire/hello.hpp>

#include "deterministic.hpp"
#include "rfc8448_data.hpp"

namespace tc = tlsconnect;
using rfc8448::Trace;
using tc::ErrorCode;
using tc::ExtensionType;
using tc::NamedGroup;

namespace {

tc::ByteVector unhex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  REQUIRE(text.size() % 2 == 0);
  tc::ByteVector bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  return bytes;
}

std::string hex(tc::BytesView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// The traces' certificates are for nobody, of 2016, and sign themselves. What this test trusts is the traces.
class TraceVerifier final : public tc::CertificateVerifier {
public:
  tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate& presented, const tc::ServerName&,
                                       std::int64_t) const noexcept override {
    if (presented.chain.size() != 1 ||
        (presented.chain[0].subject() != "CN=rsa" && presented.chain[0].subject() != "CN=ecdsa256"))
      return tc::fail(ErrorCode::certificate_rejected, "TraceVerifier");
    return tc::VerifiedChain{};
  }
  /// Section 4 resumes what section 3 began with another verifier object.
  tc::TrustIdentity trust_identity() const override { return {1}; }
};

/// The extensions of a ClientHello in their order, each with its body or, if this library makes it, without.
std::vector<tc::detail::HelloTemplate::Item> items_of(tc::BytesView record) {
  const tc::ByteVector own = tc::to_vector(record);
  const auto hello = tc::decode<tc::ClientHello>(tc::BytesView(own).subspan(5 + 4));
  REQUIRE(hello.has_value());
  std::vector<tc::detail::HelloTemplate::Item> items;
  tc::Reader reader(hello->extensions);
  while (!reader.empty()) {
    ExtensionType type{};
    tc::BytesView body;
    reader.number(type);
    reader.opaque16(body, 0, 0xFFFF);
    REQUIRE_FALSE(reader.failed());
    switch (type) {
    case ExtensionType::server_name:
    case ExtensionType::supported_versions:
    case ExtensionType::key_share:
    case ExtensionType::cookie:
    case ExtensionType::early_data:
    case ExtensionType::pre_shared_key:
      items.push_back({type, std::nullopt});
      break;
    default:
      items.push_back({type, tc::to_vector(body)});
    }
  }
  return items;
}

tc::detail::HelloTemplate template_of(const Trace& trace) {
  tc::detail::HelloTemplate fixed;
  fixed.rsa_bits_min = 1024; // the trace's server has such a key
  fixed.extensions = items_of(unhex(trace.client_hello));
  if (!trace.second_client_hello.empty()) {
    const auto first = std::move(fixed.extensions);
    fixed.extensions = items_of(unhex(trace.second_client_hello));
    for (auto& item : fixed.extensions)
      item.only_after_retry =
          std::none_of(first.begin(), first.end(), [&](const auto& other) { return other.type == item.type; });
    // The retry adds a cookie and padding, and changes nothing else that we put there.
    CHECK(fixed.extensions.size() == first.size() + 2);
  }
  return fixed;
}

/// When the client of a trace runs, in milliseconds since 1970. The traces do not say.
constexpr std::int64_t trace_time = 1'500'000'000'000;

/// What the client of a trace has besides its ClientHello.
struct Surroundings {
  std::shared_ptr<tc::SessionStore> sessions = nullptr;
  std::int64_t now = trace_time;
  std::vector<tc::Credential> credentials = {};
};

struct Replay {
  std::shared_ptr<test::ScriptRng> rng;
  tc::ClientEngine engine;

  explicit Replay(const Trace& trace, tc::detail::HelloTemplate fixed, std::vector<NamedGroup> groups,
                  Surroundings around = {})
      : rng(std::make_shared<test::ScriptRng>(unhex(trace.randomness))),
        engine(config(trace, rng, std::move(fixed), std::move(groups), std::move(around)), name(),
               tc::replay_safe(unhex(trace.early_data))) {}
  Replay(const Trace& trace, std::vector<NamedGroup> groups, Surroundings around = {})
      : Replay(trace, template_of(trace), std::move(groups), std::move(around)) {}

  static tc::ServerName name() {
    auto parsed = tc::ServerName::parse("server");
    REQUIRE(parsed.has_value());
    return std::move(*parsed);
  }
  static tc::ConfigPtr config(const Trace& trace, std::shared_ptr<test::ScriptRng> rng, tc::detail::HelloTemplate fixed,
                              std::vector<NamedGroup> groups, Surroundings around) {
    auto builder = tc::ClientConfig::builder();
    builder.verifier(std::make_shared<TraceVerifier>())
        .cipher_suites({tc::CipherSuite::aes_128_gcm_sha256, tc::CipherSuite::chacha20_poly1305_sha256,
                        tc::CipherSuite::aes_256_gcm_sha384})
        .groups(std::move(groups))
        .key_shares({NamedGroup::x25519})
        .compatibility_mode(trace.client_flight.starts_with("14")) // a change_cipher_spec comes first
        .rng(std::move(rng))
        .clock(std::make_shared<test::FixedClock>(around.now))
        .session_store(std::move(around.sessions))
        .credentials(std::move(around.credentials));
    tc::detail::ConfigAccess::set_hello_template(builder, std::move(fixed));
    auto built = builder.build();
    REQUIRE(built.has_value());
    return std::move(*built);
  }

  /// What the engine wants to send, all of it.
  std::string sent() {
    std::string text;
    for (tc::BytesView out = engine.pending_output(); !out.empty(); out = engine.pending_output()) {
      text += hex(out);
      engine.sent(out.size());
    }
    return text;
  }
  void receive(std::string_view record, std::size_t step = ~std::size_t{0}) {
    const tc::ByteVector bytes = unhex(record);
    for (tc::BytesView rest = bytes; !rest.empty();) {
      const tc::Bytes space = engine.receive_buffer();
      REQUIRE_FALSE(space.empty());
      const std::size_t count = std::min({rest.size(), space.size(), step});
      tc::copy_bytes(rest.first(count), space);
      rest = rest.subspan(count);
      (void)engine.received(count);
      if (engine.failure())
        return;
    }
  }
  void check_no_failure() const {
    if (engine.failure())
      FAIL(engine.failure()->message());
  }
  /// The same application data in both directions.
  void exchange_data(const Trace& trace, std::size_t step) {
    const tc::ByteVector data = unhex(trace.application_data);
    REQUIRE(engine.encrypt(data).value() == data.size());
    CHECK(sent() == trace.client_data);
    receive(trace.server_data, step);
    CHECK(hex(engine.plaintext()) == trace.application_data);
    engine.consume(data.size());
  }
  /// Both sides end.
  void close(const Trace& trace, std::size_t step = ~std::size_t{0}) {
    REQUIRE(engine.close_notify().has_value());
    CHECK(sent() == trace.client_close);
    receive(trace.server_close, step);
    check_no_failure();
    CHECK(engine.peer_closed());
    CHECK(sent().empty());
  }
};

const std::vector<NamedGroup> four_curves{NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1,
                                          NamedGroup::secp521r1};
const std::vector<NamedGroup> three_curves{NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};

/// A store with the session of section 3's ticket.
std::shared_ptr<tc::MemorySessionStore> store_of_section_3() {
  auto store = std::make_shared<tc::MemorySessionStore>();
  Replay first(rfc8448::simple_1rtt, four_curves, {.sessions = store});
  (void)first.sent();
  first.receive(rfc8448::simple_1rtt.server_hello);
  first.receive(rfc8448::simple_1rtt.server_flight);
  first.receive(rfc8448::simple_1rtt.ticket);
  first.check_no_failure();
  REQUIRE(store->size() == 1);
  return store;
}

/// The client of section 6. Its signature comes from the trace: randomness went into it that is not known.
tc::Credential credential_of_section_6() {
  auto certificate = tc::Certificate::from_der(unhex(rfc8448::client_authentication.client_certificate));
  REQUIRE(certificate.has_value());
  auto credential =
      tc::Credential::create({std::move(*certificate)},
                             std::make_shared<tc::SignLater>(std::vector{tc::SignatureScheme::rsa_pss_rsae_sha256}));
  REQUIRE(credential.has_value());
  return std::move(*credential);
}

} // namespace

TEST_CASE("RFC 8448, section 3: simple 1-RTT handshake", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::simple_1rtt;
  for (const std::size_t step : {~std::size_t{0}, std::size_t{1}}) {
    CAPTURE(step);
    Replay client(trace, four_curves);
    CHECK(client.rng->left() == 0);
    CHECK(client.sent() == trace.client_hello);
    client.receive(trace.server_hello, step);
    client.receive(trace.server_flight, step);
    client.check_no_failure();
    REQUIRE(client.engine.handshake_complete());
    CHECK(client.sent() == trace.client_flight);
    CHECK(client.engine.info().signature_scheme == tc::SignatureScheme::rsa_pss_rsae_sha256);

    client.receive(trace.ticket, step);
    client.check_no_failure();
    CHECK(client.engine.plaintext().empty());
    client.exchange_data(trace, step);
    client.close(trace, step);
  }
}

TEST_CASE("RFC 8448, section 4: resumed 0-RTT handshake", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::resumed_0rtt;
  for (const std::size_t step : {~std::size_t{0}, std::size_t{1}}) {
    CAPTURE(step);
    const auto store = store_of_section_3();
    Replay client(trace, four_curves, {.sessions = store, .now = trace_time + 6});
    CHECK(client.rng->left() == 0);
    CHECK(store->size() == 0);
    CHECK(client.sent() == std::string(trace.client_hello) + std::string(trace.client_early_data));
    client.receive(trace.server_hello, step);
    client.receive(trace.server_flight, step);
    client.check_no_failure();
    REQUIRE(client.engine.handshake_complete());
    CHECK(client.sent() == trace.client_flight); // EndOfEarlyData and Finished, each under its key
    CHECK(client.engine.info().psk == tc::PskUse::resumption);
    CHECK(client.engine.info().early_data == tc::EarlyDataOutcome::accepted);
    CHECK(client.engine.info().early_data_accepted == unhex(trace.early_data).size());
    CHECK(client.engine.take_unaccepted_early_data().empty());

    client.exchange_data(trace, step);
    client.close(trace, step);
  }
}

TEST_CASE("the binder of section 4 depends on the ticket's age", "[rfc8448]") {
  // Both stand in the last bytes of the ClientHello, which the early data's key depends on in turn.
  constexpr const Trace& trace = rfc8448::resumed_0rtt;
  Replay client(trace, four_curves, {.sessions = store_of_section_3(), .now = trace_time + 7});
  const std::string sent = client.sent();
  const std::string wanted = std::string(trace.client_hello) + std::string(trace.client_early_data);
  REQUIRE(sent.size() == wanted.size());
  constexpr std::size_t binders = 2 * (2 + 1 + 32);
  const std::size_t age_ends = trace.client_hello.size() - binders;
  CHECK(sent.substr(0, age_ends - 2) == wanted.substr(0, age_ends - 2));
  CHECK(sent.substr(age_ends - 2, 2) == "cc"); // one millisecond more
  CHECK(sent.substr(age_ends + 6, 64) != wanted.substr(age_ends + 6, 64));
  CHECK(sent.substr(trace.client_hello.size() + 10) != trace.client_early_data.substr(10));
}

TEST_CASE("RFC 8448, section 5: HelloRetryRequest", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::hello_retry_request;
  Replay client(trace, three_curves);
  CHECK(client.sent() == trace.client_hello);
  CHECK(client.rng->left() == 32); // the key that the server has to ask for
  client.receive(trace.hello_retry_request);
  client.check_no_failure();
  CHECK(client.sent() == trace.second_client_hello);
  CHECK(client.rng->left() == 0);
  client.receive(trace.server_hello);
  client.receive(trace.server_flight);
  client.check_no_failure();
  REQUIRE(client.engine.handshake_complete());
  CHECK(client.engine.info().hello_retry_request);
  CHECK(client.engine.info().group == NamedGroup::secp256r1);
  CHECK(client.sent() == trace.client_flight);
  client.close(trace);
}

TEST_CASE("RFC 8448, section 6: client authentication", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::client_authentication;
  for (const std::size_t step : {~std::size_t{0}, std::size_t{1}}) {
    CAPTURE(step);
    Replay client(trace, four_curves, {.credentials = {credential_of_section_6()}});
    CHECK(client.rng->left() == 0);
    CHECK(client.sent() == trace.client_hello);
    client.receive(trace.server_hello, step);
    client.receive(trace.server_flight, step);
    client.check_no_failure();
    CHECK_FALSE(client.engine.handshake_complete());
    REQUIRE(client.engine.awaited() == tc::Interest::signature);
    CHECK(client.engine.info().signature_scheme == tc::SignatureScheme::ecdsa_secp256r1_sha256);
    CHECK(client.sent().empty()); // the flight leaves whole

    // What the trace's signature was made of is what this client asks to have signed.
    const auto request = client.engine.signature_request();
    REQUIRE(request.has_value());
    CHECK(request->scheme == tc::SignatureScheme::rsa_pss_rsae_sha256);
    const tc::ByteVector signature = unhex(trace.client_signature);
    const auto certificate = tc::Certificate::from_der(unhex(trace.client_certificate));
    REQUIRE(certificate.has_value());
    const auto key = certificate->public_key();
    REQUIRE(key.has_value());
    CHECK(key->verify(request->scheme, request->content, signature, 1024).has_value());

    REQUIRE(client.engine.give_signature(signature).has_value());
    REQUIRE(client.engine.handshake_complete());
    CHECK(client.sent() == trace.client_flight);
    CHECK(client.engine.info().client_certificate_sent);
    client.close(trace, step);
  }
}

TEST_CASE("RFC 8448, section 7: compatibility mode", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::compatibility_mode;
  Replay client(trace, four_curves);
  CHECK(client.rng->left() == 0);
  CHECK(client.sent() == trace.client_hello);
  client.receive(trace.server_hello);
  client.receive(trace.server_flight);
  client.check_no_failure();
  REQUIRE(client.engine.handshake_complete());
  CHECK(client.sent() == trace.client_flight);
  client.close(trace);
}

TEST_CASE("the traces' short key is accepted for the traces only", "[rfc8448]") {
  constexpr const Trace& trace = rfc8448::simple_1rtt;
  tc::detail::HelloTemplate fixed = template_of(trace);
  fixed.rsa_bits_min = tc::detail::HelloTemplate().rsa_bits_min;
  Replay client(trace, std::move(fixed), four_curves);
  client.receive(trace.server_hello);
  client.receive(trace.server_flight);
  REQUIRE(client.engine.failure() != nullptr);
  CHECK(client.engine.failure()->code() == ErrorCode::certificate_key_too_weak);
  CHECK_FALSE(client.engine.handshake_complete());
}

TEST_CASE("a trace with one bit changed is no trace", "[rfc8448]") {
  // The replay would be worth little if it accepted anything else.
  constexpr const Trace& trace = rfc8448::simple_1rtt;
  for (const std::size_t place : {std::size_t{20}, std::size_t{700}, trace.server_flight.size() - 1}) {
    CAPTURE(place);
    std::string flight(trace.server_flight);
    flight[place] = flight[place] == '0' ? '1' : '0';
    Replay client(trace, four_curves);
    client.receive(trace.server_hello);
    client.receive(flight);
    REQUIRE(client.engine.failure() != nullptr);
    CHECK(client.engine.failure()->code() == ErrorCode::bad_record_mac);
  }
}
