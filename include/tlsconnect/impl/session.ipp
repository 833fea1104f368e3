// How old a session is, its serialised form, and the store in memory.
#pragma once

#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include <tlsconnect/base/inplace_vector.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/suites.hpp>
#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline constexpr std::string_view session_magic = "TLSCSESS";
inline constexpr std::uint16_t session_format = 1;
inline constexpr std::size_t session_header = session_magic.size() + sizeof session_format;
inline constexpr std::size_t session_checksum = 32;

/// The fields between the header and the checksum.
struct SerialisedSession {
  static constexpr std::string_view name = "Session";
  static constexpr std::uint8_t extended_main_secret = 1;
  static constexpr std::uint8_t raw_public_key = 2;
  struct Entry {
    BytesView der;
    BytesView ocsp_response;
    BytesView sct_list;
  };

  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  std::uint8_t flags = 0;
  BytesView secret;
  BytesView ticket;
  BytesView session_id;
  std::uint32_t lifetime = 0;
  std::uint32_t age_add = 0;
  std::uint64_t received_at = 0;
  std::uint64_t usable_until = 0;
  std::uint32_t max_early_data = 0;
  BytesView server_name;
  BytesView trust_identity;
  BytesView application_protocol;
  NamedGroup group{};
  SignatureScheme signature_scheme{};
  InplaceVector<Entry, limits::certificate_chain> peer_chain;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.version);
    ar.number(self.cipher_suite);
    ar.number(self.flags);
    ar.opaque8(self.secret, 1, SessionSecret::capacity);
    ar.opaque16(self.ticket, 0, 0xFFFF);
    ar.opaque8(self.session_id, 0, 32);
    ar.number(self.lifetime);
    ar.number(self.age_add);
    ar.number(self.received_at);
    ar.number(self.usable_until);
    ar.number(self.max_early_data);
    ar.opaque8(self.server_name, 1, 0xFF);
    ar.opaque8(self.trust_identity, 0, 64);
    ar.opaque8(self.application_protocol, 0, 0xFF);
    ar.number(self.group);
    ar.number(self.signature_scheme);
    ar.list24(self.peer_chain, ErrorCode::message_too_large, [](auto& inner, auto& entry) {
      inner.opaque24(entry.der, 1, limits::handshake_message);
      inner.opaque24(entry.ocsp_response, 0, limits::handshake_message);
      inner.opaque16(entry.sct_list, 0, 0xFFFF);
    });
  }
};

/// What is wrong with the version, the suite and the secret of a session; null when nothing is.
TLSCONNECT_DECL const char* wrong_with_secret(const Session& session) noexcept {
  const bool suite_of_13 = static_cast<std::uint16_t>(session.cipher_suite) >> 8 == 0x13; // RFC 9846, B.4
  if (session.version == ProtocolVersion::tls1_3) {
    const std::optional<SuiteParameters> parameters = parameters_of(session.cipher_suite);
    if (!suite_of_13 || !parameters)
      return "the cipher suite is none of TLS 1.3";
    if (session.secret.size() != hash_length(parameters->hash))
      return "the secret is not as long as the hash of the cipher suite";
    if (session.ticket.empty() || !session.session_id.empty())
      return "a session of TLS 1.3 has a ticket and no session id";
    return nullptr;
  }
  if (session.version == ProtocolVersion::tls1_2) {
    if (suite_of_13)
      return "the cipher suite is none of TLS 1.2";
    if (session.secret.size() != 48) // RFC 5246, 8.1
      return "the main secret does not have 48 bytes";
    if (session.ticket.empty() && session.session_id.empty())
      return "there is neither a ticket nor a session id";
    if (session.max_early_data != 0)
      return "TLS 1.2 has no early data";
    return nullptr;
  }
  return "the version is neither TLS 1.3 nor TLS 1.2";
}

