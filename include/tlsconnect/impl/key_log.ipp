// Lines of a key log.
#pragma once

#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/client/key_log.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL std::string key_log_line(std::string_view label, BytesView client_random, BytesView secret) {
  std::string line;
  // At once: what a growing string leaves behind would never be wiped.
  line.reserve(label.size() + 2 * client_random.size() + 2 * secret.size() + 2);
  line.append(label);
  for (const BytesView bytes : {client_random, secret}) {
    line += ' ';
    for (const std::uint8_t byte : bytes) {
      constexpr std::string_view digits = "0123456789abcdef";
      line += digits[byte >> 4];
      line += digits[byte & 15];
    }
  }
  return line;
}

TLSCONNECT_DECL void log_secret(KeyLog& log, std::string_view label, BytesView client_random,
                                BytesView secret) noexcept {
  try {
    std::string line = key_log_line(label, client_random, secret);
    log.write(line);
    wipe(line.data(), line.size());
  } catch (...) {
    // No memory for the line.
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
