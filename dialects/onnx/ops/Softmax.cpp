// Operators that normalize along one axis by exponentials: Softmax, LogSoftmax, and Hardmax, which keeps the largest
// only.
//
//   softmax(x) = exp(x - max(x)) / sum(exp(x - max(x)))
//
// Four passes, a reduction and an elementwise operation each, which fusion makes one kernel for each row.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

template <typename Op> static FailureOr<Extents> shapeOfSoftmax(Op op, Known &known) {
  if (failed(normalizedAxes(op, op.getAxis(), known.rank(op.getInput()))))
    return failure();
  return Extents(known.extents(op.getInput()));
}

template <typename Op> static FailureOr<Value> lowerSoftmax(Op op, Lowering &l) {
  constexpr bool isLog = std::is_same_v<Op, LogSoftmaxOp>;
  Type element = Lowering::element(op.getInput()), real = accumulatorElement(element);
  int64_t rank = l.rank(op.getInput()), axis = *normalizedAxis(op.getAxis(), rank);
  SmallVector<int64_t> all = otherAxes(rank, {}), others = otherAxes(rank, axis);
  SmallVector<OpFoldResult> extents = l.extents(op.getOutput());
  Value x = l(op.getInput());

  Along input{x, element, all}, largest{maximumAlong(l, x, element, axis), real, others};
  Value powers = l.elementwise(extents, real, {input, largest}, [](Scalars &s, ValueRange args) -> Value {
    return s.make<math::ExpOp>(s.make<arith::SubFOp>(args[0], args[1]));
  });
  Along sum{sumAlong(l, powers, real, axis), real, others};
  if (!isLog) {
    // One division for each row: the loop along the axis multiplies.
    return l.elementwise(extents, element, {Along{powers, real, all}, sum}, [](Scalars &s, ValueRange args) -> Value {
      return Real(s, args[0]) * (1 / Real(s, args[1]));
    });
  }
  return l.elementwise(extents, element, {input, largest, sum}, [](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::SubFOp>(s.make<arith::SubFOp>(args[0], args[1]), s.make<math::LogOp>(args[2]));
  });
}

/// 1 at the first of the largest elements, 0 elsewhere.
static FailureOr<Value> lowerHardmax(HardmaxOp op, Lowering &l) {
  Type element = Lowering::element(op.getInput());
  int64_t rank = l.rank(op.getInput()), axis = *normalizedAxis(op.getAxis(), rank);
  Value position = extremeAlong(l, l(op.getInput()), element, axis, /*largest=*/true, /*last=*/false);
  Along largest{position, l.b.getI64Type(), otherAxes(rank, axis)};
  return l.elementwise(l.extents(op.getOutput()), element, largest, [&](Scalars &s, ValueRange args) -> Value {
    Type compute = computeType(element);
    Value here = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.make<linalg::IndexOp>(axis));
    Value isLargest = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, here, args[0]);
    return s.make<arith::SelectOp>(isLargest, s.constant(1, compute), s.constant(0, compute));
  });
}

void addSoftmaxRules(Rules &rules) {
  rules.op<SoftmaxOp>().shape(shapeOfSoftmax<SoftmaxOp>).lower(lowerSoftmax<SoftmaxOp>);
  rules.op<LogSoftmaxOp>().shape(shapeOfSoftmax<LogSoftmaxOp>).lower(lowerSoftmax<LogSoftmaxOp>);
  rules.op<HardmaxOp>().shape(shapeOfSoftmax<HardmaxOp>).lower(lowerHardmax);
}

} // namespace mlc::onnx
