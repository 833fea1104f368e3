// Client certificates: which one answers a CertificateRequest, and what is signed with it (RFC 9846, 4.3.2 and 4.4).
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "credentials.hpp"

using namespace test;

namespace {

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

// ---- the caller's own choice ----

namespace {

/// Does what the test says, and remembers what it was asked.
class Selector final : public tlsconnect::CredentialSelector {
public:
  using Choice = tlsconnect::Result<std::optional<tlsconnect::CredentialChoice>>;
  explicit Selector(Choice choice) : choice_(std::move(choice)) {}
  Choice select(std::span<const Credential> credentials,
                const tlsconnect::CertificateRequestFacts& request) const noexcept override {
    ++asked;
    count = credentials.size();
    schemes.assign(request.schemes.begin(), request.schemes.end());
    names.clear();
    for (const auto& authority : request.authorities)
      names.push_back(tlsconnect::to_vector(authority.distinguished_name));
    oids.clear();
    for (const auto& filter : request.filters)
      oids.push_back(tlsconnect::to_vector(filter.oid));
    raw = request.raw_public_key;
    return choice_;
  }

  mutable int asked = 0;
  mutable std::size_t count = 0;
  mutable std::vector<SignatureScheme> schemes;
  mutable std::vector<ByteVector> names;
  mutable std::vector<ByteVector> oids;
  mutable bool raw = true;

private:
  Choice choice_;
};

/// Two credentials, and a request for either.
struct Chosen {
  explicit Chosen(Selector::Choice choice, bool required = false)
      : selector(std::make_shared<Selector>(std::move(choice))),
        talk({.server = {.request_certificate = true}, .configure = [&](auto& builder) {
                builder
                    .credentials({credential_of(client_identity(KeyType::p256)),
                                  credential_of(client_identity(KeyType::rsa2048))})
                    .credential_selector(selector)
                    .credential_required(required);
              }}) {
    shake(talk, {.schemes = {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pkcs1_sha256,
                             SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pss_rsae_sha256},
                 .more = {{ExtensionType::certificate_authorities, authorities({name_of_issuer(client_ca())})},
                          {ExtensionType::oid_filters, filters({{key_usage, {}}})}}});
  }
  std::shared_ptr<Selector> selector;
  Talk talk;
};

} // namespace

TEST_CASE("client certificates: the caller chooses", "[client_auth][selector]") {
  const auto choice = [](std::size_t index, SignatureScheme scheme) {
    return std::optional(tlsconnect::CredentialChoice{index, scheme});
  };
  Chosen second(choice(1, SignatureScheme::rsa_pss_rsae_sha256));
  REQUIRE(outcome_of(second.talk) == connected());
  CHECK(second.talk.client.info().credential == 1);
  CHECK(Answer(second.talk.server).scheme == SignatureScheme::rsa_pss_rsae_sha256);
  // It was told what the server asked for.
  CHECK(second.selector->asked == 1);
  CHECK(second.selector->count == 2);
  CHECK(second.selector->schemes == std::vector{SignatureScheme::ecdsa_secp256r1_sha256,
                                                SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pss_rsae_sha512,
                                                SignatureScheme::rsa_pss_rsae_sha256});
  CHECK(second.selector->names == std::vector<ByteVector>{name_of_issuer(client_ca())});
  CHECK(second.selector->oids == std::vector<ByteVector>{key_usage});
  CHECK(!second.selector->raw);

  Chosen none(std::optional<tlsconnect::CredentialChoice>{});
  REQUIRE(outcome_of(none.talk) == connected());
  CHECK(Answer(none.talk.server).types == nothing_shown);
  Chosen missing(std::optional<tlsconnect::CredentialChoice>{}, true);
  CHECK(outcome_of(missing.talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
  Chosen failing(
      std::unexpected(tlsconnect::Error(ErrorCode::signing_failed, "the test").with_alert(Alert::access_denied)));
  CHECK(outcome_of(failing.talk) == refused(ErrorCode::signing_failed, Alert::access_denied));

  // What does not fit the request is not sent: a credential that does not exist, a scheme that the server did not list,
  // that the credential does not have, or that TLS 1.3 does not have.
  for (const auto& wrong :
       {choice(2, SignatureScheme::ecdsa_secp256r1_sha256), choice(1, SignatureScheme::rsa_pss_rsae_sha384),
        choice(0, SignatureScheme::rsa_pss_rsae_sha256), choice(1, SignatureScheme::rsa_pkcs1_sha256)}) {
    Chosen bad(wrong);
    CHECK(outcome_of(bad.talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
  }
}

TEST_CASE("client certificates: the caller's choice is of the type that was agreed", "[client_auth][selector]") {
  auto selector = std::make_shared<Selector>(
      std::optional(tlsconnect::CredentialChoice{0, SignatureScheme::ecdsa_secp256r1_sha256}));
  const auto talk_with = [&](const Credential& credential) {
    Talk talk({.server = {.request_certificate = true}, .configure = [&](auto& builder) {
                 builder.credentials({credential})
                     .credential_selector(selector)
                     .client_certificate_types({tlsconnect::CertificateType::raw_public_key});
               }});
    talk.plan["EncryptedExtensions"].with_extension(ExtensionType::client_certificate_type, {2});
    shake(talk, {});
    return outcome_of(talk);
  };
  CHECK(talk_with(value_of(Credential::raw_public_key(private_key_of(Key::cached(KeyType::p256, 1))))) == connected());
  CHECK(selector->raw);
  CHECK(talk_with(credential_of(client_identity(KeyType::p256))) ==
        refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
}

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
      {KeyType::mldsa44, SignatureScheme::mldsa44},
      {KeyType::mldsa65, SignatureScheme::mldsa65},
      {KeyType::mldsa87, SignatureScheme::mldsa87},
  };
  for (const auto& [type, scheme] : rows)
    for (const CipherSuite suite : {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384}) {
      CAPTURE(name_of(scheme), name_of(suite));
      if (!is_available(type))
        continue;
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
  Talk talk({.configure = [](auto& builder) { builder.credentials({credential_of(client_identity(KeyType::p256))}); }});
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
  CHECK(chosen(credentials,
               {.schemes = {SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::ecdsa_secp256r1_sha256}}) == 1);
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
  const Identity plain = client_ca().issue(
      {.common_name = "plain", .key = Key::cached(KeyType::p256, 1), .extended_key_usage = std::vector<std::string>{}});
  const std::vector<Credential> credentials = {credential_of(plain), credential_of(client_identity(KeyType::p256))};
  const auto with = [&](const std::vector<std::pair<ByteVector, ByteVector>>& rows) {
    return Asked{.more = {{ExtensionType::oid_filters, filters(rows)}}};
  };
  CHECK(chosen(credentials, with({})) == 0);
  CHECK(chosen(credentials, with({{extended_key_usage, client_auth_purpose}})) == 1);
  CHECK(chosen(credentials, with({{extended_key_usage, {}}})) == 1); // there, with any value
  CHECK(chosen(credentials, with({{extended_key_usage, server_auth_purpose}})) == std::nullopt);
  CHECK(chosen(credentials, with({{key_usage, {3, 2, 7, 0x80}}})) == 0);            // digitalSignature
  CHECK(chosen(credentials, with({{key_usage, {3, 2, 5, 0xA0}}})) == std::nullopt); // and keyEncipherment
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
  const Credential credential =
      credential_of(client_identity(KeyType::p256)).with_ocsp_response(response).with_sct_list(timestamps);
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
  wrong({0, 0}, ErrorCode::field_out_of_range);         // nobody
  wrong({0, 2, 0, 0}, ErrorCode::field_out_of_range);   // somebody without a name
  wrong({0, 4, 0, 1, 1}, ErrorCode::message_truncated); // less than it says
  wrong({0, 3, 0, 1, 1, 9}, ErrorCode::message_trailing_bytes);
  wrong({0, 3, 0, 2, 1}, ErrorCode::message_truncated); // a name that goes beyond the list
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
                Alert::illegal_parameter);
  // RFC 9846, 4.3.2: what the client does not know is passed over.
  CHECK(chosen({credential_of(client_identity(KeyType::p256))},
               {.more = {{static_cast<ExtensionType>(0x5555), {1}}}}) == 0);
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
