// The whole verdict on a server's certificate. The first byte of the input chooses one of three games.
//
// Chains: the input picks from certificates that were minted at the start, in any order, changes bytes of them, and picks a
// name, a time and a staple. What must come out is worked out beside it from how the certificates were made, without
// reading them. Extensions: the input is the list of extensions of a server's certificate that its authority signs.
// Decoders: the input is the list alone, the value of one extension, or timestamps.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/verify/name_constraints.hpp>
#include <tlsconnect/verify/path_verifier.hpp>

#include "minted.hpp"
#include "status_issuer.hpp"

namespace tls = tlsconnect;
namespace limits = tlsconnect::limits;
using fuzz::require;
using test::day;
using test::Identity;
using test::now;

namespace {

/// What is left of the input; zeros behind its end.
struct Input {
  tls::BytesView rest;

  [[nodiscard]] std::uint8_t byte() {
    const std::uint8_t value = rest.empty() ? std::uint8_t{0} : rest[0];
    rest = rest.subspan(rest.empty() ? 0 : 1);
    return value;
  }
  [[nodiscard]] tls::BytesView bytes(std::size_t count) {
    const tls::BytesView taken = rest.first(std::min(count, rest.size()));
    rest = rest.subspan(taken.size());
    return taken;
  }
};

/// Names that are asked for.
constexpr auto wanted_names =
    std::to_array<std::string_view>({"a.example", "x.b.example", "c.example", "192.0.2.1", "b.example", "d.example"});

/// A certificate, and what it was made to say.
struct Card {
  std::string subject;
  std::string issuer;
  char key;    ///< its own
  char signer; ///< whose key signed it
  test::CertOptions options = {};
  std::vector<std::size_t> names = {}; ///< of wanted_names
  bool anchor = false;
  test::Blob der = {};

  [[nodiscard]] bool valid_at(std::int64_t time) const {
    return time >= options.not_before && time <= options.not_after;
  }
  [[nodiscard]] bool covers(std::string_view name) const {
    return std::any_of(names.begin(), names.end(), [&](std::size_t one) { return wanted_names[one] == name; });
  }
  [[nodiscard]] bool excluded_by(const Card& above) const {
    return !above.options.excluded_dns.empty() && covers(wanted_names[0]);
  }
};
using Path = std::vector<const Card*>;

/// The game of chains.
class Deck {
public:
  Deck() {
    const auto root = top("Root", 'R');
    const auto other = top("Other Root", 'O');
    const auto stranger = top("Root", 'S');
    const auto names = [](std::string common_name, std::vector<std::string> dns, bool key_ids = true) {
      return test::CertOptions{.common_name = std::move(common_name), .dns = std::move(dns), .key_ids = key_ids};
    };
    const test::CertOptions ca{.common_name = "Authority", .ca = true};
    test::CertOptions limited = ca;
    limited.path_length = 0;
    test::CertOptions expired = ca;
    expired.not_after = now - day;
    test::CertOptions late = ca;
    late.not_before = now + day;
    test::CertOptions constrained = ca;
    constrained.excluded_dns = {std::string(wanted_names[0])};
    test::CertOptions renamed = ca;
    renamed.own_key_id = test::Blob{1, 2, 3};
    test::CertOptions usual = names("leaf", {"a.example", "*.b.example"});
    usual.ip = {"192.0.2.1"};
    const test::CertOptions below{.common_name = "Below", .ca = true};
    const test::CertOptions rolled{.common_name = "Root", .ca = true};

    const Identity authority = root.issue(limited);
    const Identity lower = authority.issue(below);
    const Identity next_root = root.issue(rolled);
    leaf_ = std::make_unique<Identity>(authority.issue(usual));
    authority_ = std::make_unique<Identity>(authority);
    const Identity false_authority = stranger.issue(ca);
    // Those that make a usual chain come first.
    add({"leaf", "Authority", 'l', 'A', usual, {0, 1, 3}}, *leaf_);
    add({"Authority", "Root", 'A', 'R', limited}, authority);
    add({"Authority", "Other Root", 'A', 'O', ca}, authority.cross_signed_by(other, ca));
    add({"Authority", "Root", 'A', 'R', expired}, authority.cross_signed_by(root, expired));
    add({"Authority", "Root", 'A', 'R', constrained}, authority.cross_signed_by(root, constrained));
    const test::CertOptions second = names("second", {"c.example"}, false);
    add({"second", "Authority", '2', 'A', second, {2}}, authority.issue(second));
    add({"Below", "Authority", 'B', 'A', below}, lower);
    const test::CertOptions third = names("third", {"a.example"});
    add({"third", "Below", '3', 'B', third, {0}}, lower.issue(third));
    add({"Authority", "Root", 'a', 'R', ca}, root.issue(ca));
    add({"Authority", "Root", 'A', 'R', renamed}, authority.cross_signed_by(root, renamed));
    add({"Authority", "Root", 'A', 'R', late}, authority.cross_signed_by(root, late));
    add({"Root", "Root", 'R', 'R', options_of_top("Root"), {}, true}, root);
    add({"Other Root", "Other Root", 'O', 'O', options_of_top("Other Root"), {}, true}, other);
    add({"Root", "Root", 'S', 'S', options_of_top("Root")}, stranger);
    add({"Authority", "Root", 's', 'S', ca}, false_authority);
    add({"leaf", "Authority", 't', 's', usual, {0, 1, 3}}, false_authority.issue(usual));
    // What a server that is no authority "issues".
    add({"third", "leaf", '4', 'l', third, {0}}, leaf_->issue(third));
    // A root with a new key, which the old one vouches for.
    add({"Root", "Root", 'N', 'R', rolled}, next_root);
    const test::CertOptions fourth = names("fourth", {"c.example"}, false);
    add({"fourth", "Root", '5', 'N', fourth, {2}}, next_root.issue(fourth));

    std::vector<tls::Certificate> trusted;
    tls::TrustAnchors anchors;
    for (const Card& card : cards_)
      if (card.anchor) {
        trusted.push_back(tls::Certificate::from_der(card.der).value());
        anchors.add(trusted.back());
      }
    anchors_.emplace(tls::AnchorStore::create(trusted).value());
    forgetful_ = tls::PathVerifier::create(anchors, {}, {}, nullptr).value();
    // Small, so that entries come and go.
    remembering_ = tls::PathVerifier::create(anchors, {}, {}, tls::VerifiedChainCache::create(5)).value();
    for (const Card& card : cards_)
      for (const std::int64_t edge : {card.options.not_before, card.options.not_after})
        for (const std::int64_t time : {edge - 1, edge, edge + 1})
          times_.push_back(time);
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
    good_staple_ = test::ocsp_response(*leaf_, *authority_);
    revoked_staple_ = test::ocsp_response(*leaf_, *authority_, {.statuses = {{.state = "revoked"}}});
  }

