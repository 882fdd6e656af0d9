// Field numbers are those of onnx.proto (ONNX's IR specification).
#include "inner_model.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "protobuf.hpp"
#include "pseed_ort.h"

namespace pseed_ort {

namespace {

// Constants of at most so many bytes stand in the model: the optimizer reads shapes, axes and scalars there.
constexpr size_t kInlineBytes = 16384;

// AttributeProto.AttributeType
enum { kProtoFloat = 1, kProtoInt = 2, kProtoString = 3, kProtoTensor = 4, kProtoGraph = 5, kProtoFloats = 6, kProtoInts = 7, kProtoStrings = 8 };

std::vector<char> read(const OrtOpAttr *attribute, int type) {
  size_t size = 0;
  // The first call tells the size, with an error where that is not 0.
  if (OrtStatus *status = runtime()->ReadOpAttr(attribute, type, nullptr, 0, &size)) {
    runtime()->ReleaseStatus(status);
  }
  std::vector<char> bytes(size);
  if (size != 0) {
    check(runtime()->ReadOpAttr(attribute, type, bytes.data(), size, &size));
  }
  return bytes;
}

template <typename Item>
std::vector<Item> read_items(const OrtOpAttr *attribute, int type) {
  const std::vector<char> bytes = read(attribute, type);
  std::vector<Item> items(bytes.size() / sizeof(Item));
  if (!items.empty()) {
    std::memcpy(items.data(), bytes.data(), items.size() * sizeof(Item));
  }
  return items;
}

std::vector<std::string> strings(const OrtValue *tensor) {
  OrtTensorTypeAndShapeInfo *info = nullptr;
  check(runtime()->GetTensorTypeAndShape(tensor, &info));
  const OwnedTensorTypeAndShapeInfo owner(info);
  size_t count = 0;
  size_t size = 0;
  check(runtime()->GetTensorShapeElementCount(info, &count));
  check(runtime()->GetStringTensorDataLength(tensor, &size));
  std::string chars(size, '\0');
  std::vector<size_t> offsets(count + 1, size);
  if (count != 0) {
    check(runtime()->GetStringTensorContent(tensor, &chars[0], size, offsets.data(), count));
  }
  std::vector<std::string> found;
  for (size_t i = 0; i < count; i++) {
    found.push_back(chars.substr(offsets[i], offsets[i + 1] - offsets[i]));
  }
  return found;
}

// A TensorProto without its data.
Message tensor_head(const std::string &name, int element_type, const std::vector<int64_t> &dims) {
  Message tensor;
  for (const int64_t dim : dims) {
    tensor.number(1, dim);
  }
  tensor.number(2, element_type);
  tensor.text(8, name);
  return tensor;
}

Message whole_tensor(const std::string &name, const OrtValue *value) {
  const TensorType type = tensor_type(value);
  Message tensor = tensor_head(name, type.element, type.dims);
  if (type.element == kString) {
    for (const std::string &item : strings(value)) {
      tensor.text(6, item);
    }
  } else {
    tensor.text(9, data(value), byte_size(value));
  }
  return tensor;
}

// A ValueInfoProto of a tensor that a session puts in an input's place.
Message handed_tensor(const std::string &name, int element_type, const std::vector<int64_t> &dims) {
  Message shape;
  for (const int64_t size : dims) {
    Message dim;
    dim.number(1, size);
    shape.message(1, dim);
  }
  Message tensor;
  tensor.number(1, element_type);
  tensor.message(2, shape);
  Message type;
  type.message(1, tensor);
  Message proto;
  proto.text(1, name);
  proto.message(2, type);
  return proto;
}

// A TypeProto. A shape without dimensions is left out where it may be an unknown one. scalar: that it is known to be none.
Message type_proto(const OrtTypeInfo *type, bool scalar = false) {
  Message proto;
  switch (kind(type)) {
    case kTensor: {
      const TensorType tensor = tensor_type(type);
      Message message;
      message.number(1, tensor.element);
      if (!tensor.dims.empty() || tensor.scalar || scalar) {
        Message shape;
        for (size_t i = 0; i < tensor.dims.size(); i++) {
          Message dim;
          if (tensor.dims[i] >= 0) {
            dim.number(1, tensor.dims[i]);
          } else if (!tensor.dim_names[i].empty()) {
            dim.text(2, tensor.dim_names[i]);
          }
          shape.message(1, dim);
        }
        message.message(2, shape);
      }
      proto.message(1, message);
      return proto;
    }
    case kSequence: {
      const OrtSequenceTypeInfo *sequence = nullptr;
      OrtTypeInfo *element = nullptr;
      check(runtime()->CastTypeInfoToSequenceTypeInfo(type, &sequence));
      check(runtime()->GetSequenceElementType(sequence, &element));
      const OwnedTypeInfo owner(element);
      Message message;
      message.message(1, type_proto(element));
      proto.message(4, message);
      return proto;
    }
    case kMap: {
      const OrtMapTypeInfo *map = nullptr;
      OrtTypeInfo *value = nullptr;
      int key = 0;
      check(runtime()->CastTypeInfoToMapTypeInfo(type, &map));
      check(runtime()->GetMapKeyType(map, &key));
      check(runtime()->GetMapValueType(map, &value));
      const OwnedTypeInfo owner(value);
      Message message;
      message.number(1, key);
      message.message(2, type_proto(value));
      proto.message(5, message);
      return proto;
    }
    case kOptional: {
      const OrtOptionalTypeInfo *optional = nullptr;
      OrtTypeInfo *element = nullptr;
      check(runtime()->CastTypeInfoToOptionalTypeInfo(type, &optional));
      check(runtime()->GetOptionalContainedTypeInfo(optional, &element));
      const OwnedTypeInfo owner(element);
      Message message;
      message.message(1, type_proto(element));
      proto.message(9, message);
      return proto;
    }
    default:
      throw StatusError(kNotImplemented, "pseed: a value of a type that cannot be described");
  }
}

Message value_info(const OrtValueInfo *value, bool scalar = false) {
  Message proto;
  proto.text(1, name(value));
  proto.message(2, type_proto(type(value), scalar));
  return proto;
}

bool has_name(const OrtValueInfo *value) { return value != nullptr && !name(value).empty(); }

const OrtValueInfo *record_of(const OrtNode *node);

class Writer {
 public:
  Writer(InnerModel &model, uint64_t max_tensor_bytes) : model_(model), max_tensor_bytes_(max_tensor_bytes) {}

