// The trust store of macOS, against keychains of the test's own: what of a keychain becomes an anchor.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>

// From here on, and after every header of this system: another one.
#define __APPLE__ 1
#include <tlsconnect/verify/platform_trust.hpp>

/// References that somebody has to give back.
static int owned = 0;

struct FakeObject {};
struct FakeString : FakeObject {
  std::string text;
};
struct FakeNumber : FakeObject {
  std::int32_t value;
};
struct FakeArray : FakeObject {
  std::vector<const void*> items;
};
struct FakeData : FakeObject {
  std::vector<std::uint8_t> bytes;
};
struct FakeDictionary : FakeObject {
  std::map<std::string, const void*> items;
};
struct FakePolicy : FakeObject {
  FakeDictionary properties;
};
struct FakeCertificate : FakeObject {
  FakeData data;
  bool readable = true;
  std::map<SecTrustSettingsDomain, FakeArray> settings = {};
};

static const std::array<FakeString, 7> texts = {{{{}, "application"},
                                                 {{}, "policy"},
                                                 {{}, "policy string"},
                                                 {{}, "result"},
                                                 {{}, "oid"},
                                                 {{}, "SSL"},
                                                 {{}, "S/MIME"}}};
const CFStringRef kSecTrustSettingsApplication = &texts[0];
const CFStringRef kSecTrustSettingsPolicy = &texts[1];
const CFStringRef kSecTrustSettingsPolicyString = &texts[2];
const CFStringRef kSecTrustSettingsResult = &texts[3];
const CFStringRef kSecPolicyOid = &texts[4];
const CFStringRef kSecPolicyAppleSSL = &texts[5];
static const CFStringRef smime = &texts[6];

static struct {
  bool readable = true;
  FakeArray anchors;
  std::map<SecTrustSettingsDomain, FakeArray> added;
} keychains;

template <class T>
static const T* given(const T& object) {
  ++owned;
  return &object;
}

void CFRelease(CFTypeRef) { --owned; }
Boolean CFEqual(CFTypeRef one, CFTypeRef other) {
  return static_cast<CFStringRef>(one)->text == static_cast<CFStringRef>(other)->text;
}
CFIndex CFArrayGetCount(CFArrayRef array) { return static_cast<CFIndex>(array->items.size()); }
const void* CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index) {
  return array->items.at(static_cast<std::size_t>(index));
}
Boolean CFDictionaryContainsKey(CFDictionaryRef dictionary, const void* key) {
  return dictionary->items.contains(static_cast<CFStringRef>(key)->text);
}
const void* CFDictionaryGetValue(CFDictionaryRef dictionary, const void* key) {
  const auto found = dictionary->items.find(static_cast<CFStringRef>(key)->text);
  return found == dictionary->items.end() ? nullptr : found->second;
}
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void* value) {
  REQUIRE(type == kCFNumberSInt32Type);
  *static_cast<SInt32*>(value) = number->value;
  return true;
}
const UInt8* CFDataGetBytePtr(CFDataRef data) { return data->bytes.data(); }
CFIndex CFDataGetLength(CFDataRef data) { return static_cast<CFIndex>(data->bytes.size()); }
CFDataRef SecCertificateCopyData(SecCertificateRef certificate) {
  return certificate->readable ? given(certificate->data) : nullptr;
}
CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy) { return given(policy->properties); }
OSStatus SecTrustCopyAnchorCertificates(CFArrayRef* anchors) {
  if (!keychains.readable)
    return -1;
  *anchors = given(keychains.anchors);
  return errSecSuccess;
}
OSStatus SecTrustSettingsCopyCertificates(SecTrustSettingsDomain domain, CFArrayRef* certificates) {
  const auto found = keychains.added.find(domain);
  if (found == keychains.added.end())
    return errSecNoTrustSettings;
  *certificates = given(found->second);
  return errSecSuccess;
}
OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain,
                                           CFArrayRef* settings) {
  const auto found = certificate->settings.find(domain);
  if (found == certificate->settings.end())
    return errSecNoTrustSettings;
  *settings = given(found->second);
  return errSecSuccess;
}

