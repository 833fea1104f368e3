// HelloRetryRequest and the second ClientHello (RFC 9846, 4.1.2, 4.1.4 and 4.2.8).
#include <algorithm>
#include <vector>

#include <tlsconnect/crypto/key_exchange.hpp>

#include "support.hpp"

using namespace test;

namespace {

/// Offers three groups and sends a share for the first.
TalkOptions three_groups() {
  return {.configure = [](tlsconnect::ClientConfig::Builder& builder) {
    builder.groups({NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1});
  }};
}

const ByteVector cookie{0xC0, 0x0C, 0x1E};

/// The outcome of a HelloRetryRequest that a test has changed.
Outcome retry_with(std::function<void(HelloDraft&)> change, std::optional<NamedGroup> group = NamedGroup::secp256r1,
                   TalkOptions options = three_groups()) {
  Talk talk(std::move(options));
  Plan retry = talk.server.retry_plan(group);
  retry["HelloRetryRequest"].edit_hello(std::move(change));
  talk.retry(retry);
  if (!talk.client.failure())
    talk.handshake();
  return outcome_of(talk);
}

std::vector<ExtensionType> types_of(const ExtensionList& extensions) {
  std::vector<ExtensionType> types;
  for (const RawExt& extension : extensions)
    types.push_back(extension.type);
  return types;
}

/// RFC 9846, 4.1.2: what may differ between the two hellos, and nothing else.
void check_second_hello(const Talk& talk, std::optional<NamedGroup> group,
                        const std::optional<ByteVector>& asked_cookie) {
  REQUIRE(talk.server.hellos().size() == 2);
  const SeenHello& first = talk.server.hellos()[0];
  const SeenHello& second = talk.server.hellos()[1];
  CHECK(second.fields.legacy_version == first.fields.legacy_version);
  CHECK(second.fields.random == first.fields.random);
  CHECK(tlsconnect::equal(second.fields.legacy_session_id, first.fields.legacy_session_id));
  REQUIRE(second.fields.cipher_suites.size() == first.fields.cipher_suites.size());
  for (std::size_t i = 0; i < first.fields.cipher_suites.size(); ++i)
    CHECK(second.fields.cipher_suites[i] == first.fields.cipher_suites[i]);
  CHECK(tlsconnect::equal(second.fields.legacy_compression_methods, first.fields.legacy_compression_methods));

  ExtensionList expected = first.extensions;
  ExtensionList found = second.extensions;
  const RawExt* sent_cookie = find_extension(found, ExtensionType::cookie);
  REQUIRE((sent_cookie != nullptr) == asked_cookie.has_value());
  if (asked_cookie)
    CHECK(sent_cookie->body == encoded(tlsconnect::Cookie{*asked_cookie}));
  drop_extension(found, ExtensionType::cookie);
  CHECK(types_of(found) == types_of(expected));
  if (group) {
    REQUIRE(second.shares.size() == 1);
    CHECK(second.shares[0].first == *group);
    CHECK(second.shares[0].second.size() == tlsconnect::lengths_of(*group)->client_share);
    drop_extension(found, ExtensionType::key_share);
    drop_extension(expected, ExtensionType::key_share);
  }
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i].body == expected[i].body);
}

} // namespace

TEST_CASE("a retry with another group", "[retry]") {
  for (const NamedGroup group : {NamedGroup::secp256r1, NamedGroup::secp384r1}) {
    Talk talk(three_groups());
    talk.retry(group);
    check_second_hello(talk, group, std::nullopt);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().group == group);
    CHECK(talk.client.info().hello_retry_request);
  }
}

