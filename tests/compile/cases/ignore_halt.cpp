// A function that returns a Halt or an Error has said something.
// expect: unused-(result|value)
#include <tlsconnect/base/halt.hpp>

tlsconnect::Halt halt();
tlsconnect::Error error();

void use() {
#if defined(WRONG)
  halt();
  error();
#else
  (void)halt();
  (void)error();
#endif
}
