// In place of Windows's header of this name, as windows.h beside it.
#pragma once

using HCERTSTORE = void*;
using HCRYPTPROV_LEGACY = ULONG_PTR;

struct CERT_CONTEXT {
  DWORD dwCertEncodingType;
  BYTE* pbCertEncoded;
  DWORD cbCertEncoded;
};
using PCCERT_CONTEXT = const CERT_CONTEXT*;

struct CTL_USAGE {
  DWORD cUsageIdentifier;
  LPSTR* rgpszUsageIdentifier;
};
using CERT_ENHKEY_USAGE = CTL_USAGE;
using PCERT_ENHKEY_USAGE = CTL_USAGE*;

#define CRYPT_E_NOT_FOUND static_cast<HRESULT>(0x80092004U)
#define szOID_PKIX_KP_SERVER_AUTH "1.3.6.1.5.5.7.3.1"

HCERTSTORE CertOpenSystemStoreW(HCRYPTPROV_LEGACY provider, LPCWSTR name);
BOOL CertCloseStore(HCERTSTORE store, DWORD flags);
PCCERT_CONTEXT CertEnumCertificatesInStore(HCERTSTORE store, PCCERT_CONTEXT previous);
BOOL CertFreeCertificateContext(PCCERT_CONTEXT context);
BOOL CertGetEnhancedKeyUsage(PCCERT_CONTEXT context, DWORD flags, PCERT_ENHKEY_USAGE usage, DWORD* size);
