// Botan's TLS server over TCP: data, closing, key updates, and what must be refused.
#include "botan_tcp.hpp"

using namespace interop;

TEST_CASE("botan: bulk data over a blocking socket") {
  BulkDigest at_server;
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (!peer.handshake())
      return;
    BulkSource source(11);
    for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
      if (!peer.send(piece))
        return;
    for (std::string piece = peer.read(); !piece.empty(); piece = peer.read())
      at_server.add(piece);
  });
  TcpStream stream = connected(server.port());
  CHECK(receive_bulk(stream) == BulkDigest::of(11));
  send_bulk(stream, 12);
  REQUIRE(stream.shutdown().has_value());
  CHECK(drain(stream).is_closed());
  server.join();
  CHECK(at_server.size() == bulk_size);
  CHECK(at_server.value() == BulkDigest::of(12));
}

TEST_CASE("botan: bulk data echoed over a non-blocking socket, with key updates") {
  int updates = 0;
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (!peer.handshake())
      return;
    std::size_t total = 0;
    for (std::string piece = peer.read(); !piece.empty(); piece = peer.read()) {
      if (!peer.send(piece))
        return;
      // After each megabyte: its own key, and every other time ours too.
      if ((total + piece.size()) / 1'000'000 > total / 1'000'000)
        if (!peer.tls().update_keys(updates++ % 2 == 0) || !peer.flush())
          return;
      total += piece.size();
    }
  });
  {
    TcpStream stream = connected(connector(server.port(), client(), host, PosixSocket::Mode::non_blocking));
    CHECK(exchange_bulk(stream, 13) == BulkDigest::of(13));
    REQUIRE(stream.shutdown().has_value());
  }
  server.join();
  CHECK(updates == static_cast<int>(bulk_size / 1'000'000));
}

TEST_CASE("botan: the server speaks first, and tickets come before it") {
  std::size_t tickets = 0;
  std::string answer;
  test::BotanServerOptions options = botan_options();
  options.tickets = 1; // it can issue some, but issues none by itself: this client cannot resume
  BotanTcpServer server(options, [&](BotanPeer& peer) {
    if (!peer.handshake())
      return;
    tickets = peer.tls().send_tickets(3);
    (void)peer.send("220 ready\n");
    answer = peer.read(5);
  });
  TcpStream stream = connected(server.port());
  CHECK(receive_until(stream, "\n") == "220 ready\n");
  send(stream, "EHLO\n");
  server.join();
  CHECK(tickets == 3);
  CHECK(answer == "EHLO\n");
}

TEST_CASE("botan: the first data goes with the client's last flight") {
  std::string first;
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (peer.handshake())
      first = peer.read(5);
  });
  TcpConnector connecting = connector(server.port(), client());
  auto stream = connecting.connect(tc::as_bytes("hello"));
  REQUIRE(stream.has_value());
  server.join();
  CHECK(first == "hello");
}

TEST_CASE("botan: the client closes first and goes on reading") {
  std::string received;
  bool saw_close = false;
  test::BotanServerOptions options = botan_options();
  options.close_when_closed = false;
  BotanTcpServer server(options, [&](BotanPeer& peer) {
    if (!peer.handshake())
      return;
    received = peer.read(100); // until close_notify
    saw_close = peer.tls().peer_closed();
    if (peer.send("still here ") && peer.send("and done"))
      (void)peer.close_notify();
  });
  TcpStream stream = connected(server.port());
  send(stream, "that is all");
  REQUIRE(stream.shutdown().has_value());
  auto refused_write = stream.write_some(tc::as_bytes("x"));
  REQUIRE_FALSE(refused_write.has_value());
  REQUIRE(refused_write.error().is_failed());
  CHECK(refused_write.error().error()->code() == ErrorCode::write_side_closed);
  std::string text;
  CHECK(drain(stream, &text).is_closed());
  CHECK(text == "still here and done");
  server.join();
  CHECK(received == "that is all");
  CHECK(saw_close);
}

