// A TLS server without sockets: Botan's, between two buffers. An independent implementation is the peer that the
// interoperability tests, the examples and the benchmarks need.
//
//   auto context = std::make_shared<test::BotanServerContext>(
//       test::BotanServerOptions{.chain = leaf.chain_der(), .key = leaf.key_der()});
//   test::BotanServer server(context);
//   server.feed(bytes_from_the_client);
//   to_client(server.take_output());
//   if (server.handshake_complete())
//     server.send("hello");
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/system_rng.h>
#include <botan/tls_algos.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_exceptn.h>
#include <botan/tls_external_psk.h>
#include <botan/tls_handshake_msg.h>
#include <botan/tls_policy.h>
#include <botan/tls_server.h>
#include <botan/tls_session.h>
#include <botan/tls_session_manager_memory.h>
#include <botan/tls_session_manager_noop.h>
#include <botan/tls_signature_scheme.h>
#include <botan/x509cert.h>

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

namespace botan_server_detail {

class Policy final : public Botan::TLS::Policy {
public:
  explicit Policy(const BotanServerOptions& options) : options_(options) {}

  bool allow_tls12() const override { return options_.tls12; }
  bool allow_tls13() const override { return options_.tls13; }
  bool allow_dtls12() const override { return false; }

  std::vector<std::uint16_t> ciphersuite_list(Botan::TLS::Protocol_Version version) const override {
    if (version.is_tls_13_or_later())
      return options_.cipher_suites;
    return options_.cipher_suites12.empty() ? Botan::TLS::Policy::ciphersuite_list(version) : options_.cipher_suites12;
  }
  bool server_uses_own_ciphersuite_preferences() const override { return true; }

  std::vector<Botan::TLS::Group_Params> key_exchange_groups() const override {
    std::vector<Botan::TLS::Group_Params> groups;
    for (const std::uint16_t group : options_.groups)
      groups.emplace_back(group);
    return groups;
  }
  Botan::TLS::Group_Params
  choose_key_exchange_group(const std::vector<Botan::TLS::Group_Params>& supported,
                            const std::vector<Botan::TLS::Group_Params>& shared) const override {
    const auto first_in = [&](const std::vector<Botan::TLS::Group_Params>& theirs) {
      for (const std::uint16_t group : options_.groups)
        if (std::find(theirs.begin(), theirs.end(), Botan::TLS::Group_Params(group)) != theirs.end())
          return Botan::TLS::Group_Params(group);
      return Botan::TLS::Group_Params();
    };
    if (!options_.insist_on_first_group)
      if (const Botan::TLS::Group_Params group = first_in(shared); group != Botan::TLS::Group_Params())
        return group;
    return first_in(supported);
  }

  std::vector<Botan::TLS::Signature_Scheme> allowed_signature_schemes() const override {
    if (options_.signature_schemes.empty())
      return Botan::TLS::Policy::allowed_signature_schemes();
    std::vector<Botan::TLS::Signature_Scheme> schemes;
    for (const std::uint16_t scheme : options_.signature_schemes)
      schemes.emplace_back(scheme);
    return schemes;
  }
  std::vector<Botan::TLS::Signature_Scheme> acceptable_signature_schemes() const override {
    return allowed_signature_schemes();
  }

  bool request_client_certificate_authentication() const override {
    return options_.request_client_certificate || options_.require_client_certificate;
  }
  bool require_client_certificate_authentication() const override { return options_.require_client_certificate; }
  std::size_t new_session_tickets_upon_handshake_success() const override { return options_.tickets; }
  bool tls_13_middlebox_compatibility_mode() const override { return options_.always_change_cipher_spec; }
  std::optional<std::uint16_t> record_size_limit() const override { return options_.record_size_limit; }
  /// Tests send many on purpose.
  std::uint64_t minimum_key_update_interval_ms() const override { return 0; }
  /// Tests use small keys where nothing depends on them.
  std::size_t minimum_rsa_bits() const override { return 1'024; }

private:
  BotanServerOptions options_;
};

class Credentials final : public Botan::Credentials_Manager {
public:
  explicit Credentials(const BotanServerOptions& options) : psks_(options.psks) {
    for (const std::vector<std::uint8_t>& der : options.chain)
      chain_.emplace_back(der);
    if (chain_.empty())
      throw std::invalid_argument("BotanServerOptions: no certificate");
    Botan::DataSource_Memory source(options.key);
    key_ = Botan::PKCS8::load_key(source);
  }

