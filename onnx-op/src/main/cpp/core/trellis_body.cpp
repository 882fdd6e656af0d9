#include "trellis_body.hpp"

#include <cinttypes>

namespace pseed {

namespace {

constexpr int kMaxBlockLog2 = 7;

bool field(const TensorRecord &record, uint32_t offset, const char *what, int min, int max, int &value, Error &error) {
  value = record.body()[offset];
  return (value >= min && value <= max) ||
         record.corrupt_body(error, offset, what, text("%d", value), min == max ? text("%d", min) : text("%d to %d", min, max));
}

bool block(const TensorRecord &record, uint32_t offset, const char *what, uint32_t n, int &log2, Error &error) {
  return field(record, offset, text("%s exponent", what).c_str(), 0, kMaxBlockLog2, log2, error) &&
         (n % (1u << log2) == 0 ||
          record.corrupt_body(error, offset, what, text("%d", 1 << log2), text("a divisor of %" PRIu32, n)));
}

bool parse_panels(const TensorRecord &record, TrellisBody &body, uint32_t axis, uint32_t count, Error &error) {
  body.panels.resize(count);
  uint64_t sum = 0;
  uint64_t offset = 0;
  for (uint32_t p = 0; p < count; p++) {
    const uint64_t at = TrellisBody::kFixedLength + uint64_t{TrellisBody::kPanelLength} * p;
    Panel &panel = body.panels[p];
    panel.length = load<uint32_t>(record.body() + at);
    if (panel.length - 1 >= INT32_MAX) {
      return record.corrupt_body(error, at, "panel length", text(uint64_t{panel.length}), "at least 1");
    }
    panel.rate = record.body()[at + 4];
    if (panel.rate > TrellisCode::kMaxRate) {
      return record.corrupt_body(error, at + 4, "panel rate", text("%d", panel.rate), text("0 to %d", TrellisCode::kMaxRate));
    }
    if (!record.require_zero_in_body(at + 5, 3, "reserved bytes", error)) {
      return false;
    }
    panel.start = static_cast<uint32_t>(sum);
    panel.offset = offset;
    sum += panel.length;
    // Below 2^61 where the lengths add up to the axis; where they do not it may wrap, and is not used.
    offset += body.by_rows ? TrellisBody::segment_bytes(body.view.cols, panel.rate) * panel.length
                           : TrellisBody::segment_bytes(panel.length, panel.rate);
  }
  if (sum != axis) {
    return record.corrupt_body(error, TrellisBody::kFixedLength, "sum of panel lengths", text(sum), text(uint64_t{axis}));
  }
  body.row_bytes = body.by_rows ? 0 : offset;
  return true;
}

bool parse_permutation(const TensorRecord &record, TrellisBody &body, uint64_t offset, uint32_t n, Error &error) {
  body.permutation = record.body() + offset;
  std::vector<bool> seen(n);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t line = body.permuted(i);
    if (line >= n || seen[line]) {
      return record.corrupt_body(error, offset + 4 * uint64_t{i}, "permutation entry", text(uint64_t{line}),
                                 text("each of 0 to %" PRIu32 " once", n - 1));
    }
    seen[line] = true;
  }
  return true;
}

bool parse_payload(const TensorRecord &record, TrellisBody &body, uint64_t offset, Error &error) {
  body.payload = record.body() + offset;
  for (const Panel &panel : body.panels) {
    const uint64_t n = body.by_rows ? body.view.cols : panel.length;
    const uint64_t bytes = TrellisBody::segment_bytes(n, panel.rate);
    const unsigned unused = static_cast<unsigned>(8 * bytes - n * static_cast<uint64_t>(panel.rate));
    if (unused == 0) {
      continue;
    }
    const uint64_t segments = body.by_rows ? panel.length : body.view.rows;
    const uint64_t stride = body.by_rows ? bytes : body.row_bytes;
    for (uint64_t s = 0; s < segments; s++) {
      const uint64_t last = panel.offset + s * stride + bytes - 1;
      const unsigned bits = body.payload[last] & ((1u << unused) - 1);
      if (bits != 0) {
        return record.corrupt_body(error, offset + last, "unused bits at the end of a segment", text("%u", bits), "0");
      }
    }
  }
  return true;
}

}  // namespace

bool TrellisBody::parse(const TensorRecord &record, Error &error) {
  if (!view.parse(record, error)) {
    return false;
  }
  const uint8_t *in = record.body();
  const uint64_t size = record.body_size();
  if (size < kFixedLength) {
    return record.corrupt_body(error, 0, "body", text("%" PRIu64 " bytes", size), text("at least %" PRIu32, kFixedLength));
  }
  int bits;
  if (!field(record, 16, "seed length L", TrellisCode::kMinL, TrellisCode::kMaxL, bits, error)) {
    return false;
  }
  const int law = in[17];
  if (law > 1) {
    return error.set(PSEED_UNKNOWN_CODEC,
                     "%s: trellis radial law %d is unknown to this version, which knows 0 Rayleigh, 1 disk; a newer pseed may read it",
                     record.place().label(), law);
  }
  int kappa;
  int row_kind;
  int col_kind;
  int axis_field;
  if (!field(record, 18, "kappa", law == 0 ? 0 : 1, law == 0 ? 0 : 255, kappa, error) ||
      !block(record, 19, "row block", view.rows, row_block_log2, error) ||
      !block(record, 20, "column block", view.cols, col_block_log2, error) ||
      !field(record, 21, "rowScaleKind", 0, 4, row_kind, error) || !field(record, 22, "colScaleKind", 0, 4, col_kind, error) ||
      !field(record, 23, "panelAxis", 0, 1, axis_field, error)) {
    return false;
  }
  by_rows = axis_field == 1;
  const uint32_t axis = by_rows ? view.rows : view.cols;
  const uint32_t count = load<uint32_t>(in + 24);
  if (count < 1 || count > axis || count > (size - kFixedLength) / kPanelLength) {
    return record.corrupt_body(error, 24, "panelCount", text(uint64_t{count}),
                               text("1 to %" PRIu32 ", with 8 bytes for each in the record", axis));
  }
  int permuted_field;
  if (!field(record, 28, "permuted", 0, 1, permuted_field, error) || !record.require_zero_in_body(29, 3, "reserved bytes", error) ||
      !parse_panels(record, *this, axis, count, error)) {
    return false;
  }

  const uint64_t row_scale_offset = kFixedLength + uint64_t{kPanelLength} * count;
  const uint64_t col_scale_offset = row_scale_offset + Scales::padded_size(row_kind, view.rows);
  const uint64_t permutation_offset = col_scale_offset + Scales::padded_size(col_kind, view.cols);
  const uint64_t payload_offset = permutation_offset + (permuted_field == 1 ? 4 * uint64_t{axis} : 0);
  const Panel &last = panels.back();
  const uint64_t payload_bytes =
      by_rows ? last.offset + segment_bytes(view.cols, last.rate) * last.length : row_bytes * view.rows;
  const uint64_t end = payload_offset + payload_bytes;
  if (end != size) {
    return record.corrupt_body(error, 0, "body", text("%" PRIu64 " bytes", size),
                               text("%" PRIu64 " for its view, scales and rates", end));
  }
  code = TrellisCode::of(bits, law, kappa);
  return row_scales.parse(record, row_kind, row_scale_offset, view.rows, error) &&
         col_scales.parse(record, col_kind, col_scale_offset, view.cols, error) &&
         (permuted_field == 0 || parse_permutation(record, *this, permutation_offset, axis, error)) &&
         parse_payload(record, *this, payload_offset, error);
}

}  // namespace pseed
