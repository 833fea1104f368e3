#include "odr_server.hpp"

#include "botan_server.hpp"
#include "test_pki.hpp"

struct OdrServer::Impl {
  test::Identity root = test::self_signed({.common_name = "Root", .ca = true});
  test::Identity leaf = root.issue({.common_name = "server", .dns = {"server.tlsconnect.test"}});
  test::BotanServer server{test::BotanServerOptions{.chain = leaf.chain_der(), .key = leaf.key_der()}};
};

OdrServer::OdrServer() : impl_(std::make_unique<Impl>()) {}
OdrServer::~OdrServer() = default;
void OdrServer::feed(std::span<const std::uint8_t> bytes) { (void)impl_->server.feed(bytes); }
std::vector<std::uint8_t> OdrServer::take_output() { return impl_->server.take_output(); }
std::string OdrServer::take_received() {
  const std::vector<std::uint8_t> data = impl_->server.take_received();
  return {data.begin(), data.end()};
}
bool OdrServer::send(std::string_view text) { return impl_->server.send(text); }
const std::vector<std::uint8_t>& OdrServer::root() const { return impl_->root.der(); }
std::int64_t OdrServer::time() { return test::now; }
