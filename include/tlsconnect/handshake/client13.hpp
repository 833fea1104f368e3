// The TLS 1.3 machine, from EncryptedExtensions on (RFC 9846, A.1).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <tlsconnect/base/halt.hpp>
#include <tlsconnect/handshake/client_authentication.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/handshake13.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/proofs.hpp>
#include <tlsconnect/handshake/server_certificate.hpp>
#include <tlsconnect/handshake/state.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Its states follow RFC 9846, A.1; the RFC's names stand beside them. Connected can only be built from the proofs that
/// the server is who it should be.
class Client13 {
public:
  Client13(HandshakeContext& context, Transcript& transcript, Handshake13Ptr handshake) noexcept;

  [[nodiscard]] Result<> handle(const HandshakeMessage& message) { return detail::dispatch(*this, state_, message); }
  [[nodiscard]] bool connected() const noexcept { return std::holds_alternative<Connected>(state_); }
  /// To be called before application data is sealed: changes this side's key when it has sealed enough (RFC 9846, 5.5),
  /// or when the peer has asked for it (4.6.3).
  [[nodiscard]] Result<> before_application_data();
  /// Application data came: what is counted between pieces of data starts again.
  void application_data_received() noexcept;

  /// What only the caller can supply, and without which nothing more may be handled: verdict, signature or none.
  [[nodiscard]] Interest awaited() const noexcept;
  /// What the caller is to judge; null unless a verdict is awaited.
  [[nodiscard]] const ServerCertificate* awaiting_verdict() const noexcept;
  [[nodiscard]] Result<> give_verdict(Result<VerifiedChain> verdict);
  /// What the caller is to have signed; null unless a signature is awaited.
  struct SignatureAwaited {
    CredentialChoice choice;
    SignedContent content;
  };
  [[nodiscard]] const SignatureAwaited* awaiting_signature() const noexcept;
  [[nodiscard]] Result<> give_signature(Result<ByteVector> signature);

  /// Changes this side's key, and asks the peer to change its own (RFC 9846, 4.6.3).
  [[nodiscard]] Result<> update_keys(KeyUpdateRequest request);
  /// RFC 9846, 7.5; once connected.
  [[nodiscard]] Result<> export_keying_material(std::string_view label, BytesView context, Bytes out) const noexcept;

private:
  /// WAIT_EE
  struct ExpectEncryptedExtensions : Expects<HandshakeType::encrypted_extensions> {
    static constexpr std::string_view name = "ExpectEncryptedExtensions";
    Handshake13Ptr handshake;
    explicit ExpectEncryptedExtensions(Handshake13Ptr shared) noexcept : handshake(std::move(shared)) {}
  };
  /// WAIT_CERT_CR
  struct ExpectCertificateOrRequest
      : Expects<HandshakeType::certificate, HandshakeType::compressed_certificate, HandshakeType::certificate_request> {
    static constexpr std::string_view name = "ExpectCertificateOrRequest";
    Handshake13Ptr handshake;
    explicit ExpectCertificateOrRequest(Handshake13Ptr shared) noexcept : handshake(std::move(shared)) {}
  };
  /// WAIT_CERT
  struct ExpectCertificate : Expects<HandshakeType::certificate, HandshakeType::compressed_certificate> {
    static constexpr std::string_view name = "ExpectCertificate";
    Handshake13Ptr handshake;
    explicit ExpectCertificate(Handshake13Ptr shared) noexcept : handshake(std::move(shared)) {}
  };
  /// The caller judges what the server showed.
  struct AwaitVerdict : Expects<> {
    static constexpr std::string_view name = "AwaitVerdict";
    Handshake13Ptr handshake;
    std::unique_ptr<ServerCertificate> server;
    AwaitVerdict(Handshake13Ptr shared, ServerCertificate shown)
        : handshake(std::move(shared)), server(std::make_unique<ServerCertificate>(std::move(shown))) {}
  };
  /// WAIT_CV
  struct ExpectCertificateVerify : Expects<HandshakeType::certificate_verify> {
    static constexpr std::string_view name = "ExpectCertificateVerify";
    Handshake13Ptr handshake;
    PublicKey key;
    Proof<ServerChain> chain;
    ExpectCertificateVerify(Handshake13Ptr shared, PublicKey server, Proof<ServerChain> verified) noexcept
        : handshake(std::move(shared)), key(std::move(server)), chain(std::move(verified)) {}
  };
  /// WAIT_FINISHED
  struct ExpectFinished : Expects<HandshakeType::finished> {
    static constexpr std::string_view name = "ExpectFinished";
    Handshake13Ptr handshake;
    Proof<ServerIdentity> identity;
    ExpectFinished(Handshake13Ptr shared, Proof<ServerIdentity> verified) noexcept
        : handshake(std::move(shared)), identity(std::move(verified)) {}
  };

