// A corpus of certificate chains, in pairs: one that a TLS client must accept, and one that differs from it in a single
// thing, for which it must be refused. Knows nothing of tlsconnect nor of any other verifier, so that all can be asked the
// same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "test_pki.hpp"

namespace corpus {

using test::Blob;
using test::CertOptions;
using test::constraints;
using test::day;
using test::der;
using test::der_oid;
using test::der_text;
using test::Identity;
using test::Key;
using test::KeyType;
using test::now;

/// What a verifier is asked.
struct Question {
  std::vector<Blob> chain; ///< what the server sends, in DER, its own certificate first
  std::vector<Blob> anchors;
  std::string server = "a.example"; ///< the name that the client asks for
  std::int64_t time = now;
};

/// What tlsconnect must say.
struct Verdict {
  std::string rule;         ///< PathRule's name; "unreadable" for what is no certificate, "name"; empty: accepted
  std::string code;         ///< of the error
  std::size_t position = 0; ///< which certificate: 0 is the server's, the number of those sent is the anchor
  bool alone = true;        ///< whether that is all that is wrong

  [[nodiscard]] bool accepted() const { return rule.empty(); }
  /// The same, where one deviation breaks more than one rule.
  [[nodiscard]] Verdict and_more() const { return {rule, code, position, false}; }
};

inline Verdict unknown_issuer(std::size_t at) { return {"trusted_issuer", "certificate_unknown_issuer", at}; }
inline Verdict untrusted_self_signed(std::size_t at) { return {"trusted_issuer", "certificate_self_signed", at}; }
inline Verdict too_many_ways() { return {"search_limit", "certificate_unknown_issuer", 0}; }
inline Verdict unreadable(std::size_t at) { return {"unreadable", "certificate_malformed", at}; }
inline Verdict malformed(std::size_t at) { return {"well_formed", "certificate_malformed", at}; }
inline Verdict bad_serial(std::size_t at) { return {"serial_number", "certificate_malformed", at}; }
inline Verdict bad_signature(std::size_t at) { return {"signature", "certificate_signature_invalid", at}; }
inline Verdict weak_algorithm(std::size_t at) { return {"signature_algorithm", "certificate_algorithm_weak", at}; }
inline Verdict odd_algorithm(std::size_t at) { return {"signature_algorithm", "certificate_key_unsupported", at}; }
inline Verdict weak_key(std::size_t at) { return {"key", "certificate_key_too_weak", at}; }
inline Verdict odd_key(std::size_t at) { return {"key", "certificate_key_unsupported", at}; }
inline Verdict old_version(std::size_t at) { return {"version", "certificate_usage_forbidden", at}; }
inline Verdict no_authority(std::size_t at) { return {"authority", "certificate_usage_forbidden", at}; }
inline Verdict is_authority(std::size_t at) { return {"not_authority", "certificate_usage_forbidden", at}; }
inline Verdict key_usage(std::size_t at) { return {"key_usage", "certificate_usage_forbidden", at}; }
inline Verdict purpose(std::size_t at) { return {"extended_key_usage", "certificate_usage_forbidden", at}; }
inline Verdict too_long(std::size_t at) { return {"path_length", "certificate_constraint_violated", at}; }
inline Verdict constrained(std::size_t at) { return {"name_constraints", "certificate_constraint_violated", at}; }
inline Verdict critical(std::size_t at) { return {"critical_extension", "certificate_constraint_violated", at}; }
inline Verdict expired(std::size_t at) { return {"validity", "certificate_expired", at}; }
inline Verdict not_yet_valid(std::size_t at) { return {"validity", "certificate_not_yet_valid", at}; }
inline Verdict status_missing(std::size_t at) { return {"status_known", "certificate_status_missing", at}; }
inline Verdict other_name() { return {"name", "certificate_name_mismatch", 0}; }

/// Two questions, of which the first is answered with yes.
struct Pair {
  std::string area;
  std::string what; ///< what the good one is and the bad one is not, or has, or says
  Question good;
  Question bad;
  Verdict verdict; ///< on the bad one

