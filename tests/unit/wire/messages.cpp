// Every message: encoded, decoded, encoded again; and refused when it is a byte shorter or longer.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <tlsconnect/wire/codec.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>
#include <tlsconnect/wire/messages13.hpp>
#include <tlsconnect/wire/record_header.hpp>

using namespace tlsconnect;

namespace {

const ByteVector session_id(32, 0x51);
const ByteVector null_compression{0};
const ByteVector some_extensions{0, 43, 0, 2, 3, 4, 0xFA, 0xFA, 0, 0};
const std::vector<CipherSuite> suites{CipherSuite::aes_128_gcm_sha256, CipherSuite::chacha20_poly1305_sha256};
const std::vector<SignatureScheme> schemes{SignatureScheme::ed25519, SignatureScheme::rsa_pss_rsae_sha256};
const std::vector<NamedGroup> groups{NamedGroup::x25519, NamedGroup::x25519_mlkem768};
const std::vector<ProtocolVersion> versions{ProtocolVersion::tls1_3};
const ByteVector few{1, 2, 3};
const ByteVector more{4, 5, 6, 7};

/// There and back, and every prefix is refused. `may_end` are lengths at which the message is whole too.
template <class Message>
void check_round_trip(const Message& message, const ByteVector& expected, bool every_length_is_whole = false) {
  INFO(std::string(Message::name));
  ByteVector bytes;
  REQUIRE(encode(message, bytes));
  CHECK(bytes == expected);
  const Result<Message> decoded = decode<Message>(bytes);
  REQUIRE(decoded);
  ByteVector again;
  REQUIRE(encode(*decoded, again));
  CHECK(again == bytes);
  if (every_length_is_whole)
    return;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Result<Message> cut = decode<Message>(BytesView(bytes).first(size));
    INFO("cut after " << size);
    // A ServerHello may end before its extensions: older versions do.
    if (std::string_view(Message::name) == "ServerHello" && size == 70) {
      CHECK(cut);
      continue;
    }
    REQUIRE(!cut);
    CHECK((cut.error().code() == ErrorCode::message_truncated || cut.error().code() == ErrorCode::field_out_of_range));
    CHECK(cut.error().where() == Message::name);
  }
  bytes.push_back(0);
  const Result<Message> longer = decode<Message>(bytes);
  REQUIRE(!longer);
  CHECK(longer.error().code() == ErrorCode::message_trailing_bytes);
}

ByteVector joined(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const ByteVector& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

} // namespace

TEST_CASE("ClientHello", "[messages]") {
  ClientHello hello;
  hello.random.fill(0xAB);
  hello.legacy_session_id = session_id;
  hello.cipher_suites = CodeList<CipherSuite>(suites);
  hello.legacy_compression_methods = null_compression;
  hello.extensions = some_extensions;
  check_round_trip(hello, joined({{3, 3},
                                  ByteVector(32, 0xAB),
                                  {32},
                                  session_id,
                                  {0, 4, 0x13, 1, 0x13, 3},
                                  {1, 0},
                                  {0, 10},
                                  some_extensions}));
}

TEST_CASE("ClientHello: its bounds", "[messages]") {
  const ByteVector random(32, 1);
  const auto refused = [&](ByteVector tail) {
    const auto hello = decode<ClientHello>(joined({{3, 3}, random, tail}));
    return hello ? std::nullopt : std::optional(hello.error().code());
  };
  const ByteVector block{0, 8, 0, 43, 0, 4, 3, 3, 4, 0};
  CHECK(refused(joined({{0}, {0, 2, 0x13, 1}, {1, 0}, block})) == std::nullopt);
  CHECK(refused(joined({{33}, ByteVector(33, 0), {0, 2, 0x13, 1}, {1, 0}, block})) == ErrorCode::field_out_of_range);
  CHECK(refused(joined({{0}, {0, 0}, {1, 0}, block})) == ErrorCode::field_out_of_range);
  CHECK(refused(joined({{0}, {0, 3, 0x13, 1, 0}, {1, 0}, block})) == ErrorCode::field_out_of_range);
  CHECK(refused(joined({{0}, {0, 2, 0x13, 1}, {0}, block})) == ErrorCode::field_out_of_range);
  CHECK(refused(joined({{0}, {0, 2, 0x13, 1}, {1, 0}, {0, 7}, ByteVector(7, 0)})) == ErrorCode::field_out_of_range);
}

