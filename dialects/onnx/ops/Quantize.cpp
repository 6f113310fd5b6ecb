// Quantization: numbers as small integers (or floats of 8 bits and fewer) that stand for  scale * (q - zero point).
//
// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear go from one to the other. Scale and zero point are one for
// all elements, one for each along an axis, or one for each block of elements along an axis. Rounding is to the nearest,
// ties to even, and what is out of range becomes the nearest in range. Sums of products are in QuantizedProducts.cpp.
#include "onnx/ops/Quantize.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Scales and zero points ---------------------------------------------------===//

bool isOne(Known &known, Value parameter) {
  return llvm::all_of(known.extents(parameter), [](Extent extent) { return ExtentMath::isConstant(extent, 1); });
}

LogicalResult checkParameter(Operation *op, Known &known, Value parameter, ArrayRef<Extent> extents, int64_t axis) {
  if (!parameter || isOne(known, parameter))
    return success();
  ArrayRef<Extent> own = known.extents(parameter);
  bool fits = own.size() == 1 ? axis < (int64_t)extents.size() && known.math.mayBeEqual(own[0], extents[axis])
                              : own.size() == extents.size();
  for (size_t i = 0; fits && own.size() > 1 && i < own.size(); ++i)
    fits = ExtentMath::isConstant(own[i], 1) || known.math.mayBeEqual(own[i], extents[i]);
  if (fits)
    return success();
  return op->emitOpError("expects a scale or zero point of one element, or of one for each along axis ")
         << axis << ", got " << parameter.getType();
}

Along parameter(Lowering &l, Value parameter, ArrayRef<Extent> extents, int64_t axis) {
  Type element = Lowering::element(parameter);
  if (isOne(l.known, parameter))
    return {l.reshape(l(parameter), {}), element, {}};
  if (l.rank(parameter) != 1) {
    int64_t rank = extents.size(), own = l.rank(parameter);
    return {l.broadcastable(parameter, extents), element, llvm::to_vector(llvm::seq<int64_t>(rank - own, rank))};
  }
  return {l.broadcastable(parameter, extents[axis]), element, {axis}};
}

Value centered(Lowering &l, Value x, Value zeroPoint, int64_t axis) {
  ArrayRef<Extent> extents = l.known.extents(x);
  Type element = Lowering::element(x), wide = isFloat(element) ? Type(l.b.getF32Type()) : l.b.getI32Type();
  SmallVector<Along> operands = {{l.broadcastable(x, extents), element, otherAxes(extents.size(), {})}};
  if (zeroPoint)
    operands.push_back(parameter(l, zeroPoint, extents, axis));
  return l.elementwise(l.materialize(extents), wide, operands, [&](Scalars &s, ValueRange args) {
    Value value = castScalar(s, args[0], element, wide);
    if (!zeroPoint)
      return value;
    Scalars target{s.b, s.loc, wide};
    return subtract(target, {value, castScalar(s, args[1], element, wide)});
  });
}

Value quantized(const Scalars &s, Real real, Value zeroPoint, Type to) {
  Type f32 = s.b.getF32Type(), i32 = s.b.getI32Type();
  if (isFloat(to))
    return zeroPoint ? real + Real(s, castScalar(s, zeroPoint, to, f32)) : real;
  Real rounded(s, s.make<math::RoundEvenOp>(Value(real)));
  if (zeroPoint)
    rounded = rounded + Real(s, castScalar(s, zeroPoint, to, f32));
  unsigned width = to.getIntOrFloatBitWidth();
  double least = isUnsigned(to) ? 0 : -std::ldexp(1.0, width - 1),
         greatest = std::ldexp(1.0, isUnsigned(to) ? width : width - 1) - 1;
  // Of a number and NaN these take the number, so that the conversion has nothing left to check.
  Value atLeast = s.make<arith::MaxNumFOp>(rounded, rounded.same(least)),
        inRange = s.make<arith::MinNumFOp>(atLeast, rounded.same(greatest));
  return castScalar(s, s.make<arith::FPToSIOp>(i32, inRange), i32, to);
}

//===-- QuantizeLinear, DequantizeLinear -------------------------------------------===//

/// The axis of scales, where it matters.
template <typename Op> static FailureOr<int64_t> scaleAxis(Op op, Known &known, Value scale) {
  int64_t rank = known.rank(op.getX());
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (axis)
    return *axis;
  if (isOne(known, scale))
    return 0;
  return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
}

/// Extents of a scale of blocks: those of x, divided by the block's along the axis.
static Extents blockExtents(ExtentMath &math, ArrayRef<Extent> extents, int64_t axis, int64_t block) {
  Extents result(extents);
  result[axis] = math.ceilDiv(result[axis], math.constant(block));
  return result;
}

