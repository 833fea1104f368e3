// A server that has the keys and says anything: the client resumes a session, with early data, and what comes under the
// keys of the handshake, or of the connection, is the input.
//
// The first byte says how far the server is honest: until the ClientHello, until its own hello (with the key of the
// session or without) or its EncryptedExtensions, or to the end of the handshake; and whether a HelloRetryRequest comes
// before. The rest are messages: what kind, how long, and that many bytes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/engine.hpp>

#include "deterministic.hpp"
#include "scripted_server.hpp"
#include "test_pki.hpp"

namespace tls = tlsconnect;

namespace {

constexpr std::size_t early_size = 300;
constexpr std::uint32_t early_limit = 200;
constexpr std::int64_t now = 1'000'000'000;

template <class T>
T must(tls::Result<T> result) {
  if (!result)
    std::abort();
  return std::move(*result);
}

tls::Credential make_credential() {
  std::vector<tls::Certificate> chain;
  chain.push_back(must(tls::Certificate::from_der(test::self_signed({.common_name = "client"}).der())));
  return must(tls::Credential::create(
      std::move(chain), std::make_shared<tls::SignLater>(std::vector{tls::SignatureScheme::ecdsa_secp256r1_sha256})));
}

const tls::ServerName& server() {
  static const tls::ServerName name = must(tls::ServerName::parse("server.test"));
  return name;
}

/// A configuration of its own for every input, because it holds the session and the randomness.
tls::ConfigPtr make_config(const test::KnownPsk& psk) {
  static const tls::Credential credential = make_credential();
  auto config = must(tls::ClientConfig::builder()
                         .verifier(std::make_shared<tls::DangerousNoVerification>())
                         .rng(std::make_shared<test::FixedRng>(1))
                         .clock(std::make_shared<test::FixedClock>(now))
                         .hybrid(tls::HybridPolicy::off)
                         .alpn({"h2"})
                         .credentials({credential})
                         .post_handshake_auth(true)
                         .status_request(true)
                         .build());
  tls::Session session;
  session.secret = tls::SessionSecret(psk.key);
  session.ticket = psk.identity;
  session.lifetime = 3'600;
  session.received_at = now;
  session.usable_until = now + 1'000;
  session.max_early_data = early_limit;
  session.server_name = server().text();
  session.trust_identity = tls::to_vector(config->trust_identity());
  config->session_store()->put(tls::session_key(server(), config->trust_identity()), std::move(session));
  return config;
}

class Conversation {
public:
  explicit Conversation(std::uint8_t how)
      : psk_{tls::ByteVector(20, 3), tls::ByteVector(32, 5)}, early_(early_size, 'e'),
        server_({.group = (how & 16) != 0 ? std::optional(tls::NamedGroup::secp256r1) : std::nullopt,
                 .psks = {psk_},
                 .decline_psks = how % 4 == 2,
                 .accept_early_data = (how & 32) == 0,
                 .pass_over_unreadable = true}),
        engine_(make_config(psk_), server(), tls::replay_safe(early_)) {
    to_server();
    if (server_.hello().psks.empty() || server_.early_received().size() != early_limit)
      std::abort();
    if ((how & 16) != 0) {
      server_.run(server_.retry_plan(tls::NamedGroup::secp256r1, tls::ByteVector{1}));
      to_client();
      to_server();
    }
    if (how % 4 == 0)
      return;
    test::Plan plan;
    if (how % 4 == 3) {
      plan = server_.honest_plan();
    } else {
      plan = {test::message_step("ServerHello", tls::HandshakeType::server_hello,
                                 [](test::ScriptedServer& made) { return made.draft_hello().body(); }),
              test::action_step("keys", [](test::ScriptedServer& made) { made.start_handshake_keys(); })};
      if ((how & 64) != 0)
        plan.append(test::message_step("EncryptedExtensions", tls::HandshakeType::encrypted_extensions,
                                       [](test::ScriptedServer& made) { return made.draft_encrypted_extensions(); }));
    }
    server_.run(plan);
    to_client();
    if (engine_.failure())
      std::abort();
    if (how % 4 == 3) {
      to_server();
      honest_ = server_.client_finished();
      if (!honest_)
        std::abort();
    }
  }

  void say(std::uint8_t kind, tls::BytesView content) {
    constexpr auto types = std::to_array<std::uint8_t>({8, 13, 11, 15, 20, 4, 24, 25});
    switch (kind % 16) {
    case 8:
      server_.send_record(tls::ContentType::handshake, content);
      break;
    case 9:
      server_.send_record(tls::ContentType::alert, content);
      break;
    case 10:
    case 11:
      server_.send_record(tls::ContentType::application_data, content);
      break;
    case 12:
      server_.send_change_cipher_spec();
      break;
    case 13:
      server_.send_raw(content);
      break;
    default: {
      const auto type = static_cast<tls::HandshakeType>(types[kind % 8]);
      const bool key_update = type == tls::HandshakeType::key_update && content.size() == 1 && honest_;
      if (key_update)
        server_.send_key_update(content[0]);
      else
        server_.send(type, content);
    }
    }
    to_client();
    drop_output();
  }

  void finish() {
    while (!engine_.plaintext().empty())
      engine_.consume(engine_.plaintext().size());
    engine_.received_end();
    // Who does not finish the handshake gets no connection.
    if (engine_.handshake_complete() != honest_)
      std::abort();
    if (!engine_.failure() && !engine_.truncated() && !engine_.peer_closed())
      std::abort();
    // An answer stays small, and no byte of early data is lost or comes twice.
    if (sent_ > 100'000)
      std::abort();
    const tls::ByteVector back = engine_.take_unaccepted_early_data();
    if (engine_.info().early_data_accepted + back.size() != early_size || !engine_.take_unaccepted_early_data().empty())
      std::abort();
  }

private:
  void to_server() {
    for (tls::BytesView out = engine_.pending_output(); !out.empty(); out = engine_.pending_output()) {
      server_.feed(out);
      engine_.sent(out.size());
    }
  }
  void to_client() {
    const tls::ByteVector bytes = server_.take_output();
    for (tls::BytesView rest = bytes; !rest.empty();) {
      engine_.consume(engine_.plaintext().size());
      if (engine_.awaited() == tls::Interest::signature)
        (void)engine_.give_signature(tls::ByteVector(70));
      const tls::Bytes space = engine_.receive_buffer();
      if (space.empty())
        return;
      const std::size_t count = std::min(space.size(), rest.size());
      tls::copy_bytes(rest.first(count), space);
      rest = rest.subspan(count);
      (void)engine_.received(count);
    }
  }
  /// What the client says to the input is not for the server, which would not understand its own words.
  void drop_output() {
    for (tls::BytesView out = engine_.pending_output(); !out.empty(); out = engine_.pending_output()) {
      sent_ += out.size();
      engine_.sent(out.size());
    }
  }

  test::KnownPsk psk_;
  tls::ByteVector early_;
  test::ScriptedServer server_;
  tls::ClientEngine engine_;
  bool honest_ = false;
  std::size_t sent_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  Conversation conversation(data[0]);
  tls::BytesView rest(data + 1, size - 1);
  while (rest.size() >= 2) {
    const std::uint8_t kind = rest[0];
    const std::size_t count = std::min<std::size_t>(rest[1], rest.size() - 2);
    conversation.say(kind, rest.subspan(2, count));
    rest = rest.subspan(2 + count);
  }
  conversation.finish();
  return 0;
}
