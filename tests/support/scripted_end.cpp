#include "scripted_end.hpp"

#include <algorithm>
#include <array>

namespace test {

void ScriptedEnd::feed(BytesView bytes) {
  append(input_, bytes);
  std::size_t used = 0;
  while (input_.size() - used >= tlsconnect::RecordHeader::size) {
    const Bytes rest = Bytes(input_).subspan(used);
    const auto header = tlsconnect::RecordHeader::parse(rest.first<tlsconnect::RecordHeader::size>());
    const std::size_t size = tlsconnect::RecordHeader::size + header.length;
    if (rest.size() < size)
      break;
    take_record(header, rest.first(size));
    used += size;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
}

void ScriptedEnd::take_content(SeenRecord seen) {
  records_.push_back(seen);
  switch (seen.type) {
  case ContentType::handshake:
    return take_handshake(seen.content);
  case ContentType::alert:
    if (seen.content.size() != 2)
      throw std::runtime_error("test support: the client's alert is malformed");
    alerts_.push_back({seen.content[0], static_cast<AlertDescription>(seen.content[1]), seen.sealed});
    return;
  case ContentType::application_data:
    return take_data(seen);
  case ContentType::change_cipher_spec:
    if (seen.sealed || seen.content != ByteVector{1})
      throw std::runtime_error("test support: the client's change_cipher_spec is wrong");
    return take_change_cipher_spec();
  case ContentType::invalid:
    break;
  }
  throw std::runtime_error("test support: the client sent a record of an unknown type");
}

void ScriptedEnd::take_handshake(BytesView content) {
  append(handshake_input_, content);
  while (handshake_input_.size() >= 4) {
    const std::size_t size =
        4 + static_cast<std::size_t>((handshake_input_[1] << 16) | (handshake_input_[2] << 8) | handshake_input_[3]);
    if (handshake_input_.size() < size)
      return;
    const ByteVector message(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    handshake_input_.erase(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    take_message(static_cast<HandshakeType>(message[0]), message);
  }
}

SeenHello& ScriptedEnd::take_hello(BytesView whole) {
  SeenHello seen;
  seen.message = tlsconnect::to_vector(whole);
  seen.fields = value_of(tlsconnect::decode<tlsconnect::ClientHello>(BytesView(seen.message).subspan(4)));
  seen.extensions = split_block(seen.fields.extensions);
  if (const RawExt* shares = find_extension(seen.extensions, ExtensionType::key_share)) {
    const auto decoded = value_of(tlsconnect::decode<tlsconnect::OfferedKeyShares>(shares->body));
    for (const tlsconnect::KeyShareEntry& entry : decoded.client_shares)
      seen.shares.emplace_back(entry.group, tlsconnect::to_vector(entry.key_exchange));
  }
  return hellos_.emplace_back(std::move(seen));
}

void ScriptedEnd::flush(std::size_t fragment, std::size_t padding) {
  const ByteVector pending = std::exchange(pending_, {});
  for (BytesView rest = pending; !rest.empty();) {
    const std::size_t count = std::min(fragment, rest.size());
    send_record(ContentType::handshake, rest.first(count), padding);
    rest = rest.subspan(count);
  }
}

void ScriptedEnd::send(HandshakeType type, BytesView body, std::size_t fragment) {
  append(pending_, framed(type, body));
  flush(fragment);
}

void ScriptedEnd::send_clear(ContentType type, BytesView content, std::uint16_t version) {
  append(output_, record_of(type, content, version));
}

void ScriptedEnd::send_alert(AlertDescription description, std::uint8_t level) {
  const std::array<std::uint8_t, 2> content{level, static_cast<std::uint8_t>(description)};
  send_record(ContentType::alert, content);
}

} // namespace test
