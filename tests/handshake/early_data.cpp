// Early data (RFC 9846, 2.3, 4.2.10, 4.5): what is sent before the server has said a word, and what becomes of it.
#include <array>

#include <tlsconnect/connector.hpp>

#include "early_data.hpp"
#include "scripted_transport.hpp"

using namespace test;

// ---- accepted ----

TEST_CASE("early data is accepted", "[early]") {
  for (const CipherSuite suite : {aes128, aes256, chacha}) {
    CAPTURE(name_of(suite));
    Early early_client({}, {.suite = suite});
    Talk talk = early_client.talk();
    // It is there with the first flight.
    CHECK(offers(talk.server.hello(), ExtensionType::early_data));
    CHECK(find_extension(talk.server.hello().extensions, ExtensionType::early_data)->body.empty());
    CHECK(as_text(talk.server.early_received()) == question);
    CHECK(talk.client.take_unaccepted_early_data().empty()); // nobody knows yet
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(as_text(talk.server.early_received()) == question); // not twice
    CHECK(talk.client.info().early_data == EarlyDataOutcome::accepted);
    CHECK(talk.client.info().early_data_accepted == question.size());
    CHECK(talk.client.info().resumed());
    CHECK(talk.client.take_unaccepted_early_data().empty());
    check_data_both_ways(talk);
    // The order and the keys; EndOfEarlyData is the last under the early one, Finished the first under the next.
    CHECK(passed(talk.server) == std::vector<Passed>{clear(handshake_record), clear(change_cipher_spec),
                                                     early(data_record), early(handshake_record),
                                                     under(1, handshake_record), under(2, data_record)});
    REQUIRE(talk.server.messages().size() == 2);
    CHECK(talk.server.messages()[0].type == HandshakeType::end_of_early_data);
    CHECK(talk.server.messages()[0].body.empty());
    CHECK(talk.server.messages()[1].type == HandshakeType::finished);
  }
}

TEST_CASE("early data without compatibility mode", "[early]") {
  Early early_client({.configure = [](auto& builder) { builder.compatibility_mode(false); }});
  Talk talk = early_client.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(passed(talk.server) == std::vector<Passed>{clear(handshake_record), early(data_record), early(handshake_record),
                                                   under(1, handshake_record)});
}

TEST_CASE("early data of many records", "[early]") {
  std::string large(100'000, 'x');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>('a' + i % 26);
  Early early_client;
  Talk talk = early_client.talk(large);
  CHECK(as_text(talk.server.early_received()) == large);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().early_data_accepted == large.size());
  CHECK(talk.client.take_unaccepted_early_data().empty());
}

TEST_CASE("early data with an application protocol", "[early]") {
  Early early_client({.configure = [](auto& builder) { builder.alpn({"h2", "http/1.1"}); }}, {.alpn = "http/1.1"});
  Talk talk = early_client.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().early_data == EarlyDataOutcome::accepted);
  CHECK(talk.client.info().application_protocol == "http/1.1");
}

TEST_CASE("the answer may come at once", "[early]") {
  // RFC 9846, 2.3: the server need not wait for the client's Finished.
  Early early_client;
  Talk talk = early_client.talk();
  talk.server.run(talk.plan);
  talk.server.send_data("200 OK");
  talk.exchange();
  CHECK(outcome_of(talk) == connected());
  CHECK(as_text(talk.received) == "200 OK");
}

TEST_CASE("keying material of early data", "[early][exporter]") {
  const auto exported = [](const Talk& talk) -> std::optional<ByteVector> {
    ByteVector out(40);
    const auto done = talk.client.export_early_keying_material("EXPERIMENTAL test", as_bytes("context"), out);
    if (done)
      return out;
    CHECK(done.error().code() == ErrorCode::export_not_available);
    return std::nullopt;
  };
  Early early_client({}, {.suite = aes256});
  Talk talk = early_client.talk();
  const ByteVector expected =
      talk.server.early_exporter(early_client.psk, "EXPERIMENTAL test", as_bytes("context"), 40);
  CHECK(exported(talk) == expected);
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(exported(talk) == expected);
  ByteVector late(40);
  REQUIRE(talk.client.export_keying_material("EXPERIMENTAL test", as_bytes("context"), late));
  CHECK(late != expected);

  // Without early data: until the handshake is complete, because the server's view of it is not known before.
  Early silent;
  Talk resumed = silent.talk("");
  CHECK(!offers(resumed.server.hello(), ExtensionType::early_data));
  CHECK(exported(resumed) == resumed.server.early_exporter(silent.psk, "EXPERIMENTAL test", as_bytes("context"), 40));
  resumed.handshake();
  REQUIRE(outcome_of(resumed) == connected());
  CHECK(!exported(resumed));

  // Rejected: likewise.
  Early rejected;
  rejected.server.accept_early_data = false;
  Talk refusing = rejected.talk();
  CHECK(exported(refusing));
  refusing.handshake();
  REQUIRE(outcome_of(refusing) == connected());
  CHECK(!exported(refusing));

  // Never without a key, and not after a failure.
  Talk plain;
  CHECK(!exported(plain));
  Early failing;
  Talk failed = failing.talk();
  failed.plan["Finished"].edit([](ByteVector& body) { body[0] ^= 1; });
  failed.handshake();
  REQUIRE(failed.client.failure());
  CHECK(!exported(failed));
}

