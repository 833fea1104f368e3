// The record layer under a hostile peer (RFC 9846, 5).
#include <string>
#include <string_view>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

constexpr std::size_t full = 16'384;

/// What comes of a record in the clear before the ServerHello.
Outcome first_record(ContentType type, BytesView content) {
  Talk talk;
  talk.server.send_clear(type, content);
  return outcome_of(talk);
}

/// What comes of something that the server does right after the handshake keys are in use.
Outcome after_keys(std::function<void(ScriptedServer&)> action) {
  return handshake_with([&](Plan& plan) { plan.after("handshake keys", action_step("attack", std::move(action))); });
}

const Outcome overflow = refused(ErrorCode::record_overflow, Alert::record_overflow);
const Outcome bad_mac = refused(ErrorCode::bad_record_mac, Alert::bad_record_mac);
const Outcome wrong_type = refused(ErrorCode::record_type_unexpected, Alert::unexpected_message);

} // namespace

// ---- sizes ----

TEST_CASE("records in the clear: at most 2^14 bytes", "[records]") {
  // The length alone is enough to refuse the record.
  for (const unsigned length : {16'385U, 16'640U, 65'535U}) {
    Talk talk;
    talk.server.send_raw(
        ByteVector{22, 3, 3, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
    CHECK(outcome_of(talk) == overflow);
  }
  // As long as may be: a message that fills the record, and is nonsense for other reasons.
  ByteVector message = framed(HandshakeType::server_hello, ByteVector(full - 4, 0xFF));
  CHECK(first_record(ContentType::handshake, message) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
}

TEST_CASE("protected records: at most 2^14 + 256 bytes", "[records]") {
  CHECK(after_keys([](ScriptedServer& server) { server.send_raw(ByteVector{23, 3, 3, 0x41, 0x01}); }) == overflow);
  CHECK(after_keys([](ScriptedServer& server) { server.send_raw(ByteVector{23, 3, 3, 0xFF, 0xFF}); }) == overflow);
  // At the limit it is read, and is then not authentic.
  CHECK(after_keys([](ScriptedServer& server) {
          server.send_clear(ContentType::application_data, ByteVector(full + 256, 1));
        }) == bad_mac);
}

TEST_CASE("protected records: content, type and padding are at most 2^14 + 1 bytes", "[records]") {
  const auto inner = [](std::size_t content, std::size_t padding) {
    return after_handshake([=](Talk& talk) {
      talk.server.send_record(ContentType::application_data, ByteVector(content, 'x'), padding);
      talk.exchange();
      if (!talk.client.failure())
        CHECK(talk.received.size() == content);
    });
  };
  const Outcome too_long = refused_later(ErrorCode::record_overflow, Alert::record_overflow);
  CHECK(inner(full, 0) == connected());
  CHECK(inner(full, 1) == too_long);
  CHECK(inner(full + 1, 0) == too_long);
  CHECK(inner(full - 1, 1) == connected());
  CHECK(inner(1, full - 1) == connected());
  CHECK(inner(1, full) == too_long);
  CHECK(inner(1, full + 239) == too_long);
}

TEST_CASE("change_cipher_spec has no more room than other records in the clear", "[records][ccs]") {
  CHECK(after_keys([](ScriptedServer& server) { server.send_raw(ByteVector{20, 3, 3, 0x40, 0x01}); }) == overflow);
}

TEST_CASE("the version of a protected record is always the same", "[records]") {
  for (const unsigned version : {0x0000U, 0x0300U, 0x0301U, 0x0304U, 0x03FFU, 0x0403U, 0xFFFFU}) {
    Talk talk;
    talk.handshake();
    talk.server.send_data("x");
    ByteVector record = talk.server.take_output();
    record[1] = static_cast<std::uint8_t>(version >> 8);
    record[2] = static_cast<std::uint8_t>(version);
    talk.deliver(record);
    CHECK(outcome_of(talk) == refused_later(ErrorCode::record_version_wrong, Alert::protocol_version));
  }
}

TEST_CASE("the version of an unprotected record is ignored", "[records]") {
  for (const unsigned version : {0x0000U, 0x0300U, 0x0301U, 0x0304U, 0xFFFFU}) {
    Talk talk;
    talk.server.run(Plan{talk.plan["ServerHello"]});
    ByteVector record = talk.server.take_output();
    REQUIRE(record.size() > 5);
    record[1] = static_cast<std::uint8_t>(version >> 8);
    record[2] = static_cast<std::uint8_t>(version);
    talk.deliver(record);
    talk.plan.drop("ServerHello");
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
  }
}

// ---- padding ----

TEST_CASE("padding is taken off every kind of record", "[records][padding]") {
  for (const std::size_t padding : {std::size_t{1}, std::size_t{255}, std::size_t{10'000}}) {
    Talk talk;
    for (const char* name : {"EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"})
      talk.plan[name].padding = padding;
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    const ByteVector zeros(3, 0); // data that ends with what padding is made of
    talk.server.send_record(ContentType::application_data, zeros, padding);
    talk.exchange();
    CHECK(talk.received == zeros);
    talk.server.send_record(ContentType::alert, ByteVector{1, 0}, padding);
    talk.exchange();
    CHECK(talk.client.peer_closed());
  }
}

TEST_CASE("a record of padding alone is refused", "[records][padding]") {
  const Outcome nothing = refused(ErrorCode::record_without_type, Alert::unexpected_message);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, full + 1})
    CHECK(after_keys([=](ScriptedServer& server) { server.send_inner(ByteVector(size, 0)); }) == nothing);
  CHECK(after_handshake([](Talk& talk) { talk.server.send_inner(ByteVector(5, 0)); }) ==
        refused_later(ErrorCode::record_without_type, Alert::unexpected_message));
}

// ---- protection ----

TEST_CASE("records shorter than their tag", "[records][protection]") {
  for (std::size_t size = 0; size < 16; ++size)
    CHECK(after_keys([=](ScriptedServer& server) {
            server.send_clear(ContentType::application_data, ByteVector(size, 0));
          }) == bad_mac);
}

TEST_CASE("any changed bit of a protected record", "[records][protection]") {
  for (const CipherSuite suite :
       {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
    const TalkOptions options{.server = {.suite = suite}};
    for (const std::size_t place :
         {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{9}, std::size_t{10}, std::size_t{26}}) {
      CAPTURE(name_of(suite), place);
      CHECK(after_handshake(
                [&](Talk& talk) {
                  talk.server.send_data("12345");
                  ByteVector record = talk.server.take_output();
                  REQUIRE(record.size() == 5 + 5 + 1 + 16);
                  record[place] ^= 0x10U;
                  talk.deliver(record);
                  CHECK(talk.received.empty());
                },
                options) == (place == 1 || place == 2 // the version
                                 ? refused_later(ErrorCode::record_version_wrong, Alert::protocol_version)
                                 : refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac)));
    }
  }
}

TEST_CASE("records that are repeated, left out or exchanged", "[records][protection]") {
  const auto order = [](std::vector<int> wanted) {
    return after_handshake([&](Talk& talk) {
      std::vector<ByteVector> records;
      for (const char* text : {"one", "two", "three"}) {
        talk.server.send_data(text);
        records.push_back(talk.server.take_output());
      }
      for (const int index : wanted)
        talk.deliver(records[static_cast<std::size_t>(index)]);
    });
  };
  const Outcome wrong = refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac);
  CHECK(order({0, 1, 2}) == connected());
  CHECK(order({0, 0}) == wrong);
  CHECK(order({0, 2}) == wrong);
  CHECK(order({1, 0}) == wrong);
}

TEST_CASE("records under a wrong key", "[records][protection]") {
  CHECK(after_keys([](ScriptedServer& server) { server.break_write_key(); }) == bad_mac);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.break_write_key();
          talk.server.send_data("x");
        }) == refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac));
  // The handshake's key does not do for application data.
  CHECK(handshake_with([](Plan& plan) {
          plan.before("application keys", action_step("early", [](ScriptedServer& server) { server.send_data("x"); }));
        }) == refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac));
}

