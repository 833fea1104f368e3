// What the tests' servers of TLS 1.3 and of TLS 1.2 have in common: they hear records, remember what they heard, and say
// what a plan tells them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/handshake/transcript.hpp>

#include "deterministic.hpp"
#include "scripted_messages.hpp"
#include "scripted_plan.hpp"

namespace test {

class ScriptedEnd {
public:
  explicit ScriptedEnd(std::uint64_t seed) : rng_(seed) {}
  ScriptedEnd(const ScriptedEnd&) = delete;
  ScriptedEnd& operator=(const ScriptedEnd&) = delete;
  virtual ~ScriptedEnd() = default;

  // --- receiving ---
  /// Bytes from the client, cut as they may be. Throws when they are not what a client may send.
  void feed(BytesView bytes);
  [[nodiscard]] const std::vector<SeenHello>& hellos() const { return hellos_; }
  /// The last ClientHello.
  [[nodiscard]] const SeenHello& hello() const { return hellos_.back(); }
  [[nodiscard]] const std::vector<SeenRecord>& records() const { return records_; }
  [[nodiscard]] const std::vector<SeenAlert>& alerts() const { return alerts_; }
  /// The client's handshake messages behind its hellos.
  [[nodiscard]] const std::vector<SeenMessage>& messages() const { return messages_; }
  [[nodiscard]] const ByteVector& received() const { return received_; }
  /// The client's Finished came and was right.
  [[nodiscard]] bool client_finished() const { return client_finished_; }

  // --- sending ---
  [[nodiscard]] ByteVector take_output() { return std::exchange(output_, {}); }
  /// A handshake message outside a plan.
  void send(HandshakeType type, BytesView body, std::size_t fragment = 16'384);
  /// A record under the current key, or in the clear before there is one.
  virtual void send_record(ContentType type, BytesView content, std::size_t padding = 0) = 0;
  /// A record in the clear, whatever the keys.
  void send_clear(ContentType type, BytesView content, std::uint16_t version = 0x0303);
  void send_raw(BytesView bytes) { append(output_, bytes); }
  void send_data(std::string_view text) { send_record(ContentType::application_data, tlsconnect::as_bytes(text)); }
  void send_alert(AlertDescription description, std::uint8_t level = 2);

protected:
  /// A whole record; opens it, and gives what is in it to take_content().
  virtual void take_record(const tlsconnect::RecordHeader& header, Bytes record) = 0;
  void take_content(SeenRecord seen);
  virtual void take_message(HandshakeType type, BytesView whole) = 0;
  virtual void take_data(const SeenRecord& seen) { append(received_, seen.content); }
  virtual void take_change_cipher_spec() {}
  /// Remembers a ClientHello.
  SeenHello& take_hello(BytesView whole);
  /// One step; what it says waits in the output.
  template <class Server>
  void perform(const BasicStep<Server>& step, Server& server) {
    if (step.action)
      return step.action(server);
    const ByteVector message = framed(step.type, step.body(server));
    if (step.in_transcript)
      value_of(transcript_.add(message));
    append(pending_, message);
    if (!step.joined)
      flush(step.fragment, step.padding);
  }
  /// Sends what steps have kept back.
  void flush(std::size_t fragment = 16'384, std::size_t padding = 0);

  FixedRng rng_;
  ByteVector output_;
  tlsconnect::Transcript transcript_;
  std::vector<SeenHello> hellos_;
  std::vector<SeenRecord> records_;
  std::vector<SeenMessage> messages_;
  ByteVector received_;
  bool client_finished_ = false;

private:
  void take_handshake(BytesView content);

  ByteVector input_;
  ByteVector handshake_input_;
  ByteVector pending_; // handshake messages that are not in a record yet
  std::vector<SeenAlert> alerts_;
};

} // namespace test
