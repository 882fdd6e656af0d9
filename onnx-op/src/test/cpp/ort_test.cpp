// The op library in sessions of a real ONNX Runtime.
//
//   ort_test RUNTIME LIBRARY TESTDATA SENTENCES
//   ort_test RUNTIME LIBRARY                      options that are older than the environment, which a process can have once
//
// RUNTIME: ONNX Runtime's shared library, of any version from 1.20 on; LIBRARY: the op library. Models are made here: each twice, with
// weights that a decode node gives and with the same weights as plain initializers. The function that models carry for the decode node
// gives zeros here, so that a result shows who decoded.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "json.hpp"
#include "ort_client.hpp"
#include "protobuf.hpp"
#include "pseed_core.h"
#include "records.hpp"

using namespace pseed_test;
using pseed_ort::Message;

namespace {

Client *ort = nullptr;
Path library;
int failures = 0;
int checks = 0;

void expect(bool true_, const std::string &what) {
  checks++;
  if (!true_) {
    std::fprintf(stderr, "FAIL %s\n", what.c_str());
    failures++;
  }
}

std::string slurp(const std::string &file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// ---- What the runtime logs

std::mutex log_mutex;
std::vector<std::string> log_lines;

void PSEED_ORT_CALL keep_line(void *, int, const char *, const char *, const char *, const char *message) {
  if (std::strstr(message, "pseed: ") != nullptr) {
    const std::lock_guard<std::mutex> lock(log_mutex);
    log_lines.push_back(message);
  }
}

std::vector<std::string> take_log() {
  const std::lock_guard<std::mutex> lock(log_mutex);
  return std::move(log_lines);
}

bool logged(const std::vector<std::string> &lines, const std::string &part) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string &line) { return line.find(part) != std::string::npos; });
}

// ---- Models

constexpr int kFloat = 1, kInt64 = 7, kString = 8, kBool = 9, kUint8 = 2;

Message shape(const std::vector<std::string> &dims) {
  Message proto;
  for (const std::string &size : dims) {
    Message dim;
    if (size.find_first_not_of("0123456789") == std::string::npos) {
      dim.number(1, std::stoll(size));
    } else {
      dim.text(2, size);
    }
    proto.message(1, dim);
  }
  return proto;
}

Message tensor_type(int type, const std::vector<std::string> &dims, bool with_shape = true) {
  Message tensor;
  tensor.number(1, type);
  if (with_shape) {
    tensor.message(2, shape(dims));
  }
  Message proto;
  proto.message(1, tensor);
  return proto;
}

Message value(const std::string &name, const Message &type) {
  Message proto;
  proto.text(1, name);
  proto.message(2, type);
  return proto;
}

Message tensor(const std::string &name, int type, const std::vector<int64_t> &dims, const void *data, size_t size) {
  Message proto;
  for (const int64_t dim : dims) {
    proto.number(1, dim);
  }
  proto.number(2, type);
  proto.text(8, name);
  proto.text(9, data, size);
  return proto;
}

Message node(const std::string &op, const std::vector<std::string> &inputs, const std::vector<std::string> &outputs,
             const std::vector<Message> &attributes = {}, const std::string &domain = "", const std::string &name = "") {
  Message proto;
  for (const std::string &input : inputs) {
    proto.text(1, input);
  }
  for (const std::string &output : outputs) {
    proto.text(2, output);
  }
  proto.text(3, name.empty() ? "node of " + outputs[0] : name);
  proto.text(4, op);
  for (const Message &attribute : attributes) {
    proto.message(5, attribute);
  }
  proto.text(7, domain);
  return proto;
}

Message graph_attribute(const std::string &name, const Message &graph) {
  Message proto;
  proto.text(1, name);
  proto.message(6, graph);
  proto.number(20, 5);
  return proto;
}

Message ints_attribute(const std::string &name, const std::vector<int64_t> &values) {
  Message proto;
  proto.text(1, name);
  for (const int64_t item : values) {
    proto.number(8, item);
  }
  proto.number(20, 7);
  return proto;
}

Message int_attribute(const std::string &name, int64_t item) {
  Message proto;
  proto.text(1, name);
  proto.number(3, item);
  proto.number(20, 2);
  return proto;
}

struct Graph {
  Message proto;
  void input(const std::string &name, const Message &type) { proto.message(11, value(name, type)); }
  void output(const std::string &name, const Message &type) { proto.message(12, value(name, type)); }
  void add(const Message &node) { proto.message(1, node); }
  void initializer(const Message &tensor) { proto.message(5, tensor); }
  Message named(const std::string &name) {
    proto.text(2, name);
    return proto;
  }
};

// A record and what it decodes to.
struct Weights {
  std::vector<uint8_t> record;
  std::vector<float> decoded;
  std::vector<int64_t> dims;
};

Weights weights(uint32_t rows, uint32_t cols, uint64_t seed) {
  TrellisShape shape;
  shape.rows = rows;
  shape.cols = cols;
  Weights made;
  made.dims = {rows, cols};
  made.decoded.resize(static_cast<size_t>(rows) * cols);
  for (int pass = 0; pass < 2; pass++) {
    // The first pass finds the checksum of what is decoded.
    const uint32_t crc = pass == 0 ? 0
                                   : pseed::crc32c_portable().update(0, reinterpret_cast<const uint8_t *>(made.decoded.data()),
                                                                     made.decoded.size() * sizeof(float));
    made.record = trellis_record(shape, seed, crc);
    pseed_record *record = nullptr;
    pseed_error error;
    if (pseed_record_open(made.record.data(), made.record.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error) != PSEED_OK) {
      throw std::runtime_error(error.message);
    }
    pseed_record_decode(record, made.decoded.data(), made.decoded.size() * sizeof(float), nullptr, &error);
    pseed_record_close(record);
  }
  return made;
}

