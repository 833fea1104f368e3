// gnutls-serv as a peer.
#include "gnutls_server.hpp"

using namespace interop;

TEST_CASE("gnutls: every cipher suite") {
  GnutlsServer server;
  for (const CipherSuite suite :
       {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
    INFO(name_of(suite));
    CHECK(visit(server, client().cipher_suites({suite})).cipher_suite == suite);
  }
  const std::string said = server.last_words();
  for (const std::string_view cipher : {"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"}) {
    INFO(cipher);
    CHECK(contains(said, cipher));
  }
}

TEST_CASE("gnutls: every group, with a share and after HelloRetryRequest") {
  struct Case {
    NamedGroup group;
    const char* name;
    NamedGroup other;
  };
  std::size_t hybrids = 0;
  for (const Case& item : {Case{NamedGroup::x25519, "GROUP-X25519", NamedGroup::secp256r1},
                           Case{NamedGroup::secp256r1, "GROUP-SECP256R1", NamedGroup::x25519},
                           Case{NamedGroup::secp384r1, "GROUP-SECP384R1", NamedGroup::x25519},
                           Case{NamedGroup::secp521r1, "GROUP-SECP521R1", NamedGroup::x25519},
                           Case{NamedGroup::x25519_mlkem768, "GROUP-X25519-MLKEM768", NamedGroup::x25519},
                           Case{NamedGroup::secp256r1_mlkem768, "GROUP-SECP256R1-MLKEM768", NamedGroup::x25519},
                           Case{NamedGroup::secp384r1_mlkem1024, "GROUP-SECP384R1-MLKEM1024", NamedGroup::x25519}}) {
    INFO(item.name);
    if (!contains(gnutls_features(), item.name)) {
      CHECK(is_post_quantum(item.group)); // only those may be missing
      continue;
    }
    hybrids += is_post_quantum(item.group);
    const GnutlsServer server({.priority = ":-GROUP-ALL:+" + std::string(item.name)});
    for (const bool retry : {false, true}) {
      INFO("retry: " << retry);
      const tc::ConnectionInfo info =
          visit(server, client()
                            .groups({NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768,
                                     NamedGroup::secp384r1_mlkem1024, NamedGroup::x25519, NamedGroup::secp256r1,
                                     NamedGroup::secp384r1, NamedGroup::secp521r1})
                            .key_shares({retry ? item.other : item.group}));
      CHECK(info.group == item.group);
      CHECK(info.hello_retry_request == retry);
    }
  }
  if (hybrids == 0)
    WARN("this release of GnuTLS has no ML-KEM: hybrids were not tested with it");
}

TEST_CASE("gnutls: every signature scheme") {
  for (const SignatureCase& item : every_signature) {
    INFO(name_of(item.scheme));
    const GnutlsServer server({.identity = leaf(item.key)});
    CHECK(visit(server, client().signature_schemes({item.scheme})).signature_scheme == item.scheme);
    (void)visit(server, client());
  }
}

TEST_CASE("gnutls: application protocols") {
  const GnutlsServer server({.more = {"--echo", "--alpn=h2", "--alpn=http/1.1", "--alpn-fatal"}});
  const GnutlsServer lenient({.more = {"--echo", "--alpn=h2"}});
  CHECK(visit(server, client().alpn({"http/1.1"})).application_protocol == "http/1.1");
  CHECK(visit(server, client().alpn({"gopher", "h2"})).application_protocol == "h2");
  CHECK(visit(lenient, client()).application_protocol.empty());
  CHECK(visit(lenient, client().alpn({"gopher"})).application_protocol.empty());
  const tc::Error error = refused(connector(server.port(), client().alpn({"gopher"})));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::no_application_protocol);
}

TEST_CASE("gnutls: client certificates asked for and required") {
  const GnutlsServer asking({.client_certificate = {}});
  CHECK(visit(asking, client()).certificate_requested);
  const GnutlsServer requiring({.client_certificate = {"--require-client-cert"}});
  TcpStream stream = connected(requiring.port());
  const tc::Halt end = drain(stream);
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::alert_received);
  CHECK(end.error()->alert_received() == AlertDescription::certificate_required);
}

