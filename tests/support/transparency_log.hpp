// Transparency logs for tests: keys, and timestamps made with them (RFC 6962, 3.2).
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <botan/hash.h>

#include <tlsconnect/verify/transparency.hpp>

#include "test_pki.hpp"

namespace test {

inline void append_number(Blob& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i)
    to.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
}
/// The parts one after another, behind their length in so many bytes.
inline Blob counted(unsigned bytes, std::initializer_list<Blob> parts) {
  Blob all;
  for (const Blob& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  Blob out;
  append_number(out, all.size(), bytes);
  out.insert(out.end(), all.begin(), all.end());
  return out;
}
inline Blob sha256(const Blob& data) {
  const auto digest = Botan::HashFunction::create_or_throw("SHA-256")->process(data);
  return {digest.begin(), digest.end()};
}
inline Blob blob(tlsconnect::BytesView bytes) { return {bytes.begin(), bytes.end()}; }

/// What a log does, with everything about it that can be done wrongly.
struct Log {
  Key key = Key::cached(KeyType::p256, 100);
  std::uint8_t version = 0;
  std::uint16_t algorithm = 0x0403; ///< SHA-256 and ECDSA
  std::string padding = "SHA-256";
  Blob extensions = {};
  bool break_signature = false;

  [[nodiscard]] Blob id() const { return sha256(key.public_der()); }
  [[nodiscard]] tlsconnect::Result<> add_to(tlsconnect::TransparencyLogs& logs,
                                            tlsconnect::LogDescription about) const {
    return logs.add(key.public_der(), std::move(about));
  }

  /// A timestamp over an entry: its type, and what is signed of it.
  [[nodiscard]] Blob sign(std::uint16_t type, const Blob& entry, std::uint64_t milliseconds) const {
    Blob content{version, 0};
    append_number(content, milliseconds, 8);
    append_number(content, type, 2);
    content.insert(content.end(), entry.begin(), entry.end());
    const Blob own = counted(2, {extensions});
    content.insert(content.end(), own.begin(), own.end());

    Blob out{version};
    const Blob name = id();
    out.insert(out.end(), name.begin(), name.end());
    append_number(out, milliseconds, 8);
    out.insert(out.end(), own.begin(), own.end());
    append_number(out, algorithm, 2);
    Blob signature = key.sign(padding, content);
    if (break_signature)
      signature.back() ^= 1;
    const Blob field = counted(2, {signature});
    out.insert(out.end(), field.begin(), field.end());
    return out;
  }
  /// Over a certificate as it is.
  [[nodiscard]] Blob certificate(const Identity& leaf, std::uint64_t milliseconds) const {
    return sign(0, counted(3, {leaf.der()}), milliseconds);
  }
  /// Over what will be a certificate of this issuer, before timestamps are put into it.
  [[nodiscard]] Blob precertificate(const Identity& leaf, const Key& issuer, std::uint64_t milliseconds) const {
    Blob entry = sha256(issuer.public_der());
    const Blob tbs = counted(3, {blob(tlsconnect::Certificate::from_der(leaf.der()).value().fields().tbs)});
    entry.insert(entry.end(), tbs.begin(), tbs.end());
    return sign(1, entry, milliseconds);
  }
};

/// SignedCertificateTimestampList.
inline Blob timestamp_list(const std::vector<Blob>& timestamps) {
  Blob all;
  for (const Blob& one : timestamps) {
    const Blob field = counted(2, {one});
    all.insert(all.end(), field.begin(), field.end());
  }
  return counted(2, {all});
}

inline const std::string timestamps_oid = "1.3.6.1.4.1.11129.2.4.2";

/// The extension of a certificate, with the OCTET STRING in it.
inline RawExtension timestamps_extension(const std::vector<Blob>& timestamps) {
  return {timestamps_oid, false, der(0x04, timestamp_list(timestamps))};
}

} // namespace test
