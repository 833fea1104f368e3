// Servers without certificates: raw public keys (RFC 7250).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/client/server_name.hpp>
#include <tlsconnect/client/verifier.hpp>
#include <tlsconnect/crypto/public_key.hpp>
#include <tlsconnect/verify/key_pins.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Judges a server that shows a public key and no certificate: nothing but the key itself can be recognised. Connections
/// share it, so it must be safe in several threads.
class RawPublicKeyVerifier {
public:
  RawPublicKeyVerifier() noexcept;
  RawPublicKeyVerifier(const RawPublicKeyVerifier&) = delete;
  RawPublicKeyVerifier& operator=(const RawPublicKeyVerifier&) = delete;
  virtual ~RawPublicKeyVerifier() = default;

  /// Accepts the key as this server's, with one sentence for a person that says why; or an error of the group
  /// `certificate`. That the server holds the key is checked elsewhere, and always.
  [[nodiscard]] virtual Result<std::string> verify(const PublicKey& key, const ServerName& name) const noexcept = 0;
  /// True: verify() is not called; the connection halts with Interest::verdict.
  [[nodiscard]] virtual bool decides_later() const noexcept { return false; }
  /// As CertificateVerifier::trust_identity.
  [[nodiscard]] virtual TrustIdentity trust_identity() const;

private:
  std::array<std::uint8_t, 16> object_identity_{};
};

/// Accepts the keys that it was given, whatever the server's name, or the keys that are pinned for it.
class PinnedPublicKeys final : public RawPublicKeyVerifier {
public:
  /// `no_trust_anchors` without any key.
  [[nodiscard]] static Result<std::shared_ptr<const PinnedPublicKeys>> create(std::vector<PublicKey> keys) noexcept;
  /// The pins that stand alone: there is nothing that a raw public key could be on top of. `no_trust_anchors` when there
  /// are none. Servers without such pins are refused.
  [[nodiscard]] static Result<std::shared_ptr<const PinnedPublicKeys>> create(KeyPins pins) noexcept;

  [[nodiscard]] Result<std::string> verify(const PublicKey& key, const ServerName& name) const noexcept override;
  /// The hash of the keys, or of the pins.
  [[nodiscard]] TrustIdentity trust_identity() const override;

private:
  explicit PinnedPublicKeys(std::vector<PublicKey> keys) noexcept : keys_(std::move(keys)) {}
  explicit PinnedPublicKeys(KeyPins pins) noexcept : pins_(std::move(pins)) {}
  std::vector<PublicKey> keys_;
  KeyPins pins_; // one of the two is empty
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/raw_public_key.ipp>
#endif
