// What the client offers for TLS 1.2, and what leaves a connection of TLS 1.2 besides data.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <tlsconnect/client/key_log.hpp>
#include <tlsconnect/crypto/hash.hpp>

#include "support.hpp"

using namespace test;

namespace {

std::set<ExtensionType> types_of(const SeenHello& hello) {
  std::set<ExtensionType> types;
  for (const RawExt& extension : hello.extensions)
    types.insert(extension.type);
  return types;
}
std::vector<CipherSuite> suites_of(const SeenHello& hello) {
  std::vector<CipherSuite> suites;
  for (std::size_t i = 0; i < hello.fields.cipher_suites.size(); ++i)
    suites.push_back(hello.fields.cipher_suites[i]);
  return suites;
}

/// Remembers its lines.
class Lines final : public tlsconnect::KeyLog {
public:
  void write(std::string_view line) noexcept override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

} // namespace

TEST_CASE("ClientHello: TLS 1.2 alone offers nothing of TLS 1.3", "[client_hello12]") {
  const Talk12 talk({.configure = [](auto& builder) {
    plain(builder);
    builder.hybrid(tlsconnect::HybridPolicy::off);
  }});
  const SeenHello& hello = talk.server.hello();
  CHECK(hello.fields.legacy_version == 0x0303);
  CHECK(hello.fields.legacy_session_id.empty());
  CHECK(tlsconnect::equal(hello.fields.legacy_compression_methods, ByteVector{0}));
  using enum ExtensionType;
  CHECK(types_of(hello) == std::set<ExtensionType>{server_name, supported_groups, ec_point_formats,
                                                   signature_algorithms, signature_algorithms_cert,
                                                   extended_main_secret, renegotiation_info});
  const std::vector<CipherSuite> suites = suites_of(hello);
  CHECK(std::set<CipherSuite>(suites.begin(), suites.end()) ==
        std::set<CipherSuite>{ecdsa_aes128, ecdsa_aes256, ecdsa_chacha, rsa_aes128, rsa_aes256, rsa_chacha});
  CHECK(find_extension(hello.extensions, renegotiation_info)->body == ByteVector{0});
  CHECK(find_extension(hello.extensions, extended_main_secret)->body.empty());
  CHECK(find_extension(hello.extensions, ec_point_formats)->body == ByteVector{1, 0});
  // No hybrid, whatever was said of them.
  const Talk12 usual({.quick = false});
  const auto groups = value_of(tlsconnect::decode<tlsconnect::NamedGroupList>(
      find_extension(usual.server.hello().extensions, supported_groups)->body));
  for (std::size_t i = 0; i < groups.groups.size(); ++i)
    CHECK(!tlsconnect::is_post_quantum(groups.groups[i]));
}

TEST_CASE("ClientHello: TLS 1.3 alone offers nothing of TLS 1.2", "[client_hello12]") {
  const Talk talk({.quick = false});
  using enum ExtensionType;
  for (const ExtensionType type : {ec_point_formats, extended_main_secret, renegotiation_info, session_ticket})
    CHECK(!types_of(talk.server.hello()).contains(type));
  for (const CipherSuite suite : suites_of(talk.server.hello()))
    CHECK(!tlsconnect::parameters12_of(suite));
}

TEST_CASE("ClientHello: both versions, the newer one first", "[client_hello12]") {
  const Talk12 talk({.configure = [](auto& builder) {
    plain(builder);
    both_versions(builder);
  }});
  const SeenHello& hello = talk.server.hello();
  CHECK(hello.fields.legacy_version == 0x0303);
  CHECK(find_extension(hello.extensions, ExtensionType::supported_versions)->body == ByteVector{4, 3, 4, 3, 3});
  const std::vector<CipherSuite> suites = suites_of(hello);
  REQUIRE(suites.size() == 9);
  for (std::size_t i = 0; i < suites.size(); ++i)
    CHECK(tlsconnect::parameters_of(suites[i]).has_value() == (i < 3));
}

TEST_CASE("TLS 1.2: exporters and channel bindings", "[exporter12]") {
  for (const CipherSuite suite : {ecdsa_aes128, ecdsa_aes256}) {
    Talk12 talk({.server = {.suite = suite}});
    ByteVector out(40);
    CHECK(talk.client.export_keying_material("EXPERIMENTAL x", std::nullopt, out).error().code() ==
          ErrorCode::export_not_available);
    CHECK(!talk.client.tls_unique());
    // In the middle of the handshake there is nothing to bind to, either.
    Talk12 halfway({.server = {.suite = suite}});
    Plan12 hello;
    hello.append(halfway.plan["ServerHello"]);
    halfway.server.run(hello);
    halfway.to_client();
    CHECK(!halfway.client.tls_unique());
    CHECK(halfway.client.export_keying_material("EXPERIMENTAL x", std::nullopt, out).error().code() ==
          ErrorCode::export_not_available);
    talk.handshake();
    REQUIRE(outcome_of(talk) == connected());
    ByteVector seen;
    const ByteVector some = bytes_of("context");
    for (const std::optional<BytesView>& context :
         {std::optional<BytesView>(), std::optional<BytesView>(BytesView()), std::optional<BytesView>(some)}) {
      REQUIRE(talk.client.export_keying_material("EXPERIMENTAL x", context, out));
      ByteVector expected(40);
      value_of(
          talk.server.main_secret().export_keying_material(talk.server.randoms(), "EXPERIMENTAL x", context, expected));
      CHECK(out == expected);
      // RFC 5705, 4: no context and an empty one differ.
      CHECK(out != seen);
      seen = out;
    }
    for (const char* own :
         {"master secret", "key expansion", "client finished", "server finished", "extended master secret"})
      CHECK(talk.client.export_keying_material(own, std::nullopt, out).error().code() ==
            ErrorCode::export_not_available);
    // RFC 5929, 3.1: the first Finished is the client's.
    CHECK(talk.client.tls_unique().value() == talk.server.client_verify_data());
    CHECK(talk.client.tls_exporter().value().size() == 32);
    const auto digest = value_of(tlsconnect::hash_of(HashAlgorithm::sha256, server_identity().der()));
    CHECK(talk.client.tls_server_end_point().value() == tlsconnect::to_vector(digest.view()));
  }
}

TEST_CASE("TLS 1.2: the key log has one line for a connection", "[key_log12]") {
  const auto hex = [](BytesView bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  };
  const auto log = std::make_shared<Lines>();
  Client12 client{.configure = [log](auto& builder) { builder.key_log(log); }};
  Returning12 returning(by_ticket(), client);
  REQUIRE(log->lines.size() == 1);
  CHECK(log->lines[0].starts_with("CLIENT_RANDOM "));
  CHECK(log->lines[0].find(hex(returning.session.main_secret)) != std::string::npos);
  Talk12 talk = returning.talk();
  talk.handshake();
  REQUIRE(log->lines.size() == 2);
  CHECK(log->lines[1].starts_with("CLIENT_RANDOM " + hex(talk.server.hello().fields.random) + " " +
                                  hex(returning.session.main_secret)));
}

TEST_CASE("TLS 1.2 has no key updates, and no padding", "[connected12]") {
  Talk12 talk({.configure = [](auto& builder) { builder.record_padding(500); }});
  talk.handshake();
  REQUIRE(outcome_of(talk) == connected());
  CHECK(talk.client.update_keys(true).error().code() == ErrorCode::key_update_not_possible);
  check_data_both_ways(talk);
  CHECK(talk.server.records().back().content.size() == 15);
  CHECK(outcome_of(talk) == connected());
}

TEST_CASE("TLS 1.2: data in the write that finishes", "[connected12]") {
  // In a full handshake the client has to wait for the server's Finished; in a resumed one it has it already.
  Returning12 returning(by_id());
  for (const bool resumed : {false, true}) {
    Talk12 talk = resumed ? returning.talk() : Talk12();
    CHECK(talk.client.encrypt_all(tlsconnect::as_bytes("early")).error().code() == ErrorCode::not_connected);
    talk.server.run(talk.plan);
    talk.to_client();
    CHECK(talk.client.handshake_complete() == resumed);
    CHECK(talk.client.encrypt_all(tlsconnect::as_bytes("first")).has_value() == resumed);
    talk.exchange();
    CHECK(outcome_of(talk) == connected());
    CHECK(tlsconnect::as_text(talk.server.received()) == (resumed ? "first" : ""));
  }
}
