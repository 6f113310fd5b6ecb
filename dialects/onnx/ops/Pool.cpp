// Poolings: MaxPool (with the places of the largest elements), AveragePool, LpPool, and those over whole axes.
//
//   %y = onnx.MaxPool(%x) {kernel_shape = [2, 2]}
//   =>
//   %p = tensor.pad %x                               the least number around
//   %y = linalg.generic: y[n, c, i, j] = max(y, p[n, c, i * stride + k * dilation, ...])
//
// As in linalg's own poolings an operand without contents tells the extents of the window. An average is the sum
// divided by the number of elements under the window, which differs at the edges where padding does not count.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"
#include "onnx/ops/Windows.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

template <typename Op> static FailureOr<Windows> windowsOfPool(Op op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX());
  if (x.size() < 3)
    return op.emitOpError("expects X of rank 3 or more, got ") << op.getX().getType();
  return windowsOf(op, known, windowAttributes(op), x.drop_front(2), known.math.constants(op.getKernelShape()));
}

template <typename Op> static FailureOr<SmallVector<Facts>> shapeOfPool(Op op, Known &known) {
  FailureOr<Windows> windows = windowsOfPool(op, known);
  if (failed(windows))
    return failure();
  Extents result(known.extents(op.getX()).take_front(2));
  result.append(windows->places);
  return SmallVector<Facts>(op->getNumResults(), Facts(result));
}

template <typename Op> static FailureOr<Extents> shapeOfGlobalPool(Op op, Known &known) {
  Extents result(known.extents(op.getX()));
  if (result.size() < 2)
    return op.emitOpError("expects X of rank 2 or more, got ") << op.getX().getType();
  for (Extent &extent : MutableArrayRef<Extent>(result).drop_front(2))
    extent = known.math.constant(1);
  return result;
}

//===-- Windows ------------------------------------------------------------------===//

namespace {
/// The loops of a pooling: n, c, places..., inside...
struct PoolLoops {
  SmallVector<AffineMap> maps; ///< of the operand, the window and the result
  SmallVector<utils::IteratorType> iterators;
  SmallVector<OpFoldResult> extents; ///< of the result
  Value window;

  PoolLoops(Lowering &l, const Windows &windows, ArrayRef<OpFoldResult> outer) : extents(outer) {
    int64_t rank = windows.rank(), loops = 2 + 2 * rank;
    auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
    SmallVector<AffineExpr> ofOperand = {loop(0), loop(1)}, ofWindow, ofResult = ofOperand;
    for (int64_t axis = 0; axis < rank; ++axis) {
      ofOperand.push_back(elementOfWindow(windows, axis, loop(2 + axis), loop(2 + rank + axis)));
      ofWindow.push_back(loop(2 + rank + axis));
      ofResult.push_back(loop(2 + axis));
    }
    for (const auto &exprs : {ofOperand, ofWindow, ofResult})
      maps.push_back(AffineMap::get(loops, 0, exprs, l.b.getContext()));
    iterators.append(2 + rank, utils::IteratorType::parallel);
    iterators.append(rank, utils::IteratorType::reduction);
    extents.append(l.materialize(windows.places));
    window = l.empty(l.materialize(windows.kernel), l.b.getF32Type());
  }
};
} // namespace

/// Folds the elements under each window; `value` pads and `init` starts, in the compute type of `element`.
static Value pool(Lowering &l, const Windows &windows, Value operand, Type element, TypedAttr padding, TypedAttr init,
                  llvm::function_ref<Value(Scalars &, Value, Value)> combine) {
  Value paddingValue = arith::ConstantOp::create(l.b, l.loc(), padding),
        initValue = arith::ConstantOp::create(l.b, l.loc(), init);
  SmallVector<OpFoldResult> outer = {tensor::getMixedSize(l.b, l.loc(), operand, 0),
                                     tensor::getMixedSize(l.b, l.loc(), operand, 1)};
  operand = padded(l, operand, windows, paddingValue);
  PoolLoops loops(l, windows, outer);
  return l.generic(l.filled(loops.extents, initValue), {operand, loops.window}, loops.maps, loops.iterators,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars scalars{b, loc, element};
                     return combine(scalars, args[2], loadScalar(b, loc, args[0], element));
                   });
}

//===-- MaxPool ------------------------------------------------------------------===//

/// The largest elements in the compute type, and where each lies in X: in row-major order, or with the first spatial
/// axis the fastest.
static std::pair<Value, Value> poolWithPlaces(MaxPoolOp op, Lowering &l, const Windows &windows, TypedAttr least) {
  Type element = Lowering::element(op.getX()), storage = storageType(element), i64 = l.b.getI64Type();
  SmallVector<OpFoldResult> x = l.extents(op.getX());
  TypedAttr padding = isFloat(element) ? leastNumber(l.b, storage, false) : least;
  Value operand = padded(l, l(op.getX()), windows, arith::ConstantOp::create(l.b, l.loc(), padding));
  PoolLoops loops(l, windows, ArrayRef(x).take_front(2));
  int64_t rank = windows.rank();

  // What one step along each axis adds to the place, and where windows begin.
  SmallVector<Value> weights(2 + rank), before;
  OpFoldResult step = l.b.getIndexAttr(1);
  for (int64_t i = 0; i < rank; ++i) {
    int64_t axis = op.getStorageOrder() ? 2 + i : 1 + rank - i;
    weights[axis] = l.index(step);
    step = l.mul(step, x[axis]);
  }
  weights[1] = l.index(step);
  weights[0] = l.index(l.mul(step, x[1]));
  for (Extent amount : windows.before)
    before.push_back(l.index(l.materialize(amount)));

  Value best = l.filled(loops.extents, arith::ConstantOp::create(l.b, l.loc(), least)),
        place = l.filled(loops.extents, l.scalar(0, i64));
  SmallVector<AffineMap> maps = loops.maps;
  maps.push_back(maps.back());
  auto generic = linalg::GenericOp::create(
      l.b, l.loc(), TypeRange{best.getType(), place.getType()}, ValueRange{operand, loops.window},
      ValueRange{best, place}, maps, loops.iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc, element};
        Value candidate = loadScalar(b, loc, args[0], element), largest = args[2];
        Value isLarger;
        if (isFloat(element)) {
          Value isNumber = s.make<arith::CmpFOp>(arith::CmpFPredicate::ORD, largest, largest);
          isLarger =
              s.make<arith::AndIOp>(s.make<arith::CmpFOp>(arith::CmpFPredicate::UGT, candidate, largest), isNumber);
        } else {
          isLarger = s.make<arith::CmpIOp>(isUnsigned(element) ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt,
                                           candidate, largest);
        }
        Value here = s.make<arith::AddIOp>(s.make<arith::MulIOp>(s.make<linalg::IndexOp>(0), weights[0]),
                                           s.make<arith::MulIOp>(s.make<linalg::IndexOp>(1), weights[1]));
        for (int64_t axis = 0; axis < rank; ++axis) {
          Value first = s.make<arith::MulIOp>(s.make<linalg::IndexOp>(2 + axis),
                                              s.constant(windows.strides[axis], b.getIndexType()));
          Value inside = s.make<arith::MulIOp>(s.make<linalg::IndexOp>(2 + rank + axis),
                                               s.constant(windows.dilations[axis], b.getIndexType()));
          Value position = s.make<arith::SubIOp>(s.make<arith::AddIOp>(first, inside), before[axis]);
          here = s.make<arith::AddIOp>(here, s.make<arith::MulIOp>(position, weights[2 + axis]));
        }
        linalg::YieldOp::create(
            b, loc,
            ValueRange{s.make<arith::SelectOp>(isLarger, candidate, largest),
                       s.make<arith::SelectOp>(isLarger, s.make<arith::IndexCastOp>(i64, here), args[3])});
      });
  return {generic.getResult(0), generic.getResult(1)};
}

static FailureOr<SmallVector<Value>> lowerMaxPool(MaxPoolOp op, Lowering &l) {
  FailureOr<Windows> windows = windowsOfPool(op, l.known);
  if (failed(windows))
    return failure();
  Type element = Lowering::element(op.getX()), storage = storageType(element);
  if (op.getIndices()) {
    auto [largest, places] =
        poolWithPlaces(op, l, *windows, leastNumber(l.b, computeType(element), isUnsigned(element)));
    return SmallVector<Value>{l.cast(largest, accumulatorElement(element), element), places};
  }
  TypedAttr padding = leastNumber(l.b, storage, isUnsigned(element)),
            least = leastNumber(l.b, computeType(element), isUnsigned(element));
  Value largest = pool(l, *windows, l(op.getX()), element, padding, least,
                       [](Scalars &s, Value soFar, Value value) { return larger(s, {soFar, value}); });
  return SmallVector<Value>{l.cast(largest, accumulatorElement(element), element)};
}

//===-- AveragePool ----------------------------------------------------------------===//

/// How many elements of `axis` lie under the window at each place, as a vector of floats: those in [low, high) of the
/// padded axis.
static Value countUnderWindows(Lowering &l, const Windows &windows, int64_t axis, Extent low, Extent high, Type type) {
  Value lower = l.index(l.materialize(low)), upper = l.index(l.materialize(high)),
        kernel = l.index(l.materialize(windows.kernel[axis]));
  AffineMap identity = l.b.getMultiDimIdentityMap(1);
  return l.generic(l.empty(l.materialize(windows.places[axis]), type), {}, identity, utils::IteratorType::parallel,
                   [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                     Scalars s{b, loc, type};
                     Type index = b.getIndexType();
                     Value zero = s.constant(0, index), dilation = s.constant(windows.dilations[axis], index);
                     Value begin =
                         s.make<arith::MulIOp>(s.make<linalg::IndexOp>(0), s.constant(windows.strides[axis], index));
                     // The first element of the window at or behind a bound.
                     auto firstBehind = [&](Value bound) -> Value {
                       Value distance = s.make<arith::MaxSIOp>(s.make<arith::SubIOp>(bound, begin), zero);
                       return s.make<arith::MinSIOp>(s.make<arith::CeilDivUIOp>(distance, dilation), kernel);
                     };
                     Value count = s.make<arith::SubIOp>(firstBehind(upper), firstBehind(lower));
                     Value integer = s.make<arith::IndexCastOp>(b.getI64Type(), count);
                     return s.make<arith::SIToFPOp>(type, integer);
                   });
}

static FailureOr<Value> lowerAveragePool(AveragePoolOp op, Lowering &l) {
  FailureOr<Windows> windows = windowsOfPool(op, l.known);
  if (failed(windows))
    return failure();
  ExtentMath &math = l.known.math;
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  TypedAttr zero = l.b.getZeroAttr(storageType(element)), init = l.b.getZeroAttr(accumulator);
  Value sum = pool(l, *windows, l(op.getX()), element, zero, init,
                   [](Scalars &s, Value soFar, Value value) { return add(s, {soFar, value}); });

  // Axes along which windows hold less than the whole kernel have their own counts.
  SmallVector<int64_t> all = otherAxes(l.rank(op.getY()), {});
  SmallVector<Along> operands = {{sum, accumulator, all}};
  Extent whole = math.constant(1);
  for (int64_t axis = 0; axis < windows->rank(); ++axis) {
    Extent extent = l.known.extents(op.getX())[2 + axis], before = windows->before[axis];
    Extent low = op.getCountIncludePad() ? math.constant(0) : before;
    Extent high = op.getCountIncludePad() ? windows->padded[axis] : math.add(before, extent);
    Extent end = math.add(math.add(before, extent), windows->after[axis]);
    if (ExtentMath::isConstant(low, 0) && math.isEqual(high, end))
      whole = math.mul(whole, windows->kernel[axis]);
    else
      operands.push_back({countUnderWindows(l, *windows, axis, low, high, accumulator), accumulator, {2 + axis}});
  }
  Value wholeCount = l.number(l.materialize(whole), accumulator);
  return l.elementwise(l.extents(op.getY()), element, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value count = args.size() == 1 ? wholeCount : args[1];
    for (Value next : args.drop_front(std::min<size_t>(args.size(), 2)))
      count = s.make<arith::MulFOp>(count, next);
    if (args.size() > 1 && !ExtentMath::isConstant(whole, 1))
      count = s.make<arith::MulFOp>(count, wholeCount);
    return s.make<arith::DivFOp>(args[0], count);
  });
}

//===-- LpPool ---------------------------------------------------------------------===//

/// |x|^p, and the p-th root of a sum of such.
static Value powerOfMagnitude(Scalars &s, Value x, int64_t p) {
  Value magnitude = s.make<math::AbsFOp>(x);
  if (p == 1)
    return magnitude;
  return p == 2 ? s.make<arith::MulFOp>(x, x) : s.make<math::PowFOp>(magnitude, s.constant(p));
}
static Value rootOfSum(Scalars &s, Value sum, int64_t p) {
  if (p == 1)
    return sum;
  return p == 2 ? s.make<math::SqrtOp>(sum) : s.make<math::PowFOp>(sum, s.constant(1.0 / p));
}

template <typename Op> static LogicalResult checkNorm(Op op) {
  if (op.getP() >= 1)
    return success();
  return op.emitOpError("expects p of 1 or more, got ") << op.getP();
}

