// A pair of connected ends in memory: what a BIO pair is to OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/transport.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// One end of a pipe in memory, a non-blocking transport. What is written to one end is read from the other. The ends
/// share their buffers; both must be used from one thread at a time.
class MemoryPipe {
public:
  /// Two connected ends, each of whose directions holds at most `capacity` bytes (at least 1).
  [[nodiscard]] static std::pair<MemoryPipe, MemoryPipe> create(std::size_t capacity = 65'536);

  MemoryPipe(MemoryPipe&&) noexcept = default;
  MemoryPipe& operator=(MemoryPipe&&) noexcept;
  MemoryPipe(const MemoryPipe&) = delete;
  MemoryPipe& operator=(const MemoryPipe&) = delete;
  /// The other end reads what is left and then the end of the stream; what it writes from now on fails.
  ~MemoryPipe();

  /// would_block(read) while the pipe is empty; closed() when it is empty and the other end has closed.
  [[nodiscard]] IoResult<std::size_t> read_some(Bytes space);
  /// would_block(write) while the pipe is full; failed when the other end is gone.
  [[nodiscard]] IoResult<std::size_t> write_some(BytesView bytes);
  /// The other end reads what is left and then the end of the stream. Reading goes on.
  void close_write() noexcept;

  /// Bytes that can be read now, and bytes that can be written now.
  [[nodiscard]] std::size_t readable() const noexcept;
  [[nodiscard]] std::size_t writable() const noexcept;

private:
  struct Direction;
  MemoryPipe(std::shared_ptr<Direction> in, std::shared_ptr<Direction> out) noexcept;
  std::shared_ptr<Direction> in_;
  std::shared_ptr<Direction> out_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/memory_pipe.ipp>
#endif