  // A GraphProto. Of the outermost graph only what its outputs need: the constants of the portable decoders go.
  Message graph(const OrtGraph *graph, bool outermost) {
    const std::vector<const OrtNode *> all = nodes(graph);
    const std::vector<const OrtValueInfo *> results = graph_outputs(graph);
    std::set<std::string> needed;
    for (const OrtValueInfo *result : results) {
      needed.insert(name(result));
    }
    std::set<std::string> given;
    std::vector<const OrtNode *> kept;
    std::vector<const OrtNode *> seeds;
    std::vector<const OrtValueInfo *> uses;
    // The runtime gives nodes in an order in which each comes behind those that it needs.
    for (auto node = all.rbegin(); node != all.rend(); ++node) {
      const std::vector<const OrtValueInfo *> produced = pseed_ort::outputs(*node);
      const bool used = !outermost || std::any_of(produced.begin(), produced.end(), [&](const OrtValueInfo *value) {
        return has_name(value) && needed.count(name(value)) != 0;
      });
      if (!used) {
        continue;
      }
      if (outermost && is_seed_decode(*node)) {
        seeds.push_back(*node);
        continue;
      }
      kept.push_back(*node);
      for (const auto &values : {pseed_ort::inputs(*node), implicit_inputs(*node)}) {
        for (const OrtValueInfo *value : values) {
          if (has_name(value)) {
            uses.push_back(value);
            needed.insert(name(value));
          }
        }
      }
    }

    Message proto;
    for (auto node = kept.rbegin(); node != kept.rend(); ++node) {
      proto.message(1, this->node(*node));
    }
    const char *graph_name = nullptr;
    check(runtime()->Graph_GetName(graph, &graph_name));
    proto.text(2, *graph_name == 0 ? "graph" : graph_name);

    for (const OrtValueInfo *value : initializers(graph)) {
      uses.push_back(value);
    }
    for (const OrtValueInfo *value : uses) {
      // In a subgraph only its own: what it uses of the graphs around it stands there.
      if (needed.count(name(value)) != 0 && is_constant(value) && (outermost || !from_outside(value)) && given.insert(name(value)).second) {
        constant(proto, value, outermost);
      }
    }
    // The first two inputs of a Loop's body, iteration and condition, are scalars and must be called so.
    const OrtNode *parent = nullptr;
    check(runtime()->Graph_GetParentNode(graph, &parent));
    size_t scalars = parent != nullptr && operator_type(parent) == "Loop" ? 2 : 0;
    for (const OrtValueInfo *value : graph_inputs(graph)) {
      if (given.count(name(value)) != 0) {
        continue;
      }
      proto.message(11, value_info(value, scalars > 0));
      scalars -= scalars > 0 ? 1 : 0;
      if (outermost) {
        model_.inputs.push_back(value);
        bool overridable = false;
        check(runtime()->ValueInfo_IsOptionalGraphInput(value, &overridable));
        model_.overridable |= overridable;
      }
    }
    // Behind the real inputs: what the session brings.
    for (const auto &handed : model_.constants) {
      if (outermost) {
        const TensorType type = tensor_type(handed.second);
        proto.message(11, handed_tensor(handed.first, type.element, type.dims));
      }
    }
    for (auto node = seeds.rbegin(); node != seeds.rend(); ++node) {
      seed(proto, graph, *node);
    }
    std::set<std::string> told;
    for (const OrtValueInfo *value : results) {
      proto.message(12, value_info(value));
      told.insert(name(value));
      if (outermost) {
        model_.outputs.push_back(name(value));
      }
    }
    for (const OrtNode *node : kept) {
      for (const OrtValueInfo *value : pseed_ort::outputs(node)) {
        if (has_name(value) && kind(type(value)) == kTensor && told.insert(name(value)).second) {
          proto.message(13, value_info(value));
        }
      }
    }
    return proto;
  }

