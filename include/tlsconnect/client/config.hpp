// What a program decides before it connects: immutable, checked when built, shared by many connections.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/source.hpp>
#include <tlsconnect/client/certificate_decompressor.hpp>
#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/key_log.hpp>
#include <tlsconnect/client/policy.hpp>
#include <tlsconnect/client/psk.hpp>
#include <tlsconnect/client/raw_public_key.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/verify/key_pins.hpp>
#include <tlsconnect/verify/revocation.hpp>
#include <tlsconnect/verify/transparency.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>
#include <tlsconnect/verify/verified_chain_cache.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What to do with post-quantum hybrid groups (RFC 10024). Their key shares make the ClientHello longer than one
/// packet, which a few middleboxes cannot bear.
enum class HybridPolicy : std::uint8_t {
  send_share, ///< send a hybrid key share at once, beside one of an elliptic curve; the default
  offer_only, ///< offer hybrids, but send their share only when the server asks for it (one more round trip)
  off,        ///< do not offer them
};

class ClientConfig;
/// How a configuration is held: by every connection that uses it.
using ConfigPtr = std::shared_ptr<const ClientConfig>;

namespace detail {
/// Fixes the ClientHello's extensions and their order, for replaying recorded handshakes. A type without a body is
/// filled in as usual.
struct HelloTemplate {
  struct Item {
    ExtensionType type;
    std::optional<ByteVector> body;
    bool only_after_retry = false; ///< stands in the second ClientHello only
  };
  std::vector<Item> extensions;
  /// Recordings were made with keys that are too short for anything else.
  std::optional<std::size_t> rsa_bits_min = std::nullopt;
};
struct ConfigAccess;
} // namespace detail

