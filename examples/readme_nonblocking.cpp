#include <cstdio>
#include <optional>
#include <string>
#include <poll.h>
#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>
namespace tls = tlsconnect;

// [nonblocking]
void wait(const tls::PosixSocket& socket, tls::Interest interest) {
  pollfd entry{socket.descriptor(), 0, 0};
  if (includes(interest, tls::Interest::read)) entry.events |= POLLIN;
  if (includes(interest, tls::Interest::write)) entry.events |= POLLOUT;
  ::poll(&entry, 1, -1); // an event loop would go and do something else
}

tls::IoResult<> fetch(tls::Connector<tls::PosixSocket> connector, const std::string& request) {
  std::optional<tls::Stream<tls::PosixSocket>> stream;
  while (!stream) {
    auto connected = connector.connect(tls::as_bytes(request));
    if (connected) stream.emplace(std::move(*connected));
    else if (connected.error().is_would_block()) wait(connector.next_layer(), connected.error().interest());
    else return std::unexpected(connected.error());
  }
  for (std::uint8_t page[4096];;) {
    auto count = stream->read_some(page);
    if (count) std::fwrite(page, 1, *count, stdout);
    else if (count.error().is_would_block()) wait(stream->next_layer(), count.error().interest());
    else if (count.error().is_closed()) return {};
    else return std::unexpected(count.error());
  }
}
// [/nonblocking]

int main(int argc, char** argv) {
  const std::string host = argc > 1 ? argv[1] : "example.com";
  auto config = tls::ClientConfig::builder().trust_system().build();
  auto name = tls::ServerName::parse(host);
  auto socket = tls::PosixSocket::dial(host, static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 443),
                                       tls::PosixSocket::Mode::non_blocking);
  if (!config || !name || !socket) return 2;
  const auto done = fetch(tls::Connector(*config, *name, std::move(*socket)),
                          "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  return done ? 0 : (std::fprintf(stderr, "%s\n", done.error().message().c_str()), 1);
}
