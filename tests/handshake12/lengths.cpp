// Every message of TLS 1.2 cut short at every byte, with a byte too many, and with each of its lengths off by one.
#include <functional>
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

using Places = std::vector<std::pair<std::size_t, std::size_t>>; // of a length, and how wide it is

struct Message {
  const char* name;
  std::function<Places(const ByteVector&)> lengths;
  std::size_t whole_at = ~std::size_t{0}; ///< a length at which it happens to be whole
};

const std::vector<Message>& messages() {
  // Without a session id, the extensions begin at 38.
  static const std::vector<Message> rows = {
      {"ServerHello",
       [](const ByteVector& body) {
         Places places{{34, 1}, {38, 2}};
         for (std::size_t i = 40; i < body.size(); i += 4 + static_cast<std::size_t>((body[i + 2] << 8) | body[i + 3]))
           places.emplace_back(i + 2, 2);
         return places;
       },
       38},
      {"Certificate", [](const ByteVector&) { return Places{{0, 3}, {3, 3}}; }},
      {"CertificateStatus", [](const ByteVector&) { return Places{{1, 3}}; }},
      {"ServerKeyExchange", [](const ByteVector&) { return Places{{3, 1}, {4 + 32 + 2, 2}}; }},
      {"CertificateRequest", [](const ByteVector&) { return Places{{0, 1}, {3, 2}, {3 + 2 + 8, 2}}; }},
      {"NewSessionTicket", [](const ByteVector&) { return Places{{4, 2}}; }},
  };
  return rows;
}

TalkOptions12 everything() {
  return {.server = {.alpn = "h2",
                     .ocsp_response = ByteVector(9, 1),
                     .request_certificate = true,
                     .ticket = ByteVector(12, 1)},
          .configure = [](auto& builder) { builder.alpn({"h2"}).status_request(true); }};
}

/// How the handshake goes when that message is changed.
Outcome changed(const char* name, const std::function<void(ByteVector&)>& change) {
  return handshake12_with([&](Plan12& plan) { plan[name].edit(change); }, everything());
}
/// The message itself.
ByteVector honest_body(const char* name) {
  ByteVector body;
  CHECK(changed(name, [&](ByteVector& bytes) { body = bytes; }) == connected());
  return body;
}
void check_decode_error(const Outcome& outcome) {
  REQUIRE(outcome.error);
  CHECK(tlsconnect::describe(*outcome.error).group == tlsconnect::ErrorGroup::decode);
  CHECK(outcome == refused(*outcome.error, Alert::decode_error));
}

} // namespace

TEST_CASE("TLS 1.2: messages that end too early", "[lengths12]") {
  for (const Message& message : messages()) {
    const std::size_t size = honest_body(message.name).size();
    for (std::size_t n = 0; n < size; ++n) {
      CAPTURE(message.name, n);
      const Outcome outcome = changed(message.name, [n](ByteVector& body) { body.resize(n); });
      if (n == message.whole_at)
        CHECK(outcome == refused(ErrorCode::extended_main_secret_missing, Alert::handshake_failure));
      else
        check_decode_error(outcome);
    }
  }
}

TEST_CASE("TLS 1.2: messages that go on", "[lengths12]") {
  for (const Message& message : messages()) {
    CAPTURE(message.name);
    CHECK(changed(message.name, [](ByteVector& body) { body.push_back(0); }) ==
          refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  }
}

TEST_CASE("TLS 1.2: lengths that are wrong by one", "[lengths12]") {
  for (const Message& message : messages()) {
    const ByteVector body = honest_body(message.name);
    for (const auto& [place, width] : message.lengths(body))
      for (const int by : {-1, 1}) {
        CAPTURE(message.name, place, by);
        check_decode_error(changed(message.name, [at = place, size = width, by](ByteVector& bytes) {
          for (std::size_t i = size; i-- > 0;) {
            const int sum = bytes[at + i] + by;
            bytes[at + i] = static_cast<std::uint8_t>(sum);
            if (sum >= 0 && sum <= 255)
              break;
          }
        }));
      }
  }
}
