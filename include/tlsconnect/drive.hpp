// The one I/O loop: moves bytes between an engine and a transport.
#pragma once

#include <cstddef>
#include <utility>

#include <tlsconnect/engine.hpp>
#include <tlsconnect/transport.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

/// Writes what is pending until there is nothing left or the transport stops.
template <Transport T>
[[nodiscard]] IoResult<> flush(ClientEngine& engine, T& transport) {
  for (;;) {
    const BytesView bytes = engine.pending_output();
    if (bytes.empty())
      return {};
    IoResult<std::size_t> written = transport.write_some(bytes);
    if (!written) {
      Halt& halt = written.error();
      // Only what was read can end a connection in good order; from a write, the end of the transport is a failure.
      if (halt.is_closed() || halt.is_truncated())
        halt = Halt::failed(Error(ErrorCode::transport_failed, "write_some", "the transport has ended"));
      return std::unexpected(std::move(halt));
    }
    if (*written == 0 || *written > bytes.size())
      return std::unexpected(Halt::failed(Error(ErrorCode::transport_contract_broken, "write_some")));
    engine.sent(*written);
  }
}

/// Reads once and lets the engine work. What is pending goes out first if it can, but a full or broken sending
/// direction never keeps this side from reading: the peer may be waiting for us to read, or its last words may lie in
/// the receive queue.
template <Transport T>
[[nodiscard]] IoResult<> fill(ClientEngine& engine, T& transport) {
  if (const Error* error = engine.failure()) {
    // The alert may still be waiting; whether it gets through changes nothing for the caller.
    (void)flush(engine, transport);
    return std::unexpected(Halt::failed(*error));
  }
  if (engine.truncated())
    return std::unexpected(Halt::truncated());
  if (const Interest awaited = engine.awaited(); awaited != Interest::none) {
    // Only the caller can help; what is pending need not wait for that.
    const IoResult<> flushed = flush(engine, transport);
    if (flushed)
      return std::unexpected(Halt::would_block(awaited));
    if (flushed.error().is_would_block())
      return std::unexpected(Halt::would_block(awaited | flushed.error().interest()));
    return flushed;
  }

  const IoResult<> flushed = flush(engine, transport);
  const Bytes space = engine.receive_buffer();
  if (space.empty()) {
    const Error* error = engine.failure();
    return std::unexpected(Halt::failed(error ? *error : Error(ErrorCode::out_of_memory, "read_some")));
  }
  IoResult<std::size_t> count = transport.read_some(space);
  if (count && *count == 0)
    count = std::unexpected(Halt::closed());
  if (!count) {
    Halt& halt = count.error();
    if (halt.is_closed() || halt.is_truncated()) {
      engine.received_end();
      return {};
    }
    if (halt.is_would_block()) {
      engine.release_buffers();
      if (!flushed && flushed.error().is_would_block())
        return std::unexpected(Halt::would_block(halt.interest() | flushed.error().interest()));
      if (!flushed)
        return flushed;
    }
    return std::unexpected(std::move(halt));
  }
  if (*count > space.size())
    return std::unexpected(Halt::failed(Error(ErrorCode::transport_contract_broken, "read_some")));
  // A failure stays in the engine; the next call reports it, once its alert had a chance to leave.
  (void)engine.received(*count);
  return {};
}

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
