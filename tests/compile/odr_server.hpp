// A TLS server for the program of two files. Its own file knows nothing of this library, so that only the two files
// under test contain the library's bodies.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

class OdrServer {
public:
  OdrServer();
  ~OdrServer();
  void feed(std::span<const std::uint8_t> bytes);
  std::vector<std::uint8_t> take_output();
  std::string take_received();
  bool send(std::string_view text);
  /// The root that the server's certificate leads to, and a time at which it is valid.
  [[nodiscard]] const std::vector<std::uint8_t>& root() const;
  [[nodiscard]] static std::int64_t time();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
