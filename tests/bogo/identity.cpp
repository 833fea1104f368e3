#include "identity.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/path_verifier.hpp>

namespace bogo {

using tlsconnect::BytesView;
using tlsconnect::ByteVector;
using tlsconnect::Certificate;
using tlsconnect::Credential;
using tlsconnect::Error;
using tlsconnect::ErrorCode;
using tlsconnect::ExternalPsk;
using tlsconnect::PrivateKey;
using tlsconnect::PublicKey;
using tlsconnect::Result;
using tlsconnect::ServerName;
using tlsconnect::SignatureScheme;
using tlsconnect::VerifiedChain;

namespace {

std::unexpected<Complaint> complain(const Error& error) { return std::unexpected(error.message()); }

/// What the runner counts on: the session of one connection may be offered in the next, although every connection has
/// verifiers of its own.
tlsconnect::TrustIdentity same_in_every_connection() { return {'b', 'o', 'g', 'o'}; }

class CertificateDoor final : public tlsconnect::CertificateVerifier {
public:
  explicit CertificateDoor(std::shared_ptr<const Judge> judge) : judge_(std::move(judge)) {}
  [[nodiscard]] Result<VerifiedChain> verify(const tlsconnect::PresentedCertificate& presented, const ServerName&,
                                             std::int64_t) const noexcept override {
    return judge_->certificates(presented);
  }
  [[nodiscard]] bool decides_later() const noexcept override { return judge_->later(); }
  [[nodiscard]] tlsconnect::TrustIdentity trust_identity() const override { return same_in_every_connection(); }

private:
  std::shared_ptr<const Judge> judge_;
};

class RawPublicKeyDoor final : public tlsconnect::RawPublicKeyVerifier {
public:
  explicit RawPublicKeyDoor(std::shared_ptr<const Judge> judge) : judge_(std::move(judge)) {}
  [[nodiscard]] Result<std::string> verify(const PublicKey& key, const ServerName&) const noexcept override {
    return judge_->raw_public_key(key);
  }
  [[nodiscard]] bool decides_later() const noexcept override { return judge_->later(); }
  [[nodiscard]] tlsconnect::TrustIdentity trust_identity() const override { return same_in_every_connection(); }

private:
  std::shared_ptr<const Judge> judge_;
};

class ShimSelector final : public tlsconnect::CredentialSelector {
public:
  ShimSelector(bool fails, Notes& notes) : fails_(fails), notes_(&notes) {}

  [[nodiscard]] Result<std::optional<tlsconnect::CredentialChoice>>
  select(std::span<const Credential> credentials,
         const tlsconnect::CertificateRequestFacts& request) const noexcept override {
    if (fails_)
      return std::unexpected(Error(ErrorCode::credential_invalid, "the shim's selector")
                                 .with_alert(tlsconnect::AlertDescription::internal_error));
    notes_->requested_schemes.clear();
    for (const SignatureScheme scheme : request.schemes)
      notes_->requested_schemes.push_back(static_cast<std::uint16_t>(scheme));
    notes_->requested_authorities.clear();
    for (const auto& authority : request.authorities) {
      if (!notes_->requested_authorities.empty())
        notes_->requested_authorities += ',';
      for (const std::uint8_t octet : authority.distinguished_name) {
        notes_->requested_authorities += "0123456789abcdef"[octet >> 4];
        notes_->requested_authorities += "0123456789abcdef"[octet & 15];
      }
    }
    if (request.certificate_types)
      notes_->requested_types.assign(request.certificate_types->begin(), request.certificate_types->end());
    return tlsconnect::select_credential(credentials, request);
  }

private:
  bool fails_;
  Notes* notes_;
};

/// A key that notes down that it was used.
class ShimSigner final : public tlsconnect::Signer {
public:
  ShimSigner(PrivateKey key, int index, bool later, Notes& notes)
      : key_(std::move(key)), index_(index), later_(later), notes_(&notes) {}

  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_.schemes(); }
  [[nodiscard]] bool signs_later() const noexcept override { return later_; }
  [[nodiscard]] Result<ByteVector> sign(SignatureScheme scheme, BytesView content,
                                        tlsconnect::Rng& rng) const noexcept override {
    notes_->selected_credential = index_;
    return key_.sign(scheme, content, rng);
  }

private:
  PrivateKey key_;
  int index_;
  bool later_;
  Notes* notes_;
};

Made<Credential> make_credential(const CredentialOptions& options, int index, bool later, Notes& notes) {
  const Made<std::string> key_text = read_file(options.key_file);
  if (!key_text)
    return std::unexpected(key_text.error());
  Result<PrivateKey> key = PrivateKey::from_pem(*key_text);
  if (!key)
    return complain(key.error());
  const PublicKey public_key = key->public_key();
  auto signer = std::make_shared<ShimSigner>(std::move(*key), index, later, notes);

  Result<Credential> credential = [&]() -> Result<Credential> {
    if (options.kind == CredentialKind::raw_public_key)
      return Credential::raw_public_key(public_key, std::move(signer));
    const Made<std::string> chain_text = read_file(options.certificate_file);
    if (!chain_text)
      return tlsconnect::fail(ErrorCode::credential_invalid, "the shim", chain_text.error());
    Result<std::vector<Certificate>> chain = Certificate::from_pem(*chain_text);
    if (!chain)
      return std::unexpected(std::move(chain.error()));
    return Credential::create(std::move(*chain), std::move(signer));
  }();
  if (credential && !options.signing_preferences.empty()) {
    std::vector<SignatureScheme> schemes;
    for (const std::uint16_t number : options.signing_preferences)
      schemes.push_back(static_cast<SignatureScheme>(number));
    credential = credential->with_signature_schemes(schemes);
  }
  if (!credential)
    return complain(credential.error());
  if (!options.ocsp_response.empty())
    credential = credential->with_ocsp_response(options.ocsp_response);
  if (!options.sct_list.empty())
    credential = credential->with_sct_list(options.sct_list);
  return credential->with_required_issuer(options.must_match_issuer);
}

} // namespace

