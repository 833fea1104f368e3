// The table of reasons. Every difference that is found must be in it.
#include "differences.hpp"

namespace corpus {

namespace {

std::vector<Difference> accepted_elsewhere() {
  return {
      {true,
       "encodings that are not DER",
       "X.690 has one encoding for each value, and RFC 5280, 4.1 asks for it. Both libraries also take some that mean "
       "the same: longer lengths, spelled-out defaults, bits that are not there. What can be written in two ways can "
       "be read in two ways, so tlsconnect takes one.",
       {"fields: the length of the whole is in the shortest form*", "extensions: cA FALSE is left out",
        "extensions: cA is 0xFF", "extensions: critical FALSE is left out",
        "extensions: nameConstraints: a minimum of zero is left out", "extensions: unused bits of keyUsage are zero",
        "extensions: keyUsage of the authority"},
       {"fields: the length of the whole is definite*", "extensions: a dNSName is primitive"},
       {"fields: a serial number in the shortest form*", "extensions: pathLenConstraint is in the shortest form",
        "fields: a time has seconds", "keys: all bits of a key are used"}},
      {true,
       "extensions that are not what their definitions say",
       "tlsconnect decodes every extension that decides about a path, in whole, and refuses the certificate when there "
       "is anything else in it. The libraries look at what they need: neither minds bytes behind some of the values, "
       "lists without anything in them, or addresses that are none; to GnuTLS, a key identifier that cannot be read is "
       "not there.",
       {"extensions: an address has 16 bytes", "extensions: an address has 4 bytes",
        "extensions: keyIdentifier is not empty", "extensions: keyUsage has nine bits",
        "extensions: keyUsage: nothing behind it", "extensions: nameConstraints is not empty",
        "extensions: nameConstraints of the root", "extensions: nameConstraints: a list is not empty",
        "extensions: pathLenConstraint goes with cA", "extensions: subjectAltName of the authority is not empty",
        "extensions: subjectKeyIdentifier is not empty", "extensions: subjectKeyIdentifier of the authority",
        "extensions: subjectKeyIdentifier of the root", "extensions: subjectKeyIdentifier: nothing behind it"},
       {"extensions: basicConstraints: nothing behind it", "extensions: extendedKeyUsage: nothing behind it",
        "extensions: subjectAltName: nothing behind it", "extensions: nameConstraints: a mask without holes",
        "extensions: nameConstraints: a network has a mask"},
       {"extensions: authorityKeyIdentifier *", "extensions: authorityKeyIdentifier, *",
        "extensions: extendedKeyUsage is not empty", "extensions: extendedKeyUsage of the authority",
        "extensions: keyUsage has a bit", "extensions: keyUsage has at most seven unused bits",
        "extensions: keyUsage has bytes", "extensions: keyUsage is a BIT STRING", "extensions: keyUsage is not empty",
        "extensions: nameConstraints: a base has no dot at the end",
        "extensions: nameConstraints: a subtree has a base", "extensions: nameConstraints: a subtree has no maximum",
        "extensions: nameConstraints: a subtree has no minimum", "extensions: pathLenConstraint is not negative",
        "extensions: subjectKeyIdentifier is an OCTET STRING"}},
      {true,
       "the TLS feature (must-staple)",
       "RFC 7633 is not part of OpenSSL. GnuTLS judges it where it has the handshake, in "
       "`gnutls_certificate_verify_peers`, not where it is given a chain alone; its form is not checked.",
       {"extensions: no stapled status is asked for", "extensions: the TLS feature *",
        "extensions: numbers in the TLS feature are in the shortest form"},
       {},
       {}},
      {true,
       "the same extension twice",
       "RFC 5280, 4.2 forbids it. OpenSSL notices it in those extensions that it reads.",
       {},
       {"extensions: once: *"},
       {}},
      {true,
       "versions",
       "There is no version 4, and versions 1 and 2 have no extensions of this kind (RFC 5280, 4.1.2.1 and 4.1.2.9). "
       "OpenSSL checks that with `X509_V_FLAG_X509_STRICT` only.",
       {"fields: there is no version 4"},
       {"fields: version 3, not *"},
       {}},
      {true,
       "serial numbers",
       "They must be positive, with at most 20 bytes (RFC 5280, 4.1.2.2): who may choose more bytes has more room for "
       "a collision. Neither library looks.",
       {"fields: a serial number that is *", "fields: a longer serial number that is *",
        "fields: a serial number of twenty bytes*", "fields: zero is the root's serial number, not the authority's"},
       {},
       {"fields: a serial number that has bytes*"}},
      {true,
       "what an anchor's certificate says",
       "RFC 5280, 6.1 leaves open how much of it counts. tlsconnect lets an anchor issue only what its own certificate "
       "allows, so that a server's certificate that somebody trusts does not become an authority's. The libraries ask "
       "less: neither asks for basicConstraints or a version, GnuTLS not for extendedKeyUsage either.",
       {"authorities: the root's says it", "fields: the root is of version 3"},
       {},
       {"authorities: the root's is for servers", "authorities: the root's does not say what for"}},
      {true,
       "authorities' certificates as a server's own",
       "A key that issues certificates should not lie on a server. No standard forbids it; Firefox does, too.",
       {"authorities: the server's is no authority's", "authorities: nor is one that is an anchor"},
       {},
       {}},
      {true,
       "keyUsage of a server's certificate",
       "TLS 1.3 needs digitalSignature, as do the ephemeral key exchanges of TLS 1.2. OpenSSL's purpose also allows "
       "what older key exchanges used; GnuTLS looks at it in the handshake only. That keyCertSign goes with cA (RFC "
       "5280, 4.2.1.9) is checked by OpenSSL with `X509_V_FLAG_X509_STRICT`.",
       {"authorities: keyUsage need not be critical", "authorities: the server may not sign certificates",
        "authorities: the server may sign", "authorities: the server may sign and agree",
        "authorities: the server may sign and encipher"},
       {},
       {"authorities: a server without keyUsage", "authorities: non-repudiation is no use for TLS",
        "authorities: the ninth bit is no use for TLS"}},
      {true,
       "extendedKeyUsage of a server's certificate",
       "serverAuth must stand in it. OpenSSL still takes the purposes of the nineties that once unlocked strong "
       "encryption; GnuTLS takes anyExtendedKeyUsage.",
       {},
       {"authorities: a purpose of Microsoft's is none", "authorities: a purpose of Netscape's is none"},
       {"authorities: the server's says so itself"}},
      {true,
       "critical extensions",
       "RFC 5280, 4.2 says to refuse what is critical and not processed. OpenSSL counts policies and "
       "cRLDistributionPoints as processed, although it does nothing about them unless it is told to. GnuTLS lets all "
       "pass that are on its list, whether it does anything about them or not. tlsconnect does not process policies, "
       "so it refuses the chains of authorities that mark them as critical, which exist.",
       {"extensions: is not critical: cRLDistributionPoints", "extensions: is not critical: certificatePolicies*",
        "extensions: is not critical: inhibitAnyPolicy"},
       {"extensions: is not critical: policy*", "extensions: is not critical: Netscape's certificate type"},
       {"extensions: is not critical: authorityInfoAccess", "extensions: is not critical: issuerAltName"}},
      {true,
       "nameConstraints on e-mail addresses and URIs",
       "These can be processed, and both libraries do it (GnuTLS: e-mail addresses; URIs in part). tlsconnect takes "
       "the other way that RFC 5280, 4.2.1.10 allows: it refuses names of a form that it does not compare, even those "
       "that would be permitted. No server is asked for by such a name.",
       {"name constraints: no e-mail address*", "name constraints: no URI, *"},
       {},
       {}},
      {true,
       "wildcards and excluded names",
       "`*.example.com` covers `evil.example.com`, so an authority that must not issue for the latter must not issue "
       "the former. The libraries compare the wildcard as if it were a label.",
       {"name constraints: a wildcard that covers the excluded name",
        "name constraints: a wildcard of one label does not reach further"},
       {},
       {}},
      {true,
       "nameConstraints on directory names",
       "GnuTLS does not process them: permitted ones are as good as absent.",
       {},
       {},
       {"name constraints: a directory name besides the subject",
        "name constraints: a permitted subject in another case", "name constraints: a subject below the permitted one",
        "name constraints: a subject that is permitted", "name constraints: an empty subject is no name",
        "name constraints: one value that looks like two"}},
      {true,
       "nameConstraints on the other kind of address",
       "IPv4 and IPv6 addresses are one form of name (RFC 5280, 4.2.1.10): where only networks of one kind are "
       "permitted, there is none of the other. GnuTLS takes them for two forms.",
       {},
       {},
       {"name constraints: all addresses of IPv4 are permitted, none of IPv6",
        "name constraints: networks of IPv6 alone are permitted"}},
      {true,
       "nameConstraints and the names of authorities",
       "RFC 5280, 6.1.3 (b) applies them to every certificate below, GnuTLS to the server's alone.",
       {},
       {},
       {"name constraints: the authority's own name",
        "name constraints: the name of a self-issued certificate is not looked at"}},
      {true,
       "nameConstraints in a server's certificate",
       "They belong into authorities' certificates (RFC 5280, 4.2.1.10). The libraries pass over them.",
       {"name constraints: a server's certificate has no nameConstraints"},
       {},
       {}},
      {true,
       "limits",
       "Ten certificates in a path, 64 extensions in a certificate, 200,000 comparisons of names: far beyond what is "
       "in use, and a bound on what a server can make a client do. The libraries have other bounds (OpenSSL: a depth "
       "of 100, a million comparisons; GnuTLS: 16 certificates).",
       {"paths: ten certificates in the path", "extensions: at most 64 extensions", "name constraints: not too many *"},
       {},
       {}},
      {true,
       "common names",
       "A common name is no name of a server (RFC 9525, 2). Both libraries still fall back to it where there is no "
       "dNSName, OpenSSL unless `X509_CHECK_FLAG_NEVER_CHECK_SUBJECT` is set.",
       {"names: a common name alone is no name"},
       {"names: a common name besides an address is none"},
       {}},
      {true,
       "dNSNames that are no DNS names",
       "A certificate with a name that cannot be one was made by somebody who did not look, and nameConstraints cannot "
       "be applied to it. The libraries pass over such a name when another one fits. None of the two lets a zero byte "
       "cut a name short.",
       {"names: a dNSName *", "names: a wildcard does not end with a dot"},
       {},
       {}},
      {true,
       "wildcards inside of a label",
       "RFC 9525, 6.3 allows a wildcard as a whole label only. GnuTLS takes `*w.b.example`; OpenSSL also takes "
       "`w*.b.example`, unless `X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS` is set.",
       {"names: a wildcard at the beginning of a label"},
       {"names: a wildcard at the end of a label"},
       {}},
      {true,
       "an empty name of an issuer",
       "RFC 5280, 4.1.2.4 forbids it. Nothing but confusion comes of it, so the libraries do not look.",
       {"paths: the issuer's name is not empty"},
       {},
       {}},
      {true,
       "a server's key",
       "Nothing in the chain depends on it, so the libraries judge little of it here, and the rest when the handshake "
       "uses it. tlsconnect says at once what is wrong: a curve or an algorithm that TLS does not sign with, a key "
       "that would take too long, or one that cannot work.",
       {"keys: Ed25519, not X25519", "keys: P-256, not P-224", "keys: RSA has NULL for parameters",
        "keys: RSA, not DSA", "keys: an RSA exponent *", "keys: an RSA key has at most 8192 bits"},
       {"keys: P-256, not secp256k1", "keys: a point that is not infinity"},
       {"keys: Ed25519 has *", "keys: a point on its curve"}},
      {true,
       "RSA keys of a little less than 2048 bits",
       "Security level 2 asks for a strength of 112 bits, which OpenSSL also finds in keys that are some bits shorter.",
       {},
       {"keys: an RSA key has 2048 bits*", "keys: RSA-PSS has 2048 bits, too"},
       {}},
      {true,
       "parameters of signature algorithms",
       "ECDSA and EdDSA have none (RFC 5758, 3.2; RFC 8410, 3), RSA has NULL or none. The libraries do not look at "
       "what they do not use; GnuTLS compares the algorithms inside and outside of what is signed by their identifiers "
       "alone.",
       {"signatures: ECDSA: no parameters", "signatures: Ed25519: no parameters", "signatures: Ed448: no parameters",
        "signatures: RSA: NULL or none"},
       {},
       {"fields: the algorithm outside has no other parameters*"}},
      {true,
       "the salt of RSASSA-PSS",
       "GnuTLS verifies these although the salt has another length than the parameters say.",
       {},
       {},
       {"signatures: RSASSA-PSS has a salt of the length of the hash",
        "signatures: RSASSA-PSS says how long the salt is"}},
      {true,
       "the last byte of an Ed448 signature",
       "It is always zero (RFC 8032, 5.2.6). GnuTLS does not look at it, so that a signature can be changed there and "
       "still counts. Nobody can sign anything else for that.",
       {},
       {},
       {"keys: Ed448 at *"}},
  };
}

std::vector<Difference> refused_elsewhere() {
  return {
      {false,
       "one path is tried",
       "Where a certificate can have more than one issuer, the libraries decide for one of them by name, key "
       "identifier and, OpenSSL, by date, and do not come back when that leads nowhere or breaks a rule. tlsconnect "
       "tries the others, within limits (RFC 4158). Servers whose authorities are cross-signed run into this when a "
       "root expires.",
       {"paths: cross-signed: one of the two roots is trusted",
        "paths: issued again with another key, without key identifiers", "paths: of two ways, one is good for servers",
        "paths: of two ways, one is signed", "paths: one of two ways ends at an anchor that has not expired",
        "paths: the tenth of the authorities with this name is the right one",
        "paths: two authorities that certify each other, and a way out"},
       {"paths: an authority that certifies itself", "paths: two anchors with the same name and no key identifiers"},
       {"paths: issued again after it expired"}},
      {false,
       "key identifiers that differ",
       "They help to choose (RFC 5280, 4.2.1.1). To both libraries, a certificate with another key identifier cannot "
       "be the issuer, to OpenSSL also one with another serial number than the one that is named. To tlsconnect, the "
       "signature decides.",
       {"paths: issued again with another key identifier",
        "paths: the certificate names another key identifier than its issuer has"},
       {"paths: the certificate names another serial number than its issuer has"},
       {}},
      {false,
       "names that are written in another way",
       "RFC 5280, 7.1 compares them without regard to case, spaces and the kind of string. GnuTLS compares bytes.",
       {},
       {},
       {"paths: the issuer's name, *"}},
      {false,
       "self-issued certificates and pathLenConstraint",
       "They do not count (RFC 5280, 4.2.1.9 and 6.1.4 (l)). To GnuTLS they do.",
       {},
       {},
       {"authorities: pathLenConstraint *", "authorities: two self-issued certificates do not count"}},
      {false,
       "pathLenConstraint of more than 32 bits",
       "It has no upper limit (RFC 5280, 4.2.1.9). GnuTLS cannot read it.",
       {},
       {},
       {"authorities: a large limit"}},
      {false,
       "anyExtendedKeyUsage of an issuer",
       "It stands for all purposes (RFC 5280, 4.2.1.12), so tlsconnect lets such an authority issue for servers. "
       "Public authorities may not have it any more; both libraries ask for serverAuth. Here they are the stricter "
       "ones.",
       {"authorities: the authority's is for anything", "authorities: the upper authority's is for anything"},
       {},
       {}},
      {false,
       "critical, although it should not be",
       "RFC 5280 says to mark key identifiers as not critical. Who processes them may accept them all the same; "
       "OpenSSL does not count them among what it processes, nor the TLS feature.",
       {},
       {"extensions: may be critical: *"},
       {}},
      {false,
       "the last second",
       "notAfter is within the time of validity (RFC 5280, 4.1.2.5). To OpenSSL, the certificate has expired by then.",
       {},
       {"fields: the root: the last second", "fields: the server's certificate: the last second",
        "fields: the authority's certificate: the last second"},
       {}},
      {false,
       "a dot at the end of the name that is asked for",
       "tlsconnect takes it off when it reads the name; the libraries leave that to their callers.",
       {"names: with a dot at the end as asked"},
       {},
       {}},
      {false,
       "a server's certificate as an anchor",
       "GnuTLS looks for an anchor above the server's own certificate. It has another function for pinned "
       "certificates.",
       {},
       {},
       {"paths: the server's own certificate is the anchor"}},
      {false,
       "an authority's TLS feature",
       "Certificates below must have the same features (RFC 7633, 4.2.2). GnuTLS checks that for all features; "
       "tlsconnect knows one, status_request, and asks for a staple where an authority's certificate demands it.",
       {},
       {},
       {"extensions: the TLS feature of the authority"}},
      {false,
       "nameConstraints that are not processed",
       "GnuTLS refuses everything below an authority with excluded directory names, or with constraints on a form of "
       "names that it does not know, whether such a name is there or not.",
       {},
       {},
       {"name constraints: a subject above the excluded one", "name constraints: a subject that is not excluded",
        "name constraints: an excluded subject in another case", "name constraints: no registeredID, *"}},
      {false,
       "nameConstraints with an empty DNS name",
       "It stands for every name. GnuTLS does not find `c.example.com` in it below an issuer that permits "
       "`example.com`. Where every DNS name is excluded, it takes the common name of a certificate without such names "
       "to be one.",
       {},
       {},
       {"name constraints: the lower authority permits more",
        "name constraints: an authority that may issue for no DNS name"}},
  };
}

} // namespace

const std::vector<Difference>& differences() {
  static const std::vector<Difference> table = [] {
    std::vector<Difference> all = accepted_elsewhere();
    for (Difference& one : refused_elsewhere())
      all.push_back(std::move(one));
    return all;
  }();
  return table;
}

} // namespace corpus
