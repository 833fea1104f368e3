// Credentials: put together and checked, and chosen for a server's request.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <expected>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/der.hpp>
#include <tlsconnect/base/secret.hpp>
#include <tlsconnect/client/credentials.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

struct Credential::Impl {
  std::vector<Certificate> chain;
  PublicKey public_key;
  std::shared_ptr<const Signer> signer;
  std::vector<SignatureScheme> schemes = {};
  ByteVector ocsp_response = {};
  ByteVector sct_list = {};
  bool required_issuer = false;
  // What selection compares, taken out of the certificates once.
  std::vector<ByteVector> issuers = {};
  std::optional<ByteVector> key_usage = {};
  std::optional<ByteVector> extended_key_usage = {};

  /// Checks what can be checked, whoever signs. Throws.
  [[nodiscard]] static Result<Credential> finish(Impl impl);
  /// With the key of the first certificate. Throws.
  [[nodiscard]] static Result<Credential> from_chain(std::vector<Certificate> chain,
                                                     std::shared_ptr<const Signer> signer);
};

namespace detail {

/// A key that this program holds, as a Signer.
class KeySigner final : public Signer {
public:
  explicit KeySigner(PrivateKey key) noexcept : key_(std::move(key)) {}
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_.schemes(); }
  [[nodiscard]] Result<ByteVector> sign(SignatureScheme scheme, BytesView content, Rng& rng) const noexcept override {
    return key_.sign(scheme, content, rng);
  }

private:
  PrivateKey key_;
};

[[nodiscard]] inline std::unexpected<Error> credential_invalid(std::string reason) noexcept {
  return fail(ErrorCode::credential_invalid, {}, std::move(reason));
}

/// Calls `make`, and turns memory that ran out into an Error.
template <class Make>
[[nodiscard]] Result<Credential> guard_credential(Make&& make) noexcept {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    return fail(ErrorCode::credential_invalid);
  }
}

// ---- files ----

/// What stands in a file that may hold a private key; wiped when it goes.
class KeyFile {
public:
  /// A file larger than this is a mistake.
  static constexpr std::size_t size_max = std::size_t{1024} * 1024;

