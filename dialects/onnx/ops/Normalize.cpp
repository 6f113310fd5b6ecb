// Normalizations: elements are moved and scaled by what was learnt (BatchNormalization), or by the mean and the
// variance of those around them.
//
//   %y = onnx.LayerNormalization(%x, %scale, %b)
//   =>
//   mean = sum(x) / n         variance = sum((x - mean)^2) / n        y = (x - mean) / sqrt(variance + epsilon) * scale
//   + b
//
// Always in two passes: the difference of mean squares loses what it computes. Fusion makes one kernel for each row of
// it.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Forms ------------------------------------------------------------------===//

static double number(const APFloat &value) { return value.convertToFloat(); }

/// sum / count for each element of a folded tensor of floats.
static Value divided(Lowering &l, Value sum, Value count, Type real) {
  return l.elementwise(tensor::getMixedSizes(l.b, l.loc(), sum), real, sum, real,
                       [&](Scalars &s, ValueRange args) -> Value { return s.make<arith::DivFOp>(args[0], count); });
}

namespace {
/// Mean and variance along axes, which they do not have.
struct Moments {
  Value mean, variance;
};
} // namespace

static Moments momentsAlong(Lowering &l, Value x, Type element, ArrayRef<int64_t> axes) {
  Type real = accumulatorElement(element);
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), x);
  SmallVector<int64_t> all = otherAxes(rank, {}), others = otherAxes(rank, axes);
  Value count = countAlong(l, x, axes, real);
  Value mean = divided(l, sumAlong(l, x, element, axes), count, real);
  Value squares = l.elementwise(extents, real, {Along{x, element, all}, Along{mean, real, others}},
                                [](Scalars &s, ValueRange args) -> Value {
                                  Value difference = s.make<arith::SubFOp>(args[0], args[1]);
                                  return s.make<arith::MulFOp>(difference, difference);
                                });
  return {mean, divided(l, sumAlong(l, squares, real, axes), count, real)};
}

/// 1 / sqrt(variance + epsilon)
static Value inverseDeviation(Lowering &l, Value variance, Type real, double epsilon) {
  return l.elementwise(tensor::getMixedSizes(l.b, l.loc(), variance), real, variance, real,
                       [&](Scalars &s, ValueRange args) -> Value {
                         Value deviation = s.make<math::SqrtOp>(s.make<arith::AddFOp>(args[0], s.constant(epsilon)));
                         return s.make<arith::DivFOp>(s.constant(1), deviation);
                       });
}

/// (x - mean) * inverse [* scale [+ bias]]; operands in this order.
static Value normalized(Scalars &s, ValueRange args) {
  Value result = s.make<arith::MulFOp>(s.make<arith::SubFOp>(args[0], args[1]), args[2]);
  if (args.size() > 3)
    result = s.make<arith::MulFOp>(result, args[3]);
  return args.size() > 4 ? s.make<arith::AddFOp>(result, args[4]) : result;
}

/// A vector of one element for each channel, as an operand along axis `axis` of x.
static Along channels(Lowering &l, Value vector, Value x, int64_t axis) {
  l.expectExtent(l.known.extents(vector)[0], l.known.extents(x)[axis], "a vector for each channel");
  return {l.broadcastable(vector, l.known.extents(vector)), Lowering::element(vector), {axis}};
}

static LogicalResult checkChannels(Operation *op, Known &known, Value x, ValueRange vectors) {
  if (known.rank(x) < 2)
    return op->emitOpError("expects an operand of rank 2 or more, got ") << x.getType();
  for (Value vector : vectors)
    if (known.rank(vector) != 1 || !known.math.mayBeEqual(known.extents(vector)[0], known.extents(x)[1]))
      return op->emitOpError("expects vectors of one element for each channel, got ")
             << vector.getType() << " for " << x.getType();
  return success();
}

static SmallVector<int64_t> axesFrom(int64_t first, int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(first, rank));
}

//===-- BatchNormalization -------------------------------------------------------===//

static FailureOr<SmallVector<Facts>> shapeOfBatchNormalization(BatchNormalizationOp op, Known &known) {
  Value x = op.getX();
  if (known.rank(x) == 1)
    return op.emitOpError("expects X of rank 2 or more, got ") << x.getType();
  if (failed(checkChannels(op, known, x, {op.getScale(), op.getB(), op.getInputMean(), op.getInputVar()})))
    return failure();
  SmallVector<Facts> results = {Facts(Extents(known.extents(x)))};
  results.append(op->getNumResults() - 1, Facts(Extents{known.extents(x)[1]}));
  return results;
}

