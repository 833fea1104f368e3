// From minted identities to what the library takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/verify/path_verifier.hpp>

#include "test_pki.hpp"

namespace test {

inline tlsconnect::Certificate certificate(const Blob& der) { return tlsconnect::Certificate::from_der(der).value(); }
inline tlsconnect::Certificate certificate(const Identity& identity) { return certificate(identity.der()); }

inline std::vector<tlsconnect::Certificate> certificates(const std::vector<Blob>& ders) {
  std::vector<tlsconnect::Certificate> out;
  for (const Blob& der : ders)
    out.push_back(certificate(der));
  return out;
}

inline tlsconnect::AnchorStore anchors(const std::vector<Identity>& identities) {
  std::vector<tlsconnect::Certificate> out;
  for (const Identity& identity : identities)
    out.push_back(certificate(identity));
  return tlsconnect::AnchorStore::create(out).value();
}

inline tlsconnect::ServerName name(std::string_view text) { return tlsconnect::ServerName::parse(text).value(); }

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace test
