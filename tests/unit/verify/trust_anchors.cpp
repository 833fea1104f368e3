// Loading trust anchors from every source, with good and damaged entries.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <tlsconnect/client/config.hpp>

#include "support.hpp"

namespace fs = std::filesystem;

using test::Blob;
using test::contains;
using tlsconnect::ErrorCode;
using tlsconnect::Result;
using tlsconnect::TrustAnchors;

namespace {

/// A folder that goes away again.
class Folder {
public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "tlsconnect-trust-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }
  std::string write(const std::string& name, const std::string& content) const {
    const fs::path file = path_ / name;
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }
  std::string write(const std::string& name, const Blob& content) const {
    return write(name, std::string(content.begin(), content.end()));
  }

private:
  fs::path path_;
};

/// Sets or unsets an environment variable, and puts it back.
class Environment {
public:
  Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name))
      before_ = before;
    set(value);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { set(before_); }

private:
  void set(const std::optional<std::string>& value) const {
    if (value)
      ::setenv(name_, value->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

const test::Identity& first() {
  static const test::Identity identity = test::self_signed({.common_name = "First", .ca = true});
  return identity;
}
const test::Identity& second() {
  static const test::Identity identity = test::self_signed({.common_name = "Second", .ca = true});
  return identity;
}

std::string error_of(const Result<TrustAnchors>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == ErrorCode::trust_anchor_unreadable);
  return std::string(result.error().detail());
}

const std::string damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

} // namespace

TEST_CASE("anchors from a PEM text", "[trust]") {
  const auto two = TrustAnchors::from_pem(first().pem() + second().pem());
  REQUIRE(two.has_value());
  CHECK(two->size() == 2);
  CHECK(two->certificates()[0].subject() == "CN=First");
  CHECK(two->skipped().empty());
  CHECK(two->sources().size() == 1);
  // The same certificate counts once.
  CHECK(TrustAnchors::from_pem(first().pem() + first().pem()).value().size() == 1);
  CHECK(contains(error_of(TrustAnchors::from_pem("")), "no certificate"));
  CHECK(contains(error_of(TrustAnchors::from_pem(first().key_pem())), "no certificate"));
  CHECK(contains(error_of(TrustAnchors::from_pem(damaged)), "number 1"));
}

TEST_CASE("a damaged certificate among good ones is skipped and reported", "[trust]") {
  const std::vector<std::string> texts = {
      first().pem() + damaged + second().pem(),
      first().pem() + "-----BEGIN CERTIFICATE-----\nMIIB\n" + second().pem(), // its END line is missing
      first().pem() + "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n" + second().pem(),
      first().pem() + second().pem() + "-----BEGIN CERTIFICATE-----\nMIIB",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    const auto anchors = TrustAnchors::from_pem(text);
    REQUIRE(anchors.has_value());
    CHECK(anchors->size() == 2);
    REQUIRE(anchors->skipped().size() == 1);
    CHECK(contains(anchors->skipped()[0], "certificate number "));
  }
  CHECK(contains(TrustAnchors::from_pem(texts[2]).value().skipped()[0], "what stands in it is not Base64"));
  // Whole, but for the line that says so.
  const std::string cut = second().pem();
  const auto unfinished = TrustAnchors::from_pem(first().pem() + cut.substr(0, cut.find("-----END")));
  REQUIRE(unfinished.has_value());
  CHECK(unfinished->size() == 1);
  REQUIRE(unfinished->skipped().size() == 1);
  CHECK(contains(unfinished->skipped()[0], "certificate number 2 in it: its END line is missing"));
  // RFC 7468, 5.1: an older label.
  CHECK(TrustAnchors::from_pem(test::pem_block("X509 CERTIFICATE", first().der())).value().size() == 1);
  // OpenSSL's own form is no plain certificate.
  const auto other = TrustAnchors::from_pem(test::pem_block("TRUSTED CERTIFICATE", first().der()) + second().pem());
  REQUIRE(other.has_value());
  CHECK(other->size() == 1);
}

TEST_CASE("of many that cannot be read, the first are told", "[trust]") {
  std::string text;
  for (int i = 0; i < 16; ++i)
    text += damaged;
  CHECK_FALSE(contains(error_of(TrustAnchors::from_pem(text)), "more"));
  const std::string told = error_of(TrustAnchors::from_pem(text + damaged + damaged));
  CHECK(contains(told, "number 16 "));
  CHECK_FALSE(contains(told, "number 17 "));
  CHECK(contains(told, "; and 2 more"));
}

