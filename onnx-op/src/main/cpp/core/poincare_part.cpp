#include "poincare_part.hpp"

#include <algorithm>
#include <cinttypes>
#include <cmath>

#include "poincare_generator.hpp"

namespace pseed {

namespace {

constexpr double kLargestCode = 32767;

}  // namespace

void PoincareFailure::report(const Key &key, const TensorRecord &record, const char *tile, const PoincareGenerator &generator,
                             int shift, double code, uint32_t i, uint32_t j) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (found() && !(key < key_)) {
    return;
  }
  key_ = key;
  error_.set(PSEED_CORRUPT,
             "%s: %sPoincaré seed 0x%016" PRIX64 " with shift %d has code %s at row %" PRIu32 ", column %" PRIu32 " of %" PRIu32
             " x %" PRIu32 ", expected at most 32767 (record at file offset %" PRIu64 ")",
             record.place().label(), tile, generator.seed().bits, shift, code_text(code).c_str(), i, j, generator.rows(),
             generator.cols(), record.place().offset());
  first_row_.store(key.row, std::memory_order_relaxed);
}

void PoincarePart::apply(const Region &region, double *scratch, PoincareFailure &failure) const {
  if (tiles_ != nullptr) {
    write_tiles(region, scratch, failure);
  }
  if (record_.layer_seed().present()) {
    apply_layer(region, scratch, failure);
  }
}

void PoincarePart::write_tiles(const Region &region, double *scratch, PoincareFailure &failure) const {
  const uint32_t tile_rows = tiles_->tile_rows;
  const uint32_t tile_cols = tiles_->tile_cols;
  const uint64_t across = tiles_->across(view_);
  const uint64_t row_end = uint64_t{region.row} + region.rows;
  const uint64_t col_end = uint64_t{region.col} + region.cols;
  for (uint64_t top = region.row - region.row % tile_rows; top < row_end; top += tile_rows) {
    const uint32_t height = static_cast<uint32_t>(std::min<uint64_t>(tile_rows, view_.rows - top));
    const uint32_t row_from = static_cast<uint32_t>(std::max<uint64_t>(top, region.row));
    const uint32_t row_to = static_cast<uint32_t>(std::min(top + height, row_end));
    for (uint64_t left = region.col - region.col % tile_cols; left < col_end; left += tile_cols) {
      const uint32_t width = static_cast<uint32_t>(std::min<uint64_t>(tile_cols, view_.cols - left));
      const uint32_t col_from = static_cast<uint32_t>(std::max<uint64_t>(left, region.col));
      const uint32_t n = static_cast<uint32_t>(std::min(left + width, col_end)) - col_from;
      const uint64_t index = top / tile_rows * across + left / tile_cols;
      const PoincareTile tile = tiles_->tile(index);
      const PoincareGenerator generator(tile.seed, height, width);
      const double factor = std::ldexp(1.0, tile.shift);
      bool failed = false;
      for (uint32_t row = row_from; row < row_to && !failed; row++) {
        float *values = region.values + (row - region.row) * region.stride + (col_from - region.col);
        if (tile.seed == 0) {
          std::fill(values, values + n, 0.0f);
          continue;
        }
        generator.fill(static_cast<uint32_t>(row - top), static_cast<uint32_t>(col_from - left), n, scratch);
        for (uint32_t k = 0; k < n; k++) {
          const double code = std::nearbyint(scratch[k] * factor);
          if (std::fabs(code) > kLargestCode) {
            failure.report({row, 0, col_from + k}, record_, text("tile %" PRIu64 ": ", index).c_str(), generator, tile.shift, code,
                           static_cast<uint32_t>(row - top), static_cast<uint32_t>(col_from + k - left));
            // The tile beside it may fail in an earlier row.
            failed = true;
            break;
          }
          // By way of an integer: a code has no sign of zero.
          values[k] = static_cast<float>(static_cast<int32_t>(code)) * tile.amplitude;
        }
      }
    }
  }
}

void PoincarePart::apply_layer(const Region &region, double *scratch, PoincareFailure &failure) const {
  const LayerSeed &layer = record_.layer_seed();
  const PoincareGenerator generator(layer.seed, view_.rows, view_.cols);
  const double factor = std::ldexp(1.0, layer.shift);
  const bool add = tiles_ != nullptr || trellis_ != nullptr;
  const bool scattered = trellis_ != nullptr && trellis_->permutes_cols();
  for (uint32_t i = 0; i < region.rows; i++) {
    const uint32_t row = trellis_ != nullptr ? trellis_->view_row(region.row + i) : region.row + i;
    if (scattered) {
      for (uint32_t k = 0; k < region.cols; k++) {
        generator.fill(row, trellis_->view_col(region.col + k), 1, scratch + k);
      }
    } else {
      generator.fill(row, region.col, region.cols, scratch);
    }
    float *values = region.values + i * region.stride;
    bool failed = false;
    for (uint32_t k = 0; k < region.cols; k++) {
      const double code = std::nearbyint(scratch[k] * factor);
      if (std::fabs(code) > kLargestCode) {
        // Permuted columns do not come in the view's order, so all of the row's are looked at.
        const uint32_t col = scattered ? trellis_->view_col(region.col + k) : region.col + k;
        failure.report({region.row + i, 1, col}, record_, "", generator, layer.shift, code, row, col);
        failed = true;
        continue;
      }
      const float weight = static_cast<float>(static_cast<int32_t>(code)) * layer.amplitude;
      values[k] = add ? values[k] + weight : weight;
    }
    if (failed) {
      return;
    }
  }
}

}  // namespace pseed
