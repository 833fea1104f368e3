// What a ServerHello of TLS 1.2 may say, and what happens to one that says something else (RFC 5246, 7.4.1.3).
#include <algorithm>
#include <array>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

Outcome hello_with(std::function<void(HelloDraft&)> change, TalkOptions12 options = {}) {
  return handshake12_with([&](Plan12& plan) { plan["ServerHello"].edit_hello(std::move(change)); }, std::move(options));
}
Outcome extension_with(ExtensionType type, const ByteVector& body, TalkOptions12 options = {}) {
  return handshake12_with([&](Plan12& plan) { plan["ServerHello"].with_extension(type, body); }, std::move(options));
}
const TalkOptions12 both = {.configure = both_versions};

} // namespace

TEST_CASE("ServerHello of TLS 1.2: no other version", "[server_hello12]") {
  for (const unsigned version :
       {0x0000U, 0x0002U, 0x0200U, 0x0300U, 0x0301U, 0x0302U, 0x0304U, 0x0305U, 0xFEFDU, 0x0A0AU})
    for (const TalkOptions12& options : {TalkOptions12{}, both}) {
      CAPTURE(version);
      CHECK(hello_with([&](HelloDraft& hello) { hello.legacy_version = static_cast<std::uint16_t>(version); },
                       options) == refused(ErrorCode::version_unsupported, Alert::protocol_version));
    }
}

TEST_CASE("a client of TLS 1.3 alone refuses a server of TLS 1.2", "[server_hello12]") {
  const auto only13 = [](auto& builder) { builder.versions({ProtocolVersion::tls1_3}); };
  const TalkOptions12 options = {.server = {.suite = ecdsa_aes128}, .configure = only13};
  CHECK(handshake12_with([](Plan12&) {}, options) == refused(ErrorCode::version_unsupported, Alert::protocol_version));
  TalkOptions12 marked = options;
  marked.server.downgrade_sentinel = true;
  CHECK(handshake12_with([](Plan12&) {}, marked) == refused(ErrorCode::downgrade_detected, Alert::illegal_parameter));
}

