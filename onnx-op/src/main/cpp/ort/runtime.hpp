// The runtime's functions in C++: trouble becomes an exception, lists become vectors, what must be released is released.
#ifndef PSEED_ORT_RUNTIME_HPP
#define PSEED_ORT_RUNTIME_HPP

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "ort_abi.hpp"

namespace pseed_ort {

// The runtime's functions; null until the library was registered with a runtime that has them.
const Api *runtime();
void set_runtime(const void *table, int minor, int patch);

// A status on its way to the runtime's caller.
class StatusError : public std::exception {
 public:
  StatusError(int code, std::string message) : code_(code), message_(std::move(message)) {}
  const char *what() const noexcept override { return message_.c_str(); }
  int code() const { return code_; }

 private:
  int code_;
  std::string message_;
};

// Throws what a status says, and releases it.
void check(OrtStatus *status);

// What a body throws becomes a status; no exception crosses into the runtime.
template <typename Body>
OrtStatus *guarded(const Body &body) {
  try {
    body();
    return nullptr;
  } catch (const StatusError &e) {
    return runtime()->CreateStatus(e.code(), e.what());
  } catch (const std::bad_alloc &) {
    return runtime()->CreateStatus(kFail, "pseed: not enough memory");
  } catch (const std::exception &e) {
    return runtime()->CreateStatus(kFail, (std::string("pseed: ") + e.what()).c_str());
  }
}

#define PSEED_ORT_OWNER(type)                                            \
  struct type##Release {                                                 \
    void operator()(Ort##type *value) const { runtime()->Release##type(value); } \
  };                                                                     \
  using Owned##type = std::unique_ptr<Ort##type, type##Release>;
PSEED_ORT_OWNER(Value)
PSEED_ORT_OWNER(Session)
PSEED_ORT_OWNER(SessionOptions)
PSEED_ORT_OWNER(TypeInfo)
PSEED_ORT_OWNER(ValueInfo)
PSEED_ORT_OWNER(Graph)
PSEED_ORT_OWNER(Model)
PSEED_ORT_OWNER(TensorTypeAndShapeInfo)
PSEED_ORT_OWNER(ExternalInitializerInfo)
#undef PSEED_ORT_OWNER

// The runtime's environment while it lives: there is one in a process, counted.
class Environment {
 public:
  Environment() { check(runtime()->CreateEnv(kWarning, "pseed", &env_)); }
  ~Environment() { runtime()->ReleaseEnv(env_); }
  Environment(const Environment &) = delete;
  Environment &operator=(const Environment &) = delete;
  OrtEnv *get() const { return env_; }

 private:
  OrtEnv *env_ = nullptr;
};

// A list that the runtime gives in two calls: its length, its items.
template <typename Item, typename Of>
std::vector<const Item *> list(OrtStatus *(PSEED_ORT_CALL *count)(const Of *, size_t *),
                               OrtStatus *(PSEED_ORT_CALL *items)(const Of *, const Item **, size_t), const Of *of) {
  size_t size = 0;
  check(count(of, &size));
  std::vector<const Item *> found(size);
  if (size != 0) {
    check(items(of, found.data(), size));
  }
  return found;
}

inline std::vector<const OrtNode *> nodes(const OrtGraph *graph) {
  return list(runtime()->Graph_GetNumNodes, runtime()->Graph_GetNodes, graph);
}
inline std::vector<const OrtValueInfo *> graph_inputs(const OrtGraph *graph) {
  return list(runtime()->Graph_GetNumInputs, runtime()->Graph_GetInputs, graph);
}
inline std::vector<const OrtValueInfo *> graph_outputs(const OrtGraph *graph) {
  return list(runtime()->Graph_GetNumOutputs, runtime()->Graph_GetOutputs, graph);
}
inline std::vector<const OrtValueInfo *> initializers(const OrtGraph *graph) {
  return list(runtime()->Graph_GetNumInitializers, runtime()->Graph_GetInitializers, graph);
}
// Null stands for an optional one that is not there.
inline std::vector<const OrtValueInfo *> inputs(const OrtNode *node) {
  return list(runtime()->Node_GetNumInputs, runtime()->Node_GetInputs, node);
}
inline std::vector<const OrtValueInfo *> outputs(const OrtNode *node) {
  return list(runtime()->Node_GetNumOutputs, runtime()->Node_GetOutputs, node);
}
// What a node's subgraphs use of the graphs around them.
inline std::vector<const OrtValueInfo *> implicit_inputs(const OrtNode *node) {
  return list(runtime()->Node_GetNumImplicitInputs, runtime()->Node_GetImplicitInputs, node);
}
inline std::vector<const OrtOpAttr *> attributes(const OrtNode *node) {
  return list(runtime()->Node_GetNumAttributes, runtime()->Node_GetAttributes, node);
}

std::string name(const OrtValueInfo *value);
std::string name(const OrtNode *node);
std::string operator_type(const OrtNode *node);
std::string domain(const OrtNode *node);
bool is_constant(const OrtValueInfo *value);
int kind(const OrtTypeInfo *type);
const OrtTypeInfo *type(const OrtValueInfo *value);

struct TensorType {
  int element = 0;
  // Whether it is known that there are no dimensions. Before 1.24 a runtime says the same of a scalar and of a value of unknown shape.
  bool scalar = false;
  std::vector<int64_t> dims;           // below zero: not known
  std::vector<std::string> dim_names;  // empty: none
};
TensorType tensor_type(const OrtTensorTypeAndShapeInfo *info);
TensorType tensor_type(const OrtTypeInfo *type);
TensorType tensor_type(const OrtValue *value);

size_t byte_size(const OrtValue *value);
const void *data(const OrtValue *value);
OwnedValue new_tensor(int element_type, const std::vector<int64_t> &dims, void **data);

// A session's configuration entry, or what stands in for it.
std::string config(const OrtSessionOptions *options, const char *key, const std::string &otherwise);
void set_config(OrtSessionOptions *options, const char *key, const char *value);

void log(const OrtLogger *logger, int severity, const std::string &message);

}  // namespace pseed_ort
#endif
