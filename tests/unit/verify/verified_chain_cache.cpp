// Signatures that are remembered: what that saves, and that nothing which is refused without them is accepted with them.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <tlsconnect/client/config.hpp>
#include <tlsconnect/verify/verified_chain_cache.hpp>

#include "chains.hpp"
#include "status_issuer.hpp"
#include "statuses.hpp"

using test::authority;
using test::Blob;
using test::certificates;
using test::CertOptions;
using test::contains;
using test::day;
using test::Identity;
using test::leaf;
using test::now;
using test::root;
using tlsconnect::ErrorCode;
using tlsconnect::PathCost;
using tlsconnect::PathMemory;
using tlsconnect::PathPolicy;
using tlsconnect::PathVerifier;
using tlsconnect::Result;
using tlsconnect::RevocationPolicy;
using tlsconnect::SignatureFact;
using tlsconnect::TrustAnchors;
using tlsconnect::VerifiedChain;
using tlsconnect::VerifiedChainCache;

namespace {

using CachePtr = std::shared_ptr<VerifiedChainCache>;
using VerifierPtr = std::shared_ptr<const PathVerifier>;

/// What a verifier is asked, and by what it judges.
struct Question {
  std::vector<Blob> chain = leaf().chain_der();
  std::string name = "a.example";
  std::int64_t time = now;
  Blob staple = {};
  Identity anchor = root();
  PathPolicy policy = {};
  RevocationPolicy revocation = {};

  [[nodiscard]] VerifierPtr verifier(CachePtr cache) const {
    return PathVerifier::create(TrustAnchors::from_pem(anchor.pem()).value(), policy, revocation, std::move(cache))
        .value();
  }
  [[nodiscard]] Result<VerifiedChain> ask(const PathVerifier& verifier) const {
    const auto presented = certificates(chain);
    std::vector<tlsconnect::PresentedStatus> status(presented.size());
    status[0].ocsp_response = staple;
    return verifier.verify({presented, status}, test::name(name), time);
  }
  [[nodiscard]] Result<VerifiedChain> ask(const CachePtr& cache) const { return ask(*verifier(cache)); }
};

/// A cache that knows the usual chain.
CachePtr warm_cache() {
  auto cache = VerifiedChainCache::create();
  REQUIRE(Question{}.ask(cache).has_value());
  REQUIRE(cache->size() == 2);
  REQUIRE(cache->hits() == 0);
  return cache;
}

/// Refused, for this and in just the words in which it is refused without a cache; and the cache is as it was.
void still_refused(const CachePtr& cache, const Question& question, ErrorCode code) {
  const std::size_t before = cache->size();
  const auto with = question.ask(cache);
  const auto without = question.ask(CachePtr());
  REQUIRE_FALSE(with.has_value());
  REQUIRE_FALSE(without.has_value());
  CHECK(with.error().code() == code);
  CHECK(with.error().message() == without.error().message());
  CHECK(cache->size() == before);
}

/// The same certificate, but for its signature: the TBSCertificate, signed by another key.
Blob signed_again(const Identity& identity, const test::Key& key, std::string_view padding = "SHA-256") {
  const auto parsed = test::certificate(identity);
  const auto fields = parsed.fields();
  const Blob tbs(fields.tbs.begin(), fields.tbs.end());
  Blob signature = key.sign(padding, tbs);
  signature.insert(signature.begin(), 0);
  const Blob algorithm(fields.signature_algorithm.begin(), fields.signature_algorithm.end());
  return test::der(0x30, {tbs, algorithm, test::der(0x03, signature)});
}

} // namespace