TEST_CASE("a retry with a cookie keeps the shares", "[retry]") {
  Talk talk(three_groups());
  talk.retry(std::nullopt, cookie);
  check_second_hello(talk, std::nullopt, cookie);
  CHECK(talk.server.hellos()[1].shares == talk.server.hellos()[0].shares);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("a retry with both", "[retry]") {
  Talk talk(three_groups());
  talk.retry(NamedGroup::secp384r1, cookie);
  check_second_hello(talk, NamedGroup::secp384r1, cookie);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("cookies of every size that fits come back whole", "[retry]") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{255}, std::size_t{256}, std::size_t{20'000}}) {
    Talk talk(three_groups());
    const ByteVector large(size, 0x5A);
    talk.retry(std::nullopt, large);
    check_second_hello(talk, std::nullopt, large);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("retries from a hybrid to a curve and back", "[retry]") {
  for (const bool to_hybrid : {true, false}) {
    const NamedGroup asked = to_hybrid ? NamedGroup::x25519_mlkem768 : NamedGroup::secp256r1;
    Talk talk({.configure = [&](auto& builder) {
      builder.groups({NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1});
      builder.hybrid(to_hybrid ? tlsconnect::HybridPolicy::offer_only : tlsconnect::HybridPolicy::send_share);
    }});
    talk.retry(asked);
    check_second_hello(talk, asked, std::nullopt);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().group == asked);
  }
}

TEST_CASE("a client that sends no shares waits to be asked", "[retry]") {
  const TalkOptions none{.configure = [](auto& builder) {
    builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
    builder.key_shares({});
  }};
  Talk talk(none);
  CHECK(talk.server.hello().shares.empty());
  talk.retry(NamedGroup::x25519);
  check_second_hello(talk, NamedGroup::x25519, std::nullopt);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  // A ServerHello at once has no group to choose.
  CHECK(handshake_with([](Plan&) {}, none) == refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
}

TEST_CASE("a new share is a new key", "[retry]") {
  // The curve inside the hybrid was drawn before; asked for by itself, it is drawn again.
  Talk talk({.configure = [](auto& builder) {
    builder.groups({NamedGroup::x25519_mlkem768, NamedGroup::x25519});
    builder.key_shares({NamedGroup::x25519_mlkem768});
  }});
  const ByteVector hybrid = talk.server.hello().shares.at(0).second;
  talk.retry(NamedGroup::x25519);
  const ByteVector curve = talk.server.hello().shares.at(0).second;
  CHECK(std::search(hybrid.begin(), hybrid.end(), curve.begin(), curve.end()) == hybrid.end());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("change_cipher_spec stands before the second ClientHello in compatibility mode", "[retry]") {
  const auto types = [](bool compatibility) {
    TalkOptions options = three_groups();
    options.configure = [inner = options.configure, compatibility](auto& builder) {
      inner(builder);
      builder.compatibility_mode(compatibility);
    };
    Talk talk(std::move(options));
    talk.retry(NamedGroup::secp256r1);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    std::vector<ContentType> seen;
    for (const SeenRecord& record : talk.server.records())
      seen.push_back(record.outer);
    // RFC 9846, 5.1: the version of the first ClientHello's record is free, of all others it is 0x0303.
    for (std::size_t i = 1; i < talk.server.records().size(); ++i)
      CHECK(talk.server.records()[i].version == 0x0303);
    return seen;
  };
  // RFC 9846, E.4: once, and there.
  CHECK(types(true) == std::vector{ContentType::handshake, ContentType::change_cipher_spec, ContentType::handshake,
                                   ContentType::application_data});
  CHECK(types(false) == std::vector{ContentType::handshake, ContentType::handshake, ContentType::application_data});
}

TEST_CASE("change_cipher_spec stands before the last flight when there was no retry", "[retry]") {
  const auto types = [](bool compatibility) {
    Talk talk({.configure = [&](auto& builder) { builder.compatibility_mode(compatibility); }});
    talk.handshake();
    std::vector<ContentType> seen;
    for (const SeenRecord& record : talk.server.records())
      seen.push_back(record.outer);
    return seen;
  };
  CHECK(types(true) ==
        std::vector{ContentType::handshake, ContentType::change_cipher_spec, ContentType::application_data});
  CHECK(types(false) == std::vector{ContentType::handshake, ContentType::application_data});
}

TEST_CASE("a second retry is refused", "[retry]") {
  for (const bool different : {false, true}) {
    Talk talk(three_groups());
    talk.retry(NamedGroup::secp256r1);
    Plan again{message_step("HelloRetryRequest", HandshakeType::server_hello, [&](ScriptedServer& server) {
      return server.draft_retry(different ? NamedGroup::secp384r1 : NamedGroup::secp256r1, cookie).body();
    })};
    talk.retry(again);
    CHECK(outcome_of(talk) == refused(ErrorCode::second_retry_request, Alert::unexpected_message));
  }
}

TEST_CASE("a retry asks for a group that was offered", "[retry]") {
  const Outcome wrong = refused(ErrorCode::group_not_offered, Alert::illegal_parameter);
  for (const unsigned group : {0x0019U, 0x001EU, 0x11ECU, 0x0100U, 0x0A0AU, 0xFFFFU})
    CHECK(retry_with([](HelloDraft&) {}, static_cast<NamedGroup>(group)) == wrong);
}

TEST_CASE("a retry does not ask for a share that it has", "[retry]") {
  const Outcome wrong = refused(ErrorCode::group_already_shared, Alert::illegal_parameter);
  CHECK(retry_with([](HelloDraft&) {}, NamedGroup::x25519) == wrong);
  // A cookie does not make it better.
  CHECK(retry_with(
            [](HelloDraft& hello) {
              set_extension(*hello.extensions, ExtensionType::cookie, encoded(tlsconnect::Cookie{cookie}));
            },
            NamedGroup::x25519) == wrong);
  const TalkOptions both{.configure = [](auto& builder) {
    builder.groups({NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1});
  }};
  CHECK(retry_with([](HelloDraft&) {}, NamedGroup::x25519_mlkem768, both) == wrong);
  CHECK(retry_with([](HelloDraft&) {}, NamedGroup::x25519, both) == wrong);
}

TEST_CASE("a retry must change something", "[retry]") {
  CHECK(retry_with([](HelloDraft&) {}, std::nullopt) ==
        refused(ErrorCode::retry_without_change, Alert::illegal_parameter));
}

TEST_CASE("a retry is checked like a ServerHello", "[retry]") {
  CHECK(retry_with([](HelloDraft& hello) { hello.session_id[7] ^= 1U; }) ==
        refused(ErrorCode::session_id_not_echoed, Alert::illegal_parameter));
  CHECK(retry_with([](HelloDraft& hello) { hello.compression = 1; }) ==
        refused(ErrorCode::compression_not_null, Alert::decode_error));
  CHECK(retry_with([](HelloDraft& hello) { hello.suite = static_cast<CipherSuite>(0x1304); }) ==
        refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter));
  CHECK(retry_with([](HelloDraft& hello) { hello.legacy_version = 0x0302; }) ==
        refused(ErrorCode::legacy_version_wrong, Alert::protocol_version));
  CHECK(retry_with([](HelloDraft& hello) {
          set_extension(*hello.extensions, ExtensionType::supported_versions, {3, 3});
        }) == refused(ErrorCode::version_not_offered, Alert::illegal_parameter));
  CHECK(retry_with([](HelloDraft& hello) { drop_extension(*hello.extensions, ExtensionType::supported_versions); }) ==
        refused(ErrorCode::version_unsupported, Alert::protocol_version));
  CHECK(retry_with([](HelloDraft& hello) { hello.extensions.reset(); }) ==
        refused(ErrorCode::version_unsupported, Alert::protocol_version));
}

TEST_CASE("a retry's extensions have the right bodies", "[retry]") {
  const auto with = [](ExtensionType type, ByteVector body) {
    return retry_with([=](HelloDraft& hello) { set_extension(*hello.extensions, type, body); });
  };
  CHECK(with(ExtensionType::cookie, {}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(with(ExtensionType::cookie, {0, 0}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(with(ExtensionType::cookie, {0, 2, 1}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(with(ExtensionType::cookie, {0, 1, 1, 1}) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  CHECK(with(ExtensionType::key_share, {}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(with(ExtensionType::key_share, {0}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(with(ExtensionType::key_share, {0, 0x17, 0}) ==
        refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

TEST_CASE("a retry ends its record", "[retry][aligned]") {
  // A ServerHello in the same record cannot be an answer to the second ClientHello.
  Talk talk(three_groups());
  Plan retry = talk.server.retry_plan(NamedGroup::secp256r1);
  retry["HelloRetryRequest"].joined = true;
  retry.append(message_step("ServerHello", HandshakeType::server_hello,
                            [](ScriptedServer& server) { return server.draft_hello().body(); }));
  talk.retry(retry);
  CHECK(outcome_of(talk) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
  CHECK(talk.server.hellos().size() == 1);
}

TEST_CASE("what the retry fixed stays fixed", "[retry]") {
  const auto after_retry = [](std::function<void(HelloDraft&)> change, std::optional<NamedGroup> group,
                              std::optional<ByteVector> with_cookie = std::nullopt) {
    Talk talk(three_groups());
    talk.retry(group, with_cookie);
    talk.plan["ServerHello"].edit_hello(std::move(change));
    talk.handshake();
    return outcome_of(talk);
  };
  CHECK(after_retry([](HelloDraft&) {}, NamedGroup::secp256r1) == connected());
  CHECK(after_retry([](HelloDraft& hello) { hello.suite = CipherSuite::chacha20_poly1305_sha256; },
                    NamedGroup::secp256r1) == refused(ErrorCode::cipher_suite_changed, Alert::illegal_parameter));
  CHECK(after_retry([](HelloDraft& hello) { hello.suite = CipherSuite::aes_256_gcm_sha384; }, std::nullopt, cookie) ==
        refused(ErrorCode::cipher_suite_changed, Alert::illegal_parameter));
  // The group that the first hello had a share for is gone.
  const auto use_group = [](NamedGroup group) {
    return [group](HelloDraft& hello) {
      const ByteVector share(32, 9);
      set_extension(*hello.extensions, ExtensionType::key_share, encoded(tlsconnect::KeyShareEntry{group, share}));
    };
  };
  CHECK(after_retry(use_group(NamedGroup::x25519), NamedGroup::secp256r1) ==
        refused(ErrorCode::group_not_the_retried, Alert::illegal_parameter));
  CHECK(after_retry(use_group(NamedGroup::secp384r1), NamedGroup::secp256r1) ==
        refused(ErrorCode::group_not_the_retried, Alert::illegal_parameter));
  CHECK(after_retry(use_group(NamedGroup::secp256r1), std::nullopt, cookie) ==
        refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
  // RFC 9846, 4.1.4: the version too; taking it back is not a failed negotiation but a broken promise.
  CHECK(after_retry([](HelloDraft& hello) { drop_extension(*hello.extensions, ExtensionType::supported_versions); },
                    NamedGroup::secp256r1) == refused(ErrorCode::version_changed, Alert::illegal_parameter));
  CHECK(after_retry([](HelloDraft& hello) { hello.extensions.reset(); }, NamedGroup::secp256r1) ==
        refused(ErrorCode::version_changed, Alert::illegal_parameter));
  CHECK(after_retry(
            [](HelloDraft& hello) { set_extension(*hello.extensions, ExtensionType::supported_versions, {3, 5}); },
            NamedGroup::secp256r1) == refused(ErrorCode::version_changed, Alert::illegal_parameter));
  // The cookie was for the client to return, not for the server.
  CHECK(after_retry([](HelloDraft& hello) { set_extension(*hello.extensions, ExtensionType::cookie, {0, 1, 1}); },
                    std::nullopt, cookie) == refused(ErrorCode::extension_misplaced, Alert::illegal_parameter));
}

TEST_CASE("the transcript of a retried handshake holds both hellos", "[retry]") {
  // The keys cover the first hello as its hash. A server that does otherwise has other keys, and reads no alert.
  TalkOptions options = three_groups();
  options.server.pass_over_unreadable = true;
  Talk talk(std::move(options));
  Plan retry = talk.server.retry_plan(NamedGroup::secp256r1);
  retry.drop("fold the first hello");
  talk.retry(retry);
  talk.handshake();
  CHECK(talk.outcome() == ended(ErrorCode::bad_record_mac));
}
