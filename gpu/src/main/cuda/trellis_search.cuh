// The Viterbi search over the states of the trellis generator, with the feedback of errors from row to row (LDLQ). The same path as
// io.pseed.converter.encode.TrellisSearch, bit for bit: all metrics are integers, ties go to the lower state.
//
// One block searches one segment at a time. With G = 2^(L-k) groups of states, a step is
//
//     best'[g] = min over j of (best[(j G + g) >> k] + cost(target, code[j G + g]))        g < G, j < 2^k
//
// with j in the low bits of the metric, so that the minimum tells the predecessor. Only best[] is kept: 2^(L-k) integers, twice, in shared
// memory. A thread owns 128 states: 8 groups in a row, which share their predecessors, times 16 values of j (less than 16 at k < 4, then
// several tiles of 8 groups). Their codes stay in its registers for the whole segment, two in each.
//
// Two numbers. A state costs three instructions at k <= 4 (difference: dp2a, which takes its half of the word, in the pipe of
// multiplications; square and sum: one multiply-add; minimum), seven where distances have a far end (k >= 5), one or two more where errors
// weigh differently. An H100 issues 128 a clock and multiprocessor, 64 of them multiplications: 132 * 1.755 GHz * 64 / 2 = 7.4e12 states a
// second, 113 Mweights/s at L = 16, is the bound at k <= 4. Bytes: a step writes 2 to 4 KB of decisions at L = 16, at 100 Mweights/s 0.2 to
// 0.4 TB/s of 3. So arithmetic is the bound, and at k = 4 71 % of the multiplications' pipe is in use; the rest is what four warps of a
// scheduler wait for each other at the barrier of a step.
#ifndef PSEED_TRELLIS_SEARCH_CUH
#define PSEED_TRELLIS_SEARCH_CUH

#include "portable.cuh"
#include "trellis_layout.h"

namespace pseed {

/// What a rate's metric is made of.
template <int K>
struct Metric {
  static constexpr int kUnitLog2 = K == 1 ? 6 : K == 2 ? 5 : K <= 4 ? 4 : K == 5 ? 2 : K == 6 ? 1 : 0;
  /// Low bits for the predecessor's number: an even number, so that codes can be shifted by half of it and squares come out right.
  static constexpr int kLowBits = (K + 1) / 2 * 2;
  static constexpr int kLowMask = (1 << kLowBits) - 1;
  /// Whether distances beyond some point count linearly.
  static constexpr bool kFar = K >= 5;
  static constexpr int kLimit = (7 * 4096) >> kUnitLog2;
  static constexpr int kFarBase = 1000000;
  static constexpr long long kWidest = (11 * 4096) >> kUnitLog2;
  static constexpr long long kLargestCost = kFar ? kFarBase + 4 * kWidest : kWidest * kWidest;

