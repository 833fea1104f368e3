// Secrets, proofs and vectors without a heap.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/inplace_vector.hpp>
#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/base/secret.hpp>

using namespace tlsconnect;

namespace {

struct TagA;
struct TagB;
using SecretA = Secret<TagA>;
using SecretB = Secret<TagB>;

// What must not compile.
static_assert(!std::is_copy_constructible_v<SecretA>);
static_assert(!std::is_copy_assignable_v<SecretA>);
static_assert(std::is_nothrow_move_constructible_v<SecretA>);
static_assert(!std::is_constructible_v<SecretA, SecretB>);
static_assert(!std::is_assignable_v<SecretA&, SecretB>);

struct Check {
  static Proof<Check> make() { return Proof<Check>(); }
};
static_assert(!std::is_default_constructible_v<Proof<Check>>);
static_assert(!std::is_copy_constructible_v<Proof<Check>>);
static_assert(std::is_move_constructible_v<Proof<Check>>);
static_assert(!std::is_aggregate_v<Proof<Check>>);
static_assert(std::is_empty_v<Proof<Check>>);

ByteVector counting(std::size_t size) {
  ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}

/// Whether a run of the secret's bytes is still in the memory.
bool holds(const unsigned char* memory, std::size_t size, const ByteVector& secret) {
  return std::search(memory, memory + size, secret.begin(), secret.end()) != memory + size;
}

} // namespace

TEST_CASE("a secret holds what it was given", "[secret]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{32}, std::size_t{48}, std::size_t{64}}) {
    const ByteVector bytes = counting(size);
    const SecretA secret{BytesView(bytes)};
    CHECK(secret.size() == size);
    CHECK(secret.empty() == (size == 0));
    CHECK(equal(secret.view(), bytes));
  }
  const SecretA zeros(std::size_t{12});
  CHECK(equal(zeros.view(), ByteVector(12, 0)));
}

TEST_CASE("a secret that does not fit is empty, never cut", "[secret]") {
  const ByteVector bytes = counting(65);
  CHECK(SecretA{BytesView(bytes)}.empty());
  CHECK(SecretA(std::size_t{65}).empty());
  CHECK(SecretA(std::size_t{256 + 32}).empty());
}

TEST_CASE("a secret that was moved away is gone from where it was", "[secret]") {
  const ByteVector bytes = counting(48);
  alignas(SecretA) unsigned char memory[sizeof(SecretA)];
  auto* first = new (memory) SecretA(BytesView{bytes});
  REQUIRE(holds(memory, sizeof memory, bytes));
  SecretA second(std::move(*first));
  CHECK(first->empty());
  CHECK(!holds(memory, sizeof memory, ByteVector(bytes.begin(), bytes.begin() + 4)));
  CHECK(equal(second.view(), bytes));

  *first = std::move(second);
  CHECK(equal(first->view(), bytes));
  CHECK(second.empty());
  // A shorter one leaves nothing of the longer one behind.
  *first = SecretA{BytesView(bytes).first(4)};
  CHECK(!holds(memory, sizeof memory, ByteVector(bytes.begin() + 4, bytes.begin() + 8)));
  SecretA& self = *first;
  *first = std::move(self);
  CHECK(equal(first->view(), BytesView(bytes).first(4)));
  first->~SecretA();
}

TEST_CASE("a secret is wiped when it dies", "[secret]") {
  const ByteVector bytes = counting(32);
  alignas(SecretA) unsigned char memory[sizeof(SecretA)];
  auto* secret = new (memory) SecretA(BytesView{bytes});
  REQUIRE(holds(memory, sizeof memory, bytes));
  secret->~SecretA();
  // The lifetime is over, the memory is not; it may be looked at as bytes through a barrier.
  __asm__ __volatile__("" : : "r"(memory) : "memory");
  CHECK(!holds(memory, sizeof memory, ByteVector(bytes.begin(), bytes.begin() + 4)));

  auto* cleared = new (memory) SecretA(BytesView{bytes});
  cleared->clear();
  CHECK(cleared->empty());
  CHECK(!holds(memory, sizeof memory, ByteVector(bytes.begin(), bytes.begin() + 4)));
  cleared->~SecretA();
}

TEST_CASE("wipe", "[secret]") {
  ByteVector bytes = counting(100);
  wipe(Bytes(bytes).subspan(10, 80));
  CHECK(bytes[9] == 10);
  CHECK(bytes[90] == 91);
  CHECK(std::all_of(bytes.begin() + 10, bytes.begin() + 90, [](std::uint8_t b) { return b == 0; }));
  wipe(nullptr, 0);
}

TEST_CASE("the comparison of secrets compares", "[secret]") {
  const ByteVector a = counting(48);
  CHECK(equal_constant_time(a, a));
  CHECK(equal_constant_time({}, {}));
  CHECK(!equal_constant_time(a, BytesView(a).first(47)));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (unsigned bit = 0; bit < 8; ++bit) {
      ByteVector b = a;
      b[i] = static_cast<std::uint8_t>(b[i] ^ (1U << bit));
      CHECK(!equal_constant_time(a, b));
    }
  // Two differences do not cancel each other.
  ByteVector b = a;
  b[0] ^= 0x55U;
  b[1] ^= 0x55U;
  CHECK(!equal_constant_time(a, b));
}

TEST_CASE("bytes and texts", "[bytes]") {
  CHECK(as_text(as_bytes("abc")) == "abc");
  CHECK(as_bytes("").empty());
  CHECK(equal({}, {}));
  CHECK(!equal(as_bytes("abc"), as_bytes("abd")));
  CHECK(!equal(as_bytes("abc"), as_bytes("ab")));
  std::array<std::uint8_t, 4> to{9, 9, 9, 9};
  copy_bytes(as_bytes("ab"), to);
  CHECK(to == std::array<std::uint8_t, 4>{'a', 'b', 9, 9});
  copy_bytes({}, {});
  CHECK(to_vector(as_bytes("ab")) == ByteVector{'a', 'b'});
}

TEST_CASE("a vector in place never grows over its capacity", "[inplace_vector]") {
  InplaceVector<int, 3> values;
  CHECK(values.empty());
  CHECK(values.capacity() == 3);
  for (int i = 0; i < 3; ++i)
    CHECK(values.push_back(i));
  CHECK(!values.push_back(99));
  CHECK(values == InplaceVector<int, 3>{0, 1, 2});
  CHECK(!values.contains(99));
  CHECK(values.contains(2));
  const std::vector<int> four{1, 2, 3, 4};
  CHECK(!values.assign(four));
  CHECK(values == InplaceVector<int, 3>{0, 1, 2});
  CHECK(values.assign(std::span(four).first(2)));
  CHECK(values == InplaceVector<int, 3>{1, 2});
  CHECK(values != InplaceVector<int, 3>{1, 2, 3});
  CHECK(values != InplaceVector<int, 3>{1, 3});
  CHECK(values.view().size() == 2);
  CHECK(values[1] == 2);
  CHECK(values.end() - values.begin() == 2);
  values.clear();
  CHECK(values.empty());
  CHECK(!values.contains(1)); // what was there does not count any more
  CHECK(InplaceVector<int, 2>{1, 2, 3}.size() == 2);
}