static FailureOr<Value> lowerLpPool(LpPoolOp op, Lowering &l) {
  FailureOr<Windows> windows = windowsOfPool(op, l.known);
  if (failed(windows) || failed(checkNorm(op)))
    return failure();
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  TypedAttr zero = l.b.getZeroAttr(storageType(element)), init = l.b.getZeroAttr(accumulator);
  int64_t p = op.getP();
  Value sum = pool(l, *windows, l(op.getX()), element, zero, init, [&](Scalars &s, Value soFar, Value value) {
    return add(s, {soFar, powerOfMagnitude(s, value, p)});
  });
  return l.elementwise(l.extents(op.getY()), element, sum, accumulator,
                       [&](Scalars &s, ValueRange args) { return rootOfSum(s, args[0], p); });
}

//===-- Over whole axes --------------------------------------------------------------===//

static SmallVector<int64_t> spatialAxes(Lowering &l, Value x) {
  return llvm::to_vector(llvm::seq<int64_t>(2, l.rank(x)));
}

static FailureOr<Value> lowerGlobalAveragePool(GlobalAveragePoolOp op, Lowering &l) {
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  SmallVector<int64_t> axes = spatialAxes(l, op.getX());
  Value x = l(op.getX()), sum = sumAlong(l, x, element, axes), count = countAlong(l, x, axes, accumulator);
  Value mean =
      l.elementwise(tensor::getMixedSizes(l.b, l.loc(), sum), element, sum, accumulator,
                    [&](Scalars &s, ValueRange args) -> Value { return s.make<arith::DivFOp>(args[0], count); });
  return l.reshape(mean, l.extents(op.getY()));
}

static FailureOr<Value> lowerGlobalMaxPool(GlobalMaxPoolOp op, Lowering &l) {
  Type element = Lowering::element(op.getX());
  Value largest = maximumAlong(l, l(op.getX()), element, spatialAxes(l, op.getX()));
  return l.reshape(l.cast(largest, accumulatorElement(element), element), l.extents(op.getY()));
}

static FailureOr<Value> lowerGlobalLpPool(GlobalLpPoolOp op, Lowering &l) {
  if (failed(checkNorm(op)))
    return failure();
  Type element = Lowering::element(op.getX()), accumulator = accumulatorElement(element);
  int64_t p = op.getP();
  Value sum = sumAlong(l, l(op.getX()), element, spatialAxes(l, op.getX()),
                       [&](Scalars &s, ValueRange args) { return powerOfMagnitude(s, args[0], p); });
  Value root = l.elementwise(tensor::getMixedSizes(l.b, l.loc(), sum), element, sum, accumulator,
                             [&](Scalars &s, ValueRange args) { return rootOfSum(s, args[0], p); });
  return l.reshape(root, l.extents(op.getY()));
}

/// The greatest elements, where every window has one: none of them lies in the padding alone.
static SmallVector<OpOperand *> movedByMaxPool(MaxPoolOp op) {
  std::optional<ArrayRef<int64_t>> pads = op.getPads(), dilations = op.getDilations();
  ArrayRef<int64_t> kernel = op.getKernelShape();
  bool isDilated = dilations && llvm::any_of(*dilations, [](int64_t dilation) { return dilation != 1; });
  if (isDilated && op.getAutoPad().starts_with("SAME"))
    return {};
  if (pads)
    for (auto [i, pad] : llvm::enumerate(*pads))
      if (pad != 0 && (isDilated || pad >= kernel[i % kernel.size()]))
        return {};
  return {&op.getXMutable()};
}

void addPoolRules(Rules &rules) {
  rules.op<MaxPoolOp>().shape(shapeOfPool<MaxPoolOp>).movesByOrder(movedByMaxPool).lower(lowerMaxPool);
  rules.op<AveragePoolOp>().shape(shapeOfPool<AveragePoolOp>).lower(lowerAveragePool);
  rules.op<LpPoolOp>().shape(shapeOfPool<LpPoolOp>).lower(lowerLpPool);
  rules.op<GlobalAveragePoolOp>().shape(shapeOfGlobalPool<GlobalAveragePoolOp>).lower(lowerGlobalAveragePool);
  rules.op<GlobalMaxPoolOp>().shape(shapeOfGlobalPool<GlobalMaxPoolOp>).lower(lowerGlobalMaxPool);
  rules.op<GlobalLpPoolOp>().shape(shapeOfGlobalPool<GlobalLpPoolOp>).lower(lowerGlobalLpPool);
}

} // namespace mlc::onnx
