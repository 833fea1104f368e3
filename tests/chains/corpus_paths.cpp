// Finding a path: what was sent, in which order, and what is trusted.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

// One certificate each, the same in every chain.
CertOptions plain(std::string name, unsigned number) {
  CertOptions options = authority(std::move(name), number);
  options.key_ids = false;
  return options;
}
CertOptions plain_server() {
  CertOptions options = server();
  options.key_ids = false;
  return options;
}
CertOptions with_key_ids(CertOptions options, const Blob& own) {
  options.own_key_id = own;
  return options;
}
CertOptions expired_yesterday(CertOptions options) {
  options.not_after = now - day;
  return options;
}

void add_missing(Area& area, const Identity& root) {
  const Identity upper = root.issue(authority("Upper", 3));
  const Identity lower = upper.issue(authority("Lower", 4));
  const Identity leaf = lower.issue(server());
  const Identity stranger = test::self_signed(authority("Stranger", 5));
  const Blob& anchor = root.der();

  area.pair("the authority is sent", Question{{upper.issue(server()).der(), upper.der()}, {anchor}},
            Question{{upper.issue(server()).der()}, {anchor}}, unknown_issuer(0));
  area.pair("the upper of two authorities is sent", Question{{leaf.der(), lower.der(), upper.der()}, {anchor}},
            Question{{leaf.der(), lower.der()}, {anchor}}, unknown_issuer(1));
  area.pair("the lower of two authorities is sent", Question{{leaf.der(), lower.der(), upper.der()}, {anchor}},
            Question{{leaf.der(), upper.der()}, {anchor}}, unknown_issuer(0));
  area.pair("the root is trusted", Question{{leaf.der(), lower.der(), upper.der()}, {anchor}},
            Question{{leaf.der(), lower.der(), upper.der()}, {stranger.der()}}, unknown_issuer(2));
  area.pair("the root is sent, and trusted", Question{{leaf.der(), lower.der(), upper.der(), anchor}, {anchor}},
            Question{{leaf.der(), lower.der(), upper.der(), anchor}, {stranger.der()}}, unknown_issuer(3));
  area.pair("the right one of two roots is trusted",
            Question{{leaf.der(), lower.der(), upper.der()}, {stranger.der(), anchor}},
            Question{{leaf.der(), lower.der(), upper.der()}, {stranger.der(), lower.issue(server(6)).der()}},
            unknown_issuer(2));
  area.pair("directly below the root", Question{{root.issue(server()).der()}, {anchor}},
            Question{{root.issue(server()).der()}, {stranger.der()}}, unknown_issuer(0));

  area.pair("authorities in the wrong order", Question{{leaf.der(), upper.der(), lower.der()}, {anchor}},
            Question{{lower.der(), leaf.der(), upper.der()}, {anchor}}, is_authority(0).and_more());
  area.pair("the root before the authorities", Question{{leaf.der(), anchor, upper.der(), lower.der()}, {anchor}},
            Question{{leaf.der(), anchor, upper.der()}, {anchor}}, unknown_issuer(0));
  area.pair("something unrelated between",
            Question{{leaf.der(), stranger.der(), lower.der(), stranger.der(), upper.der()}, {anchor}},
            Question{{leaf.der(), stranger.der(), stranger.der(), upper.der()}, {anchor}}, unknown_issuer(0));
  area.pair("something unrelated behind", Question{{leaf.der(), lower.der(), upper.der(), stranger.der()}, {anchor}},
            Question{{leaf.der(), lower.der(), stranger.der()}, {anchor}}, unknown_issuer(1));
  area.pair("everything twice",
            Question{{leaf.der(), leaf.der(), lower.der(), lower.der(), upper.der(), upper.der()}, {anchor}},
            Question{{leaf.der(), leaf.der(), lower.der(), lower.der()}, {anchor}}, unknown_issuer(2));
}

