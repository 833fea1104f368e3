// The end of a handshake of TLS 1.2: NewSessionTicket, ChangeCipherSpec and Finished (RFC 5246, 7.1 and 7.4.9; RFC 5077,
// 3.3).
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

const Outcome unexpected = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
const Outcome early = refused(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message);
const Outcome truncated_message = refused(ErrorCode::message_truncated, Alert::decode_error);
const Outcome trailing = refused(ErrorCode::message_trailing_bytes, Alert::decode_error);

Step12 change_cipher_spec(std::string name) {
  return Step12::act(std::move(name), [](ScriptedServer12& server) { server.send_change_cipher_spec(); });
}
/// Both kinds of handshake; in the second the server finishes first.
Outcome both_with(const std::function<void(Plan12&)>& change) {
  const Outcome full = handshake12_with(change);
  Returning12 returning(by_id());
  const Outcome resumed = returning.resume_with(change);
  CHECK(full == resumed);
  return full;
}

} // namespace

// ---- ChangeCipherSpec ----

TEST_CASE("ChangeCipherSpec: not before its time", "[ccs12]") {
  for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"}) {
    CAPTURE(name);
    CHECK(handshake12_with([&](Plan12& plan) { plan.before(name, change_cipher_spec("early")); }) == early);
  }
  // A client of both versions drops it, as long as it may be TLS 1.3: not longer.
  for (const char* name : {"ServerHello", "Certificate"})
    CHECK(handshake12_with([&](Plan12& plan) { plan.before(name, change_cipher_spec("early")); },
                           {.configure = both_versions}) == early);
  // Behind ServerHelloDone it comes too early for the client's flight, but nobody can see that.
  // Before the ticket that was announced:
  CHECK(handshake12_with([](Plan12& plan) { plan.before("NewSessionTicket", change_cipher_spec("early")); },
                         {.server = by_ticket()}) == early);
  CHECK(handshake12_with([](Plan12& plan) { plan.swap("NewSessionTicket", "ChangeCipherSpec"); },
                         {.server = by_ticket()}) == early);
}

TEST_CASE("ChangeCipherSpec: once", "[ccs12]") {
  // The second comes under keys that it is not sealed with; or before them.
  CHECK(both_with([](Plan12& plan) { plan.repeat("ChangeCipherSpec"); }) == early);
  CHECK(both_with([](Plan12& plan) { plan.after("write keys", change_cipher_spec("again")); }) == early);
  CHECK(both_with([](Plan12& plan) {
          plan.after("write keys", Step12::act("sealed", [](ScriptedServer12& server) {
                       server.send_record(ContentType::change_cipher_spec, ByteVector{1});
                     }));
        }) == early);
  CHECK(after_handshake12([](Talk12& talk) { talk.server.send_change_cipher_spec(); }) ==
        refused_later(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message));
  CHECK(after_handshake12([](Talk12& talk) {
          talk.server.send_record(ContentType::change_cipher_spec, ByteVector{1});
        }) == refused_later(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message));
}

TEST_CASE("ChangeCipherSpec: the single byte 1", "[ccs12]") {
  for (const ByteVector& content : std::vector<ByteVector>{{}, {0}, {2}, {255}, {1, 1}, {1, 0}, {0, 1}}) {
    CAPTURE(content);
    CHECK(both_with([&](Plan12& plan) {
            plan["ChangeCipherSpec"].action = [content](ScriptedServer12& server) {
              server.send_clear(ContentType::change_cipher_spec, content);
            };
          }) == refused(ErrorCode::change_cipher_spec_invalid, Alert::illegal_parameter));
  }
}

TEST_CASE("ChangeCipherSpec: not within a message", "[ccs12]") {
  // Part of Finished before it, part behind.
  CHECK(both_with([](Plan12& plan) {
          plan.before("ChangeCipherSpec", Step12::act("part", [](ScriptedServer12& server) {
                        server.send_clear(ContentType::handshake, ByteVector{20, 0});
                      }));
        }) == refused(ErrorCode::handshake_interleaved, Alert::unexpected_message));
}

