// [blocking]
#include <cstdio>
#include <string>
#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>
namespace tls = tlsconnect;

int main(int argc, char** argv) {
  const std::string host = argc > 1 ? argv[1] : "example.com";
  const int port = argc > 2 ? std::stoi(argv[2]) : 443;
  const auto fail = [](const std::string& why) { return std::fprintf(stderr, "%s\n", why.c_str()), 1; };

  auto config = tls::ClientConfig::builder().trust_system().build();
  if (!config)
    return fail(config.error().message());
  auto name = tls::ServerName::parse(host);
  if (!name)
    return fail(name.error().message());
  auto socket = tls::PosixSocket::dial(host, static_cast<std::uint16_t>(port));
  if (!socket)
    return fail(socket.error().message());

  tls::Connector connector(*config, *name, std::move(*socket));
  auto stream = connector.connect(tls::as_bytes("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"));
  if (!stream)
    return fail(stream.error().message());

  std::uint8_t page[4096];
  auto count = stream->read_some(page);
  for (; count; count = stream->read_some(page))
    std::fwrite(page, 1, *count, stdout);
  return count.error().is_closed() ? 0 : fail(count.error().message());
}
// [/blocking]
