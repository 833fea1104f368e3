// A TLS 1.3 server for tests that does what it is told: it is honest by default, and each thing that it does can be
// changed. It stands on this library's own codec and primitives, so it shows how the client treats a hostile peer; that
// the two sides do not share a mistake is for the interoperability tests to show.
//
//   test::Talk talk;                                  // a client engine and a server, in memory
//   talk.plan["EncryptedExtensions"].edit([](ByteVector& body) { body.push_back(0); });
//   talk.handshake();
//   talk.client.failure()->code();                    // message_trailing_bytes
//   talk.server.alerts().front().description;         // decode_error, as the client sent it
//
// What the server will do is a Plan (scripted_plan.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/record/protection.hpp>

#include "scripted_end.hpp"
#include "scripted_talk.hpp"

namespace test {

class ScriptedServer;
using Step = BasicStep<ScriptedServer>;
using Plan = BasicPlan<ScriptedServer>;
[[nodiscard]] inline Step message_step(std::string name, HandshakeType type,
                                       std::function<ByteVector(ScriptedServer&)> body) {
  return Step::message(std::move(name), type, std::move(body));
}
[[nodiscard]] inline Step message_step(std::string name, HandshakeType type, ByteVector body) {
  return Step::message(std::move(name), type, std::move(body));
}
[[nodiscard]] inline Step action_step(std::string name, std::function<void(ScriptedServer&)> action) {
  return Step::act(std::move(name), std::move(action));
}

// ---- the server ----

/// A pre-shared key that the server knows (RFC 9846, 4.2.11): it goes with the hash of the suite, and early data under
/// it with the suite itself.
struct KnownPsk {
  ByteVector identity;
  ByteVector key;
  CipherSuite suite = CipherSuite::aes_128_gcm_sha256;
  tlsconnect::PskOrigin origin = tlsconnect::PskOrigin::resumption;
};
/// A NewSessionTicket before it is encoded.
struct TicketDraft {
  std::uint32_t lifetime = 7'200;
  std::uint32_t age_add = 1;
  ByteVector nonce{1, 2, 3};
  ByteVector ticket{10, 11, 12, 13};
  std::optional<std::uint32_t> max_early_data = {};

  [[nodiscard]] ByteVector body() const;
};

struct ServerOptions {
  /// Certificates and key; default: those of test::server_identity().
  std::optional<Identity> identity = {};
  /// Default: the client's first.
  std::optional<CipherSuite> suite = {};
  /// Default: the first that the client sent a share for.
  std::optional<NamedGroup> group = {};
  /// Default: the one that fits the key.
  std::optional<SignatureScheme> scheme = {};
  std::optional<std::string> alpn = {};
  bool acknowledge_server_name = false;
  bool request_certificate = false;
  /// Binders of these are checked; one that is wrong fails the test. The first that the client offers and that fits the
  /// suite is selected.
  std::vector<KnownPsk> psks = {};
  /// Selects none of them.
  bool decline_psks = false;
  /// Selects this place of the client's list, which must be known.
  std::optional<std::uint16_t> psk_number = {};
  /// Accepts early data under the first key of the offer, if that is selected. Otherwise it is opened all the same
  /// where its key is known, so that a test can see it, but to the client it is rejected.
  bool accept_early_data = false;
  /// A sealed record that cannot be opened is passed over, also when there is no key yet. For tests in which the two
  /// sides have different keys.
  bool pass_over_unreadable = false;
  std::uint64_t seed = 2;
};

class ScriptedServer final : public ScriptedEnd {
public:
  using Options = ServerOptions;
  /// What this server asks of the client's configuration.
  static void usual_client(tlsconnect::ClientConfig::Builder& builder, bool /*quick*/) {
    builder.versions({ProtocolVersion::tls1_3});
  }

  explicit ScriptedServer(ServerOptions options = {});

  [[nodiscard]] const ByteVector& early_received() const { return early_received_; }
  /// Which of its keys the client uses, counted as in SeenRecord.
  [[nodiscard]] unsigned client_key() const { return client_key_; }

  // --- sending ---
  /// Does all steps; the output waits in take_output().
  void run(const Plan& plan);
  void send_record(ContentType type, BytesView content, std::size_t padding = 0) override;
  /// A sealed record whose inner plaintext is this, type and padding included.
  void send_inner(BytesView inner);
  void send_key_update(std::uint8_t request);
  void send_ticket();
  /// Sends a ticket and returns the key that goes with it. Needs the client's Finished.
  KnownPsk issue_ticket(const TicketDraft& draft);
  void send_change_cipher_spec();
  /// The next write key, without telling the client.
  void advance_write_key();
  /// Everything that is sent from now on is under a key that nobody else has.
  void break_write_key();