TEST_CASE("gnutls: only TLS 1.2, to a client of TLS 1.3 alone") {
  const GnutlsServer server({.priority = ":-VERS-ALL:+VERS-TLS1.2"});
  const tc::Error error = refused(connector(server.port(), client().versions({tc::ProtocolVersion::tls1_3})));
  // It sees a TLS 1.2 client without any suite of TLS 1.2.
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK((error.alert_received() == AlertDescription::handshake_failure ||
         error.alert_received() == AlertDescription::protocol_version));
}

TEST_CASE("gnutls: bulk data from the server") {
  for (const tc::ProtocolVersion version : every_version) {
    INFO(name_of(version));
    const TempFolder folder;
    std::string data;
    data.reserve(bulk_size);
    BulkSource source(6);
    for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
      data.append(piece);
    const GnutlsServer server({.more = {"--http", "--httpdata", folder.write("data", data)}});
    TcpStream stream = connected(server.port(), client().versions({version}));
    send(stream, "GET / HTTP/1.0\r\n\r\n");

    // The header ends with an empty line; what came with it is data already.
    std::string start = receive_until(stream, "\r\n\r\n");
    const std::string_view first = std::string_view(start).substr(start.find("\r\n\r\n") + 4);
    BulkDigest digest;
    digest.add(first);
    std::vector<std::uint8_t> buffer(30'000);
    for (;;) {
      auto count = stream.read_some(buffer);
      if (!count) {
        CHECK(count.error().is_closed());
        break;
      }
      digest.add(tc::as_text(tc::BytesView(buffer).first(*count)));
    }
    CHECK(digest.size() == bulk_size);
    CHECK(digest.value() == BulkDigest::of(6));
  }
}

TEST_CASE("gnutls: bulk data echoed over a non-blocking socket") {
  for (const tc::ProtocolVersion version : every_version) {
    INFO(name_of(version));
    const GnutlsServer server;
    TcpStream stream = connected(connector(server.port(), client().versions({version}), host, PosixSocket::Mode::non_blocking));
    CHECK(exchange_bulk(stream, 7) == BulkDigest::of(7));
  }
}

TEST_CASE("gnutls: a server that dies leaves a truncated stream") {
  GnutlsServer server;
  TcpStream stream = connected(server.port());
  send(stream, "echo this\n");
  (void)receive_until(stream, "\n");
  server.process().kill();
  CHECK(drain(stream).is_truncated());
}

TEST_CASE("gnutls: certificates that must be refused, and what is said about them") {
  const test::Identity stranger = test::self_signed({.common_name = "Stranger Root", .ca = true});
  test::CertOptions expired = leaf_options();
  expired.not_before = test::now - 60 * test::day;
  expired.not_after = test::now - test::day;
  struct Case {
    const char* what;
    test::Identity identity;
    bool send_chain;
    const char* name;
    ErrorCode code;
    const char* alert; ///< as the server reports it
    std::initializer_list<std::string_view> parts;
  };
  const Case cases[] = {
      {"wrong name",
       leaf(),
       true,
       "other.tlsconnect.test",
       ErrorCode::certificate_name_mismatch,
       "Alert[2|42]",
       {"other.tlsconnect.test", host}},
      {"expired",
       Pki::instance().authority.issue(expired),
       true,
       host.data(),
       ErrorCode::certificate_expired,
       "Alert[2|45]",
       {"expired", "2026-05-31"}},
      {"unknown root",
       stranger.issue(leaf_options()),
       true,
       host.data(),
       ErrorCode::certificate_unknown_issuer,
       "Alert[2|48]",
       {"Stranger Root"}},
      {"self-signed",
       test::self_signed(leaf_options()),
       true,
       host.data(),
       ErrorCode::certificate_self_signed,
       "Alert[2|48]",
       {"signed by its own key"}},
      {"missing intermediate",
       leaf(),
       false,
       host.data(),
       ErrorCode::certificate_unknown_issuer,
       "Alert[2|48]",
       {"Interop Authority", "intermediate"}},
  };
  for (const Case& item : cases) {
    INFO(item.what);
    // The number of an alert is among the words for debugging.
    GnutlsServer server({.identity = item.identity, .send_chain = item.send_chain, .more = {"--echo", "--debug=5"}});
    const tc::Error error = refused(connector(server.port(), client(), item.name));
    CHECK(error.code() == item.code);
    check_message(error, item.parts);
    const bool seen = server.process().wait_for_text(item.alert);
    INFO("the server's output: " << server.process().output());
    CHECK(seen);
  }
}
