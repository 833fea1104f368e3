// The trust stores of operating systems that keep them in no file: macOS's keychains and Windows's certificate stores.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>

#if defined(__APPLE__)
#include <Security/Security.h>
#elif defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX // windows.h would define min and max
#endif
#include <windows.h>
// behind it
#include <wincrypt.h>
#endif

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

/// What such a store holds for TLS servers, in DER.
struct PlatformTrust {
  std::string source; ///< its name, for a person; empty where there is no such store
  std::vector<ByteVector> certificates;
  std::vector<std::string> skipped;
};

#if defined(__APPLE__)

/// A reference that is given back.
template <class T>
class CfOwned {
public:
  explicit CfOwned(T reference = nullptr) noexcept : reference_(reference) {}
  CfOwned(const CfOwned&) = delete;
  CfOwned& operator=(const CfOwned&) = delete;
  ~CfOwned() {
    if (reference_ != nullptr)
      CFRelease(reference_);
  }
  [[nodiscard]] T get() const noexcept { return reference_; }
  [[nodiscard]] T* receive() noexcept { return &reference_; }

private:
  T reference_;
};

enum class KeychainVerdict : unsigned char { none, trusted, denied };

/// What the trust settings of one domain say of a certificate as the root of a TLS server's path.
inline KeychainVerdict keychain_verdict(SecCertificateRef certificate, SecTrustSettingsDomain domain) {
  CfOwned<CFArrayRef> settings;
  if (SecTrustSettingsCopyTrustSettings(certificate, domain, settings.receive()) != errSecSuccess)
    return KeychainVerdict::none;
  // An empty list means that it is trusted as a root, for everything.
  const CFIndex count = CFArrayGetCount(settings.get());
  if (count == 0)
    return KeychainVerdict::trusted;
  KeychainVerdict verdict = KeychainVerdict::none;
  for (CFIndex i = 0; i < count; ++i) {
    const auto setting = static_cast<CFDictionaryRef>(CFArrayGetValueAtIndex(settings.get(), i));
    // Settings for other purposes, or for single applications and names, are not for a store of anchors to follow.
    if (CFDictionaryContainsKey(setting, kSecTrustSettingsApplication) ||
        CFDictionaryContainsKey(setting, kSecTrustSettingsPolicyString))
      continue;
    if (const void* policy = CFDictionaryGetValue(setting, kSecTrustSettingsPolicy)) {
      const CfOwned<CFDictionaryRef> properties(
          SecPolicyCopyProperties(static_cast<SecPolicyRef>(const_cast<void*>(policy))));
      const void* oid = properties.get() != nullptr ? CFDictionaryGetValue(properties.get(), kSecPolicyOid) : nullptr;
      if (oid == nullptr || !CFEqual(oid, kSecPolicyAppleSSL))
        continue;
    }
    SInt32 result = kSecTrustSettingsResultTrustRoot; // what is meant where nothing is said
    if (const void* number = CFDictionaryGetValue(setting, kSecTrustSettingsResult))
      (void)CFNumberGetValue(static_cast<CFNumberRef>(number), kCFNumberSInt32Type, &result);
    if (result == kSecTrustSettingsResultDeny)
      return KeychainVerdict::denied;
    if (result == kSecTrustSettingsResultTrustRoot || result == kSecTrustSettingsResultTrustAsRoot)
      verdict = KeychainVerdict::trusted;
  }
  return verdict;
}

