// The search for a path: every issuer that comes into question, and no more work than was set.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <tlsconnect/base/limits.hpp>

#include "chains.hpp"

using test::accepts;
using test::Blob;
using test::CertOptions;
using test::contains;
using test::day;
using test::Identity;
using test::judge;
using test::now;
using test::refuses;
using tlsconnect::ErrorCode;
using tlsconnect::PathCost;
using tlsconnect::PathRule;
namespace limits = tlsconnect::limits;

namespace {

constexpr ErrorCode unknown = ErrorCode::certificate_unknown_issuer;

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}

CertOptions authority(std::string name, bool key_ids = true) {
  return {.common_name = std::move(name), .ca = true, .key_ids = key_ids};
}

/// Everything stays within what the limits say.
void within_limits(const PathCost& cost) {
  CHECK(cost.signature_checks <= limits::path_signature_checks);
  CHECK(cost.candidates <= limits::path_candidates);
  CHECK(cost.refusals <= limits::path_refusals);
  CHECK(cost.name_comparisons <= limits::name_constraint_comparisons);
}

PathCost cost_of(const std::vector<Blob>& chain, const std::vector<Identity>& anchors, bool good) {
  PathCost cost;
  const auto outcome = judge(chain, anchors, now, {}, &cost);
  CHECK(outcome.has_value() == good);
  within_limits(cost);
  return cost;
}

} // namespace

TEST_CASE("a usual chain costs the signatures that it has", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const auto low = ca.issue(authority("Low"));
  // Below the anchor, whose own signature nothing depends on.
  CHECK(cost_of(root().issue({}).chain_der(), {root()}, true).signature_checks == 1);
  CHECK(cost_of(ca.issue({}).chain_der(), {root()}, true).signature_checks == 2);
  CHECK(cost_of(ca.issue({}).chain_der(true), {root()}, true).signature_checks == 2);
  CHECK(cost_of(low.issue({}).chain_der(), {root()}, true).signature_checks == 3);
  CHECK(cost_of(low.issue({}).chain_der(), {root(), ca}, true).signature_checks == 2); // the nearest anchor is enough
  CHECK(cost_of(low.issue({}).chain_der(), {root()}, true).candidates == 3);
  const auto own = test::self_signed({});
  CHECK(cost_of(own.chain_der(), {own}, true).signature_checks == 0);
  // Unrelated certificates cost nothing.
  auto crowded = low.issue({}).chain_der();
  for (int i = 0; i < 40; ++i)
    crowded.push_back(test::self_signed(authority("Other " + std::to_string(i))).der());
  CHECK(cost_of(crowded, {root()}, true).signature_checks == 3);
  // One that breaks another rule costs none before there is nothing better.
  CHECK(cost_of(ca.issue({.not_after = now - day}).chain_der(), {root()}, false).signature_checks == 2);
}

TEST_CASE("any order, and anything between", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const auto low = ca.issue(authority("Low"));
  const auto leaf = low.issue({});
  std::vector<Blob> others = {low.der(), ca.der(), root().der(), test::self_signed(authority("X")).der()};
  std::sort(others.begin(), others.end());
  int orders = 0;
  do {
    std::vector<Blob> chain = {leaf.der()};
    chain.insert(chain.end(), others.begin(), others.end());
    const auto outcome = judge(chain, {root()});
    accepts(outcome);
    CHECK(outcome->size() == 4);
    ++orders;
  } while (std::next_permutation(others.begin(), others.end()));
  CHECK(orders == 24);
}

TEST_CASE("authorities that were issued again", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const auto leaf = ca.issue({});
  CertOptions old = authority("CA");
  old.not_after = now - day;
  const auto expired = ca.cross_signed_by(root(), old);
  accepts(judge({leaf.der(), expired.der(), ca.der()}, {root()}));
  accepts(judge({leaf.der(), ca.der(), expired.der()}, {root()}));
  refuses(judge({leaf.der(), expired.der()}, {root()}), PathRule::validity, ErrorCode::certificate_expired, 1);
  // The same name and key, as an anchor of its own.
  accepts(judge({leaf.der(), expired.der()}, {root(), ca}));
  accepts(judge({leaf.der()}, {ca}));
  // The same name and another key: told apart by the identifiers, and by the signature where there are none.
  const auto rekeyed = root().issue(authority("CA"));
  accepts(judge({leaf.der(), rekeyed.der(), ca.der()}, {root()}));
  const auto plain = root().issue(authority("Plain", false));
  const auto other = root().issue(authority("Plain", false));
  const auto below = plain.issue({.key_ids = false});
  accepts(judge({below.der(), other.der(), plain.der()}, {root()}));
  accepts(judge({below.der(), plain.der(), other.der()}, {root()}));
  refuses(judge({below.der(), other.der()}, {root()}), PathRule::signature, ErrorCode::certificate_signature_invalid,
          0);
}

