// Resumption, early data and external pre-shared keys with OpenSSL.
#include "features.hpp"
#include "openssl_server.hpp"

using namespace interop;
using tc::EarlyDataOutcome;
using tc::PskUse;

namespace {

constexpr std::string_view other_host = "other.tlsconnect.test";

/// A server of two names.
test::Identity two_names() {
  test::CertOptions options = leaf_options();
  options.dns.emplace_back(other_host);
  return Pki::instance().authority.issue(options);
}

struct Visit {
  tc::ConnectionInfo info;
  std::string page;
  [[nodiscard]] bool server_resumed() const { return contains(page, "Reused, TLSv1.3"); }
};

/// Fetches the page that says how the server sees the connection; the tickets come on the way.
Visit visit(const OpensslServer& server, const tc::ClientConfig::Builder& builder, std::string_view name = host) {
  TcpStream stream = connected(server.port(), builder, name);
  std::string page = status_page(stream);
  CHECK(contains(page, "Reused, TLSv1.3") + contains(page, "New, TLSv1.3") == 1);
  return {stream.info(), std::move(page)};
}

tc::ClientConfig::Builder keeping(const std::shared_ptr<tc::SessionStore>& store) {
  return client().session_store(store).clock(std::make_shared<RunningClock>());
}

/// A connection to a server without -www: a line up, a line down, the end. Tickets come before the line.
tc::ConnectionInfo converse(OpensslServer& server, TcpStream&& stream) {
  send(stream, "line up\n");
  server.expect("line up");
  REQUIRE(server.process().write("line down\n"));
  CHECK(contains(receive_until(stream, "line down\n"), "line down\n"));
  REQUIRE(stream.shutdown().has_value());
  CHECK(drain(stream).is_closed());
  return stream.info();
}

/// What the server has said since the last time.
class Since {
public:
  explicit Since(const OpensslServer& server) : server_(&server), from_(server.output().size()) {}
  void expect(std::string_view words) const {
    const bool said = const_cast<OpensslServer*>(server_)->process().wait_for_text(words, from_);
    INFO("the server's output: " << server_->output().substr(from_));
    INFO("should contain: " << words);
    CHECK(said);
  }
  [[nodiscard]] std::string text() const { return server_->output().substr(from_); }
  /// Without the words of its own that it prints somewhere between the pieces of early data.
  [[nodiscard]] std::string data() const {
    std::string all = text();
    for (const std::string_view words : {"shutting down SSL\n", "CONNECTION CLOSED\n", "Early data received:\n"})
      for (std::size_t at = all.find(words); at != std::string::npos; at = all.find(words))
        all.erase(at, words.size());
    return all;
  }

private:
  const OpensslServer* server_;
  std::size_t from_;
};

std::string early_text(std::size_t size) {
  std::string text = "early";
  while (text.size() < size)
    text += static_cast<char>('a' + text.size() % 26);
  text.resize(size);
  return text;
}

TcpConnector with_early_data(const OpensslServer& server, const tc::ClientConfig::Builder& builder,
                             std::string_view early) {
  return {built(builder), server_name(), dial(server.port()), tc::replay_safe(tc::as_bytes(early))};
}

/// The first connection to a server that takes early data: there is no session yet, so the data comes back.
void get_ticket(OpensslServer& server, const tc::ClientConfig::Builder& builder) {
  TcpStream stream = connected(with_early_data(server, builder, "too early\n"));
  CHECK(stream.info().early_data == EarlyDataOutcome::not_sent);
  CHECK(stream.info().psk == PskUse::none);
  CHECK(tc::as_text(stream.take_unaccepted_early_data()) == "too early\n");
  CHECK(stream.take_unaccepted_early_data().empty());
  (void)converse(server, std::move(stream));
}

} // namespace