  /// Everything that Connected needs but the client's last flight.
  struct Completion {
    Handshake13Ptr handshake;
    Proof<ServerIdentity> identity;
    Proof<ServerFinished> finished;
    Proof<RecordAligned> aligned;
    MainSecret main;
    TrafficSecret server_secret;
    TrafficSecret client_secret;
    ExporterSecret exporter;
    ReadProtection reading;
    Flight flight;
    std::optional<SignatureAwaited> awaited = {};
  };
  using CompletionPtr = std::unique_ptr<Completion>;
  /// The caller signs with the client's key.
  struct AwaitSignature : Expects<> {
    static constexpr std::string_view name = "AwaitSignature";
    CompletionPtr completion;
    explicit AwaitSignature(CompletionPtr all_but_signed) noexcept : completion(std::move(all_but_signed)) {}
  };

  /// For the sessions that this connection's tickets give.
  struct Resumption {
    ResumptionSecret secret;
    std::int64_t usable_until;
  };
  /// For requests of a certificate after the handshake (RFC 9846, 4.6.2).
  struct PostHandshakeAuthentication {
    Transcript handshake; // up to this client's Finished
    OfferedExtensions offered;
    bool raw_public_key;
    /// The answer to one request, while its signature is awaited.
    struct Pending {
      Transcript transcript;
      ClientAuthentication authentication;
      std::optional<Flight> flight;
      std::optional<SignatureAwaited> awaited;
    };
    std::unique_ptr<Pending> pending;
  };
  /// CONNECTED
  struct Connected
      : Expects<HandshakeType::new_session_ticket, HandshakeType::key_update, HandshakeType::certificate_request> {
    static constexpr std::string_view name = "Connected";
    SuiteParameters suite;
    TrafficSecret server_secret;
    TrafficSecret client_secret;
    ExporterSecret exporter;
    std::unique_ptr<Resumption> resumption;
    std::unique_ptr<PostHandshakeAuthentication> authentication;
    Connected(SuiteParameters parameters, TrafficSecret server, TrafficSecret client, ExporterSecret exported,
              Proof<ServerIdentity>, Proof<ServerFinished>) noexcept
        : suite(parameters), server_secret(std::move(server)), client_secret(std::move(client)),
          exporter(std::move(exported)) {}
  };
  using State = std::variant<ExpectEncryptedExtensions, ExpectCertificateOrRequest, ExpectCertificate, AwaitVerdict,
                             ExpectCertificateVerify, ExpectFinished, AwaitSignature, Connected>;

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

  [[nodiscard]] Result<> settle_early_data(Handshake13& handshake, const ExtensionSet& extensions);
  [[nodiscard]] Result<> resume(Handshake13Ptr handshake);
  [[nodiscard]] Result<> on_certificate(Handshake13Ptr handshake, const HandshakeMessage& message);
  [[nodiscard]] Result<> judge(Handshake13Ptr handshake, ServerCertificate server);
  [[nodiscard]] Result<> judged(Handshake13Ptr handshake, ServerCertificate server, ServerChain::Accepted accepted);
  void expect_finished(Handshake13Ptr handshake);
  [[nodiscard]] Result<> begin_last_flight(CompletionPtr completion);
  [[nodiscard]] Result<> complete(CompletionPtr completion, std::optional<CertificateVerify> signature);
  [[nodiscard]] Result<> on_new_session_ticket(const Connected& state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on_key_update(Connected& state, const HandshakeMessage& message);
  [[nodiscard]] Result<> update_write_key(Connected& state, KeyUpdateRequest request);
  [[nodiscard]] Result<> on_certificate_request(Connected& state, const HandshakeMessage& message);
  [[nodiscard]] Result<> answer_certificate_request(Connected& state, std::optional<CertificateVerify> signature);

  HandshakeContext* context_;
  Transcript* transcript_;
  State state_;
  std::uint64_t epoch_ = 0;           // how often this side's key was updated
  unsigned key_updates_ = 0;          // without application data between them
  unsigned messages_ = 0;             // likewise
  bool key_update_owed_ = false;      // the peer has asked for one
  bool key_update_requested_ = false; // by us, and no KeyUpdate has come since
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/client13.ipp>
#include <tlsconnect/impl/client13_connected.ipp>
#endif
