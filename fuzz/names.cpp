// Server names and their comparison with certificates. The first line of the input is what a certificate presents, the
// rest is what the caller asks for.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/crypto/x509.hpp>
#include <tlsconnect/verify/name_match.hpp>
#include <tlsconnect/verify/transparency.hpp>

namespace tls = tlsconnect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = tls::as_text({data, size});
  const std::size_t end = text.find('\n');
  const std::string_view presented = text.substr(0, end);
  const std::string_view wanted = end == std::string_view::npos ? text : text.substr(end + 1);

  if (const auto name = tls::ServerName::parse(wanted)) {
    // The canonical text is a name too, and the same one.
    const auto again = tls::ServerName::parse(name->text());
    if (!again || again->text() != name->text() || again->kind() != name->kind())
      std::abort();
    if (name->is_dns()) {
      const bool plain = name->text().find('*') == std::string::npos;
      if (plain && !tls::dns_name_matches(name->text(), name->text()))
        std::abort();
      // Whatever a wildcard stands for, what follows it is there.
      if (tls::dns_name_matches(presented, name->text()) && presented.size() > name->text().size() + 1)
        std::abort();
    }
  }

  if (const auto certificate = tls::Certificate::from_der({data, size})) {
    (void)certificate->subject();
    (void)certificate->key_description();
    (void)certificate->dns_names();
    (void)certificate->issuer_der();
    (void)certificate->signature_hash();
    // Without its timestamps, a certificate is shorter.
    const tls::BytesView tbs = certificate->fields().tbs;
    if (const auto before = tls::detail::precertificate_tbs(tbs); before && before->size() >= tbs.size())
      std::abort();
    if (const auto key = certificate->public_key())
      (void)key->verify(tls::SignatureScheme::ecdsa_secp256r1_sha256, {}, {});
  }
  return 0;
}
