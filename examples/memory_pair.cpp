// The engine without any I/O: a client and a server in one process, with nothing between them but two buffers.
// The server is Botan's. A program with its own event loop, or with completion-based I/O, drives the engine like this.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/tlsconnect.hpp>

#include "botan_server.hpp"
#include "test_pki.hpp"

namespace {

namespace tls = tlsconnect;

/// "Network": what the engine has to send goes to the server. The number of bytes.
std::size_t client_to_server(tls::ClientEngine& client, test::BotanServer& server) {
  const tls::BytesView bytes = client.pending_output();
  const std::size_t count = bytes.size();
  if (count > 0) {
    (void)server.feed(bytes);
    client.sent(count); // all of it; a socket might take less
    std::printf("  client ──▶ server  %5zu bytes\n", count);
  }
  return count;
}

/// The other way. The engine says where it wants the bytes and takes any number of them at a time.
std::size_t server_to_client(test::BotanServer& server, tls::ClientEngine& client, std::string& received) {
  const std::vector<std::uint8_t> bytes = server.take_output();
  tls::BytesView rest = bytes;
  while (!rest.empty()) {
    const tls::Bytes space = client.receive_buffer();
    if (space.empty())
      break; // failed or closed
    const std::size_t count = std::min(space.size(), rest.size());
    tls::copy_bytes(rest.first(count), space);
    rest = rest.subspan(count);
    if (const auto result = client.received(count); !result)
      std::printf("  %s\n", result.error().message().c_str());
    // Decrypted data has to be taken before more can come in.
    for (tls::BytesView plain = client.plaintext(); !plain.empty(); plain = client.plaintext()) {
      received.append(tls::as_text(plain));
      client.consume(plain.size());
    }
  }
  if (!bytes.empty())
    std::printf("  client ◀── server  %5zu bytes\n", bytes.size());
  return bytes.size();
}

int run() {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const auto root =
      test::self_signed({.common_name = "root", .not_before = now - 60, .not_after = now + 3'600, .ca = true});
  const auto leaf = root.issue({.common_name = "memory.tlsconnect.test",
                                .dns = {"memory.tlsconnect.test"},
                                .not_before = now - 60,
                                .not_after = now + 3'600});
  test::BotanServer server({.chain = leaf.chain_der(), .key = leaf.key_der()});

  auto anchors = tls::TrustAnchors::from_pem(root.pem());
  auto name = tls::ServerName::parse("memory.tlsconnect.test");
  if (!anchors || !name)
    return 1;
  auto config = tls::ClientConfig::builder().trust(std::move(*anchors)).build();
  if (!config) {
    std::printf("%s\n", config.error().message().c_str());
    return 1;
  }

  tls::ClientEngine client(std::move(*config), std::move(*name));
  std::string received;
  std::puts("handshake");
  while (!client.handshake_complete() &&
         client_to_server(client, server) + server_to_client(server, client, received) > 0)
    if (client.failure())
      break;
  if (const tls::Error* error = client.failure()) {
    std::printf("%s\n", error->message().c_str());
    return 1;
  }
  if (!client.handshake_complete()) {
    std::puts("the handshake got stuck");
    return 1;
  }
  std::printf("  %.*s, %.*s\n", static_cast<int>(tls::name_of(client.info().version).size()),
              tls::name_of(client.info().version).data(), static_cast<int>(tls::name_of(client.info().group).size()),
              tls::name_of(client.info().group).data());

  std::puts("question and answer");
  // Waits in pending_output() behind the client's Finished, and leaves together with it.
  if (!client.encrypt_all(tls::as_bytes("how are you?")))
    return 1;
  client_to_server(client, server);
  const std::vector<std::uint8_t> question = server.take_received();
  std::printf("  the server read \"%s\"\n", std::string(question.begin(), question.end()).c_str());
  (void)server.send("fine, thank you");
  (void)server.close();
  server_to_client(server, client, received);
  std::printf("  the client read \"%s\"\n", received.c_str());

  std::puts("goodbye");
  if (!client.close_notify())
    return 1;
  client_to_server(client, server);
  const bool both = client.peer_closed() && server.peer_closed();
  std::printf("  %s\n", both ? "both sides know that nothing was cut off" : "somebody did not say goodbye");
  return both && received == "fine, thank you" ? 0 : 1;
}

} // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& problem) { // from minting certificates
    std::fprintf(stderr, "memory_pair: %s\n", problem.what());
    return 1;
  }
}
