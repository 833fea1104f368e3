// Client certificates, key updates under load, exporters and stapling with OpenSSL.
#include <tlsconnect/verify/path_verifier.hpp>

#include "features.hpp"
#include "openssl_server.hpp"

using namespace interop;

namespace {

/// Files and options of a server that verifies clients, at the time at which their certificates are valid.
struct Verifying {
  TempFolder folder;
  std::string roots = folder.write("roots.pem", ClientPki::instance().root.pem());

  [[nodiscard]] std::vector<std::string> options(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"-CAfile", roots, "-verify_return_error", "-attime", std::to_string(test::now)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

tc::ClientConfig::Builder showing(std::vector<tc::Credential> credentials) {
  return client().credentials(std::move(credentials));
}

/// Where a server notes the protocol's messages, so that its output holds nothing but its words.
class Messages {
public:
  [[nodiscard]] std::vector<std::string> options() const { return {"-msg", "-msgfile", path_}; }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::size_t count(std::string_view words) const { return count_of(text(), words); }
  /// Waits until there are that many of a message.
  [[nodiscard]] bool wait_for(std::string_view words, std::size_t count) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (this->count(words) >= count)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

private:
  TempFolder folder_;
  std::string path_ = folder_.path() + "/messages";
};

constexpr std::string_view update_of_server = ">>> TLS 1.3, Handshake [length 0005], KeyUpdate";
constexpr std::string_view update_of_client = "<<< TLS 1.3, Handshake [length 0005], KeyUpdate";

/// A server that gives a bulk of data and takes one, and commands in between.
class CommandedServer {
public:
  CommandedServer()
      : server_({.more = messages.options(),
                 .sink = [this](std::string_view piece) { take(piece); },
                 .choose_port = true}) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] test::ChildProcess& process() { return server_.process(); }
  Messages messages;
  /// What has come from the client behind "BEGIN\n".
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    std::string text = text_;
    const std::size_t begin = text.find("BEGIN\n");
    if (begin == std::string::npos)
      return {};
    text.erase(0, begin + 6);
    for (const std::string_view words : {"SSL_do_handshake -> 1\n", "Read BLOCK\n", "DONE\n", "CONNECTION CLOSED\n"})
      for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at))
        text.erase(at, words.size());
    return text;
  }

private:
  void take(std::string_view piece) {
    const std::lock_guard lock(mutex_);
    text_.append(piece);
  }

  mutable std::mutex mutex_;
  std::string text_;
  OpensslServer server_;
};

} // namespace

TEST_CASE("openssl: client certificates of every kind of key, signed at once and later") {
  const Verifying files;
  const OpensslServer server({.more = files.options({"-www", "-Verify", "3"})});
  for (const test::KeyType type : every_client_key) {
    INFO(name_of_key(type));
    const test::Identity identity = client_identity(type);
    const tc::Credential at_once = credential(identity);
    for (const SignatureScheme scheme : at_once.schemes()) {
      if (!tc::signs_tls13(scheme) || !at_once.public_key().fits(scheme))
        continue; // of TLS 1.2
      INFO(name_of(scheme));
      const SignatureScheme schemes[] = {scheme};
      auto narrowed = at_once.with_signature_schemes(schemes);
      REQUIRE(narrowed.has_value());
      TcpStream stream = connected(server.port(), showing({*narrowed}));
      CHECK(stream.info().certificate_requested);
      CHECK(stream.info().client_certificate_sent);
      CHECK(stream.info().credential == std::uint16_t{0});
      const std::string page = status_page(stream);
      CHECK(contains(page, identity.pem()));
    }
    const auto builder = showing({credential_that_signs_later(identity)}).session_store(nullptr);
    TcpStream stream = connected_signing(connector(server.port(), builder), private_key(identity));
    CHECK(stream.info().client_certificate_sent);
    CHECK(contains(status_page(stream), identity.pem()));
  }
}