template <typename Op> static FailureOr<Extents> shapeOfLinear(Op op, Known &known, Value scale, Value zeroPoint) {
  Extents extents(known.extents(op.getX()));
  FailureOr<int64_t> axis = scaleAxis(op, known, scale);
  if (failed(axis))
    return failure();
  if (op.getBlockSize() < 0)
    return op.emitOpError("expects a block size of 0 or more, got ") << op.getBlockSize();
  for (Value parameter : {scale, zeroPoint}) {
    if (!parameter)
      continue;
    Extents expected = extents;
    if (op.getBlockSize() > 0) {
      if (extents.empty() || known.rank(parameter) != (int64_t)extents.size())
        return op.emitOpError("expects a scale and zero point of the rank of x where blocks have their own, got ")
               << parameter.getType();
      expected = blockExtents(known.math, extents, *axis, op.getBlockSize());
    }
    if (failed(checkParameter(op, known, parameter, expected, *axis)))
      return failure();
  }
  return extents;
}

/// A scale or zero point, with one element for each of x where it has one for each block.
template <typename Op> static Along parameterOf(Op op, Lowering &l, Value value, int64_t axis) {
  ArrayRef<Extent> extents = l.known.extents(op.getX());
  int64_t block = op.getBlockSize(), rank = extents.size();
  if (block == 0)
    return parameter(l, value, extents, axis);
  Extents blocks = blockExtents(l.known.math, extents, axis, block);
  Value blocked = l.broadcast(l.broadcastable(value, blocks), l.materialize(blocks));
  Value repeated = l.generate(l.materialize(extents), storageType(Lowering::element(value)),
                              [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
                                SmallVector<Value> source(indices);
                                source[axis] = arith::DivUIOp::create(b, loc, source[axis],
                                                                      arith::ConstantIndexOp::create(b, loc, block));
                                return tensor::ExtractOp::create(b, loc, blocked, source);
                              });
  return {repeated, Lowering::element(value), otherAxes(rank, {})};
}

static FailureOr<Value> lowerQuantize(QuantizeLinearOp op, Lowering &l) {
  Value x = op.getX(), scale = op.getYScale(), zeroPoint = op.getYZeroPoint();
  Type element = Lowering::element(x), to = Lowering::element(op.getY()), f32 = l.b.getF32Type();
  FailureOr<int64_t> axis = scaleAxis(op, l.known, scale);
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  SmallVector<Along> operands = {{l.broadcastable(x, l.known.extents(x)), element, otherAxes(extents.size(), {})},
                                 parameterOf(op, l, scale, *axis)};
  if (zeroPoint)
    operands.push_back(parameterOf(op, l, zeroPoint, *axis));
  Type scaleElement = Lowering::element(scale), computed = isFloat(to) ? f32 : to;
  Value result = l.elementwise(extents, computed, operands, [&](Scalars &s, ValueRange args) {
    Real value(s, castScalar(s, args[0], element, f32)), by(s, castScalar(s, args[1], scaleElement, f32));
    return quantized(s, value / by, zeroPoint ? args[2] : Value(), to);
  });
  Narrowing narrowing;
  narrowing.saturate = op.getSaturate();
  return l.cast(result, computed, to, narrowing);
}

/// The extents of blocks and of what is in them, in place of an axis that fixed numbers of whole blocks make up; empty
/// where they do not.
static SmallVector<OpFoldResult> splitIntoBlocks(Lowering &l, ArrayRef<OpFoldResult> extents, int64_t axis,
                                                 int64_t block) {
  if (block == 0) // of a scalar, too, which has no axis
    return {};
  std::optional<int64_t> extent = getConstantIntValue(extents[axis]);
  if (!extent || *extent % block != 0)
    return {};
  SmallVector<OpFoldResult> split(extents);
  split[axis] = l.b.getIndexAttr(*extent / block);
  split.insert(split.begin() + axis + 1, l.b.getIndexAttr(block));
  return split;
}

