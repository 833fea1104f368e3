#include "conversation.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/connector.hpp>

#include "deterministic.hpp"
#include "live_server.hpp"
#include "test_pki.hpp"

namespace sweeps {
namespace {

/// Path validation has tests of its own; here it would only take time.
class Verdict final : public tc::CertificateVerifier {
public:
  Verdict(bool accept, bool later) : accept_(accept), later_(later) {}
  tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate&, const tc::ServerName&,
                                       std::int64_t) const noexcept override {
    return verdict(accept_);
  }
  bool decides_later() const noexcept override { return later_; }

  static tc::Result<tc::VerifiedChain> verdict(bool accept) noexcept {
    if (!accept)
      return tc::fail(tc::ErrorCode::certificate_rejected, "Verdict");
    return tc::VerifiedChain{};
  }

private:
  bool accept_;
  bool later_;
};

template <class T>
T must(tc::Result<T> result) {
  if (!result)
    throw std::runtime_error(result.error().message());
  return std::move(*result);
}

struct ClientKey {
  test::Identity identity = test::self_signed({.common_name = "client"});
  tc::PrivateKey key = must(tc::PrivateKey::from_der(identity.key_der()));
};
const ClientKey& client_key() {
  static const ClientKey key;
  return key;
}

/// As if an earlier connection to the same server had left it behind, a second ago.
tc::Session make_session(const tc::ClientConfig& config, std::uint32_t max_early_data) {
  tc::Session session;
  session.secret = tc::SessionSecret(session_key());
  session.ticket = session_ticket();
  session.lifetime = 3'600;
  session.age_add = 0x89ABCDEF;
  session.received_at = config.clock().now() - 1'000;
  session.usable_until = config.clock().now() + 1'000'000;
  session.max_early_data = max_early_data;
  session.server_name = test::live_name().text();
  session.trust_identity = tc::to_vector(config.trust_identity());
  // Any certificate will do: it is judged by the caller.
  if (config.verify_again_on_resumption())
    session.peer_chain.push_back({client_key().identity.der(), {}, {}});
  return session;
}

/// The same in TLS 1.2.
tc::Session make_session12(const tc::ClientConfig& config, bool ticket) {
  tc::Session session = make_session(config, 0);
  session.version = tc::ProtocolVersion::tls1_2;
  session.cipher_suite = tc::CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256;
  session.secret = tc::SessionSecret(main_secret12());
  session.age_add = 0;
  session.extended_main_secret = true;
  if (!ticket) {
    session.ticket.clear();
    session.session_id.assign(32, 0x1D);
  }
  return session;
}

tc::ConfigPtr fixed_config(const Plot& plot) {
  auto builder = test::live_config_builder();
  builder.verifier(std::make_shared<Verdict>(!plot.refuse_certificate, plot.verdict_later))
      .rng(std::make_shared<test::FixedRng>(7));
  if (plot.configure)
    plot.configure(builder);
  auto config = must(builder.build());
  if (plot.session)
    config->session_store()->put(tc::session_key(test::live_name(), config->trust_identity()),
                                 make_session(*config, *plot.session));
  if (plot.session12 != Plot::Session12::none)
    config->session_store()->put(tc::session_key(test::live_name(), config->trust_identity()),
                                 make_session12(*config, plot.session12 == Plot::Session12::ticket));
  return config;
}

/// What a failed connection had received beyond the place where it failed depends on how the bytes were cut.
std::string text_of(const tc::ConnectionInfo& info, bool failed) {
  std::string text;
  const auto add = [&](auto number) { text += std::to_string(static_cast<unsigned long long>(number)) + ' '; };
  add(info.version);
  add(info.cipher_suite);
  add(info.group);
  add(info.signature_scheme);
  add(info.hello_retry_request);
  add(info.certificate_requested);
  add(info.client_certificate_sent);
  add(info.psk);
  add(info.external_psk.value_or(99));
  add(info.early_data);
  add(info.early_data_accepted);
  text += info.application_protocol + '|' + info.verification + '|';
  for (const tc::ByteVector& certificate : info.peer_chain)
    text.append(tc::as_text(certificate));
  for (const tc::TracedMessage& message : info.messages) {
    add(message.type);
    add(message.sent);
    add(message.size);
  }
  add(info.records_sent);
  add(info.bytes_sent);
  if (!failed) {
    add(info.records_received);
    add(info.bytes_received);
  }
  return text;
}

/// The client's program. Every call that would block is made again, after checking that the transport had said so.
class Client {
public:
  using Transport = test::ScriptedTransport;

  Client(const Plot& plot, test::Line& line) : plot_(plot), line_(line) {}

