// The machine of TLS 1.2: every message in every state, and its part of the diagram in docs/state-machine.md. As in
// state_table.cpp, each state is reached with honest messages; what they lead to is observed, not declared.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/random.hpp>
#include <tlsconnect/handshake/client12.hpp>

#include "state_checks.hpp"

using namespace test;
using tlsconnect::Client12;
using tlsconnect::HashAlgorithm;
using tlsconnect::Negotiate;
using tlsconnect::Result;
using tlsconnect::StateRow;

namespace {

/// What the caller has kept for itself.
enum class Caller { nothing, verdict, signature };

/// What the two sides agree on, as far as it decides the order of the messages.
struct Terms {
  CipherSuite suite = CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256;
  bool status = false;
  bool ticket = false;
  bool resumed = false;
  Caller caller = Caller::nothing;
};

constexpr std::string_view psk_identity = "client";
const ByteVector psk_key(32, 0x5A);

Identity server_identity() {
  static const Identity identity = self_signed({.common_name = "server", .dns = {"server.test"}});
  return identity;
}

/// An honest server of TLS 1.2, message by message. All suites that it is used with have SHA-256.
class Peer {
public:
  explicit Peer(Terms terms) : terms_(terms) {}

  /// What the client has sent.
  void feed(BytesView bytes) {
    while (!bytes.empty()) {
      const auto header = tlsconnect::RecordHeader::parse(bytes.first<5>());
      ByteVector content = tlsconnect::to_vector(bytes.subspan(5, header.length));
      bytes = bytes.subspan(std::size_t{5} + header.length);
      if (header.type == ContentType::change_cipher_spec) {
        reading_.emplace(
            value_of(tlsconnect::read_protection12(aead(), keys_->client_key.view(), keys_->client_iv.view())));
      } else if (reading_) {
        on_messages(value_of(reading_->open(header.type, content)));
      } else {
        on_messages(content);
      }
    }
  }
  /// The body of an honest message; it goes into the transcript with sent().
  ByteVector body(std::string_view name) {
    if (name == "ServerHello")
      return server_hello();
    if (name == "Certificate") {
      tlsconnect::CertificateMessage12 message;
      const Blob& der = server_identity().der();
      (void)message.certificate_list.push_back({der});
      return encoded(message);
    }
    if (name == "CertificateStatus") {
      const ByteVector response{0x30, 0x03, 0x0A, 0x01, 0x03};
      return encoded(tlsconnect::CertificateStatusMessage{{1, response}});
    }
    if (name == "ServerKeyExchange")
      return server_key_exchange();
    if (name == "CertificateRequest") {
      const ByteVector types{1, 64};
      const std::vector<SignatureScheme> schemes{SignatureScheme::ecdsa_secp256r1_sha256};
      return encoded(tlsconnect::CertificateRequest12{types, tlsconnect::CodeList<SignatureScheme>(schemes), {}});
    }
    if (name == "NewSessionTicket") {
      const ByteVector ticket(100, 0x77);
      return encoded(tlsconnect::NewSessionTicket12{3600, ticket});
    }
    if (name == "Finished") {
      const auto main = value_of(tlsconnect::MainSecret12::of_session(HashAlgorithm::sha256, main_));
      const auto verify_data = value_of(main.server_finished(transcript()));
      return {verify_data.begin(), verify_data.end()};
    }
    return {}; // ServerHelloDone, HelloRequest
  }
  void sent(HandshakeType type, BytesView body) {
    const ByteVector bytes = framed(type, body);
    messages_.insert(messages_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] const ByteVector& main() const { return main_; }
  void resume(ByteVector main) { main_ = std::move(main); }

private:
  [[nodiscard]] tlsconnect::AeadAlgorithm aead() const { return tlsconnect::parameters12_of(terms_.suite)->aead; }
  [[nodiscard]] tlsconnect::Digest transcript() const {
    return value_of(tlsconnect::hash_of(HashAlgorithm::sha256, messages_));
  }
  void on_messages(BytesView bytes) {
    while (!bytes.empty()) {
      const std::size_t size = 4 + static_cast<std::size_t>((bytes[1] << 16) | (bytes[2] << 8) | bytes[3]);
      const BytesView message = bytes.first(size);
      bytes = bytes.subspan(size);
      messages_.insert(messages_.end(), message.begin(), message.end());
      const BytesView body = message.subspan(4);
      if (static_cast<HandshakeType>(message[0]) == HandshakeType::client_hello) {
        const auto hello = value_of(tlsconnect::decode<tlsconnect::ClientHello>(body));
        randoms_.client = hello.random;
        session_id_ = tlsconnect::to_vector(hello.legacy_session_id);
      } else if (static_cast<HandshakeType>(message[0]) == HandshakeType::client_key_exchange) {
        on_key_exchange(body);
      }
    }
  }
  void on_key_exchange(BytesView body) {
    tlsconnect::PremasterSecret premaster;
    if (terms_.suite == CipherSuite::psk_aes_128_gcm_sha256) {
      premaster = tlsconnect::psk_premaster_secret(psk_key, {});
    } else if (terms_.suite == CipherSuite::ecdhe_psk_aes_128_gcm_sha256) {
      const auto point = value_of(tlsconnect::decode<tlsconnect::ClientKeyExchangeEcdhePsk>(body)).point;
      const auto shared = value_of(std::move(*key_).agree(NamedGroup::x25519, point));
      premaster = tlsconnect::psk_premaster_secret(psk_key, shared.view());
    } else {
      const auto point = value_of(tlsconnect::decode<tlsconnect::ClientKeyExchangeEcdhe>(body)).point;
      premaster = tlsconnect::PremasterSecret(value_of(std::move(*key_).agree(NamedGroup::x25519, point)).view());
    }
    const auto main = value_of(tlsconnect::MainSecret12::extended(HashAlgorithm::sha256, premaster, transcript()));
    main_ = tlsconnect::to_vector(main.view());
    make_keys();
  }
  void make_keys() {
    keys_ = value_of(tlsconnect::KeyBlock12::derive(*tlsconnect::parameters12_of(terms_.suite), main_, randoms_));
  }
  ByteVector server_hello() {
    randoms_.server.fill(0x42);
    HelloDraft hello;
    hello.random = randoms_.server;
    hello.suite = terms_.suite;
    if (terms_.resumed) {
      hello.session_id = session_id_;
      make_keys();
    }
    ExtensionList extensions{{ExtensionType::extended_main_secret, {}}, {ExtensionType::renegotiation_info, {0}}};
    if (terms_.ticket)
      extensions.push_back({ExtensionType::session_ticket, {}});
    if (terms_.status)
      extensions.push_back({ExtensionType::status_request, {}});
    hello.extensions = extensions;
    return hello.body();
  }
  ByteVector server_key_exchange() {
    if (terms_.suite == CipherSuite::psk_aes_128_gcm_sha256)
      return encoded(tlsconnect::ServerKeyExchangePsk{tlsconnect::as_bytes("a hint")});
    key_.emplace(value_of(tlsconnect::KeyExchange::create(NamedGroup::x25519, *tlsconnect::system_rng())));
    const tlsconnect::ServerEcdhParameters parameters{.group = NamedGroup::x25519, .point = key_->client_share()};
    if (terms_.suite == CipherSuite::ecdhe_psk_aes_128_gcm_sha256)
      return encoded(tlsconnect::ServerKeyExchangeEcdhePsk{{}, parameters});
    ByteVector content(randoms_.client.begin(), randoms_.client.end());
    content.insert(content.end(), randoms_.server.begin(), randoms_.server.end());
    const ByteVector written = encoded_parameters(parameters);
    content.insert(content.end(), written.begin(), written.end());
    const Blob signature = server_identity().key().sign("SHA-256", content);
    return encoded(tlsconnect::ServerKeyExchangeEcdhe{parameters, SignatureScheme::ecdsa_secp256r1_sha256, signature});
  }
  static ByteVector encoded_parameters(const tlsconnect::ServerEcdhParameters& parameters) {
    ByteVector out;
    tlsconnect::Writer writer(out);
    tlsconnect::ServerEcdhParameters::wire(writer, parameters);
    return out;
  }

  Terms terms_;
  tlsconnect::HelloRandoms randoms_;
  ByteVector session_id_;
  ByteVector messages_;
  std::optional<tlsconnect::KeyExchange> key_;
  ByteVector main_;
  std::optional<tlsconnect::KeyBlock12> keys_;
  std::optional<tlsconnect::ReadProtection12> reading_;
};

tlsconnect::ConfigPtr config_for(const Terms& terms, const std::shared_ptr<tlsconnect::SessionStore>& store) {
  return make_config({.configure = [&](tlsconnect::ClientConfig::Builder& builder) {
    builder.versions({ProtocolVersion::tls1_3, ProtocolVersion::tls1_2}).status_request(terms.status);
    builder.groups({NamedGroup::x25519, NamedGroup::secp256r1}); // the curve of the certificate too
    builder.session_store(store);
    const bool psk = tlsconnect::parameters12_of(terms.suite)->authentication == tlsconnect::Authentication12::psk;
    builder.cipher_suites({CipherSuite::aes_128_gcm_sha256, terms.suite});
    if (psk)
      builder.external_psks({value_of(tlsconnect::ExternalPsk::create(tlsconnect::as_bytes(psk_identity), psk_key))});
    if (terms.caller == Caller::verdict)
      builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>());
    if (terms.caller == Caller::signature)
      builder.credentials({credential_that_signs_later()});
  }});
}

HandshakeType type_of(std::string_view name) {
  using enum HandshakeType;
  static const std::map<std::string_view, HandshakeType> types = {
      {"ServerHello", server_hello},
      {"Certificate", certificate},
      {"CertificateStatus", certificate_status},
      {"ServerKeyExchange", server_key_exchange},
      {"CertificateRequest", certificate_request},
      {"ServerHelloDone", server_hello_done},
      {"NewSessionTicket", new_session_ticket},
      {"Finished", finished},
      {"HelloRequest", hello_request},
  };
  return types.at(name);
}
std::string_view honest(HandshakeType type) {
  for (const std::string_view name : {"Certificate", "CertificateStatus", "ServerKeyExchange", "CertificateRequest",
                                      "ServerHelloDone", "NewSessionTicket", "Finished", "HelloRequest"})
    if (type_of(name) == type)
      return name;
  return {};
}

/// The machines of TLS 1.2. Only change_cipher_spec passes through the record layer.
class Driver : public MachineDriver<Client12> {
public:
  Driver(const Terms& terms, const std::shared_ptr<tlsconnect::SessionStore>& store)
      : MachineDriver(config_for(terms, store)), peer_(terms) {}

