// Client certificates: which one answers a CertificateRequest, and what is signed with it (RFC 9846, 4.3.2 and 4.4).
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;
using tlsconnect::Interest;

namespace {

/// What the client said about itself during the handshake.
struct Answer {
  std::vector<HandshakeType> types;
  std::optional<CertificateDraft> certificate;
  ByteVector certificate_body;
  std::optional<SignatureScheme> scheme;
  ByteVector signature;
  ByteVector verify_body;
  ByteVector signed_hash; ///< the transcript's in front of CertificateVerify
  ByteVector finished;

  Answer() = default;
  explicit Answer(const ScriptedServer& server, std::size_t from = 0) {
    for (std::size_t i = from; i < server.messages().size(); ++i) {
      const SeenMessage& message = server.messages()[i];
      types.push_back(message.type);
      if (message.type == HandshakeType::certificate) {
        certificate = CertificateDraft::of(message.body);
        certificate_body = message.body;
      } else if (message.type == HandshakeType::certificate_verify) {
        const auto verify = value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(message.body));
        scheme = verify.algorithm;
        signature = tlsconnect::to_vector(verify.signature);
        verify_body = message.body;
        signed_hash = message.before;
      } else if (message.type == HandshakeType::finished) {
        finished = message.body;
      }
    }
  }
};

const std::vector<HandshakeType> shown = {HandshakeType::certificate, HandshakeType::certificate_verify,
                                          HandshakeType::finished};
const std::vector<HandshakeType> nothing_shown = {HandshakeType::certificate, HandshakeType::finished};

/// The whole handshake, with that request.
void shake(Talk& talk, const Asked& asked) {
  talk.plan["CertificateRequest"].replace(asked.body());
  talk.handshake();
}

std::vector<Blob> ders_of(const CertificateDraft& draft) {
  std::vector<Blob> ders;
  for (const CertificateDraft::Entry& entry : draft.entries)
    ders.push_back(entry.der);
  return ders;
}

/// Which credential answers; nothing when the client has none to show.
std::optional<std::size_t> chosen(const std::vector<Credential>& credentials, const Asked& asked) {
  Talk talk(asked_client(credentials));
  shake(talk, asked);
  CHECK(outcome_of(talk) == connected());
  const auto& info = talk.client.info();
  const Answer answer(talk.server);
  CHECK(info.certificate_requested);
  REQUIRE(answer.certificate);
  CHECK(answer.certificate->context.empty());
  CHECK(info.client_certificate_sent == info.credential.has_value());
  if (!info.credential) {
    CHECK(answer.types == nothing_shown);
    CHECK(answer.certificate->entries.empty());
    return std::nullopt;
  }
  CHECK(answer.types == shown);
  const Credential& credential = credentials.at(*info.credential);
  REQUIRE(answer.certificate->entries.size() == credential.chain().size());
  for (std::size_t i = 0; i < credential.chain().size(); ++i)
    CHECK(answer.certificate->entries[i].der == tlsconnect::to_vector(credential.chain()[i].der()));
  return *info.credential;
}

ByteVector authorities(const std::vector<ByteVector>& names) {
  ByteVector body;
  tlsconnect::Writer writer(body);
  writer.prefixed(2, [&] {
    for (const ByteVector& name : names)
      writer.opaque16(name, 0, 0xFFFF);
  });
  value_of(writer.finish("certificate_authorities"));
  return body;
}
ByteVector name_of_issuer(const Identity& issuer) {
  return value_of(tlsconnect::Certificate::from_der(issuer.der())).subject_der();
}

ByteVector filters(const std::vector<std::pair<ByteVector, ByteVector>>& rows) {
  ByteVector body;
  tlsconnect::Writer writer(body);
  writer.prefixed(2, [&] {
    for (const auto& [oid, values] : rows) {
      writer.opaque8(oid, 0, 0xFF);
      writer.opaque16(values, 0, 0xFFFF);
    }
  });
  value_of(writer.finish("oid_filters"));
  return body;
}

