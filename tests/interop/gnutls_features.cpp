// Resumption, early data, client certificates and what else GnuTLS's server can do.
#include <iterator>

#include <tlsconnect/client/certificate_compression.hpp>

#include "gnutls_verifying.hpp"

using namespace interop;
using tc::EarlyDataOutcome;
using tc::PskUse;

namespace {

tc::ClientConfig::Builder keeping(const std::shared_ptr<tc::SessionStore>& store) {
  return client().session_store(store).clock(std::make_shared<RunningClock>());
}

} // namespace

TEST_CASE("gnutls: resumption with every cipher suite") {
  GnutlsServer server;
  std::size_t resumed = 0;
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    const auto store = std::make_shared<ByteStore>();
    const auto builder = keeping(store).cipher_suites({suite});
    const tc::ConnectionInfo first = visit(server, builder);
    CHECK(first.psk == PskUse::none);
    for (int round = 0; round < 3; ++round) {
      const tc::ConnectionInfo next = visit(server, builder);
      CHECK(next.resumed());
      CHECK(next.cipher_suite == suite);
      CHECK(next.peer_chain == first.peer_chain);
      ++resumed;
    }
    CHECK(store->broken() == 0);
  }
  CHECK(count_of(server.last_words(), "*** This is a resumed session") == resumed);
}

TEST_CASE("gnutls: resumption after HelloRetryRequest, and where the ticket means nothing") {
  const auto store = std::make_shared<ByteStore>();
  const auto builder =
      keeping(store).groups({NamedGroup::x25519, NamedGroup::secp384r1}).key_shares({NamedGroup::x25519});
  {
    GnutlsServer server({.priority = ":-GROUP-ALL:+GROUP-SECP384R1"});
    for (const bool resumes : {false, true}) {
      const tc::ConnectionInfo info = visit(server, builder);
      CHECK(info.hello_retry_request);
      CHECK(info.resumed() == resumes);
    }
    CHECK(count_of(server.last_words(), "*** This is a resumed session") == 1);
  }
  REQUIRE(store->size() > 0);
  GnutlsServer other;
  CHECK(visit(other, builder).psk == PskUse::none);
  CHECK(count_of(other.last_words(), "*** This is a resumed session") == 0);
}

TEST_CASE("gnutls: early data is accepted") {
  const GnutlsServer server({.more = {"--echo", "--earlydata"}});
  for (const CipherSuite suite : every_suite)
    for (const bool compatible : {true, false}) {
      INFO(name_of(suite) << ", compatibility mode: " << compatible);
      const auto builder = keeping(std::make_shared<ByteStore>()).cipher_suites({suite}).compatibility_mode(compatible);
      (void)visit(server, builder);
      const std::string early(500, 'e');
      TcpStream stream = connected(
          TcpConnector(built(builder), server_name(), dial(server.port()), tc::replay_safe(tc::as_bytes(early))));
      CHECK(stream.info().resumed());
      CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
      CHECK(stream.info().early_data_accepted == early.size());
      CHECK(stream.take_unaccepted_early_data().empty());
      // (The server does not echo early data.)
      echo(stream);
      echo(stream);
    }
}

