// Forests of decision trees: TreeEnsemble, TreeEnsembleRegressor, TreeEnsembleClassifier.
//
//   %nodes = roots of all trees, for each row
//   scf.for 0 .. depth:  %nodes[row, tree] = children[2 * node + (x[row, feature[node]] <= threshold[node] ? 0 : 1)]
//   %y[row, target] = sum over trees of weights[node - first leaf]
//
// All trees of all rows go down together, a question at a time, so that each step is a loop over vectors which gather
// from tables; whoever has reached a leaf stays there. The code does not depend on the size of the forest. Vectors run
// along the trees where there are few rows, else along the rows, which then share the nodes of a tree in the cache:
// both are there, and the run chooses.
//
// Where all leaves of a tree vote for one target, as gradient boosting has it, trees are put in order of their targets,
// and each target has the same number of them (filled up with trees that vote 0). Otherwise leaves have a row of
// weights, one for each target.
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Labels.h"
#include "onnx/ops/ReadForest.h"
#include "onnx/ops/Reduce.h"
#include "onnx/ops/Scores.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Walking ------------------------------------------------------------------------===//

enum class Aggregate { Sum, Average, Min, Max };

namespace {
/// Lowers the walk through a forest for rows of X.
class Walk {
public:
  Walk(Lowering &l, Forest forest, int64_t targets, Value x)
      : l(l), forest(std::move(forest)), targets(targets), x(x), compare(compareType(x)) {}

  /// The sums (or the like) of all votes, as f64: [rows, targets]. What nobody votes for has 0, as in ONNX Runtime; the
  /// specification does not say. Of a single target, a leaf without a vote votes 0 there, which Min and Max show.
  Value aggregate(Aggregate how) {
    rows = rowsOf(l, x, compare);
    Extent features = rowsAndFeatures(l.op, x, l.known)->second;
    Index count(l, features);
    if (std::optional<int64_t> known = ExtentMath::asConstant(features); !known || *known < forest.features)
      l.check(count >= forest.features, "expects X with at least %0 features, got %1",
              {l.index(forest.features), count});
    SmallVector<int32_t> roots = forest.roots;
    SmallVector<int64_t> shape = {(int64_t)roots.size()};
    std::optional<SmallVector<int32_t>> grouped = groupByTarget();
    if (grouped) {
      roots = *grouped;
      shape = {targets, (int64_t)roots.size() / std::max<int64_t>(targets, 1)};
    }
    makeTables(roots, shape, how, grouped.has_value());

    auto walk = [&](Order order) {
      Value votes = collect(descend(shape, order), how, grouped.has_value(), order);
      return how == Aggregate::Min || how == Aggregate::Max ? zeroWhereNoVote(votes) : votes;
    };
    OpFoldResult rowCount = tensor::getMixedSize(l.b, l.loc(), rows, 0);
    if (std::optional<int64_t> known = getConstantIntValue(rowCount))
      return walk(*known < rowsOfVectors ? Order::RowsFirst : Order::TreesFirst);
    auto choice = scf::IfOp::create(
        l.b, l.loc(), Index(l, rowCount) < rowsOfVectors,
        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, walk(Order::RowsFirst)); },
        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, walk(Order::TreesFirst)); });
    return choice.getResult(0);
  }

