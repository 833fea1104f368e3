// Whom the client trusts: from the system, or from what the caller gives.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/base/bytes.hpp>
#include <tlsconnect/base/error.hpp>
#include <tlsconnect/crypto/x509.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

/// A set of trust anchors, and a report of how it came about. A value: build it, add to it, give it to a
/// configuration. Every loading function fails (`trust_anchor_unreadable`) when it finds no certificate at all;
/// single certificates that cannot be read in an otherwise good file or folder are skipped and reported.
///
/// Loading looks at the shape of a certificate only: that it is DER, with all fields in their places. The rest is read
/// when a path needs it, which for most anchors is never, so that a store of 150 costs a program next to nothing.
///
/// To load a store again, build a configuration again: `build` of the same builder, after `trust_system()` or with a new
/// set. Connections keep the configuration that they were made with. Whoever wants to keep sessions across that gives
/// both configurations one session store; sessions are resumed only while the anchors are the same.
class TrustAnchors {
public:
  TrustAnchors() = default;

  /// The system's store, found at run time. SSL_CERT_FILE and SSL_CERT_DIR, when one of them is set, name it
  /// (SSL_CERT_DIR may list several folders, separated by colons). Otherwise macOS's keychains, with what the user and the
  /// administrator have said of single certificates, and Windows's stores ROOT and Disallowed are asked; elsewhere the
  /// places that Linux distributions and the BSDs use are tried in turn.
  [[nodiscard]] static Result<TrustAnchors> system() noexcept;
  /// Every certificate of a PEM text.
  [[nodiscard]] static Result<TrustAnchors> from_pem(std::string_view pem) noexcept;
  /// One certificate in DER.
  [[nodiscard]] static Result<TrustAnchors> from_der(BytesView der) noexcept;
  /// A file in PEM (any number of certificates) or DER (one).
  [[nodiscard]] static Result<TrustAnchors> from_file(const std::string& path) noexcept;
  /// Every regular file of a folder, not of folders in it.
  [[nodiscard]] static Result<TrustAnchors> from_folder(const std::string& path) noexcept;

  /// Adds one certificate; nothing happens when it is there already.
  void add(const Certificate& certificate);
  /// Adds all of another set, and its report.
  void add(const TrustAnchors& other);

  /// How many there are; the same certificate counts once.
  [[nodiscard]] std::size_t size() const noexcept { return encoded_.size(); }
  [[nodiscard]] bool empty() const noexcept { return encoded_.empty(); }
  /// In DER.
  [[nodiscard]] const std::vector<ByteVector>& encoded() const noexcept { return encoded_; }
  /// All of them, read now and whole; those that turn out not to be readable are left out.
  [[nodiscard]] std::vector<Certificate> certificates() const;
  /// Where they came from: file and folder names.
  [[nodiscard]] const std::vector<std::string>& sources() const noexcept { return sources_; }
  /// What could not be read: a file name and the reason.
  [[nodiscard]] const std::vector<std::string>& skipped() const noexcept { return skipped_; }

private:
  // These collect what they find and what they skip; finish() decides whether it was enough.
  void take_der(ByteVector der, const std::string& source);
  void take_text(std::string_view pem, const std::string& source);
  void take_file(const std::string& path);
  void take_folder(const std::string& path);
  [[nodiscard]] static Result<TrustAnchors> finish(TrustAnchors&& found, std::string_view source);

  std::vector<ByteVector> encoded_;
  std::vector<std::string> sources_;
  std::vector<std::string> skipped_;
};

} // namespace tlsconnect::inline TLSCONNECT_ABI

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#include <tlsconnect/impl/trust_anchors.ipp>
#endif
