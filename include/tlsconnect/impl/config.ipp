// Defaults, and what a configuration must satisfy.
#pragma once

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/client/certificate_compression.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/random.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/verify/path_verifier.hpp>
#include <tlsconnect/wire/cursor.hpp>

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

[[nodiscard]] constexpr bool signs_certificates(SignatureScheme scheme) noexcept {
  return signs_tls13(scheme) || scheme == SignatureScheme::rsa_pkcs1_sha256 ||
         scheme == SignatureScheme::rsa_pkcs1_sha384 || scheme == SignatureScheme::rsa_pkcs1_sha512;
}

/// The hash that a suite of any version names.
TLSCONNECT_DECL std::optional<HashAlgorithm> hash_of_suite(CipherSuite suite) noexcept {
  if (const std::optional<SuiteParameters> parameters = parameters_of(suite))
    return parameters->hash;
  if (const std::optional<SuiteParameters12> parameters = parameters12_of(suite))
    return parameters->hash;
  return std::nullopt;
}

/// The schemes of a list that this program's Botan has. That one is missing is an error when the caller has listed it,
/// and when nothing else remains of a policy.
TLSCONNECT_DECL Result<std::vector<SignatureScheme>> available_schemes(const std::vector<SignatureScheme>& schemes,
                                                                       bool chosen) {
  std::vector<SignatureScheme> available;
  std::copy_if(schemes.begin(), schemes.end(), std::back_inserter(available), is_available);
  const auto missing = std::find_if_not(schemes.begin(), schemes.end(), is_available);
  if (missing != schemes.end() && (chosen || available.empty()))
    return std::unexpected(invalid(std::string(name_of(*missing)) +
                                   " is not available: this program's Botan was built without the module ml_dsa"));
  return available;
}

/// Whether a version can be offered by this build at all.
[[nodiscard]] constexpr bool is_built(ProtocolVersion version) noexcept {
#if defined(TLSCONNECT_WITHOUT_TLS12)
  return version == ProtocolVersion::tls1_3;
#else
  return version == ProtocolVersion::tls1_3 || version == ProtocolVersion::tls1_2;
#endif
}

/// What a configuration offers, as far as it decides which versions can be.
struct Offer {
  std::span<const NamedGroup> groups;
  std::span<const SignatureScheme> signature_schemes;
  std::span<const ExternalPsk> external_psks;
  bool certificates;
  bool only_post_quantum;

  /// Whether the suite can come about in TLS 1.3 or in TLS 1.2, whichever it is of.
  [[nodiscard]] bool has(CipherSuite suite) const noexcept {
    if (parameters_of(suite))
      return true;
    const std::optional<SuiteParameters12> parameters = parameters12_of(suite);
    // TLS 1.2 has no post-quantum key exchange.
    if (!parameters || only_post_quantum)
      return false;
    if (parameters->ephemeral &&
        std::all_of(groups.begin(), groups.end(), [](NamedGroup group) { return is_post_quantum(group); }))
      return false;
    if (parameters->authentication != Authentication12::psk)
      return certificates;
    // RFC 9258, 1: imported keys are for TLS 1.3.
    return std::any_of(external_psks.begin(), external_psks.end(),
                       [&](const ExternalPsk& psk) { return !psk.imported() && psk.hash() == parameters->hash; });
  }
  /// Whether a version has all that it needs, with these suites. One that was not asked for needs a signature scheme of
  /// its own too; otherwise, servers that have both versions would choose it in vain.
  [[nodiscard]] bool has(ProtocolVersion version, std::span<const CipherSuite> suites, bool asked_for) const noexcept {
    const bool tls13 = version == ProtocolVersion::tls1_3;
    if (!asked_for && !signature_schemes.empty() &&
        std::none_of(signature_schemes.begin(), signature_schemes.end(), tls13 ? signs_tls13 : signs_tls12))
      return false;
    return std::any_of(suites.begin(), suites.end(),
                       [&](CipherSuite suite) { return tls13 == parameters_of(suite).has_value() && has(suite); });
  }
};

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

