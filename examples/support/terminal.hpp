// Text for a terminal: colours where they are wanted, columns that line up, and nothing that a server could smuggle in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

namespace example {

/// Colours on a terminal, unless NO_COLOR is set; plain text everywhere else.
class Style {
public:
  explicit Style(std::FILE* stream) : tty_(::isatty(::fileno(stream)) == 1) {
    const char* no_colour = std::getenv("NO_COLOR");
    colour_ = tty_ && (!no_colour || *no_colour == '\0');
  }
  [[nodiscard]] bool terminal() const { return tty_; }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return paint("1;31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
  [[nodiscard]] std::string blue(std::string_view text) const { return paint("36", text); }
  [[nodiscard]] std::string magenta(std::string_view text) const { return paint("35", text); }

private:
  [[nodiscard]] std::string paint(const char* code, std::string_view text) const {
    std::string out(text);
    if (colour_ && !text.empty())
      out = "\x1b[" + std::string(code) + "m" + out + "\x1b[0m";
    return out;
  }
  bool tty_;
  bool colour_;
};

/// Columns that a text takes: UTF-8 characters, without colour codes. (Wide characters do not occur in what is printed.)
inline std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm')
        ++i;
      continue;
    }
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U)
      ++columns;
  }
  return columns;
}

inline std::string left(std::string_view text, std::size_t columns) {
  std::string out(text);
  for (std::size_t used = width(text); used < columns; ++used)
    out.push_back(' ');
  return out;
}

inline std::string right(std::string_view text, std::size_t columns) {
  const std::size_t used = width(text);
  return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out.append(text);
  return out;
}

/// 12345 as "12 345".
inline std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t place = digits.size(); place > 3; place -= 3)
    digits.insert(place - 3, " ");
  return digits;
}

/// Milliseconds with one digit behind the point.
inline std::string milliseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", value);
  return text;
}

/// Text from the network with its control characters made visible, so that it cannot drive the terminal. Line feeds
/// and tabs stay if asked for.
inline std::string harmless(std::string_view text, bool keep_lines = false) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // 0xC2 0x80 to 0xC2 0x9F are control characters too, in UTF-8.
    const bool c1 = byte == 0xC2U && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xE0U) == 0x80U;
    if (keep_lines && byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n')
      continue;
    if (byte == 0x7FU || (byte < 0x20U && !(keep_lines && (byte == '\n' || byte == '\t'))) || c1) {
      out.append("\xEF\xBF\xBD"); // U+FFFD
      i += c1 ? 1 : 0;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

} // namespace example
