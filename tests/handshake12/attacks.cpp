// The attacks on TLS 1.2 and older that are on record, by name: each is played, and comes to nothing.
#include <algorithm>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/matchers/catch_matchers.hpp>

#include "support.hpp"

using namespace test;

namespace {

const Outcome unexpected = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
const Outcome early = refused(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message);
const Outcome not_offered = refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter);

Step12 act(std::string name, std::function<void(ScriptedServer12&)> action) {
  return Step12::act(std::move(name), std::move(action));
}
TalkOptions12 rsa_server(CipherSuite suite = rsa_aes128) {
  return {.server = {.identity = server_identity(KeyType::rsa2048), .suite = suite}};
}
/// A body that ends as every signed ServerKeyExchange does.
ByteVector signed_parameters(const ScriptedServer12& server, const ByteVector& parameters) {
  ByteVector content = tlsconnect::to_vector(server.randoms().client);
  append(content, server.randoms().server);
  append(content, parameters);
  ByteVector body = parameters;
  const auto signature = server_identity(KeyType::rsa2048).key().sign("PKCS1v15(SHA-256)", content);
  append(body, ByteVector{4, 1, static_cast<std::uint8_t>(signature.size() >> 8),
                          static_cast<std::uint8_t>(signature.size())});
  append(body, signature);
  return body;
}
ByteVector opaque16(const ByteVector& content) {
  ByteVector out{static_cast<std::uint8_t>(content.size() >> 8), static_cast<std::uint8_t>(content.size())};
  append(out, content);
  return out;
}

/// Between the client and the server, where each byte can be changed.
struct Middle {
  tlsconnect::ClientEngine client;
  ScriptedServer12 server;

  Middle(const TalkOptions12& options, const std::function<void(ByteVector&)>& change_hello)
      : client(make_config(options), value_of(tlsconnect::ServerName::parse(options.name))), server(options.server) {
    ByteVector hello = from_client();
    change_hello(hello);
    server.feed(hello);
  }
  ByteVector from_client() {
    ByteVector all;
    for (BytesView out = client.pending_output(); !out.empty(); out = client.pending_output()) {
      append(all, out);
      client.sent(out.size());
    }
    return all;
  }
  void to_client(BytesView bytes) {
    ByteVector nothing;
    deliver_to(client, bytes, ~std::size_t{0}, nothing);
  }
  [[nodiscard]] std::optional<ErrorCode> error() const {
    return client.failure() ? std::optional(client.failure()->code()) : std::nullopt;
  }
};
/// Where a sequence stands.
std::size_t place_of(const ByteVector& bytes, BytesView part) {
  const auto found = std::search(bytes.begin(), bytes.end(), part.begin(), part.end());
  REQUIRE(found != bytes.end());
  return static_cast<std::size_t>(found - bytes.begin());
}

/// No such suite is accepted, whoever chooses it.
void check_not_offered(std::initializer_list<unsigned> suites, const TalkOptions12& options = {}) {
  for (const unsigned suite : suites) {
    CAPTURE(suite);
    CHECK(handshake12_with(
              [suite](Plan12& plan) {
                plan["ServerHello"].edit_hello(
                    [suite](HelloDraft& hello) { hello.suite = static_cast<CipherSuite>(suite); });
              },
              options) == not_offered);
  }
}

} // namespace

// ---- CVE-2014-0224 ----

TEST_CASE("attack: early ChangeCipherSpec (CVE-2014-0224)", "[attack]") {
  // Somebody between the two makes both sides change their keys before a key was exchanged: then the keys come from the
  // randoms alone, and everybody can make them.
  const auto change = [](ScriptedServer12& server) {
    server.send_change_cipher_spec();
    server.start_write_keys();
  };
  for (const char* name : {"Certificate", "ServerKeyExchange", "ServerHelloDone"}) {
    CAPTURE(name);
    CHECK(handshake12_with([&](Plan12& plan) { plan.before(name, act("early", change)); }) == early);
  }
  // After ServerHelloDone the client takes it, but by then its keys rest on the key exchange.
  Talk12 talk;
  talk.plan.drop("the client's Finished");
  talk.plan["Finished"].replace(ByteVector(12));
  talk.server.run(talk.plan);
  talk.to_client();
  REQUIRE(talk.client.failure() != nullptr);
  CHECK(talk.client.failure()->code() == ErrorCode::bad_record_mac);
  // Nor in a session that is resumed, whose keys rest on that session.
  Returning12 returning(by_id());
  returning.server.sessions[0].main_secret.assign(48, 0);
  CHECK(returning.resume_with([](Plan12& plan) { plan["Finished"].replace(ByteVector(12)); }).error ==
        ErrorCode::bad_record_mac);
}

