// Makes connections: what SSL_connect was.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <tlsconnect/drive.hpp>
#include <tlsconnect/engine.hpp>
#include <tlsconnect/stream.hpp>
#include <tlsconnect/transport.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Drives one TLS handshake over a transport. Owns the transport until connect() gives it away inside a Stream.
template <Transport T>
class [[nodiscard]] Connector {
public:
  /// `config` decides what is offered and whom to trust, `name` is the server that must be reached; neither can be
  /// left out. The transport must be connected already; nothing is sent before connect().
  ///
  /// `early_data` goes out behind the ClientHello when there is a session that permits it (RFC 9846, 2.3), as much of it
  /// as that permits. What the server did not accept is never sent again by itself: after connect(), take it from
  /// Stream::take_unaccepted_early_data.
  Connector(ConfigPtr config, ServerName name, T transport, ReplaySafe early_data = {})
      : engine_(std::move(config), std::move(name), early_data), transport_(std::move(transport)) {}

  /// Performs the handshake. Over a blocking transport it returns when the handshake is finished or has failed; over a
  /// non-blocking one also when the transport would block: wait for what `interest()` names and call again. The
  /// client's Finished has gone to the transport when a Stream is returned.
  ///
  /// Halts: would_block, also with Interest::verdict or Interest::signature when the caller has to supply something,
  /// which happens over a blocking transport too: give it, and call again; closed (the server ended the handshake with close_notify); truncated (the transport ended);
  /// failed (every later call returns the same error).
  ///
  /// A transport with set_nodelay is asked to switch Nagle's algorithm off right before the client's last flight: the
  /// first application data often follows it at once, and would otherwise wait for the acknowledgement of that flight.
  /// It stays off, because a stream writes whole flights and has nothing to gain from Nagle; to switch it on again,
  /// use Stream::set_nodelay(false). A transport's refusal costs latency only and is ignored.
  [[nodiscard]] IoResult<Stream<T>> connect() {
    if (IoResult<> done = handshake(); !done)
      return std::unexpected(std::move(done.error()));
    if constexpr (HasNodelay<T>)
      (void)transport_.set_nodelay(true);
    if (IoResult<> flushed = detail::flush(engine_, transport_); !flushed)
      return stop(std::move(flushed.error()));
    return give_away();
  }

  /// The same, and sends the first application data together with the client's Finished in one write, so that Nagle's
  /// algorithm has nothing to delay (set_nodelay is not used). When a Stream is returned, it owns all of `first_data`
  /// and has sent what the transport took; any other outcome has taken nothing. The data is for a verified server: it
  /// is not early data and cannot be replayed.
  [[nodiscard]] IoResult<Stream<T>> connect(BytesView first_data) {
    if (IoResult<> done = handshake(); !done)
      return std::unexpected(std::move(done.error()));
    if (Result<> queued = engine_.encrypt_all(first_data); !queued)
      return stop(Halt::failed(std::move(queued.error())));
    if (IoResult<> flushed = detail::flush(engine_, transport_); !flushed && !flushed.error().is_would_block())
      return stop(std::move(flushed.error()));
    return give_away();
  }

  /// More early data, before connect() or while it halts; it leaves with the next call of connect(). What the server does
  /// not accept, or cannot be sent early any more, comes back with the rest. See ClientEngine.
  Result<> add_early_data(ReplaySafe early_data) noexcept { return engine_.add_early_data(early_data); }
  /// When connect() halts with Interest::verdict: what to judge, and the judgement. See ClientEngine.
  [[nodiscard]] std::optional<VerdictRequest> verdict_request() const noexcept { return engine_.verdict_request(); }
  Result<> give_verdict(Result<VerifiedChain> verdict) noexcept { return engine_.give_verdict(std::move(verdict)); }
  /// When connect() halts with Interest::signature: what to sign with the client's key, and the signature.
  [[nodiscard]] std::optional<SignatureRequest> signature_request() const noexcept {
    return engine_.signature_request();
  }
  Result<> give_signature(Result<ByteVector> signature) noexcept {
    return engine_.give_signature(std::move(signature));
  }
  /// Gives the handshake up with this alert, `user_canceled` as a rule; see Stream.
  [[nodiscard]] IoResult<> abort(AlertDescription alert) {
    engine_.abort(alert);
    return detail::flush(engine_, transport_);
  }
  /// After a handshake that failed: the early data that the server has not accepted.
  [[nodiscard]] ByteVector take_unaccepted_early_data() noexcept { return engine_.take_unaccepted_early_data(); }
  /// Keying material that goes with early data; see ClientEngine.
  [[nodiscard]] Result<> export_early_keying_material(std::string_view label, BytesView context,
                                                      Bytes out) const noexcept {
    return engine_.export_early_keying_material(label, context, out);
  }

  /// What is known so far; useful after a failure too.
  [[nodiscard]] const ConnectionInfo& info() const noexcept { return engine_.info(); }
  /// The transport, as long as it has not been given away.
  [[nodiscard]] T& next_layer() noexcept { return transport_; }

private:
  IoResult<> handshake() {
    if (given_away_)
      return std::unexpected(Halt::failed(Error(ErrorCode::already_connected, "connect")));
    while (!failure_ && !engine_.handshake_complete()) {
      if (engine_.peer_closed())
        return std::unexpected(Halt::closed());
      if (IoResult<> filled = detail::fill(engine_, transport_); !filled)
        return stop(std::move(filled.error()));
    }
    if (const Error* error = engine_.failure()) {
      // Its alert may still be waiting.
      (void)detail::flush(engine_, transport_);
      return stop(Halt::failed(*error));
    }
    if (failure_)
      return std::unexpected(Halt::failed(*failure_));
    return {};
  }
  /// Keeps a failure, also one of the transport: nobody knows what became of the bytes that it had, and first_data that
  /// was queued must not be queued again.
  std::unexpected<Halt> stop(Halt halt) {
    if (halt.is_failed()) {
      failure_ = *halt.error();
      // The engine learns of a transport that failed too: nothing will come that could decide on early data.
      engine_.received_end();
    }
    return std::unexpected(std::move(halt));
  }
  IoResult<Stream<T>> give_away() {
    given_away_ = true;
    return Stream<T>(std::move(engine_), std::move(transport_));
  }

  ClientEngine engine_;
  T transport_;
  std::optional<Error> failure_;
  bool given_away_ = false;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
