// TLS 1.2 with GnuTLS, which has what OpenSSL 3.0 has not: ECDHE_PSK with AES-GCM, and limits on records.
#include "gnutls_verifying.hpp"

using namespace interop;
using tc::ProtocolVersion;

namespace {

constexpr const char* only_tls12 = ":-VERS-ALL:+VERS-TLS1.2";

} // namespace

TEST_CASE("gnutls, TLS 1.2: every suite and curve") {
  struct Case {
    CipherSuite suite;
    const char* priority;
    test::KeyType key;
  };
  for (const Case& item :
       {Case{CipherSuite::ecdhe_ecdsa_aes_128_gcm_sha256, "+AES-128-GCM", test::KeyType::p256},
        Case{CipherSuite::ecdhe_ecdsa_aes_256_gcm_sha384, "+AES-256-GCM", test::KeyType::p256},
        Case{CipherSuite::ecdhe_ecdsa_chacha20_poly1305_sha256, "+CHACHA20-POLY1305", test::KeyType::ed25519},
        Case{CipherSuite::ecdhe_rsa_aes_128_gcm_sha256, "+AES-128-GCM", test::KeyType::rsa2048},
        Case{CipherSuite::ecdhe_rsa_aes_256_gcm_sha384, "+AES-256-GCM", test::KeyType::rsa2048},
        Case{CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256, "+CHACHA20-POLY1305", test::KeyType::rsa_pss2048}}) {
    INFO(name_of(item.suite));
    const GnutlsServer server(
        {.identity = leaf(item.key), .priority = std::string(only_tls12) + ":-CIPHER-ALL:" + item.priority});
    const tc::ConnectionInfo info = visit(server, client());
    CHECK(info.version == ProtocolVersion::tls1_2);
    CHECK(info.cipher_suite == item.suite);
    CHECK(info.extended_main_secret);
    CHECK(info.secure_renegotiation);
  }
  for (const auto& [group, name] :
       {std::pair{NamedGroup::x25519, "X25519"}, std::pair{NamedGroup::secp256r1, "SECP256R1"},
        std::pair{NamedGroup::secp384r1, "SECP384R1"}, std::pair{NamedGroup::secp521r1, "SECP521R1"}}) {
    INFO(name);
    const GnutlsServer server(
        {.identity = leaf(test::KeyType::rsa2048), .priority = std::string(only_tls12) + ":-GROUP-ALL:+GROUP-" + name});
    CHECK(visit(server, client()).group == group);
  }
}

TEST_CASE("gnutls, TLS 1.2: every signature scheme") {
  for (const SignatureCase& item : every_signature) {
    INFO(name_of(item.scheme));
    const GnutlsServer server({.identity = leaf(item.key), .priority = only_tls12});
    const tc::ConnectionInfo info = visit(server, client().signature_schemes({item.scheme}));
    CHECK(info.version == ProtocolVersion::tls1_2);
    CHECK(info.signature_scheme == item.scheme);
  }
}

TEST_CASE("gnutls, TLS 1.2: client certificates of every kind of key, signed at once and later") {
  check_client_certificates(only_tls12,
                            [](const tc::ConnectionInfo& info) { CHECK(info.version == ProtocolVersion::tls1_2); });
}

TEST_CASE("gnutls, TLS 1.2: a stapled OCSP response") {
  // OCSPResponse with the status tryLater and nothing else (RFC 6960, 4.2.1).
  const tc::ByteVector response = {0x30, 0x03, 0x0A, 0x01, 0x03};
  const TempFolder folder;
  const GnutlsServer server({.priority = only_tls12,
                             .more = {"--echo", "--ignore-ocsp-response-errors", "--ocsp-response",
                                      folder.write("response", tc::as_text(response))}});
  const tc::ConnectionInfo info = visit(server, client().status_request(true));
  CHECK(info.version == ProtocolVersion::tls1_2);
  REQUIRE_FALSE(info.peer_status.empty());
  CHECK(info.peer_status[0].ocsp_response == response);
  CHECK(visit(server, client().status_request(false).session_store(nullptr)).peer_status.empty());
}

TEST_CASE("gnutls, TLS 1.2: resumption by ticket and by session id") {
  for (const char* more : {"", ":%NO_TICKETS"}) {
    INFO("priority: " << more);
    const GnutlsServer server({.priority = std::string(only_tls12) + more});
    const auto store = std::make_shared<ByteStore>();
    const auto builder = client().session_store(store);
    CHECK_FALSE(visit(server, builder).resumed());
    for (int round = 0; round < 3; ++round) {
      INFO("round " << round);
      REQUIRE(store->size() == 1);
      CHECK(visit(server, builder).resumed());
    }
    CHECK(store->broken() == 0);
  }
}

TEST_CASE("gnutls, TLS 1.2: a server without the extended main secret") {
  const GnutlsServer server({.priority = std::string(only_tls12) + ":%NO_SESSION_HASH"});
  CHECK(refused(connector(server.port(), client())).code() == ErrorCode::extended_main_secret_missing);
  const auto store = std::make_shared<ByteStore>();
  const auto lenient = client().require_extended_main_secret(false).session_store(store);
  for (const bool resumes : {false, true}) {
    TcpStream stream = connected(server.port(), lenient);
    echo(stream);
    CHECK_FALSE(stream.info().extended_main_secret);
    CHECK(stream.info().resumed() == resumes);
    // What would not be sound is not there.
    CHECK(stream.tls_unique().error().code() == ErrorCode::export_not_available);
    CHECK(stream.tls_exporter().error().code() == ErrorCode::export_not_available);
  }
  REQUIRE(store->size() == 1);
  // A client that requires it does not even offer such a session.
  CHECK(refused(connector(server.port(), client().session_store(store))).code() ==
        ErrorCode::extended_main_secret_missing);
}
