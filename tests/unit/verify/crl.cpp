// Lists of revoked certificates: the decoder, and every rule by lists that differ in that one thing.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/verify/crl.hpp>

#include "der_tree.hpp"
#include "status_issuer.hpp"
#include "statuses.hpp"
#include "support.hpp"

using test::authority;
using test::Blob;
using test::contains;
using test::CrlEntry;
using test::CrlOptions;
using test::day;
using test::der;
using test::der_extension;
using test::der_text;
using test::der_time;
using test::good;
using test::Identity;
using test::KeyType;
using test::leaf;
using test::now;
using test::revoked;
using test::root;
using test::unknown;
using tlsconnect::Crl;
using tlsconnect::CrlSet;
using tlsconnect::ErrorCode;
using tlsconnect::PathPolicy;
using tlsconnect::RevocationFinding;
using tlsconnect::RevocationState;
using tlsconnect::StatusClock;

namespace {

constexpr std::uint32_t skew = 300;
const Blob null = {0x05, 0x00};
const Blob yes = {0xFF};

RevocationFinding judge(const CrlSet& set, std::int64_t time = now, const Identity& subject = leaf(),
                        const Identity& issuer = authority(), const PathPolicy& policy = {}) {
  std::size_t checks = 16;
  return tlsconnect::check_crls(set, test::certificate(subject), test::certificate(issuer), StatusClock{time, skew, 0},
                                policy, checks);
}
RevocationFinding judge(const CrlOptions& options, std::int64_t time = now) {
  const auto set = CrlSet::from_der(test::crl(authority(), options));
  REQUIRE(set.has_value());
  return judge(*set, time);
}
CrlSet both(const CrlOptions& one, const CrlOptions& other) {
  CrlSet set = CrlSet::from_der(test::crl(authority(), one)).value();
  set.add(CrlSet::from_der(test::crl(authority(), other)).value());
  return set;
}

void unreadable(const CrlOptions& options, std::string_view part) {
  const auto crl = Crl::from_der(test::crl(authority(), options));
  REQUIRE_FALSE(crl.has_value());
  CAPTURE(crl.error().message());
  CHECK(crl.error().code() == ErrorCode::crl_unreadable);
  CHECK(contains(crl.error().detail(), part));
}

CrlEntry entry_of(const Identity& identity) { return {.serial = test::serial_of(identity)}; }
Blob scope(std::initializer_list<Blob> parts) { return der_extension("2.5.29.28", true, der(0x30, parts)); }
Blob uri(std::string_view text) { return der_text(0x86, text); }
Blob full_name(const Blob& names) { return der(0xA0, der(0xA0, names)); }

const Blob unknown_extension = der_extension("1.2.3.4", false, null);
const Blob critical_extension = der_extension("1.2.3.4", true, null);

} // namespace

TEST_CASE("crl: the signature is a BIT STRING of whole bytes", "[crl]") {
  const Blob whole = test::crl(authority());
  tlsconnect::BytesView rest = tlsconnect::detail::only_der(whole, tlsconnect::detail::der_sequence)->contents;
  const Blob tbs = tlsconnect::to_vector(tlsconnect::detail::next_der(rest)->whole);
  const Blob algorithm = tlsconnect::to_vector(tlsconnect::detail::next_der(rest)->whole);
  const Blob signature = tlsconnect::to_vector(rest);
  const auto loads = [&](const Blob& last) { return Crl::from_der(der(0x30, {tbs, algorithm, last})).has_value(); };
  CHECK(loads(signature));
  CHECK_FALSE(loads(der(0x03, Blob{})));
  CHECK_FALSE(loads(der(0x03, Blob{0x01, 0x02})));
  CHECK_FALSE(loads(der(0x04, Blob{0x00, 0x02})));
}

TEST_CASE("crl: the algorithm is a SEQUENCE, in both places", "[crl]") {
  test::DerNode tree = test::der_tree(
      test::crl(authority()), [](const std::string& place, std::uint8_t) { return place.empty() || place == "0"; });
  CHECK(Crl::from_der(test::der_bytes(tree)).has_value());
  tree.children[1].tag = 0x31;
  tree.children[0].children[1].tag = 0x31;
  CHECK_FALSE(Crl::from_der(test::der_bytes(tree)).has_value());
}

