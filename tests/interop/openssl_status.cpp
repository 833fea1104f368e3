// Revocation with OpenSSL: its OCSP responder and its lists, read here; those of the tests, read there; and a server that
// staples.
#include <ctime>

#include <tlsconnect/verify/path_verifier.hpp>
#include <tlsconnect/verify/revocation.hpp>

#include "openssl_server.hpp"
#include "status_issuer.hpp"

using namespace interop;

namespace {

/// Of today: the program knows no other time.
struct Today {
  std::int64_t time = static_cast<std::int64_t>(std::time(nullptr));
  test::CertOptions with_dates(test::CertOptions options) const {
    options.not_before = time - 30 * test::day;
    options.not_after = time + 30 * test::day;
    return options;
  }
  test::Identity root = test::self_signed(with_dates({.common_name = "Root", .ca = true}));
  test::Identity leaf =
      root.issue(with_dates({.common_name = "server", .dns = {std::string(host)}, .serial = 0x1234ABCD}));
  test::Identity revoked =
      root.issue(with_dates({.common_name = "revoked", .dns = {std::string(host)}, .serial = 0x2345ABCD}));
  test::Identity responder = root.issue(
      with_dates({.common_name = "responder", .extended_key_usage = std::vector<std::string>{"PKIX.OCSPSigning"}}));

  TempFolder folder;
  std::string root_pem = folder.write("root.pem", root.pem());
  std::string root_key = folder.write("root.key", root.key_pem());
  std::string leaf_pem = folder.write("leaf.pem", leaf.pem());
  std::string revoked_pem = folder.write("revoked.pem", revoked.pem());
  std::string responder_pem = folder.write("responder.pem", responder.pem());
  std::string responder_key = folder.write("responder.key", responder.key_pem());
  // What `openssl ca` would have noted: state, end, revocation and its reason, serial number, file, name.
  std::string index = folder.write("index.txt", "V\t991231235959Z\t\t1234ABCD\tunknown\t/CN=server\n"
                                                "R\t991231235959Z\t260101000000Z,superseded\t2345ABCD\tunknown\t/CN="
                                                "revoked\n");

  [[nodiscard]] std::string path(const std::string& name) const { return folder.path() + "/" + name; }
  [[nodiscard]] test::Blob read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  [[nodiscard]] tc::Result<tc::VerifiedChain> judge(const test::Identity& identity, const test::Blob& staple,
                                                    const tc::RevocationPolicy& policy = {}) const {
    const auto verifier = tc::PathVerifier::create(anchors_of(root), {}, policy).value();
    const std::vector<tc::Certificate> chain = {tc::Certificate::from_der(identity.der()).value()};
    const std::vector<tc::PresentedStatus> status = {{staple, {}}};
    return verifier->verify({chain, status}, tc::ServerName::parse(host).value(), time);
  }
};

void run(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& one : arguments)
    text += one + " ";
  INFO(text);
  test::ChildProcess process(arguments, {"OPENSSL_CONF=/dev/null"});
  const int status = process.wait();
  INFO(process.output());
  CHECK(status == 0);
}

/// What a run of the program says on both channels.
std::string words_of(const std::vector<std::string>& arguments) {
  test::ChildProcess process(arguments, {"OPENSSL_CONF=/dev/null"});
  (void)process.wait();
  process.terminate(); // waits for all of its words
  return process.output();
}

} // namespace

TEST_CASE("openssl: the responses of its responder", "[status]") {
  need_openssl();
  const Today today;
  struct Signer {
    const char* what;
    std::string certificate;
    std::string key;
    std::vector<std::string> more;
  };
  for (const Signer& signer :
       {Signer{"the issuer", today.root_pem, today.root_key, {}},
        Signer{"the issuer, by key", today.root_pem, today.root_key, {"-resp_key_id"}},
        Signer{"a responder", today.responder_pem, today.responder_key, {}},
        Signer{"a responder, by key", today.responder_pem, today.responder_key, {"-resp_key_id", "-rmd", "sha384"}}})
    for (const char* digest : {"-sha1", "-sha256"})
      for (const bool revoked : {false, true}) {
        INFO(signer.what << " " << digest << " " << revoked);
        run({"openssl", "ocsp", digest, "-issuer", today.root_pem, "-cert",
             revoked ? today.revoked_pem : today.leaf_pem, "-no_nonce", "-reqout", today.path("request")});
        std::vector<std::string> arguments = {"openssl",  "ocsp",
                                              "-index",   today.index,
                                              "-CA",      today.root_pem,
                                              "-rsigner", signer.certificate,
                                              "-rkey",    signer.key,
                                              "-reqin",   today.path("request"),
                                              "-respout", today.path("response"),
                                              "-ndays",   "1"};
        arguments.insert(arguments.end(), signer.more.begin(), signer.more.end());
        run(arguments);
        const test::Blob response = today.read("response");
        REQUIRE(response.size() > 100);
        const auto own = today.judge(today.leaf, response);
        const auto other = today.judge(today.revoked, response);
        if (revoked) {
          REQUIRE_FALSE(other.has_value());
          INFO(other.error().message());
          CHECK(other.error().code() == ErrorCode::certificate_revoked);
          CHECK(contains(other.error().message(), "2026-01-01T00:00:00Z, superseded"));
          CHECK(own->server_status == tc::StatusEvidence::none);
        } else {
          INFO(own->explanation);
          CHECK(own->server_status == tc::StatusEvidence::staple);
          CHECK(other->server_status == tc::StatusEvidence::none);
        }
        // The same, changed in what is signed: who it is that signed, or when.
        test::Blob changed = response;
        changed[60] ^= 1;
        CHECK(today.judge(today.leaf, changed)->server_status == tc::StatusEvidence::none);
      }
}

