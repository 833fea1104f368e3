// Trust anchors from texts, files, folders and the system.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/certificate_fields.hpp>
#include <tlsconnect/verify/platform_trust.hpp>
#include <tlsconnect/verify/trust_anchors.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

/// A file with trust anchors larger than this is a mistake: the stores of operating systems have some 250 KB.
inline constexpr std::size_t trust_file_size_max = std::size_t{16} * 1024 * 1024;

/// Where systems keep one file with all of their anchors; the first that has any is taken.
inline constexpr auto system_trust_files = std::to_array<const char*>({
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Gentoo, NixOS, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL, CentOS
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/etc/ssl/cert.pem",                                 // Alpine, OpenBSD, FreeBSD
    "/usr/local/etc/ssl/cert.pem",                       // FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD, DragonFly
    "/etc/openssl/certs/ca-certificates.crt",            // NetBSD
});
/// Where others keep a folder of them.
inline constexpr auto system_trust_folders = std::to_array<const char*>({
    "/etc/ssl/certs",               // openSUSE, Debian
    "/etc/pki/tls/certs",           // Fedora, RHEL
    "/etc/openssl/certs",           // NetBSD
    "/system/etc/security/cacerts", // Android
});

/// The whole of a file, or why it cannot be read.
inline std::expected<std::string, std::string> read_trust_file(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file)
    return std::unexpected(std::string(std::strerror(errno)));
  std::string text;
  std::vector<char> buffer(65'536);
  for (;;) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    text.append(buffer.data(), count);
    if (text.size() > trust_file_size_max)
      return std::unexpected(std::string("larger than 16 MiB"));
    if (count < buffer.size())
      break;
  }
  if (std::ferror(file.get()) != 0)
    return std::unexpected(std::string(std::strerror(errno)));
  return text;
}

/// The folders that a list names, separated by colons.
inline std::vector<std::string> split_folders(std::string_view list) {
  std::vector<std::string> folders;
  while (!list.empty()) {
    const std::size_t colon = std::min(list.find(':'), list.size());
    if (colon > 0)
      folders.emplace_back(list.substr(0, colon));
    list.remove_prefix(std::min(colon + 1, list.size()));
  }
  return folders;
}

/// Calls `load`, and turns memory that ran out into an Error.
template <class Load>
[[nodiscard]] Result<TrustAnchors> guard_loading(Load&& load) noexcept {
  try {
    return load();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    return fail(ErrorCode::trust_anchor_unreadable);
  }
}

} // namespace detail

TLSCONNECT_DECL void TrustAnchors::add(const Certificate& certificate) { take_der(to_vector(certificate.der()), {}); }

TLSCONNECT_DECL void TrustAnchors::take_der(ByteVector der, const std::string& source) {
  if (const auto fields = detail::read_certificate_fields(der); !fields) {
    skipped_.push_back(source + ": " + std::string(fields.error()));
    return;
  }
  for (const ByteVector& known : encoded_)
    if (equal(known, der))
      return;
  encoded_.push_back(std::move(der));
}

TLSCONNECT_DECL std::vector<Certificate> TrustAnchors::certificates() const {
  std::vector<Certificate> all;
  all.reserve(encoded_.size());
  for (const ByteVector& der : encoded_)
    if (Result<Certificate> certificate = Certificate::from_der(der))
      all.push_back(std::move(*certificate));
  return all;
}

TLSCONNECT_DECL void TrustAnchors::add(const TrustAnchors& other) {
  if (&other == this)
    return;
  for (const ByteVector& der : other.encoded_)
    take_der(der, {});
  sources_.insert(sources_.end(), other.sources_.begin(), other.sources_.end());
  skipped_.insert(skipped_.end(), other.skipped_.begin(), other.skipped_.end());
}

TLSCONNECT_DECL void TrustAnchors::take_text(std::string_view pem, const std::string& source) {
  std::size_t number = 0;
  while (const auto block = detail::next_pem_block(pem)) {
    // "TRUSTED CERTIFICATE", a form that carries rules of its own which nobody here would follow, is passed over like
    // keys and everything else.
    if (block->label != "CERTIFICATE" && block->label != "X509 CERTIFICATE")
      continue;
    ++number;
    const std::string place = source + ": certificate number " + std::to_string(number) + " in it";
    std::optional<ByteVector> der = detail::decode_base64(block->body);
    if (!block->complete)
      skipped_.push_back(place + ": its END line is missing");
    else if (!der)
      skipped_.push_back(place + ": what stands in it is not Base64");
    else
      take_der(std::move(*der), place);
  }
  if (number == 0)
    skipped_.push_back(source + ": there is no certificate in it");
}

