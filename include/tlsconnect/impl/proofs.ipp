#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/handshake/proofs.hpp>
#include <tlsconnect/impl/config_access.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<ServerChain::Accepted> ServerChain::verify(const ClientConfig& config, const ServerName& name,
                                                                  std::span<const Certificate> chain) noexcept {
  const std::int64_t unix_time = config.clock().now() / 1000;
  Result<VerifiedChain> verdict = config.verifier().verify({chain}, name, unix_time);
  if (!verdict)
    return std::unexpected(std::move(verdict.error()).at("Certificate"));
  return Accepted{Proof<ServerChain>(), std::move(*verdict)};
}

TLSCONNECT_DECL Result<Proof<ServerSignature>>
ServerSignature::verify(const ClientConfig& config, const Proof<ServerChain>&, const Certificate& certificate,
                        const CertificateVerify& message, const Digest& transcript) noexcept {
  // RFC 9846, 4.4.3: the scheme must be one that the client offered in signature_algorithms.
  const std::span<const SignatureScheme> offered = config.signature_schemes();
  if (std::find(offered.begin(), offered.end(), message.algorithm) == offered.end())
    return fail(ErrorCode::signature_scheme_not_offered, "CertificateVerify", std::string(name_of(message.algorithm)));

  // RFC 9846, 4.4.3: what is signed is 64 spaces, a context string, a zero byte and the transcript's hash.
  static constexpr std::string_view context = "TLS 1.3, server CertificateVerify";
  std::array<std::uint8_t, 64 + context.size() + 1 + 64> content{};
  const auto spaces = std::fill_n(content.begin(), 64, std::uint8_t{0x20});
  const auto text = std::copy(context.begin(), context.end(), spaces);
  const auto end = std::copy(transcript.begin(), transcript.end(), text + 1);
  const BytesView covered(content.data(), static_cast<std::size_t>(end - content.begin()));

  const std::size_t rsa_bits_min = detail::ConfigAccess::hello_template(config).rsa_bits_min;
  if (Result<> verified = certificate.verify_signature(message.algorithm, covered, message.signature, rsa_bits_min);
      !verified)
    return std::unexpected(std::move(verified.error()).at("CertificateVerify"));
  return Proof<ServerSignature>();
}

TLSCONNECT_DECL Result<Proof<ServerFinished>> ServerFinished::verify(HashAlgorithm hash,
                                                                     const TrafficSecret& server_secret,
                                                                     const Finished& message,
                                                                     const Digest& transcript) noexcept {
  Result<Digest> expected = finished_verify_data(hash, server_secret, transcript);
  if (!expected)
    return std::unexpected(std::move(expected.error()));
  // RFC 9846, 4.4.4: verify_data is exactly as long as the hash.
  if (message.verify_data.size() != expected->size())
    return fail(ErrorCode::field_out_of_range, "Finished", std::to_string(message.verify_data.size()) + " bytes");
  // RFC 9846, 4.4.4: a wrong value is answered with decrypt_error.
  if (!equal_constant_time(message.verify_data, expected->view()))
    return fail(ErrorCode::finished_invalid, "Finished");
  return Proof<ServerFinished>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
