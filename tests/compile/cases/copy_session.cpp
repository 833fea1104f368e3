// A session holds a secret, and is for one use.
// expect: use of deleted function|call to implicitly-deleted|call to deleted
#include <utility>

#include <tlsconnect/client/session.hpp>

void use(tlsconnect::Session& session) {
#if defined(WRONG)
  tlsconnect::Session other = session;
#else
  tlsconnect::Session other = std::move(session);
#endif
  (void)other.expired(0);
}