 private:
  static bool from_outside(const OrtValueInfo *value) {
    bool answer = false;
    check(runtime()->ValueInfo_IsFromOuterScope(value, &answer));
    return answer;
  }

  void constant(Message &proto, const OrtValueInfo *value, bool outermost) {
    const OrtValue *tensor = nullptr;
    check(runtime()->ValueInfo_GetInitializerValue(value, &tensor));
    if (!outermost || tensor_type(tensor).element == kString || byte_size(tensor) <= kInlineBytes) {
      proto.message(5, whole_tensor(name(value), tensor));
    } else {
      model_.constants.emplace_back(name(value), tensor);
    }
  }

  void seed(Message &proto, const OrtGraph *graph, const OrtNode *node) {
    const OrtValueInfo *record = record_of(node);
    const OrtValueInfo *output = pseed_ort::outputs(node)[0];
    const OrtValue *bytes = nullptr;
    check(runtime()->ValueInfo_GetInitializerValue(record, &bytes));
    RecordSource source = {data(bytes), byte_size(bytes), name(output), tensor_name(node, name(output)), "model", 0, type(output)};
    const PathChar *path = nullptr;
    check(runtime()->Graph_GetModelPath(graph, &path));
    if (path != nullptr && *path != 0) {
      source.file = file_name(path);
    }
    OrtExternalInitializerInfo *external = nullptr;
    check(runtime()->ValueInfo_GetExternalInitializerInfo(record, &external));
    const OwnedExternalInitializerInfo owner(external);
    if (external != nullptr) {
      source.file = file_name(runtime()->ExternalInitializerInfo_GetFilePath(external));
      source.offset = static_cast<uint64_t>(runtime()->ExternalInitializerInfo_GetFileOffset(external));
    }
    SeedTensor opened(source, max_tensor_bytes_);
    model_.records++;
    if (opened.bytes() < kLeastHandedBytes) {
      char decoded[kLeastHandedBytes];
      opened.decode(decoded, 1);
      Message tensor = tensor_head(opened.name(), opened.element_type(), opened.dims());
      tensor.text(9, decoded, opened.bytes());
      proto.message(5, tensor);
    } else {
      proto.message(11, handed_tensor(opened.name(), opened.element_type(), opened.dims()));
      model_.seeds.push_back(std::move(opened));
    }
  }

