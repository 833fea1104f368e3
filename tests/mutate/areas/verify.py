"""The default verifier, and what reads certificates, statuses and timestamps for it."""
import re

from finder import Area


REFUSAL = re.compile(
    r"(return )?(fail|refuse|wrong|malformed|unreadable|status_malformed|crl_unreadable|invalid|unknown|found\.add\w*"
    r"|Findings\{.*?\}\.add|findings\.push_back|skipped_\.push_back|std::unexpected)\b|return (false;|who \+)")


def refuses(then, _):
    return bool(REFUSAL.match(then))


AREA = Area(
    targets=["base/der.hpp", "crypto/certificate_fields.hpp", "impl/path_rules.ipp", "impl/path_builder.ipp",
             "impl/path_verifier.ipp", "impl/verified_chain_cache.ipp", "impl/name_constraints.ipp",
             "impl/name_match.ipp",
             "impl/certificate_extensions.ipp", "impl/x509_signature.ipp", "impl/x509.ipp", "impl/public_key.ipp",
             "impl/revocation.ipp", "impl/crl.ipp", "impl/trust_anchors.ipp", "impl/verifier_sequence.ipp",
             "impl/server_name.ipp", "impl/verifier.ipp", "impl/ocsp.ipp", "impl/transparency.ipp",
             "impl/key_pins.ipp", "impl/raw_public_key.ipp"],
    tests=["unit/base/der", "unit/verify/*", "unit/crypto/public_key", "unit/crypto/ml_dsa"],
    support=["support/test_pki", "support/status_issuer"],
    environment={"TLSCONNECT_VERIFICATION_PAGE": "{root}/docs/verification.md"},
    refuses=refuses,
    conditions=True,
    equivalent={
        ("crypto/certificate_fields.hpp", "without: !algorithm", 1): "without it, there are no bits either",
        ("crypto/certificate_fields.hpp", "without: algorithm->tag != der_sequence"):
            "the other is the same, and is asked",
        ("crypto/certificate_fields.hpp", "without: item->tag != der_sequence", 1):
            "the other is the same, and is asked",
        ("impl/path_rules.ipp", "true: comparable"): "Botan has read the names before",
        ("impl/path_rules.ipp", "never: error.code() == ErrorCode::out_of_memory"): "no test lets memory run out there",
        ("impl/path_rules.ipp", "never: !signature_algorithm"): "no test lets memory run out there",
        ("impl/path_rules.ipp", "never: decoded_->key && decoded_->key->long_enough(rsa_bits_min)"):
            "the key is loaded again, and is the same",
        ("impl/verified_chain_cache.ipp", "never: !digest || digest->size() != fact.size()"):
            "SHA-256 fails only without memory",
        ("impl/verified_chain_cache.ipp", "without: !digest"): "SHA-256 fails only without memory",
        ("impl/verified_chain_cache.ipp", "without: digest->size() != fact.size()"): "SHA-256 has one length",
        ("impl/verified_chain_cache.ipp", "never: !hash"): "SHA-256 fails only without memory",
        ("impl/path_rules.ipp", "true: !key_"): "the key is loaded again, and is the same",
        # What the hash of a name leaves out makes it coarser; names are compared afterwards.
        ("impl/path_builder.ipp", "true: !type || !value"): "a coarser hash",
        ("impl/path_builder.ipp", "without: !type"): "without it, there is no value either",
        ("impl/path_builder.ipp",
         "never: ascii && ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))"): "a coarser hash",
        ("impl/path_builder.ipp", "without: (lower >= 'a' && lower <= 'z')"): "a coarser hash",
        ("impl/path_builder.ipp", "without: (lower >= '0' && lower <= '9')"): "a coarser hash",
        ("impl/path_builder.ipp", "never: const Read* known = read_.load(std::memory_order_acquire)"):
            "it is read again, and what was read first is kept",
        ("impl/path_builder.ipp",
         "true: read_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel, "
         "std::memory_order_acquire)"):
            "what the second of two threads reads at once is the same",
        ("impl/path_builder.ipp", "true: find_presented(chain_[i]) == nullptr"): "issuers_of drops what is there twice",
        ("impl/path_builder.ipp", "never: known->certificate().der().data() == anchor->certificate.der().data()"):
            "another node of the same anchor",
        ("impl/path_builder.ipp", "never: subject.error().code() == ErrorCode::out_of_memory"):
            "no test lets memory run out there",
        ("impl/path_verifier.ipp", "never: policy.logs.empty()"): "without logs, nothing counts and nothing is told",
        ("impl/path_verifier.ipp", "never: !findings"): "fails only without memory",
        ("impl/path_verifier.ipp", "never: !digest"): "SHA-256 fails only without memory",
        ("impl/path_verifier.ipp", "never: !store"): "fails only without memory",
        ("impl/name_constraints.ipp", "true: dot != std::string_view::npos"):
            "what equals the base is within it anyway",
        ("impl/name_match.ipp", "never: dot == std::string_view::npos"): "nothing without a dot equals the base",
        ("impl/certificate_extensions.ipp", "without: !distinguished"): "comparable_name takes nothing else either",
        # What is not usual, Botan reads, and gives the same text.
        ("impl/x509_signature.ipp", "without: letter_or_digit"): "as good, only slower",
        ("impl/x509_signature.ipp",
         "without: (printable ? std::string_view(\" '()+,-./:=?\").find(c) != std::string_view::npos : byte >= 0x20 && "
         "byte < 0x7F)"): "as good, only slower",
        ("impl/x509_signature.ipp", "without: (c >= 'a' && c <= 'z')"): "as good, only slower",
        ("impl/x509_signature.ipp", "without: (c >= 'A' && c <= 'Z')"): "as good, only slower",
        ("impl/x509_signature.ipp", "without: (c >= '0' && c <= '9')"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: byte >= 0x20"): "the text is the same",
        ("impl/x509_signature.ipp", "without: impl_->rsa_bits == 0"): "the key is loaded again, and is the same",
        ("impl/x509_signature.ipp", "without: impl_->rsa_bits >= rsa_bits_min"):
            "the key is loaded again, and is the same",
        ("impl/x509_signature.ipp", "true: !type || !value || !attribute.empty()"): "as good, only slower",
        ("impl/x509_signature.ipp", "without: !type"): "without it, there is no value either",
        ("impl/x509_signature.ipp", "true: type->tag != der_oid || oid.size() != 3 || oid[0] != 0x55 || oid[1] != 0x04 "
                                    "|| oid[2] >= 0x80"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: value->tag != 0x0C && value->tag != 0x16 && !printable"):
            "as good, only slower",
        ("impl/x509_signature.ipp", "true: value->tag != 0x0C"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: value->tag != 0x16"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: !printable"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: !std::all_of(value->contents.begin(), value->contents.end(), usual)"):
            "as good, only slower",
        ("impl/x509_signature.ipp", "true: !outer"): "as good, only slower",
        ("impl/x509_signature.ipp", "true: !relative || relative->tag != 0x31 || relative->contents.empty()"):
            "as good, only slower",
        ("impl/x509_signature.ipp", "true: !attribute"): "as good, only slower",
        ("impl/x509_signature.ipp", "never: std::optional<std::string> usual = detail::comparable_usual_name(name)"):
            "as good, only slower",
                ("impl/x509_signature.ipp", "never: !outer", 2): "the fields of a certificate have a SEQUENCE there",
        ("impl/x509_signature.ipp", "without: !algorithm"): "Botan has read it before",
        ("impl/x509_signature.ipp", "without: !bits"): "Botan has read it before",
        ("impl/x509_signature.ipp", "without: bits->contents.empty()"): "Botan has read it before",
        ("impl/x509.ipp", "never: !extensions.extension_set(subject_alt_name)"): "what then throws is caught",
        ("impl/x509.ipp", "true: !impl_->parsed"): "as good, only larger",
        ("impl/x509.ipp", "never: !impl_->parsed"): "as good, only slower",
        ("impl/revocation.ipp", "true: !revoked()"): "asked only of what was not revoked",
        ("impl/revocation.ipp", "true: extensions"): "of a path that stands, they can be read",
        ("impl/crl.ipp", "never: a.size() != b.size()"): "any order will do",
        ("impl/crl.ipp", "never: !spki"): "SHA-256 fails only without memory",
        ("impl/crl.ipp", "never: !digest"): "SHA-256 fails only without memory",
        ("impl/crl.ipp", "never: crls.empty()"): "there is nothing to be looked through",
        ("impl/crl.ipp", "without: !name", 3): "Botan has read the name before",
        ("impl/crl.ipp", "true: text->size() > 1"): "a string ends in a zero",
        ("impl/ocsp.ipp", "never: !verified && verified.error().code() == ErrorCode::out_of_memory"):
            "no test lets memory run out there",
        ("impl/ocsp.ipp", "without: !named", 2): "Botan has read the names before",
        ("impl/ocsp.ipp", "without: !own"): "Botan has read the names before",
        ("impl/ocsp.ipp", "true: own"): "Botan has read the name before",
        ("impl/ocsp.ipp", "true: key_hash"): "the keys of a path can be read",
        ("impl/ocsp.ipp", "true: hash"): "the keys of a path can be read",
        ("impl/transparency.ipp", "never: !digest"): "SHA-256 fails only without memory",
        ("impl/server_name.ipp", "without: digits > 3"): "four digits that do not begin with zero are more than 255",
        ("impl/key_pins.ipp", "never: !digest"): "SHA-256 fails only without memory",
        ("impl/key_pins.ipp", "never: !pin"): "SHA-256 fails only without memory",
        ("impl/raw_public_key.ipp", "never: !pin"): "SHA-256 fails only without memory",
        ("impl/certificate_extensions.ipp", "true: method"): "without it, there is no location either",
        ("impl/public_key.ipp", "without: !algorithm"): "without it, there are no bits either",
        ("impl/public_key.ipp", "true: !is_ml_dsa(scheme)", 1): "only where Botan has no ML-DSA",
        ("impl/public_key.ipp", "false: !is_ml_dsa(scheme)"): "only where Botan has no ML-DSA",
        ("impl/trust_anchors.ipp", "never: !platform.source.empty()"): "this system's store is made of files",
        ("impl/trust_anchors.ipp", "true: found.empty()"): "what was found is returned",
        # Which of its places a system has, no test decides.
        ("impl/trust_anchors.ipp", "never: found.empty()"): "depends on the system",
        ("impl/trust_anchors.ipp", "true: !found.empty()", 2): "depends on the system",
        ("impl/trust_anchors.ipp", "never: !found.empty()", 2): "depends on the system",
        ("impl/trust_anchors.ipp", "true: !found.empty()", 3): "depends on the system",
        ("impl/trust_anchors.ipp", "never: !found.empty()", 3): "depends on the system",
        ("impl/trust_anchors.ipp", "true: text->size() > 1"): "a string ends in a zero",
        ("impl/key_pins.ipp", "true: name.is_dns()"): "no address ends in a DNS name",
        ("impl/key_pins.ipp", "true: wanted.size() > own.size()"): "it ends in the other, and is not the same",
    })
