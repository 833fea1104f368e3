// What the TLS 1.2 server says: its choices, and the messages of its honest flights.
#include "scripted_server12.hpp"

#include <algorithm>
#include <stdexcept>

#include <tlsconnect/wire/extension_bodies.hpp>

namespace test {

using tlsconnect::Authentication12;

// ---- drafts ----

ByteVector CertificateDraft12::body() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.prefixed(3, [&] {
    for (const ByteVector& der : chain)
      writer.opaque24(der, 0, 0xFF'FFFF);
  });
  value_of(writer.finish("Certificate"));
  return out;
}

CertificateDraft12 CertificateDraft12::of(BytesView body) {
  const auto message = value_of(tlsconnect::decode<tlsconnect::CertificateMessage12>(body));
  CertificateDraft12 draft;
  for (const auto& entry : message.certificate_list)
    draft.chain.push_back(tlsconnect::to_vector(entry.cert_data));
  return draft;
}

ByteVector KeyExchangeDraft::parameters() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.number(curve_type);
  writer.number(group);
  writer.opaque8(point, 0, 0xFF);
  value_of(writer.finish("ServerKeyExchange"));
  return out;
}

ByteVector KeyExchangeDraft::body() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  if (hint)
    writer.opaque16(*hint, 0, 0xFFFF);
  if (ephemeral)
    writer.raw(parameters());
  if (scheme) {
    writer.number(*scheme);
    writer.opaque16(signature, 0, 0xFFFF);
  }
  writer.raw(trailing);
  value_of(writer.finish("ServerKeyExchange"));
  return out;
}

ByteVector RequestDraft12::body() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.opaque8(types, 0, 0xFF);
  writer.prefixed(2, [&] {
    for (const SignatureScheme scheme : schemes)
      writer.number(scheme);
  });
  writer.prefixed(2, [&] {
    for (const ByteVector& name : authorities)
      writer.opaque16(name, 0, 0xFFFF);
  });
  value_of(writer.finish("CertificateRequest"));
  return out;
}

// ---- choices ----

const Identity& ScriptedServer12::identity() const {
  return options_.identity ? *options_.identity : server_identity();
}

bool ScriptedServer12::offered(ExtensionType type) const { return find_extension(hello().extensions, type) != nullptr; }

bool ScriptedServer12::fits(const tlsconnect::SuiteParameters12& suite, const ServerOptions12& options) {
  if (options.psk)
    return suite.authentication == Authentication12::psk;
  switch (options.identity ? options.identity->key().type() : KeyType::p256) {
  case KeyType::p256:
  case KeyType::p384:
  case KeyType::p521:
  case KeyType::ed25519:
  case KeyType::ed448:
  case KeyType::mldsa44: // with which nobody should choose TLS 1.2
  case KeyType::mldsa65:
  case KeyType::mldsa87:
    return suite.authentication == Authentication12::ecdsa;
  default:
    return suite.authentication == Authentication12::rsa;
  }
}

CipherSuite ScriptedServer12::suite() const {
  if (const KnownSession* session = resumed())
    return session->suite;
  if (options_.suite)
    return *options_.suite;
  const auto& suites = hello().fields.cipher_suites;
  for (std::size_t i = 0; i < suites.size(); ++i)
    if (const auto found = tlsconnect::parameters12_of(suites[i]); found && fits(*found, options_))
      return suites[i];
  throw std::invalid_argument("test support: no cipher suite in common");
}

tlsconnect::SuiteParameters12 ScriptedServer12::parameters() const {
  const auto found = tlsconnect::parameters12_of(suite());
  // Whatever is said under a suite that nobody knows, is said in form only.
  return found ? *found : tlsconnect::parameters12_of(CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256).value();
}

