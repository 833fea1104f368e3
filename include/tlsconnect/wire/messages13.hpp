// The messages of TLS 1.3 behind the hellos (RFC 9846, 4.3 to 4.6).
#pragma once

#include <cstdint>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// struct {
///   Extension extensions<0..2^16-1>;
/// } EncryptedExtensions;
struct EncryptedExtensions {
  static constexpr std::string_view name = "EncryptedExtensions";
  static constexpr HandshakeType type = HandshakeType::encrypted_extensions;

  BytesView extensions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.extensions, 0, 0xFFFF);
  }
};

/// struct {
///   opaque certificate_request_context<0..2^8-1>;
///   Extension extensions<0..2^16-1>;
/// } CertificateRequest;
struct CertificateRequest {
  static constexpr std::string_view name = "CertificateRequest";
  static constexpr HandshakeType type = HandshakeType::certificate_request;

  BytesView certificate_request_context;
  BytesView extensions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.certificate_request_context, 0, 0xFF);
    ar.opaque16(self.extensions, 0, 0xFFFF);
  }
};

/// struct {
///   opaque cert_data<1..2^24-1>;
///   Extension extensions<0..2^16-1>;
/// } CertificateEntry;
struct CertificateEntry {
  BytesView cert_data;
  BytesView extensions;
};

/// struct {
///   opaque certificate_request_context<0..2^8-1>;
///   CertificateEntry certificate_list<0..2^24-1>;
/// } Certificate;
struct CertificateMessage {
  static constexpr std::string_view name = "Certificate";
  static constexpr HandshakeType type = HandshakeType::certificate;

  BytesView certificate_request_context;
  InplaceVector<CertificateEntry, limits::certificate_chain> certificate_list;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.certificate_request_context, 0, 0xFF);
    ar.list24(self.certificate_list, ErrorCode::certificate_chain_too_long, [](auto& inner, auto& entry) {
      inner.opaque24(entry.cert_data, 1, 0xFF'FFFF);
      inner.opaque16(entry.extensions, 0, 0xFFFF);
    });
  }
};

/// struct {
///   CertificateCompressionAlgorithm algorithm;
///   uint24 uncompressed_length;
///   opaque compressed_certificate_message<1..2^24-1>;
/// } CompressedCertificate; (RFC 8879, 4)
struct CompressedCertificate {
  static constexpr std::string_view name = "CompressedCertificate";
  static constexpr HandshakeType type = HandshakeType::compressed_certificate;

  std::uint16_t algorithm = 0;
  std::uint32_t uncompressed_length = 0;
  BytesView compressed_certificate_message;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.algorithm);
    ar.number24(self.uncompressed_length);
    ar.opaque24(self.compressed_certificate_message, 1, 0xFF'FFFF);
  }
};

/// struct {
///   SignatureScheme algorithm;
///   opaque signature<0..2^16-1>;
/// } CertificateVerify;
struct CertificateVerify {
  static constexpr std::string_view name = "CertificateVerify";
  static constexpr HandshakeType type = HandshakeType::certificate_verify;

  SignatureScheme algorithm{};
  BytesView signature;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.algorithm);
    ar.opaque16(self.signature, 0, 0xFFFF);
  }
};

/// struct {
///   opaque verify_data[Hash.length];
/// } Finished;
struct Finished {
  static constexpr std::string_view name = "Finished";
  static constexpr HandshakeType type = HandshakeType::finished;

  BytesView verify_data;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.rest(self.verify_data);
  }
};

/// struct {} EndOfEarlyData;
struct EndOfEarlyData {
  static constexpr std::string_view name = "EndOfEarlyData";
  static constexpr HandshakeType type = HandshakeType::end_of_early_data;

  template <class Archive, class Self>
  static void wire(Archive&, Self&) {}
};

/// struct {
///   uint32 ticket_lifetime;
///   uint32 ticket_age_add;
///   opaque ticket_nonce<0..255>;
///   opaque ticket<1..2^16-1>;
///   Extension extensions<0..2^16-1>;
/// } NewSessionTicket;
struct NewSessionTicket {
  static constexpr std::string_view name = "NewSessionTicket";
  static constexpr HandshakeType type = HandshakeType::new_session_ticket;

  std::uint32_t ticket_lifetime = 0;
  std::uint32_t ticket_age_add = 0;
  BytesView ticket_nonce;
  BytesView ticket;
  BytesView extensions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.ticket_lifetime);
    ar.number(self.ticket_age_add);
    ar.opaque8(self.ticket_nonce, 0, 0xFF);
    ar.opaque16(self.ticket, 1, 0xFFFF);
    ar.opaque16(self.extensions, 0, 0xFFFF);
  }
};

/// enum { update_not_requested(0), update_requested(1), (255) } KeyUpdateRequest;
enum class KeyUpdateRequest : std::uint8_t { update_not_requested = 0, update_requested = 1 };

/// struct {
///   KeyUpdateRequest request_update;
/// } KeyUpdate;
struct KeyUpdate {
  static constexpr std::string_view name = "KeyUpdate";
  static constexpr HandshakeType type = HandshakeType::key_update;

  KeyUpdateRequest request_update{};

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.request_update);
    // RFC 9846, 4.6.3: any other value is answered with illegal_parameter.
    if (self.request_update > KeyUpdateRequest::update_requested)
      ar.refuse(ErrorCode::key_update_invalid);
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
