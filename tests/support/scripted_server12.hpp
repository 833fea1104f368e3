// A TLS 1.2 server for tests that does what it is told: the twin of scripted_server.hpp, honest by default.
//
//   test::Talk12 talk;                                // a client engine and a server, in memory
//   talk.plan["ServerHello"].without_extension(ExtensionType::renegotiation_info);
//   talk.handshake();
//   talk.outcome();
//
// Its plan goes over both of its flights: a step that waits stands between them, and what comes behind it is done as soon
// as the client's Finished has come. Without that step, the server says everything at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/handshake/key_schedule12.hpp>
#include <tlsconnect/wire/messages12.hpp>

#include "scripted_end.hpp"
#include "scripted_talk.hpp"

namespace test {

class ScriptedServer12;
using Step12 = BasicStep<ScriptedServer12>;
using Plan12 = BasicPlan<ScriptedServer12>;

/// A Certificate of TLS 1.2 before it is encoded; without the library's limits.
struct CertificateDraft12 {
  std::vector<ByteVector> chain;

  [[nodiscard]] ByteVector body() const;
  [[nodiscard]] static CertificateDraft12 of(BytesView body);
};

/// A ServerKeyExchange before it is encoded.
struct KeyExchangeDraft {
  std::optional<ByteVector> hint = {}; ///< with a pre-shared key
  bool ephemeral = true;               ///< there is a curve, and a point on it
  std::uint8_t curve_type = tlsconnect::ServerEcdhParameters::named_curve;
  NamedGroup group{};
  ByteVector point = {};
  std::optional<SignatureScheme> scheme = {}; ///< nothing: the message is not signed
  ByteVector signature = {};
  ByteVector trailing = {};

  /// What is signed, the randoms apart.
  [[nodiscard]] ByteVector parameters() const;
  [[nodiscard]] ByteVector body() const;
};

/// A CertificateRequest before it is encoded.
struct RequestDraft12 {
  ByteVector types = {1, 64};
  std::vector<SignatureScheme> schemes = {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256,
                                          SignatureScheme::ed25519, SignatureScheme::rsa_pkcs1_sha256};
  std::vector<ByteVector> authorities = {};

  [[nodiscard]] ByteVector body() const;
};

/// A session that the server knows.
struct KnownSession {
  ByteVector session_id = {}; ///< or empty
  ByteVector ticket = {};     ///< or empty
  ByteVector main_secret;
  CipherSuite suite{};
  bool extended_main_secret = true;
};

struct ServerOptions12 {
  /// Certificates and key; default: those of test::server_identity().
  std::optional<Identity> identity = {};
  /// Default: the client's first that fits the key, or the first with a pre-shared key if there is one.
  std::optional<CipherSuite> suite = {};
  /// Default: the client's first curve.
  std::optional<NamedGroup> group = {};
  /// Default: the one that fits the key.
  std::optional<SignatureScheme> scheme = {};
  // Answers to extensions, where the client has them.
  bool extended_main_secret = true;
  bool renegotiation_info = true;
  bool point_formats = true;
  bool acknowledge_server_name = false;
  std::optional<std::string> alpn = {};
  /// Acknowledged and sent in a CertificateStatus.
  std::optional<ByteVector> ocsp_response = {};
  std::optional<ByteVector> sct_list = {};
  /// How a server of TLS 1.3 marks that it was asked for less (RFC 9846, 4.1.3).
  bool downgrade_sentinel = false;
  bool request_certificate = false;
  /// The key that the client has, too: it stands for certificates. The identity that comes with it must be this one.
  std::optional<ByteVector> psk = {};
  std::string psk_identity = "client";
  std::optional<std::string> psk_hint = {};
  /// What a new session is to be resumed by: its id, or a ticket. Empty: not that way.
  ByteVector session_id = {};
  ByteVector ticket = {};
  std::uint32_t ticket_lifetime = 7'200;
  /// The first that the client offers is resumed, under the rules of RFC 7627, 5.3; a ticket in the options renews it.
  std::vector<KnownSession> sessions = {};
  bool decline_sessions = false;
  std::uint64_t seed = 2;
};

class ScriptedServer12 final : public ScriptedEnd {
public:
  using Options = ServerOptions12;
  /// What this server asks of the client's configuration.
  static void usual_client(tlsconnect::ClientConfig::Builder& builder, bool quick);

  explicit ScriptedServer12(ServerOptions12 options = {});