namespace {

using tlsconnect::detail::PlatformTrust;
using tlsconnect::detail::read_platform_trust;
constexpr auto user = kSecTrustSettingsDomainUser;
constexpr auto admin = kSecTrustSettingsDomainAdmin;

/// Empty keychains, and what comes of them.
struct Keychains {
  Keychains() {
    keychains.readable = true;
    keychains.anchors.items.clear();
    keychains.added.clear();
    owned = 0;
  }
  FakeCertificate& certificate(std::uint8_t number) {
    certificates.push_back(std::make_unique<FakeCertificate>(FakeCertificate{{}, {{}, {number}}}));
    return *certificates.back();
  }
  FakeCertificate& of_system(std::uint8_t number) {
    FakeCertificate& made = certificate(number);
    keychains.anchors.items.push_back(&made);
    return made;
  }
  FakeCertificate& added(SecTrustSettingsDomain domain, std::uint8_t number) {
    FakeCertificate& made = certificate(number);
    keychains.added[domain].items.push_back(&made);
    return made;
  }
  /// One setting more of a certificate; each is a key with its value.
  void set(FakeCertificate& of, SecTrustSettingsDomain domain, std::vector<std::pair<CFStringRef, const void*>> items) {
    dictionaries.push_back(std::make_unique<FakeDictionary>());
    for (const auto& [key, value] : items)
      dictionaries.back()->items[key->text] = value;
    of.settings[domain].items.push_back(dictionaries.back().get());
  }
  const FakeNumber* result(SecTrustSettingsResult value) {
    numbers.push_back(std::make_unique<FakeNumber>(FakeNumber{{}, static_cast<std::int32_t>(value)}));
    return numbers.back().get();
  }
  const FakePolicy* policy(CFStringRef oid) {
    policies.push_back(std::make_unique<FakePolicy>());
    policies.back()->properties.items[kSecPolicyOid->text] = oid;
    return policies.back().get();
  }
  /// The numbers of the certificates that are anchors. Whatever was asked for has been given back.
  static std::vector<int> anchors() {
    const PlatformTrust trust = read_platform_trust();
    CHECK(trust.source == "the keychains");
    CHECK(trust.skipped.empty());
    CHECK(owned == 0);
    std::vector<int> numbers_found;
    for (const auto& der : trust.certificates)
      numbers_found.push_back(der.at(0));
    return numbers_found;
  }

  std::vector<std::unique_ptr<FakeCertificate>> certificates;
  std::vector<std::unique_ptr<FakeDictionary>> dictionaries;
  std::vector<std::unique_ptr<FakeNumber>> numbers;
  std::vector<std::unique_ptr<FakePolicy>> policies;
};

TEST_CASE("the system's anchors are trusted unless somebody denies one") {
  Keychains macos;
  macos.of_system(1);
  FakeCertificate& denied = macos.of_system(2);
  FakeCertificate& allowed_again = macos.of_system(3);
  macos.set(denied, admin, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultDeny)}});
  // What the user says counts before what the administrator says.
  macos.set(allowed_again, user, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultTrustRoot)}});
  macos.set(allowed_again, admin, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultDeny)}});
  CHECK(macos.anchors() == std::vector{1, 3});
}

TEST_CASE("what was added is trusted as its settings say") {
  Keychains macos;
  // No settings at all are "always", none for this domain "no".
  macos.added(user, 1).settings[user];
  macos.added(admin, 2).settings[admin];
  macos.added(user, 3);
  const auto with = [&](std::uint8_t number, std::vector<std::pair<CFStringRef, const void*>> items) {
    macos.set(macos.added(user, number), user, std::move(items));
  };
  const auto result = [&](SecTrustSettingsResult value) {
    return std::pair<CFStringRef, const void*>{kSecTrustSettingsResult, macos.result(value)};
  };
  with(4, {});
  with(5, {result(kSecTrustSettingsResultTrustRoot)});
  with(6, {result(kSecTrustSettingsResultTrustAsRoot)});
  with(7, {result(kSecTrustSettingsResultUnspecified)});
  with(8, {{kSecTrustSettingsPolicy, macos.policy(kSecPolicyAppleSSL)}});
  with(9, {{kSecTrustSettingsPolicy, macos.policy(smime)}});
  with(10, {{kSecTrustSettingsApplication, smime}});
  with(11, {{kSecTrustSettingsPolicyString, smime}});
  CHECK(macos.anchors() == std::vector{2, 1, 4, 5, 6, 8});
}

TEST_CASE("of several settings, one that denies decides") {
  Keychains macos;
  FakeCertificate& both = macos.added(user, 1);
  macos.set(both, user, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultTrustRoot)}});
  macos.set(both, user, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultDeny)}});
  FakeCertificate& for_mail = macos.added(user, 2);
  macos.set(for_mail, user,
            {{kSecTrustSettingsPolicy, macos.policy(smime)},
             {kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultDeny)}});
  macos.set(for_mail, user, {{kSecTrustSettingsResult, macos.result(kSecTrustSettingsResultTrustRoot)}});
  CHECK(macos.anchors() == std::vector{2});
}

TEST_CASE("what keychains do not give is told") {
  Keychains macos;
  macos.added(user, 1).settings[user];
  macos.of_system(2).readable = false;
  PlatformTrust trust = read_platform_trust();
  CHECK(trust.certificates.size() == 1);
  CHECK(trust.skipped == std::vector<std::string>{"the keychains: a certificate without its bytes"});
  keychains.readable = false;
  trust = read_platform_trust();
  CHECK(trust.certificates.size() == 1);
  CHECK(trust.skipped == std::vector<std::string>{"the keychains: the system's anchors cannot be read"});
  CHECK(owned == 0);
}

} // namespace
