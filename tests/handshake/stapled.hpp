// What the tests of stapled statuses say in both versions.
#pragma once

#include <utility>

#include "status_issuer.hpp"
#include "support.hpp"

namespace test {

inline const Outcome revoked_by_staple = refused(ErrorCode::certificate_revoked, Alert::certificate_revoked);
inline const Outcome no_status = refused(ErrorCode::certificate_status_missing, Alert::bad_certificate_status_response);
inline const Outcome bad_status =
    refused(ErrorCode::certificate_status_invalid, Alert::bad_certificate_status_response);

inline const Identity& must_staple() {
  static const Identity identity =
      server_root().issue({.common_name = "server",
                           .key = Key::cached(KeyType::p256),
                           .dns = {"server.test"},
                           .extensions = {{"1.3.6.1.5.5.7.1.24", false, {0x30, 0x03, 0x02, 0x01, 0x05}}}});
  return identity;
}

inline Blob staple_for(const Identity& identity, OcspStatus status = {}) {
  return ocsp_response(identity, server_root(), {.statuses = {std::move(status)}});
}

} // namespace test
