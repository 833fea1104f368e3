// Verifiers in turn, and verification without a connection.
#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/verify/verifier_sequence.hpp>

#include "support.hpp"

using test::contains;
using test::day;
using test::Identity;
using test::now;
using tlsconnect::CertificateVerifier;
using tlsconnect::ErrorCode;
using tlsconnect::PresentedCertificate;
using tlsconnect::Result;
using tlsconnect::StatusEvidence;
using tlsconnect::TrustAnchors;
using tlsconnect::VerifiedChain;
using tlsconnect::VerifierSequence;

namespace {

/// Remembers what it saw, and accepts or refuses.
class Recorder final : public CertificateVerifier {
public:
  explicit Recorder(std::string says, bool accepts = true, bool later = false)
      : says_(std::move(says)), accepts_(accepts), later_(later) {}
  Result<VerifiedChain> verify(const PresentedCertificate& presented, const tlsconnect::ServerName& name,
                               std::int64_t unix_time) const noexcept override {
    ++calls;
    chain = presented.chain.size();
    status = presented.status.size();
    first = presented.verified == nullptr;
    path = presented.verified != nullptr ? presented.verified->path.size() : 0;
    before = presented.verified != nullptr ? presented.verified->explanation : "";
    asked = name.text();
    time = unix_time;
    if (!accepts_)
      return tlsconnect::fail(ErrorCode::certificate_rejected, {}, says_);
    return VerifiedChain{{}, says_};
  }
  bool decides_later() const noexcept override { return later_; }
  tlsconnect::TrustIdentity trust_identity() const override { return {says_.begin(), says_.end()}; }

  mutable int calls = 0;
  mutable std::size_t chain = 0;
  mutable std::size_t status = 0;
  mutable std::size_t path = 0;
  mutable bool first = false;
  mutable std::string before;
  mutable std::string asked;
  mutable std::int64_t time = 0;

private:
  std::string says_;
  bool accepts_;
  bool later_;
};

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}
const Identity& leaf() {
  static const Identity identity = root().issue({.common_name = "leaf", .dns = {"a.example"}});
  return identity;
}
TrustAnchors anchors() { return TrustAnchors::from_pem(root().pem()).value(); }
std::shared_ptr<const CertificateVerifier> paths() { return tlsconnect::PathVerifier::create(anchors()).value(); }

using List = std::vector<std::shared_ptr<const CertificateVerifier>>;

Result<VerifiedChain> verify(const List& list, std::string_view name = "a.example") {
  const auto chain = test::certificates(leaf().chain_der(true));
  const std::vector<tlsconnect::PresentedStatus> status(chain.size());
  return VerifierSequence::create(list).value()->verify({.chain = chain, .status = status}, test::name(name), now);
}

} // namespace

TEST_CASE("before and after the default verifier", "[sequence]") {
  const auto before = std::make_shared<const Recorder>("one");
  const auto after = std::make_shared<const Recorder>("two");
  const auto verified = verify({before, paths(), after});
  REQUIRE(verified.has_value());
  CHECK(verified->path.size() == 2);
  CHECK(verified->explanation.starts_with("one; a.example is covered by dNSName a.example; path of 2"));
  CHECK(verified->explanation.ends_with("; two"));

  CHECK(before->calls == 1);
  CHECK(before->first);
  CHECK(before->chain == 2);
  CHECK(before->status == 2);
  CHECK(before->asked == "a.example");
  CHECK(before->time == now);
  CHECK(after->calls == 1);
  CHECK_FALSE(after->first);
  CHECK(after->chain == 2);
  CHECK(after->status == 2);
  CHECK(after->path == 2);
  CHECK(contains(after->before, "path of 2 to the trust anchor CN=Root"));
}

TEST_CASE("what a sequence knows of the server's status", "[sequence]") {
  class Knowing final : public CertificateVerifier {
  public:
    Knowing(StatusEvidence status, std::int64_t until, bool asks) : status_(status), until_(until), asks_(asks) {}
    Result<VerifiedChain> verify(const PresentedCertificate&, const tlsconnect::ServerName&,
                                 std::int64_t) const noexcept override {
      return VerifiedChain{{}, "known", status_, until_};
    }
    bool wants_status() const noexcept override { return asks_; }

  private:
    StatusEvidence status_;
    std::int64_t until_;
    bool asks_;
  };
  const auto none = std::make_shared<const Knowing>(StatusEvidence::none, now + 5, false);
  const auto list = std::make_shared<const Knowing>(StatusEvidence::crl, now + 9, false);
  const auto staple = std::make_shared<const Knowing>(StatusEvidence::staple, now + 7, true);
  const auto all = verify({staple, list, none});
  REQUIRE(all.has_value());
  CHECK(all->server_status == StatusEvidence::crl);
  CHECK(all->valid_until == now + 5);
  CHECK(verify({list, staple})->server_status == StatusEvidence::staple);
  CHECK(verify({list, staple})->valid_until == now + 7);
  // One that makes use of statuses is enough to ask for them.
  CHECK_FALSE(VerifierSequence::create({none, list}).value()->wants_status());
  CHECK(VerifierSequence::create({none, staple, list}).value()->wants_status());
}

