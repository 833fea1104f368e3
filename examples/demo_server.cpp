// A small HTTPS server to try the examples against, with certificates that it mints when it starts. Its TLS is Botan's:
// tlsconnect has no server side. It listens on the loopback interface only.
//
//   demo_server --port 0 --ca-out FILE --port-file FILE [--max-connections N] [--name NAME] [--hello-retry]
//               [--tickets]
//
// Pages: /  what the server saw; /chunked  the same in chunks; /until-close  the same without a length;
//        /bytes/N  N bytes; /cut  the first again, but the connection ends without close_notify, as an attacker on
//        the way could make it.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsconnect/wire/registry.hpp>

#include "botan_server.hpp"
#include "test_pki.hpp"

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t stop_requested = 0;

struct Options {
  std::uint16_t port = 0;
  std::string ca_out;
  std::string port_file;
  std::string name = "demo.tlsconnect.test";
  std::size_t max_connections = 0; ///< 0: no limit
  bool hello_retry = false;
  bool tickets = false;
};

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  const auto number = [](std::string_view text, auto& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--hello-retry") {
      options.hello_retry = true;
      continue;
    }
    if (argument == "--tickets") {
      options.tickets = true;
      continue;
    }
    if (i + 1 >= argc)
      return std::nullopt;
    const std::string_view value = argv[++i];
    if (argument == "--ca-out")
      options.ca_out = value;
    else if (argument == "--port-file")
      options.port_file = value;
    else if (argument == "--name")
      options.name = value;
    else if (argument == "--port" ? !number(value, options.port)
                                  : argument != "--max-connections" || !number(value, options.max_connections))
      return std::nullopt;
  }
  return options;
}

/// Whoever waits for the file sees all of it or nothing.
bool write_atomically(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".part";
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  return written && closed && std::rename(temporary.c_str(), path.c_str()) == 0;
}

/// What the server saw of a connection, as a page.
std::string page(const test::BotanServer& tls, std::string_view request_line) {
  const auto row = [](const char* name, std::string_view value) {
    std::string text = "  ";
    text.append(name).append(16 - std::string_view(name).size(), ' ').append(value).append("\n");
    return text;
  };
  const auto group = static_cast<tlsconnect::NamedGroup>(tls.group());
  const std::string alpn = tls.alpn();
  return "Hello from the other end of the connection.\n\n"
         "What this server saw of you:\n\n" +
         row("request", request_line) +
         row("version", tlsconnect::name_of(static_cast<tlsconnect::ProtocolVersion>(tls.version()))) +
         row("cipher suite", tlsconnect::name_of(static_cast<tlsconnect::CipherSuite>(tls.cipher_suite()))) +
         row("key exchange",
             std::string(tlsconnect::name_of(group)) + (tlsconnect::is_post_quantum(group) ? " (post-quantum)" : "")) +
         row("asked again", tls.hello_retry_request() ? "yes (HelloRetryRequest)" : "no") +
         row("server name", tls.server_name().empty() ? "none" : tls.server_name()) +
         row("protocol", alpn.empty() ? "none" : alpn) +
         row("ClientHello", std::to_string(tls.client_hello().size()) + " bytes");
}

/// What happens to a connection once a response is on its way.
enum class After { go_on, close, cut };

/// The answer to a request.
std::string respond(const test::BotanServer& tls, std::string_view head, After& after) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first_space = line.find(' ');
  const std::size_t second_space =
      first_space == std::string_view::npos ? first_space : line.find(' ', first_space + 1);
  if (second_space == std::string_view::npos) {
    after = After::close;
    return "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }
  const std::string_view path = line.substr(first_space + 1, second_space - first_space - 1);
  if (path == "/cut")
    after = After::cut;
  else if (path == "/until-close" || head.find("\r\nConnection: close") != std::string_view::npos)
    after = After::close;
  std::string response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nServer: tlsconnect demo\r\n";
  if (after != After::go_on)
    response += "Connection: close\r\n";
  constexpr std::string_view bytes = "/bytes/";
  if (path.starts_with(bytes)) {
    constexpr std::size_t most = std::size_t{64} << 20;
    std::size_t count = 0;
    std::from_chars(path.data() + bytes.size(), path.data() + path.size(), count);
    count = std::min(count, most);
    return response + "Content-Length: " + std::to_string(count) + "\r\n\r\n" + std::string(count, 'x');
  }
  const std::string body = page(tls, line);
  if (path == "/until-close" || path == "/cut")
    return response + "\r\n" + body;
  if (path == "/chunked") {
    response += "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t place = 0; place < body.size(); place += 100) {
      const std::string_view piece = std::string_view(body).substr(place, 100);
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      response.append(size).append(piece).append("\r\n");
    }
    return response + "0\r\n\r\n";
  }
  return response + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// One client.