void add_anchors(Area& area, const Identity& root) {
  const Identity upper = root.issue(authority("Upper", 3));
  const Identity leaf = upper.issue(server());
  const Identity namesake = test::self_signed(authority("Upper", 5));
  const Identity own = test::self_signed(server());

  area.pair("a server's self-signed certificate is an anchor", Question{{own.der()}, {own.der()}},
            Question{{own.der()}, {root.der()}}, untrusted_self_signed(0));
  area.pair("an anchor that is not self-signed", Question{{leaf.der()}, {upper.der()}},
            Question{{leaf.der()}, {namesake.der()}}, unknown_issuer(0));
  area.pair("an anchor that is not self-signed, and is sent", Question{{leaf.der(), upper.der()}, {upper.der()}},
            Question{{leaf.der(), upper.der()}, {namesake.der()}}, unknown_issuer(1));
  CertOptions again = server();
  again.serial = 99;
  area.pair("the server's own certificate is the anchor", Question{{leaf.der(), upper.der()}, {leaf.der()}},
            Question{{leaf.der(), upper.der()}, {upper.issue(again).der()}}, unknown_issuer(1));
  area.pair("the anchor, not a namesake of it, signed", Question{{root.issue(server()).der()}, {root.der()}},
            Question{{test::self_signed(authority("Root", 5)).issue(server()).der()}, {root.der()}}, unknown_issuer(0));
  const Identity other_root = test::self_signed(authority("Root", 5));
  area.pair("two anchors with the same name", Question{{root.issue(server()).der()}, {other_root.der(), root.der()}},
            Question{{root.issue(server()).der()}, {other_root.der()}}, unknown_issuer(0));

  // Without key identifiers, only the signature tells namesakes apart.
  const Identity one = test::self_signed(plain("Plain", 6));
  const Identity two = test::self_signed(plain("Plain", 7));
  const Blob below = one.issue(plain_server()).der();
  area.pair("an anchor without key identifier, not a namesake of it, signed", Question{{below}, {one.der()}},
            Question{{below}, {two.der()}}, bad_signature(0));
  area.pair("two anchors with the same name and no key identifiers", Question{{below}, {two.der(), one.der()}},
            Question{{below}, {two.der(), test::self_signed(plain("Plain", 8)).der()}}, bad_signature(0));

  // Key identifiers that differ do not exclude an issuer.
  const Identity renumbered = root.issue(with_key_ids(authority("Upper", 3), {1, 2, 3}));
  area.pair("issued again with another key identifier", Question{{leaf.der(), renumbered.der()}, {root.der()}},
            Question{{leaf.der(), root.issue(with_key_ids(authority("Upper", 5), {1, 2, 3})).der()}, {root.der()}},
            unknown_issuer(0));
  CertOptions pointing = server();
  pointing.issuer_key_id = Blob{9, 9, 9};
  area.pair("the certificate names another key identifier than its issuer has",
            Question{{root.issue(pointing).der()}, {root.der()}},
            Question{{other_root.issue(pointing).der()}, {root.der()}}, unknown_issuer(0));
  CertOptions numbered = plain_server();
  add_extension(numbered, authority_key_id, false, der(0x30, {der(0xA1, directory({"Root"})), der(0x82, {0x55})}));
  area.pair("the certificate names another serial number than its issuer has",
            Question{{root.issue(numbered).der()}, {root.der()}},
            Question{{other_root.issue(numbered).der()}, {root.der()}}, bad_signature(0));
}

