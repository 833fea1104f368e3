// The memory that records arrive in, and the queue that they leave by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Bytes that are put in at the end and taken out at the front. May throw std::bad_alloc where it grows.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : memory_(std::move(other.memory_)), capacity_(std::exchange(other.capacity_, 0)),
        begin_(std::exchange(other.begin_, 0)), end_(std::exchange(other.end_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() = default;

  [[nodiscard]] Bytes content() noexcept { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

  /// Room for at least `count` more bytes behind the content, which may move. All the room there is.
  [[nodiscard]] Bytes space(std::size_t count) {
    if (begin_ == end_)
      begin_ = end_ = 0;
    if (capacity_ - end_ < count)
      make_room(count);
    return {memory_.get() + end_, capacity_ - end_};
  }
  /// The first n bytes of space() are content now; never more than there was room for.
  void commit(std::size_t count) noexcept { end_ += std::min(count, capacity_ - end_); }
  /// The first n bytes of the content are gone. Nothing moves.
  void consume(std::size_t count) noexcept { begin_ += count; }
  /// Gives the memory back if there is no content.
  void release() noexcept {
    if (!empty())
      return;
    memory_.reset();
    capacity_ = begin_ = end_ = 0;
  }

private:
  void make_room(std::size_t count) {
    const std::size_t held = size();
    if (capacity_ - held >= count && begin_ >= held) {
      // Each byte moves at most once for every byte that was consumed before it.
      std::copy_n(memory_.get() + begin_, held, memory_.get());
    } else {
      const std::size_t capacity = std::max(held + count, 2 * held);
      auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
      std::copy_n(memory_.get() + begin_, held, memory.get());
      memory_ = std::move(memory);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Ciphertext on its way out. What front() has shown stays put until sent(); what is appended meanwhile waits behind
/// it. Otherwise everything is in one piece, so that one flight is one write.
class OutputQueue {
public:
  /// Room for exactly `count` bytes at the end; they are part of the queue at once and must be filled.
  [[nodiscard]] Bytes append(std::size_t count) {
    Buffer& buffer = writable();
    const Bytes space = buffer.space(count).first(count);
    buffer.commit(count);
    return space;
  }
  /// Makes room for `count` bytes that several append() calls will fill, so that they do not move.
  void reserve(std::size_t count) { (void)writable().space(count); }
  [[nodiscard]] BytesView front() noexcept {
    shown_ = !front_.empty();
    return front_.content();
  }
  void sent(std::size_t count) noexcept {
    front_.consume(std::min(count, front_.size()));
    shown_ = false;
    if (front_.empty() && !back_.empty())
      std::swap(front_, back_);
  }
  [[nodiscard]] std::size_t size() const noexcept { return front_.size() + back_.size(); }
  [[nodiscard]] bool empty() const noexcept { return front_.empty(); }
  void release() noexcept {
    front_.release();
    back_.release();
  }

private:
  Buffer& writable() noexcept { return shown_ || !back_.empty() ? back_ : front_; }

  Buffer front_;
  Buffer back_; // in use only while front_ is shown
  bool shown_ = false;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