const ByteVector key_usage = {0x06, 0x03, 0x55, 0x1D, 0x0F};
const ByteVector extended_key_usage = {0x06, 0x03, 0x55, 0x1D, 0x25};
const ByteVector unheard_of = {0x06, 0x03, 0x2A, 0x03, 0x04};
const ByteVector client_auth_purpose = {0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
const ByteVector server_auth_purpose = {0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

} // namespace

// ---- signatures ----

TEST_CASE("client certificates: every kind of key", "[client_auth]") {
  const std::vector<std::pair<KeyType, SignatureScheme>> rows = {
      {KeyType::p256, SignatureScheme::ecdsa_secp256r1_sha256},
      {KeyType::p384, SignatureScheme::ecdsa_secp384r1_sha384},
      {KeyType::p521, SignatureScheme::ecdsa_secp521r1_sha512},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha256},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha384},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha512},
      {KeyType::rsa_pss2048, SignatureScheme::rsa_pss_pss_sha256},
      {KeyType::rsa_pss2048, SignatureScheme::rsa_pss_pss_sha384},
      {KeyType::rsa_pss2048_sha256, SignatureScheme::rsa_pss_pss_sha256},
      {KeyType::ed25519, SignatureScheme::ed25519},
      {KeyType::ed448, SignatureScheme::ed448},
  };
  for (const auto& [type, scheme] : rows)
    for (const CipherSuite suite : {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384}) {
      CAPTURE(name_of(scheme), name_of(suite));
      const Identity& identity = client_identity(type);
      TalkOptions options = asked_client({credential_of(identity)});
      options.server.suite = suite;
      Talk talk(options);
      // What is for certificates and older versions only may stand in the list, and is not chosen.
      shake(talk, {.schemes = {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ecdsa_sha1, scheme}});
      REQUIRE(outcome_of(talk) == connected());
      const Answer answer(talk.server);
      REQUIRE(answer.types == shown);
      CHECK(ders_of(*answer.certificate) == identity.chain_der());
      CHECK(answer.certificate->context.empty());
      CHECK(answer.scheme == scheme);
      CHECK(signature_holds(identity.key(), scheme, client_content(answer.signed_hash), answer.signature));
      // What was signed is this connection and this side's, and nothing else.
      ByteVector other = answer.signed_hash;
      other[0] ^= 1;
      CHECK(!signature_holds(identity.key(), scheme, client_content(other), answer.signature));
      CHECK(!signature_holds(identity.key(), scheme, answer.signed_hash, answer.signature));
      const auto& info = talk.client.info();
      CHECK(info.certificate_requested);
      CHECK(info.client_certificate_sent);
      CHECK(info.credential == 0);
      talk.server.send_data("welcome");
      REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("thanks")));
      talk.exchange();
      CHECK(tlsconnect::as_text(talk.received) == "welcome");
      CHECK(tlsconnect::as_text(talk.server.received()) == "thanks");
    }
}

TEST_CASE("client certificates: all that the client says leaves together, under the handshake's key", "[client_auth]") {
  Talk talk(asked_client({credential_of(client_identity(KeyType::p256))}));
  const std::size_t before = talk.server.records().size();
  shake(talk, {});
  REQUIRE(outcome_of(talk) == connected());
  std::size_t sealed = 0;
  for (std::size_t i = before; i < talk.server.records().size(); ++i)
    if (talk.server.records()[i].sealed) {
      ++sealed;
      CHECK(talk.server.records()[i].key == 1);
      CHECK(talk.server.records()[i].type == ContentType::handshake);
    }
  CHECK(sealed == 1);
}

TEST_CASE("client certificates: nobody is told who was not asked", "[client_auth]") {
  Talk talk({.configure = [](auto& builder) {
    builder.credentials({credential_of(client_identity(KeyType::p256))});
  }});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(Answer(talk.server).types == std::vector{HandshakeType::finished});
  CHECK(!talk.client.info().certificate_requested);
  CHECK(!talk.client.info().client_certificate_sent);
  CHECK(!talk.client.info().credential);
}

// ---- which one ----

TEST_CASE("client certificates: the first with a scheme that the server knows", "[client_auth]") {
  const std::vector<Credential> credentials = {credential_of(client_identity(KeyType::ed25519)),
                                               credential_of(client_identity(KeyType::p256)),
                                               credential_of(client_identity(KeyType::rsa2048))};
  CHECK(chosen(credentials, {}) == 0);
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::ecdsa_secp256r1_sha256}}) ==
        1);
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::rsa_pss_rsae_sha512}}) == 2);
  // RFC 9846, 4.4.2: without a fit, a Certificate without certificates.
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::ed448}}) == std::nullopt);
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::ecdsa_secp384r1_sha384}}) == std::nullopt);
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::rsa_pss_pss_sha256}}) == std::nullopt);
  // RFC 9846, 4.2.3: not for handshakes of TLS 1.3.
  CHECK(chosen(credentials, {.schemes = {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha1,
                                         SignatureScheme::ecdsa_sha1}}) == std::nullopt);
  CHECK(chosen(credentials, {.schemes = {static_cast<SignatureScheme>(0x0A0A)}}) == std::nullopt);
  CHECK(chosen({}, {}) == std::nullopt);
}

