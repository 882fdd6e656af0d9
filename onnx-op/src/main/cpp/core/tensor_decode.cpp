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

// Weights of a tile: its integers, 512 KiB, stay in the second cache or hardly leave it while rows and columns are transformed, and a row
// of it reads and writes enough in one piece (half of this was 4 % slower on Zen 3, an eighth a fifth on Zen 5).
constexpr uint32_t kTileWeights = 1 << 17;
// Rows that are scaled, summed and stored together: what are registers for, and sums of four rows are made side by side.
constexpr uint32_t kGroupRows = 8;
// Columns of such rows: their values stay in the first cache until they are handed out.
constexpr uint32_t kGroupCols = 512;
// Rows of a tile that end as columns: shorter runs would write parts of cache lines.
constexpr uint32_t kTransposedRows = 128;
// Columns of a tile that end as rows together: with 128 rows 32 KiB.
constexpr uint32_t kStripCols = 64;
// Weights that a thread is started for.
constexpr uint64_t kThreadWeights = 1 << 17;
// Bytes of a piece where a checksum is made in pieces.
constexpr uint64_t kPieceBytes = 1 << 20;
// Bytes of a tensor from which it is written past the caches: lines are not read before they are written. What is smaller may still be in
// the last cache when it is used, and new memory is, because the system has just cleared it.
constexpr uint64_t kStreamedBytes = 1 << 26;

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
    tile_rows = std::max(row_block, tile_rows / row_block * row_block);
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
  // code_rows: rows whose codes are made together. values: converted together.
  Scratch(const Grid &grid, size_t code_rows, size_t value_count, unsigned element_bytes) {
    // Rows a power of two apart would share few lines of a cache.
    stride = grid.tile_cols < 128 ? grid.tile_cols : size_t{grid.tile_cols} + 16;
    const size_t cols = grid.tile_cols;
    size_t size = 0;
    const auto reserve = [&size](size_t bytes) {
      const size_t at = size;
      size += (bytes + 63) & ~size_t{63};
      return at;
    };
    const size_t at_codes = reserve(2 * cols * code_rows);
    const size_t at_z = reserve(4 * stride * grid.tile_rows);
    const size_t at_row_scales = reserve(4 * size_t{grid.tile_rows});
    const size_t at_col_scales = reserve(4 * cols);
    const size_t at_values = reserve(4 * value_count);
    const size_t at_elements = reserve(element_bytes * value_count);
    const size_t at_doubles = reserve(8 * cols);
    memory_.reset(new uint8_t[size + 64]);
    uint8_t *base = memory_.get() + (64 - reinterpret_cast<uintptr_t>(memory_.get()) % 64) % 64;
    codes = reinterpret_cast<int16_t *>(base + at_codes);
    z = reinterpret_cast<int32_t *>(base + at_z);
    row_scales = reinterpret_cast<float *>(base + at_row_scales);
    col_scales = reinterpret_cast<float *>(base + at_col_scales);
    values = reinterpret_cast<float *>(base + at_values);
    elements = base + at_elements;
    doubles = reinterpret_cast<double *>(base + at_doubles);
  }

  int16_t *codes;
  int32_t *z;
  size_t stride;
  float *row_scales;
  float *col_scales;
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
        by_columns_(view.transposed && trellis != nullptr && !poincare_.present()),
        ordered_((by_columns_ || !view.transposed) && (trellis == nullptr || trellis->permutation == nullptr)),
        grid_(view, trellis == nullptr ? 0 : trellis->row_block_log2, trellis == nullptr ? 0 : trellis->col_block_log2,
              view.transposed ? kTransposedRows : kGroupRows),
        group_rows_(trellis != nullptr && !view.transposed ? std::min(kGroupRows, grid_.tile_rows) : grid_.tile_rows),
        group_cols_(poincare_.present() ? grid_.tile_cols : std::min(kGroupCols, grid_.tile_cols)),
        values_(by_columns_ ? size_t{grid_.tile_rows} * std::min(kStripCols, grid_.tile_cols)
                            : size_t{group_cols_} * group_rows_),
        streamed_(record.decoded_bytes() >= kStreamedBytes),
        in_place_(record.dtype() == kF32 && ordered_ && !streamed_ && trellis != nullptr &&
                  reinterpret_cast<uintptr_t>(out) % alignof(float) == 0),
        sums_values_(kernel_.scale_and_sum != nullptr && record.dtype() == kF32 && trellis != nullptr && !poincare_.present() &&
                     reinterpret_cast<uintptr_t>(out) % alignof(float) == 0) {}

  bool run(unsigned wanted_threads, Error &error) {
    const uint64_t tiles = grid_.down * grid_.across;
    // Poincaré places cost some hundred times what a trellis weight does.
    const uint64_t weights = record_.elements() * (poincare_.present() ? 32 : 1);
    const unsigned threads = thread_count(wanted_threads, std::min(tiles, std::max<uint64_t>(1, weights / kThreadWeights)));
    // Where lines end in order and there are enough of them, a thread takes all tiles of some lines and sums them while they are in its
    // cache. Else tiles are shared and the sum is a pass of its own.
    const uint64_t bands = by_columns_ ? grid_.across : grid_.down;
    const bool summed = ordered_ && (threads == 1 || bands >= 2 * uint64_t{threads});
    std::vector<uint32_t> sums(summed ? bands : 0);
    const Crc32cShift line(line_bytes());
    const uint64_t tasks = summed ? bands : tiles;
    parallel(threads, tasks, [&](const auto &next) {
      try {
        Scratch scratch(grid_, trellis_ == nullptr ? 0 : TrellisDecoder::code_rows(*trellis_), values_, element_bytes_);
        std::vector<uint32_t> line_sums(summed ? lines_of(0) : 0);
        for (uint64_t task = next(); task < tasks; task = next()) {
          if (summed) {
            std::fill(line_sums.begin(), line_sums.end(), 0u);
            for (uint64_t step = 0; step < tiles / bands; step++) {
              tile(by_columns_ ? step : task, by_columns_ ? task : step, scratch, line_sums.data());
            }
            for (uint32_t i = 0; i < lines_of(task); i++) {
              sums[task] = line.append(sums[task], line_sums[i]);
            }
          } else {
            tile(task / grid_.across, task % grid_.across, scratch, nullptr);
          }
        }
        order_streamed();
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
      const Crc32cShift full(lines_of(0) * line_bytes());
      const Crc32cShift last(lines_of(bands - 1) * line_bytes());
      for (uint64_t band = 0; band < bands; band++) {
        sum = (band + 1 == bands ? last : full).append(sum, sums[band]);
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

  uint32_t cols_of(uint64_t across) const {
    return static_cast<uint32_t>(std::min<uint64_t>(grid_.tile_cols, view_.cols - across * grid_.tile_cols));
  }

  // Of a band: the tiles that share their lines, which are rows or columns, whichever the tensor has as its rows.
  uint32_t lines_of(uint64_t band) const { return by_columns_ ? cols_of(band) : rows_of(band); }

  uint64_t line_bytes() const { return uint64_t{by_columns_ ? view_.rows : view_.cols} * element_bytes_; }

  // line_sums: CRCs of the tile's lines so far, or null.
  void tile(uint64_t down, uint64_t across, const Scratch &scratch, uint32_t *line_sums) {
    const uint32_t row = static_cast<uint32_t>(down * grid_.tile_rows);
    const uint32_t col = static_cast<uint32_t>(across * grid_.tile_cols);
    const uint32_t rows = rows_of(down);
    const uint32_t cols = cols_of(across);
    if (failure_.decided_before(row)) {
      return;
    }
    if (trellis_ != nullptr) {
      TrellisDecoder(*trellis_, record_.end(), kernel_).transformed(row, rows, col, cols, scratch.codes, scratch.z, scratch.stride);
      trellis_->row_scales.fill(row, rows, scratch.row_scales);
      trellis_->col_scales.fill(col, cols, scratch.col_scales);
    }
    if (by_columns_) {
      tile_columns({row, rows, col, cols, scratch.values, rows}, scratch, line_sums);
    } else {
      tile_rows({row, rows, col, cols, scratch.values, cols}, scratch, line_sums);
    }
  }

  // The tile's rows, some at a time, as rows of values.
  void tile_rows(const Region &tile, const Scratch &scratch, uint32_t *line_sums) {
    for (uint32_t first = 0; first < tile.rows; first += group_rows_) {
      Region region = tile;
      region.row += first;
      region.rows = std::min(group_rows_, tile.rows - first);
      uint32_t *sums = line_sums == nullptr ? nullptr : line_sums + first;
      int32_t *z = scratch.z + first * scratch.stride;
      if (sums != nullptr && sums_values_ && region.rows == kGroupRows) {
        kernel_.scale_and_sum(z, scratch.stride, region.cols, TrellisDecoder::last_log2(*trellis_), scratch.row_scales + first,
                              scratch.col_scales, reinterpret_cast<float *>(place(region)), view_.cols, streamed_, sums);
        continue;
      }
      for (uint32_t left = 0; left < tile.cols; left += group_cols_) {
        region.col = tile.col + left;
        region.cols = std::min(group_cols_, tile.cols - left);
        region.stride = region.cols;
        uint8_t *out = place(region);
        if (in_place_) {
          region.values = reinterpret_cast<float *>(out);
          region.stride = view_.cols;
        }
        if (trellis_ != nullptr) {
          kernel_.scale_rows(z + left, scratch.stride, region.rows, region.cols, TrellisDecoder::last_log2(*trellis_),
                             scratch.row_scales + first, scratch.col_scales + left, region.values, region.stride);
        }
        if (poincare_.present()) {
          poincare_.apply(region, scratch.doubles, failure_);
          if (failure_.decided_before(region.row + region.rows)) {
            return;
          }
        }
        hand_out(region, region.rows, region.cols, out, scratch.elements, sums);
      }
    }
  }

  // Where a region begins in a tensor that is not transposed.
  uint8_t *place(const Region &region) const { return out_ + (uint64_t{region.row} * view_.cols + region.col) * element_bytes_; }

  // The tile's columns, some at a time, as rows of values: a transposed view's trellis.
  void tile_columns(const Region &tile, const Scratch &scratch, uint32_t *line_sums) const {
    for (uint32_t first = 0; first < tile.cols; first += kStripCols) {
      Region region = tile;
      region.col += first;
      region.cols = std::min(kStripCols, tile.cols - first);
      uint8_t *out = out_ + (uint64_t{region.col} * view_.rows + region.row) * element_bytes_;
      if (in_place_) {
        region.values = reinterpret_cast<float *>(out);
        region.stride = view_.rows;
      }
      kernel_.scale_columns(scratch.z + first, scratch.stride, region.rows, region.cols, TrellisDecoder::last_log2(*trellis_),
                            scratch.row_scales, scratch.col_scales + first, region.values, region.stride);
      hand_out(region, region.cols, region.rows, out, scratch.elements, line_sums == nullptr ? nullptr : line_sums + first);
    }
  }

  // Values of a region, which are whole in each of its lines, to the tensor. out: where the first line begins there. sums: as in `tile`.
  void hand_out(const Region &region, uint32_t lines, uint32_t line_values, uint8_t *out, uint8_t *elements, uint32_t *sums) const {
    const size_t size = size_t{line_values} * element_bytes_;
    if (in_place_) {
      if (sums != nullptr) {
        crc_.update_rows(sums, out, line_bytes(), lines, size);
      }
      return;
    }
    const uint8_t *from = converted(region.values, size_t{lines} * line_values, elements);
    if (sums != nullptr) {
      crc_.copy_rows(sums, from, size, lines, size, out, line_bytes(), streamed_);
    } else if (by_columns_) {
      store_columns(region, from);
    } else {
      store_rows(region, from);
    }
  }

  // Values in the element type.
  const uint8_t *converted(const float *values, size_t n, uint8_t *elements) const {
    switch (record_.dtype()) {
      case kF16:
        kernel_.store_f16(values, n, reinterpret_cast<uint16_t *>(elements));
        return elements;
      case kBF16:
        kernel_.store_bf16(values, n, reinterpret_cast<uint16_t *>(elements));
        return elements;
      case kF64:
        kernel_.store_f64(values, n, reinterpret_cast<double *>(elements));
        return elements;
      default:
        return reinterpret_cast<const uint8_t *>(values);
    }
  }

  void store_rows(const Region &region, const uint8_t *elements) const {
    if (!view_.transposed && (trellis_ == nullptr || !trellis_->permutes_cols())) {
      const size_t row_bytes = size_t{region.cols} * element_bytes_;
      for (uint32_t i = 0; i < region.rows; i++) {
        const uint64_t to = uint64_t{view_row(region.row + i)} * view_.cols + region.col;
        std::memcpy(out_ + to * element_bytes_, elements + i * row_bytes, row_bytes);
      }
      return;
    }
    for_element_type([&](auto element) {
      if (!view_.transposed) {
        for (uint32_t i = 0; i < region.rows; i++) {
          const uint64_t to = uint64_t{view_row(region.row + i)} * view_.cols;
          for (uint32_t j = 0; j < region.cols; j++) {
            move(element, elements, size_t{i} * region.cols + j, out_, to + view_col(region.col + j));
          }
        }
        return;
      }
      // Beside a Poincaré part, which costs far more than this.
      for (uint32_t j = 0; j < region.cols; j++) {
        const uint64_t to = uint64_t{view_col(region.col + j)} * view_.rows;
        for (uint32_t i = 0; i < region.rows; i++) {
          move(element, elements, size_t{i} * region.cols + j, out_, to + view_row(region.row + i));
        }
      }
    });
  }

  void store_columns(const Region &region, const uint8_t *elements) const {
    const size_t column_bytes = size_t{region.rows} * element_bytes_;
    for (uint32_t j = 0; j < region.cols; j++) {
      uint8_t *to = out_ + uint64_t{view_col(region.col + j)} * view_.rows * element_bytes_;
      const uint8_t *column = elements + j * column_bytes;
      if (!trellis_->permutes_rows()) {
        std::memcpy(to + uint64_t{region.row} * element_bytes_, column, column_bytes);
        continue;
      }
      for_element_type([&](auto element) {
        for (uint32_t i = 0; i < region.rows; i++) {
          move(element, column, i, to, view_row(region.row + i));
        }
      });
    }
  }

  // Calls work with a value of the type that has an element's size, for loops over elements.
  template <typename Work>
  void for_element_type(const Work &work) const {
    switch (element_bytes_) {
      case 2:
        return work(uint16_t{});
      case 4:
        return work(uint32_t{});
      default:
        return work(uint64_t{});
    }
  }

  template <typename Element>
  static void move(Element element, const uint8_t *from, size_t from_index, uint8_t *to, uint64_t to_index) {
    std::memcpy(&element, from + from_index * sizeof element, sizeof element);
    std::memcpy(to + to_index * sizeof element, &element, sizeof element);
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
  // Whether the tensor's rows are made of coded columns by the pass that scales.
  const bool by_columns_;
  // Whether lines are neighbours in the tensor, and their elements too.
  const bool ordered_;
  const Grid grid_;
  const uint32_t group_rows_;
  const uint32_t group_cols_;
  const size_t values_;
  const bool streamed_;
  // Whether values are made where they belong in the tensor.
  const bool in_place_;
  // Whether values are summed by the pass that makes them.
  const bool sums_values_;
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
