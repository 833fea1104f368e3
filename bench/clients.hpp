// TLS clients of several libraries behind one door, between two buffers: no sockets, no system calls. All verify the
// server's chain and its name against the same root, offer one suite and one group, and keep no tickets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using View = std::span<const std::uint8_t>;

/// What to connect with. The numbers are code points of the TLS registries.
struct ClientSetup {
  std::vector<std::uint8_t> root_der;
  std::string root_pem;
  std::string server_name;
  std::uint16_t group = 0;
  std::uint16_t suite = 0;
  /// Give memory back that an idle connection does not need, where the library has a switch for that.
  bool idle = false;
  /// Remember chains that were verified, where the library does so. Otherwise each connection verifies all signatures.
  bool remember = false;
};

inline constexpr std::uint16_t secp256r1 = 23;
inline constexpr std::uint16_t x25519 = 29;
inline constexpr std::uint16_t x25519_mlkem768 = 0x11EC;

/// One connection.
class Client {
public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;

  /// Makes the ClientHello.
  virtual bool start() = 0;
  /// Bytes from the server.
  virtual bool receive(View bytes) = 0;
  [[nodiscard]] virtual bool complete() const = 0;
  /// Bytes for the server, and that they went there.
  [[nodiscard]] virtual View output() = 0;
  virtual void sent() = 0;
  /// The handshake is over, and nothing is expected soon: gives back what can be given back.
  virtual void rest() = 0;
  /// What this object takes from the heap that belongs to the benchmark rather than to the library.
  [[nodiscard]] virtual std::size_t benchmark_bytes() = 0;
  /// Why it failed, for a person.
  [[nodiscard]] virtual std::string problem() const = 0;
};

/// A library with a configuration that connections share.
class Library {
public:
  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  virtual ~Library() = default;

  [[nodiscard]] virtual std::unique_ptr<Client> connect() = 0;
};

/// Null when the library cannot do what the setup asks for; throws when it fails otherwise.
using MakeLibrary = std::unique_ptr<Library> (*)(const ClientSetup&);

struct LibraryEntry {
  std::string name; ///< with its version
  MakeLibrary make;
};

[[nodiscard]] LibraryEntry tlsconnect_library();
[[nodiscard]] LibraryEntry botan_library();
[[nodiscard]] LibraryEntry openssl_library(); ///< only if built with BENCH_HAS_OPENSSL
[[nodiscard]] LibraryEntry gnutls_library();  ///< only if built with BENCH_HAS_GNUTLS

/// All that this program was built with, tlsconnect first.
[[nodiscard]] std::vector<LibraryEntry> libraries();
/// One line for each that it was built without; empty when none is missing.
[[nodiscard]] std::string missing_libraries();

/// Bytes between a library that wants to read and write and the benchmark.
struct Wire {
  std::vector<std::uint8_t> in;
  std::size_t taken = 0;
  std::vector<std::uint8_t> out;

  void put(View bytes) {
    if (taken == in.size()) {
      in.clear();
      taken = 0;
    }
    in.insert(in.end(), bytes.begin(), bytes.end());
  }
  /// At most `count` bytes; how many.
  std::size_t take(void* to, std::size_t count);
  void release() {
    in = {};
    out = {};
    taken = 0;
  }
};

} // namespace bench