  Outcome run() {
    const tc::ByteVector early = Plot::data(plot_.early_data, 0);
    tc::Connector connector(fixed_config(plot_), test::live_name(), Transport(line_), tc::replay_safe(early));
    const tc::ByteVector first = Plot::data(plot_.first_data, early.size());
    written_ = early.size() + first.size();
    std::optional<tc::Stream<Transport>> stream;
    const auto connect = [&] { return plot_.first_data > 0 ? connector.connect(first) : connector.connect(); };
    const auto attempt = [&]() -> tc::IoResult<> {
      auto result = connect();
      if (result) {
        stream.emplace(std::move(*result));
        return {};
      }
      if (result.error().is_would_block())
        take_back(connector);
      return std::unexpected(std::move(result.error()));
    };
    const bool connected = repeat(attempt, [&](tc::Interest interest) {
      check_output(connector.info(), interest);
      // What is awaited stays awaited, and nothing is read meanwhile.
      const std::size_t read = line_.inbound_read;
      if (const tc::IoResult<> again = attempt(); again || line_.inbound_read != read)
        throw std::logic_error("what was awaited is forgotten");
      else if (again.error().is_would_block())
        check_output(connector.info(), again.error().interest());
      if (includes(interest, tc::Interest::verdict))
        give_verdict(connector);
      else
        give_signature(connector);
    });
    if (connected) {
      outcome_.connected = true;
      take_back(*stream);
      outcome_.finished =
          std::all_of(plot_.steps.begin(), plot_.steps.end(), [&](const Step& step) { return play(step, *stream); });
      // The alert of a failure leaves with later calls.
      for (int i = 0; i < 64 && outcome_.halt == tc::Halt::Kind::failed && stream->has_pending(); ++i)
        (void)stream->flush();
      outcome_.info = stream->info();
    } else {
      for (int i = 0; i < 64 && outcome_.halt == tc::Halt::Kind::failed; ++i)
        if (auto again = connect();
            again || !again.error().is_failed() || again.error().error()->code() != outcome_.error)
          throw std::logic_error("a failed connection did not stay failed");
      take_back(connector);
      outcome_.info = connector.info();
    }
    outcome_.sent = line_.outbound;
    outcome_.delivered = line_.inbound_read;
    return std::move(outcome_);
  }

private:
  static constexpr auto nothing_to_supply = [](tc::Interest) {
    throw std::logic_error("there is nothing to supply here");
  };

  /// Calls until it is done; false when the program ends here. `supply` is called for what only the caller has.
  template <class Action, class Supply>
  bool repeat(Action&& action, Supply&& supply) {
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
      if (halt.interest() == tc::Interest::none)
        throw std::logic_error("would_block without an interest");
      if (includes(halt.interest(), tc::Interest::write) && !write_blocked_since(before))
        throw std::logic_error("an interest in writing, but the transport had not said so");
      const tc::Interest asked = halt.interest() & (tc::Interest::verdict | tc::Interest::signature);
      if (asked == tc::Interest::none && !line_.blocked_since(before))
        throw std::logic_error("would_block, but the transport had not said so");
      if (asked != tc::Interest::none) {
        ++outcome_.supplied;
        supply(halt.interest());
      }
      if (++blocked_ > 200'000)
        throw std::logic_error("the conversation never ends");
    }
  }

  /// Whoever waits for its caller has sent what it had to say, or says that it could not.
  void check_output(const tc::ConnectionInfo& info, tc::Interest interest) {
    const std::size_t waiting = static_cast<std::size_t>(info.bytes_sent) - line_.outbound.size();
    if ((waiting > 0) != includes(interest, tc::Interest::write))
      throw std::logic_error(waiting > 0 ? "output stays behind while the caller is awaited"
                                         : "an interest in writing, but there is nothing to write");
    if (waiting > 0)
      ++outcome_.held_back;
  }

  [[nodiscard]] bool write_blocked_since(std::size_t before) const {
    return std::any_of(line_.log.begin() + static_cast<std::ptrdiff_t>(before), line_.log.end(),
                       [](const test::Line::Entry& entry) { return entry.call.is_write() && entry.blocked; });
  }

