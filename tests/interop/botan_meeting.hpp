// A client and Botan's TLS server in memory, one step at a time.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tlsconnect/memory_pipe.hpp>

#include "botan_tcp.hpp"
#include "features.hpp"

namespace interop {

using MemoryConnector = tc::Connector<tc::MemoryPipe>;
using MemoryStream = tc::Stream<tc::MemoryPipe>;
using ContextPtr = std::shared_ptr<const test::BotanServerContext>;

/// Both ends of one connection in memory.
class Meeting {
public:
  Meeting(const ContextPtr& context, const tc::ClientConfig::Builder& builder, std::string_view name = host)
      : Meeting(tc::MemoryPipe::create(4'000'000), context, builder, name) {}

  [[nodiscard]] MemoryConnector& connecting() { return connecting_; }
  [[nodiscard]] MemoryStream& stream() { return *stream_; }
  [[nodiscard]] test::BotanServer& server() { return server_; }
  [[nodiscard]] const tc::ConnectionInfo& info() const { return stream_ ? stream_->info() : connecting_.info(); }

  /// Lets both sides talk until there is a connection, or something that stops it for good or until the caller helps.
  std::optional<tc::Halt> meet() {
    for (int turns = 0; turns < 20; ++turns) {
      auto stream = connecting_.connect();
      turn();
      if (stream) {
        stream_.emplace(std::move(*stream));
        return std::nullopt;
      }
      if (!stream.error().is_would_block() || includes(stream.error().interest(), tc::Interest::signature))
        return std::move(stream.error());
    }
    FAIL("the handshake does not come to an end; the server: " << server_.failure());
    std::abort();
  }
  /// The same, and it must succeed.
  Meeting& connected() {
    if (auto halt = meet())
      FAIL(halt->message() << "; the server: " << server_.failure());
    INFO("the server: " << server_.failure());
    REQUIRE(server_.handshake_complete());
    return *this;
  }
  /// Data in both directions.
  Meeting& talk(std::string_view text = "a few words") {
    if (auto written = stream_->write_all(tc::as_bytes(text)); !written)
      FAIL(written.error().message());
    turn();
    CHECK(tc::as_text(server_.take_received()) == text);
    REQUIRE(server_.send(text));
    turn();
    CHECK(read(text.size()) == text);
    return *this;
  }
  /// What has come for the client, which must be that much.
  std::string read(std::size_t size) {
    std::string text;
    std::uint8_t buffer[5'000];
    while (text.size() < size) {
      auto count = stream_->read_some(buffer);
      if (!count)
        FAIL(count.error().message() << " after " << text.size() << " bytes");
      text.append(tc::as_text({buffer, *count}));
    }
    return text;
  }
  /// Moves what can be moved to and from the server.
  void turn() {
    std::uint8_t buffer[4'096];
    for (;;) {
      auto count = end_.read_some(buffer);
      if (!count)
        break;
      (void)server_.feed({buffer, *count});
    }
    const std::vector<std::uint8_t> output = server_.take_output();
    for (tc::BytesView rest = output; !rest.empty();) {
      auto count = end_.write_some(rest);
      REQUIRE(count.has_value()); // what tests send fits into the pipe
      rest = rest.subspan(*count);
    }
  }

private:
  template <class Pipes>
  Meeting(Pipes pipes, const ContextPtr& context, const tc::ClientConfig::Builder& builder, std::string_view name)
      : end_(std::move(pipes.second)), server_(context),
        connecting_(built(builder), server_name(name), std::move(pipes.first)) {}

  tc::MemoryPipe end_;
  test::BotanServer server_;
  MemoryConnector connecting_;
  std::optional<MemoryStream> stream_;
};

inline ContextPtr context_of(const test::BotanServerOptions& options) {
  return std::make_shared<const test::BotanServerContext>(options);
}
inline ContextPtr with_tickets(test::BotanServerOptions options = botan_options()) {
  options.tickets = 2;
  return context_of(options);
}

inline tc::ClientConfig::Builder keeping(const std::shared_ptr<tc::SessionStore>& store) {
  return client().session_store(store).clock(std::make_shared<RunningClock>());
}

/// Shows a server with these options client certificates of every kind of key, signed at once and later. Botan's TLS has
/// no EdDSA, and no keys of id-RSASSA-PSS.
inline void check_client_certificates(test::BotanServerOptions options) {
  options.require_client_certificate = true;
  const ContextPtr context = context_of(options);
  for (const test::KeyType type :
       {test::KeyType::rsa2048, test::KeyType::p256, test::KeyType::p384, test::KeyType::p521}) {
    INFO(name_of_key(type));
    const test::Identity identity = client_identity(type);
    Meeting at_once(context, client().credentials({credential(identity)}));
    at_once.connected().talk();
    CHECK(at_once.info().client_certificate_sent);
    CHECK(at_once.server().client_chain() == identity.chain_der());

    Meeting later(context, client().credentials({credential_that_signs_later(identity)}));
    const auto halt = later.meet();
    REQUIRE(halt.has_value());
    REQUIRE(halt->is_would_block());
    const auto request = later.connecting().signature_request();
    REQUIRE(request.has_value());
    CHECK_FALSE(later.server().handshake_complete());
    REQUIRE(later.connecting().give_signature(signature_for(*request, private_key(identity))).has_value());
    later.connected().talk();
    CHECK(later.server().client_chain() == identity.chain_der());
  }
}

inline std::uint16_t code(NamedGroup group) { return static_cast<std::uint16_t>(group); }
inline std::uint16_t code(CipherSuite suite) { return static_cast<std::uint16_t>(suite); }

} // namespace interop