// ---- not sent ----

TEST_CASE("early data that no session permits comes back", "[early][not sent]") {
  const auto check_not_sent = [](Talk&& talk, std::size_t psks) {
    CHECK(talk.server.hello().psks.size() == psks);
    CHECK(!offers(talk.server.hello(), ExtensionType::early_data));
    CHECK(talk.server.records().size() == 1);                // the hello
    CHECK(talk.client.take_unaccepted_early_data().empty()); // not before it is over
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().early_data == EarlyDataOutcome::not_sent);
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == question);
    CHECK(talk.client.take_unaccepted_early_data().empty());
    CHECK(talk.server.early_received().empty());
    CHECK(talk.server.received().empty());
  };
  SECTION("there is no session") { check_not_sent(Client().talk({}, question), 0); }
  SECTION("the ticket says nothing of early data, or permits none") {
    for (const std::optional<std::uint32_t> limit : {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(0)}) {
      Client client;
      const KnownPsk psk = client.establish({.max_early_data = limit});
      check_not_sent(client.talk({.psks = {psk}, .accept_early_data = true}, question), 1);
    }
  }
  SECTION("the session has expired") {
    Early early_client;
    early_client.client.clock->advance(7'200'000);
    check_not_sent(early_client.talk(), 0);
  }
  SECTION("the suite of the session is not on offer") {
    Early early_client({}, {.suite = aes128});
    early_client.client.configure = [](auto& builder) { builder.cipher_suites({chacha}); };
    early_client.server.suite = chacha;
    check_not_sent(early_client.talk(), 1);
  }
  SECTION("there is only an external key") {
    const ByteVector key(32, 1);
    Client client{.configure = [&](auto& builder) {
      builder.external_psks({value_of(tlsconnect::ExternalPsk::create(as_bytes("key"), key))});
    }};
    check_not_sent(
        client.talk({.psks = {{bytes_of("key"), key, aes128, PskOrigin::external}}, .accept_early_data = true},
                    question),
        1);
  }
}

TEST_CASE("no more early data than the ticket permits", "[early][limit]") {
  for (const std::uint32_t limit : {1U, 5U, 17U, 18U, 19U}) {
    CAPTURE(limit);
    const std::size_t first = std::min<std::size_t>(limit, question.size());
    Early accepting({}, {}, limit);
    Talk talk = accepting.talk();
    CHECK(as_text(talk.server.early_received()) == question.substr(0, first));
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().early_data == EarlyDataOutcome::accepted);
    CHECK(talk.client.info().early_data_accepted == first);
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == question.substr(first));
    CHECK(talk.client.take_unaccepted_early_data().empty());

    // Rejected, everything comes back.
    Early rejecting({}, {}, limit);
    rejecting.server.accept_early_data = false;
    Talk other = rejecting.talk();
    other.handshake();
    REQUIRE(outcome_of(other) == connected());
    check_rejected(other);
  }
}

// ---- in pieces ----

