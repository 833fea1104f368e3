// This library as a benchmark's client.
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include <tlsconnect/tlsconnect.hpp>

#include "clients.hpp"
#include "support.hpp"

namespace bench {

namespace {

namespace tls = tlsconnect;

class OurClient final : public Client {
public:
  OurClient(const tls::ConfigPtr& config, const tls::ServerName& name) : config_(&config), name_(&name) {}

  bool start() override {
    engine_.emplace(*config_, *name_);
    return engine_->failure() == nullptr;
  }
  bool receive(View bytes) override {
    while (!bytes.empty()) {
      const tls::Bytes space = engine_->receive_buffer();
      if (space.empty())
        return false;
      const std::size_t count = std::min(space.size(), bytes.size());
      tls::copy_bytes(bytes.first(count), space);
      if (!engine_->received(count))
        return false;
      bytes = bytes.subspan(count);
    }
    return true;
  }
  bool complete() const override { return engine_->handshake_complete(); }
  View output() override { return engine_->pending_output(); }
  void sent() override { engine_->sent(engine_->pending_output().size()); }
  void rest() override { engine_->release_buffers(); }
  std::size_t benchmark_bytes() override { return block_size(this); }
  std::string problem() const override {
    return engine_ && engine_->failure() ? engine_->failure()->message() : std::string();
  }

private:
  const tls::ConfigPtr* config_;
  const tls::ServerName* name_;
  std::optional<tls::ClientEngine> engine_;
};

class OurLibrary final : public Library {
public:
  OurLibrary(tls::ConfigPtr config, tls::ServerName name) : config_(std::move(config)), name_(std::move(name)) {}
  std::unique_ptr<Client> connect() override { return std::make_unique<OurClient>(config_, name_); }

private:
  tls::ConfigPtr config_;
  tls::ServerName name_;
};

std::unique_ptr<Library> make(const ClientSetup& setup) {
  auto anchors = tls::TrustAnchors::from_der(setup.root_der);
  auto name = tls::ServerName::parse(setup.server_name);
  if (!anchors || !name)
    throw std::runtime_error("tlsconnect: bad setup");
  const auto group = static_cast<tls::NamedGroup>(setup.group);
  auto config = tls::ClientConfig::builder()
                    .trust(std::move(*anchors))
                    .verified_chain_cache(setup.remember ? tls::VerifiedChainCache::create() : nullptr)
                    .groups({group})
                    .key_shares({group})
                    .cipher_suites({static_cast<tls::CipherSuite>(setup.suite)})
                    .build();
  if (!config)
    throw std::runtime_error("tlsconnect: " + config.error().message());
  return std::make_unique<OurLibrary>(std::move(*config), std::move(*name));
}

} // namespace

LibraryEntry tlsconnect_library() { return {"tlsconnect " TLSCONNECT_VERSION_STRING, make}; }

} // namespace bench
