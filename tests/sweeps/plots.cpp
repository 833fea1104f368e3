// The kinds of conversations that the sweeps run through, and their servers: Botan's for what it can do, the scripted one
// for the rest.
#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/psk.hpp>

#include "conversation.hpp"
#include "live_server.hpp"
#include "scripted_server.hpp"
#include "scripted_server12.hpp"

namespace sweeps {
namespace {

using What = Step::What;

/// What a server does once its time has come.
template <class Server>
struct Reply {
  std::function<bool(const Server&, std::size_t heard)> when;
  std::function<void(Server&)> act;
};

// ---- Botan's server ----

using Live = test::LiveServer;

class LivePeer final : public Peer {
public:
  LivePeer(const test::LiveOptions& options, std::vector<Reply<Live>> replies)
      : server_(options), replies_(std::move(replies)) {}

  tc::ByteVector hear(tc::BytesView bytes) override {
    (void)server_.feed(bytes);
    heard_ += server_.take_received().size();
    for (; next_ < replies_.size() && replies_[next_].when(server_, heard_); ++next_)
      replies_[next_].act(server_);
    return server_.take_output();
  }
  std::string complaint() const override {
    return next_ == replies_.size() ? std::string() : "the server was not heard out: " + server_.failure();
  }

private:
  Live server_;
  std::vector<Reply<Live>> replies_;
  std::size_t next_ = 0;
  std::size_t heard_ = 0;
};

std::function<std::unique_ptr<Peer>()> live(test::LiveOptions options, std::vector<Reply<Live>> replies = {}) {
  return [=] { return std::make_unique<LivePeer>(options, replies); };
}

bool at_once(const Live& server, std::size_t) { return server.handshake_complete(); }
bool closed(const Live& server, std::size_t) { return server.peer_closed(); }
auto heard(std::size_t size) {
  return [size](const auto&, std::size_t heard_so_far) { return heard_so_far >= size; };
}
auto says(std::size_t size) {
  return [size](Live& server) {
    if (!server.send(tc::BytesView(Plot::data(size, 99))))
      throw std::runtime_error("the server cannot send: " + server.failure());
  };
}
auto updates(bool both) {
  return [both](Live& server) { (void)server.update_keys(both); };
}
void closes(Live& server) { (void)server.close(); }

// ---- the scripted server ----

using Scripted = test::ScriptedServer;

struct Script {
  test::ServerOptions server = {};
  bool retry = false;         ///< asks for secp256r1, with a cookie
  bool refuse = false;        ///< answers the ClientHello with an alert
  std::size_t early_data = 0; ///< how much of it is to be accepted
  std::vector<Reply<Scripted>> replies = {};
};

class ScriptedPeer final : public Peer {
public:
  explicit ScriptedPeer(Script script) : script_(std::move(script)), server_(script_.server) {}

  tc::ByteVector hear(tc::BytesView bytes) override {
    server_.feed(bytes);
    if (server_.hellos().size() > answered_)
      answer_hello();
    for (; next_ < script_.replies.size() &&
           script_.replies[next_].when(server_, server_.received().size() + server_.early_received().size());
         ++next_)
      script_.replies[next_].act(server_);
    if (!closed_ && !server_.alerts().empty()) {
      closed_ = true;
      if (server_.alerts().front().description == tc::AlertDescription::close_notify)
        server_.send_alert(tc::AlertDescription::close_notify, 1);
    }
    return server_.take_output();
  }
  std::string complaint() const override {
    if (next_ != script_.replies.size())
      return "the server was not heard out";
    const std::size_t early = server_.early_received().size();
    if (server_.early_received() != Plot::data(early, 0))
      return "early data is not what the client said";
    if (server_.accepts_early_data() ? early != script_.early_data : script_.early_data != 0)
      return "the server did not get the early data that it should: " + std::to_string(early);
    return {};
  }

private:
  void answer_hello() {
    const bool first = answered_++ == 0;
    if (script_.refuse)
      server_.send_alert(tc::AlertDescription::handshake_failure);
    else if (first && script_.retry)
      server_.run(server_.retry_plan(tc::NamedGroup::secp256r1, tc::ByteVector(40, 0xC0)));
    else
      server_.run(server_.honest_plan());
  }

