// Whether a certificate is for a server: RFC 9525.
#pragma once

#include <string_view>

#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Whether one dNSName of a certificate covers a DNS name (canonical, as ServerName keeps it). A wildcard is the
/// whole left-most label, stands for exactly one label, and needs two more labels behind it (RFC 9525, 6.3).
/// Comparison ignores ASCII case; a name that is not a well-formed DNS name matches nothing.
[[nodiscard]] bool dns_name_matches(std::string_view presented, std::string_view wanted) noexcept;

/// Whether the certificate's subjectAltName covers the server: dNSName for names, iPAddress (byte for byte) for
/// addresses. The common name is never looked at (RFC 9525, 2).
[[nodiscard]] bool certificate_matches(const Certificate& certificate, const ServerName& name) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/name_match.ipp>
#endif