TEST_CASE("ChangeCipherSpec: not without", "[ccs12]") {
  // Finished in the clear, with right verify_data: as if there were no keys.
  CHECK(both_with([](Plan12& plan) {
          plan.drop("ChangeCipherSpec");
          plan.drop("write keys");
        }) == unexpected);
  // Finished sealed, but nothing announced that.
  CHECK(!both_with([](Plan12& plan) { plan.drop("ChangeCipherSpec"); }).complete);
}

TEST_CASE("behind ChangeCipherSpec everything is sealed", "[ccs12]") {
  const Outcome mac = refused(ErrorCode::bad_record_mac, Alert::bad_record_mac);
  CHECK(both_with([](Plan12& plan) { plan.drop("write keys"); }) == mac);
  CHECK(both_with([](Plan12& plan) {
          plan.after("write keys",
                     Step12::act("other keys", [](ScriptedServer12& server) { server.break_write_key(); }));
        }) == mac);
  CHECK(both_with([](Plan12& plan) {
          plan.after("write keys",
                     Step12::act("skip", [](ScriptedServer12& server) { server.skip_sequence_number(); }));
        }) == mac);
  // Under the keys, but the change is not announced: the client takes it for what it seems to be.
  CHECK(!both_with([](Plan12& plan) {
           plan.swap("ChangeCipherSpec", "write keys");
           plan.drop("ChangeCipherSpec");
         }).complete);
}

TEST_CASE("between ChangeCipherSpec and Finished there is nothing", "[ccs12]") {
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan["NewSessionTicket"].in_transcript = false;
              plan.swap("NewSessionTicket", "ChangeCipherSpec");
              plan.swap("NewSessionTicket", "write keys");
            },
            {.server = by_ticket()}) == early);
  CHECK(both_with([](Plan12& plan) {
          plan.before("Finished", Step12::message("ticket", HandshakeType::new_session_ticket, ByteVector(6)));
          plan["ticket"].in_transcript = false;
        }) == unexpected);
  CHECK(both_with([](Plan12& plan) {
          plan.before("Finished", Step12::act("data", [](ScriptedServer12& server) { server.send_data("early"); }));
        }) == refused(ErrorCode::record_type_unexpected, Alert::unexpected_message));
}

// ---- Finished ----

TEST_CASE("Finished of TLS 1.2: twelve right bytes", "[finished12]") {
  for (const std::size_t place : {std::size_t{0}, std::size_t{5}, std::size_t{11}})
    for (const unsigned bit : {1U, 0x80U})
      CHECK(both_with([=](Plan12& plan) {
              plan["Finished"].edit(
                  [=](ByteVector& body) { body[place] = static_cast<std::uint8_t>(body[place] ^ bit); });
            }) == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{11}, std::size_t{13}, std::size_t{32}}) {
    CAPTURE(size);
    CHECK(both_with([size](Plan12& plan) { plan["Finished"].edit([size](ByteVector& body) { body.resize(size); }); }) ==
          refused(ErrorCode::finished_invalid, Alert::decrypt_error));
  }
}

TEST_CASE("Finished of TLS 1.2: not the client's own, and not that of another handshake", "[finished12]") {
  const Outcome wrong = refused(ErrorCode::finished_invalid, Alert::decrypt_error);
  CHECK(handshake12_with([](Plan12& plan) {
          plan["Finished"].body = [](ScriptedServer12& server) { return server.client_verify_data(); };
        }) == wrong);
  CHECK(handshake12_with([](Plan12& plan) {
          plan["Finished"].body = [](ScriptedServer12& server) {
            return tlsconnect::to_vector(value_of(server.main_secret().client_finished(server.transcript())));
          };
        }) == wrong);
  Talk12 other({.seed = 7});
  other.handshake();
  REQUIRE(other.outcome() == connected());
  CHECK(handshake12_with([&](Plan12& plan) { plan["Finished"].replace(other.server.server_verify_data()); }) == wrong);
}