  Script script_;
  Scripted server_;
  std::size_t answered_ = 0;
  std::size_t next_ = 0;
  bool closed_ = false;
};

std::function<std::unique_ptr<Peer>()> scripted(Script script) {
  return [script = std::move(script)] { return std::make_unique<ScriptedPeer>(script); };
}

auto tells(std::size_t size) {
  return [size](Scripted& server) { server.send_data(tc::as_text(Plot::data(size, 99))); };
}
/// The client has sent so many messages of this kind.
auto got(tc::HandshakeType type, std::ptrdiff_t count = 1) {
  return [type, count](const Scripted& server, std::size_t) {
    return count <= std::count_if(server.messages().begin(), server.messages().end(),
                                  [&](const test::SeenMessage& message) { return message.type == type; });
  };
}
/// RFC 9846, 4.6.2: a CertificateRequest after the handshake has a context.
void asks_for_certificate(Scripted& server) {
  tc::ByteVector body = server.draft_certificate_request();
  body.front() = 3;
  body.insert(body.begin() + 1, {7, 8, 9});
  server.send(tc::HandshakeType::certificate_request, body);
}

/// The key of session_ticket() or of the external key, as the server knows it.
std::vector<test::KnownPsk> known(tc::PskOrigin origin = tc::PskOrigin::resumption) {
  return {{session_ticket(), session_key(), tc::CipherSuite::aes_128_gcm_sha256, origin}};
}
void with_external_psk(tc::ClientConfig::Builder& builder) {
  const auto psk = tc::ExternalPsk::create(session_ticket(), session_key());
  if (!psk)
    throw std::runtime_error(psk.error().message());
  builder.external_psks({*psk});
}
auto with_certificate(bool later, bool after_handshake = false) {
  return [=](tc::ClientConfig::Builder& builder) {
    builder.credentials({client_credential(later)}).post_handshake_auth(after_handshake);
  };
}

// ---- the scripted server of TLS 1.2 ----

#if !defined(TLSCONNECT_WITHOUT_TLS12)
using Scripted12 = test::ScriptedServer12;

/// Its plan takes care of its two flights by itself.
class ScriptedPeer12 final : public Peer {
public:
  ScriptedPeer12(const test::ServerOptions12& options, std::vector<Reply<Scripted12>> replies)
      : server_(options), replies_(std::move(replies)) {}

