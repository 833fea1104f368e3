// What the client shows when a server asks who it is: a certificate or a raw public key, and who signs for it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/source.hpp>
#include <tlsconnect/crypto/private_key.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A private key that lives elsewhere: in a token, in another process, on another machine. Connections share it, so it
/// must be safe in several threads.
class Signer {
public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  /// What it can sign with, the preferred scheme first; the same for as long as it lives.
  [[nodiscard]] virtual std::span<const SignatureScheme> schemes() const noexcept = 0;
  /// True: sign() is not called; the connection halts with Interest::signature, and the caller hands the signature in.
  [[nodiscard]] virtual bool signs_later() const noexcept { return false; }
  /// The signature of `content`, which is the whole of what is signed (RFC 9846, 4.4.3), not its hash. ECDSA signatures
  /// are DER. The connection waits for as long as this takes. What it fails with is passed on; `signing_failed` fits.
  [[nodiscard]] virtual Result<ByteVector> sign(SignatureScheme scheme, BytesView content, Rng& rng) const noexcept = 0;
};

/// A key whose signatures the caller hands to the connection.
class SignLater final : public Signer {
public:
  explicit SignLater(std::vector<SignatureScheme> schemes) noexcept
      : schemes_(static_cast<decltype(schemes)&&>(schemes)) {}

  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  [[nodiscard]] bool signs_later() const noexcept override { return true; }
  [[nodiscard]] Result<ByteVector> sign(SignatureScheme, BytesView, Rng&) const noexcept override {
    return fail(ErrorCode::signing_failed, {}, "this key's signatures are handed in by the caller");
  }

private:
  std::vector<SignatureScheme> schemes_;
};

/// A certificate with its chain, or a raw public key (RFC 7250), and the key that signs for it. Immutable, cheap to copy
/// (shared), safe in several threads.
class Credential {
public:
  /// `chain` begins with the client's own certificate; each further one should have issued the one before it, and the
  /// root may be left out. `credential_invalid` when it is empty, when its first certificate has another key or one
  /// that may not sign (RFC 9846, 4.4.2.2).
  [[nodiscard]] static Result<Credential> create(std::vector<Certificate> chain, PrivateKey key) noexcept;
  /// Likewise, but whether the signer has the certificate's key shows only when a server refuses its signature.
  /// `credential_invalid` also when it has no scheme that goes with the certificate.
  [[nodiscard]] static Result<Credential> create(std::vector<Certificate> chain,
                                                 std::shared_ptr<const Signer> signer) noexcept;
  /// From PEM texts; they may be the same one. `password`: see PrivateKey::from_pem.
  [[nodiscard]] static Result<Credential> from_pem(std::string_view chain, std::string_view key,
                                                   std::string_view password = {}) noexcept;
  /// From files in PEM or DER; they may be the same one, in PEM. A chain in DER is one certificate.
  [[nodiscard]] static Result<Credential> from_files(const std::string& chain_path, const std::string& key_path,
                                                     std::string_view password = {}) noexcept;
  /// No certificate, only the key: for servers that know it already.
  [[nodiscard]] static Result<Credential> raw_public_key(PrivateKey key) noexcept;
  [[nodiscard]] static Result<Credential> raw_public_key(PublicKey key, std::shared_ptr<const Signer> signer) noexcept;

  /// The same with these schemes only, in this order of preference. `credential_invalid` when none of them is left:
  /// schemes that its key does not sign with are left out.
  [[nodiscard]] Result<Credential> with_signature_schemes(std::span<const SignatureScheme> schemes) const noexcept;
  /// The same with an OCSPResponse (DER) for its certificate, for servers that ask for one (RFC 9846, 4.4.2.1).
  [[nodiscard]] Credential with_ocsp_response(ByteVector response) const;
  /// The same with a SignedCertificateTimestampList (RFC 6962, 3.3), its two bytes of length included, likewise.
  [[nodiscard]] Credential with_sct_list(ByteVector list) const;
  /// The same, to be shown only to servers that list an issuer of its chain (certificate_authorities: RFC 9846, 4.2.4).
  /// Otherwise the list is a matter of preference.
  [[nodiscard]] Credential with_required_issuer(bool required) const;

  /// Empty for a raw public key.
  [[nodiscard]] std::span<const Certificate> chain() const noexcept;
  [[nodiscard]] bool is_raw_public_key() const noexcept { return chain().empty(); }
  [[nodiscard]] const PublicKey& public_key() const noexcept;
  [[nodiscard]] const Signer& signer() const noexcept;
  /// What it can be used with, the preferred scheme first; those of TLS 1.2 among them. What the signer names of ECDSA
  /// for another curve, which only TLS 1.2 signs with (RFC 9846, 4.2.3), stands last, unless with_signature_schemes()
  /// has changed the order.
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept;
  /// Empty when there is none.
  [[nodiscard]] BytesView ocsp_response() const noexcept;
  [[nodiscard]] BytesView sct_list() const noexcept;
  [[nodiscard]] bool requires_issuer() const noexcept;

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
  explicit Credential(std::shared_ptr<const Impl> impl) noexcept;
  std::shared_ptr<const Impl> impl_;
};

/// What a CertificateRequest asks for.
struct CertificateRequestFacts {
  std::span<const SignatureScheme> schemes;                            ///< signature_algorithms
  std::span<const CertificateAuthorities::Authority> authorities = {}; ///< certificate_authorities; empty: any
  std::span<const OidFilters::Filter> filters = {};                    ///< oid_filters
  bool raw_public_key = false; ///< the certificate type that was negotiated (RFC 7250)
  /// certificate_types of TLS 1.2 (RFC 5246, 7.4.4); nothing in TLS 1.3.
  std::optional<BytesView> certificate_types = std::nullopt;
};

struct CredentialChoice {
  std::size_t index;
  SignatureScheme scheme;
};

/// Chooses which credential answers a server, where the order of the credentials and what servers ask for do not say it.
/// Connections share it, so it must be safe in several threads.
class CredentialSelector {
public:
  CredentialSelector() = default;
  CredentialSelector(const CredentialSelector&) = delete;
  CredentialSelector& operator=(const CredentialSelector&) = delete;
  virtual ~CredentialSelector() = default;

  /// The credential to show and the scheme to sign with; nothing, to answer without a certificate; or an error, which
  /// ends the connection. The scheme must be one that the request lists, that the credential has and that the version
  /// signs with its key, the credential of the type that was negotiated, and in TLS 1.2 its key of a type in
  /// certificate_types: otherwise the connection ends with `no_credential_fits`. The views live as long as the call.
  /// select_credential() is the library's own choice.
  [[nodiscard]] virtual Result<std::optional<CredentialChoice>>
  select(std::span<const Credential> credentials, const CertificateRequestFacts& request) const noexcept = 0;
};

/// The first credential that fits the request, and its first scheme that does; one whose chain a listed authority has
/// issued goes before those without. None: the client answers without a certificate.
[[nodiscard]] std::optional<CredentialChoice> select_credential(std::span<const Credential> credentials,
                                                                const CertificateRequestFacts& request) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/credentials.ipp>
#endif