private:
  /// Of the axes of the nodes that have been reached: [rows, trees...] or [trees..., rows].
  enum class Order { RowsFirst, TreesFirst };
  /// From so many rows on, vectors along them are full.
  static constexpr int64_t rowsOfVectors = 16;

  /// The roots in order of the targets of their trees, as many for each; none if leaves of a tree vote for several, or
  /// the filling would be more than the trees.
  std::optional<SmallVector<int32_t>> groupByTarget() {
    SmallVector<int32_t> targetOfLeaf(forest.nodes.size(), -1);
    for (const Forest::Vote &vote : forest.votes) {
      if (targetOfLeaf[vote.leaf] >= 0)
        return std::nullopt;
      targetOfLeaf[vote.leaf] = vote.target;
    }
    SmallVector<SmallVector<int32_t>> roots(targets);
    for (int32_t root : forest.roots) {
      int32_t target = targets == 1 ? 0 : -1;
      SmallVector<int32_t> pending = {root};
      llvm::DenseSet<int32_t> seen;
      while (!pending.empty()) {
        int32_t node = pending.pop_back_val();
        if (!seen.insert(node).second)
          continue;
        const Forest::Node &at = forest.nodes[node];
        if (node < forest.firstLeaf) {
          pending.append({at.left, at.right});
          continue;
        }
        if (targetOfLeaf[node] < 0)
          continue; // votes for nobody
        if (target >= 0 && target != targetOfLeaf[node])
          return std::nullopt;
        target = targetOfLeaf[node];
      }
      if (target >= 0)
        roots[target].push_back(root);
    }
    size_t most = 0;
    for (const auto &list : roots)
      most = std::max(most, list.size());
    if (most * targets > 2 * std::max<size_t>(forest.roots.size(), 1))
      return std::nullopt;
    // A leaf without votes fills up.
    int32_t filler = forest.nodes.size();
    forest.nodes.push_back({.left = filler, .right = filler});
    SmallVector<int32_t> all;
    for (auto &list : roots) {
      list.resize(most, filler);
      llvm::append_range(all, list);
    }
    return all;
  }

  Value table(llvm::function_ref<double(const Forest::Node &)> field, Type storage) {
    SmallVector<double> values = llvm::map_to_vector(forest.nodes, field);
    return tableOf(l, (int64_t)values.size(), values, storage);
  }

  void makeTables(ArrayRef<int32_t> roots, ArrayRef<int64_t> shape, Aggregate how, bool isGrouped) {
    Type i32 = l.b.getI32Type();
    starts = tableOf(l, shape, llvm::map_to_vector(roots, [](int32_t root) { return (double)root; }), i32);
    features = table([](const Forest::Node &node) { return node.feature; }, i32);
    thresholds = table([](const Forest::Node &node) { return node.threshold; }, compare);
    SmallVector<double> both;
    for (const Forest::Node &node : forest.nodes)
      both.append({(double)node.left, (double)node.right});
    children = tableOf(l, (int64_t)both.size(), both, i32);
    if (llvm::any_of(forest.nodes, [](const Forest::Node &node) { return node.missingGoesLeft; }))
      missing = table([](const Forest::Node &node) { return node.missingGoesLeft; }, l.b.getI8Type());
    weights = tableOfWeights(how, isGrouped);
  }

  /// The leaves that all rows reach.
  Value descend(ArrayRef<int64_t> shape, Order order) {
    Type i32 = l.b.getI32Type(), index = l.b.getIndexType();
    SmallVector<OpFoldResult> extents = getAsIndexOpFoldResult(l.b.getContext(), shape);
    int64_t rank = extents.size() + 1, rowLoop = order == Order::RowsFirst ? 0 : rank - 1;
    extents.insert(extents.begin() + rowLoop, tensor::getMixedSize(l.b, l.loc(), rows, 0));
    SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
    AffineMap identity = l.b.getMultiDimIdentityMap(rank);
    AffineMap ofTrees = l.consecutive(rank, order == Order::RowsFirst ? 1 : 0, rank - 1);
    Value nodes = l.generic(l.empty(extents, i32), starts, {ofTrees, identity}, parallel,
                            [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    if (forest.depth == 0)
      return nodes;

    Value zero = l.index(int64_t(0)), one = l.index(1);
    auto loop = scf::ForOp::create(l.b, l.loc(), zero, l.index(forest.depth), one, nodes);
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointToStart(loop.getBody());
    Value next = l.generic(
        loop.getRegionIterArg(0), {}, {identity}, parallel, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          auto read = [&](Value table, ValueRange at) -> Value { return tensor::ExtractOp::create(b, loc, table, at); };
          auto asIndex = [&](Value number) -> Value { return arith::IndexCastOp::create(b, loc, index, number); };
          Value node = asIndex(args.back()), row = linalg::IndexOp::create(b, loc, rowLoop);
          Value value = read(rows, {row, asIndex(read(features, node))});
          Value goesLeft = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, value, read(thresholds, node));
          if (missing) {
            Value isMissing = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, value, value);
            Value flag = read(missing, node), none = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
            Value tracked = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, flag, none);
            goesLeft = arith::OrIOp::create(b, loc, goesLeft, arith::AndIOp::create(b, loc, isMissing, tracked));
          }
          Value side = arith::SelectOp::create(b, loc, goesLeft, zero, one);
          Value two = arith::ConstantIndexOp::create(b, loc, 2);
          Value place = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, node, two), side);
          return read(children, place);
        });
    scf::YieldOp::create(l.b, l.loc(), next);
    return loop.getResult(0);
  }

  /// What no vote is: the least and the largest number of none is NaN.
  static double noVote(Aggregate how) {
    return how == Aggregate::Min || how == Aggregate::Max ? std::numeric_limits<double>::quiet_NaN() : 0;
  }

  /// What each leaf adds: [leaves, 1], or [leaves, targets].
  Value tableOfWeights(Aggregate how, bool isGrouped) {
    int64_t leaves = forest.nodes.size() - forest.firstLeaf, columns = isGrouped ? 1 : targets;
    SmallVector<double> all(leaves * columns, noVote(how));
    if (targets == 1) {
      llvm::BitVector votes(leaves);
      for (const Forest::Vote &vote : forest.votes)
        votes.set(vote.leaf - forest.firstLeaf);
      for (int64_t leaf : votes.flip().set_bits())
        all[leaf] = 0;
    }
    for (const Forest::Vote &vote : forest.votes) {
      double &weight = all[(vote.leaf - forest.firstLeaf) * columns + (isGrouped ? 0 : vote.target)];
      if (how == Aggregate::Min)
        weight = std::fmin(weight, vote.weight);
      else if (how == Aggregate::Max)
        weight = std::fmax(weight, vote.weight);
      else
        weight += vote.weight;
    }
    return tableOf(l, {leaves, columns}, all, compare);
  }

  /// The votes of the leaves that have been reached.
  Value collect(Value nodes, Aggregate how, bool isGrouped, Order order) {
    Type f64 = l.b.getF64Type();
    SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), rows, 0), l.b.getIndexAttr(targets)};
    Value init = l.filled(extents, l.scalar(noVote(how), f64));
    MLIRContext *context = l.b.getContext();
    AffineExpr row = l.b.getAffineDimExpr(0), target = l.b.getAffineDimExpr(1), tree = l.b.getAffineDimExpr(2);
    SmallVector<AffineExpr> read = {tree};
    if (isGrouped)
      read.insert(read.begin(), target);
    read.insert(order == Order::RowsFirst ? read.begin() : read.end(), row);
    using utils::IteratorType;
    return l.generic(init, nodes, {AffineMap::get(3, 0, read, context), AffineMap::get(3, 0, {row, target}, context)},
                     {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction},
                     [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                       Value leaf = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[0]);
                       Value first = arith::ConstantIndexOp::create(b, loc, forest.firstLeaf);
                       Value column = isGrouped ? arith::ConstantIndexOp::create(b, loc, 0).getResult()
                                                : linalg::IndexOp::create(b, loc, 1).getResult();
                       Value weight = tensor::ExtractOp::create(
                           b, loc, weights, ValueRange{arith::SubIOp::create(b, loc, leaf, first), column});
                       if (weight.getType() != f64)
                         weight = arith::ExtFOp::create(b, loc, f64, weight);
                       if (how == Aggregate::Min)
                         return arith::MinNumFOp::create(b, loc, args[1], weight);
                       if (how == Aggregate::Max)
                         return arith::MaxNumFOp::create(b, loc, args[1], weight);
                       return arith::AddFOp::create(b, loc, args[1], weight);
                     });
  }

  Value zeroWhereNoVote(Value votes) {
    Type f64 = l.b.getF64Type();
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), votes);
    return l.elementwise(extents, f64, {votes}, {f64}, [](Scalars &s, ValueRange args) -> Value {
      Value isNone = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, args[0], args[0]);
      return s.make<arith::SelectOp>(isNone, s.constant(0), args[0]);
    });
  }

  Lowering &l;
  Forest forest;
  int64_t targets;
  Value x, rows;
  Type compare;
  Value starts, features, thresholds, children, missing, weights; ///< constants
};
} // namespace

