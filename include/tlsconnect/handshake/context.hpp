// What a handshake works with and what outlives its states; stays where it is while states come and go.
#pragma once

#include <cstdint>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/connection_info.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/handshake/transcript.hpp>
#include <tlsconnect/record/record_layer.hpp>
#include <tlsconnect/wire/extensions.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// One connection's surroundings, owned by its engine.
struct HandshakeContext {
  ConfigPtr config;
  ServerName name;
  RecordLayer records;
  ConnectionInfo info;
  bool write_closed = false; ///< close_notify was sent (RFC 9846, 6.1)

  void trace(HandshakeType type, bool sent, std::size_t size) noexcept {
    (void)info.messages.push_back({type, sent, static_cast<std::uint32_t>(size)});
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
  [[nodiscard]] Result<> send() { return context_->records.send_handshake(bytes_); }

private:
  HandshakeContext* context_;
  Transcript* transcript_;
  ByteVector bytes_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
