// What stands inside the extensions that this client sends and understands.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// ClientHello: ProtocolVersion versions<2..254>; (RFC 9846, 4.2.1)
struct OfferedVersions {
  static constexpr std::string_view name = "supported_versions";
  CodeList<ProtocolVersion> versions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.codes8(self.versions, 1);
  }
};

/// ServerHello and HelloRetryRequest: ProtocolVersion selected_version; (RFC 9846, 4.2.1)
struct SelectedVersion {
  static constexpr std::string_view name = "supported_versions";
  ProtocolVersion version{};

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.version);
  }
};

/// opaque cookie<1..2^16-1>; (RFC 9846, 4.2.2)
struct Cookie {
  static constexpr std::string_view name = "cookie";
  BytesView cookie;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque16(self.cookie, 1, 0xFFFF);
  }
};

/// SignatureScheme supported_signature_algorithms<2..2^16-2>; also signature_algorithms_cert (RFC 9846, 4.2.3)
struct SignatureSchemeList {
  static constexpr std::string_view name = "signature_algorithms";
  CodeList<SignatureScheme> schemes;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.codes16(self.schemes, 1);
  }
};

/// NamedGroup named_group_list<2..2^16-1>; (RFC 9846, 4.2.7)
struct NamedGroupList {
  static constexpr std::string_view name = "supported_groups";
  CodeList<NamedGroup> groups;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.codes16(self.groups, 1);
  }
};

/// struct {
///   NamedGroup group;
///   opaque key_exchange<1..2^16-1>;
/// } KeyShareEntry; (RFC 9846, 4.2.8)
struct KeyShareEntry {
  static constexpr std::string_view name = "key_share";
  NamedGroup group{};
  BytesView key_exchange;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.group);
    ar.opaque16(self.key_exchange, 1, 0xFFFF);
  }
};

/// ClientHello: KeyShareEntry client_shares<0..2^16-1>; (RFC 9846, 4.2.8)
struct OfferedKeyShares {
  static constexpr std::string_view name = "key_share";
  InplaceVector<KeyShareEntry, 8> client_shares;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.client_shares, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { KeyShareEntry::wire(inner, entry); });
  }
};

/// HelloRetryRequest: NamedGroup selected_group; (RFC 9846, 4.2.8)
struct RetryGroup {
  static constexpr std::string_view name = "key_share";
  NamedGroup selected_group{};

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.selected_group);
  }
};

/// opaque ProtocolName<1..2^8-1>;
/// ProtocolName protocol_name_list<2..2^16-1>; (RFC 7301, 3.1)
struct ProtocolNames {
  static constexpr std::string_view name = "application_layer_protocol_negotiation";
  struct Name {
    BytesView text;
  };
  InplaceVector<Name, 32> names;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.names, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { inner.opaque8(entry.text, 1, 0xFF); });
  }
};

/// struct {
///   NameType name_type = host_name(0);
///   opaque HostName<1..2^16-1>;
/// } ServerName;
/// ServerName server_name_list<1..2^16-1>; (RFC 6066, 3)
struct ServerNameList {
  static constexpr std::string_view name = "server_name";
  struct Name {
    std::uint8_t name_type = 0;
    BytesView host_name;
  };
  InplaceVector<Name, 1> names;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.names, ErrorCode::field_out_of_range, [](auto& inner, auto& entry) {
      inner.number(entry.name_type);
      inner.opaque16(entry.host_name, 1, 0xFFFF);
    });
  }
};

/// ECPointFormat ec_point_format_list<1..2^8-1>; (RFC 8422, 5.1.2)
struct PointFormats {
  static constexpr std::string_view name = "ec_point_formats";
  static constexpr std::uint8_t uncompressed = 0;
  BytesView formats;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.formats, 1, 0xFF);
  }
};

/// opaque renegotiated_connection<0..255>; (RFC 5746, 3.2)
struct RenegotiationInfo {
  static constexpr std::string_view name = "renegotiation_info";
  BytesView renegotiated_connection;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.renegotiated_connection, 0, 0xFF);
  }
};