NamedGroup ScriptedServer12::group() const {
  if (options_.group)
    return *options_.group;
  if (const RawExt* found = find_extension(hello().extensions, ExtensionType::supported_groups)) {
    const auto list = value_of(tlsconnect::decode<tlsconnect::NamedGroupList>(found->body));
    for (std::size_t i = 0; i < list.groups.size(); ++i)
      if (tlsconnect::lengths_of(list.groups[i]) && !tlsconnect::is_post_quantum(list.groups[i]))
        return list.groups[i];
  }
  throw std::invalid_argument("test support: no curve in common");
}

SignatureScheme ScriptedServer12::scheme() const {
  return options_.scheme.value_or(usual_scheme(identity().key().type()));
}

bool ScriptedServer12::extended_main_secret() const {
  return options_.extended_main_secret && offered(ExtensionType::extended_main_secret);
}

const KnownSession* ScriptedServer12::resumed() const {
  if (options_.decline_sessions || hellos_.empty())
    return nullptr;
  const RawExt* ticket = find_extension(hello().extensions, ExtensionType::session_ticket);
  const BytesView id = hello().fields.legacy_session_id;
  for (const KnownSession& session : options_.sessions) {
    const bool by_ticket = ticket && !session.ticket.empty() && ticket->body == session.ticket;
    const bool by_id = !session.session_id.empty() && tlsconnect::equal(id, session.session_id);
    if ((by_ticket || by_id) && session.extended_main_secret == extended_main_secret())
      return &session;
  }
  return nullptr;
}

KnownSession ScriptedServer12::session() const {
  return {.session_id = options_.session_id,
          .ticket = options_.ticket,
          .main_secret = tlsconnect::to_vector(main_secret().view()),
          .suite = suite(),
          .extended_main_secret = extended_main_secret()};
}

// ---- what the server says ----

Plan12 ScriptedServer12::honest_plan() {
  Plan12 plan;
  plan.append(Step12::message("ServerHello", HandshakeType::server_hello,
                              [](ScriptedServer12& server) { return server.draft_hello().body(); }));
  const bool full = !resumed();
  const bool certificates = full && parameters().authentication != Authentication12::psk;
  if (certificates)
    plan.append(Step12::message("Certificate", HandshakeType::certificate,
                                [](ScriptedServer12& server) { return server.draft_certificate(); }));
  if (certificates && options_.ocsp_response && offered(ExtensionType::status_request))
    plan.append(Step12::message("CertificateStatus", HandshakeType::certificate_status,
                                [](ScriptedServer12& server) { return server.draft_certificate_status(); }));
  if (full && (parameters().ephemeral || options_.psk_hint))
    plan.append(Step12::message("ServerKeyExchange", HandshakeType::server_key_exchange, [](ScriptedServer12& server) {
      return server.key_exchange_with([](KeyExchangeDraft&) {});
    }));
  if (certificates && options_.request_certificate)
    plan.append(Step12::message("CertificateRequest", HandshakeType::certificate_request, RequestDraft12{}.body()));
  if (full) {
    plan.append(Step12::message("ServerHelloDone", HandshakeType::server_hello_done, ByteVector()));
    plan.append(Step12::wait("the client's Finished"));
  }
  if (!options_.ticket.empty() && offered(ExtensionType::session_ticket))
    plan.append(Step12::message("NewSessionTicket", HandshakeType::new_session_ticket,
                                [](ScriptedServer12& server) { return server.draft_new_session_ticket(); }));
  plan.append(Step12::act("ChangeCipherSpec", [](ScriptedServer12& server) { server.send_change_cipher_spec(); }));
  plan.append(Step12::act("write keys", [](ScriptedServer12& server) { server.start_write_keys(); }));
  plan.append(Step12::message("Finished", HandshakeType::finished,
                              [](ScriptedServer12& server) { return server.draft_finished(); }));
  return plan;
}

void ScriptedServer12::make_randoms() {
  if (std::exchange(randoms_made_, true))
    return;
  randoms_.client = hello().fields.random;
  (void)rng_.fill(randoms_.server);
  if (options_.downgrade_sentinel)
    tlsconnect::copy_bytes(tlsconnect::downgrade_to_tls12, Bytes(randoms_.server).last(8));
}

