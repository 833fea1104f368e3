// TLS messages as the tests' servers make and see them: made of the library's own declarations where that will do, and by
// hand where a test wants what those would refuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>
#include <tlsconnect/wire/messages13.hpp>
#include <tlsconnect/wire/record_header.hpp>

#include "test_pki.hpp"

namespace test {

using tlsconnect::AlertDescription;
using tlsconnect::Bytes;
using tlsconnect::BytesView;
using tlsconnect::ByteVector;
using tlsconnect::CipherSuite;
using tlsconnect::ContentType;
using tlsconnect::ErrorCode;
using tlsconnect::ExtensionType;
using tlsconnect::HandshakeType;
using tlsconnect::NamedGroup;
using tlsconnect::ProtocolVersion;
using tlsconnect::SignatureScheme;

/// The value of a Result; throws, and so fails the test, when there is none.
template <class T>
T value_of(tlsconnect::Result<T> result) {
  if (!result)
    throw std::runtime_error("test support: " + result.error().message());
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

inline void append(ByteVector& to, BytesView from) { to.insert(to.end(), from.begin(), from.end()); }

// ---- messages as a test sees them ----

/// One extension; several make a block.
struct RawExt {
  ExtensionType type{};
  ByteVector body;
};
using ExtensionList = std::vector<RawExt>;
/// The block without its length.
[[nodiscard]] ByteVector block_of(const ExtensionList& extensions);
[[nodiscard]] ExtensionList split_block(BytesView block);
[[nodiscard]] const RawExt* find_extension(const ExtensionList& extensions, ExtensionType type);
/// Replaces the extension's body, or adds it at the end.
void set_extension(ExtensionList& extensions, ExtensionType type, ByteVector body);
void drop_extension(ExtensionList& extensions, ExtensionType type);
/// A body from the library's own declaration of it.
template <class Message>
[[nodiscard]] ByteVector encoded(const Message& message) {
  ByteVector out;
  value_of(tlsconnect::encode(message, out));
  return out;
}
/// A handshake message: header and body, whatever the body is.
[[nodiscard]] ByteVector framed(HandshakeType type, BytesView body);
/// A record: header and content, whatever the content is.
[[nodiscard]] ByteVector record_of(ContentType type, BytesView content, std::uint16_t version = 0x0303);

/// A ServerHello or HelloRetryRequest before it is encoded.
struct HelloDraft {
  std::uint16_t legacy_version = 0x0303;
  tlsconnect::Random random{};
  ByteVector session_id;
  CipherSuite suite{};
  std::uint8_t compression = 0;
  std::optional<ExtensionList> extensions;

  [[nodiscard]] ByteVector body() const;
  [[nodiscard]] static HelloDraft of(BytesView body);
};

/// A Certificate before it is encoded; without the library's limit on its length.
struct CertificateDraft {
  struct Entry {
    ByteVector der;
    ExtensionList extensions;
  };
  ByteVector context;
  std::vector<Entry> entries;

  [[nodiscard]] ByteVector body() const;
  [[nodiscard]] static CertificateDraft of(BytesView body);
};

/// One key of a pre_shared_key extension.
struct SeenPsk {
  ByteVector identity;
  std::uint32_t age = 0; ///< obfuscated_ticket_age
  ByteVector binder;
};

/// What the client said first.
struct SeenHello {
  ByteVector message;             ///< with its header
  tlsconnect::ClientHello fields; ///< views into `message`
  ExtensionList extensions;
  std::vector<std::pair<NamedGroup, ByteVector>> shares;
  std::vector<SeenPsk> psks;

  SeenHello() = default;
  SeenHello(const SeenHello&) = delete;
  SeenHello& operator=(const SeenHello&) = delete;
  SeenHello(SeenHello&&) = default; // the vector's memory, and with it what the views see, moves along
  SeenHello& operator=(SeenHello&&) = default;
};

/// A record from the client, opened.
struct SeenRecord {
  ContentType outer{};
  std::uint16_t version = 0;
  ContentType type{}; ///< the inner type of a sealed record
  bool sealed = false;
  unsigned key = 0;   ///< 0: none; 1: handshake; 2: first application key; 3: after one KeyUpdate; …
  bool early = false; ///< under the key of early data; then `key` is 0
  ByteVector content;
  std::size_t inner = 0; ///< of a sealed record: content, type and padding together, in bytes
};
struct SeenAlert {
  std::uint8_t level = 0;
  AlertDescription description{};
  bool sealed = false;
};
struct SeenMessage {
  HandshakeType type{};
  ByteVector body;
  ByteVector before = {}; ///< the transcript's hash in front of it
};

/// Changes the extensions of any message that has some; of a Certificate, those of its first entry.
void edit_extensions(HandshakeType type, ByteVector& body, const std::function<void(ExtensionList&)>& change);

// ---- identities ----

/// A certificate for "server.test" and 192.0.2.1 under test::server_root(); made once a process.
[[nodiscard]] const Identity& server_root();
[[nodiscard]] const Identity& server_identity(KeyType type = KeyType::p256);
/// The scheme that goes with a key.
[[nodiscard]] SignatureScheme usual_scheme(KeyType type);
/// Botan's name for signing with this key under this scheme; where they do not fit each other, something that the key
/// can do.
[[nodiscard]] std::string padding_for(KeyType type, SignatureScheme scheme);

} // namespace test
