// How a CertificateRequest is read and answered.
#pragma once

#include <algorithm>
#include <utility>

#include <tlsconnect/handshake/client_authentication.hpp>
#include <tlsconnect/impl/credentials.ipp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/messages12.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// The choice of the caller's selector, which is held to what it was asked, or the library's own.
TLSCONNECT_DECL Result<std::optional<CredentialChoice>> choose_credential(const ClientConfig& config,
                                                                          const CertificateRequestFacts& request) {
  const std::span<const Credential> credentials = config.credentials();
  if (!config.credential_selector())
    return select_credential(credentials, request);
  Result<std::optional<CredentialChoice>> choice = config.credential_selector()->select(credentials, request);
  if (!choice || !*choice)
    return choice;
  if ((*choice)->index >= credentials.size())
    return fail(ErrorCode::no_credential_fits, {}, "the selector chose one that there is not");
  const Credential& credential = credentials[(*choice)->index];
  if (!has_negotiated_type(credential, request))
    return fail(ErrorCode::no_credential_fits, {}, "the selector chose one of a type that was not negotiated");
  if (!has_listed_type(credential, request))
    return fail(ErrorCode::no_credential_fits, {},
                "the selector chose one with a key of a type that is not among the server's certificate_types: " +
                    credential.public_key().description());
  const SignatureScheme scheme = (*choice)->scheme;
  const std::span<const SignatureScheme> schemes = credential.schemes();
  if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end())
    return fail(ErrorCode::no_credential_fits, {},
                "the selector chose a scheme that its credential does not have: " + std::string(name_of(scheme)));
  if (!answers_with(credential, request, scheme))
    return fail(ErrorCode::no_credential_fits, {},
                "the selector chose a scheme that does not answer the request: " + std::string(name_of(scheme)));
  return choice;
}

} // namespace detail

TLSCONNECT_DECL Result<ClientAuthentication> read_certificate_request(const HandshakeContext& context,
                                                                      const OfferedExtensions& offered,
                                                                      bool raw_public_key, bool after_handshake,
                                                                      const HandshakeMessage& message) {
  static constexpr std::string_view where = CertificateRequest::name;
  const Result<CertificateRequest> request = decode<CertificateRequest>(message.body);
  if (!request)
    return std::unexpected(request.error());
  // RFC 9846, 4.3.2: the context is empty unless the request comes after the handshake.
  if (!after_handshake && !request->certificate_request_context.empty())
    return fail(ErrorCode::certificate_request_context_not_empty, where);
  const Result<ExtensionSet> extensions =
      ExtensionSet::parse(request->extensions, ExtensionContext::certificate_request, offered, where);
  if (!extensions)
    return std::unexpected(extensions.error());

  // RFC 9846, 4.3.2: signature_algorithms must be there.
  const auto body = extensions->find(ExtensionType::signature_algorithms);
  if (!body)
    return fail(ErrorCode::extension_missing, where, "signature_algorithms");
  const Result<SignatureSchemeList> schemes = decode<SignatureSchemeList>(*body);
  if (!schemes)
    return std::unexpected(schemes.error());
  Result<CertificateAuthorities> authorities = CertificateAuthorities{};
  if (const auto list = extensions->find(ExtensionType::certificate_authorities))
    authorities = decode<CertificateAuthorities>(*list);
  if (!authorities)
    return std::unexpected(authorities.error());
  Result<OidFilters> filters = OidFilters{};
  if (const auto list = extensions->find(ExtensionType::oid_filters))
    filters = decode<OidFilters>(*list);
  if (!filters)
    return std::unexpected(filters.error());

  std::vector<SignatureScheme> offered_schemes;
  offered_schemes.reserve(schemes->schemes.size());
  for (std::size_t i = 0; i < schemes->schemes.size(); ++i)
    offered_schemes.push_back(schemes->schemes[i]);
  ClientAuthentication answer;
  answer.request_context = to_vector(request->certificate_request_context);
  answer.status_requested = extensions->find(ExtensionType::status_request).has_value();
  answer.timestamps_requested = extensions->find(ExtensionType::signed_certificate_timestamp).has_value();
  Result<std::optional<CredentialChoice>> choice =
      detail::choose_credential(*context.config, {.schemes = offered_schemes,
                                                  .authorities = authorities->authorities.view(),
                                                  .filters = filters->filters.view(),
                                                  .raw_public_key = raw_public_key});
  if (!choice)
    return std::unexpected(std::move(choice.error()).at(where));
  answer.choice = *choice;
  if (!answer.choice && context.config->credential_required())
    return fail(ErrorCode::no_credential_fits, where);
  return answer;
}

