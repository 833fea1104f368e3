// The state machines: every message in every state, and the diagram of docs/state-machine.md.
//
// The machines' tables say what each state expects. That the tables tell the truth is shown here by bringing a machine
// into each state and giving it every message; where each accepted message leads is observed, not declared.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/handshake/client13.hpp>

#include "state_checks.hpp"

using namespace test;
using tlsconnect::Client13;
using tlsconnect::Negotiate;
using tlsconnect::Result;
using tlsconnect::StateRow;

namespace {

/// What the caller has kept for itself, or brings along: a pre-shared key; a session, whose server is to be judged anew.
enum class Caller { nothing, verdict, signature, psk, session };

const ByteVector psk_identity(10, 0x50);
const ByteVector psk_key(32, 0x51);

/// Gives out the same session every time, to whomever.
class OneSession final : public tlsconnect::SessionStore {
public:
  void put(std::string_view, tlsconnect::Session) noexcept override {}
  void erase(std::string_view) noexcept override {}
  std::optional<tlsconnect::Session> take(std::string_view) noexcept override {
    tlsconnect::Session session;
    session.secret = tlsconnect::SessionSecret(psk_key.size());
    tlsconnect::copy_bytes(psk_key, session.secret.bytes());
    session.ticket = psk_identity;
    session.lifetime = 3'600;
    session.received_at = std::int64_t{now} * 1'000;
    session.usable_until = session.received_at + 3'600'000;
    session.server_name = "server.test";
    session.trust_identity = trust_identity;
    session.peer_chain.push_back({server_identity().der(), {}, {}});
    return session;
  }
  ByteVector trust_identity;
};

/// "Compressed" by doing nothing.
class Copy final : public tlsconnect::CertificateDecompressor {
public:
  tlsconnect::CertificateCompressionAlgorithm algorithm() const noexcept override {
    return tlsconnect::CertificateCompressionAlgorithm::zlib;
  }
  bool decompress(BytesView compressed, tlsconnect::Bytes out) const noexcept override {
    if (compressed.size() != out.size())
      return false;
    std::copy(compressed.begin(), compressed.end(), out.begin());
    return true;
  }
};
ByteVector compressed(const ByteVector& body) {
  return encoded(tlsconnect::CompressedCertificate{1, static_cast<std::uint32_t>(body.size()), body});
}

template <class Builder>
void configure(Builder& builder, Caller caller) {
  builder.groups({NamedGroup::x25519, NamedGroup::secp256r1})
      .certificate_decompressors({std::make_shared<Copy>()})
      .post_handshake_auth(true);
  if (caller == Caller::psk)
    builder.external_psks({value_of(tlsconnect::ExternalPsk::create(psk_identity, psk_key))});
  if (caller == Caller::session)
    builder.verify_again_on_resumption(true);
  if (caller == Caller::verdict || caller == Caller::session)
    builder.verifier(std::make_shared<tlsconnect::VerdictByCaller>());
  if (caller == Caller::signature)
    builder.credentials({credential_that_signs_later()});
}

/// The machines of TLS 1.3, and an honest server for what they are told.
class Driver : public MachineDriver<Client13> {
public:
  explicit Driver(Caller caller, const std::shared_ptr<OneSession>& store = std::make_shared<OneSession>())
      : MachineDriver(make_config({.configure =
                                       [&](auto& builder) {
                                         configure(builder, caller);
                                         builder.session_store(caller == Caller::session ? store : nullptr);
                                       }})),
        server_(options(caller)) {
    store->trust_identity = tlsconnect::to_vector(context_.config->trust_identity());
  }

  void start() {
    value_of(std::get<Negotiate>(machine_).start());
    to_server();
  }
  /// What the engine does once the version is agreed.
  void hand_over() {
    tlsconnect::Negotiated13 negotiated = std::move(*std::get<Negotiate>(machine_).negotiated13());
    machine_.emplace<Client13>(context_, transcript_, std::move(negotiated.handshake));
  }
  using MachineDriver::tell;
  /// One honest message: its name is that of the server's step.
  Result<> tell(std::string_view name) {
    Plan plan;
    if (name == "HelloRetryRequest")
      plan = server_.retry_plan(NamedGroup::secp256r1);
    else if (name == "CertificateRequest")
      plan.append(message_step("CertificateRequest", HandshakeType::certificate_request,
                               [](ScriptedServer& server) { return server.draft_certificate_request(); }));
    else if (name == "NewSessionTicket")
      plan.append(message_step("NewSessionTicket", HandshakeType::new_session_ticket, server_.draft_ticket()));
    else if (name == "CompressedCertificate")
      plan.append(message_step("CompressedCertificate", HandshakeType::compressed_certificate,
                               [](ScriptedServer& server) { return compressed(server.draft_certificate()); }));
    else if (name == "KeyUpdate")
      plan.append(message_step("KeyUpdate", HandshakeType::key_update, ByteVector{1}));
    else
      plan.append(server_.honest_plan()[name]);
    ByteVector body;
    plan[name].edit([&](ByteVector& bytes) { body = bytes; });
    const HandshakeType type = plan[name].type;
    server_.run(plan);
    if (name == "ServerHello")
      server_.start_handshake_keys();
    (void)server_.take_output();
    Result<> result = tell(type, body);
    if (name == "HelloRetryRequest" && result)
      to_server();
    return result;
  }

private:
  static ServerOptions options(Caller caller) {
    if (caller != Caller::psk && caller != Caller::session)
      return {};
    return {.psks = {{.identity = psk_identity,
                      .key = psk_key,
                      .origin = caller == Caller::psk ? tlsconnect::PskOrigin::external
                                                      : tlsconnect::PskOrigin::resumption}}};
  }
  void to_server() {
    const BytesView out = context_.records.output().front();
    server_.feed(out);
    context_.records.output().sent(out.size());
  }