TEST_CASE("a key identifier chooses, but does not exclude", "[search]") {
  // The authority was issued again with its identifier computed in another way.
  CertOptions options = authority("CA");
  options.own_key_id = Blob{1, 2, 3};
  const auto ca = root().issue(options);
  const auto leaf = ca.issue({});
  PathCost cost;
  accepts(judge({leaf.der(), ca.der()}, {root()}, now, {}, &cost));
  CHECK(cost.signature_checks == 2);
  accepts(judge({leaf.der()}, {ca}));
  // One that fits goes first, an anchor that does not fit comes after it.
  const auto namesake = test::self_signed({.common_name = "CA", .ca = true});
  const auto proper = root().issue(authority("CA"));
  CHECK(cost_of({proper.issue({}).der(), proper.der()}, {root(), namesake}, true).signature_checks == 2);
  // Who does not fit and made no signature is a namesake.
  const auto outcome = judge({proper.issue({}).der()}, {namesake});
  refuses(outcome, PathRule::trusted_issuer, unknown, 0, "another key");
}

TEST_CASE("who has the key identifier goes before those who have none", "[search]") {
  const auto proper = root().issue(authority("CA"));
  const auto without = root().issue(authority("CA", false));
  const auto leaf = proper.issue({});
  CHECK(cost_of({leaf.der(), without.der(), proper.der()}, {root()}, true).candidates == 2);
  // Among anchors as well.
  const auto first = test::self_signed(authority("CA", false));
  const auto second = test::self_signed(authority("CA"));
  CHECK(cost_of({second.issue({}).der()}, {first, second}, true).candidates == 1);
}

TEST_CASE("anchors whose names look alike at first sight", "[search]") {
  // The same values of the same letters, at attributes that are exchanged.
  const auto one = test::self_signed({.common_name = "Alpha", .organization = "Beta", .ca = true});
  const auto other = test::self_signed({.common_name = "Beta", .organization = "Alpha", .ca = true});
  accepts(judge({one.issue({}).der()}, {one, other}));
  accepts(judge({other.issue({}).der()}, {one, other}));
  const auto outcome = judge({other.issue({}).der()}, {one});
  refuses(outcome, PathRule::trusted_issuer, unknown, 0, "neither among");
  // The same name with two keys.
  const auto twin = test::self_signed({.common_name = "Alpha", .organization = "Beta", .ca = true});
  accepts(judge({one.issue({}).der()}, {one, other, twin}));
  accepts(judge({twin.issue({}).der()}, {one, other, twin}));
}

TEST_CASE("a key identifier on one side says nothing", "[search]") {
  constexpr ErrorCode invalid = ErrorCode::certificate_signature_invalid;
  const auto without = test::self_signed(authority("CA", false));
  const auto with = test::self_signed(authority("CA"));
  const auto impostor = test::self_signed(authority("CA"));
  // The namesake may be the issuer as far as names go, so it is the signature that is wrong.
  refuses(judge({impostor.issue({}).der()}, {without}), PathRule::signature, invalid, 0);
  refuses(judge({impostor.issue({.key_ids = false}).der()}, {with}), PathRule::signature, invalid, 0);
  refuses(judge({impostor.issue({}).der()}, {with}), PathRule::trusted_issuer, unknown, 0);
}

TEST_CASE("a certificate that several ways lead to", "[search]") {
  const auto top = test::self_signed(authority("Top")).issue(authority("N"));
  const auto middle = top.issue(authority("M"));
  const auto ca = middle.issue(authority("CA", false));
  const auto again = middle.issue(authority("CA", false));
  const auto leaf = ca.issue({.key_ids = false});
  const auto cost = cost_of({leaf.der(), ca.der(), again.der(), middle.der(), top.der()}, {root()}, false);
  CHECK(cost.candidates == 2 + 2 * 2);
  // The same with an anchor above it: its issuers are looked up once.
  const auto above = root().issue(authority("M"));
  const auto low = above.issue(authority("CA", false));
  const auto low_again = above.issue(authority("CA", false));
  const auto expired = low.issue({.not_after = now - day, .key_ids = false});
  const auto refused = cost_of({expired.der(), low.der(), low_again.der(), above.der()}, {root()}, false);
  CHECK(refused.candidates == 2 + 2 * 2);
}

