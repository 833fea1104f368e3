// The messages that only TLS 1.2 has, or has in another form (RFC 5246, 7.4; RFC 8422, 5; RFC 4279; RFC 5077; RFC 6066).
// CertificateVerify and Finished have the same form in both versions: they stand in messages13.hpp.
#pragma once

#include <cstdint>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/wire/codec.hpp>
#include <tlsconnect/wire/extension_bodies.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// struct { } HelloRequest; (RFC 5246, 7.4.1.1)
struct HelloRequest {
  static constexpr std::string_view name = "HelloRequest";
  static constexpr HandshakeType type = HandshakeType::hello_request;

  template <class Archive, class Self>
  static void wire(Archive&, Self&) {}
};

/// opaque ASN.1Cert<1..2^24-1>;
/// struct {
///   ASN.1Cert certificate_list<0..2^24-1>;
/// } Certificate; (RFC 5246, 7.4.2)
struct CertificateMessage12 {
  static constexpr std::string_view name = "Certificate";
  static constexpr HandshakeType type = HandshakeType::certificate;

  struct Entry {
    BytesView cert_data;
  };
  InplaceVector<Entry, limits::certificate_chain> certificate_list;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list24(self.certificate_list, ErrorCode::certificate_chain_too_long,
              [](auto& inner, auto& entry) { inner.opaque24(entry.cert_data, 1, 0xFF'FFFF); });
  }
};

/// struct {
///   opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>;
/// } Certificate; for a raw public key (RFC 7250, 3)
struct RawPublicKeyMessage12 {
  static constexpr std::string_view name = "Certificate";
  static constexpr HandshakeType type = HandshakeType::certificate;

  BytesView spki;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque24(self.spki, 1, 0xFF'FFFF);
  }
};

/// struct {
///   CertificateStatusType status_type = ocsp(1);
///   opaque OCSPResponse<1..2^24-1>;
/// } CertificateStatus; (RFC 6066, 8)
struct CertificateStatusMessage {
  static constexpr std::string_view name = "CertificateStatus";
  static constexpr HandshakeType type = HandshakeType::certificate_status;

  CertificateStatus status;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    CertificateStatus::wire(ar, self.status);
  }
};

/// struct {
///   ECCurveType curve_type = named_curve(3);
///   NamedCurve namedcurve;
///   opaque point<1..2^8-1>;
/// } ServerECDHParams; (RFC 8422, 5.4)
struct ServerEcdhParameters {
  static constexpr std::uint8_t named_curve = 3;

  std::uint8_t curve_type = named_curve;
  NamedGroup group{};
  BytesView point;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.curve_type);
    // RFC 8422, 5.4: no other type; curves that a server describes itself must not be used.
    if (self.curve_type != named_curve)
      ar.refuse(ErrorCode::field_out_of_range);
    ar.number(self.group);
    ar.opaque8(self.point, 1, 0xFF);
  }
  /// How many bytes of the message they are.
  [[nodiscard]] std::size_t size() const noexcept { return 1 + 2 + 1 + point.size(); }
};

/// struct {
///   ServerECDHParams params;
///   SignatureScheme algorithm;
///   opaque signature<0..2^16-1>;
/// } ServerKeyExchange; (RFC 8422, 5.4; RFC 5246, 4.7)
struct ServerKeyExchangeEcdhe {
  static constexpr std::string_view name = "ServerKeyExchange";
  static constexpr HandshakeType type = HandshakeType::server_key_exchange;

  ServerEcdhParameters params;
  SignatureScheme algorithm{};
  BytesView signature;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ServerEcdhParameters::wire(ar, self.params);
    ar.number(self.algorithm);
    ar.opaque16(self.signature, 0, 0xFFFF);
  }
};

/// struct {
///   opaque psk_identity_hint<0..2^16-1>;
/// } ServerKeyExchange; (RFC 4279, 2)
struct ServerKeyExchangePsk {
  static constexpr std::string_view name = "ServerKeyExchange";
  static constexpr HandshakeType type = HandshakeType::server_key_exchange;

