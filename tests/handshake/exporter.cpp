// What leaves a connection besides data: exported keying material, channel bindings and the key log; and KeyUpdate at
// the caller's wish. The expected secrets are computed here from the key exchange and the messages, with HMAC and SHA-2
// alone.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <botan/hash.h>
#include <botan/mac.h>

#include <tlsconnect/client/key_log.hpp>

#include "credentials.hpp"

using namespace test;

namespace {

// ---- the key schedule once more (RFC 9846, 7.1) ----

struct Schedule {
  std::string hash; ///< Botan's name

  [[nodiscard]] ByteVector digest(BytesView data) const {
    const auto function = Botan::HashFunction::create_or_throw(hash);
    function->update(data.data(), data.size());
    ByteVector out(function->output_length());
    function->final(out.data());
    return out;
  }
  [[nodiscard]] ByteVector hmac(BytesView key, BytesView data) const {
    const auto mac = Botan::MessageAuthenticationCode::create_or_throw("HMAC(" + hash + ")");
    mac->set_key(key.data(), key.size());
    mac->update(data.data(), data.size());
    ByteVector out(mac->output_length());
    mac->final(out.data());
    return out;
  }
  [[nodiscard]] std::size_t length() const { return digest({}).size(); }
  [[nodiscard]] ByteVector expand_label(BytesView secret, std::string_view label, BytesView context,
                                        std::size_t size) const {
    ByteVector info = {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size),
                       static_cast<std::uint8_t>(6 + label.size())};
    append(info, tlsconnect::as_bytes("tls13 "));
    append(info, tlsconnect::as_bytes(label));
    info.push_back(static_cast<std::uint8_t>(context.size()));
    append(info, context);
    // RFC 5869, 2.3
    ByteVector out;
    ByteVector block;
    for (std::uint8_t counter = 1; out.size() < size; ++counter) {
      ByteVector input = block;
      append(input, info);
      input.push_back(counter);
      block = hmac(secret, input);
      append(out, block);
    }
    out.resize(size);
    return out;
  }
  [[nodiscard]] ByteVector derive(BytesView secret, std::string_view label, BytesView transcript_hash) const {
    return expand_label(secret, label, transcript_hash, length());
  }
  [[nodiscard]] ByteVector exported(BytesView exporter, std::string_view label, BytesView context,
                                    std::size_t size) const {
    return expand_label(derive(exporter, label, digest({})), "exporter", digest(context), size);
  }
};

/// A connection and the secrets that it must have.
struct Watched {
  explicit Watched(CipherSuite suite, bool retry = false, std::shared_ptr<tlsconnect::KeyLog> log = nullptr)
      : schedule{suite == CipherSuite::aes_256_gcm_sha384 ? "SHA-384" : "SHA-256"},
        talk({.server = {.suite = suite}, .configure = [log](auto& builder) {
                builder.groups({NamedGroup::x25519, NamedGroup::secp256r1}).key_log(log);
              }}) {
    if (retry) {
      talk.retry(NamedGroup::secp256r1);
      talk.plan = talk.server.honest_plan();
    }
    talk.plan.after("ServerHello", action_step("note", [this](ScriptedServer& server) {
                      hello_hash = tlsconnect::to_vector(server.transcript().view());
                      shared = server.shared_secret();
                    }));
    talk.plan.after("Finished", action_step("note", [this](ScriptedServer& server) {
                      finished_hash = tlsconnect::to_vector(server.transcript().view());
                    }));
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());

    const ByteVector zeros(schedule.length());
    const ByteVector nothing = schedule.digest({});
    const ByteVector early = schedule.hmac(zeros, zeros);
    const ByteVector handshake = schedule.hmac(schedule.derive(early, "derived", nothing), shared);
    client_handshake = schedule.derive(handshake, "c hs traffic", hello_hash);
    server_handshake = schedule.derive(handshake, "s hs traffic", hello_hash);
    const ByteVector main = schedule.hmac(schedule.derive(handshake, "derived", nothing), zeros);
    client_traffic = schedule.derive(main, "c ap traffic", finished_hash);
    server_traffic = schedule.derive(main, "s ap traffic", finished_hash);
    exporter = schedule.derive(main, "exp master", finished_hash);
  }

  Schedule schedule;
  Talk talk;
  ByteVector hello_hash, finished_hash, shared;
  ByteVector client_handshake, server_handshake, client_traffic, server_traffic, exporter;
};

