// Sums of products of quantized numbers: matrix products and convolutions.
//
//   MatMulInteger, ConvInteger            sums of products of q - zero point, as i32
//   QLinearMatMul, QLinearConv, QGemm     the same, with a bias in units of the sums, quantized again:
//
//     round((sum + bias) * (scale of a * scale of b / scale of y)) + zero point of y
//
// The factor of the sums is one number of f32, as ONNX Runtime has it. It is computed when compiling where the scales are
// constants.
//
// With constant weights the activations are multiplied as they are stored, and what their zero point adds is taken off
// the sums:
//
//   sum of (x - z) * w  =  sum of x * w  -  z * sum of w
//
// Of matrices of bytes that the run computes, both are multiplied as they are stored:
//
//   sum of (x - z) * (w - v)  =  sum of x * w  -  z * sum of w  -  v * sum of (x - z)
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/Constants.h"
#include "onnx/ops/Conv.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/MatMul.h"
#include "onnx/ops/Quantize.h"
#include "onnx/ops/QuantizedConstant.h"
#include "onnx/ops/Reduce.h"
#include <cstring>

using namespace mlir;

namespace mlc::onnx {

//===-- Sums -----------------------------------------------------------------------------===//

static Factors factorsOf(Value x) {
  return isUnsigned(Lowering::element(x)) ? Factors::UnsignedBySigned : Factors::Signed;
}

namespace {
/// What is added to sums of products. It lies along `axes` of them.
struct Bias {
  Value value; ///< of i32, null for none
  SmallVector<int64_t> axes;

  Along operand(Lowering &l, ArrayRef<Extent> extents) const {
    Extents along = llvm::map_to_vector(axes, [&](int64_t axis) { return extents[axis]; });
    return {l.broadcastable(value, along), Lowering::element(value), axes};
  }
};

/// The zero point of the left-hand side; it lies along `axis` of the sums if it is not one. Null for 0.
struct LeftZero {
  Value value;
  int64_t axis;
};
} // namespace

/// The sums of two constants of i32, which wrap around.
static ElementsAttr sumOfConstants(ElementsAttr a, ElementsAttr b) {
  std::vector<char> storageOfA, storageOfB;
  ArrayRef<char> bytesOfA = bytesOf(a, storageOfA), bytesOfB = bytesOf(b, storageOfB);
  std::vector<uint32_t> x(a.getNumElements()), y(x.size());
  std::memcpy(x.data(), bytesOfA.data(), bytesOfA.size());
  std::memcpy(y.data(), bytesOfB.data(), bytesOfB.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] += y[i];
  auto type = cast<RankedTensorType>(a.getShapedType());
  return constantOf(type, ArrayRef<char>(reinterpret_cast<const char *>(x.data()), 4 * x.size()));
}

/// Sums of products of `left` as it is stored: takes off what its zero point adds, and adds the bias. `sums` gives the
/// sums of the constant right-hand side times a factor, which lie along `axes`.
static Value corrected(Lowering &l, Value sum, ArrayRef<Extent> extents, LeftZero left, ArrayRef<int64_t> axes,
                       llvm::function_ref<ElementsAttr(int64_t)> sums, Bias bias) {
  Type i32 = l.b.getI32Type();
  std::optional<double> zero = left.value ? constantNumber(left.value) : 0;
  SmallVector<Along> operands = {{sum, i32, otherAxes(extents.size(), {})}};
  auto addConstant = [&](ElementsAttr elements, ArrayRef<int64_t> along) {
    Value constant = arith::ConstantOp::create(l.b, l.loc(), cast<TypedAttr>(elements));
    operands.push_back({constant, i32, llvm::to_vector(along)});
  };
  bool isScaled = !zero; // the first correction, by a zero point that only the run knows
  if (isScaled) {
    addConstant(sums(-1), axes);
    operands.push_back(parameter(l, left.value, extents, left.axis));
  } else if (*zero != 0) {
    ElementsAttr offset = sums(-static_cast<int64_t>(*zero));
    std::optional<ElementsAttr> known = bias.value ? constantValue(bias.value) : std::nullopt;
    if (known && bias.axes == axes && known->getShapedType().getShape() == offset.getShapedType().getShape()) {
      offset = sumOfConstants(offset, *known);
      bias.value = nullptr;
    }
    addConstant(offset, axes);
  }
  if (bias.value)
    operands.push_back(bias.operand(l, extents));
  if (operands.size() == 1)
    return sum;
  return l.elementwise(l.materialize(extents), i32, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value total = args[0];
    for (size_t i = 1; i < args.size(); ++i) {
      Value term = args[i];
      if (i == 1 && isScaled) {
        ++i;
        term = s.make<arith::MulIOp>(term, castScalar(s, args[i], operands[i].element, i32));
      }
      total = s.make<arith::AddIOp>(total, term);
    }
    return total;
  });
}

