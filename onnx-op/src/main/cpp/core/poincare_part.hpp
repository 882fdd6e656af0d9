// What Poincaré seeds contribute to a record: its layer seed, its tiles, or both (specification, sections 6.3, 7 and 9).
#ifndef PSEED_POINCARE_PART_HPP
#define PSEED_POINCARE_PART_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "errors.hpp"
#include "poincare_tiles.hpp"
#include "trellis_body.hpp"

namespace pseed {

class PoincareGenerator;

// The first code that is too large, in the order in which one thread would meet them: row, tiles before the layer seed, column. So the
// sentence does not depend on the number of threads.
class PoincareFailure {
 public:
  struct Key {
    uint32_t row;
    int phase;
    uint32_t col;
    bool operator<(const Key &other) const {
      return row != other.row ? row < other.row : phase != other.phase ? phase < other.phase : col < other.col;
    }
  };

  // Whether nothing from this row on can come before what was found.
  bool decided_before(uint32_t row) const { return first_row_.load(std::memory_order_relaxed) < row; }
  bool found() const { return first_row_.load(std::memory_order_relaxed) != UINT32_MAX; }
  const Error &error() const { return error_; }
  void report(const Key &key, const TensorRecord &record, const char *tile, const PoincareGenerator &generator, int shift,
              double code, uint32_t i, uint32_t j);

 private:
  std::atomic<uint32_t> first_row_{UINT32_MAX};
  std::mutex mutex_;
  Key key_{UINT32_MAX, 0, 0};
  Error error_;
};

// A rectangle of coded rows and columns, and its values.
struct Region {
  uint32_t row;
  uint32_t rows;
  uint32_t col;
  uint32_t cols;
  float *values;
  size_t stride;
};

class PoincarePart {
 public:
  // tiles: null for a record of another codec. trellis: null for a record of this codec; tells where coded lines go in the view.
  PoincarePart(const TensorRecord &record, const View &view, const PoincareTiles *tiles, const TrellisBody *trellis)
      : record_(record), view_(view), tiles_(tiles != nullptr && tiles->present() ? tiles : nullptr), trellis_(trellis) {}

  bool present() const { return tiles_ != nullptr || record_.layer_seed().present(); }
  // Adds the part to the values of a region; for a record without trellis it writes them. scratch: one row of it.
  void apply(const Region &region, double *scratch, PoincareFailure &failure) const;

 private:
  void write_tiles(const Region &region, double *scratch, PoincareFailure &failure) const;
  void apply_layer(const Region &region, double *scratch, PoincareFailure &failure) const;

  const TensorRecord &record_;
  const View &view_;
  const PoincareTiles *tiles_;
  const TrellisBody *trellis_;
};

}  // namespace pseed
#endif