TEST_CASE("openssl: resumption with every cipher suite") {
  const OpensslServer server({.more = {"-www"}});
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    const auto store = std::make_shared<ByteStore>();
    const auto builder = keeping(store).cipher_suites({suite});
    const Visit first = visit(server, builder);
    CHECK(first.info.psk == PskUse::none);
    CHECK_FALSE(first.server_resumed());
    REQUIRE(store->size() == 2); // what OpenSSL sends by default
    // Three times, the last with a ticket that came over a resumed connection.
    for (int round = 0; round < 3; ++round) {
      INFO("round " << round);
      const Visit next = visit(server, builder);
      CHECK(next.info.resumed());
      CHECK(next.server_resumed());
      CHECK(next.info.cipher_suite == suite);
      CHECK(next.info.peer_chain == first.info.peer_chain);
      CHECK(next.info.signature_scheme == first.info.signature_scheme);
      CHECK_FALSE(next.info.verification.empty());
      CHECK(next.info.verification != first.info.verification);
    }
    CHECK(store->broken() == 0);
  }
}

TEST_CASE("openssl: a session serves the suites of its hash, and no others") {
  const OpensslServer server({.more = {"-www"}});
  const auto store = std::make_shared<ByteStore>();
  (void)visit(server, keeping(store).cipher_suites({CipherSuite::aes_128_gcm_sha256}));
  const Visit other = visit(server, keeping(store).cipher_suites({CipherSuite::chacha20_poly1305_sha256}));
  CHECK(other.server_resumed());
  CHECK(other.info.resumed());
  CHECK(other.info.cipher_suite == CipherSuite::chacha20_poly1305_sha256);
  const Visit longer = visit(server, keeping(store).cipher_suites({CipherSuite::aes_256_gcm_sha384}));
  CHECK_FALSE(longer.server_resumed());
  CHECK_FALSE(longer.info.resumed());
}

TEST_CASE("openssl: a session is for one name, one protocol and one trust") {
  const OpensslServer server({.identity = two_names(), .more = {"-www", "-alpn", "h2,http/1.1"}});
  const auto store = std::make_shared<ByteStore>();
  const auto builder = keeping(store).alpn({"h2"});
  (void)visit(server, builder);
  REQUIRE(store->size() == 2);

  // Another name of the same certificate: none of the sessions is taken, and two come for that name.
  const Visit named = visit(server, builder, other_host);
  CHECK_FALSE(named.info.resumed());
  CHECK_FALSE(named.server_resumed());
  CHECK(store->size() == 4);
  CHECK(visit(server, builder, other_host).server_resumed());

  // Another trust.
  const Visit trusting =
      visit(server, keeping(store).alpn({"h2"}).verifier(std::make_shared<tc::DangerousNoVerification>()));
  CHECK_FALSE(trusting.info.resumed());
  CHECK_FALSE(trusting.server_resumed());

  // The protocol that was spoken is still on offer, behind another one.
  const Visit offered = visit(server, keeping(store).alpn({"http/1.1", "h2"}));
  CHECK(offered.info.resumed());
  CHECK(offered.server_resumed());
  CHECK(offered.info.application_protocol == "h2");
  // And now it is not.
  const Visit spoken = visit(server, keeping(store).alpn({"http/1.1"}));
  CHECK_FALSE(spoken.info.resumed());
  CHECK_FALSE(spoken.server_resumed());
  CHECK(spoken.info.application_protocol == "http/1.1");
}

TEST_CASE("openssl: the server does not know the ticket, or it is too old") {
  const auto store = std::make_shared<ByteStore>();
  const auto clock = std::make_shared<RunningClock>();
  const auto builder = client().session_store(store).clock(clock);
  {
    const OpensslServer server({.more = {"-www"}});
    (void)visit(server, builder);
  }
  REQUIRE(store->size() == 2);
  const OpensslServer server({.more = {"-www"}});
  const Visit declined = visit(server, builder);
  CHECK_FALSE(declined.info.resumed());
  CHECK_FALSE(declined.server_resumed());
  CHECK_FALSE(declined.info.peer_chain.empty());
  CHECK(visit(server, builder).server_resumed());
  // OpenSSL gives them two hours.
  clock->skip(3 * 3'600 * 1'000);
  const Visit old = visit(server, builder);
  CHECK_FALSE(old.info.resumed());
  CHECK_FALSE(old.server_resumed());
  // Once more, without a store.
  CHECK_FALSE(visit(server, client().session_store(nullptr)).server_resumed());
}