TEST_CASE("crl: revoked or not", "[crl]") {
  good(judge(CrlOptions{}));
  CHECK(judge(CrlOptions{}).reason == "not among the revoked at 2026-05-31T00:00:00Z");
  CHECK(judge(CrlOptions{}).valid_until == now + day);
  revoked(judge({.entries = {entry_of(leaf())}}), "revoked at 2026-05-31T00:00:00Z");
  CrlEntry entry = entry_of(leaf());
  entry.reason = 4;
  revoked(judge({.entries = {entry}}), "superseded");
  entry.date_der = der_time(now - 3 * day);
  revoked(judge({.entries = {entry}}), "revoked at 2026-05-29T00:00:00Z");
  // However old that is.
  revoked(judge({.entries = {entry}, .this_update = now - 90 * day, .next_update = now - 80 * day}));
  // No list of that issuer says nothing at all.
  CHECK(judge(CrlSet()).reason.empty());
  CHECK(judge(CrlSet::from_der(test::crl(root())).value()).reason.empty());
  CHECK(judge(CrlSet()).state == RevocationState::unknown);
}

TEST_CASE("crl: found among many", "[crl]") {
  CrlOptions options;
  const auto serial = [](unsigned i) {
    Blob bytes(1 + i % 19, static_cast<std::uint8_t>(1 + i % 100));
    bytes.push_back(static_cast<std::uint8_t>(i >> 8));
    bytes.push_back(static_cast<std::uint8_t>(i));
    return bytes;
  };
  for (unsigned i = 0; i < 1'000; ++i)
    options.entries.push_back({.serial = serial(i * 7919 % 1'000)});
  const CrlSet set = CrlSet::from_der(test::crl(authority(), options)).value();
  CHECK(set.lists()[0].size() == 1'000);
  for (unsigned i = 0; i < 1'010; ++i) {
    const auto subject = i % 100 == 0 || i >= 995 ? authority().issue({.serial_bytes = serial(i)}) : leaf();
    CHECK(judge(set, now, subject).state ==
          (subject.der() != leaf().der() && i < 1'000 ? RevocationState::revoked : RevocationState::good));
  }
  options.entries.push_back(entry_of(leaf()));
  revoked(judge(options));
}

TEST_CASE("crl: dates, to the second", "[crl]") {
  const CrlOptions options{.this_update = now, .next_update = now + 1'000};
  good(judge(options, now));
  good(judge(options, now - skew));
  unknown(judge(options, now - skew - 1), "not valid yet");
  good(judge(options, now + 1'000 + skew));
  unknown(judge(options, now + 1'001 + skew), "too old: of 2026-06-01T00:00:00Z, valid until 2026-06-01T00:16:40Z");
  unknown(judge({.this_update = now + 10, .next_update = now + 9}), "ends before it begins");
  good(judge({.next_update_der = der_time(now + day)})); // GeneralizedTime
  for (const std::int64_t time : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
    CHECK(judge(CrlOptions{}, time).state == RevocationState::unknown);
}

TEST_CASE("crl: signed by the issuer's key, which may sign lists", "[crl]") {
  unknown(judge({.break_signature = true}), "signature that this key did not make");
  unknown(judge({.entries = {entry_of(leaf())}, .break_signature = true}), "signature that this key did not make");
  unknown(judge({.signer = root()}), "signature that this key did not make");
  // Another key of the same name.
  const auto namesake = root().issue({.common_name = "Authority", .ca = true});
  unknown(judge(CrlSet::from_der(test::crl(namesake)).value()), "another key of the issuer");
  unknown(judge(CrlSet::from_der(test::crl(namesake, {.key_id = false})).value()), "this key did not make");
  good(judge({.key_id = false}));
  unknown(judge({.issuer_key_id = Blob{1, 2, 3}}), "another key of the issuer");
  const auto without_key_id =
      root().issue({.common_name = "Authority", .key = authority().key(), .ca = true, .key_ids = false});
  good(judge(CrlSet::from_der(test::crl(authority())).value(), now, leaf(), without_key_id));
  // keyUsage.
  const auto with_usage = [](std::uint32_t usage) {
    return judge(CrlSet::from_der(test::crl(authority())).value(), now, leaf(),
                 root().issue({.common_name = "Authority", .key = authority().key(), .ca = true, .key_usage = usage}));
  };
  good(with_usage(test::key_cert_sign | test::crl_sign));
  good(with_usage(0));
  unknown(with_usage(test::key_cert_sign), "cRLSign");
  const Blob not_der = der(0x30, {test::der_oid("1.2.3"), {0x01, 0x01, 0x00}, der(0x04, null)}); // FALSE is left out
  unknown(judge(CrlSet::from_der(test::crl(authority())).value(), now, leaf(),
                root().issue({.common_name = "Authority", .key = authority().key(), .extension_list = not_der})),
          "cRLSign");
  // The algorithm.
  unknown(judge({.padding = "SHA-1", .algorithm = "1.2.840.10045.4.1"}), "no longer safe");
  good(judge({.padding = "SHA-384", .algorithm = "1.2.840.10045.4.3.3"}));
  unknown(judge({.algorithm = "1.2.840.10045.4.3.3"}), "this key did not make");
  unknown(judge({.algorithm = "1.2.840.113549.1.1.11"}), "does not go with the key");
  using enum tlsconnect::SignatureScheme;
  const CrlSet fine = CrlSet::from_der(test::crl(authority())).value();
  good(judge(fine, now, leaf(), authority(), {.signature_schemes = {ecdsa_secp256r1_sha256}}));
  unknown(judge(fine, now, leaf(), authority(), {.signature_schemes = {ed25519}}), "does not allow");
}

TEST_CASE("crl: a signature is checked once for each key", "[crl]") {
  const auto cost = [](const CrlSet& set, const Identity& issuer, std::size_t allowed) {
    std::size_t left = allowed;
    const RevocationState state =
        tlsconnect::check_crls(set, test::certificate(leaf()), test::certificate(issuer), {now, 0, 0}, {}, left).state;
    return std::pair{state, allowed - left};
  };
  using enum RevocationState;
  using Cost = std::pair<RevocationState, std::size_t>;
  const CrlSet set = CrlSet::from_der(test::crl(authority(), {.key_id = false})).value();
  const CrlSet copy = set;
  CHECK(cost(set, authority(), 0) == Cost{unknown, 0});
  CHECK(cost(set, authority(), 5) == Cost{good, 1});
  CHECK(cost(set, authority(), 5) == Cost{good, 0});
  CHECK(cost(copy, authority(), 0) == Cost{good, 0});
  // What one key did is not said of another.
  const auto namesake = root().issue({.common_name = "Authority", .ca = true});
  CHECK(cost(set, namesake, 5) == Cost{unknown, 1});
  CHECK(cost(set, namesake, 5) == Cost{unknown, 0});
  CHECK(cost(set, authority(), 5) == Cost{good, 0});
  // Only so many are remembered.
  for (int i = 0; i < 3; ++i)
    CHECK(cost(set, root().issue({.common_name = "Authority", .ca = true}), 5) == Cost{unknown, 1});
  const auto one_too_many = root().issue({.common_name = "Authority", .ca = true});
  CHECK(cost(set, one_too_many, 5) == Cost{unknown, 1});
  CHECK(cost(set, one_too_many, 5) == Cost{unknown, 1});
  CHECK(cost(set, authority(), 5) == Cost{good, 0});
}

TEST_CASE("crl: several lists of one issuer", "[crl]") {
  const CrlOptions fine;
  const CrlOptions longer{.this_update = now - 2 * day, .next_update = now + 2 * day};
  const CrlOptions old{.this_update = now - 9 * day, .next_update = now - 8 * day};
  const CrlOptions bad{.entries = {entry_of(leaf())}};
  revoked(judge(both(fine, bad)));
  revoked(judge(both(bad, fine)));
  good(judge(both(fine, old)));
  good(judge(both(old, fine)));
  CHECK(judge(both(longer, fine)).valid_until == now + 2 * day);
  CHECK(judge(both(fine, longer)).valid_until == now + 2 * day);
  unknown(judge(both(old, {.break_signature = true})), "too old");
  // One that counts for nothing ends later than one that is good.
  const CrlOptions backwards{.this_update = now + 20, .next_update = now + 19};
  good(judge(both(backwards, {.next_update = now + 10})));
  good(judge(both({.next_update = now + 10}, backwards)));
}

TEST_CASE("crl: which certificates a list is for", "[crl]") {
  const Blob users = der(0x81, yes);
  const Blob authorities = der(0x82, yes);
  good(judge({.extensions = scope({users})}));
  unknown(judge({.extensions = scope({authorities})}), "authorities only");
  const auto sub = authority().issue({.common_name = "Sub", .ca = true});
  const auto of_sub = [&](const Blob& extension) {
    return judge(CrlSet::from_der(test::crl(authority(), {.extensions = extension})).value(), now, sub);
  };
  good(of_sub(scope({authorities})));
  unknown(of_sub(scope({users})), "users only");
  // basicConstraints without cA make nobody an authority.
  const auto user = authority().issue({.extensions = {{"2.5.29.19", true, der(0x30, {})}}});
  good(judge(CrlSet::from_der(test::crl(authority(), {.extensions = scope({users})})).value(), now, user));
  // What is listed is revoked all the same: the list is of this issuer.
  revoked(judge({.entries = {entry_of(leaf())}, .extensions = scope({authorities})}));

  // Partitioned: only the certificate that names this point would stand in it.
  const auto point = [](const Blob& names) { return der(0x30, full_name(names)); };
  const Blob here = uri("http://crl.example/1");
  const Blob elsewhere = uri("http://crl.example/2");
  const auto subject_with = [](const Blob& points) {
    return authority().issue({.extensions = {{"2.5.29.31", false, der(0x30, points)}}});
  };
  const CrlSet partition = CrlSet::from_der(test::crl(authority(), {.extensions = scope({full_name(here)})})).value();
  unknown(judge(partition), "distribution point");
  good(judge(partition, now, subject_with(point(here))));
  unknown(judge(partition, now, subject_with(point(elsewhere))), "distribution point");
  Blob two = point(elsewhere);
  const Blob second = point(here);
  two.insert(two.end(), second.begin(), second.end());
  good(judge(partition, now, subject_with(two)));
  Blob names = elsewhere;
  names.insert(names.end(), here.begin(), here.end());
  good(judge(partition, now, subject_with(point(names))));
  good(judge(CrlSet::from_der(test::crl(authority(), {.extensions = scope({full_name(names)})})).value(), now,
             subject_with(point(here))));
  // For some reasons only, and of another issuer.
  unknown(judge(partition, now, subject_with(der(0x30, {full_name(here), der(0x81, Blob{0x00, 0x80})}))),
          "distribution point");
  unknown(judge(partition, now,
                subject_with(der(0x30, {full_name(here), der(0xA2, der(0xA4, test::der_name({"Other"})))}))),
          "distribution point");
  // A distribution point without anything, and extensions that cannot be read: they name nothing.
  unknown(judge(partition, now, subject_with(der(0x30, Blob{}))), "distribution point");
  const Blob not_der = der(0x30, {test::der_oid("1.2.3"), {0x01, 0x01, 0x00}, der(0x04, null)}); // FALSE is left out
  unknown(judge(partition, now, authority().issue({.extension_list = not_der})), "distribution point");
  // Of a delta list, and without a name.
  unknown(judge(partition, now, authority().issue({.extensions = {{"2.5.29.46", false, der(0x30, point(here))}}})),
          "distribution point");
  unknown(judge(partition, now, subject_with(der(0x30, der(0xA2, der(0xA0, here))))), "distribution point");
  revoked(judge({.entries = {entry_of(leaf())}, .extensions = scope({full_name(here)})}));
}

TEST_CASE("crl: kinds that cannot be used", "[crl]") {
  const auto with = [](Blob extension) { return CrlOptions{.extensions = std::move(extension)}; };
  unreadable(with(scope({der(0x83, Blob{0x06, 0x40})})), "onlySomeReasons");
  unreadable(with(scope({der(0x84, yes)})), "indirectCRL");
  unreadable(with(scope({der(0x85, yes)})), "onlyContainsAttributeCerts");
  unreadable(with(scope({der(0x81, yes), der(0x82, yes)})), "users' certificates only");
  unreadable(with(scope({der(0xA0, der(0xA1, test::der_name({"a"})))})), "not a full one");
  unreadable(with(scope({der(0xA0, der(0xA0, Blob{}))})), "not a full one");
  unreadable(with(scope({})), "issuingDistributionPoint");
  unreadable(with(scope({der(0x81, Blob{0x01})})), "not TRUE");
  unreadable(with(scope({der(0x81, Blob{0x00})})), "not TRUE");
  unreadable(with(scope({der(0x81, Blob{})})), "not TRUE");
  unreadable(with(scope({der(0x81, Blob{0xFF, 0xFF})})), "not TRUE");
  unreadable(with(scope({Blob{0x81, 0x05, 0xFF}})), "not TRUE");
  unreadable({.entries_der = Blob{0x30, 0x80}}, "empty list");
  unreadable(with(scope({der(0x86, yes)})), "nobody defined");
  unreadable(with(scope({der(0x82, yes), der(0x81, yes)})), "nobody defined"); // the wrong order
  unreadable(with(der_extension("2.5.29.28", true, null)), "issuingDistributionPoint");
  unreadable(with(der_extension("2.5.29.27", true, der(0x02, Blob{1}))), "delta");
  unreadable(with(critical_extension), "1.2.3.4");
  good(judge(with(unknown_extension)));
  good(judge({.key_id = false, .extensions = der_extension("2.5.29.20", true, der(0x02, Blob{7}))})); // cRLNumber
  Blob twice = unknown_extension;
  twice.insert(twice.end(), unknown_extension.begin(), unknown_extension.end());
  unreadable(with(twice), "twice");
  unreadable({.key_id = false, .extensions = der_extension("2.5.29.35", false, null)}, "authorityKeyIdentifier");
  Blob many;
  for (unsigned i = 0; i < 65; ++i) {
    const Blob one = der_extension("1.2.3." + std::to_string(i), false, null);
    many.insert(many.end(), one.begin(), one.end());
  }
  unreadable({.key_id = false, .extensions = many}, "more than 64");

  const auto entry = [](Blob extensions) {
    return CrlOptions{.entries = {{.serial = Blob{0x11}, .extensions = std::move(extensions)}}};
  };
  good(judge(entry(unknown_extension)));
  good(judge(entry(der_extension("2.5.29.24", true, der_time(now)))));
  unreadable(entry(critical_extension), "critical");
  unreadable(entry(der_extension("2.5.29.29", false, der(0x30, der(0xA4, test::der_name({"Other"}))))), "indirect");
  for (const std::uint8_t reason : {std::uint8_t{7}, std::uint8_t{8}, std::uint8_t{11}})
    unreadable({.entries = {{.serial = Blob{0x11}, .reason = reason}}}, "reasonCode");
  unreadable({.entries = {{.serial = Blob{0x11},
                           .reason = 1,
                           .extensions = der_extension("2.5.29.21", false, der(0x0A, Blob{1}))}}},
             "reasonCode");
  unreadable(entry(der_extension("2.5.29.21", false, der(0x02, Blob{1}))), "reasonCode");
  for (const Blob& reason : {Blob{}, Blob{4, 4}})
    unreadable(entry(der_extension("2.5.29.21", false, der(0x0A, reason))), "reasonCode");
}

TEST_CASE("crl: what is not exactly the definition is not read", "[crl]") {
  CHECK(Crl::from_der(test::crl(authority())).has_value());
  unreadable({.version = Blob{}}, "version 2");
  unreadable({.version = Blob{0x02, 0x01, 0x00}}, "version 2");
  unreadable({.version = Blob{0x02, 0x01, 0x02}}, "version 2");
  unreadable({.version = Blob{0x02, 0x02, 0x01, 0x00}}, "version 2");
  unreadable({.inner_algorithm = "1.2.840.10045.4.3.3"}, "differ");
  unreadable({.issuer_name = test::der_name({})}, "no issuer");
  unreadable({.issuer_name = null}, "no issuer");
  unreadable({.next_update_der = Blob{}}, "nextUpdate");
  unreadable({.next_update_der = null}, "nextUpdate");
  unreadable({.entries_der = der(0x30, Blob{})}, "empty list");
  unreadable({.entries_der = der(0x30, null)}, "entry");
  unreadable({.entries_der = der(0x30, Blob{0x30})}, "not DER");
  unreadable({.extensions_der = der(0xA0, Blob{})}, "no list");
  unreadable({.extensions_der = der(0xA0, der(0x30, Blob{}))}, "no list");
  unreadable({.extensions_der = der(0xA0, der(0x30, null))}, "no extension");
  unreadable({.behind = null}, "something behind");
  const auto entry = [](Blob whole) { return CrlOptions{.entries = {{.whole = std::move(whole)}}}; };
  const Blob date = der_time(now, 0x17);
  unreadable(entry(der(0x31, {der(0x02, Blob{1}), date})), "entry");
  unreadable(entry(der(0x30, {der(0x04, Blob{1}), date})), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{0, 1}), date})), "entry");
  unreadable(entry(der(0x30, der(0x02, Blob{1}))), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{1}), null})), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{1}), date, null})), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{1}), date, der(0x30, Blob{})})), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{1}), date, der(0x30, unknown_extension), null})), "entry");
  unreadable(entry(der(0x30, {der(0x02, Blob{1}), date, der(0x30, null)})), "no extension");

  const Blob whole = test::crl(authority(), {.entries = {entry_of(leaf())}, .extensions = unknown_extension});
  REQUIRE(Crl::from_der(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    if (Crl::from_der(std::span(whole).first(size)))
      FAIL_CHECK("cut after " << size << " bytes");
  Blob longer = whole;
  longer.push_back(0);
  CHECK_FALSE(Crl::from_der(longer).has_value());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Blob changed = whole;
    changed[i] ^= 0x20;
    const auto set = CrlSet::from_der(changed);
    if (set && judge(*set).state != RevocationState::unknown)
      FAIL_CHECK("changed at " << i);
  }
  const auto large = Crl::from_der(Blob(tlsconnect::limits::crl + 1, 0x30));
  REQUIRE_FALSE(large.has_value());
  CHECK(contains(large.error().detail(), "more than"));
}

