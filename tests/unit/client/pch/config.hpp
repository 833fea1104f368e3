// What nearly every file of this folder needs, parsed once for all of them.
#include <catch2/catch_test_macros.hpp>

#include <tlsconnect/client/config.hpp>
