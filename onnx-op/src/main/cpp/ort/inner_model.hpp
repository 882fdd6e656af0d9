// The graph that a session gives to the provider, as an ONNX model of its own in which decoded weights stand for their nodes.
#ifndef PSEED_ORT_INNER_MODEL_HPP
#define PSEED_ORT_INNER_MODEL_HPP

#include <string>
#include <utility>
#include <vector>

#include "runtime.hpp"
#include "seed_tensors.hpp"

namespace pseed_ort {

// Whether a node decodes a record that is known when the session is created.
bool is_seed_decode(const OrtNode *node);

// Whether a node only delays folding where no library decodes.
bool is_load_step(const OrtNode *node);

// Whether a node only gives no bytes, which keep a record from being a constant.
bool is_nothing(const OrtNode *node);

// Whether the model writer can express a node: not every kind of attribute can be read through the runtime's interface.
bool can_write(const OrtNode *node);

// Tensors of fewer bytes stand in the model; the runtime takes none from outside that its shape inference may want to read.
constexpr size_t kLeastHandedBytes = 128;

struct InnerModel {
  // A ModelProto. To it, seeds and constants are inputs that follow the real ones: whoever creates a session of it puts initializers of
  // their names in the inputs' place.
  std::string bytes;
  std::vector<const OrtValueInfo *> inputs;  // the real ones, in the order of the graph's
  std::vector<std::string> outputs;          // likewise
  std::vector<SeedTensor> seeds;
  // Constants too large to stand in the model's bytes. They are the session's own: it lets go of them when it has been created.
  std::vector<std::pair<std::string, const OrtValue *>> constants;
  size_t records = 0;        // decode nodes, those that stand in the model included
  bool overridable = false;  // whether an input is an initializer that callers may replace
};

InnerModel inner_model(const OrtGraph *graph, uint64_t max_tensor_bytes);

}  // namespace pseed_ort
#endif
