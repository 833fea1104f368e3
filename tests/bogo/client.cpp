#include "client.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include <tlsconnect/client/policy.hpp>

#include "compression.hpp"

namespace bogo {

using tlsconnect::ClientConfig;
using tlsconnect::ConfigPtr;
using tlsconnect::NamedGroup;
using tlsconnect::Result;
using tlsconnect::ServerName;
using tlsconnect::SignatureScheme;

namespace {

constexpr std::uint16_t tls12 = 0x0303;
constexpr std::uint16_t tls13 = 0x0304;

/// The certificate types of RFC 7250.
constexpr std::uint8_t type_x509 = 0;
constexpr std::uint8_t type_raw_public_key = 2;

/// The groups that the library has.
constexpr std::array known_groups = {
    NamedGroup::x25519_mlkem768, NamedGroup::x25519,   NamedGroup::secp256r1, NamedGroup::secp384r1,
    NamedGroup::secp521r1,       NamedGroup::mlkem512, NamedGroup::mlkem768,  NamedGroup::mlkem1024,
};

/// What the runner takes for the default. Its tests of defaults count on Ed25519 not being among them.
constexpr std::array default_schemes = {
    SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256,
    SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384,
    SignatureScheme::rsa_pss_rsae_sha512,    SignatureScheme::rsa_pkcs1_sha256,
    SignatureScheme::rsa_pkcs1_sha384,       SignatureScheme::rsa_pkcs1_sha512,
};

/// What is left when a test wants no AES.
constexpr std::array chacha20_suites = {
    tlsconnect::CipherSuite::chacha20_poly1305_sha256,
    tlsconnect::CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256,
    tlsconnect::CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256,
};

/// Schemes that the library refuses; a list that names others too does without them. The last is the runner's number for
/// MD5 and SHA-1 side by side, which TLS 1.1 has.
constexpr std::array refused_schemes = {
    SignatureScheme::rsa_pkcs1_sha1,
    SignatureScheme::ecdsa_sha1,
    static_cast<SignatureScheme>(0xff01),
};

template <class List, class Value>
bool contains(const List& list, Value value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

std::unexpected<Refusal> unimplemented(Complaint reason) { return std::unexpected(Refusal{true, std::move(reason)}); }

/// Whether a version of the protocol signs with it.
bool is_known(SignatureScheme scheme) { return tlsconnect::signs_tls13(scheme) || tlsconnect::signs_tls12(scheme); }

/// The schemes of a list that the library has, or the default where it has none of them: the runner's server then uses one
/// of the list all the same, to see it refused.
std::vector<SignatureScheme> schemes_of(std::span<const std::uint16_t> numbers, bool tls12_offered) {
  std::vector<SignatureScheme> schemes;
  for (const std::uint16_t number : numbers)
    schemes.push_back(static_cast<SignatureScheme>(number));
  const auto refused = [&](SignatureScheme scheme) {
    return contains(refused_schemes, scheme) || !(tls12_offered || tlsconnect::signs_tls13(scheme));
  };
  std::erase_if(schemes, refused);
  if (schemes.empty())
    std::ranges::remove_copy_if(default_schemes, std::back_inserter(schemes), refused);
  return schemes;
}

/// The versions that the flags leave, of those that the library has.
std::vector<tlsconnect::ProtocolVersion> versions_of(const ConnectionOptions& options) {
  std::vector<tlsconnect::ProtocolVersion> versions;
  const auto within = [&](std::uint16_t version) {
    return version >= options.min_version && (options.max_version == 0 || version <= options.max_version);
  };
  if (!options.no_tls13 && within(tls13))
    versions.push_back(tlsconnect::ProtocolVersion::tls1_3);
  if (!options.no_tls12 && within(tls12))
    versions.push_back(tlsconnect::ProtocolVersion::tls1_2);
  return versions;
}

std::vector<NamedGroup> groups_of(std::span<const std::uint16_t> numbers) {
  std::vector<NamedGroup> groups;
  for (const std::uint16_t number : numbers)
    groups.push_back(static_cast<NamedGroup>(number));
  return groups;
}

/// The names of a length-prefixed list.
std::vector<std::string> protocols_of(std::string_view wire) {
  std::vector<std::string> names;
  while (!wire.empty()) {
    const auto size = static_cast<std::uint8_t>(wire.front());
    names.emplace_back(wire.substr(1, size));
    wire.remove_prefix(std::min<std::size_t>(wire.size(), 1U + size));
  }
  return names;
}

/// The policy that the flags ask for, if any.
std::optional<tlsconnect::Policy> policy_of(const ConnectionOptions& options) {
  namespace policies = tlsconnect::policies;
  std::optional<tlsconnect::Policy> policy;
  if (options.fips_202205)
    policy = policies::fips_202205();
  else if (options.wpa_202304)
    policy = policies::wpa3_enterprise_202304();
  else if (options.cnsa1_202603)
    policy = policies::cnsa1_202603();
  else if (options.cnsa2_202603)
    policy = policies::cnsa2_202603();
  // The runner's only RSA key has 2048 bits, which the last three are right to refuse; but what it tests are the lists.
  if (policy)
    policy->rsa_bits_min = 2'048;
  return policy;
}

std::expected<void, Refusal> check_schemes(std::span<const std::uint16_t> numbers) {
  for (const std::uint16_t number : numbers)
    if (const auto scheme = static_cast<SignatureScheme>(number);
        !is_known(scheme) && !contains(refused_schemes, scheme))
      return unimplemented("signature scheme " + std::to_string(number));
  return {};
}

} // namespace

std::expected<void, Refusal> check_supported(const ConnectionOptions& options) {
  if ((options.max_version != 0 && options.max_version < tls12) ||
      (options.expect_version != 0 && options.expect_version < tls12))
    return unimplemented("a version below TLS 1.2");
  if (options.min_version > tls13)
    return unimplemented("a version above TLS 1.3");
  for (const std::uint16_t curve : options.curves)
    if (!contains(known_groups, static_cast<NamedGroup>(curve)))
      return unimplemented("group " + std::to_string(curve));
  for (const std::uint16_t curve : options.key_shares.value_or(std::vector<std::uint16_t>()))
    if (!contains(known_groups, static_cast<NamedGroup>(curve)))
      return unimplemented("group " + std::to_string(curve));
  if (const auto known = check_schemes(options.verify_preferences); !known)
    return known;
  if (const auto known = check_schemes(options.plain_credential.signing_preferences); !known)
    return known;
  for (const CredentialOptions& credential : options.credentials)
    if (const auto known = check_schemes(credential.signing_preferences); !known)
      return known;
  return {};
}

Made<ConfigPtr> configure(const ConnectionOptions& options, const Shared& shared, std::shared_ptr<const Judge> judge,
                          Notes& notes) {
  const std::optional<tlsconnect::Policy> policy = policy_of(options);
  ClientConfig::Builder builder = policy ? ClientConfig::builder(*policy) : ClientConfig::builder();
  // What the runner's servers leave out or bind is for its tests to say.
  builder.require_extended_main_secret(false);
  builder.grease(options.enable_grease);
  builder.clock(shared.clock).key_log(notes.key_log);
  if (options.no_ticket)
    builder.session_store(nullptr);
  else
    builder.session_store(shared.sessions);
  builder.verify_again_on_resumption(options.reverify_on_resume);

  Made<std::vector<tlsconnect::ExternalPsk>> psks = make_psks(options, notes);
  if (!psks)
    return std::unexpected(std::move(psks.error()));
  const std::vector<std::uint8_t>& types = options.accepted_peer_cert_types;
  // A client of the runner that has a pre-shared key wants no certificate, unless it says so.
  const bool certificates = !types.empty() || psks->empty() || options.verify_peer;
  if (contains(types, type_x509) || (types.empty() && certificates))
    builder.verifier(certificate_verifier(judge));
  if (contains(types, type_raw_public_key))
    builder.raw_public_keys(raw_public_key_verifier(judge), types.front() == type_raw_public_key);
  builder.external_psks(std::move(*psks));
  Made<std::vector<tlsconnect::Credential>> credentials = make_credentials(options, notes);
  if (!credentials)
    return std::unexpected(std::move(credentials.error()));
  // A client of the runner that has certificates does not do without.
  builder.credential_required(!options.plain_credential.key_file.empty() || !credentials->empty());
  builder.credentials(std::move(*credentials)).credential_selector(make_selector(options, notes));
  std::vector<tlsconnect::CertificateType> client_types;
  for (const std::uint8_t type : options.available_client_cert_types)
    client_types.push_back(static_cast<tlsconnect::CertificateType>(type));
  builder.client_certificate_types(std::move(client_types));

  // A policy comes last, for the runner: it overrides all lists.
  if (!policy) {
    std::vector<tlsconnect::ProtocolVersion> versions = versions_of(options);
    // TLS 1.2 has neither imported keys nor post-quantum groups; without anything else it cannot be offered.
    const std::vector<NamedGroup> groups = groups_of(options.curves);
    if (!certificates || (!groups.empty() && std::ranges::all_of(groups, tlsconnect::is_post_quantum)))
      std::erase(versions, tlsconnect::ProtocolVersion::tls1_2);
    builder.versions(versions);
    const bool tls12_offered = contains(versions, tlsconnect::ProtocolVersion::tls1_2);
    builder.signature_schemes(schemes_of(options.verify_preferences, tls12_offered));
    if (options.without_aes)
      builder.cipher_suites({chacha20_suites.begin(), chacha20_suites.end()});
    if (!groups.empty())
      builder.groups(groups);
    if (options.key_shares)
      builder.key_shares(groups_of(*options.key_shares));
  }
  if (!options.advertise_alpn.empty())
    builder.alpn(protocols_of(options.advertise_alpn));
  builder.status_request(options.enable_ocsp_stapling);
  builder.signed_certificate_timestamps(options.enable_signed_cert_timestamps);
  builder.certificate_decompressors(make_decompressors(options));
  Result<ConfigPtr> config = builder.build();
  if (!config)
    return std::unexpected(config.error().message());
  return std::move(*config);
}

Made<ServerName> server_name(const ConnectionOptions& options) {
  // Without -host-name, the runner expects no name at all. Only an address goes without one.
  Result<ServerName> name = ServerName::parse(options.host_name.empty() ? "127.0.0.1" : options.host_name);
  if (!name)
    return std::unexpected(name.error().message());
  return std::move(*name);
}

} // namespace bogo