/// running * momentum + current * (1 - momentum)
static Value updated(Lowering &l, Value running, Value current, Type real, double momentum, Value result) {
  return l.elementwise(l.extents(result), Lowering::element(result), {l(running), current},
                       {Lowering::element(running), real}, [&](Scalars &s, ValueRange args) -> Value {
                         Value old = castScalar(s, args[0], Lowering::element(running), real);
                         Value sum =
                             s.make<arith::AddFOp>(s.make<arith::MulFOp>(old, s.constant(momentum, real)),
                                                   s.make<arith::MulFOp>(args[1], s.constant(1 - momentum, real)));
                         return castScalar(s, sum, real, Lowering::element(result));
                       });
}

static FailureOr<SmallVector<Value>> lowerBatchNormalization(BatchNormalizationOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x);
  double epsilon = number(op.getEpsilon()), momentum = number(op.getMomentum());
  Along mean = channels(l, op.getInputMean(), x, 1), variance = channels(l, op.getInputVar(), x, 1);
  Along scale = channels(l, op.getScale(), x, 1), bias = channels(l, op.getB(), x, 1);
  SmallVector<Value> results(op->getNumResults());
  if (op.getTrainingMode()) {
    Moments moments = momentsAlong(l, l(x), element, otherAxes(rank, 1));
    mean = {moments.mean, real, {1}};
    variance = {moments.variance, real, {1}};
    for (auto [running, current, result] : {std::tuple(op.getInputMean(), moments.mean, op.getRunningMean()),
                                            std::tuple(op.getInputVar(), moments.variance, op.getRunningVar())})
      if (result)
        results[cast<OpResult>(result).getResultNumber()] = updated(l, running, current, real, momentum, result);
  } else if (op->getNumResults() > 1) {
    return op.emitOpError("expects one result when it is not training, got ") << op->getNumResults();
  }

  // y = x * factor + offset, both of one element for each channel.
  for (Along *vector : {&mean, &variance, &scale, &bias})
    vector->axes = {0};
  SmallVector<OpFoldResult> perChannel = {l.extents(x)[1]};
  // Vectors may be of other floats than X.
  auto inReal = [real](Scalars &s, Value value) { return castScalar(s, value, value.getType(), real); };
  Value factor = l.elementwise(perChannel, real, {scale, variance}, [&](Scalars &s, ValueRange args) -> Value {
    Value shifted = s.make<arith::AddFOp>(inReal(s, args[1]), s.constant(epsilon, real));
    return s.make<arith::DivFOp>(inReal(s, args[0]), s.make<math::SqrtOp>(shifted));
  });
  Value offset = l.elementwise(
      perChannel, real, {bias, mean, Along{factor, real, {0}}}, [&](Scalars &s, ValueRange args) -> Value {
        return s.make<arith::SubFOp>(inReal(s, args[0]), s.make<arith::MulFOp>(inReal(s, args[1]), args[2]));
      });
  Along operands[] = {{l(x), element, otherAxes(rank, {})}, {factor, real, {1}}, {offset, real, {1}}};
  results[0] = l.elementwise(l.extents(op.getY()), element, operands, [](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::AddFOp>(s.make<arith::MulFOp>(args[0], args[1]), args[2]);
  });
  return results;
}

//===-- InstanceNormalization, GroupNormalization ------------------------------------===//

static FailureOr<Extents> shapeOfInstanceNormalization(InstanceNormalizationOp op, Known &known) {
  if (failed(checkChannels(op, known, op.getInput(), {op.getScale(), op.getB()})))
    return failure();
  return Extents(known.extents(op.getInput()));
}

static FailureOr<Value> lowerInstanceNormalization(InstanceNormalizationOp op, Lowering &l) {
  Value x = op.getInput();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x);
  Moments moments = momentsAlong(l, l(x), element, axesFrom(2, rank));
  Value inverse = inverseDeviation(l, moments.variance, real, number(op.getEpsilon()));
  Along operands[] = {{l(x), element, otherAxes(rank, {})},
                      {moments.mean, real, {0, 1}},
                      {inverse, real, {0, 1}},
                      channels(l, op.getScale(), x, 1),
                      channels(l, op.getB(), x, 1)};
  return l.elementwise(l.extents(op.getOutput()), element, operands, normalized);
}

