// An established connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/drive.hpp>
#include <tlsconnect/engine.hpp>
#include <tlsconnect/transport.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

template <Transport T>
class Connector;

/// An established, verified TLS connection over a transport, which it owns. Only Connector makes one, after the
/// server's Finished was verified. It is itself a Transport.
///
/// Any call may follow any outcome, with any buffer. would_block names what to wait for, not which call to repeat; it
/// is returned only when the transport said so in that very call, and by read_some never while received data waits.
/// So: with a non-blocking transport, read until would_block before sleeping. One thread at a time.
template <Transport T>
class [[nodiscard]] Stream {
public:
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  /// Puts at most space.size() bytes of application data into `space`, at least 1 unless `space` is empty. Sends what
  /// is pending on the way, but never waits because of it, and reports that sending failed only when there is nothing
  /// to read.
  /// Halts: would_block, with Interest::signature when the server asked for a certificate after the handshake and the
  /// client's key is elsewhere; closed (the peer sent close_notify: all of its data has been read); truncated (the transport
  /// ended without one); failed.
  [[nodiscard]] IoResult<std::size_t> read_some(Bytes space) {
    for (;;) {
      if (const BytesView plain = engine_.plaintext(); !plain.empty()) {
        const std::size_t count = std::min(plain.size(), space.size());
        copy_bytes(plain.first(count), space);
        engine_.consume(count);
        return count;
      }
      if (engine_.peer_closed())
        return std::unexpected(Halt::closed());
      if (space.empty() && !engine_.failure())
        return std::size_t{0};
      if (IoResult<> filled = detail::fill(engine_, transport_); !filled)
        return std::unexpected(std::move(filled.error()));
    }
  }

  /// What read_some would give next, without taking it: at least one byte, in a view that lasts until the next call on
  /// this stream. Halts as read_some does.
  [[nodiscard]] IoResult<BytesView> peek() {
    for (;;) {
      if (const BytesView plain = engine_.plaintext(); !plain.empty())
        return plain;
      if (engine_.peer_closed())
        return std::unexpected(Halt::closed());
      if (IoResult<> filled = detail::fill(engine_, transport_); !filled)
        return std::unexpected(std::move(filled.error()));
    }
  }

  /// Takes some of the bytes, at least 1 unless `bytes` is empty, seals them and sends what the transport takes. The
  /// count that is returned is owned by the stream: it goes out with this or a later call, and must not be given
  /// again.
  /// Halts: would_block (earlier bytes still wait; none of these was taken); failed, among others with
  /// write_side_closed after shutdown().
  [[nodiscard]] IoResult<std::size_t> write_some(BytesView bytes) {
    if (IoResult<> flushed = flush(); !flushed)
      return std::unexpected(std::move(flushed.error()));
    Result<std::size_t> taken = engine_.encrypt(bytes);
    if (!taken)
      return std::unexpected(Halt::failed(std::move(taken.error())));
    if (IoResult<> flushed = flush(); !flushed && !flushed.error().is_would_block())
      return std::unexpected(std::move(flushed.error()));
    return *taken;
  }

  /// Writes all of `bytes` and flushes. The view is shortened by what was taken, also when the call halts: after
  /// would_block, call again with the same view and nothing is lost or sent twice.
  [[nodiscard]] IoResult<> write_all(BytesView& bytes) {
    while (!bytes.empty()) {
      IoResult<std::size_t> taken = write_some(bytes);
      if (!taken)
        return std::unexpected(std::move(taken.error()));
      bytes = bytes.subspan(*taken);
    }
    return flush();
  }
  /// The same for a view that the caller does not keep; for blocking transports.
  [[nodiscard]] IoResult<> write_all(BytesView&& bytes) { return write_all(bytes); }

  /// Sends what is pending. would_block when some of it still waits.
  [[nodiscard]] IoResult<> flush() {
    IoResult<> flushed = detail::flush(engine_, transport_);
    if (flushed)
      if (const Error* error = engine_.failure())
        return std::unexpected(Halt::failed(*error));
    return flushed;
  }

