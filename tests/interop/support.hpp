// What the interoperability tests share: who the server is, how the client is configured, and bulk data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/connector.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/posix.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>

#include "deterministic.hpp"
#include "test_pki.hpp"

namespace interop {

namespace tc = tlsconnect;
using tc::AlertDescription;
using tc::CipherSuite;
using tc::ErrorCode;
using tc::NamedGroup;
using tc::PosixSocket;
using tc::SignatureScheme;
using TcpStream = tc::Stream<PosixSocket>;
using TcpConnector = tc::Connector<PosixSocket>;

/// The name that the servers' certificates are for.
inline constexpr std::string_view host = "server.tlsconnect.test";

/// Bytes of one bulk transfer; OpenSSL and Botan have two in each direction. Not a multiple of anything.
inline constexpr std::size_t bulk_size = 50'000'003;

// ---- files for the servers ----

/// A folder that goes with the process.
class TempFolder {
public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tlsconnect-interop-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  /// Writes a file; its path.
  std::string write(const std::string& name, std::string_view text) const {
    const std::string path = (path_ / name).string();
    std::ofstream file(path, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    REQUIRE(file.good());
    return path;
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

// ---- certificates ----

/// One root and one authority under it for the whole process.
struct Pki {
  test::Identity root = test::self_signed({.common_name = "Interop Root", .ca = true});
  test::Identity authority = root.issue({.common_name = "Interop Authority", .ca = true, .path_length = 0});

  static const Pki& instance() {
    static const Pki pki;
    return pki;
  }
};

/// The versions that the library was built with.
inline constexpr tc::ProtocolVersion every_version[] = {
    tc::ProtocolVersion::tls1_3,
#if !defined(TLSCONNECT_WITHOUT_TLS12)
    tc::ProtocolVersion::tls1_2,
#endif
};

/// A signature scheme of TLS 1.3, and a key that signs with it.
struct SignatureCase {
  SignatureScheme scheme;
  test::KeyType key;
};
inline constexpr SignatureCase every_signature[] = {
    {SignatureScheme::ecdsa_secp256r1_sha256, test::KeyType::p256},
    {SignatureScheme::ecdsa_secp384r1_sha384, test::KeyType::p384},
    {SignatureScheme::ecdsa_secp521r1_sha512, test::KeyType::p521},
    {SignatureScheme::rsa_pss_rsae_sha256, test::KeyType::rsa2048},
    {SignatureScheme::rsa_pss_rsae_sha384, test::KeyType::rsa2048},
    {SignatureScheme::rsa_pss_rsae_sha512, test::KeyType::rsa2048},
    {SignatureScheme::rsa_pss_pss_sha256, test::KeyType::rsa_pss2048},
    {SignatureScheme::rsa_pss_pss_sha384, test::KeyType::rsa_pss2048},
    {SignatureScheme::rsa_pss_pss_sha512, test::KeyType::rsa_pss2048},
    {SignatureScheme::rsa_pss_pss_sha256, test::KeyType::rsa_pss2048_sha256},
    {SignatureScheme::ed25519, test::KeyType::ed25519},
    {SignatureScheme::ed448, test::KeyType::ed448},
};
/// Those that this program's Botan, and the other side, may not have.
inline constexpr SignatureCase every_ml_dsa[] = {
    {SignatureScheme::mldsa44, test::KeyType::mldsa44},
    {SignatureScheme::mldsa65, test::KeyType::mldsa65},
    {SignatureScheme::mldsa87, test::KeyType::mldsa87},
};

inline test::CertOptions leaf_options(test::KeyType type = test::KeyType::p256) {
  test::CertOptions options;
  options.common_name = "server";
  options.key_type = type;
  options.dns = {std::string(host)};
  options.ip = {"127.0.0.1"};
  return options;
}
inline test::Identity leaf(test::KeyType type = test::KeyType::p256) {
  return Pki::instance().authority.issue(leaf_options(type));
}

// ---- the client ----

inline tc::TrustAnchors anchors_of(const test::Identity& root) {
  auto anchors = tc::TrustAnchors::from_der(root.der());
  REQUIRE(anchors.has_value());
  return std::move(*anchors);
}

/// Trusts the root above; lives at the time at which the certificates are valid.
inline tc::ClientConfig::Builder client() {
  tc::ClientConfig::Builder builder = tc::ClientConfig::builder();
  builder.trust(anchors_of(Pki::instance().root)).clock(std::make_shared<test::FixedClock>(test::now * 1'000));
  return builder;
}

inline tc::ConfigPtr built(const tc::ClientConfig::Builder& builder) {
  auto config = builder.build();
  if (!config)
    FAIL(config.error().message());
  return *config;
}

inline tc::ServerName server_name(std::string_view text = host) {
  auto name = tc::ServerName::parse(text);
  REQUIRE(name.has_value());
  return *name;
}

/// Connects as soon as somebody listens.
inline PosixSocket dial(std::uint16_t port, PosixSocket::Mode mode = PosixSocket::Mode::blocking) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    auto socket = PosixSocket::dial("127.0.0.1", port, mode);
    if (socket)
      return std::move(*socket);
    if (std::chrono::steady_clock::now() > deadline)
      FAIL("no server listens: " << socket.error().message());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

inline TcpConnector connector(std::uint16_t port, const tc::ClientConfig::Builder& builder,
                              std::string_view name = host, PosixSocket::Mode mode = PosixSocket::Mode::blocking) {
  return {built(builder), server_name(name), dial(port, mode)};
}

/// Waits for what a connection that would block needs.
inline void wait_for(const PosixSocket& socket, tc::Interest interest) {
  pollfd entry{socket.descriptor(), 0, 0};
  if (includes(interest, tc::Interest::read))
    entry.events |= POLLIN;
  if (includes(interest, tc::Interest::write))
    entry.events |= POLLOUT;
  REQUIRE(entry.events != 0);
  REQUIRE(::poll(&entry, 1, 30'000) == 1);
}

/// A connection that must come about, over either kind of socket.
inline TcpStream connected(TcpConnector&& connecting) {
  for (;;) {
    auto stream = connecting.connect();
    if (stream)
      return std::move(*stream);
    if (!stream.error().is_would_block())
      FAIL(stream.error().message());
    wait_for(connecting.next_layer(), stream.error().interest());
  }
}
inline TcpStream connected(std::uint16_t port, const tc::ClientConfig::Builder& builder = client(),
                           std::string_view name = host) {
  return connected(connector(port, builder, name));
}

/// A connection that must fail; why it did.
inline tc::Error refused(TcpConnector&& connecting) {
  auto stream = connecting.connect();
  if (stream)
    FAIL("a connection came about that must not");
  if (!stream.error().is_failed())
    FAIL("expected an error, got: " << stream.error().message());
  return *stream.error().error();
}

inline void send(TcpStream& stream, std::string_view text) {
  auto written = stream.write_all(tc::as_bytes(text));
  if (!written)
    FAIL(written.error().message());
}

/// Reads (over a blocking socket) until the text has come; all that came.
inline std::string receive_until(TcpStream& stream, std::string_view wanted) {
  std::string text;
  std::uint8_t buffer[4'096];
  while (text.find(wanted) == std::string::npos) {
    auto count = stream.read_some(buffer);
    if (!count)
      FAIL(count.error().message() << "; before it came: " << text);
    text.append(tc::as_text({buffer, *count}));
  }
  return text;
}

/// Reads (over a blocking socket) until the stream stops; how it did.
inline tc::Halt drain(TcpStream& stream, std::string* text = nullptr) {
  std::uint8_t buffer[4'096];
  for (;;) {
    auto count = stream.read_some(buffer);
    if (!count)
      return std::move(count.error());
    if (text)
      text->append(tc::as_text({buffer, *count}));
  }
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Each of the parts that a person needs must be in the message.
inline void check_message(const tc::Error& error, std::initializer_list<std::string_view> parts) {
  const std::string message = error.message();
  for (const std::string_view part : parts) {
    INFO("message: " << message);
    INFO("should contain: " << part);
    CHECK(contains(message, part));
  }
}

// ---- bulk data ----

/// Bytes that look random and are the same each time: lines of digits, so that no program takes them for a command or
/// waits for the end of a line.
class BulkSource {
public:
  explicit BulkSource(std::uint64_t seed, std::size_t size = bulk_size) : state_(seed * 2 + 1), left_(size) {}
  /// The next at most `most` bytes; empty at the end. Valid until the next call.
  std::string_view next(std::size_t most = 65'536) {
    const std::size_t count = std::min(most, left_);
    buffer_.resize((count + 7) / 8 * 8);
    for (std::size_t i = 0; i < buffer_.size(); i += 8) {
      state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      // Eight digits at once, '0' to '7': tests are compiled without optimization, and these are hundreds of megabytes.
      const std::uint64_t digits = ((state_ ^ (state_ >> 29U)) & 0x0707'0707'0707'0707U) | 0x3030'3030'3030'3030U;
      std::memcpy(buffer_.data() + i, &digits, sizeof digits);
      if (state_ >> 54U == 0) // about every 1024th time
        buffer_[i + 7] = '\n';
    }
    left_ -= count;
    return std::string_view(buffer_).substr(0, count);
  }

private:
  std::uint64_t state_;
  std::size_t left_;
  std::string buffer_;
};

/// A running hash of what was sent or received; may be fed from another thread.
class BulkDigest {
public:
  void add(std::string_view piece) {
    const std::lock_guard lock(mutex_);
    good_ = good_ && hash_.update(tc::as_bytes(piece)).has_value();
    size_ += piece.size();
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return size_;
  }
  [[nodiscard]] tc::Digest value() const {
    const std::lock_guard lock(mutex_);
    REQUIRE(good_);
    return hash_.current().value();
  }
  /// Waits for that many bytes; false when they do not come.
  [[nodiscard]] bool wait_for(std::size_t size) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (this->size() < size && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return this->size() == size;
  }
  /// What a BulkSource with this seed yields.
  static tc::Digest of(std::uint64_t seed, std::size_t size = bulk_size) {
    BulkSource source(seed, size);
    BulkDigest digest;
    for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
      digest.add(piece);
    return digest.value();
  }

private:
  mutable std::mutex mutex_;
  tc::Hash hash_ = tc::Hash::create(tc::HashAlgorithm::sha256).value();
  bool good_ = true;
  std::size_t size_ = 0;
};

/// Sends a whole BulkSource over a blocking stream.
inline void send_bulk(TcpStream& stream, std::uint64_t seed) {
  BulkSource source(seed);
  for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
    send(stream, piece);
}

/// Receives exactly that many bytes over a blocking stream, in buffers of odd sizes.
inline tc::Digest receive_bulk(TcpStream& stream, std::size_t size = bulk_size) {
  BulkDigest digest;
  std::vector<std::uint8_t> buffer(70'001);
  for (std::size_t round = 0; digest.size() < size; ++round) {
    const std::size_t want = std::min(size - digest.size(), round % 3 == 0 ? 1'000 : buffer.size());
    auto count = stream.read_some(tc::Bytes(buffer).first(want));
    if (!count)
      FAIL(count.error().message() << " after " << digest.size() << " bytes");
    digest.add(tc::as_text(tc::BytesView(buffer).first(*count)));
  }
  return digest.value();
}

/// Sends one BulkSource and receives `expected` bytes, both at once over one non-blocking stream.
inline tc::Digest exchange_bulk(TcpStream& stream, std::uint64_t seed, std::size_t expected = bulk_size) {
  // Less than a record fits, so that every flush stops on its way, however fast the peer is.
  const int small = 8'192;
  REQUIRE(::setsockopt(stream.next_layer().descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  BulkSource source(seed);
  BulkDigest received;
  std::string_view piece = source.next();
  tc::BytesView unsent = tc::as_bytes(piece);
  std::vector<std::uint8_t> buffer(50'000);
  std::size_t blocked = 0;
  while (!piece.empty() || stream.has_pending() || received.size() < expected) {
    tc::Interest interest = tc::Interest::none;
    bool progress = false;
    if (received.size() < expected) {
      auto count = stream.read_some(buffer);
      if (count) {
        received.add(tc::as_text(tc::BytesView(buffer).first(*count)));
        progress = true;
      } else if (count.error().is_would_block()) {
        interest |= count.error().interest();
      } else {
        FAIL(count.error().message() << " after " << received.size() << " bytes");
      }
    }
    if (!piece.empty()) {
      auto written = stream.write_all(unsent);
      if (written) {
        piece = source.next();
        unsent = tc::as_bytes(piece);
        progress = true;
      } else if (written.error().is_would_block()) {
        interest |= written.error().interest();
        ++blocked;
      } else {
        FAIL(written.error().message());
      }
    } else if (auto flushed = stream.flush(); !flushed) {
      REQUIRE(flushed.error().is_would_block());
      interest |= flushed.error().interest();
    }
    if (!progress && interest != tc::Interest::none)
      wait_for(stream.next_layer(), interest);
  }
  // Otherwise the socket never was full, and the loop above has shown nothing.
  CHECK(blocked > 0);
  return received.value();
}

} // namespace interop
