// The engine: routes what arrives to the machines, keeps the first error, and tells the server about it.
#pragma once

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/engine.hpp>
#if !defined(TLSCONNECT_WITHOUT_TLS12)
#include <tlsconnect/handshake/client12.hpp>
#endif
#include <tlsconnect/handshake/client13.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/negotiate.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct ClientEngine::Impl {
  /// After a failure: no machine, no secrets.
#if defined(TLSCONNECT_WITHOUT_TLS12)
  using Machine = std::variant<std::monostate, Negotiate, Client13>;
#else
  using Machine = std::variant<std::monostate, Negotiate, Client13, Client12>;
#endif

  HandshakeContext context;
  std::optional<Transcript> transcript; // gone once the handshake is complete
  Machine machine;
  std::optional<Error> failure;
  BytesView plaintext;
  bool complete = false;
  bool peer_closed = false;
  bool network_ended = false;
  unsigned warning_alerts = 0;
  std::uint64_t key_update_end = 0; // of all bytes sealed, where the last KeyUpdate that the caller wanted ends

  Impl(ConfigPtr config, ServerName name) noexcept : context(std::move(config), std::move(name)) {}

  /// Calls `act` with the machine of the version that was agreed, if there is one.
  template <class Act>
  void with_client(Act&& act) {
    visit_client(machine, act);
  }
  template <class Act>
  void with_client(Act&& act) const {
    visit_client(machine, act);
  }
  template <class AnyMachine, class Act>
  static void visit_client(AnyMachine& machine, Act& act) {
    std::visit(
        [&]<class M>(M& current) {
          if constexpr (requires { current.connected(); })
            act(current);
        },
        machine);
  }

  /// Runs something that may fail or run out of memory. The first failure is kept, and its alert queued.
  template <class Step>
  Result<> guarded(Step&& step) noexcept {
    if (failure)
      return std::unexpected(*failure);
    Result<> result;
    try {
      result = step();
    } catch (const std::bad_alloc&) {
      result = fail(ErrorCode::out_of_memory);
    }
    if (!result)
      fail_with(result.error());
    return result;
  }

  void fail_with(const Error& error) noexcept {
    failure = error;
    // RFC 9846, 6.2: the secrets of a failed connection are forgotten.
    machine.emplace<std::monostate>();
    transcript.reset();
    const std::optional<AlertDescription> alert = error.alert_sent();
    if (!alert || context.write_closed)
      return;
    try {
      // When even the alert cannot be made, the connection just ends.
      (void)context.records.send_alert(*alert);
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  Result<> start(ReplaySafe early_data) {
    if (!context.config)
      return fail(ErrorCode::configuration_invalid, "ClientEngine", "there is no configuration");
    context.early_data = to_vector(early_data.bytes());
    context.early_data_wanted = early_data.promised();
    context.records.set_padding(context.config->record_padding());
    context.started = context.config->clock().microseconds();
    transcript.emplace();
    return machine.emplace<Negotiate>(context, *transcript).start();
  }

  /// Works through what has arrived until there is plaintext to take or nothing whole is left.
  Result<> advance() {
    while (plaintext.empty() && !peer_closed && awaited() == Interest::none) {
      Result<Incoming> incoming = context.records.next();
      if (!incoming)
        return std::unexpected(std::move(incoming.error()));
      switch (incoming->kind) {
      case Incoming::Kind::nothing:
        return {};
      case Incoming::Kind::application_data:
        plaintext = incoming->application_data;
        warning_alerts = 0;
        if (Client13* client = std::get_if<Client13>(&machine))
          client->application_data_received();
        break;
      case Incoming::Kind::alert:
        if (Result<> result = on_alert(incoming->alert_level, incoming->alert); !result)
          return result;
        break;
      case Incoming::Kind::handshake:
        if (Result<> result = on_handshake(incoming->message); !result)
          return result;
        break;
      }
    }
    return {};
  }

  /// Whether the rules of TLS 1.2 are those of the connection, or may yet be.
  bool may_be_tls12() const noexcept {
    return !std::holds_alternative<Client13>(machine) && context.config->offers(ProtocolVersion::tls1_2);
  }

  Result<> on_alert(std::uint8_t level, AlertDescription alert) {
    constexpr std::uint8_t warning = 1, fatal = 2;
    // RFC 9846, 6; RFC 5246, 7.2: these are all the levels that there are.
    if (level != warning && level != fatal)
      return fail(ErrorCode::alert_level_unknown, "alert",
                  std::string(name_of(alert)) + ", level " + std::to_string(level));
    // RFC 5246, 7.2.2: after a warning the connection can go on, and servers send some (RFC 6066, 3).
    if (level == warning && alert != AlertDescription::close_notify && may_be_tls12())
      return ++warning_alerts > limits::warning_alerts ? fail(ErrorCode::too_many_warning_alerts, "alert") : Result<>();
    switch (alert) {
    case AlertDescription::close_notify:
      // RFC 9846, 6.1: nothing that comes after it counts.
      peer_closed = true;
      return {};
    case AlertDescription::user_canceled:
      // RFC 9846, 6.1: to be ignored; a close_notify follows.
      if (++warning_alerts > limits::warning_alerts)
        return fail(ErrorCode::too_many_warning_alerts, "alert");
      return {};
    default:
      // RFC 9846, 6.2: every other alert is an error and ends the connection, whatever its level says; its level must be
      // fatal. A server of TLS 1.3 that sends one as a warning breaks that rule, and may hold the connection for open, so
      // that it is told: the error is then alert_malformed, with decode_error. A fatal alert is not answered.
      if (level == warning && std::holds_alternative<Client13>(machine))
        return fail(ErrorCode::alert_malformed, "alert", std::string(name_of(alert)) + " as a warning");
      return std::unexpected(Error::from_alert(alert, complete ? "connection" : "handshake"));
    }
  }

  Result<> on_handshake(const HandshakeMessage& message) {
    if (!complete)
      context.trace(message.type, false, message.bytes.size());
    if (Negotiate* negotiate = std::get_if<Negotiate>(&machine)) {
      if (Result<> result = negotiate->handle(message); !result)
        return result;
      if (Negotiated13* negotiated = negotiate->negotiated13()) {
        Handshake13Ptr handed_on = std::move(negotiated->handshake);
        machine.emplace<Client13>(context, *transcript, std::move(handed_on));
      }
#if !defined(TLSCONNECT_WITHOUT_TLS12)
      else if (Negotiated12* negotiated12 = negotiate->negotiated12()) {
        Handshake12Ptr handed_on = std::move(negotiated12->handshake);
        return machine.emplace<Client12>(context, *transcript).start(std::move(handed_on));
      }
#endif
      return {};
    }
    Result<> result;
    with_client([&](auto& client) { result = client.handle(message); });
    if (result)
      note_completion();
    return result;
  }

  /// What only the handshake needed goes when it is over.
  void note_completion() noexcept {
    bool connected = false;
    with_client([&](const auto& client) { connected = client.connected(); });
    if (complete || !connected)
      return;
    complete = true;
    transcript.reset();
    if (context.info.early_data != EarlyDataOutcome::accepted)
      context.early_exporter.reset();
    context.info.handshake_duration =
        static_cast<std::uint64_t>(std::max<std::int64_t>(context.config->clock().microseconds() - context.started, 1));
  }

  Interest awaited() const noexcept {
    Interest interest = Interest::none;
    with_client([&](const auto& client) { interest = client.awaited(); });
    return interest;
  }

  /// What the caller supplies, if that is awaited; then on with what has arrived meanwhile.
  template <class Step>
  Result<> supply(Interest wanted, std::string_view call, Step&& step) noexcept {
    if (failure)
      return std::unexpected(*failure);
    if (awaited() != wanted)
      return fail(ErrorCode::nothing_awaited, call);
    return guarded([&]() -> Result<> {
      Result<> result;
      with_client([&](auto& client) { result = step(client); });
      if (!result)
        return result;
      note_completion();
      return advance();
    });
  }

  Result<> seal(BytesView data) {
    if (Client13* client = std::get_if<Client13>(&machine))
      if (Result<> result = client->before_application_data(); !result)
        return result;
    return context.records.send_application_data(data);
  }

  /// Whether application data may be sent; not a failure of the connection when it may not.
  Result<> may_send(std::string_view call) const noexcept {
    if (failure)
      return std::unexpected(*failure);
    if (context.write_closed)
      return fail(ErrorCode::write_side_closed, call);
    if (!complete)
      return fail(ErrorCode::not_connected, call);
    return {};
  }
};

TLSCONNECT_DECL ClientEngine::ClientEngine(ConfigPtr config, ServerName name, ReplaySafe early_data) noexcept {
  impl_.reset(new (std::nothrow) Impl(std::move(config), std::move(name)));
  if (impl_)
    (void)impl_->guarded([&] { return impl_->start(early_data); });
}
TLSCONNECT_DECL ClientEngine::ClientEngine(ClientEngine&&) noexcept = default;
TLSCONNECT_DECL ClientEngine& ClientEngine::operator=(ClientEngine&&) noexcept = default;
TLSCONNECT_DECL ClientEngine::~ClientEngine() = default;

TLSCONNECT_DECL Bytes ClientEngine::receive_buffer() noexcept {
  if (!impl_ || impl_->peer_closed || impl_->network_ended || !impl_->plaintext.empty() ||
      impl_->awaited() != Interest::none)
    return {};
  Bytes space;
  (void)impl_->guarded([&]() -> Result<> {
    space = impl_->context.records.receive_buffer();
    return {};
  });
  return space;
}

TLSCONNECT_DECL Result<> ClientEngine::received(std::size_t n) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "received");
  return impl_->guarded([&] {
    impl_->context.records.received(n);
    return impl_->advance();
  });
}

