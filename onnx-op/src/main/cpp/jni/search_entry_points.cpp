// What io.pseed.onnx.SearchLibrary calls. All memory is the caller's, in direct buffers.
#include "jni_table.hpp"
#include "trellis_search.hpp"

using pseed::jni::address;
using pseed::jni::Env;
using pseed::jni::Int;
using pseed::jni::Object;

namespace {

const pseed::SearchKernel &kernel() {
  static const pseed::SearchKernel *const best = pseed::search_kernel_best();
  return *best;
}

}  // namespace

// The lanes of the instruction set that searches.
PSEED_EXPORT Int Java_io_pseed_onnx_SearchLibrary_lanes(Env, Object) { return kernel().lanes; }

// Bytes of a search's memory; 0 where the kind is not supported.
PSEED_EXPORT Int Java_io_pseed_onnx_SearchLibrary_memoryBytes(Env, Object, Int bits, Int rate) {
  return static_cast<Int>(pseed::search_memory_bytes(bits, rate));
}

// False where a buffer is too small.
PSEED_EXPORT uint8_t Java_io_pseed_onnx_SearchLibrary_prepare(Env env, Object, Object memory, Object codes, Int bits, Int rate, Int unreachable) {
  const size_t bytes = pseed::search_memory_bytes(bits, rate);
  if (bytes == 0) {
    return 0;
  }
  void *to = address(env, memory, bytes);
  const void *from = address(env, codes, sizeof(int32_t) << bits);
  if (to == nullptr || from == nullptr) {
    return 0;
  }
  pseed::search_prepare(kernel(), to, bits, rate, static_cast<const int32_t *>(from), unreachable);
  return 1;
}

// Targets become states. False where a buffer is too small; weights may be null.
PSEED_EXPORT uint8_t Java_io_pseed_onnx_SearchLibrary_search(Env env, Object, Object memory, Object targets, Object weights, Object decisions,
                                                             Int bits, Int rate, Int n) {
  const size_t bytes = pseed::search_memory_bytes(bits, rate);
  if (bytes == 0 || n < 1) {
    return 0;
  }
  const uint64_t values = sizeof(int32_t) * static_cast<uint64_t>(n);
  void *work = address(env, memory, bytes);
  void *path = address(env, targets, values);
  const void *counts = address(env, weights, values);
  void *numbers = address(env, decisions, static_cast<uint64_t>(n) << (bits - rate));
  if (work == nullptr || path == nullptr || numbers == nullptr || (weights != nullptr && counts == nullptr)) {
    return 0;
  }
  pseed::search_segment(kernel(), work, bits, rate, static_cast<int32_t *>(path), static_cast<const int32_t *>(counts), static_cast<size_t>(n),
                        static_cast<uint8_t *>(numbers));
  return 1;
}