TLSCONNECT_DECL void TrustAnchors::take_file(const std::string& path) {
  const auto text = detail::read_trust_file(path);
  if (!text) {
    skipped_.push_back(path + ": " + text.error());
    return;
  }
  // A certificate in DER is a SEQUENCE with a length of several bytes. The first of these two bytes alone is the digit
  // zero, with which the text before a PEM block may well begin.
  const bool der = text->size() > 1 && (*text)[0] == '\x30' && (static_cast<unsigned char>((*text)[1]) & 0x80U) != 0;
  if (!der) {
    take_text(*text, path);
    return;
  }
  take_der(to_vector(as_bytes(*text)), path);
}

TLSCONNECT_DECL void TrustAnchors::take_folder(const std::string& path) {
  struct Close {
    void operator()(DIR* folder) const noexcept { (void)::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir(path.c_str()));
  if (!folder) {
    skipped_.push_back(path + ": " + std::strerror(errno));
    return;
  }
  std::vector<std::string> files;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::string file = path + (path.ends_with('/') ? "" : "/") + entry->d_name;
    struct stat status{};
    // stat() follows links: stores are full of links, named by hash, to the real files.
    if (::stat(file.c_str(), &status) != 0)
      skipped_.push_back(file + ": " + std::strerror(errno));
    else if (S_ISREG(status.st_mode))
      files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end()); // the order within a folder is an accident
  for (const std::string& file : files)
    take_file(file);
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::finish(TrustAnchors&& found, std::string_view source) {
  if (!found.empty()) {
    found.sources_.emplace_back(source);
    return std::move(found);
  }
  std::string text = std::string(source) + ": no certificate could be read";
  constexpr std::size_t shown = 16;
  for (std::size_t i = 0; i < std::min(shown, found.skipped_.size()); ++i)
    text.append("; ").append(detail::printable(found.skipped_[i], 512));
  if (found.skipped_.size() > shown)
    text.append("; and ").append(std::to_string(found.skipped_.size() - shown)).append(" more");
  return fail(ErrorCode::trust_anchor_unreadable, {}, std::move(text));
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::from_pem(std::string_view pem) noexcept {
  return detail::guard_loading([pem] {
    TrustAnchors found;
    found.take_text(pem, "PEM text");
    return finish(std::move(found), "PEM text");
  });
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::from_der(BytesView der) noexcept {
  return detail::guard_loading([der]() -> Result<TrustAnchors> {
    TrustAnchors found;
    found.take_der(to_vector(der), "DER");
    return finish(std::move(found), "DER");
  });
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::from_file(const std::string& path) noexcept {
  return detail::guard_loading([&path] {
    TrustAnchors found;
    found.take_file(path);
    return finish(std::move(found), path);
  });
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::from_folder(const std::string& path) noexcept {
  return detail::guard_loading([&path] {
    TrustAnchors found;
    found.take_folder(path);
    return finish(std::move(found), path);
  });
}

TLSCONNECT_DECL Result<TrustAnchors> TrustAnchors::system() noexcept {
  return detail::guard_loading([]() -> Result<TrustAnchors> {
    // Whoever sets one of these variables means that store and no other: there is no falling back.
    const char* file = std::getenv("SSL_CERT_FILE");
    const char* folders = std::getenv("SSL_CERT_DIR");
    const bool has_file = file != nullptr && *file != '\0';
    const bool has_folders = folders != nullptr && *folders != '\0';
    if (has_file || has_folders) {
      TrustAnchors found;
      std::string source;
      if (has_file) {
        found.take_file(file);
        source.append("SSL_CERT_FILE=").append(file);
      }
      if (has_folders) {
        for (const std::string& folder : detail::split_folders(folders))
          found.take_folder(folder);
        source.append(source.empty() ? "" : ", ").append("SSL_CERT_DIR=").append(folders);
      }
      return finish(std::move(found), source);
    }

    TrustAnchors tried;
    if (detail::PlatformTrust platform = detail::read_platform_trust(); !platform.source.empty()) {
      for (ByteVector& der : platform.certificates)
        tried.take_der(std::move(der), platform.source);
      tried.skipped_.insert(tried.skipped_.end(), platform.skipped.begin(), platform.skipped.end());
      return finish(std::move(tried), platform.source);
    }
    const auto attempt = [&tried](const char* place, void (TrustAnchors::*take)(const std::string&)) {
      TrustAnchors found;
      (found.*take)(place);
      if (found.empty())
        tried.add(found);
      return found;
    };
    for (const char* place : detail::system_trust_files)
      if (TrustAnchors found = attempt(place, &TrustAnchors::take_file); !found.empty())
        return finish(std::move(found), place);
    for (const char* place : detail::system_trust_folders)
      if (TrustAnchors found = attempt(place, &TrustAnchors::take_folder); !found.empty())
        return finish(std::move(found), place);
    return finish(std::move(tried), "the system's trust store (set SSL_CERT_FILE to name one)");
  });
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
