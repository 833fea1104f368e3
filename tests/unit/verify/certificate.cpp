// Reading certificates: what they say, and what is none.
#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include <tlsconnect/base/text.hpp>

#include "der_tree.hpp"
#include "support.hpp"

using test::Blob;
using test::contains;
using test::KeyType;
using tlsconnect::Certificate;
using tlsconnect::ErrorCode;

TEST_CASE("what a certificate says", "[certificate]") {
  const auto root = test::self_signed({.common_name = "Root", .organization = "Org", .ca = true});
  const auto leaf = root.issue({
      .common_name = "leaf",
      .dns = {"B.example", "a.example"},
      .ip = {"192.0.2.1", "2001:db8::1"},
      .not_before = test::now,
      .not_after = test::now + test::day,
      .serial = 0x00AB12,
  });
  for (const Certificate& certificate : {test::certificate(leaf), test::certificate(leaf).compact()}) {
    CHECK(certificate.subject() == "CN=leaf");
    CHECK(certificate.issuer() == "CN=Root, O=Org");
    CHECK(certificate.serial() == "ab12");
    CHECK(certificate.not_before() == test::now);
    CHECK(certificate.not_after() == test::now + test::day);
    REQUIRE(certificate.dns_names().size() == 2);
    CHECK(certificate.dns_names()[0] == "B.example"); // as it stands there: order and case
    CHECK(certificate.dns_names()[1] == "a.example");
    REQUIRE(certificate.ip_addresses().size() == 2);
    CHECK(certificate.ip_addresses()[0] == Blob{192, 0, 2, 1});
    CHECK(certificate.ip_addresses()[1].size() == 16);
    CHECK(certificate.key_description() == "EC secp256r1");
    CHECK(certificate.signature_description() == "ECDSA/SHA-256");
    CHECK_FALSE(certificate.self_issued());
    CHECK(tlsconnect::equal(certificate.der(), leaf.der()));
  }
  CHECK(test::certificate(root).self_issued());
  CHECK(test::certificate(root).dns_names().empty());
  CHECK(test::certificate(test::self_signed({.serial = 0})).serial() == "0");
}

TEST_CASE("only dNSName and iPAddress are names of servers", "[certificate]") {
  using test::der;
  using test::der_text;
  const Blob names = der(0x30, {der_text(0x81, "a@bc"), der_text(0x86, "a:/b"), der(0x88, Blob{0x2A, 0x03, 0x04, 0x05}),
                                der(0xA4, test::der_name({"a"}))});
  const auto certificate = test::certificate(test::self_signed({.extensions = {{"2.5.29.17", false, names}}}));
  CHECK(certificate.dns_names().empty());
  CHECK(certificate.ip_addresses().empty());
}

TEST_CASE("keys have names", "[certificate]") {
  const auto description = [](KeyType type) {
    return test::certificate(test::self_signed({.key = test::Key::cached(type)})).key_description();
  };
  CHECK(description(KeyType::p384) == "EC secp384r1");
  CHECK(description(KeyType::p521) == "EC secp521r1");
  CHECK(description(KeyType::rsa2048) == "RSA 2048");
  CHECK(description(KeyType::rsa_pss2048) == "RSA-PSS 2048");
  CHECK(description(KeyType::ed25519) == "Ed25519");
  CHECK(description(KeyType::ed448) == "Ed448");
  if (test::is_available(KeyType::mldsa65))
    CHECK(description(KeyType::mldsa65) == "ML-DSA-65");
}

