// Records, alerts and HelloRequests of TLS 1.2 (RFC 5246, 6 and 7.2; RFC 5288, 3; RFC 7905, 2).
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

const Outcome mac_later = refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac);

template <class Action>
void with_each_aead(Action&& action) {
  for (const CipherSuite suite : {ecdsa_aes128, ecdsa_aes256, ecdsa_chacha}) {
    CAPTURE(name_of(suite));
    action(TalkOptions12{.server = {.suite = suite}});
  }
}

} // namespace

TEST_CASE("records of TLS 1.2 say that version once it is agreed", "[records12]") {
  for (const unsigned version : {0x0300U, 0x0301U, 0x0302U, 0x0304U, 0x0000U, 0x0403U, 0x0203U})
    for (const ContentType type :
         {ContentType::handshake, ContentType::alert, ContentType::change_cipher_spec, ContentType::application_data}) {
      CAPTURE(version, static_cast<int>(type));
      CHECK(handshake12_with([&](Plan12& plan) {
              plan.before("Certificate", Step12::act("old", [=](ScriptedServer12& server) {
                            server.send_clear(type, ByteVector{1, 90}, static_cast<std::uint16_t>(version));
                          }));
            }) == refused(ErrorCode::record_version_wrong, Alert::protocol_version));
      CHECK(after_handshake12([&](Talk12& talk) {
              talk.server.send_clear(type, ByteVector(40), static_cast<std::uint16_t>(version));
            }) == refused_later(ErrorCode::record_version_wrong, Alert::protocol_version));
    }
  // Before, it may say any of TLS (E.1).
  Talk12 talk;
  const ByteVector hello = framed(HandshakeType::server_hello, talk.server.draft_hello().body());
  talk.server.send_clear(ContentType::handshake, hello, 0x0301);
  talk.to_client();
  CHECK(talk.client.failure() == nullptr);
}