  std::vector<Botan::X509_Certificate> find_cert_chain(const std::vector<std::string>& key_types,
                                                       const std::vector<Botan::AlgorithmIdentifier>& /*schemes*/,
                                                       const std::vector<Botan::X509_DN>& /*issuers*/,
                                                       const std::string& type,
                                                       const std::string& /*context*/) override {
    const bool fits = std::find(key_types.begin(), key_types.end(), key_->algo_name()) != key_types.end();
    return type == "tls-server" && fits ? chain_ : std::vector<Botan::X509_Certificate>();
  }
  std::shared_ptr<Botan::Private_Key> private_key_for(const Botan::X509_Certificate& certificate,
                                                      const std::string& /*type*/,
                                                      const std::string& /*context*/) override {
    return certificate == chain_.front() ? key_ : nullptr;
  }
  std::vector<Botan::TLS::ExternalPSK> find_preshared_keys(std::string_view /*host*/,
                                                           Botan::TLS::Connection_Side /*side*/,
                                                           const std::vector<std::string>& identities,
                                                           const std::optional<std::string>& hash) override {
    std::vector<Botan::TLS::ExternalPSK> found;
    for (const BotanPsk& psk : psks_)
      if ((!hash || *hash == psk.hash) &&
          (identities.empty() || std::find(identities.begin(), identities.end(), psk.identity) != identities.end()))
        found.emplace_back(psk.identity, psk.hash, Botan::secure_vector<std::uint8_t>(psk.key.begin(), psk.key.end()),
                           psk.imported);
    return found;
  }

private:
  std::vector<BotanPsk> psks_;
  std::vector<Botan::X509_Certificate> chain_;
  std::shared_ptr<Botan::Private_Key> key_;
};

/// The group in a ServerHello's key_share; 0 when there is none. (Botan wrote these bytes, so they are well-formed; its
/// headers that would take them apart are on their way to becoming internal.)
inline std::uint16_t selected_group(const std::vector<std::uint8_t>& hello) {
  const auto at = [&](std::size_t place) { return static_cast<unsigned>(place < hello.size() ? hello[place] : 0); };
  const auto pair_at = [&](std::size_t place) { return at(place) << 8 | at(place + 1); };
  constexpr std::size_t session_id = 2 + 32;    // after legacy_version and random
  constexpr std::size_t suite_and_more = 2 + 1; // cipher_suite and legacy_compression_method
  constexpr unsigned key_share = 51;
  std::size_t place = session_id + 1 + at(session_id) + suite_and_more + 2;
  for (; place + 4 <= hello.size(); place += 4 + pair_at(place + 2))
    if (pair_at(place) == key_share)
      return static_cast<std::uint16_t>(pair_at(place + 4));
  return 0;
}

} // namespace botan_server_detail

/// What connections share: parsed credentials, policy, sessions. Not for several threads at once.
class BotanServerContext {
public:
  /// Throws when the credentials cannot be read.
  explicit BotanServerContext(const BotanServerOptions& options)
      : options_(options), policy_(std::make_shared<botan_server_detail::Policy>(options)),
        credentials_(std::make_shared<botan_server_detail::Credentials>(options)), rng_(options.rng) {
    if (!rng_)
      rng_ = std::make_shared<Botan::System_RNG>();
    if (options.tickets > 0)
      sessions_ = std::make_shared<Botan::TLS::Session_Manager_In_Memory>(rng_);
    else
      sessions_ = std::make_shared<Botan::TLS::Session_Manager_Noop>();
  }

