// Operators that fold elements along axes: Reduce*, ArgMax, ArgMin, and the running folds CumSum and CumProd.
//
// What each folds, and how, is a row of a table: what becomes of an element, how two are combined, what is done at the
// end. Axes that only the run knows are read as a mask, and the reduction slides a window over the operand that is as
// large as the operand along the axes that are reduced, and of one element along the others.
#include "onnx/ops/Reduce.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Forms ------------------------------------------------------------------===//

Type accumulatorElement(Type element) {
  auto real = dyn_cast<FloatType>(element);
  return real && real.getWidth() < 32 ? Float32Type::get(element.getContext()) : element;
}

SmallVector<int64_t> otherAxes(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> others;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(axes, axis))
      others.push_back(axis);
  return others;
}

TypedAttr leastNumber(OpBuilder &b, Type compute, bool isUnsigned) {
  if (auto real = dyn_cast<FloatType>(compute))
    return b.getFloatAttr(real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/true));
  unsigned width = compute.getIntOrFloatBitWidth();
  return b.getIntegerAttr(compute, isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width));
}

TypedAttr greatestNumber(OpBuilder &b, Type compute, bool isUnsigned) {
  if (auto real = dyn_cast<FloatType>(compute))
    return b.getFloatAttr(real, APFloat::getInf(real.getFloatSemantics()));
  unsigned width = compute.getIntOrFloatBitWidth();
  return b.getIntegerAttr(compute, isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width));
}

Value sumAlong(Lowering &l, Value operand, Type element, ArrayRef<int64_t> axes, ScalarBody load) {
  Type accumulator = computeType(element);
  return l.fold(operand, element, axes, accumulator, l.scalar(0, accumulator), load, add);
}

Value maximumAlong(Lowering &l, Value operand, Type element, ArrayRef<int64_t> axes) {
  Type accumulator = computeType(element);
  Value least = arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, accumulator, isUnsigned(element)));
  return l.fold(operand, element, axes, accumulator, least, nullptr, larger);
}

static OpFoldResult product(Lowering &l, ArrayRef<OpFoldResult> extents) {
  OpFoldResult result = l.b.getIndexAttr(1);
  for (OpFoldResult extent : extents)
    result = l.mul(result, extent);
  return result;
}

Value countAlong(Lowering &l, Value operand, ArrayRef<int64_t> axes, Type type) {
  auto extents =
      llvm::map_to_vector(axes, [&](int64_t axis) { return tensor::getMixedSize(l.b, l.loc(), operand, axis); });
  return l.number(product(l, extents), type);
}