TEST_CASE("early data may come in pieces, as long as the server has not finished", "[early][pieces]") {
  for (const bool at_first : {false, true}) {
    CAPTURE(at_first);
    Early pieces;
    Talk talk = pieces.client.talk(pieces.server, at_first ? "0" : "", true);
    std::string all = at_first ? "0" : "";
    REQUIRE(offers(talk.server.hello(), ExtensionType::early_data));
    const auto add = [&](std::string_view piece) {
      const std::size_t records = talk.server.records().size();
      REQUIRE(talk.client.add_early_data(tlsconnect::replay_safe(as_bytes(piece))));
      all += piece;
      talk.to_server();
      // Each leaves at once, in a record of its own (behind a change_cipher_spec, the first time).
      REQUIRE(talk.server.records().size() > records);
      CHECK(as_text(talk.server.records().back().content) == piece);
      CHECK(passed(talk.server).back() == early(data_record));
      CHECK(as_text(talk.server.early_received()) == all);
    };
    add("one");
    add("two");
    // Nothing is sent for nothing, and nothing is no promise.
    CHECK(!tlsconnect::replay_safe({}).promised());
    CHECK(tlsconnect::replay_safe_later().promised());
    const std::size_t before = talk.server.records().size();
    REQUIRE(talk.client.add_early_data(tlsconnect::replay_safe({})));
    talk.to_server();
    CHECK(talk.server.records().size() == before);
    // Also between the messages of the server.
    Plan first;
    for (const char* name : {"ServerHello", "handshake keys", "EncryptedExtensions"}) {
      first.append(talk.plan[name]);
      talk.plan.drop(name);
    }
    talk.server.run(first);
    talk.to_client();
    CHECK(talk.client.info().early_data == EarlyDataOutcome::accepted);
    add("three");
    CHECK(talk.client.info().early_data_accepted == all.size());
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().early_data_accepted == all.size());
    CHECK(as_text(talk.server.early_received()) == all);
    CHECK(talk.client.take_unaccepted_early_data().empty());
    // Then it is too late, which is no failure.
    const auto late = talk.client.add_early_data(tlsconnect::replay_safe(as_bytes("late")));
    CHECK((!late && late.error().code() == ErrorCode::already_connected));
    CHECK(talk.client.take_unaccepted_early_data().empty());
    check_data_both_ways(talk);
  }
}

TEST_CASE("pieces of early data count against one limit", "[early][pieces][limit]") {
  for (const bool accepted : {true, false}) {
    CAPTURE(accepted);
    Early limited({}, {}, 8);
    limited.server.accept_early_data = accepted;
    Talk talk = limited.client.talk(limited.server, "abc");
    for (const char* piece : {"def", "ghi", "jkl"})
      REQUIRE(talk.client.add_early_data(tlsconnect::replay_safe(as_bytes(piece))));
    talk.to_server();
    CHECK(as_text(talk.server.early_received()) == "abcdefgh");
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().early_data_accepted == (accepted ? 8U : 0U));
    CHECK(as_text(talk.client.take_unaccepted_early_data()) == (accepted ? "ijkl" : "abcdefghijkl"));
  }
}

TEST_CASE("pieces of early data respect the server's record_size_limit once it is known", "[early][pieces]") {
  Early limited;
  Talk talk = limited.client.talk(limited.server, std::string(300, 'a'));
  CHECK(talk.server.records().back().content.size() == 300);
  Plan first;
  for (const char* name : {"ServerHello", "handshake keys", "EncryptedExtensions"}) {
    first.append(talk.plan[name]);
    talk.plan.drop(name);
  }
  first["EncryptedExtensions"].with_extension(ExtensionType::record_size_limit, {0, 100});
  talk.server.run(first);
  talk.to_client();
  const std::size_t before = talk.server.records().size();
  REQUIRE(talk.client.add_early_data(tlsconnect::replay_safe(as_bytes(std::string(300, 'b')))));
  talk.to_server();
  REQUIRE(talk.server.records().size() > before);
  for (std::size_t i = before; i < talk.server.records().size(); ++i)
    CHECK(talk.server.records()[i].inner <= 100);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(as_text(talk.server.early_received()) == std::string(300, 'a') + std::string(300, 'b'));
  // And so does what comes after.
  const std::size_t after = talk.server.records().size();
  REQUIRE(talk.client.encrypt_all(as_bytes(std::string(300, 'c'))));
  talk.exchange();
  REQUIRE(talk.server.records().size() > after);
  CHECK(talk.server.records().back().inner <= 100);
}

TEST_CASE("a piece that comes when early data is over waits for the caller", "[early][pieces]") {
  // No session at all.
  Client alone;
  Talk without = alone.talk({}, "", true);
  CHECK(!offers(without.server.hello(), ExtensionType::early_data));
  REQUIRE(without.client.add_early_data(tlsconnect::replay_safe(as_bytes("piece"))));
  without.handshake();
  REQUIRE(outcome_of(without) == connected());
  CHECK(as_text(without.client.take_unaccepted_early_data()) == "piece");
  CHECK(without.server.received().empty());

  // Rejected, in EncryptedExtensions and by a retry.
  Early rejected;
  rejected.server.accept_early_data = false;
  Talk talk = rejected.client.talk(rejected.server, "one");
  Plan first;
  for (const char* name : {"ServerHello", "handshake keys", "EncryptedExtensions"}) {
    first.append(talk.plan[name]);
    talk.plan.drop(name);
  }
  talk.server.run(first);
  talk.to_client();
  REQUIRE(talk.client.info().early_data == EarlyDataOutcome::rejected);
  REQUIRE(talk.client.add_early_data(tlsconnect::replay_safe(as_bytes("two"))));
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  check_rejected(talk, "onetwo");

  Early retried({.configure = two_groups});
  Talk again = retried.client.talk(retried.server, "one");
  again.retry(NamedGroup::secp256r1);
  REQUIRE(again.client.add_early_data(tlsconnect::replay_safe(as_bytes("two"))));
  again.handshake();
  REQUIRE(outcome_of(again) == connected());
  check_rejected(again, "onetwo");
}

