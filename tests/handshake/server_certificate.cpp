// What a server shows besides plain certificates: staples (RFC 6066, 8; RFC 6962, 3.3), and compressed certificates
// (RFC 8879).
#include <memory>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::CertificateCompressionAlgorithm;

namespace {

using Configure = std::function<void(tlsconnect::ClientConfig::Builder&)>;
TalkOptions client_with(Configure configure) { return {.configure = std::move(configure)}; }

/// Accepts every chain and keeps what came with it.
class Recorder final : public tlsconnect::CertificateVerifier {
public:
  struct Seen {
    std::size_t certificates = 0;
    std::vector<std::pair<ByteVector, ByteVector>> status;
  };
  mutable std::vector<Seen> seen;

  tlsconnect::Result<tlsconnect::VerifiedChain> verify(const tlsconnect::PresentedCertificate& presented,
                                                       const tlsconnect::ServerName&,
                                                       std::int64_t) const noexcept override {
    Seen one;
    one.certificates = presented.chain.size();
    for (const tlsconnect::PresentedStatus& status : presented.status)
      one.status.emplace_back(tlsconnect::to_vector(status.ocsp_response), tlsconnect::to_vector(status.sct_list));
    seen.push_back(std::move(one));
    return tlsconnect::VerifiedChain{{}, "recorded"};
  }
};

const RawExt* offered(const Talk& talk, ExtensionType type) {
  return find_extension(talk.server.hello().extensions, type);
}

/// A second certificate in the chain, and these extensions with each of the two.
void two_with(Plan& plan, const ExtensionList& first, const ExtensionList& second) {
  plan["Certificate"].edit_certificate([=](CertificateDraft& draft) {
    draft.entries.push_back({server_root().der(), second});
    draft.entries[0].extensions = first;
  });
}

} // namespace

// ---- staples ----

namespace {

const ByteVector response = {0x30, 3, 10, 1, 0};
const ByteVector other_response = {0x30, 3, 10, 1, 1};
const ByteVector timestamps = {0, 9, 0, 2, 7, 7, 0, 3, 1, 2, 3};

ByteVector status_body(const ByteVector& der) {
  ByteVector body = {1, 0, static_cast<std::uint8_t>(der.size() >> 8), static_cast<std::uint8_t>(der.size())};
  append(body, der);
  return body;
}

} // namespace

TEST_CASE("staples: asked for only where that was decided", "[staples]") {
  for (const bool ocsp : {false, true})
    for (const bool sct : {false, true}) {
      const Talk talk(
          client_with([=](auto& builder) { builder.status_request(ocsp).signed_certificate_timestamps(sct); }));
      const RawExt* status = offered(talk, ExtensionType::status_request);
      const RawExt* timestamp = offered(talk, ExtensionType::signed_certificate_timestamp);
      REQUIRE((status != nullptr) == ocsp);
      REQUIRE((timestamp != nullptr) == sct);
      if (ocsp)
        CHECK(status->body == ByteVector{1, 0, 0, 0, 0}); // ocsp, no responders, no extensions
      if (sct)
        CHECK(timestamp->body.empty());
    }
}

TEST_CASE("staples: each certificate's go to the verifier and to the caller", "[staples]") {
  using Status = std::vector<std::pair<ByteVector, ByteVector>>;
  const auto both_see = [](const ExtensionList& first, const ExtensionList& second) {
    const auto verifier = std::make_shared<Recorder>();
    Talk talk(client_with(
        [&](auto& builder) { builder.verifier(verifier).status_request(true).signed_certificate_timestamps(true); }));
    two_with(talk.plan, first, second);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    REQUIRE(verifier->seen.size() == 1);
    CHECK(verifier->seen[0].certificates == 2);
    Status known;
    for (const tlsconnect::PeerStatus& status : talk.client.info().peer_status)
      known.emplace_back(status.ocsp_response, status.sct_list);
    CHECK(known == verifier->seen[0].status);
    return known;
  };
  const RawExt ocsp{ExtensionType::status_request, status_body(response)};
  const RawExt other{ExtensionType::status_request, status_body(other_response)};
  const RawExt sct{ExtensionType::signed_certificate_timestamp, timestamps};
  CHECK(both_see({ocsp}, {}) == Status{{response, {}}, {{}, {}}});
  CHECK(both_see({sct}, {}) == Status{{{}, timestamps}, {{}, {}}});
  CHECK(both_see({sct, ocsp}, {other}) == Status{{response, timestamps}, {other_response, {}}});
  CHECK(both_see({}, {other}) == Status{{{}, {}}, {other_response, {}}});
  CHECK(both_see({}, {}).empty());
}

