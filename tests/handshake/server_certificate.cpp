// What a server shows besides plain certificates: staples (RFC 6066, 8; RFC 6962, 3.3), compressed certificates
// (RFC 8879), and no certificates at all, but a raw public key (RFC 7250).
#include <memory>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::CertificateCompressionAlgorithm;
using tlsconnect::Interest;
using tlsconnect::PublicKey;

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
  append_to(body, der);
  return body;
}

} // namespace

TEST_CASE("staples: asked for only where that was decided", "[staples]") {
  for (const bool ocsp : {false, true})
    for (const bool sct : {false, true}) {
      const Talk talk(client_with([=](auto& builder) {
        builder.status_request(ocsp).signed_certificate_timestamps(sct);
      }));
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
  const auto shown = [](const ExtensionList& first, const ExtensionList& second) {
    const auto verifier = std::make_shared<Recorder>();
    Talk talk(client_with([&](auto& builder) {
      builder.verifier(verifier).status_request(true).signed_certificate_timestamps(true);
    }));
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
  CHECK(shown({ocsp}, {}) == Status{{response, {}}, {{}, {}}});
  CHECK(shown({sct}, {}) == Status{{{}, timestamps}, {{}, {}}});
  CHECK(shown({sct, ocsp}, {other}) == Status{{response, timestamps}, {other_response, {}}});
  CHECK(shown({}, {other}) == Status{{{}, {}}, {other_response, {}}});
  CHECK(shown({}, {}).empty());
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
                client_with([](auto& builder) {
                  builder.status_request(true).signed_certificate_timestamps(true);
                })) == refused(error, alert));
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
                compress(plan, [=](Compressed& message) {
                  message.algorithm = static_cast<std::uint16_t>(algorithm);
                });
              },
              decompressing(inverter)) ==
          refused(ErrorCode::certificate_compression_not_offered, Alert::illegal_parameter));
    CHECK(inverter->sizes.empty());
  }
  // RFC 8879, 4: not at all.
  CHECK(handshake_with([](Plan& plan) { compress(plan); },
                       client_with([](auto& builder) { builder.certificate_decompressors({}); })) ==
        refused(ErrorCode::unexpected_message, Alert::unexpected_message));
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
  Talk talk(client_with([](auto& builder) {
    builder.certificate_decompressors({brotli()}).status_request(true);
  }));
  talk.plan["Certificate"].with_extension(ExtensionType::status_request, status_body(response));
  compress(talk.plan);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  REQUIRE(talk.client.info().peer_status.size() == 1);
  CHECK(talk.client.info().peer_status[0].ocsp_response == response);
}

// ---- raw public keys (RFC 7250) ----

namespace {

constexpr std::uint8_t x509 = 0;
constexpr std::uint8_t raw = 2;

PublicKey public_key_of(const Key& key) { return value_of(PublicKey::from_spki(key.public_der())); }
std::shared_ptr<const tlsconnect::RawPublicKeyVerifier> pins(std::vector<PublicKey> keys) {
  return value_of(tlsconnect::PinnedPublicKeys::create(std::move(keys)));
}
const Key& server_key() { return server_identity().key(); }

/// Certificates are judged too, or are not even accepted.
TalkOptions raw_client(std::shared_ptr<const tlsconnect::RawPublicKeyVerifier> verifier, bool certificates_too) {
  return client_with([=](auto& builder) {
    builder.raw_public_keys(verifier);
    if (!certificates_too)
      builder.verifier(nullptr);
  });
}
TalkOptions raw_client(bool certificates_too = false) {
  return raw_client(pins({public_key_of(server_key())}), certificates_too);
}

/// The server shows its key instead of its certificates.
void show_key(Plan& plan, const Blob& spki) {
  plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, {raw});
  plan["Certificate"].edit_certificate([spki](CertificateDraft& draft) { draft.entries = {{spki, {}}}; });
}

} // namespace

TEST_CASE("raw public keys: what is offered", "[raw_public_key]") {
  const auto types = [](TalkOptions options) {
    const Talk talk(std::move(options));
    CHECK(offered(talk, ExtensionType::client_certificate_type) == nullptr);
    const RawExt* extension = offered(talk, ExtensionType::server_certificate_type);
    return extension ? extension->body : ByteVector{};
  };
  CHECK(types({}).empty());
  CHECK(types(raw_client(false)) == ByteVector{1, raw});
  CHECK(types(raw_client(true)) == ByteVector{2, raw, x509});
  CHECK(types(client_with([](auto& builder) {
          builder.raw_public_keys(pins({public_key_of(server_key())}), false);
        })) == ByteVector{2, x509, raw});
}

TEST_CASE("raw public keys: taken", "[raw_public_key]") {
  for (const KeyType type : {KeyType::p256, KeyType::rsa2048, KeyType::ed25519})
    for (const bool certificates_too : {false, true}) {
      const Key& key = server_identity(type).key();
      TalkOptions options =
          raw_client(pins({public_key_of(client_identity(KeyType::p384).key()), public_key_of(key)}), certificates_too);
      options.server.identity = server_identity(type);
      Talk talk(options);
      show_key(talk.plan, key.public_der());
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      const auto& info = talk.client.info();
      CHECK(info.raw_public_key);
      CHECK(info.peer_chain == std::vector<ByteVector>{key.public_der()});
      CHECK(info.peer_status.empty());
      CHECK(info.verification.find("raw public key") != std::string::npos);
      talk.server.send_data("x");
      talk.exchange();
      CHECK(talk.received.size() == 1);
    }
}

