// Every extension in every message that could carry one (RFC 9846, 4.2): accepted, misplaced, unsolicited, doubled,
// unknown. The expectation is written from the RFC's table, not from the library's.
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

enum class Where { server_hello, retry, encrypted_extensions, certificate, certificate_request, ticket };

struct Row {
  ExtensionType type;
  std::string_view name;
  std::set<Where> allowed;
};

/// RFC 9846, 4.2, for messages of the server. Behind the line: extensions of older versions and of other documents that
/// the library recognises; they belong to the ClientHello alone, or to where their documents put them.
const std::vector<Row>& table() {
  using enum Where;
  static const std::vector<Row> rows = {
      {ExtensionType::server_name, "server_name", {encrypted_extensions, certificate_request}},
      {ExtensionType::status_request, "status_request", {certificate_request, certificate}},
      {ExtensionType::supported_groups, "supported_groups", {encrypted_extensions}},
      {ExtensionType::signature_algorithms, "signature_algorithms", {certificate_request}},
      {ExtensionType::use_srtp, "use_srtp", {encrypted_extensions}},
      {ExtensionType::heartbeat, "heartbeat", {encrypted_extensions}},
      {ExtensionType::application_layer_protocol_negotiation, "alpn", {encrypted_extensions}},
      {ExtensionType::client_certificate_type, "client_certificate_type", {encrypted_extensions}},
      {ExtensionType::server_certificate_type, "server_certificate_type", {encrypted_extensions}},
      {ExtensionType::padding, "padding", {}},
      {ExtensionType::compress_certificate, "compress_certificate", {certificate_request}},
      {ExtensionType::record_size_limit, "record_size_limit", {encrypted_extensions}},
      {ExtensionType::pre_shared_key, "pre_shared_key", {server_hello}},
      {ExtensionType::early_data, "early_data", {encrypted_extensions, ticket}},
      {ExtensionType::supported_versions, "supported_versions", {server_hello, retry}},
      {ExtensionType::cookie, "cookie", {retry}},
      {ExtensionType::psk_key_exchange_modes, "psk_key_exchange_modes", {}},
      {ExtensionType::certificate_authorities, "certificate_authorities", {certificate_request}},
      {ExtensionType::oid_filters, "oid_filters", {certificate_request}},
      {ExtensionType::post_handshake_auth, "post_handshake_auth", {}},
      {ExtensionType::signature_algorithms_cert, "signature_algorithms_cert", {certificate_request}},
      {ExtensionType::key_share, "key_share", {server_hello, retry}},
      {ExtensionType::encrypted_client_hello, "encrypted_client_hello", {retry, encrypted_extensions}},
      // ----
      {ExtensionType::max_fragment_length, "max_fragment_length", {encrypted_extensions}},
      {ExtensionType::ec_point_formats, "ec_point_formats", {}},
      {ExtensionType::signed_certificate_timestamp, "signed_certificate_timestamp", {certificate_request, certificate}},
      {ExtensionType::extended_main_secret, "extended_main_secret", {}},
      {ExtensionType::session_ticket, "session_ticket", {}},
      {ExtensionType::renegotiation_info, "renegotiation_info", {}},
  };
  return rows;
}

/// What the ClientHello of these tests offers.
const std::set<ExtensionType> offered = {
    ExtensionType::server_name,
    ExtensionType::supported_versions,
    ExtensionType::supported_groups,
    ExtensionType::signature_algorithms,
    ExtensionType::signature_algorithms_cert,
    ExtensionType::application_layer_protocol_negotiation,
    ExtensionType::key_share,
};

TalkOptions options_for(Where where) {
  return {.server = {.request_certificate = where == Where::certificate_request},
          .configure = [](tlsconnect::ClientConfig::Builder& builder) {
            plain(builder);
            builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
            builder.alpn({"h2"});
          }};
}

