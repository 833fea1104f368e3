// Fetches a page over TLS 1.3 and shows what happened on the way: the blocking use of tlsconnect.
//
//   https_get [--ca FILE] [--connect-to HOST:PORT] [--groups NAME,…] [--quiet] [--all] https://host[:port]/path
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/posix.hpp>
#include <tlsconnect/tlsconnect.hpp>

#include "support/arguments.hpp"
#include "support/http.hpp"
#include "support/report.hpp"
#include "support/terminal.hpp"
#include "support/trace.hpp"
#include "support/url.hpp"

namespace {

namespace tls = tlsconnect;

std::vector<tls::NamedGroup> parse_groups(std::string_view list) {
  static constexpr tls::NamedGroup known[] = {
      tls::NamedGroup::x25519_mlkem768, tls::NamedGroup::secp256r1_mlkem768, tls::NamedGroup::secp384r1_mlkem1024,
      tls::NamedGroup::x25519,          tls::NamedGroup::secp256r1,          tls::NamedGroup::secp384r1,
      tls::NamedGroup::secp521r1};
  std::vector<tls::NamedGroup> groups;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(name.size() < list.size() ? name.size() + 1 : name.size());
    const std::size_t before = groups.size();
    for (const tls::NamedGroup group : known)
      if (tls::name_of(group) == name)
        groups.push_back(group);
    if (groups.size() == before)
      return {};
  }
  return groups;
}

tls::Result<tls::ConfigPtr> make_config(const std::string& ca, const std::vector<tls::NamedGroup>& groups) {
  auto builder = tls::ClientConfig::builder();
  builder.alpn({"http/1.1"});
  if (!groups.empty())
    builder.groups(groups);
  if (ca.empty())
    return builder.trust_system().build();
  auto anchors = tls::TrustAnchors::from_file(ca);
  if (!anchors)
    return std::unexpected(std::move(anchors.error()));
  return builder.trust(std::move(*anchors)).build();
}

/// Reads the response; the error message when it does not come whole.
template <class S>
std::string read_response(S& stream, example::HttpResponse& response) {
  tls::ByteVector buffer(16'384);
  while (!response.complete()) {
    const auto count = stream.read_some(buffer);
    if (count) {
      if (!response.feed(tls::as_text(tls::BytesView(buffer).first(*count))))
        return "the server did not answer with an HTTP/1.1 response";
      continue;
    }
    // Only a proper end may complete a page; were `truncated` treated the same, anybody could cut it short.
    if (!count.error().is_closed())
      return count.error().message();
    if (!response.end())
      return "the server closed the connection before its response was complete";
  }
  return {};
}

void print_body(const example::Report& report, const example::HttpResponse& response, bool all) {
  constexpr std::size_t enough_for_a_screen = 2'000;
  if (!report.style().terminal()) {
    std::fwrite(response.body().data(), 1, response.body().size(), stdout);
    return;
  }
  std::string_view text = response.body();
  const bool cut = !all && text.size() > enough_for_a_screen;
  if (cut)
    text = text.substr(0, enough_for_a_screen);
  const std::string shown = example::harmless(text, true);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  if (cut)
    report.line("\n" + report.style().dim("… " + example::grouped(response.body().size() - enough_for_a_screen) +
                                          " more bytes; --all shows them"));
}

int run(const example::Arguments& arguments) {
  const bool quiet = arguments.has("--quiet");
  const example::Report report(stdout);
  const example::Style& style = report.style();
  const auto fail = [&](std::string_view what) {
    if (quiet)
      std::fprintf(stderr, "https_get: %s\n", example::harmless(what).c_str());
    else
      report.failure(what);
    return 1;
  };

  const auto url = example::parse_url(arguments.url());
  if (!url)
    return fail("not an https URL: " + arguments.url());
  const std::string connect_to = arguments.value("--connect-to");
  const auto target = example::parse_target(connect_to, *url);
  if (!target)
    return fail("not HOST:PORT: " + connect_to);
  auto name = tls::ServerName::parse(url->host);
  if (!name)
    return fail(name.error().message());
  const std::vector<tls::NamedGroup> groups = parse_groups(arguments.value("--groups"));
  if (arguments.has("--groups") && groups.empty())
    return fail("not names of groups: " + arguments.value("--groups"));
  auto config = make_config(arguments.value("--ca"), groups);
  if (!config)
    return fail(config.error().message());

  if (!quiet)
    report.title(arguments.url());
  const example::Trace dialling;
  auto socket = tls::PosixSocket::dial(target->host, target->port);
  if (!socket)
    return fail(socket.error().message());
  if (!quiet)
    report.line("  " + style.green("✔ ") + "TCP to " + target->host + " port " + std::to_string(target->port) +
                style.dim(" in " + example::milliseconds(dialling.elapsed())));

  // The request leaves together with the last words of the handshake, in one write.
  const std::string request = example::get_request(*url);
  example::Trace trace;
  tls::Connector connector(std::move(*config), std::move(*name), example::TracedSocket(std::move(*socket), trace));
  auto stream = connector.connect(tls::as_bytes(request));
  const double handshake_ms = trace.elapsed();
  if (!stream) {
    if (!quiet) {
      report.flights(trace, connector.info(), {}, {});
      report.certificates(connector.info(), static_cast<std::int64_t>(std::time(nullptr)), false);
    }
    return fail(stream.error().message());
  }

  trace.enter(example::Phase::exchange);
  example::HttpResponse response;
  const std::string problem = read_response(*stream, response);
  trace.enter(example::Phase::closing);
  (void)stream->shutdown(); // a courtesy; the page is here

  if (!quiet) {
    report.flights(trace, stream->info(), "HTTP request " + example::grouped(request.size()), "HTTP response");
    report.connection(stream->info(), handshake_ms);
    report.certificates(stream->info(), static_cast<std::int64_t>(std::time(nullptr)), true);
  }
  if (!problem.empty())
    return fail(problem);
  if (!quiet) {
    report.heading(example::harmless(response.status_line()));
    report.row("type", example::harmless(response.header("content-type")));
    report.row("body", example::grouped(response.body().size()) + " B");
    report.line("");
  }
  print_body(report, response, arguments.has("--all"));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto arguments =
      example::Arguments::parse(argc, argv, {"--ca", "--connect-to", "--groups"}, {"--quiet", "--all"});
  if (!arguments) {
    std::fputs("usage: https_get [--ca FILE] [--connect-to HOST:PORT] [--groups NAME,...] [--quiet] [--all] URL\n"
               "  --ca FILE      trust the certificates in FILE instead of the system's\n"
               "  --connect-to   open the TCP connection there; the server must still prove the URL's name\n"
               "  --groups       offer these: X25519MLKEM768, x25519, secp256r1, secp384r1, ...\n"
               "  --quiet        print the page only\n"
               "  --all          print all of it, however long\n",
               stderr);
    return 2;
  }
  return run(*arguments);
}
