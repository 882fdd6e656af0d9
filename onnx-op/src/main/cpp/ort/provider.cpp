// A provider's life: GetCapability names the nodes that go inside; Compile writes them as a model, decodes the records into tensors that
// the runtime owns, and creates a session of them; each Run of the outer session is one Run of that. All optimizations, kernels, packed
// weights and threads are the runtime's, as if the weights had stood in the file.
#include "provider.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "inner_model.hpp"
#include "partition.hpp"
#include "pseed_core.h"
#include "pseed_ort.h"

#if !defined(PSEED_VERSION)
#define PSEED_VERSION "0.0.0"
#endif

namespace pseed_ort {

namespace {

// Marks the options of a session inside, whose graph is not to be taken apart again.
constexpr char kInside[] = "pseed.inside";

struct Provider;

std::atomic<int> factory_count{0};

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

std::string with_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

uint64_t number(const OrtSessionOptions *options, const char *key, uint64_t otherwise) {
  const std::string text = config(options, key, "");
  if (text.empty()) {
    return otherwise;
  }
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    throw StatusError(kInvalidArgument, std::string("pseed: session configuration entry ") + key + " is '" + text +
                                            "', expected a decimal number");
  }
  return std::strtoull(text.c_str(), nullptr, 10);
}

// This allocator would keep it for later.
void give_back_free_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// The runs that a thread is in the middle of, the innermost first. A run's options reach the session inside, so that a run can be
// terminated there; with parallel execution of nodes the thread may be another one, and then they do not.
struct RunInProgress {
  const Provider *provider;
  const OrtRunOptions *options;
  RunInProgress *outer;
};
thread_local RunInProgress *runs_in_progress = nullptr;

// One fused node: a session inside.
struct FusedNode : NodeComputeInfo {
  const Provider *provider = nullptr;
  OwnedSession session;
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;
  std::vector<size_t> input_places;   // among the fused node's
  std::vector<size_t> output_places;  // likewise
  bool overridable = false;
  // Set when all of the above is. The runtime hands nodes from thread to thread in ways of its own, which a checker of races cannot see;
  // this it can.
  std::atomic<bool> complete{false};

  void run(OrtKernelContext *context) const;
};

struct Provider : Ep {
  const OrtLogger *logger = nullptr;          // the session's, while it is created
  const OrtLogger *lasting_logger = nullptr;  // the environment's
  OwnedSessionOptions options;
  uint64_t max_tensor_bytes = PSEED_LIMIT_STANDARD;
  unsigned decode_threads = 0;
  bool inside = false;
  ForeignOperators foreign;
  bool told = false;
  uint64_t decoded_at_load = 0;
  std::atomic<uint64_t> decoded{0};
  mutable std::atomic<uint64_t> runs{0};

