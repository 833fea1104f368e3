// The scripted server of TLS 1.2, left alone, makes connections: only then does a refusal in the other tests mean
// anything.
#include <algorithm>
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

TEST_CASE("an honest server of TLS 1.2 and the client make a connection", "[honest12]") {
  Talk12 talk({.quick = false});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  check_data_both_ways(talk);
  const auto& info = talk.client.info();
  CHECK(info.version == ProtocolVersion::tls1_2);
  CHECK(info.peer_chain == std::vector<ByteVector>{server_identity().der()});
  CHECK(info.verification.find("Test Root") != std::string::npos);
  CHECK(info.psk == PskUse::none);
  CHECK(info.extended_main_secret);
  CHECK(info.secure_renegotiation);
  std::vector<std::pair<HandshakeType, bool>> messages;
  for (const auto& message : info.messages.view())
    messages.emplace_back(message.type, message.sent);
  CHECK(messages == std::vector<std::pair<HandshakeType, bool>>{{HandshakeType::client_hello, true},
                                                                {HandshakeType::server_hello, false},
                                                                {HandshakeType::certificate, false},
                                                                {HandshakeType::server_key_exchange, false},
                                                                {HandshakeType::server_hello_done, false},
                                                                {HandshakeType::client_key_exchange, true},
                                                                {HandshakeType::finished, true},
                                                                {HandshakeType::finished, false}});
}

TEST_CASE("TLS 1.2: every suite with every curve", "[honest12]") {
  for (const NamedGroup group :
       {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1})
    for (const auto& [suite, key] : std::vector<std::pair<CipherSuite, KeyType>>{{ecdsa_aes128, KeyType::p256},
                                                                                 {ecdsa_aes256, KeyType::p256},
                                                                                 {ecdsa_chacha, KeyType::p256},
                                                                                 {rsa_aes128, KeyType::rsa2048},
                                                                                 {rsa_aes256, KeyType::rsa2048},
                                                                                 {rsa_chacha, KeyType::rsa2048}}) {
      CAPTURE(name_of(group), name_of(suite));
      Talk12 talk({.server = {.identity = server_identity(key), .suite = suite, .group = group},
                   .configure = [group](auto& builder) {
                     builder.groups(group == NamedGroup::secp256r1 ? std::vector{group}
                                                                   : std::vector{group, NamedGroup::secp256r1});
                   }});
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().cipher_suite == suite);
      CHECK(talk.client.info().group == group);
      check_data_both_ways(talk);
    }
}

TEST_CASE("TLS 1.2: every kind of server key, and every scheme that goes with it", "[honest12]") {
  using enum SignatureScheme;
  const std::vector<std::pair<KeyType, SignatureScheme>> rows = {
      {KeyType::p256, ecdsa_secp256r1_sha256},
      {KeyType::p384, ecdsa_secp384r1_sha384},
      {KeyType::p521, ecdsa_secp521r1_sha512},
      // RFC 5246, 7.4.1.4.1: the hash goes with any curve.
      {KeyType::p256, ecdsa_secp384r1_sha384},
      {KeyType::p256, ecdsa_secp521r1_sha512},
      {KeyType::p384, ecdsa_secp256r1_sha256},
      {KeyType::p521, ecdsa_secp256r1_sha256},
      {KeyType::ed25519, ed25519},
      {KeyType::ed448, ed448},
      {KeyType::rsa2048, rsa_pss_rsae_sha256},
      {KeyType::rsa2048, rsa_pss_rsae_sha384},
      {KeyType::rsa2048, rsa_pss_rsae_sha512},
      {KeyType::rsa2048, rsa_pkcs1_sha256},
      {KeyType::rsa2048, rsa_pkcs1_sha384},
      {KeyType::rsa2048, rsa_pkcs1_sha512},
      {KeyType::rsa_pss2048, rsa_pss_pss_sha256},
      {KeyType::rsa_pss2048, rsa_pss_pss_sha384},
      {KeyType::rsa_pss2048, rsa_pss_pss_sha512},
  };
  for (const auto& [key, scheme] : rows) {
    CAPTURE(static_cast<int>(key), name_of(scheme));
    Talk12 talk({.server = {.identity = server_identity(key), .scheme = scheme},
                 .configure =
                     [&scheme](auto& builder) {
                       builder.signature_schemes({scheme});
                       builder.groups(
                           {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1});
                     },
                 .quick = key != KeyType::rsa_pss2048});
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().signature_scheme == scheme);
  }
}

