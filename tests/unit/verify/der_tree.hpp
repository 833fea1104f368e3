// DER taken apart, changed in one place, and put together again: what a decoder takes that its definition does not have.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <tlsconnect/base/der.hpp>

#include "test_pki.hpp"

namespace test {

struct DerNode {
  std::uint8_t tag = 0;
  bool open = false; ///< it is taken apart further
  Blob contents;     ///< when it is not
  std::vector<DerNode> children;
};

/// `opens` says whether a value is to be taken apart further: by its place ("1.0.2": the third value in the first in the
/// second of the whole) and its tag.
inline DerNode der_tree(tlsconnect::BytesView der, const std::function<bool(const std::string&, std::uint8_t)>& opens,
                        const std::string& place = {}) {
  const auto item = tlsconnect::detail::next_der(der).value();
  DerNode node{item.tag, opens(place, item.tag), {item.contents.begin(), item.contents.end()}, {}};
  tlsconnect::BytesView rest = item.contents;
  if (node.open)
    while (!rest.empty()) {
      tlsconnect::BytesView one = rest;
      const auto next = tlsconnect::detail::next_der(rest).value();
      one = next.whole;
      node.children.push_back(
          der_tree(one, opens, place + (place.empty() ? "" : ".") + std::to_string(node.children.size())));
    }
  return node;
}

inline Blob der_bytes(const DerNode& node) {
  Blob contents = node.contents;
  if (node.open) {
    contents.clear();
    for (const DerNode& child : node.children) {
      const Blob bytes = der_bytes(child);
      contents.insert(contents.end(), bytes.begin(), bytes.end());
    }
  }
  return der(node.tag, contents);
}

/// Gives every value another tag, leaves it out, alone or with all that follows, puts it there twice, and puts something
/// behind what it contains; which of these changes `reads` takes: "tag 1.0", "without 1.0", "until 1.0", "twice 1.0",
/// "behind 1.0".
inline std::set<std::string> changes_taken(DerNode tree, const std::function<bool(const Blob&)>& reads) {
  std::set<std::string> taken;
  const std::function<void(DerNode&, const std::string&)> walk = [&](DerNode& node, const std::string& place) {
    const auto attempt = [&](const char* what) {
      if (reads(der_bytes(tree)))
        taken.insert(what + (" " + place));
    };
    const std::uint8_t tag = std::exchange(node.tag, (node.tag & 0x20U) != 0 ? std::uint8_t{0xB9} : std::uint8_t{0x99});
    attempt("tag");
    node.tag = tag;
    if (!node.open)
      return;
    node.children.push_back({0x05, false, {}, {}});
    attempt("behind");
    node.children.pop_back();
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const std::string below = place + (place.empty() ? "" : ".") + std::to_string(i);
      const DerNode child = node.children[i];
      const auto at = [&] { return node.children.begin() + static_cast<std::ptrdiff_t>(i); };
      node.children.erase(at());
      if (reads(der_bytes(tree)))
        taken.insert("without " + below);
      node.children.insert(at(), 2, child);
      if (reads(der_bytes(tree)))
        taken.insert("twice " + below);
      node.children.erase(at());
      if (i + 1 < node.children.size()) {
        std::vector<DerNode> all = node.children;
        node.children.resize(i);
        if (reads(der_bytes(tree)))
          taken.insert("until " + below);
        node.children = std::move(all);
      }
      walk(node.children[i], below);
    }
  };
  walk(tree, "");
  return taken;
}

} // namespace test
