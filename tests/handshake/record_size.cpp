// How long records are: what the two sides allow each other (RFC 8449), and padding (RFC 9846, 5.4).
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;

namespace {

TalkOptions limited(std::uint16_t limit) {
  return {.configure = [limit](auto& builder) { builder.record_size_limit(limit); }};
}
ByteVector limit_body(std::uint16_t limit) {
  return {static_cast<std::uint8_t>(limit >> 8), static_cast<std::uint8_t>(limit)};
}
void server_allows(Plan& plan, std::uint16_t limit) {
  plan["EncryptedExtensions"].with_extension(ExtensionType::record_size_limit, limit_body(limit));
}
/// Bytes that differ from place to place.
ByteVector bytes_of(std::size_t size) {
  ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return bytes;
}
/// The inner lengths of the sealed records of this type from record `from` on.
std::vector<std::size_t> inner_sizes(const Talk& talk, ContentType type, std::size_t from = 0) {
  std::vector<std::size_t> sizes;
  for (std::size_t i = from; i < talk.server.records().size(); ++i)
    if (const SeenRecord& record = talk.server.records()[i]; record.sealed && record.type == type)
      sizes.push_back(record.inner);
  return sizes;
}
/// What the client makes of that many bytes.
std::vector<std::size_t> sends(Talk& talk, std::size_t size) {
  const std::size_t from = talk.server.records().size();
  const std::size_t before = talk.server.received().size();
  const ByteVector data = bytes_of(size);
  REQUIRE(talk.client.encrypt_all(data));
  talk.exchange();
  const ByteVector& all = talk.server.received();
  CHECK(ByteVector(all.begin() + static_cast<std::ptrdiff_t>(before), all.end()) == data);
  return inner_sizes(talk, ContentType::application_data, from);
}

using Sizes = std::vector<std::size_t>;

} // namespace

