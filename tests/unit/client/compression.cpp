// Decompressors of certificates, each against the compressor of its own library.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/client/certificate_compression.hpp>

#if defined(TLSCONNECT_WITH_BROTLI)
#include <brotli/encode.h>
#include <tlsconnect/compression/brotli.hpp>
#endif
#if defined(TLSCONNECT_WITH_ZLIB)
#include <tlsconnect/compression/zlib.hpp>
#include <zlib.h>
#endif
#if defined(TLSCONNECT_WITH_ZSTD)
#include <tlsconnect/compression/zstd.hpp>
#include <zstd.h>
#endif

namespace tls = tlsconnect;
using Algorithm = tls::CertificateCompressionAlgorithm;
using tls::BytesView;
using tls::ByteVector;

namespace {

struct Way {
  Algorithm algorithm;
  std::shared_ptr<const tls::CertificateDecompressor> decompressor;
  std::function<ByteVector(BytesView)> compress;
};

#if defined(TLSCONNECT_WITH_BROTLI)
/// `window` above 24 is the extension that RFC 7932 does not know.
ByteVector brotli(BytesView content, std::uint32_t window = 22) {
  BrotliEncoderState* const state = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
  REQUIRE(state);
  BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, 5);
  if (window > 24)
    BrotliEncoderSetParameter(state, BROTLI_PARAM_LARGE_WINDOW, 1);
  BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, window);
  ByteVector out(content.size() + 1024);
  std::size_t unread = content.size();
  const std::uint8_t* from = content.data();
  std::size_t room = out.size();
  std::uint8_t* to = out.data();
  const bool good = BrotliEncoderCompressStream(state, BROTLI_OPERATION_FINISH, &unread, &from, &room, &to, nullptr) &&
                    BrotliEncoderIsFinished(state);
  BrotliEncoderDestroyInstance(state);
  REQUIRE(good);
  out.resize(out.size() - room);
  return out;
}
#endif

#if defined(TLSCONNECT_WITH_ZLIB)
/// `window`: 15 is zlib's format, 31 gzip's, -15 none around the compressed data.
ByteVector zlib(BytesView content, int window = 15, BytesView dictionary = {}) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  if (!dictionary.empty())
    REQUIRE(deflateSetDictionary(&stream, dictionary.data(), static_cast<uInt>(dictionary.size())) == Z_OK);
  ByteVector input(content.begin(), content.end());
  ByteVector out(content.size() + content.size() / 1000 + 1024);
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  REQUIRE(deflateEnd(&stream) == Z_OK);
  return out;
}
#endif

#if defined(TLSCONNECT_WITH_ZSTD)
ByteVector zstd(BytesView content, bool with_checksum = false, bool with_size = true) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  REQUIRE(context);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, with_checksum ? 1 : 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  ByteVector out(content.size() + 1024);
  const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), content.data(), content.size());
  ZSTD_freeCCtx(context);
  REQUIRE_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}
#endif

/// In the order in which the library prefers them.
std::vector<Way> ways() {
  std::vector<Way> all;
#if defined(TLSCONNECT_WITH_BROTLI)
  all.push_back({Algorithm::brotli, tls::brotli_decompressor(), [](BytesView content) { return brotli(content); }});
#endif
#if defined(TLSCONNECT_WITH_ZSTD)
  all.push_back({Algorithm::zstd, tls::zstd_decompressor(), [](BytesView content) { return zstd(content); }});
#endif
#if defined(TLSCONNECT_WITH_ZLIB)
  all.push_back({Algorithm::zlib, tls::zlib_decompressor(), [](BytesView content) { return zlib(content); }});
#endif
  return all;
}

std::vector<Way> some_ways() {
  std::vector<Way> all = ways();
  if (all.empty())
    SKIP("built without a library for compression");
  return all;
}

/// Numbers that look random, and are the same each time.
class Noise {
public:
  std::uint8_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint8_t>(state_ >> 56);
  }
  ByteVector bytes(std::size_t count) {
    ByteVector out(count);
    for (std::uint8_t& byte : out)
      byte = next();
    return out;
  }

private:
  std::uint64_t state_ = 42;
};

/// As a chain is: names that repeat, and keys that do not.
ByteVector like_certificates(std::size_t size) {
  Noise noise;
  ByteVector out;
  while (out.size() < size) {
    const BytesView name = tls::as_bytes("C=XX, O=The Same Authority of Everywhere, CN=Intermediate Certificate ");
    out.insert(out.end(), name.begin(), name.end());
    const ByteVector key = noise.bytes(96);
    out.insert(out.end(), key.begin(), key.end());
  }
  out.resize(size);
  return out;
}

