// Operators that compute each element of the result from the elements at the same place in the operands, with numpy broadcasting.
#include "onnx/ops/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

FailureOr<Extents> broadcastExtents(Operation *op, Known &known) {
  Extents result;
  for (Value operand : op->getOperands()) {
    std::optional<Extents> common = known.math.broadcast(result, known.extents(operand));
    if (!common)
      return op->emitOpError("expects operands that broadcast, got ") << op->getOperandTypes();
    result = std::move(*common);
  }
  return result;
}

/// Elements of the result where those of all operands are known.
static std::optional<Extents> followElements(Operation *op, Known &known, ElementArithmetic arithmetic) {
  std::optional<ArrayRef<Extent>> a = known.elements(op->getOperand(0)), b = known.elements(op->getOperand(1));
  if (!a || !b) return std::nullopt;
  size_t count = a->empty() || b->empty() ? 0 : std::max(a->size(), b->size());
  if ((a->size() != count && a->size() != 1) || (b->size() != count && b->size() != 1)) return std::nullopt;
  Extents result;
  for (size_t i = 0; i < count; ++i) {
    Extent element = arithmetic(known.math, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]);
    if (!element) return std::nullopt;
    result.push_back(element);
  }
  return result;
}

FailureOr<Facts> shapeOfBinary(Operation *op, Known &known, ElementArithmetic arithmetic) {
  FailureOr<Extents> extents = broadcastExtents(op, known);
  if (failed(extents)) return failure();
  return Facts(std::move(*extents), arithmetic ? followElements(op, known, arithmetic) : std::nullopt);
}

//===-- Lower ------------------------------------------------------------------===//

FailureOr<Value> lowerElementwise(Operation *op, Lowering &l, ElementwiseBody body) {
  return l.elementwise(op->getResult(0), op->getOperands(), body);
}

//===-- Bodies that are more than one operation ----------------------------------===//

static Value relu(Scalars &s, ValueRange args) {
  if (!isFloat(s.element)) return s.make<arith::MaxSIOp>(args[0], s.constant(0));
  return s.make<arith::MaximumFOp>(args[0], s.constant(0));
}

static Value sigmoid(Scalars &s, ValueRange args) {
  Value one = s.constant(1);
  Value exp = s.make<math::ExpOp>(s.make<arith::NegFOp>(args[0]));
  return s.make<arith::DivFOp>(one, s.make<arith::AddFOp>(one, exp));
}

static Value add(Scalars &s, ValueRange args) {
  return isFloat(s.element) ? scalar<arith::AddFOp>(s, args) : scalar<arith::AddIOp>(s, args);
}

//===-- Table ------------------------------------------------------------------===//

void addElementwiseRules(Rules &rules) {
  unary<ReluOp>(rules, relu);
  unary<SigmoidOp>(rules, sigmoid);
  unary<SqrtOp>(rules, scalar<math::SqrtOp>);
  unary<ExpOp>(rules, scalar<math::ExpOp>);
  unary<TanhOp>(rules, scalar<math::TanhOp>);
  binary<AddOp>(rules, add, [](ExtentMath &math, Extent a, Extent b) { return math.add(a, b); });
}

} // namespace mlc::onnx