Value extremeAlong(Lowering &l, Value operand, Type element, int64_t axis, bool largest, bool last) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t rank = type.getRank();
  Type compute = element.isInteger(1) ? Type(l.b.getI8Type()) : computeType(element), i64 = l.b.getI64Type();
  bool isUnsignedElement = isUnsigned(element);
  SmallVector<int64_t> kept = otherAxes(rank, axis);
  SmallVector<OpFoldResult> all = tensor::getMixedSizes(l.b, l.loc(), operand);
  auto extents = llvm::map_to_vector(kept, [&](int64_t k) { return all[k]; });
  TypedAttr worst =
      largest ? leastNumber(l.b, compute, isUnsignedElement) : greatestNumber(l.b, compute, isUnsignedElement);
  Value value = l.filled(extents, arith::ConstantOp::create(l.b, l.loc(), worst));
  Value position = l.filled(extents, l.scalar(0, i64));

  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  auto access = llvm::map_to_vector(kept, [&](int64_t k) { return l.b.getAffineDimExpr(k); });
  AffineMap identity = l.b.getMultiDimIdentityMap(rank), result = AffineMap::get(rank, 0, access, l.b.getContext());
  auto op = linalg::GenericOp::create(
      l.b, l.loc(), TypeRange{value.getType(), position.getType()}, operand, ValueRange{value, position},
      ArrayRef<AffineMap>{identity, result, result}, iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
        Value candidate = element.isInteger(1) ? args[0] : loadScalar(b, loc, args[0], element), best = args[1];
        Value better;
        if (isFloat(element)) {
          auto predicate = largest ? (last ? arith::CmpFPredicate::UGE : arith::CmpFPredicate::UGT)
                                   : (last ? arith::CmpFPredicate::ULE : arith::CmpFPredicate::ULT);
          // Unordered comparisons are true for NaN; once the best is NaN, only a later NaN may take its place.
          better = arith::CmpFOp::create(b, loc, predicate, candidate, best);
          auto rule = last ? arith::CmpFPredicate::UNO : arith::CmpFPredicate::ORD;
          Value bestIsNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, best, best);
          Value allowed = last ? Value(arith::OrIOp::create(b, loc, bestIsNumber,
                                                            arith::CmpFOp::create(b, loc, rule, candidate, candidate)))
                               : bestIsNumber;
          better = arith::AndIOp::create(b, loc, better, allowed);
        } else {
          using P = arith::CmpIPredicate;
          P predicate = largest ? (isUnsignedElement ? (last ? P::uge : P::ugt) : (last ? P::sge : P::sgt))
                                : (isUnsignedElement ? (last ? P::ule : P::ult) : (last ? P::sle : P::slt));
          better = arith::CmpIOp::create(b, loc, predicate, candidate, best);
        }
        Value here = arith::IndexCastOp::create(b, loc, i64, linalg::IndexOp::create(b, loc, axis));
        linalg::YieldOp::create(b, loc,
                                ValueRange{arith::SelectOp::create(b, loc, better, candidate, best),
                                           arith::SelectOp::create(b, loc, better, here, args[2])});
      });
  return op.getResult(1);
}

//===-- Reduce* -----------------------------------------------------------------===//

namespace {
/// What a reduction does. Bodies see the accumulator's type; those of `exact` ones may be integers.
struct Reduction {
  enum Start { Zero, One, Least, Greatest };
  Start start;
  ElementwiseBody load; ///< null: the element
  ElementwiseBody combine;
  Value (*finish)(Scalars &s, Value folded, Value count) = nullptr; ///< count is of the folded elements
  bool exact = true;                                                ///< false: integers are computed as f64
};
} // namespace

static Value square(Scalars &s, ValueRange args) { return multiply(s, {args[0], args[0]}); }

static Value magnitude(Scalars &s, ValueRange args) {
  if (isUnsigned(s.element))
    return args[0];
  return isFloat(s.element) ? scalar<math::AbsFOp>(s, args) : scalar<math::AbsIOp>(s, args);
}

static Value squareRoot(Scalars &s, Value folded, Value) { return s.make<math::SqrtOp>(folded); }
static Value logarithm(Scalars &s, Value folded, Value) { return s.make<math::LogOp>(folded); }
static Value divideByCount(Scalars &s, Value folded, Value count) {
  if (isFloat(s.element))
    return s.make<arith::DivFOp>(folded, count);
  return divideIntegers(s, folded, count, isUnsigned(s.element));
}