TEST_CASE("records of TLS 1.2: no content beyond 2^14 bytes", "[records12]") {
  with_each_aead([](const TalkOptions12& options) {
    CHECK(after_handshake12([](Talk12& talk) { talk.server.send_data(std::string(16'384, 'x')); }, options) ==
          connected());
    CHECK(after_handshake12([](Talk12& talk) { talk.server.send_data(std::string(16'385, 'x')); }, options) ==
          refused_later(ErrorCode::record_overflow, Alert::record_overflow));
    CHECK(after_handshake12(
              [](Talk12& talk) {
                talk.server.send_raw(ByteVector{23, 3, 3, 0x48, 0x01}); // 2^14 + 2048 and one more
              },
              options) == refused_later(ErrorCode::record_overflow, Alert::record_overflow));
  });
  // In the clear there is no allowance.
  CHECK(handshake12_with([](Plan12& plan) {
          plan.before("Certificate", Step12::act("long", [](ScriptedServer12& server) {
                        server.send_raw(ByteVector{22, 3, 3, 0x40, 0x01});
                      }));
        }) == refused(ErrorCode::record_overflow, Alert::record_overflow));
}

TEST_CASE("records of TLS 1.2: each bit is authentic", "[records12]") {
  with_each_aead([](const TalkOptions12& options) {
    const std::size_t size = options.server.suite == ecdsa_chacha ? 5 + 4 + 16 : 5 + 8 + 4 + 16;
    for (std::size_t place = 5; place < size; ++place)
      CHECK(after_handshake12(
                [place](Talk12& talk) {
                  ByteVector record = talk.server.sealed_record(ContentType::application_data, ByteVector{1, 2, 3, 4});
                  record[place] ^= 0x10U;
                  talk.server.send_raw(record);
                },
                options) == mac_later);
    // The type and the length are, too.
    CHECK(after_handshake12(
              [](Talk12& talk) {
                ByteVector record = talk.server.sealed_record(ContentType::application_data, ByteVector{1, 0});
                record[0] = 21;
                talk.server.send_raw(record);
              },
              options) == mac_later);
    CHECK(after_handshake12(
              [](Talk12& talk) {
                ByteVector record = talk.server.sealed_record(ContentType::application_data, ByteVector{1, 0});
                record.pop_back();
                --record[4];
                talk.server.send_raw(record);
              },
              options) == mac_later);
  });
}

TEST_CASE("records of TLS 1.2: in order, each once", "[records12]") {
  with_each_aead([](const TalkOptions12& options) {
    // Twice.
    CHECK(after_handshake12(
              [](Talk12& talk) {
                const ByteVector record = talk.server.sealed_record(ContentType::application_data, ByteVector{1});
                talk.server.send_raw(record);
                talk.server.send_raw(record);
              },
              options) == mac_later);
    // Not at all.
    CHECK(after_handshake12(
              [](Talk12& talk) {
                talk.server.skip_sequence_number();
                talk.server.send_data("x");
              },
              options) == mac_later);
    // The other way round.
    CHECK(after_handshake12(
              [](Talk12& talk) {
                const ByteVector first = talk.server.sealed_record(ContentType::application_data, ByteVector{1});
                talk.server.send_data("second");
                talk.server.send_raw(first);
              },
              options) == mac_later);
    // The key starts anew.
    CHECK(after_handshake12(
              [](Talk12& talk) {
                talk.server.start_write_keys();
                talk.server.send_data("x");
              },
              options) == mac_later);
    CHECK(after_handshake12(
              [](Talk12& talk) {
                talk.server.break_write_key();
                talk.server.send_data("x");
              },
              options) == mac_later);
  });
}

TEST_CASE("records of TLS 1.2: what is too short for nonce and tag", "[records12]") {
  with_each_aead([](const TalkOptions12& options) {
    const std::size_t least = options.server.suite == ecdsa_chacha ? 16 : 24;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, least - 1, least})
      CHECK(after_handshake12(
                [size](Talk12& talk) { talk.server.send_clear(ContentType::application_data, ByteVector(size, 7)); },
                options) == mac_later);
  });
}

TEST_CASE("records of TLS 1.2: nothing in the clear once there are keys", "[records12]") {
  for (const ContentType type : {ContentType::handshake, ContentType::alert, ContentType::application_data})
    CHECK(after_handshake12([type](Talk12& talk) { talk.server.send_clear(type, ByteVector{1, 0}); }) == mac_later);
}

TEST_CASE("records of TLS 1.2: a server may number its nonces as it likes", "[records12]") {
  // RFC 5288, 3: the carried part is the sender's own choice. Here it is random.
  Talk12 talk;
  talk.handshake();
  const auto suite = talk.server.parameters();
  const auto block =
      value_of(tlsconnect::KeyBlock12::derive(suite, talk.server.main_secret().view(), talk.server.randoms()));
  auto sealer = value_of(tlsconnect::AeadSealer::create(suite.aead, block.server_key.view()));
  ByteVector nonce = tlsconnect::to_vector(block.server_iv.view());
  append(nonce, ByteVector{9, 8, 7, 6, 5, 4, 3, 2});
  const ByteVector header{0, 0, 0, 0, 0, 0, 0, 1, 23, 3, 3, 0, 2}; // Finished was number 0
  ByteVector text{'h', 'i'};
  ByteVector tag(16);
  value_of(sealer.seal(nonce, header, text, tag));
  ByteVector fragment(nonce.begin() + 4, nonce.end());
  append(fragment, text);
  append(fragment, tag);
  talk.server.send_clear(ContentType::application_data, fragment);
  talk.exchange();
  CHECK(outcome_of(talk) == connected());
  CHECK(tlsconnect::as_text(talk.received) == "hi");
}

TEST_CASE("records of TLS 1.2: the client's nonces never come twice", "[records12]") {
  Talk12 talk;
  talk.server.run(talk.plan);
  talk.to_client();
  ByteVector sent;
  const auto collect = [&] {
    for (BytesView out = talk.client.pending_output(); !out.empty(); out = talk.client.pending_output()) {
      const std::size_t count = out.size();
      append(sent, out);
      talk.server.feed(out);
      talk.client.sent(count);
    }
  };
  collect();
  talk.to_client();
  for (int i = 0; i < 10; ++i)
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("x")));
  collect();
  std::vector<ByteVector> nonces;
  bool sealed = false;
  for (std::size_t at = 0; at < sent.size();) {
    const std::size_t length = static_cast<std::size_t>((sent[at + 3] << 8) | sent[at + 4]);
    if (sealed)
      nonces.emplace_back(sent.begin() + static_cast<std::ptrdiff_t>(at) + 5,
                          sent.begin() + static_cast<std::ptrdiff_t>(at) + 13);
    sealed = sealed || sent[at] == 20;
    at += 5 + length;
  }
  REQUIRE(nonces.size() == 11);
  for (std::size_t i = 0; i < nonces.size(); ++i)
    CHECK(std::count(nonces.begin(), nonces.end(), nonces[i]) == 1);
}

TEST_CASE("records of TLS 1.2: empty ones", "[records12]") {
  const auto data = [](std::size_t count) {
    return after_handshake12([count](Talk12& talk) {
      for (std::size_t i = 0; i < count; ++i)
        talk.server.send_record(ContentType::application_data, {});
      talk.server.send_data("x");
    });
  };
  CHECK(data(32) == connected());
  CHECK(data(33) == refused_later(ErrorCode::too_many_empty_records, Alert::unexpected_message));
  for (const ContentType type : {ContentType::handshake, ContentType::alert}) {
    CHECK(after_handshake12([type](Talk12& talk) { talk.server.send_record(type, {}); }) ==
          refused_later(ErrorCode::record_empty, Alert::unexpected_message));
    CHECK(handshake12_with([type](Plan12& plan) {
            plan.before("Certificate",
                        Step12::act("empty", [type](ScriptedServer12& server) { server.send_record(type, {}); }));
          }) == refused(ErrorCode::record_empty, Alert::unexpected_message));
  }
}

TEST_CASE("TLS 1.2: application data comes after Finished", "[records12]") {
  const Outcome early = refused(ErrorCode::record_type_unexpected, Alert::unexpected_message);
  for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "NewSessionTicket",
                           "ChangeCipherSpec", "Finished"}) {
    CAPTURE(name);
    CHECK(handshake12_with(
              [&](Plan12& plan) {
                plan.before(name, Step12::act("data", [](ScriptedServer12& server) { server.send_data("early"); }));
              },
              {.server = by_ticket()}) == early);
  }
}

TEST_CASE("TLS 1.2: nothing between two parts of a message", "[records12]") {
  const Outcome interleaved = refused(ErrorCode::handshake_interleaved, Alert::unexpected_message);
  for (const ContentType type : {ContentType::alert, ContentType::change_cipher_spec})
    CHECK(handshake12_with([type](Plan12& plan) {
            plan.before("Certificate", Step12::act("part", [type](ScriptedServer12& server) {
                          server.send_clear(ContentType::handshake, ByteVector{11, 0, 0});
                          server.send_clear(type, type == ContentType::alert ? ByteVector{1, 90} : ByteVector{1});
                        }));
          }) == interleaved);
}

// ---- alerts ----

TEST_CASE("TLS 1.2: a fatal alert is the end", "[alerts12]") {
  for (const Alert alert : {Alert::handshake_failure, Alert::internal_error, Alert::no_renegotiation}) {
    CHECK(handshake12_with([&](Plan12& plan) {
            plan.before("Certificate",
                        Step12::act("alert", [&](ScriptedServer12& server) { server.send_alert(alert, 2); }));
          }) == ended(ErrorCode::alert_received));
    Talk12 talk;
    talk.handshake();
    talk.server.send_alert(alert, 2);
    talk.exchange();
    CHECK(talk.outcome() == Outcome{ErrorCode::alert_received, std::nullopt, 0, true});
    CHECK(talk.client.failure()->alert_received() == alert);
  }
}

TEST_CASE("TLS 1.2: warnings are passed over, but not without end", "[alerts12]") {
  const auto warned = [](unsigned count, Alert alert) {
    return handshake12_with([=](Plan12& plan) {
      plan.before("Certificate", Step12::act("alerts", [=](ScriptedServer12& server) {
                    for (unsigned i = 0; i < count; ++i)
                      server.send_alert(alert, 1);
                  }));
    });
  };
  for (const Alert alert : {Alert::unrecognized_name, Alert::user_canceled, Alert::no_renegotiation}) {
    CHECK(warned(4, alert) == connected());
    CHECK(warned(5, alert) == refused(ErrorCode::too_many_warning_alerts, Alert::unexpected_message));
  }
  CHECK(after_handshake12([](Talk12& talk) {
          for (int i = 0; i < 12; ++i) {
            talk.server.send_alert(Alert::no_renegotiation, 1);
            if (i % 4 == 3)
              talk.server.send_data("between");
          }
        }) == connected());
}

TEST_CASE("TLS 1.2: an alert is a warning or fatal, and has two bytes", "[alerts12]") {
  for (const std::uint8_t level : {std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{255}}) {
    CHECK(handshake12_with([level](Plan12& plan) {
            plan.before("Certificate", Step12::act("alert", [level](ScriptedServer12& server) {
                          server.send_alert(Alert::internal_error, level);
                        }));
          }) == refused(ErrorCode::alert_level_unknown, Alert::illegal_parameter));
    CHECK(after_handshake12([level](Talk12& talk) { talk.server.send_alert(Alert::internal_error, level); }) ==
          refused_later(ErrorCode::alert_level_unknown, Alert::illegal_parameter));
  }
  for (const ByteVector& content : std::vector<ByteVector>{{2}, {2, 40, 0}, {2, 40, 2, 40}})
    CHECK(after_handshake12([&](Talk12& talk) { talk.server.send_record(ContentType::alert, content); }) ==
          refused_later(ErrorCode::alert_malformed, Alert::decode_error));
}

TEST_CASE("TLS 1.2: close_notify ends the handshake, too, but is no success", "[alerts12]") {
  Talk12 talk;
  talk.plan.before("ServerKeyExchange",
                   Step12::act("close", [](ScriptedServer12& server) { server.send_alert(Alert::close_notify, 1); }));
  talk.handshake();
  CHECK(talk.client.peer_closed());
  CHECK(!talk.client.handshake_complete());
  CHECK(talk.server.messages().empty());
}

// ---- HelloRequest ----

TEST_CASE("HelloRequest is refused during a handshake", "[hello_request12]") {
  for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "NewSessionTicket",
                           "ChangeCipherSpec", "Finished"}) {
    CAPTURE(name);
    CHECK(handshake12_with(
              [name](Plan12& plan) {
                plan.before(name,
                            Step12::act("request", [](ScriptedServer12& server) { server.send_hello_request(); }));
              },
              {.server = by_ticket()}) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
  }
}

TEST_CASE("HelloRequest after the handshake is refused", "[hello_request12]") {
  CHECK(after_handshake12([](Talk12& talk) { talk.server.send_hello_request(); }) ==
        refused_later(ErrorCode::renegotiation_refused, Alert::no_renegotiation));
  CHECK(after_handshake12([](Talk12& talk) { talk.server.send(HandshakeType::hello_request, ByteVector{0}); }) ==
        refused_later(ErrorCode::message_trailing_bytes, Alert::decode_error));
  // The data before it is good.
  Talk12 talk;
  talk.handshake();
  talk.server.send_data("before");
  talk.server.send_hello_request();
  talk.server.send_data("after");
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "before");
  CHECK(outcome_of(talk) == refused_later(ErrorCode::renegotiation_refused, Alert::no_renegotiation));
}

TEST_CASE("TLS 1.2: after the handshake there is no other message", "[hello_request12]") {
  for (unsigned value = 1; value < 256; ++value)
    CHECK(after_handshake12([value](Talk12& talk) { talk.server.send(static_cast<HandshakeType>(value), {}); }) ==
          refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}