  FusedNode *compile(const OrtGraph *graph, const OrtNode *fused);
};

std::vector<const char *> pointers(const std::vector<std::string> &texts) {
  std::vector<const char *> found;
  for (const std::string &text : texts) {
    found.push_back(text.c_str());
  }
  return found;
}

std::vector<size_t> places(const std::vector<std::string> &names, const std::vector<const OrtValueInfo *> &of) {
  std::vector<size_t> found;
  for (const std::string &wanted : names) {
    const auto at = std::find_if(of.begin(), of.end(), [&](const OrtValueInfo *value) { return value != nullptr && name(value) == wanted; });
    if (at == of.end()) {
      throw StatusError(kFail, "pseed: value '" + wanted + "' is not at the border of the part of the graph that holds it");
    }
    found.push_back(static_cast<size_t>(at - of.begin()));
  }
  return found;
}

// The user's options as they are, but for what concerns the file and the session outside.
OwnedSessionOptions options_inside(const OrtSessionOptions *outside) {
  OrtSessionOptions *clone = nullptr;
  check(runtime()->CloneSessionOptions(outside, &clone));
  OwnedSessionOptions owner(clone);
  set_config(clone, kInside, "1");
  set_config(clone, "session.load_model_format", "ONNX");
  set_config(clone, "session.use_ort_model_bytes_directly", "0");
  set_config(clone, "session.disable_cpu_ep_fallback", "0");
  set_config(clone, "ep.context_enable", "0");
  check(runtime()->DisableProfiling(clone));
  const std::string optimized = config(outside, PSEED_ORT_OPTIMIZED_MODEL, "");
  check(runtime()->SetOptimizedModelFilePath(clone, std::basic_string<PathChar>(optimized.begin(), optimized.end()).c_str()));
  return owner;
}

// A model without nodes that gives the session its real inputs and the tensors that the others stand for. Owns the tensors.
OwnedModel additions(const std::vector<const OrtValueInfo *> &inputs, std::vector<std::pair<std::string, OwnedValue>> tensors) {
  const ModelEditorApi *editor = runtime()->GetModelEditorApi();
  OrtGraph *graph = nullptr;
  check(editor->CreateGraph(&graph));
  OwnedGraph owned_graph(graph);
  std::vector<OrtValueInfo *> values;
  for (const OrtValueInfo *input : inputs) {
    values.push_back(nullptr);
    check(editor->CreateValueInfo(name(input).c_str(), type(input), &values.back()));
  }
  if (!values.empty()) {
    check(editor->SetGraphInputs(graph, values.data(), values.size()));
  }
  for (auto &tensor : tensors) {
    check(editor->AddInitializerToGraph(graph, tensor.first.c_str(), tensor.second.get(), true));
    tensor.second.release();
  }
  OrtModel *model = nullptr;
  check(editor->CreateModel(nullptr, nullptr, 0, &model));
  OwnedModel owned_model(model);
  check(editor->AddGraphToModel(model, graph));
  owned_graph.release();
  return owned_model;
}

FusedNode *Provider::compile(const OrtGraph *graph, const OrtNode *fused) {
  const auto start = std::chrono::steady_clock::now();
  InnerModel model = inner_model(graph, max_tensor_bytes);
  std::vector<std::pair<std::string, OwnedValue>> tensors;
  std::vector<void *> memory;
  uint64_t weights = 0;
  for (const SeedTensor &seed : model.seeds) {
    void *data = nullptr;
    tensors.emplace_back(seed.name(), new_tensor(seed.element_type(), seed.dims(), &data));
    memory.push_back(data);
    weights += seed.elements();
  }
  const double written = milliseconds(start);
  decode_all(model.seeds, memory, decode_threads);
  decoded += model.records;
  decoded_at_load += model.records;
  const double ready = milliseconds(start);
  model.seeds.clear();
  for (const auto &constant : model.constants) {
    const TensorType type = tensor_type(constant.second);
    void *copy = nullptr;
    tensors.emplace_back(constant.first, new_tensor(type.element, type.dims, &copy));
    std::memcpy(copy, data(constant.second), byte_size(constant.second));
  }

  auto node = std::make_unique<FusedNode>();
  const ModelEditorApi *editor = runtime()->GetModelEditorApi();
  const OwnedSessionOptions inner_options = options_inside(options.get());
  const Environment environment;
  try {
    OrtSession *session = nullptr;
    check(editor->CreateModelEditorSessionFromArray(environment.get(), model.bytes.data(), model.bytes.size(), inner_options.get(),
                                                    &session));
    node->session.reset(session);
    if (!tensors.empty()) {
      // The tensors' only owner is now the session, which lets go of each when a kernel has packed it.
      check(editor->ApplyModelToModelEditorSession(session, additions(model.inputs, std::move(tensors)).get()));
    }
    check(editor->FinalizeModelEditorSession(session, inner_options.get(), nullptr));
  } catch (const StatusError &e) {
    throw StatusError(e.code(), std::string("pseed: the session inside cannot be created; open the model without this library, it decodes "
                                            "itself while it loads. ONNX Runtime said: ") + e.what());
  }
  node->provider = this;
  for (const OrtValueInfo *input : model.inputs) {
    node->input_names.push_back(name(input));
  }
  node->output_names = model.outputs;
  node->input_places = places(node->input_names, inputs(fused));
  node->output_places = places(model.outputs, outputs(fused));
  node->overridable = model.overridable;

  log(logger, kInfo,
      "pseed: decoded " + std::to_string(model.records) + " records to " + std::to_string(weights) + " weights in " +
          with_digits(ready - written) + " ms; model written in " + with_digits(written) + " ms, session inside created in " +
          with_digits(milliseconds(start) - ready) + " ms");
  return node.release();
}

void copy(const OrtValue *from, OrtKernelContext *context, size_t place) {
  const TensorType type = tensor_type(from);
  OrtValue *to = nullptr;
  check(runtime()->KernelContext_GetOutput(context, place, type.dims.data(), type.dims.size(), &to));
  if (to == nullptr) {
    return;
  }
  if (type.element != kString) {
    if (const size_t bytes = byte_size(from)) {
      std::memcpy(const_cast<void *>(data(to)), data(from), bytes);
    }
    return;
  }
  size_t count = 1;
  for (const int64_t dim : type.dims) {
    count *= static_cast<size_t>(dim);
  }
  if (count == 0) {
    return;
  }
  size_t size = 0;
  check(runtime()->GetStringTensorDataLength(from, &size));
  std::string chars(size, '\0');
  std::vector<size_t> offsets(count + 1, size);
  check(runtime()->GetStringTensorContent(from, &chars[0], size, offsets.data(), count));
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; i++) {
    texts.push_back(chars.substr(offsets[i], offsets[i + 1] - offsets[i]));
  }
  check(runtime()->FillStringTensor(to, pointers(texts).data(), count));
}

