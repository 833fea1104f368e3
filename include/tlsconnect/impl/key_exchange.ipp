// Key exchange, on Botan's X25519, elliptic curve points and ML-KEM.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <botan/ec_apoint.h>
#include <botan/ec_group.h>
#include <botan/ec_scalar.h>
#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/system_rng.h>
#include <botan/x25519.h>

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/crypto/botan.hpp>
#include <tlsconnect/crypto/key_exchange.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// An elliptic curve: RFC 9846, 4.2.8.2 (shares) and 7.4.2 (secrets: the x coordinate, with its leading zeros).
struct CurveFacts {
  NamedGroup group;
  std::string_view botan_name;
  std::size_t share;
  std::size_t secret;
};
/// FIPS 203, table 3; the secret has 32 bytes in each set.
struct KemFacts {
  Botan::ML_KEM_Mode::Mode mode;
  std::size_t encapsulation_key;
  std::size_t ciphertext;
};
inline constexpr std::size_t kem_secret_length = 32;
inline constexpr std::size_t kem_seed_length = 64;

/// What a group is made of: a curve, ML-KEM, or both. A hybrid's parts stand in its shares and in its secret in the
/// same order.
struct GroupFacts {
  std::optional<CurveFacts> curve;
  std::optional<KemFacts> kem;
  bool kem_first = false;
};

[[nodiscard]] constexpr std::optional<GroupFacts> facts_of(NamedGroup group) noexcept {
  constexpr CurveFacts secp256r1{NamedGroup::secp256r1, "secp256r1", 1 + 2 * 32, 32};
  constexpr CurveFacts secp384r1{NamedGroup::secp384r1, "secp384r1", 1 + 2 * 48, 48};
  constexpr CurveFacts secp521r1{NamedGroup::secp521r1, "secp521r1", 1 + 2 * 66, 66};
  constexpr CurveFacts x25519{NamedGroup::x25519, "x25519", 32, 32};
  constexpr KemFacts mlkem512{Botan::ML_KEM_Mode::ML_KEM_512, 800, 768};
  constexpr KemFacts mlkem768{Botan::ML_KEM_Mode::ML_KEM_768, 1184, 1088};
  constexpr KemFacts mlkem1024{Botan::ML_KEM_Mode::ML_KEM_1024, 1568, 1568};
  switch (group) {
  case NamedGroup::secp256r1:
    return GroupFacts{secp256r1, std::nullopt, false};
  case NamedGroup::secp384r1:
    return GroupFacts{secp384r1, std::nullopt, false};
  case NamedGroup::secp521r1:
    return GroupFacts{secp521r1, std::nullopt, false};
  case NamedGroup::x25519:
    return GroupFacts{x25519, std::nullopt, false};
  // draft-ietf-tls-mlkem: the encapsulation key goes to the server, the ciphertext comes back, and nothing is combined
  // with their secret.
  case NamedGroup::mlkem512:
    return GroupFacts{std::nullopt, mlkem512, true};
  case NamedGroup::mlkem768:
    return GroupFacts{std::nullopt, mlkem768, true};
  case NamedGroup::mlkem1024:
    return GroupFacts{std::nullopt, mlkem1024, true};
  // RFC 10024: X25519MLKEM768 puts ML-KEM first, the two with a NIST curve put the curve first.
  case NamedGroup::x25519_mlkem768:
    return GroupFacts{x25519, mlkem768, true};
  case NamedGroup::secp256r1_mlkem768:
    return GroupFacts{secp256r1, mlkem768, false};
  case NamedGroup::secp384r1_mlkem1024:
    return GroupFacts{secp384r1, mlkem1024, false};
  case NamedGroup::x448:
    break;
  }
  return std::nullopt;
}

/// The bytes of a private key, of at most secp521r1's length; wiped when they go.
struct PrivateBytes {
  PrivateBytes() = default;
  PrivateBytes(const PrivateBytes&) = delete;
  PrivateBytes& operator=(const PrivateBytes&) = delete;
  ~PrivateBytes() { wipe(bytes); }
  std::array<std::uint8_t, 66> bytes{};
};

/// Botan's scalar, which does not wipe itself.
struct PrivateScalar {
  explicit PrivateScalar(Botan::EC_Scalar&& scalar) noexcept : value(std::move(scalar)) {}
  PrivateScalar(const PrivateScalar&) = delete;
  PrivateScalar& operator=(const PrivateScalar&) = delete;
  ~PrivateScalar() { value.zeroize(); }
  Botan::EC_Scalar value;
};

