// Sessions that are resumed, and servers that make something else of it (RFC 9846, 2.2 and 4.2.11).
#include "sessions.hpp"

using namespace test;
using tlsconnect::ExternalPsk;
using tlsconnect::limits::ticket_lifetime;

// ---- from the session to the connection ----

TEST_CASE("a ticket never seems older than it is", "[psk][resume]") {
  // Half a millisecond after the one that now() tells.
  class FineClock final : public tlsconnect::Clock {
  public:
    std::int64_t now() const noexcept override { return test::now * 1'000; }
    std::int64_t now_rounded_up() const noexcept override { return now() + 1; }
  };
  Client client;
  client.configure = [](tlsconnect::ClientConfig::Builder& builder) { builder.clock(std::make_shared<FineClock>()); };
  (void)client.establish();
  REQUIRE(client.store->kept.size() == 1);
  CHECK(client.store->kept[0].second.received_at == test::now * 1'000 + 1);
}

TEST_CASE("a session is resumed", "[psk][resume]") {
  for (const CipherSuite suite : {aes128, aes256, chacha}) {
    CAPTURE(name_of(suite));
    Client client{.quick = false};
    const Identity& identity = server_identity(KeyType::ed25519);
    const KnownPsk psk = client.establish({}, {.identity = identity, .suite = suite});
    client.clock->advance(5'000);
    Talk talk = client.talk({.suite = suite, .psks = {psk}});
    CHECK(client.store->kept.empty()); // RFC 9846, C.4: offered once
    const SeenHello& hello = talk.server.hello();
    REQUIRE(hello.psks.size() == 1);
    CHECK(hello.psks[0].identity == psk.identity);
    CHECK(hello.psks[0].age == 5'001);
    // RFC 9846, 4.2.9: only with a key exchange.
    REQUIRE(offers(hello, ExtensionType::psk_key_exchange_modes));
    CHECK(find_extension(hello.extensions, ExtensionType::psk_key_exchange_modes)->body == ByteVector{1, 1});
    CHECK(!offers(hello, ExtensionType::early_data));
    CHECK(!talk.plan.has("Certificate"));
    talk.handshake();
    CHECK(outcome_of(talk) == connected());

    const tlsconnect::ConnectionInfo& info = talk.client.info();
    CHECK(info.psk == PskUse::resumption);
    CHECK(info.resumed());
    CHECK(!info.external_psk);
    CHECK(info.cipher_suite == suite);
    CHECK(info.peer_chain == std::vector<ByteVector>{identity.der()});
    CHECK(info.peer_status.empty());
    CHECK(info.signature_scheme == SignatureScheme::ed25519);
    CHECK(info.verification == "resumed: the server holds the key of a session in which it was verified");
    CHECK(!info.certificate_requested);
    CHECK(info.early_data == EarlyDataOutcome::not_sent);
    check_data_both_ways(talk);
  }
}

TEST_CASE("what the server stapled is kept with the session", "[psk][resume]") {
  const ByteVector response{0x30, 3, 1, 2, 3};
  const ByteVector timestamps{0, 5, 0, 3, 7, 8, 9};
  Client client{.configure = [](auto& builder) { builder.status_request(true).signed_certificate_timestamps(true); }};
  Talk first = client.talk();
  first.plan["Certificate"]
      .with_extension(ExtensionType::status_request, encoded(tlsconnect::CertificateStatus{1, response}))
      .with_extension(ExtensionType::signed_certificate_timestamp, timestamps);
  first.handshake();
  REQUIRE(outcome_of(first) == connected());
  const KnownPsk psk = first.server.issue_ticket({});
  first.exchange();
  Talk talk = client.talk({.psks = {psk}});
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(talk.client.info().resumed());
  REQUIRE(talk.client.info().peer_status.size() == 1);
  CHECK(talk.client.info().peer_status[0].ocsp_response == response);
  CHECK(talk.client.info().peer_status[0].sct_list == timestamps);
}

TEST_CASE("a session that rests on a raw public key", "[psk][resume]") {
  const ByteVector spki = server_identity().key().public_der();
  const auto pins = value_of(tlsconnect::PinnedPublicKeys::create({value_of(tlsconnect::PublicKey::from_spki(spki))}));
  for (const bool again : {false, true}) {
    Client client{.configure = [&](auto& builder) { builder.raw_public_keys(pins).verify_again_on_resumption(again); }};
    Talk first = client.talk();
    first.plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, {2});
    first.plan["Certificate"].edit_certificate([&](CertificateDraft& draft) { draft.entries = {{spki, {}}}; });
    first.handshake();
    REQUIRE(outcome_of(first) == connected());
    REQUIRE(first.client.info().raw_public_key);
    const KnownPsk psk = first.server.issue_ticket({});
    first.exchange();
    Talk talk = client.talk({.psks = {psk}});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().resumed());
    CHECK(talk.client.info().raw_public_key);
    CHECK(talk.client.info().peer_chain == std::vector<ByteVector>{spki});
    CHECK(talk.client.info().verification.starts_with(again ? "resumed; " : "resumed: "));
  }
}

TEST_CASE("one ticket after the other does not put off the end", "[psk][resume]") {
  // RFC 9846, 4.6.1: what is known of the server's identity gets old, however often it is resumed.
  Client client;
  KnownPsk psk = client.establish({.lifetime = ticket_lifetime});
  const std::int64_t end = client.store->kept[0].second.usable_until;
  for (int i = 1; i < 4; ++i) {
    client.clock->advance(2 * day * 1'000);
    Talk talk = client.talk({.psks = {psk}});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().resumed());
    psk = talk.server.issue_ticket({.lifetime = ticket_lifetime});
    talk.exchange();
    REQUIRE(client.store->kept.size() == 1);
    const Session& session = client.store->kept[0].second;
    CHECK(session.usable_until == end);
    CHECK(session.received_at == client.clock->now());
    REQUIRE(session.peer_chain.size() == 1);
    CHECK(session.peer_chain[0].der == server_identity().der());
  }
  client.clock->advance(day * 1'000);
  CHECK(next_offer(client).empty());
}

TEST_CASE("a session is offered only to the server that it is from", "[psk][resume]") {
  Client client;
  (void)client.establish();
  Client other{.clock = client.clock, .store = client.store, .name = "other.test"};
  CHECK(next_offer(other).empty());
  CHECK(client.store->kept.size() == 1); // it stays for whom it is for
  CHECK(next_offer(client).size() == 1);
}

TEST_CASE("a session is offered only under the trust that it is from", "[psk][resume]") {
  Client client; // accepts any certificate
  (void)client.establish();
  Client strict{.clock = client.clock, .store = client.store, .quick = false};
  CHECK(next_offer(strict).empty());
  CHECK(client.store->kept.size() == 1);
  CHECK(next_offer(client).size() == 1);
}

TEST_CASE("what a store should not give out is not offered", "[psk][resume]") {
  // A store of the caller's may be wrong, or shared with somebody who writes what he likes.
  const auto offered_after = [](const std::function<void(Session&)>& change) {
    Client client;
    (void)client.establish();
    change(client.store->kept[0].second);
    return next_offer(client).size();
  };
  CHECK(offered_after([](Session&) {}) == 1);
  CHECK(offered_after([](Session& session) { session.server_name = "other.test"; }) == 0);
  CHECK(offered_after([](Session& session) { session.trust_identity[0] ^= 1; }) == 0);
  CHECK(offered_after([](Session& session) { session.version = ProtocolVersion::tls1_2; }) == 0);
  CHECK(offered_after([](Session& session) { session.cipher_suite = static_cast<CipherSuite>(0x1304); }) == 0);
  CHECK(offered_after([](Session& session) { session.application_protocol = "h2"; }) == 0);
  CHECK(offered_after([](Session& session) { session.lifetime = 0; }) == 0);
}

TEST_CASE("sessions that do not fit do not hide one that does", "[psk][resume]") {
  Client client;
  Talk talk = client.talk();
  talk.handshake();
  const KnownPsk good = talk.server.issue_ticket({});
  for (std::uint8_t i = 0; i < 5; ++i)
    (void)talk.server.issue_ticket({.lifetime = 1, .nonce = {9, i}, .ticket = {i}});
  talk.exchange();
  client.clock->advance(2'000);
  REQUIRE(client.store->kept.size() == 6);
  const std::vector<SeenPsk> offer = next_offer(client);
  REQUIRE(offer.size() == 1);
  CHECK(offer[0].identity == good.identity);
  CHECK(client.store->kept.empty()); // those that had expired are gone
}

TEST_CASE("a session is offered only when its protocol is", "[psk][resume]") {
  const auto offered = [](std::optional<std::string> spoken, std::vector<std::string> later) {
    Client client;
    if (spoken)
      client.configure = [&](auto& builder) { builder.alpn({*spoken}); };
    (void)client.establish({}, {.alpn = spoken});
    client.configure = [&](auto& builder) { builder.alpn(later); };
    return next_offer(client).size();
  };
  CHECK(offered("h2", {"h2"}) == 1);
  CHECK(offered("h2", {"http/1.1", "h2"}) == 1);
  CHECK(offered("h2", {"http/1.1"}) == 0);
  CHECK(offered("h2", {}) == 0);
  CHECK(offered(std::nullopt, {"h2"}) == 1);
}

TEST_CASE("an expired session is not offered", "[psk][resume]") {
  const auto offered_after = [](std::int64_t milliseconds, std::uint32_t lifetime = 100) {
    Client client;
    (void)client.establish({.lifetime = lifetime});
    client.clock->advance(milliseconds);
    return next_offer(client).size();
  };
  CHECK(offered_after(99'999) == 1);
  CHECK(offered_after(100'000) == 0);
  CHECK(offered_after(604'799'999, ticket_lifetime) == 1);
  CHECK(offered_after(604'800'000, ticket_lifetime) == 0);
  // The clock was set back: a little does no harm, but an unknown age does.
  CHECK(offered_after(-60'000) == 1);
  CHECK(offered_after(-60'001) == 0);
}

TEST_CASE("a suite with the hash of the session must be on offer", "[psk][resume]") {
  const auto resumes = [](CipherSuite then, std::vector<CipherSuite> offered, CipherSuite selected) {
    Client client;
    const KnownPsk psk = client.establish({}, {.suite = then});
    client.configure = [&](auto& builder) { builder.cipher_suites(offered); };
    Talk talk = client.talk({.suite = selected, .psks = {psk}});
    const std::size_t count = talk.server.hello().psks.size();
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().resumed() == (count == 1));
    CHECK(talk.client.info().cipher_suite == selected);
    return count == 1;
  };
  CHECK(!resumes(aes256, {aes128, chacha}, aes128));
  CHECK(!resumes(aes128, {aes256}, aes256));
  CHECK(resumes(aes256, {aes128, aes256}, aes256));
  // Another suite of the same hash will do.
  CHECK(resumes(aes128, {chacha}, chacha));
  CHECK(resumes(chacha, {aes256, aes128}, aes128));
}

TEST_CASE("the age of a ticket is obfuscated", "[psk][resume]") {
  const auto age = [](std::uint32_t add, std::int64_t milliseconds) {
    Client client;
    (void)client.establish({.lifetime = ticket_lifetime, .age_add = add});
    client.clock->advance(milliseconds);
    return next_offer(client).at(0).age;
  };
  CHECK(age(0, 0) == 0);
  CHECK(age(1'000, 250) == 1'250);
  CHECK(age(0xFFFF'FFF0, 0x20) == 0x10); // modulo 2^32
  CHECK(age(7, -50) == 7);               // a clock that was set back makes no negative age
}

TEST_CASE("a server may decline a session", "[psk][resume]") {
  Client client{.quick = false};
  const KnownPsk psk = client.establish();
  // It does not know the ticket, or does not want it, or wants a suite of another hash.
  for (const int why : {0, 1, 2}) {
    CAPTURE(why);
    Client copy{.quick = false};
    KnownPsk known = copy.establish();
    ServerOptions server;
    if (why == 1)
      server = {.psks = {known}, .decline_psks = true};
    if (why == 2)
      server = {.suite = aes256, .psks = {known}};
    Talk talk = copy.talk(server);
    REQUIRE(talk.server.hello().psks.size() == 1);
    REQUIRE(talk.plan.has("Certificate"));
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == PskUse::none);
    CHECK(!talk.client.info().resumed());
    CHECK(talk.client.info().peer_chain.size() == 1);
    CHECK(talk.client.info().verification.find("resumed") == std::string::npos);
    check_data_both_ways(talk);
    // And what comes of it is a session of its own.
    (void)talk.server.issue_ticket({});
    talk.exchange();
    CHECK(copy.store->kept.size() == 1);
  }
}

TEST_CASE("a certificate is still judged when a session was declined", "[psk][resume]") {
  Client client{.quick = false};
  (void)client.establish();
  const Identity stranger = self_signed({.common_name = "server", .dns = {"server.test"}});
  Talk talk = client.talk({.identity = stranger});
  REQUIRE(talk.server.hello().psks.size() == 1);
  talk.handshake();
  const Outcome outcome = outcome_of(talk);
  REQUIRE(outcome.error);
  CHECK(tlsconnect::describe(*outcome.error).group == tlsconnect::ErrorGroup::certificate);
}

// ---- HelloRetryRequest ----

TEST_CASE("a session outlives a retry", "[psk][retry]") {
  for (const bool cookie : {false, true}) {
    Returning returning({.configure = two_groups}, {.age_add = 40});
    returning.client.clock->advance(100);
    Talk talk = returning.talk();
    returning.client.clock->advance(30);
    if (cookie)
      talk.retry(std::nullopt, ByteVector{1, 2, 3});
    else
      talk.retry(NamedGroup::secp256r1);
    REQUIRE(talk.server.hellos().size() == 2); // whose binders the server has checked
    const SeenPsk& first = talk.server.hellos()[0].psks.at(0);
    const SeenPsk& second = talk.server.hellos()[1].psks.at(0);
    CHECK(first.identity == second.identity);
    CHECK(first.age == 140);
    CHECK(second.age == 170); // RFC 9846, 4.1.2: anew
    CHECK(first.binder != second.binder);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().resumed());
    CHECK(talk.client.info().hello_retry_request);
    check_data_both_ways(talk);
  }
}

TEST_CASE("after a retry, keys of another hash are left out", "[psk][retry]") {
  const ByteVector key(32, 0x42);
  const auto psks = [&] {
    return std::vector<ExternalPsk>{value_of(ExternalPsk::create(bytes_of("one"), key, HashAlgorithm::sha384)),
                                    value_of(ExternalPsk::create(bytes_of("two"), key, HashAlgorithm::sha256)),
                                    value_of(ExternalPsk::create(bytes_of("three"), key, HashAlgorithm::sha384))};
  };
  const auto identities = [](const SeenHello& hello) {
    std::vector<std::string> names;
    for (const SeenPsk& psk : hello.psks)
      names.emplace_back(tlsconnect::as_text(psk.identity));
    return names;
  };
  Client client{.configure = [&](auto& builder) {
    two_groups(builder);
    builder.external_psks(psks());
  }};
  const KnownPsk ticket = client.establish({.ticket = bytes_of("ticket")}, {.suite = aes128});
  Talk talk = client.talk({.suite = aes256,
                           .psks = {ticket,
                                    {bytes_of("one"), key, aes256, PskOrigin::external},
                                    {bytes_of("two"), key, aes128, PskOrigin::external},
                                    {bytes_of("three"), key, aes256, PskOrigin::external}}});
  CHECK(identities(talk.server.hello()) == std::vector<std::string>{"ticket", "one", "two", "three"});
  SECTION("those of the suite's hash stay") {
    talk.retry(NamedGroup::secp256r1);
    CHECK(identities(talk.server.hello()) == std::vector<std::string>{"one", "three"});
    talk.server.options().psk_number = 1;
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    // Of the configuration, not of the second hello.
    CHECK(talk.client.info().external_psk == 2);
  }
  SECTION("what was left out cannot be selected") {
    talk.retry(NamedGroup::secp256r1);
    talk.plan = talk.server.honest_plan();
    talk.plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, {0, 2});
    talk.handshake();
    CHECK(outcome_of(talk) == refused(ErrorCode::psk_not_offered, Alert::illegal_parameter));
  }
}

TEST_CASE("a retry may leave no key at all", "[psk][retry]") {
  // RFC 9846, 4.1.2: then pre_shared_key goes, and nothing else.
  const ByteVector key(32, 0x42);
  for (const bool store : {true, false}) {
    Talk talk({.server = {.suite = aes128}, .configure = [&](auto& builder) {
                 two_groups(builder);
                 builder.external_psks({value_of(ExternalPsk::create(bytes_of("one"), key, HashAlgorithm::sha384))});
                 if (!store)
                   builder.session_store(nullptr);
               }});
    talk.retry(NamedGroup::secp256r1);
    REQUIRE(talk.server.hellos().size() == 2);
    const auto types = [](const SeenHello& hello) {
      std::vector<ExtensionType> all;
      for (const RawExt& extension : hello.extensions)
        all.push_back(extension.type);
      return all;
    };
    std::vector<ExtensionType> expected = types(talk.server.hellos()[0]);
    REQUIRE(expected.back() == ExtensionType::pre_shared_key);
    expected.pop_back();
    CHECK(types(talk.server.hellos()[1]) == expected);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == PskUse::none);
  }
}

// ---- hostile servers ----

TEST_CASE("a key that was not offered cannot be selected", "[psk][hostile]") {
  Returning returning;
  CHECK(returning.resume_with([](Talk& talk) {
    talk.plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, {0, 1});
  }) == refused(ErrorCode::psk_not_offered, Alert::illegal_parameter));
  Returning again;
  CHECK(again.resume_with([](Talk& talk) {
    talk.plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, {0xFF, 0xFF});
  }) == refused(ErrorCode::psk_not_offered, Alert::illegal_parameter));
}

TEST_CASE("no key is selected where none was offered", "[psk][hostile]") {
  CHECK(handshake_with([](Plan& plan) { plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, {0, 0}); }) ==
        refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
}

TEST_CASE("the selection is two bytes", "[psk][hostile]") {
  for (const ByteVector& body : {ByteVector{}, ByteVector{0}, ByteVector{0, 0, 0}}) {
    Returning returning;
    const ErrorCode error = body.size() < 2 ? ErrorCode::message_truncated : ErrorCode::message_trailing_bytes;
    CHECK(returning.resume_with([&](Talk& talk) {
      talk.plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, body);
    }) == refused(error, Alert::decode_error));
  }
}

TEST_CASE("a key is selected in the ServerHello only", "[psk][hostile]") {
  for (const char* message : {"EncryptedExtensions", "HelloRetryRequest"}) {
    Returning returning({.configure = two_groups});
    Talk talk = returning.talk();
    if (message == std::string_view("HelloRetryRequest")) {
      Plan retry = talk.server.retry_plan(NamedGroup::secp256r1);
      retry[message].with_extension(ExtensionType::pre_shared_key, {0, 0});
      talk.retry(retry);
    } else {
      talk.plan[message].with_extension(ExtensionType::pre_shared_key, {0, 0});
      talk.handshake();
    }
    CHECK(outcome_of(talk) == (message == std::string_view("EncryptedExtensions")
                                   ? refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension)
                                   : refused(ErrorCode::extension_misplaced, Alert::illegal_parameter)));
  }
}

TEST_CASE("the suite must have the hash of the key", "[psk][hostile]") {
  for (const auto& [then, selected] :
       {std::pair{aes128, aes256}, std::pair{aes256, aes128}, std::pair{aes256, chacha}}) {
    Returning returning({}, {}, {.suite = then});
    returning.server.suite = selected;
    CHECK(returning.resume_with([](Talk& talk) {
      talk.plan["ServerHello"].with_extension(ExtensionType::pre_shared_key, {0, 0});
    }) == refused(ErrorCode::psk_hash_mismatch, Alert::illegal_parameter));
  }
}

TEST_CASE("no key without a key exchange", "[psk][hostile]") {
  // RFC 9846, 4.2.11: psk_dhe_ke was the only mode on offer.
  Returning returning;
  CHECK(returning.resume_with([](Talk& talk) {
    talk.plan["ServerHello"].without_extension(ExtensionType::key_share);
  }) == refused(ErrorCode::psk_key_exchange_missing, Alert::illegal_parameter));
}

TEST_CASE("with a key no certificate comes", "[psk][hostile]") {
  // RFC 9846, 4.3.2 and 4.4.2.
  struct Extra {
    const char* name;
    HandshakeType type;
    std::function<ByteVector(ScriptedServer&)> body;
  };
  const Extra extras[] = {
      {"Certificate", HandshakeType::certificate, [](ScriptedServer& server) { return server.draft_certificate(); }},
      {"CertificateRequest", HandshakeType::certificate_request,
       [](ScriptedServer& server) { return server.draft_certificate_request(); }},
      {"CertificateVerify", HandshakeType::certificate_verify,
       [](ScriptedServer& server) { return server.draft_certificate_verify(); }},
  };
  for (const Extra& extra : extras) {
    CAPTURE(extra.name);
    Returning returning;
    CHECK(returning.resume_with([&](Talk& talk) {
      talk.plan.before("Finished", message_step(extra.name, extra.type, extra.body));
    }) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
  }
}

TEST_CASE("without a key a certificate must come", "[psk][hostile]") {
  Returning returning;
  returning.server.decline_psks = true;
  CHECK(returning.resume_with([](Talk& talk) { talk.plan.drop("Certificate").drop("CertificateVerify"); }) ==
        refused(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("the Finished of a resumed handshake is checked", "[psk][hostile]") {
  Returning returning;
  CHECK(returning.resume_with([](Talk& talk) {
    talk.plan["Finished"].edit([](ByteVector& body) { body.back() ^= 1; });
  }) == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
}

TEST_CASE("who does not hold the key cannot resume", "[psk][hostile]") {
  // A stranger repeats the ticket's place, but has only the key exchange.
  Returning returning;
  returning.server.psks.clear();
  returning.server.psk_number = 0;
  Talk talk = returning.talk();
  talk.server.options().pass_over_unreadable = true;
  talk.handshake();
  CHECK(talk.client.failure()->code() == ErrorCode::bad_record_mac);
  CHECK(!talk.client.handshake_complete());
}

// ---- judged again ----

namespace {

/// Decides as it is told, and counts.
class Judge final : public tlsconnect::CertificateVerifier {
public:
  bool accept = true;
  bool later = false;
  mutable int calls = 0;
  mutable std::vector<ByteVector> seen;
  mutable std::int64_t at = 0;

  tlsconnect::Result<tlsconnect::VerifiedChain> verify(const tlsconnect::PresentedCertificate& presented,
                                                       const tlsconnect::ServerName&,
                                                       std::int64_t unix_time) const noexcept override {
    ++calls;
    at = unix_time;
    seen.clear();
    for (const tlsconnect::Certificate& certificate : presented.chain)
      seen.push_back(tlsconnect::to_vector(certificate.der()));
    if (!accept)
      return tlsconnect::fail(ErrorCode::certificate_rejected, "judge");
    return tlsconnect::VerifiedChain{{}, "the judge said so"};
  }
  bool decides_later() const noexcept override { return later; }
};

} // namespace

TEST_CASE("a chain may be judged again when it is resumed", "[psk][verify]") {
  for (const bool again : {false, true})
    for (const bool accept : {true, false}) {
      CAPTURE(again, accept);
      const auto judge = std::make_shared<Judge>();
      Returning returning(
          {.configure = [=](auto& builder) { builder.verifier(judge).verify_again_on_resumption(again); }});
      CHECK(judge->calls == 1);
      judge->accept = accept;
      returning.client.clock->advance(60'000);
      Talk talk = returning.talk();
      REQUIRE(talk.server.hello().psks.size() == 1);
      talk.handshake();
      CHECK(judge->calls == (again ? 2 : 1));
      if (again) {
        CHECK(judge->at == now + 60);
        CHECK(judge->seen == std::vector<ByteVector>{server_identity().der()});
      }
      if (again && !accept) {
        CHECK(outcome_of(talk) == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
      } else {
        CHECK(outcome_of(talk) == connected());
        CHECK(talk.client.info().resumed());
        CHECK(talk.client.info().verification ==
              (again ? "resumed; the judge said so"
                     : "resumed: the server holds the key of a session in which it was verified"));
      }
    }
}

TEST_CASE("the caller may judge again, too", "[psk][verify]") {
  for (const bool accept : {true, false}) {
    const auto judge = std::make_shared<Judge>();
    Returning returning(
        {.configure = [=](auto& builder) { builder.verifier(judge).verify_again_on_resumption(true); }});
    judge->later = true;
    Talk talk = returning.talk();
    talk.handshake();
    REQUIRE(talk.client.awaited() == tlsconnect::Interest::verdict);
    CHECK(!talk.client.handshake_complete());
    REQUIRE(talk.client.verdict_request());
    REQUIRE(talk.client.verdict_request()->presented.chain.size() == 1);
    CHECK(tlsconnect::equal(talk.client.verdict_request()->presented.chain[0].der(), server_identity().der()));
    if (accept)
      CHECK(talk.client.give_verdict(tlsconnect::VerifiedChain{{}, "the caller said so"}));
    else
      CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_rejected, "caller")));
    CHECK(outcome_of(talk) ==
          (accept ? connected() : refused(ErrorCode::certificate_rejected, Alert::certificate_unknown)));
    if (accept)
      CHECK(talk.client.info().verification == "resumed; the caller said so");
  }
}

TEST_CASE("the chain that a session rests on is as good as it was", "[psk][verify]") {
  // With a real verifier at a later time: still good.
  Client client{.configure = [](auto& builder) { builder.verify_again_on_resumption(true); }, .quick = false};
  Returning returning(client, {.lifetime = ticket_lifetime});
  returning.client.clock->advance(6 * day * 1'000);
  CHECK(returning.resume_with([](Talk&) {}) == connected());
  // The store gave back another chain, which nobody vouches for.
  Returning changed(Client{.configure = client.configure, .quick = false});
  changed.client.store->kept.at(0).second.peer_chain.at(0).der =
      self_signed({.common_name = "server", .dns = {"server.test"}}).der();
  Talk talk = changed.talk();
  talk.handshake();
  const Outcome outcome = outcome_of(talk);
  REQUIRE(outcome.error);
  CHECK(tlsconnect::describe(*outcome.error).group == tlsconnect::ErrorGroup::certificate);
  CHECK(outcome.alert);
}