TEST_CASE("ServerHello of TLS 1.2: the marks of a downgrade", "[server_hello12]") {
  const auto marked = [](const std::array<std::uint8_t, 8>& tail, const TalkOptions12& options) {
    return hello_with([tail](HelloDraft& hello) { std::copy(tail.begin(), tail.end(), hello.random.end() - 8); },
                      options);
  };
  const Outcome downgraded = refused(ErrorCode::downgrade_detected, Alert::illegal_parameter);
  // Who offered TLS 1.3 was to have it.
  CHECK(marked(tlsconnect::downgrade_to_tls12, both) == downgraded);
  CHECK(marked(tlsconnect::downgrade_to_tls12_by_jdk11, both) == downgraded);
  CHECK(marked(tlsconnect::downgrade_to_tls11, both) == downgraded);
  // Who offered TLS 1.2 has it, but the mark for less than that is wrong.
  TalkOptions12 only12 = {.server = {.downgrade_sentinel = true}};
  CHECK(handshake12_with([](Plan12&) {}, only12) == connected());
  CHECK(marked(tlsconnect::downgrade_to_tls11, {}) == downgraded);
  // An older version with either mark is a downgrade, too.
  for (const auto& tail : {tlsconnect::downgrade_to_tls12, tlsconnect::downgrade_to_tls11})
    CHECK(hello_with(
              [tail](HelloDraft& hello) {
                hello.legacy_version = 0x0302;
                std::copy(tail.begin(), tail.end(), hello.random.end() - 8);
              },
              both) == downgraded);
  // All of the eight bytes count. (The server has signed another random than this.)
  for (std::size_t place = 0; place < 8; ++place) {
    auto almost = tlsconnect::downgrade_to_tls12;
    almost[place] ^= 0x40U;
    CHECK(marked(almost, both) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
  }
}

TEST_CASE("after a HelloRetryRequest there is no TLS 1.2", "[server_hello12]") {
  for (const bool marked : {false, true}) {
    Talk talk({.configure = [](auto& builder) {
      both_versions(builder);
      builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
    }});
    talk.retry(NamedGroup::secp256r1);
    REQUIRE(talk.server.hellos().size() == 2);
    talk.plan["ServerHello"].edit_hello([marked](HelloDraft& hello) {
      hello.suite = ecdsa_aes128;
      hello.session_id.clear();
      hello.extensions =
          ExtensionList{{ExtensionType::renegotiation_info, {0}}, {ExtensionType::extended_main_secret, {}}};
      if (marked)
        std::copy(tlsconnect::downgrade_to_tls12.begin(), tlsconnect::downgrade_to_tls12.end(), hello.random.end() - 8);
    });
    Plan only_hello;
    only_hello.append(talk.plan["ServerHello"]);
    talk.server.run(only_hello);
    talk.exchange();
    CHECK(outcome_of(talk) == (marked ? refused(ErrorCode::downgrade_detected, Alert::illegal_parameter)
                                      : refused(ErrorCode::version_changed, Alert::illegal_parameter)));
  }
}

TEST_CASE("a HelloRetryRequest of TLS 1.2 does not exist", "[server_hello12]") {
  const auto retry = [](HelloDraft& hello) { hello.random = tlsconnect::hello_retry_request_random; };
  CHECK(hello_with(retry, both) == refused(ErrorCode::version_unsupported, Alert::protocol_version));
  // To a client of TLS 1.2 that random is one like any other, but the server signs another.
  CHECK(hello_with(retry) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
}

TEST_CASE("ServerHello of TLS 1.2: the session id", "[server_hello12]") {
  // Any length up to 32 names a session.
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{31}, std::size_t{32}})
    CHECK(hello_with([size](HelloDraft& hello) { hello.session_id.assign(size, 5); }) == connected());
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id.assign(33, 5); }) ==
        refused(ErrorCode::field_out_of_range, Alert::decode_error));
  // What a client of TLS 1.3 puts there for middleboxes names none.
  Talk12 talk(both);
  const ByteVector id = tlsconnect::to_vector(talk.server.hello().fields.legacy_session_id);
  REQUIRE(id.size() == 32);
  talk.plan["ServerHello"].edit_hello([id](HelloDraft& hello) { hello.session_id = id; });
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::session_not_offered, Alert::illegal_parameter));
  // An id that differs in one byte is one of the server's own.
  Talk12 other(both);
  other.plan["ServerHello"].edit_hello([id](HelloDraft& hello) {
    hello.session_id = id;
    hello.session_id.back() ^= 1U;
  });
  other.handshake();
  CHECK(outcome_of(other) == connected());
}

TEST_CASE("ServerHello of TLS 1.2: only a suite that was offered, and one of TLS 1.2", "[server_hello12]") {
  const auto narrow = [](auto& builder) {
    both_versions(builder);
    builder.cipher_suites({CipherSuite::aes_128_gcm_sha256, ecdsa_aes128});
  };
  for (const unsigned suite : {0x1301U, 0x1302U, 0x0000U, 0x002FU, 0x000AU, 0x00FFU, 0x5600U, 0x0A0AU, 0xC009U, 0xC013U,
                               0x009EU, 0xC02CU, 0xC02FU, 0xCCA9U, 0xD001U, 0x00A8U, 0xFFFFU}) {
    CAPTURE(suite);
    CHECK(hello_with([suite](HelloDraft& hello) { hello.suite = static_cast<CipherSuite>(suite); },
                     {.configure = narrow}) == refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter));
  }
}

