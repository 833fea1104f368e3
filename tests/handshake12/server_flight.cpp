// The server's first flight in TLS 1.2 behind its hello: Certificate, CertificateStatus, ServerKeyExchange,
// CertificateRequest, ServerHelloDone (RFC 5246, 7.4.2 to 7.4.5; RFC 8422, 5; RFC 6066, 8).
#include <algorithm>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

Outcome certificate_with(std::function<void(CertificateDraft12&)> change, TalkOptions12 options = {}) {
  return handshake12_with([&](Plan12& plan) { plan["Certificate"].edit_draft<CertificateDraft12>(std::move(change)); },
                          std::move(options));
}
/// The server signs what the change has left.
Outcome signed_with(std::function<void(KeyExchangeDraft&)> change, TalkOptions12 options = {}) {
  return handshake12_with(
      [&](Plan12& plan) {
        plan["ServerKeyExchange"].body = [change](ScriptedServer12& server) {
          return server.key_exchange_with(change);
        };
      },
      std::move(options));
}
/// The change comes when the signature is made.
Outcome spoiled_with(std::function<void(KeyExchangeDraft&)> change, TalkOptions12 options = {}) {
  return handshake12_with(
      [&](Plan12& plan) {
        plan["ServerKeyExchange"].body = [change](ScriptedServer12& server) {
          KeyExchangeDraft draft = server.draft_key_exchange();
          server.sign(draft);
          change(draft);
          return draft.body();
        };
      },
      std::move(options));
}
TalkOptions12 with_key(KeyType type, std::optional<CipherSuite> suite = {}) {
  return {.server = {.identity = server_identity(type), .suite = suite}};
}
TalkOptions12 stapling() {
  return {.server = {.ocsp_response = ByteVector(30, 3)},
          .configure = [](auto& builder) { builder.status_request(true); }};
}
const Outcome truncated_message = refused(ErrorCode::message_truncated, Alert::decode_error);
const Outcome trailing = refused(ErrorCode::message_trailing_bytes, Alert::decode_error);
const Outcome out_of_range = refused(ErrorCode::field_out_of_range, Alert::decode_error);
const Outcome unexpected = refused(ErrorCode::unexpected_message, Alert::unexpected_message);

} // namespace

// ---- Certificate ----

TEST_CASE("Certificate of TLS 1.2: at least one, and readable", "[certificate12]") {
  CHECK(certificate_with([](CertificateDraft12& draft) { draft.chain.clear(); }) ==
        refused(ErrorCode::certificate_list_empty, Alert::decode_error));
  CHECK(certificate_with([](CertificateDraft12& draft) { draft.chain.push_back({}); }) == out_of_range);
  CHECK(certificate_with([](CertificateDraft12& draft) { draft.chain.front().pop_back(); }) ==
        refused(ErrorCode::certificate_malformed, Alert::decode_error));
  CHECK(certificate_with([](CertificateDraft12& draft) { draft.chain.front().push_back(0); }) ==
        refused(ErrorCode::certificate_malformed, Alert::decode_error));
  CHECK(certificate_with([](CertificateDraft12& draft) {
          draft.chain.assign(tlsconnect::limits::certificate_chain + 1, ByteVector(draft.chain.front()));
        }) == refused(ErrorCode::certificate_chain_too_long, Alert::bad_certificate));
  CHECK(handshake12_with([](Plan12& plan) { plan["Certificate"].edit([](ByteVector& body) { body.push_back(0); }); }) ==
        trailing);
}

TEST_CASE("Certificate of TLS 1.2: what it shows is verified", "[certificate12]") {
  const TalkOptions12 strict = {.quick = false};
  CHECK(certificate_with([](CertificateDraft12&) {}, strict) == connected());
  CHECK(certificate_with([](CertificateDraft12&) {}, {.name = "other.test", .quick = false}) ==
        refused(ErrorCode::certificate_name_mismatch, Alert::bad_certificate));
  const Identity stranger = self_signed({.common_name = "stranger", .dns = {"server.test"}});
  CHECK(certificate_with([](CertificateDraft12&) {}, {.server = {.identity = stranger}, .quick = false}) ==
        refused(ErrorCode::certificate_self_signed, Alert::unknown_ca));
}

TEST_CASE("Certificate of TLS 1.2: the key must be one for the suite", "[certificate12]") {
  const Outcome wrong = refused(ErrorCode::certificate_key_not_for_suite, Alert::illegal_parameter);
  for (const KeyType key : {KeyType::rsa2048, KeyType::rsa_pss2048})
    CHECK(certificate_with([](CertificateDraft12&) {}, with_key(key, ecdsa_aes128)) == wrong);
  for (const KeyType key : {KeyType::p256, KeyType::ed25519, KeyType::ed448})
    CHECK(certificate_with([](CertificateDraft12&) {}, with_key(key, rsa_aes128)) == wrong);
}

