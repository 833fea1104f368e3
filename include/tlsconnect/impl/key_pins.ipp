// Pins: read, found and compared.
#pragma once

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include <tlsconnect/base/base64.hpp>
#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/base/text.hpp>
#include <tlsconnect/crypto/hash.hpp>
#include <tlsconnect/verify/key_pins.hpp>
#include <tlsconnect/wire/cursor.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline Result<KeyPin> pin_of(BytesView spki) noexcept {
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, spki);
  if (!digest)
    return std::unexpected(digest.error());
  KeyPin::Hash hash{};
  copy_bytes(digest->view(), hash);
  return KeyPin(hash);
}

TLSCONNECT_DECL std::string describe_pins(const KeyPins::Entry& entry) {
  std::string text;
  for (std::size_t i = 0; i < std::min(entry.pins.size(), limits::findings_in_message); ++i)
    text.append(i == 0 ? "sha256/" : " or sha256/").append(entry.pins[i].text());
  if (entry.pins.size() > limits::findings_in_message)
    text.append(" or ").append(std::to_string(entry.pins.size() - limits::findings_in_message)).append(" more");
  return text;
}

TLSCONNECT_DECL void append_identity(ByteVector& to, const KeyPins& pins) {
  Writer writer(to);
  for (const KeyPins::Entry& entry : pins.entries()) {
    writer.opaque16(as_bytes(entry.name.text()), 0, 0xFFFF);
    writer.number(static_cast<std::uint8_t>(entry.subdomains));
    writer.number(static_cast<std::uint8_t>(entry.use));
    writer.number(static_cast<std::uint64_t>(entry.pins.size()));
    for (const KeyPin& pin : entry.pins)
      writer.fixed(pin.hash());
  }
}

} // namespace detail

TLSCONNECT_DECL Result<KeyPin> KeyPin::parse(std::string_view text) noexcept {
  try {
    std::string_view base64 = text;
    for (const std::string_view prefix : {"sha256//", "sha256/"})
      if (base64.starts_with(prefix)) {
        base64.remove_prefix(prefix.size());
        break;
      }
    const std::optional<ByteVector> bytes = detail::decode_base64(base64);
    if (!bytes || bytes->size() != std::tuple_size_v<Hash>)
      return fail(ErrorCode::configuration_invalid, "KeyPin",
                  "\"" + detail::printable(text, 64) + "\" is not the Base64 of 32 bytes (RFC 7469, 2.1.1)");
    Hash hash{};
    copy_bytes(*bytes, hash);
    return KeyPin(hash);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "KeyPin");
  }
}

TLSCONNECT_DECL Result<KeyPin> KeyPin::of(const PublicKey& key) noexcept { return detail::pin_of(key.spki()); }
TLSCONNECT_DECL Result<KeyPin> KeyPin::of(const Certificate& certificate) noexcept {
  return detail::pin_of(certificate.fields().spki);
}

TLSCONNECT_DECL std::string KeyPin::text() const { return detail::encode_base64(hash_); }

TLSCONNECT_DECL Result<> KeyPins::add(ServerName name, std::vector<KeyPin> pins, PinUse use, bool subdomains) noexcept {
  const auto invalid = [&](std::string_view what) {
    return fail(ErrorCode::configuration_invalid, "KeyPins", std::string(what) + " " + name.text());
  };
  try {
    if (pins.empty())
      return invalid("no pin is given for");
    if (subdomains && !name.is_dns())
      return invalid("there are no names below");
    for (const Entry& entry : entries_)
      if (entry.name.text() == name.text())
        return invalid("there are pins already for");
    entries_.push_back({std::move(name), subdomains, use, std::move(pins)});
    return {};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "KeyPins");
  }
}

TLSCONNECT_DECL const KeyPins::Entry* KeyPins::find(const ServerName& name) const noexcept {
  const Entry* best = nullptr;
  const std::string_view wanted = name.text();
  for (const Entry& entry : entries_) {
    const std::string_view own = entry.name.text();
    if (own == wanted)
      return &entry;
    // RFC 6797, 8.2: a name below has the whole of it at its end, behind a dot.
    const bool below = entry.subdomains && name.is_dns() && wanted.size() > own.size() && wanted.ends_with(own) &&
                       wanted[wanted.size() - own.size() - 1] == '.';
    if (below && (best == nullptr || own.size() > best->name.text().size()))
      best = &entry;
  }
  return best;
}

