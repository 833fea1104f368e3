// The shim towards the runner, without the runner: what it does with its flags, how a connection begins and ends, and
// that its checks can fail. The TLS servers are Botan's.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsconnect/base/error.hpp>

#include "child_process.hpp"
#include "live_server.hpp"

namespace {

using tlsconnect::BytesView;
using tlsconnect::ByteVector;

constexpr int patience_ms = 20'000;

std::vector<std::string> shim(std::vector<std::string> flags) {
  const char* const program = std::getenv("BOGO_SHIM");
  REQUIRE(program != nullptr);
  flags.insert(flags.begin(), program);
  return flags;
}

struct Ended {
  int status;
  std::string output;
};

Ended finish(test::ChildProcess& child) {
  const int status = child.wait();
  (void)child.wait_for_text("--- DONE ---\n");
  return {status, child.output()};
}

Ended run_alone(std::vector<std::string> flags) {
  test::ChildProcess child(shim(std::move(flags)));
  return finish(child);
}

/// One connection from the shim.
class Connection {
public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}
  Connection(Connection&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Connection& operator=(Connection&&) = delete;
  ~Connection() {
    if (descriptor_ >= 0)
      (void)::close(descriptor_);
  }

  /// What has come; empty at the end, and when nothing comes for too long.
  ByteVector read(std::size_t at_most = 65'536) {
    pollfd entry{descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, patience_ms) != 1)
      return {};
    ByteVector bytes(at_most);
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  ByteVector read_exactly(std::size_t size) {
    ByteVector bytes;
    while (bytes.size() < size) {
      const ByteVector more = read(size - bytes.size());
      if (more.empty())
        break;
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
  }
  ByteVector read_to_end() {
    ByteVector all;
    for (;;) {
      const ByteVector more = read();
      if (more.empty())
        return all;
      all.insert(all.end(), more.begin(), more.end());
    }
  }
  void write(BytesView bytes) {
    CHECK(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void shutdown() { (void)::shutdown(descriptor_, SHUT_WR); }

private:
  int descriptor_;
};

/// Listens where the runner would, and starts the shim.
class FakeRunner {
public:
  explicit FakeRunner(std::vector<std::string> flags) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    flags.insert(flags.begin(), {"-port", std::to_string(ntohs(address.sin_port)), "-shim-id", "72623859790382856"});
    child_.emplace(shim(std::move(flags)));
  }
  FakeRunner(const FakeRunner&) = delete;
  FakeRunner& operator=(const FakeRunner&) = delete;
  ~FakeRunner() { (void)::close(listener_); }

  /// The next connection, behind the eight bytes that say who calls.
  Connection accept() {
    pollfd entry{listener_, POLLIN, 0};
    REQUIRE(::poll(&entry, 1, patience_ms) == 1);
    Connection connection(::accept(listener_, nullptr, nullptr));
    CHECK(connection.read_exactly(8) == ByteVector{8, 7, 6, 5, 4, 3, 2, 1});
    return connection;
  }
  Ended end() { return finish(*child_); }

private:
  int listener_;
  std::optional<test::ChildProcess> child_;
};

struct Heard {
  std::string echo;
  bool closed = false; ///< with close_notify
};

/// Plays the server: handshake, a ticket, one message that must come back, and an end in good order. Says what came from
/// the shim.
Heard serve(Connection& connection, std::string_view message, test::LiveOptions options = {}) {
  test::LiveServer server(options);
  Heard heard;
  bool sent = false;
  bool ended = false;
  for (;;) {
    if (server.handshake_complete() && !std::exchange(sent, true))
      CHECK(server.send(message));
    const ByteVector got = server.take_received();
    heard.echo.append(got.begin(), got.end());
    if (sent && heard.echo.size() >= message.size() && !std::exchange(ended, true))
      CHECK(server.close());
    if (const ByteVector out = server.take_output(); !out.empty())
      connection.write(out);
    if (ended)
      connection.shutdown();
    const ByteVector in = connection.read();
    if (in.empty() || !server.feed(in))
      break;
  }
  connection.shutdown();
  heard.closed = server.peer_closed();
  return heard;
}

std::string inverted(std::string_view text) {
  std::string out;
  for (const char letter : text)
    out += static_cast<char>(~letter);
  return out;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Flags, and how the shim ends with them.
struct Row {
  std::vector<std::string> flags;
  int status;
};

const std::string quiet = "--- DONE ---\n";

} // namespace

TEST_CASE("what the shim does not have, it says before it connects") {
  const std::vector<std::string> flags = GENERATE(values<std::vector<std::string>>({{"-no-such-flag"},
                                                                                    {"-on-resume-no-such-flag"},
                                                                                    {"-server"},
                                                                                    {"-dtls"},
                                                                                    {"-quic"},
                                                                                    {"-max-version", "770"},
                                                                                    {"-on-resume-max-version", "770"},
                                                                                    {"-expect-version", "769"},
                                                                                    {"-min-version", "773"},
                                                                                    {"-curves", "21"},
                                                                                    {"-verify-prefs", "1800"}}));
  CAPTURE(flags);
  CHECK(run_alone(flags).status == 89);
}

TEST_CASE("flags that make no sense are a failure, not something missing") {
  const std::vector<std::string> flags = GENERATE(values<std::vector<std::string>>(
      {{"-port"}, {"-port", "x"}, {"-port", "70000"}, {"-expect-ocsp-response", "!"}}));
  CAPTURE(flags);
  CHECK(run_alone(flags).status == 1);
}

TEST_CASE("there is no handshaker") {
  const Ended ended = run_alone({"-is-handshaker-supported"});
  CHECK(ended.status == 0);
  CHECK(contains(ended.output, "No\n"));
}

TEST_CASE("a connection: echo, close, and not a word on stderr") {
  const std::string mode = GENERATE("-implicit-handshake", "-async");
  CAPTURE(mode);
  const std::string message(3'000, 'm');
  SECTION("as the runner wants it by default") {
    FakeRunner runner({mode});
    Connection connection = runner.accept();
    CHECK(serve(connection, message).echo == inverted(message));
    const Ended ended = runner.end();
    CHECK(ended.output == quiet);
    CHECK(ended.status == 0);
  }
  SECTION("with words of its own first, and close_notify last") {
    FakeRunner runner({mode, "-shim-writes-first", "-check-close-notify"});
    Connection connection = runner.accept();
    const Heard heard = serve(connection, message);
    CHECK(heard.echo == "hello" + inverted(message));
    CHECK(heard.closed);
    const Ended ended = runner.end();
    CHECK(ended.output == quiet);
    CHECK(ended.status == 0);
  }
}

TEST_CASE("a failure is reported with its alert and its name") {
  const std::string mode = GENERATE("-implicit-handshake", "-async");
  CAPTURE(mode);
  FakeRunner runner({mode});
  Connection connection = runner.accept();
  const std::string_view not_tls = "HTTP/1.1 400 Bad Request\r\n\r\n";
  connection.write(tlsconnect::as_bytes(not_tls));
  connection.shutdown();
  const ByteVector all = connection.read_to_end();
  // The last record is a fatal alert. It arrives, although the shim has not read all that was sent.
  REQUIRE(all.size() > 7);
  const ByteVector last(all.end() - 7, all.end());
  CHECK(last[0] == 21);
  CHECK(last[4] == 2);
  CHECK(last[5] == 2);
  const Ended ended = runner.end();
  CHECK(ended.status == 1);
  CHECK(contains(ended.output, "tlsconnect error [not_tls]"));
  CHECK(ended.output.ends_with(quiet));
}

TEST_CASE("expectations can fail") {
  const std::vector<std::string> flags = GENERATE(values<std::vector<std::string>>({
      {"-expect-alpn", "foo"},
      {"-expect-hrr"},
      {"-expect-curve-id", "24"},
      {"-expect-cipher", "4867"},
      {"-expect-peer-signature-algorithm", "2055"},
      {"-expect-ocsp-response", "AQID"},
      {"-expect-no-peer-cert"},
      {"-expect-selected-credential", "0"},
      {"-expect-early-data-reason", "accept"},
      {"-expect-ticket-supports-early-data"},
      {"-expect-no-session"},
      {"-expect-version", "771"},
      {"-expect-certificate-types", "AUA="},
      {"-expect-total-renegotiations", "1"},
      {"-tls-unique"},
  }));
  CAPTURE(flags);
  FakeRunner runner(flags);
  Connection connection = runner.accept();
  (void)serve(connection, "m");
  CHECK(runner.end().status == 1);
}

TEST_CASE("TLS 1.2: flags that ask for it, and expectations") {
  const Row row = GENERATE(values<Row>({
      {{"-no-tls13"}, 0},
      {{"-max-version", "771", "-async"}, 0},
      {{"-expect-version", "771", "-expect-cipher", "49196"}, 0},
      {{"-expect-version", "772"}, 1},
      {{"-no-tls12"}, 1},
      {{"-min-version", "772"}, 1},
      {{"-expect-extended-master-secret", "-expect-secure-renegotiation"}, 0},
      {{"-expect-hrr"}, 1},
      {{"-expect-peer-signature-algorithm", "2055"}, 1},
      {{"-verify-prefs", "1027", "-expect-peer-signature-algorithm", "1027"}, 0},
      {{"-cipher", "DEFAULT:!AES", "-expect-cipher", "52393"}, 0},
      {{"-enable-early-data", "-expect-early-data-reason", "protocol_version"}, 0},
      {{"-expect-no-session"}, 1},
      {{"-expect-total-renegotiations", "1"}, 1},
  }));
  CAPTURE(row.flags);
  FakeRunner runner(row.flags);
  Connection connection = runner.accept();
  const Heard heard = serve(connection, "m", {.tls12 = true});
  const Ended ended = runner.end();
  CAPTURE(ended.output);
  CHECK(ended.status == row.status);
  CHECK((row.status != 0 || heard.echo == inverted("m")));
}

TEST_CASE("TLS 1.2: keying material and the channel binding are written") {
  FakeRunner runner({"-no-tls13", "-export-keying-material", "100", "-export-label", "label", "-tls-unique"});
  Connection connection = runner.accept();
  const Heard heard = serve(connection, std::string(1'000, 'm'), {.tls12 = true});
  CHECK(heard.echo.size() == 100 + 12 + 1'000);
  CHECK(runner.end().status == 0);
}

TEST_CASE("TLS 1.2: several connections") {
  const bool expected = GENERATE(false, true);
  std::vector<std::string> flags{"-no-tls13", "-resume-count", "1"};
  if (expected)
    flags.emplace_back("-expect-session-miss");
  FakeRunner runner(flags);
  for (int i = 0; i < 2; ++i) {
    Connection connection = runner.accept();
    (void)serve(connection, "m", {.tls12 = true});
  }
  CHECK(runner.end().status == (expected ? 0 : 1));
}

TEST_CASE("the verdict on the server's certificate") {
  SECTION("refused") {
    FakeRunner runner({"-verify-peer", "-verify-fail"});
    Connection connection = runner.accept();
    (void)serve(connection, "m");
    const Ended ended = runner.end();
    CHECK(ended.status == 1);
    CHECK(contains(ended.output, "[certificate_rejected]"));
  }
  SECTION("refused without consequences") {
    FakeRunner runner({"-verify-fail"});
    Connection connection = runner.accept();
    CHECK(serve(connection, "m").echo == inverted("m"));
    CHECK(runner.end().status == 0);
  }
}

TEST_CASE("several connections") {
  SECTION("the first brings no session, so that there is none for the second") {
    FakeRunner runner({"-resume-count", "1", "-no-ticket"});
    Connection connection = runner.accept();
    (void)serve(connection, "m");
    const Ended ended = runner.end();
    CHECK(ended.status == 1);
    CHECK(contains(ended.output, "no session to offer"));
  }
  SECTION("the second is not resumed: that must be expected") {
    const bool expected = GENERATE(false, true);
    std::vector<std::string> flags{"-resume-count", "1"};
    if (expected)
      flags.emplace_back("-expect-session-miss");
    FakeRunner runner(flags);
    for (int i = 0; i < 2; ++i) {
      Connection connection = runner.accept();
      (void)serve(connection, "m");
    }
    CHECK(runner.end().status == (expected ? 0 : 1));
  }
}

TEST_CASE("the error map names errors that exist") {
  const char* const path = std::getenv("BOGO_CONFIG");
  REQUIRE(path != nullptr);
  std::ifstream file(path);
  const std::string config{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  REQUIRE(contains(config, "\"ErrorMap\""));

  // Two ways to end that are no errors, and the alerts that a server may send.
  std::set<std::string_view> known{"closed", "truncated", "alert handshake_failure", "alert record_overflow",
                                   "alert access_denied"};
  for (unsigned code = 0; code < 256; ++code)
    known.insert(tlsconnect::describe(static_cast<tlsconnect::ErrorCode>(code)).name);
  std::size_t names = 0;
  for (std::size_t at = config.find("\"["); at != std::string::npos; at = config.find("\"[", at + 1)) {
    const std::string name = config.substr(at + 2, config.find("]\"", at) - at - 2);
    CAPTURE(name);
    CHECK(known.contains(name));
    ++names;
  }
  CHECK(names > 50);
}
