// Handshakes with OpenSSL: everything that can be negotiated, and everything that must be refused.
#include "openssl_server.hpp"

using namespace interop;

namespace {

/// A handshake followed by data both ways, and the server's own report of it.
struct Visit {
  tc::ConnectionInfo info;
  std::string page;
};
Visit visit(const OpensslServer& server, const tc::ClientConfig::Builder& builder, std::string_view name = host) {
  TcpStream stream = connected(server.port(), builder, name);
  std::string page = status_page(stream);
  return {stream.info(), std::move(page)};
}

} // namespace

TEST_CASE("openssl: every cipher suite") {
  const OpensslServer server({.more = {"-www"}});
  for (const CipherSuite suite :
       {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
    INFO(name_of(suite));
    const Visit seen = visit(server, client().cipher_suites({suite}));
    CHECK(seen.info.cipher_suite == suite);
    CHECK(contains(seen.page, "Cipher is " + std::string(name_of(suite))));
    CHECK(contains(seen.page, "TLSv1.3"));
  }
}

TEST_CASE("openssl: the server's choice of suite is followed") {
  const OpensslServer server(
      {.more = {"-www", "-serverpref", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"}});
  CHECK(visit(server, client()).info.cipher_suite == CipherSuite::chacha20_poly1305_sha256);
}

TEST_CASE("openssl: every elliptic curve, with a share and after HelloRetryRequest") {
  struct Case {
    NamedGroup group;
    const char* name;
    NamedGroup other;
  };
  for (const Case& item : {Case{NamedGroup::x25519, "X25519", NamedGroup::secp256r1},
                           Case{NamedGroup::secp256r1, "P-256", NamedGroup::x25519},
                           Case{NamedGroup::secp384r1, "P-384", NamedGroup::x25519},
                           Case{NamedGroup::secp521r1, "P-521", NamedGroup::x25519_mlkem768}}) {
    INFO(item.name);
    const OpensslServer server({.more = {"-www", "-groups", item.name}});
    for (const bool retry : {false, true}) {
      INFO("retry: " << retry);
      const Visit seen =
          visit(server, client()
                            .groups({NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1,
                                     NamedGroup::secp384r1, NamedGroup::secp521r1})
                            .key_shares({retry ? item.other : item.group}));
      CHECK(seen.info.group == item.group);
      CHECK(seen.info.hello_retry_request == retry);
    }
    // No share at all leaves the choice to the server.
    CHECK(visit(server, client().key_shares({})).info.hello_retry_request);
  }
}

TEST_CASE("openssl: every hybrid group") {
  need_openssl();
  bool any = false;
  for (const NamedGroup group :
       {NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768, NamedGroup::secp384r1_mlkem1024}) {
    INFO(name_of(group));
    const OpensslServer server({.more = {"-www", "-groups", std::string(name_of(group))}});
    if (!server.usable())
      continue;
    any = true;
    for (const bool retry : {false, true}) {
      INFO("retry: " << retry);
      const Visit seen = visit(server, client()
                                           .groups({NamedGroup::x25519_mlkem768, NamedGroup::secp256r1_mlkem768,
                                                    NamedGroup::secp384r1_mlkem1024, NamedGroup::x25519})
                                           .key_shares({retry ? NamedGroup::x25519 : group}));
      CHECK(seen.info.group == group);
      CHECK(seen.info.hello_retry_request == retry);
      CHECK(seen.info.post_quantum());
    }
  }
  if (!any)
    SKIP("this release of OpenSSL has no ML-KEM");
}

TEST_CASE("openssl: a server without hybrids takes the share beside them") {
  const OpensslServer server({.more = {"-www", "-groups", "X25519:P-256"}});
  const Visit seen = visit(server, client());
  CHECK(seen.info.group == NamedGroup::x25519);
  CHECK_FALSE(seen.info.hello_retry_request);
}

TEST_CASE("openssl: every signature scheme") {
  for (const SignatureCase& item : every_signature) {
    INFO(name_of(item.scheme));
    const OpensslServer server({.identity = leaf(item.key), .more = {"-www"}});
    const Visit seen = visit(server, client().signature_schemes({item.scheme}));
    CHECK(seen.info.signature_scheme == item.scheme);
    CHECK(seen.info.peer_chain.size() == 2);
    // And with all that this client offers: the server finds one that fits its key.
    (void)visit(server, client());
  }
}

TEST_CASE("openssl: ML-DSA, for the handshake and for certificates") {
  need_openssl();
  if (!tc::is_available(SignatureScheme::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  for (const SignatureCase& item : every_ml_dsa) {
    INFO(name_of(item.scheme));
    const OpensslServer server({.identity = leaf(item.key), .more = {"-www"}});
    if (!server.usable())
      SKIP("this release of OpenSSL has no ML-DSA");
    CHECK(visit(server, client().signature_schemes({item.scheme})).info.signature_scheme == item.scheme);
    CHECK(visit(server, client()).info.signature_scheme == item.scheme);

    // All of it, from the root on.
    test::CertOptions authority{.common_name = "ML-DSA", .key_type = item.key, .ca = true};
    const test::Identity root = test::self_signed(authority);
    authority.common_name = "ML-DSA Authority";
    const OpensslServer another({.identity = root.issue(authority).issue(leaf_options(item.key)), .more = {"-www"}});
    auto builder = client().trust(anchors_of(root));
    builder.signature_schemes({item.scheme}).certificate_signature_schemes({item.scheme});
    CHECK(visit(another, builder).info.peer_chain.size() == 2);
  }
}

TEST_CASE("openssl: no common signature scheme") {
  const OpensslServer server({.identity = leaf(test::KeyType::ed25519), .more = {"-www"}});
  const tc::Error error =
      refused(connector(server.port(), client().signature_schemes({SignatureScheme::ecdsa_secp256r1_sha256})));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::handshake_failure);
}

TEST_CASE("openssl: application protocols") {
  const OpensslServer server({.more = {"-www", "-alpn", "h2,http/1.1"}});
  const OpensslServer without({.more = {"-www"}});
  CHECK(visit(server, client().alpn({"http/1.1", "h2"})).info.application_protocol == "h2");
  CHECK(visit(server, client().alpn({"http/1.1"})).info.application_protocol == "http/1.1");
  CHECK(visit(server, client()).info.application_protocol.empty());
  CHECK(visit(without, client().alpn({"h2"})).info.application_protocol.empty());

  // RFC 7301, 3.2: without a common protocol the server must refuse.
  const tc::Error error = refused(connector(server.port(), client().alpn({"gopher"})));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::no_application_protocol);
  check_message(error, {"no_application_protocol"});
}

TEST_CASE("openssl: a request for a client certificate is answered with an empty list") {
  const OpensslServer server({.more = {"-www", "-verify", "1"}});
  const Visit seen = visit(server, client());
  CHECK(seen.info.certificate_requested);
  bool sent = false;
  for (const tc::TracedMessage& message : seen.info.messages.view())
    sent = sent || (message.sent && message.type == tc::HandshakeType::certificate);
  CHECK(sent);
  CHECK_FALSE(visit(OpensslServer({.more = {"-www"}}), client()).info.certificate_requested);
}

TEST_CASE("openssl: a required client certificate is missed after the handshake") {
  OpensslServer server({.more = {"-Verify", "1"}});
  TcpStream stream = connected(server.port());
  const tc::Halt end = drain(stream);
  REQUIRE(end.is_failed());
  CHECK(end.error()->code() == ErrorCode::alert_received);
  CHECK(end.error()->alert_received() == AlertDescription::certificate_required);
  check_message(*end.error(), {"certificate_required"});
}

TEST_CASE("openssl: server names") {
  TempFolder folder;
  test::CertOptions options = leaf_options();
  options.dns = {"second.tlsconnect.test"};
  const test::Identity second = Pki::instance().root.issue(options); // -cert2 takes no chain
  const OpensslServer server(
      {.more = {"-www", "-servername", "second.tlsconnect.test", "-cert2", folder.write("cert.pem", second.pem()),
                "-key2", folder.write("key.pem", second.key_pem())}});
  // The server picks its certificate by server_name: only the right one passes.
  CHECK(visit(server, client(), "second.tlsconnect.test").info.peer_chain.front() == second.der());
  CHECK(visit(server, client(), host).info.peer_chain.front() != second.der());
  // An address is not sent, but compared with the certificate.
  CHECK(contains(visit(server, client(), "127.0.0.1").info.verification, "127.0.0.1"));
}

TEST_CASE("openssl: with and without middlebox compatibility") {
  for (const bool server_compatible : {true, false})
    for (const bool client_compatible : {true, false}) {
      OpensslOptions options{.more = {"-www", "-groups", "P-384"}};
      if (!server_compatible)
        options.more.emplace_back("-no_middlebox");
      CHECK(visit(OpensslServer(options), client().compatibility_mode(client_compatible)).info.hello_retry_request);
    }
}

TEST_CASE("openssl: only TLS 1.2, to a client of TLS 1.3 alone") {
  OpensslServer server({.more = {"-tls1_2"}});
  TcpConnector connecting = connector(server.port(), client().versions({tc::ProtocolVersion::tls1_3}));
  const tc::Error error = refused(std::move(connecting));
  CHECK(error.code() == ErrorCode::alert_received);
  CHECK(error.alert_received() == AlertDescription::protocol_version);
  check_message(error, {"protocol_version"});
}

TEST_CASE("openssl: certificates that must be refused, and what is said about them") {
  const Pki& pki = Pki::instance();
  const test::Identity stranger = test::self_signed({.common_name = "Stranger Root", .ca = true});
  test::CertOptions expired = leaf_options();
  expired.not_before = test::now - 60 * test::day;
  expired.not_after = test::now - test::day;
  test::CertOptions early = leaf_options();
  early.not_before = test::now + test::day;

  struct Case {
    const char* what;
    test::Identity identity;
    bool send_chain;
    const char* name;
    ErrorCode code;
    const char* alert; ///< as the server reports it
    std::initializer_list<std::string_view> parts;
  };
  const Case cases[] = {
      {"wrong name",
       leaf(),
       true,
       "other.tlsconnect.test",
       ErrorCode::certificate_name_mismatch,
       "SSL alert number 42",
       {"other.tlsconnect.test", host, "127.0.0.1"}},
      {"wrong address",
       leaf(),
       true,
       "127.0.0.2",
       ErrorCode::certificate_name_mismatch,
       "SSL alert number 42",
       {"127.0.0.2", "127.0.0.1"}},
      {"expired",
       pki.authority.issue(expired),
       true,
       host.data(),
       ErrorCode::certificate_expired,
       "SSL alert number 45",
       {"expired", "2026-05-31", "2026-06-01", "certificate 1 of 2"}},
      {"not yet valid",
       pki.authority.issue(early),
       true,
       host.data(),
       ErrorCode::certificate_not_yet_valid,
       "SSL alert number 45",
       {"not valid yet", "2026-06-02", "2026-06-01"}},
      {"unknown root",
       stranger.issue(leaf_options()),
       true,
       host.data(),
       ErrorCode::certificate_unknown_issuer,
       "SSL alert number 48",
       {"Stranger Root", "1 trust anchors"}},
      {"self-signed",
       test::self_signed(leaf_options()),
       true,
       host.data(),
       ErrorCode::certificate_self_signed,
       "SSL alert number 48",
       {"signed by its own key"}},
      {"missing intermediate",
       leaf(),
       false,
       host.data(),
       ErrorCode::certificate_unknown_issuer,
       "SSL alert number 48",
       {"Interop Authority", "intermediate"}},
  };
  for (const Case& item : cases) {
    INFO(item.what);
    OpensslServer server({.identity = item.identity, .send_chain = item.send_chain});
    TcpConnector connecting = connector(server.port(), client(), item.name);
    auto stream = connecting.connect();
    REQUIRE_FALSE(stream.has_value());
    REQUIRE(stream.error().is_failed());
    const tc::Error error = *stream.error().error();
    CHECK(error.code() == item.code);
    CHECK(error.group() == tc::ErrorGroup::certificate);
    check_message(error, item.parts);
    // The chain is there to be looked at, and the server was told.
    CHECK_FALSE(connecting.info().peer_chain.empty());
    server.expect(item.alert);
    // The error stays.
    auto again = connecting.connect();
    REQUIRE_FALSE(again.has_value());
    REQUIRE(again.error().is_failed());
    CHECK(again.error().error()->code() == item.code);
  }
}