/// What is wrong with the certificates of a session; null when nothing is.
TLSCONNECT_DECL const char* wrong_with_chain(const Session& session) noexcept {
  if (session.peer_chain.size() > limits::certificate_chain)
    return "there are too many certificates";
  if (session.raw_public_key && session.peer_chain.size() != 1)
    return "a raw public key stands alone";
  // The whole chain came in one message, so it is no longer than one, whichever way it is split.
  std::size_t left = limits::handshake_message;
  for (const SessionCertificate& certificate : session.peer_chain) {
    if (certificate.der.empty())
      return "a certificate is empty";
    if (certificate.sct_list.size() > 0xFFFF)
      return "a list of timestamps is too long";
    for (const ByteVector* part : {&certificate.der, &certificate.ocsp_response, &certificate.sct_list}) {
      if (part->size() > left)
        return "the certificates are longer than one message";
      left -= part->size();
    }
  }
  return nullptr;
}

/// What is wrong with a session; null when nothing is. Nothing that has passed here overflows or contradicts itself.
TLSCONNECT_DECL const char* wrong_with(const Session& session) noexcept {
  if (const char* wrong = wrong_with_secret(session))
    return wrong;
  if (session.ticket.size() > 0xFFFF)
    return "the ticket is too long";
  if (session.session_id.size() > 32)
    return "the session id is too long";
  if (session.lifetime > limits::ticket_lifetime)
    return "the lifetime is longer than seven days";
  if (session.received_at < 0 || session.usable_until < 0)
    return "a time lies before 1970";
  if (const Result<ServerName> name = ServerName::parse(session.server_name);
      !name || name->text() != session.server_name)
    return "the server's name is not in its canonical form";
  if (session.trust_identity.size() > 64)
    return "the trust identity is too long";
  if (session.application_protocol.size() > 0xFF)
    return "the application protocol is too long";
  return wrong_with_chain(session);
}

/// May throw std::bad_alloc.
TLSCONNECT_DECL Result<> write_session(const Session& session, ByteVector& out) {
  constexpr std::string_view where = "Session::serialise";
  if (const char* wrong = wrong_with(session))
    return fail(ErrorCode::session_unreadable, where, wrong);

  SerialisedSession fields;
  fields.version = session.version;
  fields.cipher_suite = session.cipher_suite;
  if (session.extended_main_secret)
    fields.flags |= SerialisedSession::extended_main_secret;
  if (session.raw_public_key)
    fields.flags |= SerialisedSession::raw_public_key;
  fields.secret = session.secret.view();
  fields.ticket = session.ticket;
  fields.session_id = session.session_id;
  fields.lifetime = session.lifetime;
  fields.age_add = session.age_add;
  fields.received_at = static_cast<std::uint64_t>(session.received_at);
  fields.usable_until = static_cast<std::uint64_t>(session.usable_until);
  fields.max_early_data = session.max_early_data;
  fields.server_name = as_bytes(session.server_name);
  fields.trust_identity = session.trust_identity;
  fields.application_protocol = as_bytes(session.application_protocol);
  fields.group = session.group;
  fields.signature_scheme = session.signature_scheme;

  // A vector that grows leaves what it held behind in freed memory: room for everything is made first. All fields of
  // fixed size, lengths included, and the session id, the trust identity and the two texts take less than 768 bytes.
  std::size_t room = 768 + SessionSecret::capacity + session.ticket.size();
  for (const SessionCertificate& certificate : session.peer_chain) {
    (void)fields.peer_chain.push_back({certificate.der, certificate.ocsp_response, certificate.sct_list});
    room += 8 + certificate.der.size() + certificate.ocsp_response.size() + certificate.sct_list.size();
  }
  out.reserve(room);

  Writer writer(out);
  writer.raw(as_bytes(session_magic));
  writer.number(session_format);
  SerialisedSession::wire(writer, fields);
  if (Result<> done = writer.finish(where); !done)
    return done;
  const Result<Digest> checksum = hash_of(HashAlgorithm::sha256, out);
  if (!checksum)
    return std::unexpected(checksum.error());
  writer.raw(checksum->view());
  return {};
}

