// The program that BoringSSL's test runner starts for each of its tests: a client of this library that connects to the
// runner, which plays a server. What it owes the runner is said in README.md.
#include <cstdio>
#include <span>

#include "connection.hpp"
#include "options.hpp"

namespace {

/// What the runner reads from the exit status.
constexpr int failed = 1;
constexpr int unimplemented = 89;

/// Everything that is printed behind this line, by a sanitizer for instance, counts as a failure by itself.
struct EndOfOutput {
  ~EndOfOutput() { (void)std::fputs("--- DONE ---\n", stderr); }
};

int complain(const bogo::Complaint& complaint) {
  (void)std::fprintf(stderr, "%s\n", complaint.c_str());
  return failed;
}

int refuse(const bogo::Refusal& refusal) {
  (void)complain(refusal.reason);
  return refusal.unimplemented ? unimplemented : failed;
}

} // namespace

int main(int count, char** arguments) {
  const EndOfOutput end;
  const auto run = bogo::parse(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
  if (!run)
    return refuse(run.error());
  if (run->initial.is_handshaker_supported) {
    // A handshake split over two processes is for servers.
    (void)std::puts("No");
    return 0;
  }
  for (const bogo::ConnectionOptions* options : {&run->initial, &run->resume, &run->retry})
    if (const auto supported = bogo::check_supported(*options); !supported)
      return refuse(supported.error());

  bogo::Shared shared;
  for (unsigned i = 0; i <= run->initial.resume_count; ++i)
    if (const bogo::Outcome outcome = bogo::run_connection(*run, shared, i > 0); !outcome)
      return complain(outcome.error());
  return 0;
}
