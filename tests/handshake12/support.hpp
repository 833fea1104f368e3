// What the tests of TLS 1.2 say beside what those of TLS 1.3 say.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/client/psk.hpp>

#include "../handshake/sessions.hpp"
#include "scripted_server12.hpp"

namespace test {

inline constexpr CipherSuite ecdsa_aes128 = CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256;
inline constexpr CipherSuite ecdsa_aes256 = CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384;
inline constexpr CipherSuite ecdsa_chacha = CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256;
inline constexpr CipherSuite rsa_aes128 = CipherSuite::ecdhe_rsa_aes_128_gcm_sha256;
inline constexpr CipherSuite rsa_aes256 = CipherSuite::ecdhe_rsa_aes_256_gcm_sha384;
inline constexpr CipherSuite rsa_chacha = CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256;

/// The ServerHello announces no renegotiation_info, no ticket, …: what is left of it when nothing was negotiated.
template <class Change>
[[nodiscard]] Outcome handshake12_with(Change&& change, TalkOptions12 options = {}) {
  Talk12 talk(std::move(options));
  change(talk.plan);
  talk.handshake();
  return outcome_of(talk);
}

/// Connects, lets the server do something, and says what came of it.
template <class Action>
[[nodiscard]] Outcome after_handshake12(Action&& action, TalkOptions12 options = {}) {
  Talk12 talk(std::move(options));
  talk.handshake();
  CHECK(talk.outcome() == connected());
  action(talk);
  return outcome_of(talk);
}

/// Both versions are offered.
inline void both_versions(tlsconnect::ClientConfig::Builder& builder) {
  builder.versions({ProtocolVersion::tls1_3, ProtocolVersion::tls1_2});
}
inline void without_extended_main_secret(tlsconnect::ClientConfig::Builder& builder) {
  builder.require_extended_main_secret(false);
}

/// A client over several connections of TLS 1.2: its clock and its sessions.
struct Client12 {
  std::shared_ptr<FixedClock> clock = std::make_shared<FixedClock>(FixedClock::from_seconds(now));
  std::shared_ptr<OpenStore> store = std::make_shared<OpenStore>();
  std::function<void(tlsconnect::ClientConfig::Builder&)> configure = {};
  std::string name = "server.test";
  bool quick = true;
  std::uint64_t seed = 1;

  [[nodiscard]] Talk12 talk(ServerOptions12 server = {}) const {
    return Talk12({.server = std::move(server),
                   .name = name,
                   .configure =
                       [this](tlsconnect::ClientConfig::Builder& builder) {
                         builder.clock(clock).session_store(store);
                         if (configure)
                           configure(builder);
                       },
                   .quick = quick,
                   .seed = seed});
  }
  /// Connects to a server that offers to resume as its options say; returns what it has to know then.
  [[nodiscard]] KnownSession establish(const ServerOptions12& server) const {
    Talk12 first = talk(server);
    first.handshake();
    CHECK(outcome_of(first) == connected());
    return first.server.session();
  }
};

/// Two ways to resume.
inline ServerOptions12 by_id() { return {.session_id = ByteVector(32, 0x1D)}; }
inline ServerOptions12 by_ticket() { return {.ticket = ByteVector(100, 0x71)}; }

/// A client that has a session of the server, and the server's options to resume it.
struct Returning12 {
  Client12 client;
  KnownSession session;
  ServerOptions12 server;

  explicit Returning12(const ServerOptions12& options, Client12 made = {})
      : client(std::move(made)), session(client.establish(options)) {
    server.sessions = {session};
    server.extended_main_secret = options.extended_main_secret;
  }
  [[nodiscard]] Talk12 talk() const { return client.talk(server); }
  /// The outcome of resuming with a server that does something else.
  template <class Change>
  [[nodiscard]] Outcome resume_with(Change&& change) {
    Talk12 again = talk();
    REQUIRE(again.server.resumed() != nullptr);
    change(again.plan);
    again.handshake();
    return outcome_of(again);
  }
};

/// A key that both sides have.
inline ByteVector shared_psk() { return ByteVector(32, 0xA7); }
inline auto with_psk(std::vector<CipherSuite> suites, HashAlgorithm hash = HashAlgorithm::sha256) {
  return [suites = std::move(suites), hash](tlsconnect::ClientConfig::Builder& builder) {
    builder.cipher_suites(suites).external_psks(
        {value_of(tlsconnect::ExternalPsk::create(tlsconnect::as_bytes("client"), shared_psk(), hash))});
  };
}

} // namespace test