TEST_CASE("anchors from DER", "[trust]") {
  CHECK(TrustAnchors::from_der(first().der()).value().size() == 1);
  Blob trailing = first().der();
  trailing.push_back(0);
  CHECK_FALSE(error_of(TrustAnchors::from_der(trailing)).empty());
  CHECK_FALSE(error_of(TrustAnchors::from_der({})).empty());
}

TEST_CASE("anchors from a file", "[trust]") {
  const Folder folder;
  const std::string pem = folder.write("bundle.pem", "0 comment\n" + first().pem() + damaged + second().pem());
  const auto anchors = TrustAnchors::from_file(pem);
  REQUIRE(anchors.has_value());
  CHECK(anchors->size() == 2);
  REQUIRE(anchors->sources().size() == 1);
  CHECK(anchors->sources()[0] == pem);
  REQUIRE(anchors->skipped().size() == 1);
  CHECK(contains(anchors->skipped()[0], pem));

  CHECK(TrustAnchors::from_file(folder.write("one.der", first().der())).value().size() == 1);
  // Any text may stand before a certificate.
  CHECK(TrustAnchors::from_file(folder.write("name.pem", "\xC3\x89lise\n" + first().pem())).value().size() == 1);

  CHECK(contains(error_of(TrustAnchors::from_file(folder.path() + "/absent")), folder.path() + "/absent"));
  CHECK(contains(error_of(TrustAnchors::from_file(folder.path())), "directory"));
  CHECK(contains(error_of(TrustAnchors::from_file(folder.write("empty", std::string()))), "no certificate"));
  Blob broken = first().der();
  broken.resize(broken.size() - 1);
  CHECK_FALSE(error_of(TrustAnchors::from_file(folder.write("broken.der", broken))).empty());
  const std::string large = folder.write("large.pem", first().pem() + std::string(17U * 1024 * 1024, '\n'));
  CHECK(contains(error_of(TrustAnchors::from_file(large)), "16 MiB"));
}

TEST_CASE("anchors from a folder", "[trust]") {
  const Folder folder;
  folder.write("b.pem", second().pem());
  folder.write("a.crt", first().der());
  folder.write("again.pem", first().pem());
  folder.write("readme.txt", std::string("nothing here"));
  fs::create_directory(fs::path(folder.path()) / "inner");
  std::ofstream(fs::path(folder.path()) / "inner" / "c.pem") << test::self_signed({.ca = true}).pem();
  fs::create_symlink("b.pem", fs::path(folder.path()) / "0123abcd.0");
  fs::create_symlink("absent.pem", fs::path(folder.path()) / "dead.0");

  const auto anchors = TrustAnchors::from_folder(folder.path());
  REQUIRE(anchors.has_value());
  CHECK(anchors->size() == 2);
  REQUIRE(anchors->skipped().size() == 2);
  CHECK(contains(anchors->skipped()[0], "dead.0"));
  CHECK(contains(anchors->skipped()[1], "readme.txt"));

  const Folder empty;
  CHECK(contains(error_of(TrustAnchors::from_folder(empty.path())), empty.path()));
  CHECK_FALSE(error_of(TrustAnchors::from_folder(empty.path() + "/absent")).empty());
}

TEST_CASE("the environment names the system's store", "[trust]") {
  const Folder one;
  const Folder two;
  const std::string file = one.write("first.pem", first().pem());
  two.write("second.pem", second().pem());

  SECTION("a file") {
    const Environment set_file("SSL_CERT_FILE", file);
    const Environment no_folder("SSL_CERT_DIR", std::nullopt);
    const auto anchors = TrustAnchors::system();
    REQUIRE(anchors.has_value());
    REQUIRE(anchors->size() == 1);
    CHECK(anchors->certificates()[0].subject() == "CN=First");
    CHECK(contains(anchors->sources().at(0), file));
  }
  SECTION("folders") {
    const Environment no_file("SSL_CERT_FILE", std::nullopt);
    const Environment folders("SSL_CERT_DIR", one.path() + ":/nowhere/at/all::" + two.path() + ":");
    const auto anchors = TrustAnchors::system();
    REQUIRE(anchors.has_value());
    CHECK(anchors->size() == 2);
    REQUIRE(anchors->skipped().size() == 1);
    CHECK(contains(anchors->skipped()[0], "/nowhere/at/all"));
  }
  SECTION("both") {
    const Environment set_file("SSL_CERT_FILE", file);
    const Environment folders("SSL_CERT_DIR", two.path());
    CHECK(TrustAnchors::system().value().size() == 2);
  }
  SECTION("a file that cannot be read is an error: nothing else stands in for it") {
    const Environment set_file("SSL_CERT_FILE", one.path() + "/absent");
    const Environment no_folder("SSL_CERT_DIR", std::nullopt);
    CHECK(contains(error_of(TrustAnchors::system()), one.path() + "/absent"));
  }
  SECTION("empty variables are as good as unset ones, and there is a list of places") {
    const Environment empty_file("SSL_CERT_FILE", "");
    const Environment empty_folder("SSL_CERT_DIR", "");
    const auto anchors = TrustAnchors::system();
    if (anchors) {
      CHECK(anchors->size() > 0);
      CHECK(contains(anchors->sources().at(0), "/"));
      CHECK_FALSE(contains(anchors->sources().at(0), "SSL_CERT"));
    } else {
      CHECK(contains(error_of(anchors), "/etc/ssl/certs/ca-certificates.crt"));
    }
  }
}

