// How the state machines are built: typed states that list what they expect, and one dispatch that refuses the rest.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <tlsconnect/base/error.hpp>
#include <tlsconnect/record/handshake_joiner.hpp>
#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Base of every state: the messages that it accepts. Whatever else comes is refused before any handler runs.
template <HandshakeType... Types>
struct Expects {
  static constexpr std::array<HandshakeType, sizeof...(Types)> expects{Types...};
  [[nodiscard]] static constexpr bool accepts(HandshakeType type) noexcept { return ((type == Types) || ...); }
};

/// One row of a machine's table, for tests and for the diagram in the docs.
struct StateRow {
  std::string_view state;
  std::span<const HandshakeType> expects;
};

namespace detail {

template <class Variant>
struct StateTable;
template <class... States>
struct StateTable<std::variant<States...>> {
  static constexpr std::array<StateRow, sizeof...(States)> rows{StateRow{States::name, States::expects}...};
};

/// Gives the message to the handler of the current state. The state goes to the handler by value: what it holds dies
/// with the handler, unless it is handed on to the next state.
template <class Machine, class... States>
[[nodiscard]] Result<> dispatch(Machine& machine, std::variant<States...>& current, const HandshakeMessage& message) {
  Result<> result;
  const auto step = [&]<class State>(std::type_identity<State>, std::size_t index) {
    if (current.index() != index)
      return false;
    if (!State::accepts(message.type)) {
      // RFC 9846, 4: messages in another order than the protocol's are answered with unexpected_message.
      result = fail(ErrorCode::unexpected_message, State::name, std::string(name_of(message.type)));
    } else if constexpr (!State::expects.empty()) {
      State state = std::move(*std::get_if<State>(&current));
      result = machine.on(std::move(state), message);
    }
    return true;
  };
  std::size_t index = 0;
  (void)(step(std::type_identity<States>{}, index++) || ...);
  return result;
}

} // namespace detail
} // namespace tlsconnect::inline TLSCONNECT_ABI