/// sums * scale + base[target], as `element`.
static Value withBase(Lowering &l, Value sums, double scale, ArrayRef<double> base, Type element) {
  Type f64 = l.b.getF64Type();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), sums);
  SmallVector<Along> operands = {{sums, f64, {0, 1}}};
  if (!base.empty())
    operands.push_back({tableOf(l, (int64_t)base.size(), base, f64), f64, {1}});
  return l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value value = scale == 1 ? args[0] : s.make<arith::MulFOp>(args[0], s.constant(scale));
    if (args.size() > 1)
      value = s.make<arith::AddFOp>(value, args[1]);
    return castScalar(s, value, f64, element);
  });
}

//===-- Regressors ----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfTreeEnsemble(MlTreeEnsembleOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  return Extents{rows->first, known.math.constant(op.getNTargets().value_or(1))};
}

static FailureOr<Value> lowerTreeEnsemble(MlTreeEnsembleOp op, Lowering &l) {
  FailureOr<Forest> forest = forestOf(op);
  if (failed(forest))
    return failure();
  if (op.getAggregateFunction() < 0 || op.getAggregateFunction() > 3 || op.getPostTransform() < 0 ||
      op.getPostTransform() > 4)
    return op.emitOpError("expects aggregate_function from 0 to 3 and post_transform from 0 to 4, got ")
           << op.getAggregateFunction() << " and " << op.getPostTransform();
  static constexpr Aggregate aggregates[] = {Aggregate::Average, Aggregate::Sum, Aggregate::Min, Aggregate::Max};
  Aggregate how = aggregates[op.getAggregateFunction()];
  auto transform = PostTransform(op.getPostTransform());
  Type element = Lowering::element(op.getX()), f32 = l.b.getF32Type();
  double trees = forest->roots.size();
  Value sums = Walk(l, std::move(*forest), op.getNTargets().value_or(1), op.getX()).aggregate(how);
  double scale = how == Aggregate::Average && trees > 0 ? 1 / trees : 1;
  if (transform == PostTransform::None)
    return withBase(l, sums, scale, {}, element);
  Value scores = transformScores(l, withBase(l, sums, scale, {}, f32), transform);
  return element == f32 ? scores : l.cast(scores, f32, element);
}

