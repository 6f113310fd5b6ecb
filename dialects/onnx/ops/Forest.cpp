#include "onnx/ops/Forest.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace mlc::onnx {

int32_t ForestBuilder::addNodes(int64_t count) {
  int32_t first = forest.nodes.size();
  for (int64_t i = 0; i < count; ++i) {
    int32_t self = first + i;
    forest.nodes.push_back({.left = self, .right = self});
  }
  return first;
}

double ForestBuilder::before(double value) const {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), least = -std::numeric_limits<double>::infinity();
  if (std::isnan(value) || value == least)
    return nan;
  return isSingle ? std::nextafter((float)value, -std::numeric_limits<float>::infinity())
                  : std::nextafter(value, least);
}

void ForestBuilder::ask(int32_t node, Branch branch, int64_t feature, double value, bool missing, int32_t yes,
                        int32_t no) {
  // Nothing is greater than or equal to NaN, nor less: the question is never answered by yes.
  bool isNever = std::isnan(value) && (branch == Branch::GreaterEqual || branch == Branch::Greater);
  bool isNegated = !isNever && llvm::is_contained({Branch::GreaterEqual, Branch::Greater, Branch::NotEqual}, branch);
  if (isNegated) { // x > v asks the contrary of x <= v
    std::swap(yes, no);
    missing = !missing;
  }
  auto set = [&](int32_t at, double threshold, bool missingGoesLeft, int32_t left, int32_t right) {
    forest.nodes[at] = {(int32_t)feature, missingGoesLeft, threshold, left, right};
  };
  switch (branch) {
  case Branch::LessEqual:
  case Branch::Greater:
    return set(node, value, missing, yes, no);
  case Branch::Less:
  case Branch::GreaterEqual:
    return set(node, before(value), missing, yes, no);
  case Branch::Equal:
  case Branch::NotEqual: // x = v: x <= v, and not x <= the number before v
    int32_t second = addNodes(1);
    set(node, value, missing, second, no);
    return set(second, before(value), false, no, yes);
  }
}

FailureOr<Forest> ForestBuilder::finish(Operation *op) && {
  ArrayRef<Forest::Node> nodes = forest.nodes;
  auto isLeaf = [&](int32_t node) { return nodes[node].left == node && nodes[node].right == node; };

  // Questions below each node, by a walk that comes back to each node after its children.
  constexpr int64_t unknown = -1, open = -2;
  SmallVector<int64_t> heights(nodes.size(), unknown);
  for (int32_t root : forest.roots) {
    SmallVector<int32_t> path = {root};
    while (!path.empty()) {
      int32_t node = path.back();
      if (heights[node] >= 0 || isLeaf(node)) {
        heights[node] = std::max<int64_t>(heights[node], 0);
        path.pop_back();
        continue;
      }
      int64_t left = heights[nodes[node].left], right = heights[nodes[node].right];
      if (left >= 0 && right >= 0) {
        heights[node] = 1 + std::max(left, right);
        path.pop_back();
        continue;
      }
      heights[node] = open;
      int32_t next = left < 0 ? nodes[node].left : nodes[node].right;
      if (heights[next] == open)
        return op->emitOpError("expects trees, got nodes that lead in a circle");
      path.push_back(next);
    }
    forest.depth = std::max(forest.depth, heights[root]);
  }

  // Level by level, tree by tree; leaves are numbered behind.
  SmallVector<int32_t> questions, leaves, places(nodes.size(), -1);
  for (int32_t root : forest.roots) {
    SmallVector<int32_t> level = {root};
    for (size_t i = 0; i < level.size(); ++i) {
      int32_t node = level[i];
      if (places[node] >= 0)
        continue;
      SmallVector<int32_t> &list = isLeaf(node) ? leaves : questions;
      places[node] = list.size();
      list.push_back(node);
      if (!isLeaf(node))
        level.append({nodes[node].left, nodes[node].right});
    }
  }
  Forest result;
  result.firstLeaf = questions.size();
  result.depth = forest.depth;
  auto placeOf = [&](int32_t node) { return places[node] + (isLeaf(node) ? result.firstLeaf : 0); };
  for (int32_t node : llvm::concat<int32_t>(questions, leaves)) {
    Forest::Node moved = nodes[node];
    moved.left = placeOf(moved.left);
    moved.right = placeOf(moved.right);
    result.nodes.push_back(moved);
    result.features = std::max(result.features, isLeaf(node) ? 0 : moved.feature + 1);
  }
  for (int32_t root : forest.roots)
    result.roots.push_back(placeOf(root));
  for (Forest::Vote vote : forest.votes)
    if (places[vote.leaf] >= 0)
      result.votes.push_back({placeOf(vote.leaf), vote.target, vote.weight});
  return result;
}

} // namespace mlc::onnx
