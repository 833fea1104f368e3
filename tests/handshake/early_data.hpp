// What the tests of early data share: a client that may send some, and records as they compare them.
#pragma once

#include "sessions.hpp"

namespace test {

using tlsconnect::as_bytes;
using tlsconnect::as_text;

inline const std::string question = "GET / HTTP/1.1\r\n\r\n";

/// A client whose ticket permits early data, and a server that takes it.
struct Early {
  Client client;
  KnownPsk psk;
  ServerOptions server;

  explicit Early(Client made = {}, ServerOptions options = {}, std::uint32_t limit = 1'000'000)
      : client(std::move(made)), psk(client.establish({.max_early_data = limit}, options)), server(std::move(options)) {
    server.psks = {psk};
    server.accept_early_data = true;
  }
  [[nodiscard]] Talk talk(std::string data = question) const { return client.talk(server, std::move(data)); }
};

/// All of it is the caller's again, and the server has not taken it for anything else.
inline void check_rejected(Talk& talk, const std::string& data = question) {
  CHECK(talk.client.info().early_data == EarlyDataOutcome::rejected);
  CHECK(talk.client.info().early_data_accepted == 0);
  CHECK(as_text(talk.client.take_unaccepted_early_data()) == data);
  CHECK(talk.client.take_unaccepted_early_data().empty()); // once
  CHECK(talk.server.received().empty());
}

/// A record as a test compares it: what it is, and under which key.
struct Passed {
  ContentType type;
  bool early;
  unsigned key;
  bool sealed;
  friend bool operator==(const Passed&, const Passed&) = default;
};
inline std::vector<Passed> passed(const ScriptedServer& server) {
  std::vector<Passed> all;
  for (const SeenRecord& record : server.records())
    all.push_back({record.type, record.early, record.key, record.sealed});
  return all;
}
constexpr Passed clear(ContentType type) { return {type, false, 0, false}; }
constexpr Passed early(ContentType type) { return {type, true, 0, true}; }
constexpr Passed under(unsigned key, ContentType type) { return {type, false, key, true}; }
inline constexpr ContentType handshake_record = ContentType::handshake;
inline constexpr ContentType data_record = ContentType::application_data;
inline constexpr ContentType change_cipher_spec = ContentType::change_cipher_spec;

} // namespace test

template <>
struct Catch::StringMaker<test::Passed> {
  static std::string convert(const test::Passed& record) {
    return "type " + std::to_string(static_cast<unsigned>(record.type)) +
           (record.early    ? " early"
            : record.sealed ? " key " + std::to_string(record.key)
                            : " clear");
  }
};
