// A CUDA driver for tests: libcuda.so.1 with the functions that io.pseed.gpu calls, whose device is the host. Kernels run through the shim.
// So everything above the driver runs where there is no GPU: unpacking of JCuda, memory, copies, arguments, slices, closing.
//
// PSEED_FAKE_DRIVER says what it pretends, words with commas between: old (a driver of CUDA 11.8), none (no device), ancient (compute 7.0),
// small (64 KiB of shared memory a block, compute 7.5), oom (half of the memory is not there), fail (launches fail from the twentieth on),
// wrong (kernels leave a byte of their result wrong).
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "../../main/cuda/poincare_sums.cu"
#include "../../main/cuda/trellis_memory.cu"
#include "../../main/cuda/trellis_shared.cu"
#include "../../main/cuda/trellis_small.cu"
#include "halfs.hpp"

inline uint16_t pseed_half_bits(float value) { return pseed::half_from_float(value); }

#include "../../main/cuda/decode.cu"

namespace {

constexpr int kOutOfMemory = 2;
constexpr int kNoDevice = 100;
constexpr int kInvalidContext = 201;
constexpr int kNotFound = 500;
constexpr int kLaunchFailed = 719;
constexpr size_t kMemory = size_t{2} << 30;
constexpr int kMultiprocessors = 2;

bool pretends(const char *word) {
  const char *said = std::getenv("PSEED_FAKE_DRIVER");
  return said != nullptr && ("," + std::string(said) + ",").find("," + std::string(word) + ",") != std::string::npos;
}

int sharedPerBlock() { return pretends("small") ? 65536 : 232448; }

std::mutex g_mutex;
std::map<uintptr_t, size_t> g_memory;
size_t g_used = 0;
std::atomic<int> g_launches{0};

// All that is lent; at the end of the process nothing may be left.
std::map<std::string, int> g_lent;

void lent(const char *what, int change) {
  std::lock_guard<std::mutex> lock(g_mutex);
  g_lent[what] += change;
}

struct Report {
  ~Report() {
    if (std::getenv("PSEED_FAKE_DRIVER_REPORT") == nullptr) {
      return;
    }
    std::printf("fake driver: %d launches; left:", g_launches.load());
    for (const auto &entry : g_lent) {
      std::printf(" %s %d", entry.first.c_str(), entry.second);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
} g_report;

// As the driver's: most calls want a context that the calling thread made its current one.
thread_local bool t_current = false;

struct Function {
  const char *name;
  int dynamic;
};
Function g_functions[] = {{"trellis_small", 0},         {"trellis_shared", 0},        {"trellis_memory", 0},        {"pseed_decode_table", 0}, {"pseed_decode_mix", 0},
                          {"pseed_poincare_cells", 0}, {"pseed_poincare_energy", 0}, {"pseed_poincare_linear", 0}, {"pseed_poincare_bins", 0}};

struct Event {
  double milliseconds;
};

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Whether bytes lie in memory that was allocated.
bool valid(uintptr_t at, size_t bytes) {
  std::lock_guard<std::mutex> lock(g_mutex);
  auto next = g_memory.upper_bound(at);
  if (next == g_memory.begin()) {
    return false;
  }
  --next;
  return at >= next->first && at + bytes <= next->first + next->second;
}

template <class T>
T parameter(void **parameters, int i) {
  T value;
  std::memcpy(&value, parameters[i], sizeof(T));
  return value;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int
#define NEEDS_CONTEXT        \
  if (!t_current) {          \
    return kInvalidContext;  \
  }

API cuDriverGetVersion(int *version) {
  *version = pretends("old") ? 11080 : 12040;
  return 0;
}
API cuInit(unsigned) { return pretends("none") ? kNoDevice : 0; }
API cuGetErrorName(int error, const char **name) {
  *name = error == kOutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : error == kLaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OF_TESTS";
  return 0;
}
API cuDeviceGetCount(int *count) {
  *count = 1;
  return 0;
}
API cuDeviceGet(int *device, int number) {
  *device = number;
  return 0;
}
API cuDeviceGetName(char *name, int length, int) {
  std::snprintf(name, static_cast<size_t>(length), "Host of tests");
  return 0;
}
API cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = kMemory;
  return 0;
}
API cuDeviceGetAttribute(int *value, int attribute, int) {
  switch (attribute) {
    case 75: *value = 7; break;                                   // compute capability
    case 76: *value = pretends("ancient") ? 0 : 5; break;
    case 16: *value = kMultiprocessors; break;
    case 97: *value = sharedPerBlock(); break;
    case 13: *value = 1000000; break;                             // clock
    case 36: *value = 1000000; break;                             // memory's clock
    case 37: *value = 64; break;                                  // memory's bus
    default: *value = 0;
  }
  return 0;
}
API cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return 0; }
API cuDevicePrimaryCtxRetain(void **context, int) {
  static int one;
  *context = &one;
  lent("contexts", 1);
  return 0;
}
API cuDevicePrimaryCtxRelease_v2(int) {
  lent("contexts", -1);
  return 0;
}
API cuCtxSetCurrent(void *context) {
  t_current = context != nullptr;
  return 0;
}
API cuMemGetInfo_v2(size_t *free, size_t *total) {
  NEEDS_CONTEXT
  *total = kMemory;
  *free = kMemory - g_used;
  return 0;
}
API cuMemAlloc_v2(uintptr_t *pointer, size_t bytes) {
  NEEDS_CONTEXT
  {
    std::lock_guard<std::mutex> lock(g_mutex);
    if (g_used + bytes > (pretends("oom") ? kMemory / 4 : kMemory)) {
      return kOutOfMemory;
    }
  }
  void *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (memory == nullptr) {
    return kOutOfMemory;
  }
  std::memset(memory, 0xA5, bytes < (64u << 20) ? bytes : 64u << 20);
  *pointer = reinterpret_cast<uintptr_t>(memory);
  std::lock_guard<std::mutex> lock(g_mutex);
  g_memory[*pointer] = bytes;
  g_used += bytes;
  g_lent["memory"]++;
  return 0;
}
API cuMemFree_v2(uintptr_t pointer) {
  NEEDS_CONTEXT
  std::lock_guard<std::mutex> lock(g_mutex);
  auto found = g_memory.find(pointer);
  if (found == g_memory.end()) {
    return 1;
  }
  g_used -= found->second;
  g_memory.erase(found);
  std::free(reinterpret_cast<void *>(pointer));
  g_lent["memory"]--;
  return 0;
}
API cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  NEEDS_CONTEXT
  *pointer = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  lent("pinned", 1);
  return *pointer == nullptr ? kOutOfMemory : 0;
}
API cuMemFreeHost(void *pointer) {
  NEEDS_CONTEXT
  std::free(pointer);
  lent("pinned", -1);
  return 0;
}
API cuEventCreate(Event **event, unsigned) {
  NEEDS_CONTEXT
  *event = new Event{0};
  lent("events", 1);
  return 0;
}
API cuEventRecord(Event *event, void *) {
  NEEDS_CONTEXT
  event->milliseconds = now();
  return 0;
}
API cuEventSynchronize(Event *) {
  NEEDS_CONTEXT
  return 0;
}
API cuEventElapsedTime(float *milliseconds, Event *begin, Event *end) {
  NEEDS_CONTEXT
  *milliseconds = static_cast<float>(end->milliseconds - begin->milliseconds);
  return 0;
}
API cuEventDestroy_v2(Event *event) {
  NEEDS_CONTEXT
  delete event;
  lent("events", -1);
  return 0;
}
API cuStreamCreate(void **stream, unsigned) {
  NEEDS_CONTEXT
  *stream = new int;
  lent("streams", 1);
  return 0;
}
API cuStreamSynchronize(void *) {
  NEEDS_CONTEXT
  return 0;
}
API cuStreamDestroy_v2(void *stream) {
  NEEDS_CONTEXT
  delete static_cast<int *>(stream);
  lent("streams", -1);
  return 0;
}
API cuMemcpyHtoDAsync_v2(uintptr_t to, const void *from, size_t bytes, void *) {
  NEEDS_CONTEXT
  if (!valid(to, bytes)) {
    return 1;
  }
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return 0;
}
API cuMemcpyDtoHAsync_v2(void *to, uintptr_t from, size_t bytes, void *) {
  NEEDS_CONTEXT
  if (!valid(from, bytes)) {
    return 1;
  }
  std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return 0;
}
API cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, void *) {
  NEEDS_CONTEXT
  if (!valid(to, bytes)) {
    return 1;
  }
  std::memset(reinterpret_cast<void *>(to), value, bytes);
  return 0;
}
API cuModuleLoadData(void **module, const void *text) {
  NEEDS_CONTEXT
  // As the driver: a text that ends with a zero.
  *module = new std::string(static_cast<const char *>(text));
  lent("modules", 1);
  return 0;
}
API cuModuleGetFunction(Function **function, void *module, const char *name) {
  NEEDS_CONTEXT
  for (Function &one : g_functions) {
    if (std::strcmp(one.name, name) == 0 && static_cast<std::string *>(module)->find(std::string(".entry ") + name + "(") != std::string::npos) {
      *function = &one;
      return 0;
    }
  }
  return kNotFound;
}
API cuModuleUnload(void *module) {
  NEEDS_CONTEXT
  delete static_cast<std::string *>(module);
  lent("modules", -1);
  return 0;
}
API cuFuncGetAttribute(int *value, int attribute, Function *function) {
  NEEDS_CONTEXT
  *value = attribute == 8 ? function->dynamic : 0;
  return 0;
}
API cuFuncSetAttribute(Function *function, int attribute, int value) {
  NEEDS_CONTEXT
  if (attribute == 8) {
    if (value > sharedPerBlock()) {
      return 1;
    }
    function->dynamic = value;
  }
  return 0;
}
API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function *, int threads, size_t shared) {
  NEEDS_CONTEXT
  *blocks = shared > static_cast<size_t>(sharedPerBlock()) || threads > 1024 ? 0 : 2;
  return 0;
}
API cuLaunchKernel(Function *function, unsigned x, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned shared, void *, void **parameters,
                   void **) {
  NEEDS_CONTEXT
  // The shim runs one kernel at a time.
  static std::mutex running;
  std::lock_guard<std::mutex> lock(running);
  const int number = ++g_launches;
  if (pretends("fail") && number >= 20) {
    return kLaunchFailed;
  }
  if (shared > 49152 && static_cast<int>(shared) > function->dynamic) {
    return 1;
  }
  const std::string name = function->name;
  if (name == "pseed_decode_table") {
    pseed_shim::launch(x, threads, shared, pseed_decode_table, parameter<pseed_decode::Record>(parameters, 0),
                       parameter<const int16_t *>(parameters, 1), parameter<void *>(parameters, 2));
    return 0;
  }
  if (name == "pseed_decode_mix") {
    pseed_shim::launch(x, threads, shared, pseed_decode_mix, parameter<pseed_decode::Record>(parameters, 0),
                       parameter<const int16_t *>(parameters, 1), parameter<const int16_t *>(parameters, 2), parameter<void *>(parameters, 3));
    return 0;
  }
  if (name == "pseed_poincare_cells") {
    pseed_shim::launch(x, threads, shared, pseed_poincare_cells, parameter<const float *>(parameters, 0), parameter<uint32_t>(parameters, 1),
                       parameter<uint32_t>(parameters, 2), parameter<uint32_t>(parameters, 3), parameter<uint32_t>(parameters, 4),
                       parameter<double *>(parameters, 5));
    return 0;
  }
  if (name == "pseed_poincare_energy") {
    pseed_shim::launch(x, threads, shared, pseed_poincare_energy, parameter<const float *>(parameters, 0), parameter<uint32_t>(parameters, 1),
                       parameter<uint32_t>(parameters, 2), parameter<double *>(parameters, 3));
    return 0;
  }
  if (name == "pseed_poincare_linear") {
    double *const sums = parameter<double *>(parameters, 3);
    pseed_shim::launch(x, threads, shared, pseed_poincare_linear, parameter<const double *>(parameters, 0),
                       parameter<const double *>(parameters, 1), parameter<uint32_t>(parameters, 2), sums);
    if (pretends("wrong")) {
      sums[0] += 1;
    }
    return 0;
  }
  if (name == "pseed_poincare_bins") {
    pseed_shim::launch(x, threads, shared, pseed_poincare_bins, parameter<const double *>(parameters, 0),
                       parameter<const double *>(parameters, 1), parameter<uint32_t>(parameters, 2), parameter<const uint32_t *>(parameters, 3),
                       parameter<const uint32_t *>(parameters, 4), parameter<double *>(parameters, 5));
    return 0;
  }
  const auto arguments = parameter<pseed::SearchArguments>(parameters, 0);
  if (!valid(reinterpret_cast<uintptr_t>(arguments.scratch), arguments.scratchPerBlock * x) ||
      !valid(reinterpret_cast<uintptr_t>(arguments.jobs), sizeof(pseed::SearchJob) * arguments.jobCount) || *arguments.counter != 0) {
    return 1;
  }
  if (name == "trellis_small") {
    pseed_shim::launch(x, threads, shared, trellis_small, arguments);
  } else if (name == "trellis_shared") {
    pseed_shim::launch(x, threads, shared, trellis_shared, arguments);
  } else {
    pseed_shim::launch(x, threads, shared, trellis_memory, arguments);
  }
  if (pretends("wrong")) {
    arguments.payload[0] ^= 1;
  }
  return 0;
}
