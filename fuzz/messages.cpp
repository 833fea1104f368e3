// Every message and every extension body: what can be read is written back as it was.
#include <cstdint>
#include <cstdlib>

#include <tlsconnect/wire/extension_bodies.hpp>
#include <tlsconnect/wire/extensions.hpp>
#include <tlsconnect/wire/hello.hpp>
#include <tlsconnect/wire/messages13.hpp>

namespace tls = tlsconnect;

namespace {

template <class Message>
void round_trip(tls::BytesView in) {
  const tls::Result<Message> message = tls::decode<Message>(in);
  if (!message)
    return;
  tls::ByteVector out;
  if (!tls::encode(*message, out) || !tls::equal(in, out))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tls::BytesView in(data, size);
  round_trip<tls::ClientHello>(in);
  round_trip<tls::ServerHello>(in);
  round_trip<tls::EncryptedExtensions>(in);
  round_trip<tls::CertificateRequest>(in);
  round_trip<tls::CertificateMessage>(in);
  round_trip<tls::CertificateVerify>(in);
  round_trip<tls::Finished>(in);
  round_trip<tls::NewSessionTicket>(in);
  round_trip<tls::KeyUpdate>(in);
  round_trip<tls::OfferedVersions>(in);
  round_trip<tls::SelectedVersion>(in);
  round_trip<tls::Cookie>(in);
  round_trip<tls::SignatureSchemeList>(in);
  round_trip<tls::NamedGroupList>(in);
  round_trip<tls::KeyShareEntry>(in);
  round_trip<tls::OfferedKeyShares>(in);
  round_trip<tls::RetryGroup>(in);
  round_trip<tls::ProtocolNames>(in);
  round_trip<tls::ServerNameList>(in);
  round_trip<tls::SignedCertificateTimestampList>(in);
  round_trip<tls::SignedCertificateTimestamp>(in);

  tls::OfferedExtensions offered;
  (void)offered.push_back(tls::ExtensionType::server_name);
  (void)offered.push_back(tls::ExtensionType::key_share);
  for (const auto context : {tls::ExtensionContext::server_hello, tls::ExtensionContext::hello_retry_request,
                             tls::ExtensionContext::encrypted_extensions, tls::ExtensionContext::certificate,
                             tls::ExtensionContext::certificate_request, tls::ExtensionContext::new_session_ticket})
    if (const auto set = tls::ExtensionSet::parse(in, context, offered, "fuzz"); set && set->size() > size / 4)
      std::abort(); // an extension has at least four bytes
  return 0;
}