TLSCONNECT_DECL void ClientEngine::received_end() noexcept {
  if (impl_)
    impl_->network_ended = true;
}

TLSCONNECT_DECL BytesView ClientEngine::pending_output() noexcept {
  return impl_ ? impl_->context.records.output().front() : BytesView();
}

TLSCONNECT_DECL void ClientEngine::sent(std::size_t n) noexcept {
  if (impl_)
    impl_->context.records.output().sent(n);
}

TLSCONNECT_DECL BytesView ClientEngine::plaintext() const noexcept { return impl_ ? impl_->plaintext : BytesView(); }

TLSCONNECT_DECL void ClientEngine::consume(std::size_t n) noexcept {
  if (!impl_ || impl_->plaintext.empty())
    return;
  impl_->plaintext = impl_->plaintext.subspan(std::min(n, impl_->plaintext.size()));
  // A failure in what follows waits in failure(): the data before it was good.
  if (impl_->plaintext.empty())
    (void)impl_->guarded([&] { return impl_->advance(); });
}

TLSCONNECT_DECL Result<std::size_t> ClientEngine::encrypt(BytesView data) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "encrypt");
  if (Result<> allowed = impl_->may_send("encrypt"); !allowed)
    return std::unexpected(std::move(allowed.error()));
  const std::size_t waiting = impl_->context.records.output().size();
  const std::size_t room = waiting < limits::pending_output ? limits::pending_output - waiting : 0;
  // Whole records where there is room for them; the rest comes with the next call.
  const std::size_t whole = room / limits::record_plaintext * limits::record_plaintext;
  const std::size_t count = std::min(data.size(), whole);
  if (count == 0)
    return std::size_t{0};
  if (Result<> sealed = impl_->guarded([&] { return impl_->seal(data.first(count)); }); !sealed)
    return std::unexpected(std::move(sealed.error()));
  return count;
}