[[nodiscard]] inline std::unexpected<Error> share_invalid(const char* reason) {
  return fail(ErrorCode::key_share_invalid, "key exchange", reason);
}

/// The key pair on one curve. Its functions throw what Botan throws.
class CurveKey {
public:
  /// Draws the key and writes the public one to `share`.
  [[nodiscard]] Result<> create(const CurveFacts& facts, Rng& rng, Bytes share) {
    if (facts.group == NamedGroup::x25519)
      return create_x25519(rng, share);
    group_.emplace(Botan::EC_Group::from_name(facts.botan_name));
    const std::size_t length = group_->get_order_bytes();
    if (length > scalar_.bytes.size())
      return fail(ErrorCode::crypto_failed, "key exchange", "the order of the curve is too long");
    // An order that ends within a byte would make most draws fail, so the bits above it are cleared.
    const auto mask = static_cast<std::uint8_t>(0xFFu >> (8 * length - group_->get_order_bits()));
    const Bytes bytes = std::span(scalar_.bytes).first(length);
    // A good source fails once with a chance of 2^-32 or less; one that fails this often is broken.
    for (int attempt = 0; attempt < 16; ++attempt) {
      if (!rng.fill(bytes))
        return fail(ErrorCode::random_source_failed, "key exchange");
      bytes[0] &= mask;
      // A private key is a number from 1 to the order less one; Botan refuses any other.
      auto drawn = Botan::EC_Scalar::deserialize(*group_, bytes);
      if (!drawn)
        continue;
      const PrivateScalar scalar(std::move(*drawn));
      // The system's randomness blinds the multiplication; it changes nothing in the result.
      Botan::EC_AffinePoint::g_mul(scalar.value, Botan::system_rng()).serialize_uncompressed_to(share);
      return {};
    }
    return fail(ErrorCode::random_source_failed, "key exchange", "no valid private key was drawn");
  }

  /// Appends the secret shared with the owner of `peer_share`, whose length was checked.
  [[nodiscard]] Result<> agree(const CurveFacts& facts, BytesView peer_share, SharedSecret& secret) const {
    Botan::secure_vector<std::uint8_t> value;
    if (x25519_) {
      value = x25519_->agree(peer_share.data(), peer_share.size());
      // RFC 9846, 7.4.2 and RFC 7748, 6.1: a share of small order makes the secret zero whatever our key is, and
      // must be refused.
      std::uint8_t any = 0;
      for (const std::uint8_t byte : value)
        any = static_cast<std::uint8_t>(any | byte);
      if (any == 0)
        return share_invalid("the X25519 share is a point of small order");
    } else {
      // RFC 9846, 4.2.8.2: the uncompressed form, which begins with 4, is the only one in TLS 1.3. Botan would take
      // others of the same length too.
      if (peer_share[0] != 4)
        return share_invalid("the point is not in the uncompressed form");
      // The same section: the point must be on the curve and not at infinity. Botan refuses coordinates that are
      // out of range or do not satisfy the equation; infinity has no uncompressed form.
      const auto point = Botan::EC_AffinePoint::deserialize(*group_, peer_share);
      if (!point)
        return share_invalid("the point is not on the curve");
      const BytesView own_bytes = std::span(scalar_.bytes).first(group_->get_order_bytes());
      auto own = Botan::EC_Scalar::deserialize(*group_, own_bytes);
      if (!own)
        return fail(ErrorCode::crypto_failed, "key exchange", "the private key is gone");
      const PrivateScalar scalar(std::move(*own));
      value = point->mul_x_only(scalar.value, Botan::system_rng());
    }
    if (value.size() != facts.secret || !secret.append(value))
      return fail(ErrorCode::crypto_failed, "key exchange", "the secret has the wrong length");
    return {};
  }

private:
  [[nodiscard]] Result<> create_x25519(Rng& rng, Bytes share) {
    const Bytes bytes = std::span(scalar_.bytes).first(32);
    if (!rng.fill(bytes))
      return fail(ErrorCode::random_source_failed, "key exchange");
    x25519_ =
        std::make_unique<Botan::X25519_PrivateKey>(bytes); // multiplies; the object is kept so that this happens once
    wipe(bytes);
    copy_bytes(x25519_->raw_public_key_bits(), share);
    return {};
  }

