// Records on their way to tensors: opened and checked one by one, decoded together on all cores.
#ifndef PSEED_ORT_SEED_TENSORS_HPP
#define PSEED_ORT_SEED_TENSORS_HPP

#include <memory>
#include <string>
#include <vector>

#include "pseed_core.h"
#include "runtime.hpp"

namespace pseed_ort {

// Where a record lies, and what the model says of the tensor that it gives.
struct RecordSource {
  const void *bytes;
  size_t size;
  std::string value;   // that the node gives
  std::string tensor;  // its name in messages
  std::string file;    // whatever holds the bytes, for messages
  uint64_t offset;     // there
  const OrtTypeInfo *declared;
};

class SeedTensor {
 public:
  // Parses and checks; throws the sentence of the core.
  SeedTensor(const RecordSource &source, uint64_t max_tensor_bytes);

  // Of the value that the node gives.
  const std::string &name() const { return name_; }
  int element_type() const { return element_type_; }
  const std::vector<int64_t> &dims() const { return dims_; }
  uint64_t elements() const { return info_.elements; }
  uint64_t bytes() const { return info_.decoded_bytes; }

  // Decodes to `out` with so many threads.
  void decode(void *out, unsigned threads) const;

 private:
  struct Close {
    void operator()(pseed_record *record) const { pseed_record_close(record); }
  };
  std::string name_;
  std::unique_ptr<pseed_record, Close> record_;
  pseed_record_info info_;
  int element_type_ = 0;
  std::vector<int64_t> dims_;
};

// Decodes all, tensor i to out[i]. threads: 0 for one a logical CPU. Of several failures the first tensor's is thrown.
void decode_all(const std::vector<SeedTensor> &tensors, const std::vector<void *> &out, unsigned threads);

}  // namespace pseed_ort
#endif
