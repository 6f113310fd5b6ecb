// Linear models: LinearRegressor, LinearClassifier.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Labels.h"
#include "onnx/ops/Reduce.h"
#include "onnx/ops/Scores.h"

using namespace mlir;

namespace mlc::onnx {

/// X * coefficients^T + intercepts, as f32: [rows, targets]. Computed in f64 for doubles.
static FailureOr<Value> lowerScores(Lowering &l, Value x, ArrayRef<float> coefficients, ArrayRef<float> intercepts,
                                    int64_t targets) {
  if (targets < 1 || coefficients.size() % targets != 0)
    return l.op->emitOpError("expects coefficients for each feature of each of ")
           << targets << " targets, got " << coefficients.size();
  if (!intercepts.empty() && (int64_t)intercepts.size() != targets)
    return l.op->emitOpError("expects ") << targets << " intercepts, got " << intercepts.size();
  int64_t features = coefficients.size() / targets;
  l.expectExtent(rowsAndFeatures(l.op, x, l.known)->second, l.known.math.constant(features), "the features of X");

  Type f32 = l.b.getF32Type(), type = Lowering::element(x).isF64() ? Type(l.b.getF64Type()) : f32;
  Value rows = rowsOf(l, x, type);
  Value weights = tableOf(l, {targets, features}, SmallVector<double>(coefficients), type);
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), rows, 0), l.b.getIndexAttr(targets)};
  MLIRContext *context = l.b.getContext();
  AffineExpr row = l.b.getAffineDimExpr(0), target = l.b.getAffineDimExpr(1), feature = l.b.getAffineDimExpr(2);
  using utils::IteratorType;
  Value products =
      l.sumOfProducts(extents, rows, weights,
                      {AffineMap::get(3, 0, {row, feature}, context), AffineMap::get(3, 0, {target, feature}, context),
                       AffineMap::get(3, 0, {row, target}, context)},
                      {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction});
  if (intercepts.empty())
    return type == f32 ? products : l.cast(products, type, f32);
  Along product{products, type, {0, 1}};
  Along intercept{tableOf(l, targets, SmallVector<double>(intercepts), type), type, {1}};
  return l.elementwise(extents, f32, {product, intercept}, [&](Scalars &s, ValueRange args) {
    return castScalar(s, s.make<arith::AddFOp>(args[0], args[1]), type, f32);
  });
}

//===-- Regressor ------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfLinearRegressor(MlLinearRegressorOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  return Extents{rows->first, known.math.constant(op.getTargets())};
}

static FailureOr<Value> lowerLinearRegressor(MlLinearRegressorOp op, Lowering &l) {
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  if (failed(transform))
    return failure();
  FailureOr<Value> scores =
      lowerScores(l, op.getX(), orNone(op.getCoefficients()), orNone(op.getIntercepts()), op.getTargets());
  if (failed(scores))
    return failure();
  return transformScores(l, *scores, *transform);
}

//===-- Classifier -----------------------------------------------------------------------===//

static DenseElementsAttr labelsOf(MlLinearClassifierOp op) {
  return labelsOf(op.getContext(), op.getClasslabelsStrings(), op.getClasslabelsInts());
}

/// Scores of a row before the second class is made up. Intercepts count them; without, the features of X do.
static FailureOr<int64_t> targetCount(MlLinearClassifierOp op, Known &known) {
  if (std::optional<ArrayRef<float>> intercepts = op.getIntercepts(); intercepts && !intercepts->empty())
    return intercepts->size();
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  std::optional<int64_t> features = ExtentMath::asConstant(rows->second);
  if (features && *features > 0)
    return (int64_t)op.getCoefficients().size() / *features;
  return labelsOf(op).size();
}

static FailureOr<SmallVector<Facts>> shapeOfLinearClassifier(MlLinearClassifierOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  FailureOr<int64_t> targets = failed(rows) ? FailureOr<int64_t>() : targetCount(op, known);
  if (failed(targets))
    return failure();
  int64_t labels = labelsOf(op).size();
  if (*targets > 1 && labels != *targets)
    return op.emitOpError("expects as many labels as targets, ") << *targets << ", got " << labels;
  int64_t columns = *targets == 1 && labels == 2 ? 2 : *targets;
  return SmallVector<Facts>{Extents{rows->first}, Extents{rows->first, known.math.constant(columns)}};
}

