#include "trellis_decode.hpp"

#include <algorithm>

namespace pseed {

namespace {

size_t panel_of(const std::vector<Panel> &panels, uint32_t line) {
  const auto next =
      std::upper_bound(panels.begin(), panels.end(), line, [](uint32_t at, const Panel &panel) { return at < panel.start; });
  return static_cast<size_t>(next - panels.begin()) - 1;
}

}  // namespace

void TrellisDecoder::transformed(uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, int16_t *codes, int32_t *z,
                                 size_t stride) const {
  const int bits = body_.code->bits();
  const int16_t *table = body_.code->codes();
  const auto segment = [&](const uint8_t *start, uint32_t first, uint32_t n, int rate, int16_t *out) {
    if (rate == 0) {
      std::fill(out, out + n, int16_t{0});
    } else {
      kernel_.codes(start, end_, first, n, rate, bits, table, out);
    }
  };
  size_t first_panel = panel_of(body_.panels, body_.by_rows ? row : col);
  for (uint32_t i = 0; i < rows; i++) {
    const uint32_t r = row + i;
    if (body_.by_rows) {
      while (r - body_.panels[first_panel].start >= body_.panels[first_panel].length) {
        first_panel++;
      }
      const Panel &panel = body_.panels[first_panel];
      const uint64_t offset = panel.offset + (r - panel.start) * TrellisBody::segment_bytes(body_.view.cols, panel.rate);
      segment(body_.payload + offset, col, cols, panel.rate, codes);
    } else {
      const uint8_t *start = body_.payload + r * body_.row_bytes;
      uint32_t at = col;
      for (size_t p = first_panel; at < col + cols; p++) {
        const Panel &panel = body_.panels[p];
        const uint32_t n = std::min(panel.start + panel.length, col + cols) - at;
        segment(start + panel.offset, at - panel.start, n, panel.rate, codes + (at - col));
        at += n;
      }
    }
    kernel_.hadamard_along(codes, cols, body_.col_block_log2, z + i * stride);
  }
  kernel_.hadamard_across(z, stride, rows, cols, body_.row_block_log2);
}

}  // namespace pseed
