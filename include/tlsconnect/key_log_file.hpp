// A key log in a file, for tools such as Wireshark (RFC 9850); on POSIX systems.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include <tlsconnect/base/error.hpp>
#include <tlsconnect/client/key_log.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// Appends each line to a file with one system call, so that lines of several threads, and of several programs that log
/// to the same file, do not mix.
class KeyLogFile final : public KeyLog {
public:
  /// Opens the file, or makes it, for its owner only (mode 0600). One that exists keeps its mode and its content. The
  /// descriptor is not passed on to other programs. Fails with `configuration_invalid`, and the system's error number.
  [[nodiscard]] static Result<std::shared_ptr<KeyLogFile>> open(const std::string& path) noexcept;
  ~KeyLogFile() override;

  void write(std::string_view line) noexcept override;
  /// Whether a line was lost, or only in part written: to a full disk, for example.
  [[nodiscard]] bool incomplete() const noexcept { return incomplete_.load(std::memory_order_relaxed); }

private:
  KeyLogFile() = default;
  int descriptor_ = -1;
  std::atomic<bool> incomplete_{false};
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/key_log_file.ipp>
#endif