/// The axes that are reduced, where they are known: all of them without an axes operand, or none if the operator says
/// so.
template <typename Op> static FailureOr<std::optional<SmallVector<int64_t>>> reducedAxes(Op op, Known &known) {
  int64_t rank = known.rank(op.getData());
  Value axes = op.getAxes();
  if (axes && known.rank(axes) > 1)
    return op.emitOpError("expects axes of rank 1, got ") << axes.getType();
  if (!axes || (known.rank(axes) == 1 && ExtentMath::isConstant(known.extents(axes)[0], 0))) {
    if (op.getNoopWithEmptyAxes())
      return std::optional(SmallVector<int64_t>());
    return std::optional(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  }
  std::optional<SmallVector<int64_t>> constants = known.constants(axes);
  if (!constants)
    return std::optional<SmallVector<int64_t>>();
  FailureOr<SmallVector<int64_t>> normal = normalizedAxes(op, *constants, rank);
  if (failed(normal))
    return failure();
  return std::optional(std::move(*normal));
}

static Extents withoutAxes(Known &known, Value operand, ArrayRef<int64_t> axes, bool keeps) {
  Extents result;
  for (auto [axis, extent] : llvm::enumerate(known.extents(operand)))
    if (!llvm::is_contained(axes, (int64_t)axis))
      result.push_back(extent);
    else if (keeps)
      result.push_back(known.math.constant(1));
  return result;
}

template <typename Op> static FailureOr<Facts> shapeOfReduce(Op op, Known &known) {
  auto axes = reducedAxes(op, known);
  if (failed(axes))
    return failure();
  if (*axes)
    return Facts(withoutAxes(known, op.getData(), **axes, op.getKeepdims()));
  // Only the run tells which axes are meant, but maybe how many.
  int64_t rank = known.rank(op.getData());
  if (op.getKeepdims())
    return Facts(Extents(rank));
  Value list = op.getAxes();
  std::optional<int64_t> count = known.rank(list) == 0 ? 1 : ExtentMath::asConstant(known.extents(list)[0]);
  if (!count)
    return Facts();
  if (*count > rank)
    return op.emitOpError("expects at most ") << rank << " axes, got " << *count;
  return Facts(Extents(rank - *count));
}

namespace {
/// The loops of a reduction: over the places of the result, and over the elements that are folded into each.
struct Space {
  SmallVector<OpFoldResult> kept;   ///< extents of the folded result
  SmallVector<OpFoldResult> folded; ///< extents whose product is the number of elements at each place
  SmallVector<OpFoldResult> result; ///< extents of the operator's result
  AffineMap element, place;         ///< loops -> operand, loops -> folded result
  SmallVector<utils::IteratorType> iterators;
  bool isResult = false; ///< the extents of the folded result are the operator's
  Value window; ///< where only the run knows the axes: an operand that tells the extents of the window, innermost loops
};
} // namespace

static Space spaceOf(Lowering &l, Value operand, ArrayRef<int64_t> axes, Value result) {
  Space space;
  SmallVector<AffineExpr> place;
  for (auto [axis, extent] : llvm::enumerate(l.extents(operand))) {
    bool isFolded = llvm::is_contained(axes, (int64_t)axis);
    (isFolded ? space.folded : space.kept).push_back(extent);
    space.iterators.push_back(isFolded ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (!isFolded)
      place.push_back(l.b.getAffineDimExpr(axis));
  }
  space.result = l.extents(result);
  space.isResult = space.kept.size() == space.result.size();
  space.element = l.b.getMultiDimIdentityMap(l.rank(operand));
  space.place = AffineMap::get(l.rank(operand), 0, place, l.b.getContext());
  return space;
}

/// How often an axis is listed among axes that only the run knows.
static Index timesListed(Lowering &l, Value axes, int64_t axis, int64_t rank) {
  Type i64 = l.b.getI64Type();
  SmallVector<int64_t> all = otherAxes(l.rank(axes), {});
  Value times = l.fold(
      l(axes), i64, all, i64, l.scalar(0, i64),
      [&](Scalars &s, ValueRange args) -> Value {
        auto is = [&](int64_t number) {
          return s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, args[0], s.constant(number));
        };
        return s.make<arith::ExtUIOp>(i64, s.make<arith::OrIOp>(is(axis), is(axis - rank)));
      },
      add);
  Value element = tensor::ExtractOp::create(l.b, l.loc(), times, ValueRange());
  return Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), element).getResult());
}

