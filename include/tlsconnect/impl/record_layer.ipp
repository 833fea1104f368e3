// The record layer's two directions.
#pragma once

#include <algorithm>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/record/record_layer.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

// ---- receiving ----

TLSCONNECT_DECL Bytes RecordLayer::receive_buffer() {
  // Four kilobytes hold what a connection with little traffic receives at a time. Once a larger record begins to
  // arrive, the buffer takes all of it and the head of the next.
  constexpr std::size_t small = 4'096;
  constexpr std::size_t large = RecordHeader::size + limits::record_ciphertext;
  const std::size_t held = input_.size();
  const std::size_t wanted = input_wanted_ > small ? large + small : small;
  return input_.space(wanted > held ? wanted - held : small);
}

TLSCONNECT_DECL void RecordLayer::received(std::size_t count) noexcept {
  const std::size_t before = input_.size();
  input_.commit(count);
  counts_.bytes_received += input_.size() - before;
}

TLSCONNECT_DECL Result<Incoming> RecordLayer::next() {
  for (;;) {
    Result<std::optional<HandshakeMessage>> message = joiner_.next();
    if (!message)
      return std::unexpected(std::move(message.error()));
    if (*message)
      return Incoming{Incoming::Kind::handshake, **message, {}, {}, 0};

    Result<std::optional<Content>> record = next_record();
    if (!record)
      return std::unexpected(std::move(record.error()));
    if (!*record)
      return Incoming{};
    bool again = false;
    Result<Incoming> incoming = classify(**record, again);
    if (!again)
      return incoming;
  }
}

TLSCONNECT_DECL Result<std::optional<RecordLayer::Content>> RecordLayer::next_record() {
  for (;;) {
    const Bytes input = input_.content();
    // A wrong first byte is known at once; nothing is gained by waiting for more of it.
    if (!input.empty() && (input[0] < 20 || input[0] > 23))
      return fail(counts_.records_received == 0 ? ErrorCode::not_tls : ErrorCode::record_type_unexpected, "record",
                  "type " + std::to_string(input[0]));
    if (input.size() < RecordHeader::size)
      return std::nullopt;
    const RecordHeader header = RecordHeader::parse(input.first<RecordHeader::size>());
    // RFC 9846, 5.1 and 5.2: 2^14 bytes, and 256 more for a protected record. The length is checked before the record
    // is waited for.
    const std::size_t limit = (read_ || read12_) && header.type != ContentType::change_cipher_spec
                                  ? limits::record_ciphertext
                                  : limits::record_plaintext;
    if (header.length > limit)
      return fail(ErrorCode::record_overflow, "record", std::to_string(header.length) + " bytes");
    // RFC 5246, 6.2.1 and E.1: once the version is agreed, every record says it.
    if (tls12_ && header.legacy_version != 0x0303)
      return fail(ErrorCode::record_version_wrong, "record", "version " + std::to_string(header.legacy_version));
    input_wanted_ = RecordHeader::size + header.length;
    if (input.size() < input_wanted_)
      return std::nullopt;

    const Bytes record = input.first(input_wanted_);
    // The content stays where it is until receive_buffer() is called.
    input_.consume(input_wanted_);
    input_wanted_ = 0;
    ++counts_.records_received;

    if (header.type == ContentType::change_cipher_spec) {
      const BytesView content = record.subspan(RecordHeader::size);
      if (Result<> accepted = tls12_ ? accept_change_cipher_spec12(content) : accept_change_cipher_spec(content);
          !accepted)
        return std::unexpected(std::move(accepted.error()));
      continue;
    }
    return tls12_ ? open_record12(header, record) : open_record(header, record);
  }
}

TLSCONNECT_DECL Result<> RecordLayer::accept_change_cipher_spec(BytesView content) noexcept {
  // RFC 9846, 5: the single byte 1, unprotected, before the peer's Finished, is dropped; anything else is refused.
  if (handshake_over_ || content.size() != 1 || content[0] != 1)
    return fail(ErrorCode::change_cipher_spec_unexpected, "record");
  if (++change_cipher_specs_ > limits::change_cipher_specs)
    return fail(ErrorCode::too_many_change_cipher_specs, "record");
  return {};
}