TLSCONNECT_DECL Result<> add_client_certificate(HandshakeContext& context, Flight& flight,
                                                const ClientAuthentication& authentication) {
  CertificateMessage message;
  message.certificate_request_context = authentication.request_context;
  // RFC 9846, 4.4.2: a request is answered even by a client that has no certificate, with an empty list.
  if (!authentication.choice)
    return flight.add(message);

  const Credential& credential = context.config->credentials()[authentication.choice->index];
  if (credential.is_raw_public_key()) {
    (void)message.certificate_list.push_back({credential.public_key().spki(), {}});
    return flight.add(message);
  }
  // RFC 9846, 4.4.2.1: what is stapled to the client's own certificate answers the request.
  ByteVector staple;
  Writer writer(staple);
  if (authentication.status_requested && !credential.ocsp_response().empty()) {
    ByteVector status;
    if (Result<> encoded = encode(CertificateStatus{1, credential.ocsp_response()}, status); !encoded)
      return encoded;
    writer.number(ExtensionType::status_request);
    writer.opaque16(status, 0, 0xFFFF);
  }
  if (authentication.timestamps_requested && !credential.sct_list().empty()) {
    writer.number(ExtensionType::signed_certificate_timestamp);
    writer.opaque16(credential.sct_list(), 0, 0xFFFF);
  }
  if (Result<> done = writer.finish(CertificateMessage::name); !done)
    return done;
  for (const Certificate& certificate : credential.chain())
    if (!message.certificate_list.push_back(
            {certificate.der(), message.certificate_list.empty() ? staple : BytesView()}))
      return fail(ErrorCode::configuration_invalid, CertificateMessage::name, "the client's chain is too long");
  return flight.add(message);
}

TLSCONNECT_DECL Result<ClientAuthentication>
read_certificate_request12(const HandshakeContext& context, bool raw_public_key, const HandshakeMessage& message) {
  static constexpr std::string_view where = CertificateRequest12::name;
  const Result<CertificateRequest12> request = decode<CertificateRequest12>(message.body);
  if (!request)
    return std::unexpected(request.error());
  std::vector<SignatureScheme> offered_schemes;
  offered_schemes.reserve(request->schemes.size());
  for (std::size_t i = 0; i < request->schemes.size(); ++i)
    offered_schemes.push_back(request->schemes[i]);
  ClientAuthentication answer;
  Result<std::optional<CredentialChoice>> choice =
      detail::choose_credential(*context.config, {.schemes = offered_schemes,
                                                  .authorities = request->authorities.view(),
                                                  .raw_public_key = raw_public_key,
                                                  .certificate_types = request->certificate_types});
  if (!choice)
    return std::unexpected(std::move(choice.error()).at(where));
  answer.choice = *choice;
  if (!answer.choice && context.config->credential_required())
    return fail(ErrorCode::no_credential_fits, where);
  return answer;
}

TLSCONNECT_DECL Result<> add_client_certificate12(HandshakeContext& context, Flight& flight,
                                                  const ClientAuthentication& authentication) {
  CertificateMessage12 message;
  // RFC 5246, 7.4.6: without a certificate that fits, the list is empty.
  if (!authentication.choice)
    return flight.add(message);
  const Credential& credential = context.config->credentials()[authentication.choice->index];
  // RFC 7250, 3: the key takes the place of the whole list.
  if (credential.is_raw_public_key())
    return flight.add(RawPublicKeyMessage12{credential.public_key().spki()});
  for (const Certificate& certificate : credential.chain())
    if (!message.certificate_list.push_back({certificate.der()}))
      return fail(ErrorCode::configuration_invalid, CertificateMessage12::name, "the client's chain is too long");
  return flight.add(message);
}

TLSCONNECT_DECL void note_client_certificate(ConnectionInfo& info, const CredentialChoice& choice) noexcept {
  info.client_certificate_sent = true;
  info.credential = static_cast<std::uint16_t>(choice.index);
}

TLSCONNECT_DECL Result<SignedContent> client_signed_content(const Transcript& transcript) {
  const Result<Digest> digest = transcript.current();
  if (!digest)
    return std::unexpected(digest.error());
  return signed_content("TLS 1.3, client CertificateVerify", *digest);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
