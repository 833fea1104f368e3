// Sessions of TLS 1.2, resumed by session id and by ticket (RFC 5246, 7.3; RFC 5077; RFC 7627, 5.3).
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

ByteVector offered_id(const Talk12& talk) {
  return tlsconnect::to_vector(talk.server.hello().fields.legacy_session_id);
}
ByteVector offered_ticket(const Talk12& talk) {
  const RawExt* found = find_extension(talk.server.hello().extensions, ExtensionType::session_ticket);
  return found ? found->body : ByteVector{0xFF};
}
/// Trusts everybody, and does not say by what rule: its sessions would serve under any other.
class NamelessVerifier final : public tlsconnect::CertificateVerifier {
public:
  tlsconnect::Result<tlsconnect::VerifiedChain>
  verify(const tlsconnect::PresentedCertificate&, const tlsconnect::ServerName&, std::int64_t) const noexcept override {
    return tlsconnect::VerifiedChain{{}, "as told"};
  }
  tlsconnect::TrustIdentity trust_identity() const override { return {}; }
};
bool offers_session(const Talk12& talk) { return !offered_id(talk).empty() || offered_ticket(talk).size() > 1; }
const Outcome unexpected = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
constexpr std::int64_t second = 1'000;

} // namespace

TEST_CASE("TLS 1.2: a session is resumed by its id and by its ticket", "[resumption12]") {
  for (const CipherSuite suite : {ecdsa_aes128, ecdsa_aes256, ecdsa_chacha})
    for (const bool ticket : {false, true}) {
      CAPTURE(name_of(suite), ticket);
      ServerOptions12 options = ticket ? by_ticket() : by_id();
      options.suite = suite;
      options.group = NamedGroup::secp384r1;
      options.scheme = SignatureScheme::ecdsa_secp521r1_sha512;
      options.alpn = "h2";
      Returning12 returning(options, {.configure = [](auto& builder) { builder.alpn({"h2"}); }, .quick = false});
      Talk12 talk = returning.talk();
      if (ticket) {
        // RFC 5077, 3.4: an id of the client's own, by whose echo it learns that the ticket was taken.
        CHECK(offered_id(talk).size() == 32);
        CHECK(offered_ticket(talk) == options.ticket);
      } else {
        CHECK(offered_id(talk) == options.session_id);
        CHECK(offered_ticket(talk).empty());
      }
      REQUIRE(!talk.plan.has("Certificate"));
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      check_data_both_ways(talk);
      const auto& info = talk.client.info();
      CHECK(info.psk == PskUse::resumption);
      CHECK(info.cipher_suite == suite);
      CHECK(info.peer_chain == std::vector<ByteVector>{server_identity().der()});
      CHECK(info.group == options.group);
      CHECK(info.signature_scheme == options.scheme);
      CHECK(info.extended_main_secret);
      CHECK(info.verification.starts_with("resumed"));
      std::vector<std::pair<HandshakeType, bool>> messages;
      for (const auto& message : info.messages.view())
        messages.emplace_back(message.type, message.sent);
      CHECK(messages == std::vector<std::pair<HandshakeType, bool>>{{HandshakeType::client_hello, true},
                                                                    {HandshakeType::server_hello, false},
                                                                    {HandshakeType::finished, false},
                                                                    {HandshakeType::finished, true}});
      // tls-unique is the first Finished: here the server's.
      CHECK(talk.client.tls_unique().value() == talk.server.server_verify_data());
      // It serves again.
      Talk12 third = returning.talk();
      REQUIRE(third.server.resumed() != nullptr);
      third.handshake();
      CHECK(outcome_of(third) == connected());
    }
}