// ---- SMACK ----

TEST_CASE("attack: SMACK, messages that are skipped", "[attack]") {
  // Each stretch of messages in turn; the server does not wait for anything.
  const std::vector<std::vector<const char*>> steps = {
      {"ServerHello"}, {"Certificate"}, {"ServerKeyExchange"}, {"ServerHelloDone"}, {"ChangeCipherSpec", "write keys"},
      {"Finished"}};
  for (const bool ticket : {false, true})
    for (std::size_t from = 0; from < 4; ++from)
      for (std::size_t to = from + 1; to <= steps.size(); ++to) {
        CAPTURE(ticket, steps[from][0], to);
        Talk12 talk({.server = ticket ? by_ticket() : ServerOptions12{}});
        talk.plan.drop("the client's Finished");
        talk.plan["Finished"].replace(ByteVector(12)); // who skips what, has no right one
        for (std::size_t i = from; i < to; ++i)
          for (const char* name : steps[i])
            talk.plan.drop(name);
        talk.plan.append(Step12::act("data", [](ScriptedServer12& server) {
          server.stop_write_keys();
          server.send_data("trust me");
        }));
        talk.handshake();
        const Outcome outcome = outcome_of(talk);
        CHECK(!outcome.complete);
        CHECK(!talk.client.handshake_complete());
        CHECK(talk.received.empty());
        const bool refusal = outcome.error == ErrorCode::unexpected_message ||
                             outcome.error == ErrorCode::change_cipher_spec_unexpected ||
                             outcome.error == ErrorCode::record_type_unexpected;
        CHECK(refusal);
      }
}

TEST_CASE("attack: SKIP-TLS, straight to Finished", "[attack]") {
  // ServerHello, the victim's certificate, Finished: all in the clear, and then data, in the clear, too.
  Talk12 talk;
  for (const char* name :
       {"ServerKeyExchange", "ServerHelloDone", "the client's Finished", "ChangeCipherSpec", "write keys"})
    talk.plan.drop(name);
  talk.plan["Finished"].replace(ByteVector(12));
  talk.plan.append(act("data", [](ScriptedServer12& server) { server.send_data("trust me"); }));
  talk.handshake();
  CHECK(outcome_of(talk) == unexpected);
  CHECK(talk.received.empty());
}

TEST_CASE("attack: a server without a certificate", "[attack]") {
  // An anonymous handshake under a suite that has none: no Certificate, and an unsigned ServerKeyExchange.
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("Certificate"); }) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) {
          plan.drop("Certificate");
          plan["ServerKeyExchange"].body = [](ScriptedServer12& server) {
            return server.key_exchange_with([](KeyExchangeDraft& draft) { draft.scheme.reset(); });
          };
        }) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan["Certificate"].replace({0, 0, 0}); }) ==
        refused(ErrorCode::certificate_list_empty, Alert::decode_error));
  // ECDH_anon by name.
  check_not_offered({0xC015U, 0xC018U, 0x0018U, 0x0034U, 0x00A6U});
}

// ---- FREAK, Logjam ----

TEST_CASE("attack: FREAK", "[attack]") {
  // RSA_EXPORT suites, and RSA without forward secrecy.
  check_not_offered({0x0003U, 0x0006U, 0x0008U, 0x0062U, 0x0064U, 0x0004U, 0x0005U, 0x000AU, 0x002FU, 0x0035U, 0x003CU,
                     0x009CU, 0x009DU, 0xC09CU},
                    rsa_server());
  // A short RSA key instead of a curve, with the signature of the right one.
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan["ServerKeyExchange"].body = [](ScriptedServer12& server) {
                ByteVector parameters = opaque16(ByteVector(64, 0xC1));
                append(parameters, opaque16({1, 0, 1}));
                return signed_parameters(server, parameters);
              };
            },
            rsa_server()) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  // The static exchange: no ServerKeyExchange at all.
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("ServerKeyExchange"); }, rsa_server()) == unexpected);
}

