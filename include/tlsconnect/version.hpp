// tlsconnect's version, and the inline namespace that carries it into every symbol.
#pragma once

#define TLSCONNECT_VERSION_MAJOR 0
#define TLSCONNECT_VERSION_MINOR 1
#define TLSCONNECT_VERSION_PATCH 0
#define TLSCONNECT_VERSION_STRING "0.1.0"

// Two copies of the library that do not fit together (another version, or the other way of compiling the
// bodies) must not link into one program by accident. Their symbols therefore differ.
#if defined(TLSCONNECT_SEPARATE_COMPILATION)
#define TLSCONNECT_ABI v0_1_separate
#else
#define TLSCONNECT_ABI v0_1
#endif