TLSCONNECT_DECL Result<> ClientEngine::encrypt_all(BytesView data) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "encrypt");
  if (Result<> allowed = impl_->may_send("encrypt"); !allowed)
    return allowed;
  return impl_->guarded([&] { return impl_->seal(data); });
}

TLSCONNECT_DECL Result<> ClientEngine::close_notify() noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "close_notify");
  return impl_->guarded([&]() -> Result<> {
    // RFC 9846, 6.1: once is enough.
    if (std::exchange(impl_->context.write_closed, true))
      return {};
    return impl_->context.records.send_alert(AlertDescription::close_notify);
  });
}

TLSCONNECT_DECL void ClientEngine::abort(AlertDescription alert) noexcept {
  if (!impl_ || impl_->failure)
    return;
  const bool silent = impl_->context.write_closed;
  impl_->fail_with(Error(ErrorCode::aborted, "abort").with_alert(alert));
  // RFC 9846, 6.1: user_canceled is followed by a close_notify.
  if (alert != AlertDescription::user_canceled || silent)
    return;
  try {
    (void)impl_->context.records.send_alert(AlertDescription::close_notify);
  } catch (const std::bad_alloc&) {
    return;
  }
}

TLSCONNECT_DECL bool ClientEngine::handshake_complete() const noexcept { return impl_ && impl_->complete; }
TLSCONNECT_DECL bool ClientEngine::peer_closed() const noexcept {
  return impl_ && impl_->peer_closed && impl_->plaintext.empty();
}
TLSCONNECT_DECL bool ClientEngine::truncated() const noexcept {
  return impl_ && impl_->network_ended && !impl_->peer_closed && !impl_->failure && impl_->plaintext.empty();
}
TLSCONNECT_DECL const Error* ClientEngine::failure() const noexcept {
  static const Error gone(ErrorCode::not_connected, "ClientEngine");
  if (!impl_)
    return &gone;
  return impl_->failure ? &*impl_->failure : nullptr;
}

