// HMAC and HKDF (RFC 2104, RFC 5869), HKDF-Expand-Label (RFC 9846, 7.1), and the PRF of TLS 1.2 (RFC 5246, 5).
#pragma once

#include <string_view>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/suites.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// HMAC; `out` must be exactly hash_length(hash) long.
[[nodiscard]] Result<> hmac(HashAlgorithm hash, BytesView key, BytesView data, Bytes out) noexcept;

/// HKDF-Extract (RFC 5869, 2.2); `out` must be exactly hash_length(hash) long. An empty salt counts as
/// hash_length(hash) zero bytes.
[[nodiscard]] Result<> hkdf_extract(HashAlgorithm hash, BytesView salt, BytesView input_key_material,
                                    Bytes out) noexcept;

/// HKDF-Expand (RFC 5869, 2.3); `out` may be up to 255 * hash_length(hash) bytes.
[[nodiscard]] Result<> hkdf_expand(HashAlgorithm hash, BytesView pseudo_random_key, BytesView info, Bytes out) noexcept;

/// HKDF-Expand-Label (RFC 9846, 7.1). `label` comes without its "tls13 " and has at most 249 bytes, `context`
/// at most 255.
[[nodiscard]] Result<> hkdf_expand_label(HashAlgorithm hash, BytesView secret, std::string_view label,
                                         BytesView context, Bytes out) noexcept;

/// PRF(secret, label, seed) of TLS 1.2 (RFC 5246, 5): P_hash of the label and the two parts of the seed. It gives as many
/// bytes as `out` has.
[[nodiscard]] Result<> prf_tls12(HashAlgorithm hash, BytesView secret, std::string_view label, BytesView seed,
                                 BytesView more_seed, Bytes out) noexcept;

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/kdf.ipp>
#endif