class Connection {
public:
  Connection(int descriptor, const std::shared_ptr<const test::BotanServerContext>& context)
      : descriptor_(descriptor), tls_(context) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] short events() const { return static_cast<short>(output_.empty() ? POLLIN : POLLIN | POLLOUT); }
  [[nodiscard]] bool idle(Clock::time_point now) const { return now - active_ > std::chrono::seconds(20); }

  /// Reads and writes what can be; false when the connection is over.
  bool work() {
    active_ = Clock::now();
    std::uint8_t buffer[16'384];
    bool ended = false;
    for (;;) {
      const ssize_t count = ::recv(descriptor_, buffer, sizeof buffer, 0);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        break;
      if (count <= 0) {
        ended = true;
        break;
      }
      if (!over_)
        over_ = !tls_.feed({buffer, static_cast<std::size_t>(count)});
    }
    if (!over_)
      answer();
    const std::vector<std::uint8_t> fresh = tls_.take_output();
    output_.insert(output_.end(), fresh.begin(), fresh.end());
    if (!flush())
      return false;
    if (over_ && output_.empty() && !half_closed_) {
      // The client may still be sending: closing now would make the system answer with a reset, which can overtake the
      // page. So only this direction ends, and the client closes the other.
      ::shutdown(descriptor_, SHUT_WR);
      half_closed_ = true;
    }
    return !ended;
  }

private:
  void answer() {
    const std::vector<std::uint8_t> fresh = tls_.take_received();
    request_.append(fresh.begin(), fresh.end());
    for (;;) {
      const std::size_t end = request_.find("\r\n\r\n");
      if (end == std::string::npos)
        break;
      After after = After::go_on;
      over_ = !tls_.send(respond(tls_, std::string_view(request_).substr(0, end), after));
      request_.erase(0, end + 4);
      if (after == After::close && !over_)
        (void)tls_.close();
      if (after != After::go_on)
        over_ = true;
      if (over_)
        return;
    }
    over_ = request_.size() > 65'536 || tls_.peer_closed();
  }

  bool flush() {
    std::size_t done = 0;
    while (done < output_.size()) {
      const ssize_t count = ::send(descriptor_, output_.data() + done, output_.size() - done, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
      if (count < 0)
        break;
      done += static_cast<std::size_t>(count);
    }
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(done));
    return true;
  }

  int descriptor_;
  test::BotanServer tls_;
  std::string request_;
  std::vector<std::uint8_t> output_;
  Clock::time_point active_ = Clock::now();
  bool over_ = false;        ///< nothing more will be answered
  bool half_closed_ = false; ///< everything was sent
};

std::shared_ptr<const test::BotanServerContext> make_context(const Options& options, std::string& ca_pem) {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const std::int64_t from = now - 3'600;
  const auto until = [&](std::int64_t days) { return now + days * test::day; };
  const auto root = test::self_signed({.common_name = "tlsconnect demo root",
                                       .organization = "Thrown away when the server stops",
                                       .key = test::Key::fresh(test::KeyType::p256),
                                       .not_before = from,
                                       .not_after = until(7),
                                       .ca = true});
  const auto intermediate = root.issue({.common_name = "tlsconnect demo issuer",
                                        .key = test::Key::fresh(test::KeyType::p256),
                                        .not_before = from,
                                        .not_after = until(7),
                                        .ca = true,
                                        .path_length = 0});
  const auto leaf = intermediate.issue({.common_name = options.name,
                                        .key = test::Key::fresh(test::KeyType::p256),
                                        .dns = {options.name, "localhost"},
                                        .ip = {"127.0.0.1"},
                                        .not_before = from,
                                        .not_after = until(7)});
  ca_pem = root.pem();
  test::BotanServerOptions server{.chain = leaf.chain_der(), .key = leaf.key_der(), .alpn = {"http/1.1"}};
  server.tickets = options.tickets ? 1 : 0;
  if (options.hello_retry)
    server.groups = {24}; // secp384r1: offered by many clients, sent at once by none
  return std::make_shared<const test::BotanServerContext>(server);
}

int listen_on(std::uint16_t& port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0)
    return -1;
  const int on = 1;
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(descriptor, 512) != 0 ||
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ::close(descriptor);
    return -1;
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

void serve(int listener, const Options& options, const std::shared_ptr<const test::BotanServerContext>& context) {
  std::vector<std::unique_ptr<Connection>> connections;
  std::size_t accepted = 0;
  const auto wanted = [&] { return options.max_connections == 0 || accepted < options.max_connections; };
  while (stop_requested == 0 && (wanted() || !connections.empty())) {
    std::vector<pollfd> entries;
    for (const auto& connection : connections)
      entries.push_back({connection->descriptor(), connection->events(), 0});
    if (wanted())
      entries.push_back({listener, POLLIN, 0});
    // Wakes up now and then for SIGTERM and for clients that say nothing.
    if (::poll(entries.data(), static_cast<nfds_t>(entries.size()), 200) < 0 && errno != EINTR)
      return;
    const Clock::time_point now = Clock::now();
    std::vector<std::unique_ptr<Connection>> kept;
    for (std::size_t i = 0; i < connections.size(); ++i)
      if (entries[i].revents != 0 ? connections[i]->work() : !connections[i]->idle(now))
        kept.push_back(std::move(connections[i]));
    connections = std::move(kept);
    while (wanted()) {
      const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (descriptor < 0)
        break;
      const int on = 1;
      (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++accepted;
      connections.push_back(std::make_unique<Connection>(descriptor, context));
    }
  }
}

int run(Options options) {
  std::string ca_pem;
  const auto context = make_context(options, ca_pem);
  const int listener = listen_on(options.port);
  if (listener < 0) {
    std::perror("demo_server: listen");
    return 1;
  }
  // The port comes last: who sees it may connect, and already has the certificate.
  if ((!options.ca_out.empty() && !write_atomically(options.ca_out, ca_pem)) ||
      (!options.port_file.empty() && !write_atomically(options.port_file, std::to_string(options.port) + "\n"))) {
    std::perror("demo_server: writing files");
    return 1;
  }
  if (options.port_file.empty()) {
    std::printf("https://127.0.0.1:%u/\n", static_cast<unsigned>(options.port));
    std::fflush(stdout);
  }
  serve(listener, options, context);
  ::close(listener);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs("usage: demo_server [--port N] [--ca-out FILE] [--port-file FILE] [--max-connections N] [--name NAME] "
               "[--hello-retry] [--tickets]\n",
               stderr);
    return 2;
  }
  struct sigaction action{};
  action.sa_handler = [](int) { stop_requested = 1; };
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  try {
    return run(*options);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "demo_server: %s\n", problem.what());
    return 1;
  }
}
