// Timestamps of transparency logs: read, checked, counted and explained.
#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>
#include <tlsconnect/verify/transparency.hpp>
#include <tlsconnect/wire/codec.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL std::string_view name_of(TimestampSource source) noexcept {
  switch (source) {
  case TimestampSource::certificate:
    return "in the certificate";
  case TimestampSource::ocsp_response:
    return "in its status";
  case TimestampSource::tls_extension:
    return "in the handshake";
  }
  return "unknown";
}

// ---- the logs ----

namespace detail {

/// RFC 6962, 2.1.4 and 3.2: ECDSA on P-256 with SHA-256, or RSASSA-PKCS1-v1_5 with SHA-256, as the log's key is.
inline SignatureScheme scheme_of_log(const PublicKey& key) noexcept {
  return key.curve() ? SignatureScheme::ecdsa_secp256r1_sha256 : SignatureScheme::rsa_pkcs1_sha256;
}

} // namespace detail

TLSCONNECT_DECL Result<> TransparencyLogs::add(BytesView spki, LogDescription about) noexcept {
  static constexpr std::string_view where = "TransparencyLogs";
  try {
    const std::string named = "the key of the log \"" + detail::printable(about.name, 64) + "\" ";
    Result<PublicKey> key = PublicKey::from_spki(spki);
    if (!key)
      return fail(ErrorCode::configuration_invalid, where, named + "cannot be read");
    // RFC 6962, 2.1.4: logs sign with ECDSA on P-256, or with RSA (PKCS #1 v1.5, SHA-256) and 2048 bits or more. Whether a
    // key can be used shows when it is.
    const SignatureScheme scheme = detail::scheme_of_log(*key);
    const Result<> tried = key->verify_tls12(scheme, {}, {});
    if (!key->fits(scheme) || tried.error().code() != ErrorCode::signature_invalid)
      return fail(ErrorCode::configuration_invalid, where,
                  named + "is " + key->description() +
                      ", neither EC secp256r1 nor RSA of at least 2048 bits (RFC 6962, 2.1.4)");
    const Result<Digest> digest = hash_of(HashAlgorithm::sha256, spki);
    if (!digest)
      return std::unexpected(digest.error());
    LogId id{};
    copy_bytes(digest->view(), id);
    if (find(id) != nullptr)
      return fail(ErrorCode::configuration_invalid, where, named + "is there already");
    logs_.push_back({id, std::move(*key), std::move(about)});
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  }
}

TLSCONNECT_DECL Result<> TransparencyLogs::add(std::string_view text, LogDescription about) noexcept {
  try {
    std::string_view rest = text;
    std::string_view base64 = text;
    while (const auto block = detail::next_pem_block(rest))
      if (block->label == "PUBLIC KEY" && block->complete) {
        base64 = block->body;
        break;
      }
    // What is no Base64 is no key either.
    return add(detail::decode_base64(base64).value_or(ByteVector()), std::move(about));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "TransparencyLogs");
  }
}

TLSCONNECT_DECL const TransparencyLog* TransparencyLogs::find(const LogId& id) const noexcept {
  for (const TransparencyLog& log : logs_)
    if (log.id == id)
      return &log;
  return nullptr;
}

namespace detail {

/// How many different operators they have.
inline std::size_t count_operators(const std::vector<const TransparencyLog*>& logs) {
  std::vector<std::string_view> operators;
  for (const TransparencyLog* log : logs)
    if (std::find(operators.begin(), operators.end(), log->about.operated_by) == operators.end())
      operators.push_back(log->about.operated_by);
  return operators.size();
}

} // namespace detail

TLSCONNECT_DECL std::size_t TransparencyLogs::operators() const {
  std::vector<const TransparencyLog*> all;
  for (const TransparencyLog& log : logs_)
    all.push_back(&log);
  return detail::count_operators(all);
}

