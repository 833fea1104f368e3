// What the tests of resumption, early data and client certificates share.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/client/credentials.hpp>
#include <tlsconnect/client/key_log.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/private_key.hpp>
#include <tlsconnect/crypto/random.hpp>

#include "support.hpp"

namespace interop {

// ---- sessions ----

/// Begins at the time at which the certificates are valid, and goes as fast as the server's clock: early data needs
/// both to agree on the age of a ticket.
class RunningClock final : public tc::Clock {
public:
  std::int64_t now() const noexcept override { return microseconds() / 1'000; }
  std::int64_t now_rounded_up() const noexcept override { return (microseconds() + 999) / 1'000; }
  std::int64_t microseconds() const noexcept override {
    const auto passed = std::chrono::steady_clock::now() - start_;
    return test::now * 1'000'000 + std::chrono::duration_cast<std::chrono::microseconds>(passed).count() +
           skipped_.load() * 1'000;
  }
  /// Lets time pass for the client alone.
  void skip(std::int64_t milliseconds) noexcept { skipped_ += milliseconds; }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> skipped_ = 0;
};

/// Keeps sessions as a file would: as bytes. What comes out has been through Session::serialise and Session::parse.
class ByteStore final : public tc::SessionStore {
public:
  void put(std::string_view key, tc::Session session) noexcept override {
    const std::lock_guard lock(mutex_);
    auto bytes = session.serialise();
    if (bytes)
      entries_.push_back({std::string(key), std::move(*bytes)});
    else
      ++broken_;
  }
  std::optional<tc::Session> take(std::string_view key) noexcept override {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) { return entry.key == key; });
    if (found == entries_.rend())
      return std::nullopt;
    const tc::ByteVector bytes = std::move(found->bytes);
    entries_.erase(std::next(found).base());
    auto session = tc::Session::parse(bytes);
    if (!session) {
      ++broken_;
      return std::nullopt;
    }
    return std::move(*session);
  }
  void erase(std::string_view key) noexcept override {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  /// Sessions that could not be written or read.
  [[nodiscard]] int broken() const {
    const std::lock_guard lock(mutex_);
    return broken_;
  }
  /// What was kept, to be put back: a client that uses a ticket twice.
  struct Entry {
    std::string key;
    tc::ByteVector bytes;
  };
  [[nodiscard]] std::vector<Entry> entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  void restore(std::vector<Entry> entries) {
    const std::lock_guard lock(mutex_);
    entries_ = std::move(entries);
  }

private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  int broken_ = 0;
};

inline constexpr CipherSuite every_suite[] = {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                              CipherSuite::chacha20_poly1305_sha256};

// ---- client certificates ----

inline constexpr test::KeyType every_client_key[] = {
    test::KeyType::rsa2048, test::KeyType::rsa_pss2048, test::KeyType::p256, test::KeyType::p384,
    test::KeyType::p521,    test::KeyType::ed25519,     test::KeyType::ed448};

inline const char* name_of_key(test::KeyType type) {
  switch (type) {
  case test::KeyType::rsa2048:
    return "RSA";
  case test::KeyType::rsa_pss2048:
    return "RSASSA-PSS";
  case test::KeyType::p256:
    return "P-256";
  case test::KeyType::p384:
    return "P-384";
  case test::KeyType::p521:
    return "P-521";
  case test::KeyType::ed25519:
    return "Ed25519";
  case test::KeyType::ed448:
    return "Ed448";
  default:
    return "another key";
  }
}

/// Valid for as long as a server's clock, which no test can set, may say.
inline test::CertOptions long_lived(test::CertOptions options) {
  options.not_before = test::now - 2 * 365 * test::day;
  options.not_after = test::now + 20 * 365 * test::day;
  return options;
}

/// Who issues the certificates of clients.
struct ClientPki {
  test::Identity root = test::self_signed(long_lived({.common_name = "Client Root", .ca = true}));
  test::Identity authority = root.issue(long_lived({.common_name = "Client Authority", .ca = true, .path_length = 0}));