static Value withBias(Lowering &l, Value sum, ArrayRef<Extent> extents, Bias bias) {
  if (!bias.value)
    return sum;
  Type i32 = l.b.getI32Type();
  Along operands[] = {{sum, i32, otherAxes(extents.size(), {})}, bias.operand(l, extents)};
  return l.elementwise(l.materialize(extents), i32, operands, add);
}

//===-- Quantizing sums again ----------------------------------------------------------------===//

namespace {
/// A scale, and the axis of the sums that it lies along if it is not one.
struct Scale {
  Value value;
  int64_t axis;
};

/// What sums are multiplied with: alpha * a * b / y, or without y.
struct SumScales {
  Scale a, b, y; ///< y.value may be null
  double alpha = 1;
};
} // namespace

/// The numbers of a constant of f32.
static std::optional<SmallVector<float>> floatsOf(Value value) {
  std::optional<ElementsAttr> elements = constantValue(value);
  if (!elements || !elements->getElementType().isF32())
    return std::nullopt;
  std::vector<char> storage;
  ArrayRef<char> bytes = bytesOf(*elements, storage);
  SmallVector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// alpha * a * b / y, where all are known, and lie along one axis at most.
static std::optional<Along> constantFactor(Lowering &l, const SumScales &scales) {
  std::optional<SmallVector<float>> a = floatsOf(scales.a.value), b = floatsOf(scales.b.value),
                                    y = SmallVector<float>{1};
  if (scales.y.value)
    y = floatsOf(scales.y.value);
  if (!a || !b || !y || a->size() != 1 || y->size() != 1 || b->empty() || (b->size() > 1 && l.rank(scales.b.value) > 1))
    return std::nullopt;
  float left = static_cast<float>(scales.alpha) * a->front();
  for (float &factor : *b)
    factor = scales.y.value ? left * factor / y->front() : left * factor;
  bool isSingle = b->size() == 1;
  SmallVector<int64_t> shape, axes;
  if (!isSingle) {
    shape.push_back(b->size());
    axes.push_back(scales.b.axis);
  }
  Type f32 = l.b.getF32Type();
  ElementsAttr value = constantOf(RankedTensorType::get(shape, f32),
                                  ArrayRef<char>(reinterpret_cast<const char *>(b->data()), 4 * b->size()));
  return Along{arith::ConstantOp::create(l.b, l.loc(), cast<TypedAttr>(value)), f32, axes};
}

/// Sums times their factor, in the type of the result: quantized with `zeroPoint`, or a float.
static Value scaled(Lowering &l, Value result, Value sum, const SumScales &scales, Value zeroPoint) {
  Type f32 = l.b.getF32Type(), to = Lowering::element(result), sumElement = getElementTypeOrSelf(sum.getType());
  ArrayRef<Extent> extents = l.known.extents(result);
  SmallVector<Along> operands = {{sum, sumElement, otherAxes(extents.size(), {})}};
  if (std::optional<Along> factor = constantFactor(l, scales))
    operands.push_back(*factor);
  else
    for (const Scale &scale : {scales.a, scales.b, scales.y})
      if (scale.value)
        operands.push_back(parameter(l, scale.value, extents, scale.axis));
  size_t count = operands.size();
  if (zeroPoint)
    operands.push_back(parameter(l, zeroPoint, extents, scales.y.axis));
  return l.elementwise(l.extents(result), to, operands, [&](Scalars &s, ValueRange args) -> Value {
    auto real = [&](size_t i) { return Real(s, castScalar(s, args[i], operands[i].element, f32)); };
    Real factor = real(1);
    if (count > 2) {
      factor = scales.alpha == 1 ? factor * real(2) : real(1) * scales.alpha * real(2);
      if (count > 3)
        factor = factor / real(3);
    }
    Real product = real(0) * factor;
    if (!scales.y.value)
      return castScalar(s, product, f32, to);
    return quantized(s, product, zeroPoint ? args.back() : Value(), to);
  });
}

//===-- Matrix products ----------------------------------------------------------------------===//

/// Rows of a and columns of b may have parameters of their own; a vector has neither.
static int64_t rowAxis(Known &known, Value a) { return std::max<int64_t>(known.rank(a) - 2, 0); }
static int64_t columnAxis(Known &known, Value b) { return std::max<int64_t>(known.rank(b) - 1, 0); }

template <typename Op>
static LogicalResult checkMatrixParameters(Op op, Known &known, Value a, Value aZeroPoint, Value b, Value bZeroPoint) {
  return success(succeeded(checkParameter(op, known, aZeroPoint, known.extents(a), rowAxis(known, a))) &&
                 succeeded(checkParameter(op, known, bZeroPoint, known.extents(b), columnAxis(known, b))));
}

static bool isByte(Value x) { return Lowering::element(x).isInteger(8); }

/// Whether a zero point is one number, or one for each along an axis of an operand that has a further one; null is.
static bool isAlongOneAxis(Lowering &l, Value zeroPoint) {
  return !zeroPoint || isOne(l.known, zeroPoint) || l.rank(zeroPoint) == 1;
}

/// The bytes of a lowered operand as signed ones, 128 less where they are unsigned.
static Value asSigned(Lowering &l, Value x) {
  Type element = Lowering::element(x), i8 = l.b.getI8Type();
  if (!isUnsigned(element))
    return l(x);
  ArrayRef<Extent> extents = l.known.extents(x);
  SmallVector<Along> operands = {{l.broadcastable(x, extents), element, otherAxes(extents.size(), {})}};
  return l.elementwise(l.materialize(extents), i8, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value top = arith::ConstantIntOp::create(s.b, s.loc, args[0].getType(), -128);
    return s.make<arith::XOrIOp>(args[0], top);
  });
}