namespace detail {

// ---- what logs sign ----

/// 1.3.6.1.4.1.11129.2.4.2: the timestamps in a certificate (RFC 6962, 3.3).
inline constexpr std::array<std::uint8_t, 10> timestamp_list_oid = {0x2B, 0x06, 0x01, 0x04, 0x01,
                                                                    0xD6, 0x79, 0x02, 0x04, 0x02};

struct FoundExtension {
  BytesView before; ///< the extensions before it
  BytesView value;  ///< what its OCTET STRING contains
  BytesView after;
};
/// The first extension with this identifier in the contents of a list of them.
inline std::optional<FoundExtension> find_extension(BytesView list, BytesView oid) noexcept {
  for (BytesView rest = list; !rest.empty();) {
    const std::size_t start = list.size() - rest.size();
    const auto extension = next_extension(rest);
    if (!extension)
      return std::nullopt;
    if (equal(extension->id, oid))
      return FoundExtension{list.first(start), extension->value, rest};
  }
  return std::nullopt;
}

/// `tag`, a length in the shortest form (X.690, 10.1), and the parts one after another.
inline ByteVector der_of(std::uint8_t tag, std::initializer_list<BytesView> parts) {
  std::size_t size = 0;
  for (const BytesView part : parts)
    size += part.size();
  ByteVector out{tag};
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    unsigned count = 1;
    while (size >> (8 * count) != 0)
      ++count;
    out.push_back(static_cast<std::uint8_t>(0x80U | count));
    for (unsigned i = count; i > 0; --i)
      out.push_back(static_cast<std::uint8_t>(size >> (8 * (i - 1))));
  }
  for (const BytesView part : parts)
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

TLSCONNECT_DECL std::optional<ByteVector> precertificate_tbs(BytesView tbs) {
  const auto outer = only_der(tbs, der_sequence);
  BytesView rest = outer ? outer->contents : BytesView();
  while (!rest.empty()) {
    const std::size_t start = outer->contents.size() - rest.size();
    const auto field = next_der(rest);
    if (!field)
      return std::nullopt;
    if (field->tag != 0xA3)
      continue;
    // RFC 5280, 4.1: extensions [3] EXPLICIT SEQUENCE OF Extension, the last field.
    const auto list = only_der(field->contents, der_sequence);
    const auto found = list ? find_extension(list->contents, timestamp_list_oid) : std::nullopt;
    if (!found || !rest.empty())
      return std::nullopt;
    // A list of extensions is never empty: without any, there is none.
    ByteVector extensions;
    if (!found->before.empty() || !found->after.empty())
      extensions = der_of(0xA3, {der_of(der_sequence, {found->before, found->after})});
    return der_of(der_sequence, {outer->contents.first(start), extensions});
  }
  return std::nullopt;
}

/// One certificate, as logs sign it.
struct SignedEntries {
  BytesView certificate;
  std::optional<ByteVector> precertificate; ///< none when it cannot be made
  std::array<std::uint8_t, 32> issuer_key_hash{};

  /// RFC 6962, 3.2: digitally-signed struct { Version sct_version; SignatureType signature_type = certificate_timestamp;
  /// uint64 timestamp; LogEntryType entry_type; signed_entry; CtExtensions extensions; }
  [[nodiscard]] ByteVector content(const SignedCertificateTimestamp& timestamp, bool of_precertificate) const {
    constexpr std::size_t entry_max = 0xFF'FFFF;
    ByteVector bytes;
    Writer writer(bytes);
    writer.number(timestamp.version);
    writer.number(std::uint8_t{0});
    writer.number(timestamp.timestamp);
    writer.number(static_cast<std::uint16_t>(of_precertificate));
    if (of_precertificate) {
      writer.fixed(issuer_key_hash);
      writer.opaque24(*precertificate, 1, entry_max);
    } else {
      writer.opaque24(certificate, 1, entry_max);
    }
    writer.opaque16(timestamp.extensions, 0, 0xFFFF);
    return bytes;
  }
};

// ---- one timestamp after another ----

class TimestampInspection {
public:
  TimestampInspection(const Certificate& certificate, const Certificate* issuer, const TransparencyLogs& logs,
                      std::int64_t unix_time)
      : logs_(logs), unix_time_(unix_time) {
    entries_.certificate = certificate.der();
    if (issuer == nullptr)
      return;
    // RFC 6962, 3.2: issuer_key_hash, the SHA-256 of the issuer's SubjectPublicKeyInfo, is signed with the rest, so that no
    // other authority can have the same certificate logged.
    const Result<Digest> digest = hash_of(HashAlgorithm::sha256, issuer->fields().spki);
    if (!digest)
      return;
    copy_bytes(digest->view(), entries_.issuer_key_hash);
    entries_.precertificate = precertificate_tbs(certificate.fields().tbs);
  }