TEST_CASE("TLS 1.2: pre-shared keys, with and without a key exchange beside them", "[honest12]") {
  using enum CipherSuite;
  for (const CipherSuite suite :
       {ecdhe_psk_aes_128_gcm_sha256, ecdhe_psk_aes_256_gcm_sha384, ecdhe_psk_chacha20_poly1305_sha256,
        psk_aes_128_gcm_sha256, psk_aes_256_gcm_sha384, psk_chacha20_poly1305_sha256})
    for (const bool hint : {false, true}) {
      CAPTURE(name_of(suite), hint);
      const auto hash = tlsconnect::parameters12_of(suite)->hash;
      ServerOptions12 server = {.psk = shared_psk()};
      if (hint)
        server.psk_hint = "which one";
      Talk12 talk({.server = server, .configure = with_psk({suite}, hash)});
      CHECK(talk.plan.has("ServerKeyExchange") == (hint || tlsconnect::parameters12_of(suite)->ephemeral));
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      CHECK(talk.client.info().psk == PskUse::external);
      CHECK(talk.client.info().external_psk == 0);
      CHECK(talk.client.info().cipher_suite == suite);
      CHECK(talk.client.info().peer_chain.empty());
      check_data_both_ways(talk);
    }
}

TEST_CASE("TLS 1.2: without the extended main secret, for those who allow that", "[honest12]") {
  Talk12 talk({.server = {.extended_main_secret = false}, .configure = without_extended_main_secret});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(!talk.client.info().extended_main_secret);
  check_data_both_ways(talk);
  Talk12 with({.configure = without_extended_main_secret});
  with.handshake();
  CHECK(outcome_of(with) == connected());
  CHECK(with.client.info().extended_main_secret);
}

TEST_CASE("TLS 1.2: a server that answers every extension, and one that answers none", "[honest12]") {
  Talk12 all({.server = {.acknowledge_server_name = true,
                         .alpn = "h2",
                         .ocsp_response = ByteVector(50, 0x0C),
                         .sct_list = ByteVector{0, 5, 0, 3, 7, 8, 9},
                         .ticket = ByteVector(40, 1)},
              .configure = [](auto& builder) {
                builder.alpn({"h2", "http/1.1"}).status_request(true).signed_certificate_timestamps(true);
              }});
  REQUIRE(all.plan.has("CertificateStatus"));
  REQUIRE(all.plan.has("NewSessionTicket"));
  all.handshake();
  CHECK(outcome_of(all) == connected());
  CHECK(all.client.info().application_protocol == "h2");
  REQUIRE(all.client.info().peer_status.size() == 1);
  CHECK(all.client.info().peer_status.front().ocsp_response == ByteVector(50, 0x0C));
  CHECK(all.client.info().peer_status.front().sct_list == ByteVector{0, 5, 0, 3, 7, 8, 9});
  check_data_both_ways(all);

  Talk12 none({.server = {.extended_main_secret = false, .renegotiation_info = false, .point_formats = false},
               .configure = without_extended_main_secret});
  none.plan["ServerHello"].edit_hello([](HelloDraft& draft) { CHECK(!draft.extensions); });
  none.handshake();
  CHECK(outcome_of(none) == connected());
  CHECK(!none.client.info().secure_renegotiation);
  check_data_both_ways(none);
  // An empty block is none.
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan["ServerHello"].edit_hello([](HelloDraft& draft) { draft.extensions = ExtensionList(); });
            },
            {.server = {.extended_main_secret = false}, .configure = without_extended_main_secret}) == connected());
}