  Peer& peer() { return peer_; }
  void step(std::string_view name) {
    if (name == "(start)")
      value_of(std::get<Negotiate>(machine_).start());
    else if (name == "(version agreed)")
      value_of(hand_over());
    else if (name == "(change_cipher_spec)")
      change_cipher_spec();
    else
      value_of(tell(name));
    to_peer();
  }
  using MachineDriver::tell;
  Result<> tell(std::string_view name) {
    const ByteVector body = peer_.body(name);
    peer_.sent(type_of(name), body);
    Result<> result = tell(type_of(name), body);
    to_peer();
    return result;
  }

private:
  Result<> hand_over() {
    auto handed_on = std::move(std::get<Negotiate>(machine_).negotiated12()->handshake);
    return machine_.emplace<Client12>(context_, transcript_).start(std::move(handed_on));
  }
  void change_cipher_spec() {
    const ByteVector record = record_of(ContentType::change_cipher_spec, ByteVector{1});
    tlsconnect::copy_bytes(record, context_.records.receive_buffer());
    context_.records.received(record.size());
    CHECK(value_of(context_.records.next()).kind == tlsconnect::Incoming::Kind::nothing);
  }
  void to_peer() {
    for (BytesView out = context_.records.output().front(); !out.empty(); out = context_.records.output().front()) {
      const ByteVector bytes = tlsconnect::to_vector(out);
      context_.records.output().sent(bytes.size());
      peer_.feed(bytes);
    }
  }