void FusedNode::run(OrtKernelContext *context) const {
  if (!complete.load(std::memory_order_acquire)) {
    throw StatusError(kFail, "pseed: a node runs before it was compiled");
  }
  std::vector<const char *> names;
  std::vector<const OrtValue *> values;
  for (size_t i = 0; i < input_names.size(); i++) {
    const OrtValue *value = nullptr;
    check(runtime()->KernelContext_GetInput(context, input_places[i], &value));
    if (value != nullptr) {
      names.push_back(input_names[i].c_str());
      values.push_back(value);
    }
  }
  const OrtRunOptions *options = nullptr;
  for (const RunInProgress *run = runs_in_progress; run != nullptr && !overridable; run = run->outer) {
    // Not where initializers can be replaced: options may bring such values (LoRA adapters), and here they are inputs already.
    if (run->provider == provider) {
      options = run->options;
      break;
    }
  }
  std::vector<OrtValue *> results(output_names.size(), nullptr);
  const std::vector<const char *> output_pointers = pointers(output_names);
  OrtStatus *status = runtime()->Run(session.get(), options, names.data(), values.data(), values.size(), output_pointers.data(),
                                     output_pointers.size(), results.data());
  std::vector<OwnedValue> owners;
  for (OrtValue *result : results) {
    owners.emplace_back(result);
  }
  check(status);
  for (size_t i = 0; i < owners.size(); i++) {
    if (owners[i]) {
      copy(owners[i].get(), context, output_places[i]);
      owners[i].reset();
    }
  }
  if (provider->runs.fetch_add(1, std::memory_order_release) == 0) {
    give_back_free_memory();  // the runtime frees the file's bytes only when the session is complete
  }
}

const char *PSEED_ORT_CALL provider_name(const Ep *) { return PSEED_ORT_PROVIDER; }