TLSCONNECT_DECL Interest ClientEngine::awaited() const noexcept { return impl_ ? impl_->awaited() : Interest::none; }

TLSCONNECT_DECL std::optional<VerdictRequest> ClientEngine::verdict_request() const noexcept {
  const ServerCertificate* shown = nullptr;
  if (impl_)
    std::as_const(*impl_).with_client([&](const auto& client) { shown = client.awaiting_verdict(); });
  if (!shown)
    return std::nullopt;
  return VerdictRequest{{shown->chain, shown->status}, &shown->public_key.front()};
}

TLSCONNECT_DECL Result<> ClientEngine::give_verdict(Result<VerifiedChain> verdict) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "give_verdict");
  return impl_->supply(Interest::verdict, "give_verdict",
                       [&](auto& client) { return client.give_verdict(std::move(verdict)); });
}

TLSCONNECT_DECL std::optional<SignatureRequest> ClientEngine::signature_request() const noexcept {
  std::optional<SignatureRequest> request;
  if (impl_)
    std::as_const(*impl_).with_client([&](const auto& client) {
      if (const auto* awaited = client.awaiting_signature())
        request.emplace(SignatureRequest{awaited->choice.index, awaited->choice.scheme,
                                         BytesView(awaited->content.data(), awaited->content.size())});
    });
  return request;
}

TLSCONNECT_DECL Result<> ClientEngine::give_signature(Result<ByteVector> signature) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "give_signature");
  return impl_->supply(Interest::signature, "give_signature",
                       [&](auto& client) { return client.give_signature(std::move(signature)); });
}

TLSCONNECT_DECL Result<> ClientEngine::add_early_data(ReplaySafe early_data) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "add_early_data");
  if (impl_->complete)
    return fail(ErrorCode::already_connected, "add_early_data");
  return impl_->guarded([&] {
    const BytesView bytes = early_data.bytes();
    impl_->context.early_data.insert(impl_->context.early_data.end(), bytes.begin(), bytes.end());
    return impl_->context.send_early_data();
  });
}

TLSCONNECT_DECL ByteVector ClientEngine::take_unaccepted_early_data() noexcept {
  // Before the server's decision, nobody knows what is due.
  if (!impl_ || (!impl_->complete && !impl_->failure && !impl_->peer_closed && !impl_->network_ended))
    return {};
  return std::exchange(impl_->context.early_data, {});
}

TLSCONNECT_DECL Result<> ClientEngine::update_keys(bool request_peer) noexcept {
  if (!impl_)
    return fail(ErrorCode::not_connected, "update_keys");
  if (Result<> allowed = impl_->may_send("update_keys"); !allowed)
    return allowed;
  // RFC 5246 has no such message; in TLS 1.2 keys last as long as the connection.
  if (!std::holds_alternative<Client13>(impl_->machine))
    return fail(ErrorCode::key_update_not_possible, "update_keys", "TLS 1.2 has no KeyUpdate");
  return impl_->guarded([&]() -> Result<> {
    Result<> updated =
        std::get<Client13>(impl_->machine)
            .update_keys(request_peer ? KeyUpdateRequest::update_requested : KeyUpdateRequest::update_not_requested);
    impl_->key_update_end = impl_->context.records.counts().bytes_sent;
    return updated;
  });
}