TEST_CASE("years on both sides of 2050, and far ahead", "[certificate]") {
  for (const std::int64_t end : {std::int64_t{2'524'607'999}, std::int64_t{2'524'608'000}, std::int64_t{4'102'444'800},
                                 std::int64_t{9'214'646'400}}) {
    CAPTURE(end);
    const auto certificate = test::certificate(test::self_signed({.not_before = 0, .not_after = end}));
    CHECK(certificate.not_before() == 0);
    CHECK(certificate.not_after() == end);
  }
  // Beyond what nanoseconds since 1970 reach in 64 bits.
  const auto far = test::certificate(test::self_signed({.not_after_text = "29991231235959Z"}));
  CHECK(far.not_after() == 32'503'679'999);
  // A leap second, which seconds since 1970 do not have.
  CHECK_FALSE(Certificate::from_der(test::self_signed({.not_after_text = "29991231235960Z"}).der()).has_value());
}

TEST_CASE("exactly one certificate in DER", "[certificate]") {
  const Blob good = test::self_signed({}).der();
  REQUIRE(Certificate::from_der(good).has_value());
  const auto refused = [](const Blob& der) {
    const auto certificate = Certificate::from_der(der);
    return !certificate && certificate.error().code() == ErrorCode::certificate_malformed &&
           !certificate.error().detail().empty();
  };
  CHECK(refused({}));
  CHECK(refused({0x30}));
  CHECK(refused({0x30, 0x00}));

  Blob trailing = good;
  trailing.push_back(0);
  CHECK(refused(trailing));
  Blob twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  CHECK(refused(twice));
  for (std::size_t size = 0; size < good.size(); size += 7)
    CHECK(refused(Blob(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));

  // The same certificate in BER that is not DER: the outer length in more bytes than needed.
  REQUIRE(good[1] == 0x82);
  Blob ber = good;
  ber[1] = 0x83;
  ber.insert(ber.begin() + 2, 0x00);
  CHECK(refused(ber));
  Blob indefinite = good;
  indefinite[1] = 0x80;
  indefinite.erase(indefinite.begin() + 2, indefinite.begin() + 4);
  indefinite.insert(indefinite.end(), {0, 0});
  CHECK(refused(indefinite));

  // PEM is not DER.
  const std::string pem = test::self_signed({}).pem();
  CHECK(refused(Blob(pem.begin(), pem.end())));
}

TEST_CASE("integers have one form (X.690, 8.3.2)", "[certificate]") {
  using tlsconnect::detail::is_der_integer;
  for (const Blob& good : {Blob{0x00}, {0x7F}, {0x80}, {0xFF}, {0x00, 0x80}, {0xFF, 0x7F}, {0x01, 0x00}, {0x80, 0x00}})
    CHECK(is_der_integer(good));
  for (const Blob& bad : {Blob{}, {0x00, 0x00}, {0x00, 0x7F}, {0xFF, 0x80}, {0xFF, 0xFF}})
    CHECK_FALSE(is_der_integer(bad));
}

TEST_CASE("the bits of a key", "[certificate]") {
  using test::der;
  const auto bits = [](const Blob& spki) { return tlsconnect::detail::public_key_bits(spki).has_value(); };
  const Blob algorithm = der(0x30, test::der_oid("1.2.3"));
  const Blob key = der(0x03, Blob{0x00, 0x01});
  CHECK(bits(der(0x30, {algorithm, key})));
  CHECK_FALSE(bits({}));
  CHECK_FALSE(bits(der(0x31, {algorithm, key})));
  CHECK_FALSE(bits(der(0x30, {})));
  CHECK_FALSE(bits(der(0x30, algorithm)));
  CHECK_FALSE(bits(der(0x30, key)));
  CHECK_FALSE(bits(der(0x30, {algorithm, der(0x04, Blob{0x00, 0x01})})));
  CHECK_FALSE(bits(der(0x30, {algorithm, der(0x03, Blob{})})));
  CHECK_FALSE(bits(der(0x30, {algorithm, der(0x03, Blob{0x01, 0x02})}))); // not whole bytes
  CHECK_FALSE(bits(der(0x30, {algorithm, key, key})));
}

TEST_CASE("the fields of a certificate, each where it belongs", "[certificate]") {
  const Blob minted = test::self_signed({}).der();
  const auto reads = [](const Blob& der) { return tlsconnect::detail::read_certificate_fields(der).has_value(); };
  const std::set<std::string> open = {"", "0", "0.0", "0.7"};
  const test::DerNode tree =
      test::der_tree(minted, [&](const std::string& place, std::uint8_t) { return open.contains(place); });
  REQUIRE(test::der_bytes(tree) == minted);
  // Version 1 is the default, and extensions need not be there.
  CHECK(test::changes_taken(tree, reads) == std::set<std::string>{"without 0.0", "without 0.7"});

  const auto reads_with = [&](const auto& change) {
    test::DerNode changed = tree;
    change(changed.children[0].children, changed);
    return reads(test::der_bytes(changed));
  };
  const auto version = [&](const Blob& number) {
    return reads_with([&](auto& fields, auto&) { fields[0].children[0].contents = number; });
  };
  CHECK(version({1}));
  CHECK(version({2}));
  for (const Blob& number : {Blob{0}, {3}, {0xFF}, {0, 2}, {}})
    CHECK_FALSE(version(number));
  CHECK_FALSE(reads_with([](auto& fields, auto&) { fields[1].contents = {0x00, 0x01}; })); // the serial number
  CHECK_FALSE(reads_with([](auto& fields, auto&) { fields[2].contents.back() ^= 1; }));    // one algorithm of two
  CHECK_FALSE(reads_with([](auto& fields, auto&) { fields[7].children[0].contents.clear(); }));
  CHECK_FALSE(reads_with([](auto&, auto& whole) { whole.children[2].contents.clear(); }));
  CHECK_FALSE(reads_with([](auto&, auto& whole) { whole.children[2].contents[0] = 1; }));
  // Unique identifiers stand before the extensions, in their order.
  const auto identifiers = [&](const std::vector<test::DerNode>& added) {
    return reads_with([&](auto& fields, auto&) { fields.insert(fields.begin() + 7, added.begin(), added.end()); });
  };
  const test::DerNode issuers{0x81, false, {0x00, 0x01}, {}};
  const test::DerNode subjects{0x82, false, {0x00, 0x01}, {}};
  CHECK(identifiers({issuers}));
  CHECK(identifiers({issuers, subjects}));
  CHECK_FALSE(identifiers({subjects, issuers}));
  CHECK_FALSE(identifiers({issuers, issuers}));
  // One that is cut off, at the end.
  CHECK_FALSE(reads_with([](auto& fields, auto& whole) {
    fields.resize(7);
    Blob tbs;
    for (const test::DerNode& field : fields) {
      const Blob bytes = test::der_bytes(field);
      tbs.insert(tbs.end(), bytes.begin(), bytes.end());
    }
    tbs.insert(tbs.end(), {0x81, 0x05, 0x00});
    whole.children[0] = {0x30, false, tbs, {}};
  }));
}

TEST_CASE("PEM in the text fields of a certificate is only text", "[certificate]") {
  // A reader that looked for PEM first would trip over the header, or find another certificate inside this one.
  const auto other = test::self_signed({.common_name = "other", .key_type = KeyType::p384});
  const std::string pem = other.pem();
  REQUIRE(pem.starts_with("-----BEGIN CERTIFICATE-----"));
  for (const bool whole : {false, true}) {
    test::CertOptions options{.common_name = "bait", .organization = "-----BEGIN CERTIFICATE-----"};
    if (whole) {
      options.organization = "Org";
      options.extensions = {{.oid = "1.3.6.1.4.1.99999.1", .value = Blob(pem.begin(), pem.end())}};
    }
    const auto bait = test::self_signed(options);
    const auto read = Certificate::from_der(bait.der());
    REQUIRE(read.has_value());
    for (const Certificate& certificate : {*read, read->compact()}) {
      CHECK(certificate.subject() == "CN=bait, O=" + options.organization);
      CHECK(certificate.key_description() == "EC secp256r1");
      CHECK(tlsconnect::equal(certificate.der(), bait.der()));
    }
  }
}

TEST_CASE("no single damaged byte does any harm", "[certificate]") {
  const Blob good = test::self_signed({.dns = {"a.example"}, .ip = {"192.0.2.1"}}).der();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const std::uint8_t change : {std::uint8_t{0x01}, std::uint8_t{0x80}, std::uint8_t{0xFF}}) {
      Blob damaged = good;
      damaged[i] ^= change;
      const auto certificate = Certificate::from_der(damaged);
      if (!certificate) {
        ++refused;
        continue;
      }
      // What is accepted is exactly what was given, and can be talked about.
      CHECK(tlsconnect::equal(certificate->der(), damaged));
      CHECK_FALSE(certificate->subject().empty());
      CHECK_FALSE(certificate->key_description().empty());
    }
  CHECK(refused > good.size() / 4);
}

TEST_CASE("PEM texts", "[certificate]") {
  const auto a = test::self_signed({.common_name = "a"});
  const auto b = test::self_signed({.common_name = "b"});

  const auto both = Certificate::from_pem("a comment\n" + a.pem() + a.key_pem() + "\n\n" + b.pem() + "more");
  REQUIRE(both.has_value());
  REQUIRE(both->size() == 2);
  CHECK(both->at(0).subject() == "CN=a");
  CHECK(both->at(1).subject() == "CN=b");

  // RFC 7468, 5.1: the older label.
  std::string older = a.pem();
  for (std::size_t at = 0; (at = older.find("CERTIFICATE", at)) != std::string::npos; at += 16)
    older.insert(at, "X509 ");
  CHECK(Certificate::from_pem(older).value().size() == 1);

  const auto none = Certificate::from_pem(a.key_pem());
  REQUIRE(none.has_value());
  CHECK(none->empty());
  CHECK(Certificate::from_pem("").value().empty());

  std::string windows = a.pem();
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2)
    windows.insert(at, "\r");
  CHECK(Certificate::from_pem(windows).value().size() == 1);

  const auto error = [](const std::string& text) {
    const auto result = Certificate::from_pem(text);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == ErrorCode::certificate_malformed);
    return std::string(result.error().detail());
  };
  std::string damaged = b.pem();
  damaged[damaged.size() / 2] = '!';
  CHECK(contains(error(a.pem() + damaged), "certificate 2"));
  CHECK(contains(error(a.pem() + damaged), "Base64"));
  CHECK(contains(error(a.pem().substr(0, a.pem().size() - 10)), "END"));
  CHECK(contains(error(test::pem_block("CERTIFICATE", {1, 2, 3})), "certificate 1"));
}

TEST_CASE("names are shown so that they cannot deceive a log", "[certificate]") {
  CHECK(test::certificate(test::self_signed({.common_name = "a\nb"})).subject() == "CN=a\\x0ab");
  CHECK(test::certificate(test::self_signed({.common_name = "b\xC3\xBC"
                                                            "cher"}))
            .subject() == "CN=b\xC3\xBC"
                          "cher");
  using tlsconnect::detail::printable;
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("\x1b[31m") == "\\x1b[31m");
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xe2\x80\xae"
                  "x") == "\\xe2\\x80\\xaex");        // right-to-left override
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");       // overlong
  CHECK(printable("\xe2\x82\xac") == "\xe2\x82\xac"); // euro sign
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");       // cut off
  CHECK(printable("a\\b") == "a\\x5cb");
  CHECK(printable("abcdef", 3) == "abc...");
}

