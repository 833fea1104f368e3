// All of tlsconnect but the adapters that name an operating system: include <tlsconnect/posix.hpp> for sockets.
#pragma once

#include <tlsconnect/connector.hpp>
#include <tlsconnect/memory_pipe.hpp>
#include <tlsconnect/stream.hpp>
#include <tlsconnect/verify/path_verifier.hpp>
#include <tlsconnect/verify/verifier_sequence.hpp>
