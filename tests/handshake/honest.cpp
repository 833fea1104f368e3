// The scripted server, left alone, makes connections: only then does a refusal in the other tests mean anything.
#include <algorithm>
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

void check_data_both_ways(Talk& talk) {
  talk.server.send_data("from the server");
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("from the client")));
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.received) == "from the server");
  CHECK(tlsconnect::as_text(talk.server.received()) == "from the client");
}

} // namespace

TEST_CASE("an honest server and the client make a connection", "[honest]") {
  Talk talk({.quick = false});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  check_data_both_ways(talk);
  CHECK(talk.client.info().peer_chain == std::vector<ByteVector>{server_identity().der()});
}

TEST_CASE("every suite with every group", "[honest]") {
  const std::vector<NamedGroup> groups = {
      NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768, NamedGroup::secp384r1_mlkem1024, NamedGroup::x25519,
      NamedGroup::secp256r1,       NamedGroup::secp384r1,          NamedGroup::secp521r1,
  };
  for (const NamedGroup group : groups)
    for (const CipherSuite suite :
         {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
      CAPTURE(name_of(group), name_of(suite));
      Talk talk({.server = {.suite = suite}, .configure = [group](auto& builder) { builder.groups({group}); }});
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().cipher_suite == suite);
      CHECK(talk.client.info().group == group);
      CHECK(talk.client.info().version == ProtocolVersion::tls1_3);
      check_data_both_ways(talk);
    }
}

TEST_CASE("the elliptic curve of a hybrid serves by itself too", "[honest]") {
  Talk talk({.server = {.group = NamedGroup::x25519}, .configure = plain, .quick = false});
  REQUIRE(talk.server.hello().shares.size() == 2);
  CHECK(talk.server.hello().shares[0].first == NamedGroup::x25519_mlkem768);
  CHECK(talk.server.hello().shares[1].first == NamedGroup::x25519);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().group == NamedGroup::x25519);
}

TEST_CASE("every kind of server key", "[honest]") {
  const std::vector<std::pair<KeyType, SignatureScheme>> rows = {
      {KeyType::p256, SignatureScheme::ecdsa_secp256r1_sha256},
      {KeyType::p384, SignatureScheme::ecdsa_secp384r1_sha384},
      {KeyType::p521, SignatureScheme::ecdsa_secp521r1_sha512},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha256},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha384},
      {KeyType::rsa2048, SignatureScheme::rsa_pss_rsae_sha512},
      {KeyType::ed25519, SignatureScheme::ed25519},
      {KeyType::ed448, SignatureScheme::ed448},
      {KeyType::mldsa44, SignatureScheme::mldsa44},
      {KeyType::mldsa65, SignatureScheme::mldsa65},
      {KeyType::mldsa87, SignatureScheme::mldsa87},
  };
  for (const auto& [key, scheme] : rows) {
    CAPTURE(name_of(scheme));
    if (!is_available(key))
      continue;
    Talk talk({.server = {.identity = server_identity(key), .scheme = scheme}, .quick = false});
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().signature_scheme == scheme);
  }
}

