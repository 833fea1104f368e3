// Keys that a server must show: pins of SubjectPublicKeyInfo (RFC 7469, 2.4), beside a path or instead of one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The SHA-256 of a key as certificates hold it, algorithm included (SubjectPublicKeyInfo in DER).
class KeyPin {
public:
  using Hash = std::array<std::uint8_t, 32>;
  explicit KeyPin(const Hash& hash) noexcept : hash_(hash) {}
  /// From Base64, as RFC 7469, 2.1.1 and curl's --pinnedpubkey have it; "sha256/" or "sha256//" may stand before it.
  /// `configuration_invalid` for anything else than 32 bytes.
  [[nodiscard]] static Result<KeyPin> parse(std::string_view text) noexcept;
  /// The pin of a key, or of a certificate's. Fails only when the hash cannot be calculated.
  [[nodiscard]] static Result<KeyPin> of(const PublicKey& key) noexcept;
  [[nodiscard]] static Result<KeyPin> of(const Certificate& certificate) noexcept;

  [[nodiscard]] const Hash& hash() const noexcept { return hash_; }
  /// In Base64.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const KeyPin&, const KeyPin&) = default;

private:
  Hash hash_;
};

/// What a pin is good for.
enum class PinUse : std::uint8_t {
  /// A path must be verified as without pins, and hold at least one pinned key: the server's, an authority's or the
  /// anchor's (RFC 7469, 2.6).
  on_top,
  /// The server's own key must be pinned, and that is all: no path, no names, no dates, no usages, no status and no
  /// timestamps are looked at, as with DANE-EE (RFC 7671, 5.1). The pin itself binds the key to the name. What remains is
  /// that the certificate can be read, that its key is one that this library uses and not too short, and that the server
  /// shows in the handshake that it holds the key.
  alone,
};

/// Which servers must show which keys; a value.
class KeyPins {
public:
  struct Entry {
    ServerName name;
    bool subdomains; ///< also for every name below this one
    PinUse use;
    std::vector<KeyPin> pins; ///< one of them is enough
  };

  /// Pins keys for a server, and for all names below its own if `subdomains` says so. Pin a second key that is not in use
  /// yet: without it, a server that loses the first is lost (RFC 7469, 4.3). `configuration_invalid` without any pin,
  /// for a name that has some already, and for an address with subdomains.
  [[nodiscard]] Result<> add(ServerName name, std::vector<KeyPin> pins, PinUse use, bool subdomains = false) noexcept;

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// The entry of the name itself, or else of the closest name above it that has subdomains; null: nothing is pinned.
  [[nodiscard]] const Entry* find(const ServerName& name) const noexcept;
  /// Whether any entry is for this use.
  [[nodiscard]] bool has(PinUse use) const noexcept;

private:
  std::vector<Entry> entries_;
};

/// Asks for pinned keys where there are some, and leaves every other server to another verifier. Its refusals are
/// `certificate_key_not_pinned`, besides those of the other.
class PinningVerifier final : public CertificateVerifier {
public:
  /// `next` verifies paths: for pins on top, and for servers without pins. It may be null when all pins are to stand alone;
  /// then servers without pins are refused. `no_trust_anchors` when it is missing; `configuration_invalid` without any
  /// pins, and for one that decides later, because nobody would ask for the pins then.
  [[nodiscard]] static Result<std::shared_ptr<const PinningVerifier>>
  create(KeyPins pins, std::shared_ptr<const CertificateVerifier> next) noexcept;

  [[nodiscard]] Result<VerifiedChain> verify(const PresentedCertificate& presented, const ServerName& name,
                                             std::int64_t unix_time) const noexcept override;
  /// What the other verifier says.
  [[nodiscard]] bool wants_status() const noexcept override { return next_ && next_->wants_status(); }
  /// The hash of the pins, and of the other verifier's identity.
  [[nodiscard]] TrustIdentity trust_identity() const override;

private:
  PinningVerifier(KeyPins pins, std::shared_ptr<const CertificateVerifier> next) noexcept
      : pins_(static_cast<KeyPins&&>(pins)), next_(static_cast<std::shared_ptr<const CertificateVerifier>&&>(next)) {}
  KeyPins pins_;
  std::shared_ptr<const CertificateVerifier> next_;
};

namespace detail {
/// Appends what makes two sets of pins differ.
void append_identity(ByteVector& to, const KeyPins& pins);
/// "sha256/… or sha256/…".
[[nodiscard]] std::string describe_pins(const KeyPins::Entry& entry);
} // namespace detail

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_pins.ipp>
#endif
