// The C interface: arguments checked, nothing thrown. Inside, only the standard library's std::bad_alloc is ever thrown; it ends here.
#include "pseed_core.h"

#include <cfenv>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "instruction_set.hpp"
#include "tensor_decode.hpp"

struct pseed_record {
  explicit pseed_record(const pseed::Place &place) : decoder(place) {}
  pseed::TensorDecoder decoder;
};

namespace {

int finish(const pseed::Error &error, pseed_error *out) {
  if (out != nullptr) {
    out->kind = error.kind();
    std::strcpy(out->message, error.message());
  }
  return error.kind();
}

int refuse(int kind, const char *message, pseed_error *out) {
  pseed::Error error;
  error.set(kind, "%s", message);
  return finish(error, out);
}

// The default environment of floating-point arithmetic while it lives. A host may have set its threads to flush subnormal numbers to
// zero (ONNX Runtime has an option for that) or to round otherwise, and then decoded values would differ. Threads that are started
// meanwhile inherit it.
class DefaultArithmetic {
 public:
  DefaultArithmetic() : saved_(std::fegetenv(&environment_) == 0) {
#if defined(__x86_64__)
    control_ = _mm_getcsr();
#endif
    std::fesetenv(FE_DFL_ENV);
#if defined(__x86_64__)
    // By hand: the default environment of mingw-w64 leaves this register as it is.
    _mm_setcsr(0x1F80);
#endif
  }
  ~DefaultArithmetic() {
    if (saved_) {
      std::fesetenv(&environment_);
    }
#if defined(__x86_64__)
    _mm_setcsr(control_);
#endif
  }
  DefaultArithmetic(const DefaultArithmetic &) = delete;
  DefaultArithmetic &operator=(const DefaultArithmetic &) = delete;

 private:
  std::fenv_t environment_;
#if defined(__x86_64__)
  unsigned control_;
#endif
  bool saved_;
};

// What a body throws becomes a kind.
template <typename Body>
int guarded(pseed_error *out, const Body &body) {
  const DefaultArithmetic arithmetic;
  pseed::Error error;
  try {
    body(error);
  } catch (const std::bad_alloc &) {
    error.set(PSEED_OUT_OF_MEMORY, "not enough memory to read a record");
  } catch (const std::exception &e) {
    error.set(PSEED_OUT_OF_MEMORY, "cannot read a record: %s", e.what());
  }
  return finish(error, out);
}

}  // namespace

extern "C" {

int pseed_record_open(const void *bytes, size_t size, const pseed_place *place, uint64_t max_tensor_bytes, pseed_record **record,
                      pseed_error *error) {
  if (record == nullptr || (bytes == nullptr && size != 0)) {
    return refuse(PSEED_INVALID_ARGUMENT, "pseed_record_open: no bytes, or nowhere to put the record", error);
  }
  *record = nullptr;
  return guarded(error, [&](pseed::Error &trouble) {
    const pseed::Place at = place == nullptr ? pseed::Place(nullptr, nullptr, 0)
                                             : pseed::Place(place->file, place->tensor, place->offset);
    auto opened = std::make_unique<pseed_record>(at);
    if (opened->decoder.parse(static_cast<const uint8_t *>(bytes), size, max_tensor_bytes, trouble)) {
      *record = opened.release();
    }
  });
}

void pseed_record_get_info(const pseed_record *record, pseed_record_info *info) {
  const pseed::TensorRecord &from = record->decoder.record();
  info->codec = static_cast<int32_t>(from.codec());
  info->dtype = from.dtype();
  info->rank = from.rank();
  std::memcpy(info->dims, from.shape(), sizeof info->dims);
  info->elements = from.elements();
  info->decoded_bytes = from.decoded_bytes();
}

int pseed_record_decode(const pseed_record *record, void *out, size_t out_bytes, const pseed_decode_options *options,
                        pseed_error *error) {
  const unsigned threads = options == nullptr ? 0 : options->threads;
  const uint32_t id = options == nullptr ? static_cast<uint32_t>(PSEED_SET_BEST) : options->instruction_set;
  const pseed::InstructionSet *set = id <= PSEED_SET_NEON ? pseed::instruction_set(static_cast<int>(id)) : nullptr;
  if (set == nullptr || set->kernel == nullptr) {
    return refuse(PSEED_INVALID_ARGUMENT, "pseed_record_decode: this machine or build does not have the instruction set asked for",
                  error);
  }
  const uint64_t needed = record->decoder.record().decoded_bytes();
  if (out_bytes < needed || (out == nullptr && needed != 0)) {
    return refuse(PSEED_INVALID_ARGUMENT, "pseed_record_decode: the buffer is smaller than the tensor", error);
  }
  return guarded(error, [&](pseed::Error &trouble) {
    record->decoder.decode(static_cast<uint8_t *>(out), threads, *set, trouble);
  });
}

void pseed_record_close(pseed_record *record) { delete record; }

const char *pseed_kind_label(int kind) {
  switch (kind) {
    case PSEED_OK:
      return "ok";
    case PSEED_CORRUPT:
      return "corrupt";
    case PSEED_UNKNOWN_CODEC:
      return "unknown-codec";
    case PSEED_OVER_LIMIT:
      return "over-limit";
    case PSEED_OUT_OF_MEMORY:
      return "out-of-memory";
    default:
      return "invalid-argument";
  }
}

int pseed_instruction_set_usable(int set) {
  const pseed::InstructionSet *found = pseed::instruction_set(set);
  return found != nullptr && found->kernel != nullptr;
}

const char *pseed_instruction_set_label(int set) {
  const pseed::InstructionSet *found = pseed::instruction_set(set);
  return found == nullptr ? "unknown" : found->label;
}

int pseed_instruction_set_best(void) { return pseed::instruction_set(PSEED_SET_BEST)->id; }

}  // extern "C"
