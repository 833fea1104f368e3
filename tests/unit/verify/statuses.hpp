// What the tests of both sources of a status share: whose status it is, and what is said of it.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <string_view>

#include <tlsconnect/verify/revocation_status.hpp>

#include "support.hpp"

namespace test {

inline const Identity& root() {
  static const Identity identity = self_signed({.common_name = "Root", .ca = true});
  return identity;
}
inline const Identity& authority() {
  static const Identity identity = root().issue({.common_name = "Authority", .ca = true});
  return identity;
}
inline const Identity& leaf() {
  static const Identity identity = authority().issue({.common_name = "leaf", .dns = {"a.example"}});
  return identity;
}

inline void good(const tlsconnect::RevocationFinding& finding) {
  CAPTURE(finding.reason);
  CHECK(finding.state == tlsconnect::RevocationState::good);
}
inline void revoked(const tlsconnect::RevocationFinding& finding, std::string_view part = {}) {
  CAPTURE(finding.reason);
  CHECK(finding.state == tlsconnect::RevocationState::revoked);
  CHECK(contains(finding.reason, part));
}
inline void unknown(const tlsconnect::RevocationFinding& finding, std::string_view part) {
  CAPTURE(finding.reason);
  CHECK(finding.state == tlsconnect::RevocationState::unknown);
  CHECK(contains(finding.reason, part));
}

} // namespace test
