#include "trellis_decode.hpp"

#include <algorithm>

namespace pseed {

namespace {

// Columns that are transformed while they are in the first cache: a multiple of every block. 16 rows of them are 16 KiB.
constexpr uint32_t kPieceCols = 256;

size_t panel_of(const std::vector<Panel> &panels, uint32_t line) {
  const auto next =
      std::upper_bound(panels.begin(), panels.end(), line, [](uint32_t at, const Panel &panel) { return at < panel.start; });
  return static_cast<size_t>(next - panels.begin()) - 1;
}

// Asks for bytes of a row before it is decoded: rows are taken in an order that no machine foresees, and a row of a tile is too short to
// wait for memory once in each.
void expect(const uint8_t *from, uint64_t n, const uint8_t *end) {
#if defined(__GNUC__)
  const uint64_t reach = std::min(n, static_cast<uint64_t>(end - from));
  for (uint64_t b = 0; b < reach; b += 64) {
    __builtin_prefetch(from + b, 0, 2);
  }
  __builtin_prefetch(from + reach, 0, 2);
#else
  (void)from;
  (void)n;
  (void)end;
#endif
}

}  // namespace

void TrellisDecoder::codes(uint32_t row, uint32_t col, uint32_t cols, size_t &panel, int16_t *out) const {
  // row_bytes: to the segment in the row below, which is one of the next rows to come.
  const auto segment = [&](const uint8_t *start, uint64_t row_bytes, uint32_t first, uint32_t n, int rate, int16_t *to) {
    if (rate == 0) {
      std::fill(to, to + n, int16_t{0});
    } else {
      const uint64_t below = row_bytes + uint64_t{first} * static_cast<unsigned>(rate) / 8;
      if (below < static_cast<uint64_t>(end_ - start)) {
        expect(start + below, uint64_t{n} * static_cast<unsigned>(rate) / 8, end_);
      }
      kernel_.codes(start, end_, first, n, rate, body_.code->tables(), to);
    }
  };
  if (body_.by_rows) {
    while (row < body_.panels[panel].start) {
      panel--;
    }
    while (row - body_.panels[panel].start >= body_.panels[panel].length) {
      panel++;
    }
    const Panel &of = body_.panels[panel];
    const uint64_t row_bytes = TrellisBody::segment_bytes(body_.view.cols, of.rate);
    segment(body_.payload + of.offset + (row - of.start) * row_bytes, row_bytes, col, cols, of.rate, out);
    return;
  }
  const uint8_t *start = body_.payload + row * body_.row_bytes;
  uint32_t at = col;
  for (size_t p = panel; at < col + cols; p++) {
    const Panel &of = body_.panels[p];
    const uint32_t n = std::min(of.start + of.length, col + cols) - at;
    segment(start + of.offset, body_.row_bytes, at - of.start, n, of.rate, out + (at - col));
    at += n;
  }
}

void TrellisDecoder::transformed(uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, int16_t *codes, int32_t *z,
                                 size_t stride) const {
  const int last = last_log2(body_);
  const int first = body_.row_block_log2 - last;
  const uint32_t apart = 1u << last;
  const uint32_t count = 1u << first;
  size_t panel = panel_of(body_.panels, body_.by_rows ? row : col);
  for (uint32_t block = 0; block < rows; block += apart << first) {
    // Rows that are not neighbours first, so that the stages that are left are those of neighbours.
    for (uint32_t i = block; i < block + apart; i++) {
      for (uint32_t r = 0; r < count; r++) {
        this->codes(row + i + r * apart, col, cols, panel, codes + size_t{r} * cols);
      }
      for (uint32_t left = 0; left < cols; left += kPieceCols) {
        const uint32_t width = std::min(kPieceCols, cols - left);
        for (uint32_t r = 0; r < count; r++) {
          kernel_.hadamard_along(codes + size_t{r} * cols + left, width, body_.col_block_log2, z + (i + r * apart) * stride + left);
        }
        kernel_.hadamard_across(z + i * stride + left, apart * stride, width, first);
      }
    }
  }
}

}  // namespace pseed