TLSCONNECT_DECL bool KeyPins::has(PinUse use) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [use](const Entry& entry) { return entry.use == use; });
}

namespace detail {

/// Which of the certificates has a pinned key; the sentence says so, or what there is instead.
inline Result<std::string> find_pinned(std::span<const Certificate> certificates, const KeyPins::Entry& entry,
                                       const ServerName& name) {
  std::string shown;
  for (const Certificate& certificate : certificates) {
    const Result<KeyPin> pin = KeyPin::of(certificate);
    if (!pin)
      return std::unexpected(pin.error());
    if (std::find(entry.pins.begin(), entry.pins.end(), *pin) != entry.pins.end())
      return "the key of " + certificate.subject() + " is pinned for " + entry.name.text() + " (sha256/" + pin->text() +
             ")";
    shown.append(shown.empty() ? "" : ", ").append(certificate.subject()).append(" sha256/").append(pin->text());
  }
  return fail(ErrorCode::certificate_key_not_pinned, {},
              name.text() + " must show " + (entry.use == PinUse::alone ? "the key " : "a path with the key ") +
                  describe_pins(entry) + "; its keys are " + shown + " (RFC 7469, 2.6)");
}

} // namespace detail

TLSCONNECT_DECL Result<std::shared_ptr<const PinningVerifier>>
PinningVerifier::create(KeyPins pins, std::shared_ptr<const CertificateVerifier> next) noexcept {
  static constexpr std::string_view where = "PinningVerifier";
  try {
    if (pins.empty())
      return fail(ErrorCode::configuration_invalid, where, "no key is pinned");
    if (!next && pins.has(PinUse::on_top))
      return fail(ErrorCode::no_trust_anchors, where, "pins on top need a verifier of paths");
    if (next && next->decides_later())
      return fail(ErrorCode::configuration_invalid, where, "a verdict that is given later would pass the pins by");
    return std::shared_ptr<const PinningVerifier>(new PinningVerifier(std::move(pins), std::move(next)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, where);
  }
}

TLSCONNECT_DECL Result<VerifiedChain> PinningVerifier::verify(const PresentedCertificate& presented,
                                                              const ServerName& name,
                                                              std::int64_t unix_time) const noexcept {
  try {
    if (presented.chain.empty())
      return fail(ErrorCode::certificate_list_empty);
    const KeyPins::Entry* entry = pins_.find(name);
    // RFC 7671, 5.1: the server's own key, and nothing else.
    if (entry != nullptr && entry->use == PinUse::alone) {
      Result<std::string> found = detail::find_pinned(presented.chain.first(1), *entry, name);
      if (!found)
        return std::unexpected(std::move(found).error());
      return VerifiedChain{{presented.chain[0]}, std::move(*found) + "; nothing else about it was looked at"};
    }
    if (!next_)
      return fail(ErrorCode::certificate_key_not_pinned, {},
                  "no key is pinned for " + name.text() + ", and nothing else is trusted");
    Result<VerifiedChain> verified = next_->verify(presented, name, unix_time);
    if (!verified || entry == nullptr)
      return verified;
    // RFC 7469, 2.6: pins are compared with the keys of the path that was verified, not of what was sent. Of a verifier
    // that builds no path, only the server's own key is known to matter.
    const std::span<const Certificate> path = verified->path.empty() ? presented.chain.first(1) : verified->path;
    const Result<std::string> found = detail::find_pinned(path, *entry, name);
    if (!found)
      return std::unexpected(found.error());
    verified->explanation.append("; ").append(*found);
    return verified;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory);
  } catch (...) {
    // Only the sentences can get here, and no sentence is worth an acceptance.
    return fail(ErrorCode::certificate_rejected);
  }
}

TLSCONNECT_DECL TrustIdentity PinningVerifier::trust_identity() const {
  const TrustIdentity next = next_ ? next_->trust_identity() : TrustIdentity();
  if (next_ && next.empty())
    return {};
  ByteVector all = to_vector(as_bytes("pins"));
  Writer(all).opaque16(next, 0, 0xFFFF);
  detail::append_identity(all, pins_);
  const Result<Digest> digest = hash_of(HashAlgorithm::sha256, all);
  return digest ? TrustIdentity(digest->begin(), digest->end()) : TrustIdentity();
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