TEST_CASE("Finished of TLS 1.2: not before its time", "[finished12]") {
  for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"})
    CHECK(handshake12_with([&](Plan12& plan) {
            plan.before(name, Step12::message("early", HandshakeType::finished, ByteVector(12)));
          }) == unexpected);
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan.before("NewSessionTicket", Step12::message("early", HandshakeType::finished, ByteVector(12)));
              plan["early"].in_transcript = false;
            },
            {.server = by_ticket()}) == unexpected);
}

TEST_CASE("Finished of TLS 1.2 ends the flight", "[finished12]") {
  CHECK(both_with([](Plan12& plan) {
          plan["Finished"].joined = true;
          plan.append(Step12::message("more", HandshakeType::hello_request, ByteVector{}));
        }) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
  // Once is enough.
  CHECK(after_handshake12([](Talk12& talk) { talk.server.send(HandshakeType::finished, ByteVector(12)); }) ==
        refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("Finished of TLS 1.2 may come in pieces", "[finished12]") {
  CHECK(both_with([](Plan12& plan) { plan["Finished"].fragment = 1; }) == connected());
}

// ---- NewSessionTicket ----

TEST_CASE("NewSessionTicket of TLS 1.2: as announced", "[ticket12]") {
  CHECK(handshake12_with([](Plan12&) {}, {.server = by_ticket()}) == connected());
  // Announced and not sent: RFC 5077, 3.3.
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("NewSessionTicket"); }, {.server = by_ticket()}) == early);
  // Sent and not announced.
  const auto ticket = [](Plan12& plan) {
    plan.before("ChangeCipherSpec", Step12::message("ticket", HandshakeType::new_session_ticket, ByteVector(6)));
  };
  CHECK(handshake12_with(ticket) == unexpected);
  // Twice.
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("NewSessionTicket"); }, {.server = by_ticket()}) == unexpected);
  // After the handshake, as in TLS 1.3.
  CHECK(after_handshake12([](Talk12& talk) { talk.server.send(HandshakeType::new_session_ticket, ByteVector(6)); }) ==
        refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("NewSessionTicket of TLS 1.2: its form", "[ticket12]") {
  const auto body_with = [](const ByteVector& body) {
    return handshake12_with([&](Plan12& plan) { plan["NewSessionTicket"].replace(body); }, {.server = by_ticket()});
  };
  CHECK(body_with({0, 0, 0, 0, 0, 1, 7}) == connected());
  CHECK(body_with({0, 0, 0, 0, 0, 0}) == connected()); // none after all
  CHECK(body_with({0, 0, 0, 0, 0, 1}) == truncated_message);
  CHECK(body_with({0, 0, 0, 0, 0}) == truncated_message);
  CHECK(body_with({}) == truncated_message);
  CHECK(body_with({0, 0, 0, 0, 0, 1, 7, 8}) == trailing);
}

// ---- order ----

TEST_CASE("TLS 1.2: each message of TLS 1.3 and of the client is out of place everywhere", "[order12]") {
  for (const char* name :
       {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "NewSessionTicket", "Finished"})
    for (const HandshakeType type :
         {HandshakeType::client_hello, HandshakeType::client_key_exchange, HandshakeType::certificate_verify,
          HandshakeType::encrypted_extensions, HandshakeType::end_of_early_data, HandshakeType::key_update,
          HandshakeType::compressed_certificate, HandshakeType::message_hash, static_cast<HandshakeType>(99)}) {
      CAPTURE(name, name_of(type));
      CHECK(handshake12_with(
                [&](Plan12& plan) {
                  plan.before(name, Step12::message("strange", type, ByteVector{}));
                  plan["strange"].in_transcript = false;
                },
                {.server = by_ticket()}) == unexpected);
    }
}
