// A program that uses ONNX Runtime as a stranger would: its shared library opened by path, its functions by slot, nothing linked.
#ifndef PSEED_TEST_ORT_CLIENT_HPP
#define PSEED_TEST_ORT_CLIENT_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "ort_abi.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

struct OrtMemoryInfo;

namespace pseed_test {

using pseed_ort::ApiBase;
using pseed_ort::PathChar;
using Path = std::basic_string<PathChar>;

inline Path path(const std::string &text) { return Path(text.begin(), text.end()); }

// F(slot, name, result, parameters): all of them since 1.20 or before.
#define PSEED_TEST_FUNCTIONS(F)                                                                                                          \
  F(0, CreateStatus, OrtStatus *, (int, const char *))                                                                                   \
  F(2, GetErrorMessage, const char *, (const OrtStatus *))                                                                               \
  F(3, CreateEnv, OrtStatus *, (int severity, const char *, OrtEnv **))                                                                  \
  F(4, CreateEnvWithCustomLogger, OrtStatus *,                                                                                           \
    (void(PSEED_ORT_CALL *)(void *, int, const char *, const char *, const char *, const char *), void *, int, const char *, OrtEnv **)) \
  F(7, CreateSession, OrtStatus *, (const OrtEnv *, const PathChar *, const OrtSessionOptions *, OrtSession **))                         \
  F(8, CreateSessionFromArray, OrtStatus *, (const OrtEnv *, const void *, size_t, const OrtSessionOptions *, OrtSession **))            \
  F(9, Run, OrtStatus *,                                                                                                                 \
    (OrtSession *, const OrtRunOptions *, const char *const *, const OrtValue *const *, size_t, const char *const *, size_t,             \
     OrtValue **))                                                                                                                       \
  F(10, CreateSessionOptions, OrtStatus *, (OrtSessionOptions **))                                                                       \
  F(23, SetSessionGraphOptimizationLevel, OrtStatus *, (OrtSessionOptions *, int))                                                       \
  F(13, SetSessionExecutionMode, OrtStatus *, (OrtSessionOptions *, int))                                                                \
  F(24, SetIntraOpNumThreads, OrtStatus *, (OrtSessionOptions *, int))                                                                   \
  F(39, CreateRunOptions, OrtStatus *, (OrtRunOptions **))                                                                               \
  F(46, RunOptionsSetTerminate, OrtStatus *, (OrtRunOptions *))                                                                          \
  F(48, CreateTensorAsOrtValue, OrtStatus *, (OrtAllocator *, const int64_t *, size_t, int, OrtValue **))                                \
  F(51, GetTensorMutableData, OrtStatus *, (OrtValue *, void **))                                                                        \
  F(52, FillStringTensor, OrtStatus *, (OrtValue *, const char *const *, size_t))                                                        \
  F(53, GetStringTensorDataLength, OrtStatus *, (const OrtValue *, size_t *))                                                            \
  F(54, GetStringTensorContent, OrtStatus *, (const OrtValue *, void *, size_t, size_t *, size_t))                                       \
  F(60, GetTensorElementType, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int *))                                                   \
  F(61, GetDimensionsCount, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, size_t *))                                                  \
  F(62, GetDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t))                                              \
  F(65, GetTensorTypeAndShape, OrtStatus *, (const OrtValue *, OrtTensorTypeAndShapeInfo **))                                            \
  F(67, GetValueType, OrtStatus *, (const OrtValue *, int *))                                                                            \
  F(78, GetAllocatorWithDefaultOptions, OrtStatus *, (OrtAllocator **))                                                                  \
  F(80, GetValue, OrtStatus *, (const OrtValue *, int, OrtAllocator *, OrtValue **))                                                     \
  F(81, GetValueCount, OrtStatus *, (const OrtValue *, size_t *))                                                                        \
  F(82, CreateValue, OrtStatus *, (const OrtValue *const *, size_t, int, OrtValue **))                                                   \
  F(92, ReleaseEnv, void, (OrtEnv *))                                                                                                    \
  F(93, ReleaseStatus, void, (OrtStatus *))                                                                                              \
  F(95, ReleaseSession, void, (OrtSession *))                                                                                            \
  F(96, ReleaseValue, void, (OrtValue *))                                                                                                \
  F(97, ReleaseRunOptions, void, (OrtRunOptions *))                                                                                      \
  F(99, ReleaseTensorTypeAndShapeInfo, void, (OrtTensorTypeAndShapeInfo *))                                                              \
  F(100, ReleaseSessionOptions, void, (OrtSessionOptions *))                                                                             \
  F(30, SessionGetInputCount, OrtStatus *, (const OrtSession *, size_t *))                                                               \
  F(31, SessionGetOutputCount, OrtStatus *, (const OrtSession *, size_t *))                                                              \
  F(33, SessionGetInputTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **))                                              \
  F(36, SessionGetInputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **))                                         \
  F(37, SessionGetOutputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **))                                        \
  F(55, CastTypeInfoToTensorInfo, OrtStatus *, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **))                                \
  F(76, AllocatorFree, OrtStatus *, (OrtAllocator *, void *))                                                                            \
  F(98, ReleaseTypeInfo, void, (OrtTypeInfo *))                                                                                          \
  F(130, AddSessionConfigEntry, OrtStatus *, (OrtSessionOptions *, const char *, const char *))                                          \
  F(228, RegisterCustomOpsLibrary_V2, OrtStatus *, (OrtSessionOptions *, const PathChar *))

struct Client {
#define PSEED_TEST_MEMBER(slot, name, result, parameters) result(PSEED_ORT_CALL *name) parameters = nullptr;
  PSEED_TEST_FUNCTIONS(PSEED_TEST_MEMBER)
#undef PSEED_TEST_MEMBER
  const ApiBase *base = nullptr;
  int minor = 0;
  OrtAllocator *allocator = nullptr;

  explicit Client(const std::string &library) {
    using GetBase = const ApiBase *(PSEED_ORT_CALL *)();
#if defined(_WIN32)
    HMODULE module = LoadLibraryA(library.c_str());
    const auto get = module == nullptr ? nullptr : reinterpret_cast<GetBase>(reinterpret_cast<void *>(GetProcAddress(module, "OrtGetApiBase")));
#else
    void *module = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto get = module == nullptr ? nullptr : reinterpret_cast<GetBase>(dlsym(module, "OrtGetApiBase"));
#endif
    if (get == nullptr) {
      std::fprintf(stderr, "cannot load ONNX Runtime from %s\n", library.c_str());
      std::exit(2);
    }
    base = get();
    minor = std::atoi(base->GetVersionString() + 2);
    void (*const *functions)() = static_cast<void (*const *)()>(base->GetApi(20));
#define PSEED_TEST_LOAD(slot, name, result, parameters) name = reinterpret_cast<result(PSEED_ORT_CALL *) parameters>(functions[slot]);
    PSEED_TEST_FUNCTIONS(PSEED_TEST_LOAD)
#undef PSEED_TEST_LOAD
    check(GetAllocatorWithDefaultOptions(&allocator));
  }

  void check(OrtStatus *status) const {
    if (status != nullptr) {
      const std::string message = GetErrorMessage(status);
      ReleaseStatus(status);
      throw std::runtime_error(message);
    }
  }
};

}  // namespace pseed_test
#endif
