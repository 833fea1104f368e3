// What the tests of this folder share: bytes from hexadecimal, and random sources that can be foreseen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/source.hpp>

namespace test {

inline unsigned hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  throw std::invalid_argument("not a hexadecimal digit");
}

inline tlsconnect::ByteVector hex(std::string_view text) {
  if (text.size() % 2 != 0)
    throw std::invalid_argument("an odd number of hexadecimal digits");
  tlsconnect::ByteVector bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(hex_digit(text[i]) * 16 + hex_digit(text[i + 1])));
  return bytes;
}

inline tlsconnect::ByteVector repeated(std::size_t count, unsigned value) {
  return tlsconnect::ByteVector(count, static_cast<std::uint8_t>(value));
}

/// `first`, `first + 1`, … `last`.
inline tlsconnect::ByteVector counted(unsigned first, unsigned last) {
  tlsconnect::ByteVector bytes;
  for (unsigned value = first; value <= last; ++value)
    bytes.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

inline tlsconnect::ByteVector joined(tlsconnect::BytesView a, tlsconnect::BytesView b) {
  tlsconnect::ByteVector bytes(a.begin(), a.end());
  bytes.insert(bytes.end(), b.begin(), b.end());
  return bytes;
}

inline tlsconnect::ByteVector copied(tlsconnect::BytesView bytes) { return {bytes.begin(), bytes.end()}; }

inline bool all_zero(tlsconnect::BytesView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// Gives out the bytes it was made of, in order, and fails when too few are left.
class ScriptedRng final : public tlsconnect::Rng {
public:
  explicit ScriptedRng(tlsconnect::ByteVector script) : script_(std::move(script)) {}
  bool fill(tlsconnect::Bytes out) noexcept override {
    draws_.push_back(out.size());
    if (out.size() > script_.size() - position_)
      return false;
    std::copy_n(script_.begin() + static_cast<std::ptrdiff_t>(position_), out.size(), out.begin());
    position_ += out.size();
    return true;
  }
  /// How long each draw was, failed ones too.
  [[nodiscard]] const std::vector<std::size_t>& draws() const { return draws_; }

private:
  tlsconnect::ByteVector script_;
  std::size_t position_ = 0;
  std::vector<std::size_t> draws_;
};

} // namespace test