  /// A list as it stands in the wire's extensions; nothing when it is empty.
  void take_list(TimestampSource source, BytesView list) {
    if (list.empty())
      return;
    const Result<SignedCertificateTimestampList> decoded = decode<SignedCertificateTimestampList>(list);
    if (!decoded)
      return add(source, false, "a list that cannot be read: " + std::string(describe(decoded.error().code()).text));
    for (const auto& entry : decoded->timestamps) {
      std::optional<std::string> reason = judge(source, entry.serialised);
      if (reason)
        add(source, false, std::move(*reason));
    }
  }

  /// RFC 6962, 3.3: the extension's value is an OCTET STRING that contains the list.
  void take_certificate(const Certificate& certificate) {
    const auto found = find_extension(certificate.fields().extensions, timestamp_list_oid);
    if (!found)
      return;
    const auto list = only_der(found->value, der_octet_string);
    if (!list || list->contents.empty())
      return add(TimestampSource::certificate, false,
                 "an extension that is not one OCTET STRING with a list in it (RFC 6962, 3.3)");
    take_list(TimestampSource::certificate, list->contents);
  }

  TransparencyFindings finish() {
    findings_.counted = counted_.size();
    findings_.operators = count_operators(counted_);
    findings_.current = std::any_of(counted_.begin(), counted_.end(),
                                    [this](const TransparencyLog* log) { return !retired(*log, unix_time_); });
    return std::move(findings_);
  }

private:
  void add(TimestampSource source, bool counts, std::string text) {
    findings_.timestamps.push_back({source, counts, std::move(text)});
  }

  static bool retired(const TransparencyLog& log, std::int64_t at) noexcept {
    return log.about.retired && at >= *log.about.retired;
  }

