// The extensions of certificates that decide about a path, decoded strictly (RFC 5280, 4.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The bits of keyUsage (RFC 5280, 4.2.1.3), the first one highest.
enum class KeyUsage : std::uint16_t {
  digital_signature = 1U << 15,
  non_repudiation = 1U << 14,
  key_encipherment = 1U << 13,
  data_encipherment = 1U << 12,
  key_agreement = 1U << 11,
  key_cert_sign = 1U << 10,
  crl_sign = 1U << 9,
  encipher_only = 1U << 8,
  decipher_only = 1U << 7,
};
[[nodiscard]] constexpr bool has(std::uint16_t usage, KeyUsage bit) noexcept {
  return (usage & static_cast<std::uint16_t>(bit)) != 0;
}

/// RFC 5280, 4.2.1.9.
struct BasicConstraints {
  bool ca = false;
  std::optional<std::uint32_t> path_length; ///< larger numbers are the largest
};

/// RFC 5280, 4.2.1.12, as far as servers, and those who speak of their status, are concerned.
struct ExtendedKeyUsage {
  bool server_auth = false;
  bool ocsp_signing = false;
  bool any = false;
};

/// The forms of a GeneralName, by their tags (RFC 5280, 4.2.1.6).
enum class NameForm : std::uint8_t {
  other = 0,
  email = 1,
  dns = 2,
  x400 = 3,
  directory = 4,
  edi_party = 5,
  uri = 6,
  address = 7,
  registered_id = 8,
};
[[nodiscard]] std::string_view name_of(NameForm form) noexcept;

/// One name; a view of the certificate, except for directory names.
struct GeneralName {
  NameForm form = NameForm::other;
  BytesView value;       ///< what the tag covers
  std::string directory; ///< of a directory name: in a form that can be compared (comparable_name)
};

/// RFC 5280, 4.2.1.10. Addresses are followed by their masks.
struct NameConstraints {
  std::vector<GeneralName> permitted;
  std::vector<GeneralName> excluded;
};

/// What the extensions of one certificate say; views of it.
struct CertificateExtensions {
  std::optional<BasicConstraints> basic_constraints;
  std::optional<std::uint16_t> key_usage; ///< bits of KeyUsage
  std::optional<ExtendedKeyUsage> extended_key_usage;
  std::vector<GeneralName> subject_alt_names; ///< empty when there is no such extension
  std::optional<NameConstraints> name_constraints;
  BytesView subject_key_id;   ///< empty when there is none (4.2.1.2)
  BytesView authority_key_id; ///< the keyIdentifier; empty when there is none (4.2.1.1)
  /// Whether the server must staple the status of this certificate (RFC 7633: status_request in the TLS feature).
  bool must_staple = false;
  /// Where the issuer's certificate can be fetched from (4.2.2.1); empty when that is not said.
  std::string_view issuer_address;
  /// The first critical extension that is none of these, as an OID with dots.
  std::string unknown_critical;

  /// Decodes the contents of a list of extensions. `certificate_malformed` for any of these that is not exactly what
  /// its definition says in DER, for an extension that stands there twice, and for names that are none.
  [[nodiscard]] static Result<CertificateExtensions> decode(BytesView list) noexcept;
};

namespace detail {
/// An object identifier with dots; "?" for what is none.
[[nodiscard]] std::string dotted(BytesView oid);

/// One Extension (RFC 5280, 4.1), of whatever it extends.
struct DerExtension {
  BytesView id; ///< the contents of the OBJECT IDENTIFIER
  bool critical = false;
  BytesView value; ///< the contents of the OCTET STRING
};
/// The extension at the front of `list`, which then begins behind it; or what is wrong, as a predicate. `list` must not be
/// empty.
[[nodiscard]] std::expected<DerExtension, std::string_view> next_extension(BytesView& list) noexcept;
/// Whether an OBJECT IDENTIFIER is id-ce with this last number: 2.5.29.number.
[[nodiscard]] inline bool is_id_ce(BytesView oid, std::uint8_t number) noexcept {
  return oid.size() == 3 && oid[0] == 0x55 && oid[1] == 0x1D && oid[2] == number;
}
} // namespace detail

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/certificate_extensions.ipp>
#endif
