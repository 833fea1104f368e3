// Timestamps of transparency logs: which count, which do not, and how many are enough.
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <vector>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/client/config.hpp>

#include "published_timestamps.hpp"
#include "status_issuer.hpp"
#include "support.hpp"
#include "transparency_log.hpp"

using test::Blob;
using test::CertOptions;
using test::contains;
using test::day;
using test::der;
using test::Identity;
using test::Key;
using test::KeyType;
using test::Log;
using test::now;
using tlsconnect::ErrorCode;
using tlsconnect::LogDescription;
using tlsconnect::PathVerifier;
using tlsconnect::Result;
using tlsconnect::TimestampSource;
using tlsconnect::TransparencyFindings;
using tlsconnect::TransparencyLogs;
using tlsconnect::TransparencyPolicy;
using tlsconnect::VerifiedChain;

namespace {

constexpr std::uint64_t yesterday = static_cast<std::uint64_t>(now - day) * 1000;

Log log_number(unsigned index) { return {.key = Key::cached(KeyType::p256, 100 + index)}; }

TransparencyLogs known(const std::vector<LogDescription>& about) {
  TransparencyLogs logs;
  for (unsigned i = 0; i < about.size(); ++i)
    REQUIRE(log_number(i).add_to(logs, about[i]));
  return logs;
}
TransparencyLogs two_logs() {
  return known({{.name = "Oak", .operated_by = "Forest"}, {.name = "Pike", .operated_by = "River"}});
}

const Identity& root() {
  static const Identity identity = test::self_signed({.common_name = "Root", .ca = true});
  return identity;
}

/// A certificate that is the same again and again, but for what is added.
Identity leaf(const std::vector<test::RawExtension>& extensions = {}) {
  return root().issue({.common_name = "leaf",
                       .key = Key::cached(KeyType::p256, 99),
                       .dns = {"a.example"},
                       .serial = 77,
                       .extensions = extensions});
}
/// The same with a timestamp of each of these logs inside.
Identity logged(const std::vector<Log>& logs, std::uint64_t milliseconds = yesterday) {
  std::vector<Blob> timestamps;
  for (const Log& log : logs)
    timestamps.push_back(log.precertificate(leaf(), root().key(), milliseconds));
  return leaf({test::timestamps_extension(timestamps)});
}

TransparencyFindings inspect(const Identity& certificate, const TransparencyLogs& logs, const Blob& in_handshake = {},
                             const Blob& in_status = {}, std::int64_t time = now) {
  const auto parsed = test::certificate(certificate);
  const auto issuer = test::certificate(root());
  return tlsconnect::inspect_timestamps(parsed, &issuer, {.tls_extension = in_handshake, .ocsp_response = in_status},
                                        logs, time)
      .value();
}
/// What is said of the only timestamp, which does not count.
std::string refused(const TransparencyFindings& findings) {
  REQUIRE(findings.timestamps.size() == 1);
  CHECK_FALSE(findings.timestamps[0].counts);
  CHECK(findings.counted == 0);
  CHECK(findings.operators == 0);
  CHECK_FALSE(findings.current);
  return findings.timestamps[0].text;
}

Result<VerifiedChain> verify(const Identity& certificate, const TransparencyPolicy& policy,
                             const Blob& in_handshake = {}, std::int64_t time = now, const Blob& staple = {}) {
  const auto anchors = tlsconnect::TrustAnchors::from_pem(root().pem()).value();
  const auto verifier = PathVerifier::create(anchors, {.transparency = policy}).value();
  const auto chain = test::certificates(certificate.chain_der());
  const std::vector<tlsconnect::PresentedStatus> status{{.ocsp_response = staple, .sct_list = in_handshake}};
  return verifier->verify({.chain = chain, .status = status}, test::name("a.example"), time);
}
std::string why(const Result<VerifiedChain>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code() == ErrorCode::certificate_not_logged);
  CHECK(outcome.error().alert_sent() == tlsconnect::AlertDescription::bad_certificate);
  return std::string(outcome.error().detail());
}

Blob base64(std::string_view text) { return tlsconnect::detail::decode_base64(text).value(); }

} // namespace

// ---- one timestamp ----