ByteVector joined(BytesView a, BytesView b) {
  ByteVector out(a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

/// Decompresses to `size` bytes in the middle of a larger buffer, the rest of which must stay as it was.
struct Outcome {
  bool good;
  ByteVector content;
};
Outcome decompress(const tls::CertificateDecompressor& decompressor, BytesView compressed, std::size_t size) {
  constexpr std::size_t margin = 256;
  ByteVector buffer(size + 2 * margin, 0xA5);
  // A copy that ends where its memory does, so that reading on is noticed by the sanitizers.
  const ByteVector input(compressed.begin(), compressed.end());
  const bool good = decompressor.decompress(input, tls::Bytes(buffer).subspan(margin, size));
  const auto untouched = [](std::uint8_t byte) { return byte == 0xA5; };
  const auto content = buffer.begin() + margin;
  CHECK(std::all_of(buffer.begin(), content, untouched));
  CHECK(std::all_of(content + static_cast<std::ptrdiff_t>(size), buffer.end(), untouched));
  return {good, ByteVector(content, content + static_cast<std::ptrdiff_t>(size))};
}

} // namespace

TEST_CASE("the decompressors of the build are those that it found libraries for") {
  const auto found = tls::default_certificate_decompressors();
  const auto expected = ways();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(found[i]);
    CHECK(found[i]->algorithm() == expected[i].algorithm);
    CHECK(expected[i].decompressor->algorithm() == expected[i].algorithm);
    // Not only named so.
    const ByteVector content = like_certificates(500);
    CHECK(decompress(*found[i], expected[i].compress(content), content.size()).good);
  }
  // RFC 8879, 7.3
  CHECK(static_cast<int>(Algorithm::zlib) == 1);
  CHECK(static_cast<int>(Algorithm::brotli) == 2);
  CHECK(static_cast<int>(Algorithm::zstd) == 3);
  CHECK(name_of(Algorithm::zlib) == "zlib");
  CHECK(name_of(Algorithm::brotli) == "brotli");
  CHECK(name_of(Algorithm::zstd) == "zstd");
  CHECK(name_of(Algorithm{4}) == "unknown");
}

TEST_CASE("what was compressed comes back") {
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    for (const std::size_t size : {0u, 1u, 2u, 100u, 3'000u, 70'000u, 1'000'000u})
      for (const ByteVector& content : {like_certificates(size), ByteVector(size, 0), Noise().bytes(size)}) {
        const auto [good, out] = decompress(*way.decompressor, way.compress(content), size);
        CHECK(good);
        CHECK(out == content);
      }
  }
}

TEST_CASE("compressed certificates that end early are refused") {
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    for (const ByteVector& content : {like_certificates(1'000), Noise().bytes(300), ByteVector(5'000, 7)}) {
      const ByteVector whole = way.compress(content);
      for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK_FALSE(decompress(*way.decompressor, BytesView(whole).first(length), content.size()).good);
    }
    CHECK_FALSE(decompress(*way.decompressor, {}, 0).good);
    CHECK_FALSE(decompress(*way.decompressor, {}, 10).good);
  }
}

TEST_CASE("nothing may follow compressed certificates") {
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    const ByteVector content = like_certificates(2'000);
    const ByteVector whole = way.compress(content);
    for (const unsigned byte : {0x00u, 0x03u, 0x28u, 0xFFu}) {
      const ByteVector one{static_cast<std::uint8_t>(byte)};
      CHECK_FALSE(decompress(*way.decompressor, joined(whole, one), content.size()).good);
    }
    // Not even more of the same, whichever length was stated.
    const ByteVector twice = joined(whole, whole);
    CHECK_FALSE(decompress(*way.decompressor, twice, content.size()).good);
    CHECK_FALSE(decompress(*way.decompressor, twice, 2 * content.size()).good);
    // Nor something that is empty when it is decompressed.
    const ByteVector with_nothing = joined(whole, way.compress({}));
    CHECK_FALSE(decompress(*way.decompressor, with_nothing, content.size()).good);
  }
}