TEST_CASE("a client of both versions takes a server of TLS 1.2", "[honest12]") {
  for (const bool compatibility : {false, true}) {
    CAPTURE(compatibility);
    Talk12 talk({.configure = [compatibility](auto& builder) {
      both_versions(builder);
      builder.compatibility_mode(compatibility);
    }});
    CHECK(talk.server.hello().fields.legacy_session_id.size() == (compatibility ? 32 : 0));
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().version == ProtocolVersion::tls1_2);
    check_data_both_ways(talk);
  }
}

TEST_CASE("TLS 1.2: the bytes may come in any pieces", "[honest12]") {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{100}})
    for (const std::size_t fragment : {std::size_t{1}, std::size_t{3}, std::size_t{16'384}}) {
      CAPTURE(chunk, fragment);
      Talk12 talk;
      talk.chunk = chunk;
      for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "Finished"})
        talk.plan[name].fragment = fragment;
      talk.handshake();
      CHECK(outcome_of(talk) == connected());
      check_data_both_ways(talk);
    }
}

TEST_CASE("TLS 1.2: a whole flight may share a record", "[honest12]") {
  CHECK(handshake12_with([](Plan12& plan) {
          for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange"})
            plan[name].joined = true;
        }) == connected());
}

TEST_CASE("TLS 1.2: the client's flight is one write, and its records say the version", "[honest12]") {
  Talk12 talk;
  talk.server.run(talk.plan);
  talk.to_client();
  const std::size_t size = talk.client.pending_output().size();
  CHECK(size > 0);
  talk.client.sent(0);
  talk.to_server();
  CHECK(talk.client.pending_output().empty());
  std::vector<ContentType> types;
  for (const SeenRecord& record : talk.server.records())
    types.push_back(record.type);
  CHECK(types == std::vector<ContentType>{ContentType::handshake, ContentType::handshake,
                                          ContentType::change_cipher_spec, ContentType::handshake});
  CHECK(talk.server.records()[0].version == 0x0301);
  for (std::size_t i = 1; i < 4; ++i)
    CHECK(talk.server.records()[i].version == 0x0303);
  CHECK(talk.server.records()[3].sealed);
  talk.exchange();
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("TLS 1.2: large data both ways is cut into records", "[honest12]") {
  for (const CipherSuite suite : {ecdsa_aes128, ecdsa_chacha}) {
    Talk12 talk({.server = {.suite = suite}});
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    const std::string text(100'000, 'x');
    REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes(text)));
    for (std::size_t at = 0; at < text.size(); at += 16'384)
      talk.server.send_data(text.substr(at, 16'384));
    talk.exchange();
    CHECK(tlsconnect::as_text(talk.server.received()) == text);
    CHECK(tlsconnect::as_text(talk.received) == text);
    CHECK(outcome_of(talk) == connected());
  }
}

TEST_CASE("TLS 1.2: close_notify, both ways", "[honest12]") {
  Talk12 talk;
  talk.handshake();
  talk.server.send_data("last");
  talk.server.send_alert(Alert::close_notify, 1);
  talk.server.send_data("nothing that comes after it counts");
  talk.exchange();
  CHECK(talk.client.peer_closed());
  CHECK(tlsconnect::as_text(talk.received) == "last");
  REQUIRE(talk.client.encrypt_all(tlsconnect::as_bytes("still")));
  REQUIRE(talk.client.close_notify());
  talk.exchange();
  CHECK(tlsconnect::as_text(talk.server.received()) == "still");
  REQUIRE(talk.server.alerts().size() == 1);
  CHECK(talk.server.alerts()[0].description == Alert::close_notify);
  CHECK(talk.server.alerts()[0].level == 1);
  CHECK(talk.server.alerts()[0].sealed);
}