  /// Or why it cannot be read. Throws when memory runs out.
  [[nodiscard]] static std::expected<KeyFile, std::string> read(const std::string& path) {
    struct Close {
      void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    if (!file)
      return std::unexpected(path + ": " + std::strerror(errno));
    // A buffer of the library's would keep a copy of the key.
    (void)std::setvbuf(file.get(), nullptr, _IONBF, 0);
    KeyFile contents;
    contents.bytes_.resize(size_max + 1);
    contents.size_ = std::fread(contents.bytes_.data(), 1, contents.bytes_.size(), file.get());
    if (std::ferror(file.get()) != 0)
      return std::unexpected(path + ": " + std::strerror(errno));
    if (contents.size_ > size_max)
      return std::unexpected(path + ": larger than 1 MiB");
    return contents;
  }

  KeyFile(KeyFile&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  KeyFile& operator=(KeyFile&&) = delete;
  ~KeyFile() { wipe(Bytes(bytes_).first(size_)); }

  [[nodiscard]] BytesView view() const noexcept { return BytesView(bytes_).first(size_); }
  [[nodiscard]] std::string_view text() const noexcept { return as_text(view()); }
  [[nodiscard]] bool is_pem() const noexcept { return text().find("-----BEGIN ") != std::string_view::npos; }

private:
  KeyFile() = default;
  ByteVector bytes_;
  std::size_t size_ = 0;
};

/// The same error under the name of the file that it is about.
[[nodiscard]] inline std::unexpected<Error> in_file(const std::string& path, ErrorCode code, const Error& error) {
  return fail(code, {}, path + ": " + std::string(error.detail()));
}

/// The certificates of a PEM text. Throws.
inline Result<std::vector<Certificate>> chain_from_pem(std::string_view pem) {
  auto chain = Certificate::from_pem(pem);
  if (!chain)
    return fail(chain.error().code() == ErrorCode::out_of_memory ? ErrorCode::out_of_memory
                                                                 : ErrorCode::credential_invalid,
                {}, std::string(chain.error().detail()));
  if (chain->empty())
    return credential_invalid("there is no certificate in the PEM text");
  return chain;
}

// ---- oid_filters ----

inline constexpr std::array<std::uint8_t, 5> key_usage_oid = {0x06, 0x03, 0x55, 0x1D, 0x0F};          // 2.5.29.15
inline constexpr std::array<std::uint8_t, 5> extended_key_usage_oid = {0x06, 0x03, 0x55, 0x1D, 0x25}; // 2.5.29.37

/// The bytes of a BIT STRING in DER; none when it is no such thing.
inline std::optional<BytesView> bits_of(BytesView der) noexcept {
  const auto item = only_der(der, der_bit_string);
  if (!item || item->contents.empty() || item->contents[0] > 7 ||
      (item->contents.size() == 1 && item->contents[0] != 0))
    return std::nullopt;
  return item->contents.subspan(1);
}

/// RFC 9846, 4.2.5: all bits of the request are set in the certificate's KeyUsage.
inline bool key_usage_matches(BytesView certificate, BytesView request) noexcept {
  const auto present = bits_of(certificate);
  const auto wanted = bits_of(request);
  if (!present || !wanted)
    return false;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const unsigned have = i < present->size() ? (*present)[i] : 0U;
    if (((*wanted)[i] & ~have) != 0)
      return false;
  }
  return true;
}

/// RFC 9846, 4.2.5: all purposes of the request stand in the certificate's ExtendedKeyUsage.
inline bool extended_key_usage_matches(BytesView certificate, BytesView request) noexcept {
  const auto present = only_der(certificate, der_sequence);
  const auto wanted = only_der(request, der_sequence);
  if (!present || !wanted)
    return false;
  BytesView wanted_rest = wanted->contents;
  while (!wanted_rest.empty()) {
    const auto purpose = next_der(wanted_rest);
    if (!purpose)
      return false;
    bool found = false;
    BytesView rest = present->contents;
    while (!found && !rest.empty()) {
      const auto one = next_der(rest);
      if (!one)
        return false;
      found = equal(one->whole, purpose->whole);
    }
    if (!found)
      return false;
  }
  return true;
}

/// RFC 9846, 4.2.5: the certificate has every extension of the request that this client knows, with all the values
/// that are asked for; what the client does not know is skipped.
inline bool filters_match(const Credential::Impl& credential, std::span<const OidFilters::Filter> filters) noexcept {
  for (const OidFilters::Filter& filter : filters) {
    const bool usage = equal(filter.oid, key_usage_oid);
    if (!usage && !equal(filter.oid, extended_key_usage_oid))
      continue;
    const std::optional<ByteVector>& extension = usage ? credential.key_usage : credential.extended_key_usage;
    if (!extension)
      return false;
    if (filter.values.empty())
      continue; // no value is asked for, only the extension
    if (!(usage ? key_usage_matches(*extension, filter.values) : extended_key_usage_matches(*extension, filter.values)))
      return false;
  }
  return true;
}

/// RFC 7250, 4.1: what is sent is of the type that was negotiated.
inline bool has_negotiated_type(const Credential& credential, const CertificateRequestFacts& request) noexcept {
  return credential.is_raw_public_key() == request.raw_public_key;
}

/// RFC 5246, 7.4.6 and RFC 8422, 5.5: in TLS 1.2 the key is of a type that is asked for. EdDSA counts as ECDSA.
inline bool has_listed_type(const Credential& credential, const CertificateRequestFacts& request) noexcept {
  if (!request.certificate_types)
    return true;
  const BytesView types = *request.certificate_types;
  const std::optional<Authentication12> kind = credential.public_key().authentication12();
  const std::uint8_t wanted = kind == Authentication12::rsa ? 1 : 64; // rsa_sign, ecdsa_sign
  return kind && std::find(types.begin(), types.end(), wanted) != types.end();
}

/// RFC 9846, 4.4.2.2 and 4.4.3; RFC 5246, 7.4.8: the scheme is one that the server listed, and one that the version
/// signs with, with this key. RFC 9846, 4.2.3: only TLS 1.3 binds ECDSA with a hash to one curve.
inline bool answers_with(const Credential& credential, const CertificateRequestFacts& request,
                         SignatureScheme scheme) noexcept {
  const PublicKey& key = credential.public_key();
  const bool signs = request.certificate_types ? signs_tls12(scheme) && key.fits_tls12(scheme)
                                               : signs_tls13(scheme) && key.fits(scheme);
  return signs && std::find(request.schemes.begin(), request.schemes.end(), scheme) != request.schemes.end();
}

/// RFC 9846, 4.4.2.2: at least one certificate of the chain is issued by one of the listed authorities.
inline bool issued_by_any(const Credential::Impl& credential,
                          std::span<const CertificateAuthorities::Authority> authorities) noexcept {
  for (const CertificateAuthorities::Authority& authority : authorities)
    for (const ByteVector& issuer : credential.issuers)
      if (equal(issuer, authority.distinguished_name))
        return true;
  return false;
}

} // namespace detail

