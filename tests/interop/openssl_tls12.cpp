// TLS 1.2 with OpenSSL: a server that speaks nothing newer, and one that could.
#include "features.hpp"
#include "openssl_server.hpp"

using namespace interop;
using tc::ProtocolVersion;
using tc::PskUse;

namespace {

/// A handshake followed by data both ways, and the server's own report of it.
struct Visit {
  tc::ConnectionInfo info;
  std::string page;
  [[nodiscard]] bool server_resumed() const { return contains(page, "Reused, TLSv1.2"); }
};
Visit visit(const OpensslServer& server, const tc::ClientConfig::Builder& builder, std::string_view name = host) {
  TcpStream stream = connected(server.port(), builder, name);
  std::string page = status_page(stream);
  CHECK(contains(page, "Protocol  : TLSv1.2"));
  CHECK(stream.info().version == ProtocolVersion::tls1_2);
  CHECK(stream.info().extended_main_secret);
  CHECK(stream.info().secure_renegotiation);
  CHECK(contains(page, "Extended master secret: yes"));
  return {stream.info(), std::move(page)};
}

/// A server of TLS 1.2 alone.
OpensslServer tls12_server(std::vector<std::string> more = {"-www"}, test::KeyType key = test::KeyType::p256) {
  more.emplace_back("-tls1_2");
  return OpensslServer({.identity = leaf(key), .more = std::move(more)});
}

tc::ClientConfig::Builder only_tls12() { return client().versions({ProtocolVersion::tls1_2}); }

struct Suite {
  CipherSuite suite;
  const char* openssl;
  test::KeyType key;
};
constexpr Suite suites12[] = {
    {CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256, "ECDHE-ECDSA-AES128-GCM-SHA256", test::KeyType::p256},
    {CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384, "ECDHE-ECDSA-AES256-GCM-SHA384", test::KeyType::p256},
    {CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256, "ECDHE-ECDSA-CHACHA20-POLY1305", test::KeyType::p256},
    {CipherSuite::ecdhe_rsa_aes_128_gcm_sha256, "ECDHE-RSA-AES128-GCM-SHA256", test::KeyType::rsa2048},
    {CipherSuite::ecdhe_rsa_aes_256_gcm_sha384, "ECDHE-RSA-AES256-GCM-SHA384", test::KeyType::rsa2048},
    {CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256, "ECDHE-RSA-CHACHA20-POLY1305", test::KeyType::rsa2048},
};

} // namespace

TEST_CASE("openssl, TLS 1.2: every cipher suite, offered with TLS 1.3 and alone") {
  for (const Suite& item : suites12) {
    INFO(name_of(item.suite));
    const OpensslServer server = tls12_server({"-www", "-cipher", item.openssl}, item.key);
    for (const bool alone : {false, true}) {
      INFO("alone: " << alone);
      const Visit seen = visit(server, alone ? only_tls12() : client());
      CHECK(seen.info.cipher_suite == item.suite);
      CHECK(contains(seen.page, std::string("Cipher is ") + item.openssl));
    }
  }
}