static FailureOr<Extents> shapeOfGroupNormalization(GroupNormalizationOp op, Known &known) {
  if (failed(checkChannels(op, known, op.getX(), {op.getScale(), op.getBias()})))
    return failure();
  std::optional<int64_t> channels = ExtentMath::asConstant(known.extents(op.getX())[1]);
  if (op.getNumGroups() < 1 || (channels && *channels % op.getNumGroups() != 0))
    return op.emitOpError("expects a number of channels that ")
           << op.getNumGroups() << " groups divide, got " << op.getX().getType();
  return Extents(known.extents(op.getX()));
}

/// Seen as [n, group, channel of the group, spatial axes...].
static FailureOr<Value> lowerGroupNormalization(GroupNormalizationOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t groups = op.getNumGroups();
  ExtentMath &math = l.known.math;
  Extent inGroup = math.floorDiv(l.known.extents(x)[1], math.constant(groups));
  l.expectExtent(l.known.extents(x)[1], math.mul(inGroup, math.constant(groups)), "whole groups of channels: an axis");
  Extents split(l.known.extents(x));
  split[1] = inGroup;
  split.insert(split.begin() + 1, math.constant(groups));
  SmallVector<OpFoldResult> extents = l.materialize(split);
  int64_t rank = extents.size();
  Value grouped = l.reshape(l(x), extents);
  Moments moments = momentsAlong(l, grouped, element, axesFrom(2, rank));
  Value inverse = inverseDeviation(l, moments.variance, real, number(op.getEpsilon()));
  auto perChannel = [&](Value vector) {
    Along along = channels(l, vector, x, 1);
    return Along{l.reshape(along.value, {extents[1], extents[2]}), along.element, {1, 2}};
  };
  Along operands[] = {{grouped, element, otherAxes(rank, {})},
                      {moments.mean, real, {0, 1}},
                      {inverse, real, {0, 1}},
                      perChannel(op.getScale()),
                      perChannel(op.getBias())};
  return l.reshape(l.elementwise(extents, element, operands, normalized), l.extents(op.getY()));
}

//===-- LayerNormalization, RMSNormalization -------------------------------------------===//

/// Axes from `axis` on are normalized; scale and bias broadcast to X.
static FailureOr<int64_t> firstAxis(Operation *op, Known &known, Value x, int64_t axis, ValueRange weights) {
  int64_t rank = known.rank(x);
  FailureOr<SmallVector<int64_t>> normal = normalizedAxes(op, axis, rank);
  if (failed(normal))
    return failure();
  for (Value weight : weights) {
    if (!weight)
      continue;
    std::optional<Extents> common = known.math.broadcast(known.extents(x), known.extents(weight));
    bool fits = common && (int64_t)common->size() == rank;
    for (int64_t i = 0; fits && i < rank; ++i)
      fits = known.math.mayBeEqual((*common)[i], known.extents(x)[i]);
    if (!fits)
      return op->emitOpError("expects a scale and a bias that broadcast to X, got ")
             << weight.getType() << " for " << x.getType();
  }
  return normal->front();
}

static FailureOr<SmallVector<Facts>> shapeOfLayerNormalization(LayerNormalizationOp op, Known &known) {
  FailureOr<int64_t> axis = firstAxis(op, known, op.getX(), op.getAxis(), {op.getScale(), op.getB()});
  if (failed(axis))
    return failure();
  SmallVector<Facts> results = {Facts(Extents(known.extents(op.getX())))};
  Extents moments(known.extents(op.getX()));
  for (Extent &extent : MutableArrayRef<Extent>(moments).drop_front(*axis))
    extent = known.math.constant(1);
  results.append(op->getNumResults() - 1, Facts(moments));
  return results;
}

/// A weight as an operand aligned with the last axes of x.
static Along aligned(Lowering &l, Value weight, Value x) {
  Value value = l.broadcastable(weight, l.known.extents(x));
  int64_t rank = l.rank(x), own = cast<RankedTensorType>(value.getType()).getRank();
  return {value, Lowering::element(weight), axesFrom(rank - own, rank)};
}

