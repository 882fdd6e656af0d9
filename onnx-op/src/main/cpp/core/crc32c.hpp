// CRC-32C (specification, section 1). Three ways to the same number: tables; the instruction of SSE 4.2; that of ARMv8.
#ifndef PSEED_CRC32C_HPP
#define PSEED_CRC32C_HPP

#include <cstddef>
#include <cstdint>

namespace pseed {

struct Crc32c {
  // The CRC of a text whose first part has the CRC `crc` (0 for none) and whose rest is `bytes`.
  uint32_t (*update)(uint32_t crc, const uint8_t *bytes, size_t n);
  // The same for `rows` texts at once, which stand `stride` apart: crcs[i] goes on over the n bytes at bytes + i * stride. One CRC waits
  // for itself, several do not.
  void (*update_rows)(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n);
  // The same, and text i is copied to `to` + i * to_stride. streamed: past the caches where the machine can and lines are whole, for
  // what is not read again soon.
  void (*copy_rows)(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n, uint8_t *to, size_t to_stride,
                    bool streamed);
};

// Must be called before another thread reads what this one has streamed: nothing else orders such stores.
void order_streamed();

// By tables: any machine.
const Crc32c &crc32c_portable();
// By instructions where the machine has them, else by tables.
const Crc32c &crc32c_best();

// Appends texts of a known length: crc(a + b) from crc(a) and crc(b).
class Crc32cShift {
 public:
  // For texts b of `bytes` bytes.
  explicit Crc32cShift(uint64_t bytes);
  uint32_t append(uint32_t crc_a, uint32_t crc_b) const;

 private:
  // What each value of each half byte of crc_a comes to: the shift is linear.
  uint32_t of_[8][16];
};

}  // namespace pseed
#endif
