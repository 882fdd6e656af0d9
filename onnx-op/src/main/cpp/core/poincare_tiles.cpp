#include "poincare_tiles.hpp"

#include <cinttypes>
#include <cmath>

#include "bytes.hpp"

namespace pseed {

namespace {

constexpr uint32_t kHeadBytes = 8;
constexpr uint32_t kTileBytes = 16;

bool corrupt(const TensorRecord &record, Error &error, const Text &trouble) {
  return error.set(PSEED_CORRUPT, "%s: %s (record at file offset %" PRIu64 ")", record.place().label(), trouble.c_str(),
                   record.place().offset());
}

}  // namespace

bool PoincareTiles::parse(const TensorRecord &record, const View &view, Error &error) {
  const uint8_t *in = record.body() + View::kLength;
  const uint64_t size = record.body_size() - View::kLength;
  if (size < kHeadBytes) {
    return corrupt(record, error,
                   text("poincare body has %" PRIu64 " bytes after the view, expected at least %" PRIu32, size, kHeadBytes));
  }
  tile_rows = load<uint32_t>(in);
  tile_cols = load<uint32_t>(in + 4);
  if (tile_rows > view.rows) {
    return corrupt(record, error, text("tileRows is %" PRIu32 ", expected 0 to %" PRIu32, tile_rows, view.rows));
  }
  if (tile_cols > view.cols) {
    return corrupt(record, error, text("tileCols is %" PRIu32 ", expected 0 to %" PRIu32, tile_cols, view.cols));
  }
  if ((tile_rows == 0) != (tile_cols == 0)) {
    return corrupt(record, error,
                   text("tileRows is %" PRIu32 " and tileCols %" PRIu32 ", expected both or none to be 0", tile_rows, tile_cols));
  }
  // At most 2^62.
  const uint64_t count = present() ? (uint64_t{view.rows} + tile_rows - 1) / tile_rows * across(view) : 0;
  const uint64_t tile_bytes = size - kHeadBytes;
  if (tile_bytes % kTileBytes != 0 || tile_bytes / kTileBytes != count) {
    return corrupt(record, error,
                   text("poincare body has %" PRIu64 " bytes of tiles, expected %" PRIu64 " tiles of %" PRIu32 " bytes", tile_bytes,
                        count, kTileBytes));
  }
  tiles_ = in + kHeadBytes;
  for (uint64_t k = 0; k < count; k++) {
    const uint8_t *at = tiles_ + k * kTileBytes;
    const PoincareTile t = tile(k);
    if (at[13] != 0 || at[14] != 0 || at[15] != 0) {
      return corrupt(record, error, text("tile %" PRIu64 " has reserved bytes that are not 0", k));
    }
    if (!(std::fabs(t.amplitude) <= kLargestAmplitude)) {
      return corrupt(record, error,
                     text("tile %" PRIu64 ": amplitude of a Poincaré seed is %s, expected at most 2^64 in magnitude", k,
                          float_text(t.amplitude).c_str()));
    }
    if (t.shift < -kMaxShift || t.shift > kMaxShift) {
      return corrupt(record, error,
                     text("tile %" PRIu64 ": shift of a Poincaré seed is %d, expected %d to %d", k, t.shift, -kMaxShift, kMaxShift));
    }
    if (t.seed == 0 && (load<uint32_t>(at + 8) != 0 || t.shift != 0)) {
      return corrupt(record, error,
                     text("tile %" PRIu64 " has seed 0 with amplitude %s and shift %d, expected +0 and 0", k,
                          float_text(t.amplitude).c_str(), t.shift));
    }
  }
  if (!present() && !record.layer_seed().present()) {
    return record.corrupt_body(error, View::kLength, "body", "without layer seed and tiles", "one of them");
  }
  return true;
}

PoincareTile PoincareTiles::tile(uint64_t index) const {
  const uint8_t *at = tiles_ + index * kTileBytes;
  return {load<uint64_t>(at), load<float>(at + 8), static_cast<int8_t>(at[12])};
}

}  // namespace pseed
