// The forms that elementwise operators are stated in; other families use them as well.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

using ElementwiseBody = mlir::Value (*)(Scalars &, mlir::ValueRange);
/// What the operator does to elements of shapes; null result: not followed.
using ElementArithmetic = Extent (*)(ExtentMath &, Extent, Extent);

/// The extents of all operands broadcast against each other.
llvm::FailureOr<Extents> broadcastExtents(mlir::Operation *op, Known &known);
llvm::FailureOr<Facts> shapeOfBinary(mlir::Operation *op, Known &known, ElementArithmetic arithmetic);
llvm::FailureOr<mlir::Value> lowerElementwise(mlir::Operation *op, Lowering &l, ElementwiseBody body);

/// result[i] = body(operand[i])
template <typename Op> RuleOf<Op> unary(Rules &rules, ElementwiseBody body) {
  return rules.op<Op>()
      .shape([](Op op, Known &known) -> llvm::FailureOr<Extents> { return Extents(known.extents(op->getOperand(0))); })
      .lower([body](Op op, Lowering &l) { return lowerElementwise(op, l, body); });
}

/// result[i] = body(a[i], b[i], ...) with broadcasting of any number of operands.
template <typename Op> RuleOf<Op> nary(Rules &rules, ElementwiseBody body) {
  return rules.op<Op>()
      .shape([](Op op, Known &known) { return broadcastExtents(op, known); })
      .lower([body](Op op, Lowering &l) { return lowerElementwise(op, l, body); });
}

/// The same for two operands, where elements of shapes can be followed through `arithmetic`.
template <typename Op> RuleOf<Op> binary(Rules &rules, ElementwiseBody body, ElementArithmetic arithmetic = nullptr) {
  return rules.op<Op>()
      .shape([arithmetic](Op op, Known &known) { return shapeOfBinary(op, known, arithmetic); })
      .lower([body](Op op, Lowering &l) { return lowerElementwise(op, l, body); });
}

} // namespace mlc::onnx
