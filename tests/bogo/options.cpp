// The flags, one line for each.
#include "options.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <type_traits>

namespace bogo {
namespace {

template <class T>
bool to_number(std::string_view text, T& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

/// One flag: what it is called, whether a value follows, and what it does. False: the value cannot be read.
struct Flag {
  std::string_view name;
  bool takes_value;
  bool (*apply)(ConnectionOptions& options, std::string_view value);
};

template <auto Member>
constexpr Flag on(std::string_view name) {
  return {name, false, [](ConnectionOptions& options, std::string_view) { return options.*Member = true; }};
}

template <auto Member>
constexpr Flag number(std::string_view name) {
  return {name, true, [](ConnectionOptions& options, std::string_view value) {
            if constexpr (requires { (options.*Member).emplace(); })
              return to_number(value, (options.*Member).emplace());
            else
              return to_number(value, options.*Member);
          }};
}

template <auto Member>
constexpr Flag numbers(std::string_view name) {
  return {name, true, [](ConnectionOptions& options, std::string_view value) {
            if constexpr (requires { (options.*Member).has_value(); }) {
              if (!(options.*Member))
                (options.*Member).emplace();
              return to_number(value, (options.*Member)->emplace_back());
            } else {
              return to_number(value, (options.*Member).emplace_back());
            }
          }};
}

template <auto Member>
constexpr Flag text(std::string_view name) {
  return {name, true, [](ConnectionOptions& options, std::string_view value) {
            options.*Member = value;
            return true;
          }};
}

bool take_base64(std::string_view value, Octets& octets) {
  std::optional<Octets> decoded = decode_base64(value);
  if (decoded)
    octets = std::move(*decoded);
  return decoded.has_value();
}

template <auto Member>
constexpr Flag base64(std::string_view name) {
  return {name, true,
          [](ConnectionOptions& options, std::string_view value) { return take_base64(value, options.*Member); }};
}

/// The credential that a flag is about: the newest, or the one that was there before any was started.
CredentialOptions& credential(ConnectionOptions& options) {
  return options.credentials.empty() ? options.plain_credential : options.credentials.back();
}

template <CredentialKind Kind>
constexpr Flag new_credential(std::string_view name) {
  return {name, false, [](ConnectionOptions& options, std::string_view) {
            options.credentials.emplace_back().kind = Kind;
            return true;
          }};
}

template <auto Member>
constexpr Flag of_credential(std::string_view name) {
  using Value = std::remove_reference_t<decltype(std::declval<CredentialOptions&>().*Member)>;
  return {name, !std::is_same_v<Value, bool>, [](ConnectionOptions& options, std::string_view value) {
            Value& member = credential(options).*Member;
            if constexpr (std::is_same_v<Value, bool>) {
              return member = true;
            } else if constexpr (std::is_same_v<Value, std::string>) {
              member = value;
              return true;
            } else if constexpr (std::is_same_v<Value, Octets>) {
              return take_base64(value, member);
            } else {
              return to_number(value, member.emplace_back());
            }
          }};
}

/// A flag that changes nothing here: what it asks for is so anyhow, or makes no difference on the wire.
constexpr Flag granted(std::string_view name) {
  return {name, false, [](ConnectionOptions&, std::string_view) { return true; }};
}

using O = ConnectionOptions;
using C = CredentialOptions;

constexpr std::array flags = {
    number<&O::port>("-port"),
    on<&O::ipv6>("-ipv6"),
    number<&O::shim_id>("-shim-id"),
    number<&O::resume_count>("-resume-count"),
    on<&O::is_handshaker_supported>("-is-handshaker-supported"),

    on<&O::async>("-async"),
    on<&O::implicit_handshake>("-implicit-handshake"),
    number<&O::min_version>("-min-version"),
    number<&O::max_version>("-max-version"),
    on<&O::no_tls10>("-no-tls1"),
    on<&O::no_tls11>("-no-tls11"),
    on<&O::no_tls12>("-no-tls12"),
    on<&O::no_tls13>("-no-tls13"),
    // Of the language that OpenSSL has for lists of cipher suites, the one sentence that a test needs.
    Flag{"-cipher", true,
         [](ConnectionOptions& options, std::string_view value) {
           return options.without_aes = value == "DEFAULT:!AES";
         }},
    text<&O::host_name>("-host-name"),
    text<&O::trust_cert>("-trust-cert"),
    numbers<&O::curves>("-curves"),
    numbers<&O::key_shares>("-key-shares"),
    Flag{"-no-key-shares", false,
         [](ConnectionOptions& options, std::string_view) {
           options.key_shares.emplace();
           return true;
         }},
    numbers<&O::verify_preferences>("-verify-prefs"),
    text<&O::advertise_alpn>("-advertise-alpn"),
    on<&O::verify_peer>("-verify-peer"),
    on<&O::verify_fail>("-verify-fail"),
    on<&O::use_custom_verify_callback>("-use-custom-verify-callback"),
    on<&O::reverify_on_resume>("-reverify-on-resume"),
    numbers<&O::accepted_peer_cert_types>("-accepted-peer-cert-types"),
    numbers<&O::available_client_cert_types>("-available-client-cert-types"),
    on<&O::no_ticket>("-no-ticket"),
    on<&O::enable_early_data>("-enable-early-data"),
    number<&O::early_write_after_message>("-early-write-after-message"),
    on<&O::enable_ocsp_stapling>("-enable-ocsp-stapling"),
    on<&O::enable_signed_cert_timestamps>("-enable-signed-cert-timestamps"),
    on<&O::use_ocsp_callback>("-use-ocsp-callback"),
    on<&O::fail_ocsp_callback>("-fail-ocsp-callback"),
    on<&O::fail_cert_callback>("-fail-cert-callback"),
    on<&O::install_cert_compression_algs>("-install-cert-compression-algs"),
    number<&O::install_one_cert_compression_alg>("-install-one-cert-compression-alg"),
    on<&O::fips_202205>("-fips-202205"),
    on<&O::wpa_202304>("-wpa-202304"),
    on<&O::cnsa1_202603>("-cnsa1-202603"),
    on<&O::cnsa2_202603>("-cnsa2-202603"),
    number<&O::resumption_delay>("-resumption-delay"),
    on<&O::enable_grease>("-enable-grease"),
    // Done in every connection.
    granted("-permute-extensions"),
    // A handshake that is complete is not begun again.
    granted("-no-op-extra-handshake"),
    // One way of several to tell BoringSSL about its certificate.
    granted("-use-old-client-cert-callback"),

    new_credential<CredentialKind::x509>("-new-x509-credential"),
    new_credential<CredentialKind::raw_public_key>("-new-rpk-credential"),
    new_credential<CredentialKind::pre_shared_key>("-new-psk-credential"),
    of_credential<&C::certificate_file>("-cert-file"),
    of_credential<&C::key_file>("-key-file"),
    of_credential<&C::signing_preferences>("-signing-prefs"),
    of_credential<&C::must_match_issuer>("-must-match-issuer"),
    of_credential<&C::ocsp_response>("-ocsp-response"),
    of_credential<&C::sct_list>("-signed-cert-timestamps"),
    of_credential<&C::psk_key>("-psk-importer-key"),
    of_credential<&C::psk_identity>("-psk-importer-identity"),
    of_credential<&C::psk_context>("-psk-importer-context"),
    of_credential<&C::psk_sha384>("-psk-importer-sha384"),
    granted("-psk-importer-sha256"),

    on<&O::shim_writes_first>("-shim-writes-first"),
    text<&O::shim_initial_write>("-shim-initial-write"),
    number<&O::repeat_shim_initial_write>("-repeat-shim-initial-write"),
    on<&O::write_different_record_sizes>("-write-different-record-sizes"),
    on<&O::shim_shuts_down>("-shim-shuts-down"),
    on<&O::check_close_notify>("-check-close-notify"),
    number<&O::read_size>("-read-size"),
    on<&O::read_with_unfinished_write>("-read-with-unfinished-write"),
    on<&O::peek_then_read>("-peek-then-read"),
    on<&O::send_alert>("-send-alert"),
    on<&O::key_update>("-key-update"),
    on<&O::key_update_before_read>("-key-update-before-read"),
    number<&O::export_keying_material>("-export-keying-material"),
    text<&O::export_label>("-export-label"),
    text<&O::export_context>("-export-context"),
    on<&O::use_export_context>("-use-export-context"),
    on<&O::tls_unique>("-tls-unique"),
    on<&O::export_traffic_secrets>("-export-traffic-secrets"),

    number<&O::expect_version>("-expect-version"),
    number<&O::expect_cipher>("-expect-cipher"),
    number<&O::expect_cipher_aes>("-expect-cipher-aes"),
    Flag{"-expect-cipher-no-aes", true, [](ConnectionOptions&, std::string_view) { return true; }},
    number<&O::expect_curve_id>("-expect-curve-id"),
    number<&O::expect_peer_signature_algorithm>("-expect-peer-signature-algorithm"),
    on<&O::expect_hrr>("-expect-hrr"),
    on<&O::expect_no_hrr>("-expect-no-hrr"),
    text<&O::expect_alpn>("-expect-alpn"),
    on<&O::expect_session_miss>("-expect-session-miss"),
    on<&O::expect_no_session>("-expect-no-session"),
    on<&O::expect_ticket_renewal>("-expect-ticket-renewal"),
    on<&O::expect_extended_main_secret>("-expect-extended-master-secret"),
    on<&O::expect_secure_renegotiation>("-expect-secure-renegotiation"),
    number<&O::expect_total_renegotiations>("-expect-total-renegotiations"),
    on<&O::expect_ticket_supports_early_data>("-expect-ticket-supports-early-data"),
    on<&O::expect_accept_early_data>("-expect-accept-early-data"),
    on<&O::expect_reject_early_data>("-expect-reject-early-data"),
    on<&O::expect_no_offer_early_data>("-expect-no-offer-early-data"),
    text<&O::expect_early_data_reason>("-expect-early-data-reason"),
    text<&O::expect_peer_cert_file>("-expect-peer-cert-file"),
    on<&O::expect_no_peer_cert>("-expect-no-peer-cert"),
    base64<&O::expect_ocsp_response>("-expect-ocsp-response"),
    base64<&O::expect_signed_cert_timestamps>("-expect-signed-cert-timestamps"),
    number<&O::expect_selected_credential>("-expect-selected-credential"),
    numbers<&O::expect_peer_verify_preferences>("-expect-peer-verify-pref"),
    Flag{"-expect-client-ca-list", true,
         [](ConnectionOptions& options, std::string_view value) {
           options.expect_client_ca_list = value;
           return true;
         }},
    number<&O::expect_peer_certificate_type>("-expect-peer-certificate-type"),
    base64<&O::expect_peer_rpk_sha256>("-expect-peer-rpk-sha256"),
    // The verdict is always compared with what it should have been.
    granted("-expect-verify-result"),
    base64<&O::expect_certificate_types>("-expect-certificate-types"),
    // There is no Encrypted Client Hello that could change the name.
    granted("-expect-no-ech-name-override"),
    // Said to a client, that means nothing.
    granted("-require-any-client-certificate"),
    // Nothing is ever renegotiated: a flag that allows it, and one that has requests for it passed over, change nothing.
    granted("-renegotiate-freely"),
    granted("-renegotiate-ignore"),
    granted("-forbid-renegotiation-after-handshake"),
    // Which is why a server need not know RFC 5746, either.
    granted("-no-legacy-server-connect"),
    // May be done, need not be.
    granted("-false-start"),
};

const Flag* find(std::string_view name) {
  for (const Flag& flag : flags)
    if (flag.name == name)
      return &flag;
  return nullptr;
}

std::unexpected<Refusal> unimplemented(Complaint reason) { return std::unexpected(Refusal{true, std::move(reason)}); }
std::unexpected<Refusal> nonsense(Complaint reason) { return std::unexpected(Refusal{false, std::move(reason)}); }

} // namespace

std::expected<RunOptions, Refusal> parse(std::span<char* const> arguments) {
  RunOptions run;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    ConnectionOptions* only = nullptr;
    const auto prefixed = [&name](std::string_view prefix) {
      if (!name.starts_with(prefix) || !name.substr(prefix.size()).starts_with('-'))
        return false;
      name.remove_prefix(prefix.size());
      return true;
    };
    // "On the shim" is where this always runs.
    (void)prefixed("-on-shim");
    if (prefixed("-on-initial"))
      only = &run.initial;
    else if (prefixed("-on-resume"))
      only = &run.resume;
    else if (prefixed("-on-retry"))
      only = &run.retry;

    const Flag* flag = find(name);
    if (!flag)
      return unimplemented("no such flag: " + std::string(name));
    std::string_view value;
    if (flag->takes_value) {
      if (i + 1 == arguments.size())
        return nonsense("a value is missing behind " + std::string(name));
      value = arguments[++i];
    }
    for (ConnectionOptions* options : {&run.initial, &run.resume, &run.retry})
      if ((!only || only == options) && !flag->apply(*options, value))
        return nonsense("not a value for " + std::string(name) + ": " + std::string(value));
  }
  return run;
}

std::optional<Octets> decode_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  Octets octets;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const std::size_t value = alphabet.find(letter);
    if (value == std::string_view::npos)
      return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      octets.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return octets;
}

} // namespace bogo