// ---- the server ----

Made<std::shared_ptr<const Judge>> Judge::create(const RunOptions& run, bool resuming,
                                                 std::shared_ptr<const ShimClock> clock, Notes& notes) {
  const ConnectionOptions& options = resuming ? run.resume : run.initial;
  // Most of the runner's certificates are for "test", some for the name of -host-name.
  Result<ServerName> name = ServerName::parse(options.host_name.empty() ? "test" : options.host_name);
  if (!name)
    return complain(name.error());
  Judge judge(std::move(*name), notes);
  if (!options.trust_cert.empty()) {
    const auto anchors = tlsconnect::TrustAnchors::from_file(options.trust_cert);
    if (!anchors)
      return complain(anchors.error());
    auto path = tlsconnect::PathVerifier::create(*anchors);
    if (!path)
      return complain(path.error());
    judge.path_ = std::move(*path);
  }
  judge.clock_ = std::move(clock);
  judge.key_hash_ = options.expect_peer_rpk_sha256;
  // Without -verify-peer, the runner wants a connection that goes on in spite of a bad verdict.
  judge.refuse_ = options.verify_fail && options.verify_peer;
  // BoringSSL judges once more when early data was rejected. Here, there is one judgement: the later one.
  if (resuming && options.expect_reject_early_data)
    judge.refuse_ = run.retry.verify_fail && run.retry.verify_peer;
  // A bare key always takes a verdict.
  judge.refuse_key_ = options.verify_fail;
  judge.plain_callback_ = !options.use_custom_verify_callback;
  judge.resuming_ = resuming;
  judge.refuse_status_ = options.use_ocsp_callback && options.fail_ocsp_callback;
  judge.later_ = options.async;
  return std::make_shared<const Judge>(std::move(judge));
}

