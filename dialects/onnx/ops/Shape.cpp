// Operators that tell what a tensor is, or give it back: Constant, Identity, Shape, Size.
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Constant -------------------------------------------------------------------===//

static FailureOr<Value> lowerConstant(ConstantOp op, Lowering &l) {
  std::optional<ElementsAttr> value = valueOf(op);
  if (!value)
    return l.unsupported("a constant of strings");
  return l.constant(*value);
}

//===-- Shape and Size ---------------------------------------------------------------===//

static FailureOr<Facts> shapeOfShape(ShapeOp op, Known &known) {
  ArrayRef<Extent> extents = known.extents(op.getData());
  int64_t rank = extents.size();
  auto clamped = [&](int64_t axis) { return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank); };
  int64_t start = clamped(op.getStart()), end = clamped(op.getEnd().value_or(rank));
  Extents part(extents.slice(start, std::max<int64_t>(end - start, 0)));
  Extents length = {known.math.constant(part.size())};
  return Facts(std::move(length), std::move(part));
}

static FailureOr<Value> lowerShape(ShapeOp op, Lowering &l) { return l.fromElements(op.getShape()); }

static FailureOr<Facts> shapeOfSize(SizeOp op, Known &known) {
  return Facts(Extents(), Extents{known.math.product(known.extents(op.getData()))});
}

static FailureOr<Value> lowerSize(SizeOp op, Lowering &l) { return l.fromElements(op.getSize()); }

//===-- Identity -----------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfIdentity(IdentityOp op, Known &known) { return known.of(op.getInput()); }

static FailureOr<Value> lowerIdentity(IdentityOp op, Lowering &l) { return l(op.getInput()); }

void addShapeRules(Rules &rules) {
  rules.op<ConstantOp>().lower(lowerConstant);
  rules.op<ShapeOp>().shape(shapeOfShape).lower(lowerShape);
  rules.op<SizeOp>().shape(shapeOfSize).lower(lowerSize);
  rules.op<IdentityOp>().shape(shapeOfIdentity).moves().lower(lowerIdentity).acceptsUnranked();
}

} // namespace mlc::onnx
