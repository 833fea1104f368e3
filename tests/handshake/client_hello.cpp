// What the client itself sends first (RFC 9846, 4.1.2), and what it does when randomness fails.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/crypto/key_exchange.hpp>
#include <tlsconnect/impl/config_access.hpp>

#include "support.hpp"

using namespace test;

namespace {

template <class E>
std::vector<E> list_of(const tlsconnect::CodeList<E>& codes) {
  std::vector<E> values;
  for (std::size_t i = 0; i < codes.size(); ++i)
    values.push_back(codes[i]);
  return values;
}

template <class Body>
Body body_of(const SeenHello& hello, ExtensionType type) {
  const RawExt* extension = find_extension(hello.extensions, type);
  REQUIRE(extension != nullptr);
  return value_of(tlsconnect::decode<Body>(extension->body));
}

} // namespace

TEST_CASE("ClientHello: the fixed fields", "[client_hello]") {
  for (const bool compatibility : {true, false}) {
    Talk talk({.configure = [=](auto& builder) { builder.compatibility_mode(compatibility); }, .quick = false});
    const SeenHello& hello = talk.server.hello();
    CHECK(hello.fields.legacy_version == 0x0303);
    // RFC 9846, 4.1.2 and E.4: a session id for middleboxes, or none.
    CHECK(hello.fields.legacy_session_id.size() == (compatibility ? 32 : 0));
    CHECK(tlsconnect::equal(hello.fields.legacy_compression_methods, ByteVector{0}));
    REQUIRE(talk.server.records().size() == 1);
    CHECK(talk.server.records()[0].version == 0x0301);
    CHECK(talk.server.records()[0].outer == ContentType::handshake);
  }
}

TEST_CASE("ClientHello: random and session id are fresh", "[client_hello]") {
  const TalkOptions system{.configure = [](auto& builder) { builder.rng(nullptr); }};
  Talk a(system);
  Talk b(system);
  CHECK(a.server.hello().fields.random != b.server.hello().fields.random);
  CHECK(!tlsconnect::equal(a.server.hello().fields.legacy_session_id, b.server.hello().fields.legacy_session_id));
  CHECK(!tlsconnect::equal(a.server.hello().fields.legacy_session_id, a.server.hello().fields.random));
  CHECK(a.server.hello().shares != b.server.hello().shares);
}

TEST_CASE("ClientHello: the lists are the configuration's", "[client_hello]") {
  const std::vector<CipherSuite> suites = {CipherSuite::chacha20_poly1305_sha256, CipherSuite::aes_128_gcm_sha256};
  const std::vector<NamedGroup> groups = {NamedGroup::secp384r1, NamedGroup::x25519_mlkem768, NamedGroup::x25519,
                                          NamedGroup::secp256r1};
  const std::vector<SignatureScheme> schemes = {SignatureScheme::ed25519, SignatureScheme::ecdsa_secp256r1_sha256};
  const std::vector<SignatureScheme> certificate_schemes = {SignatureScheme::rsa_pkcs1_sha256,
                                                            SignatureScheme::ecdsa_secp384r1_sha384};
  Talk talk({.configure = [&](auto& builder) {
    plain(builder);
    builder.cipher_suites(suites).groups(groups).signature_schemes(schemes);
    builder.certificate_signature_schemes(certificate_schemes).alpn({"b", "a"});
  }});
  const SeenHello& hello = talk.server.hello();
  CHECK(list_of(hello.fields.cipher_suites) == suites);
  CHECK(list_of(body_of<tlsconnect::NamedGroupList>(hello, ExtensionType::supported_groups).groups) == groups);
  CHECK(list_of(body_of<tlsconnect::SignatureSchemeList>(hello, ExtensionType::signature_algorithms).schemes) ==
        schemes);
  CHECK(list_of(body_of<tlsconnect::SignatureSchemeList>(hello, ExtensionType::signature_algorithms_cert).schemes) ==
        certificate_schemes);
  CHECK(list_of(body_of<tlsconnect::OfferedVersions>(hello, ExtensionType::supported_versions).versions) ==
        std::vector{ProtocolVersion::tls1_3});
  CHECK(find_extension(hello.extensions, ExtensionType::application_layer_protocol_negotiation)->body ==
        ByteVector{0, 4, 1, 'b', 1, 'a'});
  // RFC 9846, 4.2.8: the shares stand in the order of the groups; one of each kind by default.
  REQUIRE(hello.shares.size() == 2);
  CHECK(hello.shares[0].first == NamedGroup::secp384r1);
  CHECK(hello.shares[1].first == NamedGroup::x25519_mlkem768);
  for (const auto& [group, share] : hello.shares)
    CHECK(share.size() == tlsconnect::lengths_of(group)->client_share);
}

TEST_CASE("ClientHello: the handshake's schemes never include PKCS #1 or SHA-1", "[client_hello]") {
  Talk talk({.quick = false});
  const auto schemes =
      body_of<tlsconnect::SignatureSchemeList>(talk.server.hello(), ExtensionType::signature_algorithms).schemes;
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha1, SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha256,
        SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512})
    CHECK(!schemes.contains(scheme));
}