/// The product of two matrices of bytes, and what their zero points take off.
static Value productOfBytes(Lowering &l, Value result, Value a, Value aZeroPoint, Value b, Value bZeroPoint) {
  ArrayRef<Extent> extents = l.known.extents(result), extentsOfA = l.known.extents(a), extentsOfB = l.known.extents(b);
  int64_t rank = extents.size();
  Type i32 = l.b.getI32Type(), i8 = l.b.getI8Type();
  int64_t offset = isUnsigned(Lowering::element(b)) ? 128 : 0; // of b's zero point, too
  Value right = asSigned(l, b);
  Value sum = lowerProduct(l, extents, a, b, broadcastBatches(l, extents, a, l.broadcastable(a, extentsOfA), b),
                           broadcastBatches(l, extents, b, right, a), factorsOf(a));
  SmallVector<Along> operands = {{sum, i32, otherAxes(rank, {})}};

  // Adds sums of a row of a or of a column of b, whose other axes are the last ones of the result.
  auto addSums = [&](Value values, Type element, ArrayRef<Extent> own, int64_t summed, Value zeroPoint, int64_t axis) {
    Value sums = l.fold(
        values, element, {summed}, i32, l.scalar(0, i32),
        [&](Scalars &s, ValueRange args) { return castScalar(s, args[0], element, i32); }, add);
    SmallVector<int64_t> axes;
    Extents left, common;
    int64_t ownRank = own.size();
    for (int64_t k = 0; k < ownRank; ++k)
      if (k != summed) {
        axes.push_back(rank - ownRank + k);
        left.push_back(own[k]);
        common.push_back(extents[axes.back()]);
      }
    operands.push_back({l.broadcastable(sums, left, common), i32, axes});
    if (zeroPoint)
      operands.push_back(parameter(l, zeroPoint, extents, axis));
  };
  auto isZero = [](Value zeroPoint, double zero) { return zeroPoint ? constantNumber(zeroPoint) == zero : zero == 0; };
  int64_t last = rank - 1, rankOfA = extentsOfA.size(), rankOfB = extentsOfB.size();
  bool takesColumns = !isZero(aZeroPoint, 0), takesRows = !isZero(bZeroPoint, offset);
  if (takesColumns)
    addSums(right, i8, extentsOfB, rankOfB - 2, aZeroPoint, last - 1);
  if (takesRows)
    addSums(centered(l, a, aZeroPoint, rankOfA - 2), i32, extentsOfA, rankOfA - 1, bZeroPoint, last);
  if (operands.size() == 1)
    return sum;
  return l.elementwise(l.materialize(extents), i32, operands, [&](Scalars &s, ValueRange args) -> Value {
    Value total = args[0];
    size_t next = 1;
    auto takeOff = [&](Value zeroPoint, int64_t offset) {
      Value sums = args[next++], zero = s.constant(-offset);
      if (zeroPoint) {
        zero = castScalar(s, args[next], operands[next].element, i32);
        if (offset)
          zero = subtract(s, {zero, s.constant(offset)});
        ++next;
      }
      total = subtract(s, {total, s.make<arith::MulIOp>(sums, zero)});
    };
    if (takesColumns)
      takeOff(aZeroPoint, 0);
    if (takesRows)
      takeOff(bZeroPoint, offset);
    return total;
  });
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
    LeftZero zero{aZeroPoint, std::max<int64_t>(rank - 1 - hasColumns, 0)};
    auto sums = [&](int64_t factor) { return constant->sumsAlong(std::max<int64_t>(rankOfB - 2, 0), factor); };
    return corrected(l, sum, extents, zero, axes, sums, {});
  }
  if (isByte(a) && isByte(b) && rankOfA > 1 && rankOfB > 1 && isAlongOneAxis(l, aZeroPoint) &&
      isAlongOneAxis(l, bZeroPoint))
    return productOfBytes(l, result, a, aZeroPoint, b, bZeroPoint);
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

