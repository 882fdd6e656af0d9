// A tensor seen as a matrix (specification, section 4).
#ifndef PSEED_VIEW_HPP
#define PSEED_VIEW_HPP

#include <cinttypes>
#include <cstdint>

#include "bytes.hpp"
#include "tensor_record.hpp"

namespace pseed {

struct View {
  static constexpr uint32_t kLength = 16;

  uint32_t rows = 0;  // 1 to 2^31 - 1
  uint32_t cols = 0;  // 1 to 2^31 - 1
  bool transposed = false;

  // Reads and checks the view at the start of the record's body.
  bool parse(const TensorRecord &record, Error &error) {
    const uint8_t *body = record.body();
    if (record.body_size() < kLength) {
      return record.corrupt_body(error, 0, "body", text("%" PRIu64 " bytes", record.body_size()), text("at least %u", kLength));
    }
    rows = load<uint32_t>(body);
    cols = load<uint32_t>(body + 4);
    if (rows - 1 >= INT32_MAX || cols - 1 >= INT32_MAX) {
      return record.corrupt_body(error, 0, "view", text("%" PRIu32 " x %" PRIu32, rows, cols), "rows and columns of 1 to 2147483647");
    }
    if (uint64_t{rows} * cols != record.elements()) {
      return record.corrupt_body(error, 0, "view", text("%" PRIu32 " x %" PRIu32, rows, cols),
                                 text("a product of %" PRIu64 ", the number of elements", record.elements()));
    }
    if (body[8] > 1) {
      return record.corrupt_body(error, 8, "transposed flag", text(uint64_t{body[8]}), "0 or 1");
    }
    transposed = body[8] == 1;
    return record.require_zero_in_body(9, 7, "reserved bytes", error);
  }
};

}  // namespace pseed
#endif
