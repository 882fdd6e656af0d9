#include "tensor_decode.hpp"

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstring>
#include <memory>
#include <vector>

#include "dtype.hpp"
#include "parallel.hpp"
#include "poincare_part.hpp"
#include "trellis_decode.hpp"

namespace pseed {

namespace {

// Weights of a tile: its integers, 256 KiB, stay in the second cache while rows and columns are transformed, and a row of it reads
// and writes enough in one piece (a quarter of this was a fifth slower on Zen 5).
constexpr uint32_t kTileWeights = 1 << 16;
// Rows of a tile that end as rows: sums of four rows are made side by side.
constexpr uint32_t kGroupRows = 4;
// Rows of a tile that end as columns: shorter runs would write parts of cache lines.
constexpr uint32_t kTransposedRows = 64;
// Weights that a thread is started for.
constexpr uint64_t kThreadWeights = 1 << 17;
// Bytes of a piece where a checksum is made in pieces.
constexpr uint64_t kPieceBytes = 1 << 20;

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

// The shape of the tiles that a view is decoded in.
struct Grid {
  uint32_t tile_rows;
  uint32_t tile_cols;
  uint64_t down;
  uint64_t across;

  Grid(const View &view, int row_block_log2, int col_block_log2, uint32_t least_rows) {
    const uint32_t row_block = 1u << row_block_log2;
    const uint32_t col_block = 1u << col_block_log2;
    // 4096 is a multiple of every block, and so is the number of columns.
    tile_cols = std::min<uint32_t>(view.cols, 4096);
    tile_rows = std::max(least_rows, kTileWeights / tile_cols);
    tile_rows = static_cast<uint32_t>(ceil_div(tile_rows, row_block)) * row_block;
    tile_rows = std::min(tile_rows, view.rows);
    const uint32_t unit = std::max<uint32_t>(col_block, 16);
    tile_cols = std::min(tile_cols, std::max(unit, kTileWeights / tile_rows / unit * unit));
    down = ceil_div(view.rows, tile_rows);
    across = ceil_div(view.cols, tile_cols);
  }
};

// Memory of one thread.
class Scratch {
 public:
  Scratch(const Grid &grid, uint32_t group_rows, unsigned element_bytes) {
    // Rows a power of two apart would share few lines of a cache.
    stride = grid.tile_cols < 128 ? grid.tile_cols : size_t{grid.tile_cols} + 16;
    const size_t cols = grid.tile_cols;
    size_t size = 0;
    const auto reserve = [&size](size_t bytes) {
      const size_t at = size;
      size += (bytes + 63) & ~size_t{63};
      return at;
    };
    const size_t at_codes = reserve(2 * cols);
    const size_t at_z = reserve(4 * stride * grid.tile_rows);
    const size_t at_scales = reserve(4 * cols);
    const size_t at_values = reserve(4 * cols * group_rows);
    const size_t at_elements = reserve(element_bytes * cols * group_rows);
    const size_t at_doubles = reserve(8 * cols);
    memory_.reset(new uint8_t[size + 64]);
    uint8_t *base = memory_.get() + (64 - reinterpret_cast<uintptr_t>(memory_.get()) % 64) % 64;
    codes = reinterpret_cast<int16_t *>(base + at_codes);
    z = reinterpret_cast<int32_t *>(base + at_z);
    scales = reinterpret_cast<float *>(base + at_scales);
    values = reinterpret_cast<float *>(base + at_values);
    elements = base + at_elements;
    doubles = reinterpret_cast<double *>(base + at_doubles);
  }

  int16_t *codes;
  int32_t *z;
  size_t stride;
  float *scales;
  float *values;
  uint8_t *elements;
  double *doubles;