  /// Early data that was not accepted: once, and not before the end of the handshake.
  template <class Giving>
  void take_back(Giving& giving) {
    const tc::ByteVector given = giving.take_unaccepted_early_data();
    if (!given.empty() && !outcome_.halt && giving.info().handshake_duration == 0)
      throw std::logic_error("early data was given back before anything was decided");
    if (!giving.take_unaccepted_early_data().empty())
      throw std::logic_error("early data was given back twice");
    outcome_.given_back.insert(outcome_.given_back.end(), given.begin(), given.end());
  }
  void give_verdict(tc::Connector<Transport>& connector) const {
    const auto request = connector.verdict_request();
    if (!request || request->presented.chain.empty() || !request->public_key)
      throw std::logic_error("a verdict is awaited, but on nothing");
    const tc::Result<> given = connector.give_verdict(Verdict::verdict(!plot_.refuse_certificate));
    if (given.has_value() == plot_.refuse_certificate)
      throw std::logic_error("the verdict was not understood");
  }
  template <class Asking>
  void give_signature(Asking& asking) const {
    const auto request = asking.signature_request();
    if (!request || request->credential != 0)
      throw std::logic_error("a signature is awaited, but of nothing");
    test::FixedRng rng(9);
    if (!asking.give_signature(client_key().key.sign(request->scheme, request->content, rng)))
      throw std::logic_error("the signature was not taken");
    if (asking.give_signature(tc::ByteVector{}))
      throw std::logic_error("a second signature was taken");
  }

  bool play(const Step& step, tc::Stream<Transport>& stream) {
    switch (step.what) {
    case Step::What::write: {
      const tc::ByteVector data = Plot::data(step.size, written_);
      written_ += step.size;
      tc::BytesView rest = data;
      return repeat([&] { return stream.write_all(rest); }, nothing_to_supply);
    }
    case Step::What::update_keys:
      // Repeated after would_block, it changes nothing more.
      return repeat([&] { return stream.update_keys(true); }, nothing_to_supply);
    case Step::What::shutdown:
      return repeat([&] { return stream.shutdown(); }, nothing_to_supply);
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

  bool read(tc::Stream<Transport>& stream, std::size_t wanted) {
    tc::ByteVector space(4'000);
    while (wanted > 0) {
      const bool had_data = stream.has_buffered();
      const std::size_t before = line_.log.size();
      const auto attempt = [&]() -> tc::IoResult<> {
        const auto count = stream.read_some(tc::Bytes(space).first(std::min(wanted, space.size())));
        if (!count)
          return std::unexpected(count.error());
        if (*count == 0 || *count > std::min(wanted, space.size()))
          throw std::logic_error("read_some returned an impossible number");
        wanted -= *count;
        outcome_.received.insert(outcome_.received.end(), space.begin(),
                                 space.begin() + static_cast<std::ptrdiff_t>(*count));
        return {};
      };
      const bool some = repeat(attempt, [&](tc::Interest interest) {
        check_output(stream.info(), interest);
        give_signature(stream);
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

bool Outcome::same_as(const Outcome& other) const {
  return connected == other.connected && finished == other.finished && halt == other.halt && error == other.error &&
         os_error == other.os_error && received == other.received && sent == other.sent &&
         given_back == other.given_back && supplied == other.supplied &&
         text_of(info, error.has_value()) == text_of(other.info, other.error.has_value());
}

tc::ByteVector Plot::data(std::size_t size, std::size_t start) {
  tc::ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>((start + i) * 13 + (start + i) / 256);
  return bytes;
}

tc::ByteVector session_ticket() { return Plot::data(90, 5'000); }
tc::ByteVector main_secret12() { return Plot::data(48, 7'000); }
tc::ByteVector session_key() { return Plot::data(32, 6'000); }

tc::Credential client_credential(bool later) {
  std::vector<tc::Certificate> chain;
  chain.push_back(must(tc::Certificate::from_der(client_key().identity.der())));
  if (!later)
    return must(tc::Credential::create(std::move(chain), client_key().key));
  return must(tc::Credential::create(
      std::move(chain), std::make_shared<tc::SignLater>(std::vector{tc::SignatureScheme::ecdsa_secp256r1_sha256})));
}

Recording::Recording(Plot plot) : plot_(std::move(plot)) {
  const std::unique_ptr<Peer> server = plot_.server();
  test::Line line;
  tc::ByteVector said;
  line.peer = [&](tc::BytesView bytes) {
    tc::ByteVector out = server->hear(bytes);
    if (!out.empty())
      segments_.push_back({line.outbound.size(), out});
    said.insert(said.end(), out.begin(), out.end());
    return out;
  };
  // In small pieces, it shows after which of them the server answers.
  if (plot_.small_writes)
    line.rule = [](const test::Call& call) { return call.is_write() ? test::Act::go(500) : test::Act::go(); };
  original_ = Client(plot_, line).run();
  if (const std::string complaint = server->complaint(); !complaint.empty())
    throw std::runtime_error(plot_.name + ": " + complaint);
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