TEST_CASE("nothing in the clear once there are keys", "[records][protection]") {
  CHECK(after_keys([](ScriptedServer& server) {
          server.send_clear(ContentType::handshake, framed(HandshakeType::encrypted_extensions, ByteVector{0, 0}));
        }) == bad_mac);
  CHECK(after_keys([](ScriptedServer& server) { server.send_clear(ContentType::alert, ByteVector{2, 40}); }) ==
        wrong_type);
  CHECK(after_keys([](ScriptedServer& server) { server.send_clear(ContentType::alert, ByteVector{1, 0}); }) ==
        wrong_type);
  CHECK(after_keys([](ScriptedServer& server) {
          server.send_clear(ContentType::application_data, tlsconnect::as_bytes("attack at dawn, in the clear"));
        }) == bad_mac);
  const Outcome later = refused_later(ErrorCode::record_type_unexpected, Alert::unexpected_message);
  CHECK(after_handshake([](Talk& talk) { talk.server.send_clear(ContentType::alert, ByteVector{1, 0}); }) == later);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send_clear(ContentType::handshake, framed(HandshakeType::key_update, ByteVector{0}));
        }) == refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac));
}

TEST_CASE("no application data before the server has finished", "[records][protection]") {
  CHECK(first_record(ContentType::application_data, ByteVector(40, 1)) == wrong_type);
  CHECK(first_record(ContentType::application_data, {}) == wrong_type);
  for (const char* after : {"handshake keys", "EncryptedExtensions", "Certificate", "CertificateVerify"}) {
    CHECK(handshake_with([&](Plan& plan) {
            plan.after(after, action_step("data", [](ScriptedServer& server) { server.send_data("early"); }));
          }) == wrong_type);
    CHECK(handshake_with([&](Plan& plan) {
            plan.after(after, action_step("empty data", [](ScriptedServer& server) { server.send_data(""); }));
          }) == wrong_type);
  }
}