  void play(Input input) const {
    const std::uint8_t when = input.byte();
    const std::int64_t time = when % 2 == 0 ? now : times_[when / 2 % times_.size()];
    const std::string_view name = wanted_names[input.byte() % wanted_names.size()];
    const std::uint8_t staple = input.byte() % 4;
    std::vector<tls::Certificate> chain;
    Path known;
    while (!input.rest.empty() && chain.size() < 8) {
      const Card& card = cards_[input.byte() % cards_.size()];
      const test::Blob der = fuzz::changed(card.der, input.bytes(input.byte() % 4 * 3U));
      // In a handshake, the whole message would be refused.
      if (const auto certificate = tls::Certificate::from_der(der)) {
        chain.push_back(*certificate);
        known.push_back(find(der));
      }
    }
    if (chain.empty())
      return;
    test::Blob response;
    if (staple >= 2)
      response = staple == 2 ? good_staple_ : revoked_staple_;
    judge(chain, known, name, time, response);
  }

private:
  static test::CertOptions options_of_top(std::string name) {
    return {.common_name = std::move(name), .not_before = now - 400 * day, .not_after = now + 400 * day, .ca = true};
  }
  static Identity top(std::string name, char key) {
    test::CertOptions options = options_of_top(std::move(name));
    options.key = test::Key::cached(test::KeyType::p256, static_cast<unsigned>(key));
    return test::self_signed(options);
  }
  void add(Card card, const Identity& identity) {
    card.der = identity.der();
    cards_.push_back(std::move(card));
  }
  /// Null for what was changed: nobody's key can have signed it.
  [[nodiscard]] const Card* find(tls::BytesView der) const {
    const auto place =
        std::find_if(cards_.begin(), cards_.end(), [&](const Card& card) { return tls::equal(card.der, der); });
    return place == cards_.end() ? nullptr : &*place;
  }

