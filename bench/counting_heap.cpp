// The C library's allocator, counted: operator new, Botan's secure memory and the other libraries all end here.
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "support.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BENCH_COUNTS_HEAP 0
#elif defined(__GLIBC__)
#define BENCH_COUNTS_HEAP 1
#else
#define BENCH_COUNTS_HEAP 0
#endif

namespace {
// The program has one thread.
constinit bool counting = false;
constinit bench::Heap heap;
} // namespace

#if BENCH_COUNTS_HEAP

#include <cerrno>
#include <malloc.h>

namespace {

void* taken(void* block) {
  if (counting && block != nullptr) {
    ++heap.allocations;
    heap.bytes += static_cast<std::ptrdiff_t>(malloc_usable_size(block));
  }
  return block;
}
void given_back(void* block) {
  if (counting && block != nullptr)
    heap.bytes -= static_cast<std::ptrdiff_t>(malloc_usable_size(block));
}

} // namespace

// glibc's own names for what is replaced here; it promises them to those who do.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);

void* malloc(std::size_t size) { return taken(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return taken(__libc_calloc(count, size)); }
void* realloc(void* block, std::size_t size) {
  const std::size_t before = counting && block != nullptr ? malloc_usable_size(block) : 0;
  void* const moved = __libc_realloc(block, size);
  if (moved != nullptr || size == 0) // otherwise the old block is still there
    heap.bytes -= static_cast<std::ptrdiff_t>(before);
  return taken(moved);
}
void* memalign(std::size_t alignment, std::size_t size) { return taken(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return taken(__libc_memalign(alignment, size)); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  void* const made = taken(__libc_memalign(alignment, size));
  if (made == nullptr)
    return ENOMEM;
  *block = made;
  return 0;
}
void free(void* block) {
  given_back(block);
  __libc_free(block);
}
}

#endif

namespace bench {

bool heap_is_counted() { return BENCH_COUNTS_HEAP != 0; }

bool botan_pool_hides_memory() {
  const char* const size = std::getenv("BOTAN_MLOCK_POOL_SIZE");
  return size == nullptr || std::string_view(size) != "0";
}

Heap heap_now() { return heap; }

HeapCount::HeapCount() { counting = true; }
HeapCount::~HeapCount() { counting = false; }

std::size_t block_size([[maybe_unused]] void* block) {
#if BENCH_COUNTS_HEAP
  return malloc_usable_size(block);
#else
  return 0;
#endif
}

} // namespace bench
