// CausalConvWithState: each channel convolved by itself with what came before, the last of which is the state that the
// next call begins with.
//
//   %y, %next = onnx.CausalConvWithState(%x, %w, %b, %past)
//   =>
//   %j = %past and %x side by side                            zeros where there is no past
//   %s = linalg.generic: s[n, c, t] += j[n, c, t + i] * w[c, i]
//   %y = linalg.generic: activation(s + b)
//   %next = tensor.extract_slice %j                           all but the first elements
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

/// How much of the past each element needs: one less than the window.
static Extent reachOf(CausalConvWithStateOp op, Known &known) {
  return known.math.sub(known.extents(op.getWeight())[2], known.math.constant(1));
}

static FailureOr<SmallVector<Facts>> shapeOfCausalConv(CausalConvWithStateOp op, Known &known) {
  ExtentMath &math = known.math;
  for (auto [name, value] :
       {std::pair("input", op.getInput()), {"weight", op.getWeight()}, {"past_state", op.getPastState()}})
    if (value && known.rank(value) != 3)
      return op.emitOpError("expects ") << name << " of rank 3, got " << value.getType();
  ArrayRef<Extent> x = known.extents(op.getInput()), w = known.extents(op.getWeight());
  if (!math.mayBeEqual(w[0], x[1]) || !math.mayBeEqual(w[1], math.constant(1)))
    return op.emitOpError("expects weight with one filter of one channel for each channel of input, got ")
           << op.getWeight().getType() << " for " << op.getInput().getType();
  if (std::optional<int64_t> kernel = ExtentMath::asConstant(w[2]); kernel && *kernel < 1)
    return op.emitOpError("expects a window of at least one element, got ") << *kernel;
  if (op.getBias() && (known.rank(op.getBias()) != 1 || !math.mayBeEqual(known.extents(op.getBias())[0], x[1])))
    return op.emitOpError("expects bias of one element for each channel, got ") << op.getBias().getType();
  Extents state = {x[0], x[1], reachOf(op, known)};
  if (op.getPastState())
    for (auto [own, expected] : llvm::zip_equal(known.extents(op.getPastState()), state))
      if (!math.mayBeEqual(own, expected))
        return op.emitOpError("expects past_state of extents ")
               << math.print(state[0]) << ", " << math.print(state[1]) << ", " << math.print(state[2]) << ", got "
               << op.getPastState().getType();
  StringRef activation = op.getActivation();
  if (activation != "none" && activation != "silu" && activation != "swish")
    return op.emitOpError("expects activation none, silu or swish, got '") << activation << "'";
  return SmallVector<Facts>{Facts(Extents(x)), Facts(state)};
}

static FailureOr<SmallVector<Value>> lowerCausalConv(CausalConvWithStateOp op, Lowering &l) {
  ExtentMath &math = l.known.math;
  Type element = Lowering::element(op.getInput()), accumulator = accumulatorElement(element);
  Extents x(l.known.extents(op.getInput())), w(l.known.extents(op.getWeight()));
  l.expectExtent(w[0], x[1], "filters of weight");
  l.expectExtent(w[1], math.constant(1), "channels of weight");
  Index window(l, w[2]);
  if (!ExtentMath::asConstant(w[2]))
    l.check(window >= 1, "expects a window of at least one element, got %0", {window});
  Extent reach = reachOf(op, l.known);
  Extents joinedExtents = {x[0], x[1], math.add(x[2], reach)}, state = {x[0], x[1], reach};

  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  SmallVector<OpFoldResult> begin(3, zero), steps(3, one), behindPast = {zero, zero, l.materialize(reach)},
                                                           behindInput = {zero, zero, l.materialize(x[2])};
  Value joined;
  if (op.getPastState()) {
    for (auto [axis, own, expected] : llvm::enumerate(l.known.extents(op.getPastState()), state))
      l.expectExtent(own, expected, "axis " + Twine(axis) + " of past_state");
    joined = l.empty(l.materialize(joinedExtents), storageType(element));
    joined = l.insert(l(op.getPastState()), joined, begin, l.materialize(state));
    joined = l.insert(l(op.getInput()), joined, behindPast, l.materialize(x));
  } else {
    joined = l.pad(l(op.getInput()), behindPast, begin, l.scalar(0, storageType(element)));
  }

  // Loops: batch, channel, time; element of the window.
  AffineExpr n, c, t, i;
  bindDims(l.b.getContext(), n, c, t, i);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(4, 0, exprs, l.b.getContext()); };
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  SmallVector<OpFoldResult> extents = l.materialize(x);
  Value filter = l.reshape(l.cast(l(op.getWeight()), element, accumulator), l.materialize({x[1], w[2]}));
  Value sum = l.sumOfProducts(extents, l.cast(joined, element, accumulator), filter,
                              {map({n, c, t + i}), map({c, i}), map({n, c, t})}, iterators);
  SmallVector<Along> operands = {{sum, accumulator, {0, 1, 2}}};
  if (Value bias = op.getBias()) {
    l.expectExtent(l.known.extents(bias)[0], x[1], "bias");
    operands.push_back({l.broadcastable(bias, x[1]), element, {1}});
  }
  bool activates = op.getActivation() != "none";
  Value result = l.elementwise(extents, element, operands, [&](Scalars &s, ValueRange args) {
    Value value = args.size() > 1 ? add(s, args) : args[0];
    return activates ? s.make<arith::MulFOp>(value, sigmoid(s, value)) : value;
  });
  return SmallVector<Value>{result, l.slice(joined, behindInput, l.materialize(state), steps)};
}

void addCausalConvRules(Rules &rules) {
  rules.op<CausalConvWithStateOp>().shape(shapeOfCausalConv).lower(lowerCausalConv);
}

} // namespace mlc::onnx
