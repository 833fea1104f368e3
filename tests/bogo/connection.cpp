#include "connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <tlsconnect/tlsconnect.hpp>

#include "checks.hpp"
#include "transport.hpp"

namespace bogo {

using tlsconnect::BytesView;
using tlsconnect::ClientConfig;
using tlsconnect::Connector;
using tlsconnect::Error;
using tlsconnect::Halt;
using tlsconnect::Interest;
using tlsconnect::IoResult;
using tlsconnect::Result;
using tlsconnect::Stream;
using tlsconnect::VerifiedChain;

namespace {

using RunnerStream = Stream<RunnerSocket>;

/// Calls until the outcome is not "would block", waiting between the calls for what was asked for.
template <class Call>
auto patiently(RunnerSocket& socket, const Call& call) {
  for (;;) {
    auto outcome = call();
    if (outcome || !outcome.error().is_would_block())
      return outcome;
    socket.wait(outcome.error().interest());
  }
}

/// What -async makes the connection ask its caller for.
void supply(Connector<RunnerSocket>& connector, Interest interest, const ClientConfig& config, const Judge& judge) {
  if (includes(interest, Interest::verdict))
    if (const auto request = connector.verdict_request()) {
      if (!request->presented.chain.empty())
        (void)connector.give_verdict(judge.certificates(request->presented));
      else if (const Result<std::string> accepted = judge.raw_public_key(*request->public_key))
        (void)connector.give_verdict(VerifiedChain{{}, *accepted});
      else
        (void)connector.give_verdict(std::unexpected(accepted.error()));
    }
  if (includes(interest, Interest::signature))
    if (const auto request = connector.signature_request())
      (void)connector.give_signature(
          sign_now(config.credentials()[request->credential], request->scheme, request->content, config.rng()));
}

/// How a failure is told to the runner: its configuration file lists which of these names stand for which of its own.
Complaint describe_error(const Error& error) {
  Complaint text = "tlsconnect error [" + std::string(tlsconnect::describe(error.code()).name) + "]";
  if (error.alert_received())
    text += " [alert " + std::string(name_of(*error.alert_received())) + "]";
  return text + " " + error.message();
}

Complaint describe_halt(const Halt& halt) {
  if (halt.is_closed())
    return "tlsconnect error [closed]";
  if (halt.is_truncated())
    return "tlsconnect error [truncated]";
  const Error* error = halt.error();
  return error ? describe_error(*error) : "tlsconnect error: " + halt.message();
}

/// Application data with the library's answers, and what is expected of each.
class Conversation {
public:
  /// `first_words`: what is still to be said first.
  Conversation(const ConnectionOptions& options, RunnerStream& stream, const Notes& notes, Octets first_words)
      : options_(options), stream_(stream), notes_(notes), first_words_(std::move(first_words)) {}

  [[nodiscard]] Outcome run() {
    if (Outcome sent = export_keys(); !sent)
      return sent;
    if (options_.send_alert)
      return send_alert();
    if (Outcome sent = speak_first(); !sent)
      return sent;
    if (!options_.shim_shuts_down)
      if (Outcome echoed = echo(); !echoed)
        return echoed;
    return close();
  }

private:
  [[nodiscard]] Outcome write(BytesView bytes) {
    const IoResult<> written =
        patiently(stream_.next_layer(), [&]() -> IoResult<> { return stream_.write_all(bytes); });
    if (!written)
      return std::unexpected(describe_halt(written.error()));
    return {};
  }

  /// The runner compares these with what it has.
  [[nodiscard]] Outcome export_keys() {
    Octets material(options_.export_keying_material);
    std::optional<BytesView> context;
    if (options_.use_export_context)
      context = tlsconnect::as_bytes(options_.export_context);
    if (!material.empty())
      if (const Result<> exported = stream_.export_keying_material(options_.export_label, context, material); !exported)
        return std::unexpected(describe_error(exported.error()));
    if (options_.tls_unique) {
      const Result<tlsconnect::ByteVector> binding = stream_.tls_unique();
      if (!binding)
        return std::unexpected(describe_error(binding.error()));
      material.insert(material.end(), binding->begin(), binding->end());
    }
    if (options_.export_traffic_secrets) {
      namespace labels = tlsconnect::key_log_labels;
      const Octets reading = notes_.key_log->secret(labels::server_application_traffic);
      const Octets writing = notes_.key_log->secret(labels::client_application_traffic);
      material.push_back(static_cast<std::uint8_t>(reading.size()));
      material.push_back(0);
      material.insert(material.end(), reading.begin(), reading.end());
      material.insert(material.end(), writing.begin(), writing.end());
    }
    return write(material);
  }