// How a record comes to its decode node: at once; or behind nothing, and with a link of the chain that spreads folding over steps.
enum class Records { kAtOnce, kLate };
Records records = Records::kAtOnce;

Message function_of(const std::string &name, const std::vector<std::string> &inputs, const std::string &output) {
  Message function;
  function.text(1, name);
  for (const std::string &input : inputs) {
    function.text(4, input);
  }
  function.text(5, output);
  return function;
}

void close_function(Message &function) {
  Message set;
  set.text(1, "");
  set.number(2, 17);
  function.message(9, set);
  function.text(10, "io.pseed");
}

Message nothing_function() {
  Message function = function_of("Nothing", {}, "nothing");
  Message value;
  value.text(1, "value");
  value.message(5, tensor("", kUint8, {0}, "", 0));
  value.number(20, 4);
  function.message(7, node("Constant", {}, {"nothing"}, {value}));
  close_function(function);
  return function;
}

Message load_step_function() {
  Message function = function_of("LoadStep", {"element", "one"}, "next");
  function.message(7, node("Identity", {"one"}, {"next"}));
  close_function(function);
  return function;
}

// The function of a decode node here fills with zeros, so that it shows which one has worked.
Message zero_function(int number, int type) {
  Message function = function_of(number == 0 ? std::string("SeedDecode") : "SeedDecode_" + std::to_string(number),
                                 records == Records::kLate ? std::vector<std::string>{"record", "step"} : std::vector<std::string>{"record"}, "weights");
  function.text(6, "shape");
  Message reference;
  reference.text(1, "value_ints");
  reference.text(21, "shape");
  reference.number(20, 7);
  function.message(7, node("Constant", {}, {"dims"}, {reference}));
  Message zero;
  zero.number(1, 1);
  zero.number(2, kUint8);
  const char byte = 0;
  zero.text(9, &byte, 1);
  Message fill;
  fill.text(1, "value");
  fill.message(5, zero);
  fill.number(20, 4);
  function.message(7, node("ConstantOfShape", {"dims"}, {"zeros"}, {fill}));
  function.message(7, node("Cast", {"zeros"}, {"weights"}, {int_attribute("to", type)}));
  close_function(function);
  return function;
}

struct Model {
  explicit Model(bool with_seeds) : seeds(with_seeds) {}
  bool seeds;
  Graph graph;
  int functions = 0;
  std::vector<Message> function_protos;

  // A weight matrix: a decode node, or the values themselves.
  void weight(const std::string &name, const Weights &weights) {
    if (seeds) {
      record(name, weights.record.data(), weights.record.size(), kFloat, weights.dims);
    } else {
      graph.initializer(tensor(name, kFloat, weights.dims, weights.decoded.data(), weights.decoded.size() * sizeof(float)));
    }
  }

  void record(const std::string &name, const void *bytes, size_t size, int type, const std::vector<int64_t> &dims) {
    graph.initializer(tensor(name + ".record", kUint8, {static_cast<int64_t>(size)}, bytes, size));
    decode(name, type, dims);
  }

  void decode(const std::string &name, int type, const std::vector<int64_t> &dims) {
    const int number = functions++;
    std::vector<std::string> inputs = {name + ".record"};
    if (records == Records::kLate) {
      if (number == 0) {
        const int64_t one = 1;
        const float element = 1;
        graph.initializer(tensor("step0", kInt64, {1}, &one, sizeof one));
        graph.initializer(tensor("element", kFloat, {1}, &element, sizeof element));
        graph.add(node("LoadStep", {"element", "step0"}, {"step1"}, {}, "io.pseed"));
        graph.add(node("Nothing", {}, {"nothing"}, {}, "io.pseed"));
        function_protos.push_back(load_step_function());
        function_protos.push_back(nothing_function());
      }
      graph.add(node("Concat", {name + ".record", "nothing"}, {name + ".late"}, {int_attribute("axis", 0)}));
      inputs = {name + ".late", "step1"};
    }
    graph.add(node(number == 0 ? std::string("SeedDecode") : "SeedDecode_" + std::to_string(number), inputs, {name},
                   {ints_attribute("shape", dims)}, "io.pseed", "pseed/" + name));
    function_protos.push_back(zero_function(number, type));
    std::vector<std::string> texts;
    for (const int64_t dim : dims) {
      texts.push_back(std::to_string(dim));
    }
    graph.proto.message(13, value(name, tensor_type(type, texts)));
  }

  std::string bytes() {
    Message proto;
    proto.number(1, 9);
    const std::pair<const char *, int> sets[] = {{"", 17}, {"io.pseed", 1}};
    for (const auto &entry : sets) {
      Message set;
      set.text(1, entry.first);
      set.number(2, entry.second);
      proto.message(8, set);
    }
    proto.message(7, graph.named("test"));
    for (const Message &function : function_protos) {
      proto.message(25, function);
    }
    return proto.bytes();
  }
};

// ---- Sessions

