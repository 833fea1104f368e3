#include "live_server.hpp"

#include <stdexcept>
#include <utility>

#include "botan_server.hpp"
#include "deterministic.hpp"
#include "test_pki.hpp"

namespace test {
namespace {

const Identity& live_root() {
  static const Identity root = self_signed({.common_name = "Live Root", .ca = true});
  return root;
}

std::shared_ptr<const BotanServerContext> context_for(const LiveOptions& options) {
  static const Identity leaf =
      live_root().issue({.common_name = "server", .dns = {"server.test"}, .ip = {"192.0.2.1", "2001:db8::1"}});
  BotanServerOptions server{.chain = leaf.chain_der(), .key = leaf.key_der()};
  // Without a group that the client sends a share for (see live_config_builder), the server has to ask.
  server.groups = options.retry ? std::vector<std::uint16_t>{23} : std::vector<std::uint16_t>{29, 23};
  server.request_client_certificate = options.request_certificate;
  server.close_when_closed = options.answer_close;
  server.tls12 = options.tls12;
  server.tls13 = !options.tls12;
  server.tickets = 1; // for a store of sessions: without one Botan sends no tickets, also when told to
  return std::make_shared<const BotanServerContext>(server);
}

/// One context for each kind of server: parsing keys anew for every connection would take most of the tests' time.
std::shared_ptr<const BotanServerContext> cached_context(const LiveOptions& options) {
  static std::shared_ptr<const BotanServerContext> contexts[16];
  auto& context = contexts[(options.retry ? 1u : 0u) + (options.request_certificate ? 2u : 0u) +
                           (options.answer_close ? 4u : 0u) + (options.tls12 ? 8u : 0u)];
  if (!context)
    context = context_for(options);
  return context;
}

template <class T>
T must(tlsconnect::Result<T> result) {
  if (!result)
    throw std::runtime_error(result.error().message());
  return std::move(*result);
}

} // namespace

struct LiveServer::Impl {
  BotanServer server;
};

LiveServer::LiveServer(LiveOptions options) : impl_(new Impl{BotanServer(cached_context(options))}) {}
LiveServer::LiveServer(LiveServer&&) noexcept = default;
LiveServer& LiveServer::operator=(LiveServer&&) noexcept = default;
LiveServer::~LiveServer() = default;

bool LiveServer::feed(tlsconnect::BytesView bytes) { return impl_->server.feed(bytes); }
tlsconnect::ByteVector LiveServer::take_output() { return impl_->server.take_output(); }
tlsconnect::ByteVector LiveServer::take_received() { return impl_->server.take_received(); }
bool LiveServer::send(std::string_view text) { return impl_->server.send(text); }
bool LiveServer::send(tlsconnect::BytesView bytes) { return impl_->server.send(bytes); }
bool LiveServer::close() { return impl_->server.close(); }
bool LiveServer::update_keys(bool request_peer_update) { return impl_->server.update_keys(request_peer_update); }
bool LiveServer::send_alert(std::uint8_t code, bool fatal) { return impl_->server.send_alert(code, fatal); }
std::size_t LiveServer::send_tickets(std::size_t count) { return impl_->server.send_tickets(count); }
bool LiveServer::handshake_complete() const { return impl_->server.handshake_complete(); }
bool LiveServer::peer_closed() const { return impl_->server.peer_closed(); }
std::optional<std::uint8_t> LiveServer::alert_received() const { return impl_->server.alert_received(); }
const std::string& LiveServer::failure() const { return impl_->server.failure(); }
const std::string& LiveServer::server_name() const { return impl_->server.server_name(); }

tlsconnect::ClientConfig::Builder live_config_builder() {
  auto builder = tlsconnect::ClientConfig::builder();
  builder.trust(must(tlsconnect::TrustAnchors::from_pem(live_root().pem())))
      .hybrid(tlsconnect::HybridPolicy::off)
      .clock(std::make_shared<FixedClock>(FixedClock::from_seconds(now)));
  return builder;
}

tlsconnect::ConfigPtr live_config() {
  static const tlsconnect::ConfigPtr config = must(live_config_builder().build());
  return config;
}

tlsconnect::ServerName live_name(std::string_view text) { return must(tlsconnect::ServerName::parse(text)); }

} // namespace test
