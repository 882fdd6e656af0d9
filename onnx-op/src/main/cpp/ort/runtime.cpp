#include "runtime.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>

namespace pseed_ort {

// Bytes of a tensor that is worth large pages.
constexpr size_t kLargeTensor = 1 << 20;

namespace {

std::optional<Api> loaded;
std::once_flag once;

}  // namespace

const Api *runtime() { return loaded ? &*loaded : nullptr; }

void set_runtime(const void *table, int minor, int patch) {
  // A process has one runtime behind this library: the tables of all calls are the same.
  std::call_once(once, [=] { loaded.emplace(table, minor, patch); });
}

void check(OrtStatus *status) {
  if (status == nullptr) {
    return;
  }
  StatusError error(runtime()->GetErrorCode(status), runtime()->GetErrorMessage(status));
  runtime()->ReleaseStatus(status);
  throw error;
}

std::string name(const OrtValueInfo *value) {
  const char *text = nullptr;
  check(runtime()->GetValueInfoName(value, &text));
  return text;
}

std::string name(const OrtNode *node) {
  const char *text = nullptr;
  check(runtime()->Node_GetName(node, &text));
  return text;
}

std::string operator_type(const OrtNode *node) {
  const char *text = nullptr;
  check(runtime()->Node_GetOperatorType(node, &text));
  return text;
}

std::string domain(const OrtNode *node) {
  const char *text = nullptr;
  check(runtime()->Node_GetDomain(node, &text));
  return text;
}

bool is_constant(const OrtValueInfo *value) {
  bool answer = false;
  check(runtime()->ValueInfo_IsConstantInitializer(value, &answer));
  return answer;
}

int kind(const OrtTypeInfo *type) {
  int kind = kUnknownKind;
  if (type != nullptr) {
    check(runtime()->GetOnnxTypeFromTypeInfo(type, &kind));
  }
  return kind;
}

const OrtTypeInfo *type(const OrtValueInfo *value) {
  const OrtTypeInfo *type = nullptr;
  check(runtime()->GetValueInfoTypeInfo(value, &type));
  return type;
}

TensorType tensor_type(const OrtTensorTypeAndShapeInfo *info) {
  TensorType found;
  size_t rank = 0;
  check(runtime()->GetTensorElementType(info, &found.element));
  check(runtime()->GetDimensionsCount(info, &rank));
  found.dims.resize(rank);
  found.dim_names.resize(rank);
  if (rank != 0) {
    std::vector<const char *> names(rank);
    check(runtime()->GetDimensions(info, found.dims.data(), rank));
    check(runtime()->GetSymbolicDimensions(info, names.data(), rank));
    for (size_t i = 0; i < rank; i++) {
      found.dim_names[i] = names[i] == nullptr ? "" : names[i];
    }
  } else {
    found.scalar = runtime()->TensorTypeAndShape_HasShape != nullptr && runtime()->TensorTypeAndShape_HasShape(info);
  }
  return found;
}

TensorType tensor_type(const OrtTypeInfo *type) {
  const OrtTensorTypeAndShapeInfo *info = nullptr;
  check(runtime()->CastTypeInfoToTensorInfo(type, &info));
  return tensor_type(info);
}

TensorType tensor_type(const OrtValue *value) {
  OrtTensorTypeAndShapeInfo *info = nullptr;
  check(runtime()->GetTensorTypeAndShape(value, &info));
  const OwnedTensorTypeAndShapeInfo owner(info);
  TensorType found;
  size_t rank = 0;
  check(runtime()->GetTensorElementType(info, &found.element));
  check(runtime()->GetDimensionsCount(info, &rank));
  found.dims.resize(rank);
  if (rank != 0) {
    check(runtime()->GetDimensions(info, found.dims.data(), rank));
  }
  return found;
}

size_t byte_size(const OrtValue *value) {
  size_t bytes = 0;
  check(runtime()->GetTensorSizeInBytes(value, &bytes));
  return bytes;
}

const void *data(const OrtValue *value) {
  void *data = nullptr;
  // Only ever read: the function that says so in its type came later.
  check(runtime()->GetTensorMutableData(const_cast<OrtValue *>(value), &data));
  return data;
}

namespace {

// Asks for large pages: weights are written once, and a page of 4 KB costs as much as decoding what it holds.
void in_large_pages(void *data, size_t bytes) {
#if defined(__linux__)
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / page * page;
  if (bytes >= kLargeTensor && begin < end) {
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);  // advice: nothing is lost where it is not taken
  }
#else
  (void)data;
  (void)bytes;
#endif
}

}  // namespace

OwnedValue new_tensor(int element_type, const std::vector<int64_t> &dims, void **data) {
  OrtAllocator *allocator = nullptr;
  OrtValue *value = nullptr;
  check(runtime()->GetAllocatorWithDefaultOptions(&allocator));
  check(runtime()->CreateTensorAsOrtValue(allocator, dims.data(), dims.size(), element_type, &value));
  OwnedValue owner(value);
  check(runtime()->GetTensorMutableData(value, data));
  in_large_pages(*data, byte_size(value));
  return owner;
}

std::string config(const OrtSessionOptions *options, const char *key, const std::string &otherwise) {
  int has = 0;
  check(runtime()->HasSessionConfigEntry(options, key, &has));
  if (has == 0) {
    return otherwise;
  }
  size_t size = 0;
  // The length comes with an error of its own, which is expected.
  if (OrtStatus *status = runtime()->GetSessionConfigEntry(options, key, nullptr, &size)) {
    runtime()->ReleaseStatus(status);
  }
  std::string value(size == 0 ? 1 : size, '\0');
  size = value.size();
  check(runtime()->GetSessionConfigEntry(options, key, &value[0], &size));
  value.resize(size == 0 ? 0 : size - 1);
  return value;
}

void set_config(OrtSessionOptions *options, const char *key, const char *value) {
  check(runtime()->AddSessionConfigEntry(options, key, value));
}

void log(const OrtLogger *logger, int severity, const std::string &message) {
  int least = kWarning;
  if (logger == nullptr || runtime()->Logger_GetLoggingSeverityLevel(logger, &least) != nullptr || severity < least) {
    return;
  }
#if defined(_WIN32)
  const PathChar *file = L"pseed";
#else
  const PathChar *file = "pseed";
#endif
  if (OrtStatus *status = runtime()->Logger_LogMessage(logger, severity, message.c_str(), file, 0, "pseed")) {
    runtime()->ReleaseStatus(status);
  }
}

}  // namespace pseed_ort