TEST_CASE("a chain that was verified before costs no signature", "[verified_chain_cache]") {
  const auto cache = VerifiedChainCache::create();
  const auto store = test::anchors({root()});
  const auto chain = certificates(leaf().chain_der());
  const auto cost_of = [&](const std::vector<tlsconnect::Certificate>& presented, PathMemory& memory) {
    PathCost cost;
    CHECK(tlsconnect::validate_server_path(presented, store, now, {}, &cost, &memory).has_value());
    return std::pair{cost.signature_checks, cost.remembered};
  };
  PathMemory first{.cache = cache.get()};
  CHECK(cost_of(chain, first) == std::pair<std::size_t, std::size_t>{2, 0});
  CHECK(first.facts.size() == 2);
  // It is for the caller to say that all is well.
  CHECK(cache->size() == 0);
  cache->remember(first.facts);
  CHECK(cache->size() == 2);
  PathMemory second{.cache = cache.get()};
  CHECK(cost_of(chain, second) == std::pair<std::size_t, std::size_t>{0, 2});
  CHECK(second.facts == first.facts);
  CHECK(cost_of(chain, second) == std::pair<std::size_t, std::size_t>{0, 2});
  CHECK(second.facts == first.facts);
  // Another server of the same authority.
  PathMemory other{.cache = cache.get()};
  CHECK(cost_of(certificates(authority().issue({.dns = {"b.example"}}).chain_der()), other) ==
        std::pair<std::size_t, std::size_t>{1, 1});
  // Nothing is remembered without a cache, and nothing of a chain that is refused.
  PathMemory none;
  CHECK(cost_of(chain, none) == std::pair<std::size_t, std::size_t>{2, 0});
  CHECK(none.facts.empty());
  PathMemory refused{.cache = cache.get()};
  CHECK_FALSE(tlsconnect::validate_server_path(chain, store, now + 1000 * day, {}, nullptr, &refused).has_value());
  CHECK(refused.facts.empty());
}

TEST_CASE("a verifier remembers by itself, and says so", "[verified_chain_cache]") {
  const Question usual;
  const auto verifier = PathVerifier::create(TrustAnchors::from_pem(root().pem()).value()).value();
  const auto first = usual.ask(*verifier);
  const auto second = usual.ask(*verifier);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK_FALSE(contains(first->explanation, "verified before"));
  CHECK(contains(second->explanation, "to the trust anchor CN=Root, signatures verified before; valid until"));
  CHECK(second->path.size() == 3);
  const auto forgetful = usual.verifier(nullptr);
  CHECK(usual.ask(*forgetful)->explanation == first->explanation);
  CHECK(usual.ask(*forgetful)->explanation == first->explanation);
  CHECK(forgetful->trust_identity() == verifier->trust_identity());
}

TEST_CASE("the same certificate with another signature", "[verified_chain_cache]") {
  const auto cache = warm_cache();
  Question question;
  question.chain[0] = signed_again(leaf(), test::Key::cached(test::KeyType::p256, 77));
  still_refused(cache, question, ErrorCode::certificate_signature_invalid);
  question.chain = leaf().chain_der();
  question.chain[0].back() ^= 1;
  still_refused(cache, question, ErrorCode::certificate_signature_invalid);
  question.chain = leaf().chain_der();
  question.chain[1] = signed_again(authority(), test::Key::cached(test::KeyType::p256, 77));
  still_refused(cache, question, ErrorCode::certificate_signature_invalid);
  // The genuine one beside it leads to a path all the same.
  question.chain.push_back(authority().der());
  CHECK(question.ask(cache).has_value());
}

TEST_CASE("the same certificate, signed by its issuer once more", "[verified_chain_cache]") {
  // RSASSA-PSS makes another signature each time.
  const auto issuer = test::self_signed({.common_name = "RSA", .key_type = test::KeyType::rsa2048, .ca = true});
  const auto server = issuer.issue({.dns = {"a.example"}, .padding = "PSS"});
  const auto cache = VerifiedChainCache::create();
  Question question{.chain = server.chain_der(), .anchor = issuer};
  CHECK(question.ask(cache).has_value());
  question.chain[0] = signed_again(server, issuer.key(), "PSS(SHA-256,MGF1,32)");
  const bool same = question.chain[0] == server.der();
  REQUIRE_FALSE(same);
  CHECK(question.ask(cache).has_value());
  CHECK(cache->hits() == 0); // it is another fact
  CHECK(cache->size() == 2);
}

