// Whether the names of a certificate are among those that an issuer above it may issue for (RFC 5280, 4.2.1.10).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/verify/certificate_extensions.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The names of a certificate that constraints apply to.
struct ConstrainedNames {
  /// In a form that can be compared (comparable_name); empty for an empty name.
  std::string_view subject;
  /// Whether there is an e-mail address in the subject, where older certificates have it.
  bool subject_has_email = false;
  std::span<const GeneralName> alt_names;
};

/// Whether all names that a dNSName stands for are below a constraint: "example.com" is itself and every name that ends
/// with ".example.com", ".example.com" only the latter, and the empty one is every name. ASCII case does not count.
[[nodiscard]] bool dns_name_within(std::string_view name, std::string_view constraint) noexcept;
/// Whether one of the names that a dNSName stands for is below a constraint: "*.example.com" stands for
/// "host.example.com" too.
[[nodiscard]] bool dns_name_touches(std::string_view name, std::string_view constraint) noexcept;
/// Whether an address is in a network: the address of the same family, followed by its mask.
[[nodiscard]] bool address_within(BytesView address, BytesView network) noexcept;

/// The first name that the constraints do not allow, and why, as a sentence for a person; nothing when there is none.
/// Each comparison takes one off `comparisons`; when there are none left, that is the reason.
[[nodiscard]] std::optional<std::string> constraint_violated(const NameConstraints& constraints,
                                                             const ConstrainedNames& names, std::size_t& comparisons);

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/name_constraints.ipp>
#endif
