// The benchmarks: everything that this library promises about speed and memory, measured in one run. Each number stands
// beside what it is compared with and the aim that it has.
//
//   bench [--quick] [records] [handshake] [heap] [bulk] [trust] [verify]
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "support.hpp"

namespace {

struct Part {
  std::string_view name;
  bool (*run)(const bench::Options&);
  bool wanted = false;
};

int run(int count, char** arguments) {
  std::array<Part, 6> parts{{{"records", bench::run_records},
                             {"handshake", bench::run_handshake},
                             {"heap", bench::run_heap},
                             {"bulk", bench::run_bulk},
                             {"trust", bench::run_trust},
                             {"verify", bench::run_verify}}};
  bench::Options options;
  bool all = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument(arguments[i]);
    bool known = argument == "--quick";
    options.quick = options.quick || known;
    for (Part& part : parts)
      if (part.name == argument) {
        part.wanted = known = true;
        all = false;
      }
    if (!known) {
      std::fprintf(stderr, "usage: %s [--quick] [records] [handshake] [heap] [bulk] [trust] [verify]\n", arguments[0]);
      return 2;
    }
  }

  std::puts(
      "Ratios are medians over interleaved rounds of this thread's CPU time; the times beside them depend on the\n"
      "machine and its load.");
  if (options.quick)
    std::puts("--quick: too few rounds for the ratios to mean much.");
  bool good = true;
  for (const Part& part : parts)
    if (all || part.wanted)
      good = part.run(options) && good;
  return good ? 0 : 1; // an aim that is missed is no failure; a benchmark that could not run is one
}

} // namespace

int main(int count, char** arguments) {
  // Botan's pool of locked memory would hide what connections take from the heap. Botan decides about it before it
  // can be told, so the program starts itself again. Whoever sets the variable gets what was set.
  constexpr const char* pool = "BOTAN_MLOCK_POOL_SIZE";
  if (std::getenv(pool) == nullptr && setenv(pool, "0", 1) == 0)
    (void)execv("/proc/self/exe", arguments); // goes on below where there is no such thing
  try {
    (void)std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    return run(count, arguments);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench: %s\n", problem.what());
    return 1;
  }
}