struct Options {
  Options() { ort->check(ort->CreateSessionOptions(&get)); }
  ~Options() { ort->ReleaseSessionOptions(get); }
  Options(const Options &) = delete;
  Options &operator=(const Options &) = delete;
  Options &with_library() {
    ort->check(ort->RegisterCustomOpsLibrary_V2(get, library.c_str()));
    return *this;
  }
  OrtSessionOptions *get = nullptr;
};

OrtEnv *environment = nullptr;

struct Release {
  void operator()(OrtSession *session) const { ort->ReleaseSession(session); }
  void operator()(OrtValue *value) const { ort->ReleaseValue(value); }
  void operator()(OrtRunOptions *options) const { ort->ReleaseRunOptions(options); }
};
using Session = std::unique_ptr<OrtSession, Release>;
using Value = std::unique_ptr<OrtValue, Release>;

Session open(const std::string &model, const Options &options) {
  OrtSession *session = nullptr;
  ort->check(ort->CreateSessionFromArray(environment, model.data(), model.size(), options.get, &session));
  return Session(session);
}

Value floats(const std::vector<int64_t> &dims, uint64_t seed) {
  OrtValue *value = nullptr;
  ort->check(ort->CreateTensorAsOrtValue(ort->allocator, dims.data(), dims.size(), kFloat, &value));
  void *data = nullptr;
  ort->check(ort->GetTensorMutableData(value, &data));
  size_t count = 1;
  for (const int64_t dim : dims) {
    count *= static_cast<size_t>(dim);
  }
  SplitMix64 random(seed);
  for (size_t i = 0; i < count; i++) {
    static_cast<float *>(data)[i] = static_cast<float>(static_cast<int64_t>(random.next() % 2001) - 1000) / 500.0f;
  }
  return Value(value);
}

template <typename Item>
Value items(int type, const std::vector<int64_t> &dims, const std::vector<Item> &from) {
  OrtValue *value = nullptr;
  ort->check(ort->CreateTensorAsOrtValue(ort->allocator, dims.data(), dims.size(), type, &value));
  void *data = nullptr;
  ort->check(ort->GetTensorMutableData(value, &data));
  for (size_t i = 0; i < from.size(); i++) {
    static_cast<Item *>(data)[i] = from[i];
  }
  return Value(value);
}

Value texts(const std::vector<std::string> &from) {
  OrtValue *value = nullptr;
  const int64_t dim = static_cast<int64_t>(from.size());
  ort->check(ort->CreateTensorAsOrtValue(ort->allocator, &dim, 1, kString, &value));
  std::vector<const char *> pointers;
  for (const std::string &text : from) {
    pointers.push_back(text.c_str());
  }
  ort->check(ort->FillStringTensor(value, pointers.data(), pointers.size()));
  return Value(value);
}

using Feeds = std::map<std::string, OrtValue *>;

std::vector<Value> run(OrtSession *session, const Feeds &feeds, const std::vector<std::string> &outputs,
                       const OrtRunOptions *options = nullptr) {
  std::vector<const char *> names;
  std::vector<const OrtValue *> values;
  for (const auto &feed : feeds) {
    names.push_back(feed.first.c_str());
    values.push_back(feed.second);
  }
  std::vector<const char *> output_names;
  for (const std::string &output : outputs) {
    output_names.push_back(output.c_str());
  }
  std::vector<OrtValue *> results(outputs.size(), nullptr);
  OrtStatus *status = ort->Run(session, options, names.data(), values.data(), values.size(), output_names.data(), output_names.size(),
                               results.data());
  std::vector<Value> owners;
  for (OrtValue *result : results) {
    owners.emplace_back(result);
  }
  ort->check(status);
  return owners;
}

// Everything about a value, to compare: kind, type, dimensions, bytes.
std::string describe(const OrtValue *value) {
  int kind = 0;
  ort->check(ort->GetValueType(value, &kind));
  std::string out = "kind " + std::to_string(kind);
  if (kind != 1) {
    size_t count = 0;
    ort->check(ort->GetValueCount(value, &count));
    for (size_t i = 0; i < count; i++) {
      OrtValue *item = nullptr;
      ort->check(ort->GetValue(value, static_cast<int>(i), ort->allocator, &item));
      out += "; " + describe(Value(item).get());
    }
    return out;
  }
  OrtTensorTypeAndShapeInfo *info = nullptr;
  ort->check(ort->GetTensorTypeAndShape(value, &info));
  int type = 0;
  size_t rank = 0;
  ort->check(ort->GetTensorElementType(info, &type));
  ort->check(ort->GetDimensionsCount(info, &rank));
  std::vector<int64_t> dims(rank);
  ort->check(ort->GetDimensions(info, dims.data(), rank));
  ort->ReleaseTensorTypeAndShapeInfo(info);
  size_t count = 1;
  out += " type " + std::to_string(type) + " [";
  for (const int64_t dim : dims) {
    out += std::to_string(dim) + ",";
    count *= static_cast<size_t>(dim);
  }
  out += "] ";
  if (type == kString) {
    size_t size = 0;
    ort->check(ort->GetStringTensorDataLength(value, &size));
    std::string chars(size, '\0');
    std::vector<size_t> offsets(count);
    ort->check(ort->GetStringTensorContent(value, &chars[0], size, offsets.data(), count));
    for (const size_t offset : offsets) {
      out += std::to_string(offset) + ":";
    }
    return out + chars;
  }
  void *data = nullptr;
  ort->check(ort->GetTensorMutableData(const_cast<OrtValue *>(value), &data));
  const size_t width = type == kFloat || type == 6 ? 4 : type == kInt64 || type == 11 ? 8 : type == 10 || type == 16 ? 2 : 1;
  return out.append(static_cast<const char *>(data), count * width);
}