  [[nodiscard]] std::string name() const { return area + ": " + what; }
};

/// A usual chain, each certificate of which says what it is told to: a root, authorities below it, and a server's
/// certificate below the last of them. The root is the anchor, and is not sent. Keys, serial numbers and names are the same
/// every time, so that plans that are equal make equal chains.
struct Plan {
  CertOptions root;
  std::vector<CertOptions> authorities; ///< from the root down
  CertOptions leaf;
  std::string server = "a.example";
  std::int64_t time = now;

  [[nodiscard]] CertOptions& authority() { return authorities.back(); }
  /// By its position in the chain: 0 is the server's certificate, 1 the authority that issued it.
  [[nodiscard]] CertOptions& at(std::size_t position);
  [[nodiscard]] Question question() const;
};
/// With so many authorities.
[[nodiscard]] Plan plan(std::size_t authorities = 1);

/// Options of an authority's certificate, and of a server's for a.example. Each number is a key and a serial number.
[[nodiscard]] CertOptions authority(std::string name, unsigned number);
[[nodiscard]] CertOptions server(unsigned number = 1);

/// The pairs of one area are added to a list.
class Area {
public:
  Area(std::vector<Pair>& pairs, std::string name) : pairs_(pairs), name_(std::move(name)) {}

  void pair(std::string what, Question good, Question bad, Verdict verdict);
  void pair(std::string what, const Plan& good, const Plan& bad, Verdict verdict);
  /// A plan, and the same with a change.
  void pair(std::string what, const Plan& good, void (*change)(Plan&), Verdict verdict);
  /// The usual plan with one change or another.
  void pair(std::string what, void (*good)(Plan&), void (*bad)(Plan&), Verdict verdict);

private:
  std::vector<Pair>& pairs_;
  std::string name_;
};

// Each in a file of its own.
void add_paths(std::vector<Pair>& to);
void add_fields(std::vector<Pair>& to);
void add_authorities(std::vector<Pair>& to);
void add_extensions(std::vector<Pair>& to);
void add_constraints(std::vector<Pair>& to);
void add_names(std::vector<Pair>& to);
void add_keys(std::vector<Pair>& to);
void add_signatures(std::vector<Pair>& to);

/// All of them.
[[nodiscard]] const std::vector<Pair>& all();

// Pieces of certificates.
inline constexpr const char* subject_key_id = "2.5.29.14";
inline constexpr const char* key_usage_id = "2.5.29.15";
inline constexpr const char* alt_name_id = "2.5.29.17";
inline constexpr const char* basic_constraints_id = "2.5.29.19";
inline constexpr const char* name_constraints_id = "2.5.29.30";
inline constexpr const char* authority_key_id = "2.5.29.35";
inline constexpr const char* extended_key_usage_id = "2.5.29.37";
inline constexpr const char* tls_feature_id = "1.3.6.1.5.5.7.1.24";

/// One after another.
[[nodiscard]] Blob join(const std::vector<Blob>& parts);
/// GeneralNames (RFC 5280, 4.2.1.6).
[[nodiscard]] inline Blob dns(const std::string& name) { return der_text(0x82, name); }
[[nodiscard]] inline Blob address(const Blob& bytes) { return der(0x87, bytes); }
[[nodiscard]] inline Blob directory(const std::vector<std::string>& names) { return der(0xA4, test::der_name(names)); }
[[nodiscard]] inline Blob email(const std::string& name) { return der_text(0x81, name); }
[[nodiscard]] inline Blob uri(const std::string& name) { return der_text(0x86, name); }
/// A subjectAltName in place of the usual one.
void set_alt_names(CertOptions& options, const std::vector<Blob>& names, bool critical = false);
/// An extension in addition to the usual ones.
void add_extension(CertOptions& options, const char* oid, bool critical, const Blob& value);

} // namespace corpus
