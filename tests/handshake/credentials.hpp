// Clients that show who they are: what they hold, what servers ask them, and a judgement of their signatures that rests
// on Botan and on the words of the standard alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <botan/data_src.h>
#include <botan/pubkey.h>
#include <botan/x509_key.h>

#include <tlsconnect/client/credentials.hpp>

#include "signature_padding.hpp"
#include "support.hpp"

namespace test {

using tlsconnect::Credential;

/// Issues the clients' certificates, through a certificate authority between.
inline const Identity& client_root() {
  static const Identity root = self_signed({.common_name = "Client Root", .ca = true});
  return root;
}
inline const Identity& client_ca() {
  static const Identity ca = client_root().issue({.common_name = "Client CA", .ca = true});
  return ca;
}
/// A client's certificate with a key that no server of these tests has.
inline const Identity& client_identity(KeyType type) {
  static std::map<KeyType, Identity> made;
  auto found = made.find(type);
  if (found == made.end())
    found = made.emplace(type, client_ca().issue({.common_name = "client",
                                                  .key = Key::cached(type, 1),
                                                  .extended_key_usage = std::vector<std::string>{"PKIX.ClientAuth"}}))
                .first;
  return found->second;
}

inline tlsconnect::PrivateKey private_key_of(const Key& key) {
  return value_of(tlsconnect::PrivateKey::from_der(key.pkcs8_der()));
}
inline std::vector<tlsconnect::Certificate> certificates_of(const Identity& identity) {
  std::vector<tlsconnect::Certificate> chain;
  for (const Blob& der : identity.chain_der())
    chain.push_back(value_of(tlsconnect::Certificate::from_der(der)));
  return chain;
}
inline Credential credential_of(const Identity& identity) {
  return value_of(Credential::create(certificates_of(identity), private_key_of(identity.key())));
}
/// The same, but the signatures come from the caller.
inline Credential later_credential_of(const Identity& identity, std::vector<SignatureScheme> schemes) {
  return value_of(
      Credential::create(certificates_of(identity), std::make_shared<tlsconnect::SignLater>(std::move(schemes))));
}

/// What a client signs (RFC 9846, 4.4.3): 64 spaces, who signs and what, a zero, the transcript's hash.
inline ByteVector client_content(BytesView transcript_hash) {
  ByteVector content(64, ' ');
  append(content, tlsconnect::as_bytes("TLS 1.3, client CertificateVerify"));
  content.push_back(0);
  append(content, transcript_hash);
  return content;
}

/// Whether that is the key's signature. Keys of id-RSASSA-PSS sign as plain RSA keys do.
inline bool signature_holds(const Key& key, SignatureScheme scheme, BytesView content, BytesView signature) {
  const bool ecdsa = key.type() == KeyType::p256 || key.type() == KeyType::p384 || key.type() == KeyType::p521;
  const auto spki = Key::cached(key.type(), 1).botan()->subject_public_key();
  if (key.botan()->subject_public_key() != spki)
    throw std::invalid_argument("test support: not a client's key");
  const auto public_key = Botan::X509::load_key(spki);
  const std::string padding = botan_padding(scheme);
  // RFC 9846, 4.2.3: neither of them signs in TLS 1.3.
  if ((padding.empty() && !tlsconnect::is_ml_dsa(scheme)) || padding == "SHA-1" || padding.starts_with("PKCS1"))
    throw std::invalid_argument("test support: no scheme of TLS 1.3");
  Botan::PK_Verifier verifier(*public_key, padding,
                              ecdsa ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard);
  return verifier.verify_message(content, signature);
}

/// A CertificateRequest.
struct Asked {
  std::vector<SignatureScheme> schemes = {SignatureScheme::ecdsa_secp256r1_sha256,
                                          SignatureScheme::ecdsa_secp384r1_sha384,
                                          SignatureScheme::ecdsa_secp521r1_sha512,
                                          SignatureScheme::rsa_pss_rsae_sha256,
                                          SignatureScheme::ed25519,
                                          SignatureScheme::ed448,
                                          SignatureScheme::rsa_pss_pss_sha256};
  ExtensionList more = {};
  ByteVector context = {};

  [[nodiscard]] ByteVector body() const {
    ExtensionList extensions = {
        {ExtensionType::signature_algorithms,
         encoded(tlsconnect::SignatureSchemeList{tlsconnect::CodeList<SignatureScheme>(schemes)})}};
    extensions.insert(extensions.end(), more.begin(), more.end());
    const ByteVector block = block_of(extensions);
    return encoded(tlsconnect::CertificateRequest{context, block});
  }
};

/// A client with these credentials and a server that asks for one of them.
inline TalkOptions asked_client(std::vector<Credential> credentials) {
  return {.server = {.request_certificate = true},
          .configure = [credentials](auto& builder) { builder.credentials(credentials); }};
}

/// What the client said about itself during the handshake.
struct Answer {
  std::vector<HandshakeType> types;
  std::optional<CertificateDraft> certificate;
  ByteVector certificate_body;
  std::optional<SignatureScheme> scheme;
  ByteVector signature;
  ByteVector verify_body;
  ByteVector signed_hash; ///< the transcript's in front of CertificateVerify
  ByteVector finished;

  Answer() = default;
  explicit Answer(const ScriptedServer& server, std::size_t from = 0) {
    for (std::size_t i = from; i < server.messages().size(); ++i) {
      const SeenMessage& message = server.messages()[i];
      types.push_back(message.type);
      if (message.type == HandshakeType::certificate) {
        certificate = CertificateDraft::of(message.body);
        certificate_body = message.body;
      } else if (message.type == HandshakeType::certificate_verify) {
        const auto verify = value_of(tlsconnect::decode<tlsconnect::CertificateVerify>(message.body));
        scheme = verify.algorithm;
        signature = tlsconnect::to_vector(verify.signature);
        verify_body = message.body;
        signed_hash = message.before;
      } else if (message.type == HandshakeType::finished) {
        finished = message.body;
      }
    }
  }
};

inline const std::vector<HandshakeType> shown = {HandshakeType::certificate, HandshakeType::certificate_verify,
                                                 HandshakeType::finished};
inline const std::vector<HandshakeType> nothing_shown = {HandshakeType::certificate, HandshakeType::finished};

/// The whole handshake, with that request.
inline void shake(Talk& talk, const Asked& asked) {
  talk.plan["CertificateRequest"].replace(asked.body());
  talk.handshake();
}

inline std::vector<Blob> ders_of(const CertificateDraft& draft) {
  std::vector<Blob> ders;
  for (const CertificateDraft::Entry& entry : draft.entries)
    ders.push_back(entry.der);
  return ders;
}

} // namespace test