TEST_CASE("sets are added up", "[trust]") {
  TrustAnchors all;
  CHECK(all.empty());
  all.add(test::certificate(first()));
  all.add(test::certificate(first()));
  CHECK(all.size() == 1);
  all.add(TrustAnchors::from_pem(first().pem() + damaged + second().pem()).value());
  CHECK(all.size() == 2);
  CHECK(all.sources().size() == 1);
  CHECK(all.skipped().size() == 1);
  all.add(all);
  CHECK(all.size() == 2);
  CHECK(all.skipped().size() == 1);
}

TEST_CASE("an anchor is found by its name, however that is written", "[trust]") {
  const auto with = [](const Blob& name) {
    return test::self_signed(
        {.key = test::Key::cached(test::KeyType::p256, 60), .ca = true, .key_ids = false, .subject_name = name});
  };
  const auto leaf_of = [&](const Blob& issuer) {
    const auto leaf =
        with(test::der_name({"x"})).issue({.dns = {"a.example"}, .key_ids = false, .issuer_name = issuer});
    return test::certificates(std::vector<Blob>{leaf.der()});
  };
  const auto accepted = [&](const Blob& anchor, const Blob& issuer) {
    return tlsconnect::validate_server_path(leaf_of(issuer), test::anchors({with(anchor)}), test::now).has_value();
  };
  constexpr std::uint8_t utf8 = 12;
  constexpr std::uint8_t printable = 19;
  const Blob name = test::der_name({"Some Root 1"}, utf8);
  CHECK(accepted(name, name));
  CHECK(accepted(name, test::der_name({"Some Root 1"}, printable)));
  CHECK(accepted(name, test::der_name({"  sOME  rOOT 1 "}, printable)));
  // The candidates are found by letters and digits; what decides is the whole name.
  CHECK_FALSE(accepted(name, test::der_name({"Some Root 2"}, utf8)));
  CHECK_FALSE(accepted(name, test::der_name({"Some-Root 1"}, utf8)));
  CHECK_FALSE(accepted(name, test::der_name({"SomeRoot 1"}, utf8)));
  CHECK_FALSE(accepted(name, test::der_name({"Some Root 1", "Some Root 1"}, utf8)));
  // BMPString and UniversalString have two and four bytes a character; U+0141 has an ASCII letter in one of them.
  const std::string text = "Zi\xC5\x81"
                           "a 1";
  Blob two;
  Blob four;
  for (const unsigned c : {0x5AU, 0x69U, 0x141U, 0x61U, 0x20U, 0x31U}) {
    two.insert(two.end(), {static_cast<std::uint8_t>(c >> 8), static_cast<std::uint8_t>(c)});
    four.insert(four.end(), {0, 0, static_cast<std::uint8_t>(c >> 8), static_cast<std::uint8_t>(c)});
  }
  const auto as_text = [](const Blob& bytes) { return std::string(bytes.begin(), bytes.end()); };
  CHECK(accepted(test::der_name({text}, utf8), test::der_name({as_text(two)}, 30)));
  CHECK(accepted(test::der_name({as_text(four)}, 28), test::der_name({text}, utf8)));
  // The attributes of one relative name have no order.
  const Blob one = test::der(0x30, {test::der_oid("2.5.4.3"), test::der_text(12, "Root")});
  const Blob other = test::der(0x30, {test::der_oid("2.5.4.10"), test::der_text(12, "House")});
  CHECK(accepted(test::der(0x30, test::der(0x31, {one, other})), test::der(0x30, test::der(0x31, {other, one}))));
}