bool native() { return ort->minor >= 23; }

// Both forms of a model on the same inputs give the same; the records were decoded once.
void same(const std::string &what, const std::function<void(Model &)> &build, const Feeds &feeds, const std::vector<std::string> &outputs,
          int records, const std::function<void(Options &)> &set = {}, bool takes = true) {
  try {
    Model plain(false);
    build(plain);
    Model seeded(true);
    build(seeded);
    Options plain_options;
    Options options;
    options.with_library();
    if (set) {
      set(plain_options);
      set(options);
    }
    const Session expected_session = open(plain.bytes(), plain_options);
    take_log();
    Session session = open(seeded.bytes(), options);
    std::vector<std::string> lines = take_log();
    if (!native() || !takes) {
      run(session.get(), feeds, outputs);
      expect(!native() || logged(lines, "so the model decodes itself while it loads"), what + ": nothing was said");
      return;
    }
    const std::string count = std::to_string(records);
    expect(logged(lines, "decoded " + count + " records"), what + ": no line about " + count + " decoded records");
    for (int i = 0; i < 3; i++) {
      const std::vector<Value> expected = run(expected_session.get(), feeds, outputs);
      const std::vector<Value> actual = run(session.get(), feeds, outputs);
      for (size_t k = 0; k < outputs.size(); k++) {
        expect(describe(expected[k].get()) == describe(actual[k].get()), what + ": output " + outputs[k] + " differs");
      }
    }
    session.reset();
    expect(logged(take_log(), " records were decoded when the session was created, 0 later"), what + ": something was decoded later");
  } catch (const std::exception &e) {
    expect(false, what + ": " + e.what());
  }
}

// ---- The tests

