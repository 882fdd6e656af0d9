// Which nodes of a graph run inside: chosen so that what is fused to one node is never in front of and behind a node that stays outside.
#ifndef PSEED_ORT_PARTITION_HPP
#define PSEED_ORT_PARTITION_HPP

#include <set>
#include <string>
#include <vector>

#include "runtime.hpp"

namespace pseed_ort {

// Remembers, for one session, which operators of foreign domains the runtime left in the graph when it could have inlined them: what is
// neither the runtime's nor inlined is a custom operator of another library, which the session inside knows as well.
class ForeignOperators {
 public:
  // Whether the node may run inside.
  bool may_run_inside(const OrtNode *node) const;
  // Whether the runtime has had no occasion yet to inline the node.
  bool is_new(const OrtNode *node) const;
  // To be called with all nodes of the graph, after the questions were asked for them.
  void seen(const std::vector<const OrtNode *> &nodes);

 private:
  std::set<std::string> stayed_;
};

struct Partition {
  // The nodes of each part that holds a decode node, in the graph's order. None where weights would have to be given to the outside in
  // every run: the runtime inlines the decode nodes' functions then, and folds them to constants.
  std::vector<std::vector<const OrtNode *>> parts;
  std::string why_not;
};

Partition partition(const OrtGraph *graph, ForeignOperators &foreign);

}  // namespace pseed_ort
#endif
