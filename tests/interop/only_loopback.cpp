// Preloaded into servers that insist on listening on every interface of the machine: what they bind to any address is
// bound to the loopback address instead, so that a test opens no port to the network.
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int bind(int descriptor, const sockaddr* address, socklen_t size) noexcept {
  sockaddr_storage changed{};
  if (address != nullptr && size <= sizeof changed) {
    std::memcpy(&changed, address, size);
    if (changed.ss_family == AF_INET)
      reinterpret_cast<sockaddr_in*>(&changed)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (changed.ss_family == AF_INET6)
      reinterpret_cast<sockaddr_in6*>(&changed)->sin6_addr = IN6ADDR_LOOPBACK_INIT;
    address = reinterpret_cast<const sockaddr*>(&changed);
  }
  return static_cast<int>(::syscall(SYS_bind, descriptor, address, size));
}
