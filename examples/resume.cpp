// Two connections to one server: the first brings a session home, the second resumes it and sends its request before the
// server has said a word (early data). The session waits in a file, as it would for a program that ends in between.
//
//   resume [--ca FILE] [--connect-to HOST:PORT] [--store FILE] https://host[:port]/path
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>

#include "support/arguments.hpp"
#include "support/http.hpp"
#include "support/terminal.hpp"
#include "support/url.hpp"

namespace {

namespace tls = tlsconnect;

// [store]
/// Keeps one session, the newest, in a file that nobody else may read: who has the session can pass for either side of
/// the connections that are resumed with it.
class FileStore final : public tls::SessionStore {
public:
  explicit FileStore(std::string path) : path_(std::move(path)) {}

  void put(std::string_view key, tls::Session session) noexcept override {
    tls::Result<tls::ByteVector> bytes = session.serialise();
    if (!bytes)
      return; // a session that is not kept costs a full handshake, and nothing else
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
      // The key says whose session it is; it has no line breaks.
      const bool written = write(file, tls::as_bytes(key)) && write(file, tls::as_bytes("\n")) && write(file, *bytes);
      ::close(file);
      if (!written)
        (void)::unlink(path_.c_str());
    }
    tls::wipe(*bytes);
  }

  std::optional<tls::Session> take(std::string_view key) noexcept override {
    std::string text = read();
    const std::size_t end = text.find('\n');
    if (end == std::string::npos || std::string_view(text).substr(0, end) != key)
      return std::nullopt;
    // A ticket is used once (RFC 9846, C.4).
    (void)::unlink(path_.c_str());
    tls::Result<tls::Session> session = tls::Session::parse(tls::as_bytes(std::string_view(text).substr(end + 1)));
    tls::wipe(tls::Bytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    // What is damaged, or of another version, is no session.
    return session ? std::optional(std::move(*session)) : std::nullopt;
  }

  void erase(std::string_view) noexcept override { (void)::unlink(path_.c_str()); }

private:
  static bool write(int file, tls::BytesView bytes) noexcept {
    return ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] std::string read() const noexcept {
    std::string text;
    const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return text;
    char buffer[4'096];
    for (ssize_t count = 0; (count = ::read(file, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
    ::close(file);
    return text;
  }

  std::string path_;
};
// [/store]

tls::Result<tls::ConfigPtr> make_config(const std::string& ca, const std::string& store) {
  auto builder = tls::ClientConfig::builder();
  builder.alpn({"http/1.1"}).session_store(std::make_shared<FileStore>(store));
  if (ca.empty())
    return builder.trust_system().build();
  auto anchors = tls::TrustAnchors::from_file(ca);
  if (!anchors)
    return std::unexpected(std::move(anchors.error()));
  return builder.trust(std::move(*anchors)).build();
}

std::string_view describe(const tls::ConnectionInfo& info) {
  switch (info.early_data) {
  case tls::EarlyDataOutcome::accepted:
    return "accepted";
  case tls::EarlyDataOutcome::rejected:
    return "rejected, sent again";
  case tls::EarlyDataOutcome::not_sent:
    break;
  }
  return "not sent";
}

/// One connection with one request; false after an error.
bool fetch(const char* which, const tls::ConfigPtr& config, const example::Url& url, const example::Endpoint& target) {
  const auto fail = [&](std::string_view what) {
    std::fprintf(stderr, "resume: %s: %s\n", which, example::harmless(what).c_str());
    return false;
  };
  auto name = tls::ServerName::parse(url.host);
  if (!name)
    return fail(name.error().message());
  auto socket = tls::PosixSocket::dial(target.host, target.port);
  if (!socket)
    return fail(socket.error().message());

  // [early]
  // A GET that changes nothing may arrive twice, which is what replay_safe promises. It goes out early if there is a
  // session that permits it.
  const std::string request = example::get_request(url);
  tls::Connector connector(config, std::move(*name), std::move(*socket), tls::replay_safe(tls::as_bytes(request)));
  auto stream = connector.connect();
  if (!stream)
    return fail(stream.error().message());
  // What the server has not taken (all of it, if it could not be sent early) is sent now, as ordinary data.
  const tls::ByteVector rest = stream->take_unaccepted_early_data();
  if (const auto sent = stream->write_all(tls::BytesView(rest)); !sent)
    return fail(sent.error().message());
  // [/early]

  example::HttpResponse response;
  tls::ByteVector buffer(16'384);
  while (!response.complete()) {
    const auto count = stream->read_some(buffer);
    if (!count)
      return fail(count.error().message());
    if (!response.feed(tls::as_text(tls::BytesView(buffer).first(*count))))
      return fail("the server did not answer with an HTTP/1.1 response");
  }
  (void)stream->shutdown();

  const tls::ConnectionInfo& info = stream->info();
  std::printf("%s: %s, early data %s (%zu of %zu bytes), %s\n", which, info.resumed() ? "resumed" : "full handshake",
              std::string(describe(info)).c_str(), request.size() - rest.size(), request.size(),
              example::harmless(response.status_line()).c_str());
  return true;
}

int run(const example::Arguments& arguments) {
  const auto fail = [](std::string_view what) {
    std::fprintf(stderr, "resume: %s\n", example::harmless(what).c_str());
    return 1;
  };
  const auto url = example::parse_url(arguments.url());
  if (!url)
    return fail("not an https URL: " + arguments.url());
  const std::string connect_to = arguments.value("--connect-to");
  const auto target = example::parse_target(connect_to, *url);
  if (!target)
    return fail("not HOST:PORT: " + connect_to);
  for (const char* which : {"first connection", "second connection"}) {
    // A configuration of its own for each, as if the program had ended in between: only the file remembers.
    const auto config = make_config(arguments.value("--ca"), arguments.value("--store", "tlsconnect-session"));
    if (!config)
      return fail(config.error().message());
    if (!fetch(which, *config, *url, *target))
      return 1;
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto arguments = example::Arguments::parse(argc, argv, {"--ca", "--connect-to", "--store"});
  if (!arguments) {
    std::fputs("usage: resume [--ca FILE] [--connect-to HOST:PORT] [--store FILE] URL\n"
               "  --ca FILE      trust the certificates in FILE instead of the system's\n"
               "  --connect-to   open the TCP connection there; the server must still prove the URL's name\n"
               "  --store FILE   where the session waits; a new one by default, in the current folder\n",
               stderr);
    return 2;
  }
  return run(*arguments);
}
