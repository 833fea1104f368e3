// TLS over something that is not a socket: the standard input and output of a child process, as with ssh's ProxyCommand.
//
//   custom_transport CA-FILE NAME COMMAND [ARGUMENT…]
//   custom_transport demo-ca.pem demo.tlsconnect.test nc 127.0.0.1 8443
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <tlsconnect/tlsconnect.hpp>

namespace {

namespace tls = tlsconnect;

/// Two pipes to a child process. Reading and writing is all that a transport must do; that it can be moved, and knows
/// nothing of TLS, makes it fit Connector.
class ChildPipes {
public:
  ChildPipes(int from_child, int to_child) : in_(from_child), out_(to_child) {}
  ChildPipes(ChildPipes&& other) noexcept : in_(std::exchange(other.in_, -1)), out_(std::exchange(other.out_, -1)) {}
  ChildPipes& operator=(ChildPipes&& other) noexcept {
    std::swap(in_, other.in_);
    std::swap(out_, other.out_);
    return *this;
  }
  ~ChildPipes() {
    ::close(in_);
    ::close(out_);
  }

  tls::IoResult<std::size_t> read_some(tls::Bytes space) {
    const ssize_t count = ::read(in_, space.data(), space.size());
    return count == 0 ? std::unexpected(tls::Halt::closed()) : outcome(count, "read");
  }
  tls::IoResult<std::size_t> write_some(tls::BytesView bytes) {
    return outcome(::write(out_, bytes.data(), bytes.size()), "write");
  }

private:
  static tls::IoResult<std::size_t> outcome(ssize_t count, const char* where) {
    if (count >= 0)
      return static_cast<std::size_t>(count);
    return std::unexpected(
        tls::Halt::failed(tls::Error::from_transport(tls::ErrorCode::transport_failed, errno, where)));
  }
  int in_;
  int out_;
};

/// Starts the command with a pipe at each end of it.
ChildPipes start(char** command) {
  int to_child[2] = {-1, -1};
  int from_child[2] = {-1, -1};
  if (::pipe(to_child) != 0 || ::pipe(from_child) != 0)
    return {-1, -1};
  if (::fork() == 0) {
    ::dup2(to_child[0], STDIN_FILENO);
    ::dup2(from_child[1], STDOUT_FILENO);
    for (const int descriptor : {to_child[0], to_child[1], from_child[0], from_child[1]})
      ::close(descriptor);
    ::execvp(command[0], command);
    ::_exit(127);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  return {from_child[0], to_child[1]};
}

int complain(const std::string& what) {
  std::fprintf(stderr, "custom_transport: %s\n", what.c_str());
  return 1;
}

int run(const char* ca_file, const char* server, char** command) {
  auto anchors = tls::TrustAnchors::from_file(ca_file);
  if (!anchors)
    return complain(anchors.error().message());
  auto config = tls::ClientConfig::builder().trust(std::move(*anchors)).build();
  if (!config)
    return complain(config.error().message());
  auto name = tls::ServerName::parse(server);
  if (!name)
    return complain(name.error().message());

  tls::Connector connector(std::move(*config), std::move(*name), start(command));
  const std::string request = std::string("GET / HTTP/1.1\r\nHost: ") + server + "\r\nConnection: close\r\n\r\n";
  auto stream = connector.connect(tls::as_bytes(request));
  if (!stream)
    return complain(stream.error().message());
  std::uint8_t buffer[4'096];
  for (;;) {
    const auto count = stream->read_some(buffer);
    if (count)
      std::fwrite(buffer, 1, *count, stdout);
    else if (count.error().is_closed())
      break;
    else
      return complain(count.error().message());
  }
  (void)stream->shutdown();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: custom_transport CA-FILE NAME COMMAND [ARGUMENT...]\n", stderr);
    return 2;
  }
  // A pipe, unlike PosixSocket, raises SIGPIPE when the other end is gone; write_some reports it instead.
  std::signal(SIGPIPE, SIG_IGN);
  const int result = run(argv[1], argv[2], argv + 3);
  while (::wait(nullptr) > 0) {
  }
  return result;
}