 private:
  std::unique_ptr<uint8_t[]> memory_;
};

// CRC of `size` bytes; copies them before, where `from` is not null.
uint32_t copy_and_sum(const uint8_t *from, uint8_t *bytes, uint64_t size, unsigned threads, const Crc32c &crc) {
  const uint64_t pieces = ceil_div(size, kPieceBytes);
  std::vector<uint32_t> sums(pieces);
  parallel(thread_count(threads, size / (8 * kPieceBytes)), pieces, [&](const auto &next) {
    for (uint64_t p = next(); p < pieces; p = next()) {
      const uint64_t at = p * kPieceBytes;
      const size_t n = static_cast<size_t>(std::min(kPieceBytes, size - at));
      if (from != nullptr) {
        std::memcpy(bytes + at, from + at, n);
      }
      sums[p] = crc.update(0, bytes + at, n);
    }
  });
  const Crc32cShift full(kPieceBytes);
  uint32_t sum = 0;
  for (uint64_t p = 0; p < pieces; p++) {
    const bool last = p + 1 == pieces;
    sum = last ? Crc32cShift(size - p * kPieceBytes).append(sum, sums[p]) : full.append(sum, sums[p]);
  }
  return sum;
}

// One decoding of a record that is not raw.
class Job {
 public:
  Job(const TensorRecord &record, const View &view, const PoincareTiles *tiles, const TrellisBody *trellis, uint8_t *out,
      const InstructionSet &set)
      : record_(record),
        view_(view),
        trellis_(trellis),
        out_(out),
        kernel_(*set.kernel),
        crc_(*set.crc),
        element_bytes_(dtype_bits(record.dtype()) / 8),
        poincare_(record, view, tiles, trellis),
        contiguous_(!view.transposed && (trellis == nullptr || !trellis->permutes_cols())),
        ordered_(contiguous_ && (trellis == nullptr || !trellis->permutes_rows())),
        grid_(view, trellis == nullptr ? 0 : trellis->row_block_log2, trellis == nullptr ? 0 : trellis->col_block_log2,
              view.transposed ? kTransposedRows : kGroupRows),
        group_rows_(trellis != nullptr && !view.transposed ? std::min(kGroupRows, grid_.tile_rows) : grid_.tile_rows) {}

  bool run(unsigned wanted_threads, Error &error) {
    const uint64_t tiles = grid_.down * grid_.across;
    // Poincaré places cost some hundred times what a trellis weight does.
    const uint64_t weights = record_.elements() * (poincare_.present() ? 32 : 1);
    const unsigned threads = thread_count(wanted_threads, std::min(tiles, std::max<uint64_t>(1, weights / kThreadWeights)));
    // Where rows end in order and there are enough of them, a thread takes all tiles of some rows and sums them while they are in its
    // cache. Else tiles are shared and the sum is a pass of its own.
    const bool summed = ordered_ && (threads == 1 || grid_.down >= 2 * uint64_t{threads});
    std::vector<uint32_t> sums(summed ? grid_.down : 0);
    const uint64_t tasks = summed ? grid_.down : tiles;
    parallel(threads, tasks, [&](const auto &next) {
      try {
        Scratch scratch(grid_, group_rows_, element_bytes_);
        std::vector<uint32_t> row_sums(summed ? grid_.tile_rows : 0);
        for (uint64_t task = next(); task < tasks; task = next()) {
          if (summed) {
            std::fill(row_sums.begin(), row_sums.end(), 0u);
            for (uint64_t a = 0; a < grid_.across; a++) {
              tile(task, a, scratch, row_sums.data());
            }
            sums[task] = band_sum(task, row_sums.data());
          } else {
            tile(task / grid_.across, task % grid_.across, scratch, nullptr);
          }
        }
      } catch (const std::bad_alloc &) {
        out_of_memory_.store(true);
      }
    });
    // The others may have done all of the work, or nobody was left to do it.
    if (out_of_memory_.load()) {
      throw std::bad_alloc();
    }
    if (failure_.found()) {
      error = failure_.error();
      return false;
    }
    uint32_t sum = 0;
    if (summed) {
      const Crc32cShift full(uint64_t{grid_.tile_rows} * view_.cols * element_bytes_);
      const Crc32cShift last(uint64_t{rows_of(grid_.down - 1)} * view_.cols * element_bytes_);
      for (uint64_t d = 0; d < grid_.down; d++) {
        sum = (d + 1 == grid_.down ? last : full).append(sum, sums[d]);
      }
    } else {
      sum = copy_and_sum(nullptr, out_, record_.decoded_bytes(), threads, crc_);
    }
    return record_.check_decoded_crc(sum, error);
  }

