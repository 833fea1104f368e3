// HMAC against RFC 4231, HKDF against RFC 5869, HKDF-Expand-Label against RFC 8448's key schedule, the PRF of TLS 1.2
// against the values that were published on the TLS working group's list.
#include <catch2/catch_test_macros.hpp>

#include <string>

#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/crypto/kdf.hpp>

#include "test_bytes.hpp"

using namespace tlsconnect;
using test::hex;

namespace {

ByteVector hmac_value(HashAlgorithm hash, BytesView key, BytesView data) {
  ByteVector out(hash_length(hash));
  REQUIRE(hmac(hash, key, data, out));
  return out;
}

ByteVector extracted(HashAlgorithm hash, BytesView salt, BytesView input) {
  ByteVector out(hash_length(hash));
  REQUIRE(hkdf_extract(hash, salt, input, out));
  return out;
}

ByteVector expanded(HashAlgorithm hash, BytesView key, BytesView info, std::size_t length) {
  ByteVector out(length);
  REQUIRE(hkdf_expand(hash, key, info, out));
  return out;
}

ByteVector labelled(HashAlgorithm hash, BytesView secret, std::string_view label, BytesView context,
                    std::size_t length) {
  ByteVector out(length);
  REQUIRE(hkdf_expand_label(hash, secret, label, context, out));
  return out;
}

void check_refused(const Result<>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::crypto_failed);
}

} // namespace