OrtStatus *PSEED_ORT_CALL get_capability(Ep *self, const OrtGraph *graph, OrtEpGraphSupportInfo *support) {
  return guarded([&] {
    auto *provider = static_cast<Provider *>(self);
    const OrtNode *parent = nullptr;
    check(runtime()->Graph_GetParentNode(graph, &parent));
    // A subgraph goes inside with the node that it belongs to.
    if (provider->inside || parent != nullptr) {
      return;
    }
    const Partition found = partition(graph, provider->foreign);
    if (!found.why_not.empty() && !provider->told) {
      provider->told = true;
      log(provider->logger, kWarning,
          "pseed: " + found.why_not + ", so the model decodes itself while it loads: runs are as fast, but loading takes about 10 times as "
          "long and 3 times the memory; leave this library out to be rid of this line");
    }
    for (const std::vector<const OrtNode *> &part : found.parts) {
      const FusionOptions fusion = {kApiVersion, true};
      check(runtime()->GetEpApi()->EpGraphSupportInfo_AddNodesToFuse(support, part.data(), part.size(), &fusion));
    }
  });
}

OrtStatus *PSEED_ORT_CALL create_state(NodeComputeInfo *, OrtNodeComputeContext *, void **state) {
  *state = nullptr;
  return nullptr;
}

OrtStatus *PSEED_ORT_CALL compute(NodeComputeInfo *self, void *, OrtKernelContext *context) {
  return guarded([&] { static_cast<const FusedNode *>(self)->run(context); });
}

void PSEED_ORT_CALL release_state(NodeComputeInfo *, void *) {}

OrtStatus *PSEED_ORT_CALL compile(Ep *self, const OrtGraph **graphs, const OrtNode **fused, size_t count, NodeComputeInfo **infos,
                                  OrtNode **) {
  return guarded([&] {
    auto *provider = static_cast<Provider *>(self);
    std::vector<std::unique_ptr<FusedNode>> compiled;
    for (size_t i = 0; i < count; i++) {
      compiled.emplace_back(provider->compile(graphs[i], fused[i]));
      FusedNode &node = *compiled.back();
      node.version = kApiVersion;
      node.CreateState = create_state;
      node.Compute = compute;
      node.ReleaseState = release_state;
      node.complete.store(true, std::memory_order_release);
    }
    for (size_t i = 0; i < count; i++) {
      infos[i] = compiled[i].release();
    }
    // Weights that kernels have packed are free again: a third of MiniLM.
    give_back_free_memory();
  });
}

void PSEED_ORT_CALL release_compute_infos(Ep *self, NodeComputeInfo **infos, size_t count) {
  auto *provider = static_cast<Provider *>(self);
  const uint64_t runs = provider->runs.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; i++) {
    delete static_cast<FusedNode *>(infos[i]);
  }
  try {
    log(provider->lasting_logger, kInfo,
        "pseed: closed after " + std::to_string(runs) + " runs; " + std::to_string(provider->decoded_at_load) +
            " records were decoded when the session was created, " + std::to_string(provider->decoded - provider->decoded_at_load) +
            " later");
  } catch (const std::exception &) {
    // Only the message is lost.
  }
}

OrtStatus *PSEED_ORT_CALL on_run_start(Ep *self, const OrtRunOptions *options) {
  return guarded([&] { runs_in_progress = new RunInProgress{static_cast<const Provider *>(self), options, runs_in_progress}; });
}

OrtStatus *PSEED_ORT_CALL on_run_end(Ep *self, const OrtRunOptions *, bool) {
  for (RunInProgress **at = &runs_in_progress; *at != nullptr; at = &(*at)->outer) {
    if ((*at)->provider == static_cast<const Provider *>(self)) {
      RunInProgress *ended = *at;
      *at = ended->outer;
      delete ended;
      break;
    }
  }
  return nullptr;
}

struct Factory : EpFactory {
  const OrtLogger *logger = nullptr;
};

const char *PSEED_ORT_CALL factory_name(const EpFactory *) { return PSEED_ORT_PROVIDER; }
const char *PSEED_ORT_CALL factory_vendor(const EpFactory *) { return "pseed"; }
uint32_t PSEED_ORT_CALL factory_vendor_id(const EpFactory *) { return 0; }
const char *PSEED_ORT_CALL factory_version(const EpFactory *) { return PSEED_VERSION; }