 private:
  uint32_t rows_of(uint64_t down) const {
    return static_cast<uint32_t>(std::min<uint64_t>(grid_.tile_rows, view_.rows - down * grid_.tile_rows));
  }

  uint32_t band_sum(uint64_t down, const uint32_t *row_sums) const {
    const Crc32cShift row(uint64_t{view_.cols} * element_bytes_);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < rows_of(down); i++) {
      sum = row.append(sum, row_sums[i]);
    }
    return sum;
  }

  // row_sums: CRCs of the tile's rows so far, or null.
  void tile(uint64_t down, uint64_t across, const Scratch &scratch, uint32_t *row_sums) {
    const uint32_t row = static_cast<uint32_t>(down * grid_.tile_rows);
    const uint32_t col = static_cast<uint32_t>(across * grid_.tile_cols);
    const uint32_t rows = rows_of(down);
    const uint32_t cols = std::min(grid_.tile_cols, view_.cols - col);
    if (failure_.decided_before(row)) {
      return;
    }
    if (trellis_ != nullptr) {
      TrellisDecoder(*trellis_, record_.end(), kernel_).transformed(row, rows, col, cols, scratch.codes, scratch.z, scratch.stride);
      trellis_->col_scales.fill(col, cols, scratch.scales);
    }
    for (uint32_t first = 0; first < rows; first += group_rows_) {
      const Region region{row + first, std::min(group_rows_, rows - first), col, cols, scratch.values, cols};
      for (uint32_t i = 0; trellis_ != nullptr && i < region.rows; i++) {
        kernel_.scale(scratch.z + (first + i) * scratch.stride, cols, trellis_->row_scales.at(region.row + i), scratch.scales,
                      scratch.values + i * region.stride);
      }
      if (poincare_.present()) {
        poincare_.apply(region, scratch.doubles, failure_);
        if (failure_.decided_before(region.row + region.rows)) {
          return;
        }
      }
      const uint8_t *elements = convert(region, scratch.elements);
      const size_t row_bytes = size_t{cols} * element_bytes_;
      if (row_sums != nullptr) {
        crc_.update_rows(row_sums + first, elements, row_bytes, region.rows, row_bytes);
      }
      store(region, elements);
    }
  }

  // Row after row in the element type.
  const uint8_t *convert(const Region &region, uint8_t *elements) const {
    const size_t n = size_t{region.rows} * region.cols;
    switch (record_.dtype()) {
      case kF16:
        kernel_.store_f16(region.values, n, reinterpret_cast<uint16_t *>(elements));
        return elements;
      case kBF16:
        kernel_.store_bf16(region.values, n, reinterpret_cast<uint16_t *>(elements));
        return elements;
      case kF64:
        kernel_.store_f64(region.values, n, reinterpret_cast<double *>(elements));
        return elements;
      default:
        return reinterpret_cast<const uint8_t *>(region.values);
    }
  }

  void store(const Region &region, const uint8_t *elements) const {
    const size_t size = element_bytes_;
    if (contiguous_) {
      const size_t row_bytes = region.cols * size;
      for (uint32_t i = 0; i < region.rows; i++) {
        const uint64_t to = uint64_t{view_row(region.row + i)} * view_.cols + region.col;
        std::memcpy(out_ + to * size, elements + i * row_bytes, row_bytes);
      }
      return;
    }
    switch (size) {
      case 2:
        scatter<uint16_t>(region, elements);
        break;
      case 4:
        scatter<uint32_t>(region, elements);
        break;
      default:
        scatter<uint64_t>(region, elements);
        break;
    }
  }

