// What stands inside the extensions that this client sends and understands.
#pragma once

#include <cstdint>
#include <string_view>

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

} // namespace tlsconnect::inline TLSCONNECT_ABI
