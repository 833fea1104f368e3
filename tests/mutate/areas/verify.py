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
             "impl/path_verifier.ipp", "impl/name_constraints.ipp", "impl/name_match.ipp",
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
        ("impl/path_builder.ipp", "never: subject.error().code() == ErrorCode::out_of_memory"):
            "no test lets memory run out there",
        ("impl/name_constraints.ipp", "true: dot != std::string_view::npos"): "what equals the base is within it anyway",
        ("impl/name_match.ipp", "never: dot == std::string_view::npos"): "nothing without a dot equals the base",
        ("impl/certificate_extensions.ipp", "without: !distinguished"): "comparable_name takes nothing else either",
        ("impl/certificate_extensions.ipp", "true: method"): "without it, there is no location either",
        ("impl/public_key.ipp", "true: !is_ml_dsa(scheme)"): "only where Botan has no ML-DSA",
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
