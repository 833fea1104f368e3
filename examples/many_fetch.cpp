// Many connections at once in one thread and one epoll loop: the non-blocking use of tlsconnect.
//
//   many_fetch [--ca FILE] [--connect-to HOST:PORT] [--connections N] [--timeout MS] https://host[:port]/path
//
// A non-blocking connection is driven by calling it until it says would_block, then waiting for what it asks for. Which
// call comes next never depends on which one was interrupted.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>

#include "support/http.hpp"
#include "support/terminal.hpp"
#include "support/url.hpp"

namespace {

namespace tls = tlsconnect;
using Clock = std::chrono::steady_clock;

// [nonblocking]
/// One connection: a handshake, then a request and its response.
class Fetch {
public:
  enum class Progress { waiting, done, failed };

  Fetch(tls::ConfigPtr config, tls::ServerName name, tls::PosixSocket socket)
      : descriptor_(socket.descriptor()), connector_(std::move(config), std::move(name), std::move(socket)) {}

  /// Goes as far as it can without waiting. `waiting`: call again when `interest()` is possible.
  Progress advance(std::string_view request) {
    if (!stream_) {
      auto connected = connector_.connect(tls::as_bytes(request));
      if (!connected)
        return stop(connected.error());
      stream_.emplace(std::move(*connected));
      connected_at_ = Clock::now();
    }
    std::uint8_t buffer[16'384];
    while (!response_.complete()) {
      const auto count = stream_->read_some(buffer);
      if (!count)
        return count.error().is_closed() && response_.end() ? Progress::done : stop(count.error());
      if (!response_.feed(tls::as_text(tls::BytesView(buffer, *count))))
        return fail("not an HTTP/1.1 response");
    }
    (void)stream_->shutdown(); // says goodbye if there is room; nobody waits for it
    return Progress::done;
  }
  [[nodiscard]] tls::Interest interest() const { return interest_; }
  // [/nonblocking]

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const example::HttpResponse& response() const { return response_; }
  [[nodiscard]] const tls::ConnectionInfo& info() const { return stream_ ? stream_->info() : connector_.info(); }
  [[nodiscard]] double handshake_ms() const {
    return std::chrono::duration<double, std::milli>(connected_at_ - started_at_).count();
  }
  Progress fail(std::string_view why) {
    problem_ = why;
    return Progress::failed;
  }

private:
  Progress stop(const tls::Halt& halt) {
    if (!halt.is_would_block())
      return fail(halt.message());
    interest_ = halt.interest();
    return Progress::waiting;
  }

  int descriptor_;
  tls::Connector<tls::PosixSocket> connector_;
  std::optional<tls::Stream<tls::PosixSocket>> stream_;
  tls::Interest interest_ = tls::Interest::none;
  example::HttpResponse response_;
  std::string problem_;
  Clock::time_point started_at_ = Clock::now();
  Clock::time_point connected_at_ = started_at_;
};

struct Options {
  std::string url;
  std::string ca;
  std::string connect_to;
  std::size_t connections = 100;
  int timeout_ms = 30'000;
};

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  const auto number = [](std::string_view text, auto& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out > 0;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--") && options.url.empty()) {
      options.url = argument;
      continue;
    }
    if (i + 1 >= argc)
      return std::nullopt;
    const std::string_view value = argv[++i];
    if (argument == "--ca")
      options.ca = value;
    else if (argument == "--connect-to")
      options.connect_to = value;
    else if (argument == "--connections" ? !number(value, options.connections)
                                         : argument != "--timeout" || !number(value, options.timeout_ms))
      return std::nullopt;
  }
  return options.url.empty() ? std::nullopt : std::optional(options);
}

/// Where one connection went, so that the others need neither resolve nor search.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
};

/// A socket whose connecting has only begun. That is a transport like any other: until it is connected, it would block.
tls::PosixSocket begin_connect(const Address& address) {
  const int descriptor = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor >= 0)
    (void)::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  return tls::PosixSocket::adopt(descriptor);
}

class Loop {
public:
  Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), style_(stdout) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { ::close(epoll_); }

  void add(std::unique_ptr<Fetch> fetch) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = fetch.get();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fetch->descriptor(), &event) != 0) {
      (void)fetch->fail("no socket");
      ++failed_;
    }
    fetches_.push_back(std::move(fetch));
  }

  /// Runs until every fetch has ended or the time is over.
  void run(std::string_view request, Clock::time_point deadline) {
    epoll_event events[64];
    while (done_ + failed_ < fetches_.size()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0)
        break;
      const int ready = ::epoll_wait(epoll_, events, 64, static_cast<int>(left));
      if (ready < 0 && errno != EINTR)
        break;
      for (int i = 0; i < ready; ++i)
        advance(*static_cast<Fetch*>(events[i].data.ptr), request);
      show_progress();
    }
    if (style_.terminal())
      std::printf("\r%60s\r", "");
  }

  [[nodiscard]] const std::vector<std::unique_ptr<Fetch>>& fetches() const { return fetches_; }
  [[nodiscard]] std::size_t done() const { return done_; }
  [[nodiscard]] const example::Style& style() const { return style_; }

