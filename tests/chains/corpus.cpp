// What the areas of the corpus share, and the whole of it.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

/// From the root down; the last is the server's.
std::vector<Blob> mint(const Plan& plan, Blob& anchor) {
  Identity last = test::self_signed(plan.root);
  anchor = last.der();
  std::vector<Blob> chain;
  for (const CertOptions& options : plan.authorities) {
    last = last.issue(options);
    chain.insert(chain.begin(), last.der());
  }
  chain.insert(chain.begin(), last.issue(plan.leaf).der());
  return chain;
}

} // namespace

CertOptions authority(std::string name, unsigned number) {
  CertOptions options;
  options.common_name = std::move(name);
  options.key = Key::cached(KeyType::p256, number);
  options.ca = true;
  options.serial = number;
  return options;
}

CertOptions server(unsigned number) {
  CertOptions options;
  options.common_name = "Server";
  options.key = Key::cached(KeyType::p256, number);
  options.dns = {"a.example"};
  options.serial = number;
  return options;
}

Plan plan(std::size_t authorities) {
  Plan usual;
  usual.root = authority("Root", 2);
  for (std::size_t i = 0; i < authorities; ++i)
    usual.authorities.push_back(authority("Authority " + std::to_string(i + 1), static_cast<unsigned>(3 + i)));
  usual.leaf = server();
  return usual;
}

CertOptions& Plan::at(std::size_t position) {
  if (position == 0)
    return leaf;
  return position > authorities.size() ? root : authorities[authorities.size() - position];
}

Question Plan::question() const {
  Blob anchor;
  std::vector<Blob> chain = mint(*this, anchor);
  return {std::move(chain), {std::move(anchor)}, server, time};
}

void Area::pair(std::string what, Question good, Question bad, Verdict verdict) {
  pairs_.push_back({name_, std::move(what), std::move(good), std::move(bad), std::move(verdict)});
}

void Area::pair(std::string what, const Plan& good, const Plan& bad, Verdict verdict) {
  pair(std::move(what), good.question(), bad.question(), std::move(verdict));
}

void Area::pair(std::string what, const Plan& good, void (*change)(Plan&), Verdict verdict) {
  Plan bad = good;
  change(bad);
  pair(std::move(what), good, bad, std::move(verdict));
}

void Area::pair(std::string what, void (*good)(Plan&), void (*bad)(Plan&), Verdict verdict) {
  Plan one = plan();
  Plan other = plan();
  good(one);
  bad(other);
  pair(std::move(what), one, other, std::move(verdict));
}

const std::vector<Pair>& all() {
  static const std::vector<Pair> pairs = [] {
    std::vector<Pair> list;
    for (const auto add :
         {add_paths, add_fields, add_authorities, add_extensions, add_constraints, add_names, add_keys, add_signatures})
      add(list);
    return list;
  }();
  return pairs;
}

Blob join(const std::vector<Blob>& parts) {
  Blob all;
  for (const Blob& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

void add_extension(CertOptions& options, const char* oid, bool critical, const Blob& value) {
  options.extensions.push_back({oid, critical, value});
}

void set_alt_names(CertOptions& options, const std::vector<Blob>& names, bool critical) {
  options.dns.clear();
  options.ip.clear();
  add_extension(options, alt_name_id, critical, der(0x30, join(names)));
}

} // namespace corpus