void whole_models() {
  const Weights w = weights(64, 48, 1);
  const Weights v = weights(48, 32, 2);
  const Value x = floats({5, 64}, 7);
  const Value strings = texts({"a", "", "long \xC3\xBC text"});

  const auto matmul = [&](Model &m) {
    m.weight("w", w);
    m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
    m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
    m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  };
  same("one weight", matmul, {{"x", x.get()}}, {"y"}, 1);
  for (const int level : {0, 1, 2, 99}) {
    same("optimization level " + std::to_string(level), matmul, {{"x", x.get()}}, {"y"}, 1,
         [&](Options &o) { ort->check(ort->SetSessionGraphOptimizationLevel(o.get, level)); });
  }
  same("one thread", matmul, {{"x", x.get()}}, {"y"}, 1, [](Options &o) { ort->check(ort->SetIntraOpNumThreads(o.get, 1)); });
  same("nodes run in parallel", matmul, {{"x", x.get()}}, {"y"}, 1, [](Options &o) { ort->check(ort->SetSessionExecutionMode(o.get, 1)); });
  same("decoding by one thread", matmul, {{"x", x.get()}}, {"y"}, 1,
       [](Options &o) { ort->check(ort->AddSessionConfigEntry(o.get, "pseed.decode_threads", "1")); });

  same("two weights, two outputs, strings passing by, an optional input left out, a shape that depends on data",
       [&](Model &m) {
         m.weight("w", w);
         m.weight("v", v);
         m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
         m.graph.input("s", tensor_type(kString, {"N"}));
         const float limit = 1.5f;
         m.graph.initializer(tensor("limit", kFloat, {}, &limit, sizeof limit));
         m.graph.add(node("MatMul", {"x", "w"}, {"a"}));
         m.graph.add(node("Clip", {"a", "", "limit"}, {"b"}));
         m.graph.add(node("MatMul", {"b", "v"}, {"y"}));
         m.graph.add(node("NonZero", {"a"}, {"where"}));
         m.graph.add(node("Identity", {"s"}, {"t"}));
         m.graph.output("y", tensor_type(kFloat, {"M", "32"}));
         m.graph.output("where", tensor_type(kInt64, {"2", "found"}));
         m.graph.output("t", tensor_type(kString, {"N"}));
         m.graph.output("b", tensor_type(kFloat, {"M", "48"}));
       },
       {{"x", x.get()}, {"s", strings.get()}}, {"t", "where", "y", "b"}, 2);

  const Value yes = items<uint8_t>(kBool, {1}, {1});
  const Value no = items<uint8_t>(kBool, {1}, {0});
  const auto branches = [&](Model &m) {
    m.weight("w", w);
    m.weight("u", weights(64, 48, 3));
    m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
    m.graph.input("c", tensor_type(kBool, {"1"}));
    Graph one;
    one.add(node("MatMul", {"x", "w"}, {"one"}));
    one.output("one", tensor_type(kFloat, {"M", "48"}));
    Graph other;
    const float two[48] = {2, 2};
    other.initializer(tensor("bias", kFloat, {48}, two, sizeof two));
    other.add(node("MatMul", {"x", "u"}, {"product"}));
    other.add(node("Add", {"product", "bias"}, {"other"}));
    other.output("other", tensor_type(kFloat, {"M", "48"}));
    m.graph.add(node("If", {"c"}, {"y"}, {graph_attribute("then_branch", one.named("then")), graph_attribute("else_branch", other.named("else"))}));
    m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  };
  // Before 1.28 a value that only subgraphs use does not reach the provider: there the function decodes.
  const bool reaches = ort->minor >= 28;
  same("weights used in the branches of an If, taken", branches, {{"x", x.get()}, {"c", yes.get()}}, {"y"}, 2, {}, reaches);
  same("weights used in the branches of an If, not taken", branches, {{"x", x.get()}, {"c", no.get()}}, {"y"}, 2, {}, reaches);
  same("weights and an input used in the branches of an If and outside of it",
       [&](Model &m) {
         branches(m);
         m.graph.add(node("Relu", {"x"}, {"r"}));
         m.graph.output("r", tensor_type(kFloat, {"M", "64"}));
       },
       {{"x", x.get()}, {"c", yes.get()}}, {"y", "r"}, 2);

  const Value trips = items<int64_t>(kInt64, {}, {3});
  same("a weight used in the body of a Loop",
       [&](Model &m) {
         m.weight("q", weights(64, 64, 4));
         m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
         m.graph.input("n", tensor_type(kInt64, {}));
         Graph body;
         body.input("i", tensor_type(kInt64, {}));
         body.input("go", tensor_type(kBool, {}));
         body.input("state", tensor_type(kFloat, {"M", "64"}));
         body.add(node("MatMul", {"state", "q"}, {"next"}));
         body.add(node("Identity", {"go"}, {"on"}));
         body.add(node("Identity", {"next"}, {"scan"}));
         body.output("on", tensor_type(kBool, {}));
         body.output("next", tensor_type(kFloat, {"M", "64"}));
         body.output("scan", tensor_type(kFloat, {"M", "64"}));
         m.graph.add(node("Loop", {"n", "", "x"}, {"y", "all"}, {graph_attribute("body", body.named("body"))}));
         m.graph.output("y", tensor_type(kFloat, {"M", "64"}));
         m.graph.output("all", tensor_type(kFloat, {"n", "M", "64"}));
       },
       {{"x", x.get()}, {"n", trips.get()}}, {"y", "all"}, 1);

  // A sequence: inside it goes where it goes; what gives one to the outside stays outside.
  Message of;
  of.message(1, tensor_type(kFloat, {}, false));
  // 1.23.0 and 1.23.1 cannot divide a graph: there the function decodes.
  const bool divides = ort->minor != 23 || std::strncmp(ort->base->GetVersionString(), "1.23.2", 6) == 0;
  Message sequence;
  sequence.message(4, of);
  const Value first = floats({2, 64}, 8);
  OrtValue *pair = nullptr;
  const OrtValue *parts[] = {first.get(), x.get()};
  ort->check(ort->CreateValue(parts, 2, 2, &pair));
  const Value list(pair);
  same("sequences come in, pass by and go out, and divide the graph",
       [&](Model &m) {
         m.weight("w", w);
         m.weight("v", v);
         const int64_t one = 1;
         m.graph.initializer(tensor("one", kInt64, {}, &one, sizeof one));
         m.graph.input("l", sequence);
         m.graph.add(node("SequenceAt", {"l", "one"}, {"x"}));
         m.graph.add(node("MatMul", {"x", "w"}, {"a"}));
         m.graph.add(node("SequenceConstruct", {"a", "a"}, {"list"}));
         m.graph.add(node("SequenceAt", {"list", "one"}, {"b"}));
         m.graph.add(node("MatMul", {"b", "v"}, {"y"}));
         m.graph.add(node("SequenceConstruct", {"y", "a"}, {"out"}));
         m.graph.output("list", sequence);
         m.graph.output("out", sequence);
         m.graph.output("y", tensor_type(kFloat, {"M", "32"}));
       },
       {{"l", list.get()}}, {"list", "out", "y"}, 1, {}, divides);

  same("a weight that is an output of the model",
       [&](Model &m) {
         m.weight("w", w);
         m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
         m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
         m.graph.add(node("Identity", {"w"}, {"copy"}));
         m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
         m.graph.output("copy", tensor_type(kFloat, {"64", "48"}));
       },
       {{"x", x.get()}}, {"y", "copy"}, 1);

  same("constants large and small, a tiny record",
       [&](Model &m) {
         m.weight("w", w);
         m.weight("tiny", weights(2, 3, 5));
         std::vector<float> big(64 * 100);
         for (size_t i = 0; i < big.size(); i++) {
           big[i] = static_cast<float>(i % 17) - 8;
         }
         m.graph.initializer(tensor("big", kFloat, {64, 100}, big.data(), big.size() * sizeof(float)));
         const int64_t axes[] = {-1};
         m.graph.initializer(tensor("axes", kInt64, {1}, axes, sizeof axes));
         m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
         m.graph.add(node("MatMul", {"x", "w"}, {"a"}));
         m.graph.add(node("MatMul", {"x", "big"}, {"b"}));
         m.graph.add(node("ReduceSum", {"tiny", "axes"}, {"t"}, {int_attribute("keepdims", 0)}));
         m.graph.add(node("ReduceSum", {"b", "axes"}, {"sum"}));
         m.graph.add(node("Add", {"a", "sum"}, {"y"}));
         m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
         m.graph.output("t", tensor_type(kFloat, {"2"}));
       },
       {{"x", x.get()}}, {"y", "t"}, 2);
}