TEST_CASE("attack: Logjam", "[attack]") {
  // DHE_EXPORT, and DHE.
  check_not_offered(
      {0x0011U, 0x0014U, 0x0063U, 0x0065U, 0x0015U, 0x0016U, 0x0033U, 0x0039U, 0x0067U, 0x009EU, 0x009FU, 0xCCAAU},
      rsa_server());
  // A prime of 512 bits where the curve should be.
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan["ServerKeyExchange"].body = [](ScriptedServer12& server) {
                ByteVector parameters = opaque16(ByteVector(64, 0xFB));
                append(parameters, opaque16({2}));
                append(parameters, opaque16(ByteVector(64, 0x12)));
                return signed_parameters(server, parameters);
              };
            },
            rsa_server()) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  // And the named groups of RFC 7919 are not offered either.
  for (const unsigned group : {0x0100U, 0x0101U, 0x0104U})
    CHECK(handshake12_with([group](Plan12& plan) {
            plan["ServerKeyExchange"].body = [group](ScriptedServer12& server) {
              return server.key_exchange_with(
                  [group](KeyExchangeDraft& draft) { draft.group = static_cast<NamedGroup>(group); });
            };
          }) == refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
}

// ---- triple handshake ----

TEST_CASE("attack: triple handshake", "[attack]") {
  // The first step: a man in the middle makes two connections with the same randoms and the same premaster secret, and
  // another certificate in each. Without the extended main secret both have the same main secret; with it they do not.
  const auto main_secret = [](bool extended, bool attacker) {
    const Identity other = server_root().issue({.common_name = "attacker", .dns = {"server.test"}});
    Talk12 talk({.server = {.identity = attacker ? other : server_identity(), .extended_main_secret = extended},
                 .configure = without_extended_main_secret});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    // What other protocols would bind to is not given out where it is worthless.
    ByteVector out(20);
    CHECK(talk.client.export_keying_material("EXPERIMENTAL", std::nullopt, out).has_value() == extended);
    CHECK(talk.client.tls_unique().has_value() == extended);
    CHECK(talk.client.tls_exporter().has_value() == extended);
    return tlsconnect::to_vector(talk.server.main_secret().view());
  };
  CHECK(main_secret(false, false) == main_secret(false, true));
  CHECK(main_secret(true, false) != main_secret(true, true));

  // By default the client does not go without.
  CHECK(handshake12_with([](Plan12&) {}, {.server = {.extended_main_secret = false}}) ==
        refused(ErrorCode::extended_main_secret_missing, Alert::handshake_failure));

  // The second step: resumption, to make both Finished messages the same. The session keeps to what it was begun with.
  const Outcome changed = refused(ErrorCode::session_extended_main_secret_changed, Alert::handshake_failure);
  for (const ServerOptions12& way : {by_id(), by_ticket()}) {
    Returning12 with(way);
    CHECK(with.resume_with([](Plan12& plan) {
      plan["ServerHello"].without_extension(ExtensionType::extended_main_secret);
    }) == changed);
    ServerOptions12 older = way;
    older.extended_main_secret = false;
    Returning12 without(older, {.configure = without_extended_main_secret});
    CHECK(without.resume_with([](Plan12& plan) {
      plan["ServerHello"].with_extension(ExtensionType::extended_main_secret, {});
    }) == changed);
    // And one that was begun without is not offered by a client that requires it.
    Client12 strict = without.client;
    strict.configure = {};
    (void)without.client.establish(older);
    const Talk12 next = strict.talk();
    CHECK(next.server.hello().fields.legacy_session_id.empty());
    CHECK(find_extension(next.server.hello().extensions, ExtensionType::session_ticket)->body.empty());
  }

  // The third: a renegotiation over the resumed connection. There is none.
  Returning12 last(by_id());
  Talk12 talk = last.talk();
  talk.handshake();
  REQUIRE(talk.outcome() == connected());
  talk.server.send_hello_request();
  talk.exchange();
  CHECK(outcome_of(talk) == refused_later(ErrorCode::renegotiation_refused, Alert::no_renegotiation));
}

// ---- renegotiation injection ----

