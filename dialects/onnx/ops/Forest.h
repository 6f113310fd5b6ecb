// Forests of decision trees, in the one form that TreeEnsemble, TreeEnsembleRegressor and TreeEnsembleClassifier lower
// from.
#pragma once
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace mlc::onnx {

/// What a node of a model asks of its feature x.
enum class Branch { LessEqual, Less, GreaterEqual, Greater, Equal, NotEqual };

/// All nodes ask "x <= threshold", and go to the left if it holds.
struct Forest {
  struct Node {
    int32_t feature = 0;
    bool missingGoesLeft = false; ///< where x is NaN
    double threshold = 0;
    int32_t left = -1, right = -1; ///< a leaf's are itself
  };
  /// What a leaf adds to a target.
  struct Vote {
    int32_t leaf, target;
    double weight;
  };

  llvm::SmallVector<Node> nodes; ///< leaves behind all others
  llvm::SmallVector<int32_t> roots;
  llvm::SmallVector<Vote> votes;
  int32_t firstLeaf = 0;
  int64_t depth = 0;    ///< the most questions from a root to a leaf
  int32_t features = 0; ///< the largest feature that is asked for, plus one
};

/// Puts a forest together from the nodes of a model, in any order.
class ForestBuilder {
public:
  /// `isSingle`: features are compared as f32, else as f64.
  explicit ForestBuilder(bool isSingle) : isSingle(isSingle) {}

  /// `count` nodes that are leaves until `ask` says something else; gives the number of the first.
  int32_t addNodes(int64_t count);
  /// Makes a node ask. `missing`: where x is NaN, the answer is yes.
  void ask(int32_t node, Branch branch, int64_t feature, double value, bool missing, int32_t yes, int32_t no);
  void addRoot(int32_t node) { forest.roots.push_back(node); }
  void vote(int32_t leaf, int64_t target, double weight) { forest.votes.push_back({leaf, (int32_t)target, weight}); }

  /// The forest, with its nodes renumbered: only those that a root reaches, questions first, those of one tree together.
  /// Fails with an error at `op` where nodes lead in a circle.
  llvm::FailureOr<Forest> finish(mlir::Operation *op) &&;

private:
  /// The largest number that is less than `value`; NaN, which nothing is less than or equal to, if there is none.
  double before(double value) const;

  Forest forest;
  bool isSingle;
};

} // namespace mlc::onnx
