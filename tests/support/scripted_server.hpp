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
// What the server will do is a Plan: steps with names, which a test edits, drops, repeats or reorders. A step is a
// handshake message, whose body is made when its turn comes (so that a signature covers what was really sent), or an
// action, such as changing keys or sending a raw record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tlsconnect/engine.hpp>
#include <tlsconnect/handshake/key_schedule13.hpp>
#include <tlsconnect/handshake/transcript.hpp>
#include <tlsconnect/record/protection.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>
#include <tlsconnect/wire/messages13.hpp>
#include <tlsconnect/wire/record_header.hpp>

#include "deterministic.hpp"
#include "test_pki.hpp"

namespace test {

using tlsconnect::AlertDescription;
using tlsconnect::ByteVector;
using tlsconnect::Bytes;
using tlsconnect::BytesView;
using tlsconnect::CipherSuite;
using tlsconnect::ContentType;
using tlsconnect::ErrorCode;
using tlsconnect::ExtensionType;
using tlsconnect::HandshakeType;
using tlsconnect::NamedGroup;
using tlsconnect::ProtocolVersion;
using tlsconnect::SignatureScheme;

/// The value of a Result; throws, and so fails the test, when there is none.
template <class T>
T value_of(tlsconnect::Result<T> result) {
  if (!result)
    throw std::runtime_error("test support: " + result.error().message());
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

// ---- messages as a test sees them ----

/// One extension; several make a block.
struct RawExt {
  ExtensionType type{};
  ByteVector body;
};
using ExtensionList = std::vector<RawExt>;
/// The block without its length.
[[nodiscard]] ByteVector block_of(const ExtensionList& extensions);
[[nodiscard]] ExtensionList split_block(BytesView block);
[[nodiscard]] const RawExt* find_extension(const ExtensionList& extensions, ExtensionType type);
/// Replaces the extension's body, or adds it at the end.
void set_extension(ExtensionList& extensions, ExtensionType type, ByteVector body);
void drop_extension(ExtensionList& extensions, ExtensionType type);
/// A body from the library's own declaration of it.
template <class Message>
[[nodiscard]] ByteVector encoded(const Message& message) {
  ByteVector out;
  value_of(tlsconnect::encode(message, out));
  return out;
}
/// A handshake message: header and body, whatever the body is.
[[nodiscard]] ByteVector framed(HandshakeType type, BytesView body);
/// A record: header and content, whatever the content is.
[[nodiscard]] ByteVector record_of(ContentType type, BytesView content, std::uint16_t version = 0x0303);

/// A ServerHello or HelloRetryRequest before it is encoded.
struct HelloDraft {
  std::uint16_t legacy_version = 0x0303;
  tlsconnect::Random random{};
  ByteVector session_id;
  CipherSuite suite{};
  std::uint8_t compression = 0;
  std::optional<ExtensionList> extensions;

  [[nodiscard]] ByteVector body() const;
  [[nodiscard]] static HelloDraft of(BytesView body);
};

/// A Certificate before it is encoded; without the library's limit on its length.
struct CertificateDraft {
  struct Entry {
    ByteVector der;
    ExtensionList extensions;
  };
  ByteVector context;
  std::vector<Entry> entries;

  [[nodiscard]] ByteVector body() const;
  [[nodiscard]] static CertificateDraft of(BytesView body);
};

/// One key of a pre_shared_key extension.
struct SeenPsk {
  ByteVector identity;
  std::uint32_t age = 0; ///< obfuscated_ticket_age
  ByteVector binder;
};

/// What the client said first.
struct SeenHello {
  ByteVector message; ///< with its header
  tlsconnect::ClientHello fields; ///< views into `message`
  ExtensionList extensions;
  std::vector<std::pair<NamedGroup, ByteVector>> shares;
  std::vector<SeenPsk> psks;

  SeenHello() = default;
  SeenHello(const SeenHello&) = delete;
  SeenHello& operator=(const SeenHello&) = delete;
  SeenHello(SeenHello&&) = default; // the vector's memory, and with it what the views see, moves along
  SeenHello& operator=(SeenHello&&) = default;
};

/// A record from the client, opened.
struct SeenRecord {
  ContentType outer{};
  std::uint16_t version = 0;
  ContentType type{}; ///< the inner type of a sealed record
  bool sealed = false;
  unsigned key = 0; ///< 0: none; 1: handshake; 2: first application key; 3: after one KeyUpdate; …
  bool early = false; ///< under the key of early data; then `key` is 0
  ByteVector content;
  std::size_t inner = 0; ///< of a sealed record: content, type and padding together, in bytes
};
struct SeenAlert {
  std::uint8_t level = 0;
  AlertDescription description{};
  bool sealed = false;
};
struct SeenMessage {
  HandshakeType type{};
  ByteVector body;
  ByteVector before = {}; ///< the transcript's hash in front of it
};

// ---- the plan ----

class ScriptedServer;

struct Step {
  std::string name;
  HandshakeType type{};
  std::function<ByteVector(ScriptedServer&)> body;  ///< of a handshake message; made when its turn comes
  std::function<void(ScriptedServer&)> action = {}; ///< instead of a message
  bool in_transcript = true;
  bool joined = false;         ///< the message stays back and shares a record with the next one
  std::size_t fragment = 16'384; ///< bytes of content in one record
  std::size_t padding = 0;     ///< zeros behind the content of each sealed record

  /// Changes the body once it is made.
  Step& edit(std::function<void(ByteVector&)> change);
  Step& edit_hello(std::function<void(HelloDraft&)> change);
  Step& edit_certificate(std::function<void(CertificateDraft&)> change);
  /// Adds an extension to a ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest or to the first
  /// entry of a Certificate, or replaces it.
  Step& with_extension(ExtensionType type, ByteVector body);
  Step& without_extension(ExtensionType type);
  Step& replace(ByteVector body);
};
[[nodiscard]] Step message_step(std::string name, HandshakeType type, std::function<ByteVector(ScriptedServer&)> body);
[[nodiscard]] Step message_step(std::string name, HandshakeType type, ByteVector body);
[[nodiscard]] Step action_step(std::string name, std::function<void(ScriptedServer&)> action);

class Plan {
public:
  Plan() = default;
  Plan(std::initializer_list<Step> steps) : steps_(steps) {}
  /// The first step with that name; throws when there is none.
  Step& operator[](std::string_view name);
  [[nodiscard]] bool has(std::string_view name) const;
  Plan& drop(std::string_view name);
  Plan& before(std::string_view name, Step step);
  Plan& after(std::string_view name, Step step);
  Plan& append(Step step);
  Plan& repeat(std::string_view name); ///< the step twice in a row
  Plan& swap(std::string_view a, std::string_view b);
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

private:
  std::vector<Step>::iterator at(std::string_view name);
  std::vector<Step> steps_;
};

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

/// A certificate for "server.test" and 192.0.2.1 under test::server_root(); made once a process.
[[nodiscard]] const Identity& server_root();
[[nodiscard]] const Identity& server_identity(KeyType type = KeyType::p256);

class ScriptedServer {
public:
  explicit ScriptedServer(ServerOptions options = {});

  // --- receiving ---
  /// Bytes from the client, cut as they may be. Throws when they are not what a client may send.
  void feed(BytesView bytes);
  [[nodiscard]] const std::vector<SeenHello>& hellos() const { return hellos_; }
  [[nodiscard]] const std::vector<SeenRecord>& records() const { return records_; }
  [[nodiscard]] const std::vector<SeenAlert>& alerts() const { return alerts_; }
  /// The client's handshake messages behind its hellos.
  [[nodiscard]] const std::vector<SeenMessage>& messages() const { return messages_; }
  [[nodiscard]] const ByteVector& received() const { return received_; }
  [[nodiscard]] const ByteVector& early_received() const { return early_received_; }
  /// The client's Finished came and was right.
  [[nodiscard]] bool client_finished() const { return client_finished_; }
  /// Which of its keys the client uses, counted as in SeenRecord.
  [[nodiscard]] unsigned client_key() const { return client_key_; }

  // --- sending ---
  /// Does all steps; the output waits in take_output().
  void run(const Plan& plan);
  [[nodiscard]] ByteVector take_output() { return std::exchange(output_, {}); }
  /// A handshake message outside a plan.
  void send(HandshakeType type, BytesView body, std::size_t fragment = 16'384);
  /// A record under the current key, or in the clear before there is one.
  void send_record(ContentType type, BytesView content, std::size_t padding = 0);
  /// A sealed record whose inner plaintext is this, type and padding included.
  void send_inner(BytesView inner);
  /// A record in the clear, whatever the keys.
  void send_clear(ContentType type, BytesView content, std::uint16_t version = 0x0303);
  void send_raw(BytesView bytes);
  void send_data(std::string_view text);
  void send_alert(AlertDescription description, std::uint8_t level = 2);
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
  /// The last ClientHello.
  [[nodiscard]] const SeenHello& hello() const { return hellos_.back(); }

private:
  void flush(std::size_t fragment, std::size_t padding);
  void take_record(const tlsconnect::RecordHeader& header, Bytes record);
  void take_handshake(BytesView content);
  void take_message(HandshakeType type, BytesView whole);
  [[nodiscard]] tlsconnect::SuiteParameters parameters() const;
  [[nodiscard]] const Identity& identity() const;
  void make_share();
  [[nodiscard]] const KnownPsk* known_psk(BytesView identity) const;
  void take_psks(SeenHello& hello, BytesView whole);
  [[nodiscard]] bool open_early(Bytes record);
  void read_with(const tlsconnect::TrafficSecret& secret);

  ServerOptions options_;
  FixedRng rng_;
  ByteVector input_;
  ByteVector handshake_input_;
  ByteVector output_;
  ByteVector pending_; // handshake messages that are not in a record yet
  tlsconnect::Transcript transcript_;

  std::vector<SeenHello> hellos_;
  std::vector<SeenRecord> records_;
  std::vector<SeenAlert> alerts_;
  std::vector<SeenMessage> messages_;
  ByteVector received_;
  ByteVector early_received_;
  bool client_finished_ = false;
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

struct TalkOptions {
  ServerOptions server = {};
  std::string name = "server.test";
  /// Changes the client's configuration.
  std::function<void(tlsconnect::ClientConfig::Builder&)> configure = {};
  /// A quick handshake: one elliptic curve, and no path validation.
  bool quick = true;
  std::uint64_t seed = 1;
  /// Instead of one that is made from the options above.
  tlsconnect::ConfigPtr config = nullptr;
  std::string early_data = {};
  bool early_data_later = false; ///< there is none at first, but there may be some
};
[[nodiscard]] tlsconnect::ConfigPtr make_config(const TalkOptions& options);

/// How a conversation went, as both ends saw it.
struct Outcome {
  std::optional<ErrorCode> error;        ///< what the client reports; nothing while all is well
  std::optional<AlertDescription> alert; ///< what the server received as a fatal alert
  std::size_t alerts = 0;                ///< how many alerts it received, of any level
  bool complete = false;                 ///< the client's handshake, and the server has its Finished
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class Talk {
public:
  explicit Talk(TalkOptions options = {});

  /// What the server will do about the ClientHello, which it has.
  Plan plan;
  ScriptedServer server;
  tlsconnect::ClientEngine client;
  ByteVector received;          ///< application data that the client got
  std::size_t chunk = ~std::size_t{0}; ///< how many bytes the client gets at a time

  /// HelloRetryRequest and the second ClientHello. The plan is made anew: the group and the hello have changed.
  void retry(std::optional<NamedGroup> group, std::optional<ByteVector> cookie = {});
  void retry(const Plan& retry_plan);
  /// Carries out the plan and exchanges all that both sides have to say.
  void handshake();
  /// Carries what waits on either side to the other, until nothing does.
  void exchange();
  /// Only from the client to the server, and only the other way.
  void to_server();
  void to_client();
  /// These bytes to the client, whatever the server says.
  void deliver(BytesView bytes);
  [[nodiscard]] Outcome outcome() const;
};

} // namespace test