TEST_CASE("another authority of the same name", "[verified_chain_cache]") {
  for (const bool key_ids : {true, false}) {
    CAPTURE(key_ids);
    const CertOptions of_root{.common_name = "Twin Root", .ca = true, .key_ids = key_ids};
    const CertOptions of_authority{.common_name = "Twin", .ca = true, .key_ids = key_ids};
    const auto own_root = test::self_signed(of_root);
    const auto own = own_root.issue(of_authority);
    const auto server = own.issue({.common_name = "leaf", .dns = {"a.example"}, .key_ids = key_ids});
    const Question genuine{.chain = server.chain_der(), .anchor = own_root};
    const auto cache = VerifiedChainCache::create();
    REQUIRE(genuine.ask(cache).has_value());
    const auto code = key_ids ? ErrorCode::certificate_unknown_issuer : ErrorCode::certificate_signature_invalid;
    // An anchor with another key, whose own signature nobody has ever asked for.
    const auto other_root = test::self_signed(of_root);
    Question question = genuine;
    question.anchor = other_root;
    still_refused(cache, question, code);
    // An authority between the two, that the same root has certified with another key. Beside the right one it is tried in
    // vain, and that is not remembered as a success.
    const auto impostor = own_root.issue(of_authority);
    question = genuine;
    question.chain.insert(question.chain.begin() + 1, impostor.der());
    const auto fresh = VerifiedChainCache::create();
    CHECK(question.ask(fresh).has_value());
    CHECK(fresh->size() == 2);
    question.chain.pop_back();
    still_refused(fresh, question, code);
    still_refused(cache, question, code);
    // The authority's key in another's certificate of that name: the leaf's signature is known, the new one is not.
    question = genuine;
    question.anchor = other_root;
    question.chain[1] = own.cross_signed_by(other_root, of_authority).der();
    const auto hits = cache->hits();
    CHECK(question.ask(cache).has_value());
    CHECK(cache->hits() == hits + 1);
    CHECK(cache->size() == 3);
  }
}

TEST_CASE("what changes with time, name, anchors and policy is judged each time", "[verified_chain_cache]") {
  const auto cache = warm_cache();
  Question question;
  question.time = now + 61 * day;
  still_refused(cache, question, ErrorCode::certificate_expired);
  question.time = now - 31 * day;
  still_refused(cache, question, ErrorCode::certificate_not_yet_valid);
  question = {};
  question.name = "b.example";
  still_refused(cache, question, ErrorCode::certificate_name_mismatch);
  question = {};
  question.anchor = test::self_signed({.common_name = "Somebody else", .ca = true});
  still_refused(cache, question, ErrorCode::certificate_unknown_issuer);
  question = {};
  question.policy.signature_schemes = {tlsconnect::SignatureScheme::ed25519};
  still_refused(cache, question, ErrorCode::certificate_algorithm_weak);
  question = {};
  question.policy.transparency.timestamps = 1;
  REQUIRE(
      question.policy.transparency.logs.add(test::Key::cached(test::KeyType::p256, 5).public_der(), {}).has_value());
  question.policy.transparency.operators = 1;
  still_refused(cache, question, ErrorCode::certificate_not_logged);

  // Keys that are too short for another policy.
  const auto rsa_root = test::self_signed({.key_type = test::KeyType::rsa2048, .ca = true});
  question = {.chain = rsa_root.issue({.dns = {"a.example"}}).chain_der(), .anchor = rsa_root};
  REQUIRE(question.ask(cache).has_value());
  question.policy.rsa_bits_min = 3072;
  still_refused(cache, question, ErrorCode::certificate_key_too_weak);

  // Constraints of an anchor that is the same key under the same name.
  const CertOptions plain{.common_name = "Constrained", .key = test::Key::cached(test::KeyType::p256, 6), .ca = true};
  CertOptions constrained = plain;
  constrained.excluded_dns = {"a.example"};
  const auto free = test::self_signed(plain);
  question = {.chain = free.issue({.dns = {"a.example"}}).chain_der(), .anchor = free};
  REQUIRE(question.ask(cache).has_value());
  question.anchor = test::self_signed(constrained);
  still_refused(cache, question, ErrorCode::certificate_constraint_violated);
}