TEST_CASE("client certificates: a client that insists on showing one", "[client_auth]") {
  const auto asking = [](SignatureScheme scheme, bool late) {
    TalkOptions options;
    options.server.request_certificate = !late;
    options.configure = [](auto& builder) {
      builder.credentials({credential_of(client_identity(KeyType::p256))})
          .credential_required(true)
          .post_handshake_auth(true);
    };
    const Asked asked{.schemes = {scheme}, .context = late ? ByteVector{1} : ByteVector{}};
    if (!late)
      return handshake_with([&](Plan& plan) { plan["CertificateRequest"].replace(asked.body()); }, options);
    return after_handshake([&](Talk& talk) { talk.server.send(HandshakeType::certificate_request, asked.body()); },
                           options);
  };
  const ErrorCode none = ErrorCode::no_credential_fits;
  const Alert alert = tlsconnect::alert_for(none).value();
  CHECK(asking(SignatureScheme::ecdsa_secp256r1_sha256, false) == connected());
  CHECK(asking(SignatureScheme::ecdsa_secp256r1_sha256, true) == connected());
  CHECK(asking(SignatureScheme::ed25519, false) == refused(none, alert));
  CHECK(asking(SignatureScheme::ed25519, true) == refused_later(none, alert));
}

TEST_CASE("client certificates: the client's order of schemes counts", "[client_auth]") {
  const std::vector<SignatureScheme> order = {SignatureScheme::rsa_pss_rsae_sha512,
                                              SignatureScheme::rsa_pss_rsae_sha256};
  const Credential credential =
      value_of(credential_of(client_identity(KeyType::rsa2048)).with_signature_schemes(order));
  const auto used = [&](std::vector<SignatureScheme> schemes) {
    Talk talk(asked_client({credential}));
    shake(talk, {.schemes = std::move(schemes)});
    CHECK(outcome_of(talk) == connected());
    return Answer(talk.server).scheme;
  };
  CHECK(used({SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pss_rsae_sha512}) ==
        SignatureScheme::rsa_pss_rsae_sha512);
  CHECK(used({SignatureScheme::rsa_pss_rsae_sha256}) == SignatureScheme::rsa_pss_rsae_sha256);
  CHECK(used({SignatureScheme::rsa_pss_rsae_sha384}) == std::nullopt);
}

TEST_CASE("client certificates: the authorities that the server names", "[client_auth]") {
  const Identity other_root = self_signed({.common_name = "Other Root", .ca = true});
  const Identity other = other_root.issue({.common_name = "other", .key = Key::cached(KeyType::p256, 1)});
  const std::vector<Credential> credentials = {credential_of(client_identity(KeyType::p256)), credential_of(other)};
  const auto with = [&](const std::vector<ByteVector>& names) {
    return Asked{.more = {{ExtensionType::certificate_authorities, authorities(names)}}};
  };
  CHECK(chosen(credentials, with({name_of_issuer(other_root)})) == 1);
  CHECK(chosen(credentials, with({name_of_issuer(client_ca())})) == 0);
  // RFC 9846, 4.4.2.2: any certificate of the chain may be issued by the authority.
  CHECK(chosen(credentials, with({name_of_issuer(client_root())})) == 0);
  CHECK(chosen(credentials, with({{1, 2, 3}, name_of_issuer(other_root)})) == 1);
  // The list is a wish.
  CHECK(chosen(credentials, with({name_of_issuer(server_root())})) == 0);
  // Unless the caller says that it is more.
  std::vector<Credential> strict;
  for (const Credential& credential : credentials)
    strict.push_back(credential.with_required_issuer(true));
  CHECK(chosen(strict, with({name_of_issuer(server_root())})) == std::nullopt);
  CHECK(chosen(strict, with({name_of_issuer(other_root)})) == 1);
}

TEST_CASE("client certificates: what the server wants to read in one", "[client_auth]") {
  const Identity plain = client_ca().issue({.common_name = "plain",
                                            .key = Key::cached(KeyType::p256, 1),
                                            .extended_key_usage = std::vector<std::string>{}});
  const std::vector<Credential> credentials = {credential_of(plain),
                                               credential_of(client_identity(KeyType::p256))};
  const auto with = [&](const std::vector<std::pair<ByteVector, ByteVector>>& rows) {
    return Asked{.more = {{ExtensionType::oid_filters, filters(rows)}}};
  };
  CHECK(chosen(credentials, with({})) == 0);
  CHECK(chosen(credentials, with({{extended_key_usage, client_auth_purpose}})) == 1);
  CHECK(chosen(credentials, with({{extended_key_usage, {}}})) == 1); // there, with any value
  CHECK(chosen(credentials, with({{extended_key_usage, server_auth_purpose}})) == std::nullopt);
  CHECK(chosen(credentials, with({{key_usage, {3, 2, 7, 0x80}}})) == 0);             // digitalSignature
  CHECK(chosen(credentials, with({{key_usage, {3, 2, 5, 0xA0}}})) == std::nullopt);  // and keyEncipherment
  CHECK(chosen(credentials, with({{key_usage, {3, 2, 7, 0x80}}, {extended_key_usage, client_auth_purpose}})) == 1);
  // RFC 9846, 4.2.5: a filter that the client does not know is passed over.
  CHECK(chosen(credentials, with({{unheard_of, {4, 1, 1}}})) == 0);
  CHECK(chosen(credentials, with({{unheard_of, {}}, {extended_key_usage, client_auth_purpose}})) == 1);
  // What cannot be read is not matched.
  CHECK(chosen(credentials, with({{extended_key_usage, {0x30, 5, 6}}})) == std::nullopt);
}

