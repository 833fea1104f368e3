// Extensions: where each may stand, and the blocks that carry them (RFC 9846, 4.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/wire/codec.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The messages that carry extensions; a set.
enum class ExtensionContext : std::uint8_t {
  none = 0,
  client_hello = 1,
  server_hello = 2,
  hello_retry_request = 4,
  encrypted_extensions = 8,
  certificate = 16,
  certificate_request = 32,
  new_session_ticket = 64,
  server_hello12 = 128, ///< of TLS 1.2
};
[[nodiscard]] constexpr ExtensionContext operator|(ExtensionContext a, ExtensionContext b) noexcept {
  return static_cast<ExtensionContext>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr bool includes(ExtensionContext set, ExtensionContext wanted) noexcept {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(wanted)) == static_cast<std::uint8_t>(wanted);
}

/// One row of the table of RFC 9846, 4.2.
struct ExtensionRule {
  ExtensionType type;
  ExtensionContext may_stand_in;
};

/// The extensions that this library recognises. One that stands elsewhere is answered with illegal_parameter. Those of
/// TLS 1.2 alone may stand in no message of TLS 1.3 but the ClientHello, and those of TLS 1.3 alone not in a ServerHello of
/// TLS 1.2. (supported_groups has no place there either, but servers send it, and it means nothing.)
inline constexpr auto extension_rules = [] {
  using E = ExtensionType;
  using C = ExtensionContext;
  constexpr C ch = C::client_hello, sh = C::server_hello, hrr = C::hello_retry_request, ee = C::encrypted_extensions,
              ct = C::certificate, cr = C::certificate_request, nst = C::new_session_ticket, sh12 = C::server_hello12;
  return std::to_array<ExtensionRule>({
      {E::server_name, ch | ee | cr | sh12},
      {E::max_fragment_length, ch | ee | sh12},
      {E::status_request, ch | cr | ct | sh12},
      {E::supported_groups, ch | ee | sh12},
      {E::ec_point_formats, ch | sh12},
      {E::signature_algorithms, ch | cr},
      {E::use_srtp, ch | ee | sh12},
      {E::heartbeat, ch | ee | sh12},
      {E::application_layer_protocol_negotiation, ch | ee | sh12},
      {E::signed_certificate_timestamp, ch | cr | ct | sh12},
      {E::client_certificate_type, ch | ee | sh12},
      {E::server_certificate_type, ch | ee | sh12},
      {E::padding, ch},
      {E::extended_main_secret, ch | sh12},
      {E::compress_certificate, ch | cr},
      {E::record_size_limit, ch | ee | sh12},
      {E::session_ticket, ch | sh12},
      {E::pre_shared_key, ch | sh},
      {E::early_data, ch | ee | nst},
      {E::supported_versions, ch | sh | hrr},
      {E::cookie, ch | hrr},
      {E::psk_key_exchange_modes, ch},
      {E::certificate_authorities, ch | cr},
      {E::oid_filters, cr},
      {E::post_handshake_auth, ch},
      {E::signature_algorithms_cert, ch | cr},
      {E::key_share, ch | sh | hrr},
      {E::encrypted_client_hello, ch | hrr | ee},
      {E::renegotiation_info, ch | sh12},
  });
}();

/// The row of a type; null for one that this library does not recognise.
[[nodiscard]] constexpr const ExtensionRule* rule_of(ExtensionType type) noexcept {
  for (const ExtensionRule& rule : extension_rules)
    if (rule.type == type)
      return &rule;
  return nullptr;
}

/// The types of the extensions that a ClientHello carried.
using OfferedExtensions = InplaceVector<ExtensionType, 32>;

/// A block of extensions that was received, checked as a whole; a view of the message.
class ExtensionSet {
public:
  /// Splits and checks a block. `offered` are the types that the answers in `context` may have; blocks that are
  /// requests (CertificateRequest, NewSessionTicket) answer nothing, and what is unknown in them is passed over.
  [[nodiscard]] static Result<ExtensionSet> parse(BytesView block, ExtensionContext context,
                                                  const OfferedExtensions& offered, std::string_view where) noexcept;