Result<VerifiedChain> Judge::certificates(const tlsconnect::PresentedCertificate& presented) const noexcept {
  notes_->verified = true;
  if (refuse_) {
    Error refusal(ErrorCode::certificate_rejected, "the shim's verifier");
    // BoringSSL's older callback cannot choose its alert, and the runner knows which one it is.
    if (plain_callback_)
      return std::unexpected(std::move(refusal).with_alert(tlsconnect::AlertDescription::handshake_failure));
    return std::unexpected(std::move(refusal));
  }
  if (refuse_status_)
    return tlsconnect::fail(ErrorCode::certificate_status_invalid, "the shim's verifier");
  if (!path_)
    return VerifiedChain{};
  Result<VerifiedChain> verified = path_->verify(presented, name_, clock_->now() / 1'000);
  if (!verified && verified.error().code() == ErrorCode::certificate_name_mismatch)
    if (const Result<ServerName> usual = ServerName::parse("test"))
      verified = path_->verify(presented, *usual, clock_->now() / 1'000);
  // -trust-cert is the root of the first connection's certificate. A server that does not resume may have another
  // certificate then, whose root the runner keeps to itself.
  if (!verified && resuming_ && verified.error().code() == ErrorCode::certificate_unknown_issuer)
    return VerifiedChain{};
  return verified;
}

Result<std::string> Judge::raw_public_key(const PublicKey& key) const noexcept {
  notes_->verified = true;
  if (refuse_key_)
    return tlsconnect::fail(ErrorCode::certificate_rejected, "the shim's verifier");
  if (!key_hash_.empty()) {
    const auto digest = tlsconnect::hash_of(tlsconnect::HashAlgorithm::sha256, key.spki());
    if (!digest)
      return std::unexpected(digest.error());
    if (!std::equal(digest->begin(), digest->end(), key_hash_.begin(), key_hash_.end()))
      return tlsconnect::fail(ErrorCode::certificate_rejected, "the shim's verifier", "another key");
  }
  return "the shim accepts it";
}

std::shared_ptr<const tlsconnect::CertificateVerifier> certificate_verifier(std::shared_ptr<const Judge> judge) {
  return std::make_shared<CertificateDoor>(std::move(judge));
}

std::shared_ptr<const tlsconnect::RawPublicKeyVerifier> raw_public_key_verifier(std::shared_ptr<const Judge> judge) {
  return std::make_shared<RawPublicKeyDoor>(std::move(judge));
}

// ---- the client ----

std::uint8_t certificate_type(CredentialKind kind) { return kind == CredentialKind::raw_public_key ? 2 : 0; }

Made<std::vector<Credential>> make_credentials(const ConnectionOptions& options, Notes& notes) {
  struct Candidate {
    const CredentialOptions* options;
    int index;
  };
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < options.credentials.size(); ++i)
    if (options.credentials[i].kind != CredentialKind::pre_shared_key)
      candidates.push_back({&options.credentials[i], static_cast<int>(i)});
  if (!options.plain_credential.key_file.empty())
    candidates.push_back({&options.plain_credential, -1});

  std::vector<Credential> credentials;
  for (const Candidate& candidate : candidates) {
    // Without a scheme that the library signs with, a credential is of no use.
    if (const auto& schemes = candidate.options->signing_preferences;
        !schemes.empty() && std::none_of(schemes.begin(), schemes.end(), [](std::uint16_t number) {
          const auto scheme = static_cast<SignatureScheme>(number);
          return tlsconnect::signs_tls12(scheme) || tlsconnect::signs_tls13(scheme);
        }))
      continue;
    Made<Credential> made = make_credential(*candidate.options, candidate.index, options.async, notes);
    if (!made)
      return std::unexpected(std::move(made.error()));
    credentials.push_back(std::move(*made));
  }
  return credentials;
}

Made<std::vector<ExternalPsk>> make_psks(const ConnectionOptions& options, Notes& notes) {
  std::vector<ExternalPsk> psks;
  for (std::size_t i = 0; i < options.credentials.size(); ++i) {
    const CredentialOptions& credential = options.credentials[i];
    if (credential.kind != CredentialKind::pre_shared_key)
      continue;
    tlsconnect::PskImport source;
    source.external_identity = credential.psk_identity;
    source.context = credential.psk_context;
    source.key = credential.psk_key;
    source.hash = credential.psk_sha384 ? tlsconnect::HashAlgorithm::sha384 : tlsconnect::HashAlgorithm::sha256;
    auto imported = ExternalPsk::import_from(source);
    if (!imported)
      return complain(imported.error());
    psks.insert(psks.end(), imported->begin(), imported->end());
    notes.psk_credentials.resize(psks.size(), static_cast<int>(i));
  }
  return psks;
}

std::shared_ptr<const tlsconnect::CredentialSelector> make_selector(const ConnectionOptions& options, Notes& notes) {
  return std::make_shared<ShimSelector>(options.fail_cert_callback, notes);
}

Result<ByteVector> sign_now(const Credential& credential, SignatureScheme scheme, BytesView content,
                            tlsconnect::Rng& rng) {
  return credential.signer().sign(scheme, content, rng);
}

Made<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file)
    return std::unexpected("cannot read " + path);
  return text;
}

} // namespace bogo