/// Slides a window that is as large as the operand along the axes that are reduced, and of extent 1 along the others.
static FailureOr<Space> spaceOf(Lowering &l, Value operand, Value axes, bool keeps, bool isNoneForEmpty) {
  int64_t rank = l.rank(operand);
  Index count = l.rank(axes) == 0 ? Index(l, int64_t(1)) : Index(l, l.known.extents(axes)[0]), found(l, int64_t(0));
  Truth reducesAll = isNoneForEmpty ? Truth(l, false) : count == 0, areDistinct(l, true);
  SmallVector<Truth> isReduced;
  Space space;
  for (auto [axis, extent] : llvm::enumerate(l.extents(operand))) {
    Index times = timesListed(l, axes, axis, rank), whole(l, extent), one(l, int64_t(1));
    areDistinct = areDistinct && times <= 1;
    found = found + times;
    isReduced.push_back(times > 0 || reducesAll);
    space.folded.push_back(select(isReduced.back(), whole, one));
    space.kept.push_back(select(isReduced.back(), one, whole));
  }
  l.check(found == count && areDistinct, "expects axes in [" + Twine(-rank) + ", " + Twine(rank - 1) + "], each once",
          {});
  SmallVector<AffineExpr> element;
  for (int64_t axis = 0; axis < rank; ++axis)
    element.push_back(l.b.getAffineDimExpr(axis) + l.b.getAffineDimExpr(rank + axis));
  space.element = AffineMap::get(2 * rank, 0, element, l.b.getContext());
  space.place = l.consecutive(2 * rank, 0, rank);
  space.iterators.append(rank, utils::IteratorType::parallel);
  space.iterators.append(rank, utils::IteratorType::reduction);
  space.window = l.empty(space.folded, l.b.getI8Type());
  space.isResult = keeps;
  if (keeps) {
    space.result = space.kept;
    return space;
  }
  std::optional<int64_t> fixedCount = getConstantIntValue(OpFoldResult(count));
  if (!fixedCount)
    return l.unsupported("a number of axes that only the run tells");
  // The extent of result axis j is that of the operand axis before which j others are kept.
  int64_t left = *fixedCount == 0 && !isNoneForEmpty ? 0 : rank - *fixedCount;
  for (int64_t j = 0; j < left; ++j) {
    Index extent(l, int64_t(1)), before(l, int64_t(0));
    for (int64_t axis = 0; axis < rank; ++axis) {
      Index kept(l, space.kept[axis]);
      extent = select(before == j && !isReduced[axis], kept, extent);
      before = before + select(isReduced[axis], Index(l, int64_t(0)), Index(l, int64_t(1)));
    }
    space.result.push_back(extent);
  }
  return space;
}

template <typename Op> static FailureOr<Space> spaceOf(Lowering &l, Op op) {
  auto axes = reducedAxes(op, l.known);
  if (failed(axes))
    return failure();
  if (*axes)
    return spaceOf(l, op.getData(), **axes, op.getReduced());
  return spaceOf(l, op.getData(), op.getAxes(), op.getKeepdims(), op.getNoopWithEmptyAxes());
}

/// result[place] = body(result[place], operand[element], extra[place]) over all elements; `extra` may be null.
static Value fold(Lowering &l, const Space &space, Value operand, Type element, Value init, Value extra,
                  ScalarBody body) {
  SmallVector<Value> inputs = {operand};
  SmallVector<AffineMap> maps = {space.element};
  if (extra) {
    inputs.push_back(extra);
    maps.push_back(space.place);
  }
  if (space.window) {
    inputs.push_back(space.window);
    unsigned loops = space.element.getNumDims();
    maps.push_back(l.consecutive(loops, loops / 2, loops / 2));
  }
  maps.push_back(space.place);
  return l.generic(
      l.filled(space.kept, init), inputs, maps, space.iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars scalars{b, loc, element};
        return body(scalars, {args.back(), loadScalar(b, loc, args[0], element), extra ? args[1] : Value()});
      });
}

