// Botan's own TLS client.
#include <stdexcept>
#include <utility>

#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/system_rng.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_client.h>
#include <botan/tls_policy.h>
#include <botan/tls_session_manager_noop.h>
#include <botan/version.h>
#include <botan/x509cert.h>

#include "clients.hpp"
#include "support.hpp"

namespace bench {

namespace {

class Policy final : public Botan::TLS::Policy {
public:
  explicit Policy(const ClientSetup& setup) : group_(setup.group), suite_(setup.suite) {}
  bool allow_tls12() const override { return false; }
  bool allow_tls13() const override { return true; }
  bool require_cert_revocation_info() const override { return false; } // nor do the others
  std::vector<std::uint16_t> ciphersuite_list(Botan::TLS::Protocol_Version) const override { return {suite_}; }
  std::vector<Botan::TLS::Group_Params> key_exchange_groups() const override { return {group_}; }
  std::vector<Botan::TLS::Group_Params> key_exchange_groups_to_offer() const override { return {group_}; }

private:
  Botan::TLS::Group_Params group_;
  std::uint16_t suite_;
};

class Credentials final : public Botan::Credentials_Manager {
public:
  explicit Credentials(const ClientSetup& setup) : roots_(Botan::X509_Certificate(setup.root_der)) {}
  std::vector<Botan::Certificate_Store*> trusted_certificate_authorities(const std::string& /*type*/,
                                                                         const std::string& /*context*/) override {
    return {&roots_};
  }

private:
  Botan::Certificate_Store_In_Memory roots_;
};

struct Shared {
  explicit Shared(const ClientSetup& setup)
      : name(setup.server_name), policy(std::make_shared<Policy>(setup)),
        credentials(std::make_shared<Credentials>(setup)) {}
  std::string name;
  std::shared_ptr<const Botan::TLS::Policy> policy;
  std::shared_ptr<Botan::Credentials_Manager> credentials;
  std::shared_ptr<Botan::TLS::Session_Manager> sessions = std::make_shared<Botan::TLS::Session_Manager_Noop>();
  std::shared_ptr<Botan::RandomNumberGenerator> rng = std::make_shared<Botan::System_RNG>();
};

class BotanClient final : public Client {
public:
  explicit BotanClient(const Shared& shared) : shared_(&shared) {}

  bool start() override {
    return guarded([&] {
      events_ = std::make_shared<Events>();
      client_ = std::make_unique<Botan::TLS::Client>(events_, shared_->sessions, shared_->credentials, shared_->policy,
                                                     shared_->rng, Botan::TLS::Server_Information(shared_->name),
                                                     Botan::TLS::Protocol_Version::TLS_V13);
    });
  }
  bool receive(View bytes) override {
    return guarded([&] { (void)client_->received_data(bytes); });
  }
  bool complete() const override { return client_->is_handshake_complete(); }
  View output() override { return events_->output; }
  void sent() override { events_->output.clear(); }
  void rest() override { events_->output = {}; }
  std::size_t benchmark_bytes() override { return block_size(this); }
  std::string problem() const override { return problem_; }

private:
  struct Events final : Botan::TLS::Callbacks {
    std::vector<std::uint8_t> output;
    void tls_emit_data(View data) override { output.insert(output.end(), data.begin(), data.end()); }
    void tls_record_received(std::uint64_t /*number*/, View /*data*/) override {}
    void tls_alert(Botan::TLS::Alert /*alert*/) override {}
  };
  template <class Action>
  bool guarded(Action&& action) {
    try {
      action();
      return true;
    } catch (const std::exception& problem) {
      problem_ = problem.what();
      return false;
    }
  }

  const Shared* shared_;
  std::shared_ptr<Events> events_;
  std::unique_ptr<Botan::TLS::Client> client_;
  std::string problem_;
};

class BotanLibrary final : public Library {
public:
  explicit BotanLibrary(const ClientSetup& setup) : shared_(setup) {}
  std::unique_ptr<Client> connect() override { return std::make_unique<BotanClient>(shared_); }

private:
  Shared shared_;
};

std::unique_ptr<Library> make(const ClientSetup& setup) { return std::make_unique<BotanLibrary>(setup); }

} // namespace

LibraryEntry botan_library() { return {"Botan's TLS " + Botan::short_version_string(), make}; }

} // namespace bench