TEST_CASE("the bytes may come in any pieces", "[honest]") {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{100}})
    for (const std::size_t fragment : {std::size_t{1}, std::size_t{3}, std::size_t{16'384}}) {
      CAPTURE(chunk, fragment);
      Talk talk;
      talk.chunk = chunk;
      for (const char* name : {"ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"})
        talk.plan[name].fragment = fragment;
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      check_data_both_ways(talk);
    }
}

TEST_CASE("several messages may share a record, up to where the keys change", "[honest]") {
  CHECK(handshake_with([](Plan& plan) {
          for (const char* name : {"EncryptedExtensions", "Certificate", "CertificateVerify"})
            plan[name].joined = true;
        }) == connected());
  // And a message may begin in the record that ends the one before.
  CHECK(handshake_with([](Plan& plan) {
          for (const char* name : {"EncryptedExtensions", "Certificate", "CertificateVerify"})
            plan[name].joined = true;
          plan["Finished"].fragment = 37;
        }) == connected());
}

TEST_CASE("the same seeds make the same bytes", "[honest]") {
  const auto hello = [](std::uint64_t seed) { return Talk({.quick = false, .seed = seed}).server.hello().message; };
  CHECK(hello(1) == hello(1));
  CHECK(hello(1) != hello(2));
}

TEST_CASE("the facts of a connection", "[honest]") {
  Talk talk({.server = {.request_certificate = true}, .quick = false});
  talk.server.run(talk.plan);
  const ByteVector flight = talk.server.take_output();
  std::size_t records = 0;
  for (std::size_t place = 0; place < flight.size(); ++records)
    place += 5 + static_cast<std::size_t>((flight[place + 3] << 8) | flight[place + 4]);
  talk.deliver(flight);
  const std::size_t to_server = talk.client.pending_output().size();
  talk.to_server();
  REQUIRE(outcome_of(talk) == connected());
  const auto& info = talk.client.info();
  CHECK(info.verification.find("Test Root") != std::string::npos);
  CHECK(info.bytes_received == flight.size());
  CHECK(info.records_received == records);
  CHECK(info.records_sent == talk.server.records().size());
  const std::size_t hello = 5 + talk.server.hello().message.size();
  CHECK(info.bytes_sent == hello + to_server);
  std::vector<std::pair<HandshakeType, bool>> messages;
  for (const auto& message : info.messages.view())
    messages.emplace_back(message.type, message.sent);
  CHECK(messages == std::vector<std::pair<HandshakeType, bool>>{{HandshakeType::client_hello, true},
                                                                {HandshakeType::server_hello, false},
                                                                {HandshakeType::encrypted_extensions, false},
                                                                {HandshakeType::certificate_request, false},
                                                                {HandshakeType::certificate, false},
                                                                {HandshakeType::certificate_verify, false},
                                                                {HandshakeType::finished, false},
                                                                {HandshakeType::certificate, true},
                                                                {HandshakeType::finished, true}});
  CHECK(info.messages[0].size == talk.server.hello().message.size());
}

TEST_CASE("an engine that was moved away does nothing, and says so", "[honest]") {
  Talk talk;
  talk.handshake();
  tlsconnect::ClientEngine other = std::move(talk.client);
  tlsconnect::ClientEngine& gone = talk.client;
  REQUIRE(gone.failure() != nullptr);
  CHECK(gone.failure()->code() == ErrorCode::not_connected);
  CHECK(gone.receive_buffer().empty());
  CHECK(gone.pending_output().empty());
  CHECK(gone.plaintext().empty());
  CHECK(gone.received(0).error().code() == ErrorCode::not_connected);
  CHECK(gone.encrypt(tlsconnect::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(gone.encrypt_all(tlsconnect::as_bytes("x")).error().code() == ErrorCode::not_connected);
  CHECK(gone.close_notify().error().code() == ErrorCode::not_connected);
  gone.received_end();
  gone.sent(0);
  gone.consume(0);
  gone.release_buffers();
  CHECK(!gone.handshake_complete());
  CHECK(!gone.peer_closed());
  CHECK(!gone.truncated());
  CHECK(gone.info().messages.empty());
  // The connection itself has moved along.
  CHECK(other.handshake_complete());
  CHECK(other.encrypt_all(tlsconnect::as_bytes("x")));
  CHECK(!other.pending_output().empty());
}

TEST_CASE("buffers can be given back at any time", "[honest]") {
  Talk talk;
  talk.server.run(talk.plan);
  const ByteVector flight = talk.server.take_output();
  for (const std::uint8_t& byte : flight) {
    talk.deliver(BytesView(&byte, 1));
    talk.client.release_buffers();
  }
  talk.to_server();
  CHECK(outcome_of(talk) == connected());
  check_data_both_ways(talk);
  // Not while somebody looks at what is in them.
  talk.server.send_data("look");
  const ByteVector record = talk.server.take_output();
  const Bytes room = talk.client.receive_buffer();
  tlsconnect::copy_bytes(record, room);
  REQUIRE(talk.client.received(record.size()));
  talk.client.release_buffers();
  CHECK(tlsconnect::as_text(talk.client.plaintext()) == "look");
}