TEST_CASE("an anchor that cannot be read is named when a path needs it", "[trust]") {
  // The shape is right, but notAfter is no date.
  Blob bad = first().der();
  const auto good = test::certificate(first());
  const tlsconnect::BytesView field = good.fields().validity;
  const Blob validity(field.begin(), field.end());
  const auto place = std::search(bad.begin(), bad.end(), validity.begin(), validity.end());
  REQUIRE(place != bad.end());
  *(place + static_cast<std::ptrdiff_t>(validity.size()) - 2) = 'x';
  const auto anchors = TrustAnchors::from_der(bad);
  REQUIRE(anchors.has_value());
  CHECK(anchors->size() == 1);
  CHECK(anchors->encoded()[0] == bad);
  CHECK(anchors->certificates().empty());
  const auto chain = test::certificates(first().issue({.dns = {"a.example"}}).chain_der());
  const auto refused = tlsconnect::verify_chain(chain, test::name("a.example"), test::now, *anchors);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::certificate_unknown_issuer);
  CHECK(contains(refused.error().detail(), "a trust anchor that cannot be read: "));
  // A good one of the same name serves all the same.
  TrustAnchors both = *anchors;
  both.add(test::certificate(first()));
  CHECK(both.size() == 2);
  CHECK(both.certificates().size() == 1);
  CHECK(tlsconnect::verify_chain(chain, test::name("a.example"), test::now, both).has_value());
}

TEST_CASE("an anchor whose name is none serves nobody, and harms nobody", "[trust]") {
  const Blob type = test::der_oid("2.5.4.3");
  for (const Blob& attribute : {test::der(0x30, Blob{}), test::der(0x30, type), Blob{0x30, 0x05, 0x06}}) {
    // Put together by hand: what mints certificates reads them.
    const auto good = test::certificate(first());
    const tlsconnect::BytesView subject = good.fields().subject;
    const tlsconnect::BytesView tbs = good.fields().tbs;
    tlsconnect::BytesView rest = tlsconnect::detail::only_der(tbs, 0x30)->contents;
    Blob fields;
    while (const auto field = tlsconnect::detail::next_der(rest)) {
      const Blob bytes = field->whole.data() == subject.data() ? test::der(0x30, test::der(0x31, attribute))
                                                               : tlsconnect::to_vector(field->whole);
      fields.insert(fields.end(), bytes.begin(), bytes.end());
    }
    const Blob bad = test::der(0x30, {test::der(0x30, fields), tlsconnect::to_vector(good.fields().signature_algorithm),
                                      test::der(0x03, Blob{0x00, 0x01})});
    TrustAnchors anchors = TrustAnchors::from_der(bad).value();
    anchors.add(good);
    CHECK(anchors.size() == 2);
    const auto chain = test::certificates(first().issue({.dns = {"a.example"}}).chain_der());
    CHECK(tlsconnect::verify_chain(chain, test::name("a.example"), test::now, anchors).has_value());
  }
}

TEST_CASE("a store is loaded again by building a configuration again", "[trust]") {
  const Folder folder;
  const std::string file = folder.write("store.pem", first().pem());
  const Environment set_file("SSL_CERT_FILE", file);
  const Environment no_folder("SSL_CERT_DIR", std::nullopt);
  auto builder = tlsconnect::ClientConfig::builder();
  builder.trust_system();
  const auto before = builder.build().value();
  folder.write("store.pem", second().pem());
  const auto after = builder.build().value();
  const auto trusts = [](const tlsconnect::ConfigPtr& config, const test::Identity& root) {
    const auto chain = test::certificates(root.issue({.dns = {"a.example"}}).chain_der());
    return config->verifier()->verify({chain}, test::name("a.example"), test::now).has_value();
  };
  CHECK(trusts(before, first()));
  CHECK_FALSE(trusts(before, second()));
  CHECK_FALSE(trusts(after, first()));
  CHECK(trusts(after, second()));
  CHECK(before->verifier()->trust_identity() != after->verifier()->trust_identity());
}

TEST_CASE("connections share a store, whoever reads an anchor first", "[trust]") {
  const auto chain = test::certificates(first().issue({.dns = {"a.example"}}).chain_der());
  const auto name = test::name("a.example");
  for (int round = 0; round < 20; ++round) {
    const auto verifier =
        tlsconnect::PathVerifier::create(TrustAnchors::from_pem(first().pem() + second().pem()).value()).value();
    std::vector<std::thread> threads;
    std::vector<int> good(4);
    for (std::size_t i = 0; i < good.size(); ++i)
      threads.emplace_back([&, i] { good[i] = verifier->verify({chain}, name, test::now).has_value() ? 1 : 0; });
    for (std::thread& thread : threads)
      thread.join();
    CHECK(good == std::vector<int>{1, 1, 1, 1});
  }
}