static Value startOf(Lowering &l, const Reduction &reduction, Type accumulator, Type element, bool isUnsignedElement) {
  if (element.isInteger(1) && reduction.start == Reduction::Greatest)
    return l.scalar(1, accumulator); // true, in a byte
  switch (reduction.start) {
  case Reduction::Zero:
    return l.scalar(0, accumulator);
  case Reduction::One:
    return l.scalar(1, accumulator);
  case Reduction::Least:
    return arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, accumulator, isUnsignedElement));
  case Reduction::Greatest:
    return arith::ConstantOp::create(l.b, l.loc(), greatestNumber(l.b, accumulator, isUnsignedElement));
  }
  llvm_unreachable("all starts are named above");
}

template <typename Op> static FailureOr<Value> lowerReduce(Op op, Lowering &l, const Reduction &reduction) {
  Value data = op.getData(), operand = l(data);
  Type element = Lowering::element(data);
  // What is folded: a truth value as the byte that it is stored in, integers as they are or as f64.
  Type folded = element.isInteger(1) ? Type(IntegerType::get(op.getContext(), 8, IntegerType::Unsigned))
                : isFloat(element)   ? accumulatorElement(element)
                : reduction.exact    ? element
                                     : Type(l.b.getF64Type());
  Type accumulator = computeType(folded);
  FailureOr<Space> space = spaceOf(l, op);
  if (failed(space))
    return failure();
  Value init = startOf(l, reduction, accumulator, element, isUnsigned(folded));
  Value result = fold(l, *space, operand, element, init, nullptr, [&](Scalars &s, ValueRange args) {
    Scalars target{s.b, s.loc, folded};
    Value value = castScalar(s, args[1], element, folded);
    return reduction.combine(target, {args[0], reduction.load ? reduction.load(target, value) : value});
  });
  if (reduction.finish || storageType(folded) != storageType(element)) {
    Value count = reduction.finish == divideByCount ? l.number(product(l, space->folded), accumulator) : nullptr;
    result = l.elementwise(space->kept, element, result, folded, [&](Scalars &s, ValueRange args) {
      Value value = reduction.finish ? reduction.finish(s, args[0], count) : args[0];
      return castScalar(s, value, folded, element);
    });
  }
  return space->isResult ? result : l.reshape(result, space->result);
}

/// log(sum(exp(x))) without overflow: the largest element is taken out of the sum, unless it is infinite.
static FailureOr<Value> lowerReduceLogSumExp(ReduceLogSumExpOp op, Lowering &l) {
  Type element = Lowering::element(op.getData()),
       real = isFloat(element) ? accumulatorElement(element) : Type(l.b.getF64Type());
  FailureOr<Space> space = spaceOf(l, op);
  if (failed(space))
    return failure();
  Value operand = l.cast(l(op.getData()), element, real);
  Value least = arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, real, false));
  Value largest = fold(l, *space, operand, real, least, nullptr,
                       [](Scalars &s, ValueRange args) { return larger(s, args.take_front(2)); });
  Value origin = l.elementwise(space->kept, real, largest, real, [](Scalars &s, ValueRange args) -> Value {
    Value infinity = s.constant(std::numeric_limits<double>::infinity());
    Value isFinite = s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, s.make<math::AbsFOp>(args[0]), infinity);
    return s.make<arith::SelectOp>(isFinite, args[0], s.constant(0));
  });
  Value sum = fold(l, *space, operand, real, l.scalar(0, real), origin, [](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::AddFOp>(args[0], s.make<math::ExpOp>(s.make<arith::SubFOp>(args[1], args[2])));
  });
  Value result = l.elementwise(space->kept, element, {sum, origin}, {real, real}, [&](Scalars &s, ValueRange args) {
    return castScalar(s, s.make<arith::AddFOp>(s.make<math::LogOp>(args[0]), args[1]), real, element);
  });
  return space->isResult ? result : l.reshape(result, space->result);
}

template <typename Op> static RuleOf<Op> reduce(Rules &rules, Reduction reduction) {
  return rules.op<Op>().shape(shapeOfReduce<Op>).lower([reduction](Op op, Lowering &l) {
    return lowerReduce(op, l, reduction);
  });
}

