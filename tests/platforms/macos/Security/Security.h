// In place of macOS's header of this name: what platform_trust.hpp uses of it, declared as Apple's documentation says. The
// test defines the functions.
#pragma once

#include <cstdint>

using SInt32 = std::int32_t;
using UInt8 = std::uint8_t;
using OSStatus = std::int32_t;
using CFIndex = long;
using Boolean = unsigned char;
using CFNumberType = CFIndex;
using CFTypeRef = const void*;
using CFArrayRef = const struct FakeArray*;
using CFDataRef = const struct FakeData*;
using CFDictionaryRef = const struct FakeDictionary*;
using CFNumberRef = const struct FakeNumber*;
using CFStringRef = const struct FakeString*;
using SecCertificateRef = struct FakeCertificate*;
using SecPolicyRef = struct FakePolicy*;

inline constexpr OSStatus errSecSuccess = 0;
inline constexpr OSStatus errSecNoTrustSettings = -25'263;
inline constexpr CFNumberType kCFNumberSInt32Type = 3;
enum SecTrustSettingsDomain : std::uint32_t {
  kSecTrustSettingsDomainUser,
  kSecTrustSettingsDomainAdmin,
  kSecTrustSettingsDomainSystem,
};
enum SecTrustSettingsResult : std::uint32_t {
  kSecTrustSettingsResultInvalid,
  kSecTrustSettingsResultTrustRoot,
  kSecTrustSettingsResultTrustAsRoot,
  kSecTrustSettingsResultDeny,
  kSecTrustSettingsResultUnspecified,
};

extern const CFStringRef kSecTrustSettingsApplication;
extern const CFStringRef kSecTrustSettingsPolicy;
extern const CFStringRef kSecTrustSettingsPolicyString;
extern const CFStringRef kSecTrustSettingsResult;
extern const CFStringRef kSecPolicyOid;
extern const CFStringRef kSecPolicyAppleSSL;

void CFRelease(CFTypeRef object);
Boolean CFEqual(CFTypeRef one, CFTypeRef other);
CFIndex CFArrayGetCount(CFArrayRef array);
const void* CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index);
Boolean CFDictionaryContainsKey(CFDictionaryRef dictionary, const void* key);
const void* CFDictionaryGetValue(CFDictionaryRef dictionary, const void* key);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void* value);
const UInt8* CFDataGetBytePtr(CFDataRef data);
CFIndex CFDataGetLength(CFDataRef data);
CFDataRef SecCertificateCopyData(SecCertificateRef certificate);
CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy);
OSStatus SecTrustCopyAnchorCertificates(CFArrayRef* anchors);
OSStatus SecTrustSettingsCopyCertificates(SecTrustSettingsDomain domain, CFArrayRef* certificates);
OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate, SecTrustSettingsDomain domain,
                                           CFArrayRef* settings);