TEST_CASE("published timestamps", "[transparency]") {
  namespace published = test::published;
  TransparencyLogs logs;
  REQUIRE(logs.add(published::log_key, {.name = "the first"}));
  const auto authority = test::certificate(base64(published::authority));
  const auto plain = test::certificate(base64(published::certificate));
  const auto embedded = test::certificate(base64(published::embedded));
  const Blob list = test::timestamp_list({base64(published::timestamp)});

  const auto beside = tlsconnect::inspect_timestamps(plain, &authority, {.tls_extension = list}, logs, now).value();
  REQUIRE(beside.timestamps.size() == 1);
  CHECK(beside.timestamps[0].text == "the first, 2013-04-05T17:04:16Z");
  CHECK(beside.timestamps[0].counts);
  CHECK(beside.timestamps[0].source == TimestampSource::tls_extension);
  CHECK(beside.counted == 1);
  const auto inside = tlsconnect::inspect_timestamps(embedded, &authority, {}, logs, now).value();
  REQUIRE(inside.timestamps.size() == 1);
  CHECK(inside.timestamps[0].source == TimestampSource::certificate);
  CHECK(inside.timestamps[0].counts);

  // The same for another certificate, and with another issuer.
  CHECK(
      contains(refused(tlsconnect::inspect_timestamps(authority, nullptr, {.tls_extension = list}, logs, now).value()),
               "did not sign this certificate"));
  CHECK(contains(refused(tlsconnect::inspect_timestamps(embedded, &plain, {}, logs, now).value()),
                 "did not sign this certificate"));
}

TEST_CASE("a timestamp from each source", "[transparency]") {
  const Blob list = test::timestamp_list({Log().certificate(leaf(), yesterday)});
  const auto logs = two_logs();
  for (const auto& [findings, source] : {std::pair{inspect(leaf(), logs, list), TimestampSource::tls_extension},
                                         std::pair{inspect(leaf(), logs, {}, list), TimestampSource::ocsp_response},
                                         std::pair{inspect(logged({Log()}), logs), TimestampSource::certificate}}) {
    REQUIRE(findings.timestamps.size() == 1);
    CHECK(findings.timestamps[0].text == "Oak of Forest, 2026-05-31T00:00:00Z");
    CHECK(findings.timestamps[0].counts);
    CHECK(findings.timestamps[0].source == source);
    CHECK(findings.counted == 1);
    CHECK(findings.operators == 1);
    CHECK(findings.current);
  }
  CHECK(inspect(leaf(), logs).timestamps.empty());
}

TEST_CASE("what was signed is the certificate, and the time, and the extensions", "[transparency]") {
  const auto logs = two_logs();
  const Blob good = Log().certificate(leaf(), yesterday);
  CHECK(inspect(leaf(), logs, test::timestamp_list({good})).counted == 1);
  // One byte each of the time and the signature. (Another log's id has no signature of that log.)
  for (const std::size_t at : {std::size_t{1 + 32 + 7}, good.size() - 1}) {
    Blob bad = good;
    bad[at] ^= 1;
    CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({bad}))), "did not sign this certificate"));
  }
  const Blob foreign = Log().certificate(root(), yesterday);
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({foreign}))), "did not sign this certificate"));
  // Extensions are signed, whatever they say.
  Log extended{.extensions = {1, 2, 3}};
  Blob with = extended.certificate(leaf(), yesterday);
  CHECK(inspect(leaf(), logs, test::timestamp_list({with})).counted == 1);
  with[1 + 32 + 8 + 2] ^= 1;
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({with}))), "did not sign this certificate"));
}

TEST_CASE("a timestamp stands only where it belongs", "[transparency]") {
  const auto logs = two_logs();
  // Of a precertificate, in the handshake; of a certificate, inside of another.
  const Blob of_precertificate = Log().precertificate(leaf(), root().key(), yesterday);
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({of_precertificate}))), "did not sign"));
  const Identity inside = leaf({test::timestamps_extension({Log().certificate(leaf(), yesterday)})});
  CHECK(contains(refused(inspect(inside, logs)), "did not sign"));
  // For another issuer of the same name.
  const Key other = Key::cached(KeyType::p256, 55);
  const Identity elsewhere = leaf({test::timestamps_extension({Log().precertificate(leaf(), other, yesterday)})});
  CHECK(contains(refused(inspect(elsewhere, logs)), "did not sign"));
  // Without any issuer: the certificate is trusted itself.
  const auto alone = test::certificate(logged({Log()}));
  CHECK(contains(refused(tlsconnect::inspect_timestamps(alone, nullptr, {}, logs, now).value()),
                 "the certificate's issuer, whose key the log signed too, is not known"));
}

