// The one translation unit of -Dseparate_compilation=true: all function bodies of the library.
#include <tlsconnect/src.hpp>
