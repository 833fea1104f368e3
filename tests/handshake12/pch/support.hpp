// What every file of this folder includes, parsed once for all of them.
#include "../support.hpp"