  [[nodiscard]] Outcome speak_first() {
    if (options_.write_different_record_sizes) {
      // Around every edge of a record's size.
      const Octets filler(32'769, 0x42);
      constexpr std::size_t sizes[] = {0, 1, 255, 256, 257, 16'383, 16'384, 16'385, 32'767, 32'768, 32'769};
      for (const std::size_t size : sizes)
        if (Outcome sent = write(BytesView(filler).first(size)); !sent)
          return sent;
      return {};
    }
    if (options_.read_with_unfinished_write && !first_words_.empty()) {
      // The first byte of a record goes out; the rest has to wait until something was read.
      stream_.next_layer().hold_writes(1);
      const IoResult<std::size_t> taken = stream_.write_some(first_words_);
      if (!taken)
        return std::unexpected(describe_halt(taken.error()));
      return {};
    }
    return write(first_words_);
  }

  [[nodiscard]] Outcome update_keys() {
    const IoResult<> updated = patiently(stream_.next_layer(), [&] { return stream_.update_keys(); });
    if (!updated)
      return std::unexpected(describe_halt(updated.error()));
    return {};
  }

  /// A fatal alert that no step of a client sends, decompression_failure, which only old versions had.
  [[nodiscard]] Outcome send_alert() {
    constexpr auto decompression_failure = static_cast<tlsconnect::AlertDescription>(30);
    const IoResult<> sent = patiently(stream_.next_layer(), [&] { return stream_.abort(decompression_failure); });
    if (!sent)
      return std::unexpected(describe_halt(sent.error()));
    return {};
  }

  /// -peek-then-read: what is seen is what will be read, and looking twice changes nothing.
  [[nodiscard]] Outcome look() {
    const IoResult<BytesView> seen = patiently(stream_.next_layer(), [&] { return stream_.peek(); });
    if (!seen)
      return {}; // reading says why
    const Octets first(seen->begin(), seen->end());
    const IoResult<BytesView> again = stream_.peek();
    if (!again || !std::ranges::equal(*again, first))
      return std::unexpected("what was seen twice is not the same");
    seen_ = first;
    return {};
  }

  /// Sends back what comes, every bit inverted, until the runner ends its direction.
  [[nodiscard]] Outcome echo() {
    Octets buffer(options_.read_size != 0 ? options_.read_size : 512);
    for (;;) {
      if (options_.key_update_before_read)
        if (Outcome updated = update_keys(); !updated)
          return updated;
      if (options_.peek_then_read)
        if (Outcome looked = look(); !looked)
          return looked;
      const IoResult<std::size_t> count = patiently(stream_.next_layer(), [&] { return stream_.read_some(buffer); });
      stream_.next_layer().let_writes_go();
      if (!count) {
        closed_ = count.error().is_closed();
        if (closed_ || (count.error().is_truncated() && !options_.check_close_notify))
          return {};
        return std::unexpected(describe_halt(count.error()));
      }
      if (options_.peek_then_read &&
          !std::ranges::equal(std::span(buffer).first(*count), std::span(seen_).first(std::min(*count, seen_.size()))))
        return std::unexpected("what was read is not what was seen");
      if (options_.key_update)
        if (Outcome updated = update_keys(); !updated)
          return updated;
      for (std::uint8_t& octet : std::span(buffer).first(*count))
        octet ^= 0xff;
      if (Outcome sent = write(BytesView(buffer).first(*count)); !sent)
        return sent;
    }
  }

  [[nodiscard]] Outcome close() {
    if (!options_.check_close_notify)
      return {};
    const IoResult<> shut = patiently(stream_.next_layer(), [&] { return stream_.shutdown(); });
    if (!shut)
      return std::unexpected(describe_halt(shut.error()));
    if (closed_)
      return {};
    // Nothing but the runner's own close_notify may follow.
    std::array<std::uint8_t, 512> buffer{};
    const IoResult<std::size_t> last = patiently(stream_.next_layer(), [&] { return stream_.read_some(buffer); });
    if (last)
      return std::unexpected("shim error [data after shutdown]");
    if (!last.error().is_closed())
      return std::unexpected(describe_halt(last.error()));
    return {};
  }

  const ConnectionOptions& options_;
  RunnerStream& stream_;
  const Notes& notes_;
  Octets first_words_;
  Octets seen_;
  bool closed_ = false;
};

/// What -shim-writes-first says first.
Octets first_words(const ConnectionOptions& options) {
  Octets words;
  if (options.shim_writes_first || options.read_with_unfinished_write)
    for (unsigned i = 0; i < options.repeat_shim_initial_write; ++i)
      words.insert(words.end(), options.shim_initial_write.begin(), options.shim_initial_write.end());
  return words;
}

/// Writes what is to be said first, each time that it is to be said by itself.
void write_early(Connector<RunnerSocket>& connector, const ConnectionOptions& options) {
  if (options.shim_writes_first || options.read_with_unfinished_write)
    for (unsigned i = 0; i < options.repeat_shim_initial_write; ++i)
      (void)connector.add_early_data(tlsconnect::replay_safe(tlsconnect::as_bytes(options.shim_initial_write)));
}

/// The number of the last message that came; 0 while none has.
std::uint8_t last_received(const tlsconnect::ConnectionInfo& info) {
  std::uint8_t type = 0;
  for (const auto& message : info.messages)
    if (!message.sent)
      type = static_cast<std::uint8_t>(message.type);
  return type;
}

} // namespace

Outcome run_connection(const RunOptions& run, Shared& shared, bool resuming) {
  const ConnectionOptions* options = resuming ? &run.resume : &run.initial;
  if (!shared.sessions->begin_connection() && resuming)
    return std::unexpected("there is no session to offer");
  Notes notes;
  auto judge = Judge::create(run, resuming, shared.clock, notes);
  if (!judge)
    return std::unexpected(std::move(judge.error()));
  const auto config = configure(*options, shared, *judge, notes);
  if (!config)
    return std::unexpected(config.error());
  auto name = server_name(*options);
  if (!name)
    return std::unexpected(std::move(name.error()));
  auto socket = RunnerSocket::dial(*options);
  if (!socket)
    return std::unexpected(std::move(socket.error()));

  Octets words = first_words(*options);
  const bool early = options->enable_early_data && resuming;
  Connector<RunnerSocket> connector(*config, std::move(*name), std::move(*socket),
                                    early ? tlsconnect::replay_safe_later() : tlsconnect::ReplaySafe());
  bool written_early = !early || options->early_write_after_message == 0;
  if (early && written_early)
    write_early(connector, *options);
  IoResult<RunnerStream> stream = connector.connect();
  while (!stream && stream.error().is_would_block()) {
    if (!written_early && last_received(connector.info()) == options->early_write_after_message) {
      written_early = true;
      write_early(connector, *options);
    }
    supply(connector, stream.error().interest(), **config, **judge);
    connector.next_layer().wait(stream.error().interest());
    stream = connector.connect();
  }
  if (!stream) {
    // An alert may not have left yet: the call after a failure sends on.
    connector.next_layer().stop_trickling();
    (void)connector.connect();
    connector.next_layer().finish();
    return std::unexpected(describe_halt(stream.error()));
  }

  if (early)
    words = stream->take_unaccepted_early_data();
  const bool rejected = stream->info().early_data == tlsconnect::EarlyDataOutcome::rejected;
  const bool as_expected = rejected == (resuming && options->expect_reject_early_data);
  if (rejected) {
    // To the runner, this is another connection: with other expectations, and other first words. What it expects of the
    // one before is what the session promised; there is no such state here.
    options = &run.retry;
    words = first_words(*options);
  }
  Outcome outcome = check_handshake(*options, {stream->info(), *shared.sessions, notes, resuming});
  if (outcome && !as_expected)
    outcome = std::unexpected(rejected ? "early data was rejected" : "early data was not rejected");
  if (outcome)
    outcome = Conversation(*options, *stream, notes, std::move(words)).run();
  if (outcome)
    outcome = check_end(*options, stream->info(), *shared.sessions);
  stream->next_layer().stop_trickling();
  (void)stream->flush();
  stream->next_layer().finish();
  shared.clock->advance(options->resumption_delay);
  return outcome;
}

} // namespace bogo
