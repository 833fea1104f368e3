// What the runner asks of the shim: its command line, read.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bogo {

using Octets = std::vector<std::uint8_t>;
/// What went wrong, in a sentence.
using Complaint = std::string;
using Outcome = std::expected<void, Complaint>;

enum class CredentialKind : std::uint8_t { x509, raw_public_key, pre_shared_key };

/// One way for the client to show who it is. A -new-…-credential flag starts one; later flags add to it.
struct CredentialOptions {
  CredentialKind kind = CredentialKind::x509;
  std::string certificate_file;
  std::string key_file;
  std::vector<std::uint16_t> signing_preferences;
  Octets ocsp_response;
  Octets sct_list;
  bool must_match_issuer = false;
  Octets psk_key;
  Octets psk_identity;
  Octets psk_context;
  bool psk_sha384 = false;
};

/// What one connection is to do, and what to expect of it.
struct ConnectionOptions {
  // Whom to call.
  std::uint16_t port = 0;
  bool ipv6 = false;
  std::uint64_t shim_id = 0;
  unsigned resume_count = 0;
  bool is_handshaker_supported = false;

  // How to connect.
  bool async = false;
  bool implicit_handshake = false;
  std::uint16_t min_version = 0;
  std::uint16_t max_version = 0;
  bool no_tls10 = false;
  bool no_tls11 = false;
  bool no_tls12 = false;
  bool no_tls13 = false;
  bool without_aes = false;
  std::string host_name;
  std::string trust_cert;
  std::vector<std::uint16_t> curves;
  std::optional<std::vector<std::uint16_t>> key_shares;
  std::vector<std::uint16_t> verify_preferences;
  std::string advertise_alpn;
  CredentialOptions plain_credential;
  std::vector<CredentialOptions> credentials;
  bool verify_peer = false;
  bool verify_fail = false;
  bool use_custom_verify_callback = false;
  bool reverify_on_resume = false;
  bool enable_grease = false;
  bool no_ticket = false;
  bool enable_early_data = false;
  std::uint8_t early_write_after_message = 0;
  bool enable_ocsp_stapling = false;
  bool enable_signed_cert_timestamps = false;
  bool use_ocsp_callback = false;
  bool fail_ocsp_callback = false;
  bool fail_cert_callback = false;
  bool install_cert_compression_algs = false;
  std::uint16_t install_one_cert_compression_alg = 0;
  bool fips_202205 = false;
  bool wpa_202304 = false;
  bool cnsa1_202603 = false;
  bool cnsa2_202603 = false;
  std::vector<std::uint8_t> accepted_peer_cert_types;
  std::vector<std::uint8_t> available_client_cert_types;
  unsigned resumption_delay = 0;

  // What to do when connected.
  bool shim_writes_first = false;
  std::string shim_initial_write = "hello";
  unsigned repeat_shim_initial_write = 1;
  bool write_different_record_sizes = false;
  bool shim_shuts_down = false;
  bool check_close_notify = false;
  unsigned read_size = 0;
  bool key_update = false;
  bool key_update_before_read = false;
  unsigned export_keying_material = 0;
  std::string export_label;
  std::string export_context;
  bool use_export_context = false;
  bool export_traffic_secrets = false;
  bool read_with_unfinished_write = false;
  bool peek_then_read = false;
  bool send_alert = false;
  bool tls_unique = false;

  // What to expect.
  std::uint16_t expect_version = 0;
  std::uint16_t expect_cipher = 0;
  std::uint16_t expect_cipher_aes = 0;
  std::uint16_t expect_curve_id = 0;
  std::uint16_t expect_peer_signature_algorithm = 0;
  bool expect_hrr = false;
  bool expect_no_hrr = false;
  std::string expect_alpn;
  bool expect_session_miss = false;
  bool expect_no_session = false;
  bool expect_ticket_renewal = false;
  bool expect_extended_main_secret = false;
  bool expect_secure_renegotiation = false;
  unsigned expect_total_renegotiations = 0;
  bool expect_ticket_supports_early_data = false;
  bool expect_accept_early_data = false;
  bool expect_reject_early_data = false;
  bool expect_no_offer_early_data = false;
  std::string expect_early_data_reason;
  std::string expect_peer_cert_file;
  bool expect_no_peer_cert = false;
  Octets expect_ocsp_response;
  Octets expect_signed_cert_timestamps;
  std::optional<int> expect_selected_credential;
  std::vector<std::uint16_t> expect_peer_verify_preferences;
  std::optional<std::string> expect_client_ca_list;
  Octets expect_certificate_types;
  std::optional<unsigned> expect_peer_certificate_type;
  Octets expect_peer_rpk_sha256;
};

/// The three settings of one run: for the first connection, for those after it, and for what goes on on a connection
/// whose early data was rejected.
struct RunOptions {
  ConnectionOptions initial;
  ConnectionOptions resume;
  ConnectionOptions retry;
};

/// Why a command line cannot be served.
struct Refusal {
  /// True: it asks for something that is not there; false: it makes no sense.
  bool unimplemented = true;
  Complaint reason;
};

/// Reads the arguments (without the program's name).
[[nodiscard]] std::expected<RunOptions, Refusal> parse(std::span<char* const> arguments);

/// Base64 without line breaks; nothing when it is malformed.
[[nodiscard]] std::optional<Octets> decode_base64(std::string_view text);

} // namespace bogo
