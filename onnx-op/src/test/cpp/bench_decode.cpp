// Speed of the trellis decoder beside what memory takes.
//
//   bench_decode [SIZE [SECONDS]]     a SIZE x SIZE matrix (4096), SECONDS for each line (1)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "pseed_core.h"
#include "records.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double budget = 1;

// Best of as many rounds as the budget has, in seconds: other work on the machine makes a round slower, never faster.
template <typename Work>
double best(const Work &work) {
  double least = 1e9;
  const Clock::time_point start = Clock::now();
  do {
    const Clock::time_point from = Clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - from).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < budget);
  return least;
}

struct Case {
  const char *name;
  pseed_test::TrellisShape shape;
};

}  // namespace

int main(int argc, char **argv) {
  const uint32_t size = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 4096;
  budget = argc > 2 ? std::atof(argv[2]) : 1;
  if (size == 0 || size % 128 != 0 || size > 32768) {
    std::fprintf(stderr, "SIZE must be a multiple of 128 up to 32768\n");
    return 2;
  }
  const double weights = static_cast<double>(size) * size;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const auto report = [weights](const char *name, const char *set, unsigned threads, double seconds) {
    std::printf("%-34s %-9s %2u  %8.0f Mweights/s\n", name, set, threads, weights / seconds / 1e6);
    std::fflush(stdout);
  };
  std::vector<float> out(static_cast<size_t>(size) * size);
  std::printf("%u x %u, best of %.1f s each\n", size, size, budget);
  int round = 0;
  report("bound: write of F32 (memset)", "-", 1, best([&] { std::memset(out.data(), ++round & 0xFF, 4 * out.size()); }));
  const std::vector<float> from(out);
  report("bound: copy of F32 (memcpy)", "-", 1, best([&] { std::memcpy(out.data(), from.data(), 4 * out.size()); }));

  std::vector<Case> cases;
  const auto add = [&](const char *name, int rate, int bits, int row_log2, int col_log2, int dtype, bool transposed) {
    pseed_test::TrellisShape shape{size, size};
    shape.rate = rate;
    shape.bits = bits;
    shape.row_block_log2 = row_log2;
    shape.col_block_log2 = col_log2;
    shape.dtype = dtype;
    shape.transposed = transposed;
    cases.push_back({name, shape});
  };
  add("k=4 L=12 blocks 128 x 128", 4, 12, 7, 7, 1, false);
  add("k=4 L=16 blocks 128 x 128", 4, 16, 7, 7, 1, false);
  add("k=3 L=12 blocks 128 x 128", 3, 12, 7, 7, 1, false);
  add("k=8 L=12 blocks 128 x 128", 8, 12, 7, 7, 1, false);
  add("k=4 L=12 blocks 128 x 1", 4, 12, 7, 0, 1, false);
  add("k=4 L=12 blocks 1 x 1", 4, 12, 0, 0, 1, false);
  add("k=4 L=12 blocks 128 x 128, F16", 4, 12, 7, 7, 2, false);
  add("k=4 L=12 128 x 128, transposed", 4, 12, 7, 7, 1, true);
  for (const Case &c : cases) {
    std::vector<uint8_t> bytes = pseed_test::trellis_record(c.shape, 1, 0);
    // The checksum of what the portable loops decode; the rest must agree.
    pseed_error error;
    pseed_record *record = nullptr;
    if (pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error) != PSEED_OK) {
      std::fprintf(stderr, "%s\n", error.message);
      return 1;
    }
    pseed_record_info info;
    pseed_record_get_info(record, &info);
    const pseed_decode_options portable{1, PSEED_SET_PORTABLE};
    pseed_record_decode(record, out.data(), 4 * out.size(), &portable, &error);
    pseed_record_close(record);
    const uint32_t crc =
        pseed::crc32c_best().update(0, reinterpret_cast<const uint8_t *>(out.data()), static_cast<size_t>(info.decoded_bytes));
    bytes = pseed_test::trellis_record(c.shape, 1, crc);
    if (pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error) != PSEED_OK) {
      std::fprintf(stderr, "%s\n", error.message);
      return 1;
    }
    const auto measure = [&](int set, unsigned threads) {
      const pseed_decode_options options{threads, static_cast<uint32_t>(set)};
      int kind = PSEED_OK;
      const double seconds =
          best([&] { kind |= pseed_record_decode(record, out.data(), 4 * out.size(), &options, &error); });
      if (kind != PSEED_OK) {
        std::fprintf(stderr, "%s, %s: %s\n", c.name, pseed_instruction_set_label(set), error.message);
        std::exit(1);
      }
      report(c.name, pseed_instruction_set_label(set), threads, seconds);
    };
    const bool first = &c == &cases.front();
    for (int set = PSEED_SET_PORTABLE; set <= PSEED_SET_NEON; set++) {
      if (pseed_instruction_set_usable(set)) {
        measure(set, 1);
      }
    }
    if (first && cores > 1) {
      measure(pseed_instruction_set_best(), cores);
    }
    if (first) {
      report("  parse and check its record", "-", 1, best([&] {
               pseed_record *again = nullptr;
               pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &again, &error);
               pseed_record_close(again);
             }));
    }
    pseed_record_close(record);
  }
  return 0;
}
