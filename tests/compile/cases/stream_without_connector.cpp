// A Stream cannot be made from its parts: it stands for a finished handshake.
// expect: private|inaccessible
#include <utility>

#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

using Stream = tlsconnect::Stream<tlsconnect::MemoryPipe>;

void use(tlsconnect::ClientEngine engine, tlsconnect::MemoryPipe pipe, Stream other) {
#if defined(WRONG)
  Stream stream(std::move(engine), std::move(pipe));
#else
  Stream stream(std::move(other));
  (void)engine.failure();
  (void)pipe.readable();
#endif
  (void)stream.has_buffered();
}
