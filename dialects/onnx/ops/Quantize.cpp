// Quantization: numbers as small integers (or floats of 8 bits and fewer) that stand for  scale * (q - zero point).
//
//   QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear      between the two
//   MatMulInteger, ConvInteger                                   sums of products of q - zero point, as i32
//   QLinearMatMul, QLinearConv                                   the same, quantized again
//
// Scale and zero point are one for all elements, one for each along an axis, or one for each block of elements along an
// axis. Rounding is to the nearest, ties to even, and what is out of range becomes the nearest in range.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Conv.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/MatMul.h"
#include "onnx/ops/QuantizedConstant.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Scales and zero points ---------------------------------------------------===//

static bool isOne(Known &known, Value parameter) {
  return llvm::all_of(known.extents(parameter), [](Extent extent) { return ExtentMath::isConstant(extent, 1); });
}

/// Checks that a scale or zero point is of one element, of one for each along `axis`, or broadcasts to `extents`.
static LogicalResult checkParameter(Operation *op, Known &known, Value parameter, ArrayRef<Extent> extents,
                                    int64_t axis) {
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

/// A scale or zero point as an operand of an elementwise operation with these extents.
static Along parameter(Lowering &l, Value parameter, ArrayRef<Extent> extents, int64_t axis) {
  Type element = Lowering::element(parameter);
  if (isOne(l.known, parameter))
    return {l.reshape(l(parameter), {}), element, {}};
  if (l.rank(parameter) != 1) {
    int64_t rank = extents.size(), own = l.rank(parameter);
    return {l.broadcastable(parameter, extents), element, llvm::to_vector(llvm::seq<int64_t>(rank - own, rank))};
  }
  return {l.broadcastable(parameter, extents[axis]), element, {axis}};
}

/// `x - zero point` of integers as i32, or of floats as f32.
static Value centered(Lowering &l, Value x, Value zeroPoint, int64_t axis) {
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

/// A real number (f32) divided by its scale already, as a quantized one of type `to`; `zeroPoint`, of the compute type
/// of `to`, may be null. Floats are only moved: storing them rounds.
static Value quantized(const Scalars &s, Real real, Value zeroPoint, Type to) {
  Type f32 = s.b.getF32Type();
  if (isFloat(to))
    return zeroPoint ? real + Real(s, castScalar(s, zeroPoint, to, f32)) : real;
  Real rounded(s, s.make<math::RoundEvenOp>(Value(real)));
  if (zeroPoint)
    rounded = rounded + Real(s, castScalar(s, zeroPoint, to, f32));
  unsigned width = to.getIntOrFloatBitWidth();
  double least = isUnsigned(to) ? 0 : -std::ldexp(1.0, width - 1),
         greatest = std::ldexp(1.0, isUnsigned(to) ? width : width - 1) - 1;
  Real inRange = min(max(rounded, rounded.same(least)), rounded.same(greatest));
  return castScalar(s, inRange, f32, to);
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

static FailureOr<Value> lowerDequantize(DequantizeLinearOp op, Lowering &l) {
  Value x = op.getX(), scale = op.getXScale(), zeroPoint = op.getXZeroPoint();
  Type element = Lowering::element(x), to = Lowering::element(op.getY()), f32 = l.b.getF32Type();
  FailureOr<int64_t> axis = scaleAxis(op, l.known, scale);
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> extents = l.extents(op.getY());
  SmallVector<Along> operands = {{l.broadcastable(x, l.known.extents(x)), element, otherAxes(extents.size(), {})},
                                 parameterOf(op, l, scale, *axis)};
  if (zeroPoint)
    operands.push_back(parameterOf(op, l, zeroPoint, *axis));
  Type scaleElement = Lowering::element(scale), wide = isFloat(element) ? f32 : Type(l.b.getI32Type());
  return l.elementwise(extents, to, operands, [&](Scalars &s, ValueRange args) {
    Scalars target{s.b, s.loc, wide};
    Value value = castScalar(s, args[0], element, wide);
    if (zeroPoint)
      value = subtract(target, {value, castScalar(s, args[2], element, wide)});
    Real real(s, castScalar(s, value, wide, f32)), by(s, castScalar(s, args[1], scaleElement, f32));
    return castScalar(s, real * by, f32, to);
  });
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

//===-- Sums of products ---------------------------------------------------------------===//
//
// With constant weights the activations are multiplied as they are stored, and what their zero point adds is taken off
// the sums:
//
//   sum of (x - z) * w  =  sum of x * w  -  z * sum of w

static Factors factorsOf(Value x) {
  return isUnsigned(Lowering::element(x)) ? Factors::UnsignedBySigned : Factors::Signed;
}

/// Takes the zero point of x, which lies along axis `zeroAxis` of the result if it is not one, times the sums of the
/// weights off; `sums` gives those times a factor, and they lie along `axes`.
static Value withoutZeroPoint(Lowering &l, Value sum, ArrayRef<Extent> extents, Value zeroPoint, int64_t zeroAxis,
                              ArrayRef<int64_t> axes, llvm::function_ref<ElementsAttr(int64_t)> sums) {
  std::optional<double> known = zeroPoint ? constantNumber(zeroPoint) : 0;
  if (known == 0)
    return sum;
  Type i32 = l.b.getI32Type();
  auto constant = cast<TypedAttr>(sums(known ? -int64_t(*known) : -1));
  SmallVector<Along> operands = {{sum, i32, otherAxes(extents.size(), {})},
                                 {arith::ConstantOp::create(l.b, l.loc(), constant), i32, llvm::to_vector(axes)}};
  if (!known)
    operands.push_back(parameter(l, zeroPoint, extents, zeroAxis));
  return l.elementwise(l.materialize(extents), i32, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value correction = args[1];
    if (!known)
      correction = s.make<arith::MulIOp>(correction, castScalar(s, args[2], operands[2].element, i32));
    return s.make<arith::AddIOp>(args[0], correction);
  });
}

/// Rows of a and columns of b may have parameters of their own; a vector has neither.
static int64_t rowAxis(Known &known, Value a) { return std::max<int64_t>(known.rank(a) - 2, 0); }
static int64_t columnAxis(Known &known, Value b) { return std::max<int64_t>(known.rank(b) - 1, 0); }

template <typename Op>
static LogicalResult checkMatrixParameters(Op op, Known &known, Value a, Value aZeroPoint, Value b, Value bZeroPoint) {
  return success(succeeded(checkParameter(op, known, aZeroPoint, known.extents(a), rowAxis(known, a))) &&
                 succeeded(checkParameter(op, known, bZeroPoint, known.extents(b), columnAxis(known, b))));
}

/// The matrix product of the centered operands, which also broadcast their batches.
static Value centeredProduct(Lowering &l, Value result, Value a, Value aZeroPoint, Value b, Value bZeroPoint) {
  ArrayRef<Extent> extents = l.known.extents(result);
  int64_t rankOfA = l.rank(a), rankOfB = l.rank(b), rank = extents.size();
  auto constant = QuantizedConstant::of(b, bZeroPoint, columnAxis(l.known, b));
  if (constant && (!aZeroPoint || isOne(l.known, aZeroPoint) || (l.rank(aZeroPoint) == 1 && rankOfA > 1))) {
    Value left = broadcastBatches(l, extents, a, l.broadcastable(a, l.known.extents(a)), b),
          right = broadcastBatches(l, extents, b, constant->centered(l), a);
    Value sum = lowerProduct(l, extents, a, b, left, right, factorsOf(a));
    // Columns are the last axis, rows the one before; batches end there.
    bool hasRows = rankOfA > 1, hasColumns = rankOfB > 1;
    SmallVector<int64_t> axes;
    for (int64_t axis = 0; axis + 2 < rankOfB; ++axis)
      axes.push_back(rank - 1 - hasRows - (rankOfB - 2) + axis);
    if (hasColumns)
      axes.push_back(rank - 1);
    return withoutZeroPoint(
        l, sum, extents, aZeroPoint, std::max<int64_t>(rank - 1 - hasColumns, 0), axes,
        [&](int64_t factor) { return constant->sumsAlong(std::max<int64_t>(rankOfB - 2, 0), factor); });
  }
  auto prepared = [&](Value operand, Value zeroPoint, int64_t axis, Value other) {
    Value value = centered(l, operand, zeroPoint, axis);
    return broadcastBatches(l, extents, operand, value, other);
  };
  Value left = prepared(a, aZeroPoint, rowAxis(l.known, a), b),
        right = prepared(b, bZeroPoint, columnAxis(l.known, b), a);
  return lowerProduct(l, extents, a, b, left, right);
}

static FailureOr<Extents> shapeOfMatMulInteger(MatMulIntegerOp op, Known &known) {
  FailureOr<Extents> result = shapeOfProduct(op, known, op.getA(), op.getB());
  if (failed(result) ||
      failed(checkMatrixParameters(op, known, op.getA(), op.getAZeroPoint(), op.getB(), op.getBZeroPoint())))
    return failure();
  return result;
}

static FailureOr<Value> lowerMatMulInteger(MatMulIntegerOp op, Lowering &l) {
  return centeredProduct(l, op.getY(), op.getA(), op.getAZeroPoint(), op.getB(), op.getBZeroPoint());
}

static FailureOr<Extents> shapeOfQLinearMatMul(QLinearMatMulOp op, Known &known) {
  FailureOr<Extents> result = shapeOfProduct(op, known, op.getA(), op.getB());
  if (failed(result) ||
      failed(checkMatrixParameters(op, known, op.getA(), op.getAZeroPoint(), op.getB(), op.getBZeroPoint())) ||
      failed(checkMatrixParameters(op, known, op.getA(), op.getAScale(), op.getB(), op.getBScale())))
    return failure();
  int64_t last = std::max<int64_t>((int64_t)result->size() - 1, 0);
  for (Value parameter : {op.getYScale(), op.getYZeroPoint()})
    if (failed(checkParameter(op, known, parameter, *result, last)))
      return failure();
  return result;
}

/// sum * (a scale * b scale / y scale), quantized with the zero point of y; the parameters in this order.
static Value requantized(Lowering &l, Value result, Value sum, Type sumElement, ArrayRef<Along> parameters,
                         Value bias = nullptr) {
  Type f32 = l.b.getF32Type(), to = Lowering::element(result);
  int64_t rank = l.rank(result);
  SmallVector<Along> operands = {{sum, sumElement, otherAxes(rank, {})}};
  operands.append(parameters.begin(), parameters.end());
  if (bias)
    operands.push_back({l.broadcastable(bias, l.known.extents(bias)), Lowering::element(bias), {1}});
  return l.elementwise(l.extents(result), to, operands, [&](Scalars &s, ValueRange args) {
    Value total = bias ? Value(s.make<arith::AddIOp>(args[0], args.back())) : args[0];
    auto scale = [&](int i) { return Real(s, castScalar(s, args[i], operands[i].element, f32)); };
    Real real = Real(s, castScalar(s, total, sumElement, f32)) * (scale(1) * scale(2) / scale(3));
    return quantized(s, real, args[4], to);
  });
}

static FailureOr<Value> lowerQLinearMatMul(QLinearMatMulOp op, Lowering &l) {
  Value sum = centeredProduct(l, op.getY(), op.getA(), op.getAZeroPoint(), op.getB(), op.getBZeroPoint());
  Type sumElement = cast<RankedTensorType>(sum.getType()).getElementType();
  ArrayRef<Extent> extents = l.known.extents(op.getY());
  int64_t rank = extents.size(), last = std::max<int64_t>(rank - 1, 0);
  // Rows are the last axis where b is a vector.
  int64_t rows = std::max<int64_t>(l.rank(op.getB()) > 1 ? rank - 2 : rank - 1, 0);
  Along parameters[] = {parameter(l, op.getAScale(), extents, rows), parameter(l, op.getBScale(), extents, last),
                        parameter(l, op.getYScale(), extents, last), parameter(l, op.getYZeroPoint(), extents, last)};
  return requantized(l, op.getY(), sum, sumElement, parameters);
}

/// The convolution of the centered operands; padding is what stands for 0.
template <typename Op>
static FailureOr<Value> centeredConvolution(Op op, Lowering &l, Value x, Value xZeroPoint, Value w, Value wZeroPoint) {
  FailureOr<Windows> windows =
      checkedConvolution(op, l.known, x, w, op.getGroup(), op.getKernelShape(), windowAttributes(op));
  if (failed(windows))
    return failure();
  expectConvolutionExtents(l, x, w, op.getGroup());
  if (auto constant = QuantizedConstant::of(w, wZeroPoint, 0)) {
    ArrayRef<Extent> extents = l.known.extents(op.getY());
    Value stored = l.broadcastable(x, l.known.extents(x)),
          zero = xZeroPoint ? l.storedElement(xZeroPoint) : l.scalar(0, getElementTypeOrSelf(stored.getType()));
    Value sum =
        convolution(l, padded(l, stored, *windows, zero), constant->centered(l), op.getGroup(), *windows, factorsOf(x));
    return withoutZeroPoint(l, sum, extents, xZeroPoint, 1, {1},
                            [&](int64_t factor) { return constant->sumsFrom(1, factor); });
  }
  Value input = padded(l, centered(l, x, xZeroPoint, 1), *windows, l.scalar(0, l.b.getI32Type()));
  return convolution(l, input, centered(l, w, wZeroPoint, 0), op.getGroup(), *windows);
}

template <typename Op>
static FailureOr<Extents> shapeOfQuantizedConvolution(Op op, Known &known, ValueRange inputParameters,
                                                      ValueRange filterParameters) {
  Value x = op.getX(), w = op.getW();
  FailureOr<Windows> windows =
      checkedConvolution(op, known, x, w, op.getGroup(), op.getKernelShape(), windowAttributes(op));
  if (failed(windows))
    return failure();
  for (Value parameter : inputParameters)
    if (parameter && !isOne(known, parameter))
      return op.emitOpError("expects a scale and zero point of X with one element, got ") << parameter.getType();
  for (Value parameter : filterParameters)
    if (failed(checkParameter(op, known, parameter, known.extents(w), 0)))
      return failure();
  Extents result = {known.extents(x)[0], known.extents(w)[0]};
  result.append(windows->places);
  return result;
}

static FailureOr<Value> lowerQLinearConv(QLinearConvOp op, Lowering &l) {
  FailureOr<Value> sum = centeredConvolution(op, l, op.getX(), op.getXZeroPoint(), op.getW(), op.getWZeroPoint());
  if (failed(sum))
    return failure();
  ArrayRef<Extent> extents = l.known.extents(op.getY());
  if (op.getB())
    l.expectExtent(l.known.extents(op.getB())[0], extents[1], "B");
  Along parameters[] = {parameter(l, op.getXScale(), extents, 1), parameter(l, op.getWScale(), extents, 1),
                        parameter(l, op.getYScale(), extents, 1), parameter(l, op.getYZeroPoint(), extents, 1)};
  return requantized(l, op.getY(), *sum, l.b.getI32Type(), parameters, op.getB());
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
  rules.op<MatMulIntegerOp>().shape(shapeOfMatMulInteger).lower(lowerMatMulInteger);
  rules.op<QLinearMatMulOp>().shape(shapeOfQLinearMatMul).lower(lowerQLinearMatMul);
  rules.op<ConvIntegerOp>()
      .shape([](ConvIntegerOp op, Known &known) {
        return shapeOfQuantizedConvolution(op, known, op.getXZeroPoint(), op.getWZeroPoint());
      })
      .lower([](ConvIntegerOp op, Lowering &l) {
        return centeredConvolution(op, l, op.getX(), op.getXZeroPoint(), op.getW(), op.getWZeroPoint());
      });
  rules.op<QLinearConvOp>()
      .shape([](QLinearConvOp op, Known &known) -> FailureOr<Extents> {
        FailureOr<Extents> result = shapeOfQuantizedConvolution(
            op, known, {op.getXScale(), op.getXZeroPoint(), op.getYScale(), op.getYZeroPoint()},
            {op.getWScale(), op.getWZeroPoint()});
        if (succeeded(result) && op.getB() &&
            (known.rank(op.getB()) != 1 || !known.math.mayBeEqual(known.extents(op.getB())[0], (*result)[1])))
          return op.emitOpError("expects B of one element for each output channel, got ") << op.getB().getType();
        return result;
      })
      .lower(lowerQLinearConv);
}

} // namespace mlc::onnx
