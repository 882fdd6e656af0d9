// The Viterbi search over the states of the trellis generator, with the feedback of errors from row to row (LDLQ). The same path as
// io.pseed.converter.encode.TrellisSearch, bit for bit: all metrics are integers, ties go to the lower state.
//
// One block searches one segment at a time. With G = 2^(L-k) groups of states, a step is
//
//     best'[g] = min over j of (best[(j G + g) >> k] + cost(target, code[j G + g]))        g < G, j < 2^k
//
// with j in the low bits of the metric, so that the minimum tells the predecessor. Only best[] is kept: 2^(L-k) metrics, twice, in shared
// memory. A thread owns 128 states: 8 groups in a row, which share their predecessors, times 16 values of j (less than 16 at k < 4, then
// several tiles of 8 groups). Their codes stay in its registers for the whole segment, two in each.
//
// Two numbers. A state costs three instructions at k <= 4 (difference: dp2a, which takes its half of the word, in the pipe of
// multiplications; square and sum: one multiply-add; minimum), seven where distances have a far end (k >= 5), one or two more where errors
// weigh differently. An H100 issues 128 a clock and multiprocessor, 64 of them multiplications: 132 * 1.755 GHz * 64 / 2 = 7.4e12 states a
// second, 113 Mweights/s at L = 16, is the bound at k <= 4. Bytes: a step writes 2 to 4 KB of decisions at L = 16, at 100 Mweights/s 0.2 to
// 0.4 TB/s of 3. So arithmetic is the bound; README.md has what is reached, and which instructions there are beside those three.
#ifndef PSEED_TRELLIS_SEARCH_CUH
#define PSEED_TRELLIS_SEARCH_CUH

#include "portable.cuh"
#include "trellis_layout.h"

namespace pseed {

/// What a rate's metric is made of.
///
/// @tparam NARROW whether it is kept in 24 bits: at a rate of 1 bit and L = 16 two times 2^15 integers do not fit into shared memory
template <int K, bool NARROW = false>
struct Metric {
  static_assert(!NARROW || K == 1, "only metrics of rate 1 fit 24 bits");
  static constexpr int kRate = K;
  static constexpr bool kNarrow = NARROW;
  static constexpr int kUnitLog2 = K == 1 ? 6 : K == 2 ? 5 : K <= 4 ? 4 : K == 5 ? 2 : K == 6 ? 1 : 0;
  /// Low bits for the predecessor's number: an even number, so that codes can be shifted by half of it and squares come out right.
  static constexpr int kLowBits = NARROW ? 8 : (K + 1) / 2 * 2;
  static constexpr int kLowMask = (1 << kLowBits) - 1;
  /// Whether distances beyond some point count linearly.
  static constexpr bool kFar = K >= 5;
  static constexpr int kLimit = (7 * 4096) >> kUnitLog2;
  static constexpr int kFarthestCode = (4 * 4096) >> kUnitLog2;
  static constexpr int kFarBase = 1000000;
  static constexpr long long kWidest = kLimit + kFarthestCode;
  static constexpr long long kLargestCost = kFar ? kFarBase + 4 * kWidest : kWidest * kWidest;

  /// Metric of the states that cannot be at the begin: more than that of any other in the first L / K steps.
  static __device__ int unreachable(int seedBits) {
    if constexpr (NARROW) {
      return kNarrowUnreachable << kLowBits;
    } else {
      long long spread = (seedBits + K - 1) / K * kLargestCost;
      return static_cast<int>((spread + 1) << kLowBits);
    }
  }