/// enum { psk_ke(0), psk_dhe_ke(1), (255) } PskKeyExchangeMode;
/// PskKeyExchangeMode ke_modes<1..255>; (RFC 9846, 4.2.9)
struct PskKeyExchangeModes {
  static constexpr std::string_view name = "psk_key_exchange_modes";
  static constexpr std::uint8_t psk_dhe_ke = 1;
  BytesView modes;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.modes, 1, 0xFF);
  }
};

/// struct {
///   PskIdentity identities<7..2^16-1>;
///   PskBinderEntry binders<33..2^16-1>;
/// } OfferedPsks; (RFC 9846, 4.2.11)
struct OfferedPsks {
  static constexpr std::string_view name = "pre_shared_key";
  struct Identity {
    BytesView identity;
    std::uint32_t obfuscated_ticket_age = 0;
  };
  struct Binder {
    BytesView value;
  };
  InplaceVector<Identity, limits::offered_psks> identities;
  InplaceVector<Binder, limits::offered_psks> binders;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.identities, ErrorCode::message_too_large, [](auto& inner, auto& entry) {
      inner.opaque16(entry.identity, 1, 0xFFFF);
      inner.number(entry.obfuscated_ticket_age);
    });
    ar.list16(self.binders, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { inner.opaque8(entry.value, 32, 0xFF); });
  }
};

/// ServerHello: uint16 selected_identity; (RFC 9846, 4.2.11)
struct SelectedIdentity {
  static constexpr std::string_view name = "pre_shared_key";
  std::uint16_t selected_identity = 0;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.selected_identity);
  }
};

/// NewSessionTicket: uint32 max_early_data_size; (RFC 9846, 4.2.10)
struct EarlyDataLimit {
  static constexpr std::string_view name = "early_data";
  std::uint32_t max_early_data_size = 0;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.max_early_data_size);
  }
};

/// An extension that says all there is by being there: early_data but for tickets, post_handshake_auth.
struct EmptyBody {
  static constexpr std::string_view name = "extension without content";

  template <class Archive, class Self>
  static void wire(Archive&, Self&) {}
};

/// enum { X509(0), RawPublicKey(2), (255) } CertificateType; (RFC 7250, 3)
enum class CertificateType : std::uint8_t { x509 = 0, raw_public_key = 2 };

/// ClientHello: CertificateType types<1..2^8-1>; (RFC 7250, 3)
struct OfferedCertificateTypes {
  static constexpr std::string_view name = "certificate types";
  BytesView types;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.opaque8(self.types, 1, 0xFF);
  }
};

/// EncryptedExtensions: CertificateType type; (RFC 7250, 3)
struct SelectedCertificateType {
  static constexpr std::string_view name = "certificate type";
  CertificateType type{};

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.type);
  }
};

/// struct {
///   CertificateStatusType status_type = ocsp(1);
///   ResponderID responder_id_list<0..2^16-1>;
///   Extensions request_extensions<0..2^16-1>;
/// } CertificateStatusRequest; (RFC 6066, 8; RFC 9846, 4.4.2.1)
struct CertificateStatusRequest {
  static constexpr std::string_view name = "status_request";
  std::uint8_t status_type = 1;
  BytesView responder_id_list;
  BytesView request_extensions;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.status_type);
    ar.opaque16(self.responder_id_list, 0, 0xFFFF);
    ar.opaque16(self.request_extensions, 0, 0xFFFF);
  }
};

/// struct {
///   CertificateStatusType status_type = ocsp(1);
///   opaque OCSPResponse<1..2^24-1>;
/// } CertificateStatus; (RFC 6066, 8)
struct CertificateStatus {
  static constexpr std::string_view name = "status_request";
  std::uint8_t status_type = 1;
  BytesView ocsp_response;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.status_type);
    // RFC 6066, 8: no other type is defined.
    if (self.status_type != 1)
      ar.refuse(ErrorCode::field_out_of_range);
    ar.opaque24(self.ocsp_response, 1, 0xFF'FFFF);
  }
};

