// Subtrees of names.
#pragma once

#include <algorithm>
#include <string>

#include <tlsconnect/base/text.hpp>
#include <tlsconnect/verify/name_constraints.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

namespace detail {

inline bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// What stands behind the wildcard's dot; empty when there is no wildcard.
inline std::string_view wildcard_base(std::string_view name) noexcept {
  return name.starts_with("*.") ? name.substr(2) : std::string_view();
}

} // namespace detail

TLSCONNECT_DECL bool dns_name_within(std::string_view name, std::string_view constraint) noexcept {
  // RFC 5280, 4.2.1.10: a constraint covers itself, and whatever has more labels in front of it. A leading dot asks for one
  // at least, as it does in URIs.
  if (constraint.empty())
    return true;
  const bool dotted = constraint.front() == '.';
  if (name.size() < constraint.size() ||
      !detail::equal_without_case(name.substr(name.size() - constraint.size()), constraint))
    return false;
  const std::size_t before = name.size() - constraint.size();
  return dotted ? before > 0 : before == 0 || name[before - 1] == '.';
}

TLSCONNECT_DECL bool dns_name_touches(std::string_view name, std::string_view constraint) noexcept {
  if (dns_name_within(name, constraint))
    return true;
  // A wildcard stands for one label: it touches the subtree of a name that has one label more than what follows the "*".
  const std::string_view base = detail::wildcard_base(name);
  const std::size_t dot = constraint.find('.');
  return !base.empty() && dot != std::string_view::npos && detail::equal_without_case(constraint.substr(dot + 1), base);
}

TLSCONNECT_DECL bool address_within(BytesView address, BytesView network) noexcept {
  const std::size_t size = address.size();
  if (network.size() != 2 * size)
    return false;
  for (std::size_t i = 0; i < size; ++i)
    if (((address[i] ^ network[i]) & network[size + i]) != 0)
      return false;
  return true;
}

namespace detail {

inline bool supports(NameForm form) noexcept {
  return form == NameForm::dns || form == NameForm::address || form == NameForm::directory;
}

/// `touches`: whether any of what the name stands for is in the subtree, instead of all of it.
inline bool in_subtree(const GeneralName& name, const GeneralName& subtree, bool touches) noexcept {
  switch (name.form) {
  case NameForm::dns:
    return touches ? dns_name_touches(as_text(name.value), as_text(subtree.value))
                   : dns_name_within(as_text(name.value), as_text(subtree.value));
  case NameForm::address:
    return address_within(name.value, subtree.value);
  default:
    // RFC 5280, 7.1: a directory name is in the subtree of every name that it begins with.
    return name.directory.starts_with(subtree.directory);
  }
}

/// "192.0.2.1", "2001:0db8:0000:…": for a person, without shortening.
inline std::string describe_address(BytesView address) {
  std::string text;
  if (address.size() == 4) {
    for (const std::uint8_t byte : address)
      text.append(text.empty() ? "" : ".").append(std::to_string(unsigned{byte}));
    return text;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (i > 0 && i % 2 == 0)
      text += ':';
    text += digits[address[i] >> 4U];
    text += digits[address[i] & 15U];
  }
  return text;
}

inline std::string describe_constrained(const GeneralName& name) {
  if (name.form == NameForm::dns)
    return "dNSName " + printable(as_text(name.value));
  if (name.form == NameForm::address)
    return "iPAddress " + describe_address(name.value);
  return std::string(name_of(name.form));
}

/// Why one name is not allowed. `what` is its description; empty: what it is.
inline std::optional<std::string> name_violates(const NameConstraints& constraints, const GeneralName& name,
                                                std::string_view what, std::size_t& comparisons) {
  static constexpr std::string_view exhausted =
      "the nameConstraints above it are too many to be compared with all names";
  const auto described = [&] { return what.empty() ? describe_constrained(name) : std::string(what); };
  const auto same_form = [&name](const GeneralName& subtree) { return subtree.form == name.form; };
  // RFC 5280, 4.2.1.10: a form that is not processed leads to refusal where both sides have it.
  if (!supports(name.form)) {
    if (std::any_of(constraints.permitted.begin(), constraints.permitted.end(), same_form) ||
        std::any_of(constraints.excluded.begin(), constraints.excluded.end(), same_form))
      return "it has a name (" + described() +
             ") of a form whose nameConstraints this client does not process; names must be DNS names, addresses or "
             "directory names";
    return std::nullopt;
  }
  // RFC 5280, 4.2.1.10: what is excluded is not allowed by any permittedSubtrees either.
  for (const GeneralName& subtree : constraints.excluded) {
    if (comparisons == 0)
      return std::string(exhausted);
    --comparisons;
    if (same_form(subtree) && in_subtree(name, subtree, true))
      return "its " + described() + " is one that an issuer above it may not issue for (excluded by nameConstraints)";
  }
  bool restricted = false;
  for (const GeneralName& subtree : constraints.permitted) {
    if (comparisons == 0)
      return std::string(exhausted);
    --comparisons;
    if (!same_form(subtree))
      continue;
    if (in_subtree(name, subtree, false))
      return std::nullopt;
    restricted = true;
  }
  if (restricted)
    return "its " + described() + " is none that an issuer above it may issue for (not permitted by nameConstraints)";
  return std::nullopt;
}

} // namespace detail

TLSCONNECT_DECL std::optional<std::string>
constraint_violated(const NameConstraints& constraints, const ConstrainedNames& names, std::size_t& comparisons) {
  // RFC 5280, 6.1.3 (b): the subject, unless it is empty, and every alternative name.
  if (!names.subject.empty()) {
    const GeneralName subject{NameForm::directory, {}, std::string(names.subject)};
    if (auto reason = detail::name_violates(constraints, subject, "subject", comparisons))
      return reason;
  }
  // RFC 5280, 4.2.1.10: an e-mail address in the subject is a name of that form too.
  if (names.subject_has_email) {
    const GeneralName email{NameForm::email, {}, {}};
    if (auto reason = detail::name_violates(constraints, email, "e-mail address in the subject", comparisons))
      return reason;
  }
  for (const GeneralName& name : names.alt_names)
    if (auto reason = detail::name_violates(constraints, name, {}, comparisons))
      return reason;
  return std::nullopt;
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
