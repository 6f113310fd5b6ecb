// Dropout, which does nothing once a model is trained: the data passes, and the mask says that all of it does. In
// training it drops each element with the probability `ratio`, and scales the others so that their mean stays.
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Random.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<SmallVector<Facts>> shapeOfDropout(DropoutOp op, Known &known) {
  return SmallVector<Facts>(op->getNumResults(), Facts(Extents(known.extents(op.getData()))));
}

static constexpr double defaultRatio = 0.5;

/// Whether it can be told that nothing is dropped.
static bool keepsAll(DropoutOp op) {
  return !op.getTrainingMode() || constantNumber(op.getTrainingMode()) == 0 ||
         (op.getRatio() && constantNumber(op.getRatio()) == 0);
}

/// The probability of being dropped, which is 0 outside of training, as f32 or f64.
static Real probability(DropoutOp op, Lowering &l, Type compute) {
  Scalars s{l.b, l.loc(), compute};
  Real ratio(s, s.constant(defaultRatio));
  if (op.getRatio()) {
    Type element = Lowering::element(op.getRatio());
    ratio = Real(s, castScalar(s, l.onlyElement(op.getRatio()), element, compute));
    l.check(Truth(l, ratio.same(0) <= ratio) && Truth(l, ratio < 1), "expects a ratio in [0, 1)", {});
  }
  return select(l.onlyElement(op.getTrainingMode()), ratio, ratio.same(0));
}

static FailureOr<SmallVector<Value>> lowerDropout(DropoutOp op, Lowering &l) {
  SmallVector<OpFoldResult> extents = l.extents(op.getData());
  Type boolean = l.b.getI1Type();
  if (keepsAll(op)) {
    SmallVector<Value> results = {l(op.getData())};
    if (op.getMask())
      results.push_back(l.filled(extents, l.scalar(1, storageType(boolean))));
    return results;
  }
  Type element = Lowering::element(op.getData()), compute = computeType(element);
  Value dropped = probability(op, l, compute), scale = 1 / (1 - Real({l.b, l.loc(), compute}, dropped));
  // 1 for what stays.
  std::optional<APFloat> seed;
  if (std::optional<int64_t> given = op.getSeed())
    seed = APFloat((float)*given);
  Value drawn = drawUniform(l, extents, compute, seed, [&](Scalars &s, ValueRange args) -> Value {
    return select(Real(s, args[0]) < Real(s, dropped), Real(s, s.constant(0)), Real(s, s.constant(1)));
  });
  Value mask = l.cast(drawn, compute, boolean);
  SmallVector<Value> operands = {l(op.getData()), mask};
  Value kept =
      l.elementwise(extents, element, operands, TypeRange{element, boolean}, [&](Scalars &s, ValueRange args) -> Value {
        Real x(s, args[0]);
        return select(args[1], x * Real(s, scale), x.same(0));
      });
  SmallVector<Value> results = {kept};
  if (op.getMask())
    results.push_back(mask);
  return results;
}

void addDropoutRules(Rules &rules) { rules.op<DropoutOp>().shape(shapeOfDropout).lower(lowerDropout); }

} // namespace mlc::onnx