static FailureOr<Value> lowerDequantize(DequantizeLinearOp op, Lowering &l) {
  Value x = op.getX(), scale = op.getXScale(), zeroPoint = op.getXZeroPoint();
  Type element = Lowering::element(x), to = Lowering::element(op.getY()), f32 = l.b.getF32Type();
  FailureOr<int64_t> axis = scaleAxis(op, l.known, scale);
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  Value stored = l.broadcastable(x, l.known.extents(x));
  // Whole blocks are an axis of their own, along which a scale does not change.
  SmallVector<OpFoldResult> split = splitIntoBlocks(l, extents, *axis, op.getBlockSize());
  SmallVector<ReassociationIndices> groups;
  if (!split.empty()) {
    for (int64_t i = 0, from = 0; i < (int64_t)extents.size(); ++i, ++from)
      groups.push_back(i == *axis ? ReassociationIndices{from, ++from} : ReassociationIndices{from});
    SmallVector<int64_t> shape = llvm::map_to_vector(
        split, [](OpFoldResult extent) { return getConstantIntValue(extent).value_or(ShapedType::kDynamic); });
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(stored.getType()));
    stored = tensor::ExpandShapeOp::create(l.b, l.loc(), type, stored, groups, split);
  }
  ArrayRef<OpFoldResult> loops = split.empty() ? extents : split;
  auto operandOf = [&](Value parameter) -> Along {
    if (split.empty())
      return parameterOf(op, l, parameter, *axis);
    Extents blocks = blockExtents(l.known.math, l.known.extents(x), *axis, op.getBlockSize());
    return {l.broadcast(l.broadcastable(parameter, blocks), l.materialize(blocks)), Lowering::element(parameter),
            otherAxes(loops.size(), {*axis + 1})};
  };
  SmallVector<Along> operands = {{stored, element, otherAxes(loops.size(), {})}, operandOf(scale)};
  // A zero point that is known is no operand.
  std::optional<double> zero = zeroPoint ? constantNumber(zeroPoint) : 0;
  if (!zero)
    operands.push_back(operandOf(zeroPoint));
  Type scaleElement = Lowering::element(scale), wide = isFloat(element) ? f32 : Type(l.b.getI32Type());
  Value result = l.elementwise(loops, to, operands, [&](Scalars &s, ValueRange args) {
    Scalars target{s.b, s.loc, wide};
    Value value = castScalar(s, args[0], element, wide);
    if (!zero)
      value = subtract(target, {value, castScalar(s, args[2], element, wide)});
    else if (*zero != 0)
      value = subtract(target, {value, s.constant(*zero, wide)});
    Real real(s, castScalar(s, value, wide, f32)), by(s, castScalar(s, args[1], scaleElement, f32));
    return castScalar(s, real * by, f32, to);
  });
  return split.empty() ? result : Value(tensor::CollapseShapeOp::create(l.b, l.loc(), result, groups));
}

//===-- DynamicQuantizeLinear --------------------------------------------------------===//

static FailureOr<SmallVector<Facts>> shapeOfDynamicQuantize(DynamicQuantizeLinearOp op, Known &known) {
  return SmallVector<Facts>{Facts(Extents(known.extents(op.getX()))), Facts(Extents()), Facts(Extents())};
}

/// The scale is that of the range of all elements, which always holds 0.
static FailureOr<SmallVector<Value>> lowerDynamicQuantize(DynamicQuantizeLinearOp op, Lowering &l) {
  Value x = l(op.getX());
  Type f32 = l.b.getF32Type(), to = Lowering::element(op.getY());
  int64_t rank = l.rank(op.getX());
  SmallVector<int64_t> all = otherAxes(rank, {});
  Value zero = l.scalar(0, f32);
  Value greatest = l.fold(x, f32, all, f32, zero, nullptr, larger),
        least = l.fold(x, f32, all, f32, zero, nullptr, smaller);
  Value scale = l.elementwise({}, f32, {greatest, least}, {f32, f32}, [](Scalars &s, ValueRange args) -> Value {
    return (Real(s, args[0]) - Real(s, args[1])) / 255;
  });
  Value zeroPoint = l.elementwise({}, to, {least, scale}, {f32, f32}, [&](Scalars &s, ValueRange args) {
    return quantized(s, 0 - Real(s, args[0]) / Real(s, args[1]), nullptr, to);
  });
  Along operands[] = {{x, f32, all}, {scale, f32, {}}, {zeroPoint, to, {}}};
  Value y = l.elementwise(l.extents(op.getY()), to, operands, [&](Scalars &s, ValueRange args) {
    return quantized(s, Real(s, args[0]) / Real(s, args[1]), args[2], to);
  });
  return SmallVector<Value>{y, scale, zeroPoint};
}

//===-- Table --------------------------------------------------------------------------===//

void addQuantizeRules(Rules &rules) {
  rules.op<QuantizeLinearOp>()
      .shape([](QuantizeLinearOp op, Known &known) {
        return shapeOfLinear(op, known, op.getYScale(), op.getYZeroPoint());
      })
      .lower(lowerQuantize);
  rules.op<DequantizeLinearOp>()
      .shape([](DequantizeLinearOp op, Known &known) {
        return shapeOfLinear(op, known, op.getXScale(), op.getXZeroPoint());
      })
      .lower(lowerDequantize);
  rules.op<DynamicQuantizeLinearOp>().shape(shapeOfDynamicQuantize).lower(lowerDynamicQuantize);
}

} // namespace mlc::onnx
