// What nearly every file of this folder includes, parsed once for all of them.
#include <catch2/catch_test_macros.hpp>

#include "../door.hpp"
