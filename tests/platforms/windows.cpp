// The trust store of Windows, against certificate stores of the test's own: what of a store becomes an anchor.
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>

// From here on, and after every header of this system: another one.
#define _WIN32 1
#include <tlsconnect/verify/platform_trust.hpp>

namespace {

/// A certificate, and the purposes that its store and its extension leave; none: no list of them.
struct FakeCertificate {
  std::uint8_t number;
  std::optional<std::vector<std::string>> purposes = {};
  bool answers = true; ///< whether purposes can be asked for
};
struct Context : CERT_CONTEXT {
  const FakeCertificate* certificate;
  std::size_t place;
};
using Store = std::vector<FakeCertificate>;

std::map<std::wstring, Store> stores;
int open_stores = 0;
int live_contexts = 0;
DWORD last_error = 0;

} // namespace

DWORD GetLastError() { return last_error; }
HCERTSTORE CertOpenSystemStoreW(HCRYPTPROV_LEGACY provider, LPCWSTR name) {
  REQUIRE(provider == 0);
  const auto found = stores.find(name);
  if (found == stores.end())
    return nullptr;
  ++open_stores;
  return &found->second;
}
BOOL CertCloseStore(HCERTSTORE, DWORD flags) {
  REQUIRE(flags == 0);
  --open_stores;
  return 1;
}
PCCERT_CONTEXT CertEnumCertificatesInStore(HCERTSTORE store, PCCERT_CONTEXT previous) {
  const Store& all = *static_cast<Store*>(store);
  std::size_t place = 0;
  if (previous != nullptr) {
    place = static_cast<const Context*>(previous)->place + 1;
    (void)CertFreeCertificateContext(previous);
  }
  if (place == all.size())
    return nullptr;
  ++live_contexts;
  auto* const context = new Context{{}, &all[place], place};
  context->pbCertEncoded = const_cast<BYTE*>(&all[place].number);
  context->cbCertEncoded = 1;
  return context;
}
BOOL CertFreeCertificateContext(PCCERT_CONTEXT context) {
  delete static_cast<const Context*>(context);
  --live_contexts;
  return 1;
}
BOOL CertGetEnhancedKeyUsage(PCCERT_CONTEXT context, DWORD flags, PCERT_ENHKEY_USAGE usage, DWORD* size) {
  REQUIRE(flags == 0);
  const FakeCertificate& certificate = *static_cast<const Context*>(context)->certificate;
  const std::vector<std::string> purposes = certificate.purposes.value_or(std::vector<std::string>());
  std::size_t needed = sizeof(CERT_ENHKEY_USAGE) + purposes.size() * sizeof(LPSTR);
  for (const std::string& purpose : purposes)
    needed += purpose.size() + 1;
  if (!certificate.answers)
    return 0;
  if (usage != nullptr) {
    REQUIRE(*size == needed);
    usage->cUsageIdentifier = static_cast<DWORD>(purposes.size());
    usage->rgpszUsageIdentifier = reinterpret_cast<LPSTR*>(usage + 1);
    LPSTR text = reinterpret_cast<LPSTR>(usage->rgpszUsageIdentifier + purposes.size());
    for (std::size_t i = 0; i < purposes.size(); ++i) {
      usage->rgpszUsageIdentifier[i] = text;
      text += purposes[i].copy(text, purposes[i].size());
      *text++ = '\0';
    }
    // Which of both "none" means.
    last_error = certificate.purposes ? 0 : static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  }
  *size = static_cast<DWORD>(needed);
  return 1;
}

namespace {

using tlsconnect::detail::PlatformTrust;

/// What comes of the stores; whatever was asked for has been given back.
PlatformTrust read() {
  open_stores = 0;
  live_contexts = 0;
  PlatformTrust trust = tlsconnect::detail::read_platform_trust();
  CHECK(trust.source == "the certificate store ROOT");
  CHECK(open_stores == 0);
  CHECK(live_contexts == 0);
  return trust;
}

std::vector<int> numbers(const PlatformTrust& trust) {
  std::vector<int> found;
  for (const auto& der : trust.certificates)
    found.push_back(der.at(0));
  return found;
}

TEST_CASE("roots are trusted that may be used for servers") {
  stores = {{L"ROOT",
             {{1},
              {2, std::vector<std::string>{}},
              {3, {{"1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.1"}}},
              {4, {{"1.3.6.1.5.5.7.3.4"}}},
              {5, {}, false}}},
            {L"Disallowed", {}}};
  const PlatformTrust trust = read();
  CHECK(numbers(trust) == std::vector{1, 3});
  CHECK(trust.skipped.empty());
}

TEST_CASE("what was disallowed is no root") {
  stores = {{L"ROOT", {{1}, {2}, {3}}}, {L"Disallowed", {{2}, {9}}}};
  CHECK(numbers(read()) == std::vector{1, 3});
}

TEST_CASE("without knowing what was disallowed, nothing is trusted") {
  for (const wchar_t* there : {L"ROOT", L"Disallowed"}) {
    stores = {{there, {{1}}}};
    const PlatformTrust trust = read();
    CHECK(trust.certificates.empty());
    CHECK(trust.skipped == std::vector<std::string>{"the certificate stores ROOT and Disallowed cannot be opened"});
  }
}

} // namespace