class ClientConfig {
public:
  /// Collects decisions; `build` checks them. Every setter replaces what was set before.
  class Builder {
  public:
    /// Without `binding`, the policy is where the decisions begin and nothing more.
    explicit Builder(const Policy& policy, bool binding = true);
    /// Trust these anchors: servers are verified by PathVerifier.
    Builder& trust(TrustAnchors anchors);
    /// Trust the system's store (TrustAnchors::system); a failure to load it is reported by `build`.
    Builder& trust_system();
    /// What PathVerifier makes of revocation: lists of revoked certificates, and what happens when nobody says whether a
    /// certificate was revoked. It needs trust in anchors; a verifier of the caller's own judges by itself.
    Builder& revocation(RevocationPolicy policy);
    /// Require that the server's certificate stands in transparency logs (RFC 6962), and ask the server for timestamps. For
    /// servers that PathVerifier verifies; together with a verifier of the caller's own, `build` refuses it.
    Builder& transparency(TransparencyPolicy policy);
    /// Where PathVerifier remembers signatures of certificates, so that it need not check them again; several configurations
    /// may share one. Null: it checks all of them each time. The default is one of the configuration's own. Together with a
    /// verifier of the caller's own, `build` refuses one.
    Builder& verified_chain_cache(std::shared_ptr<VerifiedChainCache> cache);
    /// Ask for pinned keys (RFC 7469, RFC 7671), on top of what else is trusted or, for servers whose pins stand alone,
    /// instead of it: a PinningVerifier before the verifier of the other decisions. Raw public keys can be pinned by the
    /// same value: see PinnedPublicKeys.
    Builder& pins(KeyPins pins);
    /// Verify with this instead.
    Builder& verifier(std::shared_ptr<const CertificateVerifier> verifier);
    /// Accept a raw public key (RFC 7250) that this verifier accepts. Without any trust in certificates beside it, only
    /// raw public keys are accepted; otherwise both are offered, raw public keys first if they are `preferred`.
    Builder& raw_public_keys(std::shared_ptr<const RawPublicKeyVerifier> verifier, bool preferred = true);
    /// Judge the server's certificates again when a session is resumed, with today's verifier at today's time. Off by
    /// default: a session is only ever resumed under the trust that it was established under.
    Builder& verify_again_on_resumption(bool on);
    /// Where sessions are kept for resumption (RFC 9846, 2.2); several configurations may share one store. Null: no
    /// session is kept or offered. The default is a store in memory of the configuration's own.
    Builder& session_store(std::shared_ptr<SessionStore> store);
    /// Keys that were agreed on outside of TLS, the preferred one first; at most 7. A configuration that has some needs
    /// no trust in certificates: then a server that does not use one of them is refused.
    Builder& external_psks(std::vector<ExternalPsk> psks);
    /// Certificates (or raw public keys) of this client, the preferred one first, for servers that ask for one.
    Builder& credentials(std::vector<Credential> credentials);
    /// Choose among the credentials with this, instead of with select_credential().
    Builder& credential_selector(std::shared_ptr<const CredentialSelector> selector);
    /// The types of certificate that this client says it has (RFC 7250), the preferred one first, whether there is a
    /// credential of the type or not. The default, an empty list, stands for the types of the credentials, in their order.
    Builder& client_certificate_types(std::vector<CertificateType> types);
    /// What to do when the server asks for a certificate and no credential fits: true fails with `no_credential_fits`;
    /// false, the default, answers that there is none (RFC 9846, 4.4.2) and leaves the decision to the server.
    Builder& credential_required(bool required);
    /// Allow the server to ask for a certificate after the handshake too (RFC 9846, 4.6.2).
    Builder& post_handshake_auth(bool allowed);
    /// Ask the server for the status of its certificates (OCSP stapling: RFC 6066, 8). It goes to the verifier and to
    /// ConnectionInfo. The default is to ask when the verifier makes use of it (CertificateVerifier::wants_status), which
    /// PathVerifier does. With false, servers that must staple are refused, unless RevocationPolicy::must_staple is off.
    Builder& status_request(bool on);
    /// Ask the server for signed certificate timestamps (RFC 6962, 3.3.1); likewise.
    Builder& signed_certificate_timestamps(bool on);
    /// How the server may compress its certificates (RFC 8879), the preferred way first. The default is what the library
    /// was built with.
    Builder& certificate_decompressors(std::vector<std::shared_ptr<const CertificateDecompressor>> decompressors);
    /// Application protocols to offer, the preferred one first (RFC 7301); each 1 to 255 bytes.
    Builder& alpn(std::vector<std::string> protocols);
    /// Versions to offer, each of them TLS 1.3 or TLS 1.2: these and no others, whatever the server would prefer. The
    /// default is what the policy allows, less a version for which the other decisions leave nothing to offer.
    Builder& versions(std::vector<ProtocolVersion> versions);
    /// TLS 1.2: refuse a server without the extended main secret (RFC 7627), under whose sessions others could slip
    /// (triple handshake). On by default.
    Builder& require_extended_main_secret(bool required);
    /// Cipher suites to offer, in order, for all versions. Those of TLS 1.2 that take a pre-shared key need one that is
    /// not imported, and of the suite's hash; without one they are left out. Those without a key exchange beside it have
    /// no forward secrecy, and must be named here to be offered.
    Builder& cipher_suites(std::vector<CipherSuite> suites);
    /// Groups to offer, in order. Hybrids in it are subject to `hybrid`.
    Builder& groups(std::vector<NamedGroup> groups);
    /// Groups to send key shares for, instead of those that follow from `groups` and `hybrid`. All must be offered,
    /// in the same order. May be empty: then the server has to ask.
    Builder& key_shares(std::vector<NamedGroup> groups);
    Builder& hybrid(HybridPolicy policy);
    /// Offer hybrid groups only, so that no connection comes about without one.
    Builder& require_post_quantum(bool required);
    /// Schemes that the server may sign the handshake with, in order. PKCS#1 v1.5 is for TLS 1.2 only (RFC 9846, 4.2.3),
    /// ML-DSA for TLS 1.3 only (draft-ietf-tls-mldsa). A scheme that is not is_available is refused when it is listed
    /// here, and left out of a policy's list.
    Builder& signature_schemes(std::vector<SignatureScheme> schemes);
    /// Schemes that certificates may be signed with, in order; of ML-DSA, the same holds.
    Builder& certificate_signature_schemes(std::vector<SignatureScheme> schemes);
    /// Middlebox compatibility (RFC 9846, E.4): a session id and a change_cipher_spec record. On by default.
    Builder& compatibility_mode(bool on);
    /// The largest record that this client is willing to receive (RFC 8449, 4): 64 to 16385 bytes of inner plaintext.
    /// 0: do not negotiate; records may be as long as the protocol allows. The default is 16385, which asks for nothing
    /// but lets the server ask for less.
    Builder& record_size_limit(std::uint16_t bytes);
    /// Pad the inner plaintext of every record to a multiple of this many bytes (RFC 9846, 5.4), at most 16384; 0 and 1:
    /// no padding, the default.
    Builder& record_padding(std::size_t multiple);
    /// Offer values that mean nothing (RFC 8701), so that servers stay tolerant of what is new. On by default.
    Builder& grease(bool on);
    /// Put the ClientHello's extensions in random order, so that no server comes to rely on one. On by default.
    Builder& permute_extensions(bool on);
    /// Write the secrets of every connection to this sink (RFC 9850). Whoever reads it can read the connections.
    Builder& key_log(std::shared_ptr<KeyLog> sink);
    Builder& rng(std::shared_ptr<Rng> rng);
    Builder& clock(std::shared_ptr<const Clock> clock);