TEST_CASE("openssl: its lists of revoked certificates", "[status]") {
  need_openssl();
  const Today today;
  (void)today.folder.write("number", "01\n");
  const std::string config = today.folder.write(
      "ca.conf",
      "[ca]\ndefault_ca = one\n[one]\ndatabase = " + today.index + "\ncrlnumber = " + today.path("number") +
          "\ndefault_md = sha256\ncrl_extensions = extensions\n[extensions]\nauthorityKeyIdentifier = keyid\n");
  run({"openssl", "ca", "-config", config, "-gencrl", "-crldays", "1", "-cert", today.root_pem, "-keyfile",
       today.root_key, "-out", today.path("list.pem")});
  auto set = tc::CrlSet::from_file(today.path("list.pem"));
  if (!set)
    FAIL(set.error().message());
  REQUIRE(set->size() == 1);
  CHECK(set->lists()[0].size() == 1);
  const auto fine = today.judge(today.leaf, {}, {.crls = *set});
  REQUIRE(fine.has_value());
  CHECK(fine->server_status == tc::StatusEvidence::crl);
  const auto revoked = today.judge(today.revoked, {}, {.crls = *set});
  REQUIRE_FALSE(revoked.has_value());
  CHECK(revoked.error().code() == ErrorCode::certificate_revoked);
  CHECK(contains(revoked.error().message(), "2026-01-01T00:00:00Z, superseded"));

  run({"openssl", "crl", "-in", today.path("list.pem"), "-outform", "DER", "-out", today.path("list.der")});
  CHECK(tc::CrlSet::from_file(today.path("list.der")).value().lists()[0].size() == 1);
}

TEST_CASE("openssl: reads what the tests sign, and says the same", "[status]") {
  need_openssl();
  const Today today;
  for (const bool revoked : {false, true}) {
    const test::Blob response = test::ocsp_response(today.leaf, today.root,
                                                    {.statuses = {{.state = revoked ? "revoked" : "good",
                                                                   .revoked_at = today.time - 60,
                                                                   .this_update = today.time - 60,
                                                                   .next_update = today.time + 3'600}},
                                                     .responder = today.responder,
                                                     .certificates = {today.responder.der()},
                                                     .produced_at = today.time - 60});
    const std::string file = today.folder.write("ours", tc::as_text(response));
    const std::string words = words_of({"openssl", "ocsp", "-respin", file, "-issuer", today.root_pem, "-cert",
                                        today.leaf_pem, "-CAfile", today.root_pem, "-no_nonce"});
    INFO(words);
    CHECK(contains(words, "Response verify OK"));
    CHECK(contains(words, revoked ? ": revoked" : ": good"));
    const auto judged = today.judge(today.leaf, response);
    CHECK(judged.has_value() == !revoked);
  }
  const test::Blob list = test::crl(
      today.root, {.entries = {{.serial = test::serial_of(today.revoked), .revoked_at = today.time - 60, .reason = 4}},
                   .this_update = today.time - 60,
                   .next_update = today.time + 3'600});
  const std::string file = today.folder.write("ours.pem", test::pem_block("X509 CRL", list));
  const auto verified = [&](const std::string& certificate) {
    return words_of({"openssl", "verify", "-CAfile", today.root_pem, "-CRLfile", file, "-crl_check", certificate});
  };
  CHECK(contains(verified(today.leaf_pem), "OK"));
  CHECK(contains(verified(today.revoked_pem), "certificate revoked"));
}

TEST_CASE("openssl: a server that staples", "[status]") {
  const test::Identity identity = leaf();
  const test::Identity& issuer = Pki::instance().authority;
  const TempFolder folder;
#if defined(TLSCONNECT_WITHOUT_TLS12)
  const std::vector<std::string> versions = {"-tls1_3"};
#else
  const std::vector<std::string> versions = {"-tls1_3", "-tls1_2"};
#endif
  const auto serve = [&](const std::string& version, const std::string& state) {
    const test::Blob response = test::ocsp_response(identity, issuer, {.statuses = {{.state = state}}});
    return std::make_unique<OpensslServer>(OpensslOptions{
        .identity = identity,
        .more = {"-www", version, "-status_file", folder.write("response-" + state, tc::as_text(response))}});
  };
  for (const std::string& version : versions) {
    INFO(version);
    const auto good = serve(version, "good");
    TcpStream stream = connected(good->port(), client());
    CHECK(stream.info().server_status == tc::StatusEvidence::staple);
    (void)status_page(stream);
    const auto revoked = serve(version, "revoked");
    CHECK(refused(connector(revoked->port(), client(), host)).code() == ErrorCode::certificate_revoked);
    revoked->expect("alert certificate revoked");
    // One that has nothing to staple, and a client that wants a status.
    const OpensslServer without({.identity = identity, .more = {"-www", version}});
    CHECK(connected(without.port(), client()).info().server_status == tc::StatusEvidence::none);
    CHECK(refused(connector(without.port(), client().revocation({.required = tc::StatusRequired::server}), host))
              .code() == ErrorCode::certificate_status_missing);
    without.expect("SSL alert number 113"); // bad_certificate_status_response
  }
}
