// What the server says: its identities, its key share, its keys, and the messages of its honest flight.
#include "scripted_server.hpp"

#include <map>
#include <span>

#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/rng.h>

#include <tlsconnect/crypto/key_exchange.hpp>

#include "signature_padding.hpp"

namespace test {

// ---- identities ----

const Identity& server_root() {
  static const Identity root = self_signed({.common_name = "Test Root", .ca = true});
  return root;
}

const Identity& server_identity(KeyType type) {
  static std::map<KeyType, Identity> made;
  auto found = made.find(type);
  if (found == made.end())
    found = made.emplace(type, server_root().issue({.common_name = "server",
                                                    .key = Key::cached(type),
                                                    .dns = {"server.test"},
                                                    .ip = {"192.0.2.1"}}))
                .first;
  return found->second;
}

namespace {

/// Botan's randomness from the test's.
class BotanRng final : public Botan::RandomNumberGenerator {
public:
  explicit BotanRng(tlsconnect::Rng& rng) : rng_(&rng) {}
  bool is_seeded() const override { return true; }
  bool accepts_input() const override { return false; }
  void clear() override {}
  std::string name() const override { return "test"; }

private:
  void fill_bytes_with_input(std::span<std::uint8_t> output, std::span<const std::uint8_t> /*input*/) override {
    (void)rng_->fill(output);
  }
  tlsconnect::Rng* rng_;
};

struct Hybrid {
  NamedGroup curve;
  Botan::ML_KEM_Mode::Mode mode;
  bool kem_first;
};
std::optional<Hybrid> hybrid_of(NamedGroup group) {
  switch (group) {
  case NamedGroup::x25519_mlkem768:
    return Hybrid{NamedGroup::x25519, Botan::ML_KEM_Mode::ML_KEM_768, true};
  case NamedGroup::secp256r1_mlkem768:
    return Hybrid{NamedGroup::secp256r1, Botan::ML_KEM_Mode::ML_KEM_768, false};
  case NamedGroup::secp384r1_mlkem1024:
    return Hybrid{NamedGroup::secp384r1, Botan::ML_KEM_Mode::ML_KEM_1024, false};
  default:
    return std::nullopt;
  }
}

} // namespace

SignatureScheme usual_scheme(KeyType type) {
  switch (type) {
  case KeyType::p256:
    return SignatureScheme::ecdsa_secp256r1_sha256;
  case KeyType::p384:
    return SignatureScheme::ecdsa_secp384r1_sha384;
  case KeyType::p521:
    return SignatureScheme::ecdsa_secp521r1_sha512;
  case KeyType::rsa1024:
  case KeyType::rsa2048:
  case KeyType::rsa3072:
    return SignatureScheme::rsa_pss_rsae_sha256;
  case KeyType::rsa_pss2048:
  case KeyType::rsa_pss2048_sha256:
    return SignatureScheme::rsa_pss_pss_sha256;
  case KeyType::ed25519:
    return SignatureScheme::ed25519;
  case KeyType::ed448:
    return SignatureScheme::ed448;
  case KeyType::mldsa44:
    return SignatureScheme::mldsa44;
  case KeyType::mldsa65:
    return SignatureScheme::mldsa65;
  case KeyType::mldsa87:
    return SignatureScheme::mldsa87;
  }
  throw std::invalid_argument("test support: key type");
}

std::string padding_for(KeyType type, SignatureScheme scheme) {
  const std::string wanted = botan_padding(scheme);
  switch (type) {
  case KeyType::ed25519:
  case KeyType::ed448:
    return "Pure";
  case KeyType::mldsa44:
  case KeyType::mldsa65:
  case KeyType::mldsa87:
    return "";
  case KeyType::p256:
  case KeyType::p384:
  case KeyType::p521:
    return wanted.starts_with("SHA-") ? wanted : "SHA-256";
  default:
    return wanted.starts_with("PSS") || wanted.starts_with("PKCS1") ? wanted : "PSS(SHA-256,MGF1,32)";
  }
}

// ---- what the server says ----

CipherSuite ScriptedServer::suite() const {
  if (options_.suite)
    return *options_.suite;
  // The first that means anything (RFC 8701).
  const auto& offered = hellos_.front().fields.cipher_suites;
  for (std::size_t i = 0; i < offered.size(); ++i)
    if (tlsconnect::parameters_of(offered[i]))
      return offered[i];
  return offered[0];
}

NamedGroup ScriptedServer::group() const {
  if (options_.group)
    return *options_.group;
  for (const auto& [group, share] : hello().shares)
    if (tlsconnect::lengths_of(group))
      return group;
  return NamedGroup::x25519;
}

tlsconnect::SuiteParameters ScriptedServer::parameters() const {
  const auto found = tlsconnect::parameters_of(suite());
  if (!found)
    throw std::invalid_argument("test support: unknown cipher suite");
  return *found;
}

const Identity& ScriptedServer::identity() const { return options_.identity ? *options_.identity : server_identity(); }

tlsconnect::Digest ScriptedServer::transcript() {
  value_of(transcript_.start(parameters().hash));
  return value_of(transcript_.current());
}

tlsconnect::Digest ScriptedServer::transcript_with(BytesView more) {
  return value_of(transcript_.with(parameters().hash, more));
}

Plan ScriptedServer::honest_plan() {
  Plan plan;
  plan.append(message_step("ServerHello", HandshakeType::server_hello,
                           [](ScriptedServer& server) { return server.draft_hello().body(); }));
  plan.append(action_step("handshake keys", [](ScriptedServer& server) { server.start_handshake_keys(); }));
  plan.append(message_step("EncryptedExtensions", HandshakeType::encrypted_extensions,
                           [](ScriptedServer& server) { return server.draft_encrypted_extensions(); }));
  // RFC 9846, 2.2: a pre-shared key stands for certificates.
  const bool with_certificate = hellos_.empty() || !selected_psk();
  if (with_certificate && options_.request_certificate)
    plan.append(message_step("CertificateRequest", HandshakeType::certificate_request,
                             [](ScriptedServer& server) { return server.draft_certificate_request(); }));
  if (with_certificate) {
    plan.append(message_step("Certificate", HandshakeType::certificate,
                             [](ScriptedServer& server) { return server.draft_certificate(); }));
    plan.append(message_step("CertificateVerify", HandshakeType::certificate_verify,
                             [](ScriptedServer& server) { return server.draft_certificate_verify(); }));
  }
  plan.append(message_step("Finished", HandshakeType::finished,
                           [](ScriptedServer& server) { return server.draft_finished(); }));
  plan.append(action_step("application keys", [](ScriptedServer& server) { server.start_application_keys(); }));
  return plan;
}

Plan ScriptedServer::retry_plan(std::optional<NamedGroup> group, std::optional<ByteVector> cookie) {
  Plan plan;
  plan.append(action_step("fold the first hello", [](ScriptedServer& server) {
    value_of(server.transcript_.start(server.parameters().hash));
    value_of(server.transcript_.fold_first_hello());
  }));
  plan.append(message_step("HelloRetryRequest", HandshakeType::server_hello,
                           [group, cookie = std::move(cookie)](ScriptedServer& server) {
                             return server.draft_retry(group, cookie).body();
                           }));
  return plan;
}

HelloDraft ScriptedServer::draft_hello() {
  make_share();
  HelloDraft draft;
  (void)rng_.fill(draft.random);
  draft.session_id = tlsconnect::to_vector(hello().fields.legacy_session_id);
  draft.suite = suite();
  draft.extensions.emplace();
  set_extension(*draft.extensions, ExtensionType::supported_versions,
                encoded(tlsconnect::SelectedVersion{ProtocolVersion::tls1_3}));
  set_extension(*draft.extensions, ExtensionType::key_share, encoded(tlsconnect::KeyShareEntry{group(), share_}));
  if (const auto selected = selected_psk())
    set_extension(*draft.extensions, ExtensionType::pre_shared_key, encoded(tlsconnect::SelectedIdentity{*selected}));
  return draft;
}

HelloDraft ScriptedServer::draft_retry(std::optional<NamedGroup> asked, const std::optional<ByteVector>& cookie) {
  HelloDraft draft;
  draft.random = tlsconnect::hello_retry_request_random;
  draft.session_id = tlsconnect::to_vector(hello().fields.legacy_session_id);
  draft.suite = suite();
  draft.extensions.emplace();
  set_extension(*draft.extensions, ExtensionType::supported_versions,
                encoded(tlsconnect::SelectedVersion{ProtocolVersion::tls1_3}));
  if (asked)
    set_extension(*draft.extensions, ExtensionType::key_share, encoded(tlsconnect::RetryGroup{*asked}));
  if (cookie)
    set_extension(*draft.extensions, ExtensionType::cookie, encoded(tlsconnect::Cookie{*cookie}));
  return draft;
}

void ScriptedServer::make_share() {
  share_.clear();
  shared_secret_.clear();
  ByteVector client_share;
  for (const auto& [group, share] : hello().shares)
    if (group == this->group())
      client_share = share;
  if (client_share.empty()) {
    // The client did not ask for this group; the handshake can go on in form only.
    share_.assign(32, 9);
    shared_secret_.assign(32, 7);
    return;
  }

  const std::optional<Hybrid> hybrid = hybrid_of(group());
  const NamedGroup curve = hybrid ? hybrid->curve : group();
  const std::size_t curve_share = tlsconnect::lengths_of(curve).value().client_share;
  const BytesView theirs(client_share);
  BytesView curve_part = theirs;
  BytesView kem_part;
  if (hybrid) {
    const std::size_t kem_share = theirs.size() - curve_share;
    curve_part = hybrid->kem_first ? theirs.last(curve_share) : theirs.first(curve_share);
    kem_part = hybrid->kem_first ? theirs.first(kem_share) : theirs.last(kem_share);
  }
  auto key = value_of(tlsconnect::KeyExchange::create(curve, rng_));
  ByteVector share = tlsconnect::to_vector(key.client_share());
  const auto agreed = value_of(std::move(key).agree(curve, curve_part));
  ByteVector secret = tlsconnect::to_vector(agreed.view());
  if (hybrid) {
    BotanRng rng(rng_);
    const Botan::ML_KEM_PublicKey public_key(kem_part, Botan::ML_KEM_Mode(hybrid->mode));
    Botan::PK_KEM_Encryptor encryptor(public_key, "Raw");
    const Botan::KEM_Encapsulation kem = encryptor.encrypt(rng, 32);
    const auto ciphertext = kem.encapsulated_shared_key();
    const auto kem_secret = kem.shared_key();
    share.insert(hybrid->kem_first ? share.begin() : share.end(), ciphertext.begin(), ciphertext.end());
    secret.insert(hybrid->kem_first ? secret.begin() : secret.end(), kem_secret.begin(), kem_secret.end());
  }
  share_ = std::move(share);
  shared_secret_ = std::move(secret);
}

void ScriptedServer::start_handshake_keys() {
  if (shared_secret_.empty())
    make_share();
  const tlsconnect::SuiteParameters suite = parameters();
  const tlsconnect::Digest digest = transcript();
  const auto selected = selected_psk();
  const KnownPsk* psk =
      selected && *selected < hello().psks.size() ? known_psk(hello().psks[*selected].identity) : nullptr;
  auto early = value_of(psk ? tlsconnect::EarlySecret::from_psk(suite.hash, psk->key)
                            : tlsconnect::EarlySecret::without_psk(suite.hash));
  handshake_secret_.emplace(value_of(std::move(early).with_shared_secret(shared_secret_)));
  server_secret_ = value_of(handshake_secret_->server_handshake_traffic_secret(digest));
  client_secret_ = value_of(handshake_secret_->client_handshake_traffic_secret(digest));
  write_.emplace(value_of(tlsconnect::write_protection(suite, server_secret_)));
  read_with(client_secret_);
}

void ScriptedServer::start_application_keys() {
  const tlsconnect::SuiteParameters suite = parameters();
  const tlsconnect::Digest digest = transcript();
  auto main = value_of(std::move(*handshake_secret_).to_main_secret());
  handshake_secret_.reset();
  server_secret_ = value_of(main.server_application_traffic_secret(digest));
  client_application_secret_ = value_of(main.client_application_traffic_secret(digest));
  write_.emplace(value_of(tlsconnect::write_protection(suite, server_secret_)));
  main_secret_.emplace(std::move(main));
}

void ScriptedServer::read_with(const tlsconnect::TrafficSecret& secret) {
  read_.emplace(value_of(tlsconnect::read_protection(parameters(), secret)));
  ++client_key_;
}

ByteVector ScriptedServer::draft_encrypted_extensions() {
  ExtensionList extensions;
  if (options_.acknowledge_server_name)
    set_extension(extensions, ExtensionType::server_name, {});
  if (options_.alpn) {
    tlsconnect::ProtocolNames names;
    (void)names.names.push_back({tlsconnect::as_bytes(*options_.alpn)});
    set_extension(extensions, ExtensionType::application_layer_protocol_negotiation, encoded(names));
  }
  if (accepts_early_data())
    set_extension(extensions, ExtensionType::early_data, {});
  const ByteVector block = block_of(extensions);
  return encoded(tlsconnect::EncryptedExtensions{block});
}

ByteVector ScriptedServer::draft_certificate_request() {
  static constexpr SignatureScheme schemes[] = {SignatureScheme::ecdsa_secp256r1_sha256,
                                                SignatureScheme::rsa_pss_rsae_sha256};
  ExtensionList extensions;
  set_extension(extensions, ExtensionType::signature_algorithms,
                encoded(tlsconnect::SignatureSchemeList{tlsconnect::CodeList<SignatureScheme>(schemes)}));
  const ByteVector block = block_of(extensions);
  return encoded(tlsconnect::CertificateRequest{{}, block});
}

ByteVector ScriptedServer::draft_certificate() {
  CertificateDraft draft;
  for (const Blob& der : identity().chain_der())
    draft.entries.push_back({der, {}});
  return draft.body();
}

ByteVector ScriptedServer::draft_certificate_verify() {
  const SignatureScheme scheme = options_.scheme.value_or(usual_scheme(identity().key().type()));
  const tlsconnect::Digest digest = transcript();
  const ByteVector signature = sign_transcript(scheme, digest.view());
  return encoded(tlsconnect::CertificateVerify{scheme, signature});
}

ByteVector ScriptedServer::sign_transcript(SignatureScheme scheme, BytesView transcript_hash) const {
  ByteVector content(64, 0x20);
  append(content, tlsconnect::as_bytes("TLS 1.3, server CertificateVerify"));
  content.push_back(0);
  append(content, transcript_hash);
  const Key& key = identity().key();
  return key.sign(padding_for(key.type(), scheme), content);
}

ByteVector ScriptedServer::draft_finished() {
  const auto verify_data = value_of(tlsconnect::finished_verify_data(parameters().hash, server_secret_, transcript()));
  return tlsconnect::to_vector(verify_data.view());
}

ByteVector ScriptedServer::draft_ticket() const {
  static constexpr std::uint8_t nonce[] = {1, 2, 3};
  static constexpr std::uint8_t ticket[] = {10, 11, 12, 13};
  return encoded(tlsconnect::NewSessionTicket{7'200, 1, nonce, ticket, {}});
}

} // namespace test