  static __device__ int unreachable(int seedBits) {
    long long spread = (seedBits + K - 1) / K * kLargestCost;
    return static_cast<int>((spread + 1) << kLowBits);
  }
};

/// A target less the low (0) or the high (1) of two codes in a word. (Shifts and subtractions for some of the codes, to even out what the
/// pipes of multiplications and of other integers have to do, were 5 to 10 % slower on an H100.)
template <int HALF>
__device__ __forceinline__ int difference(uint32_t codes, int target) {
  // Four signed bytes: -1 for the half that counts.
  return __dp2a_lo(static_cast<int>(codes), HALF == 0 ? 0x00FF : 0xFF00, target);
}

/// Metric of a state: its predecessor's, with j in the low bits, and the cost of its code. Codes and target are shifted by half of the low
/// bits where the cost is a plain square.
template <int K, bool WEIGHTED>
__device__ __forceinline__ int extended(int x, int weight, int base) {
  using M = Metric<K>;
  if constexpr (!M::kFar && !WEIGHTED) {
    return x * x + base;
  } else {
    int cost = x * x;
    if constexpr (M::kFar) {
      cost = min(cost, 4 * abs(x) + M::kFarBase);
    }
    if constexpr (WEIGHTED) {
      // ((cost * weight) >> 6) << kLowBits
      constexpr int down = 6 - M::kLowBits;
      cost *= weight;
      cost = (down >= 0 ? cost >> (down > 0 ? down : 0) : cost << (down < 0 ? -down : 0)) & ~M::kLowMask;
      return cost + base;
    }
    return cost * (1 << M::kLowBits) + base;
  }
}

/// By how much codes and targets are shifted before a search.
template <int K, bool WEIGHTED>
__host__ __device__ constexpr int preShift() {
  return Metric<K>::kFar || WEIGHTED ? 0 : Metric<K>::kLowBits / 2;
}

__device__ __forceinline__ uint32_t shiftedCodes(uint32_t two, int shift) {
  return ((two << shift) & 0xFFFFu) | ((two & 0xFFFF0000u) << shift);
}

/// The segment that a block is at.
struct Segment {
  const float *wanted;     ///< n targets in code units
  const uint8_t *weights;  ///< or null
  const int16_t *codes;    ///< 2^L codes in the rate's units
  const int16_t *plain;    ///< 2^L codes in code units
  uint8_t *payload;        ///< or null
  float *found;            ///< or null
  uint8_t *decisions;
  uint32_t *states;
  uint32_t *exits;
  uint32_t n;
  int seedBits;
};

struct BlockShared {
  int target[kTile];
  int weight[kTile];
  unsigned long long least[32];
  uint32_t job;
  uint32_t last;
};

/// Math.round of Java: the nearest integer, ties upwards.
__device__ __forceinline__ int rounded(float value) {
  return static_cast<int>(floor(static_cast<double>(value) + 0.5));
}

/// Brings the targets of the next steps into shared memory. A barrier follows.
template <int K, bool WEIGHTED>
__device__ __forceinline__ void loadTile(const Segment &segment, uint32_t first, BlockShared &shared) {
  using M = Metric<K>;
  for (uint32_t i = threadIdx.x; i < kTile && first + i < segment.n; i += blockDim.x) {
    float scaled = segment.wanted[first + i] * (1.0f / (1 << M::kUnitLog2));
    // Far beyond the limit a float may not fit an integer.
    scaled = fminf(fmaxf(scaled, -2.0f * M::kLimit), 2.0f * M::kLimit);
    int target = min(max(rounded(scaled), -M::kLimit), M::kLimit);
    shared.target[i] = target * (1 << preShift<K, WEIGHTED>());
    if constexpr (WEIGHTED) {
      shared.weight[i] = segment.weights[first + i];
    }
  }
}

template <int K>
__device__ __forceinline__ void initialMetrics(int *best, int groups, int seedBits) {
  int unreachable = Metric<K>::unreachable(seedBits);
  for (int g = threadIdx.x; g < groups; g += blockDim.x) {
    best[g] = g == 0 ? 0 : unreachable;
  }
}

/// Writes the decisions of 8 groups, as many bits each as decisionBytes says.
template <int K>
__device__ __forceinline__ void writeDecisions(uint8_t *step, int tile, const int (&best)[8]) {
  constexpr int mask = (1 << K) - 1;
  if constexpr (K >= 5) {
    uint2 bytes;
    bytes.x = (best[0] & mask) | (best[1] & mask) << 8 | (best[2] & mask) << 16 | static_cast<uint32_t>(best[3] & mask) << 24;
    bytes.y = (best[4] & mask) | (best[5] & mask) << 8 | (best[6] & mask) << 16 | static_cast<uint32_t>(best[7] & mask) << 24;
    reinterpret_cast<uint2 *>(step)[tile] = bytes;
  } else {
    constexpr int width = K >= 3 ? 4 : K;
    uint32_t bits = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
      bits |= static_cast<uint32_t>(best[i]) << (width * i) & static_cast<uint32_t>(mask) << (width * i);
    }
    if constexpr (K >= 3) {
      reinterpret_cast<uint32_t *>(step)[tile] = bits;
    } else if constexpr (K == 2) {
      reinterpret_cast<uint16_t *>(step)[tile] = static_cast<uint16_t>(bits);
    } else {
      step[tile] = static_cast<uint8_t>(bits);
    }
  }
}

