// What became of the handshake cannot be overlooked.
// expect: unused-result
#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

void use(tlsconnect::Connector<tlsconnect::MemoryPipe>& connector) {
#if defined(WRONG)
  connector.connect();
#else
  (void)connector.connect();
#endif
}
