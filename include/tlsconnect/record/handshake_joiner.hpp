// From the contents of handshake records to whole handshake messages (RFC 9846, 5.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A whole handshake message; a view that is valid until the next one is asked for.
struct HandshakeMessage {
  HandshakeType type{};
  BytesView bytes; ///< with its header, as it goes into the transcript
  BytesView body;  ///< without it
};

class HandshakeJoiner;

/// That a message ended the record that it came in: only then may the keys change (RFC 9846, 5.1).
struct RecordAligned {
  [[nodiscard]] static Result<Proof<RecordAligned>> check(const HandshakeJoiner& joiner,
                                                          std::string_view where) noexcept;
};

/// Joins what one record does not hold, and splits what one record holds. A message inside one record is not copied.
class HandshakeJoiner {
public:
  static constexpr std::size_t header_size = 4;

  /// The content of the next handshake record; it must stay where it is until next() has returned nothing.
  void feed(BytesView content) noexcept { content_ = content; }

  /// The next whole message, or nothing when the record's content is used up. May throw std::bad_alloc.
  [[nodiscard]] Result<std::optional<HandshakeMessage>> next() {
    if (given_) {
      partial_.clear();
      given_ = false;
    }
    if (content_.empty())
      return std::nullopt;
    if (partial_.empty()) {
      if (content_.size() >= header_size) {
        Result<std::size_t> size = message_size(content_);
        if (!size)
          return std::unexpected(std::move(size.error()));
        if (content_.size() >= *size) {
          const BytesView bytes = content_.first(*size);
          content_ = content_.subspan(*size);
          return message(bytes);
        }
      }
    }
    if (!move_to_partial(header_size))
      return std::nullopt;
    Result<std::size_t> size = message_size(partial_);
    if (!size)
      return std::unexpected(std::move(size.error()));
    if (!move_to_partial(*size))
      return std::nullopt;
    given_ = true;
    return message(partial_);
  }

  /// Whether a message has begun that has not been given out.
  [[nodiscard]] bool in_message() const noexcept { return !content_.empty() || (!partial_.empty() && !given_); }
  /// Gives back memory that holds nothing now.
  void release() noexcept {
    if (!partial_.empty() && !given_)
      return;
    given_ = false;
    partial_ = ByteVector();
  }

private:
  static HandshakeMessage message(BytesView bytes) noexcept {
    return {static_cast<HandshakeType>(bytes[0]), bytes, bytes.subspan(header_size)};
  }
  static Result<std::size_t> message_size(BytesView header) noexcept {
    const std::size_t size = header_size + static_cast<std::size_t>((header[1] << 16) | (header[2] << 8) | header[3]);
    const std::size_t limit = static_cast<HandshakeType>(header[0]) == HandshakeType::certificate
                                  ? limits::handshake_message
                                  : limits::handshake_message_not_certificate;
    if (size > limit)
      return fail(ErrorCode::message_too_large, name_of(static_cast<HandshakeType>(header[0])),
                  std::to_string(size) + " bytes, at most " + std::to_string(limit) + " are accepted");
    return size;
  }
  bool move_to_partial(std::size_t wanted) {
    const std::size_t count = std::min(wanted - std::min(wanted, partial_.size()), content_.size());
    partial_.insert(partial_.end(), content_.begin(), content_.begin() + static_cast<std::ptrdiff_t>(count));
    content_ = content_.subspan(count);
    return partial_.size() >= wanted;
  }

  BytesView content_;
  ByteVector partial_; // the beginning of a message that its record did not end
  bool given_ = false; // partial_ is the message that was given out last
};

inline Result<Proof<RecordAligned>> RecordAligned::check(const HandshakeJoiner& joiner,
                                                         std::string_view where) noexcept {
  if (joiner.in_message())
    return fail(ErrorCode::key_change_not_aligned, where);
  return Proof<RecordAligned>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
