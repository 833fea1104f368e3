// What the server receives, the records it sends, and pre-shared keys.
#include "scripted_server.hpp"

#include <algorithm>
#include <array>

namespace test {

using tlsconnect::Result;

// ---- receiving ----

ScriptedServer::ScriptedServer(ServerOptions options) : options_(std::move(options)), rng_(options_.seed) {}

void ScriptedServer::feed(BytesView bytes) {
  append(input_, bytes);
  std::size_t used = 0;
  while (input_.size() - used >= tlsconnect::RecordHeader::size) {
    const Bytes rest = Bytes(input_).subspan(used);
    const auto header = tlsconnect::RecordHeader::parse(rest.first<tlsconnect::RecordHeader::size>());
    const std::size_t size = tlsconnect::RecordHeader::size + header.length;
    if (rest.size() < size)
      break;
    take_record(header, rest.first(size));
    used += size;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
}

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
  records_.push_back(seen);

  switch (seen.type) {
  case ContentType::handshake:
    return take_handshake(seen.content);
  case ContentType::alert:
    if (seen.content.size() != 2)
      throw std::runtime_error("test support: the client's alert is malformed");
    alerts_.push_back({seen.content[0], static_cast<AlertDescription>(seen.content[1]), seen.sealed});
    return;
  case ContentType::application_data:
    return append(seen.early ? early_received_ : received_, seen.content);
  case ContentType::change_cipher_spec:
    if (seen.sealed || seen.content != ByteVector{1})
      throw std::runtime_error("test support: the client's change_cipher_spec is wrong");
    return;
  case ContentType::invalid:
    break;
  }
  throw std::runtime_error("test support: the client sent a record of an unknown type");
}

void ScriptedServer::take_handshake(BytesView content) {
  append(handshake_input_, content);
  while (handshake_input_.size() >= 4) {
    const std::size_t size =
        4 + static_cast<std::size_t>((handshake_input_[1] << 16) | (handshake_input_[2] << 8) | handshake_input_[3]);
    if (handshake_input_.size() < size)
      return;
    const ByteVector message(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    handshake_input_.erase(handshake_input_.begin(), handshake_input_.begin() + static_cast<std::ptrdiff_t>(size));
    take_message(static_cast<HandshakeType>(message[0]), message);
  }
}

void ScriptedServer::take_message(HandshakeType type, BytesView whole) {
  const BytesView body = whole.subspan(4);
  if (type == HandshakeType::client_hello) {
    SeenHello seen;
    seen.message = tlsconnect::to_vector(whole);
    seen.fields = value_of(tlsconnect::decode<tlsconnect::ClientHello>(BytesView(seen.message).subspan(4)));
    seen.extensions = split_block(seen.fields.extensions);
    if (const RawExt* shares = find_extension(seen.extensions, ExtensionType::key_share)) {
      const auto decoded = value_of(tlsconnect::decode<tlsconnect::OfferedKeyShares>(shares->body));
      for (const tlsconnect::KeyShareEntry& entry : decoded.client_shares)
        seen.shares.emplace_back(entry.group, tlsconnect::to_vector(entry.key_exchange));
    }
    take_psks(seen, whole);
    hellos_.push_back(std::move(seen));
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

void ScriptedServer::run(const Plan& plan) {
  for (const Step& step : plan.steps()) {
    if (step.action) {
      step.action(*this);
      continue;
    }
    const ByteVector message = framed(step.type, step.body(*this));
    if (step.in_transcript)
      value_of(transcript_.add(message));
    append(pending_, message);
    if (!step.joined)
      flush(step.fragment, step.padding);
  }
  flush(16'384, 0);
}

void ScriptedServer::flush(std::size_t fragment, std::size_t padding) {
  const ByteVector pending = std::exchange(pending_, {});
  for (BytesView rest = pending; !rest.empty();) {
    const std::size_t count = std::min(fragment, rest.size());
    send_record(ContentType::handshake, rest.first(count), padding);
    rest = rest.subspan(count);
  }
}

void ScriptedServer::send(HandshakeType type, BytesView body, std::size_t fragment) {
  append(pending_, framed(type, body));
  flush(fragment, 0);
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

void ScriptedServer::send_clear(ContentType type, BytesView content, std::uint16_t version) {
  append(output_, record_of(type, content, version));
}

void ScriptedServer::send_raw(BytesView bytes) { append(output_, bytes); }

void ScriptedServer::send_data(std::string_view text) {
  send_record(ContentType::application_data, tlsconnect::as_bytes(text));
}

void ScriptedServer::send_alert(AlertDescription description, std::uint8_t level) {
  const std::array<std::uint8_t, 2> content{level, static_cast<std::uint8_t>(description)};
  send_record(ContentType::alert, content);
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