TEST_CASE("ClientHello: no extension twice, none that is not wanted", "[client_hello]") {
  Talk talk({.configure = plain, .quick = false});
  std::vector<ExtensionType> types;
  for (const RawExt& extension : talk.server.hello().extensions)
    types.push_back(extension.type);
  std::sort(types.begin(), types.end());
  CHECK(types == std::vector{ExtensionType::server_name, ExtensionType::supported_groups,
                             ExtensionType::signature_algorithms, ExtensionType::supported_versions,
                             ExtensionType::signature_algorithms_cert, ExtensionType::key_share});
}

TEST_CASE("ClientHello: a hybrid and its curve share one key pair", "[client_hello]") {
  Talk talk({.configure = plain, .quick = false});
  const auto& shares = talk.server.hello().shares;
  REQUIRE(shares.size() == 2);
  const BytesView hybrid(shares[0].second);
  CHECK(tlsconnect::equal(hybrid.last(32), shares[1].second));
}

TEST_CASE("ClientHello: when randomness fails, nothing is sent but the truth", "[client_hello]") {
  // The random, the session id, the key, the choices for GREASE and order: whichever draw fails.
  for (const std::size_t enough_for : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{63},
                                       std::size_t{64}, std::size_t{95}, std::size_t{96}, std::size_t{159}}) {
    CAPTURE(enough_for);
    Talk talk(
        {.configure = [=](auto& builder) { builder.rng(std::make_shared<ScriptRng>(ByteVector(enough_for, 0x42))); }});
    CHECK(talk.server.hellos().empty());
    CHECK(outcome_of(talk) == refused(ErrorCode::random_source_failed, Alert::internal_error));
  }
  Talk talk({.configure = [](auto& builder) { builder.rng(std::make_shared<ScriptRng>(ByteVector(160, 0x42))); }});
  CHECK(talk.server.hellos().size() == 1);
  CHECK(!talk.client.failure());
}

namespace {

/// Fails in one draw and in no other, so that a failure that is overlooked is not made up for by the next one.
class OneDrawFails final : public tlsconnect::Rng {
public:
  explicit OneDrawFails(unsigned draw) : draw_(draw) {}
  bool fill(Bytes out) noexcept override { return count_++ != draw_ && rest_.fill(out); }

private:
  unsigned draw_;
  unsigned count_ = 0;
  FixedRng rest_;
};

} // namespace

TEST_CASE("ClientHello: each failed draw is noticed by itself", "[client_hello]") {
  // The random, the session id, the key of x25519, the choices.
  for (const unsigned draw : {0U, 1U, 2U, 3U}) {
    CAPTURE(draw);
    Talk talk({.configure = [=](auto& builder) { builder.rng(std::make_shared<OneDrawFails>(draw)); }});
    CHECK(talk.server.hellos().empty());
    CHECK(outcome_of(talk) == refused(ErrorCode::random_source_failed, Alert::internal_error));
  }
  Talk talk({.configure = [](auto& builder) { builder.rng(std::make_shared<OneDrawFails>(4)); }});
  CHECK(talk.server.hellos().size() == 1);
}

TEST_CASE("ClientHello: randomness that fails after a retry", "[client_hello]") {
  Talk talk({.configure = [](auto& builder) {
    builder.groups({NamedGroup::x25519, NamedGroup::secp256r1});
    builder.rng(std::make_shared<ScriptRng>(ByteVector(160 + 31, 0x42)));
  }});
  talk.retry(NamedGroup::secp256r1);
  CHECK(talk.server.hellos().size() == 1);
  CHECK(outcome_of(talk) == refused(ErrorCode::random_source_failed, Alert::internal_error));
}

TEST_CASE("ClientHello: more extensions than can be kept in mind are not sent", "[client_hello]") {
  const auto with = [](std::size_t count) {
    return Talk({.configure = [count](auto& builder) {
      tlsconnect::detail::HelloTemplate fixed;
      for (std::size_t i = 0; i < count; ++i)
        fixed.extensions.push_back({.type = static_cast<ExtensionType>(0x1000 + i), .body = ByteVector()});
      tlsconnect::detail::ConfigAccess::set_hello_template(builder, std::move(fixed));
    }});
  };
  CHECK(with(tlsconnect::OfferedExtensions::capacity()).server.hellos().size() == 1);
  const Talk talk = with(tlsconnect::OfferedExtensions::capacity() + 1);
  CHECK(talk.server.hellos().empty());
  REQUIRE(talk.client.failure() != nullptr);
  CHECK(talk.client.failure()->code() == ErrorCode::too_many_extensions);
}

TEST_CASE("ClientHello: without a configuration there is no connection", "[client_hello]") {
  tlsconnect::ClientEngine engine(nullptr, value_of(tlsconnect::ServerName::parse("server.test")));
  REQUIRE(engine.failure() != nullptr);
  CHECK(engine.failure()->code() == ErrorCode::configuration_invalid);
  CHECK(engine.pending_output().empty());
  CHECK(engine.receive_buffer().empty());
}