constexpr const char* step_name(Where where) {
  switch (where) {
  case Where::server_hello:
    return "ServerHello";
  case Where::retry:
    return "HelloRetryRequest";
  case Where::encrypted_extensions:
    return "EncryptedExtensions";
  case Where::certificate:
    return "Certificate";
  case Where::certificate_request:
    return "CertificateRequest";
  case Where::ticket:
    break;
  }
  return "NewSessionTicket";
}

/// The outcome when this message's extensions are changed.
Outcome with_extensions(Where where, const std::function<void(Step&)>& change) {
  Talk talk(options_for(where));
  if (where == Where::retry) {
    Plan retry = talk.server.retry_plan(NamedGroup::secp256r1);
    change(retry["HelloRetryRequest"]);
    talk.retry(retry);
  } else if (where != Where::ticket) {
    change(talk.plan[step_name(where)]);
  }
  if (!talk.client.failure())
    talk.handshake();
  if (where == Where::ticket) {
    REQUIRE(talk.outcome() == connected());
    Step ticket = message_step("NewSessionTicket", HandshakeType::new_session_ticket, talk.server.draft_ticket());
    ticket.in_transcript = false;
    change(ticket);
    talk.server.run(Plan{ticket});
  }
  return outcome_of(talk);
}

Outcome wrong_in(Where where, ErrorCode error, Alert alert) {
  return where == Where::ticket ? refused_later(error, alert) : refused(error, alert);
}

/// A body that is well-formed there, for those that the client reads.
ByteVector body_for(ExtensionType type, Where where) {
  switch (type) {
  case ExtensionType::supported_versions:
    return {3, 4};
  case ExtensionType::cookie:
    return {0, 1, 7};
  case ExtensionType::supported_groups:
    return {0, 2, 0, 0x17};
  case ExtensionType::signature_algorithms:
    return {0, 2, 4, 3};
  case ExtensionType::application_layer_protocol_negotiation:
    return {0, 3, 2, 'h', '2'};
  case ExtensionType::certificate_authorities:
    return {0, 4, 0, 2, 0x30, 0};
  case ExtensionType::oid_filters:
    return {0, 0};
  case ExtensionType::early_data:
    return where == Where::ticket ? ByteVector{0, 0, 0x40, 0} : ByteVector{};
  case ExtensionType::key_share:
    return where == Where::retry ? ByteVector{0, 0x17} : ByteVector{};
  default:
    return {};
  }
}

const Where everywhere[] = {Where::server_hello,        Where::retry, Where::encrypted_extensions, Where::certificate,
                            Where::certificate_request, Where::ticket};
/// The RFC names none; see ExtensionSet.
Alert duplicate_alert(Where where) {
  return where == Where::retry || where == Where::certificate_request || where == Where::ticket
             ? Alert::illegal_parameter
             : Alert::decode_error;
}
bool answers(Where where) { return where != Where::certificate_request && where != Where::ticket; }

} // namespace

TEST_CASE("the table is about all extensions that the library recognises", "[extensions]") {
  CHECK(table().size() == tlsconnect::extension_rules.size());
  for (const Row& row : table())
    CHECK(tlsconnect::rule_of(row.type) != nullptr);
  Talk talk(options_for(Where::encrypted_extensions));
  std::set<ExtensionType> sent;
  for (const RawExt& extension : talk.server.hello().extensions)
    sent.insert(extension.type);
  CHECK(sent == offered);
}

TEST_CASE("every extension in every message", "[extensions]") {
  for (const Where where : everywhere)
    for (const Row& row : table()) {
      // The one that the message already has, and the share that takes the place of the right one, are for other tests.
      if (where == Where::server_hello && row.type == ExtensionType::key_share)
        continue;
      const bool unsolicited_allowed = where == Where::retry && row.type == ExtensionType::cookie;
      // What ServerHello has answered is not answered again.
      const bool answered_before = where == Where::encrypted_extensions && row.allowed.contains(Where::server_hello);
      const Outcome expected =
          answered_before ? wrong_in(where, ErrorCode::extension_unsolicited, Alert::unsupported_extension)
          : !row.allowed.contains(where) ? wrong_in(where, ErrorCode::extension_misplaced, Alert::illegal_parameter)
          : answers(where) && !offered.contains(row.type) && !unsolicited_allowed
              ? wrong_in(where, ErrorCode::extension_unsolicited, Alert::unsupported_extension)
              : connected();
      CAPTURE(step_name(where), row.name);
      CHECK(with_extensions(where, [&](Step& step) { step.with_extension(row.type, body_for(row.type, where)); }) ==
            expected);
    }
}