/// Extremes are elements, unless they are those of nothing.
template <typename Op> static SmallVector<OpOperand *> movedByExtreme(Op op) {
  auto type = dyn_cast<RankedTensorType>(op.getData().getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() == 0)
    return {};
  return {&op.getDataMutable()};
}

//===-- ArgMax, ArgMin ------------------------------------------------------------===//

template <typename Op> static FailureOr<Extents> shapeOfExtreme(Op op, Known &known) {
  FailureOr<SmallVector<int64_t>> axes = normalizedAxes(op, op.getAxis(), known.rank(op.getData()));
  if (failed(axes))
    return failure();
  return withoutAxes(known, op.getData(), *axes, op.getKeepdims());
}

template <typename Op, bool largest> static FailureOr<Value> lowerExtreme(Op op, Lowering &l) {
  int64_t axis = *normalizedAxis(op.getAxis(), l.rank(op.getData()));
  Value position =
      extremeAlong(l, l(op.getData()), Lowering::element(op.getData()), axis, largest, op.getSelectLastIndex());
  return l.reshape(position, l.extents(op.getReduced()));
}

//===-- CumSum, CumProd -----------------------------------------------------------===//

template <typename Op> static FailureOr<Extents> shapeOfRunning(Op op, Known &known) {
  if (auto axis = known.constants(op.getAxis());
      axis && axis->size() == 1 && !normalizedAxis(axis->front(), known.rank(op.getX())))
    return op.emitOpError("expects an axis in [")
           << -known.rank(op.getX()) << ", " << known.rank(op.getX()) - 1 << "], got " << axis->front();
  return Extents(known.extents(op.getX()));
}

/// Extents as [before, along, after] the axis, which only the run may know.
static SmallVector<OpFoldResult> aroundAxis(Lowering &l, Value operand, Value axis) {
  SmallVector<OpFoldResult> extents = l.extents(operand);
  int64_t rank = extents.size();
  OpFoldResult one = l.b.getIndexAttr(1);
  if (auto constant = l.known.constants(axis); constant && constant->size() == 1) {
    int64_t at = *normalizedAxis(constant->front(), rank);
    SmallVector<OpFoldResult> result = {one, extents[at], one};
    for (int64_t i = 0; i < rank; ++i)
      if (i != at)
        result[i < at ? 0 : 2] = l.mul(result[i < at ? 0 : 2], extents[i]);
    return result;
  }
  Index given(l, l.elementAsIndex(axis, 0)), at = select(given < 0, given + rank, given);
  l.check(at >= 0 && at < rank, "expects an axis in [" + Twine(-rank) + ", " + Twine(rank - 1) + "], got %0", {given});
  SmallVector<Index> result(3, Index(l, int64_t(1)));
  for (int64_t i = 0; i < rank; ++i) {
    Index extent(l, extents[i]), unit(l, int64_t(1));
    Truth sides[] = {at > i, at == i, at < i};
    for (int side = 0; side < 3; ++side)
      result[side] = result[side] * select(sides[side], extent, unit);
  }
  return asFoldResults(result);
}

