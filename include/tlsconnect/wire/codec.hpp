// From a message's declaration to its two directions.
//
// A message is a struct with a static `name` and
//
//     template <class Archive, class Self> static void wire(Archive& ar, Self& self);
//
// which names its fields once, in wire order. Self is the struct for a Reader and const for a Writer.
#pragma once

#include <string_view>

#include <tlsconnect/wire/cursor.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The message that `body` holds, all of it; its fields are views into `body`.
template <class Message>
[[nodiscard]] Result<Message> decode(BytesView body) noexcept {
  Message message{};
  Reader reader(body);
  Message::wire(reader, message);
  if (Result<> done = reader.finish(Message::name); !done)
    return std::unexpected(std::move(done.error()));
  return message;
}

/// Appends the message's fields to `out`.
template <class Message>
[[nodiscard]] Result<> encode(const Message& message, ByteVector& out) {
  Writer writer(out);
  Message::wire(writer, message);
  return writer.finish(Message::name);
}

/// Appends the message behind a handshake header (RFC 9846, 4): its type and its length in 24 bits.
template <class Message>
[[nodiscard]] Result<> encode_handshake(const Message& message, ByteVector& out) {
  Writer writer(out);
  writer.number(Message::type);
  writer.prefixed(3, [&] { Message::wire(writer, message); });
  return writer.finish(Message::name);
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
