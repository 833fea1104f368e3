// A name that was not parsed is no name.
// expect: no matching|could not convert|no viable
#include <utility>

#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>

void use(tlsconnect::ConfigPtr config, tlsconnect::MemoryPipe pipe) {
#if defined(WRONG)
  tlsconnect::Connector<tlsconnect::MemoryPipe> connector(config, "example.com", std::move(pipe));
#else
  auto name = tlsconnect::ServerName::parse("example.com");
  if (!name)
    return;
  tlsconnect::Connector<tlsconnect::MemoryPipe> connector(config, *name, std::move(pipe));
#endif
  (void)connector.info();
}
