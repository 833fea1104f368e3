// Several connections of one client, so that what a server gave in one is used in the next.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/client/session.hpp>

#include "support.hpp"

namespace test {

using tlsconnect::EarlyDataOutcome;
using tlsconnect::HashAlgorithm;
using tlsconnect::PskOrigin;
using tlsconnect::PskUse;
using tlsconnect::Session;

inline ByteVector bytes_of(std::string_view text) { return tlsconnect::to_vector(tlsconnect::as_bytes(text)); }

/// A store that a test can look into; the newest session is given out first.
class OpenStore final : public tlsconnect::SessionStore {
public:
  void put(std::string_view key, Session session) noexcept override { kept.emplace_back(key, std::move(session)); }
  std::optional<Session> take(std::string_view key) noexcept override {
    for (std::size_t i = kept.size(); i-- > 0;)
      if (kept[i].first == key) {
        std::optional<Session> session(std::move(kept[i].second));
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
        return session;
      }
    return std::nullopt;
  }
  void erase(std::string_view key) noexcept override {
    std::erase_if(kept, [&](const auto& entry) { return entry.first == key; });
  }

  std::vector<std::pair<std::string, Session>> kept;
};

/// A client over several connections: its configuration, its clock and its sessions.
struct Client {
  std::shared_ptr<FixedClock> clock = std::make_shared<FixedClock>(FixedClock::from_seconds(now));
  std::shared_ptr<OpenStore> store = std::make_shared<OpenStore>();
  std::function<void(tlsconnect::ClientConfig::Builder&)> configure = {};
  std::string name = "server.test";
  bool quick = true;

  [[nodiscard]] Talk talk(ServerOptions server = {}, std::string early_data = {}, bool later = false) const {
    return Talk({.server = std::move(server),
                 .name = name,
                 .configure =
                     [this](tlsconnect::ClientConfig::Builder& builder) {
                       builder.clock(clock).session_store(store);
                       if (configure)
                         configure(builder);
                     },
                 .quick = quick,
                 .early_data = std::move(early_data),
                 .early_data_later = later});
  }
  /// Connects, and gets one ticket; returns what the server has to know to see it again.
  [[nodiscard]] KnownPsk establish(const TicketDraft& ticket = {}, ServerOptions server = {}) const {
    Talk first = talk(std::move(server));
    first.handshake();
    CHECK(outcome_of(first) == connected());
    const KnownPsk psk = first.server.issue_ticket(ticket);
    first.exchange();
    CHECK(first.outcome() == connected());
    return psk;
  }
};

inline bool offers(const SeenHello& hello, ExtensionType type) {
  return find_extension(hello.extensions, type) != nullptr;
}

inline constexpr CipherSuite aes128 = CipherSuite::aes_128_gcm_sha256;
inline constexpr CipherSuite aes256 = CipherSuite::aes_256_gcm_sha384;
inline constexpr CipherSuite chacha = CipherSuite::chacha20_poly1305_sha256;

/// So that there is something to ask for in a retry.
inline void two_groups(tlsconnect::ClientConfig::Builder& builder) {
  builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
}

/// What the first hello of the next connection offers.
inline std::vector<SeenPsk> next_offer(const Client& client) { return client.talk().server.hello().psks; }

/// A client with one ticket, and the server's options to resume with it.
struct Returning {
  Client client;
  KnownPsk psk;
  ServerOptions server;

  explicit Returning(Client made = {}, const TicketDraft& ticket = {}, ServerOptions options = {})
      : client(std::move(made)), psk(client.establish(ticket, options)), server(std::move(options)) {
    server.psks = {psk};
  }
  [[nodiscard]] Talk talk() const { return client.talk(server); }
  /// The outcome of resuming with a server that does something else.
  template <class Change>
  [[nodiscard]] Outcome resume_with(Change&& change) {
    Talk again = talk();
    REQUIRE(again.server.hello().psks.size() == 1);
    change(again);
    again.handshake();
    return outcome_of(again);
  }
};

/// Application data in both directions.
template <class Server>
void check_data_both_ways(BasicTalk<Server>& talk) {
  talk.server.send_data("from the server");
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("from the client")));
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "from the server");
  CHECK(tlsconnect::as_text(talk.server.received()) == "from the client");
}

} // namespace test
