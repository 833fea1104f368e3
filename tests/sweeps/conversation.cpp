#include "conversation.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <tlsconnect/connector.hpp>

#include "deterministic.hpp"
#include "test_pki.hpp"

namespace sweeps {
namespace {

/// Path validation has tests of its own; here it would only take time.
class Verdict final : public tc::CertificateVerifier {
public:
  explicit Verdict(bool accept) : accept_(accept) {}
  tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate&, const tc::ServerName&,
                                       std::int64_t) const noexcept override {
    if (!accept_)
      return tc::fail(tc::ErrorCode::certificate_rejected, "Verdict");
    return tc::VerifiedChain{};
  }

private:
  bool accept_;
};

tc::ConfigPtr fixed_config(const Plot& plot) {
  auto builder = test::live_config_builder();
  builder.verifier(std::make_shared<Verdict>(!plot.refuse_certificate)).rng(std::make_shared<test::FixedRng>(7));
  auto config = builder.build();
  if (!config)
    throw std::runtime_error(config.error().message());
  return std::move(*config);
}

tc::ByteVector data_of(std::size_t size, std::size_t start) {
  tc::ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>((start + i) * 13 + (start + i) / 256);
  return bytes;
}

std::string text_of(const tc::ConnectionInfo& info) {
  std::string text;
  const auto add = [&](auto number) { text += std::to_string(static_cast<unsigned long long>(number)) + ' '; };
  add(info.version);
  add(info.cipher_suite);
  add(info.group);
  add(info.signature_scheme);
  add(info.hello_retry_request);
  add(info.certificate_requested);
  text += info.application_protocol + '|' + info.verification + '|';
  for (const tc::ByteVector& certificate : info.peer_chain)
    text.append(tc::as_text(certificate));
  for (const tc::TracedMessage& message : info.messages) {
    add(message.type);
    add(message.sent);
    add(message.size);
  }
  for (const std::uint64_t number : {info.records_sent, info.records_received, info.bytes_sent, info.bytes_received})
    add(number);
  return text;
}

/// The client's program. Every call that would block is made again, after checking that the transport had said so.
class Client {
public:
  Client(const Plot& plot, test::Line& line) : plot_(plot), line_(line) {}