TEST_CASE("raw public keys: one that nobody knows", "[raw_public_key]") {
  CHECK(handshake_with([](Plan& plan) { show_key(plan, server_key().public_der()); },
                       raw_client(pins({public_key_of(client_identity(KeyType::p256).key())}), false)) ==
        refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
  // Known, but the server does not hold it.
  const Key& known = client_identity(KeyType::p256).key();
  CHECK(handshake_with([&](Plan& plan) { show_key(plan, known.public_der()); },
                       raw_client(pins({public_key_of(known)}), false)) ==
        refused(ErrorCode::signature_invalid, Alert::decrypt_error));
  // Known, and held, and too short for anything.
  const Key weak = Key::cached(KeyType::rsa1024);
  TalkOptions options = raw_client(pins({public_key_of(weak)}), false);
  options.server.identity = self_signed({.key = weak});
  CHECK(handshake_with([&](Plan& plan) { show_key(plan, weak.public_der()); }, options).error ==
        ErrorCode::certificate_key_too_weak);
}

TEST_CASE("raw public keys: a type that was not offered", "[raw_public_key]") {
  const auto selecting = [](ByteVector body, TalkOptions options) {
    return handshake_with(
        [&](Plan& plan) {
          plan["EncryptedExtensions"].with_extension(ExtensionType::server_certificate_type, std::move(body));
        },
        std::move(options));
  };
  const Outcome wrong = refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate);
  CHECK(selecting({x509}, raw_client(false)) == wrong);
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}, std::uint8_t{255}})
    for (const bool certificates_too : {false, true})
      CHECK(selecting({type}, raw_client(certificates_too)) == wrong);
  CHECK(selecting({x509}, raw_client(true)) == connected());
  CHECK(selecting({}, raw_client(true)) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(selecting({raw, x509}, raw_client(true)) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  const Outcome unsolicited = refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension);
  CHECK(selecting({raw}, {}) == unsolicited);
  CHECK(selecting({x509}, {}) == unsolicited);
}

TEST_CASE("raw public keys: certificates where only keys are accepted", "[raw_public_key]") {
  // The server knows nothing of raw public keys, and answers with certificates.
  Talk talk(raw_client(false));
  talk.handshake();
  CHECK(outcome_of(talk).error.has_value());
  CHECK(!talk.client.handshake_complete());
  CHECK(talk.server.alerts().size() == 1);
  CHECK(talk.client.failure()->group() == tlsconnect::ErrorGroup::certificate);
  // Where both are accepted, that is as good.
  CHECK(handshake_with([](Plan&) {}, raw_client(true)) == connected());
}

TEST_CASE("raw public keys: one, and nothing but one", "[raw_public_key]") {
  const Blob spki = server_key().public_der();
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["Certificate"].edit_certificate([&](CertificateDraft& draft) { draft.entries.push_back({spki, {}}); });
            },
            raw_client(false)) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["Certificate"].edit_certificate([](CertificateDraft& draft) { draft.entries.clear(); });
            },
            raw_client(false)) == refused(ErrorCode::certificate_list_empty, Alert::decode_error));
  const Outcome malformed = refused(ErrorCode::certificate_malformed, Alert::bad_certificate);
  Blob longer = spki;
  longer.push_back(0);
  for (const Blob& other : {server_identity().der(), Blob{0x30, 0}, longer, Blob(spki.begin(), spki.end() - 1)})
    for (const bool certificates_too : {false, true})
      CHECK(handshake_with([&](Plan& plan) { show_key(plan, other); }, raw_client(certificates_too)) == malformed);
  // And a key where a certificate was selected.
  CHECK(handshake_with(
            [&](Plan& plan) {
              show_key(plan, spki);
              plan["EncryptedExtensions"].without_extension(ExtensionType::server_certificate_type);
            },
            raw_client(true)) == malformed);
}

TEST_CASE("raw public keys: judged by the caller", "[raw_public_key][verdict]") {
  class Later final : public tlsconnect::RawPublicKeyVerifier {
  public:
    tlsconnect::Result<std::string> verify(const PublicKey&, const tlsconnect::ServerName&) const noexcept override {
      return tlsconnect::fail(ErrorCode::certificate_rejected);
    }
    bool decides_later() const noexcept override { return true; }
  };
  for (const bool accept : {true, false}) {
    Talk talk(raw_client(std::make_shared<Later>(), true));
    show_key(talk.plan, server_key().public_der());
    talk.handshake();
    REQUIRE(talk.client.awaited() == Interest::verdict);
    const auto request = talk.client.verdict_request();
    REQUIRE(request);
    CHECK(request->presented.chain.empty());
    CHECK(request->presented.status.empty());
    REQUIRE(request->public_key);
    CHECK(tlsconnect::to_vector(request->public_key->spki()) == server_key().public_der());
    if (accept) {
      REQUIRE(talk.client.give_verdict(tlsconnect::VerifiedChain{{}, "seen before"}));
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().verification == "seen before");
    } else {
      CHECK(!talk.client.give_verdict(tlsconnect::fail(ErrorCode::certificate_rejected)));
      CHECK(outcome_of(talk) == refused(ErrorCode::certificate_rejected, Alert::certificate_unknown));
    }
  }
  // The other verifier judges what it is there for.
  CHECK(handshake_with([](Plan&) {}, raw_client(std::make_shared<Later>(), true)) == connected());
}

