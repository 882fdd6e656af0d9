// run RUNTIME MODEL.onnx OUT [LIBRARY]: the same inputs as Run.java, run.mjs and run.py, the first output to OUT. RUNTIME is ONNX Runtime's
// shared library, LIBRARY the op library. The calls are those of ONNX Runtime's C interface, by name; a program that has its header
// writes the same.
#include <cstdio>
#include <fstream>

#include "ort_client.hpp"

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: run RUNTIME MODEL.onnx OUT [LIBRARY]\n");
    return 2;
  }
  using namespace pseed_test;
  const Client ort(argv[1]);
  constexpr int kWarning = 2;
  constexpr int kInt64 = 7;
  constexpr size_t kValues = 2 * 24;
  const int64_t shape[] = {2, 24};
  try {
    OrtEnv *environment = nullptr;
    OrtSessionOptions *options = nullptr;
    OrtSession *session = nullptr;
    ort.check(ort.CreateEnv(kWarning, "client", &environment));
    ort.check(ort.CreateSessionOptions(&options));
    if (argc > 4) {
      ort.check(ort.RegisterCustomOpsLibrary_V2(options, path(argv[4]).c_str()));
    }
    ort.check(ort.CreateSession(environment, path(argv[2]).c_str(), options, &session));

    size_t count = 0;
    ort.check(ort.SessionGetInputCount(session, &count));
    std::vector<char *> names(count);
    std::vector<OrtValue *> values(count);
    for (size_t i = 0; i < count; i++) {
      void *data = nullptr;
      ort.check(ort.SessionGetInputName(session, i, ort.allocator, &names[i]));
      ort.check(ort.CreateTensorAsOrtValue(ort.allocator, shape, 2, kInt64, &values[i]));
      ort.check(ort.GetTensorMutableData(values[i], &data));
      const std::string name = names[i];
      for (size_t k = 0; k < kValues; k++) {
        static_cast<int64_t *>(data)[k] = name == "input_ids" ? static_cast<int64_t>(1000 + 37 * k) : name == "attention_mask" ? 1 : 0;
      }
    }
    char *output = nullptr;
    OrtValue *result = nullptr;
    ort.check(ort.SessionGetOutputName(session, 0, ort.allocator, &output));
    ort.check(ort.Run(session, nullptr, names.data(), values.data(), count, &output, 1, &result));

    OrtTensorTypeAndShapeInfo *info = nullptr;
    size_t rank = 0;
    ort.check(ort.GetTensorTypeAndShape(result, &info));
    ort.check(ort.GetDimensionsCount(info, &rank));
    std::vector<int64_t> dims(rank);
    ort.check(ort.GetDimensions(info, dims.data(), rank));
    size_t bytes = sizeof(float);
    for (const int64_t dim : dims) {
      bytes *= static_cast<size_t>(dim);
    }
    void *data = nullptr;
    ort.check(ort.GetTensorMutableData(result, &data));
    std::ofstream out(argv[3], std::ios::binary);
    out.write(static_cast<const char *>(data), static_cast<std::streamsize>(bytes));
    out.close();
    if (!out) {
      throw std::runtime_error(std::string("cannot write ") + argv[3]);
    }

    ort.ReleaseTensorTypeAndShapeInfo(info);
    ort.ReleaseValue(result);
    ort.check(ort.AllocatorFree(ort.allocator, output));
    for (size_t i = 0; i < count; i++) {
      ort.ReleaseValue(values[i]);
      ort.check(ort.AllocatorFree(ort.allocator, names[i]));
    }
    ort.ReleaseSession(session);
    ort.ReleaseSessionOptions(options);
    ort.ReleaseEnv(environment);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  std::printf("ONNX Runtime %s\n", ort.base->GetVersionString());
  return 0;
}