TEST_CASE("openssl: resumption after HelloRetryRequest") {
  OpensslServer server({.more = {"-www", "-groups", "P-384"}});
  const auto store = std::make_shared<ByteStore>();
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    const auto builder = keeping(store)
                             .groups({NamedGroup::x25519, NamedGroup::secp384r1})
                             .key_shares({NamedGroup::x25519})
                             .cipher_suites({suite});
    for (const bool resumes : {false, true}) {
      const Visit now = visit(server, builder);
      CHECK(now.info.hello_retry_request);
      CHECK(now.info.resumed() == resumes);
      CHECK(now.server_resumed() == resumes);
      CHECK(now.info.group == NamedGroup::secp384r1);
    }
    while (store->size() > 0)
      store->erase(store->entries().front().key);
  }

  // The session's hash is SHA-256, and the server chooses a suite with SHA-384 in its HelloRetryRequest.
  (void)visit(server, keeping(store).groups({NamedGroup::secp384r1}).cipher_suites({CipherSuite::aes_128_gcm_sha256}));
  OpensslServer picky({.more = {"-www", "-groups", "P-384", "-ciphersuites", "TLS_AES_256_GCM_SHA384"}});
  const Visit dropped =
      visit(picky, keeping(store).groups({NamedGroup::x25519, NamedGroup::secp384r1}).key_shares({NamedGroup::x25519}));
  CHECK(dropped.info.hello_retry_request);
  CHECK_FALSE(dropped.info.resumed());
  CHECK(dropped.info.cipher_suite == CipherSuite::aes_256_gcm_sha384);
}

TEST_CASE("openssl: early data is accepted") {
  OpensslServer server({.more = {"-early_data"}});
  for (const CipherSuite suite : every_suite)
    for (const bool compatible : {true, false}) {
      INFO(name_of(suite) << ", compatibility mode: " << compatible);
      const auto store = std::make_shared<ByteStore>();
      const auto builder = keeping(store).cipher_suites({suite}).compatibility_mode(compatible);
      get_ticket(server, builder);
      const Since now(server);
      const std::string early = early_text(500) + "\n";
      TcpStream stream = connected(with_early_data(server, builder, early));
      CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
      CHECK(stream.info().early_data_accepted == early.size());
      CHECK(stream.info().resumed());
      CHECK(stream.take_unaccepted_early_data().empty());
      (void)converse(server, std::move(stream));
      now.expect("End of early data");
      CHECK(contains(now.data(), early));
      CHECK(store->broken() == 0);
    }
}

