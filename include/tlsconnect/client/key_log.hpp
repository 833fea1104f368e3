// The secrets of connections for tools that decrypt what was recorded on the network (RFC 9850).
#pragma once

#include <string>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Where a configuration's connections write their secrets. Whoever reads them can read those connections, and while
/// they last change them: RFC 9850, 1.1 forbids this on systems that are in use for more than tests. So nothing is ever
/// written unless a sink was given to the configuration; the library never looks at the environment for one. (A program
/// that wants the usual SSLKEYLOGFILE reads that variable itself, and says so.)
class KeyLog {
public:
  KeyLog() = default;
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;
  virtual ~KeyLog() = default;

  /// Takes one line, without its end: "<label> <client_random> <secret>". Called in the middle of handshakes, by several
  /// threads at once when connections live in several; it must be safe then, and should be quick. The text is gone after
  /// the call. It holds a secret: a sink that keeps copies must wipe them itself.
  virtual void write(std::string_view line) noexcept = 0;
};

/// The labels of RFC 9850, 2.1 and 2.2.
namespace key_log_labels {
inline constexpr std::string_view client_early_traffic = "CLIENT_EARLY_TRAFFIC_SECRET";
inline constexpr std::string_view early_exporter = "EARLY_EXPORTER_SECRET";
inline constexpr std::string_view client_handshake_traffic = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view server_handshake_traffic = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view client_application_traffic = "CLIENT_TRAFFIC_SECRET_0";
inline constexpr std::string_view server_application_traffic = "SERVER_TRAFFIC_SECRET_0";
inline constexpr std::string_view exporter = "EXPORTER_SECRET";
/// The main secret of TLS 1.2.
inline constexpr std::string_view client_random = "CLIENT_RANDOM";
} // namespace key_log_labels

/// A line in that form (RFC 9850, 2), without its end; the numbers in lower case. `client_random` is the random of the
/// ClientHello, 32 bytes, which both ClientHellos have in common when there are two. Wiping the line is up to who asked
/// for it.
[[nodiscard]] std::string key_log_line(std::string_view label, BytesView client_random, BytesView secret);

/// Writes a secret to a sink, and wipes the line that it made for that. Without memory for the line the log goes without
/// it: no connection fails for its log.
void log_secret(KeyLog& log, std::string_view label, BytesView client_random, BytesView secret) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_log.ipp>
#endif
