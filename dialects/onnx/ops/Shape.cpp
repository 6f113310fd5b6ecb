// Operators that tell what a tensor is, or give it back: Constant, Identity, Shape, Size.
#include "mlir/IR/DialectResourceBlobManager.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Constant -------------------------------------------------------------------===//

/// The same data in a storage type; booleans take a byte.
static FailureOr<ElementsAttr> asStored(ElementsAttr value, ShapedType type) {
  if (value.getType() == type)
    return value;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return ElementsAttr(DenseResourceElementsAttr::get(type, resource.getRawHandle()));
  unsigned width = type.getElementTypeBitWidth();
  if (auto dense = dyn_cast<DenseFPElementsAttr>(value)) // of 8 bits and fewer
    return ElementsAttr(dense.mapValues(
        type.getElementType(), [&](const APFloat &number) { return number.bitcastToAPInt().zextOrTrunc(width); }));
  auto dense = dyn_cast<DenseIntElementsAttr>(value);
  if (!dense)
    return failure();
  bool isSigned = !isUnsigned(dense.getElementType());
  return ElementsAttr(dense.mapValues(type.getElementType(), [&](const APInt &number) {
    return isSigned ? number.sextOrTrunc(width) : number.zextOrTrunc(width);
  }));
}

static FailureOr<Value> lowerConstant(ConstantOp op, Lowering &l) {
  std::optional<ElementsAttr> value = valueOf(op);
  if (!value)
    return l.unsupported("a constant of strings");
  auto type = RankedTensorType::get(value->getShapedType().getShape(), storageType(value->getElementType()));
  FailureOr<ElementsAttr> stored = asStored(*value, type);
  if (failed(stored))
    return l.unsupported("a constant of this kind of attribute");
  return Value(arith::ConstantOp::create(l.b, l.loc(), *stored));
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
  rules.op<IdentityOp>().shape(shapeOfIdentity).lower(lowerIdentity).acceptsUnranked();
}

} // namespace mlc::onnx
