// What the benchmarks share: CPU time, medians over interleaved rounds, the counting allocator, and the printing.
//
// The machine may be busy with other things. So every number that matters is a ratio of two things that were measured
// in turns, A B C A B C, by this thread's CPU time, and the median over all rounds is reported.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

struct Options {
  /// Fewer rounds: to see that everything runs, not to measure.
  bool quick = false;

  [[nodiscard]] int rounds(int count) const { return quick ? std::max(count / 20, 3) : count; }
};

/// What does not work is not measured.
inline void require(bool good, const char* what) {
  if (!good)
    throw std::runtime_error(what);
}

// ---- time ----

/// CPU time of this thread in nanoseconds.
[[nodiscard]] inline double cpu_now() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// The CPU time that `action` takes.
template <class Action>
[[nodiscard]] double cpu_time(Action&& action) {
  const double start = cpu_now();
  action();
  return cpu_now() - start;
}

[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Several things to measure, in turns.
class Rounds {
public:
  /// `measure` does the thing once and returns its nanoseconds. The number to ask for the result by.
  std::size_t add(std::function<double()> measure) {
    measures_.push_back(std::move(measure));
    times_.emplace_back();
    return times_.size() - 1;
  }
  void run(int rounds) {
    // The first turns fill caches and tables.
    for (int round = -2; round < rounds; ++round)
      for (std::size_t i = 0; i < measures_.size(); ++i) {
        const double time = measures_[i]();
        if (round >= 0)
          times_[i].push_back(time);
      }
  }
  [[nodiscard]] double time(std::size_t which) const { return median(times_[which]); }
  /// Median over the rounds of what `combine` makes of a round's times.
  [[nodiscard]] double combined(const std::function<double(const std::vector<double>&)>& combine) const {
    std::vector<double> values;
    for (std::size_t round = 0; round < times_.front().size(); ++round) {
      std::vector<double> turn;
      for (const std::vector<double>& times : times_)
        turn.push_back(times[round]);
      values.push_back(combine(turn));
    }
    return median(std::move(values));
  }
  [[nodiscard]] double ratio(std::size_t of, std::size_t to) const {
    return combined([=](const std::vector<double>& turn) { return turn[of] / turn[to]; });
  }

private:
  std::vector<std::function<double()>> measures_;
  std::vector<std::vector<double>> times_;
};

// ---- heap ----

/// What went through the C library's allocator while a HeapCount lived.
struct Heap {
  std::size_t allocations = 0;
  std::ptrdiff_t bytes = 0; ///< taken and not given back, as the allocator rounds them
};
/// Whether this build can count: with the GNU C library and without a sanitizer.
[[nodiscard]] bool heap_is_counted();
/// Whether Botan takes its secret memory from a pool that no allocator sees.
[[nodiscard]] bool botan_pool_hides_memory();
[[nodiscard]] Heap heap_now();
/// Counts while it lives. Otherwise allocations cost what they always cost.
class HeapCount {
public:
  HeapCount();
  HeapCount(const HeapCount&) = delete;
  HeapCount& operator=(const HeapCount&) = delete;
  ~HeapCount();
};
/// The size of a block from the heap, as the allocator rounds it.
[[nodiscard]] std::size_t block_size(void* block);

// ---- printing ----

inline void heading(std::string_view text) {
  std::printf("\n%.*s\n", static_cast<int>(text.size()), text.data());
  for (std::size_t i = 0; i < text.size(); ++i)
    std::putchar('-');
  std::puts("\n");
}

enum class Aim : std::uint8_t { at_least, at_most, below };

/// "0.97  (aim >= 0.95: met)"
[[nodiscard]] inline std::string against(double value, Aim aim, double wanted, int digits = 2) {
  const bool met = aim == Aim::at_least ? value >= wanted : aim == Aim::at_most ? value <= wanted : value < wanted;
  const char* const sign = aim == Aim::at_least ? ">=" : aim == Aim::at_most ? "<=" : "<";
  char text[80];
  std::snprintf(text, sizeof text, "%.*f  (aim %s %.*f: %s)", digits, value, sign, digits, wanted,
                met ? "met" : "MISSED");
  return text;
}

// ---- the parts ----

[[nodiscard]] bool run_records(const Options& options);
[[nodiscard]] bool run_handshake(const Options& options);
[[nodiscard]] bool run_heap(const Options& options);
[[nodiscard]] bool run_bulk(const Options& options);
[[nodiscard]] bool run_trust(const Options& options);
[[nodiscard]] bool run_verify(const Options& options);

} // namespace bench