TEST_CASE("cross-signed authorities", "[search]") {
  const auto a = test::self_signed(authority("A"));
  const auto b = test::self_signed(authority("B"));
  const auto ca = a.issue(authority("CA"));
  const auto crossed = ca.cross_signed_by(b, authority("CA"));
  const auto a_by_b = a.cross_signed_by(b, authority("A"));
  const auto leaf = ca.issue({});
  for (const auto& chain :
       {std::vector<Blob>{leaf.der(), ca.der(), crossed.der()}, {leaf.der(), crossed.der(), ca.der()}}) {
    accepts(judge(chain, {a}));
    accepts(judge(chain, {b}));
    accepts(judge(chain, {a, b}));
    CHECK_FALSE(judge(chain, {root()}).has_value());
  }
  // Over the other root, which is cross-signed itself.
  CHECK(judge({leaf.der(), ca.der(), a_by_b.der(), a.der()}, {b}).value().size() == 4);
  CHECK(judge({leaf.der(), ca.der(), a_by_b.der(), a.der()}, {a, b}).value().size() == 3);
  // A way that breaks a rule is not the end.
  CertOptions for_clients = authority("CA");
  for_clients.extended_key_usage = {"PKIX.ClientAuth"};
  const auto useless = ca.cross_signed_by(b, for_clients);
  accepts(judge({leaf.der(), useless.der(), ca.der()}, {a, b}));
  refuses(judge({leaf.der(), useless.der(), ca.der()}, {b}), PathRule::extended_key_usage,
          ErrorCode::certificate_usage_forbidden, 1);
}

TEST_CASE("of the ways that break rules, four are kept for the explanation", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const Blob leaf = ca.issue({}).der();
  std::vector<Blob> chain{leaf};
  for (int i = 0; i < 4; ++i) {
    CertOptions worse = authority("CA");
    worse.not_after = now - (i + 2) * day;
    worse.key_usage = test::crl_sign;
    chain.push_back(ca.cross_signed_by(root(), worse).der());
  }
  CertOptions better = authority("CA");
  better.not_after = now - day;
  const Blob fifth = ca.cross_signed_by(root(), better).der();
  chain.push_back(fifth);
  CHECK(judge(chain, {root()}).error().findings.size() == 2);
  chain.pop_back();
  chain.insert(chain.begin() + 1, fifth);
  CHECK(judge(chain, {root()}).error().findings.size() == 1);
}

TEST_CASE("an anchor is an anchor, whoever signed it", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const auto leaf = ca.issue({});
  CHECK(judge({leaf.der()}, {ca}).value().size() == 2);
  CHECK(judge({leaf.der(), ca.der()}, {ca}).value().size() == 2);
  CHECK(judge({leaf.der()}, {leaf}).value().size() == 1);
  // An anchor that is sent has the position that it has there.
  CertOptions old = authority("Old");
  old.not_after = now - day;
  const auto expired = test::self_signed(old);
  PathCost cost;
  refuses(judge({expired.issue({}).der(), expired.der()}, {expired}, now, {}, &cost), PathRule::validity,
          ErrorCode::certificate_expired, 1, "the trust anchor (CN=Old)");
  CHECK(cost.candidates == 1);
  // The same anchor twice is one.
  CHECK(test::anchors({ca, ca, root()}).size() == 2);
}