  // --- plans and what they are made of ---
  [[nodiscard]] Plan honest_plan();
  /// HelloRetryRequest.
  [[nodiscard]] Plan retry_plan(std::optional<NamedGroup> group, std::optional<ByteVector> cookie = {});
  [[nodiscard]] HelloDraft draft_hello();
  [[nodiscard]] HelloDraft draft_retry(std::optional<NamedGroup> group, const std::optional<ByteVector>& cookie);
  [[nodiscard]] ByteVector draft_encrypted_extensions();
  [[nodiscard]] ByteVector draft_certificate_request();
  [[nodiscard]] ByteVector draft_certificate();
  [[nodiscard]] ByteVector draft_certificate_verify();
  [[nodiscard]] ByteVector draft_finished();
  [[nodiscard]] ByteVector draft_ticket() const;
  /// Signs what is given instead of the transcript's hash.
  [[nodiscard]] ByteVector sign_transcript(SignatureScheme scheme, BytesView transcript_hash) const;
  /// The transcript's hash so far.
  [[nodiscard]] tlsconnect::Digest transcript();
  /// What it would be with this behind it. After the handshake the transcript stands still, so that a test can put a
  /// late request and its answer there.
  [[nodiscard]] tlsconnect::Digest transcript_with(BytesView more);
  /// What the key exchange gave.
  [[nodiscard]] const ByteVector& shared_secret() const { return shared_secret_; }
  /// From which the client's present application key comes.
  [[nodiscard]] const tlsconnect::TrafficSecret& client_application_secret() const {
    return client_application_secret_;
  }
  void start_handshake_keys();
  void start_application_keys();
  /// The place of the pre-shared key that the server selects.
  [[nodiscard]] std::optional<std::uint16_t> selected_psk() const;
  [[nodiscard]] bool accepts_early_data() const;
  /// Keying material that the client can export from the last hello, from the key that is named.
  [[nodiscard]] ByteVector early_exporter(const KnownPsk& psk, std::string_view label, BytesView context,
                                          std::size_t length) const;
  [[nodiscard]] CipherSuite suite() const;
  [[nodiscard]] NamedGroup group() const;
  ServerOptions& options() { return options_; }

private:
  void take_record(const tlsconnect::RecordHeader& header, Bytes record) override;
  void take_message(HandshakeType type, BytesView whole) override;
  void take_data(const SeenRecord& seen) override;
  [[nodiscard]] tlsconnect::SuiteParameters parameters() const;
  [[nodiscard]] const Identity& identity() const;
  void make_share();
  [[nodiscard]] const KnownPsk* known_psk(BytesView identity) const;
  void take_psks(SeenHello& hello, BytesView whole);
  [[nodiscard]] bool open_early(Bytes record);
  void read_with(const tlsconnect::TrafficSecret& secret);

  ServerOptions options_;
  ByteVector early_received_;
  bool early_data_ended_ = false;

  ByteVector share_;
  ByteVector shared_secret_;
  std::optional<tlsconnect::HandshakeSecret> handshake_secret_;
  tlsconnect::TrafficSecret server_secret_;
  tlsconnect::TrafficSecret client_secret_;
  tlsconnect::TrafficSecret client_application_secret_;
  std::optional<tlsconnect::WriteProtection> write_;
  std::optional<tlsconnect::ReadProtection> read_;
  std::optional<tlsconnect::ReadProtection> read_early_;
  std::optional<tlsconnect::MainSecret> main_secret_;
  std::optional<tlsconnect::ResumptionSecret> resumption_secret_;
  unsigned client_key_ = 0;
};

// ---- a client and a server ----

using TalkOptions = BasicTalkOptions<ScriptedServer>;
[[nodiscard]] inline tlsconnect::ConfigPtr make_config(const TalkOptions& options) {
  return make_config<ScriptedServer>(options);
}

class Talk : public BasicTalk<ScriptedServer> {
public:
  using BasicTalk::BasicTalk;

  /// HelloRetryRequest and the second ClientHello.
  void retry(std::optional<NamedGroup> group, std::optional<ByteVector> cookie = {});
  void retry(const Plan& retry_plan);
};

} // namespace test