  [[nodiscard]] const BotanServerOptions& options() const { return options_; }

private:
  friend class BotanServer;
  BotanServerOptions options_;
  std::shared_ptr<const Botan::TLS::Policy> policy_;
  std::shared_ptr<Botan::Credentials_Manager> credentials_;
  std::shared_ptr<Botan::RandomNumberGenerator> rng_;
  std::shared_ptr<Botan::TLS::Session_Manager> sessions_;
};

/// One connection.
class BotanServer {
public:
  explicit BotanServer(const std::shared_ptr<const BotanServerContext>& context)
      : context_(context), events_(std::make_shared<Events>(context->options())),
        server_(std::make_unique<Botan::TLS::Server>(events_, context->sessions_, context->credentials_,
                                                     context->policy_, context->rng_)) {}
  explicit BotanServer(const BotanServerOptions& options)
      : BotanServer(std::make_shared<const BotanServerContext>(options)) {}

  /// Bytes from the client. False once the connection has failed; failure() says why, and the alert that tells the
  /// client is in take_output().
  bool feed(std::span<const std::uint8_t> bytes) {
    return guarded([&] { (void)server_->received_data(bytes); });
  }
  /// Bytes for the client; empties the queue.
  [[nodiscard]] std::vector<std::uint8_t> take_output() { return std::exchange(events_->output, {}); }
  /// Application data from the client so far; empties the queue.
  [[nodiscard]] std::vector<std::uint8_t> take_received() { return std::exchange(events_->received, {}); }

