// An ephemeral key agrees once.
// expect: discards qualifiers|has rvalue ref-qualifier
#include <utility>

#include <tlsconnect/crypto/key_exchange.hpp>

void use(tlsconnect::KeyExchange& key, tlsconnect::BytesView share) {
#if defined(WRONG)
  (void)key.agree(tlsconnect::NamedGroup::x25519, share);
#else
  (void)std::move(key).agree(tlsconnect::NamedGroup::x25519, share);
#endif
}
