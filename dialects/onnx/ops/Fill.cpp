// Operators that make a tensor of a few numbers: ConstantOfShape, Range, EyeLike.
//
//   %y = onnx.Range(%start, %limit, %delta)   =>   linalg.generic { %start + linalg.index 0 * %delta }
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- ConstantOfShape ----------------------------------------------------------------===//

/// The integer that all elements have, where it may be part of a shape.
static std::optional<int64_t> integerOf(ConstantOfShapeOp op) {
  std::optional<ElementsAttr> value = op.getValue();
  auto dense = value ? dyn_cast<DenseIntElementsAttr>(*value) : DenseIntElementsAttr();
  if (!dense || !dense.isSplat())
    return std::nullopt;
  APInt number = dense.getSplatValue<APInt>();
  return isUnsigned(dense.getElementType()) ? (int64_t)number.getZExtValue() : number.getSExtValue();
}

static FailureOr<Facts> shapeOfConstantOfShape(ConstantOfShapeOp op, Known &known) {
  if (known.rank(op.getInput()) != 1)
    return op.emitOpError("expects a shape of rank 1, got ") << op.getInput().getType();
  if (std::optional<ElementsAttr> value = op.getValue(); value && value->getNumElements() != 1)
    return op.emitOpError("expects a value of one element, got ") << value->getNumElements();
  std::optional<Extents> extents = known.elementsOrSymbols(op.getInput());
  if (!extents)
    return Facts();
  for (Extent extent : *extents)
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent); fixed && *fixed < 0)
      return op.emitOpError("expects extents in its shape, got ") << *fixed;
  std::optional<int64_t> number = integerOf(op);
  std::optional<Extents> elements =
      tellElements(*extents, [&](ArrayRef<int64_t>) { return number ? known.math.constant(*number) : Extent(); });
  return Facts(std::move(*extents), std::move(elements));
}

static FailureOr<Value> lowerConstantOfShape(ConstantOfShapeOp op, Lowering &l) {
  if (!l.known.of(op.getOutput()).extents)
    return l.unsupported("the rank of the result is known to the run only");
  ArrayRef<Extent> extents = l.known.extents(op.getOutput());
  std::optional<Extents> told = l.known.elementsOrSymbols(op.getInput());
  if (!told)
    return l.unsupported("the length of the shape is known to the run only");
  for (auto [axis, extent, entry] : llvm::enumerate(extents, *told))
    l.expectExtent(entry, extent, "axis " + Twine(axis) + " of its shape");
  l.checkExtents(extents);
  std::optional<ElementsAttr> value = op.getValue();
  if (!value)
    return l.filled(l.materialize(extents), l.scalar(0, l.b.getF32Type()));
  FailureOr<Value> constant = l.constant(*value);
  if (failed(constant))
    return failure();
  SmallVector<Value> first(value->getShapedType().getRank(), l.index(int64_t(0)));
  Value scalar = l.b.createOrFold<tensor::ExtractOp>(l.loc(), *constant, first);
  return l.filled(l.materialize(extents), scalar);
}

//===-- Range ----------------------------------------------------------------------------===//

/// How many numbers there are from `start` on, by steps of `delta`, before `limit`.
static double countOfRange(double start, double limit, double delta) {
  return std::max(std::ceil((limit - start) / delta), 0.0);
}

static FailureOr<Facts> shapeOfRange(RangeOp op, Known &known) {
  Value operands[] = {op.getStart(), op.getLimit(), op.getDelta()};
  for (Value operand : operands)
    if (known.rank(operand) > 1)
      return op.emitOpError("expects scalars, got ") << operand.getType();
  ExtentMath &math = known.math;
  if (isFloat(Lowering::element(op.getStart()))) {
    std::optional<double> start = constantNumber(operands[0]), limit = constantNumber(operands[1]),
                          delta = constantNumber(operands[2]);
    if (delta && *delta == 0)
      return op.emitOpError("expects a delta other than 0");
    if (!start || !limit || !delta)
      return Facts(Extents{nullptr});
    double count = countOfRange(*start, *limit, *delta);
    return Facts(Extents{count < 0x1p48 ? math.constant((int64_t)count) : Extent()});
  }
  Extent numbers[3];
  for (auto [number, operand] : llvm::zip_equal(numbers, operands)) {
    std::optional<Extents> told = known.elementsOrSymbols(operand);
    if (!told || told->size() != 1)
      return Facts(Extents{nullptr});
    number = told->front();
  }
  auto [start, limit, delta] = numbers;
  std::optional<int64_t> step = ExtentMath::asConstant(delta);
  if (step && *step == 0)
    return op.emitOpError("expects a delta other than 0");
  if (!step || *step == INT64_MIN)
    return Facts(Extents{nullptr});
  Extent distance = *step > 0 ? math.sub(limit, start) : math.sub(start, limit);
  Extents extents = {math.max(math.ceilDiv(distance, math.constant(std::abs(*step))), math.constant(0))};
  std::optional<Extents> elements =
      tellElements(extents, [&](ArrayRef<int64_t> index) { return math.add(start, math.constant(index[0] * *step)); });
  return Facts(std::move(extents), std::move(elements));
}

