// What a TLS 1.3 handshake knows between ServerHello and Finished.
#pragma once

#include <memory>
#include <optional>

#include <tlsconnect/base/proof.hpp>
#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/pre_shared_key.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The pre-shared key that the server chose.
struct AgreedPsk {
  Proof<PskAccepted> proof;
  std::optional<Session> session; ///< when it is a session that is resumed
};

/// What the server's CertificateRequest asked for, and what it will be answered with (RFC 9846, 4.3.2).
struct ClientAuthentication {
  ByteVector request_context;             ///< empty during the handshake
  std::optional<CredentialChoice> choice; ///< none: an empty Certificate is the answer
  bool status_requested = false;          ///< the client's own staple is welcome
  bool timestamps_requested = false;
};

/// Handed from state to state until the connection stands; on the heap, so that an established connection does not keep
/// room for it. Its secrets die with it.
struct Handshake13 {
  SuiteParameters suite;
  OfferedExtensions offered;
  Random client_random;
  HandshakeSecret secret;
  TrafficSecret server_secret;
  TrafficSecret client_secret;
  std::optional<AgreedPsk> psk;
  /// Early data is under way and the server may still take it: this side's key is the early one until that is known.
  bool early_data_pending = false;
  /// The server took it: EndOfEarlyData is due.
  bool early_data_accepted = false;
  bool server_raw_public_key = false;
  bool client_raw_public_key = false;
  std::optional<ClientAuthentication> client_authentication;
  /// When what is known of the server's identity gets too old (Session::usable_until).
  std::int64_t identity_usable_until = 0;
};
using Handshake13Ptr = std::unique_ptr<Handshake13>;

} // namespace tlsconnect::inline TLSCONNECT_ABI
