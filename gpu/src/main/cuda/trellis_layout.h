// What the host and the kernels of the trellis search agree on. The Java twin is io.pseed.gpu.SearchLayout.
#ifndef PSEED_TRELLIS_LAYOUT_H
#define PSEED_TRELLIS_LAYOUT_H

#include <stdint.h>

#ifdef __CUDACC__
#define PSEED_BOTH __host__ __device__
#else
#define PSEED_BOTH
#endif

namespace pseed {

/// A panel of columns of one matrix: rows in order, with or without error feedback. 88 bytes.
struct SearchJob {
  uint64_t targets;  ///< index into targets of the first weight; row r begins at targets + r * stride
  uint64_t errors;   ///< index into errors of allRows * n floats of the job's own; unused when block is 0
  uint64_t factor;   ///< index into factor: of row i on row k, factor[i * block + k - i / block * block]
  uint64_t offsets;  ///< index into offsets: where in the payload each row begins, in bytes
  uint64_t rates;    ///< index into rates: k of each row; 0 writes nothing and decodes to zeros
  uint64_t weights;  ///< index into weights: n values of 1 to 64; kNone: all 64
  uint64_t found;    ///< index into found: rows * n codes as floats; kNone: nobody asks
  uint32_t at;       ///< added to each row's offset
  uint32_t stride;   ///< floats between rows of targets
  uint32_t rows;      ///< up to where this launch goes
  uint32_t n;         ///< weights of a row
  uint32_t block;     ///< rows of a block of the feedback factor; 0: no feedback
  uint32_t firstRow;  ///< rows before it were searched by an earlier launch: their errors are there, and what is fed back from them
  uint32_t allRows;   ///< of the panel
  uint32_t reserved;
};
static_assert(sizeof(SearchJob) == 88, "SearchJob");

constexpr uint64_t kNone = ~0ull;

/// Steps of a stream that one thread traces back.
constexpr uint32_t kChunk = 64;

/// Steps whose targets stand in shared memory at a time.
constexpr uint32_t kTile = 128;

/// Rows whose errors are fed back together to the rows behind them, and rows that get their part at a time.
constexpr uint32_t kFeedbackRows = 16;
constexpr uint32_t kFactorRows = 32;

constexpr int kSmallThreads = 128;    ///< L = 8 to 11
constexpr int kMemoryThreads = 1024;  ///< L = 17 to 20, and where the metrics do not fit into a device's shared memory

PSEED_BOTH constexpr uint64_t round256(uint64_t bytes) { return (bytes + 255) / 256 * 256; }

/// Bytes of the decisions of one step.
PSEED_BOTH constexpr uint64_t decisionBytes(int seedBits, int rate) {
  uint64_t groups = 1ull << (seedBits - rate);
  return seedBits < 12 || rate >= 5 ? groups : rate >= 3 ? groups / 2 : rate == 2 ? groups / 4 : groups / 8;
}

/// Bytes of the metrics of one block, before a step and behind it, of rates from the least on: in device memory 32 bits each.
PSEED_BOTH constexpr uint64_t metricBytes(int seedBits, int leastRate) { return 8ull << (seedBits - leastRate); }

/// The same in shared memory, where a metric of rate 1 has 24 bits.
PSEED_BOTH constexpr uint64_t sharedMetricBytes(int seedBits, int leastRate) {
  return leastRate == 1 ? 6ull << (seedBits - 1) : metricBytes(seedBits, leastRate);
}

/// Scratch of one block:
///
///     decisions   longest * largest decisionBytes
///     states      longest * 4     the path
///     exits       4 for each chunk of the path
///     metrics     metricBytes, where they are not in shared memory
///
/// each rounded up to 256 bytes.
struct Scratch {
  uint64_t states;
  uint64_t exits;
  uint64_t metrics;
  uint64_t total;

  PSEED_BOTH static constexpr Scratch of(uint64_t largestDecisionBytes, uint64_t longest, uint64_t metricBytes) {
    Scratch s{};
    s.states = round256(longest * largestDecisionBytes);
    s.exits = s.states + round256(longest * 4);
    s.metrics = s.exits + round256((longest / kChunk + 2) * 4);
    s.total = s.metrics + round256(metricBytes);
    return s;
  }
};

}  // namespace pseed

#endif
