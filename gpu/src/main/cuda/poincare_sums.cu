// The sums by which the search for Poincaré seeds ranks all shapes of a matrix (Java: ShapeTotals), each in the CPU's order, so that they are
// the same doubles and lead to the same seed. No product and sum are contracted.
//
// What a shape's values are at the places of a matrix depends on its size alone; the host computes that once a size, with StrictMath, and
// sends it (Java: ShapeGeometry). A sum over 2^18 cells in a fixed order is a chain of 2^18 additions: 24 of them (poincare_linear) run side
// by side in one warp. Sums of the 8192 angular bins (poincare_bins) are short chains, one thread a bin.
//
// Bound on an H100: reading a matrix of 4096 x 4096 takes 67 MB, 20 us; a chain of 2^18 additions of doubles at 8 cycles and a load from
// shared memory hidden behind them takes 1.2 ms at 1.755 GHz. Chains of different matrices run on different multiprocessors.
#ifndef PSEED_POINCARE_SUMS_CU
#define PSEED_POINCARE_SUMS_CU

#include "portable.cuh"

namespace pseed_poincare {

constexpr unsigned kCurvatures = 8;
constexpr unsigned kBins = 1 << 13;

// Fields of a cell, in the order of ShapeGeometry.
enum Field : unsigned { kCos = 0, kSin = 1, kBessel = 2, kCos5 = 6, kSin5 = 7, kDecay = 8, kAngle = 9, kFields = 10 };

// Chains: cosine and sine half of the 10 linear shapes, then bases 4 to 7.
constexpr unsigned kLinear = 2 * (kCurvatures + 2);
constexpr unsigned kChains = kLinear + 4;
// Sums of a bin: w tanh, w sech, w sech v for each curvature.
constexpr unsigned kBinSums = 3 * kCurvatures;

// Cells whose products are made at a time.
constexpr unsigned kChunk = 64;
constexpr unsigned kLinearThreads = 256;

// The factor of a chain at a cell.
__device__ __forceinline__ double factor(const double *cell, unsigned chain) {
  if (chain >= kLinear) {
    return cell[kBessel + chain - kLinear];
  }
  const unsigned shape = chain / 2;
  const unsigned half = chain % 2;
  if (shape == 0) {
    return cell[kCos + half];
  }
  if (shape == kLinear / 2 - 1) {
    return cell[kCos5 + half];
  }
  double decay = cell[kDecay];
  for (unsigned k = 1; k < shape; k++) {
    decay = __dmul_rn(decay, decay);
  }
  return __dmul_rn(decay, cell[kCos + half]);
}

}  // namespace pseed_poincare

// Sums of the weights of each cell. weights: rows * cols, row after row. Any launch with at least as many threads as cells.
extern "C" __global__ void pseed_poincare_cells(const float *weights, uint32_t rows, uint32_t cols, uint32_t grid_rows, uint32_t grid_cols,
                                                double *cells) {
  const uint64_t cell = blockIdx.x * uint64_t{blockDim.x} + threadIdx.x;
  if (cell >= uint64_t{grid_rows} * grid_cols) {
    return;
  }
  const uint64_t a = cell / grid_cols;
  const uint64_t b = cell % grid_cols;
  const uint64_t left = b * cols / grid_cols;
  const uint64_t right = (b + 1) * cols / grid_cols;
  double sum = 0;
  for (uint64_t r = a * rows / grid_rows; r < (a + 1) * rows / grid_rows; r++) {
    double of_row = 0;
    for (uint64_t j = left; j < right; j++) {
      of_row = __dadd_rn(of_row, static_cast<double>(weights[r * cols + j]));
    }
    sum = __dadd_rn(sum, of_row);
  }
  cells[cell] = sum;
}

// Sum of squares of each row. Any launch with at least as many threads as rows.
extern "C" __global__ void pseed_poincare_energy(const float *weights, uint32_t rows, uint32_t cols, double *energy) {
  const uint64_t row = blockIdx.x * uint64_t{blockDim.x} + threadIdx.x;
  if (row >= rows) {
    return;
  }
  double sum = 0;
  for (uint32_t j = 0; j < cols; j++) {
    const double w = static_cast<double>(weights[row * cols + j]);
    sum = __dadd_rn(sum, __dmul_rn(w, w));
  }
  energy[row] = sum;
}