static FailureOr<SmallVector<Value>> lowerLayerNormalization(LayerNormalizationOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x), axis = *normalizedAxis(op.getAxis(), rank);
  SmallVector<int64_t> outer = llvm::to_vector(llvm::seq<int64_t>(0, axis));
  Moments moments = momentsAlong(l, l(x), element, axesFrom(axis, rank));
  Value inverse = inverseDeviation(l, moments.variance, real, number(op.getEpsilon()));
  SmallVector<Along> operands = {{l(x), element, otherAxes(rank, {})},
                                 {moments.mean, real, outer},
                                 {inverse, real, outer},
                                 aligned(l, op.getScale(), x)};
  if (op.getB())
    operands.push_back(aligned(l, op.getB(), x));
  SmallVector<Value> results(op->getNumResults());
  results[0] = l.elementwise(l.extents(op.getY()), element, operands, normalized);
  for (auto [value, result] : {std::pair(moments.mean, op.getMean()), std::pair(inverse, op.getInvStdDev())})
    if (result)
      results[cast<OpResult>(result).getResultNumber()] =
          l.reshape(l.cast(value, real, Lowering::element(result)), l.extents(result));
  return results;
}

static FailureOr<Extents> shapeOfRMSNormalization(RMSNormalizationOp op, Known &known) {
  if (failed(firstAxis(op, known, op.getX(), op.getAxis(), op.getScale())))
    return failure();
  return Extents(known.extents(op.getX()));
}

/// x / sqrt(mean(x^2) + epsilon) * scale, of which the scale and the result may be of other floats than x
static FailureOr<Value> lowerRMSNormalization(RMSNormalizationOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element), result = Lowering::element(op.getY());
  int64_t rank = l.rank(x), axis = *normalizedAxis(op.getAxis(), rank);
  SmallVector<int64_t> axes = axesFrom(axis, rank);
  Value squares = sumAlong(l, l(x), element, axes, [](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::MulFOp>(args[0], args[0]);
  });
  Value mean = divided(l, squares, countAlong(l, l(x), axes, real), real);
  Value inverse = inverseDeviation(l, mean, real, number(op.getEpsilon()));
  Along operands[] = {{l(x), element, otherAxes(rank, {})},
                      {inverse, real, llvm::to_vector(llvm::seq<int64_t>(0, axis))},
                      aligned(l, op.getScale(), x)};
  return l.elementwise(l.extents(op.getY()), result, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value scale = castScalar(s, args[2], args[2].getType(), real);
    Value product = s.make<arith::MulFOp>(s.make<arith::MulFOp>(args[0], args[1]), scale);
    return castScalar(s, product, real, result);
  });
}

//===-- MeanVarianceNormalization, LpNormalization, LRN ---------------------------------===//

static FailureOr<Extents> shapeOfMeanVariance(MeanVarianceNormalizationOp op, Known &known) {
  if (failed(normalizedAxes(op, op.getAxes(), known.rank(op.getX()))))
    return failure();
  return Extents(known.extents(op.getX()));
}

/// (x - mean) / (deviation + 1e-9)
static FailureOr<Value> lowerMeanVariance(MeanVarianceNormalizationOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x);
  SmallVector<int64_t> axes = *normalizedAxes(op, op.getAxes(), rank), others = otherAxes(rank, axes);
  Moments moments = momentsAlong(l, l(x), element, axes);
  Along operands[] = {
      {l(x), element, otherAxes(rank, {})}, {moments.mean, real, others}, {moments.variance, real, others}};
  return l.elementwise(l.extents(op.getY()), element, operands, [](Scalars &s, ValueRange args) -> Value {
    Value deviation = s.make<arith::AddFOp>(s.make<math::SqrtOp>(args[2]), s.constant(1e-9));
    return s.make<arith::DivFOp>(s.make<arith::SubFOp>(args[0], args[1]), deviation);
  });
}

static FailureOr<Extents> shapeOfLpNormalization(LpNormalizationOp op, Known &known) {
  if (op.getP() != 1 && op.getP() != 2)
    return op.emitOpError("expects p of 1 or 2, got ") << op.getP();
  if (failed(normalizedAxes(op, op.getAxis(), known.rank(op.getInput()))))
    return failure();
  return Extents(known.extents(op.getInput()));
}