  Outcome run() {
    tc::Connector connector(fixed_config(plot_), test::live_name(), test::ScriptedTransport(line_));
    const tc::ByteVector first = data_of(plot_.first_data, 0);
    written_ = first.size();
    std::optional<tc::Stream<test::ScriptedTransport>> stream;
    const auto connect = [&] { return plot_.first_data > 0 ? connector.connect(first) : connector.connect(); };
    const bool connected = repeat([&]() -> tc::IoResult<> {
      auto result = connect();
      if (!result)
        return std::unexpected(std::move(result.error()));
      stream.emplace(std::move(*result));
      return {};
    });
    if (connected) {
      outcome_.connected = true;
      outcome_.finished = std::all_of(plot_.steps.begin(), plot_.steps.end(),
                                      [&](const Step& step) { return play(step, *stream); });
      // The alert of a failure leaves with later calls.
      for (int i = 0; i < 64 && outcome_.halt == tc::Halt::Kind::failed && stream->has_pending(); ++i)
        (void)stream->flush();
      outcome_.info = text_of(stream->info());
    } else {
      for (int i = 0; i < 64 && outcome_.halt == tc::Halt::Kind::failed; ++i)
        if (auto again = connect();
            again || !again.error().is_failed() || again.error().error()->code() != outcome_.error)
          throw std::logic_error("a failed connection did not stay failed");
      outcome_.info = text_of(connector.info());
    }
    outcome_.sent = line_.outbound;
    outcome_.delivered = line_.inbound_read;
    return std::move(outcome_);
  }

private:
  /// False when the program ends here.
  template <class Action>
  bool repeat(Action&& action) {
    for (;;) {
      const std::size_t before = line_.log.size();
      tc::IoResult<> result = action();
      if (result)
        return true;
      const tc::Halt& halt = result.error();
      if (!halt.is_would_block()) {
        outcome_.halt = halt.kind();
        if (const tc::Error* error = halt.error()) {
          outcome_.error = error->code();
          outcome_.os_error = error->os_error();
        }
        return false;
      }
      if (!line_.blocked_since(before))
        throw std::logic_error("would_block, but the transport had not said so");
      if (halt.interest() == tc::Interest::none)
        throw std::logic_error("would_block without an interest");
      if (++blocked_ > 200'000)
        throw std::logic_error("the conversation never ends");
    }
  }

  bool play(const Step& step, tc::Stream<test::ScriptedTransport>& stream) {
    switch (step.what) {
    case Step::What::write: {
      const tc::ByteVector data = data_of(step.size, written_);
      written_ += step.size;
      tc::BytesView rest = data;
      return repeat([&] { return stream.write_all(rest); });
    }
    case Step::What::shutdown:
      return repeat([&] { return stream.shutdown(); });
    case Step::What::read:
      return read(stream, step.size);
    case Step::What::read_to_end:
      // The server's close_notify is where the program is to end.
      if (read(stream, ~std::size_t{0}) || outcome_.halt != tc::Halt::Kind::closed)
        return false;
      outcome_.halt.reset();
      return true;
    }
    return false;
  }

  bool read(tc::Stream<test::ScriptedTransport>& stream, std::size_t wanted) {
    tc::ByteVector space(4'000);
    while (wanted > 0) {
      const bool had_data = stream.has_buffered();
      const std::size_t before = line_.log.size();
      const bool some = repeat([&]() -> tc::IoResult<> {
        const auto count = stream.read_some(tc::Bytes(space).first(std::min(wanted, space.size())));
        if (!count)
          return std::unexpected(count.error());
        if (*count == 0 || *count > std::min(wanted, space.size()))
          throw std::logic_error("read_some returned an impossible number");
        wanted -= *count;
        outcome_.received.insert(outcome_.received.end(), space.begin(),
                                 space.begin() + static_cast<std::ptrdiff_t>(*count));
        return {};
      });
      if (had_data && line_.log.size() != before)
        throw std::logic_error("the transport was called although there was data");
      if (!some)
        return false;
      outcome_.progress.emplace_back(line_.inbound_read, outcome_.received.size());
    }
    return true;
  }

  const Plot& plot_;
  test::Line& line_;
  Outcome outcome_;
  std::size_t written_ = 0;
  std::size_t blocked_ = 0;
};

} // namespace

Recording::Recording(Plot plot) : plot_(std::move(plot)) {
  test::LiveServer server(plot_.server);
  test::Line line;
  std::size_t heard = 0;
  std::size_t next = 0;
  tc::ByteVector said;
  line.peer = [&](tc::BytesView bytes) {
    (void)server.feed(bytes);
    heard += server.take_received().size();
    for (; next < plot_.replies.size() && plot_.replies[next].when(server, heard); ++next)
      plot_.replies[next].act(server);
    tc::ByteVector out = server.take_output();
    if (!out.empty())
      segments_.push_back({line.outbound.size(), out});
    said.insert(said.end(), out.begin(), out.end());
    return out;
  };
  original_ = Client(plot_, line).run();
  if (next != plot_.replies.size())
    throw std::runtime_error(plot_.name + ": the server was not heard out: " + server.failure());
  server_bytes_ = said.size();
  for (std::size_t at = 0; at + 5 <= said.size();) {
    at += 5 + (std::size_t{said[at + 3]} << 8 | said[at + 4]);
    record_ends_.push_back(at);
  }
  if (record_ends_.empty() || record_ends_.back() != said.size())
    throw std::runtime_error(plot_.name + ": the server's bytes are not whole records");
}

Outcome Recording::replay(std::function<test::Act(const test::Call&, const test::Line&)> rule) const {
  test::Line line;
  std::size_t next = 0;
  line.peer = [&](tc::BytesView) {
    tc::ByteVector out;
    for (; next < segments_.size() && segments_[next].after <= line.outbound.size(); ++next)
      out.insert(out.end(), segments_[next].bytes.begin(), segments_[next].bytes.end());
    return out;
  };
  if (rule)
    line.rule = [&](const test::Call& call) { return rule(call, line); };
  return Client(plot_, line).run();
}

namespace {

const auto at_once = [](const test::LiveServer& server, std::size_t) { return server.handshake_complete(); };
const auto closed = [](const test::LiveServer& server, std::size_t) { return server.peer_closed(); };
auto heard(std::size_t size) {
  return [size](const test::LiveServer&, std::size_t heard_so_far) { return heard_so_far >= size; };
}
auto says(std::size_t size) {
  return [size](test::LiveServer& server) {
    if (!server.send(tc::BytesView(data_of(size, 99))))
      throw std::runtime_error("the server cannot send: " + server.failure());
  };
}
auto updates(bool both) {
  return [both](test::LiveServer& server) { (void)server.update_keys(both); };
}

std::vector<Plot> plots() {
  using What = Step::What;
  const Step end{What::read_to_end};
  const Step shutdown{What::shutdown};
  std::vector<Plot> all;
  all.push_back({.name = "one round trip",
                 .replies = {{heard(100), says(200)}},
                 .steps = {{What::write, 100}, {What::read, 200}, shutdown, end}});
  all.push_back({.name = "HelloRetryRequest, first data",
                 .server = {.retry = true},
                 .replies = {{heard(50), says(70)}},
                 .first_data = 50,
                 .steps = {{What::read, 70}, shutdown, end}});
  all.push_back({.name = "client certificate requested",
                 .server = {.request_certificate = true},
                 .replies = {{heard(10), says(10)}},
                 .steps = {{What::write, 10}, {What::read, 10}, shutdown, end}});
  all.push_back({.name = "server speaks first, then 40 KB both ways",
                 .replies = {{at_once, says(20)}, {heard(40'000), says(40'000)}},
                 .steps = {{What::read, 20}, {What::write, 40'000}, {What::read, 40'000}, shutdown, end}});
  all.push_back({.name = "KeyUpdate both ways, tickets",
                 .replies = {{heard(10), updates(true)},
                             {heard(10), says(400)},
                             {heard(400), [](test::LiveServer& server) { (void)server.send_tickets(2); }},
                             {heard(400), updates(false)},
                             {heard(400), says(300)},
                             {heard(400), updates(true)},
                             {heard(400), says(300)}},
                 .steps = {{What::write, 10},
                           {What::read, 400},
                           {What::write, 390},
                           {What::read, 600},
                           {What::write, 5},
                           shutdown,
                           end}});
  all.push_back({.name = "client closes first, server talks on",
                 .server = {.answer_close = false},
                 .replies = {{closed, says(1'000)}, {closed, [](test::LiveServer& server) { (void)server.close(); }}},
                 .steps = {{What::write, 30}, shutdown, end}});
  all.push_back({.name = "server closes first, client talks on",
                 .replies = {{at_once, says(500)}, {at_once, [](test::LiveServer& server) { (void)server.close(); }}},
                 .steps = {end, {What::write, 300}, shutdown, end}});
  all.push_back({.name = "failed verification", .refuse_certificate = true});
  all.push_back({.name = "alert from the server",
                 .replies = {{heard(10), says(50)},
                             {heard(10), [](test::LiveServer& server) { (void)server.send_alert(80, true); }}},
                 .steps = {{What::write, 10}, end}});
  return all;
}

} // namespace

const std::vector<Recording>& recordings() {
  static const std::vector<Recording> all = [] {
    std::vector<Recording> made;
    for (Plot& plot : plots())
      made.emplace_back(std::move(plot));
    return made;
  }();
  return all;
}

} // namespace sweeps