template <int K, bool SMALL>
__device__ __forceinline__ uint32_t decision(const uint8_t *decisions, uint64_t stepBytes, uint32_t t, uint32_t group) {
  const uint8_t *step = decisions + t * stepBytes;
  if constexpr (SMALL || K >= 5) {
    return step[group];
  } else {
    constexpr uint32_t width = K >= 3 ? 4 : K;
    return step[group * width / 8] >> (group * width % 8) & ((1 << K) - 1);
  }
}

/// One tile of 8 groups: the minimum over the thread's share of predecessors, full metrics with j below.
///
/// @param codeOf gives the 8 codes of state 8 * tile + j * groups on
template <int K, bool WEIGHTED, class CodeOf>
__device__ __forceinline__ void tileMinimum(const int *best, int tile, int split, int groupsLog2, int negativeReference, int target, int weight,
                                            CodeOf codeOf, int (&least)[8]) {
  constexpr int kJs = K >= 4 ? 16 : 1 << K;
  constexpr int kSplits = K > 4 ? 1 << (K - 4) : 1;
  constexpr int kShared = K >= 3 ? 1 : 8 >> K;  // Predecessors of the 8 groups.
#pragma unroll
  for (int jj = 0; jj < kJs; jj++) {
    int state = ((jj * kSplits + split) << groupsLog2) + tile * 8;
    int base[kShared];
    const int *from = best + (state >> K);
    if constexpr (kShared == 4) {
      int4 four = *reinterpret_cast<const int4 *>(from);
      base[0] = four.x;
      base[1] = four.y;
      base[2] = four.z;
      base[3] = four.w;
    } else if constexpr (kShared == 2) {
      int2 two = *reinterpret_cast<const int2 *>(from);
      base[0] = two.x;
      base[1] = two.y;
    } else {
      base[0] = *from;
    }
#pragma unroll
    for (int i = 0; i < kShared; i++) {
      base[i] += negativeReference + (jj * kSplits + split);
    }
    uint4 codes = codeOf(jj, state);
    const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int x = i % 2 == 0 ? difference<0>(words[i / 2], target) : difference<1>(words[i / 2], target);
      int metric = extended<K, WEIGHTED>(x, weight, base[i * kShared / 8]);
      least[i] = jj == 0 ? metric : min(least[i], metric);
    }
  }
  // The splits of a tile are neighbours in a warp.
#pragma unroll
  for (int other = 1; other < kSplits; other *= 2) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      least[i] = min(least[i], __shfl_xor_sync(0xFFFFFFFFu, least[i], other));
    }
  }
}

/// Stores what a tile found: metrics without their low bits, or with them after the last step, where j is still asked for.
template <int K>
__device__ __forceinline__ void storeTile(int *next, int tile, bool last, uint8_t *step, int (&least)[8]) {
  if (!last) {
    writeDecisions<K>(step, tile, least);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      least[i] &= ~Metric<K>::kLowMask;
    }
  }
  reinterpret_cast<int4 *>(next)[tile * 2] = make_int4(least[0], least[1], least[2], least[3]);
  reinterpret_cast<int4 *>(next)[tile * 2 + 1] = make_int4(least[4], least[5], least[6], least[7]);
}