TEST_CASE("why there is no path", "[search]") {
  const auto ca = root().issue(authority("CA"));
  const auto stranger = test::self_signed(authority("Stranger"));
  refuses(judge({ca.issue({}).der()}, {root()}), PathRule::trusted_issuer, unknown, 0,
          "may not have sent its intermediate certificate");
  refuses(judge({ca.issue({}).der(), stranger.der()}, {root()}), PathRule::trusted_issuer, unknown, 0,
          "may not have sent its intermediate certificate");
  const Blob address = test::der(
      0x30, test::der(0x30, {test::der_oid("1.3.6.1.5.5.7.48.2"), test::der_text(0x86, "http://ca.example/ca.der")}));
  refuses(judge({ca.issue({.extensions = {{"1.3.6.1.5.5.7.1.1", false, address}}}).der()}, {root()}),
          PathRule::trusted_issuer, unknown, 0, "which should be at http://ca.example/ca.der");
  refuses(judge(ca.issue({}).chain_der(), {stranger}), PathRule::trusted_issuer, unknown, 1, "CN=Root");
  refuses(judge(ca.issue({}).chain_der(true), {stranger}), PathRule::trusted_issuer, unknown, 2, "self-signed");
  refuses(judge(test::self_signed({}).chain_der(), {stranger}), PathRule::trusted_issuer,
          ErrorCode::certificate_self_signed, 0, "its own key");
  // Self-issued, but signed by another key of that name.
  const auto first = test::self_signed(authority("Same"));
  refuses(judge({first.issue({.common_name = "Same"}).der()}, {root()}), PathRule::trusted_issuer, unknown, 0,
          "neither among");
  // The first of several, up to one that signs itself; namesakes with another key identifier are not followed.
  const auto plain = test::self_signed(authority("Plain", false));
  const auto namesake = stranger.issue(authority("Plain", false));
  const auto below = plain.issue({.key_ids = false});
  refuses(judge({below.der(), plain.der(), namesake.der()}, {root()}), PathRule::trusted_issuer, unknown, 1,
          "self-signed");
  refuses(judge({below.der(), namesake.der(), plain.der()}, {root()}), PathRule::trusted_issuer, unknown, 1,
          "Stranger");
  const auto other_ca = root().issue(authority("CA"));
  refuses(judge({ca.issue({}).der(), other_ca.der()}, {stranger}), PathRule::trusted_issuer, unknown, 0,
          "lead nowhere");
  // What else is wrong with what was sent is told as well.
  const auto outcome =
      judge({ca.issue({.key_type = test::KeyType::rsa1024, .not_after = now - day}).der()}, {stranger});
  REQUIRE_FALSE(outcome.has_value());
  REQUIRE(outcome.error().findings.size() == 3);
  CHECK(outcome.error().findings[0].rule == PathRule::trusted_issuer);
  CHECK(outcome.error().findings[1].rule == PathRule::key);
  CHECK(outcome.error().findings[2].rule == PathRule::validity);
  const auto weak = judge({ca.issue({.hash = "SHA-1"}).der()}, {stranger});
  REQUIRE(weak.error().findings.size() == 2);
  CHECK(weak.error().findings[1].rule == PathRule::signature_algorithm);
}

TEST_CASE("loops", "[search]") {
  const auto a = test::self_signed(authority("A"));
  const auto b = test::self_signed(authority("B"));
  const auto a_by_b = a.cross_signed_by(b, authority("A"));
  const auto b_by_a = b.cross_signed_by(a, authority("B"));
  const auto leaf = a.issue({});
  const std::vector<Blob> loop = {leaf.der(), a_by_b.der(), b_by_a.der()};
  refuses(judge(loop, {root()}), PathRule::trusted_issuer, unknown, 2, "lead nowhere");
  CHECK(cost_of(loop, {root()}, false).candidates <= 3);
  // With a way out.
  std::vector<Blob> way_out = loop;
  way_out.push_back(b.cross_signed_by(root(), authority("B")).der());
  accepts(judge(way_out, {root()}));
  // The same name and key in many certificates is one place in a path.
  std::vector<Blob> many = {leaf.der()};
  for (int i = 0; i < 20; ++i) {
    many.push_back(a.cross_signed_by(b, authority("A")).der());
    many.push_back(b.cross_signed_by(a, authority("B")).der());
  }
  CHECK(cost_of(many, {root()}, false).candidates <= 20 + 20 * 20 + 20 * 20 * 20);
}

TEST_CASE("long paths", "[search]") {
  const auto ladder = [](std::size_t authorities) {
    Identity last = root();
    for (std::size_t i = 0; i < authorities; ++i)
      last = last.issue(authority("Step " + std::to_string(i)));
    return last.issue({}).chain_der();
  };
  CHECK(judge(ladder(limits::path_length - 2), {root()}).value().size() == limits::path_length);
  refuses(judge(ladder(limits::path_length - 1), {root()}), PathRule::trusted_issuer, unknown, limits::path_length - 1,
          "longer paths are not followed");
  const auto cost = cost_of(ladder(60), {root()}, false);
  CHECK(cost.signature_checks == 0);
  CHECK(cost.candidates < limits::path_length);
}