TEST_CASE("gnutls: early data is rejected, and nothing of it is lost") {
  // GnuTLS takes a ticket twice: what it refuses is the same ClientHello. And what it does with early data before a
  // HelloRetryRequest is not tested: release 3.7 takes the second ClientHello for encrypted then, whoever the client is.
  for (const bool other_server : {false, true}) {
    INFO("another server: " << other_server);
    const auto store = std::make_shared<ByteStore>();
    const auto clock = std::make_shared<RunningClock>();
    const auto builder = client().session_store(store).clock(clock);
    const GnutlsOptions options{.more = {"--echo", "--earlydata", "--maxearlydata", "16384"}};
    std::optional<GnutlsServer> server(std::in_place, options);
    (void)visit(*server, builder);
    if (other_server) {
      server.reset();
      server.emplace(options);
    } else {
      // The age that the client tells is not the one that the server counts.
      clock->skip(60'000);
    }
    const std::string early(10'000, 'e');
    TcpStream stream = connected(
        TcpConnector(built(builder), server_name(), dial(server->port()), tc::replay_safe(tc::as_bytes(early))));
    CHECK(stream.info().early_data == EarlyDataOutcome::rejected);
    CHECK(stream.info().early_data_accepted == 0);
    CHECK(stream.info().resumed() == !other_server);
    const bool back = tc::as_text(stream.take_unaccepted_early_data()) == early;
    CHECK(back);
    echo(stream);
  }
}

TEST_CASE("gnutls: client certificates of every kind of key, signed at once and later") {
  const std::string said =
      check_client_certificates({}, [](const tc::ConnectionInfo& info) { CHECK(info.certificate_requested); });
  CHECK(count_of(said, "Subject: CN=a client\n") >= 2 * std::size(every_client_key));
}

TEST_CASE("gnutls: a certificate after the handshake") {
  const Verifying files;
  for (const test::KeyType type : every_client_key)
    for (const bool later : {false, true}) {
      INFO(name_of_key(type) << ", signed later: " << later);
      // It asks in the handshake already, with what fits nothing that this client has, and again on command.
      GnutlsServer server(files.options(false));
      const test::Identity identity = client_identity(type);
      const tc::PrivateKey key = private_key(identity);
      const auto builder = client()
                               .credentials({later ? credential_that_signs_later(identity) : credential(identity)})
                               .post_handshake_auth(true);
      TcpStream stream =
          later ? connected_signing(connector(server.port(), builder), key) : connected(server.port(), builder);
      echo(stream);
      for (int round = 0; round < 2; ++round) {
        send(stream, "**REAUTH**\n");
        if (later) {
          std::uint8_t buffer[100];
          auto halted = stream.read_some(buffer);
          REQUIRE_FALSE(halted.has_value());
          REQUIRE(halted.error().is_would_block());
          CHECK(includes(halted.error().interest(), tc::Interest::signature));
          const auto request = stream.signature_request();
          REQUIRE(request.has_value());
          REQUIRE(stream.give_signature(signature_for(*request, key)).has_value());
          REQUIRE(stream.flush().has_value());
        }
        CHECK(receive_until(stream, "\n") == "Successfully executed command\n");
        echo(stream);
      }
      const std::string said = server.last_words();
      INFO(said);
      CHECK(count_of(said, "*** Sending re-auth request") == 2);
      CHECK_FALSE(contains(said, "reauth: "));
    }
}

TEST_CASE("gnutls: external pre-shared key") {
  static constexpr std::uint8_t secret[] = {0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87,
                                            0x98, 0xA9, 0xBA, 0xCB, 0xDC, 0xED, 0xFE, 0x0F};
  const auto psk = [](std::string_view identity, tc::BytesView key) {
    auto made = tc::ExternalPsk::create(tc::as_bytes(identity), key);
    REQUIRE(made.has_value());
    return std::move(*made);
  };
  const TempFolder folder;
  const std::string keys = folder.write("keys", "client:" + hex(secret, false) + "\n");
  const GnutlsServer server({.priority = ":+ECDHE-PSK:+DHE-PSK", .more = {"--echo", "--pskpasswd", keys}});
  const auto only = [&](tc::ExternalPsk key) {
    return tc::ClientConfig::builder().external_psks({std::move(key)}).session_store(nullptr);
  };
  const tc::ConnectionInfo info = visit(server, only(psk("client", secret)));
  CHECK(info.psk == PskUse::external);
  CHECK(info.external_psk == std::uint16_t{0});
  CHECK(info.peer_chain.empty());
  // Another key under the same name.
  std::uint8_t other[sizeof secret];
  std::copy(std::begin(secret), std::end(secret), other);
  other[0] ^= 1;
  const tc::Error error = refused(connector(server.port(), only(psk("client", other))));
  CHECK(error.code() == ErrorCode::alert_received);
  // Behind a session, which then is what counts.
  const auto store = std::make_shared<ByteStore>();
  const auto builder = client().external_psks({psk("client", secret)}).session_store(store);
  CHECK(visit(server, builder).psk == PskUse::external);
  REQUIRE(store->size() > 0);
  CHECK(visit(server, builder).psk == PskUse::resumption);
}

TEST_CASE("gnutls: exporters and channel bindings say the same on both sides") {
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    const std::string_view label = "EXPERIMENTAL tlsconnect test";
    GnutlsServer server({.more = {"--echo", "--keymatexport", std::string(label), "--keymatexportsize", "48"}});
    TcpStream stream = connected(server.port(), client().cipher_suites({suite}));
    echo(stream);
    auto exporter = stream.tls_exporter();
    auto end_point = stream.tls_server_end_point();
    REQUIRE(exporter.has_value());
    REQUIRE(end_point.has_value());
    const std::string said = server.last_words();
    INFO(said);
    CHECK(contains(said, "- Key material: " + exported(stream, label, 48, false) + "\n"));
    CHECK(contains(said, "'tls-exporter': " + hex(*exporter, false) + "\n"));
    CHECK(contains(said, "'tls-server-end-point': " + hex(*end_point, false) + "\n"));
  }
}

TEST_CASE("gnutls: raw public keys of the server and of the client") {
  const test::Identity identity = leaf(test::KeyType::p256);
  const TempFolder folder;
  const std::string key = folder.write("raw.pem", identity.key_pem());
  const std::string public_key = folder.write("public.pem", test::pem_block("PUBLIC KEY", identity.key().public_der()));
  const std::vector<std::string> raw = {"--echo", "--rawpkkeyfile", key, "--rawpkfile", public_key};
  const auto pinned = [](const test::Identity& of) {
    auto spki = tc::PublicKey::from_spki(of.key().public_der());
    REQUIRE(spki.has_value());
    auto verifier = tc::PinnedPublicKeys::create({*spki});
    REQUIRE(verifier.has_value());
    return *verifier;
  };

  SECTION("of the server, resumed as well") {
    GnutlsServer server({.priority = ":-CTYPE-SRV-ALL:+CTYPE-SRV-RAWPK", .more = raw});
    const auto store = std::make_shared<ByteStore>();
    tc::ClientConfig::Builder builder = tc::ClientConfig::builder();
    builder.raw_public_keys(pinned(identity)).session_store(store);
    for (const bool resumes : {false, true}) {
      const tc::ConnectionInfo info = visit(server, builder);
      CHECK(info.raw_public_key);
      CHECK(info.peer_chain == std::vector<tc::ByteVector>{identity.key().public_der()});
      CHECK(info.resumed() == resumes);
    }
    CHECK(store->broken() == 0);
    const tc::Error error = refused(
        connector(server.port(), tc::ClientConfig::builder().raw_public_keys(pinned(leaf(test::KeyType::p384)))));
    CHECK(error.group() == tc::ErrorGroup::certificate);
  }
  SECTION("of the server, beside its certificate") {
    const GnutlsServer server({.priority = ":+CTYPE-SRV-RAWPK", .more = raw});
    // Either is fine for this client; what counts is that both agree.
    const tc::ConnectionInfo both = visit(server, client().raw_public_keys(pinned(identity)));
    CHECK(both.raw_public_key == (both.peer_chain.size() == 1));
    CHECK_FALSE(visit(server, client()).raw_public_key);
    CHECK(visit(server, tc::ClientConfig::builder().raw_public_keys(pinned(identity))).raw_public_key);
  }
  SECTION("of the client") {
    std::vector<std::string> more = raw;
    GnutlsServer server({.priority = ":-CTYPE-CLI-ALL:+CTYPE-CLI-RAWPK",
                         .client_certificate = {"--require-client-cert"},
                         .more = more});
    for (const test::KeyType type : {test::KeyType::p256, test::KeyType::ed25519, test::KeyType::rsa2048}) {
      INFO(name_of_key(type));
      auto made = tc::Credential::raw_public_key(private_key(client_identity(type)));
      REQUIRE(made.has_value());
      const tc::ConnectionInfo info = visit(server, client().credentials({*made}).session_store(nullptr));
      CHECK(info.client_certificate_sent);
      CHECK_FALSE(info.raw_public_key);
    }
    const std::string said = server.last_words();
    INFO(said);
    CHECK(count_of(said, "Raw Public Key") >= 3);
  }
}

TEST_CASE("gnutls: record_size_limit in both directions") {
  SECTION("what the server may send") {
    const TempFolder folder;
    const std::string data = bulk_text(21, 300'000);
    const GnutlsServer server({.more = {"--http", "--httpdata", folder.write("data", data)}});
    for (const std::uint16_t limit : {std::uint16_t{16'385}, std::uint16_t{4'000}, std::uint16_t{513}}) {
      INFO("limit " << limit);
      TcpStream stream = connected(server.port(), client().record_size_limit(limit));
      const std::uint64_t before = stream.info().records_received;
      send(stream, "GET / HTTP/1.0\r\n\r\n");
      std::string page;
      CHECK(drain(stream, &page).is_closed());
      CHECK(contains(page, data));
      // One byte of the limit is for the content type.
      const std::uint64_t fewest = (data.size() + limit - 2) / (limit - 1U);
      const std::uint64_t records = stream.info().records_received - before;
      CHECK(records >= fewest);
      CHECK(records <= fewest * 3 + 10);
    }
  }
  SECTION("what this side may send") {
    const GnutlsServer server({.more = {"--echo", "--recordsize", "1024"}});
    TcpStream stream = connected(connector(server.port(), client(), host, PosixSocket::Mode::non_blocking));
    const std::uint64_t before = stream.info().records_sent;
    const auto nothing = [](std::size_t) { return tc::IoResult<>(); };
    // (Lines that are longer than its limit are too much for the server's echo.)
    std::string lines;
    for (std::size_t at = 0; at < 300'000; at += 600)
      lines += "line " + std::to_string(at) + std::string(500, 'x') + "\n";
    const Exchanged exchanged = exchange(stream, lines, lines.size(), nothing, [](std::size_t) {});
    if (exchanged.problem)
      FAIL(exchanged.problem->message());
    const bool same = exchanged.received == lines;
    CHECK(same);
    CHECK(stream.info().records_sent - before >= lines.size() / 1'024);
  }
}

TEST_CASE("gnutls: key updates while data flows both ways") {
  const GnutlsServer server;
  TcpStream stream = connected(connector(server.port(), client(), host, PosixSocket::Mode::non_blocking));
  const std::string data = bulk_text(22, 3'900'000);
  // Each second one asks the server for a new key as well. (GnuTLS permits eight a second.)
  std::size_t updates = 0;
  const Exchanged exchanged = exchange(
      stream, data, data.size(),
      [&](std::size_t sent) {
        return sent / 500'000 > updates ? stream.update_keys(++updates % 2 == 0) : tc::IoResult<>();
      },
      [](std::size_t) {});
  if (exchanged.problem)
    FAIL(exchanged.problem->message() << " after " << exchanged.received.size() << " bytes");
  const bool same = exchanged.received == data;
  CHECK(same);
  CHECK(updates == 7);
}

TEST_CASE("gnutls: a stapled OCSP response") {
  // OCSPResponse with the status tryLater and nothing else (RFC 6960, 4.2.1).
  const tc::ByteVector response = {0x30, 0x03, 0x0A, 0x01, 0x03};
  const TempFolder folder;
  const GnutlsServer server({.more = {"--echo", "--ignore-ocsp-response-errors", "--ocsp-response",
                                      folder.write("response", tc::as_text(response))}});
  const auto builder = keeping(std::make_shared<ByteStore>()).status_request(true);
  for (const bool resumes : {false, true}) {
    const tc::ConnectionInfo info = visit(server, builder);
    CHECK(info.resumed() == resumes);
    REQUIRE(info.peer_status.size() == 2);
    CHECK(info.peer_status[0].ocsp_response == response);
    CHECK(info.peer_status[1].ocsp_response.empty());
  }
  CHECK(visit(server, client().status_request(false)).peer_status.empty());
}

TEST_CASE("gnutls: key log lines are the server's") {
  const TempFolder folder;
  const std::string path = folder.path() + "/keys";
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    REQUIRE(::setenv("SSLKEYLOGFILE", path.c_str(), 1) == 0); // for the server
    GnutlsServer server;
    REQUIRE(::unsetenv("SSLKEYLOGFILE") == 0);
    const auto ours = std::make_shared<CollectedKeyLog>();
    (void)visit(server, client().cipher_suites({suite}).key_log(ours));
    (void)server.last_words();
    std::ifstream file(path);
    std::vector<std::string> theirs;
    for (std::string line; std::getline(file, line);)
      theirs.push_back(line);
    std::sort(theirs.begin(), theirs.end());
    CHECK(theirs.size() == 5);
    CHECK(ours->sorted() == theirs);
    file.close();
    std::filesystem::remove(path);
  }
}

TEST_CASE("gnutls: compressed certificates") {
  if (tc::default_certificate_decompressors().empty())
    SKIP("this build decompresses nothing");
  for (const auto& decompressor : tc::default_certificate_decompressors()) {
    const std::string name(name_of(decompressor->algorithm()));
    INFO(name);
    GnutlsServer server({.more = {"--echo", "--compress-cert", name}});
    const auto builder = keeping(std::make_shared<ByteStore>()).certificate_decompressors({decompressor});
    const tc::ConnectionInfo info = visit(server, builder);
    if (contains(server.process().output(), "Unknown compression method")) {
      WARN("this release of GnuTLS does not compress with " << name);
      continue;
    }
    CHECK(info.certificate_compression == static_cast<std::uint16_t>(decompressor->algorithm()));
    CHECK(info.peer_chain.size() == 2);
    CHECK(visit(server, builder).resumed());
    const tc::ConnectionInfo plain = visit(server, client().certificate_decompressors({}));
    CHECK(plain.certificate_compression == 0);
    CHECK(plain.peer_chain == info.peer_chain);
  }
}
