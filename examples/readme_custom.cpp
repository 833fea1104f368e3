#include <cstdio>
#include <string>
#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>
namespace tls = tlsconnect;

// [custom]
struct Counted { // a transport is anything that reads and writes; this one counts what another carries
  tls::PosixSocket next;
  std::size_t read = 0, written = 0;
  tls::IoResult<std::size_t> read_some(tls::Bytes space) { return add(read, next.read_some(space)); }
  tls::IoResult<std::size_t> write_some(tls::BytesView bytes) { return add(written, next.write_some(bytes)); }
  static tls::IoResult<std::size_t> add(std::size_t& sum, tls::IoResult<std::size_t> count) {
    sum += count.value_or(0);
    return count;
  }
};
// [/custom]

int main(int argc, char** argv) {
  const std::string host = argc > 1 ? argv[1] : "example.com";
  auto config = tls::ClientConfig::builder().trust_system().build();
  auto name = tls::ServerName::parse(host);
  auto socket = tls::PosixSocket::dial(host, static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 443));
  if (!config || !name || !socket)
    return 2;
  auto stream = tls::Connector(*config, *name, Counted{std::move(*socket)}).connect();
  if (!stream)
    return std::fprintf(stderr, "%s\n", stream.error().message().c_str()), 1;
  std::printf("%zu bytes read, %zu written\n", stream->next_layer().read, stream->next_layer().written);
  return stream->shutdown() ? 0 : 1;
}