TEST_CASE("the extension in the certificate may stand anywhere among the others", "[transparency]") {
  const auto logs = two_logs();
  const Blob names = test::der_extension("2.5.29.17", false, der(0x30, test::der_text(0x82, "a.example")));
  const Blob usage = test::der_extension("2.5.29.15", true, {0x03, 0x02, 0x07, 0x80});
  const auto with = [](const Blob& list) {
    return root().issue(
        {.common_name = "leaf", .key = Key::cached(KeyType::p256, 99), .serial = 78, .extension_list = list});
  };
  const auto join = [](std::initializer_list<Blob> parts) {
    Blob all;
    for (const Blob& part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const auto extension = [&](const Identity& before, const Key& issuer) {
    return test::der_extension(test::timestamps_oid, false,
                               der(0x04, test::timestamp_list({Log().precertificate(before, issuer, yesterday)})));
  };
  const Blob mark = extension(with(join({names, usage})), root().key());
  CHECK(inspect(with(join({mark, names, usage})), logs).counted == 1);
  CHECK(inspect(with(join({names, mark, usage})), logs).counted == 1);
  CHECK(inspect(with(join({names, usage, mark})), logs).counted == 1);
  CHECK(inspect(with(join({usage, names, mark})), logs).counted == 0); // the order is signed
  CHECK(inspect(with(join({names, mark})), logs).counted == 0);        // and that there is nothing else
  // Behind something that is not DER, it is not looked for.
  const Blob odd = der(0x30, {test::der_oid("1.2.3.4"), Blob{0x01, 0x01, 0x00}, Blob{0x04, 0x00}});
  const Blob behind = extension(with(join({odd, names})), root().key());
  CHECK(inspect(with(join({odd, behind, names})), logs).counted == 0);
  // Long lists, whose lengths take one byte less without it.
  for (const std::size_t size : {20U, 60U, 90U, 110U, 127U, 128U, 200U, 255U, 256U, 300U}) {
    const Blob filler = test::der_extension("1.2.3.4", false, Blob(size, 0x05));
    const Blob own = extension(with(filler), root().key());
    CAPTURE(size);
    CHECK(inspect(with(join({own, filler})), logs).counted == 1);
  }
}

TEST_CASE("without its only extension, a certificate has no list of them", "[transparency]") {
  const Blob tbs =
      der(0x30, {Blob{0x02, 0x01, 0x05},
                 der(0xA3, der(0x30, test::der_extension(test::timestamps_oid, false, Blob{0x04, 0x00})))});
  CHECK(tlsconnect::detail::precertificate_tbs(tbs) == Blob{0x30, 0x03, 0x02, 0x01, 0x05});
  const Blob other =
      der(0x30, {Blob{0x02, 0x01, 0x05}, der(0xA3, der(0x30, test::der_extension("1.2.3", false, Blob{0x04, 0x00})))});
  CHECK_FALSE(tlsconnect::detail::precertificate_tbs(other));
  CHECK_FALSE(tlsconnect::detail::precertificate_tbs({}));
  CHECK_FALSE(tlsconnect::detail::precertificate_tbs(Blob{0x30, 0x02, 0x02, 0x05}));
  Blob behind = tbs;
  behind.insert(behind.end(), {0x05, 0x00});
  behind[1] = static_cast<std::uint8_t>(behind[1] + 2);
  CHECK_FALSE(tlsconnect::detail::precertificate_tbs(behind));
}

TEST_CASE("the extension in the certificate may be critical", "[transparency]") {
  test::RawExtension extension = test::timestamps_extension({Log().precertificate(leaf(), root().key(), yesterday)});
  extension.critical = true;
  CHECK(inspect(leaf({extension}), two_logs()).counted == 1);
}

TEST_CASE("a timestamp from the future does not count", "[transparency]") {
  const auto logs = two_logs();
  const auto at = [&](std::uint64_t milliseconds) {
    return inspect(leaf(), logs, test::timestamp_list({Log().certificate(leaf(), milliseconds)}));
  };
  constexpr std::uint64_t this_second = static_cast<std::uint64_t>(now) * 1000;
  CHECK(at(this_second + 999).counted == 1); // clocks are read to the second
  CHECK(refused(at(this_second + 1000)) == "Oak of Forest, 2026-06-01T00:00:01Z: that is in the future, the time used "
                                           "is 2026-06-01T00:00:00Z (RFC 6962, 5.2)");
  CHECK(contains(refused(at(~std::uint64_t{0})), "in the future"));
}

TEST_CASE("logs that are not known, and versions that are not", "[transparency]") {
  const auto logs = two_logs();
  const Log stranger{.key = Key::cached(KeyType::p256, 55)};
  const std::string text =
      refused(inspect(leaf(), logs, test::timestamp_list({stranger.certificate(leaf(), yesterday)})));
  CHECK(text == "the log " + tlsconnect::detail::encode_base64(stranger.id()) + " is not known");
  const Log newer{.version = 1};
  CHECK(refused(inspect(leaf(), logs, test::timestamp_list({newer.certificate(leaf(), yesterday)}))) ==
        "version 2 is not known (RFC 6962, 3.2)");
  // They do not disturb the others.
  const auto mixed = inspect(
      leaf(), logs,
      test::timestamp_list({stranger.certificate(leaf(), yesterday), Blob{1}, Log().certificate(leaf(), yesterday)}));
  CHECK(mixed.counted == 1);
  CHECK(mixed.timestamps.size() == 3);
}

TEST_CASE("what cannot be read is explained, and counts for nothing", "[transparency]") {
  const auto logs = two_logs();
  const Blob good = Log().certificate(leaf(), yesterday);
  Blob longer = good;
  longer.push_back(0);
  Blob shorter = good;
  shorter.pop_back();
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({longer}))), "bytes after its last field"));
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({shorter}))), "ends before all of its fields"));
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list({Blob{0}}))), "ends before all of its fields"));

  Blob list = test::timestamp_list({good});
  list.push_back(0);
  CHECK(contains(refused(inspect(leaf(), logs, list)), "a list that cannot be read"));
  CHECK(contains(refused(inspect(leaf(), logs, Blob{0, 0})), "a list that cannot be read"));
  CHECK(contains(refused(inspect(leaf(), logs, Blob{0, 2, 0, 0})), "a list that cannot be read"));
  const std::vector<Blob> many(tlsconnect::limits::signed_certificate_timestamps + 1, Blob{1});
  CHECK(contains(refused(inspect(leaf(), logs, test::timestamp_list(many))), "larger than this client accepts"));

  // The same list may stand in a certificate; there it is in an OCTET STRING of its own.
  const Blob inside = test::timestamp_list({Log().precertificate(leaf(), root().key(), yesterday)});
  const auto with = [&](const Blob& value) { return inspect(leaf({{test::timestamps_oid, false, value}}), logs); };
  CHECK(with(der(0x04, inside)).counted == 1);
  for (const Blob& value : {inside, der(0x30, inside), der(0x04, Blob())})
    CHECK(contains(refused(with(value)), "an extension that is not one OCTET STRING"));
  Blob behind = der(0x04, inside);
  behind.push_back(0);
  CHECK(contains(refused(with(behind)), "an extension that is not one OCTET STRING"));
}