TEST_CASE("early data that was offered and never came", "[early][pieces]") {
  for (const bool accepted : {true, false}) {
    CAPTURE(accepted);
    Early empty;
    empty.server.accept_early_data = accepted;
    Talk talk = empty.client.talk(empty.server, "", true);
    REQUIRE(offers(talk.server.hello(), ExtensionType::early_data));
    CHECK(talk.server.records().size() == 1);
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(talk.client.info().early_data == (accepted ? EarlyDataOutcome::accepted : EarlyDataOutcome::rejected));
    // RFC 9846, E.4: the change_cipher_spec goes before the first protected record.
    const std::vector<Passed> all = passed(talk.server);
    CHECK(all.at(1) == clear(change_cipher_spec));
    CHECK(std::count(all.begin(), all.end(), clear(change_cipher_spec)) == 1);
    check_data_both_ways(talk);
  }
}

// ---- rejected ----

TEST_CASE("early data is rejected in EncryptedExtensions", "[early][rejected]") {
  Early early_client;
  early_client.server.accept_early_data = false;
  Talk talk = early_client.talk();
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().resumed());
  check_rejected(talk);
  check_data_both_ways(talk);
  // No EndOfEarlyData, and no second change_cipher_spec.
  CHECK(passed(talk.server) == std::vector<Passed>{clear(handshake_record), clear(change_cipher_spec),
                                                   early(data_record), under(1, handshake_record),
                                                   under(2, data_record)});
  CHECK(talk.server.messages().size() == 1);
}

TEST_CASE("early data is rejected with the key", "[early][rejected]") {
  for (const int why : {0, 1, 2}) {
    CAPTURE(why);
    Early early_client({.quick = false});
    if (why == 0)
      early_client.server.decline_psks = true;
    if (why == 1)
      early_client.server.suite = aes256;
    if (why == 2) { // the server has forgotten the ticket: it cannot read early data, and passes over it
      early_client.server.psks.clear();
      early_client.server.pass_over_unreadable = true;
    }
    Talk talk = early_client.talk();
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == PskUse::none);
    CHECK(talk.client.info().peer_chain.size() == 1);
    check_rejected(talk);
    check_data_both_ways(talk);
    std::vector<Passed> expected{clear(handshake_record), clear(change_cipher_spec), early(data_record),
                                 under(1, handshake_record), under(2, data_record)};
    if (why == 2)
      expected.erase(expected.begin() + 2);
    CHECK(passed(talk.server) == expected);
  }
}

TEST_CASE("early data is rejected by a retry", "[early][rejected][retry]") {
  for (const bool compatible : {true, false})
    for (const bool cookie : {true, false}) {
      CAPTURE(compatible, cookie);
      Early early_client({.configure = [=](auto& builder) {
        two_groups(builder);
        builder.compatibility_mode(compatible);
      }});
      Talk talk = early_client.talk();
      CHECK(as_text(talk.server.early_received()) == question);
      if (cookie)
        talk.retry(std::nullopt, ByteVector{1, 2, 3});
      else
        talk.retry(NamedGroup::secp256r1);
      REQUIRE(talk.server.hellos().size() == 2);
      // RFC 9846, 4.1.2: early_data is gone, the key is not.
      CHECK(!offers(talk.server.hellos()[1], ExtensionType::early_data));
      CHECK(talk.server.hellos()[1].psks.size() == 1);
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().resumed());
      check_rejected(talk);
      check_data_both_ways(talk);
      std::vector<Passed> expected{clear(handshake_record), early(data_record), clear(handshake_record),
                                   under(1, handshake_record), under(2, data_record)};
      // RFC 9846, E.4: behind the first hello, and not again.
      if (compatible)
        expected.insert(expected.begin() + 1, clear(change_cipher_spec));
      CHECK(passed(talk.server) == expected);
    }
}

