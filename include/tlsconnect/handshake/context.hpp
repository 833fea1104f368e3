// What a handshake works with and what outlives its states; stays where it is while states come and go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/transcript.hpp>
#include <tlsconnect/record/record_layer.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What keying material can be exported from before the handshake is complete (RFC 9846, 7.5).
struct EarlyExporter {
  HashAlgorithm hash;
  ExporterSecret secret;
};

/// One connection's surroundings, owned by its engine.
struct HandshakeContext {
  HandshakeContext(ConfigPtr shared, ServerName server) noexcept : config(std::move(shared)), name(std::move(server)) {}

  ConfigPtr config;
  ServerName name;
  RecordLayer records;
  ConnectionInfo info;
  bool write_closed = false; ///< close_notify was sent (RFC 9846, 6.1)
  /// What the caller allows to be sent early; after the server's decision, what of it must be sent again.
  ByteVector early_data;
  bool early_data_wanted = false;   ///< the caller has some, or will have
  bool early_data_open = false;     ///< more of it can still be sent early
  std::size_t early_data_limit = 0; ///< what the session permits, in bytes
  std::size_t early_data_sent = 0;
  std::unique_ptr<EarlyExporter> early_exporter;
  std::int64_t started = 0; ///< Clock::microseconds

  void trace(HandshakeType type, bool sent, std::size_t size) noexcept {
    (void)info.messages.push_back({type, sent, static_cast<std::uint32_t>(size),
                                   static_cast<std::uint32_t>(config->clock().microseconds() - started)});
  }
  /// RFC 9846, 6.1: nothing is sent after close_notify, not even what the handshake would need.
  [[nodiscard]] Result<> send_handshake(BytesView messages) {
    return write_closed ? Result<>() : records.send_handshake(messages);
  }
  /// For the sink that the configuration names, if it names one (RFC 9850).
  void log_secret(std::string_view label, const Random& client_random, BytesView secret) const noexcept {
    if (KeyLog* sink = config->key_log())
      tlsconnect::log_secret(*sink, label, client_random, secret);
  }
  /// The server took the early data that was sent.
  void early_data_taken() {
    info.early_data = EarlyDataOutcome::accepted;
    info.early_data_accepted = static_cast<std::uint32_t>(early_data_sent);
    early_data.erase(early_data.begin(), early_data.begin() + static_cast<std::ptrdiff_t>(early_data_sent));
  }
  /// The server took none of it; all of it is the caller's again.
  void early_data_refused() noexcept {
    info.early_data = EarlyDataOutcome::rejected;
    early_data_open = false;
  }
  /// Sends what of it is not sent yet, as far as the session permits (RFC 9846, 4.6.1: counted in bytes of application
  /// data).
  [[nodiscard]] Result<> send_early_data() {
    const bool taken = info.early_data == EarlyDataOutcome::accepted;
    const BytesView unsent = BytesView(early_data).subspan(taken ? 0 : early_data_sent);
    const std::size_t count = std::min(unsent.size(), early_data_limit - early_data_sent);
    if (!early_data_open || count == 0)
      return {};
    // A server that passes over early data after a HelloRetryRequest may hold its records to the size of unprotected
    // ones (OpenSSL 3.0 does), so they stay within that.
    const std::uint16_t limit = records.send_limit();
    records.set_send_limit(std::min<std::uint16_t>(limit, limits::record_plaintext - aead_tag_length));
    Result<> sent = records.send_application_data(unsent.first(count));
    records.set_send_limit(limit);
    if (!sent)
      return sent;
    early_data_sent += count;
    if (taken) {
      info.early_data_accepted += static_cast<std::uint32_t>(count);
      early_data.erase(early_data.begin(), early_data.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return {};
  }
};

/// Collects the messages of one flight: each goes into the transcript, and all leave in one write.
class Flight {
public:
  Flight(HandshakeContext& context, Transcript& transcript) noexcept : context_(&context), transcript_(&transcript) {}

  template <class Message>
  [[nodiscard]] Result<> add(const Message& message) {
    const std::size_t start = bytes_.size();
    if (Result<> encoded = encode_handshake(message, bytes_); !encoded)
      return encoded;
    context_->trace(Message::type, true, bytes_.size() - start);
    return transcript_->add(BytesView(bytes_).subspan(start));
  }
  [[nodiscard]] Result<> send() { return context_->send_handshake(bytes_); }

private:
  HandshakeContext* context_;
  Transcript* transcript_;
  ByteVector bytes_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
