#include "botan_server.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

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
namespace {

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
std::uint16_t selected_group(const std::vector<std::uint8_t>& hello) {
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
      group = selected_group(message.serialize());
      break;
    default:
      break;
    }
  }
};

} // namespace

struct BotanServerContext::Shared {
  explicit Shared(const BotanServerOptions& given)
      : options(given), policy(std::make_shared<Policy>(given)), credentials(std::make_shared<Credentials>(given)),
        rng(given.rng) {
    if (!rng)
      rng = std::make_shared<Botan::System_RNG>();
    if (given.tickets > 0)
      sessions = std::make_shared<Botan::TLS::Session_Manager_In_Memory>(rng);
    else
      sessions = std::make_shared<Botan::TLS::Session_Manager_Noop>();
  }

  BotanServerOptions options;
  std::shared_ptr<const Botan::TLS::Policy> policy;
  std::shared_ptr<Botan::Credentials_Manager> credentials;
  std::shared_ptr<Botan::RandomNumberGenerator> rng;
  std::shared_ptr<Botan::TLS::Session_Manager> sessions;
};

BotanServerContext::BotanServerContext(const BotanServerOptions& options)
    : shared_(std::make_unique<const Shared>(options)) {}
BotanServerContext::~BotanServerContext() = default;

struct BotanServer::Connection {
  explicit Connection(std::shared_ptr<const BotanServerContext> given)
      : context(std::move(given)), events(std::make_shared<Events>(context->shared_->options)),
        tls(events, context->shared_->sessions, context->shared_->credentials, context->shared_->policy,
            context->shared_->rng) {}

  /// Botan throws when it ends a connection; false from then on.
  template <class Action>
  bool guarded(Action&& action) {
    try {
      action();
      return failure.empty();
    } catch (const std::exception& problem) {
      if (failure.empty())
        failure = problem.what();
      return false;
    }
  }

  std::shared_ptr<const BotanServerContext> context;
  std::shared_ptr<Events> events;
  Botan::TLS::Server tls;
  std::string failure;
};

BotanServer::BotanServer(std::shared_ptr<const BotanServerContext> context)
    : connection_(std::make_unique<Connection>(std::move(context))) {}
BotanServer::BotanServer(const BotanServerOptions& options)
    : BotanServer(std::make_shared<const BotanServerContext>(options)) {}
BotanServer::BotanServer(BotanServer&&) noexcept = default;
BotanServer& BotanServer::operator=(BotanServer&&) noexcept = default;
BotanServer::~BotanServer() = default;

bool BotanServer::feed(std::span<const std::uint8_t> bytes) {
  return connection_->guarded([&] { (void)connection_->tls.received_data(bytes); });
}
std::vector<std::uint8_t> BotanServer::take_output() { return std::exchange(connection_->events->output, {}); }
std::vector<std::uint8_t> BotanServer::take_received() { return std::exchange(connection_->events->received, {}); }

bool BotanServer::send(std::span<const std::uint8_t> plaintext) {
  return connection_->guarded([&] { connection_->tls.send(plaintext); });
}
bool BotanServer::send(std::string_view text) {
  return send(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}
bool BotanServer::close() {
  return connection_->guarded([&] { connection_->tls.close(); });
}
bool BotanServer::update_keys(bool request_peer_update) {
  return connection_->guarded([&] { connection_->tls.update_traffic_keys(request_peer_update); });
}
bool BotanServer::send_alert(std::uint8_t code, bool fatal) {
  return connection_->guarded(
      [&] { connection_->tls.send_alert(Botan::TLS::Alert(static_cast<Botan::TLS::AlertType>(code), fatal)); });
}
std::size_t BotanServer::send_tickets(std::size_t count) {
  std::size_t sent = 0;
  (void)connection_->guarded([&] { sent = connection_->tls.send_new_session_tickets(count); });
  return sent;
}

bool BotanServer::handshake_complete() const { return connection_->events->activated; }
bool BotanServer::peer_closed() const { return connection_->events->peer_closed; }
bool BotanServer::closed() const { return connection_->tls.is_closed(); }
const std::string& BotanServer::failure() const { return connection_->failure; }
std::optional<std::uint8_t> BotanServer::alert_received() const { return connection_->events->alert; }

std::uint16_t BotanServer::version() const { return connection_->events->version; }
std::uint16_t BotanServer::cipher_suite() const { return connection_->events->cipher_suite; }
std::uint16_t BotanServer::group() const { return connection_->events->group; }
bool BotanServer::hello_retry_request() const { return connection_->events->hello_retry_request; }
bool BotanServer::resumed() const { return connection_->events->resumed; }
std::string BotanServer::alpn() const { return connection_->tls.application_protocol(); }
const std::string& BotanServer::server_name() const { return connection_->events->server_name; }
std::vector<std::vector<std::uint8_t>> BotanServer::client_chain() const {
  std::vector<std::vector<std::uint8_t>> chain;
  for (const Botan::X509_Certificate& certificate : connection_->tls.peer_cert_chain())
    chain.push_back(certificate.BER_encode());
  return chain;
}
std::vector<std::uint8_t> BotanServer::exported(std::string_view label, std::string_view context,
                                                std::size_t size) const {
  const Botan::SymmetricKey key = connection_->tls.key_material_export(label, context, size);
  return {key.begin(), key.begin() + key.length()};
}
const std::vector<std::uint8_t>& BotanServer::client_hello() const { return connection_->events->client_hello; }

} // namespace test