static Value isPositive(Scalars &s, ValueRange args) {
  Value isGreater = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, args[0], s.constant(0));
  return s.make<arith::ExtUIOp>(s.b.getI64Type(), isGreater);
}

/// Scores [rows, targets] with numbers for NaN, of which the specification says nothing: in ONNX Runtime, which goes from one
/// to the next and asks whether it is greater, the first stays and any other is passed over.
static Value asCompared(Lowering &l, Value scores) {
  Type f32 = l.b.getF32Type();
  return l.elementwise(tensor::getMixedSizes(l.b, l.loc(), scores), f32, {scores}, {f32},
                       [](Scalars &s, ValueRange args) -> Value {
                         double infinity = std::numeric_limits<double>::infinity();
                         Value isNone = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, args[0], args[0]);
                         Value column = s.make<linalg::IndexOp>(1), first = s.make<arith::ConstantIndexOp>(0);
                         Value isFirst = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, column, first);
                         Value number = s.make<arith::SelectOp>(isFirst, s.constant(infinity), s.constant(-infinity));
                         return s.make<arith::SelectOp>(isNone, number, args[0]);
                       });
}

static FailureOr<SmallVector<Value>> lowerLinearClassifier(MlLinearClassifierOp op, Lowering &l) {
  DenseElementsAttr labels = labelsOf(op);
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  int64_t targets = *targetCount(op, l.known);
  FailureOr<Value> raw = failed(transform)
                             ? FailureOr<Value>()
                             : lowerScores(l, op.getX(), op.getCoefficients(), orNone(op.getIntercepts()), targets);
  if (failed(raw))
    return failure();
  Value scores = *raw;
  Type f32 = l.b.getF32Type(), i64 = l.b.getI64Type();
  SmallVector<OpFoldResult> rows = {tensor::getMixedSize(l.b, l.loc(), scores, 0)};
  if (targets == 1 && labels.size() == 2) {
    Value score = l.reshape(scores, rows);
    Value second = l.elementwise(rows, i64, {score}, {f32}, isPositive);
    // The specification does not say what the first class has; this is what ONNX Runtime gives.
    bool isComplement = *transform == PostTransform::None || *transform == PostTransform::Probit;
    Value both = scoresOfBoth(l, score, isComplement ? 1 : 0);
    return SmallVector<Value>{labelsAt(l, second, labels), transformScores(l, both, *transform)};
  }
  Value transformed = transformScores(l, scores, *transform);
  if (targets > 1) {
    // By the scores as they are: transforms may make them equal, or turn their order.
    Value best = extremeAlong(l, asCompared(l, scores), f32, 1, /*largest=*/true, /*last=*/false);
    return SmallVector<Value>{labelsAt(l, best, labels), transformed};
  }
  // A single score says whether the only label holds; 0 if not.
  double limit = *transform == PostTransform::None ? 0 : 0.5;
  ArrayRef<int64_t> integers = orNone(op.getClasslabelsInts());
  int64_t positive = integers.empty() ? 1 : integers.front();
  Value score = l.reshape(transformed, rows);
  Value holds = l.elementwise(rows, i64, {score}, {f32}, [&](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::ExtUIOp>(i64, s.make<arith::CmpFOp>(arith::CmpFPredicate::OGE, args[0], s.constant(limit)));
  });
  Value y = labelsAt(l, holds, onlyLabel(op.getContext(), op.getClasslabelsStrings(), positive));
  return SmallVector<Value>{y, transformed};
}

void addLinearRules(Rules &rules) {
  rules.op<MlLinearRegressorOp>().shape(shapeOfLinearRegressor).lower(lowerLinearRegressor);
  rules.op<MlLinearClassifierOp>().shape(shapeOfLinearClassifier).lower(lowerLinearClassifier);
}

} // namespace mlc::onnx