TEST_CASE("openssl: client certificates with ML-DSA") {
  need_openssl();
  if (!tc::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  if (!OpensslServer({.identity = leaf(test::KeyType::mldsa44), .more = {"-www"}}).usable())
    SKIP("this release of OpenSSL has no ML-DSA");
  const Verifying files;
  const OpensslServer server({.more = files.options({"-www", "-Verify", "3"})});
  for (const SignatureCase& item : every_ml_dsa) {
    INFO(name_of(item.scheme));
    const test::Identity identity = client_identity(item.key);
    {
      TcpStream stream = connected(server.port(), showing({credential(identity)}));
      CHECK(stream.info().client_certificate_sent);
      CHECK(contains(status_page(stream), identity.pem()));
    }
    const auto builder = showing({credential_that_signs_later(identity)}).session_store(nullptr);
    TcpStream stream = connected_signing(connector(server.port(), builder), private_key(identity));
    CHECK(stream.info().client_certificate_sent);
    CHECK(contains(status_page(stream), identity.pem()));
  }
}

TEST_CASE("openssl: a resumed session brings the client's certificate with it") {
  const Verifying files;
  const OpensslServer server({.more = files.options({"-www", "-Verify", "3"})});
  const test::Identity identity = client_identity(test::KeyType::p256);
  const auto builder = showing({credential(identity)}).session_store(std::make_shared<ByteStore>());
  for (const bool resumes : {false, true}) {
    TcpStream stream = connected(server.port(), builder);
    const std::string page = status_page(stream);
    CHECK(stream.info().resumed() == resumes);
    CHECK(stream.info().client_certificate_sent == !resumes);
    CHECK(contains(page, resumes ? "Reused, TLSv1.3" : "New, TLSv1.3"));
    CHECK(contains(page, identity.pem()));
  }
}

TEST_CASE("openssl: which of the client's certificates is shown") {
  const Verifying files;
  const test::Identity ed25519 = client_identity(test::KeyType::ed25519);
  const test::Identity p384 = client_identity(test::KeyType::p384);
  const test::Identity p256 = client_identity(test::KeyType::p256);
  const auto builder = showing({credential(ed25519), credential(p384), credential(p256)}).session_store(nullptr);
  const auto shown = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> options = files.options({"-www", "-Verify", "3"});
    options.insert(options.end(), more);
    const OpensslServer server({.more = options});
    TcpStream stream = connected(server.port(), builder);
    const std::string page = status_page(stream);
    REQUIRE(stream.info().credential.has_value());
    const test::Identity* all[] = {&ed25519, &p384, &p256};
    CHECK(contains(page, all[*stream.info().credential]->pem()));
    return *stream.info().credential;
  };
  CHECK(shown({}) == 0);
  CHECK(shown({"-client_sigalgs", "ecdsa_secp384r1_sha384:ecdsa_secp256r1_sha256"}) == 1);
  CHECK(shown({"-client_sigalgs", "ecdsa_secp256r1_sha256"}) == 2);
}

TEST_CASE("openssl: a client certificate that the server does not want") {
  const Verifying files;
  const OpensslServer server({.more = files.options({"-Verify", "3"})});
  const test::Identity stranger = test::self_signed(long_lived({.common_name = "a stranger"}));
  // It may come at once or with the first data: the handshake is complete for the client before the server has seen it.
  TcpConnector connecting = connector(server.port(), showing({credential(stranger)}));
  auto stream = connecting.connect();
  const tc::Halt end = stream ? drain(*stream) : stream.error();
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::alert_received);
  CHECK(end.error()->alert_received() == AlertDescription::unknown_ca);
  // And none at all, where one is required.
  TcpStream without = connected(server.port());
  const tc::Halt refusal = drain(without);
  REQUIRE(refusal.is_failed());
  CHECK(refusal.error()->alert_received() == AlertDescription::certificate_required);
}