TEST_CASE("TLS 1.2: a server renews a ticket", "[resumption12]") {
  Returning12 returning(by_ticket());
  returning.server.ticket = ByteVector(60, 0x72);
  Talk12 talk = returning.talk();
  REQUIRE(talk.plan.has("NewSessionTicket"));
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().psk == PskUse::resumption);
  // The new one takes the old one's place.
  REQUIRE(returning.client.store->kept.size() == 1);
  CHECK(offered_ticket(returning.client.talk()) == ByteVector(60, 0x72));
  // Announced, but empty: the old one stays.
  Returning12 empty(by_ticket());
  empty.server.ticket = ByteVector(60, 0x72);
  CHECK(empty.resume_with([](Plan12& plan) { plan["NewSessionTicket"].replace(ByteVector(6)); }) == connected());
  CHECK(offered_ticket(empty.client.talk()) == by_ticket().ticket);
  // Announced and not sent.
  Returning12 missing(by_ticket());
  missing.server.ticket = ByteVector(60, 0x72);
  CHECK(missing.resume_with([](Plan12& plan) { plan.drop("NewSessionTicket"); }) ==
        refused(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message));
}

TEST_CASE("TLS 1.2: a session that is renewed gets no older identity", "[resumption12]") {
  Returning12 returning(by_ticket());
  const std::int64_t until = returning.client.store->kept.at(0).second.usable_until;
  CHECK(until > returning.client.clock->now());
  returning.server.ticket = ByteVector(60, 0x72);
  returning.client.clock->advance(3'600 * second);
  Talk12 talk = returning.talk();
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  const auto& session = returning.client.store->kept.at(0).second;
  CHECK(session.usable_until == until);
  CHECK(session.received_at == returning.client.clock->now());
}

TEST_CASE("TLS 1.2: a server declines a session", "[resumption12]") {
  for (const ServerOptions12& options : {by_id(), by_ticket()})
    for (const bool anew : {false, true}) {
      Returning12 returning(options);
      returning.server.decline_sessions = true;
      if (anew)
        returning.server.session_id = ByteVector(20, 0x99);
      Talk12 talk = returning.talk();
      REQUIRE(offers_session(talk));
      REQUIRE(talk.plan.has("Certificate"));
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().psk == PskUse::none);
      check_data_both_ways(talk);
      // What was declined is not kept.
      REQUIRE(returning.client.store->kept.size() == (anew ? 1 : 0));
      if (anew)
        CHECK(offered_id(returning.client.talk()) == ByteVector(20, 0x99));
    }
}