/// May throw std::bad_alloc.
TLSCONNECT_DECL Result<Session> read_session(BytesView serialised) {
  constexpr std::string_view where = "Session::parse";
  const auto unreadable = [&](std::string_view why) {
    return fail(ErrorCode::session_unreadable, where, std::string(why));
  };
  if (serialised.size() < session_header + session_checksum)
    return unreadable("it is too short");
  if (serialised.size() > Session::longest_serialised)
    return unreadable("it is too long");
  if (as_text(serialised.first(session_magic.size())) != session_magic)
    return unreadable("it does not begin like a session");
  const BytesView format = serialised.subspan(session_magic.size(), sizeof session_format);
  if ((format[0] << 8 | format[1]) != session_format)
    return unreadable("its format is of another version of this library");
  const BytesView covered = serialised.first(serialised.size() - session_checksum);
  const Result<Digest> checksum = hash_of(HashAlgorithm::sha256, covered);
  if (!checksum)
    return std::unexpected(checksum.error());
  if (!equal(checksum->view(), serialised.last(session_checksum)))
    return unreadable("its checksum is wrong: it was cut off or damaged");

  const Result<SerialisedSession> fields = decode<SerialisedSession>(covered.subspan(session_header));
  if (!fields)
    return unreadable(describe(fields.error().code()).text);
  if ((fields->flags & ~(SerialisedSession::extended_main_secret | SerialisedSession::raw_public_key)) != 0)
    return unreadable("a flag is unknown");
  constexpr std::uint64_t last_time = 0x7FFF'FFFF'FFFF'FFFF;
  if (fields->received_at > last_time || fields->usable_until > last_time)
    return unreadable("a time is out of range");

  Session session;
  session.version = fields->version;
  session.cipher_suite = fields->cipher_suite;
  session.secret = SessionSecret(fields->secret);
  session.ticket = to_vector(fields->ticket);
  session.session_id = to_vector(fields->session_id);
  session.lifetime = fields->lifetime;
  session.age_add = fields->age_add;
  session.received_at = static_cast<std::int64_t>(fields->received_at);
  session.usable_until = static_cast<std::int64_t>(fields->usable_until);
  session.max_early_data = fields->max_early_data;
  session.server_name = as_text(fields->server_name);
  session.trust_identity = to_vector(fields->trust_identity);
  session.application_protocol = as_text(fields->application_protocol);
  session.group = fields->group;
  session.signature_scheme = fields->signature_scheme;
  session.extended_main_secret = (fields->flags & SerialisedSession::extended_main_secret) != 0;
  session.raw_public_key = (fields->flags & SerialisedSession::raw_public_key) != 0;
  session.peer_chain.reserve(fields->peer_chain.size());
  for (const SerialisedSession::Entry& entry : fields->peer_chain)
    session.peer_chain.push_back({to_vector(entry.der), to_vector(entry.ocsp_response), to_vector(entry.sct_list)});
  if (const char* wrong = wrong_with(session))
    return unreadable(wrong);
  return Result<Session>(std::move(session));
}

/// The milliseconds between two times, of which the second is not the earlier one. Exact for any two.
[[nodiscard]] constexpr std::uint64_t milliseconds_between(std::int64_t from, std::int64_t to) noexcept {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

} // namespace detail

TLSCONNECT_DECL bool Session::expired(std::int64_t now_ms) const noexcept {
  if (now_ms >= usable_until)
    return true;
  // A clock that was set back makes a ticket look younger than it is, for as long as it was set back. Small corrections
  // are common and harmless.
  if (now_ms < received_at)
    return detail::milliseconds_between(now_ms, received_at) > clock_tolerance || lifetime == 0;
  // RFC 9846, 4.2.11.1 and 4.6.1: a ticket is not used for longer than its lifetime, and never for longer than seven
  // days; a lifetime of 0 means not at all.
  const std::uint64_t seconds = std::min(lifetime, limits::ticket_lifetime);
  return detail::milliseconds_between(received_at, now_ms) >= seconds * 1'000;
}

TLSCONNECT_DECL std::uint32_t Session::obfuscated_age(std::int64_t now_ms) const noexcept {
  const std::uint64_t age = now_ms < received_at ? 0 : detail::milliseconds_between(received_at, now_ms);
  return static_cast<std::uint32_t>(age + age_add);
}

TLSCONNECT_DECL Result<ByteVector> Session::serialise() const noexcept {
  ByteVector out;
  try {
    Result<> done = detail::write_session(*this, out);
    if (done)
      return Result<ByteVector>(std::move(out));
    wipe(out);
    return std::unexpected(std::move(done.error()));
  } catch (const std::bad_alloc&) {
    wipe(out);
    return fail(ErrorCode::out_of_memory, "Session::serialise");
  }
}

