// From a NewSessionTicket to a session (RFC 9846, 4.6.1).
#include "sessions.hpp"

using namespace test;
using tlsconnect::limits::ticket_lifetime;

TEST_CASE("a ticket becomes a session", "[psk][ticket]") {
  Client client{.configure = [](auto& builder) { builder.alpn({"h2", "http/1.1"}); }, .quick = false};
  Talk talk = client.talk({.suite = aes256, .alpn = "http/1.1"});
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(client.store->kept.empty());
  client.clock->advance(1'234);
  const KnownPsk psk = talk.server.issue_ticket(
      {.lifetime = 600, .age_add = 0xDEADBEEF, .nonce = {7}, .ticket = {1, 2, 3, 4, 5}, .max_early_data = 321});
  talk.exchange();
  REQUIRE(client.store->kept.size() == 1);
  const auto& [key, session] = client.store->kept.front();
  const std::int64_t then = FixedClock::from_seconds(now) + 1'234;

  CHECK(session.version == ProtocolVersion::tls1_3);
  CHECK(session.cipher_suite == aes256);
  CHECK(tlsconnect::equal(session.secret.view(), psk.key));
  CHECK(session.secret.size() == 48);
  CHECK(session.ticket == ByteVector{1, 2, 3, 4, 5});
  CHECK(session.session_id.empty());
  CHECK(session.lifetime == 600);
  CHECK(session.age_add == 0xDEADBEEF);
  CHECK(session.received_at == then);
  CHECK(session.max_early_data == 321);
  CHECK(session.server_name == "server.test");
  CHECK(!session.trust_identity.empty());
  CHECK(session.application_protocol == "http/1.1");
  CHECK(session.group == talk.client.info().group);
  CHECK(session.signature_scheme == SignatureScheme::ecdsa_secp256r1_sha256);
  CHECK(!session.raw_public_key);
  REQUIRE(session.peer_chain.size() == 1);
  CHECK(session.peer_chain[0].der == server_identity().der());
  // Seven days after the handshake, not after the ticket.
  CHECK(session.usable_until == FixedClock::from_seconds(now) + std::int64_t{ticket_lifetime} * 1'000);
  CHECK(key == tlsconnect::session_key(value_of(tlsconnect::ServerName::parse("server.test")), session.trust_identity));
  // It is one that can be kept.
  const ByteVector serialised = value_of(session.serialise());
  CHECK(value_of(Session::parse(serialised)).ticket == session.ticket);
}

TEST_CASE("a session ends with the chain that it rests on", "[psk][ticket]") {
  // The anchor's end counts as much as the server's.
  const std::int64_t end = now + 2 * day;
  const Identity leaf = server_root().issue(
      {.common_name = "server", .key = Key::cached(KeyType::p256), .dns = {"server.test"}, .not_after = end});
  for (const bool quick : {true, false}) {
    Client client{.quick = quick};
    const KnownPsk psk = client.establish({.lifetime = ticket_lifetime}, {.identity = leaf});
    REQUIRE(client.store->kept.size() == 1);
    CHECK(client.store->kept[0].second.usable_until == end * 1'000);
    client.clock->set(end * 1'000);
    CHECK(next_offer(client).empty());
  }
}

TEST_CASE("the lifetime of a ticket", "[psk][ticket]") {
  const auto kept_lifetime = [](std::uint32_t lifetime) -> std::optional<std::uint32_t> {
    Client client;
    (void)client.establish({.lifetime = lifetime});
    if (client.store->kept.empty())
      return std::nullopt;
    return client.store->kept[0].second.lifetime;
  };
  CHECK(kept_lifetime(0) == std::nullopt); // RFC 9846, 4.6.1: to be dropped at once
  CHECK(kept_lifetime(1) == 1);
  CHECK(kept_lifetime(604'800) == 604'800);
  CHECK(kept_lifetime(604'801) == 604'800); // never longer than seven days
  CHECK(kept_lifetime(0xFFFF'FFFF) == 604'800);
}

TEST_CASE("several tickets are several sessions", "[psk][ticket]") {
  Client client;
  Talk talk = client.talk();
  talk.handshake();
  std::vector<KnownPsk> psks;
  for (std::uint8_t i = 0; i < 3; ++i)
    psks.push_back(talk.server.issue_ticket({.nonce = {i}, .ticket = ByteVector(4, i)}));
  psks.push_back(talk.server.issue_ticket({.nonce = {}, .ticket = ByteVector(4, 3)}));
  talk.exchange();
  CHECK(outcome_of(talk) == connected());
  REQUIRE(client.store->kept.size() == 4);
  for (std::size_t i = 0; i < psks.size(); ++i) {
    const Session& session = client.store->kept[i].second;
    CHECK(session.ticket == psks[i].identity);
    CHECK(tlsconnect::equal(session.secret.view(), psks[i].key));
    for (std::size_t k = 0; k < i; ++k)
      CHECK(psks[k].key != psks[i].key); // the nonce makes the difference
  }
  // Each serves one connection.
  for (std::size_t left = 4; left > 0; --left) {
    Talk again = client.talk({.psks = psks});
    REQUIRE(again.server.hello().psks.size() == 1);
    CHECK(again.server.hello().psks[0].identity == psks[left - 1].identity);
    again.handshake();
    CHECK(outcome_of(again) == connected());
    CHECK(again.client.info().resumed());
    CHECK(client.store->kept.size() == left - 1);
  }
  CHECK(next_offer(client).empty());
}

TEST_CASE("a ticket that is too large is not kept", "[psk][ticket]") {
  for (const std::size_t over : {std::size_t{0}, std::size_t{1}}) {
    Client client;
    (void)client.establish({.ticket = ByteVector(tlsconnect::limits::ticket + over, 5)});
    CHECK(client.store->kept.size() == 1 - over);
  }
  // The largest is offered, too.
  Returning returning({}, {.ticket = ByteVector(tlsconnect::limits::ticket, 5)});
  CHECK(returning.resume_with([](Talk&) {}) == connected());
}

TEST_CASE("tickets are for clients that resume", "[psk][ticket]") {
  // Without a store, the server is not even asked for tickets (RFC 9846, 4.2.9).
  Talk talk({.configure = [](auto& builder) { builder.session_store(nullptr); }});
  CHECK(!offers(talk.server.hello(), ExtensionType::psk_key_exchange_modes));
  talk.handshake();
  talk.server.send_ticket();
  CHECK(outcome_of(talk) == connected());

  // A verifier without an identity does not want what it judged to be resumed.
  struct Nobody final : tlsconnect::CertificateVerifier {
    tlsconnect::Result<tlsconnect::VerifiedChain> verify(const tlsconnect::PresentedCertificate&,
                                                         const tlsconnect::ServerName&,
                                                         std::int64_t) const noexcept override {
      return tlsconnect::VerifiedChain{};
    }
    tlsconnect::TrustIdentity trust_identity() const override { return {}; }
  };
  Client client{.configure = [](auto& builder) { builder.verifier(std::make_shared<Nobody>()); }};
  (void)client.establish();
  CHECK(client.store->kept.empty());
  // Nor is one offered that the store has from somewhere.
  Client other;
  (void)other.establish();
  Session session = std::move(other.store->kept.at(0).second);
  session.trust_identity.clear();
  client.store->put(tlsconnect::session_key(value_of(tlsconnect::ServerName::parse("server.test")), {}),
                    std::move(session));
  CHECK(next_offer(client).empty());
}

TEST_CASE("malformed tickets", "[psk][ticket]") {
  const auto after = [](ByteVector body) {
    return after_handshake([&](Talk& talk) { talk.server.send(HandshakeType::new_session_ticket, body); });
  };
  const ByteVector good = TicketDraft{.max_early_data = 5}.body();
  CHECK(after(good) == connected());
  ByteVector longer = good;
  longer.push_back(0);
  CHECK(after(longer) == refused_later(ErrorCode::message_trailing_bytes, Alert::decode_error));
  ByteVector nameless = TicketDraft{.nonce = {}, .ticket = {1}}.body();
  nameless.erase(nameless.begin() + 11); // the ticket's only byte
  nameless[10] = 0;
  CHECK(after(nameless) == refused_later(ErrorCode::field_out_of_range, Alert::decode_error));
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{5}}) {
    ByteVector body = TicketDraft{}.body();
    body.resize(body.size() - 2);
    tlsconnect::Writer writer(body);
    writer.opaque16(block_of({{ExtensionType::early_data, ByteVector(size, 0)}}), 0, 0xFFFF);
    const ErrorCode error = size < 4 ? ErrorCode::message_truncated : ErrorCode::message_trailing_bytes;
    CHECK(after(body) == refused_later(error, Alert::decode_error));
  }
}
