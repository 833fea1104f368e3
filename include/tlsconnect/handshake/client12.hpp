// The TLS 1.2 machine, from behind the ServerHello on (RFC 5246, 7.3).
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
#include <tlsconnect/handshake/handshake12.hpp>
#include <tlsconnect/handshake/key_schedule12.hpp>
#include <tlsconnect/handshake/proofs.hpp>
#include <tlsconnect/handshake/server_certificate.hpp>
#include <tlsconnect/handshake/state.hpp>
#include <tlsconnect/wire/messages12.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The order of its states is that of RFC 5246, 7.3: figure 1 for a full handshake, figure 2 for a session that is resumed,
/// with the tickets of RFC 5077, 3. ChangeCipherSpec is no message of the handshake: the record layer takes it when it is
/// due, and Finished needs the proof that it has come.
class Client12 {
public:
  Client12(HandshakeContext& context, Transcript& transcript) noexcept
      : context_(&context), transcript_(&transcript), state_(std::in_place_type<ExpectCertificate>, nullptr) {}

  /// Goes on from the ServerHello: to the server's certificate, its part of a key exchange, or the end of a session's
  /// resumption.
  [[nodiscard]] Result<> start(Handshake12Ptr handshake);
  [[nodiscard]] Result<> handle(const HandshakeMessage& message) { return detail::dispatch(*this, state_, message); }
  [[nodiscard]] bool connected() const noexcept { return std::holds_alternative<Connected>(state_); }

  /// What only the caller can supply, and without which nothing more may be handled: verdict, signature or none.
  [[nodiscard]] Interest awaited() const noexcept;
  /// What the caller is to judge; null unless a verdict is awaited.
  [[nodiscard]] const ServerCertificate* awaiting_verdict() const noexcept;
  [[nodiscard]] Result<> give_verdict(Result<VerifiedChain> verdict);
  /// What the caller is to have signed: all messages of the handshake so far (RFC 5246, 7.4.8). Null unless a signature is
  /// awaited.
  struct SignatureAwaited {
    CredentialChoice choice;
    ByteVector content;
  };
  [[nodiscard]] const SignatureAwaited* awaiting_signature() const noexcept;
  [[nodiscard]] Result<> give_signature(Result<ByteVector> signature);

  /// RFC 5705; once connected, and with the extended main secret.
  [[nodiscard]] Result<> export_keying_material(std::string_view label, std::optional<BytesView> context,
                                                Bytes out) const;
  /// RFC 5929, 3: the first Finished of the handshake; nothing without the extended main secret, as others could then have
  /// a connection with the same one (RFC 7627, 1).
  [[nodiscard]] std::optional<VerifyData12> tls_unique() const noexcept;

private:
  /// What the server showed, once it was accepted.
  struct AcceptedKey {
    PublicKey key;
    Proof<ServerChain> chain;
  };

  struct ExpectCertificate : Expects<HandshakeType::certificate> {
    static constexpr std::string_view name = "ExpectCertificate12";
    Handshake12Ptr handshake;
    explicit ExpectCertificate(Handshake12Ptr shared) noexcept : handshake(std::move(shared)) {}
  };
  /// The server may go without the status that it announced (RFC 6066, 8).
  struct ExpectCertificateStatus : Expects<HandshakeType::certificate_status, HandshakeType::server_key_exchange> {
    static constexpr std::string_view name = "ExpectCertificateStatus";
    Handshake12Ptr handshake;
    std::unique_ptr<ServerCertificate> server;
    ExpectCertificateStatus(Handshake12Ptr shared, ServerCertificate shown)
        : handshake(std::move(shared)), server(std::make_unique<ServerCertificate>(std::move(shown))) {}
  };
  /// The caller judges what the server showed.
  struct AwaitVerdict : Expects<> {
    static constexpr std::string_view name = "AwaitVerdict12";
    Handshake12Ptr handshake;
    std::unique_ptr<ServerCertificate> server;
    ByteVector key_exchange; ///< the ServerKeyExchange, when it came instead of a status
    AwaitVerdict(Handshake12Ptr shared, ServerCertificate shown, BytesView held_back)
        : handshake(std::move(shared)), server(std::make_unique<ServerCertificate>(std::move(shown))),
          key_exchange(to_vector(held_back)) {}
  };
  struct ExpectServerKeyExchange : Expects<HandshakeType::server_key_exchange> {
    static constexpr std::string_view name = "ExpectServerKeyExchange";
    Handshake12Ptr handshake;
    std::optional<AcceptedKey> server; ///< nothing with a pre-shared key
    ExpectServerKeyExchange(Handshake12Ptr shared, std::optional<AcceptedKey> accepted) noexcept
        : handshake(std::move(shared)), server(std::move(accepted)) {}
  };
  /// With a pre-shared key alone, all that the server can add is a hint (RFC 4279, 2).
  struct ExpectHintOrDone : Expects<HandshakeType::server_key_exchange, HandshakeType::server_hello_done> {
    static constexpr std::string_view name = "ExpectHintOrDone";
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    ExpectHintOrDone(Handshake12Ptr shared, Proof<ServerIdentity> agreed) noexcept
        : handshake(std::move(shared)), identity(std::move(agreed)) {}
  };
  struct ExpectRequestOrDone : Expects<HandshakeType::certificate_request, HandshakeType::server_hello_done> {
    static constexpr std::string_view name = "ExpectRequestOrDone";
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    ExpectRequestOrDone(Handshake12Ptr shared, Proof<ServerIdentity> verified) noexcept
        : handshake(std::move(shared)), identity(std::move(verified)) {}
  };
  struct ExpectServerHelloDone : Expects<HandshakeType::server_hello_done> {
    static constexpr std::string_view name = "ExpectServerHelloDone";
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    ExpectServerHelloDone(Handshake12Ptr shared, Proof<ServerIdentity> verified) noexcept
        : handshake(std::move(shared)), identity(std::move(verified)) {}
  };