/// Searches a segment forward. Metrics of the last step lie then in best + (n & 1) * groups, with j in their low bits.
template <int K, bool WEIGHTED, bool REGISTERS>
__device__ __forceinline__ void forward(const Segment &segment, int *best, BlockShared &shared) {
  constexpr int kSplits = K > 4 ? 1 << (K - 4) : 1;
  constexpr int kTiles = K < 4 ? 1 << (4 - K) : 1;  // Of a unit of 128 states.
  constexpr int kJs = K >= 4 ? 16 : 1 << K;
  constexpr int shift = preShift<K, WEIGHTED>();
  const int groupsLog2 = segment.seedBits - K;
  const int groups = 1 << groupsLog2;
  const uint64_t stepBytes = decisionBytes(segment.seedBits, K);
  const int units = 1 << (segment.seedBits - 7);
  const uint4 *table = reinterpret_cast<const uint4 *>(segment.codes);
  const auto load = [&](int state) {
    uint4 v = __ldg(table + state / 8);
    v.x = shiftedCodes(v.x, shift);
    v.y = shiftedCodes(v.y, shift);
    v.z = shiftedCodes(v.z, shift);
    v.w = shiftedCodes(v.w, shift);
    return v;
  };
  uint4 own[REGISTERS ? 16 : 1];
  if constexpr (REGISTERS) {
#pragma unroll
    for (int i = 0; i < 16; i++) {
      int tile = (threadIdx.x + i / kJs * units) / kSplits;
      int j = i % kJs * kSplits + threadIdx.x % kSplits;
      own[i] = load((j << groupsLog2) + tile * 8);
    }
  }
  initialMetrics<K>(best, groups, segment.seedBits);
  for (uint32_t t = 0; t < segment.n; t++) {
    if (t % kTile == 0) {
      // Nobody reads the tile any more: each has passed the barrier behind its last step.
      loadTile<K, WEIGHTED>(segment, t, shared);
      __syncthreads();
    }
    const int *from = best + ((t & 1) << groupsLog2);
    int *next = best + ((~t & 1) << groupsLog2);
    const int target = shared.target[t % kTile];
    const int weight = WEIGHTED ? shared.weight[t % kTile] : 0;
    const int negativeReference = -from[0];
    const bool last = t + 1 == segment.n;
    // A decision tells how the state of the step after came about.
    uint8_t *step = segment.decisions + (t + 1) * stepBytes;
    if constexpr (REGISTERS) {
#pragma unroll
      for (int i = 0; i < kTiles; i++) {
        int tile = (threadIdx.x + i * units) / kSplits;
        int least[8];
        tileMinimum<K, WEIGHTED>(from, tile, threadIdx.x % kSplits, groupsLog2, negativeReference, target, weight,
                                 [&](int jj, int) { return own[i * kJs + jj]; }, least);
        if (kSplits == 1 || threadIdx.x % kSplits == 0) {
          storeTile<K>(next, tile, last, step, least);
        }
      }
    } else {
      for (int unit = threadIdx.x; unit < units * kTiles; unit += blockDim.x) {
        int tile = unit / kSplits;
        int least[8];
        tileMinimum<K, WEIGHTED>(from, tile, unit % kSplits, groupsLog2, negativeReference, target, weight,
                                 [&](int, int state) { return load(state); }, least);
        if (kSplits == 1 || unit % kSplits == 0) {
          storeTile<K>(next, tile, last, step, least);
        }
      }
    }
    __syncthreads();
  }
}

/// The same for short seeds, a group a thread.
template <int K, bool WEIGHTED>
__device__ __forceinline__ void forwardSmall(const Segment &segment, int *best, BlockShared &shared) {
  const int groupsLog2 = segment.seedBits - K;
  const int groups = 1 << groupsLog2;
  constexpr int shift = preShift<K, WEIGHTED>();
  initialMetrics<K>(best, groups, segment.seedBits);
  for (uint32_t t = 0; t < segment.n; t++) {
    if (t % kTile == 0) {
      loadTile<K, WEIGHTED>(segment, t, shared);
      __syncthreads();
    }
    const int *from = best + ((t & 1) << groupsLog2);
    int *next = best + ((~t & 1) << groupsLog2);
    const int target = shared.target[t % kTile];
    const int weight = WEIGHTED ? shared.weight[t % kTile] : 0;
    const int reference = from[0];
    const bool last = t + 1 == segment.n;
    for (int g = threadIdx.x; g < groups; g += blockDim.x) {
      int least = 0;
      for (int j = 0; j < 1 << K; j++) {
        int state = (j << groupsLog2) + g;
        int code = __ldg(segment.codes + state) * (1 << shift);
        int metric = extended<K, WEIGHTED>(target - code, weight, from[state >> K] - reference + j);
        least = j == 0 ? metric : min(least, metric);
      }
      if (!last) {
        segment.decisions[static_cast<uint64_t>(t + 1) * groups + g] = static_cast<uint8_t>(least & ((1 << K) - 1));
        least &= ~Metric<K>::kLowMask;
      }
      next[g] = least;
    }
    __syncthreads();
  }
}