  Peer peer_;
};

/// An honest way into a state.
struct Way {
  std::string_view state;
  Terms terms;
  std::vector<std::string_view> steps;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> rows = [] {
    std::vector<Way> list;
    const Terms full{.status = true, .ticket = true};
    std::vector<std::string_view> steps = {"(start)", "ServerHello"};
    list.push_back({"Negotiated12", full, steps});
    steps.emplace_back("(version agreed)");
    list.push_back({"ExpectCertificate12", full, steps});
    for (const auto& [message, state] :
         std::vector<std::pair<std::string_view, std::string_view>>{{"Certificate", "ExpectCertificateStatus"},
                                                                    {"CertificateStatus", "ExpectServerKeyExchange"},
                                                                    {"ServerKeyExchange", "ExpectRequestOrDone"},
                                                                    {"CertificateRequest", "ExpectServerHelloDone"},
                                                                    {"ServerHelloDone", "ExpectNewSessionTicket"}}) {
      steps.push_back(message);
      list.push_back({state, full, steps});
    }
    steps.insert(steps.end(), {"NewSessionTicket", "(change_cipher_spec)"});
    list.push_back({"ExpectFinished12", full, steps});
    steps.emplace_back("Finished");
    list.push_back({"Connected12", full, steps});

    // Neither status nor ticket; the client's flight depends on whether a certificate was asked for.
    const Terms plain{};
    steps = {"(start)", "ServerHello", "(version agreed)"};
    list.push_back({"ExpectCertificate12", plain, steps});
    steps.insert(steps.end(), {"Certificate", "ServerKeyExchange"});
    list.push_back({"ExpectRequestOrDone", plain, steps});
    // What the caller keeps for itself.
    list.push_back(
        {"AwaitVerdict12", {.caller = Caller::verdict}, {"(start)", "ServerHello", "(version agreed)", "Certificate"}});
    steps.insert(steps.end(), {"CertificateRequest"});
    list.push_back({"ExpectServerHelloDone", {.caller = Caller::signature}, steps});
    steps.insert(steps.end(), {"ServerHelloDone"});
    list.push_back({"AwaitSignature12", {.caller = Caller::signature}, steps});
    // Pre-shared keys.
    const Terms psk{.suite = CipherSuite::psk_aes_128_gcm_sha256};
    list.push_back({"Negotiated12", psk, {"(start)", "ServerHello"}});
    list.push_back({"ExpectHintOrDone", psk, {"(start)", "ServerHello", "(version agreed)"}});
    const Terms ecdhe_psk{.suite = CipherSuite::ecdhe_psk_aes_128_gcm_sha256};
    list.push_back({"Negotiated12", ecdhe_psk, {"(start)", "ServerHello"}});
    list.push_back({"ExpectServerKeyExchange", ecdhe_psk, {"(start)", "ServerHello", "(version agreed)"}});
    // Sessions.
    for (const bool ticket : {true, false})
      list.push_back({"Negotiated12", {.ticket = ticket, .resumed = true}, {"(start)", "ServerHello"}});
    list.push_back({"ExpectFinished12",
                    {.resumed = true},
                    {"(start)", "ServerHello", "(version agreed)", "(change_cipher_spec)"}});
    return list;
  }();
  return rows;
}

std::unique_ptr<Driver> drive(const Way& way) {
  const auto store = std::make_shared<tlsconnect::MemorySessionStore>();
  ByteVector main;
  if (way.terms.resumed) {
    Driver first({.ticket = true}, store);
    for (const std::string_view step :
         {"(start)", "ServerHello", "(version agreed)", "Certificate", "ServerKeyExchange", "ServerHelloDone",
          "NewSessionTicket", "(change_cipher_spec)", "Finished"})
      first.step(step);
    REQUIRE(store->size() == 1);
    main = first.peer().main();
  }
  auto driver = std::make_unique<Driver>(way.terms, store);
  driver->peer().resume(main);
  for (const std::string_view step : way.steps)
    driver->step(step);
  REQUIRE(driver->state() == way.state);
  return driver;
}

Diagram observed_diagram() {
  Diagram diagram("Negotiated12");
  for (const Way& way : ways()) {
    if (way.state == "Negotiated12") {
      auto driver = drive(way);
      driver->step("(version agreed)");
      diagram.edge(way.state, driver->state(), way.terms.resumed ? "a session is resumed" : "the version is agreed");
    }
    if (way.state.starts_with("Await")) {
      auto driver = drive(way);
      const std::size_t before = driver->sent().size();
      const bool verdict = way.state == "AwaitVerdict12";
      value_of(verdict ? driver->give_verdict() : driver->give_signature());
      diagram.edge(way.state, driver->state(),
                   (verdict ? "the caller's verdict" : "the signature") + driver->sent_since(before));
    }
    const StateRow row = drive(way)->row();
    for (const HandshakeType type : row.expects) {
      auto driver = drive(way);
      const std::size_t before = driver->sent().size();
      const std::string_view name = honest(type);
      const Result<> result = driver->tell(name);
      if (result)
        diagram.edge(way.state, driver->state(), std::string(name) + driver->sent_since(before));
      // The same, where the caller has kept the verdict for itself.
      Way kept = way;
      kept.terms.caller = Caller::verdict;
      if (way.terms.caller == Caller::nothing && !way.terms.resumed && way.steps.back() != "CertificateStatus" &&
          (way.state == "ExpectCertificate12" || way.state == "ExpectCertificateStatus")) {
        auto judged = drive(kept);
        if (judged->tell(name) && judged->state() == "AwaitVerdict12")
          diagram.edge(way.state, judged->state(), std::string(name));
      }
    }
  }
  return diagram;
}

} // namespace

