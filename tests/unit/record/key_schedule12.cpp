// The secrets of TLS 1.2: how they hang together, and what exporters make of contexts (RFC 5246, RFC 7627, RFC 5705).
#include <catch2/catch_test_macros.hpp>

#include <string>

#include <tlsconnect/crypto/kdf.hpp>
#include <tlsconnect/handshake/key_schedule12.hpp>

using namespace tlsconnect;

namespace {

HelloRandoms randoms() {
  HelloRandoms both;
  both.client.fill(0xC1);
  both.server.fill(0x5E);
  return both;
}
ByteVector joined(BytesView a, BytesView b) {
  ByteVector both = to_vector(a);
  both.insert(both.end(), b.begin(), b.end());
  return both;
}
ByteVector prf(BytesView secret, std::string_view label, BytesView seed, std::size_t size) {
  ByteVector out(size);
  REQUIRE(prf_tls12(HashAlgorithm::sha256, secret, label, seed, {}, out));
  return out;
}

const ByteVector premaster_bytes(32, 0x11);

MainSecret12 main_secret() {
  auto made = MainSecret12::from_randoms(HashAlgorithm::sha256, PremasterSecret(BytesView(premaster_bytes)), randoms());
  REQUIRE(made);
  return std::move(*made);
}

} // namespace

TEST_CASE("TLS 1.2: the main secret of RFC 5246, 8.1 and that of RFC 7627, 4", "[keys12]") {
  const HelloRandoms both = randoms();
  CHECK(equal(main_secret().view(), prf(premaster_bytes, "master secret", joined(both.client, both.server), 48)));
  Digest hash;
  REQUIRE(hash.assign(ByteVector(32, 0x77)));
  const auto extended =
      MainSecret12::extended(HashAlgorithm::sha256, PremasterSecret(BytesView(premaster_bytes)), hash);
  REQUIRE(extended);
  CHECK(equal(extended->view(), prf(premaster_bytes, "extended master secret", hash.view(), 48)));
  CHECK_FALSE(MainSecret12::of_session(HashAlgorithm::sha256, ByteVector(47)));
  CHECK(MainSecret12::of_session(HashAlgorithm::sha256, ByteVector(48)));
}

TEST_CASE("TLS 1.2: the key block is cut in the order of RFC 5246, 6.3", "[keys12]") {
  const HelloRandoms both = randoms();
  for (const CipherSuite suite :
       {CipherSuite::ecdhe_rsa_aes_128_gcm_sha256, CipherSuite::ecdhe_rsa_chacha20_poly1305_sha256}) {
    const auto parameters = parameters12_of(suite);
    REQUIRE(parameters);
    const std::size_t key = key_length(parameters->aead);
    const std::size_t iv = fixed_iv_length12(parameters->aead);
    const ByteVector block =
        prf(main_secret().view(), "key expansion", joined(both.server, both.client), 2 * key + 2 * iv);
    const auto cut = KeyBlock12::derive(*parameters, main_secret().view(), both);
    REQUIRE(cut);
    CHECK(equal(cut->client_key.view(), BytesView(block).first(key)));
    CHECK(equal(cut->server_key.view(), BytesView(block).subspan(key, key)));
    CHECK(equal(cut->client_iv.view(), BytesView(block).subspan(2 * key, iv)));
    CHECK(equal(cut->server_iv.view(), BytesView(block).last(iv)));
    // The client reads with the server's keys.
    auto keys = main_secret().record_keys(*parameters, both);
    REQUIRE(keys);
    auto server = write_protection12(parameters->aead, cut->server_key.view(), cut->server_iv.view());
    REQUIRE(server);
    ByteVector fragment(server->overhead() + 3, 9);
    REQUIRE(server->seal(ContentType::handshake, fragment));
    CHECK(keys->reading.open(ContentType::handshake, fragment));
  }
}

TEST_CASE("TLS 1.2: the two sides finish differently", "[keys12]") {
  Digest hash;
  REQUIRE(hash.assign(ByteVector(32, 0x77)));
  const MainSecret12 main = main_secret();
  const auto client = main.client_finished(hash);
  const auto server = main.server_finished(hash);
  REQUIRE((client && server));
  CHECK(equal(*client, prf(main.view(), "client finished", hash.view(), 12)));
  CHECK(equal(*server, prf(main.view(), "server finished", hash.view(), 12)));
}

TEST_CASE("TLS 1.2: exporters tell no context from an empty one, and keep off TLS's own labels", "[keys12]") {
  const MainSecret12 main = main_secret();
  const HelloRandoms both = randoms();
  const auto exported = [&](std::optional<BytesView> context) {
    ByteVector out(40);
    REQUIRE(main.export_keying_material(both, "EXPERIMENTAL x", context, out));
    return out;
  };
  const ByteVector seed = joined(both.client, both.server);
  CHECK(exported(std::nullopt) == prf(main.view(), "EXPERIMENTAL x", seed, 40));
  CHECK(exported(BytesView()) == prf(main.view(), "EXPERIMENTAL x", joined(seed, ByteVector{0, 0}), 40));
  CHECK(exported(as_bytes("abc")) ==
        prf(main.view(), "EXPERIMENTAL x", joined(seed, ByteVector{0, 3, 'a', 'b', 'c'}), 40));
  ByteVector out(16);
  for (const std::string_view own :
       {"client finished", "server finished", "master secret", "extended master secret", "key expansion"}) {
    const Result<> refused = main.export_keying_material(both, own, std::nullopt, out);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ErrorCode::export_not_available);
  }
  const ByteVector long_context(0x1'0000);
  CHECK_FALSE(main.export_keying_material(both, "x", long_context, out));
  CHECK(main.export_keying_material(both, "x", BytesView(long_context).first(0xFFFF), out));
  CHECK_FALSE(main.export_keying_material(both, "x", std::nullopt, Bytes()));
}

TEST_CASE("TLS 1.2: premaster secrets with a pre-shared key", "[keys12]") {
  const ByteVector psk{1, 2, 3};
  // RFC 4279, 2: zeros, as many as the key is long, and the key, each behind its length.
  CHECK(equal(psk_premaster_secret(psk, {}).view(), ByteVector{0, 3, 0, 0, 0, 0, 3, 1, 2, 3}));
  // RFC 5489, 2: the shared secret instead.
  CHECK(equal(psk_premaster_secret(psk, ByteVector{9, 8}).view(), ByteVector{0, 2, 9, 8, 0, 3, 1, 2, 3}));
  CHECK(psk_premaster_secret(ByteVector(255, 1), ByteVector(255, 2)).size() == 514);
  CHECK(psk_premaster_secret(ByteVector(256, 1), {}).empty());
  CHECK(psk_premaster_secret({}, {}).empty());
}