static FailureOr<Value> lowerQLinearMatMul(QLinearMatMulOp op, Lowering &l) {
  Value sum = centeredProduct(l, op.getY(), op.getA(), op.getAZeroPoint(), op.getB(), op.getBZeroPoint());
  int64_t rank = l.rank(op.getY()), last = std::max<int64_t>(rank - 1, 0);
  // Rows are the last axis where b is a vector.
  int64_t rows = std::max<int64_t>(l.rank(op.getB()) > 1 ? rank - 2 : rank - 1, 0);
  SumScales scales{{op.getAScale(), rows}, {op.getBScale(), last}, {op.getYScale(), last}};
  return scaled(l, op.getY(), sum, scales, op.getYZeroPoint());
}

//===-- QGemm ----------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfQGemm(MicrosoftQGemmOp op, Known &known) {
  FailureOr<Extents> result =
      shapeOfMatrices(op, known, op.getA(), op.getTransA(), op.getB(), op.getTransB(), op.getC());
  if (failed(result))
    return failure();
  bool isQuantized = !isFloat(Lowering::element(op.getY()));
  for (Value parameter : {op.getYScale(), op.getYZeroPoint()})
    if ((bool)parameter != isQuantized)
      return op.emitOpError("expects a scale and zero point of Y for integers, and none for floats, got ")
             << (parameter ? "one" : "none") << " for " << op.getY().getType();
  for (Value parameter : {op.getAScale(), op.getAZeroPoint(), op.getYScale(), op.getYZeroPoint()})
    if (parameter && !isOne(known, parameter))
      return op.emitOpError("expects a scale and zero point of A and Y with one element, got ") << parameter.getType();
  for (Value parameter : {op.getBScale(), op.getBZeroPoint()})
    if (failed(checkParameter(op, known, parameter, known.extents(op.getB()), op.getTransB() ? 0 : 1)))
      return failure();
  return result;
}

static FailureOr<Value> lowerQGemm(MicrosoftQGemmOp op, Lowering &l) {
  Value a = op.getA(), b = op.getB(), aZero = op.getAZeroPoint(), bZero = op.getBZeroPoint(), c = op.getC();
  bool transA = op.getTransA(), transB = op.getTransB();
  ArrayRef<Extent> extents = l.known.extents(op.getY());
  auto product = [&](Value left, Value right, Factors factors) {
    return productOfMatrices(l, a, left, transA, b, right, transB, op.getY(), factors);
  };
  Bias bias;
  if (c)
    bias = {c, l.rank(c) == 1 ? SmallVector<int64_t>{1} : otherAxes(l.rank(c), {})};
  Value sum;
  if (auto constant = QuantizedConstant::of(b, bZero, transB ? 0 : 1)) {
    sum = product(l.broadcastable(a, l.known.extents(a)), constant->centered(l), factorsOf(a));
    auto sums = [&](int64_t factor) { return constant->sumsAlong(transB ? 1 : 0, factor); };
    sum = corrected(l, sum, extents, {aZero, 0}, {1}, sums, bias);
  } else {
    sum = product(centered(l, a, aZero, 0), centered(l, b, bZero, transB ? 0 : 1), Factors::Same);
    sum = withBias(l, sum, extents, bias);
  }
  SumScales scales{{op.getAScale(), 0}, {op.getBScale(), 1}, {op.getYScale(), 1}, op.getAlpha().convertToFloat()};
  return scaled(l, op.getY(), sum, scales, op.getYZeroPoint());
}