TLSCONNECT_DECL Result<Session> Session::parse(BytesView serialised) noexcept {
  try {
    return detail::read_session(serialised);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "Session::parse");
  }
}

TLSCONNECT_DECL std::string session_key(const ServerName& name, BytesView trust_identity) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string key;
  key.reserve(name.text().size() + 1 + 2 * trust_identity.size());
  key += name.text();
  key += '+'; // stands in no name
  for (const std::uint8_t byte : trust_identity) {
    key += digits[byte >> 4];
    key += digits[byte & 15U];
  }
  return key;
}

struct MemorySessionStore::Impl {
  struct Server {
    std::string key;
    std::vector<Session> sessions; // the newest last; never empty
  };
  using Servers = std::list<Server>;

  Impl(std::size_t most_servers, std::size_t most_sessions) noexcept
      : most_servers_(most_servers), most_sessions_(most_sessions) {}

  void add(std::string_view key, Session&& session) {
    if (most_sessions_ == 0)
      return;
    if (const auto found = index_.find(key); found != index_.end()) {
      used(found->second);
      std::vector<Session>& sessions = found->second->sessions;
      if (sessions.size() >= most_sessions_)
        sessions.erase(sessions.begin());
      sessions.push_back(std::move(session));
      return;
    }
    // Made aside first: if memory runs out on the way, nothing has changed.
    Servers fresh;
    fresh.emplace_back();
    fresh.front().key = key;
    fresh.front().sessions.push_back(std::move(session));
    index_.emplace(fresh.front().key, fresh.begin());
    servers_.splice(servers_.begin(), fresh);
    if (servers_.size() > most_servers_) {
      index_.erase(servers_.back().key);
      servers_.pop_back();
    }
  }

  void used(Servers::iterator server) noexcept { servers_.splice(servers_.begin(), servers_, server); }

  mutable std::mutex mutex_;
  const std::size_t most_servers_;
  const std::size_t most_sessions_;
  Servers servers_;                                               // those that were used last first
  std::unordered_map<std::string_view, Servers::iterator> index_; // its keys are views of those in servers_
};

TLSCONNECT_DECL MemorySessionStore::MemorySessionStore(std::size_t servers, std::size_t sessions_per_server)
    : impl_(std::make_unique<Impl>(servers, sessions_per_server)) {}
TLSCONNECT_DECL MemorySessionStore::~MemorySessionStore() = default;

TLSCONNECT_DECL void MemorySessionStore::put(std::string_view key, Session session) noexcept {
  const std::lock_guard lock(impl_->mutex_);
  try {
    impl_->add(key, std::move(session));
  } catch (const std::bad_alloc&) { // NOLINT: without memory there is a full handshake next time, and that is all
  }
}

TLSCONNECT_DECL std::optional<Session> MemorySessionStore::take(std::string_view key) noexcept {
  const std::lock_guard lock(impl_->mutex_);
  const auto found = impl_->index_.find(key);
  if (found == impl_->index_.end())
    return std::nullopt;
  const Impl::Servers::iterator server = found->second;
  std::optional<Session> session(std::move(server->sessions.back()));
  server->sessions.pop_back();
  if (server->sessions.empty()) {
    impl_->index_.erase(found);
    impl_->servers_.erase(server);
  } else {
    impl_->used(server);
  }
  return session;
}

TLSCONNECT_DECL void MemorySessionStore::erase(std::string_view key) noexcept {
  const std::lock_guard lock(impl_->mutex_);
  if (const auto found = impl_->index_.find(key); found != impl_->index_.end()) {
    const Impl::Servers::iterator server = found->second;
    impl_->index_.erase(found);
    impl_->servers_.erase(server);
  }
}

TLSCONNECT_DECL void MemorySessionStore::clear() noexcept {
  const std::lock_guard lock(impl_->mutex_);
  impl_->index_.clear();
  impl_->servers_.clear();
}

TLSCONNECT_DECL std::size_t MemorySessionStore::size() const noexcept {
  const std::lock_guard lock(impl_->mutex_);
  std::size_t count = 0;
  for (const Impl::Server& server : impl_->servers_)
    count += server.sessions.size();
  return count;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
