// What keeps sessions: the keys they are kept under, and MemorySessionStore.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <tlsconnect/client/session.hpp>

namespace tls = tlsconnect;
using tls::ByteVector;
using tls::Session;

namespace {

static_assert(std::has_virtual_destructor_v<tls::SessionStore>);

Session small_session() {
  Session session;
  session.secret = tls::SessionSecret(ByteVector(32, 1));
  session.ticket = {7};
  session.server_name = "a";
  return session;
}

std::string name_of_ticket(const std::optional<Session>& session) {
  return session ? std::string(tls::as_text(session->ticket)) : std::string("none");
}

Session with_ticket(std::string_view ticket) {
  Session session = small_session();
  session.ticket = tls::to_vector(tls::as_bytes(ticket));
  return session;
}

} // namespace

TEST_CASE("the key of a session names the server and what trust rests on", "[session]") {
  const auto key = [](std::string_view name, const ByteVector& trust) {
    const auto parsed = tls::ServerName::parse(name);
    REQUIRE(parsed);
    return tls::session_key(*parsed, trust);
  };
  CHECK(key("WWW.Example.com.", {0x00, 0x1F, 0xA9, 0xFF}) == "www.example.com+001fa9ff");
  CHECK(key("[2001:DB8::1]", {}) == "2001:db8::1+");
  CHECK(key("a", {0x0B}) != key("a", {0xB0}));
  CHECK(key("a", {}) != key("a", {0}));
  CHECK(key("a", {0, 0}) != key("a", {0}));
  CHECK(key("a.b", {1}) != key("a", {1}));
}

TEST_CASE("a store gives out the newest session first, and each once", "[session]") {
  tls::MemorySessionStore store;
  CHECK(name_of_ticket(store.take("a")) == "none");
  store.put("a", with_ticket("1"));
  store.put("a", with_ticket("2"));
  store.put("b", with_ticket("3"));
  CHECK(store.size() == 3);
  CHECK(name_of_ticket(store.take("a")) == "2");
  CHECK(name_of_ticket(store.take("b")) == "3");
  CHECK(name_of_ticket(store.take("b")) == "none");
  CHECK(name_of_ticket(store.take("a")) == "1");
  CHECK(name_of_ticket(store.take("a")) == "none");
  CHECK(store.size() == 0);
}

TEST_CASE("what a store gives out is what was put in, expired or not", "[session]") {
  tls::MemorySessionStore store;
  Session old = with_ticket("1");
  old.lifetime = 0;
  old.age_add = 17;
  old.peer_chain.push_back({{1, 2, 3}, {4}, {5, 6}});
  REQUIRE(old.expired(0));
  const ByteVector before = old.serialise().value();
  store.put("a", std::move(old));
  const auto taken = store.take("a");
  REQUIRE(taken);
  CHECK(taken->serialise().value() == before);
}

TEST_CASE("a store keeps four sessions of a server, the oldest gives way", "[session]") {
  tls::MemorySessionStore store;
  for (const char* ticket : {"1", "2", "3", "4", "5", "6"})
    store.put("a", with_ticket(ticket));
  CHECK(store.size() == 4);
  for (const char* ticket : {"6", "5", "4", "3", "none"})
    CHECK(name_of_ticket(store.take("a")) == ticket);

  tls::MemorySessionStore one(256, 1);
  one.put("a", with_ticket("1"));
  one.put("a", with_ticket("2"));
  CHECK(one.size() == 1);
  CHECK(name_of_ticket(one.take("a")) == "2");
}

TEST_CASE("a store forgets the server that was not used for longest", "[session]") {
  tls::MemorySessionStore store(3, 2);
  store.put("a", with_ticket("a1"));
  store.put("b", with_ticket("b1"));
  store.put("c", with_ticket("c1"));
  SECTION("in the order in which they came") {
    store.put("d", with_ticket("d1"));
    CHECK(store.size() == 3);
    CHECK(name_of_ticket(store.take("a")) == "none");
    CHECK(name_of_ticket(store.take("b")) == "b1");
    CHECK(name_of_ticket(store.take("c")) == "c1");
    CHECK(name_of_ticket(store.take("d")) == "d1");
  }
  SECTION("putting counts as use") {
    store.put("a", with_ticket("a2"));
    store.put("d", with_ticket("d1"));
    CHECK(name_of_ticket(store.take("b")) == "none");
    CHECK(name_of_ticket(store.take("a")) == "a2");
    CHECK(name_of_ticket(store.take("a")) == "a1");
  }
  SECTION("taking counts as use") {
    store.put("a", with_ticket("a2"));
    store.put("b", with_ticket("b2"));
    store.put("c", with_ticket("c2"));
    CHECK(name_of_ticket(store.take("a")) == "a2");
    store.put("d", with_ticket("d1"));
    CHECK(name_of_ticket(store.take("b")) == "none");
    CHECK(name_of_ticket(store.take("a")) == "a1");
  }
  SECTION("asking for what is not there does not") {
    CHECK_FALSE(store.take("x"));
    store.put("d", with_ticket("d1"));
    CHECK(name_of_ticket(store.take("a")) == "none");
    CHECK(name_of_ticket(store.take("b")) == "b1");
  }
  SECTION("a server without sessions takes no room") {
    CHECK(store.take("b"));
    store.put("d", with_ticket("d1"));
    CHECK(store.size() == 3);
    CHECK(name_of_ticket(store.take("a")) == "a1");
  }
}