/// opaque SerializedSCT<1..2^16-1>;
/// SerializedSCT sct_list<1..2^16-1>; (RFC 6962, 3.3)
struct SignedCertificateTimestampList {
  static constexpr std::string_view name = "signed_certificate_timestamp";
  struct Timestamp {
    BytesView serialised;
  };
  InplaceVector<Timestamp, limits::signed_certificate_timestamps> timestamps;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.timestamps, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { inner.opaque16(entry.serialised, 1, 0xFFFF); });
    if (self.timestamps.empty())
      ar.refuse(ErrorCode::field_out_of_range);
  }
};

/// struct { Version sct_version; LogID id; uint64 timestamp; CtExtensions extensions; digitally-signed … }
/// SignedCertificateTimestamp; (RFC 6962, 3.2)
struct SignedCertificateTimestamp {
  static constexpr std::string_view name = "SignedCertificateTimestamp";
  std::uint8_t version = 0; ///< 0 is v1; what others look like is not said
  std::array<std::uint8_t, 32> log_id{};
  std::uint64_t timestamp = 0; ///< milliseconds since 1970
  BytesView extensions;
  /// SignatureAndHashAlgorithm (RFC 5246, 4.7), whose two bytes are a SignatureScheme's.
  SignatureScheme algorithm{};
  BytesView signature;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.version);
    ar.fixed(self.log_id);
    ar.number(self.timestamp);
    ar.opaque16(self.extensions, 0, 0xFFFF);
    ar.number(self.algorithm);
    ar.opaque16(self.signature, 0, 0xFFFF);
  }
};

/// ClientHello: CertificateCompressionAlgorithm algorithms<2..2^8-2>; (RFC 8879, 3)
struct CompressionAlgorithms {
  static constexpr std::string_view name = "compress_certificate";
  CodeList<std::uint16_t> algorithms;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.codes8(self.algorithms, 1);
  }
};

/// uint16 RecordSizeLimit; (RFC 8449, 4)
struct RecordSizeLimit {
  static constexpr std::string_view name = "record_size_limit";
  std::uint16_t limit = 0;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.number(self.limit);
    // RFC 8449, 4: fewer than 64 bytes are an illegal value.
    if (self.limit < 64)
      ar.refuse(ErrorCode::record_size_limit_invalid);
  }
};

/// opaque DistinguishedName<1..2^16-1>;
/// DistinguishedName authorities<3..2^16-1>; (RFC 9846, 4.2.4)
struct CertificateAuthorities {
  static constexpr std::string_view name = "certificate_authorities";
  struct Authority {
    BytesView distinguished_name; ///< DER
  };
  InplaceVector<Authority, limits::certificate_authorities> authorities;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.authorities, ErrorCode::message_too_large,
              [](auto& inner, auto& entry) { inner.opaque16(entry.distinguished_name, 1, 0xFFFF); });
    if (self.authorities.empty())
      ar.refuse(ErrorCode::field_out_of_range);
  }
};

/// struct {
///   opaque certificate_extension_oid<1..2^8-1>;
///   opaque certificate_extension_values<0..2^16-1>;
/// } OIDFilter;
/// OIDFilter filters<0..2^16-1>; (RFC 9846, 4.2.5)
struct OidFilters {
  static constexpr std::string_view name = "oid_filters";
  struct Filter {
    BytesView oid;    ///< DER
    BytesView values; ///< DER
  };
  InplaceVector<Filter, limits::oid_filters> filters;

  template <class Archive, class Self>
  static void wire(Archive& ar, Self& self) {
    ar.list16(self.filters, ErrorCode::message_too_large, [](auto& inner, auto& entry) {
      inner.opaque8(entry.oid, 1, 0xFF);
      inner.opaque16(entry.values, 0, 0xFFFF);
    });
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
