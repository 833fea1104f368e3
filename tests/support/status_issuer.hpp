// An OCSP responder and an issuer of lists of revoked certificates, for tests: they sign whatever they are told.
//
//   auto staple = test::ocsp_response(leaf, ca);                                          // good
//   auto staple = test::ocsp_response(leaf, ca, {.statuses = {{.state = "revoked"}}});
//   auto list   = test::crl(ca, {.entries = {{.serial = test::serial_of(leaf)}}});
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "test_pki.hpp"

namespace test {

/// "20260601000000Z" with this tag (24 is GeneralizedTime, 23 UTCTime with two digits less).
[[nodiscard]] Blob der_time(std::int64_t unix_time, std::uint8_t tag = 0x18);
/// The contents of the INTEGER.
[[nodiscard]] Blob serial_of(const Identity& identity);

/// What is said of one certificate; the defaults say that all is well.
struct OcspStatus {
  std::string state = "good"; ///< "good", "revoked", "unknown"
  std::int64_t revoked_at = now - day;
  std::optional<std::uint8_t> reason = {};
  std::int64_t this_update = now - day;
  std::optional<std::int64_t> next_update = now + day;
  std::string hash = "SHA-1";               ///< in the CertID
  std::optional<Identity> issuer_name = {}; ///< whose name is in the CertID; by default the issuer's
  std::optional<Identity> issuer_key = {};  ///< likewise, the key
  std::optional<Blob> serial = {};          ///< by default the certificate's
  Blob extensions = {};                     ///< singleExtensions: Extension after Extension

  // What no responder would write.
  std::optional<Blob> id = {};              ///< the whole CertID
  std::optional<std::string> hash_oid = {}; ///< instead of that of the hash
  std::optional<Blob> hash_parameters = {}; ///< instead of NULL
  std::optional<Blob> cert_status = {};     ///< the whole CertStatus
  std::optional<Blob> this_update_der = {}; ///< with its tag
  std::optional<Blob> next_update_der = {}; ///< with its explicit tag
  std::optional<Blob> extensions_der = {};  ///< with their explicit tag
  Blob behind = {};                         ///< at the end of the SingleResponse
};

struct OcspOptions {
  std::vector<OcspStatus> statuses = {OcspStatus{}};
  /// Who signs; by default the issuer.
  std::optional<Identity> responder = {};
  bool by_name = false;                ///< the responder is named by its name, instead of by its key
  std::vector<Blob> certificates = {}; ///< that are sent along
  std::int64_t produced_at = now - day;
  Blob extensions = {};                          ///< responseExtensions: Extension after Extension
  std::string padding = "SHA-256";               ///< as Key::sign takes it
  std::string algorithm = "1.2.840.10045.4.3.2"; ///< the OBJECT IDENTIFIER of that; by default ECDSA with SHA-256
  bool break_signature = false;

  // What no responder would write.
  std::optional<Blob> version = {};          ///< in front of everything
  std::optional<Blob> responder_id = {};     ///< the whole ResponderID
  std::optional<Blob> produced_at_der = {};  ///< with its tag
  std::optional<Blob> responses = {};        ///< the whole list
  std::optional<Blob> extensions_der = {};   ///< with their explicit tag
  std::optional<Blob> signature_der = {};    ///< the BIT STRING
  std::optional<Blob> certificates_der = {}; ///< with their explicit tag
  Blob behind_data = {};                     ///< at the end of ResponseData
  Blob behind = {};                          ///< at the end of BasicOCSPResponse
};

/// A successful OCSPResponse about `subject`, a certificate that `issuer` issued.
[[nodiscard]] Blob ocsp_response(const Identity& subject, const Identity& issuer, const OcspOptions& options = {});
/// What is around a BasicOCSPResponse.
[[nodiscard]] Blob ocsp_envelope(const Blob& basic, std::uint8_t status = 0,
                                 const std::string& type = "1.3.6.1.5.5.7.48.1.1");

/// One revoked certificate.
struct CrlEntry {
  Blob serial = {};
  std::int64_t revoked_at = now - day;
  std::optional<std::uint8_t> reason = {};
  Blob extensions = {};              ///< further ones
  std::optional<Blob> date_der = {}; ///< with its tag
  std::optional<Blob> whole = {};    ///< instead of all
};

/// The defaults make a list that revokes nobody.
struct CrlOptions {
  std::vector<CrlEntry> entries = {};
  std::int64_t this_update = now - day;
  std::int64_t next_update = now + day;
  bool key_id = true;                     ///< authorityKeyIdentifier, and a cRLNumber
  std::optional<Blob> issuer_key_id = {}; ///< another one in it
  std::optional<Identity> signer = {};    ///< whose key signs; by default the issuer's
  Blob extensions = {};                   ///< further ones: Extension after Extension
  std::string padding = "SHA-256";
  std::string algorithm = "1.2.840.10045.4.3.2";
  bool break_signature = false;

  // What no issuer would write.
  std::optional<Blob> version = {};     ///< with its tag; empty: version 1
  std::optional<Blob> issuer_name = {}; ///< Name
  std::optional<std::string> inner_algorithm = {};
  std::optional<Blob> next_update_der = {}; ///< with its tag; may be empty
  std::optional<Blob> entries_der = {};     ///< the whole list
  std::optional<Blob> extensions_der = {};  ///< with their explicit tag
  Blob behind = {};                         ///< at the end of tbsCertList
};

/// A list of `issuer`'s, in DER.
[[nodiscard]] Blob crl(const Identity& issuer, const CrlOptions& options = {});

} // namespace test