TEST_CASE("openssl, TLS 1.2: every curve, and every signature scheme") {
  struct Curve {
    NamedGroup group;
    const char* name;
  };
  for (const Curve& item : {Curve{NamedGroup::x25519, "X25519"}, Curve{NamedGroup::secp256r1, "P-256"},
                            Curve{NamedGroup::secp384r1, "P-384"}, Curve{NamedGroup::secp521r1, "P-521"}}) {
    INFO(item.name);
    const OpensslServer server = tls12_server({"-www", "-groups", item.name}, test::KeyType::rsa2048);
    CHECK(visit(server, client()).info.group == item.group);
  }
  struct Scheme {
    SignatureScheme scheme;
    test::KeyType key;
  };
  for (const Scheme& item : {Scheme{SignatureScheme::ecdsa_secp256r1_sha256, test::KeyType::p256},
                             Scheme{SignatureScheme::ecdsa_secp384r1_sha384, test::KeyType::p384},
                             Scheme{SignatureScheme::ecdsa_secp521r1_sha512, test::KeyType::p521},
                             // In TLS 1.2 the curve does not go with the hash.
                             Scheme{SignatureScheme::ecdsa_secp384r1_sha384, test::KeyType::p256},
                             Scheme{SignatureScheme::rsa_pss_rsae_sha256, test::KeyType::rsa2048},
                             Scheme{SignatureScheme::rsa_pss_rsae_sha512, test::KeyType::rsa2048},
                             Scheme{SignatureScheme::rsa_pss_pss_sha256, test::KeyType::rsa_pss2048},
                             Scheme{SignatureScheme::rsa_pkcs1_sha256, test::KeyType::rsa2048},
                             Scheme{SignatureScheme::rsa_pkcs1_sha384, test::KeyType::rsa2048},
                             Scheme{SignatureScheme::rsa_pkcs1_sha512, test::KeyType::rsa2048},
                             Scheme{SignatureScheme::ed25519, test::KeyType::ed25519},
                             Scheme{SignatureScheme::ed448, test::KeyType::ed448}}) {
    INFO(name_of(item.scheme));
    const OpensslServer server = tls12_server({"-www"}, item.key);
    CHECK(visit(server, only_tls12().signature_schemes({item.scheme})).info.signature_scheme == item.scheme);
    (void)visit(server, client());
  }
}

TEST_CASE("openssl, TLS 1.2: application protocols, server names, refusals") {
  const OpensslServer server = tls12_server({"-www", "-alpn", "h2,http/1.1"});
  CHECK(visit(server, client().alpn({"http/1.1", "h2"})).info.application_protocol == "h2");
  CHECK(visit(server, client()).info.application_protocol.empty());
  const tc::Error error = refused(connector(server.port(), client(), "other.tlsconnect.test"));
  CHECK(error.code() == ErrorCode::certificate_name_mismatch);
  // A client that does not offer the version.
  const tc::Error older = refused(connector(server.port(), client().versions({ProtocolVersion::tls1_3})));
  CHECK(older.code() == ErrorCode::alert_received);
  CHECK(older.alert_received() == AlertDescription::protocol_version);
  // And a server that speaks the newer version only.
  const OpensslServer newer({.more = {"-www", "-tls1_3"}});
  const tc::Error newest = refused(connector(newer.port(), only_tls12()));
  CHECK(newest.code() == ErrorCode::alert_received);
  CHECK(newest.alert_received() == AlertDescription::protocol_version);
}

TEST_CASE("openssl, TLS 1.2: a client that offers it alone gets it from a server that could do more") {
  const OpensslServer server({.more = {"-www"}});
  (void)visit(server, only_tls12());
}

TEST_CASE("openssl, TLS 1.2: resumption by ticket and by session id") {
  for (const bool ticket : {true, false}) {
    INFO("ticket: " << ticket);
    const OpensslServer server =
        tls12_server(ticket ? std::vector<std::string>{"-www"} : std::vector<std::string>{"-www", "-no_ticket"});
    for (const bool alone : {false, true}) {
      INFO("alone: " << alone);
      const auto store = std::make_shared<ByteStore>();
      const auto builder = (alone ? only_tls12() : client()).session_store(store);
      const Visit first = visit(server, builder);
      CHECK(first.info.psk == PskUse::none);
      CHECK_FALSE(first.server_resumed());
      REQUIRE(store->size() == 1);
      for (int round = 0; round < 3; ++round) {
        INFO("round " << round);
        const Visit next = visit(server, builder);
        CHECK(next.info.resumed());
        CHECK(next.server_resumed());
        CHECK(next.info.cipher_suite == first.info.cipher_suite);
        CHECK(next.info.peer_chain == first.info.peer_chain);
        CHECK(next.info.signature_scheme == first.info.signature_scheme);
        CHECK(store->size() == 1);
      }
      CHECK(store->broken() == 0);
    }
  }
}