  /// RFC 5280, of these certificates: whether a path from the first, with all that are before `last`, keeps the rules.
  [[nodiscard]] static bool keeps_rules(const Path& path, std::int64_t time) {
    if (path[0]->options.ca)
      return false;
    std::size_t below = 0; // authorities, but for self-issued ones
    for (std::size_t i = 0; i < path.size(); ++i) {
      const Card& card = *path[i];
      if (!card.valid_at(time) || (i > 0 && !card.options.ca))
        return false;
      if (i == 0)
        continue;
      if (path[i - 1]->signer != card.key || path[i - 1]->issuer != card.subject || path[0]->excluded_by(card))
        return false;
      if (card.options.path_length && below > *card.options.path_length)
        return false;
      below += card.subject != card.issuer ? 1 : 0;
    }
    return true;
  }
  /// Whether there is any path.
  [[nodiscard]] bool path_exists(Path& path, const Path& known, std::int64_t time) const {
    const Card& last = *path.back();
    if (last.anchor)
      return keeps_rules(path, time);
    std::vector<const Card*> issuers(known);
    for (const Card& card : cards_)
      if (card.anchor)
        issuers.push_back(&card);
    for (const Card* issuer : issuers) {
      if (issuer == nullptr || issuer->subject != last.issuer || issuer->key != last.signer ||
          std::any_of(path.begin(), path.end(),
                      [&](const Card* one) { return one->subject == issuer->subject && one->key == issuer->key; }))
        continue;
      path.push_back(issuer);
      if (path_exists(path, known, time))
        return true;
      path.pop_back();
    }
    return false;
  }

  void judge(const std::vector<tls::Certificate>& chain, const Path& known, std::string_view name, std::int64_t time,
             const test::Blob& response) const {
    bool path_expected = false;
    if (known[0] != nullptr) {
      Path path{known[0]};
      path_expected = path_exists(path, known, time);
    }

    tls::PathCost cost;
    const auto path = tls::validate_server_path(chain, *anchors_, time, {}, &cost);
    require(path.has_value() == path_expected);
    require(cost.signature_checks <= limits::path_signature_checks && cost.candidates <= limits::path_candidates &&
            cost.refusals <= limits::path_refusals && cost.name_comparisons <= limits::name_constraint_comparisons &&
            cost.remembered == 0);
    if (path) {
      Path cards;
      for (const tls::Certificate& certificate : *path)
        cards.push_back(find(certificate.der()));
      require(!cards.empty() && std::find(cards.begin(), cards.end(), nullptr) == cards.end());
      require(cards[0] == known[0] && cards.back()->anchor && keeps_rules(cards, time));
    } else {
      check_failure(path.error(), chain.size());
    }

    const bool is_revoked = known[0] == &cards_[0] && response == revoked_staple_;
    const bool expected = path_expected && known[0]->covers(name) && !is_revoked;
    const auto server = tls::ServerName::parse(name).value();
    std::vector<tls::PresentedStatus> status(chain.size());
    status[0].ocsp_response = response;
    const auto verdict = forgetful_->verify({chain, status}, server, time);
    require(verdict.has_value() == expected);
    require(verdict ? !verdict->explanation.empty() && verdict->path.size() == path->size()
                    : !verdict.error().message().empty() && !verdict.error().detail().empty());
    // Twice: the first time, it may be something new.
    for (int turn = 0; turn < 2; ++turn) {
      const auto again = remembering_->verify({chain, status}, server, time);
      require(again.has_value() == expected);
      require(expected ||
              (again.error().code() == verdict.error().code() && again.error().message() == verdict.error().message()));
    }
  }

  static void check_failure(const tls::PathFailure& failure, std::size_t chain_size) {
    require(!failure.findings.empty());
    const tls::PathFinding& first = failure.findings.front();
    require(first.code == failure.code && first.reason == failure.reason && first.position == failure.position);
    for (const tls::PathFinding& finding : failure.findings)
      require(!finding.reason.empty() && finding.position <= chain_size);
    require(std::is_sorted(failure.findings.begin(), failure.findings.end(),
                           [](const auto& a, const auto& b) { return a.rule < b.rule; }));
  }

  std::vector<Card> cards_;
  std::unique_ptr<Identity> leaf_;
  std::unique_ptr<Identity> authority_;
  std::vector<std::int64_t> times_;
  test::Blob good_staple_;
  test::Blob revoked_staple_;
  std::optional<tls::AnchorStore> anchors_;
  std::shared_ptr<const tls::PathVerifier> forgetful_;
  std::shared_ptr<const tls::PathVerifier> remembering_;
};

/// The game of extensions, and the decoders.
class Decoders {
public:
  Decoders() {
    tls::TrustAnchors anchors;
    anchors.add(minted_.issuer);
    verifier_ = tls::PathVerifier::create(anchors).value();
    require(logs_.add(test::Key::cached(test::KeyType::p256, 2).public_der(), {}).has_value());
  }

  /// A certificate with these extensions, genuinely signed. Who accepts it must have read that it is for the server.
  void sign(tls::BytesView list) const {
    const test::Identity identity =
        minted_.authority.issue({.key = key_, .extension_list = test::Blob(list.begin(), list.end())});
    const auto certificate = tls::Certificate::from_der(identity.der());
    if (!certificate)
      return;
    const auto verdict = verifier_->verify({{&*certificate, 1}}, name_, now);
    if (!verdict) {
      require(!verdict.error().detail().empty());
      return;
    }
    const auto extensions = tls::CertificateExtensions::decode(list);
    require(extensions && extensions->unknown_critical.empty() && !extensions->name_constraints);
    require(!extensions->basic_constraints || !extensions->basic_constraints->ca);
    require(!extensions->key_usage || has(*extensions->key_usage, tls::KeyUsage::digital_signature));
    require(!extensions->extended_key_usage || extensions->extended_key_usage->server_auth);
    require(std::any_of(extensions->subject_alt_names.begin(), extensions->subject_alt_names.end(),
                        [](const tls::GeneralName& one) { return one.form == tls::NameForm::dns; }));
  }

