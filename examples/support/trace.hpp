// A transport of one's own, around another: it notes what passes, when and how much. All that a transport must do is
// read and write; the rest of this file is about telling flights apart.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <tlsconnect/posix.hpp>

namespace example {

/// What the connection is doing while bytes pass.
enum class Phase { handshake, exchange, closing };

/// Bytes that went one way with nothing the other way in between.
struct Flight {
  Phase phase = Phase::handshake;
  bool sent = false;
  std::size_t bytes = 0;
  std::size_t calls = 0;     ///< writes or reads
  double milliseconds = 0.0; ///< when the first write began, or the first read was done
};

class Trace {
public:
  void enter(Phase phase) { phase_ = phase; }
  void note(bool sent, std::size_t bytes, double when) {
    if (flights_.empty() || flights_.back().sent != sent || flights_.back().phase != phase_)
      flights_.push_back({phase_, sent, 0, 0, when});
    flights_.back().bytes += bytes;
    ++flights_.back().calls;
  }
  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }
  [[nodiscard]] const std::vector<Flight>& flights() const { return flights_; }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Phase phase_ = Phase::handshake;
  std::vector<Flight> flights_;
};

/// A socket that writes into a trace, which must outlive it.
class TracedSocket {
public:
  TracedSocket(tlsconnect::PosixSocket socket, Trace& trace) : socket_(std::move(socket)), trace_(&trace) {}

  tlsconnect::IoResult<std::size_t> read_some(tlsconnect::Bytes space) {
    auto count = socket_.read_some(space);
    if (count)
      trace_->note(false, *count, trace_->elapsed());
    return count;
  }
  tlsconnect::IoResult<std::size_t> write_some(tlsconnect::BytesView bytes) {
    const double begun = trace_->elapsed();
    auto count = socket_.write_some(bytes);
    if (count)
      trace_->note(true, *count, begun);
    return count;
  }
  tlsconnect::IoResult<void> set_nodelay(bool on) { return socket_.set_nodelay(on); }

private:
  tlsconnect::PosixSocket socket_;
  Trace* trace_;
};

} // namespace example