// What is joined with more than nothing is no record that is known: such a node is the function's.
void records_in_part() {
  const Weights w = weights(64, 48, 1);
  Model m(true);
  const std::vector<uint8_t> begin(w.record.begin(), w.record.end() - 4);
  m.graph.initializer(tensor("begin", kUint8, {static_cast<int64_t>(begin.size())}, begin.data(), begin.size()));
  m.graph.input("end", tensor_type(kUint8, {"4"}));
  m.graph.add(node("Concat", {"begin", "end"}, {"w.record"}, {int_attribute("axis", 0)}));
  m.decode("w", kFloat, w.dims);
  m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
  m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
  m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  const Value x = floats({1, 64}, 7);
  const Value end = items<uint8_t>(kUint8, {4}, {w.record.end() - 4, w.record.end()});
  try {
    Options options;
    options.with_library();
    take_log();
    const Session session = open(m.bytes(), options);
    expect(!logged(take_log(), "pseed: decoded"), "a record of which a part comes with each run was decoded at load");
    const std::string zeros = describe(items<float>(kFloat, {1, 48}, std::vector<float>(48)).get());
    expect(describe(run(session.get(), {{"x", x.get()}, {"end", end.get()}}, {"y"})[0].get()) == zeros, "a record in two parts: not its function's");
  } catch (const std::exception &e) {
    expect(false, std::string("a record in two parts: ") + e.what());
  }
}

void sessions_side_by_side() {
  const Weights w = weights(64, 48, 1);
  const auto model = [&](bool seeds) {
    Model m(seeds);
    m.weight("w", w);
    m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
    m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
    m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
    return m.bytes();
  };
  const std::string seeded = model(true);
  const std::string plain = model(false);
  const Value x = floats({5, 64}, 7);
  Options plain_options;
  const std::string expected = describe(run(open(plain, plain_options).get(), {{"x", x.get()}}, {"y"})[0].get());
  const auto right = [&](OrtSession *session) { return describe(run(session, {{"x", x.get()}}, {"y"})[0].get()) == expected || !native(); };
  try {
    // One set of options for several sessions, closed in any order, the options first.
    auto options = std::make_unique<Options>();
    options->with_library();
    options->with_library();
    Session a = open(seeded, *options);
    Session b = open(seeded, *options);
    Session c = open(plain, *options);
    options.reset();
    expect(right(a.get()) && right(b.get()) && right(c.get()), "three sessions of the same options");
    a.reset();
    expect(right(b.get()) && right(c.get()), "the first session is closed");
    c.reset();
    expect(right(b.get()), "the last session is closed");
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; i++) {
          wrong += right(b.get()) ? 0 : 1;
        }
      });
    }
    for (int t = 0; t < 3; t++) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; i++) {
          Options own;
          own.with_library();
          const Session session = open(seeded, own);
          wrong += right(session.get()) ? 0 : 1;
        }
      });
    }
    for (std::thread &thread : threads) {
      thread.join();
    }
    expect(wrong == 0, "runs and sessions in several threads");

    // A run that is to be terminated does not give a result, inside as outside.
    OrtRunOptions *run_options = nullptr;
    ort->check(ort->CreateRunOptions(&run_options));
    const std::unique_ptr<OrtRunOptions, Release> owner(run_options);
    expect(!run(b.get(), {{"x", x.get()}}, {"y"}, run_options).empty(), "a run with options of its own");
    ort->check(ort->RunOptionsSetTerminate(run_options));
    bool terminated = false;
    try {
      run(b.get(), {{"x", x.get()}}, {"y"}, run_options);
    } catch (const std::exception &) {
      terminated = true;
    }
    expect(terminated, "a run is terminated");
    expect(right(b.get()), "a run after one that was terminated");
  } catch (const std::exception &e) {
    expect(false, std::string("sessions side by side: ") + e.what());
  }
}

void without_decode_nodes() {
  const Value x = floats({5, 64}, 7);
  Model m(false);
  m.weight("w", weights(64, 48, 1));
  m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
  m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
  m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  Options options;
  options.with_library();
  take_log();
  Session session = open(m.bytes(), options);
  run(session.get(), {{"x", x.get()}}, {"y"});
  session.reset();
  expect(take_log().empty(), "the provider has nothing to say about a model without decode nodes");
}

