// Values without meaning, offered so that servers stay tolerant of new ones (RFC 8701).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tlsconnect/wire/registry.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// The random choices of one ClientHello; the second hello after a HelloRetryRequest must repeat them.
class HelloChoices {
public:
  /// What is drawn from the configuration's Rng for them, in bytes.
  static constexpr std::size_t size = 64;
  std::array<std::uint8_t, size> drawn{};

  [[nodiscard]] CipherSuite cipher_suite() const noexcept { return static_cast<CipherSuite>(value(0)); }
  [[nodiscard]] NamedGroup group() const noexcept { return static_cast<NamedGroup>(value(1)); }
  [[nodiscard]] SignatureScheme signature_scheme() const noexcept { return static_cast<SignatureScheme>(value(5)); }
  [[nodiscard]] ProtocolVersion version() const noexcept { return static_cast<ProtocolVersion>(value(2)); }
  [[nodiscard]] ExtensionType first_extension() const noexcept { return static_cast<ExtensionType>(value(3)); }
  /// Never the same as the first: an extension may stand once.
  [[nodiscard]] ExtensionType last_extension() const noexcept {
    const std::uint16_t last = value(4);
    return static_cast<ExtensionType>(last == value(3) ? last ^ 0x1010 : last);
  }

  /// Brings the items in an order that follows from the choices (Fisher and Yates).
  template <class Items>
  void shuffle(Items& items) const noexcept {
    for (std::size_t left = items.size(), next = 8; left > 1 && next + 1 < size; --left, next += 2) {
      const auto random = static_cast<std::size_t>((drawn[next] << 8) | drawn[next + 1]);
      std::swap(items[left - 1], items[random % left]);
    }
  }

private:
  /// RFC 8701, 2: 0x0A0A, 0x1A1A, ... 0xFAFA.
  [[nodiscard]] std::uint16_t value(std::size_t which) const noexcept {
    return static_cast<std::uint16_t>(0x0A0A + 0x1010 * (drawn[which] & 0x0F));
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI
