// Every cap on what the peer controls, in one table.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::limits {

/// Content of one record: 2^14 bytes (RFC 9846, 5.1).
inline constexpr std::size_t record_plaintext = 16'384;
/// What a protected record may carry: content, its type and padding together 2^14 + 1 (RFC 9846, 5.4), and at most
/// 255 bytes of expansion (5.2).
inline constexpr std::size_t record_ciphertext = record_plaintext + 256;
/// One handshake message with its header. Chains with post-quantum signatures need tens of kilobytes.
inline constexpr std::size_t handshake_message = 131'072;
/// Messages other than Certificate are never this long; they get a tighter cap.
inline constexpr std::size_t handshake_message_not_certificate = 65'536 + 4;
/// Certificates in one chain.
inline constexpr std::size_t certificate_chain = 64;
/// Pre-shared keys that one ClientHello offers, tickets and external ones together.
inline constexpr std::size_t offered_psks = 8;
/// Bytes that the external ones take of it, binders included: half of what the extensions of a hello can hold. A ticket,
/// key shares and a cookie need the rest.
inline constexpr std::size_t external_psks = 32'768;
/// Signed certificate timestamps with one certificate; two or three are usual.
inline constexpr std::size_t signed_certificate_timestamps = 32;
/// Signatures of logs that are checked for one certificate, whatever the server sends; each costs some 0.1 ms.
inline constexpr std::size_t timestamp_signature_checks = 32;
/// A server's hint which pre-shared key it means, in TLS 1.2 (RFC 4279, 5.3 asks for room for 128 bytes).
inline constexpr std::size_t psk_identity_hint = 1'024;
/// Names of authorities, and filters, in one CertificateRequest. A server that trusts a whole web's roots lists 150.
inline constexpr std::size_t certificate_authorities = 512;
inline constexpr std::size_t oid_filters = 32;
/// A Certificate message after decompression (RFC 8879, 4), in bytes.
inline constexpr std::size_t decompressed_certificate = 131'072;
/// Bytes of tickets that one connection keeps for resumption; servers send one to four of a few hundred bytes.
inline constexpr std::size_t ticket = 16'384;
/// Seconds that a ticket may be used, whatever the server says (RFC 9846, 4.6.1).
inline constexpr std::uint32_t ticket_lifetime = 604'800;
/// Extensions in one block. The registry has about 60.
inline constexpr std::size_t extensions = 64;
/// Records without content in a row (RFC 9846, 5.4 allows them as cover traffic).
inline constexpr unsigned empty_records = 32;
/// Warning alerts in a row: all of them are ignored in TLS 1.2, user_canceled alone in TLS 1.3.
inline constexpr unsigned warning_alerts = 4;
/// change_cipher_spec records during a handshake. One is usual; each is dropped (RFC 9846, 5).
inline constexpr unsigned change_cipher_specs = 32;
/// KeyUpdate messages without application data between them.
inline constexpr unsigned key_updates = 32;
/// Messages after the handshake without application data between them, tickets above all.
inline constexpr unsigned post_handshake_messages = 64;
/// Names that a failed verification lists in its message.
inline constexpr std::size_t names_in_message = 16;
/// Extensions in one certificate; a dozen are usual.
inline constexpr std::size_t certificate_extensions = 64;
/// Certificates in one path, the server's and the trust anchor included. The web's have two to four.
inline constexpr std::size_t path_length = 10;
/// Signatures that the search for a path checks, whatever the server sends; a usual chain takes one or two. The most
/// expensive keys that are accepted take some 5 ms each on a slow machine (P-521, RSA with 8192 bits), so this is the
/// bound on what a chain can cost: below 200 ms.
inline constexpr std::size_t path_signature_checks = 32;
/// Issuers that the search tries, with repetitions. A chain of cross-signed authorities takes a dozen; each costs some
/// microseconds.
inline constexpr std::size_t path_candidates = 1'000;
/// Paths that lead to an anchor and break a rule before the search gives up; each is judged in full.
inline constexpr std::size_t path_refusals = 32;
/// Comparisons of a name with a subtree of nameConstraints, over the whole search; each costs some 20 ns.
inline constexpr std::size_t name_constraint_comparisons = 200'000;
/// Signatures of certificates that a VerifiedChainCache remembers unless it is told otherwise; each takes some 100 bytes.
inline constexpr std::size_t remembered_signatures = 256;
/// An OCSP response that is stapled to a certificate, in bytes; those of the web have 300 to 3000.
inline constexpr std::size_t ocsp_response = 65'536;
/// Certificates that it speaks of; one is usual.
inline constexpr std::size_t ocsp_single_responses = 32;
/// Certificates of its responder that it brings along; none or one is usual.
inline constexpr std::size_t ocsp_certificates = 8;
/// Signatures on stapled responses, on their responders' certificates and on lists of revoked certificates that are checked
/// for one chain, besides those of its path.
inline constexpr std::size_t status_signature_checks = 16;
/// One list of revoked certificates that the caller supplies, in bytes.
inline constexpr std::size_t crl = std::size_t{16} * 1024 * 1024;
/// Reasons that a failed verification lists in its message.
inline constexpr std::size_t findings_in_message = 8;
/// Records that one key may seal before this side sends a KeyUpdate: AES-GCM is safe up to 2^24.5 full records
/// (RFC 9846, 5.5); half a step below leaves room for the KeyUpdate itself.
inline constexpr std::uint64_t records_per_key_aes_gcm = std::uint64_t{1} << 24;
/// ChaCha20-Poly1305 has no such limit but the sequence number (RFC 9846, 5.3 and 5.5).
inline constexpr std::uint64_t records_per_key_chacha20 = std::uint64_t{1} << 62;
/// Seconds that a session of TLS 1.2 may be used for which the server names no lifetime (RFC 5246, F.1.4).
inline constexpr std::uint32_t session12_lifetime = 86'400;
/// How often one side may update its key: the number of an epoch has 48 bits (RFC 9846, 4.6.3).
inline constexpr std::uint64_t key_epochs = (std::uint64_t{1} << 48) - 1;
/// Ciphertext that may wait for the transport before `encrypt` takes no more, in bytes.
inline constexpr std::size_t pending_output = 65'536 + 1'024;

} // namespace tlsconnect::inline TLSCONNECT_ABI::limits
