// Data, closing and key updates with OpenSSL.
#include "openssl_server.hpp"

using namespace interop;

TEST_CASE("openssl: bulk data over a blocking socket") {
  for (const tc::ProtocolVersion version : every_version) {
    INFO(name_of(version));
    BulkDigest at_server;
    OpensslServer server({.raw = true, .sink = [&](std::string_view piece) { at_server.add(piece); }});
    TcpStream stream = connected(server.port(), client().versions({version}));

    send_bulk(stream, 1);
    CHECK(at_server.wait_for(bulk_size));
    CHECK(at_server.value() == BulkDigest::of(1));

    std::thread feeder([&] {
      BulkSource source(2);
      for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
        if (!server.process().write(piece))
          return;
    });
    const tc::Digest received = receive_bulk(stream);
    feeder.join();
    CHECK(received == BulkDigest::of(2));
  }
}

TEST_CASE("openssl: bulk data both ways at once over a non-blocking socket") {
  for (const tc::ProtocolVersion version : every_version) {
    INFO(name_of(version));
    BulkDigest at_server;
    OpensslServer server({.raw = true, .sink = [&](std::string_view piece) { at_server.add(piece); }});
    TcpStream stream =
        connected(connector(server.port(), client().versions({version}), host, PosixSocket::Mode::non_blocking));
    std::thread feeder([&] {
      BulkSource source(4);
      for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
        if (!server.process().write(piece))
          return;
    });
    const tc::Digest received = exchange_bulk(stream, 3);
    feeder.join();
    CHECK(received == BulkDigest::of(4));
    CHECK(at_server.wait_for(bulk_size));
    CHECK(at_server.value() == BulkDigest::of(3));
  }
}

TEST_CASE("openssl: small records") {
  OpensslServer server({.raw = true, .more = {"-max_send_frag", "700"}});
  TcpStream stream = connected(server.port());
  constexpr std::size_t size = 1'000'000;
  std::thread feeder([&] {
    BulkSource source(5, size);
    for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
      if (!server.process().write(piece))
        return;
  });
  const tc::Digest received = receive_bulk(stream, size);
  feeder.join();
  CHECK(received == BulkDigest::of(5, size));
  CHECK(stream.info().records_received > size / 700);
}

TEST_CASE("openssl: padded records") {
  OpensslServer server({.raw = true, .more = {"-record_padding", "4096"}});
  TcpStream stream = connected(server.port());
  for (int round = 0; round < 20; ++round) {
    REQUIRE(server.process().write("short\n"));
    CHECK(receive_until(stream, "\n") == "short\n");
  }
  CHECK(stream.info().bytes_received > 20 * 4'096);
}

TEST_CASE("openssl: the server speaks first") {
  OpensslServer server({.raw = true});
  // It waits in the pipe before there is a connection.
  REQUIRE(server.process().write("220 ready\n"));
  TcpStream stream = connected(server.port());
  CHECK(receive_until(stream, "\n") == "220 ready\n");
}

TEST_CASE("openssl: first data in the client's last flight") {
  BulkDigest at_server;
  OpensslServer server({.raw = true, .sink = [&](std::string_view piece) { at_server.add(piece); }});
  TcpConnector connecting = connector(server.port(), client());
  auto stream = connecting.connect(tc::as_bytes("hello at once\n"));
  REQUIRE(stream.has_value());
  CHECK(at_server.wait_for(14));
}

TEST_CASE("openssl: tickets never show") {
  OpensslServer server({.more = {"-num_tickets", "8"}});
  TcpStream stream = connected(server.port());
  send(stream, "one\n");
  server.expect("one");
  REQUIRE(server.process().write("two\n"));
  CHECK(receive_until(stream, "two\n") == "two\n");
}

TEST_CASE("openssl: the client closes first") {
  OpensslServer server;
  TcpStream stream = connected(server.port());
  send(stream, "last words\n");
  REQUIRE(stream.shutdown().has_value());
  // RFC 9846, 6.1: the other direction goes on by itself; OpenSSL's answer is to close it too.
  CHECK(drain(stream).is_closed());
  server.expect("last words");
  server.expect("DONE");
  CHECK_FALSE(contains(server.output(), "unexpected eof"));
  // And it stays so.
  std::uint8_t byte[1];
  auto again = stream.read_some(byte);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().is_closed());
  auto write = stream.write_some(tc::as_bytes("x"));
  REQUIRE_FALSE(write.has_value());
  REQUIRE(write.error().is_failed());
  CHECK(write.error().error()->code() == ErrorCode::write_side_closed);
}

TEST_CASE("openssl: the server closes first") {
  OpensslServer server({.more = {"-www"}}); // answers and closes
  TcpStream stream = connected(server.port());
  (void)status_page(stream);
  CHECK(drain(stream).is_closed());
  // This side may still send, and closes when it likes.
  CHECK(stream.shutdown().has_value());
}

TEST_CASE("openssl: a server that dies leaves a truncated stream") {
  OpensslServer server;
  TcpStream stream = connected(server.port());
  send(stream, "hello\n");
  server.expect("hello");
  REQUIRE(server.process().write("half a sen"));
  REQUIRE(server.process().write("tence\n"));
  (void)receive_until(stream, "tence\n");
  server.process().kill();
  const tc::Halt end = drain(stream);
  CHECK(end.is_truncated());
  CHECK_FALSE(end.message().empty());
  CHECK(drain(stream).is_truncated());
}

TEST_CASE("openssl: a server that dies in the handshake") {
  OpensslServer server;
  // No handshake yet: the server has accepted and waits for a ClientHello.
  TcpConnector connecting = connector(server.port(), client());
  server.process().kill();
  (void)server.process().wait();
  auto stream = connecting.connect();
  REQUIRE_FALSE(stream.has_value());
  // The end of the stream, or a reset, depending on what the system saw first.
  CHECK((stream.error().is_truncated() ||
         (stream.error().is_failed() && stream.error().error()->code() == ErrorCode::transport_failed)));
}

TEST_CASE("openssl: key updates under data") {
  OpensslServer server({.more = {"-msg"}});
  TcpStream stream = connected(server.port());
  send(stream, "before\n");
  server.expect("before");

  // 'k' changes the server's key, 'K' asks for this side's to be changed too. Each is followed by data in both
  // directions, which only the right keys can read.
  std::size_t round = 0;
  for (const std::string_view command : {"k", "K", "K", "k", "K"}) {
    INFO("round " << round << ", command " << command);
    const std::string down = "down " + std::to_string(round) + "\n";
    const std::string up = "up " + std::to_string(round) + "\n";
    const std::size_t seen = server.output().size();
    REQUIRE(server.process().write(std::string(command) + "\n"));
    REQUIRE(server.process().wait_for_text("KeyUpdate", seen)); // or the next line would be read together with it
    REQUIRE(server.process().write(down));
    CHECK(receive_until(stream, down) == down);
    send(stream, up);
    server.expect(up);
    ++round;
  }
  // Our answers, as the server saw them: one for each 'K' and none for a 'k'.
  const std::string output = server.output();
  std::size_t answers = 0;
  for (std::size_t at = output.find("<<< TLS 1.3, Handshake [length 0005], KeyUpdate"); at != std::string::npos;
       at = output.find("<<< TLS 1.3, Handshake [length 0005], KeyUpdate", at + 1))
    ++answers;
  CHECK(answers == 3);
}
