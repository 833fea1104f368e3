// Which server must be reached cannot be left out.
// expect: no matching
#include <utility>

#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

void use(tlsconnect::ConfigPtr config, tlsconnect::ServerName name, tlsconnect::MemoryPipe pipe) {
#if defined(WRONG)
  (void)name;
  tlsconnect::Connector<tlsconnect::MemoryPipe> connector(config, std::move(pipe));
#else
  tlsconnect::Connector<tlsconnect::MemoryPipe> connector(config, name, std::move(pipe));
#endif
  (void)connector.info();
}