/// By what servers are judged: by both verifiers, or by the one that there is, and by the keys that they may hold
/// instead of a certificate.
TLSCONNECT_DECL TrustIdentity combined_identity(const CertificateVerifier* certificates,
                                                const RawPublicKeyVerifier* raw_public_keys,
                                                std::span<const ExternalPsk> external_psks) {
  const TrustIdentity first = certificates ? certificates->trust_identity() : TrustIdentity();
  const TrustIdentity second = raw_public_keys ? raw_public_keys->trust_identity() : TrustIdentity();
  // One that does not want to be resumed decides for both.
  if ((certificates && first.empty()) || (raw_public_keys && second.empty()))
    return {};
  ByteVector both;
  Writer writer(both);
  writer.opaque16(first, 0, 0xFFFF);
  writer.opaque16(second, 0, 0xFFFF);
  for (const ExternalPsk& psk : external_psks)
    writer.opaque16(psk.identity(), 1, 0xFFFF);
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, both);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace detail

TLSCONNECT_DECL ClientConfig::Builder::Builder(const Policy& policy, bool binding)
    : policy_(policy), policy_binds_(binding), certificate_decompressors_(default_certificate_decompressors()),
      cipher_suites_(policy.cipher_suites.begin(), policy.cipher_suites.end()),
      groups_(policy.groups.begin(), policy.groups.end()),
      signature_schemes_(policy.signature_schemes.begin(), policy.signature_schemes.end()),
      certificate_signature_schemes_(policy.certificate_signature_schemes.begin(),
                                     policy.certificate_signature_schemes.end()) {}