  ScriptedServer server_;
};

/// An honest way into a state.
struct Way {
  std::string_view state;
  std::vector<std::string_view> steps; ///< messages, and what is not a message in parentheses
  Caller caller = Caller::nothing;
};
const std::vector<Way>& ways() {
  static const std::vector<Way> rows = [] {
    std::vector<Way> list = {
        {"Idle", {}},
        {"ExpectServerHello", {"(start)"}},
        {"ExpectSecondServerHello", {"(start)", "HelloRetryRequest"}},
        {"Negotiated13", {"(start)", "ServerHello"}},
    };
    std::vector<std::string_view> steps = {"(start)", "ServerHello", "(version agreed)"};
    list.push_back({"ExpectEncryptedExtensions", steps});
    for (const auto& [message, state] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"EncryptedExtensions", "ExpectCertificateOrRequest"},
             {"CertificateRequest", "ExpectCertificate"},
             {"Certificate", "ExpectCertificateVerify"},
             {"CertificateVerify", "ExpectFinished"},
             {"Finished", "Connected"}}) {
      steps.push_back(message);
      list.push_back({state, steps});
    }
    // The last flight depends on whether a certificate was asked for.
    list.push_back(
        {"ExpectFinished",
         {"(start)", "ServerHello", "(version agreed)", "EncryptedExtensions", "Certificate", "CertificateVerify"}});
    list.push_back({"AwaitVerdict",
                    {"(start)", "ServerHello", "(version agreed)", "EncryptedExtensions", "Certificate"},
                    Caller::verdict});
    list.push_back({"AwaitSignature",
                    {"(start)", "ServerHello", "(version agreed)", "EncryptedExtensions", "CertificateRequest",
                     "Certificate", "CertificateVerify", "Finished"},
                    Caller::signature});
    // With a pre-shared key the server shows no certificate; one of an earlier connection may be judged again.
    for (const Caller caller : {Caller::psk, Caller::session})
      list.push_back({"ExpectEncryptedExtensions", {"(start)", "ServerHello", "(version agreed)"}, caller});
    list.push_back(
        {"ExpectFinished", {"(start)", "ServerHello", "(version agreed)", "EncryptedExtensions"}, Caller::psk});
    list.push_back(
        {"AwaitVerdict", {"(start)", "ServerHello", "(version agreed)", "EncryptedExtensions"}, Caller::session});
    return list;
  }();
  return rows;
}

std::unique_ptr<Driver> drive(const Way& way) {
  auto driver = std::make_unique<Driver>(way.caller);
  for (const std::string_view step : way.steps) {
    if (step == "(start)")
      driver->start();
    else if (step == "(version agreed)")
      driver->hand_over();
    else
      value_of(driver->tell(step));
  }
  REQUIRE(driver->state() == way.state);
  return driver;
}

/// Whether the way leads where it should when the caller keeps something for itself.
bool reachable(const Way& way) {
  Driver driver(way.caller);
  for (const std::string_view step : way.steps) {
    if (driver.state().starts_with("Await"))
      return false;
    if (step == "(start)")
      driver.start();
    else if (step == "(version agreed)")
      driver.hand_over();
    else if (!driver.tell(step))
      return false;
  }
  return driver.state() == way.state;
}

std::vector<StateRow> all_rows() {
  std::vector<StateRow> rows(Negotiate::table().begin(), Negotiate::table().end());
  // Where TLS 1.2 begins: state_table12.cpp.
  std::erase_if(rows, [](const StateRow& row) { return row.state == "Negotiated12"; });
  rows.insert(rows.end(), Client13::table().begin(), Client13::table().end());
  return rows;
}

