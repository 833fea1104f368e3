// What every test with OpenSSL includes, parsed once for all of them.
#include "../openssl_server.hpp"