// ---- types ----

TEST_CASE("what is not TLS is said to be so", "[records][types]") {
  const Outcome not_tls = refused(ErrorCode::not_tls, Alert::unexpected_message);
  for (const std::string_view text :
       {std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string_view("SSH-2.0-OpenSSH_9.2\r\n"),
        std::string_view("220 mail.example ESMTP\r\n"), std::string_view("H")}) {
    Talk talk;
    talk.server.send_raw(tlsconnect::as_bytes(text));
    CHECK(outcome_of(talk) == not_tls);
  }
  for (const unsigned type : {0U, 1U, 19U, 24U, 25U, 128U, 255U}) {
    CAPTURE(type);
    CHECK(first_record(static_cast<ContentType>(type), ByteVector{1}) == not_tls);
  }
}

TEST_CASE("unknown types later on", "[records][types]") {
  for (const unsigned type : {0U, 1U, 19U, 24U, 25U, 255U}) {
    CAPTURE(type);
    CHECK(after_keys([=](ScriptedServer& server) {
            server.send_clear(static_cast<ContentType>(type), ByteVector{1});
          }) == wrong_type);
  }
  // And inside a protected record; change_cipher_spec is one of them (RFC 9846, 5).
  for (const unsigned type : {1U, 19U, 20U, 24U, 25U, 255U}) {
    CAPTURE(type);
    CHECK(after_keys([=](ScriptedServer& server) {
            server.send_record(static_cast<ContentType>(type), ByteVector{1});
          }) == wrong_type);
    CHECK(after_handshake([=](Talk& talk) {
            talk.server.send_record(static_cast<ContentType>(type), ByteVector{1});
          }) == refused_later(ErrorCode::record_type_unexpected, Alert::unexpected_message));
  }
}

// ---- records without content ----

TEST_CASE("handshake and alert records have content", "[records][empty]") {
  const Outcome empty = refused(ErrorCode::record_empty, Alert::unexpected_message);
  for (const ContentType type : {ContentType::handshake, ContentType::alert}) {
    CHECK(first_record(type, {}) == empty);
    CHECK(after_keys([=](ScriptedServer& server) { server.send_record(type, {}); }) == empty);
    CHECK(after_keys([=](ScriptedServer& server) { server.send_record(type, {}, 100); }) == empty);
    CHECK(after_handshake([=](Talk& talk) { talk.server.send_record(type, {}); }) ==
          refused_later(ErrorCode::record_empty, Alert::unexpected_message));
  }
  // In the middle of a message too.
  Talk talk;
  const ByteVector hello = framed(HandshakeType::server_hello, talk.server.draft_hello().body());
  talk.server.send_clear(ContentType::handshake, BytesView(hello).first(10));
  talk.server.send_clear(ContentType::handshake, {});
  CHECK(outcome_of(talk) == empty);
}

TEST_CASE("application data may be empty, but not for ever", "[records][empty]") {
  const auto empty_ones = [](unsigned count) {
    return after_handshake([=](Talk& talk) {
      for (int round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < count; ++i)
          talk.server.send_record(ContentType::application_data, {}, i % 3);
        talk.server.send_data("x"); // which starts the count again
      }
      talk.exchange();
      CHECK((talk.client.failure() || talk.received.size() == 2));
    });
  };
  CHECK(empty_ones(tlsconnect::limits::empty_records) == connected());
  CHECK(empty_ones(tlsconnect::limits::empty_records + 1) ==
        refused_later(ErrorCode::too_many_empty_records, Alert::unexpected_message));
}

TEST_CASE("a message between them starts the count of empty records again", "[records][empty]") {
  const auto around_a_ticket = [](unsigned count) {
    return after_handshake([=](Talk& talk) {
      for (int round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < count; ++i)
          talk.server.send_data("");
        talk.server.send_ticket();
      }
    });
  };
  CHECK(around_a_ticket(tlsconnect::limits::empty_records) == connected());
  CHECK(around_a_ticket(tlsconnect::limits::empty_records + 1) ==
        refused_later(ErrorCode::too_many_empty_records, Alert::unexpected_message));
}

// ---- memory ----