TEST_CASE("an unknown extension is unsolicited in an answer and passed over in a request", "[extensions]") {
  for (const Where where : everywhere)
    for (const unsigned type : {0x0A0AU, 0x1234U, 0xFFFFU, 3U, 60U}) {
      CAPTURE(step_name(where), type);
      CHECK(with_extensions(where,
                            [&](Step& step) { step.with_extension(static_cast<ExtensionType>(type), {1, 2, 3}); }) ==
            (answers(where) ? refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension) : connected()));
    }
}

namespace {

/// Appends extensions to the block that ends the message, whatever is in it already.
void append_to_block(Where where, Step& step, const ExtensionList& extra) {
  step.edit([=](ByteVector& body) {
    if (where == Where::certificate) {
      CertificateDraft draft = CertificateDraft::of(body);
      ExtensionList& list = draft.entries.at(0).extensions;
      list.insert(list.end(), extra.begin(), extra.end());
      body = draft.body();
      return;
    }
    // The block is the last field; its length stands where the rest of the message is exactly as long as it says.
    const ByteVector more = block_of(extra);
    std::size_t at = 0;
    switch (where) {
    case Where::server_hello:
    case Where::retry:
      at = 2 + 32 + 1 + std::size_t{body[34]} + 3;
      break;
    case Where::certificate_request:
      at = 1 + std::size_t{body[0]};
      break;
    case Where::ticket:
      at = body.size() - 2;
      break;
    default:
      break;
    }
    const std::size_t length = static_cast<std::size_t>((body[at] << 8) | body[at + 1]) + more.size();
    body[at] = static_cast<std::uint8_t>(length >> 8);
    body[at + 1] = static_cast<std::uint8_t>(length);
    body.insert(body.end(), more.begin(), more.end());
  });
}

} // namespace

TEST_CASE("an extension stands once in a block", "[extensions]") {
  // One that may stand there, twice; where there is none, one that would be refused by itself is doubled, and the
  // first problem counts.
  const std::map<Where, ExtensionType> allowed = {
      {Where::server_hello, ExtensionType::supported_versions},
      {Where::retry, ExtensionType::supported_versions},
      {Where::encrypted_extensions, ExtensionType::server_name},
      {Where::certificate_request, ExtensionType::signature_algorithms},
      {Where::ticket, ExtensionType::early_data},
  };
  for (const auto& [where, type] : allowed) {
    CAPTURE(step_name(where));
    const ByteVector body = body_for(type, where);
    const bool there = where != Where::encrypted_extensions && where != Where::ticket;
    const ExtensionList extra = there ? ExtensionList{{type, body}} : ExtensionList{{type, body}, {type, body}};
    CHECK(with_extensions(where, [&](Step& step) { append_to_block(where, step, extra); }) ==
          wrong_in(where, ErrorCode::extension_duplicate, duplicate_alert(where)));
  }
  // Unknown ones too, where they may stand at all; and with others between them.
  const auto unknown = static_cast<ExtensionType>(0x0A0A);
  const ExtensionList extra = {{unknown, {}}, {static_cast<ExtensionType>(0x1A1A), {1}}, {unknown, {2}}};
  for (const Where where : {Where::certificate_request, Where::ticket})
    CHECK(with_extensions(where, [&](Step& step) { append_to_block(where, step, extra); }) ==
          wrong_in(where, ErrorCode::extension_duplicate, duplicate_alert(where)));
  // The cookie, in the only message where something may come unasked.
  CHECK(with_extensions(Where::retry, [&](Step& step) {
          append_to_block(Where::retry, step, {{ExtensionType::cookie, {0, 1, 1}}, {ExtensionType::cookie, {0, 1, 1}}});
        }) == refused(ErrorCode::extension_duplicate, Alert::illegal_parameter));
}