TEST_CASE("client certificates: staples go where they were asked for", "[client_auth][staple]") {
  const ByteVector response = {0x30, 3, 10, 1, 0};
  const ByteVector timestamps = {0, 4, 0, 2, 7, 7};
  const Credential credential = credential_of(client_identity(KeyType::p256))
                                    .with_ocsp_response(response)
                                    .with_sct_list(timestamps);
  const ExtensionList wants_ocsp = {{ExtensionType::status_request, {1, 0, 0, 0, 0}}};
  const ExtensionList wants_sct = {{ExtensionType::signed_certificate_timestamp, {}}};
  const auto stapled = [](const Credential& held, const ExtensionList& more) {
    Talk talk(asked_client({held}));
    shake(talk, {.more = more});
    CHECK(outcome_of(talk) == connected());
    const Answer answer(talk.server);
    REQUIRE(answer.certificate);
    REQUIRE(answer.certificate->entries.size() == 2);
    CHECK(answer.certificate->entries[1].extensions.empty());
    std::vector<std::pair<ExtensionType, ByteVector>> found;
    for (const RawExt& extension : answer.certificate->entries[0].extensions)
      found.emplace_back(extension.type, extension.body);
    return found;
  };
  using Found = std::vector<std::pair<ExtensionType, ByteVector>>;
  const ByteVector status = {1, 0, 0, 5, 0x30, 3, 10, 1, 0};
  CHECK(stapled(credential, {}).empty());
  CHECK(stapled(credential, wants_ocsp) == Found{{ExtensionType::status_request, status}});
  CHECK(stapled(credential, wants_sct) == Found{{ExtensionType::signed_certificate_timestamp, timestamps}});
  CHECK(stapled(credential, {wants_ocsp[0], wants_sct[0]}) ==
        Found{{ExtensionType::status_request, status}, {ExtensionType::signed_certificate_timestamp, timestamps}});
  CHECK(stapled(credential_of(client_identity(KeyType::p256)), {wants_ocsp[0], wants_sct[0]}).empty());
}

// ---- requests that are wrong ----

namespace {

/// The same request during the handshake, and after it.
void check_request(const ExtensionList& more, ErrorCode error, Alert alert) {
  const Asked asked{.more = more};
  CHECK(handshake_with([&](Plan& plan) { plan["CertificateRequest"].replace(asked.body()); },
                       asked_client({credential_of(client_identity(KeyType::p256))})) == refused(error, alert));
  CHECK(after_handshake(
            [&](Talk& talk) {
              Asked late = asked;
              late.context = {1};
              talk.server.send(HandshakeType::certificate_request, late.body());
            },
            {.configure = [](auto& builder) { builder.post_handshake_auth(true); }}) == refused_later(error, alert));
}

} // namespace

TEST_CASE("CertificateRequest: malformed certificate_authorities", "[client_auth][malformed]") {
  const auto wrong = [](ByteVector body, ErrorCode error) {
    CAPTURE(body);
    check_request({{ExtensionType::certificate_authorities, std::move(body)}}, error, Alert::decode_error);
  };
  wrong({}, ErrorCode::message_truncated);
  wrong({0}, ErrorCode::message_truncated);
  wrong({0, 0}, ErrorCode::field_out_of_range);          // nobody
  wrong({0, 2, 0, 0}, ErrorCode::field_out_of_range);    // somebody without a name
  wrong({0, 4, 0, 1, 1}, ErrorCode::message_truncated);  // less than it says
  wrong({0, 3, 0, 1, 1, 9}, ErrorCode::message_trailing_bytes);
  wrong({0, 3, 0, 2, 1}, ErrorCode::message_truncated);  // a name that goes beyond the list
  wrong({0, 4, 0, 1, 1, 0}, ErrorCode::message_truncated);
}