  /// Ends the sending direction with close_notify (RFC 9846, 6.1) and flushes. Never waits for the peer; reading goes
  /// on until read_some says closed. would_block: call flush(), or this again. Does not close the transport.
  [[nodiscard]] IoResult<> shutdown() {
    if (Result<> closed = engine_.close_notify(); !closed)
      return std::unexpected(Halt::failed(std::move(closed.error())));
    return flush();
  }

  /// Ends the connection at once with this alert; see ClientEngine. From then on every call fails with `aborted`. Returns
  /// when the alert has left; would_block: some of it still waits, call again.
  [[nodiscard]] IoResult<> abort(AlertDescription alert) {
    engine_.abort(alert);
    return detail::flush(engine_, transport_);
  }

  /// Early data that the server has not accepted (all of it, or what went beyond the session's limit), to be sent again as
  /// the caller sees fit: ordinary data now, after whatever ConnectionInfo says was agreed. Gives it once.
  [[nodiscard]] ByteVector take_unaccepted_early_data() noexcept { return engine_.take_unaccepted_early_data(); }
  /// Changes this side's key, with `request_peer` the peer's too (RFC 9846, 4.6.3), and flushes. would_block: the key is
  /// changed, the message still waits; called again while it does, this only flushes.
  [[nodiscard]] IoResult<> update_keys(bool request_peer = false) {
    if (engine_.key_update_pending() && (peer_requested_ || !request_peer))
      return flush();
    peer_requested_ = request_peer;
    if (Result<> updated = engine_.update_keys(request_peer); !updated)
      return std::unexpected(Halt::failed(std::move(updated.error())));
    return flush();
  }
  /// When read_some halts with Interest::signature: what to sign with the client's key, and the signature.
  [[nodiscard]] std::optional<SignatureRequest> signature_request() const noexcept {
    return engine_.signature_request();
  }
  Result<> give_signature(Result<ByteVector> signature) noexcept {
    return engine_.give_signature(std::move(signature));
  }

  /// Keying material for another protocol (RFC 9846, 7.5), and channel bindings (RFC 9266; RFC 5929, 4); see ClientEngine.
  [[nodiscard]] Result<> export_keying_material(std::string_view label, std::optional<BytesView> context,
                                                Bytes out) const noexcept {
    return engine_.export_keying_material(label, context, out);
  }
  [[nodiscard]] Result<ByteVector> tls_exporter() const noexcept { return engine_.tls_exporter(); }
  [[nodiscard]] Result<ByteVector> tls_unique() const noexcept { return engine_.tls_unique(); }
  [[nodiscard]] Result<ByteVector> tls_server_end_point() const noexcept { return engine_.tls_server_end_point(); }

  /// Whether read_some would return data without touching the transport.
  [[nodiscard]] bool has_buffered() const noexcept { return !engine_.plaintext().empty(); }
  /// Whether bytes wait for flush(). Such a stream should be polled for writing too.
  [[nodiscard]] bool has_pending() noexcept { return !engine_.pending_output().empty(); }
  [[nodiscard]] const ConnectionInfo& info() const noexcept { return engine_.info(); }
  /// Gives back buffer memory. A non-blocking stream does so by itself when read_some says would_block.
  void release_buffers() noexcept { engine_.release_buffers(); }

  /// The transport below. Reading from it or writing to it breaks the connection; settings and descriptors are fine.
  [[nodiscard]] T& next_layer() noexcept { return transport_; }
  [[nodiscard]] const T& next_layer() const noexcept { return transport_; }
  [[nodiscard]] IoResult<void> set_nodelay(bool on)
    requires HasNodelay<T>
  {
    return transport_.set_nodelay(on);
  }

private:
  friend class Connector<T>;
  Stream(ClientEngine engine, T transport) noexcept(std::is_nothrow_move_constructible_v<T>)
      : engine_(std::move(engine)), transport_(std::move(transport)) {}

  ClientEngine engine_;
  T transport_;
  bool peer_requested_ = false; // by the last update_keys()
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
