// What a TLS 1.2 handshake knows between ServerHello and Finished, and the proofs that take a certificate's place in it.
#pragma once

#include <memory>
#include <optional>

#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/client/config.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/handshake/handshake13.hpp>
#include <tlsconnect/handshake/key_schedule12.hpp>
#include <tlsconnect/wire/extensions.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The server resumes the session that was offered, under the terms that it was established under: it holds the session's
/// main secret if its Finished is right.
struct SessionResumed {
  [[nodiscard]] static Result<Proof<SessionResumed>> check(const Session& offered, CipherSuite suite,
                                                           bool extended_main_secret) noexcept;
};

/// A suite with a pre-shared key was agreed, and this is the key: the server holds it if its Finished is right.
struct ExternalPskAgreed {
  struct Choice {
    Proof<ExternalPskAgreed> proof;
    std::uint16_t index; ///< in ClientConfig::external_psks()
  };
  /// The first one that is not imported (RFC 9258, 1) and has the suite's hash.
  [[nodiscard]] static Result<Choice> choose(const ClientConfig& config, const SuiteParameters12& suite) noexcept;
};

/// Handed from state to state until the connection stands; on the heap, so that an established connection does not keep
/// room for it. Its secrets die with it.
struct Handshake12 {
  SuiteParameters12 suite;
  HelloRandoms randoms;
  bool extended_main_secret = false;
  bool ticket_expected = false; ///< the ServerHello announces a NewSessionTicket (RFC 5077, 3.2)
  bool status_expected = false; ///< it announces a CertificateStatus (RFC 6066, 8)
  bool server_raw_public_key = false;
  bool client_raw_public_key = false;
  ByteVector session_id; ///< the server's name for a new session; may be empty
  ByteVector sct_list;   ///< of the ServerHello (RFC 6962, 3.3.1)
  /// The session that is resumed.
  std::optional<Session> session;
  std::optional<Proof<SessionResumed>> resumed;
  /// What the server sends for ECDHE.
  NamedGroup group{};
  ByteVector server_point;
  std::optional<std::uint16_t> external_psk;
  std::optional<ClientAuthentication> client_authentication;
  std::optional<MainSecret12> main;
  ByteVector ticket;
  std::uint32_t ticket_lifetime_hint = 0;
  /// The first Finished of the handshake (RFC 5929, 3.1).
  VerifyData12 first_finished{};
  /// When what is known of the server's identity gets too old (Session::usable_until).
  std::int64_t identity_usable_until = 0;
};
using Handshake12Ptr = std::unique_ptr<Handshake12>;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/handshake12.ipp>
#endif
