// What a model costs in ONNX Runtime, with the op library or without: one process a measurement, because it reports peaks of memory.
//
//   ort_bench RUNTIME LIBRARY|- MODEL ROWS [THREADS] [RUNS]
//
// ROWS stands for the first dimension of inputs where that is not fixed; others that are not fixed are 16. Prints one line: runtime,
// time to create the session, shortest and median time of a run, shortest processor time of one (of all threads; on a busy machine the one
// figure that means something, with one thread), peak and steady resident memory in MB (Linux). With PSEED_LOG in the environment the
// runtime says all that it does.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "ort_client.hpp"

using namespace pseed_test;

namespace {

double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double processor() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double megabytes(const std::string &field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, field.size(), field) == 0) {
      return std::atof(line.c_str() + field.size() + 1) / 1000;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: ort_bench RUNTIME LIBRARY|- MODEL ROWS [THREADS] [RUNS]\n");
    return 2;
  }
  Client ort(argv[1]);
  const int64_t rows = std::atoi(argv[4]);
  const int runs = argc > 6 ? std::atoi(argv[6]) : 50;
  OrtEnv *environment = nullptr;
  OrtSessionOptions *options = nullptr;
  OrtSession *session = nullptr;
  try {
    ort.check(ort.CreateEnv(std::getenv("PSEED_LOG") ? 0 : 2, "bench", &environment));
    ort.check(ort.CreateSessionOptions(&options));
    ort.check(ort.SetIntraOpNumThreads(options, argc > 5 ? std::atoi(argv[5]) : 1));
    const double start = now();
    if (std::strcmp(argv[2], "-") != 0) {
      ort.check(ort.RegisterCustomOpsLibrary_V2(options, path(argv[2]).c_str()));
    }
    ort.check(ort.CreateSession(environment, path(argv[3]).c_str(), options, &session));
    const double load = now() - start;

    size_t count = 0;
    std::vector<std::string> names;
    std::vector<const OrtValue *> values;
    ort.check(ort.SessionGetInputCount(session, &count));
    for (size_t i = 0; i < count; i++) {
      char *name = nullptr;
      ort.check(ort.SessionGetInputName(session, i, ort.allocator, &name));
      names.push_back(name);
      ort.check(ort.AllocatorFree(ort.allocator, name));
      OrtTypeInfo *type = nullptr;
      const OrtTensorTypeAndShapeInfo *info = nullptr;
      int element = 0;
      size_t rank = 0;
      ort.check(ort.SessionGetInputTypeInfo(session, i, &type));
      ort.check(ort.CastTypeInfoToTensorInfo(type, &info));
      ort.check(ort.GetTensorElementType(info, &element));
      ort.check(ort.GetDimensionsCount(info, &rank));
      std::vector<int64_t> dims(rank);
      ort.check(ort.GetDimensions(info, dims.data(), rank));
      ort.ReleaseTypeInfo(type);
      size_t elements = 1;
      for (size_t d = 0; d < rank; d++) {
        dims[d] = dims[d] > 0 ? dims[d] : d == 0 ? rows : 16;
        elements *= static_cast<size_t>(dims[d]);
      }
      OrtValue *value = nullptr;
      void *data = nullptr;
      ort.check(ort.CreateTensorAsOrtValue(ort.allocator, dims.data(), rank, element, &value));
      ort.check(ort.GetTensorMutableData(value, &data));
      for (size_t k = 0; k < elements; k++) {
        if (element == 7) {
          static_cast<int64_t *>(data)[k] = 1;
        } else {
          static_cast<float *>(data)[k] = static_cast<float>(k % 7) - 3;
        }
      }
      values.push_back(value);
    }
    std::vector<const char *> inputs;
    for (const std::string &name : names) {
      inputs.push_back(name.c_str());
    }
    char *output = nullptr;
    ort.check(ort.SessionGetOutputName(session, 0, ort.allocator, &output));
    const char *outputs[] = {output};
    std::vector<double> times;
    std::vector<double> processor_times;
    for (int i = 0; i < runs; i++) {
      OrtValue *result = nullptr;
      const double busy = processor();
      const double begin = now();
      ort.check(ort.Run(session, nullptr, inputs.data(), values.data(), values.size(), outputs, 1, &result));
      times.push_back(now() - begin);
      processor_times.push_back(processor() - busy);
      ort.ReleaseValue(result);
    }
    std::sort(times.begin(), times.end());
#if defined(__GLIBC__)
    malloc_trim(0);  // what is in use, not what the allocator keeps for later
#endif
    std::printf("%s load %.0f ms, run %.3f ms (median %.3f, processor %.3f), peak %.0f MB, steady %.0f MB\n", ort.base->GetVersionString(),
                load, times[0], times[times.size() / 2], *std::min_element(processor_times.begin(), processor_times.end()),
                megabytes("VmHWM:"), megabytes("VmRSS:"));
  } catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