TEST_CASE("CertificateRequest: malformed oid_filters", "[client_auth][malformed]") {
  const auto wrong = [](ByteVector body, ErrorCode error) {
    CAPTURE(body);
    check_request({{ExtensionType::oid_filters, std::move(body)}}, error, Alert::decode_error);
  };
  wrong({}, ErrorCode::message_truncated);
  wrong({0}, ErrorCode::message_truncated);
  wrong({0, 0, 0}, ErrorCode::message_trailing_bytes);
  wrong({0, 3, 0, 0, 0}, ErrorCode::field_out_of_range); // no object identifier
  wrong({0, 2, 1, 6}, ErrorCode::message_truncated);     // no values
  wrong({0, 5, 1, 6, 0, 2, 1}, ErrorCode::message_truncated);
  wrong({0, 6, 1, 6, 0, 1, 1}, ErrorCode::message_truncated);
}

TEST_CASE("CertificateRequest: lists do not grow without end", "[client_auth][malformed]") {
  const auto names = [](std::size_t count) {
    return ExtensionList{{ExtensionType::certificate_authorities, authorities(std::vector<ByteVector>(count, {1}))}};
  };
  const auto rows = [](std::size_t count) {
    return ExtensionList{
        {ExtensionType::oid_filters, filters(std::vector<std::pair<ByteVector, ByteVector>>(count, {unheard_of, {}}))}};
  };
  check_request(names(tlsconnect::limits::certificate_authorities + 1), ErrorCode::message_too_large,
                Alert::illegal_parameter);
  check_request(rows(tlsconnect::limits::oid_filters + 1), ErrorCode::message_too_large, Alert::illegal_parameter);
  const std::vector<Credential> credentials = {credential_of(client_identity(KeyType::p256))};
  CHECK(chosen(credentials, {.more = names(tlsconnect::limits::certificate_authorities)}) == 0);
  CHECK(chosen(credentials, {.more = rows(tlsconnect::limits::oid_filters)}) == 0);
}

TEST_CASE("CertificateRequest: extensions that may not stand there, and one that must", "[client_auth][malformed]") {
  check_request({{ExtensionType::application_layer_protocol_negotiation, {0, 2, 1, 'h'}}},
                ErrorCode::extension_misplaced, Alert::illegal_parameter);
  check_request({{ExtensionType::signature_algorithms, {0, 2, 4, 3}}}, ErrorCode::extension_duplicate,
                Alert::decode_error);
  // RFC 9846, 4.3.2: what the client does not know is passed over.
  CHECK(chosen({credential_of(client_identity(KeyType::p256))}, {.more = {{static_cast<ExtensionType>(0x5555), {1}}}}) ==
        0);
  const auto without = [](bool late) {
    const ByteVector body = late ? ByteVector{1, 7, 0, 0} : ByteVector{0, 0, 0};
    if (!late)
      return handshake_with([&](Plan& plan) { plan["CertificateRequest"].replace(body); }, asked_client({}));
    return after_handshake([&](Talk& talk) { talk.server.send(HandshakeType::certificate_request, body); },
                           {.configure = [](auto& builder) { builder.post_handshake_auth(true); }});
  };
  CHECK(without(false) == refused(ErrorCode::extension_missing, Alert::missing_extension));
  CHECK(without(true) == refused_later(ErrorCode::extension_missing, Alert::missing_extension));
  // RFC 9846, 4.3.2: no context during the handshake.
  CHECK(handshake_with([](Plan& plan) { plan["CertificateRequest"].replace(Asked{.context = {1}}.body()); },
                       asked_client({})) ==
        refused(ErrorCode::certificate_request_context_not_empty, Alert::illegal_parameter));
}

// ---- signing that fails, or that takes its time ----

namespace {

/// A token that was pulled out.
class BrokenSigner final : public tlsconnect::Signer {
public:
  explicit BrokenSigner(std::optional<Alert> alert = std::nullopt) : alert_(alert) {}
  std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  tlsconnect::Result<ByteVector> sign(SignatureScheme, BytesView, tlsconnect::Rng&) const noexcept override {
    tlsconnect::Error error(ErrorCode::signing_failed, {}, "the token is gone");
    if (alert_)
      error = std::move(error).with_alert(*alert_);
    return std::unexpected(std::move(error));
  }

private:
  std::vector<SignatureScheme> schemes_ = {SignatureScheme::ecdsa_secp256r1_sha256};
  std::optional<Alert> alert_;
};

Credential broken_credential(std::optional<Alert> alert = std::nullopt) {
  return value_of(Credential::create(certificates_of(client_identity(KeyType::p256)),
                                     std::make_shared<BrokenSigner>(alert)));
}

const Identity& later_identity() { return client_identity(KeyType::p256); }
Credential later_credential() {
  return later_credential_of(later_identity(), {SignatureScheme::ecdsa_secp256r1_sha256});
}
/// The signature that the connection waits for.
ByteVector made_signature(const Talk& talk) {
  const auto request = talk.client.signature_request();
  REQUIRE(request);
  return later_identity().key().sign("SHA-256", tlsconnect::to_vector(request->content));
}

/// Halted for a signature.
void check_waits(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::signature);
  CHECK(talk.client.receive_buffer().empty());
  CHECK(talk.client.pending_output().empty());
  CHECK(!talk.client.failure());
  CHECK(!talk.client.verdict_request());
  const auto verdict = talk.client.give_verdict(tlsconnect::VerifiedChain{});
  CHECK((!verdict && verdict.error().code() == ErrorCode::nothing_awaited));
  CHECK(talk.client.awaited() == Interest::signature);
}

