// Judging minted chains, for the tests of paths.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support.hpp"

namespace test {

using Outcome = std::expected<std::vector<tlsconnect::Certificate>, tlsconnect::PathFailure>;

inline Outcome judge(const std::vector<Blob>& chain, const std::vector<Identity>& trusted, std::int64_t time = now,
                     const tlsconnect::PathPolicy& policy = {}, tlsconnect::PathCost* cost = nullptr) {
  return tlsconnect::validate_server_path(certificates(chain), anchors(trusted), time, policy, cost);
}

/// Accepted; says what was wrong otherwise.
inline void accepts(const Outcome& outcome) {
  if (!outcome)
    FAIL_CHECK(outcome.error().reason);
  else
    CHECK_FALSE(outcome->empty());
}

/// Refused for one reason alone: this rule, broken by this certificate.
inline void refuses(const Outcome& outcome, tlsconnect::PathRule rule, tlsconnect::ErrorCode code, std::size_t position,
                    std::string_view part = {}) {
  REQUIRE_FALSE(outcome.has_value());
  const tlsconnect::PathFailure& failure = outcome.error();
  CAPTURE(failure.reason, describe(rule).name, describe(failure.findings.at(0).rule).name,
          tlsconnect::describe(failure.code).name);
  CHECK(failure.findings.size() == 1);
  CHECK(failure.findings[0].rule == rule);
  CHECK(failure.findings[0].position == position);
  CHECK(failure.findings[0].reason == failure.reason);
  CHECK(failure.findings[0].code == failure.code);
  CHECK(failure.code == code);
  CHECK(failure.position == position);
  CHECK(contains(failure.reason, part));
  CHECK(contains(failure.reason, "RFC "));
}

/// A root, an authority under it and a server's certificate under that, each as it is told to be.
struct Three {
  CertOptions root = {};
  CertOptions authority = {};
  CertOptions leaf = {};

  [[nodiscard]] Outcome judge(std::int64_t time = now, const tlsconnect::PathPolicy& policy = {}) const {
    CertOptions top = root;
    top.common_name = "Root";
    top.ca = true;
    const Identity anchor = self_signed(top);
    CertOptions middle = authority;
    if (middle.common_name == "test")
      middle.common_name = "Authority";
    return test::judge(anchor.issue(middle).issue(leaf).chain_der(), {anchor}, time, policy);
  }
};

} // namespace test