  // Of a secp curve the scalar is kept as bytes: Botan's form takes more memory, and reading it costs nothing beside
  // a multiplication.
  PrivateBytes scalar_;
  std::optional<Botan::EC_Group> group_;
  std::unique_ptr<Botan::X25519_PrivateKey> x25519_;
};

/// The ML-KEM key pair. Its functions throw what Botan throws.
class KemKey {
public:
  [[nodiscard]] Result<> create(const KemFacts& facts, Rng& rng, Bytes share) {
    // FIPS 203, algorithm 19: the seeds d and z, 32 bytes each.
    PrivateBytes seeds;
    const Bytes drawn = std::span(seeds.bytes).first(kem_seed_length);
    if (!rng.fill(drawn))
      return fail(ErrorCode::random_source_failed, "key exchange");
    key_ = std::make_unique<Botan::ML_KEM_PrivateKey>(drawn, Botan::ML_KEM_Mode(facts.mode));
    const auto encapsulation_key = key_->raw_public_key_bits();
    if (encapsulation_key.size() != share.size())
      return fail(ErrorCode::crypto_failed, "key exchange", "the encapsulation key has the wrong length");
    copy_bytes(encapsulation_key, share);
    return {};
  }

  /// Appends the secret in `ciphertext`, whose length was checked (RFC 10024; draft-ietf-tls-mlkem; FIPS 203, 7.3). Any
  /// bytes of that length decapsulate to something: a wrong ciphertext shows when the server's Finished does not verify.
  [[nodiscard]] Result<> agree(BytesView ciphertext, SharedSecret& secret) const {
    Botan::PK_KEM_Decryptor decryptor(*key_, Botan::system_rng(), "Raw");
    PrivateBytes value;
    const Bytes out = std::span(value.bytes).first(kem_secret_length);
    decryptor.decrypt(out, ciphertext, kem_secret_length);
    if (!secret.append(out))
      return fail(ErrorCode::crypto_failed, "key exchange", "the secret has the wrong length");
    return {};
  }

private:
  std::unique_ptr<Botan::ML_KEM_PrivateKey> key_;
};

} // namespace detail

TLSCONNECT_DECL std::optional<GroupLengths> lengths_of(NamedGroup group) noexcept {
  const auto facts = detail::facts_of(group);
  if (!facts)
    return std::nullopt;
  GroupLengths lengths{};
  if (facts->curve)
    lengths = {facts->curve->share, facts->curve->share, facts->curve->secret};
  if (facts->kem) {
    lengths.client_share += facts->kem->encapsulation_key;
    lengths.server_share += facts->kem->ciphertext;
    lengths.shared_secret += detail::kem_secret_length;
  }
  return lengths;
}

TLSCONNECT_DECL SharedSecret::SharedSecret(SharedSecret&& other) noexcept : size_(other.size_) {
  copy_bytes(other.view(), bytes_);
  wipe(other.bytes_);
  other.size_ = 0;
}

TLSCONNECT_DECL SharedSecret& SharedSecret::operator=(SharedSecret&& other) noexcept {
  if (this != &other) {
    wipe(bytes_);
    size_ = other.size_;
    copy_bytes(other.view(), bytes_);
    wipe(other.bytes_);
    other.size_ = 0;
  }
  return *this;
}

TLSCONNECT_DECL SharedSecret::~SharedSecret() { wipe(bytes_); }

TLSCONNECT_DECL bool SharedSecret::append(BytesView bytes) noexcept {
  if (bytes.size() > capacity - size_)
    return false;
  copy_bytes(bytes, std::span(bytes_).subspan(size_));
  size_ += bytes.size();
  return true;
}

struct KeyExchange::Impl {
  NamedGroup group;
  detail::GroupFacts facts;
  ByteVector share;
  detail::CurveKey curve;
  detail::KemKey kem;

  [[nodiscard]] bool is_hybrid() const noexcept { return facts.curve && facts.kem; }

