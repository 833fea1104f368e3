// What every other header needs first: the compiler check and how bodies are compiled.
#pragma once

#include <tlsconnect/version.hpp>

#if !defined(__cplusplus) || (defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12) ||                            \
    (defined(__clang__) && !defined(__apple_build_version__) && __clang_major__ < 19)
#error "tlsconnect needs GCC 12 or clang 19 (older ones lack std::expected or miscompile what it uses)"
#endif

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif

#if !defined(__cpp_lib_expected)
#error "tlsconnect needs std::expected: compile with -std=c++23 (and with clang, against libstdc++ 12 or newer)"
#endif

// With TLSCONNECT_WITHOUT_TLS12, the machine of TLS 1.2 is left out, and every configuration offers TLS 1.3 alone. All files
// of a program must agree on it.

// Bodies stand in impl/*.ipp. Header-only, they are inline functions; with TLSCONNECT_SEPARATE_COMPILATION the
// one translation unit that includes <tlsconnect/src.hpp> compiles them, and no public header names Botan.
#if defined(TLSCONNECT_SEPARATE_COMPILATION)
#define TLSCONNECT_DECL
#else
#define TLSCONNECT_DECL inline
#endif