// kChains sums over all cells. geometry: kFields doubles a cell. One block of 256 threads for a matrix: block i has the matrix whose cells
// begin at cells + i * count.
extern "C" __global__ void __launch_bounds__(256)
    pseed_poincare_linear(const double *cells, const double *geometry, uint32_t count, double *sums) {
  using namespace pseed_poincare;
  // Products of two chunks: one is made while the other is added up.
  PSEED_SHARED_ARRAY(double, products, 2 * kChunk * kChains);
  const double *const weights = cells + uint64_t{blockIdx.x} * count;
  const unsigned t = threadIdx.x;
  const uint32_t chunks = (count + kChunk - 1) / kChunk;
  double sum = 0;
  for (uint32_t c = 0; c <= chunks; c++) {
    if (c < chunks) {
      for (unsigned i = t; i < kChunk * kChains; i += kLinearThreads) {
        const uint64_t cell = uint64_t{c} * kChunk + i / kChains;
        if (cell < count) {
          products[c % 2 * kChunk * kChains + i] = __dmul_rn(weights[cell], factor(geometry + cell * kFields, i % kChains));
        }
      }
    }
    if (c > 0 && t < kChains) {
      const uint32_t first = (c - 1) * kChunk;
      const unsigned n = count - first < kChunk ? count - first : kChunk;
      const double *const of = products + (c - 1) % 2 * kChunk * kChains + t;
      for (unsigned i = 0; i < n; i++) {
        sum = __dadd_rn(sum, of[i * kChains]);
      }
    }
    __syncthreads();
  }
  if (t < kChains) {
    sums[uint64_t{blockIdx.x} * kChains + t] = sum;
  }
}

// kBinSums sums of each bin. order: the cells by bin, ascending in each, with the sign bit where the angle was turned; starts: kBins + 1
// places in it. Blocks (x, y) of any size: x has the bins, y the matrices.
extern "C" __global__ void pseed_poincare_bins(const double *cells, const double *geometry, uint32_t count, const uint32_t *order,
                                               const uint32_t *starts, double *sums) {
  using namespace pseed_poincare;
  const uint32_t bin = blockIdx.x * blockDim.x + threadIdx.x;
  if (bin >= kBins) {
    return;
  }
  const double *const weights = cells + uint64_t{blockIdx.y} * count;
  double step[kCurvatures];
  double wave[kCurvatures];
  double moved[kCurvatures];
#pragma unroll
  for (unsigned k = 0; k < kCurvatures; k++) {
    step[k] = 0;
    wave[k] = 0;
    moved[k] = 0;
  }
  for (uint32_t i = starts[bin]; i < starts[bin + 1]; i++) {
    const uint32_t turned = order[i];
    const uint32_t cell = turned & 0x7FFFFFFFu;
    const double w = weights[cell];
    const double signed_w = (turned >> 31) != 0 ? -w : w;
    const double v = geometry[uint64_t{cell} * kFields + kAngle];
    double decay = geometry[uint64_t{cell} * kFields + kDecay];
#pragma unroll
    for (unsigned k = 0; k < kCurvatures; k++) {
      const double squared = __dmul_rn(decay, decay);
      const double divided = __ddiv_rn(1, __dadd_rn(1, squared));
      const double tanh = __dmul_rn(__dsub_rn(1, squared), divided);
      step[k] = __dadd_rn(step[k], __dmul_rn(signed_w, tanh));
      const double sech = __dmul_rn(__dmul_rn(2, decay), divided);
      const double ws = __dmul_rn(w, sech);
      wave[k] = __dadd_rn(wave[k], ws);
      moved[k] = __dadd_rn(moved[k], __dmul_rn(ws, v));
      decay = squared;
    }
  }
  double *const out = sums + (uint64_t{blockIdx.y} * kBins + bin) * kBinSums;
#pragma unroll
  for (unsigned k = 0; k < kCurvatures; k++) {
    out[3 * k] = step[k];
    out[3 * k + 1] = wave[k];
    out[3 * k + 2] = moved[k];
  }
}

#endif
