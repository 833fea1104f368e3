#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/handshake/proofs.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL SignedContent signed_content(std::string_view context, const Digest& transcript) noexcept {
  SignedContent content;
  for (unsigned i = 0; i < 64; ++i)
    (void)content.push_back(0x20);
  for (const std::uint8_t byte : as_bytes(context))
    (void)content.push_back(byte);
  (void)content.push_back(0);
  for (const std::uint8_t byte : transcript)
    (void)content.push_back(byte);
  return content;
}

TLSCONNECT_DECL bool ServerChain::decided_later(const ClientConfig& config, const ServerCertificate& server) noexcept {
  if (server.chain.empty())
    return config.raw_public_keys() && config.raw_public_keys()->decides_later();
  return config.verifier() && config.verifier()->decides_later();
}

TLSCONNECT_DECL Result<ServerChain::Accepted> ServerChain::verify(const ClientConfig& config, const ServerName& name,
                                                                  const ServerCertificate& server) noexcept {
  if (server.chain.empty()) {
    // RFC 7250, 4.2: which type the server shows was settled in EncryptedExtensions.
    if (!config.raw_public_keys() || server.public_key.empty())
      return fail(ErrorCode::certificate_rejected, "Certificate", "no raw public keys are accepted");
    Result<std::string> verdict = config.raw_public_keys()->verify(server.public_key.front(), name);
    if (!verdict)
      return std::unexpected(std::move(verdict.error()).at("Certificate"));
    return Accepted{Proof<ServerChain>(), {{}, std::move(*verdict)}};
  }
  // RFC 7250, 4.2: a type that cannot be accepted is answered with unsupported_certificate.
  if (!config.verifier())
    return std::unexpected(Error(ErrorCode::certificate_rejected, "Certificate",
                                 "this configuration accepts no certificates, only keys that it was given")
                               .with_alert(AlertDescription::unsupported_certificate));
  const std::int64_t unix_time = config.clock().now() / 1000;
  Result<VerifiedChain> verdict = config.verifier()->verify({server.chain, server.status}, name, unix_time);
  if (!verdict)
    return std::unexpected(std::move(verdict.error()).at("Certificate"));
  return Accepted{Proof<ServerChain>(), std::move(*verdict)};
}

TLSCONNECT_DECL Result<ServerChain::Accepted> ServerChain::by_verdict(Result<VerifiedChain> verdict) noexcept {
  if (!verdict)
    return std::unexpected(std::move(verdict.error()).at("Certificate"));
  return Accepted{Proof<ServerChain>(), std::move(*verdict)};
}

TLSCONNECT_DECL Result<Proof<ServerSignature>> ServerSignature::verify(const ClientConfig& config,
                                                                       const Proof<ServerChain>&, const PublicKey& key,
                                                                       const CertificateVerify& message,
                                                                       const Digest& transcript) noexcept {
  // RFC 9846, 4.4.3: the scheme must be one that the client offered in signature_algorithms.
  const std::span<const SignatureScheme> offered = config.signature_schemes();
  // PKCS#1 v1.5 among them is for TLS 1.2.
  if (std::find(offered.begin(), offered.end(), message.algorithm) == offered.end() || !signs_tls13(message.algorithm))
    return fail(ErrorCode::signature_scheme_not_offered, "CertificateVerify", std::string(name_of(message.algorithm)));
  const SignedContent content = signed_content("TLS 1.3, server CertificateVerify", transcript);
  if (Result<> verified = key.verify(message.algorithm, content.view(), message.signature, config.rsa_bits_min());
      !verified)
    return std::unexpected(std::move(verified.error()).at("CertificateVerify"));
  return Proof<ServerSignature>();
}

TLSCONNECT_DECL Result<Proof<ServerSignature>>
ServerSignature::verify12(const ClientConfig& config, const Proof<ServerChain>&, const PublicKey& key,
                          const HelloRandoms& randoms, BytesView parameters, SignatureScheme scheme,
                          BytesView signature) {
  static constexpr std::string_view where = "ServerKeyExchange";
  // RFC 5246, 7.4.3: one of the schemes that the client offered; MD5 and SHA-1 are never among them. What was offered for
  // TLS 1.3 alone does not count: ML-DSA in TLS 1.2 is answered with illegal_parameter (draft-ietf-tls-mldsa).
  const std::span<const SignatureScheme> offered = config.signature_schemes();
  if (std::find(offered.begin(), offered.end(), scheme) == offered.end() || !signs_tls12(scheme))
    return fail(ErrorCode::signature_scheme_not_offered, where, std::string(name_of(scheme)));
  // RFC 8422, 5.4: both randoms, so that no signature serves twice, and the parameters.
  ByteVector content;
  content.reserve(randoms.client.size() + randoms.server.size() + parameters.size());
  content.insert(content.end(), randoms.client.begin(), randoms.client.end());
  content.insert(content.end(), randoms.server.begin(), randoms.server.end());
  content.insert(content.end(), parameters.begin(), parameters.end());
  if (Result<> verified = key.verify_tls12(scheme, content, signature, config.rsa_bits_min()); !verified)
    return std::unexpected(std::move(verified.error()).at(where));
  return Proof<ServerSignature>();
}

TLSCONNECT_DECL Proof<ServerIdentity> ServerIdentity::by_certificate(Proof<ServerChain>,
                                                                     Proof<ServerSignature>) noexcept {
  return Proof<ServerIdentity>();
}
TLSCONNECT_DECL Proof<ServerIdentity> ServerIdentity::by_psk(Proof<PskAccepted>) noexcept {
  return Proof<ServerIdentity>();
}
TLSCONNECT_DECL Proof<ServerIdentity> ServerIdentity::by_session(Proof<SessionResumed>) noexcept {
  return Proof<ServerIdentity>();
}
TLSCONNECT_DECL Proof<ServerIdentity> ServerIdentity::by_external_psk(Proof<ExternalPskAgreed>) noexcept {
  return Proof<ServerIdentity>();
}

TLSCONNECT_DECL Result<Proof<ServerFinished>> ServerFinished::verify(HashAlgorithm hash,
                                                                     const TrafficSecret& server_secret,
                                                                     const Finished& message,
                                                                     const Digest& transcript) noexcept {
  Result<Digest> expected = finished_verify_data(hash, server_secret, transcript);
  if (!expected)
    return std::unexpected(std::move(expected.error()));
  // RFC 9846, 4.4.4: the whole message is verify_data. Whatever is wrong about it, its length too, is answered with
  // decrypt_error.
  if (!equal_constant_time(message.verify_data, expected->view()))
    return fail(ErrorCode::finished_invalid, "Finished");
  return Proof<ServerFinished>();
}

TLSCONNECT_DECL Result<Proof<ServerFinished>> ServerFinished::verify12(const MainSecret12& main,
                                                                       const Finished& message,
                                                                       const Digest& transcript,
                                                                       const Proof<CipherSpecChanged>&) noexcept {
  Result<VerifyData12> expected = main.server_finished(transcript);
  if (!expected)
    return std::unexpected(std::move(expected.error()));
  // RFC 5246, 7.4.9: verify_data has 12 bytes with every suite in use. Whatever else it is, it is wrong.
  if (!equal_constant_time(message.verify_data, *expected))
    return fail(ErrorCode::finished_invalid, "Finished");
  return Proof<ServerFinished>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