HelloDraft ScriptedServer12::draft_hello() {
  make_randoms();
  HelloDraft draft;
  draft.random = randoms_.server;
  draft.suite = suite();
  const KnownSession* session = resumed();
  draft.session_id = session ? tlsconnect::to_vector(hello().fields.legacy_session_id) : options_.session_id;
  if (session)
    main_secret_.emplace(value_of(tlsconnect::MainSecret12::of_session(parameters().hash, session->main_secret)));

  ExtensionList extensions;
  const auto answer = [&](ExtensionType type, bool wanted, ByteVector body = {}) {
    if (wanted && offered(type))
      set_extension(extensions, type, std::move(body));
  };
  answer(ExtensionType::renegotiation_info, options_.renegotiation_info, {0});
  answer(ExtensionType::extended_main_secret, options_.extended_main_secret);
  answer(ExtensionType::server_name, options_.acknowledge_server_name && !session);
  answer(ExtensionType::ec_point_formats, options_.point_formats && parameters().ephemeral && !session, {1, 0});
  answer(ExtensionType::session_ticket, !options_.ticket.empty());
  answer(ExtensionType::status_request, options_.ocsp_response.has_value() && !session);
  if (options_.sct_list)
    answer(ExtensionType::signed_certificate_timestamp, !session, *options_.sct_list);
  if (options_.alpn) {
    tlsconnect::ProtocolNames names;
    (void)names.names.push_back({tlsconnect::as_bytes(*options_.alpn)});
    answer(ExtensionType::application_layer_protocol_negotiation, true, encoded(names));
  }
  if (!extensions.empty())
    draft.extensions = std::move(extensions);
  return draft;
}

ByteVector ScriptedServer12::draft_certificate() const { return CertificateDraft12{identity().chain_der()}.body(); }

ByteVector ScriptedServer12::draft_certificate_status() const {
  return encoded(tlsconnect::CertificateStatus{1, options_.ocsp_response.value()});
}

KeyExchangeDraft ScriptedServer12::draft_key_exchange() {
  const tlsconnect::SuiteParameters12 suite = parameters();
  KeyExchangeDraft draft;
  draft.ephemeral = suite.ephemeral;
  if (suite.authentication == Authentication12::psk)
    draft.hint = tlsconnect::to_vector(tlsconnect::as_bytes(options_.psk_hint.value_or("")));
  else
    draft.scheme = scheme();
  if (!suite.ephemeral)
    return draft;
  draft.group = group();
  if (tlsconnect::lengths_of(group())) {
    key_.emplace(value_of(tlsconnect::KeyExchange::create(group(), rng_)));
    key_group_ = group();
    draft.point = tlsconnect::to_vector(key_->client_share());
  } else {
    draft.point.assign(32, 9);
  }
  return draft;
}

void ScriptedServer12::sign(KeyExchangeDraft& draft) const {
  if (!draft.scheme)
    return;
  // RFC 8422, 5.4: the randoms of both sides, and the parameters.
  ByteVector content = tlsconnect::to_vector(randoms_.client);
  append(content, randoms_.server);
  append(content, draft.parameters());
  const Key& key = identity().key();
  draft.signature = key.sign(padding_for(key.type(), *draft.scheme), content);
}

ByteVector ScriptedServer12::key_exchange_with(const std::function<void(KeyExchangeDraft&)>& change) {
  KeyExchangeDraft draft = draft_key_exchange();
  change(draft);
  sign(draft);
  return draft.body();
}

ByteVector ScriptedServer12::draft_new_session_ticket() const {
  return encoded(tlsconnect::NewSessionTicket12{options_.ticket_lifetime, options_.ticket});
}

ByteVector ScriptedServer12::draft_finished() {
  const auto verify_data = value_of(main_secret().server_finished(transcript()));
  server_verify_data_ = tlsconnect::to_vector(verify_data);
  return server_verify_data_;
}

} // namespace test
