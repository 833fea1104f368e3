// The table of refusals in docs/verification.md: each one with what the verifier says of an example. With
// TLSCONNECT_UPDATE_DOCS=1 in the environment, the table is written anew.
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/verify/key_pins.hpp>

#include "documented.hpp"
#include "status_issuer.hpp"
#include "support.hpp"
#include "transparency_log.hpp"

using test::Blob;
using test::CertOptions;
using test::day;
using test::der;
using test::Identity;
using test::Key;
using test::KeyType;
using test::now;
using tlsconnect::AlertDescription;
using tlsconnect::Error;
using tlsconnect::ErrorCode;
using tlsconnect::PathRule;
using tlsconnect::TrustAnchors;

namespace {

struct Refusal {
  std::string broken; ///< what the table calls it
  ErrorCode code;     ///< that is expected
  Error error;
};

class Refusals {
public:
  /// One rule of paths, which must be named by its section in what is said.
  void add(PathRule rule, ErrorCode code, const Error& error) {
    rules.insert(rule);
    all.push_back({"`" + std::string(describe(rule).name) + "`", code, error});
  }
  void add(std::string broken, ErrorCode code, const Error& error) { all.push_back({std::move(broken), code, error}); }

  std::vector<Refusal> all;
  std::set<PathRule> rules;
};

CertOptions root_options() {
  return {.common_name = "Root", .key = Key::cached(KeyType::p256, 70), .ca = true, .serial = 1};
}
const Identity& root() {
  static const Identity identity = test::self_signed(root_options());
  return identity;
}
CertOptions authority_options() {
  return {.common_name = "Authority", .key = Key::cached(KeyType::p256, 71), .ca = true, .serial = 2};
}
CertOptions leaf_options() {
  return {.common_name = "Server", .key = Key::cached(KeyType::p256, 72), .dns = {"a.example"}, .serial = 3};
}

Error refused(const std::vector<Blob>& chain, const Identity& trusted = root(),
              const tlsconnect::PathPolicy& policy = {}, std::string_view name = "a.example") {
  const auto outcome = tlsconnect::verify_chain(test::certificates(chain), test::name(name), now,
                                                TrustAnchors::from_pem(trusted.pem()).value(), policy);
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error();
}
/// A chain of three, of which one thing is different.
Error of_leaf(const CertOptions& leaf) { return refused(root().issue(authority_options()).issue(leaf).chain_der()); }
Error of_authority(const CertOptions& authority) {
  return refused(root().issue(authority).issue(leaf_options()).chain_der());
}

/// The options with one change.
template <class Change>
CertOptions with(CertOptions options, Change&& change) {
  change(options);
  return options;
}

Error too_many_ways() {
  const CertOptions x = {
      .common_name = "X", .key = Key::cached(KeyType::p256, 73), .ca = true, .serial = 4, .key_ids = false};
  const Identity one = test::self_signed(x);
  const Identity two = test::self_signed(with(x, [](CertOptions& o) { o.common_name = "Y"; }));
  std::vector<Blob> mesh = {one.issue(with(leaf_options(), [](CertOptions& o) { o.key_ids = false; })).der()};
  for (unsigned i = 0; i < 30; ++i) {
    const auto next = [&](const char* name) {
      return with(x, [&](CertOptions& o) {
        o.common_name = name;
        o.key = Key::cached(KeyType::p256, 200 + i);
      });
    };
    mesh.push_back(two.issue(next("X")).der());
    mesh.push_back(one.issue(next("Y")).der());
  }
  return refused(mesh);
}

Error not_logged() {
  tlsconnect::TransparencyLogs logs;
  REQUIRE(test::Log{.key = Key::cached(KeyType::p256, 74)}.add_to(logs, {.name = "Oak", .operated_by = "Forest"}));
  REQUIRE(test::Log{.key = Key::cached(KeyType::p256, 75)}.add_to(logs, {.name = "Pike", .operated_by = "River"}));
  const Identity authority = root().issue(authority_options());
  const Identity before = authority.issue(leaf_options());
  const auto milliseconds = static_cast<std::uint64_t>(now - day) * 1000;
  const auto log = [](unsigned index) { return test::Log{.key = Key::cached(KeyType::p256, index)}; };
  const Identity logged = authority.issue(with(leaf_options(), [&](CertOptions& o) {
    o.extensions = {test::timestamps_extension(
        {log(74).precertificate(before, authority.key(), milliseconds), log(75).certificate(before, milliseconds)})};
  }));
  return refused(logged.chain_der(), root(), {.transparency = {.logs = logs, .timestamps = 2, .operators = 2}});
}

Error not_pinned() {
  tlsconnect::KeyPins pins;
  // Pins of keys that are the same in every run: those of no key.
  REQUIRE(pins.add(test::name("a.example"), {tlsconnect::KeyPin({0x01}), tlsconnect::KeyPin({0x02})},
                   tlsconnect::PinUse::on_top));
  const auto paths = tlsconnect::PathVerifier::create(TrustAnchors::from_pem(root().pem()).value()).value();
  const auto chain = test::certificates(root().issue(authority_options()).issue(leaf_options()).chain_der());
  const auto outcome =
      tlsconnect::PinningVerifier::create(pins, paths).value()->verify({.chain = chain}, test::name("a.example"), now);
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error();
}

/// What the server staples decides.
Error with_staple(const CertOptions& options, const tlsconnect::RevocationPolicy& policy,
                  const std::optional<test::OcspOptions>& staple) {
  const Identity authority = root().issue(authority_options());
  const Identity leaf = authority.issue(options);
  const auto chain = test::certificates(leaf.chain_der());
  std::vector<tlsconnect::PresentedStatus> status(chain.size());
  const Blob response = staple ? test::ocsp_response(leaf, authority, *staple) : Blob();
  status[0].ocsp_response = response;
  const auto outcome = tlsconnect::PathVerifier::create(TrustAnchors::from_pem(root().pem()).value(), {}, policy)
                           .value()
                           ->verify({.chain = chain, .status = status}, test::name("a.example"), now);
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error();
}

Refusals every_refusal() {
  using enum ErrorCode;
  Refusals list;
  list.add(PathRule::trusted_issuer, certificate_unknown_issuer,
           refused({root().issue(authority_options()).issue(leaf_options()).der()}));
  list.add(PathRule::trusted_issuer, certificate_self_signed, refused(test::self_signed(leaf_options()).chain_der()));
  list.add(PathRule::search_limit, certificate_unknown_issuer, too_many_ways());
  list.add(PathRule::well_formed, certificate_malformed, of_leaf(with(leaf_options(), [](CertOptions& o) {
             o.extensions = {{"1.3.6.1.5.5.7.1.24", false, Blob{0x30, 0x00}}};
           })));
  list.add(PathRule::signature, certificate_signature_invalid,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.break_signature = true; })));
  list.add(PathRule::signature_algorithm, certificate_algorithm_weak,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.hash = "SHA-1"; })));
  list.add(PathRule::key, certificate_key_too_weak,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.key = Key::cached(KeyType::rsa1024); })));
  list.add(PathRule::key, certificate_key_unsupported, of_leaf(with(leaf_options(), [](CertOptions& o) {
             o.public_key = der(0x30, {der(0x30, test::der_oid("1.3.101.110")), der(0x03, Blob(33, 0))}); // X25519
           })));
  list.add(PathRule::version, certificate_usage_forbidden,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.version1 = true; })));
  list.add(PathRule::authority, certificate_usage_forbidden, of_authority(with(authority_options(), [](CertOptions& o) {
             o.ca = false;
             o.key_usage = test::key_cert_sign;
           })));
  list.add(PathRule::not_authority, certificate_usage_forbidden, of_leaf(with(leaf_options(), [](CertOptions& o) {
             o.ca = true;
             o.key_usage = test::digital_signature;
           })));
  list.add(PathRule::key_usage, certificate_usage_forbidden,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.key_usage = test::key_encipherment; })));
  list.add(PathRule::extended_key_usage, certificate_usage_forbidden,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.extended_key_usage = {"PKIX.ClientAuth"}; })));
  const Identity narrow = test::self_signed(with(root_options(), [](CertOptions& o) { o.path_length = 0; }));
  list.add(PathRule::path_length, certificate_constraint_violated,
           refused(narrow.issue(authority_options()).issue(leaf_options()).chain_der(), narrow));
  list.add(PathRule::name_constraints, certificate_constraint_violated,
           of_authority(with(authority_options(), [](CertOptions& o) { o.permitted_dns = {"b.example"}; })));
  list.add(PathRule::critical_extension, certificate_constraint_violated,
           of_leaf(with(leaf_options(),
                        [](CertOptions& o) { o.extensions = {{"1.3.6.1.4.1.11129.2.4.3", true, Blob{0x05, 0x00}}}; })));
  list.add(PathRule::serial_number, certificate_malformed,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.serial_bytes = Blob{0x00}; })));
  list.add(PathRule::validity, certificate_expired,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.not_after = now - 1; })));
  list.add(PathRule::validity, certificate_not_yet_valid,
           of_leaf(with(leaf_options(), [](CertOptions& o) { o.not_before = now + 1; })));
  list.add(PathRule::not_revoked, certificate_revoked,
           with_staple(leaf_options(), {}, {{.statuses = {{.state = "revoked", .reason = 1}}}}));
  list.add(PathRule::status_known, certificate_status_missing,
           with_staple(with(leaf_options(),
                            [](CertOptions& o) {
                              o.extensions = {{"1.3.6.1.5.5.7.1.24", false, {0x30, 0x03, 0x02, 0x01, 0x05}}};
                            }),
                       {}, std::nullopt));
  list.add(PathRule::status_known, certificate_status_invalid,
           with_staple(leaf_options(), {.required = tlsconnect::StatusRequired::server},
                       {{.statuses = {{.this_update = now - 3 * day, .next_update = now - day}}}}));
  list.add("the name", certificate_name_mismatch,
           refused(root().issue(authority_options()).issue(leaf_options()).chain_der(), root(), {}, "b.example"));
  list.add("transparency", certificate_not_logged, not_logged());
  list.add("pins", certificate_key_not_pinned, not_pinned());
  return list;
}