// A payload that is external data of the model's file, in a folder of its own.
void external_payload(const std::string &folder) {
  const Weights w = weights(64, 48, 1);
  const Value x = floats({5, 64}, 7);
  const std::string file = folder + "/ort_test.model.onnx";
  const std::string payload = folder + "/ort_test.model.pseed";
  Model m(true);
  Message record;
  record.number(1, static_cast<int64_t>(w.record.size()));
  record.number(2, kUint8);
  record.text(8, "w.record");
  const std::pair<const char *, std::string> entries[] = {
      {"location", "ort_test.model.pseed"}, {"offset", "4096"}, {"length", std::to_string(w.record.size())}};
  for (const auto &entry : entries) {
    Message pair;
    pair.text(1, entry.first);
    pair.text(2, entry.second);
    record.message(13, pair);
  }
  record.number(14, 1);
  m.graph.initializer(record);
  m.decode("w", kFloat, w.dims);
  m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
  m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
  m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  const auto write = [](const std::string &to, const std::string &bytes) {
    std::ofstream out(to, std::ios::binary);
    out << bytes;
  };
  write(file, m.bytes());
  std::string bytes(4096, 'x');
  bytes.append(reinterpret_cast<const char *>(w.record.data()), w.record.size());
  write(payload, bytes);
  try {
    Options options;
    options.with_library();
    OrtSession *opened = nullptr;
    ort->check(ort->CreateSession(environment, path(file).c_str(), options.get, &opened));
    Session session(opened);
    const std::vector<Value> actual = run(session.get(), {{"x", x.get()}}, {"y"});
    Model plain(false);
    plain.weight("w", w);
    plain.graph.input("x", tensor_type(kFloat, {"M", "64"}));
    plain.graph.add(node("MatMul", {"x", "w"}, {"y"}));
    plain.graph.output("y", tensor_type(kFloat, {"M", "48"}));
    Options plain_options;
    const std::vector<Value> expected = run(open(plain.bytes(), plain_options).get(), {{"x", x.get()}}, {"y"});
    expect(!native() || describe(actual[0].get()) == describe(expected[0].get()), "a payload outside of the model");
    session.reset();
    if (native()) {
      // A damaged one: the sentence names the file and the place in it.
      bytes[4096 + 100] = static_cast<char>(bytes[4096 + 100] ^ 1);
      write(payload, bytes);
      std::string message;
      try {
        ort->check(ort->CreateSession(environment, path(file).c_str(), options.get, &opened));
        Session(opened).reset();
      } catch (const std::exception &e) {
        message = e.what();
      }
      expect(message.find("ort_test.model.pseed: tensor 'w': recordCrc is ") != std::string::npos &&
                 message.find("file offset " + std::to_string(4096 + w.record.size() - 4)) != std::string::npos,
             "a damaged payload outside of the model: " + message);
    }
  } catch (const std::exception &e) {
    expect(false, std::string("a payload outside of the model: ") + e.what());
  }
  std::remove(file.c_str());
  std::remove(payload.c_str());
}

// With floats like 3.6893488E19 as their values: Java before 19 prints some with a digit more than they need.
std::string floats_as_values(const std::string &line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    size_t end = at;
    while (end < line.size() && std::strchr("0123456789.E-", line[end]) != nullptr) {
      end++;
    }
    const std::string token = line.substr(at, end - at);
    if (token.find('E') != std::string::npos && token.find('.') != std::string::npos) {
      char text[64];
      std::snprintf(text, sizeof text, "%a", static_cast<double>(std::strtof(token.c_str(), nullptr)));
      out += text;
    } else {
      out += token;
    }
    at = end;
    if (at < line.size()) {
      out += line[at++];
    }
  }
  return out;
}

bool is_record(const std::string &file) { return file.size() > 4 && file.compare(file.size() - 4, 4, ".rec") == 0; }

// Every record of the conformance vectors in a session: the decoded bytes, or the core's sentence.
void vectors(const std::string &root, const std::string &sentences_file) {
  std::map<std::string, std::string> sentences;
  std::ifstream lines(sentences_file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) {
      sentences[line.substr(0, tab)] = line.substr(tab + 1);
    }
  }
  const int types[] = {1, 10, 16, 11};  // of ONNX, by id of ours
  const std::string valid_text = slurp(root + "/valid.json");
  const std::string invalid_text = slurp(root + "/invalid.json");
  int valid = 0;
  int other = 0;
  int invalid = 0;
  Options options;
  options.with_library();
  Options small;
  small.with_library();
  ort->check(ort->AddSessionConfigEntry(small.get, "pseed.max_tensor_bytes", std::to_string(PSEED_LIMIT_SMALL).c_str()));
  const Json list = JsonReader(valid_text).read();
  for (const Json &entry : list.items) {
    const std::string &file = entry.at("file").text;
    if (!is_record(file)) {
      continue;
    }
    const std::string bytes = slurp(root + "/" + file);
    pseed_record *record = nullptr;
    pseed_error error;
    pseed_record_info info;
    pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error);
    pseed_record_get_info(record, &info);
    std::string decoded(info.decoded_bytes, '\0');
    pseed_record_decode(record, &decoded[0], decoded.size(), nullptr, &error);
    pseed_record_close(record);
    if (info.dtype > 4 || file == "valid/raw-no-elements-huge.rec") {
      other++;  // raw tensors of other types are never decode nodes; and no runtime takes 0 x 2^60 elements
      continue;
    }
    valid++;
    const int type = types[info.dtype - 1];
    const std::vector<int64_t> dims(info.dims, info.dims + info.rank);
    Model m(true);
    m.record("w", bytes.data(), bytes.size(), type, dims);
    std::vector<std::string> texts;
    for (const int64_t dim : dims) {
      texts.push_back(std::to_string(dim));
    }
    m.graph.input("x", tensor_type(kFloat, {"1"}));
    m.graph.add(node("Identity", {"x"}, {"z"}));
    m.graph.add(node("Identity", {"w"}, {"y"}));
    m.graph.output("y", tensor_type(type, texts));
    m.graph.output("z", tensor_type(kFloat, {"1"}));
    try {
      const Value x = floats({1}, 1);
      const Session session = open(m.bytes(), options);
      const std::string actual = describe(run(session.get(), {{"x", x.get()}}, {"y"})[0].get());
      expect(!native() || (actual.size() >= decoded.size() && actual.compare(actual.size() - decoded.size(), decoded.size(), decoded) == 0),
             file + ": the decoded values differ");
    } catch (const std::exception &e) {
      expect(false, file + ": " + e.what());
    }
  }
  const Json bad = JsonReader(invalid_text).read();
  for (const Json &entry : bad.items) {
    const std::string &file = entry.at("file").text;
    if (!is_record(file) || !native()) {
      continue;
    }
    invalid++;
    const std::string bytes = slurp(root + "/" + file);
    // Where only decoding shows what is wrong, the model declares what the record says, so that it comes so far.
    std::vector<int64_t> dims = {4, 4};
    int type = kFloat;
    pseed_record *record = nullptr;
    pseed_error error;
    if (pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error) == PSEED_OK) {
      pseed_record_info info;
      pseed_record_get_info(record, &info);
      pseed_record_close(record);
      dims.assign(info.dims, info.dims + info.rank);
      type = types[info.dtype - 1];
    }
    Model m(true);
    m.record("w", bytes.data(), bytes.size(), type, dims);
    m.graph.input("x", tensor_type(kFloat, {"1"}));
    m.graph.add(node("Identity", {"x"}, {"z"}));
    m.graph.output("z", tensor_type(kFloat, {"1"}));
    m.graph.add(node("Identity", {"w"}, {"v"}));
    m.graph.output("v", tensor_type(type, {}, false));
    std::string message = "the session was created";
    try {
      open(m.bytes(), entry.has("limits") ? small : options);
    } catch (const std::exception &e) {
      message = e.what();
    }
    // In a session the tensor has a name.
    std::string expected = sentences[file];
    expected.replace(0, file.size(), "model: tensor 'w'");
    expect(floats_as_values(message).find(floats_as_values(expected)) != std::string::npos,
           file + "\n  expected: " + expected + "\n       got: " + message);
  }
  std::printf("%d valid records in sessions, %d of types that no decode node gives, %d invalid ones\n", valid, other, invalid);
  expect(valid > 0 && (invalid > 0 || !native()), "the vectors were not found");
}

