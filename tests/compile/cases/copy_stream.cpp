// A connection is one: it moves, it is not copied.
// expect: deleted
#include <utility>

#include <tlsconnect/memory_pipe.hpp>
#include <tlsconnect/stream.hpp>

using Stream = tlsconnect::Stream<tlsconnect::MemoryPipe>;

void use(Stream& stream) {
#if defined(WRONG)
  Stream copy(stream);
#else
  Stream copy(std::move(stream));
#endif
  (void)copy.has_buffered();
}