TEST_CASE("crl: every field of another type, left out, twice, or with something behind it", "[crl]") {
  CrlEntry entry = entry_of(leaf());
  entry.reason = 4;
  entry.extensions = unknown_extension;
  Blob extensions = unknown_extension;
  const Blob point = scope({full_name(uri("http://crl.example/1")), der(0x81, yes)});
  extensions.insert(extensions.end(), point.begin(), point.end());
  const Blob whole = test::crl(authority(), {.entries = {entry}, .extensions = extensions});
  const auto tree = test::der_tree(whole, [](const std::string& place, std::uint8_t tag) {
    // The name, which others read; and into the values of reasonCode, authorityKeyIdentifier and
    // issuingDistributionPoint.
    return place == "0.5.0.2.0.1" || place == "0.6.0.0.1" || place == "0.6.0.3.2" ||
           ((tag & 0x20U) != 0 && place != "0.2");
  });
  REQUIRE(test::der_bytes(tree) == whole);
  const std::set<std::string> taken =
      test::changes_taken(tree, [](const Blob& bytes) { return Crl::from_der(bytes).has_value(); });
  CHECK(taken == std::set<std::string>{
                     "without 0.5",           // revokedCertificates
                     "until 0.5",             // revokedCertificates and crlExtensions
                     "twice 0.5.0",           // an entry
                     "without 0.5.0.2",       // its extensions
                     "without 0.5.0.2.0",     // one of them
                     "without 0.5.0.2.1",     // another
                     "twice 0.5.0.2.1",       // not of those that are read
                     "without 0.6",           // crlExtensions
                     "without 0.6.0.0",       // authorityKeyIdentifier
                     "without 0.6.0.0.1.0.0", // the keyIdentifier in it
                     "without 0.6.0.1",       // cRLNumber
                     "until 0.6.0.1",         // and what follows
                     "without 0.6.0.2",       // one of no concern
                     "until 0.6.0.2",         // and what follows
                     "without 0.6.0.3",       // issuingDistributionPoint
                     "without 0.6.0.3.1",     // that it is critical
                     "without 0.6.0.3.2.0.0", // its name
                     "tag 0.6.0.3.2.0.0.0.0", // which is compared, not read
                     "twice 0.6.0.3.2.0.0.0.0",
                     "behind 0.6.0.3.2.0.0.0",
                     "without 0.6.0.3.2.0.1", // onlyContainsUserCerts
                 });
}