  /// The body of an extension, when it is there.
  [[nodiscard]] std::optional<BytesView> find(ExtensionType type) const noexcept {
    for (const Entry& entry : entries_)
      if (entry.type == type)
        return entry.body;
    return std::nullopt;
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
  /// struct {
  ///   ExtensionType extension_type;
  ///   opaque extension_data<0..2^16-1>;
  /// } Extension;
  struct Entry {
    ExtensionType type{};
    BytesView body;
  };
  /// RFC 9846, 4.2 names no alert. In what answers the ClientHello for good it is one for bytes that are not a message;
  /// in what asks the client for something, or gives it something, one for a value that may not be.
  static Error duplicate(ExtensionType type, ExtensionContext context, std::string_view where) noexcept {
    Error error(ErrorCode::extension_duplicate, where, "extension " + std::to_string(static_cast<unsigned>(type)));
    if (context == ExtensionContext::hello_retry_request || context == ExtensionContext::certificate_request ||
        context == ExtensionContext::new_session_ticket)
      return static_cast<Error&&>(error).with_alert(AlertDescription::illegal_parameter);
    return error;
  }
  InplaceVector<Entry, limits::extensions> entries_;
};

inline Result<ExtensionSet> ExtensionSet::parse(BytesView block, ExtensionContext context,
                                                const OfferedExtensions& offered, std::string_view where) noexcept {
  const bool answers =
      context != ExtensionContext::certificate_request && context != ExtensionContext::new_session_ticket;
  ExtensionSet set;
  Reader reader(block);
  while (!reader.empty() && !reader.failed()) {
    Entry entry;
    reader.number(entry.type);
    reader.opaque16(entry.body, 0, 0xFFFF);
    if (reader.failed())
      break;
    // RFC 9846, 4.2: at most one extension of a type in a block.
    if (set.find(entry.type))
      return std::unexpected(duplicate(entry.type, context, where));
    if (!set.entries_.push_back(entry))
      return fail(ErrorCode::too_many_extensions, where);
  }
  // A block that is not well-formed is that first of all, whatever stands in it.
  if (Result<> done = reader.finish(where); !done)
    return std::unexpected(std::move(done.error()));
  for (const Entry& entry : set.entries_) {
    // RFC 5246, 7.4.1.4: in TLS 1.2, whatever answers nothing is refused as that.
    if (context == ExtensionContext::server_hello12 && !offered.contains(entry.type))
      return fail(ErrorCode::extension_unsolicited, where,
                  "extension " + std::to_string(static_cast<unsigned>(entry.type)));
    const ExtensionRule* rule = rule_of(entry.type);
    // RFC 9846, 4.2: one answer to one question. What ServerHello answers is not open any more.
    if (rule && context == ExtensionContext::encrypted_extensions &&
        includes(rule->may_stand_in, ExtensionContext::server_hello))
      return fail(ErrorCode::extension_unsolicited, where,
                  "extension " + std::to_string(static_cast<unsigned>(entry.type)) + " belongs to ServerHello");
    // RFC 9846, 4.2: one that is recognised must be specified for this message.
    if (rule && !includes(rule->may_stand_in, context))
      return fail(ErrorCode::extension_misplaced, where,
                  "extension " + std::to_string(static_cast<unsigned>(entry.type)));
    // RFC 9846, 4.2: an answer needs a question; only the cookie of a HelloRetryRequest comes by itself.
    const bool unsolicited_allowed =
        context == ExtensionContext::hello_retry_request && entry.type == ExtensionType::cookie;
    if (answers && !unsolicited_allowed && !offered.contains(entry.type))
      return fail(ErrorCode::extension_unsolicited, where,
                  "extension " + std::to_string(static_cast<unsigned>(entry.type)));
  }
  return set;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