    /// The configuration, or what is wrong with it: `no_trust_anchors`, `trust_anchor_unreadable` or
    /// `configuration_invalid`. The builder can be used again.
    [[nodiscard]] Result<ConfigPtr> build() const noexcept;

  private:
    friend class ClientConfig;
    friend struct detail::ConfigAccess;
    [[nodiscard]] Result<ConfigPtr> build_or_throw() const;
    /// Whether there is a verifier of certificates, or one has to be made.
    [[nodiscard]] bool judges_certificates() const noexcept;
    [[nodiscard]] Result<> settle_versions(ClientConfig& config) const;
    [[nodiscard]] Result<> settle_schemes(ClientConfig& config) const;
    [[nodiscard]] Result<> settle_trust(ClientConfig& config) const;

    Policy policy_;
    bool policy_binds_;
    std::optional<TrustAnchors> anchors_;
    bool trust_system_ = false;
    std::optional<RevocationPolicy> revocation_;
    std::optional<TransparencyPolicy> transparency_;
    std::optional<std::shared_ptr<VerifiedChainCache>> verified_chain_cache_;
    std::optional<KeyPins> pins_;
    std::shared_ptr<const CertificateVerifier> verifier_;
    std::shared_ptr<const RawPublicKeyVerifier> raw_public_keys_;
    bool prefers_raw_public_keys_ = true;
    bool verify_again_on_resumption_ = false;
    std::optional<std::shared_ptr<SessionStore>> session_store_;
    std::vector<ExternalPsk> external_psks_;
    std::vector<Credential> credentials_;
    std::shared_ptr<const CredentialSelector> credential_selector_;
    std::vector<CertificateType> client_certificate_types_;
    bool credential_required_ = false;
    bool post_handshake_auth_ = false;
    std::optional<bool> status_request_;
    bool signed_certificate_timestamps_ = false;
    std::vector<std::shared_ptr<const CertificateDecompressor>> certificate_decompressors_;
    std::uint16_t record_size_limit_ = limits::record_plaintext + 1;
    std::size_t record_padding_ = 0;
    bool grease_ = true;
    bool permute_extensions_ = true;
    std::shared_ptr<KeyLog> key_log_;
    std::vector<std::string> alpn_;
    std::optional<std::vector<ProtocolVersion>> versions_;
    bool require_extended_main_secret_ = true;
    std::vector<CipherSuite> cipher_suites_;
    std::vector<NamedGroup> groups_;
    std::optional<std::vector<NamedGroup>> key_shares_;
    HybridPolicy hybrid_ = HybridPolicy::send_share;
    bool require_post_quantum_ = false;
    std::vector<SignatureScheme> signature_schemes_;
    bool signature_schemes_chosen_ = false; // by the caller, not by the policy
    std::vector<SignatureScheme> certificate_signature_schemes_;
    bool certificate_signature_schemes_chosen_ = false;
    bool compatibility_mode_ = true;
    std::shared_ptr<Rng> rng_;
    std::shared_ptr<const Clock> clock_;
    detail::HelloTemplate hello_template_;
  };

  /// Starts with today's defaults: TLS 1.3 and TLS 1.2 with forward secrecy; AES-128-GCM, AES-256-GCM and
  /// ChaCha20-Poly1305; X25519MLKEM768 and X25519 with key shares, secp256r1, secp384r1 and secp521r1 without; ECDSA,
  /// RSA-PSS and EdDSA, in TLS 1.3 ML-DSA, too, and in TLS 1.2 RSA with PKCS#1 v1.5. No trust: that must be said.
  [[nodiscard]] static Builder builder();
  /// Starts with what a policy allows. Setters can narrow that; `build` refuses what goes beyond it. Key shares are sent
  /// for the policy's first hybrid and first other group.
  [[nodiscard]] static Builder builder(const Policy& policy);