static FailureOr<Extents> shapeOfTreeEnsembleRegressor(MlTreeEnsembleRegressorOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  return Extents{rows->first, known.math.constant(op.getNTargets().value_or(1))};
}

static FailureOr<Value> lowerTreeEnsembleRegressor(MlTreeEnsembleRegressorOp op, Lowering &l) {
  int64_t targets = op.getNTargets().value_or(1);
  Votes votes{orNone(op.getTargetTreeids()), orNone(op.getTargetNodeids()), orNone(op.getTargetIds()),
              numbersOf(op.getTargetWeights(), op.getTargetWeightsAsTensor())};
  FailureOr<Forest> forest = forestOf(op, votes, targets);
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  if (failed(forest) || failed(transform))
    return failure();
  auto how = llvm::StringSwitch<std::optional<Aggregate>>(op.getAggregateFunction())
                 .Case("SUM", Aggregate::Sum)
                 .Case("AVERAGE", Aggregate::Average)
                 .Case("MIN", Aggregate::Min)
                 .Case("MAX", Aggregate::Max)
                 .Default(std::nullopt);
  if (!how)
    return op.emitOpError("expects aggregate_function SUM, AVERAGE, MIN or MAX, got '")
           << op.getAggregateFunction() << "'";
  SmallVector<double> base = numbersOf(op.getBaseValues(), op.getBaseValuesAsTensor());
  if (base.size() == 1)
    base.resize(targets, base.front());
  if (!base.empty() && failed(checkLength(op, "base_values", base.size(), targets)))
    return failure();
  double trees = forest->roots.size();
  Value sums = Walk(l, std::move(*forest), targets, op.getX()).aggregate(*how);
  double scale = *how == Aggregate::Average && trees > 0 ? 1 / trees : 1;
  return transformScores(l, withBase(l, sums, scale, base, l.b.getF32Type()), *transform);
}

//===-- Classifiers ---------------------------------------------------------------------===//

static DenseElementsAttr labelsOf(MlTreeEnsembleClassifierOp op) {
  return labelsOf(op.getContext(), op.getClasslabelsStrings(), op.getClasslabelsInt64s());
}