TEST_CASE("openssl: a certificate after the handshake") {
  const Verifying files;
  for (const bool later : {false, true})
    for (const test::KeyType type : every_client_key) {
      INFO(name_of_key(type) << ", signed later: " << later);
      const Messages messages;
      OpensslServer server({.more = files.options(messages.options())});
      const test::Identity identity = client_identity(type);
      const tc::PrivateKey key = private_key(identity);
      const auto builder =
          showing({later ? credential_that_signs_later(identity) : credential(identity)}).post_handshake_auth(true);
      TcpStream stream = connected(server.port(), builder);
      CHECK_FALSE(stream.info().certificate_requested);
      send(stream, "before\n");
      server.expect("before\n");
      // Twice: each request has a context of its own, and each answer rests on the handshake alone.
      for (int round = 0; round < 2; ++round) {
        INFO("round " << round);
        const std::size_t seen = server.output().size();
        REQUIRE(server.process().write("c\n"));
        const auto so_far = static_cast<std::size_t>(round) + 1;
        REQUIRE(messages.wait_for("], CertificateRequest", so_far)); // or the next line goes with it
        REQUIRE(server.process().write("down\n"));
        if (later) {
          std::uint8_t buffer[100];
          auto halted = stream.read_some(buffer);
          REQUIRE_FALSE(halted.has_value());
          REQUIRE(halted.error().is_would_block());
          CHECK(includes(halted.error().interest(), tc::Interest::signature));
          // Data may be sent meanwhile.
          send(stream, "meanwhile\n");
          CHECK(server.process().wait_for_text("meanwhile\n", seen));
          const auto request = stream.signature_request();
          REQUIRE(request.has_value());
          REQUIRE(stream.give_signature(signature_for(*request, key)).has_value());
        }
        CHECK(receive_until(stream, "down\n") == "down\n");
        const std::string up = "up " + std::to_string(round) + "\n";
        send(stream, up);
        server.expect(up);
        // Its words on the three certificates come by another way than the data.
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (count_of(server.output(), "verify return:1\n") < 3 * so_far &&
               std::chrono::steady_clock::now() < deadline)
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        INFO("the server's output: " << server.output());
        CHECK(count_of(server.output(), "verify return:1\n") == 3 * so_far);
        CHECK(messages.count("], CertificateVerify") == 1 + so_far);
        CHECK(messages.count("], Finished") == 2 + so_far);
      }
      CHECK(stream.info().certificate_requested);
      CHECK(stream.info().client_certificate_sent);
    }
}

TEST_CASE("openssl: after the handshake without a certificate, and to a client that does not allow it") {
  const Verifying files;
  const Messages messages;
  OpensslServer server({.more = files.options(messages.options())});
  TcpStream stream = connected(server.port(), client().post_handshake_auth(true));
  send(stream, "before\n");
  server.expect("before\n");
  REQUIRE(server.process().write("c\n"));
  REQUIRE(messages.wait_for("], CertificateRequest", 1));
  REQUIRE(server.process().write("down\n"));
  CHECK(receive_until(stream, "down\n") == "down\n");
  send(stream, "up\n");
  server.expect("up\n");
  CHECK(stream.info().certificate_requested);
  CHECK_FALSE(stream.info().client_certificate_sent);

  const Messages other_messages;
  OpensslServer other({.more = files.options(other_messages.options())});
  TcpStream plain = connected(other.port());
  send(plain, "before\n");
  other.expect("before\n");
  REQUIRE(other.process().write("c\n"));
  other.expect("extension not received"); // and so it cannot ask
  REQUIRE(other.process().write("down\n"));
  CHECK(receive_until(plain, "down\n") == "down\n");
  send(plain, "up\n");
  other.expect("up\n");
  other.expect("Failed to initiate request");
  CHECK(other_messages.count("], CertificateRequest") == 0);
}