  /// Where the parts of a share stand, given how long the curve's is.
  template <class Span>
  [[nodiscard]] Span curve_part(Span whole) const {
    return facts.kem_first ? whole.last(curve_share()) : whole.first(curve_share());
  }
  template <class Span>
  [[nodiscard]] Span kem_part(Span whole) const {
    const std::size_t length = whole.size() - curve_share();
    return facts.kem_first ? whole.first(length) : whole.last(length);
  }
  /// Calls `curve_step` and `kem_step` in the order in which the group has its parts.
  template <class CurveStep, class KemStep>
  [[nodiscard]] Result<> in_order(CurveStep curve_step, KemStep kem_step) const {
    if (!facts.kem)
      return curve_step();
    if (!facts.curve)
      return kem_step();
    if (Result<> first = facts.kem_first ? kem_step() : curve_step(); !first)
      return first;
    return facts.kem_first ? curve_step() : kem_step();
  }

private:
  [[nodiscard]] std::size_t curve_share() const noexcept { return facts.curve ? facts.curve->share : 0; }
};

TLSCONNECT_DECL KeyExchange::KeyExchange(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TLSCONNECT_DECL KeyExchange::KeyExchange(KeyExchange&&) noexcept = default;
TLSCONNECT_DECL KeyExchange& KeyExchange::operator=(KeyExchange&&) noexcept = default;
TLSCONNECT_DECL KeyExchange::~KeyExchange() = default;

TLSCONNECT_DECL Result<KeyExchange> KeyExchange::create(NamedGroup group, Rng& rng) noexcept {
  return detail::botan_guard(ErrorCode::crypto_failed, "key exchange", [&]() -> Result<KeyExchange> {
    const auto facts = detail::facts_of(group);
    const auto lengths = lengths_of(group);
    if (!facts || !lengths)
      return fail(ErrorCode::configuration_invalid, "key exchange", "this named group is not implemented");
    auto impl = std::make_unique<Impl>();
    impl->group = group;
    impl->facts = *facts;
    impl->share.resize(lengths->client_share);
    Impl& keys = *impl;
    const Bytes share(keys.share);
    Result<> made = keys.in_order([&] { return keys.curve.create(*facts->curve, rng, keys.curve_part(share)); },
                                  [&] { return keys.kem.create(*facts->kem, rng, keys.kem_part(share)); });
    if (!made)
      return std::unexpected(std::move(made).error());
    return KeyExchange(std::move(impl));
  });
}

TLSCONNECT_DECL NamedGroup KeyExchange::group() const noexcept { return impl_ ? impl_->group : NamedGroup{}; }

TLSCONNECT_DECL BytesView KeyExchange::client_share() const noexcept {
  return impl_ ? BytesView(impl_->share) : BytesView();
}

TLSCONNECT_DECL std::optional<NamedGroup> KeyExchange::component_group() const noexcept {
  if (!impl_ || !impl_->is_hybrid())
    return std::nullopt;
  return impl_->facts.curve->group;
}

TLSCONNECT_DECL BytesView KeyExchange::component_share() const noexcept {
  return component_group() ? impl_->curve_part(client_share()) : BytesView();
}

TLSCONNECT_DECL Result<SharedSecret> KeyExchange::agree(NamedGroup group, BytesView server_share) && noexcept {
  // Whatever comes of it, the keys die with this call.
  const std::unique_ptr<Impl> keys = std::move(impl_);
  return detail::botan_guard(ErrorCode::crypto_failed, "key exchange", [&]() -> Result<SharedSecret> {
    if (!keys)
      return fail(ErrorCode::crypto_failed, "key exchange", "the keys were used already");
    // RFC 9846, 4.2.8: the server answers a group for which the client has sent a share.
    const bool whole = group == keys->group;
    if (!whole && !(keys->is_hybrid() && group == keys->facts.curve->group))
      return fail(ErrorCode::group_not_offered, "key exchange");
    // RFC 9846, 4.2.8, RFC 10024 and draft-ietf-tls-mlkem: each group has shares of one length.
    if (const auto lengths = lengths_of(group); !lengths || server_share.size() != lengths->server_share)
      return fail(ErrorCode::key_share_invalid, "key exchange",
                  "the share has " + std::to_string(server_share.size()) + " bytes instead of " +
                      std::to_string(lengths ? lengths->server_share : 0));
    SharedSecret secret;
    Result<> made;
    if (whole)
      made =
          keys->in_order([&] { return keys->curve.agree(*keys->facts.curve, keys->curve_part(server_share), secret); },
                         [&] { return keys->kem.agree(keys->kem_part(server_share), secret); });
    else
      made = keys->curve.agree(*keys->facts.curve, server_share, secret);
    if (!made)
      return std::unexpected(std::move(made).error());
    return secret;
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