TEST_CASE("a block may be long, but not without end", "[extensions]") {
  const auto many = [](std::size_t count) {
    ExtensionList list;
    for (std::size_t i = 0; i < count; ++i)
      list.push_back({static_cast<ExtensionType>(0x8000 + i), {}});
    return list;
  };
  // The ticket's block is empty, so its limit is met exactly; the request has one extension already.
  CHECK(with_extensions(Where::ticket, [&](Step& step) {
          append_to_block(Where::ticket, step, many(tlsconnect::limits::extensions));
        }) == connected());
  CHECK(with_extensions(Where::ticket, [&](Step& step) {
          append_to_block(Where::ticket, step, many(tlsconnect::limits::extensions + 1));
        }) == refused_later(ErrorCode::too_many_extensions, Alert::illegal_parameter));
  CHECK(with_extensions(Where::certificate_request, [&](Step& step) {
          append_to_block(Where::certificate_request, step, many(tlsconnect::limits::extensions - 1));
        }) == connected());
  CHECK(with_extensions(Where::certificate_request, [&](Step& step) {
          append_to_block(Where::certificate_request, step, many(tlsconnect::limits::extensions));
        }) == refused(ErrorCode::too_many_extensions, Alert::illegal_parameter));
}

TEST_CASE("a damaged block is a decoding error in every message", "[extensions]") {
  // The last extension claims one byte more than there is; and half a header stands at the end.
  for (const Where where : everywhere) {
    if (where == Where::certificate)
      continue; // its entries are covered with the lengths of Certificate
    CAPTURE(step_name(where));
    for (const ByteVector& tail : {ByteVector{0xFA, 0xFA, 0, 1}, ByteVector{0xFA, 0xFA, 0}, ByteVector{0xFA}}) {
      const Outcome outcome = with_extensions(where, [&](Step& step) {
        append_to_block(where, step, {});
        step.edit([&, where](ByteVector& body) {
          const std::size_t at = where == Where::server_hello || where == Where::retry
                                     ? 2 + 32 + 1 + std::size_t{body[34]} + 3
                                 : where == Where::certificate_request ? 1 + std::size_t{body[0]}
                                 : where == Where::ticket              ? body.size() - 2
                                                                       : 0;
          const std::size_t length = static_cast<std::size_t>((body[at] << 8) | body[at + 1]) + tail.size();
          body[at] = static_cast<std::uint8_t>(length >> 8);
          body[at + 1] = static_cast<std::uint8_t>(length);
          body.insert(body.end(), tail.begin(), tail.end());
        });
      });
      CHECK(outcome == wrong_in(where, ErrorCode::message_truncated, Alert::decode_error));
    }
  }
}

TEST_CASE("server_name is never sent for an address, so it cannot be answered", "[extensions]") {
  for (const char* address : {"192.0.2.1", "2001:db8::1", "[2001:db8::1]"}) {
    Talk talk({.name = address});
    CHECK(find_extension(talk.server.hello().extensions, ExtensionType::server_name) == nullptr);
    CHECK(handshake_with([](Plan& plan) { plan["EncryptedExtensions"].with_extension(ExtensionType::server_name, {}); },
                         {.name = address}) == refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
  }
  Talk talk({.name = "SERVER.test."});
  const RawExt* sent = find_extension(talk.server.hello().extensions, ExtensionType::server_name);
  REQUIRE(sent != nullptr);
  const auto list = value_of(tlsconnect::decode<tlsconnect::ServerNameList>(sent->body));
  REQUIRE(list.names.size() == 1);
  CHECK(list.names[0].name_type == 0);
  CHECK(tlsconnect::as_text(list.names[0].host_name) == "server.test");
}
