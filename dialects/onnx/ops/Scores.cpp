#include "onnx/ops/Scores.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/Constants.h"
#include "onnx/ops/Reduce.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Transforms -------------------------------------------------------------------===//

FailureOr<PostTransform> postTransformOf(Operation *op, StringRef name) {
  auto found = llvm::StringSwitch<std::optional<PostTransform>>(name)
                   .Case("NONE", PostTransform::None)
                   .Case("SOFTMAX", PostTransform::Softmax)
                   .Case("LOGISTIC", PostTransform::Logistic)
                   .Case("SOFTMAX_ZERO", PostTransform::SoftmaxZero)
                   .Case("PROBIT", PostTransform::Probit)
                   .Default(std::nullopt);
  if (!found)
    return op->emitOpError("expects post_transform NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, got '")
           << name << "'";
  return *found;
}

static Value logistic(Scalars &s, ValueRange args) {
  Value one = s.constant(1), magnitude = s.make<math::AbsFOp>(args[0]);
  Value power = s.make<math::ExpOp>(s.make<arith::NegFOp>(magnitude));
  Value result = s.make<arith::DivFOp>(one, s.make<arith::AddFOp>(one, power));
  Value isNegative = s.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, args[0], s.constant(0));
  return s.make<arith::SelectOp>(isNegative, s.make<arith::SubFOp>(one, result), result);
}

/// sqrt(2) * erfinv(2 x - 1), with Winitzki's approximation of erfinv ("A handy approximation for the error function and
/// its inverse", 2008), which ONNX's reference has as well.
static Value probit(Scalars &s, ValueRange args) {
  auto sub = [&](Value a, Value b) { return s.make<arith::SubFOp>(a, b); };
  auto mul = [&](Value a, Value b) { return s.make<arith::MulFOp>(a, b); };
  Value one = s.constant(1), x = sub(mul(args[0], s.constant(2)), one);
  Value log = s.make<math::LogOp>(mul(sub(one, x), s.make<arith::AddFOp>(one, x)));
  Value v = s.make<arith::AddFOp>(s.constant(2 / (llvm::numbers::pi * 0.147)), mul(s.constant(0.5), log));
  Value root = s.make<math::SqrtOp>(sub(mul(v, v), mul(s.constant(1 / 0.147), log)));
  return mul(s.constant(1.41421356), s.make<math::CopySignOp>(s.make<math::SqrtOp>(sub(root, v)), x));
}

/// Softmax; with `keepsZeros`, scores of 0 (nearly) stay near 0.
static Value softmax(Lowering &l, Value scores, bool keepsZeros) {
  Type f32 = l.b.getF32Type();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), scores);
  Along each{scores, f32, {0, 1}}, largest{maximumAlong(l, scores, f32, 1), f32, {0}};
  Value powers = l.elementwise(extents, f32, {each, largest}, [&](Scalars &s, ValueRange args) -> Value {
    Value power = s.make<math::ExpOp>(s.make<arith::SubFOp>(args[0], args[1]));
    if (!keepsZeros)
      return power;
    Value isScore = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, s.make<math::AbsFOp>(args[0]), s.constant(1e-7));
    Value scaled = s.make<arith::MulFOp>(args[0], s.make<math::ExpOp>(s.make<arith::NegFOp>(args[1])));
    return s.make<arith::SelectOp>(isScore, power, scaled);
  });
  Along power{powers, f32, {0, 1}}, sum{sumAlong(l, powers, f32, 1), f32, {0}};
  return l.elementwise(extents, f32, {power, sum}, [&](Scalars &s, ValueRange args) -> Value {
    Value part = s.make<arith::DivFOp>(args[0], args[1]);
    if (!keepsZeros)
      return part;
    Value isNothing = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, args[1], s.constant(0));
    return s.make<arith::SelectOp>(isNothing, s.constant(0.5), part);
  });
}

Value transformScores(Lowering &l, Value scores, PostTransform transform) {
  Type f32 = l.b.getF32Type();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), scores);
  switch (transform) {
  case PostTransform::None:
    return scores;
  case PostTransform::Softmax:
  case PostTransform::SoftmaxZero:
    return softmax(l, scores, transform == PostTransform::SoftmaxZero);
  case PostTransform::Logistic:
    return l.elementwise(extents, f32, {scores}, {f32}, logistic);
  case PostTransform::Probit:
    return l.elementwise(extents, f32, {scores}, {f32}, probit);
  }
  llvm_unreachable("all transforms are listed");
}

Value scoresOfBoth(Lowering &l, Value score, double whole) {
  Type f32 = l.b.getF32Type();
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), score, 0), l.b.getIndexAttr(2)};
  return l.elementwise(extents, f32, Along{score, f32, {0}}, [&](Scalars &s, ValueRange args) -> Value {
    Value isFirst =
        s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, s.make<linalg::IndexOp>(1), s.make<arith::ConstantIndexOp>(0));
    Value other = s.make<arith::SubFOp>(s.constant(whole), args[0]);
    return s.make<arith::SelectOp>(isFirst, other, args[0]);
  });
}

//===-- Tables -----------------------------------------------------------------------===//

Value tableOf(Lowering &l, ArrayRef<int64_t> shape, ArrayRef<double> values, Type storage) {
  auto type = RankedTensorType::get(shape, storage);
  std::vector<char> bytes;
  auto fill = [&]<typename T>(T) {
    bytes.resize(values.size() * sizeof(T));
    for (auto [i, value] : llvm::enumerate(values)) {
      T element = (T)value;
      memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
    }
  };
  if (storage.isF32())
    fill(float());
  else if (storage.isF64())
    fill(double());
  else if (storage.isInteger(64))
    fill(int64_t());
  else if (storage.isInteger(32))
    fill(int32_t());
  else
    fill(int8_t());
  return arith::ConstantOp::create(l.b, l.loc(), cast<TypedAttr>(constantOf(type, bytes)));
}

//===-- Rows -------------------------------------------------------------------------===//

FailureOr<std::pair<Extent, Extent>> rowsAndFeatures(Operation *op, Value x, Known &known) {
  ArrayRef<Extent> extents = known.extents(x);
  if (extents.size() == 1)
    return std::pair(known.math.constant(1), extents[0]);
  if (extents.size() != 2)
    return op->emitOpError("expects X of rank 1 or 2, got ") << x.getType();
  return std::pair(extents[0], extents[1]);
}

Value rowsOf(Lowering &l, Value x, Type type) {
  auto [rows, features] = *rowsAndFeatures(l.op, x, l.known);
  Value matrix = l.reshape(l(x), l.known.extents(x), {rows, features});
  Type element = Lowering::element(x);
  return element == type ? matrix : l.cast(matrix, element, type);
}

} // namespace mlc::onnx