TLSCONNECT_DECL ClientConfig::Builder ClientConfig::builder() { return Builder(policies::modern_202611(), false); }
TLSCONNECT_DECL ClientConfig::Builder ClientConfig::builder(const Policy& policy) { return Builder(policy); }

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
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::revocation(RevocationPolicy policy) {
  revocation_ = std::move(policy);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::verifier(std::shared_ptr<const CertificateVerifier> verifier) {
  anchors_.reset();
  trust_system_ = false;
  verifier_ = std::move(verifier);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::transparency(TransparencyPolicy policy) {
  transparency_ = std::move(policy);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::verified_chain_cache(std::shared_ptr<VerifiedChainCache> cache) {
  verified_chain_cache_ = std::move(cache);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::pins(KeyPins pins) {
  pins_ = std::move(pins);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::alpn(std::vector<std::string> protocols) {
  alpn_ = std::move(protocols);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::versions(std::vector<ProtocolVersion> versions) {
  versions_ = std::move(versions);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::require_extended_main_secret(bool required) {
  require_extended_main_secret_ = required;
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
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::signature_schemes(std::vector<SignatureScheme> schemes) {
  signature_schemes_ = std::move(schemes);
  signature_schemes_chosen_ = true;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::certificate_signature_schemes(std::vector<SignatureScheme> schemes) {
  certificate_signature_schemes_ = std::move(schemes);
  certificate_signature_schemes_chosen_ = true;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::compatibility_mode(bool on) {
  compatibility_mode_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::raw_public_keys(std::shared_ptr<const RawPublicKeyVerifier> verifier, bool preferred) {
  prefers_raw_public_keys_ = preferred;
  raw_public_keys_ = std::move(verifier);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::verify_again_on_resumption(bool on) {
  verify_again_on_resumption_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::session_store(std::shared_ptr<SessionStore> store) {
  session_store_ = std::move(store);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::external_psks(std::vector<ExternalPsk> psks) {
  external_psks_ = std::move(psks);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::credentials(std::vector<Credential> credentials) {
  credentials_ = std::move(credentials);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::credential_selector(std::shared_ptr<const CredentialSelector> selector) {
  credential_selector_ = std::move(selector);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder&
ClientConfig::Builder::client_certificate_types(std::vector<CertificateType> types) {
  client_certificate_types_ = std::move(types);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::credential_required(bool required) {
  credential_required_ = required;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::post_handshake_auth(bool allowed) {
  post_handshake_auth_ = allowed;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::status_request(bool on) {
  status_request_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::signed_certificate_timestamps(bool on) {
  signed_certificate_timestamps_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::certificate_decompressors(
    std::vector<std::shared_ptr<const CertificateDecompressor>> decompressors) {
  certificate_decompressors_ = std::move(decompressors);
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::record_size_limit(std::uint16_t bytes) {
  record_size_limit_ = bytes;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::record_padding(std::size_t multiple) {
  record_padding_ = multiple;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::grease(bool on) {
  grease_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::permute_extensions(bool on) {
  permute_extensions_ = on;
  return *this;
}
TLSCONNECT_DECL ClientConfig::Builder& ClientConfig::Builder::key_log(std::shared_ptr<KeyLog> sink) {
  key_log_ = std::move(sink);
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

TLSCONNECT_DECL Result<> ClientConfig::Builder::settle_versions(ClientConfig& config) const {
  const std::vector<ProtocolVersion> wanted =
      versions_.value_or(std::vector<ProtocolVersion>(policy_.versions.begin(), policy_.versions.end()));
  if (auto problem = detail::check_list(wanted, 2, "version"))
    return std::unexpected(std::move(*problem));
  const detail::Offer offer{.groups = config.groups_,
                            .signature_schemes = config.signature_schemes_,
                            .external_psks = external_psks_,
                            .certificates = judges_certificates() || raw_public_keys_,
                            .only_post_quantum = require_post_quantum_};
  for (const ProtocolVersion version : {ProtocolVersion::tls1_3, ProtocolVersion::tls1_2}) {
    if (std::find(wanted.begin(), wanted.end(), version) == wanted.end())
      continue;
    if (detail::is_built(version) && offer.has(version, cipher_suites_, versions_.has_value()))
      config.versions_.push_back(version);
    else if (versions_)
      return std::unexpected(detail::invalid(std::string(name_of(version)) +
                                             " is to be offered, but this library was built without it, or there is "
                                             "no cipher suite, group or trust for it"));
  }
  for (const ProtocolVersion version : wanted)
    if (version != ProtocolVersion::tls1_3 && version != ProtocolVersion::tls1_2)
      return std::unexpected(detail::invalid(std::string(name_of(version)) + " cannot be offered"));
  if (config.versions_.empty())
    return std::unexpected(
        detail::invalid("no version is left to offer: each needs a cipher suite, a group, a signature "
                        "scheme and trust of its own"));
  for (const CipherSuite suite : cipher_suites_)
    if (offer.has(suite) && config.offers(parameters_of(suite) ? ProtocolVersion::tls1_3 : ProtocolVersion::tls1_2))
      config.cipher_suites_.push_back(suite);
  config.require_extended_main_secret_ = require_extended_main_secret_;
  return {};
}

TLSCONNECT_DECL bool ClientConfig::Builder::judges_certificates() const noexcept {
  // A program that says nothing of trust has forgotten it.
  const bool other_trust = raw_public_keys_ || !external_psks_.empty();
  return verifier_ || anchors_ || trust_system_ || pins_ || !other_trust;
}

TLSCONNECT_DECL Result<> ClientConfig::Builder::settle_trust(ClientConfig& config) const {
  config.verifier_ = verifier_;
  config.raw_public_keys_ = raw_public_keys_;
  config.prefers_raw_public_keys_ = prefers_raw_public_keys_;
  // Pins that stand alone are trust enough.
  const bool only_pins = pins_ && !pins_->has(PinUse::on_top) && !anchors_ && !trust_system_;
  if (!verifier_ && judges_certificates() && !only_pins) {
    TrustAnchors anchors = anchors_.value_or(TrustAnchors());
    if (trust_system_) {
      Result<TrustAnchors> loaded = TrustAnchors::system();
      if (!loaded)
        return std::unexpected(std::move(loaded.error()));
      anchors = std::move(*loaded);
    }
    Result<std::shared_ptr<const PathVerifier>> verifier =
        PathVerifier::create(anchors,
                             {.rsa_bits_min = policy_.rsa_bits_min,
                              .signature_schemes = config.certificate_signature_schemes_,
                              .transparency = transparency_.value_or(TransparencyPolicy())},
                             revocation_.value_or(RevocationPolicy()),
                             verified_chain_cache_ ? *verified_chain_cache_ : VerifiedChainCache::create());
    if (!verifier)
      return std::unexpected(std::move(verifier.error()));
    config.verifier_ = std::move(*verifier);
  } else if (transparency_) {
    return std::unexpected(detail::invalid("transparency is required, but another verifier than PathVerifier decides"));
  } else if (revocation_) {
    return std::unexpected(detail::invalid("a policy on revocation is there, but no trust anchors that it could be "
                                           "applied with"));
  } else if (verified_chain_cache_ && *verified_chain_cache_) {
    return std::unexpected(detail::invalid("a cache of verified chains is there, but another verifier than "
                                           "PathVerifier decides"));
  }
  if (pins_) {
    Result<std::shared_ptr<const PinningVerifier>> pinning = PinningVerifier::create(*pins_, config.verifier_);
    if (!pinning)
      return std::unexpected(std::move(pinning.error()));
    config.verifier_ = std::move(*pinning);
  }
  config.status_request_ = status_request_.value_or(config.verifier_ && config.verifier_->wants_status());
  if (revocation_ && revocation_->required != StatusRequired::none && revocation_->crls.empty() &&
      !config.status_request_)
    return std::unexpected(detail::invalid("a status is required, but there are no lists, and none is asked for"));
  return {};
}

TLSCONNECT_DECL Result<> ClientConfig::Builder::settle_schemes(ClientConfig& config) const {
  const bool tls12 = config.offers(ProtocolVersion::tls1_2);
  const bool tls13 = config.offers(ProtocolVersion::tls1_3);
  // RFC 9846, 4.2.3: TLS 1.3 is not signed with RSASSA-PKCS1-v1_5; draft-ietf-tls-mldsa: TLS 1.2 not with ML-DSA. What a
  // policy lists for the other version is left out, what the caller lists has to be of use.
  const auto signs = [&](SignatureScheme scheme) {
    return (tls12 && signs_tls12(scheme)) || (tls13 && signs_tls13(scheme));
  };
  for (const SignatureScheme scheme : config.signature_schemes_)
    if (!signs(scheme) && (signature_schemes_chosen_ || !(signs_tls12(scheme) || signs_tls13(scheme))))
      return std::unexpected(detail::invalid(std::string(name_of(scheme)) + " cannot sign a handshake of " +
                                             (tls12 && tls13 ? "TLS"
                                              : tls12        ? "TLS 1.2"
                                                             : "TLS 1.3")));
  std::erase_if(config.signature_schemes_, [&](SignatureScheme scheme) { return !signs(scheme); });
  if (auto problem = detail::check_list(config.signature_schemes_, 32, "signature scheme"))
    return std::unexpected(std::move(*problem));

  for (const SignatureScheme scheme : config.certificate_signature_schemes_)
    if (!detail::signs_certificates(scheme) || (certificate_signature_schemes_chosen_ && is_ml_dsa(scheme) && !tls13))
      return std::unexpected(detail::invalid(std::string(name_of(scheme)) + " is not accepted in certificates" +
                                             (is_ml_dsa(scheme) ? " of TLS 1.2" : "")));
  if (!tls13)
    std::erase_if(config.certificate_signature_schemes_, is_ml_dsa);
  if (auto problem = detail::check_list(config.certificate_signature_schemes_, 32, "certificate signature scheme"))
    return std::unexpected(std::move(*problem));
  return {};
}

TLSCONNECT_DECL Result<ConfigPtr> ClientConfig::Builder::build_or_throw() const {
  const std::shared_ptr<ClientConfig> config(new ClientConfig());
  Result<std::vector<SignatureScheme>> schemes =
      detail::available_schemes(signature_schemes_, signature_schemes_chosen_);
  Result<std::vector<SignatureScheme>> certificate_schemes =
      detail::available_schemes(certificate_signature_schemes_, certificate_signature_schemes_chosen_);
  if (!schemes || !certificate_schemes)
    return std::unexpected(std::move(!schemes ? schemes.error() : certificate_schemes.error()));
  config->signature_schemes_ = std::move(*schemes);
  config->certificate_signature_schemes_ = std::move(*certificate_schemes);

  for (const std::string& protocol : alpn_)
    if (protocol.empty() || protocol.size() > 255)
      return std::unexpected(detail::invalid("an application protocol must have 1 to 255 bytes (RFC 7301, 3.1)"));
  if (!alpn_.empty())
    if (auto problem = detail::check_list(alpn_, 32, "application protocol"))
      return std::unexpected(std::move(*problem));
  config->alpn_ = alpn_;

  if (auto problem = detail::check_list(cipher_suites_, 32, "cipher suite"))
    return std::unexpected(std::move(*problem));
  for (const CipherSuite suite : cipher_suites_)
    if (!detail::hash_of_suite(suite))
      return std::unexpected(detail::invalid("an unknown cipher suite"));

  if (require_post_quantum_ && hybrid_ == HybridPolicy::off)
    return std::unexpected(detail::invalid("post-quantum groups are required and switched off"));
  for (const NamedGroup group : groups_) {
    if (!lengths_of(group))
      return std::unexpected(
          detail::invalid("group " + std::to_string(static_cast<unsigned>(group)) + " is not known"));
    if (is_post_quantum(group) ? hybrid_ != HybridPolicy::off : !require_post_quantum_)
      config->groups_.push_back(group);
  }
  if (auto problem = detail::check_list(config->groups_, 16, "group"))
    return std::unexpected(std::move(*problem));
  if (Result<> settled = settle_versions(*config); !settled)
    return std::unexpected(std::move(settled.error()));
  // TLS 1.2 knows elliptic curves only, and no key shares.
  if (!config->offers(ProtocolVersion::tls1_3))
    std::erase_if(config->groups_, is_post_quantum);
  else
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

  if (Result<> settled = settle_schemes(*config); !settled)
    return std::unexpected(std::move(settled.error()));
  if (Result<> settled = settle_trust(*config); !settled)
    return std::unexpected(std::move(settled.error()));

  // A policy that the caller names may be narrowed, not widened.
  if (policy_binds_)
    if (const std::optional<std::string> problem =
            widens(policy_, {.name = {},
                             .versions = config->versions_,
                             .cipher_suites = cipher_suites_,
                             .groups = config->groups_,
                             .signature_schemes = signature_schemes_,
                             .certificate_signature_schemes = certificate_signature_schemes_,
                             .rsa_bits_min = policy_.rsa_bits_min}))
      return std::unexpected(detail::invalid(*problem));
  config->rsa_bits_min_ = hello_template_.rsa_bits_min.value_or(policy_.rsa_bits_min);
  config->verify_again_on_resumption_ = verify_again_on_resumption_;
  config->trust_identity_ = detail::combined_identity(config->verifier_.get(), raw_public_keys_.get(), external_psks_);
  config->session_store_ = session_store_ ? *session_store_ : std::make_shared<MemorySessionStore>();
  // One place is for a session.
  if (external_psks_.size() >= limits::offered_psks)
    return std::unexpected(
        detail::invalid("too many external pre-shared keys, at most " + std::to_string(limits::offered_psks - 1)));
  for (const ExternalPsk& psk : external_psks_)
    if (std::none_of(cipher_suites_.begin(), cipher_suites_.end(),
                     [&](CipherSuite suite) { return detail::hash_of_suite(suite) == psk.hash(); }))
      return std::unexpected(detail::invalid("no cipher suite has the hash of an external pre-shared key"));
  // RFC 9846, 4.2.11: struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } PskIdentity, and a binder with
  // a byte of length for each.
  std::size_t psk_bytes = 0;
  for (const ExternalPsk& psk : external_psks_)
    psk_bytes += 2 + psk.identity().size() + 4 + 1 + hash_length(psk.hash());
  if (psk_bytes > limits::external_psks)
    return std::unexpected(detail::invalid("the external pre-shared keys take " + std::to_string(psk_bytes) +
                                           " bytes of a ClientHello, more than " +
                                           std::to_string(limits::external_psks)));
  config->external_psks_ = external_psks_;
  // RFC 9846, 4.4.2: Extension extensions<0..2^16-1>, each with four bytes in front; an OCSP response with four more.
  for (const Credential& credential : credentials_) {
    const std::size_t ocsp = credential.ocsp_response().empty() ? 0 : 4 + 4 + credential.ocsp_response().size();
    const std::size_t timestamps = credential.sct_list().empty() ? 0 : 4 + credential.sct_list().size();
    if (ocsp + timestamps > 0xFFFF)
      return std::unexpected(detail::invalid("what is stapled to a credential is too long: " +
                                             std::to_string(ocsp + timestamps) + " bytes, at most 65535"));
  }
  config->credentials_ = credentials_;
  config->credential_selector_ = credential_selector_;
  if (!client_certificate_types_.empty())
    if (auto problem = detail::check_list(client_certificate_types_, 2, "client certificate type"))
      return std::unexpected(std::move(*problem));
  config->client_certificate_types_ = client_certificate_types_;
  if (client_certificate_types_.empty())
    for (const Credential& credential : credentials_) {
      const auto type = credential.is_raw_public_key() ? CertificateType::raw_public_key : CertificateType::x509;
      std::vector<CertificateType>& types = config->client_certificate_types_;
      if (std::find(types.begin(), types.end(), type) == types.end())
        types.push_back(type);
    }
  config->credential_required_ = credential_required_;
  config->post_handshake_auth_ = post_handshake_auth_;
  config->signed_certificate_timestamps_ = signed_certificate_timestamps_ || transparency_;
  if (certificate_decompressors_.size() > 16)
    return std::unexpected(detail::invalid("too many certificate decompressors, at most 16"));
  for (auto one = certificate_decompressors_.begin(); one != certificate_decompressors_.end(); ++one)
    if (!*one || std::any_of(certificate_decompressors_.begin(), one,
                             [&](const auto& other) { return other->algorithm() == (*one)->algorithm(); }))
      return std::unexpected(detail::invalid("a certificate decompressor is null, or listed twice"));
  config->certificate_decompressors_ = certificate_decompressors_;
  // RFC 8449, 4.
  if (record_size_limit_ != 0 && (record_size_limit_ < 64 || record_size_limit_ > limits::record_plaintext + 1))
    return std::unexpected(detail::invalid("a record size limit must be 64 to 16385 bytes, or 0 for none"));
  config->record_size_limit_ = record_size_limit_;
  if (record_padding_ > limits::record_plaintext)
    return std::unexpected(detail::invalid("records cannot be padded to more than 16384 bytes"));
  config->record_padding_ = record_padding_;
  config->grease_ = grease_;
  config->permute_extensions_ = permute_extensions_;
  config->key_log_ = key_log_;
  config->compatibility_mode_ = compatibility_mode_;
  config->rng_ = rng_ ? rng_ : system_rng();
  config->clock_ = clock_ ? clock_ : system_clock();
  config->hello_template_ = hello_template_;
  return ConfigPtr(config);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