TEST_CASE("botan: the server closes first and goes on reading") {
  std::string received;
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (!peer.handshake() || !peer.send("goodbye") || !peer.close_notify())
      return;
    received = peer.read(100);
  });
  TcpStream stream = connected(server.port());
  std::string text;
  CHECK(drain(stream, &text).is_closed());
  CHECK(text == "goodbye");
  send(stream, "one more thing");
  REQUIRE(stream.shutdown().has_value());
  server.join();
  CHECK(received == "one more thing");
}

TEST_CASE("botan: an end without close_notify is never a proper one") {
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (peer.handshake() && peer.send("half a sentence"))
      peer.hang_up();
  });
  TcpStream stream = connected(server.port());
  std::string text;
  CHECK(drain(stream, &text).is_truncated());
  CHECK(text == "half a sentence");
  CHECK(drain(stream).is_truncated());
}

TEST_CASE("botan: a TCP reset is a failure of the transport") {
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    if (peer.handshake() && peer.read(2) == "go")
      peer.reset();
  });
  TcpStream stream = connected(server.port());
  send(stream, "go");
  const tc::Halt end = drain(stream);
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::transport_failed);
  CHECK(end.error()->os_error() == ECONNRESET);
}

TEST_CASE("botan: the server hangs up in the middle of the handshake") {
  BotanTcpServer server(botan_options(), [](BotanPeer& peer) { peer.hang_up(); });
  TcpConnector connecting = connector(server.port(), client());
  server.join();
  auto stream = connecting.connect();
  REQUIRE_FALSE(stream.has_value());
  CHECK((stream.error().is_truncated() ||
         (stream.error().is_failed() && stream.error().error()->code() == ErrorCode::transport_failed)));
}

TEST_CASE("botan: the server's alert in the middle of data") {
  BotanTcpServer server(botan_options(), [](BotanPeer& peer) {
    if (peer.handshake() && peer.send("data") && peer.tls().send_alert(80))
      (void)peer.flush();
  });
  TcpStream stream = connected(server.port());
  std::string text;
  const tc::Halt end = drain(stream, &text);
  CHECK(text == "data"); // what came before it counts
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::alert_received);
  CHECK(end.error()->alert_received() == AlertDescription::internal_error);
}

TEST_CASE("botan: application protocols") {
  test::BotanServerOptions options = botan_options();
  options.alpn = {"h2", "http/1.1"};
  options.alpn_required = true;
  std::vector<std::string> chosen;
  BotanTcpServer server(
      options,
      [&](BotanPeer& peer) {
        if (peer.handshake())
          chosen.push_back(peer.tls().alpn());
        (void)peer.read();
      },
      3);
  CHECK(connected(server.port(), client().alpn({"http/1.1", "h2"})).info().application_protocol == "h2");
  CHECK(connected(server.port(), client()).info().application_protocol.empty());
  const tc::Error error = refused(connector(server.port(), client().alpn({"gopher"})));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::no_application_protocol);
  server.join();
  CHECK(chosen == std::vector<std::string>{"h2", ""});
}

TEST_CASE("botan: client certificates asked for and required") {
  for (const bool required : {false, true}) {
    INFO("required: " << required);
    test::BotanServerOptions options = botan_options();
    options.request_client_certificate = true;
    options.require_client_certificate = required;
    std::size_t certificates = 99;
    BotanTcpServer server(options, [&](BotanPeer& peer) {
      if (!peer.handshake())
        return;
      certificates = peer.tls().client_chain().size();
      (void)peer.send("welcome");
    });
    TcpStream stream = connected(server.port());
    CHECK(stream.info().certificate_requested);
    if (!required) {
      CHECK(receive_until(stream, "welcome") == "welcome");
      server.join();
      CHECK(certificates == 0);
      continue;
    }
    const tc::Halt end = drain(stream);
    REQUIRE(end.is_failed());
    CHECK(end.error()->code() == ErrorCode::alert_received);
    CHECK(end.error()->alert_received() == AlertDescription::certificate_required);
  }
}

