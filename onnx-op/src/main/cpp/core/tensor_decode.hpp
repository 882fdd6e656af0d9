// From a record to the elements of its tensor (specification, section 9). The result is exact: the same bytes on every machine, with any
// number of threads.
#ifndef PSEED_TENSOR_DECODE_HPP
#define PSEED_TENSOR_DECODE_HPP

#include <cstddef>
#include <cstdint>

#include "instruction_set.hpp"
#include "poincare_tiles.hpp"
#include "tensor_record.hpp"
#include "trellis_body.hpp"

namespace pseed {

class TensorDecoder {
 public:
  explicit TensorDecoder(const Place &place) : record_(place) {}

  // Parses and checks the record and its body.
  bool parse(const uint8_t *bytes, size_t size, uint64_t max_tensor_bytes, Error &error);

  const TensorRecord &record() const { return record_; }

  // Decodes to decoded_bytes() bytes and compares the checksum. Throws std::bad_alloc only.
  bool decode(uint8_t *out, unsigned threads, const InstructionSet &set, Error &error) const;

 private:
  TensorRecord record_;
  View view_;
  PoincareTiles tiles_;
  TrellisBody trellis_;
};

}  // namespace pseed
#endif
