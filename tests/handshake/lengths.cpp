// Every message cut short at every byte, with a byte too many, and with each of its lengths off by one.
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

enum class Stage { retry, flight, connected };
struct Message {
  const char* name;
  Stage stage;
  /// Where its lengths stand, and how wide they are.
  std::function<std::vector<std::pair<std::size_t, std::size_t>>(const ByteVector&)> lengths;
  /// Lengths at which it happens to be whole.
  std::vector<std::size_t> whole_at = {};
};

using Places = std::vector<std::pair<std::size_t, std::size_t>>;

/// The lengths inside a block of extensions whose own length stands at `at`.
void add_block(Places& places, const ByteVector& body, std::size_t at) {
  places.emplace_back(at, 2);
  const auto pair_at = [&](std::size_t i) { return static_cast<std::size_t>((body[i] << 8) | body[i + 1]); };
  const std::size_t end = at + 2 + pair_at(at);
  for (std::size_t i = at + 2; i < end; i += 4 + pair_at(i + 2))
    places.emplace_back(i + 2, 2);
}

const std::vector<Message>& messages() {
  // The ServerHello of versions before TLS 1.3 may end before its extensions.
  constexpr std::size_t hello_without_extensions = 2 + 32 + 1 + 32 + 2 + 1;
  const auto hello = [](const ByteVector& body) {
    Places places{{34, 1}};
    add_block(places, body, hello_without_extensions);
    return places;
  };
  static const std::vector<Message> rows = {
      {"HelloRetryRequest", Stage::retry, hello, {hello_without_extensions}},
      {"ServerHello",
       Stage::flight,
       [hello](const ByteVector& body) {
         Places places = hello(body);
         places.emplace_back(body.size() - 34, 2); // key_exchange
         return places;
       },
       {hello_without_extensions}},
      {"EncryptedExtensions", Stage::flight,
       [](const ByteVector& body) {
         Places places;
         add_block(places, body, 0);
         places.emplace_back(6, 2); // protocol_name_list
         places.emplace_back(8, 1); // ProtocolName
         return places;
       }},
      {"CertificateRequest", Stage::flight,
       [](const ByteVector& body) {
         Places places{{0, 1}};
         add_block(places, body, 1);
         places.emplace_back(7, 2); // supported_signature_algorithms
         return places;
       }},
      {"Certificate", Stage::flight,
       [](const ByteVector& body) {
         Places places{{0, 1}, {1, 3}, {4, 3}};
         add_block(places, body, body.size() - 2);
         return places;
       }},
      {"CertificateVerify", Stage::flight, [](const ByteVector&) { return Places{{2, 2}}; }},
      {"Finished", Stage::flight, [](const ByteVector&) { return Places(); }},
      {"NewSessionTicket", Stage::connected,
       [](const ByteVector& body) {
         Places places{{8, 1}, {12, 2}};
         add_block(places, body, body.size() - 2);
         return places;
       }},
      {"KeyUpdate", Stage::connected, [](const ByteVector&) { return Places(); }},
  };
  return rows;
}

/// The outcome with this message's body changed. `size` receives the size before.
Outcome with_body(const Message& message, const std::function<void(ByteVector&)>& change) {
  Talk talk({.server = {.alpn = "h2", .request_certificate = true}, .configure = [](auto& builder) {
               builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
               builder.alpn({"h2"});
             }});
  if (message.stage == Stage::retry) {
    Plan retry = talk.server.retry_plan(NamedGroup::secp256r1, ByteVector{1, 2});
    retry[message.name].edit(change);
    talk.retry(retry);
  } else if (message.stage == Stage::flight) {
    talk.plan[message.name].edit(change);
  }
  if (!talk.client.failure())
    talk.handshake();
  if (message.stage == Stage::connected && !talk.client.failure()) {
    const bool ticket = std::string_view(message.name) == "NewSessionTicket";
    ByteVector body = ticket ? talk.server.draft_ticket() : ByteVector{0};
    change(body);
    talk.server.send(ticket ? HandshakeType::new_session_ticket : HandshakeType::key_update, body);
  }
  return outcome_of(talk);
}

ByteVector body_of(const Message& message) {
  ByteVector body;
  CHECK(!with_body(message, [&](ByteVector& bytes) { body = bytes; }).error);
  return body;
}

} // namespace