TEST_CASE("the first refusal is the outcome", "[sequence]") {
  const auto accepts = std::make_shared<const Recorder>("fine");
  const auto refuses = std::make_shared<const Recorder>("not this one", false);
  const auto never = std::make_shared<const Recorder>("never");
  const auto early = verify({accepts, refuses, never});
  REQUIRE_FALSE(early.has_value());
  CHECK(early.error().code() == ErrorCode::certificate_rejected);
  CHECK(early.error().detail() == "not this one");
  CHECK(accepts->calls == 1);
  CHECK(never->calls == 0);
  // Somebody who accepts all does not outvote the path.
  const auto wrong_name = verify({accepts, paths(), never}, "b.example");
  REQUIRE_FALSE(wrong_name.has_value());
  CHECK(wrong_name.error().code() == ErrorCode::certificate_name_mismatch);
  CHECK(never->calls == 0);
  CHECK_FALSE(verify({paths(), refuses}).has_value());
}

TEST_CASE("a sequence is given whole", "[sequence]") {
  for (const List& list : {List{}, List{nullptr}, List{paths(), nullptr},
                           List{paths(), std::make_shared<const Recorder>("later", true, true)}}) {
    const auto refused = VerifierSequence::create(list);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == ErrorCode::configuration_invalid);
  }
}

TEST_CASE("the identity of a sequence", "[sequence]") {
  const auto identity = [](const List& list) { return VerifierSequence::create(list).value()->trust_identity(); };
  const auto one = std::make_shared<const Recorder>("one");
  const auto two = std::make_shared<const Recorder>("two");
  const auto none = std::make_shared<const Recorder>("");
  CHECK(identity({one, two}) == identity({one, two}));
  CHECK(identity({one, two}) != identity({two, one}));
  CHECK(identity({one}) != one->trust_identity());
  CHECK(identity({std::make_shared<const Recorder>("onetwo")}) != identity({one, two}));
  CHECK(identity({one, none}).empty());
}

TEST_CASE("the identity of a verifier that says nothing of it", "[sequence]") {
  // Each object is another: nobody knows what it goes by.
  class Silent final : public CertificateVerifier {
  public:
    Result<VerifiedChain> verify(const PresentedCertificate&, const tlsconnect::ServerName&,
                                 std::int64_t) const noexcept override {
      return VerifiedChain{};
    }
  };
  const Silent one;
  const Silent other;
  CHECK_FALSE(one.trust_identity().empty());
  CHECK(one.trust_identity() == one.trust_identity());
  CHECK(one.trust_identity() != other.trust_identity());
  // Without randomness there is none.
  CHECK(tlsconnect::detail::identity_of({}).empty());
}

TEST_CASE("a sequence in a sequence sees what was found before", "[sequence]") {
  const auto last = std::make_shared<const Recorder>("last");
  CHECK(verify({paths(), VerifierSequence::create({last}).value()}).has_value());
  CHECK(last->path == 2);
}

TEST_CASE("a chain is judged without a connection", "[path_verifier]") {
  const auto chain = test::certificates(leaf().chain_der());
  const auto name = test::name("a.example");
  const auto verified = tlsconnect::verify_chain(chain, name, now, anchors());
  REQUIRE(verified.has_value());
  CHECK(verified->path.size() == 2);
  CHECK(tlsconnect::verify_chain(chain, test::name("b.example"), now, anchors()).error().code() ==
        ErrorCode::certificate_name_mismatch);
  CHECK(tlsconnect::verify_chain(chain, name, now + 1000 * day, anchors()).error().code() ==
        ErrorCode::certificate_expired);
  CHECK(tlsconnect::verify_chain({}, name, now, anchors()).error().code() == ErrorCode::certificate_list_empty);
  CHECK(tlsconnect::verify_chain(chain, name, now, TrustAnchors()).error().code() == ErrorCode::no_trust_anchors);
  CHECK(tlsconnect::verify_chain(chain, name, now, anchors(),
                                 {.signature_schemes = {tlsconnect::SignatureScheme::ed25519}})
            .error()
            .code() == ErrorCode::certificate_algorithm_weak);
}
