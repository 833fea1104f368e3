// What the tests of the state machines of both versions have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/negotiate.hpp>

#include "documented.hpp"
#include "support.hpp"

namespace test {

/// A client's certificate for whose signatures the caller is asked.
inline tlsconnect::Credential credential_that_signs_later() {
  const Identity client = self_signed({.common_name = "client", .key = Key::cached(KeyType::p256)});
  return value_of(
      tlsconnect::Credential::create({value_of(tlsconnect::Certificate::from_der(client.der()))},
                                     std::make_shared<tlsconnect::SignLater>(std::vector<tlsconnect::SignatureScheme>{
                                         tlsconnect::SignatureScheme::ecdsa_secp256r1_sha256})));
}

/// The machines without records and engine around them: Negotiate, then that of the version.
template <class Client>
class MachineDriver {
public:
  explicit MachineDriver(tlsconnect::ConfigPtr config)
      : context_(std::move(config), value_of(tlsconnect::ServerName::parse("server.test"))),
        machine_(std::in_place_type<tlsconnect::Negotiate>, context_, transcript_) {}
  MachineDriver(const MachineDriver&) = delete;
  MachineDriver& operator=(const MachineDriver&) = delete;

  tlsconnect::Result<> tell(HandshakeType type, BytesView body) {
    const ByteVector bytes = framed(type, body);
    const tlsconnect::HandshakeMessage message{type, bytes, BytesView(bytes).subspan(4)};
    return std::visit([&](auto& machine) { return machine.handle(message); }, machine_);
  }
  /// What the caller supplies.
  tlsconnect::Result<> give_verdict() {
    return std::get<Client>(machine_).give_verdict(tlsconnect::VerifiedChain{{}, "accepted"});
  }
  tlsconnect::Result<> give_signature() { return std::get<Client>(machine_).give_signature(ByteVector(70, 1)); }

  [[nodiscard]] const tlsconnect::StateRow& row() const {
    return std::visit(
        [](const auto& machine) -> const tlsconnect::StateRow& { return machine.table()[machine.state_index()]; },
        machine_);
  }
  [[nodiscard]] std::string state() const { return std::string(row().state); }
  /// The messages that the client has sent so far.
  [[nodiscard]] std::vector<HandshakeType> sent() const {
    std::vector<HandshakeType> types;
    for (const auto& message : context_.info.messages.view())
      if (message.sent)
        types.push_back(message.type);
    return types;
  }
  /// What it has sent since there were so many, as a diagram says it.
  [[nodiscard]] std::string sent_since(std::size_t before) const {
    std::string text;
    const std::vector<HandshakeType> types = sent();
    for (std::size_t i = before; i < types.size(); ++i)
      text.append(text.empty() ? " / sends " : ", ").append(name_of(types[i]));
    return text;
  }

protected:
  ~MachineDriver() = default;

  tlsconnect::HandshakeContext context_;
  tlsconnect::Transcript transcript_;
  std::variant<tlsconnect::Negotiate, Client> machine_;
};

/// States, and what each expects.
using ExpectedRows = std::vector<std::pair<std::string_view, std::set<HandshakeType>>>;

inline void check_rows(std::span<const tlsconnect::StateRow> rows, const ExpectedRows& expected) {
  REQUIRE(rows.size() == expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].state == expected[i].first);
    CHECK(std::set<HandshakeType>(rows[i].expects.begin(), rows[i].expects.end()) == expected[i].second);
  }
}

/// Tells a machine in a state every message that there could be, with a body that no message has. `drive` brings another
/// machine into the state. One that is not expected must change nothing; one that is reaches its handler, which finds
/// nonsense.
template <class Driver, class Drive>
void check_every_message(Driver& driver, Drive&& drive) {
  const ByteVector nonsense{0xFF};
  const tlsconnect::StateRow row = driver.row();
  for (unsigned value = 0; value < 256; ++value) {
    const auto type = static_cast<HandshakeType>(value);
    CAPTURE(row.state, value, name_of(type));
    const bool expected = std::find(row.expects.begin(), row.expects.end(), type) != row.expects.end();
    if (expected) {
      const tlsconnect::Result<> result = drive()->tell(type, nonsense);
      REQUIRE(!result);
      CHECK(result.error().code() != ErrorCode::unexpected_message);
      continue;
    }
    const tlsconnect::Result<> result = driver.tell(type, nonsense);
    REQUIRE(!result);
    CHECK(result.error().code() == ErrorCode::unexpected_message);
    CHECK(result.error().where() == row.state);
    CHECK(driver.state() == row.state);
  }
}

/// A Mermaid diagram of the transitions that were observed.
class Diagram {
public:
  explicit Diagram(std::string_view first) { text_.append("    [*] --> ").append(first).append("\n"); }

  void edge(std::string_view from, std::string_view to, std::string_view label) {
    std::string line = "    ";
    line.append(from).append(" --> ").append(to).append(" : ").append(label).append("\n");
    if (text_.find(line) == std::string::npos)
      text_ += line;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

private:
  std::string text_ = "stateDiagram-v2\n";
};

/// Holds the diagram against the one in the documentation, of which it is the first, or the second. With
/// TLSCONNECT_UPDATE_DOCS=1, the documentation is changed.
inline void check_documented(const Diagram& diagram, std::size_t place) {
  DocumentedPart("TLSCONNECT_STATE_DIAGRAM", "```mermaid\n", "```\n", place).check(diagram.text());
}

} // namespace test