TLSCONNECT_DECL Result<std::optional<RecordLayer::Content>> RecordLayer::open_record(RecordHeader header,
                                                                                     Bytes record) {
  Bytes content = record.subspan(RecordHeader::size);
  if (!read_) {
    // RFC 9846, 5.1: application data is never sent unprotected.
    if (header.type == ContentType::application_data)
      return fail(ErrorCode::record_type_unexpected, "record", "application data before there are keys");
    return Content{header.type, content};
  }

  // RFC 9846, 5.2: the outer type of a protected record is always application_data. A handshake record of another type
  // is one that cannot be deprotected.
  if (header.type == ContentType::handshake)
    return fail(ErrorCode::bad_record_mac, "record", "an unprotected handshake record after the keys were agreed");
  if (header.type != ContentType::application_data)
    return fail(ErrorCode::record_type_unexpected, "record", "an unprotected record after the keys were agreed");
  // RFC 9846, 5.2: a protected record always says 0x0303. Only the version of an unprotected one is to be ignored (5.1).
  if (header.legacy_version != 0x0303)
    return fail(ErrorCode::record_version_wrong, "record", "version " + std::to_string(header.legacy_version));
  // RFC 9846, 5.2: what is shorter than the tag cannot be authentic.
  if (content.size() < aead_tag_length)
    return fail(ErrorCode::bad_record_mac, "record");
  const Bytes text = content.first(content.size() - aead_tag_length);
  if (Result<> opened = read_->open(record.first(RecordHeader::size), text, content.last(aead_tag_length)); !opened)
    return std::unexpected(std::move(opened.error()).at("record"));
  // RFC 9846, 5.4: the inner plaintext is at most 2^14 + 1 bytes, its type and padding included; RFC 8449, 4: or what
  // was negotiated.
  if (text.size() > receive_limit_)
    return fail(ErrorCode::record_overflow, "record", std::to_string(text.size()) + " bytes of inner plaintext");
  // RFC 9846, 5.4: the type is the last byte that is not zero.
  std::size_t size = text.size();
  while (size > 0 && text[size - 1] == 0)
    --size;
  if (size == 0)
    return fail(ErrorCode::record_without_type, "record");
  return Content{static_cast<ContentType>(text[size - 1]), text.first(size - 1)};
}

TLSCONNECT_DECL Result<> RecordLayer::begin_tls12() noexcept {
  // RFC 5246, 7.1: it comes before the peer's Finished, not before its hello. (TLS 1.3 drops it there.)
  if (change_cipher_specs_ > 0)
    return fail(ErrorCode::change_cipher_spec_unexpected, "record", "before the ServerHello");
  tls12_ = true;
  return {};
}

TLSCONNECT_DECL Result<> RecordLayer::accept_change_cipher_spec12(BytesView content) noexcept {
  // RFC 5246, 7.1: the single byte 1. Under keys it would be longer, but none may come then: keys change once.
  if (!read12_ && (content.size() != 1 || content[0] != 1))
    return fail(ErrorCode::change_cipher_spec_invalid, "record");
  // RFC 5246, 7.1: it stands between messages, not within one.
  if (joiner_.in_message())
    return fail(ErrorCode::handshake_interleaved, "record");
  // RFC 5246, 7.4.9: only right before the peer's Finished. Earlier, the keys would not yet depend on the key exchange
  // (CVE-2014-0224).
  if (!pending_read12_)
    return fail(ErrorCode::change_cipher_spec_unexpected, "record");
  read12_.emplace(std::move(*pending_read12_));
  pending_read12_.reset();
  return {};
}

