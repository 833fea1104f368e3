// [nonblocking]
#include <cstdio>
#include <poll.h>
#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>
namespace tls = tlsconnect;
int main(int argc, char** argv) {
  const std::string host = argc > 1 ? argv[1] : "example.com";
  const auto port = static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 443);
  const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  auto config = tls::ClientConfig::builder().trust_system().build();
  auto name = tls::ServerName::parse(host);
  auto socket = tls::PosixSocket::dial(host, port, tls::PosixSocket::Mode::non_blocking);
  if (!config || !name || !socket)
    return 2;

  pollfd entry{socket->descriptor(), 0, 0};
  const auto wait = [&](const tls::Halt& halt) { // an event loop would go and do something else
    entry.events = static_cast<short>((includes(halt.interest(), tls::Interest::read) ? POLLIN : 0) |
                                      (includes(halt.interest(), tls::Interest::write) ? POLLOUT : 0));
    return halt.is_would_block() && ::poll(&entry, 1, 10'000) > 0;
  };
  tls::Connector connector(*config, *name, std::move(*socket));
  auto stream = connector.connect(tls::as_bytes(request));
  while (!stream && wait(stream.error()))
    stream = connector.connect(tls::as_bytes(request));
  if (!stream)
    return std::fprintf(stderr, "%s\n", stream.error().message().c_str()), 1;
  for (std::uint8_t page[4096];;) {
    auto count = stream->read_some(page);
    if (count)
      std::fwrite(page, 1, *count, stdout);
    else if (!wait(count.error()))
      return count.error().is_closed() ? 0 : 1;
  }
}
// [/nonblocking]