/// The honest messages of a type.
std::vector<std::string_view> honest(HandshakeType type) {
  switch (type) {
  case HandshakeType::server_hello:
    return {"ServerHello", "HelloRetryRequest"};
  case HandshakeType::encrypted_extensions:
    return {"EncryptedExtensions"};
  case HandshakeType::certificate_request:
    return {"CertificateRequest"};
  case HandshakeType::compressed_certificate:
    return {"CompressedCertificate"};
  case HandshakeType::certificate:
    return {"Certificate"};
  case HandshakeType::certificate_verify:
    return {"CertificateVerify"};
  case HandshakeType::finished:
    return {"Finished"};
  case HandshakeType::new_session_ticket:
    return {"NewSessionTicket"};
  case HandshakeType::key_update:
    return {"KeyUpdate"};
  default:
    return {};
  }
}

/// What decides, beside the message, where EncryptedExtensions leads.
std::string brought(const Way& way) {
  if (way.state != "ExpectEncryptedExtensions" || way.caller == Caller::nothing)
    return "";
  return way.caller == Caller::psk ? " (pre-shared key)" : " (resumed, and to be judged again)";
}

/// Every transition that was observed, as lines of a Mermaid diagram.
Diagram observed_diagram() {
  Diagram diagram("Idle");
  for (const Way& way : ways()) {
    if (way.state == "Idle") {
      auto driver = drive(way);
      driver->start();
      diagram.edge(way.state, driver->state(), "start" + driver->sent_since(0));
    }
    if (way.state == "Negotiated13") {
      auto driver = drive(way);
      driver->hand_over();
      diagram.edge(way.state, driver->state(), "the version is agreed");
    }
    if (way.state == "AwaitVerdict" || way.state == "AwaitSignature") {
      auto driver = drive(way);
      const std::size_t before = driver->sent().size();
      const bool verdict = way.state == "AwaitVerdict";
      value_of(verdict ? driver->give_verdict() : driver->give_signature());
      diagram.edge(way.state, driver->state(),
                   (verdict ? "the caller's verdict" : "the signature") +
                       std::string(way.caller == Caller::session ? " (resumed)" : "") + driver->sent_since(before));
    }
    const StateRow row = drive(way)->row();
    for (const HandshakeType type : row.expects)
      for (const std::string_view name : honest(type)) {
        auto driver = drive(way);
        const std::size_t before = driver->sent().size();
        if (driver->tell(name))
          diagram.edge(way.state, driver->state(), std::string(name) + brought(way) + driver->sent_since(before));
        // The same, where the caller has kept something for itself.
        for (const Caller caller : {Caller::verdict, Caller::signature}) {
          Way other = way;
          other.caller = caller;
          if (way.caller != Caller::nothing || !reachable(other))
            continue;
          auto kept = drive(other);
          if (kept->tell(name) && kept->state().starts_with("Await"))
            diagram.edge(way.state, kept->state(), std::string(name));
        }
      }
  }
  return diagram;
}

} // namespace

TEST_CASE("there is a way into every state of the tables", "[states]") {
  std::set<std::string_view> in_tables;
  for (const StateRow& row : all_rows())
    CHECK(in_tables.insert(row.state).second);
  std::set<std::string_view> reached;
  for (const Way& way : ways()) {
    CHECK(drive(way)->state() == way.state);
    reached.insert(way.state);
  }
  CHECK(in_tables == reached);
}

TEST_CASE("the tables say what RFC 9846, A.1 says", "[states]") {
  using enum HandshakeType;
  check_rows(all_rows(), {
                             {"Idle", {}},
                             {"ExpectServerHello", {server_hello}},
                             {"ExpectSecondServerHello", {server_hello}},
                             {"Negotiated13", {}},
                             {"ExpectEncryptedExtensions", {encrypted_extensions}},
                             {"ExpectCertificateOrRequest", {certificate_request, certificate, compressed_certificate}},
                             {"ExpectCertificate", {certificate, compressed_certificate}},
                             {"AwaitVerdict", {}},
                             {"ExpectCertificateVerify", {certificate_verify}},
                             {"ExpectFinished", {finished}},
                             {"AwaitSignature", {}},
                             {"Connected", {new_session_ticket, key_update, certificate_request}},
                         });
}

TEST_CASE("every message in every state", "[states]") {
  for (const Way& way : ways()) {
    auto driver = drive(way);
    check_every_message(*driver, [&] { return drive(way); });
    const StateRow row = driver->row();
    // What was refused has changed nothing: the honest message is still taken.
    for (const HandshakeType type : row.expects) {
      const std::vector<std::string_view> names = honest(type);
      REQUIRE(!names.empty());
      auto fresh = drive(way);
      CHECK(fresh->tell(names.front()));
    }
    if (!row.expects.empty())
      CHECK(driver->tell(honest(row.expects.front()).front()));
  }
}

TEST_CASE("the diagram in the documentation is the machine's own", "[states][docs]") {
  check_documented(observed_diagram(), 1);
}