TEST_CASE("newer statuses count", "[verified_chain_cache]") {
  const auto cache = warm_cache();
  Question question;
  question.staple = test::ocsp_response(leaf(), authority(), {.statuses = {{.state = "revoked"}}});
  still_refused(cache, question, ErrorCode::certificate_revoked);
  question = {};
  question.revocation.crls =
      tlsconnect::CrlSet::from_der(test::crl(authority(), {.entries = {{.serial = test::serial_of(leaf())}}})).value();
  still_refused(cache, question, ErrorCode::certificate_revoked);
  question = {};
  question.revocation.crls =
      tlsconnect::CrlSet::from_der(test::crl(root(), {.entries = {{.serial = test::serial_of(authority())}}})).value();
  still_refused(cache, question, ErrorCode::certificate_revoked);
  question = {};
  question.revocation.required = tlsconnect::StatusRequired::server;
  still_refused(cache, question, ErrorCode::certificate_status_missing);
}

TEST_CASE("refused chains leave nothing behind, and learn nothing", "[verified_chain_cache]") {
  const auto cache = VerifiedChainCache::create();
  for (Question question : {
           Question{.name = "b.example"},
           Question{.time = now + 1000 * day},
           Question{.staple = test::ocsp_response(leaf(), authority(), {.statuses = {{.state = "revoked"}}})},
           Question{.anchor = test::self_signed({.common_name = "Somebody else", .ca = true})},
           Question{.revocation = {.required = tlsconnect::StatusRequired::chain}},
       }) {
    CHECK_FALSE(question.ask(cache).has_value());
    CHECK(cache->size() == 0);
  }
  // Who presents another server's chain is refused after as much work as if nobody had been there.
  const auto warm = warm_cache();
  CHECK_FALSE(Question{.name = "b.example"}.ask(warm).has_value());
  CHECK(warm->hits() == 0);
  CHECK(Question{}.ask(warm).has_value());
  CHECK(warm->hits() == 2);
}

TEST_CASE("no more entries than were allowed", "[verified_chain_cache]") {
  const auto fact = [](std::uint8_t number) {
    SignatureFact made{};
    made.fill(number);
    return made;
  };
  const auto remember = [&](const CachePtr& cache, std::uint8_t number) {
    const SignatureFact made = fact(number);
    cache->remember({&made, 1});
  };
  const auto cache = VerifiedChainCache::create(4);
  REQUIRE(cache->capacity() == 4);
  for (std::uint8_t number = 1; number <= 4; ++number)
    remember(cache, number);
  CHECK(cache->size() == 4);
  // The oldest goes first …
  remember(cache, 5);
  CHECK(cache->size() == 4);
  CHECK_FALSE(cache->knows(fact(1)));
  for (std::uint8_t number = 2; number <= 5; ++number)
    CHECK(cache->knows(fact(number)));
  // … unless it was of use since: asking alone is no use, because strangers' chains may ask.
  remember(cache, 2);
  remember(cache, 6);
  CHECK(cache->knows(fact(2)));
  CHECK_FALSE(cache->knows(fact(3)));
  // All of use: the hand goes around once, and takes the first.
  for (const std::uint8_t number : std::to_array<std::uint8_t>({2, 4, 5, 6}))
    remember(cache, number);
  remember(cache, 7);
  CHECK(cache->size() == 4);
  CHECK(cache->knows(fact(7)));
  CHECK(std::ranges::count_if(std::to_array<std::uint8_t>({2, 4, 5, 6}),
                              [&](std::uint8_t number) { return cache->knows(fact(number)); }) == 3);
  cache->clear();
  CHECK(cache->size() == 0);
  CHECK_FALSE(cache->knows(fact(7)));
  remember(cache, 8);
  CHECK(cache->knows(fact(8)));

  const auto nothing = VerifiedChainCache::create(0);
  remember(nothing, 1);
  CHECK(nothing->size() == 0);
  CHECK_FALSE(nothing->knows(fact(1)));
  CHECK(Question{}.ask(nothing).has_value());
  CHECK(Question{}.ask(nothing).has_value());
  CHECK(nothing->hits() == 0);
}