TEST_CASE("TLS 1.2: what becomes a session", "[resumption12]") {
  const auto kept = [](const ServerOptions12& options, const std::function<void(Plan12&)>& change = {},
                       const std::function<void(tlsconnect::ClientConfig::Builder&)>& configure = {}) {
    const Client12 client{.configure = configure};
    Talk12 talk = client.talk(options);
    if (change)
      change(talk.plan);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    return client.store->kept.size();
  };
  CHECK(kept({}) == 0);
  CHECK(kept(by_id()) == 1);
  CHECK(kept(by_ticket()) == 1);
  CHECK(kept(by_ticket(), [](Plan12& plan) { plan["NewSessionTicket"].replace(ByteVector(6)); }) == 0);
  // Nowhere to keep it, and a verifier that does not say whom it trusts.
  CHECK(kept(by_ticket(), {}, [](auto& builder) { builder.session_store(nullptr); }) == 0);
  CHECK(kept(by_ticket(), {}, [](auto& builder) { builder.verifier(std::make_shared<NamelessVerifier>()); }) == 0);
  // A ticket that is too long for us is none.
  ServerOptions12 long_ticket = {.ticket = ByteVector(16'385, 1)};
  CHECK(kept(long_ticket) == 0);
  long_ticket.ticket.pop_back();
  CHECK(kept(long_ticket) == 1);
  // With both, the ticket counts.
  ServerOptions12 both = by_ticket();
  both.session_id = by_id().session_id;
  CHECK(kept(both) == 1);
  Client12 client;
  (void)client.establish(both);
  CHECK(client.store->kept.at(0).second.session_id.empty());
  const auto& session = client.store->kept.at(0).second;
  CHECK(session.version == ProtocolVersion::tls1_2);
  CHECK(session.extended_main_secret);
  CHECK(session.server_name == "server.test");
  CHECK(session.lifetime == 7'200);
  CHECK(session.peer_chain.size() == 1);
  CHECK(session.secret.view().size() == 48);
  // With an id and an empty ticket, the id does.
  Client12 other;
  Talk12 talk = other.talk(both);
  talk.plan["NewSessionTicket"].replace(ByteVector(6));
  talk.handshake();
  CHECK(offered_id(other.talk()) == both.session_id);
  // A handshake that fails leaves none.
  Client12 failed;
  Talk12 wrong = failed.talk(by_ticket());
  wrong.plan["Finished"].edit([](ByteVector& body) { body[0] ^= 1U; });
  wrong.handshake();
  CHECK(!wrong.client.handshake_complete());
  CHECK(failed.store->kept.empty());
}

TEST_CASE("TLS 1.2: a session that rests on a raw public key says so", "[resumption12]") {
  const auto key = value_of(tlsconnect::PublicKey::from_spki(server_identity().key().public_der()));
  Client12 client{.configure = [key](auto& builder) {
    builder.raw_public_keys(value_of(tlsconnect::PinnedPublicKeys::create({key})));
  }};
  const ByteVector& spki = server_identity().key().public_der();
  Talk12 first = client.talk(by_ticket());
  first.plan["ServerHello"].with_extension(ExtensionType::server_certificate_type, {2});
  ByteVector body{0, static_cast<std::uint8_t>(spki.size() >> 8), static_cast<std::uint8_t>(spki.size())};
  append(body, spki);
  first.plan["Certificate"].replace(body);
  first.handshake();
  REQUIRE(outcome_of(first) == connected());
  Talk12 again = client.talk({.sessions = {first.server.session()}});
  REQUIRE(again.server.resumed() != nullptr);
  again.handshake();
  CHECK(outcome_of(again) == connected());
  CHECK(again.client.info().raw_public_key);
  CHECK(again.client.info().peer_chain == std::vector<ByteVector>{spki});
}

TEST_CASE("TLS 1.2: a session that was not resumed well is gone", "[resumption12]") {
  Returning12 returning(by_ticket());
  CHECK(returning.resume_with([](Plan12& plan) { plan["Finished"].edit([](ByteVector& body) { body[0] ^= 1U; }); }) ==
        refused(ErrorCode::finished_invalid, Alert::decrypt_error));
  CHECK(!offers_session(returning.client.talk()));
}

TEST_CASE("TLS 1.2: sessions get too old", "[resumption12]") {
  const auto offered_after = [](std::uint32_t hint, std::int64_t seconds) {
    Client12 client;
    ServerOptions12 options = by_ticket();
    options.ticket_lifetime = hint;
    (void)client.establish(options);
    client.clock->advance(seconds * second);
    return offers_session(client.talk());
  };
  CHECK(offered_after(7'200, 7'199));
  CHECK(!offered_after(7'200, 7'201));
  // RFC 5077, 3.3: 0 says nothing. Then a day (RFC 5246, F.1.4).
  CHECK(offered_after(0, 86'399));
  CHECK(!offered_after(0, 86'401));
  CHECK(offered_after(0xFFFF'FFFF, 604'799));
  CHECK(!offered_after(0xFFFF'FFFF, 604'801));
}

TEST_CASE("TLS 1.2: sessions are offered under the conditions that they were made under", "[resumption12]") {
  for (const ServerOptions12& options : {by_id(), by_ticket()}) {
    const auto offered = [&](const std::function<void(Client12&)>& change,
                             const std::function<void(tlsconnect::ClientConfig::Builder&)>& before = {}) {
      Client12 client{.configure = before};
      (void)client.establish(options);
      change(client);
      return offers_session(client.talk());
    };
    CHECK(offered([](Client12&) {}));
    CHECK(!offered([](Client12& client) { client.name = "other.test"; }));
    CHECK(!offered([](Client12& client) { client.quick = false; }));
    CHECK(!offered([](Client12& client) { client.configure = [](auto& b) { b.cipher_suites({ecdsa_aes256}); }; }));
    CHECK(offered([](Client12& client) { client.configure = [](auto& b) { b.cipher_suites({ecdsa_aes128}); }; }));
    CHECK(!offered([](Client12& client) { client.configure = [](auto& b) { b.session_store(nullptr); }; }));
    // RFC 7301, 3.1: the protocol is agreed anew, whatever was spoken then.
    ServerOptions12 speaking = options;
    speaking.alpn = "h2";
    Client12 speaker{.configure = [](auto& b) { b.alpn({"h2"}); }};
    (void)speaker.establish(speaking);
    CHECK(speaker.store->kept.at(0).second.application_protocol == "h2");
    speaker.configure = [](auto& b) { b.alpn({"http/1.1"}); };
    CHECK(offers_session(speaker.talk()));
    CHECK(offered([](Client12& client) { client.configure = both_versions; }));
  }
  // TLS 1.3 alone has no use for it.
  Client12 client;
  (void)client.establish(by_ticket());
  const Client newer{.clock = client.clock, .store = client.store};
  const Talk talk = newer.talk();
  CHECK(talk.server.hello().psks.empty());
  CHECK(find_extension(talk.server.hello().extensions, ExtensionType::session_ticket) == nullptr);
}

TEST_CASE("a session of TLS 1.2 is offered to a server that turns out to speak TLS 1.3", "[resumption12]") {
  for (const ServerOptions12& options : {by_id(), by_ticket()}) {
    Client12 older;
    (void)older.establish(options);
    const Client newer{.clock = older.clock, .store = older.store, .configure = both_versions};
    Talk talk = newer.talk();
    CHECK(talk.server.hello().fields.legacy_session_id.size() == 32);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().version == ProtocolVersion::tls1_3);
    CHECK(talk.client.info().psk == PskUse::none);
  }
}

TEST_CASE("a ticket of TLS 1.3 is nothing to a server of TLS 1.2", "[resumption12]") {
  const Client first{.configure = both_versions};
  (void)first.establish();
  Client12 client{.clock = first.clock, .store = first.store, .configure = both_versions};
  Talk12 talk = client.talk();
  CHECK(offered_ticket(talk).empty());
  CHECK(find_extension(talk.server.hello().extensions, ExtensionType::pre_shared_key) != nullptr);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().version == ProtocolVersion::tls1_2);
  CHECK(talk.client.info().psk == PskUse::none);
}

TEST_CASE("early data ends when the server turns out to speak TLS 1.2", "[resumption12]") {
  const Client first{.configure = both_versions};
  (void)first.establish({.max_early_data = 1'000});
  auto config = make_config(TalkOptions{.configure = [&](auto& builder) {
    builder.clock(first.clock).session_store(first.store);
    both_versions(builder);
  }});
  tlsconnect::ClientEngine client(config, value_of(tlsconnect::ServerName::parse("server.test")),
                                  tlsconnect::replay_safe(tlsconnect::as_bytes("early")));
  ScriptedServer12 server;
  // Only the hello: a server of TLS 1.2 can make nothing of what follows.
  const ByteVector sent = tlsconnect::to_vector(client.pending_output());
  const std::size_t hello = 5 + static_cast<std::size_t>((sent[3] << 8) | sent[4]);
  REQUIRE(sent.size() > hello);
  server.feed(BytesView(sent).first(hello));
  client.sent(sent.size());
  server.run(server.honest_plan());
  ByteVector received;
  deliver_to(client, server.take_output(), ~std::size_t{0}, received);
  REQUIRE(client.failure() != nullptr);
  CHECK(client.failure()->code() == ErrorCode::early_data_downgraded);
  CHECK(tlsconnect::as_text(client.take_unaccepted_early_data()) == "early");
  // The alert is in the clear: the server has no key.
  const BytesView alert = client.pending_output();
  REQUIRE(alert.size() >= 7);
  CHECK(alert[alert.size() - 7] == 21);
  CHECK(alert[alert.size() - 1] == static_cast<std::uint8_t>(Alert::protocol_version));
}

TEST_CASE("TLS 1.2: a session is resumed with its own suite", "[resumption12]") {
  for (const ServerOptions12& options : {by_id(), by_ticket()})
    for (const CipherSuite suite : {ecdsa_aes256, ecdsa_chacha, rsa_aes128}) {
      Returning12 returning(options);
      CHECK(returning.resume_with([suite](Plan12& plan) {
        plan["ServerHello"].edit_hello([suite](HelloDraft& hello) { hello.suite = suite; });
      }) == refused(ErrorCode::session_suite_changed, Alert::illegal_parameter));
    }
}

TEST_CASE("TLS 1.2: without the extended main secret, sessions stay so", "[resumption12]") {
  ServerOptions12 options = by_ticket();
  options.extended_main_secret = false;
  Returning12 returning(options, {.configure = without_extended_main_secret});
  Talk12 talk = returning.talk();
  REQUIRE(talk.server.resumed() != nullptr);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(!talk.client.info().extended_main_secret);
  CHECK(talk.client.info().psk == PskUse::resumption);
  // RFC 7627, 5.3: a server that has learnt it meanwhile begins anew.
  returning.server.extended_main_secret = true;
  Talk12 anew = returning.talk();
  CHECK(anew.server.resumed() == nullptr);
  anew.handshake();
  CHECK(outcome_of(anew) == connected());
  CHECK(anew.client.info().extended_main_secret);
  CHECK(anew.client.info().psk == PskUse::none);
}

TEST_CASE("TLS 1.2: in a resumed session the server shows and asks nothing", "[resumption12]") {
  for (const auto& [name, type] :
       std::vector<std::pair<const char*, HandshakeType>>{{"Certificate", HandshakeType::certificate},
                                                          {"ServerKeyExchange", HandshakeType::server_key_exchange},
                                                          {"CertificateRequest", HandshakeType::certificate_request},
                                                          {"CertificateStatus", HandshakeType::certificate_status},
                                                          {"ServerHelloDone", HandshakeType::server_hello_done},
                                                          {"ServerHello", HandshakeType::server_hello}}) {
    CAPTURE(name);
    for (const ServerOptions12& options : {by_id(), by_ticket()})
      CHECK(Returning12(options).resume_with([type](Plan12& plan) {
        plan.after("ServerHello", Step12::message("more", type, ByteVector{}));
        plan["more"].in_transcript = false;
      }) == unexpected);
  }
}

TEST_CASE("TLS 1.2: resuming takes the session's main secret", "[resumption12]") {
  for (const ServerOptions12& options : {by_id(), by_ticket()}) {
    Returning12 returning(options);
    returning.server.sessions[0].main_secret[0] ^= 1U;
    CHECK(returning.resume_with([](Plan12&) {}) == refused(ErrorCode::bad_record_mac, Alert::bad_record_mac));
  }
}

TEST_CASE("TLS 1.2: a resumed session may be verified again", "[resumption12]") {
  Client12 client{.configure = [](auto& builder) { builder.verify_again_on_resumption(true); }, .quick = false};
  Returning12 returning(by_ticket(), client);
  Talk12 talk = returning.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().verification.find("Test Root") != std::string::npos);
  CHECK(talk.client.info().verification.starts_with("resumed"));
}

TEST_CASE("TLS 1.2: the verdict on a resumed session may come later", "[resumption12]") {
  Client12 client{.configure = [](auto& builder) {
    builder.verify_again_on_resumption(true).verifier(std::make_shared<tlsconnect::VerdictByCaller>());
  }};
  // The first connection needs a verdict, too.
  const auto run = [&](const ServerOptions12& options, bool accept) {
    Talk12 talk = client.talk(options);
    talk.handshake();
    REQUIRE(talk.client.awaited() == tlsconnect::Interest::verdict);
    const auto request = talk.client.verdict_request();
    REQUIRE(request);
    CHECK(request->presented.chain.size() == 1);
    if (accept)
      REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{{}, "the caller says so"}));
    else
      CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_rejected, "test")));
    talk.exchange();
    // What had arrived is handled now.
    return std::pair(outcome_of(talk), accept ? talk.server.session() : KnownSession{});
  };
  ServerOptions12 options = by_ticket();
  const auto [first, session] = run(options, true);
  CHECK(first == connected());
  options.ticket.clear();
  options.sessions = {session};
  CHECK(run(options, true).first == connected());
  CHECK(run(options, false).first == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
}
