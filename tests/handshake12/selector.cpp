// The caller's own choice of a client certificate in TLS 1.2 (RFC 5246, 7.4.4 and 7.4.6).
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../handshake/credentials.hpp"
#include "support.hpp"

using namespace test;
using tlsconnect::CredentialChoice;

namespace {

/// Does what the test says, and remembers what it was told.
class Chooser final : public tlsconnect::CredentialSelector {
public:
  using Choice = tlsconnect::Result<std::optional<CredentialChoice>>;
  explicit Chooser(Choice choice) : choice_(std::move(choice)) {}
  Choice select(std::span<const Credential> credentials,
                const tlsconnect::CertificateRequestFacts& request) const noexcept override {
    count = credentials.size();
    schemes.assign(request.schemes.begin(), request.schemes.end());
    for (const auto& authority : request.authorities)
      names.push_back(tlsconnect::to_vector(authority.distinguished_name));
    if (request.certificate_types)
      types = tlsconnect::to_vector(*request.certificate_types);
    return choice_;
  }

  mutable std::size_t count = 0;
  mutable std::vector<SignatureScheme> schemes;
  mutable std::vector<ByteVector> names;
  mutable ByteVector types;

private:
  Choice choice_;
};

const RequestDraft12 request = {.types = {64, 1, 7},
                                .schemes = {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pkcs1_sha1,
                                            SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pkcs1_sha256},
                                .authorities = {{0x30, 0x00}}};

/// Two credentials, and a request for either.
struct Chosen12 {
  explicit Chosen12(Chooser::Choice choice, bool required = false, const RequestDraft12& asked = request)
      : chooser(std::make_shared<Chooser>(std::move(choice))),
        talk({.server = {.request_certificate = true}, .configure = [&](auto& builder) {
                builder
                    .credentials({credential_of(client_identity(KeyType::p256)),
                                  credential_of(client_identity(KeyType::rsa2048))})
                    .credential_selector(chooser)
                    .credential_required(required);
              }}) {
    talk.plan["CertificateRequest"].replace(asked.body());
    talk.handshake();
  }
  std::shared_ptr<Chooser> chooser;
  Talk12 talk;
};

Chooser::Choice choice(std::size_t index, SignatureScheme scheme) {
  return std::optional(CredentialChoice{index, scheme});
}

} // namespace

TEST_CASE("TLS 1.2: the caller chooses which certificate to show", "[selector12]") {
  // The library would have taken the first one. PKCS#1 v1.5 is a scheme of this version.
  for (const SignatureScheme scheme : {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pss_rsae_sha256}) {
    Chosen12 second(choice(1, scheme));
    REQUIRE(outcome_of(second.talk) == connected());
    CHECK(second.talk.client.info().credential == 1);
    std::optional<SignatureScheme> signed_with;
    for (const SeenMessage& message : second.talk.server.messages())
      if (message.type == HandshakeType::certificate_verify)
        signed_with = value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(message.body)).algorithm;
    CHECK(signed_with == scheme);
    CHECK(second.chooser->count == 2);
    CHECK(second.chooser->types == request.types);
    CHECK(second.chooser->schemes == request.schemes);
    CHECK(second.chooser->names == request.authorities);
  }
}

TEST_CASE("TLS 1.2: the caller chooses to show no certificate, or to fail", "[selector12]") {
  Chosen12 none(std::optional<CredentialChoice>{});
  CHECK(outcome_of(none.talk) == connected());
  CHECK(!none.talk.client.info().client_certificate_sent);
  Chosen12 missing(std::optional<CredentialChoice>{}, true);
  CHECK(outcome_of(missing.talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
  Chosen12 failing(
      std::unexpected(tlsconnect::Error(ErrorCode::signing_failed, "the test").with_alert(Alert::access_denied)));
  CHECK(outcome_of(failing.talk) == refused(ErrorCode::signing_failed, Alert::access_denied));
}

TEST_CASE("TLS 1.2: the caller's choice is held to the request", "[selector12]") {
  // A credential that does not exist; a scheme that the server did not list, one that the credential does not have, and
  // one that nothing is signed with.
  for (const auto& [wrong, reason] : {std::pair(choice(2, SignatureScheme::ecdsa_secp256r1_sha256), "there is not"),
                                      std::pair(choice(1, SignatureScheme::rsa_pkcs1_sha384), "does not answer"),
                                      std::pair(choice(0, SignatureScheme::rsa_pss_rsae_sha256), "does not have"),
                                      std::pair(choice(1, SignatureScheme::rsa_pkcs1_sha1), "does not have")}) {
    Chosen12 bad(wrong);
    CHECK(outcome_of(bad.talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
    REQUIRE(bad.talk.client.failure());
    CHECK(bad.talk.client.failure()->detail().find(reason) != std::string_view::npos);
  }
}

TEST_CASE("TLS 1.2: the caller's choice is held to the server's certificate_types", "[selector12]") {
  // RFC 5246, 7.4.6 and RFC 8422, 5.5: the scheme alone would do.
  const auto only = [](std::uint8_t type) {
    RequestDraft12 asked = request;
    asked.types = {type};
    return asked;
  };
  constexpr std::uint8_t rsa_sign = 1, ecdsa_sign = 64;
  const Chooser::Choice ecdsa = choice(0, SignatureScheme::ecdsa_secp256r1_sha256);
  const Chooser::Choice rsa = choice(1, SignatureScheme::rsa_pss_rsae_sha256);
  for (const auto& [chosen, fits, not_listed] :
       {std::tuple(ecdsa, ecdsa_sign, rsa_sign), std::tuple(rsa, rsa_sign, ecdsa_sign)}) {
    Chosen12 good(chosen, false, only(fits));
    CHECK(outcome_of(good.talk) == connected());
    CHECK(good.talk.client.info().client_certificate_sent);
    Chosen12 bad(chosen, false, only(not_listed));
    CHECK(outcome_of(bad.talk) == refused(ErrorCode::no_credential_fits, Alert::handshake_failure));
    REQUIRE(bad.talk.client.failure());
    CHECK(bad.talk.client.failure()->detail().find("certificate_types") != std::string_view::npos);
  }
}