TEST_CASE("the receive buffer is large only while a large record arrives", "[records][memory]") {
  Talk talk;
  talk.handshake();
  const auto room = [&] {
    talk.client.release_buffers();
    return talk.client.receive_buffer().size();
  };
  const std::size_t small = room();
  REQUIRE(small < full / 2);
  talk.server.send_data(std::string(full, 'x'));
  const ByteVector record = talk.server.take_output();
  // Its header is enough to know how large it will be.
  talk.deliver(BytesView(record).first(5));
  CHECK(talk.client.receive_buffer().size() >= record.size() - 5);
  talk.deliver(BytesView(record).subspan(5));
  CHECK(talk.received.size() == full);
  CHECK(room() == small);
}

// ---- interleaving ----

TEST_CASE("nothing comes between the parts of a message", "[records][interleaving]") {
  const Outcome interleaved = refused(ErrorCode::handshake_interleaved, Alert::unexpected_message);
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{20}}) {
    CAPTURE(part);
    Talk talk;
    const ByteVector hello = framed(HandshakeType::server_hello, talk.server.draft_hello().body());
    talk.server.send_clear(ContentType::handshake, BytesView(hello).first(part));
    talk.server.send_clear(ContentType::alert, ByteVector{1, 90});
    CHECK(outcome_of(talk) == interleaved);
  }
  CHECK(after_keys([](ScriptedServer& server) {
          server.send_record(ContentType::handshake, ByteVector{8, 0});
          server.send_alert(Alert::close_notify, 1);
        }) == interleaved);
  const Outcome later = refused_later(ErrorCode::handshake_interleaved, Alert::unexpected_message);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send_record(ContentType::handshake, ByteVector{24, 0, 0, 1});
          talk.server.send_data("between");
        }) == later);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send_record(ContentType::handshake, ByteVector{24});
          talk.server.send_record(ContentType::application_data, {});
        }) == later);
  CHECK(after_handshake([](Talk& talk) {
          talk.server.send_record(ContentType::handshake, ByteVector{4});
          talk.server.send_alert(Alert::close_notify, 1);
        }) == later);
}

// ---- change_cipher_spec ----

TEST_CASE("change_cipher_spec is dropped during the handshake", "[records][ccs]") {
  const auto step = [] {
    return action_step("change_cipher_spec", [](ScriptedServer& server) { server.send_change_cipher_spec(); });
  };
  for (const bool compatibility : {true, false})
    for (const char* before :
         {"ServerHello", "handshake keys", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"}) {
      CAPTURE(before, compatibility);
      CHECK(handshake_with([&](Plan& plan) { plan.before(before, step()); }, {.configure = [=](auto& builder) {
                             builder.compatibility_mode(compatibility);
                           }}) == connected());
    }
  // RFC 9846, 5: at any time in between, so also between the parts of a message.
  Talk talk;
  talk.server.run(Plan{talk.plan["ServerHello"]});
  const ByteVector record = talk.server.take_output();
  const BytesView hello = BytesView(record).subspan(5);
  talk.server.send_clear(ContentType::handshake, hello.first(30));
  talk.server.send_change_cipher_spec();
  talk.server.send_clear(ContentType::handshake, hello.subspan(30));
  talk.plan.drop("ServerHello");
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("change_cipher_spec is the byte 1 and nothing else", "[records][ccs]") {
  const Outcome wrong = refused(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message);
  for (const ByteVector& content :
       {ByteVector{}, ByteVector{0}, ByteVector{2}, ByteVector{1, 1}, ByteVector{1, 0}, ByteVector{255}}) {
    CHECK(first_record(ContentType::change_cipher_spec, content) == wrong);
    CHECK(after_keys([&](ScriptedServer& server) { server.send_clear(ContentType::change_cipher_spec, content); }) ==
          wrong);
  }
}

TEST_CASE("change_cipher_spec does not come after the server's Finished", "[records][ccs]") {
  const Outcome wrong = refused_later(ErrorCode::change_cipher_spec_unexpected, Alert::unexpected_message);
  CHECK(handshake_with([](Plan& plan) {
          plan.after("Finished", action_step("change_cipher_spec",
                                             [](ScriptedServer& server) { server.send_change_cipher_spec(); }));
        }) == wrong);
  CHECK(after_handshake([](Talk& talk) { talk.server.send_change_cipher_spec(); }) == wrong);
}

TEST_CASE("change_cipher_spec does not come for ever", "[records][ccs]") {
  const auto count = [](unsigned records) {
    return handshake_with([=](Plan& plan) {
      plan.before("ServerHello", action_step("flood", [=](ScriptedServer& server) {
                    for (unsigned i = 0; i < records; ++i)
                      server.send_change_cipher_spec();
                  }));
    });
  };
  CHECK(count(tlsconnect::limits::change_cipher_specs) == connected());
  CHECK(count(tlsconnect::limits::change_cipher_specs + 1) ==
        refused(ErrorCode::too_many_change_cipher_specs, Alert::unexpected_message));
}