TLSCONNECT_DECL Result<std::optional<RecordLayer::Content>> RecordLayer::open_record12(RecordHeader header,
                                                                                       Bytes record) {
  Bytes content = record.subspan(RecordHeader::size);
  if (!read12_) {
    // RFC 5246, 7.4.9: application data comes after Finished, and so never unprotected.
    if (header.type == ContentType::application_data)
      return fail(ErrorCode::record_type_unexpected, "record", "application data before there are keys");
    return Content{header.type, content};
  }
  const Result<Bytes> text = read12_->open(header.type, content);
  if (!text)
    return std::unexpected(text.error());
  // RFC 5246, 6.2.1: 2^14 bytes of content; RFC 8449, 4: or what was negotiated.
  if (text->size() > std::min(receive_limit_, limits::record_plaintext))
    return fail(ErrorCode::record_overflow, "record", std::to_string(text->size()) + " bytes of content");
  return Content{header.type, *text};
}

TLSCONNECT_DECL Result<Incoming> RecordLayer::classify(Content content, bool& again) {
  // RFC 9846, 5.1: nothing may come between two parts of a handshake message.
  if (content.type != ContentType::handshake && joiner_.in_message())
    return fail(ErrorCode::handshake_interleaved, "record");

  switch (content.type) {
  case ContentType::handshake:
    // RFC 9846, 5.1: no handshake record without content.
    if (content.bytes.empty())
      return fail(ErrorCode::record_empty, "record");
    empty_records_ = 0;
    joiner_.feed(content.bytes);
    again = true;
    return Incoming{};
  case ContentType::alert:
    // RFC 9846, 5.1: one alert a record, and all of it.
    if (content.bytes.empty())
      return fail(ErrorCode::record_empty, "alert");
    if (content.bytes.size() != 2)
      return fail(ErrorCode::alert_malformed, "alert");
    return Incoming{Incoming::Kind::alert, {}, {}, static_cast<AlertDescription>(content.bytes[1]), content.bytes[0]};
  case ContentType::application_data:
    if (!handshake_over_)
      return fail(ErrorCode::record_type_unexpected, "record", "application data before the handshake is over");
    if (content.bytes.empty()) {
      // RFC 9846, 5.1: allowed against traffic analysis; but not without end.
      if (++empty_records_ > limits::empty_records)
        return fail(ErrorCode::too_many_empty_records, "record");
      again = true;
      return Incoming{};
    }
    empty_records_ = 0;
    return Incoming{Incoming::Kind::application_data, {}, content.bytes, {}, 0};
  case ContentType::change_cipher_spec:
  case ContentType::invalid:
    break;
  }
  // RFC 9846, 5: also a protected change_cipher_spec.
  return fail(ErrorCode::record_type_unexpected, "record",
              "type " + std::to_string(static_cast<unsigned>(content.type)));
}

TLSCONNECT_DECL void RecordLayer::set_read_protection(Proof<RecordAligned>, ReadProtection protection) noexcept {
  read_.emplace(std::move(protection));
}

// ---- sending ----

TLSCONNECT_DECL Result<> RecordLayer::send(ContentType type, BytesView content) {
  constexpr std::size_t overhead = RecordHeader::size + 8 + aead_tag_length;
  // TLS 1.3 counts the type and the padding of what is protected, TLS 1.2 the content alone (RFC 8449, 4).
  const std::size_t most = write_     ? send_limit_ - std::size_t{1}
                           : write12_ ? std::min<std::size_t>(send_limit_, limits::record_plaintext)
                                      : limits::record_plaintext;
  const std::size_t records = (content.size() + most - 1) / most;
  output_.reserve(content.size() + records * (overhead + padding_));
  while (!content.empty()) {
    const std::size_t count = std::min(content.size(), most);
    if (Result<> appended = append_record(type, content.first(count)); !appended)
      return appended;
    content = content.subspan(count);
  }
  return {};
}

