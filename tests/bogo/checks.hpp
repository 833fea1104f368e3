// What the runner expects of a connection, against what the library says of it.
#pragma once

#include <tlsconnect/client/connection_info.hpp>

#include "options.hpp"
#include "shared.hpp"

namespace bogo {

/// When the handshake is complete.
struct Connected {
  const tlsconnect::ConnectionInfo& info;
  const ShimSessions& sessions;
  const Notes& notes;
  /// It is not the first connection: a session was there to be offered.
  bool resuming;
};
[[nodiscard]] Outcome check_handshake(const ConnectionOptions& options, const Connected& connected);

/// When all is said.
[[nodiscard]] Outcome check_end(const ConnectionOptions& options, const tlsconnect::ConnectionInfo& info,
                                const ShimSessions& sessions);

} // namespace bogo