/// x / (sum(|x|^p))^(1/p); 0 where the sum is.
static FailureOr<Value> lowerLpNormalization(LpNormalizationOp op, Lowering &l) {
  Value x = op.getInput();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x), axis = *normalizedAxis(op.getAxis(), rank);
  bool isEuclidean = op.getP() == 2;
  Value sum = sumAlong(l, l(x), element, axis, [&](Scalars &s, ValueRange args) -> Value {
    return isEuclidean ? s.make<arith::MulFOp>(args[0], args[0]) : s.make<math::AbsFOp>(args[0]);
  });
  Along operands[] = {{l(x), element, otherAxes(rank, {})}, {sum, real, otherAxes(rank, axis)}};
  return l.elementwise(l.extents(op.getOutput()), element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value norm = isEuclidean ? s.make<math::SqrtOp>(args[1]) : args[1];
    Value isZero = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, norm, s.constant(0));
    return s.make<arith::SelectOp>(isZero, s.constant(0), s.make<arith::DivFOp>(args[0], norm));
  });
}

static FailureOr<Extents> shapeOfLRN(LRNOp op, Known &known) {
  if (known.rank(op.getX()) < 2)
    return op.emitOpError("expects X of rank 2 or more, got ") << op.getX().getType();
  if (op.getSize() < 1)
    return op.emitOpError("expects a size of 1 or more, got ") << op.getSize();
  return Extents(known.extents(op.getX()));
}

/// x / (bias + alpha / size * sum of squares of the `size` channels around)^beta
static FailureOr<Value> lowerLRN(LRNOp op, Lowering &l) {
  Value x = op.getX();
  Type element = Lowering::element(x), real = accumulatorElement(element);
  int64_t rank = l.rank(x), size = op.getSize();
  SmallVector<OpFoldResult> low(rank, l.b.getIndexAttr(0)), high = low, extents = l.extents(x);
  low[1] = l.b.getIndexAttr((size - 1) / 2);
  high[1] = l.b.getIndexAttr(size - 1 - (size - 1) / 2);
  Value operand = l.pad(l(x), low, high, l.scalar(0, storageType(element)));

  SmallVector<AffineExpr> access;
  for (int64_t axis = 0; axis < rank; ++axis)
    access.push_back(l.b.getAffineDimExpr(axis));
  access[1] = access[1] + l.b.getAffineDimExpr(rank);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(rank + 1, 0, exprs, l.b.getContext()); };
  AffineMap place = l.consecutive(rank + 1, 0, rank);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value window = l.empty({l.b.getIndexAttr(size)}, l.b.getF32Type());
  Value sum = l.generic(l.filled(extents, l.scalar(0, real)), {operand, window},
                        {map(access), map(l.b.getAffineDimExpr(rank)), place}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                          Value value = loadScalar(b, loc, args[0], element);
                          return arith::AddFOp::create(b, loc, args[2], arith::MulFOp::create(b, loc, value, value));
                        });
  SmallVector<int64_t> all = otherAxes(rank, {});
  double alpha = number(op.getAlpha()) / size, beta = number(op.getBeta()), bias = number(op.getBias());
  return l.elementwise(
      extents, element, {Along{l(x), element, all}, Along{sum, real, all}}, [&](Scalars &s, ValueRange args) -> Value {
        Value base = s.make<arith::AddFOp>(s.make<arith::MulFOp>(args[1], s.constant(alpha)), s.constant(bias));
        return s.make<arith::DivFOp>(args[0], s.make<math::PowFOp>(base, s.constant(beta)));
      });
}

void addNormalizeRules(Rules &rules) {
  rules.op<BatchNormalizationOp>().shape(shapeOfBatchNormalization).lower(lowerBatchNormalization);
  rules.op<InstanceNormalizationOp>().shape(shapeOfInstanceNormalization).lower(lowerInstanceNormalization);
  rules.op<GroupNormalizationOp>().shape(shapeOfGroupNormalization).lower(lowerGroupNormalization);
  rules.op<LayerNormalizationOp>().shape(shapeOfLayerNormalization).lower(lowerLayerNormalization);
  rules.op<RMSNormalizationOp>().shape(shapeOfRMSNormalization).lower(lowerRMSNormalization);
  rules.op<MeanVarianceNormalizationOp>().shape(shapeOfMeanVariance).lower(lowerMeanVariance);
  rules.op<LpNormalizationOp>().shape(shapeOfLpNormalization).lower(lowerLpNormalization);
  rules.op<LRNOp>().shape(shapeOfLRN).lower(lowerLRN);
}

} // namespace mlc::onnx