  /// Application data for the client. False before the handshake is complete, and once the connection has ended.
  bool send(std::span<const std::uint8_t> plaintext) {
    return guarded([&] { server_->send(plaintext); });
  }
  bool send(std::string_view text) {
    return send(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  /// Sends close_notify. Receiving goes on.
  bool close() {
    return guarded([&] { server_->close(); });
  }
  /// Sends a KeyUpdate, and asks for one.
  bool update_keys(bool request_peer_update) {
    return guarded([&] { server_->update_traffic_keys(request_peer_update); });
  }
  /// Sends an alert; `code` from the registry.
  bool send_alert(std::uint8_t code, bool fatal = true) {
    return guarded([&] { server_->send_alert(Botan::TLS::Alert(static_cast<Botan::TLS::AlertType>(code), fatal)); });
  }
  /// Sends tickets now, whether or not the client said that it can use them; how many went out.
  std::size_t send_tickets(std::size_t count) {
    std::size_t sent = 0;
    (void)guarded([&] { sent = server_->send_new_session_tickets(count); });
    return sent;
  }

  [[nodiscard]] bool handshake_complete() const { return events_->activated; }
  /// The client has sent close_notify.
  [[nodiscard]] bool peer_closed() const { return events_->peer_closed; }
  /// Nothing goes either way any more.
  [[nodiscard]] bool closed() const { return server_->is_closed(); }
  /// Why this side ended the connection; empty when it did not.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// The fatal alert that the client sent.
  [[nodiscard]] std::optional<std::uint8_t> alert_received() const { return events_->alert; }

  /// What was negotiated. Version and suite: once the handshake is complete.
  [[nodiscard]] std::uint16_t version() const { return events_->version; }
  [[nodiscard]] std::uint16_t cipher_suite() const { return events_->cipher_suite; }
  [[nodiscard]] std::uint16_t group() const { return events_->group; }
  [[nodiscard]] bool hello_retry_request() const { return events_->hello_retry_request; }
  [[nodiscard]] bool resumed() const { return events_->resumed; }
  [[nodiscard]] std::string alpn() const { return server_->application_protocol(); }
  /// The server name that the client asked for; empty when it did not.
  [[nodiscard]] const std::string& server_name() const { return events_->server_name; }
  /// The client's certificates in DER.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> client_chain() const {
    std::vector<std::vector<std::uint8_t>> chain;
    for (const Botan::X509_Certificate& certificate : server_->peer_cert_chain())
      chain.push_back(certificate.BER_encode());
    return chain;
  }
  /// Keying material exported by this side (RFC 9846, 7.5).
  [[nodiscard]] std::vector<std::uint8_t> exported(std::string_view label, std::string_view context,
                                                   std::size_t size) const {
    const Botan::SymmetricKey key = server_->key_material_export(label, context, size);
    return {key.begin(), key.begin() + key.length()};
  }
  /// The client's first ClientHello as a handshake message, without its header.
  [[nodiscard]] const std::vector<std::uint8_t>& client_hello() const { return events_->client_hello; }

  /// For what is missing here.
  [[nodiscard]] Botan::TLS::Server& botan() { return *server_; }

private:
  /// Gathers what Botan tells.
  struct Events final : Botan::TLS::Callbacks {
    explicit Events(const BotanServerOptions& options)
        : alpn(options.alpn), alpn_required(options.alpn_required), close_when_closed(options.close_when_closed) {}

    std::vector<std::string> alpn;
    bool alpn_required;
    bool close_when_closed;
    std::vector<std::uint8_t> output;
    std::vector<std::uint8_t> received;
    std::vector<std::uint8_t> client_hello;
    std::string server_name;
    std::optional<std::uint8_t> alert;
    std::uint16_t version = 0;
    std::uint16_t cipher_suite = 0;
    std::uint16_t group = 0;
    bool hello_retry_request = false;
    bool resumed = false;
    bool activated = false;
    bool peer_closed = false;

    void tls_emit_data(std::span<const std::uint8_t> data) override {
      output.insert(output.end(), data.begin(), data.end());
    }
    void tls_record_received(std::uint64_t /*number*/, std::span<const std::uint8_t> data) override {
      received.insert(received.end(), data.begin(), data.end());
    }
    void tls_alert(Botan::TLS::Alert what) override {
      if (what.type() == Botan::TLS::Alert::CloseNotify)
        peer_closed = true;
      else if (what.is_fatal())
        alert = static_cast<std::uint8_t>(what.type());
    }
    bool tls_peer_closed_connection() override { return close_when_closed; }
    void tls_session_established(const Botan::TLS::Session_Summary& session) override {
      version = session.version().version_code();
      cipher_suite = session.ciphersuite_code();
      resumed = session.was_resumption();
      server_name = session.server_info().hostname();
    }
    void tls_session_activated() override { activated = true; }
    void tls_verify_cert_chain(const std::vector<Botan::X509_Certificate>& /*chain*/,
                               const std::vector<std::optional<Botan::OCSP::Response>>& /*ocsp*/,
                               const std::vector<Botan::Certificate_Store*>& /*roots*/, Botan::Usage_Type /*usage*/,
                               std::string_view /*host*/, const Botan::TLS::Policy& /*policy*/) override {
      // Any client certificate will do: what is tested is how the client sends it.
    }
    std::string tls_server_choose_app_protocol(const std::vector<std::string>& offered) override {
      for (const std::string& ours : alpn)
        if (std::find(offered.begin(), offered.end(), ours) != offered.end())
          return ours;
      if (!alpn.empty() && alpn_required)
        throw Botan::TLS::TLS_Exception(Botan::TLS::Alert::NoApplicationProtocol, "no common application protocol");
      return {};
    }
    void tls_inspect_handshake_msg(const Botan::TLS::Handshake_Message& message) override {
      switch (message.type()) {
      case Botan::TLS::Handshake_Type::ClientHello:
        if (client_hello.empty())
          client_hello = message.serialize();
        break;
      case Botan::TLS::Handshake_Type::HelloRetryRequest:
        hello_retry_request = true;
        break;
      case Botan::TLS::Handshake_Type::ServerHello:
        group = botan_server_detail::selected_group(message.serialize());
        break;
      default:
        break;
      }
    }
  };

  template <class Action>
  bool guarded(Action&& action) {
    try {
      action();
      return failure_.empty();
    } catch (const std::exception& problem) {
      if (failure_.empty())
        failure_ = problem.what();
      return false;
    }
  }

  std::shared_ptr<const BotanServerContext> context_;
  std::shared_ptr<Events> events_;
  std::unique_ptr<Botan::TLS::Server> server_;
  std::string failure_;
};

} // namespace test
