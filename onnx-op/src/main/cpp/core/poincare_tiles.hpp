// The grid of tiles of a poincare record (specification, section 7): each tile is a matrix of its own with its own seed. A view without
// tiles is a grid of tile_rows = tile_cols = 0. Tiles are read where they lie.
//
//  offset in the body (after the 16 bytes of the view)
//  16            20            24
//  +-------------+-------------+--------------------------------------------+-- - -
//  | tileRows u32| tileCols u32| seed u64 | amplitude f32 | shift i8 | 0 0 0 | next tile
//  +-------------+-------------+--------------------------------------------+-- - -
#ifndef PSEED_POINCARE_TILES_HPP
#define PSEED_POINCARE_TILES_HPP

#include <cstdint>

#include "errors.hpp"
#include "view.hpp"

namespace pseed {

struct PoincareTile {
  uint64_t seed;
  float amplitude;
  int shift;
};

struct PoincareTiles {
  uint32_t tile_rows = 0;
  uint32_t tile_cols = 0;

  // Reads and checks the rest of a body behind its view.
  bool parse(const TensorRecord &record, const View &view, Error &error);

  bool present() const { return tile_rows > 0; }
  uint64_t across(const View &view) const { return (uint64_t{view.cols} + tile_cols - 1) / tile_cols; }
  PoincareTile tile(uint64_t index) const;

 private:
  const uint8_t *tiles_ = nullptr;
};

}  // namespace pseed
#endif
