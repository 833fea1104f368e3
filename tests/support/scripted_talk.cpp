#include "scripted_talk.hpp"

#include <algorithm>

#include <tlsconnect/verify/trust_anchors.hpp>

#include "scripted_server.hpp"

namespace test {

tlsconnect::ConfigPtr make_client_config(const ClientOptions& options) {
  auto builder = tlsconnect::ClientConfig::builder();
  builder.rng(std::make_shared<FixedRng>(options.seed))
      .clock(std::make_shared<FixedClock>(FixedClock::from_seconds(now)));
  if (options.quick) {
    builder.verifier(std::make_shared<tlsconnect::DangerousNoVerification>());
    builder.groups({NamedGroup::x25519});
  } else {
    builder.trust(value_of(tlsconnect::TrustAnchors::from_pem(server_root().pem())));
  }
  options.configure(builder);
  return value_of(builder.build());
}

void deliver_to(tlsconnect::ClientEngine& client, BytesView bytes, std::size_t chunk, ByteVector& received) {
  const auto drain = [&] {
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

Outcome outcome_between(const tlsconnect::ClientEngine& client, const ScriptedEnd& server) {
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

void Talk::retry(std::optional<NamedGroup> group, std::optional<ByteVector> cookie) {
  retry(server.retry_plan(group, std::move(cookie)));
}

void Talk::retry(const Plan& retry_plan) {
  server.run(retry_plan);
  exchange();
}

} // namespace test