TEST_CASE("openssl, TLS 1.2: a server that does not know the session makes a new one") {
  for (const bool ticket : {true, false}) {
    INFO("ticket: " << ticket);
    const std::vector<std::string> more =
        ticket ? std::vector<std::string>{"-www"} : std::vector<std::string>{"-www", "-no_ticket"};
    const auto store = std::make_shared<ByteStore>();
    const auto builder = client().session_store(store);
    (void)visit(tls12_server(more), builder);
    REQUIRE(store->size() == 1);
    const OpensslServer other = tls12_server(more);
    const Visit declined = visit(other, builder);
    CHECK_FALSE(declined.info.resumed());
    CHECK_FALSE(declined.server_resumed());
    REQUIRE(store->size() == 1);
    CHECK(visit(other, builder).server_resumed());
  }
}

TEST_CASE("openssl, TLS 1.2: client certificates of every kind of key, signed at once and later") {
  const TempFolder folder;
  const std::string roots = folder.write("roots.pem", ClientPki::instance().root.pem());
  const OpensslServer server = tls12_server(
      {"-www", "-Verify", "3", "-CAfile", roots, "-verify_return_error", "-attime", std::to_string(test::now)});
  for (const test::KeyType type : every_client_key) {
    INFO(name_of_key(type));
    const test::Identity identity = client_identity(type);
    const tc::Credential at_once = credential(identity);
    for (const SignatureScheme scheme : at_once.schemes()) {
      INFO(name_of(scheme));
      const auto narrowed = at_once.with_signature_schemes(std::vector<SignatureScheme>{scheme});
      REQUIRE(narrowed.has_value());
      const Visit seen = visit(server, client().credentials({*narrowed}).session_store(nullptr));
      CHECK(seen.info.client_certificate_sent);
      CHECK(seen.info.certificate_requested);
    }
    TcpStream later = connected_signing(
        connector(server.port(), client().credentials({credential_that_signs_later(identity)})), private_key(identity));
    CHECK(contains(status_page(later), "TLSv1.2"));
    CHECK(later.info().client_certificate_sent);
  }
  // Without one that fits, there is an empty list, and this server's refusal.
  const tc::Error error = refused(connector(server.port(), client()));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::handshake_failure);
}

TEST_CASE("openssl, TLS 1.2: an ECDSA key signs with the hash that the server lists, whatever its curve") {
  const TempFolder folder;
  const std::string roots = folder.write("roots.pem", ClientPki::instance().root.pem());
  const auto server_that_lists = [&](const char* schemes) {
    return tls12_server({"-www", "-Verify", "3", "-CAfile", roots, "-verify_return_error", "-attime",
                         std::to_string(test::now), "-client_sigalgs", schemes});
  };
  const OpensslServer sha384 = server_that_lists("ecdsa_secp384r1_sha384");
  const OpensslServer sha256 = server_that_lists("ecdsa_secp256r1_sha256");
  for (const test::KeyType type : {test::KeyType::p256, test::KeyType::p384, test::KeyType::p521}) {
    INFO(name_of_key(type));
    const auto builder = client().credentials({credential(client_identity(type))}).session_store(nullptr);
    for (const OpensslServer* server : {&sha384, &sha256})
      CHECK(visit(*server, builder).info.client_certificate_sent);
  }
}

TEST_CASE("openssl, TLS 1.2: a stapled OCSP response") {
  // OCSPResponse with the status tryLater and nothing else (RFC 6960, 4.2.1).
  const tc::ByteVector response = {0x30, 0x03, 0x0A, 0x01, 0x03};
  const TempFolder folder;
  const OpensslServer server = tls12_server({"-www", "-status_file", folder.write("response", tc::as_text(response))});
  const auto builder = client()
                           .verifier(std::make_shared<tc::DangerousNoVerification>())
                           .status_request(true)
                           .session_store(std::make_shared<ByteStore>());
  for (const bool resumes : {false, true}) {
    const Visit seen = visit(server, builder);
    CHECK(seen.info.resumed() == resumes);
    REQUIRE(seen.info.peer_status.size() == 2);
    CHECK(seen.info.peer_status[0].ocsp_response == response);
    CHECK(seen.info.peer_status[1].ocsp_response.empty());
  }
  CHECK(visit(tls12_server(), builder).info.peer_status.empty());
}

