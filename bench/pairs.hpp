// A client of any library and a server that is the same for all (Botan's), handshaking in memory.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "botan_server.hpp"
#include "clients.hpp"
#include "support.hpp"
#include "test_pki.hpp"

namespace bench {

/// A root, perhaps an intermediate authority, and a server's certificate; all with ECDSA on P-256.
struct Pki {
  test::Identity root;
  test::Identity leaf;
};
inline constexpr const char* server_name = "bench.tlsconnect.test";

[[nodiscard]] inline Pki make_pki(bool intermediate) {
  // The other libraries look at the system's clock.
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  test::CertOptions authority{.common_name = "Benchmark Root", .organization = "tlsconnect"};
  authority.not_before = now - test::day;
  authority.not_after = now + 30 * test::day;
  authority.ca = true;
  test::CertOptions server = authority;
  server.common_name = server_name;
  server.organization = {};
  server.ca = false;
  server.dns = {server_name};
  const test::Identity root = test::self_signed(authority);
  authority.common_name = "Benchmark Issuing Authority";
  return {root, (intermediate ? root.issue(authority) : root).issue(server)};
}

[[nodiscard]] inline ClientSetup client_setup(const Pki& pki, std::uint16_t group, std::uint16_t suite) {
  ClientSetup setup;
  setup.root_der = pki.root.der();
  setup.root_pem = pki.root.pem();
  setup.server_name = server_name;
  setup.group = group;
  setup.suite = suite;
  return setup;
}

[[nodiscard]] inline std::shared_ptr<const test::BotanServerContext> server_context(const Pki& pki, std::uint16_t group,
                                                                                    std::uint16_t suite) {
  test::BotanServerOptions options;
  options.chain = pki.leaf.chain_der();
  options.key = pki.leaf.key_der();
  options.groups = {group};
  options.cipher_suites = {suite};
  return std::make_shared<const test::BotanServerContext>(options);
}

struct Connected {
  std::unique_ptr<Client> client;
  double client_time = 0; ///< nanoseconds in the client's calls, from making the client to its Finished
  std::size_t received = 0;
};

/// One handshake; throws when it fails.
[[nodiscard]] inline Connected handshake(Library& library,
                                         const std::shared_ptr<const test::BotanServerContext>& context) {
  test::BotanServer server(context);
  Connected connected;
  bool good = false;
  connected.client_time = cpu_time([&] {
    connected.client = library.connect();
    good = connected.client->start();
  });
  Client& client = *connected.client;
  while (good) {
    (void)server.feed(client.output());
    client.sent();
    const std::vector<std::uint8_t> answer = server.take_output();
    if (answer.empty())
      break;
    connected.received += answer.size();
    connected.client_time += cpu_time([&] { good = client.receive(answer); });
  }
  if (!good || !client.complete() || !server.handshake_complete())
    throw std::runtime_error("a handshake failed: " + client.problem() + " / " + server.failure());
  return connected;
}

} // namespace bench
