// The record layer (RFC 9846, 5): what arrives is cut into records, opened and given out by content; what leaves is
// cut into records, sealed and queued.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <tlsconnect/base/alert.hpp>
#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/record/buffer.hpp>
#include <tlsconnect/record/handshake_joiner.hpp>
#include <tlsconnect/record/protection.hpp>
#include <tlsconnect/wire/record_header.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the next piece of input is. Views are valid until the record layer is asked for the next.
struct Incoming {
  enum class Kind : std::uint8_t { nothing, handshake, application_data, alert };
  Kind kind = Kind::nothing;
  HandshakeMessage message;   ///< for handshake
  BytesView application_data; ///< never empty
  AlertDescription alert{};
  std::uint8_t alert_level = 0; ///< as it came
};

/// Counts of what passed, headers included.
struct RecordCounts {
  std::uint64_t records_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

class RecordLayer;

/// That the peer's change_cipher_spec of TLS 1.2 has come, when it was due and once, so that what comes since is protected
/// by the keys of this handshake (RFC 5246, 7.1).
struct CipherSpecChanged {
  [[nodiscard]] static Result<Proof<CipherSpecChanged>> check(const RecordLayer& records,
                                                              std::string_view where) noexcept;
};

/// Both directions of one connection. Functions that allocate may throw std::bad_alloc.
class RecordLayer {
public:
  // --- receiving ---

  /// Where bytes from the network go. Nothing that next() gave out may be in use any more.
  [[nodiscard]] Bytes receive_buffer();
  void received(std::size_t count) noexcept;
  /// The next message, alert or piece of data that is there as a whole.
  [[nodiscard]] Result<Incoming> next();
  /// Keys for everything that follows. Only at the end of a record: hence the proof.
  void set_read_protection(Proof<RecordAligned> aligned, ReadProtection protection) noexcept;
  /// TLS 1.2 was agreed: from now on records say so, and change_cipher_spec counts (RFC 5246, 6.2.1 and 7.1). One that
  /// has come already has come too early.
  [[nodiscard]] Result<> begin_tls12() noexcept;
  /// The next thing to come, but for alerts, is the peer's change_cipher_spec, behind which it uses these keys.
  void expect_change_cipher_spec(ReadProtection12 protection) noexcept {
    pending_read12_.emplace(std::move(protection));
  }
  /// The proof that the message given out last ended its record; `where` names it in the error.
  [[nodiscard]] Result<Proof<RecordAligned>> aligned(std::string_view where) const noexcept {
    return RecordAligned::check(joiner_, where);
  }
  /// Protected records may hold at most this many bytes of inner plaintext from now on (RFC 8449, 4): it was negotiated.
  void set_receive_limit(std::size_t inner_plaintext) noexcept { receive_limit_ = inner_plaintext; }
  /// Application data may come from now on, and change_cipher_spec may not (RFC 9846, 5): the server has finished.
  void handshake_is_over() noexcept { handshake_over_ = true; }

  // --- sending ---

  /// Queues whole handshake messages as one record, or as few as their size allows.
  [[nodiscard]] Result<> send_handshake(BytesView messages) { return send(ContentType::handshake, messages); }
  [[nodiscard]] Result<> send_application_data(BytesView data) { return send(ContentType::application_data, data); }
  [[nodiscard]] Result<> send_alert(AlertDescription alert);
  /// Queues the change_cipher_spec of middlebox compatibility (RFC 9846, E.4), the first time that it is asked.
  void send_change_cipher_spec();
  /// Keys for everything that follows. With `change_cipher_spec`, the first record under them has one in front.
  void set_write_protection(WriteProtection protection, bool change_cipher_spec) noexcept;
  /// Queues this side's change_cipher_spec of TLS 1.2, behind which everything goes under these keys.
  void change_cipher_spec(WriteProtection12 protection);
  /// Back to unprotected records: a HelloRetryRequest has refused early data (RFC 9846, 4.2.10).
  void clear_write_protection() noexcept { write_.reset(); }
  /// At most this many bytes of inner plaintext in a protected record from now on (RFC 8449, 4). In TLS 1.2 that is the
  /// content alone.
  void set_send_limit(std::size_t inner_plaintext) noexcept {
    send_limit_ = static_cast<std::uint16_t>(std::min(inner_plaintext, limits::record_plaintext + 1));
  }
  [[nodiscard]] std::uint16_t send_limit() const noexcept { return send_limit_; }
  /// Pad the inner plaintext of every protected record to a multiple of this (RFC 9846, 5.4).
  void set_padding(std::size_t multiple) noexcept { padding_ = static_cast<std::uint16_t>(multiple); }
  /// RFC 9846, 5.5
  [[nodiscard]] bool wants_key_update() const noexcept { return write_ && write_->wants_key_update(); }
  [[nodiscard]] OutputQueue& output() noexcept { return output_; }
  [[nodiscard]] const OutputQueue& output() const noexcept { return output_; }

  [[nodiscard]] const RecordCounts& counts() const noexcept { return counts_; }
  void release_buffers() noexcept;

private:
  friend struct CipherSpecChanged;
  struct Content {
    ContentType type;
    Bytes bytes;
  };
  [[nodiscard]] Result<std::optional<Content>> next_record();
  [[nodiscard]] Result<std::optional<Content>> open_record(RecordHeader header, Bytes record);
  [[nodiscard]] Result<std::optional<Content>> open_record12(RecordHeader header, Bytes record);
  [[nodiscard]] Result<> accept_change_cipher_spec(BytesView content) noexcept;
  [[nodiscard]] Result<> accept_change_cipher_spec12(BytesView content) noexcept;
  [[nodiscard]] Result<Incoming> classify(Content content, bool& again);
  [[nodiscard]] Result<> send(ContentType type, BytesView content);
  [[nodiscard]] Result<> append_record(ContentType type, BytesView content);
  [[nodiscard]] Result<> append_record12(ContentType type, BytesView content);
  [[nodiscard]] std::size_t padding_for(std::size_t inner) const noexcept;

  Buffer input_;
  std::size_t input_wanted_ = 0; // the whole size of the record that has begun to arrive, 0 when unknown
  HandshakeJoiner joiner_;
  std::optional<ReadProtection> read_;
  std::optional<ReadProtection12> read12_;
  std::optional<ReadProtection12> pending_read12_; // until the peer's change_cipher_spec
  bool tls12_ = false;
  bool handshake_over_ = false;
  std::size_t receive_limit_ = limits::record_plaintext + 1;
  unsigned empty_records_ = 0;
  unsigned change_cipher_specs_ = 0;

  OutputQueue output_;
  std::optional<WriteProtection> write_;
  std::optional<WriteProtection12> write12_;
  bool change_cipher_spec_due_ = false;
  bool change_cipher_spec_sent_ = false;
  bool first_record_ = true;
  std::uint16_t send_limit_ = limits::record_plaintext + 1;
  std::uint16_t padding_ = 0;

  RecordCounts counts_;
};

inline Result<Proof<CipherSpecChanged>> CipherSpecChanged::check(const RecordLayer& records,
                                                                 std::string_view where) noexcept {
  // RFC 5246, 7.4.9: Finished comes right after it, and never without it.
  if (!records.read12_)
    return fail(ErrorCode::unexpected_message, where, "no change_cipher_spec has come before it");
  return Proof<CipherSpecChanged>();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/record_layer.ipp>
#endif
