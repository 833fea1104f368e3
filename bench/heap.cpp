// What an idle connection keeps: bytes from the heap of an established connection whose buffers were given back, on
// average over many connections that share a configuration.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "layers.hpp"
#include "pairs.hpp"

namespace bench {

namespace {

constexpr std::array<std::uint16_t, 3> suite_codes{0x1301, 0x1302, 0x1303}; // in the order of `suites`

/// Bytes a connection.
double idle_bytes(Library& library, const std::shared_ptr<const test::BotanServerContext>& context, int connections) {
  // The first connections fill what the libraries keep for all.
  for (int i = 0; i < 3; ++i)
    (void)handshake(library, context);
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(static_cast<std::size_t>(connections));
  const HeapCount count;
  const std::ptrdiff_t before = heap_now().bytes;
  std::ptrdiff_t ours = 0;
  for (int i = 0; i < connections; ++i) {
    std::unique_ptr<Client> client = handshake(library, context).client;
    client->rest();
    ours += static_cast<std::ptrdiff_t>(client->benchmark_bytes());
    clients.push_back(std::move(client));
  }
  return static_cast<double>(heap_now().bytes - before - ours) / connections;
}

/// Bytes of a sealer and of an opener.
double aead_bytes(const Suite& suite) {
  const HeapCount count;
  const std::ptrdiff_t before = heap_now().bytes;
  const tls::AeadSealer sealer = valid(tls::AeadSealer::create(suite.algorithm, key_of(suite)));
  const tls::AeadOpener opener = valid(tls::AeadOpener::create(suite.algorithm, key_of(suite)));
  return static_cast<double>(heap_now().bytes - before);
}

/// Bytes of the chain as a connection keeps it.
double chain_bytes(const Pki& pki) {
  const HeapCount count;
  const std::ptrdiff_t before = heap_now().bytes;
  const std::vector<tls::ByteVector> kept = pki.leaf.chain_der();
  return static_cast<double>(heap_now().bytes - before);
}

} // namespace

bool run_heap(const Options& options) {
  heading("Heap of an idle connection, in bytes (buffers given back; Botan's objects included)");
  if (!heap_is_counted()) {
    std::puts("This build cannot count: that takes the GNU C library and no sanitizer.");
    return true;
  }
  if (botan_pool_hides_memory())
    std::puts("BOTAN_MLOCK_POOL_SIZE is set to something else than 0: Botan's secret memory does not show here.");
  const int connections = options.rounds(200);

  std::printf("%-20s %-26s %6s %6s %6s  %s\n", "suite", "chain", "AEADs", "chain", "rest", "together");
  for (std::size_t i = 0; i < suites.size(); ++i)
    for (const bool intermediate : {false, true}) {
      const Pki pki = make_pki(intermediate);
      const auto library = tlsconnect_library().make(client_setup(pki, x25519, suite_codes[i]));
      const double bytes = idle_bytes(*library, server_context(pki, x25519, suite_codes[i]), connections);
      const double aeads = aead_bytes(suites[i]);
      const double chain = chain_bytes(pki);
      std::printf("%-20s %-26s %6.0f %6.0f %6.0f  %s\n", std::string(suites[i].name).c_str(),
                  intermediate ? "intermediate and server" : "server", aeads, chain, bytes - aeads - chain,
                  against(bytes, Aim::at_most, 6'144, 0).c_str());
    }

  std::printf("\n%-20s %-26s %-14s %s\n", "AES-128-GCM", "chain", "bytes", "tlsconnect/this");
  for (const bool intermediate : {false, true}) {
    const Pki pki = make_pki(intermediate);
    ClientSetup setup = client_setup(pki, x25519, suite_codes[0]);
    setup.idle = true;
    const auto context = server_context(pki, x25519, suite_codes[0]);
    double ours = 0;
    for (const LibraryEntry& entry : libraries()) {
      const auto library = entry.make(setup);
      if (!library)
        continue;
      const double bytes = idle_bytes(*library, context, connections);
      if (ours == 0)
        ours = bytes;
      std::printf("%-20s %-26s %-14.0f %.2f\n", entry.name.c_str(), intermediate ? "intermediate and server" : "server",
                  bytes, ours / bytes);
    }
  }
  std::fputs(missing_libraries().c_str(), stdout);
  return true;
}

} // namespace bench