// ---- the client's raw public key ----

namespace {

/// With these credentials, and a server that selects this type, or none.
struct RawKeyTalk : Talk {
  RawKeyTalk(const std::vector<Credential>& credentials, const std::optional<ByteVector>& selected)
      : Talk(asked_client(credentials)) {
    plan["CertificateRequest"].replace(Asked{}.body());
    if (selected)
      plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, *selected);
  }
};

} // namespace

TEST_CASE("the client's raw public key", "[raw_public_key][client_auth]") {
  const Identity& identity = client_identity(KeyType::p256);
  const Credential key = value_of(Credential::raw_public_key(private_key_of(identity.key())));
  const Credential certificate = credential_of(client_identity(KeyType::ed25519));
  const auto types = [](const std::vector<Credential>& credentials) {
    const Talk talk(asked_client(credentials));
    CHECK(offered(talk, ExtensionType::server_certificate_type) == nullptr);
    const RawExt* extension = offered(talk, ExtensionType::client_certificate_type);
    return extension ? extension->body : ByteVector{};
  };
  CHECK(types({}).empty());
  CHECK(types({certificate}).empty());
  CHECK(types({key}) == ByteVector{1, raw});
  CHECK(types({key, certificate}) == ByteVector{2, raw, x509});
  CHECK(types({certificate, key}) == ByteVector{2, x509, raw});
  CHECK(types({certificate, key, certificate, key}) == ByteVector{2, x509, raw});

  for (const std::vector<Credential>& credentials :
       {std::vector{key}, std::vector{key, certificate}, std::vector{certificate, key}}) {
    RawKeyTalk talk(credentials, ByteVector{raw});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    REQUIRE(talk.server.messages().size() == 3);
    const auto draft = CertificateDraft::of(talk.server.messages()[0].body);
    REQUIRE(draft.entries.size() == 1);
    CHECK(draft.entries[0].der == identity.key().public_der());
    CHECK(draft.entries[0].extensions.empty());
    const auto verify =
        value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(talk.server.messages()[1].body));
    CHECK(signature_holds(identity.key(), verify.algorithm, client_content(talk.server.messages()[1].before),
                          verify.signature));
    CHECK(talk.client.info().client_certificate_sent);
    CHECK(credentials.at(talk.client.info().credential.value()).is_raw_public_key());
    // It says nothing of the server's own.
    CHECK(!talk.client.info().raw_public_key);
  }
}

TEST_CASE("the client's raw public key: the server wants a certificate", "[raw_public_key][client_auth]") {
  const Credential key = value_of(Credential::raw_public_key(private_key_of(client_identity(KeyType::p256).key())));
  const Credential certificate = credential_of(client_identity(KeyType::ed25519));
  for (const std::optional<ByteVector>& selected : {std::optional<ByteVector>(), std::optional(ByteVector{x509})}) {
    RawKeyTalk talk({key, certificate}, selected);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().credential == 1);
  }
  // RFC 7250, 4.2: a server that says nothing expects X.509, which this client does not have.
  RawKeyTalk talk({key}, {});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(!talk.client.info().credential);
  CHECK(!talk.client.info().client_certificate_sent);
  const Outcome wrong = refused(ErrorCode::certificate_type_not_offered, Alert::unsupported_certificate);
  const auto selecting = [](const std::vector<Credential>& credentials, ByteVector body) {
    RawKeyTalk other(credentials, std::move(body));
    other.handshake();
    return outcome_of(other);
  };
  CHECK(selecting({key}, {x509}) == wrong);
  CHECK(selecting({key, certificate}, {1}) == wrong);
  CHECK(selecting({key, certificate}, {}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(selecting({certificate}, {raw}) == refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
}

TEST_CASE("the client's raw public key: after the handshake too", "[raw_public_key][client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  Talk talk({.configure = [&](auto& builder) {
    builder.credentials({value_of(Credential::raw_public_key(private_key_of(identity.key())))})
        .post_handshake_auth(true);
  }});
  talk.plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, {raw});
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  talk.server.send(HandshakeType::certificate_request, Asked{.context = {5}}.body());
  talk.exchange();
  REQUIRE(talk.server.messages().size() == 4);
  const auto draft = CertificateDraft::of(talk.server.messages()[1].body);
  CHECK(draft.context == ByteVector{5});
  REQUIRE(draft.entries.size() == 1);
  CHECK(draft.entries[0].der == identity.key().public_der());
}
