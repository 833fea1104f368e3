// Whole conversations, recorded once with a server and replayed as often as a sweep likes: with the client's randomness
// and clock fixed, it says the same each time, so the server's recorded answers fit each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/halt.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/connection_info.hpp>

#include "scripted_transport.hpp"

namespace sweeps {

namespace tc = tlsconnect;

/// What the client's program does, one after the other.
struct Step {
  enum class What : std::uint8_t { write, read, update_keys, shutdown, read_to_end };
  What what;
  std::size_t size = 0;
};

/// How a conversation went, for the client.
struct Outcome {
  bool connected = false;
  bool finished = false;              ///< the program came to its end
  std::optional<tc::Halt::Kind> halt; ///< what stopped it otherwise
  std::optional<tc::ErrorCode> error;
  int os_error = 0;
  tc::ByteVector received;
  tc::ByteVector sent;
  tc::ByteVector given_back; ///< early data that was not accepted
  unsigned supplied = 0;     ///< verdicts and signatures that were asked for
  unsigned held_back = 0;    ///< how often output had to wait at that time
  tc::ConnectionInfo info;
  std::size_t delivered = 0; ///< bytes of the server that were read
  /// How much application data the client had when so many bytes of the server had been read.
  std::vector<std::pair<std::size_t, std::size_t>> progress;

  [[nodiscard]] bool failed_with_transport(int number) const {
    return halt == tc::Halt::Kind::failed && error == tc::ErrorCode::transport_failed && os_error == number;
  }
  /// Everything that an application can see, and everything that the network can.
  [[nodiscard]] bool same_as(const Outcome& other) const;
};

/// The server of a recording.
class Peer {
public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;
  /// Bytes from the client; what the server says to them.
  virtual tc::ByteVector hear(tc::BytesView bytes) = 0;
  /// What the server still waited for, or what it did not like; empty when all went as it was meant to.
  [[nodiscard]] virtual std::string complaint() const = 0;
};

/// A kind of conversation.
struct Plot {
  std::string name;
  std::function<std::unique_ptr<Peer>()> server;
  /// Changes the client's configuration.
  std::function<void(tc::ClientConfig::Builder&)> configure = {};
  bool refuse_certificate = false;
  bool verdict_later = false;
  /// There is a session in the store, under which so many bytes of early data may be sent.
  std::optional<std::uint32_t> session = {};
  /// There is one of TLS 1.2, by its id or by its ticket.
  enum class Session12 : std::uint8_t { none, id, ticket };
  Session12 session12 = Session12::none;
  std::size_t early_data = 0;
  bool small_writes = false;  ///< recorded so: the server answers before the client has sent all that it has
  std::size_t first_data = 0; ///< for connect(first_data); 0: connect()
  std::vector<Step> steps = {};
  /// How it is meant to end; nothing: the program comes to its end.
  std::optional<tc::ErrorCode> error = {};
  /// Whether it went as the name says.
  std::function<bool(const Outcome&)> meant = {};

  /// What the client says: early data first, then what its program writes.
  [[nodiscard]] static tc::ByteVector data(std::size_t size, std::size_t start);
};

/// The session that a plot may begin with: what the server has to know of it.
[[nodiscard]] tc::ByteVector session_ticket();
[[nodiscard]] tc::ByteVector session_key();
[[nodiscard]] tc::ByteVector main_secret12();
/// The client's certificate, with its key at hand or with signatures that come later.
[[nodiscard]] tc::Credential client_credential(bool later);

/// All kinds of conversations.
[[nodiscard]] std::vector<Plot> plots();

/// A plot with everything that the server said, and after which byte of the client it said it.
class Recording {
public:
  explicit Recording(Plot plot);

  [[nodiscard]] const Plot& plot() const noexcept { return plot_; }
  [[nodiscard]] std::size_t server_bytes() const noexcept { return server_bytes_; }
  /// Where the server's records end.
  [[nodiscard]] const std::vector<std::size_t>& record_ends() const noexcept { return record_ends_; }
  /// As it went with the server.
  [[nodiscard]] const Outcome& original() const noexcept { return original_; }
  /// Once more, without the server; `rule` is for the transport. Throws where a door breaks its contract or a call
  /// never ends.
  [[nodiscard]] Outcome replay(std::function<test::Act(const test::Call&, const test::Line&)> rule = {}) const;

private:
  struct Segment {
    std::size_t after; // bytes of the client
    tc::ByteVector bytes;
  };
  Plot plot_;
  std::vector<Segment> segments_;
  std::size_t server_bytes_ = 0;
  std::vector<std::size_t> record_ends_;
  Outcome original_;
};

/// The conversations that the sweeps run through; recorded on first use.
[[nodiscard]] const std::vector<Recording>& recordings();

} // namespace sweeps