/// A text for a cell of a table: hashes of keys, which are new in every run, are cut out.
std::string cell(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("sha256/") && text.substr(i, 9) != "sha256/AQ" && text.substr(i, 9) != "sha256/Ag") {
      out += "sha256/…";
      i += 7 + 44 - 1;
    } else if (text[i] == '|' || text[i] == '<' || text[i] == '*' || text[i] == '_') {
      (out += '\\') += text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string table(const Refusals& list) {
  std::string text = "| rule | code | alert | for example |\n|---|---|---|---|\n";
  for (const Refusal& refusal : list.all)
    text += "| " + refusal.broken + " | `" + std::string(describe(refusal.error.code()).name) + "` | " +
            std::string(name_of(refusal.error.alert_sent().value())) + " | " + cell(refusal.error.detail()) + " |\n";
  return text;
}

} // namespace

TEST_CASE("every refusal has an example", "[docs]") {
  const Refusals list = every_refusal();
  for (const Refusal& refusal : list.all) {
    CAPTURE(refusal.broken, refusal.error.detail());
    CHECK(refusal.error.code() == refusal.code);
    CHECK(refusal.error.group() == tlsconnect::ErrorGroup::certificate);
  }
  for (unsigned i = 0; i <= static_cast<unsigned>(PathRule::status_known); ++i) {
    CAPTURE(describe(static_cast<PathRule>(i)).name);
    CHECK(list.rules.contains(static_cast<PathRule>(i)));
  }
}

TEST_CASE("the table of refusals in the documentation is what the verifier says", "[docs]") {
  const test::DocumentedPart part("TLSCONNECT_VERIFICATION_PAGE", "<!-- [refusals] -->\n", "<!-- [/refusals] -->\n");
  part.check(table(every_refusal()));
}