void add_crossings(Area& area, const Identity& root) {
  const Identity old_root = test::self_signed(expired_yesterday(authority("Old Root", 5)));
  const Identity stranger = test::self_signed(authority("Stranger", 6));
  const Identity other = test::self_signed(authority("Other Root", 8));
  const Identity by_old = old_root.issue(authority("Upper", 3));
  const Identity crossed = by_old.cross_signed_by(root, authority("Upper", 3));
  const Blob leaf = by_old.issue(server()).der();

  area.pair("cross-signed: one of the two roots is trusted",
            Question{{leaf, by_old.der(), crossed.der()}, {root.der()}},
            Question{{leaf, by_old.der(), crossed.der()}, {stranger.der()}}, unknown_issuer(1));
  area.pair("cross-signed, the other way round", Question{{leaf, crossed.der(), by_old.der()}, {root.der()}},
            Question{{leaf, crossed.der(), by_old.der()}, {stranger.der()}}, unknown_issuer(1));
  area.pair("one of two ways ends at an anchor that has not expired",
            Question{{leaf, by_old.der(), crossed.der()}, {old_root.der(), root.der()}},
            Question{{leaf, by_old.der(), crossed.der()}, {old_root.der()}}, expired(3));
  area.pair("one of two ways, the expired one last",
            Question{{leaf, crossed.der(), by_old.der()}, {old_root.der(), root.der()}},
            Question{{leaf, by_old.der()}, {old_root.der(), root.der()}}, expired(2));

  const Identity root_by_other = root.cross_signed_by(other, authority("Root", 2));
  const Identity upper = root.issue(authority("Upper", 3));
  const Blob below = upper.issue(server()).der();
  area.pair("over a root that another root has signed",
            Question{{below, upper.der(), root_by_other.der(), root.der()}, {other.der()}},
            Question{{below, upper.der(), root.der()}, {other.der()}}, unknown_issuer(2));

  CertOptions for_clients = authority("Upper", 3);
  for_clients.extended_key_usage = {"PKIX.ClientAuth"};
  const Identity useless = upper.cross_signed_by(other, for_clients);
  area.pair("of two ways, one is good for servers",
            Question{{below, useless.der(), upper.der()}, {root.der(), other.der()}},
            Question{{below, useless.der()}, {root.der(), other.der()}}, purpose(1));
  CertOptions forged = authority("Upper", 3);
  forged.break_signature = true;
  forged.serial = 77;
  const Identity broken = root.issue(forged);
  area.pair("of two ways, one is signed", Question{{below, broken.der(), upper.der()}, {root.der()}},
            Question{{below, broken.der()}, {root.der()}}, bad_signature(1));

  CertOptions old = expired_yesterday(authority("Upper", 3));
  old.serial = 78;
  const Identity before = root.issue(old);
  area.pair("issued again after it expired", Question{{below, before.der(), upper.der()}, {root.der()}},
            Question{{below, before.der()}, {root.der()}}, expired(1));
  area.pair("issued again, the new one first", Question{{below, upper.der(), before.der()}, {root.der()}},
            Question{{below, before.der(), stranger.der()}, {root.der()}}, expired(1));
  area.pair("expired as sent, not expired as trusted", Question{{below, before.der()}, {root.der(), upper.der()}},
            Question{{below, before.der()}, {root.der(), stranger.der()}}, expired(1));
  const Identity rekeyed = root.issue(authority("Upper", 9));
  area.pair("issued again with another key", Question{{below, rekeyed.der(), upper.der()}, {root.der()}},
            Question{{below, rekeyed.der()}, {root.der()}}, unknown_issuer(0));
  const Identity plain_upper = root.issue(plain("Plain", 3));
  const Identity plain_rekeyed = root.issue(plain("Plain", 9));
  const Blob plain_leaf = plain_upper.issue(plain_server()).der();
  area.pair("issued again with another key, without key identifiers",
            Question{{plain_leaf, plain_rekeyed.der(), plain_upper.der()}, {root.der()}},
            Question{{plain_leaf, plain_rekeyed.der()}, {root.der()}}, bad_signature(0));
}

