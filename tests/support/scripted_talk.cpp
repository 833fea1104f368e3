// A client and the server, in memory.
#include "scripted_server.hpp"

#include <algorithm>

#include <tlsconnect/verify/trust_anchors.hpp>

namespace test {

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
    : server(options.server), client(options.config ? options.config : make_config(options),
                                     value_of(tlsconnect::ServerName::parse(options.name)),
                                     tlsconnect::replay_safe(tlsconnect::as_bytes(options.early_data))) {
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