TEST_CASE("every message cut short at every byte is a decoding error", "[lengths]") {
  for (const Message& message : messages()) {
    const std::size_t size = body_of(message).size();
    REQUIRE(size > 0);
    // Certificates are long and alike in the middle.
    const std::size_t step = size > 300 ? 7 : 1;
    for (std::size_t cut = 0; cut < size; cut += cut < 20 || cut + 20 > size ? 1 : step) {
      CAPTURE(message.name, cut, size);
      const Outcome outcome = with_body(message, [cut](ByteVector& body) { body.resize(cut); });
      if (std::find(message.whole_at.begin(), message.whole_at.end(), cut) != message.whole_at.end()) {
        CHECK(outcome == refused(ErrorCode::version_unsupported, Alert::protocol_version));
        continue;
      }
      REQUIRE(outcome.error);
      CHECK(outcome.alerts == 1);
      // All of Finished is its value, which is then a wrong one.
      if (std::string_view(message.name) == "Finished") {
        CHECK(outcome == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
        continue;
      }
      CHECK((outcome.error == ErrorCode::message_truncated || outcome.error == ErrorCode::field_out_of_range));
      CHECK(outcome.alert == Alert::decode_error);
    }
  }
}

TEST_CASE("every message with a byte too many is a decoding error", "[lengths]") {
  for (const Message& message : messages()) {
    CAPTURE(message.name);
    const Outcome outcome = with_body(message, [](ByteVector& body) { body.push_back(0); });
    // All of Finished is its value, which is then a wrong one.
    const bool finished = std::string_view(message.name) == "Finished";
    CHECK(outcome.error == (finished ? ErrorCode::finished_invalid : ErrorCode::message_trailing_bytes));
    CHECK(outcome.alert == (finished ? Alert::decrypt_error : Alert::decode_error));
  }
}

TEST_CASE("every length that is off by one is noticed", "[lengths]") {
  for (const Message& message : messages()) {
    const ByteVector honest = body_of(message);
    for (const auto& [at, width] : message.lengths(honest))
      for (const int change : {-1, 1}) {
        std::uint32_t length = 0;
        for (std::size_t i = 0; i < width; ++i)
          length = (length << 8) | honest[at + i];
        if (length == 0 && change < 0)
          continue;
        length = change < 0 ? length - 1 : length + 1;
        CAPTURE(message.name, at, width, length);
        const Outcome outcome = with_body(message, [&](ByteVector& body) {
          for (std::size_t i = 0; i < width; ++i)
            body[at + i] = static_cast<std::uint8_t>(length >> (8 * (width - 1 - i)));
        });
        REQUIRE(outcome.error);
        const tlsconnect::ErrorGroup group = tlsconnect::describe(*outcome.error).group;
        CHECK((group == tlsconnect::ErrorGroup::decode || group == tlsconnect::ErrorGroup::misbehaved ||
               outcome.error == ErrorCode::certificate_malformed));
        CHECK(outcome.alert == tlsconnect::alert_for(*outcome.error));
        CHECK(outcome.alerts == 1);
      }
  }
}

TEST_CASE("a handshake header that is off by one is noticed", "[lengths]") {
  const auto hello_of_length = [](int change) {
    Talk talk;
    ByteVector hello = framed(HandshakeType::server_hello, talk.server.draft_hello().body());
    hello[3] = static_cast<std::uint8_t>(hello[3] + change);
    talk.server.send_clear(ContentType::handshake, hello);
    // Whatever follows, it cannot complete the message: it is protected.
    talk.server.send_clear(ContentType::application_data, ByteVector(40, 1));
    return outcome_of(talk);
  };
  // One byte too few: the ServerHello is cut short, and its last byte begins another message.
  CHECK(hello_of_length(-1) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(hello_of_length(1) == refused(ErrorCode::record_type_unexpected, Alert::unexpected_message));
}

TEST_CASE("a message may be as long as its limit and no longer", "[lengths][limits]") {
  constexpr std::size_t other = tlsconnect::limits::handshake_message_not_certificate;
  constexpr std::size_t certificate = tlsconnect::limits::handshake_message;
  const auto of_size = [](HandshakeType type, std::size_t size) {
    Talk talk;
    if (type == HandshakeType::certificate) {
      talk.plan["Certificate"].replace(ByteVector(size - 4, 0xFF));
    } else if (type == HandshakeType::encrypted_extensions) {
      talk.plan["EncryptedExtensions"].replace(ByteVector(size - 4, 0xFF));
    } else {
      talk.plan["ServerHello"].replace(ByteVector(size - 4, 0xFF));
    }
    talk.handshake();
    return outcome_of(talk);
  };
  const Outcome too_large = refused(ErrorCode::message_too_large, Alert::illegal_parameter);
  // Within the limit they are read, and found to be nonsense.
  CHECK(of_size(HandshakeType::server_hello, other).alert == Alert::decode_error);
  CHECK(of_size(HandshakeType::server_hello, other + 1) == too_large);
  CHECK(of_size(HandshakeType::encrypted_extensions, other).alert == Alert::decode_error);
  CHECK(of_size(HandshakeType::encrypted_extensions, other + 1) == too_large);
  CHECK(of_size(HandshakeType::certificate, certificate).alert == Alert::decode_error);
  CHECK(of_size(HandshakeType::certificate, certificate + 1) == too_large);
}

TEST_CASE("a message that announces too much is refused before it arrives", "[lengths][limits]") {
  for (const std::size_t piece : {std::size_t{4}, std::size_t{1}}) {
    Talk talk;
    const ByteVector header{2, 1, 0, 1}; // a ServerHello of 65537 bytes
    for (std::size_t i = 0; i < header.size(); i += piece)
      talk.server.send_clear(ContentType::handshake, BytesView(header).subspan(i, piece));
    CHECK(outcome_of(talk) == refused(ErrorCode::message_too_large, Alert::illegal_parameter));
  }
}

TEST_CASE("a chain as long as post-quantum signatures make it is taken", "[lengths][limits]") {
  // Four certificates that carry 20 kilobytes each.
  const Identity large = server_root().issue(
      {.dns = {"server.test"}, .extensions = {{.oid = "1.3.6.1.4.1.99999.1", .value = Blob(20'000, 0x5A)}}});
  CHECK(handshake_with(
            [](Plan& plan) {
              plan["Certificate"].edit_certificate(
                  [](CertificateDraft& draft) { draft.entries.resize(4, CertificateDraft::Entry(draft.entries[0])); });
            },
            {.server = {.identity = large}}) == connected());
}
