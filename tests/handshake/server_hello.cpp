// What a ServerHello may say, and what happens to one that says something else (RFC 9846, 4.1.3).
#include <algorithm>
#include <array>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

Outcome hello_with(std::function<void(HelloDraft&)> change, TalkOptions options = {}) {
  return handshake_with([&](Plan& plan) { plan["ServerHello"].edit_hello(std::move(change)); }, std::move(options));
}

ExtensionList& extensions(HelloDraft& hello) { return hello.extensions.value(); }

void select_version(HelloDraft& hello, std::uint16_t version) {
  set_extension(extensions(hello), ExtensionType::supported_versions,
                {static_cast<std::uint8_t>(version >> 8), static_cast<std::uint8_t>(version)});
}

} // namespace

TEST_CASE("ServerHello: only TLS 1.3 may be selected", "[server_hello]") {
  // Older versions, the next one, drafts of TLS 1.3 and GREASE.
  for (const unsigned version :
       {0x0300U, 0x0301U, 0x0302U, 0x0303U, 0x0305U, 0x7F12U, 0x7F17U, 0x7F1CU, 0x0A0AU, 0xFEFDU, 0x0000U, 0xFFFFU}) {
    CAPTURE(version);
    CHECK(hello_with([&](HelloDraft& hello) { select_version(hello, static_cast<std::uint16_t>(version)); }) ==
          refused(ErrorCode::version_not_offered, Alert::illegal_parameter));
  }
}

TEST_CASE("ServerHello: the body of supported_versions is exactly two bytes", "[server_hello]") {
  const std::vector<std::pair<ByteVector, ErrorCode>> rows = {
      {{}, ErrorCode::message_truncated},
      {{3}, ErrorCode::message_truncated},
      {{3, 4, 0}, ErrorCode::message_trailing_bytes},
  };
  for (const auto& [body, error] : rows)
    CHECK(hello_with([&](HelloDraft& hello) {
            set_extension(extensions(hello), ExtensionType::supported_versions, body);
          }) == refused(error, Alert::decode_error));
}

TEST_CASE("ServerHello: without supported_versions it is an older version", "[server_hello]") {
  const auto older = [](std::uint16_t legacy, std::array<std::uint8_t, 8> tail, bool with_extensions = true) {
    return hello_with([=](HelloDraft& hello) {
      hello.legacy_version = legacy;
      std::copy(tail.begin(), tail.end(), hello.random.end() - 8);
      drop_extension(extensions(hello), ExtensionType::supported_versions);
      if (!with_extensions)
        hello.extensions.reset();
    });
  };
  const std::array<std::uint8_t, 8> plain{1, 2, 3, 4, 5, 6, 7, 8};
  for (const unsigned legacy : {0x0300U, 0x0301U, 0x0302U, 0x0303U, 0x0304U}) {
    CAPTURE(legacy);
    const auto version = static_cast<std::uint16_t>(legacy);
    for (const bool with_extensions : {true, false}) {
      CHECK(older(version, plain, with_extensions) == refused(ErrorCode::version_unsupported, Alert::protocol_version));
      // RFC 9846, 4.1.3: with one of these two marks it is the work of somebody in between.
      CHECK(older(version, tlsconnect::downgrade_to_tls12, with_extensions) ==
            refused(ErrorCode::downgrade_detected, Alert::illegal_parameter));
      CHECK(older(version, tlsconnect::downgrade_to_tls11, with_extensions) ==
            refused(ErrorCode::downgrade_detected, Alert::illegal_parameter));
    }
  }
  // Almost the mark.
  CHECK(older(0x0303, {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44, 0x02}) ==
        refused(ErrorCode::version_unsupported, Alert::protocol_version));
}

TEST_CASE("ServerHello: the marks of a downgrade mean nothing in TLS 1.3", "[server_hello]") {
  CHECK(hello_with([](HelloDraft& hello) {
          std::copy(tlsconnect::downgrade_to_tls12.begin(), tlsconnect::downgrade_to_tls12.end(),
                    hello.random.end() - 8);
        }) == connected());
}