TEST_CASE("a retry that takes the key away takes the early data, too", "[early][rejected][retry]") {
  Early early_client({.configure = two_groups});
  early_client.server.suite = aes256;
  Talk talk = early_client.talk();
  talk.retry(NamedGroup::secp256r1);
  CHECK(talk.server.hello().psks.empty());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(!talk.client.info().resumed());
  check_rejected(talk);
}

// ---- over a transport ----

namespace {

/// A server behind a Line: it answers when it has the first hello whole.
struct Remote {
  ScriptedServer server;
  Line line;
  bool retry = false;
  std::size_t answered = 0;

  explicit Remote(ServerOptions options) : server(std::move(options)) {
    line.peer = [this](BytesView bytes) {
      server.feed(bytes);
      if (server.hellos().size() > answered) {
        ++answered;
        if (retry && answered == 1)
          server.run(server.retry_plan(NamedGroup::secp256r1));
        else
          server.run(server.honest_plan());
      }
      return server.take_output();
    };
  }
};

enum class How { accepted, rejected, declined, retried };

} // namespace

TEST_CASE("a transport that would block while early data is under way", "[early][transport]") {
  std::string data(40'000, 'q');
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>('a' + i % 23);
  const std::function<Act(const Call&)> rules[] = {
      [](const Call&) { return Act::go(); },
      // Every third call.
      [](const Call& call) { return call.index % 3 == 0 ? Act::block(call) : Act::go(1'000); },
      // Takes the hello and no more, until three reads have passed.
      [](const Call& call) {
        if (call.is_write() && call.index == 0)
          return Act::go(700);
        return call.is_write() && call.index < 9 ? Act::block(call) : Act::go();
      },
      // Small pieces.
      [](const Call& call) { return call.index % 5 < 2 ? Act::block(call) : Act::go(97); },
  };
  for (const How how : {How::accepted, How::rejected, How::declined, How::retried})
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      CAPTURE(static_cast<int>(how), i);
      Client client{.configure = two_groups};
      const KnownPsk psk = client.establish({.max_early_data = 30'000});
      Remote remote({.psks = {psk},
                     .decline_psks = how == How::declined,
                     .accept_early_data = how == How::accepted || how == How::retried});
      remote.retry = how == How::retried;
      remote.line.rule = rules[i];
      const tlsconnect::ConfigPtr config = make_config({.configure = [&](auto& builder) {
        two_groups(builder);
        builder.clock(client.clock).session_store(client.store);
      }});
      tlsconnect::Connector connector(config, value_of(tlsconnect::ServerName::parse("server.test")),
                                      ScriptedTransport(remote.line), tlsconnect::replay_safe(as_bytes(data)));
      std::optional<tlsconnect::Stream<ScriptedTransport>> stream;
      for (int round = 0; round < 20'000 && !stream; ++round) {
        auto connected = connector.connect();
        if (connected)
          stream.emplace(std::move(*connected));
        else
          REQUIRE(connected.error().is_would_block());
      }
      REQUIRE(stream);
      CHECK(remote.server.client_finished());
      CHECK(remote.server.alerts().empty());
      // What the server has taken and what comes back is what was given.
      std::string all;
      if (how == How::accepted) {
        CHECK(stream->info().early_data == EarlyDataOutcome::accepted);
        CHECK(stream->info().early_data_accepted == 30'000);
        all = as_text(remote.server.early_received());
        CHECK(all.size() == 30'000);
      } else {
        CHECK(stream->info().early_data == EarlyDataOutcome::rejected);
      }
      all += as_text(stream->take_unaccepted_early_data());
      CHECK(all == data);
    }
}

TEST_CASE("a connector that fails gives early data back", "[early][transport]") {
  Early early_client;
  Remote remote(early_client.server);
  remote.line.peer = {};
  remote.line.inbound_ends = true;
  const tlsconnect::ConfigPtr config = make_config({.configure = [&](auto& builder) {
    builder.clock(early_client.client.clock).session_store(early_client.client.store);
  }});
  tlsconnect::Connector connector(config, value_of(tlsconnect::ServerName::parse("server.test")),
                                  ScriptedTransport(remote.line), tlsconnect::replay_safe(as_bytes(question)));
  ByteVector exported(32);
  CHECK(connector.export_early_keying_material("EXPERIMENTAL test", {}, exported));
  const auto outcome = connector.connect();
  REQUIRE(!outcome);
  CHECK(outcome.error().is_truncated());
  CHECK(as_text(connector.take_unaccepted_early_data()) == question);
  CHECK(connector.take_unaccepted_early_data().empty());
}
