// A transport that does what a test tells it, call by call, and remembers what it was asked.
//
//   test::Line line;                                   // stays with the test
//   line.peer = [&](BytesView bytes) { server.feed(bytes); return server.take_output(); };
//   line.rule = [](const test::Call& call) { return call.index == 3 ? test::Act::block(call) : test::Act::go(); };
//   tlsconnect::Connector connector(config, name, test::ScriptedTransport(line));
//
// Without a rule it takes and gives whatever there is. Reading while nothing is there would block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/halt.hpp>

namespace test {

/// One call of the transport.
struct Call {
  enum class What : std::uint8_t { read, write, nodelay_on, nodelay_off };
  What what = What::read;
  std::size_t index = 0;   ///< of all reads and writes so far
  std::size_t offered = 0; ///< bytes to write, or room to read into

  [[nodiscard]] bool is_read() const noexcept { return what == What::read; }
  [[nodiscard]] bool is_write() const noexcept { return what == What::write; }
};

/// What the transport does when it is called.
struct Act {
  std::size_t limit = ~std::size_t{0};       ///< at most so many bytes pass
  std::optional<tlsconnect::Halt> halt = {}; ///< instead of passing any
  std::optional<std::size_t> claim = {};     ///< passes nothing and returns this number

  [[nodiscard]] static Act go(std::size_t limit = ~std::size_t{0}) { return {limit, {}, {}}; }
  [[nodiscard]] static Act stop(tlsconnect::Halt halt) { return {0, std::move(halt), {}}; }
  [[nodiscard]] static Act lie(std::size_t count) { return {0, {}, count}; }
  /// Would block, with the interest that fits the call.
  [[nodiscard]] static Act block(const Call& call) {
    return stop(
        tlsconnect::Halt::would_block(call.is_read() ? tlsconnect::Interest::read : tlsconnect::Interest::write));
  }
  /// As the operating system fails.
  [[nodiscard]] static Act fail(int os_error) {
    return stop(tlsconnect::Halt::failed(
        tlsconnect::Error::from_transport(tlsconnect::ErrorCode::transport_failed, os_error, "scripted")));
  }
};

/// What lies between the transport and the test.
class Line {
public:
  /// A call, and what came of it.
  struct Entry {
    Call call;
    std::size_t passed = 0;
    bool blocked = false;
    bool failed = false;
  };

  std::function<Act(const Call&)> rule;
  /// Gets what the client wrote, at once; what it returns is there to be read.
  std::function<tlsconnect::ByteVector(tlsconnect::BytesView)> peer;
  tlsconnect::ByteVector inbound;  ///< for the client
  std::size_t inbound_read = 0;    ///< of which so much was read
  tlsconnect::ByteVector outbound; ///< from the client, all of it
  /// When everything was read: closed() instead of would_block.
  bool inbound_ends = false;
  std::vector<Entry> log;
  std::size_t transfers = 0; ///< reads and writes
  /// Guards against a loop that never ends.
  std::size_t most_transfers = 4'000'000;

  void give(tlsconnect::BytesView bytes) { inbound.insert(inbound.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] std::size_t unread() const noexcept { return inbound.size() - inbound_read; }

  [[nodiscard]] tlsconnect::IoResult<std::size_t> read(tlsconnect::Bytes space) {
    Entry& entry = begin(Call::What::read, space.size());
    const Act act = rule ? rule(entry.call) : Act::go();
    if (act.halt)
      return stop(entry, *act.halt);
    if (act.claim)
      return *act.claim;
    if (unread() == 0)
      return stop(entry, inbound_ends ? tlsconnect::Halt::closed()
                                      : tlsconnect::Halt::would_block(tlsconnect::Interest::read));
    entry.passed = std::min({space.size(), unread(), act.limit});
    tlsconnect::copy_bytes(tlsconnect::BytesView(inbound).subspan(inbound_read, entry.passed), space);
    inbound_read += entry.passed;
    return entry.passed;
  }

  [[nodiscard]] tlsconnect::IoResult<std::size_t> write(tlsconnect::BytesView bytes) {
    Entry& entry = begin(Call::What::write, bytes.size());
    const Act act = rule ? rule(entry.call) : Act::go();
    if (act.halt)
      return stop(entry, *act.halt);
    if (act.claim)
      return *act.claim;
    const std::size_t count = std::min(bytes.size(), act.limit);
    entry.passed = count;
    outbound.insert(outbound.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    if (peer)
      give(peer(bytes.first(count))); // `entry` may be gone after this
    return count;
  }

  void nodelay(bool on) { log.push_back({{on ? Call::What::nodelay_on : Call::What::nodelay_off, transfers, 0}}); }

  // ---- questions ----

  [[nodiscard]] std::size_t writes() const {
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(), [](const Entry& entry) { return entry.call.is_write(); }));
  }
  [[nodiscard]] std::size_t reads() const {
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(), [](const Entry& entry) { return entry.call.is_read(); }));
  }
  /// Whether the transport said would_block since the log had this length.
  [[nodiscard]] bool blocked_since(std::size_t position) const {
    return std::any_of(log.begin() + static_cast<std::ptrdiff_t>(position), log.end(),
                       [](const Entry& entry) { return entry.blocked; });
  }

private:
  Entry& begin(Call::What what, std::size_t offered) {
    // The contract of a transport: neither is ever empty.
    if (offered == 0)
      throw std::logic_error("the transport was called with nothing");
    if (transfers >= most_transfers)
      throw std::logic_error("the transport is called without end");
    log.push_back({{what, transfers++, offered}});
    return log.back();
  }
  static std::unexpected<tlsconnect::Halt> stop(Entry& entry, const tlsconnect::Halt& halt) {
    entry.blocked = halt.is_would_block();
    entry.failed = halt.is_failed();
    return std::unexpected(halt);
  }
};

/// The transport itself: one end of a Line.
class ScriptedTransport {
public:
  explicit ScriptedTransport(Line& line) noexcept : line_(&line) {}
  ScriptedTransport(ScriptedTransport&& other) noexcept : line_(std::exchange(other.line_, nullptr)) {}
  ScriptedTransport& operator=(ScriptedTransport&& other) noexcept {
    line_ = std::exchange(other.line_, nullptr);
    return *this;
  }
  ~ScriptedTransport() = default;

  [[nodiscard]] tlsconnect::IoResult<std::size_t> read_some(tlsconnect::Bytes space) { return line().read(space); }
  [[nodiscard]] tlsconnect::IoResult<std::size_t> write_some(tlsconnect::BytesView bytes) {
    return line().write(bytes);
  }
  [[nodiscard]] Line& line() {
    if (!line_)
      throw std::logic_error("a transport was used after it was moved away");
    return *line_;
  }

private:
  Line* line_;
};

/// The same, with a set_nodelay that is written down and can be made to fail.
class NodelayTransport : public ScriptedTransport {
public:
  using ScriptedTransport::ScriptedTransport;
  [[nodiscard]] tlsconnect::IoResult<void> set_nodelay(bool on) {
    line().nodelay(on);
    if (refuse)
      return std::unexpected(tlsconnect::Halt::failed(tlsconnect::Error(tlsconnect::ErrorCode::transport_failed)));
    return {};
  }
  bool refuse = false;
};

} // namespace test
