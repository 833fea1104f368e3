// Every chain of the corpus, judged by tlsconnect, and by OpenSSL and GnuTLS where they are there. What the others say that
// tlsconnect does not has a reason, which docs/verifier-comparison.md tells; TLSCONNECT_UPDATE_DOCS=1 writes its tables.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/verify/path_verifier.hpp>

#include "judges.hpp"

using corpus::Answer;
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

using Identity = std::pair<std::pair<std::vector<corpus::Blob>, std::vector<corpus::Blob>>,
                           std::pair<std::string, std::int64_t>>;
Identity identity(const Question& question) {
  return {{question.chain, question.anchors}, {question.server, question.time}};
}

std::set<Identity> distinct_chains() {
  std::set<Identity> chains;
  for (const Pair& pair : corpus::all())
    chains.insert({identity(pair.good), identity(pair.bad)});
  return chains;
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
