// Every chain of the corpus, judged by tlsconnect, and by OpenSSL and GnuTLS where they are there. What the others say that
// tlsconnect does not has a reason, which docs/verifier-comparison.md tells; TLSCONNECT_UPDATE_DOCS=1 writes its tables.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/verify/path_verifier.hpp>

#include "differences.hpp"
#include "documented.hpp"
#include "judges.hpp"

using corpus::Answer;
using corpus::Difference;
using corpus::Pair;
using corpus::Question;
using corpus::Verdict;
using tlsconnect::Certificate;
using tlsconnect::ErrorCode;
using tlsconnect::PathRule;

namespace {

/// What tlsconnect says, and how many rules are broken.
struct Said {
  Verdict verdict;
  std::size_t findings = 0;
  std::string text;
};

Said ask(const Question& question) {
  const auto code_of = [](const tlsconnect::Error& error) { return std::string(describe(error.code()).name); };
  std::vector<Certificate> chain;
  for (const corpus::Blob& der : question.chain) {
    auto certificate = Certificate::from_der(der);
    if (!certificate)
      return {{"unreadable", code_of(certificate.error()), chain.size()}, 1, std::string(certificate.error().detail())};
    chain.push_back(std::move(*certificate));
  }
  tlsconnect::TrustAnchors anchors;
  std::vector<Certificate> trusted;
  for (const corpus::Blob& der : question.anchors) {
    trusted.push_back(Certificate::from_der(der).value());
    anchors.add(trusted.back());
  }
  const auto name = tlsconnect::ServerName::parse(question.server).value();
  const auto verified = verify_chain(chain, name, question.time, anchors);
  if (verified)
    return {{}, 0, verified->explanation};
  const auto path = validate_server_path(chain, tlsconnect::AnchorStore::create(trusted).value(), question.time);
  const std::string code = code_of(verified.error());
  const std::string text(verified.error().detail());
  if (!path) {
    const tlsconnect::PathFailure& failure = path.error();
    CHECK(verified.error().code() == failure.code);
    CHECK(failure.code == failure.findings.at(0).code);
    return {{std::string(describe(failure.findings.at(0).rule).name), code, failure.position},
            failure.findings.size(),
            text};
  }
  // The path is right, and what is looked at after it is not.
  const bool name_is_wrong = verified.error().code() == ErrorCode::certificate_name_mismatch;
  return {{name_is_wrong ? "name" : std::string(describe(PathRule::status_known).name), code}, 1, text};
}

void check(const Question& question, const Verdict& expected) {
  const Said said = ask(question);
  CAPTURE(said.text);
  CHECK(said.verdict.rule == expected.rule);
  CHECK(said.verdict.code == expected.code);
  CHECK(said.verdict.position == expected.position);
  if (!expected.accepted())
    CHECK((said.findings == 1) == expected.alone);
}

using Identity =
    std::pair<std::pair<std::vector<corpus::Blob>, std::vector<corpus::Blob>>, std::pair<std::string, std::int64_t>>;
Identity identity(const Question& question) {
  return {{question.chain, question.anchors}, {question.server, question.time}};
}

std::set<Identity> distinct_chains() {
  std::set<Identity> chains;
  for (const Pair& pair : corpus::all())
    chains.insert({identity(pair.good), identity(pair.bad)});
  return chains;
}

/// Another verifier.
struct Verifier {
  std::string name;
  std::string version;
  std::string series; ///< that the reasons were written for
  Answer (*ask)(const Question&);
  std::vector<std::string> Difference::* names;
};

/// What it says that tlsconnect does not.
struct Others {
  Verifier verifier;
  std::vector<std::set<Identity>> by_reason; ///< chains, in the order of `differences`
  std::vector<std::string> unexplained;
  std::size_t accepted = 0; ///< the bad ones of pairs
  std::size_t refused = 0;  ///< the good ones
};

bool matches(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

bool explains(const Difference& one, const Verifier& verifier, const std::string& name) {
  for (const auto* names : {&one.both, &(one.*verifier.names)})
    for (const std::string& pattern : *names)
      if (matches(pattern, name))
        return true;
  return false;
}

[[maybe_unused]] Others compare(Verifier verifier) {
  Others others{std::move(verifier), {}, {}, 0, 0};
  others.by_reason.resize(corpus::differences().size());
  std::set<Identity> seen;
  for (const Pair& pair : corpus::all())
    for (const bool good : {true, false}) {
      const Question& question = good ? pair.good : pair.bad;
      const Answer answer = others.verifier.ask(question);
      if (answer.accepted == good)
        continue;
      if (seen.insert(identity(question)).second)
        ++(good ? others.refused : others.accepted);
      bool explained = false;
      for (std::size_t i = 0; i < corpus::differences().size() && !explained; ++i) {
        const Difference& one = corpus::differences()[i];
        explained = one.accepted_there != good && explains(one, others.verifier, pair.name());
        if (explained)
          others.by_reason[i].insert(identity(question));
      }
      if (!explained)
        others.unexplained.push_back(std::string(good ? "refuses: " : "accepts: ") + pair.name() + ": " + answer.text);
    }
  return others;
}

/// Every difference is explained. With a release that the reasons were not written for, the others are told.
[[maybe_unused]] void check_others(const Others& others) {
  std::string all;
  for (const std::string& one : others.unexplained)
    all += "\n" + one;
  const std::string summary = others.verifier.name + " " + others.verifier.version + " accepts " +
                              std::to_string(others.accepted) + " chains that tlsconnect refuses, and refuses " +
                              std::to_string(others.refused) +
                              " that it accepts; without a reason:" + (all.empty() ? " none" : all);
  if (others.verifier.version.starts_with(others.verifier.series)) {
    CAPTURE(summary);
    CHECK(others.unexplained.empty());
  } else {
    WARN(summary);
  }
}

/// A table of the reasons for one direction.
std::string table(bool accepted_there, const Others& openssl, const Others& gnutls) {
  std::string text = "| | " + openssl.verifier.name + " | " + gnutls.verifier.name + " | why |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < corpus::differences().size(); ++i) {
    const Difference& one = corpus::differences()[i];
    if (one.accepted_there != accepted_there)
      continue;
    text += "| " + one.title;
    for (const Others* others : {&openssl, &gnutls})
      text += " | " + (others->by_reason[i].empty() ? std::string() : std::to_string(others->by_reason[i].size()));
    text += " | " + one.text + " |\n";
  }
  return text;
}

[[maybe_unused]] std::string tables(const Others& openssl, const Others& gnutls) {
  const std::size_t count = distinct_chains().size();
  std::string text =
      std::to_string(corpus::all().size()) + " pairs, " + std::to_string(count) +
      " different chains.\n\n| | accepts what tlsconnect refuses | refuses what tlsconnect accepts | says "
      "the same |\n|---|---|---|---|\n";
  for (const Others* one : {&openssl, &gnutls})
    text += "| " + one->verifier.name + " " + one->verifier.version + " | " + std::to_string(one->accepted) + " | " +
            std::to_string(one->refused) + " | " + std::to_string(count - one->accepted - one->refused) + " |\n";
  text += "\n## Accepted there, refused by tlsconnect\n\n" + table(true, openssl, gnutls);
  text += "\n## Refused there, accepted by tlsconnect\n\n" + table(false, openssl, gnutls);
  return text;
}

} // namespace

