// The record layer against the bare AEAD: what cutting, numbering, queueing and checking records costs.
//
// Sealing: RecordLayer::send_application_data() on one record's worth of data, and taking it from the output queue;
// against Botan's AEAD on a buffer of the same size, in place, with the same additional data.
//
// Opening: bytes are handed in as recv() would, and the records' contents taken; against Botan's AEAD on the same
// records. Opening destroys the ciphertext, so both begin with a copy of it; the time of just that copying, which is the
// network's business and not the library's, is measured as well and subtracted from both.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <botan/aead.h>
#include <botan/secmem.h>

#include "layers.hpp"
#include "support.hpp"

namespace bench {

namespace {

constexpr std::size_t header_size = tls::RecordHeader::size;
constexpr std::size_t overhead = header_size + 1 + tls::aead_tag_length;

/// What a program would write by hand if it needed just the AEAD.
class BareAead {
public:
  BareAead(const Suite& suite, Botan::Cipher_Dir direction)
      : mode_(Botan::AEAD_Mode::create_or_throw(suite.botan_name, direction)) {
    mode_->set_key(key_of(suite));
    tag_.reserve(tls::aead_tag_length);
  }
  void seal(tls::BytesView header, tls::Bytes text, tls::Bytes tag) {
    start(header);
    mode_->process(text);
    tag_.clear();
    mode_->finish(tag_);
    tls::copy_bytes(tag_, tag);
  }
  void open(tls::BytesView header, tls::Bytes text, tls::BytesView tag) {
    start(header);
    mode_->process(text);
    tag_.assign(tag.begin(), tag.end());
    mode_->finish(tag_);
  }

private:
  void start(tls::BytesView header) {
    mode_->set_associated_data(header);
    std::array<std::uint8_t, tls::aead_nonce_length> nonce = iv_bytes;
    for (std::size_t i = 0; i < 8; ++i)
      nonce[11 - i] = static_cast<std::uint8_t>(nonce[11 - i] ^ static_cast<std::uint8_t>(number_ >> (8 * i)));
    ++number_;
    mode_->start(nonce);
  }
  std::unique_ptr<Botan::AEAD_Mode> mode_;
  Botan::secure_vector<std::uint8_t> tag_;
  std::uint64_t number_ = 0;
};

struct Measured {
  double ours = 0; ///< nanoseconds a record
  double bare = 0;
  double ratio = 0;           ///< speed of ours to the bare AEAD's
  double ratio_with_copy = 0; ///< to the bare AEAD's after the copy that ours makes
  double allocations = 0;
};

Measured seal(const Suite& suite, std::size_t size, const Options& options) {
  const std::size_t batch = std::max<std::size_t>(1, 262'144 / size);
  const tls::ByteVector data(size, 0x61);
  tls::RecordLayer layer = sealing_layer(suite);
  BareAead aead(suite, Botan::Cipher_Dir::Encryption);
  tls::ByteVector buffer(size + overhead);

  const auto seal_ours = [&] {
    for (std::size_t i = 0; i < batch; ++i) {
      valid(layer.send_application_data(data));
      layer.output().sent(layer.output().front().size());
    }
  };
  Rounds rounds;
  const std::size_t ours = rounds.add([&] { return cpu_time(seal_ours); });
  const auto seal_bare = [&](bool copying) {
    const tls::Bytes all(buffer);
    for (std::size_t i = 0; i < batch; ++i) {
      if (copying)
        tls::copy_bytes(data, all.subspan(header_size));
      aead.seal(all.first(header_size), all.subspan(header_size, size + 1), all.last(tls::aead_tag_length));
    }
  };
  const std::size_t bare = rounds.add([&] { return cpu_time([&] { seal_bare(false); }); });
  const std::size_t bare_and_copy = rounds.add([&] { return cpu_time([&] { seal_bare(true); }); });
  rounds.run(options.rounds(400));

  const HeapCount count;
  const std::size_t before = heap_now().allocations;
  seal_ours();
  const std::size_t allocations = heap_now().allocations - before;

  const auto records = static_cast<double>(batch);
  return {rounds.time(ours) / records, rounds.time(bare) / records, rounds.ratio(bare, ours),
          rounds.ratio(bare_and_copy, ours), static_cast<double>(allocations) / records};
}

Measured open(const Suite& suite, std::size_t size, const Options& options) {
  const std::size_t batch = std::max<std::size_t>(1, 262'144 / size);
  const tls::ByteVector stream = sealed_stream(suite, batch * size, size);
  const std::size_t record = size + overhead;
  // What receive_buffer() offers once records of this size arrive: copies are made in pieces of that size.
  std::size_t piece = 0;
  unsigned sum = 0;
  {
    tls::RecordLayer layer = opening_layer(suite);
    const tls::BytesView first = tls::BytesView(stream).first(std::min(stream.size(), 3 * record));
    (void)open_stream(layer, first, first.size(), sum);
    piece = layer.receive_buffer().size();
  }
  tls::ByteVector buffer(stream.size());

  Rounds rounds;
  const std::size_t ours = rounds.add([&] {
    tls::RecordLayer layer = opening_layer(suite);
    std::size_t opened = 0;
    const double time = cpu_time([&] { opened = open_stream(layer, stream, stream.size(), sum); });
    if (opened != batch * size)
      throw std::runtime_error("records were lost");
    return time;
  });
  const auto copy = [&] {
    // Into the same memory again and again, as a receive buffer.
    for (tls::BytesView rest = stream; !rest.empty();) {
      const std::size_t part = std::min(rest.size(), std::max(piece, record));
      std::copy_n(rest.data(), part, buffer.data());
      // The copy is not to be optimized away.
      __asm__ __volatile__("" : : "r"(buffer.data()) : "memory");
      rest = rest.subspan(part);
    }
  };
  const std::size_t bare = rounds.add([&] {
    BareAead aead(suite, Botan::Cipher_Dir::Decryption);
    return cpu_time([&] {
      const std::size_t together = std::max<std::size_t>(1, piece / record);
      for (std::size_t done = 0; done < batch;) {
        const std::size_t now = std::min(together, batch - done);
        std::copy_n(stream.data() + done * record, now * record, buffer.data());
        for (std::size_t i = 0; i < now; ++i) {
          const tls::Bytes one = tls::Bytes(buffer).subspan(i * record, record);
          aead.open(one.first(header_size), one.subspan(header_size, size + 1), one.last(tls::aead_tag_length));
          sum += one[header_size];
        }
        done += now;
      }
    });
  });
  const std::size_t copying = rounds.add([&] { return cpu_time(copy); });
  rounds.run(options.rounds(400));

  // From the second half of a stream on nothing may be taken from the heap any more.
  tls::RecordLayer layer = opening_layer(suite);
  const std::size_t half = batch / 2 * record;
  (void)open_stream(layer, tls::BytesView(stream).first(half), half, sum);
  const HeapCount count;
  const std::size_t before = heap_now().allocations;
  (void)open_stream(layer, tls::BytesView(stream).subspan(half), stream.size(), sum);
  const std::size_t allocations = heap_now().allocations - before;

  const auto records = static_cast<double>(batch);
  const double ratio = rounds.combined(
      [=](const std::vector<double>& turn) { return (turn[bare] - turn[copying]) / (turn[ours] - turn[copying]); });
  return {(rounds.time(ours) - rounds.time(copying)) / records, (rounds.time(bare) - rounds.time(copying)) / records,
          ratio, ratio, static_cast<double>(allocations) / static_cast<double>(batch - batch / 2)};
}

} // namespace

bool run_records(const Options& options) {
  heading("Records: speed compared with Botan's bare AEAD in place, one record at a time");
  std::printf("%-18s %-5s %6s %9s %9s %6s  %-30s %-8s %s\n", "AEAD", "", "bytes", "ours", "bare", "GB/s", "ours/bare",
              "+ copy", "allocations a record");
  struct Size {
    std::size_t bytes;
    double aim;
  };
  for (const Suite& suite : suites)
    for (const Size size : {Size{16'384, 0.95}, Size{1'400, 0.90}})
      for (const bool sealing : {true, false}) {
        const Measured measured = sealing ? seal(suite, size.bytes, options) : open(suite, size.bytes, options);
        std::printf("%-18s %-5s %6zu %6.0f ns %6.0f ns %6.2f  %-30s %-8.3f %s\n", std::string(suite.name).c_str(),
                    sealing ? "seal" : "open", size.bytes, measured.ours, measured.bare,
                    static_cast<double>(size.bytes) / measured.ours,
                    against(measured.ratio, Aim::at_least, size.aim, 3).c_str(), measured.ratio_with_copy,
                    heap_is_counted() ? against(measured.allocations, Aim::at_most, 0, 2).c_str() : "not counted here");
      }
  std::puts(
      "\nCopies of each byte: sealing 1 (from the caller into the record, where it is sealed in place); opening 0\n"
      "(the content is opened where it was received; read_some then copies it out for its caller). The bare AEAD "
      "works\n"
      "on text that is in place already; \"+ copy\" is the same ratio when it, too, first copies what it seals.");
  return true;
}

} // namespace bench
