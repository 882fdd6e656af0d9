// The sums of the search for Poincaré seeds, beside the loops of the CPU's search (Java: ShapeSums) as they stand there: the same bits.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "records.hpp"

#include "poincare_sums.cu"

namespace {

using namespace pseed_poincare;
using pseed_test::SplitMix64;

int failures = 0;

struct Grid {
  uint32_t rows, cols, grid_rows, grid_cols;

  uint32_t cells() const { return grid_rows * grid_cols; }
};

uint32_t edge(uint64_t cell, uint64_t count, uint64_t cells) { return static_cast<uint32_t>(cell * count / cells); }

// Any numbers do: what the sums' order makes of them is compared.
void geometry_of(const Grid &grid, std::vector<double> &fields, std::vector<uint32_t> &bins) {
  for (uint32_t a = 0; a < grid.grid_rows; a++) {
    for (uint32_t b = 0; b < grid.grid_cols; b++) {
      const double y = grid.grid_rows == 1 ? 0 : 2.0 * a / (grid.grid_rows - 1) - 1;
      const double x = grid.grid_cols == 1 ? 0 : 2.0 * b / (grid.grid_cols - 1) - 1;
      const double rho = std::sqrt(x * x + y * y);
      const double angle = std::atan2(y, x);
      double v = angle / 3.141592653589793;
      const bool turned = v < 0;
      v = turned ? v + 1 : v;
      v = v >= 1 ? v - 1 : v;
      fields.insert(fields.end(), {std::cos(angle), std::sin(angle), std::cos(10 * rho), std::exp(rho), std::exp(-rho), std::sin(10 * rho),
                                   std::cos(5 * angle), std::sin(5 * angle), std::exp(-rho / 16), v});
      bins.push_back(static_cast<uint32_t>(v * kBins) % kBins | static_cast<uint32_t>(turned) << 31);
    }
  }
}

// As ShapeTotals.addRow and addCell have it.
struct Reference {
  double energy = 0;
  double linear[kLinear] = {};
  double bessel[4] = {};
  std::vector<double> step = std::vector<double>(kCurvatures * kBins);
  std::vector<double> wave = std::vector<double>(2 * kCurvatures * kBins);

  Reference(const Grid &grid, const std::vector<float> &weights, const std::vector<double> &fields, const std::vector<uint32_t> &bins) {
    uint32_t cell = 0;
    for (uint32_t a = 0; a < grid.grid_rows; a++) {
      std::vector<double> sums(grid.grid_cols);
      for (uint32_t r = edge(a, grid.rows, grid.grid_rows); r < edge(a + 1, grid.rows, grid.grid_rows); r++) {
        double row_energy = 0;
        for (uint32_t b = 0; b < grid.grid_cols; b++) {
          double sum = 0;
          for (uint32_t j = edge(b, grid.cols, grid.grid_cols); j < edge(b + 1, grid.cols, grid.grid_cols); j++) {
            const double w = weights[size_t{r} * grid.cols + j];
            sum += w;
            row_energy += w * w;
          }
          sums[b] += sum;
        }
        energy += row_energy;
      }
      for (const double w : sums) {
        add(w, &fields[size_t{cell} * kFields], bins[cell]);
        cell++;
      }
    }
  }