TEST_CASE("ServerHello: the legacy version is that of TLS 1.2", "[server_hello]") {
  // RFC 9846, 4.1.3 asks for this alert.
  for (const unsigned version : {0x0000U, 0x0300U, 0x0301U, 0x0302U, 0x0304U, 0xFFFFU}) {
    CAPTURE(version);
    CHECK(hello_with([&](HelloDraft& hello) { hello.legacy_version = static_cast<std::uint16_t>(version); }) ==
          refused(ErrorCode::legacy_version_wrong, Alert::protocol_version));
  }
}

TEST_CASE("ServerHello: the session id comes back as it went", "[server_hello]") {
  const Outcome wrong = refused(ErrorCode::session_id_not_echoed, Alert::illegal_parameter);
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id.clear(); }) == wrong);
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id[31] ^= 1U; }) == wrong);
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id[0] ^= 0x80U; }) == wrong);
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id.pop_back(); }) == wrong);
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id.push_back(0); }) ==
        refused(ErrorCode::field_out_of_range, Alert::decode_error));
  // Without compatibility mode an empty one is sent.
  const TalkOptions plain{.configure = [](auto& builder) { builder.compatibility_mode(false); }};
  CHECK(hello_with([](HelloDraft& hello) { CHECK(hello.session_id.empty()); }, plain) == connected());
  CHECK(hello_with([](HelloDraft& hello) { hello.session_id = {1}; }, plain) == wrong);
}

TEST_CASE("ServerHello: only a suite that was offered", "[server_hello]") {
  const Outcome wrong = refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter);
  // Unknown, of TLS 1.2, CCM of TLS 1.3 (which this library does not have), the signalling values, GREASE.
  for (const unsigned suite : {0x0000U, 0xC02FU, 0x1304U, 0x1305U, 0x00FFU, 0x5600U, 0x0A0AU, 0xFFFFU}) {
    CAPTURE(suite);
    CHECK(hello_with([&](HelloDraft& hello) { hello.suite = static_cast<CipherSuite>(suite); }) == wrong);
  }
  // One that the library knows, but this connection did not offer.
  const TalkOptions one{.configure = [](auto& builder) { builder.cipher_suites({CipherSuite::aes_256_gcm_sha384}); }};
  CHECK(hello_with([](HelloDraft& hello) { hello.suite = CipherSuite::aes_128_gcm_sha256; }, one) == wrong);
  CHECK(hello_with([](HelloDraft& hello) { hello.suite = CipherSuite::chacha20_poly1305_sha256; }, one) == wrong);
}

TEST_CASE("ServerHello: no compression", "[server_hello]") {
  for (const unsigned method : {1U, 64U, 255U})
    CHECK(hello_with([&](HelloDraft& hello) { hello.compression = static_cast<std::uint8_t>(method); }) ==
          refused(ErrorCode::compression_not_null, Alert::decode_error));
}

TEST_CASE("ServerHello: there must be a key share", "[server_hello]") {
  CHECK(hello_with([](HelloDraft& hello) { drop_extension(extensions(hello), ExtensionType::key_share); }) ==
        refused(ErrorCode::extension_missing, Alert::missing_extension));
}

TEST_CASE("ServerHello: the share is of a group that a share was sent for", "[server_hello]") {
  const auto share_of = [](NamedGroup group, std::size_t size, TalkOptions options = {}) {
    return hello_with(
        [=](HelloDraft& hello) {
          const ByteVector share(size, 9);
          set_extension(extensions(hello), ExtensionType::key_share, encoded(tlsconnect::KeyShareEntry{group, share}));
        },
        std::move(options));
  };
  const Outcome wrong = refused(ErrorCode::group_not_offered, Alert::illegal_parameter);
  for (const unsigned group : {0x0017U, 0x0018U, 0x001EU, 0x11ECU, 0x0100U, 0x0A0AU, 0x0000U})
    CHECK(share_of(static_cast<NamedGroup>(group), 32) == wrong);
  // Offered, but without a share; and the curve inside a hybrid whose share alone was sent.
  const TalkOptions more{.configure = [](auto& builder) {
    builder.groups({NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1});
    builder.key_shares({NamedGroup::x25519_mlkem768});
  }};
  CHECK(share_of(NamedGroup::secp256r1, 65, more) == wrong);
  CHECK(share_of(NamedGroup::x25519, 32, more) == wrong);
}