  /// Which of its keys the client uses: none, or those of the handshake.
  [[nodiscard]] bool client_key() const { return read_.has_value(); }

  // --- sending ---
  /// Does the steps up to one that waits, and the others later; the output waits in take_output().
  void run(const Plan12& plan);
  /// Goes on although the client's Finished has not come.
  void proceed();
  void send_record(ContentType type, BytesView content, std::size_t padding = 0) override;
  void send_change_cipher_spec() { send_clear(ContentType::change_cipher_spec, std::array<std::uint8_t, 1>{1}); }
  void send_hello_request() { send(HandshakeType::hello_request, {}); }
  /// From here on, what is sent is protected. Where the client has not sent its key yet, the server has nothing but the
  /// randoms to make its own from.
  void start_write_keys();
  void stop_write_keys() { write_.reset(); }
  /// Everything that is sent from now on is under a key that nobody else has.
  void break_write_key();
  /// The sealed record instead of sending it; its sequence number is used.
  [[nodiscard]] ByteVector sealed_record(ContentType type, BytesView content);
  /// A sequence number passes without a record.
  void skip_sequence_number() { (void)sealed_record(ContentType::application_data, {}); }

  // --- plans and what they are made of ---
  [[nodiscard]] Plan12 honest_plan();
  [[nodiscard]] HelloDraft draft_hello();
  [[nodiscard]] ByteVector draft_certificate() const;
  [[nodiscard]] ByteVector draft_certificate_status() const;
  /// Not signed yet.
  [[nodiscard]] KeyExchangeDraft draft_key_exchange();
  /// Signs it with its scheme.
  void sign(KeyExchangeDraft& draft) const;
  /// A signed draft, after `change`: what a dishonest server signs.
  [[nodiscard]] ByteVector key_exchange_with(const std::function<void(KeyExchangeDraft&)>& change);
  [[nodiscard]] ByteVector draft_new_session_ticket() const;
  [[nodiscard]] ByteVector draft_finished();

  [[nodiscard]] CipherSuite suite() const;
  [[nodiscard]] tlsconnect::SuiteParameters12 parameters() const;
  [[nodiscard]] NamedGroup group() const;
  [[nodiscard]] SignatureScheme scheme() const;
  /// The session that is resumed.
  [[nodiscard]] const KnownSession* resumed() const;
  [[nodiscard]] bool extended_main_secret() const;
  /// Throws before there is one.
  [[nodiscard]] const tlsconnect::MainSecret12& main_secret() const { return main_secret_.value(); }
  [[nodiscard]] const tlsconnect::HelloRandoms& randoms() const { return randoms_; }
  /// The session of this handshake, as it will be known in the next one.
  [[nodiscard]] KnownSession session() const;
  /// verify_data of the two Finished messages.
  [[nodiscard]] const ByteVector& client_verify_data() const { return client_verify_data_; }
  [[nodiscard]] const ByteVector& server_verify_data() const { return server_verify_data_; }
  [[nodiscard]] tlsconnect::Digest transcript();
  /// All messages so far: what a client signs.
  [[nodiscard]] ByteVector transcript_messages();
  ServerOptions12& options() { return options_; }

private:
  void take_record(const tlsconnect::RecordHeader& header, Bytes record) override;
  void take_message(HandshakeType type, BytesView whole) override;
  void take_change_cipher_spec() override;
  void take_client_key_exchange(BytesView body);
  [[nodiscard]] const Identity& identity() const;
  [[nodiscard]] bool offered(ExtensionType type) const;
  void make_randoms();
  void go_on();
  [[nodiscard]] tlsconnect::KeyBlock12 key_block();
  [[nodiscard]] static bool fits(const tlsconnect::SuiteParameters12& suite, const ServerOptions12& options);

  ServerOptions12 options_;
  std::deque<Step12> todo_;
  bool waiting_ = false;
  std::optional<tlsconnect::KeyExchange> key_;
  NamedGroup key_group_{};
  tlsconnect::HelloRandoms randoms_;
  bool randoms_made_ = false;
  std::optional<tlsconnect::MainSecret12> main_secret_;
  std::optional<tlsconnect::WriteProtection12> write_;
  std::optional<tlsconnect::ReadProtection12> read_;
  ByteVector client_verify_data_;
  ByteVector server_verify_data_;
};

using TalkOptions12 = BasicTalkOptions<ScriptedServer12>;
using Talk12 = BasicTalk<ScriptedServer12>;

} // namespace test
