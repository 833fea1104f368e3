// The engine: routes what arrives to the machines, keeps the first error, and tells the server about it.
#pragma once

#include <algorithm>
#include <new>
#include <optional>
#include <utility>
#include <variant>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/engine.hpp>
#include <tlsconnect/handshake/client13.hpp>
#include <tlsconnect/handshake/context.hpp>
#include <tlsconnect/handshake/negotiate.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct ClientEngine::Impl {
  /// After a failure: no machine, no secrets.
  using Machine = std::variant<std::monostate, Negotiate, Client13>;

  HandshakeContext context;
  std::optional<Transcript> transcript; // gone once the handshake is complete
  Machine machine;
  std::optional<Error> failure;
  BytesView plaintext;
  bool complete = false;
  bool peer_closed = false;
  bool network_ended = false;
  unsigned warning_alerts = 0;

  Impl(ConfigPtr config, ServerName name) : context{std::move(config), std::move(name), {}, {}} {}

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
    if (!alert || context.write_closed || peer_closed)
      return;
    context.write_closed = true;
    try {
      // When even the alert cannot be made, the connection just ends.
      (void)context.records.send_alert(*alert);
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  Result<> start() {
    if (!context.config)
      return fail(ErrorCode::configuration_invalid, "ClientEngine", "there is no configuration");
    transcript.emplace();
    return machine.emplace<Negotiate>(context, *transcript).start();
  }

  /// Works through what has arrived until there is plaintext to take or nothing whole is left.
  Result<> advance() {
    while (plaintext.empty() && !peer_closed) {
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
        if (Result<> result = on_alert(incoming->alert); !result)
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

  Result<> on_alert(AlertDescription alert) {
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
      // RFC 9846, 6: every other alert is fatal, whatever its level says.
      context.write_closed = true;
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
        Negotiated13 handed_on = std::move(*negotiated);
        machine.emplace<Client13>(context, *transcript, std::move(handed_on));
      }
      return {};
    }
    Client13& client = std::get<Client13>(machine);
    if (Result<> result = client.handle(message); !result)
      return result;
    if (!complete && client.connected()) {
      complete = true;
      transcript.reset();
    }
    return {};
  }

  Result<> seal(BytesView data) {
    if (Client13* client = std::get_if<Client13>(&machine))
      if (Result<> result = client->before_application_data(); !result)
        return result;
    return context.records.send_application_data(data);
  }

  /// Whether application data may be sent; not a failure of the connection when it may not.
  Result<> may_send() const noexcept {
    if (failure)
      return std::unexpected(*failure);
    if (context.write_closed)
      return fail(ErrorCode::write_side_closed, "encrypt");
    if (!complete)
      return fail(ErrorCode::not_connected, "encrypt");
    return {};
  }
};

TLSCONNECT_DECL ClientEngine::ClientEngine(ConfigPtr config, ServerName name) noexcept {
  impl_.reset(new (std::nothrow) Impl(std::move(config), std::move(name)));
  if (impl_)
    (void)impl_->guarded([&] { return impl_->start(); });
}
TLSCONNECT_DECL ClientEngine::ClientEngine(ClientEngine&&) noexcept = default;
TLSCONNECT_DECL ClientEngine& ClientEngine::operator=(ClientEngine&&) noexcept = default;
TLSCONNECT_DECL ClientEngine::~ClientEngine() = default;

TLSCONNECT_DECL Bytes ClientEngine::receive_buffer() noexcept {
  if (!impl_ || impl_->failure || impl_->peer_closed || impl_->network_ended || !impl_->plaintext.empty())
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
  if (!impl_)
    return;
  OutputQueue& output = impl_->context.records.output();
  output.sent(n);
  if (output.empty())
    if (Client13* client = std::get_if<Client13>(&impl_->machine))
      client->output_drained();
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
  if (Result<> allowed = impl_->may_send(); !allowed)
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
  if (Result<> allowed = impl_->may_send(); !allowed)
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