TEST_CASE("staples: malformed", "[staples][malformed]") {
  const auto wrong = [](ExtensionType type, ByteVector body, ErrorCode error, Alert alert = Alert::decode_error) {
    CAPTURE(static_cast<unsigned>(type), body);
    const RawExt extension{type, std::move(body)};
    for (const bool second : {false, true})
      CHECK(handshake_with(
                [&](Plan& plan) {
                  two_with(plan, second ? ExtensionList() : ExtensionList{extension},
                           second ? ExtensionList{extension} : ExtensionList());
                },
                client_with([](auto& builder) { builder.status_request(true).signed_certificate_timestamps(true); })) ==
            refused(error, alert));
  };
  constexpr auto status = ExtensionType::status_request;
  wrong(status, {}, ErrorCode::message_truncated);
  wrong(status, {1}, ErrorCode::message_truncated);
  wrong(status, {1, 0, 0}, ErrorCode::message_truncated);
  wrong(status, {1, 0, 0, 2, 0x30}, ErrorCode::message_truncated);
  wrong(status, {1, 0, 0, 0}, ErrorCode::field_out_of_range);       // no response
  wrong(status, {0, 0, 0, 1, 0x30}, ErrorCode::field_out_of_range); // no such type
  wrong(status, {2, 0, 0, 1, 0x30}, ErrorCode::field_out_of_range);
  wrong(status, {1, 0, 0, 1, 0x30, 0}, ErrorCode::message_trailing_bytes);
  constexpr auto sct = ExtensionType::signed_certificate_timestamp;
  wrong(sct, {}, ErrorCode::message_truncated);
  wrong(sct, {0, 0}, ErrorCode::field_out_of_range);       // no timestamp
  wrong(sct, {0, 2, 0, 0}, ErrorCode::field_out_of_range); // an empty one
  wrong(sct, {0, 3, 0, 2, 1}, ErrorCode::message_truncated);
  wrong(sct, {0, 4, 0, 1, 1}, ErrorCode::message_truncated);
  wrong(sct, {0, 3, 0, 1, 1, 9}, ErrorCode::message_trailing_bytes);
  ByteVector many;
  tlsconnect::Writer writer(many);
  writer.prefixed(2, [&] {
    for (std::size_t i = 0; i <= tlsconnect::limits::signed_certificate_timestamps; ++i)
      writer.opaque16(ByteVector{1}, 0, 0xFFFF);
  });
  REQUIRE(writer.finish("many"));
  wrong(sct, many, ErrorCode::message_too_large, Alert::illegal_parameter);
}

TEST_CASE("staples: not asked for", "[staples]") {
  const Outcome wrong = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
  const RawExt ocsp{ExtensionType::status_request, status_body(response)};
  const RawExt sct{ExtensionType::signed_certificate_timestamp, timestamps};
  CHECK(handshake_with([&](Plan& plan) { two_with(plan, {ocsp}, {}); }) == wrong);
  CHECK(handshake_with([&](Plan& plan) { two_with(plan, {}, {ocsp}); }) == wrong);
  CHECK(handshake_with([&](Plan& plan) { two_with(plan, {sct}, {}); }) == wrong);
  CHECK(handshake_with([&](Plan& plan) { two_with(plan, {sct}, {}); },
                       client_with([](auto& builder) { builder.status_request(true); })) == wrong);
  // RFC 9846, 4.4.2.1: they belong to the certificate.
  CHECK(handshake_with([&](Plan& plan) { plan["EncryptedExtensions"].with_extension(ocsp.type, ocsp.body); },
                       client_with([](auto& builder) { builder.status_request(true); })) ==
        refused(ErrorCode::extension_misplaced, Alert::illegal_parameter));
}

