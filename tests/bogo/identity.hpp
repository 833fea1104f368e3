// Who the client is (credentials, pre-shared keys), and how it judges who the server is.
#pragma once

#include <memory>
#include <vector>

#include <tlsconnect/client/config.hpp>

#include "options.hpp"
#include "shared.hpp"

namespace bogo {

template <class T>
using Made = std::expected<T, Complaint>;

/// Judges the runner's certificates: once when the library asks its verifier; or, with -async, when the connection
/// halts for a verdict. -verify-fail refuses what is good.
class Judge {
public:
  /// For the first connection or, when `resuming`, for a later one.
  [[nodiscard]] static Made<std::shared_ptr<const Judge>> create(const RunOptions& run, bool resuming,
                                                                 std::shared_ptr<const ShimClock> clock, Notes& notes);

  [[nodiscard]] tlsconnect::Result<tlsconnect::VerifiedChain>
  certificates(const tlsconnect::PresentedCertificate& presented) const noexcept;
  [[nodiscard]] tlsconnect::Result<std::string> raw_public_key(const tlsconnect::PublicKey& key) const noexcept;
  /// -async: the verdict comes when the connection asks its caller.
  [[nodiscard]] bool later() const noexcept { return later_; }

private:
  Judge(tlsconnect::ServerName name, Notes& notes) : name_(std::move(name)), notes_(&notes) {}

  std::shared_ptr<const tlsconnect::CertificateVerifier> path_;
  std::shared_ptr<const ShimClock> clock_;
  tlsconnect::ServerName name_;
  Notes* notes_;
  Octets key_hash_;
  bool resuming_ = false;
  bool refuse_ = false;
  bool refuse_key_ = false;
  bool refuse_status_ = false;
  bool plain_callback_ = false;
  bool later_ = false;
};

/// The judge at the library's two doors for that.
[[nodiscard]] std::shared_ptr<const tlsconnect::CertificateVerifier>
certificate_verifier(std::shared_ptr<const Judge> judge);
[[nodiscard]] std::shared_ptr<const tlsconnect::RawPublicKeyVerifier>
raw_public_key_verifier(std::shared_ptr<const Judge> judge);

/// RFC 7250's number for a kind that has one.
[[nodiscard]] std::uint8_t certificate_type(CredentialKind kind);

/// The client's certificates and raw public keys. Each notes down when it signs.
[[nodiscard]] Made<std::vector<tlsconnect::Credential>> make_credentials(const ConnectionOptions& options,
                                                                         Notes& notes);
[[nodiscard]] Made<std::vector<tlsconnect::ExternalPsk>> make_psks(const ConnectionOptions& options, Notes& notes);
/// Notes down what the runner asks for, and chooses as the library would; with -fail-cert-callback it fails.
[[nodiscard]] std::shared_ptr<const tlsconnect::CredentialSelector> make_selector(const ConnectionOptions& options,
                                                                                  Notes& notes);
/// The signature that a connection asks its caller for.
[[nodiscard]] tlsconnect::Result<tlsconnect::ByteVector> sign_now(const tlsconnect::Credential& credential,
                                                                  tlsconnect::SignatureScheme scheme,
                                                                  tlsconnect::BytesView content, tlsconnect::Rng& rng);

/// All bytes of a file.
[[nodiscard]] Made<std::string> read_file(const std::string& path);

} // namespace bogo