//===-- Convolutions -------------------------------------------------------------------------===//

/// The convolution of the centered operands, and the bias; padding is what stands for 0.
template <typename Op>
static FailureOr<Value> centeredConvolution(Op op, Lowering &l, Value xZeroPoint, Value wZeroPoint,
                                            Value bias = nullptr) {
  Value x = op.getX(), w = op.getW();
  FailureOr<Windows> windows =
      checkedConvolution(op, l.known, x, w, op.getGroup(), op.getKernelShape(), windowAttributes(op));
  if (failed(windows))
    return failure();
  expectConvolutionExtents(l, x, w, op.getGroup());
  ArrayRef<Extent> extents = l.known.extents(op.getY());
  if (bias)
    l.expectExtent(l.known.extents(bias)[0], extents[1], "B");
  if (auto constant = QuantizedConstant::of(w, wZeroPoint, 0)) {
    Value stored = l.broadcastable(x, l.known.extents(x)),
          zero = xZeroPoint ? l.storedElement(xZeroPoint) : l.scalar(0, getElementTypeOrSelf(stored.getType()));
    Value sum =
        convolution(l, padded(l, stored, *windows, zero), constant->centered(l), op.getGroup(), *windows, factorsOf(x));
    auto sums = [&](int64_t factor) { return constant->sumsFrom(1, factor); };
    return corrected(l, sum, extents, {xZeroPoint, 1}, {1}, sums, {bias, {1}});
  }
  Type i32 = l.b.getI32Type();
  Value input = padded(l, centered(l, x, xZeroPoint, 1), *windows, l.scalar(0, i32));
  return withBias(l, convolution(l, input, centered(l, w, wZeroPoint, 0), op.getGroup(), *windows), extents,
                  {bias, {1}});
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

static FailureOr<Extents> shapeOfQLinearConv(QLinearConvOp op, Known &known) {
  FailureOr<Extents> result =
      shapeOfQuantizedConvolution(op, known, {op.getXScale(), op.getXZeroPoint(), op.getYScale(), op.getYZeroPoint()},
                                  {op.getWScale(), op.getWZeroPoint()});
  if (succeeded(result) && op.getB() &&
      (known.rank(op.getB()) != 1 || !known.math.mayBeEqual(known.extents(op.getB())[0], (*result)[1])))
    return op.emitOpError("expects B of one element for each output channel, got ") << op.getB().getType();
  return result;
}

static FailureOr<Value> lowerQLinearConv(QLinearConvOp op, Lowering &l) {
  FailureOr<Value> sum = centeredConvolution(op, l, op.getXZeroPoint(), op.getWZeroPoint(), op.getB());
  if (failed(sum))
    return failure();
  SumScales scales{{op.getXScale(), 1}, {op.getWScale(), 1}, {op.getYScale(), 1}};
  return scaled(l, op.getY(), *sum, scales, op.getYZeroPoint());
}

//===-- Table --------------------------------------------------------------------------------===//

void addQuantizedProductsRules(Rules &rules) {
  rules.op<MatMulIntegerOp>().shape(shapeOfMatMulInteger).lower(lowerMatMulInteger);
  rules.op<QLinearMatMulOp>().shape(shapeOfQLinearMatMul).lower(lowerQLinearMatMul);
  rules.op<MicrosoftQGemmOp>().shape(shapeOfQGemm).lower(lowerQGemm);
  rules.op<ConvIntegerOp>()
      .shape([](ConvIntegerOp op, Known &known) {
        return shapeOfQuantizedConvolution(op, known, op.getXZeroPoint(), op.getWZeroPoint());
      })
      .lower([](ConvIntegerOp op, Lowering &l) {
        return centeredConvolution(op, l, op.getXZeroPoint(), op.getWZeroPoint());
      });
  rules.op<QLinearConvOp>().shape(shapeOfQLinearConv).lower(lowerQLinearConv);
}

} // namespace mlc::onnx