TEST_CASE("every chain of the corpus is accepted or refused for what is wrong with it", "[chains]") {
  for (const Pair& pair : corpus::all()) {
    CAPTURE(pair.name());
    {
      INFO("the good one of the pair");
      check(pair.good, {});
    }
    INFO("the bad one of the pair");
    check(pair.bad, pair.verdict);
  }
}

TEST_CASE("the corpus has at least three hundred chains, in pairs", "[chains]") {
  std::set<std::string> names;
  for (const Pair& pair : corpus::all()) {
    CAPTURE(pair.name());
    CHECK(names.insert(pair.name()).second);
    CHECK_FALSE(pair.verdict.accepted());
    CHECK(identity(pair.good) != identity(pair.bad));
  }
  CHECK(distinct_chains().size() >= 300);
}

TEST_CASE("the corpus has a bad chain for each rule that a chain alone can break", "[chains]") {
  std::set<std::string> broken;
  for (const Pair& pair : corpus::all())
    broken.insert(pair.verdict.rule);
  for (unsigned i = 0; i <= static_cast<unsigned>(PathRule::status_known); ++i) {
    const auto rule = static_cast<PathRule>(i);
    CAPTURE(describe(rule).name);
    // Nobody is revoked by what a chain says.
    CHECK(broken.contains(std::string(describe(rule).name)) == (rule != PathRule::not_revoked));
  }
  CHECK(broken.contains("name"));
  CHECK(broken.contains("unreadable"));
}

TEST_CASE("each reason for a difference has chains", "[chains]") {
  std::set<std::string> titles;
  for (const Difference& one : corpus::differences()) {
    CAPTURE(one.title);
    CHECK(titles.insert(one.title).second);
    CHECK_FALSE(one.text.empty());
    CHECK(one.both.size() + one.openssl.size() + one.gnutls.size() > 0);
    for (const auto* names : {&one.both, &one.openssl, &one.gnutls})
      for (const std::string& pattern : *names) {
        CAPTURE(pattern);
        CHECK(std::any_of(corpus::all().begin(), corpus::all().end(),
                          [&](const Pair& pair) { return matches(pattern, pair.name()); }));
      }
  }
}

#if defined(CHAINS_HAS_OPENSSL)
namespace {
const Others& openssl() {
  static const Others others = compare(
      {"OpenSSL", corpus::openssl_version(), corpus::openssl_series, corpus::ask_openssl, &Difference::openssl});
  return others;
}
} // namespace

TEST_CASE("where OpenSSL says something else, there is a reason", "[chains]") { check_others(openssl()); }
#endif

#if defined(CHAINS_HAS_GNUTLS)
namespace {
const Others& gnutls() {
  static const Others others =
      compare({"GnuTLS", corpus::gnutls_version(), corpus::gnutls_series, corpus::ask_gnutls, &Difference::gnutls});
  return others;
}
} // namespace

TEST_CASE("where GnuTLS says something else, there is a reason", "[chains]") { check_others(gnutls()); }
#endif

#if defined(CHAINS_HAS_OPENSSL) && defined(CHAINS_HAS_GNUTLS)
TEST_CASE("the tables of differences in the documentation are those that are found", "[docs]") {
  const test::DocumentedPart part("TLSCONNECT_COMPARISON_PAGE", "<!-- [differences] -->\n",
                                  "<!-- [/differences] -->\n");
  const std::string said = tables(openssl(), gnutls());
  if (part.update(said))
    return;
  // Other releases may differ elsewhere; the tables say of which they are.
  for (const Others* one : {&openssl(), &gnutls()})
    if (part.written().find("| " + one->verifier.name + " " + one->verifier.version + " |") == std::string::npos)
      SKIP("the documentation is about another release than " << one->verifier.name << " " << one->verifier.version);
  part.check(said);
}
#endif
