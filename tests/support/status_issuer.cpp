#include "status_issuer.hpp"

#include <stdexcept>

#include <botan/hash.h>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/certificate_fields.hpp>

namespace test {

namespace {

tlsconnect::CertificateFields fields_of(const Identity& identity) {
  const auto fields = tlsconnect::detail::read_certificate_fields(identity.der());
  if (!fields)
    throw std::logic_error("a certificate that has no fields");
  return *fields;
}

Blob blob(tlsconnect::BytesView bytes) { return {bytes.begin(), bytes.end()}; }

Blob name_of(const Identity& identity) { return blob(fields_of(identity).subject); }

Blob key_bits(const Identity& identity) {
  return blob(tlsconnect::detail::public_key_bits(fields_of(identity).spki).value());
}

Blob hashed(const std::string& hash, const Blob& data) {
  return Botan::HashFunction::create_or_throw(hash)->process<std::vector<std::uint8_t>>(data);
}

std::string oid_of_hash(const std::string& hash) {
  if (hash == "SHA-1")
    return "1.3.14.3.2.26";
  if (hash == "SHA-256")
    return "2.16.840.1.101.3.4.2.1";
  if (hash == "SHA-384")
    return "2.16.840.1.101.3.4.2.2";
  return "2.16.840.1.101.3.4.2.3";
}

Blob key_id_of(const Identity& identity) {
  Blob digest = hashed("SHA-256", blob(fields_of(identity).spki));
  digest.resize(20); // as test_pki writes them
  return digest;
}

/// `contents` with the tag around it; nothing around nothing.
Blob around(std::uint8_t tag, const Blob& contents) { return contents.empty() ? Blob{} : der(tag, contents); }

Blob signature_bits(const Key& key, const std::string& padding, const Blob& message, bool broken) {
  Blob signature = key.sign(padding, message);
  if (broken)
    signature.back() ^= 1;
  return der(0x03, {Blob{0}, signature});
}

Blob algorithm_identifier(const std::string& oid) {
  // RFC 4055, 5: RSA with PKCS #1 has NULL as parameters.
  const bool rsa = oid.starts_with("1.2.840.113549.1.1.");
  return der(0x30, {der_oid(oid), rsa ? Blob{0x05, 0x00} : Blob{}});
}

Blob single_response(const OcspStatus& status, const Identity& subject, const Identity& issuer) {
  const Blob id = der(0x30, {der(0x30, {der_oid(status.hash_oid.value_or(oid_of_hash(status.hash))),
                                        status.hash_parameters.value_or(Blob{0x05, 0x00})}),
                             der(0x04, hashed(status.hash, name_of(status.issuer_name.value_or(issuer)))),
                             der(0x04, hashed(status.hash, key_bits(status.issuer_key.value_or(issuer)))),
                             der(0x02, status.serial.value_or(serial_of(subject)))});
  Blob state = der(0x80, Blob{});
  if (status.state == "unknown")
    state = der(0x82, Blob{});
  if (status.state == "revoked")
    state =
        der(0xA1, {der_time(status.revoked_at), status.reason ? der(0xA0, der(0x0A, Blob{*status.reason})) : Blob{}});
  return der(0x30,
             {status.id.value_or(id), status.cert_status.value_or(state),
              status.this_update_der.value_or(der_time(status.this_update)),
              status.next_update_der.value_or(status.next_update ? der(0xA0, der_time(*status.next_update)) : Blob{}),
              status.extensions_der.value_or(around(0xA1, around(0x30, status.extensions))), status.behind});
}

} // namespace

Blob der_time(std::int64_t unix_time, std::uint8_t tag) {
  std::string text;
  for (const char c : tlsconnect::detail::iso8601(unix_time))
    if (c >= '0' && c <= '9')
      text += c;
  text += 'Z';
  return der_text(tag, tag == 0x17 ? text.substr(2) : text);
}

Blob serial_of(const Identity& identity) { return blob(fields_of(identity).serial); }

Blob ocsp_response(const Identity& subject, const Identity& issuer, const OcspOptions& options) {
  const Identity responder = options.responder.value_or(issuer);
  Blob singles;
  for (const OcspStatus& status : options.statuses) {
    const Blob single = single_response(status, subject, issuer);
    singles.insert(singles.end(), single.begin(), single.end());
  }
  const Blob by =
      options.by_name ? der(0xA1, name_of(responder)) : der(0xA2, der(0x04, hashed("SHA-1", key_bits(responder))));
  const Blob data =
      der(0x30, {options.version.value_or(Blob{}), options.responder_id.value_or(by),
                 options.produced_at_der.value_or(der_time(options.produced_at)),
                 options.responses.value_or(der(0x30, singles)),
                 options.extensions_der.value_or(around(0xA1, around(0x30, options.extensions))), options.behind_data});
  Blob certificates;
  for (const Blob& one : options.certificates)
    certificates.insert(certificates.end(), one.begin(), one.end());
  return ocsp_envelope(der(
      0x30,
      {data, algorithm_identifier(options.algorithm),
       options.signature_der.value_or(signature_bits(responder.key(), options.padding, data, options.break_signature)),
       options.certificates_der.value_or(around(0xA0, around(0x30, certificates))), options.behind}));
}

Blob ocsp_envelope(const Blob& basic, std::uint8_t status, const std::string& type) {
  return der(0x30, {der(0x0A, Blob{status}), der(0xA0, der(0x30, {der_oid(type), der(0x04, basic)}))});
}

Blob crl(const Identity& issuer, const CrlOptions& options) {
  Blob entries;
  for (const CrlEntry& entry : options.entries) {
    Blob extensions = entry.extensions;
    if (entry.reason) {
      const Blob reason = der_extension("2.5.29.21", false, der(0x0A, Blob{*entry.reason}));
      extensions.insert(extensions.begin(), reason.begin(), reason.end());
    }
    const Blob one = entry.whole.value_or(
        der(0x30, {der(0x02, entry.serial), entry.date_der.value_or(der_time(entry.revoked_at, 0x17)),
                   around(0x30, extensions)}));
    entries.insert(entries.end(), one.begin(), one.end());
  }
  Blob extensions = options.extensions;
  if (options.key_id) {
    const Blob own =
        der_extension("2.5.29.35", false, der(0x30, der(0x80, options.issuer_key_id.value_or(key_id_of(issuer)))));
    const Blob number = der_extension("2.5.29.20", false, der(0x02, Blob{7}));
    extensions.insert(extensions.begin(), number.begin(), number.end());
    extensions.insert(extensions.begin(), own.begin(), own.end());
  }
  const Blob algorithm = algorithm_identifier(options.algorithm);
  const Blob tbs = der(0x30, {options.version.value_or(Blob{0x02, 0x01, 0x01}),
                              options.inner_algorithm ? algorithm_identifier(*options.inner_algorithm) : algorithm,
                              options.issuer_name.value_or(name_of(issuer)), der_time(options.this_update, 0x17),
                              options.next_update_der.value_or(der_time(options.next_update, 0x17)),
                              options.entries_der.value_or(around(0x30, entries)),
                              options.extensions_der.value_or(around(0xA0, around(0x30, extensions))), options.behind});
  return der(0x30,
             {tbs, algorithm,
              signature_bits(options.signer.value_or(issuer).key(), options.padding, tbs, options.break_signature)});
}

} // namespace test