  /// Null when only pre-shared keys or raw public keys are accepted.
  [[nodiscard]] const CertificateVerifier* verifier() const noexcept { return verifier_.get(); }
  /// Null when no raw public keys are accepted.
  [[nodiscard]] const RawPublicKeyVerifier* raw_public_keys() const noexcept { return raw_public_keys_.get(); }
  [[nodiscard]] bool prefers_raw_public_keys() const noexcept { return prefers_raw_public_keys_; }
  [[nodiscard]] bool verify_again_on_resumption() const noexcept { return verify_again_on_resumption_; }
  /// Null when sessions are not kept.
  [[nodiscard]] SessionStore* session_store() const noexcept { return session_store_.get(); }
  /// By what servers are judged under this configuration, as a whole.
  [[nodiscard]] BytesView trust_identity() const noexcept { return trust_identity_; }
  [[nodiscard]] std::span<const ExternalPsk> external_psks() const noexcept { return external_psks_; }
  [[nodiscard]] std::span<const Credential> credentials() const noexcept { return credentials_; }
  /// Null when select_credential() chooses.
  [[nodiscard]] const CredentialSelector* credential_selector() const noexcept { return credential_selector_.get(); }
  /// Each type once.
  [[nodiscard]] std::span<const CertificateType> client_certificate_types() const noexcept {
    return client_certificate_types_;
  }
  [[nodiscard]] bool credential_required() const noexcept { return credential_required_; }
  [[nodiscard]] bool post_handshake_auth() const noexcept { return post_handshake_auth_; }
  [[nodiscard]] bool status_request() const noexcept { return status_request_; }
  [[nodiscard]] bool signed_certificate_timestamps() const noexcept { return signed_certificate_timestamps_; }
  [[nodiscard]] std::span<const std::shared_ptr<const CertificateDecompressor>>
  certificate_decompressors() const noexcept {
    return certificate_decompressors_;
  }
  /// 0 when it is not negotiated.
  [[nodiscard]] std::uint16_t record_size_limit() const noexcept { return record_size_limit_; }
  [[nodiscard]] std::size_t record_padding() const noexcept { return record_padding_; }
  [[nodiscard]] bool grease() const noexcept { return grease_; }
  [[nodiscard]] bool permute_extensions() const noexcept { return permute_extensions_; }
  /// Null when nothing is logged.
  [[nodiscard]] KeyLog* key_log() const noexcept { return key_log_.get(); }
  [[nodiscard]] std::span<const std::string> alpn() const noexcept { return alpn_; }
  /// The newest first.
  [[nodiscard]] std::span<const ProtocolVersion> versions() const noexcept { return versions_; }
  [[nodiscard]] bool offers(ProtocolVersion version) const noexcept {
    for (const ProtocolVersion one : versions_)
      if (one == version)
        return true;
    return false;
  }
  [[nodiscard]] bool require_extended_main_secret() const noexcept { return require_extended_main_secret_; }
  [[nodiscard]] std::span<const CipherSuite> cipher_suites() const noexcept { return cipher_suites_; }
  [[nodiscard]] std::span<const NamedGroup> groups() const noexcept { return groups_; }
  [[nodiscard]] std::span<const NamedGroup> key_shares() const noexcept { return key_shares_; }
  [[nodiscard]] std::span<const SignatureScheme> signature_schemes() const noexcept { return signature_schemes_; }
  [[nodiscard]] std::span<const SignatureScheme> certificate_signature_schemes() const noexcept {
    return certificate_signature_schemes_;
  }
  /// The shortest RSA key of a server, in bits.
  [[nodiscard]] std::size_t rsa_bits_min() const noexcept { return rsa_bits_min_; }
  [[nodiscard]] bool compatibility_mode() const noexcept { return compatibility_mode_; }
  [[nodiscard]] Rng& rng() const noexcept { return *rng_; }
  [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }

private:
  friend struct detail::ConfigAccess;
  ClientConfig() = default;

  std::shared_ptr<const CertificateVerifier> verifier_;
  std::shared_ptr<const RawPublicKeyVerifier> raw_public_keys_;
  bool prefers_raw_public_keys_ = true;
  bool verify_again_on_resumption_ = false;
  std::shared_ptr<SessionStore> session_store_;
  TrustIdentity trust_identity_;
  std::vector<ExternalPsk> external_psks_;
  std::vector<Credential> credentials_;
  std::shared_ptr<const CredentialSelector> credential_selector_;
  std::vector<CertificateType> client_certificate_types_;
  bool credential_required_ = false;
  bool post_handshake_auth_ = false;
  bool status_request_ = false;
  bool signed_certificate_timestamps_ = false;
  std::vector<std::shared_ptr<const CertificateDecompressor>> certificate_decompressors_;
  std::uint16_t record_size_limit_ = 0;
  std::size_t record_padding_ = 0;
  bool grease_ = true;
  bool permute_extensions_ = true;
  std::shared_ptr<KeyLog> key_log_;
  std::vector<std::string> alpn_;
  std::vector<ProtocolVersion> versions_;
  bool require_extended_main_secret_ = true;
  std::vector<CipherSuite> cipher_suites_;
  std::vector<NamedGroup> groups_;
  std::vector<NamedGroup> key_shares_;
  std::vector<SignatureScheme> signature_schemes_;
  std::vector<SignatureScheme> certificate_signature_schemes_;
  std::size_t rsa_bits_min_ = PublicKey::shortest_rsa_key;
  bool compatibility_mode_ = true;
  std::shared_ptr<Rng> rng_;
  std::shared_ptr<const Clock> clock_;
  detail::HelloTemplate hello_template_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/config.ipp>
#endif
