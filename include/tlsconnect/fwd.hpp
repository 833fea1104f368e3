// The public names, declared only.
#pragma once

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

class CertificateDecompressor;
class CertificateVerifier;
class ClientConfig;
class ClientEngine;
class Credential;
class CrlSet;
class Error;
class ExternalPsk;
class Halt;
class KeyLog;
class KeyLogFile;
class MemorySessionStore;
class MemoryPipe;
class PosixSocket;
class RawPublicKeyVerifier;
class ReplaySafe;
class ServerName;
class SessionStore;
class Signer;
class TrustAnchors;
struct ConnectionInfo;
struct Policy;
struct RevocationPolicy;
struct Session;

} // namespace tlsconnect::inline TLSCONNECT_ABI