void check_nothing_awaited(Talk& talk) {
  CHECK(talk.client.awaited() == Interest::none);
  CHECK(!talk.client.signature_request());
  const auto again = talk.client.give_signature(ByteVector{1});
  CHECK((!again && again.error().code() == ErrorCode::nothing_awaited));
  CHECK(!talk.client.failure());
}

} // namespace

TEST_CASE("a signature that cannot be made ends the connection", "[client_auth][signing]") {
  CHECK(handshake_with([](Plan&) {}, asked_client({broken_credential()})) ==
        refused(ErrorCode::signing_failed, Alert::internal_error));
  CHECK(handshake_with([](Plan&) {}, asked_client({broken_credential(Alert::handshake_failure)})) ==
        refused(ErrorCode::signing_failed, Alert::handshake_failure));
  CHECK(after_handshake(
            [](Talk& talk) { talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body()); },
            {.configure = [](auto& builder) {
              builder.credentials({broken_credential()}).post_handshake_auth(true);
            }}) == refused_later(ErrorCode::signing_failed, Alert::internal_error));
}

TEST_CASE("a signature later: the handshake waits for it", "[client_auth][signing][later]") {
  for (const std::size_t chunk : {~std::size_t{0}, std::size_t{1}}) {
    TalkOptions options = asked_client({credential_of(client_identity(KeyType::ed25519)), later_credential()});
    Talk talk(options);
    talk.chunk = chunk;
    check_nothing_awaited(talk);
    shake(talk, {.schemes = {SignatureScheme::ecdsa_secp256r1_sha256}});
    check_waits(talk);
    CHECK(!talk.client.handshake_complete());
    CHECK(talk.server.messages().empty());
    CHECK(talk.client.info().certificate_requested);
    CHECK(!talk.client.info().client_certificate_sent); // not before it is signed for
    CHECK(!talk.client.info().credential);
    const auto early = talk.client.encrypt_all(tlsconnect::as_bytes("x"));
    CHECK((!early && early.error().code() == ErrorCode::not_connected));
    const auto request = talk.client.signature_request();
    REQUIRE(request);
    CHECK(request->credential == 1);
    CHECK(request->scheme == SignatureScheme::ecdsa_secp256r1_sha256);
    const ByteVector content = tlsconnect::to_vector(request->content);

    const ByteVector signature = made_signature(talk);
    REQUIRE(talk.client.give_signature(signature));
    CHECK(talk.client.handshake_complete());
    CHECK(outcome_of(talk) == connected());
    check_nothing_awaited(talk);
    const Answer answer(talk.server);
    CHECK(answer.types == shown);
    CHECK(answer.signature == signature);
    CHECK(content == client_content(answer.signed_hash));
    CHECK(signature_holds(later_identity().key(), *answer.scheme, content, answer.signature));
    CHECK(talk.client.info().credential == 1);
    talk.server.send_data("welcome");
    talk.exchange();
    CHECK(tlsconnect::as_text(talk.received) == "welcome");
  }
}