TEST_CASE("ServerHello", "[messages]") {
  ServerHello hello;
  hello.random.fill(0xAB);
  hello.legacy_session_id_echo = session_id;
  hello.cipher_suite = CipherSuite::aes_256_gcm_sha384;
  hello.extensions = some_extensions;
  const ByteVector fixed = joined({{3, 3}, ByteVector(32, 0xAB), {32}, session_id, {0x13, 2, 0}});
  check_round_trip(hello, joined({fixed, {0, 10}, some_extensions}));
  hello.extensions.reset();
  ByteVector bytes;
  REQUIRE(encode(hello, bytes));
  CHECK(bytes == fixed);
  CHECK(!decode<ServerHello>(bytes)->extensions);
  CHECK(!hello.is_hello_retry_request());
  hello.random = hello_retry_request_random;
  CHECK(hello.is_hello_retry_request());
  // In any one bit different, it is not.
  for (std::size_t i = 0; i < 32; ++i) {
    ServerHello almost = hello;
    almost.random[i] ^= 1U;
    CHECK(!almost.is_hello_retry_request());
  }
}

TEST_CASE("messages behind the hellos", "[messages]") {
  check_round_trip(EncryptedExtensions{some_extensions}, joined({{0, 10}, some_extensions}));
  check_round_trip(EncryptedExtensions{}, {0, 0});
  check_round_trip(CertificateRequest{few, some_extensions}, joined({{3}, few, {0, 10}, some_extensions}));
  CertificateMessage certificate;
  certificate.certificate_request_context = few;
  REQUIRE(certificate.certificate_list.push_back({more, some_extensions}));
  REQUIRE(certificate.certificate_list.push_back({few, {}}));
  check_round_trip(certificate,
                   joined({{3}, few, {0, 0, 27}, {0, 0, 4}, more, {0, 10}, some_extensions, {0, 0, 3}, few, {0, 0}}));
  check_round_trip(CertificateMessage{}, {0, 0, 0, 0});
  check_round_trip(CertificateVerify{SignatureScheme::ed25519, more}, joined({{8, 7, 0, 4}, more}));
  check_round_trip(Finished{more}, more, true);
  check_round_trip(NewSessionTicket{0x01020304, 0x05060708, few, more, some_extensions},
                   joined({{1, 2, 3, 4, 5, 6, 7, 8, 3}, few, {0, 4}, more, {0, 10}, some_extensions}));
  check_round_trip(KeyUpdate{KeyUpdateRequest::update_not_requested}, {0});
  check_round_trip(KeyUpdate{KeyUpdateRequest::update_requested}, {1});
}

