// Defaults, and what a configuration must satisfy.
#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/random.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/verify/path_verifier.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

TLSCONNECT_DECL Error invalid(std::string detail) noexcept {
  return Error(ErrorCode::configuration_invalid, "ClientConfig", std::move(detail));
}

/// Each value once, at least one, at most `most`.
template <class T>
std::optional<Error> check_list(const std::vector<T>& list, std::size_t most, const char* what) {
  if (list.empty())
    return invalid(std::string("no ") + what + " is left to offer");
  if (list.size() > most)
    return invalid(std::string("too many ") + what + ", at most " + std::to_string(most));
  for (auto value = list.begin(); value != list.end(); ++value)
    if (std::find(list.begin(), value, *value) != value)
      return invalid(std::string("a ") + what + " is listed twice");
  return std::nullopt;
}

/// The schemes that this library can verify a handshake signature with; PKCS#1 v1.5 is for certificates only
/// (RFC 9846, 4.2.3).
[[nodiscard]] constexpr bool signs_handshakes(SignatureScheme scheme) noexcept {
  switch (scheme) {
  case SignatureScheme::ecdsa_secp256r1_sha256:
  case SignatureScheme::ecdsa_secp384r1_sha384:
  case SignatureScheme::ecdsa_secp521r1_sha512:
  case SignatureScheme::rsa_pss_rsae_sha256:
  case SignatureScheme::rsa_pss_rsae_sha384:
  case SignatureScheme::rsa_pss_rsae_sha512:
  case SignatureScheme::ed25519:
  case SignatureScheme::ed448:
  case SignatureScheme::rsa_pss_pss_sha256:
  case SignatureScheme::rsa_pss_pss_sha384:
  case SignatureScheme::rsa_pss_pss_sha512:
    return true;
  default:
    return false;
  }
}
[[nodiscard]] constexpr bool signs_certificates(SignatureScheme scheme) noexcept {
  return signs_handshakes(scheme) || scheme == SignatureScheme::rsa_pkcs1_sha256 ||
         scheme == SignatureScheme::rsa_pkcs1_sha384 || scheme == SignatureScheme::rsa_pkcs1_sha512;
}

/// The shares to send: the first hybrid, when they are to be sent, and the first elliptic curve beside it, so that a
/// server without hybrids needs no second round trip.
TLSCONNECT_DECL std::vector<NamedGroup> usual_key_shares(const std::vector<NamedGroup>& groups, HybridPolicy policy) {
  std::vector<NamedGroup> shares;
  bool hybrid = policy != HybridPolicy::send_share; // already taken, or not wanted
  bool curve = false;
  for (const NamedGroup group : groups) {
    bool& taken = is_post_quantum(group) ? hybrid : curve;
    if (!std::exchange(taken, true))
      shares.push_back(group);
  }
  return shares;
}

} // namespace detail

TLSCONNECT_DECL ClientConfig::Builder::Builder()
    : cipher_suites_{CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                     CipherSuite::chacha20_poly1305_sha256},
      groups_{NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1,
              NamedGroup::secp521r1},
      signature_schemes_{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519,
                         SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::ecdsa_secp521r1_sha512,
                         SignatureScheme::ed448,                  SignatureScheme::rsa_pss_rsae_sha256,
                         SignatureScheme::rsa_pss_rsae_sha384,    SignatureScheme::rsa_pss_rsae_sha512,
                         SignatureScheme::rsa_pss_pss_sha256,     SignatureScheme::rsa_pss_pss_sha384,
                         SignatureScheme::rsa_pss_pss_sha512},
      certificate_signature_schemes_(signature_schemes_) {
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512})
    certificate_signature_schemes_.push_back(scheme);
}

TLSCONNECT_DECL ClientConfig::Builder ClientConfig::builder() { return Builder(); }

TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::trust(TrustAnchors anchors) {
  anchors_ = std::move(anchors);
  trust_system_ = false;
  verifier_.reset();
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::trust_system() {
  anchors_.reset();
  trust_system_ = true;
  verifier_.reset();
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::verifier(std::shared_ptr<const CertificateVerifier> verifier) {
  anchors_.reset();
  trust_system_ = false;
  verifier_ = std::move(verifier);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::alpn(std::vector<std::string> protocols) {
  alpn_ = std::move(protocols);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::cipher_suites(std::vector<CipherSuite> suites) {
  cipher_suites_ = std::move(suites);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::groups(std::vector<NamedGroup> groups) {
  groups_ = std::move(groups);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::key_shares(std::vector<NamedGroup> groups) {
  key_shares_ = std::move(groups);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::hybrid(HybridPolicy policy) {
  hybrid_ = policy;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::require_post_quantum(bool required) {
  require_post_quantum_ = required;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::signature_schemes(std::vector<SignatureScheme> schemes) {
  signature_schemes_ = std::move(schemes);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::certificate_signature_schemes(std::vector<SignatureScheme> schemes) {
  certificate_signature_schemes_ = std::move(schemes);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::compatibility_mode(bool on) {
  compatibility_mode_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::rng(std::shared_ptr<Rng> rng) {
  rng_ = std::move(rng);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::clock(std::shared_ptr<const Clock> clock) {
  clock_ = std::move(clock);
  return *this;
}

TLSCONNECT_DECL Result<ConfigPtr> ClientConfig::Builder::build() const noexcept {
  try {
    return build_or_throw();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "ClientConfig");
  }
}

TLSCONNECT_DECL Result<ConfigPtr> ClientConfig::Builder::build_or_throw() const {
  const std::shared_ptr<ClientConfig> config(new ClientConfig());

  // A program that says nothing of trust has forgotten it.
  config->verifier_ = verifier_;
  if (!verifier_) {
    TrustAnchors anchors = anchors_.value_or(TrustAnchors());
    if (trust_system_) {
      Result<TrustAnchors> loaded = TrustAnchors::system();
      if (!loaded)
        return std::unexpected(std::move(loaded.error()));
      anchors = std::move(*loaded);
    }
    Result<std::shared_ptr<const PathVerifier>> verifier = PathVerifier::create(anchors);
    if (!verifier)
      return std::unexpected(std::move(verifier.error()));
    config->verifier_ = std::move(*verifier);
  }

  for (const std::string& protocol : alpn_)
    if (protocol.empty() || protocol.size() > 255)
      return std::unexpected(detail::invalid("an application protocol must have 1 to 255 bytes (RFC 7301, 3.1)"));
  if (!alpn_.empty())
    if (auto problem = detail::check_list(alpn_, 32, "application protocol"))
      return std::unexpected(std::move(*problem));
  config->alpn_ = alpn_;

  if (auto problem = detail::check_list(cipher_suites_, 16, "cipher suite"))
    return std::unexpected(std::move(*problem));
  for (const CipherSuite suite : cipher_suites_)
    if (!parameters_of(suite))
      return std::unexpected(detail::invalid("an unknown cipher suite"));
  config->cipher_suites_ = cipher_suites_;

  if (require_post_quantum_ && hybrid_ == HybridPolicy::off)
    return std::unexpected(detail::invalid("post-quantum groups are required and switched off"));
  for (const NamedGroup group : groups_) {
    if (!lengths_of(group))
      return std::unexpected(detail::invalid("group " + std::to_string(static_cast<unsigned>(group)) + " is not known"));
    if (is_post_quantum(group) ? hybrid_ != HybridPolicy::off : !require_post_quantum_)
      config->groups_.push_back(group);
  }
  if (auto problem = detail::check_list(config->groups_, 16, "group"))
    return std::unexpected(std::move(*problem));
  config->key_shares_ = key_shares_ ? *key_shares_ : detail::usual_key_shares(config->groups_, hybrid_);
  if (!config->key_shares_.empty())
    if (auto problem = detail::check_list(config->key_shares_, 8, "key share"))
      return std::unexpected(std::move(*problem));
  // RFC 9846, 4.2.8: shares are a part of supported_groups and stand in its order.
  auto offered = config->groups_.begin();
  for (const NamedGroup group : config->key_shares_) {
    offered = std::find(offered, config->groups_.end(), group);
    if (offered == config->groups_.end())
      return std::unexpected(detail::invalid("key share " + std::string(name_of(group)) +
                                             " is not among the groups that are offered, or not in their order"));
  }

  if (auto problem = detail::check_list(signature_schemes_, 32, "signature scheme"))
    return std::unexpected(std::move(*problem));
  for (const SignatureScheme scheme : signature_schemes_)
    if (!detail::signs_handshakes(scheme))
      return std::unexpected(detail::invalid(std::string(name_of(scheme)) + " cannot sign a TLS 1.3 handshake"));
  config->signature_schemes_ = signature_schemes_;
  if (auto problem = detail::check_list(certificate_signature_schemes_, 32, "certificate signature scheme"))
    return std::unexpected(std::move(*problem));
  for (const SignatureScheme scheme : certificate_signature_schemes_)
    if (!detail::signs_certificates(scheme))
      return std::unexpected(detail::invalid(std::string(name_of(scheme)) + " is not accepted in certificates"));
  config->certificate_signature_schemes_ = certificate_signature_schemes_;

  config->compatibility_mode_ = compatibility_mode_;
  config->rng_ = rng_ ? rng_ : system_rng();
  config->clock_ = clock_ ? clock_ : system_clock();
  config->hello_template_ = hello_template_;
  return ConfigPtr(config);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
