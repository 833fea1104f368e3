// How the tests of this folder say what they expect of a conversation.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>

#include <algorithm>
#include <string>
#include <string_view>

#include <tlsconnect/base/error.hpp>

#include "scripted_server.hpp"

namespace test {

using Alert = AlertDescription;

/// The client refused: it reports this error, and the server received exactly one alert, this one, as a fatal one.
[[nodiscard]] inline Outcome refused(ErrorCode error, Alert alert) { return Outcome{error, alert, 1, false}; }
/// The client gave up and said nothing.
[[nodiscard]] inline Outcome ended(ErrorCode error) { return Outcome{error, std::nullopt, 0, false}; }
/// All is well.
[[nodiscard]] inline Outcome connected() { return Outcome{std::nullopt, std::nullopt, 0, true}; }
/// The same after the handshake was complete.
[[nodiscard]] inline Outcome refused_later(ErrorCode error, Alert alert) { return Outcome{error, alert, 1, true}; }

/// The outcome of a conversation. Where it failed, the failure is looked at from all sides: it must be final
/// (house rule: an error stays, every later call returns it, and nothing more is sent).
template <class Server>
[[nodiscard]] Outcome outcome_of(BasicTalk<Server>& talk) {
  talk.exchange();
  const Outcome outcome = talk.outcome();
  if (!outcome.error)
    return outcome;
  INFO("what the client reports: " << talk.client.failure()->message());
  const std::string message = talk.client.failure()->message();
  CHECK(talk.client.pending_output().empty());
  CHECK(talk.client.receive_buffer().empty());
  const auto received = talk.client.received(0);
  CHECK((!received && received.error().message() == message));
  const auto encrypted = talk.client.encrypt(tlsconnect::as_bytes("x"));
  CHECK((!encrypted && encrypted.error().message() == message));
  const auto all = talk.client.encrypt_all(tlsconnect::as_bytes("x"));
  CHECK((!all && all.error().message() == message));
  const auto closed = talk.client.close_notify();
  CHECK((!closed && closed.error().message() == message));
  CHECK(talk.client.pending_output().empty());
  CHECK(talk.client.failure()->message() == message);
  // The alert on the wire is the one that the error promises.
  CHECK(talk.client.failure()->alert_sent() == outcome.alert);
  return outcome;
}

/// Changes the plan of an honest server and says how the handshake went.
template <class Change>
[[nodiscard]] Outcome handshake_with(Change&& change, TalkOptions options = {}) {
  Talk talk(std::move(options));
  change(talk.plan);
  talk.handshake();
  return outcome_of(talk);
}

/// Connects, lets the server do something, and says what came of it.
template <class Action>
[[nodiscard]] Outcome after_handshake(Action&& action, TalkOptions options = {}) {
  Talk talk(std::move(options));
  talk.handshake();
  CHECK(talk.outcome() == connected());
  action(talk);
  return outcome_of(talk);
}

/// Nothing in the ClientHello but what the handshake cannot do without.
inline void plain(tlsconnect::ClientConfig::Builder& builder) {
  builder.grease(false).permute_extensions(false).session_store(nullptr).certificate_decompressors({});
  builder.record_size_limit(0).status_request(false);
}

} // namespace test

template <>
struct Catch::StringMaker<test::Outcome> {
  static std::string convert(const test::Outcome& outcome) {
    std::string text = outcome.error ? std::string(tlsconnect::describe(*outcome.error).name) : "no error";
    text += outcome.alert ? ", alert " + std::string(name_of(*outcome.alert)) : ", no fatal alert";
    text += ", " + std::to_string(outcome.alerts) + " alerts";
    return text + (outcome.complete ? ", complete" : ", not complete");
  }
};
template <>
struct Catch::StringMaker<tlsconnect::ErrorCode> {
  static std::string convert(tlsconnect::ErrorCode code) { return std::string(tlsconnect::describe(code).name); }
};
