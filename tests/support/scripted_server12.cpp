// The TLS 1.2 server: what it receives, its keys, and the records that it sends.
#include "scripted_server12.hpp"

#include <stdexcept>

namespace test {

ScriptedServer12::ScriptedServer12(ServerOptions12 options) : ScriptedEnd(options.seed), options_(std::move(options)) {}

void ScriptedServer12::usual_client(tlsconnect::ClientConfig::Builder& builder, bool quick) {
  builder.versions({ProtocolVersion::tls1_2});
  // RFC 8422, 5.3: the curve of the server's key must be one of those, too.
  if (quick)
    builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
}

// ---- receiving ----

void ScriptedServer12::take_record(const tlsconnect::RecordHeader& header, Bytes record) {
  SeenRecord seen;
  seen.outer = header.type;
  seen.version = header.legacy_version;
  seen.type = header.type;
  Bytes content = record.subspan(tlsconnect::RecordHeader::size);
  if (read_) {
    content = value_of(read_->open(header.type, content));
    seen.sealed = true;
    seen.key = 1;
    seen.inner = content.size();
  }
  seen.content = tlsconnect::to_vector(content);
  take_content(std::move(seen));
}

void ScriptedServer12::take_change_cipher_spec() {
  if (!main_secret_ || read_)
    throw std::runtime_error("test support: the client's change_cipher_spec is out of place");
  const tlsconnect::KeyBlock12 block = key_block();
  read_.emplace(
      value_of(tlsconnect::read_protection12(parameters().aead, block.client_key.view(), block.client_iv.view())));
}

void ScriptedServer12::take_message(HandshakeType type, BytesView whole) {
  if (type == HandshakeType::client_hello) {
    if (!hellos_.empty())
      throw std::runtime_error("test support: the client says hello again");
    (void)take_hello(whole);
    return value_of(transcript_.add(whole));
  }
  const BytesView body = whole.subspan(4);
  messages_.push_back({type, tlsconnect::to_vector(body), transcript_messages()});
  if (type == HandshakeType::finished) {
    if (!read_)
      throw std::runtime_error("test support: the client's Finished is not protected");
    const auto expected = value_of(main_secret().client_finished(transcript()));
    if (!tlsconnect::equal(body, expected))
      throw std::runtime_error("test support: the client's Finished is wrong");
    client_verify_data_ = tlsconnect::to_vector(body);
    client_finished_ = true;
  }
  value_of(transcript_.add(whole));
  if (type == HandshakeType::client_key_exchange)
    take_client_key_exchange(body);
  if (type == HandshakeType::finished && waiting_)
    proceed();
}

void ScriptedServer12::take_client_key_exchange(BytesView body) {
  const tlsconnect::SuiteParameters12 suite = parameters();
  BytesView point;
  if (suite.authentication != tlsconnect::Authentication12::psk) {
    point = value_of(tlsconnect::decode<tlsconnect::ClientKeyExchangeEcdhe>(body)).point;
  } else {
    BytesView identity;
    if (suite.ephemeral) {
      const auto exchange = value_of(tlsconnect::decode<tlsconnect::ClientKeyExchangeEcdhePsk>(body));
      identity = exchange.psk_identity;
      point = exchange.point;
    } else {
      identity = value_of(tlsconnect::decode<tlsconnect::ClientKeyExchangePsk>(body)).psk_identity;
    }
    if (tlsconnect::as_text(identity) != options_.psk_identity)
      throw std::runtime_error("test support: the client's psk_identity is another one");
  }
  ByteVector shared;
  if (suite.ephemeral)
    shared = tlsconnect::to_vector(value_of(std::move(key_.value()).agree(key_group_, point)).view());
  const auto premaster = suite.authentication == tlsconnect::Authentication12::psk
                             ? tlsconnect::psk_premaster_secret(options_.psk.value(), shared)
                             : tlsconnect::PremasterSecret(BytesView(shared));
  main_secret_.emplace(value_of(extended_main_secret()
                                    ? tlsconnect::MainSecret12::extended(suite.hash, premaster, transcript())
                                    : tlsconnect::MainSecret12::from_randoms(suite.hash, premaster, randoms_)));
}

tlsconnect::Digest ScriptedServer12::transcript() {
  value_of(transcript_.start(parameters().hash, true));
  return value_of(transcript_.current());
}

ByteVector ScriptedServer12::transcript_messages() {
  value_of(transcript_.start(parameters().hash, true));
  return tlsconnect::to_vector(transcript_.messages());
}

// ---- sending ----

void ScriptedServer12::run(const Plan12& plan) {
  todo_.assign(plan.steps().begin(), plan.steps().end());
  go_on();
}

void ScriptedServer12::proceed() {
  if (!std::exchange(waiting_, false))
    throw std::logic_error("test support: the server does not wait");
  todo_.pop_front();
  go_on();
}

void ScriptedServer12::go_on() {
  for (; !todo_.empty(); todo_.pop_front()) {
    if (todo_.front().waits && !client_finished_) {
      waiting_ = true;
      break;
    }
    if (!todo_.front().waits)
      perform(todo_.front(), *this);
  }
  flush();
}

ByteVector ScriptedServer12::sealed_record(ContentType type, BytesView content) {
  if (!write_)
    throw std::logic_error("test support: no keys to seal with");
  ByteVector record = record_of(type, content);
  const std::size_t carried = write_->overhead() - tlsconnect::aead_tag_length;
  record.insert(record.begin() + tlsconnect::RecordHeader::size, carried, 0);
  record.resize(record.size() + tlsconnect::aead_tag_length);
  const std::size_t length = content.size() + write_->overhead();
  record[3] = static_cast<std::uint8_t>(length >> 8);
  record[4] = static_cast<std::uint8_t>(length);
  value_of(write_->seal(type, Bytes(record).subspan(tlsconnect::RecordHeader::size)));
  return record;
}

void ScriptedServer12::send_record(ContentType type, BytesView content, std::size_t /*padding*/) {
  if (!write_)
    return send_clear(type, content);
  send_raw(sealed_record(type, content));
}

tlsconnect::KeyBlock12 ScriptedServer12::key_block() {
  if (!main_secret_)
    main_secret_.emplace(value_of(tlsconnect::MainSecret12::of_session(parameters().hash, ByteVector(48))));
  return value_of(tlsconnect::KeyBlock12::derive(parameters(), main_secret_->view(), randoms_));
}

void ScriptedServer12::start_write_keys() {
  const tlsconnect::KeyBlock12 block = key_block();
  write_.emplace(
      value_of(tlsconnect::write_protection12(parameters().aead, block.server_key.view(), block.server_iv.view())));
}

void ScriptedServer12::break_write_key() {
  tlsconnect::KeyBlock12 block = key_block();
  block.server_key.bytes()[0] ^= 1U;
  write_.emplace(
      value_of(tlsconnect::write_protection12(parameters().aead, block.server_key.view(), block.server_iv.view())));
}

} // namespace test