/// One slice along the axis after the other is combined with what was carried so far.
template <typename Op> static FailureOr<Value> lowerRunning(Op op, Lowering &l, double start, ElementwiseBody combine) {
  Type element = Lowering::element(op.getX()), storage = storageType(element), compute = computeType(element);
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  if (extents.empty())
    return op.emitOpError("expects x of rank 1 or more, got ") << op.getX().getType();
  SmallVector<OpFoldResult> around = aroundAxis(l, op.getX(), op.getAxis());
  OpBuilder &b = l.b;
  Location loc = l.loc();
  Value x = l.reshape(l(op.getX()), around);
  SmallVector<OpFoldResult> sides = {around[0], around[2]};
  Value carried = l.filled(sides, l.scalar(start, compute)), result = l.empty(around, storage);
  Value zero = l.index(int64_t(0)), one = l.index(1), count = l.index(around[1]);

  auto loop = scf::ForOp::create(b, loc, zero, count, one, ValueRange{result, carried});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value position = loop.getInductionVar(), soFar = loop.getRegionIterArgs()[1];
    if (op.getReverse())
      position = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, count, one), position);
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), position, b.getIndexAttr(0)};
    SmallVector<OpFoldResult> sizes = {sides[0], b.getIndexAttr(1), sides[1]}, strides(3, b.getIndexAttr(1));
    SmallVector<int64_t> shape;
    SmallVector<Value> ignored;
    dispatchIndexOpFoldResults(sides, ignored, shape);
    auto slice =
        tensor::ExtractSliceOp::create(b, loc, RankedTensorType::get(shape, storage), x, offsets, sizes, strides);
    auto shownAs = [&](Value shown) -> Value {
      shown = l.cast(shown, accumulatorElement(element), element);
      return tensor::InsertSliceOp::create(b, loc, shown, loop.getRegionIterArgs()[0], offsets, sizes, strides);
    };
    // What was carried is updated in place, so an exclusive fold is shown before.
    Value grown = op.getExclusive() ? shownAs(soFar) : Value();
    AffineMap identity = b.getMultiDimIdentityMap(2);
    SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
    Value next = l.generic(soFar, ValueRange(slice.getResult()), {identity, identity}, parallel,
                           [&](OpBuilder &inner, Location at, ValueRange args) {
                             Scalars scalars{inner, at, element};
                             return combine(scalars, {args[1], loadScalar(inner, at, args[0], element)});
                           });
    if (!grown)
      grown = shownAs(next);
    scf::YieldOp::create(b, loc, ValueRange{grown, next});
  }
  return l.reshape(loop.getResult(0), extents);
}

//===-- Table ------------------------------------------------------------------===//

void addReduceRules(Rules &rules) {
  reduce<ReduceSumOp>(rules, {Reduction::Zero, nullptr, add});
  reduce<ReduceMeanOp>(rules, {Reduction::Zero, nullptr, add, divideByCount});
  reduce<ReduceProdOp>(rules, {Reduction::One, nullptr, multiply});
  reduce<ReduceMaxOp>(rules, {Reduction::Least, nullptr, larger}).movesByOrder(movedByExtreme<ReduceMaxOp>);
  reduce<ReduceMinOp>(rules, {Reduction::Greatest, nullptr, smaller}).movesByOrder(movedByExtreme<ReduceMinOp>);
  reduce<ReduceL1Op>(rules, {Reduction::Zero, magnitude, add});
  reduce<ReduceL2Op>(rules, {Reduction::Zero, square, add, squareRoot, /*exact=*/false});
  reduce<ReduceSumSquareOp>(rules, {Reduction::Zero, square, add});
  reduce<ReduceLogSumOp>(rules, {Reduction::Zero, nullptr, add, logarithm, /*exact=*/false});
  rules.op<ReduceLogSumExpOp>().shape(shapeOfReduce<ReduceLogSumExpOp>).lower(lowerReduceLogSumExp);

  rules.op<ArgMaxOp>()
      .shape(shapeOfExtreme<ArgMaxOp>)
      .movesByOrder(movedByExtreme<ArgMaxOp>)
      .lower(lowerExtreme<ArgMaxOp, true>);
  rules.op<ArgMinOp>()
      .shape(shapeOfExtreme<ArgMinOp>)
      .movesByOrder(movedByExtreme<ArgMinOp>)
      .lower(lowerExtreme<ArgMinOp, false>);

  rules.op<CumSumOp>().shape(shapeOfRunning<CumSumOp>).lower([](CumSumOp op, Lowering &l) {
    return lowerRunning(op, l, 0, add);
  });
  rules.op<CumProdOp>().shape(shapeOfRunning<CumProdOp>).lower([](CumProdOp op, Lowering &l) {
    return lowerRunning(op, l, 1, multiply);
  });
}

} // namespace mlc::onnx
