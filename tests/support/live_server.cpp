#include "live_server.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

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

LiveServer::LiveServer(LiveOptions options) : BotanServer(cached_context(options)) {}

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
