// The TLS 1.3 machine, from EncryptedExtensions on (RFC 9846, A.1).
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/negotiate.hpp>
#include <tlsconnect/handshake/proofs.hpp>
#include <tlsconnect/handshake/state.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Its states follow RFC 9846, A.1; the RFC's names stand beside them. Connected can only be built from the three
/// proofs that the server is who it should be.
class Client13 {
public:
  Client13(HandshakeContext& context, Transcript& transcript, Negotiated13 negotiated) noexcept;

  [[nodiscard]] Result<> handle(const HandshakeMessage& message) {
    return detail::dispatch(*this, state_, message);
  }
  [[nodiscard]] bool connected() const noexcept { return std::holds_alternative<Connected>(state_); }
  /// To be called before application data is sealed: changes this side's key when it has sealed enough (RFC 9846, 5.5).
  [[nodiscard]] Result<> before_application_data();
  /// Application data came: what is counted between pieces of data starts again.
  void application_data_received() noexcept;
  /// All that was queued has left.
  void output_drained() noexcept { key_update_answer_queued_ = false; }

private:
  /// What every state of the handshake needs.
  struct Common {
    SuiteParameters suite;
    OfferedExtensions offered;
    HandshakeSecret secret;
    TrafficSecret server_secret;
    TrafficSecret client_secret;
    bool certificate_requested = false;
  };

  /// WAIT_EE
  struct ExpectEncryptedExtensions : Expects<HandshakeType::encrypted_extensions> {
    static constexpr std::string_view name = "ExpectEncryptedExtensions";
    Common common;
    explicit ExpectEncryptedExtensions(Common shared) noexcept : common(std::move(shared)) {}
  };
  /// WAIT_CERT_CR
  struct ExpectCertificateOrRequest : Expects<HandshakeType::certificate, HandshakeType::certificate_request> {
    static constexpr std::string_view name = "ExpectCertificateOrRequest";
    Common common;
    explicit ExpectCertificateOrRequest(Common shared) noexcept : common(std::move(shared)) {}
  };
  /// WAIT_CERT
  struct ExpectCertificate : Expects<HandshakeType::certificate> {
    static constexpr std::string_view name = "ExpectCertificate";
    Common common;
    explicit ExpectCertificate(Common shared) noexcept : common(std::move(shared)) {}
  };
  /// WAIT_CV
  struct ExpectCertificateVerify : Expects<HandshakeType::certificate_verify> {
    static constexpr std::string_view name = "ExpectCertificateVerify";
    Common common;
    Certificate certificate;
    Proof<ServerChain> chain;
    ExpectCertificateVerify(Common shared, Certificate server, Proof<ServerChain> verified) noexcept
        : common(std::move(shared)), certificate(std::move(server)), chain(std::move(verified)) {}
  };
  /// WAIT_FINISHED
  struct ExpectFinished : Expects<HandshakeType::finished> {
    static constexpr std::string_view name = "ExpectFinished";
    Common common;
    Proof<ServerChain> chain;
    Proof<ServerSignature> signature;
    ExpectFinished(Common shared, Proof<ServerChain> verified, Proof<ServerSignature> signed_by_server) noexcept
        : common(std::move(shared)), chain(std::move(verified)), signature(std::move(signed_by_server)) {}
  };
  /// CONNECTED
  struct Connected : Expects<HandshakeType::new_session_ticket, HandshakeType::key_update> {
    static constexpr std::string_view name = "Connected";
    SuiteParameters suite;
    TrafficSecret server_secret;
    TrafficSecret client_secret;
    Connected(SuiteParameters parameters, TrafficSecret server, TrafficSecret client, Proof<ServerChain>,
              Proof<ServerSignature>, Proof<ServerFinished>) noexcept
        : suite(parameters), server_secret(std::move(server)), client_secret(std::move(client)) {}
  };
  using State = std::variant<ExpectEncryptedExtensions, ExpectCertificateOrRequest, ExpectCertificate,
                             ExpectCertificateVerify, ExpectFinished, Connected>;

public:
  static constexpr std::span<const StateRow> table() noexcept { return detail::StateTable<State>::rows; }
  [[nodiscard]] std::size_t state_index() const noexcept { return state_.index(); }

private:
  template <class Machine, class... States>
  friend Result<> detail::dispatch(Machine&, std::variant<States...>&, const HandshakeMessage&);

  [[nodiscard]] Result<> on(ExpectEncryptedExtensions state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectCertificateOrRequest state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectCertificate state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectCertificateVerify state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectFinished state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(Connected state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on_certificate(Common common, const HandshakeMessage& message);
  [[nodiscard]] Result<> on_new_session_ticket(const HandshakeMessage& message);
  [[nodiscard]] Result<> on_key_update(Connected& state, const HandshakeMessage& message);
  [[nodiscard]] Result<> update_write_key(Connected& state);
  [[nodiscard]] Result<> finish_flight(const Common& common);

  HandshakeContext* context_;
  Transcript* transcript_;
  State state_;
  unsigned key_updates_ = 0;              // without application data between them
  unsigned messages_ = 0;                 // likewise
  bool key_update_answer_queued_ = false; // and not gone yet
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/client13.ipp>
#endif