  template <typename Element>
  void scatter(const Region &region, const uint8_t *elements) const {
    const auto move = [&](uint32_t i, uint32_t j, uint64_t to) {
      std::memcpy(out_ + to * sizeof(Element), elements + (size_t{i} * region.cols + j) * sizeof(Element), sizeof(Element));
    };
    if (!view_.transposed) {
      for (uint32_t i = 0; i < region.rows; i++) {
        const uint64_t to = uint64_t{view_row(region.row + i)} * view_.cols;
        for (uint32_t j = 0; j < region.cols; j++) {
          move(i, j, to + view_col(region.col + j));
        }
      }
      return;
    }
    if (trellis_ != nullptr && trellis_->permutes_rows()) {
      for (uint32_t j = 0; j < region.cols; j++) {
        const uint64_t to = uint64_t{view_col(region.col + j)} * view_.rows;
        for (uint32_t i = 0; i < region.rows; i++) {
          move(i, j, to + trellis_->permuted(region.row + i));
        }
      }
      return;
    }
    // By small blocks, so that a line of a row is read once, and a run of a column is written once.
    constexpr uint32_t kBlockCols = 16;
    constexpr uint32_t kBlockRows = 128;
    Element block[kBlockCols * kBlockRows];
    for (uint32_t top = 0; top < region.rows; top += kBlockRows) {
      const uint32_t height = std::min(kBlockRows, region.rows - top);
      for (uint32_t left = 0; left < region.cols; left += kBlockCols) {
        const uint32_t width = std::min(kBlockCols, region.cols - left);
        for (uint32_t i = 0; i < height; i++) {
          Element line[kBlockCols];
          std::memcpy(line, elements + (size_t{top + i} * region.cols + left) * sizeof(Element), width * sizeof(Element));
          for (uint32_t j = 0; j < width; j++) {
            block[j * kBlockRows + i] = line[j];
          }
        }
        for (uint32_t j = 0; j < width; j++) {
          const uint64_t to = uint64_t{view_col(region.col + left + j)} * view_.rows + region.row + top;
          std::memcpy(out_ + to * sizeof(Element), block + j * kBlockRows, height * sizeof(Element));
        }
      }
    }
  }

  uint32_t view_row(uint32_t row) const { return trellis_ == nullptr ? row : trellis_->view_row(row); }
  uint32_t view_col(uint32_t col) const { return trellis_ == nullptr ? col : trellis_->view_col(col); }

  const TensorRecord &record_;
  const View &view_;
  const TrellisBody *trellis_;
  uint8_t *out_;
  const TrellisKernel &kernel_;
  const Crc32c &crc_;
  const unsigned element_bytes_;
  const PoincarePart poincare_;
  // Whether elements of a coded row are neighbours in the tensor, and whether rows follow each other too.
  const bool contiguous_;
  const bool ordered_;
  const Grid grid_;
  const uint32_t group_rows_;
  PoincareFailure failure_;
  std::atomic<bool> out_of_memory_{false};
};

}  // namespace

bool TensorDecoder::parse(const uint8_t *bytes, size_t size, uint64_t max_tensor_bytes, Error &error) {
  if (!record_.parse(bytes, size, max_tensor_bytes, error)) {
    return false;
  }
  switch (record_.codec()) {
    case Codec::kRaw:
      return record_.body_size() == record_.decoded_bytes() ||
             record_.corrupt_body(error, 0, "body", text("%" PRIu64 " bytes", record_.body_size()), text(record_.decoded_bytes()));
    case Codec::kPoincare:
      return view_.parse(record_, error) && tiles_.parse(record_, view_, error);
    default:
      if (!trellis_.parse(record_, error)) {
        return false;
      }
      view_ = trellis_.view;
      return true;
  }
}

bool TensorDecoder::decode(uint8_t *out, unsigned threads, const InstructionSet &set, Error &error) const {
  if (record_.codec() == Codec::kRaw) {
    const uint32_t sum = copy_and_sum(record_.body(), out, record_.decoded_bytes(), threads, *set.crc);
    return record_.check_decoded_crc(sum, error);
  }
  const bool trellis = record_.codec() == Codec::kTrellis;
  Job job(record_, view_, trellis ? nullptr : &tiles_, trellis ? &trellis_ : nullptr, out, set);
  return job.run(threads, error);
}

}  // namespace pseed
