// The public names, declared only.
#pragma once

#include <tlsconnect/base/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

class CertificateVerifier;
class ClientConfig;
class ClientEngine;
class Error;
class Halt;
class MemoryPipe;
class PosixSocket;
class ServerName;
class TrustAnchors;
struct ConnectionInfo;

} // namespace tlsconnect::inline TLSCONNECT_ABI