TEST_CASE("openssl: as much early data as the ticket permits") {
  OpensslServer server({.more = {"-early_data", "-max_early_data", "300000", "-recv_max_early_data", "300000"}});
  const auto builder = keeping(std::make_shared<ByteStore>());
  get_ticket(server, builder);
  // More than one record, and more than the limit.
  const Since now(server);
  const std::string early = early_text(300'100);
  TcpStream stream = connected(with_early_data(server, builder, early));
  CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
  CHECK(stream.info().early_data_accepted == 300'000);
  CHECK(tc::as_text(stream.take_unaccepted_early_data()) == std::string_view(early).substr(300'000));
  now.expect("End of early data");
  CHECK(contains(now.data(), std::string_view(early).substr(0, 300'000)));
  (void)converse(server, std::move(stream));
}

TEST_CASE("openssl: early data over a non-blocking socket") {
  OpensslServer server({.more = {"-early_data", "-max_early_data", "2000000", "-recv_max_early_data", "2000000"}});
  const auto builder = keeping(std::make_shared<ByteStore>());
  get_ticket(server, builder);
  const Since now(server);
  const std::string early = early_text(2'000'000);
  PosixSocket socket = dial(server.port(), PosixSocket::Mode::non_blocking);
  const int small = 8'192;
  REQUIRE(::setsockopt(socket.descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  TcpStream stream =
      connected(TcpConnector(built(builder), server_name(), std::move(socket), tc::replay_safe(tc::as_bytes(early))));
  CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
  CHECK(stream.info().early_data_accepted == early.size());
  now.expect("End of early data");
  CHECK(contains(now.data(), early));
}

TEST_CASE("openssl: early data is rejected, and nothing of it is lost") {
  struct Case {
    const char* what;
    std::vector<std::string> more;
    bool resumes;
    bool retry;
    std::size_t size;
  };
  for (const Case& item : {Case{"used twice",
                                {"-early_data", "-max_early_data", "50000", "-recv_max_early_data", "50000"},
                                false,
                                false,
                                20'000},
                           Case{"age does not fit",
                                {"-early_data", "-max_early_data", "50000", "-recv_max_early_data", "50000"},
                                true,
                                false,
                                20'000},
                           Case{"HelloRetryRequest",
                                {"-early_data", "-max_early_data", "50000", "-recv_max_early_data", "50000", "-groups",
                                 "P-384", "-no_anti_replay"},
                                true,
                                true,
                                16'000}, // OpenSSL does not skip records of full size here
                           Case{"another server",
                                {"-early_data", "-max_early_data", "50000", "-recv_max_early_data", "50000"},
                                false,
                                false,
                                20'000}}) {
    const std::string early = early_text(item.size);
    INFO(item.what);
    const auto store = std::make_shared<ByteStore>();
    const auto clock = std::make_shared<RunningClock>();
    const auto builder = client()
                             .session_store(store)
                             .clock(clock)
                             .groups({NamedGroup::x25519, NamedGroup::secp384r1})
                             .key_shares({NamedGroup::x25519});
    std::optional<OpensslServer> server(std::in_place, OpensslOptions{.more = item.more});
    get_ticket(*server, builder);
    if (std::string_view(item.what) == "used twice") {
      const auto kept = store->entries();
      TcpStream stream = connected(with_early_data(*server, builder, "first time\n"));
      CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
      (void)converse(*server, std::move(stream));
      store->restore(kept);
    } else if (std::string_view(item.what) == "age does not fit") {
      clock->skip(60'000);
    } else if (std::string_view(item.what) == "another server") {
      server.reset();
      server.emplace(OpensslOptions{.more = item.more});
    }
    const Since now(*server);
    TcpStream stream = connected(with_early_data(*server, builder, early));
    CHECK(stream.info().early_data == EarlyDataOutcome::rejected);
    CHECK(stream.info().early_data_accepted == 0);
    CHECK(stream.info().resumed() == item.resumes);
    CHECK(stream.info().hello_retry_request == item.retry);
    const tc::ByteVector back = stream.take_unaccepted_early_data();
    CHECK(tc::as_text(back) == early);
    (void)converse(*server, std::move(stream));
    now.expect("Early data was rejected");
  }
}

TEST_CASE("openssl: early data to a server that takes none and does not know the ticket") {
  const auto store = std::make_shared<ByteStore>();
  const auto builder = keeping(store);
  OpensslServer server({.more = {"-early_data"}});
  get_ticket(server, builder);
  OpensslServer other({.more = {"-www"}});
  TcpStream stream = connected(with_early_data(other, builder, "early\n"));
  CHECK(stream.info().early_data == EarlyDataOutcome::rejected);
  CHECK(tc::as_text(stream.take_unaccepted_early_data()) == "early\n");
  CHECK(contains(status_page(stream), "New, TLSv1.3"));
}

TEST_CASE("openssl: key log lines are the server's") {
  const TempFolder folder;
  const std::string path = folder.path() + "/keys";
  OpensslServer server({.more = {"-early_data", "-keylogfile", path}});
  const auto read_lines = [&] {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
      if (!line.empty() && line.front() != '#')
        lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    const auto ours = std::make_shared<CollectedKeyLog>();
    const std::vector<std::string> before = read_lines();
    const auto builder = keeping(std::make_shared<ByteStore>()).cipher_suites({suite}).key_log(ours);
    get_ticket(server, builder);
    CHECK(ours->sorted().size() == 5);
    TcpStream stream = connected(with_early_data(server, builder, "early\n"));
    CHECK(stream.info().early_data == EarlyDataOutcome::accepted);
    (void)converse(server, std::move(stream));
    std::vector<std::string> theirs;
    const std::vector<std::string> after = read_lines();
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(theirs));
    CHECK(theirs.size() == 5 + 7);
    CHECK(ours->sorted() == theirs);
  }
}

TEST_CASE("openssl: external pre-shared key") {
  static constexpr std::uint8_t secret[] = {0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87, 0x98, 0xA9, 0xBA,
                                            0xCB, 0xDC, 0xED, 0xFE, 0x0F, 0x01, 0x12, 0x23, 0x34, 0x45, 0x56,
                                            0x67, 0x78, 0x89, 0x9A, 0xAB, 0xBC, 0xCD, 0xDE, 0xEF, 0xF0};
  const auto psk = [](std::string_view identity, tc::BytesView key) {
    auto made = tc::ExternalPsk::create(tc::as_bytes(identity), key);
    REQUIRE(made.has_value());
    return std::move(*made);
  };
  const std::vector<std::string> options = {"-www", "-psk_identity", "a client", "-psk", hex(secret, false)};
  const OpensslServer server({.more = options});

  SECTION("instead of certificates, then resumed") {
    const auto store = std::make_shared<ByteStore>();
    tc::ClientConfig::Builder builder = tc::ClientConfig::builder();
    builder.external_psks({psk("a client", secret)}).session_store(store);
    const Visit first = visit(server, builder);
    CHECK(first.info.psk == PskUse::external);
    CHECK(first.info.external_psk == std::uint16_t{0});
    CHECK(first.info.peer_chain.empty());
    CHECK(first.server_resumed()); // which is how OpenSSL sees it
    CHECK(store->broken() == 0);
    const Visit second = visit(server, builder);
    CHECK(second.info.resumed());
    CHECK_FALSE(second.info.external_psk.has_value());
  }
  SECTION("the second of three, and after HelloRetryRequest") {
    const auto builder =
        client().external_psks({psk("unknown", secret), psk("a client", secret), psk("unknown too", secret)});
    const Visit first = visit(server, tc::ClientConfig::Builder(builder).session_store(nullptr));
    CHECK(first.info.psk == PskUse::external);
    CHECK(first.info.external_psk == std::uint16_t{1});
    std::vector<std::string> more = options;
    more.insert(more.end(), {"-groups", "P-384"});
    const OpensslServer retrying({.more = more});
    const Visit second = visit(retrying, tc::ClientConfig::Builder(builder)
                                             .session_store(nullptr)
                                             .groups({NamedGroup::x25519, NamedGroup::secp384r1})
                                             .key_shares({NamedGroup::x25519}));
    CHECK(second.info.hello_retry_request);
    CHECK(second.info.external_psk == std::uint16_t{1});
  }
  SECTION("unknown to the server: its certificate counts, where certificates are trusted") {
    const Visit other = visit(server, client().external_psks({psk("unknown", secret)}));
    CHECK(other.info.psk == PskUse::none);
    CHECK_FALSE(other.info.peer_chain.empty());
    const tc::Error error =
        refused(connector(server.port(), tc::ClientConfig::builder().external_psks({psk("unknown", secret)})));
    CHECK(error.code() != ErrorCode::alert_received);
    INFO(error.message());
    CHECK(error.alert_sent().has_value());
  }
  SECTION("another key under the same name") {
    const tc::Error error =
        refused(connector(server.port(), client().external_psks({psk("a client", tc::BytesView(secret).first(16))})));
    INFO(error.message());
    CHECK(error.code() == ErrorCode::alert_received);
    // RFC 9846, 4.2.11 asks for decrypt_error; releases before 3.2 said illegal_parameter.
    const auto alert = error.alert_received();
    CHECK((alert == AlertDescription::decrypt_error || alert == AlertDescription::illegal_parameter));
  }
}