TLSCONNECT_DECL bool ClientEngine::key_update_pending() const noexcept {
  if (!impl_ || impl_->failure)
    return false;
  // What was sealed and has not left yet stands at the end of what was sealed.
  const std::uint64_t left = impl_->context.records.counts().bytes_sent - impl_->context.records.output().size();
  return left < impl_->key_update_end;
}

TLSCONNECT_DECL Result<> ClientEngine::export_keying_material(std::string_view label, std::optional<BytesView> context,
                                                              Bytes out) const noexcept {
  Result<> result = fail(ErrorCode::export_not_available, "exporter", "the handshake is not complete");
  try {
    if (impl_)
      std::as_const(*impl_).with_client([&]<class C>(const C& client) {
        if constexpr (std::is_same_v<C, Client13>)
          result = client.export_keying_material(label, context.value_or(BytesView()), out);
        else
          result = client.export_keying_material(label, context, out);
      });
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "exporter");
  }
  return result;
}

TLSCONNECT_DECL Result<> ClientEngine::export_early_keying_material(std::string_view label, BytesView context,
                                                                    Bytes out) const noexcept {
  const EarlyExporter* exporter = impl_ && !impl_->failure ? impl_->context.early_exporter.get() : nullptr;
  if (!exporter)
    return fail(ErrorCode::export_not_available, "exporter", "no pre-shared key was offered, or early data is over");
  return tlsconnect::export_keying_material(exporter->hash, exporter->secret, label, context, out);
}

TLSCONNECT_DECL Result<ByteVector> ClientEngine::tls_exporter() const noexcept {
  try {
    ByteVector binding(32);
    // RFC 9266, 2: this label, an empty context, 32 bytes.
    if (Result<> exported = export_keying_material("EXPORTER-Channel-Binding", BytesView(), binding); !exported)
      return std::unexpected(std::move(exported.error()));
    return binding;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "tls_exporter");
  }
}

TLSCONNECT_DECL Result<ByteVector> ClientEngine::tls_unique() const noexcept {
#if !defined(TLSCONNECT_WITHOUT_TLS12)
  try {
    if (const Client12* client = impl_ ? std::get_if<Client12>(&impl_->machine) : nullptr)
      if (const std::optional<VerifyData12> finished = client->tls_unique())
        return to_vector(*finished);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "tls_unique");
  }
#endif
  return fail(ErrorCode::export_not_available, "tls_unique",
              "it is for established connections of TLS 1.2 with the extended main secret");
}

TLSCONNECT_DECL Result<ByteVector> ClientEngine::tls_server_end_point() const noexcept {
  static constexpr std::string_view where = "tls_server_end_point";
  if (!handshake_complete() || info().raw_public_key || info().peer_chain.empty())
    return fail(ErrorCode::export_not_available, where, "the server has shown no certificate");
  try {
    const ByteVector& der = info().peer_chain.front();
    const Result<Certificate> certificate = Certificate::from_der(der);
    if (!certificate)
      return std::unexpected(certificate.error());
    const Result<HashAlgorithm> hash = certificate->signature_hash();
    if (!hash)
      return std::unexpected(Error(hash.error()).at(where));
    const Result<Digest> digest = hash_of(*hash, der);
    if (!digest)
      return std::unexpected(digest.error());
    return to_vector(digest->view());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  }
}

TLSCONNECT_DECL const ConnectionInfo& ClientEngine::info() const noexcept {
  static const ConnectionInfo nothing;
  if (!impl_)
    return nothing;
  const RecordCounts& counts = impl_->context.records.counts();
  ConnectionInfo& info = impl_->context.info;
  info.records_sent = counts.records_sent;
  info.records_received = counts.records_received;
  info.bytes_sent = counts.bytes_sent;
  info.bytes_received = counts.bytes_received;
  return info;
}

TLSCONNECT_DECL void ClientEngine::release_buffers() noexcept {
  if (impl_ && impl_->plaintext.empty())
    impl_->context.records.release_buffers();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
