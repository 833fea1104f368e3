// All bodies, for separate compilation: define TLSCONNECT_SEPARATE_COMPILATION for every file of the program, and
// include this header in exactly one of them.
#pragma once

#if !defined(TLSCONNECT_SEPARATE_COMPILATION)
#error "define TLSCONNECT_SEPARATE_COMPILATION for the whole program before including <tlsconnect/src.hpp>"
#endif

#include <tlsconnect/impl/aead.ipp>
#include <tlsconnect/impl/certificate_compression.ipp>
#include <tlsconnect/impl/certificate_extensions.ipp>
#if !defined(TLSCONNECT_WITHOUT_TLS12)
#include <tlsconnect/impl/client12.ipp>
#include <tlsconnect/impl/client12_finish.ipp>
#include <tlsconnect/impl/handshake12.ipp>
#include <tlsconnect/impl/negotiate12.ipp>
#endif
#include <tlsconnect/impl/client13.ipp>
#include <tlsconnect/impl/client13_connected.ipp>
#include <tlsconnect/impl/client_authentication.ipp>
#include <tlsconnect/impl/client_hello.ipp>
#include <tlsconnect/impl/config.ipp>
#include <tlsconnect/impl/credentials.ipp>
#include <tlsconnect/impl/crl.ipp>
#include <tlsconnect/impl/engine.ipp>
#include <tlsconnect/impl/error.ipp>
#include <tlsconnect/impl/halt.ipp>
#include <tlsconnect/impl/hash.ipp>
#include <tlsconnect/impl/kdf.ipp>
#include <tlsconnect/impl/key_exchange.ipp>
#include <tlsconnect/impl/key_log.ipp>
#include <tlsconnect/impl/key_log_file.ipp>
#include <tlsconnect/impl/key_pins.ipp>
#include <tlsconnect/impl/key_schedule12.ipp>
#include <tlsconnect/impl/key_schedule13.ipp>
#include <tlsconnect/impl/memory_pipe.ipp>
#include <tlsconnect/impl/name_constraints.ipp>
#include <tlsconnect/impl/name_match.ipp>
#include <tlsconnect/impl/negotiate.ipp>
#include <tlsconnect/impl/ocsp.ipp>
#include <tlsconnect/impl/path_builder.ipp>
#include <tlsconnect/impl/path_rules.ipp>
#include <tlsconnect/impl/path_verifier.ipp>
#include <tlsconnect/impl/policy.ipp>
#include <tlsconnect/impl/posix.ipp>
#include <tlsconnect/impl/pre_shared_key.ipp>
#include <tlsconnect/impl/private_key.ipp>
#include <tlsconnect/impl/proofs.ipp>
#include <tlsconnect/impl/psk.ipp>
#include <tlsconnect/impl/public_key.ipp>
#include <tlsconnect/impl/random.ipp>
#include <tlsconnect/impl/raw_public_key.ipp>
#include <tlsconnect/impl/record_layer.ipp>
#include <tlsconnect/impl/revocation.ipp>
#include <tlsconnect/impl/server_certificate.ipp>
#include <tlsconnect/impl/server_name.ipp>
#include <tlsconnect/impl/session.ipp>
#include <tlsconnect/impl/transcript.ipp>
#include <tlsconnect/impl/transparency.ipp>
#include <tlsconnect/impl/trust_anchors.ipp>
#include <tlsconnect/impl/verified_chain_cache.ipp>
#include <tlsconnect/impl/verifier.ipp>
#include <tlsconnect/impl/verifier_sequence.ipp>
#include <tlsconnect/impl/x509.ipp>
#include <tlsconnect/impl/x509_signature.ipp>
