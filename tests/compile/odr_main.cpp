// A program of two files, header-only: it links, both files mean the same functions, and a connection whose parts are
// used from both of them works.
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "odr_second.hpp"
#include "test_pki.hpp"

namespace tc = tlsconnect;

namespace {

class StandingClock final : public tc::Clock {
public:
  std::int64_t now() const noexcept override { return test::now * 1'000; }
};

int failed(const char* what, const std::string& why = {}) {
  std::fprintf(stderr, "FAILED: %s %s\n", what, why.c_str());
  return 1;
}

} // namespace

int main() {
  if (parse_name_of_second_file() != &tc::ServerName::parse)
    return failed("the two files have different copies of a function");

  const test::Identity root = test::self_signed({.common_name = "Root", .ca = true});
  const test::Identity leaf = root.issue({.common_name = "server", .dns = {"server.tlsconnect.test"}});
  test::BotanServer server(test::BotanServerOptions{.chain = leaf.chain_der(), .key = leaf.key_der()});
  auto anchors = tc::TrustAnchors::from_der(root.der());
  if (!anchors)
    return failed("trust anchor:", anchors.error().message());
  auto config = tc::ClientConfig::builder().trust(std::move(*anchors)).clock(std::make_shared<StandingClock>()).build();
  if (!config)
    return failed("configuration:", config.error().message());
  auto name = tc::ServerName::parse("server.tlsconnect.test");
  if (!name)
    return failed("name:", name.error().message());

  auto [near_end, far_end] = tc::MemoryPipe::create();
  tc::Connector<tc::MemoryPipe> connector(*config, *name, std::move(near_end));
  for (int turns = 0; turns < 20; ++turns) {
    auto stream = connector.connect();
    turn(server, far_end);
    if (stream)
      return exchange(*stream, server, far_end) ? 0 : failed("the data did not come through");
    if (!stream.error().is_would_block())
      return failed("handshake:", stream.error().message());
  }
  return failed("the handshake does not come to an end");
}