TEST_CASE("openssl: key updates of both sides while data flows both ways") {
  constexpr std::size_t piece_size = 400'000;
  constexpr std::size_t pieces = 12;
  CommandedServer server;
  TcpStream stream = connected(connector(server.port(), client(), host, PosixSocket::Mode::non_blocking));
  std::atomic<std::size_t> down_received = 0;
  std::atomic<bool> feeding = true;
  bool fed = true;
  // Between the pieces the server changes its key, every second time asking this side to do the same. A command must be
  // read by itself: so what was sent before must have arrived, and it must have been carried out before more is sent.
  std::thread feeder([&] {
    const std::string down = bulk_text(11, pieces * piece_size);
    for (std::size_t i = 0; i < pieces && fed; ++i) {
      fed = server.process().write(std::string_view(down).substr(i * piece_size, piece_size));
      while (fed && down_received < (i + 1) * piece_size && feeding)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const std::size_t updates = server.messages.count(update_of_server);
      fed = fed && server.process().write(i % 2 == 0 ? "k\n" : "K\n") &&
            server.messages.wait_for(update_of_server, updates + 1);
    }
  });

  const std::string up = bulk_text(12, 6'000'000);
  // Every so often a new key of this side, every second time asking for one of the server.
  std::size_t updates = 0;
  const Exchanged exchanged = exchange(
      stream, "BEGIN\n" + up, pieces * piece_size,
      [&](std::size_t sent) {
        return sent / 250'000 > updates ? stream.update_keys(++updates % 2 == 0) : tc::IoResult<>();
      },
      [&](std::size_t received) { down_received = received; });
  feeding = false;
  // The feeder waits for the answer of the server to its last command at most; nothing asserts before it has ended.
  feeder.join();
  if (exchanged.problem)
    FAIL(exchanged.problem->message() << " after " << exchanged.received.size() << " bytes down");
  CHECK(fed);
  CHECK(updates >= 20);
  const bool same_down = exchanged.received == bulk_text(11, pieces * piece_size);
  CHECK(same_down);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (server.received().size() < up.size() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const bool same_up = server.received() == up;
  CHECK(same_up);

  // Ours, as the server saw them: what the program asked for, and an answer to each of its requests but one that may
  // have come behind the last data.
  const std::size_t ours = server.messages.count(update_of_client);
  const std::size_t theirs = server.messages.count(update_of_server);
  CHECK(ours >= updates);
  CHECK(ours <= updates + pieces / 2);
  // Its own twelve, and answers to requests; those that arrive while it is silent share one.
  CHECK(theirs > pieces);
}

TEST_CASE("openssl: exporters say the same on both sides") {
  for (const CipherSuite suite : every_suite)
    for (const std::size_t size : {20U, 32U, 48U, 200U}) {
      INFO(name_of(suite) << ", " << size << " bytes");
      const std::string_view label = "EXPERIMENTAL tlsconnect test";
      OpensslServer server({.more = {"-keymatexport", std::string(label), "-keymatexportlen", std::to_string(size)}});
      TcpStream stream = connected(server.port(), client().cipher_suites({suite}));
      send(stream, "hello\n");
      server.expect("hello\n");
      server.expect("Keying material: " + exported(stream, label, size, true) + "\n");
    }
  // The channel binding of RFC 9266.
  OpensslServer server({.more = {"-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"}});
  TcpStream stream = connected(server.port());
  send(stream, "hello\n");
  server.expect("hello\n");
  auto binding = stream.tls_exporter();
  REQUIRE(binding.has_value());
  server.expect("Keying material: " + hex(*binding, true) + "\n");
}

TEST_CASE("openssl: a stapled OCSP response") {
  /// Sees what the verifier is given.
  class Looking final : public tc::CertificateVerifier {
  public:
    tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate& presented, const tc::ServerName&,
                                         std::int64_t) const noexcept override {
      const std::lock_guard lock(mutex_);
      seen_.clear();
      for (const tc::PresentedStatus& status : presented.status)
        seen_.push_back(tc::to_vector(status.ocsp_response));
      return tc::VerifiedChain{{}, "the test looks only"};
    }
    [[nodiscard]] std::vector<tc::ByteVector> seen() const {
      const std::lock_guard lock(mutex_);
      return seen_;
    }

  private:
    mutable std::mutex mutex_;
    mutable std::vector<tc::ByteVector> seen_;
  };

  // OCSPResponse with the status tryLater and nothing else (RFC 6960, 4.2.1).
  const tc::ByteVector response = {0x30, 0x03, 0x0A, 0x01, 0x03};
  const TempFolder folder;
  const std::string path = folder.write("response", tc::as_text(response));
  const OpensslServer server({.more = {"-www", "-status_file", path}});
  const auto looking = std::make_shared<Looking>();
  const auto builder = client().verifier(looking).status_request(true).session_store(std::make_shared<ByteStore>());
  // Resumed, what came with the certificates then.
  for (const bool resumes : {false, true}) {
    TcpStream stream = connected(server.port(), builder);
    (void)status_page(stream);
    CHECK(stream.info().resumed() == resumes);
    REQUIRE(stream.info().peer_status.size() == 2);
    CHECK(stream.info().peer_status[0].ocsp_response == response);
    CHECK(stream.info().peer_status[1].ocsp_response.empty());
  }
  CHECK(looking->seen() == std::vector<tc::ByteVector>{response, {}});

  // Nothing comes that was not asked for.
  TcpStream plain = connected(server.port(), client().verifier(looking));
  CHECK(plain.info().peer_status.empty());
  CHECK(looking->seen().empty());
  // And a server that has nothing sends nothing.
  const OpensslServer without;
  TcpStream stream = connected(without.port(), builder);
  CHECK(stream.info().peer_status.empty());
}

TEST_CASE("openssl: padded records of the client") {
  OpensslServer server({.more = {"-msg"}});
  TcpStream stream = connected(server.port(), client().record_padding(1'024));
  const std::uint64_t before = stream.info().bytes_sent;
  for (int round = 0; round < 10; ++round) {
    const std::string line = "short " + std::to_string(round) + "\n";
    send(stream, line);
    server.expect(line);
  }
  CHECK(stream.info().bytes_sent - before == 10 * (5 + 1'024 + 16));
}