TEST_CASE("Certificate of TLS 1.2: a key that signs nothing", "[certificate12]") {
  // RFC 8410: X25519 is for key exchange.
  ByteVector key{0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x03, 0x21, 0x00};
  key.resize(key.size() + 32, 9);
  const Identity odd = server_root().issue({.common_name = "odd", .public_key = key, .dns = {"server.test"}});
  for (const CipherSuite suite : {ecdsa_aes128, rsa_aes128})
    CHECK(handshake12_with([](Plan12&) {}, {.server = {.identity = odd, .suite = suite}}) ==
          refused(ErrorCode::certificate_key_unsupported, Alert::unsupported_certificate));
}

TEST_CASE("Certificate of TLS 1.2: ML-DSA goes with no suite", "[certificate12][ml-dsa]") {
  if (!is_available(KeyType::mldsa44))
    SKIP("this program's Botan has no ML-DSA");
  // draft-ietf-tls-mldsa, "TLS 1.2". The scheme is on offer for TLS 1.3, which the server might have chosen.
  for (const KeyType key : {KeyType::mldsa44, KeyType::mldsa65, KeyType::mldsa87})
    for (const CipherSuite suite : {ecdsa_aes128, rsa_aes128}) {
      TalkOptions12 options = with_key(key, suite);
      CHECK(certificate_with([](CertificateDraft12&) {}, options) ==
            refused(ErrorCode::certificate_key_not_for_suite, Alert::illegal_parameter));
      options.configure = both_versions;
      CHECK(certificate_with([](CertificateDraft12&) {}, options) ==
            refused(ErrorCode::certificate_key_not_for_suite, Alert::illegal_parameter));
    }
}

TEST_CASE("Certificate of TLS 1.2: the key's curve must be on offer", "[certificate12]") {
  CHECK(certificate_with([](CertificateDraft12&) {}, with_key(KeyType::p384)) ==
        refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
  TalkOptions12 options = with_key(KeyType::p384);
  options.configure = [](auto& builder) { builder.groups({NamedGroup::x25519, NamedGroup::secp384r1}); };
  CHECK(certificate_with([](CertificateDraft12&) {}, options) == connected());
}

TEST_CASE("Certificate of TLS 1.2: short RSA keys", "[certificate12]") {
  CHECK(certificate_with([](CertificateDraft12&) {}, with_key(KeyType::rsa1024)) ==
        refused(ErrorCode::certificate_key_too_weak, Alert::unsupported_certificate));
}

// ---- CertificateStatus ----

TEST_CASE("CertificateStatus: only when it was announced, and where it belongs", "[status12]") {
  const auto status = [] {
    return Step12::message("CertificateStatus", HandshakeType::certificate_status,
                           encoded(tlsconnect::CertificateStatus{1, ByteVector{1, 2, 3}}));
  };
  CHECK(handshake12_with([&](Plan12& plan) { plan.after("Certificate", status()); }) == unexpected);
  CHECK(handshake12_with([&](Plan12& plan) { plan.before("Certificate", status()); }) == unexpected);
  // RFC 6066, 8: the server may go without the one that it announced.
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("CertificateStatus"); }, stapling()) == connected());
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("CertificateStatus"); }, stapling()) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.swap("CertificateStatus", "ServerKeyExchange"); }, stapling()) ==
        unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.swap("CertificateStatus", "Certificate"); }, stapling()) ==
        unexpected);
  // Nothing else may take its place.
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan.drop("CertificateStatus");
              plan.drop("ServerKeyExchange");
            },
            stapling()) == unexpected);
}

TEST_CASE("CertificateStatus: an OCSP response, and nothing else", "[status12]") {
  const auto body_with = [](ByteVector body) {
    return handshake12_with([&](Plan12& plan) { plan["CertificateStatus"].replace(body); }, stapling());
  };
  CHECK(body_with({1, 0, 0, 1, 7}) == connected());
  CHECK(body_with({2, 0, 0, 1, 7}) == out_of_range);
  CHECK(body_with({1, 0, 0, 0}) == out_of_range);
  CHECK(body_with({1, 0, 0, 2, 7}) == truncated_message);
  CHECK(body_with({1, 0, 0, 1, 7, 8}) == trailing);
  CHECK(body_with({}) == truncated_message);
}

