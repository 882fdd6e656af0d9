#include "partition.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "inner_model.hpp"
#include "pseed_ort.h"

namespace pseed_ort {

namespace {

bool is_runtimes(const std::string &domain) {
  static const char *const domains[] = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training",
                                        "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"};
  return std::any_of(std::begin(domains), std::end(domains), [&](const char *known) { return domain == known; });
}

std::string key(const OrtNode *node) { return domain(node) + ":" + operator_type(node); }

bool assigned(const OrtNode *node) {
  const char *provider = nullptr;
  check(runtime()->Node_GetEpName(node, &provider));
  return provider != nullptr && *provider != 0 && std::strcmp(provider, PSEED_ORT_PROVIDER) != 0;
}

struct Part {
  const OrtNode *node;
  bool seed;
  bool outside;
  bool constant;  // needs nothing that comes with a run
  int level = 0;  // nodes that stay outside, at most, on a way that leads here
  std::vector<size_t> producers;
  std::vector<size_t> consumers;
  std::vector<const OrtValueInfo *> outputs;
  std::vector<size_t> producers_of_others;  // of what it takes that is no tensor
  bool takes_others = false;                // whether the graph's callers give it something that is no tensor
  std::vector<std::string> explicit_inputs;
  std::vector<std::pair<std::string, size_t>> captured;  // what its subgraphs use, no constants, and its producer; none: kCaller
};

constexpr size_t kCaller = SIZE_MAX;

// A node that stays outside divides the graph: nodes before it and nodes behind it go to different parts. All nodes with equally many
// such nodes before them make one part.
void set_levels(std::vector<Part> &parts) {
  for (Part &part : parts) {
    part.level = 0;
    for (const size_t producer : part.producers) {
      part.level = std::max(part.level, parts[producer].level + (parts[producer].outside ? 1 : 0));
    }
  }
  // What depends on constants only goes where it is used first: weights are decoded in the part that multiplies by them.
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->constant && !part->outside && !part->consumers.empty()) {
      part->level = parts[part->consumers[0]].level;
      for (const size_t consumer : part->consumers) {
        part->level = std::min(part->level, parts[consumer].level);
      }
    }
  }
}

bool is_tensor(const OrtValueInfo *value) { return value == nullptr || name(value).empty() || kind(type(value)) == kTensor; }

// Parts give and take tensors, nothing else: an operator that gives a sequence to another part, or takes one from there, stays outside.
// True where nothing had to change.
bool only_tensors_cross(std::vector<Part> &parts) {
  bool fine = true;
  for (Part &part : parts) {
    if (part.outside) {
      continue;
    }
    bool crosses = part.takes_others;
    for (const OrtValueInfo *output : part.outputs) {
      if (!is_tensor(output)) {
        bool of_graph = false;
        check(runtime()->ValueInfo_IsGraphOutput(output, &of_graph));
        crosses |= of_graph;
        for (const size_t consumer : part.consumers) {
          crosses |= parts[consumer].outside || parts[consumer].level != part.level;
        }
      }
    }
    for (const size_t producer : part.producers_of_others) {
      crosses |= parts[producer].outside || parts[producer].level != part.level;
    }
    if (crosses) {
      part.outside = true;
      fine = false;
    }
  }
  return fine;
}

// Before 1.28 a runtime hands to a part only what its nodes take themselves, and forgets what only their subgraphs use. True where nothing
// had to change.
bool subgraphs_get_what_they_use(std::vector<Part> &parts) {
  std::set<std::pair<int, std::string>> handed;
  for (const Part &part : parts) {
    for (const std::string &input : part.explicit_inputs) {
      if (!part.outside) {
        handed.emplace(part.level, input);
      }
    }
  }
  bool fine = true;
  for (Part &part : parts) {
    for (const auto &value : part.captured) {
      const bool within = value.second != kCaller && !parts[value.second].outside && parts[value.second].level == part.level;
      if (!part.outside && !within && handed.count({part.level, value.first}) == 0) {
        part.outside = true;
        fine = false;
      }
    }
  }
  return fine;
}

}  // namespace