  void decode(Input input) const {
    static constexpr auto id_ce_numbers = std::to_array<std::uint8_t>({14, 15, 17, 19, 30, 35, 37});
    const std::uint8_t which = input.byte();
    read_list(input.rest);
    // The value of one extension, in a list of its own.
    test::Blob value(input.rest.begin(), input.rest.end());
    const test::Blob oid =
        which % 16 < id_ce_numbers.size()
            ? test::Blob{0x55, 0x1D, id_ce_numbers[which % 16]}
            : test::Blob{0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, which % 2 == 0 ? std::uint8_t{24} : std::uint8_t{1}};
    read_list(test::der(0x30, {test::der(0x06, oid), test::der(0x04, value)}));
    constrain(input);

    const auto findings =
        tls::inspect_timestamps(minted_.subject, &minted_.issuer, {.tls_extension = input.rest}, logs_, now);
    // The log has signed nothing.
    require(findings && findings->counted == 0 && findings->operators == 0);
    for (const tls::TimestampFinding& one : findings->timestamps)
      require(!one.counts && !one.text.empty());

    if (const auto fields = tls::detail::read_certificate_fields(input.rest)) {
      for (const tls::BytesView part :
           {fields->tbs, fields->serial, fields->signature_algorithm, fields->issuer, fields->validity, fields->subject,
            fields->spki, fields->extensions, fields->signature})
        fuzz::inside(part, input.rest);
      require(fields->version >= 1 && fields->version <= 3);
    }
  }

private:
  static void read_list(tls::BytesView list) {
    const auto extensions = tls::CertificateExtensions::decode(list);
    if (!extensions) {
      require(!extensions.error().detail().empty());
      return;
    }
    for (const tls::BytesView part :
         {extensions->subject_key_id, extensions->authority_key_id, tls::as_bytes(extensions->issuer_address)})
      fuzz::inside(part, list);
    for (const tls::GeneralName& one : extensions->subject_alt_names)
      fuzz::inside(one.value, list);
    require(!extensions->basic_constraints || extensions->basic_constraints->ca ||
            !extensions->basic_constraints->path_length);
    require(!extensions->key_usage || *extensions->key_usage != 0);
  }

  /// The first half of the input as constraints, the second as names.
  static void constrain(Input input) {
    const auto extension = [](std::uint8_t number, tls::BytesView value) {
      return test::der(0x30, {test::der(0x06, test::Blob{0x55, 0x1D, number}),
                              test::der(0x04, test::Blob(value.begin(), value.end()))});
    };
    const tls::BytesView first = input.bytes(input.rest.size() / 2);
    const test::Blob of_constraints = extension(30, first);
    const test::Blob of_names = extension(17, input.rest);
    const auto constraints = tls::CertificateExtensions::decode(of_constraints);
    const auto names = tls::CertificateExtensions::decode(of_names);
    if (!constraints || !names)
      return;
    const tls::NameConstraints& subtrees = *constraints->name_constraints;
    const auto violated = [&](const tls::NameConstraints& by, std::size_t left) {
      const std::size_t before = left;
      const auto reason = tls::constraint_violated(by, {.subject = {}, .alt_names = names->subject_alt_names}, left);
      require(left <= before && (!reason || !reason->empty()));
      return reason.has_value();
    };
    constexpr std::size_t enough = 100'000;
    // Without constraints nothing is forbidden; what is excluded stays so, whatever else is permitted.
    require(!violated({}, enough));
    if (violated({.permitted = {}, .excluded = subtrees.excluded}, enough))
      require(violated(subtrees, enough));
    (void)violated(subtrees, 1);
  }

  fuzz::Minted minted_;
  test::Key key_ = test::Key::cached(test::KeyType::p256, 1);
  tls::ServerName name_ = tls::ServerName::parse("a.example").value();
  tls::TransparencyLogs logs_;
  std::shared_ptr<const tls::PathVerifier> verifier_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Deck deck;
  static const Decoders decoders;
  Input input{{data, size}};
  switch (input.byte() % 4) {
  case 0:
    decoders.decode(input);
    break;
  case 1:
    decoders.sign(input.rest);
    break;
  default:
    deck.play(input);
    break;
  }
  return 0;
}