// ---- ServerKeyExchange ----

TEST_CASE("ServerKeyExchange: only a curve that was offered", "[key_exchange12]") {
  const Outcome refusal = refused(ErrorCode::group_not_offered, Alert::illegal_parameter);
  for (const NamedGroup group :
       {NamedGroup::secp384r1, NamedGroup::secp521r1, NamedGroup::x448, NamedGroup::x25519_mlkem768,
        static_cast<NamedGroup>(21), static_cast<NamedGroup>(0x0100), static_cast<NamedGroup>(0x0A0A),
        static_cast<NamedGroup>(0)}) {
    CAPTURE(name_of(group));
    CHECK(signed_with([group](KeyExchangeDraft& draft) { draft.group = group; }) == refusal);
  }
  // The hybrids of TLS 1.3 are for TLS 1.3, although the client offers them.
  CHECK(signed_with([](KeyExchangeDraft& draft) { draft.group = NamedGroup::x25519_mlkem768; },
                    {.configure = both_versions, .quick = false}) == refusal);
}

TEST_CASE("ServerKeyExchange: only a curve with a name", "[key_exchange12]") {
  for (const std::uint8_t type :
       {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{255}})
    CHECK(signed_with([type](KeyExchangeDraft& draft) { draft.curve_type = type; }) == out_of_range);
}

TEST_CASE("ServerKeyExchange: only a point on the curve", "[key_exchange12]") {
  const Outcome bad = refused(ErrorCode::key_share_invalid, Alert::illegal_parameter);
  const auto on = [](NamedGroup group, std::function<void(ByteVector&)> change) {
    return signed_with(
        [change](KeyExchangeDraft& draft) { change(draft.point); },
        {.server = {.group = group}, .configure = [](auto& builder) {
           builder.groups({NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1});
         }});
  };
  for (const NamedGroup group : {NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1}) {
    CAPTURE(name_of(group));
    CHECK(on(group, [](ByteVector&) {}) == connected());
    CHECK(on(group, [](ByteVector& point) { point.back() ^= 1U; }) == bad);
    CHECK(on(group, [](ByteVector& point) { point.pop_back(); }) == bad);
    CHECK(on(group, [](ByteVector& point) { point.push_back(0); }) == bad);
    CHECK(on(group, [](ByteVector& point) { point = {0}; }) == bad); // the point at infinity
    CHECK(on(group, [](ByteVector& point) {
            point.resize(1 + point.size() / 2); // compressed, which was not offered
            point[0] = 2;
          }) == bad);
    CHECK(on(group, [](ByteVector& point) { point[0] = 6; }) == bad); // hybrid form
  }
  // RFC 8422, 5.11: points of small order make a secret of zeros.
  CHECK(on(NamedGroup::x25519, [](ByteVector& point) { point.assign(32, 0); }) == bad);
  CHECK(on(NamedGroup::x25519, [](ByteVector& point) {
          point.assign(32, 0);
          point[0] = 1;
        }) == bad);
  CHECK(on(NamedGroup::x25519, [](ByteVector& point) { point.resize(31); }) == bad);
  CHECK(on(NamedGroup::x25519, [](ByteVector& point) { point.push_back(0); }) == bad);
  CHECK(on(NamedGroup::x25519, [](ByteVector& point) { point.clear(); }) == out_of_range);
}

TEST_CASE("ServerKeyExchange: the signature covers randoms and parameters", "[key_exchange12]") {
  const Outcome invalid = refused(ErrorCode::signature_invalid, Alert::decrypt_error);
  for (const KeyType key : {KeyType::p256, KeyType::rsa2048, KeyType::ed25519}) {
    const TalkOptions12 options = with_key(key);
    CHECK(spoiled_with([](KeyExchangeDraft&) {}, options) == connected());
    CHECK(spoiled_with([](KeyExchangeDraft& draft) { draft.signature.back() ^= 1U; }, options) == invalid);
    CHECK(spoiled_with([](KeyExchangeDraft& draft) { draft.signature.clear(); }, options) == invalid);
    CHECK(spoiled_with([](KeyExchangeDraft& draft) { draft.signature.push_back(0); }, options) == invalid);
    CHECK(spoiled_with([](KeyExchangeDraft& draft) { draft.point[3] ^= 1U; }, options) == invalid);
    CHECK(spoiled_with([](KeyExchangeDraft& draft) { draft.group = NamedGroup::secp256r1; }, options) == invalid);
  }
  // Another client's random, another server's.
  for (const bool client : {false, true})
    CHECK(handshake12_with([client](Plan12& plan) {
            plan["ServerKeyExchange"].body = [client](ScriptedServer12& server) {
              KeyExchangeDraft draft = server.draft_key_exchange();
              ByteVector content = tlsconnect::to_vector(server.randoms().client);
              append(content, server.randoms().server);
              content[client ? 0 : 63] ^= 1U;
              append(content, draft.parameters());
              draft.signature = server_identity().key().sign("SHA-256", content);
              return draft.body();
            };
          }) == invalid);
  // By another key than the one in the certificate.
  const Identity other = server_root().issue({.common_name = "other", .dns = {"server.test"}});
  CHECK(certificate_with([&](CertificateDraft12& draft) { draft.chain.front() = other.der(); }) == invalid);
}

