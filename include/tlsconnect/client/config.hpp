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
#include <tlsconnect/base/source.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>
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
  std::size_t rsa_bits_min = Certificate::shortest_rsa_key;
};
struct ConfigAccess;
} // namespace detail

class ClientConfig {
public:
  /// Collects decisions; `build` checks them. Every setter replaces what was set before.
  class Builder {
  public:
    Builder();
    /// Trust these anchors: servers are verified by PathVerifier.
    Builder& trust(TrustAnchors anchors);
    /// Trust the system's store (TrustAnchors::system); a failure to load it is reported by `build`.
    Builder& trust_system();
    /// Verify with this instead.
    Builder& verifier(std::shared_ptr<const CertificateVerifier> verifier);
    /// Application protocols to offer, the preferred one first (RFC 7301); each 1 to 255 bytes.
    Builder& alpn(std::vector<std::string> protocols);
    /// Cipher suites to offer, in order.
    Builder& cipher_suites(std::vector<CipherSuite> suites);
    /// Groups to offer, in order. Hybrids in it are subject to `hybrid`.
    Builder& groups(std::vector<NamedGroup> groups);
    /// Groups to send key shares for, instead of those that follow from `groups` and `hybrid`. All must be offered,
    /// in the same order. May be empty: then the server has to ask.
    Builder& key_shares(std::vector<NamedGroup> groups);
    Builder& hybrid(HybridPolicy policy);
    /// Offer hybrid groups only, so that no connection comes about without one.
    Builder& require_post_quantum(bool required);
    /// Schemes that the server may sign the handshake with, in order. PKCS#1 v1.5 is refused (RFC 9846, 4.2.3).
    Builder& signature_schemes(std::vector<SignatureScheme> schemes);
    /// Schemes that certificates may be signed with, in order.
    Builder& certificate_signature_schemes(std::vector<SignatureScheme> schemes);
    /// Middlebox compatibility (RFC 9846, E.4): a session id and a change_cipher_spec record. On by default.
    Builder& compatibility_mode(bool on);
    Builder& rng(std::shared_ptr<Rng> rng);
    Builder& clock(std::shared_ptr<const Clock> clock);

    /// The configuration, or what is wrong with it: `no_trust_anchors`, `trust_anchor_unreadable` or
    /// `configuration_invalid`. The builder can be used again.
    [[nodiscard]] Result<ConfigPtr> build() const noexcept;

  private:
    friend class ClientConfig;
    friend struct detail::ConfigAccess;
    [[nodiscard]] Result<ConfigPtr> build_or_throw() const;

    std::optional<TrustAnchors> anchors_;
    bool trust_system_ = false;
    std::shared_ptr<const CertificateVerifier> verifier_;
    std::vector<std::string> alpn_;
    std::vector<CipherSuite> cipher_suites_;
    std::vector<NamedGroup> groups_;
    std::optional<std::vector<NamedGroup>> key_shares_;
    HybridPolicy hybrid_ = HybridPolicy::send_share;
    bool require_post_quantum_ = false;
    std::vector<SignatureScheme> signature_schemes_;
    std::vector<SignatureScheme> certificate_signature_schemes_;
    bool compatibility_mode_ = true;
    std::shared_ptr<Rng> rng_;
    std::shared_ptr<const Clock> clock_;
    detail::HelloTemplate hello_template_;
  };

  /// Starts with today's defaults: TLS 1.3; AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305; X25519MLKEM768 and X25519
  /// with key shares, secp256r1, secp384r1 and secp521r1 without; ECDSA, RSA-PSS and EdDSA. No trust: that must be
  /// said.
  [[nodiscard]] static Builder builder();

  [[nodiscard]] const CertificateVerifier& verifier() const noexcept { return *verifier_; }
  [[nodiscard]] std::span<const std::string> alpn() const noexcept { return alpn_; }
  [[nodiscard]] std::span<const CipherSuite> cipher_suites() const noexcept { return cipher_suites_; }
  [[nodiscard]] std::span<const NamedGroup> groups() const noexcept { return groups_; }
  [[nodiscard]] std::span<const NamedGroup> key_shares() const noexcept { return key_shares_; }
  [[nodiscard]] std::span<const SignatureScheme> signature_schemes() const noexcept { return signature_schemes_; }
  [[nodiscard]] std::span<const SignatureScheme> certificate_signature_schemes() const noexcept {
    return certificate_signature_schemes_;
  }
  [[nodiscard]] bool compatibility_mode() const noexcept { return compatibility_mode_; }
  [[nodiscard]] Rng& rng() const noexcept { return *rng_; }
  [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }

private:
  friend struct detail::ConfigAccess;
  ClientConfig() = default;

  std::shared_ptr<const CertificateVerifier> verifier_;
  std::vector<std::string> alpn_;
  std::vector<CipherSuite> cipher_suites_;
  std::vector<NamedGroup> groups_;
  std::vector<NamedGroup> key_shares_;
  std::vector<SignatureScheme> signature_schemes_;
  std::vector<SignatureScheme> certificate_signature_schemes_;
  bool compatibility_mode_ = true;
  std::shared_ptr<Rng> rng_;
  std::shared_ptr<const Clock> clock_;
  detail::HelloTemplate hello_template_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/config.ipp>
#endif