  // A tensor's name as the model's author knows it: optimizers rename values, and leave nodes their names.
  static std::string tensor_name(const OrtNode *node, const std::string &otherwise) {
    const std::string prefix = "pseed/";
    const std::string text = name(node);
    return text.size() > prefix.size() && text.compare(0, prefix.size(), prefix) == 0 ? text.substr(prefix.size()) : otherwise;
  }

  // The last part of a path; messages name files as the Java reader does.
  static std::string file_name(const PathChar *path) {
    std::string name;
    for (; *path != 0; path++) {
      if (*path == '/' || *path == '\\') {
        name.clear();
      } else {
#if defined(_WIN32)
        name.push_back(*path < 128 ? static_cast<char>(*path) : '?');
#else
        name.push_back(*path);
#endif
      }
    }
    return name;
  }

  Message attribute(const OrtOpAttr *from) {
    const char *text = nullptr;
    int type = kUndefinedAttribute;
    check(runtime()->OpAttr_GetName(from, &text));
    check(runtime()->OpAttr_GetType(from, &type));
    Message proto;
    proto.text(1, text);
    switch (type) {
      case kIntAttribute:
        proto.number(3, read_items<int64_t>(from, type).at(0));
        proto.number(20, kProtoInt);
        break;
      case kIntsAttribute:
        for (const int64_t item : read_items<int64_t>(from, type)) {
          proto.number(8, item);
        }
        proto.number(20, kProtoInts);
        break;
      case kFloatAttribute:
        proto.real(2, read_items<float>(from, type).at(0));
        proto.number(20, kProtoFloat);
        break;
      case kFloatsAttribute:
        for (const float item : read_items<float>(from, type)) {
          proto.real(7, item);
        }
        proto.number(20, kProtoFloats);
        break;
      case kStringAttribute: {
        std::vector<char> chars = read(from, type);
        // Some runtimes count the zero behind it, some do not.
        if (!chars.empty() && chars.back() == 0) {
          chars.pop_back();
        }
        proto.text(4, chars.data(), chars.size());
        proto.number(20, kProtoString);
        break;
      }
      case kStringsAttribute: {
        const std::vector<char> chars = read(from, type);
        for (auto begin = chars.begin(); begin != chars.end();) {
          const auto end = std::find(begin, chars.end(), '\0');
          proto.text(9, std::string(begin, end));
          begin = end == chars.end() ? end : end + 1;
        }
        proto.number(20, kProtoStrings);
        break;
      }
      case kTensorAttribute: {
        OrtValue *value = nullptr;
        check(runtime()->OpAttr_GetTensorAttributeAsOrtValue(from, &value));
        const OwnedValue owner(value);
        proto.message(5, whole_tensor(text, value));
        proto.number(20, kProtoTensor);
        break;
      }
      default:
        throw StatusError(kNotImplemented, std::string("pseed: attribute '") + text + "' is of a kind that cannot be read");
    }
    return proto;
  }

