// What became of a call on a stream cannot be overlooked.
// expect: unused-result
#include <tlsconnect/memory_pipe.hpp>
#include <tlsconnect/stream.hpp>

void use(tlsconnect::Stream<tlsconnect::MemoryPipe>& stream, tlsconnect::Bytes space, tlsconnect::BytesView bytes) {
  (void)space;
  (void)bytes;
#if defined(WRONG)
  stream.write_all(bytes);
#else
  (void)stream.write_all(bytes);
#endif
}
