// A key log in a file: system calls.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tlsconnect/key_log_file.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<std::shared_ptr<KeyLogFile>> KeyLogFile::open(const std::string& path) noexcept {
  try {
    std::shared_ptr<KeyLogFile> file(new KeyLogFile());
    int os_error = ENOENT;
    // A zero byte would end the name early, and another file would be opened.
    if (path.find('\0') == std::string::npos) {
      do
        file->descriptor_ =
            ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
      while (file->descriptor_ < 0 && errno == EINTR);
      os_error = errno;
    }
    if (file->descriptor_ < 0)
      return std::unexpected(Error::from_transport(ErrorCode::configuration_invalid, os_error, "KeyLogFile",
                                                   path + ": " + std::strerror(os_error)));
    return file;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "KeyLogFile");
  }
}

TLSCONNECT_DECL KeyLogFile::~KeyLogFile() {
  if (descriptor_ >= 0)
    (void)::close(descriptor_);
}

TLSCONNECT_DECL void KeyLogFile::write(std::string_view line) noexcept {
  // A regular file takes all of it at once, unless the disk is full; a pipe or a terminal need not.
  std::string_view end = "\n";
  while (!end.empty()) {
    // An iovec points to what is only read as if it could be changed, because readv has the same.
    const iovec parts[2] = {{const_cast<char*>(line.data()), line.size()}, {const_cast<char*>(end.data()), end.size()}};
    const ssize_t result = ::writev(descriptor_, parts, 2);
    if (result < 0 && errno == EINTR)
      continue;
    if (result <= 0) {
      incomplete_.store(true, std::memory_order_relaxed);
      return;
    }
    const auto written = static_cast<std::size_t>(result);
    const std::size_t of_line = std::min(written, line.size());
    line.remove_prefix(of_line);
    end.remove_prefix(written - of_line);
  }
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
