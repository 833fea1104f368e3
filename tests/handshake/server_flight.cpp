// The server's encrypted flight: EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished
// (RFC 9846, 4.3 and 4.4).
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

TalkOptions with_alpn() {
  return {.configure = [](tlsconnect::ClientConfig::Builder& builder) { builder.alpn({"h2", "http/1.1"}); }};
}
TalkOptions with_request() { return {.server = {.request_certificate = true}}; }

/// What a CertificateVerify signs (RFC 9846, 4.4.3).
ByteVector signed_content(std::string_view context, std::span<const std::uint8_t> transcript) {
  std::string text(64, ' ');
  text.append(context).append(1, '\0').append(transcript.begin(), transcript.end());
  return {text.begin(), text.end()};
}

} // namespace

// ---- EncryptedExtensions ----

TEST_CASE("ALPN: the answer is one name that was offered", "[alpn]") {
  const auto answer = [](ByteVector body) {
    return handshake_with(
        [&](Plan& plan) {
          plan["EncryptedExtensions"].with_extension(ExtensionType::application_layer_protocol_negotiation, body);
        },
        with_alpn());
  };
  CHECK(answer({0, 3, 2, 'h', '2'}) == connected());
  const Outcome not_offered = refused(ErrorCode::alpn_not_offered, Alert::illegal_parameter);
  CHECK(answer({0, 3, 2, 'h', '3'}) == not_offered);
  CHECK(answer({0, 2, 1, 'h'}) == not_offered);
  CHECK(answer({0, 3, 2, 'H', '2'}) == not_offered);
  const Outcome malformed = refused(ErrorCode::field_out_of_range, Alert::decode_error);
  CHECK(answer({0, 6, 2, 'h', '2', 2, 'h', '2'}) == malformed);
  CHECK(answer({0, 0}) == malformed);
  CHECK(answer({0, 1, 0}) == malformed);
  CHECK(answer({}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(answer({0, 3, 2, 'h'}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(answer({0, 3, 3, 'h', '2'}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(answer({0, 3, 2, 'h', '2', 0}) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
  ByteVector many{0, 99};
  for (int i = 0; i < 33; ++i)
    many.insert(many.end(), {2, 'h', '2'});
  CHECK(answer(many) == refused(ErrorCode::message_too_large, Alert::illegal_parameter));
}

TEST_CASE("ALPN: what was chosen is told", "[alpn]") {
  for (const char* protocol : {"h2", "http/1.1"}) {
    TalkOptions options = with_alpn();
    options.server.alpn = protocol;
    Talk talk(std::move(options));
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().application_protocol == protocol);
  }
  Talk talk(with_alpn());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().application_protocol.empty());
}

TEST_CASE("server_name is acknowledged with nothing in it", "[encrypted_extensions]") {
  const auto answer = [](ByteVector body) {
    return handshake_with(
        [&](Plan& plan) { plan["EncryptedExtensions"].with_extension(ExtensionType::server_name, body); });
  };
  CHECK(answer({}) == connected());
  CHECK(answer({0}) == refused(ErrorCode::server_name_not_empty, Alert::decode_error));
  CHECK(answer({0, 4, 0, 0, 1, 'a'}) == refused(ErrorCode::server_name_not_empty, Alert::decode_error));
}

TEST_CASE("the server's groups are read, and may be anything well-formed", "[encrypted_extensions]") {
  const auto answer = [](ByteVector body) {
    return handshake_with(
        [&](Plan& plan) { plan["EncryptedExtensions"].with_extension(ExtensionType::supported_groups, body); });
  };
  CHECK(answer({0, 4, 0x0A, 0x0A, 0, 0x17}) == connected());
  CHECK(answer({0, 0}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(answer({0, 3, 0, 0x17, 0}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(answer({0, 2, 0}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(answer({0, 2, 0, 0x17, 0}) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

// ---- CertificateRequest ----

TEST_CASE("a request for a certificate is answered with an empty list", "[certificate_request]") {
  Talk talk(with_request());
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().certificate_requested);
  REQUIRE(talk.server.messages().size() == 2);
  CHECK(talk.server.messages()[0].type == HandshakeType::certificate);
  CHECK(talk.server.messages()[0].body == ByteVector{0, 0, 0, 0});
  CHECK(talk.server.messages()[1].type == HandshakeType::finished);

  Talk without;
  without.handshake();
  REQUIRE(without.server.messages().size() == 1);
  CHECK(!without.client.info().certificate_requested);
}

TEST_CASE("a request's context is empty in the handshake", "[certificate_request]") {
  CHECK(handshake_with(
            [](Plan& plan) {
              plan["CertificateRequest"].edit([](ByteVector& body) {
                body[0] = 1;
                body.insert(body.begin() + 1, 7);
              });
            },
            with_request()) == refused(ErrorCode::certificate_request_context_not_empty, Alert::illegal_parameter));
}

TEST_CASE("a request names signature algorithms", "[certificate_request]") {
  CHECK(handshake_with(
            [](Plan& plan) { plan["CertificateRequest"].without_extension(ExtensionType::signature_algorithms); },
            with_request()) == refused(ErrorCode::extension_missing, Alert::missing_extension));
  const auto schemes = [](ByteVector body) {
    return handshake_with(
        [&](Plan& plan) { plan["CertificateRequest"].with_extension(ExtensionType::signature_algorithms, body); },
        with_request());
  };
  CHECK(schemes({0, 2, 0x0A, 0x0A}) == connected());
  CHECK(schemes({}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(schemes({0, 0}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(schemes({0, 1, 4}) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(schemes({0, 2, 4}) == refused(ErrorCode::message_truncated, Alert::decode_error));
  CHECK(schemes({0, 2, 4, 3, 0}) == refused(ErrorCode::message_trailing_bytes, Alert::decode_error));
}

TEST_CASE("one request, and before the certificate", "[certificate_request]") {
  const Outcome wrong = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
  CHECK(handshake_with([](Plan& plan) { plan.repeat("CertificateRequest"); }, with_request()) == wrong);
  CHECK(handshake_with([](Plan& plan) { plan.swap("CertificateRequest", "Certificate"); }, with_request()) == wrong);
  CHECK(handshake_with([](Plan& plan) { plan.swap("CertificateRequest", "EncryptedExtensions"); }, with_request()) ==
        wrong);
}

// ---- Certificate ----

TEST_CASE("Certificate: the context is empty", "[certificate]") {
  CHECK(handshake_with([](Plan& plan) {
          plan["Certificate"].edit_certificate([](CertificateDraft& draft) { draft.context = {1}; });
        }) == refused(ErrorCode::certificate_request_context_not_empty, Alert::illegal_parameter));
}

TEST_CASE("Certificate: a server has one", "[certificate]") {
  CHECK(handshake_with([](Plan& plan) {
          plan["Certificate"].edit_certificate([](CertificateDraft& draft) { draft.entries.clear(); });
        }) == refused(ErrorCode::certificate_list_empty, Alert::decode_error));
}

TEST_CASE("Certificate: as many as the limit, and one more", "[certificate]") {
  const auto count = [](std::size_t entries) {
    return handshake_with([=](Plan& plan) {
      plan["Certificate"].edit_certificate(
          [=](CertificateDraft& draft) { draft.entries.resize(entries, CertificateDraft::Entry(draft.entries[0])); });
    });
  };
  CHECK(count(tlsconnect::limits::certificate_chain) == connected());
  CHECK(count(tlsconnect::limits::certificate_chain + 1) ==
        refused(ErrorCode::certificate_chain_too_long, Alert::bad_certificate));
}

TEST_CASE("Certificate: each entry is one certificate in DER", "[certificate]") {
  const Outcome malformed = refused(ErrorCode::certificate_malformed, Alert::decode_error);
  for (const std::size_t position : {std::size_t{0}, std::size_t{1}}) {
    const auto entry = [&](std::function<void(ByteVector&)> change) {
      return handshake_with([=](Plan& plan) {
        plan["Certificate"].edit_certificate([=](CertificateDraft& draft) {
          draft.entries.push_back(CertificateDraft::Entry(draft.entries[0]));
          change(draft.entries[position].der);
        });
      });
    };
    CAPTURE(position);
    CHECK(entry([](ByteVector&) {}) == connected());
    CHECK(entry([](ByteVector& der) { der = {0x30}; }) == malformed);
    CHECK(entry([](ByteVector& der) { der = {1, 2, 3}; }) == malformed);
    CHECK(entry([](ByteVector& der) { der.pop_back(); }) == malformed);
    CHECK(entry([](ByteVector& der) { der.push_back(0); }) == malformed);
    CHECK(entry([](ByteVector& der) { der.insert(der.end(), der.begin(), der.end()); }) == malformed);
    CHECK(entry([](ByteVector& der) { der.clear(); }) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
  }
}

TEST_CASE("Certificate: the extensions of every entry are checked", "[certificate]") {
  for (const std::size_t position : {std::size_t{0}, std::size_t{2}}) {
    const auto entry = [&](ExtensionList extensions) {
      return handshake_with([=](Plan& plan) {
        plan["Certificate"].edit_certificate([=](CertificateDraft& draft) {
          draft.entries.resize(3, CertificateDraft::Entry(draft.entries[0]));
          draft.entries[position].extensions = extensions;
        });
      });
    };
    CHECK(entry({{ExtensionType::status_request, {1}}}) ==
          refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
    CHECK(entry({{ExtensionType::signature_algorithms, {0, 2, 4, 3}}}) ==
          refused(ErrorCode::extension_misplaced, Alert::illegal_parameter));
    CHECK(entry({{static_cast<ExtensionType>(0x0A0A), {}}}) ==
          refused(ErrorCode::extension_unsolicited, Alert::unsupported_extension));
  }
}

TEST_CASE("Certificate: the verifier decides, and its verdict goes to the server", "[certificate]") {
  // The whole of path validation has its own tests; here it is shown to be asked, and to be believed.
  CHECK(handshake_with([](Plan&) {}, {.name = "other.test", .quick = false}) ==
        refused(ErrorCode::certificate_name_mismatch, Alert::bad_certificate));
  CHECK(handshake_with([](Plan&) {}, {.name = "192.0.2.1", .quick = false}) == connected());
  CHECK(handshake_with([](Plan&) {}, {.name = "192.0.2.2", .quick = false}) ==
        refused(ErrorCode::certificate_name_mismatch, Alert::bad_certificate));
  const Identity stranger = self_signed({.common_name = "Another Root", .ca = true});
  CHECK(handshake_with([](Plan&) {},
                       {.server = {.identity = stranger.issue({.dns = {"server.test"}})}, .quick = false}) ==
        refused(ErrorCode::certificate_unknown_issuer, Alert::unknown_ca));
  const Identity expired = server_root().issue({.dns = {"server.test"}, .not_after = now - day});
  CHECK(handshake_with([](Plan&) {}, {.server = {.identity = expired}, .quick = false}) ==
        refused(ErrorCode::certificate_expired, Alert::certificate_expired));
}

namespace {

/// Refuses with a code of its own choice.
class RefusingVerifier final : public tlsconnect::CertificateVerifier {
public:
  explicit RefusingVerifier(ErrorCode code) : code_(code) {}
  tlsconnect::Result<tlsconnect::VerifiedChain> verify(const tlsconnect::PresentedCertificate& presented,
                                                       const tlsconnect::ServerName& name,
                                                       std::int64_t unix_time) const noexcept override {
    CHECK(presented.chain.size() == 1);
    CHECK(name.text() == "server.test");
    CHECK(unix_time == now);
    return tlsconnect::fail(code_, "verdict");
  }

private:
  ErrorCode code_;
};

} // namespace

TEST_CASE("Certificate: any verdict of any verifier", "[certificate]") {
  for (const auto& [code, alert] : {std::pair{ErrorCode::certificate_revoked, Alert::certificate_revoked},
                                    std::pair{ErrorCode::certificate_rejected, Alert::certificate_unknown},
                                    std::pair{ErrorCode::certificate_unknown_issuer, Alert::unknown_ca},
                                    std::pair{ErrorCode::out_of_memory, Alert::internal_error}})
    CHECK(handshake_with([](Plan&) {}, {.configure = [verdict = code](auto& builder) {
                           builder.verifier(std::make_shared<RefusingVerifier>(verdict));
                         }}) == refused(code, alert));
}

// ---- CertificateVerify ----

TEST_CASE("CertificateVerify: the scheme is one that was offered", "[certificate_verify]") {
  const Outcome wrong = refused(ErrorCode::signature_scheme_not_offered, Alert::illegal_parameter);
  // Known to the library and fit for the key, but not offered.
  CHECK(handshake_with([](Plan&) {}, {.configure = [](auto& builder) {
                         builder.signature_schemes({SignatureScheme::ed25519});
                       }}) == wrong);
  // Never offered for the handshake: PKCS #1, SHA-1; and unknown ones.
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512,
        SignatureScheme::rsa_pkcs1_sha1, static_cast<SignatureScheme>(0x0A0A), static_cast<SignatureScheme>(0)}) {
    CAPTURE(static_cast<unsigned>(scheme));
    CHECK(handshake_with([](Plan&) {}, {.server = {.identity = server_identity(KeyType::rsa2048), .scheme = scheme}}) ==
          wrong);
  }
  CHECK(handshake_with([](Plan&) {}, {.server = {.scheme = SignatureScheme::ecdsa_sha1}}) == wrong);
}

TEST_CASE("CertificateVerify: ML-DSA", "[certificate_verify][ml-dsa]") {
  if (!is_available(KeyType::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  using enum SignatureScheme;
  const std::vector<std::pair<KeyType, SignatureScheme>> levels = {
      {KeyType::mldsa44, mldsa44}, {KeyType::mldsa65, mldsa65}, {KeyType::mldsa87, mldsa87}};
  for (const auto& [key, scheme] : levels) {
    CAPTURE(name_of(scheme));
    TalkOptions options{.server = {.identity = server_identity(key), .scheme = scheme}};
    CHECK(handshake_with([](Plan&) {}, options) == connected());
    // One bit, and one byte more.
    CHECK(handshake_with([](Plan& plan) { plan["CertificateVerify"].edit([](ByteVector& body) { body[100] ^= 1U; }); },
                         options) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
    CHECK(handshake_with(
              [](Plan& plan) {
                plan["CertificateVerify"].edit([](ByteVector& body) {
                  body.push_back(0);
                  ++body[3];
                });
              },
              options) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
    for (const auto& [another, other] : levels) {
      if (another == key)
        continue;
      // Offered, but not for this key; and not offered.
      options.server.scheme = other;
      CHECK(handshake_with([](Plan&) {}, options) ==
            refused(ErrorCode::signature_scheme_not_for_key, Alert::illegal_parameter));
      options.server.scheme = scheme;
      options.configure = [only = other](auto& builder) { builder.signature_schemes({only}); };
      CHECK(handshake_with([](Plan&) {}, options) ==
            refused(ErrorCode::signature_scheme_not_offered, Alert::illegal_parameter));
      options.configure = nullptr;
    }
  }
  // A key of another kind does not make it.
  CHECK(handshake_with([](Plan&) {}, {.server = {.scheme = mldsa65}}) ==
        refused(ErrorCode::signature_scheme_not_for_key, Alert::illegal_parameter));
  CHECK(handshake_with([](Plan&) {}, {.server = {.identity = server_identity(KeyType::mldsa65), .scheme = ed25519}}) ==
        refused(ErrorCode::signature_scheme_not_for_key, Alert::illegal_parameter));
}

TEST_CASE("CertificateVerify: the scheme fits the key", "[certificate_verify]") {
  const std::vector<std::pair<KeyType, SignatureScheme>> rows = {
      // RFC 9846, 4.2.3: the curve belongs to the scheme.
      {KeyType::p256, SignatureScheme::ecdsa_secp384r1_sha384},
      {KeyType::p384, SignatureScheme::ecdsa_secp256r1_sha256},
      {KeyType::p521, SignatureScheme::ecdsa_secp256r1_sha256},
      {KeyType::p256, SignatureScheme::ed25519},
      {KeyType::p256, SignatureScheme::rsa_pss_rsae_sha256},
      {KeyType::ed25519, SignatureScheme::ed448},
      {KeyType::ed25519, SignatureScheme::ecdsa_secp256r1_sha256},
      {KeyType::rsa2048, SignatureScheme::ecdsa_secp256r1_sha256},
      // rsae and pss are about the key's object identifier.
      {KeyType::rsa2048, SignatureScheme::rsa_pss_pss_sha256},
  };
  for (const auto& [key, scheme] : rows) {
    CAPTURE(name_of(scheme));
    CHECK(handshake_with([](Plan&) {}, {.server = {.identity = server_identity(key), .scheme = scheme}}) ==
          refused(ErrorCode::signature_scheme_not_for_key, Alert::illegal_parameter));
  }
}

TEST_CASE("CertificateVerify: the signature is over this handshake", "[certificate_verify]") {
  const Outcome wrong = refused(ErrorCode::signature_invalid, Alert::decrypt_error);
  const auto edited = [](std::function<void(ByteVector&)> change) {
    return handshake_with([&](Plan& plan) { plan["CertificateVerify"].edit(std::move(change)); });
  };
  CHECK(edited([](ByteVector& body) { body.back() ^= 1U; }) == wrong);
  CHECK(edited([](ByteVector& body) { body = {4, 3, 0, 0}; }) == wrong);
  CHECK(edited([](ByteVector& body) { body = {4, 3, 0, 1, 0}; }) == wrong);
  // Bytes behind the signature, inside its field.
  CHECK(edited([](ByteVector& body) {
          body.push_back(0);
          ++body[3];
        }) == wrong);

  const auto signing = [](std::function<ByteVector(ScriptedServer&)> content) {
    return handshake_with([&](Plan& plan) {
      plan["CertificateVerify"].body = [content = std::move(content)](ScriptedServer& server) {
        const ByteVector signature = content(server);
        return encoded(tlsconnect::CertificateVerify{SignatureScheme::ecdsa_secp256r1_sha256, signature});
      };
    });
  };
  // Another transcript.
  CHECK(signing([](ScriptedServer& server) {
          return server.sign_transcript(SignatureScheme::ecdsa_secp256r1_sha256, ByteVector(32, 1));
        }) == wrong);
  // The context string of a client, and none at all: signatures that were made for something else.
  const auto signed_as = [&](std::string_view context) {
    return signing([=](ScriptedServer& server) {
      return server_identity().key().sign("SHA-256", signed_content(context, server.transcript()));
    });
  };
  CHECK(signed_as("TLS 1.3, server CertificateVerify") == connected());
  CHECK(signed_as("TLS 1.3, client CertificateVerify") == wrong);
  CHECK(signed_as("") == wrong);
  // Another key than the certificate's.
  CHECK(signing([](ScriptedServer& server) {
          return Key::cached(KeyType::p256, 1)
              .sign("SHA-256", signed_content("TLS 1.3, server CertificateVerify", server.transcript()));
        }) == wrong);
}

TEST_CASE("CertificateVerify: what it covers was not changed on the way", "[certificate_verify]") {
  // The client sees another EncryptedExtensions than the one that is in the server's transcript.
  Talk talk;
  talk.plan["EncryptedExtensions"].action = [](ScriptedServer& server) {
    server.send(HandshakeType::encrypted_extensions, ByteVector{0, 4, 0, 0, 0, 0});
  };
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::signature_invalid, Alert::decrypt_error));
}

// ---- Finished ----

TEST_CASE("Finished: the value is right", "[finished]") {
  for (const std::size_t position : {std::size_t{0}, std::size_t{15}, std::size_t{31}})
    CHECK(handshake_with([&](Plan& plan) { plan["Finished"].edit([&](ByteVector& body) { body[position] ^= 1U; }); }) ==
          refused(ErrorCode::finished_invalid, Alert::decrypt_error));
  CHECK(handshake_with([](Plan& plan) { plan["Finished"].replace(ByteVector(32, 0)); }) ==
        refused(ErrorCode::finished_invalid, Alert::decrypt_error));
}

TEST_CASE("Finished: the length is the hash's", "[finished]") {
  for (const CipherSuite suite : {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384})
    for (const int change : {-1, 1, 100}) {
      CHECK(handshake_with(
                [&](Plan& plan) {
                  plan["Finished"].edit([&](ByteVector& body) {
                    body.resize(static_cast<std::size_t>(static_cast<int>(body.size()) + change));
                  });
                },
                {.server = {.suite = suite}}) == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
    }
  CHECK(handshake_with([](Plan& plan) { plan["Finished"].replace({}); }) ==
        refused(ErrorCode::finished_invalid, Alert::decrypt_error));
}

TEST_CASE("Finished: it covers CertificateVerify", "[finished]") {
  Talk talk;
  talk.plan["CertificateVerify"].in_transcript = false;
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::finished_invalid, Alert::decrypt_error));
}

TEST_CASE("Finished: it ends its record", "[finished][aligned]") {
  const Outcome wrong = refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message);
  CHECK(handshake_with([](Plan& plan) {
          plan["Finished"].joined = true;
          plan.after("Finished", message_step("ticket", HandshakeType::new_session_ticket,
                                              [](ScriptedServer& server) { return server.draft_ticket(); }));
        }) == wrong);
  Talk talk;
  talk.plan.drop("Finished").drop("application keys");
  talk.plan.append(action_step("Finished and a byte", [](ScriptedServer& server) {
    ByteVector record = framed(HandshakeType::finished, server.draft_finished());
    record.push_back(4);
    server.send_record(ContentType::handshake, record);
  }));
  talk.handshake();
  CHECK(outcome_of(talk) == wrong);
}

TEST_CASE("the messages come in their order, each once", "[order]") {
  const Outcome wrong = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
  const std::vector<std::string> names = {"EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(handshake_with([&](Plan& plan) { plan.drop(names[i]); }) ==
          (names[i] == "Finished" ? Outcome{} : wrong)); // without Finished nothing is wrong yet, and nothing done
    if (names[i] != "Finished")
      CHECK(handshake_with([&](Plan& plan) { plan.repeat(names[i]); }) == wrong);
    for (std::size_t k = i + 1; k < names.size(); ++k)
      CHECK(handshake_with([&](Plan& plan) { plan.swap(names[i], names[k]); }) == wrong);
  }
  // A server that proves nothing: straight to Finished. (RFC 9846, 4.4: only a PSK lets it.)
  CHECK(handshake_with([](Plan& plan) { plan.drop("Certificate").drop("CertificateVerify"); }) == wrong);
  CHECK(handshake_with([](Plan& plan) {
          plan.drop("EncryptedExtensions").drop("Certificate").drop("CertificateVerify");
        }) == wrong);
  // A second Finished under the handshake's keys, which are gone.
  Talk talk;
  talk.plan.before("application keys", action_step("Finished again", [](ScriptedServer& server) {
                     server.send(HandshakeType::finished, server.draft_finished());
                   }));
  talk.handshake();
  CHECK(outcome_of(talk) == refused_later(ErrorCode::bad_record_mac, Alert::bad_record_mac));
}