TEST_CASE("floods of certificates with one name", "[search]") {
  // Dozens of authorities of one name, any of which may have issued the server's certificate.
  const auto trusted = test::self_signed(authority("Trusted", false));
  const auto real = trusted.issue(authority("Same", false));
  std::vector<Blob> flood = {real.issue({.key_ids = false}).der()};
  for (int i = 0; i < 60; ++i)
    flood.push_back(trusted.issue(authority("Same", false)).der());
  PathCost cost = cost_of(flood, {trusted}, false);
  CHECK(cost.signature_checks == limits::path_signature_checks);
  CHECK(cost.candidates == limits::path_signature_checks + 2); // two for each way, and the first that is one too many
  // The right one is found among as many as can be tried.
  std::vector<Blob> some(flood.begin(), flood.begin() + 10);
  some.push_back(real.der());
  CHECK(cost_of(some, {trusted}, true).signature_checks == 9 * 2 + 2);

  // Each may have issued each: X under Y and Y under X.
  const auto x = test::self_signed(authority("X", false));
  const auto y = test::self_signed(authority("Y", false));
  std::vector<Blob> mesh = {x.issue({.key_ids = false}).der()};
  for (int i = 0; i < 30; ++i) {
    mesh.push_back(y.issue(authority("X", false)).der());
    mesh.push_back(x.issue(authority("Y", false)).der());
  }
  cost = cost_of(mesh, {root()}, false);
  CHECK(cost.signature_checks == 0);
  CHECK(cost.candidates == limits::path_candidates);
  const auto outcome = judge(mesh, {root()});
  CHECK(outcome.error().findings[0].rule == PathRule::search_limit);
  CHECK(outcome.error().code == unknown);
  CHECK(outcome.error().position == 0);
  CHECK(contains(outcome.error().reason, "too many ways"));
  // With an anchor at the end of every one of the ways, none of which is signed.
  const auto impostor = test::self_signed(authority("Y", false));
  cost = cost_of(mesh, {impostor}, false);
  CHECK(cost.candidates == limits::path_candidates);
  // Or all of which break another rule.
  CertOptions old = authority("Same", false);
  old.not_after = now - day;
  std::vector<Blob> expired = {flood[0]};
  for (int i = 0; i < 60; ++i)
    expired.push_back(trusted.issue(old).der());
  cost = cost_of(expired, {trusted}, false);
  CHECK(cost.refusals == limits::path_refusals);
  CHECK(cost.candidates == 2 * limits::path_refusals);

  // A ladder of namesakes with identifiers that do not fit: each has to show its signature first.
  std::vector<Blob> odd = {x.issue({.issuer_key_id = Blob{9}}).der()};
  for (int i = 0; i < 60; ++i)
    odd.push_back(y.issue({.common_name = "X", .ca = true, .own_key_id = Blob{1}}).der());
  cost = cost_of(odd, {root()}, false);
  CHECK(cost.signature_checks == limits::path_signature_checks);
}

TEST_CASE("floods with expensive keys cost no more signatures", "[search]") {
  const auto trusted =
      test::self_signed({.common_name = "T", .key_type = test::KeyType::p521, .ca = true, .key_ids = false});
  std::vector<Blob> flood = {trusted.issue(authority("A", false)).issue({.key_ids = false}).der()};
  for (int i = 0; i < 40; ++i)
    flood.push_back(
        trusted.issue({.common_name = "A", .key_type = test::KeyType::p521, .ca = true, .key_ids = false}).der());
  CHECK(cost_of(flood, {trusted}, false).signature_checks == limits::path_signature_checks);
}

TEST_CASE("the best of several bad paths is explained", "[search]") {
  const auto a = test::self_signed(authority("A"));
  CertOptions bad = authority("CA");
  bad.not_after = now - day;
  bad.extended_key_usage = {"PKIX.ClientAuth"};
  const auto ca = a.issue(bad);
  CertOptions old = authority("CA");
  old.not_after = now - day;
  const auto better = ca.cross_signed_by(a, old);
  const auto leaf = ca.issue({});
  refuses(judge({leaf.der(), ca.der(), better.der()}, {a}), PathRule::validity, ErrorCode::certificate_expired, 2);
  refuses(judge({leaf.der(), better.der(), ca.der()}, {a}), PathRule::validity, ErrorCode::certificate_expired, 1);
  // A way that is not signed is none, even if nothing else is wrong with it.
  const auto plain = a.issue(authority("Plain", false));
  CertOptions plain_old = authority("Plain", false);
  plain_old.not_after = now - day;
  const auto other = a.issue(authority("Plain", false));
  const auto real = plain.cross_signed_by(a, plain_old);
  const auto below = plain.issue({.key_ids = false});
  refuses(judge({below.der(), other.der(), real.der()}, {a}), PathRule::validity, ErrorCode::certificate_expired, 2);
  refuses(judge({below.der(), real.der(), other.der()}, {a}), PathRule::validity, ErrorCode::certificate_expired, 1);
}
