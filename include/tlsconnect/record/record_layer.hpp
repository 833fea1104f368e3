// The record layer (RFC 9846, 5): what arrives is cut into records, opened and given out by content; what leaves is
// cut into records, sealed and queued.
#pragma once

#include <cstddef>
#include <optional>

#include <tlsconnect/base/alert.hpp>
#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/record/buffer.hpp>
#include <tlsconnect/record/handshake_joiner.hpp>
#include <tlsconnect/record/protection.hpp>
#include <tlsconnect/wire/record_header.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What the next piece of input is. Views are valid until the record layer is asked for the next.
struct Incoming {
  enum class Kind : std::uint8_t { nothing, handshake, application_data, alert };
  Kind kind = Kind::nothing;
  HandshakeMessage message;  ///< for handshake
  BytesView application_data; ///< never empty
  AlertDescription alert{};
};

/// Counts of what passed, headers included.
struct RecordCounts {
  std::uint64_t records_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
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
  /// The proof that the message given out last ended its record; `where` names it in the error.
  [[nodiscard]] Result<Proof<RecordAligned>> aligned(std::string_view where) const noexcept {
    return RecordAligned::check(joiner_, where);
  }
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
  /// RFC 9846, 5.5
  [[nodiscard]] bool wants_key_update() const noexcept { return write_ && write_->wants_key_update(); }
  [[nodiscard]] OutputQueue& output() noexcept { return output_; }
  [[nodiscard]] const OutputQueue& output() const noexcept { return output_; }

  [[nodiscard]] const RecordCounts& counts() const noexcept { return counts_; }
  void release_buffers() noexcept;

private:
  struct Content {
    ContentType type;
    Bytes bytes;
  };
  [[nodiscard]] Result<std::optional<Content>> next_record();
  [[nodiscard]] Result<std::optional<Content>> open_record(RecordHeader header, Bytes record);
  [[nodiscard]] Result<> accept_change_cipher_spec(BytesView content) noexcept;
  [[nodiscard]] Result<Incoming> classify(Content content, bool& again);
  [[nodiscard]] Result<> send(ContentType type, BytesView content);
  [[nodiscard]] Result<> append_record(ContentType type, BytesView content);

  Buffer input_;
  std::size_t input_wanted_ = 0; // the whole size of the record that has begun to arrive, 0 when unknown
  HandshakeJoiner joiner_;
  std::optional<ReadProtection> read_;
  bool handshake_over_ = false;
  unsigned empty_records_ = 0;
  unsigned change_cipher_specs_ = 0;

  OutputQueue output_;
  std::optional<WriteProtection> write_;
  bool change_cipher_spec_due_ = false;
  bool change_cipher_spec_sent_ = false;
  bool first_record_ = true;

  RecordCounts counts_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/record_layer.ipp>
#endif