/// The state that ends the best path: least metric, then lowest number.
template <int K>
__device__ __forceinline__ uint32_t lastState(const int *best, int groupsLog2, BlockShared &shared) {
  unsigned long long least = ~0ull;
  for (int g = threadIdx.x; g < 1 << groupsLog2; g += blockDim.x) {
    // Metric and j, made unsigned, then the group: the order of (metric, state).
    unsigned long long key = static_cast<unsigned long long>(static_cast<uint32_t>(best[g]) ^ 0x80000000u) << 32 | static_cast<uint32_t>(g);
    least = key < least ? key : least;
  }
#pragma unroll
  for (int other = 16; other > 0; other /= 2) {
    unsigned long long key = __shfl_xor_sync(0xFFFFFFFFu, least, other);
    least = key < least ? key : least;
  }
  if (threadIdx.x % 32 == 0) {
    shared.least[threadIdx.x / 32] = least;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (uint32_t warp = 1; warp < blockDim.x / 32; warp++) {
      least = shared.least[warp] < least ? shared.least[warp] : least;
    }
    uint32_t j = static_cast<uint32_t>(least >> 32) & ((1 << K) - 1);
    shared.last = j << groupsLog2 | static_cast<uint32_t>(least);
  }
  __syncthreads();
  return shared.last;
}

/// Traces the path back. A step waits for the one behind it, about 700 clocks, so chunks are traced at the same time: each from a state
/// some steps behind its end that need not be on the path, since all survivors come from one state soon. Whether it did is checked, and a
/// chunk that was traced from elsewhere is traced again. So the path is exact.
template <int K, bool SMALL>
__device__ __forceinline__ void trace(const Segment &segment, uint32_t lastState) {
  const int groupsLog2 = segment.seedBits - K;
  const uint64_t stepBytes = SMALL ? 1ull << groupsLog2 : decisionBytes(segment.seedBits, K);
  const uint32_t n = segment.n;
  const uint32_t chunks = (n + kChunk - 1) / kChunk;
  const uint32_t ahead = 6 * ((segment.seedBits + K - 1) / K) + 8;
  const auto before = [&](uint32_t t, uint32_t state) {
    uint32_t group = state >> K;
    return decision<K, SMALL>(segment.decisions, stepBytes, t, group) << groupsLog2 | group;
  };
  for (uint32_t chunk = threadIdx.x; chunk < chunks; chunk += blockDim.x) {
    const uint32_t first = chunk * kChunk;
    const uint32_t end = min(n, first + kChunk);
    uint32_t t = min(n, end + ahead) - 1;
    uint32_t state = t == n - 1 ? lastState : 0;
    for (; t >= end; t--) {
      state = before(t, state);
    }
    for (;; t--) {
      segment.states[t] = state;
      if (t == 0) {
        break;
      }
      state = before(t, state);
      if (t == first) {
        break;
      }
    }
    segment.exits[chunk] = state;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (uint32_t chunk = chunks - 1; chunk-- > 0;) {
      uint32_t state = segment.exits[chunk + 1];
      uint32_t t = (chunk + 1) * kChunk - 1;
      if (segment.states[t] == state) {
        continue;
      }
      for (;; t--) {
        if (segment.states[t] == state) {
          break;
        }
        segment.states[t] = state;
        if (t > 0) {
          state = before(t, state);
        }
        if (t == chunk * kChunk) {
          segment.exits[chunk] = state;
          break;
        }
      }
    }
  }
  __syncthreads();
}

