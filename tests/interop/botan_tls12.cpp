// TLS 1.2 with Botan's server.
#include "botan_meeting.hpp"

using namespace interop;
using tc::ProtocolVersion;

namespace {

/// A server of TLS 1.2 alone.
test::BotanServerOptions tls12_options(test::KeyType type = test::KeyType::p256) {
  test::BotanServerOptions options = botan_options(type);
  options.tls12 = true;
  options.tls13 = false;
  options.groups = {29, 23, 24, 25};
  return options;
}

struct Suite {
  CipherSuite suite;
  test::KeyType key;
};
constexpr Suite suites12[] = {
    {CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256, test::KeyType::p256},
    {CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384, test::KeyType::p256},
    {CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256, test::KeyType::p256},
    {CipherSuite::ecdhe_rsa_aes_128_gcm_sha256, test::KeyType::rsa2048},
    {CipherSuite::ecdhe_rsa_aes_256_gcm_sha384, test::KeyType::rsa2048},
    {CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256, test::KeyType::rsa2048},
};

} // namespace

TEST_CASE("botan, TLS 1.2: every suite with every curve, offered with TLS 1.3 and alone") {
  for (const Suite& item : suites12)
    for (const NamedGroup group :
         {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1})
      for (const bool alone : {false, true}) {
        INFO(name_of(item.suite) << ", " << name_of(group) << ", alone: " << alone);
        test::BotanServerOptions options = tls12_options(item.key);
        options.cipher_suites12 = {code(item.suite)};
        options.groups = {code(group)};
        Meeting meeting(context_of(options), alone ? client().versions({ProtocolVersion::tls1_2}) : client());
        meeting.connected().talk();
        CHECK(meeting.info().version == ProtocolVersion::tls1_2);
        CHECK(meeting.info().cipher_suite == item.suite);
        CHECK(meeting.server().cipher_suite() == code(item.suite));
        CHECK(meeting.info().group == group);
        CHECK(meeting.info().extended_main_secret);
        CHECK(meeting.info().secure_renegotiation);
        CHECK(meeting.server().server_name() == host);
      }
}

TEST_CASE("botan, TLS 1.2: every signature scheme that it has") {
  for (const SignatureCase& item : every_signature) {
    if (item.key != test::KeyType::p256 && item.key != test::KeyType::p384 && item.key != test::KeyType::p521 &&
        item.key != test::KeyType::rsa2048)
      continue;
    INFO(name_of(item.scheme));
    Meeting meeting(context_of(tls12_options(item.key)), client().signature_schemes({item.scheme}));
    meeting.connected().talk();
    CHECK(meeting.info().signature_scheme == item.scheme);
  }
}

TEST_CASE("botan, TLS 1.2: resumption") {
  for (const Suite& item : suites12) {
    INFO(name_of(item.suite));
    test::BotanServerOptions options = tls12_options(item.key);
    options.cipher_suites12 = {code(item.suite)};
    const ContextPtr context = with_tickets(options);
    const auto store = std::make_shared<ByteStore>();
    Meeting first(context, keeping(store));
    first.connected().talk();
    CHECK_FALSE(first.info().resumed());
    for (int round = 0; round < 3; ++round) {
      INFO("round " << round);
      REQUIRE(store->size() == 1);
      Meeting next(context, keeping(store));
      next.connected().talk();
      CHECK(next.info().resumed());
      CHECK(next.server().resumed());
      CHECK(next.info().peer_chain == first.info().peer_chain);
    }
    // Another server does not know the session, and makes a new one.
    Meeting other(with_tickets(options), keeping(store));
    other.connected().talk();
    CHECK_FALSE(other.info().resumed());
    CHECK(store->broken() == 0);
  }
}

TEST_CASE("botan, TLS 1.2: a session of one version is nothing to the other") {
  test::BotanServerOptions options = tls12_options();
  options.tls13 = true;
  const ContextPtr context = with_tickets(options);
  const auto store = std::make_shared<ByteStore>();
  Meeting(context, keeping(store).versions({ProtocolVersion::tls1_2})).connected().talk();
  REQUIRE(store->size() == 1);
  Meeting newer(context, keeping(store).versions({ProtocolVersion::tls1_3}));
  newer.connected().talk();
  CHECK(newer.info().version == ProtocolVersion::tls1_3);
  CHECK_FALSE(newer.info().resumed());
  // A client of both gets the newer version, whatever it has kept.
  Meeting both(context, keeping(store));
  both.connected().talk();
  CHECK(both.info().version == ProtocolVersion::tls1_3);
}

TEST_CASE("botan, TLS 1.2: client certificates of every kind of key, signed at once and later") {
  check_client_certificates(tls12_options());
}

TEST_CASE("botan, TLS 1.2: bulk data both ways, over a blocking and a non-blocking socket") {
  for (const PosixSocket::Mode mode : {PosixSocket::Mode::blocking, PosixSocket::Mode::non_blocking}) {
    BotanTcpServer server(tls12_options(), [](BotanPeer& peer) {
      if (!peer.handshake())
        return;
      for (std::string piece = peer.read(); !piece.empty(); piece = peer.read())
        if (!peer.send(piece))
          return;
    });
    TcpStream stream = connected(connector(server.port(), client(), host, mode));
    CHECK(stream.info().version == ProtocolVersion::tls1_2);
    if (mode == PosixSocket::Mode::non_blocking) {
      CHECK(exchange_bulk(stream, 21) == BulkDigest::of(21));
    } else {
      // What is not read must fit into the sockets' buffers.
      BulkSource source(22);
      BulkDigest received;
      std::vector<std::uint8_t> buffer(50'000);
      for (std::string_view piece = source.next(); !piece.empty(); piece = source.next()) {
        send(stream, piece);
        for (std::size_t left = piece.size(); left > 0;) {
          auto count = stream.read_some(tc::Bytes(buffer).first(std::min(left, buffer.size())));
          REQUIRE(count.has_value());
          received.add(tc::as_text(tc::BytesView(buffer).first(*count)));
          left -= *count;
        }
      }
      CHECK(received.value() == BulkDigest::of(22));
    }
    REQUIRE(stream.shutdown().has_value());
    if (mode == PosixSocket::Mode::blocking)
      CHECK(drain(stream).is_closed());
  }
}

TEST_CASE("botan, TLS 1.2: what the server shows is judged as in TLS 1.3") {
  Meeting wrong(context_of(tls12_options()), client(), "another.tlsconnect.test");
  const auto halt = wrong.meet();
  REQUIRE(halt.has_value());
  REQUIRE(halt->is_failed());
  CHECK(halt->error()->code() == ErrorCode::certificate_name_mismatch);
  CHECK(wrong.server().alert_received() == static_cast<std::uint8_t>(AlertDescription::bad_certificate));
}