private:
  void advance(Fetch& fetch, std::string_view request) {
    const Fetch::Progress progress = fetch.advance(request);
    epoll_event event{};
    event.data.ptr = &fetch;
    if (progress == Fetch::Progress::waiting) {
      // Exactly what the connection asks for: a poll for writing that nobody needs would never sleep.
      if (includes(fetch.interest(), tls::Interest::read))
        event.events |= EPOLLIN;
      if (includes(fetch.interest(), tls::Interest::write))
        event.events |= EPOLLOUT;
      (void)::epoll_ctl(epoll_, EPOLL_CTL_MOD, fetch.descriptor(), &event);
      return;
    }
    (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, fetch.descriptor(), &event);
    ++(progress == Fetch::Progress::done ? done_ : failed_);
  }

  void show_progress() const {
    if (!style_.terminal())
      return;
    constexpr std::size_t cells = 40;
    const std::size_t full = (done_ + failed_) * cells / fetches_.size();
    std::printf("\r  %s%s %zu/%zu", style_.green(example::repeat("━", full)).c_str(),
                style_.dim(example::repeat("─", cells - full)).c_str(), done_ + failed_, fetches_.size());
    std::fflush(stdout);
  }

  int epoll_;
  example::Style style_;
  std::vector<std::unique_ptr<Fetch>> fetches_;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
};

void summarize(const Loop& loop, double total_ms) {
  std::vector<double> handshakes;
  std::map<std::string, std::size_t> problems;
  std::map<std::string, std::size_t> answers;
  std::uint64_t bytes = 0;
  std::size_t post_quantum = 0;
  for (const auto& fetch : loop.fetches()) {
    bytes += fetch->info().bytes_received;
    if (fetch->problem().empty() && fetch->response().complete()) {
      handshakes.push_back(fetch->handshake_ms());
      post_quantum += fetch->info().post_quantum() ? 1U : 0U;
      ++answers[fetch->response().status_line()];
    } else {
      ++problems[fetch->problem().empty() ? "no answer before the deadline" : fetch->problem()];
    }
  }
  std::sort(handshakes.begin(), handshakes.end());
  const example::Style& style = loop.style();
  const auto row = [&](const char* name, const std::string& value) {
    std::printf("  %s%s\n", style.dim(example::left(name, 14)).c_str(), value.c_str());
  };
  row("connections", std::to_string(loop.done()) + " of " + std::to_string(loop.fetches().size()) + " fetched, " +
                         std::to_string(post_quantum) + " with a post-quantum key exchange");
  if (!handshakes.empty())
    row("handshakes", "fastest " + example::milliseconds(handshakes.front()) + ", median " +
                          example::milliseconds(handshakes[handshakes.size() / 2]) + ", slowest " +
                          example::milliseconds(handshakes.back()));
  row("received", example::grouped(bytes) + " B");
  row("in all", example::milliseconds(total_ms) + ", " +
                    std::to_string(static_cast<int>(static_cast<double>(loop.done()) * 1'000.0 / total_ms)) +
                    " fetches per second");
  for (const auto& [line, count] : answers)
    row("answer", example::harmless(line) + style.dim(" × " + std::to_string(count)));
  for (const auto& [problem, count] : problems)
    row("failed", style.red(example::harmless(problem)) + style.dim(" × " + std::to_string(count)));
}

int complain(std::string_view what) {
  std::fprintf(stderr, "many_fetch: %s\n", example::harmless(what).c_str());
  return 1;
}

int run(const Options& options) {
  const auto url = example::parse_url(options.url);
  if (!url)
    return complain("not an https URL: " + options.url);
  const auto target = example::parse_target(options.connect_to, *url);
  if (!target)
    return complain("not HOST:PORT: " + options.connect_to);
  const auto name = tls::ServerName::parse(url->host);
  if (!name)
    return complain(name.error().message());

  // One configuration for all connections.
  auto builder = tls::ClientConfig::builder();
  builder.alpn({"http/1.1"});
  if (options.ca.empty()) {
    builder.trust_system();
  } else {
    auto anchors = tls::TrustAnchors::from_file(options.ca);
    if (!anchors)
      return complain(anchors.error().message());
    builder.trust(std::move(*anchors));
  }
  const auto config = builder.build();
  if (!config)
    return complain(config.error().message());

  const Clock::time_point start = Clock::now();
  const Clock::time_point deadline = start + std::chrono::milliseconds(options.timeout_ms);
  auto first =
      tls::PosixSocket::dial(target->host, target->port, tls::PosixSocket::Mode::non_blocking, options.timeout_ms);
  if (!first)
    return complain(first.error().message());
  Address address;
  if (::getpeername(first->descriptor(), reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0)
    return complain("the first connection is gone already");

  Loop loop;
  loop.add(std::make_unique<Fetch>(*config, *name, std::move(*first)));
  while (loop.fetches().size() < options.connections)
    loop.add(std::make_unique<Fetch>(*config, *name, begin_connect(address)));
  loop.run(example::get_request(*url), deadline);
  summarize(loop, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  return loop.done() == loop.fetches().size() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs("usage: many_fetch [--ca FILE] [--connect-to HOST:PORT] [--connections N] [--timeout MS] URL\n", stderr);
    return 2;
  }
  return run(*options);
}