/// The number of elements where it is no expression over shapes; `numbers` are start, limit and delta in `compute`.
static Index countAtRunTime(Lowering &l, Value (&numbers)[3], Type element) {
  auto [start, limit, delta] = numbers;
  Type i64 = l.b.getI64Type(), f64 = l.b.getF64Type();
  Scalars s{l.b, l.loc(), element};
  if (isFloat(element)) {
    auto wide = [&](Value number) { return Real(s, castScalar(s, number, element, f64)); };
    Real step = wide(delta), none = step.same(0);
    l.check(!Truth(l, step == 0), "expects a delta other than 0", {});
    Real count = ceil((wide(limit) - wide(start)) / step);
    // What is no number, or too large for an integer, becomes one that is refused.
    Value integer = castScalar({l.b, l.loc(), f64}, select(count < 0, none, count), f64, i64);
    return {l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), integer).getResult()};
  }
  auto wide = [&](Value number) {
    Value integer = castScalar(s, number, element, i64);
    return Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), integer).getResult());
  };
  Index first = wide(start), end = wide(limit), step = wide(delta), zero(l, int64_t(0)), one(l, 1);
  l.check(step != 0, "expects a delta other than 0", {});
  Index distance = select(step < 0, first - end, end - first), size = select(step < 0, zero - step, step);
  Index divisor = select(size == 0, one, size);
  return select(distance <= 0, zero, (distance - 1) / divisor + 1);
}

static FailureOr<Value> lowerRange(RangeOp op, Lowering &l) {
  Type element = Lowering::element(op.getStart());
  Value numbers[] = {l.onlyElement(op.getStart()), l.onlyElement(op.getLimit()), l.onlyElement(op.getDelta())};
  Extent told = l.known.extents(op.getOutput()).front();
  bool isTold = told != l.known.math.extentOf(op.getOutput(), 0);
  OpFoldResult count = isTold ? l.materialize(told) : OpFoldResult(countAtRunTime(l, numbers, element));
  l.checkExtents(count);
  // Narrow floats by default in f32.
  Type compute = isFloat(element) && op.getStashType() == 11 ? Type(l.b.getF64Type()) : computeType(element);
  Scalars outside{l.b, l.loc(), element};
  auto prepared = [&](Value number) {
    return isFloat(element) ? castScalar(outside, number, computeType(element), compute) : number;
  };
  Value start = prepared(numbers[0]), delta = prepared(numbers[2]);
  return l.generate(count, storageType(element), [&](OpBuilder &b, Location loc, ValueRange index) -> Value {
    Scalars s{b, loc, element};
    Value position = arith::IndexCastOp::create(b, loc, b.getI64Type(), index[0]);
    if (isFloat(element)) {
      Value number = Real(s, start) + Real(s, s.make<arith::SIToFPOp>(compute, position)) * Real(s, delta);
      return storeScalar(b, loc, castScalar({b, loc, compute}, number, compute, computeType(element)), element);
    }
    Value place = castScalar(s, position, b.getI64Type(), element);
    return s.make<arith::AddIOp>(start, s.make<arith::MulIOp>(place, delta));
  });
}

//===-- EyeLike ----------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfEyeLike(EyeLikeOp op, Known &known) {
  if (known.rank(op.getInput()) != 2)
    return op.emitOpError("expects an operand of rank 2, got ") << op.getInput().getType();
  return Extents(known.extents(op.getInput()));
}

static FailureOr<Value> lowerEyeLike(EyeLikeOp op, Lowering &l) {
  Type element = Lowering::element(op.getOutput()), compute = computeType(element);
  Index above(l, op.getK());
  return l.generate(l.extents(op.getOutput()), storageType(element),
                    [&](OpBuilder &b, Location loc, ValueRange index) -> Value {
                      Truth isOne = Index(l, index[0]) + above == Index(l, index[1]);
                      Scalars s{b, loc, element};
                      Value number = s.make<arith::SelectOp>(isOne, s.constant(1, compute), s.constant(0, compute));
                      return storeScalar(b, loc, number, element);
                    });
}

void addFillRules(Rules &rules) {
  rules.op<ConstantOfShapeOp>().shape(shapeOfConstantOfShape).lower(lowerConstantOfShape);
  rules.op<RangeOp>().shape(shapeOfRange).lower(lowerRange);
  rules.op<EyeLikeOp>().shape(shapeOfEyeLike).lower(lowerEyeLike);
}

} // namespace mlc::onnx