TEST_CASE("attack: renegotiation injection", "[attack]") {
  // The attacker has begun a connection of its own, and lets the server take the client's first handshake for the
  // renegotiation of that: then the ServerHello holds the attacker's verify_data.
  Talk12 attacker({.seed = 99});
  attacker.handshake();
  ByteVector both = attacker.server.client_verify_data();
  append(both, attacker.server.server_verify_data());
  REQUIRE(both.size() == 24);
  ByteVector info{24};
  append(info, both);
  CHECK(handshake12_with([&](Plan12& plan) {
          plan["ServerHello"].with_extension(ExtensionType::renegotiation_info, info);
        }) == refused(ErrorCode::renegotiation_info_wrong, Alert::handshake_failure));
  // The client's own connection is not renegotiated: not when asked, and not without being asked. What comes behind is
  // not delivered.
  for (const bool asked : {false, true}) {
    Talk12 talk;
    talk.handshake();
    REQUIRE(talk.outcome() == connected());
    talk.server.send_data("before");
    if (asked)
      talk.server.send_hello_request();
    else
      talk.server.send(HandshakeType::server_hello, talk.server.draft_hello().body());
    talk.server.send_data("injected");
    talk.exchange();
    CHECK(tlsconnect::as_text(talk.received) == "before");
    CHECK(outcome_of(talk) == (asked ? refused_later(ErrorCode::renegotiation_refused, Alert::no_renegotiation)
                                     : refused_later(ErrorCode::unexpected_message, Alert::unexpected_message)));
    CHECK(talk.server.hellos().size() == 1);
  }
}

// ---- version downgrade ----

TEST_CASE("attack: version downgrade", "[attack]") {
  // TLS 1.3 is struck out of the ClientHello.
  const auto strike = [](ByteVector& hello) {
    const std::size_t at = place_of(hello, ByteVector{0, 43, 0, 5, 4, 3, 4, 3, 3});
    hello[at + 1] = 77; // an extension that nobody knows
  };
  const auto plain_both = [](auto& builder) {
    both_versions(builder);
    builder.grease(false);
  };
  // The server knows TLS 1.3 and marks its random.
  {
    Middle middle({.server = {.downgrade_sentinel = true}, .configure = plain_both}, strike);
    middle.server.run(middle.server.honest_plan());
    middle.to_client(middle.server.take_output());
    CHECK(middle.error() == ErrorCode::downgrade_detected);
    CHECK(middle.client.failure()->alert_sent() == Alert::illegal_parameter);
  }
  // The mark is struck out, too: the server has signed another random.
  const auto unmark = [](ByteVector& flight) {
    const std::size_t at = place_of(flight, tlsconnect::downgrade_to_tls12);
    std::fill_n(flight.begin() + static_cast<std::ptrdiff_t>(at), 8, std::uint8_t{0});
  };
  {
    Middle middle({.server = {.downgrade_sentinel = true}, .configure = plain_both}, strike);
    middle.server.run(middle.server.honest_plan());
    ByteVector flight = middle.server.take_output();
    unmark(flight);
    middle.to_client(flight);
    CHECK(middle.error() == ErrorCode::signature_invalid);
  }
  // Where nothing is signed, and where the server does not mark anything, the two sides have seen different handshakes:
  // their keys differ, and Finished does not match.
  for (const bool psk : {false, true}) {
    CAPTURE(psk);
    TalkOptions12 options = {.server = {.downgrade_sentinel = psk}, .configure = plain_both};
    if (psk) {
      options.server.psk = shared_psk();
      options.configure = [plain_both](auto& builder) {
        with_psk({CipherSuite::aes_128_gcm_sha256, CipherSuite::ecdhe_psk_aes_128_gcm_sha256})(builder);
        plain_both(builder);
      };
    }
    Middle middle(options, strike);
    Plan12 plan = middle.server.honest_plan();
    plan.drop("the client's Finished");
    Plan12 last;
    for (const char* name : {"ChangeCipherSpec", "write keys", "Finished"}) {
      last.append(plan[name]);
      plan.drop(name);
    }
    middle.server.run(plan);
    ByteVector flight = middle.server.take_output();
    if (psk)
      unmark(flight);
    middle.to_client(flight);
    REQUIRE(!middle.error());
    CHECK_THROWS(middle.server.feed(middle.from_client()));
    middle.server.run(last);
    middle.to_client(middle.server.take_output());
    CHECK(middle.error() == ErrorCode::bad_record_mac);
    CHECK(!middle.client.handshake_complete());
  }
  // Without the extended main secret the keys are the same; then it is Finished that tells.
  {
    Middle middle({.server = {.extended_main_secret = false},
                   .configure =
                       [plain_both](auto& builder) {
                         plain_both(builder);
                         builder.require_extended_main_secret(false);
                       }},
                  strike);
    Plan12 plan = middle.server.honest_plan();
    middle.server.run(plan);
    middle.to_client(middle.server.take_output());
    REQUIRE(!middle.error());
    CHECK_THROWS_WITH(middle.server.feed(middle.from_client()), "test support: the client's Finished is wrong");
    middle.server.proceed();
    middle.to_client(middle.server.take_output());
    CHECK(middle.error() == ErrorCode::finished_invalid);
  }
}

