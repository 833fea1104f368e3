// Bytes go early only when the caller has said that they may arrive twice.
// expect: no matching|no known conversion|could not convert|cannot convert
#include <tlsconnect/engine.hpp>

void use(tlsconnect::ConfigPtr config, tlsconnect::ServerName name, tlsconnect::BytesView bytes) {
#if defined(WRONG)
  tlsconnect::ClientEngine engine(config, name, bytes);
#else
  tlsconnect::ClientEngine engine(config, name, tlsconnect::replay_safe(bytes));
#endif
  (void)engine.failure();
}