// ---- compressed certificates (RFC 8879) ----

namespace {

/// Not much of a compression: every byte is inverted.
ByteVector inverted(BytesView bytes) {
  ByteVector out = tlsconnect::to_vector(bytes);
  for (std::uint8_t& byte : out)
    byte = static_cast<std::uint8_t>(~byte);
  return out;
}

class Inverter final : public tlsconnect::CertificateDecompressor {
public:
  explicit Inverter(CertificateCompressionAlgorithm algorithm) : algorithm_(algorithm) {}
  CertificateCompressionAlgorithm algorithm() const noexcept override { return algorithm_; }
  bool decompress(BytesView compressed, Bytes out) const noexcept override {
    sizes.push_back(out.size());
    if (compressed.size() != out.size())
      return false;
    tlsconnect::copy_bytes(inverted(compressed), out);
    return true;
  }
  mutable std::vector<std::size_t> sizes; ///< that were asked for

private:
  CertificateCompressionAlgorithm algorithm_;
};

struct Compressed {
  std::uint16_t algorithm = 2;
  std::optional<std::uint32_t> stated = {};
  ByteVector bytes;

  [[nodiscard]] ByteVector body() const {
    ByteVector out;
    tlsconnect::Writer writer(out);
    writer.number(algorithm);
    writer.number24(stated.value_or(static_cast<std::uint32_t>(bytes.size())));
    writer.opaque24(bytes, 0, 0xFF'FFFF);
    value_of(writer.finish("CompressedCertificate"));
    return out;
  }
};

/// The server compresses its certificates; `change` may spoil that.
template <class Change>
void compress(Plan& plan, Change change) {
  Step& step = plan["Certificate"];
  step.type = HandshakeType::compressed_certificate;
  step.edit([change](ByteVector& body) {
    Compressed message;
    message.bytes = inverted(body);
    change(message);
    body = message.body();
  });
}
void compress(Plan& plan) {
  compress(plan, [](Compressed&) {});
}

using Inverters = std::vector<std::shared_ptr<const tlsconnect::CertificateDecompressor>>;
TalkOptions decompressing(std::shared_ptr<const Inverter> inverter) {
  return client_with([inverter](auto& builder) { builder.certificate_decompressors({inverter}); });
}
std::shared_ptr<const Inverter> brotli() {
  return std::make_shared<const Inverter>(CertificateCompressionAlgorithm::brotli);
}

} // namespace

TEST_CASE("compressed certificates: what is offered", "[compression]") {
  const auto body = [](Inverters decompressors) {
    const Talk talk(client_with([&](auto& builder) { builder.certificate_decompressors(decompressors); }));
    const RawExt* extension = offered(talk, ExtensionType::compress_certificate);
    return extension ? extension->body : ByteVector{};
  };
  const auto zlib = std::make_shared<const Inverter>(CertificateCompressionAlgorithm::zlib);
  CHECK(body({}).empty());
  CHECK(body({brotli()}) == ByteVector{2, 0, 2});
  CHECK(body({brotli(), zlib}) == ByteVector{4, 0, 2, 0, 1});
  CHECK(body({zlib, brotli()}) == ByteVector{4, 0, 1, 0, 2});
}

TEST_CASE("compressed certificates: taken", "[compression]") {
  for (const bool requested : {false, true}) {
    const auto inverter = brotli();
    TalkOptions options = decompressing(inverter);
    options.quick = false; // the chain is judged like any other
    options.server.request_certificate = requested;
    Talk talk(options);
    compress(talk.plan);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().certificate_compression == 2);
    CHECK(talk.client.info().peer_chain == std::vector<ByteVector>{server_identity().der()});
    CHECK(inverter->sizes.size() == 1);
  }
  // And the server may do without.
  const auto inverter = brotli();
  Talk talk(decompressing(inverter));
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().certificate_compression == 0);
  CHECK(inverter->sizes.empty());
}