TEST_CASE("how a log may sign", "[transparency]") {
  const auto logs = two_logs();
  Log rsa{.key = Key::cached(KeyType::rsa2048), .algorithm = 0x0401, .padding = "PKCS1v15(SHA-256)"};
  TransparencyLogs with_rsa;
  REQUIRE(rsa.add_to(with_rsa, {.name = "Rivest"}));
  const auto of = [&](const Log& log, const TransparencyLogs& among) {
    return inspect(leaf(), among, test::timestamp_list({log.certificate(leaf(), yesterday)}));
  };
  CHECK(of(rsa, with_rsa).counted == 1);
  rsa.padding = "PKCS1v15(SHA-384)";
  CHECK(contains(refused(of(rsa, with_rsa)), "did not sign"));
  rsa.algorithm = 0x0501;
  CHECK(contains(refused(of(rsa, with_rsa)), "another way than with SHA-256"));
  CHECK(contains(refused(of({.algorithm = 0x0503, .padding = "SHA-384"}, logs)), "another way than with SHA-256"));
  CHECK(contains(refused(of({.algorithm = 0x0401}, logs)), "another way than with SHA-256"));
  CHECK(contains(refused(of({.padding = "SHA-384"}, logs)), "did not sign"));
  CHECK(contains(refused(of({.break_signature = true}, logs)), "did not sign"));
}