TEST_CASE("openssl, TLS 1.2: external pre-shared keys, with a key exchange and without") {
  const tc::ByteVector key(24, 0x5A);
  struct Case {
    CipherSuite suite;
    const char* openssl;
    tc::HashAlgorithm hash;
  };
  for (const Case& item :
       {Case{CipherSuite::ecdhe_psk_chacha20_poly1305_sha256, "ECDHE-PSK-CHACHA20-POLY1305", tc::HashAlgorithm::sha256},
        Case{CipherSuite::psk_aes_128_gcm_sha256, "PSK-AES128-GCM-SHA256", tc::HashAlgorithm::sha256},
        Case{CipherSuite::psk_aes_256_gcm_sha384, "PSK-AES256-GCM-SHA384", tc::HashAlgorithm::sha384},
        Case{CipherSuite::psk_chacha20_poly1305_sha256, "PSK-CHACHA20-POLY1305", tc::HashAlgorithm::sha256}})
    for (const bool hint : {false, true}) {
      INFO(name_of(item.suite) << ", hint: " << hint);
      std::vector<std::string> more = {"-www",          "-nocert", "-psk",    hex(key, false),
                                       "-psk_identity", "client",  "-cipher", item.openssl};
      if (hint)
        more.insert(more.end(), {"-psk_hint", "some hint"});
      const OpensslServer server = tls12_server(more);
      auto psk = tc::ExternalPsk::create(tc::as_bytes("client"), key, item.hash);
      REQUIRE(psk.has_value());
      const Visit seen = visit(server, tc::ClientConfig::builder()
                                           .external_psks({*psk})
                                           .versions({ProtocolVersion::tls1_2})
                                           .cipher_suites({item.suite}));
      CHECK(seen.info.cipher_suite == item.suite);
      CHECK(seen.info.psk == PskUse::external);
      CHECK(seen.info.external_psk == std::uint16_t{0});
    }
}

TEST_CASE("openssl, TLS 1.2: exporters say the same on both sides") {
  for (const Suite& item : suites12) {
    INFO(name_of(item.suite));
    const std::string_view label = "EXPERIMENTAL tlsconnect test";
    OpensslServer server = tls12_server(
        {"-cipher", item.openssl, "-keymatexport", std::string(label), "-keymatexportlen", "48"}, item.key);
    TcpStream stream = connected(server.port(), client());
    send(stream, "hello\n");
    server.expect("hello\n");
    server.expect("Keying material: " + exported(stream, label, 48, true) + "\n");
    CHECK(stream.tls_unique().has_value());
    CHECK(stream.tls_exporter().has_value());
    CHECK(stream.tls_server_end_point().has_value());
  }
}

TEST_CASE("openssl, TLS 1.2: a bulk of data each way, and the end of both directions") {
  BulkDigest up;
  OpensslServer server({.raw = true, .more = {"-tls1_2"}, .sink = [&](std::string_view piece) { up.add(piece); }});
  TcpStream stream = connected(server.port(), client());
  CHECK(stream.info().version == ProtocolVersion::tls1_2);
  send_bulk(stream, 12);
  CHECK(up.wait_for(bulk_size));
  CHECK(up.value() == BulkDigest::of(12));
  REQUIRE(stream.shutdown().has_value());
  CHECK(drain(stream).is_closed());
}

TEST_CASE("openssl, TLS 1.2: a HelloRequest in the middle of data is answered with no_renegotiation") {
  OpensslServer server = tls12_server({});
  TcpStream stream = connected(server.port(), client());
  send(stream, "hello\n");
  server.expect("hello\n");
  REQUIRE(server.process().write("r\n"));
  const tc::Halt end = drain(stream);
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::renegotiation_refused);
  CHECK(end.error()->alert_sent() == AlertDescription::no_renegotiation);
}
