#include "onnx/ops/ReadForest.h"
#include "onnx/Constants.h"
#include "onnx/Lowering.h"
#include "onnx/ops/Scores.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace mlir;

namespace mlc::onnx {

SmallVector<double> numbersOf(std::optional<ArrayRef<float>> floats, std::optional<ElementsAttr> tensor) {
  if (!tensor)
    return SmallVector<double>(floats.value_or(ArrayRef<float>()));
  std::vector<char> storage;
  ArrayRef<char> bytes = bytesOf(*tensor, storage);
  SmallVector<double> numbers(tensor->getNumElements());
  Type element = tensor->getElementType();
  auto read = [&]<typename T>(T) {
    for (auto [i, number] : llvm::enumerate(numbers)) {
      T value;
      memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      number = (double)value;
    }
  };
  if (element.isF64())
    read(double());
  else if (element.isF32())
    read(float());
  else
    read(uint8_t()); // the modes of TreeEnsemble
  return numbers;
}

Type compareType(Value x) {
  Type element = Lowering::element(x);
  return element.isF64() ? element : Float32Type::get(x.getContext());
}

LogicalResult checkLength(Operation *op, StringRef name, size_t length, size_t expected) {
  if (length == expected)
    return success();
  return op->emitOpError("expects ") << expected << " entries of " << name << ", got " << length;
}

static std::optional<Branch> branchOf(StringRef mode) {
  return llvm::StringSwitch<std::optional<Branch>>(mode)
      .Case("BRANCH_LEQ", Branch::LessEqual)
      .Case("BRANCH_LT", Branch::Less)
      .Case("BRANCH_GTE", Branch::GreaterEqual)
      .Case("BRANCH_GT", Branch::Greater)
      .Case("BRANCH_EQ", Branch::Equal)
      .Case("BRANCH_NEQ", Branch::NotEqual)
      .Default(std::nullopt);
}

/// The forest of TreeEnsembleRegressor and TreeEnsembleClassifier, which number nodes within each tree.
template <typename Op> static FailureOr<Forest> numberedForest(Op op, const Votes &votes, int64_t targets) {
  ArrayRef<int64_t> trees = orNone(op.getNodesTreeids()), ids = orNone(op.getNodesNodeids()),
                    features = orNone(op.getNodesFeatureids()), yes = orNone(op.getNodesTruenodeids()),
                    no = orNone(op.getNodesFalsenodeids()), missing = orNone(op.getNodesMissingValueTracksTrue());
  SmallVector<double> values = numbersOf(op.getNodesValues(), op.getNodesValuesAsTensor());
  SmallVector<StringRef> modes;
  if (std::optional<ArrayAttr> list = op.getNodesModes())
    modes = llvm::map_to_vector(*list, [](Attribute mode) { return cast<StringAttr>(mode).getValue(); });
  size_t count = trees.size();
  if (count > (1u << 30))
    return op->emitOpError("expects at most 2^30 nodes, got ") << count;
  if (failed(checkLength(op, "nodes_nodeids", ids.size(), count)) ||
      failed(checkLength(op, "nodes_featureids", features.size(), count)) ||
      failed(checkLength(op, "nodes_modes", modes.size(), count)) ||
      failed(checkLength(op, "nodes_values", values.size(), count)) ||
      failed(checkLength(op, "nodes_truenodeids", yes.size(), count)) ||
      failed(checkLength(op, "nodes_falsenodeids", no.size(), count)) ||
      (!missing.empty() && failed(checkLength(op, "nodes_missing_value_tracks_true", missing.size(), count))))
    return failure();

  ForestBuilder builder(compareType(op.getX()).isF32());
  builder.addNodes(count);
  DenseMap<std::pair<int64_t, int64_t>, int32_t> places;
  llvm::SmallDenseSet<int64_t> known;
  for (size_t i = 0; i < count; ++i) {
    if (!places.try_emplace({trees[i], ids[i]}, i).second)
      return op->emitOpError("expects each node once, got node ") << ids[i] << " of tree " << trees[i] << " twice";
    if (known.insert(trees[i]).second)
      builder.addRoot(i); // a tree begins with its root
  }
  auto place = [&](int64_t tree, int64_t id) -> FailureOr<int32_t> {
    auto found = places.find({tree, id});
    if (found == places.end())
      return op->emitOpError("expects node ") << id << " of tree " << tree << ", which is named, among the nodes";
    return found->second;
  };
  for (size_t i = 0; i < count; ++i) {
    if (modes[i] == "LEAF")
      continue;
    std::optional<Branch> branch = branchOf(modes[i]);
    if (!branch)
      return op->emitOpError("expects modes BRANCH_LEQ, _LT, _GTE, _GT, _EQ, _NEQ or LEAF, got '") << modes[i] << "'";
    if (features[i] < 0 || features[i] > INT32_MAX - 1)
      return op->emitOpError("expects a feature that is not negative, got ") << features[i];
    FailureOr<int32_t> left = place(trees[i], yes[i]);
    FailureOr<int32_t> right = failed(left) ? FailureOr<int32_t>() : place(trees[i], no[i]);
    if (failed(right))
      return failure();
    builder.ask(i, *branch, features[i], values[i], !missing.empty() && missing[i], *left, *right);
  }
  if (failed(checkLength(op, "votes' nodes", votes.nodes.size(), votes.trees.size())) ||
      failed(checkLength(op, "votes' targets", votes.targets.size(), votes.trees.size())) ||
      failed(checkLength(op, "votes' weights", votes.weights.size(), votes.trees.size())))
    return failure();
  for (size_t i = 0; i < votes.trees.size(); ++i) {
    FailureOr<int32_t> leaf = place(votes.trees[i], votes.nodes[i]);
    if (failed(leaf))
      return failure();
    if (votes.targets[i] < 0 || votes.targets[i] >= targets)
      return op->emitOpError("expects targets below ") << targets << ", got " << votes.targets[i];
    if (modes[*leaf] == "LEAF") // others never have the last word
      builder.vote(*leaf, votes.targets[i], votes.weights[i]);
  }
  return std::move(builder).finish(op);
}

FailureOr<Forest> forestOf(MlTreeEnsembleRegressorOp op, const Votes &votes, int64_t targets) {
  return numberedForest(op, votes, targets);
}

FailureOr<Forest> forestOf(MlTreeEnsembleClassifierOp op, const Votes &votes, int64_t targets) {
  return numberedForest(op, votes, targets);
}

FailureOr<Forest> forestOf(MlTreeEnsembleOp op) {
  ArrayRef<int64_t> features = op.getNodesFeatureids(), yes = op.getNodesTruenodeids(), no = op.getNodesFalsenodeids(),
                    yesIsLeaf = op.getNodesTrueleafs(), noIsLeaf = op.getNodesFalseleafs(),
                    targets = op.getLeafTargetids(), missing = orNone(op.getNodesMissingValueTracksTrue());
  SmallVector<double> splits = numbersOf({}, op.getNodesSplits()), weights = numbersOf({}, op.getLeafWeights()),
                      modes = numbersOf({}, op.getNodesModes()), members = numbersOf({}, op.getMembershipValues());
  size_t count = features.size(), leaves = targets.size();
  int64_t targetCount = op.getNTargets().value_or(1);
  if (failed(checkLength(op, "nodes_truenodeids", yes.size(), count)) ||
      failed(checkLength(op, "nodes_falsenodeids", no.size(), count)) ||
      failed(checkLength(op, "nodes_trueleafs", yesIsLeaf.size(), count)) ||
      failed(checkLength(op, "nodes_falseleafs", noIsLeaf.size(), count)) ||
      failed(checkLength(op, "nodes_splits", splits.size(), count)) ||
      failed(checkLength(op, "nodes_modes", modes.size(), count)) ||
      failed(checkLength(op, "leaf_weights", weights.size(), leaves)) ||
      (!missing.empty() && failed(checkLength(op, "nodes_missing_value_tracks_true", missing.size(), count))))
    return failure();

  ForestBuilder builder(compareType(op.getX()).isF32());
  int32_t firstNode = builder.addNodes(count), firstLeaf = builder.addNodes(leaves);
  auto child = [&](int64_t id, bool isLeaf) -> FailureOr<int32_t> {
    size_t limit = isLeaf ? leaves : count;
    if (id < 0 || (size_t)id >= limit)
      return op.emitOpError("expects a child among ")
             << limit << (isLeaf ? " leaves" : " nodes") << ", got number " << id;
    return (isLeaf ? firstLeaf : firstNode) + (int32_t)id;
  };
  for (size_t leaf = 0; leaf < leaves; ++leaf) {
    if (targets[leaf] < 0 || targets[leaf] >= targetCount)
      return op.emitOpError("expects targets below ") << targetCount << ", got " << targets[leaf];
    builder.vote(firstLeaf + leaf, targets[leaf], weights[leaf]);
  }
  constexpr int member = 6; // the modes before it are numbered as Branch is
  size_t nextMember = 0;
  for (size_t node = 0; node < count; ++node) {
    if (features[node] < 0 || features[node] > INT32_MAX - 1)
      return op.emitOpError("expects a feature that is not negative, got ") << features[node];
    FailureOr<int32_t> left = child(yes[node], yesIsLeaf[node]);
    FailureOr<int32_t> right = failed(left) ? FailureOr<int32_t>() : child(no[node], noIsLeaf[node]);
    if (failed(right))
      return failure();
    bool isMissingYes = !missing.empty() && missing[node];
    if (modes[node] > member)
      return op.emitOpError("expects modes from 0 to 6, got ") << modes[node];
    if (modes[node] < member) {
      builder.ask(firstNode + node, Branch((int)modes[node]), features[node], splits[node], isMissingYes, *left,
                  *right);
      continue;
    }
    // One question for each member; sets end with NaN.
    SmallVector<double> set;
    for (; nextMember < members.size() && !std::isnan(members[nextMember]); ++nextMember)
      set.push_back(members[nextMember]);
    if (nextMember++ == members.size())
      return op.emitOpError("expects membership_values with a set, ended by NaN, for each node of mode 6");
    if (set.empty())
      set.push_back(std::nan(""));
    int32_t asking = firstNode + node;
    for (auto [i, value] : llvm::enumerate(set)) {
      int32_t otherwise = i + 1 == set.size() ? *right : builder.addNodes(1);
      builder.ask(asking, Branch::Equal, features[node], value, isMissingYes, *left, otherwise);
      asking = otherwise;
    }
  }
  for (int64_t root : op.getTreeRoots()) {
    FailureOr<int32_t> place = child(root, /*isLeaf=*/false);
    if (failed(place))
      return failure();
    // A tree that is a single leaf has a node whose children are both that leaf.
    builder.addRoot(*place);
  }
  return std::move(builder).finish(op);
}

} // namespace mlc::onnx