/// Writes the symbols of the path, K bits each, most significant first, and the codes.
template <int K>
__device__ __forceinline__ void emit(const Segment &segment) {
  const uint32_t n = segment.n;
  const uint32_t bytes = static_cast<uint32_t>((static_cast<uint64_t>(n) * K + 7) / 8);
  for (uint32_t b = threadIdx.x; b < bytes; b += blockDim.x) {
    uint32_t value = 0;
    uint64_t bit = static_cast<uint64_t>(b) * 8;
    for (uint64_t t = bit / K; t < n && t * K < bit + 8; t++) {
      uint32_t symbol = segment.states[t] & ((1 << K) - 1);
      int shift = static_cast<int>(bit + 8 - (t + 1) * K);
      value |= shift >= 0 ? symbol << shift : symbol >> -shift;
    }
    segment.payload[b] = static_cast<uint8_t>(value);
  }
  if (segment.found != nullptr) {
    for (uint32_t t = threadIdx.x; t < n; t += blockDim.x) {
      segment.found[t] = segment.plain[segment.states[t]];
    }
  }
}

enum class Storage { kSmall, kRegisters, kMemory };

template <int K, Storage STORAGE>
__device__ __forceinline__ void searchSegment(const Segment &segment, int *best, BlockShared &shared) {
  if constexpr (STORAGE == Storage::kSmall) {
    if (segment.weights != nullptr) {
      forwardSmall<K, true>(segment, best, shared);
    } else {
      forwardSmall<K, false>(segment, best, shared);
    }
  } else {
    constexpr bool registers = STORAGE == Storage::kRegisters;
    if (segment.weights != nullptr) {
      forward<K, true, registers>(segment, best, shared);
    } else {
      forward<K, false, registers>(segment, best, shared);
    }
  }
  const int groupsLog2 = segment.seedBits - K;
  uint32_t last = lastState<K>(best + (static_cast<int>(segment.n & 1) << groupsLog2), groupsLog2, shared);
  trace<K, STORAGE == Storage::kSmall>(segment, last);
  emit<K>(segment);
}

/// What a launch is given; see trellis_layout.h and the README.
struct SearchArguments {
  const SearchJob *jobs;
  uint32_t jobCount;
  uint32_t *counter;
  const float *targets;
  float *errors;
  const float *factor;
  const uint64_t *offsets;
  const uint8_t *rates;
  const uint8_t *weights;
  float *found;
  const int16_t *codes;
  uint8_t *payload;
  uint8_t *scratch;
  uint64_t scratchPerBlock;
  uint32_t seedBits;
  uint32_t longest;
  uint64_t largestDecisionBytes;
};

/// The targets of a row less what makes up for the errors of the rows before it, in their order and with each product and difference
/// rounded, as FeedbackEncoder does. Left where the row's own errors will stand.
__device__ __forceinline__ void feedBack(const SearchArguments &arguments, const SearchJob &job, uint32_t row) {
  const float *targets = arguments.targets + job.targets + static_cast<uint64_t>(row) * job.stride;
  float *errors = arguments.errors + job.errors;
  const uint32_t start = row / job.block * job.block;
  const float *factor = arguments.factor + job.factor + static_cast<uint64_t>(row) * job.block;
  float *wanted = errors + static_cast<uint64_t>(row) * job.n;
  for (uint32_t j = threadIdx.x; j < job.n; j += blockDim.x) {
    float value = targets[j];
    const float *error = errors + static_cast<uint64_t>(start) * job.n + j;
    uint32_t count = row - start;
    uint32_t k = 0;
    // Sixteen loads under way at a time.
    for (; k + 16 <= count; k += 16) {
      float e[16];
#pragma unroll
      for (int i = 0; i < 16; i++) {
        e[i] = error[static_cast<uint64_t>(k + i) * job.n];
      }
#pragma unroll
      for (int i = 0; i < 16; i++) {
        value = __fsub_rn(value, __fmul_rn(factor[k + i], e[i]));
      }
    }
    for (; k < count; k++) {
      value = __fsub_rn(value, __fmul_rn(factor[k], error[static_cast<uint64_t>(k) * job.n]));
    }
    wanted[j] = value;
  }
  __syncthreads();
}