TLSCONNECT_DECL Credential::Credential(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

TLSCONNECT_DECL Result<Credential> Credential::Impl::finish(Impl impl) {
  if (!impl.signer)
    return detail::credential_invalid("there is no signer");
  // RFC 9846, 4.2.3: of the hashes that TLS 1.2 allows with a curve, the one that TLS 1.3 binds to it is as strong as it,
  // and goes first.
  for (const bool other_curves : {false, true})
    for (const SignatureScheme scheme : impl.signer->schemes()) {
      const bool fits = impl.public_key.fits(scheme);
      if (other_curves ? !fits && impl.public_key.fits_tls12(scheme) : fits)
        impl.schemes.push_back(scheme);
    }
  if (impl.schemes.empty())
    return detail::credential_invalid("the signer has no scheme that goes with a key of type " +
                                      impl.public_key.description());
  for (const Certificate& certificate : impl.chain)
    impl.issuers.push_back(certificate.issuer_der());
  if (!impl.chain.empty()) {
    impl.key_usage = impl.chain.front().extension("2.5.29.15");
    impl.extended_key_usage = impl.chain.front().extension("2.5.29.37");
  }
  // RFC 9846, 4.4.2.2: when there is a KeyUsage, it must have digitalSignature, which is the first bit.
  if (impl.key_usage) {
    const auto bits = detail::bits_of(*impl.key_usage);
    if (!bits || bits->empty() || ((*bits)[0] & 0x80U) == 0)
      return detail::credential_invalid("the keyUsage of the certificate does not contain digitalSignature");
  }
  return Credential(std::make_shared<const Impl>(std::move(impl)));
}

TLSCONNECT_DECL Result<Credential> Credential::Impl::from_chain(std::vector<Certificate> chain,
                                                                std::shared_ptr<const Signer> signer) {
  if (chain.empty())
    return detail::credential_invalid("the chain is empty");
  auto key = chain.front().public_key();
  if (!key)
    return detail::credential_invalid("the key of the first certificate cannot be read");
  return finish({.chain = std::move(chain), .public_key = std::move(*key), .signer = std::move(signer)});
}

TLSCONNECT_DECL Result<Credential> Credential::create(std::vector<Certificate> chain, PrivateKey key) noexcept {
  return detail::guard_credential([&]() -> Result<Credential> {
    // The first certificate must be the key's; when another one is, that is worth knowing.
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const auto certified = chain[i].public_key();
      if (!certified || !certified->same_key(key.public_key()))
        continue;
      if (i == 0)
        return Impl::from_chain(std::move(chain), std::make_shared<const detail::KeySigner>(std::move(key)));
      return detail::credential_invalid("the key belongs to certificate " + std::to_string(i + 1) +
                                        " of the chain; it must be the first");
    }
    if (chain.empty())
      return detail::credential_invalid("the chain is empty");
    return detail::credential_invalid("the key (" + key.public_key().description() +
                                      ") does not belong to the certificate (" + chain.front().key_description() + ")");
  });
}

TLSCONNECT_DECL Result<Credential> Credential::create(std::vector<Certificate> chain,
                                                      std::shared_ptr<const Signer> signer) noexcept {
  return detail::guard_credential([&] { return Impl::from_chain(std::move(chain), std::move(signer)); });
}

TLSCONNECT_DECL Result<Credential> Credential::from_pem(std::string_view chain, std::string_view key,
                                                        std::string_view password) noexcept {
  return detail::guard_credential([&]() -> Result<Credential> {
    auto certificates = detail::chain_from_pem(chain);
    if (!certificates)
      return std::unexpected(std::move(certificates).error());
    auto private_key = PrivateKey::from_pem(key, password);
    if (!private_key)
      return std::unexpected(std::move(private_key).error());
    return create(std::move(*certificates), std::move(*private_key));
  });
}

TLSCONNECT_DECL Result<Credential> Credential::from_files(const std::string& chain_path, const std::string& key_path,
                                                          std::string_view password) noexcept {
  return detail::guard_credential([&]() -> Result<Credential> {
    std::vector<Certificate> chain;
    {
      const auto file = detail::KeyFile::read(chain_path);
      if (!file)
        return detail::credential_invalid(file.error());
      if (file->is_pem()) {
        auto certificates = detail::chain_from_pem(file->text());
        if (!certificates)
          return detail::in_file(chain_path, certificates.error().code(), certificates.error());
        chain = std::move(*certificates);
      } else {
        auto certificate = Certificate::from_der(file->view());
        if (!certificate)
          return detail::in_file(chain_path, ErrorCode::credential_invalid, certificate.error());
        chain.push_back(std::move(*certificate));
      }
    }
    const auto file = detail::KeyFile::read(key_path);
    if (!file)
      return fail(ErrorCode::private_key_unreadable, {}, file.error());
    auto key =
        file->is_pem() ? PrivateKey::from_pem(file->text(), password) : PrivateKey::from_der(file->view(), password);
    if (!key)
      return detail::in_file(key_path, key.error().code(), key.error());
    return create(std::move(chain), std::move(*key));
  });
}