TEST_CASE("messages behind the hellos: their bounds", "[messages]") {
  CHECK(decode<KeyUpdate>(ByteVector{2}).error().code() == ErrorCode::key_update_invalid);
  CHECK(decode<KeyUpdate>(ByteVector{255}).error().code() == ErrorCode::key_update_invalid);
  // A ticket has at least one byte, a certificate too.
  CHECK(decode<NewSessionTicket>(ByteVector{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).error().code() ==
        ErrorCode::field_out_of_range);
  CHECK(decode<CertificateMessage>(ByteVector{0, 0, 0, 5, 0, 0, 0, 0, 0}).error().code() ==
        ErrorCode::field_out_of_range);
  const auto chain = [](std::size_t count) {
    ByteVector body{0, 0, static_cast<std::uint8_t>(count * 6 / 256), static_cast<std::uint8_t>(count * 6 % 256)};
    for (std::size_t i = 0; i < count; ++i)
      body.insert(body.end(), {0, 0, 1, 7, 0, 0});
    return decode<CertificateMessage>(body);
  };
  CHECK(chain(limits::certificate_chain)->certificate_list.size() == limits::certificate_chain);
  CHECK(chain(limits::certificate_chain + 1).error().code() == ErrorCode::certificate_chain_too_long);
}

TEST_CASE("bodies of extensions", "[messages]") {
  check_round_trip(OfferedVersions{CodeList<ProtocolVersion>(versions)}, {2, 3, 4});
  check_round_trip(SelectedVersion{ProtocolVersion::tls1_3}, {3, 4});
  check_round_trip(Cookie{few}, joined({{0, 3}, few}));
  check_round_trip(SignatureSchemeList{CodeList<SignatureScheme>(schemes)}, {0, 4, 8, 7, 8, 4});
  check_round_trip(NamedGroupList{CodeList<NamedGroup>(groups)}, {0, 4, 0, 29, 0x11, 0xEC});
  check_round_trip(KeyShareEntry{NamedGroup::x25519, few}, joined({{0, 29, 0, 3}, few}));
  OfferedKeyShares shares;
  REQUIRE(shares.client_shares.push_back({NamedGroup::x25519, few}));
  REQUIRE(shares.client_shares.push_back({NamedGroup::secp256r1, more}));
  check_round_trip(shares, joined({{0, 15, 0, 29, 0, 3}, few, {0, 23, 0, 4}, more}));
  check_round_trip(OfferedKeyShares{}, {0, 0});
  check_round_trip(RetryGroup{NamedGroup::secp384r1}, {0, 24});
  ProtocolNames names;
  REQUIRE(names.names.push_back({few}));
  REQUIRE(names.names.push_back({more}));
  check_round_trip(names, joined({{0, 9, 3}, few, {4}, more}));
  ServerNameList servers;
  REQUIRE(servers.names.push_back({0, more}));
  check_round_trip(servers, joined({{0, 7, 0, 0, 4}, more}));
}

TEST_CASE("a handshake header carries type and length", "[messages]") {
  ByteVector bytes{0xEE};
  REQUIRE(encode_handshake(CertificateVerify{SignatureScheme::ed25519, more}, bytes));
  CHECK(bytes == joined({{0xEE, 15, 0, 0, 8, 8, 7, 0, 4}, more}));
  // RFC 9846, 4: the numbers of the messages.
  CHECK(static_cast<unsigned>(ClientHello::type) == 1);
  CHECK(static_cast<unsigned>(ServerHello::type) == 2);
  CHECK(static_cast<unsigned>(NewSessionTicket::type) == 4);
  CHECK(static_cast<unsigned>(EncryptedExtensions::type) == 8);
  CHECK(static_cast<unsigned>(CertificateMessage::type) == 11);
  CHECK(static_cast<unsigned>(CertificateRequest::type) == 13);
  CHECK(static_cast<unsigned>(CertificateVerify::type) == 15);
  CHECK(static_cast<unsigned>(Finished::type) == 20);
  CHECK(static_cast<unsigned>(KeyUpdate::type) == 24);
}

TEST_CASE("record headers", "[messages]") {
  const std::array<std::uint8_t, 5> bytes{23, 3, 1, 0x41, 0x02};
  const RecordHeader header = RecordHeader::parse(bytes);
  CHECK(header.type == ContentType::application_data);
  CHECK(header.legacy_version == 0x0301);
  CHECK(header.length == 0x4102);
  CHECK(header.bytes() == bytes);
}

TEST_CASE("a set of extensions gives out bodies by type", "[extensions]") {
  const OfferedExtensions offered{ExtensionType::server_name, ExtensionType::supported_groups};
  const ByteVector block{0, 0, 0, 0, 0, 10, 0, 4, 0, 2, 0, 29};
  const auto set = ExtensionSet::parse(block, ExtensionContext::encrypted_extensions, offered, "test");
  REQUIRE(set);
  CHECK(set->size() == 2);
  REQUIRE(set->find(ExtensionType::server_name));
  CHECK(set->find(ExtensionType::server_name)->empty());
  CHECK(equal(*set->find(ExtensionType::supported_groups), ByteVector{0, 2, 0, 29}));
  CHECK(!set->find(ExtensionType::key_share));
  const auto none = ExtensionSet::parse({}, ExtensionContext::encrypted_extensions, offered, "test");
  REQUIRE(none);
  CHECK(none->size() == 0);
}

TEST_CASE("the table of extensions has each type once", "[extensions]") {
  for (const ExtensionRule& rule : extension_rules) {
    std::size_t count = 0;
    for (const ExtensionRule& other : extension_rules)
      count += other.type == rule.type ? 1U : 0U;
    CHECK(count == 1);
    CHECK(rule_of(rule.type) == &rule);
  }
  CHECK(rule_of(static_cast<ExtensionType>(0x0A0A)) == nullptr);
}