TEST_CASE("HMAC has the values of RFC 4231", "[crypto][kdf]") {
  struct Example {
    ByteVector key;
    std::string_view data;
    const char* sha256;
    const char* sha384;
    const char* sha512;
  };
  const Example examples[] = {
      {test::repeated(20, 0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
       "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
       "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
      {to_vector(as_bytes("Jefe")), "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
      // A key that is longer than a block of each hash.
      {test::repeated(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
       "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
       "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
       "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
  };
  for (const Example& example : examples) {
    const BytesView data = as_bytes(example.data);
    CHECK(hmac_value(HashAlgorithm::sha256, example.key, data) == hex(example.sha256));
    CHECK(hmac_value(HashAlgorithm::sha384, example.key, data) == hex(example.sha384));
    CHECK(hmac_value(HashAlgorithm::sha512, example.key, data) == hex(example.sha512));
  }
}

TEST_CASE("HMAC's key is hashed only when it is longer than a block", "[crypto][kdf]") {
  const struct {
    HashAlgorithm hash;
    std::size_t block;
  } hashes[] = {{HashAlgorithm::sha256, 64}, {HashAlgorithm::sha384, 128}, {HashAlgorithm::sha512, 128}};
  for (const auto& [hash, block] : hashes) {
    // RFC 2104: a key of a block stands for itself; the same with a zero more is another key, hashed first.
    const ByteVector full = test::repeated(block, 0x5a);
    const ByteVector longer = test::repeated(block + 1, 0x5a);
    const auto hashed = hash_of(hash, longer);
    const auto full_hashed = hash_of(hash, full);
    REQUIRE(hashed);
    REQUIRE(full_hashed);
    CHECK(hmac_value(hash, longer, as_bytes("x")) == hmac_value(hash, hashed->view(), as_bytes("x")));
    CHECK(hmac_value(hash, full, as_bytes("x")) != hmac_value(hash, full_hashed->view(), as_bytes("x")));
    // A shorter key is filled up with zeros.
    const ByteVector zero_filled = test::joined(test::repeated(7, 0x5a), test::repeated(block - 7, 0));
    CHECK(hmac_value(hash, test::repeated(7, 0x5a), as_bytes("x")) == hmac_value(hash, zero_filled, as_bytes("x")));
  }
}

TEST_CASE("HMAC and HKDF-Extract want an output of the hash's length", "[crypto][kdf]") {
  ByteVector out(100, 0xEE);
  for (std::size_t length : {0u, 31u, 33u}) {
    check_refused(hmac(HashAlgorithm::sha256, {}, {}, std::span(out).first(length)));
    check_refused(hkdf_extract(HashAlgorithm::sha256, {}, {}, std::span(out).first(length)));
  }
  check_refused(hmac(HashAlgorithm::sha384, {}, {}, std::span(out).first(47)));
  check_refused(hmac(HashAlgorithm::sha512, {}, {}, std::span(out).first(65)));
  CHECK(out == ByteVector(100, 0xEE));
}

TEST_CASE("HKDF has the values of RFC 5869, A.1 to A.3", "[crypto][kdf]") {
  const auto hash = HashAlgorithm::sha256;
  const ByteVector first = extracted(hash, test::counted(0x00, 0x0c), test::repeated(22, 0x0b));
  CHECK(first == hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
  CHECK(expanded(hash, first, test::counted(0xf0, 0xf9), 42) ==
        hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));

  const ByteVector second = extracted(hash, test::counted(0x60, 0xaf), test::counted(0x00, 0x4f));
  CHECK(second == hex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"));
  CHECK(expanded(hash, second, test::counted(0xb0, 0xff), 82) ==
        hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"));

  const ByteVector third = extracted(hash, {}, test::repeated(22, 0x0b));
  CHECK(third == hex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"));
  CHECK(expanded(hash, third, {}, 42) ==
        hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST_CASE("an empty salt counts as a hash's length of zeros", "[crypto][kdf]") {
  for (HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512})
    CHECK(extracted(hash, {}, as_bytes("input")) ==
          extracted(hash, test::repeated(hash_length(hash), 0), as_bytes("input")));
}

TEST_CASE("HKDF-Expand gives any length up to 255 blocks, each the start of a longer one", "[crypto][kdf]") {
  for (HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384}) {
    const std::size_t block = hash_length(hash);
    const ByteVector key = test::repeated(block, 0x42);
    const ByteVector longest = expanded(hash, key, as_bytes("info"), 255 * block);
    for (std::size_t length :
         {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 2 * block, 3 * block + 5, 255 * block - 1}) {
      const ByteVector shorter = expanded(hash, key, as_bytes("info"), length);
      CHECK(equal(shorter, BytesView(longest).first(length)));
    }
    // RFC 5869, 2.3: the blocks are chained by hand here, the last one included.
    ByteVector previous(BytesView(longest).subspan(253 * block, block).begin(),
                        BytesView(longest).subspan(253 * block, block).end());
    ByteVector message = test::joined(previous, as_bytes("info"));
    message.push_back(255);
    CHECK(equal(hmac_value(hash, key, message), BytesView(longest).last(block)));

    ByteVector too_long(255 * block + 1, 0xEE);
    check_refused(hkdf_expand(hash, key, as_bytes("info"), too_long));
    CHECK(too_long == ByteVector(255 * block + 1, 0xEE));
  }
}

TEST_CASE("a secret can be replaced in place by what is derived from it", "[crypto][kdf]") {
  const auto hash = HashAlgorithm::sha256;
  const ByteVector key = test::repeated(32, 7);
  ByteVector in_place = key;
  REQUIRE(hkdf_expand_label(hash, in_place, "traffic upd", {}, in_place));
  CHECK(in_place == labelled(hash, key, "traffic upd", {}, 32));
}

TEST_CASE("HKDF-Expand-Label makes the key schedule of RFC 8448, 3", "[crypto][kdf]") {
  const auto hash = HashAlgorithm::sha256;
  const ByteVector zeros = test::repeated(32, 0);
  const auto empty = hash_of(hash, {});
  REQUIRE(empty);

  const ByteVector early = extracted(hash, {}, zeros);
  CHECK(early == hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
  const ByteVector derived = labelled(hash, early, "derived", empty->view(), 32);
  CHECK(derived == hex("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"));
  const ByteVector handshake =
      extracted(hash, derived, hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"));
  CHECK(handshake == hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));

  const ByteVector transcript = hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
  CHECK(labelled(hash, handshake, "c hs traffic", transcript, 32) ==
        hex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"));
  const ByteVector server = labelled(hash, handshake, "s hs traffic", transcript, 32);
  CHECK(server == hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"));
  CHECK(labelled(hash, server, "key", {}, 16) == hex("3fce516009c21727d0f2e4e86ee403bc"));
  CHECK(labelled(hash, server, "iv", {}, 12) == hex("5d313eb2671276ee13000b30"));
  CHECK(labelled(hash, server, "finished", {}, 32) ==
        hex("008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"));

  const ByteVector main_derived = labelled(hash, handshake, "derived", empty->view(), 32);
  CHECK(main_derived == hex("43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4"));
  CHECK(extracted(hash, main_derived, zeros) ==
        hex("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"));
}

TEST_CASE("HKDF-Expand-Label is HKDF-Expand of the structure in RFC 9846, 7.1", "[crypto][kdf]") {
  const auto hash = HashAlgorithm::sha384;
  const ByteVector secret = test::repeated(48, 0x11);
  const std::string label(249, 'l');
  const ByteVector context = test::repeated(255, 0x22);
  const std::size_t length = 0x0123;

  ByteVector info = {0x01, 0x23, 255};
  info = test::joined(info, as_bytes("tls13 "));
  info = test::joined(info, as_bytes(label));
  info.push_back(255);
  info = test::joined(info, context);
  CHECK(labelled(hash, secret, label, context, length) == expanded(hash, secret, info, length));
}

TEST_CASE("HKDF-Expand-Label refuses what its length fields cannot say", "[crypto][kdf]") {
  const auto hash = HashAlgorithm::sha256;
  const ByteVector secret = test::repeated(32, 0x11);
  ByteVector out(32, 0xEE);
  check_refused(hkdf_expand_label(hash, secret, std::string(250, 'l'), {}, out));
  check_refused(hkdf_expand_label(hash, secret, "key", test::repeated(256, 0), out));
  ByteVector too_long(65'536, 0xEE);
  check_refused(hkdf_expand_label(hash, secret, "key", {}, too_long));
  CHECK(out == ByteVector(32, 0xEE));
  CHECK(hkdf_expand_label(hash, secret, "l", {}, out));
  // Whoever exports under no label at all gets what others give for that.
  CHECK(hkdf_expand_label(hash, secret, "", {}, out));
}

TEST_CASE("the PRF of TLS 1.2 has its published values", "[crypto][kdf]") {
  const auto prf = [](HashAlgorithm hash, BytesView secret, BytesView seed, BytesView more, std::size_t length) {
    ByteVector out(length);
    REQUIRE(prf_tls12(hash, secret, "test label", seed, more, out));
    return out;
  };
  const ByteVector sha256 =
      hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0f"
          "a022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff7018734"
          "7b66");
  const ByteVector secret256 = hex("9bbe436ba940f017b17652849a71db35");
  const ByteVector seed256 = hex("a0ba9f936cda311827a6f796ffd5198c");
  CHECK(prf(HashAlgorithm::sha256, secret256, seed256, {}, sha256.size()) == sha256);
  CHECK(prf(HashAlgorithm::sha384, hex("b80b733d6ceefcdc71566ea48e5567df"), hex("cd665cf6a8447dd6ff8b27555edb7465"), {},
            148) ==
        hex("7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e5"
            "34cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5b"
            "f8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e5"
            "6f"));
  // Shorter output is its beginning, whole blocks included; the seed may come in two parts.
  for (const std::size_t length : {1U, 12U, 31U, 32U, 33U, 48U, 64U, 96U}) {
    const ByteVector out =
        prf(HashAlgorithm::sha256, secret256, BytesView(seed256).first(7), BytesView(seed256).subspan(7), length);
    CHECK(out == ByteVector(sha256.begin(), sha256.begin() + static_cast<std::ptrdiff_t>(length)));
  }
  CHECK(prf_tls12(HashAlgorithm::sha256, secret256, "test label", seed256, {}, {}));
}