  // What a load step stands for, where another part of the graph needs it.
  static Message load_step(const OrtNode *from) {
    Message proto;
    proto.text(1, name(pseed_ort::inputs(from)[1]));
    proto.text(2, name(pseed_ort::outputs(from)[0]));
    proto.text(3, name(from));
    proto.text(4, "Identity");
    return proto;
  }

  // The same of nothing: a constant of no bytes.
  static Message nothing(const OrtNode *from) {
    Message attribute;
    attribute.text(1, "value");
    attribute.message(5, tensor_head("", kUint8, {0}));
    attribute.number(20, kProtoTensor);
    Message proto;
    proto.text(2, name(pseed_ort::outputs(from)[0]));
    proto.text(3, name(from));
    proto.text(4, "Constant");
    proto.message(5, attribute);
    return proto;
  }

  Message node(const OrtNode *from) {
    if (is_load_step(from)) {
      return load_step(from);
    }
    if (is_nothing(from)) {
      return nothing(from);
    }
    Message proto;
    for (const OrtValueInfo *value : pseed_ort::inputs(from)) {
      proto.text(1, value == nullptr ? "" : name(value));
    }
    for (const OrtValueInfo *value : pseed_ort::outputs(from)) {
      proto.text(2, value == nullptr ? "" : name(value));
    }
    proto.text(3, name(from));
    proto.text(4, operator_type(from));
    proto.text(7, domain(from));
    for (const OrtOpAttr *from_attribute : attributes(from)) {
      int type = kUndefinedAttribute;
      check(runtime()->OpAttr_GetType(from_attribute, &type));
      if (type != kGraphAttribute) {
        proto.message(5, attribute(from_attribute));
      }
    }
    size_t count = 0;
    check(runtime()->Node_GetNumSubgraphs(from, &count));
    if (count != 0) {
      std::vector<const OrtGraph *> subgraphs(count);
      std::vector<const char *> names(count);
      check(runtime()->Node_GetSubgraphs(from, subgraphs.data(), count, names.data()));
      for (size_t i = 0; i < count; i++) {
        Message attribute;
        attribute.text(1, names[i]);
        attribute.message(6, graph(subgraphs[i], false));
        attribute.number(20, kProtoGraph);
        proto.message(5, attribute);
      }
    }
    return proto;
  }