TLSCONNECT_DECL Result<Credential> Credential::raw_public_key(PrivateKey key) noexcept {
  return detail::guard_credential([&] {
    PublicKey shown = key.public_key();
    return raw_public_key(std::move(shown), std::make_shared<const detail::KeySigner>(std::move(key)));
  });
}

TLSCONNECT_DECL Result<Credential> Credential::raw_public_key(PublicKey key,
                                                              std::shared_ptr<const Signer> signer) noexcept {
  return detail::guard_credential(
      [&] { return Impl::finish({.chain = {}, .public_key = std::move(key), .signer = std::move(signer)}); });
}

TLSCONNECT_DECL Result<Credential>
Credential::with_signature_schemes(std::span<const SignatureScheme> schemes) const noexcept {
  return detail::guard_credential([&]() -> Result<Credential> {
    auto changed = std::make_shared<Impl>(*impl_);
    changed->schemes.clear();
    for (const SignatureScheme scheme : schemes)
      if (std::find(impl_->schemes.begin(), impl_->schemes.end(), scheme) != impl_->schemes.end())
        changed->schemes.push_back(scheme);
    if (changed->schemes.empty())
      return detail::credential_invalid("none of the signature schemes is one that its key, of type " +
                                        impl_->public_key.description() + ", is used with");
    return Credential(std::move(changed));
  });
}

TLSCONNECT_DECL Credential Credential::with_ocsp_response(ByteVector response) const {
  auto changed = std::make_shared<Impl>(*impl_);
  changed->ocsp_response = std::move(response);
  return Credential(std::move(changed));
}

TLSCONNECT_DECL Credential Credential::with_sct_list(ByteVector list) const {
  auto changed = std::make_shared<Impl>(*impl_);
  changed->sct_list = std::move(list);
  return Credential(std::move(changed));
}

TLSCONNECT_DECL Credential Credential::with_required_issuer(bool required) const {
  auto changed = std::make_shared<Impl>(*impl_);
  changed->required_issuer = required;
  return Credential(std::move(changed));
}

TLSCONNECT_DECL std::span<const Certificate> Credential::chain() const noexcept { return impl_->chain; }
TLSCONNECT_DECL const PublicKey& Credential::public_key() const noexcept { return impl_->public_key; }
TLSCONNECT_DECL const Signer& Credential::signer() const noexcept { return *impl_->signer; }
TLSCONNECT_DECL std::span<const SignatureScheme> Credential::schemes() const noexcept { return impl_->schemes; }
TLSCONNECT_DECL BytesView Credential::ocsp_response() const noexcept { return impl_->ocsp_response; }
TLSCONNECT_DECL BytesView Credential::sct_list() const noexcept { return impl_->sct_list; }
TLSCONNECT_DECL bool Credential::requires_issuer() const noexcept { return impl_->required_issuer; }

TLSCONNECT_DECL std::optional<CredentialChoice> select_credential(std::span<const Credential> credentials,
                                                                  const CertificateRequestFacts& request) noexcept {
  std::optional<CredentialChoice> fallback;
  for (std::size_t index = 0; index < credentials.size(); ++index) {
    const Credential& credential = credentials[index];
    if (!detail::has_negotiated_type(credential, request) || !detail::has_listed_type(credential, request))
      continue;
    const auto schemes = credential.schemes();
    const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](SignatureScheme candidate) {
      return detail::answers_with(credential, request, candidate);
    });
    if (scheme == schemes.end())
      continue;
    // A raw key has neither extensions nor issuers.
    if (!credential.is_raw_public_key() && !detail::filters_match(credential.impl(), request.filters))
      continue;
    const CredentialChoice choice{index, *scheme};
    if (detail::issued_by_any(credential.impl(), request.authorities))
      return choice;
    if (credential.requires_issuer())
      continue;
    if (request.authorities.empty())
      return choice;
    // RFC 9846, 4.4.2.2: the list of authorities is a SHOULD. The server may know more issuers than it names, and can
    // say no itself.
    if (!fallback)
      fallback = choice;
  }
  return fallback;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
