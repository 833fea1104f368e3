// What the server receives, the records it sends, and pre-shared keys.
#include "scripted_server.hpp"

#include <algorithm>
#include <array>

namespace test {

using tlsconnect::Result;

// ---- receiving ----

ScriptedServer::ScriptedServer(ServerOptions options) : ScriptedEnd(options.seed), options_(std::move(options)) {}

void ScriptedServer::take_record(const tlsconnect::RecordHeader& header, Bytes record) {
  SeenRecord seen;
  seen.outer = header.type;
  seen.version = header.legacy_version;
  seen.type = header.type;
  Bytes content = record.subspan(tlsconnect::RecordHeader::size);
  if (header.type == ContentType::application_data && open_early(record)) {
    seen.early = true;
  } else if (header.type == ContentType::application_data) {
    if (!read_ && options_.pass_over_unreadable)
      return;
    if (!read_)
      throw std::runtime_error("test support: the client sent a sealed record without keys");
    const Bytes text = content.first(content.size() - tlsconnect::aead_tag_length);
    const Result<> opened =
        read_->open(record.first(tlsconnect::RecordHeader::size), text, content.last(tlsconnect::aead_tag_length));
    if (!opened && options_.pass_over_unreadable)
      return;
    value_of(opened);
    read_early_.reset(); // the client does not go back
    seen.key = client_key_;
  }
  if (header.type == ContentType::application_data) {
    const Bytes text = content.first(content.size() - tlsconnect::aead_tag_length);
    std::size_t size = text.size();
    while (size > 0 && text[size - 1] == 0)
      --size;
    seen.sealed = true;
    seen.inner = text.size();
    seen.type = static_cast<ContentType>(text[size - 1]);
    content = text.first(size - 1);
  }
  seen.content = tlsconnect::to_vector(content);
  take_content(std::move(seen));
}

void ScriptedServer::take_data(const SeenRecord& seen) {
  append(seen.early ? early_received_ : received_, seen.content);
}

void ScriptedServer::take_message(HandshakeType type, BytesView whole) {
  const BytesView body = whole.subspan(4);
  if (type == HandshakeType::client_hello) {
    take_psks(take_hello(whole), whole);
    value_of(transcript_.add(whole));
    return;
  }

  messages_.push_back({type, tlsconnect::to_vector(body), tlsconnect::to_vector(transcript().view())});
  // RFC 9846, 4.5: EndOfEarlyData is the last message under the early key, and comes if early data was accepted.
  if (type == HandshakeType::end_of_early_data) {
    if (!body.empty() || !records_.back().early || !accepts_early_data())
      throw std::runtime_error("test support: the client's EndOfEarlyData is wrong");
    early_data_ended_ = true;
    read_early_.reset();
  } else if (type != HandshakeType::key_update && early_data_ended_ != accepts_early_data()) {
    throw std::runtime_error("test support: the client's EndOfEarlyData is missing");
  }
  if (type == HandshakeType::key_update) {
    client_application_secret_ = value_of(tlsconnect::next_generation(parameters().hash, client_application_secret_));
    read_with(client_application_secret_);
    return;
  }
  if (client_finished_)
    return; // an answer to a late CertificateRequest, which is for the test to judge
  if (type == HandshakeType::finished) {
    const auto expected = value_of(tlsconnect::finished_verify_data(parameters().hash, client_secret_, transcript()));
    if (!tlsconnect::equal(body, expected.view()))
      throw std::runtime_error("test support: the client's Finished is wrong");
    client_finished_ = true;
    read_with(client_application_secret_);
  }
  value_of(transcript_.add(whole));
  if (type == HandshakeType::finished && main_secret_)
    resumption_secret_.emplace(value_of(main_secret_->resumption_secret(transcript())));
}

// ---- pre-shared keys and early data ----

const KnownPsk* ScriptedServer::known_psk(BytesView identity) const {
  for (const KnownPsk& psk : options_.psks)
    if (tlsconnect::equal(psk.identity, identity))
      return &psk;
  return nullptr;
}

void ScriptedServer::take_psks(SeenHello& hello, BytesView whole) {
  read_early_.reset();
  const RawExt* offer = find_extension(hello.extensions, ExtensionType::pre_shared_key);
  const bool early_data = find_extension(hello.extensions, ExtensionType::early_data) != nullptr;
  if (!offer) {
    if (early_data)
      throw std::runtime_error("test support: early data without a pre-shared key");
    return;
  }
  // RFC 9846, 4.2.11 and 4.2.9: the last extension, and not without the modes.
  if (offer != &hello.extensions.back() || !find_extension(hello.extensions, ExtensionType::psk_key_exchange_modes))
    throw std::runtime_error("test support: pre_shared_key is not in its place");
  const auto offered = value_of(tlsconnect::decode<tlsconnect::OfferedPsks>(offer->body));
  if (offered.identities.size() != offered.binders.size())
    throw std::runtime_error("test support: not one binder for each identity");
  std::size_t binders = 2;
  for (const auto& binder : offered.binders)
    binders += 1 + binder.value.size();
  for (std::size_t i = 0; i < offered.identities.size(); ++i) {
    const auto& identity = offered.identities[i];
    hello.psks.push_back({tlsconnect::to_vector(identity.identity), identity.obfuscated_ticket_age,
                          tlsconnect::to_vector(offered.binders[i].value)});
    const KnownPsk* known = known_psk(identity.identity);
    if (!known)
      continue;
    const tlsconnect::SuiteParameters suite = tlsconnect::parameters_of(known->suite).value();
    const auto early = value_of(tlsconnect::EarlySecret::from_psk(suite.hash, known->key));
    const auto truncated = value_of(transcript_.with(suite.hash, whole.first(whole.size() - binders)));
    if (!tlsconnect::equal(value_of(early.binder(known->origin, truncated)).view(), offered.binders[i].value))
      throw std::runtime_error("test support: a binder of the client is wrong");
    if (i == 0 && early_data)
      read_early_.emplace(value_of(tlsconnect::read_protection(
          suite, value_of(early.client_early_traffic_secret(value_of(transcript_.with(suite.hash, whole)))))));
  }
}

bool ScriptedServer::open_early(Bytes record) {
  constexpr std::size_t around = tlsconnect::RecordHeader::size + tlsconnect::aead_tag_length;
  if (!read_early_ || record.size() <= around)
    return false;
  ByteVector copy = tlsconnect::to_vector(record); // what cannot be opened may be spoiled by trying
  const Bytes bytes(copy);
  if (!read_early_->open(bytes.first(tlsconnect::RecordHeader::size),
                         bytes.subspan(tlsconnect::RecordHeader::size, copy.size() - around),
                         bytes.last(tlsconnect::aead_tag_length)))
    return false;
  tlsconnect::copy_bytes(bytes, record);
  return true;
}

std::optional<std::uint16_t> ScriptedServer::selected_psk() const {
  if (options_.decline_psks)
    return std::nullopt;
  if (options_.psk_number)
    return options_.psk_number;
  for (std::size_t i = 0; i < hello().psks.size(); ++i)
    if (const KnownPsk* known = known_psk(hello().psks[i].identity);
        known && tlsconnect::parameters_of(known->suite).value().hash == parameters().hash)
      return static_cast<std::uint16_t>(i);
  return std::nullopt;
}

bool ScriptedServer::accepts_early_data() const {
  return options_.accept_early_data && selected_psk() == 0 &&
         find_extension(hello().extensions, ExtensionType::early_data) != nullptr;
}

ByteVector ScriptedServer::early_exporter(const KnownPsk& psk, std::string_view label, BytesView context,
                                          std::size_t length) const {
  const tlsconnect::HashAlgorithm hash = tlsconnect::parameters_of(psk.suite).value().hash;
  const auto early = value_of(tlsconnect::EarlySecret::from_psk(hash, psk.key));
  const auto digest = value_of(tlsconnect::hash_of(hash, hello().message));
  const auto secret = value_of(early.early_exporter_secret(digest));
  ByteVector out(length);
  value_of(tlsconnect::export_keying_material(hash, secret, label, context, out));
  return out;
}

KnownPsk ScriptedServer::issue_ticket(const TicketDraft& draft) {
  KnownPsk psk{draft.ticket, ByteVector(tlsconnect::hash_length(parameters().hash)), suite()};
  value_of(tlsconnect::ticket_psk(parameters().hash, resumption_secret_.value(), draft.nonce, psk.key));
  send(HandshakeType::new_session_ticket, draft.body());
  return psk;
}

// ---- sending ----

ByteVector TicketDraft::body() const {
  ExtensionList extensions;
  if (max_early_data)
    set_extension(extensions, ExtensionType::early_data, encoded(tlsconnect::EarlyDataLimit{*max_early_data}));
  const ByteVector block = block_of(extensions);
  return encoded(tlsconnect::NewSessionTicket{lifetime, age_add, nonce, ticket, block});
}

void ScriptedServer::run(const Plan& plan) {
  for (const Step& step : plan.steps())
    perform(step, *this);
  flush();
}

void ScriptedServer::send_record(ContentType type, BytesView content, std::size_t padding) {
  if (!write_)
    return send_clear(type, content);
  ByteVector inner = tlsconnect::to_vector(content);
  inner.push_back(static_cast<std::uint8_t>(type));
  inner.resize(inner.size() + padding);
  send_inner(inner);
}

void ScriptedServer::send_inner(BytesView inner) {
  if (!write_)
    throw std::logic_error("test support: no keys to seal with");
  ByteVector record = record_of(ContentType::application_data, inner);
  record.resize(record.size() + tlsconnect::aead_tag_length);
  const std::size_t length = inner.size() + tlsconnect::aead_tag_length;
  record[3] = static_cast<std::uint8_t>(length >> 8);
  record[4] = static_cast<std::uint8_t>(length);
  const Bytes bytes(record);
  value_of(write_->seal(bytes.first(tlsconnect::RecordHeader::size),
                        bytes.subspan(tlsconnect::RecordHeader::size, inner.size()),
                        bytes.last(tlsconnect::aead_tag_length)));
  append(output_, record);
}

void ScriptedServer::send_key_update(std::uint8_t request) {
  send(HandshakeType::key_update, std::array<std::uint8_t, 1>{request});
  advance_write_key();
}

void ScriptedServer::send_ticket() { send(HandshakeType::new_session_ticket, draft_ticket()); }

void ScriptedServer::send_change_cipher_spec() {
  send_clear(ContentType::change_cipher_spec, std::array<std::uint8_t, 1>{1});
}

void ScriptedServer::advance_write_key() {
  server_secret_ = value_of(tlsconnect::next_generation(parameters().hash, server_secret_));
  write_.emplace(value_of(tlsconnect::write_protection(parameters(), server_secret_)));
}

void ScriptedServer::break_write_key() {
  server_secret_.bytes()[0] ^= 1U;
  write_.emplace(value_of(tlsconnect::write_protection(parameters(), server_secret_)));
}

} // namespace test
