// What a transport is: reading and writing is all it must do.
#pragma once

#include <concepts>
#include <cstddef>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/halt.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Anything that carries bytes both ways, in order: a socket, a pipe, a tunnel, another TLS stream. Blocking or not
/// makes no difference to the type; a blocking one simply never says would_block.
///
/// read_some(Bytes space)       space is not empty. Returns how many bytes (at least 1) it put there, or a Halt:
///                              would_block(interest) nothing there now; closed() the stream ended properly, for
///                              good; truncated() it ended although more was due; failed(error).
/// write_some(BytesView bytes)  bytes is not empty. Returns how many (at least 1) of the first it took, or a Halt.
///                              It may keep no pointer into them afterwards.
///
/// The interest in would_block tells the caller what to wait for; it is passed on unchanged, so a transport that is
/// itself a TLS stream may ask for write when it is read. A transport that returns 0 from read_some says closed().
/// One that returns 0 from write_some, or more than it was given, breaks the contract: transport_contract_broken.
template <class T>
concept Transport = std::movable<T> && requires(T& transport, Bytes space, BytesView bytes) {
  { transport.read_some(space) } -> std::same_as<IoResult<std::size_t>>;
  { transport.write_some(bytes) } -> std::same_as<IoResult<std::size_t>>;
};

/// A transport that can switch Nagle's algorithm off (`true`) and on. See Connector::connect for when that is asked.
template <class T>
concept HasNodelay = requires(T& transport) {
  { transport.set_nodelay(true) } -> std::same_as<IoResult<void>>;
};

/// A transport that stays with its owner: reads and writes go through a pointer to it.
template <class T>
class TransportRef {
public:
  explicit TransportRef(T& transport) noexcept : transport_(&transport) {}
  [[nodiscard]] IoResult<std::size_t> read_some(Bytes space) { return transport_->read_some(space); }
  [[nodiscard]] IoResult<std::size_t> write_some(BytesView bytes) { return transport_->write_some(bytes); }
  [[nodiscard]] IoResult<void> set_nodelay(bool on)
    requires HasNodelay<T>
  {
    return transport_->set_nodelay(on);
  }
  [[nodiscard]] T& get() const noexcept { return *transport_; }

private:
  T* transport_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
