// One secret cannot be passed for another.
// expect: invalid initialization of reference|no matching|could not convert|no known conversion
#include <tlsconnect/base/secret.hpp>

struct ServerTag;
struct ClientTag;

void needs_server_secret(const tlsconnect::Secret<ServerTag>& secret);

void use(const tlsconnect::Secret<ServerTag>& server, const tlsconnect::Secret<ClientTag>& client) {
#if defined(WRONG)
  (void)server;
  needs_server_secret(client);
#else
  (void)client;
  needs_server_secret(server);
#endif
}
