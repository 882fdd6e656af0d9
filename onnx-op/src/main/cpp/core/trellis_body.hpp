// The body of a trellis record (specification, section 8.1).
//
// offset  0     16  17   18     19           20           21           22           23         24          28        29  32
//         +-----+---+----+------+------------+------------+------------+------------+----------+-----------+---------+---+--------+
//         |view | L |law |kappa |rowBlockLog2|colBlockLog2|rowScaleKind|colScaleKind|panelAxis |panelCount |permuted | 0 | panels |
//         +-----+---+----+------+------------+------------+------------+------------+----------+-----------+---------+---+--------+
//         | row scales | column scales | permutation | payload
#ifndef PSEED_TRELLIS_BODY_HPP
#define PSEED_TRELLIS_BODY_HPP

#include <cstdint>
#include <memory>
#include <vector>

#include "bytes.hpp"
#include "scales.hpp"
#include "trellis_code.hpp"
#include "view.hpp"

namespace pseed {

// A range of rows or columns with one rate.
struct Panel {
  uint32_t start;   // its first row or column
  uint32_t length;  // at least 1
  int rate;         // 0 to 8
  // Panels of rows: where its first row's segment starts in the payload. Of columns: where its segment starts in each row.
  uint64_t offset;
};

struct TrellisBody {
  static constexpr uint32_t kFixedLength = 32;
  static constexpr uint32_t kPanelLength = 8;

  View view;
  std::shared_ptr<const TrellisCode> code;
  int row_block_log2 = 0;
  int col_block_log2 = 0;
  Scales row_scales;
  Scales col_scales;
  bool by_rows = false;
  std::vector<Panel> panels;
  uint64_t row_bytes = 0;                // of one row, for panels of columns
  const uint8_t *permutation = nullptr;  // u32 each: where a coded row or column goes in the view; null: where it is
  const uint8_t *payload = nullptr;

  bool parse(const TensorRecord &record, Error &error);

  bool permutes_rows() const { return by_rows && permutation != nullptr; }
  bool permutes_cols() const { return !by_rows && permutation != nullptr; }
  uint32_t permuted(uint32_t line) const { return load<uint32_t>(permutation + 4 * uint64_t{line}); }
  uint32_t view_row(uint32_t row) const { return permutes_rows() ? permuted(row) : row; }
  uint32_t view_col(uint32_t col) const { return permutes_cols() ? permuted(col) : col; }

  static uint64_t segment_bytes(uint64_t n, int rate) { return (n * static_cast<uint64_t>(rate) + 7) / 8; }
};

}  // namespace pseed
#endif