TEST_CASE("what made room is checked again", "[verified_chain_cache]") {
  const auto cache = VerifiedChainCache::create(2);
  const Question one;
  Question two;
  two.chain = root().issue({.common_name = "Other", .ca = true}).issue({.dns = {"a.example"}}).chain_der();
  REQUIRE(one.ask(cache).has_value());
  REQUIRE(two.ask(cache).has_value());
  CHECK(cache->size() == 2);
  CHECK(one.ask(cache).has_value());
  CHECK(cache->hits() == 0);
  CHECK(one.ask(cache).has_value());
  CHECK(cache->hits() == 2);
}

TEST_CASE("a fact is of one certificate and one key", "[verified_chain_cache]") {
  const Blob ab = {1, 2};
  const Blob abc = {1, 2, 3};
  const Blob c = {3};
  const Blob bc = {2, 3};
  const Blob a = {1};
  const auto whole = VerifiedChainCache::fact_of(ab, c);
  REQUIRE(whole.has_value());
  CHECK(whole == VerifiedChainCache::fact_of(Blob{1, 2}, Blob{3}));
  CHECK(whole != VerifiedChainCache::fact_of(a, bc));
  CHECK(whole != VerifiedChainCache::fact_of(abc, {}));
  CHECK(whole != VerifiedChainCache::fact_of(c, ab));
}

TEST_CASE("a configuration remembers, shares and forgets as it is told", "[verified_chain_cache]") {
  const auto builder = [] {
    auto made = tlsconnect::ClientConfig::builder();
    made.trust(TrustAnchors::from_pem(root().pem()).value());
    return made;
  };
  const auto remembers = [](const tlsconnect::ConfigPtr& config) {
    const auto chain = certificates(leaf().chain_der());
    return contains(config->verifier()->verify({chain}, test::name("a.example"), now)->explanation, "verified before");
  };
  const auto usual = builder().build().value();
  CHECK_FALSE(remembers(usual));
  CHECK(remembers(usual));
  CHECK_FALSE(remembers(builder().build().value())); // one of its own
  const auto cache = VerifiedChainCache::create();
  CHECK_FALSE(remembers(builder().verified_chain_cache(cache).build().value()));
  CHECK(remembers(builder().verified_chain_cache(cache).build().value()));
  const auto without = builder().verified_chain_cache(nullptr).build().value();
  CHECK_FALSE(remembers(without));
  CHECK_FALSE(remembers(without));

  // With another verifier, it could not be of use.
  const auto own = std::make_shared<tlsconnect::DangerousNoVerification>();
  const auto refused = tlsconnect::ClientConfig::builder().verifier(own).verified_chain_cache(cache).build();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::configuration_invalid);
  CHECK(contains(refused.error().detail(), "verified chains"));
  CHECK(tlsconnect::ClientConfig::builder().verifier(own).verified_chain_cache(nullptr).build().has_value());
}

TEST_CASE("many threads share a cache", "[verified_chain_cache]") {
  std::vector<Question> good;
  std::vector<Question> bad;
  for (int i = 0; i < 4; ++i) {
    const auto server = authority().issue({.dns = {"a.example"}});
    good.push_back({.chain = server.chain_der()});
    bad.push_back({.chain = server.chain_der()});
    bad.back().chain[0].back() ^= 1;
  }
  // Smaller than what is asked for, so that entries come and go.
  const auto cache = VerifiedChainCache::create(3);
  const auto verifier = good[0].verifier(cache);
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < right.size(); ++i)
    threads.emplace_back([&, i] {
      for (std::size_t turn = 0; turn < 24; ++turn) {
        const Question& one = good[(turn + i) % good.size()];
        const Question& other = bad[turn % bad.size()];
        right[i] += one.ask(*verifier).has_value() && !other.ask(*verifier).has_value() ? 1 : 0;
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(right == std::vector<int>(right.size(), 24));
  CHECK(cache->size() == 3);
  CHECK(cache->hits() > 0);
}
