// Judges a certificate chain from a file, without a connection, and says why it is good or everything that is wrong.
//
//   verify_chain [--ca FILE] [--at SECONDS] CHAIN.pem NAME
//
// CHAIN.pem is what a server would send, its own certificate first. Trusted is the system's store, or what --ca names.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/tlsconnect.hpp>

namespace {

namespace tls = tlsconnect;

int fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  std::string ca;
  std::int64_t time = std::time(nullptr);
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--ca" && i + 1 < argc)
      ca = argv[++i];
    else if (argument == "--at" && i + 1 < argc)
      time = std::strtoll(argv[++i], nullptr, 10);
    else
      arguments.emplace_back(argument);
  }
  if (arguments.size() != 2)
    return fail("usage: verify_chain [--ca FILE] [--at SECONDS] CHAIN.pem NAME");

  std::ifstream file(arguments[0], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto chain = tls::Certificate::from_pem(text);
  const auto name = tls::ServerName::parse(arguments[1]);
  const auto anchors = ca.empty() ? tls::TrustAnchors::system() : tls::TrustAnchors::from_file(ca);
  if (!file || !chain)
    return fail(arguments[0] + ": " + (chain ? "cannot be read" : chain.error().message()));
  if (!name)
    return fail(name.error().message());
  if (!anchors)
    return fail(anchors.error().message());
  for (const std::string& source : anchors->sources())
    std::printf("trusted: %zu certificates from %s\n", anchors->size(), source.c_str());
  for (const std::string& skipped : anchors->skipped())
    std::printf("skipped: %s\n", skipped.c_str());

  const auto verified = tls::verify_chain(*chain, *name, time, *anchors);
  if (!verified) {
    std::printf("refused: %s\n", verified.error().message().c_str());
    return 1;
  }
  std::printf("accepted: %s\n", verified->explanation.c_str());
  for (std::size_t i = 0; i < verified->path.size(); ++i) {
    const tls::Certificate& certificate = verified->path[i];
    std::printf("%zu. %s\n   issued by %s, serial %s, %s\n   pin sha256/%s\n", i + 1, certificate.subject().c_str(),
                certificate.issuer().c_str(), certificate.serial().c_str(), certificate.key_description().c_str(),
                tls::KeyPin::of(certificate).value().text().c_str());
  }
  return 0;
}
