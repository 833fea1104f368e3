// Nothing can be read before the handshake: only a Stream reads, and only connect() makes one.
// expect: no member named .*read_some
#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

void use(tlsconnect::Connector<tlsconnect::MemoryPipe>& connector, tlsconnect::Bytes space) {
#if defined(WRONG)
  (void)connector.read_some(space);
#else
  if (auto stream = connector.connect())
    (void)stream->read_some(space);
#endif
}
