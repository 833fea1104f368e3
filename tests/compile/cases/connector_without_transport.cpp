// What neither reads nor writes is no transport.
// expect: constraint
#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

#if defined(WRONG)
using Carrier = int;
#else
using Carrier = tlsconnect::MemoryPipe;
#endif

void use(tlsconnect::Connector<Carrier>& connector) { (void)connector.info(); }