TEST_CASE("ServerKeyExchange: only schemes that were offered", "[key_exchange12]") {
  using enum SignatureScheme;
  const Outcome refusal = refused(ErrorCode::signature_scheme_not_offered, Alert::illegal_parameter);
  const auto scheme_of = [](SignatureScheme scheme, KeyType key, std::vector<SignatureScheme> offered = {}) {
    TalkOptions12 options = with_key(key);
    options.server.scheme = scheme;
    if (!offered.empty())
      options.configure = [offered](auto& builder) { builder.signature_schemes(offered); };
    return handshake12_with([](Plan12&) {}, options);
  };
  CHECK(scheme_of(ecdsa_sha1, KeyType::p256) == refusal);
  CHECK(scheme_of(rsa_pkcs1_sha1, KeyType::rsa2048) == refusal);
  // RFC 5246, 7.4.1.4.1: MD5 and SHA-224, with RSA, DSA and ECDSA; no signature at all.
  for (const unsigned code : {0x0101U, 0x0103U, 0x0202U, 0x0301U, 0x0303U, 0x0402U, 0x0000U, 0x0400U, 0x0A0AU})
    CHECK(scheme_of(static_cast<SignatureScheme>(code), KeyType::p256) == refusal);
  CHECK(scheme_of(ecdsa_secp384r1_sha384, KeyType::p256, {ecdsa_secp256r1_sha256}) == refusal);
  CHECK(scheme_of(rsa_pkcs1_sha256, KeyType::rsa2048, {rsa_pss_rsae_sha256}) == refusal);
  CHECK(scheme_of(rsa_pss_rsae_sha256, KeyType::rsa2048, {rsa_pkcs1_sha256}) == refusal);
  CHECK(scheme_of(rsa_pkcs1_sha256, KeyType::rsa2048, {rsa_pkcs1_sha256}) == connected());
  // draft-ietf-tls-mldsa, "TLS 1.2": what is on offer for TLS 1.3 alone does not count.
  for (const SignatureScheme scheme : {mldsa44, mldsa65, mldsa87}) {
    CHECK(scheme_of(scheme, KeyType::p256) == refusal);
    TalkOptions12 options = with_key(KeyType::p256);
    options.server.scheme = scheme;
    options.configure = both_versions;
    CHECK(handshake12_with([](Plan12&) {}, options) == refusal);
  }
}

TEST_CASE("ServerKeyExchange: only schemes that go with the key", "[key_exchange12]") {
  using enum SignatureScheme;
  const Outcome refusal = refused(ErrorCode::signature_scheme_not_for_key, Alert::illegal_parameter);
  for (const auto& [key, scheme] :
       std::vector<std::pair<KeyType, SignatureScheme>>{{KeyType::p256, rsa_pss_rsae_sha256},
                                                        {KeyType::p256, rsa_pkcs1_sha256},
                                                        {KeyType::p256, ed25519},
                                                        {KeyType::ed25519, ecdsa_secp256r1_sha256},
                                                        {KeyType::ed25519, ed448},
                                                        {KeyType::rsa2048, ecdsa_secp256r1_sha256},
                                                        {KeyType::rsa2048, rsa_pss_pss_sha256},
                                                        {KeyType::rsa_pss2048, rsa_pss_rsae_sha256},
                                                        {KeyType::rsa_pss2048, rsa_pkcs1_sha256},
                                                        {KeyType::rsa_pss2048_sha256, rsa_pss_pss_sha384}}) {
    CAPTURE(static_cast<int>(key), name_of(scheme));
    TalkOptions12 options = with_key(key);
    options.server.scheme = scheme;
    CHECK(handshake12_with([](Plan12&) {}, options) == refusal);
  }
}