static FailureOr<SmallVector<Facts>> shapeOfTreeEnsembleClassifier(MlTreeEnsembleClassifierOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  int64_t classes = labelsOf(op).size();
  if (classes == 0)
    return op.emitOpError("expects classlabels_int64s or classlabels_strings");
  return SmallVector<Facts>{Extents{rows->first}, Extents{rows->first, known.math.constant(classes)}};
}

/// What a model of two classes whose trees all vote for one of them gives out: the other class has the rest. Which rest
/// depends on whether weights are probabilities or margins, which only their signs tell; as ONNX Runtime has it.
static Value scoresOfTwo(Lowering &l, Value score, PostTransform transform, bool areProbabilities) {
  bool isComplement = transform == PostTransform::Probit || (areProbabilities && transform == PostTransform::None);
  return transformScores(l, scoresOfBoth(l, score, isComplement ? 1 : 0), transform);
}

static FailureOr<SmallVector<Value>> lowerTreeEnsembleClassifier(MlTreeEnsembleClassifierOp op, Lowering &l) {
  DenseElementsAttr labels = labelsOf(op);
  ArrayRef<int64_t> ids = orNone(op.getClassIds());
  int64_t classes = labels.size();
  Votes votes{orNone(op.getClassTreeids()), orNone(op.getClassNodeids()), ids,
              numbersOf(op.getClassWeights(), op.getClassWeightsAsTensor())};
  bool areProbabilities = llvm::all_of(votes.weights, [](double weight) { return weight >= 0; });
  FailureOr<Forest> forest = forestOf(op, votes, classes);
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  if (failed(forest) || failed(transform))
    return failure();
  SmallVector<double> base = numbersOf(op.getBaseValues(), op.getBaseValuesAsTensor());
  // With base values for both classes, both have scores of their own.
  bool isOneSided = classes == 1 || (classes == 2 && base.size() < 2 && !ids.empty() && llvm::all_equal(ids));
  int64_t voted = isOneSided && !ids.empty() ? ids.front() : 0;
  if (isOneSided && base.size() == 1 && classes == 2)
    base.insert(voted == 0 ? base.end() : base.begin(), 0.0);
  if (!base.empty() && failed(checkLength(op, "base_values", base.size(), classes)))
    return failure();

  Type f32 = l.b.getF32Type(), i64 = l.b.getI64Type();
  Value sums = Walk(l, std::move(*forest), classes, op.getX()).aggregate(Aggregate::Sum);
  Value scores = withBase(l, sums, 1, base, f32);
  SmallVector<OpFoldResult> rows = {tensor::getMixedSize(l.b, l.loc(), scores, 0)};
  if (!isOneSided) {
    Value best = extremeAlong(l, scores, f32, 1, /*largest=*/true, /*last=*/false);
    return SmallVector<Value>{labelsAt(l, best, labels), transformScores(l, scores, *transform)};
  }
  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  Value column = l.slice(scores, {zero, l.b.getIndexAttr(voted)}, {rows[0], one}, {one, one});
  Value score = l.reshape(column, rows);
  double limit = areProbabilities && classes == 2 ? 0.5 : 0;
  Value chosen = l.elementwise(rows, i64, {score}, {f32}, [&](Scalars &s, ValueRange args) -> Value {
    Value isPositive = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, args[0], s.constant(limit));
    return s.make<arith::ExtUIOp>(i64, isPositive);
  });
  // Of a single label ONNX Runtime says whether it holds.
  Value y = labelsAt(l, chosen, classes == 2 ? labels : onlyLabel(op.getContext(), op.getClasslabelsStrings(), 1));
  if (classes == 2 && voted == 0)
    return SmallVector<Value>{y, scoresOfTwo(l, score, *transform, areProbabilities)};
  return SmallVector<Value>{y, transformScores(l, scores, *transform)};
}

void addTreeRules(Rules &rules) {
  rules.op<MlTreeEnsembleOp>().shape(shapeOfTreeEnsemble).lower(lowerTreeEnsemble);
  rules.op<MlTreeEnsembleRegressorOp>().shape(shapeOfTreeEnsembleRegressor).lower(lowerTreeEnsembleRegressor);
  rules.op<MlTreeEnsembleClassifierOp>().shape(shapeOfTreeEnsembleClassifier).lower(lowerTreeEnsembleClassifier);
}

} // namespace mlc::onnx