// ---- several ----

TEST_CASE("a log counts once, whatever it signs", "[transparency]") {
  const auto logs = two_logs();
  const Log oak;
  const Log pike = log_number(1);
  const auto both = inspect(
      leaf(), logs, test::timestamp_list({oak.certificate(leaf(), yesterday), pike.certificate(leaf(), yesterday)}));
  CHECK(both.counted == 2);
  CHECK(both.operators == 2);
  const auto twice =
      inspect(logged({oak}), logs, test::timestamp_list({oak.certificate(logged({oak}), yesterday + 1)}));
  CHECK(twice.counted == 1);
  REQUIRE(twice.timestamps.size() == 2);
  CHECK(contains(twice.timestamps[1].text, "another timestamp of this log counts already"));
}

TEST_CASE("operators are counted by their names", "[transparency]") {
  const auto count = [&](const LogDescription& first, const LogDescription& second) {
    return inspect(logged({log_number(0), log_number(1)}), known({first, second})).operators;
  };
  CHECK(count({"A", "One"}, {"B", "Two"}) == 2);
  CHECK(count({"A", "One"}, {"B", "One"}) == 1);
  CHECK(count({"A", ""}, {"B", ""}) == 1); // who does not say may be the same
  CHECK(count({"A", ""}, {"B", "One"}) == 2);
}

TEST_CASE("retired logs", "[transparency]") {
  const std::int64_t retirement = now - 10 * day;
  const auto logs = known({{.name = "Old", .operated_by = "A", .retired = retirement}, {"New", "B"}});
  constexpr std::uint64_t before = static_cast<std::uint64_t>(now - 10 * day - 1) * 1000;
  const Log old;
  // In the certificate: what was signed before counts.
  const auto inside = inspect(logged({old}, before), logs);
  CHECK(inside.counted == 1);
  CHECK_FALSE(inside.current);
  CHECK(inspect(logged({old, log_number(1)}, before), logs).current);
  CHECK(contains(refused(inspect(logged({old}, before + 1000), logs)), "the log was retired on 2026-05-22T00:00:00Z"));
  // In the handshake: the server could have got a newer one.
  const Blob beside = test::timestamp_list({old.certificate(leaf(), before)});
  CHECK(contains(refused(inspect(leaf(), logs, beside)), "count in certificates only"));
  CHECK(contains(refused(inspect(leaf(), logs, {}, beside)), "count in certificates only"));
  // Before the retirement, nobody knows of it.
  CHECK(inspect(leaf(), logs, beside, {}, retirement - 1).current);
  CHECK_FALSE(inspect(leaf(), logs, beside, {}, retirement).current);
}

TEST_CASE("no more signatures are checked than the limit says", "[transparency]") {
  constexpr std::size_t limit = tlsconnect::limits::timestamp_signature_checks;
  const Log bad{.break_signature = true};
  const Blob wrong = bad.certificate(leaf(), yesterday);
  const Blob right = log_number(1).certificate(leaf(), yesterday);
  const auto findings = [&](std::size_t count) {
    return inspect(leaf(), two_logs(), test::timestamp_list({right}),
                   test::timestamp_list(std::vector<Blob>(count, wrong)));
  };
  CHECK(findings(limit - 1).counted == 1);
  const auto over = findings(limit);
  CHECK(over.counted == 0);
  CHECK(contains(over.timestamps.back().text, "not tried, there are too many"));
}