  /// Two codes' costs differ by (|target| + |code|)^2 - (|target| - |code|)^2 at the most. Metrics less that of group 0 are below 16 times
  /// that and, while there are states that cannot be (L - 1 steps; they are set to this value again in each), below it by more than a
  /// cost; with a cost, all fit 24 bits.
  static constexpr int kLargestDifference = 4 * kLimit * kFarthestCode;
  static constexpr int kNarrowUnreachable = 7600000;
  static_assert(!NARROW || (15ll * kLargestDifference < kNarrowUnreachable - kLargestCost && kNarrowUnreachable + kLargestCost < 1 << 23 &&
                            16ll * kLargestDifference + kLargestCost < 1 << 23),
                "metrics fit 24 bits");
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
template <class M, bool WEIGHTED>
__device__ __forceinline__ int extended(int x, int weight, int base) {
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
template <class M, bool WEIGHTED>
__host__ __device__ constexpr int preShift() {
  return M::kFar || WEIGHTED ? 0 : M::kLowBits / 2;
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
  float factor[kFactorRows][kFeedbackRows];
  uint32_t job;
  uint32_t last;
};

/// Math.round of Java: the nearest integer, ties upwards.
__device__ __forceinline__ int rounded(float value) {
  return static_cast<int>(floor(static_cast<double>(value) + 0.5));
}

/// Brings the targets of the next steps into shared memory. A barrier follows.
template <class M, bool WEIGHTED>
__device__ __forceinline__ void loadTile(const Segment &segment, uint32_t first, BlockShared &shared) {
  for (uint32_t i = threadIdx.x; i < kTile && first + i < segment.n; i += blockDim.x) {
    float scaled = segment.wanted[first + i] * (1.0f / (1 << M::kUnitLog2));
    // Far beyond the limit a float may not fit an integer.
    scaled = fminf(fmaxf(scaled, -2.0f * M::kLimit), 2.0f * M::kLimit);
    int target = min(max(rounded(scaled), -M::kLimit), M::kLimit);
    shared.target[i] = target * (1 << preShift<M, WEIGHTED>());
    if constexpr (WEIGHTED) {
      shared.weight[i] = segment.weights[first + i];
    }
  }
}

/// The metrics of all groups before a step and behind it, two arrays in turns.
template <class M>
struct Metrics {
  int *both;
  int groups;

  /// Where a group's metric stands; of a multiple of 8 behind another group, so much further behind.
  static __device__ int place(int group) { return group; }

  __device__ int *at(uint32_t t) const { return both + (t & 1) * groups; }

  __device__ void begin(int unreachable) const {
    for (int g = threadIdx.x; g < groups; g += blockDim.x) {
      both[g] = g == 0 ? 0 : unreachable;
    }
  }

  /// What all metrics before step t are taken less of.
  __device__ int reference(uint32_t t) const { return at(t)[0]; }

  /// Metrics before step t of COUNT groups in a row from a place on, and `more`.
  template <int COUNT>
  __device__ void load(uint32_t t, int place, int more, int (&metrics)[COUNT]) const {
    const int *from = at(t) + place;
    if constexpr (COUNT == 4) {
      int4 four = *reinterpret_cast<const int4 *>(from);
      metrics[0] = four.x + more;
      metrics[1] = four.y + more;
      metrics[2] = four.z + more;
      metrics[3] = four.w + more;
    } else if constexpr (COUNT == 2) {
      int2 two = *reinterpret_cast<const int2 *>(from);
      metrics[0] = two.x + more;
      metrics[1] = two.y + more;
    } else {
      metrics[0] = *from + more;
    }
  }

  /// Stores metrics behind step t of a tile of 8 groups, without their low bits.
  __device__ void store(uint32_t t, int tile, const int (&metrics)[8]) const {
    int4 *to = reinterpret_cast<int4 *>(at(t + 1)) + tile * 2;
    constexpr int mask = ~M::kLowMask;
    to[0] = make_int4(metrics[0] & mask, metrics[1] & mask, metrics[2] & mask, metrics[3] & mask);
    to[1] = make_int4(metrics[4] & mask, metrics[5] & mask, metrics[6] & mask, metrics[7] & mask);
  }
};

/// The same in 24 bits a metric: three words for four groups, two of their lower 16 bits and one of their upper 8, so that threads that load
/// four or store eight in a row meet in no bank.
template <>
struct Metrics<Metric<1, true>> {
  int *both;
  int groups;

  static __device__ int place(int group) { return group / 4 * 3; }

  __device__ int *at(uint32_t t) const { return both + (t & 1) * place(groups); }

  __device__ void begin(int unreachable) const {
    if (threadIdx.x == 0) {
      put(0, 0, 0);
    }
    reset(0, 1, unreachable);
  }

  /// Sets the metrics before step t of the groups from one on.
  __device__ void reset(uint32_t t, int first, int metric) const {
    for (int g = first + threadIdx.x; g < groups; g += blockDim.x) {
      put(t, g, metric);
    }
  }

  __device__ void put(uint32_t t, int group, int metric) const {
    int *four = at(t) + place(group);
    reinterpret_cast<uint16_t *>(four)[group % 4] = static_cast<uint16_t>(static_cast<uint32_t>(metric) >> 8);
    reinterpret_cast<uint8_t *>(four + 2)[group % 4] = static_cast<uint8_t>(static_cast<uint32_t>(metric) >> 24);
  }

  __device__ int reference(uint32_t t) const {
    const int *four = at(t);
    return static_cast<int>(__byte_perm(static_cast<uint32_t>(four[0]), static_cast<uint32_t>(four[2]), 0x0410) << 8);
  }

  template <int COUNT>
  __device__ void load(uint32_t t, int place, int more, int (&metrics)[COUNT]) const {
    static_assert(COUNT == 4, "predecessors of 8 groups at rate 1");
    const uint32_t *four = reinterpret_cast<const uint32_t *>(at(t) + place);
    const uint32_t high = four[2];
    // The shift drops what stands in the top byte.
    metrics[0] = static_cast<int>((__byte_perm(four[0], high, 0x0410) << 8) + static_cast<uint32_t>(more));
    metrics[1] = static_cast<int>((__byte_perm(four[0], high, 0x0532) << 8) + static_cast<uint32_t>(more));
    metrics[2] = static_cast<int>((__byte_perm(four[1], high, 0x0610) << 8) + static_cast<uint32_t>(more));
    metrics[3] = static_cast<int>((__byte_perm(four[1], high, 0x0732) << 8) + static_cast<uint32_t>(more));
  }

  __device__ void store(uint32_t t, int tile, const int (&metrics)[8]) const {
    uint32_t low[4];
    uint32_t high[2];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      low[i] = __byte_perm(static_cast<uint32_t>(metrics[2 * i]), static_cast<uint32_t>(metrics[2 * i + 1]), 0x6521);
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int *four = metrics + 4 * i;
      high[i] = __byte_perm(__byte_perm(static_cast<uint32_t>(four[0]), static_cast<uint32_t>(four[1]), 0x0073),
                            __byte_perm(static_cast<uint32_t>(four[2]), static_cast<uint32_t>(four[3]), 0x0073), 0x5410);
    }
    uint2 *to = reinterpret_cast<uint2 *>(at(t + 1)) + 3 * tile;
    to[0] = make_uint2(low[0], low[1]);
    to[1] = make_uint2(high[0], low[2]);
    to[2] = make_uint2(low[3], high[1]);
  }
};

/// The low bytes of four words.
__device__ __forceinline__ uint32_t lowBytes(int a, int b, int c, int d) {
  return __byte_perm(__byte_perm(static_cast<uint32_t>(a), static_cast<uint32_t>(b), 0x0040),
                     __byte_perm(static_cast<uint32_t>(c), static_cast<uint32_t>(d), 0x0040), 0x5410);
}

/// Writes the decisions of 8 groups, as many bits each as decisionBytes says. Bytes are moved, not bits: shifts would go to the pipe of
/// multiplications, which has enough to do.
template <int K>
__device__ __forceinline__ void writeDecisions(uint8_t *step, int tile, const int (&best)[8]) {
  constexpr uint32_t mask = ((1u << K) - 1) * 0x01010101u;
  const uint32_t low = lowBytes(best[0], best[1], best[2], best[3]) & mask;
  const uint32_t high = lowBytes(best[4], best[5], best[6], best[7]) & mask;
  if constexpr (K >= 5) {
    reinterpret_cast<uint2 *>(step)[tile] = make_uint2(low, high);
  } else if constexpr (K >= 3) {
    // Two bytes' lower halves to one byte.
    reinterpret_cast<uint32_t *>(step)[tile] = __byte_perm(low | low >> 4, high | high >> 4, 0x6420);
  } else if constexpr (K == 2) {
    // Four bytes times 1, 4, 16 and 64.
    const int ofLow = __dp4a(static_cast<int>(low), 0x40100401, 0);
    reinterpret_cast<uint16_t *>(step)[tile] = static_cast<uint16_t>(ofLow | __dp4a(static_cast<int>(high), 0x40100401, 0) << 8);
  } else {
    step[tile] = static_cast<uint8_t>(__dp4a(static_cast<int>(low | high << 4), 0x08040201, 0));
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
/// @param first place of the first of the share's predecessors; the others lie `apart` from one another
/// @param codeOf gives the 8 codes of the share's state of a number
template <class M, bool WEIGHTED, class CodeOf>
__device__ __forceinline__ void tileMinimum(const Metrics<M> &metrics, uint32_t t, int first, int apart, int split, int negativeReference, int target,
                                            int weight, CodeOf codeOf, int (&least)[8]) {
  constexpr int K = M::kRate;
  constexpr int kJs = K >= 4 ? 16 : 1 << K;
  constexpr int kSplits = K > 4 ? 1 << (K - 4) : 1;
  constexpr int kShared = K >= 3 ? 1 : 8 >> K;  // Predecessors of the 8 groups.
#pragma unroll
  for (int jj = 0; jj < kJs; jj++) {
    int base[kShared];
    metrics.load(t, first + jj * apart, negativeReference + (jj * kSplits + split), base);
    uint4 codes = codeOf(jj);
    const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int x = i % 2 == 0 ? difference<0>(words[i / 2], target) : difference<1>(words[i / 2], target);
      int metric = extended<M, WEIGHTED>(x, weight, base[i * kShared / 8]);
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

/// Where a path may end: its metric, with j in the low bits, made unsigned, then its group; so the order is that of (metric, state).
__device__ __forceinline__ unsigned long long endOf(int metric, int group) {
  return static_cast<unsigned long long>(static_cast<uint32_t>(metric) ^ 0x80000000u) << 32 | static_cast<uint32_t>(group);
}

/// Keeps what a tile found behind step t: decisions and metrics, or the best end.
template <class M>
__device__ __forceinline__ void keepTile(const Segment &segment, const Metrics<M> &metrics, uint32_t t, int tile, uint8_t *step, int (&least)[8],
                                         unsigned long long &end) {
  if (t + 1 == segment.n) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const unsigned long long other = endOf(least[i], tile * 8 + i);
      end = other < end ? other : end;
    }
    return;
  }
  writeDecisions<M::kRate>(step, tile, least);
  metrics.store(t, tile, least);
}

/// Searches a segment forward; the thread's share of where the path may end.
template <class M, bool WEIGHTED, bool REGISTERS>
__device__ __forceinline__ unsigned long long forward(const Segment &segment, int *best, BlockShared &shared) {
  constexpr int K = M::kRate;
  constexpr int kSplits = K > 4 ? 1 << (K - 4) : 1;
  constexpr int kTiles = K < 4 ? 1 << (4 - K) : 1;  // Of a unit of 128 states.
  constexpr int shift = preShift<M, WEIGHTED>();
  const int groupsLog2 = segment.seedBits - K;
  const Metrics<M> metrics{best, 1 << groupsLog2};
  const uint64_t stepBytes = decisionBytes(segment.seedBits, K);
  const int units = 1 << (segment.seedBits - 7);
  // The state (j << groupsLog2) + 8 * tile comes from that >> K. Of a thread's 16 runs of 8 states, those of j = jj * kSplits + split and
  // tile = (threadIdx + i * units) / kSplits, number m = jj * kTiles + i lies m << (L - 4 - K) behind the first: nothing is lost by the shift.
  const int between = 1 << (segment.seedBits - 4 - K);
  const int apart = metrics.place(between * kTiles);
  const auto firstState = [&](int unit) { return (unit % kSplits << groupsLog2) + unit / kSplits * 8; };
  const uint4 *table = reinterpret_cast<const uint4 *>(segment.codes);
  const auto load = [&](int state) {
    uint4 v = __ldg(table + state / 8);
    v.x = shiftedCodes(v.x, shift);
    v.y = shiftedCodes(v.y, shift);
    v.z = shiftedCodes(v.z, shift);
    v.w = shiftedCodes(v.w, shift);
    return v;
  };
  const int first = firstState(static_cast<int>(threadIdx.x));
  uint4 own[REGISTERS ? 16 : 1];
  if constexpr (REGISTERS) {
#pragma unroll
    for (int i = 0; i < 16; i++) {
      own[i] = load(first + (i << (segment.seedBits - 4)));
    }
  }
  unsigned long long end = ~0ull;
  metrics.begin(M::unreachable(segment.seedBits));
  for (uint32_t t = 0; t < segment.n; t++) {
    if (t % kTile == 0) {
      // Nobody reads the tile any more: each has passed the barrier behind its last step.
      loadTile<M, WEIGHTED>(segment, t, shared);
      __syncthreads();
    }
    const int target = shared.target[t % kTile];
    const int weight = WEIGHTED ? shared.weight[t % kTile] : 0;
    const int negativeReference = -metrics.reference(t);
    // A decision tells how the state of the step after came about.
    uint8_t *step = segment.decisions + (t + 1) * stepBytes;
    if constexpr (REGISTERS) {
#pragma unroll
      for (int i = 0; i < kTiles; i++) {
        int tile = (threadIdx.x + i * units) / kSplits;
        int least[8];
        tileMinimum<M, WEIGHTED>(metrics, t, metrics.place(first >> K) + i * metrics.place(between), apart, threadIdx.x % kSplits, negativeReference, target, weight,
                                 [&](int jj) { return own[jj * kTiles + i]; }, least);
        if (kSplits == 1 || threadIdx.x % kSplits == 0) {
          keepTile(segment, metrics, t, tile, step, least, end);
        }
      }
    } else {
      for (int unit = threadIdx.x; unit < units * kTiles; unit += blockDim.x) {
        const int begin = firstState(unit);
        int least[8];
        tileMinimum<M, WEIGHTED>(metrics, t, metrics.place(begin >> K), apart, unit % kSplits, negativeReference, target, weight,
                                 [&](int jj) { return load(begin + (jj * kTiles << (segment.seedBits - 4))); }, least);
        if (kSplits == 1 || unit % kSplits == 0) {
          keepTile(segment, metrics, t, unit / kSplits, step, least, end);
        }
      }
    }
    __syncthreads();
    if constexpr (M::kNarrow) {
      // Groups that cannot be yet: t + 1 bits are not enough for their number.
      if (t + 2 < static_cast<uint32_t>(segment.seedBits)) {
        metrics.reset(t + 1, 2 << t, M::unreachable(segment.seedBits));
        __syncthreads();
      }
    }
  }
  return end;
}

/// The same for short seeds, a group a thread.
template <class M, bool WEIGHTED>
__device__ __forceinline__ unsigned long long forwardSmall(const Segment &segment, int *best, BlockShared &shared) {
  constexpr int K = M::kRate;
  const int groupsLog2 = segment.seedBits - K;
  const int groups = 1 << groupsLog2;
  const Metrics<M> metrics{best, groups};
  constexpr int shift = preShift<M, WEIGHTED>();
  unsigned long long end = ~0ull;
  metrics.begin(M::unreachable(segment.seedBits));
  for (uint32_t t = 0; t < segment.n; t++) {
    if (t % kTile == 0) {
      loadTile<M, WEIGHTED>(segment, t, shared);
      __syncthreads();
    }
    const int *from = metrics.at(t);
    const int target = shared.target[t % kTile];
    const int weight = WEIGHTED ? shared.weight[t % kTile] : 0;
    const int reference = metrics.reference(t);
    for (int g = threadIdx.x; g < groups; g += blockDim.x) {
      int least = 0;
      for (int j = 0; j < 1 << K; j++) {
        int state = (j << groupsLog2) + g;
        int code = __ldg(segment.codes + state) * (1 << shift);
        int metric = extended<M, WEIGHTED>(target - code, weight, from[state >> K] - reference + j);
        least = j == 0 ? metric : min(least, metric);
      }
      if (t + 1 == segment.n) {
        const unsigned long long other = endOf(least, g);
        end = other < end ? other : end;
      } else {
        segment.decisions[static_cast<uint64_t>(t + 1) * groups + g] = static_cast<uint8_t>(least & ((1 << K) - 1));
        metrics.at(t + 1)[g] = least & ~M::kLowMask;
      }
    }
    __syncthreads();
  }
  return end;
}

/// The state that ends the best path: least metric, then lowest number.
///
/// @param least the thread's share of ends
template <int K>
__device__ __forceinline__ uint32_t lastState(unsigned long long least, int groupsLog2, BlockShared &shared) {
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
  constexpr bool registers = STORAGE == Storage::kRegisters;
  using M = Metric<K, registers && K == 1>;
  unsigned long long end;
  if constexpr (STORAGE == Storage::kSmall) {
    end = segment.weights != nullptr ? forwardSmall<M, true>(segment, best, shared) : forwardSmall<M, false>(segment, best, shared);
  } else {
    end = segment.weights != nullptr ? forward<M, true, registers>(segment, best, shared) : forward<M, false, registers>(segment, best, shared);
  }
  trace<K, STORAGE == Storage::kSmall>(segment, lastState<K>(end, segment.seedBits - K, shared));
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

/// The targets of a row less what makes up for the errors of the rows before it in the feedback's block, in their order and with each product
/// and difference rounded, as FeedbackEncoder does. Left where the row's own errors will stand; whole groups of kFeedbackRows rows before it
/// have left their part there already (feedForward).
__device__ __forceinline__ void feedBack(const SearchArguments &arguments, const SearchJob &job, uint32_t row) {
  float *errors = arguments.errors + job.errors;
  const uint32_t start = row / job.block * job.block;
  const uint32_t first = row - (row - start) % kFeedbackRows;
  const float *factor = arguments.factor + job.factor + static_cast<uint64_t>(row) * job.block + (first - start);
  float *wanted = errors + static_cast<uint64_t>(row) * job.n;
  const float *targets = first == start ? arguments.targets + job.targets + static_cast<uint64_t>(row) * job.stride : wanted;
  for (uint32_t j = threadIdx.x; j < job.n; j += blockDim.x) {
    float value = targets[j];
    const float *error = errors + static_cast<uint64_t>(first) * job.n + j;
    float e[kFeedbackRows];
    // All loads under way at a time.
#pragma unroll
    for (uint32_t k = 0; k < kFeedbackRows - 1; k++) {
      e[k] = first + k < row ? error[static_cast<uint64_t>(k) * job.n] : 0.0f;
    }
#pragma unroll
    for (uint32_t k = 0; k < kFeedbackRows - 1; k++) {
      if (first + k < row) {
        value = __fsub_rn(value, __fmul_rn(factor[k], e[k]));
      }
    }
    wanted[j] = value;
  }
  __syncthreads();
}

/// When a group of kFeedbackRows rows is done: takes what makes up for their errors off the targets of all rows behind them in the
/// feedback's block, left where those rows' own errors will stand. So each error is read once for many rows, not once for each: row by
/// row, a panel of 4096 rows reads 8 KB for a weight.
__device__ __forceinline__ void feedForward(const SearchArguments &arguments, const SearchJob &job, uint32_t first, BlockShared &shared) {
  constexpr uint32_t kColumns = 2;
  constexpr uint32_t kRows = 8;  // Of so many rows and columns a thread has loads under way.
  const uint32_t start = first / job.block * job.block;
  const uint32_t end = job.allRows - start < job.block ? job.allRows : start + job.block;
  float *errors = arguments.errors + job.errors;
  // Of rows behind the block's first group the targets are there already, less what the groups before left.
  const float *from = first == start ? arguments.targets + job.targets : errors;
  const uint64_t stride = first == start ? job.stride : job.n;
  for (uint32_t begin = first + kFeedbackRows; begin < end; begin += kFactorRows) {
    const uint32_t rows = min(kFactorRows, end - begin);
    for (uint32_t i = threadIdx.x; i < kFactorRows * kFeedbackRows; i += blockDim.x) {
      const uint32_t r = i / kFeedbackRows;
      const uint32_t k = i % kFeedbackRows;
      shared.factor[r][k] = r < rows ? arguments.factor[job.factor + uint64_t{begin + r} * job.block + (first - start) + k] : 0.0f;
    }
    __syncthreads();
    for (uint32_t j = threadIdx.x; j < job.n; j += kColumns * blockDim.x) {
      uint32_t column[kColumns];
      float e[kColumns][kFeedbackRows];
#pragma unroll
      for (uint32_t c = 0; c < kColumns; c++) {
        column[c] = j + c * blockDim.x;
#pragma unroll
        for (uint32_t k = 0; k < kFeedbackRows; k++) {
          e[c][k] = column[c] < job.n ? errors[static_cast<uint64_t>(first + k) * job.n + column[c]] : 0.0f;
        }
      }
      for (uint32_t r = 0; r < rows; r += kRows) {
        float value[kRows][kColumns];
#pragma unroll
        for (uint32_t i = 0; i < kRows; i++) {
#pragma unroll
          for (uint32_t c = 0; c < kColumns; c++) {
            value[i][c] = r + i < rows && column[c] < job.n ? from[(begin + r + i) * stride + column[c]] : 0.0f;
          }
        }
        // No branch up to the stores, so that the compiler leaves all loads before it.
#pragma unroll
        for (uint32_t i = 0; i < kRows; i++) {
#pragma unroll
          for (uint32_t k = 0; k < kFeedbackRows; k++) {
            const float factor = shared.factor[r + i][k];
#pragma unroll
            for (uint32_t c = 0; c < kColumns; c++) {
              value[i][c] = __fsub_rn(value[i][c], __fmul_rn(factor, e[c][k]));
            }
          }
        }
#pragma unroll
        for (uint32_t i = 0; i < kRows; i++) {
#pragma unroll
          for (uint32_t c = 0; c < kColumns; c++) {
            if (r + i < rows && column[c] < job.n) {
              errors[static_cast<uint64_t>(begin + r + i) * job.n + column[c]] = value[i][c];
            }
          }
        }
      }
    }
    __syncthreads();
  }
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
        if (row % job.block % kFeedbackRows == kFeedbackRows - 1) {
          feedForward(arguments, job, row - (kFeedbackRows - 1), shared);
        }
      }
    }
  }
}

}  // namespace pseed

#endif
