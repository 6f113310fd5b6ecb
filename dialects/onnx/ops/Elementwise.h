// The forms that elementwise operators are stated in; other families use them as well.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

using ElementwiseBody = mlir::Value (*)(Scalars &, mlir::ValueRange);
/// What the operator does to elements of shapes, one of each operand; null result: not followed.
using ElementArithmetic = Extent (*)(ExtentMath &, llvm::ArrayRef<Extent>);

/// The extents of all operands broadcast against each other.
llvm::FailureOr<Extents> broadcastExtents(mlir::Operation *op, Known &known);
/// The same, with the elements of the result where those of all operands are known.
llvm::FailureOr<Facts> shapeOfElementwise(mlir::Operation *op, Known &known, ElementArithmetic arithmetic);
llvm::FailureOr<mlir::Value> lowerElementwise(mlir::Operation *op, Lowering &l, ElementwiseBody body);
/// The shape rule of operators whose result has the extents of the first operand.
llvm::FailureOr<Extents> shapeOfFirst(mlir::Operation *op, Known &known);

/// result[i] = body(a[i], b[i], ...) with broadcasting of any number of operands. Elements of shapes can be followed
/// through `arithmetic`.
template <typename Op>
RuleOf<Op> elementwise(Rules &rules, ElementwiseBody body, ElementArithmetic arithmetic = nullptr) {
  return rules.op<Op>()
      .shape([arithmetic](Op op, Known &known) { return shapeOfElementwise(op, known, arithmetic); })
      .lower([body](Op op, Lowering &l) { return lowerElementwise(op, l, body); });
}

/// result[i] = body(operand[i]), where the body reads the operator's attributes.
template <typename Op> RuleOf<Op> parametrized(Rules &rules, mlir::Value (*body)(Op, Scalars &, mlir::Value)) {
  return rules.op<Op>()
      .shape([](Op op, Known &known) { return shapeOfFirst(op, known); })
      .lower([body](Op op, Lowering &l) -> llvm::FailureOr<mlir::Value> {
        return l.elementwise(op->getResult(0), op->getOperand(0),
                             [&](Scalars &s, mlir::ValueRange args) { return body(op, s, args[0]); });
      });
}

//===-- Arithmetic that floats and integers share -----------------------------===//

/// One operation for floats, one for signed integers, one for unsigned ones, by the ONNX type of the first operand.
template <typename Float, typename Signed, typename Unsigned = Signed>
mlir::Value arithmetic(Scalars &s, mlir::ValueRange args) {
  if (isFloat(s.element))
    return scalar<Float>(s, args);
  return isUnsigned(s.element) ? scalar<Unsigned>(s, args) : scalar<Signed>(s, args);
}

mlir::Value add(Scalars &s, mlir::ValueRange args);
mlir::Value subtract(Scalars &s, mlir::ValueRange args);
mlir::Value multiply(Scalars &s, mlir::ValueRange args);
/// The larger and the smaller of two numbers; NaN if one is NaN.
mlir::Value larger(Scalars &s, mlir::ValueRange args);
mlir::Value smaller(Scalars &s, mlir::ValueRange args);

/// Integers divided towards zero. A zero divisor gives quotient 0 and the dividend as rest, and the least number
/// divided by -1 wraps around: a processor would stop the program.
mlir::Value divideIntegers(Scalars &s, mlir::Value a, mlir::Value b, bool isUnsigned);
mlir::Value remainderOfIntegers(Scalars &s, mlir::Value a, mlir::Value b, bool isUnsigned);

mlir::Value sigmoid(Scalars &s, mlir::ValueRange args);

} // namespace mlc::onnx