// ---- logs and policies ----

TEST_CASE("keys of logs", "[transparency]") {
  TransparencyLogs logs;
  const Key key = Key::cached(KeyType::p256, 100);
  CHECK(logs.empty());
  REQUIRE(logs.add(key.public_der(), {.name = "one"}));
  CHECK(logs.size() == 1);
  CHECK(logs.operators() == 1);
  const Blob id = test::sha256(key.public_der());
  CHECK(test::blob(logs.logs()[0].id) == id);
  CHECK(logs.find(logs.logs()[0].id) != nullptr);
  CHECK(logs.find(tlsconnect::LogId{}) == nullptr);

  const auto problem = [&](const Result<>& added) {
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().code() == ErrorCode::configuration_invalid);
    return std::string(added.error().detail());
  };
  CHECK(contains(problem(logs.add(key.public_der(), {.name = "two"})), "the log \"two\" is there already"));
  CHECK(contains(problem(logs.add(Blob{1, 2, 3}, {})), "cannot be read"));
  CHECK(contains(problem(logs.add("no key", {})), "cannot be read"));
  for (const KeyType type : {KeyType::p384, KeyType::ed25519, KeyType::rsa1024})
    CHECK(contains(problem(logs.add(Key::cached(type).public_der(), {})), "neither EC secp256r1 nor RSA"));
  // A point that is on no curve.
  Blob off = Key::cached(KeyType::p256, 101).public_der();
  off.back() ^= 1;
  CHECK(contains(problem(logs.add(off, {})), "neither EC secp256r1 nor RSA"));
  CHECK(logs.add(Key::cached(KeyType::rsa2048).public_der(), {}));
  CHECK(logs.size() == 2);

  // The same key as text.
  TransparencyLogs pem;
  TransparencyLogs base64;
  REQUIRE(pem.add("a log\n" + test::pem_block("PUBLIC KEY", key.public_der()), {}));
  REQUIRE(base64.add(tlsconnect::detail::encode_base64(key.public_der()), {}));
  CHECK(test::blob(pem.logs()[0].id) == id);
  CHECK(test::blob(base64.logs()[0].id) == id);
  // Behind another block, and without its END line.
  TransparencyLogs behind;
  const std::string block = test::pem_block("PUBLIC KEY", key.public_der());
  REQUIRE(behind.add(test::pem_block("EC PARAMETERS", {0x05, 0x00}) + block, {}));
  CHECK(test::blob(behind.logs()[0].id) == id);
  CHECK_FALSE(TransparencyLogs().add(block.substr(0, block.find("-----END")), {}).has_value());
}

TEST_CASE("by default, nothing is asked for", "[transparency]") {
  CHECK(verify(leaf(), {}).has_value());
  const Blob bad = test::timestamp_list({Log{.break_signature = true}.certificate(leaf(), yesterday)});
  CHECK(verify(leaf(), {.logs = two_logs()}, bad).has_value());
  CHECK_FALSE(contains(verify(leaf(), {.logs = two_logs()}, bad)->explanation, "logged"));
  const auto told = verify(logged({Log()}), {.logs = two_logs()});
  REQUIRE(told.has_value());
  CHECK(contains(told->explanation, "; logged: in the certificate, Oak of Forest, 2026-05-31T00:00:00Z"));
}

