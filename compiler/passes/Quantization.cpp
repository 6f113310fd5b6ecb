#include "passes/Quantization.h"
#include "onnx/Constants.h"
#include "onnx/Lowering.h"
#include <cfloat>
#include <cmath>

using namespace mlir;

namespace mlc {

static Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

bool isSingle(Value parameter) {
  auto type = dyn_cast<RankedTensorType>(parameter.getType());
  return type && type.getRank() <= 1 && type.hasStaticShape() && type.getNumElements() == 1;
}

static std::optional<Quantization> quantizationOf(Value real, Value scale, Value zeroPoint, Type stored) {
  auto integer = dyn_cast<IntegerType>(stored);
  if (!integer || !elementOf(real).isF32() || !elementOf(scale).isF32() || !isSingle(scale) ||
      (zeroPoint && !isSingle(zeroPoint)))
    return std::nullopt;
  return Quantization{scale, zeroPoint, integer};
}

std::optional<Quantization> Quantization::of(onnx::QuantizeLinearOp op) {
  if (op.getBlockSize() != 0 || op.getPrecision() != 0)
    return std::nullopt;
  return quantizationOf(op.getX(), op.getYScale(), op.getYZeroPoint(), elementOf(op.getY()));
}

std::optional<Quantization> Quantization::of(onnx::DequantizeLinearOp op) {
  if (op.getBlockSize() != 0)
    return std::nullopt;
  return quantizationOf(op.getY(), op.getXScale(), op.getXZeroPoint(), elementOf(op.getX()));
}

std::optional<Quantization> Quantization::ofDequantized(Value value) {
  auto op = value ? value.getDefiningOp<onnx::DequantizeLinearOp>() : onnx::DequantizeLinearOp();
  return op ? of(op) : std::nullopt;
}

/// What is added before rounding, and what is multiplied with; none if they are not known.
static std::optional<std::pair<float, float>> scaleAndZero(const Quantization &q) {
  std::optional<double> scale = onnx::constantNumber(q.scale),
                        zero = q.zeroPoint ? onnx::constantNumber(q.zeroPoint) : 0;
  if (!scale || !zero)
    return std::nullopt;
  return std::pair(static_cast<float>(*scale), static_cast<float>(*zero));
}

bool Quantization::operator==(const Quantization &other) const {
  if (stored != other.stored)
    return false;
  if (scale == other.scale && zeroPoint == other.zeroPoint)
    return true;
  auto own = scaleAndZero(*this), theirs = scaleAndZero(other);
  return own && theirs && *own == *theirs;
}

bool Quantization::keepsOrder() const {
  auto known = scaleAndZero(*this);
  return known && known->first >= FLT_MIN && known->first <= FLT_MAX / 0x1p17f && stored.getWidth() <= 16;
}

int64_t Quantization::least() const { return stored.isUnsigned() ? 0 : llvm::minIntN(stored.getWidth()); }
int64_t Quantization::greatest() const {
  return stored.isUnsigned() ? static_cast<int64_t>(llvm::maxUIntN(stored.getWidth()))
                             : llvm::maxIntN(stored.getWidth());
}

std::optional<int64_t> Quantization::quantize(double number) const {
  auto known = scaleAndZero(*this);
  if (!known)
    return std::nullopt;
  float rounded = std::nearbyint(static_cast<float>(number) / known->first) + known->second;
  if (std::isnan(rounded))
    return least();
  return static_cast<int64_t>(std::clamp(rounded, static_cast<float>(least()), static_cast<float>(greatest())));
}

std::optional<double> Quantization::dequantize(int64_t integer) const {
  auto known = scaleAndZero(*this);
  if (!known)
    return std::nullopt;
  return static_cast<float>(integer - static_cast<int64_t>(known->second)) * known->first;
}

Type withElement(Type tensor, Type element) { return cast<TensorType>(tensor).clone(element); }

Value Quantization::quantize(OpBuilder &b, Location loc, Value value) const {
  SmallVector<Value> operands = {value, scale};
  SmallVector<NamedAttribute> attributes;
  if (zeroPoint)
    operands.push_back(zeroPoint);
  else
    attributes.push_back(b.getNamedAttr("output_dtype", b.getI64IntegerAttr(onnx::elementTypeNumber(stored))));
  return onnx::QuantizeLinearOp::create(b, loc, TypeRange(withElement(value.getType(), stored)), operands, attributes)
      .getResult();
}

Value Quantization::dequantize(OpBuilder &b, Location loc, Value value) const {
  SmallVector<Value> operands = {value, scale};
  if (zeroPoint)
    operands.push_back(zeroPoint);
  return onnx::DequantizeLinearOp::create(b, loc, TypeRange(withElement(value.getType(), elementOf(scale))), operands)
      .getResult();
}

Value Quantization::constant(OpBuilder &b, Location loc, int64_t integer, ArrayRef<int64_t> shape) const {
  auto type = RankedTensorType::get(shape, stored);
  return onnx::createConstant(
      b, loc,
      DenseElementsAttr::get(type, APInt(stored.getWidth(), integer, /*isSigned=*/true, /*implicitTrunc=*/true)));
}

bool multipliesQuantized(Operation *op) {
  if (!isa_and_nonnull<onnx::ConvOp, onnx::GemmOp, onnx::MatMulOp>(op))
    return false;
  auto left = op->getOperand(0).getDefiningOp<onnx::DequantizeLinearOp>(),
       right = op->getOperand(1).getDefiningOp<onnx::DequantizeLinearOp>();
  return left && right && onnx::constantValue(right.getX());
}

} // namespace mlc
