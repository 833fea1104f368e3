// The beginning of every handshake: ClientHello, perhaps HelloRetryRequest, ServerHello. Here the version is agreed;
// what follows is the business of that version's machine.
#pragma once

#include <memory>
#include <span>
#include <variant>

#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/handshake/client_hello.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/handshake12.hpp>
#include <tlsconnect/handshake/handshake13.hpp>
#include <tlsconnect/handshake/state.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// What a ServerHello for TLS 1.3 hands on to the TLS 1.3 machine.
struct Negotiated13 : Expects<> {
  static constexpr std::string_view name = "Negotiated13";
  Handshake13Ptr handshake;

  explicit Negotiated13(Handshake13Ptr agreed) noexcept : handshake(std::move(agreed)) {}
};

/// What a ServerHello for TLS 1.2 hands on to the TLS 1.2 machine.
struct Negotiated12 : Expects<> {
  static constexpr std::string_view name = "Negotiated12";
  Handshake12Ptr handshake;

  explicit Negotiated12(Handshake12Ptr agreed) noexcept : handshake(std::move(agreed)) {}
};

/// The states WAIT_SH of RFC 9846, A.1, before and after a HelloRetryRequest.
class Negotiate {
public:
  Negotiate(HandshakeContext& context, Transcript& transcript) noexcept
      : context_(&context), transcript_(&transcript) {}

  /// Queues the ClientHello.
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> handle(const HandshakeMessage& message) { return detail::dispatch(*this, state_, message); }
  /// What was agreed, once it was: one of the two.
  [[nodiscard]] Negotiated13* negotiated13() noexcept { return std::get_if<Negotiated13>(&state_); }
  [[nodiscard]] Negotiated12* negotiated12() noexcept { return std::get_if<Negotiated12>(&state_); }

private:
  /// On the heap, so that an established connection does not keep room for it.
  using OfferedHelloPtr = std::unique_ptr<OfferedHello>;

  /// Nothing has been sent.
  struct Idle : Expects<> {
    static constexpr std::string_view name = "Idle";
  };
  /// WAIT_SH
  struct ExpectServerHello : Expects<HandshakeType::server_hello> {
    static constexpr std::string_view name = "ExpectServerHello";
    OfferedHelloPtr hello;
    explicit ExpectServerHello(OfferedHelloPtr offered) noexcept : hello(std::move(offered)) {}
  };
  /// WAIT_SH after a HelloRetryRequest
  struct ExpectSecondServerHello : Expects<HandshakeType::server_hello> {
    static constexpr std::string_view name = "ExpectSecondServerHello";
    OfferedHelloPtr hello;
    Retry retry;
    ExpectSecondServerHello(OfferedHelloPtr offered, Retry asked) noexcept
        : hello(std::move(offered)), retry(std::move(asked)) {}
  };
  using State = std::variant<Idle, ExpectServerHello, ExpectSecondServerHello, Negotiated13, Negotiated12>;

public:
  static constexpr std::span<const StateRow> table() noexcept { return detail::StateTable<State>::rows; }
  [[nodiscard]] std::size_t state_index() const noexcept { return state_.index(); }

private:
  template <class Machine, class... States>
  friend Result<> detail::dispatch(Machine&, std::variant<States...>&, const HandshakeMessage&);

  [[nodiscard]] Result<> on(ExpectServerHello state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectSecondServerHello state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on_hello_retry_request(OfferedHelloPtr hello, const ServerHello& message,
                                                const HandshakeMessage& raw);
  [[nodiscard]] Result<> on_server_hello(OfferedHelloPtr hello, const Retry* retry, const ServerHello& message,
                                         const HandshakeMessage& raw);
  [[nodiscard]] Result<> on_server_hello12(OfferedHelloPtr hello, const ServerHello& message,
                                           const HandshakeMessage& raw);

  HandshakeContext* context_;
  Transcript* transcript_;
  State state_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/negotiate.ipp>
#include <tlsconnect/impl/negotiate12.ipp>
#endif
