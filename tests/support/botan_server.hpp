// A TLS server without sockets: Botan's, between two buffers. An independent implementation is the peer that the
// interoperability tests, the examples and the benchmarks need. No header of Botan comes with it: they take longer to
// compile than most of the tests.
//
//   auto context = std::make_shared<test::BotanServerContext>(
//       test::BotanServerOptions{.chain = leaf.chain_der(), .key = leaf.key_der()});
//   test::BotanServer server(context);
//   server.feed(bytes_from_the_client);
//   to_client(server.take_output());
//   if (server.handshake_complete())
//     server.send("hello");
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace Botan {
class RandomNumberGenerator;
} // namespace Botan

namespace test {

/// A key that client and server have from elsewhere.
struct BotanPsk {
  std::string identity;
  std::vector<std::uint8_t> key;
  std::string hash = "SHA-256"; ///< or "SHA-384": of the suites that it goes with
  bool imported = false;        ///< identity and key are those of RFC 9258
};

/// What a server is. The numbers are code points of the TLS registries.
struct BotanServerOptions {
  /// Certificates in DER, the server's own first, and its key (PKCS #8 in DER, not encrypted).
  std::vector<std::vector<std::uint8_t>> chain = {};
  std::vector<std::uint8_t> key = {};
  /// Cipher suites, the preferred one first; the server's order decides.
  std::vector<std::uint16_t> cipher_suites = {0x1301, 0x1302, 0x1303};
  /// The same for TLS 1.2; empty: Botan's own choice.
  std::vector<std::uint16_t> cipher_suites12 = {};
  /// Groups, the preferred one first. A group that the client sent a share for beats one that it did not; when there is
  /// none of those, the server asks for one (HelloRetryRequest).
  std::vector<std::uint16_t> groups = {0x11EC, 0x11EB, 0x11ED, 29, 23, 24, 25};
  /// Ask for the first group that the client supports, even where another one would save the round trip.
  bool insist_on_first_group = false;
  /// Schemes to sign with and to accept from client certificates; empty: Botan's own choice.
  std::vector<std::uint16_t> signature_schemes = {};
  /// Application protocols, the preferred one first; empty: the server ignores ALPN.
  std::vector<std::string> alpn = {};
  /// Without a common protocol: refuse (no_application_protocol), or go on without one.
  bool alpn_required = false;
  /// Ask for a client certificate; and refuse to go on without one. Any certificate will do.
  bool request_client_certificate = false;
  bool require_client_certificate = false;
  /// External pre-shared keys, the preferred one first.
  std::vector<BotanPsk> psks = {};
  /// Tickets to send after the handshake. (Only to clients that announce that they can resume.)
  std::size_t tickets = 0;
  /// Send change_cipher_spec even if the client did not ask for it.
  bool always_change_cipher_spec = false;
  /// record_size_limit (RFC 8449): what this server accepts.
  std::optional<std::uint16_t> record_size_limit = {};
  bool tls12 = false;
  bool tls13 = true;
  /// Answer a close_notify with one.
  bool close_when_closed = true;
  /// Instead of the system's.
  std::shared_ptr<Botan::RandomNumberGenerator> rng = {};
};

/// What connections share: parsed credentials, policy, sessions. Not for several threads at once.
class BotanServerContext {
public:
  /// Throws when the credentials cannot be read.
  explicit BotanServerContext(const BotanServerOptions& options);
  ~BotanServerContext();

private:
  friend class BotanServer;
  struct Shared;
  std::unique_ptr<const Shared> shared_;
};

/// One connection.
class BotanServer {
public:
  explicit BotanServer(std::shared_ptr<const BotanServerContext> context);
  explicit BotanServer(const BotanServerOptions& options);
  BotanServer(BotanServer&&) noexcept;
  BotanServer& operator=(BotanServer&&) noexcept;
  ~BotanServer();

  /// Bytes from the client. False once the connection has failed; failure() says why, and the alert that tells the
  /// client is in take_output().
  bool feed(std::span<const std::uint8_t> bytes);
  /// Bytes for the client; empties the queue.
  [[nodiscard]] std::vector<std::uint8_t> take_output();
  /// Application data from the client so far; empties the queue.
  [[nodiscard]] std::vector<std::uint8_t> take_received();

  /// Application data for the client. False before the handshake is complete, and once the connection has ended.
  bool send(std::span<const std::uint8_t> plaintext);
  bool send(std::string_view text);
  /// Sends close_notify. Receiving goes on.
  bool close();
  /// Sends a KeyUpdate, and asks for one.
  bool update_keys(bool request_peer_update);
  /// Sends an alert; `code` from the registry.
  bool send_alert(std::uint8_t code, bool fatal = true);
  /// Sends tickets now, whether or not the client said that it can use them; how many went out.
  std::size_t send_tickets(std::size_t count);

  [[nodiscard]] bool handshake_complete() const;
  /// The client has sent close_notify.
  [[nodiscard]] bool peer_closed() const;
  /// Nothing goes either way any more.
  [[nodiscard]] bool closed() const;
  /// Why this side ended the connection; empty when it did not.
  [[nodiscard]] const std::string& failure() const;
  /// The fatal alert that the client sent.
  [[nodiscard]] std::optional<std::uint8_t> alert_received() const;

  /// What was negotiated. Version and suite: once the handshake is complete.
  [[nodiscard]] std::uint16_t version() const;
  [[nodiscard]] std::uint16_t cipher_suite() const;
  [[nodiscard]] std::uint16_t group() const;
  [[nodiscard]] bool hello_retry_request() const;
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] std::string alpn() const;
  /// The server name that the client asked for; empty when it did not.
  [[nodiscard]] const std::string& server_name() const;
  /// The client's certificates in DER.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> client_chain() const;
  /// Keying material exported by this side (RFC 9846, 7.5).
  [[nodiscard]] std::vector<std::uint8_t> exported(std::string_view label, std::string_view context,
                                                   std::size_t size) const;
  /// The client's first ClientHello as a handshake message, without its header.
  [[nodiscard]] const std::vector<std::uint8_t>& client_hello() const;

private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

} // namespace test
