// Uses bodies of every part of the library: configuration, engine, handshake, cryptography, sockets.
#include <cstdio>
#include <memory>

#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>

int main() {
  // What was installed is what was asked for: in separate compilation no header of Botan may be needed or seen.
#if defined(TLSCONNECT_SEPARATE_COMPILATION) && defined(BOTAN_VERSION_MAJOR)
#error "a header of Botan is included"
#endif
#if defined(TLSCONNECT_SEPARATE_COMPILATION)
  std::puts("mode: separate");
#else
  std::puts("mode: header-only");
#endif

  auto config = tlsconnect::ClientConfig::builder()
                    .verifier(std::make_shared<tlsconnect::DangerousNoVerification>())
                    .alpn({"http/1.1"})
                    .build();
  auto name = tlsconnect::ServerName::parse("example.com");
  if (!config || !name)
    return 1;

  // A ClientHello: its record's type, and the server's name somewhere in it.
  tlsconnect::ClientEngine engine(*config, *name);
  const std::string_view hello = tlsconnect::as_text(engine.pending_output());
  if (hello.empty() || hello.front() != 22 || hello.find("example.com") == std::string_view::npos)
    return 2;

  // Nobody listens on port 1.
  auto socket = tlsconnect::PosixSocket::dial("127.0.0.1", 1);
  if (socket || socket.error().code() != tlsconnect::ErrorCode::connect_refused)
    return 3;
  std::printf("hello: %zu bytes\n", hello.size());
  return 0;
}
