// Secrets move and are wiped where they were; they are not copied.
// expect: deleted
#include <utility>

#include <tlsconnect/base/secret.hpp>

struct Tag;

void use(tlsconnect::Secret<Tag>& secret) {
#if defined(WRONG)
  tlsconnect::Secret<Tag> copy(secret);
#else
  tlsconnect::Secret<Tag> copy(std::move(secret));
#endif
  (void)copy.size();
}