// What the library says to a runtime that it does not fit.
namespace misfit {

const char *version = nullptr;

const char *PSEED_ORT_CALL get_version() { return version; }
const void *PSEED_ORT_CALL get_api(uint32_t number) { return number == 1 ? ort->base->GetApi(1) : nullptr; }

}  // namespace misfit

void misfits() {
  using Register = OrtStatus *(PSEED_ORT_CALL *)(OrtSessionOptions *, const ApiBase *);
#if defined(_WIN32)
  const HMODULE module = LoadLibraryW(library.c_str());
  const auto entry = reinterpret_cast<Register>(reinterpret_cast<void *>(GetProcAddress(module, "RegisterCustomOps")));
#else
  void *module = dlopen(library.c_str(), RTLD_NOW);
  const auto entry = reinterpret_cast<Register>(dlsym(module, "RegisterCustomOps"));
#endif
  expect(entry != nullptr, "the library exports RegisterCustomOps");
  if (entry == nullptr) {
    return;
  }
  const ApiBase base = {misfit::get_api, misfit::get_version};
  const std::pair<const char *, const char *> cases[] = {
      {"1.19.2", "pseed: ONNX Runtime is 1.19.2, expected 1.20 or newer"},
      {"2.0.0", "pseed: ONNX Runtime is 2.0.0, expected 1.20 or newer"},
      {"1.x", "pseed: ONNX Runtime is 1.x, expected 1.20 or newer"},
      {"1.40.0", "pseed: ONNX Runtime calls itself 1.40.0, yet has no functions of version 23"},
  };
  for (const auto &item : cases) {
    Options options;
    misfit::version = item.first;
    std::string message;
    try {
      ort->check(entry(options.get, &base));
    } catch (const std::exception &e) {
      message = e.what();
    }
    expect(message.compare(0, std::strlen(item.second), item.second) == 0, std::string("version ") + item.first + ": " + message);
  }
}

void older_options() {
  auto early = std::make_unique<Options>();
  early->with_library();
  ort->check(ort->CreateEnv(2, "ort_test", &environment));
  const Value x = floats({5, 64}, 7);
  Model m(true);
  m.weight("w", weights(64, 48, 1));
  m.graph.input("x", tensor_type(kFloat, {"M", "64"}));
  m.graph.add(node("MatMul", {"x", "w"}, {"y"}));
  m.graph.output("y", tensor_type(kFloat, {"M", "48"}));
  Session session = open(m.bytes(), *early);
  expect(!run(session.get(), {{"x", x.get()}}, {"y"}).empty(), "options that are older than the environment");
  session.reset();
  early.reset();
  ort->ReleaseEnv(environment);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "usage: ort_test RUNTIME LIBRARY [TESTDATA SENTENCES]\n");
    return 2;
  }
  Client client(argv[1]);
  ort = &client;
  library = path(argv[2]);
  if (argc == 3) {
    older_options();
    return failures == 0 ? 0 : 1;
  }
  client.check(client.CreateEnvWithCustomLogger(keep_line, nullptr, 1, "ort_test", &environment));
  misfits();
  for (const Records way : {Records::kAtOnce, Records::kLate}) {
    records = way;
    whole_models();
    sessions_side_by_side();
  }
  records = Records::kAtOnce;
  records_in_part();
  without_decode_nodes();
  external_payload(".");
  vectors(argv[3], argv[4]);
  client.ReleaseEnv(environment);
  std::printf("ONNX Runtime %s, %s: %d checks, %d failures\n", client.base->GetVersionString(),
              native() ? "decoded by the provider" : "nothing registered", checks, failures);
  return failures == 0 ? 0 : 1;
}