// ---- SLOTH ----

TEST_CASE("attack: SLOTH", "[attack]") {
  // The server signs with MD5 or SHA-1, rightly.
  const Outcome refusal = refused(ErrorCode::signature_scheme_not_offered, Alert::illegal_parameter);
  for (const auto& [key, scheme] :
       std::vector<std::pair<KeyType, SignatureScheme>>{{KeyType::p256, SignatureScheme::ecdsa_sha1},
                                                        {KeyType::rsa2048, SignatureScheme::rsa_pkcs1_sha1},
                                                        {KeyType::rsa2048, static_cast<SignatureScheme>(0x0101)},
                                                        {KeyType::p256, static_cast<SignatureScheme>(0x0103)}})
    CHECK(handshake12_with([](Plan12&) {}, {.server = {.identity = server_identity(key), .scheme = scheme}}) ==
          refusal);
  // The client never offers them, and cannot be brought to.
  const Talk12 talk({.quick = false});
  for (const ExtensionType list : {ExtensionType::signature_algorithms, ExtensionType::signature_algorithms_cert}) {
    const RawExt* found = find_extension(talk.server.hello().extensions, list);
    REQUIRE(found != nullptr);
    for (std::size_t at = 2; at + 1 < found->body.size(); at += 2) {
      const bool greased = (found->body[at] & 0x0FU) == 0x0A;
      CHECK((greased || found->body[at] >= 4));
    }
  }
  for (const SignatureScheme weak :
       {SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha1, static_cast<SignatureScheme>(0x0101)}) {
    auto builder = tlsconnect::ClientConfig::builder();
    builder.verifier(std::make_shared<tlsconnect::DangerousNoVerification>()).signature_schemes({weak});
    CHECK(builder.build().error().code() == ErrorCode::configuration_invalid);
  }
  // And it does not sign with them: client_auth.cpp.
}

// ---- truncation ----

TEST_CASE("attack: truncation", "[attack]") {
  // Everything that the server says, recorded once.
  const TalkOptions12 options = {.server = by_ticket()};
  Talk12 talk(options);
  talk.server.run(talk.plan);
  const ByteVector first = talk.server.take_output();
  talk.deliver(first);
  talk.to_server();
  talk.server.send_data("one");
  talk.server.send_data("two");
  talk.server.send_alert(Alert::close_notify, 1);
  const ByteVector second = talk.server.take_output();
  talk.deliver(second);
  REQUIRE(talk.client.peer_closed());
  REQUIRE(talk.client.handshake_complete());
  REQUIRE(tlsconnect::as_text(talk.received) == "onetwo");

  // Cut at every byte, it ends as a truncation, with whatever was whole before.
  const auto config = make_config(options);
  for (std::size_t cut = 0; cut <= first.size() + second.size(); ++cut) {
    tlsconnect::ClientEngine client(make_config(options), value_of(tlsconnect::ServerName::parse("server.test")));
    ByteVector received;
    const auto flush = [&] {
      for (BytesView out = client.pending_output(); !out.empty(); out = client.pending_output())
        client.sent(out.size());
    };
    flush();
    deliver_to(client, BytesView(first).first(std::min(cut, first.size())), ~std::size_t{0}, received);
    flush();
    if (cut > first.size())
      deliver_to(client, BytesView(second).first(cut - first.size()), ~std::size_t{0}, received);
    client.received_end();
    const bool whole = cut == first.size() + second.size();
    REQUIRE(client.failure() == nullptr);
    REQUIRE(client.peer_closed() == whole);
    REQUIRE(client.truncated() == !whole);
    const std::string_view text = tlsconnect::as_text(received);
    REQUIRE((text.empty() || text == "one" || text == "onetwo"));
    REQUIRE((client.handshake_complete() || text.empty()));
  }
}