TEST_CASE("compressed certificates: in another way than offered", "[compression]") {
  for (const unsigned algorithm : {0U, 1U, 3U, 0x0102U, 0xFFFFU}) {
    CAPTURE(algorithm);
    const auto inverter = brotli();
    CHECK(handshake_with(
              [&](Plan& plan) {
                compress(plan, [=](Compressed& message) { message.algorithm = static_cast<std::uint16_t>(algorithm); });
              },
              decompressing(inverter)) ==
          refused(ErrorCode::certificate_compression_not_offered, Alert::illegal_parameter));
    CHECK(inverter->sizes.empty());
  }
  // RFC 8879, 4: not at all.
  CHECK(handshake_with([](Plan& plan) { compress(plan); }, client_with([](auto& builder) {
                         builder.certificate_decompressors({});
                       })) == refused(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("compressed certificates: that do not decompress to what they state", "[compression]") {
  const Outcome wrong = refused(ErrorCode::certificate_decompression_failed, Alert::bad_certificate);
  for (const int difference : {-1, 1, 100}) {
    const auto inverter = brotli();
    CHECK(handshake_with(
              [&](Plan& plan) {
                compress(plan, [=](Compressed& message) {
                  message.stated = static_cast<std::uint32_t>(static_cast<int>(message.bytes.size()) + difference);
                });
              },
              decompressing(inverter)) == wrong);
    CHECK(inverter->sizes.size() == 1);
  }
}

TEST_CASE("compressed certificates: too large to be decompressed", "[compression]") {
  const auto stating = [](std::size_t size, const std::shared_ptr<const Inverter>& inverter) {
    return handshake_with(
        [&](Plan& plan) {
          compress(plan, [=](Compressed& message) { message.stated = static_cast<std::uint32_t>(size); });
        },
        decompressing(inverter));
  };
  const Outcome wrong = refused(ErrorCode::certificate_decompression_failed, Alert::bad_certificate);
  constexpr std::size_t limit = tlsconnect::limits::decompressed_certificate;
  // RFC 8879, 5: before anything is decompressed.
  for (const std::size_t size : {limit + 1, std::size_t{0xFF'FFFF}}) {
    const auto inverter = brotli();
    CHECK(stating(size, inverter) == wrong);
    CHECK(inverter->sizes.empty());
  }
  const auto inverter = brotli();
  CHECK(stating(limit, inverter) == wrong);
  CHECK(inverter->sizes == std::vector<std::size_t>{limit});
}

TEST_CASE("compressed certificates: what is inside must be a Certificate", "[compression]") {
  const auto holding = [](ByteVector plain) {
    return handshake_with(
        [&](Plan& plan) { compress(plan, [=](Compressed& message) { message.bytes = inverted(plain); }); },
        decompressing(brotli()));
  };
  CHECK(holding({9, 9, 9}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(holding({0, 0, 0, 0}) == refused(ErrorCode::certificate_list_empty, Alert::decode_error));
  CHECK(holding({1, 7, 0, 0, 6, 0, 0, 1, 9, 0, 0}) ==
        refused(ErrorCode::certificate_request_context_not_empty, Alert::illegal_parameter));
  // Nothing at all may not even be sent.
  CHECK(holding({}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(handshake_with(
            [](Plan& plan) {
              compress(plan);
              plan["Certificate"].edit([](ByteVector& body) { body.push_back(0); });
            },
            decompressing(brotli())) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  for (const std::size_t size : {0U, 1U, 4U, 7U})
    CHECK(handshake_with(
              [=](Plan& plan) {
                compress(plan);
                plan["Certificate"].edit([=](ByteVector& body) { body.resize(size); });
              },
              decompressing(brotli())) == refused(ErrorCode::message_truncated, Alert::decode_error));
}

TEST_CASE("compressed certificates: staples come through", "[compression][staples]") {
  Talk talk(client_with([](auto& builder) { builder.certificate_decompressors({brotli()}).status_request(true); }));
  talk.plan["Certificate"].with_extension(ExtensionType::status_request, status_body(response));
  compress(talk.plan);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  REQUIRE(talk.client.info().peer_status.size() == 1);
  CHECK(talk.client.info().peer_status[0].ocsp_response == response);
}