inline PlatformTrust read_platform_trust() {
  PlatformTrust trust;
  trust.source = "the keychains";
  const auto take = [&](CFArrayRef list, SecTrustSettingsDomain domain) {
    for (CFIndex i = 0; i < CFArrayGetCount(list); ++i) {
      const auto certificate = static_cast<SecCertificateRef>(const_cast<void*>(CFArrayGetValueAtIndex(list, i)));
      // What the user says comes before the administrator, who comes before the system.
      KeychainVerdict verdict = KeychainVerdict::none;
      for (const SecTrustSettingsDomain above : {kSecTrustSettingsDomainUser, kSecTrustSettingsDomainAdmin})
        if (verdict == KeychainVerdict::none)
          verdict = keychain_verdict(certificate, above);
      if (verdict == KeychainVerdict::none && domain == kSecTrustSettingsDomainSystem)
        verdict = KeychainVerdict::trusted;
      if (verdict != KeychainVerdict::trusted)
        continue;
      const CfOwned<CFDataRef> data(SecCertificateCopyData(certificate));
      if (data.get() == nullptr) {
        trust.skipped.emplace_back("the keychains: a certificate without its bytes");
        continue;
      }
      const auto* const bytes = CFDataGetBytePtr(data.get());
      trust.certificates.emplace_back(bytes, bytes + CFDataGetLength(data.get()));
    }
  };
  CfOwned<CFArrayRef> system;
  if (SecTrustCopyAnchorCertificates(system.receive()) == errSecSuccess)
    take(system.get(), kSecTrustSettingsDomainSystem);
  else
    trust.skipped.emplace_back("the keychains: the system's anchors cannot be read");
  for (const SecTrustSettingsDomain domain : {kSecTrustSettingsDomainAdmin, kSecTrustSettingsDomainUser}) {
    CfOwned<CFArrayRef> own; // there are none where nobody has added any
    if (SecTrustSettingsCopyCertificates(domain, own.receive()) == errSecSuccess)
      take(own.get(), domain);
  }
  return trust;
}

#elif defined(_WIN32)

/// A store of the current user's, which contains the machine's.
class WindowsStore {
public:
  explicit WindowsStore(const wchar_t* name) noexcept : store_(CertOpenSystemStoreW(0, name)) {}
  WindowsStore(const WindowsStore&) = delete;
  WindowsStore& operator=(const WindowsStore&) = delete;
  ~WindowsStore() {
    if (store_ != nullptr)
      (void)CertCloseStore(store_, 0);
  }
  [[nodiscard]] explicit operator bool() const noexcept { return store_ != nullptr; }
  /// Calls `take` with each certificate. It may throw.
  template <class Take>
  void each(Take&& take) const {
    // Each call gives the certificate before it back.
    struct Current {
      ~Current() {
        if (context != nullptr)
          (void)CertFreeCertificateContext(context);
      }
      PCCERT_CONTEXT context = nullptr;
    } current;
    while ((current.context = CertEnumCertificatesInStore(store_, current.context)) != nullptr)
      take(current.context);
  }

private:
  HCERTSTORE store_;
};

/// Whether the store's properties and the certificate's extension let it be used for servers.
inline bool allows_servers(PCCERT_CONTEXT certificate) {
  DWORD size = 0;
  if (!CertGetEnhancedKeyUsage(certificate, 0, nullptr, &size))
    return false;
  std::vector<std::max_align_t> memory(size / sizeof(std::max_align_t) + 1);
  auto* const usage = reinterpret_cast<CERT_ENHKEY_USAGE*>(memory.data());
  if (!CertGetEnhancedKeyUsage(certificate, 0, usage, &size))
    return false;
  // Without any, the last error tells "everything" from "nothing".
  if (usage->cUsageIdentifier == 0)
    return GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  for (DWORD i = 0; i < usage->cUsageIdentifier; ++i)
    if (std::string(usage->rgpszUsageIdentifier[i]) == szOID_PKIX_KP_SERVER_AUTH)
      return true;
  return false;
}

inline PlatformTrust read_platform_trust() {
  PlatformTrust trust;
  trust.source = "the certificate store ROOT";
  const WindowsStore root(L"ROOT");
  const WindowsStore disallowed(L"Disallowed");
  if (!root || !disallowed) {
    // Without the second, something that was distrusted could be believed.
    trust.skipped.emplace_back("the certificate stores ROOT and Disallowed cannot be opened");
    return trust;
  }
  const auto bytes_of = [](PCCERT_CONTEXT context) {
    return ByteVector(context->pbCertEncoded, context->pbCertEncoded + context->cbCertEncoded);
  };
  std::vector<ByteVector> refused;
  disallowed.each([&](PCCERT_CONTEXT context) { refused.push_back(bytes_of(context)); });
  root.each([&](PCCERT_CONTEXT context) {
    ByteVector bytes = bytes_of(context);
    for (const ByteVector& one : refused)
      if (one == bytes)
        return;
    if (allows_servers(context))
      trust.certificates.push_back(std::move(bytes));
  });
  return trust;
}

#else

/// Everywhere else, files are the store.
inline PlatformTrust read_platform_trust() { return {}; }

#endif

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