template <Storage STORAGE>
__device__ __forceinline__ void searchRow(const SearchArguments &arguments, const SearchJob &job, uint32_t row, int rate, int *best,
                                          BlockShared &shared) {
  Segment segment;
  const Scratch scratch = Scratch::of(arguments.largestDecisionBytes, arguments.longest, 0);
  uint8_t *own = arguments.scratch + blockIdx.x * arguments.scratchPerBlock;
  segment.decisions = own;
  segment.states = reinterpret_cast<uint32_t *>(own + scratch.states);
  segment.exits = reinterpret_cast<uint32_t *>(own + scratch.exits);
  segment.n = job.n;
  segment.seedBits = static_cast<int>(arguments.seedBits);
  segment.weights = job.weights == kNone ? nullptr : arguments.weights + job.weights;
  segment.codes = arguments.codes + (static_cast<uint64_t>(rate - 1) << arguments.seedBits);
  segment.plain = arguments.codes + (8ull << arguments.seedBits);
  segment.payload = arguments.payload + arguments.offsets[job.offsets + row] + job.at;
  segment.found = job.found == kNone ? nullptr : arguments.found + job.found + static_cast<uint64_t>(row) * job.n;
  segment.wanted = arguments.targets + job.targets + static_cast<uint64_t>(row) * job.stride;
  if (job.block > 0) {
    segment.wanted = arguments.errors + job.errors + static_cast<uint64_t>(row) * job.n;
  }
  switch (rate) {
    case 1: searchSegment<1, STORAGE>(segment, best, shared); break;
    case 2: searchSegment<2, STORAGE>(segment, best, shared); break;
    case 3: searchSegment<3, STORAGE>(segment, best, shared); break;
    case 4: searchSegment<4, STORAGE>(segment, best, shared); break;
    case 5: searchSegment<5, STORAGE>(segment, best, shared); break;
    case 6: searchSegment<6, STORAGE>(segment, best, shared); break;
    case 7: searchSegment<7, STORAGE>(segment, best, shared); break;
    default: searchSegment<8, STORAGE>(segment, best, shared); break;
  }
  __syncthreads();
}

/// The body of the kernels: blocks take jobs until none is left.
///
/// @param best room for the metrics, in shared or in device memory
template <Storage STORAGE>
__device__ __forceinline__ void searchJobs(const SearchArguments &arguments, int *best) {
  PSEED_SHARED_ARRAY(BlockShared, blockShared, 1);
  BlockShared &shared = blockShared[0];
  for (;;) {
    if (threadIdx.x == 0) {
      shared.job = atomicAdd(arguments.counter, 1u);
    }
    __syncthreads();
    const uint32_t number = shared.job;
    __syncthreads();
    if (number >= arguments.jobCount) {
      return;
    }
    const SearchJob &job = arguments.jobs[number];
    for (uint32_t row = job.firstRow; row < job.rows; row++) {
      const int rate = arguments.rates[job.rates + row];
      if (rate > 0) {
        if (job.block > 0) {
          feedBack(arguments, job, row);
        }
        searchRow<STORAGE>(arguments, job, row, rate, best, shared);
      } else if (job.found != kNone) {
        for (uint32_t j = threadIdx.x; j < job.n; j += blockDim.x) {
          arguments.found[job.found + static_cast<uint64_t>(row) * job.n + j] = 0;
        }
      }
      if (job.block > 0) {
        const uint32_t *states = reinterpret_cast<const uint32_t *>(arguments.scratch + blockIdx.x * arguments.scratchPerBlock +
                                                                   Scratch::of(arguments.largestDecisionBytes, arguments.longest, 0).states);
        const int16_t *plain = arguments.codes + (8ull << arguments.seedBits);
        const float *targets = arguments.targets + job.targets + static_cast<uint64_t>(row) * job.stride;
        for (uint32_t j = threadIdx.x; j < job.n; j += blockDim.x) {
          float code = rate > 0 ? plain[states[j]] : 0.0f;
          arguments.errors[job.errors + static_cast<uint64_t>(row) * job.n + j] = __fsub_rn(code, targets[j]);
        }
        __syncthreads();
      }
    }
  }
}

}  // namespace pseed

#endif
