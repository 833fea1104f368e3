"""The protocol floors, against hostile servers."""
import re

from finder import Area


def refuses(then, initial):
    if re.match(r"(return |result = )?(fail|refuse|share_invalid|inner\.refuse|ar\.refuse)\b", then):
        return True
    return bool(re.match(r"return (std::unexpected|result|added)", then) and re.search(r"decode<|parse\(", initial))


AREA = Area(
    targets=["impl/negotiate.ipp", "impl/client13.ipp", "impl/client13_connected.ipp", "impl/client_authentication.ipp",
             "impl/server_certificate.ipp", "impl/pre_shared_key.ipp", "impl/proofs.ipp", "impl/client_hello.ipp",
             "impl/record_layer.ipp", "impl/engine.ipp", "wire/extensions.hpp", "wire/messages13.hpp",
             "wire/cursor.hpp",
             "record/handshake_joiner.hpp", "handshake/state.hpp", "impl/negotiate12.ipp", "impl/handshake12.ipp",
             "impl/client12.ipp", "impl/client12_finish.ipp", "record/record_layer.hpp", "record/protection.hpp",
             "wire/messages12.hpp"],
    tests=["handshake/*", "handshake12/*", "unit/record/joiner", "unit/wire/cursor"],
    support=["support/scripted_*", "support/test_pki", "support/status_issuer"],
    environment={"TLSCONNECT_STATE_DIAGRAM": "{root}/docs/state-machine.md"},
    refuses=refuses,
    equivalent={
        ("impl/negotiate.ipp", "without: !suite"): "a configuration lists only suites that are known",
        ("impl/negotiate.ipp", "deleted: info.version = ProtocolVersion::tls1_3;"): "TLS 1.3 is the default",
        ("impl/client_hello.ipp", "never: !hello.shared_groups.push_back(group)"):
            "a configuration has at most as many shares",
        ("impl/client13.ipp", "never: !waiting"): "the engine has asked what is awaited",
        ("impl/client13_connected.ipp", "never: !state"): "the engine has asked whether the handshake is complete",
        ("impl/client13_connected.ipp", "never: epoch_ >= limits::key_epochs"): "no test lives to see 2^48 keys",
        ("impl/client13_connected.ipp", "deleted: session.version = ProtocolVersion::tls1_3;"):
            "TLS 1.3 is the default",
        ("impl/client12.ipp", "never: !waiting"): "the engine has asked what is awaited",
        ("impl/client12_finish.ipp", "never: !waiting"): "the engine has asked what is awaited",
        ("impl/client12_finish.ipp", "never: !state"): "the engine has asked whether the handshake is complete",
        ("impl/record_layer.ipp", "never: header.type == ContentType::application_data"):
            "before Finished it is refused anyway",
        ("impl/engine.ipp", "never: count == 0"): "from nothing no record is made",
        # Of release(); that of next() has a test.
        ("record/handshake_joiner.hpp", "deleted: given_ = false;"): "next() does the same before anything else",
    })