TEST_CASE("ServerHello: the share is a valid one for its group", "[server_hello]") {
  const Outcome wrong = refused(ErrorCode::key_share_invalid, Alert::illegal_parameter);
  struct Row {
    NamedGroup group;
    std::function<void(ByteVector&)> change;
  };
  const auto zeros = [](ByteVector& share) { std::fill(share.begin(), share.end(), std::uint8_t{0}); };
  const auto shorter = [](ByteVector& share) { share.pop_back(); };
  const auto longer = [](ByteVector& share) { share.push_back(0); };
  const auto compressed = [](ByteVector& share) { share[0] = 2; };
  const auto off_curve = [](ByteVector& share) { share.back() ^= 1U; };
  std::vector<Row> rows;
  for (const NamedGroup group :
       {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1,
        NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768, NamedGroup::secp384r1_mlkem1024}) {
    rows.push_back({group, zeros});
    rows.push_back({group, shorter});
    rows.push_back({group, longer});
    rows.push_back({group, [](ByteVector& share) { share.resize(1); }});
  }
  for (const NamedGroup group : {NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1}) {
    rows.push_back({group, compressed});
    rows.push_back({group, off_curve});
  }
  // The other points of small order on Curve25519 (RFC 7748, 6.1): 1, and p - 1.
  rows.push_back({NamedGroup::x25519, [](ByteVector& share) {
                    std::fill(share.begin(), share.end(), std::uint8_t{0});
                    share[0] = 1;
                  }});
  rows.push_back({NamedGroup::x25519, [](ByteVector& share) {
                    std::fill(share.begin(), share.end(), std::uint8_t{0xFF});
                    share[0] = 0xEC;
                    share[31] = 0x7F;
                  }});
  for (const Row& row : rows) {
    CAPTURE(name_of(row.group), &row - rows.data());
    CHECK(hello_with(
              [&](HelloDraft& hello) {
                ByteVector body = find_extension(extensions(hello), ExtensionType::key_share)->body;
                ByteVector share(body.begin() + 4, body.end());
                row.change(share);
                set_extension(extensions(hello), ExtensionType::key_share,
                              encoded(tlsconnect::KeyShareEntry{row.group, share}));
              },
              {.configure = [&](auto& builder) { builder.groups({row.group}); }}) == wrong);
  }
}

TEST_CASE("ServerHello: key_share has exactly one entry", "[server_hello]") {
  const auto body_of = [](std::function<void(ByteVector&)> change) {
    return hello_with([&](HelloDraft& hello) {
      ByteVector body = find_extension(extensions(hello), ExtensionType::key_share)->body;
      change(body);
      set_extension(extensions(hello), ExtensionType::key_share, body);
    });
  };
  CHECK(body_of([](ByteVector& body) { body.push_back(0); }) ==
        refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  CHECK(body_of([](ByteVector& body) {
          const ByteVector entry = body;
          body.insert(body.end(), entry.begin(), entry.end());
        }) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  CHECK(body_of([](ByteVector& body) { body.pop_back(); }) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(body_of([](ByteVector& body) { body.resize(2); }) ==
        refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(body_of([](ByteVector& body) { body = {0, 0x1D, 0, 0}; }) ==
        refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(body_of([](ByteVector& body) { body.clear(); }) == refused(ErrorCode::message_truncated, Alert::decode_error));
}

TEST_CASE("ServerHello: the keys change behind it, so it ends its record", "[server_hello][aligned]") {
  CHECK(handshake_with([](Plan& plan) {
          plan["ServerHello"].joined = true;
          plan.after("ServerHello", message_step("EncryptedExtensions in the clear",
                                                 HandshakeType::encrypted_extensions, ByteVector{0, 0}));
        }) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
}

TEST_CASE("ServerHello: nor may the beginning of another message share its record", "[server_hello][aligned]") {
  Talk talk;
  ByteVector record = framed(HandshakeType::server_hello, talk.server.draft_hello().body());
  record.push_back(8); // EncryptedExtensions begins here
  talk.server.send_clear(ContentType::handshake, record);
  CHECK(outcome_of(talk) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
}

TEST_CASE("ServerHello: other messages do not stand in for it", "[server_hello]") {
  for (unsigned type = 0; type < 256; ++type) {
    if (type == static_cast<unsigned>(HandshakeType::server_hello))
      continue;
    CAPTURE(type);
    Talk talk;
    talk.server.send(static_cast<HandshakeType>(type), ByteVector{0, 0});
    CHECK(outcome_of(talk) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
  }
}
