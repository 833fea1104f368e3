// Runs a fuzz target without libFuzzer, in the ordinary tests: on inputs made from a fixed seed, with structure that
// random bytes would hardly have.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 2000;
  std::uint64_t state = 0x9E3779B97F4A7C15;
  const auto next = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  for (int run = 0; run < runs; ++run) {
    std::vector<std::uint8_t> input(next() % 700);
    for (std::uint8_t& byte : input)
      byte = static_cast<std::uint8_t>(next() % 4 == 0 ? next() : next() % 8);
    // Half of them begin like a record with a handshake message, or like a short list.
    if (run % 2 == 0 && input.size() > 16) {
      const std::uint8_t record[] = {static_cast<std::uint8_t>(next()),
                                     22,
                                     3,
                                     3,
                                     0,
                                     static_cast<std::uint8_t>(input.size() % 256 - 6),
                                     2,
                                     0,
                                     0,
                                     static_cast<std::uint8_t>(input.size() % 256 - 10),
                                     3,
                                     3};
      for (std::size_t i = 0; i < sizeof record; ++i)
        input[i] = record[i];
    }
    (void)LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%d inputs\n", runs);
  return 0;
}