TEST_CASE("a store keeps 256 servers unless told otherwise", "[session]") {
  tls::MemorySessionStore store;
  for (int i = 0; i < 257; ++i)
    store.put("server " + std::to_string(i), with_ticket("t"));
  CHECK(store.size() == 256);
  CHECK_FALSE(store.take("server 0"));
  CHECK(store.take("server 1"));
  CHECK(store.take("server 256"));
}

TEST_CASE("a store without room keeps nothing", "[session]") {
  for (const auto& [servers, sessions] : {std::pair{0, 4}, std::pair{256, 0}, std::pair{0, 0}}) {
    tls::MemorySessionStore store(static_cast<std::size_t>(servers), static_cast<std::size_t>(sessions));
    store.put("a", with_ticket("1"));
    CHECK(store.size() == 0);
    CHECK_FALSE(store.take("a"));
  }
}

TEST_CASE("a store can be told to forget", "[session]") {
  tls::MemorySessionStore store;
  store.put("a", with_ticket("1"));
  store.put("a", with_ticket("2"));
  store.put("b", with_ticket("3"));
  store.erase("x");
  CHECK(store.size() == 3);
  store.erase("a");
  CHECK(store.size() == 1);
  CHECK_FALSE(store.take("a"));
  store.put("a", with_ticket("4"));
  CHECK(name_of_ticket(store.take("a")) == "4");
  store.clear();
  CHECK(store.size() == 0);
  CHECK_FALSE(store.take("b"));
  store.put("b", with_ticket("5"));
  CHECK(name_of_ticket(store.take("b")) == "5");
}

TEST_CASE("threads share a store: no session comes out twice, none comes out that did not go in", "[session]") {
  constexpr std::size_t threads = 4;
  constexpr std::uint32_t rounds = 3'000;
  constexpr std::size_t servers = 5; // one more than fit, so that all of them are forgotten now and then
  tls::MemorySessionStore store(4, 3);
  std::array<std::atomic<unsigned>, threads * rounds> given_out{};
  std::atomic<unsigned> strange = 0; // Catch2 does not count checks of several threads

  const auto work = [&](std::uint32_t self) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::string key = "server " + std::to_string((self + round * 7) % servers);
      Session session = small_session();
      session.age_add = self * rounds + round;
      session.ticket.assign(100, static_cast<std::uint8_t>(round));
      session.server_name = key;
      store.put(key, std::move(session));
      if (round % 97 == 0)
        store.erase(key);
      if (round % 1'009 == 0)
        store.clear();
      const std::string wanted = "server " + std::to_string((self * 3 + round) % servers);
      if (const auto taken = store.take(wanted)) {
        const bool whole = taken->ticket.size() == 100 && taken->secret.size() == 32 && taken->server_name == wanted &&
                           taken->age_add < given_out.size() &&
                           std::count(taken->ticket.begin(), taken->ticket.end(), taken->ticket[0]) == 100;
        if (!whole)
          ++strange;
        else
          ++given_out[taken->age_add];
      }
      if (store.size() > 4 * 3)
        ++strange;
    }
  };
  std::vector<std::thread> workers;
  for (std::uint32_t i = 0; i < threads; ++i)
    workers.emplace_back(work, i);
  for (std::thread& worker : workers)
    worker.join();

  CHECK(strange == 0);
  CHECK(std::none_of(given_out.begin(), given_out.end(), [](const auto& count) { return count > 1; }));
  // The threads did get something out of it.
  CHECK(std::count(given_out.begin(), given_out.end(), 1U) > 100);
}