TEST_CASE("crl: texts, files and sets", "[crl]") {
  const Blob one = test::crl(authority());
  const Blob other = test::crl(root());
  const std::string pem =
      "Some words.\n" + test::pem_block("X509 CRL", one) + leaf().pem() + test::pem_block("X509 CRL", other);
  const auto set = CrlSet::from_pem(pem);
  REQUIRE(set.has_value());
  CHECK(set->size() == 2);
  CHECK(std::ranges::equal(set->lists()[0].der(), one));
  CHECK(std::ranges::equal(set->lists()[1].der(), other));
  CHECK(set->lists()[0].this_update() == now - day);
  CHECK(set->lists()[0].next_update() == now + day);
  CrlSet sum = CrlSet::from_der(one).value();
  sum.add(*set);
  sum.add(sum);
  CHECK(sum.size() == 2);
  CHECK(CrlSet().empty());

  const auto refused = [](const tlsconnect::Result<CrlSet>& result, std::string_view part) {
    REQUIRE_FALSE(result.has_value());
    CAPTURE(result.error().message());
    CHECK(result.error().code() == ErrorCode::crl_unreadable);
    CHECK(contains(result.error().detail(), part));
  };
  // One that cannot be used is not left out.
  refused(CrlSet::from_pem(pem + test::pem_block("X509 CRL", Blob{0x30, 0x00})), "number 3 of the PEM text: the list");
  refused(CrlSet::from_pem(leaf().pem()), "no block");
  refused(CrlSet::from_pem(""), "no block");
  refused(CrlSet::from_pem(pem.substr(0, pem.size() - 5)), "END line");
  refused(CrlSet::from_pem("-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n"), "not Base64");
  refused(CrlSet::from_der(leaf().der()), "the list");
  refused(CrlSet::from_der({}), "the list");

  const std::string path = "unit_verify_crl." + std::to_string(reinterpret_cast<std::uintptr_t>(&pem)) + ".tmp";
  const auto file = [&](std::string_view text) {
    std::FILE* to = std::fopen(path.c_str(), "wb");
    REQUIRE(to != nullptr);
    CHECK(std::fwrite(text.data(), 1, text.size(), to) == text.size());
    CHECK(std::fclose(to) == 0);
    auto read = CrlSet::from_file(path);
    CHECK(std::remove(path.c_str()) == 0);
    return read;
  };
  CHECK(file(pem).value().size() == 2);
  CHECK(file(tlsconnect::as_text(one)).value().size() == 1);
  CHECK(file("0 at the front\n" + pem).value().size() == 2);
  CHECK(file("\xC3\x89t\xC3\xA9\n" + pem).value().size() == 2);
  refused(file("nothing"), path + ": there is no block");
  refused(file(""), path);
  refused(CrlSet::from_file("there/is/no/such.file"), "there/is/no/such.file: No such file");
}
