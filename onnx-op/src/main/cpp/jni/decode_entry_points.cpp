// What io.pseed.onnx.DecodeLibrary calls. All memory is in direct buffers of the caller, and nobody changes a record while it is decoded: what
// was checked once is not checked again.
#include <cstdio>
#include <cstdlib>

#include "jni_table.hpp"
#include "pseed_core.h"

using pseed::jni::address;
using pseed::jni::Env;
using pseed::jni::Int;
using pseed::jni::Long;
using pseed::jni::Object;

namespace {

int decode(const void *bytes, size_t size, uint64_t max_tensor_bytes, void *out, size_t out_bytes, unsigned threads, pseed_error *error) {
  pseed_record *record = nullptr;
  int kind = pseed_record_open(bytes, size, nullptr, max_tensor_bytes, &record, error);
  if (kind == PSEED_OK) {
    pseed_record_info info;
    pseed_record_get_info(record, &info);
    if (info.decoded_bytes == out_bytes) {
      const pseed_decode_options options{threads, PSEED_SET_BEST};
      kind = pseed_record_decode(record, out, out_bytes, &options, error);
    } else {
      // The caller's record was another one when he parsed it: part of his memory would stay as it is.
      kind = PSEED_INVALID_ARGUMENT;
      std::snprintf(error->message, sizeof error->message, "the record does not decode to the size given");
    }
    pseed_record_close(record);
  }
  return kind;
}

}  // namespace

// The instruction set that decodes: PSEED_SET_*.
PSEED_EXPORT Int Java_io_pseed_onnx_DecodeLibrary_instructionSet(Env, Object) { return pseed_instruction_set_best(); }

// Decodes the first `size` bytes of one buffer to all of `out_bytes` of another. Null, or the label of a kind and a sentence: `corrupt: record: ...`.
PSEED_EXPORT Object Java_io_pseed_onnx_DecodeLibrary_decode(Env env, Object, Object bytes, Int size, Long max_tensor_bytes, Object out,
                                                            Int out_bytes, Int threads) {
  pseed_error error;
  error.message[0] = 0;
  const void *from = size < 0 ? nullptr : address(env, bytes, static_cast<uint64_t>(size));
  void *to = out_bytes < 0 ? nullptr : address(env, out, static_cast<uint64_t>(out_bytes));
  int kind = PSEED_INVALID_ARGUMENT;
  if (from == nullptr || to == nullptr || max_tensor_bytes < 0 || threads < 0) {
    std::snprintf(error.message, sizeof error.message, "no direct buffers of the sizes given");
  } else {
    kind = decode(from, static_cast<size_t>(size), static_cast<uint64_t>(max_tensor_bytes), to, static_cast<size_t>(out_bytes),
                  static_cast<unsigned>(threads), &error);
  }
  if (kind == PSEED_OK) {
    return nullptr;
  }
  char sentence[sizeof error.message + 32];
  std::snprintf(sentence, sizeof sentence, "%s: %s", pseed_kind_label(kind), error.message);
  return pseed::jni::string(env, sentence);
}

// Memory that its owner frees; whatever in it. Null where there is none.
PSEED_EXPORT Object Java_io_pseed_onnx_DecodeLibrary_allocate(Env env, Object, Int bytes) {
  void *memory = std::malloc(bytes > 0 ? static_cast<size_t>(bytes) : 1);
  Object buffer = memory == nullptr || bytes < 0 ? nullptr : pseed::jni::buffer(env, memory, static_cast<uint64_t>(bytes));
  if (buffer == nullptr) {
    std::free(memory);
  }
  return buffer;
}

PSEED_EXPORT void Java_io_pseed_onnx_DecodeLibrary_free(Env env, Object, Object buffer) { std::free(pseed::jni::address(env, buffer, 0)); }