TEST_CASE("the stated length must be right") {
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    for (const ByteVector& content : {like_certificates(3'000), ByteVector(3'000, 0), Noise().bytes(3'000)}) {
      const ByteVector whole = way.compress(content);
      for (const std::size_t stated : {0u, 1u, 1'500u, 2'999u, 3'001u, 4'000u, 6'000u, 100'000u})
        CHECK_FALSE(decompress(*way.decompressor, whole, stated).good);
      CHECK(decompress(*way.decompressor, whole, 3'000).good);
    }
    // Nothing is not something, and the other way round.
    CHECK_FALSE(decompress(*way.decompressor, way.compress({}), 1).good);
    CHECK_FALSE(decompress(*way.decompressor, way.compress(ByteVector(1, 0)), 0).good);
  }
}

TEST_CASE("a little that becomes much stays within what was stated") {
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    const ByteVector bomb = way.compress(ByteVector(8 << 20, 0));
    CHECK(bomb.size() < 20'000);
    for (const std::size_t stated : {0u, 1u, 1'000u, 100'000u})
      CHECK_FALSE(decompress(*way.decompressor, bomb, stated).good);
  }
}

TEST_CASE("garbage is refused, whatever it is") {
  Noise noise;
  for (const Way& way : some_ways()) {
    INFO(name_of(way.algorithm));
    // With no byte in it that could begin what is expected.
    for (std::size_t size = 1; size < 200; ++size)
      (void)decompress(*way.decompressor, noise.bytes(size), 1'000);
    CHECK_FALSE(decompress(*way.decompressor, ByteVector(100, 0xFF), 1'000).good);
    CHECK_FALSE(decompress(*way.decompressor, ByteVector(100, 0x00), 1'000).good);
    CHECK_FALSE(decompress(*way.decompressor, like_certificates(1'000), 1'000).good);
    // Each bit that is wrong.
    const ByteVector content = like_certificates(400);
    ByteVector compressed = way.compress(content);
    for (std::size_t bit = 0; bit < 8 * compressed.size(); ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
      compressed[bit / 8] ^= mask;
      const Outcome outcome = decompress(*way.decompressor, compressed, content.size());
      // zlib's format has a checksum; the few bits that fill up a byte before it mean nothing.
      if (way.algorithm == Algorithm::zlib && outcome.good)
        CHECK(outcome.content == content);
      compressed[bit / 8] ^= mask;
    }
  }
}

TEST_CASE("one way of compressing is not taken for another") {
  const ByteVector content = like_certificates(1'000);
  for (const Way& way : some_ways())
    for (const Way& other : ways())
      if (way.algorithm != other.algorithm)
        CHECK_FALSE(decompress(*way.decompressor, other.compress(content), content.size()).good);
}

#if defined(TLSCONNECT_WITH_ZLIB)
TEST_CASE("zlib's format is the one of RFC 1950, without a dictionary") {
  const ByteVector content = like_certificates(1'000);
  const auto decompressor = tls::zlib_decompressor();
  CHECK(decompress(*decompressor, zlib(content), content.size()).good);
  CHECK(decompress(*decompressor, zlib(content, 9), content.size()).good); // a shorter window
  CHECK_FALSE(decompress(*decompressor, zlib(content, 31), content.size()).good);
  CHECK_FALSE(decompress(*decompressor, zlib(content, -15), content.size()).good);
  CHECK_FALSE(decompress(*decompressor, zlib(content, 15, BytesView(content).first(200)), content.size()).good);
  // Its checksum is verified.
  ByteVector wrong = zlib(content);
  wrong.back() ^= 1;
  CHECK_FALSE(decompress(*decompressor, wrong, content.size()).good);
}

TEST_CASE("lengths that RFC 8879 cannot state are not given to zlib") {
  const ByteVector content(0x100'0000, 0);
  const auto decompressor = tls::zlib_decompressor();
  CHECK_FALSE(decompress(*decompressor, zlib(content), content.size()).good);
  const BytesView shorter = BytesView(content).first(0xFF'FFFF);
  CHECK(decompress(*decompressor, zlib(shorter), shorter.size()).good);
  // What does not become shorter is too long when it is compressed.
  const ByteVector noise = Noise().bytes(shorter.size());
  const ByteVector longer = zlib(noise);
  REQUIRE(longer.size() > 0xFF'FFFF);
  CHECK_FALSE(decompress(*decompressor, longer, noise.size()).good);
}
#endif

#if defined(TLSCONNECT_WITH_BROTLI)
TEST_CASE("brotli's windows are those of RFC 7932") {
  const ByteVector content = like_certificates(1'000);
  const auto decompressor = tls::brotli_decompressor();
  for (const std::uint32_t window : {10u, 16u, 22u, 24u})
    CHECK(decompress(*decompressor, brotli(content, window), content.size()).good);
  CHECK_FALSE(decompress(*decompressor, brotli(content, 30), content.size()).good);
}
#endif

#if defined(TLSCONNECT_WITH_ZSTD)
TEST_CASE("Zstandard's format is one frame of RFC 8878") {
  const ByteVector content = like_certificates(1'000);
  const auto decompressor = tls::zstd_decompressor();
  const ByteVector frame = zstd(content);
  CHECK(decompress(*decompressor, frame, content.size()).good);
  CHECK(decompress(*decompressor, zstd(content, true), content.size()).good);
  CHECK(decompress(*decompressor, zstd(content, false, false), content.size()).good);
  // A frame's checksum is verified when there is one.
  ByteVector wrong = zstd(content, true);
  wrong.back() ^= 1;
  CHECK_FALSE(decompress(*decompressor, wrong, content.size()).good);
  // Frames that a decoder skips, in front, behind and alone.
  const ByteVector skipped{0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 1, 2};
  CHECK_FALSE(decompress(*decompressor, joined(skipped, frame), content.size()).good);
  CHECK_FALSE(decompress(*decompressor, joined(frame, skipped), content.size()).good);
  CHECK_FALSE(decompress(*decompressor, skipped, 0).good);
}
#endif