TEST_CASE("so many timestamps, of so many operators", "[transparency]") {
  const TransparencyPolicy one{.logs = two_logs(), .timestamps = 1};
  const TransparencyPolicy two{.logs = two_logs(), .timestamps = 2};
  const Log oak;
  const Log pike = log_number(1);
  CHECK(verify(logged({oak}), one).has_value());
  CHECK(verify(logged({oak, pike}), two).has_value());
  CHECK(contains(why(verify(leaf(), one)), "there are none, neither in the certificate nor with it"));
  const std::string text = why(verify(logged({oak}), two));
  CHECK(text.starts_with("certificate 1 of 1 (CN=leaf; issuer CN=Root; serial 4d): "));
  CHECK(contains(text, "timestamps of 2 logs are required; those of 1 log count, of 1 operator (in the certificate, "
                       "Oak of Forest, 2026-05-31T00:00:00Z)"));
  CHECK(text.ends_with("Z)")); // and nothing of others
  CHECK(contains(why(verify(leaf(), {.logs = two_logs(), .operators = 1})), "of 1 operator, are required"));
  // Sources add up.
  CHECK(verify(logged({oak}), two, test::timestamp_list({pike.certificate(logged({oak}), yesterday)})).has_value());
  // Two of one operator are two timestamps of one operator.
  const auto same = known({{"Oak", "Forest"}, {"Ash", "Forest"}, {"Pike", "River"}});
  CHECK(verify(logged({oak, log_number(1)}), {.logs = same, .timestamps = 2}).has_value());
  CHECK(verify(logged({oak, log_number(2)}), {.logs = same, .timestamps = 2, .operators = 2}).has_value());
  CHECK(contains(why(verify(logged({oak, log_number(1)}), {.logs = same, .timestamps = 2, .operators = 2})),
                 "2 logs, of 2 operators, are required; those of 2 logs count, of 1 operator ("));
  // Every one that is of no account is named, up to a number that a person reads.
  Log bad = oak;
  bad.break_signature = true;
  CHECK(contains(
      why(verify(logged({bad, pike}), two)),
      "; those of 1 log count, of 1 operator (in the certificate, Pike of River, 2026-05-31T00:00:00Z); these do "
      "not: in the certificate, Oak of Forest, 2026-05-31T00:00:00Z: the log did not sign "
      "this certificate (RFC 6962, 3.2)"));
  CHECK(contains(why(verify(logged(std::vector<Log>(10, bad)), one)), "; and 2 more"));
  CHECK(contains(why(verify(logged({bad}), one)), "; those of 0 logs count; these do not: "));
}

TEST_CASE("one timestamp at least is of a log that is not retired", "[transparency]") {
  const auto logs = known({{.name = "Old", .operated_by = "A", .retired = now - day}, {"New", "B"}});
  constexpr std::uint64_t before = yesterday - 1000;
  CHECK(verify(logged({log_number(0), log_number(1)}, before), {.logs = logs, .timestamps = 2}).has_value());
  CHECK(verify(logged({log_number(1)}, before), {.logs = logs, .timestamps = 1}).has_value());
  CHECK(contains(why(verify(logged({log_number(0)}, before), {.logs = logs, .timestamps = 1})),
                 "none of a log that is not retired (in the certificate, Old of A"));
}

TEST_CASE("timestamps in the status that the server staples", "[transparency]") {
  const TransparencyPolicy policy{.logs = two_logs(), .timestamps = 1};
  const Blob list = test::timestamp_list({Log().certificate(leaf(), yesterday)});
  const Blob extension = test::der_extension("1.3.6.1.4.1.11129.2.4.5", false, der(0x04, list));
  const auto with = [&](test::OcspOptions options) {
    return verify(leaf(), policy, {}, now, test::ocsp_response(leaf(), root(), options));
  };
  const auto good = with({.statuses = {{.extensions = extension}}});
  REQUIRE(good.has_value());
  CHECK(contains(good->explanation, "logged: in its status, Oak of Forest"));
  // Not of one that is not believed, or says something else, or says it in another place.
  for (const test::OcspOptions& options :
       {test::OcspOptions{},
        {.statuses = {{.extensions = extension}}, .break_signature = true},
        {.statuses = {{.this_update = now - 9 * day, .next_update = now - 8 * day, .extensions = extension}}},
        {.statuses = {{.state = "unknown", .extensions = extension}}},
        {.statuses = {{}, {.serial = Blob{5}, .extensions = extension}}},
        {.extensions = extension}})
    CHECK(contains(why(with(options)), "there are none, neither in the certificate nor with it"));
  const auto revoked = with({.statuses = {{.state = "revoked", .extensions = extension}}});
  REQUIRE_FALSE(revoked.has_value());
  CHECK(revoked.error().code() == ErrorCode::certificate_revoked);
  // An authority's status says nothing of the server's certificate.
  const auto authority = root().issue({.common_name = "CA", .ca = true});
  const auto below = authority.issue({.dns = {"a.example"}});
  const Blob of_below = test::timestamp_list({Log().certificate(below, yesterday)});
  const Blob staple = test::ocsp_response(
      authority, root(),
      {.statuses = {{.extensions = test::der_extension("1.3.6.1.4.1.11129.2.4.5", false, der(0x04, of_below))}}});
  const auto anchors = tlsconnect::TrustAnchors::from_pem(root().pem()).value();
  const auto verifier = PathVerifier::create(anchors, {.transparency = policy}).value();
  const auto chain = test::certificates(below.chain_der());
  const std::vector<tlsconnect::PresentedStatus> status{{}, {.ocsp_response = staple, .sct_list = {}}};
  CHECK(contains(why(verifier->verify({.chain = chain, .status = status}, test::name("a.example"), now)),
                 "there are none"));
}

