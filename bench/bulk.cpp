// Opening much at once, in pieces, and in different amounts: the time must depend on the bytes, not on how they come.
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "layers.hpp"
#include "support.hpp"

namespace bench {

namespace {

double open_all(const Suite& suite, const tls::ByteVector& stream, std::size_t piece, std::size_t expected) {
  tls::RecordLayer layer = opening_layer(suite);
  unsigned sum = 0;
  std::size_t opened = 0;
  const double time = cpu_time([&] { opened = open_stream(layer, stream, piece, sum); });
  if (opened != expected)
    throw std::runtime_error("records were lost");
  return time;
}

} // namespace

bool run_bulk(const Options& options) {
  const Suite& suite = suites[0];
  constexpr std::size_t megabyte = 1 << 20;

  heading("Opening one megabyte: in small pieces, compared with all at once");
  std::printf("%-18s %12s %10s  %s\n", "records of", "pieces of", "time", "time/at once");
  for (const std::size_t record : {std::size_t{16'384}, std::size_t{1'400}}) {
    const tls::ByteVector stream = sealed_stream(suite, megabyte, record);
    const std::vector<std::size_t> pieces{stream.size(), 16'384, 1'400, 100, 1};
    Rounds rounds;
    for (const std::size_t piece : pieces)
      rounds.add([&, piece] { return open_all(suite, stream, piece, megabyte); });
    rounds.run(options.rounds(60));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const double ratio = rounds.ratio(i, 0);
      const std::string size = i == 0 ? "all" : std::to_string(pieces[i]);
      const bool aimed = i > 0 && pieces[i] >= 1'400;
      std::printf("%12zu bytes %12s %7.0f us  %s\n", record, size.c_str(), rounds.time(i) / 1e3,
                  aimed ? against(ratio, Aim::at_most, 1.1).c_str() : std::to_string(ratio).substr(0, 5).c_str());
    }
  }

  heading("Opening 64 KiB to 4 MiB in pieces of 1,400 bytes: time a byte, compared with the smallest");
  std::printf("%12s %10s %12s  %s\n", "amount", "time", "a byte", "time a byte/smallest");
  const std::vector<std::size_t> amounts{megabyte / 16, megabyte / 4, megabyte, 4 * megabyte};
  std::vector<tls::ByteVector> streams;
  for (const std::size_t amount : amounts)
    streams.push_back(sealed_stream(suite, amount, 16'384));
  Rounds rounds;
  for (std::size_t i = 0; i < amounts.size(); ++i)
    rounds.add([&, i] { return open_all(suite, streams[i], 1'400, amounts[i]) / static_cast<double>(amounts[i]); });
  rounds.run(options.rounds(60));
  for (std::size_t i = 0; i < amounts.size(); ++i)
    std::printf("%8zu KiB %7.0f us %9.3f ns  %s\n", amounts[i] / 1024,
                rounds.time(i) * static_cast<double>(amounts[i]) / 1e3, rounds.time(i),
                i == 0 ? "1.00" : against(rounds.ratio(i, 0), Aim::at_most, 1.25).c_str());
  std::puts("\n(The largest amount does not fit into the CPU's nearer caches, whoever opens it.)");
  return true;
}

} // namespace bench