TEST_CASE("ServerKeyExchange: nothing in front, nothing behind, and not without", "[key_exchange12]") {
  CHECK(signed_with([](KeyExchangeDraft& draft) { draft.trailing = {0}; }) == trailing);
  CHECK(signed_with([](KeyExchangeDraft& draft) { draft.hint = ByteVector{}; }) == out_of_range);
  CHECK(signed_with([](KeyExchangeDraft& draft) { draft.scheme.reset(); }) == truncated_message);
  CHECK(handshake12_with([](Plan12& plan) { plan["ServerKeyExchange"].replace({}); }) == truncated_message);
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("ServerKeyExchange"); }) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("ServerKeyExchange"); }) == unexpected);
}

// ---- CertificateRequest, ServerHelloDone ----

TEST_CASE("CertificateRequest of TLS 1.2: its form", "[request12]") {
  const auto request_with = [](const std::function<void(RequestDraft12&)>& change) {
    RequestDraft12 draft;
    change(draft);
    return handshake12_with([&](Plan12& plan) { plan["CertificateRequest"].replace(draft.body()); },
                            {.server = {.request_certificate = true}});
  };
  CHECK(request_with([](RequestDraft12&) {}) == connected());
  CHECK(request_with([](RequestDraft12& draft) { draft.types = {77}; }) == connected());
  CHECK(request_with([](RequestDraft12& draft) { draft.types.clear(); }) == out_of_range);
  CHECK(request_with([](RequestDraft12& draft) { draft.schemes.clear(); }) == out_of_range);
  CHECK(request_with([](RequestDraft12& draft) { draft.schemes = {SignatureScheme::ecdsa_sha1}; }) == connected());
  CHECK(request_with([](RequestDraft12& draft) { draft.authorities = {{0x30, 0}}; }) == connected());
  CHECK(request_with([](RequestDraft12& draft) { draft.authorities = {{}}; }) == out_of_range);
  CHECK(request_with([](RequestDraft12& draft) { draft.authorities.assign(513, {0x30, 0}); }) ==
        refused(ErrorCode::message_too_large, Alert::illegal_parameter));
  const TalkOptions12 asking = {.server = {.request_certificate = true}};
  CHECK(handshake12_with(
            [](Plan12& plan) { plan["CertificateRequest"].edit([](ByteVector& body) { body.push_back(0); }); },
            asking) == trailing);
  CHECK(
      handshake12_with([](Plan12& plan) { plan["CertificateRequest"].edit([](ByteVector& body) { body.pop_back(); }); },
                       asking) == truncated_message);
}

TEST_CASE("CertificateRequest of TLS 1.2: its place", "[request12]") {
  const TalkOptions12 asking = {.server = {.request_certificate = true}};
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("CertificateRequest"); }, asking) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.swap("CertificateRequest", "ServerKeyExchange"); }, asking) ==
        unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.swap("CertificateRequest", "Certificate"); }, asking) == unexpected);
  CHECK(handshake12_with(
            [](Plan12& plan) {
              plan["CertificateRequest"].in_transcript = false;
              plan.swap("CertificateRequest", "ServerHelloDone");
            },
            asking) == unexpected);
}

TEST_CASE("ServerHelloDone is empty, and the end", "[hello_done12]") {
  CHECK(handshake12_with([](Plan12& plan) { plan["ServerHelloDone"].replace({0}); }) == trailing);
  CHECK(handshake12_with([](Plan12& plan) {
          plan["ServerHelloDone"].joined = true;
          plan.after("ServerHelloDone", Step12::message("more", HandshakeType::certificate, ByteVector{0, 0, 0}));
        }) == refused(ErrorCode::key_change_not_aligned, Alert::unexpected_message));
  CHECK(handshake12_with([](Plan12& plan) {
          plan.after("ServerHelloDone", Step12::message("again", HandshakeType::server_hello_done, ByteVector{}));
          plan["again"].in_transcript = false;
        }) == unexpected);
}

// ---- order ----

TEST_CASE("TLS 1.2: no message of the first flight may be missing, twice or in another place", "[order12]") {
  const std::vector<const char*> names = {"ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    if (i + 1 < names.size())
      CHECK(handshake12_with([&](Plan12& plan) { plan.repeat(names[i]); }) == unexpected);
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      CAPTURE(names[j]);
      CHECK(handshake12_with([&](Plan12& plan) { plan.swap(names[i], names[j]); }) == unexpected);
    }
  }
  for (const char* name : {"ServerHello", "Certificate", "ServerKeyExchange"}) {
    CAPTURE(name);
    CHECK(handshake12_with([&](Plan12& plan) { plan.drop(name); }) == unexpected);
  }
}
