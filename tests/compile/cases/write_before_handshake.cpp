// Nothing can be written before the handshake either.
// expect: no member named .*write_all
#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

void use(tlsconnect::Connector<tlsconnect::MemoryPipe>& connector, tlsconnect::BytesView bytes) {
#if defined(WRONG)
  (void)connector.write_all(bytes);
#else
  if (auto stream = connector.connect())
    (void)stream->write_all(bytes);
#endif
}