  /// Why a timestamp does not count; nothing when it does.
  std::optional<std::string> judge(TimestampSource source, BytesView serialised) {
    // RFC 6962, 3.2: v1 is 0. Of other versions, nobody has said what they look like.
    if (serialised[0] != 0)
      return "version " + std::to_string(serialised[0] + 1U) + " is not known (RFC 6962, 3.2)";
    const Result<SignedCertificateTimestamp> timestamp = decode<SignedCertificateTimestamp>(serialised);
    if (!timestamp)
      return "it cannot be read: " + std::string(describe(timestamp.error().code()).text) + " (RFC 6962, 3.2)";
    const TransparencyLog* log = logs_.find(timestamp->log_id);
    if (log == nullptr)
      return "the log " + encode_base64(timestamp->log_id) + " is not known";
    // Dates beyond those that a person reads are all alike.
    const auto seconds =
        static_cast<std::int64_t>(std::min(timestamp->timestamp / 1000, std::uint64_t{253'402'300'799}));
    const std::string name = describe_log(*log) + ", " + iso8601(seconds);
    // RFC 6962, 5.2: a promise from the future counts for nothing.
    if (seconds > unix_time_)
      return name + ": that is in the future, the time used is " + iso8601(unix_time_) + " (RFC 6962, 5.2)";
    // A log that is not trusted any more can sign whatever it likes, with whatever date. What came with the certificate
    // was there when it was issued, as far as its other timestamps show; what comes beside it could have been renewed.
    if (retired(*log, seconds))
      return name + ": the log was retired on " + iso8601(*log->about.retired);
    if (retired(*log, unix_time_) && source != TimestampSource::certificate)
      return name + ": the log was retired on " + iso8601(*log->about.retired) +
             ", after which its timestamps count in certificates only";
    // One log that says the same twice has not logged twice.
    if (std::find(counted_.begin(), counted_.end(), log) != counted_.end())
      return name + ": another timestamp of this log counts already";

    const bool of_precertificate = source == TimestampSource::certificate;
    if (of_precertificate && !entries_.precertificate)
      return name + ": the certificate's issuer, whose key the log signed too, is not known (RFC 6962, 3.2)";
    const SignatureScheme scheme = scheme_of_log(log->key);
    if (timestamp->algorithm != scheme)
      return name + ": it is signed in another way than with SHA-256 and the log's key (RFC 6962, 2.1.4)";
    if (checks_ == limits::timestamp_signature_checks)
      return name + ": not tried, there are too many";
    ++checks_;
    const ByteVector content = entries_.content(*timestamp, of_precertificate);
    if (const Result<> verified = log->key.verify_tls12(scheme, content, timestamp->signature); !verified)
      return name + (verified.error().code() == ErrorCode::signature_invalid
                         ? ": the log did not sign this certificate (RFC 6962, 3.2)"
                         : ": the log's key cannot be used: " + std::string(verified.error().detail()));
    counted_.push_back(log);
    add(source, true, name);
    return std::nullopt;
  }

  static std::string describe_log(const TransparencyLog& log) {
    std::string text = log.about.name.empty() ? "the log " + encode_base64(log.id) : printable(log.about.name, 64);
    if (!log.about.operated_by.empty())
      text.append(" of ").append(printable(log.about.operated_by, 64));
    return text;
  }

  const TransparencyLogs& logs_;
  std::int64_t unix_time_;
  SignedEntries entries_;
  std::vector<const TransparencyLog*> counted_;
  std::size_t checks_ = 0;
  TransparencyFindings findings_;
};

// ---- sentences ----

/// "in the certificate: A of B, 2026-…; …", the first few.
inline void append_findings(std::string& text, const TransparencyFindings& findings, bool counts) {
  std::size_t shown = 0;
  std::size_t left_out = 0;
  for (const TimestampFinding& finding : findings.timestamps) {
    if (finding.counts != counts)
      continue;
    if (shown == limits::findings_in_message) {
      ++left_out;
      continue;
    }
    text.append(shown++ == 0 ? "" : "; ").append(name_of(finding.source)).append(", ").append(finding.text);
  }
  if (left_out != 0)
    text.append("; and ").append(std::to_string(left_out)).append(" more");
}

TLSCONNECT_DECL std::string describe_logs(const TransparencyFindings& findings) {
  if (findings.counted == 0)
    return {};
  std::string text = "logged: ";
  append_findings(text, findings, true);
  return text;
}

TLSCONNECT_DECL void append_identity(ByteVector& to, const TransparencyPolicy& policy) {
  Writer writer(to);
  for (const TransparencyLog& log : policy.logs.logs()) {
    ByteVector about;
    Writer one(about);
    one.fixed(log.id);
    one.number(static_cast<std::uint8_t>(log.about.retired.has_value()));
    one.number(static_cast<std::uint64_t>(log.about.retired.value_or(0)));
    one.raw(as_bytes(log.about.operated_by));
    // A digest has a fixed length, so that the number of logs behind it says where they begin.
    const Result<Digest> digest = hash_of(HashAlgorithm::sha256, about);
    writer.raw(digest ? digest->view() : BytesView(log.id));
  }
  writer.number(static_cast<std::uint64_t>(policy.logs.size()));
  writer.number(static_cast<std::uint64_t>(policy.timestamps));
  writer.number(static_cast<std::uint64_t>(policy.operators));
}

} // namespace detail

TLSCONNECT_DECL Result<TransparencyFindings>
inspect_timestamps(const Certificate& certificate, const Certificate* issuer, const PresentedTimestamps& presented,
                   const TransparencyLogs& logs, std::int64_t unix_time) noexcept {
  try {
    detail::TimestampInspection inspection(certificate, issuer, logs, unix_time);
    inspection.take_certificate(certificate);
    inspection.take_list(TimestampSource::ocsp_response, presented.ocsp_response);
    inspection.take_list(TimestampSource::tls_extension, presented.tls_extension);
    return inspection.finish();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

TLSCONNECT_DECL Result<> check_transparency(const TransparencyFindings& findings,
                                            const TransparencyPolicy& policy) noexcept {
  const bool required = policy.timestamps != 0 || policy.operators != 0;
  if (!required ||
      (findings.counted >= policy.timestamps && findings.operators >= policy.operators && findings.current))
    return {};
  try {
    const auto number = [](std::size_t count, std::string_view what) {
      return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
    };
    std::string text = "timestamps of " + number(std::max(policy.timestamps, policy.operators), "log") +
                       (policy.operators != 0 ? ", of " + number(policy.operators, "operator") + "," : std::string()) +
                       " are required";
    if (findings.timestamps.empty())
      return fail(ErrorCode::certificate_not_logged, {},
                  text + "; there are none, neither in the certificate nor with it (RFC 6962, 3.3)");
    text.append("; those of ").append(number(findings.counted, "log")).append(" count");
    if (findings.counted != 0) {
      text.append(", of ").append(number(findings.operators, "operator"));
      text.append(findings.current ? " (" : ", none of a log that is not retired (");
      detail::append_findings(text, findings, true);
      text.append(")");
    }
    if (findings.timestamps.size() > findings.counted) {
      text.append("; these do not: ");
      detail::append_findings(text, findings, false);
    }
    return fail(ErrorCode::certificate_not_logged, {}, std::move(text));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
