// Whether a certificate stands in public logs, by the timestamps that the logs signed (RFC 6962).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The SHA-256 of a log's key (RFC 6962, 3.2).
using LogId = std::array<std::uint8_t, 32>;

/// What is known of a log besides its key.
struct LogDescription {
  std::string name = {}; ///< for a person
  std::string operated_by =
      {}; ///< who runs it: logs of one operator may fall together. All that do not say count as one
  /// When it stopped being trusted to log, in seconds since 1970. What it signed before still counts where it stands in
  /// the certificate itself; none: it is trusted today.
  std::optional<std::int64_t> retired = std::nullopt;
};

/// A log whose timestamps count.
struct TransparencyLog {
  LogId id;
  PublicKey key;
  LogDescription about;
};

/// The logs that are trusted; a value. There is no list in the library, because logs come and go within a year: take the
/// one that a browser publishes, and keep it up to date.
class TransparencyLogs {
public:
  /// Adds the log with this key, a SubjectPublicKeyInfo in DER: ECDSA on P-256, or RSA of at least 2048 bits (RFC 6962,
  /// 2.1.4). `configuration_invalid` for any other, and for one that is there already.
  [[nodiscard]] Result<> add(BytesView spki, LogDescription about) noexcept;
  /// The same for a key in PEM ("PUBLIC KEY"), or in Base64 alone, which is how the browsers' lists have it.
  [[nodiscard]] Result<> add(std::string_view text, LogDescription about) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return logs_.size(); }
  [[nodiscard]] bool empty() const noexcept { return logs_.empty(); }
  [[nodiscard]] const std::vector<TransparencyLog>& logs() const noexcept { return logs_; }
  /// Null when there is none with this id.
  [[nodiscard]] const TransparencyLog* find(const LogId& id) const noexcept;
  /// Of how many operators they are.
  [[nodiscard]] std::size_t operators() const;

private:
  std::vector<TransparencyLog> logs_;
};

/// How well a server's certificate must be logged. The default asks for nothing.
struct TransparencyPolicy {
  TransparencyLogs logs = {};
  /// Timestamps that must count, each of another log. Where any is required, one at least must be of a log that is not
  /// retired: a log that nobody watches any more can be made to sign for a time that is long past.
  std::size_t timestamps = 0;
  /// Of so many different operators.
  std::size_t operators = 0;
};

/// How a timestamp came here (RFC 6962, 3.3).
enum class TimestampSource : std::uint8_t {
  certificate,   ///< an extension of the certificate: signed before it was issued
  ocsp_response, ///< an extension of the stapled status
  tls_extension, ///< an extension of the handshake
};
[[nodiscard]] std::string_view name_of(TimestampSource source) noexcept;

/// What was found out about one timestamp, or about a list that cannot be read.
struct TimestampFinding {
  TimestampSource source;
  bool counts;
  std::string text; ///< for a person: which log, when, and why it does not count
};

/// What was found out about all of them.
struct TransparencyFindings {
  std::vector<TimestampFinding> timestamps;
  std::size_t counted = 0;   ///< each of another log
  std::size_t operators = 0; ///< of those that count
  bool current = false;      ///< whether one of those that count is of a log that is not retired
};

/// The lists of timestamps that came beside a certificate (SignedCertificateTimestampList: RFC 6962, 3.3); empty where
/// none came.
struct PresentedTimestamps {
  BytesView tls_extension = {};
  BytesView ocsp_response = {}; ///< from the extension of the one status that is about this certificate
};

/// Judges every timestamp in a certificate and beside it, at `unix_time` (seconds). One counts when it is of version 1
/// and not from the future, and a known log made its signature, over the certificate, or, where it stands in the
/// certificate, over what that was without it (RFC 6962, 3.2 and 5.2). `issuer` is the next certificate of the verified
/// path, whose key goes into the latter; null: none of those can be judged.
/// Fails only when there is no memory.
[[nodiscard]] Result<TransparencyFindings> inspect_timestamps(const Certificate& certificate, const Certificate* issuer,
                                                              const PresentedTimestamps& presented,
                                                              const TransparencyLogs& logs,
                                                              std::int64_t unix_time) noexcept;

/// Whether what was found is enough; otherwise `certificate_not_logged` with all of it.
[[nodiscard]] Result<> check_transparency(const TransparencyFindings& findings,
                                          const TransparencyPolicy& policy) noexcept;

namespace detail {
/// RFC 6962, 3.2: what a log signs instead of a certificate that will carry timestamps, its TBSCertificate without the
/// extension that holds them; nothing when it has no such extension.
[[nodiscard]] std::optional<ByteVector> precertificate_tbs(BytesView tbs);
/// "logged by …" for the explanation of a path; empty when nothing counts.
[[nodiscard]] std::string describe_logs(const TransparencyFindings& findings);
/// Appends what makes two policies differ.
void append_identity(ByteVector& to, const TransparencyPolicy& policy);
} // namespace detail

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/transparency.ipp>
#endif