TEST_CASE("path and name come first", "[transparency]") {
  const TransparencyPolicy policy{.logs = two_logs(), .timestamps = 1};
  const auto late = verify(leaf(), policy, {}, now + 1000 * day);
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code() == ErrorCode::certificate_expired);
}

TEST_CASE("a policy that cannot be met is none", "[transparency]") {
  const auto anchors = tlsconnect::TrustAnchors::from_pem(root().pem()).value();
  const auto create = [&](const TransparencyPolicy& policy) {
    return PathVerifier::create(anchors, {.transparency = policy});
  };
  CHECK(create({.logs = two_logs(), .timestamps = 2, .operators = 2}).has_value());
  for (const TransparencyPolicy& policy :
       {TransparencyPolicy{.timestamps = 1}, TransparencyPolicy{.operators = 1},
        TransparencyPolicy{.logs = two_logs(), .timestamps = 3},
        TransparencyPolicy{.logs = known({{"A", "One"}, {"B", "One"}}), .timestamps = 2, .operators = 2}})
    CHECK(create(policy).error().code() == ErrorCode::configuration_invalid);

  // Sessions are not resumed under another policy.
  const auto identity = [&](const TransparencyPolicy& policy) { return create(policy).value()->trust_identity(); };
  const auto some = TransparencyPolicy{.logs = two_logs(), .timestamps = 1};
  CHECK(identity(some) == identity(some));
  const auto with = [](std::size_t timestamps, std::size_t operators, const TransparencyLogs& logs) {
    return TransparencyPolicy{.logs = logs, .timestamps = timestamps, .operators = operators};
  };
  for (const TransparencyPolicy& other :
       {TransparencyPolicy{}, with(2, 0, two_logs()), with(1, 1, two_logs()), with(1, 0, known({{"Oak", "Forest"}})),
        with(1, 0, known({{"Oak", "Forest"}, {"Pike", "Lake"}})),
        with(1, 0, known({{.name = "Oak", .operated_by = "Forest", .retired = 5}, {"Pike", "River"}}))})
    CHECK(identity(some) != identity(other));
  const auto retired = [&](std::int64_t when) {
    return identity(with(1, 0, known({{.name = "Oak", .retired = when}})));
  };
  CHECK(retired(5) != retired(6));
}

TEST_CASE("a configuration with transparency", "[transparency]") {
  const auto anchors = tlsconnect::TrustAnchors::from_pem(root().pem()).value();
  const TransparencyPolicy policy{.logs = two_logs(), .timestamps = 1};
  const auto config = tlsconnect::ClientConfig::builder().trust(anchors).transparency(policy).build().value();
  CHECK(config->signed_certificate_timestamps());
  const auto chain = test::certificates(leaf().chain_der());
  const auto refusal = config->verifier()->verify({.chain = chain}, test::name("a.example"), now);
  REQUIRE_FALSE(refusal.has_value());
  CHECK(refusal.error().code() == ErrorCode::certificate_not_logged);
  CHECK_FALSE(tlsconnect::ClientConfig::builder().trust(anchors).build().value()->signed_certificate_timestamps());
  // Somebody else's verifier would not know of it.
  const auto lost = tlsconnect::ClientConfig::builder()
                        .verifier(std::make_shared<const tlsconnect::DangerousNoVerification>())
                        .transparency(policy)
                        .build();
  REQUIRE_FALSE(lost.has_value());
  CHECK(lost.error().code() == ErrorCode::configuration_invalid);
}