  BytesView psk_identity_hint;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.psk_identity_hint, 0, limits::psk_identity_hint);
  }
};

/// struct {
///   opaque psk_identity_hint<0..2^16-1>;
///   ServerECDHParams params;
/// } ServerKeyExchange; (RFC 5489, 2)
struct ServerKeyExchangeEcdhePsk {
  static constexpr std::string_view name = "ServerKeyExchange";
  static constexpr HandshakeType type = HandshakeType::server_key_exchange;

  BytesView psk_identity_hint;
  ServerEcdhParameters params;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.psk_identity_hint, 0, limits::psk_identity_hint);
    ServerEcdhParameters::wire(ar, self.params);
  }
};

/// enum { rsa_sign(1), ecdsa_sign(64), (255) } ClientCertificateType; (RFC 5246, 7.4.4; RFC 8422, 5.5)
enum class ClientCertificateType : std::uint8_t { rsa_sign = 1, ecdsa_sign = 64 };

/// struct {
///   ClientCertificateType certificate_types<1..2^8-1>;
///   SignatureScheme supported_signature_algorithms<2..2^16-2>;
///   DistinguishedName certificate_authorities<0..2^16-1>;
/// } CertificateRequest; (RFC 5246, 7.4.4)
struct CertificateRequest12 {
  static constexpr std::string_view name = "CertificateRequest";
  static constexpr HandshakeType type = HandshakeType::certificate_request;

  BytesView certificate_types;
  CodeList<SignatureScheme> schemes;
  InplaceVector<CertificateAuthorities::Authority, limits::certificate_authorities> authorities;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.certificate_types, 1, 0xFF);
    ar.codes16(self.schemes, 1);
    ar.list16(self.authorities, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { inner.opaque16(entry.distinguished_name, 1, 0xFFFF); });
  }
};

/// struct { } ServerHelloDone; (RFC 5246, 7.4.5)
struct ServerHelloDone {
  static constexpr std::string_view name = "ServerHelloDone";
  static constexpr HandshakeType type = HandshakeType::server_hello_done;

  template <class Archive, class Self>
  static void wire(Archive&, Self&) {}
};

/// struct {
///   opaque ecdh_Yc<1..2^8-1>;
/// } ClientKeyExchange; (RFC 8422, 5.7)
struct ClientKeyExchangeEcdhe {
  static constexpr std::string_view name = "ClientKeyExchange";
  static constexpr HandshakeType type = HandshakeType::client_key_exchange;

  BytesView point;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.point, 1, 0xFF);
  }
};

/// struct {
///   opaque psk_identity<0..2^16-1>;
/// } ClientKeyExchange; (RFC 4279, 2)
struct ClientKeyExchangePsk {
  static constexpr std::string_view name = "ClientKeyExchange";
  static constexpr HandshakeType type = HandshakeType::client_key_exchange;

  BytesView psk_identity;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.psk_identity, 0, 0xFFFF);
  }
};

/// struct {
///   opaque psk_identity<0..2^16-1>;
///   opaque ecdh_Yc<1..2^8-1>;
/// } ClientKeyExchange; (RFC 5489, 2)
struct ClientKeyExchangeEcdhePsk {
  static constexpr std::string_view name = "ClientKeyExchange";
  static constexpr HandshakeType type = HandshakeType::client_key_exchange;

  BytesView psk_identity;
  BytesView point;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.psk_identity, 0, 0xFFFF);
    ar.opaque8(self.point, 1, 0xFF);
  }
};

/// struct {
///   uint32 ticket_lifetime_hint;
///   opaque ticket<0..2^16-1>;
/// } NewSessionTicket; (RFC 5077, 3.3)
struct NewSessionTicket12 {
  static constexpr std::string_view name = "NewSessionTicket";
  static constexpr HandshakeType type = HandshakeType::new_session_ticket;

  std::uint32_t ticket_lifetime_hint = 0; ///< in seconds; 0: the server does not say
  BytesView ticket;                       ///< empty: there is none after all

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.ticket_lifetime_hint);
    ar.opaque16(self.ticket, 0, 0xFFFF);
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