// ---- splicing ----

TEST_CASE("attack: records spliced across a key change", "[attack]") {
  // A message that begins in the clear, where anybody could have put it, and ends under the keys.
  for (const std::size_t before : {std::size_t{1}, std::size_t{4}, std::size_t{10}, std::size_t{15}}) {
    CAPTURE(before);
    const auto split = [before](Plan12& plan) {
      plan.drop("Finished");
      plan.before("ChangeCipherSpec", act("part", [before](ScriptedServer12& server) {
                    const ByteVector whole = framed(HandshakeType::finished, server.draft_finished());
                    server.send_clear(ContentType::handshake, BytesView(whole).first(before));
                  }));
      plan.append(act("rest", [before](ScriptedServer12& server) {
        const ByteVector whole = framed(HandshakeType::finished, server.server_verify_data());
        server.send_record(ContentType::handshake, BytesView(whole).subspan(before));
      }));
    };
    CHECK(handshake12_with(split) == refused(ErrorCode::handshake_interleaved, Alert::unexpected_message));
    CHECK(Returning12(by_id()).resume_with(split) ==
          refused(ErrorCode::handshake_interleaved, Alert::unexpected_message));
  }
  // What stands behind ServerHelloDone in its record was said before the client had a key.
  CHECK(handshake12_with([](Plan12& plan) {
          plan["ServerHelloDone"].joined = true;
          plan.after("ServerHelloDone", Step12::message("ticket", HandshakeType::new_session_ticket, ByteVector(6)));
        }) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
  // A record of another connection to the same server, and the client's own, sent back.
  const Outcome mac = refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac);
  Talk12 other({.seed = 5});
  other.handshake();
  REQUIRE(other.outcome() == connected());
  const ByteVector foreign = other.server.sealed_record(ContentType::application_data, ByteVector{1});
  CHECK(after_handshake12([&](Talk12& talk) { talk.server.send_raw(foreign); }) == mac);
  Talk12 talk;
  talk.handshake();
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("mirror")));
  const ByteVector own = tlsconnect::to_vector(talk.client.pending_output());
  talk.to_server();
  talk.server.send_raw(own);
  talk.exchange();
  CHECK(outcome_of(talk) == mac);
}

// ---- resumption of what is not this server's ----

TEST_CASE("attack: unexpected resumption of another server's session", "[attack]") {
  for (const bool by_name : {false, true}) {
    CAPTURE(by_name);
    Client12 client;
    const ServerOptions12 first = by_id();
    const KnownSession session = client.establish(first);
    REQUIRE(client.store->kept.size() == 1);
    if (by_name)
      client.name = "other.test";
    else
      client.quick = false; // the same name, but judged by other trust
    Talk12 talk = client.talk();
    // It is not offered.
    CHECK(talk.server.hello().fields.legacy_session_id.empty());
    CHECK(client.store->kept.size() == 1);
    // A server that resumes it all the same, with its main secret (it may be the same machine, or a thief of sessions),
    // is taken for one that begins a new session, and has to show a certificate.
    Plan12 plan;
    plan.append(talk.plan["ServerHello"]);
    plan["ServerHello"].edit_hello([&](HelloDraft& hello) { hello.session_id = session.session_id; });
    for (const char* name : {"ChangeCipherSpec", "write keys"})
      plan.append(talk.plan[name]);
    plan.append(Step12::message("Finished", HandshakeType::finished, ByteVector(12)));
    talk.server.run(plan);
    talk.exchange();
    CHECK(outcome_of(talk) == early);
  }
  // Nor does a store that mixes them up make it be offered.
  Client12 client;
  (void)client.establish(by_id());
  tlsconnect::Session session = std::move(client.store->kept[0].second);
  const std::string key = client.store->kept[0].first;
  client.store->kept.clear();
  session.server_name = "other.test";
  client.store->put(key, std::move(session));
  CHECK(client.talk().server.hello().fields.legacy_session_id.empty());
}