constexpr CipherSuite suites[] = {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                  CipherSuite::chacha20_poly1305_sha256};

ByteVector exported(const Talk& talk, std::string_view label, BytesView context, std::size_t size) {
  ByteVector out(size);
  REQUIRE(talk.client.export_keying_material(label, context, out));
  return out;
}
ErrorCode export_error(const Talk& talk, std::string_view label, std::size_t size) {
  ByteVector out(size, 0x77);
  const auto result = talk.client.export_keying_material(label, {}, out);
  REQUIRE(!result);
  CHECK(out == ByteVector(size, 0x77));
  return result.error().code();
}

} // namespace

TEST_CASE("exporters: as computed from the key exchange and the messages", "[exporter]") {
  for (const CipherSuite suite : suites)
    for (const bool retry : {false, true}) {
      CAPTURE(name_of(suite), retry);
      const Watched watched(suite, retry);
      const Schedule& schedule = watched.schedule;
      const ByteVector long_context(70'000, 5);
      for (const std::string& label :
           {std::string("EXPERIMENTAL one"), std::string("E"), std::string(249, 'x'), std::string()})
        for (const BytesView context : {BytesView(), BytesView(watched.shared), BytesView(long_context)})
          for (const std::size_t size :
               {std::size_t{1}, std::size_t{32}, std::size_t{48}, std::size_t{1'000}, 255 * schedule.length()})
            CHECK(exported(watched.talk, label, context, size) ==
                  schedule.exported(watched.exporter, label, context, size));
    }
}

TEST_CASE("exporters: the same at all times of the connection", "[exporter]") {
  Watched watched(CipherSuite::aes_128_gcm_sha256);
  Talk& talk = watched.talk;
  const ByteVector at_first = exported(talk, "EXPERIMENTAL", {}, 32);
  REQUIRE(talk.client.update_keys(true));
  talk.exchange();
  talk.server.send_key_update(1);
  talk.exchange();
  CHECK(exported(talk, "EXPERIMENTAL", {}, 32) == at_first);
  REQUIRE(talk.client.close_notify());
  CHECK(exported(talk, "EXPERIMENTAL", {}, 32) == at_first);
}

TEST_CASE("exporters: what cannot be exported", "[exporter]") {
  Talk talk;
  CHECK(export_error(talk, "EXPERIMENTAL", 32) == ErrorCode::export_not_available); // too early
  CHECK(!talk.client.tls_exporter());
  CHECK(!talk.client.tls_server_end_point());
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(export_error(talk, std::string(250, 'x'), 32) == ErrorCode::export_not_available);
  CHECK(export_error(talk, "EXPERIMENTAL", 0) == ErrorCode::export_not_available);
  CHECK(export_error(talk, "EXPERIMENTAL", 255 * 32 + 1) == ErrorCode::export_not_available);
  CHECK(!talk.client.failure());
  // No pre-shared key was offered.
  ByteVector out(32);
  const auto early = talk.client.export_early_keying_material("EXPERIMENTAL", {}, out);
  CHECK((!early && early.error().code() == ErrorCode::export_not_available));
  // RFC 9846, 6.2: a failed connection has forgotten its secrets.
  talk.server.send_raw(ByteVector{99, 3, 3, 0, 1, 0});
  talk.exchange();
  REQUIRE(talk.client.failure());
  CHECK(export_error(talk, "EXPERIMENTAL", 32) == ErrorCode::export_not_available);
}

// ---- channel bindings ----

TEST_CASE("tls-exporter", "[exporter][binding]") {
  for (const CipherSuite suite : suites) {
    const Watched watched(suite);
    // RFC 9266, 2
    CHECK(value_of(watched.talk.client.tls_exporter()) ==
          watched.schedule.exported(watched.exporter, "EXPORTER-Channel-Binding", {}, 32));
  }
}

TEST_CASE("tls-server-end-point", "[exporter][binding]") {
  const auto binding = [](const Identity& identity) {
    Talk talk({.server = {.identity = identity}});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    return talk.client.tls_server_end_point();
  };
  const auto digest = [](const std::string& hash, const Identity& identity) {
    return Schedule{hash}.digest(identity.der());
  };
  // RFC 5929, 4.1: the hash of the signature on the certificate, whatever its own key is.
  const Identity sha256 = server_identity(KeyType::ed25519);
  CHECK(value_of(binding(sha256)) == digest("SHA-256", sha256));
  const Identity p384_root =
      self_signed({.common_name = "P-384", .key_type = KeyType::p384, .ca = true, .hash = "SHA-384"});
  const Identity sha384 = p384_root.issue({.common_name = "server", .dns = {"server.test"}, .hash = "SHA-384"});
  CHECK(value_of(binding(sha384)) == digest("SHA-384", sha384));
  const Identity ed_root = self_signed({.common_name = "Ed", .key_type = KeyType::ed25519, .ca = true});
  const auto none = binding(ed_root.issue({.common_name = "server", .dns = {"server.test"}}));
  CHECK((!none && none.error().code() == ErrorCode::export_not_available));
}

TEST_CASE("tls-server-end-point: not of a raw public key", "[exporter][binding][raw_public_key]") {
  const Key& key = server_identity().key();
  const auto pins =
      value_of(tlsconnect::PinnedPublicKeys::create({value_of(tlsconnect::PublicKey::from_spki(key.public_der()))}));
  Talk talk({.configure = [&](auto& builder) { builder.raw_public_keys(pins); }});
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, {2});
  talk.plan["Certificate"].edit_certificate([&](CertificateDraft& draft) { draft.entries = {{key.public_der(), {}}}; });
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  const auto binding = talk.client.tls_server_end_point();
  CHECK((!binding && binding.error().code() == ErrorCode::export_not_available));
  CHECK(talk.client.tls_exporter());
}

// ---- the key log (RFC 9850) ----

namespace {

class KeptLog final : public tlsconnect::KeyLog {
public:
  void write(std::string_view line) noexcept override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

std::string hex(BytesView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes)
    for (const int digit : {byte >> 4, byte & 15})
      text += "0123456789abcdef"[digit];
  return text;
}

} // namespace

TEST_CASE("key log: each secret of the connection, once", "[key_log]") {
  for (const CipherSuite suite : suites)
    for (const bool retry : {false, true}) {
      CAPTURE(name_of(suite), retry);
      const auto log = std::make_shared<KeptLog>();
      const Watched watched(suite, retry, log);
      const std::string random = hex(watched.talk.server.hellos().front().fields.random);
      const auto line = [&](const std::string& label, const ByteVector& secret) {
        return label + " " + random + " " + hex(secret);
      };
      const std::multiset<std::string> expected = {
          line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", watched.client_handshake),
          line("SERVER_HANDSHAKE_TRAFFIC_SECRET", watched.server_handshake),
          line("CLIENT_TRAFFIC_SECRET_0", watched.client_traffic),
          line("SERVER_TRAFFIC_SECRET_0", watched.server_traffic),
          line("EXPORTER_SECRET", watched.exporter),
      };
      CHECK(std::multiset<std::string>(log->lines.begin(), log->lines.end()) == expected);
    }
}

TEST_CASE("key log: what there is when it ends early", "[key_log]") {
  const auto lines = [](auto change) {
    const auto log = std::make_shared<KeptLog>();
    Talk talk({.configure = [log](auto& builder) { builder.key_log(log); }});
    change(talk.plan);
    talk.handshake();
    CHECK(talk.client.failure());
    return log->lines.size();
  };
  CHECK(lines([](Plan& plan) { plan["ServerHello"].edit_hello([](HelloDraft& hello) { hello.compression = 1; }); }) ==
        0);
  CHECK(lines([](Plan& plan) { plan["EncryptedExtensions"].replace({}); }) == 2);
  // The keys for data are never shown to be the server's.
  CHECK(lines([](Plan& plan) { plan["Finished"].edit([](ByteVector& body) { body[0] ^= 1; }); }) == 2);
}

// ---- KeyUpdate at the caller's wish (RFC 9846, 4.6.3) ----

namespace {

constexpr std::uint8_t not_requested = 0;
constexpr std::uint8_t requested = 1;

std::vector<std::uint8_t> updates_of(const Talk& talk) {
  std::vector<std::uint8_t> updates;
  for (const SeenMessage& message : talk.server.messages())
    if (message.type == HandshakeType::key_update)
      updates.push_back(message.body.at(0));
  return updates;
}
void say(Talk& talk, std::string_view text) {
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes(text)));
  talk.exchange();
}
using Updates = std::vector<std::uint8_t>;

} // namespace

TEST_CASE("update_keys: this side's key, at once", "[key_update]") {
  Talk talk;
  const auto early = talk.client.update_keys(false);
  CHECK((!early && early.error().code() == ErrorCode::not_connected));
  CHECK(!talk.client.failure());
  talk.handshake();
  for (unsigned i = 0; i < 5; ++i) {
    say(talk, "x");
    CHECK(talk.server.records().back().key == 2 + i);
    REQUIRE(talk.client.update_keys(false));
    talk.exchange();
    // The message itself is under the old key.
    CHECK(talk.server.records().back().type == ContentType::handshake);
    CHECK(talk.server.records().back().key == 2 + i);
  }
  say(talk, "y");
  CHECK(talk.server.records().back().key == 7);
  CHECK(updates_of(talk) == Updates(5, not_requested));
  CHECK(tlsconnect::as_text(talk.server.received()) == "xxxxxy");
  REQUIRE(talk.client.close_notify());
  const auto late = talk.client.update_keys(false);
  CHECK((!late && late.error().code() == ErrorCode::write_side_closed));
  CHECK(!talk.client.failure());
  talk.exchange();
  CHECK(updates_of(talk).size() == 5);
}

TEST_CASE("update_keys: the server is asked once, until it answers", "[key_update]") {
  Talk talk;
  talk.handshake();
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = updates_of(talk).size();
    for (int i = 0; i < 3; ++i)
      REQUIRE(talk.client.update_keys(true));
    talk.exchange();
    Updates sent = updates_of(talk);
    sent.erase(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(before));
    CHECK(sent == Updates{requested, not_requested, not_requested});
    // Data is no answer.
    talk.server.send_data("d");
    talk.exchange();
    REQUIRE(talk.client.update_keys(true));
    talk.exchange();
    CHECK(updates_of(talk).back() == not_requested);
    // This is; and what requests nothing is not answered.
    talk.server.send_key_update(not_requested);
    talk.exchange();
    say(talk, "m");
    CHECK(updates_of(talk).size() == before + 4);
  }
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("an answer to KeyUpdate is owed once, and paid before data", "[key_update]") {
  Talk talk;
  talk.handshake();
  for (int i = 0; i < 3; ++i)
    talk.server.send_key_update(requested);
  talk.server.send_data("d");
  talk.exchange();
  CHECK(updates_of(talk).empty()); // nothing to send it with
  say(talk, "1");
  CHECK(updates_of(talk) == Updates{not_requested});
  CHECK(talk.server.records().back().key == 3);
  say(talk, "2");
  CHECK(updates_of(talk).size() == 1);
  CHECK(talk.server.records().back().key == 3);
  // The caller's own update pays it too.
  talk.server.send_key_update(requested);
  talk.exchange();
  REQUIRE(talk.client.update_keys(false));
  say(talk, "3");
  CHECK(updates_of(talk).size() == 2);
  CHECK(talk.server.records().back().key == 4);
  CHECK(tlsconnect::as_text(talk.server.received()) == "123");
  // One that is owed at the end stays owed.
  talk.server.send_key_update(requested);
  talk.exchange();
  REQUIRE(talk.client.close_notify());
  talk.exchange();
  CHECK(updates_of(talk).size() == 2);
  CHECK(!talk.client.failure());
}