TEST_CASE("a signature later: what has come meanwhile is read when it is there", "[client_auth][signing][later]") {
  Talk talk(asked_client({later_credential()}));
  talk.plan["CertificateRequest"].replace(Asked{}.body());
  talk.server.run(talk.plan);
  // RFC 9846, 4.4.4: the server may speak before it has the client's Finished.
  talk.server.send_data("before you ");
  talk.server.send_data("have finished");
  talk.deliver(talk.server.take_output());
  check_waits(talk);
  CHECK(talk.received.empty());
  REQUIRE(talk.client.received(0)); // and nothing comes of calling
  check_waits(talk);
  REQUIRE(talk.client.give_signature(made_signature(talk)));
  talk.deliver({});
  CHECK(tlsconnect::as_text(talk.received) == "before you have finished");
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("a signature later: or none", "[client_auth][signing][later]") {
  for (const std::optional<Alert> alert : {std::optional<Alert>(), std::optional(Alert::access_denied)}) {
    Talk talk(asked_client({later_credential()}));
    shake(talk, {});
    check_waits(talk);
    tlsconnect::Error error(ErrorCode::signing_failed, {}, "the user said no");
    if (alert)
      error = std::move(error).with_alert(*alert);
    const auto given = talk.client.give_signature(std::unexpected(error));
    CHECK((!given && given.error().code() == ErrorCode::signing_failed));
    CHECK(talk.client.awaited() == Interest::none);
    CHECK(!talk.client.info().client_certificate_sent);
    CHECK(!talk.client.signature_request());
    CHECK(outcome_of(talk) == refused(ErrorCode::signing_failed, alert.value_or(Alert::internal_error)));
    const auto again = talk.client.give_signature(ByteVector{1});
    CHECK((!again && again.error().code() == ErrorCode::signing_failed));
  }
}

// ---- after the handshake (RFC 9846, 4.6.2) ----

namespace {

TalkOptions late_client(std::vector<Credential> credentials, CipherSuite suite = CipherSuite::aes_128_gcm_sha256) {
  return {.server = {.suite = suite}, .configure = [credentials](auto& builder) {
            builder.credentials(credentials).post_handshake_auth(true);
          }};
}

/// What the client says from message `from` on answers this request, with this identity or with none.
void check_late_answer(Talk& talk, const Asked& asked, std::size_t from, const Identity* identity) {
  const Answer answer(talk.server, from);
  REQUIRE(answer.types == (identity ? shown : nothing_shown));
  // RFC 9846, 4.4.2: the context comes back.
  CHECK(answer.certificate->context == asked.context);
  CHECK(ders_of(*answer.certificate) == (identity ? identity->chain_der() : std::vector<Blob>()));
  // RFC 9846, 4.4: the handshake, the request, and what of the answer stands in front.
  ByteVector behind = framed(HandshakeType::certificate_request, asked.body());
  append_to(behind, framed(HandshakeType::certificate, answer.certificate_body));
  if (identity) {
    const ByteVector content = client_content(talk.server.transcript_with(behind).view());
    CHECK(signature_holds(identity->key(), *answer.scheme, content, answer.signature));
    append_to(behind, framed(HandshakeType::certificate_verify, answer.verify_body));
  }
  const auto suite = tlsconnect::parameters_of(talk.server.suite());
  const auto expected = value_of(tlsconnect::finished_verify_data(
      suite->hash, talk.server.client_application_secret(), talk.server.transcript_with(behind)));
  CHECK(answer.finished == tlsconnect::to_vector(expected.view()));
}

} // namespace

TEST_CASE("after the handshake: the client says whether it may be asked", "[client_auth][late]") {
  const auto said = [](bool on) {
    const Talk talk({.configure = [on](auto& builder) { builder.post_handshake_auth(on); }});
    const RawExt* extension =
        find_extension(talk.server.hello().extensions, ExtensionType::post_handshake_auth);
    CHECK((!extension || extension->body.empty()));
    return extension != nullptr;
  };
  CHECK(said(true));
  CHECK(!said(false));
  CHECK(after_handshake(
            [](Talk& talk) { talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body()); },
            {.configure = [](auto& builder) {
              builder.credentials({credential_of(client_identity(KeyType::p256))});
            }}) == refused_later(ErrorCode::unexpected_message, Alert::unexpected_message));
}

TEST_CASE("after the handshake: one request after the other, with data between", "[client_auth][late]") {
  for (const CipherSuite suite : {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384}) {
    const Identity& first = client_identity(KeyType::p256);
    const Identity& second = client_identity(KeyType::ed25519);
    Talk talk(late_client({credential_of(first), credential_of(second)}, suite));
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    CHECK(!talk.client.info().certificate_requested);
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("1")));
    const auto ask = [&](const Asked& asked, const Identity* identity) {
      const std::size_t from = talk.server.messages().size();
      talk.server.send_data("before");
      talk.server.send(HandshakeType::certificate_request, asked.body());
      talk.server.send_data("behind");
      talk.exchange();
      check_late_answer(talk, asked, from, identity);
      REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("2")));
      talk.exchange();
      CHECK(talk.client.info().certificate_requested);
    };
    ask({.context = {1}}, &first);
    CHECK(talk.client.info().credential == 0);
    ask({.schemes = {SignatureScheme::ed25519}, .context = ByteVector(255, 7)}, &second);
    CHECK(talk.client.info().credential == 1);
    ask({.schemes = {SignatureScheme::ed448}, .context = {3}}, nullptr);
    // The Finished of the next rests on the key of its time.
    REQUIRE(talk.client.update_keys(false));
    talk.exchange();
    ask({.context = {4}}, &first);
    talk.server.send_key_update(0);
    ask({.context = {5}}, &first);
    CHECK(tlsconnect::as_text(talk.received) == "beforebehindbeforebehindbeforebehindbeforebehindbeforebehind");
    CHECK(tlsconnect::as_text(talk.server.received()) == "122222");
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("after the handshake: a client that showed itself during the handshake", "[client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  TalkOptions options = late_client({credential_of(identity)});
  options.server.request_certificate = true;
  Talk talk(options);
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(Answer(talk.server).types == shown);
  const std::size_t from = talk.server.messages().size();
  const Asked asked{.context = {9, 9}};
  talk.server.send(HandshakeType::certificate_request, asked.body());
  talk.exchange();
  check_late_answer(talk, asked, from, &identity);
}