TLSCONNECT_DECL Result<> RecordLayer::append_record(ContentType type, BytesView content) {
  if (write12_)
    return append_record12(type, content);
  RecordHeader header{type, 0x0303, static_cast<std::uint16_t>(content.size())};
  if (!write_) {
    // RFC 9846, 5.1: an initial ClientHello says 0x0301, for the sake of old servers.
    if (std::exchange(first_record_, false))
      header.legacy_version = 0x0301;
    const Bytes out = output_.append(RecordHeader::size + content.size());
    copy_bytes(header.bytes(), out);
    copy_bytes(content, out.subspan(RecordHeader::size));
    counts_.bytes_sent += out.size();
    ++counts_.records_sent;
    return {};
  }

  if (std::exchange(change_cipher_spec_due_, false))
    send_change_cipher_spec();
  // RFC 9846, 5.2: content and its type are sealed; the header is authenticated with them.
  const std::size_t padding = padding_for(content.size() + 1);
  const std::size_t inner = content.size() + 1 + padding;
  header.type = ContentType::application_data;
  header.length = static_cast<std::uint16_t>(inner + aead_tag_length);
  const Bytes out = output_.append(RecordHeader::size + inner + aead_tag_length);
  copy_bytes(header.bytes(), out);
  const Bytes text = out.subspan(RecordHeader::size, inner);
  copy_bytes(content, text);
  text[content.size()] = static_cast<std::uint8_t>(type);
  std::fill_n(text.last(padding).begin(), padding, std::uint8_t{0});
  counts_.bytes_sent += out.size();
  ++counts_.records_sent;
  return write_->seal(out.first(RecordHeader::size), text, out.last(aead_tag_length));
}

TLSCONNECT_DECL Result<> RecordLayer::append_record12(ContentType type, BytesView content) {
  // RFC 5246, 6.2.3.3: the type stands in the header; the fragment is the carried nonce, the ciphertext and the tag.
  const std::size_t size = content.size() + write12_->overhead();
  const RecordHeader header{type, 0x0303, static_cast<std::uint16_t>(size)};
  const Bytes out = output_.append(RecordHeader::size + size);
  copy_bytes(header.bytes(), out);
  const Bytes fragment = out.subspan(RecordHeader::size);
  copy_bytes(content, fragment.subspan(write12_->overhead() - aead_tag_length));
  counts_.bytes_sent += out.size();
  ++counts_.records_sent;
  return write12_->seal(type, fragment);
}

TLSCONNECT_DECL void RecordLayer::change_cipher_spec(WriteProtection12 protection) {
  // The one of middlebox compatibility is none of TLS 1.2.
  change_cipher_spec_sent_ = false;
  send_change_cipher_spec();
  write12_.emplace(std::move(protection));
}

TLSCONNECT_DECL std::size_t RecordLayer::padding_for(std::size_t inner) const noexcept {
  if (padding_ < 2)
    return 0;
  const std::size_t padded = (inner + padding_ - 1) / padding_ * padding_;
  return std::min<std::size_t>(padded, std::max<std::size_t>(send_limit_, inner)) - inner;
}

TLSCONNECT_DECL Result<> RecordLayer::send_alert(AlertDescription alert) {
  // RFC 9846, 6: only closure and cancellation are warnings.
  const bool warning = alert == AlertDescription::close_notify || alert == AlertDescription::user_canceled;
  const std::uint8_t content[2] = {static_cast<std::uint8_t>(warning ? 1 : 2), static_cast<std::uint8_t>(alert)};
  return append_record(ContentType::alert, content);
}

TLSCONNECT_DECL void RecordLayer::send_change_cipher_spec() {
  if (std::exchange(change_cipher_spec_sent_, true))
    return;
  const RecordHeader header{ContentType::change_cipher_spec, 0x0303, 1};
  const Bytes out = output_.append(RecordHeader::size + 1);
  copy_bytes(header.bytes(), out);
  out[RecordHeader::size] = 1;
  counts_.bytes_sent += out.size();
  ++counts_.records_sent;
}

TLSCONNECT_DECL void RecordLayer::set_write_protection(WriteProtection protection, bool change_cipher_spec) noexcept {
  write_.emplace(std::move(protection));
  change_cipher_spec_due_ = change_cipher_spec;
}

TLSCONNECT_DECL void RecordLayer::release_buffers() noexcept {
  input_.release();
  joiner_.release();
  output_.release();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