void add_loops(Area& area, const Identity& root) {
  const Identity a = test::self_signed(authority("A", 5));
  const Identity b = test::self_signed(authority("B", 6));
  const Blob a_by_b = a.cross_signed_by(b, authority("A", 5)).der();
  const Blob b_by_a = b.cross_signed_by(a, authority("B", 6)).der();
  const Blob leaf = a.issue(server()).der();
  const Blob way_out = b.cross_signed_by(root, authority("B", 6)).der();
  area.pair("two authorities that certify each other, and a way out",
            Question{{leaf, a_by_b, b_by_a, way_out}, {root.der()}}, Question{{leaf, a_by_b, b_by_a}, {root.der()}},
            unknown_issuer(2));
  area.pair("the same, with the way out first", Question{{leaf, a_by_b, way_out, b_by_a}, {root.der()}},
            Question{{leaf, b_by_a, a_by_b}, {root.der()}}, unknown_issuer(1));
  const Identity upper = root.issue(authority("Upper", 3));
  const Blob itself = upper.issue(authority("Upper", 3)).der(); // self-issued, with its own key
  area.pair("an authority that certifies itself",
            Question{{upper.issue(server()).der(), itself, upper.der()}, {root.der()}},
            Question{{upper.issue(server()).der(), itself}, {root.der()}}, unknown_issuer(1));
  const Identity rekeyed = upper.issue(authority("Upper", 4));
  area.pair("an authority's old key certifies its new one",
            Question{{rekeyed.issue(server()).der(), rekeyed.der(), upper.der()}, {root.der()}},
            Question{{rekeyed.issue(server()).der(), rekeyed.der()}, {root.der()}}, unknown_issuer(1));
  CertOptions namesake = server();
  namesake.common_name = "Upper";
  area.pair("a server's certificate with the name of its issuer",
            Question{{upper.issue(namesake).der(), upper.der()}, {root.der()}},
            Question{{upper.issue(namesake).der()}, {root.der()}}, unknown_issuer(0));

  // Certificates that can be combined in more ways than anybody could try.
  const Identity x = test::self_signed(plain("X", 10));
  const Identity y = test::self_signed(plain("Y", 11));
  std::vector<Blob> mesh = {x.issue(plain_server()).der()};
  for (unsigned i = 0; i < 30; ++i) {
    mesh.push_back(y.issue(plain("X", 20 + i)).der());
    mesh.push_back(x.issue(plain("Y", 20 + i)).der());
  }
  std::vector<Blob> marked = mesh;
  marked.insert(marked.begin() + 1, x.cross_signed_by(root, plain("X", 10)).der());
  area.pair("sixty certificates that may each have issued each, and the right one first",
            Question{marked, {root.der()}}, Question{mesh, {root.der()}}, too_many_ways());
  const Identity trusted = test::self_signed(plain("Trusted", 12));
  const Identity real = trusted.issue(plain("Same", 13));
  std::vector<Blob> namesakes = {real.issue(plain_server()).der()};
  for (unsigned i = 0; i < 9; ++i)
    namesakes.push_back(trusted.issue(plain("Same", 20 + i)).der());
  std::vector<Blob> found = namesakes;
  found.push_back(real.der());
  area.pair("the tenth of the authorities with this name is the right one", Question{found, {trusted.der()}},
            Question{namesakes, {trusted.der()}}, bad_signature(0));
}

void add_depths(Area& area) { area.pair("ten certificates in the path", plan(8), plan(9), unknown_issuer(9)); }

/// A certificate whose issuer's name is written in another way than the issuer writes it.
Question named(const Blob& subject, const Blob& issuer) {
  CertOptions top = plain("", 2);
  top.subject_name = subject;
  CertOptions leaf = plain_server();
  leaf.issuer_name = issuer;
  const Identity anchor = test::self_signed(top);
  return {{anchor.issue(leaf).der()}, {anchor.der()}};
}

void add_names_of_issuers(Area& area) {
  const Blob name = test::der_name({"My CA"});
  const auto same = [&](const char* what, const Blob& as, const Blob& other) {
    area.pair(what, named(name, as), named(name, other), unknown_issuer(0));
  };
  same("the issuer's name", name, test::der_name({"My CA."}));
  same("the issuer's name, as another kind of string", test::der_name({"My CA"}, 19), test::der_name({"My C"}, 19));
  same("the issuer's name, in capitals", test::der_name({"MY CA"}), test::der_name({"MYCA"}));
  same("the issuer's name, with more spaces", test::der_name({" My  CA "}), test::der_name({"M y CA"}));
  same("the issuer's name, with two bytes a character", test::der_name({std::string("\0M\0y\0 \0C\0A", 10)}, 30),
       test::der_name({std::string("\0M\0y\0 \0C\0B", 10)}, 30));
  area.pair("the issuer's name of two parts", named(test::der_name({"My", "CA"}), test::der_name({"My", "CA"})),
            named(test::der_name({"My", "CA"}), test::der_name({"CA", "My"})), unknown_issuer(0));
  area.pair("the issuer's name is not empty", named(name, name), named(test::der_name({}), test::der_name({})),
            malformed(0));
}

} // namespace

void add_paths(std::vector<Pair>& to) {
  Area area(to, "paths");
  const Identity root = test::self_signed(authority("Root", 2));
  add_missing(area, root);
  add_anchors(area, root);
  add_crossings(area, root);
  add_loops(area, root);
  add_depths(area);
  add_names_of_issuers(area);
}

} // namespace corpus