bool ForeignOperators::is_new(const OrtNode *node) const { return !is_runtimes(domain(node)) && stayed_.count(key(node)) == 0; }

bool ForeignOperators::may_run_inside(const OrtNode *node) const {
  return is_runtimes(domain(node)) || stayed_.count(key(node)) != 0;
}

void ForeignOperators::seen(const std::vector<const OrtNode *> &nodes) {
  for (const OrtNode *node : nodes) {
    if (!is_runtimes(domain(node))) {
      stayed_.insert(key(node));
    }
  }
}

Partition partition(const OrtGraph *graph, ForeignOperators &foreign) {
  const std::vector<const OrtNode *> all = nodes(graph);
  if (std::none_of(all.begin(), all.end(), is_seed_decode)) {
    return {};
  }
  std::vector<Part> parts;
  std::map<std::string, size_t> producer_of;
  bool unseen = false;
  for (const OrtNode *node : all) {
    Part part{node, is_seed_decode(node), false, true, 0, {}, {}, outputs(node), {}, false, {}, {}};
    const bool ours = part.seed || is_load_step(node) || is_nothing(node);
    part.outside = assigned(node) || !can_write(node) || !(ours || foreign.may_run_inside(node));
    unseen |= !ours && foreign.is_new(node);
    for (const bool captured : {false, true}) {
      for (const OrtValueInfo *value : captured ? implicit_inputs(node) : inputs(node)) {
        if (value == nullptr || name(value).empty()) {
          continue;
        }
        const auto found = producer_of.find(name(value));
        const size_t producer = found == producer_of.end() ? kCaller : found->second;
        const bool constant = producer == kCaller ? is_constant(value) : parts[producer].constant;
        part.constant &= constant;
        if (producer != kCaller) {
          part.producers.push_back(producer);
          parts[producer].consumers.push_back(parts.size());
        }
        if (!is_tensor(value)) {
          part.takes_others |= producer == kCaller;
          if (producer != kCaller) {
            part.producers_of_others.push_back(producer);
          }
        }
        if (!captured) {
          part.explicit_inputs.push_back(name(value));
        } else if (producer != kCaller || !constant) {
          part.captured.emplace_back(name(value), producer);
        }
      }
    }
    for (const OrtValueInfo *value : part.outputs) {
      if (value != nullptr && !name(value).empty()) {
        producer_of[name(value)] = parts.size();
      }
    }
    parts.push_back(std::move(part));
  }
  foreign.seen(all);
  do {
    set_levels(parts);
  } while (!only_tensors_cross(parts) || (runtime()->minor < 28 && !subgraphs_get_what_they_use(parts)));

  Partition found;
  // While the runtime may still inline functions of other domains, nothing is decided: only what is claimed stays as it is.
  for (const Part &part : parts) {
    if (unseen) {
      break;
    }
    if (part.outside && runtime()->minor == 23 && runtime()->patch < 2) {
      // Between parts and what is outside these put copies to a device, for which they have no kernel.
      found.why_not = "operator " + operator_type(part.node) + " cannot run inside, and ONNX Runtime before 1.23.2 cannot divide a graph";
    }
    for (const size_t consumer : part.consumers) {
      if (part.seed && (part.outside || parts[consumer].outside || parts[consumer].level != part.level)) {
        found.why_not = "weights are used by operator " + operator_type(parts[consumer].node) + ", which cannot run where they are decoded";
      }
    }
    if (!found.why_not.empty()) {
      return found;
    }
  }
  std::map<int, std::vector<const OrtNode *>> by_level;
  std::set<int> with_seeds;
  for (const Part &part : parts) {
    if (part.outside) {
      continue;
    }
    by_level[part.level].push_back(part.node);
    if (part.seed) {
      with_seeds.insert(part.level);
    }
  }
  for (auto &level : by_level) {
    if (with_seeds.count(level.first) != 0) {
      found.parts.push_back(std::move(level.second));
    }
  }
  return found;
}

}  // namespace pseed_ort