  void add(double w, const double *field, uint32_t turned) {
    const double cos = field[kCos];
    const double sin = field[kSin];
    linear[0] += w * cos;
    linear[1] += w * sin;
    for (unsigned k = 0; k < 4; k++) {
      bessel[k] += w * field[kBessel + k];
    }
    linear[kLinear - 2] += w * field[kCos5];
    linear[kLinear - 1] += w * field[kSin5];
    const uint32_t bin = turned & 0x7FFFFFFF;
    const double signed_w = turned >> 31 != 0 ? -w : w;
    double decay = field[kDecay];
    for (unsigned k = 0; k < kCurvatures; k++) {
      linear[2 + 2 * k] += w * (decay * cos);
      linear[3 + 2 * k] += w * (decay * sin);
      const double squared = decay * decay;
      const double divided = 1 / (1 + squared);
      const double tanh = (1 - squared) * divided;
      step[k * kBins + bin] += signed_w * tanh;
      const double sech = 2 * decay * divided;
      const double ws = w * sech;
      wave[2 * (k * kBins + bin)] += ws;
      wave[2 * (k * kBins + bin) + 1] += ws * field[kAngle];
      decay = squared;
    }
  }
};

void same(const Grid &grid, const char *what, double found, double expected) {
  // Zeros of either sign are one: the CPU's start as +0 and meet no other.
  if (std::memcmp(&found, &expected, sizeof found) != 0) {
    std::fprintf(stderr, "FAIL %u x %u: %s is %a, expected %a\n", grid.rows, grid.cols, what, found, expected);
    failures++;
  }
}

void compare(const Grid &grid, uint32_t matrices, SplitMix64 &random) {
  std::vector<double> fields;
  std::vector<uint32_t> bins;
  geometry_of(grid, fields, bins);
  std::vector<uint32_t> order;
  std::vector<uint32_t> starts(kBins + 1);
  for (const uint32_t bin : bins) {
    starts[(bin & 0x7FFFFFFF) + 1]++;
  }
  for (unsigned b = 0; b < kBins; b++) {
    starts[b + 1] += starts[b];
  }
  order.resize(grid.cells());
  std::vector<uint32_t> next(starts);
  for (uint32_t cell = 0; cell < grid.cells(); cell++) {
    order[next[bins[cell] & 0x7FFFFFFF]++] = cell | (bins[cell] & 0x80000000u);
  }

  std::vector<std::vector<float>> weights(matrices);
  std::vector<double> cells(size_t{matrices} * grid.cells());
  std::vector<std::vector<double>> energies(matrices);
  for (uint32_t m = 0; m < matrices; m++) {
    for (uint64_t i = 0; i < uint64_t{grid.rows} * grid.cols; i++) {
      weights[m].push_back(static_cast<float>(static_cast<int64_t>(random.next())) * 0x1p-70f);
    }
    energies[m].resize(grid.rows);
    pseed_shim::launch((grid.cells() + 63) / 64, 64, 0, pseed_poincare_cells, weights[m].data(), grid.rows, grid.cols, grid.grid_rows,
                       grid.grid_cols, cells.data() + size_t{m} * grid.cells());
    pseed_shim::launch((grid.rows + 31) / 32, 32, 0, pseed_poincare_energy, weights[m].data(), grid.rows, grid.cols, energies[m].data());
  }
  std::vector<double> chains(size_t{matrices} * kChains);
  pseed_shim::launch(matrices, kLinearThreads, 0, pseed_poincare_linear, cells.data(), fields.data(), grid.cells(), chains.data());
  std::vector<double> of_bins(size_t{matrices} * kBins * kBinSums);
  pseed_shim::launch(dim3(kBins / 128, matrices), 128, 0, pseed_poincare_bins, cells.data(), fields.data(), grid.cells(), order.data(),
                     starts.data(), of_bins.data());

  for (uint32_t m = 0; m < matrices; m++) {
    const Reference expected(grid, weights[m], fields, bins);
    double energy = 0;
    for (const double of_row : energies[m]) {
      energy += of_row;
    }
    same(grid, "the energy", energy, expected.energy);
    for (unsigned c = 0; c < kChains; c++) {
      same(grid, "a sum over all cells", chains[m * kChains + c], c < kLinear ? expected.linear[c] : expected.bessel[c - kLinear]);
    }
    for (unsigned b = 0; b < kBins; b++) {
      const double *const found = &of_bins[(size_t{m} * kBins + b) * kBinSums];
      for (unsigned k = 0; k < kCurvatures; k++) {
        same(grid, "a bin's step", found[3 * k], expected.step[k * kBins + b]);
        same(grid, "a bin's wave", found[3 * k + 1], expected.wave[2 * (k * kBins + b)]);
        same(grid, "a bin's moment", found[3 * k + 2], expected.wave[2 * (k * kBins + b) + 1]);
      }
    }
  }
}

}  // namespace

int main() {
  SplitMix64 random(3);
  for (const pseed_shim::Order order : {pseed_shim::Order::kForward, pseed_shim::Order::kBackward}) {
    pseed_shim::order() = order;
    compare({1, 1, 1, 1}, 1, random);
    compare({7, 9, 7, 9}, 2, random);    // less than a chunk
    compare({16, 20, 16, 20}, 1, random);  // whole chunks
    compare({40, 33, 40, 33}, 2, random);
    compare({100, 61, 23, 31}, 2, random);  // averages of blocks of different sizes
  }
  std::printf("poincare: %s\n", failures == 0 ? "the sums of the CPU" : "FAILED");
  return failures == 0 ? 0 : 1;
}
