// A server that says anything: the whole client, fed with arbitrary bytes in arbitrary pieces. The first byte of the
// input chooses how the rest is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <tlsconnect/tlsconnect.hpp>

namespace tls = tlsconnect;

namespace {

/// The same bytes for every connection, so that inputs can be replayed.
class CountingRng final : public tls::Rng {
public:
  bool fill(tls::Bytes out) noexcept override {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::uint8_t>(i + 1);
    return true;
  }
};

tls::ConfigPtr make_config() {
  auto config = tls::ClientConfig::builder()
                    .verifier(std::make_shared<tls::DangerousNoVerification>())
                    .rng(std::make_shared<CountingRng>())
                    .hybrid(tls::HybridPolicy::offer_only)
                    .alpn({"h2", "http/1.1"})
                    .build();
  if (!config)
    std::abort();
  return *config;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tls::ConfigPtr config = make_config();
  if (size == 0)
    return 0;
  const std::size_t step = std::size_t{1} << (data[0] % 12);
  tls::BytesView left(data + 1, size - 1);

  auto name = tls::ServerName::parse("example.com");
  if (!name)
    std::abort();
  tls::ClientEngine engine(config, *name);
  while (!left.empty()) {
    engine.consume(engine.plaintext().size());
    const tls::Bytes space = engine.receive_buffer();
    if (space.empty())
      break;
    const std::size_t count = std::min({space.size(), left.size(), step});
    tls::copy_bytes(left.first(count), space);
    left = left.subspan(count);
    (void)engine.received(count);
  }
  engine.received_end();

  // Whatever it was, nobody without the keys gets a connection, and an answer stays small.
  if (engine.handshake_complete())
    std::abort();
  if (engine.pending_output().size() > 16'384)
    std::abort();
  if (!engine.failure() && !engine.truncated() && !engine.peer_closed())
    std::abort();
  return 0;
}
