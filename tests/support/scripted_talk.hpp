// A client and a scripted server, in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <tlsconnect/engine.hpp>

#include "scripted_end.hpp"

namespace test {

/// What a test decides about the client.
struct ClientOptions {
  std::function<void(tlsconnect::ClientConfig::Builder&)> configure = {};
  bool quick = true;
  std::uint64_t seed = 1;
};
[[nodiscard]] tlsconnect::ConfigPtr make_client_config(const ClientOptions& options);

template <class Server>
struct BasicTalkOptions {
  typename Server::Options server = {};
  std::string name = "server.test";
  /// Changes the client's configuration.
  std::function<void(tlsconnect::ClientConfig::Builder&)> configure = {};
  /// A quick handshake: one elliptic curve, and no path validation.
  bool quick = true;
  std::uint64_t seed = 1;
  /// Instead of one that is made from the options above.
  tlsconnect::ConfigPtr config = nullptr;
  std::string early_data = {};
  bool early_data_later = false; ///< there is none at first, but there may be some
};
template <class Server>
[[nodiscard]] tlsconnect::ConfigPtr make_config(const BasicTalkOptions<Server>& options) {
  return make_client_config({.configure =
                                 [&options](tlsconnect::ClientConfig::Builder& builder) {
                                   Server::usual_client(builder, options.quick);
                                   if (options.configure)
                                     options.configure(builder);
                                 },
                             .quick = options.quick,
                             .seed = options.seed});
}

/// How a conversation went, as both ends saw it.
struct Outcome {
  std::optional<ErrorCode> error;        ///< what the client reports; nothing while all is well
  std::optional<AlertDescription> alert; ///< what the server received as a fatal alert
  std::size_t alerts = 0;                ///< how many alerts it received, of any level
  bool complete = false;                 ///< the client's handshake, and the server has its Finished
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
[[nodiscard]] Outcome outcome_between(const tlsconnect::ClientEngine& client, const ScriptedEnd& server);
/// Gives a client bytes, at most `chunk` at a time, and takes the data that it has got.
void deliver_to(tlsconnect::ClientEngine& client, BytesView bytes, std::size_t chunk, ByteVector& received);

template <class Server>
class BasicTalk {
public:
  explicit BasicTalk(BasicTalkOptions<Server> options = {})
      : server(options.server), client(options.config ? options.config : make_config(options),
                                       value_of(tlsconnect::ServerName::parse(options.name)),
                                       options.early_data.empty() && options.early_data_later
                                           ? tlsconnect::replay_safe_later()
                                           : tlsconnect::replay_safe(tlsconnect::as_bytes(options.early_data))) {
    to_server();
    plan = server.honest_plan();
  }

  /// What the server will do about the ClientHello, which it has.
  BasicPlan<Server> plan;
  Server server;
  tlsconnect::ClientEngine client;
  ByteVector received;                 ///< application data that the client got
  std::size_t chunk = ~std::size_t{0}; ///< how many bytes the client gets at a time

  /// Carries out the plan and exchanges all that both sides have to say.
  void handshake() {
    server.run(plan);
    exchange();
  }
  /// Carries what waits on either side to the other, until nothing does.
  void exchange() {
    to_server();
    for (ByteVector out = server.take_output(); !out.empty(); out = server.take_output()) {
      deliver(out);
      to_server();
    }
  }
  /// Only from the client to the server, and only the other way.
  void to_server() {
    for (BytesView out = client.pending_output(); !out.empty(); out = client.pending_output()) {
      const std::size_t count = out.size();
      server.feed(out);
      client.sent(count);
    }
  }
  void to_client() { deliver(server.take_output()); }
  /// These bytes to the client, whatever the server says.
  void deliver(BytesView bytes) { deliver_to(client, bytes, chunk, received); }
  [[nodiscard]] Outcome outcome() const { return outcome_between(client, server); }
};

} // namespace test