TEST_CASE("record_size_limit: what the client says", "[record_size]") {
  const auto body = [](TalkOptions options) {
    const Talk talk(std::move(options));
    const RawExt* extension = find_extension(talk.server.hello().extensions, ExtensionType::record_size_limit);
    return extension ? extension->body : ByteVector{};
  };
  CHECK(body({}) == limit_body(16'385)); // as much as TLS 1.3 has
  CHECK(body(limited(64)) == limit_body(64));
  CHECK(body(limited(1'000)) == limit_body(1'000));
  CHECK(body(limited(0)).empty());
}

TEST_CASE("record_size_limit: the client keeps to the server's", "[record_size]") {
  for (const std::uint16_t limit : {std::uint16_t{64}, std::uint16_t{65}, std::uint16_t{512}, std::uint16_t{16'384}}) {
    CAPTURE(limit);
    Talk talk;
    server_allows(talk.plan, limit);
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    // RFC 8449, 4: the content, its type and the padding together.
    const std::size_t most = limit - std::size_t{1};
    CHECK(sends(talk, most) == Sizes{limit});
    CHECK(sends(talk, most + 1) == Sizes{limit, 2});
    CHECK(sends(talk, 3 * most + 5) == Sizes{limit, limit, limit, 6});
    CHECK(sends(talk, 1) == Sizes{2});
  }
}

TEST_CASE("record_size_limit: a limit that is none", "[record_size]") {
  // Without the extension, with the protocol's own limit, and with more than that.
  for (const std::uint16_t limit :
       {std::uint16_t{0}, std::uint16_t{16'385}, std::uint16_t{20'000}, std::uint16_t{65'535}}) {
    CAPTURE(limit);
    Talk talk;
    if (limit != 0)
      server_allows(talk.plan, limit);
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(sends(talk, 16'384) == Sizes{16'385});
    CHECK(sends(talk, 16'385) == Sizes{16'385, 2});
  }
}

TEST_CASE("record_size_limit: handshake messages too", "[record_size]") {
  Talk talk(asked_client({credential_of(client_identity(KeyType::p256))}));
  talk.plan["CertificateRequest"].replace(Asked{}.body());
  server_allows(talk.plan, 64);
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(talk.client.info().client_certificate_sent);
  const Sizes sizes = inner_sizes(talk, ContentType::handshake);
  REQUIRE(sizes.size() > 5);
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    CHECK(sizes[i] == 64);
  CHECK(sizes.back() <= 64);
}

TEST_CASE("record_size_limit: at least 64, and two bytes", "[record_size]") {
  const auto saying = [](ByteVector body) {
    return handshake_with([&](Plan& plan) {
      plan["EncryptedExtensions"].with_extension(ExtensionType::record_size_limit, std::move(body));
    });
  };
  CHECK(saying(limit_body(64)) == connected());
  for (const std::uint16_t limit : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{63}})
    CHECK(saying(limit_body(limit)) == refused(ErrorCode::record_size_limit_invalid, Alert::illegal_parameter));
  CHECK(saying({}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(saying({64}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(saying({1, 0, 0}) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  CHECK(handshake_with([](Plan& plan) { server_allows(plan, 1'000); }, limited(0)) ==
        refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
}

TEST_CASE("record_size_limit: the server keeps to the client's", "[record_size]") {
  for (const std::uint16_t limit : {std::uint16_t{64}, std::uint16_t{300}, std::uint16_t{16'384}}) {
    CAPTURE(limit);
    const auto receiving = [&](std::size_t content, std::size_t padding, bool negotiated = true) {
      Talk talk(limited(limit));
      if (negotiated)
        server_allows(talk.plan, 16'385);
      for (const char* name : {"Certificate", "CertificateVerify"})
        talk.plan[name].fragment = negotiated ? 63 : 16'384;
      talk.handshake();
      REQUIRE(outcome_of(talk) == connected());
      const ByteVector data = bytes_of(content);
      talk.server.send_record(ContentType::application_data, data, padding);
      talk.exchange();
      CHECK(talk.received == (talk.client.failure() ? ByteVector{} : data));
      return outcome_of(talk);
    };
    const Outcome wrong = refused_later(ErrorCode::record_overflow, Alert::record_overflow);
    const std::size_t most = limit - std::size_t{1};
    CHECK(receiving(most, 0) == connected());
    CHECK(receiving(most + 1, 0) == wrong);
    // RFC 8449, 4: padding counts.
    CHECK(receiving(10, most - 10) == connected());
    CHECK(receiving(10, most - 9) == wrong);
    // RFC 8449, 4: without the server's answer the client's word does not count.
    CHECK(receiving(most + 1, 0, false) == connected());
    CHECK(receiving(16'384, 0, false) == connected());
  }
}

TEST_CASE("record_size_limit: from the server's answer on", "[record_size]") {
  // The Certificate comes in a record that is longer than what was just agreed on.
  CHECK(handshake_with(
            [](Plan& plan) {
              server_allows(plan, 16'385);
              plan["Certificate"].fragment = 200;
            },
            limited(200)) == refused(ErrorCode::record_overflow, Alert::record_overflow));
  CHECK(handshake_with(
            [](Plan& plan) {
              server_allows(plan, 16'385);
              plan["Certificate"].fragment = 199;
            },
            limited(200)) == connected());
}

// ---- padding ----

TEST_CASE("padding: to a multiple, and never beyond what is allowed", "[record_size][padding]") {
  for (const std::size_t multiple :
       {std::size_t{2}, std::size_t{16}, std::size_t{100}, std::size_t{4'096}, std::size_t{16'384}})
    for (const std::uint16_t limit : {std::uint16_t{64}, std::uint16_t{1'000}, std::uint16_t{16'385}}) {
      CAPTURE(multiple, limit);
      TalkOptions options = asked_client({credential_of(client_identity(KeyType::p256))});
      const auto configure = options.configure;
      options.configure = [configure, multiple](auto& builder) {
        configure(builder);
        builder.record_padding(multiple);
      };
      Talk talk(options);
      talk.plan["CertificateRequest"].replace(Asked{}.body());
      server_allows(talk.plan, limit);
      talk.handshake();
      REQUIRE(outcome_of(talk) == connected());
      for (const std::size_t size :
           {1U, 15U, 16U, 62U, 63U, 64U, 99U, 100U, 998U, 999U, 4'095U, 4'096U, 16'383U, 16'384U, 20'000U})
        (void)sends(talk, size);
      REQUIRE(talk.client.update_keys(false));
      REQUIRE(talk.client.close_notify());
      talk.exchange();
      std::size_t sealed = 0;
      for (const SeenRecord& record : talk.server.records()) {
        if (!record.sealed)
          continue;
        ++sealed;
        const std::size_t needed = record.content.size() + 1;
        const std::size_t padded = (needed + multiple - 1) / multiple * multiple;
        CHECK(record.inner == std::min<std::size_t>(padded, limit));
        CHECK(record.inner <= limit);
      }
      CHECK(sealed > 17);
    }
}

TEST_CASE("padding: none by default", "[record_size][padding]") {
  for (const std::size_t multiple : {std::size_t{0}, std::size_t{1}}) {
    Talk talk({.configure = [=](auto& builder) { builder.record_padding(multiple); }});
    talk.handshake();
    for (const std::size_t size : {1U, 2U, 3U, 1'000U})
      CHECK(sends(talk, size) == Sizes{size + 1});
  }
  Talk talk;
  talk.handshake();
  CHECK(sends(talk, 5) == Sizes{6});
}

TEST_CASE("padding: of the alert that ends it, too", "[record_size][padding]") {
  Talk talk({.configure = [](auto& builder) { builder.record_padding(256); }});
  talk.plan["Finished"].edit([](ByteVector& body) { body[0] ^= 1; });
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
  CHECK(inner_sizes(talk, ContentType::alert) == Sizes{256});
}
