// What every test with a server of others includes, parsed once for all of them.
#include "../features.hpp"
#include "../support.hpp"
#include "child_process.hpp"
