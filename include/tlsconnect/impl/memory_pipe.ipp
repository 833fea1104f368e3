// Two ring buffers, shared by the two ends.
#pragma once

#include <algorithm>
#include <vector>

#include <tlsconnect/memory_pipe.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What flows one way: a ring, and what its two ends have said about their future.
struct MemoryPipe::Direction {
  explicit Direction(std::size_t capacity) : ring(capacity) {}

  ByteVector ring;
  std::size_t first = 0; ///< where the oldest byte stands
  std::size_t count = 0; ///< bytes in the ring
  bool ended = false;    ///< nothing more will be written
  bool unread = false;   ///< nobody will read any more

  [[nodiscard]] std::size_t take(Bytes space) noexcept {
    const std::size_t wanted = std::min(space.size(), count);
    // In two pieces when the bytes run over the end of the ring.
    const std::size_t piece = std::min(wanted, ring.size() - first);
    copy_bytes(BytesView(ring).subspan(first, piece), space);
    copy_bytes(BytesView(ring).first(wanted - piece), space.subspan(piece));
    first = (first + wanted) % ring.size();
    count -= wanted;
    return wanted;
  }

  [[nodiscard]] std::size_t put(BytesView bytes) noexcept {
    const std::size_t wanted = std::min(bytes.size(), ring.size() - count);
    const std::size_t start = (first + count) % ring.size();
    const std::size_t piece = std::min(wanted, ring.size() - start);
    copy_bytes(bytes.first(piece), Bytes(ring).subspan(start));
    copy_bytes(bytes.subspan(piece, wanted - piece), ring);
    count += wanted;
    return wanted;
  }
};

TLSCONNECT_DECL MemoryPipe::MemoryPipe(std::shared_ptr<Direction> in, std::shared_ptr<Direction> out) noexcept
    : in_(std::move(in)), out_(std::move(out)) {}

TLSCONNECT_DECL std::pair<MemoryPipe, MemoryPipe> MemoryPipe::create(std::size_t capacity) {
  const std::size_t size = std::max<std::size_t>(capacity, 1);
  auto there = std::make_shared<Direction>(size);
  auto back = std::make_shared<Direction>(size);
  return {MemoryPipe(back, there), MemoryPipe(there, back)};
}

TLSCONNECT_DECL MemoryPipe& MemoryPipe::operator=(MemoryPipe&& other) noexcept {
  if (this != &other) {
    close_write();
    if (in_)
      in_->unread = true;
    in_ = std::move(other.in_);
    out_ = std::move(other.out_);
  }
  return *this;
}

TLSCONNECT_DECL MemoryPipe::~MemoryPipe() {
  close_write();
  if (in_)
    in_->unread = true;
}

TLSCONNECT_DECL IoResult<std::size_t> MemoryPipe::read_some(Bytes space) {
  if (!in_)
    return std::unexpected(Halt::failed(Error(ErrorCode::not_connected, "read_some", "this end was moved away")));
  if (space.empty())
    return std::size_t{0};
  if (in_->count > 0)
    return in_->take(space);
  return std::unexpected(in_->ended ? Halt::closed() : Halt::would_block(Interest::read));
}

TLSCONNECT_DECL IoResult<std::size_t> MemoryPipe::write_some(BytesView bytes) {
  if (!out_)
    return std::unexpected(Halt::failed(Error(ErrorCode::not_connected, "write_some", "this end was moved away")));
  if (out_->ended)
    return std::unexpected(
        Halt::failed(Error(ErrorCode::transport_failed, "write_some", "this end has closed its writing direction")));
  if (out_->unread)
    return std::unexpected(Halt::failed(Error(ErrorCode::transport_failed, "write_some", "the other end is gone")));
  if (bytes.empty())
    return std::size_t{0};
  if (out_->count == out_->ring.size())
    return std::unexpected(Halt::would_block(Interest::write));
  return out_->put(bytes);
}

TLSCONNECT_DECL void MemoryPipe::close_write() noexcept {
  if (out_)
    out_->ended = true;
}

TLSCONNECT_DECL std::size_t MemoryPipe::readable() const noexcept { return in_ ? in_->count : 0; }

TLSCONNECT_DECL std::size_t MemoryPipe::writable() const noexcept {
  return out_ && !out_->ended && !out_->unread ? out_->ring.size() - out_->count : 0;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