OrtStatus *PSEED_ORT_CALL supported_devices(EpFactory *self, const OrtHardwareDevice *const *devices, size_t count,
                                            OrtEpDevice **ep_devices, size_t most, size_t *found) {
  return guarded([&] {
    *found = 0;
    for (size_t i = 0; i < count && *found < std::min<size_t>(most, 1); i++) {
      if (runtime()->HardwareDevice_Type(devices[i]) == kCpu) {
        check(runtime()->GetEpApi()->CreateEpDevice(self, devices[i], nullptr, nullptr, &ep_devices[*found]));
        ++*found;
      }
    }
  });
}

OrtStatus *PSEED_ORT_CALL create_ep(EpFactory *self, const OrtHardwareDevice *const *, const OrtKeyValuePairs *const *, size_t,
                                    const OrtSessionOptions *options, const OrtLogger *logger, Ep **ep) {
  return guarded([&] {
    auto provider = std::make_unique<Provider>();
    provider->version = kApiVersion;
    provider->GetName = provider_name;
    provider->GetCapability = get_capability;
    provider->Compile = compile;
    provider->ReleaseNodeComputeInfos = release_compute_infos;
    provider->inside = config(options, kInside, "") == "1";
    if (!provider->inside) {
      provider->OnRunStart = on_run_start;
      provider->OnRunEnd = on_run_end;
    }
    provider->logger = logger;
    provider->lasting_logger = static_cast<Factory *>(self)->logger;
    provider->max_tensor_bytes = number(options, PSEED_ORT_MAX_TENSOR_BYTES, PSEED_LIMIT_STANDARD);
    provider->decode_threads = static_cast<unsigned>(std::min<uint64_t>(number(options, PSEED_ORT_DECODE_THREADS, 0), 256));
    OrtSessionOptions *clone = nullptr;
    check(runtime()->CloneSessionOptions(options, &clone));
    provider->options.reset(clone);
    *ep = provider.release();
  });
}

void PSEED_ORT_CALL release_ep(EpFactory *, Ep *ep) { delete static_cast<Provider *>(ep); }

OrtStatus *PSEED_ORT_CALL create_allocator(EpFactory *, const void *, const OrtKeyValuePairs *, OrtAllocator **allocator) {
  *allocator = nullptr;  // the runtime's own
  return nullptr;
}
void PSEED_ORT_CALL release_allocator(EpFactory *, OrtAllocator *) {}
OrtStatus *PSEED_ORT_CALL create_data_transfer(EpFactory *, void **transfer) {
  *transfer = nullptr;
  return nullptr;
}
bool PSEED_ORT_CALL is_stream_aware(const EpFactory *) { return false; }
OrtStatus *PSEED_ORT_CALL create_stream(EpFactory *, const void *, const OrtKeyValuePairs *, void **stream) {
  *stream = nullptr;
  return nullptr;
}
OrtStatus *PSEED_ORT_CALL validate_compatibility(EpFactory *, const OrtHardwareDevice *const *, size_t, const char *, int *compatibility) {
  *compatibility = 0;  // no compiled models are written
  return nullptr;
}

}  // namespace

EpFactory *new_factory(const OrtLogger *logger) {
  auto *factory = new Factory();
  factory->version = kApiVersion;
  factory->GetName = factory_name;
  factory->GetVendor = factory_vendor;
  factory->GetSupportedDevices = supported_devices;
  factory->CreateEp = create_ep;
  factory->ReleaseEp = release_ep;
  factory->GetVendorId = factory_vendor_id;
  factory->GetVersion = factory_version;
  factory->ValidateCompiledModelCompatibilityInfo = validate_compatibility;
  factory->CreateAllocator = create_allocator;
  factory->ReleaseAllocator = release_allocator;
  factory->CreateDataTransfer = create_data_transfer;
  factory->IsStreamAware = is_stream_aware;
  factory->CreateSyncStreamForDevice = create_stream;
  factory->logger = logger;
  factory_count++;
  return factory;
}

void delete_factory(EpFactory *factory) {
  delete static_cast<Factory *>(factory);
  factory_count--;
}

int factories() { return factory_count; }

}  // namespace pseed_ort