TEST_CASE("ServerHello of TLS 1.2: no compression", "[server_hello12]") {
  for (const std::uint8_t method : {std::uint8_t{1}, std::uint8_t{64}, std::uint8_t{255}})
    CHECK(hello_with([method](HelloDraft& hello) { hello.compression = method; }) ==
          refused(ErrorCode::compression_not_null, Alert::illegal_parameter));
}

TEST_CASE("ServerHello of TLS 1.2: extensions nobody asked for", "[server_hello12]") {
  for (const unsigned type : {16U, 5U, 18U, 14U, 1U, 15U, 19U, 20U, 28U, 1234U, 0x0A0AU, 0xFFFFU}) {
    CAPTURE(type);
    CHECK(extension_with(static_cast<ExtensionType>(type), {}, {.configure = [](auto& builder) { plain(builder); }}) ==
          refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
  }
  // Without the client's store there is no session_ticket to answer.
  CHECK(extension_with(ExtensionType::session_ticket, {}, {.configure = plain}) ==
        refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
}

TEST_CASE("ServerHello of TLS 1.2: extensions that stand elsewhere", "[server_hello12]") {
  const Outcome misplaced = refused(ErrorCode::extension_misplaced, Alert::illegal_parameter);
  const Outcome unsolicited = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
  for (const ExtensionType type :
       {ExtensionType::pre_shared_key, ExtensionType::cookie, ExtensionType::early_data, ExtensionType::padding,
        ExtensionType::post_handshake_auth, ExtensionType::compress_certificate, ExtensionType::certificate_authorities,
        ExtensionType::oid_filters, ExtensionType::encrypted_client_hello}) {
    CAPTURE(static_cast<unsigned>(type));
    CHECK(extension_with(type, {}) == unsolicited);
    CHECK(extension_with(type, {}, both) == unsolicited);
  }
  for (const ExtensionType type : {ExtensionType::key_share, ExtensionType::psk_key_exchange_modes}) {
    CHECK(extension_with(type, {}) == unsolicited);
    CHECK(extension_with(type, {}, both) == misplaced);
  }
  for (const ExtensionType type : {ExtensionType::signature_algorithms, ExtensionType::signature_algorithms_cert})
    CHECK(extension_with(type, {}) == misplaced);
  // TLS 1.3 is not selected by a server of a client that did not offer it.
  CHECK(extension_with(ExtensionType::supported_versions, {3, 4}) == unsolicited);
  // And TLS 1.2 not this way (RFC 9846, 4.2.1).
  CHECK(extension_with(ExtensionType::supported_versions, {3, 3}, both) ==
        refused(ErrorCode::version_not_offered, Alert::illegal_parameter));
}

TEST_CASE("ServerHello of TLS 1.2: no extension twice", "[server_hello12]") {
  for (const ExtensionType type : {ExtensionType::renegotiation_info, ExtensionType::extended_main_secret,
                                   ExtensionType::ec_point_formats, static_cast<ExtensionType>(0x7777)})
    CHECK(hello_with([type](HelloDraft& hello) {
            const RawExt* found = find_extension(*hello.extensions, type);
            const RawExt copy = found ? *found : RawExt{type, {}};
            if (!found)
              hello.extensions->push_back(copy);
            hello.extensions->push_back(copy);
          }) == refused(ErrorCode::extension_duplicate, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: renegotiation_info is empty in a first handshake", "[server_hello12]") {
  const Outcome wrong = refused(ErrorCode::renegotiation_info_wrong, Alert::handshake_failure);
  CHECK(extension_with(ExtensionType::renegotiation_info, {1, 0}) == wrong);
  ByteVector verify_data(13, 7);
  verify_data[0] = 12;
  CHECK(extension_with(ExtensionType::renegotiation_info, verify_data) == wrong);
  CHECK(extension_with(ExtensionType::renegotiation_info, {}) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(extension_with(ExtensionType::renegotiation_info, {1}) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(extension_with(ExtensionType::renegotiation_info, {0, 0}) ==
        refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: the extended main secret", "[server_hello12]") {
  CHECK(handshake12_with([](Plan12&) {}, {.server = {.extended_main_secret = false}}) ==
        refused(ErrorCode::extended_main_secret_missing, Alert::handshake_failure));
  CHECK(handshake12_with([](Plan12&) {}, {.server = {.extended_main_secret = false}, .configure = both_versions}) ==
        refused(ErrorCode::extended_main_secret_missing, Alert::handshake_failure));
  // Each side derives what the ServerHello says: when they disagree, nothing comes of it.
  for (const bool server : {false, true}) {
    Talk12 talk({.server = {.extended_main_secret = server}, .configure = without_extended_main_secret});
    if (server)
      talk.plan["ServerHello"].without_extension(ExtensionType::extended_main_secret);
    else
      talk.plan["ServerHello"].with_extension(ExtensionType::extended_main_secret, {});
    talk.server.run(talk.plan);
    talk.to_client();
    CHECK_THROWS(talk.to_server());
  }
}

TEST_CASE("ServerHello of TLS 1.2: extensions that are empty", "[server_hello12]") {
  const Outcome trailing = refused(ErrorCode::message_trailing_bytes, Alert::decode_error);
  CHECK(extension_with(ExtensionType::extended_main_secret, {0}) == trailing);
  CHECK(extension_with(ExtensionType::session_ticket, {0}) == trailing);
  CHECK(extension_with(ExtensionType::status_request, {1, 0, 0, 0, 0},
                       {.configure = [](auto& builder) { builder.status_request(true); }}) == trailing);
  CHECK(extension_with(ExtensionType::server_name, {0, 0}) ==
        refused(ErrorCode::server_name_not_empty, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: the uncompressed point format is always there", "[server_hello12]") {
  const Outcome wrong = refused(ErrorCode::point_formats_wrong, Alert::illegal_parameter);
  CHECK(extension_with(ExtensionType::ec_point_formats, {1, 1}) == wrong);
  CHECK(extension_with(ExtensionType::ec_point_formats, {2, 1, 2}) == wrong);
  CHECK(extension_with(ExtensionType::ec_point_formats, {3, 2, 1, 0}) == connected());
  CHECK(extension_with(ExtensionType::ec_point_formats, {0}) ==
        refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(extension_with(ExtensionType::ec_point_formats, {}) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(extension_with(ExtensionType::ec_point_formats, {1, 0, 0}) ==
        refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: ALPN", "[server_hello12]") {
  const TalkOptions12 options = {.configure = [](auto& builder) { builder.alpn({"h2", "http/1.1"}); }};
  const auto names = ExtensionType::application_layer_protocol_negotiation;
  CHECK(extension_with(names, {0, 3, 2, 'h', '2'}, options) == connected());
  CHECK(extension_with(names, {0, 3, 2, 'h', '3'}, options) ==
        refused(ErrorCode::alpn_not_offered, Alert::illegal_parameter));
  CHECK(!extension_with(names, {0, 6, 2, 'h', '2', 2, 'h', '2'}, options).complete);
  CHECK(!extension_with(names, {0, 0}, options).complete);
  CHECK(extension_with(names, {0, 1, 0}, options) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: timestamps are a list", "[server_hello12]") {
  const TalkOptions12 options = {.configure = [](auto& builder) { builder.signed_certificate_timestamps(true); }};
  const auto type = ExtensionType::signed_certificate_timestamp;
  CHECK(extension_with(type, {0, 4, 0, 2, 1, 2}, options) == connected());
  CHECK(extension_with(type, {}, options) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(extension_with(type, {0, 0}, options) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(extension_with(type, {0, 2, 0, 0}, options) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
}

TEST_CASE("ServerHello of TLS 1.2: record_size_limit", "[server_hello12]") {
  const TalkOptions12 options = {.configure = [](auto& builder) { builder.record_size_limit(1'000); }};
  const auto type = ExtensionType::record_size_limit;
  CHECK(extension_with(type, {0, 63}, options) ==
        refused(ErrorCode::record_size_limit_invalid, Alert::illegal_parameter));
  CHECK(extension_with(type, {1}, options) == refused(ErrorCode::message_truncated, Alert::decode_error));
  for (const std::size_t size : {std::size_t{1'000}, std::size_t{1'001}}) {
    // RFC 8449, 4: the content alone counts, both ways.
    Talk12 talk(options);
    talk.plan["ServerHello"].with_extension(type, {0, 100});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    REQUIRE(talk.client.encrypt_all(ByteVector(250, 1)));
    talk.exchange();
    std::vector<std::size_t> sizes;
    for (const SeenRecord& record : talk.server.records())
      if (record.type == ContentType::application_data)
        sizes.push_back(record.content.size());
    CHECK(sizes == std::vector<std::size_t>{100, 100, 50});
    talk.server.send_data(std::string(size, 'x'));
    talk.exchange();
    CHECK(outcome_of(talk) ==
          (size == 1'000 ? connected() : refused_later(ErrorCode::record_overflow, Alert::record_overflow)));
  }
}

TEST_CASE("TLS 1.2: raw public keys", "[server_hello12]") {
  class Any final : public tlsconnect::RawPublicKeyVerifier {
  public:
    explicit Any(ByteVector key) : key_(std::move(key)) {}
    tlsconnect::Result<std::string> verify(const tlsconnect::PublicKey& key,
                                           const tlsconnect::ServerName&) const noexcept override {
      if (!tlsconnect::equal(key.spki(), key_))
        return tlsconnect::fail(ErrorCode::certificate_rejected, "Any");
      return std::string("known");
    }

  private:
    ByteVector key_;
  };
  const ByteVector key = server_identity().key().public_der();
  const auto options = [](const ByteVector& known) {
    return TalkOptions12{
        .configure = [known](auto& builder) { builder.raw_public_keys(std::make_shared<Any>(known)); }};
  };
  const auto shown = [&](const ByteVector& spki, std::size_t more, const TalkOptions12& with) {
    return handshake12_with(
        [&](Plan12& plan) {
          plan["ServerHello"].with_extension(ExtensionType::server_certificate_type, {2});
          ByteVector body{0, static_cast<std::uint8_t>(spki.size() >> 8), static_cast<std::uint8_t>(spki.size())};
          append(body, spki);
          body.resize(body.size() + more);
          plan["Certificate"].replace(body);
        },
        with);
  };
  CHECK(shown(key, 0, options(key)) == connected());
  CHECK(shown(key, 0, options({1})) == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
  CHECK(shown(key, 1, options(key)) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  CHECK(shown({}, 0, options(key)) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(shown({0x30, 0}, 0, options(key)) == refused(ErrorCode::certificate_malformed, Alert::decode_error));
  // Another key than the one that signs.
  const ByteVector other = Key::cached(KeyType::p256, 7).public_der();
  CHECK(shown(other, 0, options(other)) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
  // Certificates, as before.
  CHECK(extension_with(ExtensionType::server_certificate_type, {0}, options(key)) == connected());
  const Outcome not_offered = refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate);
  CHECK(extension_with(ExtensionType::server_certificate_type, {1}, options(key)) == not_offered);
  CHECK(extension_with(ExtensionType::server_certificate_type, {}, options(key)) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
}

TEST_CASE("nothing but a ServerHello comes first", "[server_hello12]") {
  for (const HandshakeType type :
       {HandshakeType::certificate, HandshakeType::server_key_exchange, HandshakeType::server_hello_done,
        HandshakeType::finished, HandshakeType::new_session_ticket, HandshakeType::client_hello}) {
    Talk12 talk;
    talk.server.send(type, {});
    talk.exchange();
    CHECK(outcome_of(talk) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
  }
}
