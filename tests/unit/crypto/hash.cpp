// Hashes against FIPS 180-4's examples; reading the value on the way; copies.
#include <catch2/catch_test_macros.hpp>

#include <new>
#include <stdexcept>

#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/hash.hpp>

#include "test_bytes.hpp"

using namespace tlsconnect;

namespace {

ByteVector value_of(const Result<Digest>& digest) {
  REQUIRE(digest);
  return test::copied(digest->view());
}

struct Example {
  HashAlgorithm algorithm;
  const char* empty;
  const char* abc;
};
const Example examples[] = {
    {HashAlgorithm::sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HashAlgorithm::sha384,
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {HashAlgorithm::sha512,
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

} // namespace

TEST_CASE("hashes have the values of FIPS 180-4", "[crypto][hash]") {
  for (const Example& example : examples) {
    CHECK(value_of(hash_of(example.algorithm, {})) == test::hex(example.empty));
    CHECK(value_of(hash_of(example.algorithm, as_bytes("abc"))) == test::hex(example.abc));
    CHECK(value_of(hash_of(example.algorithm, {})).size() == hash_length(example.algorithm));
  }
}

TEST_CASE("a running hash can be read at any time and goes on", "[crypto][hash]") {
  for (const Example& example : examples) {
    auto hash = Hash::create(example.algorithm);
    REQUIRE(hash);
    CHECK(hash->algorithm() == example.algorithm);
    CHECK(value_of(hash->current()) == test::hex(example.empty));
    REQUIRE(hash->update(as_bytes("ab")));
    CHECK(value_of(hash->current()) == value_of(hash_of(example.algorithm, as_bytes("ab"))));
    CHECK(value_of(hash->current()) == value_of(hash->current()));
    REQUIRE(hash->update({}));
    REQUIRE(hash->update(as_bytes("c")));
    CHECK(value_of(hash->current()) == test::hex(example.abc));
  }
}

TEST_CASE("a clone starts from the same state and goes its own way", "[crypto][hash]") {
  for (const Example& example : examples) {
    auto hash = Hash::create(example.algorithm);
    REQUIRE(hash);
    REQUIRE(hash->update(as_bytes("ab")));
    auto other = hash->clone();
    REQUIRE(other);
    CHECK(other->algorithm() == example.algorithm);
    REQUIRE(hash->update(as_bytes("x")));
    REQUIRE(other->update(as_bytes("c")));
    CHECK(value_of(other->current()) == test::hex(example.abc));
    CHECK(value_of(hash->current()) == value_of(hash_of(example.algorithm, as_bytes("abx"))));
  }
}

TEST_CASE("a hash keeps its state when it is moved", "[crypto][hash]") {
  auto hash = Hash::create(HashAlgorithm::sha256);
  REQUIRE(hash);
  REQUIRE(hash->update(as_bytes("abc")));
  Hash moved = std::move(*hash);
  CHECK(value_of(moved.current()) == test::hex(examples[0].abc));
}

TEST_CASE("pieces of every length around a block give the value of the whole", "[crypto][hash]") {
  const ByteVector data = test::counted(0, 255);
  for (const Example& example : examples) {
    const ByteVector whole = value_of(hash_of(example.algorithm, data));
    for (std::size_t piece : {1u, 7u, 63u, 64u, 65u, 127u, 128u, 129u, 255u}) {
      auto hash = Hash::create(example.algorithm);
      REQUIRE(hash);
      for (BytesView left = data; !left.empty(); left = left.subspan(std::min(piece, left.size())))
        REQUIRE(hash->update(left.first(std::min(piece, left.size()))));
      CHECK(value_of(hash->current()) == whole);
    }
  }
}

TEST_CASE("no exception passes the wall, and memory that ran out is told apart", "[crypto][botan]") {
  const auto outcome = [](auto thrower) {
    return detail::botan_guard(ErrorCode::certificate_malformed, "here", [&]() -> Result<int> {
      thrower();
      return 7;
    });
  };
  CHECK(outcome([] {}).value() == 7);

  const auto memory = outcome([] { throw std::bad_alloc(); });
  REQUIRE_FALSE(memory);
  CHECK(memory.error().code() == ErrorCode::out_of_memory);
  CHECK(memory.error().where() == "here");

  const auto standard = outcome([] { throw std::runtime_error("what it says"); });
  REQUIRE_FALSE(standard);
  CHECK(standard.error().code() == ErrorCode::certificate_malformed);
  CHECK(standard.error().where() == "here");
  CHECK(standard.error().detail() == "what it says");

  const auto other = outcome([] { throw 1; });
  REQUIRE_FALSE(other);
  CHECK(other.error().code() == ErrorCode::certificate_malformed);

  // A failure that is returned passes unchanged.
  const Result<> returned =
      detail::botan_guard(ErrorCode::crypto_failed, "", []() -> Result<> { return fail(ErrorCode::bad_record_mac); });
  REQUIRE_FALSE(returned);
  CHECK(returned.error().code() == ErrorCode::bad_record_mac);
}