TEST_CASE("botan: certificates that must be refused, and the alert that the server gets") {
  const Pki& pki = Pki::instance();
  const test::Identity stranger = test::self_signed({.common_name = "Stranger Root", .ca = true});
  test::CertOptions expired = leaf_options();
  expired.not_after = test::now - test::day;
  test::CertOptions early = leaf_options();
  early.not_before = test::now + test::day;
  test::CertOptions for_clients = leaf_options();
  for_clients.extended_key_usage = std::vector<std::string>{"PKIX.ClientAuth"};
  test::CertOptions forged = leaf_options();
  forged.break_signature = true;

  struct Case {
    const char* what;
    test::Identity identity;
    std::string_view name;
    ErrorCode code;
    AlertDescription alert;
  };
  const Case cases[] = {
      {"wrong name", leaf(), "other.tlsconnect.test", ErrorCode::certificate_name_mismatch,
       AlertDescription::bad_certificate},
      {"expired", pki.authority.issue(expired), host, ErrorCode::certificate_expired,
       AlertDescription::certificate_expired},
      {"not yet valid", pki.authority.issue(early), host, ErrorCode::certificate_not_yet_valid,
       AlertDescription::certificate_expired},
      {"unknown root", stranger.issue(leaf_options()), host, ErrorCode::certificate_unknown_issuer,
       AlertDescription::unknown_ca},
      {"self-signed", test::self_signed(leaf_options()), host, ErrorCode::certificate_self_signed,
       AlertDescription::unknown_ca},
      {"for clients", pki.authority.issue(for_clients), host, ErrorCode::certificate_usage_forbidden,
       AlertDescription::unsupported_certificate},
      {"forged", pki.authority.issue(forged), host, ErrorCode::certificate_signature_invalid,
       AlertDescription::bad_certificate},
  };
  for (const Case& item : cases) {
    INFO(item.what);
    test::BotanServerOptions options;
    options.chain = item.identity.chain_der();
    options.key = item.identity.key_der();
    std::optional<std::uint8_t> alert;
    bool complete = true;
    BotanTcpServer server(options, [&](BotanPeer& peer) {
      complete = peer.handshake();
      alert = peer.tls().alert_received();
    });
    const tc::Error error = refused(connector(server.port(), client(), item.name));
    CHECK(error.code() == item.code);
    CHECK(error.alert_sent() == item.alert);
    server.join();
    CHECK_FALSE(complete);
    REQUIRE(alert.has_value());
    CHECK(static_cast<AlertDescription>(*alert) == item.alert);
  }
}

TEST_CASE("botan: without a clock of the test's own, the system's decides") {
  // A certificate that was valid in 2001 only, and one that is valid for a century.
  for (const bool current : {false, true}) {
    INFO("current: " << current);
    test::CertOptions root_options{.common_name = "Old Root", .ca = true};
    root_options.not_before = 900'000'000;
    root_options.not_after = 4'000'000'000;
    const test::Identity root = test::self_signed(root_options);
    test::CertOptions options = leaf_options();
    options.not_before = 980'000'000;
    options.not_after = current ? 4'000'000'000 : 1'000'000'000;
    const test::Identity identity = root.issue(options);
    test::BotanServerOptions server_options;
    server_options.chain = identity.chain_der();
    server_options.key = identity.key_der();
    BotanTcpServer server(server_options, [](BotanPeer& peer) { (void)peer.handshake(); });
    tc::ClientConfig::Builder builder = tc::ClientConfig::builder();
    builder.trust(anchors_of(root));
    if (current) {
      (void)connected(server.port(), builder);
      continue;
    }
    CHECK(refused(connector(server.port(), builder)).code() == ErrorCode::certificate_expired);
  }
}