  InnerModel &model_;
  const uint64_t max_tensor_bytes_;
};

bool can_write(const OrtValueInfo *value) {
  if (!has_name(value)) {
    return true;
  }
  const OrtTypeInfo *of = type(value);
  switch (kind(of)) {
    case kTensor:
      return tensor_type(of).element <= kLastSharedElementType;
    case kSequence:
    case kMap:
    case kOptional:
      return true;
    default:
      return false;
  }
}

bool is_bytes(const OrtValueInfo *value) {
  const OrtTypeInfo *of = pseed_ort::type(value);
  return kind(of) == kTensor && tensor_type(of).element == kUint8;
}

// The constant that is a decode node's record, or null. Where it goes through a Concat it is the whole of what comes out, by the length.
const OrtValueInfo *record_of(const OrtNode *node) {
  const std::vector<const OrtValueInfo *> taken = inputs(node);
  if (taken.empty() || !has_name(taken[0]) || !is_bytes(taken[0])) {
    return nullptr;
  }
  if (is_constant(taken[0])) {
    return taken[0];
  }
  const OrtNode *producer = nullptr;
  size_t output = 0;
  check(runtime()->ValueInfo_GetValueProducer(taken[0], &producer, &output));
  if (producer == nullptr || operator_type(producer) != "Concat" || !domain(producer).empty()) {
    return nullptr;
  }
  const std::vector<const OrtValueInfo *> joined = inputs(producer);
  const bool whole = !joined.empty() && has_name(joined[0]) && is_constant(joined[0]) && is_bytes(joined[0]) &&
                     tensor_type(type(joined[0])).dims == tensor_type(type(taken[0])).dims;
  return whole ? joined[0] : nullptr;
}

}  // namespace

bool is_seed_decode(const OrtNode *node) {
  if (domain(node) != PSEED_ORT_DOMAIN) {
    return false;
  }
  // SeedDecode for a model's first structure of records, SeedDecode_1 ... for others: there is no last one.
  const std::string type = operator_type(node);
  const std::string first = PSEED_ORT_OPERATOR;
  if (type.compare(0, first.size(), first) != 0 ||
      (type.size() != first.size() &&
       (type[first.size()] != '_' || type.size() == first.size() + 1 ||
        type.find_first_not_of("0123456789", first.size() + 1) != std::string::npos))) {
    return false;
  }
  const std::vector<const OrtValueInfo *> results = outputs(node);
  return results.size() == 1 && has_name(results[0]) && record_of(node) != nullptr;
}

bool is_nothing(const OrtNode *node) {
  return domain(node) == PSEED_ORT_DOMAIN && operator_type(node) == PSEED_ORT_NOTHING && inputs(node).empty() && outputs(node).size() == 1 &&
         has_name(outputs(node)[0]);
}

bool is_load_step(const OrtNode *node) {
  return domain(node) == PSEED_ORT_DOMAIN && operator_type(node) == PSEED_ORT_LOAD_STEP && inputs(node).size() == 2 &&
         has_name(inputs(node)[1]) && outputs(node).size() == 1 && has_name(outputs(node)[0]);
}

bool can_write(const OrtNode *node) {
  for (const OrtOpAttr *attribute : attributes(node)) {
    int type = kUndefinedAttribute;
    if (OrtStatus *status = runtime()->OpAttr_GetType(attribute, &type)) {
      runtime()->ReleaseStatus(status);
      return false;
    }
    if (type < kIntAttribute || type > kTensorAttribute) {
      return false;
    }
  }
  for (const auto &values : {inputs(node), outputs(node), implicit_inputs(node)}) {
    if (!std::all_of(values.begin(), values.end(), [](const OrtValueInfo *value) { return can_write(value); })) {
      return false;
    }
  }
  size_t count = 0;
  check(runtime()->Node_GetNumSubgraphs(node, &count));
  if (count != 0) {
    std::vector<const OrtGraph *> subgraphs(count);
    check(runtime()->Node_GetSubgraphs(node, subgraphs.data(), count, nullptr));
    for (const OrtGraph *subgraph : subgraphs) {
      const std::vector<const OrtNode *> inside = nodes(subgraph);
      if (!std::all_of(inside.begin(), inside.end(), [](const OrtNode *part) { return can_write(part); })) {
        return false;
      }
    }
  }
  return true;
}

InnerModel inner_model(const OrtGraph *graph, uint64_t max_tensor_bytes) {
  InnerModel model;
  Message proto;
  int64_t ir_version = 0;
  check(runtime()->Graph_GetOnnxIRVersion(graph, &ir_version));
  proto.number(1, ir_version);
  proto.text(2, "pseed");
  size_t sets = 0;
  check(runtime()->Graph_GetNumOperatorSets(graph, &sets));
  std::vector<const char *> domains(sets);
  std::vector<int64_t> versions(sets);
  check(runtime()->Graph_GetOperatorSets(graph, domains.data(), versions.data(), sets));
  proto.message(7, Writer(model, max_tensor_bytes).graph(graph, true));
  for (size_t i = 0; i < sets; i++) {
    // Nothing of our own domain is left, and nobody has registered it.
    if (std::string(domains[i]) != PSEED_ORT_DOMAIN) {
      Message set;
      set.text(1, domains[i]);
      set.number(2, versions[i]);
      proto.message(8, set);
    }
  }
  model.bytes = proto.bytes();
  return model;
}

}  // namespace pseed_ort
