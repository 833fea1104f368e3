// Whole conversations, recorded once with a live server and replayed as often as a sweep likes: with the client's
// randomness and clock fixed, it says the same each time, so the server's recorded answers fit each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/halt.hpp>

#include "live_server.hpp"
#include "scripted_transport.hpp"

namespace sweeps {

namespace tc = tlsconnect;

/// What the client's program does, one after the other.
struct Step {
  enum class What : std::uint8_t { write, read, shutdown, read_to_end };
  What what;
  std::size_t size = 0;
};

/// What the server does once its time has come.
struct Reply {
  std::function<bool(const test::LiveServer&, std::size_t heard)> when;
  std::function<void(test::LiveServer&)> act;
};

struct Plot {
  std::string name;
  test::LiveOptions server = {};
  std::vector<Reply> replies = {};
  std::size_t first_data = 0; ///< for connect(first_data); 0: connect()
  bool refuse_certificate = false;
  std::vector<Step> steps = {};
};

/// How a conversation went, for the client.
struct Outcome {
  bool connected = false;
  bool finished = false;                ///< the program came to its end
  std::optional<tc::Halt::Kind> halt;   ///< what stopped it otherwise
  std::optional<tc::ErrorCode> error;
  int os_error = 0;
  tc::ByteVector received;
  tc::ByteVector sent;
  std::string info;                     ///< ConnectionInfo as a text
  std::size_t delivered = 0;            ///< bytes of the server that were read
  /// How much application data the client had when so many bytes of the server had been read.
  std::vector<std::pair<std::size_t, std::size_t>> progress;

  [[nodiscard]] bool failed_with_transport(int number) const {
    return halt == tc::Halt::Kind::failed && error == tc::ErrorCode::transport_failed && os_error == number;
  }
  /// Everything that an application can see, and everything that the network can.
  [[nodiscard]] bool same_as(const Outcome& other) const {
    return connected == other.connected && finished == other.finished && halt == other.halt && error == other.error &&
           os_error == other.os_error && received == other.received && sent == other.sent && info == other.info;
  }
};

/// A plot with everything that the server said, and after which byte of the client it said it.
class Recording {
public:
  explicit Recording(Plot plot);

  [[nodiscard]] const Plot& plot() const noexcept { return plot_; }
  [[nodiscard]] std::size_t server_bytes() const noexcept { return server_bytes_; }
  /// Where the server's records end.
  [[nodiscard]] const std::vector<std::size_t>& record_ends() const noexcept { return record_ends_; }
  /// As it went with the live server.
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