  tc::ByteVector hear(tc::BytesView bytes) override {
    server_.feed(bytes);
    if (!answered_ && !server_.hellos().empty()) {
      answered_ = true;
      server_.run(server_.honest_plan());
    }
    for (; server_.client_finished() && next_ < replies_.size() &&
           replies_[next_].when(server_, server_.received().size());
         ++next_)
      replies_[next_].act(server_);
    if (!closed_ && !server_.alerts().empty()) {
      closed_ = true;
      if (server_.alerts().front().description == tc::AlertDescription::close_notify)
        server_.send_alert(tc::AlertDescription::close_notify, 1);
    }
    return server_.take_output();
  }
  std::string complaint() const override {
    return next_ == replies_.size() ? std::string() : "the server was not heard out";
  }

private:
  Scripted12 server_;
  std::vector<Reply<Scripted12>> replies_;
  bool answered_ = false;
  std::size_t next_ = 0;
  bool closed_ = false;
};

std::function<std::unique_ptr<Peer>()> scripted12(test::ServerOptions12 options,
                                                  std::vector<Reply<Scripted12>> replies = {}) {
  return [=] { return std::make_unique<ScriptedPeer12>(options, replies); };
}
auto tells12(std::size_t size) {
  return [size](Scripted12& server) { server.send_data(tc::as_text(Plot::data(size, 99))); };
}
/// Both versions are offered, so that the client also finds out which it is.
auto older(std::function<void(tc::ClientConfig::Builder&)> more = {}) {
  return [more = std::move(more)](tc::ClientConfig::Builder& builder) {
    builder.versions({tc::ProtocolVersion::tls1_3, tc::ProtocolVersion::tls1_2});
    if (more)
      more(builder);
  };
}
/// What the server knows of the session that a plot may begin with.
test::KnownSession session12(bool ticket) {
  return {.session_id = ticket ? tc::ByteVector() : tc::ByteVector(32, 0x1D),
          .ticket = ticket ? session_ticket() : tc::ByteVector(),
          .main_secret = main_secret12(),
          .suite = tc::CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256};
}
#endif

constexpr Step end{What::read_to_end};
constexpr Step shutdown{What::shutdown};
constexpr Step write(std::size_t size) { return {What::write, size}; }
constexpr Step read(std::size_t size) { return {What::read, size}; }

auto early_data_is(tc::EarlyDataOutcome wanted) {
  return [wanted](const Outcome& outcome) { return outcome.info.early_data == wanted; };
}
bool shows_certificate(const Outcome& outcome) { return outcome.info.client_certificate_sent; }

void add_live(std::vector<Plot>& all) {
  all.push_back({.name = "one round trip",
                 .server = live({}, {{heard(100), says(200)}}),
                 .steps = {write(100), read(200), shutdown, end}});
  all.push_back({.name = "HelloRetryRequest, first data",
                 .server = live({.retry = true}, {{heard(50), says(70)}}),
                 .first_data = 50,
                 .steps = {read(70), shutdown, end},
                 .meant = [](const Outcome& outcome) { return outcome.info.hello_retry_request; }});
  all.push_back({.name = "client certificate requested, but there is none",
                 .server = live({.request_certificate = true}, {{heard(10), says(10)}}),
                 .steps = {write(10), read(10), shutdown, end},
                 .meant = [](const Outcome& outcome) {
                   return outcome.info.certificate_requested && !outcome.info.client_certificate_sent;
                 }});
  all.push_back({.name = "server speaks first, then 40 KB both ways",
                 .server = live({}, {{at_once, says(20)}, {heard(40'000), says(40'000)}}),
                 .steps = {read(20), write(40'000), read(40'000), shutdown, end}});
  all.push_back({.name = "KeyUpdate both ways, tickets",
                 .server = live({}, {{heard(10), updates(true)},
                                     {heard(10), says(400)},
                                     {heard(400), [](Live& server) { (void)server.send_tickets(2); }},
                                     {heard(400), updates(false)},
                                     {heard(400), says(300)},
                                     {heard(400), updates(true)},
                                     {heard(400), says(300)}}),
                 .steps = {write(10), read(400), write(390), read(600), write(5), shutdown, end}});
  all.push_back({.name = "client closes first, server talks on",
                 .server = live({.answer_close = false}, {{closed, says(1'000)}, {closed, closes}}),
                 .steps = {write(30), shutdown, end}});
  all.push_back({.name = "server closes first, client talks on",
                 .server = live({}, {{at_once, says(500)}, {at_once, closes}}),
                 .steps = {end, write(300), shutdown, end}});
  all.push_back({.name = "failed verification",
                 .server = live({}),
                 .refuse_certificate = true,
                 .error = tc::ErrorCode::certificate_rejected,
                 .meant = [](const Outcome& outcome) { return !outcome.connected; }});
  all.push_back({.name = "alert from the server",
                 .server = live(
                     {}, {{heard(10), says(50)}, {heard(10), [](Live& server) { (void)server.send_alert(80, true); }}}),
                 .steps = {write(10), end},
                 .error = tc::ErrorCode::alert_received,
                 .meant = [](const Outcome& outcome) { return outcome.received.size() == 50; }});
}

void add_psk(std::vector<Plot>& all) {
  all.push_back({.name = "resumption, and a new ticket",
                 .server = scripted({.server = {.psks = known()},
                                     .replies = {{heard(100), tells(200)},
                                                 {heard(100), [](Scripted& server) { (void)server.issue_ticket({}); }},
                                                 {heard(100), tells(30)}}}),
                 .session = 0,
                 .steps = {write(100), read(230), shutdown, end},
                 .meant = [](const Outcome& outcome) { return outcome.info.resumed(); }});
  all.push_back({.name = "resumption declined",
                 .server = scripted({.replies = {{heard(10), tells(20)}}}),
                 .session = 0,
                 .steps = {write(10), read(20), shutdown, end},
                 .meant = [](const Outcome& outcome) { return outcome.info.psk == tc::PskUse::none; }});
  all.push_back(
      {.name = "external pre-shared key after a HelloRetryRequest",
       .server = scripted({.server = {.group = tc::NamedGroup::secp256r1, .psks = known(tc::PskOrigin::external)},
                           .retry = true,
                           .replies = {{heard(10), tells(20)}}}),
       .configure = with_external_psk,
       .steps = {write(10), read(20), shutdown, end},
       .meant = [](const Outcome& outcome) {
         return outcome.info.psk == tc::PskUse::external && outcome.info.hello_retry_request;
       }});
}

void add_early_data(std::vector<Plot>& all) {
  all.push_back({.name = "early data accepted, as much as the session allows",
                 .server = scripted({.server = {.psks = known(), .accept_early_data = true},
                                     .early_data = 300,
                                     .replies = {{heard(300), tells(50)}, {heard(320), tells(60)}}}),
                 .session = 300,
                 .early_data = 400,
                 .steps = {write(20), read(110), shutdown, end},
                 .meant = early_data_is(tc::EarlyDataOutcome::accepted)});
  all.push_back({.name = "early data of more than one record",
                 .server = scripted({.server = {.psks = known(), .accept_early_data = true},
                                     .early_data = 20'000,
                                     .replies = {{got(tc::HandshakeType::finished), tells(50)}}}),
                 .session = 40'000,
                 .early_data = 20'000,
                 .steps = {read(50), shutdown, end},
                 .meant = early_data_is(tc::EarlyDataOutcome::accepted)});
  all.push_back({.name = "early data rejected",
                 .server = scripted({.server = {.psks = known()}, .replies = {{heard(420), tells(50)}}}),
                 .session = 1'000,
                 .early_data = 400,
                 .steps = {write(20), read(50), shutdown, end},
                 .meant = early_data_is(tc::EarlyDataOutcome::rejected)});
  all.push_back(
      {.name = "early data rejected, and its key",
       .server = scripted({.server = {.psks = known(), .decline_psks = true}, .replies = {{heard(420), tells(50)}}}),
       .session = 1'000,
       .early_data = 400,
       .steps = {write(20), read(50), shutdown, end},
       .meant = early_data_is(tc::EarlyDataOutcome::rejected)});
  all.push_back({.name = "early data rejected by a HelloRetryRequest, and then resumption",
                 .server = scripted({.server = {.group = tc::NamedGroup::secp256r1, .psks = known()},
                                     .retry = true,
                                     .replies = {{heard(420), tells(50)}}}),
                 .session = 1'000,
                 .early_data = 400,
                 .steps = {write(20), read(50), shutdown, end},
                 .meant = [](const Outcome& outcome) {
                   return outcome.info.early_data == tc::EarlyDataOutcome::rejected && outcome.info.resumed();
                 }});
  all.push_back({.name = "early data answered with an alert",
                 .server = scripted({.server = {.psks = known()}, .refuse = true}),
                 .session = 1'000,
                 .early_data = 400,
                 .error = tc::ErrorCode::alert_received,
                 .meant = [](const Outcome& outcome) { return outcome.given_back.size() == 400; }});
  all.push_back({.name = "early data without a session",
                 .server = scripted({.replies = {{heard(20), tells(50)}}}),
                 .early_data = 400,
                 .steps = {write(20), read(50), shutdown, end},
                 .meant = early_data_is(tc::EarlyDataOutcome::not_sent)});
}

/// The server's answer is there while early data is still on its way, and then the caller is asked.
void add_early_data_and_verdict(std::vector<Plot>& all) {
  all.push_back({.name = "early data, and a verdict on the resumed session later",
                 .server = scripted({.server = {.psks = known(), .accept_early_data = true},
                                     .early_data = 20'000,
                                     .replies = {{got(tc::HandshakeType::finished), tells(50)}}}),
                 .configure = [](tc::ClientConfig::Builder& builder) { builder.verify_again_on_resumption(true); },
                 .verdict_later = true,
                 .session = 100'000,
                 .early_data = 20'000,
                 .small_writes = true,
                 .steps = {read(50), shutdown, end},
                 .meant =
                     [](const Outcome& outcome) {
                       return outcome.supplied == 1 && outcome.info.early_data == tc::EarlyDataOutcome::accepted;
                     }});
}

void add_authentication(std::vector<Plot>& all) {
  for (const bool later : {false, true}) {
    const unsigned asked = later ? 1 : 0;
    all.push_back(
        {.name = later ? "client certificate, signed later" : "client certificate",
         .server = scripted({.server = {.request_certificate = true}, .replies = {{heard(10), tells(20)}}}),
         .configure = with_certificate(later),
         .steps = {write(10), read(20), shutdown, end},
         .meant = [asked](const Outcome& outcome) { return shows_certificate(outcome) && outcome.supplied == asked; }});
    all.push_back({.name = later ? "certificate after the handshake, signed later" : "certificate after the handshake",
                   .server = scripted({.replies = {{heard(10), tells(20)},
                                                   {heard(10), asks_for_certificate},
                                                   {got(tc::HandshakeType::finished, 2), tells(30)},
                                                   {heard(15), asks_for_certificate},
                                                   {heard(15), tells(5)}, // without waiting for the answer
                                                   {got(tc::HandshakeType::finished, 3), tells(40)}}}),
                   .configure = with_certificate(later, true),
                   .steps = {write(10), read(50), write(5), read(45), shutdown, end},
                   .meant = [asked](const Outcome& outcome) {
                     return shows_certificate(outcome) && outcome.supplied == 2 * asked;
                   }});
  }
  all.push_back({.name = "verdict later, then a signature later",
                 .server = scripted({.server = {.request_certificate = true}, .replies = {{heard(10), tells(20)}}}),
                 .configure = with_certificate(true),
                 .verdict_later = true,
                 .first_data = 10,
                 .steps = {read(20), shutdown, end},
                 .meant = [](const Outcome& outcome) { return outcome.supplied == 2; }});
  all.push_back({.name = "verdict later: no",
                 .server = scripted({}),
                 .refuse_certificate = true,
                 .verdict_later = true,
                 .error = tc::ErrorCode::certificate_rejected,
                 .meant = [](const Outcome& outcome) { return outcome.supplied == 1 && !outcome.connected; }});
}

void add_key_update(std::vector<Plot>& all) {
  const Step update{What::update_keys};
  all.push_back(
      {.name = "KeyUpdate on request",
       .server = scripted(
           {.replies = {{got(tc::HandshakeType::key_update), [](Scripted& server) { server.send_key_update(0); }},
                        {heard(30), tells(50)},
                        {got(tc::HandshakeType::key_update, 3), [](Scripted& server) { server.send_key_update(0); }},
                        {heard(31), tells(60)}}}),
       // The third follows on the second at once, before that is answered.
       .steps = {write(10), update, write(20), read(50), update, update, write(1), read(60), shutdown, end}});
}

#if !defined(TLSCONNECT_WITHOUT_TLS12)
void add_tls12(std::vector<Plot>& all) {
  using tc::CipherSuite;
  const auto is_tls12 = [](const Outcome& outcome) { return outcome.info.version == tc::ProtocolVersion::tls1_2; };
  const auto resumes = [](const Outcome& outcome) {
    return outcome.info.version == tc::ProtocolVersion::tls1_2 && outcome.info.psk == tc::PskUse::resumption;
  };
  for (const CipherSuite suite :
       {CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384, CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256})
    all.push_back({.name = "TLS 1.2, " + std::string(name_of(suite)),
                   .server = scripted12({.suite = suite, .ticket = tc::ByteVector(50, 1)},
                                        {{heard(100), tells12(200)}, {heard(20'000), tells12(16'000)}}),
                   .configure = older(),
                   .steps = {write(100), read(200), write(19'900), read(16'000), shutdown, end},
                   .meant = is_tls12});
  all.push_back({.name = "TLS 1.2, stapled status, first data",
                 .server = scripted12({.ocsp_response = tc::ByteVector(60, 7)}, {{heard(50), tells12(70)}}),
                 .configure = older([](auto& builder) { builder.status_request(true); }),
                 .first_data = 50,
                 .steps = {read(70), shutdown, end},
                 .meant = is_tls12});
  for (const bool ticket : {false, true}) {
    all.push_back({.name = ticket ? "TLS 1.2, resumption by ticket, which is renewed" : "TLS 1.2, resumption by id",
                   .server = scripted12(
                       {.ticket = ticket ? tc::ByteVector(70, 9) : tc::ByteVector(), .sessions = {session12(ticket)}},
                       {{heard(10), tells12(20)}}),
                   .configure = older(),
                   .session12 = ticket ? Plot::Session12::ticket : Plot::Session12::id,
                   .steps = {write(10), read(20), shutdown, end},
                   .meant = resumes});
    all.push_back(
        {.name = ticket ? "TLS 1.2, ticket declined" : "TLS 1.2, session id declined",
         .server = scripted12({.sessions = {session12(ticket)}, .decline_sessions = true}, {{heard(10), tells12(20)}}),
         .configure = older(),
         .session12 = ticket ? Plot::Session12::ticket : Plot::Session12::id,
         .steps = {write(10), read(20), shutdown, end},
         .meant = is_tls12});
  }
  for (const bool later : {false, true}) {
    const unsigned asked = later ? 1 : 0;
    all.push_back(
        {.name = later ? "TLS 1.2, client certificate, signed later" : "TLS 1.2, client certificate",
         .server = scripted12({.request_certificate = true}, {{heard(10), tells12(20)}}),
         .configure = older(with_certificate(later)),
         .steps = {write(10), read(20), shutdown, end},
         .meant = [asked](const Outcome& outcome) { return shows_certificate(outcome) && outcome.supplied == asked; }});
  }
  all.push_back({.name = "TLS 1.2, verdict later, then a signature later",
                 .server = scripted12({.request_certificate = true}, {{heard(10), tells12(20)}}),
                 .configure = older(with_certificate(true)),
                 .verdict_later = true,
                 .first_data = 10,
                 .steps = {read(20), shutdown, end},
                 .meant = [](const Outcome& outcome) { return outcome.supplied == 2; }});
  all.push_back({.name = "TLS 1.2, verdict later: no",
                 .server = scripted12({}),
                 .configure = older(),
                 .refuse_certificate = true,
                 .verdict_later = true,
                 .error = tc::ErrorCode::certificate_rejected,
                 .meant = [](const Outcome& outcome) { return outcome.supplied == 1 && !outcome.connected; }});
  all.push_back({.name = "TLS 1.2, HelloRequest in the middle of data",
                 .server = scripted12({}, {{heard(10), tells12(20)},
                                           {heard(20), [](Scripted12& server) { server.send_hello_request(); }}}),
                 .configure = older(),
                 .steps = {write(10), read(20), write(10), end},
                 .error = tc::ErrorCode::renegotiation_refused,
                 .meant = [](const Outcome& outcome) { return outcome.connected && outcome.received.size() == 20; }});
}
#endif

} // namespace

std::vector<Plot> plots() {
  std::vector<Plot> all;
  add_live(all);
  add_psk(all);
  add_early_data(all);
  add_early_data_and_verdict(all);
  add_authentication(all);
  add_key_update(all);
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  add_tls12(all);
#endif
  return all;
}

} // namespace sweeps