  static const ClientPki& instance() {
    static const ClientPki pki;
    return pki;
  }
};

inline test::Identity client_identity(test::KeyType type) {
  test::CertOptions options;
  options.common_name = "a client";
  options.key_type = type;
  options.extended_key_usage = std::vector<std::string>{"PKIX.ClientAuth"};
  return ClientPki::instance().authority.issue(long_lived(options));
}

inline tc::PrivateKey private_key(const test::Identity& identity) {
  auto key = tc::PrivateKey::from_der(identity.key_der());
  if (!key)
    FAIL(key.error().message());
  return std::move(*key);
}

/// Signs by itself.
inline tc::Credential credential(const test::Identity& identity) {
  auto made = tc::Credential::from_pem(identity.chain_pem(), identity.key_pem());
  if (!made)
    FAIL(made.error().message());
  return std::move(*made);
}

/// Leaves its signatures to the caller.
inline tc::Credential credential_that_signs_later(const test::Identity& identity) {
  std::vector<tc::Certificate> chain;
  for (const test::Blob& der : identity.chain_der()) {
    auto certificate = tc::Certificate::from_der(der);
    REQUIRE(certificate.has_value());
    chain.push_back(std::move(*certificate));
  }
  const tc::PrivateKey key = private_key(identity);
  const auto schemes = key.schemes();
  auto made = tc::Credential::create(
      std::move(chain), std::make_shared<tc::SignLater>(std::vector<SignatureScheme>(schemes.begin(), schemes.end())));
  if (!made)
    FAIL(made.error().message());
  return std::move(*made);
}

/// The signature that is asked for.
inline tc::Result<tc::ByteVector> signature_for(const tc::SignatureRequest& request, const tc::PrivateKey& key) {
  return key.sign(request.scheme, request.content, *tc::system_rng());
}

/// A connection for which the caller signs, over a blocking socket. It must halt for that exactly once.
inline TcpStream connected_signing(TcpConnector&& connecting, const tc::PrivateKey& key) {
  auto halted = connecting.connect();
  REQUIRE_FALSE(halted.has_value());
  if (!halted.error().is_would_block())
    FAIL(halted.error().message());
  REQUIRE(halted.error().interest() == tc::Interest::signature);
  const auto request = connecting.signature_request();
  REQUIRE(request.has_value());
  // Nothing changes until the signature is there.
  auto again = connecting.connect();
  REQUIRE_FALSE(again.has_value());
  REQUIRE(again.error().is_would_block());
  REQUIRE(connecting.give_signature(signature_for(*request, key)).has_value());
  auto stream = connecting.connect();
  if (!stream)
    FAIL(stream.error().message());
  return std::move(*stream);
}

// ---- other ----

/// Collects the lines of a key log.
class CollectedKeyLog final : public tc::KeyLog {
public:
  void write(std::string_view line) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  }
  [[nodiscard]] std::vector<std::string> sorted() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines = lines_;
    std::sort(lines.begin(), lines.end());
    return lines;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// In hexadecimal, as servers print it.
inline std::string hex(tc::BytesView bytes, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

/// How often a text occurs in another.
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

/// What came of sending and receiving at once.
struct Exchanged {
  std::string received;
  std::optional<tc::Error> problem;
};

/// Sends `up` and receives `down` bytes, both at once over one non-blocking stream. After each write `each` is called
/// with what was sent so far, and may do something with the stream; `seen` with what was received. Asserts nothing, so
/// that threads can be joined first.
template <class Each, class Seen>
Exchanged exchange(TcpStream& stream, std::string_view up, std::size_t down, Each&& each, Seen&& seen) {
  Exchanged result;
  tc::BytesView unsent = tc::as_bytes(up);
  std::vector<std::uint8_t> buffer(30'000);
  const auto stopped = [&](const tc::Halt& halt) {
    result.problem = halt.error() ? *halt.error() : tc::Error(ErrorCode::transport_failed, "the stream", "has ended");
  };
  while (!unsent.empty() || stream.has_pending() || result.received.size() < down) {
    tc::Interest interest = tc::Interest::none;
    bool progress = false;
    if (result.received.size() < down) {
      if (auto count = stream.read_some(buffer)) {
        result.received.append(tc::as_text(tc::BytesView(buffer).first(*count)));
        seen(result.received.size());
        progress = true;
      } else if (count.error().is_would_block()) {
        interest |= count.error().interest();
      } else {
        stopped(count.error());
        return result;
      }
    }
    if (!unsent.empty()) {
      const std::size_t before = std::min<std::size_t>(unsent.size(), 20'000);
      tc::BytesView some = unsent.first(before);
      const auto written = stream.write_all(some);
      unsent = unsent.subspan(before - some.size());
      progress = progress || some.size() < before;
      if (!written && written.error().is_would_block())
        interest |= written.error().interest();
      else if (!written)
        stopped(written.error());
      else if (tc::IoResult<> done = each(up.size() - unsent.size()); !done && !done.error().is_would_block())
        stopped(done.error());
    } else if (auto flushed = stream.flush(); !flushed && flushed.error().is_would_block()) {
      interest |= flushed.error().interest();
    } else if (!flushed) {
      stopped(flushed.error());
    }
    if (result.problem)
      return result;
    if (!progress && interest != tc::Interest::none) {
      pollfd entry{stream.next_layer().descriptor(), 0, 0};
      entry.events = static_cast<short>((includes(interest, tc::Interest::read) ? POLLIN : 0) |
                                        (includes(interest, tc::Interest::write) ? POLLOUT : 0));
      if (::poll(&entry, 1, 30'000) != 1)
        result.problem = tc::Error(ErrorCode::transport_failed, "poll", "nothing happens any more");
    }
  }
  return result;
}

/// The text of a BulkSource.
inline std::string bulk_text(std::uint64_t seed, std::size_t size) {
  BulkSource source(seed, size);
  std::string text;
  for (std::string_view piece = source.next(); !piece.empty(); piece = source.next())
    text.append(piece);
  return text;
}

/// As the servers show it; `stream` exports `size` bytes under this label, without a context.
inline std::string exported(const TcpStream& stream, std::string_view label, std::size_t size, bool upper) {
  tc::ByteVector out(size);
  auto done = stream.export_keying_material(label, {}, out);
  if (!done)
    FAIL(done.error().message());
  return hex(out, upper);
}

} // namespace interop
