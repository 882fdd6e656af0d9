#include "seed_tensors.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>

#include "dtype.hpp"
#include "parallel.hpp"

namespace pseed_ort {

namespace {

[[noreturn]] void refuse(const pseed_error &error) {
  const bool record_at_fault = error.kind < PSEED_OUT_OF_MEMORY;
  throw StatusError(record_at_fault ? kInvalidGraph : kFail, error.message);
}

// The element type of ONNX; 0 where ONNX has none that a record may be decoded to.
int onnx_type(int dtype) {
  // By id of section 1.1 of the specification, from 1 on.
  static const uint8_t types[] = {1, 10, 16, 11, 3, 2, 5, 4, 6, 12, 7, 13, 9, 17, 19, 0, 18, 20, 0, 0, 0, 0, 0, 14, 15};
  static_assert(sizeof types == pseed::kLastDType, "one type an id");
  return dtype >= 1 && dtype <= pseed::kLastDType ? types[dtype - 1] : 0;
}

std::string text(const std::vector<int64_t> &dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); i++) {
    out += (i == 0 ? "" : ", ") + (dims[i] < 0 ? std::string("?") : std::to_string(dims[i]));
  }
  return out + "]";
}

bool fits(const std::vector<int64_t> &declared, const std::vector<int64_t> &dims) {
  // Without dimensions nothing is declared: a runtime says the same of a scalar and of a value of unknown shape.
  return declared.empty() || (declared.size() == dims.size() && std::equal(dims.begin(), dims.end(), declared.begin(),
                                                                           [](int64_t a, int64_t b) { return b < 0 || a == b; }));
}

}  // namespace

SeedTensor::SeedTensor(const RecordSource &source, uint64_t max_tensor_bytes) : name_(source.value) {
  const pseed_place place = {source.file.c_str(), source.tensor.c_str(), source.offset};
  pseed_error error;
  pseed_record *record = nullptr;
  if (pseed_record_open(source.bytes, source.size, &place, max_tensor_bytes, &record, &error) != PSEED_OK) {
    refuse(error);
  }
  record_.reset(record);
  pseed_record_get_info(record, &info_);
  dims_.assign(info_.dims, info_.dims + info_.rank);
  element_type_ = onnx_type(info_.dtype);
  const std::string where = source.file + ": tensor '" + source.tensor + "'";
  if (element_type_ == 0) {
    throw StatusError(kInvalidGraph, where + ": its record is of type " + pseed::dtype_name(info_.dtype) + ", which ONNX does not have");
  }
  if (kind(source.declared) == kTensor) {
    const TensorType declared = tensor_type(source.declared);
    if (declared.element != element_type_ || !fits(declared.dims, dims_)) {
      throw StatusError(kInvalidGraph, where + ": its record gives " + pseed::dtype_name(info_.dtype) + " " + text(dims_) +
                                           ", the model expects element type " + std::to_string(declared.element) + " " +
                                           text(declared.dims) + "; export the model again");
    }
  }
}

void SeedTensor::decode(void *out, unsigned threads) const {
  const pseed_decode_options options = {threads, PSEED_SET_BEST};
  pseed_error error;
  if (pseed_record_decode(record_.get(), out, info_.decoded_bytes, &options, &error) != PSEED_OK) {
    refuse(error);
  }
}

void decode_all(const std::vector<SeedTensor> &tensors, const std::vector<void *> &out, unsigned threads) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return tensors[a].elements() > tensors[b].elements(); });
  uint64_t total = 0;
  for (const SeedTensor &tensor : tensors) {
    total += tensor.elements();
  }
  const unsigned workers = pseed::thread_count(threads, UINT64_MAX);

  // Tensors that would keep one thread busy while the others have nothing left are split, one after the other; the rest are decoded side
  // by side, the largest first.
  size_t split = 0;
  std::vector<std::exception_ptr> failures(tensors.size());
  while (split < order.size() && tensors[order[split]].elements() > total / (4 * uint64_t{workers})) {
    tensors[order[split]].decode(out[order[split]], workers);
    split++;
  }
  const uint64_t rest = order.size() - split;
  if (rest == 0) {
    return;
  }
  pseed::parallel(pseed::thread_count(workers, rest), rest, [&](const auto &next) {
    for (uint64_t task = next(); task < rest; task = next()) {
      const size_t i = order[split + task];
      try {
        tensors[i].decode(out[i], 1);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr &failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
}

}  // namespace pseed_ort