  /// Everything that the client's flight needs but the signature in it.
  struct Completion {
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    Flight flight;
    std::optional<SignatureAwaited> awaited = {};
  };
  using CompletionPtr = std::unique_ptr<Completion>;
  /// The caller signs with the client's key.
  struct AwaitSignature : Expects<> {
    static constexpr std::string_view name = "AwaitSignature12";
    CompletionPtr completion;
    explicit AwaitSignature(CompletionPtr all_but_signed) noexcept : completion(std::move(all_but_signed)) {}
  };

  /// The keys that wait for the two ChangeCipherSpecs; in a full handshake the client's has gone already.
  struct WaitingKeys {
    ReadProtection12 reading;
    std::optional<WriteProtection12> writing;
  };
  /// RFC 5077, 3.3: between the client's Finished, or the ServerHello that resumes, and the server's ChangeCipherSpec.
  struct ExpectNewSessionTicket : Expects<HandshakeType::new_session_ticket> {
    static constexpr std::string_view name = "ExpectNewSessionTicket";
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    std::unique_ptr<WaitingKeys> keys;
    ExpectNewSessionTicket(Handshake12Ptr shared, Proof<ServerIdentity> verified, std::unique_ptr<WaitingKeys> waiting)
        : handshake(std::move(shared)), identity(std::move(verified)), keys(std::move(waiting)) {}
  };
  struct ExpectFinished : Expects<HandshakeType::finished> {
    static constexpr std::string_view name = "ExpectFinished12";
    Handshake12Ptr handshake;
    Proof<ServerIdentity> identity;
    std::unique_ptr<WriteProtection12> writing; ///< null in a full handshake: the client has finished
    ExpectFinished(Handshake12Ptr shared, Proof<ServerIdentity> verified,
                   std::unique_ptr<WriteProtection12> resumed) noexcept
        : handshake(std::move(shared)), identity(std::move(verified)), writing(std::move(resumed)) {}
  };
  struct Connected : Expects<HandshakeType::hello_request> {
    static constexpr std::string_view name = "Connected12";
    MainSecret12 main;
    HelloRandoms randoms;
    VerifyData12 first_finished;
    Connected(MainSecret12 secret, HelloRandoms hellos, VerifyData12 first, Proof<ServerIdentity>,
              Proof<ServerFinished>) noexcept
        : main(std::move(secret)), randoms(hellos), first_finished(first) {}
  };
  using State = std::variant<ExpectCertificate, ExpectCertificateStatus, AwaitVerdict, ExpectServerKeyExchange,
                             ExpectHintOrDone, ExpectRequestOrDone, ExpectServerHelloDone, AwaitSignature,
                             ExpectNewSessionTicket, ExpectFinished, Connected>;

public:
  static constexpr std::span<const StateRow> table() noexcept { return detail::StateTable<State>::rows; }
  [[nodiscard]] std::size_t state_index() const noexcept { return state_.index(); }

private:
  template <class Machine, class... States>
  friend Result<> detail::dispatch(Machine&, std::variant<States...>&, const HandshakeMessage&);

  [[nodiscard]] Result<> on(ExpectCertificate state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectCertificateStatus state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectServerKeyExchange state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectHintOrDone state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectRequestOrDone state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectServerHelloDone state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectNewSessionTicket state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(ExpectFinished state, const HandshakeMessage& message);
  [[nodiscard]] Result<> on(Connected state, const HandshakeMessage& message);

  [[nodiscard]] Result<> judge(Handshake12Ptr handshake, ServerCertificate server, BytesView key_exchange);
  [[nodiscard]] Result<> judged(Handshake12Ptr handshake, ServerCertificate server, ServerChain::Accepted accepted,
                                BytesView key_exchange);
  [[nodiscard]] Result<> on_key_exchange(ExpectServerKeyExchange state, BytesView bytes);
  [[nodiscard]] Result<> check_group(NamedGroup group) const noexcept;
  [[nodiscard]] Result<> on_hello_done(Handshake12Ptr handshake, Proof<ServerIdentity> identity,
                                       const HandshakeMessage& message);
  [[nodiscard]] Result<> begin_flight(CompletionPtr completion);
  [[nodiscard]] Result<PremasterSecret> add_key_exchange(Handshake12& handshake, Flight& flight);
  [[nodiscard]] Result<> complete_flight(CompletionPtr completion, std::optional<CertificateVerify> signature);
  [[nodiscard]] Result<> resume(Handshake12Ptr handshake);
  [[nodiscard]] Result<> expect_server_finished(Handshake12Ptr handshake, Proof<ServerIdentity> identity,
                                                std::unique_ptr<WaitingKeys> keys);
  [[nodiscard]] Result<VerifyData12> send_finished(const Handshake12& handshake, WriteProtection12 writing);
  void keep_session(Handshake12& handshake) const;

  HandshakeContext* context_;
  Transcript* transcript_;
  State state_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/client12.ipp>
#include <tlsconnect/impl/client12_finish.ipp>
#endif
