// Sealing and opening take nothing from the heap. A program of its own, because it replaces the C library's allocator
// with one that counts; the environment variable that its meson.build sets keeps Botan from using a pool that no
// allocator sees.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <span>
#include <string_view>

#include <botan/secmem.h>

#include <tlsconnect/crypto/aead.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/crypto/random.hpp>

#include "test_bytes.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TEST_COUNTS_ALLOCATIONS 0
#endif
#endif
#if !defined(TEST_COUNTS_ALLOCATIONS)
#if defined(__GLIBC__)
#define TEST_COUNTS_ALLOCATIONS 1
#else
#define TEST_COUNTS_ALLOCATIONS 0
#endif
#endif

#if TEST_COUNTS_ALLOCATIONS

#include <malloc.h>

namespace {
struct Heap {
  std::size_t allocations = 0;
  std::size_t bytes_in_use = 0;
};
// The test program has one thread.
constinit Heap heap; // NOLINT
} // namespace

// operator new, calloc and so Botan's secure_vector all end here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void __libc_free(void*);

static void* counted(void* block) {
  if (block != nullptr) {
    ++heap.allocations;
    heap.bytes_in_use += malloc_usable_size(block);
  }
  return block;
}
void* malloc(std::size_t size) { return counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return counted(__libc_calloc(count, size)); }
void* realloc(void* block, std::size_t size) {
  const std::size_t before = block != nullptr ? malloc_usable_size(block) : 0;
  void* const moved = __libc_realloc(block, size);
  if (moved != nullptr || size == 0)
    heap.bytes_in_use -= before;
  return counted(moved);
}
void free(void* block) {
  if (block != nullptr)
    heap.bytes_in_use -= malloc_usable_size(block);
  __libc_free(block);
}
}

using namespace tlsconnect;

namespace {

constexpr AeadAlgorithm algorithms[] = {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                        AeadAlgorithm::chacha20_poly1305};
constexpr std::size_t lengths[] = {16'385, 0, 1, 16, 17, 383, 384, 385, 511, 512, 513, 4096, 16'384, 16'385};
constexpr std::array<std::uint8_t, 5> header = {23, 3, 3, 0x40, 0x11};

} // namespace

TEST_CASE("the counter counts", "[heap]") {
  const char* const pool = std::getenv("BOTAN_MLOCK_POOL_SIZE");
  REQUIRE(pool != nullptr);
  REQUIRE(std::string_view(pool) == "0");
  // Catch2 allocates too, so that every measurement ends before the first check.
  const Heap before = heap;
  Heap with_block;
  {
    const Botan::secure_vector<std::uint8_t> block(100);
    with_block = heap;
  }
  const Heap without_block = heap;
  auto other = std::make_unique<ByteVector>(100);
  const Heap with_other = heap;
  CHECK(with_block.allocations == before.allocations + 1);
  CHECK(with_block.bytes_in_use >= before.bytes_in_use + 100);
  CHECK(without_block.bytes_in_use == before.bytes_in_use);
  CHECK(with_other.allocations == before.allocations + 3);
  CHECK(other->size() == 100);
}

TEST_CASE("from the first record on, sealing and opening leave the heap alone", "[heap][crypto][aead]") {
  static std::array<std::uint8_t, 16'385> buffer{};
  for (const AeadAlgorithm algorithm : algorithms) {
    const ByteVector key = test::repeated(key_length(algorithm), 3);
    auto sealer = AeadSealer::create(algorithm, key);
    auto opener = AeadOpener::create(algorithm, key);
    REQUIRE(sealer);
    REQUIRE(opener);
    bool good = true;
    const std::size_t before = heap.allocations;
    std::array<std::uint8_t, aead_nonce_length> nonce{};
    std::array<std::uint8_t, aead_tag_length> tag{};
    for (const std::size_t length : lengths) {
      ++nonce[11];
      const Bytes text = std::span(buffer).first(length);
      good = sealer->seal(nonce, header, text, tag).has_value() && good;
      good = opener->open(nonce, header, text, tag).has_value() && good;
    }
    const std::size_t after = heap.allocations;
    CHECK(good);
    CHECK(after == before);
  }
}

TEST_CASE("keys leave nothing on the heap when they go", "[heap][crypto]") {
  // The first use of each fills tables that Botan keeps.
  const auto rng = system_rng();
  const NamedGroup groups[] = {NamedGroup::x25519,
                               NamedGroup::secp256r1,
                               NamedGroup::secp384r1,
                               NamedGroup::secp521r1,
                               NamedGroup::x25519_mlkem768,
                               NamedGroup::secp256r1_mlkem768,
                               NamedGroup::secp384r1_mlkem1024};
  for (const NamedGroup group : groups)
    REQUIRE(KeyExchange::create(group, *rng));

  std::array<std::size_t, std::size(algorithms)> sealer_bytes{};
  std::array<std::size_t, std::size(algorithms)> opener_bytes{};
  std::array<std::size_t, std::size(groups)> key_bytes{};
  bool good = true;
  const std::size_t before = heap.bytes_in_use;
  for (std::size_t i = 0; i < std::size(algorithms); ++i) {
    const std::array<std::uint8_t, 32> key{};
    const BytesView used = std::span(key).first(key_length(algorithms[i]));
    const std::size_t start = heap.bytes_in_use;
    const auto sealer = AeadSealer::create(algorithms[i], used);
    const std::size_t middle = heap.bytes_in_use;
    const auto opener = AeadOpener::create(algorithms[i], used);
    sealer_bytes[i] = middle - start;
    opener_bytes[i] = heap.bytes_in_use - middle;
    good = good && sealer && opener;
  }
  for (std::size_t i = 0; i < std::size(groups); ++i) {
    const std::size_t start = heap.bytes_in_use;
    const auto keys = KeyExchange::create(groups[i], *rng);
    key_bytes[i] = heap.bytes_in_use - start;
    good = good && keys;
  }
  const std::size_t after = heap.bytes_in_use;

  REQUIRE(good);
  CHECK(after == before);
  // A connection holds a sealer and an opener, and two of each while its keys change. The caps stand well above what
  // was measured, so that only a change of the order of magnitude is noticed.
  for (std::size_t i = 0; i < std::size(algorithms); ++i) {
    INFO("AEAD " << static_cast<int>(algorithms[i]) << ": " << sealer_bytes[i] << " and " << opener_bytes[i]);
    CHECK(sealer_bytes[i] > 0);
    CHECK(sealer_bytes[i] <= 4'096);
    CHECK(opener_bytes[i] <= 4'096);
  }
  for (std::size_t i = 0; i < std::size(groups); ++i) {
    INFO("group " << static_cast<int>(groups[i]) << ": " << key_bytes[i]);
    CHECK(key_bytes[i] > 0);
    CHECK(key_bytes[i] <= (lengths_of(groups[i])->client_share > 1'000 ? 16'384u : 1'024u));
  }
}

#else

TEST_CASE("allocations are counted in builds without a sanitizer, with the GNU C library", "[heap]") {
  SKIP("this build cannot count them");
}

#endif