TEST_CASE("after the handshake: two requests at once", "[client_auth][late]") {
  const Identity& identity = client_identity(KeyType::p256);
  Talk talk(late_client({credential_of(identity)}));
  talk.handshake();
  const Asked one{.context = {1}};
  const Asked two{.context = {2}};
  const std::size_t from = talk.server.messages().size();
  ByteVector both = framed(HandshakeType::certificate_request, one.body());
  append_to(both, framed(HandshakeType::certificate_request, two.body()));
  talk.server.send_record(ContentType::handshake, both);
  talk.exchange();
  REQUIRE(talk.server.messages().size() == from + 6);
  CHECK(Answer(talk.server, from + 3).certificate->context == two.context);
  check_late_answer(talk, two, from + 3, &identity);
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("after the handshake: a signature later", "[client_auth][late][later]") {
  Talk talk(late_client({later_credential()}));
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  for (const bool new_key : {false, true, false}) {
    const Asked asked{.context = {static_cast<std::uint8_t>(new_key), 8}};
    const std::size_t from = talk.server.messages().size();
    talk.received.clear();
    talk.server.send_data("before");
    talk.server.send(HandshakeType::certificate_request, asked.body());
    talk.server.send_data("behind");
    talk.exchange();
    check_waits(talk);
    CHECK(talk.client.handshake_complete());
    CHECK(tlsconnect::as_text(talk.received) == "before");
    CHECK(talk.server.messages().size() == from);
    // This side may go on speaking.
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("wait")));
    std::size_t answer_from = from;
    if (new_key) {
      REQUIRE(talk.client.update_keys(false));
      ++answer_from;
    }
    talk.exchange();
    CHECK(talk.client.awaited() == Interest::signature);
    REQUIRE(talk.client.signature_request());
    CHECK(talk.client.signature_request()->credential == 0);
    REQUIRE(talk.client.give_signature(made_signature(talk)));
    talk.deliver({});
    talk.exchange();
    check_late_answer(talk, asked, answer_from, &later_identity());
    CHECK(tlsconnect::as_text(talk.received) == "beforebehind");
    check_nothing_awaited(talk);
  }
  CHECK(tlsconnect::as_text(talk.server.received()) == "waitwaitwait");
  CHECK(outcome_of(talk) == connected());
  // Or none at all.
  talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body());
  talk.exchange();
  CHECK(!talk.client.give_signature(tlsconnect::fail(ErrorCode::signing_failed)));
  CHECK(outcome_of(talk) == refused_later(ErrorCode::signing_failed, Alert::internal_error));
}

TEST_CASE("after the handshake: no answer after close_notify", "[client_auth][late][close]") {
  for (const bool later : {false, true}) {
    Talk talk(late_client({later ? later_credential() : credential_of(client_identity(KeyType::p256))}));
    talk.handshake();
    const std::size_t from = talk.server.messages().size();
    const auto ask = [&] {
      talk.server.send(HandshakeType::certificate_request, Asked{.context = {1}}.body());
      talk.server.send_data("still here");
    };
    if (later) {
      // Closed while the signature is being made.
      ask();
      talk.exchange();
      const ByteVector signature = made_signature(talk);
      REQUIRE(talk.client.close_notify());
      REQUIRE(talk.client.give_signature(signature));
      talk.deliver({});
    } else {
      REQUIRE(talk.client.close_notify());
      ask();
    }
    talk.exchange();
    CHECK(talk.server.messages().size() == from);
    CHECK(!talk.client.info().client_certificate_sent);
    CHECK(tlsconnect::as_text(talk.received) == "still here");
    CHECK(!talk.client.failure());
    REQUIRE(talk.server.alerts().size() == 1);
    CHECK(talk.server.alerts()[0].description == Alert::close_notify);
  }
}
