// What happens to sessions and pre-shared keys when memory runs out: an error or a dropped session, never an exception.
// A program of its own, because its operator new fails when it is told to.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <tlsconnect/client/psk.hpp>
#include <tlsconnect/client/session.hpp>

namespace {

// Allocations that still succeed; none: all do. The test program has one thread.
constinit std::optional<std::size_t> allowed; // NOLINT
constinit bool refused = false;               // NOLINT

void* allocated(std::size_t size) {
  if (allowed) {
    if (*allowed == 0) {
      refused = true;
      throw std::bad_alloc();
    }
    --*allowed;
  }
  void* block = std::malloc(size == 0 ? 1 : size); // NOLINT
  if (block == nullptr)
    throw std::bad_alloc();
  return block;
}

} // namespace

void* operator new(std::size_t size) { return allocated(size); }
void* operator new[](std::size_t size) { return allocated(size); }
void operator delete(void* block) noexcept { std::free(block); }                // NOLINT
void operator delete[](void* block) noexcept { std::free(block); }              // NOLINT
void operator delete(void* block, std::size_t) noexcept { std::free(block); }   // NOLINT
void operator delete[](void* block, std::size_t) noexcept { std::free(block); } // NOLINT

namespace tls = tlsconnect;

namespace {

/// Calls `action` again and again, each time with one more allocation that succeeds, until none is refused. `check` sees
/// what it returned and whether memory had run out. Gives how often it had.
template <class Action, class Check>
std::size_t with_little_memory(Action&& action, Check&& check) {
  for (std::size_t count = 0;; ++count) {
    refused = false;
    allowed = count;
    auto outcome = action();
    allowed.reset();
    check(outcome, refused);
    if (!refused)
      return count;
    REQUIRE(count < 1'000);
  }
}

/// For a call that succeeds when there is memory.
template <class Action>
std::size_t check_result(Action&& action) {
  return with_little_memory(action, [](const auto& result, bool out_of_memory) {
    REQUIRE(result.has_value() == !out_of_memory);
    if (!result)
      REQUIRE(result.error().code() == tls::ErrorCode::out_of_memory);
  });
}

tls::Session some_session() {
  tls::Session session;
  session.secret = tls::SessionSecret(tls::ByteVector(32, 1));
  session.ticket.assign(100, 7);
  session.server_name = "a.name.that.is.too.long.for.a.small.string.example.com";
  session.peer_chain.push_back({{1, 2}, {3}, {4}});
  return session;
}

constexpr std::string_view long_key = "a key that is too long for a string without an allocation";

} // namespace

TEST_CASE("sessions are written and read, or memory runs out") {
  const tls::Session session = some_session();
  const tls::ByteVector bytes = session.serialise().value();
  CHECK(check_result([&] { return session.serialise(); }) > 2);
  CHECK(check_result([&] { return tls::Session::parse(bytes); }) > 4);
}

TEST_CASE("a session that is refused is refused without memory too") {
  tls::Session session = some_session();
  tls::ByteVector bytes = session.serialise().value();
  bytes.back() ^= 1;
  session.ticket.clear();
  const auto check = [](const auto& result, bool out_of_memory) {
    REQUIRE_FALSE(result);
    REQUIRE((result.error().code() == tls::ErrorCode::session_unreadable || out_of_memory));
  };
  CHECK(with_little_memory([&] { return tls::Session::parse(bytes); }, check) > 0);
  CHECK(with_little_memory([&] { return session.serialise(); }, check) > 0);
}

TEST_CASE("a store drops a session for which there is no memory, and stays as it was") {
  for (const bool server_is_known : {false, true}) {
    std::size_t failures = 0;
    for (bool out_of_memory = true; out_of_memory;) {
      tls::MemorySessionStore store;
      store.put("other", some_session());
      if (server_is_known)
        store.put(long_key, some_session());
      const std::size_t before = store.size();
      tls::Session session = some_session();
      refused = false;
      allowed = failures;
      store.put(long_key, std::move(session));
      allowed.reset();
      out_of_memory = refused;
      REQUIRE(store.size() == before + (out_of_memory ? 0 : 1));
      failures += out_of_memory ? 1 : 0;
      REQUIRE(failures < 100);

      // Giving out and forgetting take no memory.
      allowed = 0;
      std::size_t taken = 0;
      while (store.take(long_key))
        ++taken;
      store.erase("other");
      const std::size_t after = store.size();
      allowed.reset();
      REQUIRE(taken == before - 1 + (out_of_memory ? 0 : 1));
      REQUIRE(after == 0);
    }
    CHECK(failures >= (server_is_known ? 1U : 3U));
  }
}

TEST_CASE("pre-shared keys come about, or memory runs out") {
  const tls::ByteVector secret(16, 1);
  CHECK(check_result([&] { return tls::ExternalPsk::create(tls::as_bytes(long_key), secret); }) > 1);
  const tls::PskImport source{.external_identity = tls::as_bytes(long_key), .context = {}, .key = secret};
  CHECK(check_result([&] { return tls::ExternalPsk::import_from(source); }) > 4);
  // Refused for its content: the reason takes memory as well.
  const auto check = [](const auto& result, bool out_of_memory) {
    REQUIRE_FALSE(result);
    REQUIRE((result.error().code() == tls::ErrorCode::credential_invalid || out_of_memory));
  };
  CHECK(with_little_memory([&] { return tls::ExternalPsk::create({}, secret); }, check) > 0);
}
