// Dropout, which does nothing once a model is trained: the data passes, and the mask says that all of it does.
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<SmallVector<Facts>> shapeOfDropout(DropoutOp op, Known &known) {
  return SmallVector<Facts>(op->getNumResults(), Facts(Extents(known.extents(op.getData()))));
}

/// In training a ratio of 0 drops nothing either; anything else is drawn at random.
static FailureOr<SmallVector<Value>> lowerDropout(DropoutOp op, Lowering &l) {
  bool mayDrop = !op.getRatio() || constantNumber(op.getRatio()).value_or(1) != 0;
  if (op.getTrainingMode() && mayDrop) {
    std::optional<double> trains = constantNumber(op.getTrainingMode());
    if (trains && *trains != 0)
      return l.unsupported("dropping elements at random, in training mode");
    if (!trains) {
      Truth dropsNone(l, false);
      if (op.getRatio()) {
        Value ratio = l.onlyElement(op.getRatio()), zero = l.scalar(0, ratio.getType());
        dropsNone = Truth(l, arith::CmpFOp::create(l.b, l.loc(), arith::CmpFPredicate::OEQ, ratio, zero).getResult());
      }
      l.check(dropsNone || !Truth(l, l.onlyElement(op.getTrainingMode())), "does not drop elements in training mode",
              {});
    }
  }
  SmallVector<Value> results = {l(op.getData())};
  if (op.getMask())
    results.push_back(l.filled(l.extents(op.getData()), l.scalar(1, storageType(Lowering::element(op.getMask())))));
  return results;
}

void addDropoutRules(Rules &rules) { rules.op<DropoutOp>().shape(shapeOfDropout).lower(lowerDropout); }

} // namespace mlc::onnx
