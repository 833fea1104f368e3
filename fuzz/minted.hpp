// What the targets about certificates share: an authority with a certificate that it issued, and changes to bytes.
#pragma once

#include <cstdint>
#include <cstdlib>

#include <tlsconnect/crypto/x509.hpp>

#include "test_pki.hpp"

namespace fuzz {

namespace tls = tlsconnect;

/// Minted when the target starts. Nobody but the authority can sign for it, and what the target is given does not have its
/// key.
struct Minted {
  test::Identity authority = test::self_signed({.common_name = "Authority", .ca = true});
  test::Identity leaf = authority.issue({.common_name = "leaf"});
  tls::Certificate issuer = tls::Certificate::from_der(authority.der()).value();
  tls::Certificate subject = tls::Certificate::from_der(leaf.der()).value();
};

/// Changes some bytes: each change is a place (two bytes) and a value.
[[nodiscard]] inline test::Blob changed(test::Blob bytes, tls::BytesView changes) {
  for (; changes.size() >= 3; changes = changes.subspan(3))
    bytes[(changes[0] * 256U + changes[1]) % bytes.size()] = changes[2];
  return bytes;
}

inline void require(bool holds) {
  if (!holds)
    std::abort();
}

/// What was decoded from `whole` points into it.
inline void inside(tls::BytesView part, tls::BytesView whole) {
  require(part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

} // namespace fuzz