TEST_CASE("names compare alike, whichever way they are read", "[certificate]") {
  const auto comparable = [](const Blob& name) { return tlsconnect::comparable_name(name); };
  const auto attribute = [](const std::string& oid, std::uint8_t type, std::string_view value) {
    return test::der(0x30, {test::der_oid(oid), test::der_text(type, value)});
  };
  // Usual strings are read by hand, TeletexString (20) by Botan.
  const std::string expected = comparable(test::der_name({"Acme  Ltd ", "x.y (z)"}, 20)).value();
  for (const std::uint8_t type : {std::uint8_t{12}, std::uint8_t{19}, std::uint8_t{22}})
    CHECK(comparable(test::der_name({" ACME ltd", "X.Y  (Z)"}, type)).value() == expected);
  CHECK(comparable(test::der_name({"AcmeLtd", "x.y (z)"})).value() != expected);
  CHECK(comparable(test::der_name({"x.y (z)", "Acme Ltd"})).value() != expected);
  // Several attributes in one relative name, in any order; one of them in a way that is not usual.
  const Blob country = attribute("2.5.4.6", 19, "DE");
  for (const std::uint8_t type : {std::uint8_t{12}, std::uint8_t{20}}) {
    const Blob organization = attribute("2.5.4.10", type, "Org");
    CHECK(comparable(test::der(0x30, test::der(0x31, {country, organization}))).value() ==
          comparable(test::der(0x30, test::der(0x31, {attribute("2.5.4.10", 12, "org"), country}))).value());
  }
  CHECK(comparable(test::der(0x30, test::der(0x31, attribute("2.5.4.3", 12, "a")))).value() !=
        comparable(test::der(0x30, test::der(0x31, attribute("2.5.4.10", 12, "a")))).value());
  // X.680, 41.4: not every character is one of a PrintableString.
  CHECK(comparable(test::der_name({"a*b@c"}, 12)).has_value());
  for (const char* never : {"a*b", "a@b", "a_b", "a~b"})
    CHECK_FALSE(comparable(test::der_name({never}, 19)).has_value());
  CHECK_FALSE(comparable(test::der_name({"\xE4"}, 22)).has_value());
  // Types that look like a common name's (55 04 03), and are others, or none at all.
  const auto named = [&](const Blob& type) {
    return comparable(test::der(0x30, test::der(0x31, test::der(0x30, {type, test::der_text(12, "a")}))));
  };
  const std::string common_name = named({6, 3, 0x55, 0x04, 0x03}).value();
  for (const Blob& type :
       {Blob{6, 3, 0x54, 0x04, 0x03}, Blob{6, 3, 0x55, 0x05, 0x03}, Blob{6, 4, 0x55, 0x04, 0x03, 0x01}})
    CHECK(named(type).value() != common_name);
  for (const Blob& type : {Blob{2, 3, 0x55, 0x04, 0x03}, Blob{6, 3, 0x55, 0x04, 0x83}, Blob{}})
    CHECK_FALSE(named(type).has_value());
  CHECK_FALSE(comparable(test::der(0x30, test::der(0x31, test::der(0x30, test::der_oid("2.5.4.3"))))).has_value());
  CHECK_FALSE(comparable(test::der(0x30, test::der(0x31, test::der(0x30, Blob())))).has_value());
  // Kinds of strings in which the same bytes say something else, or nothing.
  CHECK(comparable(test::der_name({"ab"}, 30)).value() != comparable(test::der_name({"ab"})).value());
  CHECK_FALSE(comparable(test::der_name({"ab"}, 4)).has_value());
  // A relative name is a SET, and has something in it.
  CHECK_FALSE(comparable(test::der(0x30, test::der(0x30, attribute("2.5.4.3", 12, "a")))).has_value());
  CHECK_FALSE(comparable(test::der(0x30, test::der(0x31, Blob()))).has_value());
  // Something behind a value, behind a name.
  const Blob twice = test::der(0x30, {test::der_oid("2.5.4.3"), test::der_text(12, "a"), test::der_text(12, "b")});
  CHECK_FALSE(comparable(test::der(0x30, test::der(0x31, twice))).has_value());
  Blob longer = test::der_name({"a"});
  longer.push_back(0);
  CHECK_FALSE(comparable(longer).has_value());
}

TEST_CASE("dates in ISO 8601", "[certificate]") {
  using tlsconnect::detail::iso8601;
  CHECK(iso8601(0) == "1970-01-01T00:00:00Z");
  CHECK(iso8601(-1) == "1969-12-31T23:59:59Z");
  CHECK(iso8601(951'782'400) == "2000-02-29T00:00:00Z");
  CHECK(iso8601(test::now) == "2026-06-01T00:00:00Z");
  CHECK(iso8601(4'107'542'399) == "2100-02-28T23:59:59Z");
  CHECK(iso8601(4'107'542'400) == "2100-03-01T00:00:00Z");
  CHECK(iso8601(253'402'300'799) == "9999-12-31T23:59:59Z");
}