TEST_CASE("TLS 1.2: there is a way into every state of the table", "[states]") {
  std::set<std::string_view> reached;
  for (const Way& way : ways()) {
    CHECK(drive(way)->state() == way.state);
    reached.insert(way.state);
  }
  std::set<std::string_view> in_table{"Negotiated12"};
  for (const StateRow& row : Client12::table())
    CHECK(in_table.insert(row.state).second);
  CHECK(reached == in_table);
  CHECK(Client12::table().size() <= 11);
}

TEST_CASE("the table says what RFC 5246, 7.3 and RFC 5077, 3.1 say", "[states]") {
  using enum HandshakeType;
  check_rows(Client12::table(), {
                                    {"ExpectCertificate12", {certificate}},
                                    {"ExpectCertificateStatus", {certificate_status, server_key_exchange}},
                                    {"AwaitVerdict12", {}},
                                    {"ExpectServerKeyExchange", {server_key_exchange}},
                                    {"ExpectHintOrDone", {server_key_exchange, server_hello_done}},
                                    {"ExpectRequestOrDone", {certificate_request, server_hello_done}},
                                    {"ExpectServerHelloDone", {server_hello_done}},
                                    {"AwaitSignature12", {}},
                                    {"ExpectNewSessionTicket", {new_session_ticket}},
                                    {"ExpectFinished12", {finished}},
                                    {"Connected12", {hello_request}},
                                });
}

TEST_CASE("TLS 1.2: every message in every state", "[states]") {
  for (const Way& way : ways()) {
    auto driver = drive(way);
    check_every_message(*driver, [&] { return drive(way); });
    const StateRow row = driver->row();
    // What was refused has changed nothing: the honest message is still taken. (Only a renegotiation never is.)
    if (!row.expects.empty() && way.state != "Connected12")
      CHECK(driver->tell(honest(row.expects.front())));
  }
}

TEST_CASE("TLS 1.2: Finished without a change_cipher_spec before it", "[states]") {
  for (const Terms terms : {Terms{}, Terms{.resumed = true}}) {
    Way way{"ExpectFinished12", terms, {"(start)", "ServerHello", "(version agreed)"}};
    if (!terms.resumed)
      way.steps.insert(way.steps.end(), {"Certificate", "ServerKeyExchange", "ServerHelloDone"});
    const Result<> result = drive(way)->tell("Finished");
    REQUIRE(!result);
    CHECK(result.error().code() == ErrorCode::unexpected_message);
  }
}

TEST_CASE("TLS 1.2: the diagram in the documentation is the machine's own", "[states][docs]") {
  check_documented(observed_diagram(), 2);
}
