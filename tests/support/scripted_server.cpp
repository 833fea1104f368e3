#include "scripted_server.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/rng.h>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>

namespace test {

using tlsconnect::Result;

// ---- messages ----

ByteVector block_of(const ExtensionList& extensions) {
  ByteVector block;
  tlsconnect::Writer writer(block);
  for (const RawExt& extension : extensions) {
    writer.number(extension.type);
    writer.opaque16(extension.body, 0, 0xFFFF);
  }
  value_of(writer.finish("extensions"));
  return block;
}

ExtensionList split_block(BytesView block) {
  ExtensionList extensions;
  tlsconnect::Reader reader(block);
  while (!reader.empty() && !reader.failed()) {
    ExtensionType type{};
    BytesView body;
    reader.number(type);
    reader.opaque16(body, 0, 0xFFFF);
    extensions.push_back({type, tlsconnect::to_vector(body)});
  }
  value_of(reader.finish("extensions"));
  return extensions;
}

const RawExt* find_extension(const ExtensionList& extensions, ExtensionType type) {
  for (const RawExt& extension : extensions)
    if (extension.type == type)
      return &extension;
  return nullptr;
}

void set_extension(ExtensionList& extensions, ExtensionType type, ByteVector body) {
  for (RawExt& extension : extensions)
    if (extension.type == type) {
      extension.body = std::move(body);
      return;
    }
  extensions.push_back({type, std::move(body)});
}

void drop_extension(ExtensionList& extensions, ExtensionType type) {
  std::erase_if(extensions, [type](const RawExt& extension) { return extension.type == type; });
}

ByteVector framed(HandshakeType type, BytesView body) {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.number(type);
  writer.opaque24(body, 0, 0xFF'FFFF);
  return out;
}

ByteVector record_of(ContentType type, BytesView content, std::uint16_t version) {
  const tlsconnect::RecordHeader header{type, version, static_cast<std::uint16_t>(content.size())};
  const auto head = header.bytes();
  ByteVector record(head.begin(), head.end());
  record.insert(record.end(), content.begin(), content.end());
  return record;
}

ByteVector HelloDraft::body() const {
  ByteVector block;
  tlsconnect::ServerHello hello;
  hello.legacy_version = legacy_version;
  hello.random = random;
  hello.cipher_suite = suite;
  hello.legacy_compression_method = compression;
  if (extensions) {
    block = block_of(*extensions);
    hello.extensions = block;
  }
  // By hand where the declaration would refuse what a test wants: session ids of any length.
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.number(hello.legacy_version);
  writer.fixed(hello.random);
  writer.opaque8(session_id, 0, 0xFF);
  writer.number(hello.cipher_suite);
  writer.number(hello.legacy_compression_method);
  writer.optional16(hello.extensions);
  value_of(writer.finish("ServerHello"));
  return out;
}

HelloDraft HelloDraft::of(BytesView body) {
  const auto hello = value_of(tlsconnect::decode<tlsconnect::ServerHello>(body));
  HelloDraft draft;
  draft.legacy_version = hello.legacy_version;
  draft.random = hello.random;
  draft.session_id = tlsconnect::to_vector(hello.legacy_session_id_echo);
  draft.suite = hello.cipher_suite;
  draft.compression = hello.legacy_compression_method;
  if (hello.extensions)
    draft.extensions = split_block(*hello.extensions);
  return draft;
}

ByteVector TicketDraft::body() const {
  ExtensionList extensions;
  if (max_early_data)
    set_extension(extensions, ExtensionType::early_data, encoded(tlsconnect::EarlyDataLimit{*max_early_data}));
  const ByteVector block = block_of(extensions);
  return encoded(tlsconnect::NewSessionTicket{lifetime, age_add, nonce, ticket, block});
}

ByteVector CertificateDraft::body() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.opaque8(context, 0, 0xFF);
  writer.prefixed(3, [&] {
    for (const Entry& entry : entries) {
      writer.opaque24(entry.der, 0, 0xFF'FFFF);
      writer.opaque16(block_of(entry.extensions), 0, 0xFFFF);
    }
  });
  value_of(writer.finish("Certificate"));
  return out;
}

CertificateDraft CertificateDraft::of(BytesView body) {
  const auto message = value_of(tlsconnect::decode<tlsconnect::CertificateMessage>(body));
  CertificateDraft draft;
  draft.context = tlsconnect::to_vector(message.certificate_request_context);
  for (const tlsconnect::CertificateEntry& entry : message.certificate_list)
    draft.entries.push_back({tlsconnect::to_vector(entry.cert_data), split_block(entry.extensions)});
  return draft;
}

// ---- steps and plans ----

Step message_step(std::string name, HandshakeType type, std::function<ByteVector(ScriptedServer&)> body) {
  Step step;
  step.name = std::move(name);
  step.type = type;
  step.body = std::move(body);
  return step;
}
Step message_step(std::string name, HandshakeType type, ByteVector body) {
  return message_step(std::move(name), type,
                      std::function<ByteVector(ScriptedServer&)>([body = std::move(body)](ScriptedServer&) { return body; }));
}
Step action_step(std::string name, std::function<void(ScriptedServer&)> action) {
  Step step;
  step.name = std::move(name);
  step.action = std::move(action);
  return step;
}

Step& Step::edit(std::function<void(ByteVector&)> change) {
  body = [before = std::move(body), change = std::move(change)](ScriptedServer& server) {
    ByteVector bytes = before(server);
    change(bytes);
    return bytes;
  };
  return *this;
}

Step& Step::replace(ByteVector bytes) {
  body = [bytes = std::move(bytes)](ScriptedServer&) { return bytes; };
  return *this;
}

Step& Step::edit_hello(std::function<void(HelloDraft&)> change) {
  return edit([change = std::move(change)](ByteVector& bytes) {
    HelloDraft draft = HelloDraft::of(bytes);
    change(draft);
    bytes = draft.body();
  });
}

Step& Step::edit_certificate(std::function<void(CertificateDraft&)> change) {
  return edit([change = std::move(change)](ByteVector& bytes) {
    CertificateDraft draft = CertificateDraft::of(bytes);
    change(draft);
    bytes = draft.body();
  });
}

namespace {

/// Changes the extensions of any message that has some.
void edit_extensions(HandshakeType type, ByteVector& bytes, const std::function<void(ExtensionList&)>& change) {
  if (type == HandshakeType::server_hello) {
    HelloDraft draft = HelloDraft::of(bytes);
    ExtensionList extensions = draft.extensions.value_or(ExtensionList());
    change(extensions);
    draft.extensions = std::move(extensions);
    bytes = draft.body();
  } else if (type == HandshakeType::certificate) {
    CertificateDraft draft = CertificateDraft::of(bytes);
    change(draft.entries.at(0).extensions);
    bytes = draft.body();
  } else {
    // EncryptedExtensions, CertificateRequest and NewSessionTicket end with their block.
    const std::size_t fixed = type == HandshakeType::encrypted_extensions  ? 0
                              : type == HandshakeType::certificate_request ? 1 + std::size_t{bytes.at(0)}
                                                                           : 0;
    std::size_t start = fixed;
    if (type == HandshakeType::new_session_ticket) {
      const auto ticket = value_of(tlsconnect::decode<tlsconnect::NewSessionTicket>(bytes));
      start = bytes.size() - ticket.extensions.size() - 2;
    }
    ExtensionList extensions = split_block(BytesView(bytes).subspan(start + 2));
    change(extensions);
    bytes.resize(start);
    tlsconnect::Writer writer(bytes);
    writer.opaque16(block_of(extensions), 0, 0xFFFF);
    value_of(writer.finish("extensions"));
  }
}

} // namespace

Step& Step::with_extension(ExtensionType extension, ByteVector extension_body) {
  return edit([type = type, extension, extension_body = std::move(extension_body)](ByteVector& bytes) {
    edit_extensions(type, bytes, [&](ExtensionList& list) { set_extension(list, extension, extension_body); });
  });
}

Step& Step::without_extension(ExtensionType extension) {
  return edit([type = type, extension](ByteVector& bytes) {
    edit_extensions(type, bytes, [&](ExtensionList& list) { drop_extension(list, extension); });
  });
}

std::vector<Step>::iterator Plan::at(std::string_view name) {
  const auto step = std::find_if(steps_.begin(), steps_.end(), [name](const Step& s) { return s.name == name; });
  if (step == steps_.end())
    throw std::invalid_argument("test support: no step named " + std::string(name));
  return step;
}
Step& Plan::operator[](std::string_view name) { return *at(name); }
bool Plan::has(std::string_view name) const {
  return std::any_of(steps_.begin(), steps_.end(), [name](const Step& step) { return step.name == name; });
}
Plan& Plan::drop(std::string_view name) {
  steps_.erase(at(name));
  return *this;
}
Plan& Plan::before(std::string_view name, Step step) {
  steps_.insert(at(name), std::move(step));
  return *this;
}
Plan& Plan::after(std::string_view name, Step step) {
  steps_.insert(at(name) + 1, std::move(step));
  return *this;
}
Plan& Plan::append(Step step) {
  steps_.push_back(std::move(step));
  return *this;
}
Plan& Plan::repeat(std::string_view name) {
  Step copy = *at(name);
  return after(name, std::move(copy));
}
Plan& Plan::swap(std::string_view a, std::string_view b) {
  std::iter_swap(at(a), at(b));
  return *this;
}

// ---- identities ----

const Identity& server_root() {
  static const Identity root = self_signed({.common_name = "Test Root", .ca = true});
  return root;
}

const Identity& server_identity(KeyType type) {
  static std::map<KeyType, Identity> made;
  auto found = made.find(type);
  if (found == made.end())
    found = made
                .emplace(type, server_root().issue({.common_name = "server",
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

void append(ByteVector& to, BytesView from) { to.insert(to.end(), from.begin(), from.end()); }

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
  }
  throw std::invalid_argument("test support: key type");
}

/// Botan's name for signing with this key under this scheme; where they do not fit each other, something that the key
/// can do.
std::string padding_for(KeyType type, SignatureScheme scheme) {
  switch (type) {
  case KeyType::ed25519:
  case KeyType::ed448:
    return "Pure";
  case KeyType::p256:
  case KeyType::p384:
  case KeyType::p521:
    return scheme == SignatureScheme::ecdsa_secp384r1_sha384   ? "SHA-384"
           : scheme == SignatureScheme::ecdsa_secp521r1_sha512 ? "SHA-512"
           : scheme == SignatureScheme::ecdsa_sha1             ? "SHA-1"
                                                               : "SHA-256";
  default:
    break;
  }
  switch (scheme) {
  case SignatureScheme::rsa_pkcs1_sha256:
    return "PKCS1v15(SHA-256)";
  case SignatureScheme::rsa_pkcs1_sha384:
    return "PKCS1v15(SHA-384)";
  case SignatureScheme::rsa_pkcs1_sha512:
    return "PKCS1v15(SHA-512)";
  case SignatureScheme::rsa_pkcs1_sha1:
    return "PKCS1v15(SHA-1)";
  case SignatureScheme::rsa_pss_rsae_sha384:
  case SignatureScheme::rsa_pss_pss_sha384:
    return "PSS(SHA-384,MGF1,48)";
  case SignatureScheme::rsa_pss_rsae_sha512:
  case SignatureScheme::rsa_pss_pss_sha512:
    return "PSS(SHA-512,MGF1,64)";
  default:
    return "PSS(SHA-256,MGF1,32)";
  }
}

} // namespace

// ---- the server: receiving ----

ScriptedServer::ScriptedServer(ServerOptions options) : options_(std::move(options)), rng_(options_.seed) {}

void ScriptedServer::feed(BytesView bytes) {
  append(input_, bytes);
  std::size_t used = 0;
  while (input_.size() - used >= tlsconnect::RecordHeader::size) {
    const Bytes rest = Bytes(input_).subspan(used);
    const auto header = tlsconnect::RecordHeader::parse(rest.first<tlsconnect::RecordHeader::size>());
    const std::size_t size = tlsconnect::RecordHeader::size + header.length;
    if (rest.size() < size)
      break;
    take_record(header, rest.first(size));
    used += size;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
}

void ScriptedServer::take_record(const tlsconnect::RecordHeader& header, Bytes record) {
  SeenRecord seen;
  seen.outer = header.type;
  seen.version = header.legacy_version;
  seen.type = header.type;
  Bytes content = record.subspan(tlsconnect::RecordHeader::size);
  if (header.type == ContentType::application_data && open_early(record)) {
    seen.early = true;
  } else if (header.type == ContentType::application_data) {
    if (!read_ && options_.pass_over_unreadable)
      return;
    if (!read_)
      throw std::runtime_error("test support: the client sent a sealed record without keys");
    const Bytes text = content.first(content.size() - tlsconnect::aead_tag_length);
    const Result<> opened =
        read_->open(record.first(tlsconnect::RecordHeader::size), text, content.last(tlsconnect::aead_tag_length));
    if (!opened && options_.pass_over_unreadable)
      return;
    value_of(opened);
    read_early_.reset(); // the client does not go back
    seen.key = client_key_;
  }
  if (header.type == ContentType::application_data) {
    const Bytes text = content.first(content.size() - tlsconnect::aead_tag_length);
    std::size_t size = text.size();
    while (size > 0 && text[size - 1] == 0)
      --size;
    seen.sealed = true;
    seen.inner = text.size();
    seen.type = static_cast<ContentType>(text[size - 1]);
    content = text.first(size - 1);
  }
  seen.content = tlsconnect::to_vector(content);
  records_.push_back(seen);

  switch (seen.type) {
  case ContentType::handshake:
    return take_handshake(seen.content);
  case ContentType::alert:
    if (seen.content.size() != 2)
      throw std::runtime_error("test support: the client's alert is malformed");
    alerts_.push_back({seen.content[0], static_cast<AlertDescription>(seen.content[1]), seen.sealed});
    return;
  case ContentType::application_data:
    return append(seen.early ? early_received_ : received_, seen.content);
  case ContentType::change_cipher_spec:
    if (seen.sealed || seen.content != ByteVector{1})
      throw std::runtime_error("test support: the client's change_cipher_spec is wrong");
    return;
  case ContentType::invalid:
    break;
  }
  throw std::runtime_error("test support: the client sent a record of an unknown type");
}

void ScriptedServer::take_handshake(BytesView content) {
  append(handshake_input_, content);
  while (handshake_input_.size() >= 4) {
    const std::size_t size =
        4 + static_cast<std::size_t>((handshake_input_[1] << 16) | (handshake_input_[2] << 8) | handshake_input_[3]);
    if (handshake_input_.size() < size)
      return;
    const ByteVector message(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    handshake_input_.erase(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    take_message(static_cast<HandshakeType>(message[0]), message);
  }
}

void ScriptedServer::take_message(HandshakeType type, BytesView whole) {
  const BytesView body = whole.subspan(4);
  if (type == HandshakeType::client_hello) {
    SeenHello seen;
    seen.message = tlsconnect::to_vector(whole);
    seen.fields = value_of(tlsconnect::decode<tlsconnect::ClientHello>(BytesView(seen.message).subspan(4)));
    seen.extensions = split_block(seen.fields.extensions);
    if (const RawExt* shares = find_extension(seen.extensions, ExtensionType::key_share)) {
      const auto decoded = value_of(tlsconnect::decode<tlsconnect::OfferedKeyShares>(shares->body));
      for (const tlsconnect::KeyShareEntry& entry : decoded.client_shares)
        seen.shares.emplace_back(entry.group, tlsconnect::to_vector(entry.key_exchange));
    }
    take_psks(seen, whole);
    hellos_.push_back(std::move(seen));
    value_of(transcript_.add(whole));
    return;
  }

  messages_.push_back({type, tlsconnect::to_vector(body), tlsconnect::to_vector(transcript().view())});
  // RFC 9846, 4.5: EndOfEarlyData is the last message under the early key, and comes if early data was accepted.
  if (type == HandshakeType::end_of_early_data) {
    if (!body.empty() || !records_.back().early || !accepts_early_data())
      throw std::runtime_error("test support: the client's EndOfEarlyData is wrong");
    early_data_ended_ = true;
    read_early_.reset();
  } else if (type != HandshakeType::key_update && early_data_ended_ != accepts_early_data()) {
    throw std::runtime_error("test support: the client's EndOfEarlyData is missing");
  }
  if (type == HandshakeType::key_update) {
    client_application_secret_ = value_of(tlsconnect::next_generation(parameters().hash, client_application_secret_));
    read_with(client_application_secret_);
    return;
  }
  if (client_finished_)
    return; // an answer to a late CertificateRequest, which is for the test to judge
  if (type == HandshakeType::finished) {
    const auto expected =
        value_of(tlsconnect::finished_verify_data(parameters().hash, client_secret_, transcript()));
    if (!tlsconnect::equal(body, expected.view()))
      throw std::runtime_error("test support: the client's Finished is wrong");
    client_finished_ = true;
    read_with(client_application_secret_);
  }
  value_of(transcript_.add(whole));
  if (type == HandshakeType::finished && main_secret_)
    resumption_secret_.emplace(value_of(main_secret_->resumption_secret(transcript())));
}

// ---- pre-shared keys and early data ----

const KnownPsk* ScriptedServer::known_psk(BytesView identity) const {
  for (const KnownPsk& psk : options_.psks)
    if (tlsconnect::equal(psk.identity, identity))
      return &psk;
  return nullptr;
}

void ScriptedServer::take_psks(SeenHello& hello, BytesView whole) {
  read_early_.reset();
  const RawExt* offer = find_extension(hello.extensions, ExtensionType::pre_shared_key);
  const bool early_data = find_extension(hello.extensions, ExtensionType::early_data) != nullptr;
  if (!offer) {
    if (early_data)
      throw std::runtime_error("test support: early data without a pre-shared key");
    return;
  }
  // RFC 9846, 4.2.11 and 4.2.9: the last extension, and not without the modes.
  if (offer != &hello.extensions.back() || !find_extension(hello.extensions, ExtensionType::psk_key_exchange_modes))
    throw std::runtime_error("test support: pre_shared_key is not in its place");
  const auto offered = value_of(tlsconnect::decode<tlsconnect::OfferedPsks>(offer->body));
  if (offered.identities.size() != offered.binders.size())
    throw std::runtime_error("test support: not one binder for each identity");
  std::size_t binders = 2;
  for (const auto& binder : offered.binders)
    binders += 1 + binder.value.size();
  for (std::size_t i = 0; i < offered.identities.size(); ++i) {
    const auto& identity = offered.identities[i];
    hello.psks.push_back({tlsconnect::to_vector(identity.identity), identity.obfuscated_ticket_age,
                          tlsconnect::to_vector(offered.binders[i].value)});
    const KnownPsk* known = known_psk(identity.identity);
    if (!known)
      continue;
    const tlsconnect::SuiteParameters suite = tlsconnect::parameters_of(known->suite).value();
    const auto early = value_of(tlsconnect::EarlySecret::from_psk(suite.hash, known->key));
    const auto truncated = value_of(transcript_.with(suite.hash, whole.first(whole.size() - binders)));
    if (!tlsconnect::equal(value_of(early.binder(known->origin, truncated)).view(), offered.binders[i].value))
      throw std::runtime_error("test support: a binder of the client is wrong");
    if (i == 0 && early_data)
      read_early_.emplace(value_of(tlsconnect::read_protection(
          suite, value_of(early.client_early_traffic_secret(value_of(transcript_.with(suite.hash, whole)))))));
  }
}

bool ScriptedServer::open_early(Bytes record) {
  constexpr std::size_t around = tlsconnect::RecordHeader::size + tlsconnect::aead_tag_length;
  if (!read_early_ || record.size() <= around)
    return false;
  ByteVector copy = tlsconnect::to_vector(record); // what cannot be opened may be spoiled by trying
  const Bytes bytes(copy);
  if (!read_early_->open(bytes.first(tlsconnect::RecordHeader::size),
                         bytes.subspan(tlsconnect::RecordHeader::size, copy.size() - around),
                         bytes.last(tlsconnect::aead_tag_length)))
    return false;
  tlsconnect::copy_bytes(bytes, record);
  return true;
}

std::optional<std::uint16_t> ScriptedServer::selected_psk() const {
  if (options_.decline_psks)
    return std::nullopt;
  if (options_.psk_number)
    return options_.psk_number;
  for (std::size_t i = 0; i < hello().psks.size(); ++i)
    if (const KnownPsk* known = known_psk(hello().psks[i].identity);
        known && tlsconnect::parameters_of(known->suite).value().hash == parameters().hash)
      return static_cast<std::uint16_t>(i);
  return std::nullopt;
}

bool ScriptedServer::accepts_early_data() const {
  return options_.accept_early_data && selected_psk() == 0 &&
         find_extension(hello().extensions, ExtensionType::early_data) != nullptr;
}

ByteVector ScriptedServer::early_exporter(const KnownPsk& psk, std::string_view label, BytesView context,
                                          std::size_t length) const {
  const tlsconnect::HashAlgorithm hash = tlsconnect::parameters_of(psk.suite).value().hash;
  const auto early = value_of(tlsconnect::EarlySecret::from_psk(hash, psk.key));
  const auto digest = value_of(tlsconnect::hash_of(hash, hello().message));
  const auto secret = value_of(early.early_exporter_secret(digest));
  ByteVector out(length);
  value_of(tlsconnect::export_keying_material(hash, secret, label, context, out));
  return out;
}

KnownPsk ScriptedServer::issue_ticket(const TicketDraft& draft) {
  KnownPsk psk{draft.ticket, ByteVector(tlsconnect::hash_length(parameters().hash)), suite()};
  value_of(tlsconnect::ticket_psk(parameters().hash, resumption_secret_.value(), draft.nonce, psk.key));
  send(HandshakeType::new_session_ticket, draft.body());
  return psk;
}

// ---- the server: sending ----

void ScriptedServer::run(const Plan& plan) {
  for (const Step& step : plan.steps()) {
    if (step.action) {
      step.action(*this);
      continue;
    }
    const ByteVector message = framed(step.type, step.body(*this));
    if (step.in_transcript)
      value_of(transcript_.add(message));
    append(pending_, message);
    if (!step.joined)
      flush(step.fragment, step.padding);
  }
  flush(16'384, 0);
}

void ScriptedServer::flush(std::size_t fragment, std::size_t padding) {
  const ByteVector pending = std::exchange(pending_, {});
  for (BytesView rest = pending; !rest.empty();) {
    const std::size_t count = std::min(fragment, rest.size());
    send_record(ContentType::handshake, rest.first(count), padding);
    rest = rest.subspan(count);
  }
}

void ScriptedServer::send(HandshakeType type, BytesView body, std::size_t fragment) {
  append(pending_, framed(type, body));
  flush(fragment, 0);
}

void ScriptedServer::send_record(ContentType type, BytesView content, std::size_t padding) {
  if (!write_)
    return send_clear(type, content);
  ByteVector inner = tlsconnect::to_vector(content);
  inner.push_back(static_cast<std::uint8_t>(type));
  inner.resize(inner.size() + padding);
  send_inner(inner);
}

void ScriptedServer::send_inner(BytesView inner) {
  if (!write_)
    throw std::logic_error("test support: no keys to seal with");
  ByteVector record = record_of(ContentType::application_data, inner);
  record.resize(record.size() + tlsconnect::aead_tag_length);
  const std::size_t length = inner.size() + tlsconnect::aead_tag_length;
  record[3] = static_cast<std::uint8_t>(length >> 8);
  record[4] = static_cast<std::uint8_t>(length);
  const Bytes bytes(record);
  value_of(write_->seal(bytes.first(tlsconnect::RecordHeader::size),
                        bytes.subspan(tlsconnect::RecordHeader::size, inner.size()),
                        bytes.last(tlsconnect::aead_tag_length)));
  append(output_, record);
}

void ScriptedServer::send_clear(ContentType type, BytesView content, std::uint16_t version) {
  append(output_, record_of(type, content, version));
}

void ScriptedServer::send_raw(BytesView bytes) { append(output_, bytes); }

void ScriptedServer::send_data(std::string_view text) {
  send_record(ContentType::application_data, tlsconnect::as_bytes(text));
}

void ScriptedServer::send_alert(AlertDescription description, std::uint8_t level) {
  const std::array<std::uint8_t, 2> content{level, static_cast<std::uint8_t>(description)};
  send_record(ContentType::alert, content);
}

void ScriptedServer::send_key_update(std::uint8_t request) {
  send(HandshakeType::key_update, std::array<std::uint8_t, 1>{request});
  advance_write_key();
}

void ScriptedServer::send_ticket() { send(HandshakeType::new_session_ticket, draft_ticket()); }

void ScriptedServer::send_change_cipher_spec() {
  send_clear(ContentType::change_cipher_spec, std::array<std::uint8_t, 1>{1});
}

void ScriptedServer::advance_write_key() {
  server_secret_ = value_of(tlsconnect::next_generation(parameters().hash, server_secret_));
  write_.emplace(value_of(tlsconnect::write_protection(parameters(), server_secret_)));
}

void ScriptedServer::break_write_key() {
  server_secret_.bytes()[0] ^= 1U;
  write_.emplace(value_of(tlsconnect::write_protection(parameters(), server_secret_)));
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

const Identity& ScriptedServer::identity() const {
  return options_.identity ? *options_.identity : server_identity();
}

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
  set_extension(*draft.extensions, ExtensionType::key_share,
                encoded(tlsconnect::KeyShareEntry{group(), share_}));
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

// ---- conversations ----

tlsconnect::ConfigPtr make_config(const TalkOptions& options) {
  auto builder = tlsconnect::ClientConfig::builder();
  builder.rng(std::make_shared<FixedRng>(options.seed))
      .clock(std::make_shared<FixedClock>(FixedClock::from_seconds(now)));
  if (options.quick) {
    builder.verifier(std::make_shared<tlsconnect::DangerousNoVerification>());
    builder.groups({NamedGroup::x25519});
  } else {
    builder.trust(value_of(tlsconnect::TrustAnchors::from_pem(server_root().pem())));
  }
  if (options.configure)
    options.configure(builder);
  return value_of(builder.build());
}

Talk::Talk(TalkOptions options)
    : server(options.server),
      client(options.config ? options.config : make_config(options),
             value_of(tlsconnect::ServerName::parse(options.name)),
             options.early_data.empty() && !options.early_data_later
                 ? tlsconnect::ReplaySafe()
                 : tlsconnect::replay_safe(tlsconnect::as_bytes(options.early_data))) {
  to_server();
  plan = server.honest_plan();
}

void Talk::to_server() {
  for (BytesView out = client.pending_output(); !out.empty(); out = client.pending_output()) {
    const std::size_t count = out.size();
    server.feed(out);
    client.sent(count);
  }
}

void Talk::to_client() { deliver(server.take_output()); }

void Talk::deliver(BytesView bytes) {
  const auto drain = [this] {
    for (BytesView data = client.plaintext(); !data.empty(); data = client.plaintext()) {
      const std::size_t count = data.size();
      append(received, data);
      client.consume(count);
    }
  };
  while (!bytes.empty()) {
    drain();
    const Bytes room = client.receive_buffer();
    const std::size_t count = std::min({room.size(), bytes.size(), chunk});
    if (count == 0)
      return; // the client wants nothing more
    tlsconnect::copy_bytes(bytes.first(count), room);
    (void)client.received(count);
    bytes = bytes.subspan(count);
  }
  drain();
}

void Talk::exchange() {
  to_server();
  for (ByteVector out = server.take_output(); !out.empty(); out = server.take_output()) {
    deliver(out);
    to_server();
  }
}

void Talk::retry(std::optional<NamedGroup> group, std::optional<ByteVector> cookie) {
  retry(server.retry_plan(group, std::move(cookie)));
}

void Talk::retry(const Plan& retry_plan) {
  server.run(retry_plan);
  exchange();
}

void Talk::handshake() {
  server.run(plan);
  exchange();
}

Outcome Talk::outcome() const {
  Outcome outcome;
  if (client.failure())
    outcome.error = client.failure()->code();
  outcome.alerts = server.alerts().size();
  for (const SeenAlert& alert : server.alerts())
    if (alert.level == 2 && !outcome.alert)
      outcome.alert = alert.description;
  outcome.complete = client.handshake_complete() && server.client_finished();
  return outcome;
}

} // namespace test
